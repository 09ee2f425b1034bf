//! Random histories: what happens to the world and to the daemon.

use ntuwatch::domain::desk::{
    Case, CaseFact, Channel, Matrix, PromiseKind, Reference, Report, Stage, Subject, WaitingOn,
};
use ntuwatch::domain::fact::Fact;
use ntuwatch::domain::maintenance::{Draft, Scope};
use ntuwatch::domain::plan::Plan;
use ntuwatch::domain::time::Time;
use ntuwatch::domain::turn::{Command, Wish};
use ntuwatch::domain::watch::{CUT_OFF_AFTER, GroupKind, Interval, Permille, Role, TrapKind, Verdict};
use ntuwatch::story::{About, Agent, Monitor, Post, Sim, Story};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

/// At the least; a reload may make it longer.
pub(crate) const DOWN_AFTER: Duration = Duration::from_secs(60);
/// At the most.
pub(crate) const LONG_DOWN_AFTER: Duration = Duration::from_secs(90);
/// The longest interval.
pub(crate) const LONG_INTERVAL: Duration = Duration::from_secs(20);
/// Of all orders, after a reload that says so.
const SHORT_TTR: Duration = Duration::from_secs(900);
/// The last seconds before a decision may be found to have been blind, and dated back, after it.
pub(crate) const REVISED: Duration = Duration::from_secs(CUT_OFF_AFTER.as_secs() + 1);
/// A fault may have to wait so long for a word on what it shares with others.
pub(crate) const SHARED_AFTER: Duration = Duration::from_secs(50);

/// Settings are short, so that a history of hours holds many outages.
const SMALL: &str = "config down_after=60s interval=5s solve_after=30s p1=10m p2=20m window=100s good_windows=2
config rtt=300ms flaps=3/10m reboots=3/10m snmp_interval=30s history=30m
config first_response=5m update_p1=7m update_p2=9m update_p3=11m repair=on
unit a customer=x supplier=s pop=p upstream=n
unit b customer=x supplier=s pop=p upstream=n
unit c customer=y supplier=t interval=7s ttr=20m
node n
at 0s a snmp answers
at 0s b snmp answers
";
/// Enough of them to fail together, and to be too many.
const CROWD: &str = "units d 1..10 customer=x supplier=s pop=p upstream=n
units e 1..12 customer=y supplier=t pop=q upstream=m
node m upstream=n
";
/// Who writes: both customers, somebody unknown, and staff.
pub(crate) const ADDRESSES: [&str; 4] =
    ["x@customer.example", "y@customer.example", "stranger@z.example", "noc@example.net"];

const SENTINELS: &str = "sentinel gateway\nsentinel core\n";
const CANARY: &str = "canary c every 1h\n";

/// What the world is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Make {
    crowd: bool,
    sentinels: bool,
    canary: bool,
    rfo: bool,
}

pub(crate) fn make() -> impl Strategy<Value = Make> {
    let make = |(crowd, sentinels, canary, rfo)| Make { crowd, sentinels, canary, rfo };
    (prop::bool::weighted(0.15), any::<bool>(), prop::bool::weighted(0.2), any::<bool>()).prop_map(make)
}

impl Make {
    fn plan(self) -> Plan {
        let parts = [
            (true, SMALL),
            (self.crowd, CROWD),
            (self.sentinels, SENTINELS),
            (self.canary, CANARY),
            (self.rfo, "config rfo_p1=required\n"),
        ];
        let text: String = parts.into_iter().filter(|(there, _)| *there).map(|(_, text)| text).collect();
        // Whom cases are escalated to hear of nothing else: what holds of all letters to staff does not hold of theirs.
        Plan { escalation: Matrix::default(), ..Story::parse(&text).unwrap().plan }
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Event {
    Lose(u8, f64),
    Slow(u8, u64),
    Answer(u8),
    Shared(u8, f64),
    Agent(u8, Agent),
    Trap(u8, TrapKind),
    Restart,
    Stop,
    Kill,
    KillAtCommit(u32, bool),
    Suspend(bool),
    Clock(i64),
    Mail(bool),
    Uplink(bool),
    Sentinels(bool),
    Open(u8, Subject),
    Work(u8, Command),
    Update,
    Write(u8, Writes),
    Bounce(u8),
    Maintain(u8, u8, u64, u64),
    CallOff(u8),
    Reload(Change),
    Resolve,
}

/// Who writes about a unit, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Writes {
    pub(crate) who: u8,
    pub(crate) forged: bool,
    pub(crate) automatic: bool,
    pub(crate) answers: bool,
}

impl Writes {
    fn post(self, unit: &str) -> Post {
        let Self { who, forged, automatic, answers } = self;
        let unit = unit.to_owned();
        let about = if answers { About::Reply { unit, text: "still down".into() } } else { About::Claim { unit } };
        Post { from: ADDRESSES[usize::from(who)].to_owned(), forged, automatic, about }
    }
}

/// What a reload may make of the inventory. Unit `a` always stays.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Change {
    without_b: bool,
    without_c: bool,
    hurried: bool,
    slow_a: bool,
    patient: bool,
    lenient: bool,
    /// 0: as at first; 1: another address; 2: a name, which may have no address for a while.
    host: u8,
}

