//! Rows of the store as domain values, and the other way round.

use super::columns::Millis;
use super::reader::LetterRow;
use crate::domain::desk::{Actor, Case, LetterMark, Line, Opening, Outage, Stage, WaitingOn, Window};
use crate::domain::letter::{Letter, LetterLabel, Mail, SavedLetter};
use crate::domain::time::{Tally, Time};
use crate::domain::turn::DeviceRow;
use crate::domain::watch::{Circuit, Evidence, Interval, Reason, Trouble, Verdict};
use rusqlite::types::{FromSqlError, Type};
use rusqlite::{CachedStatement, Error, Result, Row, named_params, params};
use std::net::IpAddr;

/// What a withdrawn unit has in place of a verdict.
const WITHDRAWN: &str = "WITHDRAWN";

/// Takes every column of [`put_device`].
pub(super) const PUT_DEVICE: &str = "INSERT INTO devices VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) \
     ON CONFLICT (id) DO UPDATE SET \
     verdict = ?2, reason = ?3, since = ?4, last_contact = ?5, first_loss = ?6, detected = ?7, loss_ms = ?8, \
     loss_running_since = ?9, fault_at_ms = ?10, address = ?11";

pub(super) fn put_device(statement: &mut CachedStatement<'_>, device: &DeviceRow) -> Result<()> {
    let evidence = &device.evidence;
    let trouble = evidence.trouble();
    statement.execute(params![
        device.id,
        evidence.verdict(),
        evidence.reason(),
        evidence.since(),
        evidence.last_contact(),
        trouble.map(|trouble| trouble.first_loss),
        trouble.map(|trouble| trouble.detected),
        trouble.map(|trouble| Millis(trouble.loss.banked())),
        trouble.and_then(|trouble| trouble.loss.running_since()),
        trouble.and_then(|trouble| trouble.fault_at).map(Millis),
        device.address.map(|address| address.to_string()),
    ])?;
    Ok(())
}

/// By position: there may be a million of these at start-up.
pub(super) fn device(row: &Row<'_>) -> Result<DeviceRow> {
    let trouble = match row.get::<_, Option<Time>>(5)? {
        None => None,
        Some(first_loss) => Some(Trouble {
            first_loss,
            detected: row.get(6)?,
            loss: Tally::new(row.get::<_, Millis>(7)?.0, row.get(8)?),
            fault_at: row.get::<_, Option<Millis>>(9)?.map(|millis| millis.0),
        }),
    };
    let verdict: (Verdict, Reason) = (row.get(1)?, row.get(2)?);
    let address: Option<String> = row.get(10)?;
    let address = address.map(|text| text.parse::<IpAddr>().map_err(|_| misfit(&text, "address"))).transpose()?;
    Ok(DeviceRow { id: row.get(0)?, evidence: Evidence::restored(verdict, row.get(3)?, row.get(4)?, trouble), address })
}

pub(super) fn interval(row: &Row<'_>) -> Result<Interval> {
    Ok(Interval {
        device: row.get("device")?,
        from: row.get("since")?,
        until: row.get("until")?,
        verdict: row.get("verdict")?,
        reason: row.get("reason")?,
    })
}

