//! The JSON forms of cases and units. Times are RFC 3339 in UTC, and null where there is none yet.

use super::board::Row;
use super::contacts::{ContactForm, OutOfReachForm};
use super::parties::ContractForm;
use super::scene::{Scene, stamp};
use crate::domain::desk::{Actor, Case, HeldLetter, LEAST_NOTICE, Line, Notice, PreCheck, Promise, PromiseKind, Stage};
use crate::domain::time::Calendar;
use crate::domain::watch::{Interval, Limits, Permille, Place, Role, SnmpSample, Symptom};
use crate::store::{LetterRow, TimelineEntry};
use core::time::Duration;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A case in a list.
#[derive(Serialize)]
pub(super) struct CaseForm {
    reference: String,
    priority: &'static str,
    stage: &'static str,
    unit: String,
    order: String,
    customer: String,
    queue: String,
    channel: &'static str,
    opened_at: Option<String>,
    last_contact_at: Option<String>,
    first_loss_at: Option<String>,
    solved_at: Option<String>,
    window_ends_at: Option<String>,
    closed_at: Option<String>,
    previous: Option<String>,
    detected_at: Option<String>,
    recovered_at: Option<String>,
    downtime_s: u64,
    line: &'static str,
    owner: Option<String>,
    origin: String,
    waiting_on: Option<&'static str>,
    service: String,
    region: String,
    supplier: Option<String>,
    ttr_s: u64,
    /// `null`: a request has nothing to be repaired.
    repair_due_at: Option<String>,
    solved_count: u32,
    returned_count: u32,
    note: Option<String>,
    /// Why it was opened: `loss`, or the symptom that the watch found.
    reason: Option<&'static str>,
    finding: Option<String>,
    later_finding: Option<String>,
    umbrella: Option<String>,
    diagnosis: Option<DiagnosisForm>,
    promises: Vec<PromiseForm>,
    level: Option<&'static str>,
    escalated_count: u32,
    /// Its reasons for outage: whether one is required before it is closed, how many there were, where the last stands.
    rfo: RfoForm,
    #[serde(flatten)]
    people: PeopleForm,
    #[serde(flatten)]
    intake: IntakeForm,
}

/// The reasons for outage of a case.
#[derive(Serialize)]
struct RfoForm {
    required: bool,
    issued: u32,
    step: &'static str,
}

/// How a case came in.
#[derive(Serialize)]
struct IntakeForm {
    /// One of the eight subjects, and its type.
    subject: &'static str,
    request: bool,
    /// Each of them: `yes`, `no` or `not asked`; `null` of what the watch found and of requests.
    prechecks: Option<BTreeMap<&'static str, &'static str>>,
    prechecks_missing: bool,
    caller: Option<String>,
    wanted_at: Option<String>,
    /// Whether that is at shorter notice than can be kept, and the earliest time then.
    short_notice: bool,
    earliest_at: Option<String>,
    lapsed: bool,
    /// `given` while it is on its way, `undelivered` if it reached nobody.
    answer: Option<&'static str>,
}

impl IntakeForm {
    fn new(case: &Case, scene: &Scene) -> Self {
        let (intake, opened_at) = (&case.opening.intake, case.opened_at);
        let answer_to = |check| match intake.prechecks.get(check) {
            Some(true) => "yes",
            Some(false) => "no",
            None => "not asked",
        };
        let is_asked = case.opening.origin != Actor::Watch && !intake.subject.is_request();
        let short_notice = intake.notice(opened_at) == Some(Notice::Short);
        Self {
            subject: intake.subject.name(),
            request: case.is_request(),
            prechecks: is_asked.then(|| PreCheck::ALL.map(|check| (check.name(), answer_to(check))).into()),
            prechecks_missing: case.lacks_prechecks(),
            caller: intake.caller.as_ref().map(|caller| caller.name.clone()),
            wanted_at: intake.wanted_at.and_then(|at| scene.stamp(at)),
            short_notice,
            earliest_at: short_notice.then_some(opened_at + LEAST_NOTICE).and_then(|at| scene.stamp(at)),
            lapsed: intake.lapsed,
            answer: case.answer.map(|answer| if answer.undelivered { "undelivered" } else { "given" }),
        }
    }
}

