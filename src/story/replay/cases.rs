//! The cases of a run, and what differs between two.

use crate::domain::desk::{Actor, Case, Priority, Stage};
use crate::domain::time::Time;
use crate::domain::watch::Symptom;
use std::collections::BTreeMap;
use std::time::Duration;

/// A case that the watch opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The unit.
    pub unit: String,
    /// Its priority at the beginning.
    pub priority: Priority,
    /// Its priority in the end.
    pub became: Priority,
    /// The symptom, if the line was degraded; `None`: contact was lost.
    pub symptom: Option<Symptom>,
    /// When its fault began.
    pub began_at: Time,
    /// When it was opened.
    pub opened_at: Time,
    /// How often the fault returned it to work.
    pub returned: u32,
    /// When it was closed, if it was.
    closed_at: Option<Time>,
}

/// What the new settings make of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It would also have opened.
    Also(Opened),
    /// It would not have opened.
    Not(Opened),
    /// It would have opened at another time, for another reason or as another priority, or returned another number of
    /// times.
    Otherwise {
        /// Under the settings in force.
        was: Opened,
        /// Under the new ones.
        would: Opened,
    },
}

impl Opened {
    /// Whether a replay can have this case: what agents tell is not recorded.
    pub(super) const fn is_repeatable(&self) -> bool {
        match self.symptom {
            None | Some(Symptom::Loss | Symptom::Slow | Symptom::Slower | Symptom::Flapping) => true,
            Some(Symptom::Rebooting | Symptom::InterfaceDown | Symptom::InterfaceErrors | Symptom::Overloaded) => false,
        }
    }

    /// Why it was opened, in a word.
    #[must_use]
    pub const fn why(&self) -> &'static str {
        match self.symptom {
            None => "no_answer",
            Some(symptom) => symptom.name(),
        }
    }

    fn is_over_before(&self, other: &Self) -> bool {
        self.closed_at.is_some_and(|closed| closed < other.began_at)
    }

    fn is_like(&self, other: &Self, tolerance: Duration) -> bool {
        let apart = self.opened_at.since(other.opened_at).max(other.opened_at.since(self.opened_at));
        let of = |case: &Self| (case.priority, case.became, case.symptom, case.returned);
        of(self) == of(other) && apart <= tolerance
    }
}

impl Change {
    /// When the case was opened, or would have been.
    const fn at(&self) -> Time {
        match self {
            Self::Also(case) | Self::Not(case) | Self::Otherwise { would: case, .. } => case.opened_at,
        }
    }
}

/// The cases that the watch opened since a time, by unit and in the order of time.
#[must_use]
pub fn opened<'a>(cases: impl IntoIterator<Item = &'a Case>, since: Time) -> Vec<Opened> {
    let of_watch = |case: &&Case| case.opening.origin == Actor::Watch && case.opened_at >= since;
    let mut all: Vec<Opened> = cases.into_iter().filter(of_watch).map(open).collect();
    all.sort_by(|a, b| (&a.unit, a.opened_at).cmp(&(&b.unit, b.opened_at)));
    all
}

fn open(case: &Case) -> Opened {
    let finding = case.opening.finding;
    let degraded_at = || finding.map(|finding| case.opened_at - finding.over);
    Opened {
        unit: case.opening.unit.clone(),
        priority: case.opening.priority,
        became: case.priority,
        symptom: finding.map(|finding| finding.symptom),
        began_at: case.opening.first_loss.or_else(degraded_at).unwrap_or(case.opened_at),
        opened_at: case.opened_at,
        returned: case.returned,
        closed_at: match case.stage {
            Stage::Closed { since, .. } => Some(since),
            Stage::New | Stage::Working { .. } | Stage::Waiting { .. } | Stage::Solved { .. } => None,
        },
    }
}

/// How many of the recorded cases a run has as well: the same unit, at a time that overlaps, with the same priority.
pub(super) fn reproduced(recorded: &[Opened], run: &[Opened]) -> usize {
    let pairs = pair(recorded.to_vec(), run.to_vec());
    pairs.iter().filter(|(a, b)| a.as_ref().zip(b.as_ref()).is_some_and(|(a, b)| a.priority == b.priority)).count()
}

/// What differs between two runs. Cases that opened within the tolerance of their unit opened at the same time.
pub(super) fn compare(before: Vec<Opened>, after: Vec<Opened>, tolerance: impl Fn(&str) -> Duration) -> Vec<Change> {
    let differs = |pair| match pair {
        (Some(was), Some(would)) => {
            let like = Opened::is_like(&was, &would, tolerance(&was.unit));
            (!like).then_some(Change::Otherwise { was, would })
        }
        (Some(was), None) => Some(Change::Not(was)),
        (None, Some(would)) => Some(Change::Also(would)),
        (None, None) => None,
    };
    let mut changes: Vec<Change> = pair(before, after).into_iter().filter_map(differs).collect();
    changes.sort_by_key(Change::at);
    changes
}

type Pair = (Option<Opened>, Option<Opened>);

/// Cases of the same unit whose lives overlap are the same case.
fn pair(before: Vec<Opened>, after: Vec<Opened>) -> Vec<Pair> {
    let mut units: BTreeMap<String, [Vec<Opened>; 2]> = BTreeMap::new();
    for (cases, side) in [before, after].into_iter().zip(0..) {
        for case in cases {
            units.entry(case.unit.clone()).or_default()[side].push(case);
        }
    }
    let mut pairs = Vec::new();
    for [before, after] in units.into_values() {
        let (mut before, mut after) = (before.into_iter().peekable(), after.into_iter().peekable());
        loop {
            pairs.push(match (before.peek(), after.peek()) {
                (None, None) => break,
                (Some(a), Some(b)) if a.is_over_before(b) => (before.next(), None),
                (Some(a), Some(b)) if b.is_over_before(a) => (None, after.next()),
                (Some(_) | None, Some(_) | None) => (before.next(), after.next()),
            });
        }
    }
    pairs
}
