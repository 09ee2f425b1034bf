//! The start of the watch, in steps: everybody has a seat and is asked while the store is still being read.

use super::correlation::{Losses, Parents};
use super::crowd::Crowd;
use super::device::Slot;
use super::fleet::Order;
use super::health::Health;
use super::isolation::Isolation;
use super::ledger::{Reason, Verdict};
use super::schedule::Wheel;
use super::works::Works;
use super::{Caps, Saved, Watch};
use crate::domain::desk::{Desk, Line, SavedDesk};
use crate::domain::fact::Fact;
use crate::domain::maintenance::Maintenance;
use crate::domain::plan::Plan;
use crate::domain::time::Time;
use crate::domain::turn::{DeviceRow, Turn};
use alloc::boxed::Box;
use alloc::collections::BinaryHeap;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// A watch that asks already, and does not conclude anything yet: its desk is not there.
///
/// First [`recall`](Self::recall), then [`ask`](Self::ask) as often as there is time for, in the end [`open`](Self::open).
#[derive(Debug)]
pub struct Muster {
    watch: Watch,
    /// Nobody has watched since.
    until: Time,
}

impl Watch {
    /// Begins to watch. What happened since the store's last word is UNOBSERVED; it is never guessed.
    #[must_use]
    pub fn start(saved: Saved, plan: &Plan, turn: &mut Turn) -> Self {
        let mut muster = Muster::new(plan, turn.at);
        muster.recall(saved.devices, saved.watched_until, turn);
        muster.open(Desk::new(saved.desk, turn.at), saved.maintenance, plan, turn)
    }

    fn new(now: Time) -> Self {
        Self {
            devices: Vec::new(),
            order: Order::default(),
            free: Vec::new(),
            evidence: Vec::new(),
            polls: Vec::new(),
            health: Vec::new(),
            parents: Parents::default(),
            caps: Caps::default(),
            senders: None,
            lines_of: None,
            crowd: Crowd::default(),
            losses: Losses::default(),
            works: Works::new(),
            next_works: Some(now),
            canary: None,
            next_tending: Some(now),
            own_side: None,
            impaired_at: Some(now),
            wheel: Wheel::new(now),
            deadlines: BinaryHeap::new(),
            isolation: Isolation::new(now),
            desk: Desk::new(SavedDesk::default(), now),
            changed: Vec::new(),
            due: Vec::new(),
            takeover: None,
            last_step: now,
            started_at: now,
            trusted_from: now,
        }
    }

    /// What the store remembers of a device; nobody has watched since `until`.
    fn restore(&mut self, slot: Slot, row: DeviceRow, until: Time, turn: &mut Turn) {
        let Some(device) = &self.devices[slot.index()] else { return };
        let poll = &mut self.polls[slot.index()];
        poll.resolved = row.address.filter(|_| device.host.name().is_some()).map(Box::new);
        poll.restore_agent(row.agent);
        self.health[slot.index()] = Health::restored(row.baseline);
        let evidence = &mut self.evidence[slot.index()];
        *evidence = row.evidence;
        evidence.answered_until(until - device.rules.pace.interval);
        let shift = evidence.blind(slot, until, Verdict::Unobserved, Reason::Stopped);
        self.shifted(shift, turn);
    }

    /// Tells every open case what its line does by now.
    fn tell_desk(&mut self, until: Time, turn: &mut Turn) {
        let Self { order, devices, evidence, desk, .. } = self;
        let seats = order.iter().filter_map(|slot| Some((slot, devices[slot.index()].as_ref()?.id.as_bytes())));
        let mut seats = seats.peekable();
        let line_of = |unit: &str| {
            while seats.next_if(|&(_, id)| id < unit.as_bytes()).is_some() {}
            match seats.peek().filter(|&&(_, id)| id == unit.as_bytes()) {
                Some((slot, _)) => {
                    let evidence = &evidence[slot.index()];
                    (Line::Watched(evidence.verdict(), evidence.reason()), evidence.since())
                }
                None => (Line::Withdrawn, until),
            }
        };
        desk.lines_are(line_of, turn);
    }
}

impl Muster {
    /// Gives everybody a seat, and a time at which it is asked.
    #[must_use]
    pub fn new(plan: &Plan, now: Time) -> Self {
        let mut watch = Watch::new(now);
        watch.reserve(plan.devices.len());
        let seated: Vec<Slot> = plan.devices.iter().map(|device| watch.seat(device, now)).collect();
        watch.order.change(&seated, &watch.devices);
        watch.count_fleet(now);
        Self { watch, until: now }
    }

    /// Takes over what the store remembers of devices. What happened since its last word, `watched_until`, is UNOBSERVED.
    pub fn recall(&mut self, mut rows: Vec<DeviceRow>, watched_until: Option<Time>, turn: &mut Turn) {
        turn.facts.push(Fact::MonitorStarted { watched_until });
        self.until = watched_until.unwrap_or(turn.at).min(turn.at);
        let (watch, until) = (&mut self.watch, self.until);
        // Both in the order of ids: there may be a million to be matched.
        rows.sort_by(|one, other| one.id.cmp(&other.id));
        let mut rows = rows.into_iter().peekable();
        for slot in watch.all_slots() {
            let Some(device) = watch.devices[slot.index()].clone() else { continue };
            while let Some(gone) = rows.next_if(|row| row.id.as_bytes() < device.id.as_bytes()) {
                Watch::leave(&gone.id, &gone.evidence, until, turn);
            }
            match rows.next_if(|row| row.id.as_bytes() == device.id.as_bytes()) {
                Some(row) => watch.restore(slot, row, until, turn),
                None => watch.welcome(slot, &device.id, turn),
            }
        }
        rows.for_each(|gone| Watch::leave(&gone.id, &gone.evidence, until, turn));
    }

    /// Asks those who are due now. Their answers wait for the watch.
    pub fn ask(&mut self, turn: &mut Turn) {
        self.watch.last_step = turn.at;
        self.watch.send_due(turn);
    }

    /// The desk is there: from now on it is a watch.
    #[must_use]
    pub fn open(self, desk: Desk, maintenance: Vec<Maintenance>, plan: &Plan, turn: &mut Turn) -> Watch {
        let Self { mut watch, until } = self;
        watch.desk = desk;
        watch.works = maintenance.into_iter().map(|known| (known.window.id.clone(), Arc::new(known))).collect();
        watch.set_rules(plan);
        watch.desk.look_who_is_in_reach(turn);
        watch.tell_desk(until, turn);
        watch.note_wakes(turn);
        watch.plan_canary(plan.canary.as_ref(), turn.at);
        watch.plan_works(plan, turn);
        watch.tend_works(turn);
        watch.note_deadlines();
        watch.desk.review_agreements();
        watch.desk.tend_duty(turn);
        watch.seal(turn);
        watch
    }
}
