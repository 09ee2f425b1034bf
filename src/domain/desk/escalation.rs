//! What becomes of promises: kept by what was promised, missed when their time is up, and then the level rises (R35).
//!
//! A customer counts as informed when his mail server took the letter; where nobody can be written to, when staff told
//! the news.

use super::Desk;
use super::facts::{CaseFact, EscalatedBy, Occasion};
use super::promise::{Level, PromiseKind};
use super::reference::Reference;
use super::words::{LetterKind, LetterMark};
use crate::domain::letter::{Delivery, LetterId, LetterLabel, Thread};
use crate::domain::notice::messenger;
use crate::domain::party::Customer;
use crate::domain::turn::Turn;
use alloc::string::String;
use alloc::vec::Vec;

/// Whom an escalated case is brought to: addresses of staff, by level (R35, R39).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matrix(pub [Vec<String>; Level::ALL.len()]);

impl Matrix {
    /// Those of a level.
    #[must_use]
    pub fn contacts(&self, level: Level) -> &[String] {
        &self.0[level as usize]
    }
}

impl Desk {
    /// Staff have news for the customer of a case.
    pub(super) fn tell(&mut self, reference: Reference, by: String, text: String, turn: &mut Turn) {
        self.record(reference, CaseFact::Told { by, text }, turn);
        let is_silent = self.customer_of(reference).is_none_or(|customer| customer.email.is_empty());
        if is_silent && self.case(reference).is_none_or(|case| !case.is_request() || case.requester().is_none()) {
            self.informed(reference, turn);
        }
    }

    /// An engineer is on site.
    pub(super) fn arrived(&mut self, reference: Reference, by: String, turn: &mut Turn) {
        self.record(reference, CaseFact::Arrived { by }, turn);
        self.keep(reference, PromiseKind::OnSite, turn);
    }

    /// The supplier whom a case may wait for had something to say (R19).
    pub(super) fn supplier_said(&mut self, reference: Reference, by: String, text: String, turn: &mut Turn) {
        self.record(reference, CaseFact::SupplierSaid { by, text }, turn);
        self.keep(reference, PromiseKind::Supplier, turn);
    }

    /// An attempt to deliver a letter is over.
    pub(crate) fn attempted(&mut self, letter: LetterId, delivery: Delivery, turn: &mut Turn) {
        if let Delivery::Refused(why) = &delivery
            && let Some(label) = self.outbox.label(letter).cloned()
            && messenger(&label.to).is_none()
        {
            self.not_reached(&label.to, why, turn);
            self.pass_letter_on(&label, turn);
        }
        let informs = |label: &&LetterLabel| {
            let is_taken = delivery == Delivery::Sent;
            match label.mark.kind {
                LetterKind::News | LetterKind::Updated => is_taken,
                LetterKind::Answered | LetterKind::PassedOn => is_taken || matches!(delivery, Delivery::Refused(_)),
                LetterKind::Opened
                | LetterKind::Upgraded
                | LetterKind::Solved
                | LetterKind::Returned
                | LetterKind::TakenBack
                | LetterKind::Closed
                | LetterKind::Escalated
                | LetterKind::Heard
                | LetterKind::Announced
                | LetterKind::Revised
                | LetterKind::Cancelled
                | LetterKind::Rfo
                | LetterKind::Alarm
                | LetterKind::AllClear
                | LetterKind::Assigned
                | LetterKind::Overdue
                | LetterKind::ContractEnds
                | LetterKind::OutOfReach => false,
            }
        };
        // Most letters inform nobody in this sense: those of a storm are not copied.
        let label = self.outbox.label(letter).filter(informs).cloned();
        self.outbox.attempted(letter, delivery.clone(), turn);
        self.rfo_attempted(letter, &delivery, turn);
        let Some(label) = label else { return };
        let written = self.as_written(&label);
        if written.mark.kind == LetterKind::Answered {
            return self.answer_attempted(&label, written.mark, &delivery, turn);
        }
        let Some(label) = Some(written).filter(|_| delivery == Delivery::Sent) else { return };
        match (label.thread, label.mark.kind) {
            (Thread::Case { reference, .. }, LetterKind::News) if self.is_read_by_customer(reference, &label.to) => {
                self.informed_by(reference, label.to, label.mark, turn);
            }
            (Thread::Umbrella { reference, customer: Some(customer) }, LetterKind::Updated) => {
                for case in self.at_work_of(reference, &customer) {
                    self.informed_by(case, label.to.clone(), label.mark, turn);
                }
            }
            (
                Thread::Case { .. }
                | Thread::Umbrella { .. }
                | Thread::Maintenance { .. }
                | Thread::Alarm { .. }
                | Thread::Contract { .. }
                | Thread::Reach { .. },
                _,
            ) => {}
        }
    }

