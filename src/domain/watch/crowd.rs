//! What is lost at once: whether it can be our own side.
//!
//! A device that answered one question and not the next one was lost at some moment between the two. Losses were at once
//! if one moment can be that of all of them, however long the intervals are.

use super::Watch;
use super::correlation::{MIN_CROWD, MIN_TOGETHER, is_whole};
use super::device::{GroupKind, Role, Slot};
use super::ledger::{Reason, Shift, Verdict};
use crate::domain::time::Time;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use core::time::Duration;

/// Losses this far apart can have one cause, beside what the intervals explain: not every route fails in one moment.
const AT_ONCE: Duration = Duration::from_secs(30);
/// How long a mass loss waits for witnesses at the least: longer than the usual intervals.
const SETTLE: Duration = Duration::from_secs(20);
/// The same at the most, where intervals are long.
const MAX_SETTLE: Duration = Duration::from_secs(300);
/// How often it is looked for a mass loss, and for witnesses of one.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Failures of our own side that are remembered, to tell them from losses of a line.
const MAX_OURS: usize = 256;

/// Who is lost at present.
#[derive(Clone, Debug, Default)]
pub(super) struct Crowd {
    /// Units and nodes.
    fleet: usize,
    /// Whether the following were counted since the inventory changed.
    is_counted: bool,
    /// How many of them don't answer, be it their fault or ours.
    dark: usize,
    /// How many don't answer because they are being maintained: they say nothing of our own side.
    excused: usize,
    /// How many may be dark just as well, because nobody has asked them yet.
    unseen: usize,
    /// The longest interval of a unit or a node.
    longest: Duration,
    /// The latest losses, in the order in which they were confirmed.
    recent: VecDeque<Lost>,
    /// Whether something was lost since they were looked at.
    fresh: bool,
    looked_at: Option<Time>,
    /// A mass loss that waits for its judgement.
    pending: Option<Pending>,
    /// From when to when losses were our own doing.
    ours: VecDeque<(Time, Time)>,
}

/// A device was lost at some moment after `after`, when it still answered, and not after `by`.
#[derive(Clone, Copy, Debug)]
struct Lost {
    slot: Slot,
    after: Option<Time>,
    by: Time,
    interval: Duration,
}

/// A mass loss that waits for its judgement.
#[derive(Clone, Copy, Debug)]
struct Pending {
    /// The first loss of it.
    since: Time,
    /// A moment that can be that of each of its losses.
    moment: Time,
    /// By when those were lost that made it a mass loss.
    by: Time,
    noticed: Time,
    due: Time,
    /// Whether there was a witness when it was looked for last.
    plausible: bool,
}

/// Whether a device does not answer, and nobody expects that.
const fn is_dark((verdict, reason): (Verdict, Reason)) -> bool {
    match verdict {
        Verdict::Loss => !matches!(reason, Reason::Maintenance),
        Verdict::Inconclusive => true,
        Verdict::Up | Verdict::Degraded | Verdict::Unobserved => false,
    }
}

/// Whether a device does not answer because it is being maintained.
const fn is_excused((verdict, reason): (Verdict, Reason)) -> bool {
    matches!((verdict, reason), (Verdict::Loss, Reason::Maintenance))
}

/// Whether nobody has asked a device yet since the start, a stall, or since it joined.
const fn is_unseen((verdict, reason): (Verdict, Reason)) -> bool {
    matches!((verdict, reason), (Verdict::Unobserved, Reason::Stopped | Reason::Stalled | Reason::Added))
}

impl Lost {
    fn can_be_of(&self, moment: Time) -> bool {
        self.after.is_none_or(|after| after < moment) && moment <= self.by + AT_ONCE
    }
}

impl Pending {
    /// How long after a look for witnesses the next one comes: each of them goes over the whole fleet.
    fn look_every(&self, now: Time) -> Duration {
        if now.since(self.noticed) < SETTLE / 4 { LOOK_EVERY } else { SETTLE / 4 }
    }
}

