//! What the engines that probe devices have in common.
//!
//! Each runs on a thread of its own, takes batches of probes and gives back batches of results. Nothing ticks in it
//! while nothing is in flight.

use super::orders::{self, Giver, Orders};
use crate::domain::watch::{Probe, ProbeResult};
use core::fmt;
use std::{io, thread};
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

/// Takes a batch of results; gives it back while the loop has no room. It must not block, the engine's thread calls it.
pub type Deliver = Box<dyn FnMut(Vec<ProbeResult>) -> Result<(), Vec<ProbeResult>> + Send>;

/// A running engine. Dropping it stops its thread; probes in flight are forgotten.
#[derive(Debug)]
pub struct ProbeEngine {
    orders: Option<Way>,
    thread: Option<thread::JoinHandle<()>>,
}

/// How an engine gets its orders. Unbounded, which is sound only because the watch never has more than one round of a device in
/// flight.
#[derive(Debug)]
enum Way {
    /// It waits for them in a runtime.
    Channel(UnboundedSender<Vec<Probe>>),
    /// It sleeps in poll(2).
    Bell(Giver),
}

impl ProbeEngine {
    /// Sends `probes` as soon as may be. Each is reported exactly once.
    pub fn send(&self, probes: Vec<Probe>) {
        let taken = match &self.orders {
            Some(Way::Channel(engine)) => engine.send(probes).is_ok(),
            Some(Way::Bell(engine)) => engine.give(probes),
            None => false,
        };
        if !taken {
            tracing::error!("a probe engine has died");
        }
    }

    /// Runs `work` on a thread called `name`.
    pub(super) fn spawn<W, F>(name: &str, runtime: Runtime, work: W) -> Result<Self, StartError>
    where
        W: FnOnce(UnboundedReceiver<Vec<Probe>>) -> F + Send + 'static,
        F: Future<Output = ()>,
    {
        let (orders, inbox) = mpsc::unbounded_channel();
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || runtime.block_on(work(inbox)))
            .map_err(StartError::Thread)?;
        Ok(Self { orders: Some(Way::Channel(orders)), thread: Some(thread) })
    }

    /// Runs `work` on a thread called `name`, with what `prepare` makes there.
    pub(super) fn spawn_polling<E>(
        name: &str,
        prepare: impl FnOnce() -> Result<E, StartError> + Send + 'static,
        work: impl FnOnce(E, &Orders) + Send + 'static,
    ) -> Result<Self, StartError> {
        let (giver, orders) = orders::orders().map_err(StartError::Thread)?;
        let (report, prepared) = std::sync::mpsc::sync_channel(1);
        let run = move || {
            let engine = match prepare() {
                Ok(engine) => engine,
                Err(error) => return report.send(Err(error)).unwrap_or_default(),
            };
            if report.send(Ok(())).is_ok() {
                work(engine, &orders);
            }
        };
        let thread = thread::Builder::new().name(name.to_owned()).spawn(run).map_err(StartError::Thread)?;
        let gone = || StartError::Thread(io::Error::other("it ended before it began"));
        prepared.recv().map_err(|_| gone()).and_then(|prepared| prepared)?;
        Ok(Self { orders: Some(Way::Bell(giver)), thread: Some(thread) })
    }
}

impl Drop for ProbeEngine {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("a probe engine panicked");
        }
    }
}

/// Why an engine could not start.
#[derive(Debug)]
pub enum StartError {
    /// The operating system lets this process open no ICMP socket.
    NoRight,
    /// An ICMP socket could not be opened for another reason.
    Socket(io::Error),
    /// The engine's thread or its runtime could not be made.
    Thread(io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRight => f.write_str(
                "no right to open an ICMP socket: grant CAP_NET_RAW (the systemd unit does) or widen net.ipv4.ping_group_range",
            ),
            Self::Socket(error) => write!(f, "cannot open an ICMP socket: {error}"),
            Self::Thread(error) => write!(f, "cannot start the engine's thread: {error}"),
        }
    }
}

impl core::error::Error for StartError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::NoRight => None,
            Self::Socket(error) | Self::Thread(error) => Some(error),
        }
    }
}
