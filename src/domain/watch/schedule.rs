//! When each device is asked next: a timing wheel with one entry a device.
//!
//! Devices sit in doubly linked lists, one list for every [`SLOT`] of a turn of the wheel, so that moving a device
//! costs the same however many there are. A time further off than a turn waits in its place for more than one turn.

use super::device::Slot;
use crate::domain::time::Time;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

/// Resolution of the schedule in milliseconds.
const SLOT_MS: i64 = 10;
/// Places on the wheel: a turn is 41 s, longer than the usual interval.
const PLACES: usize = 4096;
const NONE: u32 = u32::MAX;
/// Neighbours that are asked at the same moment: one wake-up, one call to the kernel and neighbouring memory serve them all.
const TOGETHER: u32 = 16;

/// The timing wheel.
#[derive(Clone, Debug)]
pub(crate) struct Wheel {
    heads: Vec<u32>,
    links: Vec<Link>,
    /// The tick up to which everything was taken out.
    cursor: i64,
}

#[derive(Clone, Copy, Debug)]
struct Link {
    next: u32,
    prev: u32,
    /// Tick at which the device is due; `i64::MIN` when it is not on the wheel.
    due: i64,
}

const FREE: Link = Link { next: NONE, prev: NONE, due: i64::MIN };

const fn place(tick: i64) -> usize {
    tick.rem_euclid(PLACES as i64) as usize
}

impl Wheel {
    pub(crate) fn new(now: Time) -> Self {
        Self { heads: vec![NONE; PLACES], links: Vec::new(), cursor: now.as_millis().div_euclid(SLOT_MS) - 1 }
    }

    /// Makes room for `count` devices.
    pub(crate) fn grow(&mut self, count: usize) {
        if count > self.links.len() {
            self.links.resize(count, FREE);
        }
    }

    /// Puts a device on the wheel, or moves it. A time that is over counts as now.
    pub(crate) fn set(&mut self, slot: Slot, due: Time) {
        self.remove(slot);
        let tick = (due.as_millis() + SLOT_MS - 1).div_euclid(SLOT_MS).max(self.cursor + 1);
        let head = self.heads[place(tick)];
        self.links[slot.index()] = Link { next: head, prev: NONE, due: tick };
        if head != NONE {
            self.links[head as usize].prev = slot.0;
        }
        self.heads[place(tick)] = slot.0;
    }

    /// When a device is due, if it is on the wheel.
    pub(crate) fn due(&self, slot: Slot) -> Option<Time> {
        let due = self.links[slot.index()].due;
        (due != FREE.due).then(|| Time::from_millis(due * SLOT_MS))
    }

    /// Takes a device off the wheel.
    pub(crate) fn remove(&mut self, slot: Slot) {
        let link = self.links[slot.index()];
        if link.due == i64::MIN {
            return;
        }
        match link.prev {
            NONE => self.heads[place(link.due)] = link.next,
            prev => self.links[prev as usize].next = link.next,
        }
        if link.next != NONE {
            self.links[link.next as usize].prev = link.prev;
        }
        self.links[slot.index()] = FREE;
    }

    /// Takes all devices that are due by `now` off the wheel and appends them, with when they were due, to `out`.
    pub(crate) fn take_due(&mut self, now: Time, out: &mut Vec<(Slot, Time)>) {
        let last = now.as_millis().div_euclid(SLOT_MS);
        // One whole turn visits every place, however long nobody came by.
        let first = (self.cursor + 1).max(last - PLACES as i64 + 1);
        for tick in first..=last {
            let mut at = self.heads[place(tick)];
            while at != NONE {
                let link = self.links[at as usize];
                if link.due <= last {
                    self.remove(Slot(at));
                    out.push((Slot(at), Time::from_millis(link.due * SLOT_MS)));
                }
                at = link.next;
            }
        }
        self.cursor = self.cursor.max(last);
    }

    /// A time before which nothing is due: that of the next occupied place.
    pub(crate) fn next_due(&self, horizon: Time) -> Time {
        let last = horizon.as_millis().div_euclid(SLOT_MS).min(self.cursor + PLACES as i64);
        (self.cursor + 1..=last)
            .find(|&tick| self.heads[place(tick)] != NONE)
            .map_or(horizon, |tick| Time::from_millis(tick * SLOT_MS))
    }
}

/// What the wheel keeps of each device, in bytes.
#[cfg(test)]
pub(crate) const BYTES: usize = size_of::<Link>();

/// The first moment after `now` at which anybody can be due to be asked.
#[must_use]
pub const fn next_tick(now: Time) -> Time {
    Time::from_millis((now.as_millis().div_euclid(SLOT_MS) + 1) * SLOT_MS)
}

