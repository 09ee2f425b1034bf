//! A small world whose turns go through a real store.

use ntuwatch::domain::desk::{
    Actor, Case, Channel, Intake, LetterMark, Line, Matrix, Opening, Pledges, Priority, Reference, Stage, Subject,
    TierPledges, Window,
};
use ntuwatch::domain::letter::{Content, Delivery, Letter, Mail, Thread};
use ntuwatch::domain::party::Customer;
use ntuwatch::domain::plan::{Plan, Stability};
use ntuwatch::domain::time::{ClockMark, Tally, Time};
use ntuwatch::domain::turn::{DeviceRow, Input, Request, Turn, Wish};
use ntuwatch::domain::watch::{
    AgentState, Baseline, Circuit, Device, Evidence, Limits, Method, Outcome, Pace, Probe, ProbeResult, Reason, Role,
    Rules, Slot, Terms, Verdict, Watch,
};
use ntuwatch::store::{Commit, Entry, Loaded, Store};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub(crate) const START: i64 = 1_700_000_000_000;

pub(crate) fn at(seconds: i64) -> Time {
    Time::from_millis(START + seconds * 1000)
}

pub(crate) fn mark(at: Time) -> ClockMark {
    ClockMark { at, boot_id: String::from("b-1"), boot_ms: at.as_millis() - START, unix_ms: at.as_millis() }
}

/// Commits a turn as the daemon would.
pub(crate) fn commit(store: &mut Store, turn: &Turn) -> Result<(), ntuwatch::store::CommitError> {
    let mails: Vec<_> = turn.letters.iter().map(mail).collect();
    let entries: Vec<_> = turn.facts.iter().map(|fact| entry(&format!("{fact:?}"))).collect();
    store.commit(&Commit { turn, mails: &mails, entries: &entries, mark: &mark(turn.at), calendar_step: None })
}

pub(crate) fn entry(text: &str) -> Entry {
    Entry { kind: "test", device: None, topic: None, text: text.into(), data: String::from("{}") }
}

pub(crate) fn mail(letter: &Letter) -> Mail {
    let thread = letter.thread.key();
    let id = |kind: &str, number: u32| format!("{thread}.{kind}.{number}.{}", letter.to);
    Mail {
        id: letter.id,
        to: letter.to.clone(),
        message_id: id(letter.mark.kind.name(), letter.mark.number),
        in_reply_to: letter.previous.map(|mark| id(mark.kind.name(), mark.number)),
        references: letter.previous.iter().map(|mark| id(mark.kind.name(), mark.number)).collect(),
        reply_to: None,
        subject: format!("[{thread}] {}", letter.mark.kind.name()),
        body: String::from("Dear customer,\n\nüñí – line.\n"),
        written_unix_ms: letter.written_at.as_millis(),
    }
}

/// A letter about one case.
pub(crate) fn letter(id: u64, case: &Arc<Case>, mark: LetterMark, to: &str) -> Letter {
    let Opening { reference, unit, .. } = Opening::clone(&case.opening);
    Letter {
        id,
        thread: Thread::Case { reference, unit },
        mark,
        previous: None,
        content: Content::Case(Arc::clone(case)),
        to: to.into(),
        greeting: None,
        written_at: at(5),
        survey: None,
    }
}

/// A device that nobody has asked yet.
pub(crate) fn row(id: &str) -> DeviceRow {
    DeviceRow {
        id: id.into(),
        evidence: Evidence::new(at(0)),
        address: None,
        baseline: Baseline::default(),
        agent: AgentState::default(),
    }
}

pub(crate) fn opening(number: u64, unit: &str) -> Opening {
    Opening {
        reference: Reference::from_number(number),
        origin: Actor::Watch,
        channel: Channel::Monitoring,
        priority: Priority::P1,
        unit: unit.into(),
        circuit: Circuit {
            customer: Arc::new(String::from("acme")),
            order: "SO-1".into(),
            terms: Arc::new(Terms {
                service: String::from("DIA"),
                region: String::from("EMEA"),
                ttr: Duration::from_secs(4 * 3600),
                supplier: None,
                pop: None,
                access: None,
                rate: None,
            }),
        },
        queue: String::from("Support"),
        note: None,
        last_contact: Some(at(-600)),
        first_loss: Some(at(-590)),
        detected: Some(at(-588)),
        loss: Tally::new(Duration::from_secs(30), Some(at(-560))),
        line: (Line::Watched(Verdict::Loss, Reason::NoAnswer), at(-590)),
        finding: None,
        solve_after: Duration::from_secs(300),
        pledges: Pledges::default(),
        previous: None,
        intake: Intake::of(Subject::ServiceDown),
    }
}

/// A watch over a few units, its store, and a network that can be silenced.
pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) watch: Watch,
    pub(crate) now: Time,
    silent: BTreeSet<Slot>,
    on_the_way: Vec<(Time, Input)>,
}

impl World {
    pub(crate) fn open(path: &Path, now: Time) -> Self {
        let (store, loaded) = Store::open(path).unwrap();
        Self::start(store, loaded, now)
    }

