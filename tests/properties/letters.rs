//! What holds of letters, umbrellas and alarms.

use crate::world::History;
use ntuwatch::domain::desk::{Actor, COLLECT, COLLECT_GOOD, Case, CaseFact, LetterKind, LetterMark, Reference};
use ntuwatch::domain::fact::Fact;
use ntuwatch::domain::letter::{Content, Letter, LetterLabel, Thread};
use ntuwatch::domain::time::Time;
use ntuwatch::domain::watch::Role;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// A letter may be under way at the end.
const JUST_NOW: Duration = Duration::from_secs(10);

type Told = BTreeMap<(Reference, String), Vec<LetterMark>>;

fn address(customer: &str) -> String {
    format!("{customer}@customer.example")
}

fn is_noc(to: &str) -> bool {
    to == "noc@example.net"
}

/// What each reader was told of each case, in the order of writing. What staff had to say is not of the case.
fn told(history: &History) -> Told {
    let mut told = Told::new();
    for (_, fact) in &history.facts {
        if let Fact::LetterQueued { letter, lines } = fact {
            for (case, mark) in lines.iter().filter(|(_, mark)| mark.kind != LetterKind::Updated) {
                told.entry((*case, letter.to.clone())).or_default().push(*mark);
            }
        }
    }
    told
}

/// What there was to say of each case: a mark whenever its facts call for a letter.
fn to_be_told(history: &History, until: Time) -> BTreeMap<Reference, (Case, Vec<LetterMark>)> {
    let mut cases: BTreeMap<Reference, (Case, Vec<LetterMark>)> = BTreeMap::new();
    for (at, fact) in history.facts.iter().filter(|(at, _)| *at <= until) {
        match fact {
            Fact::CaseOpened(opening) => {
                let case = Case::open(Arc::clone(opening), *at);
                let first = case.last_letter.into_iter().collect();
                cases.insert(opening.reference, (case, first));
            }
            Fact::Case { reference, fact, .. } => {
                let (case, marks) = cases.get_mut(reference).unwrap();
                let before = case.last_letter;
                case.apply(fact, *at);
                marks.extend(case.last_letter.filter(|_| case.last_letter != before));
            }
            _ => {}
        }
    }
    cases
}

/// The customer is told everything that happens to his case once and in its order, alone or with his other lines. So
/// after each problem comes one recovery, and what waited for other lines survives every crash.
pub(crate) fn customers_are_told_everything_once(history: &History) {
    let mut told = told(history);
    // What happened last may still wait for other lines.
    let overdue = to_be_told(history, history.sim.now() - COLLECT_GOOD);
    for (reference, (case, marks)) in to_be_told(history, history.sim.now()) {
        let to = address(&case.opening.circuit.customer);
        let heard = told.remove(&(reference, to)).unwrap_or_default();
        let must = overdue.get(&reference).map_or(0, |(_, marks)| marks.len());
        assert!(marks.starts_with(&heard) && heard.len() >= must, "{heard:?} of {marks:?}: {case:#?}");
    }
    assert!(told.keys().all(|(_, to)| is_noc(to)), "who else was told? {told:?}");
}

/// The facts of a case alternate between trouble and recovery, and each is told.
pub(crate) fn problems_have_one_recovery(history: &History) {
    for (reference, (_, marks)) in to_be_told(history, history.sim.now()) {
        let mut counts: BTreeMap<LetterKind, u32> = BTreeMap::new();
        let mut troubled = false;
        for (place, mark) in marks.iter().enumerate() {
            // These are counted as one; and so is an answer, which is news.
            let kind = match mark.kind {
                LetterKind::TakenBack => LetterKind::Returned,
                LetterKind::Answered => LetterKind::News,
                kind => kind,
            };
            let count = counts.entry(kind).or_default();
            *count += 1;
            assert_eq!(*count, mark.number, "{reference}: {marks:?}");
            troubled = match kind {
                LetterKind::Opened if place == 0 => true,
                LetterKind::Upgraded if troubled => true,
                LetterKind::Returned if !troubled => true,
                LetterKind::Solved if troubled => false,
                // What is owed of a solved case is its reason for outage, and it may be missed.
                LetterKind::Escalated | LetterKind::News | LetterKind::Rfo => troubled,
                LetterKind::Closed if !troubled && place == marks.len() - 1 => false,
                _ => panic!("{reference}: {marks:?}"),
            };
        }
    }
}

