//! Reports of people: what is opened of them, and requests until whoever asked has had his answer.
//!
//! A request stands beside whatever its line does: no fault, no window and no umbrella is any of its affair.

use super::case::Case;
use super::facts::{AnswerStep, CaseFact};
use super::intake::{Caller, Intake, Report, Subject};
use super::reference::Reference;
use super::words::{Actor, LetterKind, LetterMark};
use super::{Desk, LineNow, Why};
use crate::domain::letter::{Delivery, LetterLabel, Thread};
use crate::domain::party::Standing;
use crate::domain::time::Time;
use crate::domain::turn::{BadReport, Refusal, Turn};
use crate::domain::watch::Circuit;
use alloc::string::{String, ToString};

impl Desk {
    /// A person opens a case.
    pub(crate) fn open_by_hand(
        &mut self,
        line: &LineNow<'_>,
        by: Actor,
        report: Report,
        turn: &mut Turn,
    ) -> Result<Reference, Refusal> {
        let subject = report.subject;
        if subject.is_request() {
            let like = self.request_like(line.unit, line.circuit, subject).filter(|_| !report.anyway);
            if let Some(reference) = like {
                return Err(Refusal::SameRequest { reference });
            }
        } else if let Some(&reference) = self.open_of.get(line.unit) {
            return Err(Refusal::AlreadyOpen { reference });
        }
        self.check(&report, turn.at)?;
        let caller = report.caller.as_deref().map(|who| self.caller(who, line.circuit)).transpose()?;
        let earlier = || self.closed_case_of(line.unit);
        let previous = match subject {
            // Who asks why does not always say of which.
            Subject::RfoRequest => report.about.or_else(earlier),
            Subject::ActivationSupport
            | Subject::EngineerDispatch
            | Subject::InformationRequest
            | Subject::SoftwareUpdate
            | Subject::Other => report.about,
            Subject::ServiceDown | Subject::Degraded => earlier(),
        };
        let lapsed = self.is_for_sales(line, turn.at);
        let Report { channel, note, prechecks, wanted_at, .. } = report;
        let intake = Intake { subject, prechecks, caller, wanted_at, lapsed };
        Ok(self.open(line, by, Why { channel, note, finding: None, intake, previous }, turn))
    }

    /// An open request of the same customer on the same unit about the same (R23).
    pub(crate) fn request_like(&self, unit: &str, circuit: &Circuit, subject: Subject) -> Option<Reference> {
        let theirs =
            |case: &&Case| case.opening.intake.subject == subject && case.opening.circuit.customer == circuit.customer;
        self.requests_of(unit).find(theirs).map(|case| case.opening.reference)
    }

    /// The open requests about a unit, oldest first.
    pub fn requests_of<'a>(&'a self, unit: &'a str) -> impl Iterator<Item = &'a Case> {
        let from = (unit.to_string(), Reference::FIRST);
        let of_unit = self.requests_of.range(from..).take_while(move |(of, _)| of == unit);
        of_unit.filter_map(|(_, reference)| self.case(*reference))
    }

    /// Whether what is reported hangs together.
    fn check(&self, report: &Report, now: Time) -> Result<(), Refusal> {
        let bad = |why| Err(Refusal::BadReport { why });
        if report.wanted_at.is_some() && !report.subject.needs_notice() {
            return bad(BadReport::NoNotice);
        }
        if report.wanted_at.is_some_and(|at| at < now) {
            return bad(BadReport::Past);
        }
        match report.about {
            None => Ok(()),
            Some(_) if !report.subject.is_request() => bad(BadReport::NoRequest),
            Some(reference) if reference.number() >= self.next_number => Err(Refusal::UnknownReference { reference }),
            Some(reference) if self.cases.contains_key(&reference) => bad(BadReport::StillOpen(reference)),
            Some(_) => Ok(()),
        }
    }

    /// Who called. An address that the customer does not have is written down and never written to.
    fn caller(&self, who: &str, circuit: &Circuit) -> Result<Caller, Refusal> {
        let customer: &str = &circuit.customer;
        let is_he = |email: &String| email.eq_ignore_ascii_case(who);
        let contact =
            |contact: &&crate::domain::party::Contact| contact.id == who || contact.email.as_ref().is_some_and(is_he);
        if let Some(contact) = self.parties.contacts_of(customer).find(contact) {
            return Ok(Caller { name: contact.name.clone(), email: contact.email.clone() });
        }
        if !who.contains('@') {
            return Err(Refusal::UnknownContact { contact: who.to_string(), customer: customer.to_string() });
        }
        let email = self.customers.get(customer).and_then(|customer| customer.email.iter().find(|email| is_he(email)));
        Ok(Caller { name: who.to_string(), email: email.cloned() })
    }

    /// Whether the sales team has what people report of this line, for its contract has lapsed (R68).
    fn is_for_sales(&self, line: &LineNow<'_>, now: Time) -> bool {
        let sells = self.parties.routing.sells();
        sells && self.parties.standing(line.unit, line.circuit, now).0 == Standing::Lapsed
    }

    /// Staff answer a request.
    pub(super) fn answer(
        &mut self,
        reference: Reference,
        by: String,
        text: String,
        told: bool,
        turn: &mut Turn,
    ) -> Result<(), Refusal> {
        let Some(case) = self.case(reference) else { return Ok(()) };
        if !told && case.requester().is_none() && self.readers(Some(&case.opening.circuit.customer), false).is_empty() {
            return Err(Refusal::NobodyToAnswer { reference });
        }
        self.record(reference, CaseFact::Answer(AnswerStep::Given { by, text, told }), turn);
        if told {
            self.finish_request(reference, turn);
        }
        Ok(())
    }

    /// Whoever asked has had his answer: nothing is left to be done.
    pub(super) fn finish_request(&mut self, reference: Reference, turn: &mut Turn) {
        if self.case(reference).is_some_and(Case::is_request) {
            self.informed(reference, turn);
            self.close(reference, turn);
        }
    }

    /// An attempt to deliver an answer, or to bring it to the next of the customer's people, is over. The one who asked has to
    /// have it; or anybody of the customer's, if he can't be written to.
    pub(super) fn answer_attempted(
        &mut self,
        letter: &LetterLabel,
        mark: LetterMark,
        delivery: &Delivery,
        turn: &mut Turn,
    ) {
        let Thread::Case { reference, .. } = letter.thread else { return };
        let Some(case) = self.case(reference).filter(|case| Self::awaits_answer(case, mark)) else { return };
        let counts = |letter: &LetterLabel| match case.requester() {
            Some(requester) if letter.mark == mark => letter.to.eq_ignore_ascii_case(requester),
            Some(_) | None => self.is_read_by_customer(reference, &letter.to),
        };
        if !counts(letter) {
            return;
        }
        let is_it = |other: &&LetterLabel| self.as_written(other).mark == mark;
        match delivery {
            Delivery::Sent => {
                self.informed_by(reference, letter.to.clone(), mark, turn);
                self.close(reference, turn);
            }
            Delivery::Refused(why) if !self.outbox.in_thread(&letter.thread).filter(is_it).any(counts) => {
                self.record(reference, CaseFact::Answer(AnswerStep::Undelivered { why: why.clone() }), turn);
            }
            Delivery::Refused(_) | Delivery::Deferred(_) | Delivery::Unreachable(_) | Delivery::Throttled { .. } => {}
        }
    }

    fn awaits_answer(case: &Case, mark: LetterMark) -> bool {
        let is_it = |number| mark == LetterMark { kind: LetterKind::Answered, number };
        case.answer.is_some_and(|answer| !answer.undelivered && is_it(answer.number))
    }
}
