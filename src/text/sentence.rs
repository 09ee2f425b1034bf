//! Facts in sentences, and the turns of phrase that letters and explanations share with them.

use super::count::many;
use super::customers::customer_sentence;
use super::people::{assigned_words, contract_words, duty_words, overdue_words, shift_words};
use super::promise::{agreed_words, escalated_words, kept_words, missed_words, promise_words};
use super::time::{duration, utc};
use crate::domain::desk::{
    Actor, AlarmCause, AlarmKind, AnswerStep, CanaryStep, CaseFact, Cause, Diagnosis, Heard, LetterMark, Line,
    MailOutcome, Opening, PreChecks, Reference, SiteCause, Umbrella, Undelivered, WaitingOn, Witness, Writer,
};
use crate::domain::fact::{Fact, Instead};
use crate::domain::letter::{LetterLabel, Thread};
use crate::domain::mail::MailId;
use crate::domain::maintenance::{Maintenance, Origin, Stage};
use crate::domain::notice::messenger;
use crate::domain::outbox::FALL_BACK_AFTER;
use crate::domain::time::Calendar;
use crate::domain::watch::{AgentState, Finding, Obstacle, Reason, Symptom, Verdict};
use std::time::Duration;

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
        Fact::ClockStepped { by_ms } => step_sentence(*by_ms),
        Fact::VerdictChanged { device, verdict, reason, since } => {
            format!("{device} is {} since {}: {}.", verdict.name(), utc(*since, calendar), because(*reason))
        }
        Fact::CaseOpened(opening) => opened(opening),
        Fact::Case { fact, .. } => case_sentence(fact, calendar),
        Fact::AgentChanged { device, state } => agent_sentence(device, *state),
        Fact::Rebooted { device } => format!("The box of {device} started anew."),
        Fact::Trapped { device, says, interface, unnoted, .. } => {
            let about = interface.map(|interface| format!(" about interface {interface}")).unwrap_or_default();
            let more = if *unnoted > 0 { format!(" ({unnoted} more came before)") } else { String::new() };
            format!("{device} said {}{about}{more}.", says.name())
        }
        Fact::UmbrellaOpened(umbrella) => umbrella_sentence(umbrella),
        Fact::UmbrellaUpdated { by, text, customers, .. } => {
            format!("{by} told {}: {text}", many(*customers, "customer"))
        }
        Fact::UmbrellaClosed { cause, lasted, children, .. } => over_sentence(cause, *lasted, *children),
        Fact::MaintenancePlanned(maintenance) => maintenance_sentence(maintenance, calendar),
        Fact::MaintenanceBegan { id, scope, units } => {
            format!("Maintenance {id} of {scope} began; it touches {}.", many(*units, "unit"))
        }
        Fact::MaintenanceEnded { id, scope, lost } => {
            format!("Maintenance {id} of {scope} is over; still lost: {}.", many(*lost, "unit"))
        }
        Fact::AlarmRaised(alarm) => {
            format!("Alarm since {}: {}.", utc(alarm.since, calendar), alarm_words(&alarm.why))
        }
        Fact::AlarmCleared { kind, lasted, .. } => {
            format!("All clear after {}: {}.", duration(*lasted), all_clear_words(*kind))
        }
        Fact::CanaryBegan { unit } => {
            format!("The canary {unit} is taken for lost from now on, to see that its case comes.")
        }
        Fact::CanarySang { unit, took } => {
            format!("The canary {unit} sang: its letter was taken {} after its outage began.", duration(*took))
        }
        Fact::StaffDuty { staff, on, by } => duty_words(staff, *on, by),
        Fact::ShiftBegan { centre, before, cases } => shift_words(centre, before.as_deref(), *cases),
        Fact::ContractEnding(contract) => contract_words(contract, calendar),
        Fact::Customer(fact) => customer_sentence(fact),
        Fact::LetterQueued { letter, lines } => letter_sentence(letter, lines),
        Fact::LetterSent(letter) => format!("{} was taken by {}.", letter_words(letter), server_of(letter)),
        Fact::LetterFailed { letter, why } => format!("{} was refused for good: {why}", letter_words(letter)),
        Fact::NoticeFellBack { letter, instead } => fell_back(letter, instead),
        Fact::LetterBounced { letter, why } => format!("{} came back: {why}", letter_words(letter)),
        Fact::AddressFailed { address, why } => format!("The address {address} does not work: {why}"),
        Fact::AddressWorks { address } => format!("The address {address} works again: somebody says so."),
        Fact::MailSorted { mail, from, outcome, case, why } => {
            mail_sentence(*mail, from.as_deref(), *outcome, *case, why.as_deref())
        }
    }
}

