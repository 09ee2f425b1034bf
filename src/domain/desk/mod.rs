//! The desk: open cases, who may do what with them, and what their clocks bring about.

mod agreement;
mod alarm;
mod assigning;
mod bucket;
mod case;
mod counts;
mod diagnosis;
mod duty;
mod escalation;
mod facts;
mod intake;
mod mailroom;
mod owing;
mod people;
mod post;
mod promise;
mod reference;
mod requests;
mod rfo;
mod routing;
mod survey;
mod threading;
mod umbrella;
mod words;

pub use alarm::{Alarm, AlarmCause, AlarmKind, CanaryStep};
pub use assigning::MAX_SWEPT_A_TURN;
pub use case::{Answer, Assignment, Case, Chase, Escalation, Informed, Line, MAX_PATIENCE, News, Stage, Window};
pub use counts::CaseCounts;
pub use diagnosis::{Diagnosis, SiteCause, Witness};
pub use duty::{DutyChange, Roster, SavedDuty};
pub use escalation::Matrix;
pub use facts::{AnswerStep, CaseFact, Chosen, EscalatedBy, Heard, Occasion, Opening, Outage, Step, Writer};
pub use intake::{Caller, FULL_NOTICE, Intake, LEAST_NOTICE, Notice, PreCheck, PreChecks, Report, Subject};
pub(crate) use mailroom::{Arrived, is_thanks};
pub use mailroom::{MailOutcome, SavedMailRoom, Sorted, Unreachable};
pub use people::{OutOfReach, PASSED_ON_REMEMBERED, PassedOn, PeopleChange, SavedPeople};
pub(crate) use post::Affected;
pub use promise::{Agreed, Level, Pledges, Promise, PromiseKind, Promises, TierPledges};
pub use reference::{MAX_CASES, Misread, Reference, Topic};
pub use rfo::{MAX_RFOS_AT_ONCE, RFO_RETRY, RfoDocument, RfoOrder, RfoState, RfoStep, Undelivered, WrittenRfo};
pub use routing::{
    Conditions, FaultKind, Loads, MAX_RULES, Merits, Routing, Rule, Trace, Unmet, Verdict as RuleVerdict, Wants,
    choose, first, verdicts,
};
pub use survey::{
    Invitation, MAX_COMMENT, MONTH, NotAsked, OpenSurvey, SavedSurveys, Score, SurveyChange, SurveyRules, SurveyTally,
    is_asked,
};
pub use threading::{Aside, Belongs, Ignored, Tenant, Witnesses, claim};
pub use umbrella::{COLLECT, COLLECT_GOOD, Cause, HeldLetter, MAX_LINES_A_LETTER, SavedUmbrella, Umbrella};
pub use words::{Actor, Channel, LetterKind, LetterMark, Move, NotOpen, Priority, WaitingOn};

use super::fact::Fact;
use super::letter::LetterId;
use super::outbox::Outbox;
use super::party::{Customer, Parties};
use super::plan::{Plan, Stability};
use super::time::Time;
use super::turn::{Command, Refusal, Turn};
use super::watch::{Circuit, Evidence, Finding};
use agreement::Review;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use assigning::Sweep;
use duty::Duty;
use mailroom::MailRoom;
use people::People;
use rfo::Issuing;
use survey::Surveys;
use umbrella::{Shelter, Waiting};

/// The team that cases of the watch are assigned to (R2).
pub const SUPPORT_QUEUE: &str = "Support";

/// All cases that are not closed.
#[derive(Clone, Debug)]
pub struct Desk {
    /// Shared with the letters about them.
    cases: BTreeMap<Reference, Arc<Case>>,
    counts: CaseCounts,
    /// The incident of each unit that has one.
    open_of: BTreeMap<String, Reference>,
    /// Requests by their units: there may be several.
    requests_of: BTreeSet<(String, Reference)>,
    closed_of: BTreeMap<String, Reference>,
    next_number: u64,
    changed: BTreeSet<Reference>,
    /// Umbrellas that are open, or have a case that is.
    shelters: BTreeMap<Reference, Shelter>,
    /// Cases that closed and whose letter waits under an umbrella.
    closing: BTreeMap<Reference, Arc<Case>>,
    /// Letters that wait under umbrellas, the next one first.
    waiting: BTreeSet<Waiting>,
    alarms: BTreeMap<AlarmKind, Alarm>,
    mail: MailRoom,
    customers: Arc<BTreeMap<String, Customer>>,
    noc: Vec<String>,
    stability: Stability,
    pledges: TierPledges,
    escalation: Matrix,
    /// Reasons for outage on their way.
    issuing: Issuing,
    parties: Arc<Parties>,
    duty: Duty,
    loads: Loads,
    sweep: Option<Sweep>,
    review: Option<Review>,
    /// When the shift passes on next.
    next_shift: Option<Time>,
    /// When a customer is told next that a contract ends.
    next_notice: Option<Time>,
    /// Contracts of whose end their customers were told: id and last day.
    noticed: BTreeSet<(String, i64)>,
    surveys: Surveys,
    people: People,
    /// Letters on their way.
    pub(crate) outbox: Outbox,
}

