//! Threads beside the loop that read the store for it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A thread and the way to it. Dropped, it waits for the thread's reader to be closed.
pub(super) struct Worker<Orders> {
    name: &'static str,
    orders: Option<Orders>,
    stopping: Stopping,
    thread: Option<JoinHandle<()>>,
}

/// Whether the daemon stops.
#[derive(Clone, Default)]
pub(super) struct Stopping(Arc<AtomicBool>);

impl<Orders> Worker<Orders> {
    /// Starts a thread that works until `orders` are gone.
    pub(super) fn start(
        name: &'static str,
        orders: Orders,
        work: impl FnOnce(&Stopping) + Send + 'static,
    ) -> io::Result<Self> {
        let stopping = Stopping::default();
        let told = stopping.clone();
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || work(&told))?;
        Ok(Self { name, orders: Some(orders), stopping, thread: Some(thread) })
    }

    /// The way to the thread.
    pub(super) const fn orders(&self) -> Option<&Orders> {
        self.orders.as_ref()
    }
}

impl<Orders> Drop for Worker<Orders> {
    fn drop(&mut self) {
        self.stopping.0.store(true, Ordering::Relaxed);
        self.orders = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread {} has failed", self.name);
        }
    }
}

impl Stopping {
    /// Tries until it succeeds, or the daemon stops: what is not done by then is done after the next start.
    pub(super) fn persist<T, E>(&self, pause: Duration, attempt: impl Fn() -> Result<T, E>) -> Option<T> {
        while !self.0.load(Ordering::Relaxed) {
            match attempt() {
                Ok(done) => return Some(done),
                Err(_) => thread::sleep(pause),
            }
        }
        None
    }
}
