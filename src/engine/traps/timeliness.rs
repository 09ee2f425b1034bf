//! Whether an authentic SNMPv3 trap is of now, and not one that somebody recorded and sends again (RFC 3414, 3.2 step
//! 7b).

use core::time::Duration;

/// Engines of one address that are remembered: a box has one, a replaced one another.
const MAX_ENGINES: usize = 4;

/// How far an engine's clock may be behind what we think it shows, in seconds.
const WINDOW_S: u32 = 150;

/// An engine that was started so often has to be configured anew before it may be trusted.
const WORN_OUT: u32 = i32::MAX.cast_unsigned();

/// The clocks of the engines that one address sends from.
#[derive(Debug, Default)]
pub(super) struct Clocks(Vec<EngineClock>);

#[derive(Debug)]
struct EngineClock {
    engine_id: Vec<u8>,
    boots: u32,
    /// The latest time that the engine gave, in seconds since it was started.
    time: u32,
    /// When it did, since our own start.
    heard_at: Duration,
}

impl Clocks {
    /// Whether a message of `engine_id`, which must be authentic, is timely at `now`. Its clock is remembered.
    pub(super) fn is_timely(&mut self, engine_id: &[u8], boots: u32, time: u32, now: Duration) -> bool {
        if boots == WORN_OUT {
            return false;
        }
        if let Some(clock) = self.0.iter_mut().find(|clock| clock.engine_id == engine_id) {
            return clock.is_timely(boots, time, now);
        }
        if self.0.len() >= MAX_ENGINES
            && let Some(oldest) = (0..self.0.len()).min_by_key(|&place| self.0[place].heard_at)
        {
            self.0.swap_remove(oldest);
        }
        self.0.push(EngineClock { engine_id: engine_id.to_vec(), boots, time, heard_at: now });
        true
    }
}

impl EngineClock {
    fn is_timely(&mut self, boots: u32, time: u32, now: Duration) -> bool {
        if (boots, time) > (self.boots, self.time) {
            (self.boots, self.time, self.heard_at) = (boots, time, now);
            return true;
        }
        let passed = u32::try_from(now.saturating_sub(self.heard_at).as_secs()).unwrap_or(u32::MAX);
        boots == self.boots && time.saturating_add(WINDOW_S) >= self.time.saturating_add(passed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOX: &[u8] = b"box";

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn what_was_recorded_grows_too_old() {
        let mut clocks = Clocks::default();
        assert!(clocks.is_timely(BOX, 7, 1_000, s(0)), "the first one tells the time");
        assert!(clocks.is_timely(BOX, 7, 1_000, s(150)), "late, but it may be");
        assert!(!clocks.is_timely(BOX, 7, 1_000, s(151)), "too late");
        assert!(clocks.is_timely(BOX, 7, 1_151, s(151)));
        assert!(clocks.is_timely(BOX, 8, 3, s(160)), "started again");
        assert!(!clocks.is_timely(BOX, 7, 5_000, s(160)), "of the boot before");
        assert!(!clocks.is_timely(BOX, WORN_OUT, 1, s(160)));
    }

    #[test]
    fn engines_are_told_apart_and_only_so_many_remembered() {
        let mut clocks = Clocks::default();
        assert!(clocks.is_timely(BOX, 7, 1_000, s(0)));
        for other in 0..MAX_ENGINES {
            assert!(clocks.is_timely(&[other as u8], 1, 1, s(1 + other as u64)));
            assert_eq!(clocks.0.iter().any(|clock| clock.engine_id == BOX), other + 1 < MAX_ENGINES);
        }
        assert_eq!(clocks.0.len(), MAX_ENGINES);
    }
}
