//! Facts as the journal, the stories and the case's timeline show them: a name and fields; the sentence is in `sentence`.

use super::people::merits_words;
use super::sentence::measured;
use super::time::rfc3339;
use crate::domain::desk::{
    Actor, Agreed, Alarm, AlarmCause, AnswerStep, CaseFact, Chosen, EscalatedBy, Heard, LetterMark, Line, MailOutcome,
    Opening, Outage, Reference, Topic, Umbrella, Witness,
};
use crate::domain::fact::{CustomerFact, Fact, Instead};
use crate::domain::letter::{LetterLabel, Thread};
use crate::domain::maintenance::{Maintenance, Stage};
use crate::domain::party::{ContactVerb, Contract};
use crate::domain::time::{Calendar, Time};
use crate::domain::watch::Finding;
use serde_json::{Map, Value};
use std::time::Duration;

/// Room for the particulars of most facts.
const DATA: usize = 384;

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
        Fact::Case { fact, .. } => case_kind(fact),
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
        Fact::Customer(fact) => customer_kind(fact),
        Fact::CanaryBegan { .. } => "canary_began",
        Fact::CanarySang { .. } => "canary_sang",
        Fact::StaffDuty { .. } => "staff_duty",
        Fact::ShiftBegan { .. } => "shift_began",
        Fact::ContractEnding(_) => "contract_ending",
        Fact::LetterQueued { .. } => "letter",
        Fact::LetterSent(_) => "letter_sent",
        Fact::LetterFailed { .. } => "letter_failed",
        Fact::NoticeFellBack { .. } => "notice_fell_back",
        Fact::LetterBounced { .. } => "letter_bounced",
        Fact::AddressFailed { .. } => "address_failed",
        Fact::AddressWorks { .. } => "address_works",
        Fact::MailSorted { outcome, .. } => match outcome {
            MailOutcome::Joined => "mail_joined",
            MailOutcome::Opened => "mail_opened",
            MailOutcome::Report => "mail_report",
            MailOutcome::Quarantined => "mail_quarantined",
            MailOutcome::Ignored => "mail_ignored",
            MailOutcome::Dismissed => "mail_dismissed",
        },
    }
}

const fn case_kind(fact: &CaseFact) -> &'static str {
    match fact {
        CaseFact::Line { .. } => "case_line",
        CaseFact::Taken { .. } => "case_taken",
        CaseFact::Noted { .. } => "case_noted",
        CaseFact::Told { .. } => "case_told",
        CaseFact::Heard(_) => "mail_joined",
        CaseFact::Informed { .. } => "informed",
        CaseFact::InformedRevoked { .. } => "informed_revoked",
        CaseFact::Promised { .. } => "promise_made",
        CaseFact::Arrived { .. } => "arrived",
        CaseFact::SupplierSaid { .. } => "supplier_said",
        CaseFact::Agreed(_) => "agreement_changed",
        CaseFact::Kept { .. } => "promise_kept",
        CaseFact::Missed { .. } => "promise_missed",
        CaseFact::Escalated { .. } => "escalated",
        CaseFact::Assigned { .. } => "assigned",
        CaseFact::Overdue { .. } => "overdue",
        CaseFact::Waits { .. } => "case_waiting",
        CaseFact::Resumed { .. } => "case_resumed",
        CaseFact::Confirmed(_) => "case_confirmed",
        CaseFact::Answer(AnswerStep::Given { .. }) => "case_answered",
        CaseFact::Answer(AnswerStep::Undelivered { .. }) => "answer_undelivered",
        CaseFact::Upgraded(_) => "case_upgraded",
        CaseFact::Degraded(_) => "case_degraded",
        CaseFact::Joined { .. } => "case_joined",
        CaseFact::Left => "case_left",
        CaseFact::Diagnosed(_) => "case_diagnosed",
        CaseFact::Solved { .. } => "case_solved",
        CaseFact::Returned { .. } => "case_returned",
        CaseFact::RfoOrdered { .. } => "rfo_ordered",
        CaseFact::RfoIssued { .. } => "rfo_issued",
        CaseFact::RfoDelivered { .. } => "rfo_delivered",
        CaseFact::RfoUndelivered { .. } => "rfo_undelivered",
        CaseFact::Closed => "case_closed",
    }
}

