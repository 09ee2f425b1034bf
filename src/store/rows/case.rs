//! Cases.

use super::misfit;
use crate::domain::desk::{
    Actor, Agreed, Assignment, Case, Chase, Diagnosis, Escalation, Heard, Informed, LetterKind, LetterMark, Line, News,
    Opening, Outage, Pledges, Promise, PromiseKind, Promises, RfoState, RfoStep, Stage, WaitingOn, Window, Witness,
    Writer,
};
use crate::domain::time::{Tally, Time};
use crate::domain::watch::{Circuit, Finding, Reason, Terms};
use crate::store::columns::{Count, Millis};
use rusqlite::types::FromSql;
use rusqlite::{CachedStatement, Connection, Result, Row, ToSql};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

/// What a withdrawn unit has in place of a verdict.
const WITHDRAWN: &str = "WITHDRAWN";

/// Names the columns once. There may be a hundred thousand cases to read and to write: they are found by their place.
macro_rules! columns {
    ($($name:ident)+) => {
        #[derive(Clone, Copy)]
        #[expect(non_camel_case_types, reason = "as the columns are called")]
        enum Column {
            $($name),+
        }

        const NAMES: &[&str] = &[$(stringify!($name)),+];
    };
}

columns! {
    number
    priority stage stage_since waiting_on solved_by solved_at window_ms window_observed_ms window_running_since owner
    line line_reason line_since fault_seen confirmed_last_contact confirmed_first_loss confirmed_detected back_ms
    back_running_since recovered_at downtime_ms downtime_running_since solved returned last_letter_kind
    last_letter_number umbrella finding_symptom finding_measured finding_limit finding_over_ms site_cause witnesses promises repairing_ms
    rfo_issued rfo_solved rfo_step rfo_by rfo_since
    escalation_level escalated_for escalated_times news_number news informed heard assigned_rule assigned_team assigned_at
    assigned_times misroutes chase_step chased_since agreed closed_at
    reference unit opened_at opened_by opening_priority customer service_order service region ttr_ms supplier queue
    note last_contact first_loss detected opening_loss_ms opening_loss_running_since opening_line opening_line_reason
    opening_line_since solve_after_ms previous pop access rate opening_finding_symptom opening_finding_measured
    opening_finding_limit opening_finding_over_ms first_response_ms update_p1_ms update_p2_ms repair_pledged channel
    rfo_p1_required rfo_p2_required supplier_ms rfo_within_ms
}

/// How many of the columns change in the life of a case; they come after its number.
const CHANGING: usize = Column::closed_at as usize;

/// A statement that reads cases, with a condition from `WHERE` on.
pub(in crate::store) fn select_cases(condition: &str) -> String {
    format!("SELECT {} FROM cases {condition}", NAMES.join(", "))
}

/// Most changes leave alone what indexes are about, and none of them needs to be written then.
static UPDATE_WITHIN: LazyLock<String> = LazyLock::new(|| {
    let indexed = [Column::closed_at, Column::umbrella];
    let within = assignments(|place| indexed.iter().all(|&column| column as usize != place));
    let same = indexed.map(|column| format!("{} IS ?{}", NAMES[column as usize], column as usize + 1)).join(" AND ");
    format!("UPDATE cases SET {within} WHERE number = ?1 AND {same}")
});

static UPDATE: LazyLock<String> =
    LazyLock::new(|| format!("UPDATE cases SET {} WHERE number = ?1", assignments(|_| true)));

/// One that also updated would keep a copy of each page it touches, to take back a part of what it did.
static INSERT: LazyLock<String> = LazyLock::new(|| {
    let values: Vec<String> = (1..=NAMES.len()).map(|place| format!("?{place}")).collect();
    let (names, values) = (NAMES.join(", "), values.join(", "));
    format!("INSERT INTO cases ({names}) VALUES ({values}) ON CONFLICT (number) DO NOTHING")
});

fn assignments(wanted: impl Fn(usize) -> bool) -> String {
    let columns = NAMES.iter().enumerate().skip(1).take(CHANGING).filter(|&(place, _)| wanted(place));
    columns.map(|(place, name)| format!("{name} = ?{}", place + 1)).collect::<Vec<_>>().join(", ")
}

