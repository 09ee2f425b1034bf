//! Asks devices by ICMP echo.
//!
//! One socket an address family serves every device; without the right to a raw one, a few do. An answer counts only if it comes
//! from the address that was asked and returns the token of a probe in flight; identifier and sequence number, which NATs and
//! unprivileged sockets rewrite, decide nothing. The identifier changes with each loss, lest a flow that has gone bad in the network
//! keeps a device lost that is there.

mod echo;
mod family;
mod rotation;

use self::echo::Token;
use self::family::{Family, Version};
use self::rotation::Rotation;
use super::buffers::{self, READS_AT_ONCE};
use super::collector::Collector;
use super::{Deliver, ProbeEngine, StartError};
use crate::clock::Stopwatch;
use crate::domain::watch::{Ask, Method, Outcome, Probe, Round, Slot};
use core::cmp::Reverse;
use core::future::pending;
use core::hash::BuildHasher;
use core::net::IpAddr;
use core::time::Duration;
use metrics::Counter;
use std::collections::hash_map::RandomState;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::io::{self, ErrorKind};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::yield_now;

/// Probes in flight at most; more wait to be sent.
const MAX_IN_FLIGHT: usize = 1 << 20;

/// Probes sent before answers are looked at again, so that a burst neither overflows the receive buffer nor spoils round-trip times.
const SENDS_A_TURN: usize = 64;

/// Starts the engine. The metrics recorder must be installed before. A host without IPv6 is fine: its IPv6 probes come back unsent.
pub fn start(deliver: Deliver) -> Result<ProbeEngine, StartError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(StartError::Thread)?;
    let engine = {
        let _inside = runtime.enter();
        Engine::new(deliver, MAX_IN_FLIGHT)?
    };
    ProbeEngine::spawn("icmp", runtime, move |inbox| engine.run(inbox))
}

/// A probe that was sent and not answered yet.
struct Flight {
    slot: Slot,
    round: Round,
    address: IpAddr,
    proof: u64,
    sent: Duration,
    /// What the kernel had dropped of the family's datagrams by then.
    dropped: u32,
}

