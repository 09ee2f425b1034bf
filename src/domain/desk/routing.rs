//! Whom a case is given to: rules in their order, and within a team the one who fits best. Pure, and the same every time.

use super::case::Case;
use super::promise::Level;
use super::reference::Reference;
use super::words::{Actor, Priority};
use crate::domain::party::{Grade, Language, Parties, Staff, Standing, Tier};
use crate::domain::time::Time;
use crate::domain::watch::{Finding, Symptom};
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

/// Rules, at the most: each case is held against all of them.
pub const MAX_RULES: usize = 500;

/// How work is given out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Routing {
    /// In their order: the first that fits decides.
    pub rules: Vec<Rule>,
    /// Who hears that nobody is on duty, and whatever finds no other reader.
    pub management: Vec<String>,
    /// How long a case may be at work before the escalation engineer hears of it (R57).
    pub escalate_after: Option<Duration>,
    /// The team that he is in.
    pub escalation_team: Option<String>,
    /// How long after that the development engineer hears of it.
    pub second_after: Option<Duration>,
    /// The team that he is in.
    pub development_team: Option<String>,
    /// So long before a contract ends its customer is told (R70).
    pub contract_notice: Option<Duration>,
}

impl Routing {
    /// Whether a team sells: what people report of a line whose contract has lapsed goes there (R68).
    #[must_use]
    pub fn sells(&self) -> bool {
        self.rules.iter().any(|rule| rule.name == LAPSED)
    }
}

/// The name of the rule for lapsed contracts.
const LAPSED: &str = "lapsed contract";

/// A rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// As the journal names it.
    pub name: String,
    /// What must hold.
    pub when: Conditions,
    /// The team that the case goes to; any if it does not say.
    pub team: Option<String>,
    /// The tier that it goes to.
    pub grade: Option<Grade>,
    /// What is needed for it.
    pub skill: Option<String>,
    /// Which language is needed, if it is not the customer's.
    pub language: Option<Language>,
}

impl Rule {
    /// The rule by which a case that a person opens under a lapsed contract goes to sales (R68). What the watch itself finds
    /// is worked on all the same.
    #[must_use]
    pub fn lapsed(sales: String) -> Self {
        let when = Conditions {
            contract: Vec::from([Standing::Lapsed]),
            fault: Vec::from([FaultKind::Staff]),
            ..Conditions::default()
        };
        Self { name: LAPSED.to_string(), when, team: Some(sales), ..Self::default() }
    }
}

/// What must hold for a rule: all of it, and of each list any word. What is empty always holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// Priority.
    pub priority: Vec<Priority>,
    /// Tier of the customer's contract.
    pub tier: Vec<Tier>,
    /// Whether there is a contract.
    pub contract: Vec<Standing>,
    /// Service.
    pub service: Vec<String>,
    /// Region.
    pub region: Vec<String>,
    /// Supplier.
    pub supplier: Vec<String>,
    /// What is wrong.
    pub fault: Vec<FaultKind>,
    /// At least this level of escalation.
    pub level: Option<Level>,
    /// At least so long after the opening.
    pub after: Option<Duration>,
}

/// What is wrong with a line, as rules tell faults apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The watch has lost contact.
    Loss,
    /// It found the line degraded.
    Degraded,
    /// It found it degraded in this way.
    Symptom(Symptom),
    /// A person reported it: one of the staff, or the customer by mail.
    Staff,
}

impl FaultKind {
    /// The one that is called so.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "loss" => Some(Self::Loss),
            "degraded" => Some(Self::Degraded),
            "staff" => Some(Self::Staff),
            _ => Symptom::ALL.into_iter().find(|symptom| symptom.name() == name).map(Self::Symptom),
        }
    }

    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Loss => "loss",
            Self::Degraded => "degraded",
            Self::Symptom(symptom) => symptom.name(),
            Self::Staff => "staff",
        }
    }

    fn is_of(self, case: &Case) -> bool {
        let degraded = found(case);
        match self {
            Self::Loss => case.outage().is_some(),
            Self::Degraded => degraded.is_some(),
            Self::Symptom(symptom) => degraded.is_some_and(|finding| finding.symptom == symptom),
            Self::Staff => case.opening.origin != Actor::Watch,
        }
    }
}

fn found(case: &Case) -> Option<Finding> {
    case.finding.filter(|_| case.outage().is_none())
}

