//! Promises: commitments with a time. Each is kept only by what was promised; one that is missed escalates its case (R35).
//!
//! A case's promises are part of what its facts add up to. They run while the case is at work; a solved case owes nothing
//! but its reason for outage, and a closed one nothing at all.

use super::words::WaitingOn;
use crate::domain::party::Tier;
use crate::domain::time::{Tally, Time};
use core::time::Duration;

/// What can be promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PromiseKind {
    /// A first answer of a person, after the case was opened (R12). The letter that says that it was opened is none.
    FirstResponse,
    /// The next news (R21, R36).
    Update,
    /// An engineer at the customer's site (R37).
    OnSite,
    /// The repair, as the service order form has it (R22).
    Repair,
    /// Word from the supplier whom the case waits for (R19).
    Supplier,
    /// The reason for outage.
    Rfo,
}

impl PromiseKind {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::FirstResponse, Self::Update, Self::OnSite, Self::Repair, Self::Supplier, Self::Rfo];

    /// What staff promise by hand.
    pub const BY_STAFF: [Self; 4] = [Self::Update, Self::OnSite, Self::Supplier, Self::Rfo];

    /// What news keep.
    pub const OF_NEWS: [Self; 2] = [Self::FirstResponse, Self::Update];

    /// As it is stored, printed and typed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::FirstResponse => "first_response",
            Self::Update => "update",
            Self::OnSite => "onsite",
            Self::Repair => "repair",
            Self::Supplier => "supplier",
            Self::Rfo => "rfo",
        }
    }

    /// Whether time counts in which the case waits for `on`. Nobody but the customer can give access or answer for himself;
    /// the supplier is our own affair.
    #[must_use]
    pub const fn runs_while_waiting(self, on: WaitingOn) -> bool {
        match (self, on) {
            (Self::FirstResponse | Self::Supplier, _) | (_, WaitingOn::Supplier) => true,
            (
                Self::Update | Self::OnSite | Self::Repair | Self::Rfo,
                WaitingOn::Customer | WaitingOn::Access | WaitingOn::ForceMajeure,
            ) => false,
        }
    }
}

/// A promise that is neither kept nor called off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promise {
    /// How much time it has.
    pub within: Duration,
    /// How much of that has passed. Paused while the case waits for what is not in our hands.
    pub clock: Tally,
    /// Whether it was missed already: that is said once.
    pub missed: bool,
}

impl Promise {
    /// When it will be missed, as things stand. `None` while it is paused, and after it was missed.
    #[must_use]
    pub fn due(&self) -> Option<Time> {
        self.clock.reaches(self.within).filter(|_| !self.missed)
    }
}

/// The promises of a case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Promises([Option<Promise>; PromiseKind::ALL.len()]);

impl Promises {
    /// Those that stand.
    pub fn iter(&self) -> impl Iterator<Item = (PromiseKind, &Promise)> {
        PromiseKind::ALL.into_iter().zip(&self.0).filter_map(|(kind, promise)| Some((kind, promise.as_ref()?)))
    }

    /// One of them.
    #[must_use]
    pub const fn get(&self, kind: PromiseKind) -> Option<&Promise> {
        self.0[kind as usize].as_ref()
    }

    /// Puts one in, or takes one out.
    pub const fn set(&mut self, kind: PromiseKind, promise: Option<Promise>) {
        self.0[kind as usize] = promise;
    }

    /// The one that will be missed first, as things stand, and when.
    #[must_use]
    pub fn next_due(&self) -> Option<(Time, PromiseKind)> {
        self.iter().filter_map(|(kind, promise)| Some((promise.due()?, kind))).min()
    }

    pub(super) fn miss(&mut self, kind: PromiseKind) {
        if let Some(promise) = &mut self.0[kind as usize] {
            promise.missed = true;
        }
    }

    /// The case waits for somebody, or for nobody any more.
    pub(super) fn wait(&mut self, on: Option<WaitingOn>, now: Time) {
        for (kind, promise) in PromiseKind::ALL.into_iter().zip(&mut self.0) {
            let Some(promise) = promise else { continue };
            if on.is_none_or(|on| kind.runs_while_waiting(on)) {
                promise.clock.run(now);
            } else {
                promise.clock.pause(now);
            }
        }
    }
}

