//! What is recorded of a case, as far as its customer may read it.

use super::reader::{ReadError, Reader};
use super::rows;
use super::seal::{self, Seal};
use crate::domain::desk::{LetterKind, Level, PromiseKind, Reference, WaitingOn};
use crate::domain::rfo::{Dossier, Event};
use crate::domain::time::Time;
use crate::domain::watch::{Interval, Reason, Verdict};
use rusqlite::{OptionalExtension as _, Result as SqlResult, params};
use serde_json::Value;
use std::time::Duration;

/// Facts of a case that its customer may know. What is not among them is never read: so no note of staff gets out (R48).
const EVENTS: &str = "SELECT at, kind, data FROM journal WHERE case_number = ?1 AND kind IN (\
     'case_opened', 'case_taken', 'case_told', 'promise_made', 'arrived', 'supplier_said', 'promise_kept', 'promise_missed', 'escalated', \
     'case_waiting', 'case_resumed', 'case_upgraded', 'case_degraded', 'case_solved', 'case_returned', 'case_closed') ORDER BY seq";

/// What everybody under an umbrella was told while the case was under it.
const UPDATES: &str = "SELECT at, kind, data FROM journal WHERE umbrella = ?1 AND kind = 'umbrella_updated' \
     AND at BETWEEN ?2 AND ?3 ORDER BY seq";

/// Letters to the customer, each when the first of his servers took it.
const LETTERS: &str = "SELECT min(l.sent_at), t.kind FROM letter_lines AS t JOIN letters AS l ON l.id = t.letter \
     WHERE t.case_number = ?1 AND l.to_customer = 1 AND l.state = 'sent' GROUP BY t.kind, t.number ORDER BY 1";

const LEDGER: &str = "SELECT * FROM ledger WHERE device = ?1 AND until > ?2 ORDER BY since";

impl Reader {
    /// What is recorded of a case, and the seal of the journal that it stands on: all of it as of one moment.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn dossier(&self, reference: Reference) -> Result<Option<(Dossier, Seal)>, ReadError> {
        let read = || {
            let _one_moment = self.db.unchecked_transaction()?;
            self.gather(reference)
        };
        read().map_err(|error| self.fault(&error))
    }

    fn gather(&self, reference: Reference) -> SqlResult<Option<(Dossier, Seal)>> {
        let sql = rows::select_cases("WHERE number = ?1");
        let case = self.db.prepare_cached(&sql)?.query_row([reference], rows::case).optional()?;
        let Some(case) = case else { return Ok(None) };
        let now: Time = self.db.query_row("SELECT watched_until FROM daemon", [], |row| row.get(0))?;
        let mut events = self.events(EVENTS, params![reference])?;
        if let Some(umbrella) = case.umbrella {
            events.extend(self.events(UPDATES, params![umbrella, case.opened_at, now])?);
        }
        events.extend(self.informed(reference)?);
        events.sort_by_key(|(at, _)| *at);
        let ledger = self.line(&case.opening.unit, Dossier::begins(&case), now)?;
        let (seal, _) = seal::last(&self.db)?;
        Ok(Some((Dossier { case, at: now, events, ledger }, seal)))
    }

    fn events(&self, sql: &str, values: impl rusqlite::Params) -> SqlResult<Vec<(Time, Event)>> {
        let mut statement = self.db.prepare_cached(sql)?;
        let rows = statement.query_map(values, |row| {
            let (at, kind, data): (Time, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(event(&kind, &data).map(|event| (at, event)))
        })?;
        rows.filter_map(Result::transpose).collect()
    }

    fn informed(&self, reference: Reference) -> SqlResult<Vec<(Time, Event)>> {
        let mut statement = self.db.prepare_cached(LETTERS)?;
        let rows = statement.query_map([reference], |row| {
            let (at, kind): (Option<Time>, LetterKind) = (row.get(0)?, row.get(1)?);
            Ok(at.map(|at| (at, Event::Informed(kind))))
        })?;
        rows.filter_map(Result::transpose).collect()
    }

    /// What a line did since `from`; the last stretch goes on.
    fn line(&self, unit: &str, from: Time, now: Time) -> SqlResult<Vec<Interval>> {
        let mut statement = self.db.prepare_cached(LEDGER)?;
        let mut ledger: Vec<Interval> =
            statement.query_map(params![unit, from], rows::interval)?.collect::<SqlResult<_>>()?;
        let present: Option<(Verdict, Reason, Time)> = self
            .db
            .prepare_cached("SELECT verdict, reason, since FROM devices WHERE id = ?1")?
            .query_row([unit], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        let present = present.filter(|(.., since)| *since < now).map(|(verdict, reason, since)| Interval {
            device: unit.to_owned(),
            from: since,
            until: now,
            verdict,
            reason,
        });
        ledger.extend(present);
        Ok(ledger)
    }
}

/// The event that a row of the journal tells of. A row that was damaged tells of none: the seals say so.
fn event(kind: &str, data: &str) -> Option<Event> {
    let data: Value = serde_json::from_str(data).ok()?;
    let word = |key: &str| data.get(key).and_then(Value::as_str);
    let seconds = |key: &str| data.get(key).and_then(Value::as_u64).map(Duration::from_secs);
    let promise = || PromiseKind::ALL.into_iter().find(|kind| Some(kind.name()) == word("promise"));
    Some(match kind {
        "case_opened" => Event::Opened,
        "case_taken" => Event::Taken,
        "case_resumed" => Event::Resumed,
        "case_told" | "umbrella_updated" => Event::Told(word("text")?.to_owned()),
        "promise_made" => Event::Promised(promise()?, seconds("within_s")?),
        "arrived" => Event::Arrived,
        "supplier_said" => Event::SupplierSaid,
        // Late is missed, and that is told already.
        "promise_kept" if data.get("late") == Some(&Value::Bool(true)) => return None,
        "promise_kept" => Event::Kept(promise()?, seconds("took_s")?),
        "promise_missed" => Event::Missed(promise()?),
        "escalated" => Event::Escalated(Level::ALL.into_iter().find(|level| Some(level.name()) == word("level"))?),
        "case_waiting" => Event::Waits(WaitingOn::ALL.into_iter().find(|on| Some(on.name()) == word("on"))?),
        "case_upgraded" => Event::Upgraded,
        "case_degraded" => Event::Degraded,
        "case_solved" => Event::Solved,
        "case_returned" => Event::Returned,
        "case_closed" => Event::Closed,
        _ => return None,
    })
}
