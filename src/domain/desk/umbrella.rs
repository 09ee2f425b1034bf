//! Umbrellas: a cause that many lines share, over the customers' own cases.
//!
//! The cases stay what they are: each is solved and watched on its own line's evidence. What is shared is the noise:
//! the operations centre sees one umbrella, and a customer gets one letter about all lines to which the same happened
//! within [`COLLECT`]. A line that comes back to work by itself leaves its umbrella, so both hear of it.

use super::Desk;
use super::case::{Case, Stage};
use super::post::add_staff;
use super::promise::Level;
use super::reference::Reference;
use super::words::{LetterKind, LetterMark};
use crate::domain::fact::Fact;
use crate::domain::letter::{Content, Thread};
use crate::domain::time::Time;
use crate::domain::turn::{HeldLine, Refusal, Turn};
use crate::domain::watch::GroupKind;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

/// How long a letter waits for other lines of the same customer: longer than the usual intervals, within which lines
/// that fail together are found lost.
pub const COLLECT: Duration = Duration::from_secs(75);
/// The same for good news, for lines come back one by one; when a customer has none left that is lost, it goes at once.
pub const COLLECT_GOOD: Duration = Duration::from_secs(300);
/// Lines in one letter; more go into further ones.
pub const MAX_LINES_A_LETTER: usize = 2_000;

/// A shared cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Umbrella {
    /// Its reference, from the same numbers as those of cases.
    pub reference: Reference,
    /// What is shared.
    pub cause: Cause,
    /// When it was opened.
    pub opened_at: Time,
    /// The first loss under it.
    pub first_loss: Time,
    /// Lines that were lost together.
    pub lost: usize,
    /// Lines that share the cause.
    pub of: usize,
    /// From the first to the last of these losses.
    pub within: Duration,
    /// When it was over.
    pub closed_at: Option<Time>,
}

/// What lines that fail together have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// They are reached through this device, which is lost.
    Device(String),
    /// They are reached through this device, which answers.
    Below(String),
    /// They are of this group.
    Group(GroupKind, String),
    /// Nothing that we know of, but the moment.
    Moment,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device(id) => write!(f, "device={id}"),
            Self::Below(id) => write!(f, "below={id}"),
            Self::Group(kind, name) => write!(f, "{}={name}", kind.name()),
            Self::Moment => f.write_str("moment"),
        }
    }
}

impl Cause {
    /// The cause that is written so.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once('=') {
            None => (text == "moment").then_some(Self::Moment),
            Some(("device", id)) => Some(Self::Device(id.to_string())),
            Some(("below", id)) => Some(Self::Below(id.to_string())),
            Some((kind, name)) => {
                let kind = GroupKind::ALL.into_iter().find(|known| known.name() == kind)?;
                Some(Self::Group(kind, name.to_string()))
            }
        }
    }
}

/// An umbrella with what is under it.
#[derive(Clone, Debug)]
pub(super) struct Shelter {
    head: Arc<Umbrella>,
    /// Cases that are not closed.
    children: BTreeSet<Reference>,
    /// Those of them that are at work, by their customers.
    at_work: BTreeMap<Arc<String>, BTreeSet<Reference>>,
    /// How many there were in all, but those that left it.
    cases: usize,
    held: BTreeMap<(Arc<String>, LetterKind), Held>,
    /// In which of its customer's letters a case waits.
    waits: BTreeMap<Reference, LetterKind>,
    /// The latest letter of each thread, and how many of each kind there were.
    last: BTreeMap<Option<Arc<String>>, LetterMark>,
    written: BTreeMap<(Option<Arc<String>>, LetterKind), u32>,
}

/// A letter that waits for more lines.
#[derive(Clone, Debug)]
struct Held {
    due: Time,
    lines: Vec<(Reference, LetterMark)>,
}

/// A letter that is held back: when it goes, and which one it is.
pub(super) type Waiting = (Time, Reference, Arc<String>, LetterKind);

/// A letter that is held back, as it is shown to people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldLetter {
    /// The shared cause that it is about.
    pub umbrella: Reference,
    /// Whom it is for.
    pub customer: String,
    /// What it says.
    pub kind: LetterKind,
    /// How many of the customer's lines it tells of by now.
    pub lines: usize,
    /// When it goes at the latest.
    pub due: Time,
}

