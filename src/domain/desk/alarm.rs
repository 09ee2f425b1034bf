//! Alarms: what is wrong with the watch itself. For the operations centre; customers never hear of them.

use super::post::add_staff;
use super::{Desk, LetterKind, LetterMark};
use crate::domain::fact::Fact;
use crate::domain::letter::{Content, Thread};
use crate::domain::time::Time;
use crate::domain::turn::Turn;
use crate::domain::watch::Reason;
use alloc::string::String;

/// What is wrong with the watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlarmKind {
    /// It is cut off: no line can be judged.
    Isolation,
    /// Its own uplink loses or delays so much that no line can be called degraded.
    Impaired,
    /// The canary's simulated outage did not travel the whole way.
    Canary,
    /// A case came in, and nobody is on duty to take it (R60).
    Unstaffed,
}

impl AlarmKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Isolation, Self::Impaired, Self::Canary, Self::Unstaffed];

    /// As it is stored and printed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Isolation => "isolation",
            Self::Impaired => "impaired",
            Self::Canary => "canary",
            Self::Unstaffed => "unstaffed",
        }
    }
}

/// An alarm that was raised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// What is wrong.
    pub kind: AlarmKind,
    /// Since when.
    pub since: Time,
    /// By what it shows.
    pub why: AlarmCause,
}

/// By what an alarm shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AlarmCause {
    /// Our own side is broken in this way.
    OwnSide(Reason),
    /// Even the best sentinel loses or delays too much, or most of the fleet is degraded at once.
    Everybody,
    /// This unit's simulated outage had no case, or its letter was not taken.
    Canary {
        /// The canary.
        unit: String,
        /// How far it came.
        step: CanaryStep,
    },
    /// Nobody is on duty.
    Unstaffed {
        /// In this team; in any, if none is named.
        team: Option<String>,
    },
}

/// How far the canary's outage came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CanaryStep {
    /// No case was opened or returned.
    NoCase,
    /// No letter about it was taken by the mail server.
    NoLetter,
}

impl CanaryStep {
    /// Every step.
    pub const ALL: [Self; 2] = [Self::NoCase, Self::NoLetter];

    /// As it is stored and printed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoCase => "no_case",
            Self::NoLetter => "no_letter",
        }
    }
}

impl Desk {
    /// Tells the operations centre that something is wrong with the watch itself; once, until it is well again.
    pub(crate) fn raise(&mut self, alarm: Alarm, turn: &mut Turn) {
        if self.alarms.contains_key(&alarm.kind) {
            return;
        }
        turn.facts.push(Fact::AlarmRaised(alarm.clone()));
        self.sound(&alarm, LetterKind::Alarm, None, turn);
        turn.alarms.push((alarm.clone(), true));
        self.alarms.insert(alarm.kind, alarm);
    }

    /// It is well again.
    pub(crate) fn clear(&mut self, kind: AlarmKind, turn: &mut Turn) {
        let Some(alarm) = self.alarms.remove(&kind) else { return };
        turn.facts.push(Fact::AlarmCleared { kind, since: alarm.since, lasted: turn.at.since(alarm.since) });
        let raised = LetterMark { kind: LetterKind::Alarm, number: 1 };
        self.sound(&alarm, LetterKind::AllClear, Some(raised), turn);
        turn.alarms.push((alarm, false));
    }

    fn sound(&mut self, alarm: &Alarm, kind: LetterKind, previous: Option<LetterMark>, turn: &mut Turn) {
        let thread = Thread::Alarm { kind: alarm.kind, since: alarm.since };
        let mut readers = self.readers(None, true);
        if alarm.kind == AlarmKind::Unstaffed {
            add_staff(&mut readers, &self.parties.routing.management);
        }
        let mark = LetterMark { kind, number: 1 };
        self.post(&readers, &thread, (mark, previous), &Content::Alarm(alarm.clone()), turn);
    }

    /// Alarms that stand.
    pub fn alarms(&self) -> impl Iterator<Item = &Alarm> {
        self.alarms.values()
    }
}
