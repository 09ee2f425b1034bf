//! Facts as the journal, the stories and the case's timeline show them: a name, fields and a sentence.

use super::time::{duration, rfc3339, utc};
use crate::domain::desk::{Actor, CaseFact, Line, Opening, Outage};
use crate::domain::fact::Fact;
use crate::domain::letter::LetterLabel;
use crate::domain::time::{Calendar, Time};
use crate::domain::watch::{Reason, Verdict};
use serde_json::{Map, Value, json};

/// The fact's name.
#[must_use]
pub const fn kind(fact: &Fact) -> &'static str {
    match fact {
        Fact::MonitorStarted { .. } => "monitor_started",
        Fact::MonitorStopped => "monitor_stopped",
        Fact::MonitorStalled { .. } => "monitor_stalled",
        Fact::IsolationBegan { .. } => "isolation_began",
        Fact::IsolationEnded { .. } => "isolation_ended",
        Fact::InventoryChanged { .. } => "inventory_changed",
        Fact::ClockStepped { .. } => "clock_stepped",
        Fact::VerdictChanged { .. } => "verdict_changed",
        Fact::CaseOpened(_) => "case_opened",
        Fact::Case { fact, .. } => match fact {
            CaseFact::Line { .. } => "case_line",
            CaseFact::Taken { .. } => "case_taken",
            CaseFact::Noted { .. } => "case_noted",
            CaseFact::Waits { .. } => "case_waiting",
            CaseFact::Confirmed(_) => "case_confirmed",
            CaseFact::Upgraded(_) => "case_upgraded",
            CaseFact::Solved { .. } => "case_solved",
            CaseFact::Returned { .. } => "case_returned",
            CaseFact::Closed => "case_closed",
        },
        Fact::LetterQueued(_) => "letter",
        Fact::LetterSent(_) => "letter_sent",
        Fact::LetterFailed { .. } => "letter_failed",
    }
}

/// The fact's particulars as JSON. Points of time are written by `time`.
#[must_use]
pub fn fields(fact: &Fact, time: &dyn Fn(Time) -> Value) -> Map<String, Value> {
    let value = match fact {
        Fact::MonitorStarted { watched_until } => json!({ "watched_until": watched_until.map(time) }),
        Fact::MonitorStopped => json!({}),
        Fact::MonitorStalled { since } => json!({ "since": time(*since) }),
        Fact::IsolationBegan { since, why } => json!({ "since": time(*since), "reason": why.name() }),
        Fact::IsolationEnded { since, why, lasted } => {
            json!({ "since": time(*since), "reason": why.name(), "lasted_s": lasted.as_secs_f64() })
        }
        Fact::InventoryChanged { added, removed, kept } => json!({ "added": added, "removed": removed, "kept": kept }),
        Fact::ClockStepped { by_ms } => json!({ "by_ms": by_ms }),
        Fact::VerdictChanged { device, verdict, reason, since } => json!({
            "unit": device, "verdict": verdict.name(), "reason": reason.name(), "since": time(*since),
        }),
        Fact::CaseOpened(opening) => opening_fields(opening, time),
        Fact::Case { reference, unit, fact } => {
            let mut value = case_fields(fact, time);
            value["unit"] = json!(unit);
            value["reference"] = json!(reference.to_string());
            value
        }
        Fact::LetterQueued(letter) | Fact::LetterSent(letter) => letter_fields(letter),
        Fact::LetterFailed { letter, why } => {
            let mut value = letter_fields(letter);
            value["error"] = json!(why);
            value
        }
    };
    match value {
        Value::Object(map) => map,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Map::new(),
    }
}

fn opening_fields(opening: &Opening, time: &dyn Fn(Time) -> Value) -> Value {
    json!({
        "unit": opening.unit,
        "priority": opening.priority.name(),
        "reference": opening.reference.to_string(),
        "order": opening.circuit.order,
        "customer": opening.circuit.customer,
        "queue": opening.queue,
        "by": opening.origin.name(),
        "note": opening.note,
        "last_contact": opening.last_contact.map(time),
        "first_loss": opening.first_loss.map(time),
        "detected": opening.detected.map(time),
        "previous": opening.previous.map(|previous| previous.to_string()),
    })
}

fn case_fields(fact: &CaseFact, time: &dyn Fn(Time) -> Value) -> Value {
    match fact {
        CaseFact::Line { line: Line::Watched(verdict, reason), at } => {
            json!({ "verdict": verdict.name(), "reason": reason.name(), "since": time(*at) })
        }
        CaseFact::Line { line: Line::Withdrawn, at } => json!({ "withdrawn": true, "since": time(*at) }),
        CaseFact::Taken { by } => json!({ "by": by }),
        CaseFact::Noted { by, text } => json!({ "by": by, "note": text }),
        CaseFact::Waits { by, on, note } => json!({ "by": by, "on": on.name(), "note": note }),
        CaseFact::Confirmed(outage) => outage_fields(outage, time),
        CaseFact::Upgraded(outage) => {
            let mut value = outage_fields(outage, time);
            value["priority"] = json!("P1");
            value["reason"] = json!("loss");
            value
        }
        CaseFact::Solved { by, note, window } => {
            json!({ "by": by.name(), "note": note, "window_s": window.as_secs() })
        }
        CaseFact::Returned { by, note } => json!({ "by": by.name(), "note": note }),
        CaseFact::Closed => json!({}),
    }
}

fn outage_fields(outage: &Outage, time: &dyn Fn(Time) -> Value) -> Value {
    json!({
        "last_contact": outage.last_contact.map(time),
        "first_loss": time(outage.first_loss),
        "detected": time(outage.detected),
    })
}

