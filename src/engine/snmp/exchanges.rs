//! What was asked and not answered yet, and what becomes of it.

use super::agents::Agents;
use super::ids::{GENERATIONS, Ids, PLACES};
use super::question;
use super::request::Template;
use super::response::Response;
use super::status::{self, NO_ERROR, NO_SUCH_NAME, TOO_BIG};
use crate::domain::watch::{Outcome, Probe, Round, Slot, SnmpAccess, SnmpSample};
use crate::engine::buffers;
use crate::engine::polling::{Datagram, Flights, Moment, Serial, Stray};
use core::net::SocketAddr;
use core::ops::Range;
use core::time::Duration;
use std::rc::Rc;
use std::sync::Arc;

/// Places that rest at least before they are used again, lest a request-id comes back while an answer to the earlier one may be under
/// way: with all ids, for some 8 million questions.
const REST: usize = 2_048;

/// Questions in flight at most.
pub(super) const MAX_IN_FLIGHT: usize = PLACES - REST;

/// A question in flight.
struct Flight {
    slot: Slot,
    round: Round,
    to: SocketAddr,
    sent: Moment,
    /// What the kernel had dropped of the family's datagrams by then.
    dropped: u32,
    template: Rc<Template>,
    parts: Option<Box<Parts>>,
}

/// A question that is asked in parts, for the agent could not fit its answer in.
struct Parts {
    /// What is asked now.
    now: Range<usize>,
    /// What is to be asked after, the next one last.
    later: Vec<Range<usize>>,
    /// What was told so far.
    told: SnmpSample,
    /// How long the last answer took.
    rtt: Duration,
}

impl Flight {
    /// The objects that are asked for now.
    fn part(&self) -> Range<usize> {
        self.parts.as_ref().map_or(0..self.template.objects.len(), |parts| parts.now.clone())
    }

    /// Whether more is to be asked after this answer.
    fn go_on(&mut self, status: i32, told: &SnmpSample, rtt: Duration) -> bool {
        let now = self.part();
        if status == TOO_BIG && now.len() > 1 {
            let middle = now.start + now.len() / 2;
            let parts = self.parts.get_or_insert_with(|| {
                Box::new(Parts { now: now.clone(), later: Vec::new(), told: SnmpSample::default(), rtt })
            });
            parts.later.push(middle..now.end);
            (parts.now, parts.rtt) = (now.start..middle, rtt);
            return true;
        }
        if status == NO_ERROR
            && let Some(parts) = &mut self.parts
            && let Some(next) = parts.later.pop()
        {
            (parts.now, parts.rtt) = (next, rtt);
            parts.told.clone_from(told);
            return true;
        }
        false
    }
}

/// What became of a probe.
pub(super) struct Event {
    pub(super) slot: Slot,
    pub(super) round: Round,
    pub(super) outcome: Outcome,
}

/// What an answer brings about.
pub(super) enum Turn {
    /// The end of its probe.
    Done(Event),
    /// Another question of the same probe, under this name.
    More(Serial),
}

/// All that is in flight.
pub(super) struct Exchanges {
    flights: Flights<Flight>,
    ids: Ids,
    agents: Agents,
}

impl Exchanges {
    pub(super) fn new() -> Self {
        Self { flights: Flights::new(GENERATIONS, REST), ids: Ids::new(), agents: Agents::new() }
    }

    /// How many there are.
    pub(super) const fn len(&self) -> usize {
        self.flights.len()
    }

    /// When the next one is to be given up.
    pub(super) fn next_deadline(&mut self) -> Option<Duration> {
        self.flights.next_deadline()
    }

    /// A probe is about to be sent, when the kernel had dropped so much. `None` if it is of SNMPv3.
    pub(super) fn begin(
        &mut self,
        probe: &Probe,
        access: &Arc<SnmpAccess>,
        sent: Moment,
        dropped: u32,
    ) -> Option<Serial> {
        let (to, template) = self.agents.ask(probe.slot, probe.address, access, sent.at)?;
        let flight = Flight { slot: probe.slot, round: probe.round, to, sent, dropped, template, parts: None };
        Some(self.flights.begin(sent.at, probe.timeout, flight))
    }

    /// It could not be sent after all.
    pub(super) fn cancel(&mut self, serial: Serial) {
        self.flights.cancel(serial);
    }

