//! The inventory of the running watch: who joins, who stays, who leaves.

use super::cap::Caps;
use super::device::{Device, Place, Role, Slot};
use super::evidence::Evidence;
use super::health::Health;
use super::ledger::{Interval, Reason, Verdict};
use super::rounds::Poll;
use super::symptom::Symptom;
use super::{Deadline, Watch};
use crate::domain::desk::Line;
use crate::domain::fact::Fact;
use crate::domain::plan::Plan;
use crate::domain::time::Time;
use crate::domain::turn::{DeviceRow, Turn};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::net::IpAddr;

/// The slots of all devices in the order of the devices' ids, by which they are found.
#[derive(Clone, Debug, Default)]
pub(super) struct Order(Vec<Slot>);

impl Order {
    fn of(devices: &[Option<Arc<Device>>]) -> Self {
        let seated = devices.iter().zip(0..).filter_map(|(device, slot)| Some((device.as_ref()?.id.as_str(), slot)));
        let mut seated: Vec<(&str, u32)> = seated.collect();
        seated.sort_unstable();
        Self(seated.into_iter().map(|(_, slot)| Slot(slot)).collect())
    }

    /// The slot of one of the `devices`, of which this is the order.
    pub(super) fn find(&self, devices: &[Option<Arc<Device>>], id: &str) -> Option<Slot> {
        let id_of = |slot: &Slot| devices[slot.index()].as_ref().map(|device| device.id.as_str());
        let place = self.0.binary_search_by(|slot| id_of(slot).cmp(&Some(id))).ok()?;
        self.0.get(place).copied()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Slot> {
        self.0.iter().copied()
    }

    pub(super) const fn len(&self) -> usize {
        self.0.len()
    }
}

/// Rows of the store in the order of the devices' ids, and whether their device is still there. There may be a million:
/// a map would move each of them twice.
struct Remembered(Vec<(DeviceRow, bool)>);

impl Remembered {
    fn new(rows: Vec<DeviceRow>) -> Self {
        let mut rows: Vec<_> = rows.into_iter().map(|row| (row, false)).collect();
        rows.sort_by(|(one, _), (other, _)| one.id.cmp(&other.id));
        Self(rows)
    }

    fn find(&mut self, id: &str) -> Option<&DeviceRow> {
        let place = self.0.binary_search_by(|(row, _)| row.id.as_str().cmp(id)).ok()?;
        let (row, is_there) = self.0.get_mut(place)?;
        *is_there = true;
        Some(row)
    }

    fn others(self) -> impl Iterator<Item = DeviceRow> {
        self.0.into_iter().filter(|(_, is_there)| !is_there).map(|(row, _)| row)
    }
}

impl Watch {
    /// Sets the watch up from what the store remembers; nobody has watched since `until`.
    pub(super) fn restore(&mut self, saved: Vec<DeviceRow>, plan: &Plan, until: Time, turn: &mut Turn) {
        let mut saved = Remembered::new(saved);
        self.set_rules(plan);
        self.reserve(plan.devices.len());
        for device in &plan.devices {
            match saved.find(device.id.as_str()) {
                Some(row) => {
                    let mut evidence = row.evidence.clone();
                    evidence.answered_until(until - device.rules.pace.interval);
                    let slot = self.seat(device, evidence, row.address, turn.at);
                    self.health[slot.index()] = Health::restored(row.baseline);
                    self.polls[slot.index()].restore_agent(row.agent);
                    let shift = self.evidence[slot.index()].blind(slot, until, Verdict::Unobserved, Reason::Stopped);
                    self.shifted(shift, turn);
                }
                None => self.join(device, turn),
            }
        }
        for row in saved.others() {
            Self::leave(&row.id, &row.evidence, until, turn);
            self.desk.line_is(&row.id, Line::Withdrawn, until, turn);
        }
        self.note_wakes(turn);
        self.count_fleet(turn.at);
        self.plan_canary(plan.canary.as_ref(), turn.at);
    }

    /// Takes over a changed inventory. Who stays is asked on as before.
    pub(super) fn plan(&mut self, plan: &Plan, turn: &mut Turn) {
        self.set_rules(plan);
        let mut leaving: BTreeMap<String, Slot> =
            self.devices().map(|(slot, device)| (device.id.to_string(), slot)).collect();
        let (mut added, mut kept) = (0, 0);
        let mut joining = Vec::new();
        for device in &plan.devices {
            match leaving.remove(device.id.as_str()) {
                Some(slot) => {
                    kept += 1;
                    self.stay(slot, device, turn);
                }
                None => joining.push(device),
            }
        }
        let removed = leaving.len();
        for (id, slot) in leaving {
            Self::leave(&id, &self.evidence[slot.index()], turn.at, turn);
            self.desk.line_is(&id, Line::Withdrawn, turn.at, turn);
            self.forget_round(slot);
            self.wheel.remove(slot);
            self.devices[slot.index()] = None;
            self.free.push(slot);
        }
        self.reserve(joining.len());
        for device in joining {
            added += 1;
            self.join(device, turn);
        }
        self.note_wakes(turn);
        self.count_fleet(turn.at);
        self.plan_works(plan, turn);
        self.tend_works(turn);
        self.plan_canary(plan.canary.as_ref(), turn.at);
        turn.replanned = true;
        turn.facts.push(Fact::InventoryChanged { added, removed, kept });
    }

    fn set_rules(&mut self, plan: &Plan) {
        self.desk.set_rules(plan);
    }

    fn reserve(&mut self, more: usize) {
        self.devices.reserve(more);
        self.evidence.reserve(more);
        self.polls.reserve(more);
        self.health.reserve(more);
        self.wheel.grow(self.devices.len() + more);
    }

