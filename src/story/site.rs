//! What is at the far end: how a line behaves, and what the agent of its box tells.

use super::dice::Dice;
use super::grammar::Agent;
use super::sim::Fate;
use crate::domain::time::Time;
use crate::domain::watch::{Method, SnmpSample};
use std::time::Duration;

/// How a device's line behaves, and its box.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    /// Round-trip time of an answer, at the least.
    pub rtt: Duration,
    /// Up to so much more by chance.
    pub jitter: Duration,
    /// Probability that a probe gets none.
    pub loss: f64,
    agent: Mode,
    booted_at: Time,
    interface_up: bool,
    errors: f64,
    load: f64,
    /// The counters, and as of when they are.
    counted: (Time, Counters),
}

/// What the SNMP agent does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Answers,
    Rejects,
    Silent,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Counters {
    octets: f64,
    packets: f64,
    errors: f64,
}

/// Octets in a packet.
const PACKET: f64 = 1_000.0;
/// Share of the committed rate that is used if the story says nothing.
const USUAL_LOAD: f64 = 0.2;

impl Line {
    /// A line that answers, whose box has run for a month.
    pub const GOOD: Self = Self {
        rtt: Duration::from_millis(10),
        jitter: Duration::ZERO,
        loss: 0.0,
        agent: Mode::Answers,
        booted_at: Time::from_millis(-2_592_000_000),
        interface_up: true,
        errors: 0.0,
        load: USUAL_LOAD,
        counted: (Time::from_millis(0), Counters { octets: 0.0, packets: 0.0, errors: 0.0 }),
    };

    /// What becomes of a probe.
    pub(super) fn fate(&self, method: Method, dice: &mut Dice) -> Fate {
        let mode = match method {
            Method::Icmp => Mode::Answers,
            Method::Snmp => self.agent,
        };
        let more = if self.jitter.is_zero() { Duration::ZERO } else { self.jitter.mul_f64(dice.roll()) };
        // Millisecond by millisecond, as the daemon's own time goes.
        let rtt = self.rtt + Duration::from_millis(u64::try_from(more.as_millis()).unwrap_or(0));
        if mode == Mode::Silent || self.loss > 0.0 && dice.roll() < self.loss {
            Fate::Lost
        } else if mode == Mode::Rejects {
            Fate::Rejected(rtt)
        } else {
            Fate::Answered(rtt)
        }
    }

    /// Something happens to the agent or its box; `rate` is the committed one in bits a second.
    pub(super) fn change(&mut self, what: Agent, rate: f64, now: Time) {
        self.count(rate, now);
        match what {
            Agent::Answers => self.agent = Mode::Answers,
            Agent::Rejects => self.agent = Mode::Rejects,
            Agent::Silent => self.agent = Mode::Silent,
            Agent::Reboot => {
                self.booted_at = now;
                self.counted.1 = Counters::default();
            }
            Agent::Uptime(uptime) => self.booted_at = now - uptime,
            Agent::Interface(up) => self.interface_up = up,
            Agent::Errors(share) => self.errors = share,
            Agent::Load(share) => self.load = share,
        }
    }

    fn count(&mut self, rate: f64, now: Time) {
        let (since, counters) = &mut self.counted;
        let octets = now.since(*since).as_secs_f64() * rate / 8.0 * self.load;
        let packets = octets / PACKET;
        counters.octets += octets;
        counters.packets += packets * (1.0 - self.errors);
        counters.errors += packets * self.errors;
        *since = now;
    }

    /// What the agent tells at `now`.
    pub(super) fn sample(&mut self, rate: f64, now: Time) -> SnmpSample {
        self.count(rate, now);
        let counters = self.counted.1;
        let uptime_cs = (now.as_millis() - self.booted_at.as_millis()) / 10;
        SnmpSample {
            // It wraps after 497 days.
            uptime_cs: u32::try_from(uptime_cs.rem_euclid(1 << 32)).ok(),
            oper_status: Some(if self.interface_up { 1 } else { 2 }),
            in_octets: Some(counters.octets as u64),
            out_octets: Some(counters.octets as u64),
            in_errors: Some(counters.errors as u64),
            out_errors: Some(0),
            in_packets: Some(counters.packets as u64),
            out_packets: Some(counters.packets as u64),
            engine_boots: None,
        }
    }
}
