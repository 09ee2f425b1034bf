//! Degraded lines: what the rules find is believed if our own side is not degraded as well, and becomes a case.

use super::device::{Device, Role, Slot};
use super::evidence::Blame;
use super::health::{Changes, Flaps};
use super::ledger::{Reason, Shift, Verdict};
use super::probe::SnmpSample;
use super::strip::{Cell, Strip};
use super::symptom::{Finding, Limits, Permille, Symptom};
use super::{MIN_CROWD, Watch};
use crate::domain::desk::{Alarm, AlarmCause, AlarmKind, LineNow};
use crate::domain::fact::Fact;
use crate::domain::time::Time;
use crate::domain::turn::Turn;
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

/// How long it is believed how well our own side does.
const BELIEVED_FOR: Duration = Duration::from_secs(10);

/// What our own side does to all probes: what even the best sentinel shows, or where there are none, most of the fleet.
#[derive(Clone, Copy, Debug)]
pub(super) struct OwnSide {
    at: Time,
    /// Share of rounds lost, in thousandths.
    loss: u64,
    /// Whether at least half as many answers are late as make a slow line.
    late: bool,
    /// Whether contact was lost at least half as often as makes a flapping line.
    flapping: bool,
}

/// How much of a finding is our own doing.
enum Ours {
    Nothing,
    /// What is left of it is below the limit, or may be chance.
    Part,
    All,
}

impl OwnSide {
    /// What makes a line degraded must stand out against what all lines show.
    fn share_of(self, finding: &Finding, limits: &Limits) -> Ours {
        let half_of = |limit: Option<Permille>| limit.is_some_and(|Permille(limit)| self.loss * 2 >= u64::from(limit));
        let all = match finding.symptom {
            Symptom::Loss if half_of(limits.loss) => true,
            // Twice, for by chance a line shows more of it than others.
            Symptom::Loss if finding.measured < finding.limit + self.loss * 2 => return Ours::Part,
            Symptom::Flapping => self.flapping || half_of(limits.loss),
            Symptom::Slow | Symptom::Slower => self.late,
            Symptom::Loss
            | Symptom::Rebooting
            | Symptom::InterfaceDown
            | Symptom::InterfaceErrors
            | Symptom::Overloaded => false,
        };
        if all { Ours::All } else { Ours::Nothing }
    }
}

impl Watch {
    /// A scheduled round of `sent` is over: its cell, and what that shows. For most lines that is nothing.
    pub(super) fn keep_cell(&mut self, slot: Slot, sent: Time, blame: Option<Blame>, turn: &mut Turn) {
        let Some(device) = &self.devices[slot.index()] else { return };
        let poll = &mut self.polls[slot.index()];
        let evidence = &self.evidence[slot.index()];
        let health = &mut self.health[slot.index()];
        let is_cut_off = self.isolation.cut_off().is_some();
        let is_lost = evidence.verdict() == Verdict::Loss;
        let cell = match blame {
            None => Cell::answered(poll.round_rtt()),
            Some(Blame::Line) if is_lost || poll.maintained => Cell::DARK,
            Some(Blame::Line) if is_cut_off => Cell::BLANK,
            Some(Blame::Line) => Cell::LOST,
            Some(Blame::Ourselves | Blame::Resolver) => Cell::BLANK,
        };
        poll.strip.push(sent, cell);
        let judged = !poll.maintained && evidence.verdict().is_contact() && !is_cut_off;
        let changes = if judged {
            health.judge_rounds(&mut poll.strip, &device.rules.limits, evidence.symptoms(), turn.at)
        } else {
            Changes::default()
        };
        let ends_chunk = poll.strip.chunk_is_full();
        if changes == Changes::default() && !is_lost && !ends_chunk && !health.has_flaps() {
            return;
        }
        let device = Arc::clone(device);
        // A loss that is counted now is judged with the next round: by then it is known whether it was everybody's.
        self.judge_flaps(slot, &device, turn);
        self.count_loss(slot, sent, &device, turn.at);
        if ends_chunk {
            self.end_chunk(slot, &device, turn);
        }
        self.learnt(slot, &device, changes, turn);
    }

    /// Contact that is still lost at the next scheduled round was lost in earnest: a box that answers one echo in a few
    /// seconds, and lost one, loses the quick rounds as well.
    fn count_loss(&mut self, slot: Slot, sent: Time, device: &Device, now: Time) {
        let evidence = &self.evidence[slot.index()];
        let Some(trouble) = evidence.trouble().filter(|_| evidence.verdict() == Verdict::Loss) else { return };
        let in_earnest = sent.since(trouble.first_loss) >= device.rules.pace.interval / 2;
        if in_earnest && evidence.reason() != Reason::Maintenance {
            self.health[slot.index()].lost(&device.rules.limits, trouble.first_loss, now);
        }
    }

