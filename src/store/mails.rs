//! Messages that came in: kept as they are before anybody looks into them, then with what was decided and why.

use super::reader::{ReadError, Reader};
use super::writer::{CommitError, Store};
use super::{OpenError, rows};
use crate::domain::desk::{LetterMark, MailOutcome, Reference, Sorted};
use crate::domain::letter::{LetterId, LetterLabel};
use crate::domain::mail::{KnownCase, MailId, Message, Parcel};
use crate::domain::time::Time;
use crate::domain::turn::Turn;
use rusqlite::{Connection, OptionalExtension as _, Result as SqlResult, Transaction, TransactionBehavior, params};
use sha2::{Digest as _, Sha256};

/// A message as the store lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailRow {
    /// Its number.
    pub id: MailId,
    /// When it came.
    pub received_at: Time,
    /// What became of it; nothing if nobody has read it yet.
    pub outcome: Option<MailOutcome>,
    /// Why.
    pub why: Option<String>,
    /// The case that it joined or opened, or may be about.
    pub case: Option<Reference>,
    /// Its sender.
    pub sender: Option<String>,
    /// Its Message-ID.
    pub message_id: Option<String>,
    /// Its subject.
    pub subject: Option<String>,
    /// What its writer wrote.
    pub body: Option<String>,
    /// Who wrote it: `person`, `report`, `own`, or by what a program shows.
    pub nature: Option<String>,
    /// What comes with it, as a JSON array.
    pub attachments: Option<String>,
    /// The letter that it answers.
    pub letter: Option<LetterId>,
    /// Who sent it: `customer:ID`, `staff`, `several` or `stranger`.
    pub tenant: Option<String>,
    /// What our boundary server says of him: `pass`, `fail` or `unknown`.
    pub authentic: Option<String>,
    /// The reference in its subject.
    pub claim: Option<String>,
    /// Bytes of the message as it came; nothing if they are kept no more.
    pub original: Option<u64>,
}

/// What becomes of a message that is to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It has this number.
    New(MailId),
    /// The same bytes are here already.
    Known,
    /// There is no room for it, until more is decided on what is here.
    NoRoom,
}

/// Originals that are dropped in one transaction, and about how many bytes of them.
const MAX_DROPPED: usize = 1_000;
const MAX_DROPPED_BYTES: u64 = 64 << 20;
/// Bytes of the secret of letters.
const SECRET: usize = 32;
/// Readers of one letter that are looked at.
const MAX_READERS: usize = 1_000;

impl Store {
    /// The secret that makes letters known again. Made once, by the database's own generator, which the system seeds.
    ///
    /// # Errors
    /// If it can't be read or kept.
    pub fn secret(&self) -> Result<[u8; SECRET], OpenError> {
        self.recall(|db| {
            db.execute("INSERT OR IGNORE INTO secrets (name, value) VALUES ('letters', randomblob(?1))", [SECRET])?;
            db.query_row("SELECT value FROM secrets WHERE name = 'letters'", [], |row| row.get(0))
        })
    }

    /// Messages that nobody has read yet, in order, and how often somebody has begun to. Counts one more for the first.
    ///
    /// # Errors
    /// If they can't be read or counted.
    pub fn mails_to_read(&self) -> Result<Vec<(MailId, u32)>, OpenError> {
        self.recall(|db| {
            // Whoever read before us had come as far as the first.
            db.execute(
                "UPDATE mails SET tries = tries + 1 WHERE id = (SELECT min(id) FROM mails WHERE outcome IS NULL)",
                [],
            )?;
            let mut mails = db.prepare("SELECT id, tries FROM mails WHERE outcome IS NULL ORDER BY id")?;
            mails.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        })
    }

    /// Keeps a message as it came, in a commit of its own, however much is kept already. Gives its number; nothing if it is
    /// here already.
    ///
    /// # Errors
    /// As [`keep_all`](Self::keep_all).
    pub fn keep(&mut self, parcel: &Parcel, at: Time) -> Result<Option<MailId>, CommitError> {
        let kept = self.keep_all(&[(parcel, at)], u64::MAX)?;
        Ok(kept.into_iter().find_map(|kept| match kept {
            Kept::New(id) => Some(id),
            Kept::Known | Kept::NoRoom => None,
        }))
    }

    /// Keeps messages as they came, in one commit: each with what became of it. Together they and those before them may take up
    /// `room` bytes; where that is too little, the oldest that are decided on make room.
    ///
    /// # Errors
    /// Says what the disk or the database objects to. None of them is kept then.
    pub fn keep_all(&mut self, parcels: &[(&Parcel, Time)], room: u64) -> Result<Vec<Kept>, CommitError> {
        self.try_to_keep(parcels, room).map_err(|error| self.refusal(&error))
    }

