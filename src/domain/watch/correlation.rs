//! What fails together: which cause lines share.

use super::Watch;
use super::device::{Device, GroupKind, Slot};
use super::ledger::{Reason, Verdict};
use crate::domain::desk::{Cause, Reference, Umbrella};
use crate::domain::time::Time;
use crate::domain::turn::Turn;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

/// Losses that begin within this time of each other, or an interval, may have one cause.
pub const TOGETHER: Duration = Duration::from_secs(60);
/// The same at the most, where intervals are long.
const MAX_TOGETHER: Duration = Duration::from_secs(300);
/// Lines at the least that make a group fail.
pub const MIN_TOGETHER: usize = 5;
/// Lines at the least that share a cause of which nothing is known but the moment, or that can be too many at once.
pub const MIN_CROWD: usize = 20;
/// Of this many lines one must be lost for a shared moment to mean something.
const CROWD_SHARE: usize = 50;
/// A group fails if this share of it is lost, in tenths.
const GROUP_TENTHS: usize = 8;
/// How long a line's fault waits for a probe of its parent that is newer than its first loss.
const PARENT_PATIENCE: Duration = Duration::from_secs(30);
/// How long it is believed that lines have nothing in common.
const ALONE_FOR: Duration = Duration::from_secs(1);
/// Devices that one is reached through, at the most.
pub const MAX_DEPTH: usize = 64;

/// What a line's fault shares with others.
pub(super) enum Shared {
    /// Nothing.
    Nothing,
    /// This umbrella is over it.
    Umbrella(Reference),
    /// Not known yet: its parent has to be asked first.
    Wait,
}

/// Which units are lost since when, and how many share what.
#[derive(Clone, Debug, Default)]
pub(super) struct Losses {
    /// Losses by their beginning. Some may be over: that is looked at when they are used.
    since: BTreeSet<(Time, Slot)>,
    /// Counted when it is needed for the first time after a change of the inventory.
    members: Option<Members>,
    /// Lines that have nothing in common with those that were lost with them, as of that moment.
    alone: (Option<Time>, BTreeSet<Kin>),
}

/// Lines to which the same holds: reached the same way, of the same groups, and lost in the same second.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Kin {
    parent: Option<Slot>,
    groups: Vec<(GroupKind, String)>,
    second: i64,
}

/// Whom each device is reached through, by slot.
#[derive(Clone, Debug, Default)]
pub(super) struct Parents(Vec<Slot>);

/// No device's slot.
const NOBODY: Slot = Slot(u32::MAX);

impl Parents {
    fn of(&self, slot: Slot) -> Option<Slot> {
        self.0.get(slot.index()).copied().filter(|&parent| parent != NOBODY)
    }
}

/// How many units share what.
#[derive(Clone, Debug, Default)]
struct Members {
    units: usize,
    /// By slot: the units that are reached through a device.
    below: BTreeMap<Slot, usize>,
    groups: BTreeMap<GroupKind, BTreeMap<String, usize>>,
}

/// Whether so many lost lines of a group are the group itself.
pub(super) const fn is_whole(lost: usize, of: usize) -> bool {
    lost * 10 >= of * GROUP_TENTHS
}

impl Watch {
    /// Takes note of a loss.
    pub(super) fn note_loss(&mut self, slot: Slot) {
        let Some(first_loss) = self.loss_of(slot) else { return };
        // Those that are over go when they are more than all that there can be.
        if self.losses.since.len() > 2 * self.order.len() {
            let mut known = core::mem::take(&mut self.losses.since);
            known.retain(|&(since, slot)| self.loss_of(slot) == Some(since));
            self.losses.since = known;
        }
        self.losses.since.insert((first_loss, slot));
    }

    /// The devices that one is reached through, the nearest first.
    pub(super) fn ancestors(&self, slot: Slot) -> impl Iterator<Item = Slot> {
        core::iter::successors(self.parents.of(slot), |slot| self.parents.of(*slot)).take(MAX_DEPTH)
    }

    /// Whether one device is reached through the other.
    pub(super) fn is_below(&self, slot: Slot, parent: Slot) -> bool {
        self.ancestors(slot).any(|ancestor| ancestor == parent)
    }

    /// Finds everybody's parent anew.
    pub(super) fn find_parents(&mut self) {
        self.losses.members = None;
        let upstream = |device: &Option<Arc<Device>>| self.slot(device.as_ref()?.upstream()?);
        self.parents = Parents(self.devices.iter().map(|device| upstream(device).unwrap_or(NOBODY)).collect());
    }

    /// A loss was confirmed: whoever it is reached through is asked at once, unless that was done since.
    pub(super) fn ask_parent(&mut self, slot: Slot, first_loss: Time, now: Time) {
        if let Some(parent) = self.parents.of(slot)
            && self.polls[parent.index()].sent_at() < first_loss
        {
            self.wheel.set(parent, now);
        }
    }