    /// Judges whether a line flaps. Losses that were our own doing make no line a flapping one.
    fn judge_flaps(&mut self, slot: Slot, device: &Device, turn: &mut Turn) {
        if self.crowd_is_pending() || self.polls[slot.index()].maintained {
            return;
        }
        let (crowd, has) = (&self.crowd, self.evidence[slot.index()].symptoms());
        let health = &mut self.health[slot.index()];
        match health.judge_flaps(&device.rules.limits, has, turn.at, device.rules.pace.interval, |first_loss| {
            crowd.was_ours(first_loss)
        }) {
            Flaps::Few => {}
            Flaps::Ours => self.impaired(turn),
            Flaps::Found(finding) => self.found(slot, device, finding, turn),
        }
    }

    /// The agent of a device told of itself.
    pub(super) fn keep_sample(&mut self, slot: Slot, sample: &SnmpSample, turn: &mut Turn) {
        let Some(device) = self.devices[slot.index()].clone() else { return };
        let rate = match &device.role {
            Role::Unit(circuit) => circuit.terms.rate,
            Role::Node | Role::Sentinel(_) => None,
        };
        let has = self.evidence[slot.index()].symptoms();
        let maintained = self.polls[slot.index()].maintained;
        let mut changes = self.health[slot.index()].judge_sample(sample, &device.rules.limits, rate, has, turn.at);
        if maintained {
            changes = Changes { rebooted: changes.rebooted, ..Changes::default() };
            self.health[slot.index()].start_over(turn.at);
            self.health[slot.index()].drop_reboots();
        }
        if changes.rebooted {
            turn.facts.push(Fact::Rebooted { device: device.id.to_string() });
        }
        self.learnt(slot, &device, changes, turn);
        self.diagnose(slot, sample.uptime_cs.is_some(), turn);
    }

    fn learnt(&mut self, slot: Slot, device: &Device, changes: Changes, turn: &mut Turn) {
        for symptom in changes.gone {
            self.set_symptom(slot, symptom, false, turn);
        }
        for finding in changes.found {
            self.found(slot, device, finding, turn);
        }
    }

    fn set_symptom(&mut self, slot: Slot, symptom: Symptom, on: bool, turn: &mut Turn) {
        let shift = self.evidence[slot.index()].set_symptom(slot, turn.at, symptom, on);
        self.changed.push(slot);
        self.shifted(shift, turn);
    }

    /// A device was found degraded.
    fn found(&mut self, slot: Slot, device: &Device, finding: Finding, turn: &mut Turn) {
        if !self.isolation.is_trusted(turn.at) || self.crowd_is_pending() {
            return;
        }
        if !matches!(device.role, Role::Sentinel(_)) {
            match self.own_side(turn.at).share_of(&finding, &device.rules.limits) {
                Ours::Nothing => {}
                Ours::Part => return,
                Ours::All => return self.impaired(turn),
            }
        }
        self.set_symptom(slot, finding.symptom, true, turn);
        if let Role::Unit(circuit) = &device.role {
            let evidence = &self.evidence[slot.index()];
            let solve_after = device.rules.pace.solve_after;
            let (umbrella, witness) = (None, None);
            let line = LineNow { unit: &device.id, circuit, evidence, solve_after, umbrella, witness };
            self.desk.degraded(&line, finding, turn);
            self.keep_strip(slot, turn);
        }
    }

    /// What lines show was found to be our own doing: the operations centre is told, once.
    fn impaired(&mut self, turn: &mut Turn) {
        self.desk.raise(Alarm { kind: AlarmKind::Impaired, since: turn.at, why: AlarmCause::Everybody }, turn);
        self.impaired_at = Some(turn.at);
    }