    fn try_to_keep(&mut self, parcels: &[(&Parcel, Time)], room: u64) -> SqlResult<Vec<Kept>> {
        let transaction = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let coming: u64 = parcels.iter().map(|(parcel, _)| size(parcel)).sum();
        let mut originals = self.originals;
        let excess = originals.saturating_add(coming).saturating_sub(room);
        if excess > 0 {
            originals = originals.saturating_sub(drop_originals(&transaction, None, excess)?.bytes);
        }
        let put = parcels.iter().map(|(parcel, at)| put_parcel(&transaction, parcel, *at, (&mut originals, room)));
        let kept = put.collect::<SqlResult<_>>()?;
        transaction.commit()?;
        self.originals = originals;
        Ok(kept)
    }

    /// Bytes of all messages that are kept as they came.
    #[must_use]
    pub const fn originals(&self) -> u64 {
        self.originals
    }

    /// Drops originals of messages that are decided on: those that came before `before`, and if that is not enough the oldest,
    /// until `excess` bytes are free. What is known of the messages stays. A bounded step: `true` if there may be more to do.
    ///
    /// # Errors
    /// Says what the disk or the database objects to.
    pub fn drop_originals(&mut self, before: Time, excess: u64) -> Result<bool, CommitError> {
        self.try_to_drop(before, excess).map_err(|error| self.refusal(&error))
    }

    fn try_to_drop(&mut self, before: Time, excess: u64) -> SqlResult<bool> {
        let transaction = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let dropped = drop_originals(&transaction, Some(before), excess)?;
        transaction.commit()?;
        self.originals = self.originals.saturating_sub(dropped.bytes);
        Ok(dropped.is_full)
    }
}

/// Bytes of all originals.
pub(super) fn originals(db: &Connection) -> SqlResult<u64> {
    db.query_row("SELECT coalesce(sum(original), 0) FROM mails WHERE original IS NOT NULL", [], |row| row.get(0))
}

const fn size(parcel: &Parcel) -> u64 {
    parcel.raw.len() as u64
}

/// What a step of dropping came to.
#[derive(Default)]
struct Dropped {
    bytes: u64,
    /// Whether its bound ended it.
    is_full: bool,
}

