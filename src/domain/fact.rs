//! Facts: what happened, for the journal. People read them; the core does not.

use super::desk::{CaseFact, Opening, Reference};
use super::letter::LetterLabel;
use super::time::Time;
use super::watch::{Reason, Verdict};
use alloc::boxed::Box;
use alloc::string::String;
use core::time::Duration;

/// One thing that happened in a turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// The daemon began to watch.
    MonitorStarted {
        /// Until when an earlier daemon is known to have watched.
        watched_until: Option<Time>,
    },
    /// The daemon was told to stop.
    MonitorStopped,
    /// Nobody watched from `since` until now: the daemon was suspended or starved.
    MonitorStalled {
        /// The last moment that was watched.
        since: Time,
    },
    /// The monitor itself is cut off: silence of the units means nothing.
    IsolationBegan {
        /// Since when.
        since: Time,
        /// By what it shows.
        why: Reason,
    },
    /// The monitor is connected again.
    IsolationEnded {
        /// Since when it was cut off.
        since: Time,
        /// By what it showed.
        why: Reason,
        /// How long it was.
        lasted: Duration,
    },
    /// Another inventory is in force.
    InventoryChanged {
        /// Devices that are new.
        added: usize,
        /// Devices that are gone.
        removed: usize,
        /// Devices that are kept.
        kept: usize,
    },
    /// The wall clock was set. Moves no deadline.
    ClockStepped {
        /// By how many milliseconds, forwards or back.
        by_ms: i64,
    },
    /// A device has another verdict.
    VerdictChanged {
        /// Its id.
        device: String,
        /// The verdict.
        verdict: Verdict,
        /// Why.
        reason: Reason,
        /// Since when it stands; may be dated back.
        since: Time,
    },
    /// A case was opened.
    CaseOpened(Box<Opening>),
    /// Something happened to a case.
    Case {
        /// Which.
        reference: Reference,
        /// Its unit.
        unit: String,
        /// What.
        fact: CaseFact,
    },
    /// A letter was written.
    LetterQueued(LetterLabel),
    /// The mail server took a letter.
    LetterSent(LetterLabel),
    /// The mail server refused a letter for good.
    LetterFailed {
        /// Which.
        letter: LetterLabel,
        /// In the server's words.
        why: String,
    },
}

impl Fact {
    /// The device and the case that it is about.
    #[must_use]
    pub fn about(&self) -> (Option<&str>, Option<Reference>) {
        match self {
            Self::MonitorStarted { .. }
            | Self::MonitorStopped
            | Self::MonitorStalled { .. }
            | Self::IsolationBegan { .. }
            | Self::IsolationEnded { .. }
            | Self::InventoryChanged { .. }
            | Self::ClockStepped { .. } => (None, None),
            Self::VerdictChanged { device, .. } => (Some(device), None),
            Self::CaseOpened(opening) => (Some(&opening.unit), Some(opening.reference)),
            Self::Case { reference, unit, .. } => (Some(unit), Some(*reference)),
            Self::LetterQueued(letter) | Self::LetterSent(letter) | Self::LetterFailed { letter, .. } => {
                (Some(&letter.unit), Some(letter.reference))
            }
        }
    }
}
