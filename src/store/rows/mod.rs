//! Rows of the store as domain values, and the other way round.

mod case;
mod device;
mod letter;
mod umbrella;
mod works;

pub(super) use case::{PUT_CASE, case, put_case};
pub(super) use device::{PUT_CHUNK, PUT_DEVICE, chunk, device, device_chunk, interval, put_chunk, put_device};
pub(super) use letter::{PUT_LETTER, PUT_LINE, letter_row, mail, put_letter, put_lines, saved_letter, thread_letter};
pub(super) use umbrella::{
    HELD_LETTERS, PUT_HELD, PUT_UMBRELLA, held_letter, held_line, put_held, put_umbrella, thread_range, umbrella,
    umbrella_row,
};
pub(super) use works::{PUT_ALARM, PUT_MAINTENANCE, alarm, maintenance, put_alarm, put_maintenance};

use super::columns::Millis;
use crate::domain::time::Tally;
use rusqlite::types::{FromSqlError, Type};
use rusqlite::{Error, Result, Row};

fn tally(row: &Row<'_>, banked: &str, running_since: &str) -> Result<Tally> {
    Ok(Tally::new(row.get::<_, Millis>(banked)?.0, row.get(running_since)?))
}

/// A text that its column should not hold.
fn misfit(text: &str, column: &str) -> Error {
    let what = format!("{text:?} does not belong in column {column:?}");
    Error::FromSqlConversionFailure(0, Type::Text, Box::new(FromSqlError::Other(what.into())))
}