    /// What a line whose fault is due shares with others. `due`: since when it is due.
    pub(super) fn shared_by(&mut self, slot: Slot, due: Time, turn: &mut Turn) -> Shared {
        let Some(first_loss) = self.evidence[slot.index()].trouble().map(|trouble| trouble.first_loss) else {
            return Shared::Nothing;
        };
        let verdict = |slot: &Slot| self.evidence[slot.index()].verdict();
        // A parent explains the line if it was lost neither long after the line nor while the line still answered.
        let contact = self.evidence[slot.index()].last_contact();
        let apart = self.together(slot);
        let in_time = |parent: &Slot| {
            let apart = apart.max(self.together(*parent));
            let lost = self.loss_of(*parent);
            lost.is_some_and(|at| at <= first_loss + apart && contact.is_none_or(|contact| contact <= at + apart))
        };
        let lost = self.ancestors(slot).filter(in_time).last();
        let not_asked_since = |parent: &Slot| {
            let last = self.evidence[parent.index()].last_contact();
            verdict(parent).is_contact() && last.is_none_or(|at| at < first_loss)
        };
        let unasked = self.ancestors(slot).find(not_asked_since);
        if let Some(parent) = unasked.filter(|_| turn.at.since(due) < PARENT_PATIENCE) {
            if !self.polls[parent.index()].is_waiting() {
                self.wheel.set(parent, turn.at);
            }
            return Shared::Wait;
        }
        if let Some(parent) = lost {
            return self.device_umbrella(parent, turn).map_or(Shared::Nothing, Shared::Umbrella);
        }
        if let Some(umbrella) = self.umbrella_over(slot, first_loss) {
            return Shared::Umbrella(umbrella);
        }
        self.infer(slot, first_loss, turn).map_or(Shared::Nothing, Shared::Umbrella)
    }

    /// The umbrella over everything that is reached through a lost device. While it is being maintained there is none.
    pub(super) fn device_umbrella(&mut self, slot: Slot, turn: &mut Turn) -> Option<Reference> {
        let device = self.devices[slot.index()].as_ref()?.id.to_string();
        let evidence = &self.evidence[slot.index()];
        let first_loss = evidence.trouble()?.first_loss;
        let together = self.together(slot);
        // An umbrella over an earlier loss of the device says nothing of this one.
        let is_it = |umbrella: &Umbrella| {
            matches!(&umbrella.cause, Cause::Device(id) if *id == device)
                && first_loss <= umbrella.first_loss + together
        };
        if let Some(known) = self.desk.umbrellas().find(|umbrella| is_it(umbrella)) {
            return Some(known.reference);
        }
        if evidence.reason() == Reason::Maintenance {
            return None;
        }
        let below: Vec<Slot> = self.units().map(|(slot, _)| slot).filter(|&unit| self.is_below(unit, slot)).collect();
        let losses: Vec<Time> = below.iter().filter_map(|&unit| self.loss_of(unit)).collect();
        let within = spread(&losses);
        Some(self.desk.open_umbrella(Cause::Device(device), first_loss, (losses.len(), below.len()), within, turn))
    }

    fn units(&self) -> impl Iterator<Item = (Slot, &Device)> {
        self.devices().filter(|(_, device)| device.circuit().is_some()).map(|(slot, device)| (slot, device.as_ref()))
    }

    /// When the present loss of a device began.
    fn loss_of(&self, slot: Slot) -> Option<Time> {
        let evidence = &self.evidence[slot.index()];
        evidence.trouble().filter(|_| evidence.verdict() == Verdict::Loss).map(|trouble| trouble.first_loss)
    }

    fn has_cause(&self, slot: Slot, device: &Device, cause: &Cause) -> bool {
        match cause {
            Cause::Device(id) | Cause::Below(id) => self.slot(id).is_some_and(|parent| self.is_below(slot, parent)),
            Cause::Group(kind, name) => device.is_of(*kind, name),
            Cause::Moment => true,
        }
    }

    /// How far apart losses may begin that have one cause: the longer a device's interval, the later it is found lost.
    fn together(&self, slot: Slot) -> Duration {
        self.devices[slot.index()]
            .as_ref()
            .map_or(TOGETHER, |device| device.rules.pace.interval.clamp(TOGETHER, MAX_TOGETHER))
    }

    /// The open umbrella over lines that were lost together with this one.
    fn umbrella_over(&self, slot: Slot, first_loss: Time) -> Option<Reference> {
        let device = self.devices[slot.index()].as_ref()?;
        let together = self.together(slot);
        self.desk
            .umbrellas()
            .filter(|umbrella| !matches!(umbrella.cause, Cause::Device(_)))
            .filter(|umbrella| {
                let last = umbrella.first_loss + umbrella.within.max(together);
                umbrella.first_loss <= first_loss + together && first_loss <= last
            })
            .find(|umbrella| self.has_cause(slot, device, &umbrella.cause))
            .map(|umbrella| umbrella.reference)
    }

