//! Whether the monitor's own side works: without that, silence says nothing of the customers.

use super::ledger::Reason;
use crate::domain::time::Time;
use core::time::Duration;

/// How long every sentinel must be silent, or most sends fail, before the monitor counts as cut off: three probes of a
/// sentinel, so that a little random loss is not taken for it.
pub const CUT_OFF_AFTER: Duration = Duration::from_secs(4);

/// How often a sentinel is asked, whatever the interval of the units: a cut-off must be noticed within seconds.
pub const SENTINEL_INTERVAL: Duration = Duration::from_secs(1);
/// How long a sentinel's answer may take: shorter than the interval between two questions.
pub const SENTINEL_TIMEOUT: Duration = Duration::from_millis(900);

/// How old a sentinel's answer may be when a fault is declared.
const FRESH: Duration = Duration::from_secs(2);

/// Judges the monitor's own connectivity from sentinels and from its own sends.
#[derive(Clone, Debug)]
pub struct Isolation {
    has_sentinels: bool,
    last_sentinel: Time,
    failing_since: Option<Time>,
    /// How many of how many devices had their latest probe refused by our own machine.
    refused: usize,
    devices: usize,
    cut_off: Option<(Time, Reason)>,
}

/// The monitor was cut off, or is connected again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    CutOff { since: Time, why: Reason },
    Mended { since: Time, why: Reason },
}

impl Isolation {
    /// A monitor that counts as connected at `now`.
    #[must_use]
    pub const fn new(now: Time) -> Self {
        Self { has_sentinels: false, last_sentinel: now, failing_since: None, refused: 0, devices: 0, cut_off: None }
    }

    /// Takes over a changed inventory.
    pub(crate) fn set_fleet(&mut self, devices: usize, has_sentinels: bool, refused: usize, now: Time) {
        if has_sentinels && !self.has_sentinels {
            self.last_sentinel = now;
        }
        self.has_sentinels = has_sentinels;
        self.devices = devices;
        self.refused = refused;
    }

    pub(crate) fn sentinel_answered(&mut self, at: Time) {
        self.last_sentinel = self.last_sentinel.max(at);
    }

    /// Our machine sent a probe. `was_refused`: the device's probe before this one was refused.
    pub(crate) fn sent(&mut self, was_refused: bool) {
        self.failing_since = None;
        self.refused = self.refused.saturating_sub(usize::from(was_refused));
    }

    /// Our machine refused to send a probe.
    pub(crate) fn refused(&mut self, at: Time, was_refused: bool) {
        self.failing_since.get_or_insert(at);
        self.refused += usize::from(!was_refused);
    }

    /// Starts over after a time in which nobody watched.
    pub(crate) fn restart(&mut self, now: Time) {
        self.last_sentinel = self.last_sentinel.max(now);
        self.failing_since = None;
    }

    /// Since when and why the monitor is cut off, if it is.
    #[must_use]
    pub const fn cut_off(&self) -> Option<(Time, Reason)> {
        self.cut_off
    }

    /// Whether a sentinel has answered since `at`, or there is none to ask.
    pub(crate) fn corroborates(&self, at: Time) -> bool {
        !self.has_sentinels || self.last_sentinel >= at
    }

    /// Whether our own side is known to work right now.
    pub(crate) fn is_trusted(&self, now: Time) -> bool {
        self.cut_off.is_none() && self.corroborates(now - FRESH)
    }

    /// When to judge next, if nothing happens before.
    pub(crate) fn next_due(&self) -> Option<Time> {
        let silence = (self.has_sentinels && self.cut_off.is_none()).then(|| self.last_sentinel + CUT_OFF_AFTER);
        let failing = self.failing_since.filter(|_| self.cut_off.is_none()).map(|since| since + CUT_OFF_AFTER);
        // What lies in the past was judged already: a minority's refusals wait for the next send.
        [silence, failing].into_iter().flatten().min()
    }

    /// Draws the conclusion as of `now`.
    pub(crate) fn judge(&mut self, now: Time) -> Option<Change> {
        let cause = self.cause(now);
        match (self.cut_off, cause) {
            (None, Some((since, why))) => {
                self.cut_off = cause;
                Some(Change::CutOff { since, why })
            }
            (Some((since, why)), None) => {
                self.cut_off = None;
                Some(Change::Mended { since, why })
            }
            (None, None) | (Some(_), Some(_)) => None,
        }
    }