/// The moment that can be that of the most losses.
fn common_moment(lost: &[Lost]) -> Option<Time> {
    let mut begins: Vec<Option<Time>> = lost.iter().map(|lost| lost.after).collect();
    let mut ends: Vec<Time> = lost.iter().map(|lost| lost.by + AT_ONCE).collect();
    begins.sort_unstable();
    ends.sort_unstable();
    let mut begun = begins.into_iter().peekable();
    // At each end: how many have begun before it, without those that have ended.
    let mut count = 0;
    let counted = ends.into_iter().zip(0..).map(|(end, ended)| {
        while begun.next_if(|after| after.is_none_or(|after| after < end)).is_some() {
            count += 1;
        }
        (count - ended, end)
    });
    counted.max_by_key(|&(count, end)| (count, core::cmp::Reverse(end))).map(|(_, end)| end)
}

impl Crowd {
    /// Takes over a changed inventory: each device's interval. Who is lost is counted when it is judged next.
    pub(super) fn recount(&mut self, intervals: impl Iterator<Item = Duration>) {
        (self.fleet, self.is_counted, self.longest) = (0, false, Duration::ZERO);
        for interval in intervals {
            self.fleet += 1;
            self.longest = self.longest.max(interval);
        }
    }

    fn enters(&mut self, state: (Verdict, Reason)) {
        self.dark += usize::from(is_dark(state));
        self.excused += usize::from(is_excused(state));
        self.unseen += usize::from(is_unseen(state));
    }

    fn leaves(&mut self, state: (Verdict, Reason)) {
        self.dark = self.dark.saturating_sub(usize::from(is_dark(state)));
        self.excused = self.excused.saturating_sub(usize::from(is_excused(state)));
        self.unseen = self.unseen.saturating_sub(usize::from(is_unseen(state)));
    }

    fn shifted(&mut self, shift: &Shift, last_contact: Option<Time>, interval: Duration) {
        self.enters(shift.now);
        self.leaves(shift.was);
        // After a start or a stall nobody was seen before, and all may be lost at once just the same.
        let unseen = is_unseen(shift.was);
        if shift.now.0 != Verdict::Loss || is_excused(shift.now) || !shift.was.0.is_contact() && !unseen {
            return;
        }
        let after = last_contact.filter(|_| !unseen);
        self.recent.push_back(Lost { slot: shift.slot, after, by: shift.at, interval });
        self.fresh = true;
        self.forget_old(shift.at);
    }

    fn forget_old(&mut self, now: Time) {
        let horizon = self.longest + AT_ONCE + MAX_SETTLE;
        while self.recent.front().is_some_and(|lost| now.since(lost.by) > horizon) || self.recent.len() > 2 * self.fleet
        {
            self.recent.pop_front();
        }
    }

    /// Sentinels have judged what was lost.
    fn leave_to_sentinels(&mut self) {
        (self.pending, self.fresh) = (None, false);
        self.recent.clear();
    }

    fn is_too_many(&self, lost: usize) -> bool {
        lost >= MIN_CROWD && lost * 2 >= self.fleet.saturating_sub(self.excused)
    }

    /// Whether so many may still be lost that it may still be us: after a stall everybody has to be asked first. Each
    /// one is within its interval, so this ends.
    fn may_be_dark(&self) -> bool {
        self.is_too_many(self.dark + self.unseen)
    }

    /// Looks whether more was lost at once than lines can fail.
    fn look(&mut self, now: Time) {
        let just_looked = self.looked_at.is_some_and(|at| now.since(at) < LOOK_EVERY);
        if !self.fresh || just_looked || self.pending.is_some() {
            return;
        }
        self.forget_old(now);
        if !self.is_too_many(self.recent.len()) {
            return;
        }
        (self.fresh, self.looked_at) = (false, Some(now));
        // Of a device that was lost twice the latest loss counts.
        let latest: BTreeMap<Slot, Lost> = self.recent.iter().map(|lost| (lost.slot, *lost)).collect();
        let latest: Vec<Lost> = latest.into_values().collect();
        let Some(moment) = common_moment(&latest) else { return };
        let of_it = || latest.iter().filter(|lost| lost.can_be_of(moment));
        let (first, last) = (of_it().map(|lost| lost.by).min(), of_it().map(|lost| lost.by).max());
        if let Some((since, by)) = first.zip(last)
            && self.is_too_many(of_it().count())
        {
            let longest = of_it().map(|lost| lost.interval).max().unwrap_or_default();
            let due = now + longest.clamp(SETTLE, MAX_SETTLE);
            self.pending = Some(Pending { since, moment, by, noticed: now, due, plausible: false });
        }
    }