fn step_sentence(by_ms: i64) -> String {
    let by = Duration::from_millis(by_ms.unsigned_abs()).as_secs_f64().copysign(by_ms.signum() as f64);
    format!("The wall clock was set by {by:+.3} s; no deadline moves.")
}

fn mail_sentence(
    mail: MailId,
    from: Option<&str>,
    outcome: MailOutcome,
    case: Option<Reference>,
    why: Option<&str>,
) -> String {
    let from = from.filter(|from| !from.is_empty()).map(|from| format!(" from {from}")).unwrap_or_default();
    let case = case.map(|case| format!(" {case}")).unwrap_or_default();
    let what = match outcome {
        MailOutcome::Joined => format!("joined{case}"),
        MailOutcome::Opened => format!("opened{case}"),
        MailOutcome::Report => {
            format!("reports on a letter{}", if case.is_empty() { case } else { format!(" of{case}") })
        }
        MailOutcome::Quarantined => "waits in quarantine".to_owned(),
        MailOutcome::Ignored => "is left alone".to_owned(),
        MailOutcome::Dismissed => "was dismissed".to_owned(),
    };
    let why = why.map(|why| format!(": {why}")).unwrap_or_default();
    format!("Message {mail}{from} {what}{why}.")
}

fn agent_sentence(device: &str, state: AgentState) -> String {
    match state {
        AgentState::Unknown => format!("Nothing is known of the SNMP agent of {device}."),
        AgentState::Answers => format!("The SNMP agent of {device} answers."),
        AgentState::Rejects => format!("The SNMP agent of {device} refuses our credentials; the device answers."),
        AgentState::Silent => format!("The SNMP agent of {device} is silent; the device answers."),
    }
}

fn umbrella_sentence(umbrella: &Umbrella) -> String {
    format!(
        "Umbrella {} opened: {}; {} of {} lost within {}.",
        umbrella.reference,
        cause_words(&umbrella.cause),
        umbrella.lost,
        umbrella.of,
        duration(umbrella.within)
    )
}

fn over_sentence(cause: &Cause, lasted: Duration, children: usize) -> String {
    let (lasted, cases) = (duration(lasted), many(children, "case"));
    format!("The shared cause is over after {lasted} with {cases}: {}.", cause_words(cause))
}

fn maintenance_sentence(maintenance: &Maintenance, calendar: &Calendar) -> String {
    let window = &maintenance.window;
    if maintenance.stage == Stage::Cancelled {
        return format!("Maintenance {} of {} was called off.", window.id, window.scope);
    }
    let how = match (window.emergency, maintenance.is_short_notice()) {
        (true, _) => ", an emergency",
        (false, true) => ", at short notice",
        (false, false) => "",
    };
    let who = match &maintenance.origin {
        Origin::Config => "The configuration",
        Origin::Staff(name) => name,
    };
    let does = match (&maintenance.origin, maintenance.revision) {
        (Origin::Config, 1) => "plans",
        (Origin::Config, _) => "changes",
        (Origin::Staff(_), 1) => "planned",
        (Origin::Staff(_), _) => "changed",
    };
    let note = window.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
    format!(
        "{who} {does} maintenance {} of {} from {} until {} (revision {}{how}){note}.",
        window.id,
        window.scope,
        utc(window.from, calendar),
        utc(window.until, calendar),
        maintenance.revision
    )
}

