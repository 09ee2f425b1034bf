//! What stories can't tell: several methods, addresses that change, engines that fall silent, limits at the limit.

use super::*;
use crate::domain::desk::{LetterKind, Priority, Witness};
use crate::domain::letter::{Content, Letter, Thread};
use crate::domain::maintenance::{Draft, Scope, Window};
use crate::domain::party::Customer;
use crate::domain::plan::Stability;
use crate::domain::watch::probe::{Method, Outcome, ProbeResult};
use alloc::format;
use alloc::string::ToString;
use alloc::vec;
use core::net::Ipv4Addr;

const SECOND: Duration = Duration::from_secs(1);
const PACE: Pace = Pace {
    interval: Duration::from_secs(10),
    snmp_interval: Duration::from_secs(60),
    timeout: SECOND,
    down_after: Duration::from_secs(600),
    solve_after: Duration::from_secs(300),
    history: Duration::from_secs(3_600),
};

fn unit(id: &str) -> Device {
    let circuit = Circuit {
        customer: "acme".into(),
        order: "SO-1".into(),
        service: "DIA".into(),
        region: "EMEA".into(),
        ttr: Duration::from_secs(14_400),
        supplier: None,
        pop: None,
        access: None,
        rate: None,
    };
    Device {
        id: id.into(),
        role: Role::Unit(circuit),
        host: "192.0.2.1".into(),
        upstream: None,
        icmp: true,
        snmp: None,
        pace: PACE,
        limits: Arc::new(Limits::DEFAULT),
    }
}

fn with_snmp(device: Device) -> Device {
    let version = SnmpVersion::V2c { community: Secret::new("public".into()) };
    Device { snmp: Some(Arc::new(SnmpAccess { version, port: 161, interface: None })), ..device }
}

fn plan(devices: Vec<Device>) -> Plan {
    let customer = Customer { id: "acme".into(), name: "Acme".into(), email: vec!["it@acme.example".into()] };
    let stability = Stability { p1: Duration::from_secs(86_400), p2: Duration::from_secs(259_200) };
    let devices = devices.into_iter().map(Arc::new).collect();
    Plan { customers: vec![customer], devices, stability, noc: Vec::new(), maintenance: Vec::new(), canary: None }
}

fn answered() -> Outcome {
    Outcome::Answered { rtt: Duration::from_millis(10), sample: None }
}

fn not_sent() -> Outcome {
    Outcome::NotSent { why: "network is unreachable".into() }
}

/// A watch whose probes meet the fate that the test gives them.
struct Bench {
    watch: Watch,
    turn: Turn,
    in_flight: BTreeMap<Time, Vec<ProbeResult>>,
}

impl Bench {
    fn new(devices: Vec<Device>) -> Self {
        let mut turn = Turn::new(Time::from_millis(0));
        let watch = Watch::start(Saved::default(), &plan(devices), &mut turn);
        turn.clear();
        Self { watch, turn, in_flight: BTreeMap::new() }
    }

    fn step(&mut self, input: Input) {
        self.watch.step(input, &mut self.turn);
        self.watch.step(Input::Tick, &mut self.turn);
    }

    /// Goes on to `until`; each probe meets its fate at once, or when it times out.
    fn run(&mut self, until: u64, fate: impl Fn(Method) -> Outcome) {
        self.run_all(until, |_, method| Some(fate(method)));
    }

    /// The same; a probe without a fate is never reported.
    fn run_all(&mut self, until: u64, fate: impl Fn(Slot, Method) -> Option<Outcome>) {
        let until = Time::from_millis(0) + SECOND * u32::try_from(until).unwrap();
        while self.turn.at < until {
            let next = self.in_flight.first_key_value().map_or(until, |(&at, _)| at);
            self.turn.at = self.watch.next_due().min(next).min(until).max(self.turn.at);
            self.turn.clear();
            if let Some(results) = self.in_flight.remove(&self.turn.at) {
                self.watch.step(Input::Probed(results), &mut self.turn);
            }
            self.watch.step(Input::Tick, &mut self.turn);
            for Probe { slot, round, timeout, ask, .. } in core::mem::take(&mut self.turn.probes) {
                let method = match ask {
                    Ask::Icmp => Method::Icmp,
                    Ask::Snmp(_) => Method::Snmp,
                };
                let Some(outcome) = fate(slot, method) else { continue };
                let takes = if matches!(outcome, Outcome::Lost { .. }) { timeout } else { Duration::from_millis(10) };
                let result = ProbeResult { slot, round, method, outcome };
                self.in_flight.entry(self.turn.at + takes).or_default().push(result);
            }
        }
    }