/// Who has to do with a case, and on which terms.
#[derive(Serialize)]
struct PeopleForm {
    /// The rule by which it was given to whom it is with.
    rule: Option<String>,
    misroutes: u32,
    customer_tier: &'static str,
    contract: Option<ContractForm>,
    /// Local point of contact.
    lpoc: Option<ContactForm>,
    /// Since when no letter reaches the customer, if that is so (R16).
    contact_invalid: Option<OutOfReachForm>,
}

impl PeopleForm {
    fn new(case: &Case, scene: &Scene) -> Self {
        let (unit, circuit, parties) = (&case.opening.unit, &case.opening.circuit, &scene.parties);
        let assignment = case.assignment.as_ref();
        let contract = parties.contract(unit, circuit, scene.now);
        Self {
            rule: assignment.and_then(|assignment| assignment.rule.clone()),
            misroutes: assignment.map_or(0, |assignment| assignment.misroutes),
            customer_tier: parties.standing(unit, circuit, scene.now).1.name(),
            contract: contract.map(|contract| ContractForm::new(contract, scene)),
            lpoc: parties.lpoc(unit).map(|contact| ContactForm::new(contact, scene)),
            contact_invalid: OutOfReachForm::of(&circuit.customer, scene),
        }
    }
}

/// What is promised and not kept yet.
#[derive(Serialize)]
struct PromiseForm {
    kind: &'static str,
    within_s: u64,
    /// `None` while its time does not run, and once it was missed.
    due_at: Option<String>,
    missed: bool,
}

impl PromiseForm {
    fn new(kind: PromiseKind, promise: &Promise, scene: &Scene) -> Self {
        Self {
            kind: kind.name(),
            within_s: promise.within.as_secs(),
            due_at: promise.due().and_then(|at| scene.stamp(at)),
            missed: promise.missed,
        }
    }
}

/// What happened, as far as witnesses tell.
#[derive(Serialize)]
struct DiagnosisForm {
    cause: &'static str,
    sentence: String,
}

impl CaseForm {
    pub(super) fn new(case: Case, scene: &Scene) -> Self {
        let Scene { now, calendar, words, .. } = scene;
        let (now, stamp) = (*now, |at| scene.stamp(at));
        let finding = case.first_finding();
        let reason = finding.map(|finding| finding.symptom.name()).or(case.outage().map(|_| "loss"));
        let diagnosis = case.diagnosis.as_ref().map(|diagnosis| DiagnosisForm {
            cause: diagnosis.cause.name(),
            sentence: (words.diagnosis)(diagnosis, calendar),
        });
        let rfo = RfoForm { required: case.rfo_is_required(), issued: case.rfo.issued, step: case.rfo.step.name() };
        let promises = case.promises.iter().map(|(kind, promise)| PromiseForm::new(kind, promise, scene)).collect();
        let escalation = case.escalation.as_ref();
        let later_finding = case.later_finding().map(words.finding);
        let finding = finding.map(words.finding);
        let umbrella = case.umbrella.map(|umbrella| umbrella.to_string());
        let (waiting_on, closed_at) = match &case.stage {
            Stage::New | Stage::Working { .. } | Stage::Solved { .. } => (None, None),
            Stage::Waiting { on, .. } => (Some(on.name()), None),
            Stage::Closed { since, .. } => (None, Some(*since)),
        };
        let solved_at = case.window().map(|(solved_at, _)| solved_at);
        let window_ends_at = case.window_ends(now).and_then(stamp);
        let (last_contact, outage) = (case.last_contact(), case.outage());
        let queue = case.queue().to_owned();
        let (people, intake) = (PeopleForm::new(&case, scene), IntakeForm::new(&case, scene));
        let is_request = case.is_request();
        let opening = Arc::unwrap_or_clone(case.opening);
        let terms = &opening.circuit.terms;
        Self {
            reference: opening.reference.to_string(),
            priority: case.priority.name(),
            stage: case.stage.name(),
            unit: opening.unit,
            order: opening.circuit.order.to_string(),
            customer: opening.circuit.customer.to_string(),
            queue,
            channel: opening.channel.name(),
            opened_at: stamp(case.opened_at),
            last_contact_at: last_contact.and_then(stamp),
            first_loss_at: outage.and_then(|outage| stamp(outage.first_loss)),
            solved_at: solved_at.and_then(stamp),
            window_ends_at,
            closed_at: closed_at.and_then(stamp),
            previous: opening.previous.map(|previous| previous.to_string()),
            detected_at: outage.and_then(|outage| stamp(outage.detected)),
            recovered_at: case.recovered_at.and_then(stamp),
            downtime_s: case.downtime.total(now).as_secs(),
            line: line_name(case.line),
            owner: case.owner,
            origin: opening.origin.name().to_owned(),
            waiting_on,
            service: terms.service.clone(),
            region: terms.region.clone(),
            supplier: terms.supplier.clone(),
            ttr_s: terms.ttr.as_secs(),
            repair_due_at: (!is_request).then_some(case.opened_at + terms.ttr).and_then(stamp),
            solved_count: case.solved,
            returned_count: case.returned,
            note: opening.note,
            reason,
            finding,
            later_finding,
            umbrella,
            diagnosis,
            promises,
            level: escalation.map(|escalation| escalation.level.name()),
            escalated_count: escalation.map_or(0, |escalation| escalation.times),
            rfo,
            people,
            intake,
        }
    }
}