/// What an alarm is about, as the end of a sentence.
#[must_use]
pub fn alarm_words(cause: &AlarmCause) -> String {
    match cause {
        AlarmCause::OwnSide(reason) => format!("the monitor is cut off: {}", because(*reason)),
        AlarmCause::Everybody => {
            "probes to everybody are lost or late, so that no line can be called degraded for that: our own uplink"
                .into()
        }
        AlarmCause::Unstaffed { team: None } => "nobody of the staff is on duty, and a case came in".into(),
        AlarmCause::Unstaffed { team: Some(team) } => {
            format!("nobody of team {team} is on duty, and a case of theirs came in")
        }
        AlarmCause::Canary { unit, step: CanaryStep::NoCase } => {
            format!("the canary {unit} was taken for lost and no case came of it: faults of customers may be missed")
        }
        AlarmCause::Canary { unit, step: CanaryStep::NoLetter } => {
            format!("the canary {unit} has its case, but the letter about it was not taken: customers may not be told")
        }
    }
}

/// What is well again, as the end of a sentence.
pub(super) const fn all_clear_words(kind: AlarmKind) -> &'static str {
    match kind {
        AlarmKind::Isolation => "the monitor is connected again",
        AlarmKind::Impaired => "probes are no longer lost or late everywhere",
        AlarmKind::Canary => "the canary's outage has travelled the whole way to its letter",
        AlarmKind::Unstaffed => "somebody is on duty again",
    }
}

fn letter_sentence(letter: &LetterLabel, lines: &[(Reference, LetterMark)]) -> String {
    let lines = match (&letter.thread, lines.len()) {
        (Thread::Case { .. }, _) | (_, 0) => String::new(),
        (_, count) => format!(" about {}", many(count, "line")),
    };
    format!("{}{lines} was written.", letter_words(letter))
}

fn fell_back(letter: &LetterLabel, instead: &Instead) -> String {
    let why = match instead {
        Instead::Refused { of, why } => format!("{of} refused it for good: {why}"),
        Instead::Late { of } => {
            format!("{} has not taken it for {}", of.join(" and "), duration(FALL_BACK_AFTER))
        }
        Instead::Alerted => "it was alerted, and has to hear that this is over".to_owned(),
    };
    format!("{} goes out as well: {why}.", letter_words(letter))
}

fn server_of(letter: &LetterLabel) -> &'static str {
    if messenger(&letter.to).is_some() { "the messenger" } else { "the mail server" }
}

fn letter_words(letter: &LetterLabel) -> String {
    format!("Letter \"{}\" to {}", letter.mark.kind.name(), letter.to)
}

fn opened(opening: &Opening) -> String {
    let (priority, unit, order) = (opening.priority.name(), &opening.unit, &opening.circuit.order);
    let how = match &opening.origin {
        Actor::Watch => "by the watch".to_owned(),
        Actor::Staff(name) => format!("by {name}"),
        Actor::Customer(address) => format!("for {address}"),
    };
    let found = opening.finding.map(|finding| format!(": {}", finding_words(&finding)));
    let note = opening.note.as_ref().map(|note| format!(": {note}")).or(found).unwrap_or_default();
    let what = match &opening.intake {
        intake if intake.subject.is_request() => format!("{priority} ({})", intake.subject.title()),
        _ => priority.to_owned(),
    };
    let caller =
        opening.intake.caller.as_ref().map(|caller| format!(", called by {}", caller.name)).unwrap_or_default();
    format!("{what} opened {how} on {unit}, order {order}, queue {}{caller}{note}.", opening.queue)
}