/// What a unit is at the moment when a case about it is opened.
pub(crate) struct LineNow<'a> {
    pub(crate) unit: &'a str,
    pub(crate) circuit: &'a Circuit,
    pub(crate) evidence: &'a Evidence,
    pub(crate) solve_after: core::time::Duration,
    /// The shared cause, if there is one.
    pub(crate) umbrella: Option<Reference>,
    /// Who says already why it is lost.
    pub(crate) witness: Option<Witness>,
}

impl Desk {
    pub(crate) fn new(saved: SavedDesk, now: Time) -> Self {
        let cases: BTreeMap<_, _> =
            saved.cases.into_iter().map(|case| (case.opening.reference, Arc::new(case))).collect();
        let unit_of = |case: &Arc<Case>| (case.opening.unit.clone(), case.opening.reference);
        let open_of = cases.values().filter(|case| !case.is_request()).map(unit_of).collect();
        let requests_of = cases.values().filter(|case| case.is_request()).map(unit_of).collect();
        let shelters = saved
            .umbrellas
            .into_iter()
            .map(|umbrella| (umbrella.umbrella.reference, Shelter::restored(umbrella, &cases)))
            .collect();
        let closing = saved.closing.into_iter().map(|case| (case.opening.reference, Arc::new(case))).collect();
        let alarms = saved.alarms.into_iter().map(|alarm| (alarm.kind, alarm)).collect();
        let mut counts = CaseCounts::default();
        let mut loads = Loads::default();
        for case in cases.values() {
            counts.enter(case);
            loads.enter(case);
        }
        let duty = Duty::restored(&saved.duty);
        let is_half_done = saved.duty.shift.is_some_and(|(_, complete)| !complete);
        let issuing = Issuing::restored(&cases, saved.rfo_letters, now);
        let mut desk = Self {
            cases,
            counts,
            open_of,
            requests_of,
            closed_of: saved.closed_of,
            next_number: saved.next_number.max(1),
            changed: BTreeSet::new(),
            shelters,
            closing,
            waiting: BTreeSet::new(),
            alarms,
            mail: MailRoom::new(saved.mail),
            customers: Arc::default(),
            noc: Vec::new(),
            stability: Stability { p1: core::time::Duration::ZERO, p2: core::time::Duration::ZERO },
            pledges: TierPledges::default(),
            escalation: Matrix::default(),
            issuing,
            parties: Arc::default(),
            duty,
            loads,
            sweep: is_half_done.then(Sweep::handover),
            review: None,
            next_shift: None,
            next_notice: None,
            noticed: saved.duty.noticed,
            surveys: Surveys::restored(saved.surveys),
            people: People::restored(saved.people),
            outbox: Outbox::new(saved.letters, now),
        };
        for (letter, reference, number) in desk.people.documents().collect::<Vec<_>>() {
            if desk.outbox.label(letter).is_some() {
                desk.rfo_passed_on(letter, reference, number);
            }
        }
        desk.waiting = desk.shelters.values().flat_map(Shelter::waiting).collect();
        desk
    }

