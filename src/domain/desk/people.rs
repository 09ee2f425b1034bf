//! Customers' people: those of the inventory and what staff change beside it; whom letters go to, and who is next when one comes
//! back (R16).

use super::Desk;
use super::reference::Reference;
use super::threading::Tenant;
use super::words::{LetterKind, LetterMark};
use crate::domain::fact::{CustomerFact, Fact};
use crate::domain::letter::{Content, LetterId, LetterLabel, Thread};
use crate::domain::party::{
    BadContact, Channel, Contact, ContactChange, ContactDraft, ContactVerb, Customer, MAX_BESIDE, effective,
};
use crate::domain::time::Time;
use crate::domain::turn::{Refusal, Turn};
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

/// For how long it is remembered to whom a letter was passed on: mail servers give up after days.
pub const PASSED_ON_REMEMBERED: Duration = Duration::from_secs(30 * 24 * 3_600);

/// A letter that came back, or was refused, on its way to somebody else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassedOn {
    /// The letter that brings it.
    pub letter: LetterId,
    /// The letter that it brings, as it was written first.
    pub original: LetterId,
    /// Its conversation.
    pub thread: Thread,
    /// Kind and number of the original.
    pub mark: LetterMark,
    /// To whom it goes now.
    pub to: String,
    /// Since when.
    pub at: Time,
}

/// A customer whom no letter reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutOfReach {
    /// Since when.
    pub since: Time,
    /// The address that failed last.
    pub address: String,
}

/// What the store remembers of customers' people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SavedPeople {
    /// What staff have changed.
    pub changes: Vec<ContactChange>,
    /// Letters that were passed on lately, oldest first.
    pub passed_on: Vec<PassedOn>,
    /// Customers whom no letter reaches.
    pub out_of_reach: BTreeMap<String, OutOfReach>,
}

/// What changed of customers' people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeopleChange {
    /// Staff changed somebody.
    Contact(ContactChange),
    /// A letter is passed on.
    PassedOn(PassedOn),
    /// No letter reaches a customer.
    OutOfReach(String, OutOfReach),
    /// One may again.
    InReach(String),
}

impl SavedPeople {
    /// Takes a change into account.
    pub fn note(&mut self, change: &PeopleChange) {
        match change {
            PeopleChange::Contact(change) => {
                self.changes.retain(|known| known.contact.id != change.contact.id);
                self.changes.push(change.clone());
                self.changes.sort_by(|one, other| one.contact.id.cmp(&other.contact.id));
            }
            PeopleChange::PassedOn(passed_on) => self.passed_on.push(passed_on.clone()),
            PeopleChange::OutOfReach(customer, since) => {
                self.out_of_reach.insert(customer.clone(), since.clone());
            }
            PeopleChange::InReach(customer) => drop(self.out_of_reach.remove(customer)),
        }
    }
}

/// Customers' people, and what came of letters to them.
#[derive(Clone, Debug, Default)]
pub(super) struct People {
    /// Those of the inventory.
    listed: Vec<Contact>,
    changes: BTreeMap<String, ContactChange>,
    /// Who can be written to, by customer: in the order in which they are tried.
    by_mail: BTreeMap<String, Vec<Contact>>,
    /// Letters that were passed on, oldest first.
    passed_on: VecDeque<PassedOn>,
    /// The same: which original each brings.
    originals: BTreeMap<LetterId, (LetterMark, LetterId)>,
    /// Who was given each letter beside its readers.
    given: BTreeMap<(Thread, LetterMark), Vec<String>>,
    out_of_reach: Arc<BTreeMap<String, OutOfReach>>,
}

impl People {
    pub(super) fn restored(saved: SavedPeople) -> Self {
        let changes = saved.changes.into_iter().map(|change| (change.contact.id.clone(), change)).collect();
        let mut people = Self { changes, out_of_reach: Arc::new(saved.out_of_reach), ..Self::default() };
        saved.passed_on.into_iter().for_each(|passed_on| people.pass_on(passed_on));
        people
    }