const fn line_name(line: Line) -> &'static str {
    match line {
        Line::Watched(verdict, _) => verdict.name(),
        Line::Withdrawn => "WITHDRAWN",
    }
}

/// A case by itself.
#[derive(Serialize)]
pub(super) struct CaseDetail {
    #[serde(flatten)]
    case: CaseForm,
    #[serde(flatten)]
    papers: Papers,
}

impl CaseDetail {
    pub(super) const fn new(case: CaseForm, papers: Papers) -> Self {
        Self { case, papers }
    }
}

/// What was noted and written about a case or an umbrella.
#[derive(Serialize)]
pub(super) struct Papers {
    /// False if the oldest entries are left out.
    timeline_complete: bool,
    timeline: Vec<EntryForm>,
    /// The same of the letters.
    letters_complete: bool,
    letters: Vec<LetterForm>,
    /// False if the latest letters that are held back are left out.
    held_complete: bool,
    held: Vec<HeldForm>,
}

impl Papers {
    /// `timeline` and `letters`: the latest ones, oldest first; at most `limit` of each are shown.
    pub(super) fn new(
        timeline: Vec<TimelineEntry>,
        letters: Vec<LetterRow>,
        held: Vec<HeldLetter>,
        limit: usize,
        scene: &Scene,
    ) -> Self {
        let calendar = &scene.calendar;
        let (timeline_complete, timeline) = latest(timeline, limit, |entry| EntryForm::new(entry, calendar));
        let (letters_complete, letters) = latest(letters, limit, |letter| LetterForm::new(letter, calendar));
        Self {
            timeline_complete,
            timeline,
            letters_complete,
            letters,
            held_complete: held.len() <= limit,
            held: held.into_iter().take(limit).map(|letter| HeldForm::new(letter, scene)).collect(),
        }
    }
}

/// The forms of the latest `limit` items, and whether these are all; the oldest come first.
pub(super) fn latest<T, F>(items: Vec<T>, limit: usize, form: impl Fn(T) -> F) -> (bool, Vec<F>) {
    let surplus = items.len().saturating_sub(limit);
    (surplus == 0, items.into_iter().skip(surplus).map(form).collect())
}

/// A letter that is not written yet, for it waits for further lines.
#[derive(Serialize)]
struct HeldForm {
    kind: &'static str,
    customer: String,
    umbrella: String,
    lines: usize,
    since: Option<String>,
    /// When it goes at the latest.
    until: Option<String>,
    sentence: String,
}

