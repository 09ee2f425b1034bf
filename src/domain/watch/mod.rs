//! Detection: from probe results to verdicts, and from verdicts to the desk.

mod device;
mod evidence;
mod fleet;
mod isolation;
mod ledger;
mod probe;
mod rounds;
mod schedule;
mod strip;
#[cfg(test)]
mod tests;
mod trap;

pub use device::{AuthProtocol, Circuit, Device, Pace, PrivProtocol, Role, Secret, Slot, SnmpAccess, SnmpVersion};
pub use evidence::{CONFIRM_ROUNDS, Evidence, Trouble};
pub use isolation::{CUT_OFF_AFTER, Isolation, SENTINEL_INTERVAL, SENTINEL_TIMEOUT};
pub use ledger::{Interval, Reason, Verdict};
pub use probe::{Ask, Method, Outcome, Probe, ProbeResult, Round, SnmpSample};
pub use strip::STRIP_SPAN;
pub use trap::{Trap, TrapKind};

use super::desk::{Desk, Line, Reference, SavedDesk, Subject};
use super::fact::Fact;
use super::plan::Plan;
use super::time::Time;
use super::turn::{Command, DeviceRow, Input, Refusal, Reply, Request, Turn, Wish};
use super::view::DeviceStatus;
use alloc::collections::{BTreeMap, BinaryHeap};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::net::IpAddr;
use core::time::Duration;
use rounds::Poll;
use schedule::Wheel;

/// A step at least this often, also when nothing happens: a longer silence means that nobody watched.
pub const HEARTBEAT: Duration = Duration::from_secs(1);
/// Nobody watched if there was no step for longer than this. Longer than any commit should take.
pub const STALLED_AFTER: Duration = Duration::from_secs(5);
/// The disk is told at least this often that somebody is still watching: what a crash can leave UNOBSERVED.
pub const MARK_EVERY: Duration = Duration::from_secs(5);
/// How often a fault that our own side can't vouch for is looked at again.
const RECHECK: Duration = Duration::from_millis(100);
/// Deadlines that one turn handles; the rest follow in the next one, so that no turn grows without bound.
pub const MAX_DEADLINES_A_TURN: usize = 1_000;

/// The watch over all devices, with its desk.
#[derive(Clone, Debug)]
pub struct Watch {
    /// By slot; `None` where a device has left.
    devices: Vec<Option<Arc<Device>>>,
    slots: BTreeMap<String, Slot>,
    free: Vec<Slot>,
    evidence: Vec<Evidence>,
    polls: Vec<Poll>,
    wheel: Wheel,
    deadlines: BinaryHeap<Reverse<(Time, Deadline)>>,
    isolation: Isolation,
    desk: Desk,
    /// Devices whose durable state changed in this turn.
    changed: Vec<Slot>,
    due: Vec<(Slot, Time)>,
    last_step: Time,
    /// What was sent before this cannot be held against anybody.
    trusted_from: Time,
}

/// Something that may be due. Looked at again when it comes up, so outdated ones do no harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Deadline {
    Fault(Slot),
    Case(Reference),
}

/// What the store remembers.
#[derive(Clone, Debug, Default)]
pub struct Saved {
    /// Every device's durable state.
    pub devices: Vec<DeviceRow>,
    /// Cases and letters.
    pub desk: SavedDesk,
    /// Until when the daemon is known to have watched.
    pub watched_until: Option<Time>,
}

