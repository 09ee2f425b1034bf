//! What lines share, and letters about many of them.

use super::any::any_umbrella;
use super::round_trip::compare;
use super::world::{World, at, closed, commit, entry, letter, mark, opening};
use ntuwatch::domain::desk::{Case, Cause, LetterKind, LetterMark, Reference, Topic, Umbrella};
use ntuwatch::domain::letter::{Content, Letter, LetterChange, LetterState, Thread};
use ntuwatch::domain::time::Time;
use ntuwatch::domain::turn::{HeldLine, Turn, Wish};
use ntuwatch::domain::watch::GroupKind;
use ntuwatch::store::{CaseFilter, Commit, CommitError, Entry, Loaded, Reader, Store, UmbrellaRow};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const ALL: CaseFilter =
    CaseFilter { open_only: false, unit: None, umbrella: None, lacks_prechecks: false, below: None, limit: 1_000 };

fn umbrella(number: u64, closed_at: Option<Time>) -> Umbrella {
    Umbrella {
        reference: Reference::from_number(number),
        cause: Cause::Group(GroupKind::Supplier, String::from("telco-a")),
        opened_at: at(0),
        first_loss: at(-60),
        lost: 6,
        of: 7,
        within: Duration::from_millis(4_500),
        closed_at,
    }
}

/// An open case of a unit of its own under an umbrella.
fn case(number: u64, umbrella: u64) -> Case {
    let mut case = Case::open(opening(number, &format!("u{number}")), at(0));
    case.umbrella = Some(Reference::from_number(umbrella));
    case
}

const fn first(kind: LetterKind) -> LetterMark {
    LetterMark { kind, number: 1 }
}

fn held(umbrella: u64, case: u64, customer: &str, kind: LetterKind) -> HeldLine {
    let (umbrella, case) = (Reference::from_number(umbrella), Reference::from_number(case));
    HeldLine { umbrella, customer: Arc::new(customer.into()), case, mark: first(kind), due: at(75) }
}

fn reopened(store: Store, path: &Path) -> (Store, Loaded) {
    drop(store);
    Store::open(path).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]

    #[test]
    fn umbrellas_come_back_exactly_as_they_were(heads in vec((any_umbrella(1), option::of(0_i64..100)), 1..6)) {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("s.db");
        let (mut store, _) = Store::open(&path).unwrap();
        let (mut begun, mut over) = (Turn::new(at(0)), Turn::new(at(100)));
        for (number, (umbrella, closed_at)) in (1..).zip(heads) {
            let umbrella = Umbrella { reference: Reference::from_number(number), ..umbrella };
            over.umbrellas.push(Umbrella { closed_at: closed_at.map(at), ..umbrella.clone() });
            begun.umbrellas.push(umbrella);
        }
        for turn in [&begun, &over] {
            commit(&mut store, turn).unwrap();
            let reader = Reader::open(&path).unwrap();
            for umbrella in &turn.umbrellas {
                let row = UmbrellaRow { umbrella: umbrella.clone(), cases: 0, at_work: 0 };
                prop_assert_eq!(reader.umbrella(umbrella.reference).unwrap(), Some(row));
            }
        }
        let (_, loaded) = reopened(store, &path);
        let known: Vec<_> = loaded.saved.desk.umbrellas.into_iter().map(|saved| saved.umbrella).collect();
        over.umbrellas.retain(|umbrella| umbrella.closed_at.is_none());
        prop_assert_eq!(known, over.umbrellas);
    }
}

