//! Notices to messengers: one line each, and what their templates can name.

use super::promise::promise_words;
use super::sentence::{alarm_words, all_clear_words, cause_words, finding_words};
use super::time::{duration, rfc3339};
use crate::domain::desk::{Case, EscalatedBy, LetterKind, Stage};
use crate::domain::letter::{Content, Letter};
use crate::domain::notice::Signal;
use crate::domain::time::Calendar;
use crate::payload::Notice;

/// What a letter to a messenger says. What people wrote is not in it: chats are kept by others.
pub(super) fn notice(letter: &Letter, calendar: &Calendar) -> Notice {
    let signal = Signal::of(&letter.thread, letter.mark.kind);
    let kind = letter.mark.kind.name();
    let topic = letter.thread.about().1.map(|topic| topic.reference().to_string());
    let blank = Notice {
        kind: kind.to_owned(),
        signal: signal.name().to_owned(),
        key: topic.clone().unwrap_or_else(|| letter.thread.key()),
        reference: topic.unwrap_or_default(),
        at: rfc3339(letter.written_at, calendar),
        ..Notice::default()
    };
    let since = |at| rfc3339(at, calendar);
    let notice = match &letter.content {
        Content::Case(case) => about_case(letter, case, blank, calendar),
        Content::Lines { umbrella, lines, .. } => Notice {
            text: format!("{kind} [{}]: {} lines of one customer", umbrella.reference, lines.len()),
            about: "umbrella".to_owned(),
            since: since(umbrella.opened_at),
            ..blank
        },
        Content::Umbrella { umbrella, cases, .. } => Notice {
            text: format!(
                "Umbrella {kind} [{}]: {}, {cases} cases, {} of {} lines lost",
                umbrella.reference,
                cause_words(&umbrella.cause),
                umbrella.lost,
                umbrella.of
            ),
            priority: "P1".to_owned(),
            about: "umbrella".to_owned(),
            since: since(umbrella.opened_at),
            ..blank
        },
        Content::Maintenance { maintenance, .. } => Notice {
            text: format!("Maintenance {kind} [{}]", maintenance.window.id),
            about: "maintenance".to_owned(),
            since: since(maintenance.window.from),
            ..blank
        },
        Content::Alarm(alarm) => Notice {
            text: if letter.mark.kind == LetterKind::AllClear {
                format!("All clear: {}", all_clear_words(alarm.kind))
            } else {
                format!("Alarm: {}", alarm_words(&alarm.why))
            },
            about: "alarm".to_owned(),
            since: since(alarm.since),
            ..blank
        },
        Content::Contract(contract) => Notice {
            text: format!("Contract {} of {} ends", contract.id, contract.customer),
            customer: contract.customer.clone(),
            about: "contract".to_owned(),
            since: since(letter.written_at),
            ..blank
        },
        Content::PassedOn { original, .. } => {
            Notice { text: format!("Letter {original} was passed on"), about: "case".to_owned(), ..blank }
        }
        Content::OutOfReach { customer, address } => Notice {
            text: format!("Nobody of {customer} can be written to: {address} does not work"),
            customer: customer.clone(),
            about: "customer".to_owned(),
            since: since(letter.written_at),
            ..blank
        },
    };
    Notice { text: notice.text.replace(char::is_control, " "), ..notice }
}

fn about_case(letter: &Letter, case: &Case, blank: Notice, calendar: &Calendar) -> Notice {
    let opening = &case.opening;
    let (priority, reference, unit) = (case.priority.name(), opening.reference, &opening.unit);
    let (customer, terms) = (opening.circuit.customer.to_string(), &opening.circuit.terms);
    Notice {
        text: format!("{priority} [{reference}] {unit} ({customer}, {}): {}", terms.service, what(letter, case)),
        unit: unit.clone(),
        service: terms.service.to_string(),
        priority: priority.to_owned(),
        about: "case".to_owned(),
        since: rfc3339(case.opened_at, calendar),
        customer,
        ..blank
    }
}

/// What happened to the case.
fn what(letter: &Letter, case: &Case) -> String {
    let finding = case.finding.as_ref().filter(|_| !case.line.is_lost());
    let state = || match finding {
        Some(finding) => format!("degraded, {}", finding_words(finding)),
        None if case.line.is_lost() => "no contact".to_owned(),
        None => "the line answers".to_owned(),
    };
    let owner = || case.owner.as_deref().unwrap_or("nobody");
    match letter.mark.kind {
        LetterKind::Opened if case.is_request() => format!("opened: {}", case.opening.intake.subject.title()),
        LetterKind::Opened => format!("opened, {}", state()),
        LetterKind::Upgraded => "raised to P1, contact is lost altogether".to_owned(),
        LetterKind::Solved => match &case.stage {
            Stage::Solved { window, .. } => format!("solved, watched for {}", duration(window.length)),
            Stage::New | Stage::Working { .. } | Stage::Waiting { .. } | Stage::Closed { .. } => "solved".to_owned(),
        },
        LetterKind::Returned => format!("the fault has returned, {}", state()),
        LetterKind::TakenBack => format!("taken back to work, {}", state()),
        LetterKind::Closed => "closed".to_owned(),
        LetterKind::Answered => "answered".to_owned(),
        LetterKind::News => "the customer was told news".to_owned(),
        LetterKind::Escalated => escalated(case),
        LetterKind::Heard => "the customer wrote".to_owned(),
        LetterKind::Rfo => "the reason for outage was issued".to_owned(),
        LetterKind::Assigned => format!("given to {}", owner()),
        LetterKind::Overdue => {
            format!("takes too long, open for {}, with {}", duration(letter.written_at.since(case.opened_at)), owner())
        }
        LetterKind::Updated
        | LetterKind::Announced
        | LetterKind::Revised
        | LetterKind::Cancelled
        | LetterKind::Alarm
        | LetterKind::AllClear
        | LetterKind::ContractEnds
        | LetterKind::PassedOn
        | LetterKind::OutOfReach => match case.umbrella {
            Some(umbrella) => format!("from now on umbrella {umbrella} speaks for it"),
            None => "there is news".to_owned(),
        },
    }
}

fn escalated(case: &Case) -> String {
    let Some(escalation) = &case.escalation else { return "escalated".to_owned() };
    let level = escalation.level.name();
    match escalation.why {
        EscalatedBy::Missed(kind) => format!("escalated to {level}, missed: {}", promise_words(kind)),
        EscalatedBy::Staff(_) | EscalatedBy::Customer(_) => format!("escalated to {level}"),
    }
}
