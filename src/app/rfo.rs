//! Writes reasons for outage: a thread that reads of a case what was committed, and brings the document back to the loop.

use super::inbox::{Inbox, Message};
use crate::domain::desk::{MAX_RFOS_AT_ONCE, RfoDocument, RfoOrder, WrittenRfo};
use crate::domain::rfo::Rfo;
use crate::domain::turn::Input;
use crate::store::{Hash, ReadError, Reader};
use crate::text::rfo::{Imprint, document};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Before a document is offered again to a loop that has no room for it.
const OFFER_AGAIN: Duration = Duration::from_millis(20);

/// The loop's way to the thread. Dropped, it waits for its reader to be closed.
pub(super) struct Scribe {
    orders: Option<SyncSender<RfoOrder>>,
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Scribe {
    pub(super) fn start(reader: Reader, inbox: Inbox) -> io::Result<Self> {
        // The desk orders no more at once, so there is always room.
        let (orders, ordered) = sync_channel(MAX_RFOS_AT_ONCE);
        let stopping = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stopping);
        let work = move || write_all(&reader, &ordered, &inbox, &told);
        let thread = thread::Builder::new().name("rfo".to_owned()).spawn(work)?;
        Ok(Self { orders: Some(orders), stopping, thread: Some(thread) })
    }

    /// Lets a document be written. What it is about is on the disk.
    pub(super) fn write(&self, order: RfoOrder) {
        if self.orders.as_ref().is_none_or(|orders| orders.try_send(order).is_err()) {
            tracing::error!(reference = %order.reference, "nobody writes reasons for outage any more");
        }
    }
}

impl Drop for Scribe {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
        self.orders = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that writes reasons for outage has failed");
        }
    }
}

fn write_all(reader: &Reader, orders: &Receiver<RfoOrder>, inbox: &Inbox, stopping: &AtomicBool) {
    for order in orders {
        let document = written(reader, &order).unwrap_or_else(|error| {
            tracing::error!(reference = %order.reference, %error, "a reason for outage can't be written now");
            None
        });
        let written = WrittenRfo { order, document };
        // A loop that stops takes nothing more; the order is on the disk, and is given again.
        while !stopping.load(Ordering::Relaxed)
            && !inbox.offer(Message::Input(Input::RfoWritten(Box::new(written.clone()))))
        {
            thread::sleep(OFFER_AGAIN);
        }
    }
}

fn written(reader: &Reader, order: &RfoOrder) -> Result<Option<RfoDocument>, ReadError> {
    let Some((dossier, seal)) = reader.dossier(order.reference)? else { return Ok(None) };
    let imprint = Imprint { number: Some(order.number), seq: seal.seq, seal: seal.hash.to_string() };
    let json = document(&Rfo::of(dossier), &imprint, &reader.calendar()?).to_string();
    Ok(Some(RfoDocument { sha256: Hash::of(json.as_bytes()).to_string(), json, seal: seal.seq }))
}
