//! Umbrellas, and lines under them whose letters wait.

use super::before_next_colon;
use crate::domain::desk::{HeldLetter, LetterMark, Reference, Umbrella};
use crate::domain::letter::Thread;
use crate::domain::turn::HeldLine;
use crate::store::columns::Millis;
use crate::store::reader::UmbrellaRow;
use rusqlite::{CachedStatement, Result, Row, params};
use std::sync::Arc;

/// What an umbrella is about never changes; the rest may.
pub(in crate::store) const PUT_UMBRELLA: &str = "INSERT INTO umbrellas \
     (number, reference, cause, opened_at, first_loss, lost, sharing, within_ms, closed_at) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (number) DO UPDATE SET \
     first_loss = ?5, lost = ?6, sharing = ?7, within_ms = ?8, closed_at = ?9";

pub(in crate::store) fn put_umbrella(statement: &mut CachedStatement<'_>, umbrella: &Umbrella) -> Result<()> {
    statement.execute(params![
        umbrella.reference,
        umbrella.reference.to_string(),
        umbrella.cause,
        umbrella.opened_at,
        umbrella.first_loss,
        umbrella.lost,
        umbrella.of,
        Millis(umbrella.within),
        umbrella.closed_at,
    ])?;
    Ok(())
}

pub(in crate::store) fn umbrella(row: &Row<'_>) -> Result<Umbrella> {
    Ok(Umbrella {
        reference: row.get("number")?,
        cause: row.get("cause")?,
        opened_at: row.get("opened_at")?,
        first_loss: row.get("first_loss")?,
        lost: row.get("lost")?,
        of: row.get("sharing")?,
        within: row.get::<_, Millis>("within_ms")?.0,
        closed_at: row.get("closed_at")?,
    })
}

/// Wants the counts of the cases beside the umbrella's own columns.
pub(in crate::store) fn umbrella_row(row: &Row<'_>) -> Result<UmbrellaRow> {
    Ok(UmbrellaRow { umbrella: umbrella(row)?, cases: row.get("cases")?, at_work: row.get("at_work")? })
}

/// From which key on, and before which, the threads of an umbrella are.
pub(in crate::store) fn thread_range(reference: Reference) -> (String, String) {
    before_next_colon(Thread::Umbrella { reference, customer: None }.key())
}

pub(in crate::store) const PUT_HELD: &str = "INSERT INTO held_lines \
     (umbrella, customer, case_number, kind, number, due) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

pub(in crate::store) fn put_held(statement: &mut CachedStatement<'_>, line: &HeldLine) -> Result<()> {
    let mark = line.mark;
    statement.execute(params![line.umbrella, *line.customer, line.case, mark.kind, mark.number, line.due])?;
    Ok(())
}

/// Letters that wait: those of an umbrella, or those that tell of a case.
pub(in crate::store) const HELD_LETTERS: &str = "SELECT umbrella, customer, kind, count(*) AS lines, min(due) AS due \
     FROM held_lines WHERE umbrella = ?1 OR (umbrella, customer, kind) IN \
     (SELECT umbrella, customer, kind FROM held_lines WHERE case_number = ?1) \
     GROUP BY umbrella, customer, kind ORDER BY min(rowid) LIMIT ?2";

pub(in crate::store) fn held_letter(row: &Row<'_>) -> Result<HeldLetter> {
    Ok(HeldLetter {
        umbrella: row.get("umbrella")?,
        customer: row.get("customer")?,
        kind: row.get("kind")?,
        lines: row.get("lines")?,
        due: row.get("due")?,
    })
}

pub(in crate::store) fn held_line(row: &Row<'_>) -> Result<HeldLine> {
    Ok(HeldLine {
        umbrella: row.get("umbrella")?,
        customer: Arc::new(row.get("customer")?),
        case: row.get("case_number")?,
        mark: LetterMark { kind: row.get("kind")?, number: row.get("number")? },
        due: row.get("due")?,
    })
}
