//! The SNMP engine against Debian's snmpd, and against peers that mean no good.

use crate::ber::{RESPONSE, community_answer, community_get, pdu, tlv, values};
use crate::mailbox::Mailbox;
use crate::snmpd::Snmpd;
use ntuwatch::domain::watch::{
    Ask, AuthProtocol, Outcome, PrivProtocol, Probe, Secret, Slot, SnmpAccess, SnmpSample, SnmpVersion,
};
use ntuwatch::engine::{ProbeEngine, snmp};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

/// Probes to wait for a peer to come up, or for the engine to get used to a new one.
const ATTEMPTS: u32 = 200;

/// ifIndex of the loopback interface.
const LO: u32 = 1;

pub(crate) struct Bench {
    engine: ProbeEngine,
    mailbox: Mailbox,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let (mailbox, deliver) = Mailbox::new();
        Self { engine: snmp::start(deliver).expect("an engine"), mailbox }
    }

    pub(crate) fn ask(&self, probe: Probe) -> Outcome {
        self.engine.send(vec![probe]);
        self.mailbox.take_one()
    }

    /// Asks again and again until the answer is right; returns it with the number of probes it took.
    fn ask_until(&self, probe: &Probe, right: impl Fn(&Outcome) -> bool) -> (Outcome, u32) {
        for attempt in 1..=ATTEMPTS {
            let outcome = self.ask(probe.clone());
            if right(&outcome) {
                return (outcome, attempt);
            }
        }
        panic!("no right answer to {probe:?}");
    }
}

pub(crate) fn probe(slot: u32, port: u16, version: SnmpVersion) -> Probe {
    let access = Arc::new(SnmpAccess { version, port, interface: Some(LO) });
    let timeout = Duration::from_millis(500);
    Probe { slot: Slot(slot), round: 1, address: IpAddr::V4(Ipv4Addr::LOCALHOST), timeout, ask: Ask::Snmp(access) }
}

pub(crate) fn secret(word: &str) -> Secret {
    Secret::new(word.to_owned())
}

pub(crate) fn v2c(community: &str) -> SnmpVersion {
    SnmpVersion::V2c { community: secret(community) }
}

pub(crate) fn v3(user: &str, auth: Option<(AuthProtocol, &str)>, privacy: Option<(PrivProtocol, &str)>) -> SnmpVersion {
    SnmpVersion::V3 {
        user: user.to_owned(),
        auth: auth.map(|(protocol, phrase)| (protocol, secret(phrase))),
        privacy: privacy.map(|(protocol, phrase)| (protocol, secret(phrase))),
    }
}

pub(crate) fn sha256() -> SnmpVersion {
    v3("sha256", Some((AuthProtocol::Sha256, "authpass256")), Some((PrivProtocol::Aes128, "privpass256")))
}

pub(crate) fn is_answered(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Answered { .. })
}

fn sample(outcome: Outcome) -> SnmpSample {
    let Outcome::Answered { sample: Some(sample), rtt } = outcome else { panic!("{outcome:?}") };
    assert!(rtt > Duration::ZERO && rtt < Duration::from_millis(500), "{rtt:?}");
    *sample
}

/// As snmpd is told where to listen.
fn on(port: u16) -> String {
    format!("udp:127.0.0.1:{port}")
}

/// An snmpd that answers, with the port it listens on.
fn snmpd(bench: &Bench) -> Option<(Snmpd, u16)> {
    let port = free_port();
    let snmpd = Snmpd::start(None, &on(port), "first")?;
    bench.ask_until(&probe(1_000_000, port, v2c("public")), is_answered);
    Some((snmpd, port))
}

