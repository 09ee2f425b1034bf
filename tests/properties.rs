//! Whatever happens to the world, the daemon and its disk, these hold.
#![expect(clippy::unwrap_used, reason = "a test may fail")]
#![expect(clippy::wildcard_enum_match_arm, reason = "each property looks at a few facts only")]

use ntuwatch::domain::desk::{Actor, Case, CaseFact, LetterKind, Priority, Stage, WaitingOn};
use ntuwatch::domain::fact::Fact;
use ntuwatch::domain::letter::LetterLabel;
use ntuwatch::domain::time::Time;
use ntuwatch::domain::turn::{Command, Wish};
use ntuwatch::domain::watch::{CUT_OFF_AFTER, Interval, Verdict};
use ntuwatch::story::{Monitor, Sim, Story};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const DOWN_AFTER: Duration = Duration::from_secs(60);
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

fn name(unit: u8) -> &'static str {
    ["a", "b", "c"][usize::from(unit) % 3]
}

/// What was seen of a history.
struct History {
    sim: Sim,
    facts: Vec<(Time, Fact)>,
    /// The state of each open case as of the end, by reference.
    started: Time,
}

impl History {
    fn play(events: &[(u64, Event)], sentinels: bool, seed: u64) -> Self {
        let text = if sentinels { format!("{WORLD}sentinel gateway\nsentinel core\n") } else { WORLD.to_owned() };
        let plan = Story::parse(&text).unwrap().plan;
        let started = Time::from_millis(1_000_000);
        let mut sim = Sim::new(plan, started, seed);
        let mut facts = sim.take_facts();
        for (gap, event) in events {
            sim.run_to(sim.now() + Duration::from_millis(*gap));
            Self::apply(&mut sim, event);
            sim.settle();
            facts.append(&mut sim.take_facts());
        }
        // At the end everything works and is given time to come out.
        sim.suspend(false);
        sim.set_mail(false);
        sim.set_uplink(false);
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
        Self { sim, facts, started }
    }

    fn apply(sim: &mut Sim, event: &Event) {
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
        self.ledger(device).iter().filter(|interval| counts(interval.verdict)).map(part).sum()
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

/// The ledger covers every millisecond since the start exactly once.
fn ledger_is_whole(history: &History) {
    for device in ["a", "b", "c"] {
        let ledger = history.ledger(device);
        assert_eq!(ledger[0].from, history.started, "{device}: {ledger:#?}");
        for pair in ledger.windows(2) {
            assert_eq!(pair[0].until, pair[1].from, "{device}: {ledger:#?}");
            assert!(pair[0].from < pair[0].until);
        }
    }
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

/// No line with that much loss lacks a case.
fn losses_have_their_case(history: &History) {
    let watch = history.sim.watch().unwrap();
    for (slot, device) in watch.devices().filter(|(_, device)| device.id.len() == 1) {
        let evidence = watch.evidence(slot);
        if let Some(trouble) = evidence.trouble()
            && evidence.verdict() == Verdict::Loss
            && trouble.loss.total(history.sim.now()) > DOWN_AFTER + Duration::from_secs(5)
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

/// A case closes after its window of observed time, as the ledger counts it, and not before.
fn windows_are_observed(history: &History) {
    for case in history.sim.cases() {
        if let Stage::Closed { since, solved_at, window } = &case.stage {
            let observed = window.observed.total(*since);
            assert!(observed >= window.length, "{case:#?}");
            let sum = history.sum(&case.opening.unit, *solved_at, *since, Verdict::is_observed);
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
        losses_have_their_case(&history);
        letters_are_in_order(&history);
        cases_are_their_facts(&history);
        windows_are_observed(&history);
        isolation_opens_nothing(&history);
    }
}
