//! Letters: who gets them, and what they are about.

use super::{Case, Desk, Invitation, LetterKind, LetterMark, Reference};
use crate::domain::fact::Fact;
use crate::domain::letter::{Content, Letter, LetterId, Thread};
use crate::domain::maintenance::Maintenance;
use crate::domain::notice::{Signal, Target};
use crate::domain::turn::Turn;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// What a customer is told of a maintenance.
pub(crate) struct Affected {
    pub(crate) customer: String,
    pub(crate) kind: LetterKind,
    /// Id and service order of each line that it touches.
    pub(crate) lines: Vec<(String, String)>,
    /// The same of those that it touched until it was changed.
    pub(crate) spared: Vec<(String, String)>,
}

impl Desk {
    /// Puts the letters that the case's last fact calls for into the outbox: one for each reader. Under an umbrella it
    /// waits for those of the customer's other lines.
    pub(super) fn write(&mut self, reference: Reference, previous: Option<LetterMark>, turn: &mut Turn) {
        let Some(case) = self.cases.get(&reference).cloned() else { return };
        let Some(mark) = case.last_letter else { return };
        let is_news = |mark: &LetterMark| mark.kind == LetterKind::News;
        let is_shared = case.umbrella.is_some_and(|umbrella| self.shelters.contains_key(&umbrella));
        if is_shared && !is_news(&mark) {
            self.call_off_alerts(&case, mark, turn);
            return self.hold(&case, mark, turn);
        }
        // News are about one line; what its umbrella has said is of another conversation, and comes first.
        self.release_of(&case, turn);
        let previous = previous.filter(|previous| !is_shared || is_news(previous));
        let mut readers = self.readers(Some(&case.opening.circuit.customer), true);
        // Who wrote or called has his answer, whoever else gets the letters (R11); and whoever asked, all that comes of it.
        if mark.kind == LetterKind::Opened || case.is_request() {
            self.add_requester(&mut readers, &case);
        }
        if let Some(escalation) = case.escalation.as_ref().filter(|_| mark.kind == LetterKind::Escalated) {
            let customer = Some(case.opening.circuit.customer.as_str());
            add_staff(&mut readers, self.escalation_contacts(customer, escalation.level));
        }
        self.post_case(&readers, case, (mark, previous), turn);
        self.settle_rfos(&[(reference, mark)], turn);
    }

    fn add_requester(&self, readers: &mut Vec<(String, Option<String>)>, case: &Case) {
        let Some(address) = case.requester() else { return };
        let customer = self.customers.get(case.opening.circuit.customer.as_str());
        let caller = case.opening.intake.caller.as_ref().map(|caller| &caller.name);
        let name = caller.or(customer.map(|customer| &customer.name)).unwrap_or(address);
        add_reader(readers, address, Some(name));
    }

    /// Tells messengers that were alerted of a case by itself that it is over, while its letter waits for others.
    fn call_off_alerts(&mut self, case: &Arc<Case>, mark: LetterMark, turn: &mut Turn) {
        let thread = Thread::Case { reference: case.opening.reference, unit: case.opening.unit.clone() };
        if self.outbox.has_alerted(&thread) && Signal::of(&thread, mark.kind) == Signal::Over {
            self.post(&[], &thread, (mark, None), &Content::Case(Arc::clone(case)), turn);
        }
    }

    /// Tells the operations centre, which knows a case by itself, that an umbrella speaks for it from now on.
    pub(super) fn hand_to_umbrella(&mut self, reference: Reference, turn: &mut Turn) {
        let Some(case) = self.cases.get(&reference).cloned() else { return };
        // Each time that it was taken to work it can come under an umbrella once.
        let mark = LetterMark { kind: LetterKind::Updated, number: case.returned + 1 };
        let readers = self.readers(None, true);
        let last = case.last_letter;
        self.post_case(&readers, case, (mark, last), turn);
    }

    /// Whom a letter goes to: address, and how customers are greeted. Nobody gets the same letter twice, whichever way
    /// an address is written.
    pub(super) fn readers(&self, customer: Option<&String>, with_noc: bool) -> Vec<(String, Option<String>)> {
        let customer = customer.and_then(|customer| self.customers.get(customer));
        let mut seen = BTreeSet::new();
        let addresses = customer.map(|customer| self.addresses(customer)).unwrap_or_default();
        let name = customer.map(|customer| &customer.name);
        let theirs = addresses.into_iter().map(|to| (to, name));
        let ours = self.noc.iter().filter(|_| with_noc).map(|to| (to, None));
        theirs
            .chain(ours)
            .filter(|(to, _)| seen.insert(to.to_ascii_lowercase()))
            .map(|(to, name)| (to.clone(), name.cloned()))
            .collect()
    }

