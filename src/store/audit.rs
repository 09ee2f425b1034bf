//! The self-audit: what should have happened by now, from what is on the disk, against what did.
//!
//! It asks the store and not the loop: a loop that sleeps through a deadline does not say so itself.

use super::reader::{ReadError, Reader};
use super::rows;
use crate::domain::desk::{Case, PromiseKind, Reference, RfoStep};
use crate::domain::time::Time;
use rusqlite::params;
use std::time::Duration;

/// How late a deadline may be before it counts as slept through: a loss that began before it is given time to be confirmed,
/// and a commit may take a while.
pub const AUDIT_TOLERANCE: Duration = Duration::from_secs(60);
/// How far back it looks for promises that were missed and for what came of them.
pub const AUDITED: Duration = Duration::from_secs(3_600);
/// How long letters may wait for those of a customer's other lines, and then some.
const HELD: Duration = Duration::from_secs(600);

/// What an audit has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audit {
    /// The deadline that should have come about the longest time ago, and did not.
    pub overdue: Option<Overdue>,
    /// Promises that were missed and escalated nothing, within [`AUDITED`].
    pub silent: u64,
    /// Escalations that no letter tells of, within the same.
    pub unwritten: u64,
}

/// A deadline that passed in silence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overdue {
    /// Of which case.
    pub reference: Reference,
    /// What.
    pub what: &'static str,
    /// When it was due.
    pub due: Time,
}

impl Audit {
    /// What is wrong, in words, as of `now`.
    #[must_use]
    pub fn faults(&self, now: Time) -> Vec<String> {
        let overdue = self.overdue.as_ref().map(|overdue| {
            let (reference, what, late) = (overdue.reference, overdue.what, now.since(overdue.due).as_secs());
            format!("a deadline of {reference} ({what}) has not come about for {late} s")
        });
        let silent = (self.silent > 0).then(|| format!("{} missed promises escalated nothing", self.silent));
        let unwritten = (self.unwritten > 0).then(|| format!("no letter tells of {} escalations", self.unwritten));
        [overdue, silent, unwritten].into_iter().flatten().collect()
    }
}

/// A promise that was missed escalates its case in the same turn.
const SILENT: &str = "SELECT count(*) FROM journal AS m WHERE m.seq >= ?1 AND m.kind = 'promise_missed' \
     AND NOT EXISTS (SELECT 1 FROM journal AS e WHERE e.case_number = m.case_number AND e.seq > m.seq \
     AND e.kind = 'escalated' AND e.at = m.at)";

/// Whoever was written to about a case is written to about its escalation.
const UNWRITTEN: &str = "SELECT count(*) FROM journal AS e WHERE e.seq >= ?1 AND e.at < ?2 AND e.kind = 'escalated' \
     AND EXISTS (SELECT 1 FROM letter_lines AS t WHERE t.case_number = e.case_number) \
     AND NOT EXISTS (SELECT 1 FROM letter_lines AS t JOIN letters AS l ON l.id = t.letter \
     WHERE t.case_number = e.case_number AND t.kind = 'escalated' AND l.written_at >= e.at) \
     AND NOT EXISTS (SELECT 1 FROM held_lines AS h WHERE h.case_number = e.case_number)";

impl Reader {
    /// Looks whether everything has come about that should have by `now`.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn audit(&self, now: Time) -> Result<Audit, ReadError> {
        let mut oldest: Option<Overdue> = None;
        let sql = rows::select_cases("WHERE closed_at IS NULL");
        self.each(&sql, (), rows::case, |case| {
            let late = deadlines(&case).filter(|(due, _)| *due + AUDIT_TOLERANCE <= now).min();
            if let Some((due, what)) = late.filter(|(due, _)| oldest.as_ref().is_none_or(|oldest| *due < oldest.due)) {
                oldest = Some(Overdue { reference: case.opening.reference, what, due });
            }
        })?;
        let first = self.first_row(now - AUDITED)?;
        Ok(Audit {
            overdue: oldest,
            silent: self.one(SILENT, [first], |row| row.get(0))?.unwrap_or(0),
            unwritten: self.one(UNWRITTEN, params![first, now - HELD], |row| row.get(0))?.unwrap_or(0),
        })
    }
}

/// What a case waits for, as far as it comes about by itself.
fn deadlines(case: &Case) -> impl Iterator<Item = (Time, &'static str)> {
    let promise = case.promises.next_due().map(|(due, kind): (Time, PromiseKind)| (due, kind.name()));
    // One that waits for its reason for outage to be taken is not late itself.
    let waits = match case.rfo.step {
        RfoStep::Ordered { .. } | RfoStep::Issued => true,
        RfoStep::None | RfoStep::Delivered | RfoStep::Undelivered => false,
    };
    let close = case.close_due().filter(|_| !waits).map(|due| (due, "close"));
    [promise, case.solve_due().map(|due| (due, "solve")), close].into_iter().flatten()
}
