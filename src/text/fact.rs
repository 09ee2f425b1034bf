//! Facts as the journal, the stories and the case's timeline show them: a name and fields; the sentence is in `sentence`.

use super::sentence::measured;
use super::time::rfc3339;
use crate::domain::desk::{AlarmCause, CaseFact, Line, Opening, Outage, Umbrella, Witness};
use crate::domain::fact::Fact;
use crate::domain::letter::{LetterLabel, Thread};
use crate::domain::maintenance::{Maintenance, Stage};
use crate::domain::time::{Calendar, Time};
use crate::domain::watch::Finding;
use serde_json::{Map, Value, json};

/// The fact's name.
#[must_use]
pub fn kind(fact: &Fact) -> &'static str {
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
            CaseFact::Degraded(_) => "case_degraded",
            CaseFact::Joined { .. } => "case_joined",
            CaseFact::Left => "case_left",
            CaseFact::Diagnosed(_) => "case_diagnosed",
            CaseFact::Solved { .. } => "case_solved",
            CaseFact::Returned { .. } => "case_returned",
            CaseFact::Closed => "case_closed",
        },
        Fact::AgentChanged { .. } => "agent_changed",
        Fact::Rebooted { .. } => "rebooted",
        Fact::Trapped { .. } => "trap",
        Fact::UmbrellaOpened(_) => "umbrella_opened",
        Fact::UmbrellaUpdated { .. } => "umbrella_updated",
        Fact::UmbrellaClosed { .. } => "umbrella_closed",
        Fact::MaintenancePlanned(maintenance) => match maintenance.stage {
            Stage::Cancelled => "maintenance_cancelled",
            Stage::Planned | Stage::Active | Stage::Ended if maintenance.revision > 1 => "maintenance_revised",
            Stage::Planned | Stage::Active | Stage::Ended => "maintenance_announced",
        },
        Fact::MaintenanceBegan { .. } => "maintenance_began",
        Fact::MaintenanceEnded { .. } => "maintenance_ended",
        Fact::AlarmRaised(_) => "alarm_raised",
        Fact::AlarmCleared { .. } => "alarm_cleared",
        Fact::CanaryBegan { .. } => "canary_began",
        Fact::CanarySang { .. } => "canary_sang",
        Fact::LetterQueued { .. } => "letter",
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
        Fact::AgentChanged { device, state } => json!({ "unit": device, "agent": state.name() }),
        Fact::Rebooted { device } | Fact::CanaryBegan { unit: device } => json!({ "unit": device }),
        Fact::Trapped { device, case, says, interface, unnoted } => json!({
            "unit": device, "reference": case.map(|case| case.to_string()), "trap": says.name(),
            "interface": interface, "unnoted": unnoted,
        }),
        Fact::UmbrellaOpened(umbrella) => umbrella_fields(umbrella, time),
        Fact::UmbrellaUpdated { reference, by, text, customers } => json!({
            "reference": reference.to_string(), "by": by, "text": text, "customers": customers,
        }),
        Fact::UmbrellaClosed { reference, cause, lasted, children } => json!({
            "reference": reference.to_string(), "cause": cause.to_string(), "lasted_s": lasted.as_secs_f64(),
            "children": children,
        }),
        Fact::MaintenancePlanned(maintenance) => maintenance_fields(maintenance, time),
        Fact::MaintenanceBegan { id, scope, units } => {
            json!({ "maintenance": id, "scope": scope.to_string(), "units": units })
        }
        Fact::MaintenanceEnded { id, scope, lost } => {
            json!({ "maintenance": id, "scope": scope.to_string(), "lost": lost })
        }
        Fact::AlarmRaised(alarm) => {
            json!({ "alarm": alarm.kind.name(), "since": time(alarm.since), "reason": alarm_reason(&alarm.why) })
        }
        Fact::AlarmCleared { kind, since, lasted } => {
            json!({ "alarm": kind.name(), "since": time(*since), "lasted_s": lasted.as_secs_f64() })
        }
        Fact::CanarySang { unit, took } => json!({ "unit": unit, "took_s": took.as_secs_f64() }),
        Fact::LetterQueued { letter, lines } => {
            let mut value = letter_fields(letter);
            if !matches!(letter.thread, Thread::Case { .. }) {
                let references: Vec<String> = lines.iter().map(|(reference, _)| reference.to_string()).collect();
                value["lines"] = json!(references);
            }
            value
        }
        Fact::LetterSent(letter) => letter_fields(letter),
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
        "order": opening.circuit.order.as_str(),
        "customer": opening.circuit.customer.as_str(),
        "queue": opening.queue,
        "by": opening.origin.name(),
        "note": opening.note,
        "last_contact": opening.last_contact.map(time),
        "first_loss": opening.first_loss.map(time),
        "detected": opening.detected.map(time),
        "previous": opening.previous.map(|previous| previous.to_string()),
        "reason": opening.finding.map(|finding| finding.symptom.name()),
    })
}

fn umbrella_fields(umbrella: &Umbrella, time: &dyn Fn(Time) -> Value) -> Value {
    json!({
        "reference": umbrella.reference.to_string(),
        "cause": umbrella.cause.to_string(),
        "first_loss": time(umbrella.first_loss),
        "children": umbrella.lost,
        "of": umbrella.of,
        "within_s": umbrella.within.as_secs_f64(),
    })
}

fn maintenance_fields(maintenance: &Maintenance, time: &dyn Fn(Time) -> Value) -> Value {
    let window = &maintenance.window;
    json!({
        "maintenance": window.id,
        "scope": window.scope.to_string(),
        "from": time(window.from),
        "until": time(window.until),
        "emergency": window.emergency,
        "note": window.note,
        "revision": maintenance.revision,
        "notice_s": maintenance.notice().as_secs(),
        "short_notice": maintenance.is_short_notice(),
    })
}

const fn alarm_reason(cause: &AlarmCause) -> &'static str {
    match cause {
        AlarmCause::OwnSide(reason) => reason.name(),
        AlarmCause::Everybody => "everybody_degraded",
        AlarmCause::Canary { step, .. } => step.name(),
    }
}

fn finding_fields(finding: &Finding) -> Value {
    let words = measured(finding);
    json!({ "reason": finding.symptom.name(), "measured": words.0, "limit": words.1, "over_s": finding.over.as_secs() })
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
        CaseFact::Degraded(finding) => finding_fields(finding),
        CaseFact::Left => json!({}),
        CaseFact::Joined { umbrella } => json!({ "umbrella": umbrella.to_string() }),
        CaseFact::Diagnosed(diagnosis) => json!({
            "cause": diagnosis.cause.name(),
            "witnesses": diagnosis.witnesses.iter().map(Witness::key).collect::<Vec<_>>(),
        }),
        CaseFact::Solved { by, note, window } => {
            json!({ "by": by.name(), "note": note, "window_s": window.as_secs() })
        }
        CaseFact::Returned { by, note, outage } => {
            let mut value = outage.as_ref().map_or_else(|| json!({}), |outage| outage_fields(outage, time));
            value["by"] = json!(by.name());
            value["note"] = json!(note);
            value
        }
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
    let (unit, reference) = letter.thread.about();
    json!({
        "unit": unit,
        "reference": reference.map(|reference| reference.to_string()),
        "kind": letter.mark.kind.name(),
        "number": letter.mark.number,
        "to": letter.to,
    })
}

/// A point of time for [`fields`], as APIs write it.
#[must_use]
pub fn json_time(at: Time, calendar: &Calendar) -> Value {
    Value::String(rfc3339(at, calendar))
}