impl HeldForm {
    fn new(letter: HeldLetter, scene: &Scene) -> Self {
        Self {
            kind: letter.kind.name(),
            umbrella: letter.umbrella.to_string(),
            lines: letter.lines,
            since: scene.stamp(letter.since()),
            until: scene.stamp(letter.due),
            sentence: (scene.words.held)(&letter, &scene.calendar),
            customer: letter.customer,
        }
    }
}

#[derive(Serialize)]
pub(super) struct EntryForm {
    at: Option<String>,
    kind: String,
    text: String,
    data: Option<Value>,
}

impl EntryForm {
    pub(super) fn new(entry: TimelineEntry, calendar: &Calendar) -> Self {
        let data = serde_json::from_str(&entry.data).ok();
        Self { at: stamp(calendar, entry.at), kind: entry.kind, text: entry.text, data }
    }
}

#[derive(Serialize)]
pub(super) struct LetterForm {
    id: u64,
    kind: &'static str,
    number: u32,
    to: String,
    subject: String,
    state: &'static str,
    attempts: u32,
    error: Option<String>,
    written_at: Option<String>,
    sent_at: Option<String>,
}

impl LetterForm {
    pub(super) fn new(letter: LetterRow, calendar: &Calendar) -> Self {
        Self {
            id: letter.id,
            kind: letter.kind.name(),
            number: letter.number,
            to: letter.to,
            subject: letter.subject,
            state: letter.state.name(),
            attempts: letter.attempts,
            error: letter.error,
            written_at: stamp(calendar, letter.written_at),
            sent_at: letter.sent_at.and_then(|at| stamp(calendar, at)),
        }
    }
}

/// A unit, or a node, in a list.
#[derive(Serialize)]
pub(super) struct UnitForm {
    id: String,
    customer: Option<String>,
    address: String,
    verdict: &'static str,
    since: Option<String>,
    rtt_ms: Option<f64>,
    loss_5m: Option<f64>,
    symptoms: Vec<&'static str>,
    agent: &'static str,
    maintained: bool,
}

/// A node or a sentinel in a list.
#[derive(Serialize)]
pub(super) struct NodeForm {
    #[serde(flatten)]
    unit: UnitForm,
    role: &'static str,
    /// Where a sentinel is.
    place: Option<&'static str>,
}

impl NodeForm {
    pub(super) fn new(row: &Row, calendar: &Calendar) -> Self {
        let (role, place) = match row.device.role {
            Role::Unit(_) => ("unit", None),
            Role::Node => ("node", None),
            Role::Sentinel(place) => ("sentinel", Some(place)),
        };
        Self { unit: UnitForm::new(row, calendar), role, place: place.map(Place::name) }
    }
}

impl UnitForm {
    pub(super) fn new(row: &Row, calendar: &Calendar) -> Self {
        let Row { device, status, .. } = row;
        Self {
            id: device.id.to_string(),
            customer: device.circuit().map(|circuit| circuit.customer.to_string()),
            address: row.address().map_or_else(|| device.host.to_string(), |address| address.to_string()),
            verdict: status.verdict.name(),
            since: stamp(calendar, status.since),
            rtt_ms: status.rtt.map(|rtt| millis(rtt.duration())),
            loss_5m: status.loss.share(),
            symptoms: status.symptoms.iter().map(Symptom::name).collect(),
            agent: status.agent.name(),
            maintained: status.maintained,
        }
    }
}

/// Whole microseconds, so that no digit is an artefact.
pub(super) fn millis(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1000.0
}

/// A unit by itself.
#[derive(Serialize)]
pub(super) struct UnitDetail {
    #[serde(flatten)]
    unit: UnitForm,
    reason: &'static str,
    last_contact_at: Option<String>,
    order: Option<String>,
    service: Option<String>,
    region: Option<String>,
    ttr_s: Option<u64>,
    supplier: Option<String>,
    pop: Option<String>,
    access: Option<String>,
    rate_bps: Option<u64>,
    host: String,
    upstream: Option<String>,
    limits: LimitsForm,
    snmp: Option<SampleForm>,
    /// The unit's case that is not closed.
    case: Option<CaseForm>,
    /// Its latest closed stretches, newest first; the present one is the verdict above.
    ledger: Vec<IntervalForm>,
}

