//! A "no" over HTTP: a status, and a sentence that says what, why, and what to do.

use crate::domain::desk::{Misread, Reference};
use crate::domain::party::BadContact;
use crate::domain::turn::{BadMaintenance, BadReport, Refusal};
use crate::store::{OpenError, ReadError};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// What goes wrong with a request.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) status: StatusCode,
    pub(super) error: String,
    /// What is open already, and may be the same (R23).
    pub(super) duplicate: Option<Reference>,
}

#[derive(Serialize)]
struct Form<'a> {
    error: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    possible_duplicate_of: Option<String>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self { status, error: error.into(), duplicate: None }
    }

    pub(super) fn bad(error: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error)
    }

    pub(super) fn unknown(error: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, error)
    }

    pub(super) fn unavailable(error: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, error)
    }

    pub(super) async fn no_such_path() -> Self {
        Self::unknown(
            "there is nothing at this path: /api/status, /api/units, /api/nodes, /api/cases, /api/umbrellas, \
             /api/maintenance, /api/reports/sla, /health, /metrics and /metrics/units exist",
        )
    }

    pub(super) async fn wrong_method() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "this path does not take this method: GET reads, POST changes")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let possible_duplicate_of = self.duplicate.map(|reference| reference.to_string());
        let mut response = json(self.status, &Form { error: &self.error, possible_duplicate_of });
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let duplicate = refusal.duplicate_of();
        let status = match refusal {
            Refusal::UnknownReference { .. }
            | Refusal::UnknownUnit { .. }
            | Refusal::UnknownUmbrella { .. }
            | Refusal::UnknownMaintenance { .. }
            | Refusal::NotAside { .. }
            | Refusal::NoSurvey { .. }
            | Refusal::UnknownCustomer { .. }
            | Refusal::BadContact { why: BadContact::Unknown, .. }
            | Refusal::UnknownContact { .. }
            | Refusal::UnknownStaff { .. } => StatusCode::NOT_FOUND,
            Refusal::AlreadyOpen { .. }
            | Refusal::SameRequest { .. }
            | Refusal::NobodyToAnswer { .. }
            | Refusal::BadReport { why: BadReport::StillOpen(_) }
            | Refusal::NotOpen { .. }
            | Refusal::NotRouted { .. } => StatusCode::CONFLICT,
            Refusal::BadReport { why: BadReport::NoNotice | BadReport::Past | BadReport::NoRequest } => {
                StatusCode::BAD_REQUEST
            }
            Refusal::BadContact { why: BadContact::Taken | BadContact::TooMany, .. } => StatusCode::CONFLICT,
            Refusal::BadContact {
                why: BadContact::BadId | BadContact::Nameless | BadContact::NoWay | BadContact::NoSuchWay(_),
                ..
            } => StatusCode::BAD_REQUEST,
            Refusal::BadMaintenance { why, .. } => match why {
                BadMaintenance::BadId
                | BadMaintenance::EndsFirst
                | BadMaintenance::Past
                | BadMaintenance::TooLong
                | BadMaintenance::NothingThere => StatusCode::BAD_REQUEST,
                BadMaintenance::TooMany | BadMaintenance::Over | BadMaintenance::Begun | BadMaintenance::Configured => {
                    StatusCode::CONFLICT
                }
            },
        };
        Self { duplicate, ..Self::new(status, refusal.to_string()) }
    }
}

impl From<Misread> for Problem {
    fn from(misread: Misread) -> Self {
        Self::unknown(misread.to_string())
    }
}

impl From<ReadError> for Problem {
    fn from(fault: ReadError) -> Self {
        Self::unavailable(format!("{fault}; try again later"))
    }
}

impl From<OpenError> for Problem {
    fn from(fault: OpenError) -> Self {
        Self::unavailable(fault.to_string())
    }
}

/// A JSON answer.
pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    serde_json::to_vec(body).map_or_else(
        |_| StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        |bytes| {
            let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
            (status, kind, bytes).into_response()
        },
    )
}