    /// When a mass loss is judged.
    pub(super) fn next_due(&self) -> Option<Time> {
        self.pending.map(|pending| pending.due)
    }

    /// Whether a loss that began then was our own doing.
    pub(super) fn was_ours(&self, first_loss: Time) -> bool {
        self.ours.iter().any(|&(from, until)| from <= first_loss && first_loss <= until)
    }

    /// A mass loss is judged: its losses are not looked at again.
    fn settle(&mut self, pending: Pending) {
        self.pending = None;
        self.recent.retain(|lost| !lost.can_be_of(pending.moment));
    }

    fn remember(&mut self, from: Time, until: Time) {
        if self.ours.len() >= MAX_OURS {
            self.ours.pop_front();
        }
        self.ours.push_back((from, until));
    }
}

impl Watch {
    /// Takes note of a change of verdict of a unit or a node.
    pub(super) fn note_crowd(&mut self, shift: &Shift, interval: Duration) {
        let last_contact = self.evidence[shift.slot.index()].last_contact();
        self.crowd.shifted(shift, last_contact, interval);
    }

    /// Whether so many are lost that it may still be us.
    pub(super) fn crowd_is_dark(&self) -> bool {
        self.isolation.vouched().is_none() && self.crowd.may_be_dark()
    }

    /// Whether a mass loss waits for its judgement: until then nobody is at fault.
    pub(super) const fn crowd_is_pending(&self) -> bool {
        self.crowd.pending.is_some()
    }

    /// Counts all anew after a change of the inventory.
    fn count_crowd(&mut self) {
        let states: Vec<_> =
            self.devices().filter(|(_, device)| !device.is_sentinel()).map(|(slot, _)| self.state(slot)).collect();
        (self.crowd.dark, self.crowd.excused, self.crowd.unseen, self.crowd.is_counted) = (0, 0, 0, true);
        states.into_iter().for_each(|state| self.crowd.enters(state));
    }

    /// A device's verdict, and why it stands.
    fn state(&self, slot: Slot) -> (Verdict, Reason) {
        let evidence = &self.evidence[slot.index()];
        (evidence.verdict(), evidence.reason())
    }

    /// Judges whether so many losses at once can be the lines'. Where there are sentinels, they decide.
    pub(super) fn judge_crowd(&mut self, now: Time) {
        if !self.crowd.is_counted {
            self.count_crowd();
        }
        let dark = self.crowd.is_too_many(self.crowd.dark);
        let is_vouched = self.isolation.vouched().is_some();
        if !dark && (is_vouched || !self.crowd.may_be_dark()) {
            self.isolation.set_mass(None);
        }
        if is_vouched {
            self.crowd.leave_to_sentinels();
            return;
        }
        self.crowd.look(now);
        let Some(mut pending) = self.crowd.pending else { return };
        let is_due = now >= pending.due;
        // While most are lost, whoever answers is a witness; when they are back, it is known what was seen before.
        let looks = self.crowd.looked_at.is_none_or(|at| now.since(at) >= pending.look_every(now));
        if dark && (is_due || looks) {
            let since = if is_due { pending.noticed } else { pending.by };
            pending.plausible = self.is_plausible(since);
            (self.crowd.pending, self.crowd.looked_at) = (Some(pending), Some(now));
        }
        // Once most are back there is nothing left to wait for.
        if !is_due && dark {
            return;
        }
        self.crowd.settle(pending);
        if !pending.plausible {
            self.crowd.remember(pending.since, now);
            if dark {
                self.isolation.set_mass(Some(pending.since));
            }
        }
    }