const fn customer_kind(fact: &CustomerFact) -> &'static str {
    match fact {
        CustomerFact::ContactChanged { verb: ContactVerb::Add, .. } => "contact_added",
        CustomerFact::ContactChanged { verb: ContactVerb::Change, .. } => "contact_changed",
        CustomerFact::ContactChanged { verb: ContactVerb::Remove, .. } => "contact_removed",
        CustomerFact::ContactInvalid { .. } => "contact_invalid",
        CustomerFact::ContactValid { .. } => "contact_valid",
        CustomerFact::SurveySent { .. } => "survey_sent",
        CustomerFact::SurveyAnswered { .. } => "survey_answered",
    }
}

/// The fact's particulars by their names. Points of time are written by `time`.
#[must_use]
pub fn fields(fact: &Fact, time: &dyn Fn(Time) -> Value) -> Map<String, Value> {
    let mut map = Map::new();
    each(fact, &mut |name, field| {
        let value = match field {
            Field::Nothing => Value::Null,
            Field::Text(text) => text.into(),
            Field::Reference(reference) => reference.to_string().into(),
            Field::At(at) => time(at),
            Field::Count(count) => count.into(),
            Field::Whole(number) => number.into(),
            Field::Real(number) => number.into(),
            Field::Flag(flag) => flag.into(),
            Field::List(texts) => texts.into(),
        };
        map.insert(name.to_owned(), value);
    });
    map
}

/// The fact's particulars as the text of a JSON object, with points of time as APIs write them. In a storm there are
/// hundreds of thousands, so nothing is built on the way.
#[must_use]
pub fn data(fact: &Fact, calendar: &Calendar) -> String {
    let mut json = String::with_capacity(DATA);
    json.push('{');
    each(fact, &mut |name, field| {
        json.push_str(if json.len() > 1 { ",\"" } else { "\"" });
        json.push_str(name);
        json.push_str("\":");
        match field {
            Field::Nothing => json.push_str("null"),
            Field::Text(text) => quote(&mut json, text),
            Field::Reference(reference) => quote(&mut json, &reference.to_string()),
            Field::At(at) => quote(&mut json, &rfc3339(at, calendar)),
            Field::Count(count) => json.push_str(&count.to_string()),
            Field::Whole(number) => json.push_str(&number.to_string()),
            Field::Real(number) => json.push_str(&Value::from(number).to_string()),
            Field::Flag(flag) => json.push_str(if flag { "true" } else { "false" }),
            Field::List(texts) => json.push_str(&Value::from(texts).to_string()),
        }
    });
    json.push('}');
    json
}

/// Few texts have something to escape.
fn quote(json: &mut String, text: &str) {
    if text.bytes().any(|byte| byte < b' ' || byte == b'"' || byte == b'\\') {
        json.push_str(&Value::from(text).to_string());
    } else {
        json.push('"');
        json.push_str(text);
        json.push('"');
    }
}

/// A particular of a fact.
enum Field<'a> {
    Nothing,
    Text(&'a str),
    Reference(Reference),
    At(Time),
    Count(u64),
    Whole(i64),
    Real(f64),
    Flag(bool),
    List(Vec<String>),
}

macro_rules! fields_are_made_of {
    ($($kind:ty => $field:ident),+) => {$(
        impl<'a> From<$kind> for Field<'a> {
            fn from(value: $kind) -> Self {
                Self::$field(value.into())
            }
        }
    )+};
}

fields_are_made_of!(&'a str => Text, Reference => Reference, Time => At, u32 => Count, u64 => Count, i64 => Whole);
fields_are_made_of!(f64 => Real, bool => Flag, Vec<String> => List);

impl From<usize> for Field<'_> {
    fn from(count: usize) -> Self {
        Self::Count(count as u64)
    }
}

impl<'a, T: Into<Self>> From<Option<T>> for Field<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Field::Nothing, Into::into)
    }
}

/// Takes the particulars of a fact one after the other.
type Put<'p> = dyn FnMut(&'static str, Field<'_>) + 'p;

macro_rules! put {
    ($put:ident, $($name:literal: $value:expr),+ $(,)?) => {{ $($put($name, Field::from($value));)+ }};
}

