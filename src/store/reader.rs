//! Readers: a look at the store from any thread or process.

use super::open::{self, OpenError};
use super::{Loaded, load, rows};
use crate::domain::desk::{Case, HeldLetter, LetterKind, Reference, Umbrella};
use crate::domain::letter::{LetterId, LetterState, Mail, Thread};
use crate::domain::maintenance::Maintenance;
use crate::domain::time::{Calendar, Time};
use crate::domain::watch::{Chunk, Interval};
use rusqlite::{Connection, OptionalExtension as _, Params, Result as SqlResult, Row, named_params, params};
use std::fmt;
use std::path::{Path, PathBuf};

/// A look at the store from any thread or process. Never makes the writer wait.
#[derive(Debug)]
pub struct Reader {
    pub(super) path: PathBuf,
    pub(super) db: Connection,
}

/// Which cases are wanted.
#[derive(Clone, Debug)]
pub struct CaseFilter {
    /// Leave out closed ones.
    pub open_only: bool,
    /// Only those of this unit.
    pub unit: Option<String>,
    /// Only those under this umbrella.
    pub umbrella: Option<Reference>,
    /// Only incidents that a person reported whom nobody has asked what he looked at before.
    pub lacks_prechecks: bool,
    /// Only those with a lower case number: the next page.
    pub below: Option<u64>,
    /// At most so many.
    pub limit: usize,
}

/// An umbrella with what is under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UmbrellaRow {
    /// The umbrella.
    pub umbrella: Umbrella,
    /// How many cases belong to it.
    pub cases: usize,
    /// How many of them are at work.
    pub at_work: usize,
}

/// An entry of the timeline of a case or an umbrella.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimelineEntry {
    /// When it happened.
    pub at: Time,
    /// What sort of thing happened, such as `case_opened`.
    pub kind: String,
    /// A sentence.
    pub text: String,
    /// The same for programs: a JSON object.
    pub data: String,
}

/// A letter as the store lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetterRow {
    /// Its number.
    pub id: LetterId,
    /// The conversation that it belongs to.
    pub thread: Thread,
    /// What it says.
    pub kind: LetterKind,
    /// The how-manieth of its kind: on the case, or in the thread of the umbrella that was asked for.
    pub number: u32,
    /// The reader's mail address.
    pub to: String,
    /// Its subject line.
    pub subject: String,
    /// Where it stands.
    pub state: LetterState,
    /// Attempts to deliver it so far.
    pub attempts: u32,
    /// What the mail server objected to last.
    pub error: Option<String>,
    /// When it was written.
    pub written_at: Time,
    /// When the mail server took it.
    pub sent_at: Option<Time>,
}

/// Why the store can't be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    path: PathBuf,
    why: String,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the store {} can't be read: {}", self.path.display(), self.why)
    }
}

impl std::error::Error for ReadError {}