/// The operations centre hears of all trouble: by the line's own letter, or by an umbrella over it that is open.
pub(crate) fn the_noc_hears_of_all_trouble(history: &History) {
    let told = told(history);
    let mut cases: BTreeMap<Reference, Case> = BTreeMap::new();
    let mut open = BTreeSet::new();
    let check = |case: &Case, mark: LetterMark, open: &BTreeSet<Reference>| {
        let trouble = matches!(
            mark.kind,
            LetterKind::Opened | LetterKind::Upgraded | LetterKind::Returned | LetterKind::TakenBack
        );
        if trouble && !case.umbrella.is_some_and(|umbrella| open.contains(&umbrella)) {
            let heard = told.get(&(case.opening.reference, "noc@example.net".into()));
            assert!(heard.is_some_and(|heard| heard.contains(&mark)), "nobody heard of {mark:?}: {case:#?}");
        }
    };
    // What a case has to tell when it is opened waits for the fact that puts it under its umbrella.
    let mut fresh = None;
    for (at, fact) in &history.facts {
        if let Some(case) = fresh.take().filter(|_| !matches!(fact, Fact::Case { fact: CaseFact::Joined { .. }, .. })) {
            check(&cases[&case], LetterMark { kind: LetterKind::Opened, number: 1 }, &open);
        }
        match fact {
            Fact::CaseOpened(opening) => {
                cases.insert(opening.reference, Case::open(Arc::clone(opening), *at));
                fresh = Some(opening.reference);
            }
            Fact::Case { reference, fact, .. } => {
                let case = cases.get_mut(reference).unwrap();
                let before = case.last_letter;
                case.apply(fact, *at);
                if let Some(mark) = case.last_letter.filter(|_| case.last_letter != before) {
                    check(case, mark, &open);
                }
            }
            Fact::UmbrellaOpened(umbrella) => {
                open.insert(umbrella.reference);
            }
            Fact::UmbrellaClosed { reference, .. } => {
                open.remove(reference);
            }
            _ => {}
        }
    }
}

/// The operations centre hears of a line's recovery only if it heard of its trouble, and of nothing twice. An umbrella
/// speaks for its lines.
pub(crate) fn the_noc_hears_no_recovery_without_its_trouble(history: &History) {
    for ((reference, to), marks) in told(history) {
        if !is_noc(&to) {
            continue;
        }
        let once: BTreeSet<_> = marks.iter().collect();
        assert_eq!(once.len(), marks.len(), "{reference}: {marks:?}");
        let mut troubled = false;
        for mark in &marks {
            match mark.kind {
                LetterKind::Opened | LetterKind::Upgraded | LetterKind::Returned | LetterKind::TakenBack => {
                    troubled = true;
                }
                LetterKind::Solved => {
                    assert!(troubled, "{reference}: {marks:?}");
                    troubled = false;
                }
                _ => {}
            }
        }
    }
}

/// Nothing is written twice; everything arrives, in order within its conversation.
pub(crate) fn letters_arrive_in_order(history: &History) {
    let mut written = BTreeSet::new();
    let mut sent: BTreeMap<(Thread, &str), Vec<u64>> = BTreeMap::new();
    let key = |letter: &LetterLabel| (letter.thread.clone(), letter.mark, letter.to.clone());
    let mut latest = 0;
    for (at, fact) in &history.facts {
        match fact {
            Fact::LetterQueued { letter, .. } => {
                assert!(written.insert(key(letter)), "{letter:?} was written twice");
                latest += usize::from(history.sim.now().since(*at) < JUST_NOW);
            }
            Fact::LetterSent(letter) => {
                assert!(written.contains(&key(letter)));
                sent.entry((letter.thread.clone(), &letter.to)).or_default().push(letter.id);
            }
            _ => {}
        }
    }
    for ids in sent.values() {
        assert!(ids.is_sorted_by(|a, b| a < b), "letters of a thread left in the order of writing, once: {ids:?}");
    }
    let arrived: usize = sent.values().map(Vec::len).sum();
    assert!(arrived + latest >= written.len(), "all letters arrive once the mail server takes them");
    let known: BTreeSet<_> = history.sim.letters().iter().map(|letter| key(&letter.label())).collect();
    assert_eq!(known, written, "the disk has the letters that the facts tell of");
}