#[test]
fn an_umbrella_is_remembered_while_it_is_open_or_has_an_open_case_or_a_letter_that_waits() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("s.db");
    let (mut store, _) = Store::open(&path).unwrap();
    let mut turn = Turn::new(at(0));
    turn.umbrellas =
        [(1, None), (2, Some(at(0))), (3, Some(at(0))), (4, Some(at(0)))].map(|(n, c)| umbrella(n, c)).into();
    let done = |number, umbrella| Case { stage: closed(9), ..case(number, umbrella) };
    turn.cases = [case(11, 2), done(12, 2), done(13, 3), done(14, 3), done(15, 4)].map(Arc::new).into();
    let kinds = [LetterKind::Closed, LetterKind::Solved, LetterKind::Opened];
    // The one that came last waits for a customer that comes first.
    turn.held = vec![held(3, 14, "beta", kinds[0]), held(3, 13, "acme", kinds[0])];
    // These came and went.
    turn.held.extend([held(2, 11, "acme", kinds[1]), held(2, 12, "acme", kinds[2])]);
    turn.released = turn.held[2..].iter().map(|line| (line.case, line.mark)).collect();
    commit(&mut store, &turn).unwrap();

    let (mut store, loaded) = reopened(store, &path);
    let desk = loaded.saved.desk;
    let known: Vec<_> = desk.umbrellas.iter().map(|saved| (saved.umbrella.reference.number(), saved.cases)).collect();
    assert_eq!(known, [(1, 0), (2, 2), (3, 2)]);
    let waiting: Vec<_> = desk.umbrellas.iter().map(|saved| saved.held.clone()).collect();
    assert_eq!(waiting, [vec![], vec![], turn.held[..2].to_vec()], "in the order in which they came");
    let closing: Vec<_> = desk.closing.iter().map(|case| case.opening.reference.number()).collect();
    assert_eq!(closing, [13, 14]);
    assert_eq!(desk.next_number, 16);

    let mut turn = Turn::new(at(75));
    turn.released = vec![(Reference::from_number(13), first(kinds[0])), (Reference::from_number(14), first(kinds[0]))];
    commit(&mut store, &turn).unwrap();
    let (_, loaded) = reopened(store, &path);
    assert_eq!((loaded.saved.desk.umbrellas.len(), loaded.saved.desk.closing.len()), (2, 0));
}

#[test]
fn an_umbrella_takes_its_number_from_those_of_cases() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("s.db");
    let (mut store, _) = Store::open(&path).unwrap();
    let mut turn = Turn::new(at(0));
    turn.umbrellas.push(umbrella(40, Some(at(0))));
    turn.cases.push(Arc::new(case(39, 40)));
    commit(&mut store, &turn).unwrap();
    let (_, loaded) = reopened(store, &path);
    assert_eq!(loaded.saved.desk.next_number, 41);
}

#[test]
fn umbrellas_are_listed_with_their_cases() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("s.db");
    let (mut store, _) = Store::open(&path).unwrap();
    let mut turn = Turn::new(at(0));
    turn.umbrellas = vec![umbrella(1, Some(at(5))), umbrella(2, None), umbrella(3, None)];
    let done = Case { stage: closed(9), ..case(13, 2) };
    turn.cases = [case(11, 1), case(12, 2), done, case(14, 2)].map(Arc::new).into();
    commit(&mut store, &turn).unwrap();
    let reader = Reader::open(&path).unwrap();
    let listed = |open_only, limit| -> Vec<_> {
        let rows = reader.umbrellas(open_only, limit).unwrap();
        rows.iter().map(|row| (row.umbrella.reference.number(), row.cases, row.at_work)).collect()
    };
    assert_eq!(listed(false, 10), [(3, 0, 0), (2, 3, 2), (1, 1, 1)]);
    assert_eq!(listed(true, 10), [(3, 0, 0), (2, 3, 2)]);
    assert_eq!(listed(false, 1), [(3, 0, 0)]);
    assert_eq!(reader.umbrella(Reference::from_number(11)).unwrap(), None, "that is a case");
    let under = |umbrella, open_only| -> Vec<u64> {
        let umbrella = Some(Reference::from_number(umbrella));
        let cases = reader.cases(&CaseFilter { umbrella, open_only, ..ALL }).unwrap();
        cases.iter().map(|case| case.opening.reference.number()).collect()
    };
    assert_eq!((under(2, false), under(2, true), under(3, false)), (vec![14, 13, 12], vec![14, 12], vec![]));
}

/// A letter about lines of an umbrella to one reader of a customer; to the operations centre if there is no customer.
fn about(
    id: u64,
    umbrella: &Umbrella,
    customer: Option<&str>,
    lines: &[(&Arc<Case>, LetterMark)],
    mark: LetterMark,
) -> Letter {
    let lines: Vec<_> = lines.iter().map(|(case, mark)| (Arc::clone(case), *mark)).collect();
    let head = Arc::new(umbrella.clone());
    Letter {
        id,
        thread: Thread::Umbrella { reference: umbrella.reference, customer: customer.map(String::from) },
        mark,
        previous: None,
        content: match customer {
            Some(_) => Content::Lines { umbrella: head, lines, text: None },
            None => Content::Umbrella { umbrella: head, cases: 2, text: None },
        },
        to: format!("it@{}.example", customer.unwrap_or("noc")),
        greeting: None,
        written_at: at(5),
        survey: None,
    }
}

