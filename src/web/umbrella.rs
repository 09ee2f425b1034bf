//! `/api/umbrellas`: shared causes, and news for everybody under one.

use super::Web;
use super::api::{good, page, papers, query, segment};
use super::desk::{actor, ask, may_change, note, read_json};
use super::doors::Caller;
use super::problem::{Problem, json};
use super::scene::Scene;
use super::show::Papers;
use crate::domain::desk::{Case, Reference};
use crate::domain::turn::Wish;
use crate::store::{CaseFilter, Reader, UmbrellaRow};
use axum::body::Body;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Extension, Path, Query, State};
use axum::http::{Request, StatusCode};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The most cases that an umbrella shows; all of them are at `/api/cases?umbrella=REF`.
pub const MAX_CHILDREN: usize = 1_000;

/// Which umbrellas are wanted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UmbrellaQuery {
    #[serde(default)]
    open: bool,
    limit: Option<usize>,
}

/// An umbrella in a list.
#[derive(Serialize)]
struct UmbrellaForm {
    reference: String,
    cause: String,
    sentence: String,
    opened_at: Option<String>,
    first_loss_at: Option<String>,
    closed_at: Option<String>,
    lost: usize,
    of: usize,
    within_s: u64,
    case_count: usize,
    at_work_count: usize,
}

impl UmbrellaForm {
    fn new(row: UmbrellaRow, scene: &Scene) -> Self {
        let UmbrellaRow { umbrella, cases, at_work } = row;
        Self {
            reference: umbrella.reference.to_string(),
            cause: umbrella.cause.to_string(),
            sentence: (scene.words.cause)(&umbrella.cause),
            opened_at: scene.stamp(umbrella.opened_at),
            first_loss_at: scene.stamp(umbrella.first_loss),
            closed_at: umbrella.closed_at.and_then(|at| scene.stamp(at)),
            lost: umbrella.lost,
            of: umbrella.of,
            within_s: umbrella.within.as_secs(),
            case_count: cases,
            at_work_count: at_work,
        }
    }
}

/// An umbrella by itself.
#[derive(Serialize)]
struct UmbrellaDetail {
    #[serde(flatten)]
    umbrella: UmbrellaForm,
    /// False if the oldest ones are left out.
    cases_complete: bool,
    /// Newest first.
    cases: Vec<ChildForm>,
    #[serde(flatten)]
    papers: Papers,
}

/// A case under an umbrella.
#[derive(Serialize)]
struct ChildForm {
    reference: String,
    unit: String,
    customer: String,
    priority: &'static str,
    stage: &'static str,
}

impl ChildForm {
    fn new(case: Case) -> Self {
        Self {
            reference: case.opening.reference.to_string(),
            unit: case.opening.unit.clone(),
            customer: case.opening.circuit.customer.to_string(),
            priority: case.priority.name(),
            stage: case.stage.name(),
        }
    }
}

/// `/api/umbrellas`: newest first.
pub(super) async fn list(
    State(web): State<Arc<Web>>,
    wanted: Result<Query<UmbrellaQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let UmbrellaQuery { open, limit } = query(wanted)?;
    let limit = page(limit)?;
    let scene = web.scene();
    let found = web.readers.read(move |reader| Ok(reader.umbrellas(open, limit)?)).await?;
    good(&found.into_iter().map(|row| UmbrellaForm::new(row, &scene)).collect::<Vec<_>>())
}

/// `/api/umbrellas/{ref}`.
pub(super) async fn show(
    State(web): State<Arc<Web>>,
    reference: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let reference = Reference::parse(&segment(reference)?)?;
    let scene = web.scene();
    good(&web.readers.read(move |reader| detail(reader, reference, &scene)).await?)
}

fn detail(reader: &Reader, reference: Reference, scene: &Scene) -> Result<UmbrellaDetail, Problem> {
    let Some(row) = reader.umbrella(reference)? else {
        return Err(Problem::unknown(match reader.case(reference)? {
            Some(_) => format!("{reference} is no umbrella but a case: see /api/cases/{reference}"),
            None => format!("there is no umbrella {reference}"),
        }));
    };
    let umbrella = Some(reference);
    let filter =
        CaseFilter { open_only: false, unit: None, umbrella, lacks_prechecks: false, below: None, limit: MAX_CHILDREN };
    let cases: Vec<_> = reader.cases(&filter)?.into_iter().map(ChildForm::new).collect();
    let cases_complete = cases.len() >= row.cases;
    let papers = papers(reader, reference, scene)?;
    Ok(UmbrellaDetail { umbrella: UmbrellaForm::new(row, scene), cases_complete, cases, papers })
}

/// Body of `…/update`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Update {
    by: Option<String>,
    text: String,
}

#[derive(Serialize)]
struct Updated {
    done: &'static str,
    reference: String,
    umbrella: Option<UmbrellaForm>,
}

/// `POST /api/umbrellas/{ref}/update`: tells all customers whose cases are at work under it.
pub(super) async fn update(
    State(web): State<Arc<Web>>,
    Extension(caller): Extension<Caller>,
    reference: Result<Path<String>, PathRejection>,
    request: Request<Body>,
) -> Result<Response, Problem> {
    may_change(caller, request.headers(), web.services.token.as_ref())?;
    let umbrella = Reference::parse(&segment(reference)?)?;
    let Update { by, text } = read_json(request).await?;
    let text = note(text)?;
    let by = actor(&web, caller, by).await?;
    ask(&web, by, Wish::Update { umbrella, text }).await?;
    // It is done: whatever keeps us from reading it is no reason to say it is not.
    let row = web.readers.read(move |reader| Ok(reader.umbrella(umbrella)?)).await.ok().flatten();
    let form = row.map(|row| UmbrellaForm::new(row, &web.scene()));
    Ok(json(StatusCode::OK, &Updated { done: "update", reference: umbrella.to_string(), umbrella: form }))
}
