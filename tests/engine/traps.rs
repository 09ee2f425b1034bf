//! The trap engine against Debian's snmptrap and snmpinform, and against peers that mean no good.

use crate::snmp::{secret, sha256, v2c, v3};
use crate::snmpd::SHA256;
use async_snmp::message::V3Message;
use async_snmp::v3::UsmSecurityParams;
use async_snmp::{DecodeConfig, MessageSize};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use ntuwatch::domain::watch::{AuthProtocol, PrivProtocol, SnmpAccess, SnmpVersion, Trap, TrapKind};
use ntuwatch::engine::traps::{self, Sender, Settings, StartError, TrapEngine};
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::process::Command;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

/// Longer than any exchange of these tests takes, on a busy machine too.
const PATIENCE: Duration = Duration::from_secs(60);

/// What may become of a datagram.
const OUTCOMES: [&str; 5] = ["taken", "unknown_sender", "refused", "malformed", "flood"];

const LINK_DOWN: &str = "1.3.6.1.6.3.1.1.5.3";

/// What snmptrap says after the credentials and the destination: interface 7 went down.
const ABOUT_7: [&str; 5] = ["", LINK_DOWN, "1.3.6.1.2.1.2.2.1.1.7", "i", "7"];

/// An engine, what it delivers and what it counts.
struct Bench {
    engine: TrapEngine,
    traps: Receiver<Vec<Trap>>,
    counts: PrometheusHandle,
    /// Where the commands keep their number of boots.
    home: TempDir,
}

impl Bench {
    fn new() -> Self {
        Self::on("127.0.0.1:0", |_| true)
    }

    /// An engine on `listen`; `has_room` says of each offer, by its number, whether there is room for it.
    fn on(listen: &str, has_room: impl Fn(u32) -> bool + Send + 'static) -> Self {
        let (sender, traps) = mpsc::channel();
        let mut offers = 0;
        let deliver = Box::new(move |batch| {
            offers += 1;
            has_room(offers) && sender.send(batch).is_ok()
        });
        let recorder = PrometheusBuilder::new().build_recorder();
        let settings = Settings { listen: listen.parse().expect("an address") };
        let engine = metrics::with_local_recorder(&recorder, || traps::start(settings, deliver)).expect("an engine");
        Self { engine, traps, counts: recorder.handle(), home: tempfile::tempdir().expect("a directory") }
    }

    fn know(&self, versions: impl IntoIterator<Item = SnmpVersion>) {
        self.engine.know(versions.into_iter().map(|version| sender(Ipv4Addr::LOCALHOST, version)).collect());
    }

    /// Runs snmptrap or snmpinform; says whether it was content. `None`, with a word on the console, where there is none.
    fn run(&self, program: &str, arguments: &[&str]) -> Option<bool> {
        self.run_to(program, self.engine.address(), arguments, &ABOUT_7)
    }

