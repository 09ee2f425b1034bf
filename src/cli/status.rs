//! `ntuwatch status`.

use super::Failure;
use super::client::Client;
use super::print::{Page, count, elements, field, span_field, time};
use crate::domain::desk::Stage;
use crate::domain::watch::Verdict;
use serde_json::Value;

/// Shows how the daemon and its watch are doing.
pub(super) fn show(client: &Client, page: &mut Page) -> Result<(), Failure> {
    let body = client.get("/api/status")?;
    page.answer(&body, print)
}

fn print(page: &mut Page, status: &Value) -> Result<(), Failure> {
    let (null, part) = (Value::Null, |key| status.get(key).unwrap_or(&Value::Null));
    let health = part("health");
    let (version, up) = (field(status, "version"), span_field(status, "uptime_s"));
    page.line(&format!("ntuwatch {version}: {}, up {up}", field(health, "status")))?;
    for why in elements(health, "why") {
        page.line(&format!("  ! {}", why.as_str().unwrap_or_default()))?;
    }
    page.line(&format!("units    {}", counts(part("units"), &Verdict::ALL.map(Verdict::name))))?;
    for (priority, stages) in part("cases").as_object().into_iter().flatten() {
        page.line(&format!("cases    {priority}: {}", counts(stages, &Stage::NAMES)))?;
    }
    let letters = part("letters");
    let oldest = match letters.get("oldest_at").unwrap_or(&null) {
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            format!(", the oldest of {}", time(letters, "oldest_at"))
        }
    };
    page.line(&format!("letters  {} waiting{oldest}", field(letters, "queued")))?;
    for messenger in elements(status, "messengers") {
        let fault = match messenger.get("fault").and_then(Value::as_str) {
            Some(fault) => format!(", takes nothing since {}: {fault}", time(messenger, "failing_since")),
            None => String::new(),
        };
        let (name, waiting) = (field(messenger, "name"), field(messenger, "waiting"));
        page.line(&format!("notices  {name}: {waiting} waiting{fault}"))?;
    }
    if letters.get("held").and_then(Value::as_u64).is_some_and(|held| held > 0) {
        let (held, until) = (field(letters, "held"), time(letters, "held_until"));
        page.line(&format!("held     {held} for further lines of their customers, until {until} at the latest"))?;
    }
    page.line(&format!("mail in  {} waiting for people", field(status, "mails_quarantined")))?;
    for line in mail_in(part("mail_in")) {
        page.line(&format!("         {line}"))?;
    }
    let alarms: Vec<_> = elements(status, "alarms").iter().map(|alarm| field(alarm, "kind")).collect();
    page.line(&format!("alarms   {}", if alarms.is_empty() { "none".to_owned() } else { alarms.join(", ") }))?;
    page.line(&format!("shared   {} open", count(status, "umbrellas", "umbrella")))?;
    page.line(&format!("works    {} active", count(status, "maintenance", "maintenance")))?;
    page.line(&format!("reload   {}", reload(part("reload"))))?;
    page.line(&format!("store    {}", field(status, "store")))?;
    Ok(())
}

/// What is kept of messages, and how the mailbox fares that is read.
fn mail_in(mail_in: &Value) -> Vec<String> {
    let mib = mail_in.get("original_bytes").and_then(Value::as_u64).unwrap_or_default().div_ceil(1 << 20);
    let mut lines = vec![format!("{mib} MiB kept as they came")];
    let Some(mailbox) = mail_in.get("mailbox").filter(|mailbox| mailbox.is_object()) else { return lines };
    let is_open = mailbox.get("connected").and_then(Value::as_bool).unwrap_or_default();
    let door = if is_open { "open" } else { "not open" };
    lines.push(format!("mailbox {door}, {} taken since the start", field(mailbox, "taken")));
    let left = elements(mailbox, "left");
    lines.extend(left.iter().map(|left| format!("stays there: UID {}: {}", field(left, "uid"), field(left, "why"))));
    lines
}

fn reload(reload: &Value) -> String {
    match (time(reload, "at").as_str(), reload.get("fault").and_then(Value::as_str)) {
        (_, Some(_)) => "refused: the configuration before it is in force".to_owned(),
        ("-", None) => "none since the start".to_owned(),
        (at, None) => format!("done {at}"),
    }
}

/// The counts of these names, in this order.
fn counts(counts: &Value, names: &[&str]) -> String {
    let counts = names.iter().filter_map(|&name| Some((name, counts.get(name)?)));
    counts.map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join("  ")
}
