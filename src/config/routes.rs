//! Rules by which cases are given to people, and what belongs to them.

use super::check;
use super::fault::{Place, Report};
use super::form;
use super::parties::{Book, Named, grade, language, list, one_of};
use super::section::Section;
use crate::domain::desk::{Conditions, FaultKind, Level, MAX_RULES, Priority, Routing, Rule};
use crate::domain::party::{Standing, Tier};
use crate::domain::watch::{Device, Symptom};
use core::time::Duration;

/// The rules with what is to be looked up once all files are read.
pub(super) struct Routes {
    routing: Routing,
    names: Vec<(String, Place)>,
    /// Key, word and place of what some unit must have, or some of the staff.
    words: Vec<(&'static str, String, Place)>,
}

/// Longest notice of the end of a contract, in days.
const MAX_NOTICE: i64 = 366;
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// Reads `[routing]` and the rules.
pub(super) fn read(root: &Section<'_>, book: &mut Book) -> Routes {
    let section = root.section("routing", form::ROUTING);
    let mut routes = Routes { routing: Routing::default(), names: Vec::new(), words: Vec::new() };
    if let Some(sales) = book.mention(&section, "sales", Named::Team) {
        let rule = Rule::lapsed(sales);
        routes.names.push((rule.name.clone(), section.place("sales")));
        routes.routing.rules.push(rule);
    }
    for section in root.sections("route", form::ROUTE) {
        let rule = routes.rule(&section, book);
        routes.names.push((rule.name.clone(), section.place("name")));
        routes.routing.rules.push(rule);
    }
    let days: Option<u32> = section.integer("contract_notice", 1..=MAX_NOTICE);
    let routing = &mut routes.routing;
    routing.management = list(&section, "management", check::email);
    routing.escalate_after = section.parse("escalate_after", check::duration);
    routing.escalation_team = book.mention(&section, "escalation_team", Named::Team);
    routing.second_after = section.parse("second_after", check::duration);
    routing.development_team = book.mention(&section, "development_team", Named::Team);
    routing.contract_notice = days.map(|days| DAY * days);
    if section.has("second_after") && !section.has("escalate_after") {
        section.fault("second_after", "`second_after` is of no use without `escalate_after`: add it, or remove this");
    }
    for (after, team) in [("escalate_after", "escalation_team"), ("second_after", "development_team")] {
        if section.has(team) && !section.has(after) {
            section.fault(team, format!("`{team}` is of no use without `{after}`: add it, or remove `{team}`"));
        }
        if section.has(after) && !section.has(team) && !section.has("management") {
            section.fault(after, format!("`{after}` tells nobody: add `{team}` or `management`"));
        }
    }
    routes
}

impl Routes {
    fn rule(&mut self, section: &Section<'_>, book: &mut Book) -> Rule {
        let when = Conditions {
            priority: list(section, "priority", |value| one_of(value, &Priority::ALL, Priority::name)),
            tier: list(section, "customer_tier", |value| one_of(value, &Tier::ALL, Tier::name)),
            contract: list(section, "contract", |value| one_of(value, &Standing::ALL, Standing::name)),
            service: self.words(section, "service"),
            region: self.words(section, "region"),
            supplier: self.words(section, "supplier"),
            fault: list(section, "fault", |value| {
                FaultKind::parse(value).ok_or_else(|| {
                    let symptoms = Symptom::ALL.map(Symptom::name).join(", ");
                    let usage = format!("write one of loss, degraded, staff, {symptoms}");
                    format!("is {}, which is no kind of fault: {usage}", check::shown(value))
                })
            }),
            level: section.parse("level", |value| one_of(value, &Level::ALL, Level::name)),
            after: section.parse("after", check::duration),
        };
        let rule = Rule {
            name: section.require("name", check::text).unwrap_or_default(),
            when,
            team: book.mention(section, "team", Named::Team),
            grade: grade(section),
            skill: section.parse("skill", check::text),
            language: section.parse("language", language),
        };
        if let Some(skill) = &rule.skill {
            self.words.push(("skill", skill.clone(), section.place("skill")));
        }
        if !section.has("team") && !section.has("tier") {
            section.fault("team", "`team` and `tier` are both missing: a rule says where a case goes");
        }
        rule
    }

    fn words(&mut self, section: &Section<'_>, key: &'static str) -> Vec<String> {
        let found = section.list(key, check::text);
        self.words.extend(found.iter().map(|(word, place)| (key, word.clone(), *place)));
        found.into_iter().map(|(word, _)| word).collect()
    }

    /// Notes rules of the same name, and what no unit and nobody has. `units` is `None` if not all could be read.
    pub(super) fn check<'d>(
        &self,
        report: &Report,
        book: &Book,
        units: Option<impl Iterator<Item = &'d Device> + Clone>,
    ) {
        super::links::index(report, "route", self.names.iter().map(|(name, place)| (name.as_str(), *place)));
        if let Some((_, place)) = self.names.get(MAX_RULES) {
            report.fault(*place, format!("more than {MAX_RULES} [[route]]: put some together"));
        }
        let Some(units) = units else { return };
        for (key, word, place) in &self.words {
            let has = |device: &Device| {
                device.circuit().is_some_and(|circuit| match *key {
                    "service" => circuit.terms.service == *word,
                    "region" => circuit.terms.region == *word,
                    _ => circuit.terms.supplier.as_ref() == Some(word),
                })
            };
            let known = match *key {
                "skill" => book.has_skill(word),
                "supplier" => book.has_supplier(word) || units.clone().any(has),
                _ => units.clone().any(has),
            };
            if !known {
                let who = if *key == "skill" { "nobody of the staff" } else { "no unit" };
                report.fault(*place, format!("`{key}` is {}, but {who} has this {key}", check::shown(word)));
            }
        }
    }

    /// Who manages.
    pub(super) fn management(&self) -> &[String] {
        &self.routing.management
    }

    /// The rules themselves.
    pub(super) fn finish(self) -> Routing {
        self.routing
    }
}
