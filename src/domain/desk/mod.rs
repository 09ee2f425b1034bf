//! The desk: open cases, who may do what with them, and what their clocks bring about.

mod case;
mod reference;

pub use case::{
    Actor, Case, CaseFact, LetterKind, LetterMark, Line, Move, NotOpen, Opening, Outage, Priority, Stage, WaitingOn,
    Window,
};
pub use reference::{MAX_CASES, Misread, Reference};

use super::fact::Fact;
use super::letter::{Letter, Outbox};
use super::party::Customer;
use super::plan::Stability;
use super::time::Time;
use super::turn::{Command, Refusal, Turn};
use super::watch::{Circuit, Evidence};
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

/// The team that cases of the watch are assigned to (R2).
pub const SUPPORT_QUEUE: &str = "Support";

/// All cases that are not closed.
#[derive(Clone, Debug)]
pub struct Desk {
    /// Shared with the letters about them.
    cases: BTreeMap<Reference, Arc<Case>>,
    open_of: BTreeMap<String, Reference>,
    closed_of: BTreeMap<String, Reference>,
    next_number: u64,
    changed: BTreeSet<Reference>,
    customers: BTreeMap<String, Customer>,
    noc: Vec<String>,
    stability: Stability,
    /// Letters on their way.
    pub(crate) outbox: Outbox,
}

/// What a unit is at the moment when a case about it is opened.
pub(crate) struct Subject<'a> {
    pub(crate) unit: &'a str,
    pub(crate) circuit: &'a Circuit,
    pub(crate) evidence: &'a Evidence,
    pub(crate) solve_after: core::time::Duration,
}

impl Desk {
    pub(crate) fn new(saved: SavedDesk, now: Time) -> Self {
        let cases: BTreeMap<_, _> =
            saved.cases.into_iter().map(|case| (case.opening.reference, Arc::new(case))).collect();
        let open_of = cases.values().map(|case| (case.opening.unit.clone(), case.opening.reference)).collect();
        Self {
            cases,
            open_of,
            closed_of: saved.closed_of,
            next_number: saved.next_number.max(1),
            changed: BTreeSet::new(),
            customers: BTreeMap::new(),
            noc: Vec::new(),
            stability: Stability { p1: core::time::Duration::ZERO, p2: core::time::Duration::ZERO },
            outbox: Outbox::new(saved.letters, now),
        }
    }

    pub(crate) fn set_rules(&mut self, customers: &[Customer], noc: &[String], stability: Stability) {
        let before = core::mem::take(&mut self.customers);
        // Who was told of a problem is told of its end, though he be a customer no more.
        let concerned: BTreeSet<&str> =
            self.cases.values().map(|case| case.opening.circuit.customer.as_str()).collect();
        self.customers = before.into_iter().filter(|(id, _)| concerned.contains(id.as_str())).collect();
        self.customers.extend(customers.iter().map(|customer| (customer.id.clone(), customer.clone())));
        self.noc = noc.to_vec();
        self.stability = stability;
    }

    /// The open case of a unit.
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

    /// Opens a case and returns its reference.
    fn open(
        &mut self,
        subject: &Subject<'_>,
        by: Actor,
        priority: Priority,
        note: Option<String>,
        turn: &mut Turn,
    ) -> Reference {
        let reference = Reference::from_number(self.next_number);
        self.next_number += 1;
        turn.next_case = Some(self.next_number);
        let (evidence, circuit) = (subject.evidence, subject.circuit);
        let trouble = evidence.trouble();
        let opening = Opening {
            reference,
            origin: by,
            priority,
            unit: subject.unit.to_string(),
            circuit: circuit.clone(),
            queue: SUPPORT_QUEUE.to_string(),
            note,
            last_contact: evidence.last_contact(),
            first_loss: trouble.map(|trouble| trouble.first_loss),
            detected: trouble.map(|trouble| trouble.detected),
            loss: trouble.map(|trouble| trouble.loss).unwrap_or_default(),
            line: (Line::Watched(evidence.verdict(), evidence.reason()), evidence.since()),
            solve_after: subject.solve_after,
            previous: self.closed_case_of(subject.unit),
        };
        let case = Arc::new(Case::open(opening.clone(), turn.at));
        self.open_of.insert(subject.unit.to_string(), reference);
        self.cases.insert(reference, Arc::clone(&case));
        self.changed.insert(reference);
        turn.facts.push(Fact::CaseOpened(Box::new(opening)));
        self.write(&case, None, turn);
        reference
    }

    /// Notes a fact on a case: the only way in which a case changes.
    fn record(&mut self, reference: Reference, fact: CaseFact, turn: &mut Turn) {
        let Some(shared) = self.cases.get_mut(&reference) else { return };
        let before = shared.last_letter;
        let case = Arc::make_mut(shared);
        case.apply(&fact, turn.at);
        let case = Arc::clone(shared);
        if let Some(at) = case.solve_due() {
            turn.wake.push((at, reference));
        }
        if let Some(at) = case.close_due() {
            turn.wake.push((at, reference));
        }
        self.changed.insert(reference);
        turn.facts.push(Fact::Case { reference, unit: case.opening.unit.clone(), fact });
        if case.last_letter != before {
            self.write(&case, before, turn);
        }
    }

