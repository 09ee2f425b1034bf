//! `POST /api/cases`: what people report.

use super::Web;
use super::api::{named, unit_row};
use super::board::Row;
use super::desk::{actor, as_it_stands, ask, may_change, note, person, read_json};
use super::doors::Caller;
use super::problem::{Problem, json};
use super::show::CaseForm;
use crate::domain::desk::{Channel, PreCheck, PreChecks, Priority, Reference, Report, Stage, Subject};
use crate::domain::turn::{self, Wish};
use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use core::ops::ControlFlow;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Body of a `POST` to `/api/cases`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Open {
    by: Option<String>,
    unit: Option<String>,
    /// Of the unit, in place of its id.
    order: Option<String>,
    subject: Option<String>,
    /// In place of the subject of an incident.
    priority: Option<String>,
    channel: Option<String>,
    note: Option<String>,
    /// What was looked at before: `yes`, `no` or `not asked` to each.
    #[serde(default)]
    prechecks: BTreeMap<String, String>,
    /// Who called: the id of a contact, or a mail address.
    contact: Option<String>,
    wanted_at: Option<String>,
    about: Option<String>,
    #[serde(default)]
    anyway: bool,
}

#[derive(Serialize)]
struct Opened {
    reference: String,
    priority: &'static str,
    subject: &'static str,
    unit: String,
    order: Option<String>,
    case: Option<CaseForm>,
}

/// `POST /api/cases`: opens a case by hand.
pub(super) async fn open(
    State(web): State<Arc<Web>>,
    Extension(caller): Extension<Caller>,
    request: Request<Body>,
) -> Result<Response, Problem> {
    may_change(caller, request.headers(), web.services.token.as_ref())?;
    let open: Open = read_json(request).await?;
    let row = place(&web, open.unit.as_deref(), open.order.as_deref()).await?;
    let unit = row.device.id.to_string();
    let (by, report) = open.read(&web)?;
    if let Some(about) = report.about {
        check_about(&web, about, &row).await?;
    }
    let by = actor(&web, caller, by).await?;
    let subject = report.subject;
    let opened = ask(&web, by, Wish::Open { unit: unit.clone(), report: Box::new(report) }).await?;
    let turn::Done::Case(reference) = opened else { unreachable!("who opens a case is given a case") };
    let case = as_it_stands(&web, reference).await;
    let reference = reference.to_string();
    let location = format!("/api/cases/{reference}");
    let order = row.device.circuit().map(|circuit| circuit.order.to_string());
    let (priority, subject) = (subject.priority().name(), subject.name());
    let opened = json(StatusCode::CREATED, &Opened { reference, priority, subject, unit, order, case });
    Ok(([(header::LOCATION, location)], opened).into_response())
}

impl Open {
    /// Who reports, if that is said, and what.
    fn read(self, web: &Web) -> Result<(Option<String>, Report), Problem> {
        let channel = self.channel.as_deref();
        let channel =
            channel.map_or(Ok(Channel::Api), |name| named("channel", name, Channel::BY_STAFF, Channel::name))?;
        let scene = web.scene();
        let report = Report {
            subject: subject(self.subject.as_deref(), self.priority.as_deref())?,
            channel,
            note: self.note.map(note).transpose()?,
            prechecks: prechecks(&self.prechecks)?,
            caller: self.contact.map(|contact| person("contact", contact)).transpose()?,
            wanted_at: self.wanted_at.map(|at| scene.moment("wanted_at", &at)).transpose()?,
            about: self.about.as_deref().map(Reference::parse).transpose()?,
            anyway: self.anyway,
        };
        if report.subject.is_request() && !report.prechecks.is_empty() {
            return Err(Problem::bad("pre-checks are for incidents: a request has nothing to be looked at before"));
        }
        Ok((self.by, report))
    }
}