/// The opening of a case never changes, so an update leaves its columns alone.
pub(super) const PUT_CASE: &str = "INSERT INTO cases (\
     number, reference, unit, priority, stage, stage_since, waiting_on, solved_by, solved_at, \
     window_ms, window_observed_ms, window_running_since, owner, line, line_reason, line_since, fault_seen, \
     confirmed_last_contact, confirmed_first_loss, confirmed_detected, \
     back_ms, back_running_since, recovered_at, downtime_ms, downtime_running_since, solved, returned, \
     last_letter_kind, last_letter_number, opened_at, opened_by, opening_priority, \
     customer, service_order, service, region, ttr_ms, supplier, queue, note, \
     last_contact, first_loss, detected, opening_loss_ms, opening_loss_running_since, \
     opening_line, opening_line_reason, opening_line_since, solve_after_ms, previous) \
     VALUES (:number, :reference, :unit, :priority, :stage, :stage_since, :waiting_on, :solved_by, :solved_at, \
     :window_ms, :window_observed_ms, :window_running_since, :owner, :line, :line_reason, :line_since, :fault_seen, \
     :confirmed_last_contact, :confirmed_first_loss, :confirmed_detected, \
     :back_ms, :back_running_since, :recovered_at, :downtime_ms, :downtime_running_since, :solved, :returned, \
     :last_letter_kind, :last_letter_number, :opened_at, :opened_by, :opening_priority, \
     :customer, :service_order, :service, :region, :ttr_ms, :supplier, :queue, :note, \
     :last_contact, :first_loss, :detected, :opening_loss_ms, :opening_loss_running_since, \
     :opening_line, :opening_line_reason, :opening_line_since, :solve_after_ms, :previous) \
     ON CONFLICT (number) DO UPDATE SET \
     priority = :priority, stage = :stage, stage_since = :stage_since, waiting_on = :waiting_on, \
     solved_by = :solved_by, solved_at = :solved_at, window_ms = :window_ms, window_observed_ms = :window_observed_ms, \
     window_running_since = :window_running_since, owner = :owner, line = :line, line_reason = :line_reason, \
     line_since = :line_since, fault_seen = :fault_seen, \
     confirmed_last_contact = :confirmed_last_contact, confirmed_first_loss = :confirmed_first_loss, \
     confirmed_detected = :confirmed_detected, back_ms = :back_ms, back_running_since = :back_running_since, \
     recovered_at = :recovered_at, downtime_ms = :downtime_ms, downtime_running_since = :downtime_running_since, \
     solved = :solved, returned = :returned, last_letter_kind = :last_letter_kind, \
     last_letter_number = :last_letter_number";

pub(super) fn put_case(statement: &mut CachedStatement<'_>, case: &Case) -> Result<()> {
    let opening = &case.opening;
    let stage = StageColumns::from(&case.stage);
    let (line, line_reason) = line_columns(case.line);
    let (opening_line, opening_line_reason) = line_columns(opening.line.0);
    statement.execute(named_params! {
        ":number": opening.reference,
        ":reference": opening.reference.to_string(),
        ":unit": opening.unit,
        ":priority": case.priority,
        ":stage": case.stage.name(),
        ":stage_since": stage.since,
        ":waiting_on": stage.on,
        ":solved_by": stage.by,
        ":solved_at": case.window().map(|(solved_at, _)| solved_at),
        ":window_ms": stage.window.map(|window| Millis(window.length)),
        ":window_observed_ms": stage.window.map(|window| Millis(window.observed.banked())),
        ":window_running_since": stage.window.and_then(|window| window.observed.running_since()),
        ":owner": case.owner,
        ":line": line,
        ":line_reason": line_reason,
        ":line_since": case.line_since,
        ":fault_seen": case.fault_seen,
        ":confirmed_last_contact": case.confirmed.and_then(|outage| outage.last_contact),
        ":confirmed_first_loss": case.confirmed.map(|outage| outage.first_loss),
        ":confirmed_detected": case.confirmed.map(|outage| outage.detected),
        ":back_ms": case.back.map(|back| Millis(back.banked())),
        ":back_running_since": case.back.and_then(|back| back.running_since()),
        ":recovered_at": case.recovered_at,
        ":downtime_ms": Millis(case.downtime.banked()),
        ":downtime_running_since": case.downtime.running_since(),
        ":solved": case.solved,
        ":returned": case.returned,
        ":last_letter_kind": case.last_letter.map(|mark| mark.kind),
        ":last_letter_number": case.last_letter.map(|mark| mark.number),
        ":opened_at": case.opened_at,
        ":opened_by": opening.origin,
        ":opening_priority": opening.priority,
        ":customer": opening.circuit.customer,
        ":service_order": opening.circuit.order,
        ":service": opening.circuit.service,
        ":region": opening.circuit.region,
        ":ttr_ms": Millis(opening.circuit.ttr),
        ":supplier": opening.circuit.supplier,
        ":queue": opening.queue,
        ":note": opening.note,
        ":last_contact": opening.last_contact,
        ":first_loss": opening.first_loss,
        ":detected": opening.detected,
        ":opening_loss_ms": Millis(opening.loss.banked()),
        ":opening_loss_running_since": opening.loss.running_since(),
        ":opening_line": opening_line,
        ":opening_line_reason": opening_line_reason,
        ":opening_line_since": opening.line.1,
        ":solve_after_ms": Millis(opening.solve_after),
        ":previous": opening.previous,
    })?;
    Ok(())
}

