//! Asks devices by SNMP: one request a probe, without retries, for probing again is the watch's business.
//!
//! SNMPv1 and SNMPv2c are asked as by the ICMP engine: one socket an address family, questions in small bursts, each followed by a look
//! at what has come. An answer counts only if it comes from the address and port that were asked, with the community and the version,
//! and with the request-id of a question in flight. SNMPv3 has a thread of its own, which starts with the first unit that needs it.
//!
//! An agent that answers, be it with a refusal, is alive. One that can't fit its answer in is asked in parts, and for less from then on.

mod agents;
mod exchanges;
mod family;
#[cfg(test)]
mod fuzz_tests;
mod ids;
mod question;
mod request;
mod response;
mod status;
mod v3;

use self::exchanges::{Event, Exchanges, MAX_IN_FLIGHT, Turn};
use self::family::Family;
use super::buffers::READS_AT_ONCE;
use super::collector::Collector;
use super::orders::{Order, Orders};
use super::polling::{BURST, Datagram, Moment, Serial, Strays};
use super::{Deliver, ProbeEngine, StartError};
use crate::clock::Stopwatch;
use crate::domain::watch::{Ask, Method, Outcome, Probe, SnmpAccess, SnmpVersion};
use core::net::SocketAddr;
use core::ops::Range;
use core::time::Duration;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;
use socket2::Domain;
use std::collections::VecDeque;
use std::io::ErrorKind;
use std::sync::{Arc, Mutex, PoisonError};

/// Bursts sent before the rest is looked after again.
const BURSTS_A_TURN: usize = 64;

/// Starts the engine. The metrics recorder must be installed before. A host without an address family is fine: its probes come back
/// unsent.
pub fn start(deliver: Deliver) -> Result<ProbeEngine, StartError> {
    ProbeEngine::spawn_polling("snmp", move || Ok(Engine::new(deliver, MAX_IN_FLIGHT)), Engine::run)
}

struct Engine {
    /// IPv4 and IPv6, or why there is none.
    families: [Result<Family, String>; 2],
    collector: Collector,
    strays: Strays,
    exchanges: Exchanges,
    max_in_flight: usize,
    /// Not sent yet.
    waiting: VecDeque<Probe>,
    /// Further questions of probes in flight, to be sent before those.
    again: VecDeque<Serial>,
    /// Whether the socket for the first of them was full.
    blocked: bool,
    clock: Stopwatch,
    /// Room for what goes.
    letters: Vec<Letter>,
    written: Vec<u8>,
    v3: V3,
}

/// A question on its way to the kernel.
struct Letter {
    serial: Serial,
    to: SocketAddr,
    /// Where it is written.
    at: Range<usize>,
}

impl Engine {
    fn new(deliver: Deliver, max_in_flight: usize) -> Self {
        let deliver = Arc::new(Mutex::new(deliver));
        let open = |domain| Family::open(domain).map_err(|error| format!("no UDP socket: {error}"));
        Self {
            families: [Domain::IPV4, Domain::IPV6].map(open),
            collector: Collector::new(Method::Snmp, shared(&deliver)),
            strays: Strays::new(Method::Snmp),
            exchanges: Exchanges::new(),
            max_in_flight,
            waiting: VecDeque::new(),
            again: VecDeque::new(),
            blocked: false,
            clock: Stopwatch::start(),
            letters: Vec::with_capacity(BURST),
            written: Vec::new(),
            v3: V3 { deliver, engine: None },
        }
    }

    fn run(mut self, orders: &Orders) {
        loop {
            self.rest(orders);
            orders.hush();
            loop {
                match orders.take() {
                    Order::Probes(probes) => self.take(probes),
                    Order::Nothing => break,
                    Order::Stop => return,
                }
            }
            // answers first: one that lies in the socket has come in time
            self.receive(READS_AT_ONCE);
            self.families.iter_mut().flatten().for_each(Family::look);
            self.give_up();
            self.send();
            if self.collector.wait().is_some_and(|wait| wait.is_zero()) {
                self.collector.flush();
            }
        }
    }

