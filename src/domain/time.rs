//! Points in time, sums of time and their place in the calendar.
//!
//! The watch lives on a timeline of its own. It starts at the wall clock of the very first start, runs on the boot
//! clock (so it goes on through a suspend and is not moved by anybody setting the wall clock), and is carried over a
//! restart. Every rule, deadline and stored stamp is on this timeline; [`Calendar`] says what a wall clock showed.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::num::{NonZeroU32, NonZeroU64};
use core::ops::{Add, Sub};
use core::time::Duration;

/// A point on the watch's timeline, in milliseconds. Without wall-clock steps it equals Unix time.
///
/// Each device has several that may be missing, so it has a value to spare: an `Option` of it is no larger.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(NonZeroU64);

impl Time {
    /// Where the origin is among the values.
    const ORIGIN: u64 = 1 << 63;

    /// The point `millis` milliseconds after the timeline's origin. The earliest is `i64::MIN + 1`.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        match NonZeroU64::new(millis.cast_unsigned() ^ Self::ORIGIN) {
            Some(value) => Self(value),
            None => Self(NonZeroU64::MIN),
        }
    }

    /// Milliseconds since the timeline's origin.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        (self.0.get() ^ Self::ORIGIN).cast_signed()
    }

    /// How long it is from `earlier` to here; zero if `earlier` is in fact later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.as_millis().saturating_sub(earlier.as_millis())).unwrap_or(0))
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Time").field(&self.as_millis()).finish()
    }
}

/// How long an answer took, in four bytes: whole microseconds, from one to over an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rtt(NonZeroU32);

impl Rtt {
    /// As a duration.
    #[must_use]
    pub const fn duration(self) -> Duration {
        Duration::from_micros(self.0.get() as u64)
    }

    /// In microseconds.
    #[must_use]
    pub const fn micros(self) -> u32 {
        self.0.get()
    }
}

impl From<Duration> for Rtt {
    fn from(took: Duration) -> Self {
        let micros = u32::try_from(took.as_micros()).unwrap_or(u32::MAX);
        Self(NonZeroU32::new(micros).unwrap_or(NonZeroU32::MIN))
    }
}

fn whole_millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

impl Add<Duration> for Time {
    type Output = Self;
    fn add(self, duration: Duration) -> Self {
        Self::from_millis(self.as_millis().saturating_add(whole_millis(duration)))
    }
}

impl Sub<Duration> for Time {
    type Output = Self;
    fn sub(self, duration: Duration) -> Self {
        Self::from_millis(self.as_millis().saturating_sub(whole_millis(duration)))
    }
}

/// A sum of time that can be paused: the loss of a line, the observed part of a stability window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    banked: Duration,
    running_since: Option<Time>,
}

impl Tally {
    /// A sum that stands at `banked`, and runs on from `running_since` if that is given.
    #[must_use]
    pub const fn new(banked: Duration, running_since: Option<Time>) -> Self {
        Self { banked, running_since }
    }

    /// A sum that starts from nothing at `at`.
    #[must_use]
    pub const fn started(at: Time) -> Self {
        Self::new(Duration::ZERO, Some(at))
    }

    /// Lets the sum run from `at`; one that runs already goes on as it was.
    pub fn run(&mut self, at: Time) {
        self.running_since.get_or_insert(at);
    }

    /// Stops the sum as of `at`. What ran after `at` is taken back; what was banked before stays.
    pub fn pause(&mut self, at: Time) {
        if let Some(since) = self.running_since.take() {
            self.banked += at.since(since);
        }
    }

    /// What was summed up before the present run.
    #[must_use]
    pub const fn banked(&self) -> Duration {
        self.banked
    }

    /// Since when the sum runs, if it does.
    #[must_use]
    pub const fn running_since(&self) -> Option<Time> {
        self.running_since
    }

    /// The sum as of `now`.
    #[must_use]
    pub fn total(&self, now: Time) -> Duration {
        self.banked + self.running_since.map_or(Duration::ZERO, |since| now.since(since))
    }

    /// When the sum will stand at `target`, if it goes on running. `None` while it is paused.
    #[must_use]
    pub fn reaches(&self, target: Duration) -> Option<Time> {
        self.running_since.map(|since| since + target.saturating_sub(self.banked))
    }
}

/// Where the clocks stood at a moment: what carries the timeline over a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockMark {
    /// On the timeline.
    pub at: Time,
    /// Which boot of the machine it was.
    pub boot_id: String,
    /// On the boot clock, in milliseconds.
    pub boot_ms: i64,
    /// On the wall clock, in milliseconds since the Unix epoch.
    pub unix_ms: i64,
}

/// What the wall clock showed at each point of the timeline: one entry for every step that somebody made it take.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calendar {
    /// (from when on, wall clock minus timeline in milliseconds), oldest first.
    steps: Vec<(Time, i64)>,
}

