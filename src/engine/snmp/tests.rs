use super::*;
use crate::domain::watch::{ProbeResult, Secret, Slot};
use core::net::{IpAddr, Ipv4Addr};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use std::net::UdpSocket;
use std::sync::mpsc::{self, Receiver};
use std::thread;

const HOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Longer than a busy machine takes to answer itself.
const WHILE: Duration = Duration::from_secs(30);

struct Bench {
    engine: Engine,
    results: Receiver<Vec<ProbeResult>>,
    metrics: PrometheusHandle,
    agent: UdpSocket,
}

impl Bench {
    fn new(max_in_flight: usize) -> Self {
        let (sender, results) = mpsc::channel();
        let deliver: Deliver = Box::new(move |batch| sender.send(batch).map_err(|refused| refused.0));
        let recorder = PrometheusBuilder::new().build_recorder();
        let engine = metrics::with_local_recorder(&recorder, || Engine::new(deliver, max_in_flight));
        Self { engine, results, metrics: recorder.handle(), agent: UdpSocket::bind((HOST, 0)).unwrap() }
    }

    fn probe(&self, slot: u32, timeout: Duration) -> Probe {
        let version = SnmpVersion::V2c { community: Secret::new("public".to_owned()) };
        let port = self.agent.local_addr().unwrap().port();
        let access = Arc::new(SnmpAccess { version, port, interface: Some(1) });
        Probe { slot: Slot(slot), round: 4, address: HOST, timeout, ask: Ask::Snmp(access) }
    }

    /// Sends a probe and returns the request, with where it came from.
    fn ask(&mut self, timeout: Duration) -> (Vec<u8>, SocketAddr) {
        let probe = self.probe(1, timeout);
        self.engine.take(vec![probe]);
        self.send()
    }

    fn send(&mut self) -> (Vec<u8>, SocketAddr) {
        assert_eq!(self.engine.send_burst(), Some(1));
        let mut request = [0; 2_048];
        let (len, from) = self.agent.recv_from(&mut request).unwrap();
        (request[..len].to_vec(), from)
    }

    /// Lets the engine read until it has ignored so many datagrams for a reason.
    fn ignores(&mut self, why: &str, count: u64) {
        let line = format!("ntuwatch_ignored_datagrams_total{{method=\"snmp\",why=\"{why}\"}} {count}\n");
        while !self.metrics.render().contains(&line) {
            self.engine.receive(READS_AT_ONCE);
            thread::yield_now();
        }
    }

    /// Lets the engine read until there are results.
    fn results(&mut self) -> Vec<Outcome> {
        loop {
            self.engine.receive(READS_AT_ONCE);
            self.engine.families.iter_mut().flatten().for_each(Family::look);
            self.engine.give_up();
            self.engine.collector.flush();
            let outcomes: Vec<_> = self.results.try_iter().flatten().map(|result| result.outcome).collect();
            if !outcomes.is_empty() {
                return outcomes;
            }
            thread::yield_now();
        }
    }
}

/// The request as a response: each object has no value.
fn echoed(request: &[u8]) -> Vec<u8> {
    let pdu = request.iter().position(|octet| *octet == 0xa0).unwrap();
    let mut response = request.to_vec();
    response[pdu] = 0xa2;
    response
}

/// The same with this error status.
fn refused(request: &[u8], status: u8) -> Vec<u8> {
    let mut response = echoed(request);
    let bindings = request.windows(7).position(|octets| octets[..6] == [2, 1, 0, 2, 1, 0]).unwrap();
    response[bindings + 2] = status;
    response
}

#[test]
fn what_does_not_fit_in_flight_waits() {
    let mut bench = Bench::new(2);
    let probes = (0..5).map(|slot| bench.probe(slot, Duration::ZERO)).collect();
    bench.engine.take(probes);
    for (sent, waiting) in [(2, 3), (2, 1), (1, 0)] {
        assert_eq!(bench.engine.send_burst(), Some(sent));
        assert_eq!(bench.engine.send_burst(), None);
        assert_eq!((bench.engine.waiting.len(), bench.engine.exchanges.len()), (waiting, sent));
        let outcomes = bench.results();
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Lost { .. })), "{outcomes:?}");
        assert_eq!(outcomes.len(), sent);
    }
}