/// The next regular time after `now` of the device in `slot`. Regular times are spread over the interval by the golden
/// ratio, those of neighbours [`TOGETHER`]: evenly for any number of devices, and nobody's moves when one is added.
pub(crate) fn next_regular(slot: Slot, interval: Duration, now: Time) -> Time {
    let offset = phase(slot, interval).as_millis();
    let interval = i64::try_from(interval.as_millis()).unwrap_or(i64::MAX).max(1);
    let into = (now.as_millis() - offset).rem_euclid(interval);
    Time::from_millis(now.as_millis() - into + interval)
}

/// Whether the device in `slot` is due at `due`, a time of the wheel, in its turn.
pub(crate) fn is_regular(slot: Slot, interval: Duration, due: Time) -> bool {
    let one_before = Time::from_millis(due.as_millis() - SLOT_MS);
    next_regular(slot, interval, one_before) <= due
}

/// The first regular time of the device in `slot` on the timeline.
pub(crate) fn phase(slot: Slot, interval: Duration) -> Time {
    let interval = i64::try_from(interval.as_millis()).unwrap_or(i64::MAX).max(1);
    let fraction = (slot.0 / TOGETHER).wrapping_mul(0x9E37_79B9); // frac(slot / TOGETHER / phi) in units of 2^-32
    Time::from_millis(i64::try_from((i128::from(interval) * i128::from(fraction)) >> 32).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: i64) -> Time {
        Time::from_millis(millis)
    }

    fn due_at(wheel: &mut Wheel, now: Time) -> Vec<u32> {
        let mut out = Vec::new();
        wheel.take_due(now, &mut out);
        let mut slots: Vec<u32> = out.into_iter().map(|(slot, _)| slot.0).collect();
        slots.sort_unstable();
        slots
    }

    #[test]
    fn devices_come_out_when_due_and_once() {
        let mut wheel = Wheel::new(ms(0));
        wheel.grow(4);
        wheel.set(Slot(0), ms(20));
        wheel.set(Slot(1), ms(20));
        wheel.set(Slot(2), ms(100_000)); // more than two turns off
        wheel.set(Slot(3), ms(30));
        wheel.set(Slot(3), ms(15)); // moved; rounded up to 20
        assert_eq!((wheel.due(Slot(3)), wheel.due(Slot(2))), (Some(ms(20)), Some(ms(100_000))));
        assert_eq!(due_at(&mut wheel, ms(19)), [] as [u32; 0]);
        assert_eq!(due_at(&mut wheel, ms(20)), [0, 1, 3]);
        assert_eq!(wheel.due(Slot(3)), None);
        assert_eq!(due_at(&mut wheel, ms(99_990)), [] as [u32; 0]);
        assert_eq!(due_at(&mut wheel, ms(100_000)), [2]);
    }

    #[test]
    fn nothing_is_forgotten_after_a_long_sleep() {
        let mut wheel = Wheel::new(ms(0));
        wheel.grow(3);
        wheel.set(Slot(0), ms(10));
        wheel.set(Slot(1), ms(40_000));
        wheel.set(Slot(2), ms(7_200_000));
        assert_eq!(due_at(&mut wheel, ms(3_600_000)), [0, 1]);
        wheel.set(Slot(0), ms(5)); // the past counts as now
        assert_eq!(wheel.next_due(ms(9_000_000)), ms(3_600_010));
    }

    #[test]
    fn a_tick_is_a_moment_at_which_somebody_may_be_due() {
        assert_eq!([-1, 0, 9, 10].map(|now| next_tick(ms(now))), [0, 10, 10, 20].map(ms));
        let mut wheel = Wheel::new(ms(0));
        wheel.grow(1);
        wheel.set(Slot(0), ms(11));
        assert_eq!(wheel.due(Slot(0)), Some(next_tick(ms(10))));
    }

    #[test]
    fn regular_times_spread_over_the_interval() {
        let interval = Duration::from_secs(10);
        let mut times: Vec<i64> =
            (0..1000 * TOGETHER).map(|slot| next_regular(Slot(slot), interval, ms(-1)).as_millis()).collect();
        assert_eq!(times[0], 9_999 + 1 - 10_000);
        let neighbours = times.chunks(TOGETHER as usize);
        assert!(neighbours.into_iter().all(|group| group.iter().all(|time| *time == group[0])));
        times.sort_unstable();
        times.dedup();
        let gaps = times.windows(2).map(|pair| pair[1] - pair[0]);
        assert!(gaps.clone().max() <= Some(20), "even: no gap above twice the mean of 10 ms");
        assert!(times.iter().all(|&time| (0..10_000).contains(&time)));
    }
}
