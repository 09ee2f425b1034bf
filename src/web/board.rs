//! The board: what the loop shows of the watch after each commit.
//!
//! Readers look at a bounded number of rows at a time, so they never hold the loop up for longer than that takes.

use super::parties::{Shift, StaffRow};
use crate::clock::Stopwatch;
use crate::domain::desk::{Alarm, CaseCounts, OutOfReach};
use crate::domain::outbox::Trouble;
use crate::domain::party::{Customer, Parties};
use crate::domain::time::{Calendar, Time};
use crate::domain::view::DeviceStatus;
use crate::domain::watch::{AgentState, Device, Reason, Slot, Verdict};
use crate::domain::word::Word;
use crate::store::Audit;
use core::net::IpAddr;
use core::ops::ControlFlow;
use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// How many rows a reader may look at before it lets the loop in.
pub const MAX_ROWS_A_LOOK: usize = 1_000;

/// The loop lives if it was heard of within this time.
pub const SILENT_AFTER: Duration = Duration::from_secs(10);

/// What is shown of one device.
#[derive(Clone, Debug)]
pub struct Row {
    /// The device.
    pub device: Arc<Device>,
    /// What is known of it.
    pub status: DeviceStatus,
    /// Where its name leads, if it has one.
    resolved: Option<Box<IpAddr>>,
}

impl Row {
    /// That of a device which is asked at `address`.
    #[must_use]
    pub fn new(device: Arc<Device>, address: Option<IpAddr>, status: DeviceStatus) -> Self {
        let mut row = Self { device, status, resolved: None };
        row.resolve(address);
        row
    }

    /// Where the device is asked.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.device.host.address().or(self.resolved.as_deref().copied())
    }

    fn resolve(&mut self, address: Option<IpAddr>) {
        self.resolved = address.filter(|_| self.device.host.name().is_some()).map(Box::new);
    }
}

/// What is shown of the daemon as a whole.
#[derive(Clone, Debug)]
pub struct Summary {
    /// When it was drawn up.
    pub at: Time,
    /// When the daemon started.
    pub started_at: Time,
    /// What wall clocks showed.
    pub calendar: Arc<Calendar>,
    /// Since when and why the monitor is cut off, if it is.
    pub cut_off: Option<(Time, Reason)>,
    /// Why the store takes no commits, if it does not.
    pub store_fault: Option<String>,
    /// The configuration in force.
    pub reload: Reload,
    /// Cases that are not closed.
    pub cases: CaseCounts,
    /// Letters that are not delivered.
    pub letters_queued: usize,
    /// Messages that wait for people.
    pub mails_aside: usize,
    /// Addresses of readers that do not work.
    pub unreachable: usize,
    /// When the oldest of them was written.
    pub oldest_letter: Option<Time>,
    /// How many letters are held back for further lines, and when the last of them goes at the latest.
    pub held: Option<(usize, Time)>,
    /// Why no letters can be delivered, if that is so.
    pub mail_fault: Option<String>,
    /// How messengers do, by their names.
    pub messengers: BTreeMap<String, MessengerState>,
    /// What is wrong with the watch itself.
    pub alarms: Vec<Alarm>,
    /// Umbrellas that are not over.
    pub umbrellas: usize,
    /// Maintenances that are on just now.
    pub maintenance: usize,
    /// Everybody but the customers.
    pub parties: Arc<Parties>,
    /// The customers, by their ids.
    pub customers: Arc<BTreeMap<String, Customer>>,
    /// Customers whom no letter reaches.
    pub out_of_reach: Arc<BTreeMap<String, OutOfReach>>,
    /// Our own, as things stand.
    pub staff: Vec<StaffRow>,
    /// Who has the shift.
    pub shift: Shift,
}

/// How a messenger does.
#[derive(Clone, Debug, Default)]
pub struct MessengerState {
    /// Notices that wait for it.
    pub waiting: usize,
    /// Since when it takes nothing, and why.
    pub trouble: Option<Trouble>,
}

impl Summary {
    /// That of a daemon that has just started and has done nothing yet.
    #[must_use]
    pub fn at_start(at: Time, calendar: Arc<Calendar>) -> Self {
        Self {
            at,
            started_at: at,
            calendar,
            cut_off: None,
            store_fault: None,
            reload: Reload::default(),
            cases: CaseCounts::default(),
            letters_queued: 0,
            mails_aside: 0,
            unreachable: 0,
            oldest_letter: None,
            held: None,
            mail_fault: None,
            messengers: BTreeMap::new(),
            alarms: Vec::new(),
            umbrellas: 0,
            maintenance: 0,
            parties: Arc::default(),
            customers: Arc::default(),
            out_of_reach: Arc::default(),
            staff: Vec::new(),
            shift: Shift::default(),
        }
    }