#[test]
fn an_answer_counts_once_and_from_who_was_asked_with_the_right_community() {
    let mut bench = Bench::new(MAX_IN_FLIGHT);
    let (request, ours) = bench.ask(WHILE);
    let answer = echoed(&request);
    let elsewhere = UdpSocket::bind((HOST, 0)).unwrap();
    elsewhere.send_to(&answer, ours).unwrap();
    let mut other_community = answer.clone();
    let at = answer.windows(6).position(|octets| octets == b"public").unwrap();
    other_community[at] = b'P';
    let mut other_version = answer.clone();
    other_version[at - 3] = 0;
    assert_ne!(other_version, answer);
    for wrong in [&other_community, &other_version, &request] {
        bench.agent.send_to(wrong, ours).unwrap();
    }
    bench.ignores("foreign", 4);
    assert_eq!(bench.engine.exchanges.len(), 1);
    for _ in 0..3 {
        bench.agent.send_to(&answer, ours).unwrap();
    }
    assert!(matches!(bench.results()[..], [Outcome::Answered { sample: None, .. }]));
    bench.ignores("duplicate", 2);

    let (request, ours) = bench.ask(Duration::ZERO);
    assert!(matches!(bench.results()[..], [Outcome::Lost { .. }]));
    bench.agent.send_to(&echoed(&request), ours).unwrap();
    bench.ignores("late", 1);
    bench.ignores("foreign", 4);
}

#[test]
fn what_is_asked_in_parts_has_the_time_of_one_question() {
    let mut bench = Bench::new(MAX_IN_FLIGHT);
    let (request, ours) = bench.ask(WHILE);
    let deadline = bench.engine.exchanges.next_deadline();
    bench.agent.send_to(&refused(&request, 1), ours).unwrap();
    while bench.engine.again.is_empty() {
        bench.engine.receive(READS_AT_ONCE);
    }
    assert_eq!(bench.engine.exchanges.next_deadline(), deadline);
    let (half, _) = bench.send();
    assert!(half.len() < request.len());
    // the answer to the whole is none to the half
    bench.agent.send_to(&echoed(&request), ours).unwrap();
    bench.ignores("late", 1);
    bench.agent.send_to(&echoed(&half), ours).unwrap();
    while bench.engine.again.is_empty() {
        bench.engine.receive(READS_AT_ONCE);
    }
    let (other_half, _) = bench.send();
    assert_ne!(half[half.len() / 2..], other_half[other_half.len() / 2..]);
    bench.agent.send_to(&echoed(&other_half), ours).unwrap();
    assert!(matches!(bench.results()[..], [Outcome::Answered { .. }]));
    assert_eq!((bench.engine.exchanges.len(), bench.engine.exchanges.next_deadline()), (0, None));
}

#[test]
fn what_our_own_queue_had_no_room_for_is_no_loss() {
    let mut bench = Bench::new(MAX_IN_FLIGHT);
    bench.engine.families[0].as_ref().unwrap().narrow();
    let (_, ours) = bench.ask(Duration::ZERO);
    while bench.engine.families[0].as_ref().unwrap().dropped() == 0 {
        bench.agent.send_to(b"no answer", ours).unwrap();
        bench.engine.families[0].as_mut().unwrap().look();
    }
    let outcomes = bench.results();
    assert!(
        matches!(&outcomes[..], [Outcome::NotSent { why }] if why == "our receive queue overflowed"),
        "{outcomes:?}"
    );
    bench.ask(Duration::ZERO);
    let outcomes = bench.results();
    assert!(matches!(outcomes[..], [Outcome::Lost { .. }]), "that is over: {outcomes:?}");
}

#[test]
fn an_answer_that_lies_in_the_socket_has_come_in_time() {
    let timeout = Duration::from_millis(200);
    let mut bench = Bench::new(MAX_IN_FLIGHT);
    // The kernel begins to stamp datagrams some time after the first socket that wants it, which may be this one.
    let mut outcomes = Vec::new();
    for _ in 0..20 {
        let (request, ours) = bench.ask(timeout);
        bench.agent.send_to(&echoed(&request), ours).unwrap();
        // the machine stands still for longer than the answer may take
        thread::sleep(2 * timeout);
        outcomes = bench.results();
        if matches!(outcomes[..], [Outcome::Answered { rtt, .. }] if rtt < timeout) {
            return;
        }
    }
    panic!("{outcomes:?}");
}
