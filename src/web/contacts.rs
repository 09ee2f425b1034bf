//! Customers and their people: what the inventory says, and what staff change beside it.

use super::Web;
use super::api::{good, named, segment};
use super::desk::{actor, ask, may_change, read_json};
use super::doors::Caller;
use super::parties::ContractForm;
use super::problem::{Problem, json};
use super::scene::Scene;
use crate::domain::party::{Channel, Contact, ContactDraft, ContactOrigin, ContactRole, ContactVerb};
use crate::domain::turn::{Done, Wish};
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, State};
use axum::http::{Request, StatusCode};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The longest word about a person, in characters.
pub const MAX_WORD: usize = 200;

#[derive(Serialize)]
pub(super) struct ContactForm {
    id: String,
    name: String,
    role: &'static str,
    prefers: &'static str,
    email: Option<String>,
    phone: Option<String>,
    address: Option<String>,
    letters: bool,
    /// Who says so: the inventory, or staff.
    origin: &'static str,
    changed_by: Option<String>,
    changed_at: Option<String>,
}

impl ContactForm {
    pub(super) fn new(contact: &Contact, scene: &Scene) -> Self {
        let (changed_by, changed_at) = match &contact.origin {
            ContactOrigin::Inventory => (None, None),
            ContactOrigin::Staff { by, at } => (Some(by.clone()), scene.stamp(*at)),
        };
        Self {
            id: contact.id.clone(),
            name: contact.name.clone(),
            role: contact.role.name(),
            prefers: contact.prefers.name(),
            email: contact.email.clone(),
            phone: contact.phone.clone(),
            address: contact.address.clone(),
            letters: contact.letters,
            origin: contact.origin.name(),
            changed_by,
            changed_at,
        }
    }
}

/// Since when no letter reaches a customer.
#[derive(Serialize)]
pub(super) struct OutOfReachForm {
    since: Option<String>,
    address: String,
}

impl OutOfReachForm {
    /// That of a customer, if it is so.
    pub(super) fn of(customer: &str, scene: &Scene) -> Option<Self> {
        let lost = scene.out_of_reach.get(customer)?;
        Some(Self { since: scene.stamp(lost.since), address: lost.address.clone() })
    }
}

#[derive(Serialize)]
struct CustomerForm {
    id: String,
    name: String,
    email: Vec<String>,
    phone: Option<String>,
    address: Option<String>,
    languages: Vec<String>,
    survey: String,
    primary_contact: Option<String>,
    /// Since when no letter reaches it, if that is so.
    contact_invalid: Option<OutOfReachForm>,
    contacts: Vec<ContactForm>,
    /// Those whom staff have switched off.
    removed_contacts: Vec<ContactForm>,
    contracts: Vec<ContractForm>,
}

/// `/api/customers/{id}`: a customer with its people and contracts.
pub(super) async fn customer(
    State(web): State<Arc<Web>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let (id, scene) = (segment(id)?, web.scene());
    let Some(customer) = scene.customers.get(&id) else {
        return Err(Problem::unknown(format!("the configuration has no [[customer]] {id:?}")));
    };
    let form = |contact: &Contact| ContactForm::new(contact, &scene);
    let removed = scene.parties.removed.iter().filter(|contact| contact.customer == id);
    good(&CustomerForm {
        name: customer.name.clone(),
        email: customer.email.clone(),
        phone: customer.phone.clone(),
        address: customer.address.clone(),
        languages: customer.languages.iter().map(ToString::to_string).collect(),
        survey: customer.survey.to_string(),
        primary_contact: scene.parties.primary_contact(&id).map(|contact| contact.id.clone()),
        contact_invalid: OutOfReachForm::of(&id, &scene),
        contacts: scene.parties.contacts_of(&id).map(form).collect(),
        removed_contacts: removed.map(form).collect(),
        contracts: scene.parties.contracts_of(&id).map(|contract| ContractForm::new(contract, &scene)).collect(),
        id,
    })
}

/// What is said of a person; what is left out stays as it is, and an empty word takes away.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Person {
    by: Option<String>,
    /// Only of one who is new.
    id: Option<String>,
    name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    address: Option<String>,
    role: Option<String>,
    prefers: Option<String>,
    letters: Option<bool>,
}

/// Body of `…/remove`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Remove {
    by: Option<String>,
}

