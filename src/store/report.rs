//! Reports: what was promised and kept over a time, from cases, journal and ledger.

use super::columns::Millis;
use super::reader::{ReadError, Reader};
use crate::domain::desk::{Level, PromiseKind};
use crate::domain::time::Time;
use rusqlite::{Result as SqlResult, Row, params};
use std::time::Duration;

/// A case has a repeated fault if its unit had another case so short a time before (R107).
pub const REPEATED_WITHIN: Duration = Duration::from_secs(30 * 24 * 3_600);

/// The time that a report is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its first moment.
    pub from: Time,
    /// The first moment after it; not after the last commit.
    pub until: Time,
}

/// How repairs of a service in a region stand against their orders (R34).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SlaRow {
    /// The service.
    pub service: String,
    /// The region.
    pub region: String,
    /// Cases that were solved within the time, or are at work in the end.
    pub cases: u64,
    /// Solved within the time of their order.
    pub kept: u64,
    /// Solved too late, or at work still though their time is up.
    pub missed: u64,
    /// What the repairs of those that were solved took in all.
    pub took: Duration,
    /// How many of them were solved.
    pub solved: u64,
    /// Late ones that are not held against us: no letter reached their customer while they were at work (R16).
    pub excused: u64,
}

/// Promises of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromiseRow {
    /// What was promised.
    pub kind: PromiseKind,
    /// How often it was kept.
    pub kept: u64,
    /// How often it was missed.
    pub missed: u64,
}

/// How far cases that were solved within the time had been escalated (R105).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TierRow {
    /// The level; `None`: nobody had escalated them yet.
    pub level: Option<Level>,
    /// Cases that were at work there.
    pub cases: u64,
    /// Those of them that were solved there.
    pub solved: u64,
    /// How often a case was escalated to it.
    pub escalations: u64,
    /// How long they were at work there in all.
    pub at_work: Duration,
}

/// What a customer met with who may never have said a word (R107).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustomerRow {
    /// Who.
    pub customer: String,
    /// Cases that were opened; a request is no fault.
    pub cases: u64,
    /// Those of them whose unit had had another one within [`REPEATED_WITHIN`].
    pub repeated: u64,
    /// How often a solved case came back to work.
    pub returned: u64,
    /// Promises that were kept.
    pub kept: u64,
    /// Promises that were missed.
    pub missed: u64,
}

/// How available a unit was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Availability {
    /// UP and DEGRADED.
    pub up: Duration,
    /// LOSS, but for planned maintenance.
    pub lost: Duration,
    /// LOSS under a planned maintenance: no part of the share.
    pub planned: Duration,
    /// Nobody looked, or our own side was broken: nobody knows.
    pub unseen: Duration,
}

impl Availability {
    /// Takes another one in.
    pub fn add(&mut self, other: &Self) {
        self.up += other.up;
        self.lost += other.lost;
        self.planned += other.planned;
        self.unseen += other.unseen;
    }

    /// The share of the time that was seen, in per cent, if any was.
    #[must_use]
    pub fn percent(&self) -> Option<f64> {
        let seen = self.up + self.lost;
        (!seen.is_zero()).then(|| 100.0 * self.up.as_secs_f64() / seen.as_secs_f64())
    }
}

/// One row for each case: whether it was solved, its service and region, the time of its order, and what its repair took:
/// while it was at work, but for waits on what is not in our hands, and for LOSS under a planned maintenance. The time is
/// the first of what is agreed by now, if that has changed.
const REPAIRS: &str = "WITH wanted AS (SELECT number, unit, customer, service, region, repair_pledged, \
     coalesce(CAST(substr(agreed, 1, instr(agreed, ' ') - 1) AS INTEGER), ttr_ms) AS ttr_ms, stage IN ('Solved', 'Closed') AS solved, \
     EXISTS (SELECT 1 FROM out_of_reach AS o WHERE o.customer = cases.customer AND o.since < coalesce(solved_at, ?2) \
     AND coalesce(o.until, ?2) > opened_at) AS excused \
     FROM cases WHERE solved_at >= ?1 AND solved_at < ?2 OR closed_at IS NULL AND fault = 'line' AND stage IN ('New', 'Working', 'Waiting')), \
     moves AS (SELECT case_number, at, kind, json_extract(data, '$.on') AS waits, \
     lead(at, 1, ?2) OVER (PARTITION BY case_number ORDER BY seq) AS until FROM journal \
     WHERE case_number IN (SELECT number FROM wanted) AND kind IN \
     ('case_opened', 'case_taken', 'case_resumed', 'case_waiting', 'case_solved', 'case_returned', 'case_closed')), \
     counted AS (SELECT case_number, at, until FROM moves WHERE \
     kind IN ('case_opened', 'case_taken', 'case_resumed', 'case_returned') \
     OR kind = 'case_waiting' AND waits = 'supplier'), \
     repairs AS (SELECT w.*, coalesce((SELECT sum(c.until - c.at - coalesce((SELECT sum(min(l.until, c.until) - \
     max(l.since, c.at)) FROM ledger AS l WHERE l.device = w.unit AND l.verdict = 'LOSS' AND l.reason = 'maintenance' \
     AND l.until > c.at AND l.since < c.until), 0)) FROM counted AS c WHERE c.case_number = w.number), 0) AS took \
     FROM wanted AS w)";

