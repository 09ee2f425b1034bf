//! Letters about requests, and about reports that no contract covers.

use super::time::{duration, utc};
use crate::domain::desk::{Actor, Case, FULL_NOTICE, LEAST_NOTICE, LetterKind, Notice, Promise, PromiseKind, Subject};
use crate::domain::letter::Letter;
use crate::domain::time::Calendar;

/// That a request was taken, and under which reference.
pub(super) fn acknowledged(letter: &Letter, case: &Case) -> String {
    let opening = &case.opening;
    let whose = if letter.greeting.is_some() { "your" } else { "a" };
    let from = match &opening.origin {
        Actor::Customer(address) => format!(", by a message from {address}"),
        Actor::Watch | Actor::Staff(_) => String::new(),
    };
    let about = match (opening.intake.subject, opening.previous) {
        (Subject::RfoRequest, Some(previous)) => format!(" about case {previous}"),
        (
            Subject::ServiceDown
            | Subject::Degraded
            | Subject::RfoRequest
            | Subject::ActivationSupport
            | Subject::EngineerDispatch
            | Subject::InformationRequest
            | Subject::SoftwareUpdate
            | Subject::Other,
            _,
        ) => String::new(),
    };
    format!(
        "we have received {whose} request \"{}\"{about} for the service at {} (order {}){from}. Its reference is {}.{}",
        opening.intake.subject.title(),
        opening.unit,
        opening.circuit.order,
        opening.reference,
        notice_words(case)
    )
}

/// What comes of the time that was named (R24).
fn notice_words(case: &Case) -> String {
    match case.opening.intake.notice(case.opened_at) {
        None | Some(Notice::Full) => String::new(),
        Some(Notice::Tight) => format!(
            " The time that you named is less than {} ahead: we shall do what we can, and tell you whether it can be kept.",
            duration(FULL_NOTICE)
        ),
        Some(Notice::Short) => format!(
            " The time that you named can't be kept: we need at least {} of notice. The earliest time is below.",
            duration(LEAST_NOTICE)
        ),
    }
}

/// The letter about a report under a contract that is over: nothing of the line, and no word of a fault (R68).
pub(super) fn not_covered(case: &Case) -> String {
    let opening = &case.opening;
    format!(
        "we have received your report about {} (order {}); its reference is {}. The support contract for this order has \
         ended, so it does not go to our support but to our sales team, who will be in touch with you about a new contract.",
        opening.unit, opening.circuit.order, opening.reference
    )
}

pub(super) fn rfo(case: &Case, service: &str) -> String {
    let closes = if case.is_request() {
        format!(" With this your request {} is answered and closed; a reply opens a new one.", case.opening.reference)
    } else {
        String::new()
    };
    format!(
        "the reason for outage of {service} is below: what happened, what was done, and what of our promises was \
         kept.{closes}"
    )
}

/// What goes before and says what comes of an answer.
pub(super) fn answered(letter: &Letter, case: &Case, service: &str) -> String {
    let (title, reference) = (case.opening.intake.subject.title(), case.opening.reference);
    if letter.greeting.is_some() {
        format!(
            "here is our answer to your request \"{title}\" for {service}. With it {reference} is closed; a reply opens a \
             new request that is linked to it."
        )
    } else {
        format!(
            "the request \"{title}\" for {service} is answered. {reference} closes when whoever asked has the answer."
        )
    }
}

/// What a customer reads of a request beside its order.
pub(super) fn particulars(letter: &Letter, case: &Case, calendar: &Calendar) -> Vec<(&'static str, String)> {
    let intake = &case.opening.intake;
    let mut rows = vec![("Subject", intake.subject.title().to_owned())];
    rows.extend(intake.wanted_at.map(|at| ("Wanted", utc(at, calendar))));
    if intake.notice(case.opened_at) == Some(Notice::Short) {
        rows.push(("Earliest", utc(case.opened_at + LEAST_NOTICE, calendar)));
    }
    if !matches!(letter.mark.kind, LetterKind::Answered | LetterKind::Rfo) && !intake.lapsed {
        let due = |kind| case.promises.get(kind).and_then(Promise::due);
        rows.extend(due(PromiseKind::OnSite).map(|at| ("Engineer due", utc(at, calendar))));
        rows.extend(due(PromiseKind::Update).map(|at| ("Next news", utc(at, calendar))));
    }
    rows
}
