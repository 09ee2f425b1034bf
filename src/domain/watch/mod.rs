//! Detection: from probe results to verdicts, and from verdicts to the desk.

mod agent;
mod canary;
mod cap;
mod correlation;
mod crowd;
mod degraded;
mod device;
mod evidence;
mod fleet;
mod health;
mod isolation;
mod ledger;
mod mail;
mod muster;
mod probe;
mod rounds;
mod schedule;
mod strain;
mod strip;
mod symptom;
#[cfg(test)]
mod tests;
mod trap;
mod witness;
mod works;

pub use agent::AgentState;
pub use canary::LETTER_WITHIN;
pub use cap::PROBE_RATES;
pub use correlation::{MAX_DEPTH, MIN_CROWD, MIN_TOGETHER, TOGETHER};
pub use device::{
    AuthProtocol, Circuit, Device, GroupKind, Host, Pace, Place, PrivProtocol, Role, Rules, Secret, Slot, SnmpAccess,
    SnmpVersion, Terms,
};
pub use evidence::{CONFIRM_ROUNDS, Evidence, Trouble};
pub use health::{Baseline, MAX_COUNT};
pub use isolation::{CUT_OFF_AFTER, Isolation, SENTINEL_INTERVAL, SENTINEL_TIMEOUT};
pub use ledger::{Interval, Reason, Verdict};
pub use muster::Muster;
pub use probe::{Ask, Method, Obstacle, Outcome, Probe, ProbeResult, Round, SnmpSample, Undelivered};
pub use schedule::next_tick;
pub use strain::{Strain, strains};
pub use strip::{Cell, Chunk, Lost, MAX_CELLS, MIN_WINDOW};
pub use symptom::{Finding, Limits, Permille, Symptom, Symptoms};
pub use trap::{Trap, TrapKind};
pub use witness::{MAX_TRAPS, TRAP_SPAN};
pub use works::MAX_MAINTENANCE;

use super::desk::{Actor, Alarm, AlarmCause, AlarmKind, Case, Cause, Desk, Line, LineNow, Reference, SavedDesk};
use super::fact::Fact;
use super::maintenance::Maintenance;
use super::plan::Plan;
use super::preview::{Effect, preview};
use super::time::Time;
use super::turn::{Command, DeviceRow, Done, Input, Refusal, Reply, Request, Turn, Wish};
use super::view::DeviceStatus;
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BinaryHeap};
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;
use cap::Caps;
use core::cmp::Reverse;
use core::net::IpAddr;
use core::time::Duration;
use correlation::{Losses, Parents, Shared};
use crowd::Crowd;
use degraded::OwnSide;
use fleet::{Order, Takeover};
use health::Health;
use rounds::Poll;
use schedule::Wheel;
use works::Works;

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
/// How long our own side is broken before the operations centre gets a letter about it.
pub const ALARM_AFTER: Duration = Duration::from_secs(60);
/// How often open umbrellas are looked after.
const TEND_EVERY: Duration = Duration::from_secs(1);
/// The loss that views show is that of the last five minutes.
pub const SHOWN_LOSS: Duration = Duration::from_secs(300);

/// The watch over all devices, with its desk.
#[derive(Clone, Debug)]
pub struct Watch {
    /// By slot; `None` where a device has left.
    devices: Vec<Option<Arc<Device>>>,
    order: Order,
    free: Vec<Slot>,
    evidence: Vec<Evidence>,
    polls: Vec<Poll>,
    health: Vec<Health>,
    parents: Parents,
    caps: Caps,
    /// Who has which address, once somebody asked.
    senders: Option<BTreeMap<IpAddr, Slot>>,
    /// Who has which lines, once somebody wrote.
    lines_of: Option<mail::LinesOf>,
    crowd: Crowd,
    losses: Losses,
    works: Works,
    next_works: Option<Time>,
    canary: Option<canary::Canary>,
    /// When open umbrellas are looked after next.
    next_tending: Option<Time>,
    /// What was found of it last.
    own_side: Option<OwnSide>,
    /// When a finding was last withheld for that.
    impaired_at: Option<Time>,
    wheel: Wheel,
    deadlines: BinaryHeap<Reverse<(Time, Deadline)>>,
    isolation: Isolation,
    desk: Desk,
    /// Devices whose durable state changed in this turn.
    changed: Vec<Slot>,
    due: Vec<(Slot, Time)>,
    takeover: Option<Takeover>,
    last_step: Time,
    started_at: Time,
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
    /// Maintenance that is planned, active, or was so lately.
    pub maintenance: Vec<Maintenance>,
    /// Until when the daemon is known to have watched.
    pub watched_until: Option<Time>,
}