    fn count_fleet(&mut self, now: Time) {
        self.order = Order::of(&self.devices);
        let mut sentinels = [false; Place::ALL.len()];
        for (_, device) in self.devices() {
            if let Some(place) = device.role.place() {
                sentinels[place as usize] = true;
            }
        }
        self.find_parents();
        self.find_caps(now);
        self.senders = None;
        let counted = self.order.iter().filter_map(|slot| {
            let device = self.devices[slot.index()].as_ref()?;
            (!device.is_sentinel()).then_some(device.rules.pace.interval)
        });
        self.crowd.recount(counted);
        let refused = self.order.iter().filter(|slot| self.polls[slot.index()].refused).count();
        self.isolation.set_fleet(self.order.len(), sentinels, refused, now);
    }

    /// Finds everybody's cap anew. Who waits goes on waiting.
    fn find_caps(&mut self, now: Time) {
        let fleet = |slot: Slot| self.devices.get(slot.index())?.as_deref();
        let mut caps = Caps::new(fleet, self.devices.len(), |slot| self.ancestors(slot), now);
        for (class, asked, slot) in self.caps.waiting() {
            if caps.holds(slot) {
                caps.wait(slot, asked, class);
            } else if self.devices[slot.index()].is_some() {
                self.wheel.set(slot, now);
            }
        }
        self.caps = caps;
    }

    fn join(&mut self, device: &Arc<Device>, turn: &mut Turn) {
        let slot = self.seat(device, Evidence::new(turn.at), None, turn.at);
        self.changed.push(slot);
        turn.touched.push(slot);
        if self.desk.open_case_of(&device.id).is_some() {
            let line = Line::Watched(Verdict::Unobserved, Reason::Added);
            self.desk.line_is(&device.id, line, turn.at, turn);
        }
    }

    /// Gives a device a slot and its place in the schedule.
    fn seat(&mut self, device: &Arc<Device>, evidence: Evidence, known: Option<IpAddr>, now: Time) -> Slot {
        let slot = self.free.pop().unwrap_or_else(|| {
            let slot = Slot(u32::try_from(self.devices.len()).unwrap_or(u32::MAX));
            self.devices.push(None);
            self.evidence.push(evidence.clone());
            self.polls.push(Poll::new(slot, device, known, now));
            self.health.push(Health::default());
            slot
        });
        self.evidence[slot.index()] = evidence;
        self.polls[slot.index()].renew(slot, device, known, now);
        self.health[slot.index()] = Health::default();
        self.devices[slot.index()] = Some(Arc::clone(device));
        self.wheel.grow(self.devices.len());
        // Regular times that fall on this very instant count: a device is first asked within its first interval.
        self.schedule_regular(slot, now - core::time::Duration::from_millis(1));
        slot
    }

    fn stay(&mut self, slot: Slot, device: &Arc<Device>, turn: &mut Turn) {
        let Some(before) = self.devices[slot.index()].clone().filter(|before| before != device) else { return };
        self.devices[slot.index()] = Some(Arc::clone(device));
        if before.host != device.host {
            // A new address begins a new series of probes; what was known of the line stays.
            self.disown_round(slot);
            self.polls[slot.index()].resolved = None;
            self.changed.push(slot);
            if device.host.name().is_some() {
                let unseen = (Verdict::Unobserved, Reason::Unresolved);
                let shift = self.evidence[slot.index()].blind(slot, turn.at, unseen.0, unseen.1);
                self.shifted(shift, turn);
            }
        }
        let strip_of =
            |device: &Device| (device.rules.pace.interval, device.rules.pace.history, device.rules.limits.window);
        if strip_of(&before) != strip_of(device) {
            self.keep_strip(slot, turn);
            self.polls[slot.index()].renew_settings(slot, device, turn.at);
            self.schedule_regular(slot, turn.at);
        }
        if before.rules.limits != device.rules.limits || before.rules.snmp != device.rules.snmp {
            let is_seen = |symptom: Symptom| device.rules.snmp.is_some() || !symptom.is_of_agent();
            self.judge_anew(slot, |symptom| device.rules.limits.looks_at(symptom) && is_seen(symptom), turn);
        }
        let evidence = &self.evidence[slot.index()];
        if before.rules.pace.down_after != device.rules.pace.down_after
            && evidence.trouble().is_some_and(|trouble| trouble.fault_at == Some(before.rules.pace.down_after))
        {
            self.rearm(slot, Some(device.rules.pace.down_after));
        } else if before.role == Role::Node && device.circuit().is_some() {
            // Its loss was a node's; now it is a customer's.
            self.rearm(slot, Some(device.rules.pace.down_after));
        } else if let Some(at) = self.fault_at(slot) {
            self.deadlines.push(Reverse((at, Deadline::Fault(slot))));
        }
    }

    /// Closes the ledger of a device that is not watched any more.
    fn leave(id: &str, evidence: &Evidence, at: Time, turn: &mut Turn) {
        if at > evidence.since() {
            turn.intervals.push(Interval {
                device: id.into(),
                from: evidence.since(),
                until: at,
                verdict: evidence.verdict(),
                reason: evidence.reason(),
            });
        }
        turn.gone.push(id.into());
    }

    /// A host name was resolved.
    pub(super) fn resolved(&mut self, device: &str, host: &str, address: IpAddr) {
        let Some(slot) = self.slot(device) else { return };
        if self.devices[slot.index()].as_ref().is_none_or(|device| device.host.name() != Some(host)) {
            return;
        }
        let poll = &mut self.polls[slot.index()];
        if poll.resolved.as_deref() != Some(&address) {
            poll.resolved = Some(Box::new(address));
            self.senders = None;
            self.disown_round(slot);
            self.changed.push(slot);
        }
    }
}