    pub(crate) fn set_rules(&mut self, plan: &Plan) {
        let Plan { customers, noc, stability, pledges, escalation, parties, roster, .. } = plan;
        let now = customers.iter().map(|customer| (customer.id.clone(), customer.clone())).collect();
        let mut left = Arc::unwrap_or_clone(core::mem::replace(&mut self.customers, Arc::new(now)));
        left.retain(|id, _| !self.customers.contains_key(id));
        // Who was told of a problem is told of its end, though he be a customer no more.
        for case in self.cases.values().chain(self.closing.values()) {
            if left.is_empty() {
                break;
            }
            if let Some((id, customer)) = left.remove_entry(case.opening.circuit.customer.as_str()) {
                Arc::make_mut(&mut self.customers).insert(id, customer);
            }
        }
        self.mail.forget_tenants();
        self.noc.clone_from(noc);
        self.stability = *stability;
        self.pledges = *pledges;
        self.escalation.clone_from(escalation);
        self.set_parties(parties, roster);
        self.set_people();
        self.surveys.set_rules(plan.surveys.as_ref());
    }

    /// The open incident of a unit.
    #[must_use]
    pub fn open_case_of(&self, unit: &str) -> Option<&Case> {
        self.open_of.get(unit).and_then(|reference| self.case(*reference))
    }

    /// The case that the unit had last, if that one is closed.
    #[must_use]
    pub fn closed_case_of(&self, unit: &str) -> Option<Reference> {
        self.closed_of.get(unit).copied()
    }

    /// An open case.
    #[must_use]
    pub fn case(&self, reference: Reference) -> Option<&Case> {
        self.cases.get(&reference).map(Arc::as_ref)
    }

    /// All open cases, oldest first.
    pub fn cases(&self) -> impl Iterator<Item = &Case> {
        self.cases.values().map(Arc::as_ref)
    }

    /// The same in the order of their units.
    pub(crate) fn cases_by_unit(&self) -> impl Iterator<Item = &Case> {
        self.open_of.values().filter_map(|reference| self.case(*reference))
    }

    /// How many cases are open, by priority and stage.
    #[must_use]
    pub const fn counts(&self) -> &CaseCounts {
        &self.counts
    }

    /// Letters that are not delivered yet.
    #[must_use]
    pub const fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    pub(crate) fn take_changed(&mut self, turn: &mut Turn) {
        while let Some(reference) = self.changed.pop_first() {
            if let Some(case) = self.cases.get(&reference) {
                turn.cases.push(Arc::clone(case));
            }
        }
    }

    fn next_reference(&mut self, turn: &mut Turn) -> Reference {
        let reference = Reference::from_number(self.next_number);
        self.next_number += 1;
        turn.next_case = Some(self.next_number);
        reference
    }

    /// Opens a case and returns its reference.
    fn open(&mut self, line: &LineNow<'_>, by: Actor, why: Why, turn: &mut Turn) -> Reference {
        let Why { channel, note, finding, intake, previous } = why;
        let reference = self.next_reference(turn);
        let (evidence, circuit) = (line.evidence, line.circuit);
        let is_request = intake.subject.is_request();
        // Whatever the line does is no affair of a request.
        let trouble = evidence.trouble().filter(|_| !is_request);
        let opening = Opening {
            reference,
            origin: by,
            channel,
            priority: intake.subject.priority(),
            unit: line.unit.to_string(),
            circuit: circuit.clone(),
            queue: SUPPORT_QUEUE.to_string(),
            note,
            last_contact: evidence.last_contact(),
            first_loss: trouble.map(|trouble| trouble.first_loss),
            detected: trouble.map(|trouble| trouble.detected),
            loss: trouble.map(|trouble| trouble.loss).unwrap_or_default(),
            line: (Line::Watched(evidence.verdict(), evidence.reason()), evidence.since()),
            finding,
            solve_after: line.solve_after,
            pledges: self.pledges_of(line.unit, circuit, turn.at),
            previous,
            intake,
        };
        let opening = Arc::new(opening);
        let case = Case::open(Arc::clone(&opening), turn.at);
        turn.wake.extend(case.promises.next_due().map(|(due, _)| (due, reference)));
        turn.wake.extend(self.chase_due(&case).map(|(at, _)| (at, reference)));
        turn.wake.extend(self.elapses(&case).map(|at| (at, reference)));
        self.counts.enter(&case);
        self.loads.enter(&case);
        if is_request {
            self.requests_of.insert((line.unit.to_string(), reference));
        } else {
            self.open_of.insert(line.unit.to_string(), reference);
        }
        self.cases.insert(reference, Arc::new(case));
        self.changed.insert(reference);
        turn.facts.push(Fact::CaseOpened(opening));
        self.heard(reference, line, turn);
        self.join(reference, line.umbrella, turn);
        self.route(reference, Occasion::Opened, turn);
        self.write(reference, None, turn);
        reference
    }

