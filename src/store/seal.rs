//! The sealed journal: a chain of hashes over its rows, so that nobody changes what was written without a trace.
//!
//! Each commit that adds rows adds one seal: SHA-256 of the seal before it, and of each of its rows. What a row is made
//! of has a tag and, where it is a text, its length before it: no two journals have the same seals. Rows from before the
//! first seal are not sealed. Whoever can write the whole store can also seal it anew; but a document that left the house
//! names the seal that it stands on, and that one is not there any more then.

use super::reader::{ReadError, Reader};
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, Result as SqlResult, Row};
use sha2::{Digest as _, Sha256};
use std::fmt;

/// A link of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seal {
    /// The journal's last row that it covers.
    pub seq: i64,
    /// Its hash.
    pub hash: Hash,
}

/// A SHA-256. Written as 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// The hash of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    const NOTHING: Self = Self([0; 32]);
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl ToSql for Hash {
    fn to_sql(&self) -> SqlResult<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(&self.0)))
    }
}

impl FromSql for Hash {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let bytes = value.as_blob()?;
        bytes
            .try_into()
            .map(Self)
            .map_err(|_| FromSqlError::InvalidBlobSize { expected_size: 32, blob_size: bytes.len() })
    }
}

/// A row of the journal, as it is sealed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sealed<'a> {
    pub(super) seq: i64,
    pub(super) at: i64,
    pub(super) kind: &'a str,
    pub(super) device: Option<&'a str>,
    pub(super) case: Option<i64>,
    pub(super) umbrella: Option<i64>,
    pub(super) text: &'a str,
    pub(super) data: &'a str,
}

/// The next link of the chain, in the making.
pub(super) struct Sealer {
    hasher: Sha256,
    last: Seal,
    is_empty: bool,
}

impl Sealer {
    /// The next one after `last`.
    pub(super) fn after(last: Seal) -> Self {
        Self { hasher: Sha256::new_with_prefix(last.hash.0), last, is_empty: true }
    }

    /// Takes one more row.
    pub(super) fn add(&mut self, row: &Sealed<'_>) {
        self.is_empty = false;
        self.last.seq = row.seq;
        self.number(Some(row.seq));
        self.number(Some(row.at));
        self.text(Some(row.kind));
        self.text(row.device);
        self.number(row.case);
        self.number(row.umbrella);
        self.text(Some(row.text));
        self.text(Some(row.data));
    }

    fn number(&mut self, number: Option<i64>) {
        match number {
            None => self.hasher.update([0]),
            Some(number) => {
                self.hasher.update([1]);
                self.hasher.update(number.to_be_bytes());
            }
        }
    }

    fn text(&mut self, text: Option<&str>) {
        match text {
            None => self.hasher.update([0]),
            Some(text) => {
                self.hasher.update([2]);
                self.hasher.update((text.len() as u64).to_be_bytes());
                self.hasher.update(text);
            }
        }
    }

    /// The seal, unless there was nothing to seal.
    pub(super) fn finish(self) -> Option<Seal> {
        let hash = Hash(self.hasher.finalize().into());
        (!self.is_empty).then_some(Seal { hash, ..self.last })
    }
}

/// The last seal, and the last row of the journal that there is.
pub(super) fn last(db: &Connection) -> SqlResult<(Seal, i64)> {
    let seal = db
        .prepare_cached("SELECT seq, seal FROM journal_seals ORDER BY seq DESC LIMIT 1")?
        .query_row([], |row| Ok(Seal { seq: row.get(0)?, hash: row.get(1)? }))?;
    let row =
        db.prepare_cached("SELECT coalesce(max(seq), 0) FROM journal")?.query_row([], |row| row.get::<_, i64>(0))?;
    Ok((seal, row))
}

/// What is wrong with a sealed journal: the first of it, in the order of its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tampered {
    /// This row is missing.
    Removed {
        /// Its number.
        seq: i64,
    },
    /// This row belongs to no commit: somebody put it in.
    Inserted {
        /// Its number.
        seq: i64,
    },
    /// One of these rows, which were written in one commit, is not as it was then; or their seal is not.
    Changed {
        /// The first of them.
        first: i64,
        /// The last of them.
        last: i64,
    },
    /// The chain of seals does not begin where it began: its first seals are missing.
    NoBeginning,
}

impl fmt::Display for Tampered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Removed { seq } => write!(f, "row {seq} of the journal was removed"),
            Self::Inserted { seq } => write!(f, "row {seq} of the journal was put in: no commit has sealed it"),
            Self::Changed { first, last } if first == last => {
                write!(f, "row {first} of the journal is not as it was sealed")
            }
            Self::Changed { first, last } => {
                write!(f, "rows {first} to {last} of the journal, written in one commit, are not as they were sealed")
            }
            Self::NoBeginning => f.write_str("the first seals of the journal were removed"),
        }
    }
}