    /// Goes on to the next round of the first device, and returns its probes.
    fn next_round(&mut self) -> Vec<Probe> {
        self.turn.clear();
        while self.turn.probes.is_empty() {
            self.turn.at = self.watch.next_due();
            self.turn.clear();
            self.watch.step(Input::Tick, &mut self.turn);
        }
        self.turn.probes.clone()
    }

    fn verdict(&self) -> (Verdict, Reason) {
        let evidence = self.watch.evidence(Slot(0));
        (evidence.verdict(), evidence.reason())
    }
}

const fn result(probe: &Probe, method: Method, outcome: Outcome) -> ProbeResult {
    ProbeResult { slot: probe.slot, round: probe.round, method, outcome }
}

#[test]
fn a_unit_is_up_if_any_method_is_answered() {
    let mut bench = Bench::new(vec![with_snmp(unit("a"))]);
    let only = |alive| move |method| if method == alive { answered() } else { Outcome::LOST };
    for alive in [Method::Icmp, Method::Snmp] {
        let from = bench.turn.at.as_millis() as u64 / 1000;
        bench.run(from + 1_000, only(alive));
        assert_eq!(bench.verdict(), (Verdict::Up, Reason::Answered), "{alive:?}");
    }
    bench.run(3_000, |_| Outcome::LOST);
    assert_eq!(bench.verdict(), (Verdict::Loss, Reason::NoAnswer));
    assert_eq!(bench.watch.desk().cases().count(), 1);
    bench.run(4_000, |method| match method {
        Method::Icmp => Outcome::LOST,
        Method::Snmp => Outcome::Rejected { rtt: SECOND, why: "unknown user name" },
    });
    assert_eq!(bench.verdict(), (Verdict::Up, Reason::Rejected), "the box is alive");
}

#[test]
fn a_unit_with_snmp_alone_is_judged_by_it() {
    let mut bench = Bench::new(vec![Device { icmp: false, ..with_snmp(unit("a")) }]);
    bench.run(100, |method| if method == Method::Snmp { answered() } else { Outcome::LOST });
    assert_eq!(bench.verdict(), (Verdict::Up, Reason::Answered));
    // The first lost round is that of 110 s.
    bench.run(709, |_| Outcome::LOST);
    assert_eq!(bench.watch.desk().cases().count(), 0);
    bench.run(710, |_| Outcome::LOST);
    assert_eq!(bench.watch.desk().cases().count(), 1);
}

#[test]
fn one_method_that_went_out_unanswered_is_a_loss_and_none_is_our_own_failure() {
    let mut bench = Bench::new(vec![with_snmp(unit("a"))]);
    bench.run(100, |method| if method == Method::Icmp { not_sent() } else { Outcome::LOST });
    assert_eq!(bench.verdict(), (Verdict::Loss, Reason::NoAnswer));
    bench.run(200, |_| not_sent());
    assert_eq!(bench.verdict(), (Verdict::Inconclusive, Reason::SendsFailing));
}

#[test]
fn an_engine_that_reports_nothing_leaves_units_unobserved() {
    let mut bench = Bench::new(vec![unit("a")]);
    bench.run(100, |_| answered());
    bench.run_all(130, |_, _| None);
    assert_eq!(bench.verdict(), (Verdict::Unobserved, Reason::Stalled));
    bench.run(2_000, |_| answered());
    assert_eq!(bench.verdict().0, Verdict::Up);
    assert_eq!(bench.watch.desk().cases().count(), 0);
}

#[test]
fn a_unit_with_a_long_interval_has_its_ten_minutes_too() {
    let pace = Pace { interval: Duration::from_secs(300), ..PACE };
    let mut bench = Bench::new(vec![Device { pace, ..unit("a") }]);
    bench.run(1_700, |_| answered());
    // The first lost round is that of 1,800 s.
    bench.run(2_399, |_| Outcome::LOST);
    assert_eq!(bench.watch.desk().cases().count(), 0);
    bench.run(2_400, |_| Outcome::LOST);
    assert_eq!(bench.watch.desk().cases().count(), 1);
}

