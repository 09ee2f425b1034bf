//! What came of a replay, for people and for programs.

use super::Report;
use super::cases::{Change, Opened};
use crate::domain::time::Calendar;
use crate::story::Print;
use crate::text::{duration, many, rfc3339, utc};
use serde_json::{Value, json};
use std::io::{self, Write};

/// How far the answer can be trusted.
const CAVEAT: &str = "this is right to within one interval of a unit; single lost probes of lines without noteworthy hours, what \
    SNMP agents told and what people did to cases are not replayed";

/// Prints the difference to `out`.
///
/// # Errors
/// If `out` does not take it.
pub fn print(report: &Report, calendar: &Calendar, print: Print, out: &mut dyn Write) -> io::Result<()> {
    match print {
        Print::Json => writeln!(out, "{}", fields(report, calendar)),
        Print::Words => words(report, calendar, out),
    }
}

/// So many changes of a kind.
fn count(report: &Report, kind: fn(&Change) -> bool) -> usize {
    report.changes.iter().filter(|change| kind(change)).count()
}

fn totals(report: &Report) -> [usize; 3] {
    [
        count(report, |change| matches!(change, Change::Also(_))),
        count(report, |change| matches!(change, Change::Not(_))),
        count(report, |change| matches!(change, Change::Otherwise { .. })),
    ]
}

fn words(report: &Report, calendar: &Calendar, out: &mut dyn Write) -> io::Result<()> {
    let Report { since, until, .. } = report;
    writeln!(
        out,
        "replayed: {} to {}, {}",
        utc(*since, calendar),
        utc(*until, calendar),
        duration(until.since(*since))
    )?;
    if since > &report.asked_since {
        let asked = duration(until.since(report.asked_since));
        writeln!(out, "nothing is recorded before that, though {asked} were asked for")?;
    }
    let left_out = match report.left_out {
        0 => String::new(),
        some => format!("; {some} left out, of which nothing is recorded that could open a case"),
    };
    writeln!(out, "{} took part{left_out}", many(report.units, "unit"))?;
    for change in &report.changes {
        let line = match change {
            Change::Also(case) => format!("would also have opened: {}", case_words(case, calendar)),
            Change::Not(case) => format!("would not have opened: {}", case_words(case, calendar)),
            Change::Otherwise { was, would } => {
                let (was, would) = (case_words(was, calendar), case_words(would, calendar));
                format!("would have opened otherwise: {would}; instead of {was}")
            }
        };
        writeln!(out, "{line}")?;
    }
    writeln!(out, "{}", summary(report))?;
    writeln!(out, "{}", trust(report))?;
    match report.unrepeatable {
        0 => {}
        1 => writeln!(out, "1 more was opened by what SNMP agents told, which is not recorded")?,
        more => writeln!(out, "{more} more were opened by what SNMP agents told, which is not recorded")?,
    }
    writeln!(out, "{CAVEAT}")
}

fn summary(report: &Report) -> String {
    let [also, not, otherwise] = totals(report);
    let parts = [(also, "would also have opened"), (not, "would not have opened"), (otherwise, "otherwise")];
    let parts: Vec<String> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    let differ = if parts.is_empty() { "no difference".to_owned() } else { parts.join(", ") };
    let after = if report.after == 0 { "none".to_owned() } else { report.after.to_string() };
    format!("{} under the settings in force, {after} under the new ones: {differ}", many(report.before, "case"))
}

/// How much of what happened in fact the replay has.
fn trust(report: &Report) -> String {
    match (report.recorded, report.reproduced) {
        (0, _) => "in fact the watch opened no case".to_owned(),
        (1, 0) => {
            "in fact the watch opened 1 case, which the replay under the settings in force does not have".to_owned()
        }
        (1, _) => {
            "in fact the watch opened 1 case, which the replay under the settings in force has as well".to_owned()
        }
        (opened, same) => {
            format!(
                "in fact the watch opened {opened} cases, of which the replay under the settings in force has {same}"
            )
        }
    }
}

fn case_words(case: &Opened, calendar: &Calendar) -> String {
    let Opened { unit, priority, became, returned, .. } = case;
    let mut words = format!("{} on {unit} at {}", priority.name(), utc(case.opened_at, calendar));
    words.push_str(&format!(" ({} since {}", case.why(), utc(case.began_at, calendar)));
    if became != priority {
        words.push_str(&format!(", later {}", became.name()));
    }
    match returned {
        0 => {}
        1 => words.push_str(", returned once"),
        _ => words.push_str(&format!(", returned {returned} times")),
    }
    words + ")"
}

fn fields(report: &Report, calendar: &Calendar) -> Value {
    let changes = report.changes.iter().map(|change| match change {
        Change::Also(case) => json!({ "change": "also", "would": case_fields(case, calendar) }),
        Change::Not(case) => json!({ "change": "not", "was": case_fields(case, calendar) }),
        Change::Otherwise { was, would } => json!({
            "change": "otherwise", "was": case_fields(was, calendar), "would": case_fields(would, calendar),
        }),
    });
    let [also, not, otherwise] = totals(report);
    json!({
        "asked_since": rfc3339(report.asked_since, calendar),
        "since": rfc3339(report.since, calendar),
        "until": rfc3339(report.until, calendar),
        "units": report.units,
        "left_out": report.left_out,
        "changes": changes.collect::<Vec<_>>(),
        "before": report.before,
        "after": report.after,
        "also": also,
        "not": not,
        "otherwise": otherwise,
        "recorded": report.recorded,
        "reproduced": report.reproduced,
        "not_repeatable": report.unrepeatable,
        "caveat": CAVEAT,
    })
}

fn case_fields(case: &Opened, calendar: &Calendar) -> Value {
    json!({
        "unit": case.unit,
        "priority": case.priority.name(),
        "became": case.became.name(),
        "reason": case.why(),
        "since": rfc3339(case.began_at, calendar),
        "opened_at": rfc3339(case.opened_at, calendar),
        "returned": case.returned,
    })
}
