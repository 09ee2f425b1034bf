//! Mail about lines: the desk says where a message belongs; which line it is about, the inventory knows.

use super::{Device, Role, Slot, Watch};
use crate::domain::desk::{
    Actor, Arrived, Aside, Belongs, Channel, Desk, Heard, Ignored, MailOutcome, Priority, Reference, Subject, Tenant,
    Writer, is_thanks,
};
use crate::domain::mail::{Incoming, Message, Nature};
use crate::domain::turn::{Done, Filing, Refusal, Turn};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

/// Words of a message that are looked at for the id of a line or its order.
const MAX_WORDS: usize = 2_000;

/// The lines of each customer.
pub(super) type LinesOf = BTreeMap<Arc<String>, Vec<Slot>>;

/// Which line of a customer a message is about.
enum Named {
    Line(Slot),
    Unclear,
}

impl Watch {
    /// A message came in.
    pub(super) fn mailed(&mut self, incoming: &Incoming, turn: &mut Turn) {
        let Some((arrived, belongs)) = self.desk.sort(incoming, turn) else { return };
        match belongs {
            Belongs::Joins(reference) if self.desk.case(reference).is_some() => {
                self.desk.hear(arrived, reference, turn);
            }
            Belongs::Joins(reference) => self.answers_closed(arrived, reference, incoming, turn),
            Belongs::New => self.take_in(arrived, turn),
            Belongs::Reports => {
                if let Some(letter) = incoming.letters.first() {
                    self.desk.reported(arrived, letter, turn);
                }
            }
            Belongs::Aside(why) => self.desk.quarantine(arrived, why, turn),
            Belongs::Ignored(why) => Desk::ignore(arrived, why, turn),
        }
    }

    /// A reply to a closed case: that one stays closed, and a new one is linked to it (R31).
    fn answers_closed(&mut self, arrived: Arrived, closed: Reference, incoming: &Incoming, turn: &mut Turn) {
        if !matches!(arrived.message().nature, Nature::Person) {
            return Desk::ignore(arrived, Ignored::Closed(closed), turn);
        }
        if *arrived.tenant() == Tenant::Staff {
            return self.desk.quarantine(arrived, Aside::StaffWrite, turn);
        }
        let known = incoming.cases.iter().find(|case| case.reference == closed);
        let slot = known.and_then(|case| self.slot(&case.unit).filter(|&slot| self.is_line_of(slot, &case.customer)));
        let Some(slot) = slot else { return self.desk.quarantine(arrived, Aside::LineGone, turn) };
        match self.open_case_of(slot) {
            Some(reference) if !self.is_of(reference, known.map(|case| case.customer.as_str())) => {
                self.desk.quarantine(arrived, Aside::OthersCase, turn);
            }
            Some(reference) => self.desk.hear(arrived, reference, turn),
            None if is_thanks(&arrived.message().text) => self.desk.quarantine(arrived, Aside::Thanks(closed), turn),
            None => self.open_for(arrived, slot, turn),
        }
    }

    /// A customer writes of something new.
    fn take_in(&mut self, arrived: Arrived, turn: &mut Turn) {
        let customer = match arrived.tenant() {
            Tenant::Customer(customer) => customer.clone(),
            Tenant::Staff | Tenant::Several | Tenant::Stranger => String::new(),
        };
        match self.named(&customer, arrived.message()) {
            Named::Line(slot) => match self.open_case_of(slot) {
                Some(reference) => self.desk.quarantine(arrived, Aside::MaybeAbout(reference), turn),
                None => self.open_for(arrived, slot, turn),
            },
            Named::Unclear => self.desk.quarantine(arrived, Aside::WhichLine, turn),
        }
    }

    fn open_for(&mut self, arrived: Arrived, slot: Slot, turn: &mut Turn) {
        if !self.desk.may_open(turn.at) {
            return self.desk.quarantine(arrived, Aside::Flood, turn);
        }
        let (by, words) = (Actor::Customer(arrived.from()), arrived.words());
        let priority = priority_of(&arrived.message().subject);
        match self.open_by_hand(slot, by, priority, (Channel::Email, Some(words)), turn) {
            Some(Ok(reference)) => Desk::opened_by(arrived, reference, turn),
            Some(Err(_)) | None => self.desk.quarantine(arrived, Aside::LineGone, turn),
        }
    }