    /// Documents that were passed on in conversations about single cases.
    pub(super) fn documents(&self) -> impl Iterator<Item = (LetterId, Reference, u32)> {
        let of_rfo = self.passed_on.iter().filter(|passed_on| passed_on.mark.kind == LetterKind::Rfo);
        of_rfo.filter_map(|passed_on| match &passed_on.thread {
            Thread::Case { reference, .. } => Some((passed_on.letter, *reference, passed_on.mark.number)),
            Thread::Umbrella { .. }
            | Thread::Maintenance { .. }
            | Thread::Alarm { .. }
            | Thread::Contract { .. }
            | Thread::Reach { .. } => None,
        })
    }

    fn pass_on(&mut self, passed_on: PassedOn) {
        while let Some(oldest) = self.passed_on.pop_front() {
            if passed_on.at.since(oldest.at) < PASSED_ON_REMEMBERED {
                self.passed_on.push_front(oldest);
                break;
            }
            self.originals.remove(&oldest.letter);
            self.given.remove(&(oldest.thread, oldest.mark));
        }
        self.originals.insert(passed_on.letter, (passed_on.mark, passed_on.original));
        self.given.entry((passed_on.thread.clone(), passed_on.mark)).or_default().push(passed_on.to.clone());
        self.passed_on.push_back(passed_on);
    }

    /// A customer's people who can be written to, in the order in which they are tried.
    fn by_mail(&self, customer: &str) -> &[Contact] {
        self.by_mail.get(customer).map_or(&[], Vec::as_slice)
    }

    /// Those of them who get the customer's letters.
    fn readers(&self, customer: &str) -> impl Iterator<Item = &String> {
        let readers = self.by_mail(customer).iter().filter(|contact| contact.letters);
        readers.filter_map(|contact| contact.email.as_ref())
    }
}

/// By what people are told apart who might be tried next.
fn rank(contact: &Contact) -> (bool, crate::domain::party::ContactRole, &str) {
    (contact.prefers == Channel::Phone, contact.role, &contact.id)
}

impl Desk {
    /// The inventory has these people; what staff know better is added.
    pub(super) fn set_people(&mut self) {
        self.people.listed.clone_from(&self.parties.contacts);
        self.merge_people();
    }

    fn merge_people(&mut self) {
        let people = &mut self.people;
        if !people.changes.is_empty() {
            let (there, removed) = effective(&people.listed, &people.changes);
            let parties = Arc::make_mut(&mut self.parties);
            (parties.contacts, parties.removed) = (there, removed);
        }
        people.by_mail.clear();
        for contact in self.parties.contacts.iter().filter(|contact| contact.email.is_some()) {
            people.by_mail.entry(contact.customer.clone()).or_default().push(contact.clone());
        }
        people.by_mail.values_mut().for_each(|theirs| theirs.sort_by(|one, other| rank(one).cmp(&rank(other))));
        self.mail.forget_tenants();
    }

    /// Staff add a person of a customer, change what is known of one, or switch one off.
    pub(crate) fn change_contact(
        &mut self,
        by: String,
        verb: ContactVerb,
        (customer, id): (String, String),
        draft: ContactDraft,
        turn: &mut Turn,
    ) -> Result<Contact, Refusal> {
        if !self.customers.contains_key(&customer) {
            return Err(Refusal::UnknownCustomer { customer });
        }
        let place = self.parties.contacts.binary_search_by(|contact| contact.id.as_str().cmp(&id)).ok();
        let known = place.and_then(|place| self.parties.contacts.get(place));
        let is_new = !self.people.changes.contains_key(&id);
        let changed = if is_new && self.people.changes.len() >= MAX_BESIDE {
            Err(BadContact::TooMany)
        } else {
            draft.applied(verb, (&customer, &id), known, (by.clone(), turn.at))
        };
        let contact = changed.map_err(|why| Refusal::BadContact { id: id.clone(), why })?;
        let change = ContactChange { contact: contact.clone(), removed: verb == ContactVerb::Remove };
        turn.facts.push(Fact::Customer(CustomerFact::ContactChanged { verb, contact: Box::new(contact.clone()), by }));
        turn.people.push(PeopleChange::Contact(change.clone()));
        self.people.changes.insert(id, change);
        self.merge_people();
        // Whoever gives an address vouches for it.
        if let Some(email) = contact.email.as_ref().filter(|_| verb != ContactVerb::Remove) {
            self.reached(&email.to_ascii_lowercase(), turn);
        }
        self.look_who_is_in_reach(turn);
        Ok(contact)
    }