fn letter_fields(letter: &LetterLabel) -> Value {
    json!({
        "unit": letter.unit,
        "reference": letter.reference.to_string(),
        "kind": letter.mark.kind.name(),
        "number": letter.mark.number,
        "to": letter.to,
    })
}

/// The fact as a sentence.
#[must_use]
pub fn sentence(fact: &Fact, calendar: &Calendar) -> String {
    match fact {
        Fact::MonitorStarted { watched_until: None } => "The daemon started on a new store.".into(),
        Fact::MonitorStarted { watched_until: Some(at) } => {
            format!("The daemon started; nobody has watched since {}.", utc(*at, calendar))
        }
        Fact::MonitorStopped => "The daemon was stopped.".into(),
        Fact::MonitorStalled { since } => {
            format!("The daemon was suspended or starved; nobody has watched since {}.", utc(*since, calendar))
        }
        Fact::IsolationBegan { since, why } => {
            format!("The monitor is cut off since {}: {}.", utc(*since, calendar), because(*why))
        }
        Fact::IsolationEnded { lasted, .. } => {
            format!("The monitor is connected again; it was cut off for {}.", duration(*lasted))
        }
        Fact::InventoryChanged { added, removed, kept } => {
            format!("Another inventory is in force: {added} added, {removed} removed, {kept} kept.")
        }
        Fact::ClockStepped { by_ms } => {
            format!(
                "The wall clock was set by {:+.3} s; no deadline moves.",
                std::time::Duration::from_millis(by_ms.unsigned_abs()).as_secs_f64().copysign(by_ms.signum() as f64)
            )
        }
        Fact::VerdictChanged { device, verdict, reason, since } => {
            format!("{device} is {} since {}: {}.", verdict.name(), utc(*since, calendar), because(*reason))
        }
        Fact::CaseOpened(opening) => opened(opening),
        Fact::Case { fact, .. } => case_sentence(fact, calendar),
        Fact::LetterQueued(letter) => format!("Letter \"{}\" to {} was written.", letter.mark.kind.name(), letter.to),
        Fact::LetterSent(letter) => {
            format!("Letter \"{}\" to {} was taken by the mail server.", letter.mark.kind.name(), letter.to)
        }
        Fact::LetterFailed { letter, why } => {
            format!("Letter \"{}\" to {} was refused for good: {why}", letter.mark.kind.name(), letter.to)
        }
    }
}

fn opened(opening: &Opening) -> String {
    let (priority, unit, order) = (opening.priority.name(), &opening.unit, &opening.circuit.order);
    let how = match &opening.origin {
        Actor::Watch => "by the watch".to_owned(),
        Actor::Staff(name) => format!("by {name}"),
    };
    let note = opening.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
    format!("{priority} opened {how} on {unit}, order {order}, queue {}{note}.", opening.queue)
}

fn case_sentence(fact: &CaseFact, calendar: &Calendar) -> String {
    let noted = |note: &Option<String>| note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
    match fact {
        CaseFact::Line { line: Line::Watched(verdict, reason), at } => {
            format!("The line is {} since {}: {}.", verdict.name(), utc(*at, calendar), because(*reason))
        }
        CaseFact::Line { line: Line::Withdrawn, .. } => "The unit was taken out of the inventory.".into(),
        CaseFact::Taken { by } => format!("{by} took the case."),
        CaseFact::Noted { by, text } => format!("{by} noted: {text}"),
        CaseFact::Waits { by, on, note } => format!("{by} set it to wait for {}{}.", on.name(), noted(note)),
        CaseFact::Confirmed(_) => "The watch sees the fault itself now: the line has lost contact.".into(),
        CaseFact::Upgraded(_) => "Raised to P1: the line has lost contact altogether.".into(),
        CaseFact::Solved { by: Actor::Watch, window, .. } => {
            format!("Declared solved by the watch: the line is back; watched for {}.", duration(*window))
        }
        CaseFact::Solved { by: Actor::Staff(name), note, window } => {
            format!("Declared solved by {name}{}; watched for {}.", noted(note), duration(*window))
        }
        CaseFact::Returned { by: Actor::Watch, .. } => "Back at work: the fault is back within the window.".into(),
        CaseFact::Returned { by: Actor::Staff(name), note } => format!("Back at work by {name}{}.", noted(note)),
        CaseFact::Closed => "Closed for good.".into(),
    }
}

/// A reason as the end of a sentence.
#[must_use]
pub(super) const fn because(reason: Reason) -> &'static str {
    match reason {
        Reason::Answered => "it answers",
        Reason::Rejected => "it answers, though it refuses our SNMP credentials",
        Reason::NoAnswer => "probes went out and nothing came back",
        Reason::SentinelsSilent => "no sentinel answers, so the silence is ours",
        Reason::SendsFailing => "our own machine could not send",
        Reason::Added => "it was not asked yet",
        Reason::Stopped => "the daemon was not running",
        Reason::Stalled => "the daemon was suspended or starved",
        Reason::Unresolved => "its host name has no known address yet",
    }
}

/// A verdict as the middle of a sentence.
#[must_use]
pub(super) const fn line_does(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Up => "the line answers",
        Verdict::Loss => "the line does not answer",
        Verdict::Inconclusive => "the line can't be judged",
        Verdict::Unobserved => "nobody sees the line",
    }
}

/// A point of time for [`fields`], as APIs write it.
#[must_use]
pub fn json_time(at: Time, calendar: &Calendar) -> Value {
    Value::String(rfc3339(at, calendar))
}