    fn run_to(&self, program: &str, to: SocketAddr, arguments: &[&str], says: &[&str]) -> Option<bool> {
        let mut command = Command::new(program);
        command.env("SNMP_PERSISTENT_DIR", self.home.path()).env("SNMPCONFPATH", self.home.path()).env("MIBS", "");
        match command.args(arguments).arg(to.to_string()).args(says).output() {
            Ok(output) => Some(output.status.success()),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                println!("skipped: no {program} on this host");
                None
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// What a command sends in the one datagram of its trap.
    fn recorded(&self, arguments: &[&str]) -> Option<Vec<u8>> {
        let tape = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        tape.set_read_timeout(Some(PATIENCE)).expect("a socket");
        self.run_to("snmptrap", tape.local_addr().expect("an address"), arguments, &ABOUT_7)?;
        let mut datagram = vec![0; 2_048];
        let len = tape.recv(&mut datagram).expect("a trap");
        datagram.truncate(len);
        Some(datagram)
    }

    fn next(&self) -> Vec<Trap> {
        self.traps.recv_timeout(PATIENCE).expect("a trap in time")
    }

    /// The next trap, which must have come alone.
    fn next_one(&self) -> Trap {
        let [trap] = <[Trap; 1]>::try_from(self.next()).expect("one trap");
        trap
    }

    /// How many datagrams met that end.
    fn count(&self, outcome: &str) -> usize {
        let page = self.counts.render();
        let series = format!("ntuwatch_traps_received_total{{outcome=\"{outcome}\"}} ");
        let line = page.lines().find_map(|line| line.strip_prefix(&series));
        line.expect("the series is there from the start").parse().expect("a number")
    }

    /// Waits until `count` datagrams have met that end.
    fn await_count(&self, outcome: &str, count: usize) {
        self.await_sum_of(&[outcome], count);
    }

    /// Waits until something has become of `count` datagrams.
    fn await_sum(&self, count: usize) {
        self.await_sum_of(&OUTCOMES, count);
    }

    fn await_sum_of(&self, outcomes: &[&str], count: usize) {
        let sum = || outcomes.iter().map(|outcome| self.count(outcome)).sum::<usize>();
        for _ in 0..PATIENCE.as_millis() {
            if sum() == count {
                return;
            }
            thread::sleep(Duration::from_millis(1));
        }
        panic!("{} and not {count} {outcomes:?}", sum());
    }

    /// The engine's ID as snmpinform wants it, as the engine itself says to who does not know it.
    fn discovered(&self) -> String {
        let asking = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        asking.set_read_timeout(Some(PATIENCE)).expect("a socket");
        let question = V3Message::discovery_request(1, MessageSize::new(1_472).expect("a size"));
        let question = question.and_then(|question| question.encode()).expect("a question");
        asking.send_to(&question, self.engine.address()).expect("a datagram");
        let mut buffer = vec![0; 2_048];
        let len = asking.recv(&mut buffer).expect("an answer");
        let answer = V3Message::decode(buffer[..len].to_vec().into(), DecodeConfig::STRICT).expect("an answer").value;
        let said =
            UsmSecurityParams::decode(answer.security_params().clone(), DecodeConfig::STRICT).expect("USM").value;
        said.engine_id().iter().fold("0x".to_owned(), |id, octet| format!("{id}{octet:02x}"))
    }
}

fn sender(address: Ipv4Addr, version: SnmpVersion) -> Sender {
    let access = Some(Arc::new(SnmpAccess { version, port: 161, interface: None }));
    Sender { address: IpAddr::V4(address), access }
}

fn v1(community: &str) -> SnmpVersion {
    SnmpVersion::V1 { community: secret(community) }
}

fn link_down() -> Trap {
    Trap { from: IpAddr::V4(Ipv4Addr::LOCALHOST), says: TrapKind::LinkDown, interface: Some(7) }
}

/// Every kind of credentials, with how snmptrap is given them.
fn all_credentials() -> Vec<(SnmpVersion, Vec<&'static str>)> {
    let sha512 = v3("sha512", Some((AuthProtocol::Sha512, "authpass512")), Some((PrivProtocol::Aes256, "privpass512")));
    vec![
        (v2c("public"), vec!["-v", "2c", "-c", "public"]),
        (v3("plain", None, None), vec!["-v", "3", "-u", "plain", "-l", "noAuthNoPriv"]),
        (
            v3("md5", Some((AuthProtocol::Md5, "authpassmd5")), None),
            vec!["-v", "3", "-u", "md5", "-l", "authNoPriv", "-a", "MD5", "-A", "authpassmd5"],
        ),
        (
            v3("sha1", Some((AuthProtocol::Sha1, "onepassphrase")), Some((PrivProtocol::Aes128, "onepassphrase"))),
            vec![
                "-v",
                "3",
                "-u",
                "sha1",
                "-l",
                "authPriv",
                "-a",
                "SHA",
                "-A",
                "onepassphrase",
                "-x",
                "AES",
                "-X",
                "onepassphrase",
            ],
        ),
        (sha256(), SHA256.to_vec()),
        (
            sha512,
            vec![
                "-v",
                "3",
                "-u",
                "sha512",
                "-l",
                "authPriv",
                "-a",
                "SHA-512",
                "-A",
                "authpass512",
                "-x",
                "AES-256",
                "-X",
                "privpass512",
            ],
        ),
    ]
}

#[test]
fn traps_of_every_version_and_security_level_are_heard() {
    let bench = Bench::new();
    let credentials = all_credentials();
    bench.know(credentials.iter().map(|(version, _)| version.clone()));
    for (_, arguments) in &credentials {
        if bench.run("snmptrap", arguments).is_none() {
            return;
        }
        assert_eq!(bench.next_one(), link_down(), "{arguments:?}");
    }
    bench.await_count("taken", credentials.len());
}

#[test]
fn informs_of_every_version_and_security_level_are_acknowledged() {
    for (version, arguments) in all_credentials() {
        let bench = Bench::new();
        bench.know([version]);
        let arguments = [&["-r", "0", "-t", "60"], &arguments[..]].concat();
        let Some(content) = bench.run("snmpinform", &arguments) else { return };
        assert!(content, "{arguments:?}");
        assert_eq!(bench.next_one(), link_down(), "{arguments:?}");
        assert!(OUTCOMES[1..].iter().all(|outcome| bench.count(outcome) == 0));
    }
}

#[test]
fn traps_of_version_1_are_translated() {
    let bench = Bench::new();
    bench.know([v1("public")]);
    let other = |oid: &str| TrapKind::Other(oid.to_owned());
    let kinds = [
        ("0", "0", TrapKind::ColdStart),
        ("1", "0", TrapKind::WarmStart),
        ("2", "0", TrapKind::LinkDown),
        ("3", "0", TrapKind::LinkUp),
        ("4", "0", TrapKind::AuthenticationFailure),
        ("5", "0", other("1.3.6.1.6.3.1.1.5.6")),
        ("6", "42", other("1.3.6.1.4.1.9999.0.42")),
    ];
    for (generic, specific, kind) in kinds {
        let says = ["1.3.6.1.4.1.9999", "192.0.2.1", generic, specific, "", "1.3.6.1.2.1.2.2.1.1.3", "i", "3"];
        let credentials = ["-v", "1", "-c", "public"];
        if bench.run_to("snmptrap", bench.engine.address(), &credentials, &says).is_none() {
            return;
        }
        let trap = Trap { says: kind, interface: Some(3), ..link_down() };
        assert_eq!(bench.next_one(), trap, "from where it came, not from where it says");
    }
}

#[test]
fn what_a_trap_says_is_its_object_identifier() {
    let bench = Bench::new();
    bench.know([v2c("public")]);
    let says = |oid| bench.run_to("snmptrap", bench.engine.address(), &["-v", "2c", "-c", "public"], &["", oid]);
    let kinds = [
        ("1.3.6.1.6.3.1.1.5.1", TrapKind::ColdStart),
        ("1.3.6.1.6.3.1.1.5.4", TrapKind::LinkUp),
        ("1.3.6.1.4.1.9999.0.42", TrapKind::Other("1.3.6.1.4.1.9999.0.42".to_owned())),
    ];
    for (oid, kind) in kinds {
        if says(oid).is_none() {
            return;
        }
        assert_eq!(bench.next_one(), Trap { says: kind, interface: None, ..link_down() });
    }
}

#[test]
fn wrong_credentials_are_refused() {
    let with = |user, level, auth, privacy| {
        ["-v", "3", "-u", user, "-l", level, "-a", "SHA-256", "-A", auth, "-x", "AES", "-X", privacy]
    };
    let wrong: [(SnmpVersion, &[&str]); 9] = [
        (v2c("public"), &["-v", "2c", "-c", "private"]),
        (v2c("public"), &["-v", "2c", "-c", "publi"]),
        (v2c("public"), &SHA256),
        (sha256(), &["-v", "2c", "-c", "sha256"]),
        (sha256(), &with("nobody", "authPriv", "authpass256", "privpass256")),
        (sha256(), &with("sha256", "authPriv", "not the pass phrase", "privpass256")),
        (sha256(), &with("sha256", "authPriv", "authpass256", "not the pass phrase")),
        (sha256(), &["-v", "3", "-u", "sha256", "-l", "noAuthNoPriv"]),
        (v3("sha256", None, None), &SHA256),
    ];
    for (version, arguments) in wrong {
        let bench = Bench::new();
        bench.know([version]);
        if bench.run("snmptrap", arguments).is_none() {
            return;
        }
        bench.await_count("refused", 1);
        assert_eq!(bench.run("snmpinform", &[&["-r", "0", "-t", "0.2"], arguments].concat()), Some(false));
        bench.await_count("refused", 2);
        assert_eq!(bench.count("taken"), 0, "{arguments:?}");
    }
}

#[test]
fn a_signature_is_enough_without_encryption() {
    let bench = Bench::new();
    bench.know([sha256()]);
    let signed = ["-v", "3", "-u", "sha256", "-l", "authNoPriv", "-a", "SHA-256", "-A", "authpass256"];
    if bench.run("snmptrap", &signed).is_some() {
        assert_eq!(bench.next_one(), link_down());
    }
}

#[test]
fn only_who_is_known_is_heard() {
    let bench = Bench::new();
    let Some(trap) = bench.recorded(&["-v", "2c", "-c", "public"]) else { return };
    let [first, second] = [Ipv4Addr::new(127, 0, 0, 2), Ipv4Addr::new(127, 0, 0, 3)];
    let say = |address| send(address, &trap, bench.engine.address());
    say(first);
    bench.await_count("unknown_sender", 1);
    bench.engine.know(vec![sender(first, v2c("public"))]);
    say(second);
    say(first);
    assert_eq!(bench.next_one(), Trap { from: first.into(), ..link_down() });
    assert_eq!(bench.count("unknown_sender"), 2);
    bench.engine.know(vec![sender(second, v2c("public")), Sender { address: first.into(), access: None }]);
    say(first);
    say(second);
    assert_eq!(bench.next_one(), Trap { from: second.into(), ..link_down() });
    assert_eq!(bench.count("refused"), 1, "known, but without credentials");
}

#[test]
fn a_flood_is_cut_off_and_leaves_the_others_their_room() {
    const FLOOD: usize = 500;
    let bench = Bench::new();
    let Some(trap) = bench.recorded(&["-v", "2c", "-c", "public"]) else { return };
    let [mad, calm] = [Ipv4Addr::new(127, 0, 0, 2), Ipv4Addr::new(127, 0, 0, 3)];
    bench.engine.know(vec![sender(mad, v2c("public")), sender(calm, v2c("public"))]);
    let socket = UdpSocket::bind((mad, 0)).expect("a socket");
    for sent in 1..=FLOOD {
        socket.send_to(&trap, bench.engine.address()).expect("a datagram");
        // in step with the engine, so that none is lost on the way
        if sent % 50 == 0 {
            bench.await_sum(sent);
        }
    }
    // the next word on who is known does not give a box gone mad another burst
    bench.engine.know(vec![sender(mad, v2c("public")), sender(calm, v2c("public"))]);
    send(mad, &trap, bench.engine.address());
    send(calm, &trap, bench.engine.address());
    bench.await_sum(FLOOD + 2);
    let heard: Vec<Trap> = bench.traps.try_iter().flatten().collect();
    assert_eq!(heard.iter().filter(|trap| trap.from == calm).count(), 1);
    let of_mad = heard.iter().filter(|trap| trap.from == mad).count();
    assert!((10..FLOOD / 2).contains(&of_mad), "{of_mad} got through");
    assert_eq!(bench.count("flood"), FLOOD + 1 - of_mad);
}

#[test]
fn what_came_while_the_loop_was_slow_is_handed_over_in_bounded_batches() {
    let (open, gate) = mpsc::channel();
    let (busy, is_busy) = mpsc::channel();
    let wait = move || busy.send(()).is_ok() && gate.recv().is_ok();
    let bench = Bench::on("127.0.0.1:0", move |offer| offer > 1 || wait());
    let Some(trap) = bench.recorded(&["-v", "2c", "-c", "public"]) else { return };
    let address = |number| Ipv4Addr::new(127, 2, 0, number);
    bench.engine.know((0..=100).map(|number| sender(address(number), v2c("public"))).collect());
    send(address(100), &trap, bench.engine.address());
    is_busy.recv_timeout(PATIENCE).expect("a loop that waits");
    (0..100).for_each(|number| send(address(number), &trap, bench.engine.address()));
    open.send(()).expect("a loop that waits");
    let lens: Vec<usize> = (0..3).map(|_| bench.next().len()).collect();
    assert_eq!(lens, [1, 64, 36]);
}

#[test]
fn an_inform_that_there_is_no_room_for_comes_again() {
    let bench = Bench::on("127.0.0.1:0", |offer| offer > 1);
    bench.know([v2c("public")]);
    let patient = ["-r", "5", "-t", "1", "-v", "2c", "-c", "public"];
    let Some(content) = bench.run("snmpinform", &patient) else { return };
    assert!(content);
    assert_eq!(bench.next_one(), link_down());
    assert_eq!(bench.count("flood"), 1);
}

#[test]
fn what_is_no_trap_disturbs_nobody() {
    let bench = Bench::new();
    let versions: [&[&str]; 3] =
        [&["-v", "2c", "-c", "public"], &["-v", "3", "-u", "plain", "-l", "noAuthNoPriv"], &SHA256];
    let mut recorded = Vec::new();
    for arguments in versions {
        let Some(trap) = bench.recorded(arguments) else { return };
        recorded.push(trap);
    }
    let mut garbage = vec![Vec::new(), vec![0x30; 40], vec![0x30; 9_000], vec![0xff; 1_400]];
    for trap in &recorded {
        garbage.extend((0..trap.len()).map(|len| trap[..len].to_vec()));
        garbage.push([trap, &b"and more"[..]].concat());
    }
    let signed = recorded.pop().expect("the one that is signed");
    let flipped = (0..signed.len()).map(|at| {
        let mut flipped = signed.clone();
        flipped[at] ^= 0x81;
        flipped
    });
    garbage.extend(flipped);
    let address = |number: usize| Ipv4Addr::new(127, 1, (number / 250) as u8, 1 + (number % 250) as u8);
    let known = [v2c("public"), v3("plain", None, None), sha256()];
    let senders = (0..garbage.len()).flat_map(|number| known.clone().map(|version| sender(address(number), version)));
    bench.engine.know(senders.chain([sender(Ipv4Addr::LOCALHOST, sha256())]).collect());
    for (number, datagram) in garbage.iter().enumerate() {
        send(address(number), datagram, bench.engine.address());
        bench.await_sum(number + 1);
    }
    assert_eq!(bench.count("taken"), 0);
    assert_eq!(bench.count("malformed") + bench.count("refused"), garbage.len());
    send(Ipv4Addr::LOCALHOST, &signed, bench.engine.address());
    assert_eq!(bench.next_one(), link_down());
}

#[test]
fn a_sender_that_is_wrong_about_our_engine_is_put_right() {
    let bench = Bench::new();
    bench.know([sha256()]);
    let engine_id = bench.discovered();
    assert_eq!(bench.discovered(), engine_id);
    let inform = |more: &[&str]| bench.run("snmpinform", &[more, &SHA256].concat());
    let Some(content) = inform(&["-r", "1", "-t", "60", "-e", &engine_id, "-Z", "1,1"]) else { return };
    assert!(content, "long ago");
    assert_eq!(bench.next_one(), link_down());
    bench.await_count("refused", 1);
    assert_eq!(inform(&["-r", "0", "-t", "0.2", "-e", "0x8000000001020304"]), Some(false), "for somebody else");
    bench.await_count("refused", 2);
}

#[test]
fn a_recorded_trap_of_an_earlier_start_is_refused() {
    let bench = Bench::new();
    bench.know([sha256()]);
    let at = |boots_and_time| [&["-e", "0x8000000001020304", "-Z", boots_and_time], &SHA256[..]].concat();
    let Some(recorded) = bench.recorded(&at("7,1000")) else { return };
    bench.run("snmptrap", &at("8,5"));
    assert_eq!(bench.next_one(), link_down());
    send(Ipv4Addr::LOCALHOST, &recorded, bench.engine.address());
    bench.await_count("refused", 1);
    bench.run("snmptrap", &at("8,6"));
    assert_eq!(bench.next_one(), link_down());
}

#[test]
fn several_boxes_may_share_an_address() {
    let bench = Bench::new();
    let one = v3("same", Some((AuthProtocol::Sha256, "authpass of one")), None);
    let other = v3("same", Some((AuthProtocol::Sha256, "authpass of the other")), None);
    bench.know([v2c("public"), one, other]);
    let as_same = |phrase| ["-v", "3", "-u", "same", "-l", "authNoPriv", "-a", "SHA-256", "-A", phrase];
    for arguments in [&as_same("authpass of the other")[..], &as_same("authpass of one"), &["-v", "2c", "-c", "public"]]
    {
        if bench.run("snmptrap", arguments).is_none() {
            return;
        }
        assert_eq!(bench.next_one(), link_down());
    }
}

#[test]
fn ipv4_senders_are_known_by_their_own_address_on_a_socket_for_both() {
    if UdpSocket::bind("[::1]:0").is_err() {
        return println!("skipped: no IPv6 here");
    }
    let bench = Bench::on("[::]:0", |_| true);
    bench.know([v2c("public")]);
    let to = SocketAddr::from((Ipv4Addr::LOCALHOST, bench.engine.address().port()));
    if bench.run_to("snmptrap", to, &["-v", "2c", "-c", "public"], &ABOUT_7).is_some() {
        assert_eq!(bench.next_one(), link_down());
    }
}

#[test]
fn a_port_that_cannot_be_had_is_said_plainly() {
    let bench = Bench::new();
    let start = |listen| traps::start(Settings { listen }, Box::new(|_| true));
    let taken = start(bench.engine.address()).expect_err("a port in use");
    assert!(matches!(taken, StartError::Taken(_)) && taken.to_string().contains("choose another port"), "{taken}");
    let foreign = start(SocketAddr::from(([192, 0, 2, 1], 0))).expect_err("an address of nobody");
    assert!(foreign.to_string().contains("192.0.2.1:0"), "{foreign}");
    let address = bench.engine.address();
    drop(bench);
    assert_eq!(
        start(address).expect("a free port").address(),
        address,
        "an engine that is gone has let go of its port"
    );
}

/// Sends a datagram from `address`.
fn send(address: Ipv4Addr, datagram: &[u8], to: SocketAddr) {
    UdpSocket::bind((address, 0)).and_then(|socket| socket.send_to(datagram, to)).expect("a datagram");
}