    /// Puts a case under an umbrella, if there is one.
    fn join(&mut self, reference: Reference, umbrella: Option<Reference>, turn: &mut Turn) {
        let Some(umbrella) = umbrella else { return };
        let Some(case) = self.cases.get(&reference).filter(|case| case.umbrella != Some(umbrella)) else { return };
        if case.umbrella.is_some() {
            let case = Arc::clone(case);
            self.release_of(&case, turn);
            self.leave(&case);
        }
        self.record(reference, CaseFact::Joined { umbrella }, turn);
        self.shelter(reference, umbrella);
    }

    /// Takes a case back to work. What brings it back is its own affair, unless others share it: from under an umbrella
    /// the operations centre would not hear of it.
    fn take_back(&mut self, reference: Reference, returned: CaseFact, shared: Option<Reference>, turn: &mut Turn) {
        let under = self.cases.get(&reference).filter(|case| case.umbrella.is_some() && case.umbrella != shared);
        if let Some(case) = under.cloned() {
            self.release_of(&case, turn);
            self.leave(&case);
            self.record(reference, CaseFact::Left, turn);
        }
        self.record(reference, returned, turn);
    }

    /// A person takes a case back to work.
    fn take_back_by(&mut self, reference: Reference, by: Actor, note: Option<String>, turn: &mut Turn) {
        let Some(case) = self.case(reference) else { return };
        // What was still lost under an umbrella is so still.
        let shared = case.umbrella.filter(|_| case.line.is_lost()).and_then(|umbrella| self.umbrella(umbrella));
        let shared = shared.filter(|umbrella| umbrella.closed_at.is_none()).map(|umbrella| umbrella.reference);
        self.take_back(reference, CaseFact::Returned { by, note, outage: None }, shared, turn);
    }

    /// Notes a fact on a case: the only way in which a case changes.
    fn record(&mut self, reference: Reference, fact: CaseFact, turn: &mut Turn) {
        let Some(shared) = self.cases.get_mut(&reference) else { return };
        let (before, was_at_work, was_due) = (shared.last_letter, shared.is_at_work(), shared.promises.next_due());
        let was_chased = shared.chase;
        self.counts.leave(shared);
        self.loads.leave(shared);
        Arc::make_mut(shared).apply(&fact, turn.at);
        self.counts.enter(shared);
        self.loads.enter(shared);
        let case = Arc::clone(shared);
        if case.chase != was_chased {
            turn.wake.extend(self.chase_due(&case).map(|(at, _)| (at, reference)));
        }
        if let Some(at) = case.solve_due() {
            turn.wake.push((at, reference));
        }
        if let Some(at) = case.close_due() {
            turn.wake.push((at, reference));
        }
        turn.wake.extend(case.promises.next_due().filter(|&due| Some(due) != was_due).map(|(due, _)| (due, reference)));
        self.changed.insert(reference);
        turn.facts.push(Fact::Case { reference, unit: case.opening.unit.clone(), fact });
        self.note_stage(&case, was_at_work);
        if case.last_letter != before {
            self.write(reference, before, turn);
        }
    }

    /// The line of a unit does something else.
    pub(crate) fn line_is(&mut self, unit: &str, line: Line, at: Time, turn: &mut Turn) {
        if let Some(&reference) = self.open_of.get(unit) {
            self.record(reference, CaseFact::Line { line, at }, turn);
        }
    }

    /// What the lines of all open cases do is found out anew, in the order of their units: `line_of` tells what the line of a
    /// unit does, and since when.
    pub(crate) fn lines_are(&mut self, mut line_of: impl FnMut(&str) -> (Line, Time), turn: &mut Turn) {
        let news = self.cases_by_unit().filter_map(|case| {
            let (line, at) = line_of(&case.opening.unit);
            (case.line != line).then_some((case.opening.reference, line, at))
        });
        for (reference, line, at) in news.collect::<Vec<_>>() {
            self.record(reference, CaseFact::Line { line, at }, turn);
        }
    }