impl Change {
    fn of(self, plan: &Plan) -> Plan {
        let mut plan = plan.clone();
        plan.devices.retain(|device| !(self.without_b && device.id == "b" || self.without_c && device.id == "c"));
        if self.without_c {
            plan.canary = None;
        }
        for device in plan.devices.iter_mut().filter(|device| is_unit(&device.role)).map(Arc::make_mut) {
            if let (true, Role::Unit(circuit)) = (self.hurried, &mut device.role) {
                Arc::make_mut(&mut circuit.terms).ttr = SHORT_TTR;
            }
            if self.patient {
                Arc::make_mut(&mut device.rules).pace.down_after = LONG_DOWN_AFTER;
            }
            if self.slow_a && device.id == "a" {
                Arc::make_mut(&mut device.rules).pace.interval = LONG_INTERVAL;
            }
            if self.lenient {
                Arc::make_mut(&mut device.rules).limits.loss = Some(Permille(300));
            }
            match self.host {
                _ if device.id.len() > 1 => {}
                0 => {}
                1 => device.host = "192.0.2.2".into(),
                _ => device.host = "unit.example".into(),
            }
        }
        plan
    }
}

fn change() -> impl Strategy<Value = Change> {
    let flag = any::<bool>;
    (flag(), flag(), flag(), flag(), flag(), flag(), 0..3_u8).prop_map(
        |(without_b, without_c, hurried, slow_a, patient, lenient, host)| Change {
            hurried,
            without_b,
            without_c,
            slow_a,
            patient,
            lenient,
            host,
        },
    )
}

fn of_the_world() -> impl Strategy<Value = Event> {
    let unit = || any::<u8>();
    let loss = prop_oneof![8 => Just(1.0), 1 => Just(0.2), 2 => Just(0.3), 1 => Just(0.5), 1 => Just(0.8)];
    let agent = prop_oneof![
        4 => Just(Agent::Reboot),
        2 => any::<bool>().prop_map(Agent::Interface),
        1 => Just(Agent::Silent),
        1 => Just(Agent::Rejects),
        2 => Just(Agent::Answers),
        1 => Just(Agent::Errors(0.05)),
        1 => Just(Agent::Load(0.95)),
    ];
    let trap = prop_oneof![Just(TrapKind::ColdStart), Just(TrapKind::LinkDown), Just(TrapKind::LinkUp)];
    prop_oneof![
        8 => (unit(), loss).prop_map(|(unit, share)| Event::Lose(unit, share)),
        1 => (unit(), 100..600_u64).prop_map(|(unit, rtt)| Event::Slow(unit, rtt)),
        6 => unit().prop_map(Event::Answer),
        3 => (0..5_u8, prop_oneof![3 => Just(1.0), 3 => Just(0.0), 1 => Just(0.3)])
            .prop_map(|(whom, share)| Event::Shared(whom, share)),
        2 => (unit(), agent).prop_map(|(unit, agent)| Event::Agent(unit, agent)),
        1 => (unit(), trap).prop_map(|(unit, trap)| Event::Trap(unit, trap)),
    ]
}

