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
use crate::domain::turn::Turn;
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::net::IpAddr;

/// Devices of a changed inventory that one turn takes over: as many as nobody's round waits for.
pub(super) const MAX_TAKEN_OVER_A_TURN: usize = 10_000;

/// A changed inventory on its way into force.
#[derive(Clone, Debug)]
pub(super) struct Takeover {
    plan: Box<Plan>,
    /// The first of its devices that was not looked at yet.
    next: usize,
    /// By slot: whether the device is in it.
    stays: Vec<bool>,
    /// Who has no slot yet.
    joining: Vec<Arc<Device>>,
}

/// The slots of all devices in the order of the devices' ids, by which they are found.
#[derive(Clone, Debug, Default)]
pub(super) struct Order(Vec<Slot>);

impl Order {
    /// Who is not there any more is taken out, and who has `joined` the `devices` finds a place.
    pub(super) fn change(&mut self, joined: &[Slot], devices: &[Option<Arc<Device>>]) {
        let slots = self.iter().chain(joined.iter().copied());
        let seated = slots.filter_map(|slot| Some((devices[slot.index()].as_ref()?.id.as_bytes(), slot)));
        let mut seated: Vec<_> = seated.collect();
        // Most of it is in order already. A slot that was left and taken again is in it twice.
        seated.sort();
        seated.dedup();
        self.0 = seated.into_iter().map(|(_, slot)| slot).collect();
    }

    /// The slot of one of the `devices`, of which this is the order.
    pub(super) fn find(&self, devices: &[Option<Arc<Device>>], id: &str) -> Option<Slot> {
        let id_of = |slot: &Slot| devices[slot.index()].as_ref().map(|device| device.id.as_bytes());
        let place = self.0.binary_search_by(|slot| id_of(slot).cmp(&Some(id.as_bytes()))).ok()?;
        self.0.get(place).copied()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Slot> {
        self.0.iter().copied()
    }

    pub(super) const fn len(&self) -> usize {
        self.0.len()
    }
}

impl Watch {
    /// Begins to take over a changed inventory. Who stays is asked on as before. One that is on its way is forgotten: of
    /// that, nobody has joined or left yet.
    pub(super) fn plan(&mut self, plan: Box<Plan>, turn: &mut Turn) {
        let routing = Arc::clone(self.desk.parties());
        self.set_rules(&plan);
        self.desk.look_who_is_in_reach(turn);
        if routing.routing != plan.parties.routing {
            self.note_deadlines();
        }
        let stays = vec![false; self.devices.len()];
        self.takeover = Some(Takeover { plan, next: 0, stays, joining: Vec::new() });
        self.take_over(turn);
    }

    /// Goes on with the inventory that is on its way, if there is one. In the end it is in force as a whole.
    pub(super) fn take_over(&mut self, turn: &mut Turn) {
        let Some(mut takeover) = self.takeover.take() else { return };
        let Takeover { plan, next, stays, joining } = &mut takeover;
        for device in plan.devices.iter().skip(*next).take(MAX_TAKEN_OVER_A_TURN) {
            match self.slot(&device.id) {
                Some(slot) => {
                    stays[slot.index()] = true;
                    self.stay(slot, device, turn);
                }
                None => joining.push(Arc::clone(device)),
            }
        }
        *next += MAX_TAKEN_OVER_A_TURN;
        if *next < plan.devices.len() {
            self.takeover = Some(takeover);
        } else {
            self.complete(&takeover, turn);
        }
    }

