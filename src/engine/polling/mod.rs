//! What the engines have in common that sleep in poll(2): datagrams in bursts, and what is in flight.

mod bursts;
mod flights;

pub(super) use bursts::{BURST, Bursts, Datagram, address};
pub(super) use flights::{Flights, Serial, Stray, Strays};

use crate::clock::{self, Stopwatch};
use core::time::Duration;

/// A moment by an engine's own clock, and by the one the kernel stamps datagrams with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// Since the engine started.
    pub(super) at: Duration,
    /// Since the Unix epoch. The clock may be set at any time.
    pub(super) wall: Duration,
}

impl Moment {
    /// The present of an engine that `clock` was started with.
    pub(super) fn now(clock: Stopwatch) -> Self {
        Self { at: clock.elapsed(), wall: clock::unix_time() }
    }

    /// From when a question was handed to the kernel until the kernel stamped the answer. If somebody set the clock meanwhile, until
    /// the answer was read, which is `now`.
    pub(super) fn round_trip(self, stamped: Option<Duration>, now: Duration) -> Duration {
        let at_most = now.saturating_sub(self.at);
        stamped.and_then(|stamped| stamped.checked_sub(self.wall)).filter(|rtt| *rtt <= at_most).unwrap_or(at_most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_trip_ends_with_the_stamp_unless_the_clock_was_set() {
        let ms = Duration::from_millis;
        let sent = Moment { at: ms(100), wall: ms(5_000) };
        assert_eq!(sent.round_trip(Some(ms(5_003)), ms(110)), ms(3));
        assert_eq!(sent.round_trip(None, ms(110)), ms(10));
        assert_eq!(sent.round_trip(Some(ms(4_000)), ms(110)), ms(10), "set back");
        assert_eq!(sent.round_trip(Some(ms(9_000)), ms(110)), ms(10), "set forward");
    }
}