fn each(fact: &Fact, put: &mut Put<'_>) {
    match fact {
        Fact::MonitorStarted { watched_until } => put!(put, "watched_until": *watched_until),
        Fact::MonitorStopped => {}
        Fact::MonitorStalled { since } => put!(put, "since": *since),
        Fact::IsolationBegan { since, why } => put!(put, "since": *since, "reason": why.name()),
        Fact::IsolationEnded { since, why, lasted } => {
            put!(put, "since": *since, "reason": why.name(), "lasted_s": lasted.as_secs_f64());
        }
        Fact::InventoryChanged { added, removed, kept } => {
            put!(put, "added": *added, "removed": *removed, "kept": *kept);
        }
        Fact::ClockStepped { by_ms } => put!(put, "by_ms": *by_ms),
        Fact::VerdictChanged { device, verdict, reason, since } => {
            put!(put, "unit": device.as_str(), "verdict": verdict.name(), "reason": reason.name(), "since": *since);
        }
        Fact::CaseOpened(opening) => opening_fields(opening, put),
        Fact::Case { reference, unit, fact } => {
            case_fields(fact, put);
            put!(put, "unit": unit.as_str(), "reference": *reference);
        }
        Fact::AgentChanged { device, state } => put!(put, "unit": device.as_str(), "agent": state.name()),
        Fact::Rebooted { device } | Fact::CanaryBegan { unit: device } => put!(put, "unit": device.as_str()),
        Fact::Trapped { device, case, says, interface, unnoted } => put!(
            put, "unit": device.as_str(), "reference": *case, "trap": says.name(), "interface": *interface,
            "unnoted": *unnoted,
        ),
        Fact::UmbrellaOpened(umbrella) => umbrella_fields(umbrella, put),
        Fact::UmbrellaUpdated { reference, by, text, customers } => put!(
            put, "reference": *reference, "by": by.as_str(), "text": text.as_str(), "customers": *customers,
        ),
        Fact::UmbrellaClosed { reference, cause, lasted, children } => put!(
            put, "reference": *reference, "cause": cause.to_string().as_str(), "lasted_s": lasted.as_secs_f64(),
            "children": *children,
        ),
        Fact::MaintenancePlanned(maintenance) => maintenance_fields(maintenance, put),
        Fact::MaintenanceBegan { id, scope, units } => {
            put!(put, "maintenance": id.as_str(), "scope": scope.to_string().as_str(), "units": *units);
        }
        Fact::MaintenanceEnded { id, scope, lost } => {
            put!(put, "maintenance": id.as_str(), "scope": scope.to_string().as_str(), "lost": *lost);
        }
        Fact::AlarmRaised(alarm) => alarm_fields(alarm, put),
        Fact::AlarmCleared { kind, since, lasted } => {
            put!(put, "alarm": kind.name(), "since": *since, "lasted_s": lasted.as_secs_f64());
        }
        Fact::CanarySang { unit, took } => put!(put, "unit": unit.as_str(), "took_s": took.as_secs_f64()),
        Fact::StaffDuty { staff, on, by } => put!(put, "staff": staff.as_str(), "on": *on, "by": by.as_str()),
        Fact::ShiftBegan { centre, before, cases } => {
            put!(put, "centre": centre.as_str(), "before": before.as_deref(), "cases": *cases);
        }
        Fact::ContractEnding(contract) => contract_fields(contract, put),
        Fact::Customer(fact) => customer_fields(fact, put),

        Fact::LetterQueued { letter, lines } => queued_fields(letter, lines, put),
        Fact::LetterSent(letter) => letter_fields(letter, put),
        Fact::LetterFailed { letter, why } | Fact::LetterBounced { letter, why } => {
            letter_fields(letter, put);
            put!(put, "error": why.as_str());
        }
        Fact::NoticeFellBack { letter, instead } => fall_back_fields(letter, instead, put),
        Fact::AddressFailed { address, why } => put!(put, "address": address.as_str(), "error": why.as_str()),
        Fact::AddressWorks { address } => put!(put, "address": address.as_str()),
        Fact::MailSorted { mail, from, outcome, case, why } => put!(
            put, "mail": *mail, "from": from.as_deref(), "outcome": outcome.name(), "reference": *case,
            "why": why.as_deref(),
        ),
    }
}

