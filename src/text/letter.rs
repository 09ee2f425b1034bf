//! Letters in their final words.

use super::case_letter;
use super::customers::{about_reach, passed_on};
use super::notice::notice;
use super::people::about_contract;
use super::sentence::{alarm_words, all_clear_words, cause_words, site_words};
use super::stamp::Stamp;
use super::survey::invitation;
use super::time::{duration, utc};
use crate::domain::desk::{Alarm, AlarmKind, Case, LetterKind, LetterMark, SiteCause, Umbrella};
use crate::domain::letter::{Content, Letter, Mail, Thread};
use crate::domain::maintenance::{Maintenance, Stage};
use crate::domain::notice::messenger;
use crate::domain::time::{Calendar, Time};
use std::sync::Arc;

/// Lines of which one letter brings the whole reasons for outage; of more it tells the heads.
pub const MAX_DOCUMENTS_A_LETTER: usize = 5;

/// Writes out `letter`.
#[must_use]
pub fn mail(letter: &Letter, stamp: &Stamp, calendar: &Calendar) -> Mail {
    mail_with(letter, &[], stamp, calendar)
}

/// The same of a letter that brings documents, each as text.
#[must_use]
pub fn mail_with(letter: &Letter, documents: &[String], stamp: &Stamp, calendar: &Calendar) -> Mail {
    let id = |mark| stamp.message_id(&letter.thread, mark, &letter.to);
    let first = LetterMark { kind: first_kind(&letter.thread), number: 1 };
    let in_reply_to = letter.previous.map(id);
    let root = letter.previous.filter(|&previous| previous != first).map(|_| id(first));
    let references = root.into_iter().chain(in_reply_to.clone()).collect();
    if messenger(&letter.to).is_some() {
        let notice = notice(letter, calendar);
        return Mail {
            id: letter.id,
            to: letter.to.clone(),
            message_id: id(letter.mark),
            in_reply_to,
            references,
            reply_to: None,
            body: notice.to_json(),
            subject: notice.text,
            written_unix_ms: calendar.unix_millis(letter.written_at),
        };
    }
    let asks = letter.survey.as_ref().map(|survey| invitation(survey, stamp, calendar)).unwrap_or_default();
    Mail {
        id: letter.id,
        to: letter.to.clone(),
        message_id: id(letter.mark),
        in_reply_to,
        references,
        reply_to: stamp.reply_to(letter.id, &letter.thread, &letter.to),
        subject: subject(letter),
        body: documents.iter().fold(body(letter, calendar), |body, document| body + "\n\n" + document) + &asks,
        written_unix_ms: calendar.unix_millis(letter.written_at),
    }
}

/// A letter that brings another one, in the words of which it was written first.
#[must_use]
pub fn mail_passed_on(letter: &Letter, from: &str, original: &Mail, stamp: &Stamp, calendar: &Calendar) -> Mail {
    let [subject, body] = passed_on(from, original);
    Mail { subject, body, ..mail(letter, stamp, calendar) }
}

/// What a thread usually begins with.
const fn first_kind(thread: &Thread) -> LetterKind {
    match thread {
        Thread::Case { .. } | Thread::Umbrella { .. } => LetterKind::Opened,
        Thread::Maintenance { .. } => LetterKind::Announced,
        Thread::Alarm { .. } => LetterKind::Alarm,
        Thread::Contract { .. } => LetterKind::ContractEnds,
        Thread::Reach { .. } => LetterKind::OutOfReach,
    }
}

/// One subject for the whole thread, but for the answer sign: mail programs thread by it.
fn subject(letter: &Letter) -> String {
    let answer = if letter.previous.is_some() { "Re: " } else { "" };
    let what = match &letter.content {
        Content::Case(case) => case_letter::subject(case),
        Content::Lines { umbrella, lines, .. } => match lines.as_slice() {
            [(case, _)] => format!("[{}] Service fault: {}", umbrella.reference, case.opening.unit),
            [..] => format!("[{}] Service fault: several of your lines", umbrella.reference),
        },
        Content::Umbrella { umbrella, .. } => format!("[{}] Shared fault: {}", umbrella.reference, umbrella.cause),
        Content::Maintenance { maintenance, .. } => {
            let sort = if maintenance.window.emergency { "Emergency maintenance" } else { "Planned maintenance" };
            format!("[{}] {sort}", maintenance.window.id)
        }
        Content::Alarm(alarm) => format!("[ntuwatch] Alarm: {}", alarm.kind.name()),
        Content::Contract(contract) => format!("[{}] Your support contract ends", contract.id),
        Content::PassedOn { original, .. } => format!("[ntuwatch] Letter {original}"),
        Content::OutOfReach { customer, .. } => format!("[ntuwatch] Contact invalid: {customer}"),
    };
    format!("{answer}{what}")
}

