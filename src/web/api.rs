//! What can be read: `GET` requests. They look at the board and at the store, never at the loop.

use super::board::{MessengerState, Row, Summary};
use super::mail::MailInForm;
use super::problem::{Problem, json};
use super::scene::Scene;
use super::show::{CaseDetail, CaseForm, NodeForm, Papers, UnitDetail, UnitForm};
use super::unit_metrics::UnitMetrics;
use super::{Web, Words};
use crate::domain::desk::{AlarmKind, Case, Reference};
use crate::domain::time::{Calendar, Time};
use crate::domain::watch::{AgentState, Symptom, Verdict};
use crate::store::{CaseFilter, Reader};
use axum::body::Body;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use core::ops::ControlFlow;
use core::time::Duration;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most units or cases that one answer lists.
pub const MAX_PAGE: usize = 10_000;
const DEFAULT_PAGE: usize = 1_000;
/// The most entries of its timeline, and the most letters, that a case shows.
pub const MAX_TIMELINE: usize = 1_000;
/// The most closed stretches of its ledger that a unit shows.
pub const MAX_LEDGER: usize = 50;
/// Open requests of a unit that are looked through for its incident: a case that is older than all of them is not shown.
const MAX_OPEN: usize = 100;

const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

type Shared = State<Arc<Web>>;
pub(super) type Answer = Result<Response, Problem>;

pub(super) fn good(body: &impl Serialize) -> Answer {
    Ok(json(StatusCode::OK, body))
}

/// What the path names.
pub(super) fn segment<T>(path: Result<Path<T>, PathRejection>) -> Result<T, Problem> {
    path.map(|Path(name)| name).map_err(|e| Problem::bad(e.body_text()))
}

pub(super) fn query<Q>(query: Result<Query<Q>, QueryRejection>) -> Result<Q, Problem> {
    query.map(|Query(query)| query).map_err(|e| Problem::bad(e.body_text()))
}

pub(super) fn page(limit: Option<usize>) -> Result<usize, Problem> {
    let limit = limit.unwrap_or(DEFAULT_PAGE);
    if (1..=MAX_PAGE).contains(&limit) {
        Ok(limit)
    } else {
        Err(Problem::bad(format!(
            "limit is {limit}, but has to be within 1 and {MAX_PAGE}: ask for one page after another"
        )))
    }
}

/// `/metrics`.
pub(super) async fn metrics(State(web): Shared) -> Response {
    ([(header::CONTENT_TYPE, TEXT)], web.services.metrics.render(&web.services.board)).into_response()
}

/// `/metrics/units`.
pub(super) async fn unit_metrics(State(web): Shared) -> Response {
    ([(header::CONTENT_TYPE, TEXT)], Body::new(UnitMetrics::new(Arc::clone(&web.services.board)))).into_response()
}

/// From when on a messenger that takes nothing makes the daemon's health degraded.
const MESSENGER_FAILS_AFTER: Duration = Duration::from_secs(300);

#[derive(Serialize)]
pub(super) struct HealthForm {
    status: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    why: Vec<String>,
}

impl HealthForm {
    fn new(summary: &Summary, age: Duration, words: Words, beside: Vec<String>) -> Self {
        let mut why = summary.failings(age);
        let failing = !why.is_empty();
        if let Some((_, reason)) = summary.cut_off {
            why.push(format!("the monitor is cut off: {}", reason.name()));
        }
        // That the monitor is cut off is said already.
        let alarms =
            summary.alarms.iter().filter(|alarm| summary.cut_off.is_none() || alarm.kind != AlarmKind::Isolation);
        why.extend(alarms.map(|alarm| (words.alarm)(&alarm.why)));
        if let Some(fault) = &summary.reload.fault {
            why.push(format!("the last reload was refused, the configuration before it is in force: {fault}"));
        }
        if let Some(fault) = &summary.mail_fault {
            why.push(format!("letters cannot be delivered: {fault}"));
        }
        let now = summary.at + age;
        for (name, messenger) in &summary.messengers {
            if let Some(trouble) = messenger.trouble.as_ref().filter(|it| now.since(it.since) >= MESSENGER_FAILS_AFTER)
            {
                why.push(format!("messenger {name} takes nothing: {}", trouble.why));
            }
        }
        why.extend(beside);
        let status = match (failing, why.is_empty()) {
            (true, _) => "failing",
            (false, true) => "ok",
            (false, false) => "degraded",
        };
        Self { status, why }
    }
}