pub(super) fn case_sentence(fact: &CaseFact, calendar: &Calendar) -> String {
    let noted = |note: &Option<String>| note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
    match fact {
        CaseFact::Line { line: Line::Watched(verdict, reason), at } => {
            format!("The line is {} since {}: {}.", verdict.name(), utc(*at, calendar), because(*reason))
        }
        CaseFact::Line { line: Line::Withdrawn, .. } => "The unit was taken out of the inventory.".into(),
        CaseFact::Taken { by } => format!("{by} took the case."),
        CaseFact::Noted { by, text } => format!("{by} noted: {text}"),
        CaseFact::Told { by, text } => format!("{by} told the customer: {text}"),
        CaseFact::Heard(heard) => heard_words(heard),
        CaseFact::Informed { to, .. } => format!("{to} counts as informed: the mail server took the news."),
        CaseFact::InformedRevoked { to, why, .. } => {
            format!("{to} does not count as informed after all: the letter came back: {why}")
        }
        CaseFact::Promised { by, kind, within } => {
            format!("{by} promised {} within {}.", promise_words(*kind), duration(*within))
        }
        CaseFact::Arrived { by } => format!("{by} noted that an engineer is on site."),
        CaseFact::SupplierSaid { by, text } => format!("The supplier said, as {by} noted: {text}"),
        CaseFact::Agreed(agreed) => agreed_words(agreed),
        CaseFact::Resumed { by } => format!("Back at work: {by} answered, whom it waited for."),
        CaseFact::Kept { kind, took, late } => kept_words(*kind, *took, *late),
        CaseFact::Missed { kind, late } => missed_words(*kind, *late),
        CaseFact::Escalated { level, why, note } => format!("{}{}.", escalated_words(*level, why), noted(note)),
        CaseFact::Assigned { by, to, team, why, .. } => {
            assigned_words(by, [to.as_deref(), team.as_deref()], why.as_ref())
        }
        CaseFact::Overdue { step, told } => overdue_words(*step, told),
        CaseFact::Waits { by, on, note } => format!("{by} set it to wait for {}{}.", waits_for(*on), noted(note)),
        CaseFact::Confirmed(_) => "The watch sees the fault itself now: the line has lost contact.".into(),
        CaseFact::Degraded(finding) => format!("The watch found it degraded: {}.", finding_words(finding)),
        CaseFact::Joined { umbrella } => format!("It shares its cause with others: see umbrella {umbrella}."),
        CaseFact::Left => "It is by itself from now on: no others share what happens to it.".into(),
        CaseFact::Diagnosed(diagnosis) => diagnosis_words(diagnosis, calendar),
        CaseFact::Upgraded(_) => "Raised to P1: the line has lost contact altogether.".into(),
        CaseFact::Solved { by: Actor::Watch, window, .. } => {
            format!("Declared solved by the watch: the line is back; watched for {}.", duration(*window))
        }
        CaseFact::Solved { by: Actor::Staff(name) | Actor::Customer(name), note, window } => {
            format!("Declared solved by {name}{}; watched for {}.", noted(note), duration(*window))
        }
        CaseFact::Returned { by: Actor::Watch, .. } => "Back at work: the fault is back within the window.".into(),
        CaseFact::Returned { by: Actor::Staff(name), note, .. } => format!("Back at work by {name}{}.", noted(note)),
        CaseFact::RfoOrdered { by: Actor::Watch } => "A reason for outage is to be given before it is closed.".into(),
        CaseFact::RfoOrdered { by: by @ (Actor::Staff(_) | Actor::Customer(_)) } => {
            format!("{} wants a reason for outage to be given.", by.name())
        }
        CaseFact::RfoIssued { number, sha256, .. } => {
            format!("Reason for outage {number} was issued, SHA-256 {sha256}.")
        }
        CaseFact::RfoDelivered { number } => format!("The customer's mail server took reason for outage {number}."),
        CaseFact::RfoUndelivered { number, why } => {
            format!("Reason for outage {number} reached nobody: {}.", undelivered_words(*why))
        }
        CaseFact::Returned { by: Actor::Customer(address), .. } => {
            format!("Back at work: {address} wrote within the window.")
        }
        CaseFact::Closed => "Closed for good.".into(),
        CaseFact::Answer(step) => answer_words(step),
    }
}

