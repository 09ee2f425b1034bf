//! What the store remembers, as the watch wants it at start-up. Read from state rows; the journal is not replayed.

use super::{ClockMark, Loaded, rows};
use crate::domain::desk::{Reference, SavedDesk, SavedUmbrella, Umbrella};
use crate::domain::letter::SavedLetters;
use crate::domain::maintenance::Maintenance;
use crate::domain::time::{Calendar, Time};
use crate::domain::turn::DeviceRow;
use crate::domain::watch::Saved;
use rusqlite::{Connection, OptionalExtension as _, Params, Result, Row};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a maintenance that is over is remembered by the watch. The store keeps it for ever.
const REMEMBERED: Duration = Duration::from_secs(30 * 24 * 3_600);

/// The last closed incident of each unit. From three indexes: a look at the stage of each case would be one at its whole row.
const CLOSED_OF: &str = "SELECT unit, max(number) FROM cases \
     WHERE number NOT IN (SELECT number FROM cases WHERE closed_at IS NULL) \
     AND number NOT IN (SELECT number FROM cases WHERE fault <> 'line') GROUP BY unit";

/// Letters on their way that bring customers a reason for outage. From the cases: few of them await one.
const RFO_LETTERS: &str = "SELECT l.id, c.number, t.number FROM cases AS c \
     JOIN letter_lines AS t ON t.case_number = c.number AND t.kind = 'rfo' JOIN letters AS l ON l.id = t.letter \
     WHERE c.closed_at IS NULL AND c.rfo_step = 'issued' AND l.state = 'queued' AND l.to_customer = 1 ORDER BY l.id";

pub(super) fn load(db: &Connection) -> Result<Loaded> {
    let mark = mark(db)?;
    let saved = Saved {
        devices: devices(db)?,
        desk: desk(db)?,
        maintenance: maintenance(db, mark.as_ref())?,
        watched_until: mark.as_ref().map(|mark| mark.at),
    };
    Ok(Loaded { saved, calendar: calendar(db)?, mark })
}

pub(super) fn mark(db: &Connection) -> Result<Option<ClockMark>> {
    db.query_row("SELECT watched_until, boot_id, boot_ms, unix_ms FROM daemon", [], |row| {
        Ok(ClockMark { at: row.get(0)?, boot_id: row.get(1)?, boot_ms: row.get(2)?, unix_ms: row.get(3)? })
    })
    .optional()
}

/// In the order of their ids.
pub(super) fn devices(db: &Connection) -> Result<Vec<DeviceRow>> {
    all(db, "SELECT * FROM devices ORDER BY id", [], rows::device)
}

pub(super) fn desk(db: &Connection) -> Result<SavedDesk> {
    let closed_of: Vec<(String, Reference)> = all(db, CLOSED_OF, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(SavedDesk {
        cases: all(db, &rows::select_cases("WHERE closed_at IS NULL ORDER BY number"), [], rows::case)?,
        umbrellas: umbrellas(db)?,
        closing: all(
            db,
            &rows::select_cases(
                "WHERE closed_at IS NOT NULL AND number IN (SELECT case_number FROM held_lines) ORDER BY number",
            ),
            [],
            rows::case,
        )?,
        alarms: all(db, "SELECT * FROM alarms ORDER BY since", [], rows::alarm)?,
        closed_of: BTreeMap::from_iter(closed_of),
        // Cases may have been deleted by hand: the number that was noted counts as well.
        next_number: db.query_row(
            "SELECT max(coalesce((SELECT next_case FROM daemon), 1), \
             coalesce((SELECT max(number) FROM cases), 0) + 1, \
             coalesce((SELECT max(number) FROM umbrellas), 0) + 1)",
            [],
            |row| row.get(0),
        )?,
        letters: letters(db)?,
        rfo_letters: all(db, RFO_LETTERS, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?,
        duty: rows::duty(db)?,
        mail: rows::mail_room(db)?,
        surveys: rows::surveys(db, mark(db)?.map(|mark| mark.at))?,
        people: rows::people(db, mark(db)?.map(|mark| mark.at))?,
    })
}

/// Those that are open, or have a case that is not closed, or a letter that waits.
fn umbrellas(db: &Connection) -> Result<Vec<SavedUmbrella>> {
    let umbrellas = all(
        db,
        "SELECT * FROM umbrellas WHERE closed_at IS NULL \
         OR number IN (SELECT umbrella FROM cases WHERE closed_at IS NULL) \
         OR number IN (SELECT umbrella FROM held_lines) ORDER BY number",
        [],
        rows::umbrella,
    )?;
    umbrellas.into_iter().map(|umbrella| saved_umbrella(db, umbrella)).collect()
}

fn saved_umbrella(db: &Connection, umbrella: Umbrella) -> Result<SavedUmbrella> {
    let reference = umbrella.reference;
    let held = "SELECT * FROM held_lines WHERE umbrella = ?1 ORDER BY rowid";
    // The last of each kind in each thread, as they were written: what comes last to a customer is the latest letter.
    let letters = "SELECT thread_key, kind, max(number) AS number, max(id) AS last FROM letters \
         WHERE thread_key >= ?1 AND thread_key < ?2 GROUP BY thread_key, kind ORDER BY last";
    Ok(SavedUmbrella {
        umbrella,
        cases: db
            .prepare_cached("SELECT count(*) FROM cases WHERE umbrella = ?1")?
            .query_row([reference], |row| row.get(0))?,
        held: all(db, held, [reference], rows::held_line)?,
        letters: all(db, letters, rows::thread_range(reference), rows::thread_letter)?,
    })
}

/// What is not over, and what was not until lately.
pub(super) fn maintenance(db: &Connection, mark: Option<&ClockMark>) -> Result<Vec<Maintenance>> {
    all(
        db,
        "SELECT * FROM maintenance WHERE stage IN ('planned', 'active') OR ends >= ?1 ORDER BY id",
        [mark.map(|mark| mark.at - REMEMBERED)],
        rows::maintenance,
    )
}

fn letters(db: &Connection) -> Result<SavedLetters> {
    Ok(SavedLetters {
        next_id: db.query_row("SELECT coalesce(max(id), 0) + 1 FROM letters", [], |row| row.get(0))?,
        waiting: all(
            db,
            "SELECT id, thread_key, kind, number, recipient, written_at, attempts FROM letters \
             WHERE state = 'queued' ORDER BY id",
            [],
            rows::saved_letter,
        )?,
        reserves: all(
            db,
            "SELECT l.id, l.thread_key, l.kind, l.number, l.recipient, l.written_at, r.rank, r.behind \
             FROM letters AS l JOIN reserves AS r ON r.letter = l.id WHERE l.state = 'reserve' ORDER BY l.id",
            [],
            rows::saved_reserve,
        )?,
        alerts: all(db, "SELECT thread_key, recipient FROM alerts", [], |row| Ok((row.get(0)?, row.get(1)?)))?,
    })
}

pub(super) fn calendar(db: &Connection) -> Result<Calendar> {
    let steps: Vec<(Time, i64)> =
        all(db, "SELECT since, offset_ms FROM calendar ORDER BY since", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(Calendar::new(steps))
}

fn all<T>(db: &Connection, sql: &str, values: impl Params, row: fn(&Row<'_>) -> Result<T>) -> Result<Vec<T>> {
    db.prepare_cached(sql)?.query_map(values, row)?.collect()
}