/// Writes cases as they are now. The same may come several times; its last state stays.
pub(in crate::store) fn put_cases(db: &Connection, cases: &[Arc<Case>], at: Time) -> Result<()> {
    let mut within = db.prepare_cached(&UPDATE_WITHIN)?;
    let mut update = db.prepare_cached(&UPDATE)?;
    let mut insert = db.prepare_cached(&INSERT)?;
    for case in cases {
        let is_new = case.opened_at == at && write(&mut insert, case, true)? > 0;
        if is_new || write(&mut within, case, false)? > 0 || write(&mut update, case, false)? > 0 {
            continue;
        }
        write(&mut insert, case, true)?;
    }
    Ok(())
}

/// The opening of a case never changes: it is bound only where the case may be new.
fn write(statement: &mut CachedStatement<'_>, case: &Case, whole: bool) -> Result<usize> {
    let mut put = |column: Column, value: &dyn ToSql| statement.raw_bind_parameter(column as usize + 1, value);
    put(Column::number, &case.opening.reference)?;
    bind_present(case, &mut put)?;
    if whole {
        bind_opening(case, &mut put)?;
    }
    statement.raw_execute()
}

fn bind_present(case: &Case, put: &mut impl FnMut(Column, &dyn ToSql) -> Result<()>) -> Result<()> {
    let stage = StageColumns::from(&case.stage);
    let (line, line_reason) = line_columns(case.line);
    put(Column::priority, &case.priority)?;
    put(Column::stage, &case.stage.name())?;
    put(Column::stage_since, &stage.since)?;
    put(Column::waiting_on, &stage.on)?;
    put(Column::solved_by, &stage.by)?;
    put(Column::solved_at, &case.window().map(|(solved_at, _)| solved_at))?;
    put(Column::window_ms, &stage.window.map(|window| Millis(window.length)))?;
    put(Column::window_observed_ms, &stage.window.map(|window| Millis(window.observed.banked())))?;
    put(Column::window_running_since, &stage.window.and_then(|window| window.observed.running_since()))?;
    put(Column::owner, &case.owner)?;
    put(Column::line, &line)?;
    put(Column::line_reason, &line_reason)?;
    put(Column::line_since, &case.line_since)?;
    put(Column::fault_seen, &case.fault_seen)?;
    put(Column::confirmed_last_contact, &case.confirmed.and_then(|outage| outage.last_contact))?;
    put(Column::confirmed_first_loss, &case.confirmed.map(|outage| outage.first_loss))?;
    put(Column::confirmed_detected, &case.confirmed.map(|outage| outage.detected))?;
    put(Column::back_ms, &case.back.map(|back| Millis(back.banked())))?;
    put(Column::back_running_since, &case.back.and_then(|back| back.running_since()))?;
    put(Column::recovered_at, &case.recovered_at)?;
    put(Column::downtime_ms, &Millis(case.downtime.banked()))?;
    put(Column::downtime_running_since, &case.downtime.running_since())?;
    put(Column::solved, &case.solved)?;
    put(Column::returned, &case.returned)?;
    put(Column::last_letter_kind, &case.last_letter.map(|mark| mark.kind))?;
    put(Column::last_letter_number, &case.last_letter.map(|mark| mark.number))?;
    put(Column::umbrella, &case.umbrella)?;
    put(Column::finding_symptom, &case.finding.map(|finding| finding.symptom))?;
    put(Column::finding_measured, &case.finding.map(|finding| Count(finding.measured)))?;
    put(Column::finding_limit, &case.finding.map(|finding| Count(finding.limit)))?;
    put(Column::finding_over_ms, &case.finding.map(|finding| Millis(finding.over)))?;
    put(Column::site_cause, &case.diagnosis.as_ref().map(|diagnosis| diagnosis.cause))?;
    put(Column::witnesses, &case.diagnosis.as_ref().map(|diagnosis| witnesses(&diagnosis.witnesses)))?;
    put(Column::promises, &promises(&case.promises))?;
    put(Column::repairing_ms, &Millis(case.repairing))?;
    put(Column::agreed, &case.agreed.as_deref().map(agreed))?;
    bind_people(case, put)?;
    put(Column::closed_at, &stage.closed)
}