    /// How well our own side does: it can lose or delay probes to everybody.
    fn own_side(&mut self, now: Time) -> OwnSide {
        if let Some(known) = self.own_side.filter(|known| now.since(known.at) < BELIEVED_FOR) {
            return known;
        }
        let (mut sentinels, mut fleet) = (Shown::default(), Shown::default());
        for (slot, device) in self.devices() {
            let sums = self.polls[slot.index()].strip.sums();
            let shown = if device.is_sentinel() { &mut sentinels } else { &mut fleet };
            // One that is lost altogether says nothing.
            if sums.known() > 0 {
                shown.losses.push(u64::from(sums.lost) * 1_000 / u64::from(sums.known()));
                shown.late += usize::from(u32::from(sums.slow) * 40 > u32::from(sums.answered));
                let flapping = self.health[slot.index()].is_half_flapping(&device.rules.limits, now);
                shown.flapping += usize::from(flapping);
            }
        }
        let own_side = if sentinels.losses.is_empty() {
            let most = |count: usize| count >= MIN_CROWD && count * 2 > fleet.losses.len();
            let (late, flapping) = (most(fleet.late), most(fleet.flapping));
            let middle = fleet.losses.len() / 2;
            let is_crowd = fleet.losses.len() >= MIN_CROWD;
            let loss = if is_crowd { *fleet.losses.select_nth_unstable(middle).1 } else { 0 };
            OwnSide { at: now, loss, late, flapping }
        } else {
            let count = sentinels.losses.len();
            let loss = sentinels.losses.into_iter().min().unwrap_or(0);
            OwnSide { at: now, loss, late: sentinels.late == count, flapping: sentinels.flapping == count }
        };
        self.own_side = Some(own_side);
        own_side
    }

    /// A verdict changed: what follows from that for the rules, the strip and the parent.
    pub(super) fn noticed(&mut self, shift: &Shift, device: &Device, turn: &mut Turn) {
        let slot = shift.slot;
        if !device.is_sentinel() {
            self.note_crowd(shift, device.rules.pace.interval);
        }
        let (was, now) = (shift.was.0, shift.now.0);
        if now.is_contact() && !was.is_contact() {
            self.health[slot.index()].regained(turn.at);
            self.diagnose(slot, false, turn);
        }
        if now == Verdict::Loss {
            self.polls[slot.index()].strip.darken(shift.at);
            self.note_loss(slot);
        }
        if now == Verdict::Loss && was.is_contact() {
            self.ask_parent(slot, shift.at, turn.at);
        }
    }

    /// A person says that it is repaired, or other rules hold: what was measured before counts no more. Of what was found, that goes
    /// on which is to be kept, until good windows end it.
    pub(super) fn judge_anew(&mut self, slot: Slot, keeps: impl Fn(Symptom) -> bool, turn: &mut Turn) {
        for symptom in self.evidence[slot.index()].symptoms().iter().filter(|&symptom| !keeps(symptom)) {
            self.set_symptom(slot, symptom, false, turn);
        }
        self.health[slot.index()].forget();
        let strip = &mut self.polls[slot.index()].strip;
        strip.restart_window();
        strip.forget_slow();
    }

    /// Our own side may be well again.
    pub(super) fn judge_impairment(&mut self, turn: &mut Turn) {
        let Some(since) = self.impaired_at.filter(|&at| turn.at.since(at) >= Limits::DEFAULT.window) else { return };
        if turn.at > since {
            self.impaired_at = None;
            self.desk.clear(AlarmKind::Impaired, turn);
        }
    }

    /// An hour of rounds is complete: kept if it shows something, or its line has a case.
    fn end_chunk(&mut self, slot: Slot, device: &Device, turn: &mut Turn) {
        let has_case = self.desk.open_case_of(&device.id).is_some();
        let poll = &mut self.polls[slot.index()];
        if has_case || poll.strip.is_noteworthy() {
            let chunk = poll.strip.take_unwritten(Strip::chunk());
            turn.chunks.extend(chunk.map(|chunk| (device.id.to_string(), chunk)));
        }
        if self.health[slot.index()].is_to_be_stored() {
            self.changed.push(slot);
        }
    }

    /// Keeps the rounds of a line whose case was opened or closed: its evidence.
    pub(super) fn keep_strip(&mut self, slot: Slot, turn: &mut Turn) {
        let Some(device) = &self.devices[slot.index()] else { return };
        let chunk = self.polls[slot.index()].strip.take_unwritten(device.rules.pace.history);
        turn.chunks.extend(chunk.map(|chunk| (device.id.to_string(), chunk)));
    }

    /// The daemon stops: what it has learnt of usual round trips, and the evidence of open cases.
    pub(super) fn keep_what_is_learnt(&mut self, turn: &mut Turn) {
        for slot in self.all_slots() {
            if !self.health[slot.index()].is_stored() {
                self.changed.push(slot);
            }
            let has_case =
                self.devices[slot.index()].as_ref().is_some_and(|device| self.desk.open_case_of(&device.id).is_some());
            if has_case {
                self.keep_strip(slot, turn);
            }
        }
    }
}

/// What devices show: their shares of lost rounds in thousandths, and how many are late, or lose contact often.
#[derive(Default)]
struct Shown {
    losses: Vec<u64>,
    late: usize,
    flapping: usize,
}