fn of_the_daemon() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => Just(Event::Restart),
        1 => Just(Event::Stop),
        1 => Just(Event::Kill),
        4 => (0..6_u32, any::<bool>()).prop_map(|(turns, before)| Event::KillAtCommit(turns, before)),
        2 => any::<bool>().prop_map(Event::Suspend),
        1 => prop_oneof![Just(3_600_000), Just(-3_600_000)].prop_map(Event::Clock),
        2 => any::<bool>().prop_map(Event::Mail),
        2 => any::<bool>().prop_map(Event::Uplink),
        2 => any::<bool>().prop_map(Event::Sentinels),
        2 => change().prop_map(Event::Reload),
        1 => Just(Event::Resolve),
    ]
}

fn writes() -> impl Strategy<Value = Writes> {
    (0..4_u8, prop::bool::weighted(0.1), prop::bool::weighted(0.2), any::<bool>())
        .prop_map(|(who, forged, automatic, answers)| Writes { who, forged, automatic, answers })
}

fn of_people() -> impl Strategy<Value = Event> {
    let unit = || any::<u8>();
    let command = prop_oneof![
        Just(Command::Take),
        Just(Command::Note { text: "seen".into() }),
        Just(Command::Tell { text: "it is being repaired".into() }),
        (0..PromiseKind::BY_STAFF.len(), 60..1_200_u64).prop_map(|(kind, seconds)| {
            Command::Promise { kind: PromiseKind::BY_STAFF[kind], within: Duration::from_secs(seconds) }
        }),
        Just(Command::Arrive),
        Just(Command::Supplier { text: "a splice is under way".into() }),
        Just(Command::Assign { to: "ann".into() }),
        Just(Command::Escalate { note: None }),
        Just(Command::Wait { on: WaitingOn::Supplier, note: None }),
        Just(Command::Wait { on: WaitingOn::Customer, note: None }),
        Just(Command::Solve { note: None }),
        Just(Command::Return { note: Some("still broken".into()) }),
        Just(Command::Rfo),
        any::<bool>().prop_map(|told| Command::Answer { text: "here it is".into(), told }),
    ];
    prop_oneof![
        2 => (unit(), prop::sample::select(&Subject::ALL[..])).prop_map(|(unit, subject)| Event::Open(unit, subject)),
        4 => (unit(), command).prop_map(|(unit, command)| Event::Work(unit, command)),
        1 => Just(Event::Update),
        3 => (unit(), writes()).prop_map(|(unit, writes)| Event::Write(unit, writes)),
        1 => any::<u8>().prop_map(Event::Bounce),
        2 => (0..3_u8, 0..6_u8, 0..400_u64, 60..900_u64)
            .prop_map(|(id, scope, from, length)| Event::Maintain(id, scope, from, length)),
        1 => (0..3_u8).prop_map(Event::CallOff),
    ]
}

pub(crate) fn event() -> impl Strategy<Value = Event> {
    prop_oneof![4 => of_the_world(), 4 => of_the_daemon(), 2 => of_people()]
}

pub(crate) fn gap() -> impl Strategy<Value = u64> {
    prop_oneof![3 => 1..2_000_u64, 4 => 2_000..70_000_u64, 2 => 70_000..900_000_u64]
}

pub(crate) const fn is_unit(role: &Role) -> bool {
    matches!(role, Role::Unit(_))
}

/// Which devices fail together.
fn shares(whom: u8, id: &str, role: &Role) -> bool {
    let supplier = |name| matches!(role, Role::Unit(circuit) if circuit.group(GroupKind::Supplier) == Some(name));
    match whom {
        0 => id == "n" || supplier("s") || id == "m" || id.starts_with('e'),
        1 => supplier("s"),
        2 => id == "m" || id.starts_with('e'),
        3 => id.starts_with('e'),
        _ => !matches!(role, Role::Sentinel(_)),
    }
}

pub(crate) fn scope(number: u8) -> Scope {
    match number {
        0 => Scope::Device("a".into()),
        1 => Scope::Device("c".into()),
        2 => Scope::Device("n".into()),
        3 => Scope::Group(GroupKind::Supplier, "t".into()),
        4 => Scope::Group(GroupKind::Pop, "p".into()),
        _ => Scope::Device("b".into()),
    }
}

/// What was seen of a history.
pub(crate) struct History {
    pub(crate) sim: Sim,
    pub(crate) plan: Plan,
    pub(crate) facts: Vec<(Time, Fact)>,
    pub(crate) started: Time,
    pub(crate) ledgers: BTreeMap<String, Vec<Interval>>,
}

