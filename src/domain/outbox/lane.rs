//! One way out: the mail server's, or a messenger's. What one lane suffers holds up no other.

use super::{LAST_RETRY, MAX_IN_FLIGHT, back_off};
use crate::domain::letter::LetterId;
use crate::domain::time::Time;
use alloc::collections::BTreeSet;
use alloc::string::String;
use core::time::Duration;

/// A way out with what is to go by it.
#[derive(Clone, Debug, Default)]
pub(super) struct Lane {
    /// Firsts of their threads by when they are due.
    ready: BTreeSet<(Time, LetterId)>,
    pub(super) in_flight: usize,
    /// Letters that are not done with.
    pub(super) waiting: usize,
    /// While the server can't be talked to: until when, after how many failures.
    pause: Option<(Time, u32)>,
    /// Since when nothing gets through, and why.
    pub(super) trouble: Option<Trouble>,
}

/// Nothing gets through a lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Since when.
    pub since: Time,
    /// Why, in the words of whoever tried last.
    pub why: String,
}

impl Lane {
    pub(super) fn put(&mut self, due: Time, id: LetterId) {
        self.ready.insert((due, id));
    }

    /// When the next letter can go.
    pub(super) fn next_due(&self) -> Option<Time> {
        if self.in_flight >= self.limit() {
            return None;
        }
        let (due, _) = self.ready.first()?;
        Some(self.pause.map_or(*due, |(until, _)| until.max(*due)))
    }

    /// How many letters may be under way. While the server can't be talked to, one tries out whether it is back.
    const fn limit(&self) -> usize {
        if self.pause.is_some() { 1 } else { MAX_IN_FLIGHT }
    }

    /// The next letter, if one can go now.
    pub(super) fn take(&mut self, now: Time) -> Option<LetterId> {
        self.next_due().filter(|due| *due <= now)?;
        let (_, id) = self.ready.pop_first()?;
        self.in_flight += 1;
        Some(id)
    }

    /// The server decides about letters, whatever it says of this one.
    pub(super) fn answers(&mut self) {
        self.pause = None;
        self.trouble = None;
    }

    /// The server puts a letter off.
    pub(super) fn puts_off(&mut self, why: &str, now: Time) {
        self.pause = None;
        self.fails(why, now);
    }

    /// The letters that were under way when the server went away make one failure, not many.
    pub(super) fn is_gone(&mut self, why: &str, now: Time) {
        self.fails(why, now);
        self.pause = Some(match self.pause {
            Some((until, failures)) if now < until => (until, failures),
            Some((_, failures)) => (now + back_off(failures.saturating_add(1)), failures.saturating_add(1)),
            None => (now + back_off(1), 1),
        });
    }

    /// The server wants nothing for a while.
    pub(super) fn is_throttled(&mut self, why: &str, wait: Duration, now: Time) {
        self.fails(why, now);
        let until = now + wait.min(LAST_RETRY);
        let (before, failures) = self.pause.unwrap_or((until, 0));
        self.pause = Some((until.max(before), failures));
    }

    fn fails(&mut self, why: &str, now: Time) {
        let since = self.trouble.as_ref().map_or(now, |trouble| trouble.since);
        self.trouble = Some(Trouble { since, why: why.into() });
    }
}