#[test]
fn letters_about_many_lines_are_found_by_case_and_by_umbrella_and_go_on_where_they_stopped() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("s.db");
    let (mut store, _) = Store::open(&path).unwrap();
    // References whose keys are neighbours of this umbrella's must not be taken for it.
    let heads = [2, 1, 3].map(|number| umbrella(number, None));
    let cases = [11, 12].map(|number| Arc::new(case(number, 2)));
    let [one, two] = [&cases[0], &cases[1]];
    let (opened, solved) = (first(LetterKind::Opened), first(LetterKind::Solved));
    let second = |kind| LetterMark { kind, number: 2 };
    let mut turn = Turn::new(at(5));
    turn.umbrellas = heads.to_vec();
    turn.cases = cases.to_vec();
    turn.letters = vec![
        about(1, &heads[0], None, &[], opened),
        about(2, &heads[0], Some("acme"), &[(one, opened)], opened),
        about(3, &heads[0], Some("acme"), &[(one, solved)], solved),
        about(4, &heads[0], Some("acme"), &[(two, opened)], second(LetterKind::Opened)),
        about(5, &heads[1], Some("acme"), &[], second(LetterKind::Closed)),
        about(6, &heads[2], None, &[], second(LetterKind::Closed)),
        letter(7, two, solved, "it@acme.example"),
    ];
    commit(&mut store, &turn).unwrap();
    let reader = Reader::open(&path).unwrap();
    let found = |reference: u64, limit| -> Vec<_> {
        let rows = reader.letters(Reference::from_number(reference), limit).unwrap();
        rows.into_iter().map(|row| (row.id, row.kind, row.number, row.thread.key())).collect()
    };
    let of = |customer: &str| format!("umbrella:{}:{customer}", heads[0].reference);
    let (o, s) = (LetterKind::Opened, LetterKind::Solved);
    assert_eq!(found(11, 9), [(2, o, 1, of("acme")), (3, s, 1, of("acme"))]);
    let own = letter(7, two, solved, "").thread.key();
    assert_eq!(found(12, 9), [(4, o, 1, of("acme")), (7, s, 1, own)], "what it says of the case");
    let all = [(1, o, 1, of("")), (2, o, 1, of("acme")), (3, s, 1, of("acme")), (4, o, 2, of("acme"))];
    assert_eq!(found(2, 9), all);
    assert_eq!(found(2, 2), all[2..]);

    let mut turn = Turn::new(at(6));
    turn.letter_changes =
        (1..=6).map(|id| LetterChange { id, state: LetterState::Sent, attempts: 1, error: None }).collect();
    commit(&mut store, &turn).unwrap();
    let (_, loaded) = reopened(store, &path);
    let saved = &loaded.saved.desk.umbrellas;
    let acme = |mark| (Some(String::from("acme")), mark);
    assert_eq!(saved[1].letters, [(None, opened), acme(solved), acme(second(o))], "the latest one comes last");
    let waiting: Vec<_> = loaded.saved.desk.letters.waiting.iter().map(|waiting| waiting.label.clone()).collect();
    assert_eq!(waiting, [letter(7, two, solved, "it@acme.example").label()]);
}

#[test]
fn nobody_is_told_the_same_of_a_case_twice_in_whatever_thread() {
    let home = tempfile::tempdir().unwrap();
    let (mut store, _) = Store::open(&home.path().join("s.db")).unwrap();
    let heads = [1, 2].map(|number| umbrella(number, None));
    let case = Arc::new(case(11, 1));
    let mut turn = Turn::new(at(5));
    turn.umbrellas = heads.to_vec();
    turn.cases.push(Arc::clone(&case));
    let (opened, updated) = (first(LetterKind::Opened), first(LetterKind::Updated));
    turn.letters = vec![letter(1, &case, opened, "it@acme.example")];
    commit(&mut store, &turn).unwrap();
    let tell = |store: &mut Store, id, umbrella: &Umbrella, mark| {
        let mut turn = Turn::new(at(6));
        turn.letters.push(about(id, umbrella, Some("acme"), &[(&case, mark)], mark));
        commit(store, &turn)
    };
    let error = tell(&mut store, 2, &heads[0], opened).unwrap_err();
    assert!(matches!(&error, CommitError::Failed { why, .. } if why.contains("letter_lines")), "{error}");
    // News are counted by umbrella, and this case came under another one.
    tell(&mut store, 2, &heads[0], updated).unwrap();
    tell(&mut store, 3, &heads[1], updated).unwrap();
    assert!(matches!(tell(&mut store, 4, &heads[1], updated), Err(CommitError::Failed { .. })));
}

