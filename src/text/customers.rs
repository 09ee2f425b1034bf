//! What happens between us and customers, beside their cases, in sentences.

use super::count::many;
use crate::domain::desk::Score;
use crate::domain::fact::CustomerFact;
use crate::domain::letter::Mail;
use crate::domain::party::{Contact, ContactVerb};

pub(super) fn customer_sentence(fact: &CustomerFact) -> String {
    match fact {
        CustomerFact::ContactChanged { verb, contact, by } => {
            let (id, customer) = (&contact.id, &contact.customer);
            match verb {
                ContactVerb::Add => format!("{by} added contact {id} of customer {customer}: {}.", ways(contact)),
                ContactVerb::Change => format!("{by} changed contact {id} of customer {customer}: {}.", ways(contact)),
                ContactVerb::Remove => format!("{by} switched contact {id} of customer {customer} off."),
            }
        }
        CustomerFact::ContactInvalid { customer, address } => {
            format!("Contact invalid: no letter reaches customer {customer}; {address} failed last.")
        }
        CustomerFact::ContactValid { customer } => format!("Letters may reach customer {customer} again."),
        CustomerFact::SurveySent { customer, lines, .. } => {
            let about =
                if *lines > 1 { format!(", in a letter about {}", many(*lines, "case")) } else { String::new() };
            format!("Customer {customer} is asked how it went{about}.")
        }
        CustomerFact::SurveyAnswered { customer, score, comment, .. } => {
            let comment = comment.as_ref().map(|comment| format!(": {comment}")).unwrap_or_else(|| ".".to_owned());
            format!("Customer {customer} gives {} of {}{comment}", score.number(), Score::BEST)
        }
    }
}

/// By which ways somebody can be spoken to.
fn ways(contact: &Contact) -> String {
    let ways: Vec<&str> = [&contact.email, &contact.phone].into_iter().flatten().map(String::as_str).collect();
    let letters = if contact.letters { ", gets letters" } else { "" };
    format!("{}, {} ({}{letters})", contact.name, ways.join(", "), contact.role.name())
}

/// A letter in the words in which it was written first, and why it comes to somebody else.
pub(super) fn passed_on(from: &str, original: &Mail) -> [String; 2] {
    let why = format!(
        "This letter was for {from}, where no mail can be delivered at present. Please see that it reaches whom it \
         concerns, and tell us the right address by answering it."
    );
    [original.subject.clone(), format!("{why}\n\n{}", original.body)]
}

/// The letter to our own about a customer whom no letter reaches.
pub(super) fn about_reach(customer: &str, address: &str) -> String {
    format!(
        "No letter reaches customer {customer}: {address} failed last, and nobody of theirs is left whose address works.\n\n\
         What the customer should have been told is on his cases. Find somebody by phone, and add an address that works:\n\n  \
         ntuwatch contact add {customer} ID --name NAME --email ADDRESS --letters\n\nUntil then repairs that come late are \
         not held against us in `ntuwatch report sla`.\n"
    )
}