    /// The units that were lost together with one.
    fn lost_with(&self, slot: Slot, first_loss: Time) -> BTreeSet<Slot> {
        let own = self.together(slot);
        let (from, until) = (first_loss - MAX_TOGETHER, first_loss + MAX_TOGETHER);
        let around = self.losses.since.range((from, Slot(0))..=(until, Slot(u32::MAX)));
        let is_of_it = |&&(since, other): &&(Time, Slot)| {
            apart(since, first_loss) <= own.max(self.together(other))
                && self.loss_of(other) == Some(since)
                && self.devices[other.index()].as_ref().is_some_and(|device| device.circuit().is_some())
        };
        around.filter(is_of_it).map(|&(_, slot)| slot).collect()
    }

    /// Looks for what lines that were lost together have in common: by what failed, never by name alone.
    fn infer(&mut self, slot: Slot, first_loss: Time, turn: &mut Turn) -> Option<Reference> {
        let batch = self.lost_with(slot, first_loss);
        if batch.len() < MIN_TOGETHER || self.has_kin_without_cause(slot, first_loss, turn.at) {
            return None;
        }
        if self.losses.members.is_none() {
            self.losses.members = Some(self.count_members());
        }
        let Some((cause, of)) = self.common_cause(slot, &batch) else {
            self.losses.alone.1.extend(self.kin(slot, first_loss));
            return None;
        };
        let under = |unit: &&Slot| {
            self.devices[unit.index()].as_ref().is_some_and(|device| self.has_cause(**unit, device, &cause))
        };
        let losses: Vec<Time> = batch.iter().filter(under).filter_map(|&unit| self.loss_of(unit)).collect();
        let first = losses.iter().copied().min().unwrap_or(first_loss);
        let (lost, within) = (losses.len(), spread(&losses));
        Some(self.desk.open_umbrella(cause, first, (lost, of), within, turn))
    }

    /// Whether it was found just now that lines like this one, lost when it was, have nothing in common with others. In a storm
    /// without a cause this spares everybody a look at everybody.
    fn has_kin_without_cause(&mut self, slot: Slot, first_loss: Time, now: Time) -> bool {
        if self.losses.alone.0.is_none_or(|at| now.since(at) >= ALONE_FOR) {
            self.losses.alone = (Some(now), BTreeSet::new());
        }
        self.kin(slot, first_loss).is_some_and(|kin| self.losses.alone.1.contains(&kin))
    }

    fn kin(&self, slot: Slot, first_loss: Time) -> Option<Kin> {
        let device = self.devices[slot.index()].as_ref()?;
        let groups = device.groups().map(|(kind, name)| (kind, String::from(name))).collect();
        Some(Kin { parent: self.parents.of(slot), groups, second: first_loss.as_millis() / 1_000 })
    }

    /// How many units share what.
    fn count_members(&self) -> Members {
        let mut members = Members::default();
        for (slot, device) in self.units() {
            members.units += 1;
            for parent in self.ancestors(slot) {
                *members.below.entry(parent).or_default() += 1;
            }
            for (kind, name) in device.groups() {
                let groups = members.groups.entry(kind).or_default();
                match groups.get_mut(name) {
                    Some(count) => *count += 1,
                    None => {
                        groups.insert(String::from(name), 1);
                    }
                }
            }
        }
        members
    }

    /// The cause that explains most of a batch, and how many lines have it; of equals the more special one.
    fn common_cause(&self, slot: Slot, batch: &BTreeSet<Slot>) -> Option<(Cause, usize)> {
        let device = self.devices[slot.index()].as_ref()?;
        let members = self.losses.members.as_ref()?;
        let below = self.ancestors(slot).filter_map(|parent| {
            let lost = batch.iter().filter(|unit| self.is_below(**unit, parent)).count();
            let id = self.devices[parent.index()].as_ref()?.id.to_string();
            Some((Cause::Below(id), lost, *members.below.get(&parent)?))
        });
        let groups = device.groups().filter_map(|(kind, name)| {
            let is_of_it =
                |unit: &&Slot| self.devices[unit.index()].as_ref().is_some_and(|device| device.is_of(kind, name));
            let of = *members.groups.get(&kind)?.get(name)?;
            Some((Cause::Group(kind, String::from(name)), batch.iter().filter(is_of_it).count(), of))
        });
        // What everybody has in common explains nothing; what they are reached through does.
        let explains = |(cause, lost, of): &(Cause, usize, usize)| {
            *lost >= MIN_TOGETHER && is_whole(*lost, *of) && (*of < members.units || matches!(cause, Cause::Below(_)))
        };
        let best = below.chain(groups).filter(explains).min_by_key(|(_, lost, of)| (usize::MAX - lost, *of));
        let is_crowd = batch.len() >= MIN_CROWD && batch.len() * CROWD_SHARE >= members.units;
        let moment = || is_crowd.then_some((Cause::Moment, members.units));
        best.map(|(cause, _, of)| (cause, of)).or_else(moment)
    }
}

/// From one time to the other.
fn apart(one: Time, other: Time) -> Duration {
    one.since(other).max(other.since(one))
}

/// From the first to the last.
fn spread(times: &[Time]) -> Duration {
    let (first, last) = (times.iter().min(), times.iter().max());
    last.zip(first).map_or(Duration::ZERO, |(last, first)| last.since(*first))
}
