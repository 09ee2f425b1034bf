//! The time to repair of a case against that of its order (R22), and what of it does not count.

use super::{Event, within};
use crate::domain::desk::{PromiseKind, WaitingOn};
use crate::domain::time::Time;
use crate::domain::watch::{Interval, Reason, Verdict};
use alloc::vec::Vec;
use core::time::Duration;

/// How long a repair took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repair {
    /// What the order promises.
    pub ttr: Duration,
    /// What counts: while the case was at work, but for what is left out.
    pub took: Duration,
    /// From the opening until it was solved the last time, or until now. The time in windows is not in it.
    pub at_work: Duration,
    /// Left out: it waited for what is not in our hands.
    pub waited: Vec<Waited>,
    /// Left out: the line was lost under a planned maintenance.
    pub maintained: Duration,
    /// Within what counts, nobody looked. It counts all the same: that we did not look is not the customer's affair.
    pub unobserved: Duration,
    /// Within what counts, our own side was broken. The same.
    pub inconclusive: Duration,
    /// Whether it is over.
    pub done: bool,
}

/// A time in which a case waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waited {
    /// For whom.
    pub on: WaitingOn,
    /// Since when.
    pub from: Time,
    /// Until when, or until now.
    pub until: Time,
}

impl Repair {
    /// Whether the promise of the order was kept; nobody knows while it is not done and there is time left.
    #[must_use]
    pub fn kept(&self) -> Option<bool> {
        if self.took > self.ttr { Some(false) } else { self.done.then_some(true) }
    }

    pub(super) fn of(ttr: Duration, events: &[(Time, Event)], ledger: &[Interval], now: Time) -> Self {
        let mut repair = Self {
            ttr,
            took: Duration::ZERO,
            at_work: Duration::ZERO,
            waited: Vec::new(),
            maintained: Duration::ZERO,
            unobserved: Duration::ZERO,
            inconclusive: Duration::ZERO,
            done: false,
        };
        let mut since = None;
        for (at, event) in events {
            let next = match event {
                Event::Opened | Event::Taken | Event::Resumed | Event::Returned => Some(None),
                Event::Waits(on) => Some(Some(*on)),
                Event::Solved | Event::Closed => None,
                Event::Told(_)
                | Event::Informed(_)
                | Event::Promised(..)
                | Event::Arrived
                | Event::SupplierSaid
                | Event::Kept(..)
                | Event::Missed(_)
                | Event::Escalated(_)
                | Event::Upgraded
                | Event::Degraded
                | Event::Lost
                | Event::LostAsPlanned
                | Event::Back
                | Event::Detected => continue,
            };
            if let Some((from, on)) = since {
                repair.add(from, *at, on, ledger);
            }
            since = next.map(|on| (*at, on));
        }
        match since {
            Some((from, on)) => repair.add(from, now, on, ledger),
            None => repair.done = true,
        }
        repair
    }

    /// A time at work, or one that waited.
    fn add(&mut self, from: Time, until: Time, on: Option<WaitingOn>, ledger: &[Interval]) {
        let length = until.since(from);
        self.at_work += length;
        if let Some(on) = on.filter(|on| !PromiseKind::Repair.runs_while_waiting(*on)) {
            return self.waited.push(Waited { on, from, until });
        }
        let mut maintained = Duration::ZERO;
        for stretch in ledger {
            let part = within(stretch, from, until);
            match stretch.verdict {
                Verdict::Loss if stretch.reason == Reason::Maintenance => maintained += part,
                Verdict::Up | Verdict::Degraded | Verdict::Loss => {}
                Verdict::Inconclusive => self.inconclusive += part,
                Verdict::Unobserved => self.unobserved += part,
            }
        }
        self.maintained += maintained;
        self.took += length.saturating_sub(maintained);
    }
}
