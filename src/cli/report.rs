//! `ntuwatch report`.

use super::client::{Client, encode};
use super::print::{Page, clean, elements, parse};
use super::{Exit, Failure};
use crate::text::parse_duration;
use clap::Args;
use serde_json::Value;

/// Say how repairs, promises and lines stood over a time
#[derive(Args, Debug)]
pub(super) struct Report {
    /// sla: repairs against the orders and availability, by service and region; promises: kept and missed, by kind;
    /// tiers: how far cases were escalated; silent: what each customer met with; surveys: what they said
    #[arg(value_parser = ["sla", "promises", "tiers", "silent", "surveys"])]
    name: String,
    /// From when on: a time such as 2027-03-01T00:00:00Z, or how long ago, such as 7d
    #[arg(long, default_value = "30d", value_name = "TIME|DURATION")]
    since: String,
    /// table, csv or json
    #[arg(long, default_value = "table", value_parser = ["table", "csv", "json"])]
    format: String,
}

pub(super) fn perform(report: &Report, client: &Client, page: &mut Page) -> Result<(), Failure> {
    let since = match parse_duration(&report.since) {
        Ok(ago) => format!("ago_s={}", ago.as_secs()),
        Err(_) => format!("since={}", encode(&report.since)),
    };
    let format = if report.format == "csv" && !page.json { "csv" } else { "json" };
    let body = client.get(&format!("/api/reports/{}?{since}&format={format}", report.name))?;
    match report.format.as_str() {
        "csv" if !page.json => {
            let text = String::from_utf8_lossy(&body);
            text.lines().try_for_each(|line| Ok(page.line(line)?))
        }
        "table" if !page.json => table(page, &parse(&body)?),
        _ => Ok(page.raw(&body)?),
    }
}

/// Counts stand beside what they are of: `3 of 4`.
fn table(page: &mut Page, report: &Value) -> Result<(), Failure> {
    let rows = elements(report, "rows");
    let Some(Value::Object(first)) = rows.first() else {
        return Ok(page.line("nothing within that time")?);
    };
    let names: Vec<&String> = first.keys().collect();
    let shown = |name: &str| !name.ends_with("_of") && name != "of";
    let mut lines = vec![names.iter().filter(|name| shown(name)).map(|name| name.to_uppercase()).collect::<Vec<_>>()];
    for row in rows {
        let cell = |(place, name): (usize, &&String)| {
            let value = word(row, name);
            match names.get(place + 1).filter(|next| !shown(next)) {
                Some(of) => format!("{value} of {}", word(row, of)),
                None => value,
            }
        };
        lines.push(names.iter().enumerate().filter(|(_, name)| shown(name)).map(cell).collect());
    }
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..lines.first().map_or(0, Vec::len)).map(width).collect();
    for line in &lines {
        let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        page.line(&cells.collect::<Vec<_>>().join("  "))?;
    }
    let Some(Value::Object(total)) = report.get("total") else { return Err(strange()) };
    let total: Vec<String> = total
        .keys()
        .map(|name| format!("{name} {}", word(report.get("total").unwrap_or(&Value::Null), name)))
        .collect();
    Ok(page.line(&format!("in all: {}", total.join(", ")))?)
}

fn strange() -> Failure {
    Failure::new(Exit::Software, "the daemon's answer has no total: are program and daemon of the same version?")
}

fn word(row: &Value, name: &str) -> String {
    match row.get(name) {
        Some(Value::String(text)) => clean(text),
        None | Some(Value::Null) => "-".to_owned(),
        Some(other) => other.to_string(),
    }
}
