//! How much mail a person writes, and how many cases mail may open: what is beyond is for people to look at.

use crate::domain::time::Time;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use core::time::Duration;

/// Correspondents that are remembered. Who has been silent for long enough is forgotten.
const MAX_CORRESPONDENTS: usize = 10_000;
/// So many messages of one sender count at once,
const MESSAGES: u32 = 20;
/// and one more each time that this has passed.
const MESSAGE_EVERY: Duration = Duration::from_secs(180);
/// So many cases may be opened by mail at once,
const CASES: u32 = 100;
/// and one more each time that this has passed.
const CASE_EVERY: Duration = Duration::from_secs(10);

/// What came lately. Volatile: a restart forgives.
#[derive(Clone, Debug, Default)]
pub(super) struct Buckets {
    of: BTreeMap<String, Bucket>,
    cases: Bucket,
}

/// When it would be full again.
#[derive(Clone, Copy, Debug, Default)]
struct Bucket(Option<Time>);

impl Bucket {
    /// Takes one out, if there is one.
    fn take(&mut self, size: u32, every: Duration, now: Time) -> bool {
        let full_at = self.0.map_or(now, |at| at.max(now)) + every;
        let fits = full_at.since(now) <= every * size;
        if fits {
            self.0 = Some(full_at);
        }
        fits
    }

    fn is_full(self, now: Time) -> bool {
        self.0.is_none_or(|at| at <= now)
    }
}

impl Buckets {
    /// Whether one more message of this sender counts.
    pub(super) fn take_from(&mut self, sender: &str, now: Time) -> bool {
        if self.of.len() >= MAX_CORRESPONDENTS && !self.of.contains_key(sender) {
            self.of.retain(|_, bucket| !bucket.is_full(now));
        }
        if self.of.len() >= MAX_CORRESPONDENTS && !self.of.contains_key(sender) {
            return false;
        }
        self.of.entry(sender.to_string()).or_default().take(MESSAGES, MESSAGE_EVERY, now)
    }

    /// Whether mail may open one more case.
    pub(super) fn take_case(&mut self, now: Time) -> bool {
        self.cases.take(CASES, CASE_EVERY, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: i64) -> Time {
        Time::from_millis(seconds * 1000)
    }

    #[test]
    fn who_writes_without_end_is_stopped_and_heard_again_later() {
        let mut buckets = Buckets::default();
        let taken = (0..100).filter(|_| buckets.take_from("it@acme.example", at(0))).count();
        assert_eq!(taken, MESSAGES as usize);
        assert!(buckets.take_from("it@globex.example", at(0)), "nobody pays for another");
        assert!(!buckets.take_from("it@acme.example", at(179)));
        assert!(buckets.take_from("it@acme.example", at(180)));
        assert!(!buckets.take_from("it@acme.example", at(180)));
        let later = (0..100).filter(|_| buckets.take_from("it@acme.example", at(100_000))).count();
        assert_eq!(later, MESSAGES as usize, "it never holds more");
    }

    #[test]
    fn no_more_correspondents_are_remembered_than_allowed() {
        let mut buckets = Buckets::default();
        let write = |buckets: &mut Buckets, sender: usize, now| buckets.take_from(&sender.to_string(), now);
        assert!((0..MAX_CORRESPONDENTS).all(|sender| write(&mut buckets, sender, at(0))));
        assert!(!write(&mut buckets, MAX_CORRESPONDENTS, at(1)), "all of them wrote a moment ago");
        assert!(write(&mut buckets, 7, at(1)), "who is known is heard");
        assert!(write(&mut buckets, MAX_CORRESPONDENTS, at(1_000)));
        assert_eq!(buckets.of.len(), 1, "who has been silent since is forgotten");
    }
}
