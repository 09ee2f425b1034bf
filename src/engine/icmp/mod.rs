//! Asks devices by ICMP echo.
//!
//! One socket an address family serves every device; without the right to a raw one, a few do. An answer counts only if it comes
//! from the address that was asked and returns the token of a probe in flight; identifier and sequence number, which NATs and
//! unprivileged sockets rewrite, decide nothing. The identifier changes with each loss, lest a flow that has gone bad in the network
//! keeps a device lost that is there.
//!
//! What routers say of echoes that they could not pass on is remembered, and goes along with the loss of the probe. It is no answer
//! and ends no probe early: the device may still be there, and there is one way to lose.
//!
//! Echoes go out in small bursts, each followed by a look at what has come. A round trip begins when its burst is handed to the
//! kernel and ends with the kernel's own stamp on the reply, so it doesn't matter when we get round to reading that.

mod complaints;
mod echo;
mod error_queue;
#[cfg(test)]
mod error_tests;
mod errors;
mod family;
mod filter;
mod flights;
#[cfg(test)]
mod fuzz_tests;
#[cfg(test)]
mod namespace;
mod rotation;

use self::complaints::Complaints;
use self::errors::Complaint;
use self::family::{Arrival, Echo, Family, Message, Version};
use self::flights::{Flight, Flights};
use self::rotation::Rotation;
use super::buffers::{self, READS_AT_ONCE};
use super::collector::Collector;
use super::orders::{Order, Orders};
use super::polling::{BURST, Moment, Stray, Strays};
use super::{Deliver, ProbeEngine, StartError};
use crate::clock::Stopwatch;
use crate::domain::watch::{Method, Outcome, Probe, Undelivered};
use core::hash::BuildHasher;
use core::net::IpAddr;
use core::time::Duration;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;
use std::collections::VecDeque;
use std::collections::hash_map::RandomState;
use std::io::ErrorKind;

/// Probes in flight at most; more wait to be sent.
const MAX_IN_FLIGHT: usize = 1 << 20;

/// Bursts sent before the rest is looked after again.
const BURSTS_A_TURN: usize = 64;

/// Starts the engine. The metrics recorder must be installed before. A host without IPv6 is fine: its IPv6 probes come back unsent.
pub fn start(deliver: Deliver) -> Result<ProbeEngine, StartError> {
    ProbeEngine::spawn_polling("icmp", move || Engine::new(deliver, MAX_IN_FLIGHT), Engine::run)
}

struct Engine {
    v4: Family,
    /// Or why there is none.
    v6: Result<Family, String>,
    collector: Collector,
    /// Not sent yet.
    waiting: VecDeque<Probe>,
    /// Whether the socket for the first of them was full.
    blocked: bool,
    flights: Flights,
    max_in_flight: usize,
    rotation: Rotation,
    clock: Stopwatch,
    complaints: Complaints,
    strays: Strays,
    /// Room for what comes, and for what goes.
    arrivals: Vec<Arrival>,
    echoes: Vec<Echo>,
}

impl Engine {
    fn new(deliver: Deliver, max_in_flight: usize) -> Result<Self, StartError> {
        let secret = RandomState::new();
        let [high, low, ..] = secret.hash_one("identifier").to_be_bytes();
        let ident = u16::from_be_bytes([high, low]);
        let v4 = Family::open(Version::V4, ident).map_err(|error| {
            if error.kind() == ErrorKind::PermissionDenied { StartError::NoRight } else { StartError::Socket(error) }
        })?;
        Ok(Self {
            v4,
            v6: Family::open(Version::V6, ident).map_err(|error| format!("no ICMPv6 socket: {error}")),
            collector: Collector::new(Method::Icmp, deliver),
            waiting: VecDeque::new(),
            blocked: false,
            flights: Flights::new(secret),
            max_in_flight,
            rotation: Rotation::default(),
            clock: Stopwatch::start(),
            complaints: Complaints::new(),
            strays: Strays::new(Method::Icmp),
            arrivals: Vec::with_capacity(BURST),
            echoes: Vec::with_capacity(BURST),
        })
    }

    fn run(mut self, orders: &Orders) {
        loop {
            self.rest(orders);
            orders.hush();
            loop {
                match orders.take() {
                    Order::Probes(probes) => self.waiting.extend(probes),
                    Order::Nothing => break,
                    Order::Stop => return,
                }
            }
            // answers first: one that lies in the socket has come in time
            self.receive(READS_AT_ONCE);
            self.look();
            self.give_up();
            self.send();
            if self.collector.wait().is_some_and(|wait| wait.is_zero()) {
                self.collector.flush();
            }
        }
    }