/// What people have to do with it.
fn bind_people(case: &Case, put: &mut impl FnMut(Column, &dyn ToSql) -> Result<()>) -> Result<()> {
    let escalation = case.escalation.as_ref();
    put(Column::escalation_level, &escalation.map(|escalation| escalation.level))?;
    put(Column::escalated_for, &escalation.map(|escalation| &escalation.why))?;
    put(Column::escalated_times, &escalation.map(|escalation| escalation.times))?;
    put(Column::news_number, &case.news.as_ref().map(|news| news.number))?;
    put(Column::news, &case.news.as_ref().map(|news| news.text.as_str()))?;
    bind_rfo(&case.rfo, put)?;
    put(Column::informed, &case.informed.as_ref().map(informed))?;
    put(Column::heard, &case.heard.as_ref().map(heard))?;
    let assignment = case.assignment.as_ref();
    put(Column::assigned_rule, &assignment.and_then(|assignment| assignment.rule.as_ref()))?;
    put(Column::assigned_team, &assignment.and_then(|assignment| assignment.team.as_ref()))?;
    put(Column::assigned_at, &assignment.map(|assignment| assignment.at))?;
    put(Column::assigned_times, &assignment.map(|assignment| assignment.times))?;
    put(Column::misroutes, &assignment.map(|assignment| assignment.misroutes))?;
    put(Column::chase_step, &case.chase.step)?;
    put(Column::chased_since, &case.chase.since)
}

fn bind_rfo(rfo: &RfoState, put: &mut impl FnMut(Column, &dyn ToSql) -> Result<()>) -> Result<()> {
    let (by, since) = match &rfo.step {
        RfoStep::Ordered { by, since } => (Some(by), Some(*since)),
        RfoStep::None | RfoStep::Issued | RfoStep::Delivered | RfoStep::Undelivered => (None, None),
    };
    put(Column::rfo_issued, &rfo.issued)?;
    put(Column::rfo_solved, &rfo.solved)?;
    put(Column::rfo_step, &rfo.step.name())?;
    put(Column::rfo_by, &by)?;
    put(Column::rfo_since, &since)
}

fn bind_opening(case: &Case, put: &mut impl FnMut(Column, &dyn ToSql) -> Result<()>) -> Result<()> {
    let opening = &case.opening;
    let (opening_line, opening_line_reason) = line_columns(opening.line.0);
    put(Column::reference, &opening.reference.to_string())?;
    put(Column::unit, &opening.unit)?;
    put(Column::opened_at, &case.opened_at)?;
    put(Column::opened_by, &opening.origin)?;
    put(Column::opening_priority, &opening.priority)?;
    put(Column::customer, &*opening.circuit.customer)?;
    put(Column::service_order, &opening.circuit.order.as_str())?;
    put(Column::service, &opening.circuit.terms.service)?;
    put(Column::region, &opening.circuit.terms.region)?;
    put(Column::ttr_ms, &Millis(opening.circuit.terms.ttr))?;
    put(Column::supplier, &opening.circuit.terms.supplier)?;
    put(Column::queue, &opening.queue)?;
    put(Column::note, &opening.note)?;
    put(Column::last_contact, &opening.last_contact)?;
    put(Column::first_loss, &opening.first_loss)?;
    put(Column::detected, &opening.detected)?;
    put(Column::opening_loss_ms, &Millis(opening.loss.banked()))?;
    put(Column::opening_loss_running_since, &opening.loss.running_since())?;
    put(Column::opening_line, &opening_line)?;
    put(Column::opening_line_reason, &opening_line_reason)?;
    put(Column::opening_line_since, &opening.line.1)?;
    put(Column::solve_after_ms, &Millis(opening.solve_after))?;
    put(Column::previous, &opening.previous)?;
    put(Column::pop, &opening.circuit.terms.pop)?;
    put(Column::access, &opening.circuit.terms.access)?;
    put(Column::rate, &opening.circuit.terms.rate.map(Count))?;
    put(Column::opening_finding_symptom, &opening.finding.map(|finding| finding.symptom))?;
    put(Column::opening_finding_measured, &opening.finding.map(|finding| Count(finding.measured)))?;
    put(Column::opening_finding_limit, &opening.finding.map(|finding| Count(finding.limit)))?;
    put(Column::opening_finding_over_ms, &opening.finding.map(|finding| Millis(finding.over)))?;
    put(Column::first_response_ms, &opening.pledges.first_response.map(Millis))?;
    put(Column::update_p1_ms, &opening.pledges.update_p1.map(Millis))?;
    put(Column::update_p2_ms, &opening.pledges.update_p2.map(Millis))?;
    put(Column::supplier_ms, &opening.pledges.supplier.map(Millis))?;
    put(Column::rfo_within_ms, &opening.pledges.rfo.map(Millis))?;
    put(Column::repair_pledged, &opening.pledges.repair)?;
    put(Column::rfo_p1_required, &opening.pledges.rfo_p1)?;
    put(Column::rfo_p2_required, &opening.pledges.rfo_p2)?;
    put(Column::channel, &opening.channel)
}

