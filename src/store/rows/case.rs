//! Cases.

use super::{misfit, tally};
use crate::domain::desk::{
    Actor, Case, Diagnosis, LetterMark, Line, Opening, Outage, Stage, WaitingOn, Window, Witness,
};
use crate::domain::time::{Tally, Time};
use crate::domain::watch::{Circuit, Finding, Reason, Terms};
use crate::store::columns::{Count, Millis};
use rusqlite::{CachedStatement, Result, Row, named_params};
use std::sync::Arc;

/// What a withdrawn unit has in place of a verdict.
const WITHDRAWN: &str = "WITHDRAWN";

/// The opening of a case never changes, so an update leaves its columns alone.
pub(in crate::store) const PUT_CASE: &str = "INSERT INTO cases (\
     number, reference, unit, priority, stage, stage_since, waiting_on, solved_by, solved_at, \
     window_ms, window_observed_ms, window_running_since, owner, line, line_reason, line_since, fault_seen, \
     confirmed_last_contact, confirmed_first_loss, confirmed_detected, \
     back_ms, back_running_since, recovered_at, downtime_ms, downtime_running_since, solved, returned, \
     last_letter_kind, last_letter_number, opened_at, opened_by, opening_priority, \
     customer, service_order, service, region, ttr_ms, supplier, queue, note, \
     last_contact, first_loss, detected, opening_loss_ms, opening_loss_running_since, \
     opening_line, opening_line_reason, opening_line_since, solve_after_ms, previous, \
     umbrella, finding_symptom, finding_measured, finding_limit, finding_over_ms, site_cause, witnesses, \
     pop, access, rate, opening_finding_symptom, opening_finding_measured, opening_finding_limit, \
     opening_finding_over_ms) \
     VALUES (:number, :reference, :unit, :priority, :stage, :stage_since, :waiting_on, :solved_by, :solved_at, \
     :window_ms, :window_observed_ms, :window_running_since, :owner, :line, :line_reason, :line_since, :fault_seen, \
     :confirmed_last_contact, :confirmed_first_loss, :confirmed_detected, \
     :back_ms, :back_running_since, :recovered_at, :downtime_ms, :downtime_running_since, :solved, :returned, \
     :last_letter_kind, :last_letter_number, :opened_at, :opened_by, :opening_priority, \
     :customer, :service_order, :service, :region, :ttr_ms, :supplier, :queue, :note, \
     :last_contact, :first_loss, :detected, :opening_loss_ms, :opening_loss_running_since, \
     :opening_line, :opening_line_reason, :opening_line_since, :solve_after_ms, :previous, \
     :umbrella, :finding_symptom, :finding_measured, :finding_limit, :finding_over_ms, :site_cause, :witnesses, \
     :pop, :access, :rate, :opening_finding_symptom, :opening_finding_measured, :opening_finding_limit, \
     :opening_finding_over_ms) \
     ON CONFLICT (number) DO UPDATE SET \
     priority = :priority, stage = :stage, stage_since = :stage_since, waiting_on = :waiting_on, \
     solved_by = :solved_by, solved_at = :solved_at, window_ms = :window_ms, window_observed_ms = :window_observed_ms, \
     window_running_since = :window_running_since, owner = :owner, line = :line, line_reason = :line_reason, \
     line_since = :line_since, fault_seen = :fault_seen, \
     confirmed_last_contact = :confirmed_last_contact, confirmed_first_loss = :confirmed_first_loss, \
     confirmed_detected = :confirmed_detected, back_ms = :back_ms, back_running_since = :back_running_since, \
     recovered_at = :recovered_at, downtime_ms = :downtime_ms, downtime_running_since = :downtime_running_since, \
     solved = :solved, returned = :returned, last_letter_kind = :last_letter_kind, \
     last_letter_number = :last_letter_number, umbrella = :umbrella, finding_symptom = :finding_symptom, \
     finding_measured = :finding_measured, finding_limit = :finding_limit, finding_over_ms = :finding_over_ms, \
     site_cause = :site_cause, witnesses = :witnesses";

