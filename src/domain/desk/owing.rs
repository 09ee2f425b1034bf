//! What a case owes: the promises that its facts make and keep.

use super::case::{Case, Informed, Stage};
use super::promise::{Agreed, Pledges, Promise, PromiseKind, Promises};
use super::words::{LetterMark, Priority, WaitingOn};
use crate::domain::time::{Tally, Time};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

impl Case {
    /// What is promised to everybody while a case is at work: news, and the repair.
    pub(super) fn pledge(&mut self, now: Time) {
        self.promise(PromiseKind::Update, self.update_every(), now);
        let within = self.ttr();
        let clock = Tally::new(self.repairing, Some(now));
        let repair = Promise { within, clock, missed: clock.total(now) >= within };
        self.promises.set(PromiseKind::Repair, self.pledges().repair.then_some(repair));
    }

    /// It is worked on, or goes on. Whoever it waited for owes no word any more.
    pub(super) fn resume(&mut self, now: Time) {
        if self.waits_on() == Some(WaitingOn::Supplier) {
            self.promises.set(PromiseKind::Supplier, None);
        }
        self.stage = Stage::Working { since: now };
        self.promises.wait(None, now);
    }

    /// It waits for somebody. A supplier is asked again and again (R19).
    pub(super) fn wait(&mut self, on: WaitingOn, now: Time) {
        let before = self.waits_on();
        self.stage = Stage::Waiting { since: now, on };
        if before != Some(on) {
            match (before, on, self.promises.get(PromiseKind::Supplier)) {
                (_, WaitingOn::Supplier, None) => {
                    self.promise(PromiseKind::Supplier, self.pledges().supplier, now);
                }
                (Some(WaitingOn::Supplier), WaitingOn::Customer | WaitingOn::Access | WaitingOn::ForceMajeure, _) => {
                    self.promises.set(PromiseKind::Supplier, None);
                }
                (
                    Some(WaitingOn::Supplier | WaitingOn::Customer | WaitingOn::Access | WaitingOn::ForceMajeure)
                    | None,
                    WaitingOn::Supplier | WaitingOn::Customer | WaitingOn::Access | WaitingOn::ForceMajeure,
                    _,
                ) => {}
            }
        }
        self.promises.wait(Some(on), now);
    }

    /// It is solved: nothing is owed any more but the reason for outage, and nothing can be revoked.
    pub(super) fn settle(&mut self, now: Time) {
        if let Some(repair) = self.promises.get(PromiseKind::Repair) {
            self.repairing = repair.clock.total(now);
        }
        self.informed = None;
        let mut owed = Promises::default();
        let promised = self.promises.get(PromiseKind::Rfo).copied();
        let pledged = self.pledges().rfo.filter(|_| self.rfo_is_required());
        let pledged = pledged.map(|within| Promise { within, clock: Tally::started(now), missed: false });
        owed.set(PromiseKind::Rfo, promised.or(pledged));
        self.promises = owed;
        self.promises.wait(None, now);
    }

    /// What is agreed with the customer has changed: what is owed by that is reckoned anew, from the time that has passed.
    pub(super) fn agree(&mut self, agreed: Agreed, now: Time) {
        self.agreed = Some(Box::new(agreed));
        if !self.is_at_work() {
            return;
        }
        let Agreed { ttr, pledges } = agreed;
        let repair = self
            .promises
            .get(PromiseKind::Repair)
            .map_or_else(|| Tally::new(self.repairing, Some(now)), |promise| promise.clock);
        for (kind, within, clock) in [
            (PromiseKind::Repair, pledges.repair.then_some(ttr), Some(repair)),
            (PromiseKind::FirstResponse, pledges.first_response, self.clock_of(PromiseKind::FirstResponse)),
            (PromiseKind::Supplier, pledges.supplier, self.clock_of(PromiseKind::Supplier)),
        ] {
            let missed = self.promises.get(kind).is_some_and(|promise| promise.missed);
            let anew = |(within, clock): (Duration, Tally)| Promise {
                within,
                clock,
                missed: missed && clock.total(now) >= within,
            };
            self.promises.set(kind, within.zip(clock).map(anew));
        }
        self.owe_sooner(now);
        self.promises.wait(self.waits_on(), now);
    }

    fn clock_of(&self, kind: PromiseKind) -> Option<Tally> {
        self.promises.get(kind).map(|promise| promise.clock)
    }

