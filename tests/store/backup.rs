//! Backups of a living store.

use super::world::{World, at, entry, mark};
use ntuwatch::domain::turn::Turn;
use ntuwatch::domain::watch::{Interval, Reason, Verdict};
use ntuwatch::store::{BackupError, Commit, Reader, SKIPPED_CASES, Store};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(directory).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Each commit writes one stretch and three journal entries, and moves the clock by one second.
fn write_on(store: &mut Store, stop: &AtomicBool) {
    for second in 0.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let mut turn = Turn::new(at(second));
        turn.intervals.push(Interval {
            device: String::from("u1"),
            from: at(second - 1),
            until: at(second),
            verdict: Verdict::Up,
            reason: Reason::Answered,
        });
        let entries = vec![entry(&"y".repeat(900)); 3];
        store
            .commit(&Commit { turn: &turn, mails: &[], entries: &entries, mark: &mark(turn.at), calendar_step: None })
            .unwrap();
    }
}

#[test]
fn a_backup_is_one_moment_of_a_store_that_is_being_written() {
    let home = tempfile::tempdir().unwrap();
    let target = tempfile::tempdir().unwrap();
    let path = home.path().join("s.db");
    let (mut store, _) = Store::open(&path).unwrap();
    let stop = AtomicBool::new(false);
    let counts = std::thread::scope(|scope| {
        scope.spawn(|| write_on(&mut store, &stop));
        let mut counts = Vec::new();
        for n in 0..12 {
            let copy = target.path().join(format!("{n}.db"));
            Reader::open(&path).unwrap().backup(&copy).unwrap();
            counts.push(consistent(&copy));
        }
        stop.store(true, Ordering::Relaxed);
        counts
    });
    assert!(counts.is_sorted() && counts.first() < counts.last(), "the writer went on: {counts:?}");
    let expected: Vec<_> = (0..12).map(|n| format!("{n}.db")).collect();
    assert_eq!(names(target.path()).len(), expected.len(), "nothing beside the copies: {:?}", names(target.path()));
    let (_, loaded) = Store::open(&target.path().join("11.db")).unwrap();
    assert!(loaded.mark.is_some());
}

/// How many commits the copy holds, each of them whole.
fn consistent(copy: &Path) -> i64 {
    let db = rusqlite::Connection::open_with_flags(copy, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let one = |sql: &str| -> i64 { db.query_row(sql, [], |row| row.get(0)).unwrap() };
    let sound: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok");
    let commits = one("SELECT count(*) FROM ledger");
    assert_eq!(one("SELECT count(*) FROM journal"), 3 * commits);
    if commits > 0 {
        assert_eq!(one("SELECT watched_until FROM daemon"), at(commits - 1).as_millis());
    }
    commits
}

#[test]
fn a_backup_never_overwrites_and_leaves_nothing_behind_when_it_fails() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("s.db");
    World::open(&path, at(0)).run(10);
    let reader = Reader::open(&path).unwrap();
    let there = home.path().join("there.db");
    fs::write(&there, "precious").unwrap();
    assert_eq!(reader.backup(&there), Err(BackupError::Exists { path: there.clone() }));
    assert_eq!(fs::read_to_string(&there).unwrap(), "precious");
    assert_eq!(reader.backup(&path), Err(BackupError::Exists { path: path.clone() }));
    let nowhere = Path::new("/no/such/directory/b.db");
    assert!(matches!(reader.backup(nowhere), Err(BackupError::Failed { .. })));
    assert!(names(home.path()).iter().all(|name| name.starts_with("s.db") || name == "there.db"));
}

#[test]
fn a_damaged_store_gives_no_backup() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("s.db");
    let (mut store, _) = Store::open(&path).unwrap();
    let turn = Turn::new(at(0));
    let entries = vec![entry(&"z".repeat(900)); 30];
    store
        .commit(&Commit { turn: &turn, mails: &[], entries: &entries, mark: &mark(turn.at), calendar_step: None })
        .unwrap();
    drop(store);
    let db = rusqlite::Connection::open(&path).unwrap();
    let root: usize =
        db.query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'journal'", [], |row| row.get(0)).unwrap();
    drop(db);
    let mut bytes = fs::read(&path).unwrap();
    bytes[(root - 1) * 4096..root * 4096].fill(0xa5);
    fs::write(&path, bytes).unwrap();
    let copy = home.path().join("copy.db");
    let error = Reader::open(&path).unwrap().backup(&copy).unwrap_err();
    assert!(matches!(error, BackupError::Damaged { .. }), "{error}");
    assert!(names(home.path()).iter().all(|name| name.starts_with("s.db")));
}

#[test]
fn a_restored_store_gives_out_no_reference_a_second_time() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("s.db");
    let (mut store, _) = Store::open(&path).unwrap();
    let mut turn = Turn::new(at(0));
    turn.next_case = Some(7);
    let commit = Commit { turn: &turn, mails: &[], entries: &[], mark: &mark(turn.at), calendar_step: None };
    store.commit(&commit).unwrap();
    let copy = home.path().join("copy.db");
    Reader::open(&path).unwrap().backup(&copy).unwrap();
    let (_, restored) = Store::open(&copy).unwrap();
    assert_eq!(restored.saved.desk.next_number, 7 + SKIPPED_CASES, "cases were opened after the backup");
}
