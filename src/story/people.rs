//! The lines of a story about people: staff, rules, shifts, contracts and languages.

use super::draft::Keys;
use crate::domain::desk::{Conditions, FaultKind, Level, Priority, Roster, Routing, Rule, SurveyRules};
use crate::domain::notice::{MAX_STEPS, Takes, Way};
use crate::domain::party::{
    Asked, Centre, Channel, Contact, ContactDraft, ContactOrigin, ContactRole, Contract, Grade, Language, Parties,
    Staff, Standing, Team, Tier,
};
use crate::domain::time::Time;
use crate::text::parse_duration as duration;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

const DAY_MS: i64 = 24 * 3_600 * 1_000;

/// Whom the story names.
#[derive(Default)]
pub(super) struct People {
    parties: Parties,
    roster: Roster,
    languages: BTreeMap<String, Vec<Language>>,
    survey: BTreeMap<String, Asked>,
    /// For how long a survey can be answered; without that, nobody is asked.
    surveys: Option<Duration>,
}

impl People {
    /// Takes a line, if it is about people.
    pub(super) fn take(
        &mut self,
        words: &[&str],
        pairs: impl Fn(&[&str]) -> Result<(), String>,
    ) -> Result<bool, String> {
        let keys = |words: &[&str]| pairs(words);
        match words {
            ["staff" | "route" | "contract" | "contact" | "customer", _, rest @ ..] | ["routing", rest @ ..] => {
                keys(rest)?
            }
            ["shift" | "surveys" | "notify", ..] => {}
            ["messenger", _, rest @ ..] => keys(rest)?,
            [..] => return Ok(false),
        }
        match words {
            ["messenger", name, rest @ ..] => self.messenger(name, &split(rest))?,
            ["notify", reader, steps @ ..] if !steps.is_empty() => self.notify(reader, steps)?,
            ["notify", ..] => return Err("write: notify READER MESSENGER|mail[+MESSENGER|mail] …".into()),
            ["shift", centre, at] => self.shift(centre, at)?,
            ["surveys", valid_for] => self.surveys = Some(duration(valid_for)?),
            ["surveys", ..] => return Err("write: surveys 30d".into()),
            ["staff", id, rest @ ..] => self.staff(id, &split(rest))?,
            ["route", name, rest @ ..] => self.route(name, &split(rest))?,
            ["contract", id, rest @ ..] => self.contract(id, &split(rest))?,
            ["contact", id, rest @ ..] => self.contact(id, &split(rest))?,
            ["customer", id, rest @ ..] => {
                let keys = split(rest);
                known(&keys, &["languages", "survey"])?;
                self.languages.insert((*id).to_owned(), languages(&keys)?);
                if let Some(text) = keys.get("survey") {
                    let usage = || format!("{text:?} is no preference: use never, every, every-3rd or monthly");
                    let asked = Asked::parse(&text.replace('-', " ")).ok_or_else(usage)?;
                    self.survey.insert((*id).to_owned(), asked);
                }
            }
            ["routing", rest @ ..] => self.routing(&split(rest))?,
            [..] => return Err("write: shift CENTRE TIME".into()),
        }
        Ok(true)
    }

    /// Languages of a customer.
    pub(super) fn languages(&self, customer: &str) -> Vec<Language> {
        self.languages.get(customer).cloned().unwrap_or_default()
    }

    /// How often a customer is asked.
    pub(super) fn survey(&self, customer: &str) -> Asked {
        self.survey.get(customer).copied().unwrap_or_default()
    }

    /// How customers are asked, if they are.
    pub(super) fn surveys(&self) -> Option<Arc<SurveyRules>> {
        let rules = |valid_for| SurveyRules { base_url: "https://care.example.net".to_owned(), valid_for };
        self.surveys.map(rules).map(Arc::new)
    }

    /// Whether it names this one.
    pub(super) fn has(&self, staff: &str) -> bool {
        self.parties.staff.contains_key(staff)
    }

    /// Whether it has this messenger.
    pub(super) fn has_messenger(&self, name: &str) -> bool {
        self.parties.ways.messengers.contains_key(name)
    }

    /// Whether it names this contract.
    pub(super) fn has_contract(&self, id: &str) -> bool {
        self.parties.contracts.values().any(|contract| contract.id == id)
    }

    /// All of it.
    pub(super) fn finish(mut self) -> (Arc<Parties>, Roster) {
        if self.parties != Parties::default() {
            self.parties.routing.management.push("management@example.net".to_owned());
        }
        self.roster.sort();
        (Arc::new(self.parties), self.roster)
    }