/// What those beside the loop have found.
fn complaints(web: &Web, now: Time) -> Vec<String> {
    let mut why = web.services.board.audit().faults(now);
    why.extend(MailInForm::new(web).complaints());
    why
}

/// `/health`.
pub(super) async fn health(State(web): Shared) -> Response {
    let (summary, age) = web.services.board.summary();
    let health = HealthForm::new(&summary, age, web.services.words, complaints(&web, summary.at + age));
    let code = if health.status == "failing" { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    json(code, &health)
}

#[derive(Serialize)]
struct StatusForm {
    version: &'static str,
    at: Option<String>,
    started_at: Option<String>,
    uptime_s: u64,
    clock_offset_ms: i64,
    health: HealthForm,
    units: BTreeMap<&'static str, usize>,
    cases: BTreeMap<&'static str, BTreeMap<&'static str, usize>>,
    letters: LettersForm,
    /// Messages that came in and wait for people.
    mails_quarantined: usize,
    messengers: Vec<MessengerForm>,
    mail_in: MailInForm,
    isolation: Option<IsolationForm>,
    alarms: Vec<AlarmForm>,
    /// How many are not over.
    umbrellas: usize,
    /// How many are on just now.
    maintenance: usize,
    reload: ReloadForm,
    store: String,
    store_fault: Option<String>,
}

#[derive(Serialize)]
struct LettersForm {
    queued: usize,
    /// Addresses of readers that do not work.
    unreachable_addresses: usize,
    oldest_at: Option<String>,
    /// Not written yet: they wait for further lines of their customers.
    held: usize,
    /// When the last of these goes at the latest.
    held_until: Option<String>,
    fault: Option<String>,
}

#[derive(Serialize)]
struct MessengerForm {
    name: String,
    waiting: usize,
    failing_since: Option<String>,
    fault: Option<String>,
}

#[derive(Serialize)]
struct IsolationForm {
    since: Option<String>,
    reason: &'static str,
}

#[derive(Serialize)]
struct AlarmForm {
    kind: &'static str,
    since: Option<String>,
    why: String,
}

#[derive(Serialize)]
struct ReloadForm {
    at: Option<String>,
    fault: Option<String>,
}

/// `/api/status`.
pub(super) async fn status(State(web): Shared) -> Answer {
    let (summary, age) = web.services.board.summary();
    let scene = Scene::new(&summary, age, web.services.words);
    let stamp = |at| scene.stamp(at);
    let now = scene.now;
    let mail_in = MailInForm::new(&web);
    let alarms = summary.alarms.iter().map(|alarm| AlarmForm {
        kind: alarm.kind.name(),
        since: stamp(alarm.since),
        why: (scene.words.alarm)(&alarm.why),
    });
    let messenger = |(name, state): (&String, &MessengerState)| MessengerForm {
        name: name.clone(),
        waiting: state.waiting,
        failing_since: state.trouble.as_ref().and_then(|trouble| stamp(trouble.since)),
        fault: state.trouble.as_ref().map(|trouble| trouble.why.clone()),
    };
    let mut cases = BTreeMap::<_, BTreeMap<_, _>>::new();
    for (priority, stage, count) in summary.cases.iter() {
        cases.entry(priority.name()).or_default().insert(stage, count);
    }
    good(&StatusForm {
        version: env!("CARGO_PKG_VERSION"),
        at: stamp(now),
        started_at: stamp(summary.started_at),
        uptime_s: now.since(summary.started_at).as_secs(),
        clock_offset_ms: summary.calendar.offset_ms(now),
        health: HealthForm::new(&summary, age, scene.words, complaints(&web, now)),
        units: web.services.board.units().iter().map(|(verdict, count)| (verdict.name(), count)).collect(),
        cases,
        mails_quarantined: summary.mails_aside,
        mail_in,
        letters: LettersForm {
            queued: summary.letters_queued,
            unreachable_addresses: summary.unreachable,
            oldest_at: summary.oldest_letter.and_then(stamp),
            held: summary.held.map_or(0, |(count, _)| count),
            held_until: summary.held.and_then(|(_, last)| stamp(last)),
            fault: summary.mail_fault.clone(),
        },
        messengers: summary.messengers.iter().map(messenger).collect(),
        isolation: summary.cut_off.map(|(since, reason)| IsolationForm { since: stamp(since), reason: reason.name() }),
        alarms: alarms.collect(),
        umbrellas: summary.umbrellas,
        maintenance: summary.maintenance,
        reload: ReloadForm { at: summary.reload.at.and_then(stamp), fault: summary.reload.fault.clone() },
        store: web.services.store.display().to_string(),
        store_fault: summary.store_fault.clone(),
    })
}

/// Which devices are wanted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DeviceQuery {
    limit: Option<usize>,
    /// The id after which the page begins.
    after: Option<String>,
    verdict: Option<String>,
    customer: Option<String>,
    agent: Option<String>,
    symptom: Option<String>,
}

