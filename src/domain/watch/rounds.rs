//! Rounds of probes: sending them, and drawing the conclusion when all their answers are in.

use super::Watch;
use super::agent::{Agent, AgentState};
use super::cap::Class;
use super::device::{Device, Pace, Place, Rules, Slot};
use super::evidence::{Blame, Evidence, Failure};
use super::ledger::{Reason, Verdict};
use super::probe::{Ask, Method, Outcome, Probe, ProbeResult, Round, SnmpSample};
use super::schedule::{is_regular, next_regular, phase};
use super::strip::Strip;
use super::witness::Heard;
use crate::domain::fact::Fact;
use crate::domain::time::{Rtt, Time};
use crate::domain::turn::Turn;
use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::sync::Arc;
use core::net::IpAddr;
use core::time::Duration;

/// An engine that has not reported a probe this long after its timeout does not look any more.
const ENGINE_GRACE: Duration = Duration::from_secs(5);

/// How a device is being asked. There is one for each, so what few have is boxed.
#[derive(Clone, Debug)]
pub(super) struct Poll {
    /// Where its name led last, if it has one.
    pub(super) resolved: Option<Box<IpAddr>>,
    pub(super) rtt: Option<Rtt>,
    pub(super) strip: Strip,
    by_snmp: Option<Box<BySnmp>>,
    round: Round,
    sent_at: Time,
    /// Bits of the methods whose answers are not in.
    waiting: u8,
    /// A scheduled round has a cell in the strip; a quick one has not.
    regular: bool,
    heard: bool,
    missed: bool,
    /// Nothing can be concluded from this round's silence.
    void: bool,
    /// Our own machine refused to send the device's latest probe.
    pub(super) refused: bool,
    /// Losses are expected for now.
    pub(super) maintained: bool,
    /// The round trip by the main method.
    round_rtt: Option<Rtt>,
}

/// What there is beside for a device with an SNMP agent, or one that somebody said something of.
#[derive(Clone, Debug, Default)]
struct BySnmp {
    agent: Agent,
    /// How the agent took the question of this round.
    did: Option<AgentState>,
    /// When it is asked next; `None`: at once.
    due: Option<Time>,
    sample: Option<Arc<SnmpSample>>,
    heard_unasked: Option<Heard>,
}

const fn bit(method: Method) -> u8 {
    match method {
        Method::Icmp => 1,
        Method::Snmp => 2,
    }
}

impl Poll {
    pub(super) fn new(slot: Slot, device: &Device, resolved: Option<IpAddr>, now: Time) -> Self {
        let (pace, window) = (&device.rules.pace, device.rules.limits.window);
        Self {
            resolved: resolved.filter(|_| device.host.name().is_some()).map(Box::new),
            rtt: None,
            strip: Strip::new(phase(slot, pace.interval), pace.interval, pace.history, window, now),
            by_snmp: None,
            round: 0,
            sent_at: now,
            waiting: 0,
            regular: false,
            heard: false,
            missed: false,
            void: true,
            refused: false,
            maintained: false,
            round_rtt: None,
        }
    }

    /// Starts over for another device in the slot, or other settings. Rounds are numbered on, so that answers to the
    /// old ones are not taken for new ones.
    pub(super) fn renew(&mut self, slot: Slot, device: &Device, resolved: Option<IpAddr>, now: Time) {
        let round = self.round.wrapping_add(1);
        *self = Self { round, ..Self::new(slot, device, resolved, now) };
    }

    /// As [`Self::renew`], for the same device: what its agent does is known.
    pub(super) fn renew_settings(&mut self, slot: Slot, device: &Device, now: Time) {
        let agent = self.by_snmp.take().map(|by_snmp| by_snmp.agent);
        self.renew(slot, device, self.address(device), now);
        self.by_snmp = agent.map(|agent| Box::new(BySnmp { agent, ..BySnmp::default() }));
    }

    /// The last good address of the device.
    pub(super) fn address(&self, device: &Device) -> Option<IpAddr> {
        device.host.address().or(self.resolved.as_deref().copied())
    }

    pub(super) const fn sent_at(&self) -> Time {
        self.sent_at
    }

