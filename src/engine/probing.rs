//! What the engines that probe devices have in common.
//!
//! Each runs on a thread of its own, takes batches of probes and gives back batches of results. Nothing ticks in it
//! while nothing is in flight.

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
    /// Unbounded, which is sound only because the watch never has more than one round of a device in flight.
    orders: Option<UnboundedSender<Vec<Probe>>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl ProbeEngine {
    /// Sends `probes` as soon as may be. Each is reported exactly once.
    pub fn send(&self, probes: Vec<Probe>) {
        if let Some(orders) = &self.orders
            && orders.send(probes).is_err()
        {
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
        Ok(Self { orders: Some(orders), thread: Some(thread) })
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
