//! Writes reasons for outage: a thread that reads of a case what was committed, and brings the document back to the loop.

use super::inbox::Inbox;
use super::worker::{Stopping, Worker};
use crate::domain::desk::{MAX_RFOS_AT_ONCE, RfoDocument, RfoOrder, WrittenRfo};
use crate::domain::rfo::Rfo;
use crate::domain::turn::Input;
use crate::store::{Hash, ReadError, Reader};
use crate::text::rfo::{Imprint, document};
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// The loop's way to the thread.
pub(super) struct Scribe(Worker<SyncSender<RfoOrder>>);

impl Scribe {
    pub(super) fn start(reader: Reader, inbox: Inbox) -> io::Result<Self> {
        // The desk orders no more at once, so there is always room.
        let (orders, ordered) = sync_channel(MAX_RFOS_AT_ONCE);
        Worker::start("rfo", orders, move |stopping| write_all(&reader, &ordered, &inbox, stopping)).map(Self)
    }

    /// Lets a document be written. What it is about is on the disk.
    pub(super) fn write(&self, order: RfoOrder) {
        if self.0.orders().is_none_or(|orders| orders.try_send(order).is_err()) {
            tracing::error!(reference = %order.reference, "nobody writes reasons for outage any more");
        }
    }
}

fn write_all(reader: &Reader, orders: &Receiver<RfoOrder>, inbox: &Inbox, stopping: &Stopping) {
    for order in orders {
        let document = written(reader, &order).unwrap_or_else(|error| {
            tracing::error!(reference = %order.reference, %error, "a reason for outage can't be written now");
            None
        });
        inbox.bring(Input::RfoWritten(Box::new(WrittenRfo { order, document })), stopping);
    }
}

fn written(reader: &Reader, order: &RfoOrder) -> Result<Option<RfoDocument>, ReadError> {
    let Some((dossier, seal)) = reader.dossier(order.about)? else { return Ok(None) };
    let request = (order.about != order.reference).then_some(order.reference);
    let imprint = Imprint { number: Some(order.number), request, seq: seal.seq, seal: seal.hash.to_string() };
    let json = document(&Rfo::of(dossier), &imprint, &reader.calendar()?).to_string();
    Ok(Some(RfoDocument { sha256: Hash::of(json.as_bytes()).to_string(), json, seal: seal.seq }))
}
