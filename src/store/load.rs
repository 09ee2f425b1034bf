//! What the store remembers, as the watch wants it at start-up. Read from state rows; the journal is not replayed.

use super::{ClockMark, Loaded, rows};
use crate::domain::desk::{Reference, SavedDesk};
use crate::domain::letter::SavedLetters;
use crate::domain::time::{Calendar, Time};
use crate::domain::watch::Saved;
use rusqlite::{Connection, OptionalExtension as _, Result, Row};
use std::collections::BTreeMap;

pub(super) fn load(db: &Connection) -> Result<Loaded> {
    let mark: Option<ClockMark> = db
        .query_row("SELECT watched_until, boot_id, boot_ms, unix_ms FROM daemon", [], |row| {
            Ok(ClockMark { at: row.get(0)?, boot_id: row.get(1)?, boot_ms: row.get(2)?, unix_ms: row.get(3)? })
        })
        .optional()?;
    let saved = Saved {
        devices: all(db, "SELECT * FROM devices", rows::device)?,
        desk: desk(db)?,
        watched_until: mark.as_ref().map(|mark| mark.at),
    };
    Ok(Loaded { saved, calendar: calendar(db)?, mark })
}

fn desk(db: &Connection) -> Result<SavedDesk> {
    let closed_of: Vec<(String, Reference)> =
        all(db, "SELECT unit, max(number) FROM cases WHERE stage = 'Closed' GROUP BY unit", |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    Ok(SavedDesk {
        cases: all(db, "SELECT * FROM cases WHERE stage <> 'Closed' ORDER BY number", rows::case)?,
        closed_of: BTreeMap::from_iter(closed_of),
        // Cases may have been deleted by hand: the number that was noted counts as well.
        next_number: db.query_row(
            "SELECT max(coalesce((SELECT next_case FROM daemon), 1), \
             coalesce((SELECT max(number) FROM cases), 0) + 1)",
            [],
            |row| row.get(0),
        )?,
        letters: letters(db)?,
    })
}

fn letters(db: &Connection) -> Result<SavedLetters> {
    Ok(SavedLetters {
        next_id: db.query_row("SELECT coalesce(max(id), 0) + 1 FROM letters", [], |row| row.get(0))?,
        waiting: all(
            db,
            "SELECT l.id, l.case_number, c.unit, l.kind, l.number, l.recipient, l.written_at, l.attempts \
             FROM letters AS l JOIN cases AS c ON c.number = l.case_number WHERE l.state = 'queued' ORDER BY l.id",
            rows::saved_letter,
        )?,
    })
}

pub(super) fn calendar(db: &Connection) -> Result<Calendar> {
    let steps: Vec<(Time, i64)> =
        all(db, "SELECT since, offset_ms FROM calendar ORDER BY since", |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(Calendar::new(steps))
}

fn all<T>(db: &Connection, sql: &str, row: fn(&Row<'_>) -> Result<T>) -> Result<Vec<T>> {
    db.prepare(sql)?.query_map([], row)?.collect()
}