    /// A unit has lost contact for as long as makes a fault.
    pub(crate) fn fault(&mut self, line: &LineNow<'_>, turn: &mut Turn) {
        let Some(&reference) = self.open_of.get(line.unit) else {
            let why = self.found(line, Subject::ServiceDown, None);
            self.open(line, Actor::Watch, why, turn);
            return;
        };
        self.heard(reference, line, turn);
        let was_alone = self.case(reference).is_some_and(|case| case.is_at_work() && case.umbrella.is_none());
        self.join(reference, line.umbrella, turn);
        if was_alone && line.umbrella.is_some() {
            self.hand_to_umbrella(reference, turn);
        }
        let (Some(case), Some(trouble)) = (self.case(reference), line.evidence.trouble()) else { return };
        let outage = Outage {
            last_contact: line.evidence.last_contact(),
            first_loss: trouble.first_loss,
            detected: trouble.detected,
        };
        if !case.is_at_work() {
            // One letter says both: that it is back, and that it is a P1.
            let returned = CaseFact::Returned { by: Actor::Watch, note: None, outage: Some(outage) };
            return self.take_back(reference, returned, line.umbrella, turn);
        }
        let fact = match case.priority {
            Priority::P1 if case.fault_seen => return,
            Priority::P1 => CaseFact::Confirmed(outage),
            Priority::P2 => CaseFact::Upgraded(outage),
            Priority::P3 => return,
        };
        let is_worse = matches!(fact, CaseFact::Upgraded(_));
        self.record(reference, fact, turn);
        if is_worse {
            self.route(reference, Occasion::Upgraded, turn);
        }
    }

    /// A unit answers, but not as it should.
    pub(crate) fn degraded(&mut self, line: &LineNow<'_>, finding: Finding, turn: &mut Turn) {
        let Some(&reference) = self.open_of.get(line.unit) else {
            let why = self.found(line, Subject::Degraded, Some(finding));
            self.open(line, Actor::Watch, why, turn);
            return;
        };
        let solved = self.case(reference).is_some_and(|case| !case.is_at_work());
        self.record(reference, CaseFact::Degraded(finding), turn);
        if solved {
            let returned = CaseFact::Returned { by: Actor::Watch, note: None, outage: None };
            self.take_back(reference, returned, None, turn);
        }
    }

    /// The line of a case is lost, and somebody says why.
    fn heard(&mut self, reference: Reference, line: &LineNow<'_>, turn: &mut Turn) {
        if let Some(witness) = &line.witness {
            self.diagnosed(reference, Vec::from([witness.clone()]), turn);
        }
    }

    /// Witnesses tell what happened to the line of a case.
    pub(crate) fn diagnosed(&mut self, reference: Reference, witnesses: Vec<Witness>, turn: &mut Turn) {
        let diagnosis = diagnosis::conclude(witnesses);
        if self.case(reference).is_some_and(|case| case.diagnosis.as_ref() != Some(&diagnosis)) {
            self.record(reference, CaseFact::Diagnosed(diagnosis), turn);
        }
    }

    /// Something that a case waits for may be due.
    pub(crate) fn wake(&mut self, reference: Reference, line_is_well: bool, turn: &mut Turn) {
        self.miss_overdue(reference, turn);
        self.elapse(reference, turn);
        self.chase(reference, turn);
        let Some(case) = self.case(reference) else { return };
        let due = |at: Option<Time>| at.is_some_and(|at| at <= turn.at);
        let (solve, close) = (due(case.solve_due()), due(case.close_due()));
        if (solve || close) && !line_is_well && case.line != Line::Withdrawn {
            // A loss that began before is given the time to be confirmed, to become a fault, or to pass.
            turn.wake.push((turn.at + core::time::Duration::from_secs(1), reference));
        } else if solve {
            self.solve(reference, Actor::Watch, None, turn);
        } else if close {
            self.finish(reference, turn);
        }
    }

    fn solve(&mut self, reference: Reference, by: Actor, note: Option<String>, turn: &mut Turn) {
        let Some(case) = self.case(reference) else { return };
        let window = match case.priority {
            Priority::P1 => self.stability.p1,
            Priority::P2 => self.stability.p2,
            Priority::P3 => return,
        };
        self.record(reference, CaseFact::Solved { by, note, window }, turn);
    }

    fn close(&mut self, reference: Reference, turn: &mut Turn) {
        self.record(reference, CaseFact::Closed, turn);
        self.take_changed(turn);
        if let Some(case) = self.cases.remove(&reference) {
            self.counts.leave(&case);
            self.loads.leave(&case);
            if case.is_request() {
                self.requests_of.remove(&(case.opening.unit.clone(), reference));
                return;
            }
            self.leave(&case);
            self.open_of.remove(&case.opening.unit);
            self.closed_of.insert(case.opening.unit.clone(), reference);
        }
    }