struct Engine {
    v4: Family,
    /// Or why there is none.
    v6: Result<Family, String>,
    collector: Collector,
    /// Not sent yet.
    waiting: VecDeque<Probe>,
    in_flight: HashMap<u64, Flight>,
    max_in_flight: usize,
    /// When which flight is lost; flights that were answered since are skipped.
    deadlines: BinaryHeap<Reverse<(Duration, u64)>>,
    rotation: Rotation,
    next_serial: u64,
    secret: RandomState,
    clock: Stopwatch,
    ignored: Counter,
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
            in_flight: HashMap::new(),
            max_in_flight,
            deadlines: BinaryHeap::new(),
            rotation: Rotation::default(),
            next_serial: 0,
            secret,
            clock: Stopwatch::start(),
            ignored: metrics::counter!("ntuwatch_ignored_datagrams_total", "method" => Method::Icmp.name()),
        })
    }

    async fn run(mut self, mut inbox: UnboundedReceiver<Vec<Probe>>) {
        loop {
            tokio::select! {
                probes = inbox.recv() => match probes {
                    Some(probes) => self.waiting.extend(probes),
                    None => return,
                },
                () = self.readable() => {}
                () = self.may_send() => {}
                () = self.deadline() => {}
                () = self.collector.due() => self.collector.flush(),
            }
            // answers first: one that lies in the socket has come in time
            self.receive();
            self.look();
            self.give_up();
            self.send();
        }
    }

    /// Returns when a socket may have something to read.
    async fn readable(&self) {
        let v6 = async {
            match &self.v6 {
                Ok(v6) => v6.readable().await,
                Err(_) => pending().await,
            }
        };
        tokio::select! {
            () = self.v4.readable() => {}
            () = v6 => {}
        }
    }

    /// Returns when the next of the probes that wait may be sent.
    async fn may_send(&self) {
        match self.waiting.front() {
            Some(probe) if self.in_flight.len() < self.max_in_flight => {
                // lets the runtime look at the sockets first, or answers would lie in them until the whole burst is sent
                yield_now().await;
                if let Ok(family) = self.family(probe.address)
                    && let Err(error) = family.writable(self.rotation.of(probe.slot)).await
                {
                    tracing::warn!(%error, "cannot wait for room in an ICMP socket");
                }
            }
            Some(_) | None => pending().await,
        }
    }

    /// Returns when the next probe in flight is lost.
    async fn deadline(&self) {
        match self.deadlines.peek() {
            Some(Reverse((deadline, _))) => tokio::time::sleep(deadline.saturating_sub(self.clock.elapsed())).await,
            None => pending().await,
        }
    }

    fn family(&self, address: IpAddr) -> Result<&Family, &String> {
        match address {
            IpAddr::V4(_) => Ok(&self.v4),
            IpAddr::V6(_) => self.v6.as_ref(),
        }
    }

    /// Reads what has come.
    fn receive(&mut self) {
        for _ in 0..READS_AT_ONCE {
            let Some((from, token)) = self.next_datagram() else { return };
            if !token.is_some_and(|token| self.answered(from, token)) {
                self.ignored.increment(1);
            }
        }
    }

    fn next_datagram(&self) -> Option<(IpAddr, Option<Token>)> {
        let families = [Some(&self.v4), self.v6.as_ref().ok()];
        families.into_iter().flatten().find_map(|family| match family.try_receive() {
            Ok(datagram) => Some(datagram),
            Err(error) => {
                if error.kind() != ErrorKind::WouldBlock {
                    tracing::debug!(%error, "cannot read from an ICMP socket");
                }
                None
            }
        })
    }

    /// Whether it answers a probe in flight: one that is late, doubled or forged does not.
    fn answered(&mut self, from: IpAddr, token: Token) -> bool {
        let known = self.in_flight.get(&token.serial);
        if !known.is_some_and(|flight| flight.proof == token.proof && flight.address == from) {
            return false;
        }
        if let Some(flight) = self.in_flight.remove(&token.serial) {
            let rtt = self.clock.elapsed().saturating_sub(flight.sent);
            self.collector.report(flight.slot, flight.round, Outcome::Answered { rtt, sample: None });
        }
        true
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
        while let Some(Reverse((deadline, serial))) = self.deadlines.peek()
            && (*deadline <= now || !self.in_flight.contains_key(serial))
        {
            if let Some(flight) = self.in_flight.remove(serial) {
                self.unanswered(&flight);
            }
            self.deadlines.pop();
        }
    }

    /// If the kernel has dropped anything since a probe was sent, that may have been its answer: it is no loss.
    fn unanswered(&mut self, flight: &Flight) {
        let overflowed = self.family(flight.address).is_ok_and(|family| family.dropped() != flight.dropped);
        let outcome = if overflowed {
            buffers::overflowed()
        } else {
            self.rotation.lost(flight.slot);
            Outcome::Lost
        };
        self.collector.report(flight.slot, flight.round, outcome);
    }

    /// Sends a few of the probes that wait.
    fn send(&mut self) {
        for _ in 0..SENDS_A_TURN {
            if self.in_flight.len() >= self.max_in_flight {
                return;
            }
            let Some(probe) = self.waiting.pop_front() else { return };
            match self.try_send(&probe) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return self.waiting.push_front(probe),
                Err(error) => {
                    self.collector.report(probe.slot, probe.round, Outcome::NotSent { why: error.to_string() })
                }
            }
        }
    }

    fn try_send(&mut self, probe: &Probe) -> io::Result<()> {
        match &probe.ask {
            Ask::Icmp => {}
            Ask::Snmp(_) => return Err(io::Error::other("an SNMP probe was handed to the ICMP engine")),
        }
        let serial = self.next_serial;
        let proof = self.secret.hash_one((serial, probe.address, probe.slot, probe.round));
        let turn = self.rotation.of(probe.slot);
        let sent = self.clock.elapsed();
        let family = match probe.address {
            IpAddr::V4(_) => &mut self.v4,
            IpAddr::V6(_) => self.v6.as_mut().map_err(|why| io::Error::other(why.clone()))?,
        };
        family.try_send(probe.address, turn, Token { serial, proof })?;
        let dropped = family.dropped();
        self.next_serial += 1;
        let flight = Flight { slot: probe.slot, round: probe.round, address: probe.address, proof, sent, dropped };
        self.in_flight.insert(serial, flight);
        self.deadlines.push(Reverse((sent.saturating_add(probe.timeout), serial)));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::rotation::Turn;
    use super::*;
    use crate::domain::watch::ProbeResult;
    use core::net::Ipv4Addr;
    use std::sync::mpsc;

    fn probe(slot: u32) -> Probe {
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Probe { slot: Slot(slot), round: 4, address, timeout: Duration::MAX, ask: Ask::Icmp }
    }

    #[tokio::test]
    async fn what_does_not_fit_in_flight_waits() {
        let Ok(mut engine) = Engine::new(Box::new(|_| Ok(())), 2) else {
            return println!("skipped: no right to ICMP here");
        };
        engine.v4.writable(Turn::default()).await.unwrap();
        engine.waiting.extend((0..5).map(probe));
        for waiting in [3, 1, 0] {
            engine.send();
            assert!(engine.in_flight.len() <= 2);
            assert_eq!(engine.waiting.len(), waiting);
            engine.in_flight.clear();
        }
    }

    #[tokio::test]
    async fn only_the_token_from_the_right_address_is_an_answer() {
        let (sender, receiver) = mpsc::channel();
        let deliver: Deliver = Box::new(move |batch| sender.send(batch).map_err(|refused| refused.0));
        let Ok(mut engine) = Engine::new(deliver, 2) else { return println!("skipped: no right to ICMP here") };
        engine.v4.writable(Turn::default()).await.unwrap();
        engine.try_send(&probe(3)).unwrap();
        let (serial, proof) = engine.in_flight.iter().map(|(serial, flight)| (*serial, flight.proof)).next().unwrap();

        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        engine.answered(address, Token { serial, proof: proof ^ 1 });
        engine.answered(address, Token { serial: serial + 1, proof });
        engine.answered(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2)), Token { serial, proof });
        engine.give_up();
        assert_eq!(engine.in_flight.len(), 1, "forgeries change nothing");

        engine.answered(address, Token { serial, proof });
        engine.answered(address, Token { serial, proof });
        engine.give_up();
        assert!(engine.in_flight.is_empty() && engine.deadlines.is_empty());
        engine.collector.flush();
        let batch = receiver.try_recv().unwrap();
        assert!(matches!(batch[..], [ref only] if only.slot == Slot(3) && only.round == 4), "{batch:?}");
    }

    #[tokio::test]
    async fn an_answer_that_comes_too_late_is_none() {
        let (sender, receiver) = mpsc::channel();
        let deliver: Deliver = Box::new(move |batch| sender.send(batch).map_err(|refused| refused.0));
        let Ok(mut engine) = Engine::new(deliver, 2) else { return println!("skipped: no right to ICMP here") };
        engine.v4.writable(Turn::default()).await.unwrap();
        engine.try_send(&Probe { timeout: Duration::ZERO, ..probe(3) }).unwrap();
        let (serial, proof) = engine.in_flight.iter().map(|(serial, flight)| (*serial, flight.proof)).next().unwrap();
        engine.give_up();
        engine.answered(IpAddr::V4(Ipv4Addr::LOCALHOST), Token { serial, proof });
        engine.collector.flush();
        let batch = receiver.try_recv().unwrap();
        assert!(matches!(batch[..], [ProbeResult { slot: Slot(3), outcome: Outcome::Lost, .. }]), "{batch:?}");
    }

    #[tokio::test]
    async fn what_our_own_queue_had_no_room_for_is_no_loss() {
        const BURST: u32 = SENDS_A_TURN as u32;
        let (sender, receiver) = mpsc::channel();
        let deliver: Deliver = Box::new(move |batch| sender.send(batch).map_err(|refused| refused.0));
        let Ok(mut engine) = Engine::new(deliver, MAX_IN_FLIGHT) else {
            return println!("skipped: no right to ICMP here");
        };
        let impatient = |slot| Probe { timeout: Duration::ZERO, ..probe(slot) };
        engine.v4.writable(Turn::default()).await.unwrap();
        engine.v4.narrow();
        engine.waiting.extend((0..BURST).map(impatient));
        engine.send();
        while engine.v4.dropped() == 0 {
            yield_now().await;
            engine.look();
        }
        engine.receive();
        engine.give_up();
        engine.collector.flush();
        let (answered, excused): (Vec<_>, Vec<_>) =
            receiver.try_iter().flatten().partition(|result| matches!(result.outcome, Outcome::Answered { .. }));
        assert_eq!(answered.len() + excused.len(), BURST as usize);
        assert!(!excused.is_empty());
        for ProbeResult { outcome, slot, .. } in excused {
            assert!(
                matches!(&outcome, Outcome::NotSent { why } if why == "our receive queue overflowed"),
                "{outcome:?}"
            );
            assert_eq!(engine.rotation.of(slot), Turn(0), "its flow is not to blame");
        }

        // that is over: what is not answered from now on is lost
        engine.try_send(&impatient(1)).unwrap();
        engine.give_up();
        engine.collector.flush();
        let last = receiver.try_recv().unwrap();
        assert!(matches!(last[..], [ProbeResult { slot: Slot(1), outcome: Outcome::Lost, .. }]), "{last:?}");
        assert_eq!(engine.rotation.of(Slot(1)), Turn(1));
    }
}