impl Watch {
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
            Input::Attempted(letter, delivery) => {
                let before = turn.facts.len();
                self.desk.attempted(letter, delivery, turn);
                self.listen_for_canary(before, turn);
            }
            Input::Resolved { device, host, address } => self.resolved(&device, &host, address),
            Input::Mailed(incoming) => self.mailed(&incoming, turn),
            Input::Trapped(traps) => self.trapped(traps, turn),
            Input::RfoWritten(written) => self.desk.rfo_written(*written, turn),
            Input::Planned(plan) => self.plan(plan, turn),
            Input::Rostered(roster) => self.desk.set_roster(roster),
            Input::ClockStepped { by_ms } => {
                turn.facts.push(Fact::ClockStepped { by_ms });
                self.move_works(by_ms, turn);
                self.desk.clock_stepped(by_ms);
            }
            Input::Stopped => {
                turn.facts.push(Fact::MonitorStopped);
                self.keep_what_is_learnt(turn);
                self.seal(turn);
            }
        }
        self.note_wakes(turn);
    }

    /// Nobody watched for a while: whatever was under way then says nothing now.
    fn notice_stall(&mut self, turn: &mut Turn) {
        let since = core::mem::replace(&mut self.last_step, turn.at);
        let lasted = turn.at.since(since);
        if lasted <= STALLED_AFTER {
            return self.isolation.nobody_looked(since, turn.at);
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
        self.take_over(turn);
        self.judge_crowd(turn.at);
        self.judge_isolation(turn);
        self.judge_impairment(turn);
        self.tend_works(turn);
        self.tend_canary(turn);
        self.desk.tend_duty(turn);
        self.review_agreements(turn);
        self.meet_deadlines(turn);
        self.tend_umbrellas(turn);
        self.send_due(turn);
        self.desk.release_due(turn);
        self.desk.hand_out_rfos(turn);
        self.desk.outbox.hand_over(turn);
        self.seal(turn);
    }

    fn judge_isolation(&mut self, turn: &mut Turn) {
        match self.isolation.judge(turn.at) {
            None => {}
            Some(isolation::Change::CutOff { since, why }) => {
                turn.facts.push(Fact::IsolationBegan { since, why });
                for slot in self.all_slots() {
                    self.polls[slot.index()].strip.blank(since);
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
                self.health.iter_mut().for_each(|health| health.start_over(turn.at));
                turn.facts.push(Fact::IsolationEnded { since, why, lasted: turn.at.since(since) });
            }
        }
        match self.isolation.cut_off() {
            Some((since, why)) if turn.at.since(since) >= ALARM_AFTER => {
                let why = AlarmCause::OwnSide(why);
                self.desk.raise(Alarm { kind: AlarmKind::Isolation, since, why }, turn);
            }
            // After a start it takes a moment to find out whether we still are.
            None if !self.crowd_is_dark()
                && self.isolation.is_trusted(turn.at)
                && turn.at.since(self.started_at) > CUT_OFF_AFTER =>
            {
                self.desk.clear(AlarmKind::Isolation, turn);
            }
            Some(_) | None => {}
        }
    }

    /// Closes umbrellas whose cause is over.
    fn tend_umbrellas(&mut self, turn: &mut Turn) {
        if self.next_tending.is_none_or(|at| at > turn.at) {
            return;
        }
        let find = |id: &str| self.order.find(&self.devices, id);
        let answers = |id: &str| find(id).is_none_or(|slot| self.evidence[slot.index()].verdict().is_contact());
        let is_over = |umbrella: &crate::domain::desk::Umbrella| match &umbrella.cause {
            Cause::Device(id) => answers(id),
            Cause::Below(_) | Cause::Group(..) | Cause::Moment => true,
        };
        self.desk.close_umbrellas(is_over, turn);
        self.next_tending = self.desk.umbrellas().next().map(|_| turn.at + TEND_EVERY);
    }

    fn meet_deadlines(&mut self, turn: &mut Turn) {
        for _ in 0..MAX_DEADLINES_A_TURN {
            self.note_wakes(turn);
            match self.deadlines.peek() {
                Some(&Reverse((at, deadline))) if at <= turn.at => {
                    self.deadlines.pop();
                    match deadline {
                        Deadline::Fault(slot) => self.fault_due(slot, turn),
                        Deadline::Case(reference) => self.case_due(reference, turn),
                    }
                }
                Some(_) | None => return,
            }
        }
    }

    /// Puts what cases wait for among the deadlines.
    fn note_wakes(&mut self, turn: &mut Turn) {
        for (at, reference) in turn.wake.drain(..) {
            self.deadlines.push(Reverse((at, Deadline::Case(reference))));
        }
    }

    fn fault_due(&mut self, slot: Slot, turn: &mut Turn) {
        let Some(device) = self.devices[slot.index()].clone() else { return };
        let Some(due) = self.fault_at(slot) else { return };
        let evidence = &self.evidence[slot.index()];
        // What is lost in a maintenance window is looked at when that is over.
        if evidence.verdict() != Verdict::Loss || due > turn.at || self.polls[slot.index()].maintained {
            return;
        }
        if !self.isolation.is_trusted(turn.at) || self.crowd_is_pending() {
            return self.deadlines.push(Reverse((turn.at + RECHECK, Deadline::Fault(slot))));
        }
        match &device.role {
            Role::Unit(circuit) => {
                let umbrella = match self.shared_by(slot, due, turn) {
                    Shared::Nothing => None,
                    Shared::Umbrella(umbrella) => Some(umbrella),
                    Shared::Wait => return self.deadlines.push(Reverse((turn.at + RECHECK, Deadline::Fault(slot)))),
                };
                let (evidence, solve_after) = (&self.evidence[slot.index()], device.rules.pace.solve_after);
                let witness = self.undelivered(slot, evidence.trouble().map(|trouble| trouble.first_loss));
                let unit = &device.id;
                self.desk.fault(&LineNow { unit, circuit, evidence, solve_after, umbrella, witness }, turn);
                self.keep_strip(slot, turn);
            }
            Role::Node => {
                // What it is reached through explains it.
                if self.ancestors(slot).any(|parent| self.evidence[parent.index()].verdict() == Verdict::Loss) {
                    let lost = self.evidence[slot.index()].trouble().map(|trouble| trouble.loss.total(turn.at));
                    return self.rearm(slot, lost.map(|lost| lost + device.rules.pace.down_after));
                }
                self.device_umbrella(slot, turn);
            }
            Role::Sentinel(_) => return,
        }
        self.next_tending = Some(turn.at);
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
        let slot = self.slot(&case.opening.unit);
        let well = slot.is_none_or(|slot| self.evidence[slot.index()].is_in_contact());
        self.desk.wake(reference, well, turn);
        if let Some(slot) = slot {
            let case = self.desk.case(reference);
            let is_final = |case: &Case| case.diagnosis.as_ref().is_some_and(|diagnosis| !diagnosis.is_early());
            if case.is_some_and(|case| !case.is_at_work() && !is_final(case)) {
                self.diagnose(slot, true, turn);
            } else if case.is_none() {
                self.keep_strip(slot, turn);
            }
        }
    }

    /// Writes down a change of verdict, and tells the desk.
    fn shifted(&mut self, shift: Option<ledger::Shift>, turn: &mut Turn) {
        let Some(shift) = shift else { return };
        let Some(device) = &self.devices[shift.slot.index()] else { return };
        let (verdict, reason) = shift.now;
        if shift.at > shift.began {
            turn.intervals.push(Interval {
                device: device.id.to_string(),
                from: shift.began,
                until: shift.at,
                verdict: shift.was.0,
                reason: shift.was.1,
            });
        }
        turn.facts.push(Fact::VerdictChanged { device: device.id.to_string(), verdict, reason, since: shift.at });
        self.desk.line_is(&device.id, Line::Watched(verdict, reason), shift.at, turn);
        turn.touched.push(shift.slot);
        self.changed.push(shift.slot);
        let device = Arc::clone(device);
        self.noticed(&shift, &device, turn);
        if verdict == Verdict::Loss {
            let fresh = self.evidence[shift.slot.index()]
                .trouble()
                .is_some_and(|trouble| trouble.fault_at.is_none() && trouble.first_loss == shift.at);
            if fresh {
                self.rearm(shift.slot, Some(device.rules.pace.down_after));
            } else if let Some(at) = self.fault_at(shift.slot) {
                self.deadlines.push(Reverse((at, Deadline::Fault(shift.slot))));
            }
        }
    }

    fn asked(&mut self, request: Request, turn: &mut Turn) {
        let Request { ticket, by, wish } = request;
        let result = match wish {
            Wish::Open { unit, report } => {
                let slot = self.slot(&unit);
                let open = |slot| self.open_by_hand(slot, Actor::Staff(by), *report, turn);
                slot.and_then(open).unwrap_or(Err(Refusal::UnknownUnit { unit })).map(Done::Case)
            }
            Wish::File { heard, filing } => self.file(&by, heard, filing, turn),
            Wish::Work { reference, command } => {
                let solves = matches!(command, Command::Solve { .. });
                let result = self.desk.command(reference, by, command, turn);
                if solves && result.is_ok() {
                    self.expect_recovery(reference, turn);
                }
                result.map(Done::Case)
            }
            Wish::Update { umbrella, text } => self.desk.update_umbrella(umbrella, by, text, turn).map(Done::Case),
            Wish::Maintain(window) => self.maintain(window, by, turn).map(Done::Maintenance),
            Wish::CallOff { id } => self.call_off(&id, turn).map(Done::Maintenance),
            Wish::Duty { staff, on } => {
                self.desk.set_duty(staff.clone(), on, by, turn).map(|()| Done::Duty { staff, on })
            }
            Wish::Contact { verb, customer, id, draft } => {
                let changed = self.desk.change_contact(by, verb, (customer, id), *draft, turn);
                changed.map(|contact| Done::Contact(Box::new(contact)))
            }
            Wish::Answer { case, score, comment } => {
                self.desk.answer_survey(case, score, comment, turn).map(Done::Case)
            }
            Wish::Trace { reference } => self.desk.trace(reference, turn.at).map(|trace| Done::Trace(Box::new(trace))),
        };
        turn.replies.push(Reply { ticket, result });
    }

    /// A person declared the case solved. If its line is still lost, it gets the time of a new fault to come back; if it
    /// is degraded, that of a new finding.
    fn expect_recovery(&mut self, reference: Reference, turn: &mut Turn) {
        let Some(slot) = self.desk.case(reference).and_then(|case| self.slot(&case.opening.unit)) else {
            return;
        };
        let Some(down_after) = self.devices[slot.index()].as_ref().map(|device| device.rules.pace.down_after) else {
            return;
        };
        if let Some(trouble) = self.evidence[slot.index()].trouble() {
            let fault_at = trouble.loss.total(turn.at) + down_after;
            self.rearm(slot, Some(fault_at));
        }
        self.judge_anew(slot, |_| false, turn);
    }

    /// Puts the durable state of everything that changed into the turn.
    fn seal(&mut self, turn: &mut Turn) {
        self.desk.take_changed(turn);
        self.changed.sort_unstable();
        self.changed.dedup();
        for slot in self.changed.drain(..) {
            if let Some(device) = &self.devices[slot.index()] {
                turn.devices.push(DeviceRow {
                    id: device.id.to_string(),
                    evidence: self.evidence[slot.index()].clone(),
                    address: self.polls[slot.index()].address(device),
                    baseline: self.health[slot.index()].baseline(),
                    agent: self.polls[slot.index()].agent(),
                });
            }
        }
    }

    /// What putting `plan` in force at `now` would change at once.
    #[must_use]
    pub fn preview(&self, plan: &Plan, now: Time) -> Vec<Effect> {
        let known = self.devices().map(|(slot, device)| (device.id.as_str(), self.evidence(slot)));
        preview(known, self.desk.cases_by_unit(), plan, now)
    }

    /// When to step next, at the latest.
    #[must_use]
    pub fn next_due(&self) -> Time {
        let horizon = self.last_step + HEARTBEAT;
        let deadline = self.deadlines.peek().map_or(horizon, |Reverse((at, _))| *at);
        let isolation = self.isolation.next_due().filter(|&at| at > self.last_step).unwrap_or(horizon);
        let letter = self.desk.outbox.next_due().unwrap_or(horizon);
        let others = [
            self.crowd.next_due(),
            self.next_works,
            self.canary_due(),
            self.next_tending,
            self.desk.next_release(),
            self.desk.next_rfo(),
            self.desk.next_duty(),
            self.caps.next_due(),
            (self.takeover.is_some() || self.desk.reviews()).then_some(self.last_step),
        ];
        let other = others.into_iter().flatten().min().unwrap_or(horizon);
        self.wheel.next_due(horizon).min(deadline).min(isolation).min(letter).min(other)
    }

    fn all_slots(&self) -> Vec<Slot> {
        self.order.iter().collect()
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
        self.order.iter().filter_map(|slot| Some((slot, self.devices[slot.index()].as_ref()?)))
    }

    /// The device in a slot.
    #[must_use]
    pub fn device(&self, slot: Slot) -> Option<&Arc<Device>> {
        self.devices[slot.index()].as_ref()
    }

    /// The slot of a device.
    #[must_use]
    pub fn slot(&self, device: &str) -> Option<Slot> {
        self.order.find(&self.devices, device)
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
            loss: poll.strip.loss(SHOWN_LOSS),
            agent: poll.agent(),
            symptoms: evidence.symptoms(),
            maintained: poll.maintained,
            sample: poll.sample().cloned(),
        }
    }

    /// The last good address of the device in a slot.
    #[must_use]
    pub fn address(&self, slot: Slot) -> Option<IpAddr> {
        self.polls[slot.index()].address(self.devices[slot.index()].as_ref()?)
    }

    /// The evidence on the device in a slot.
    #[must_use]
    pub fn evidence(&self, slot: Slot) -> &Evidence {
        &self.evidence[slot.index()]
    }
}