    fn heard_by(&mut self, method: Method, rtt: Duration, agent: AgentState) {
        self.rtt = Some(rtt.into());
        match method {
            Method::Icmp => self.round_rtt = self.rtt,
            Method::Snmp => self.by_snmp.get_or_insert_default().did = Some(agent),
        }
    }

    /// What its agent does, as far as is known.
    pub(super) fn agent(&self) -> AgentState {
        self.by_snmp.as_ref().map_or(AgentState::Unknown, |by_snmp| by_snmp.agent.state())
    }

    /// Its agent was known to do this.
    pub(super) fn restore_agent(&mut self, state: AgentState) {
        if state != AgentState::Unknown {
            self.by_snmp.get_or_insert_default().agent = Agent::restored(state);
        }
    }

    /// What its agent said last.
    pub(super) fn sample(&self) -> Option<&Arc<SnmpSample>> {
        self.by_snmp.as_ref()?.sample.as_ref()
    }

    /// What was said unasked, by its agent or of it.
    pub(super) fn heard_unasked(&self) -> Option<&Heard> {
        self.by_snmp.as_ref()?.heard_unasked.as_ref()
    }

    /// Where it is noted what is said unasked, by its agent or of it.
    pub(super) fn hear_unasked(&mut self) -> &mut Option<Heard> {
        &mut self.by_snmp.get_or_insert_default().heard_unasked
    }

    /// By which methods a round of now asks: ICMP, SNMP.
    fn methods(&self, device: &Device, evidence: &Evidence, now: Time) -> (bool, bool) {
        let Rules { icmp, snmp, .. } = &*device.rules;
        let is_snmp_due = || !icmp || !evidence.is_in_contact() || self.is_snmp_due(now);
        (*icmp, snmp.is_some() && is_snmp_due())
    }

    fn is_snmp_due(&self, now: Time) -> bool {
        self.by_snmp.as_ref().and_then(|by_snmp| by_snmp.due).is_none_or(|due| due <= now)
    }

    pub(super) const fn is_waiting(&self) -> bool {
        self.waiting != 0
    }

    /// How long the answer of this round took.
    pub(super) fn round_rtt(&self) -> Duration {
        self.round_rtt.or(self.rtt).map_or(Duration::ZERO, Rtt::duration)
    }
}

impl Watch {
    /// The present round counts for nothing: whatever comes of it, its silence says nothing.
    pub(super) fn forget_round(&mut self, slot: Slot) {
        let poll = &mut self.polls[slot.index()];
        poll.void = true;
        poll.waiting = 0;
    }

    /// As [`Self::forget_round`], and answers count no more than silence: they come from another address.
    pub(super) fn disown_round(&mut self, slot: Slot) {
        self.forget_round(slot);
        let poll = &mut self.polls[slot.index()];
        poll.round = poll.round.wrapping_add(1);
    }

    pub(super) fn schedule_regular(&mut self, slot: Slot, now: Time) {
        if let Some(device) = &self.devices[slot.index()] {
            self.wheel.set(slot, next_regular(slot, device.rules.pace.interval, now));
        }
    }

    pub(super) fn send_due(&mut self, turn: &mut Turn) {
        let mut due = core::mem::take(&mut self.due);
        self.wheel.take_due(turn.at, &mut due);
        for (slot, due) in due.drain(..) {
            turn.lateness = turn.lateness.max(turn.at.since(due));
            if self.caps.holds(slot) {
                self.wait_for_cap(slot, due, turn.at);
            } else {
                self.send_round(slot, turn);
            }
        }
        self.due = due;
        self.send_waiting(turn);
    }

    /// A device behind a cap is due.
    fn wait_for_cap(&mut self, slot: Slot, due: Time, now: Time) {
        let Some(device) = &self.devices[slot.index()] else { return };
        let evidence = &self.evidence[slot.index()];
        let is_urgent = evidence.awaits_confirmation()
            || !evidence.in_doubt() && !is_regular(slot, device.rules.pace.interval, due);
        let asked = self.polls[slot.index()].sent_at;
        self.caps.wait(slot, asked, if is_urgent { Class::Urgent } else { Class::Regular });
        // The last word before a fault may come while it waits.
        self.wheel.set(slot, self.next_round(slot, &device.rules.pace, now));
    }

