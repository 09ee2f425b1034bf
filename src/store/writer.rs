//! The one writer: a commit is one transaction.

use super::mails::{originals, put_mails};
use super::open::{self, OpenError};
use super::seal::{self, Hash, Seal, Sealed, Sealer};
use super::{Commit, Loaded, load, rows};
use crate::domain::desk::{Reference, SavedDesk, Topic};
use crate::domain::letter::{LetterId, LetterState, Mail};
use crate::domain::maintenance::Maintenance;
use crate::domain::time::{Calendar, ClockMark};
use crate::domain::turn::{DeviceRow, Turn};
use rusqlite::{Connection, ErrorCode, Result as SqlResult, Transaction, TransactionBehavior, ffi, params};
use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::slice;

/// The one writer. While it lives, no other daemon can open the same store.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    pub(super) db: Connection,
    /// Bytes of messages that are kept as they came.
    pub(super) originals: u64,
    /// Given up last: fields are dropped in the order of their declaration.
    _lock: File,
}

/// Why a commit did not reach the disk. None of it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommitError {
    /// The disk is full. A later attempt succeeds when there is room.
    Full {
        /// Which store.
        path: PathBuf,
    },
    /// Another program, such as a `sqlite3` shell, is in the middle of a change.
    Busy {
        /// Which store.
        path: PathBuf,
    },
    /// Anything else.
    Failed {
        /// Which store.
        path: PathBuf,
        /// What the database says.
        why: String,
    },
}

impl fmt::Display for CommitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full { path } => {
                write!(f, "the disk of the store {} is full; make room, and work goes on by itself", path.display())
            }
            Self::Busy { path } => write!(
                f,
                "another program is changing the store {}; let it finish, and work goes on by itself",
                path.display()
            ),
            Self::Failed { path, why } => write!(f, "the store {} can't be written: {why}", path.display()),
        }
    }
}

impl std::error::Error for CommitError {}

impl Store {
    /// Opens the store at `path`, or creates it; brings its schema up to date, checks it, and loads what it remembers.
    ///
    /// # Errors
    /// Says why this file can't be used as a store, and what to do.
    pub fn open(path: &Path) -> Result<(Self, Loaded), OpenError> {
        let store = Self::claim(path)?;
        let loaded = store.recall(load::load)?;
        Ok((store, loaded))
    }