    /// Puts the letters that the case's last fact calls for into the outbox: one for each reader.
    fn write(&mut self, case: &Arc<Case>, previous: Option<LetterMark>, turn: &mut Turn) {
        let Some(mark) = case.last_letter else { return };
        let customer = self.customers.get(&case.opening.circuit.customer);
        // Nobody gets the same letter twice, whichever way an address is written.
        let mut seen = BTreeSet::new();
        let readers = customer
            .map(|customer| customer.email.as_slice())
            .unwrap_or_default()
            .iter()
            .map(|to| (to, true))
            .chain(self.noc.iter().map(|to| (to, false)))
            .filter(|(to, _)| seen.insert(to.to_ascii_lowercase()));
        for (to, is_customer) in readers {
            let letter = Letter {
                id: self.outbox.next_id(),
                case: Arc::clone(case),
                mark,
                previous,
                to: to.clone(),
                greeting: customer.filter(|_| is_customer).map(|customer| customer.name.clone()),
                written_at: turn.at,
            };
            turn.facts.push(Fact::LetterQueued(letter.label()));
            self.outbox.add(&letter, turn.at);
            turn.letters.push(letter);
        }
    }

    /// The line of a unit does something else.
    pub(crate) fn line_is(&mut self, unit: &str, line: Line, at: Time, turn: &mut Turn) {
        if let Some(&reference) = self.open_of.get(unit) {
            self.record(reference, CaseFact::Line { line, at }, turn);
        }
    }

    /// A unit has lost contact for as long as makes a fault.
    pub(crate) fn fault(&mut self, subject: &Subject<'_>, turn: &mut Turn) {
        let Some(&reference) = self.open_of.get(subject.unit) else {
            self.open(subject, Actor::Watch, Priority::P1, None, turn);
            return;
        };
        let Some(case) = self.case(reference) else { return };
        let (priority, solved) = (case.priority, matches!(case.stage, Stage::Solved { .. }));
        let seen = case.fault_seen || solved;
        if solved {
            self.record(reference, CaseFact::Returned { by: Actor::Watch, note: None }, turn);
        }
        let Some(trouble) = subject.evidence.trouble() else { return };
        let outage = Outage {
            last_contact: subject.evidence.last_contact(),
            first_loss: trouble.first_loss,
            detected: trouble.detected,
        };
        match priority {
            Priority::P1 if seen => {}
            Priority::P1 => self.record(reference, CaseFact::Confirmed(outage), turn),
            Priority::P2 => self.record(reference, CaseFact::Upgraded(outage), turn),
        }
    }

    /// Something that a case waits for may be due.
    pub(crate) fn wake(&mut self, reference: Reference, line_is_well: bool, turn: &mut Turn) {
        let Some(case) = self.case(reference) else { return };
        let due = |at: Option<Time>| at.is_some_and(|at| at <= turn.at);
        let (solve, close) = (due(case.solve_due()), due(case.close_due()));
        if (solve || close) && !line_is_well && case.line != Line::Withdrawn {
            // A loss that began before is given the time to be confirmed, to become a fault, or to pass.
            turn.wake.push((turn.at + core::time::Duration::from_secs(1), reference));
        } else if solve {
            self.solve(reference, Actor::Watch, None, turn);
        } else if close {
            self.close(reference, turn);
        }
    }

    fn solve(&mut self, reference: Reference, by: Actor, note: Option<String>, turn: &mut Turn) {
        let Some(case) = self.case(reference) else { return };
        let window = match case.priority {
            Priority::P1 => self.stability.p1,
            Priority::P2 => self.stability.p2,
        };
        self.record(reference, CaseFact::Solved { by, note, window }, turn);
    }

    fn close(&mut self, reference: Reference, turn: &mut Turn) {
        self.record(reference, CaseFact::Closed, turn);
        self.take_changed(turn);
        if let Some(case) = self.cases.remove(&reference) {
            self.open_of.remove(&case.opening.unit);
            self.closed_of.insert(case.opening.unit.clone(), reference);
        }
    }

    /// A person opens a case.
    pub(crate) fn open_by_hand(
        &mut self,
        subject: &Subject<'_>,
        by: String,
        priority: Priority,
        note: Option<String>,
        turn: &mut Turn,
    ) -> Result<Reference, Refusal> {
        match self.open_of.get(subject.unit) {
            Some(&reference) => Err(Refusal::AlreadyOpen { reference }),
            None => Ok(self.open(subject, Actor::Staff(by), priority, note, turn)),
        }
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
            Command::Take => self.record(reference, CaseFact::Taken { by }, turn),
            Command::Note { text } => self.record(reference, CaseFact::Noted { by, text }, turn),
            Command::Wait { on, note } => self.record(reference, CaseFact::Waits { by, on, note }, turn),
            Command::Solve { note } => self.solve(reference, Actor::Staff(by), note, turn),
            Command::Return { note } => {
                self.record(reference, CaseFact::Returned { by: Actor::Staff(by), note }, turn);
            }
        }
        Ok(reference)
    }

    /// The deadlines of every open case, for a fresh start.
    pub(crate) fn deadlines(&self) -> impl Iterator<Item = (Time, Reference)> {
        self.cases.values().flat_map(|case| {
            let reference = case.opening.reference;
            [case.solve_due(), case.close_due()].into_iter().flatten().map(move |at| (at, reference))
        })
    }
}

/// What the store remembers of the desk.
#[derive(Clone, Debug, Default)]
pub struct SavedDesk {
    /// Cases that are not closed.
    pub cases: Vec<Case>,
    /// The last closed case of each unit.
    pub closed_of: BTreeMap<String, Reference>,
    /// Number of the next case.
    pub next_number: u64,
    /// Letters that are not delivered.
    pub letters: super::letter::SavedLetters,
}
