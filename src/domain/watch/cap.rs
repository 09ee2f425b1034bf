//! At most so many probes a second to a device and all that is reached through it: a thin line, or a router that
//! polices ICMP.
//!
//! Whoever is due below a cap waits until each cap above it has credit for the whole round. What is asked out of turn, to
//! confirm a loss or for the last word before a fault, goes first; of the rest, who was asked longest ago. So nobody
//! starves: if a cap lets through less than the intervals ask for, rounds come further apart for all alike. A round that waits was
//! not sent, and so says nothing.

use super::device::{Device, Slot};
use super::probe::Method;
use super::schedule::next_tick;
use crate::domain::time::Time;
use alloc::collections::BinaryHeap;
use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::ops::RangeInclusive;
use core::time::Duration;

/// Probes a second that may be asked for: a round can be two, one by each method.
pub const PROBE_RATES: RangeInclusive<u32> = 2..=1_000_000;

/// The credit that a probe takes: a cap then gains as much in a millisecond as it has thousandths of probes a second.
const PROBE: u64 = 1_000_000;
/// Credit is saved up for so long, beside that for a round: turns come on ticks, and may be late.
const SAVED: Duration = Duration::from_millis(20);
const SECOND: Duration = Duration::from_secs(1);
/// No cap's number.
const NONE: u32 = u32::MAX;

/// How many probes one cap lets through.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// Credit that it gains in a millisecond.
    gain: u64,
    /// Credit that it holds at the most.
    most: u64,
    credit: u64,
    at: Time,
}

impl Bucket {
    /// One for `rate` probes a second, in rounds of up to `round` probes. Nothing is saved up yet.
    const fn new(rate: u32, round: u32, now: Time) -> Self {
        let gain = steady(rate, round);
        let most = round as u64 * PROBE + gain * SAVED.as_millis() as u64;
        Self { gain, most, credit: 0, at: now }
    }

    fn refill(&mut self, now: Time) {
        let passed = u64::try_from(now.since(self.at).as_millis()).unwrap_or(u64::MAX);
        self.credit = self.credit.saturating_add(self.gain.saturating_mul(passed)).min(self.most);
        self.at = self.at.max(now);
    }

    /// When it has credit for so many probes.
    fn ready(&self, probes: u32) -> Time {
        let lacking = (u64::from(probes) * PROBE).saturating_sub(self.credit);
        self.at + Duration::from_millis(lacking.div_ceil(self.gain.max(1)))
    }
}

/// What a cap of `rate` probes a second lets through at a steady pace, in thousandths of probes a second. It is a little
/// less, for what is saved up, a round and [`SAVED`], may go out in the same second: no second has more than `rate`.
pub(super) const fn steady(rate: u32, round: u32) -> u64 {
    let beside_a_round = (rate - round + 1) as u64 * PROBE - 1;
    beside_a_round / (SECOND.as_millis() as u64 - 1 + SAVED.as_millis() as u64)
}

/// Probes that a round of the device can have.
pub(super) fn round_of(device: &Device) -> u32 {
    if device.rules.icmp && device.rules.snmp.is_some() { Method::ALL.len() as u32 } else { 1 }
}

/// A cap, and who waits for it.
#[derive(Clone, Debug)]
struct Cap {
    bucket: Bucket,
    /// The next one up.
    above: u32,
    /// Whether it lets nobody else through in this pass: whoever waits longest saves up.
    is_shut: bool,
    /// By [`Class`], with when they were asked last; each device is in each at most once.
    queues: [BinaryHeap<Reverse<(Time, Slot)>>; 2],
}

/// Who goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    /// Whoever is asked out of turn, since there is something to find out.
    Urgent,
    /// Whoever is due.
    Regular,
}