/// What a look at a sealed journal found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// Rows that fit their seals, before the first that does not.
    pub sealed: u64,
    /// Rows from before the first seal. Nobody can say of them whether they were changed.
    pub unsealed: u64,
    /// Seals that their rows fit.
    pub seals: u64,
    /// The last of them.
    pub last: Option<Seal>,
    /// What does not fit.
    pub tampered: Option<Tampered>,
}

/// Compares rows with seals.
struct Inspector {
    seals: std::vec::IntoIter<Seal>,
    /// The seal that comes next, and its rows so far.
    open: Option<(Seal, i64, Sealer)>,
    found: Inspection,
}

impl Inspector {
    fn new(seals: Vec<Seal>) -> Self {
        let mut seals = seals.into_iter();
        let first = seals.next();
        let tampered = first.is_none_or(|first| first.hash != Hash::NOTHING).then_some(Tampered::NoBeginning);
        let found = Inspection { sealed: 0, unsealed: 0, seals: 0, last: first, tampered };
        let mut inspector = Self { seals, open: None, found };
        inspector.next_seal();
        inspector
    }

    fn next_seal(&mut self) {
        let before = self.found.last;
        self.open = self.seals.next().zip(before).map(|(seal, before)| (seal, before.seq, Sealer::after(before)));
    }

    /// Takes one more row. False if it is of no use to go on.
    fn take(&mut self, row: &Sealed<'_>) -> bool {
        if self.found.tampered.is_some() {
            return false;
        }
        let begins = self.found.last.map_or(0, |last| last.seq);
        if self.found.seals == 0 && self.found.sealed == 0 && row.seq <= begins && row.seq > 0 {
            self.found.unsealed += 1;
            return true;
        }
        let Some((seal, before, sealer)) = &mut self.open else {
            self.found.tampered = Some(Tampered::Inserted { seq: row.seq });
            return false;
        };
        if row.seq <= *before {
            self.found.tampered = Some(Tampered::Inserted { seq: row.seq });
        } else if row.seq > *before + 1 {
            self.found.tampered = Some(Tampered::Removed { seq: *before + 1 });
        } else {
            *before = row.seq;
            sealer.add(row);
            if row.seq == seal.seq {
                self.close();
            }
        }
        self.found.tampered.is_none()
    }

    /// All rows of a seal are there.
    fn close(&mut self) {
        let Some((seal, _, sealer)) = self.open.take() else { return };
        let first = self.found.last.map_or(0, |last| last.seq) + 1;
        if sealer.finish() == Some(seal) {
            self.found.sealed += (seal.seq - first + 1).unsigned_abs();
            self.found.seals += 1;
            self.found.last = Some(seal);
            self.next_seal();
        } else {
            self.found.tampered = Some(Tampered::Changed { first, last: seal.seq });
        }
    }

    fn finish(mut self) -> Inspection {
        if let (None, Some((_, before, _))) = (&self.found.tampered, &self.open) {
            self.found.tampered = Some(Tampered::Removed { seq: before + 1 });
        }
        self.found
    }
}

impl Reader {
    /// Looks whether the journal is as it was written, row by row, and says what is the first that is not.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn inspect_journal(&self) -> Result<Inspection, ReadError> {
        let read = || -> SqlResult<Inspection> {
            let _one_moment = self.db.unchecked_transaction()?;
            let mut inspector = Inspector::new(
                self.db
                    .prepare("SELECT seq, seal FROM journal_seals ORDER BY seq")?
                    .query_map([], |row| Ok(Seal { seq: row.get(0)?, hash: row.get(1)? }))?
                    .collect::<SqlResult<_>>()?,
            );
            let mut rows = self
                .db
                .prepare("SELECT seq, at, kind, device, case_number, umbrella, text, data FROM journal ORDER BY seq")?;
            let mut rows = rows.query([])?;
            while let Some(row) = rows.next()? {
                if !inspector.take(&sealed(row)?) {
                    break;
                }
            }
            Ok(inspector.finish())
        };
        read().map_err(|error| self.fault(&error))
    }

    /// The seal that covers the journal's rows up to this one.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn seal(&self, seq: i64) -> Result<Option<Seal>, ReadError> {
        self.one("SELECT seq, seal FROM journal_seals WHERE seq = ?1", [seq], |row| {
            Ok(Seal { seq: row.get(0)?, hash: row.get(1)? })
        })
    }
}

fn sealed<'a>(row: &'a Row<'_>) -> SqlResult<Sealed<'a>> {
    let text = |column: usize| -> SqlResult<Option<&'a str>> { Ok(row.get_ref(column)?.as_str_or_null()?) };
    Ok(Sealed {
        seq: row.get(0)?,
        at: row.get(1)?,
        kind: text(2)?.unwrap_or_default(),
        device: text(3)?,
        case: row.get(4)?,
        umbrella: row.get(5)?,
        text: text(6)?.unwrap_or_default(),
        data: text(7)?.unwrap_or_default(),
    })
}