#[test]
fn what_a_router_says_of_a_loss_is_a_witness_and_hastens_nothing() {
    let mut bench = Bench::new(vec![unit("a")]);
    bench.run(100, |_| answered());
    let says = |why| Outcome::Lost { witness: Some(Undelivered { why, router: IpAddr::V4(Ipv4Addr::LOCALHOST) }) };
    let known = |bench: &Bench| -> Vec<Obstacle> {
        let diagnosis = bench.watch.desk().cases().next().and_then(|case| case.diagnosis.clone());
        let witnesses = diagnosis.map(|diagnosis| diagnosis.witnesses).unwrap_or_default();
        let why = |witness: Witness| if let Witness::Undelivered { why, .. } = witness { Some(why) } else { None };
        witnesses.into_iter().filter_map(why).collect()
    };
    bench.run(400, |_| says(Obstacle::Net));
    bench.run(708, |_| says(Obstacle::Host));
    assert_eq!((bench.verdict().0, bench.watch.desk().cases().count()), (Verdict::Loss, 0));
    bench.run(720, |_| Outcome::LOST);
    assert_eq!(known(&bench), [Obstacle::Host], "the latest");
    bench.run(800, |_| says(Obstacle::HopLimit));
    bench.run(830, |_| answered());
    assert_eq!(known(&bench), [Obstacle::HopLimit], "and what was said until it was back");
    bench.run(2_000, |_| answered());

    // one that was lost in silence has no witness, whatever was said of the loss before
    bench.run(3_000, |_| Outcome::LOST);
    assert_eq!((bench.verdict().0, known(&bench)), (Verdict::Loss, vec![]));
}

#[test]
fn a_name_without_an_address_is_no_lost_unit() {
    let mut bench = Bench::new(vec![Device { host: "ntu.example".into(), ..unit("a") }]);
    bench.run(2_000, |_| Outcome::LOST);
    assert_eq!(bench.verdict(), (Verdict::Unobserved, Reason::Unresolved));
    assert_eq!(bench.watch.desk().cases().count(), 0);
    let found = |host: &str| Input::Resolved {
        device: "a".into(),
        host: host.into(),
        address: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9)),
    };
    bench.step(found("former.example"));
    assert_eq!(bench.watch.address(Slot(0)), None, "that was its name before a reload");
    bench.step(found("ntu.example"));
    bench.run(2_100, |_| answered());
    assert_eq!(bench.verdict(), (Verdict::Up, Reason::Answered));
}

#[test]
fn a_lost_unit_whose_new_name_has_no_address_yet_loses_no_more() {
    let mut bench = Bench::new(vec![unit("a")]);
    bench.run(100, |_| answered());
    bench.run(705, |_| Outcome::LOST);
    let renamed = Device { host: "ntu.example".into(), ..unit("a") };
    bench.step(Input::Planned(plan(vec![renamed]).into()));
    assert_eq!(bench.verdict(), (Verdict::Unobserved, Reason::Unresolved));
    bench.run(2_000, |_| Outcome::LOST);
    assert_eq!(bench.watch.desk().cases().count(), 0);
    assert_eq!(bench.watch.evidence(Slot(0)).since(), Time::from_millis(705_000));
}

#[test]
fn an_answer_from_a_former_address_says_nothing_of_the_new_one() {
    let moved = Device { host: "192.0.2.2".into(), ..unit("a") };
    let named = Device { host: "ntu.example".into(), ..unit("a") };
    let address = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));
    let found = Input::Resolved { device: "a".into(), host: "ntu.example".into(), address };
    for (first, change) in [(unit("a"), Input::Planned(plan(vec![moved]).into())), (named, found)] {
        let mut bench = Bench::new(vec![first]);
        bench.watch.polls[0].address = Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)));
        let probe = bench.next_round().remove(0);
        bench.step(change);
        bench.step(Input::Probed(vec![result(&probe, Method::Icmp, answered())]));
        assert_eq!(bench.verdict(), (Verdict::Unobserved, Reason::Added));
    }
}