    /// Customers whom no letter reaches.
    #[must_use]
    pub const fn out_of_reach(&self) -> &Arc<BTreeMap<String, OutOfReach>> {
        &self.people.out_of_reach
    }

    /// The customers, by their ids.
    #[must_use]
    pub const fn customers(&self) -> &Arc<BTreeMap<String, Customer>> {
        &self.customers
    }

    /// Where letters to a customer go: not to addresses that do not work, if another one does.
    pub(super) fn addresses<'a>(&'a self, customer: &'a Customer) -> Vec<&'a String> {
        let mut all: Vec<&String> = customer.email.iter().chain(self.people.readers(&customer.id)).collect();
        if !self.mail.has_unreachable() {
            return all;
        }
        let works = |address: &&String| !self.mail.is_unreachable(address);
        if all.iter().any(works) {
            all.retain(works);
        } else if let Some(next) = self.next_contact(customer, &[]) {
            all = Vec::from([next]);
        }
        all
    }

    /// Whether a letter to this address is one to the customer.
    pub(super) fn is_of(&self, customer: &Customer, address: &str) -> bool {
        let contacts = self.people.by_mail(&customer.id).iter().filter_map(|contact| contact.email.as_ref());
        customer.email.iter().chain(contacts).any(|theirs| theirs.eq_ignore_ascii_case(address))
    }

    /// The next of a customer's people whose address works, who gets no letters by himself, and to whom nobody of `given` was
    /// passed on already.
    fn next_contact(&self, customer: &Customer, given: &[String]) -> Option<&String> {
        let has = |address: &String| {
            let same = |other: &String| other.eq_ignore_ascii_case(address);
            customer.email.iter().any(same) || given.iter().any(same)
        };
        let theirs = self.people.by_mail(&customer.id).iter().filter(|contact| !contact.letters);
        let mut addresses = theirs.filter_map(|contact| contact.email.as_ref());
        addresses.find(|address| !self.mail.is_unreachable(address) && !has(address))
    }

    /// A letter as it was written first, if this one only brings it to somebody else.
    pub(super) fn as_written(&self, letter: &LetterLabel) -> LetterLabel {
        let mark = self.people.originals.get(&letter.id).map_or(letter.mark, |(mark, _)| *mark);
        LetterLabel { mark, ..letter.clone() }
    }

    /// A letter will never be read by the one it was for: the next of the customer's people gets it, once.
    pub(super) fn pass_letter_on(&mut self, letter: &LetterLabel, turn: &mut Turn) {
        let Some(customer) = self.customer_written_to(letter) else { return };
        let (mark, original) = self.people.originals.get(&letter.id).copied().unwrap_or((letter.mark, letter.id));
        let key = (letter.thread.clone(), mark);
        let given = self.people.given.get(&key).map_or(&[][..], Vec::as_slice);
        if given.iter().any(|to| !self.mail.is_unreachable(to)) {
            return;
        }
        let Some(to) = self.next_contact(&customer, given).cloned() else {
            return self.lose(&customer, &letter.to, turn);
        };
        let id = self.outbox.coming_id();
        let passed_on = PassedOn { letter: id, original, thread: key.0, mark, to: to.clone(), at: turn.at };
        let cases = self.cases_written_of(&letter.thread);
        let content = Content::PassedOn { original, from: letter.to.clone(), cases: cases.clone() };
        // No other letter has this number, whoever is written to later.
        let new = LetterMark { kind: LetterKind::PassedOn, number: id as u32 };
        self.post(&[(to, Some(customer.name))], &letter.thread, (new, None), &content, turn);
        if let (LetterKind::Rfo, Thread::Case { reference, .. }) = (mark.kind, &letter.thread) {
            self.rfo_passed_on(id, *reference, mark.number);
        }
        turn.people.push(PeopleChange::PassedOn(passed_on.clone()));
        self.people.pass_on(passed_on);
    }

