//! A document as people read it: headings, sentences and tables, as text or as HTML.

use super::super::time::duration;
use serde_json::Value;
use std::time::Duration;

/// A document's sections.
struct Sheet {
    title: String,
    sections: Vec<(&'static str, Vec<Block>)>,
}

enum Block {
    Words(String),
    /// Labels with their values.
    Table(Vec<(&'static str, String)>),
    /// Times with what happened then.
    Dated(Vec<(String, String)>),
}

/// The document as plain text.
#[must_use]
pub fn text(document: &Value) -> String {
    let Sheet { title, sections } = sheet(document);
    let mut text = format!("{title}\n{}\n", "=".repeat(title.chars().count()));
    for (heading, blocks) in sections {
        text.push_str(&format!("\n{heading}\n{}\n", "-".repeat(heading.chars().count())));
        for block in blocks {
            match block {
                Block::Words(words) => text.push_str(&format!("{words}\n")),
                Block::Table(rows) => {
                    for (label, value) in rows {
                        text.push_str(&format!("{:<23}{value}\n", format!("{label}:")));
                    }
                }
                Block::Dated(rows) => {
                    // What staff told may have several lines.
                    let indented = |what: &str| what.replace('\n', &format!("\n{:25}", ""));
                    rows.iter().for_each(|(at, what)| text.push_str(&format!("{at}  {}\n", indented(what))));
                }
            }
        }
    }
    text
}

/// The document as a page of its own: no script, nothing from elsewhere.
#[must_use]
pub fn html(document: &Value) -> String {
    let Sheet { title, sections } = sheet(document);
    let title = escaped(&title);
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{title}</title>\n<style>{STYLE}</style>\n\
         </head>\n<body>\n<h1>{title}</h1>\n"
    );
    for (heading, blocks) in sections {
        page.push_str(&format!("<h2>{}</h2>\n", escaped(heading)));
        for block in blocks {
            match block {
                Block::Words(words) => page.push_str(&format!("<p>{}</p>\n", escaped(&words))),
                Block::Table(rows) => {
                    let rows = rows.iter().map(|(label, value)| (*label, value.as_str()));
                    page.push_str(&html_table(rows));
                }
                Block::Dated(rows) => {
                    page.push_str(&html_table(rows.iter().map(|(at, what)| (at.as_str(), what.as_str()))));
                }
            }
        }
    }
    page.push_str("</body>\n</html>\n");
    page
}

const STYLE: &str = "body{font:15px/1.5 sans-serif;max-width:50em;margin:2em auto;padding:0 1em}\
    table{border-collapse:collapse}th,td{text-align:left;vertical-align:top;padding:.15em 1.5em .15em 0}\
    th{font-weight:normal;color:#555;white-space:nowrap}td{white-space:pre-wrap}";

fn html_table<'a>(rows: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let rows: String = rows
        .map(|(label, value)| format!("<tr><th>{}</th><td>{}</td></tr>\n", escaped(label), escaped(value)))
        .collect();
    format!("<table>\n{rows}</table>\n")
}

/// So that whatever people have written is text, and nothing else.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

fn sheet(document: &Value) -> Sheet {
    let draft = if flag(document, "draft") { "DRAFT: " } else { "" };
    let title = format!("{draft}Reason for outage, case {}", word(document, "reference"));
    let sections = vec![
        ("Your service", vec![Block::Table(service(document))]),
        ("What happened", what_happened(document)),
        ("Duration", durations(document)),
        ("Timeline", dated(document, "timeline", count(document, "timeline_in_all"))),
        ("What was done", dated(document, "done", 0)),
        ("What was promised", promises(document)),
        ("Time to repair", repair(document)),
        ("How to check this", vec![Block::Words(check(document))]),
    ];
    Sheet { title, sections }
}

fn service(document: &Value) -> Vec<(&'static str, String)> {
    let number = match count(document, "number") {
        0 => "draft, not issued".to_owned(),
        number => format!("{number}"),
    };
    vec![
        ("Document", number),
        ("Written", time(document, "written_at")),
        ("Customer", word(document, "customer")),
        ("Unit", word(document, "unit")),
        ("Order", word(document, "order")),
        ("Service", format!("{}, {}", word(document, "service"), word(document, "region"))),
        ("Priority", word(document, "priority")),
        ("Stage", word(document, "stage")),
    ]
}

fn what_happened(document: &Value) -> Vec<Block> {
    let part = part(document, "what_happened");
    let mut rows = vec![("Cause", word(part, "cause_words")), ("Confidence", word(part, "confidence"))];
    for witness in list(part, "witnesses") {
        rows.push(("Witness", witness.as_str().unwrap_or_default().to_owned()));
    }
    if let Some(degraded) = part.get("degraded").and_then(Value::as_str) {
        rows.push(("Degraded", degraded.to_owned()));
    }
    vec![Block::Words(word(part, "summary")), Block::Table(rows)]
}

fn durations(document: &Value) -> Vec<Block> {
    let part = part(document, "duration");
    let times = [
        ("First loss", "first_loss_at"),
        ("Detected", "detected_at"),
        ("Case opened", "opened_at"),
        ("Recovered", "recovered_at"),
        ("Solved", "solved_at"),
        ("Closed", "closed_at"),
    ];
    let spans = [
        ("Detected within", "detection_s"),
        ("Lost", "lost_s"),
        ("Of that as planned", "planned_s"),
        ("Degraded", "degraded_s"),
        ("INCONCLUSIVE", "inconclusive_s"),
        ("UNOBSERVED", "unobserved_s"),
    ];
    let mut rows: Vec<_> =
        times.into_iter().filter(|(_, key)| has(part, key)).map(|(label, key)| (label, time(part, key))).collect();
    let shown = |key: &&str| *key == "lost_s" || number(part, key) > 0.0;
    rows.extend(spans.into_iter().filter(|(_, key)| shown(key)).map(|(label, key)| (label, span(part, key))));
    let mut blocks = vec![Block::Table(rows)];
    let outages = list(document, "outages");
    let in_all = count(document, "outages_in_all");
    if in_all > 1 {
        blocks.push(Block::Words(format!("Contact was lost {in_all} times:")));
        let row = |outage: &Value| {
            let until = if has(outage, "until") { time(outage, "until") } else { "now".to_owned() };
            let planned = if flag(outage, "planned") { ", as planned" } else { "" };
            (time(outage, "from"), format!("until {until}, lost for {}{planned}", span(outage, "lost_s")))
        };
        blocks.push(Block::Dated(outages.iter().map(row).collect()));
        blocks.extend(left_out(outages.len(), in_all));
    }
    blocks
}

fn left_out(shown: usize, in_all: usize) -> Option<Block> {
    let more = in_all.checked_sub(shown).filter(|more| *more > 0)?;
    Some(Block::Words(format!("{more} more are left out here.")))
}

fn dated(document: &Value, key: &str, in_all: usize) -> Vec<Block> {
    let entries = list(document, key);
    if entries.is_empty() {
        return vec![Block::Words("Nothing is recorded.".to_owned())];
    }
    let rows = entries.iter().map(|entry| (time(entry, "at"), word(entry, "sentence"))).collect();
    let mut blocks: Vec<Block> = left_out(entries.len(), in_all).into_iter().collect();
    blocks.push(Block::Dated(rows));
    blocks
}

fn promises(document: &Value) -> Vec<Block> {
    let part = part(document, "promises");
    let of = count(part, "of");
    if of == 0 {
        return vec![Block::Words("Nothing that was promised fell due.".to_owned())];
    }
    let row = |promise: &Value| {
        let words = word(promise, "words");
        let fate = if flag(promise, "kept") {
            format!("kept after {}: {words}", span(promise, "took_s"))
        } else {
            format!("missed: {words}")
        };
        (time(promise, "at"), fate)
    };
    let kept = format!("{} of {of} kept.", count(part, "kept"));
    vec![Block::Words(kept), Block::Dated(list(part, "each").iter().map(row).collect())]
}

fn repair(document: &Value) -> Vec<Block> {
    let part = part(document, "repair");
    let kept = match part.get("kept").and_then(Value::as_bool) {
        Some(true) => "kept",
        Some(false) => "missed",
        None => "still open",
    };
    let mut rows = vec![
        ("Promised by the order", span(part, "ttr_s")),
        ("Taken", format!("{} ({kept})", span(part, "took_s"))),
        ("At work in all", span(part, "at_work_s")),
    ];
    for waited in list(part, "waited") {
        let (from, until) = (time(waited, "from"), time(waited, "until"));
        let (words, length) = (word(waited, "words"), span(waited, "waited_s"));
        rows.push(("Not counted", format!("{length} waiting for {words}, {from} to {until}")));
    }
    if number(part, "maintained_s") > 0.0 {
        rows.push(("Not counted", format!("{} of planned maintenance", span(part, "maintained_s"))));
    }
    let blind =
        [("unobserved_s", "UNOBSERVED: nobody looked"), ("inconclusive_s", "INCONCLUSIVE: our side was broken")];
    for (key, words) in blind.into_iter().filter(|(key, _)| number(part, key) > 0.0) {
        rows.push(("Counted all the same", format!("{} {words}", span(part, key))));
    }
    vec![Block::Table(rows)]
}

fn check(document: &Value) -> String {
    let part = part(document, "journal");
    let (seq, seal) = (count(part, "seq"), word(part, "seal"));
    let stands = format!("This document stands on row {seq} of our journal, whose seal is {seal}.");
    if flag(document, "draft") {
        return format!("{stands} It is a draft: nothing of it is promised.");
    }
    format!("{stands} The journal has the SHA-256 of its JSON form: ask us to verify it, or for that form.")
}

fn part<'a>(value: &'a Value, key: &str) -> &'a Value {
    value.get(key).unwrap_or(&Value::Null)
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn word(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or("-").to_owned()
}

fn flag(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool).unwrap_or(false)
}

fn has(value: &Value, key: &str) -> bool {
    value.get(key).is_some_and(|value| !value.is_null())
}

fn count(value: &Value, key: &str) -> usize {
    value.get(key).and_then(Value::as_u64).and_then(|count| usize::try_from(count).ok()).unwrap_or(0)
}

fn number(value: &Value, key: &str) -> f64 {
    value.get(key).and_then(Value::as_f64).unwrap_or(0.0)
}

/// A number of seconds in words.
fn span(value: &Value, key: &str) -> String {
    duration(Duration::try_from_secs_f64(number(value, key)).unwrap_or_default())
}

/// A time as letters write it.
fn time(value: &Value, key: &str) -> String {
    let written = word(value, key);
    match written.parse::<jiff::Timestamp>() {
        Ok(at) => at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        Err(_) => written,
    }
}