/// What is promised to everybody without a word; each may be nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pledges {
    /// A first answer of a person, so long after the opening (R12).
    pub first_response: Option<Duration>,
    /// News so often, on a P1 (R21).
    pub update_p1: Option<Duration>,
    /// The same on a P2.
    pub update_p2: Option<Duration>,
    /// Whether the time to repair of the order is one of the promises (R22).
    pub repair: bool,
    /// Word from the supplier so often, while a case waits for him (R19).
    pub supplier: Option<Duration>,
    /// The reason for outage, where one is required, so long after a case was solved.
    pub rfo: Option<Duration>,
    /// Whether a P1 is closed only after its customer was given a reason for outage (R32).
    pub rfo_p1: bool,
    /// The same of a P2.
    pub rfo_p2: bool,
}

/// What is promised without a word, by the tier of the contract (R21, R69).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TierPledges(pub [Pledges; Tier::ALL.len()]);

impl TierPledges {
    /// The same for every tier.
    #[must_use]
    pub const fn alike(pledges: Pledges) -> Self {
        Self([pledges; Tier::ALL.len()])
    }

    /// What customers of a tier are promised.
    #[must_use]
    pub const fn of(&self, tier: Tier) -> Pledges {
        self.0[tier as usize]
    }
}

/// What was agreed with a customer by a contract that was changed while the case was open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// The time to repair.
    pub ttr: Duration,
    /// What is promised without a word.
    pub pledges: Pledges,
}

/// How far a case was escalated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// First.
    L1,
    /// Second.
    L2,
    /// Third, and last.
    L3,
}

impl Level {
    /// Every level.
    pub const ALL: [Self; 3] = [Self::L1, Self::L2, Self::L3];

    /// As it is stored and printed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::L1 => "L1",
            Self::L2 => "L2",
            Self::L3 => "L3",
        }
    }

    /// The level above the present one. The last one stays.
    #[must_use]
    pub const fn above(present: Option<Self>) -> Self {
        match present {
            None => Self::L1,
            Some(Self::L1) => Self::L2,
            Some(Self::L2 | Self::L3) => Self::L3,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: i64) -> Time {
        Time::from_millis(seconds * 1000)
    }

    fn promise(minutes: u64) -> Option<Promise> {
        Some(Promise { within: Duration::from_secs(minutes * 60), clock: Tally::started(at(0)), missed: false })
    }

    #[test]
    fn the_first_to_be_due_is_told_until_it_was_missed() {
        let mut promises = Promises::default();
        assert_eq!(promises.next_due(), None);
        promises.set(PromiseKind::Repair, promise(240));
        promises.set(PromiseKind::Update, promise(30));
        assert_eq!(promises.next_due(), Some((at(1_800), PromiseKind::Update)));
        promises.miss(PromiseKind::Update);
        assert_eq!(promises.next_due(), Some((at(14_400), PromiseKind::Repair)));
        promises.miss(PromiseKind::OnSite);
        assert_eq!(promises.get(PromiseKind::OnSite), None);
    }

    #[test]
    fn who_waits_for_the_customer_loses_no_time_and_who_waits_for_the_supplier_does() {
        let mut promises = Promises::default();
        PromiseKind::ALL.into_iter().for_each(|kind| promises.set(kind, promise(30)));
        promises.wait(Some(WaitingOn::Supplier), at(60));
        assert!(promises.iter().all(|(_, promise)| promise.due() == Some(at(1_800))));
        promises.wait(Some(WaitingOn::Customer), at(600));
        let due: [_; 6] = PromiseKind::ALL.map(|kind| promises.get(kind).unwrap().due());
        let in_time = Some(at(1_800));
        assert_eq!(due, [in_time, None, None, None, in_time, None], "a first response is owed all the same");
        promises.wait(None, at(1_000));
        assert_eq!(promises.get(PromiseKind::Repair).unwrap().due(), Some(at(2_200)), "400 s later");
    }

    #[test]
    fn there_is_nothing_above_the_last_level() {
        let mut level = None;
        let climbed = core::array::from_fn(|_| {
            level = Some(Level::above(level));
            level.map_or("", Level::name)
        });
        assert_eq!(climbed, ["L1", "L2", "L3", "L3"]);
    }
}
