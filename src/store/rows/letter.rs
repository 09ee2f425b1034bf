//! Letters, and the cases that they tell of.

use super::{before_next_colon, misfit};
use crate::domain::desk::LetterMark;
use crate::domain::letter::{Letter, LetterId, LetterLabel, Mail, SavedLetter, SavedReserve, Thread};
use crate::store::reader::LetterRow;
use rusqlite::{CachedStatement, Result, Row, params};

pub(in crate::store) const PUT_LETTER: &str = "INSERT INTO letters (\
     id, thread_key, case_number, kind, number, recipient, message_id, in_reply_to, mail_references, subject, body, \
     written_at, written_unix_ms, reply_to, to_customer) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";

pub(in crate::store) fn put_letter(statement: &mut CachedStatement<'_>, letter: &Letter, mail: &Mail) -> Result<()> {
    let case = match &letter.thread {
        Thread::Case { reference, .. } => Some(*reference),
        Thread::Umbrella { .. }
        | Thread::Maintenance { .. }
        | Thread::Alarm { .. }
        | Thread::Contract { .. }
        | Thread::Reach { .. } => None,
    };
    statement.execute(params![
        letter.id,
        letter.thread,
        case,
        letter.mark.kind,
        letter.mark.number,
        letter.to,
        mail.message_id,
        mail.in_reply_to,
        mail.references.join(" "),
        mail.subject,
        mail.body,
        letter.written_at,
        mail.written_unix_ms,
        mail.reply_to,
        letter.greeting.is_some(),
    ])?;
    Ok(())
}

pub(in crate::store) const PUT_LINE: &str =
    "INSERT INTO letter_lines (letter, case_number, kind, number, recipient) VALUES (?1, ?2, ?3, ?4, ?5)";

/// One row for each case that the letter tells of.
pub(in crate::store) fn put_lines(statement: &mut CachedStatement<'_>, letter: &Letter) -> Result<()> {
    for (case, mark) in letter.lines() {
        statement.execute(params![letter.id, case, mark.kind, mark.number, letter.to])?;
    }
    Ok(())
}

pub(in crate::store) fn mail(row: &Row<'_>) -> Result<Mail> {
    let references: String = row.get("mail_references")?;
    Ok(Mail {
        id: row.get("id")?,
        to: row.get("recipient")?,
        message_id: row.get("message_id")?,
        in_reply_to: row.get("in_reply_to")?,
        references: references.split_whitespace().map(String::from).collect(),
        reply_to: row.get("reply_to")?,
        subject: row.get("subject")?,
        body: row.get("body")?,
        written_unix_ms: row.get("written_unix_ms")?,
    })
}

pub(in crate::store) fn saved_letter(row: &Row<'_>) -> Result<SavedLetter> {
    Ok(SavedLetter { label: letter_label(row)?, written_at: row.get("written_at")?, attempts: row.get("attempts")? })
}

pub(in crate::store) const PUT_RESERVE: &str = "INSERT INTO reserves (letter, rank, behind) VALUES (?1, ?2, ?3)";

pub(in crate::store) fn put_reserve(statement: &mut CachedStatement<'_>, reserve: &SavedReserve) -> Result<()> {
    let behind: Vec<String> = reserve.behind.iter().map(LetterId::to_string).collect();
    statement.execute(params![reserve.label.id, reserve.rank, behind.join(" ")])?;
    Ok(())
}

pub(in crate::store) fn saved_reserve(row: &Row<'_>) -> Result<SavedReserve> {
    let behind: String = row.get("behind")?;
    let number = |word: &str| word.parse::<LetterId>().map_err(|_| misfit(&behind, "behind"));
    Ok(SavedReserve {
        label: letter_label(row)?,
        written_at: row.get("written_at")?,
        rank: row.get("rank")?,
        behind: behind.split_whitespace().map(number).collect::<Result<_>>()?,
    })
}

pub(in crate::store) fn letter_label(row: &Row<'_>) -> Result<LetterLabel> {
    Ok(LetterLabel {
        id: row.get("id")?,
        thread: row.get("thread_key")?,
        mark: LetterMark { kind: row.get("kind")?, number: row.get("number")? },
        to: row.get("recipient")?,
    })
}

/// From which key on, and before which, the conversations are with this key, or with keys that begin so.
pub(in crate::store) fn key_range(key: &str) -> (String, String) {
    if key.ends_with(':') { before_next_colon(key.to_owned()) } else { (key.to_owned(), format!("{key}\0")) }
}

pub(in crate::store) fn letter_row(row: &Row<'_>) -> Result<LetterRow> {
    Ok(LetterRow {
        id: row.get("id")?,
        thread: row.get("thread_key")?,
        kind: row.get("kind")?,
        number: row.get("number")?,
        to: row.get("recipient")?,
        subject: row.get("subject")?,
        state: row.get("state")?,
        attempts: row.get("attempts")?,
        error: row.get("error")?,
        written_at: row.get("written_at")?,
        sent_at: row.get("sent_at")?,
    })
}

/// A letter of an umbrella: to which customer, and which.
pub(in crate::store) fn thread_letter(row: &Row<'_>) -> Result<(Option<String>, LetterMark)> {
    let thread: Thread = row.get("thread_key")?;
    match thread {
        Thread::Umbrella { customer, .. } => {
            Ok((customer, LetterMark { kind: row.get("kind")?, number: row.get("number")? }))
        }
        Thread::Case { .. }
        | Thread::Maintenance { .. }
        | Thread::Alarm { .. }
        | Thread::Contract { .. }
        | Thread::Reach { .. } => Err(misfit(&thread.key(), "thread_key")),
    }
}