    /// All who stay were told: others leave and join.
    fn complete(&mut self, takeover: &Takeover, turn: &mut Turn) {
        let Takeover { plan, stays, joining, .. } = takeover;
        let leaving: Vec<Slot> = self.order.iter().filter(|slot| !stays[slot.index()]).collect();
        for &slot in &leaving {
            let Some(device) = self.devices[slot.index()].take() else { continue };
            Self::leave(&device.id, &self.evidence[slot.index()], turn.at, turn);
            self.desk.line_is(&device.id, Line::Withdrawn, turn.at, turn);
            self.forget_round(slot);
            self.wheel.remove(slot);
            self.free.push(slot);
            turn.touched.push(slot);
        }
        self.reserve(joining.len());
        let joined: Vec<Slot> = joining.iter().map(|device| self.join(device, turn)).collect();
        self.order.change(&joined, &self.devices);
        self.count_fleet(turn.at);
        self.plan_works(plan, turn);
        self.tend_works(turn);
        self.plan_canary(plan.canary.as_ref(), turn.at);
        self.desk.review_agreements();
        turn.replanned = true;
        let (added, removed) = (joined.len(), leaving.len());
        turn.facts.push(Fact::InventoryChanged { added, removed, kept: plan.devices.len() - added });
    }

    pub(super) fn set_rules(&mut self, plan: &Plan) {
        self.desk.set_rules(plan);
    }

    /// Open cases owe what is agreed with their customers by now.
    pub(super) fn review_agreements(&mut self, turn: &mut Turn) {
        let (order, devices) = (&self.order, &self.devices);
        let circuit_of = |unit: &str| devices[order.find(devices, unit)?.index()].as_ref()?.circuit();
        self.desk.go_on_reviewing(circuit_of, turn);
    }

    /// Puts all that open cases wait for among the deadlines.
    pub(super) fn note_deadlines(&mut self) {
        for (at, reference) in self.desk.deadlines() {
            self.deadlines.push(Reverse((at, Deadline::Case(reference))));
        }
    }

    pub(super) fn reserve(&mut self, more: usize) {
        self.devices.reserve(more);
        self.evidence.reserve(more);
        self.polls.reserve(more);
        self.health.reserve(more);
        self.wheel.grow(self.devices.len() + more);
    }

    pub(super) fn count_fleet(&mut self, now: Time) {
        let mut sentinels = [false; Place::ALL.len()];
        for (_, device) in self.devices() {
            if let Some(place) = device.role.place() {
                sentinels[place as usize] = true;
            }
        }
        self.find_parents();
        self.find_caps(now);
        self.senders = None;
        self.lines_of = None;
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

    fn join(&mut self, device: &Arc<Device>, turn: &mut Turn) -> Slot {
        let slot = self.seat(device, turn.at);
        self.welcome(slot, &device.id, turn);
        slot
    }

    /// The device in a slot is new.
    pub(super) fn welcome(&mut self, slot: Slot, id: &str, turn: &mut Turn) {
        self.changed.push(slot);
        turn.touched.push(slot);
        self.desk.line_is(id, Line::Watched(Verdict::Unobserved, Reason::Added), turn.at, turn);
    }

    /// Gives a device a slot and its place in the schedule.
    pub(super) fn seat(&mut self, device: &Arc<Device>, now: Time) -> Slot {
        let slot = if let Some(slot) = self.free.pop() {
            self.evidence[slot.index()] = Evidence::new(now);
            self.polls[slot.index()].renew(slot, device, None, now);
            self.health[slot.index()] = Health::default();
            self.devices[slot.index()] = Some(Arc::clone(device));
            slot
        } else {
            let slot = Slot(u32::try_from(self.devices.len()).unwrap_or(u32::MAX));
            self.evidence.push(Evidence::new(now));
            self.polls.push(Poll::new(slot, device, None, now));
            self.health.push(Health::default());
            self.devices.push(Some(Arc::clone(device)));
            slot
        };
        self.wheel.grow(self.devices.len());
        // Regular times that fall on this very instant count: a device is first asked within its first interval.
        self.schedule_regular(slot, now - core::time::Duration::from_millis(1));
        slot
    }

    fn stay(&mut self, slot: Slot, device: &Arc<Device>, turn: &mut Turn) {
        let Some(before) = self.devices[slot.index()].clone().filter(|before| before != device) else { return };
        self.devices[slot.index()] = Some(Arc::clone(device));
        turn.touched.push(slot);
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
    pub(super) fn leave(id: &str, evidence: &Evidence, at: Time, turn: &mut Turn) {
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
            self.lines_of = None;
            self.disown_round(slot);
            self.changed.push(slot);
        }
    }
}