/// A customer reads of his own lines and of nobody else's.
pub(crate) fn letters_show_only_their_reader_s_lines(history: &History) {
    let customer_of = |unit: &str| {
        let device = history.plan.devices.iter().find(|device| device.id == unit).unwrap();
        match &device.role {
            Role::Unit(circuit) => circuit.customer.to_string(),
            Role::Node | Role::Sentinel(_) => panic!("{unit} is no unit"),
        }
    };
    for Letter { to, content, thread, .. } in history.sim.letters() {
        if is_noc(to) {
            continue;
        }
        let (customers, units): (Vec<String>, Vec<&str>) = match content {
            Content::Case(case) => {
                ([case.opening.circuit.customer.to_string()].into(), [case.opening.unit.as_str()].into())
            }
            Content::Lines { lines, .. } => lines
                .iter()
                .map(|(case, _)| (case.opening.circuit.customer.to_string(), case.opening.unit.as_str()))
                .unzip(),
            Content::Maintenance { lines, spared, .. } => {
                lines.iter().chain(spared).map(|(unit, _)| (customer_of(unit), unit.as_str())).unzip()
            }
            Content::PassedOn { .. } => panic!("nobody has contacts: {thread:?} {to}"),
            Content::Umbrella { .. } | Content::Alarm(_) | Content::OutOfReach { .. } => {
                panic!("for the operations centre only: {thread:?} {to}")
            }
            Content::Contract(_) => panic!("nobody has a contract: {thread:?} {to}"),
        };
        assert!(!units.is_empty(), "a letter about nothing: {thread:?} {to}");
        assert!(customers.iter().all(|customer| address(customer) == *to), "{to} reads of {customers:?}");
        assert!(units.iter().all(|unit| address(&customer_of(unit)) == *to), "{to} reads of {units:?}");
        assert_eq!(units.iter().collect::<BTreeSet<_>>().len(), units.len(), "a line twice in {thread:?}");
        if let Thread::Umbrella { customer, .. } = thread {
            assert_eq!(customer.as_deref().map(address).as_ref(), Some(to));
        }
    }
}