/// `/api/units`.
pub(super) async fn units(State(web): Shared, wanted: Result<Query<DeviceQuery>, QueryRejection>) -> Answer {
    devices(&web, query(wanted)?, |row| row.device.circuit().is_some(), UnitForm::new).await
}

/// `/api/nodes`: devices without a customer.
pub(super) async fn nodes(State(web): Shared, wanted: Result<Query<DeviceQuery>, QueryRejection>) -> Answer {
    devices(&web, query(wanted)?, |row| row.device.circuit().is_none(), NodeForm::new).await
}

async fn devices<F: Serialize>(
    web: &Web,
    wanted: DeviceQuery,
    role: fn(&Row) -> bool,
    form: fn(&Row, &Calendar) -> F,
) -> Answer {
    let DeviceQuery { limit, mut after, verdict, customer, agent, symptom } = wanted;
    let limit = page(limit)?;
    let verdict = verdict.map(|name| named("verdict", &name, Verdict::ALL, Verdict::name)).transpose()?;
    let agent = agent.map(|name| named("state of an agent", &name, AgentState::ALL, AgentState::name)).transpose()?;
    let symptom = symptom.map(|name| named("symptom", &name, Symptom::ALL, Symptom::name)).transpose()?;
    let fits = |row: &Row| {
        role(row)
            && verdict.is_none_or(|verdict| row.status.verdict == verdict)
            && agent.is_none_or(|agent| row.status.agent == agent)
            && symptom.is_none_or(|symptom| row.status.symptoms.has(symptom))
            && customer
                .as_deref()
                .is_none_or(|customer| row.device.circuit().is_some_and(|circuit| *circuit.customer == customer))
    };
    let board = &web.services.board;
    let calendar = &board.summary().0.calendar;
    let mut found = Vec::new();
    loop {
        let next = board.look(after.as_deref(), |row| {
            if fits(row) {
                found.push(form(row, calendar));
            }
            if found.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        if next.is_none() || found.len() >= limit {
            return good(&found);
        }
        after = next;
        // Other requests are to have their turn between two looks.
        tokio::task::yield_now().await;
    }
}

/// The one of `all` that is called so, in small letters or capitals.
pub(super) fn named<T: Copy, const N: usize>(
    what: &str,
    name: &str,
    all: [T; N],
    name_of: fn(T) -> &'static str,
) -> Result<T, Problem> {
    all.into_iter().find(|&known| name_of(known).eq_ignore_ascii_case(name)).ok_or_else(|| {
        let known = all.map(name_of).join(", ");
        Problem::bad(format!("there is no {what} {name:?}: choose from {known}"))
    })
}

/// `/api/units/{id}`.
pub(super) async fn unit(State(web): Shared, id: Result<Path<String>, PathRejection>) -> Answer {
    let id = segment(id)?;
    let row = unit_row(&web, &id)?;
    let scene = web.scene();
    let detail = web.readers.read(move |reader| {
        let filter = CaseFilter {
            open_only: true,
            unit: Some(id.clone()),
            umbrella: None,
            lacks_prechecks: false,
            below: None,
            limit: MAX_OPEN,
        };
        let case = reader.cases(&filter)?.into_iter().find(|case| !case.is_request());
        let case = case.map(|case| CaseForm::new(case, &scene));
        Ok(UnitDetail::new(&row, case, &reader.ledger(&id, MAX_LEDGER)?, &scene.calendar))
    });
    good(&detail.await?)
}

/// The row of a unit.
pub(super) fn unit_row(web: &Web, id: &str) -> Result<Row, Problem> {
    let row = web.services.board.find(id);
    let row = row.ok_or_else(|| Problem::unknown(format!("the inventory has no unit {id:?}")))?;
    if row.device.circuit().is_none() {
        return Err(Problem::unknown(format!("{id:?} is no unit but a node or a sentinel: see /api/nodes")));
    }
    Ok(row)
}

/// Which cases are wanted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CaseQuery {
    #[serde(default)]
    open: bool,
    unit: Option<String>,
    /// The reference of an umbrella.
    umbrella: Option<String>,
    /// `missing`: only incidents of which nobody said what was looked at before.
    prechecks: Option<String>,
    /// The reference before which the page begins.
    before: Option<String>,
    limit: Option<usize>,
}

/// `/api/cases`: newest first.
pub(super) async fn cases(State(web): Shared, wanted: Result<Query<CaseQuery>, QueryRejection>) -> Answer {
    let wanted = query(wanted)?;
    let below = wanted.before.as_deref().map(Reference::parse).transpose()?.map(Reference::number);
    let umbrella = wanted.umbrella.as_deref().map(Reference::parse).transpose()?;
    let lacks_prechecks = match wanted.prechecks.as_deref() {
        None => false,
        Some("missing") => true,
        Some(other) => return Err(Problem::bad(format!("prechecks can be missing, and not {other:?}"))),
    };
    let (open_only, unit, limit) = (wanted.open, wanted.unit, page(wanted.limit)?);
    let filter = CaseFilter { open_only, unit, umbrella, lacks_prechecks, below, limit };
    let scene = web.scene();
    let found = web.readers.read(move |reader| Ok(reader.cases(&filter)?)).await?;
    let form = |case| CaseForm::new(case, &scene);
    good(&found.into_iter().map(form).collect::<Vec<_>>())
}

/// `/api/cases/{ref}`.
pub(super) async fn case(State(web): Shared, reference: Result<Path<String>, PathRejection>) -> Answer {
    let reference = Reference::parse(&segment(reference)?)?;
    let scene = web.scene();
    let detail = web.readers.read(move |reader| {
        let case = known_case(reader, reference)?;
        let papers = papers(reader, reference, &scene)?;
        Ok(CaseDetail::new(CaseForm::new(case, &scene), papers))
    });
    good(&detail.await?)
}

/// What was noted and written about a case or an umbrella.
pub(super) fn papers(reader: &Reader, reference: Reference, scene: &Scene) -> Result<Papers, Problem> {
    // One more than is shown tells whether there is more.
    let timeline = reader.timeline(reference, MAX_TIMELINE + 1)?;
    // One that is let go meanwhile is rather shown twice than not at all.
    let held = reader.held(reference, MAX_TIMELINE + 1)?;
    let letters = reader.letters(reference, MAX_TIMELINE + 1)?;
    Ok(Papers::new(timeline, letters, held, MAX_TIMELINE, scene))
}

#[derive(Serialize)]
struct Explanation {
    reference: String,
    sentences: Vec<String>,
}

/// `/api/cases/{ref}/explain`.
pub(super) async fn explain(State(web): Shared, reference: Result<Path<String>, PathRejection>) -> Answer {
    let reference = Reference::parse(&segment(reference)?)?;
    let look = web.readers.read(move |reader| {
        let case = known_case(reader, reference)?;
        let past = reader.ledger(&case.opening.unit, MAX_LEDGER)?;
        Ok((reader.held(reference, MAX_TIMELINE)?, past, case))
    });
    let (held, past, case) = look.await?;
    let scene = web.scene();
    let mut sentences = (scene.words.explain)(&case, &past, scene.now, &scene.calendar);
    sentences.extend(held.iter().map(|letter| (scene.words.held)(letter, &scene.calendar)));
    good(&Explanation { reference: reference.to_string(), sentences })
}

fn known_case(reader: &Reader, reference: Reference) -> Result<Case, Problem> {
    if let Some(case) = reader.case(reference)? {
        return Ok(case);
    }
    // References of both look alike.
    Err(Problem::unknown(match reader.umbrella(reference)? {
        Some(_) => format!("{reference} is no case but an umbrella: see /api/umbrellas/{reference}"),
        None => format!("there is no case {reference}"),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Time;
    use crate::web::board::SILENT_AFTER;
    use crate::web::scene::WORDS;

    #[test]
    fn a_watch_that_does_not_move_is_failing() {
        let summary = Summary::at_start(Time::from_millis(0), Arc::new(Calendar::default()));
        assert_eq!(HealthForm::new(&summary, SILENT_AFTER, WORDS, Vec::new()).status, "ok");
        assert_eq!(HealthForm::new(&summary, SILENT_AFTER, WORDS, vec!["no mail".into()]).status, "degraded");
        let late = SILENT_AFTER + Duration::from_millis(1);
        assert_eq!(HealthForm::new(&summary, late, WORDS, Vec::new()).status, "failing");
    }
}