    /// Asks those whom their caps let through.
    fn send_waiting(&mut self, turn: &mut Turn) {
        self.caps.begin(turn.at);
        while let Some(slot) = self.caps.first() {
            let probes = self.probes_of_round(slot, turn.at);
            if self.caps.admit(probes) {
                self.send_round(slot, turn);
            }
        }
    }

    /// How many probes go out if the device is asked now.
    fn probes_of_round(&self, slot: Slot, now: Time) -> u32 {
        let (Some(device), poll) = (&self.devices[slot.index()], &self.polls[slot.index()]) else { return 0 };
        if poll.is_waiting() || poll.address(device).is_none() {
            return 0;
        }
        let (by_icmp, by_snmp) = poll.methods(device, &self.evidence[slot.index()], now);
        u32::from(by_icmp) + u32::from(by_snmp)
    }

    /// When a device that is asked now is asked next.
    fn next_round(&self, slot: Slot, pace: &Pace, now: Time) -> Time {
        // The last word before a fault is a fresh one.
        let fault = self.fault_at(slot);
        let end = self.next_works.filter(|_| fault.is_some() && self.polls[slot.index()].maintained);
        let last_words = [fault, end].into_iter().flatten().map(|at| at - pace.timeout).filter(|&at| at > now);
        last_words.fold(next_regular(slot, pace.interval, now), Time::min)
    }

    fn send_round(&mut self, slot: Slot, turn: &mut Turn) {
        let now = turn.at;
        let Some(device) = &self.devices[slot.index()] else { return };
        let pace = device.rules.pace;
        self.wheel.set(slot, self.next_round(slot, &pace, now));
        let doubt = self.evidence[slot.index()].in_doubt();
        let (by_icmp, by_snmp) = self.polls[slot.index()].methods(device, &self.evidence[slot.index()], now);
        let poll = &mut self.polls[slot.index()];
        if poll.waiting != 0 {
            if now.since(poll.sent_at) > pace.timeout + ENGINE_GRACE {
                let since = poll.sent_at;
                self.forget_round(slot);
                let shift = self.evidence[slot.index()].blind(slot, since, Verdict::Unobserved, Reason::Stalled);
                self.shifted(shift, turn);
            }
            return;
        }
        poll.round = poll.round.wrapping_add(1);
        (poll.sent_at, poll.regular) = (now, !doubt);
        (poll.heard, poll.missed, poll.void) = (false, false, false);
        poll.round_rtt = None;
        if let Some(by_snmp) = &mut poll.by_snmp {
            by_snmp.did = None;
        }
        let Some(address) = poll.address(device) else {
            self.conclude(slot, Blame::Resolver, turn);
            return;
        };
        let mut ask = |method, ask| {
            poll.waiting |= bit(method);
            turn.probes.push(Probe { slot, round: poll.round, address, timeout: pace.timeout, ask });
        };
        if by_icmp {
            ask(Method::Icmp, Ask::Icmp);
        }
        if let Some(access) = device.rules.snmp.as_ref().filter(|_| by_snmp) {
            ask(Method::Snmp, Ask::Snmp(Arc::clone(access)));
            poll.by_snmp.get_or_insert_default().due = Some(now + pace.snmp_interval);
        }
    }