impl Class {
    const ALL: [Self; 2] = [Self::Urgent, Self::Regular];

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A device was asked as urgent, and its regular place in the queue is void.
const ASKED: u8 = 1 << Class::ALL.len();

/// What is kept of a device, if there is any cap at all.
#[derive(Clone, Copy, Debug)]
struct Seat {
    /// The nearest cap.
    cap: u32,
    /// Bits of the queues that it is in, and [`ASKED`].
    waits: u8,
}

/// All caps.
#[derive(Clone, Debug, Default)]
pub(super) struct Caps {
    caps: Vec<Cap>,
    /// By slot; empty without caps.
    seats: Vec<Seat>,
    /// In a pass: who is the next of each cap that may have credit.
    heads: BinaryHeap<Reverse<(Class, Time, u32)>>,
    /// When somebody may have credit again.
    next: Option<Time>,
    /// The tick after the last pass.
    passed: Option<Time>,
}

impl Caps {
    /// The caps of a fleet. `above`: the devices that one is reached through, the nearest first.
    pub(super) fn new<'a, Above: Iterator<Item = Slot>>(
        fleet: impl Fn(Slot) -> Option<&'a Device>,
        count: usize,
        above: impl Fn(Slot) -> Above,
        now: Time,
    ) -> Self {
        let slots = || (0..count).filter_map(|slot| u32::try_from(slot).ok()).map(Slot);
        let rate = |slot| fleet(slot)?.rules.probe_rate;
        let owners: Vec<(Slot, u32)> = slots().filter_map(|slot| Some((slot, rate(slot)?))).collect();
        if owners.is_empty() {
            return Self::default();
        }
        let own = |slot| owners.binary_search_by_key(&slot, |&(owner, _)| owner).ok();
        let number = |cap: Option<usize>| cap.and_then(|cap| u32::try_from(cap).ok()).unwrap_or(NONE);
        let mut caps: Vec<(u32, u32)> =
            owners.iter().map(|&(owner, _)| (number(above(owner).find_map(own)), 1)).collect();
        let mut seats = vec![Seat { cap: NONE, waits: 0 }; count];
        for slot in slots() {
            let Some(device) = fleet(slot) else { continue };
            let cap = own(slot).or_else(|| above(slot).find_map(own));
            seats[slot.index()].cap = number(cap);
            let mut number = seats[slot.index()].cap;
            while let Some((above, round)) = caps.get_mut(number as usize) {
                *round = (*round).max(round_of(device));
                number = *above;
            }
        }
        let cap = |(&(above, round), &(_, rate)): (&(u32, u32), &(Slot, u32))| Cap {
            bucket: Bucket::new(rate, round, now),
            above,
            is_shut: false,
            queues: [BinaryHeap::new(), BinaryHeap::new()],
        };
        Self { caps: caps.iter().zip(&owners).map(cap).collect(), seats, ..Self::default() }
    }

    /// Whether the device has to wait its turn.
    pub(super) fn holds(&self, slot: Slot) -> bool {
        self.seats.get(slot.index()).is_some_and(|seat| seat.cap != NONE)
    }

    /// A device that a cap holds is due. `asked`: when it was asked last.
    pub(super) fn wait(&mut self, slot: Slot, asked: Time, class: Class) {
        let Some(seat) = self.seats.get_mut(slot.index()) else { return };
        // Whoever has a place, or a better one, keeps it.
        let known = match class {
            Class::Urgent => Class::Urgent.bit(),
            Class::Regular => Class::Urgent.bit() | Class::Regular.bit(),
        };
        let is_known = seat.waits & known != 0;
        if class == Class::Regular {
            seat.waits &= !ASKED;
        }
        if let Some(cap) = self.caps.get_mut(seat.cap as usize).filter(|_| !is_known) {
            seat.waits |= class.bit();
            cap.queues[class as usize].push(Reverse((asked, slot)));
        }
    }

    /// Everybody who waits.
    pub(super) fn waiting(&self) -> Vec<(Class, Time, Slot)> {
        let queue = |class: Class| {
            let queues = self.caps.iter().flat_map(move |cap| &cap.queues[class as usize]);
            queues.map(move |&Reverse((asked, slot))| (class, asked, slot))
        };
        Class::ALL.into_iter().flat_map(queue).collect()
    }

    /// Begins a pass, once a tick.
    pub(super) fn begin(&mut self, now: Time) {
        let tick = next_tick(now);
        if self.caps.is_empty() || self.passed.replace(tick) == Some(tick) {
            return;
        }
        self.next = None;
        for (cap, number) in self.caps.iter_mut().zip(0..) {
            cap.bucket.refill(now);
            cap.is_shut = false;
            self.heads.extend(cap.head().map(|(class, asked)| Reverse((class, asked, number))));
        }
    }

