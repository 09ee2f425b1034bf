//! Everybody but the customers: their people and contracts, suppliers, staff, teams and centres.

use super::check::{self, Checked, shown};
use super::fault::{Place, Report};
use super::form;
use super::links::index;
use super::messengers::{self, Steps};
use super::section::Section;
use super::shifts::{self, CentreShifts};
use crate::domain::party::{
    Centre, Channel, Contact, ContactOrigin, ContactRole, Contract, Grade, Language, MAX_STAFF, Parties, Site, Staff,
    Supplier, Team, Tier,
};
use crate::domain::time::Time;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// What was read so far.
#[derive(Default)]
pub(super) struct Book {
    contacts: Vec<(Contact, Place)>,
    contracts: Vec<(Contract, Place)>,
    suppliers: Vec<(Supplier, Place)>,
    staff: Vec<(Member, Place)>,
    teams: Vec<(Team, Place)>,
    centres: Vec<(Centre, CentreShifts, [Place; 2])>,
    sites: Vec<(String, String, Site, [Place; 2])>,
    mentions: Vec<Mention>,
    /// By which ways teams hear of things, by their ids.
    ways_of_teams: Vec<(String, Steps)>,
}

/// One of the staff, whose tier may be that of the team.
struct Member {
    staff: Staff,
    grade: Option<Grade>,
    /// By which ways he hears of things, if he says so himself.
    ways: Option<Steps>,
}

/// What may be named elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Named {
    Customer,
    Staff,
    Team,
    Centre,
}

impl Named {
    const fn table(self) -> &'static str {
        match self {
            Self::Customer => "[[customer]]",
            Self::Staff => "[[staff]]",
            Self::Team => "[[team]]",
            Self::Centre => "[[centre]]",
        }
    }
}

/// Something that is named, and where.
struct Mention {
    key: &'static str,
    what: Named,
    id: String,
    place: Place,
}

/// What `words` calls one of `all`.
pub(super) fn one_of<T: Copy>(value: &str, all: &[T], name: impl Fn(T) -> &'static str) -> Checked<T> {
    all.iter().copied().find(|&known| name(known) == value).ok_or_else(|| {
        let known: Vec<&str> = all.iter().map(|&known| name(known)).collect();
        format!("is {}{}: write one of {}", shown(value), form::nearest(value, &known), known.join(", "))
    })
}

/// A language by its code.
pub(super) fn language(value: &str) -> Checked<Language> {
    let usage = "write two small letters of ISO 639-1, such as \"en\"";
    Language::parse(value).ok_or_else(|| format!("is {}, which is no language: {usage}", shown(value)))
}

fn owned(value: &str) -> Checked<String> {
    check::text(value)
}

/// The texts of a list without their places.
pub(super) fn list<T>(section: &Section<'_>, key: &str, check: impl Fn(&str) -> Checked<T>) -> Vec<T> {
    section.list(key, check).into_iter().map(|(item, _)| item).collect()
}

pub(super) fn grade(section: &Section<'_>) -> Option<Grade> {
    let number: Option<u8> = section.integer("tier", 1..=3);
    number.and_then(|number| Grade::ALL.into_iter().find(|grade| grade.number() == number))
}

impl Book {
    /// Reads the tables of a TOML file.
    pub(super) fn read_tables(&mut self, root: &Section<'_>) {
        for section in root.sections("contact", form::CONTACT) {
            let contact = self.contact(&section);
            self.contacts.push((contact, section.place("id")));
        }
        for section in root.sections("contract", form::CONTRACT) {
            let contract = self.contract(&section);
            self.contracts.push((contract, section.place("id")));
        }
        for section in root.sections("supplier", form::SUPPLIER) {
            self.suppliers.push((supplier(&section), section.place("id")));
        }
        for section in root.sections("team", form::TEAM) {
            let team = team(&section);
            if section.has("notify") {
                self.ways_of_teams.push((team.id.clone(), section.list("notify", messengers::step)));
            }
            self.teams.push((team, section.place("id")));
        }
        for section in root.sections("staff", form::STAFF) {
            let member = self.member(&section);
            self.staff.push((member, section.place("id")));
        }
        for section in root.sections("centre", form::CENTRE) {
            let (centre, shifts) = centre(&section);
            self.centres.push((centre, shifts, [section.place("id"), section.place("shifts")]));
        }
    }