pub(in crate::store) fn put_case(statement: &mut CachedStatement<'_>, case: &Case) -> Result<()> {
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
        ":customer": *opening.circuit.customer,
        ":service_order": opening.circuit.order.as_str(),
        ":service": opening.circuit.terms.service,
        ":region": opening.circuit.terms.region,
        ":ttr_ms": Millis(opening.circuit.terms.ttr),
        ":supplier": opening.circuit.terms.supplier,
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
        ":umbrella": case.umbrella,
        ":finding_symptom": case.finding.map(|finding| finding.symptom),
        ":finding_measured": case.finding.map(|finding| Count(finding.measured)),
        ":finding_limit": case.finding.map(|finding| Count(finding.limit)),
        ":finding_over_ms": case.finding.map(|finding| Millis(finding.over)),
        ":site_cause": case.diagnosis.as_ref().map(|diagnosis| diagnosis.cause),
        ":witnesses": case.diagnosis.as_ref().map(|diagnosis| witnesses(&diagnosis.witnesses)),
        ":pop": opening.circuit.terms.pop, ":access": opening.circuit.terms.access,
        ":rate": opening.circuit.terms.rate.map(Count),
        ":opening_finding_symptom": opening.finding.map(|finding| finding.symptom),
        ":opening_finding_measured": opening.finding.map(|finding| Count(finding.measured)),
        ":opening_finding_limit": opening.finding.map(|finding| Count(finding.limit)),
        ":opening_finding_over_ms": opening.finding.map(|finding| Millis(finding.over)),
    })?;
    Ok(())
}

pub(in crate::store) fn case(row: &Row<'_>) -> Result<Case> {
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
        finding: finding(row, FINDING)?,
        umbrella: row.get("umbrella")?,
        diagnosis: diagnosis(row)?,
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
            customer: Arc::new(row.get("customer")?),
            order: row.get::<_, String>("service_order")?.into(),
            terms: Arc::new(Terms {
                service: row.get("service")?,
                region: row.get("region")?,
                ttr: row.get::<_, Millis>("ttr_ms")?.0,
                supplier: row.get("supplier")?,
                pop: row.get("pop")?,
                access: row.get("access")?,
                rate: row.get::<_, Option<Count>>("rate")?.map(|rate| rate.0),
            }),
        },
        queue: row.get("queue")?,
        note: row.get("note")?,
        last_contact: row.get("last_contact")?,
        first_loss: row.get("first_loss")?,
        detected: row.get("detected")?,
        loss: tally(row, "opening_loss_ms", "opening_loss_running_since")?,
        line: (line(row, "opening_line", "opening_line_reason")?, row.get("opening_line_since")?),
        finding: finding(row, OPENING_FINDING)?,
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

/// The columns of a finding.
const FINDING: [&str; 4] = ["finding_symptom", "finding_measured", "finding_limit", "finding_over_ms"];
const OPENING_FINDING: [&str; 4] =
    ["opening_finding_symptom", "opening_finding_measured", "opening_finding_limit", "opening_finding_over_ms"];

fn finding(row: &Row<'_>, [symptom, measured, limit, over]: [&str; 4]) -> Result<Option<Finding>> {
    let symptom = row.get::<_, Option<_>>(symptom)?;
    symptom
        .map(|symptom| {
            let (measured, limit) = (row.get::<_, Count>(measured)?.0, row.get::<_, Count>(limit)?.0);
            Ok(Finding { symptom, measured, limit, over: row.get::<_, Millis>(over)?.0 })
        })
        .transpose()
}

/// One a line; none of them has a line break within.
fn witnesses(witnesses: &[Witness]) -> String {
    witnesses.iter().map(Witness::key).collect::<Vec<_>>().join("\n")
}

fn diagnosis(row: &Row<'_>) -> Result<Option<Diagnosis>> {
    let cause = row.get::<_, Option<_>>("site_cause")?;
    cause
        .map(|cause| {
            let witnesses: String = row.get("witnesses")?;
            let keys = witnesses.split('\n').filter(|key| !key.is_empty());
            let witness = |key| Witness::parse(key).ok_or_else(|| misfit(key, "witnesses"));
            Ok(Diagnosis { cause, witnesses: keys.map(witness).collect::<Result<_>>()? })
        })
        .transpose()
}

fn last_letter(row: &Row<'_>) -> Result<Option<LetterMark>> {
    let kind = row.get::<_, Option<_>>("last_letter_kind")?;
    kind.map(|kind| Ok(LetterMark { kind, number: row.get("last_letter_number")? })).transpose()
}