impl HeldLetter {
    /// Since when it is held back: its first line came then.
    #[must_use]
    pub fn since(&self) -> Time {
        self.due - wait(self.kind)
    }
}

/// Held letters that one turn lets go; the rest follow in the next one, so that no turn grows without bound.
const MAX_RELEASES_A_TURN: usize = 1_000;

/// What the store remembers of an umbrella.
#[derive(Clone, Debug)]
pub struct SavedUmbrella {
    /// The umbrella.
    pub umbrella: Umbrella,
    /// How many cases it ever had, but those that left it.
    pub cases: usize,
    /// Lines whose letter waits.
    pub held: Vec<HeldLine>,
    /// Its letters: to which customer, and which.
    pub letters: Vec<(Option<String>, LetterMark)>,
}

impl Shelter {
    fn new(head: Umbrella) -> Self {
        Self {
            head: Arc::new(head),
            children: BTreeSet::new(),
            at_work: BTreeMap::new(),
            cases: 0,
            held: BTreeMap::new(),
            waits: BTreeMap::new(),
            last: BTreeMap::new(),
            written: BTreeMap::new(),
        }
    }

    /// A case went to or from work, if it did.
    fn note_work(&mut self, case: &Case, was_at_work: bool) {
        match (was_at_work, case.is_at_work()) {
            (true, false) => self.end_work(case),
            (false, true) => {
                let customer = Arc::clone(&case.opening.circuit.customer);
                self.at_work.entry(customer).or_default().insert(case.opening.reference);
            }
            (true, true) | (false, false) => {}
        }
    }

    fn end_work(&mut self, case: &Case) {
        let customer = &case.opening.circuit.customer;
        if let Some(theirs) = self.at_work.get_mut(customer) {
            theirs.remove(&case.opening.reference);
            if theirs.is_empty() {
                self.at_work.remove(customer);
            }
        }
    }

    pub(super) fn restored(saved: SavedUmbrella, cases: &BTreeMap<Reference, Arc<Case>>) -> Self {
        let reference = saved.umbrella.reference;
        let mut shelter = Self { cases: saved.cases, ..Self::new(saved.umbrella) };
        for case in cases.values().filter(|case| case.umbrella == Some(reference)) {
            shelter.children.insert(case.opening.reference);
            shelter.note_work(case, false);
        }
        for line in saved.held {
            let held = shelter
                .held
                .entry((line.customer, line.mark.kind))
                .or_insert(Held { due: line.due, lines: Vec::new() });
            held.lines.push((line.case, line.mark));
            shelter.waits.insert(line.case, line.mark.kind);
        }
        for (customer, mark) in saved.letters {
            let customer = customer.map(Arc::new);
            shelter.written.insert((customer.clone(), mark.kind), mark.number);
            shelter.last.insert(customer, mark);
        }
        shelter
    }

    /// Its letters that wait, with when they go.
    pub(super) fn waiting(&self) -> impl Iterator<Item = Waiting> {
        let reference = self.head.reference;
        self.held.iter().map(move |((customer, kind), held)| (held.due, reference, customer.clone(), *kind))
    }

    fn is_open(&self) -> bool {
        self.head.closed_at.is_none()
    }

    /// Gives the next letter of a thread its number; returns the one before it as well.
    fn next_mark(&mut self, customer: Option<&Arc<String>>, kind: LetterKind) -> (LetterMark, Option<LetterMark>) {
        let count = self.written.entry((customer.cloned(), kind)).or_default();
        *count += 1;
        let mark = LetterMark { kind, number: *count };
        (mark, self.last.insert(customer.cloned(), mark))
    }
}

/// How long a letter waits.
const fn wait(kind: LetterKind) -> Duration {
    if matches!(kind, LetterKind::Solved | LetterKind::Closed | LetterKind::Rfo) { COLLECT_GOOD } else { COLLECT }
}

impl Desk {
    /// Umbrellas that are not over, oldest first.
    pub fn umbrellas(&self) -> impl Iterator<Item = &Umbrella> {
        self.shelters.values().filter(|shelter| shelter.is_open()).map(|shelter| shelter.head.as_ref())
    }

    /// An umbrella that is open, or has a case that is.
    #[must_use]
    pub fn umbrella(&self, reference: Reference) -> Option<&Umbrella> {
        self.shelters.get(&reference).map(|shelter| shelter.head.as_ref())
    }