fn get<T: FromSql>(row: &Row<'_>, column: Column) -> Result<T> {
    row.get(column as usize)
}

fn tally(row: &Row<'_>, banked: Column, running_since: Column) -> Result<Tally> {
    Ok(Tally::new(get::<Millis>(row, banked)?.0, get(row, running_since)?))
}

/// Of a statement of [`select_cases`].
pub(in crate::store) fn case(row: &Row<'_>) -> Result<Case> {
    Ok(Case {
        opening: Arc::new(opening(row)?),
        opened_at: get(row, Column::opened_at)?,
        priority: get(row, Column::priority)?,
        stage: stage(row)?,
        owner: get(row, Column::owner)?,
        line: line(row, Column::line, Column::line_reason)?,
        line_since: get(row, Column::line_since)?,
        fault_seen: get(row, Column::fault_seen)?,
        confirmed: confirmed(row)?,
        finding: finding(row, FINDING)?,
        umbrella: get(row, Column::umbrella)?,
        diagnosis: diagnosis(row)?,
        back: optional_tally(row, Column::back_ms, Column::back_running_since)?,
        recovered_at: get(row, Column::recovered_at)?,
        downtime: tally(row, Column::downtime_ms, Column::downtime_running_since)?,
        solved: get(row, Column::solved)?,
        returned: get(row, Column::returned)?,
        promises: standing(row)?,
        agreed: what_is_agreed(row)?,
        repairing: get::<Millis>(row, Column::repairing_ms)?.0,
        escalation: escalation(row)?,
        news: news(row)?,
        rfo: rfo(row)?,
        assignment: assignment(row)?,
        chase: chase(row)?,
        informed: who_is_informed(row)?,
        heard: what_was_heard(row)?,
        last_letter: last_letter(row)?,
    })
}

fn opening(row: &Row<'_>) -> Result<Opening> {
    Ok(Opening {
        reference: get(row, Column::number)?,
        origin: get(row, Column::opened_by)?,
        channel: get(row, Column::channel)?,
        priority: get(row, Column::opening_priority)?,
        unit: get(row, Column::unit)?,
        circuit: Circuit {
            customer: Arc::new(get(row, Column::customer)?),
            order: get::<String>(row, Column::service_order)?.into(),
            terms: Arc::new(Terms {
                service: get(row, Column::service)?,
                region: get(row, Column::region)?,
                ttr: get::<Millis>(row, Column::ttr_ms)?.0,
                supplier: get(row, Column::supplier)?,
                pop: get(row, Column::pop)?,
                access: get(row, Column::access)?,
                rate: get::<Option<Count>>(row, Column::rate)?.map(|rate| rate.0),
            }),
        },
        queue: get(row, Column::queue)?,
        note: get(row, Column::note)?,
        last_contact: get(row, Column::last_contact)?,
        first_loss: get(row, Column::first_loss)?,
        detected: get(row, Column::detected)?,
        loss: tally(row, Column::opening_loss_ms, Column::opening_loss_running_since)?,
        line: (line(row, Column::opening_line, Column::opening_line_reason)?, get(row, Column::opening_line_since)?),
        finding: finding(row, OPENING_FINDING)?,
        solve_after: get::<Millis>(row, Column::solve_after_ms)?.0,
        pledges: Pledges {
            first_response: millis(row, Column::first_response_ms)?,
            update_p1: millis(row, Column::update_p1_ms)?,
            update_p2: millis(row, Column::update_p2_ms)?,
            supplier: millis(row, Column::supplier_ms)?,
            rfo: millis(row, Column::rfo_within_ms)?,
            repair: get(row, Column::repair_pledged)?,
            rfo_p1: get(row, Column::rfo_p1_required)?,
            rfo_p2: get(row, Column::rfo_p2_required)?,
        },
        previous: get(row, Column::previous)?,
    })
}