impl Reader {
    /// Opens an existing store for reading.
    ///
    /// # Errors
    /// Says why this file can't be read as a store, and what to do.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let path = open::resolve(path);
        let db = open::readable(&path)?;
        Ok(Self { path, db })
    }

    /// The cases that pass the filter, newest first.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn cases(&self, filter: &CaseFilter) -> Result<Vec<Case>, ReadError> {
        // One statement for each sort of filter, so that each can use its index.
        let mut sql = rows::select_cases("WHERE number < :below");
        if filter.open_only {
            sql.push_str(" AND closed_at IS NULL");
        }
        if filter.lacks_prechecks {
            sql.push_str(" AND prechecks = ''");
        }
        sql.push_str(if filter.unit.is_some() { " AND unit = :unit" } else { " AND :unit IS NULL" });
        sql.push_str(if filter.umbrella.is_some() { " AND umbrella = :umbrella" } else { " AND :umbrella IS NULL" });
        sql.push_str(" ORDER BY number DESC LIMIT :limit");
        let below = filter.below.unwrap_or(u64::MAX).min(i64::MAX.unsigned_abs());
        let limit = bound(filter.limit);
        let values =
            named_params! { ":below": below, ":unit": filter.unit, ":umbrella": filter.umbrella, ":limit": limit };
        self.all(&sql, values, rows::case)
    }

    /// A case, open or closed.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn case(&self, reference: Reference) -> Result<Option<Case>, ReadError> {
        self.one(&rows::select_cases("WHERE number = ?1"), [reference], rows::case)
    }

    /// The latest `limit` umbrellas, newest first.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn umbrellas(&self, open_only: bool, limit: usize) -> Result<Vec<UmbrellaRow>, ReadError> {
        let only = if open_only { "closed_at IS NULL" } else { "TRUE" };
        let sql = format!("{UMBRELLAS} WHERE {only} ORDER BY number DESC LIMIT ?1");
        self.all(&sql, [bound(limit)], rows::umbrella_row)
    }

    /// An umbrella, open or closed.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn umbrella(&self, reference: Reference) -> Result<Option<UmbrellaRow>, ReadError> {
        self.one(&format!("{UMBRELLAS} WHERE number = ?1"), [reference], rows::umbrella_row)
    }

    /// The `limit` maintenances that begin last, the latest first.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn maintenance(&self, limit: usize) -> Result<Vec<Maintenance>, ReadError> {
        self.all("SELECT * FROM maintenance ORDER BY begins DESC, id LIMIT ?1", [bound(limit)], rows::maintenance)
    }

    /// A maintenance, whatever became of it.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn one_maintenance(&self, id: &str) -> Result<Option<Maintenance>, ReadError> {
        self.one("SELECT * FROM maintenance WHERE id = ?1", [id], rows::maintenance)
    }

    /// The latest `limit` journal entries about a maintenance, oldest first.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn maintenance_timeline(&self, planned: &Maintenance, limit: usize) -> Result<Vec<TimelineEntry>, ReadError> {
        self.all(
            "SELECT at, kind, text, data FROM (SELECT seq, at, kind, text, data FROM journal \
             WHERE kind GLOB 'maintenance_*' AND json_extract(data, '$.maintenance') = ?1 AND at >= ?2 \
             ORDER BY seq DESC LIMIT ?3) ORDER BY seq",
            params![planned.window.id, planned.planned_at, bound(limit)],
            rows::timeline_entry,
        )
    }

    /// The latest `limit` letters about a maintenance, in the order of writing.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn maintenance_letters(&self, planned: &Maintenance, limit: usize) -> Result<Vec<LetterRow>, ReadError> {
        let (from, until) = rows::works_range(planned);
        self.all(
            "SELECT * FROM (SELECT * FROM letters WHERE thread_key >= ?1 AND thread_key < ?2 ORDER BY id DESC LIMIT ?3) \
             ORDER BY id",
            params![from, until, bound(limit)],
            rows::letter_row,
        )
    }

    /// Every closed stretch of LOSS under a maintenance within a time, whichever maintenance it was. One at a time: there
    /// may be many.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn maintained_losses(&self, from: Time, until: Time, each: impl FnMut(Interval)) -> Result<(), ReadError> {
        self.each(
            "SELECT * FROM ledger WHERE reason = 'maintenance' AND until > ?1 AND since < ?2 ORDER BY until",
            [from, until],
            rows::interval,
            each,
        )
    }

    /// The latest `limit` journal entries about a case or an umbrella, oldest first.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn timeline(&self, reference: Reference, limit: usize) -> Result<Vec<TimelineEntry>, ReadError> {
        self.all(
            "SELECT at, kind, text, data FROM \
             (SELECT seq, at, kind, text, data FROM journal WHERE case_number = ?1 UNION ALL \
             SELECT seq, at, kind, text, data FROM journal WHERE umbrella = ?1 ORDER BY seq DESC LIMIT ?2) ORDER BY seq",
            params![reference, bound(limit)],
            rows::timeline_entry,
        )
    }

    /// The latest `limit` closed stretches of a device's ledger, newest first.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn ledger(&self, device: &str, limit: usize) -> Result<Vec<Interval>, ReadError> {
        self.all(
            "SELECT * FROM ledger WHERE device = ?1 ORDER BY since DESC LIMIT ?2",
            params![device, bound(limit)],
            rows::interval,
        )
    }

    /// Every closed stretch of every ledger that ends after a time, device by device, oldest first. One at a time: there
    /// may be more than memory holds.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn intervals_since(&self, time: Time, each: impl FnMut(Interval)) -> Result<(), ReadError> {
        self.each("SELECT * FROM ledger WHERE until > ?1 ORDER BY device, since", [time], rows::interval, each)
    }

    /// The chunks of a device's strip with rounds from `from` on and before `until`, oldest first.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn strips(&self, device: &str, from: Time, until: Time) -> Result<Vec<Chunk>, ReadError> {
        self.all(
            "SELECT * FROM strips WHERE device = ?1 AND since < ?3 AND since + interval_ms * length(cells) > ?2 \
             ORDER BY since",
            params![device, from, until],
            rows::chunk,
        )
    }

    /// Every chunk of every strip that ends after a time, with its device: device by device, oldest first.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn strips_since(&self, time: Time, mut each: impl FnMut(String, Chunk)) -> Result<(), ReadError> {
        self.each(
            "SELECT * FROM strips WHERE since + interval_ms * length(cells) > ?1 ORDER BY device, since",
            [time],
            rows::device_chunk,
            |(device, chunk)| each(device, chunk),
        )
    }

    /// The latest `limit` letters that tell of a case, or those of an umbrella, in the order of writing.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn letters(&self, reference: Reference, limit: usize) -> Result<Vec<LetterRow>, ReadError> {
        let (from, until) = rows::thread_range(reference);
        self.all(
            "SELECT * FROM (SELECT l.id, l.thread_key, t.kind, t.number, l.recipient, l.subject, l.state, l.attempts, \
             l.error, l.written_at, l.sent_at FROM letter_lines AS t JOIN letters AS l ON l.id = t.letter \
             WHERE t.case_number = ?1 UNION ALL \
             SELECT id, thread_key, kind, number, recipient, subject, state, attempts, error, written_at, sent_at \
             FROM letters WHERE thread_key >= ?3 AND thread_key < ?4 ORDER BY id DESC LIMIT ?2) ORDER BY id",
            params![reference, bound(limit), from, until],
            rows::letter_row,
        )
    }

    /// The first `limit` letters that are held back: those that tell of a case, or all of an umbrella.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn held(&self, reference: Reference, limit: usize) -> Result<Vec<HeldLetter>, ReadError> {
        self.all(rows::HELD_LETTERS, params![reference, bound(limit)], rows::held_letter)
    }

    /// What told the messenger at this address last that something is wrong which is not over, at most `limit` of it.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn alerts(&self, address: &str, limit: usize) -> Result<Vec<Mail>, ReadError> {
        self.all(
            "SELECT l.* FROM alerts AS a JOIN letters AS l ON l.id = a.letter WHERE a.recipient = ?1 LIMIT ?2",
            params![address, bound(limit)],
            rows::mail,
        )
    }

    /// A letter in its final words, for the mail engine.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn mail(&self, id: LetterId) -> Result<Option<Mail>, ReadError> {
        self.one("SELECT * FROM letters WHERE id = ?1", [id], rows::mail)
    }

    /// What a daemon that starts would load, as of one moment.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn load(&self) -> Result<Loaded, ReadError> {
        let read = || {
            let _one_moment = self.db.unchecked_transaction()?;
            load::load(&self.db)
        };
        read().map_err(|error| self.fault(&error))
    }

    /// What wall clocks showed.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn calendar(&self) -> Result<Calendar, ReadError> {
        load::calendar(&self.db).map_err(|error| self.fault(&error))
    }

    pub(super) fn all<T>(
        &self,
        sql: &str,
        values: impl Params,
        row: fn(&Row<'_>) -> SqlResult<T>,
    ) -> Result<Vec<T>, ReadError> {
        let read = || self.db.prepare_cached(sql)?.query_map(values, row)?.collect::<SqlResult<_>>();
        read().map_err(|error| self.fault(&error))
    }

    pub(super) fn each<T>(
        &self,
        sql: &str,
        values: impl Params,
        row: fn(&Row<'_>) -> SqlResult<T>,
        mut each: impl FnMut(T),
    ) -> Result<(), ReadError> {
        let read = || -> SqlResult<()> {
            self.db.prepare_cached(sql)?.query_map(values, row)?.try_for_each(|item| item.map(&mut each))
        };
        read().map_err(|error| self.fault(&error))
    }

    pub(super) fn one<T>(
        &self,
        sql: &str,
        values: impl Params,
        row: fn(&Row<'_>) -> SqlResult<T>,
    ) -> Result<Option<T>, ReadError> {
        let read = || self.db.prepare_cached(sql)?.query_row(values, row).optional();
        read().map_err(|error| self.fault(&error))
    }

    pub(super) fn fault(&self, error: &rusqlite::Error) -> ReadError {
        ReadError { path: self.path.clone(), why: error.to_string() }
    }
}

/// Umbrellas with how many cases belong to each, and how many of these are at work.
const UMBRELLAS: &str = "SELECT u.*, \
     (SELECT count(*) FROM cases WHERE umbrella = u.number) AS cases, \
     (SELECT count(*) FROM cases WHERE umbrella = u.number AND stage IN ('New', 'Working', 'Waiting')) AS at_work \
     FROM umbrellas AS u";

fn bound(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
