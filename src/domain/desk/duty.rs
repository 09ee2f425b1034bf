//! Who is on duty: by the roster of the centres' shifts, but for those who are off.

use crate::domain::party::{Parties, Staff};
use crate::domain::time::Time;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// From when on which centre has the shift, in order of time. Each has it until the next.
pub type Roster = Vec<(Time, String)>;

/// What the store remembers of our own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SavedDuty {
    /// Staff who are off.
    pub off: BTreeSet<String>,
    /// The centre that had the shift last, and whether all cases had been handed over to it.
    pub shift: Option<(String, bool)>,
    /// Contracts of whose end their customers were told: id and last day.
    pub noticed: BTreeSet<(String, i64)>,
}

impl SavedDuty {
    /// Takes a change into account.
    pub fn note(&mut self, change: &DutyChange) {
        match change {
            DutyChange::Staff { id, on: true, .. } => drop(self.off.remove(id)),
            DutyChange::Staff { id, on: false, .. } => drop(self.off.insert(id.clone())),
            DutyChange::Shift { centre, complete } => self.shift = Some((centre.clone(), *complete)),
            DutyChange::Noticed { contract, last_day } => drop(self.noticed.insert((contract.clone(), *last_day))),
        }
    }
}

/// A change to what the store remembers of our own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DutyChange {
    /// Somebody is on or off.
    Staff {
        /// Who.
        id: String,
        /// Whether he is on.
        on: bool,
        /// Who says so.
        by: String,
    },
    /// A centre has the shift.
    Shift {
        /// Which.
        centre: String,
        /// Whether all cases are handed over to it.
        complete: bool,
    },
    /// A customer was told that a contract ends.
    Noticed {
        /// Its id.
        contract: String,
        /// Its last day, in days since 1970-01-01.
        last_day: i64,
    },
}

/// Who is on duty.
#[derive(Clone, Debug, Default)]
pub(super) struct Duty {
    pub(super) off: BTreeSet<String>,
    roster: Roster,
    /// The centre that has the shift.
    pub(super) centre: Option<String>,
    /// Those on duty, by team.
    on: BTreeMap<Option<String>, Vec<Arc<Staff>>>,
}

impl Duty {
    pub(super) fn restored(saved: &SavedDuty) -> Self {
        let centre = saved.shift.as_ref().map(|(centre, _)| centre.clone());
        Self { off: saved.off.clone(), centre, ..Self::default() }
    }

    pub(super) fn set_roster(&mut self, roster: Roster) {
        self.roster = roster;
    }

    /// Somebody set the wall clock, by which shifts are: they come so much earlier.
    pub(super) fn move_roster(&mut self, by_ms: i64) {
        for (at, _) in &mut self.roster {
            *at = Time::from_millis(at.as_millis().saturating_sub(by_ms));
        }
    }

    /// The centre that has the shift by the roster.
    pub(super) fn holder(&self, now: Time) -> Option<&String> {
        let next = self.roster.partition_point(|&(at, _)| at <= now);
        self.roster.get(next.checked_sub(1)?).map(|(_, centre)| centre)
    }

    /// When the shift passes on next, and to whom.
    pub(super) fn next(&self, now: Time) -> Option<&(Time, String)> {
        self.roster.get(self.roster.partition_point(|&(at, _)| at <= now))
    }

    /// Finds anew who is on duty.
    pub(super) fn call(&mut self, parties: &Parties) {
        self.on.clear();
        for staff in parties.staff.values().filter(|staff| is_on(&self.off, self.centre.as_ref(), staff)) {
            self.on.entry(staff.team.clone()).or_default().push(Arc::clone(staff));
        }
    }

    /// Whether this one is on duty.
    pub(super) fn has(&self, staff: &Staff) -> bool {
        is_on(&self.off, self.centre.as_ref(), staff)
    }

    /// Those on duty: of a team, if one is named.
    pub(super) fn on<'a>(&'a self, team: Option<&'a String>) -> impl Iterator<Item = &'a Arc<Staff>> {
        let fits = move |of: &Option<String>| team.is_none() || of.as_ref() == team;
        self.on.iter().filter(move |(of, _)| fits(of)).flat_map(|(_, staff)| staff)
    }
}

fn is_on(off: &BTreeSet<String>, holder: Option<&String>, staff: &Staff) -> bool {
    !off.contains(&staff.id) && (staff.centre.is_none() || holder.is_none() || staff.centre.as_ref() == holder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn at(hours: i64) -> Time {
        Time::from_millis(hours * 3_600_000)
    }

    #[test]
    fn each_centre_has_the_shift_from_its_moment_to_the_next() {
        let mut duty = Duty::default();
        assert_eq!(duty.holder(at(0)), None);
        duty.set_roster(vec![(at(0), "lon".into()), (at(8), "nyc".into())]);
        let holder = |duty: &Duty, now| duty.holder(now).cloned().unwrap_or_default();
        let before = Time::from_millis(at(8).as_millis() - 1);
        assert_eq!([at(0), before, at(8), at(99)].map(|now| holder(&duty, now)), ["lon", "lon", "nyc", "nyc"]);
        assert_eq!(duty.next(at(0)), Some(&(at(8), "nyc".into())));
        duty.move_roster(3_600_000);
        assert_eq!(holder(&duty, at(7)), "nyc", "the wall clock was put forward by an hour");
    }
}