#[test]
fn a_contact_that_ends_a_loss_is_stored_at_once() {
    let mut bench = Bench::new(vec![unit("a")]);
    bench.run(60, |_| answered());
    bench.run(105, |_| Outcome::LOST);
    let probe = bench.next_round().remove(0);
    bench.turn.at = bench.turn.at + SECOND / 2;
    bench.step(Input::Tick);
    bench.turn.at = bench.turn.at + STALLED_AFTER + SECOND;
    bench.step(Input::Tick);
    bench.turn.clear();
    bench.step(Input::Probed(vec![result(&probe, Method::Icmp, answered())]));
    assert_eq!(bench.verdict(), (Verdict::Unobserved, Reason::Stalled));
    let stored = bench.turn.devices.last().map(|row| row.evidence.trouble().copied());
    assert_eq!(stored, Some(None), "any contact resets the loss");

    let probe = bench.next_round().remove(0);
    bench.turn.clear();
    bench.step(Input::Probed(vec![result(&probe, Method::Icmp, Outcome::LOST)]));
    assert!(!bench.turn.is_durable(), "a lost probe writes nothing");
}

#[test]
fn faults_of_one_instant_are_spread_over_turns_and_none_is_forgotten() {
    let count = MAX_DEADLINES_A_TURN + 1;
    let pace = Pace { interval: 2 * SECOND, down_after: 60 * SECOND, ..PACE };
    let mut devices: Vec<Device> = (0..count).map(|n| Device { pace, ..unit(&format!("u{n:04}")) }).collect();
    devices.push(Device { role: Role::Node, ..unit("witness") });
    let mut bench = Bench::new(devices);
    bench.run(10, |_| answered());
    let lost = |slot: Slot| if slot.index() < count { Outcome::LOST } else { answered() };
    bench.run_all(69, |slot, _| Some(lost(slot)));
    bench.turn.clear();
    // After a turn of four seconds they are all due at once.
    bench.turn.at = Time::from_millis(73_000);
    let mut opened = Vec::new();
    for _ in 0..3 {
        bench.watch.step(Input::Tick, &mut bench.turn);
        opened.push(bench.turn.cases.len());
        assert!(opened.len() > 1 || bench.watch.next_due() <= bench.turn.at, "the next turn follows at once");
        bench.turn.clear();
    }
    assert_eq!(opened, [MAX_DEADLINES_A_TURN, 1, 0]);
}

#[test]
fn a_lost_node_that_becomes_a_unit_has_its_case() {
    let node = Device { role: Role::Node, ..unit("a") };
    let mut bench = Bench::new(vec![node]);
    bench.run(100, |_| answered());
    bench.run(1_000, |_| Outcome::LOST);
    assert_eq!(bench.watch.desk().cases().count(), 0);
    bench.step(Input::Planned(plan(vec![unit("a")]).into()));
    assert_eq!(bench.watch.desk().cases().count(), 1);
}

#[test]
fn a_restart_knows_that_a_unit_that_was_up_went_on_answering() {
    let up_since = Time::from_millis(0);
    let evidence =
        Evidence::restored((Verdict::Up, Reason::Answered), up_since, Some(up_since), Symptoms::default(), None);
    let row = DeviceRow {
        id: "a".into(),
        evidence,
        address: None,
        baseline: Baseline::default(),
        agent: AgentState::Unknown,
    };
    let watched_until = Some(Time::from_millis(5_000_000));
    let saved = Saved { devices: vec![row], watched_until, ..Saved::default() };
    let mut turn = Turn::new(Time::from_millis(6_000_000));
    let watch = Watch::start(saved, &plan(vec![unit("a")]), &mut turn);
    assert_eq!(watch.evidence(Slot(0)).last_contact(), Some(Time::from_millis(4_990_000)));
}

#[test]
fn only_units_get_cases_and_only_one_each() {
    let mut bench = Bench::new(vec![unit("a"), Device { role: Role::Node, ..unit("n") }]);
    let mut open = |unit: &str| {
        bench.turn.replies.clear();
        let wish = Wish::Open { unit: unit.into(), priority: Priority::P2, note: None };
        bench.step(Input::Asked(Request { ticket: 7, by: "ann".into(), wish }));
        let reply = bench.turn.replies.pop().unwrap();
        assert_eq!(reply.ticket, 7);
        reply.result.map_err(|refusal| refusal.to_string())
    };
    let Done::Case(reference) = open("a").unwrap() else { unreachable!() };
    assert!(open("a").unwrap_err().contains(&reference.to_string()));
    assert!(open("n").unwrap_err().contains("no unit"));
    assert!(open("?").unwrap_err().contains("no unit"));
}