    /// Sleeps until there is something to do.
    fn rest(&mut self, orders: &Orders) {
        let full = self.flights.len() >= self.max_in_flight;
        let now = self.clock.elapsed();
        let deadline = self.flights.next_deadline().map(|at| at.saturating_sub(now));
        let send = (!self.waiting.is_empty() && !full && !self.blocked).then_some(Duration::ZERO);
        let sleep = [deadline, self.collector.wait(), send].into_iter().flatten().min();
        let mut ready = vec![PollFd::new(orders.bell(), PollFlags::POLLIN)];
        // While results gather, so do answers: the kernel has stamped them.
        if self.collector.wait().is_none() {
            let families = [Some(&self.v4), self.v6.as_ref().ok()].into_iter().flatten();
            ready.extend(families.flat_map(Family::sockets).map(|socket| PollFd::new(socket, PollFlags::POLLIN)));
        }
        if let (true, false, Some(next)) = (self.blocked, full, self.waiting.front())
            && let Ok(family) = self.family(next.address)
        {
            ready.push(PollFd::new(family.way_out(self.rotation.of(next.slot)), PollFlags::POLLOUT));
        }
        match ppoll(&mut ready, sleep.map(TimeSpec::from_duration), None) {
            Ok(_) | Err(nix::Error::EINTR) => self.blocked = false,
            Err(error) => tracing::error!(%error, "cannot wait for ICMP sockets"),
        }
    }

    fn family(&self, address: IpAddr) -> Result<&Family, &String> {
        match address {
            IpAddr::V4(_) => Ok(&self.v4),
            IpAddr::V6(_) => self.v6.as_ref(),
        }
    }

    /// Reads what has come, up to so many datagrams or a few more.
    fn receive(&mut self, most: usize) {
        let mut read = 0;
        while read < most {
            self.arrivals.clear();
            for family in [Some(&mut self.v4), self.v6.as_mut().ok()].into_iter().flatten() {
                if let Err(error) = family.receive(&mut self.arrivals) {
                    tracing::debug!(%error, "cannot read from an ICMP socket");
                }
            }
            if self.arrivals.is_empty() {
                return;
            }
            read += self.arrivals.len();
            let now = self.clock.elapsed();
            for arrival in core::mem::take(&mut self.arrivals).drain(..) {
                self.arrived(arrival, now);
            }
        }
    }

    fn arrived(&mut self, arrival: Arrival, now: Duration) {
        let landed = match (arrival.from, arrival.says) {
            (Some(from), Some(Message::Reply(token))) => self.flights.land(from, token),
            (Some(router), Some(Message::Error(complaint))) => return self.complained(router, complaint, now),
            (None, _) | (_, None) => Err(Stray::Foreign),
        };
        match landed {
            Ok(flight) => {
                self.complaints.answered(flight.address);
                let rtt = flight.sent.round_trip(arrival.stamped, now);
                self.collector.report(flight.slot, flight.round, Outcome::Answered { rtt, sample: None });
            }
            Err(stray) => self.strays.count(stray),
        }
    }

    /// A router could not pass an echo on. Its probe flies on: it is lost when its time is over, and not before.
    fn complained(&mut self, router: IpAddr, Complaint { why, about }: Complaint, now: Duration) {
        let turn = self.family(about.to).ok().and_then(|family| family.turn_of(about.ident));
        let is_of = |flight: &Flight| turn.is_none_or(|turn| turn == self.rotation.of(flight.slot));
        let known = match about.token {
            Some(token) => self.flights.know(about.to, token),
            None => self.flights.find(about.to, about.sequence).filter(is_of).map(drop).ok_or(Stray::Foreign),
        };
        match known {
            Ok(()) => self.complaints.note(about.to, Undelivered { why, router }, now),
            Err(stray) => self.strays.count(stray),
        }
    }

    /// Looks up what the kernel had to drop until now.
    fn look(&mut self) {
        self.v4.look();
        if let Ok(v6) = &mut self.v6 {
            v6.look();
        }
    }

    /// Reports what was not answered in time.
    fn give_up(&mut self) {
        let now = self.clock.elapsed();
        while let Some(flight) = self.flights.give_up(now) {
            self.unanswered(&flight, now);
        }
    }

    /// If the kernel has dropped anything since a probe was sent, that may have been its answer: it is no loss.
    fn unanswered(&mut self, flight: &Flight, now: Duration) {
        let overflowed = self.family(flight.address).is_ok_and(|family| family.dropped() != flight.dropped);
        let outcome = if overflowed {
            buffers::overflowed()
        } else {
            self.rotation.lost(flight.slot);
            Outcome::Lost { witness: self.complaints.about(flight.address, now) }
        };
        self.collector.report(flight.slot, flight.round, outcome);
    }

    /// Sends the probes that wait, a burst at a time, each followed by a look at what has come.
    fn send(&mut self) {
        for _ in 0..BURSTS_A_TURN {
            match self.send_burst() {
                Some(sent) => self.receive(sent),
                None => return,
            }
        }
    }

