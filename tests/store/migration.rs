//! A store that an earlier version wrote.

use super::world::{World, at, closed, commit, opening};
use ntuwatch::domain::desk::{Case, LetterKind, LetterMark, Line, Reference, Stage};
use ntuwatch::domain::letter::{LetterState, Thread};
use ntuwatch::domain::turn::Turn;
use ntuwatch::domain::watch::{AgentState, Baseline, Reason, Verdict};
use ntuwatch::store::{CaseFilter, OpenError, Reader, Store};
use refinery::{Migration, Runner};
use rusqlite::Connection;
use std::path::Path;
use std::sync::Arc;

const V1: &str = include_str!("../../src/store/migrations/V1__store.sql");

/// A store as version 1 left it: a case that is open, one that is closed, their letters and what happened to them.
fn version_1(path: &Path) {
    let mut db = Connection::open(path).unwrap();
    db.pragma_update(None, "journal_mode", "wal").unwrap();
    Runner::new(&[Migration::unapplied("V1__store", V1).unwrap()]).set_grouped(true).run(&mut db).unwrap();
    let [one, two] = [1, 2].map(|number| Reference::from_number(number).to_string());
    let start = at(0).as_millis();
    db.execute_batch(&format!(
        "INSERT INTO devices VALUES
             ('u1', 'UP', 'answered', {start}, {start}, NULL, NULL, NULL, NULL, NULL, '192.0.2.1'),
             ('u2', 'LOSS', 'no_answer', {start}, NULL, {start}, {start}, 60000, NULL, 1000, NULL);
         INSERT INTO ledger VALUES ('u1', 0, {start}, 'UNOBSERVED', 'daemon_stopped');
         INSERT INTO cases (number, reference, unit, priority, stage, stage_since, solved_at, window_ms,
             window_observed_ms, owner, line, line_reason, line_since, fault_seen, downtime_ms, solved, returned,
             last_letter_kind, last_letter_number, opened_at, opened_by, opening_priority, customer, service_order,
             service, region, ttr_ms, supplier, queue, last_contact, first_loss, detected, opening_loss_ms,
             opening_loss_running_since, opening_line, opening_line_reason, opening_line_since, solve_after_ms, previous)
         SELECT number, reference, 'u1', 'P1', stage, since, since, 0, 0, NULL, 'LOSS', 'no_answer', {start} - 590000, 1,
             30000, 0, 0, 'opened', 1, {start}, 'watch', 'P1', 'acme', 'SO-1', 'DIA', 'EMEA', 14400000, NULL, 'Support',
             {start} - 600000, {start} - 590000, {start} - 588000, 30000, {start} - 560000, 'LOSS', 'no_answer',
             {start} - 590000, 300000, previous
         FROM (SELECT 1 AS number, '{one}' AS reference, 'Closed' AS stage, {start} AS since, NULL AS previous
               UNION ALL SELECT 2, '{two}', 'New', NULL, 1);
         UPDATE cases SET window_ms = NULL, window_observed_ms = NULL WHERE number = 2;
         INSERT INTO letters (id, case_number, kind, number, recipient, message_id, in_reply_to, thread, subject, body,
             written_at, written_unix_ms, state, attempts, error, sent_at) VALUES
             (5, 1, 'opened', 1, 'it@x', 'a@n', NULL, '', 's5', 'b5', {start}, 5, 'sent', 1, NULL, {start} + 5000),
             (6, 1, 'closed', 1, 'it@x', 'b@n', 'a@n', 'a@n', 's6', 'b6', {start}, 6, 'failed', 9, '550 no', NULL),
             (9, 2, 'opened', 1, 'it@x', 'c@n', NULL, 'a@n b@n', 's9', 'b9', {start}, 9, 'queued', 3, '451 wait', NULL);
         INSERT INTO journal VALUES (1, 0, 'monitor_started', NULL, NULL, 'hello', '{{}}'),
             (2, {start}, 'case_opened', 'u1', 2, 'opened', '{{\"n\":1}}');
         INSERT INTO calendar VALUES (0, 7);
         INSERT INTO daemon VALUES (1, {start}, 'b-1', 0, {start}, 3);"
    ))
    .unwrap();
}

