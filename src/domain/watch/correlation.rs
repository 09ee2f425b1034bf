//! What fails together: whether it can be our own side, and which cause lines share.

use super::device::{Device, GroupKind, Role, Slot};
use super::ledger::{Reason, Shift, Verdict};
use super::{RECHECK, Watch};
use crate::domain::desk::{Cause, Reference, Umbrella};
use crate::domain::time::Time;
use crate::domain::turn::Turn;
use alloc::collections::{BTreeSet, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

/// Losses that begin within this time of each other may have one cause: as long as the usual intervals.
pub const TOGETHER: Duration = Duration::from_secs(60);
/// Lines at the least that make a group fail.
pub const MIN_TOGETHER: usize = 5;
/// Lines at the least that share a cause of which nothing is known but the moment, and that can be too many at once.
pub const MIN_CROWD: usize = 20;
/// Of this many lines one must be lost for a shared moment to mean something.
const CROWD_SHARE: usize = 50;
/// A group fails if this share of it is lost, in tenths.
const GROUP_TENTHS: usize = 8;
/// Losses within this time can be too many for lines: an uplink takes all along within an interval.
const AT_ONCE: Duration = Duration::from_secs(30);
/// How long a mass loss waits for witnesses: longer than the usual intervals.
const SETTLE: Duration = Duration::from_secs(20);
/// How long a line's fault waits for a probe of its parent that is newer than its first loss.
const PARENT_PATIENCE: Duration = Duration::from_secs(30);
/// Devices that one is reached through, at the most.
const MAX_DEPTH: usize = 64;

/// Who is lost at present.
#[derive(Clone, Debug, Default)]
pub(super) struct Crowd {
    /// Units and nodes.
    pub(super) fleet: usize,
    /// How many of them don't answer, be it their fault or ours.
    dark: usize,
    /// The latest losses: when they began, about in that order.
    recent: VecDeque<Time>,
    /// A mass loss that waits for its judgement: since when, and when it was noticed.
    pending: Option<(Time, Time)>,
    /// Mass losses up to here are judged.
    judged: Option<Time>,
    /// When nothing in common was found the last time: it is not looked for again at once.
    nothing_at: Option<Time>,
}

/// What a line's fault shares with others.
pub(super) enum Shared {
    /// Nothing.
    Nothing,
    /// This umbrella is over it.
    Umbrella(Reference),
    /// Not known yet: its parent has to be asked first.
    Wait,
}

const fn is_dark(verdict: Verdict) -> bool {
    match verdict {
        Verdict::Loss | Verdict::Inconclusive => true,
        Verdict::Up | Verdict::Degraded | Verdict::Unobserved => false,
    }
}

impl Crowd {
    /// Counts all anew after a change of the inventory.
    pub(super) fn recount(&mut self, verdicts: impl Iterator<Item = Verdict>) {
        (self.fleet, self.dark) = (0, 0);
        for verdict in verdicts {
            self.fleet += 1;
            self.dark += usize::from(is_dark(verdict));
        }
    }

    fn shifted(&mut self, shift: &Shift) {
        self.dark += usize::from(is_dark(shift.now.0));
        self.dark = self.dark.saturating_sub(usize::from(is_dark(shift.was.0)));
        // After a start or a stall nobody was seen before, and all may be lost at once just the same.
        let unseen = matches!(shift.was.1, Reason::Stopped | Reason::Stalled | Reason::Added);
        if shift.now.0 == Verdict::Loss && (shift.was.0.is_contact() || unseen) {
            self.recent.push_back(shift.at);
            while self.recent.front().is_some_and(|&at| shift.at.since(at) > AT_ONCE) {
                self.recent.pop_front();
            }
        }
    }

    fn is_too_many(&self, lost: usize) -> bool {
        lost >= MIN_CROWD && lost * 2 >= self.fleet
    }

    /// When a mass loss is judged.
    pub(super) fn next_due(&self) -> Option<Time> {
        self.pending.map(|(_, noticed)| noticed + SETTLE)
    }
}

impl Watch {
    /// Takes note of a change of verdict of a unit or a node.
    pub(super) fn note_crowd(&mut self, shift: &Shift, now: Time) {
        self.crowd.shifted(shift);
        let Some(&first) = self.crowd.recent.front() else { return };
        let judged = self.crowd.judged.is_some_and(|judged| judged >= first);
        if self.crowd.pending.is_none() && !judged && self.crowd.is_too_many(self.crowd.recent.len()) {
            self.crowd.pending = Some((first, now));
        }
    }

    /// Whether so many are lost that it may still be us.
    pub(super) fn crowd_is_dark(&self) -> bool {
        self.isolation.vouched().is_none() && self.crowd.is_too_many(self.crowd.dark)
    }

    /// Whether a mass loss waits for its judgement: until then nobody is at fault.
    pub(super) const fn crowd_is_pending(&self) -> bool {
        self.crowd.pending.is_some()
    }

    /// Judges whether so many losses at once can be the lines'.
    pub(super) fn judge_crowd(&mut self, now: Time) {
        if !self.crowd.is_too_many(self.crowd.dark) {
            self.isolation.set_mass(None);
        }
        let due = |&(_, noticed): &(Time, Time)| now.since(noticed) >= SETTLE;
        let Some((since, noticed)) = self.crowd.pending.filter(due) else { return };
        self.crowd.pending = None;
        self.crowd.judged = self.crowd.recent.back().copied();
        self.crowd.recent.clear();
        if self.crowd.is_too_many(self.crowd.dark) && !self.is_plausible(noticed) {
            self.isolation.set_mass(Some(since));
        }
    }

    /// Whether somebody vouches for our own side since `since`: a sentinel, a node, or lines that were spared because
    /// they have nothing in common with those that were lost.
    fn is_plausible(&self, since: Time) -> bool {
        if self.isolation.vouched().is_some() {
            // Sentinels decide by themselves.
            return true;
        }
        let answers = |slot: Slot| {
            let evidence = &self.evidence[slot.index()];
            evidence.verdict().is_contact() && evidence.last_contact().is_some_and(|at| at > since)
        };
        let (mut nodes, mut spared) = (0, 0);
        for (_, device) in self.devices().filter(|&(slot, _)| answers(slot)) {
            match device.role {
                Role::Node => nodes += 1,
                Role::Unit(_) => spared += 1,
                Role::Sentinel(_) => {}
            }
        }
        nodes > 0 || spared >= MIN_TOGETHER && spared * 20 >= self.crowd.fleet && self.groups_explain()
    }

    /// Whether the lost units are whole groups of one kind, and the others are of other groups.
    fn groups_explain(&self) -> bool {
        GroupKind::ALL.into_iter().any(|kind| {
            let mut groups: alloc::collections::BTreeMap<Option<&str>, (usize, usize)> = Default::default();
            for (slot, device) in self.devices() {
                if let Role::Unit(circuit) = &device.role {
                    let (lost, of) = groups.entry(circuit.group(kind)).or_default();
                    *lost += usize::from(is_dark(self.evidence[slot.index()].verdict()));
                    *of += 1;
                }
            }
            let lost: usize = groups.values().map(|(lost, _)| lost).sum();
            let whole = groups.iter().filter(|(name, (lost, of))| name.is_some() && lost * 10 >= of * GROUP_TENTHS);
            let explained: usize = whole.map(|(_, (lost, _))| lost).sum();
            explained * 10 >= lost * 9
        })
    }

    /// The devices that one is reached through, the nearest first.
    pub(super) fn ancestors(&self, slot: Slot) -> impl Iterator<Item = Slot> {
        core::iter::successors(self.parents[slot.index()], |slot| self.parents[slot.index()]).take(MAX_DEPTH)
    }

    /// Finds everybody's parent anew.
    pub(super) fn find_parents(&mut self) {
        self.parents.clear();
        self.parents.resize(self.devices.len(), None);
        for &slot in self.slots.values() {
            let upstream = self.devices[slot.index()].as_ref().and_then(|device| device.upstream.as_ref());
            self.parents[slot.index()] = upstream.and_then(|id| self.slots.get(id)).copied();
        }
    }

    /// A loss was confirmed: whoever it is reached through is asked at once, unless that was done since.
    pub(super) fn ask_parent(&mut self, slot: Slot, first_loss: Time, now: Time) {
        if let Some(parent) = self.parents[slot.index()]
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
        // One that was lost long after the line explains nothing.
        // So does one that was lost while the line still answered.
        let contact = self.evidence[slot.index()].last_contact();
        let in_time = |parent: &Slot| {
            let lost = self.loss_of(*parent);
            lost.is_some_and(|at| at <= first_loss + TOGETHER && contact.is_none_or(|contact| contact <= at + TOGETHER))
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
        let device = self.devices[slot.index()].as_ref()?.id.clone();
        let evidence = &self.evidence[slot.index()];
        let first_loss = evidence.trouble()?.first_loss;
        // An umbrella over an earlier loss of the device says nothing of this one.
        let is_it = |umbrella: &Umbrella| {
            matches!(&umbrella.cause, Cause::Device(id) if *id == device)
                && first_loss <= umbrella.first_loss + TOGETHER
        };
        if let Some(known) = self.desk.umbrellas().find(|umbrella| is_it(umbrella)) {
            return Some(known.reference);
        }
        if evidence.reason() == Reason::Maintenance {
            return None;
        }
        let below: Vec<Slot> = self
            .units()
            .map(|(slot, _)| slot)
            .filter(|&unit| self.ancestors(unit).any(|parent| parent == slot))
            .collect();
        let losses: Vec<Time> = below.iter().filter_map(|&unit| self.loss_of(unit)).collect();
        let within = spread(&losses);
        Some(self.desk.open_umbrella(Cause::Device(device), first_loss, (losses.len(), below.len()), within, turn))
    }

    fn units(&self) -> impl Iterator<Item = (Slot, &Device)> {
        self.devices().filter_map(|(slot, device)| match device.role {
            Role::Unit(_) => Some((slot, device.as_ref())),
            Role::Node | Role::Sentinel(_) => None,
        })
    }

    /// When the present loss of a device began.
    fn loss_of(&self, slot: Slot) -> Option<Time> {
        let evidence = &self.evidence[slot.index()];
        evidence.trouble().filter(|_| evidence.verdict() == Verdict::Loss).map(|trouble| trouble.first_loss)
    }

    fn has_cause(&self, slot: Slot, device: &Device, cause: &Cause) -> bool {
        match (cause, &device.role) {
            (Cause::Device(id) | Cause::Below(id), _) => {
                self.slots.get(id).is_some_and(|parent| self.ancestors(slot).any(|ancestor| ancestor == *parent))
            }
            (Cause::Group(kind, name), Role::Unit(circuit)) => circuit.group(*kind) == Some(name),
            (Cause::Group(..), Role::Node | Role::Sentinel(_)) => false,
            (Cause::Moment, _) => true,
        }
    }

    /// The open umbrella over lines that were lost together with this one.
    fn umbrella_over(&self, slot: Slot, first_loss: Time) -> Option<Reference> {
        let device = self.devices[slot.index()].as_ref()?;
        let together = |at: Time| at.since(first_loss) <= TOGETHER && first_loss.since(at) <= TOGETHER;
        self.desk
            .umbrellas()
            .filter(|umbrella| !matches!(umbrella.cause, Cause::Device(_)) && together(umbrella.first_loss))
            .find(|umbrella| self.has_cause(slot, device, &umbrella.cause))
            .map(|umbrella| umbrella.reference)
    }

    /// Looks for what lines that were lost together have in common: by what failed, never by name alone.
    fn infer(&mut self, slot: Slot, first_loss: Time, turn: &mut Turn) -> Option<Reference> {
        if self.crowd.nothing_at.is_some_and(|at| turn.at.since(at) < RECHECK * 10) {
            return None;
        }
        let together = |at: Time| at.since(first_loss) <= TOGETHER && first_loss.since(at) <= TOGETHER;
        let batch: BTreeSet<Slot> =
            self.units().map(|(unit, _)| unit).filter(|&unit| self.loss_of(unit).is_some_and(together)).collect();
        let found = (batch.len() >= MIN_TOGETHER).then(|| self.common_cause(slot, &batch)).flatten();
        let Some((cause, of)) = found else {
            self.crowd.nothing_at = Some(turn.at);
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

    /// The cause that explains most of a batch, and how many lines have it; of equals the more special one.
    fn common_cause(&self, slot: Slot, batch: &BTreeSet<Slot>) -> Option<(Cause, usize)> {
        let device = self.devices[slot.index()].as_ref()?;
        let id = |slot: Slot| self.devices[slot.index()].as_ref().map(|device| device.id.clone());
        let below = self.ancestors(slot).filter_map(id).map(Cause::Below);
        let groups = GroupKind::ALL.into_iter().filter_map(|kind| match &device.role {
            Role::Unit(circuit) => circuit.group(kind).map(|name| Cause::Group(kind, String::from(name))),
            Role::Node | Role::Sentinel(_) => None,
        });
        let units = self.units().count();
        let counted = below.chain(groups).map(|cause| {
            let members = self.units().filter(|&(unit, device)| self.has_cause(unit, device, &cause));
            let (lost, of) =
                members.fold((0, 0), |(lost, of), (unit, _)| (lost + usize::from(batch.contains(&unit)), of + 1));
            (cause, lost, of)
        });
        // What everybody has in common explains nothing; what they are reached through does.
        let explains = |(cause, lost, of): &(Cause, usize, usize)| {
            *lost >= MIN_TOGETHER && lost * 10 >= of * GROUP_TENTHS && (*of < units || matches!(cause, Cause::Below(_)))
        };
        let best = counted.filter(explains).min_by_key(|(_, lost, of)| (usize::MAX - lost, *of));
        let moment =
            || (batch.len() >= MIN_CROWD && batch.len() * CROWD_SHARE >= units).then_some((Cause::Moment, units));
        best.map(|(cause, _, of)| (cause, of)).or_else(moment)
    }
}

/// From the first to the last.
fn spread(times: &[Time]) -> Duration {
    let (first, last) = (times.iter().min(), times.iter().max());
    last.zip(first).map_or(Duration::ZERO, |(last, first)| last.since(*first))
}