fn answer_words(step: &AnswerStep) -> String {
    match step {
        AnswerStep::Given { by, text, told: false } => format!("{by} answered: {text}"),
        AnswerStep::Given { by, text, told: true } => format!("{by} answered, and has told whoever asked: {text}"),
        AnswerStep::Undelivered { why } => format!("The answer reached nobody: {why}"),
    }
}

/// What was looked at before an incident was reported.
pub(super) fn prechecks_words(checks: PreChecks) -> String {
    let words: Vec<String> = checks
        .iter()
        .map(|(check, answer)| format!("{} {}", check.name().replace('_', " "), if answer { "yes" } else { "no" }))
        .collect();
    if words.is_empty() { "missing".to_owned() } else { words.join(", ") }
}

fn heard_words(Heard { mail, from, writer, text }: &Heard) -> String {
    let what = match writer {
        Writer::Customer => "wrote",
        Writer::Staff => "wrote, for staff only",
        Writer::Program => "answered by itself",
    };
    format!("{from} {what} (message {mail}): {text}")
}

const fn undelivered_words(why: Undelivered) -> &'static str {
    match why {
        Undelivered::Nobody => "there is nobody to write to",
        Undelivered::Refused => "it was refused for every address",
    }
}

/// What a case waits for, in words.
#[must_use]
pub(super) const fn waits_for(on: WaitingOn) -> &'static str {
    match on {
        WaitingOn::Customer => "customer",
        WaitingOn::Supplier => "supplier",
        WaitingOn::Access => "access",
        WaitingOn::ForceMajeure => "force majeure to pass",
    }
}

/// A reason as the end of a sentence.
#[must_use]
pub(super) const fn because(reason: Reason) -> &'static str {
    match reason {
        Reason::Answered => "it answers",
        Reason::Rejected => "it answers, though it refuses our SNMP credentials",
        Reason::NoAnswer => "probes went out and nothing came back",
        Reason::Maintenance => "it is being maintained",
        Reason::Lossy => "it answers, but too many probes are lost",
        Reason::Slow => "it answers, but too late",
        Reason::Slower => "it answers much later than is usual for it",
        Reason::Flapping => "it answers, but contact is lost again and again",
        Reason::Rebooting => "it answers, but the box starts again and again",
        Reason::InterfaceDown => "it answers, but its WAN interface is down",
        Reason::InterfaceErrors => "it answers, but its WAN interface has errors",
        Reason::Overloaded => "it answers, but its committed rate is used up",
        Reason::CoreSilent => "the gateway answers and nothing beyond it does, so the silence is our core's",
        Reason::MassLoss => "more was lost at once than lines can fail, so the silence is taken for ours",
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
        Verdict::Degraded => "the line is degraded",
        Verdict::Loss => "the line does not answer",
        Verdict::Inconclusive => "the line can't be judged",
        Verdict::Unobserved => "nobody sees the line",
    }
}

/// What was measured and its limit, in words.
pub(super) fn measured(finding: &Finding) -> (String, String) {
    let words = |value: u64| match finding.symptom {
        Symptom::Loss | Symptom::InterfaceErrors | Symptom::Overloaded => format!("{} %", value as f64 / 10.0),
        Symptom::Slow | Symptom::Slower => format!("{} ms", value as f64 / 1_000.0),
        Symptom::InterfaceDown => duration(Duration::from_micros(value)),
        Symptom::Flapping | Symptom::Rebooting => value.to_string(),
    };
    match finding.symptom {
        // Answers are known to so many digits only, and what is usual for a line is made of them.
        Symptom::Slow => (words(two_digits(finding.measured)), words(finding.limit)),
        Symptom::Slower => (words(two_digits(finding.measured)), words(two_digits(finding.limit))),
        Symptom::Loss
        | Symptom::Flapping
        | Symptom::Rebooting
        | Symptom::InterfaceDown
        | Symptom::InterfaceErrors
        | Symptom::Overloaded => (words(finding.measured), words(finding.limit)),
    }
}

/// Rounded to two significant digits.
fn two_digits(value: u64) -> u64 {
    let unit = 10_u64.pow(value.max(1).ilog10().saturating_sub(1));
    (value + unit / 2) / unit * unit
}