impl Watch {
    /// Begins to watch. What happened since the store's last word is UNOBSERVED; it is never guessed.
    #[must_use]
    pub fn start(saved: Saved, plan: &Plan, turn: &mut Turn) -> Self {
        let now = turn.at;
        let mut watch = Self {
            devices: Vec::new(),
            slots: BTreeMap::new(),
            free: Vec::new(),
            evidence: Vec::new(),
            polls: Vec::new(),
            wheel: Wheel::new(now),
            deadlines: BinaryHeap::new(),
            isolation: Isolation::new(now),
            desk: Desk::new(saved.desk, now),
            changed: Vec::new(),
            due: Vec::new(),
            last_step: now,
            trusted_from: now,
        };
        turn.facts.push(Fact::MonitorStarted { watched_until: saved.watched_until });
        let until = saved.watched_until.unwrap_or(now).min(now);
        watch.restore(saved.devices, plan, until, turn);
        for (at, reference) in watch.desk.deadlines() {
            watch.deadlines.push(Reverse((at, Deadline::Case(reference))));
        }
        watch.seal(turn);
        watch
    }

    /// Takes one input into account. A turn takes any number of inputs and ends with [`Input::Tick`], so that every
    /// answer that is in counts before a deadline of the same instant.
    pub fn step(&mut self, input: Input, turn: &mut Turn) {
        self.notice_stall(turn);
        match input {
            Input::Tick => self.tick(turn),
            Input::Probed(results) => {
                for result in results {
                    self.probed(result, turn);
                }
            }
            Input::Asked(request) => self.asked(request, turn),
            Input::Attempted(letter, delivery) => self.desk.outbox.attempted(letter, delivery, turn),
            Input::Resolved { device, host, address } => self.resolved(&device, &host, address),
            Input::Trapped(_) => {}
            Input::Planned(plan) => self.plan(&plan, turn),
            Input::ClockStepped { by_ms } => turn.facts.push(Fact::ClockStepped { by_ms }),
            Input::Stopped => {
                turn.facts.push(Fact::MonitorStopped);
                self.seal(turn);
            }
        }
    }

    /// Nobody watched for a while: whatever was under way then says nothing now.
    fn notice_stall(&mut self, turn: &mut Turn) {
        let since = core::mem::replace(&mut self.last_step, turn.at);
        if turn.at.since(since) <= STALLED_AFTER {
            return;
        }
        turn.facts.push(Fact::MonitorStalled { since });
        self.isolation.restart(turn.at);
        self.trusted_from = turn.at;
        for slot in self.all_slots() {
            self.forget_round(slot);
            let shift = self.evidence[slot.index()].blind(slot, since, Verdict::Unobserved, Reason::Stalled);
            self.shifted(shift, turn);
            self.schedule_regular(slot, turn.at);
        }
    }

    fn tick(&mut self, turn: &mut Turn) {
        self.judge_isolation(turn);
        self.meet_deadlines(turn);
        self.send_due(turn);
        self.desk.outbox.hand_over(turn);
        self.seal(turn);
    }

    fn judge_isolation(&mut self, turn: &mut Turn) {
        match self.isolation.judge(turn.at) {
            None => {}
            Some(isolation::Change::CutOff { since, why }) => {
                turn.facts.push(Fact::IsolationBegan { since, why });
                for slot in self.all_slots() {
                    let evidence = &mut self.evidence[slot.index()];
                    if evidence.verdict() == Verdict::Loss {
                        let shift = evidence.blind(slot, since, Verdict::Inconclusive, why);
                        self.shifted(shift, turn);
                    }
                }
            }
            Some(isolation::Change::Mended { since, why }) => {
                self.trusted_from = turn.at;
                self.evidence.iter_mut().for_each(Evidence::drop_doubt);
                turn.facts.push(Fact::IsolationEnded { since, why, lasted: turn.at.since(since) });
            }
        }
    }

    fn meet_deadlines(&mut self, turn: &mut Turn) {
        for _ in 0..MAX_DEADLINES_A_TURN {
            match self.deadlines.peek() {
                Some(&Reverse((at, deadline))) if at <= turn.at => {
                    self.deadlines.pop();
                    match deadline {
                        Deadline::Fault(slot) => self.fault_due(slot, turn),
                        Deadline::Case(reference) => self.case_due(reference, turn),
                    }
                    self.note_wakes(turn);
                }
                Some(_) | None => return,
            }
        }
    }