    /// As [`open`](Self::open), but for what it remembers: that can be had piece by piece.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn claim(path: &Path) -> Result<Self, OpenError> {
        let path = open::resolve(path);
        let lock = open::lock(&path)?;
        let db = open::writable(&path)?;
        let mut store = Self { path, db, originals: 0, _lock: lock };
        store.originals = store.recall(originals)?;
        Ok(store)
    }

    /// Where the clocks stood at the last commit, unless the store is new, and what wall clocks showed.
    ///
    /// # Errors
    /// If it can't be read.
    pub fn clocks(&self) -> Result<(Option<ClockMark>, Calendar), OpenError> {
        self.recall(|db| Ok((load::mark(db)?, load::calendar(db)?)))
    }

    /// Every device's durable state.
    ///
    /// # Errors
    /// If it can't be read.
    pub fn devices(&self) -> Result<Vec<DeviceRow>, OpenError> {
        self.recall(load::devices)
    }

    /// Cases and letters, and maintenance that is planned, active, or was so lately.
    ///
    /// # Errors
    /// If it can't be read.
    pub fn desk(&self) -> Result<(SavedDesk, Vec<Maintenance>), OpenError> {
        self.recall(|db| Ok((load::desk(db)?, load::maintenance(db, load::mark(db)?.as_ref())?)))
    }

    /// The bytes of a reason for outage that was issued.
    ///
    /// # Errors
    /// If it can't be read, or is not there.
    pub fn rfo(&self, reference: Reference, number: u32) -> Result<String, CommitError> {
        let read = "SELECT json FROM rfos WHERE case_number = ?1 AND number = ?2";
        let read = || self.db.prepare_cached(read)?.query_row(params![reference, number], |row| row.get(0));
        read().map_err(|error| self.refusal(&error))
    }

    /// A letter in its final words.
    ///
    /// # Errors
    /// If it can't be read, or is not there.
    pub fn letter(&self, id: LetterId) -> Result<Mail, CommitError> {
        let read = || self.db.prepare_cached("SELECT * FROM letters WHERE id = ?1")?.query_row([id], rows::mail);
        read().map_err(|error| self.refusal(&error))
    }

    pub(super) fn recall<T>(&self, read: impl FnOnce(&Connection) -> SqlResult<T>) -> Result<T, OpenError> {
        read(&self.db).map_err(|error| OpenError::from_sqlite(&self.path, &error))
    }

    /// Writes a commit to the disk: all of it, or nothing. After an error the same commit may be tried again.
    ///
    /// # Errors
    /// Says what the disk or the database objects to.
    ///
    /// # Panics
    /// If there is not one mail for each letter of the turn.
    pub fn commit(&mut self, commit: &Commit<'_>) -> Result<(), CommitError> {
        self.commit_all(slice::from_ref(commit))
    }

    /// Writes several commits to the disk in their order: all of them, or nothing.
    ///
    /// # Errors
    /// As [`commit`](Self::commit).
    ///
    /// # Panics
    /// As [`commit`](Self::commit).
    pub fn commit_all(&mut self, commits: &[Commit<'_>]) -> Result<(), CommitError> {
        for commit in commits {
            assert_eq!(commit.turn.letters.len(), commit.mails.len(), "one mail for each letter");
        }
        self.write(commits).map_err(|error| self.refusal(&error))
    }

    /// A transaction that is not committed in the end is rolled back as it is dropped.
    fn write(&mut self, commits: &[Commit<'_>]) -> SqlResult<()> {
        let transaction = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        commits.iter().try_for_each(|commit| put(&transaction, commit))?;
        put_journal(&transaction, commits)?;
        transaction.commit()
    }

    pub(super) fn refusal(&self, error: &rusqlite::Error) -> CommitError {
        let path = self.path.clone();
        let code = error.sqlite_error_code();
        // The index of the write-ahead log is a file too, and may be the first one that can't grow.
        let index_full = error.sqlite_error().is_some_and(|error| error.extended_code == ffi::SQLITE_IOERR_SHMSIZE);
        if code == Some(ErrorCode::DiskFull) || index_full {
            CommitError::Full { path }
        } else if code == Some(ErrorCode::DatabaseBusy) {
            CommitError::Busy { path }
        } else {
            CommitError::Failed { path, why: error.to_string() }
        }
    }
}

fn put(transaction: &Transaction<'_>, commit: &Commit<'_>) -> SqlResult<()> {
    put_devices(transaction, commit.turn)?;
    put_ledger(transaction, commit.turn)?;
    put_umbrellas(transaction, commit.turn)?;
    rows::put_cases(transaction, &commit.turn.cases, commit.turn.at)?;
    put_held(transaction, commit.turn)?;
    put_works(transaction, commit.turn)?;
    put_rfos(transaction, commit.turn)?;
    rows::put_duty(transaction, &commit.turn.duty, commit.turn.at)?;
    rows::put_surveys(transaction, &commit.turn.surveys, commit.turn.at)?;
    put_letters(transaction, commit)?;
    rows::put_people(transaction, &commit.turn.people, commit.turn.at)?;
    put_mails(transaction, commit.turn)?;
    put_clock(transaction, commit)
}

/// Who left and came back within the turn is there in the end.
fn put_devices(transaction: &Transaction<'_>, turn: &Turn) -> SqlResult<()> {
    let mut delete = transaction.prepare_cached("DELETE FROM devices WHERE id = ?1")?;
    for id in &turn.gone {
        delete.execute([id])?;
    }
    let mut put = transaction.prepare_cached(rows::PUT_DEVICE)?;
    turn.devices.iter().try_for_each(|device| rows::put_device(&mut put, device))
}

fn put_ledger(transaction: &Transaction<'_>, turn: &Turn) -> SqlResult<()> {
    let mut insert = transaction.prepare_cached(
        "INSERT INTO ledger (device, since, until, verdict, reason) VALUES (?1, ?2, ?3, ?4, ?5) \
         ON CONFLICT (device, since) DO NOTHING",
    )?;
    let mut update = transaction
        .prepare_cached("UPDATE ledger SET until = ?3, verdict = ?4, reason = ?5 WHERE device = ?1 AND since = ?2")?;
    for stretch in &turn.intervals {
        let values = params![stretch.device, stretch.from, stretch.until, stretch.verdict, stretch.reason];
        if insert.execute(values)? == 0 {
            update.execute(values)?;
        }
    }
    let mut put = transaction.prepare_cached(rows::PUT_CHUNK)?;
    turn.chunks.iter().try_for_each(|(device, chunk)| rows::put_chunk(&mut put, device, chunk))
}

/// Before the cases that are under them.
fn put_umbrellas(transaction: &Transaction<'_>, turn: &Turn) -> SqlResult<()> {
    let mut put = transaction.prepare_cached(rows::PUT_UMBRELLA)?;
    turn.umbrellas.iter().try_for_each(|umbrella| rows::put_umbrella(&mut put, umbrella))
}

/// A line may have waited and gone within the turn.
fn put_held(transaction: &Transaction<'_>, turn: &Turn) -> SqlResult<()> {
    let mut put = transaction.prepare_cached(rows::PUT_HELD)?;
    turn.held.iter().try_for_each(|line| rows::put_held(&mut put, line))?;
    let mut delete =
        transaction.prepare_cached("DELETE FROM held_lines WHERE case_number = ?1 AND kind = ?2 AND number = ?3")?;
    for (case, mark) in &turn.released {
        delete.execute(params![case, mark.kind, mark.number])?;
    }
    Ok(())
}

/// Alarms come and go in the order of the turn.
fn put_works(transaction: &Transaction<'_>, turn: &Turn) -> SqlResult<()> {
    let mut put = transaction.prepare_cached(rows::PUT_MAINTENANCE)?;
    turn.maintenance.iter().try_for_each(|planned| rows::put_maintenance(&mut put, planned))?;
    let mut raise = transaction.prepare_cached(rows::PUT_ALARM)?;
    let mut clear = transaction.prepare_cached("DELETE FROM alarms WHERE kind = ?1")?;
    for (alarm, stands) in &turn.alarms {
        if *stands {
            rows::put_alarm(&mut raise, alarm)?;
        } else {
            clear.execute([alarm.kind])?;
        }
    }
    Ok(())
}

/// A document that is there already stays as it is.
fn put_rfos(transaction: &Transaction<'_>, turn: &Turn) -> SqlResult<()> {
    let mut put = transaction.prepare_cached(
        "INSERT INTO rfos (case_number, number, sha256, json, issued_at, seal) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for (order, document) in &turn.rfos {
        let hash = Hash::of(document.json.as_bytes());
        put.execute(params![order.reference, order.number, hash, document.json, turn.at, document.seal])?;
    }
    Ok(())
}

fn put_letters(transaction: &Transaction<'_>, commit: &Commit<'_>) -> SqlResult<()> {
    let mut put = transaction.prepare_cached(rows::PUT_LETTER)?;
    let mut put_line = transaction.prepare_cached(rows::PUT_LINE)?;
    for (letter, mail) in commit.turn.letters.iter().zip(commit.mails) {
        rows::put_letter(&mut put, letter, mail)?;
        rows::put_lines(&mut put_line, letter)?;
    }
    let mut change = transaction
        .prepare_cached("UPDATE letters SET state = ?2, attempts = ?3, error = ?4, sent_at = ?5 WHERE id = ?1")?;
    for letter in &commit.turn.letter_changes {
        let sent_at = match letter.state {
            LetterState::Sent => Some(commit.turn.at),
            LetterState::Queued
            | LetterState::Failed
            | LetterState::Bounced
            | LetterState::Reserve
            | LetterState::Spared => None,
        };
        change.execute(params![letter.id, letter.state, letter.attempts, letter.error, sent_at])?;
    }
    put_notices(transaction, commit.turn)
}

/// What is held back, and who was told that something is wrong. Mostly nothing.
fn put_notices(transaction: &Transaction<'_>, turn: &Turn) -> SqlResult<()> {
    if !turn.reserves.is_empty() {
        let mut put = transaction.prepare_cached(rows::PUT_RESERVE)?;
        turn.reserves.iter().try_for_each(|reserve| rows::put_reserve(&mut put, reserve))?;
    }
    for (thread, to, letter) in &turn.alerts {
        match letter {
            Some(letter) => transaction
                .prepare_cached(
                    "INSERT INTO alerts (recipient, thread_key, letter) VALUES (?1, ?2, ?3) \
                     ON CONFLICT (recipient, thread_key) DO UPDATE SET letter = ?3",
                )?
                .execute(params![to, thread, letter])?,
            None => transaction
                .prepare_cached("DELETE FROM alerts WHERE recipient = ?1 AND thread_key = ?2")?
                .execute(params![to, thread])?,
        };
    }
    Ok(())
}

/// What all commits have for the journal, and one seal over it. A row that somebody has put in or taken out by hand must
/// not keep the next one from being written.
fn put_journal(transaction: &Transaction<'_>, commits: &[Commit<'_>]) -> SqlResult<()> {
    if commits.iter().all(|commit| commit.entries.is_empty()) {
        return Ok(());
    }
    let mut put = transaction.prepare_cached(
        "INSERT INTO journal (seq, at, kind, device, case_number, umbrella, text, data) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    let (last_seal, last_row) = seal::last(transaction)?;
    let mut sealer = Sealer::after(last_seal);
    let number = |reference: Reference| i64::try_from(reference.number()).unwrap_or(i64::MAX);
    let entries = commits.iter().flat_map(|commit| commit.entries.iter().map(|entry| (commit.turn.at, entry)));
    for (seq, (at, entry)) in (last_seal.seq.max(last_row) + 1..).zip(entries) {
        let (case, umbrella) = (entry.topic.and_then(Topic::case), entry.topic.and_then(Topic::umbrella));
        put.execute(params![seq, at, entry.kind, entry.device, case, umbrella, entry.text, entry.data])?;
        sealer.add(&Sealed {
            seq,
            at: at.as_millis(),
            kind: entry.kind,
            device: entry.device.as_deref(),
            case: case.map(number),
            umbrella: umbrella.map(number),
            text: &entry.text,
            data: &entry.data,
        });
    }
    let Some(Seal { seq, hash }) = sealer.finish() else { return Ok(()) };
    transaction.prepare_cached("INSERT INTO journal_seals (seq, seal) VALUES (?1, ?2)")?.execute(params![seq, hash])?;
    Ok(())
}

fn put_clock(transaction: &Transaction<'_>, commit: &Commit<'_>) -> SqlResult<()> {
    if let Some((since, offset_ms)) = commit.calendar_step {
        transaction.prepare_cached("DELETE FROM calendar WHERE since >= ?1")?.execute([since])?;
        transaction.prepare_cached("INSERT INTO calendar VALUES (?1, ?2)")?.execute(params![since, offset_ms])?;
    }
    let mark = commit.mark;
    transaction
        .prepare_cached(
            "INSERT INTO daemon (only, watched_until, boot_id, boot_ms, unix_ms, next_case) \
             VALUES (1, ?1, ?2, ?3, ?4, coalesce(?5, 1)) ON CONFLICT (only) DO UPDATE SET \
             watched_until = ?1, boot_id = ?2, boot_ms = ?3, unix_ms = ?4, \
             next_case = max(next_case, excluded.next_case)",
        )?
        .execute(params![mark.at, mark.boot_id, mark.boot_ms, mark.unix_ms, commit.turn.next_case])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_commit_promises_is_switched_on() {
        let home = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(&home.path().join("s.db")).unwrap();
        let pragma = |name: &str| -> String {
            store
                .db
                .query_row(&format!("SELECT CAST({name} AS TEXT) FROM pragma_{name}"), [], |row| row.get(0))
                .unwrap()
        };
        let settings = ["journal_mode", "synchronous", "foreign_keys"].map(pragma);
        assert_eq!(settings, ["wal", "2", "1"]);
    }
}
