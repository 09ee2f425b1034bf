//! The store: one SQLite file that remembers what must survive the daemon.
//!
//! One [`Store`] writes, each [`Commit`] in one transaction: state rows, journal and letters reach the disk together or
//! not at all. Any number of [`Reader`]s in any process look at it meanwhile; neither side waits for the other.
//! Times are milliseconds of the watch's timeline; the views named `…_readable` show them as UTC to the `sqlite3` shell.

use crate::domain::desk::{Case, LetterKind, Reference};
use crate::domain::letter::{LetterId, LetterState, Mail};
use crate::domain::time::{Calendar, Time};
use crate::domain::turn::Turn;
use crate::domain::watch::{Interval, Saved};
use std::fmt;
use std::path::{Path, PathBuf};

/// The one writer. While it lives, no other daemon can open the same store.
#[derive(Debug)]
pub struct Store {
    _path: PathBuf,
}

/// What the store remembers at start-up.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// For the watch.
    pub saved: Saved,
    /// What wall clocks showed.
    pub calendar: Calendar,
    /// Where the clocks stood at the last commit; `None` in a new store.
    pub mark: Option<ClockMark>,
}

/// Where the clocks stood at a commit: what carries the timeline over a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockMark {
    /// On the timeline.
    pub at: Time,
    /// Which boot of the machine it was.
    pub boot_id: String,
    /// On the boot clock, in milliseconds.
    pub boot_ms: i64,
    /// On the wall clock, in milliseconds since the Unix epoch.
    pub unix_ms: i64,
}

/// What goes to the disk as a whole.
#[derive(Clone, Copy, Debug)]
pub struct Commit<'a> {
    /// What the watch brought about.
    pub turn: &'a Turn,
    /// The turn's letters in their final words: one for each, in the same order.
    pub mails: &'a [Mail],
    /// For the journal.
    pub entries: &'a [Entry],
    /// Where the clocks stand.
    pub mark: &'a ClockMark,
    /// A step of the wall clock: since when, and wall clock minus timeline in milliseconds from then on.
    pub calendar_step: Option<(Time, i64)>,
}

/// A fact as the journal keeps it for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What sort of thing happened, such as `case_opened`.
    pub kind: &'static str,
    /// The device that it is about.
    pub device: Option<String>,
    /// The case that it is about.
    pub case: Option<Reference>,
    /// A sentence.
    pub text: String,
    /// The same for programs: a JSON object.
    pub data: String,
}

impl Store {
    /// Opens the store at `path`, or creates it; brings its schema up to date, checks it, and loads what it remembers.
    ///
    /// # Errors
    /// Says why this file can't be used as a store, and what to do.
    pub fn open(path: &Path) -> Result<(Self, Loaded), OpenError> {
        Err(OpenError::Unusable { path: path.into(), why: String::from("not built yet") })
    }

    /// Writes a commit to the disk: all of it, or nothing. After an error the same commit may be tried again.
    ///
    /// # Errors
    /// Says what the disk or the database objects to.
    pub fn commit(&mut self, _commit: &Commit<'_>) -> Result<(), CommitError> {
        Err(CommitError::Failed { path: self._path.clone(), why: String::from("not built yet") })
    }
}

/// A look at the store from any thread or process. Never makes the writer wait.
#[derive(Debug)]
pub struct Reader {
    _path: PathBuf,
}

/// Which cases are wanted.
#[derive(Clone, Debug)]
pub struct CaseFilter {
    /// Leave out closed ones.
    pub open_only: bool,
    /// Only those of this unit.
    pub unit: Option<String>,
    /// Only those with a lower case number: the next page.
    pub below: Option<u64>,
    /// At most so many.
    pub limit: usize,
}

/// An entry of a case's timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimelineEntry {
    /// When it happened.
    pub at: Time,
    /// What sort of thing happened, such as `case_opened`.
    pub kind: String,
    /// A sentence.
    pub text: String,
    /// The same for programs: a JSON object.
    pub data: String,
}

/// A letter as the store lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetterRow {
    /// Its number.
    pub id: LetterId,
    /// What it says.
    pub kind: LetterKind,
    /// The how-manieth of its kind on its case.
    pub number: u32,
    /// The reader's mail address.
    pub to: String,
    /// Its subject line.
    pub subject: String,
    /// Where it stands.
    pub state: LetterState,
    /// Attempts to deliver it so far.
    pub attempts: u32,
    /// What the mail server objected to last.
    pub error: Option<String>,
    /// When it was written.
    pub written_at: Time,
    /// When the mail server took it.
    pub sent_at: Option<Time>,
}