/// A condition that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmet {
    /// As the configuration calls it.
    pub condition: &'static str,
    /// What the rule wants.
    pub wanted: String,
    /// What is so.
    pub found: String,
}

/// What a rule says of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It decides.
    Fires,
    /// It does not hold.
    Unmet(Vec<Unmet>),
    /// One before it decided.
    NotReached,
}

/// Rule by rule what is said of a case as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// Each rule by its name.
    pub rules: Vec<(String, Verdict)>,
    /// The team whose queue the case would go to.
    pub team: Option<String>,
    /// Who would be given the case, were it opened now, and for what merits.
    pub chosen: Option<(String, Merits)>,
    /// Where it is now: the rule that fired last, the queue, and the owner.
    pub present: (Option<String>, String, Option<String>),
}

/// What rules look at, beside the case itself.
#[derive(Clone, Copy)]
struct Look {
    standing: Standing,
    tier: Tier,
    age: Duration,
}

impl Look {
    fn at(case: &Case, parties: &Parties, now: Time) -> Self {
        let (standing, tier) = parties.standing(&case.opening.unit, &case.opening.circuit, now);
        Self { standing, tier, age: now.since(case.opened_at) }
    }
}

/// Names of the conditions, in the order of [`holds`].
const CONDITIONS: [&str; 9] =
    ["priority", "customer_tier", "contract", "service", "region", "supplier", "fault", "level", "after"];

/// Which conditions of a rule hold.
fn holds(when: &Conditions, case: &Case, look: Look) -> [bool; CONDITIONS.len()] {
    fn among<T: PartialEq>(wanted: &[T], found: &T) -> bool {
        wanted.is_empty() || wanted.contains(found)
    }
    let terms = &case.opening.circuit.terms;
    let supplied = |wanted: &String| terms.supplier.as_ref() == Some(wanted);
    [
        among(&when.priority, &case.priority),
        among(&when.tier, &look.tier),
        among(&when.contract, &look.standing),
        among(&when.service, &terms.service),
        among(&when.region, &terms.region),
        when.supplier.is_empty() || when.supplier.iter().any(supplied),
        when.fault.is_empty() || when.fault.iter().any(|kind| kind.is_of(case)),
        case.escalation.as_ref().map(|escalation| escalation.level) >= when.level,
        look.age >= when.after.unwrap_or_default(),
    ]
}

/// What a rule wants, and what is so, in the order of [`CONDITIONS`].
fn words(when: &Conditions, case: &Case, look: Look) -> [(String, String); CONDITIONS.len()] {
    fn all<T>(wanted: &[T], name: impl Fn(&T) -> &str) -> String {
        wanted.iter().map(name).collect::<Vec<_>>().join(", ")
    }
    let terms = &case.opening.circuit.terms;
    let level = |level: Option<Level>| level.map_or("none", Level::name).to_string();
    let seconds = |length: Duration| format!("{} s", length.as_secs());
    [
        (all(&when.priority, |priority| priority.name()), case.priority.name().to_string()),
        (all(&when.tier, |tier| tier.name()), look.tier.name().to_string()),
        (all(&when.contract, |standing| standing.name()), look.standing.name().to_string()),
        (all(&when.service, |service| service), terms.service.clone()),
        (all(&when.region, |region| region), terms.region.clone()),
        (all(&when.supplier, |supplier| supplier), terms.supplier.as_deref().unwrap_or("none").to_string()),
        (all(&when.fault, |kind| kind.name()), fault_words(case)),
        (level(when.level), level(case.escalation.as_ref().map(|escalation| escalation.level))),
        (seconds(when.after.unwrap_or_default()), seconds(look.age)),
    ]
}

/// What each rule says of a case.
#[must_use]
pub fn verdicts(case: &Case, parties: &Parties, now: Time) -> Vec<(String, Verdict)> {
    let (look, mut fired) = (Look::at(case, parties, now), false);
    let mut verdict = |rule: &Rule| {
        if fired {
            return Verdict::NotReached;
        }
        let holds = holds(&rule.when, case, look);
        fired = holds.iter().all(|&holds| holds);
        if fired {
            return Verdict::Fires;
        }
        let all = CONDITIONS.into_iter().zip(words(&rule.when, case, look)).zip(holds);
        let unmet = all.filter(|&(_, holds)| !holds);
        Verdict::Unmet(unmet.map(|((condition, (wanted, found)), _)| Unmet { condition, wanted, found }).collect())
    };
    parties.routing.rules.iter().map(|rule| (rule.name.clone(), verdict(rule))).collect()
}