impl UnitDetail {
    pub(super) fn new(row: &Row, case: Option<CaseForm>, ledger: &[Interval], calendar: &Calendar) -> Self {
        let circuit = row.device.circuit();
        let Row { device, status, .. } = row;
        Self {
            unit: UnitForm::new(row, calendar),
            reason: status.reason.name(),
            last_contact_at: status.last_contact.and_then(|at| stamp(calendar, at)),
            order: circuit.map(|circuit| circuit.order.to_string()),
            service: circuit.map(|circuit| circuit.terms.service.clone()),
            region: circuit.map(|circuit| circuit.terms.region.clone()),
            ttr_s: circuit.map(|circuit| circuit.terms.ttr.as_secs()),
            supplier: circuit.and_then(|circuit| circuit.terms.supplier.clone()),
            pop: circuit.and_then(|circuit| circuit.terms.pop.clone()),
            access: circuit.and_then(|circuit| circuit.terms.access.clone()),
            rate_bps: circuit.and_then(|circuit| circuit.terms.rate),
            host: device.host.to_string(),
            upstream: device.upstream().map(str::to_owned),
            limits: LimitsForm::new(&device.rules.limits),
            snmp: status.sample.as_deref().map(SampleForm::new),
            case,
            ledger: ledger.iter().map(|interval| IntervalForm::new(interval, calendar)).collect(),
        }
    }
}

/// From what on a unit counts as degraded; null is not looked at.
#[derive(Serialize)]
struct LimitsForm {
    window_s: u64,
    good_windows: u32,
    loss: Option<f64>,
    rtt_ms: Option<f64>,
    rtt_factor: Option<u32>,
    flaps: Option<CountForm>,
    reboots: Option<CountForm>,
    interface: bool,
    errors: Option<f64>,
    load: Option<f64>,
}

/// How often something may happen, and within how long.
#[derive(Serialize)]
struct CountForm {
    count: u32,
    within_s: u64,
}

impl LimitsForm {
    fn new(limits: &Limits) -> Self {
        let share = |share: Option<Permille>| share.map(|Permille(share)| f64::from(share) / 1000.0);
        let count = |(count, within): (u32, Duration)| CountForm { count, within_s: within.as_secs() };
        Self {
            window_s: limits.window.as_secs(),
            good_windows: limits.good_windows,
            loss: share(limits.loss),
            rtt_ms: limits.rtt.map(millis),
            rtt_factor: limits.rtt_factor,
            flaps: limits.flaps.map(count),
            reboots: limits.reboots.map(count),
            interface: limits.interface,
            errors: share(limits.errors),
            load: share(limits.load),
        }
    }
}

/// What an SNMP agent said, by the names of the MIB objects.
#[derive(Serialize)]
struct SampleForm {
    uptime_s: Option<f64>,
    oper_status: Option<u32>,
    in_octets: Option<u64>,
    out_octets: Option<u64>,
    in_errors: Option<u64>,
    out_errors: Option<u64>,
}

impl SampleForm {
    fn new(sample: &SnmpSample) -> Self {
        Self {
            uptime_s: sample.uptime_cs.map(|hundredths| f64::from(hundredths) / 100.0),
            oper_status: sample.oper_status,
            in_octets: sample.in_octets,
            out_octets: sample.out_octets,
            in_errors: sample.in_errors,
            out_errors: sample.out_errors,
        }
    }
}

#[derive(Serialize)]
struct IntervalForm {
    from: Option<String>,
    until: Option<String>,
    verdict: &'static str,
    reason: &'static str,
}

impl IntervalForm {
    fn new(interval: &Interval, calendar: &Calendar) -> Self {
        Self {
            from: stamp(calendar, interval.from),
            until: stamp(calendar, interval.until),
            verdict: interval.verdict.name(),
            reason: interval.reason.name(),
        }
    }
}