#[test]
fn every_version_and_security_level_is_answered_in_full() {
    let bench = Bench::new();
    let Some((_snmpd, port)) = snmpd(&bench) else { return };
    let versions = [
        SnmpVersion::V1 { community: secret("public") },
        v2c("public"),
        v3("plain", None, None),
        v3("md5", Some((AuthProtocol::Md5, "authpassmd5")), None),
        v3("sha1", Some((AuthProtocol::Sha1, "authpassone")), Some((PrivProtocol::Aes128, "privpassone"))),
        sha256(),
        v3("sha512", Some((AuthProtocol::Sha512, "authpass512")), Some((PrivProtocol::Aes256, "privpass512"))),
    ];
    for (slot, version) in (0..).zip(versions) {
        for _ in 0..3 {
            let mut probe = probe(slot, port, version.clone());
            probe.timeout = Duration::from_secs(5);
            let outcome = bench.ask(probe);
            let Outcome::Answered { sample: Some(sample), .. } = outcome else { panic!("{version:?}: {outcome:?}") };
            assert_eq!(sample.oper_status, Some(1), "{version:?}");
            let traffic = [sample.in_octets, sample.out_octets, sample.in_packets, sample.out_packets];
            let errors = [sample.in_errors, sample.out_errors];
            assert!(sample.uptime_cs.is_some(), "{version:?}: {sample:?}");
            assert!(traffic.iter().chain(&errors).all(Option::is_some), "{version:?}: {sample:?}");
            let v3 = matches!(version, SnmpVersion::V3 { .. });
            assert_eq!(sample.engine_boots, v3.then_some(1), "{version:?}");
        }
    }
}

#[test]
fn an_interface_that_is_not_there_loses_no_unit() {
    let bench = Bench::new();
    let Some((_snmpd, port)) = snmpd(&bench) else { return };
    let missing = |slot, version| {
        let access = SnmpAccess { version, port, interface: Some(4_000_000) };
        Probe { ask: Ask::Snmp(Arc::new(access)), ..probe(slot, port, v2c("")) }
    };
    let v2 = sample(bench.ask(missing(1, v2c("public"))));
    assert!(v2.uptime_cs.is_some() && v2.oper_status.is_none() && v2.in_octets.is_none());

    let v1 = missing(2, SnmpVersion::V1 { community: secret("public") });
    for refused in ["the counters", "the state"] {
        assert!(
            matches!(bench.ask(v1.clone()), Outcome::Answered { sample: None, .. }),
            "SNMPv1 refuses all for {refused}"
        );
    }
    let next = sample(bench.ask(v1));
    assert!(next.uptime_cs.is_some(), "what it has is asked for from then on");
}

#[test]
fn wrong_credentials_are_told_from_silence() {
    let bench = Bench::new();
    let Some((_snmpd, port)) = snmpd(&bench) else { return };
    let right = (PrivProtocol::Aes128, "privpass256");
    let rejected = [
        ("unknown user name", v3("nobody", Some((AuthProtocol::Sha256, "authpass256")), Some(right))),
        ("wrong digest", v3("sha256", Some((AuthProtocol::Sha256, "not the pass phrase")), Some(right))),
        ("unsupported security level", v3("plain", Some((AuthProtocol::Sha256, "authpass256")), None)),
    ];
    for (slot, (expected, version)) in (0..).zip(rejected) {
        for _ in 0..5 {
            let mut probe = probe(slot, port, version.clone());
            probe.timeout = Duration::from_secs(5);
            let outcome = bench.ask(probe);
            assert!(matches!(outcome, Outcome::Rejected { why, .. } if why == expected), "{expected}: {outcome:?}");
        }
    }
    assert!(matches!(bench.ask(probe(10, port, v2c("private"))), Outcome::Lost { .. }));
    let short = v3("sha256", Some((AuthProtocol::Sha256, "short")), None);
    assert!(matches!(bench.ask(probe(11, port, short)), Outcome::NotSent { .. }));
}

#[test]
fn nobody_there_is_a_loss() {
    let bench = Bench::new();
    let port = free_port();
    for version in [v2c("public"), sha256()] {
        assert!(matches!(bench.ask(probe(1, port, version)), Outcome::Lost { .. }));
    }
}

/// Waits until the snmpd on `port` is up, then checks that `v3` is answered after a few probes.
fn recovers(bench: &Bench, port: u16, v3: &Probe) {
    bench.ask_until(&probe(1_000_000, port, v2c("public")), is_answered);
    let (_, attempts) = bench.ask_until(v3, is_answered);
    assert!(attempts <= 3, "it took {attempts} probes");
}

