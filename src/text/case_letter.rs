//! Letters about one case.

use super::letter::table;
use super::people::{given_words, late_words};
use super::promise::promise_words;
use super::request_letter;
use super::sentence::{diagnosis_words, finding_words, prechecks_words, site_words, witnesses_words};
use super::time::{duration, utc};
use crate::domain::desk::{
    Actor, Case, EscalatedBy, LetterKind, Line, Priority, Promise, PromiseKind, SiteCause, Stage,
};
use crate::domain::letter::Letter;
use crate::domain::time::{Calendar, Time};

pub(super) fn subject(case: &Case) -> String {
    let opening = &case.opening;
    let what = match opening.priority {
        Priority::P1 => "Service down",
        Priority::P2 => "Service degraded",
        Priority::P3 => opening.intake.subject.title(),
    };
    // Nothing of a fault in a thread that is about a contract (R68).
    let what = if opening.intake.lapsed { "Your report" } else { what };
    format!("[{}] {what}: {} (order {})", opening.reference, opening.unit, opening.circuit.order)
}

pub(super) fn body(letter: &Letter, case: &Case, calendar: &Calendar) -> String {
    let mut text = format!("{}\n\n", capitalised(&message(letter, case)));
    let is_news = matches!(letter.mark.kind, LetterKind::News | LetterKind::Answered);
    if let Some(news) = case.news.as_ref().filter(|_| is_news) {
        text.push_str(&format!("{}\n\n", news.text));
    }
    if let Some((_, heard)) = case.heard.as_ref().filter(|_| tells_message(letter)) {
        text.push_str(&format!("{} wrote:\n\n{}\n\n", heard.from, quoted(&heard.text)));
    }
    let is_acknowledged = letter.mark.kind == LetterKind::Opened && letter.greeting.is_some();
    if is_acknowledged && case.lacks_prechecks() && !case.opening.intake.lapsed {
        text.push_str(PRE_CHECKS);
    }
    text.push_str(&table(&particulars(letter, case, calendar)));
    text.push('\n');
    text.push_str(&match letter.greeting {
        Some(_) => {
            format!(
                "Please keep {} in the subject of any reply, so that it reaches this case.\n",
                case.opening.reference
            )
        }
        None => format!("ntuwatch case explain {}\n", case.opening.reference),
    });
    text
}

/// What helps to find a fault, and only somebody at the site can tell (R6).
const PRE_CHECKS: &str = "\
So that we find the fault sooner, please answer this letter and tell us:
  1. Is there power at the site, and are the lamps of the network termination unit lit? Which ones, and in what colour?
  2. Are its cables in place, and was anything changed or moved lately?
  3. Since when do you see it, and is it all of the time?
  4. Does it also fail with one computer connected directly to the unit?
  5. Who at the site can be called, and when is there access?

";

/// Whether the operations centre reads in it what a customer wrote last.
const fn tells_message(letter: &Letter) -> bool {
    letter.greeting.is_none()
        && matches!(letter.mark.kind, LetterKind::Heard | LetterKind::TakenBack | LetterKind::Escalated)
}

fn quoted(text: &str) -> String {
    text.lines().map(|line| format!("> {line}")).collect::<Vec<_>>().join("\n")
}

