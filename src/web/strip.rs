//! `/api/units/{id}/strip`: single rounds of a unit, as far as the store keeps them.

use super::Web;
use super::api::{query, segment, unit_row};
use super::problem::{Problem, json};
use super::scene::Scene;
use super::show::millis;
use crate::domain::time::Time;
use crate::domain::watch::{Cell, Chunk};
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use core::time::Duration;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The most rounds that one answer shows.
pub const MAX_CELLS: usize = 10_000;
/// The longest stretch of time that one request may ask for.
pub const MAX_STRIP: Duration = Duration::from_secs(7 * 24 * 3_600);
/// What is shown if the request does not say since when.
const DEFAULT_STRIP: Duration = Duration::from_secs(24 * 3_600);

/// Which rounds are wanted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StripQuery {
    from: Option<String>,
    until: Option<String>,
}

#[derive(Serialize)]
struct StripForm {
    unit: String,
    from: Option<String>,
    until: Option<String>,
    stretches: Vec<StretchForm>,
    /// Where the next page begins, if there is more.
    next: Option<String>,
}

/// Rounds that follow one another; what is not in any stretch was not kept.
#[derive(Serialize)]
struct StretchForm {
    from: Option<String>,
    interval_s: f64,
    cells: Vec<CellForm>,
}

/// A round trip in milliseconds, why there is none, or null if nobody asked.
#[derive(Serialize)]
#[serde(untagged)]
enum CellForm {
    Answered(f64),
    Missed(&'static str),
    Blank(()),
}

impl CellForm {
    fn new(byte: u8) -> Self {
        match Cell::from_byte(byte) {
            Cell::BLANK => Self::Blank(()),
            Cell::LOST => Self::Missed("lost"),
            Cell::DARK => Self::Missed("dark"),
            cell => cell.rtt().map_or(Self::Blank(()), |rtt| Self::Answered(millis(rtt))),
        }
    }
}

/// `/api/units/{id}/strip`.
pub(super) async fn strip(
    State(web): State<Arc<Web>>,
    id: Result<Path<String>, PathRejection>,
    wanted: Result<Query<StripQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let id = segment(id)?;
    let StripQuery { from, until } = query(wanted)?;
    unit_row(&web, &id)?;
    let scene = web.scene();
    let until = until.map_or(Ok(scene.now), |until| scene.moment("until", &until))?;
    let from = from.map_or(Ok(until - DEFAULT_STRIP), |from| scene.moment("from", &from))?;
    if until <= from {
        return Err(Problem::bad("until has to be later than from"));
    }
    if until.since(from) > MAX_STRIP {
        let days = MAX_STRIP.as_secs() / (24 * 3_600);
        return Err(Problem::bad(format!(
            "from and until are more than {days} days apart: ask for one part after another"
        )));
    }
    let form = web.readers.read(move |reader| {
        let (stretches, next) = cut(reader.strips(&id, from, until)?, from, until, &scene);
        let [from, until, next] = [Some(from), Some(until), next].map(|at| at.and_then(|at| scene.stamp(at)));
        Ok(StripForm { unit: id, from, until, stretches, next })
    });
    Ok(json(StatusCode::OK, &form.await?))
}

/// The rounds from `from` on and before `until`, and where there are more than one answer shows.
fn cut(chunks: Vec<Chunk>, from: Time, until: Time, scene: &Scene) -> (Vec<StretchForm>, Option<Time>) {
    let mut stretches = Vec::new();
    let mut room = MAX_CELLS;
    for Chunk { from: begin, interval, cells } in chunks {
        let at = |index: usize| begin + interval.saturating_mul(u32::try_from(index).unwrap_or(u32::MAX));
        let first = (0..cells.len()).find(|&index| at(index) >= from).unwrap_or(cells.len());
        let end = (first..cells.len()).find(|&index| at(index) >= until).unwrap_or(cells.len());
        let shown = cells.get(first..end).unwrap_or_default();
        if shown.is_empty() {
            continue;
        }
        let (shown, rest) = shown.split_at(shown.len().min(room));
        room -= shown.len();
        if !shown.is_empty() {
            let cells = shown.iter().map(|&byte| CellForm::new(byte)).collect();
            stretches.push(StretchForm { from: scene.stamp(at(first)), interval_s: interval.as_secs_f64(), cells });
        }
        if !rest.is_empty() {
            return (stretches, Some(at(end - rest.len())));
        }
    }
    (stretches, None)
}