    /// What is promised without a word, as it is agreed by now.
    #[must_use]
    pub fn pledges(&self) -> &Pledges {
        self.agreed.as_ref().map_or(&self.opening.pledges, |agreed| &agreed.pledges)
    }

    /// The time to repair, as it is agreed by now (R22).
    #[must_use]
    pub fn ttr(&self) -> Duration {
        self.agreed.as_ref().map_or(self.opening.circuit.terms.ttr, |agreed| agreed.ttr)
    }

    pub(super) fn promise(&mut self, kind: PromiseKind, within: Option<Duration>, now: Time) {
        let promise = within.map(|within| Promise { within, clock: Tally::started(now), missed: false });
        self.promises.set(kind, promise);
        self.promises.wait(self.waits_on(), now);
    }

    /// How often there is to be news.
    #[must_use]
    pub fn update_every(&self) -> Option<Duration> {
        match self.priority {
            Priority::P1 => self.pledges().update_p1,
            Priority::P2 => self.pledges().update_p2,
        }
    }

    const fn waits_on(&self) -> Option<WaitingOn> {
        match &self.stage {
            Stage::Waiting { on, .. } => Some(*on),
            Stage::New | Stage::Working { .. } | Stage::Solved { .. } | Stage::Closed { .. } => None,
        }
    }

    /// A reader counts as informed by a letter.
    pub(super) fn inform(&mut self, to: &str, letter: LetterMark) {
        let same = self.informed.take().filter(|informed| informed.letter == letter);
        let mut informed = same.unwrap_or_else(|| Informed { letter, readers: Vec::new(), before: self.promises });
        informed.readers.push(String::from(to));
        self.informed = Some(informed);
    }

    /// A reader does not count as informed after all. Where nobody is left, what the letter kept was not kept.
    pub(super) fn revoke(&mut self, to: &str, letter: LetterMark, now: Time) {
        let Some(informed) = self.informed.as_mut().filter(|informed| informed.letter == letter) else { return };
        informed.readers.retain(|reader| reader != to);
        if !informed.readers.is_empty() {
            return;
        }
        let before = informed.before;
        self.informed = None;
        if self.is_at_work() {
            for kind in PromiseKind::OF_NEWS {
                self.promises.set(kind, before.get(kind).copied().or_else(|| self.promises.get(kind).copied()));
            }
            self.promises.wait(self.waits_on(), now);
        }
    }

    /// News that were promised go on being promised.
    pub(super) fn kept(&mut self, kind: PromiseKind, now: Time) {
        let next = match kind {
            PromiseKind::Update => self.update_every(),
            PromiseKind::Supplier => self.pledges().supplier.filter(|_| self.waits_on() == Some(WaitingOn::Supplier)),
            PromiseKind::FirstResponse | PromiseKind::OnSite | PromiseKind::Repair | PromiseKind::Rfo => None,
        };
        self.promise(kind, next, now);
    }

    /// News of a P1 come sooner than those of a P2.
    pub(super) fn owe_sooner(&mut self, now: Time) {
        let (every, promised) = (self.update_every(), self.promises.get(PromiseKind::Update));
        let sooner = every.filter(|every| promised.and_then(Promise::due).is_none_or(|due| due > now + *every));
        if sooner.is_some() {
            self.promise(PromiseKind::Update, sooner, now);
        }
    }

    /// Whom it was escalated to has the time of an update before the next level hears of it.
    pub(super) fn owe_more(&mut self, now: Time) {
        let silent = [PromiseKind::FirstResponse, PromiseKind::Update];
        if silent.into_iter().any(|kind| self.promises.get(kind).is_some_and(|promise| promise.missed)) {
            self.promises.set(PromiseKind::FirstResponse, None);
            self.promise(PromiseKind::Update, self.update_every(), now);
        }
        if self.promises.get(PromiseKind::Supplier).is_some_and(|promise| promise.missed) {
            self.kept(PromiseKind::Supplier, now);
        }
    }

    /// The promise whose time is up, if there is one, and since when.
    #[must_use]
    pub fn overdue(&self, now: Time) -> Option<(PromiseKind, Time)> {
        self.promises.next_due().filter(|&(due, _)| due <= now).map(|(due, kind)| (kind, due))
    }
}