#[test]
fn nobody_gets_the_same_letter_twice() {
    let mut turn = Turn::new(Time::from_millis(0));
    let mut plan = plan(vec![unit("a")]);
    plan.customers[0].email = vec!["it@acme.example".into(), "IT@acme.example".into()];
    plan.noc = vec!["noc@example.net".into(), "It@Acme.Example".into()];
    let mut watch = Watch::start(Saved::default(), &plan, &mut turn);
    let wish = Wish::Open { unit: "a".into(), priority: Priority::P1, note: None };
    watch.step(Input::Asked(Request { ticket: 1, by: "ann".into(), wish }), &mut turn);
    let readers: Vec<&str> = turn.letters.iter().map(|letter| letter.to.as_str()).collect();
    assert_eq!(readers, ["it@acme.example", "noc@example.net"]);
}

#[test]
fn who_was_told_of_a_problem_is_told_of_its_end() {
    let mut turn = Turn::new(Time::from_millis(0));
    let mut watch = Watch::start(Saved::default(), &plan(vec![unit("a")]), &mut turn);
    let wish = Wish::Open { unit: "a".into(), priority: Priority::P1, note: None };
    watch.step(Input::Asked(Request { ticket: 1, by: "ann".into(), wish }), &mut turn);
    let reference = turn.letters[0].lines()[0].0;
    let nothing = Plan { customers: Vec::new(), ..plan(Vec::new()) };
    watch.step(Input::Planned(Box::new(nothing)), &mut turn);
    turn.letters.clear();
    let wish = Wish::Work { reference, command: Command::Solve { note: None } };
    watch.step(Input::Asked(Request { ticket: 2, by: "ann".into(), wish }), &mut turn);
    assert_eq!(turn.letters.len(), 1, "the customer left the inventory with the case open");
}

#[test]
fn maintenances_that_follow_each_other_without_a_break_are_one_to_the_line() {
    let window = |id: &str, from: i64, until: i64| Window {
        id: id.into(),
        scope: Scope::Device("a".into()),
        from: Time::from_millis(from * 1_000),
        until: Time::from_millis(until * 1_000),
        emergency: true,
        note: None,
    };
    let mut bench = Bench::new(vec![unit("a")]);
    bench.step(Input::Planned(
        Plan { maintenance: vec![window("1", 50, 400), window("2", 400, 900)], ..plan(vec![unit("a")]) }.into(),
    ));
    bench.run(100, |_| answered());
    bench.run(399, |_| Outcome::LOST);
    assert_eq!(bench.verdict(), (Verdict::Loss, Reason::Maintenance));
    let since = bench.watch.evidence(Slot(0)).since();
    bench.run(401, |_| Outcome::LOST);
    assert_eq!((bench.verdict(), bench.watch.evidence(Slot(0)).since()), ((Verdict::Loss, Reason::Maintenance), since));
    bench.run(901, |_| Outcome::LOST);
    assert_eq!(bench.verdict(), (Verdict::Loss, Reason::NoAnswer));
    assert_eq!(bench.watch.desk().cases().count(), 1, "still lost at the end of the last one");
}

#[test]
fn a_pause_of_the_daemon_is_no_silence_of_the_sentinels() {
    let sentinel = Device {
        role: Role::Sentinel(Place::Far),
        pace: Pace { interval: SENTINEL_INTERVAL, timeout: SENTINEL_TIMEOUT, ..PACE },
        ..unit("core")
    };
    let mut bench = Bench::new(vec![unit("a"), sentinel]);
    bench.run(100, |_| answered());
    for _ in 0..20 {
        bench.in_flight.clear();
        bench.turn.at = bench.turn.at + Duration::from_millis(4_900);
        bench.step(Input::Tick);
        assert_eq!(bench.watch.isolation().cut_off(), None);
        bench.run(bench.turn.at.as_millis() as u64 / 1_000 + 10, |_| answered());
    }
    let until = bench.turn.at.as_millis() as u64 / 1_000 + 10;
    bench.run(until, |_| not_sent());
    assert_eq!(bench.watch.isolation().cut_off().map(|(_, why)| why), Some(Reason::SendsFailing));
    bench.run(until + 100, |_| answered());
    bench.run(until + 110, |_| Outcome::LOST);
    assert_eq!(bench.watch.isolation().cut_off().map(|(_, why)| why), Some(Reason::SentinelsSilent));
}