    /// Who may be next in this pass. It has to be offered to [`Self::admit`].
    pub(super) fn first(&mut self) -> Option<Slot> {
        while let Some(&Reverse((class, _, number))) = self.heads.peek() {
            let cap = &mut self.caps[number as usize];
            let &Reverse((_, slot)) = cap.queues[class as usize].peek()?;
            let waits = &mut self.seats[slot.index()].waits;
            let is_void = class == Class::Regular && *waits & ASKED != 0;
            if !is_void {
                return Some(slot);
            }
            *waits = 0;
            cap.queues[class as usize].pop();
            self.replace_head(number);
        }
        None
    }

    /// Whether whoever is first may be asked now, with so many probes.
    pub(super) fn admit(&mut self, probes: u32) -> bool {
        let Some(&Reverse((class, _, number))) = self.heads.peek() else { return false };
        let cost = u64::from(probes) * PROBE;
        let (mut is_refused, mut next) = (false, self.next);
        self.each_up(number, |cap| {
            if !cap.is_shut && cap.bucket.credit < cost {
                cap.is_shut = true;
                next = next.into_iter().chain([cap.bucket.ready(probes)]).min();
            }
            is_refused |= cap.is_shut;
        });
        self.next = next;
        if is_refused {
            self.heads.pop();
            return false;
        }
        self.each_up(number, |cap| cap.bucket.credit -= cost);
        if let Some(Reverse((_, slot))) = self.caps[number as usize].queues[class as usize].pop() {
            let waits = &mut self.seats[slot.index()].waits;
            *waits &= !class.bit();
            *waits |= if *waits == 0 { 0 } else { ASKED };
        }
        self.replace_head(number);
        true
    }

    /// When the next pass is worth while.
    pub(super) fn next_due(&self) -> Option<Time> {
        let on_tick = |at: Time| next_tick(at - Duration::from_millis(1)).max(self.passed.unwrap_or(at));
        self.next.map(on_tick)
    }

    fn replace_head(&mut self, number: u32) {
        self.heads.pop();
        let head = self.caps[number as usize].head();
        self.heads.extend(head.map(|(class, asked)| Reverse((class, asked, number))));
    }

    /// Changes a cap and those above it.
    fn each_up(&mut self, number: u32, mut change: impl FnMut(&mut Cap)) {
        let mut number = number;
        while let Some(cap) = self.caps.get_mut(number as usize) {
            change(cap);
            number = cap.above;
        }
    }
}

