//! How many traps are listened to, so that neither a device gone mad nor a storm costs more than it may.

use core::time::Duration;

/// For each sender: ten at once, one a second after that.
pub(super) const OF_A_SENDER: Limit = Limit { burst: 10, every: Duration::from_secs(1) };

/// For all together: what a region's boxes say when its power comes back, and a processor's small change after that.
pub(super) const OF_ALL: Limit = Limit { burst: 10_000, every: Duration::from_millis(1) };

/// A token bucket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    /// Tokens in a full bucket.
    pub(super) burst: u32,
    /// From one new token to the next.
    pub(super) every: Duration,
}

/// What has been taken out of a bucket, as the time at which it will be full again.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bucket {
    full_at: Duration,
}

impl Bucket {
    /// Takes a token at `now`, a time since the engine's start, if there is one.
    pub(super) fn take(&mut self, limit: Limit, now: Duration) -> bool {
        let full_at = self.full_at.max(now) + limit.every;
        let in_time = full_at - now <= limit.every * limit.burst;
        if in_time {
            self.full_at = full_at;
        }
        in_time
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Limit = Limit { burst: 3, every: Duration::from_secs(2) };

    fn taken(bucket: &mut Bucket, attempts: usize, at_s: u64) -> usize {
        (0..attempts).filter(|_| bucket.take(LIMIT, Duration::from_secs(at_s))).count()
    }

    #[test]
    fn a_burst_and_then_one_each_time() {
        let mut bucket = Bucket::default();
        assert_eq!(taken(&mut bucket, 10, 5), 3);
        assert_eq!(taken(&mut bucket, 10, 6), 0, "no token yet");
        assert_eq!(taken(&mut bucket, 10, 7), 1);
        assert_eq!(taken(&mut bucket, 10, 11), 2);
    }

    #[test]
    fn a_bucket_holds_no_more_than_a_burst_however_long_nobody_came() {
        let mut bucket = Bucket::default();
        assert_eq!(taken(&mut bucket, 1, 0), 1);
        assert_eq!(taken(&mut bucket, 10, 1_000_000), 3);
    }
}