fn expected(number: u64, stage: Stage) -> Case {
    let mut opening = opening(number, "u1");
    opening.previous = (number == 2).then(|| Reference::from_number(1));
    let mut case = Case { stage, ..Case::open(opening, at(0)) };
    case.downtime = ntuwatch::domain::time::Tally::new(std::time::Duration::from_secs(30), None);
    case
}

#[test]
fn a_store_of_version_1_loses_nothing() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("s.db");
    version_1(&path);
    assert_eq!(Reader::open(&path).unwrap_err(), OpenError::Older { path: path.clone(), found: 1, known: 12 });
    let (mut store, loaded) = Store::open(&path).unwrap();
    let db = Connection::open(&path).unwrap();
    let astray: Vec<String> = db
        .prepare("SELECT \"table\" FROM pragma_foreign_key_check")
        .and_then(|mut check| check.query_map([], |row| row.get(0))?.collect())
        .unwrap();
    assert_eq!(astray, [""; 0], "what refers to a case finds it");
    drop(db);

    let cases = [expected(2, Stage::New), expected(1, closed(0))];
    assert_eq!(loaded.saved.desk.cases, cases[..1]);
    assert_eq!((loaded.saved.desk.next_number, loaded.calendar.offset_ms(at(0))), (3, 7));
    let devices = &loaded.saved.devices;
    assert_eq!(devices.iter().map(|row| row.evidence.verdict()).collect::<Vec<_>>(), [Verdict::Up, Verdict::Loss]);
    for row in devices {
        assert!(row.evidence.symptoms().is_empty());
        assert_eq!((row.baseline, row.agent), (Baseline::default(), AgentState::Unknown));
    }
    let letters = &loaded.saved.desk.letters;
    let waiting: Vec<_> = letters.waiting.iter().map(|letter| (letter.label.clone(), letter.attempts)).collect();
    let [(label, 3)] = waiting.as_slice() else { panic!("{waiting:?}") };
    assert_eq!((label.id, letters.next_id, label.to.as_str()), (9, 10, "it@x"));
    assert_eq!(label.thread, Thread::Case { reference: Reference::from_number(2), unit: String::from("u1") });
    assert_eq!(label.mark, LetterMark { kind: LetterKind::Opened, number: 1 });

    let reader = Reader::open(&path).unwrap();
    let all =
        CaseFilter { open_only: false, unit: None, umbrella: None, lacks_prechecks: false, below: None, limit: 9 };
    assert_eq!(reader.cases(&all).unwrap(), cases);
    let rows = reader.letters(Reference::from_number(1), 9).unwrap();
    let fates: Vec<_> = rows.iter().map(|row| (row.id, row.state, row.attempts, row.error.as_deref())).collect();
    assert_eq!(fates, [(5, LetterState::Sent, 1, None), (6, LetterState::Failed, 9, Some("550 no"))]);
    assert_eq!(rows[0].sent_at, Some(at(5)));
    let mails: Vec<_> = [5, 6, 9].into_iter().filter_map(|id| reader.mail(id).unwrap()).collect();
    assert_eq!(mails.iter().map(|mail| mail.message_id.as_str()).collect::<Vec<_>>(), ["a@n", "b@n", "c@n"]);
    assert_eq!(
        (mails[1].in_reply_to.as_deref(), mails[2].references.join(",")),
        (Some("a@n"), String::from("a@n,b@n"))
    );
    assert_eq!((mails[2].subject.as_str(), mails[2].body.as_str(), mails[2].written_unix_ms), ("s9", "b9", 9));
    let timeline = reader.timeline(Reference::from_number(2), 9).unwrap();
    assert_eq!(timeline.len(), 1);
    assert_eq!((timeline[0].at, timeline[0].text.as_str(), timeline[0].data.as_str()), (at(0), "opened", "{\"n\":1}"));
    let ledger = reader.ledger("u1", 9).unwrap();
    assert_eq!((ledger.len(), ledger[0].reason), (1, Reason::Stopped));

    // It is like a new one from here on.
    let mut turn = Turn::new(at(9));
    let changed = Case { line: Line::Withdrawn, ..cases[0].clone() };
    turn.cases.push(Arc::new(changed.clone()));
    commit(&mut store, &turn).unwrap();
    assert_eq!(reader.case(changed.opening.reference).unwrap(), Some(changed));
    drop((store, reader));
    World::open(&path, at(20)).run(300);
}

