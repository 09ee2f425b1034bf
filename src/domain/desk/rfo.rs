//! Issuing a reason for outage: from the order for one until a customer's mail server has taken it (R32).
//!
//! The desk does not write documents. It orders them, and whoever reads the store brings them back; an order that nobody
//! answered, for the daemon was stopped, is given again at the next start. Of many that are due at once a few are under
//! way; the others wait in the order in which they became due.

use super::Desk;
use super::case::Case;
use super::facts::CaseFact;
use super::promise::PromiseKind;
use super::reference::Reference;
use super::words::{Actor, LetterKind, LetterMark, Priority};
use crate::domain::letter::{Delivery, Letter, LetterId};
use crate::domain::time::Time;
use crate::domain::turn::Turn;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

/// Documents that are being written at once, at the most.
pub const MAX_RFOS_AT_ONCE: usize = 64;
/// Until a document that could not be written is ordered again.
pub const RFO_RETRY: Duration = Duration::from_secs(15);

/// Which reasons for outage there were in a case, and where the last one stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RfoState {
    /// How many were issued.
    pub issued: u32,
    /// How often the case had been declared solved when the last one was ordered.
    pub solved: u32,
    /// Where that one stands.
    pub step: RfoStep,
}

/// Where a reason for outage stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum RfoStep {
    /// None was ordered.
    #[default]
    None,
    /// It is to be written.
    Ordered {
        /// Who wants it.
        by: Actor,
        /// Since when.
        since: Time,
    },
    /// It was written; the letter is on its way.
    Issued,
    /// A customer's mail server took it.
    Delivered,
    /// No server ever will.
    Undelivered,
}

impl RfoStep {
    /// As it is stored and printed.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Ordered { .. } => "ordered",
            Self::Issued => "issued",
            Self::Delivered => "delivered",
            Self::Undelivered => "undelivered",
        }
    }
}

/// Why nobody was given a reason for outage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undelivered {
    /// There is nobody to write to.
    Nobody,
    /// The mail server refused it for every address.
    Refused,
}

impl Undelivered {
    /// As it is printed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::Refused => "refused",
        }
    }
}

/// An order for a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RfoOrder {
    /// Of which case.
    pub reference: Reference,
    /// The how-manieth of that case it is to be.
    pub number: u32,
    /// Whose outage it tells of: another case's, if a request asks for it (R33).
    pub about: Reference,
    /// When it was given: what is written before a later order is not for that one.
    pub asked_at: Time,
}

/// What an order has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenRfo {
    /// The order.
    pub order: RfoOrder,
    /// The document; `None` if it could not be written now.
    pub document: Option<RfoDocument>,
}

/// A reason for outage as it leaves the house.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RfoDocument {
    /// Its bytes.
    pub json: String,
    /// Their SHA-256, in hexadecimal digits.
    pub sha256: String,
    /// The row of the journal whose seal it names.
    pub seal: i64,
}

/// Documents that are awaited, and letters with them.
#[derive(Clone, Debug, Default)]
pub(super) struct Issuing {
    /// Cases whose document is to be ordered, by when.
    queue: BTreeSet<(Time, Reference)>,
    /// Those whose document is being written.
    writing: BTreeSet<Reference>,
    /// Letters to customers that are on their way, with the documents that they bring.
    letters: BTreeMap<LetterId, Vec<(Reference, u32)>>,
    /// How many of these bring each document.
    pending: BTreeMap<(Reference, u32), usize>,
}

impl Issuing {
    pub(super) fn restored(
        cases: &BTreeMap<Reference, Arc<Case>>,
        saved: Vec<(LetterId, Reference, u32)>,
        now: Time,
    ) -> Self {
        let mut issuing = Self::default();
        let is_ordered = |case: &Case| matches!(case.rfo.step, RfoStep::Ordered { .. });
        issuing.queue.extend(cases.iter().filter(|(_, case)| is_ordered(case)).map(|(reference, _)| (now, *reference)));
        for (letter, reference, number) in saved {
            issuing.sent_off(letter, reference, number);
        }
        issuing
    }

