//! The reason for outage of a case: as it was issued last, or a draft of what is recorded by now.

use super::Web;
use super::api::{query, segment};
use super::problem::Problem;
use crate::domain::desk::Reference;
use crate::domain::rfo::Rfo;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use std::sync::Arc;

/// What of a document is wanted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    format: Option<String>,
    /// A draft, though one was issued.
    #[serde(default)]
    draft: bool,
}

/// The forms of a document, with their media types.
const FORMS: [(&str, &str); 3] =
    [("json", "application/json"), ("text", "text/plain; charset=utf-8"), ("html", "text/html; charset=utf-8")];

/// `GET /api/cases/{ref}/rfo`.
pub(super) async fn show(
    State(web): State<Arc<Web>>,
    reference: Result<Path<String>, PathRejection>,
    wanted: Result<Query<Wanted>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let reference = Reference::parse(&segment(reference)?)?;
    let Wanted { format, draft } = query(wanted)?;
    let (form, media) = form(format.as_deref(), &headers)?;
    let words = web.services.words;
    let document = web.readers.read(move |reader| {
        let issued = if draft { None } else { reader.rfo(reference)? };
        if let Some(issued) = issued {
            return Ok(issued.json);
        }
        let unknown = || Problem::unknown(format!("there is no case {reference}"));
        let (dossier, seal) = reader.dossier(reference)?.ok_or_else(unknown)?;
        Ok((words.draft)(&Rfo::of(dossier), seal.seq, &seal.hash.to_string(), &reader.calendar()?))
    });
    let document = document.await?;
    let body = if form == "json" {
        document
    } else {
        let document = serde_json::from_str(&document)
            .map_err(|_| Problem::unavailable("the store has a document that is none: see `ntuwatch rfo verify`"))?;
        if form == "html" { (words.rfo_html)(&document) } else { (words.rfo_text)(&document) }
    };
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static(media))], body).into_response())
}

/// The form that is asked for: by name, or by what the caller accepts.
fn form(format: Option<&str>, headers: &HeaderMap) -> Result<(&'static str, &'static str), Problem> {
    if let Some(format) = format {
        return FORMS
            .into_iter()
            .find(|(name, _)| *name == format)
            .ok_or_else(|| Problem::bad(format!("there is no format {format:?}: choose from json, text, html")));
    }
    let accepted = headers.get(header::ACCEPT).and_then(|accepted| accepted.to_str().ok()).unwrap_or_default();
    // The first that is named is the one that is wanted.
    let wanted = accepted
        .split(',')
        .filter_map(|kind| kind.split(';').next())
        .find_map(|kind| FORMS.into_iter().find(|(_, media)| media.split(';').next() == Some(kind.trim())));
    Ok(wanted.unwrap_or(FORMS[0]))
}