    fn note_wakes(&mut self, turn: &mut Turn) {
        for (at, reference) in turn.wake.drain(..) {
            self.deadlines.push(Reverse((at, Deadline::Case(reference))));
        }
    }

    fn fault_due(&mut self, slot: Slot, turn: &mut Turn) {
        let Some(Device { id, role: Role::Unit(circuit), pace, .. }) = self.devices[slot.index()].as_deref() else {
            return;
        };
        let evidence = &mut self.evidence[slot.index()];
        if evidence.verdict() != Verdict::Loss || self.fault_at(slot).is_none_or(|at| at > turn.at) {
            return;
        }
        if !self.isolation.is_trusted(turn.at) {
            self.deadlines.push(Reverse((turn.at + RECHECK, Deadline::Fault(slot))));
            return;
        }
        let subject =
            Subject { unit: id, circuit, evidence: &self.evidence[slot.index()], solve_after: pace.solve_after };
        self.desk.fault(&subject, turn);
        self.rearm(slot, None);
    }

    /// When the loss of a device will make a fault, if it goes on.
    fn fault_at(&self, slot: Slot) -> Option<Time> {
        let trouble = self.evidence[slot.index()].trouble()?;
        trouble.loss.reaches(trouble.fault_at?)
    }

    /// Sets how much loss makes the next fault.
    fn rearm(&mut self, slot: Slot, fault_at: Option<Duration>) {
        if let Some(trouble) = self.evidence[slot.index()].trouble_mut() {
            trouble.fault_at = fault_at;
        }
        self.changed.push(slot);
        if let Some(at) = self.fault_at(slot) {
            self.deadlines.push(Reverse((at, Deadline::Fault(slot))));
        }
    }

    fn case_due(&mut self, reference: Reference, turn: &mut Turn) {
        let Some(case) = self.desk.case(reference) else { return };
        let slot = self.slots.get(&case.opening.unit);
        let well = slot.is_none_or(|slot| self.evidence[slot.index()].is_well());
        self.desk.wake(reference, well, turn);
    }

    /// Writes down a change of verdict, and tells the desk.
    fn shifted(&mut self, shift: Option<ledger::Shift>, turn: &mut Turn) {
        let Some(shift) = shift else { return };
        let Some(device) = &self.devices[shift.slot.index()] else { return };
        let (verdict, reason) = shift.now;
        if shift.at > shift.began {
            turn.intervals.push(Interval {
                device: device.id.clone(),
                from: shift.began,
                until: shift.at,
                verdict: shift.was.0,
                reason: shift.was.1,
            });
        }
        turn.facts.push(Fact::VerdictChanged { device: device.id.clone(), verdict, reason, since: shift.at });
        self.desk.line_is(&device.id, Line::Watched(verdict, reason), shift.at, turn);
        turn.touched.push(shift.slot);
        self.changed.push(shift.slot);
        if verdict == Verdict::Loss {
            let fresh = self.evidence[shift.slot.index()]
                .trouble()
                .is_some_and(|trouble| trouble.fault_at.is_none() && trouble.first_loss == shift.at);
            if fresh {
                self.rearm(shift.slot, Some(device.pace.down_after));
            } else if let Some(at) = self.fault_at(shift.slot) {
                self.deadlines.push(Reverse((at, Deadline::Fault(shift.slot))));
            }
        }
        self.note_wakes(turn);
    }