    fn sent_off(&mut self, letter: LetterId, reference: Reference, number: u32) {
        self.letters.entry(letter).or_default().push((reference, number));
        *self.pending.entry((reference, number)).or_default() += 1;
    }

    /// A letter has met its fate: the documents that it brought.
    fn arrived(&mut self, letter: LetterId) -> Vec<(Reference, u32)> {
        let brought = self.letters.remove(&letter).unwrap_or_default();
        for document in &brought {
            if let Some(count) = self.pending.get_mut(document) {
                *count -= 1;
                if *count == 0 {
                    self.pending.remove(document);
                }
            }
        }
        brought
    }
}

impl Case {
    /// Whether a reason for outage has to be given before it is closed.
    #[must_use]
    pub fn rfo_is_required(&self) -> bool {
        match self.priority {
            Priority::P1 => self.pledges().rfo_p1,
            Priority::P2 => self.pledges().rfo_p2,
            Priority::P3 => false,
        }
    }

    /// Whose outage its documents tell of.
    #[must_use]
    pub fn tells_of(&self) -> Reference {
        let asked = self.opening.previous.filter(|_| self.is_request());
        asked.unwrap_or(self.opening.reference)
    }

    /// Whether nothing is left to be given: an account of what was solved the last time, and not of what was before.
    #[must_use]
    pub fn rfo_is_settled(&self) -> bool {
        let given = match self.rfo.step {
            RfoStep::Delivered | RfoStep::Undelivered => self.rfo.solved == self.solved,
            RfoStep::None | RfoStep::Ordered { .. } | RfoStep::Issued => false,
        };
        let under_way = match self.rfo.step {
            RfoStep::Ordered { .. } | RfoStep::Issued => true,
            RfoStep::None | RfoStep::Delivered | RfoStep::Undelivered => false,
        };
        given || !self.rfo_is_required() && !under_way
    }

    pub(super) fn rfo_was_ordered(&mut self, by: &Actor, now: Time) {
        self.rfo.solved = self.solved;
        self.rfo.step = RfoStep::Ordered { by: by.clone(), since: now };
    }

    pub(super) fn rfo_was_issued(&mut self, number: u32) {
        self.rfo.issued = number;
        self.rfo.step = RfoStep::Issued;
    }

    /// What the watch has ordered at the end of a window is void when there is more to tell of.
    pub(super) fn rfo_is_void(&mut self) {
        let by_watch = matches!(&self.rfo.step, RfoStep::Ordered { by: Actor::Watch, .. });
        if by_watch {
            self.rfo.step = RfoStep::None;
        }
    }
}

impl Desk {
    /// The window of a case is over: it is closed, or its customer is told first what happened.
    pub(super) fn finish(&mut self, reference: Reference, turn: &mut Turn) {
        let Some(case) = self.case(reference) else { return };
        if case.rfo_is_settled() {
            return self.close(reference, turn);
        }
        match case.rfo.step {
            RfoStep::Ordered { .. } => {}
            RfoStep::Issued if case.rfo.solved == case.solved || !case.rfo_is_required() => {
                self.settle_rfo(reference, case.rfo.issued, Undelivered::Nobody, turn);
            }
            RfoStep::None | RfoStep::Issued | RfoStep::Delivered | RfoStep::Undelivered => {
                self.order_rfo(reference, Actor::Watch, turn);
            }
        }
    }

    /// Somebody wants a reason for outage. One that is being written will do.
    pub(super) fn order_rfo(&mut self, reference: Reference, by: Actor, turn: &mut Turn) {
        let Some(case) = self.case(reference) else { return };
        if !matches!(case.rfo.step, RfoStep::Ordered { .. }) {
            self.record(reference, CaseFact::RfoOrdered { by }, turn);
            self.issuing.queue.insert((turn.at, reference));
        }
    }

    /// When the next document is to be ordered.
    pub(crate) fn next_rfo(&self) -> Option<Time> {
        let is_free = self.issuing.writing.len() < MAX_RFOS_AT_ONCE;
        self.issuing.queue.first().filter(|_| is_free).map(|&(due, _)| due)
    }

