//! The self-audit finds what the loop slept through, from what is on the disk.

use super::world::{at, commit, letter, mark, opening};
use ntuwatch::domain::desk::{
    Case, CaseFact, EscalatedBy, LetterKind, LetterMark, Level, Pledges, PromiseKind, Reference, Topic,
};
use ntuwatch::domain::time::Time;
use ntuwatch::domain::turn::Turn;
use ntuwatch::store::{AUDIT_TOLERANCE, Audit, Commit, Entry, Overdue, Reader, Store};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const WITHIN: Duration = Duration::from_secs(1_800);

/// Opened at 0 s, with news promised every half an hour.
fn case(number: u64) -> Case {
    let pledges = Pledges { update_p1: Some(WITHIN), ..Pledges::default() };
    Case::open(ntuwatch::domain::desk::Opening { pledges, ..opening(number, &format!("u{number}")) }, at(0))
}

fn put(store: &mut Store, second: i64, cases: &[&Case]) {
    let mut turn = Turn::new(at(second));
    turn.cases = cases.iter().map(|&case| Arc::new(case.clone())).collect();
    commit(store, &turn).unwrap();
}

fn note(store: &mut Store, second: i64, kind: &'static str) {
    let topic = Some(Topic::Case(Reference::from_number(1)));
    let entry = Entry { kind, device: None, topic, text: kind.to_owned(), data: String::from("{}") };
    let turn = Turn::new(at(second));
    let commit = Commit { turn: &turn, mails: &[], entries: &[entry], mark: &mark(turn.at), calendar_step: None };
    store.commit(&commit).unwrap();
}

fn audit(path: &Path, now: Time) -> Audit {
    Reader::open(path).unwrap().audit(now).unwrap()
}

#[test]
fn a_deadline_that_passed_in_silence_is_found_after_a_minute() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("s.db");
    let (mut store, _) = Store::open(&path).unwrap();
    let (mut one, two) = (case(1), case(2));
    put(&mut store, 0, &[&one, &two]);
    let due = at(0) + WITHIN;
    assert_eq!(audit(&path, due + AUDIT_TOLERANCE - Duration::from_millis(1)), Audit::default());
    let found = audit(&path, due + AUDIT_TOLERANCE);
    let what = Overdue { reference: Reference::from_number(1), what: "update", due };
    assert_eq!(found, Audit { overdue: Some(what), ..Audit::default() });
    let words = found.faults(due + AUDIT_TOLERANCE);
    assert_eq!(words, [format!("a deadline of {} (update) has not come about for 60 s", Reference::from_number(1))]);
    // What was missed, and said so, is no deadline any more.
    one.apply(&CaseFact::Missed { kind: PromiseKind::Update, late: Duration::ZERO }, due);
    put(&mut store, 1_900, &[&one]);
    assert_eq!(audit(&path, due + AUDIT_TOLERANCE).overdue.map(|late| late.reference), Some(Reference::from_number(2)));
}

#[test]
fn a_missed_promise_escalates_and_an_escalation_is_told() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("s.db");
    let (mut store, _) = Store::open(&path).unwrap();
    let mut case = case(1);
    put(&mut store, 0, &[&case]);
    note(&mut store, 1_800, "promise_missed");
    let found = |now| {
        let Audit { silent, unwritten, .. } = audit(&path, at(now));
        (silent, unwritten)
    };
    assert_eq!(found(1_801), (1, 0));
    assert_eq!(found(1_800 + 3_601), (0, 0), "an hour is looked back");
    note(&mut store, 1_800, "escalated");
    assert_eq!(found(1_801), (0, 0));
    // Nobody was ever written to about this case, and nobody can be.
    assert_eq!(found(1_800 + 601), (0, 0));
    let mut turn = Turn::new(at(1_900));
    let why = EscalatedBy::Missed(PromiseKind::Update);
    case.apply(&CaseFact::Escalated { level: Level::L1, why, note: None }, at(1_800));
    let case = Arc::new(case);
    let opened = LetterMark { kind: LetterKind::Opened, number: 1 };
    turn.letters = vec![letter(1, &case, opened, "it@acme.example")];
    commit(&mut store, &turn).unwrap();
    assert_eq!(found(1_800 + 600), (0, 0), "it may wait for the customer's other lines");
    assert_eq!(found(1_800 + 601), (0, 1));
    let mut turn = Turn::new(at(2_500));
    let escalated = LetterMark { kind: LetterKind::Escalated, number: 1 };
    let told = letter(2, &case, escalated, "it@acme.example");
    turn.letters = vec![ntuwatch::domain::letter::Letter { written_at: at(2_500), ..told }];
    commit(&mut store, &turn).unwrap();
    assert_eq!(found(2_501), (0, 0));
}
