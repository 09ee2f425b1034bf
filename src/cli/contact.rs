//! `ntuwatch customer` and `ntuwatch contact`.

use super::Failure;
use super::case::Who;
use super::client::{Client, encode};
use super::print::{Page, Table, elements, field, time};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

/// Show a customer with its people and contracts
#[derive(Args, Debug)]
pub(super) struct Customer {
    /// Its id
    id: String,
}

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Add a person of a customer, beside the inventory
    Add {
        #[command(flatten)]
        whose: Whose,
        #[command(flatten)]
        person: Person,
    },
    /// Change what is known of a person; an empty word takes away
    Change {
        #[command(flatten)]
        whose: Whose,
        #[command(flatten)]
        person: Person,
    },
    /// Switch a person off, whatever the inventory says
    Remove {
        #[command(flatten)]
        whose: Whose,
        #[command(flatten)]
        who: Who,
    },
}

#[derive(Args, Debug)]
pub(super) struct Whose {
    /// Id of the customer
    customer: String,
    /// Id of the person
    id: String,
}

#[derive(Args, Debug)]
pub(super) struct Person {
    /// As it is written
    #[arg(long)]
    name: Option<String>,
    /// Mail address: a known sender
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// Phone number
    #[arg(long, value_name = "NUMBER")]
    phone: Option<String>,
    /// Where he is
    #[arg(long, value_name = "PLACE")]
    address: Option<String>,
    /// primary, technical or escalation
    #[arg(long)]
    role: Option<String>,
    /// email or phone
    #[arg(long, value_name = "WAY")]
    prefers: Option<String>,
    /// Whether the customer's letters go there, too
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    letters: Option<bool>,
    #[command(flatten)]
    who: Who,
}

impl Person {
    fn fields(&self) -> Value {
        let mut fields = json!({ "by": self.who.by });
        let words = [
            ("name", &self.name),
            ("email", &self.email),
            ("phone", &self.phone),
            ("address", &self.address),
            ("role", &self.role),
            ("prefers", &self.prefers),
        ];
        for (key, word) in words {
            if let Some(word) = word {
                fields[key] = word.as_str().into();
            }
        }
        if let Some(letters) = self.letters {
            fields["letters"] = letters.into();
        }
        fields
    }
}

pub(super) fn perform(verb: &Verb, client: &Client, page: &mut Page) -> Result<(), Failure> {
    let contacts = |whose: &Whose| format!("/api/customers/{}/contacts", encode(&whose.customer));
    let body = match verb {
        Verb::Add { whose, person } => {
            let mut fields = person.fields();
            fields["id"] = whose.id.as_str().into();
            client.post(&contacts(whose), &fields)?
        }
        Verb::Change { whose, person } => {
            client.post(&format!("{}/{}", contacts(whose), encode(&whose.id)), &person.fields())?
        }
        Verb::Remove { whose, who } => {
            let path = format!("{}/{}/remove", contacts(whose), encode(&whose.id));
            client.post(&path, &json!({ "by": who.by }))?
        }
    };
    page.answer(&body, |page, done| {
        let contact = done.get("contact").unwrap_or(&Value::Null);
        Ok(page.line(&format!("{} of {}: {}", field(contact, "id"), field(done, "customer"), field(done, "done")))?)
    })
}

pub(super) fn show(customer: &Customer, client: &Client, page: &mut Page) -> Result<(), Failure> {
    let body = client.get(&format!("/api/customers/{}", encode(&customer.id)))?;
    page.answer(&body, |page, customer| {
        page.line(&format!("{}: {}", field(customer, "id"), field(customer, "name")))?;
        let list = |key: &str| {
            let words = elements(customer, key).iter().filter_map(Value::as_str);
            words.collect::<Vec<_>>().join(", ")
        };
        page.line(&format!("letters to  {}", list("email")))?;
        for (label, key) in
            [("phone", "phone"), ("address", "address"), ("surveys", "survey"), ("primary", "primary_contact")]
        {
            page.line(&format!("{label:10}  {}", field(customer, key)))?;
        }
        page.line(&format!("languages   {}", list("languages")))?;
        if let Some(lost) = customer.get("contact_invalid").filter(|lost| lost.is_object()) {
            let (since, address) = (time(lost, "since"), field(lost, "address"));
            page.line(&format!("CONTACT INVALID since {since}: {address} failed last, and no other address works"))?;
        }
        page.line("")?;
        let row = |contact: &Value, switched_off: bool| {
            let origin = match (switched_off, contact.get("changed_by").and_then(Value::as_str)) {
                (true, Some(_)) => format!("switched off by {}", field(contact, "changed_by")),
                (false, Some(_)) => {
                    format!("staff ({}, {})", field(contact, "changed_by"), time(contact, "changed_at"))
                }
                (_, None) => field(contact, "origin"),
            };
            let is_reader = contact.get("letters") == Some(&Value::Bool(true));
            [
                field(contact, "id"),
                field(contact, "name"),
                field(contact, "role"),
                field(contact, "email"),
                field(contact, "phone"),
                if is_reader { "yes" } else { "no" }.to_owned(),
                origin,
            ]
        };
        let there = elements(customer, "contacts").iter().map(|contact| row(contact, false));
        let removed = elements(customer, "removed_contacts").iter().map(|contact| row(contact, true));
        let mut table = Table::new(["CONTACT", "NAME", "ROLE", "EMAIL", "PHONE", "LETTERS", "SAYS"]);
        page.table(&mut table, there.chain(removed))?;
        page.line("")?;
        let contracts = elements(customer, "contracts").iter().map(|contract| {
            let valid = if contract.get("valid") == Some(&Value::Bool(true)) { "yes" } else { "no" };
            [field(contract, "id"), field(contract, "tier"), valid.to_owned(), time(contract, "ends_at")]
        });
        Ok(page.table(&mut Table::new(["CONTRACT", "TIER", "VALID", "ENDS"]), contracts)?)
    })
}