/// The data of a stage; what the stage does not have is NULL.
#[derive(Default)]
struct StageColumns<'a> {
    since: Option<Time>,
    closed: Option<Time>,
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
                Self { since: Some(*since), by: Some(by), window: Some(*window), ..Self::default() }
            }
            Stage::Closed { since, window, .. } => {
                Self { since: Some(*since), closed: Some(*since), window: Some(*window), ..Self::default() }
            }
        }
    }
}

fn stage(row: &Row<'_>) -> Result<Stage> {
    let name: String = get(row, Column::stage)?;
    match name.as_str() {
        "New" => Ok(Stage::New),
        "Working" => Ok(Stage::Working { since: get(row, Column::stage_since)? }),
        "Waiting" => Ok(Stage::Waiting { since: get(row, Column::stage_since)?, on: get(row, Column::waiting_on)? }),
        "Solved" => Ok(Stage::Solved {
            since: get(row, Column::stage_since)?,
            by: get(row, Column::solved_by)?,
            window: window(row)?,
        }),
        "Closed" => Ok(Stage::Closed {
            since: get(row, Column::stage_since)?,
            solved_at: get(row, Column::solved_at)?,
            window: window(row)?,
        }),
        other => Err(misfit(other, "stage")),
    }
}

fn window(row: &Row<'_>) -> Result<Window> {
    let observed = tally(row, Column::window_observed_ms, Column::window_running_since)?;
    Ok(Window { length: get::<Millis>(row, Column::window_ms)?.0, observed })
}

const fn line_columns(line: Line) -> (&'static str, Option<Reason>) {
    match line {
        Line::Watched(verdict, reason) => (verdict.name(), Some(reason)),
        Line::Withdrawn => (WITHDRAWN, None),
    }
}

fn line(row: &Row<'_>, verdict: Column, reason: Column) -> Result<Line> {
    if row.get_ref(verdict as usize)?.as_str() == Ok(WITHDRAWN) {
        return Ok(Line::Withdrawn);
    }
    Ok(Line::Watched(get(row, verdict)?, get(row, reason)?))
}

fn optional_tally(row: &Row<'_>, banked: Column, running_since: Column) -> Result<Option<Tally>> {
    let banked: Option<Millis> = get(row, banked)?;
    banked.map(|banked| Ok(Tally::new(banked.0, get(row, running_since)?))).transpose()
}

fn confirmed(row: &Row<'_>) -> Result<Option<Outage>> {
    let first_loss: Option<Time> = get(row, Column::confirmed_first_loss)?;
    first_loss
        .map(|first_loss| {
            let last_contact = get(row, Column::confirmed_last_contact)?;
            Ok(Outage { last_contact, first_loss, detected: get(row, Column::confirmed_detected)? })
        })
        .transpose()
}

/// The columns of a finding.
const FINDING: [Column; 4] =
    [Column::finding_symptom, Column::finding_measured, Column::finding_limit, Column::finding_over_ms];
const OPENING_FINDING: [Column; 4] = [
    Column::opening_finding_symptom,
    Column::opening_finding_measured,
    Column::opening_finding_limit,
    Column::opening_finding_over_ms,
];

fn finding(row: &Row<'_>, [symptom, measured, limit, over]: [Column; 4]) -> Result<Option<Finding>> {
    let symptom = get::<Option<_>>(row, symptom)?;
    symptom
        .map(|symptom| {
            let (measured, limit) = (get::<Count>(row, measured)?.0, get::<Count>(row, limit)?.0);
            Ok(Finding { symptom, measured, limit, over: get::<Millis>(row, over)?.0 })
        })
        .transpose()
}

/// One a line; none of them has a line break within.
fn witnesses(witnesses: &[Witness]) -> String {
    witnesses.iter().map(Witness::key).collect::<Vec<_>>().join("\n")
}

