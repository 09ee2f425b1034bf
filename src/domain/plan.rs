//! What the operator wants watched, and by which rules: everything the core takes from the configuration.

use super::desk::{Matrix, Roster, SurveyRules, TierPledges};
use super::maintenance::Window;
use super::party::{Customer, Parties};
use super::time::Time;
use super::watch::Device;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

/// Longest id: it becomes a metric's label and part of an address in the API.
const MAX_ID: usize = 64;

/// What [`is_id`] asks for, in words.
#[derive(Clone, Copy, Debug)]
pub struct IdRule;

impl fmt::Display for IdRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1 to {MAX_ID} ASCII letters, digits, '-', '_' or '.'")
    }
}

/// Whether this can be the stable key of a device, a customer or a maintenance: see [`IdRule`].
#[must_use]
pub fn is_id(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=MAX_ID).contains(&text.len()) && text.bytes().all(allowed)
}

/// Inventory and rules, already checked: ids are unique, references point at something, upstreams form a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Who buys lines.
    pub customers: Vec<Customer>,
    /// What is polled: units first, then nodes, then sentinels. Shared with the watch, for there may be many.
    pub devices: Vec<Arc<Device>>,
    /// How long solved cases are watched.
    pub stability: Stability,
    /// What is promised without a word.
    pub pledges: TierPledges,
    /// Whom escalated cases are brought to.
    pub escalation: Matrix,
    /// Addresses of the network operations centre; each gets its own copy of every letter.
    pub noc: Vec<String>,
    /// Maintenance that is planned in the configuration.
    pub maintenance: Vec<Window>,
    /// The unit that proves the whole way from probe to letter.
    pub canary: Option<Canary>,
    /// Everybody else whom cases are about, and our own.
    pub parties: Arc<Parties>,
    /// From when on which centre has the shift, as far as it is known.
    pub roster: Roster,
    /// How customers are asked how their cases went, if they are.
    pub surveys: Option<Arc<SurveyRules>>,
}

impl Plan {
    /// The plan with its times of the wall clock as times of the timeline, of which the wall clock is `offset_ms` ahead.
    #[must_use]
    pub fn on_timeline(mut self, offset_ms: i64) -> Self {
        for window in &mut self.maintenance {
            for at in [&mut window.from, &mut window.until] {
                *at = Time::from_millis(at.as_millis() - offset_ms);
            }
        }
        for (at, _) in &mut self.roster {
            *at = Time::from_millis(at.as_millis() - offset_ms);
        }
        if offset_ms != 0 && !self.parties.contracts.is_empty() {
            Arc::make_mut(&mut self.parties).move_back(offset_ms);
        }
        self
    }
}

/// A unit of the operator's own whose outage is simulated again and again: its case and letter must come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canary {
    /// The unit's id.
    pub unit: String,
    /// From one simulated outage to the next.
    pub every: Duration,
}

/// Length of the stability window by priority (R28), in observed time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stability {
    /// For a P1.
    pub p1: Duration,
    /// For a P2.
    pub p2: Duration,
}
