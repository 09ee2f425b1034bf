//! Who takes part in a replay: everybody of whom something is recorded, and what they need around them.

use crate::domain::plan::Plan;
use crate::domain::turn::DeviceRow;
use crate::domain::watch::{Device, Limits, Role, Rules, Verdict};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// Whom the past has something to say of.
#[derive(Debug)]
pub struct Survey {
    eventful: BTreeSet<String>,
    /// The usual round trips.
    usual: BTreeMap<String, Duration>,
}

/// Who takes part.
#[derive(Debug)]
pub struct Cast {
    wanted: BTreeSet<String>,
    units: usize,
    left_out: usize,
}

impl Survey {
    /// Begins with what the devices are doing now.
    #[must_use]
    pub fn new(rows: &[DeviceRow]) -> Self {
        let usual = rows.iter().filter_map(|row| Some((row.id.clone(), row.baseline.rtt()?))).collect();
        let mut survey = Self { eventful: BTreeSet::new(), usual };
        rows.iter().for_each(|row| survey.stretch(&row.id, row.evidence.verdict()));
        survey
    }

    /// A stretch of a device's ledger.
    pub fn stretch(&mut self, device: &str, verdict: Verdict) {
        match verdict {
            Verdict::Loss | Verdict::Degraded => self.strip(device),
            // Nobody is at fault while nobody can see.
            Verdict::Up | Verdict::Inconclusive | Verdict::Unobserved => {}
        }
    }

    /// There is a piece of the device's strip.
    pub fn strip(&mut self, device: &str) {
        if !self.eventful.contains(device) {
            self.eventful.insert(device.to_owned());
        }
    }

    /// Whether the past can open a case on a unit.
    fn is_eventful(&self, device: &Device) -> bool {
        let too_slow = || Some(*self.usual.get(device.id.as_str())? > device.rules.limits.rtt?);
        self.eventful.contains(device.id.as_str()) || too_slow().unwrap_or(false)
    }
}

impl Cast {
    /// Who takes part under either plan. Quiet units only as far as they are needed to tell a mass loss from others: as
    /// many as there are eventful ones, and one more. A canary's outages are not its line's.
    #[must_use]
    pub fn new(plans: [&Plan; 2], survey: &Survey) -> Self {
        let is_canary =
            |id: &str| plans.iter().any(|plan| plan.canary.as_ref().is_some_and(|canary| canary.unit == id));
        let mut wanted = BTreeSet::new();
        let mut quiet: [BTreeSet<&str>; 2] = Default::default();
        let mut eventful = BTreeSet::new();
        for (plan, quiet) in plans.iter().zip(&mut quiet) {
            for device in plan.devices.iter().filter(|device| !is_canary(&device.id)) {
                match &device.role {
                    Role::Node | Role::Sentinel(_) => {
                        wanted.insert(device.id.to_string());
                    }
                    Role::Unit(_) if survey.is_eventful(device) => {
                        eventful.insert(device.id.as_str());
                    }
                    Role::Unit(_) => {
                        quiet.insert(&device.id);
                    }
                }
            }
        }
        let [here, there] = &quiet;
        let both = here.intersection(there).filter(|id| !eventful.contains(*id));
        wanted.extend(both.take(eventful.len() + 1).map(|id| String::from(*id)));
        wanted.extend(eventful.iter().map(|id| String::from(*id)));
        plans.iter().for_each(|plan| add_parents(plan, &mut wanted));
        let units: BTreeSet<&str> = here.union(there).copied().chain(eventful).collect();
        let taken = units.iter().filter(|id| wanted.contains(**id)).count();
        Self { wanted, units: taken, left_out: units.len() - taken }
    }

    /// Whether this device takes part.
    #[must_use]
    pub fn has(&self, device: &str) -> bool {
        self.wanted.contains(device)
    }

    /// Units that take part.
    #[must_use]
    pub const fn units(&self) -> usize {
        self.units
    }

    /// Units that do not.
    #[must_use]
    pub const fn left_out(&self) -> usize {
        self.left_out
    }
}

/// Everybody comes with those that he is reached through.
fn add_parents(plan: &Plan, wanted: &mut BTreeSet<String>) {
    loop {
        let present = plan.devices.iter().filter(|device| wanted.contains(device.id.as_str()));
        let missing = present.filter_map(|device| device.upstream()).filter(|id| !wanted.contains(*id));
        let missing: Vec<String> = missing.map(String::from).collect();
        if missing.is_empty() {
            return;
        }
        wanted.extend(missing);
    }
}

/// The devices that are known, as they can be replayed: what agents tell is not recorded, so nothing is looked for in it.
pub(super) fn stage(devices: &[Arc<Device>], is_known: impl Fn(&str) -> bool) -> Vec<Arc<Device>> {
    let known = devices.iter().filter(|device| is_known(&device.id));
    known
        .map(|device| {
            let limits = Limits { reboots: None, interface: false, errors: None, load: None, ..device.rules.limits };
            let snmp = device.rules.snmp.clone().filter(|_| !device.rules.icmp);
            let rules = Arc::new(Rules { limits, snmp, ..*device.rules });
            Arc::new(Device { rules, ..(**device).clone() })
        })
        .collect()
}