fn customer_fields(fact: &CustomerFact, put: &mut Put<'_>) {
    match fact {
        CustomerFact::ContactChanged { contact, by, .. } => put!(
            put, "customer": contact.customer.as_str(), "contact": contact.id.as_str(), "name": contact.name.as_str(),
            "email": contact.email.as_deref(), "phone": contact.phone.as_deref(), "address": contact.address.as_deref(),
            "role": contact.role.name(), "prefers": contact.prefers.name(), "letters": contact.letters, "by": by.as_str(),
        ),
        CustomerFact::ContactInvalid { customer, address } => {
            put!(put, "customer": customer.as_str(), "address": address.as_str());
        }
        CustomerFact::ContactValid { customer } => put!(put, "customer": customer.as_str()),
        CustomerFact::SurveySent { case, unit, customer, lines } => put!(
            put, "reference": *case, "unit": unit.as_str(), "customer": customer.as_str(), "lines": *lines,
        ),
        CustomerFact::SurveyAnswered { case, customer, score, comment } => put!(
            put, "reference": *case, "customer": customer.as_str(), "score": u32::from(score.number()),
            "comment": comment.as_deref(),
        ),
    }
}

fn opening_fields(opening: &Opening, put: &mut Put<'_>) {
    put!(
        put,
        "unit": opening.unit.as_str(),
        "priority": opening.priority.name(),
        "reference": opening.reference,
        "order": opening.circuit.order.as_str(),
        "customer": opening.circuit.customer.as_str(),
        "queue": opening.queue.as_str(),
        "by": opening.origin.name(),
        "channel": opening.channel.name(),
        "note": opening.note.as_deref(),
        "last_contact": opening.last_contact,
        "first_loss": opening.first_loss,
        "detected": opening.detected,
        "previous": opening.previous,
        "reason": opening.finding.map(|finding| finding.symptom.name()),
    );
    intake_fields(opening, put);
}

/// What only people tell of a case; the watch tells none of it.
fn intake_fields(opening: &Opening, put: &mut Put<'_>) {
    if opening.origin == Actor::Watch {
        return;
    }
    let intake = &opening.intake;
    if !intake.subject.is_request() {
        let checks = intake.prechecks.iter();
        let words = checks.map(|(check, answer)| format!("{}={}", check.name(), if answer { "yes" } else { "no" }));
        put!(put, "prechecks": words.collect::<Vec<_>>());
    }
    put!(
        put,
        "subject": intake.subject.name(),
        "caller": intake.caller.as_ref().map(|caller| caller.name.as_str()),
        "wanted_at": intake.wanted_at,
        "lapsed": intake.lapsed.then_some(true),
    );
}

fn umbrella_fields(umbrella: &Umbrella, put: &mut Put<'_>) {
    put!(
        put,
        "reference": umbrella.reference,
        "cause": umbrella.cause.to_string().as_str(),
        "first_loss": umbrella.first_loss,
        "children": umbrella.lost,
        "of": umbrella.of,
        "within_s": umbrella.within.as_secs_f64(),
    );
}

fn maintenance_fields(maintenance: &Maintenance, put: &mut Put<'_>) {
    let window = &maintenance.window;
    put!(
        put,
        "maintenance": window.id.as_str(),
        "scope": window.scope.to_string().as_str(),
        "from": window.from,
        "until": window.until,
        "emergency": window.emergency,
        "note": window.note.as_deref(),
        "revision": maintenance.revision,
        "notice_s": maintenance.notice().as_secs(),
        "short_notice": maintenance.is_short_notice(),
    );
}

fn alarm_fields(alarm: &Alarm, put: &mut Put<'_>) {
    put!(put, "alarm": alarm.kind.name(), "since": alarm.since, "reason": alarm_reason(&alarm.why));
}

fn contract_fields(contract: &Contract, put: &mut Put<'_>) {
    put!(put, "contract": contract.id.as_str(), "customer": contract.customer.as_str(), "ends": contract.ends);
}

const fn alarm_reason(cause: &AlarmCause) -> &'static str {
    match cause {
        AlarmCause::OwnSide(reason) => reason.name(),
        AlarmCause::Everybody => "everybody_degraded",
        AlarmCause::Unstaffed { .. } => "nobody_on_duty",
        AlarmCause::Canary { step, .. } => step.name(),
    }
}

fn finding_fields(finding: &Finding, put: &mut Put<'_>) {
    let (measured, limit) = measured(finding);
    put!(
        put,
        "reason": finding.symptom.name(),
        "measured": measured.as_str(),
        "limit": limit.as_str(),
        "over_s": finding.over.as_secs(),
    );
}