fn capitalised(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn message(letter: &Letter, case: &Case) -> String {
    let whose = if letter.greeting.is_some() { "your" } else { "the" };
    let service = format!("{whose} service at {} (order {})", case.opening.unit, case.opening.circuit.order);
    match letter.mark.kind {
        LetterKind::Opened => opened(letter, case, &service),
        LetterKind::Upgraded => {
            format!("we have now lost contact altogether with {service}. The case is raised to P1.")
        }
        LetterKind::Solved => {
            let (by_watch, window) = match &case.stage {
                Stage::Solved { by, window, .. } => (*by == Actor::Watch, duration(window.length)),
                Stage::New | Stage::Working { .. } | Stage::Waiting { .. } | Stage::Closed { .. } => {
                    (false, String::new())
                }
            };
            let why = if by_watch {
                format!("{service} has been back for {}", duration(case.solve_after()))
            } else if case.line.is_lost() {
                format!("we consider the fault of {service} repaired, though we have no contact with it yet")
            } else {
                format!("we consider the fault of {service} repaired")
            };
            format!(
                "{why}. The case is solved. We now watch the line for {window}: if the fault returns within that time, \
                 this same case goes back to work; if not, it is closed."
            )
        }
        LetterKind::Returned => returned(case, &service),
        LetterKind::TakenBack => taken_back(case, &service),
        LetterKind::News => format!("there is news of {service}:"),
        LetterKind::Escalated => escalated(letter, case, &service),
        LetterKind::Rfo => request_letter::rfo(case, &service),
        LetterKind::Answered => request_letter::answered(letter, case, &service),
        LetterKind::Assigned => given_words(case, &service),
        LetterKind::Overdue => late_words(case, &service, letter.written_at.since(case.opened_at)),
        LetterKind::Heard => format!("there is a message about {service}:"),
        LetterKind::Updated
        | LetterKind::Announced
        | LetterKind::Revised
        | LetterKind::Cancelled
        | LetterKind::Alarm
        | LetterKind::AllClear
        | LetterKind::ContractEnds
        | LetterKind::PassedOn
        | LetterKind::OutOfReach => match case.umbrella {
            Some(umbrella) => format!(
                "{service} has failed together with others: umbrella {umbrella} is over them all and speaks for case \
                 {} from now on.",
                case.opening.reference
            ),
            None => format!("there is news of {service}."),
        },
        LetterKind::Closed => closed(letter, case, &service),
    }
}

fn opened(letter: &Letter, case: &Case, service: &str) -> String {
    if case.opening.intake.lapsed && letter.greeting.is_some() {
        return request_letter::not_covered(case);
    }
    if case.is_request() {
        return request_letter::acknowledged(letter, case);
    }
    match (&case.opening.origin, &case.opening.finding) {
        (Actor::Watch, Some(finding)) => format!(
            "we have found that {service} is degraded: {}. We have opened case {} and are working on it.",
            finding_words(finding),
            case.opening.reference
        ),
        (Actor::Watch, None) => format!(
            "we have lost contact with {service}. We have opened case {} and are working on it.",
            case.opening.reference
        ),
        (Actor::Staff(_), _) => format!("we have opened case {} about {service}.", case.opening.reference),
        (Actor::Customer(address), _) => format!(
            "we have received a message from {address} and opened case {} about {service}.",
            case.opening.reference
        ),
    }
}

fn closed(letter: &Letter, case: &Case, service: &str) -> String {
    let blind = case.blind_in_window(letter.written_at);
    let extended = match case.line {
        Line::Withdrawn => " The unit was taken out of service meanwhile.".to_owned(),
        Line::Watched(..) if blind.as_secs() > 0 => {
            format!(" For {} nobody could see the line; the window was made longer by that.", duration(blind))
        }
        Line::Watched(..) => String::new(),
    };
    let window = case.window().map(|(_, window)| duration(window.length)).unwrap_or_default();
    format!(
        "the fault of {service} has stayed away for the {window} of the stability window.{extended} Case {} is \
         closed.",
        case.opening.reference
    )
}

fn escalated(letter: &Letter, case: &Case, service: &str) -> String {
    let (level, why) = case.escalation.as_ref().map_or(("", None), |escalation| {
        let missed = match escalation.why {
            EscalatedBy::Missed(kind) => Some(kind),
            EscalatedBy::Staff(_) | EscalatedBy::Customer(_) => None,
        };
        (escalation.level.name(), missed)
    });
    let reference = case.opening.reference;
    match (why.map(promise_words), letter.greeting.is_some()) {
        (Some(promised), true) => format!(
            "we have not kept what we had promised you about {service}: {promised}. We are sorry. Case {reference} has \
             been brought to the next level, {level}."
        ),
        (Some(promised), false) => {
            format!("a promise about {service} was missed: {promised}. Case {reference} is escalated to {level}.")
        }
        (None, _) => format!("case {reference} about {service} has been brought to the next level, {level}."),
    }
}

fn returned(case: &Case, service: &str) -> String {
    let found = case.finding.filter(|_| !case.line.is_lost());
    let why = match (found, case.opening.priority) {
        (Some(finding), _) => format!("{service} is degraded again: {}", finding_words(&finding)),
        (None, Priority::P1) => format!("the fault of {service} has returned while we were watching the line"),
        (None, Priority::P2 | Priority::P3) => {
            format!("we have lost contact altogether with {service}; it is a P1 now")
        }
    };
    format!("{why}. Case {} is being worked on again.", case.opening.reference)
}

fn taken_back(case: &Case, service: &str) -> String {
    let though = if case.line.is_lost() {
        "we have no contact with it"
    } else if case.line.is_faulty() {
        "the line is degraded"
    } else {
        "there is a concern about it, though the line answers"
    };
    format!("we have taken case {} about {service} back to work: {though}.", case.opening.reference)
}

fn particulars(letter: &Letter, case: &Case, calendar: &Calendar) -> Vec<(&'static str, String)> {
    let opening = &case.opening;
    let at = |time| utc(time, calendar);
    let mut rows = vec![
        ("Case", opening.reference.to_string()),
        ("Priority", case.priority.name().to_owned()),
        ("Unit", opening.unit.clone()),
        ("Order", opening.circuit.order.to_string()),
        ("Service", format!("{}, {}", opening.circuit.terms.service, opening.circuit.terms.region)),
    ];
    rows.extend(opening.previous.map(|previous| ("Earlier case", previous.to_string())));
    let is_for_sales = opening.intake.lapsed && letter.mark.kind == LetterKind::Opened && letter.greeting.is_some();
    if case.is_request() || is_for_sales {
        // A fault that the watch may know of is no part of it.
        rows.push(("Opened", at(case.opened_at)));
        rows.extend(request_letter::particulars(letter, case, calendar));
        rows.extend(for_staff(letter, case));
        return rows;
    }
    // Without a loss the line has been answering since.
    rows.extend(case.outage().and_then(|outage| outage.last_contact).map(|time| ("Last contact", at(time))));
    rows.extend(case.outage().map(|outage| ("First loss", at(outage.first_loss))));
    if let LetterKind::Opened = letter.mark.kind {
        rows.extend(case.outage().map(|outage| ("Detected", at(outage.detected))));
    }
    rows.push(("Opened", at(case.opened_at)));
    let recovered_at = case.recovered_at.filter(|_| !case.line.is_lost());
    match letter.mark.kind {
        LetterKind::Opened
        | LetterKind::Upgraded
        | LetterKind::Returned
        | LetterKind::TakenBack
        | LetterKind::News
        | LetterKind::Escalated
        | LetterKind::Heard
        | LetterKind::Updated
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
        | LetterKind::Answered => {
            let due = |kind| case.promises.get(kind).and_then(Promise::due);
            rows.extend(due(PromiseKind::OnSite).map(|time| ("Engineer due", at(time))));
            rows.extend(due(PromiseKind::Update).map(|time| ("Next news", at(time))));
            rows.extend(repair_due(case).map(|time| ("Repair due", at(time))));
        }
        LetterKind::Rfo => {
            rows.extend(recovered_at.map(|time| ("Recovery", at(time))));
            rows.push(("Total downtime", duration(case.downtime.total(letter.written_at))));
        }
        LetterKind::Solved => {
            rows.extend(recovered_at.map(|time| ("Recovery", at(time))));
            rows.extend(case.close_due().map(|time| ("Watched until", at(time))));
        }
        LetterKind::Closed => {
            rows.extend(recovered_at.map(|time| ("Recovery", at(time))));
            rows.extend(case.window().map(|(solved_at, _)| ("Solved", at(solved_at))));
            rows.push(("Closed", at(letter.written_at)));
            rows.push(("Total downtime", duration(case.downtime.total(letter.written_at))));
        }
    }
    rows.extend(what_happened(letter, case, calendar));
    rows.extend(for_staff(letter, case));
    rows
}

/// What the operations centre reads, and no customer.
fn for_staff(letter: &Letter, case: &Case) -> Vec<(&'static str, String)> {
    let (opening, mut rows) = (&case.opening, Vec::new());
    if letter.greeting.is_none() {
        rows.push(("Customer", opening.circuit.customer.to_string()));
        rows.push(("Queue", case.queue().to_owned()));
        // Of a person who is none of the configured staff, nothing is known but a name.
        let known = case.assignment.as_ref().filter(|assignment| assignment.team.is_some());
        rows.extend(known.and(case.owner.as_ref()).map(|owner| ("Owner", owner.clone())));
        rows.extend(opening.circuit.terms.supplier.as_ref().map(|supplier| ("Supplier", supplier.clone())));
        rows.extend(opening.intake.caller.as_ref().map(|caller| ("Caller", caller.name.clone())));
        if letter.mark.kind == LetterKind::Opened && !case.is_request() && opening.origin != Actor::Watch {
            rows.push(("Pre-checks", prechecks_words(opening.intake.prechecks)));
        }
        rows.extend(opening.note.as_ref().map(|note| ("Note", note.clone())));
    }
    rows
}

/// Until when the order promises repair. Nobody can say while its time stands still.
fn repair_due(case: &Case) -> Option<Time> {
    match case.promises.get(PromiseKind::Repair) {
        Some(promise) if !promise.missed => promise.due(),
        Some(_) | None => Some(case.opened_at + case.opening.circuit.terms.ttr),
    }
}

/// What the witnesses tell, once the line is back, and to the operations centre also before that.
fn what_happened(letter: &Letter, case: &Case, calendar: &Calendar) -> Option<(&'static str, String)> {
    let diagnosis = case.diagnosis.as_ref()?;
    let is_over = matches!(letter.mark.kind, LetterKind::Solved | LetterKind::Closed);
    match (letter.greeting.is_some(), is_over, diagnosis.cause) {
        (true, true, SiteCause::Unknown) | (true, false, _) => None,
        // What others have to do with it is not for customers.
        (true, true, SiteCause::Site | SiteCause::AccessLine | SiteCause::Upstream) => {
            Some(("What happened", site_words(diagnosis.cause).to_owned()))
        }
        (false, _, SiteCause::Unknown) => {
            let words = witnesses_words(diagnosis, calendar);
            (!words.is_empty()).then_some(("Witnesses", words))
        }
        (false, _, SiteCause::Site | SiteCause::AccessLine | SiteCause::Upstream) => {
            is_over.then(|| ("What happened", diagnosis_words(diagnosis, calendar)))
        }
    }
}