    /// Sleeps until there is something to do.
    fn rest(&mut self, orders: &Orders) {
        let next = self.next_address();
        let now = self.clock.elapsed();
        let deadline = self.exchanges.next_deadline().map(|at| at.saturating_sub(now));
        let send = (next.is_some() && !self.blocked).then_some(Duration::ZERO);
        let sleep = [deadline, self.collector.wait(), send].into_iter().flatten().min();
        let mut ready = vec![PollFd::new(orders.bell(), PollFlags::POLLIN)];
        for (family, is_v4) in self.families.iter().zip([true, false]) {
            let Ok(family) = family else { continue };
            let is_full = self.blocked && next.is_some_and(|next| next.is_ipv4() == is_v4);
            let way_out = if is_full { PollFlags::POLLOUT } else { PollFlags::empty() };
            ready.push(PollFd::new(family.socket(), PollFlags::POLLIN | way_out));
        }
        match ppoll(&mut ready, sleep.map(TimeSpec::from_duration), None) {
            Ok(_) | Err(nix::Error::EINTR) => self.blocked = false,
            Err(error) => tracing::error!(%error, "cannot wait for SNMP sockets"),
        }
    }

    /// Takes orders: what is of SNMPv3 is handed on.
    fn take(&mut self, probes: Vec<Probe>) {
        let mut v3 = Vec::new();
        for probe in probes {
            match &probe.ask {
                Ask::Snmp(access) if is_v3(access) => v3.push(probe),
                Ask::Snmp(_) => self.waiting.push_back(probe),
                Ask::Icmp => self.refuse(&probe, "an ICMP probe was handed to the SNMP engine".to_owned()),
            }
        }
        if v3.is_empty() {
            return;
        }
        match self.v3.engine() {
            Ok(engine) => engine.send(v3),
            Err(error) => v3.iter().for_each(|probe| self.refuse(probe, error.to_string())),
        }
    }

