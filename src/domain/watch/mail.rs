//! Mail about lines: the desk says where a message belongs; which line it is about, the inventory knows.

use super::{Device, Role, Slot, Watch};
use crate::domain::desk::{
    Actor, Arrived, Aside, Belongs, Channel, Desk, Heard, Ignored, LineNow, MailOutcome, Reference, Report, Subject,
    Tenant, Writer, is_thanks,
};
use crate::domain::mail::{Incoming, Message, Nature};
use crate::domain::turn::{Done, Filing, Refusal, Turn};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

/// Words of a message that are looked at for the id of a line or its order.
const MAX_WORDS: usize = 2_000;
/// Words of an order that has several.
const MAX_ORDER_WORDS: usize = 12;
/// Devices that are looked at for another customer's line: that only makes the reason precise, and must not hold anybody up.
const MAX_OTHERS: usize = 50_000;

/// The lines of each customer.
pub(super) type LinesOf = BTreeMap<Arc<String>, Vec<Slot>>;

/// Which line of a customer a message is about.
enum Named {
    Line(Slot),
    /// None of theirs, but another customer's.
    Others,
    /// Several of theirs.
    Several,
    /// None at all.
    Nothing,
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
        let line = known.and_then(|case| {
            let slot = self.slot(&case.unit).filter(|&slot| self.is_line_of(slot, &case.customer))?;
            Some((slot, case))
        });
        let Some((slot, known)) = line else { return self.desk.quarantine(arrived, Aside::LineGone, turn) };
        let named = Subject::of_line(&arrived.message().subject);
        // Who goes on about a request asks for the same once more; who asks why names the case that it is about (R33).
        let goes_on = known.subject.is_request() && named != Subject::RfoRequest;
        let subject = if goes_on { known.subject } else { named };
        let thanks = || is_thanks(&arrived.message().text);
        match self.open_like(slot, subject) {
            Some(reference) if !self.is_of(reference, Some(&known.customer)) => {
                self.desk.quarantine(arrived, Aside::OthersCase, turn);
            }
            Some(reference) => self.desk.hear(arrived, reference, turn),
            None if thanks() => self.desk.quarantine(arrived, Aside::Thanks(closed), turn),
            None => self.open_for(arrived, slot, (subject, Some(closed)), turn),
        }
    }

    /// A customer writes of something new.
    fn take_in(&mut self, arrived: Arrived, turn: &mut Turn) {
        let customer = match arrived.tenant() {
            Tenant::Customer(customer) => customer.clone(),
            Tenant::Staff | Tenant::Several | Tenant::Stranger => String::new(),
        };
        match self.named(&customer, arrived.message()) {
            Named::Line(slot) => {
                let subject = Subject::of_line(&arrived.message().subject);
                match self.open_like(slot, subject) {
                    Some(reference) => self.desk.quarantine(arrived, Aside::MaybeAbout(reference), turn),
                    None => self.open_for(arrived, slot, (subject, None), turn),
                }
            }
            Named::Others => self.desk.quarantine(arrived, Aside::OthersLine, turn),
            Named::Several => self.desk.quarantine(arrived, Aside::SeveralLines, turn),
            Named::Nothing => self.desk.quarantine(arrived, Aside::WhichLine, turn),
        }
    }

    fn open_for(
        &mut self,
        arrived: Arrived,
        slot: Slot,
        (subject, about): (Subject, Option<Reference>),
        turn: &mut Turn,
    ) {
        if !self.desk.may_open(turn.at) {
            return self.desk.quarantine(arrived, Aside::Flood, turn);
        }
        let by = Actor::Customer(arrived.from());
        let about = about.filter(|_| subject.is_request());
        let report = Report { note: Some(arrived.words()), about, ..Report::new(subject, Channel::Email) };
        match self.open_by_hand(slot, by, report, turn) {
            Some(Ok(reference)) => {
                turn.acknowledged.push(turn.at.since(arrived.received_at()));
                Desk::opened_by(arrived, reference, turn);
            }
            Some(Err(_)) | None => self.desk.quarantine(arrived, Aside::LineGone, turn),
        }
    }

    /// A person opens a case on the line of a slot, if it is one.
    pub(super) fn open_by_hand(
        &mut self,
        slot: Slot,
        by: Actor,
        report: Report,
        turn: &mut Turn,
    ) -> Option<Result<Reference, Refusal>> {
        let device = self.devices[slot.index()].clone()?;
        let Device { id, role: Role::Unit(circuit), rules, .. } = &*device else { return None };
        let evidence = &self.evidence[slot.index()];
        let (solve_after, umbrella, witness) = (rules.pace.solve_after, None, None);
        let line = LineNow { unit: id, circuit, evidence, solve_after, umbrella, witness };
        let is_request = report.subject.is_request();
        let opened = self.desk.open_by_hand(&line, by, report, turn);
        if !is_request {
            self.keep_strip(slot, turn);
        }
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
            Filing::Open { unit, subject } => {
                let slot = self.slot(&unit).ok_or_else(|| Refusal::UnknownUnit { unit: unit.clone() })?;
                let Heard { from, writer, text, .. } = heard;
                // Only his own customer's words are told to him as such.
                let who = if writer == Writer::Customer {
                    Actor::Customer(from.clone())
                } else {
                    Actor::Staff(by.to_string())
                };
                // Whoever decided this has seen what else is open.
                let report = Report { note: Some(text), anyway: true, ..Report::new(subject, Channel::Email) };
                let opened = self.open_by_hand(slot, who, report, turn);
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

    /// What is open on a line and may be the same: its incident, or a request about the same.
    fn open_like(&self, slot: Slot, subject: Subject) -> Option<Reference> {
        let device = self.devices[slot.index()].as_ref()?;
        if subject.is_request() {
            return self.desk.request_like(&device.id, device.circuit()?, subject);
        }
        self.desk.open_case_of(&device.id).map(|case| case.opening.reference)
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
        let said = Said::of(message, lines.iter().filter_map(|slot| order_of(&self.devices, *slot)));
        let names = |slot: Slot| self.devices[slot.index()].as_ref().is_some_and(|device| said.names(device));
        let named: Vec<Slot> = lines.iter().copied().filter(|&slot| names(slot)).collect();
        match named[..] {
            [line] => Named::Line(line),
            [_, _, ..] => Named::Several,
            [] => {
                let others = self.devices().take(MAX_OTHERS).any(|(_, device)| {
                    device.circuit().is_some_and(|circuit| *circuit.customer != customer) && said.names(device)
                });
                if others { Named::Others } else { Named::Nothing }
            }
        }
    }
}

fn order_of(devices: &[Option<Arc<Device>>], slot: Slot) -> Option<&str> {
    Some(&devices[slot.index()].as_ref()?.circuit()?.order)
}

/// What a message says that can be an id or an order, in lower case.
struct Said {
    words: BTreeSet<String>,
    /// As many words in a row as the orders of its customer have that are not a single word.
    rows: BTreeSet<String>,
}

impl Said {
    fn of<'a>(message: &Message, orders: impl Iterator<Item = &'a str>) -> Self {
        let texts = [message.subject.as_str(), message.text.as_str()];
        let all = || texts.iter().flat_map(|text| text.split(is_no_part));
        // A full stop ends a sentence, though an id may have some within.
        let words = all().map(|word| word.trim_end_matches('.').to_lowercase()).filter(|word| !word.is_empty());
        let lengths: BTreeSet<usize> =
            orders.filter(|order| order.contains(is_no_part)).map(|order| row(order).len()).collect();
        let mut rows = BTreeSet::new();
        for text in texts.iter().filter(|_| !lengths.is_empty()) {
            let text: Vec<String> = row(text).into_iter().take(MAX_WORDS).collect();
            for &length in lengths.iter().filter(|&&length| (1..=MAX_ORDER_WORDS).contains(&length)) {
                rows.extend(text.windows(length).map(|words| words.join(" ")));
            }
        }
        Self { words: words.take(MAX_WORDS).collect(), rows }
    }

    /// Whether it names a line by its id or its order.
    fn names(&self, device: &Device) -> bool {
        let order = device.circuit().map(|circuit| circuit.order.as_str());
        let is_ordered = |order: &str| {
            if order.contains(is_no_part) {
                self.rows.contains(&row(order).join(" "))
            } else {
                self.words.contains(&order.to_lowercase())
            }
        };
        self.words.contains(&device.id.to_lowercase()) || order.is_some_and(is_ordered)
    }
}