fn fault_words(case: &Case) -> String {
    let seen = if case.outage().is_some() {
        FaultKind::Loss.name()
    } else {
        found(case).map_or("none seen", |finding| FaultKind::Symptom(finding.symptom).name())
    };
    match case.opening.origin {
        Actor::Watch => seen.to_string(),
        Actor::Staff(_) | Actor::Customer(_) => format!("{}, {seen}", FaultKind::Staff.name()),
    }
}

/// The first rule that fits.
#[must_use]
pub fn first<'a>(case: &Case, parties: &'a Parties, now: Time) -> Option<&'a Rule> {
    let look = Look::at(case, parties, now);
    parties.routing.rules.iter().find(|rule| holds(&rule.when, case, look).iter().all(|&holds| holds))
}

/// What is wanted of whoever is given a case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wants<'a> {
    /// A skill.
    pub skill: Option<&'a str>,
    /// One of these languages.
    pub languages: &'a [Language],
    /// A specialist of this service, if there is one.
    pub service: &'a str,
    /// One who is for this region.
    pub region: &'a str,
    /// Whether the language comes first: whoever takes over goes on with a conversation (R25).
    pub language_first: bool,
}

/// For what somebody was chosen. `None` of what nobody asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Merits {
    /// Whether he has the skill.
    pub skill: Option<bool>,
    /// Whether he is a specialist of the service.
    pub product: bool,
    /// Whether he speaks one of the languages.
    pub language: Option<bool>,
    /// Whether he is for the region.
    pub territory: bool,
    /// How many cases he had before.
    pub load: usize,
    /// Among how many he was chosen.
    pub among: usize,
}

/// The one who fits best: skill, specialist, language, territory, then who has least to do, then the first by id.
pub fn choose<'a>(
    candidates: impl Iterator<Item = &'a Arc<Staff>>,
    wants: &Wants<'_>,
    loads: &Loads,
) -> Option<(&'a Arc<Staff>, Merits)> {
    let mut among = 0;
    let best = candidates.inspect(|_| among += 1).map(|staff| (staff, merits(staff, wants, loads))).min_by(
        |(one, of_one), (other, of_other)| {
            let rank = |merits| order(merits, wants.language_first);
            rank(of_one).cmp(&rank(of_other)).then_with(|| one.id.cmp(&other.id))
        },
    );
    best.map(|(staff, merits)| (staff, Merits { among, ..merits }))
}

/// Less is better.
fn order(merits: &Merits, language_first: bool) -> ([bool; 4], usize) {
    let (skill, language) = (merits.skill == Some(false), merits.language == Some(false));
    let ranks = if language_first {
        [language, skill, !merits.product, !merits.territory]
    } else {
        [skill, !merits.product, language, !merits.territory]
    };
    (ranks, merits.load)
}

fn merits(staff: &Staff, wants: &Wants<'_>, loads: &Loads) -> Merits {
    let speaks = |languages: &[Language]| languages.iter().any(|language| staff.languages.contains(language));
    Merits {
        skill: wants.skill.map(|skill| staff.skills.iter().any(|has| has == skill)),
        product: staff.products.iter().any(|product| product == wants.service),
        language: (!wants.languages.is_empty()).then(|| speaks(wants.languages)),
        territory: staff.territory.is_empty() || staff.territory.iter().any(|region| region == wants.region),
        load: loads.of(&staff.id),
        among: 0,
    }
}

/// How many cases at work everybody has, kept up to date with each case: there may be a hundred thousand to count.
#[derive(Clone, Debug, Default)]
pub struct Loads {
    all: BTreeMap<String, usize>,
    /// Those under umbrellas.
    under: BTreeMap<(Reference, String), usize>,
}

impl Loads {
    pub(super) fn enter(&mut self, case: &Case) {
        let Some(owner) = case.owner.as_ref().filter(|_| case.is_at_work()) else { return };
        match self.all.get_mut(owner.as_str()) {
            Some(load) => *load += 1,
            None => drop(self.all.insert(owner.clone(), 1)),
        }
        if let Some(umbrella) = case.umbrella {
            *self.under.entry((umbrella, owner.clone())).or_default() += 1;
        }
    }

