//! What this process has cost so far.

use core::time::Duration;
use nix::time::{ClockId, clock_gettime};

/// CPU time of all its threads, user and system.
pub(crate) fn used() -> Duration {
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}
