//! Who is given a case and why, in words; shifts, and contracts that end.

use super::count::many;
use super::time::{duration, utc};
use crate::domain::desk::{Case, Chosen, Merits, Occasion, Step};
use crate::domain::letter::Letter;
use crate::domain::party::Contract;
use crate::domain::time::{Calendar, Time};
use core::time::Duration;

/// For what somebody was chosen, as the end of a sentence.
#[must_use]
pub fn merits_words(merits: &Merits) -> String {
    let mut words = Vec::new();
    let asked = [(merits.skill, "has the skill"), (merits.language, "speaks the language")];
    let said = |(has, what): (Option<bool>, &str)| match has {
        Some(true) => Some(what.to_owned()),
        Some(false) => Some(format!("nobody on duty {what}")),
        None => None,
    };
    let [skill, language] = asked.map(said);
    words.extend(skill);
    words.extend(merits.product.then(|| "specialist of the service".to_owned()));
    words.extend(language);
    words.extend(merits.territory.then(|| "for the region".to_owned()));
    words.push(format!("{} at work", many(merits.load, "case")));
    words.push(format!("chosen among {}", merits.among));
    words.join(", ")
}

const fn occasion_words(occasion: Occasion) -> &'static str {
    match occasion {
        Occasion::Opened => "it was opened",
        Occasion::Upgraded => "it became a P1",
        Occasion::Escalated => "it was escalated",
        Occasion::Elapsed => "it is at work for so long",
        Occasion::Handover => "the shift passed on",
        Occasion::OnDuty => "somebody came on duty",
        Occasion::Asked => "the team was asked",
    }
}

/// The sentence about a case that was given to somebody, and the team.
pub(super) fn assigned_words(by: &str, [to, team]: [Option<&str>; 2], why: Option<&Chosen>) -> String {
    let of_team = team.map(|team| format!(" (team {team})")).unwrap_or_default();
    let Some(Chosen { rule, occasion, merits }) = why else {
        return format!("{by} assigned it to {}{of_team}.", to.unwrap_or("nobody"));
    };
    let rule = rule.as_ref().map(|rule| format!(" by rule {rule:?}")).unwrap_or_default();
    let occasion = occasion_words(*occasion);
    match (to, merits) {
        (Some(to), Some(merits)) => {
            format!("{by} assigned it to {to}{of_team}{rule}, for {occasion}: {}.", merits_words(merits))
        }
        (Some(to), None) => format!("{by} assigned it to {to}{of_team}{rule}, for {occasion}."),
        (None, _) => format!(
            "{by} put it into the queue of {}{rule}, for {occasion}: nobody there is on duty.",
            team.unwrap_or("nobody")
        ),
    }
}

const fn step_words(step: Step) -> &'static str {
    match step {
        Step::Escalation => "the escalation engineer",
        Step::Development => "the development engineer",
    }
}

pub(super) fn duty_words(staff: &str, on: bool, by: &str) -> String {
    if on {
        format!("{staff} is on, says {by}: cases are given to him as the shifts say.")
    } else {
        format!("{staff} is off, says {by}: no case is given to him.")
    }
}

pub(super) fn overdue_words(step: Step, told: &[String]) -> String {
    let told = if told.is_empty() { "nobody: there is no address".to_owned() } else { told.join(", ") };
    format!("It takes too long: brought to {} and management ({told}).", step_words(step))
}

pub(super) fn shift_words(centre: &str, before: Option<&str>, cases: usize) -> String {
    let cases = many(cases, "case");
    match before {
        Some(before) => format!("The shift passed from {before} to {centre}, with {cases} at work."),
        None => format!("{centre} has the shift, with {cases} at work."),
    }
}

/// The last day of a contract, as letters write it.
fn last_day(contract: &Contract, calendar: &Calendar) -> String {
    let last = utc(Time::from_millis(contract.ends.as_millis() - 1), calendar);
    last.split(' ').next().unwrap_or_default().to_owned()
}

pub(super) fn contract_words(contract: &Contract, calendar: &Calendar) -> String {
    format!(
        "Customer {} was told that contract {} ends with {}.",
        contract.customer,
        contract.id,
        last_day(contract, calendar)
    )
}

/// The letter that says that a contract ends.
pub(super) fn about_contract(letter: &Letter, contract: &Contract, calendar: &Calendar) -> String {
    let whose = if letter.greeting.is_some() { "your".to_owned() } else { format!("{}'s", contract.customer) };
    let services = if contract.services.is_empty() { "all services".to_owned() } else { contract.services.join(", ") };
    format!(
        "{} support contract {} ({services}) ends with {}. Until it is renewed, what is reported after that day goes to \
         our sales team; lines that we monitor are watched on.\n",
        capital(&whose),
        contract.id,
        last_day(contract, calendar)
    )
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Whoever was given a case reads this.
pub(super) fn given_words(case: &Case, service: &str) -> String {
    let assignment = case.assignment.as_ref();
    let rule = assignment.and_then(|assignment| assignment.rule.as_ref());
    let rule = rule.map(|rule| format!(" by rule {rule:?}")).unwrap_or_default();
    let more = case.umbrella.map(|umbrella| {
        format!(" More cases under umbrella {umbrella} may be yours: they come without a letter each.")
    });
    let reference = case.opening.reference;
    format!("case {reference} about {service} is yours{rule}.{}", more.unwrap_or_default())
}

/// Whoever hears that a case takes too long reads this.
pub(super) fn late_words(case: &Case, service: &str, age: Duration) -> String {
    let step = case.chase.step.map_or("", step_words);
    let owner = case.owner.as_deref().unwrap_or("nobody");
    format!(
        "case {} about {service} takes too long: it is brought to {step} after {}. It is with {owner}.",
        case.opening.reference,
        duration(age)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const MERITS: Merits =
        Merits { skill: Some(false), product: true, language: Some(true), territory: false, load: 1, among: 4 };

    #[test]
    fn who_was_chosen_and_why_is_said_in_a_sentence() {
        let why =
            |rule: Option<&str>, occasion, merits| Some(Chosen { rule: rule.map(str::to_owned), occasion, merits });
        let words = |to, why: Option<Chosen>| assigned_words("ntuwatch", [to, Some("noc")], why.as_ref());
        assert_eq!(
            words(Some("ann"), why(Some("rest"), Occasion::Opened, Some(MERITS))),
            "ntuwatch assigned it to ann (team noc) by rule \"rest\", for it was opened: nobody on duty has the skill, \
             specialist of the service, speaks the language, 1 case at work, chosen among 4."
        );
        assert_eq!(
            words(None, why(Some("rest"), Occasion::Escalated, None)),
            "ntuwatch put it into the queue of noc by rule \"rest\", for it was escalated: nobody there is on duty."
        );
        assert_eq!(assigned_words("bob", [Some("ann"), None], None), "bob assigned it to ann.");
    }

    #[test]
    fn a_contract_ends_with_its_last_day() {
        let contract = Contract {
            id: "C-1".into(),
            customer: "acme".into(),
            services: Vec::new(),
            tier: crate::domain::party::Tier::Gold,
            last_day: 20_908,
            ends: Time::from_millis(1_806_537_600_000),
        };
        let words = contract_words(&contract, &Calendar::default());
        assert_eq!(words, "Customer acme was told that contract C-1 ends with 2027-03-31.");
    }
}