fn body(letter: &Letter, calendar: &Calendar) -> String {
    let mut text = String::new();
    if let Some(name) = &letter.greeting {
        text.push_str(&format!("Dear {name},\n\n"));
    }
    text.push_str(&match &letter.content {
        Content::Case(case) => case_letter::body(letter, case, calendar),
        Content::Lines { umbrella, lines, text } => about_lines(letter, umbrella, lines, text.as_deref(), calendar),
        Content::Umbrella { umbrella, cases, text } => {
            about_umbrella(letter.mark.kind, umbrella, *cases, text.as_deref(), calendar)
        }
        Content::Maintenance { maintenance, lines, spared } => {
            about_maintenance(letter, maintenance, [lines, spared], calendar)
        }
        Content::Alarm(alarm) => about_alarm(letter, alarm, calendar),
        Content::Contract(contract) => about_contract(letter, contract, calendar),
        // Its words are those of another letter: see `mail_passed_on`.
        Content::PassedOn { .. } => String::new(),
        Content::OutOfReach { customer, address } => about_reach(customer, address),
    });
    text
}

/// `Label:          value`, one a line.
pub(super) fn table(rows: &[(&str, String)]) -> String {
    rows.iter().map(|(label, value)| format!("{:<16}{value}\n", format!("{label}:"))).collect()
}

/// All lines of one customer to which the same happened.
fn about_lines(
    letter: &Letter,
    umbrella: &Umbrella,
    lines: &[(Arc<Case>, LetterMark)],
    news: Option<&str>,
    calendar: &Calendar,
) -> String {
    let whose = if letter.greeting.is_some() { "your" } else { "the customer's" };
    let (count, these) = match lines.len() {
        1 => (format!("one of {whose} lines"), "this line"),
        several => (format!("{several} of {whose} lines"), "these lines"),
    };
    let message = match letter.mark.kind {
        LetterKind::Opened => {
            format!("We have lost contact with {count}, by a fault that they share with others. We are working on it.")
        }
        LetterKind::Upgraded => format!("We have now lost contact altogether with {count}. They are raised to P1."),
        // Staff may be sure of a line that has not answered yet.
        LetterKind::Solved if !lines.iter().all(|(case, _)| is_back(case)) => {
            format!(
                "We consider the fault of {count} repaired. We go on watching {these}: if the fault returns, so does \
                 its case."
            )
        }
        LetterKind::Solved => {
            format!(
                "{} back. We go on watching {these}: if the fault returns, so does its case.",
                are(lines.len(), whose)
            )
        }
        LetterKind::Returned => {
            format!("The fault of {count} has returned while we were watching. We are working on it.")
        }
        LetterKind::TakenBack => format!("We have taken the cases of {count} back to work."),
        LetterKind::Closed => {
            format!("The fault of {count} has stayed away for the whole time that we watched. The cases are closed.")
        }
        LetterKind::Rfo => {
            format!("What happened to {count}, and what we did about it, is below.")
        }
        LetterKind::Updated | LetterKind::News => format!("There is news of the fault of {count}."),
        LetterKind::Escalated => format!(
            "We have not kept what we had promised you about the fault of {count}. We are sorry. It has been brought to \
             the next level."
        ),
        LetterKind::Heard
        | LetterKind::Announced
        | LetterKind::Revised
        | LetterKind::Cancelled
        | LetterKind::Alarm
        | LetterKind::AllClear
        | LetterKind::Assigned
        | LetterKind::Overdue
        | LetterKind::ContractEnds
        | LetterKind::PassedOn
        | LetterKind::OutOfReach
        | LetterKind::Answered => String::new(),
    };
    let mut text = format!("{message}\n\n");
    if let Some(news) = news {
        text.push_str(&format!("{news}\n\n"));
    }
    for (case, mark) in lines {
        text.push_str(&format!("{}\n", line_of(case, mark.kind, calendar)));
    }
    if letter.mark.kind == LetterKind::Rfo && lines.len() > MAX_DOCUMENTS_A_LETTER {
        text.push_str("\nAsk us by the number of a case for its whole reason for outage.\n");
    }
    text.push_str(&format!(
        "\nPlease keep {} in the subject of any reply, or the number of a case if it is about one line only.\n",
        umbrella.reference
    ));
    text
}

fn are(lines: usize, whose: &str) -> String {
    match lines {
        1 => format!("One of {whose} lines is"),
        several => format!("{several} of {whose} lines are"),
    }
}

/// Whether the line itself showed that its loss is over.
const fn is_back(case: &Case) -> bool {
    case.recovered_at.is_some() && !case.line.is_lost()
}

/// One line of a letter about several: unit, order, case, and the time that matters.
fn line_of(case: &Case, kind: LetterKind, calendar: &Calendar) -> String {
    let opening = &case.opening;
    let at = |time| utc(time, calendar);
    if kind == LetterKind::Rfo {
        return outage_of(case, calendar);
    }
    let when = if matches!(kind, LetterKind::Solved | LetterKind::Closed) && is_back(case) {
        case.recovered_at.map(|time| format!("back since {}", at(time)))
    } else {
        case.outage().map(|outage| format!("lost since {}", at(outage.first_loss)))
    };
    let when = when.map(|when| format!(", {when}")).unwrap_or_default();
    format!(
        "  {} (order {}, {}): {}{when}",
        opening.unit,
        opening.circuit.order,
        opening.reference,
        case.priority.name()
    )
}

