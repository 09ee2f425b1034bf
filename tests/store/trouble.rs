//! Commits that do not reach the disk.

use super::world::{at, closed, commit, entry, letter, mail, mark, opening};
use ntuwatch::domain::desk::{Case, LetterKind, LetterMark};
use ntuwatch::domain::turn::Turn;
use ntuwatch::store::{CaseFilter, Commit, CommitError, Reader, Store};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

const ALL: CaseFilter =
    CaseFilter { open_only: false, unit: None, umbrella: None, lacks_prechecks: false, below: None, limit: 1_000 };

fn case(number: u64, unit: &str) -> Arc<Case> {
    Arc::new(Case::open(opening(number, unit), at(0)))
}

#[test]
fn a_second_open_case_for_a_unit_is_impossible() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("s.db");
    let (mut store, _) = Store::open(&path).unwrap();
    let mut turn = Turn::new(at(0));
    turn.cases = vec![case(1, "u1"), case(2, "u2")];
    commit(&mut store, &turn).unwrap();

    let mut wrong = Turn::new(at(1));
    wrong.cases = vec![case(3, "u3"), case(4, "u1")];
    let error = commit(&mut store, &wrong).unwrap_err();
    assert!(matches!(&error, CommitError::Failed { why, .. } if why.contains("UNIQUE")), "{error}");
    let reader = Reader::open(&path).unwrap();
    assert_eq!(reader.cases(&ALL).unwrap().len(), 2, "the whole turn is refused");

    let mut done = Case::clone(&turn.cases[0]);
    done.stage = closed(2);
    let mut right = Turn::new(at(2));
    right.cases = vec![Arc::new(done), case(5, "u1")];
    commit(&mut store, &right).unwrap();
    assert_eq!(reader.cases(&CaseFilter { open_only: true, ..ALL }).unwrap().len(), 2);
}

#[test]
fn a_letter_exists_once() {
    let home = tempfile::tempdir().unwrap();
    let (mut store, _) = Store::open(&home.path().join("s.db")).unwrap();
    let case = case(1, "u1");
    let opened = LetterMark { kind: LetterKind::Opened, number: 1 };
    let letter = |id, to| letter(id, &case, opened, to);
    let mut turn = Turn::new(at(0));
    turn.cases.push(Arc::clone(&case));
    turn.letters = vec![letter(1, "a@x"), letter(2, "a@x")];
    assert!(matches!(commit(&mut store, &turn), Err(CommitError::Failed { .. })));
    turn.letters = vec![letter(1, "a@x"), letter(2, "b@x")];
    commit(&mut store, &turn).unwrap();
}

#[test]
fn somebody_elses_transaction_defers_a_commit() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("s.db");
    let (mut store, _) = Store::open(&path).unwrap();
    let mut turn = Turn::new(at(0));
    turn.cases.push(case(1, "u1"));
    let shell = rusqlite::Connection::open(&path).unwrap();
    shell.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = commit(&mut store, &turn).unwrap_err();
    assert_eq!(error, CommitError::Busy { path: path.clone() }, "{error}");
    shell.execute_batch("ROLLBACK").unwrap();
    commit(&mut store, &turn).unwrap();
    commit(&mut store, &turn).unwrap();
    assert_eq!(Reader::open(&path).unwrap().cases(&ALL).unwrap().len(), 1);
}

/// Which file system this test is to fill; set for the run of this program within a mount namespace.
const TINY: &str = "NTUWATCH_TEST_TINY";

/// On a real file system that is really full. Needs root, for a file system of its own.
#[test]
fn a_full_disk_refuses_whole_commits_and_takes_them_when_there_is_room() {
    if let Some(tiny) = std::env::var_os(TINY) {
        return fill_and_mend(Path::new(&tiny));
    }
    let home = tempfile::tempdir().unwrap();
    let program = std::env::current_exe().unwrap();
    let script = r#"mount -t tmpfs -o size=1m tmpfs "$NTUWATCH_TEST_TINY" || exit 77
        exec "$0" --exact --nocapture store::trouble::a_full_disk_refuses_whole_commits_and_takes_them_when_there_is_room"#;
    let run =
        Command::new("unshare").args(["--mount", "sh", "-c", script]).arg(program).env(TINY, home.path()).output();
    match run {
        Ok(output) if output.status.success() => {}
        Ok(output)
            if output.status.code() == Some(77) || output.status.code() == Some(1) && output.stdout.is_empty() =>
        {
            println!("skipped: no right to mount");
        }
        Ok(output) => panic!("{}", String::from_utf8_lossy(&output.stderr)),
        Err(error) => println!("skipped: {error}"),
    }
}

fn fill_and_mend(home: &Path) {
    let path = home.join("s.db");
    let ballast = home.join("ballast");
    std::fs::write(&ballast, vec![0; 500_000]).unwrap();
    let (mut store, _) = Store::open(&path).unwrap();
    let reader = Reader::open(&path).unwrap();
    let entries = vec![entry(&"x".repeat(2_000)); 20];
    let mut taken = 0_i64;
    let (turn, mails, error) = loop {
        assert!(taken < 1_000, "the disk is never full");
        let mut turn = Turn::new(at(taken));
        turn.cases.push(case(taken.unsigned_abs() + 1, &format!("u{taken}")));
        let opened = LetterMark { kind: LetterKind::Opened, number: 1 };
        turn.letters.push(letter(taken.unsigned_abs() + 1, &turn.cases[0], opened, "a@x"));
        let mails: Vec<_> = turn.letters.iter().map(mail).collect();
        let mark = mark(turn.at);
        let commit = Commit { turn: &turn, mails: &mails, entries: &entries, mark: &mark, calendar_step: None };
        match store.commit(&commit) {
            Ok(()) => taken += 1,
            Err(error) => break (turn, mails, error),
        }
    };
    assert_eq!(error, CommitError::Full { path: path.clone() }, "after {taken} commits");
    assert_eq!(reader.cases(&ALL).unwrap().len() as i64, taken, "reading goes on, nothing is half there");
    let mark = mark(turn.at);
    let commit = Commit { turn: &turn, mails: &mails, entries: &entries, mark: &mark, calendar_step: None };
    assert_eq!(store.commit(&commit), Err(CommitError::Full { path: path.clone() }));

    std::fs::remove_file(&ballast).unwrap();
    store.commit(&commit).unwrap();
    assert_eq!(reader.cases(&ALL).unwrap().len() as i64, taken + 1);
    drop((store, reader));
    let (_, loaded) = Store::open(&path).unwrap();
    assert_eq!(loaded.saved.desk.cases.len() as i64, taken + 1);
    assert_eq!(loaded.saved.desk.letters.waiting.len() as i64, taken + 1);
    assert_eq!(loaded.mark, Some(mark));
}