fn units(count: usize) -> Vec<Device> {
    (0..count).map(|n| unit(&format!("u-{n}"))).collect()
}

#[test]
fn what_sentinels_have_judged_is_not_judged_again_without_them() {
    let sentinel = Device {
        role: Role::Sentinel(Place::Far),
        pace: Pace { interval: SENTINEL_INTERVAL, timeout: SENTINEL_TIMEOUT, ..PACE },
        ..unit("core")
    };
    let mut devices = units(40);
    devices.push(sentinel);
    let mut bench = Bench::new(devices);
    bench.run(100, |_| answered());
    bench.run_all(200, |slot, _| Some(if slot.index() < 40 { Outcome::LOST } else { answered() }));
    assert_eq!(bench.verdict(), (Verdict::Loss, Reason::NoAnswer));
    bench.step(Input::Planned(plan(units(40)).into()));
    bench.run(300, |_| Outcome::LOST);
    assert_eq!((bench.watch.isolation().cut_off(), bench.verdict()), (None, (Verdict::Loss, Reason::NoAnswer)));
}

#[test]
fn a_mass_loss_outlasts_a_stall_and_ends_with_its_fleet() {
    let mut bench = Bench::new(units(40));
    bench.run(100, |_| answered());
    bench.run(200, |_| Outcome::LOST);
    let why = |bench: &Bench| bench.watch.isolation().cut_off().map(|(_, why)| why);
    assert_eq!((why(&bench), bench.verdict().0), (Some(Reason::MassLoss), Verdict::Inconclusive));
    bench.in_flight.clear();
    bench.turn.at = bench.turn.at + SECOND * 60;
    bench.step(Input::Tick);
    assert_eq!((why(&bench), bench.verdict().0), (Some(Reason::MassLoss), Verdict::Unobserved));
    bench.run(300, |_| Outcome::LOST);
    assert_eq!((why(&bench), bench.verdict().0), (Some(Reason::MassLoss), Verdict::Inconclusive));
    bench.step(Input::Planned(plan(units(5)).into()));
    assert_eq!(why(&bench), None, "so few are no crowd");
}

/// Who is told what of a maintenance: customer, kind of letter, lines that it touches, lines that it touches no more.
type Told = Vec<(String, LetterKind, Vec<String>, Vec<String>)>;

fn told(turn: &Turn) -> Told {
    let ids = |lines: &[(String, String)]| lines.iter().map(|(unit, _)| unit.clone()).collect();
    let of_works = |letter: &Letter| match (&letter.content, &letter.thread) {
        (Content::Maintenance { lines, spared, .. }, Thread::Maintenance { customer, .. }) => {
            (customer.clone(), letter.mark.kind, ids(lines), ids(spared))
        }
        other => panic!("{other:?}"),
    };
    turn.letters.iter().map(of_works).collect()
}