    fn shift(&mut self, centre: &str, at: &str) -> Result<(), String> {
        let id = centre.to_owned();
        let centre = Centre { id: id.clone(), name: id.clone(), time_zone: "UTC".into(), languages: Vec::new() };
        self.parties.centres.insert(id.clone(), centre);
        self.roster.push((Time::from_millis(0) + duration(at)?, id));
        Ok(())
    }

    fn staff(&mut self, id: &str, keys: &Keys<'_>) -> Result<(), String> {
        known(keys, &["team", "tier", "skills", "languages", "territory", "products", "manager", "centre"])?;
        let get = |key| keys.get(key).map(|&text| text.to_owned());
        let staff = Staff {
            id: id.to_owned(),
            name: id.to_owned(),
            email: format!("{id}@example.net"),
            phone: None,
            team: get("team"),
            grade: grade(keys)?.unwrap_or(Grade::T1),
            skills: list(keys, "skills"),
            languages: languages(keys)?,
            territory: list(keys, "territory"),
            products: list(keys, "products"),
            manager: get("manager"),
            centre: get("centre"),
        };
        staff.team.iter().for_each(|team| self.team(team));
        self.parties.staff.insert(id.to_owned(), Arc::new(staff));
        Ok(())
    }

    fn messenger(&mut self, name: &str, keys: &Keys<'_>) -> Result<(), String> {
        known(keys, &["takes"])?;
        let takes = match keys.get("takes").copied() {
            None | Some("everything") => Takes::Everything,
            Some("incidents") => Takes::Incidents,
            Some("alerts") => Takes::Alerts,
            Some(other) => return Err(format!("{other:?} is none of everything, incidents, alerts")),
        };
        self.parties.ways.messengers.insert(name.to_owned(), takes);
        Ok(())
    }

    /// By which channels a reader hears of things; messengers stand above.
    fn notify(&mut self, reader: &str, steps: &[&str]) -> Result<(), String> {
        let messengers = &self.parties.ways.messengers;
        let way = |name: &str| match name {
            "mail" => Ok(Way::Mail),
            _ if messengers.contains_key(name) => Ok(Way::Messenger(name.to_owned())),
            _ => Err(format!("{name:?} is no messenger of this story")),
        };
        let step = |step: &&str| step.split('+').map(way).collect::<Result<Vec<_>, _>>();
        let steps = steps.iter().map(step).collect::<Result<Vec<_>, _>>()?;
        if steps.len() > MAX_STEPS {
            return Err(format!("at most {MAX_STEPS} channels one after the other"));
        }
        self.parties.ways.of.insert(format!("{reader}@example.net"), steps);
        Ok(())
    }

    fn team(&mut self, id: &str) {
        let team = Team { id: id.to_owned(), name: id.to_owned(), grade: Grade::T1, domain: None };
        self.parties.teams.entry(id.to_owned()).or_insert(team);
    }

    fn route(&mut self, name: &str, keys: &Keys<'_>) -> Result<(), String> {
        const KEYS: [&str; 13] = [
            "priority",
            "customer_tier",
            "contract",
            "service",
            "region",
            "supplier",
            "fault",
            "level",
            "after",
            "team",
            "tier",
            "skill",
            "language",
        ];
        known(keys, &KEYS)?;
        let get = |key| keys.get(key).map(|&text| text.to_owned());
        let level = keys.get("level").map(|&name| one(name, &Level::ALL, Level::name)).transpose()?;
        let when = Conditions {
            priority: each(keys, "priority", |name| one(name, &Priority::ALL, Priority::name))?,
            tier: each(keys, "customer_tier", |name| one(name, &Tier::ALL, Tier::name))?,
            contract: each(keys, "contract", |name| one(name, &Standing::ALL, Standing::name))?,
            service: list(keys, "service"),
            region: list(keys, "region"),
            supplier: list(keys, "supplier"),
            fault: each(keys, "fault", |name| {
                FaultKind::parse(name).ok_or_else(|| format!("{name:?} is no kind of fault"))
            })?,
            level,
            after: keys.get("after").map(|after| duration(after)).transpose()?,
        };
        let language = languages(&keys.get("language").map(|&code| ("languages", code)).into_iter().collect())?.pop();
        let rule =
            Rule { name: name.to_owned(), when, team: get("team"), grade: grade(keys)?, skill: get("skill"), language };
        rule.team.iter().for_each(|team| self.team(team));
        self.parties.routing.rules.push(rule);
        Ok(())
    }

