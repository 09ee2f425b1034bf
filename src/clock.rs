//! The only reader of clocks.

use crate::domain::time::{Calendar, ClockMark, Time};
use nix::time::{ClockId, clock_gettime};
use std::fs;
use std::time::{Duration, Instant, SystemTime};

/// A difference of wall clock and timeline up to this is drift or a slow adjustment, not a step.
const STEP_MS: i64 = 1_000;

/// What the wall clock shows, since the Unix epoch.
#[must_use]
pub fn unix_time() -> Duration {
    #[expect(clippy::disallowed_methods, reason = "this is the one home of clock reads")]
    let now = SystemTime::now();
    now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// The same in milliseconds.
#[must_use]
pub fn unix_millis() -> i64 {
    i64::try_from(unix_time().as_millis()).unwrap_or(i64::MAX)
}

/// Measures how long something takes.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts measuring now.
    #[must_use]
    pub fn start() -> Self {
        #[expect(clippy::disallowed_methods, reason = "this is the one home of clock reads")]
        Self(Instant::now())
    }

    /// Time since the start.
    #[must_use]
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// The watch's timeline: carried by the boot clock, which goes on through a suspend and which nobody can set.
#[derive(Clone, Debug)]
pub struct Clock {
    /// Timeline minus boot clock, in milliseconds.
    shift_ms: i64,
    /// Wall clock minus timeline, as the calendar has it.
    offset_ms: i64,
    boot_id: String,
}

/// What the machine's clocks show at one moment.
#[derive(Clone, Copy, Debug)]
struct Reading {
    boot_ms: i64,
    unix_ms: i64,
}

impl Reading {
    fn take() -> Self {
        let boot = clock_gettime(ClockId::CLOCK_BOOTTIME).map_or(Duration::ZERO, Duration::from);
        Self { boot_ms: i64::try_from(boot.as_millis()).unwrap_or(i64::MAX), unix_ms: unix_millis() }
    }
}

impl Clock {
    /// Goes on from `mark`, the last moment that the store knows of; without one, the timeline begins now.
    #[must_use]
    pub fn resume(mark: Option<&ClockMark>, calendar: &Calendar) -> Self {
        let boot_id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        Self::resume_at(Reading::take(), boot_id.trim().to_owned(), mark, calendar)
    }

    fn resume_at(reading: Reading, boot_id: String, mark: Option<&ClockMark>, calendar: &Calendar) -> Self {
        let Reading { boot_ms, unix_ms } = reading;
        let at = match mark {
            None => Time::from_millis(unix_ms),
            // The same boot: the boot clock says exactly how long nobody watched.
            Some(mark) if mark.boot_id == boot_id && !boot_id.is_empty() && mark.boot_ms <= boot_ms => {
                Time::from_millis(mark.at.as_millis() + boot_ms - mark.boot_ms)
            }
            // Another boot: only the wall clock was there meanwhile. Time never runs backwards.
            Some(mark) => Time::from_millis(mark.at.as_millis() + (unix_ms - mark.unix_ms).max(0)),
        };
        Self { shift_ms: at.as_millis() - boot_ms, offset_ms: calendar.offset_ms(at), boot_id }
    }

    /// The present.
    #[must_use]
    pub fn now(&self) -> Time {
        self.at(Reading::take())
    }

    const fn at(&self, reading: Reading) -> Time {
        Time::from_millis(reading.boot_ms + self.shift_ms)
    }

    /// The present as the store is to remember it.
    #[must_use]
    pub fn mark(&self) -> ClockMark {
        let reading = Reading::take();
        let Reading { boot_ms, unix_ms } = reading;
        ClockMark { at: self.at(reading), boot_id: self.boot_id.clone(), boot_ms, unix_ms }
    }

    /// By how many milliseconds somebody has set the wall clock since the last call, and how far it is from the
    /// timeline now; `None` if nobody did.
    pub fn notice_step(&mut self) -> Option<(i64, i64)> {
        self.notice_step_at(Reading::take())
    }

    const fn notice_step_at(&mut self, reading: Reading) -> Option<(i64, i64)> {
        let offset_ms = reading.unix_ms - self.at(reading).as_millis();
        let by_ms = offset_ms - self.offset_ms;
        if by_ms.abs() < STEP_MS {
            return None;
        }
        self.offset_ms = offset_ms;
        Some((by_ms, offset_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn reading(boot_s: i64, unix_s: i64) -> Reading {
        Reading { boot_ms: boot_s * 1000, unix_ms: unix_s * 1000 }
    }

    fn mark(at_s: i64, boot_s: i64, unix_s: i64) -> ClockMark {
        ClockMark {
            at: Time::from_millis(at_s * 1000),
            boot_id: "this boot".into(),
            boot_ms: boot_s * 1000,
            unix_ms: unix_s * 1000,
        }
    }

    fn resume(reading: Reading, boot: &str, mark: &ClockMark) -> Time {
        Clock::resume_at(reading, boot.into(), Some(mark), &Calendar::default()).at(reading)
    }

    #[test]
    fn the_timeline_begins_with_the_wall_clock() {
        let now = reading(50, 1_000_000);
        let clock = Clock::resume_at(now, "this boot".into(), None, &Calendar::default());
        assert_eq!(clock.at(now), Time::from_millis(1_000_000_000));
        assert_eq!(clock.at(reading(60, 5)), Time::from_millis(1_000_010_000), "whatever the wall clock shows");
    }

    #[test]
    fn within_a_boot_the_boot_clock_measures_the_gap() {
        let then = mark(2_000_000, 100, 2_000_000);
        // The wall clock was set back by an hour meanwhile.
        assert_eq!(resume(reading(400, 1_996_700), "this boot", &then), Time::from_millis(2_000_300_000));
    }

    #[test]
    fn over_a_boot_the_wall_clock_does_and_never_backwards() {
        let then = mark(2_000_000, 100, 2_003_600);
        assert_eq!(resume(reading(7, 2_003_660), "next boot", &then), Time::from_millis(2_000_060_000));
        assert_eq!(resume(reading(7, 1_000_000), "next boot", &then), Time::from_millis(2_000_000_000));
    }

    #[test]
    fn a_step_of_the_wall_clock_is_noticed_once() {
        let mut clock = Clock::resume_at(reading(50, 1_000_000), "b".into(), None, &Calendar::default());
        assert_eq!(clock.notice_step_at(reading(60, 1_000_010)), None);
        assert_eq!(clock.notice_step_at(reading(70, 1_003_620)), Some((3_600_000, 3_600_000)));
        assert_eq!(clock.notice_step_at(reading(80, 1_003_630)), None);
        assert_eq!(clock.notice_step_at(reading(90, 1_000_040)), Some((-3_600_000, 0)));
    }
}