    pub(super) fn is_read_by_customer(&self, reference: Reference, address: &str) -> bool {
        let asked = self.case(reference).and_then(super::Case::requester).is_some_and(|asked| asked == address);
        asked || self.customer_of(reference).is_some_and(|customer| self.is_of(customer, address))
    }

    fn customer_of(&self, reference: Reference) -> Option<&Customer> {
        self.customers.get(self.case(reference)?.opening.circuit.customer.as_str())
    }

    /// A reader's server took a letter with news.
    pub(super) fn informed_by(&mut self, reference: Reference, to: String, letter: LetterMark, turn: &mut Turn) {
        // Who has been informed by it already owes nothing more; a case that is solved owes nothing.
        let Some(case) = self.case(reference).filter(|case| case.is_at_work()) else { return };
        let is_known = case.informed.as_ref().is_some_and(|informed| informed.letter == letter);
        self.record(reference, CaseFact::Informed { to, letter }, turn);
        // Two readers of one letter are one piece of news.
        if !is_known {
            self.informed(reference, turn);
        }
    }

    pub(super) fn informed(&mut self, reference: Reference, turn: &mut Turn) {
        PromiseKind::OF_NEWS.into_iter().for_each(|kind| self.keep(reference, kind, turn));
    }

    pub(super) fn keep(&mut self, reference: Reference, kind: PromiseKind, turn: &mut Turn) {
        let promise = self.case(reference).and_then(|case| case.promises.get(kind).copied());
        if let Some(promise) = promise {
            let took = promise.clock.total(turn.at);
            self.record(reference, CaseFact::Kept { kind, took, late: promise.missed }, turn);
        }
    }

    /// Says of each promise whose time is up that it was missed, and escalates.
    pub(super) fn miss_overdue(&mut self, reference: Reference, turn: &mut Turn) {
        while let Some((kind, due)) = self.case(reference).and_then(|case| case.overdue(turn.at)) {
            self.record(reference, CaseFact::Missed { kind, late: turn.at.since(due) }, turn);
            self.escalate(reference, EscalatedBy::Missed(kind), None, turn);
        }
    }

    /// Brings a case to the next level.
    pub(super) fn escalate(&mut self, reference: Reference, why: EscalatedBy, note: Option<String>, turn: &mut Turn) {
        let Some(case) = self.case(reference) else { return };
        let (level, umbrella) =
            (Level::above(case.escalation.as_ref().map(|escalation| escalation.level)), case.umbrella);
        self.record(reference, CaseFact::Escalated { level, why, note }, turn);
        self.route(reference, Occasion::Escalated, turn);
        if let Some(umbrella) = umbrella {
            self.escalate_umbrella(umbrella, level, turn);
        }
    }

    /// Whom of the staff a letter about an escalation goes to, beside the operations centre: the customer's own matrix says
    /// so, or that for everybody.
    pub(super) fn escalation_contacts(&self, customer: Option<&str>, level: Level) -> &[String] {
        let own = customer.and_then(|customer| self.customers.get(customer)).map(|customer| &customer.escalation);
        let own = own.map(|matrix| matrix.contacts(level)).filter(|contacts| !contacts.is_empty());
        own.unwrap_or_else(|| self.escalation.contacts(level))
    }
}
