//! The people and companies that cases are about, and our own who work on them.

mod beside;
mod contract;
mod customer;
mod language;
mod staff;

pub(in crate::domain) use beside::effective;
pub use beside::{BadContact, ContactChange, ContactDraft, ContactVerb, MAX_BESIDE};
pub use contract::{Contract, Standing, Tier};
pub use customer::{Asked, Channel, Contact, ContactOrigin, ContactRole, Customer, Supplier};
pub use language::Language;
pub use staff::{Centre, Grade, MAX_STAFF, Staff, Team};

use super::desk::Routing;
use super::notice::Ways;
use super::time::Time;
use super::watch::Circuit;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// Everybody but the customers themselves, and by which rules work is given out. Empty where the operator names nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parties {
    /// People of customers, in the order of their ids.
    pub contacts: Vec<Contact>,
    /// Those whom staff have switched off.
    pub removed: Vec<Contact>,
    /// By customer and id.
    pub contracts: BTreeMap<(String, String), Contract>,
    /// By id.
    pub suppliers: BTreeMap<String, Supplier>,
    /// By id.
    pub staff: BTreeMap<String, Arc<Staff>>,
    /// By id.
    pub teams: BTreeMap<String, Team>,
    /// By id.
    pub centres: BTreeMap<String, Centre>,
    /// What orders name, by unit. Most name nothing, so it is not with the units, of which there may be a million.
    pub sites: BTreeMap<String, Site>,
    /// How work is given out.
    pub routing: Routing,
    /// By which ways our own hear of things.
    pub ways: Ways,
}

/// What an order names beside its unit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Site {
    /// Id of the contract that covers it.
    pub contract: Option<String>,
    /// Id of the local point of contact (R18).
    pub lpoc: Option<String>,
}

impl Parties {
    /// The contract that covers a unit: the one that its order names, or else the best of its customer's that covers its
    /// service, one that is valid at `now` before one that is not.
    #[must_use]
    pub fn contract(&self, unit: &str, circuit: &Circuit, now: Time) -> Option<&Contract> {
        if self.contracts.is_empty() {
            return None;
        }
        let customer: &String = &circuit.customer;
        if let Some(id) = self.sites.get(unit).and_then(|site| site.contract.as_ref()) {
            return self.contracts.get(&(customer.clone(), id.clone()));
        }
        let range = (customer.clone(), String::new());
        let theirs =
            self.contracts.range(range..).take_while(|((of, _), _)| of == customer).map(|(_, contract)| contract);
        theirs
            .filter(|contract| contract.covers(&circuit.terms.service))
            .max_by_key(|contract| (contract.is_valid(now), core::cmp::Reverse(contract.tier), contract.ends))
    }

    /// A customer's contracts, by id.
    pub fn contracts_of<'a>(&'a self, customer: &'a str) -> impl Iterator<Item = &'a Contract> {
        let from = (String::from(customer), String::new());
        self.contracts.range(from..).take_while(move |((of, _), _)| of == customer).map(|(_, contract)| contract)
    }

    /// How a customer stands with us as to a unit, and in which tier: only a contract that is valid gives one (R69).
    #[must_use]
    pub fn standing(&self, unit: &str, circuit: &Circuit, now: Time) -> (Standing, Tier) {
        match self.contract(unit, circuit, now) {
            None => (Standing::None, Tier::Standard),
            Some(contract) if contract.is_valid(now) => (Standing::Valid, contract.tier),
            Some(_) => (Standing::Lapsed, Tier::Standard),
        }
    }

    /// The local point of contact of a unit, if its order names one (R18).
    #[must_use]
    pub fn lpoc(&self, unit: &str) -> Option<&Contact> {
        let id = self.sites.get(unit)?.lpoc.as_deref()?;
        let place = self.contacts.binary_search_by(|contact| contact.id.as_str().cmp(id)).ok()?;
        self.contacts.get(place)
    }

    /// A customer's people, by id.
    pub fn contacts_of<'a>(&'a self, customer: &'a str) -> impl Iterator<Item = &'a Contact> {
        self.contacts.iter().filter(move |contact| contact.customer == customer)
    }

    /// The one of a customer's people who is for everything: the first in the order of their ids (R86).
    #[must_use]
    pub fn primary_contact(&self, customer: &str) -> Option<&Contact> {
        let is_it = |contact: &&Contact| contact.customer == customer && contact.role == ContactRole::Primary;
        self.contacts.iter().find(is_it)
    }

    /// Moves what is planned by the wall clock, of which the timeline is `offset_ms` behind.
    pub(super) fn move_back(&mut self, offset_ms: i64) {
        for contract in self.contracts.values_mut() {
            contract.ends = Time::from_millis(contract.ends.as_millis().saturating_sub(offset_ms));
        }
    }
}