impl History {
    /// How much of the last before a decision may be found to have been blind. Without sentinels it is the loss of many others that
    /// tells, and to find that takes a round.
    pub(crate) fn revised(&self) -> Duration {
        let vouched = self.plan.devices.iter().any(|device| matches!(device.role, Role::Sentinel(_)));
        if vouched { REVISED } else { REVISED + LONG_INTERVAL }
    }

    pub(crate) fn play(events: &[(u64, Event)], make: Make, seed: u64) -> Self {
        let plan = make.plan();
        let units: Vec<String> =
            plan.devices.iter().filter(|device| is_unit(&device.role)).map(|device| device.id.to_string()).collect();
        let started = Time::from_millis(1_000_000);
        let mut sim = Sim::new(plan.clone(), started, seed);
        let mut facts = sim.take_facts();
        for (gap, event) in events {
            sim.run_to(sim.now() + Duration::from_millis(*gap));
            apply(&mut sim, event, &plan, &units);
            sim.settle();
            facts.append(&mut sim.take_facts());
        }
        // At the end everything works and is given time to come out.
        sim.suspend(false);
        sim.set_mail(false);
        sim.set_uplink(false);
        sim.reload(plan.clone());
        sim.set_lines(|_, role| matches!(role, Role::Sentinel(_)), |line| line.loss = 0.0);
        sim.run_to(sim.now() + Duration::from_secs(1));
        if sim.monitor() == Monitor::Stopped {
            sim.start();
        }
        for _ in 0..3 {
            sim.run_to(sim.now() + Duration::from_secs(1_000));
            sim.settle();
            if sim.monitor() == Monitor::Stopped {
                sim.start();
            }
        }
        facts.append(&mut sim.take_facts());
        let mut history = Self { sim, plan, facts, started, ledgers: BTreeMap::new() };
        history.ledgers = units.into_iter().map(|unit| (unit.clone(), history.ledger(&unit))).collect();
        history
    }

    /// Goes through what happened to all cases: `look` at each case as it was, when, and at what happened to it then. Returns
    /// how they are in the end.
    pub(crate) fn each_case_fact(&self, mut look: impl FnMut(&Case, Time, &CaseFact)) -> BTreeMap<Reference, Case> {
        let mut cases = BTreeMap::new();
        for (at, fact) in &self.facts {
            match fact {
                Fact::CaseOpened(opening) => {
                    cases.insert(opening.reference, Case::open(Arc::clone(opening), *at));
                }
                Fact::Case { reference, fact, .. } => {
                    let case = cases.get_mut(reference).unwrap();
                    look(case, *at, fact);
                    case.apply(fact, *at);
                }
                _ => {}
            }
        }
        cases
    }

    fn ledger(&self, device: &str) -> Vec<Interval> {
        let mut ledger: Vec<Interval> =
            self.sim.intervals().iter().filter(|interval| interval.device == device).cloned().collect();
        ledger.sort_by_key(|interval| interval.from);
        let watch = self.sim.watch().unwrap();
        let status = watch.status(watch.slot(device).unwrap());
        ledger.push(Interval {
            device: device.to_owned(),
            from: status.since,
            until: self.sim.now(),
            verdict: status.verdict,
            reason: status.reason,
        });
        ledger
    }

    pub(crate) fn sum(&self, device: &str, from: Time, until: Time, counts: impl Fn(Verdict) -> bool) -> Duration {
        let part = |interval: &Interval| interval.until.min(until).since(interval.from.max(from));
        self.ledgers[device].iter().filter(|interval| counts(interval.verdict)).map(part).sum()
    }

    /// The latest incident of a unit as it stood at a time.
    pub(crate) fn case_at(&self, unit: &str, at: Time) -> Option<Case> {
        let mut case: Option<Case> = None;
        for (when, fact) in self.facts.iter().filter(|(when, _)| *when <= at) {
            match fact {
                Fact::CaseOpened(opening) if opening.unit == unit && !opening.intake.subject.is_request() => {
                    case = Some(Case::open(Arc::clone(opening), *when))
                }
                Fact::Case { unit: of, reference, fact } if of == unit => {
                    if let Some(case) = case.as_mut().filter(|case| case.opening.reference == *reference) {
                        case.apply(fact, *when);
                    }
                }
                _ => {}
            }
        }
        case
    }
}