    /// Why nobody watches, `age` after this was put up; nothing if somebody does.
    #[must_use]
    pub fn failings(&self, age: Duration) -> Vec<String> {
        let mut why = Vec::new();
        if let Some(fault) = &self.store_fault {
            why.push(format!("the store takes no commits: {fault}"));
        }
        if age > SILENT_AFTER {
            why.push(format!("the watch has not moved for {} s", age.as_secs()));
        }
        why
    }
}

/// How the last reload of the configuration went.
#[derive(Clone, Debug, Default)]
pub struct Reload {
    /// When another configuration was taken over, if one was since the start.
    pub at: Option<Time>,
    /// Why the configuration file was refused the last time, if it was: the one before it is in force.
    pub fault: Option<String>,
}

/// What is kept of messages as they came.
#[derive(Clone, Debug, Default)]
pub struct Originals {
    /// How much of it there is.
    pub bytes: u64,
    /// Why further ones are refused, if they are.
    pub refused: Option<String>,
}

/// The board itself. The loop writes, everybody else reads.
#[derive(Debug)]
pub struct Board {
    fleet: RwLock<Fleet>,
    summary: RwLock<(Arc<Summary>, Stopwatch)>,
    audit: RwLock<Audit>,
    originals: RwLock<Originals>,
}

#[derive(Debug, Default)]
struct Fleet {
    /// By slot.
    rows: Vec<Option<Row>>,
    /// The slots of all rows, by the ids of their devices.
    order: Vec<Slot>,
    units: UnitCounts,
}

/// How many units have which verdict, and an SNMP agent in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UnitCounts {
    verdicts: [usize; Verdict::ALL.len()],
    agents: [usize; AgentState::ALL.len()],
}

impl UnitCounts {
    /// Every verdict, and how many units have it.
    pub fn iter(&self) -> impl Iterator<Item = (Verdict, usize)> {
        Verdict::ALL.into_iter().zip(self.verdicts)
    }

    /// Every state of an agent, and how many of the units that are asked by SNMP have theirs in it.
    pub fn agents(&self) -> impl Iterator<Item = (AgentState, usize)> {
        AgentState::ALL.into_iter().zip(self.agents)
    }

    /// The counts that a row is in; nodes and sentinels are in none.
    fn of(&mut self, row: &Row) -> impl Iterator<Item = &mut usize> {
        let verdict = Verdict::ALL.iter().position(|&verdict| verdict == row.status.verdict);
        let agent = AgentState::ALL.iter().position(|&state| state == row.status.agent);
        let is_unit = row.device.circuit().is_some();
        let verdict = verdict.filter(|_| is_unit).and_then(|place| self.verdicts.get_mut(place));
        let asked = is_unit && row.device.rules.snmp.is_some();
        let agent = agent.filter(|_| asked).and_then(|place| self.agents.get_mut(place));
        verdict.into_iter().chain(agent)
    }

    fn add(&mut self, row: &Row) {
        self.of(row).for_each(|count| *count += 1);
    }

    fn remove(&mut self, row: &Row) {
        self.of(row).for_each(|count| *count -= 1);
    }
}

impl Board {
    /// A board without devices.
    #[must_use]
    pub fn new(summary: Summary) -> Self {
        Self {
            fleet: RwLock::default(),
            summary: RwLock::new((Arc::new(summary), Stopwatch::start())),
            audit: RwLock::default(),
            originals: RwLock::default(),
        }
    }

    /// Shows other devices: `rows` by slot.
    pub fn replace(&self, rows: Vec<Option<Row>>) {
        let order = order_of(&rows);
        let mut units = UnitCounts::default();
        for row in rows.iter().flatten() {
            units.add(row);
        }
        let before = core::mem::replace(&mut *self.fleet_mut(), Fleet { rows, order, units });
        // Freed here, where nobody waits for the lock.
        drop(before);
    }

    /// Shows what is known of some devices now, or what other device is in their place, or none.
    pub fn update(&self, news: impl IntoIterator<Item = (Slot, Option<Row>)>) {
        let mut fleet = self.fleet_mut();
        let Fleet { rows, order, units } = &mut *fleet;
        let mut in_order = true;
        for (slot, row) in news {
            if rows.len() <= slot.index() {
                rows.resize(slot.index() + 1, None);
            }
            let Some(shown) = rows.get_mut(slot.index()) else { continue };
            in_order &= id(shown) == id(&row);
            shown.iter().for_each(|row| units.remove(row));
            row.iter().for_each(|row| units.add(row));
            *shown = row;
        }
        if !in_order {
            *order = order_of(rows);
        }
    }

    /// Shows another summary. The loop does this at least once a second, for that shows that it lives.
    pub fn set_summary(&self, summary: Summary) {
        self.set_summary_drawn(summary, Stopwatch::start());
    }