fn drop_originals(transaction: &Transaction<'_>, before: Option<Time>, excess: u64) -> SqlResult<Dropped> {
    let mut oldest = transaction.prepare_cached(
        "SELECT id, received_at, original FROM mails \
         WHERE original IS NOT NULL AND outcome IS NOT NULL AND outcome <> 'quarantined' ORDER BY received_at LIMIT ?1",
    )?;
    let mut dropped = Dropped::default();
    let mut ids: Vec<MailId> = Vec::new();
    let mut rows = oldest.query([MAX_DROPPED])?;
    while let Some(row) = rows.next()? {
        let (id, received_at, size): (MailId, Time, u64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let is_old = before.is_some_and(|before| received_at < before);
        if !is_old && dropped.bytes >= excess {
            break;
        }
        ids.push(id);
        dropped.bytes += size;
        dropped.is_full = ids.len() == MAX_DROPPED || dropped.bytes >= MAX_DROPPED_BYTES;
        if dropped.is_full {
            break;
        }
    }
    let mut delete = transaction.prepare_cached("DELETE FROM originals WHERE mail = ?1")?;
    let mut note = transaction.prepare_cached("UPDATE mails SET original = NULL WHERE id = ?1")?;
    for id in ids {
        delete.execute([id])?;
        note.execute([id])?;
    }
    Ok(dropped)
}

/// Puts a message in, if it fits beside the `originals` into the `room`.
fn put_parcel(
    transaction: &Transaction<'_>,
    parcel: &Parcel,
    at: Time,
    (originals, room): (&mut u64, u64),
) -> SqlResult<Kept> {
    let digest = Sha256::digest(&parcel.raw);
    let after = originals.saturating_add(size(parcel));
    if after > room {
        let mut find = transaction.prepare_cached("SELECT 1 FROM mails WHERE digest = ?1")?;
        return Ok(if find.exists([digest.as_slice()])? { Kept::Known } else { Kept::NoRoom });
    }
    let id: Option<MailId> = transaction
        .prepare_cached(
            "INSERT INTO mails (received_at, digest, whole, tries, original) VALUES (?1, ?2, ?3, 1, ?4) \
             ON CONFLICT (digest) DO NOTHING RETURNING id",
        )?
        .query_row(params![at, digest.as_slice(), parcel.whole, size(parcel)], |row| row.get(0))
        .optional()?;
    let Some(id) = id else { return Ok(Kept::Known) };
    transaction
        .prepare_cached("INSERT INTO originals (mail, raw) VALUES (?1, ?2)")?
        .execute(params![id, parcel.raw])?;
    *originals = after;
    Ok(Kept::New(id))
}

/// What became of messages, of letters that came back, and which addresses work.
pub(super) fn put_mails(transaction: &Transaction<'_>, turn: &Turn) -> SqlResult<()> {
    for Sorted { id, outcome, case, read, why } in &turn.mails {
        if let Some((message, witnesses)) = read {
            rows::put_message(transaction, *id, message, witnesses)?;
        }
        transaction
            .prepare_cached(
                "UPDATE mails SET outcome = ?2, case_number = ?3, why = concat_ws('; ', why, ?4) WHERE id = ?1",
            )?
            .execute(params![id, outcome, case, why])?;
    }
    for (letter, why) in &turn.bounced {
        transaction
            .prepare_cached("UPDATE letters SET state = 'bounced', error = ?2 WHERE id = ?1")?
            .execute(params![letter, why])?;
    }
    for (address, unreachable) in &turn.addresses {
        match unreachable {
            Some(unreachable) => transaction
                .prepare_cached("REPLACE INTO unreachable (address, since, why) VALUES (?1, ?2, ?3)")?
                .execute(params![address, unreachable.since, unreachable.why])?,
            None => transaction.prepare_cached("DELETE FROM unreachable WHERE address = ?1")?.execute([address])?,
        };
    }
    Ok(())
}

impl Reader {
    /// When a message was taken.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn received_at(&self, id: MailId) -> Result<Option<Time>, ReadError> {
        self.one("SELECT received_at FROM mails WHERE id = ?1", [id], |row| row.get(0))
    }

    /// A message as it came, if it is still kept.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn parcel(&self, id: MailId) -> Result<Option<Parcel>, ReadError> {
        let sql = "SELECT raw, whole FROM mails JOIN originals ON mail = id WHERE id = ?1";
        self.one(sql, [id], |row| Ok(Parcel { raw: row.get(0)?, whole: row.get(1)? }))
    }

    /// A message with what was decided.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn mail_row(&self, id: MailId) -> Result<Option<MailRow>, ReadError> {
        self.one("SELECT * FROM mails WHERE id = ?1", [id], rows::mail_row)
    }

    /// The latest message with a Message-ID.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn mail_by_message_id(&self, message_id: &str) -> Result<Option<MailRow>, ReadError> {
        let sql = "SELECT * FROM mails WHERE message_id = ?1 ORDER BY id DESC LIMIT 1";
        self.one(sql, [message_id], rows::mail_row)
    }

    /// The latest `limit` messages below a number, newest first: all, those with this outcome, or those of this case.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn mails(
        &self,
        outcome: Option<MailOutcome>,
        case: Option<Reference>,
        (below, limit): (Option<MailId>, usize),
    ) -> Result<Vec<MailRow>, ReadError> {
        let mut sql = "SELECT * FROM mails WHERE id < ?1".to_owned();
        // Written out, so that the index of this outcome serves.
        sql.push_str(&outcome.map_or_else(String::new, |outcome| format!(" AND outcome = '{}'", outcome.name())));
        sql.push_str(if case.is_some() { " AND case_number = ?2" } else { " AND ?2 IS NULL" });
        sql.push_str(" ORDER BY id DESC LIMIT ?3");
        let below = below.unwrap_or(u64::MAX).min(i64::MAX.unsigned_abs());
        self.all(&sql, params![below, case, i64::try_from(limit).unwrap_or(i64::MAX)], rows::mail_row)
    }

    /// An earlier message of the same sender with the same Message-ID that says the same.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn copy_of(&self, id: MailId, message: &Message) -> Result<Option<MailId>, ReadError> {
        let sql = "SELECT id FROM mails WHERE message_id = ?2 AND sender = ?3 AND id < ?1 \
                   AND subject IS ?4 AND body IS ?5 AND attachments IS ?6 ORDER BY id LIMIT 1";
        let Message { message_id, from, subject, text, attachments, .. } = message;
        let attachments = rows::attachments(attachments);
        self.one(sql, params![id, message_id, from, subject, text, attachments], |row| row.get(0))
    }

    /// The letters of this kind and number in the conversation whose key is this, or begins so if it ends with a colon.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn letters_marked(&self, key: &str, mark: LetterMark) -> Result<Vec<LetterLabel>, ReadError> {
        let (from, until) = rows::key_range(key);
        self.all(
            "SELECT id, thread_key, kind, number, recipient FROM letters \
             WHERE thread_key >= ?1 AND thread_key < ?2 AND kind = ?3 AND number = ?4 LIMIT ?5",
            params![from, until, mark.kind, mark.number, MAX_READERS],
            rows::letter_label,
        )
    }

    /// A letter by its number.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn letter(&self, id: LetterId) -> Result<Option<LetterLabel>, ReadError> {
        let sql = "SELECT id, thread_key, kind, number, recipient FROM letters WHERE id = ?1";
        self.one(sql, [id], rows::letter_label)
    }

    /// The cases that a letter tells of, at most so many.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn cases_of_letter(&self, id: LetterId, limit: usize) -> Result<Vec<KnownCase>, ReadError> {
        let sql = "SELECT c.number, c.unit, c.customer, c.opening_priority, c.subject FROM letter_lines AS l JOIN cases AS c ON c.number = l.case_number \
             WHERE l.letter = ?1 ORDER BY c.number DESC LIMIT ?2";
        self.all(sql, params![id, i64::try_from(limit).unwrap_or(i64::MAX)], rows::known_case)
    }

    /// Whose a case is and what it is about, whatever its stage.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn known_case(&self, reference: Reference) -> Result<Option<KnownCase>, ReadError> {
        let known = "SELECT number, unit, customer, opening_priority, subject FROM cases WHERE number = ?1";
        self.one(known, [reference], rows::known_case)
    }
}