    /// Reads what has come, up to so many datagrams or a few more.
    fn receive(&mut self, most: usize) {
        let mut read = 0;
        while read < most {
            let Self { families, exchanges, collector, again, strays, clock, .. } = self;
            let before = read;
            for family in families.iter_mut().flatten() {
                let mut now = None;
                let received = family.receive(|datagram: Datagram<'_>| {
                    let now = *now.get_or_insert_with(|| clock.elapsed());
                    match exchanges.arrived(datagram, now) {
                        Ok(Turn::Done(Event { slot, round, outcome })) => collector.report(slot, round, outcome),
                        Ok(Turn::More(serial)) => again.push_back(serial),
                        Err(stray) => strays.count(stray),
                    }
                });
                match received {
                    Ok(count) => read += count,
                    Err(error) => tracing::debug!(%error, "cannot read from an SNMP socket"),
                }
            }
            if read == before {
                return;
            }
        }
    }

    /// Reports what was not answered in time.
    fn give_up(&mut self) {
        let now = self.clock.elapsed();
        let Self { families, exchanges, collector, .. } = self;
        let dropped = |to: SocketAddr| families[place(to)].as_ref().map_or(0, Family::dropped);
        while let Some(Event { slot, round, outcome }) = exchanges.give_up(now, dropped) {
            collector.report(slot, round, outcome);
        }
    }

    /// Sends what waits, a burst at a time, each followed by a look at what has come.
    fn send(&mut self) {
        for _ in 0..BURSTS_A_TURN {
            match self.send_burst() {
                Some(sent) => self.receive(sent),
                None => return,
            }
        }
    }

    /// Where the next question goes, if there is one to be sent.
    fn next_address(&mut self) -> Option<SocketAddr> {
        while let Some(&serial) = self.again.front() {
            match self.exchanges.address(serial) {
                Some(to) => return Some(to),
                None => drop(self.again.pop_front()),
            }
        }
        let first = self.waiting.front().filter(|_| self.exchanges.len() < self.max_in_flight)?;
        Some(SocketAddr::new(first.address, 0))
    }

    /// Sends one burst of what waits; returns how many questions that were, unless there is nothing to send now.
    fn send_burst(&mut self) -> Option<usize> {
        let next = self.next_address()?;
        let family = place(next);
        if let Err(why) = &self.families[family] {
            let why = why.clone();
            return self.refuse_first(why);
        }
        let continued = self.write_burst(family);
        let (letters, written) = (&self.letters, &self.written);
        let result = match &mut self.families[family] {
            Ok(family) => family.send(letters, |letter| (letter.to, &written[letter.at.clone()])),
            Err(_) => return None,
        };
        let taken = *result.as_ref().unwrap_or(&0);
        self.letters[taken.max(continued)..].iter().for_each(|letter| self.exchanges.cancel(letter.serial));
        self.again.drain(..taken.min(continued));
        self.waiting.drain(..taken.saturating_sub(continued));
        match result {
            Ok(_) => Some(taken),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.blocked = true;
                None
            }
            Err(error) => self.refuse_first(error.to_string()),
        }
    }

    /// Writes a burst of what waits for one family, questions of probes in flight first; returns how many of those there are.
    fn write_burst(&mut self, family: usize) -> usize {
        let Self { exchanges, waiting, again, letters, written, .. } = self;
        let sent = Moment::now(self.clock);
        let dropped = self.families[family].as_ref().map_or(0, Family::dropped);
        letters.clear();
        written.clear();
        let mut write = |exchanges: &mut Exchanges, serial| {
            let start = written.len();
            let to = exchanges.write(serial, sent, written)?;
            letters.push(Letter { serial, to, at: start..written.len() });
            Some(())
        };
        let mut count = 0;
        for &serial in again.iter().take(BURST) {
            if exchanges.address(serial).is_none_or(|to| place(to) != family) || write(exchanges, serial).is_none() {
                break;
            }
            count += 1;
        }
        let room = self.max_in_flight.saturating_sub(exchanges.len()).min(BURST - count);
        for probe in waiting.iter().take(room) {
            let Ask::Snmp(access) = &probe.ask else { break };
            if place(SocketAddr::new(probe.address, 0)) != family {
                break;
            }
            let begun = exchanges.begin(probe, access, sent, dropped);
            if begun.and_then(|serial| write(exchanges, serial)).is_none() {
                break;
            }
        }
        count
    }

    /// The first of what waits cannot be sent.
    fn refuse_first(&mut self, why: String) -> Option<usize> {
        if let Some(serial) = self.again.pop_front() {
            if let Some(Event { slot, round, outcome }) = self.exchanges.break_off(serial) {
                self.collector.report(slot, round, outcome);
            }
        } else {
            let probe = self.waiting.pop_front()?;
            self.refuse(&probe, why);
        }
        Some(0)
    }

    fn refuse(&mut self, probe: &Probe, why: String) {
        self.collector.report(probe.slot, probe.round, Outcome::NotSent { why });
    }
}

/// The place of the family in which `address` is.
const fn place(address: SocketAddr) -> usize {
    match address {
        SocketAddr::V4(_) => 0,
        SocketAddr::V6(_) => 1,
    }
}

const fn is_v3(access: &SnmpAccess) -> bool {
    match access.version {
        SnmpVersion::V1 { .. } | SnmpVersion::V2c { .. } => false,
        SnmpVersion::V3 { .. } => true,
    }
}

/// The engine for SNMPv3, once it is needed.
struct V3 {
    deliver: Arc<Mutex<Deliver>>,
    engine: Option<ProbeEngine>,
}

impl V3 {
    fn engine(&mut self) -> Result<&ProbeEngine, StartError> {
        match &mut self.engine {
            Some(engine) => Ok(engine),
            none => Ok(none.insert(v3::start(shared(&self.deliver))?)),
        }
    }
}

/// Two threads hand over results.
fn shared(deliver: &Arc<Mutex<Deliver>>) -> Deliver {
    let deliver = Arc::clone(deliver);
    Box::new(move |batch| deliver.lock().unwrap_or_else(PoisonError::into_inner)(batch))
}

#[cfg(test)]
mod tests;