fn apply(sim: &mut Sim, event: &Event, plan: &Plan, units: &[String]) {
    let runs = sim.monitor() == Monitor::Runs;
    let name = |unit: &u8| units[usize::from(*unit) % units.len()].as_str();
    match event {
        Event::Lose(unit, share) => sim.set_lines(|id, _| id == name(unit), |line| line.loss = *share),
        Event::Slow(unit, rtt) => sim.set_lines(
            |id, _| id == name(unit),
            |line| (line.rtt, line.jitter) = (Duration::from_millis(*rtt), Duration::from_millis(100)),
        ),
        Event::Answer(unit) => sim.set_lines(
            |id, _| id == name(unit),
            |line| (line.loss, line.rtt, line.jitter) = (0.0, Duration::from_millis(10), Duration::ZERO),
        ),
        Event::Shared(whom, share) => sim.set_lines(|id, role| shares(*whom, id, role), |line| line.loss = *share),
        Event::Agent(unit, what) => sim.set_agents(|id, _| id == name(unit), *what),
        Event::Trap(unit, says) => sim.send_traps(|id, _| id == name(unit), says),
        Event::Restart => {
            if sim.monitor() == Monitor::Stopped {
                sim.start();
            }
        }
        Event::Stop if runs => sim.stop(),
        Event::Kill => sim.kill(),
        Event::KillAtCommit(turns, before) if runs => sim.kill_at_commit(*turns, *before),
        Event::Suspend(suspended) => sim.suspend(*suspended),
        Event::Clock(by_ms) => sim.step_clock(*by_ms),
        Event::Mail(refused) => sim.set_mail(*refused),
        Event::Uplink(cut) => sim.set_uplink(*cut),
        Event::Sentinels(silent) => {
            let loss = f64::from(u8::from(*silent));
            sim.set_lines(|_, role| matches!(role, Role::Sentinel(_)), |line| line.loss = loss);
        }
        Event::Open(unit, subject) if runs => {
            let report = Box::new(Report::new(*subject, Channel::Phone));
            sim.ask(Wish::Open { unit: name(unit).to_owned(), report });
        }
        Event::Work(unit, command) if runs => work(sim, name(unit), command),
        Event::Update if runs => {
            if let Some(umbrella) = sim.umbrellas().last().map(|umbrella| umbrella.reference) {
                sim.ask(Wish::Update { umbrella, text: "a cable was cut".into() });
            }
        }
        // What nobody can answer is not written.
        Event::Write(unit, writes) => drop(sim.receive(&writes.post(name(unit)))),
        Event::Bounce(who) => drop(sim.bounce(ADDRESSES[usize::from(*who) % ADDRESSES.len()])),
        Event::Maintain(id, of, from, length) if runs => {
            let from = sim.now() + Duration::from_secs(*from);
            let until = from + Duration::from_secs(*length);
            let draft = Draft { id: format!("m{id}"), scope: scope(*of), from, until, emergency: None, note: None };
            sim.ask(Wish::Maintain(draft));
        }
        Event::CallOff(id) if runs => {
            sim.ask(Wish::CallOff { id: format!("m{id}") });
        }
        Event::Stop
        | Event::KillAtCommit(..)
        | Event::Open(..)
        | Event::Work(..)
        | Event::Update
        | Event::Maintain(..)
        | Event::CallOff(_) => {}
        Event::Reload(change) => sim.reload(change.of(plan)),
        Event::Resolve => {
            for unit in ["a", "b", "c"] {
                sim.resolve(unit, IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)));
            }
        }
    }
}

fn work(sim: &mut Sim, unit: &str, command: &Command) {
    let case = sim.cases().rfind(|case| case.opening.unit == unit);
    let Some(reference) = case.map(|case| case.opening.reference) else { return };
    let closed = matches!(case.map(|case| &case.stage), Some(Stage::Closed { .. }));
    let reply = sim.ask(Wish::Work { reference, command: command.clone() });
    if closed && let Some(reply) = reply {
        assert!(reply.result.is_err(), "a closed case took {command:?}");
    }
}