fn case_fields(fact: &CaseFact, put: &mut Put<'_>) {
    match fact {
        CaseFact::Line { line: Line::Watched(verdict, reason), at } => {
            put!(put, "verdict": verdict.name(), "reason": reason.name(), "since": *at);
        }
        CaseFact::Line { line: Line::Withdrawn, at } => put!(put, "withdrawn": true, "since": *at),
        CaseFact::Taken { by } => put!(put, "by": by.as_str()),
        CaseFact::Noted { by, text } => put!(put, "by": by.as_str(), "note": text.as_str()),
        CaseFact::Told { by, text } => put!(put, "by": by.as_str(), "text": text.as_str()),
        CaseFact::Heard(Heard { mail, from, writer, text }) => put!(
            put, "mail": *mail, "from": from.as_str(), "writer": writer.name(), "text": text.as_str(),
        ),
        CaseFact::Informed { to, letter } => {
            put!(put, "to": to.as_str(), "letter": letter.kind.name(), "number": letter.number)
        }
        CaseFact::InformedRevoked { to, letter, why } => put!(
            put, "to": to.as_str(), "letter": letter.kind.name(), "number": letter.number, "error": why.as_str(),
        ),
        CaseFact::Promised { by, kind, within } => {
            put!(put, "by": by.as_str(), "promise": kind.name(), "within_s": within.as_secs());
        }
        CaseFact::Arrived { by } | CaseFact::Resumed { by } => put!(put, "by": by.as_str()),
        CaseFact::SupplierSaid { by, text } => put!(put, "by": by.as_str(), "text": text.as_str()),
        CaseFact::Agreed(agreed) => agreed_fields(agreed, put),
        CaseFact::Kept { kind, took, late } => {
            put!(put, "promise": kind.name(), "took_s": took.as_secs(), "late": *late);
        }
        CaseFact::Missed { kind, late } => put!(put, "promise": kind.name(), "late_s": late.as_secs()),
        CaseFact::Escalated { level, why, note } => {
            let (missed, by) = match why {
                EscalatedBy::Missed(kind) => (Some(kind.name()), None),
                EscalatedBy::Staff(by) | EscalatedBy::Customer(by) => (None, Some(by.as_str())),
            };
            put!(put, "level": level.name(), "missed": missed, "by": by, "note": note.as_deref());
        }
        CaseFact::Assigned { by, to, team, why, misrouted } => {
            put!(put, "by": by.as_str(), "to": to.as_deref(), "team": team.as_deref(), "misrouted": *misrouted);
            chosen_fields(why.as_ref(), put);
        }
        CaseFact::Overdue { step, told } => put!(put, "step": step.name(), "told": told.clone()),
        CaseFact::Waits { by, on, note } => put!(put, "by": by.as_str(), "on": on.name(), "note": note.as_deref()),
        CaseFact::Confirmed(outage) => outage_fields(outage, put),
        CaseFact::Upgraded(outage) => {
            outage_fields(outage, put);
            put!(put, "priority": "P1", "reason": "loss");
        }
        CaseFact::Degraded(finding) => finding_fields(finding, put),
        CaseFact::Left | CaseFact::Closed => {}
        CaseFact::Answer(step) => answer_fields(step, put),
        CaseFact::RfoOrdered { by } => put!(put, "by": by.name()),
        CaseFact::RfoIssued { number, sha256, seal } => {
            put!(put, "number": *number, "sha256": sha256.as_str(), "seal": *seal);
        }
        CaseFact::RfoDelivered { number } => put!(put, "number": *number),
        CaseFact::RfoUndelivered { number, why } => put!(put, "number": *number, "why": why.name()),
        CaseFact::Joined { umbrella } => put!(put, "umbrella": *umbrella),
        CaseFact::Diagnosed(diagnosis) => put!(
            put, "cause": diagnosis.cause.name(),
            "witnesses": diagnosis.witnesses.iter().map(Witness::key).collect::<Vec<_>>(),
        ),
        CaseFact::Solved { by, note, window } => {
            put!(put, "by": by.name(), "note": note.as_deref(), "window_s": window.as_secs());
        }
        CaseFact::Returned { by, note, outage } => {
            if let Some(outage) = outage {
                outage_fields(outage, put);
            }
            put!(put, "by": by.name(), "note": note.as_deref());
        }
    }
}

fn answer_fields(step: &AnswerStep, put: &mut Put<'_>) {
    match step {
        AnswerStep::Given { by, text, told } => put!(put, "by": by.as_str(), "text": text.as_str(), "told": *told),
        AnswerStep::Undelivered { why } => put!(put, "error": why.as_str()),
    }
}