    /// What a unit's order names, if it names anything.
    pub(super) fn site(&mut self, section: &Section<'_>, customer: &str) {
        let site = Site { contract: section.parse("contract", check::id), lpoc: section.parse("lpoc", check::id) };
        if site != Site::default() {
            // A faulty id is complained of where the unit is read.
            let unit = section.parse("id", |id| Ok(id.to_owned())).unwrap_or_default();
            let places = [section.place("contract"), section.place("lpoc")];
            self.sites.push((unit, customer.to_owned(), site, places));
        }
    }

    /// The id at `key`, which is to be looked up when all files are read.
    pub(super) fn mention(&mut self, section: &Section<'_>, key: &'static str, what: Named) -> Option<String> {
        let id = section.parse(key, check::id)?;
        self.mentions.push(Mention { key, what, id: id.clone(), place: section.place(key) });
        Some(id)
    }

    fn needed(&mut self, section: &Section<'_>, key: &'static str, what: Named) -> String {
        if section.has(key) {
            return self.mention(section, key, what).unwrap_or_default();
        }
        section.require(key, check::id).unwrap_or_default()
    }

    fn contact(&mut self, section: &Section<'_>) -> Contact {
        let (email, phone) = (section.parse("email", check::email), section.parse("phone", owned));
        if !section.has("email") && !section.has("phone") {
            section.fault("email", "`email` and `phone` are both missing: a contact can be spoken to by one of them");
        }
        let usual = if section.has("email") { Channel::Email } else { Channel::Phone };
        let prefers = section.parse("prefers", |value| one_of(value, &Channel::ALL, Channel::name)).unwrap_or(usual);
        if section.has("letters") && !section.has("email") {
            section.fault("letters", "`letters` is of no use without `email`: add it, or remove `letters`");
        }
        if section.has("prefers") && !section.has(prefers.name()) {
            section.fault("prefers", format!("`prefers` is {:?}, but there is no `{0}`: add it", prefers.name()));
        }
        Contact {
            id: section.require("id", check::id).unwrap_or_default(),
            customer: self.needed(section, "customer", Named::Customer),
            name: section.require("name", owned).unwrap_or_default(),
            email,
            phone,
            address: section.parse("address", owned),
            letters: section.flag("letters", false),
            origin: ContactOrigin::Inventory,
            role: section
                .parse("role", |value| one_of(value, &ContactRole::ALL, ContactRole::name))
                .unwrap_or(ContactRole::Primary),
            prefers,
        }
    }

    fn contract(&mut self, section: &Section<'_>) -> Contract {
        let last = section.require_date("valid_until");
        let midnight = last.and_then(|last| last.tomorrow().ok()).and_then(|day| day.to_zoned(TimeZone::UTC).ok());
        let ends = midnight.map_or(0, |midnight| midnight.timestamp().as_millisecond());
        Contract {
            id: section.require("id", check::id).unwrap_or_default(),
            customer: self.needed(section, "customer", Named::Customer),
            services: list(section, "services", owned),
            tier: section.parse("tier", |value| one_of(value, &Tier::ALL, Tier::name)).unwrap_or(Tier::Standard),
            last_day: ends / DAY_MS - 1,
            ends: Time::from_millis(ends),
        }
    }

    fn member(&mut self, section: &Section<'_>) -> Member {
        let staff = Staff {
            id: section.require("id", check::id).unwrap_or_default(),
            name: section.require("name", owned).unwrap_or_default(),
            email: section.require("email", check::email).unwrap_or_default(),
            phone: section.parse("phone", owned),
            team: self.mention(section, "team", Named::Team),
            grade: Grade::T1,
            skills: list(section, "skills", owned),
            languages: list(section, "languages", language),
            territory: list(section, "territory", owned),
            products: list(section, "products", owned),
            manager: self.mention(section, "manager", Named::Staff),
            centre: self.mention(section, "centre", Named::Centre),
        };
        if staff.manager.as_ref() == Some(&staff.id) {
            section.fault("manager", format!("`manager` of `{}` is the same person: remove it", staff.id));
        }
        let ways = section.has("notify").then(|| section.list("notify", messengers::step));
        Member { staff, grade: grade(section), ways }
    }

