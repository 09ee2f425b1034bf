//! What stories can't tell: several methods, addresses that change, engines that fall silent, limits at the limit.

mod caps;
mod desk;
mod fleet;
mod own_side;
mod works;

use super::*;
use crate::domain::desk::{Matrix, TierPledges, Witness};
use crate::domain::party::Customer;
use crate::domain::plan::Stability;
use crate::domain::watch::probe::{Method, Outcome, ProbeResult};
use alloc::boxed::Box;
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
        customer: Arc::new("acme".into()),
        order: "SO-1".into(),
        terms: Arc::new(Terms {
            service: "DIA".into(),
            region: "EMEA".into(),
            ttr: Duration::from_secs(14_400),
            supplier: None,
            pop: None,
            access: None,
            rate: None,
        }),
    };
    Device {
        id: id.into(),
        role: Role::Unit(circuit),
        host: "192.0.2.1".into(),
        upstream: None,
        rules: Arc::new(Rules { icmp: true, snmp: None, pace: PACE, limits: Limits::DEFAULT, probe_rate: None }),
    }
}

/// With its row on the board (56 bytes), where it is in three lists (4 each), the list of the plan (8), and what the
/// allocator needs beside (16), that is 400 bytes for a unit, but for its strip.
#[test]
fn what_is_kept_of_each_device_is_small() {
    let of_device = size_of::<Arc<Device>>() + 2 * size_of::<usize>() + size_of::<Device>();
    let of_watch = [size_of::<Poll>(), size_of::<Evidence>(), size_of::<Health>(), schedule::BYTES];
    assert!(of_device + of_watch.iter().sum::<usize>() <= 308, "{of_device}, {of_watch:?}");
}

fn with_snmp(device: Device) -> Device {
    let version = SnmpVersion::V2c { community: Secret::new("public".into()) };
    let snmp = Some(Arc::new(SnmpAccess { version, port: 161, interface: None }));
    Device { rules: Arc::new(Rules { snmp, ..(*device.rules).clone() }), ..device }
}

fn with_pace(pace: Pace, device: Device) -> Device {
    Device { rules: Arc::new(Rules { pace, ..(*device.rules).clone() }), ..device }
}

fn with_limits(limits: Limits, device: Device) -> Device {
    Device { rules: Arc::new(Rules { limits, ..(*device.rules).clone() }), ..device }
}

fn plan(devices: Vec<Device>) -> Plan {
    let customer = Customer {
        id: "acme".into(),
        name: "Acme".into(),
        email: vec!["it@acme.example".into()],
        languages: Vec::new(),
        ..Customer::default()
    };
    let stability = Stability { p1: Duration::from_secs(86_400), p2: Duration::from_secs(259_200) };
    let devices = devices.into_iter().map(Arc::new).collect();
    Plan {
        customers: vec![customer],
        devices,
        stability,
        pledges: TierPledges::default(),
        escalation: Matrix::default(),
        noc: Vec::new(),
        maintenance: Vec::new(),
        canary: None,
        parties: Arc::default(),
        roster: Vec::new(),
        surveys: None,
    }
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
    /// Every probe of [`Self::run`].
    sent: Vec<(Time, Slot)>,
}

impl Bench {
    fn new(devices: Vec<Device>) -> Self {
        let mut turn = Turn::new(Time::from_millis(0));
        let watch = Watch::start(Saved::default(), &plan(devices), &mut turn);
        turn.clear();
        Self { watch, turn, in_flight: BTreeMap::new(), sent: Vec::new() }
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
                self.sent.push((self.turn.at, slot));
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
    let mut device = with_snmp(unit("a"));
    Arc::make_mut(&mut device.rules).icmp = false;
    let mut bench = Bench::new(vec![device]);
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
    let mut bench = Bench::new(vec![with_pace(pace, unit("a"))]);
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
        bench.watch.polls[0].resolved = Some(Box::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1))));
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
fn other_limits_solve_nothing_that_was_found_but_a_rule_that_is_off_does() {
    let with = |limits| with_limits(limits, unit("a"));
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