    /// What the watch itself has found.
    fn found(&self, line: &LineNow<'_>, subject: Subject, finding: Option<Finding>) -> Why {
        let (intake, previous) = (Intake::of(subject), self.closed_case_of(line.unit));
        Why { channel: Channel::Monitoring, note: None, finding, intake, previous }
    }

    /// A person works on a case.
    pub(crate) fn command(
        &mut self,
        reference: Reference,
        by: String,
        command: Command,
        turn: &mut Turn,
    ) -> Result<Reference, Refusal> {
        let Some(case) = self.case(reference) else {
            // Numbers are given out in order, and only closed cases leave the desk.
            return Err(if reference.number() < self.next_number {
                Refusal::NotOpen { reference, wanted: command.wanted(), why: NotOpen::Closed }
            } else {
                Refusal::UnknownReference { reference }
            });
        };
        let wanted = command.wanted();
        case.decide(wanted).map_err(|why| Refusal::NotOpen { reference, wanted, why })?;
        match command {
            Command::Answer { text, told } => self.answer(reference, by, text, told, turn)?,
            Command::Take => self.record(reference, CaseFact::Taken { by }, turn),
            Command::Note { text } => self.record(reference, CaseFact::Noted { by, text }, turn),
            Command::Tell { text } => self.tell(reference, by, text, turn),
            Command::Promise { kind, within } => {
                self.record(reference, CaseFact::Promised { by, kind, within }, turn);
            }
            Command::Arrive => self.arrived(reference, by, turn),
            Command::Supplier { text } => self.supplier_said(reference, by, text, turn),
            Command::Assign { to } => self.assign(reference, by, to, turn),
            Command::Escalate { note } => self.escalate(reference, EscalatedBy::Staff(by), note, turn),
            Command::Wait { on, note } => self.record(reference, CaseFact::Waits { by, on, note }, turn),
            Command::Solve { note } => self.solve(reference, Actor::Staff(by), note, turn),
            Command::Rfo => self.order_rfo(reference, Actor::Staff(by), turn),
            Command::Return { note } => self.take_back_by(reference, Actor::Staff(by), note, turn),
        }
        Ok(reference)
    }

    /// The deadlines of every open case, for a fresh start, or other rules.
    pub(crate) fn deadlines(&self) -> impl Iterator<Item = (Time, Reference)> {
        self.cases.values().flat_map(|case| {
            let reference = case.opening.reference;
            let promise = case.promises.next_due().map(|(due, _)| due);
            let chase = self.chase_due(case).map(|(at, _)| at);
            let all = [case.solve_due(), case.close_due(), promise, chase].into_iter().flatten();
            all.chain(self.elapses(case)).map(move |at| (at, reference))
        })
    }
}

/// Why a case is opened, beside a loss, and by which way it was reported.
struct Why {
    channel: Channel,
    note: Option<String>,
    finding: Option<Finding>,
    intake: Intake,
    previous: Option<Reference>,
}

/// What the store remembers of the desk.
#[derive(Clone, Debug, Default)]
pub struct SavedDesk {
    /// Cases that are not closed.
    pub cases: Vec<Case>,
    /// Umbrellas that are open, or have cases that are, or letters that wait.
    pub umbrellas: Vec<SavedUmbrella>,
    /// Closed cases whose letter waits under an umbrella.
    pub closing: Vec<Case>,
    /// Alarms that stand.
    pub alarms: Vec<Alarm>,
    /// The last closed case of each unit.
    pub closed_of: BTreeMap<String, Reference>,
    /// Number of the next case.
    pub next_number: u64,
    /// Letters that are not delivered.
    pub letters: super::letter::SavedLetters,
    /// Those of them that bring a customer a reason for outage: of which case, and the how-manieth.
    pub rfo_letters: Vec<(LetterId, Reference, u32)>,
    /// Who is off, who has the shift, and which contracts' ends were told.
    pub duty: SavedDuty,
    /// Messages that wait for people, and addresses that do not work.
    pub mail: SavedMailRoom,
    /// Surveys that can be answered, and how often customers were asked.
    pub surveys: SavedSurveys,
    /// What staff have changed of customers' people, and what came of letters to them.
    pub people: SavedPeople,
}
