//! Why a case has its stage, its priority and its next deadline: sentences from its own facts.

use super::count::many;
use super::promise::promise_words;
use super::sentence::{because, diagnosis_words, finding_words, line_does, waits_for};
use super::time::{duration, utc};
use crate::domain::desk::{
    Actor, Case, EscalatedBy, Escalation, HeldLetter, Line, Outage, Priority, PromiseKind, RfoStep, Stage,
};
use crate::domain::time::{Calendar, Time};
use crate::domain::watch::{Interval, Reason, Verdict};
use std::time::Duration;

/// Explains `case` as of `now`. `past` is what the unit's ledger has of late, newest first.
#[must_use]
pub fn explain(case: &Case, past: &[Interval], now: Time, calendar: &Calendar) -> Vec<String> {
    let mut sentences = origin(case, calendar);
    sentences.push(priority(case));
    sentences.push(stage(case, calendar));
    sentences.push(line(case, past, now, calendar));
    sentences.push(next(case, now, calendar));
    sentences.extend(promises(case, calendar));
    if !matches!(case.stage, Stage::Closed { .. }) && case.promises.get(PromiseKind::Repair).is_none() {
        sentences.push(format!(
            "Order {} promises repair within {}, which is until {}.",
            case.opening.circuit.order,
            duration(case.opening.circuit.terms.ttr),
            utc(case.opened_at + case.opening.circuit.terms.ttr, calendar)
        ));
    }
    sentences
}

/// What is promised, until when, and how far the case was escalated.
fn promises(case: &Case, calendar: &Calendar) -> Vec<String> {
    let mut sentences = Vec::new();
    for (kind, promise) in case.promises.iter() {
        let what = promise_words(kind);
        let within = duration(promise.within);
        sentences.push(match (promise.missed, promise.due()) {
            (true, _) => format!("Promised within {within} and missed: {what}."),
            (false, Some(due)) => format!("Promised within {within}, which is until {}: {what}.", utc(due, calendar)),
            (false, None) => {
                let left = promise.within.saturating_sub(promise.clock.banked());
                format!("Promised within {within}: {what}; {} are left, and do not run while it waits.", duration(left))
            }
        });
    }
    if let Some(Escalation { level, why, .. }) = &case.escalation {
        sentences.push(match why {
            EscalatedBy::Missed(kind) => {
                format!("It is escalated to {}, for this was missed: {}.", level.name(), promise_words(*kind))
            }
            EscalatedBy::Staff(by) | EscalatedBy::Customer(by) => {
                format!("It is escalated to {}: {by} asked for it.", level.name())
            }
        });
    }
    sentences
}

/// Why a letter is held back, as a sentence.
#[must_use]
pub fn held_words(letter: &HeldLetter, calendar: &Calendar) -> String {
    let HeldLetter { umbrella, customer, kind, lines, due } = letter;
    format!(
        "Letter \"{}\" to {customer} is held back since {} for the customer's other lines under umbrella {umbrella}: it \
         tells of {} by now, and goes at {} at the latest.",
        kind.name(),
        utc(letter.since(), calendar),
        many(*lines, "line"),
        utc(*due, calendar)
    )
}

fn origin(case: &Case, calendar: &Calendar) -> Vec<String> {
    let opening = &case.opening;
    let when = utc(case.opened_at, calendar);
    let mut sentences = Vec::new();
    sentences.push(match &opening.origin {
        Actor::Watch if opening.finding.is_some() => {
            format!("The watch opened {} at {when}, because {} was degraded.", opening.reference, opening.unit)
        }
        Actor::Watch => format!(
            "The watch opened {} at {when}, because {} had lost contact for {}, counting only confirmed loss that our \
             own side could vouch for.",
            opening.reference,
            opening.unit,
            duration(opening.loss.total(case.opened_at))
        ),
        Actor::Staff(name) => format!("{name} opened {} on {} at {when}.", opening.reference, opening.unit),
        Actor::Customer(address) => {
            format!("A message from {address} opened {} on {} at {when}.", opening.reference, opening.unit)
        }
    });
    if let Some(outage) = opening.outage() {
        sentences.push(format!("The first lost probe was sent at {}.", loss(&outage, calendar)));
    }
    if let Some(outage) = case.confirmed.as_ref().filter(|outage| opening.outage().as_ref() != Some(outage)) {
        let which = if opening.outage().is_some() { "of its latest loss " } else { "" };
        sentences.push(format!("The first lost probe {which}was sent at {}.", loss(outage, calendar)));
    }
    if let Some(finding) = case.first_finding() {
        sentences.push(format!("The watch found the line degraded: {}.", finding_words(finding)));
    }
    if let Some(finding) = case.later_finding() {
        sentences.push(format!("Later it found: {}.", finding_words(finding)));
    }
    if let Some(umbrella) = case.umbrella {
        sentences.push(format!("It shares its cause with other lines: umbrella {umbrella} is over them all."));
    }
    if let Some(diagnosis) = &case.diagnosis {
        sentences.push(diagnosis_words(diagnosis, calendar));
    }
    if let Some(previous) = opening.previous {
        sentences.push(format!("The unit had case {previous} before, which is closed."));
    }
    sentences
}