    /// A person opens a case on the line of a slot, if it is one.
    pub(super) fn open_by_hand(
        &mut self,
        slot: Slot,
        by: Actor,
        priority: Priority,
        how: (Channel, Option<String>),
        turn: &mut Turn,
    ) -> Option<Result<Reference, Refusal>> {
        let device = self.devices[slot.index()].clone()?;
        let Device { id, role: Role::Unit(circuit), rules, .. } = &*device else { return None };
        let evidence = &self.evidence[slot.index()];
        let (solve_after, umbrella, witness) = (rules.pace.solve_after, None, None);
        let subject = Subject { unit: id, circuit, evidence, solve_after, umbrella, witness };
        let opened = self.desk.open_by_hand(&subject, by, priority, how, turn);
        self.keep_strip(slot, turn);
        Some(opened)
    }

    /// Staff decide on a message that waits.
    pub(super) fn file(&mut self, by: &str, heard: Heard, filing: Filing, turn: &mut Turn) -> Result<Done, Refusal> {
        let mail = heard.mail;
        if !self.desk.is_aside(mail) {
            return Err(Refusal::NotAside { mail });
        }
        match filing {
            Filing::Join(reference) => {
                let case = self.desk.case(reference).map(|case| case.opening.reference);
                let reference = case.ok_or(Refusal::UnknownReference { reference })?;
                self.desk.join_aside(by, heard, reference, turn);
                Ok(Done::Case(reference))
            }
            Filing::Open { unit, priority } => {
                let slot = self.slot(&unit).ok_or_else(|| Refusal::UnknownUnit { unit: unit.clone() })?;
                let Heard { from, writer, text, .. } = heard;
                // Only his own customer's words are told to him as such.
                let who = if writer == Writer::Customer {
                    Actor::Customer(from.clone())
                } else {
                    Actor::Staff(by.to_string())
                };
                let opened = self.open_by_hand(slot, who, priority, (Channel::Email, Some(text)), turn);
                let reference = opened.ok_or(Refusal::UnknownUnit { unit })??;
                self.desk.settle_aside((mail, &from), by, MailOutcome::Opened, Some(reference), turn);
                Ok(Done::Case(reference))
            }
            Filing::Dismiss => {
                self.desk.settle_aside((mail, &heard.from), by, MailOutcome::Dismissed, None, turn);
                Ok(Done::Mail(mail))
            }
        }
    }

    fn is_of(&self, reference: Reference, customer: Option<&str>) -> bool {
        self.desk.case(reference).is_some_and(|case| Some(case.opening.circuit.customer.as_str()) == customer)
    }

    fn open_case_of(&self, slot: Slot) -> Option<Reference> {
        let unit = &self.devices[slot.index()].as_ref()?.id;
        self.desk.open_case_of(unit).map(|case| case.opening.reference)
    }

    fn is_line_of(&self, slot: Slot, customer: &str) -> bool {
        let circuit = self.devices[slot.index()].as_ref().and_then(|device| device.circuit());
        circuit.is_some_and(|circuit| *circuit.customer == customer)
    }

    /// The line that a message names by its id or its order; or the only one that its customer has.
    fn named(&mut self, customer: &str, message: &Message) -> Named {
        if self.lines_of.is_none() {
            let mut lines = LinesOf::new();
            for (slot, device) in self.devices() {
                if let Some(circuit) = device.circuit() {
                    lines.entry(Arc::clone(&circuit.customer)).or_default().push(slot);
                }
            }
            self.lines_of = Some(lines);
        }
        let lines = self.lines_of.as_ref().and_then(|lines| lines.get(&customer.to_string()));
        let lines = lines.map(Vec::as_slice).unwrap_or_default();
        if let [line] = lines {
            return Named::Line(*line);
        }
        let words = words(message);
        let is_named = |&&slot: &&Slot| {
            self.devices[slot.index()].as_ref().is_some_and(|device| {
                let order = device.circuit().map(|circuit| circuit.order.to_lowercase());
                words.contains(&device.id.to_lowercase()) || order.is_some_and(|order| words.contains(&order))
            })
        };
        let mut named = lines.iter().filter(is_named);
        match (named.next(), named.next()) {
            (Some(&line), None) => Named::Line(line),
            (None | Some(_), _) => Named::Unclear,
        }
    }
}

/// What a message says that can be an id, in lower case.
fn words(message: &Message) -> BTreeSet<String> {
    let all = [message.subject.as_str(), message.text.as_str()];
    let words =
        all.iter().flat_map(|text| text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))));
    // A full stop ends a sentence, though an id may have some within.
    words
        .map(|word| word.trim_end_matches('.').to_lowercase())
        .filter(|word| !word.is_empty())
        .take(MAX_WORDS)
        .collect()
}

/// Type and priority follow from the subject (R14); a customer who names none writes of a line that is not as it should
/// be. If the watch loses it, the case is raised by itself.
fn priority_of(subject: &str) -> Priority {
    let subject = subject.to_lowercase();
    let is_down = ["service down", "severely impacted"].iter().any(|name| subject.contains(name));
    if is_down { Priority::P1 } else { Priority::P2 }
}
