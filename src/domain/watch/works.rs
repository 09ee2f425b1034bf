//! Maintenance of the network: which devices it touches, when it begins and ends, and who is told.

use super::device::{Device, Slot};
use super::ledger::Verdict;
use super::{Deadline, Watch};
use crate::domain::desk::{Affected, LetterKind};
use crate::domain::fact::Fact;
use crate::domain::maintenance::{Draft, LONGEST, Maintenance, Origin, Scope, Stage, Window};
use crate::domain::plan::{Plan, is_id};
use crate::domain::time::Time;
use crate::domain::turn::{BadMaintenance, Refusal, Turn};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::time::Duration;

/// Maintenances that are remembered at once; those that are over leave first.
pub const MAX_MAINTENANCE: usize = 10_000;

/// The maintenances that are planned or active, and the latest that are over.
pub(super) type Works = BTreeMap<String, Arc<Maintenance>>;

impl Watch {
    /// All maintenances, by id.
    pub fn maintenance(&self) -> impl Iterator<Item = &Arc<Maintenance>> {
        self.works.values()
    }

    /// Takes over what the configuration plans: new ones are announced, changed ones revised, missing ones called off.
    pub(super) fn plan_works(&mut self, plan: &Plan, turn: &mut Turn) {
        let planned: BTreeSet<&str> = plan.maintenance.iter().map(|window| window.id.as_str()).collect();
        let missing: Vec<String> = self
            .works
            .values()
            .filter(|known| known.origin == Origin::Config && !known.stage.is_over())
            .map(|known| known.window.id.clone())
            .filter(|id| !planned.contains(id.as_str()))
            .collect();
        missing.iter().for_each(|id| self.call_off_now(id, turn));
        for window in &plan.maintenance {
            match self.works.get(&window.id) {
                // One that was called off or ended, and is in the configuration again, is another one.
                Some(known) if known.stage.is_over() => {
                    let again = known.stage == Stage::Cancelled || known.window != *window;
                    if again && window.until > turn.at {
                        self.works.remove(&window.id);
                        self.put_works(window.clone(), Origin::Config, turn);
                    }
                }
                Some(known) if known.window == *window => {}
                // What is past is history; a configuration may keep it.
                None if window.until <= turn.at => {}
                Some(_) | None => {
                    self.put_works(window.clone(), Origin::Config, turn);
                }
            }
        }
        self.settle_works(turn);
    }

    /// A person plans a maintenance, or changes one.
    pub(super) fn maintain(&mut self, draft: Draft, by: String, turn: &mut Turn) -> Result<Arc<Maintenance>, Refusal> {
        let known = self.works.get(&draft.id).cloned();
        let window = draft.over(known.as_ref().map(|known| &known.window));
        let refuse = |why| Refusal::BadMaintenance { id: window.id.clone(), why };
        if !is_id(&window.id) {
            return Err(refuse(BadMaintenance::BadId));
        }
        if window.until <= window.from {
            return Err(refuse(BadMaintenance::EndsFirst));
        }
        if window.until <= turn.at {
            return Err(refuse(BadMaintenance::Past));
        }
        if window.until.since(window.from) > LONGEST {
            return Err(refuse(BadMaintenance::TooLong));
        }
        if self.within(&window.scope).next().is_none() {
            return Err(refuse(BadMaintenance::NothingThere));
        }
        if known.is_none()
            && self.works.len() >= MAX_MAINTENANCE
            && !self.works.values().any(|known| known.stage.is_over())
        {
            return Err(refuse(BadMaintenance::TooMany));
        }
        if let Some(known) = known {
            if known.origin == Origin::Config {
                return Err(refuse(BadMaintenance::Configured));
            }
            match known.stage {
                Stage::Ended | Stage::Cancelled => return Err(refuse(BadMaintenance::Over)),
                Stage::Active if known.window.from != window.from || known.window.scope != window.scope => {
                    return Err(refuse(BadMaintenance::Begun));
                }
                Stage::Planned | Stage::Active => {}
            }
            if known.window == window {
                return Ok(known);
            }
        }
        let planned = self.put_works(window, Origin::Staff(by), turn);
        self.settle_works(turn);
        Ok(planned)
    }

    /// A person calls a maintenance off; one that is active ends now.
    pub(super) fn call_off(&mut self, id: &str, turn: &mut Turn) -> Result<Arc<Maintenance>, Refusal> {
        let Some(known) = self.works.get(id) else {
            return Err(Refusal::UnknownMaintenance { id: id.into() });
        };
        let refuse = |why| Err(Refusal::BadMaintenance { id: id.into(), why });
        if known.stage.is_over() {
            return refuse(BadMaintenance::Over);
        }
        if known.origin == Origin::Config {
            return refuse(BadMaintenance::Configured);
        }
        self.call_off_now(id, turn);
        self.settle_works(turn);
        self.works.get(id).cloned().ok_or_else(|| Refusal::UnknownMaintenance { id: id.into() })
    }

