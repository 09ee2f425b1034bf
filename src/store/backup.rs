//! Backups: a copy of the store as it stands at one moment, checked before it gets its name.

use super::open::{beside, create_file, publish};
use super::reader::Reader;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Numbers that a restored store leaves out: more cases than are opened between a backup and its restoration.
pub const SKIPPED_CASES: u64 = 1_000_000;

/// Why there is no backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BackupError {
    /// There is a file of this name already.
    Exists {
        /// Which.
        path: PathBuf,
    },
    /// The disk is full.
    Full {
        /// Where the copy should go.
        path: PathBuf,
    },
    /// The store is damaged, and so would be the copy.
    Damaged {
        /// Which store.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// Anything else.
    Failed {
        /// Where the copy should go.
        path: PathBuf,
        /// The system's or the database's word for it.
        why: String,
    },
}

impl fmt::Display for BackupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exists { path } => write!(f, "{} exists already; give the backup a new name", path.display()),
            Self::Full { path } => {
                write!(f, "the disk is too full for the backup {}; make room and try again", path.display())
            }
            Self::Damaged { path, what } => {
                write!(f, "the store {} is damaged: {what}; no backup was made, keep the earlier ones", path.display())
            }
            Self::Failed { path, why } => write!(f, "the backup {} can't be written: {why}", path.display()),
        }
    }
}

impl std::error::Error for BackupError {}

impl Reader {
    /// Copies the store, as it stands at one moment, to a new file. The daemon may go on writing meanwhile.
    ///
    /// # Errors
    /// If `to` exists or can't be written, or if the copy does not pass its check. Nothing is left at `to` then.
    pub fn backup(&self, to: &Path) -> Result<(), BackupError> {
        // Takes the name, so that nobody else does; the copy replaces it when it is whole.
        create_file(to).map_err(|error| from_io(to, &error))?;
        let done = self.fill(to);
        if done.is_err() {
            // If even this fails, the error that matters is the first one.
            drop(fs::remove_file(to));
        }
        done
    }

    fn fill(&self, to: &Path) -> Result<(), BackupError> {
        let part = beside(to, ".part");
        create_file(&part).map_err(|error| from_io(&part, &error))?;
        let done = self.copy(&part, to).and_then(|()| publish(&part, to).map_err(|error| from_io(to, &error)));
        if done.is_err() {
            drop(fs::remove_file(&part));
        }
        done
    }

    fn copy(&self, part: &Path, to: &Path) -> Result<(), BackupError> {
        let fail = |error: rusqlite::Error| self.refusal(to, &error);
        let mut copy =
            Connection::open_with_flags(part, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)
                .map_err(fail)?;
        // All in one step: one moment of the store, however much is written meanwhile.
        let step = Backup::new(&self.db, &mut copy).and_then(|backup| backup.step(-1)).map_err(fail)?;
        if step != StepResult::Done {
            return Err(BackupError::Failed { path: to.into(), why: String::from("the store is locked") });
        }
        // A plain file, which needs no other file beside it.
        copy.pragma_update(None, "journal_mode", "delete").map_err(fail)?;
        // Cases that are opened after this moment are not in the copy, but people know their references.
        copy.execute("UPDATE daemon SET next_case = next_case + ?1", [SKIPPED_CASES]).map_err(fail)?;
        let verdict: String = copy.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(fail)?;
        if verdict != "ok" {
            return Err(BackupError::Damaged { path: self.path.clone(), what: verdict });
        }
        copy.close().map_err(|(_, error)| fail(error))
    }

    fn refusal(&self, to: &Path, error: &rusqlite::Error) -> BackupError {
        let code = error.sqlite_error_code();
        if code == Some(ErrorCode::DiskFull) {
            BackupError::Full { path: to.into() }
        } else if code == Some(ErrorCode::DatabaseCorrupt) {
            BackupError::Damaged { path: self.path.clone(), what: error.to_string() }
        } else {
            BackupError::Failed { path: to.into(), why: error.to_string() }
        }
    }
}

fn from_io(to: &Path, error: &io::Error) -> BackupError {
    if error.kind() == io::ErrorKind::AlreadyExists {
        BackupError::Exists { path: to.into() }
    } else if error.kind() == io::ErrorKind::StorageFull {
        BackupError::Full { path: to.into() }
    } else {
        BackupError::Failed { path: to.into(), why: error.to_string() }
    }
}