const SLA: &str = "SELECT service, region, count(*), coalesce(sum(solved AND took <= ttr_ms), 0), \
     coalesce(sum(took > ttr_ms AND NOT excused), 0), coalesce(sum(CASE WHEN solved THEN took END), 0), sum(solved), \
     coalesce(sum(took > ttr_ms AND excused), 0) FROM repairs GROUP BY service, region ORDER BY 1, 2";

/// Of the repairs that were promised.
const PROMISED_REPAIRS: &str = "SELECT customer, coalesce(sum(solved AND took <= ttr_ms), 0), \
     coalesce(sum(took > ttr_ms), 0) FROM repairs WHERE repair_pledged GROUP BY customer";

/// Repairs are counted apart: one that was in time may come back, and be late in the end. What was done late is missed.
const PROMISES: &str = "SELECT json_extract(data, '$.promise'), \
     sum(kind = 'promise_kept' AND NOT coalesce(json_extract(data, '$.late'), 0)), sum(kind = 'promise_missed') \
     FROM journal WHERE seq >= ?1 AND at < ?2 AND kind IN ('promise_kept', 'promise_missed') \
     AND json_extract(data, '$.promise') <> 'repair' GROUP BY 1";

/// Levels only rise. A case is at a level from the fact that brought it there on, while it is at work.
const TIERS: &str = "WITH wanted AS (SELECT number FROM cases WHERE solved_at >= ?1 AND solved_at < ?2), \
     moves AS (SELECT case_number, kind, at, \
     max(json_extract(data, '$.level')) OVER (PARTITION BY case_number ORDER BY seq) AS level, \
     lead(at, 1, at) OVER (PARTITION BY case_number ORDER BY seq) AS until, \
     lead(kind) OVER (PARTITION BY case_number ORDER BY seq) AS next FROM journal \
     WHERE case_number IN (SELECT number FROM wanted) AND kind IN \
     ('case_opened', 'escalated', 'case_solved', 'case_returned', 'case_closed')) \
     SELECT level, count(DISTINCT case_number), \
     count(DISTINCT CASE WHEN next = 'case_solved' THEN case_number END), sum(kind = 'escalated'), sum(until - at) FROM moves \
     WHERE kind IN ('case_opened', 'escalated', 'case_returned') GROUP BY level ORDER BY level";

const CUSTOMERS: &str = "WITH facts AS (SELECT case_number, kind FROM journal WHERE seq >= ?3 AND at < ?2 AND kind IN \
     ('promise_kept', 'promise_missed', 'case_returned') AND NOT coalesce(json_extract(data, '$.late'), 0) \
     AND coalesce(json_extract(data, '$.promise'), '') <> 'repair'), \
     told AS (SELECT c.customer, 0 AS opened, 0 AS repeated, f.kind = 'case_returned' AS returned, \
     f.kind = 'promise_kept' AS kept, f.kind = 'promise_missed' AS missed \
     FROM facts AS f JOIN cases AS c ON c.number = f.case_number \
     UNION ALL SELECT c.customer, 1, EXISTS (SELECT 1 FROM cases AS p WHERE p.unit = c.unit AND p.number < c.number \
     AND p.opened_at >= c.opened_at - ?4 AND p.fault = 'line'), 0, 0, 0 FROM cases AS c \
     WHERE c.opened_at >= ?1 AND c.opened_at < ?2 AND c.fault = 'line') \
     SELECT customer, sum(opened), sum(repeated), sum(returned), sum(kept), sum(missed) FROM told \
     GROUP BY customer ORDER BY 1";

/// The stretches that are over, and the one that each device is in.
const AVAILABILITY: &str = "WITH stretches AS (SELECT device, verdict, reason, max(since, ?1) AS a, min(until, ?2) AS b \
     FROM ledger WHERE until > ?1 AND since < ?2 UNION ALL \
     SELECT id, verdict, reason, max(since, ?1), ?2 FROM devices WHERE since < ?2) \
     SELECT device, sum(CASE WHEN verdict IN ('UP', 'DEGRADED') THEN b - a ELSE 0 END), \
     sum(CASE WHEN verdict = 'LOSS' AND reason <> 'maintenance' THEN b - a ELSE 0 END), \
     sum(CASE WHEN verdict = 'LOSS' AND reason = 'maintenance' THEN b - a ELSE 0 END), \
     sum(CASE WHEN verdict IN ('INCONCLUSIVE', 'UNOBSERVED') THEN b - a ELSE 0 END) FROM stretches WHERE b > a GROUP BY device";