#[test]
fn the_journal_tells_umbrellas_from_cases() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("s.db");
    let (mut store, _) = Store::open(&path).unwrap();
    let mut turn = Turn::new(at(0));
    turn.umbrellas.push(umbrella(1, None));
    turn.cases.push(Arc::new(case(11, 1)));
    let (shared, alone) = (Topic::Umbrella(Reference::from_number(1)), Topic::Case(Reference::from_number(11)));
    let entries = [(shared, "umbrella"), (alone, "case"), (shared, "news")]
        .map(|(topic, text)| Entry { topic: Some(topic), ..entry(text) });
    let mark = mark(at(0));
    let mut put = |entries: &[Entry]| {
        store.commit(&Commit { turn: &turn, mails: &[], entries, mark: &mark, calendar_step: None })
    };
    put(&entries).unwrap();
    let nobody = Entry { topic: Some(Topic::Case(Reference::from_number(12))), ..entry("nobody") };
    let error = put(&[nobody]).unwrap_err();
    assert!(matches!(&error, CommitError::Failed { why, .. } if why.contains("FOREIGN KEY")), "{error}");
    let reader = Reader::open(&path).unwrap();
    let timeline = |number, limit| -> Vec<String> {
        let entries = reader.timeline(Reference::from_number(number), limit).unwrap();
        entries.into_iter().map(|entry| entry.text).collect()
    };
    assert_eq!(timeline(1, 9), ["umbrella", "news"]);
    assert_eq!(timeline(1, 1), ["news"]);
    assert_eq!(timeline(11, 9), ["case"]);
}

/// Every line of a supplier fails, and the daemon is started anew again and again until all of it is over.
#[test]
fn a_shared_outage_goes_on_from_the_store_where_it_stopped() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("s.db");
    let mut world = World::open(&path, at(0));
    let units: Vec<_> = (1..=6).map(|n| format!("u{n}")).collect();
    world.run(60);
    units.iter().for_each(|unit| world.silence(unit, true));
    world.run(170);
    let umbrella = world.watch.desk().umbrellas().next().unwrap().reference;
    assert_eq!(world.watch.desk().at_work_under(umbrella), 6);
    let waits = |path: &Path| -> i64 {
        let db = rusqlite::Connection::open(path).unwrap();
        db.query_row("SELECT count(*) FROM held_lines", [], |row| row.get(0)).unwrap()
    };
    assert_eq!(waits(&path), 6, "the letter waits for lines");
    let mut restarts_while_waiting = 0;
    for round in 0..30 {
        compare(&path, &world);
        restarts_while_waiting += i32::from(waits(&path) > 0);
        world = world.killed(&path, 2);
        // The operations centre tells everybody, and what was counted before the restart goes on.
        if matches!(round, 4 | 5) {
            world.ask(Wish::Update { umbrella, text: String::from("the supplier is on site") });
        }
        units.iter().for_each(|unit| world.silence(unit, round < 6));
        world.run(60);
    }
    assert!(restarts_while_waiting >= 3, "opened, solved and closed letters all waited: {restarts_while_waiting}");
    assert_eq!((waits(&path), world.watch.desk().cases().count(), world.watch.desk().umbrellas().count()), (0, 0, 0));
    compare(&path, &world);
    let reader = Reader::open(&path).unwrap();
    let row = reader.umbrella(umbrella).unwrap().unwrap();
    assert_eq!((row.cases, row.at_work), (6, 0));
    for case in reader.cases(&CaseFilter { umbrella: Some(umbrella), ..ALL }).unwrap() {
        let mut told: BTreeMap<String, Vec<_>> = BTreeMap::new();
        for letter in reader.letters(case.opening.reference, 100).unwrap() {
            told.entry(letter.to).or_default().push((letter.kind, letter.number));
        }
        for (to, told) in told.into_iter().filter(|(to, _)| to.ends_with("acme.example")) {
            let (opened, updated) = (LetterKind::Opened, LetterKind::Updated);
            let all = [(opened, 1), (updated, 1), (updated, 2), (LetterKind::Solved, 1), (LetterKind::Closed, 1)];
            assert_eq!(told, all, "{to}");
        }
    }
    let letters = reader.letters(umbrella, 1_000).unwrap();
    assert!(letters.iter().all(|letter| letter.state == LetterState::Sent));
    let mails: Vec<_> = letters.iter().filter_map(|letter| reader.mail(letter.id).unwrap()).collect();
    let unanswered = mails.iter().filter(|mail| mail.in_reply_to.is_none()).count();
    assert_eq!(unanswered, 3, "one first letter to each reader: {mails:#?}");
}