    /// The customer whom a letter was for; none if it was for our own.
    fn customer_written_to(&mut self, letter: &LetterLabel) -> Option<Customer> {
        let tenant = self.tenant(&letter.to.to_ascii_lowercase());
        let by_address = match tenant {
            Tenant::Staff => return None,
            Tenant::Customer(customer) => Some(customer),
            Tenant::Several | Tenant::Stranger => None,
        };
        let by_thread = match &letter.thread {
            Thread::Case { reference, .. } => {
                self.case(*reference).map(|case| case.opening.circuit.customer.to_string())
            }
            Thread::Umbrella { customer, .. } => customer.clone(),
            Thread::Maintenance { customer, .. } | Thread::Contract { customer, .. } => Some(customer.clone()),
            Thread::Alarm { .. } | Thread::Reach { .. } => return None,
        };
        self.customers.get(&by_thread.or(by_address)?).cloned()
    }

    fn cases_written_of(&self, thread: &Thread) -> Vec<Reference> {
        match thread {
            Thread::Case { reference, .. } => Vec::from([*reference]),
            Thread::Umbrella { reference, customer: Some(customer) } => self.cases_of(*reference, customer),
            Thread::Umbrella { customer: None, .. }
            | Thread::Maintenance { .. }
            | Thread::Alarm { .. }
            | Thread::Contract { .. }
            | Thread::Reach { .. } => Vec::new(),
        }
    }

    /// Nobody of a customer is left to whom a letter could be passed on. If no other reader has it, staff are told, once.
    fn lose(&mut self, customer: &Customer, address: &str, turn: &mut Turn) {
        if self.people.out_of_reach.contains_key(&customer.id) || self.is_in_reach(customer) {
            return;
        }
        let lost = OutOfReach { since: turn.at, address: address.to_string() };
        Arc::make_mut(&mut self.people.out_of_reach).insert(customer.id.clone(), lost.clone());
        let invalid = CustomerFact::ContactInvalid { customer: customer.id.clone(), address: lost.address.clone() };
        turn.facts.push(Fact::Customer(invalid));
        turn.people.push(PeopleChange::OutOfReach(customer.id.clone(), lost));
        let thread = Thread::Reach { customer: customer.id.clone(), since: turn.at };
        let mark = LetterMark { kind: LetterKind::OutOfReach, number: 1 };
        let content = Content::OutOfReach { customer: customer.id.clone(), address: address.to_string() };
        let readers = self.readers(None, true);
        self.post(&readers, &thread, (mark, None), &content, turn);
    }

    fn is_in_reach(&self, customer: &Customer) -> bool {
        let contacts = self.people.by_mail(&customer.id).iter().filter_map(|contact| contact.email.as_ref());
        customer.email.iter().chain(contacts).any(|address| !self.mail.is_unreachable(address))
    }

    /// An address works again, or there are others.
    pub(crate) fn look_who_is_in_reach(&mut self, turn: &mut Turn) {
        if self.people.out_of_reach.is_empty() {
            return;
        }
        let is_back = |id: &&String| self.customers.get(*id).is_none_or(|customer| self.is_in_reach(customer));
        let back: Vec<String> = self.people.out_of_reach.keys().filter(is_back).cloned().collect();
        for customer in back {
            Arc::make_mut(&mut self.people.out_of_reach).remove(&customer);
            turn.facts.push(Fact::Customer(CustomerFact::ContactValid { customer: customer.clone() }));
            turn.people.push(PeopleChange::InReach(customer));
        }
    }
}