#[test]
fn an_agent_that_restarts_or_is_replaced_is_found_again() {
    let bench = Bench::new();
    let Some((mut first, port)) = snmpd(&bench) else { return };
    let v3 = Probe { timeout: Duration::from_secs(5), ..probe(1, port, sha256()) };
    assert!(is_answered(&bench.ask(v3.clone())));
    first.restart();
    recovers(&bench, port, &v3);
    first.restart();
    recovers(&bench, port, &v3);
    drop(first);
    let Some(fewer_boots) = Snmpd::start(None, &on(port), "first") else { return };
    recovers(&bench, port, &v3);
    drop(fewer_boots);
    let Some(_other_engine) = Snmpd::start(None, &on(port), "second") else { return };
    recovers(&bench, port, &v3);
}

#[test]
fn a_healthy_snmpv3_agent_costs_one_exchange_a_probe() {
    let bench = Bench::new();
    let Some((_snmpd, port)) = snmpd(&bench) else { return };
    let exchanges = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&exchanges);
    let relay = peer(move |socket, request, from| {
        counter.fetch_add(1, Ordering::Relaxed);
        let onward = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        onward.send_to(request, ("127.0.0.1", port)).expect("a request");
        let mut answer = [0; 2_048];
        let len = onward.recv(&mut answer).expect("an answer");
        socket.send_to(&answer[..len], from).expect("an answer");
    });
    let ask = || bench.ask(Probe { timeout: Duration::from_secs(5), ..probe(1, relay, sha256()) });
    assert!(is_answered(&ask()));
    let getting_to_know = exchanges.load(Ordering::Relaxed);
    assert!(getting_to_know <= 3, "engine ID, time and the question itself: {getting_to_know}");
    assert!((0..5).all(|_| is_answered(&ask())));
    assert_eq!(exchanges.load(Ordering::Relaxed), getting_to_know + 5);
}

#[test]
fn a_changed_access_takes_effect_at_once() {
    let bench = Bench::new();
    let Some((_snmpd, port)) = snmpd(&bench) else { return };
    assert!(matches!(bench.ask(probe(1, port, v2c("private"))), Outcome::Lost { .. }));
    assert!(is_answered(&bench.ask(probe(1, port, v2c("public")))));
}

#[test]
fn many_devices_at_once_are_all_answered() {
    let bench = Bench::new();
    let Some((_snmpd, port)) = snmpd(&bench) else { return };
    let patient = |slot| {
        let version = if slot % 2 == 0 { v2c("public") } else { sha256() };
        Probe { timeout: Duration::from_secs(30), ..probe(slot, port, version) }
    };
    // snmpd's own receive buffer holds no more than a few hundred questions
    bench.engine.send((0..200).map(patient).collect());
    let results = bench.mailbox.take(200);
    assert!(results.values().all(is_answered), "{results:?}");
}

/// A peer that answers every request with what `reply` makes of it.
pub(crate) fn peer(reply: impl Fn(&UdpSocket, &[u8], SocketAddr) + Send + 'static) -> u16 {
    serve(UdpSocket::bind("127.0.0.1:0").expect("a socket"), reply)
}

fn serve(socket: UdpSocket, reply: impl Fn(&UdpSocket, &[u8], SocketAddr) + Send + 'static) -> u16 {
    let port = socket.local_addr().expect("an address").port();
    thread::spawn(move || {
        let mut buffer = [0; 2_048];
        while let Ok((len, from)) = socket.recv_from(&mut buffer) {
            reply(&socket, &buffer[..len], from);
        }
    });
    port
}

/// What an honest agent that has none of the objects would answer to an SNMPv1 or SNMPv2c get: the same as a response.
fn response(request: &[u8]) -> Vec<u8> {
    community_answer(request, tlv(RESPONSE, values(values(request)[0].1)[2].1))
}