    fn contract(&mut self, id: &str, keys: &Keys<'_>) -> Result<(), String> {
        known(keys, &["customer", "tier", "until", "services"])?;
        let customer = (*keys.get("customer").ok_or("a contract needs customer=…")?).to_owned();
        let until = duration(keys.get("until").ok_or("a contract needs until=30d")?)?;
        let tier = keys.get("tier").map(|&name| one(name, &Tier::ALL, Tier::name)).transpose()?;
        let ends = Time::from_millis(0) + until;
        let contract = Contract {
            id: id.to_owned(),
            customer: customer.clone(),
            services: list(keys, "services"),
            tier: tier.unwrap_or(Tier::Standard),
            last_day: (ends.as_millis() - 1).div_euclid(DAY_MS),
            ends,
        };
        self.parties.contracts.insert((customer, id.to_owned()), contract);
        Ok(())
    }

    fn contact(&mut self, id: &str, keys: &Keys<'_>) -> Result<(), String> {
        let (customer, draft) = contact(id, keys)?;
        let contact = Contact {
            id: id.to_owned(),
            customer,
            name: id.to_owned(),
            email: draft.email,
            phone: draft.phone,
            address: None,
            role: draft.role.unwrap_or(ContactRole::Primary),
            prefers: draft.prefers.unwrap_or(Channel::Email),
            letters: draft.letters.unwrap_or(false),
            origin: ContactOrigin::Inventory,
        };
        self.parties.contacts.push(contact);
        self.parties.contacts.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(())
    }

    fn routing(&mut self, keys: &Keys<'_>) -> Result<(), String> {
        known(
            keys,
            &["sales", "escalate_after", "escalation_team", "second_after", "development_team", "contract_notice"],
        )?;
        let get = |key| keys.get(key).map(|&text| text.to_owned());
        let length = |key| keys.get(key).map(|text| duration(text)).transpose();
        let rules = std::mem::take(&mut self.parties.routing.rules);
        self.parties.routing = Routing {
            rules,
            management: Vec::new(),
            escalate_after: length("escalate_after")?,
            escalation_team: get("escalation_team"),
            second_after: length("second_after")?,
            development_team: get("development_team"),
            contract_notice: length("contract_notice")?,
        };
        if let Some(sales) = get("sales") {
            self.team(&sales);
            self.parties.routing.rules.insert(0, Rule::lapsed(sales));
        }
        Ok(())
    }
}

/// A person of a customer: whose, and what is known.
pub(super) fn contact(id: &str, keys: &Keys<'_>) -> Result<(String, ContactDraft), String> {
    known(keys, &["customer", "email", "phone", "role", "prefers", "letters"])?;
    let get = |key| keys.get(key).map(|&text| text.to_owned());
    let draft = ContactDraft {
        name: Some(id.to_owned()),
        email: get("email"),
        phone: get("phone"),
        address: None,
        role: keys.get("role").map(|&name| one(name, &ContactRole::ALL, ContactRole::name)).transpose()?,
        prefers: keys.get("prefers").map(|&name| one(name, &Channel::ALL, Channel::name)).transpose()?,
        letters: keys.get("letters").map(|&word| word == "yes"),
    };
    Ok((get("customer").ok_or("a contact needs customer=…")?, draft))
}

pub(super) fn split<'a>(words: &[&'a str]) -> Keys<'a> {
    words.iter().filter_map(|word| word.split_once('=')).collect()
}

fn known(keys: &Keys<'_>, all: &[&str]) -> Result<(), String> {
    match keys.keys().find(|key| !all.contains(key)) {
        Some(key) => Err(format!("unknown key {key:?}: use {}", all.join(", "))),
        None => Ok(()),
    }
}

fn list(keys: &Keys<'_>, key: &str) -> Vec<String> {
    keys.get(key).into_iter().flat_map(|text| text.split(',')).map(str::to_owned).collect()
}

fn each<T>(keys: &Keys<'_>, key: &str, read: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, String> {
    keys.get(key).into_iter().flat_map(|text| text.split(',')).map(read).collect()
}

pub(super) fn one<T: Copy>(name: &str, all: &[T], name_of: fn(T) -> &'static str) -> Result<T, String> {
    let names: Vec<_> = all.iter().map(|&known| name_of(known)).collect();
    let found = all.iter().copied().find(|&known| name_of(known) == name);
    found.ok_or_else(|| format!("{name:?} is none of {}", names.join(", ")))
}

fn languages(keys: &Keys<'_>) -> Result<Vec<Language>, String> {
    each(keys, "languages", |code| Language::parse(code).ok_or_else(|| format!("{code:?} is no language")))
}

fn grade(keys: &Keys<'_>) -> Result<Option<Grade>, String> {
    let Some(&text) = keys.get("tier") else { return Ok(None) };
    let found = Grade::ALL.into_iter().find(|grade| grade.number().to_string() == text);
    found.map(Some).ok_or_else(|| format!("{text:?} is no tier: use 1, 2 or 3"))
}
