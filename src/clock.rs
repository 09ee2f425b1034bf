//! The only reader of clocks.

use std::time::{Duration, Instant, SystemTime};

/// What the wall clock shows, in milliseconds since the Unix epoch.
#[must_use]
pub fn unix_millis() -> i64 {
    #[expect(clippy::disallowed_methods, reason = "this is the one home of clock reads")]
    let now = SystemTime::now();
    now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
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