impl Reader {
    /// Opens an existing store for reading.
    ///
    /// # Errors
    /// Says why this file can't be read as a store, and what to do.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Err(OpenError::Unusable { path: path.into(), why: String::from("not built yet") })
    }

    /// The cases that pass the filter, newest first.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn cases(&self, _filter: &CaseFilter) -> Result<Vec<Case>, ReadError> {
        Ok(Vec::new())
    }

    /// A case, open or closed.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn case(&self, _reference: Reference) -> Result<Option<Case>, ReadError> {
        Ok(None)
    }

    /// The latest `limit` journal entries about a case, oldest first.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn timeline(&self, _reference: Reference, _limit: usize) -> Result<Vec<TimelineEntry>, ReadError> {
        Ok(Vec::new())
    }

    /// The latest `limit` closed stretches of a device's ledger, newest first.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn ledger(&self, _device: &str, _limit: usize) -> Result<Vec<Interval>, ReadError> {
        Ok(Vec::new())
    }

    /// All letters of a case, in the order of writing.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn letters(&self, _reference: Reference) -> Result<Vec<LetterRow>, ReadError> {
        Ok(Vec::new())
    }

    /// A letter in its final words, for the mail engine.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn mail(&self, _id: LetterId) -> Result<Option<Mail>, ReadError> {
        Ok(None)
    }

    /// What wall clocks showed.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn calendar(&self) -> Result<Calendar, ReadError> {
        Ok(Calendar::default())
    }

    /// Copies the store, as it stands at one moment, to a new file. The daemon may go on writing meanwhile.
    ///
    /// # Errors
    /// If `to` exists, can't be written, or the copy does not pass its check. Nothing is left at `to` then.
    pub fn backup(&self, to: &Path) -> Result<(), BackupError> {
        Err(BackupError::Failed { path: to.into(), why: String::from("not built yet") })
    }
}

/// Why a store can't be opened: what, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// The file, its lock or its directory can't be read or written.
    Unusable {
        /// Which file.
        path: PathBuf,
        /// The system's word for it.
        why: String,
    },
    /// The file is something else than a store of ours.
    Foreign {
        /// Which file.
        path: PathBuf,
    },
    /// The file was a store, and is damaged.
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A later version of this program wrote it.
    Newer {
        /// Which file.
        path: PathBuf,
        /// The version of its schema.
        found: i32,
        /// The latest one that this program knows.
        known: i32,
    },
    /// Another daemon has it open.
    InUse {
        /// Which file.
        path: PathBuf,
    },
}

/// Why a commit did not reach the disk. None of it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommitError {
    /// The disk is full. A later attempt succeeds when there is room.
    Full {
        /// Which store.
        path: PathBuf,
    },
    /// Anything else.
    Failed {
        /// Which store.
        path: PathBuf,
        /// What the database says.
        why: String,
    },
}

/// Why the store can't be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    path: PathBuf,
    why: String,
}

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

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unusable { path, why } => write!(f, "cannot use {} as the store: {why}", path.display()),
            Self::Foreign { path } => write!(f, "{} is not a store of ntuwatch", path.display()),
            Self::Damaged { path, what } => write!(f, "the store {} is damaged: {what}", path.display()),
            Self::Newer { path, found, known } => {
                write!(f, "the store {} has schema {found}, this ntuwatch knows up to {known}", path.display())
            }
            Self::InUse { path } => write!(f, "the store {} is in use by another ntuwatch", path.display()),
        }
    }
}

impl fmt::Display for CommitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full { path } => write!(f, "no room left on the disk of the store {}", path.display()),
            Self::Failed { path, why } => write!(f, "the store {} refuses a commit: {why}", path.display()),
        }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot read the store {}: {}", self.path.display(), self.why)
    }
}

impl fmt::Display for BackupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exists { path } => write!(f, "{} exists already: give the backup a new name", path.display()),
            Self::Full { path } => write!(f, "no room left for the backup {}", path.display()),
            Self::Damaged { what } => write!(f, "the store is damaged, no backup was made: {what}"),
            Self::Failed { path, why } => write!(f, "cannot write the backup {}: {why}", path.display()),
        }
    }
}

impl std::error::Error for OpenError {}
impl std::error::Error for CommitError {}
impl std::error::Error for ReadError {}
impl std::error::Error for BackupError {}