/// When a loss began, was confirmed, and what was before.
fn loss(outage: &Outage, calendar: &Calendar) -> String {
    let Outage { last_contact, first_loss, detected } = outage;
    let contact = last_contact.map_or_else(
        || "it had never answered before".to_owned(),
        |at| format!("its last answer was to a probe of {}", utc(at, calendar)),
    );
    let (first_loss, detected) = (utc(*first_loss, calendar), utc(*detected, calendar));
    format!("{first_loss}; re-probes confirmed the loss by {detected}; {contact}")
}

fn priority(case: &Case) -> String {
    let name = case.priority.name();
    match (case.opening.priority, case.priority) {
        (Priority::P2, Priority::P1) => {
            format!("It is {name}: opened as P2, raised when the line lost contact altogether.")
        }
        (Priority::P1, Priority::P1) => format!("It is {name}: the service is down."),
        (Priority::P2 | Priority::P1, Priority::P2) => {
            format!("It is {name}: the service is intermittent or degraded.")
        }
    }
}

fn stage(case: &Case, calendar: &Calendar) -> String {
    let owner = case.owner.as_deref().unwrap_or("nobody");
    let again = match case.returned {
        0 => String::new(),
        1 => " It came back to work once.".to_owned(),
        times => format!(" It came back to work {times} times."),
    };
    match &case.stage {
        Stage::New if case.owner.is_some() => format!("It is New: {owner} was to take it and has not yet."),
        Stage::New => format!("It is New: nobody of queue {} has taken it yet.", case.opening.queue),
        // A case that went from New to Solved and back by the watch alone is in nobody's hands.
        Stage::Working { since } if owner == Actor::Watch.name() => format!(
            "It is Working since {}, though no person of queue {} has taken it yet.{again}",
            utc(*since, calendar),
            case.opening.queue
        ),
        Stage::Working { since } => {
            format!("It is Working since {}: {owner} has it.{again}", utc(*since, calendar))
        }
        Stage::Waiting { since, on } => {
            format!("It is Waiting for {} since {}: {owner} has it.{again}", waits_for(*on), utc(*since, calendar))
        }
        Stage::Solved { since, by, .. } => {
            let why = match by {
                Actor::Watch => {
                    format!("the line had been back for {}, so the watch declared it", duration(case.solve_after()))
                }
                Actor::Staff(name) | Actor::Customer(name) => format!("{name} declared it"),
            };
            format!("It is Solved since {}: {why}.{again}", utc(*since, calendar))
        }
        Stage::Closed { since, .. } => {
            format!(
                "It is Closed since {}, which is final: the stability window passed without the fault.{again}",
                utc(*since, calendar)
            )
        }
    }
}

/// A loss without an answer in between, as the ledger has it.
struct Silence {
    since: Time,
    /// How much of it was maintenance.
    excused: Duration,
}

impl Silence {
    /// The one that is under way. `past` is the unit's ledger, newest first.
    fn of(case: &Case, past: &[Interval], now: Time) -> Option<Self> {
        let Line::Watched(Verdict::Loss, reason) = case.line else { return None };
        let excused = |reason, lasted| if reason == Reason::Maintenance { lasted } else { Duration::ZERO };
        let mut silence = Self { since: case.line_since, excused: excused(reason, now.since(case.line_since)) };
        let mut reached = case.line_since;
        // What the ledger has since, the case has as well.
        for stretch in past.iter().filter(|stretch| stretch.until <= case.line_since) {
            if stretch.until != reached || stretch.verdict.is_contact() {
                break;
            }
            reached = stretch.from;
            if stretch.verdict == Verdict::Loss {
                silence.since = stretch.from;
                silence.excused += excused(stretch.reason, stretch.until.since(stretch.from));
            }
        }
        Some(silence)
    }
}