impl Calendar {
    /// The calendar in which the given steps were made, oldest first.
    #[must_use]
    pub fn new(steps: Vec<(Time, i64)>) -> Self {
        debug_assert!(steps.is_sorted_by_key(|&(from, _)| from));
        Self { steps }
    }

    /// Notes that from `from` on the wall clock is `offset_ms` ahead of the timeline.
    pub fn step(&mut self, from: Time, offset_ms: i64) {
        self.steps.retain(|&(at, _)| at < from);
        self.steps.push((from, offset_ms));
    }

    /// Wall clock minus timeline, in milliseconds, as of `at`.
    #[must_use]
    pub fn offset_ms(&self, at: Time) -> i64 {
        let later = self.steps.partition_point(|&(from, _)| from <= at);
        later.checked_sub(1).and_then(|i| self.steps.get(i)).map_or(0, |&(_, offset)| offset)
    }

    /// When a wall clock showed this many milliseconds since the Unix epoch. The last time, if it did so twice; when it
    /// was put forward, if it never did.
    #[must_use]
    pub fn time_of(&self, unix_ms: i64) -> Time {
        let steps = self.steps.iter().rev().map(|&(from, offset)| (from, offset));
        for (from, offset) in steps.chain([(Time::from_millis(i64::MIN), 0)]) {
            let at = Time::from_millis(unix_ms.saturating_sub(offset));
            if at >= from {
                return at;
            }
            if unix_ms >= self.unix_millis(from - Duration::from_millis(1)) {
                return from;
            }
        }
        Time::from_millis(unix_ms)
    }

    /// What a wall clock showed at `at`: milliseconds since the Unix epoch.
    #[must_use]
    pub fn unix_millis(&self, at: Time) -> i64 {
        at.as_millis().saturating_add(self.offset_ms(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: i64) -> Time {
        Time::from_millis(seconds * 1000)
    }

    #[test]
    fn times_are_in_order_and_one_that_may_be_missing_is_no_larger() {
        let millis = [i64::MIN + 1, -1, 0, 1, i64::MAX];
        let times = millis.map(Time::from_millis);
        assert!(times.is_sorted());
        assert_eq!(times.map(Time::as_millis), millis);
        assert_eq!(Time::from_millis(i64::MIN), times[0]);
        assert_eq!(format!("{:?}", times[1]), "Time(-1)");
        assert_eq!(size_of::<Option<Time>>(), 8);
    }

    #[test]
    fn how_long_an_answer_took_is_kept_to_the_microsecond() {
        let kept = |took: Duration| Rtt::from(took).duration();
        assert_eq!(kept(Duration::from_nanos(12_345_678)), Duration::from_micros(12_345));
        assert_eq!(kept(Duration::ZERO), Duration::from_micros(1));
        assert_eq!(kept(Duration::from_hours(2)), Duration::from_micros(u32::MAX.into()));
    }

    #[test]
    fn a_tally_counts_only_while_it_runs() {
        let mut sum = Tally::started(at(10));
        sum.pause(at(40));
        assert_eq!(sum.total(at(1000)), Duration::from_secs(30));
        assert_eq!(sum.reaches(Duration::from_secs(60)), None);
        sum.run(at(100));
        assert_eq!(sum.reaches(Duration::from_secs(60)), Some(at(130)));
        assert_eq!(sum.total(at(130)), Duration::from_secs(60));
    }

    #[test]
    fn a_pause_dated_before_the_run_takes_the_whole_run_back() {
        let mut sum = Tally::new(Duration::from_secs(5), Some(at(100)));
        sum.pause(at(90));
        assert_eq!(sum, Tally::new(Duration::from_secs(5), None));
    }

    #[test]
    fn the_calendar_reads_each_time_with_the_offset_of_its_day() {
        let mut calendar = Calendar::default();
        assert_eq!(calendar.unix_millis(at(5)), 5_000);
        calendar.step(at(10), 3_600_000);
        calendar.step(at(20), -1_000);
        assert_eq!(calendar.unix_millis(at(9)), 9_000);
        assert_eq!(calendar.unix_millis(at(10)), 3_610_000);
        assert_eq!(calendar.unix_millis(at(20)), 19_000);
    }

    #[test]
    fn a_date_is_found_on_the_timeline() {
        let mut calendar = Calendar::default();
        assert_eq!(calendar.time_of(5_000), at(5));
        calendar.step(at(100), 3_600_000);
        calendar.step(at(200), -50_000);
        for (unix, time) in [(99, 99), (150, 200), (1_000, 1_050), (3_705, 3_755)] {
            let shows = calendar.unix_millis(at(time));
            assert_eq!(calendar.time_of(unix * 1_000), at(time), "{unix}: it shows {shows}");
        }
        calendar = Calendar::new(vec![(at(100), 3_600_000)]);
        assert_eq!(calendar.time_of(1_000_000), at(100), "that hour was left out");
    }
}