    /// Where a question goes, unless it has been given up.
    pub(super) fn address(&mut self, serial: Serial) -> Option<SocketAddr> {
        self.flights.get(serial).ok().map(|flight| flight.to)
    }

    /// Appends a question that is sent now to `out`; returns where it goes.
    pub(super) fn write(&mut self, serial: Serial, sent: Moment, out: &mut Vec<u8>) -> Option<SocketAddr> {
        let flight = self.flights.get(serial).ok()?;
        flight.sent = sent;
        flight.template.write(flight.part(), self.ids.id(serial), out);
        Some(flight.to)
    }

    /// Reads what has come by `now`.
    pub(super) fn arrived(&mut self, datagram: Datagram<'_>, now: Duration) -> Result<Turn, Stray> {
        let response = Response::read(datagram.content).ok_or(Stray::Foreign)?;
        let serial = self.ids.serial(response.request_id).ok_or(Stray::Foreign)?;
        let flight = self.flights.get(serial)?;
        let Flight { template, parts, .. } = &*flight;
        let mut told = parts.as_ref().map(|parts| parts.told.clone()).unwrap_or_default();
        let is_its_own = datagram.from.is_some_and(|from| is_same(from, flight.to))
            && response.version == template.version
            && *response.community == *template.community
            && response.tell(&template.objects[flight.part()], &mut told);
        if !is_its_own {
            return Err(Stray::Foreign);
        }
        let rtt = flight.sent.round_trip(datagram.stamped, now);
        if flight.go_on(response.status, &told, rtt) {
            return Ok(Turn::More(self.flights.renew(serial)));
        }
        let flight = self.flights.land(serial)?;
        let outcome = self.outcome(&flight, response.status, told, rtt);
        Ok(Turn::Done(Event { slot: flight.slot, round: flight.round, outcome }))
    }

    /// A probe that was not answered by `now`. `dropped` tells what the kernel has dropped until now of what came from there.
    pub(super) fn give_up(&mut self, now: Duration, dropped: impl Fn(SocketAddr) -> u32) -> Option<Event> {
        let flight = self.flights.give_up(now)?;
        let outcome = self.in_part(&flight).unwrap_or_else(|| {
            // the answer may have been among that: it is no loss
            if dropped(flight.to) == flight.dropped { Outcome::LOST } else { buffers::overflowed() }
        });
        Some(Event { slot: flight.slot, round: flight.round, outcome })
    }

    /// The next part of a question cannot be sent.
    pub(super) fn break_off(&mut self, serial: Serial) -> Option<Event> {
        let flight = self.flights.land(serial).ok()?;
        let outcome = self.in_part(&flight).unwrap_or(Outcome::LOST);
        Some(Event { slot: flight.slot, round: flight.round, outcome })
    }

    /// What the last answer of a probe makes of it.
    fn outcome(&mut self, flight: &Flight, status: i32, told: SnmpSample, rtt: Duration) -> Outcome {
        let asked = flight.template.asked;
        let in_parts = flight.parts.is_some();
        // most answers teach nothing, and what an agent was asked is far away in memory
        let question = if status != NO_ERROR || in_parts || asked.lacks_counters(&told) {
            self.agents.question(flight.slot, flight.to)
        } else {
            None
        };
        if status == NO_ERROR {
            if let Some(question) = question {
                question.learn(asked, &told);
                if in_parts {
                    question.refused(asked);
                }
            }
            return Outcome::Answered { rtt, sample: question::something(told).map(Box::new) };
        }
        let smaller = question.is_some_and(|question| question.refused(asked));
        // with these an agent refuses all for the sake of one object or of its length
        if status == NO_SUCH_NAME || (status == TOO_BIG && smaller) {
            Outcome::Answered { rtt, sample: None }
        } else {
            Outcome::Rejected { rtt, why: status::name(status) }
        }
    }

    /// An exchange that came to no end: the agent is alive if it answered some of it.
    fn in_part(&mut self, flight: &Flight) -> Option<Outcome> {
        let rtt = flight.parts.as_ref()?.rtt;
        if let Some(question) = self.agents.question(flight.slot, flight.to) {
            question.refused(flight.template.asked);
        }
        Some(Outcome::Answered { rtt, sample: None })
    }
}

/// Address and port, without the scope and the flow label that a received IPv6 address may carry.
fn is_same(one: SocketAddr, other: SocketAddr) -> bool {
    (one.ip(), one.port()) == (other.ip(), other.port())
}