/// Under an umbrella every letter about a case goes through it. A customer gets at most one of a kind within
/// [`COLLECT`], unless there was more to say of one of its lines, or staff had news.
pub(crate) fn umbrellas_collect(history: &History) {
    let mut over: BTreeMap<Reference, Reference> = BTreeMap::new();
    let mut last: BTreeMap<(Reference, &str, LetterKind), (Time, bool)> = BTreeMap::new();
    let mut moved: BTreeSet<Reference> = BTreeSet::new();
    // What waits to be said comes before what staff have to say.
    let updates: BTreeSet<(Time, Reference)> = history
        .facts
        .iter()
        .filter_map(|(at, fact)| match fact {
            Fact::UmbrellaUpdated { reference, .. } => Some((*at, *reference)),
            _ => None,
        })
        .collect();
    let mut now = Time::from_millis(0);
    for (at, fact) in &history.facts {
        if *at > now {
            (now, moved) = (*at, BTreeSet::new());
        }
        match fact {
            Fact::Case { reference, fact: CaseFact::Joined { umbrella }, .. } => {
                over.insert(*reference, *umbrella);
            }
            Fact::Case { reference, fact, .. } if !matches!(fact, CaseFact::Line { .. }) => {
                moved.insert(over.get(reference).copied().unwrap_or(*reference));
                if *fact == CaseFact::Left {
                    over.remove(reference);
                }
            }
            Fact::LetterQueued { letter, lines } => match &letter.thread {
                // The operations centre is told which umbrella speaks for a case that it knows by itself.
                Thread::Case { .. } if letter.mark.kind == LetterKind::Updated => assert!(is_noc(&letter.to)),
                // News are about one line.
                Thread::Case { .. } if letter.mark.kind == LetterKind::News => {}
                // So is what a customer writes.
                Thread::Case { .. } if letter.mark.kind == LetterKind::Heard => assert!(is_noc(&letter.to)),
                Thread::Case { reference, .. } => {
                    assert!(!over.contains_key(reference), "outside its umbrella: {letter:?}");
                }
                Thread::Umbrella { reference, customer: Some(customer) } => {
                    assert!(!lines.is_empty(), "{letter:?}");
                    // It left early.
                    let early = moved.contains(reference) || updates.contains(&(*at, *reference));
                    if letter.mark.kind != LetterKind::Updated && !is_noc(&letter.to) {
                        let before = last.insert((*reference, customer, letter.mark.kind), (*at, early));
                        let soon = before.is_some_and(|(then, was_early)| at.since(then) < COLLECT && !was_early);
                        assert!(early || !soon, "{before:?}, {at:?}: {letter:?}");
                    }
                }
                Thread::Umbrella { customer: None, .. }
                | Thread::Maintenance { .. }
                | Thread::Alarm { .. }
                | Thread::Contract { .. }
                | Thread::Reach { .. } => {}
            },
            _ => {}
        }
    }
}

/// An umbrella opens once, closes once, and only when no case under it is at work.
pub(crate) fn umbrellas_close_over_nobody(history: &History) {
    let mut cases: BTreeMap<Reference, Case> = BTreeMap::new();
    let mut open = BTreeSet::new();
    for (at, fact) in &history.facts {
        match fact {
            Fact::CaseOpened(opening) => {
                cases.insert(opening.reference, Case::open(Arc::clone(opening), *at));
            }
            Fact::Case { reference, fact, .. } => {
                if let CaseFact::Joined { umbrella } = fact {
                    assert!(open.contains(umbrella), "{reference} came under {umbrella}, which is not open");
                }
                cases.get_mut(reference).unwrap().apply(fact, *at);
            }
            Fact::UmbrellaOpened(umbrella) => assert!(open.insert(umbrella.reference)),
            Fact::UmbrellaClosed { reference, .. } => {
                assert!(open.remove(reference), "{reference} was not open");
                let below = cases.values().find(|case| case.umbrella == Some(*reference) && case.is_at_work());
                assert!(below.is_none(), "{below:#?}");
            }
            _ => {}
        }
    }
    for umbrella in history.sim.umbrellas() {
        assert_eq!(umbrella.closed_at.is_none(), open.contains(&umbrella.reference), "{umbrella:?}");
    }
}

/// An alarm that stands is not raised, and one that does not is not cleared.
pub(crate) fn alarms_alternate(history: &History) {
    let mut standing = BTreeSet::new();
    for (at, fact) in &history.facts {
        match fact {
            Fact::AlarmRaised(alarm) => assert!(standing.insert(alarm.kind), "at {at:?}: {alarm:?}"),
            Fact::AlarmCleared { kind, .. } => assert!(standing.remove(kind), "at {at:?}: {kind:?}"),
            _ => {}
        }
    }
    assert_eq!(history.sim.alarms().map(|alarm| alarm.kind).collect::<BTreeSet<_>>(), standing);
}

/// Only staff return a case whose line answers well.
pub(crate) fn the_watch_returns_only_faults(history: &History) {
    history.each_case_fact(|case, _, fact| {
        let by_watch = matches!(fact, CaseFact::Returned { by: Actor::Watch, .. });
        assert!(!by_watch || case.line.is_faulty(), "{case:#?}");
    });
}