    /// By which ways staff hear of things: as they say themselves, or as their team does.
    pub(super) fn wishes(&self) -> impl Iterator<Item = (&str, &Steps)> {
        self.staff.iter().filter_map(move |(member, _)| {
            let of_team = || {
                let team = member.staff.team.as_ref()?;
                self.ways_of_teams.iter().find(|(id, _)| id == team).map(|(_, ways)| ways)
            };
            Some((member.staff.email.as_str(), member.ways.as_ref().or_else(of_team)?))
        })
    }

    /// The addresses of staff.
    pub(super) fn addresses(&self) -> impl Iterator<Item = &String> {
        self.staff.iter().map(|(member, _)| &member.staff.email)
    }

    /// Notes every faulty link. `customers` is `None` if not all of them could be read.
    pub(super) fn check(&self, report: &Report, customers: Option<&HashMap<&str, (usize, Place)>>, has_gaps: bool) {
        let contacts = index(report, "contact", self.contacts.iter().map(|(c, at)| (c.id.as_str(), *at)));
        let contracts = index(report, "contract", self.contracts.iter().map(|(c, at)| (c.id.as_str(), *at)));
        index(report, "supplier", self.suppliers.iter().map(|(s, at)| (s.id.as_str(), *at)));
        let staff = index(report, "staff", self.staff.iter().map(|(m, at)| (m.staff.id.as_str(), *at)));
        let teams = index(report, "team", self.teams.iter().map(|(t, at)| (t.id.as_str(), *at)));
        let centres = index(report, "centre", self.centres.iter().map(|(c, _, [at, _])| (c.id.as_str(), *at)));
        for Mention { key, what, id, place } in &self.mentions {
            let known = match what {
                Named::Customer => customers.is_none_or(|known| known.contains_key(id.as_str())),
                Named::Staff => has_gaps || staff.contains_key(id.as_str()),
                Named::Team => has_gaps || teams.contains_key(id.as_str()),
                Named::Centre => has_gaps || centres.contains_key(id.as_str()),
            };
            if !known {
                report.fault(*place, format!("`{key}` is `{id}`, but no {} has this id: add one", what.table()));
            }
        }
        if let Some((_, place)) = self.staff.get(MAX_STAFF) {
            report.fault(*place, format!("more than {MAX_STAFF} [[staff]]: leave out who takes no cases"));
        }
        let contact_of =
            |id: &str| contacts.get(id).and_then(|&(at, _)| self.contacts.get(at)).map(|(c, _)| &c.customer);
        let contract_of =
            |id: &str| contracts.get(id).and_then(|&(at, _)| self.contracts.get(at)).map(|(c, _)| &c.customer);
        for (_, customer, site, [of_contract, of_lpoc]) in &self.sites {
            let links = [
                ("contract", &site.contract, *of_contract, site.contract.as_deref().and_then(contract_of)),
                ("lpoc", &site.lpoc, *of_lpoc, site.lpoc.as_deref().and_then(contact_of)),
            ];
            for (key, id, place, found) in links {
                check_site(report, (key, id.as_deref(), place), (customer, found), has_gaps);
            }
        }
        self.check_shifts(report);
    }

    fn check_shifts(&self, report: &Report) {
        // One fault is enough: without its shifts no centre fits the others.
        if self.centres.iter().any(|(_, shifts, _)| shifts.shifts.is_empty()) {
            return;
        }
        let all = shifts::Shifts(self.centres.iter().map(|(_, shifts, _)| shifts.clone()).collect());
        if let Some((centre, words)) = all.fault()
            && let Some((_, _, [_, place])) = self.centres.get(centre)
        {
            report.fault(*place, format!("`shifts` do not meet: {words}"));
        }
    }

    /// Which names are suppliers'.
    pub(super) fn has_supplier(&self, id: &str) -> bool {
        self.suppliers.iter().any(|(supplier, _)| supplier.id == id)
    }

    /// Which words staff have as skills.
    pub(super) fn has_skill(&self, skill: &str) -> bool {
        self.staff.iter().any(|(member, _)| member.staff.skills.iter().any(|has| has == skill))
    }

