//! The store: one SQLite file that remembers what must survive the daemon.
//!
//! One [`Store`] writes, each [`Commit`] in one transaction: state rows, journal and letters reach the disk together or
//! not at all. Any number of [`Reader`]s in any process look at it meanwhile; neither side waits for the other.
//! Times are milliseconds of the watch's timeline; the views named `…_readable` show them as UTC to the `sqlite3` shell.

mod audit;
mod backup;
mod columns;
mod dossier;
mod load;
mod mails;
mod open;
mod reader;
mod report;
mod rfo;
mod rows;
mod schema;
mod seal;
mod survey;
mod writer;

pub use audit::{AUDIT_TOLERANCE, AUDITED, Audit, Overdue};
pub use backup::{BackupError, SKIPPED_CASES};
pub use mails::{Kept, MailRow};
pub use open::OpenError;
pub use reader::{CaseFilter, LetterRow, ReadError, Reader, TimelineEntry, UmbrellaRow};
pub use report::{Availability, CustomerRow, PromiseRow, REPEATED_WITHIN, SlaRow, Span, TierRow};
pub use rfo::IssuedRfo;
pub use seal::{Hash, Inspection, Seal, Tampered};
pub use survey::SurveyRow;
pub use writer::{CommitError, Store};

use crate::domain::desk::Topic;
use crate::domain::letter::Mail;
use crate::domain::time::{Calendar, ClockMark, Time};
use crate::domain::turn::Turn;
use crate::domain::watch::Saved;

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
    /// The case or the umbrella that it is about.
    pub topic: Option<Topic>,
    /// A sentence.
    pub text: String,
    /// The same for programs: a JSON object.
    pub data: String,
}