impl Cap {
    fn head(&self) -> Option<(Class, Time)> {
        let first = |class: Class| self.queues[class as usize].peek().map(|&Reverse((asked, _))| (class, asked));
        Class::ALL.into_iter().find_map(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::iter;

    const TICK: Duration = Duration::from_millis(10);

    /// Caps of these rates with rounds of up to two probes, the devices with what holds them, and what is above each cap.
    fn caps(rates: &[(u32, u32)], seats: &[u32]) -> Caps {
        let cap = |&(rate, above): &(u32, u32)| Cap {
            bucket: Bucket::new(rate, 2, Time::from_millis(0)),
            above,
            is_shut: false,
            queues: [BinaryHeap::new(), BinaryHeap::new()],
        };
        let seat = |&cap: &u32| Seat { cap, waits: 0 };
        Caps { caps: rates.iter().map(cap).collect(), seats: seats.iter().map(seat).collect(), ..Caps::default() }
    }

    /// One pass: who is asked, each with as many probes as `size` says.
    fn pass(caps: &mut Caps, now: Time, size: impl Fn(Slot) -> u32) -> Vec<Slot> {
        let mut asked = Vec::new();
        caps.begin(now);
        while let Some(slot) = caps.first() {
            asked.extend(caps.admit(size(slot)).then_some(slot));
        }
        asked
    }

    fn most_in_a_second(sent: &[(Time, u32)]) -> u32 {
        let second = |from: Time| sent.iter().filter(move |(at, _)| (from..from + SECOND).contains(at));
        sent.iter().map(|&(from, _)| second(from).map(|(_, probes)| probes).sum()).max().unwrap_or(0)
    }

    /// Everybody waits all the time, and turns come late now and then.
    #[test]
    fn no_second_has_more_than_its_rate_and_little_is_given_away() {
        for rate in [2, 3, 7, 50, 101, 1_500] {
            let mut caps = caps(&[(rate, NONE)], &[0; 64]);
            let size = |slot: Slot| 1 + slot.0 % 2;
            let (mut now, mut sent) = (Time::from_millis(0), Vec::new());
            for turn in 0..1_000 {
                now = now + if turn % 50 == 0 { TICK * 12 } else { TICK };
                (0..64).for_each(|slot| caps.wait(Slot(slot), now, Class::Regular));
                sent.extend(pass(&mut caps, now, size).into_iter().map(|slot| (now, size(slot))));
            }
            let most = most_in_a_second(&sent);
            assert!(most <= rate, "{rate}: {most}");
            let total: u32 = sent.iter().map(|(_, probes)| probes).sum();
            assert!(u64::from(total) >= steady(rate, 2) * 8 / 1_000, "{rate}: {total} in 12 s, of which 2 s were late");
        }
    }

    #[test]
    fn whoever_is_urgent_goes_first_and_then_whoever_was_asked_longest_ago() {
        let mut caps = caps(&[(10, NONE)], &[0; 4]);
        let at = Time::from_millis;
        for (slot, asked, class) in
            [(0, 30, Class::Regular), (1, 10, Class::Regular), (2, 20, Class::Regular), (3, 40, Class::Urgent)]
        {
            caps.wait(Slot(slot), at(asked), class);
        }
        let passes = iter::successors(Some(at(100)), |&now| Some(now + TICK)).take(100);
        let asked: Vec<u32> = passes.flat_map(|now| pass(&mut caps, now, |_| 1)).map(|slot| slot.0).collect();
        assert_eq!(asked, [3, 1, 2, 0]);
        assert_eq!(caps.next_due(), None);
    }

    #[test]
    fn whoever_was_asked_out_of_turn_has_had_its_turn() {
        let mut caps = caps(&[(10, NONE)], &[0; 2]);
        let now = Time::from_millis(10_000);
        for class in [Class::Regular, Class::Regular, Class::Urgent, Class::Urgent, Class::Regular] {
            caps.wait(Slot(0), now, class);
        }
        assert_eq!(pass(&mut caps, now, |_| 1), [Slot(0)]);
        assert_eq!(caps.seats.iter().map(|seat| seat.waits).sum::<u8>(), 0);

        // due once more before its void place came up: that one is good again
        caps.wait(Slot(0), now, Class::Regular);
        caps.wait(Slot(0), now, Class::Urgent);
        caps.caps[0].bucket.credit = PROBE;
        assert_eq!(pass(&mut caps, now + TICK, |_| 1), [Slot(0)]);
        caps.wait(Slot(0), now, Class::Regular);
        assert_eq!(caps.waiting().len(), 1);
        assert_eq!(pass(&mut caps, now + SECOND, |_| 1), [Slot(0)]);
    }

    #[test]
    fn a_round_goes_out_only_if_every_cap_above_lets_it_and_one_that_waits_holds_up_no_others() {
        // 0 is above 1 and 2; 1 is the thin one
        let mut caps = caps(&[(20, NONE), (2, 0), (20, 0)], &[0, 1, 1, 1, 1, 2]);
        let mut sent: [Vec<(Time, u32)>; 6] = Default::default();
        let mut now = Time::from_millis(0);
        for _ in 0..6_000 {
            now = now + TICK;
            (0..6).for_each(|slot| caps.wait(Slot(slot), now, Class::Regular));
            for slot in pass(&mut caps, now, |slot| 1 + slot.0 % 2) {
                sent[slot.index()].push((now, 1 + slot.0 % 2));
            }
        }
        let all: Vec<(Time, u32)> = sent.concat();
        assert!(most_in_a_second(&all) <= 20);
        assert!(most_in_a_second(&sent[1..5].concat()) <= 2);
        assert!(sent.iter().all(|sent| sent.len() >= 5), "{:?}", sent.map(|sent| sent.len()));
    }
}
