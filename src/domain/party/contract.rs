//! Contracts: until when a customer is entitled to what.

use crate::domain::time::Time;
use alloc::string::String;
use alloc::vec::Vec;

/// How much a customer's contract promises. A closed list: rules name its words, and a slip is found by `ntuwatch check`;
/// and it has an order, by which the better of two contracts counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// Most.
    Gold,
    /// More.
    Silver,
    /// Some.
    Bronze,
    /// What everybody has, also without a contract.
    Standard,
}

impl Tier {
    /// Every tier, the best first.
    pub const ALL: [Self; 4] = [Self::Gold, Self::Silver, Self::Bronze, Self::Standard];

    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gold => "gold",
            Self::Silver => "silver",
            Self::Bronze => "bronze",
            Self::Standard => "standard",
        }
    }
}

/// How a customer stands with us as to a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// A contract covers it.
    Valid,
    /// One did.
    Lapsed,
    /// None ever did.
    None,
}

impl Standing {
    /// Every standing.
    pub const ALL: [Self; 3] = [Self::Valid, Self::Lapsed, Self::None];

    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Lapsed => "lapsed",
            Self::None => "none",
        }
    }
}

/// A contract with a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contract {
    /// Stable key, unique among contracts.
    pub id: String,
    /// Whose it is.
    pub customer: String,
    /// The services that it covers; all if it is empty.
    pub services: Vec<String>,
    /// What it gives (R69).
    pub tier: Tier,
    /// The last day on which it is valid, in days since 1970-01-01.
    pub last_day: i64,
    /// When that day is over in UTC. In Unix time until the plan is on the timeline.
    pub ends: Time,
}

impl Contract {
    /// Whether it covers a service.
    #[must_use]
    pub fn covers(&self, service: &str) -> bool {
        self.services.is_empty() || self.services.iter().any(|covered| covered == service)
    }

    /// Whether it is not over.
    #[must_use]
    pub fn is_valid(&self, now: Time) -> bool {
        now < self.ends
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::party::{Parties, Site};
    use crate::domain::watch::{Circuit, Terms};
    use alloc::sync::Arc;
    use alloc::vec;
    use core::time::Duration;

    fn at(day: i64) -> Time {
        Time::from_millis(day * 86_400_000)
    }

    fn contract(id: &str, services: &[&str], tier: Tier, last_day: i64) -> ((String, String), Contract) {
        let services = services.iter().map(|&service| service.into()).collect();
        let customer = String::from("acme");
        let ends = at(last_day + 1);
        let key = (customer.clone(), id.into());
        (key, Contract { id: id.into(), customer, services, tier, last_day, ends })
    }

    fn circuit(customer: &str, service: &str) -> Circuit {
        let terms = Terms {
            service: service.into(),
            region: "EMEA".into(),
            ttr: Duration::from_secs(3_600),
            supplier: None,
            pop: None,
            access: None,
            rate: None,
        };
        Circuit { customer: Arc::new(customer.into()), order: "SO-1".into(), terms: Arc::new(terms) }
    }

    #[test]
    fn the_best_contract_that_is_valid_and_covers_the_service_counts_unless_the_order_names_one() {
        let all = vec![
            contract("c-old", &[], Tier::Gold, 9),
            contract("c-dia", &["DIA"], Tier::Silver, 20),
            contract("c-all", &[], Tier::Bronze, 30),
        ];
        let sites = [("u9".into(), Site { contract: Some("c-all".into()), lpoc: None })].into();
        let parties = Parties { contracts: all.into_iter().collect(), sites, ..Parties::default() };
        let stands = |unit: &str, service, day| parties.standing(unit, &circuit("acme", service), at(day));
        assert_eq!(stands("u1", "DIA", 5), (Standing::Valid, Tier::Gold));
        assert_eq!(stands("u1", "DIA", 10), (Standing::Valid, Tier::Silver), "the ninth day was its last");
        assert_eq!(stands("u1", "MPLS", 10), (Standing::Valid, Tier::Bronze));
        assert_eq!(stands("u9", "DIA", 10), (Standing::Valid, Tier::Bronze), "its order names that one");
        assert_eq!(stands("u1", "DIA", 31), (Standing::Lapsed, Tier::Standard));
        assert_eq!(parties.standing("u1", &circuit("bolt", "DIA"), at(5)), (Standing::None, Tier::Standard));
    }
}