    /// All of it, and the shifts.
    pub(super) fn finish(self) -> (Parties, shifts::Shifts) {
        let teams: BTreeMap<_, _> = self.teams.into_iter().map(|(team, _)| (team.id.clone(), team)).collect();
        let with_grade = |Member { mut staff, grade, .. }: Member| {
            let of_team = staff.team.as_ref().and_then(|team| teams.get(team)).map(|team| team.grade);
            staff.grade = grade.or(of_team).unwrap_or(Grade::T1);
            (staff.id.clone(), Arc::new(staff))
        };
        let staff = self.staff.into_iter().map(|(member, _)| with_grade(member)).collect();
        let mut contacts: Vec<_> = self.contacts.into_iter().map(|(contact, _)| contact).collect();
        contacts.sort_by(|one, other| one.id.cmp(&other.id));
        let by_customer = |contract: Contract| ((contract.customer.clone(), contract.id.clone()), contract);
        let (centres, mut shifts): (BTreeMap<_, _>, Vec<_>) =
            self.centres.into_iter().map(|(centre, shifts, _)| ((centre.id.clone(), centre), shifts)).unzip();
        shifts.sort_by(|one, other| one.centre.cmp(&other.centre));
        let parties = Parties {
            contacts,
            removed: Vec::new(),
            contracts: self.contracts.into_iter().map(|(contract, _)| by_customer(contract)).collect(),
            suppliers: self.suppliers.into_iter().map(|(supplier, _)| (supplier.id.clone(), supplier)).collect(),
            staff,
            teams,
            centres,
            sites: self.sites.into_iter().map(|(unit, _, site, _)| (unit, site)).collect(),
            routing: crate::domain::desk::Routing::default(),
            ways: crate::domain::notice::Ways::default(),
        };
        (parties, shifts::Shifts(shifts))
    }
}

const DAY_MS: i64 = 24 * 3_600 * 1_000;

/// What an order names has to be its customer's.
fn check_site(
    report: &Report,
    (key, id, place): (&str, Option<&str>, Place),
    (customer, found): (&String, Option<&String>),
    has_gaps: bool,
) {
    let table = if key == "lpoc" { "[[contact]]" } else { "[[contract]]" };
    match (id, found) {
        (Some(id), None) if !has_gaps => {
            report.fault(place, format!("`{key}` is `{id}`, but no {table} has this id: add one"));
        }
        (Some(id), Some(other)) if other != customer && !other.is_empty() => {
            report.fault(place, format!("`{key}` is `{id}`, which is of customer `{other}` and not of `{customer}`"));
        }
        (Some(_) | None, _) => {}
    }
}

fn supplier(section: &Section<'_>) -> Supplier {
    Supplier {
        id: section.require("id", check::id).unwrap_or_default(),
        name: section.require("name", owned).unwrap_or_default(),
        email: section.parse("email", check::email),
        phone: section.parse("phone", owned),
        languages: list(section, "languages", language),
        territory: list(section, "territory", owned),
    }
}

fn team(section: &Section<'_>) -> Team {
    let id = section.require("id", check::id).unwrap_or_default();
    Team {
        name: section.parse("name", owned).unwrap_or_else(|| id.clone()),
        grade: grade(section).unwrap_or(Grade::T1),
        domain: section.parse("domain", owned),
        id,
    }
}

fn centre(section: &Section<'_>) -> (Centre, CentreShifts) {
    let id = section.require("id", check::id).unwrap_or_default();
    let zone = section.require("time_zone", shifts::zone);
    let shifts = CentreShifts {
        centre: id.clone(),
        // Without a zone, its shifts say nothing.
        shifts: if zone.is_some() { section.require_list("shifts", shifts::shift) } else { Vec::new() },
        zone: zone.unwrap_or(TimeZone::UTC),
    };
    let centre = Centre {
        name: section.parse("name", owned).unwrap_or_else(|| id.clone()),
        time_zone: section.parse("time_zone", |zone| Ok(zone.to_owned())).unwrap_or_default(),
        languages: list(section, "languages", language),
        id,
    };
    (centre, shifts)
}