    fn call_off_now(&mut self, id: &str, turn: &mut Turn) {
        let Some(known) = self.works.get(id) else { return };
        let mut off = Maintenance { revision: known.revision + 1, announced_at: turn.at, ..(**known).clone() };
        if off.stage == Stage::Active {
            off.window.until = turn.at;
        } else {
            off.stage = Stage::Cancelled;
        }
        let touched = self.touched_by(&off.window.scope).into_iter();
        let told = |(customer, lines)| Affected { customer, kind: LetterKind::Cancelled, lines, spared: Vec::new() };
        let affected = touched.map(told).collect();
        self.publish(off, affected, turn);
        self.works_due(id, turn);
    }

    fn put_works(&mut self, window: Window, origin: Origin, turn: &mut Turn) -> Arc<Maintenance> {
        let known = self.works.get(&window.id).cloned();
        let known = known.as_deref();
        // One that is on and is to begin later is over for now.
        let goes_on = |known: &&Maintenance| window.from <= turn.at || known.stage != Stage::Active;
        let stage = known.filter(goes_on).map_or(Stage::Planned, |known| known.stage);
        let revision = known.map_or(1, |known| known.revision + 1);
        let id = window.id.clone();
        let planned_at = known.map_or(turn.at, |known| known.planned_at);
        let planned = Maintenance { window, origin, revision, planned_at, announced_at: turn.at, stage };
        let affected = self.affected(&planned.window.scope, known.map(|known| &known.window.scope));
        self.forget_old_works();
        self.publish(planned, affected, turn);
        self.works_due(&id, turn);
        self.works[&id].clone()
    }

    fn forget_old_works(&mut self) {
        if self.works.len() >= MAX_MAINTENANCE {
            let over = self.works.values().filter(|known| known.stage.is_over());
            if let Some(oldest) = over.min_by_key(|known| known.window.until).map(|known| known.window.id.clone()) {
                self.works.remove(&oldest);
            }
        }
    }

    /// Writes a maintenance down and tells the customers whose lines it touches.
    fn publish(&mut self, planned: Maintenance, affected: Vec<Affected>, turn: &mut Turn) {
        let planned = Arc::new(planned);
        self.works.insert(planned.window.id.clone(), Arc::clone(&planned));
        turn.maintenance.push(Arc::clone(&planned));
        turn.facts.push(Fact::MaintenancePlanned(Arc::clone(&planned)));
        self.desk.announce(&planned, affected, turn);
    }

    /// Whom a maintenance of this scope is announced to, and who is told that it has another one now.
    fn affected(&self, scope: &Scope, before: Option<&Scope>) -> Vec<Affected> {
        let mut touched = self.touched_by(scope);
        let mut before = before.map(|before| self.touched_by(before)).unwrap_or_default();
        let customers: BTreeSet<String> = touched.keys().chain(before.keys()).cloned().collect();
        let told = |customer: String| {
            let lines = touched.remove(&customer).unwrap_or_default();
            let mut spared = before.remove(&customer).unwrap_or_default();
            let kind = match (lines.is_empty(), spared.is_empty()) {
                (true, _) => LetterKind::Cancelled,
                (false, true) => LetterKind::Announced,
                (false, false) => LetterKind::Revised,
            };
            let kept: BTreeSet<_> = lines.iter().collect();
            spared.retain(|line| !kept.contains(line));
            Affected { customer, kind, lines, spared }
        };
        customers.into_iter().map(told).collect()
    }

    /// Id and service order of each line within a scope, by customer.
    fn touched_by(&self, scope: &Scope) -> BTreeMap<String, Vec<(String, String)>> {
        let mut touched: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
        for (_, device) in self.within(scope) {
            if let Some(circuit) = device.circuit() {
                touched
                    .entry(circuit.customer.to_string())
                    .or_default()
                    .push((device.id.to_string(), circuit.order.to_string()));
            }
        }
        touched
    }