/// Whether a character ends a word that may be an id.
fn is_no_part(c: char) -> bool {
    !(c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

/// The words of an order or a text, in lower case, whatever stands between them: who writes "SO 10/7" may mean "SO-10/7".
fn row(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::mail::Authentic;

    fn message(subject: &str, text: &str) -> Message {
        Message {
            from: None,
            message_id: None,
            answers: Vec::new(),
            recipients: Vec::new(),
            subject: subject.into(),
            text: text.into(),
            nature: Nature::Person,
            authentic: Authentic::Pass,
            attachments: Vec::new(),
        }
    }

    #[test]
    fn orders_with_blanks_and_slashes_are_found_as_a_row_of_words() {
        let orders = ["SO 100/7", "SO-1001"];
        let rows = |subject: &str, text: &str| Said::of(&message(subject, text), orders.into_iter()).rows;
        assert!(rows("Down: so 100/7!", "").contains("so 100 7"));
        assert!(rows("", "our order is SO-100/7.").contains("so 100 7"));
        assert!(!rows("SO 100", "7 lines").contains("so 100 7"), "a row does not go on in another text");
        assert!(!rows("SO 100/70", "").contains("so 100 7"));
        let plain = Said::of(&message("SO-1001 is slow.", ""), ["SO-1001"].into_iter());
        assert!(plain.words.contains("so-1001") && plain.rows.is_empty());
    }
}