pub(super) fn case(row: &Row<'_>) -> Result<Case> {
    Ok(Case {
        opening: opening(row)?,
        opened_at: row.get("opened_at")?,
        priority: row.get("priority")?,
        stage: stage(row)?,
        owner: row.get("owner")?,
        line: line(row, "line", "line_reason")?,
        line_since: row.get("line_since")?,
        fault_seen: row.get("fault_seen")?,
        confirmed: confirmed(row)?,
        back: optional_tally(row, "back_ms", "back_running_since")?,
        recovered_at: row.get("recovered_at")?,
        downtime: tally(row, "downtime_ms", "downtime_running_since")?,
        solved: row.get("solved")?,
        returned: row.get("returned")?,
        last_letter: last_letter(row)?,
    })
}

fn opening(row: &Row<'_>) -> Result<Opening> {
    Ok(Opening {
        reference: row.get("number")?,
        origin: row.get("opened_by")?,
        priority: row.get("opening_priority")?,
        unit: row.get("unit")?,
        circuit: Circuit {
            customer: row.get("customer")?,
            order: row.get("service_order")?,
            service: row.get("service")?,
            region: row.get("region")?,
            ttr: row.get::<_, Millis>("ttr_ms")?.0,
            supplier: row.get("supplier")?,
        },
        queue: row.get("queue")?,
        note: row.get("note")?,
        last_contact: row.get("last_contact")?,
        first_loss: row.get("first_loss")?,
        detected: row.get("detected")?,
        loss: tally(row, "opening_loss_ms", "opening_loss_running_since")?,
        line: (line(row, "opening_line", "opening_line_reason")?, row.get("opening_line_since")?),
        solve_after: row.get::<_, Millis>("solve_after_ms")?.0,
        previous: row.get("previous")?,
    })
}

/// The data of a stage; what the stage does not have is NULL.
#[derive(Default)]
struct StageColumns<'a> {
    since: Option<Time>,
    on: Option<WaitingOn>,
    by: Option<&'a Actor>,
    window: Option<Window>,
}

impl<'a> From<&'a Stage> for StageColumns<'a> {
    fn from(stage: &'a Stage) -> Self {
        match stage {
            Stage::New => Self::default(),
            Stage::Working { since } => Self { since: Some(*since), ..Self::default() },
            Stage::Waiting { since, on } => Self { since: Some(*since), on: Some(*on), ..Self::default() },
            Stage::Solved { since, by, window } => {
                Self { since: Some(*since), by: Some(by), window: Some(*window), on: None }
            }
            Stage::Closed { since, window, .. } => {
                Self { since: Some(*since), window: Some(*window), ..Self::default() }
            }
        }
    }
}

fn stage(row: &Row<'_>) -> Result<Stage> {
    let name: String = row.get("stage")?;
    match name.as_str() {
        "New" => Ok(Stage::New),
        "Working" => Ok(Stage::Working { since: row.get("stage_since")? }),
        "Waiting" => Ok(Stage::Waiting { since: row.get("stage_since")?, on: row.get("waiting_on")? }),
        "Solved" => {
            Ok(Stage::Solved { since: row.get("stage_since")?, by: row.get("solved_by")?, window: window(row)? })
        }
        "Closed" => {
            Ok(Stage::Closed { since: row.get("stage_since")?, solved_at: row.get("solved_at")?, window: window(row)? })
        }
        other => Err(misfit(other, "stage")),
    }
}

