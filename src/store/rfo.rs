//! Reasons for outage that were issued.

use super::reader::{ReadError, Reader};
use super::seal::Hash;
use crate::domain::desk::Reference;
use crate::domain::time::Time;
use rusqlite::Row;

/// A reason for outage as it was issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuedRfo {
    /// Its case.
    pub reference: Reference,
    /// The how-manieth of its case.
    pub number: u32,
    /// SHA-256 of its bytes, as the store has it.
    pub sha256: Hash,
    /// Its bytes.
    pub json: String,
    /// When it was issued.
    pub issued_at: Time,
    /// The row of the journal's seal that it stands on.
    pub seal: i64,
}

const SELECT: &str = "SELECT case_number, number, sha256, json, issued_at, seal FROM rfos WHERE case_number = ?1";

impl Reader {
    /// The latest document of a case.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn rfo(&self, reference: Reference) -> Result<Option<IssuedRfo>, ReadError> {
        self.one(&format!("{SELECT} ORDER BY number DESC LIMIT 1"), [reference], issued)
    }

    /// A document of a case.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn one_rfo(&self, reference: Reference, number: u32) -> Result<Option<IssuedRfo>, ReadError> {
        self.one(&format!("{SELECT} AND number = ?2"), (reference, number), issued)
    }

    /// What the journal says of a document's hash: the row and the hexadecimal digits.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn rfo_fact(&self, reference: Reference, number: u32) -> Result<Option<(i64, String)>, ReadError> {
        self.one(
            "SELECT seq, json_extract(data, '$.sha256') FROM journal WHERE case_number = ?1 AND kind = 'rfo_issued' \
             AND json_extract(data, '$.number') = ?2 ORDER BY seq DESC LIMIT 1",
            (reference, number),
            |row| Ok((row.get(0)?, row.get::<_, Option<String>>(1)?.unwrap_or_default())),
        )
    }
}

fn issued(row: &Row<'_>) -> rusqlite::Result<IssuedRfo> {
    Ok(IssuedRfo {
        reference: row.get(0)?,
        number: row.get(1)?,
        sha256: row.get(2)?,
        json: row.get(3)?,
        issued_at: row.get(4)?,
        seal: row.get(5)?,
    })
}
