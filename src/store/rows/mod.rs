//! Rows of the store as domain values, and the other way round.

mod case;
mod device;
mod duty;
mod letter;
mod mail;
mod people;
mod survey;
mod umbrella;
mod works;

pub(super) use case::{case, put_cases, select_cases};
pub(super) use device::{PUT_CHUNK, PUT_DEVICE, chunk, device, device_chunk, interval, put_chunk, put_device};
pub(super) use duty::{duty, put_duty};
pub(super) use letter::{
    PUT_LETTER, PUT_LINE, PUT_RESERVE, key_range, letter_label, letter_row, mail, put_letter, put_lines, put_reserve,
    saved_letter, saved_reserve, thread_letter,
};
pub(super) use mail::{attachments, known_case, mail_room, mail_row, put_message};
pub(super) use people::{people, put_people};
pub(super) use survey::{put_surveys, surveys};
pub(super) use umbrella::{
    HELD_LETTERS, PUT_HELD, PUT_UMBRELLA, held_letter, held_line, put_held, put_umbrella, thread_range, umbrella,
    umbrella_row,
};
pub(super) use works::{PUT_ALARM, PUT_MAINTENANCE, alarm, maintenance, put_alarm, put_maintenance, works_range};

use super::reader::TimelineEntry;
use rusqlite::types::{FromSqlError, Type};
use rusqlite::{Error, Result, Row};

/// An entry of a timeline: when, what sort, the sentence, the same for programs.
pub(super) fn timeline_entry(row: &Row<'_>) -> Result<TimelineEntry> {
    Ok(TimelineEntry { at: row.get(0)?, kind: row.get(1)?, text: row.get(2)?, data: row.get(3)? })
}

/// From which key on, and before which, the threads are whose keys begin as that of the thread with nobody, which ends
/// with a colon.
fn before_next_colon(from: String) -> (String, String) {
    // The next character after the colon.
    let until = format!("{};", from.trim_end_matches(':'));
    (from, until)
}

/// A text that its column should not hold.
fn misfit(text: &str, column: &str) -> Error {
    let what = format!("{text:?} does not belong in column {column:?}");
    Error::FromSqlConversionFailure(0, Type::Text, Box::new(FromSqlError::Other(what.into())))
}