#[test]
fn who_is_told_of_a_maintenance_that_changes() {
    let of = |id: &str, customer: &str, pop: &str, region: &str| {
        let Role::Unit(circuit) = unit(id).role else { panic!("it is a unit") };
        let circuit = Circuit { customer: customer.into(), pop: Some(pop.into()), region: region.into(), ..circuit };
        Arc::new(Device { role: Role::Unit(circuit), ..unit(id) })
    };
    // acme has a line in both scopes and one in each, beta is in the first, ceta in the second.
    let devices =
        [("a1", "acme", "x", "s"), ("a2", "acme", "x", "n"), ("a3", "acme", "y", "s"), ("b", "beta", "x", "n")];
    let mut devices: Vec<_> = devices.into_iter().map(|(id, whose, pop, region)| of(id, whose, pop, region)).collect();
    devices.push(of("c", "ceta", "y", "s"));
    let customer = |id: &str| Customer { id: id.into(), name: id.into(), email: vec![format!("it@{id}.example")] };
    let plan = Plan { customers: ["acme", "beta", "ceta"].map(customer).into(), devices, ..plan(Vec::new()) };
    let mut turn = Turn::new(Time::from_millis(0));
    let mut watch = Watch::start(Saved::default(), &plan, &mut turn);
    let mut ask = |wish| {
        turn.clear();
        watch.step(Input::Asked(Request { ticket: 1, by: "ann".into(), wish }), &mut turn);
        let done = match turn.replies.remove(0).result.unwrap() {
            Done::Maintenance(maintenance) => maintenance.window.clone(),
            Done::Case(case) => panic!("{case}"),
        };
        (told(&turn), done)
    };
    let at = |hours: u32| Time::from_millis(0) + Duration::from_secs(3_600) * hours;
    let draft = |scope: &str, from, until| {
        let scope = Scope::parse(scope).unwrap();
        Draft { id: "w".into(), scope, from: at(from), until: at(until), emergency: None, note: None }
    };
    let line = |customer: &str, kind, lines: &[&str], spared: &[&str]| {
        let owned = |ids: &[&str]| ids.iter().map(|&id| id.to_owned()).collect::<Vec<_>>();
        (customer.to_owned(), kind, owned(lines), owned(spared))
    };
    let first = Draft { emergency: Some(true), note: Some("fibre".into()), ..draft("pop=x", 1, 2) };
    let announced =
        [line("acme", LetterKind::Announced, &["a1", "a2"], &[]), line("beta", LetterKind::Announced, &["b"], &[])];
    assert_eq!(ask(Wish::Maintain(first)).0, announced);
    let (told, window) = ask(Wish::Maintain(draft("region=s", 0, 2)));
    let changed = [
        line("acme", LetterKind::Revised, &["a1", "a3"], &["a2"]),
        line("beta", LetterKind::Cancelled, &[], &["b"]),
        line("ceta", LetterKind::Announced, &["c"], &[]),
    ];
    assert_eq!(told, changed);
    assert_eq!((window.emergency, window.note.as_deref()), (true, Some("fibre")), "what is not said stays");
    // By now it is on.
    let (told, window) = ask(Wish::Maintain(Draft { emergency: Some(false), ..draft("region=s", 0, 3) }));
    assert_eq!((told.len(), window.emergency), (2, false));
    let ended =
        [line("acme", LetterKind::Cancelled, &["a1", "a3"], &[]), line("ceta", LetterKind::Cancelled, &["c"], &[])];
    assert_eq!(ask(Wish::CallOff { id: "w".into() }).0, ended, "one that is active ends early");
    assert!(watch.maintenance().all(|known| known.stage.is_over()));
}

#[test]
fn other_limits_solve_nothing_that_was_found_but_a_rule_that_is_off_does() {
    let with = |limits| Device { limits: Arc::new(limits), ..unit("a") };
    let (found, laxer) = (Limits::DEFAULT, Limits { rtt: Some(SECOND * 2), ..Limits::DEFAULT });
    let late = |_| Outcome::Answered { rtt: SECOND, sample: None };
    let mut bench = Bench::new(vec![with(found)]);
    bench.run(1_200, late);
    assert_eq!(bench.verdict(), (Verdict::Degraded, Reason::Slow));
    bench.step(Input::Planned(plan(vec![with(laxer)]).into()));
    bench.run(1_500, late);
    assert_eq!(bench.verdict(), (Verdict::Degraded, Reason::Slow), "until good windows end it");
    bench.run(1_200 + 3 * 600 + 700, late);
    assert_eq!(bench.verdict().0, Verdict::Up);

    let mut bench = Bench::new(vec![with(found)]);
    bench.run(1_200, late);
    bench.step(Input::Planned(plan(vec![with(Limits { rtt: None, ..found })]).into()));
    assert_eq!(bench.verdict().0, Verdict::Up);
}

#[test]
fn a_maintenance_that_is_moved_away_while_it_is_on_is_over_for_now() {
    let window = |from: i64, until: i64| Window {
        id: "1".into(),
        scope: Scope::Device("a".into()),
        from: Time::from_millis(from * 1_000),
        until: Time::from_millis(until * 1_000),
        emergency: true,
        note: None,
    };
    let planned = |window| Input::Planned(Plan { maintenance: vec![window], ..plan(vec![unit("a")]) }.into());
    let mut bench = Bench::new(vec![unit("a")]);
    bench.step(planned(window(50, 9_000)));
    bench.run(100, |_| answered());
    bench.step(planned(window(8_000, 9_000)));
    bench.run(1_000, |_| Outcome::LOST);
    assert_eq!(bench.verdict(), (Verdict::Loss, Reason::NoAnswer));
    assert_eq!(bench.watch.desk().cases().count(), 1);
}