    /// Writes a letter in the conversation about a case to each reader.
    pub(super) fn post_case(
        &mut self,
        readers: &[(String, Option<String>)],
        case: Arc<Case>,
        marks: (LetterMark, Option<LetterMark>),
        turn: &mut Turn,
    ) {
        let thread = Thread::Case { reference: case.opening.reference, unit: case.opening.unit.clone() };
        self.post(readers, &thread, marks, &Content::Case(case), turn);
    }

    /// Writes a letter to each reader.
    pub(super) fn post(
        &mut self,
        readers: &[(String, Option<String>)],
        thread: &Thread,
        (mark, previous): (LetterMark, Option<LetterMark>),
        content: &Content,
        turn: &mut Turn,
    ) {
        let is_told = readers.iter().any(|(_, greeting)| greeting.is_some());
        let survey = if is_told { self.invite(mark.kind, content, turn) } else { None };
        if !self.parties.ways.is_plain() || self.outbox.has_alerts() {
            return self.post_by_ways(readers, thread, (mark, previous), (content, survey), turn);
        }
        for (to, greeting) in readers {
            let letter = Letter {
                id: self.outbox.next_id(),
                thread: thread.clone(),
                mark,
                previous,
                content: content.clone(),
                to: to.clone(),
                greeting: greeting.clone(),
                written_at: turn.at,
                survey: survey.clone().filter(|_| greeting.is_some()),
            };
            self.send_off(letter, turn);
        }
    }

    fn send_off(&mut self, letter: Letter, turn: &mut Turn) {
        turn.facts.push(Fact::LetterQueued { letter: letter.label(), lines: letter.lines() });
        self.outbox.add(&letter, turn);
        self.rfo_posted(&letter);
        turn.letters.push(letter);
    }

    /// The same where our own have other channels than mail (R55): what is only for the case that another one fails is
    /// held back.
    fn post_by_ways(
        &mut self,
        readers: &[(String, Option<String>)],
        thread: &Thread,
        (mark, previous): (LetterMark, Option<LetterMark>),
        (content, survey): (&Content, Option<Invitation>),
        turn: &mut Turn,
    ) {
        let signal = Signal::of(thread, mark.kind);
        // That others speak for it from now on is told to whoever reads it; that it is over, to all who were alerted.
        let is_over = signal == Signal::Over && mark.kind != LetterKind::Updated;
        let alerted = self.outbox.alerted(thread).filter(|_| is_over);
        let targets = self.parties.ways.targets(readers, alerted, signal);
        let mut ids: Vec<LetterId> = Vec::with_capacity(targets.len());
        for Target { to, greeting, rank, behind } in targets {
            let id = self.outbox.next_id();
            let (thread, content) = (thread.clone(), content.clone());
            let survey = survey.clone().filter(|_| greeting.is_some());
            let letter = Letter { id, thread, mark, previous, content, to, greeting, written_at: turn.at, survey };
            if rank == 0 {
                self.send_off(letter, turn);
            } else {
                let behind = behind.into_iter().filter_map(|place| ids.get(place).copied()).collect();
                self.outbox.reserve(&letter, rank, behind, turn);
                turn.letters.push(letter);
            }
            ids.push(id);
        }
    }

    /// Tells each customer whose lines a maintenance touches, or did until it was changed, and nobody else.
    pub(crate) fn announce(&mut self, maintenance: &Arc<Maintenance>, affected: Vec<Affected>, turn: &mut Turn) {
        let revision = maintenance.revision;
        for Affected { customer, kind, lines, spared } in affected {
            let mark = LetterMark { kind, number: revision };
            let previous = match (kind, revision) {
                (LetterKind::Announced, _) | (_, ..=1) => None,
                (_, 2) => Some(LetterMark { kind: LetterKind::Announced, number: 1 }),
                (_, 3..) => Some(LetterMark { kind: LetterKind::Revised, number: revision - 1 }),
            };
            let thread = Thread::Maintenance {
                id: maintenance.window.id.clone(),
                planned_at: maintenance.planned_at,
                customer: customer.clone(),
            };
            let content = Content::Maintenance { maintenance: Arc::clone(maintenance), lines, spared };
            let readers = self.readers(Some(&customer), false);
            self.post(&readers, &thread, (mark, previous), &content, turn);
        }
    }
}

/// More of the staff who get a letter, unless they do already.
pub(super) fn add_staff(readers: &mut Vec<(String, Option<String>)>, contacts: &[String]) {
    contacts.iter().for_each(|contact| add_reader(readers, contact, None));
}

/// One more who gets a letter, unless he does already, and how he is greeted.
fn add_reader(readers: &mut Vec<(String, Option<String>)>, address: &str, greeting: Option<&String>) {
    if !readers.iter().any(|(to, _)| to.eq_ignore_ascii_case(address)) {
        readers.push((String::from(address), greeting.cloned()));
    }
}