    pub(crate) fn start(mut store: Store, loaded: Loaded, now: Time) -> Self {
        let mut turn = Turn::new(now);
        let watch = Watch::start(loaded.saved, &plan(), &mut turn);
        commit(&mut store, &turn).unwrap();
        let mut world = Self { store, watch, now, silent: BTreeSet::new(), on_the_way: Vec::new() };
        world.step(Vec::new());
        world
    }

    /// The daemon is killed just after it told the disk that it watches, and another one begins after so many seconds.
    pub(crate) fn killed(mut self, path: &Path, seconds: u64) -> Self {
        commit(&mut self.store, &Turn::new(self.now)).unwrap();
        let now = self.now + Duration::from_secs(seconds);
        drop(self);
        Self::open(path, now)
    }

    pub(crate) fn silence(&mut self, unit: &str, silent: bool) {
        let slot = self.watch.slot(unit).unwrap();
        if silent {
            self.silent.insert(slot);
        } else {
            self.silent.remove(&slot);
        }
    }

    pub(crate) fn ask(&mut self, wish: Wish) {
        self.step(vec![Input::Asked(Request { ticket: 1, by: String::from("ann"), wish })]);
    }

    pub(crate) fn run(&mut self, seconds: i64) {
        let until = self.now + Duration::from_secs(seconds.unsigned_abs());
        while self.now < until {
            let arrival = self.on_the_way.iter().map(|(at, _)| *at).min().unwrap_or(until);
            let next = self.watch.next_due().min(arrival).min(until);
            self.now = next.max(self.now + Duration::from_millis(1));
            let now = self.now;
            let inputs = self.on_the_way.extract_if(.., |(at, _)| *at <= now).map(|(_, input)| input).collect();
            self.step(inputs);
        }
    }

    fn step(&mut self, inputs: Vec<Input>) {
        let mut turn = Turn::new(self.now);
        for input in inputs.into_iter().chain([Input::Tick]) {
            self.watch.step(input, &mut turn);
        }
        if turn.is_durable() {
            commit(&mut self.store, &turn).unwrap();
        }
        for probe in &turn.probes {
            let fate = self.fate(probe);
            self.on_the_way.push(fate);
        }
        for &letter in &turn.deliver {
            self.on_the_way.push((self.now + Duration::from_millis(50), Input::Attempted(letter, Delivery::Sent)));
        }
    }

    fn fate(&self, probe: &Probe) -> (Time, Input) {
        let rtt = Duration::from_millis(12);
        let (after, outcome) = if self.silent.contains(&probe.slot) {
            (probe.timeout, Outcome::LOST)
        } else {
            (rtt, Outcome::Answered { rtt, sample: None })
        };
        let result = ProbeResult { slot: probe.slot, round: probe.round, method: Method::Icmp, outcome };
        (self.now + after, Input::Probed(vec![result]))
    }
}

/// Twelve units of one customer: the first six lines are of one supplier, the others of another one.
pub(crate) fn plan() -> Plan {
    let supplier = |n| if n <= 6 { "telco-a" } else { "telco-b" };
    Plan {
        customers: vec![Customer {
            id: String::from("acme"),
            name: String::from("Acme"),
            email: vec![String::from("it@acme.example"), String::from("boss@acme.example")],
            languages: Vec::new(),
            ..Customer::default()
        }],
        devices: (1..=12).map(|n| Arc::new(unit(&format!("u{n}"), &format!("192.0.2.{n}"), supplier(n)))).collect(),
        stability: Stability { p1: Duration::from_secs(600), p2: Duration::from_secs(1200) },
        pledges: TierPledges::default(),
        escalation: Matrix::default(),
        noc: vec![String::from("noc@example.net")],
        maintenance: Vec::new(),
        canary: None,
        parties: Arc::default(),
        roster: Vec::new(),
        surveys: None,
    }
}

fn unit(id: &str, host: &str, supplier: &str) -> Device {
    Device {
        id: id.into(),
        role: Role::Unit(Circuit {
            customer: Arc::new(String::from("acme")),
            order: format!("SO-{id}").into(),
            terms: Arc::new(Terms {
                service: String::from("DIA"),
                region: String::from("EMEA"),
                ttr: Duration::from_secs(4 * 3600),
                supplier: Some(supplier.into()),
                pop: None,
                access: None,
                rate: None,
            }),
        }),
        host: host.into(),
        upstream: None,
        rules: Arc::new(Rules {
            icmp: true,
            snmp: None,
            pace: Pace {
                interval: Duration::from_secs(10),
                snmp_interval: Duration::from_secs(60),
                timeout: Duration::from_secs(1),
                down_after: Duration::from_secs(120),
                solve_after: Duration::from_secs(60),
                history: Duration::from_secs(3 * 3600),
            },
            limits: Limits::DEFAULT,
            probe_rate: None,
        }),
    }
}

/// The stage of a case that was closed so many seconds after the beginning.
pub(crate) fn closed(seconds: i64) -> Stage {
    let window = Window { length: Duration::ZERO, observed: Tally::default() };
    Stage::Closed { since: at(seconds), watched: Some((at(0), window)) }
}
