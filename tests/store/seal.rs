//! The sealed journal: what was written can't be changed without a trace.

use super::world::{World, at, mark};
use ntuwatch::domain::desk::{Reference, Topic};
use ntuwatch::domain::turn::Turn;
use ntuwatch::store::{Commit, Entry, Hash, Inspection, Reader, Store, Tampered};
use rusqlite::Connection;
use std::path::Path;

/// A store with three commits of two rows each, beside the first one of all.
fn written(path: &Path) {
    let (mut store, _) = Store::open(path).unwrap();
    for second in 1..=3 {
        let entries = ["a", "b"].map(|kind| Entry {
            kind,
            device: Some("u1".into()),
            topic: None,
            text: format!("{kind} {second}"),
            data: String::from("{}"),
        });
        write(&mut store, second, &entries);
    }
}

fn write(store: &mut Store, second: i64, entries: &[Entry]) {
    let turn = Turn::new(at(second));
    let commit = Commit { turn: &turn, mails: &[], entries, mark: &mark(turn.at), calendar_step: None };
    store.commit(&commit).unwrap();
}

fn inspect(path: &Path) -> Inspection {
    Reader::open(path).unwrap().inspect_journal().unwrap()
}

/// What is found once somebody has worked on the store with SQL.
fn after(sql: &str) -> Inspection {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("s.db");
    written(&path);
    let db = Connection::open(&path).unwrap();
    db.execute_batch(sql).unwrap();
    inspect(&path)
}

#[test]
fn every_row_of_a_commit_is_under_one_seal() {
    let found = after("");
    assert_eq!((found.sealed, found.unsealed, found.seals, found.tampered), (6, 0, 3, None));
    assert_eq!(found.last.unwrap().seq, 6);
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("s.db");
    let mut world = World::open(&path, at(0));
    world.silence("u1", true);
    world.run(900);
    let found = inspect(&path);
    assert_eq!((&found.tampered, found.unsealed), (&None, 0));
    assert!(found.seals > 2 && found.sealed >= found.seals, "{found:?}");
}

#[test]
fn the_first_row_that_was_changed_is_named_whatever_of_it_was() {
    let changes = [
        "at = at + 1",
        "kind = 'c'",
        "device = 'u2'",
        "device = NULL",
        "text = 'b  2'",
        "data = '{ }'",
        // A letter goes from one column to its neighbour.
        "text = 'b 2{', data = '}'",
    ];
    for change in changes {
        let found = after(&format!("UPDATE journal SET {change} WHERE seq IN (4, 6)"));
        assert_eq!(found.tampered, Some(Tampered::Changed { first: 3, last: 4 }), "{change}");
        assert_eq!((found.sealed, found.seals), (2, 1), "what was before it holds");
    }
    let renumbered = after("UPDATE journal SET seq = 9 WHERE seq = 4");
    assert_eq!(renumbered.tampered, Some(Tampered::Removed { seq: 4 }));
    let swapped = after(
        "UPDATE journal SET seq = 99 WHERE seq = 1; UPDATE journal SET seq = 1 WHERE seq = 2; UPDATE journal SET seq = 2 WHERE seq = 99;",
    );
    assert_eq!(swapped.tampered, Some(Tampered::Changed { first: 1, last: 2 }));
}

#[test]
fn a_case_cannot_be_given_another_row() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("s.db");
    let mut world = World::open(&path, at(0));
    world.silence("u1", true);
    world.run(300);
    let topic = Some(Topic::Case(Reference::from_number(1)));
    let entry = Entry { kind: "case_noted", device: None, topic, text: "t".into(), data: "{}".into() };
    write(&mut world.store, 900, &[entry]);
    let last = inspect(&path).last.unwrap().seq;
    let db = Connection::open(&path).unwrap();
    for change in ["case_number = NULL", "case_number = NULL, umbrella = 1"] {
        db.execute_batch(&format!(
            "PRAGMA foreign_keys = OFF; SAVEPOINT s; UPDATE journal SET {change} WHERE seq = {last}; RELEASE s"
        ))
        .unwrap();
        assert_eq!(inspect(&path).tampered, Some(Tampered::Changed { first: last, last }), "{change}");
    }
    db.execute_batch(&format!("UPDATE journal SET case_number = 1, umbrella = NULL WHERE seq = {last}")).unwrap();
    assert_eq!(inspect(&path).tampered, None, "as it was");
}

#[test]
fn a_row_that_was_taken_out_or_put_in_is_named() {
    let removed = |seq| Some(Tampered::Removed { seq });
    assert_eq!(after("DELETE FROM journal WHERE seq = 1").tampered, removed(1));
    assert_eq!(after("DELETE FROM journal WHERE seq = 4").tampered, removed(4));
    assert_eq!(after("DELETE FROM journal WHERE seq = 6").tampered, removed(6));
    assert_eq!(after("DELETE FROM journal").tampered, removed(1));
    for seq in [7, 99, 0, -3] {
        let found = after(&format!("INSERT INTO journal VALUES ({seq}, 1, 'a', NULL, NULL, 't', '{{}}', NULL)"));
        assert_eq!(found.tampered, Some(Tampered::Inserted { seq }));
    }
}

#[test]
fn seals_can_be_neither_changed_nor_removed() {
    assert_eq!(
        after("UPDATE journal_seals SET seal = zeroblob(32) WHERE seq = 4").tampered,
        Some(Tampered::Changed { first: 3, last: 4 })
    );
    assert_eq!(
        after("DELETE FROM journal_seals WHERE seq = 2").tampered,
        Some(Tampered::Changed { first: 1, last: 4 })
    );
    assert_eq!(after("DELETE FROM journal_seals WHERE seq = 0").tampered, Some(Tampered::NoBeginning));
    assert_eq!(after("DELETE FROM journal_seals").tampered, Some(Tampered::NoBeginning));
    let shorter = after("DELETE FROM journal_seals WHERE seq < 4; DELETE FROM journal WHERE seq <= 4");
    assert_eq!(shorter.tampered, Some(Tampered::NoBeginning));
    let end = after("DELETE FROM journal_seals WHERE seq = 6");
    assert_eq!(end.tampered, Some(Tampered::Inserted { seq: 5 }));
}

#[test]
fn who_takes_rows_out_by_hand_does_not_stop_the_daemon() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("s.db");
    written(&path);
    Connection::open(&path).unwrap().execute_batch("DELETE FROM journal WHERE seq > 4").unwrap();
    let (mut store, _) = Store::open(&path).unwrap();
    write(&mut store, 9, &[super::world::entry("next")]);
    assert_eq!(inspect(&path).tampered, Some(Tampered::Removed { seq: 5 }));
}

#[test]
fn rows_from_before_the_first_seal_are_said_to_be_unsealed() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("s.db");
    written(&path);
    // As a store that was brought up to date has it.
    let db = Connection::open(&path).unwrap();
    db.execute_batch("DELETE FROM journal_seals; INSERT INTO journal_seals SELECT max(seq), zeroblob(32) FROM journal")
        .unwrap();
    drop(db);
    let (mut store, _) = Store::open(&path).unwrap();
    write(&mut store, 9, &[super::world::entry("next")]);
    let found = inspect(&path);
    assert_eq!((found.sealed, found.unsealed, found.tampered), (1, 6, None));
}

#[test]
fn a_hash_is_written_in_hexadecimal() {
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(Hash::of(b"").to_string(), empty);
}