    /// The same for one that was `drawn` up before it could be shown: its age counts from then.
    pub fn set_summary_drawn(&self, summary: Summary, drawn: Stopwatch) {
        *self.summary.write().unwrap_or_else(PoisonError::into_inner) = (Arc::new(summary), drawn);
    }

    /// Shows that the store fails, or no longer does. The rest of the summary stays, and stays as old as it is.
    pub fn set_store_fault(&self, fault: Option<String>) {
        let mut shown = self.summary.write().unwrap_or_else(PoisonError::into_inner);
        Arc::make_mut(&mut shown.0).store_fault = fault;
    }

    /// Shows what the self-audit has found.
    pub fn set_audit(&self, audit: Audit) {
        *self.audit.write().unwrap_or_else(PoisonError::into_inner) = audit;
    }

    /// What the last self-audit has found.
    #[must_use]
    pub fn audit(&self) -> Audit {
        self.audit.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The summary, and how long ago it was drawn up.
    #[must_use]
    pub fn summary(&self) -> (Arc<Summary>, Duration) {
        let summary = self.summary.read().unwrap_or_else(PoisonError::into_inner);
        (Arc::clone(&summary.0), summary.1.elapsed())
    }

    /// Shows what is kept of messages; what was shown before.
    pub fn set_originals(&self, originals: Originals) -> Originals {
        core::mem::replace(&mut *self.originals.write().unwrap_or_else(PoisonError::into_inner), originals)
    }

    /// What is kept of messages.
    #[must_use]
    pub fn originals(&self) -> Originals {
        self.originals.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether somebody watches: the loop turns, and the store takes commits.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        let (summary, age) = self.summary();
        summary.failings(age).is_empty()
    }

    /// How many units there are of which sort.
    #[must_use]
    pub fn units(&self) -> UnitCounts {
        self.fleet().units
    }

    /// The row of a device.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<Row> {
        let fleet = self.fleet();
        let place = fleet.order.binary_search_by(|slot| fleet.id(*slot).cmp(id)).ok()?;
        fleet.row(*fleet.order.get(place)?).cloned()
    }

    /// Shows `visit` the rows whose ids come after `after`, in the order of ids, until it has seen enough or
    /// [`MAX_ROWS_A_LOOK`] rows. Returns the id to go on after, unless the end was reached.
    pub fn look(&self, after: Option<&str>, mut visit: impl FnMut(&Row) -> ControlFlow<()>) -> Option<String> {
        let fleet = self.fleet();
        let first = after.map_or(0, |after| fleet.order.partition_point(|slot| fleet.id(*slot) <= after));
        let mut rest = fleet.order.get(first..).unwrap_or_default().iter();
        for row in rest.by_ref().take(MAX_ROWS_A_LOOK).filter_map(|slot| fleet.row(*slot)) {
            if visit(row).is_break() {
                return Some(row.device.id.to_string());
            }
        }
        let next = fleet.order.len().checked_sub(rest.len() + 1).filter(|_| rest.len() > 0)?;
        fleet.order.get(next).map(|slot| fleet.id(*slot).to_owned())
    }

    fn fleet(&self) -> RwLockReadGuard<'_, Fleet> {
        self.fleet.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn fleet_mut(&self) -> RwLockWriteGuard<'_, Fleet> {
        self.fleet.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn id(row: &Option<Row>) -> Option<&Word> {
    row.as_ref().map(|row| &row.device.id)
}

/// The slots of all rows, by the ids of their devices.
fn order_of(rows: &[Option<Row>]) -> Vec<Slot> {
    let seated = rows.iter().zip(0..).filter_map(|(row, slot)| Some((id(row)?, Slot(slot))));
    let mut seated: Vec<(&Word, Slot)> = seated.collect();
    seated.sort_unstable();
    seated.into_iter().map(|(_, slot)| slot).collect()
}

impl Fleet {
    fn row(&self, slot: Slot) -> Option<&Row> {
        self.rows.get(slot.index())?.as_ref()
    }

    fn id(&self, slot: Slot) -> &str {
        self.row(slot).map_or("", |row| row.device.id.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rest of what there is for each device: see the watch's own tests.
    #[test]
    fn a_row_is_small() {
        assert!(size_of::<Option<Row>>() <= 56, "{}", size_of::<Option<Row>>());
    }

    #[test]
    fn a_watch_that_does_not_move_and_a_store_that_fails_are_failings() {
        let summary = Summary::at_start(Time::from_millis(0), Arc::new(Calendar::default()));
        assert!(summary.failings(SILENT_AFTER).is_empty());
        assert_eq!(summary.failings(SILENT_AFTER + Duration::from_millis(1)), ["the watch has not moved for 10 s"]);
        let board = Board::new(summary);
        assert!(board.is_healthy());
        board.set_store_fault(Some("disk full".to_owned()));
        assert!(!board.is_healthy());
        board.set_store_fault(None);
        assert!(board.is_healthy());
    }
}