/// The subject, by its name or by the priority of an incident. What contradicts is refused.
pub(super) fn subject(name: Option<&str>, priority: Option<&str>) -> Result<Subject, Problem> {
    let priority = priority.map(|name| named("priority", name, Priority::ALL, Priority::name)).transpose()?;
    let known = || Subject::ALL.map(|subject| format!("{} ({})", subject.name(), subject.title())).join(", ");
    let named = match name {
        Some(name) => Subject::parse(name)
            .ok_or_else(|| Problem::bad(format!("there is no subject {name:?}: choose from {}", known())))?,
        None => priority
            .and_then(Subject::of_incident)
            .ok_or_else(|| Problem::bad(format!("say what it is about: choose a subject from {}", known())))?,
    };
    match priority {
        Some(priority) if priority != named.priority() => Err(Problem::bad(format!(
            "{:?} is {} and not {}: leave the priority out, it follows from the subject",
            named.title(),
            named.priority().name(),
            priority.name()
        ))),
        Some(_) | None => Ok(named),
    }
}

fn prechecks(answers: &BTreeMap<String, String>) -> Result<PreChecks, Problem> {
    let mut checks = PreChecks::default();
    for (name, answer) in answers {
        let check = named("pre-check", name, PreCheck::ALL, PreCheck::name)?;
        checks.set(
            check,
            match answer.as_str() {
                "yes" => Some(true),
                "no" => Some(false),
                "not asked" => None,
                other => {
                    let bad = format!("the answer to {name} is {other:?}: choose from yes, no, not asked");
                    return Err(Problem::bad(bad));
                }
            },
        );
    }
    Ok(checks)
}

/// The unit that is named, by its id or by its order.
async fn place(web: &Web, unit: Option<&str>, order: Option<&str>) -> Result<Row, Problem> {
    match (unit, order) {
        (Some(unit), None) => unit_row(web, unit),
        (Some(unit), Some(order)) => {
            let row = unit_row(web, unit)?;
            let is_its = row.device.circuit().is_some_and(|circuit| circuit.order == *order);
            let other = || Problem::bad(format!("unit {unit:?} does not have the order {order:?}: name one of them"));
            is_its.then_some(row).ok_or_else(other)
        }
        (None, Some(order)) => by_order(web, order).await,
        (None, None) => Err(Problem::bad("name the \"unit\" or the \"order\" that it is about")),
    }
}

async fn by_order(web: &Web, order: &str) -> Result<Row, Problem> {
    let (mut found, mut after): (Vec<Row>, Option<String>) = (Vec::new(), None);
    loop {
        after = web.services.board.look(after.as_deref(), |row| {
            if row.device.circuit().is_some_and(|circuit| circuit.order == *order) {
                found.push(row.clone());
            }
            ControlFlow::Continue(())
        });
        if found.len() > 1 || after.is_none() {
            break;
        }
        // There may be a million: others have their turn.
        tokio::task::yield_now().await;
    }
    match (found.pop(), found.is_empty()) {
        (None, _) => Err(Problem::unknown(format!("the inventory has no order {order:?}"))),
        (Some(row), true) => Ok(row),
        (Some(_), false) => {
            Err(Problem::new(StatusCode::CONFLICT, format!("several units have the order {order:?}: name the unit")))
        }
    }
}

/// A request can be about a closed case of the same customer's on the same unit.
async fn check_about(web: &Web, about: Reference, row: &Row) -> Result<(), Problem> {
    let unknown = move || Problem::unknown(format!("there is no case {about}"));
    let case = web.readers.read(move |reader| reader.case(about)?.ok_or_else(unknown)).await?;
    let circuit = row.device.circuit();
    let is_theirs = case.opening.unit == row.device.id.as_str()
        && circuit.is_some_and(|circuit| circuit.customer == case.opening.circuit.customer);
    if !is_theirs {
        return Err(Problem::bad(format!("{about} is no case of this unit's and its customer's")));
    }
    match case.stage {
        Stage::Closed { .. } => Ok(()),
        Stage::New | Stage::Working { .. } | Stage::Waiting { .. } | Stage::Solved { .. } => {
            Err(Problem::new(StatusCode::CONFLICT, format!("{about} is not closed: work on it")))
        }
    }
}