fn window(row: &Row<'_>) -> Result<Window> {
    let observed = tally(row, "window_observed_ms", "window_running_since")?;
    Ok(Window { length: row.get::<_, Millis>("window_ms")?.0, observed })
}

const fn line_columns(line: Line) -> (&'static str, Option<Reason>) {
    match line {
        Line::Watched(verdict, reason) => (verdict.name(), Some(reason)),
        Line::Withdrawn => (WITHDRAWN, None),
    }
}

fn line(row: &Row<'_>, verdict: &str, reason: &str) -> Result<Line> {
    if row.get_ref(verdict)?.as_str() == Ok(WITHDRAWN) {
        return Ok(Line::Withdrawn);
    }
    Ok(Line::Watched(row.get(verdict)?, row.get(reason)?))
}

fn tally(row: &Row<'_>, banked: &str, running_since: &str) -> Result<Tally> {
    Ok(Tally::new(row.get::<_, Millis>(banked)?.0, row.get(running_since)?))
}

fn optional_tally(row: &Row<'_>, banked: &str, running_since: &str) -> Result<Option<Tally>> {
    let banked: Option<Millis> = row.get(banked)?;
    banked.map(|banked| Ok(Tally::new(banked.0, row.get(running_since)?))).transpose()
}

fn confirmed(row: &Row<'_>) -> Result<Option<Outage>> {
    let first_loss: Option<Time> = row.get("confirmed_first_loss")?;
    first_loss
        .map(|first_loss| {
            let last_contact = row.get("confirmed_last_contact")?;
            Ok(Outage { last_contact, first_loss, detected: row.get("confirmed_detected")? })
        })
        .transpose()
}

fn last_letter(row: &Row<'_>) -> Result<Option<LetterMark>> {
    let kind = row.get::<_, Option<_>>("last_letter_kind")?;
    kind.map(|kind| Ok(LetterMark { kind, number: row.get("last_letter_number")? })).transpose()
}

pub(super) const PUT_LETTER: &str = "INSERT INTO letters (\
     id, case_number, kind, number, recipient, message_id, in_reply_to, thread, subject, body, written_at, \
     written_unix_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";

pub(super) fn put_letter(statement: &mut CachedStatement<'_>, letter: &Letter, mail: &Mail) -> Result<()> {
    statement.execute(params![
        letter.id,
        letter.case.opening.reference,
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
    ])?;
    Ok(())
}

pub(super) fn mail(row: &Row<'_>) -> Result<Mail> {
    let thread: String = row.get("thread")?;
    Ok(Mail {
        id: row.get("id")?,
        to: row.get("recipient")?,
        message_id: row.get("message_id")?,
        in_reply_to: row.get("in_reply_to")?,
        references: thread.split_whitespace().map(String::from).collect(),
        subject: row.get("subject")?,
        body: row.get("body")?,
        written_unix_ms: row.get("written_unix_ms")?,
    })
}

/// Wants the unit of the case beside the letter's own columns.
pub(super) fn saved_letter(row: &Row<'_>) -> Result<SavedLetter> {
    Ok(SavedLetter {
        label: LetterLabel {
            id: row.get("id")?,
            reference: row.get("case_number")?,
            unit: row.get("unit")?,
            mark: LetterMark { kind: row.get("kind")?, number: row.get("number")? },
            to: row.get("recipient")?,
        },
        written_at: row.get("written_at")?,
        attempts: row.get("attempts")?,
    })
}

pub(super) fn letter_row(row: &Row<'_>) -> Result<LetterRow> {
    Ok(LetterRow {
        id: row.get("id")?,
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

/// A text that its column should not hold.
fn misfit(text: &str, column: &str) -> Error {
    let what = format!("{text:?} does not belong in column {column:?}");
    Error::FromSqlConversionFailure(0, Type::Text, Box::new(FromSqlError::Other(what.into())))
}