fn diagnosis(row: &Row<'_>) -> Result<Option<Diagnosis>> {
    let cause = get::<Option<_>>(row, Column::site_cause)?;
    cause
        .map(|cause| {
            let witnesses: String = get(row, Column::witnesses)?;
            let keys = witnesses.split('\n').filter(|key| !key.is_empty());
            let witness = |key| Witness::parse(key).ok_or_else(|| misfit(key, "witnesses"));
            Ok(Diagnosis { cause, witnesses: keys.map(witness).collect::<Result<_>>()? })
        })
        .transpose()
}

/// One a line: its kind, how long it has, how much of that is counted, and since when it counts on if it does; "missed" in
/// place of that once it was.
fn promises(promises: &Promises) -> Option<String> {
    let line = |(kind, promise): (PromiseKind, &Promise)| {
        let (within, banked) = (promise.within.as_millis(), promise.clock.banked().as_millis());
        let runs = promise.clock.running_since().map_or_else(|| PAUSED.to_owned(), |at| at.as_millis().to_string());
        let missed = if promise.missed { " missed" } else { "" };
        format!("{} {within} {banked} {runs}{missed}", kind.name())
    };
    let lines: Vec<_> = promises.iter().map(line).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

const PAUSED: &str = "paused";

fn standing(row: &Row<'_>) -> Result<Promises> {
    let text: Option<String> = get(row, Column::promises)?;
    read_promises(text.iter().flat_map(|text| text.lines()))
}

fn read_promises<'a>(lines: impl Iterator<Item = &'a str>) -> Result<Promises> {
    let mut promises = Promises::default();
    for line in lines {
        let (kind, promise) = promise(line).ok_or_else(|| misfit(line, "promises"))?;
        promises.set(kind, Some(promise));
    }
    Ok(promises)
}

fn promise(line: &str) -> Option<(PromiseKind, Promise)> {
    let words: Vec<&str> = line.split(' ').collect();
    let (kind, within, banked, runs, missed) = match words[..] {
        [kind, within, banked, runs] => (kind, within, banked, runs, false),
        [kind, within, banked, runs, "missed"] => (kind, within, banked, runs, true),
        [..] => return None,
    };
    let kind = PromiseKind::ALL.into_iter().find(|known| known.name() == kind)?;
    let millis = |text: &str| text.parse().ok().map(Duration::from_millis);
    let runs = if runs == PAUSED { None } else { Some(Time::from_millis(runs.parse().ok()?)) };
    Some((kind, Promise { within: millis(within)?, clock: Tally::new(millis(banked)?, runs), missed }))
}

/// The time to repair and what is promised by now, in milliseconds; `-` where it is not.
fn agreed(agreed: &Agreed) -> String {
    let Agreed { ttr, pledges } = agreed;
    let Pledges { first_response, update_p1, update_p2, supplier, rfo, .. } = pledges;
    let times = [*first_response, *update_p1, *update_p2, *supplier, *rfo, pledges.repair.then_some(*ttr)];
    let times = times.map(|time| time.map_or_else(|| NEVER.to_owned(), |time| time.as_millis().to_string()));
    format!("{} {}", ttr.as_millis(), times.join(" "))
}

const NEVER: &str = "-";

fn what_is_agreed(row: &Row<'_>) -> Result<Option<Box<Agreed>>> {
    let text: Option<String> = get(row, Column::agreed)?;
    let (rfo_p1, rfo_p2) = (get(row, Column::rfo_p1_required)?, get(row, Column::rfo_p2_required)?);
    let read = |text: &str| {
        let time = |word: &str| word.parse().ok().map(Duration::from_millis);
        let mut times = text.split(' ').map(|word| if word == NEVER { Some(None) } else { time(word).map(Some) });
        let mut next = || times.next()?;
        let ttr = next()??;
        let [first_response, update_p1, update_p2, supplier, rfo] = [next()?, next()?, next()?, next()?, next()?];
        let repair = next()?.is_some();
        let pledges = Pledges { first_response, update_p1, update_p2, supplier, rfo, repair, rfo_p1, rfo_p2 };
        Some(Box::new(Agreed { ttr, pledges }))
    };
    text.map(|text| read(&text).ok_or_else(|| misfit(&text, "agreed"))).transpose()
}

/// The letter and its readers on the first line, what was promised before it on the others.
fn informed(informed: &Informed) -> String {
    let LetterMark { kind, number } = informed.letter;
    let mut text = format!("{} {number} {}", kind.name(), informed.readers.join(" "));
    if let Some(before) = promises(&informed.before) {
        text.push('\n');
        text.push_str(&before);
    }
    text
}