/// The heads of a line's reason for outage.
fn outage_of(case: &Case, calendar: &Calendar) -> String {
    let opening = &case.opening;
    let at = |time: Option<Time>| time.map_or_else(|| "-".to_owned(), |time| utc(time, calendar));
    let cause = case.diagnosis.as_ref().map_or(SiteCause::Unknown, |diagnosis| diagnosis.cause);
    let lost = case.downtime.total(case.window().map_or(case.opened_at, |(solved_at, _)| solved_at));
    format!(
        "  {} (order {}, {}): {}, lost since {}, back since {}, {} in all; cause: {}",
        opening.unit,
        opening.circuit.order,
        opening.reference,
        case.priority.name(),
        at(opening.first_loss),
        at(case.recovered_at),
        duration(lost),
        site_words(cause)
    )
}

fn about_umbrella(
    kind: LetterKind,
    umbrella: &Umbrella,
    cases: usize,
    news: Option<&str>,
    calendar: &Calendar,
) -> String {
    let message = if kind == LetterKind::Closed {
        "The shared cause is over; no case is at work under it any more.".to_owned()
    } else if kind == LetterKind::Updated {
        "All affected customers were told:".to_owned()
    } else if kind == LetterKind::Escalated {
        "What was promised to customers under this umbrella was missed: it is escalated.".to_owned()
    } else {
        format!("Lines fail together: {}.", cause_words(&umbrella.cause))
    };
    let news = news.map(|news| format!("{news}\n\n")).unwrap_or_default();
    let rows = [
        ("Umbrella", umbrella.reference.to_string()),
        ("Cause", umbrella.cause.to_string()),
        ("First loss", utc(umbrella.first_loss, calendar)),
        ("Lost", format!("{} of {} lines within {}", umbrella.lost, umbrella.of, duration(umbrella.within))),
        ("Cases", cases.to_string()),
    ];
    format!(
        "{message}\n\n{news}{}\nEach customer has a case of its own for each line and gets one letter about all of them.\n",
        table(&rows)
    )
}

fn about_maintenance(
    letter: &Letter,
    maintenance: &Maintenance,
    [lines, spared]: [&[(String, String)]; 2],
    calendar: &Calendar,
) -> String {
    let (kind, window) = (letter.mark.kind, &maintenance.window);
    let work = if window.emergency { "emergency maintenance" } else { "maintenance" };
    let (lines_word, them) = if lines.len().max(spared.len()) == 1 { ("line", "it") } else { ("lines", "them") };
    let message = if lines.is_empty() {
        format!("The {work} that we announced for the {lines_word} below was changed and spares {them} now:")
    } else if kind == LetterKind::Cancelled && maintenance.stage == Stage::Active {
        format!("The {work} of the {lines_word} below has ended earlier than planned:")
    } else if kind == LetterKind::Cancelled {
        format!("The {work} that we announced for the {lines_word} below was called off:")
    } else if kind == LetterKind::Revised {
        format!("The {work} that we announced for the {lines_word} below was changed:")
    } else if window.from <= letter.written_at {
        format!("There is {work} under way, during which the {lines_word} below may be interrupted:")
    } else {
        format!("There will be {work}, during which the {lines_word} below may be interrupted:")
    };
    let mut rows = vec![("Maintenance", window.id.clone())];
    // When it is for others is no business of one whom it spares.
    if !lines.is_empty() {
        rows.extend([("Begins", utc(window.from, calendar)), ("Ends", utc(window.until, calendar))]);
    }
    rows.push(("Revision", maintenance.revision.to_string()));
    if maintenance.is_short_notice() && kind != LetterKind::Cancelled {
        rows.push(("Notice", "short: less than the 14 days that we aim at".to_owned()));
    }
    rows.extend(window.note.as_ref().filter(|_| !lines.is_empty()).map(|note| ("Work", note.clone())));
    let list = |lines: &[(String, String)]| -> String {
        lines.iter().map(|(unit, order)| format!("  {unit} (order {order})\n")).collect()
    };
    let spared = match (lines, spared) {
        (_, []) => String::new(),
        ([], [..]) => list(spared),
        ([..], [..]) => format!("\nNot touched any more:\n\n{}", list(spared)),
    };
    format!("{message}\n\n{}\n{}{spared}", table(&rows), list(lines))
}

fn about_alarm(letter: &Letter, alarm: &Alarm, calendar: &Calendar) -> String {
    if letter.mark.kind == LetterKind::AllClear {
        let lasted = duration(letter.written_at.since(alarm.since));
        return format!("All clear after {lasted}: {}.\n", all_clear_words(alarm.kind));
    }
    let means = match alarm.kind {
        AlarmKind::Isolation | AlarmKind::Impaired => " What was measured meanwhile is INCONCLUSIVE and opens no case.",
        AlarmKind::Canary => "",
        AlarmKind::Unstaffed => " See `ntuwatch case list` for what waits, and `ntuwatch staff` for who could take it.",
    };
    format!(
        "Since {} {}.\n\nNo customer is told of this.{means}\n",
        utc(alarm.since, calendar),
        alarm_words(&alarm.why)
    )
}