    /// A probe has met its fate.
    pub(super) fn probed(&mut self, result: ProbeResult, turn: &mut Turn) {
        let ProbeResult { slot, round, method, outcome } = result;
        let Some(poll) = self.polls.get(slot.index()) else { return };
        if poll.round != round || self.devices[slot.index()].is_none() {
            return;
        }
        let muted = self.is_muted(slot, poll.sent_at());
        let poll = &mut self.polls[slot.index()];
        match outcome {
            Outcome::Answered { .. } | Outcome::Rejected { .. } if muted => poll.missed = true,
            Outcome::Answered { rtt, sample } => {
                poll.heard_by(method, rtt, AgentState::Answers);
                self.heard(slot, Reason::Answered, turn);
                if let Some(sample) = sample {
                    self.keep_sample(slot, &sample, turn);
                    self.polls[slot.index()].by_snmp.get_or_insert_default().sample = Some(Arc::from(sample));
                }
            }
            Outcome::Rejected { rtt, .. } => {
                poll.heard_by(method, rtt, AgentState::Rejects);
                self.heard(slot, Reason::Rejected, turn);
            }
            Outcome::Lost { witness } => {
                poll.missed = true;
                if let Some(witness) = witness.filter(|_| self.evidence[slot.index()].trouble().is_some()) {
                    poll.note_undelivered(witness, turn.at);
                }
                if method == Method::Snmp {
                    poll.by_snmp.get_or_insert_default().did = Some(AgentState::Silent);
                }
                self.isolation.sent(core::mem::take(&mut poll.refused));
                if let Some(place) = self.sentinel(slot) {
                    self.isolation.sentinel_missed(place, false);
                }
            }
            Outcome::NotSent { .. } => {
                self.isolation.refused(turn.at, core::mem::replace(&mut poll.refused, true));
                if let Some(place) = self.sentinel(slot) {
                    self.isolation.sentinel_missed(place, true);
                }
            }
        }
        let poll = &mut self.polls[slot.index()];
        let was_waiting = poll.waiting;
        poll.waiting &= !bit(method);
        if poll.waiting == 0 && was_waiting != 0 && !poll.void {
            let blame = if poll.missed { Blame::Line } else { Blame::Ourselves };
            self.conclude(slot, blame, turn);
        }
    }

    /// Where a device is, if it is a sentinel.
    fn sentinel(&self, slot: Slot) -> Option<Place> {
        self.devices[slot.index()].as_deref()?.role.place()
    }

    fn heard(&mut self, slot: Slot, reason: Reason, turn: &mut Turn) {
        let poll = &mut self.polls[slot.index()];
        poll.heard = true;
        let at = poll.sent_at;
        self.isolation.sent(core::mem::take(&mut poll.refused));
        if let Some(place) = self.sentinel(slot) {
            self.isolation.sentinel_answered(place, at);
        }
        let evidence = &mut self.evidence[slot.index()];
        if evidence.trouble().is_some() {
            self.changed.push(slot);
        }
        let shift = evidence.contact(slot, at, reason);
        self.shifted(shift, turn);
    }

    /// All answers of a round are in; `blame` tells whose failure it was if there was none.
    fn conclude(&mut self, slot: Slot, blame: Blame, turn: &mut Turn) {
        turn.touched.push(slot);
        let poll = &self.polls[slot.index()];
        let (heard, sent) = (poll.heard, poll.sent_at);
        if heard {
            self.conclude_agent(slot, turn);
        } else if sent >= self.trusted_from {
            self.failed(slot, sent, blame, turn);
        }
        let poll = &mut self.polls[slot.index()];
        if !poll.regular && heard && poll.missed && poll.round_rtt.is_none() {
            poll.strip.excuse_newest();
        }
        if poll.regular {
            self.keep_cell(slot, sent, (!heard).then_some(blame), turn);
        }
    }

    fn failed(&mut self, slot: Slot, sent: Time, blame: Blame, turn: &mut Turn) {
        let isolation = &self.isolation;
        let expected = self.polls[slot.index()].maintained;
        let evidence = &mut self.evidence[slot.index()];
        let vouched = |at| isolation.corroborates(at);
        let failure = Failure { sent, now: turn.at, blame, expected };
        let shift = evidence.failed(slot, failure, vouched, isolation.cut_off());
        let doubt = evidence.in_doubt();
        self.shifted(shift, turn);
        // A doubt is cleared or confirmed within seconds.
        if doubt {
            self.wheel.set(slot, turn.at);
        }
    }

    /// What the agent of a device that answers did: the operator's own housekeeping.
    fn conclude_agent(&mut self, slot: Slot, turn: &mut Turn) {
        let Some(by_snmp) = &mut self.polls[slot.index()].by_snmp else { return };
        let before = by_snmp.agent.state();
        let Some(state) = by_snmp.did.and_then(|did| by_snmp.agent.did(did)) else { return };
        // That an agent answers from the beginning is no news.
        let is_news = before != AgentState::Unknown || state.needs_care();
        if let Some(device) = self.devices[slot.index()].as_ref().filter(|_| is_news) {
            self.changed.push(slot);
            turn.facts.push(Fact::AgentChanged { device: device.id.to_string(), state });
        }
    }
}
