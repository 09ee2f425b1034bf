//! Keeps messages as they came, many in one transaction, and sees that what is kept of them has a bound.

use super::mailroom::MailRoom;
use crate::config::KeepMail;
use crate::domain::mail::{MailId, Parcel};
use crate::domain::time::Time;
use crate::store::{self, Store};
use crate::web::board::{Board, Originals};
use metrics::{Counter, Gauge, counter, gauge};
use std::mem;
use std::time::Duration;

/// How often it is looked whether something is too old to be kept.
const TIDY_EVERY: Duration = Duration::from_secs(60);

/// A message that has come in; whoever brought it waits.
pub(super) struct Arrival {
    pub(super) parcel: Parcel,
    pub(super) at: Time,
    pub(super) kept: Kept,
}

/// Tells whoever brought a message its number, nothing if it was there already, or why it can't be kept.
pub(super) type Kept = Box<dyn FnOnce(Result<Option<MailId>, String>) + Send>;

/// Where messages are kept, at the writer's side.
pub(super) struct Registry {
    mail_room: MailRoom,
    limits: KeepMail,
    tidied: Option<Time>,
    /// Whether there is more to drop than was dropped.
    is_behind: bool,
    /// Bytes for which there was no room; 0 if there is room.
    wanted: u64,
    refused: Counter,
    bytes: Gauge,
}

impl Registry {
    pub(super) fn new(mail_room: MailRoom, limits: KeepMail) -> Self {
        Self {
            mail_room,
            limits,
            tidied: None,
            is_behind: false,
            wanted: 0,
            refused: counter!("ntuwatch_mail_in_refused_total"),
            bytes: gauge!("ntuwatch_mail_in_original_bytes"),
        }
    }

    /// Keeps messages in one transaction, and only then tells whoever brought them, and lets them be read.
    pub(super) fn keep(&mut self, store: &mut Store, board: &Board, arrivals: Vec<Arrival>) {
        let parcels: Vec<_> = arrivals.iter().map(|arrival| (&arrival.parcel, arrival.at)).collect();
        let fates = match store.keep_all(&parcels, self.limits.room) {
            Ok(fates) => fates,
            Err(error) => {
                let why = error.to_string();
                return arrivals.into_iter().for_each(|arrival| (arrival.kept)(Err(why.clone())));
            }
        };
        // What found no room goes on wanting it until there is some, whatever else is kept meanwhile.
        let without = arrivals.iter().zip(&fates).filter(|(_, fate)| matches!(fate, store::Kept::NoRoom));
        let wanted = without.map(|(arrival, _)| arrival.parcel.raw.len() as u64).max();
        self.wanted = self.wanted.max(wanted.unwrap_or(0));
        // Before anybody is told: whoever is refused finds out why.
        self.show(store, board);
        for (Arrival { kept, .. }, fate) in arrivals.into_iter().zip(fates) {
            match fate {
                store::Kept::New(id) => {
                    self.mail_room.read(id);
                    kept(Ok(Some(id)));
                }
                store::Kept::Known => kept(Ok(None)),
                store::Kept::NoRoom => {
                    self.refused.increment(1);
                    kept(Err(NO_ROOM.to_owned()));
                }
            }
        }
    }

    /// Drops what need not be kept any more: a bounded step, if there is reason for one.
    pub(super) fn tidy(&mut self, store: &mut Store, board: &Board, now: Time) {
        let is_due = self.tidied.is_none_or(|tidied| now.since(tidied) >= TIDY_EVERY);
        if !is_due && !self.is_behind && self.wanted == 0 {
            return;
        }
        self.tidied = Some(now);
        let excess = store.originals().saturating_add(self.wanted).saturating_sub(self.limits.room);
        match store.drop_originals(now - self.limits.age, excess) {
            Ok(is_behind) => self.is_behind = is_behind,
            Err(error) => tracing::error!(%error, "old mail can't be dropped"),
        }
        if store.originals().saturating_add(self.wanted) <= self.limits.room {
            self.wanted = 0;
        }
        self.show(store, board);
    }

    fn show(&self, store: &Store, board: &Board) {
        let bytes = store.originals();
        self.bytes.set(bytes as f64);
        let refused = (self.wanted > 0).then(|| NO_ROOM.to_owned());
        let before = board.set_originals(Originals { bytes, refused: refused.clone() });
        match (refused, mem::take(&mut { before }.refused)) {
            (Some(why), None) => tracing::error!(why, "mail is refused for now"),
            (None, Some(_)) => tracing::info!("mail is taken again"),
            (Some(_), Some(_)) | (None, None) => {}
        }
    }
}

/// What whoever brings a message is told, and the operator.
const NO_ROOM: &str = "the messages that wait for a decision take up all of [mail_in] raw_limit: decide on them \
    (`ntuwatch mail list --outcome quarantined`), or allow more";
