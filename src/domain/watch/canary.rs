//! The canary: a unit of the operator's own whose outage is simulated again and again. If its case or its letter does not
//! come, the way from probe to letter is broken somewhere, and that is an alarm.

use super::Watch;
use super::device::Slot;
use crate::domain::desk::{Alarm, AlarmCause, AlarmKind, CanaryStep};
use crate::domain::fact::Fact;
use crate::domain::letter::Thread;
use crate::domain::plan;
use crate::domain::time::Time;
use crate::domain::turn::Turn;
use core::time::Duration;

/// How long the case's letter may take.
pub const LETTER_WITHIN: Duration = Duration::from_secs(600);
/// How much longer than `down_after` the simulated outage is: an interval, and time to confirm the loss.
const MARGIN: Duration = Duration::from_secs(60);

/// The canary and its present song.
#[derive(Clone, Debug)]
pub(super) struct Canary {
    plan: plan::Canary,
    /// The outage: since when, and whether a letter was taken since.
    song: Option<Song>,
    next: Time,
}

#[derive(Clone, Copy, Debug)]
struct Song {
    began: Time,
    sang: bool,
}

/// The next time after `now` at which a canary begins. Counted from the origin of the timeline, so that restarts don't
/// put it off.
fn next_after(now: Time, every: Duration) -> Time {
    let every = i64::try_from(every.as_millis()).unwrap_or(i64::MAX).max(1);
    Time::from_millis((now.as_millis().div_euclid(every) + 1).saturating_mul(every))
}

impl Watch {
    /// Takes over what the configuration says of a canary.
    pub(super) fn plan_canary(&mut self, planned: Option<&plan::Canary>, now: Time) {
        if self.canary.as_ref().map(|canary| &canary.plan) != planned {
            self.canary =
                planned.map(|plan| Canary { plan: plan.clone(), song: None, next: next_after(now, plan.every) });
        }
    }

    /// Whether the device's answers to probes of `sent` are taken for lost.
    pub(super) fn is_muted(&self, slot: Slot, sent: Time) -> bool {
        let Some(Canary { plan, song: Some(song), .. }) = &self.canary else { return false };
        // Asked of each answer: what costs least comes first.
        sent >= song.began
            && sent < song.began + self.mute_for(slot)
            && self.devices[slot.index()].as_ref().is_some_and(|device| device.id == plan.unit)
    }

    fn mute_for(&self, slot: Slot) -> Duration {
        self.devices[slot.index()]
            .as_ref()
            .map_or(Duration::ZERO, |device| device.rules.pace.down_after + device.rules.pace.interval + MARGIN)
    }

    /// When something is due next.
    pub(super) fn canary_due(&self) -> Option<Time> {
        let canary = self.canary.as_ref()?;
        let deadline = canary.song.filter(|song| !song.sang).and_then(|song| self.song_deadline(song));
        Some(deadline.map_or(canary.next, |deadline| deadline.min(canary.next)))
    }

    fn song_deadline(&self, song: Song) -> Option<Time> {
        let slot = self.slot(&self.canary.as_ref()?.plan.unit)?;
        Some(song.began + self.mute_for(slot) + LETTER_WITHIN)
    }

    /// Begins an outage, or finds that the last one did not travel the whole way.
    pub(super) fn tend_canary(&mut self, turn: &mut Turn) {
        if self.canary_due().is_none_or(|at| at > turn.at) {
            return;
        }
        let deadline = self.canary.as_ref().and_then(|canary| canary.song).and_then(|song| self.song_deadline(song));
        let Some(canary) = &mut self.canary else { return };
        let unit = canary.plan.unit.clone();
        if let (Some(song), Some(deadline)) = (canary.song, deadline)
            && !song.sang
            && deadline <= turn.at
        {
            canary.song = None;
            let case = self.desk.open_case_of(&unit);
            let step = if case.is_some() { CanaryStep::NoLetter } else { CanaryStep::NoCase };
            let why = AlarmCause::Canary { unit: unit.clone(), step };
            self.desk.raise(Alarm { kind: AlarmKind::Canary, since: song.began, why }, turn);
        }
        if let Some(canary) = &mut self.canary
            && canary.next <= turn.at
        {
            // While it is maintained it has no case.
            let slot = self.order.find(&self.devices, &unit);
            if slot.is_some_and(|slot| self.polls[slot.index()].maintained) {
                canary.next = next_after(turn.at, canary.plan.every);
                return;
            }
            canary.song = Some(Song { began: turn.at, sang: false });
            canary.next = next_after(turn.at, canary.plan.every);
            turn.facts.push(Fact::CanaryBegan { unit });
        }
    }

    /// A letter was taken by the mail server, perhaps the canary's.
    pub(super) fn listen_for_canary(&mut self, from: usize, turn: &mut Turn) {
        let Some(Canary { plan, song: Some(song), .. }) = &mut self.canary else { return };
        let device = self.order.find(&self.devices, &plan.unit).and_then(|slot| self.devices[slot.index()].as_ref());
        let owner = device.and_then(|device| device.circuit()).map(|circuit| circuit.customer.as_str());
        // Under an umbrella its letter is about all lines of its customer.
        let is_its = |thread: &Thread| match thread {
            Thread::Case { unit, .. } => *unit == plan.unit,
            Thread::Umbrella { customer, .. } => customer.is_some() && customer.as_deref() == owner,
            Thread::Maintenance { .. } | Thread::Alarm { .. } | Thread::Contract { .. } | Thread::Reach { .. } => false,
        };
        let sent = |fact: &Fact| matches!(fact, Fact::LetterSent(letter) if is_its(&letter.thread));
        if song.sang || !turn.facts[from..].iter().any(sent) {
            return;
        }
        song.sang = true;
        let (unit, took) = (plan.unit.clone(), turn.at.since(song.began));
        turn.facts.push(Fact::CanarySang { unit, took });
        self.desk.clear(AlarmKind::Canary, turn);
    }
}
