//! Reports: how repairs, promises and lines stood over a time. Scores are never alone: each says of how many it is.

use super::Web;
use super::api::query;
use super::board::Board;
use super::problem::{Problem, json};
use crate::domain::watch::Circuit;
use crate::store::{Availability, CustomerRow, ReadError, Reader, SlaRow, Span, SurveyRow};
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use core::time::Duration;
use serde::Deserialize;
use serde_json::{Map, Value, json as object};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a report is to be about.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// Its first moment.
    since: Option<String>,
    /// The same, in seconds before now.
    ago_s: Option<u64>,
    format: Option<String>,
}

/// The reports that there are.
const REPORTS: [&str; 5] = ["sla", "promises", "tiers", "silent", "surveys"];
/// How far a report goes back if nobody says.
const USUAL: Duration = Duration::from_secs(30 * 24 * 3_600);

/// Rows of a report: in each the same fields, in the same order.
struct Report {
    columns: &'static [&'static str],
    rows: Vec<Vec<Value>>,
    /// What holds of all rows.
    total: Value,
}

/// `GET /api/reports/{name}`.
pub(super) async fn show(
    State(web): State<Arc<Web>>,
    name: Result<Path<String>, PathRejection>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, Problem> {
    let name = super::api::segment(name)?;
    let known = REPORTS
        .into_iter()
        .find(|known| *known == name)
        .ok_or_else(|| Problem::unknown(format!("there is no report {name:?}: choose from {}", REPORTS.join(", "))))?;
    let Wanted { since, ago_s, format } = query(wanted)?;
    let scene = web.scene();
    let from = match (since, ago_s) {
        (Some(since), None) => scene.moment("since", &since)?,
        (None, Some(ago)) => scene.now - Duration::from_secs(ago),
        (None, None) => scene.now - USUAL,
        (Some(_), Some(_)) => return Err(Problem::bad("say either since or ago_s")),
    };
    let board = Arc::clone(&web.services.board);
    let read = web.readers.read(move |reader| {
        let span = reader.span(from)?;
        Ok((report(known, reader, span, &board)?, span))
    });
    let (report, span) = read.await?;
    match format.as_deref() {
        None | Some("json") => {
            let ends = [span.from, span.until].map(|at| scene.stamp(at));
            let rows: Vec<Value> = report.rows.iter().map(|row| as_object(report.columns, row)).collect();
            let [from, until] = ends;
            let body = object!({ "report": known, "from": from, "until": until, "total": report.total, "rows": rows });
            Ok(json(StatusCode::OK, &body))
        }
        Some("csv") => {
            let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"))];
            Ok((kind, csv_of(&report)?).into_response())
        }
        Some(other) => Err(Problem::bad(format!("there is no format {other:?}: choose from json, csv"))),
    }
}

fn as_object(columns: &[&str], row: &[Value]) -> Value {
    let fields: Map<String, Value> =
        columns.iter().zip(row).map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    Value::Object(fields)
}

fn csv_of(report: &Report) -> Result<Vec<u8>, Problem> {
    let fail = |_| Problem::unavailable("the report can't be written as CSV");
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(report.columns).map_err(fail)?;
    for row in &report.rows {
        let cell = |value: &Value| {
            value
                .as_str()
                .map_or_else(|| if value.is_null() { String::new() } else { value.to_string() }, str::to_owned)
        };
        writer.write_record(row.iter().map(cell)).map_err(fail)?;
    }
    writer.into_inner().map_err(|_| Problem::unavailable("the report can't be written as CSV"))
}

fn report(name: &str, reader: &Reader, span: Span, board: &Board) -> Result<Report, ReadError> {
    match name {
        "sla" => sla(reader, span, board),
        "promises" => promises(reader, span),
        "tiers" => tiers(reader, span),
        "surveys" => surveys(reader, span, board),
        _ => silent(reader, span, board),
    }
}

/// Availability of the units of the present inventory, by what `key` makes of their circuits; with how many they are.
fn availability<K: Ord>(
    reader: &Reader,
    span: Span,
    board: &Board,
    key: impl Fn(&Circuit) -> K,
) -> Result<BTreeMap<K, (u64, Availability)>, ReadError> {
    let mut found: BTreeMap<K, (u64, Availability)> = BTreeMap::new();
    reader.availability(span, |unit, availability| {
        let row = board.find(unit);
        if let Some(circuit) = row.as_ref().and_then(|row| row.device.circuit()) {
            let (units, sum) = found.entry(key(circuit)).or_default();
            *units += 1;
            sum.add(&availability);
        }
    })?;
    Ok(found)
}

/// In per cent, with three digits after the point, and how much of the time nobody saw.
fn share(availability: &Availability) -> [Value; 2] {
    let percent = availability.percent().map(|percent| (percent * 1_000.0).round() / 1_000.0);
    [percent.into(), availability.unseen.as_secs().into()]
}

fn mean(sum: Duration, count: u64) -> Value {
    sum.as_secs().checked_div(count).into()
}

fn sla(reader: &Reader, span: Span, board: &Board) -> Result<Report, ReadError> {
    let key = |circuit: &Circuit| (circuit.terms.service.clone(), circuit.terms.region.clone());
    let mut units = availability(reader, span, board, key)?;
    let mut rows = Vec::new();
    let (mut kept, mut of) = (0, 0);
    let mut row = |sla: &SlaRow, units: u64, available: &Availability| {
        let [percent, unseen] = share(available);
        kept += sla.kept;
        of += sla.kept + sla.missed;
        rows.push(vec![
            sla.service.as_str().into(),
            sla.region.as_str().into(),
            sla.cases.into(),
            sla.kept.into(),
            (sla.kept + sla.missed).into(),
            sla.excused.into(),
            mean(sla.took, sla.solved),
            units.into(),
            percent,
            unseen,
        ]);
    };
    for sla in reader.report_sla(span)? {
        let (units, available) = units.remove(&(sla.service.clone(), sla.region.clone())).unwrap_or_default();
        row(&sla, units, &available);
    }
    for ((service, region), (units, available)) in units {
        row(&SlaRow { service, region, ..SlaRow::default() }, units, &available);
    }
    let columns = &[
        "service",
        "region",
        "cases",
        "ttr_kept",
        "ttr_of",
        "excused",
        "mean_repair_s",
        "units",
        "availability",
        "unseen_s",
    ];
    Ok(Report { columns, rows, total: object!({ "ttr_kept": kept, "ttr_of": of }) })
}

fn promises(reader: &Reader, span: Span) -> Result<Report, ReadError> {
    let found = reader.report_promises(span)?;
    let (kept, missed): (u64, u64) = (found.iter().map(|row| row.kept).sum(), found.iter().map(|row| row.missed).sum());
    let row = |row: &crate::store::PromiseRow| {
        vec![row.kind.name().into(), row.kept.into(), (row.kept + row.missed).into(), row.missed.into()]
    };
    let rows = found.iter().map(row).collect();
    Ok(Report {
        columns: &["promise", "kept", "of", "missed"],
        rows,
        total: object!({ "kept": kept, "of": kept + missed }),
    })
}

fn tiers(reader: &Reader, span: Span) -> Result<Report, ReadError> {
    let found = reader.report_tiers(span)?;
    let cases: u64 = reader.report_solved(span)?;
    let escalations: u64 = found.iter().map(|row| row.escalations).sum();
    let alone = found.iter().find(|row| row.level.is_none()).map_or(0, |row| row.solved);
    let row = |row: &crate::store::TierRow| {
        let level = row.level.map_or("none", crate::domain::desk::Level::name);
        vec![
            level.into(),
            row.cases.into(),
            row.solved.into(),
            cases.into(),
            row.escalations.into(),
            row.at_work.as_secs().into(),
            mean(row.at_work, row.cases),
        ]
    };
    let rows = found.iter().map(row).collect();
    let columns = &["level", "cases", "solved_here", "solved_of", "escalations", "at_work_s", "mean_at_work_s"];
    let total = object!({ "cases": cases, "escalations": escalations, "solved_without": alone, "solved_of": cases });
    Ok(Report { columns, rows, total })
}

fn silent(reader: &Reader, span: Span, board: &Board) -> Result<Report, ReadError> {
    let mut units = availability(reader, span, board, |circuit| circuit.customer.to_string())?;
    let mut found = reader.report_customers(span)?;
    let quiet: Vec<String> = units.keys().filter(|id| !found.iter().any(|row| row.customer == **id)).cloned().collect();
    found.extend(quiet.into_iter().map(|customer| CustomerRow { customer, ..CustomerRow::default() }));
    found.sort_by(|one, other| one.customer.cmp(&other.customer));
    let rows: Vec<Vec<Value>> = found
        .iter()
        .map(|row| {
            let (count, available) = units.remove(&row.customer).unwrap_or_default();
            let [percent, unseen] = share(&available);
            vec![
                row.customer.as_str().into(),
                row.cases.into(),
                row.repeated.into(),
                row.returned.into(),
                row.kept.into(),
                (row.kept + row.missed).into(),
                count.into(),
                percent,
                unseen,
            ]
        })
        .collect();
    let columns = &[
        "customer",
        "cases",
        "repeated",
        "returned",
        "promises_kept",
        "promises_of",
        "units",
        "availability",
        "unseen_s",
    ];
    let total = object!({ "customers": rows.len() });
    Ok(Report { columns, rows, total })
}

/// A mean score from which on a customer says that all is well.
const HIGH: f64 = 4.0;
/// A mean score down to which a customer says that it is not.
const LOW: f64 = 2.0;
/// A customer has many cases for his units if he has so many times the usual.
const MANY: f64 = 2.0;
/// And so many at the least: of fewer nobody can say.
const MANY_CASES: u64 = 3;
/// He has few, if he has at most this part of the usual.
const FEW: f64 = 0.5;

/// What customers said, beside what they met with (R106, R108). A mean never stands alone: the text says of how many it is.
fn surveys(reader: &Reader, span: Span, board: &Board) -> Result<Report, ReadError> {
    let units = availability(reader, span, board, |circuit| circuit.customer.to_string())?;
    let met: BTreeMap<String, CustomerRow> =
        reader.report_customers(span)?.into_iter().map(|row| (row.customer.clone(), row)).collect();
    let trouble = |customer: &str| met.get(customer).map_or(0, |row| row.cases + row.returned);
    let all_units: u64 = units.values().map(|(count, _)| count).sum();
    let usual = ratio(met.values().map(|row| row.cases + row.returned).sum(), all_units);
    let mut all = SurveyRow::default();
    let found = reader.report_surveys(span)?;
    let rows = found
        .iter()
        .map(|row| {
            all.sent += row.sent;
            all.answered += row.answered;
            all.score_sum += row.score_sum;
            let (cases, returned) = met.get(&row.customer).map_or((0, 0), |row| (row.cases, row.returned));
            let load = units.get(&row.customer).and_then(|(count, _)| ratio(trouble(&row.customer), *count));
            vec![
                row.customer.as_str().into(),
                row.answered.into(),
                row.sent.into(),
                rate(row).into(),
                score(row).into(),
                row.score_sum.into(),
                cases.into(),
                returned.into(),
                contradiction(row, cases + returned, load, usual).into(),
            ]
        })
        .collect();
    let columns =
        &["customer", "answered", "answered_of", "rate", "score", "score_sum", "cases", "returned", "contradiction"];
    let total = object!({
        "answered": all.answered, "answered_of": all.sent, "rate": rate(&all), "score": score(&all),
        "score_sum": all.score_sum,
    });
    Ok(Report { columns, rows, total })
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// `14% (1 of 7)`.
fn rate(row: &SurveyRow) -> Option<String> {
    let share = ratio(row.answered, row.sent)?;
    Some(format!("{:.0}% ({} of {})", share * 100.0, row.answered, row.sent))
}

/// `4.5 (2 of 7)`: the mean, and of how many who were asked it is.
fn score(row: &SurveyRow) -> Option<String> {
    let mean = ratio(row.score_sum, row.answered)?;
    Some(format!("{mean:.1} ({} of {})", row.answered, row.sent))
}

/// Where what a customer says does not fit what he met with.
fn contradiction(row: &SurveyRow, trouble: u64, load: Option<f64>, usual: Option<f64>) -> Option<&'static str> {
    let (mean, load, usual) = (ratio(row.score_sum, row.answered)?, load?, usual?);
    if mean >= HIGH && trouble >= MANY_CASES && load >= MANY * usual {
        Some("content, with many cases")
    } else if mean <= LOW && load <= FEW * usual {
        Some("not content, with few cases")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn row(sent: u64, answered: u64, score_sum: u64) -> SurveyRow {
        SurveyRow { customer: String::new(), sent, answered, score_sum }
    }

    #[test]
    fn a_mean_says_of_how_many_it_is() {
        assert_eq!(score(&row(7, 2, 9)).as_deref(), Some("4.5 (2 of 7)"));
        assert_eq!(rate(&row(7, 1, 5)).as_deref(), Some("14% (1 of 7)"));
        assert_eq!((score(&row(7, 0, 0)), rate(&row(0, 0, 0))), (None, None));
    }

    #[test]
    fn what_does_not_fit_is_flagged() {
        let flag = |sum, trouble, load| contradiction(&row(9, 2, sum), trouble, Some(load), Some(1.0));
        assert_eq!(flag(8, 3, 2.0), Some("content, with many cases"));
        assert_eq!([flag(7, 3, 2.0), flag(8, 2, 2.0), flag(8, 3, 1.9)], [None; 3]);
        assert_eq!(flag(4, 1, 0.5), Some("not content, with few cases"));
        assert_eq!([flag(5, 1, 0.5), flag(4, 1, 0.6)], [None; 2]);
        assert_eq!(contradiction(&row(9, 0, 0), 9, Some(9.0), Some(1.0)), None, "nobody said anything");
    }
}
