//! Orders to an engine that sleeps in poll(2).

use crate::domain::watch::Probe;
use nix::sys::eventfd::{EfdFlags, EventFd};
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender, TryRecvError};

/// The giving end. Dropping it stops the engine.
#[derive(Debug)]
pub(super) struct Giver {
    probes: Option<Sender<Vec<Probe>>>,
    bell: Arc<EventFd>,
}

/// The taking end.
#[derive(Debug)]
pub(super) struct Orders {
    probes: Receiver<Vec<Probe>>,
    bell: Arc<EventFd>,
}

/// What an engine is to do.
#[derive(Debug)]
pub(super) enum Order {
    /// Send these.
    Probes(Vec<Probe>),
    /// Nothing new.
    Nothing,
    /// Stop.
    Stop,
}

/// Both ends.
pub(super) fn orders() -> io::Result<(Giver, Orders)> {
    let (giving, taking) = mpsc::channel();
    let bell = Arc::new(EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?);
    Ok((Giver { probes: Some(giving), bell: Arc::clone(&bell) }, Orders { probes: taking, bell }))
}

impl Giver {
    /// Hands over probes; whether there is an engine to take them.
    pub(super) fn give(&self, probes: Vec<Probe>) -> bool {
        let given = self.probes.as_ref().is_some_and(|engine| engine.send(probes).is_ok());
        self.ring();
        given
    }

    fn ring(&self) {
        if let Err(error) = self.bell.write(1) {
            tracing::error!(%error, "cannot wake a probe engine");
        }
    }
}

impl Drop for Giver {
    fn drop(&mut self) {
        self.probes = None;
        self.ring();
    }
}

impl Orders {
    /// Readable when there may be something new.
    pub(super) fn bell(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }

    /// The bell is heard; what it rang for is to be [taken](Self::take) after this.
    pub(super) fn hush(&self) {
        match self.bell.read() {
            Ok(_) | Err(nix::Error::EAGAIN) => {}
            Err(error) => tracing::error!(%error, "cannot hear the bell of a probe engine"),
        }
    }

    /// The next order.
    pub(super) fn take(&self) -> Order {
        match self.probes.try_recv() {
            Ok(probes) => Order::Probes(probes),
            Err(TryRecvError::Empty) => Order::Nothing,
            Err(TryRecvError::Disconnected) => Order::Stop,
        }
    }
}
