//! Whatever happens to the world, the daemon and its disk, these hold.
#![expect(clippy::unwrap_used, reason = "a test may fail")]
#![expect(clippy::wildcard_enum_match_arm, reason = "each property looks at a few facts only")]

use ntuwatch::domain::desk::{Actor, Case, CaseFact, LetterKind, Priority, Stage, WaitingOn};
use ntuwatch::domain::fact::Fact;
use ntuwatch::domain::letter::LetterLabel;
use ntuwatch::domain::plan::Plan;
use ntuwatch::domain::time::Time;
use ntuwatch::domain::turn::{Command, Wish};
use ntuwatch::domain::watch::{CUT_OFF_AFTER, Interval, Reason, Verdict};
use ntuwatch::story::{Monitor, Sim, Story};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

/// At the least; a reload may make it longer.
const DOWN_AFTER: Duration = Duration::from_secs(60);
/// At the most.
const LONG_DOWN_AFTER: Duration = Duration::from_secs(90);
/// The longest interval.
const LONG_INTERVAL: Duration = Duration::from_secs(20);
/// The last seconds before a decision may be found to have been blind, and dated back, after it.
const REVISED: Duration = Duration::from_secs(CUT_OFF_AFTER.as_secs() + 1);

/// Settings are short, so that a history of hours holds many outages.
const WORLD: &str = "config down_after=60s interval=5s solve_after=30s p1=10m p2=20m
unit a customer=x
unit b customer=x
unit c customer=y interval=7s
";

#[derive(Clone, Debug)]
enum Event {
    Lose(u8, f64),
    Answer(u8),
    Restart,
    Stop,
    Kill,
    KillAtCommit(u32, bool),
    Suspend(bool),
    Clock(i64),
    Mail(bool),
    Uplink(bool),
    Sentinels(bool),
    Open(u8, Priority),
    Work(u8, Command),
    Reload(Change),
    Resolve,
}

/// What a reload may make of the inventory. Unit `a` always stays.
#[derive(Clone, Copy, Debug, Default)]
struct Change {
    without_b: bool,
    without_c: bool,
    slow_a: bool,
    patient: bool,
    /// 0: as at first; 1: another address; 2: a name, which may have no address for a while.
    host: u8,
}

