//! Witnesses: what devices say unasked, and what all that is known supports once an outage is over.

use super::Watch;
use super::device::Slot;
use super::ledger::Verdict;
use super::probe::Undelivered;
use super::rounds::Poll;
use super::trap::{Trap, TrapKind};
use crate::domain::desk::{Cause, Witness};
use crate::domain::fact::Fact;
use crate::domain::time::Time;
use crate::domain::turn::Turn;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::ToString;
use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

/// Traps of one device that are noted within [`TRAP_SPAN`]; more are only counted.
pub const MAX_TRAPS: u32 = 10;
/// See [`MAX_TRAPS`].
pub const TRAP_SPAN: Duration = Duration::from_secs(60);
/// Traps of a device that are remembered as witnesses.
const REMEMBERED: usize = 8;
/// A probe that a trap brings forward comes no sooner than this after the one before.
const NOT_SOONER: Duration = Duration::from_secs(1);
/// A box says that it lost its line, or power, this long before its silence is noticed at the earliest.
const BEFORE: Duration = Duration::from_secs(60);

/// What a device said unasked.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    span_began: Time,
    noted: u32,
    unnoted: u32,
    latest: VecDeque<(Time, TrapKind)>,
    /// What a router said last of a probe to it, while it was lost.
    undelivered: Option<(Time, Undelivered)>,
}

impl Heard {
    fn begin(now: Time) -> Self {
        Self { span_began: now, noted: 0, unnoted: 0, latest: VecDeque::new(), undelivered: None }
    }
}

impl Poll {
    /// A router said why a probe to the device, which is lost, did not get there.
    pub(super) fn note_undelivered(&mut self, word: Undelivered, now: Time) {
        self.hear_unasked().get_or_insert_with(|| Heard::begin(now)).undelivered = Some((now, word));
    }
}

impl Watch {
    /// Devices said something.
    pub(super) fn trapped(&mut self, traps: Vec<Trap>, turn: &mut Turn) {
        for trap in traps {
            match self.sender(trap.from) {
                Some(slot) => self.note_trap(slot, trap, turn),
                None => turn.traps_ignored += 1,
            }
        }
    }

    /// Who has this address. The index is made when the first trap comes.
    fn sender(&mut self, address: IpAddr) -> Option<Slot> {
        if self.senders.is_none() {
            let known = self.order.iter().filter_map(|slot| Some((self.address(slot)?, slot)));
            self.senders = Some(known.collect::<BTreeMap<IpAddr, Slot>>());
        }
        self.senders.as_ref().and_then(|senders| senders.get(&address)).copied()
    }

    fn note_trap(&mut self, slot: Slot, trap: Trap, turn: &mut Turn) {
        let now = turn.at;
        let Some(device) = &self.devices[slot.index()] else { return };
        let poll = &mut self.polls[slot.index()];
        let soonest = now.max(poll.sent_at() + NOT_SOONER);
        if !poll.is_waiting() && self.wheel.due(slot).is_none_or(|due| due > soonest) {
            self.wheel.set(slot, soonest);
        }
        let heard = poll.hear_unasked().get_or_insert_with(|| Heard::begin(now));
        if now.since(heard.span_began) >= TRAP_SPAN {
            (heard.span_began, heard.noted) = (now, 0);
        }
        if heard.noted >= MAX_TRAPS {
            heard.unnoted += 1;
            turn.traps_ignored += 1;
            return;
        }
        heard.noted += 1;
        if heard.latest.len() >= REMEMBERED {
            heard.latest.pop_front();
        }
        heard.latest.push_back((now, trap.says.clone()));
        turn.facts.push(Fact::Trapped {
            device: device.id.to_string(),
            case: self.desk.open_case_of(&device.id).map(|case| case.opening.reference),
            says: trap.says,
            interface: trap.interface,
            unnoted: core::mem::take(&mut heard.unnoted),
        });
    }

    /// A line that was lost is back: its case says what the witnesses support. With an agent to ask, its word is waited
    /// for, until the case is solved.
    pub(super) fn diagnose(&mut self, slot: Slot, has_word: bool, turn: &mut Turn) {
        let Some(device) = &self.devices[slot.index()] else { return };
        let Some(case) = self.desk.open_case_of(&device.id) else { return };
        let Some(outage) = case.outage() else { return };
        let said = |witness: &Witness| matches!(witness, Witness::Booted(_) | Witness::RanOn(_));
        let final_word = case.diagnosis.as_ref().filter(|diagnosis| !diagnosis.is_early());
        if final_word.is_some_and(|diagnosis| !has_word || diagnosis.witnesses.iter().any(said)) {
            return;
        }
        let waits = device.rules.snmp.is_some() && !has_word && !self.polls[slot.index()].agent().needs_care();
        if waits || !self.evidence[slot.index()].verdict().is_contact() || case.recovered_at.is_none() {
            return;
        }
        let (reference, umbrella) = (case.opening.reference, case.umbrella);
        let mut witnesses = Vec::new();
        let cause = umbrella.and_then(|umbrella| self.desk.umbrella(umbrella)).map(|umbrella| &umbrella.cause);
        let lost_parent = |parent: &Slot| self.evidence[parent.index()].verdict() == Verdict::Loss;
        match cause {
            Some(Cause::Device(id)) => witnesses.push(Witness::Upstream(id.clone())),
            Some(Cause::Below(_) | Cause::Group(..) | Cause::Moment) => {
                witnesses.extend(umbrella.map(Witness::Shared));
            }
            None => {
                let parent = self.ancestors(slot).find(lost_parent);
                let parent = parent.and_then(|parent| self.devices[parent.index()].as_ref());
                witnesses.extend(parent.map(|parent| Witness::Upstream(parent.id.to_string())));
            }
        }
        let booted = self.health[slot.index()].booted_at().filter(|_| has_word);
        witnesses.extend(
            booted.map(|at| if at + BEFORE >= outage.first_loss { Witness::Booted(at) } else { Witness::RanOn(at) }),
        );
        witnesses.extend(self.undelivered(slot, Some(outage.first_loss)));
        let traps = self.polls[slot.index()].heard_unasked().into_iter().flat_map(|heard| heard.latest.iter());
        let of_it = traps.filter(|(at, _)| *at + BEFORE >= outage.first_loss);
        for (at, says) in of_it {
            let says = says.name().to_string();
            let is_same = |witness: &Witness| matches!(witness, Witness::Trapped { says: known, .. } if *known == says);
            if !witnesses.iter().any(is_same) {
                witnesses.push(Witness::Trapped { says, at: *at });
            }
        }
        self.desk.diagnosed(reference, witnesses, turn);
    }

    /// What a router said of a loss that began at `first_loss`.
    pub(super) fn undelivered(&self, slot: Slot, first_loss: Option<Time>) -> Option<Witness> {
        let (at, word) = self.polls[slot.index()].heard_unasked()?.undelivered?;
        (at >= first_loss?).then_some(Witness::Undelivered { why: word.why, router: word.router, at })
    }
}
