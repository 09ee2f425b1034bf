//! What staff change of customers' people. It is kept beside the inventory and survives the next import: staff's word on a person
//! counts, and the inventory's on all others.

use super::customer::{Channel, Contact, ContactOrigin, ContactRole};
use crate::domain::plan::is_id;
use crate::domain::time::Time;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// People that staff may have changed, at the most.
pub const MAX_BESIDE: usize = 10_000;

/// What staff say of a person, by now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactChange {
    /// The person as a whole; its origin says who says so, and since when.
    pub contact: Contact,
    /// Whether there is no such person any more.
    pub removed: bool,
}

/// What staff want to do with a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContactVerb {
    /// Add one.
    Add,
    /// Change some of what is known.
    Change,
    /// Switch one off.
    Remove,
}

impl ContactVerb {
    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Change => "change",
            Self::Remove => "remove",
        }
    }
}

/// What staff say of a person; what is `None` stays as it is, and what is empty is taken away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContactDraft {
    /// As it is written.
    pub name: Option<String>,
    /// Mail address.
    pub email: Option<String>,
    /// Phone number.
    pub phone: Option<String>,
    /// Where he is.
    pub address: Option<String>,
    /// What for.
    pub role: Option<ContactRole>,
    /// By which way he wants to be spoken to.
    pub prefers: Option<Channel>,
    /// Whether he gets the customer's letters.
    pub letters: Option<bool>,
}

/// Why a person can't be changed like that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadContact {
    /// His id is none.
    BadId,
    /// Somebody has this id already.
    Taken,
    /// The customer has nobody with this id.
    Unknown,
    /// He has no name.
    Nameless,
    /// He has neither a mail address nor a phone number.
    NoWay,
    /// He prefers a way that he does not have.
    NoSuchWay(Channel),
    /// Staff have changed [`MAX_BESIDE`] already.
    TooMany,
}

impl fmt::Display for BadContact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadId => write!(f, "its id must be {}", crate::domain::plan::IdRule),
            Self::Taken => f.write_str("somebody has this id: change that one, or choose another id"),
            Self::Unknown => f.write_str("the customer has nobody with this id"),
            Self::Nameless => f.write_str("it needs a name"),
            Self::NoWay => f.write_str("it needs an email or a phone"),
            Self::NoSuchWay(way) => write!(f, "it prefers {0}, but has no {0}", way.name()),
            Self::TooMany => write!(f, "staff have changed {MAX_BESIDE} contacts: take them over into the inventory"),
        }
    }
}

/// The people of customers that are, and those whom staff have switched off: by their ids. Where the inventory gives an id that
/// staff know to another customer, it is another person's, and the inventory's word counts.
pub(in crate::domain) fn effective(
    listed: &[Contact],
    changes: &BTreeMap<String, ContactChange>,
) -> (Vec<Contact>, Vec<Contact>) {
    let mut all: BTreeMap<&str, (&Contact, bool)> =
        changes.iter().map(|(id, change)| (id.as_str(), (&change.contact, change.removed))).collect();
    for contact in listed {
        if all.get(contact.id.as_str()).is_none_or(|(changed, _)| changed.customer != contact.customer) {
            all.insert(&contact.id, (contact, false));
        }
    }
    let (mut there, mut removed) = (Vec::new(), Vec::new());
    for (contact, is_removed) in all.into_values() {
        if is_removed { removed.push(contact.clone()) } else { there.push(contact.clone()) }
    }
    (there, removed)
}