    /// The devices of a scope, with all that is reached through them.
    fn within<'a>(&'a self, scope: &'a Scope) -> impl Iterator<Item = (Slot, &'a Arc<Device>)> {
        let root = match scope {
            Scope::Device(id) => self.slot(id),
            Scope::Group(..) => None,
        };
        self.devices().filter(move |(slot, device)| match scope {
            Scope::Device(_) => root.is_some_and(|root| *slot == root || self.is_below(*slot, root)),
            Scope::Group(kind, name) => device.is_of(*kind, name),
        })
    }

    /// A maintenance may begin or end now. What that means for its devices is settled once for all that do.
    fn works_due(&mut self, id: &str, turn: &mut Turn) {
        let Some(known) = self.works.get(id).cloned() else { return };
        let Window { from, until, .. } = known.window;
        match known.stage {
            Stage::Planned if until <= turn.at => {
                self.set_stage(&known, Stage::Active, turn);
                self.works_due(id, turn);
            }
            Stage::Planned if from <= turn.at => self.set_stage(&known, Stage::Active, turn),
            Stage::Active if until <= turn.at => self.set_stage(&known, Stage::Ended, turn),
            Stage::Planned | Stage::Active | Stage::Ended | Stage::Cancelled => {}
        }
        if let Some(at) = self.works.get(id).and_then(|known| next_edge(known)) {
            self.next_works = Some(self.next_works.map_or(at, |next| next.min(at)));
        }
    }

    /// All maintenances that are due.
    pub(super) fn tend_works(&mut self, turn: &mut Turn) {
        if self.next_works.is_none_or(|at| at > turn.at) {
            return;
        }
        self.next_works = None;
        let waiting: Vec<String> = self
            .works
            .values()
            .filter(|known| next_edge(known).is_some())
            .map(|known| known.window.id.clone())
            .collect();
        waiting.iter().for_each(|id| self.works_due(id, turn));
        self.settle_works(turn);
    }

    fn set_stage(&mut self, known: &Arc<Maintenance>, stage: Stage, turn: &mut Turn) {
        let next = Arc::new(Maintenance { stage, ..(**known).clone() });
        let (id, scope) = (next.window.id.clone(), next.window.scope.clone());
        self.works.insert(id.clone(), Arc::clone(&next));
        turn.maintenance.push(next);
        let touched: Vec<Slot> = self.within(&scope).map(|(slot, _)| slot).collect();
        let units = |watch: &Self, lost: bool| {
            let is_unit = |slot: &&Slot| {
                let is_lost = watch.evidence[slot.index()].verdict() == Verdict::Loss;
                let device = watch.devices[slot.index()].as_ref();
                device.is_some_and(|device| device.circuit().is_some()) && (is_lost || !lost)
            };
            touched.iter().filter(is_unit).count()
        };
        turn.facts.push(match stage {
            Stage::Active => Fact::MaintenanceBegan { id, scope, units: units(self, false) },
            Stage::Planned | Stage::Ended | Stage::Cancelled => {
                Fact::MaintenanceEnded { id, scope, lost: units(self, true) }
            }
        });
    }

    /// Maintenances have begun or ended: the devices for which that makes a difference are told, once.
    fn settle_works(&mut self, turn: &mut Turn) {
        for slot in self.find_maintained() {
            self.excuse(slot, turn);
        }
    }

    /// Whether a loss is expected changed for a device.
    fn excuse(&mut self, slot: Slot, turn: &mut Turn) {
        let expected = self.polls[slot.index()].maintained;
        let shift = self.evidence[slot.index()].excuse(slot, turn.at, expected);
        self.shifted(shift, turn);
        if !expected {
            // What was measured meanwhile says nothing of the line.
            self.health[slot.index()].start_over(turn.at);
            self.polls[slot.index()].strip.restart_window();
            if let Some(at) = self.fault_at(slot) {
                self.deadlines.push(Reverse((at, Deadline::Fault(slot))));
            }
        }
    }

    /// Finds anew which devices are being maintained, and for which that changed.
    fn find_maintained(&mut self) -> Vec<Slot> {
        let (mut roots, mut groups) = (BTreeSet::new(), BTreeSet::new());
        for known in self.works.values().filter(|known| known.stage == Stage::Active) {
            match &known.window.scope {
                Scope::Device(id) => roots.extend(self.slot(id)),
                Scope::Group(kind, name) => {
                    groups.insert((*kind, name.as_str()));
                }
            }
        }
        let is_maintained = |slot: Slot, device: &Device| {
            let is_below = || self.ancestors(slot).any(|parent| roots.contains(&parent));
            let in_group = || device.groups().any(|group| groups.contains(&group));
            !roots.is_empty() && (roots.contains(&slot) || is_below()) || !groups.is_empty() && in_group()
        };
        let changed: Vec<Slot> = self
            .devices()
            .filter(|&(slot, device)| self.polls[slot.index()].maintained != is_maintained(slot, device))
            .map(|(slot, _)| slot)
            .collect();
        for slot in &changed {
            let maintained = &mut self.polls[slot.index()].maintained;
            *maintained = !*maintained;
        }
        changed
    }

    /// Somebody set the wall clock, by which people plan: what is yet to come moves along.
    pub(super) fn move_works(&mut self, by_ms: i64, turn: &mut Turn) {
        let by = Duration::from_millis(by_ms.unsigned_abs());
        let moved = |at: Time| if by_ms > 0 { at - by } else { at + by };
        for known in self.works.values_mut().filter(|known| !known.stage.is_over()) {
            let Maintenance { window, stage, .. } = Arc::make_mut(known);
            if *stage == Stage::Planned {
                window.from = moved(window.from);
            }
            window.until = moved(window.until);
            turn.maintenance.push(Arc::clone(known));
        }
        self.next_works = self.works.values().filter_map(|known| next_edge(known)).min();
    }
}

/// When a maintenance begins or ends next.
const fn next_edge(known: &Maintenance) -> Option<Time> {
    match known.stage {
        Stage::Planned => Some(known.window.from),
        Stage::Active => Some(known.window.until),
        Stage::Ended | Stage::Cancelled => None,
    }
}