    /// Whether somebody vouches for our own side since `since`: a node, or lines that were spared because they have
    /// nothing in common with those that were lost.
    fn is_plausible(&self, since: Time) -> bool {
        let answers = |slot: Slot| {
            let evidence = &self.evidence[slot.index()];
            evidence.verdict().is_contact() && evidence.last_contact().is_some_and(|at| at > since)
        };
        let (mut nodes, mut spared) = (0, 0);
        for (_, device) in self.devices().filter(|&(slot, _)| answers(slot)) {
            match device.role {
                Role::Node => nodes += 1,
                Role::Unit(_) => spared += 1,
                Role::Sentinel(_) => {}
            }
        }
        nodes > 0 || spared >= MIN_TOGETHER && spared * 20 >= self.crowd.fleet && self.groups_explain()
    }

    /// Whether the lost units are whole groups of one kind, and the others are of other groups.
    fn groups_explain(&self) -> bool {
        GroupKind::ALL.into_iter().any(|kind| {
            let mut groups: BTreeMap<Option<&str>, (usize, usize)> = BTreeMap::new();
            for (slot, device) in self.devices().filter(|&(slot, _)| !is_excused(self.state(slot))) {
                if let Some(circuit) = device.circuit() {
                    let (lost, of) = groups.entry(circuit.group(kind)).or_default();
                    *lost += usize::from(is_dark(self.state(slot)));
                    *of += 1;
                }
            }
            let lost: usize = groups.values().map(|(lost, _)| lost).sum();
            let whole = groups.iter().filter(|(name, (lost, of))| name.is_some() && is_whole(*lost, *of));
            let explained: usize = whole.map(|(_, (lost, _))| lost).sum();
            explained * 10 >= lost * 9
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(slot: u32, after: i64, by: i64) -> Lost {
        let at = |seconds: i64| Time::from_millis(seconds * 1_000);
        let interval = Duration::from_secs(u64::try_from(by - after).unwrap());
        Lost { slot: Slot(slot), after: Some(at(after)), by: at(by), interval }
    }

    fn together(lost: &[Lost]) -> usize {
        let moment = common_moment(lost).unwrap();
        lost.iter().filter(|lost| lost.can_be_of(moment)).count()
    }

    #[test]
    fn a_look_that_comes_late_judges_nothing_old() {
        let looked_at = |seconds: i64| {
            let recent = (0..40).map(|n| lost(n, 990, 1_000)).collect();
            let mut crowd = Crowd { fleet: 40, recent, fresh: true, ..Crowd::default() };
            crowd.look(Time::from_millis(seconds * 1_000));
            crowd.pending.is_some()
        };
        assert!(looked_at(1_002) && !looked_at(10_000));
    }

    #[test]
    fn witnesses_are_looked_for_at_once_and_then_now_and_then() {
        let at = |seconds: i64| Time::from_millis(seconds * 1_000);
        let (since, due) = (at(0), at(300));
        let pending = Pending { since, moment: since, by: since, noticed: since, due, plausible: false };
        let (mut looked_at, mut looks) = (since, Vec::new());
        for now in 1..300 {
            if at(now).since(looked_at) >= pending.look_every(at(now)) {
                looked_at = at(now);
                looks.push(now);
            }
        }
        assert_eq!((&looks[..6], looks.len()), (&[1, 2, 3, 4, 9, 14][..], 63));
    }

    #[test]
    fn losses_are_at_once_if_one_moment_can_be_that_of_all() {
        // Asked every ten minutes, and all lost at 1,000 s: found lost up to ten minutes apart.
        let slow: Vec<Lost> =
            (0..60_u32).map(|n| lost(n, 400 + 10 * i64::from(n), 1_000 + 10 * i64::from(n))).collect();
        assert_eq!(together(&slow), 60);
        // Asked every ten seconds, the same losses were one after the other.
        let fast: Vec<Lost> =
            (0..60_u32).map(|n| lost(n, 990 + 10 * i64::from(n), 1_000 + 10 * i64::from(n))).collect();
        assert_eq!(together(&fast), 4, "within half a minute, and what an interval adds");
        let mixed: Vec<Lost> = slow.iter().chain(&fast).copied().collect();
        assert_eq!(together(&mixed), 64);
        assert_eq!(common_moment(&[]), None);
    }
}
