//! Maintenance, alarms and strips.

use super::any::{alarm, any_maintenance};
use super::world::{World, at, commit, mark};
use ntuwatch::domain::desk::{Alarm, AlarmKind};
use ntuwatch::domain::maintenance::{Draft, Maintenance, Origin, Scope, Stage, Window};
use ntuwatch::domain::time::Time;
use ntuwatch::domain::turn::{Turn, Wish};
use ntuwatch::domain::watch::{Chunk, GroupKind, Interval, Reason, Verdict};
use ntuwatch::store::{Commit, Reader, Store};
use proptest::collection::vec;
use proptest::prelude::*;
use std::slice::from_ref;
use std::sync::Arc;
use std::time::Duration;

fn planned(id: &str, from: i64, until: i64, stage: Stage) -> Arc<Maintenance> {
    let window = Window {
        id: id.into(),
        scope: Scope::Group(GroupKind::Supplier, String::from("telco-a")),
        from: at(from),
        until: at(until),
        emergency: false,
        note: None,
    };
    Arc::new(Maintenance { window, origin: Origin::Config, revision: 1, planned_at: at(0), announced_at: at(0), stage })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]

    #[test]
    fn maintenance_and_alarms_come_back_exactly_as_they_were(
        plans in vec((any_maintenance(), any_maintenance()), 1..6),
        alarms in vec((alarm(), any::<bool>()), 0..6),
    ) {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("s.db");
        let (mut store, _) = Store::open(&path).unwrap();
        let (mut first, mut second) = (Turn::new(at(0)), Turn::new(at(1)));
        for (n, plans) in plans.into_iter().enumerate() {
            for (turn, mut plan) in [&mut first, &mut second].into_iter().zip([plans.0, plans.1]) {
                plan.window.id = format!("m{n}");
                turn.maintenance.push(Arc::new(plan));
            }
        }
        second.alarms.clone_from(&alarms);
        for turn in [&first, &second] {
            commit(&mut store, turn).unwrap();
            let mut known = Reader::open(&path).unwrap().maintenance(100).unwrap();
            known.sort_by(|one, other| one.window.id.cmp(&other.window.id));
            let expected: Vec<_> = turn.maintenance.iter().map(|plan| (**plan).clone()).collect();
            prop_assert_eq!(known, expected);
        }
        drop(store);
        let (_, loaded) = Store::open(&path).unwrap();
        let stands = |kind: AlarmKind| alarms.iter().rev().find(|(alarm, _)| alarm.kind == kind);
        let last = AlarmKind::ALL.into_iter().filter_map(stands).filter(|(_, stands)| *stands);
        let mut expected: Vec<Alarm> = last.map(|(alarm, _)| alarm.clone()).collect();
        let mut alarms = loaded.saved.desk.alarms;
        expected.sort_by_key(|alarm| alarm.kind);
        alarms.sort_by_key(|alarm| alarm.kind);
        prop_assert_eq!(alarms, expected);
    }
}

#[test]
fn maintenance_that_is_over_is_remembered_for_a_month_and_kept_for_ever() {
    const DAY: i64 = 24 * 3_600;
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("s.db");
    let (mut store, _) = Store::open(&path).unwrap();
    let mut turn = Turn::new(at(100 * DAY));
    turn.maintenance = vec![
        planned("late", 60 * DAY, 61 * DAY, Stage::Active),
        planned("lately", 70 * DAY, 71 * DAY, Stage::Ended),
        planned("long_ago", 68 * DAY, 69 * DAY, Stage::Ended),
        planned("off", 67 * DAY, 69 * DAY, Stage::Cancelled),
        planned("soon", 120 * DAY, 121 * DAY, Stage::Planned),
    ];
    commit(&mut store, &turn).unwrap();
    let listed: Vec<_> =
        Reader::open(&path).unwrap().maintenance(4).unwrap().into_iter().map(|plan| plan.window.id).collect();
    assert_eq!(listed, ["soon", "lately", "long_ago", "off"], "the latest first");
    drop(store);
    let (_, loaded) = Store::open(&path).unwrap();
    let ids: Vec<_> = loaded.saved.maintenance.iter().map(|plan| plan.window.id.as_str()).collect();
    assert_eq!(ids, ["late", "lately", "soon"]);
}

#[test]
fn a_maintenance_goes_on_after_a_restart() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("s.db");
    let mut world = World::open(&path, at(0));
    world.run(30);
    let window =
        Window { note: Some(String::from("new card")), ..planned("m1", 60, 600, Stage::Planned).window.clone() };
    let Window { id, scope, from, until, emergency, note } = window.clone();
    world.ask(Wish::Maintain(Draft { id, scope, from, until, emergency: Some(emergency), note }));
    world = world.killed(&path, 2);
    world.run(60);
    let known: Vec<_> = world.watch.maintenance().map(|plan| (plan.window.clone(), plan.stage)).collect();
    assert_eq!(known, [(window, Stage::Active)]);
    world.silence("u1", true);
    world = world.killed(&path, 2);
    world.run(300);
    assert_eq!(world.watch.desk().cases().count(), 0, "its loss is expected");
    let reader = Reader::open(&path).unwrap();
    let letters: i64 = rusqlite::Connection::open(&path)
        .unwrap()
        .query_row("SELECT count(*) FROM letters WHERE thread_key LIKE 'maintenance:m1:%:acme'", [], |row| row.get(0))
        .unwrap();
    assert_eq!((letters, reader.maintenance(9).unwrap()[0].stage), (2, Stage::Active));
}