    fn cause(&self, now: Time) -> Option<(Time, Reason)> {
        let over = |since: Time| now.since(since) >= CUT_OFF_AFTER;
        let most = self.refused * 2 > self.devices;
        let failing = self.failing_since.filter(|&since| most && over(since));
        let silent = Some(self.last_sentinel).filter(|&since| self.has_sentinels && over(since));
        failing.map(|since| (since, Reason::SendsFailing)).or(silent.map(|since| (since, Reason::SentinelsSilent)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: i64) -> Time {
        Time::from_millis(millis)
    }

    fn watched_by(sentinels: bool, devices: usize) -> Isolation {
        let mut isolation = Isolation::new(at(0));
        isolation.set_fleet(devices, sentinels, 0, at(0));
        isolation
    }

    #[test]
    fn silent_sentinels_cut_off_after_four_seconds_and_one_answer_mends() {
        let mut isolation = watched_by(true, 10);
        isolation.sentinel_answered(at(1_000));
        assert_eq!(isolation.next_due(), Some(at(5_000)));
        assert_eq!(isolation.judge(at(4_999)), None);
        let cut_off = (at(1_000), Reason::SentinelsSilent);
        assert_eq!(isolation.judge(at(5_000)), Some(Change::CutOff { since: cut_off.0, why: cut_off.1 }));
        assert_eq!((isolation.judge(at(9_000)), isolation.cut_off()), (None, Some(cut_off)), "said once");
        isolation.sentinel_answered(at(9_000));
        assert_eq!(isolation.judge(at(9_100)), Some(Change::Mended { since: cut_off.0, why: cut_off.1 }));
        assert_eq!(isolation.cut_off(), None);
    }

    #[test]
    fn without_sentinels_silence_means_nothing() {
        let mut isolation = watched_by(false, 10);
        assert_eq!((isolation.judge(at(3_600_000)), isolation.next_due()), (None, None));
        assert!(isolation.is_trusted(at(3_600_000)));
    }

    #[test]
    fn a_fault_is_declared_only_on_a_sentinel_s_fresh_word() {
        let mut isolation = watched_by(true, 10);
        isolation.sentinel_answered(at(1_000));
        assert!(isolation.is_trusted(at(3_000)) && !isolation.is_trusted(at(3_001)));
        assert!(isolation.corroborates(at(1_000)) && !isolation.corroborates(at(1_001)));
    }

    #[test]
    fn refused_sends_cut_off_when_most_devices_meet_them_and_nothing_else_went_out() {
        let refuse = |count: usize| {
            let mut isolation = watched_by(false, 10);
            (0..count).for_each(|_| isolation.refused(at(100), false));
            isolation
        };
        assert_eq!(refuse(5).judge(at(60_000)), None, "half of them is not most of them");
        let mut isolation = refuse(6);
        assert_eq!(isolation.judge(at(4_099)), None);
        let began = Change::CutOff { since: at(100), why: Reason::SendsFailing };
        assert_eq!(isolation.judge(at(4_100)), Some(began));
        isolation.sent(true);
        assert!(matches!(isolation.judge(at(4_200)), Some(Change::Mended { .. })));
        let mut again = refuse(1);
        (0..9).for_each(|_| again.refused(at(200), true));
        assert_eq!(again.judge(at(60_000)), None, "one device refused ten times is one device");
    }

    #[test]
    fn a_stall_is_nobody_s_silence() {
        let mut isolation = watched_by(true, 10);
        isolation.restart(at(60_000));
        assert_eq!(isolation.judge(at(60_000)), None);
        assert!(isolation.judge(at(64_000)).is_some(), "from then on it counts");
    }

    #[test]
    fn the_first_sentinel_gets_its_time_and_the_last_one_takes_its_silence_along() {
        let mut isolation = watched_by(false, 10);
        isolation.set_fleet(11, true, 0, at(100_000));
        assert_eq!(isolation.judge(at(103_999)), None);
        assert!(isolation.judge(at(104_000)).is_some());
        isolation.set_fleet(10, false, 0, at(105_000));
        assert!(matches!(isolation.judge(at(105_000)), Some(Change::Mended { .. })));
    }
}