    fn asked(&mut self, request: Request, turn: &mut Turn) {
        let Request { ticket, by, wish } = request;
        let result = match wish {
            Wish::Open { unit, priority, note } => {
                let slot = self.slots.get(&unit).copied();
                match slot.and_then(|slot| self.devices[slot.index()].as_deref().map(|device| (slot, device))) {
                    Some((slot, Device { id, role: Role::Unit(circuit), pace, .. })) => {
                        let evidence = &self.evidence[slot.index()];
                        let subject = Subject { unit: id, circuit, evidence, solve_after: pace.solve_after };
                        self.desk.open_by_hand(&subject, by, priority, note, turn)
                    }
                    Some((_, Device { role: Role::Node | Role::Sentinel, .. })) | None => {
                        Err(Refusal::UnknownUnit { unit })
                    }
                }
            }
            Wish::Work { reference, command } => {
                let solves = matches!(command, Command::Solve { .. });
                let result = self.desk.command(reference, by, command, turn);
                if solves && result.is_ok() {
                    self.expect_recovery(reference, turn.at);
                }
                result
            }
        };
        self.note_wakes(turn);
        turn.replies.push(Reply { ticket, result });
    }

    /// A person declared the case solved. If its line is still lost, it gets the time of a new fault to come back.
    fn expect_recovery(&mut self, reference: Reference, now: Time) {
        let Some(&slot) = self.desk.case(reference).and_then(|case| self.slots.get(&case.opening.unit)) else {
            return;
        };
        let Some(down_after) = self.devices[slot.index()].as_ref().map(|device| device.pace.down_after) else {
            return;
        };
        if let Some(trouble) = self.evidence[slot.index()].trouble() {
            let fault_at = trouble.loss.total(now) + down_after;
            self.rearm(slot, Some(fault_at));
        }
    }

    /// Puts the durable state of everything that changed into the turn.
    fn seal(&mut self, turn: &mut Turn) {
        self.desk.take_changed(turn);
        self.changed.sort_unstable();
        self.changed.dedup();
        for slot in self.changed.drain(..) {
            if let Some(device) = &self.devices[slot.index()] {
                turn.devices.push(DeviceRow {
                    id: device.id.clone(),
                    evidence: self.evidence[slot.index()].clone(),
                    address: self.polls[slot.index()].address,
                });
            }
        }
    }

    /// When to step next, at the latest.
    #[must_use]
    pub fn next_due(&self) -> Time {
        let horizon = self.last_step + HEARTBEAT;
        let deadline = self.deadlines.peek().map_or(horizon, |Reverse((at, _))| *at);
        let isolation = self.isolation.next_due().filter(|&at| at > self.last_step).unwrap_or(horizon);
        let letter = self.desk.outbox.next_due().unwrap_or(horizon);
        self.wheel.next_due(horizon).min(deadline).min(isolation).min(letter)
    }

    fn all_slots(&self) -> Vec<Slot> {
        self.slots.values().copied().collect()
    }

    /// The desk.
    #[must_use]
    pub const fn desk(&self) -> &Desk {
        &self.desk
    }

    /// The judgement of our own side.
    #[must_use]
    pub const fn isolation(&self) -> &Isolation {
        &self.isolation
    }

    /// All devices with their slots, in the order of their ids.
    pub fn devices(&self) -> impl Iterator<Item = (Slot, &Arc<Device>)> {
        self.slots.values().filter_map(|&slot| Some((slot, self.devices[slot.index()].as_ref()?)))
    }

    /// The slot of a device.
    #[must_use]
    pub fn slot(&self, device: &str) -> Option<Slot> {
        self.slots.get(device).copied()
    }

    /// What is known of the device in a slot.
    #[must_use]
    pub fn status(&self, slot: Slot) -> DeviceStatus {
        let (evidence, poll) = (&self.evidence[slot.index()], &self.polls[slot.index()]);
        DeviceStatus {
            verdict: evidence.verdict(),
            reason: evidence.reason(),
            since: evidence.since(),
            last_contact: evidence.last_contact(),
            rtt: poll.rtt,
            loss: poll.strip.loss(),
            sample: poll.sample.clone(),
        }
    }

    /// The last good address of the device in a slot.
    #[must_use]
    pub fn address(&self, slot: Slot) -> Option<IpAddr> {
        self.polls[slot.index()].address
    }

    /// The evidence on the device in a slot.
    #[must_use]
    pub fn evidence(&self, slot: Slot) -> &Evidence {
        &self.evidence[slot.index()]
    }
}
