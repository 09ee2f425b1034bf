//! Maintenance: what is expected, and who is told.

use super::*;
use crate::domain::desk::LetterKind;
use crate::domain::letter::{Content, Letter, Thread};
use crate::domain::maintenance::{Draft, Scope, Window};

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
        let terms = Terms { pop: Some(pop.into()), region: region.into(), ..(*circuit.terms).clone() };
        let circuit = Circuit { customer: Arc::new(customer.into()), terms: Arc::new(terms), ..circuit };
        Arc::new(Device { role: Role::Unit(circuit), ..unit(id) })
    };
    // acme has a line in both scopes and one in each, beta is in the first, ceta in the second.
    let devices =
        [("a1", "acme", "x", "s"), ("a2", "acme", "x", "n"), ("a3", "acme", "y", "s"), ("b", "beta", "x", "n")];
    let mut devices: Vec<_> = devices.into_iter().map(|(id, whose, pop, region)| of(id, whose, pop, region)).collect();
    devices.push(of("c", "ceta", "y", "s"));
    let customer = |id: &str| Customer {
        id: id.into(),
        name: id.into(),
        email: vec![format!("it@{id}.example")],
        languages: Vec::new(),
        ..Customer::default()
    };
    let plan = Plan { customers: ["acme", "beta", "ceta"].map(customer).into(), devices, ..plan(Vec::new()) };
    let mut turn = Turn::new(Time::from_millis(0));
    let mut watch = Watch::start(Saved::default(), &plan, &mut turn);
    let mut ask = |wish| {
        turn.clear();
        watch.step(Input::Asked(Request { ticket: 1, by: "ann".into(), wish }), &mut turn);
        let done = match turn.replies.remove(0).result.unwrap() {
            Done::Maintenance(maintenance) => maintenance.window.clone(),
            other @ (Done::Case(_) | Done::Mail(_) | Done::Duty { .. } | Done::Contact(_) | Done::Trace(_)) => {
                panic!("{other:?}")
            }
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