    /// Orders the documents that are due, as many as are written at once.
    pub(crate) fn hand_out_rfos(&mut self, turn: &mut Turn) {
        while self.next_rfo().is_some_and(|due| due <= turn.at) {
            let Some((_, reference)) = self.issuing.queue.pop_first() else { return };
            let case = self.case(reference).filter(|case| matches!(case.rfo.step, RfoStep::Ordered { .. }));
            let Some((number, about)) = case.map(|case| (case.rfo.issued + 1, case.tells_of())) else { continue };
            // It comes back before it is ordered again.
            if self.issuing.writing.insert(reference) {
                turn.rfo_orders.push(RfoOrder { reference, number, about, asked_at: turn.at });
            }
        }
    }

    /// A document was written, or could not be.
    pub(crate) fn rfo_written(&mut self, written: WrittenRfo, turn: &mut Turn) {
        let RfoOrder { reference, number, asked_at, about: _ } = written.order;
        self.issuing.writing.remove(&reference);
        let Some(case) = self.case(reference) else { return };
        let RfoStep::Ordered { since, .. } = case.rfo.step else { return };
        match written.document {
            None => {
                self.issuing.queue.insert((turn.at + RFO_RETRY, reference));
            }
            // More has happened since it was begun.
            Some(_) if asked_at < since => {
                self.issuing.queue.insert((turn.at, reference));
            }
            Some(document) => {
                let (sha256, seal) = (document.sha256.clone(), document.seal);
                turn.rfos.push((written.order, document));
                self.record(reference, CaseFact::RfoIssued { number, sha256, seal }, turn);
            }
        }
    }

    /// A letter with documents was written to a customer.
    pub(super) fn rfo_posted(&mut self, letter: &Letter) {
        if letter.mark.kind == LetterKind::Rfo && letter.greeting.is_some() {
            for (reference, mark) in letter.lines() {
                self.issuing.sent_off(letter.id, reference, mark.number);
            }
        }
    }

    /// What became of a letter, if documents were in it.
    pub(super) fn rfo_attempted(&mut self, letter: LetterId, delivery: &Delivery, turn: &mut Turn) {
        let sent = match delivery {
            Delivery::Sent => true,
            Delivery::Refused(_) => false,
            Delivery::Deferred(_) | Delivery::Unreachable(_) | Delivery::Throttled { .. } => return,
        };
        for (reference, number) in self.issuing.arrived(letter) {
            if !sent {
                self.settle_rfo(reference, number, Undelivered::Refused, turn);
            } else if self.awaits(reference, number) {
                self.record(reference, CaseFact::RfoDelivered { number }, turn);
                self.keep(reference, PromiseKind::Rfo, turn);
                self.finish_request(reference, turn);
            }
        }
    }

    /// A letter brings somebody else a document that never reached the reader whom it was for.
    pub(super) fn rfo_passed_on(&mut self, letter: LetterId, reference: Reference, number: u32) {
        self.issuing.sent_off(letter, reference, number);
    }

    fn awaits(&self, reference: Reference, number: u32) -> bool {
        self.case(reference).is_some_and(|case| case.rfo.step == RfoStep::Issued && case.rfo.issued == number)
    }

    /// The same for several lines.
    pub(super) fn settle_rfos(&mut self, lines: &[(Reference, LetterMark)], turn: &mut Turn) {
        for (reference, mark) in lines.iter().filter(|(_, mark)| mark.kind == LetterKind::Rfo) {
            self.settle_rfo(*reference, mark.number, Undelivered::Nobody, turn);
        }
    }

    /// If no letter brings a document any more, nobody will have it: its case must not wait for ever.
    fn settle_rfo(&mut self, reference: Reference, number: u32, why: Undelivered, turn: &mut Turn) {
        let is_held = self.case(reference).is_some_and(|case| self.holds(case, LetterKind::Rfo));
        let is_pending = self.issuing.pending.contains_key(&(reference, number));
        if self.awaits(reference, number) && !is_held && !is_pending {
            self.record(reference, CaseFact::RfoUndelivered { number, why }, turn);
        }
    }
}