fn line(case: &Case, past: &[Interval], now: Time, calendar: &Calendar) -> String {
    let lost = match case.downtime.total(now) {
        Duration::ZERO => "never lost while this case was open".to_owned(),
        lost => format!("lost for {} in all", duration(lost)),
    };
    match (&case.stage, case.line) {
        (Stage::Closed { .. }, _) => format!("The line was {lost}."),
        (_, Line::Withdrawn) => "The unit was taken out of the inventory; nobody watches it any more.".into(),
        (_, Line::Watched(verdict, reason)) => {
            let since = utc(case.line_since, calendar);
            let does = match reason {
                Reason::Answered => line_does(verdict).to_owned(),
                Reason::Rejected
                | Reason::Maintenance
                | Reason::Lossy
                | Reason::Slow
                | Reason::Slower
                | Reason::Flapping
                | Reason::Rebooting
                | Reason::InterfaceDown
                | Reason::InterfaceErrors
                | Reason::Overloaded
                | Reason::CoreSilent
                | Reason::MassLoss
                | Reason::NoAnswer
                | Reason::SentinelsSilent
                | Reason::SendsFailing
                | Reason::Added
                | Reason::Stopped
                | Reason::Stalled
                | Reason::Unresolved => format!("{}: {}", line_does(verdict), because(reason)),
            };
            let whole = Silence::of(case, past, now).filter(|silence| silence.since < case.line_since);
            let whole = whole.map_or_else(String::new, |Silence { since, excused }| {
                let since = utc(since, calendar);
                if excused.is_zero() {
                    format!("There was no answer since {since}. ")
                } else {
                    let excused = duration(excused);
                    format!("There was no answer since {since}; for {excused} of that it was being maintained. ")
                }
            });
            format!("{whole}Since {since} {does}. It was {lost}.")
        }
    }
}

fn next(case: &Case, now: Time, calendar: &Calendar) -> String {
    match &case.stage {
        Stage::New | Stage::Working { .. } | Stage::Waiting { .. } => match case.solve_due() {
            Some(at) => format!(
                "Next: if the line stays up, the watch declares it solved at {}, {} after it came back.",
                utc(at, calendar),
                duration(case.solve_after())
            ),
            None if case.line == Line::Withdrawn => {
                "Next: no deadline of the watch runs; staff declare it solved.".into()
            }
            None if case.fault_seen => "Next: no deadline of the watch runs; it is declared solved when the line is \
                                        back for long enough, or by staff."
                .into(),
            None => "Next: no deadline of the watch runs; the watch has not seen the fault itself, so only staff can \
                     declare it solved."
                .into(),
        },
        Stage::Solved { window, .. } => {
            let blind = match case.blind_in_window(now) {
                blind if blind < Duration::from_secs(1) => String::new(),
                blind => format!(" Time in which nobody could see the line ({}) does not count.", duration(blind)),
            };
            let (seen, length) = (duration(window.observed.total(now)), duration(window.length));
            let lost = if case.line.is_lost() {
                " The line is lost just now: if that becomes a fault, the case goes back to work instead."
            } else {
                ""
            };
            match case.close_due() {
                Some(at) if at <= now && !case.rfo_is_settled() => {
                    format!("Next: its window was over at {}; {}", utc(at, calendar), rfo_words(case))
                }
                Some(at) => format!(
                    "Next: it closes at {} if the fault stays away; {seen} of the {length} window have been \
                     observed.{blind}{lost}",
                    utc(at, calendar)
                ),
                None => format!(
                    "Next: the {length} window is paused while nobody can see the line; {seen} have been \
                     observed.{blind}"
                ),
            }
        }
        Stage::Closed { .. } => "Next: nothing; a later fault opens a new case.".into(),
    }
}

/// What a case that could be closed still waits for.
const fn rfo_words(case: &Case) -> &'static str {
    match case.rfo.step {
        RfoStep::Issued => "it closes when a mail server of the customer has taken the reason for outage.",
        RfoStep::None | RfoStep::Ordered { .. } | RfoStep::Delivered | RfoStep::Undelivered => {
            "it closes when the customer has been given a reason for outage, which is being written."
        }
    }
}