/// How a line is degraded, as the end of a sentence about it.
#[must_use]
pub fn finding_words(finding: &Finding) -> String {
    let (measured, limit) = measured(finding);
    let over = duration(finding.over);
    match finding.symptom {
        Symptom::Loss => format!("{measured} of the probes were lost over {over} (limit {limit})"),
        Symptom::Slow => format!("one answer in twenty took about {measured} or longer over {over} (limit {limit})"),
        Symptom::Slower => {
            format!(
                "one answer in twenty took about {measured} or longer over {over}, usual for it is well below {limit}"
            )
        }
        Symptom::Flapping => format!("contact was lost {measured} times within {over} (limit {limit})"),
        Symptom::Rebooting => format!("the box restarted {measured} times within {over} (limit {limit})"),
        Symptom::InterfaceDown => format!("its WAN interface has been down for {measured}, though the box answers"),
        Symptom::InterfaceErrors => {
            format!("{measured} of the packets on its WAN interface had errors over {over} (limit {limit})")
        }
        Symptom::Overloaded => {
            format!("{measured} of its committed rate was in use on average over {over} (limit {limit})")
        }
    }
}

/// What happened, in words for staff.
#[must_use]
pub fn diagnosis_words(diagnosis: &Diagnosis, calendar: &Calendar) -> String {
    let cause = site_words(diagnosis.cause);
    if diagnosis.witnesses.is_empty() {
        return format!("Cause: {cause}; nobody witnessed more.");
    }
    format!("Cause: {cause}; {}.", witnesses_words(diagnosis, calendar))
}

/// What the witnesses say. For staff only: it names what is ours and others'.
pub(super) fn witnesses_words(diagnosis: &Diagnosis, calendar: &Calendar) -> String {
    let words: Vec<String> = diagnosis.witnesses.iter().map(|witness| witness_words(witness, calendar)).collect();
    words.join("; ")
}

/// Where the cause was.
pub(super) const fn site_words(cause: SiteCause) -> &'static str {
    match cause {
        SiteCause::Site => "power or a reboot at the site",
        SiteCause::AccessLine => "the access line",
        SiteCause::Upstream => "something that it is reached through, or shares with others",
        SiteCause::Unknown => "not known",
    }
}

fn witness_words(witness: &Witness, calendar: &Calendar) -> String {
    match witness {
        Witness::Booted(at) => format!("the box started at {}", utc(*at, calendar)),
        Witness::RanOn(at) => {
            format!("the box has run since {}, also while it could not be reached", utc(*at, calendar))
        }
        Witness::Upstream(device) => format!("{device} was lost meanwhile"),
        Witness::Shared(umbrella) => format!("others were lost together with it ({umbrella})"),
        Witness::Trapped { says, at } => format!("the box itself said {says} at {}", utc(*at, calendar)),
        Witness::Undelivered { why, router, at } => {
            format!("router {router} said at {}: {}", utc(*at, calendar), obstacle_words(*why))
        }
    }
}

/// What kept a probe from its device, in the words of ping.
#[must_use]
pub const fn obstacle_words(why: Obstacle) -> &'static str {
    match why {
        Obstacle::Net => "no route to the network",
        Obstacle::Host => "host unreachable",
        Obstacle::Port => "port unreachable",
        Obstacle::Prohibited => "administratively prohibited",
        Obstacle::HopLimit => "time to live exceeded, as in a routing loop",
        Obstacle::Other => "unreachable for another reason",
    }
}

/// A shared cause in words.
#[must_use]
pub fn cause_words(cause: &Cause) -> String {
    match cause {
        Cause::Device(id) => format!("{id} is lost, and with it what is reached through it"),
        Cause::Below(id) => format!("lines that are reached through {id}, which answers itself"),
        Cause::Group(kind, name) => format!("lines of {} {name}", kind.name()),
        Cause::Moment => "lines that have nothing else in common that we know of".to_owned(),
    }
}
