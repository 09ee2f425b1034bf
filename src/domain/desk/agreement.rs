//! What is agreed with customers: by the tier of a contract, and by the order. A contract that changes changes what its open
//! cases owe (R22).

use super::Desk;
use super::assigning::MAX_SWEPT_A_TURN;
use super::facts::CaseFact;
use super::promise::{Agreed, Pledges};
use super::reference::Reference;
use crate::domain::party::Tier;
use crate::domain::time::Time;
use crate::domain::turn::Turn;
use crate::domain::watch::Circuit;
use alloc::vec::Vec;
use core::ops::Bound;

/// All open cases are looked at, a batch a turn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Review {
    /// The last that was looked at.
    after: Option<Reference>,
}

impl Desk {
    /// What the customer of a unit is promised without a word.
    pub(super) fn pledges_of(&self, unit: &str, circuit: &Circuit, now: Time) -> Pledges {
        let tier = if self.parties.contracts.is_empty() {
            Tier::Standard
        } else {
            self.parties.standing(unit, circuit, now).1
        };
        self.pledges.of(tier)
    }

    /// Another inventory is in force as a whole: what open cases owe may be another thing by now.
    pub(crate) const fn review_agreements(&mut self) {
        self.review = Some(Review { after: None });
    }

    /// Whether there are cases to look at.
    pub(crate) const fn reviews(&self) -> bool {
        self.review.is_some()
    }

    /// Looks at the next cases; `circuit_of` knows the circuits of units.
    pub(crate) fn go_on_reviewing<'a>(&mut self, circuit_of: impl Fn(&str) -> Option<&'a Circuit>, turn: &mut Turn) {
        let Some(Review { after }) = self.review.take() else { return };
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let batch: Vec<Reference> =
            self.cases.range((from, Bound::Unbounded)).map(|(&case, _)| case).take(MAX_SWEPT_A_TURN).collect();
        for &reference in &batch {
            let Some(case) = self.case(reference) else { continue };
            let Some(circuit) = circuit_of(&case.opening.unit) else { continue };
            let pledges = self.pledges_of(&case.opening.unit, circuit, turn.at);
            // Whether a reason for outage is required was settled at the opening.
            let Pledges { rfo_p1, rfo_p2, .. } = case.opening.pledges;
            let agreed = Agreed { ttr: circuit.terms.ttr, pledges: Pledges { rfo_p1, rfo_p2, ..pledges } };
            if circuit.customer == case.opening.circuit.customer
                && (case.ttr(), *case.pledges()) != (agreed.ttr, agreed.pledges)
            {
                self.record(reference, CaseFact::Agreed(agreed), turn);
            }
        }
        self.review =
            batch.last().filter(|_| batch.len() == MAX_SWEPT_A_TURN).map(|&last| Review { after: Some(last) });
    }
}