impl Change {
    fn of(self, plan: &Plan) -> Plan {
        let mut plan = plan.clone();
        plan.devices.retain(|device| !(self.without_b && device.id == "b" || self.without_c && device.id == "c"));
        for device in plan.devices.iter_mut().filter(|device| device.id.len() == 1).map(Arc::make_mut) {
            if self.patient {
                device.pace.down_after = LONG_DOWN_AFTER;
            }
            if self.slow_a && device.id == "a" {
                device.pace.interval = LONG_INTERVAL;
            }
            match self.host {
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
    (flag(), flag(), flag(), flag(), 0..3_u8).prop_map(|(without_b, without_c, slow_a, patient, host)| Change {
        without_b,
        without_c,
        slow_a,
        patient,
        host,
    })
}

fn event() -> impl Strategy<Value = Event> {
    let unit = 0..3_u8;
    prop_oneof![
        6 => (unit.clone(), prop_oneof![4 => Just(1.0), 1 => Just(0.3), 1 => Just(0.8)])
            .prop_map(|(unit, share)| Event::Lose(unit, share)),
        5 => unit.clone().prop_map(Event::Answer),
        4 => Just(Event::Restart),
        1 => Just(Event::Stop),
        1 => Just(Event::Kill),
        3 => (0..6_u32, any::<bool>()).prop_map(|(turns, before)| Event::KillAtCommit(turns, before)),
        2 => any::<bool>().prop_map(Event::Suspend),
        1 => prop_oneof![Just(3_600_000), Just(-3_600_000)].prop_map(Event::Clock),
        2 => any::<bool>().prop_map(Event::Mail),
        2 => any::<bool>().prop_map(Event::Uplink),
        2 => any::<bool>().prop_map(Event::Sentinels),
        1 => (unit.clone(), prop_oneof![Just(Priority::P1), Just(Priority::P2)])
            .prop_map(|(unit, priority)| Event::Open(unit, priority)),
        2 => change().prop_map(Event::Reload),
        1 => Just(Event::Resolve),
        3 => (unit, prop_oneof![
            Just(Command::Take),
            Just(Command::Note { text: "seen".into() }),
            Just(Command::Wait { on: WaitingOn::Supplier, note: None }),
            Just(Command::Solve { note: None }),
            Just(Command::Return { note: Some("still broken".into()) }),
        ]).prop_map(|(unit, command)| Event::Work(unit, command)),
    ]
}

fn gap() -> impl Strategy<Value = u64> {
    prop_oneof![3 => 1..2_000_u64, 4 => 2_000..70_000_u64, 2 => 70_000..900_000_u64]
}

const UNITS: [&str; 3] = ["a", "b", "c"];

fn name(unit: u8) -> &'static str {
    UNITS[usize::from(unit) % 3]
}

/// What was seen of a history.
struct History {
    sim: Sim,
    facts: Vec<(Time, Fact)>,
    started: Time,
    ledgers: BTreeMap<&'static str, Vec<Interval>>,
}

impl History {
    fn play(events: &[(u64, Event)], sentinels: bool, seed: u64) -> Self {
        let text = if sentinels { format!("{WORLD}sentinel gateway\nsentinel core\n") } else { WORLD.to_owned() };
        let plan = Story::parse(&text).unwrap().plan;
        let started = Time::from_millis(1_000_000);
        let mut sim = Sim::new(plan.clone(), started, seed);
        let mut facts = sim.take_facts();
        for (gap, event) in events {
            sim.run_to(sim.now() + Duration::from_millis(*gap));
            Self::apply(&mut sim, event, &plan);
            sim.settle();
            facts.append(&mut sim.take_facts());
        }
        // At the end everything works and is given time to come out.
        sim.suspend(false);
        sim.set_mail(false);
        sim.set_uplink(false);
        sim.reload(plan);
        sim.set_lines(|id, _| id.len() > 1, |line| line.loss = 0.0);
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
        let mut history = Self { sim, facts, started, ledgers: BTreeMap::new() };
        history.ledgers = UNITS.into_iter().map(|unit| (unit, history.ledger(unit))).collect();
        history
    }

    fn apply(sim: &mut Sim, event: &Event, plan: &Plan) {
        let runs = sim.monitor() == Monitor::Runs;
        match event {
            Event::Lose(unit, share) => sim.set_lines(|id, _| id == name(*unit), |line| line.loss = *share),
            Event::Answer(unit) => sim.set_lines(|id, _| id == name(*unit), |line| line.loss = 0.0),
            Event::Restart => {
                if sim.monitor() == Monitor::Stopped {
                    sim.start();
                }
            }
            Event::Stop => {
                if runs {
                    sim.stop();
                }
            }
            Event::Kill => sim.kill(),
            Event::KillAtCommit(turns, before) => {
                if runs {
                    sim.kill_at_commit(*turns, *before);
                }
            }
            Event::Suspend(suspended) => sim.suspend(*suspended),
            Event::Clock(by_ms) => sim.step_clock(*by_ms),
            Event::Mail(refused) => sim.set_mail(*refused),
            Event::Uplink(cut) => sim.set_uplink(*cut),
            Event::Sentinels(silent) => {
                sim.set_lines(|id, _| id.len() > 1, |line| line.loss = f64::from(u8::from(*silent)));
            }
            Event::Open(unit, priority) if runs => {
                let unit = name(*unit).to_owned();
                sim.ask(Wish::Open { unit, priority: *priority, note: None });
            }
            Event::Work(unit, command) if runs => {
                let case = sim.cases().rfind(|case| case.opening.unit == name(*unit));
                let Some(reference) = case.map(|case| case.opening.reference) else { return };
                let closed = matches!(case.map(|case| &case.stage), Some(Stage::Closed { .. }));
                let reply = sim.ask(Wish::Work { reference, command: command.clone() });
                if closed && let Some(reply) = reply {
                    assert!(reply.result.is_err(), "a closed case took {command:?}");
                }
            }
            Event::Open(..) | Event::Work(..) => {}
            Event::Reload(change) => sim.reload(change.of(plan)),
            Event::Resolve => {
                for unit in UNITS {
                    sim.resolve(unit, IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)));
                }
            }
        }
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

    fn sum(&self, device: &str, from: Time, until: Time, counts: impl Fn(Verdict) -> bool) -> Duration {
        let part = |interval: &Interval| interval.until.min(until).since(interval.from.max(from));
        self.ledgers[device].iter().filter(|interval| counts(interval.verdict)).map(part).sum()
    }

    /// The latest case of a unit as it stood at a time.
    fn case_at(&self, unit: &str, at: Time) -> Option<Case> {
        let mut case: Option<Case> = None;
        for (when, fact) in self.facts.iter().filter(|(when, _)| *when <= at) {
            match fact {
                Fact::CaseOpened(opening) if opening.unit == unit => {
                    case = Some(Case::open((**opening).clone(), *when))
                }
                Fact::Case { unit: of, fact, .. } if of == unit => {
                    if let Some(case) = &mut case {
                        case.apply(fact, *when);
                    }
                }
                _ => {}
            }
        }
        case
    }

    fn letters(&self) -> BTreeMap<(u64, String), Vec<(LetterKind, u32)>> {
        let mut threads: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (_, fact) in &self.facts {
            if let Fact::LetterQueued(letter) = fact {
                let thread = threads.entry((letter.reference.number(), letter.to.clone())).or_default();
                thread.push((letter.mark.kind, letter.mark.number));
            }
        }
        threads
    }
}

/// The ledger covers every millisecond since the start exactly once, but for the time outside the inventory.
fn ledger_is_whole(history: &History) {
    for (device, ledger) in &history.ledgers {
        assert_eq!(ledger[0].from, history.started, "{device}: {ledger:#?}");
        for pair in ledger.windows(2) {
            assert!(pair[0].from < pair[0].until, "{device}: {ledger:#?}");
            let was_away = pair[0].until < pair[1].from;
            assert!(pair[0].until <= pair[1].from && !(was_away && *device == "a"), "{device}: {ledger:#?}");
        }
    }
}

/// Whether the unit was, or may have been, out of the inventory between two of these stretches: who comes back at once
/// under a name that has no address leaves no gap.
fn was_away(ledger: &[Interval]) -> bool {
    let new = |stretch: &Interval| matches!(stretch.reason, Reason::Added | Reason::Unresolved);
    ledger.windows(2).any(|pair| pair[0].until < pair[1].from || new(&pair[1]))
}

/// A case of the watch has its ten minutes (here: one) of LOSS, and the ledger says the same.
fn cases_have_their_loss(history: &History) {
    for case in history.sim.cases() {
        let opening = &case.opening;
        if opening.origin == Actor::Watch {
            let loss = opening.loss.total(case.opened_at);
            assert!(loss >= DOWN_AFTER, "{case:#?}");
            let first = opening.first_loss.unwrap();
            let sum = history.sum(&opening.unit, first, case.opened_at, |verdict| verdict == Verdict::Loss);
            assert!(sum <= loss && sum + REVISED >= loss, "{sum:?}: {case:#?}");
        }
    }
}

/// The last contact that a case records is the end of the last time that the line was UP.
fn cases_know_the_last_contact(history: &History) {
    // A unit that was out of the inventory may have come back without leaving a gap; `a` never was.
    for case in history.sim.cases().filter(|case| case.opening.unit == "a") {
        if let Some(first_loss) = case.opening.first_loss {
            let ledger = &history.ledgers[case.opening.unit.as_str()];
            let before = ledger.partition_point(|stretch| stretch.from < first_loss);
            let up = ledger[..before].iter().rfind(|stretch| stretch.verdict == Verdict::Up);
            if let Some(up) = up.map(|stretch| stretch.until) {
                let contact = case.opening.last_contact;
                // Another address costs the round that is under way.
                assert!(contact.is_some_and(|at| at + 2 * LONG_INTERVAL + REVISED >= up), "up until {up:?}: {case:#?}");
            }
        }
    }
}

/// The downtime of a case is the LOSS in the ledger.
fn downtime_is_loss(history: &History) {
    for case in history.sim.cases() {
        let from = case.opening.first_loss.unwrap_or(case.opened_at);
        let until = if let Stage::Closed { since, .. } = case.stage { since } else { history.sim.now() };
        let sum = history.sum(&case.opening.unit, from, until, |verdict| verdict == Verdict::Loss);
        let downtime = case.downtime.total(until);
        assert!(sum <= downtime + REVISED && downtime <= sum + REVISED, "{sum:?}, {downtime:?}: {case:#?}");
    }
}

/// The rule of the ten minutes (here: at most one and a half) in its simplest words, over the whole history: LOSS adds
/// up, contact ends it, everything else neither counts nor resets; what has added up has its case, and that is at work.
fn enough_loss_has_its_case_at_work(history: &History) {
    let enough = LONG_DOWN_AFTER + 2 * REVISED;
    for (unit, ledger) in &history.ledgers {
        let (mut sum, mut since) = (Duration::ZERO, None);
        for (place, stretch) in ledger.iter().enumerate() {
            if stretch.verdict == Verdict::Up || was_away(&ledger[place.saturating_sub(1)..=place]) {
                (sum, since) = (Duration::ZERO, None);
            }
            if stretch.verdict == Verdict::Loss {
                let began = *since.get_or_insert(stretch.from);
                let more = stretch.until.since(stretch.from);
                if sum < enough && sum + more >= enough {
                    let at = stretch.from + (enough - sum);
                    let case = history.case_at(unit, at);
                    let at_work = case.as_ref().is_some_and(|case| match case.stage {
                        Stage::New | Stage::Working { .. } | Stage::Waiting { .. } => true,
                        // By a person, who took the line for repaired.
                        Stage::Solved { since, .. } => since >= began,
                        Stage::Closed { .. } => false,
                    });
                    assert!(at_work, "{unit} at {at:?}: {case:#?}");
                }
                sum += more;
            }
        }
    }
}

/// No line with that much loss lacks a case.
fn losses_have_their_case(history: &History) {
    let watch = history.sim.watch().unwrap();
    for (slot, device) in watch.devices().filter(|(_, device)| device.id.len() == 1) {
        let evidence = watch.evidence(slot);
        if let Some(trouble) = evidence.trouble()
            && evidence.verdict() == Verdict::Loss
            && trouble.loss.total(history.sim.now()) > LONG_DOWN_AFTER + Duration::from_secs(5)
        {
            assert!(watch.desk().open_case_of(&device.id).is_some(), "{}: {evidence:#?}", device.id);
        }
    }
}

/// A problem letter is followed by exactly one recovery letter; nothing is written twice; everything arrives.
fn letters_are_in_order(history: &History) {
    let mut written = BTreeSet::new();
    let mut sent: BTreeMap<(u64, &str), Vec<u64>> = BTreeMap::new();
    let key = |letter: &LetterLabel| (letter.reference.number(), letter.mark, letter.to.clone());
    for (_, fact) in &history.facts {
        match fact {
            Fact::LetterQueued(letter) => assert!(written.insert(key(letter)), "{letter:?} was written twice"),
            Fact::LetterSent(letter) => {
                assert!(written.contains(&key(letter)));
                sent.entry((letter.reference.number(), &letter.to)).or_default().push(letter.id);
            }
            _ => {}
        }
    }
    for ids in sent.values() {
        assert!(ids.is_sorted_by(|a, b| a < b), "letters of a thread left in the order of writing, once: {ids:?}");
    }
    let arrived: usize = sent.values().map(Vec::len).sum();
    assert_eq!(arrived, written.len(), "all letters arrive once the mail server takes them");
    for ((case, to), thread) in history.letters() {
        let mut counts: BTreeMap<LetterKind, u32> = BTreeMap::new();
        let mut troubled = false;
        for (place, &(kind, number)) in thread.iter().enumerate() {
            let count = counts.entry(kind).or_default();
            *count += 1;
            assert_eq!(*count, number, "case {case} to {to}: {thread:?}");
            match kind {
                LetterKind::Opened => assert_eq!(place, 0),
                LetterKind::Returned => assert!(!troubled, "{thread:?}"),
                LetterKind::Solved => assert!(troubled, "{thread:?}"),
                LetterKind::Closed => assert!(!troubled && place == thread.len() - 1, "{thread:?}"),
                LetterKind::Upgraded => assert!(troubled, "{thread:?}"),
            }
            troubled = match kind {
                LetterKind::Opened | LetterKind::Returned | LetterKind::Upgraded => true,
                LetterKind::Solved | LetterKind::Closed => false,
            };
        }
    }
}

/// A case is the sum of its facts, and Closed is its last.
fn cases_are_their_facts(history: &History) {
    let mut cases: BTreeMap<u64, Case> = BTreeMap::new();
    for (at, fact) in &history.facts {
        match fact {
            Fact::CaseOpened(opening) => {
                let case = Case::open((**opening).clone(), *at);
                assert!(cases.insert(opening.reference.number(), case).is_none(), "a reference was given out twice");
            }
            Fact::Case { reference, fact, .. } => cases.get_mut(&reference.number()).unwrap().apply(fact, *at),
            _ => {}
        }
    }
    for case in history.sim.cases() {
        assert_eq!(cases.remove(&case.opening.reference.number()).as_ref(), Some(case));
    }
    assert!(cases.is_empty(), "facts of cases that the disk does not know");
    let open: Vec<&str> = history
        .sim
        .cases()
        .filter(|case| !matches!(case.stage, Stage::Closed { .. }))
        .map(|case| case.opening.unit.as_str())
        .collect();
    assert_eq!(open.len(), open.iter().collect::<BTreeSet<_>>().len(), "two open cases on one unit");
}

/// A case closes after its window of observed time, as the ledger counts it, and not before. Outside the inventory plain
/// time must do.
fn windows_are_observed(history: &History) {
    for case in history.sim.cases() {
        if let Stage::Closed { since, solved_at, window } = &case.stage {
            let observed = window.observed.total(*since);
            assert!(observed >= window.length, "{case:#?}");
            let blind = history.sum(&case.opening.unit, *solved_at, *since, |verdict| !verdict.is_observed());
            let sum = since.since(*solved_at) - blind;
            assert!(sum <= observed && sum + REVISED >= observed, "{sum:?}: {case:#?}");
        }
    }
}

/// While the monitor is cut off no case opens or returns by itself.
fn isolation_opens_nothing(history: &History) {
    let mut cut_off = false;
    for (_, fact) in &history.facts {
        match fact {
            Fact::IsolationBegan { .. } => cut_off = true,
            Fact::IsolationEnded { .. } | Fact::MonitorStarted { .. } => cut_off = false,
            Fact::CaseOpened(opening) => assert!(!(cut_off && opening.origin == Actor::Watch), "{opening:?}"),
            Fact::Case { fact: CaseFact::Returned { by: Actor::Watch, .. }, .. } => assert!(!cut_off),
            _ => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn all_invariants_hold(
        events in prop::collection::vec((gap(), event()), 1..60),
        sentinels in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let history = History::play(&events, sentinels, seed);
        ledger_is_whole(&history);
        cases_have_their_loss(&history);
        cases_know_the_last_contact(&history);
        downtime_is_loss(&history);
        losses_have_their_case(&history);
        enough_loss_has_its_case_at_work(&history);
        letters_are_in_order(&history);
        cases_are_their_facts(&history);
        windows_are_observed(&history);
        isolation_opens_nothing(&history);
    }
}