    /// How many cases of an umbrella are at work.
    #[must_use]
    pub fn at_work_under(&self, umbrella: Reference) -> usize {
        self.shelters.get(&umbrella).map_or(0, |shelter| shelter.at_work.values().map(BTreeSet::len).sum())
    }

    /// Opens an umbrella.
    pub(crate) fn open_umbrella(
        &mut self,
        cause: Cause,
        first_loss: Time,
        shares: (usize, usize),
        within: Duration,
        turn: &mut Turn,
    ) -> Reference {
        let reference = self.next_reference(turn);
        let head = Umbrella {
            reference,
            cause,
            opened_at: turn.at,
            first_loss,
            lost: shares.0,
            of: shares.1,
            within,
            closed_at: None,
        };
        turn.facts.push(Fact::UmbrellaOpened(head.clone()));
        turn.umbrellas.push(head.clone());
        self.shelters.insert(reference, Shelter::new(head));
        self.tell_noc_of(reference, LetterKind::Opened, None, turn);
        reference
    }

    /// A case comes under an umbrella.
    pub(super) fn shelter(&mut self, reference: Reference, umbrella: Reference) {
        if let (Some(shelter), Some(case)) = (self.shelters.get_mut(&umbrella), self.cases.get(&reference)) {
            if shelter.children.insert(reference) {
                shelter.cases += 1;
            }
            shelter.note_work(case, false);
        }
    }

    /// A case went to or from work, or is closed.
    pub(super) fn note_stage(&mut self, case: &Case, was_at_work: bool) {
        let Some(shelter) = case.umbrella.and_then(|umbrella| self.shelters.get_mut(&umbrella)) else { return };
        shelter.note_work(case, was_at_work);
    }

    /// A case leaves its umbrella, for it is closed or has another one. What waits to be said of it is still said.
    pub(super) fn leave(&mut self, case: &Arc<Case>) {
        let Some(shelter) = case.umbrella.and_then(|umbrella| self.shelters.get_mut(&umbrella)) else { return };
        shelter.children.remove(&case.opening.reference);
        if case.is_at_work() {
            shelter.end_work(case);
        }
        let is_closed = matches!(case.stage, Stage::Closed { .. });
        shelter.cases = shelter.cases.saturating_sub(usize::from(!is_closed));
        if is_closed && shelter.waits.contains_key(&case.opening.reference) {
            self.closing.insert(case.opening.reference, Arc::clone(case));
        }
    }

    /// What happened to the line goes into a letter about all lines of its customer.
    pub(super) fn hold(&mut self, case: &Case, mark: LetterMark, turn: &mut Turn) {
        let Some(umbrella) = case.umbrella else { return };
        let customer = &case.opening.circuit.customer;
        let reference = case.opening.reference;
        self.release_of(case, turn);
        let key = (Arc::clone(customer), mark.kind);
        let Some(shelter) = self.shelters.get_mut(&umbrella) else { return };
        let held = shelter.held.entry(key.clone()).or_insert_with(|| {
            let due = turn.at + wait(mark.kind);
            self.waiting.insert((due, umbrella, Arc::clone(customer), mark.kind));
            Held { due, lines: Vec::new() }
        });
        held.lines.push((reference, mark));
        let due = held.due;
        // When all of a customer's lines are back there is nothing to wait for.
        if mark.kind == LetterKind::Solved && !shelter.at_work.contains_key(customer) {
            return self.release(umbrella, &key, turn);
        }
        shelter.waits.insert(reference, mark.kind);
        turn.held.push(HeldLine { umbrella, customer: Arc::clone(customer), case: reference, mark, due });
    }

    /// Lets the letter of a case's umbrella go that still waits to say what was before: it comes first.
    pub(super) fn release_of(&mut self, case: &Case, turn: &mut Turn) {
        let Some(umbrella) = case.umbrella else { return };
        // A case waits in one letter at the most, for this is done before it goes into another.
        let kind = self.shelters.get(&umbrella).and_then(|shelter| shelter.waits.get(&case.opening.reference));
        if let Some(&kind) = kind {
            self.release(umbrella, &(Arc::clone(&case.opening.circuit.customer), kind), turn);
        }
    }

    /// Whether a letter of this kind about a case waits for others.
    pub(super) fn holds(&self, case: &Case, kind: LetterKind) -> bool {
        let shelter = case.umbrella.and_then(|umbrella| self.shelters.get(&umbrella));
        shelter.is_some_and(|shelter| shelter.waits.get(&case.opening.reference) == Some(&kind))
    }