/// Tables, indices and views, with their columns.
fn shape(path: &Path) -> Vec<String> {
    let db = Connection::open(path).unwrap();
    let broken: i64 = db.query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0)).unwrap();
    let sound: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!((broken, sound.as_str()), (0, "ok"));
    let mut shape = db
        .prepare("SELECT s.type || ' ' || s.name || ' ' || ifnull(c.name, '') FROM sqlite_schema AS s LEFT JOIN pragma_table_info(s.name) AS c ORDER BY 1")
        .unwrap();
    shape.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[test]
fn a_store_of_version_1_becomes_like_a_new_one() {
    let home = tempfile::tempdir().unwrap();
    let [old, new] = ["old.db", "new.db"].map(|name| home.path().join(name));
    version_1(&old);
    drop(Store::open(&old).unwrap());
    drop(Store::open(&new).unwrap());
    assert_eq!(shape(&old), shape(&new));
}

/// A store as the versions before 11 left it: the bytes of messages beside what was decided.
#[test]
fn messages_of_earlier_versions_keep_their_originals() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("s.db");
    let earlier = [
        ("V1__store", V1),
        ("V2__shared_causes", include_str!("../../src/store/migrations/V2__shared_causes.sql")),
        ("V3__desk", include_str!("../../src/store/migrations/V3__desk.sql")),
        ("V4__mail", include_str!("../../src/store/migrations/V4__mail.sql")),
        ("V5__sealed_journal", include_str!("../../src/store/migrations/V5__sealed_journal.sql")),
        ("V6__parties", include_str!("../../src/store/migrations/V6__parties.sql")),
    ];
    let migrations: Vec<_> = earlier.iter().map(|(name, sql)| Migration::unapplied(name, sql).unwrap()).collect();
    let mut db = Connection::open(&path).unwrap();
    db.pragma_update(None, "journal_mode", "wal").unwrap();
    Runner::new(&migrations).set_grouped(true).run(&mut db).unwrap();
    db.execute_batch(
        "INSERT INTO mails (id, received_at, digest, raw, whole, tries, outcome, sender, body) VALUES
             (3, 7, x'01', CAST('Subject: a' AS BLOB), 1, 1, 'ignored', 'it@acme.example', 'words'),
             (4, 8, x'02', CAST('Subject: bc' AS BLOB), 0, 2, NULL, NULL, NULL);",
    )
    .unwrap();
    drop(db);
    let (store, _) = Store::open(&path).unwrap();
    assert_eq!(store.originals(), 21);
    assert_eq!(store.mails_to_read().unwrap(), [(4, 3)]);
    let reader = Reader::open(&path).unwrap();
    let parcel = |id| reader.parcel(id).unwrap().map(|parcel| (parcel.raw, parcel.whole));
    assert_eq!(parcel(3), Some((b"Subject: a".to_vec(), true)));
    assert_eq!(parcel(4), Some((b"Subject: bc".to_vec(), false)));
    let row = reader.mail_row(3).unwrap().unwrap();
    assert_eq!(
        (row.sender.as_deref(), row.body.as_deref(), row.original),
        (Some("it@acme.example"), Some("words"), Some(10))
    );
}

#[test]
fn what_cannot_be_brought_up_to_date_stays_as_it_was() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("s.db");
    version_1(&path);
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE strips (a)").unwrap();
    let before = shape(&path);
    let error = Store::open(&path).unwrap_err();
    assert!(error.to_string().contains("strips"), "{error}");
    assert_eq!(shape(&path), before, "all of it or nothing");
}