impl ContactDraft {
    /// The person that comes of it.
    ///
    /// # Errors
    /// Says why it can't be.
    pub(in crate::domain) fn applied(
        self,
        verb: ContactVerb,
        (customer, id): (&str, &str),
        known: Option<&Contact>,
        (by, at): (String, Time),
    ) -> Result<Contact, BadContact> {
        let origin = ContactOrigin::Staff { by, at };
        let blank = || Contact {
            id: id.into(),
            customer: customer.into(),
            name: String::new(),
            email: None,
            phone: None,
            address: None,
            role: ContactRole::Primary,
            prefers: Channel::Email,
            letters: false,
            origin: ContactOrigin::Inventory,
        };
        let before = match (verb, known) {
            (ContactVerb::Add, None) if is_id(id) => blank(),
            (ContactVerb::Add, None) => return Err(BadContact::BadId),
            (ContactVerb::Add, Some(_)) => return Err(BadContact::Taken),
            (ContactVerb::Change | ContactVerb::Remove, Some(known)) if known.customer == customer => known.clone(),
            (ContactVerb::Change | ContactVerb::Remove, _) => return Err(BadContact::Unknown),
        };
        let optional = |new: Option<String>, old| new.map_or(old, |new| (!new.is_empty()).then_some(new));
        let mut after = Contact {
            name: self.name.unwrap_or(before.name),
            email: optional(self.email, before.email),
            phone: optional(self.phone, before.phone),
            address: optional(self.address, before.address),
            role: self.role.unwrap_or(before.role),
            letters: self.letters.unwrap_or(before.letters),
            prefers: self.prefers.unwrap_or(before.prefers),
            id: before.id,
            customer: before.customer,
            origin,
        };
        if after.name.trim().is_empty() {
            return Err(BadContact::Nameless);
        }
        let has = |way| match way {
            Channel::Email => after.email.is_some(),
            Channel::Phone => after.phone.is_some(),
        };
        let Some(way) = Channel::ALL.into_iter().find(|&way| has(way)) else { return Err(BadContact::NoWay) };
        match self.prefers {
            Some(wanted) if !has(wanted) => Err(BadContact::NoSuchWay(wanted)),
            None if !has(after.prefers) => {
                after.prefers = way;
                Ok(after)
            }
            Some(_) | None => Ok(after),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time::from_millis(7);

    fn draft(name: &str, email: Option<&str>, phone: Option<&str>) -> ContactDraft {
        let text = |text: &str| Some(String::from(text));
        ContactDraft {
            name: text(name),
            email: email.and_then(text),
            phone: phone.and_then(text),
            ..Default::default()
        }
    }

    fn added(id: &str, customer: &str) -> Contact {
        let draft = draft(id, Some("x@acme.example"), None);
        draft.applied(ContactVerb::Add, (customer, id), None, ("ann".into(), NOW)).unwrap()
    }

    #[test]
    fn staff_say_of_a_person_what_they_know() {
        let say = |draft: ContactDraft, verb, id: &str, known: Option<&Contact>| {
            draft.applied(verb, ("acme", id), known, ("ann".into(), NOW))
        };
        let joe = say(draft("Joe", None, Some("1")), ContactVerb::Add, "joe", None).unwrap();
        assert_eq!((joe.prefers, joe.letters), (Channel::Phone, false), "the only way that he has");
        assert_eq!(joe.origin, ContactOrigin::Staff { by: "ann".into(), at: NOW });
        let mail = ContactDraft { email: Some("joe@acme.example".into()), ..Default::default() };
        let joe = say(mail, ContactVerb::Change, "joe", Some(&joe)).unwrap();
        assert_eq!((joe.name.as_str(), joe.phone.as_deref()), ("Joe", Some("1")), "what nobody speaks of stays");
        let mute = ContactDraft { phone: Some(String::new()), ..Default::default() };
        let joe = say(mute, ContactVerb::Change, "joe", Some(&joe)).unwrap();
        assert_eq!((joe.phone.as_deref(), joe.prefers), (None, Channel::Email));
        let phone = ContactDraft { prefers: Some(Channel::Phone), ..Default::default() };
        let nothing = ContactDraft { email: Some(String::new()), ..Default::default() };
        let other = Contact { customer: "bolt".into(), ..joe.clone() };
        let (none, some) = (ContactDraft::default, || draft("Joe", None, Some("1")));
        for (draft, verb, id, known, why) in [
            (phone, ContactVerb::Change, "joe", Some(&joe), BadContact::NoSuchWay(Channel::Phone)),
            (nothing, ContactVerb::Change, "joe", Some(&joe), BadContact::NoWay),
            (none(), ContactVerb::Add, "eve", None, BadContact::Nameless),
            (draft("Eve", None, None), ContactVerb::Add, "eve", None, BadContact::NoWay),
            (some(), ContactVerb::Add, "j:e", None, BadContact::BadId),
            (some(), ContactVerb::Add, "joe", Some(&joe), BadContact::Taken),
            (some(), ContactVerb::Change, "eve", None, BadContact::Unknown),
            (none(), ContactVerb::Remove, "joe", Some(&other), BadContact::Unknown),
        ] {
            assert_eq!(say(draft, verb, id, known), Err(why), "{verb:?} {id}");
        }
    }

    #[test]
    fn staffs_word_counts_but_not_on_somebody_else_of_that_name() {
        let listed = |id, customer| Contact { origin: ContactOrigin::Inventory, ..added(id, customer) };
        let all = [listed("a", "acme"), listed("b", "acme"), listed("c", "bolt")];
        let change =
            |id: &str, customer, removed| (String::from(id), ContactChange { contact: added(id, customer), removed });
        let changes = [change("b", "acme", true), change("c", "acme", false), change("d", "acme", false)];
        let (there, removed) = effective(&all, &changes.into_iter().collect());
        let ids = |contacts: &[Contact]| -> Vec<(String, bool)> {
            contacts.iter().map(|known| (known.id.clone(), known.origin == ContactOrigin::Inventory)).collect()
        };
        assert_eq!(ids(&there), [("a".into(), true), ("c".into(), true), ("d".into(), false)]);
        assert_eq!(ids(&removed), [("b".into(), false)]);
    }
}
