//! `/api/maintenance`: what is planned, and planning it.

use super::Web;
use super::api::{good, named, page, query, segment};
use super::desk::{actor, ask, may_change, read_json};
use super::doors::Caller;
use super::problem::{Problem, json};
use super::scene::Scene;
use crate::domain::maintenance::{Draft, Maintenance, Origin, Scope, Stage};
use crate::domain::turn::{self, Wish};
use axum::body::Body;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Extension, Path, Query, State};
use axum::http::{Request, StatusCode};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The longest remark to customers, in characters: it is a line of a letter.
pub const MAX_REMARK: usize = 200;

/// Which maintenances are wanted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MaintenanceQuery {
    stage: Option<String>,
    limit: Option<usize>,
}

/// A maintenance in a list.
#[derive(Serialize)]
pub(super) struct MaintenanceForm {
    id: String,
    scope: String,
    from: Option<String>,
    until: Option<String>,
    emergency: bool,
    note: Option<String>,
    stage: &'static str,
    revision: u32,
    /// `config` or `staff`.
    origin: &'static str,
    by: Option<String>,
    planned_at: Option<String>,
    announced_at: Option<String>,
    notice_s: u64,
    short_notice: bool,
}

impl MaintenanceForm {
    pub(super) fn new(maintenance: &Maintenance, scene: &Scene) -> Self {
        let Maintenance { window, origin, revision, planned_at, announced_at, stage } = maintenance;
        let (origin, by) = match origin {
            Origin::Config => ("config", None),
            Origin::Staff(name) => ("staff", Some(name.clone())),
        };
        Self {
            id: window.id.clone(),
            scope: window.scope.to_string(),
            from: scene.stamp(window.from),
            until: scene.stamp(window.until),
            emergency: window.emergency,
            note: window.note.clone(),
            stage: stage.name(),
            revision: *revision,
            origin,
            by,
            planned_at: scene.stamp(*planned_at),
            announced_at: scene.stamp(*announced_at),
            notice_s: maintenance.notice().as_secs(),
            short_notice: maintenance.is_short_notice(),
        }
    }
}

/// `/api/maintenance`: what begins last comes first.
pub(super) async fn list(
    State(web): State<Arc<Web>>,
    wanted: Result<Query<MaintenanceQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let MaintenanceQuery { stage, limit } = query(wanted)?;
    let limit = page(limit)?;
    let stage = stage.map(|name| named("stage", &name, Stage::ALL, Stage::name)).transpose()?;
    let scene = web.scene();
    // The stage is looked at here, among so many: what is yet to come begins last, so it is in any case among them.
    let all = if stage.is_some() { super::MAX_PAGE } else { limit };
    let found = web.readers.read(move |reader| Ok(reader.maintenance(all)?)).await?;
    let wanted = found.iter().filter(|maintenance| stage.is_none_or(|stage| maintenance.stage == stage));
    good(&wanted.take(limit).map(|maintenance| MaintenanceForm::new(maintenance, &scene)).collect::<Vec<_>>())
}

/// Body of a `POST` to `/api/maintenance`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Plan {
    id: String,
    scope: String,
    from: String,
    until: String,
    /// Not said: as it is, which is no for a new one.
    emergency: Option<bool>,
    /// Not said: as it is.
    note: Option<String>,
    by: Option<String>,
}

impl Plan {
    /// What is to be planned, and who wants it, if that is said.
    fn read(self, scene: &Scene) -> Result<(Draft, Option<String>), Problem> {
        let draft = Draft {
            id: self.id,
            scope: Scope::parse(&self.scope).map_err(|e| Problem::bad(e.to_string()))?,
            from: scene.moment("from", &self.from)?,
            until: scene.moment("until", &self.until)?,
            emergency: self.emergency,
            note: self.note.map(remark).transpose()?,
        };
        Ok((draft, self.by))
    }
}

/// Body of `…/cancel`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cancel {
    by: Option<String>,
}

#[derive(Serialize)]
struct Done {
    done: &'static str,
    maintenance: MaintenanceForm,
}

/// `POST /api/maintenance`: plans one, or changes one that is planned.
pub(super) async fn plan(
    State(web): State<Arc<Web>>,
    Extension(caller): Extension<Caller>,
    request: Request<Body>,
) -> Result<Response, Problem> {
    may_change(caller, request.headers(), web.services.token.as_ref())?;
    let (draft, by) = read_json::<Plan>(request).await?.read(&web.scene())?;
    let by = actor(&web, caller, by).await?;
    answer(&web, "plan", &ask(&web, by, Wish::Maintain(draft)).await?)
}

/// `POST /api/maintenance/{id}/cancel`: calls one off; one that is active ends now.
pub(super) async fn cancel(
    State(web): State<Arc<Web>>,
    Extension(caller): Extension<Caller>,
    id: Result<Path<String>, PathRejection>,
    request: Request<Body>,
) -> Result<Response, Problem> {
    may_change(caller, request.headers(), web.services.token.as_ref())?;
    let id = segment(id)?;
    let Cancel { by } = read_json(request).await?;
    let by = actor(&web, caller, by).await?;
    answer(&web, "cancel", &ask(&web, by, Wish::CallOff { id }).await?)
}

fn answer(web: &Web, done: &'static str, answer: &turn::Done) -> Result<Response, Problem> {
    let turn::Done::Maintenance(maintenance) = answer else {
        unreachable!("who plans a maintenance is given a maintenance")
    };
    let maintenance = MaintenanceForm::new(maintenance, &web.scene());
    Ok(json(StatusCode::OK, &Done { done, maintenance }))
}

/// One line for customers.
fn remark(text: String) -> Result<String, Problem> {
    if text.trim().is_empty() {
        return Err(Problem::bad("the note is empty: write what is done, or leave it out"));
    }
    if text.chars().count() > MAX_REMARK {
        return Err(Problem::bad(format!("the note is longer than {MAX_REMARK} characters: shorten it")));
    }
    match text.chars().find(|c| c.is_control()) {
        Some(c) => Err(Problem::bad(format!("the note contains {c:?}: write one line without control characters"))),
        None => Ok(text),
    }
}