fn chunk(from: i64, cells: &[u8]) -> Chunk {
    Chunk { from: at(from), interval: Duration::from_secs(10), cells: cells.to_vec() }
}

#[test]
fn strips_are_found_by_their_time() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("s.db");
    let (mut store, _) = Store::open(&path).unwrap();
    let chunks = [("b", chunk(0, &[0, 1, 2, 255])), ("a", chunk(40, &[7; 5])), ("a", chunk(0, &[9]))];
    let mut turn = Turn::new(at(0));
    turn.chunks = chunks.iter().map(|(device, chunk)| (String::from(*device), chunk.clone())).collect();
    commit(&mut store, &turn).unwrap();
    let mut turn = Turn::new(at(1));
    turn.chunks.push((String::from("a"), chunk(0, &[9, 8, 7, 6])));
    commit(&mut store, &turn).unwrap();
    let reader = Reader::open(&path).unwrap();
    let (early, late) = (chunk(0, &[9, 8, 7, 6]), chunks[1].1.clone());
    let found = |from, until| reader.strips("a", at(from), at(until)).unwrap();
    assert_eq!(found(0, 100), [early.clone(), late.clone()]);
    assert_eq!(found(39, 40), from_ref(&early));
    assert_eq!(found(40, 41), from_ref(&late), "the first one ends at 40");
    assert_eq!(found(89, 200), from_ref(&late));
    assert_eq!(found(90, 200), []);
    let since = |time| {
        let mut all = Vec::new();
        reader.strips_since(time, |device, chunk| all.push((device, chunk))).unwrap();
        all
    };
    let (a, b) = (String::from("a"), String::from("b"));
    assert_eq!(since(at(39)), [(a.clone(), early), (a.clone(), late.clone()), (b, chunks[0].1.clone())]);
    assert_eq!(since(at(40)), [(a, late)]);
}

#[test]
fn the_ledgers_are_told_from_a_time_on() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("s.db");
    let (mut store, _) = Store::open(&path).unwrap();
    let stretch = |device: &str, from, until| Interval {
        device: device.into(),
        from: at(from),
        until: at(until),
        verdict: Verdict::Degraded,
        reason: Reason::Lossy,
    };
    let mut turn = Turn::new(at(0));
    turn.intervals = vec![stretch("b", 0, 50), stretch("a", 10, 20), stretch("a", 0, 10)];
    commit(&mut store, &turn).unwrap();
    let reader = Reader::open(&path).unwrap();
    let since = |time: Time| {
        let mut all = Vec::new();
        reader.intervals_since(time, |interval| all.push(interval)).unwrap();
        all
    };
    assert_eq!(since(at(9)), [stretch("a", 0, 10), stretch("a", 10, 20), stretch("b", 0, 50)]);
    assert_eq!(since(at(10)), [stretch("a", 10, 20), stretch("b", 0, 50)]);
    assert_eq!(since(at(50)), []);
}

/// What a person sees who opens the store with the sqlite3 shell.
#[test]
fn the_shell_shows_what_is_shared_and_what_is_planned() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("s.db");
    let mut world = World::open(&path, at(0));
    world.run(60);
    (1..=6).for_each(|n| world.silence(&format!("u{n}"), true));
    world.run(170);
    let mut turn = Turn::new(world.now);
    turn.maintenance.push(planned("m1", 86_400, 90_000, Stage::Planned));
    let mark = mark(turn.at);
    let step = Some((at(0), 3_600_000));
    world.store.commit(&Commit { turn: &turn, mails: &[], entries: &[], mark: &mark, calendar_step: step }).unwrap();
    let db = rusqlite::Connection::open(&path).unwrap();
    let text = |sql: &str| -> String { db.query_row(sql, [], |row| row.get(0)).unwrap() };
    let umbrella = world.watch.desk().umbrellas().next().unwrap().reference.to_string();
    assert_eq!(text("SELECT DISTINCT umbrella FROM cases_readable"), umbrella);
    let line = text(
        "SELECT reference || ' ' || cause || ' ' || cases || ' ' || at_work || ' ' || ifnull(closed, 'open') FROM umbrellas_readable",
    );
    assert_eq!(line, format!("{umbrella} supplier=telco-a 6 6 open"));
    let line = text("SELECT id || ' ' || scope || ' ' || stage || ' ' || begins FROM maintenance_readable");
    assert_eq!(line, "m1 supplier=telco-a planned 2023-11-15 23:13:20.000Z", "an hour ahead");
}