fn who_is_informed(row: &Row<'_>) -> Result<Option<Informed>> {
    let Some(text): Option<String> = get(row, Column::informed)? else { return Ok(None) };
    let mut lines = text.lines();
    let mut words = lines.next().unwrap_or_default().split(' ');
    let kind = words.next().and_then(|name| LetterKind::ALL.into_iter().find(|kind| kind.name() == name));
    let mark = kind.zip(words.next().and_then(|number| number.parse().ok()));
    let (kind, number) = mark.ok_or_else(|| misfit(&text, "informed"))?;
    let readers = words.map(String::from).collect();
    Ok(Some(Informed { letter: LetterMark { kind, number }, readers, before: read_promises(lines)? }))
}

/// How many messages there were, the number of the latest, who wrote it and from where; from the second line on what it
/// says.
fn heard((count, heard): &(u32, Heard)) -> String {
    let Heard { mail, from, writer, text } = heard;
    format!("{count} {mail} {} {from}\n{text}", writer.name())
}

fn what_was_heard(row: &Row<'_>) -> Result<Option<(u32, Heard)>> {
    let text: Option<String> = get(row, Column::heard)?;
    let read = |text: &str| {
        let (head, said) = text.split_once('\n')?;
        let mut words = head.splitn(4, ' ');
        let (count, mail) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        let writer = words.next().and_then(|name| Writer::ALL.into_iter().find(|writer| writer.name() == name))?;
        Some((count, Heard { mail, from: words.next()?.into(), writer, text: said.into() }))
    };
    text.map(|text| read(&text).ok_or_else(|| misfit(&text, "heard"))).transpose()
}

fn escalation(row: &Row<'_>) -> Result<Option<Escalation>> {
    let level = get::<Option<_>>(row, Column::escalation_level)?;
    level
        .map(|level| {
            Ok(Escalation { level, why: get(row, Column::escalated_for)?, times: get(row, Column::escalated_times)? })
        })
        .transpose()
}

fn news(row: &Row<'_>) -> Result<Option<News>> {
    let number = get::<Option<_>>(row, Column::news_number)?;
    number.map(|number| Ok(News { number, text: get(row, Column::news)? })).transpose()
}

fn rfo(row: &Row<'_>) -> Result<RfoState> {
    let step: String = get(row, Column::rfo_step)?;
    let step = match step.as_str() {
        "none" => RfoStep::None,
        "ordered" => RfoStep::Ordered { by: get(row, Column::rfo_by)?, since: get(row, Column::rfo_since)? },
        "issued" => RfoStep::Issued,
        "delivered" => RfoStep::Delivered,
        "undelivered" => RfoStep::Undelivered,
        other => return Err(misfit(other, "rfo_step")),
    };
    Ok(RfoState { issued: get(row, Column::rfo_issued)?, solved: get(row, Column::rfo_solved)?, step })
}

fn assignment(row: &Row<'_>) -> Result<Option<Assignment>> {
    let at = get::<Option<_>>(row, Column::assigned_at)?;
    at.map(|at| {
        Ok(Assignment {
            rule: get(row, Column::assigned_rule)?,
            team: get(row, Column::assigned_team)?,
            at,
            times: get(row, Column::assigned_times)?,
            misroutes: get(row, Column::misroutes)?,
        })
    })
    .transpose()
}

/// Of a case that is older than this column, the time runs since its opening.
fn chase(row: &Row<'_>) -> Result<Chase> {
    let since = get::<Option<_>>(row, Column::chased_since)?;
    let since = since.map_or_else(|| get(row, Column::opened_at), Ok)?;
    Ok(Chase { step: get(row, Column::chase_step)?, since })
}

fn millis(row: &Row<'_>, column: Column) -> Result<Option<Duration>> {
    Ok(get::<Option<Millis>>(row, column)?.map(|millis| millis.0))
}

fn last_letter(row: &Row<'_>) -> Result<Option<LetterMark>> {
    let kind = get::<Option<_>>(row, Column::last_letter_kind)?;
    kind.map(|kind| Ok(LetterMark { kind, number: get(row, Column::last_letter_number)? })).transpose()
}