fn chosen_fields(why: Option<&Chosen>, put: &mut Put<'_>) {
    let Some(why) = why else { return };
    let words = why.merits.as_ref().map(merits_words);
    put!(put, "rule": why.rule.as_deref(), "occasion": why.occasion.name(), "why": words.as_deref());
}

fn agreed_fields(Agreed { ttr, pledges }: &Agreed, put: &mut Put<'_>) {
    let seconds = |every: Option<Duration>| every.map(|every| every.as_secs());
    put!(
        put,
        "ttr_s": ttr.as_secs(),
        "first_response_s": seconds(pledges.first_response),
        "update_p1_s": seconds(pledges.update_p1),
        "update_p2_s": seconds(pledges.update_p2),
        "update_p3_s": seconds(pledges.update_p3),
        "supplier_s": seconds(pledges.supplier),
        "rfo_s": seconds(pledges.rfo),
    );
}

fn outage_fields(outage: &Outage, put: &mut Put<'_>) {
    put!(
        put,
        "last_contact": outage.last_contact,
        "first_loss": outage.first_loss,
        "detected": outage.detected,
    );
}

fn queued_fields(letter: &LetterLabel, lines: &[(Reference, LetterMark)], put: &mut Put<'_>) {
    letter_fields(letter, put);
    if !matches!(letter.thread, Thread::Case { .. }) {
        let references: Vec<String> = lines.iter().map(|(reference, _)| reference.to_string()).collect();
        put!(put, "lines": references);
    }
}

fn fall_back_fields(letter: &LetterLabel, instead: &Instead, put: &mut Put<'_>) {
    letter_fields(letter, put);
    match instead {
        Instead::Refused { of, why } => put!(put, "instead_of": Vec::from([of.clone()]), "error": why.as_str()),
        Instead::Late { of } => put!(put, "instead_of": of.clone()),
        Instead::Alerted => {}
    }
}

fn letter_fields(letter: &LetterLabel, put: &mut Put<'_>) {
    let (unit, topic) = letter.thread.about();
    put!(
        put,
        "unit": unit,
        "reference": topic.map(Topic::reference),
        "kind": letter.mark.kind.name(),
        "number": letter.mark.number,
        "to": letter.to.as_str(),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::desk::LetterKind;
    use crate::domain::watch::Symptom;
    use core::time::Duration;

    #[test]
    fn both_forms_say_the_same() {
        let (reference, calendar, at) = (Reference::from_number(7), Calendar::default(), Time::from_millis(1_250));
        let case = |fact| Fact::Case { reference, unit: "u\"1\\".into(), fact };
        let outage = Outage { last_contact: None, first_loss: at, detected: at };
        let finding = Finding { symptom: Symptom::Loss, measured: 25, limit: 10, over: Duration::from_secs(300) };
        let mark = LetterMark { kind: LetterKind::Opened, number: 2 };
        let thread = Thread::Umbrella { reference, customer: Some("acme".into()) };
        let letter = LetterLabel { id: 1, thread, mark, to: "it@acme.example".into() };
        let facts = [
            Fact::MonitorStarted { watched_until: None },
            Fact::MonitorStopped,
            Fact::ClockStepped { by_ms: -5 },
            Fact::InventoryChanged { added: 1, removed: 0, kept: 99 },
            Fact::CanarySang { unit: "canary".into(), took: Duration::from_millis(700_500) },
            case(CaseFact::Noted { by: "ann".into(), text: "\u{1}line 1\nline 2: ü, /, \u{7f}".into() }),
            case(CaseFact::Upgraded(outage)),
            case(CaseFact::Degraded(finding)),
            case(CaseFact::Closed),
            case(CaseFact::Line { line: Line::Withdrawn, at }),
            Fact::LetterQueued { letter: letter.clone(), lines: vec![(reference, mark), (reference, mark)] },
            Fact::NoticeFellBack { letter: letter.clone(), instead: Instead::Alerted },
            Fact::NoticeFellBack { letter, instead: Instead::Late { of: vec!["hook:chat".into(), "a@b".into()] } },
        ];
        for fact in facts {
            let time = |at| rfc3339(at, &calendar).into();
            assert_eq!(data(&fact, &calendar), Value::Object(fields(&fact, &time)).to_string());
        }
    }
}