    /// How many letters are held back, and when the last of them goes at the latest.
    #[must_use]
    pub fn held(&self) -> Option<(usize, Time)> {
        self.waiting.last().map(|&(due, ..)| (self.waiting.len(), due))
    }

    /// When the next held letter goes.
    pub(crate) fn next_release(&self) -> Option<Time> {
        self.waiting.first().map(|&(due, ..)| due)
    }

    /// Lets the letters go that have waited long enough, or as many of them as a turn takes.
    pub(crate) fn release_due(&mut self, turn: &mut Turn) {
        for _ in 0..MAX_RELEASES_A_TURN {
            if self.next_release().is_none_or(|due| due > turn.at) {
                return;
            }
            let Some((_, umbrella, customer, kind)) = self.waiting.pop_first() else { return };
            self.release(umbrella, &(customer, kind), turn);
        }
    }

    /// Lets all letters of an umbrella go.
    fn release_all(&mut self, umbrella: Reference, turn: &mut Turn) {
        let Some(shelter) = self.shelters.get(&umbrella) else { return };
        let waiting: Vec<_> = shelter.held.keys().cloned().collect();
        waiting.into_iter().for_each(|key| self.release(umbrella, &key, turn));
    }

    fn release(&mut self, umbrella: Reference, key: &(Arc<String>, LetterKind), turn: &mut Turn) {
        let Some(shelter) = self.shelters.get_mut(&umbrella) else { return };
        let Some(held) = shelter.held.remove(key) else { return };
        self.waiting.remove(&(held.due, umbrella, key.0.clone(), key.1));
        turn.released.extend(&held.lines);
        for (line, _) in &held.lines {
            shelter.waits.remove(line);
        }
        for lines in held.lines.chunks(MAX_LINES_A_LETTER) {
            self.tell_customer(umbrella, key, lines, None, turn);
            self.settle_rfos(lines, turn);
        }
        for (line, _) in held.lines {
            self.closing.remove(&line);
        }
    }

    fn tell_customer(
        &mut self,
        umbrella: Reference,
        (customer, kind): &(Arc<String>, LetterKind),
        lines: &[(Reference, LetterMark)],
        text: Option<&String>,
        turn: &mut Turn,
    ) {
        let Some(shelter) = self.shelters.get_mut(&umbrella) else { return };
        let (mark, previous) = shelter.next_mark(Some(customer), *kind);
        let head = Arc::clone(&shelter.head);
        let case = |reference: &Reference| self.cases.get(reference).or_else(|| self.closing.get(reference)).cloned();
        let lines: Vec<(Arc<Case>, LetterMark)> =
            lines.iter().filter_map(|(reference, mark)| Some((case(reference)?, *mark))).collect();
        let thread = Thread::Umbrella { reference: umbrella, customer: Some(customer.to_string()) };
        let content = Content::Lines { umbrella: head, lines, text: text.cloned() };
        let readers = self.readers(Some(customer), false);
        self.post(&readers, &thread, (mark, previous), &content, turn);
    }

    /// The customer's cases that are at work under an umbrella.
    /// The customer's cases under an umbrella that are at work; if none is, those in their windows.
    pub(super) fn cases_of(&self, umbrella: Reference, customer: &String) -> Vec<Reference> {
        let at_work = self.at_work_of(umbrella, customer);
        if !at_work.is_empty() {
            return at_work;
        }
        let theirs =
            self.cases().filter(|case| case.umbrella == Some(umbrella) && *case.opening.circuit.customer == *customer);
        theirs.map(|case| case.opening.reference).collect()
    }

    /// Those of them that are at work.
    pub(super) fn at_work_of(&self, umbrella: Reference, customer: &String) -> Vec<Reference> {
        let theirs = self.shelters.get(&umbrella).and_then(|shelter| shelter.at_work.get(customer));
        theirs.into_iter().flatten().copied().collect()
    }

    /// A case under an umbrella was escalated. The operations centre hears of each level once.
    pub(super) fn escalate_umbrella(&mut self, umbrella: Reference, level: Level, turn: &mut Turn) {
        let written = |shelter: &Shelter| shelter.written.get(&(None, LetterKind::Escalated)).copied();
        let told = self.shelters.get(&umbrella).and_then(written).unwrap_or(0);
        if level as u32 >= told {
            self.tell_staff_of(umbrella, LetterKind::Escalated, None, Some(level), turn);
        }
    }

