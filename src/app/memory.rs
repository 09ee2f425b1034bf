//! What the store remembers, read on a thread of its own, while those are asked already of whom enough is known.

use super::Fatal;
use crate::domain::desk::Desk;
use crate::domain::mail::MailId;
use crate::domain::maintenance::Maintenance;
use crate::domain::time::Time;
use crate::domain::turn::DeviceRow;
use crate::store::{OpenError, Store};
use crate::text::SECRET;
use std::panic;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{Builder, JoinHandle};

/// The store, being read.
pub(super) struct Memory {
    devices: Receiver<Result<Vec<DeviceRow>, OpenError>>,
    rest: JoinHandle<Result<Rest, OpenError>>,
}

/// All but the devices.
pub(super) struct Rest {
    pub(super) store: Store,
    pub(super) desk: Desk,
    pub(super) maintenance: Vec<Maintenance>,
    /// What makes letters known again.
    pub(super) secret: [u8; SECRET],
    /// Messages that nobody has read yet, and how often somebody has begun to.
    pub(super) unread: Vec<(MailId, u32)>,
}

impl Memory {
    /// Begins to read, at `now`.
    pub(super) fn read(store: Store, now: Time) -> Result<Self, Fatal> {
        let (hand_over, devices) = sync_channel(1);
        let work = move || {
            // Nobody takes them if the start has failed meanwhile.
            drop(hand_over.send(store.devices()));
            let (desk, maintenance) = store.desk()?;
            let (secret, unread) = (store.secret()?, store.mails_to_read()?);
            Ok(Rest { desk: Desk::new(desk, now), maintenance, secret, unread, store })
        };
        let rest = Builder::new().name("memory".to_owned()).spawn(work).map_err(Fatal::System)?;
        Ok(Self { devices, rest })
    }

    /// The devices, which come first.
    pub(super) fn devices(&self) -> Result<Vec<DeviceRow>, Fatal> {
        let gone = |_| Fatal::Store("the thread that reads the store has ended".to_owned());
        self.devices.recv().map_err(gone)?.map_err(Fatal::Open)
    }

    /// Whether all has been read.
    pub(super) fn is_complete(&self) -> bool {
        self.rest.is_finished()
    }

    /// All but the devices, once it has been read.
    pub(super) fn rest(self) -> Result<Rest, Fatal> {
        self.rest.join().unwrap_or_else(|panic| panic::resume_unwind(panic)).map_err(Fatal::Open)
    }
}