#[test]
fn hostile_peers_are_losses_and_disturb_nobody() {
    let honest = peer(|socket, request, from| {
        socket.send_to(&response(request), from).expect("an answer");
    });
    let garbage = peer(|socket, request, from| {
        for len in [0, 1, 40, 1_400] {
            socket.send_to(&vec![0x30; len], from).expect("an answer");
        }
        let mut flipped = response(request);
        for at in 0..flipped.len() {
            flipped[at] ^= 0x81;
            socket.send_to(&flipped, from).expect("an answer");
            flipped[at] ^= 0x80;
        }
    });
    let truncated = peer(|socket, request, from| {
        let whole = response(request);
        for len in 0..whole.len() {
            socket.send_to(&whole[..len], from).expect("an answer");
        }
    });
    let other_port = peer(|_, request, from| {
        let other = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        other.send_to(&response(request), from).expect("an answer");
    });
    let other_request = peer(|socket, request, from| {
        let mut request_id = community_get(request).request_id;
        *request_id.last_mut().expect("an integer") ^= 1;
        socket.send_to(&community_answer(request, pdu(RESPONSE, request_id, 0, 0, &[])), from).expect("an answer");
    });
    let bench = Bench::new();
    for version in [v2c("public"), SnmpVersion::V1 { community: secret("public") }] {
        let hostile = [garbage, truncated, other_port, other_request];
        let mut probes: Vec<_> = (0..).zip(hostile).map(|(slot, port)| probe(slot, port, version.clone())).collect();
        probes.extend((10..60).map(|slot| probe(slot, honest, version.clone())));
        bench.engine.send(probes);
        for ((slot, _), outcome) in bench.mailbox.take(54) {
            assert_eq!(is_answered(&outcome), slot.0 >= 10, "{slot:?}: {outcome:?}");
        }
    }
}

#[test]
fn those_who_are_silent_and_those_who_flood_keep_nobody_waiting() {
    const NOISE: usize = 100;
    let silent = peer(|_, _, _| {});
    let flooding = peer(|socket, request, from| {
        let mut request_id = community_get(request).request_id;
        let at = request_id.len() - 2;
        request_id[at] ^= 1;
        for number in 0..NOISE {
            *request_id.last_mut().expect("an integer") = number as u8 ^ 0x80;
            let noise = community_answer(request, pdu(RESPONSE, request_id.clone(), 0, 0, &[]));
            socket.send_to(&noise, from).expect("noise");
            socket.send_to(request, from).expect("noise");
        }
    });
    let honest = peer(|socket, request, from| {
        socket.send_to(&response(request), from).expect("an answer");
    });
    let bench = Bench::new();
    let patient = |slot, port| Probe { timeout: Duration::from_secs(600), ..probe(slot, port, v2c("public")) };
    let troublesome = (0..40).map(|slot| patient(slot, if slot % 2 == 0 { silent } else { flooding }));
    bench.engine.send(troublesome.collect());
    for round in 1..=3 {
        bench.engine.send((100..150).map(|slot| patient(slot * round, honest)).collect());
        let results = bench.mailbox.take(50);
        assert!(results.iter().all(|((slot, _), outcome)| slot.0 >= 100 && is_answered(outcome)), "{results:?}");
    }
}

#[test]
fn garbage_for_snmpv3_is_a_loss() {
    let garbage = peer(|socket, request, from| {
        for at in 0..request.len() {
            let mut mangled = request.to_vec();
            mangled[at] ^= 0x55;
            socket.send_to(&mangled, from).expect("an answer");
            socket.send_to(&request[..at], from).expect("an answer");
        }
    });
    let bench = Bench::new();
    for _ in 0..5 {
        assert!(matches!(bench.ask(probe(1, garbage, sha256())), Outcome::Lost { .. }));
    }
}

#[test]
fn an_agent_may_have_an_ipv6_address() {
    let Ok(socket) = UdpSocket::bind("[::1]:0") else { return println!("skipped: no IPv6 here") };
    let port = serve(socket, |socket, request, from| {
        socket.send_to(&response(request), from).expect("an answer");
    });
    let probe = Probe { address: IpAddr::V6(Ipv6Addr::LOCALHOST), ..probe(1, port, v2c("public")) };
    assert!(is_answered(&Bench::new().ask(probe)));
}

#[test]
fn a_probe_that_cannot_be_sent_is_no_loss() {
    let probe = Probe { address: IpAddr::V4(Ipv4Addr::BROADCAST), ..probe(1, 161, v2c("public")) };
    assert!(matches!(Bench::new().ask(probe), Outcome::NotSent { why } if !why.is_empty()));
}

/// A UDP port of 127.0.0.1 that nobody listens on.
fn free_port() -> u16 {
    UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port").port()
}