    fn tell_noc_of(&mut self, umbrella: Reference, kind: LetterKind, text: Option<String>, turn: &mut Turn) {
        self.tell_staff_of(umbrella, kind, text, None, turn);
    }

    /// The operations centre, and whom a level is brought to.
    fn tell_staff_of(
        &mut self,
        umbrella: Reference,
        kind: LetterKind,
        text: Option<String>,
        level: Option<Level>,
        turn: &mut Turn,
    ) {
        let Some(shelter) = self.shelters.get_mut(&umbrella) else { return };
        let marks = shelter.next_mark(None, kind);
        let content = Content::Umbrella { umbrella: Arc::clone(&shelter.head), cases: shelter.cases, text };
        let mut readers = self.readers(None, true);
        add_staff(&mut readers, level.map_or(&[][..], |level| self.escalation_contacts(None, level)));
        self.post(&readers, &Thread::Umbrella { reference: umbrella, customer: None }, marks, &content, turn);
    }

    /// Staff have news for everybody who is affected.
    pub(crate) fn update_umbrella(
        &mut self,
        umbrella: Reference,
        by: String,
        text: String,
        turn: &mut Turn,
    ) -> Result<Reference, Refusal> {
        let Some(shelter) = self.shelters.get(&umbrella).filter(|shelter| shelter.is_open()) else {
            return Err(Refusal::UnknownUmbrella { reference: umbrella });
        };
        let mut affected: BTreeMap<Arc<String>, Vec<Reference>> = BTreeMap::new();
        let at_work =
            shelter.children.iter().filter_map(|child| self.cases.get(child)).filter(|case| case.is_at_work());
        for case in at_work {
            affected.entry(Arc::clone(&case.opening.circuit.customer)).or_default().push(case.opening.reference);
        }
        // What waits to be said comes first.
        self.release_all(umbrella, turn);
        turn.facts.push(Fact::UmbrellaUpdated {
            reference: umbrella,
            by,
            text: text.clone(),
            customers: affected.len(),
        });
        for (customer, cases) in affected {
            let key = (customer, LetterKind::Updated);
            let written = (Some(key.0.clone()), key.1);
            let number = self.shelters.get(&umbrella).and_then(|shelter| shelter.written.get(&written).copied());
            let mark = LetterMark { kind: LetterKind::Updated, number: number.unwrap_or(0) + 1 };
            let lines: Vec<_> = cases.into_iter().map(|case| (case, mark)).collect();
            for lines in lines.chunks(MAX_LINES_A_LETTER) {
                self.tell_customer(umbrella, &key, lines, Some(&text), turn);
            }
        }
        self.tell_noc_of(umbrella, LetterKind::Updated, Some(text), turn);
        Ok(umbrella)
    }

    /// Closes the umbrellas whose cause is over: no case is at work under them any more, and `is_over` of the cause.
    pub(crate) fn close_umbrellas(&mut self, is_over: impl Fn(&Umbrella) -> bool, turn: &mut Turn) {
        let over: Vec<Reference> = self
            .shelters
            .values()
            .filter(|shelter| shelter.is_open() && shelter.at_work.is_empty() && is_over(&shelter.head))
            .map(|shelter| shelter.head.reference)
            .collect();
        for reference in over {
            self.tell_noc_of(reference, LetterKind::Closed, None, turn);
            let Some(shelter) = self.shelters.get_mut(&reference) else { continue };
            let head = Arc::make_mut(&mut shelter.head);
            head.closed_at = Some(turn.at);
            let lasted = turn.at.since(head.first_loss);
            turn.umbrellas.push(head.clone());
            turn.facts.push(Fact::UmbrellaClosed {
                reference,
                cause: head.cause.clone(),
                lasted,
                children: shelter.cases,
            });
        }
        self.shelters
            .retain(|_, shelter| shelter.is_open() || !shelter.children.is_empty() || !shelter.held.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_read_as_it_was_written() {
        for cause in [
            Cause::Device("pop-lon".into()),
            Cause::Below("pop-lon".into()),
            Cause::Group(GroupKind::Supplier, "telco=a".into()),
            Cause::Moment,
        ] {
            assert_eq!(Cause::parse(&cause.to_string()).as_ref(), Some(&cause));
        }
        assert_eq!((Cause::parse("colour=red"), Cause::parse("")), (None, None));
    }
}