    /// Sends one burst of the probes that wait; returns how many that were, unless there is nothing to send now.
    fn send_burst(&mut self) -> Option<usize> {
        let Self { waiting, flights, rotation, echoes, .. } = self;
        let room = self.max_in_flight.saturating_sub(flights.len()).min(BURST);
        let first = waiting.front().filter(|_| room > 0)?;
        let (version, turn) = (first.address.is_ipv4(), rotation.of(first.slot));
        let family = match (version, &mut self.v6) {
            (true, _) => &mut self.v4,
            (false, Ok(v6)) => v6,
            (false, Err(why)) => {
                let why = why.clone();
                return self.refuse_first(why);
            }
        };
        let sent = Moment::now(self.clock);
        echoes.clear();
        let goes_along =
            |probe: &&Probe| probe.address.is_ipv4() == version && family.is_one_way(rotation.of(probe.slot), turn);
        for probe in waiting.iter().take(room).take_while(goes_along) {
            let token = flights.begin(probe, sent, family.dropped());
            echoes.push(Echo { address: probe.address, turn: rotation.of(probe.slot), token });
        }
        let result = family.send(echoes);
        let taken = *result.as_ref().unwrap_or(&0);
        echoes[taken..].iter().for_each(|echo| flights.cancel(echo.token));
        waiting.drain(..taken);
        match result {
            Ok(_) => Some(taken),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.blocked = true;
                None
            }
            Err(error) => self.refuse_first(error.to_string()),
        }
    }

    /// The first of the probes that wait cannot be sent.
    fn refuse_first(&mut self, why: String) -> Option<usize> {
        let probe = self.waiting.pop_front()?;
        self.collector.report(probe.slot, probe.round, Outcome::NotSent { why });
        Some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::rotation::Turn;
    use super::*;
    use crate::domain::watch::{Ask, ProbeResult, Slot};
    use core::net::Ipv4Addr;
    use std::sync::mpsc;

    fn probe(slot: u32) -> Probe {
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Probe { slot: Slot(slot), round: 4, address, timeout: Duration::MAX, ask: Ask::Icmp }
    }

    #[test]
    fn what_does_not_fit_in_flight_waits() {
        let (sender, receiver) = mpsc::channel();
        let deliver: Deliver = Box::new(move |batch| sender.send(batch).map_err(|refused| refused.0));
        let Ok(mut engine) = Engine::new(deliver, 2) else { return println!("skipped: no right to ICMP here") };
        engine.waiting.extend((0..5).map(probe));
        while !engine.waiting.is_empty() || engine.flights.len() > 0 {
            assert!(engine.flights.len() <= 2);
            engine.receive(READS_AT_ONCE);
            engine.send_burst();
        }
        engine.collector.flush();
        assert_eq!(receiver.try_iter().flatten().count(), 5);
    }

    #[test]
    fn what_our_own_queue_had_no_room_for_is_no_loss() {
        const ALL: u32 = BURST as u32;
        let (sender, receiver) = mpsc::channel();
        let deliver: Deliver = Box::new(move |batch| sender.send(batch).map_err(|refused| refused.0));
        let Ok(mut engine) = Engine::new(deliver, MAX_IN_FLIGHT) else {
            return println!("skipped: no right to ICMP here");
        };
        let impatient = |slot| Probe { timeout: Duration::ZERO, ..probe(slot) };
        engine.v4.narrow();
        engine.waiting.extend((0..ALL).map(impatient));
        assert_eq!(engine.send_burst(), Some(BURST));
        while engine.v4.dropped() == 0 {
            std::thread::yield_now();
            engine.look();
        }
        engine.receive(READS_AT_ONCE);
        engine.give_up();
        engine.collector.flush();
        let (answered, excused): (Vec<_>, Vec<_>) =
            receiver.try_iter().flatten().partition(|result| matches!(result.outcome, Outcome::Answered { .. }));
        assert_eq!(answered.len() + excused.len(), BURST);
        assert!(!excused.is_empty());
        for ProbeResult { outcome, slot, .. } in excused {
            assert!(
                matches!(&outcome, Outcome::NotSent { why } if why == "our receive queue overflowed"),
                "{outcome:?}"
            );
            assert_eq!(engine.rotation.of(slot), Turn(0), "its flow is not to blame");
        }

        // that is over: what is not answered from now on is lost
        engine.waiting.push_back(impatient(1));
        engine.send_burst();
        engine.give_up();
        engine.collector.flush();
        let last = receiver.try_recv().unwrap();
        assert!(matches!(last[..], [ProbeResult { slot: Slot(1), outcome: Outcome::Lost { .. }, .. }]), "{last:?}");
        assert_eq!(engine.rotation.of(Slot(1)), Turn(1));
    }
}