    pub(super) fn leave(&mut self, case: &Case) {
        let Some(owner) = case.owner.as_ref().filter(|_| case.is_at_work()) else { return };
        if let Some(load) = self.all.get_mut(owner.as_str()) {
            *load -= 1;
            if *load == 0 {
                self.all.remove(owner.as_str());
            }
        }
        let key = case.umbrella.map(|umbrella| (umbrella, owner.clone()));
        if let Some((key, load)) = key.and_then(|key| self.under.get_mut(&key).map(|load| (key, load))) {
            *load -= 1;
            if *load == 0 {
                self.under.remove(&key);
            }
        }
    }

    /// Those of one.
    #[must_use]
    pub fn of(&self, staff: &str) -> usize {
        self.all.get(staff).copied().unwrap_or(0)
    }

    /// Those of one under an umbrella.
    pub(super) fn under(&self, umbrella: Reference, staff: &str) -> usize {
        self.under.get(&(umbrella, staff.to_string())).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn languages(codes: &[&str]) -> Vec<Language> {
        codes.iter().filter_map(|code| Language::parse(code)).collect()
    }

    fn texts(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| word.to_string()).collect()
    }

    /// Skills, products, languages and territory of somebody.
    fn staff(id: &str, [skills, products, codes, territory]: [&[&str]; 4]) -> Arc<Staff> {
        Arc::new(Staff {
            id: id.to_string(),
            name: id.to_string(),
            email: format!("{id}@example.net"),
            phone: None,
            team: None,
            grade: Grade::T1,
            skills: texts(skills),
            languages: languages(codes),
            territory: texts(territory),
            products: texts(products),
            manager: None,
            centre: None,
        })
    }

    /// Who is chosen, for Spanish and the product line, in EMEA.
    fn chosen(all: &[Arc<Staff>], loads: &Loads, language_first: bool) -> (String, Merits) {
        let spanish = languages(&["es"]);
        let wants = Wants { skill: Some("bgp"), languages: &spanish, service: "MPLS", region: "EMEA", language_first };
        choose(all.iter(), &wants, loads).map(|(staff, merits)| (staff.id.clone(), merits)).unwrap()
    }

    #[test]
    fn each_criterion_decides_where_all_before_it_are_alike() {
        let (none, yes): (&[&str], [&[&str]; 4]) = (&[], [&["bgp"], &["MPLS"], &["es"], &["EMEA"]]);
        // Whoever is worse in one criterion is better in all that come after, and in the order of ids.
        for criterion in 0..4 {
            let (mut better, mut worse) = (yes, yes);
            worse[criterion] = if criterion == 3 { &["APAC"] } else { none };
            for (later, has) in better.iter_mut().enumerate().skip(criterion + 1) {
                *has = if later == 3 { &["APAC"] } else { none };
            }
            let all = [staff("a", worse), staff("z", better)];
            assert_eq!(chosen(&all, &Loads::default(), false).0, "z", "criterion {criterion}");
        }
        let all = [staff("a", yes), staff("b", yes)];
        assert_eq!(chosen(&all, &Loads::default(), false).0, "a", "the first by id");
        let loads = Loads { all: [("a".to_string(), 1)].into(), ..Loads::default() };
        let (id, merits) = chosen(&all, &loads, false);
        assert_eq!((id.as_str(), merits.load, merits.among), ("b", 0, 2), "who has least to do");
    }

    #[test]
    fn whoever_takes_over_a_conversation_speaks_its_language_before_all_else() {
        let all = [staff("a", [&["bgp"], &["MPLS"], &[], &[]]), staff("z", [&[], &[], &["es"], &["APAC"]])];
        assert_eq!(chosen(&all, &Loads::default(), false).0, "a");
        let (id, merits) = chosen(&all, &Loads::default(), true);
        assert_eq!((id.as_str(), merits.skill, merits.language), ("z", Some(false), Some(true)));
    }

    #[test]
    fn where_nobody_has_what_is_wanted_somebody_is_chosen_all_the_same_and_nobody_where_nobody_is() {
        let all = [staff("a", [&[], &[], &[], &["APAC"]])];
        let (id, merits) = chosen(&all, &Loads::default(), false);
        assert_eq!((id.as_str(), merits.skill, merits.territory), ("a", Some(false), false));
        assert_eq!(choose([].iter(), &Wants::default(), &Loads::default()), None);
    }
}