impl Reader {
    /// From `from` until the last commit.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn span(&self, from: Time) -> Result<Span, ReadError> {
        let until = self.one("SELECT watched_until FROM daemon", (), |row| row.get(0))?.unwrap_or(from);
        Ok(Span { from, until: until.max(from) })
    }

    /// Repairs against their orders, by service and region.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn report_sla(&self, span: Span) -> Result<Vec<SlaRow>, ReadError> {
        self.all(&format!("{REPAIRS} {SLA}"), params![span.from, span.until], |row| {
            Ok(SlaRow {
                service: row.get(0)?,
                region: row.get(1)?,
                cases: row.get(2)?,
                kept: row.get(3)?,
                missed: row.get(4)?,
                took: millis(row, 5)?,
                solved: row.get(6)?,
                excused: row.get(7)?,
            })
        })
    }

    /// Promises kept and missed, by kind.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn report_promises(&self, span: Span) -> Result<Vec<PromiseRow>, ReadError> {
        let found: Vec<(String, u64, u64)> =
            self.all(PROMISES, params![self.first_row(span.from)?, span.until], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?;
        let mut rows = PromiseKind::ALL.map(|kind| PromiseRow { kind, kept: 0, missed: 0 });
        let told = found.iter().map(|(name, kept, missed)| (name.as_str(), kept, missed));
        let repairs = self.promised_repairs(span)?;
        let repairs = repairs.iter().map(|(_, kept, missed)| (PromiseKind::Repair.name(), kept, missed));
        for (name, kept, missed) in told.chain(repairs) {
            if let Some(row) = rows.iter_mut().find(|row| row.kind.name() == name) {
                (row.kept, row.missed) = (row.kept + kept, row.missed + missed);
            }
        }
        Ok(rows.into())
    }

    /// Repairs that were promised: customer, kept, missed.
    fn promised_repairs(&self, span: Span) -> Result<Vec<(String, u64, u64)>, ReadError> {
        self.all(&format!("{REPAIRS} {PROMISED_REPAIRS}"), params![span.from, span.until], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
    }

    /// Cases that were solved, by the level that they were at.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn report_tiers(&self, span: Span) -> Result<Vec<TierRow>, ReadError> {
        self.all(TIERS, params![span.from, span.until], |row| {
            Ok(TierRow {
                level: row.get(0)?,
                cases: row.get(1)?,
                solved: row.get(2)?,
                escalations: row.get(3)?,
                at_work: millis(row, 4)?,
            })
        })
    }

    /// How many cases were solved within the time, and not taken back since.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn report_solved(&self, span: Span) -> Result<u64, ReadError> {
        let solved = "SELECT count(*) FROM cases WHERE solved_at >= ?1 AND solved_at < ?2";
        Ok(self.one(solved, params![span.from, span.until], |row| row.get(0))?.unwrap_or(0))
    }

    /// What each customer met with.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn report_customers(&self, span: Span) -> Result<Vec<CustomerRow>, ReadError> {
        let values = params![span.from, span.until, self.first_row(span.from)?, Millis(REPEATED_WITHIN)];
        let mut rows = self.all(CUSTOMERS, values, |row| {
            Ok(CustomerRow {
                customer: row.get(0)?,
                cases: row.get(1)?,
                repeated: row.get(2)?,
                returned: row.get(3)?,
                kept: row.get(4)?,
                missed: row.get(5)?,
            })
        })?;
        for (customer, kept, missed) in self.promised_repairs(span)? {
            match rows.binary_search_by(|row| row.customer.cmp(&customer)) {
                Ok(at) => (rows[at].kept, rows[at].missed) = (rows[at].kept + kept, rows[at].missed + missed),
                Err(at) => rows.insert(at, CustomerRow { customer, kept, missed, ..CustomerRow::default() }),
            }
        }
        Ok(rows)
    }

    /// How available each device was. One at a time: there may be a million.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn availability(&self, span: Span, mut each: impl FnMut(&str, Availability)) -> Result<(), ReadError> {
        self.each(AVAILABILITY, params![span.from, span.until], available, |(device, availability)| {
            each(&device, availability);
        })
    }

    /// The first row of the journal that is not older than `from`. Times never fall from row to row, so it is found by
    /// halves, and a report over a week reads the rows of that week.
    pub(super) fn first_row(&self, from: Time) -> Result<i64, ReadError> {
        let ends = "SELECT coalesce(min(seq), 1), coalesce(max(seq), 0) + 1 FROM journal";
        let (mut low, mut high): (i64, i64) =
            self.one(ends, (), |row| Ok((row.get(0)?, row.get(1)?)))?.unwrap_or((1, 1));
        while low < high {
            let middle = low + (high - low) / 2;
            let at = "SELECT at FROM journal WHERE seq >= ?1 ORDER BY seq LIMIT 1";
            let is_late = self.one(at, [middle], |row| row.get::<_, Time>(0))?.is_none_or(|at| at >= from);
            if is_late {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Ok(low)
    }
}

fn millis(row: &Row<'_>, column: usize) -> SqlResult<Duration> {
    Ok(row.get::<_, Millis>(column)?.0)
}

fn available(row: &Row<'_>) -> SqlResult<(String, Availability)> {
    let availability =
        Availability { up: millis(row, 1)?, lost: millis(row, 2)?, planned: millis(row, 3)?, unseen: millis(row, 4)? };
    Ok((row.get(0)?, availability))
}