impl Person {
    fn draft(self) -> Result<ContactDraft, Problem> {
        let known = |text: Option<String>, key| text.map(|text| word(key, text)).transpose();
        let role = |name: String| named("role", &name, ContactRole::ALL, ContactRole::name);
        let way = |name: String| named("prefers", &name, Channel::ALL, Channel::name);
        Ok(ContactDraft {
            name: known(self.name, "name")?,
            email: self.email.map(email).transpose()?,
            phone: known(self.phone, "phone")?,
            address: known(self.address, "address")?,
            role: self.role.map(role).transpose()?,
            prefers: self.prefers.map(way).transpose()?,
            letters: self.letters,
        })
    }
}

fn word(key: &str, text: String) -> Result<String, Problem> {
    if text.chars().count() > MAX_WORD || text.chars().any(char::is_control) {
        return Err(Problem::bad(format!("{key:?} has to be up to {MAX_WORD} characters without control characters")));
    }
    Ok(text.trim().to_owned())
}

/// As the configuration reads one.
fn email(text: String) -> Result<String, Problem> {
    let text = word("email", text)?;
    if !text.is_empty() && text.parse::<lettre::Address>().is_err() {
        return Err(Problem::bad(format!("\"email\" is {text:?}, which is no bare mail address")));
    }
    Ok(text)
}

/// `POST /api/customers/{id}/contacts`: adds a person.
pub(super) async fn add(
    State(web): State<Arc<Web>>,
    Extension(caller): Extension<Caller>,
    customer: Result<Path<String>, PathRejection>,
    request: Request<Body>,
) -> Result<Response, Problem> {
    may_change(caller, request.headers(), web.services.token.as_ref())?;
    let customer = segment(customer)?;
    let mut person: Person = read_json(request).await?;
    let (by, id) = (person.by.take(), person.id.take());
    let id = id.ok_or_else(|| Problem::bad("say which id the contact is to have: add \"id\""))?;
    let by = actor(&web, caller, by).await?;
    change(&web, by, ContactVerb::Add, (customer, id), person.draft()?).await
}

/// `POST /api/customers/{id}/contacts/{contact}`: changes what is known of one.
pub(super) async fn edit(
    State(web): State<Arc<Web>>,
    Extension(caller): Extension<Caller>,
    whose: Result<Path<(String, String)>, PathRejection>,
    request: Request<Body>,
) -> Result<Response, Problem> {
    may_change(caller, request.headers(), web.services.token.as_ref())?;
    let whose = pair(whose)?;
    let mut person: Person = read_json(request).await?;
    if person.id.is_some() {
        return Err(Problem::bad("the id of a contact stays: remove this one and add another"));
    }
    let by = actor(&web, caller, person.by.take()).await?;
    change(&web, by, ContactVerb::Change, whose, person.draft()?).await
}

/// `POST /api/customers/{id}/contacts/{contact}/remove`: switches one off.
pub(super) async fn remove(
    State(web): State<Arc<Web>>,
    Extension(caller): Extension<Caller>,
    whose: Result<Path<(String, String)>, PathRejection>,
    request: Request<Body>,
) -> Result<Response, Problem> {
    may_change(caller, request.headers(), web.services.token.as_ref())?;
    let whose = pair(whose)?;
    let Remove { by } = read_json(request).await?;
    let by = actor(&web, caller, by).await?;
    change(&web, by, ContactVerb::Remove, whose, ContactDraft::default()).await
}

fn pair(whose: Result<Path<(String, String)>, PathRejection>) -> Result<(String, String), Problem> {
    whose.map(|Path(pair)| pair).map_err(|_| Problem::bad("this path is not UTF-8"))
}

#[derive(Serialize)]
struct Changed {
    done: &'static str,
    customer: String,
    contact: ContactForm,
}

async fn change(
    web: &Web,
    by: String,
    verb: ContactVerb,
    (customer, id): (String, String),
    draft: ContactDraft,
) -> Result<Response, Problem> {
    let wish = Wish::Contact { verb, customer, id, draft: Box::new(draft) };
    let Done::Contact(contact) = ask(web, by, wish).await? else {
        unreachable!("who changes a contact is given a contact")
    };
    let status = if verb == ContactVerb::Add { StatusCode::CREATED } else { StatusCode::OK };
    let form = ContactForm::new(&contact, &web.scene());
    Ok(json(status, &Changed { done: verb.name(), customer: contact.customer, contact: form }))
}
