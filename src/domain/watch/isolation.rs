//! Whether the monitor's own side works: without that, silence says nothing of the customers.

use super::device::Place;
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
    /// By place: whether there are any, and when one answered last.
    has: [bool; Place::ALL.len()],
    last: [Time; Place::ALL.len()],
    /// By place: whether our own machine refused to ask it the last time.
    unsent: [bool; Place::ALL.len()],
    /// How long nobody looked since a sentinel answered last: that is no silence of theirs.
    missed: Duration,
    /// Since when more is lost at once than lines can fail.
    mass: Option<Time>,
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
        Self {
            has: [false; Place::ALL.len()],
            last: [now; Place::ALL.len()],
            unsent: [false; Place::ALL.len()],
            missed: Duration::ZERO,
            mass: None,
            failing_since: None,
            refused: 0,
            devices: 0,
            cut_off: None,
        }
    }

    /// Which places vouch for our own side: those beyond the gateway, or else the gateway.
    fn vouching(&self) -> impl Iterator<Item = Place> {
        let beyond = self.has[Place::Core as usize] || self.has[Place::Far as usize];
        Place::ALL.into_iter().filter(move |&place| self.has[place as usize] && (place != Place::Gateway || !beyond))
    }

    /// When a sentinel that vouches for our own side answered last, if there is one.
    pub(crate) fn vouched(&self) -> Option<Time> {
        self.vouching().map(|place| self.last[place as usize]).max()
    }

    /// More is lost at once than lines can fail, since then; or no more.
    pub(crate) const fn set_mass(&mut self, since: Option<Time>) {
        self.mass = since;
    }

    /// Takes over a changed inventory.
    pub(crate) fn set_fleet(&mut self, devices: usize, has: [bool; Place::ALL.len()], refused: usize, now: Time) {
        for place in Place::ALL.map(|place| place as usize) {
            if has[place] && !self.has[place] {
                self.last[place] = now;
            }
        }
        self.has = has;
        self.devices = devices;
        self.refused = refused;
    }

    pub(crate) fn sentinel_answered(&mut self, place: Place, at: Time) {
        let last = &mut self.last[place as usize];
        *last = at.max(*last);
        self.unsent[place as usize] = false;
        self.missed = Duration::ZERO;
    }

    /// A sentinel was asked and did not answer, or our own machine refused to ask it.
    pub(crate) const fn sentinel_missed(&mut self, place: Place, unsent: bool) {
        self.unsent[place as usize] = unsent;
    }

    /// Nobody looked for so long, too short to call it a stall.
    pub(crate) fn nobody_looked(&mut self, lasted: Duration) {
        self.missed += lasted;
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
        self.last = self.last.map(|last| last.max(now));
        self.failing_since = None;
        self.missed = Duration::ZERO;
    }

    /// Since when and why the monitor is cut off, if it is.
    #[must_use]
    pub const fn cut_off(&self) -> Option<(Time, Reason)> {
        self.cut_off
    }

    /// Whether a sentinel has answered since `at`, or there is none to ask.
    pub(crate) fn corroborates(&self, at: Time) -> bool {
        self.vouched().is_none_or(|last| last >= at)
    }

    /// Whether our own side is known to work right now.
    pub(crate) fn is_trusted(&self, now: Time) -> bool {
        self.cut_off.is_none() && self.corroborates(now - FRESH)
    }

    /// When to judge next, if nothing happens before.
    pub(crate) fn next_due(&self) -> Option<Time> {
        let silence = self.vouched().filter(|_| self.cut_off.is_none()).map(|last| last + CUT_OFF_AFTER + self.missed);
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
                // Fewer devices may share the refusals now: should there be more again, that is another time.
                self.failing_since = None;
                Some(Change::Mended { since, why })
            }
            (None, None) | (Some(_), Some(_)) => None,
        }
    }

    /// How much of our own side the silence of the sentinels concerns. Who was not asked is not silent.
    fn silence(&self, now: Time) -> Reason {
        if self.vouching().all(|place| self.unsent[place as usize]) {
            return Reason::SendsFailing;
        }
        let gateway = Place::Gateway as usize;
        let beyond = self.vouching().all(|place| place != Place::Gateway);
        let answers = self.has[gateway] && now.since(self.last[gateway]) < CUT_OFF_AFTER;
        if beyond && answers { Reason::CoreSilent } else { Reason::SentinelsSilent }
    }

    fn cause(&self, now: Time) -> Option<(Time, Reason)> {
        let over = |since: Time| now.since(since) >= CUT_OFF_AFTER;
        let most = self.refused * 2 > self.devices;
        let failing = self.failing_since.filter(|&since| most && over(since));
        let silent = self.vouched().filter(|&since| over(since + self.missed)).map(|since| (since, self.silence(now)));
        let mass = self.mass.map(|since| (since, Reason::MassLoss));
        failing.map(|since| (since, Reason::SendsFailing)).or(silent).or(mass)
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
        isolation.set_fleet(devices, [false, false, sentinels], 0, at(0));
        isolation
    }

    #[test]
    fn silent_sentinels_cut_off_after_four_seconds_and_one_answer_mends() {
        let mut isolation = watched_by(true, 10);
        isolation.sentinel_answered(Place::Far, at(1_000));
        assert_eq!(isolation.next_due(), Some(at(5_000)));
        assert_eq!(isolation.judge(at(4_999)), None);
        let cut_off = (at(1_000), Reason::SentinelsSilent);
        assert_eq!(isolation.judge(at(5_000)), Some(Change::CutOff { since: cut_off.0, why: cut_off.1 }));
        assert_eq!((isolation.judge(at(9_000)), isolation.cut_off()), (None, Some(cut_off)), "said once");
        isolation.sentinel_answered(Place::Far, at(9_000));
        assert_eq!(isolation.judge(at(9_100)), Some(Change::Mended { since: cut_off.0, why: cut_off.1 }));
        assert_eq!(isolation.cut_off(), None);
    }

    #[test]
    fn sentinels_that_we_could_not_ask_are_not_silent() {
        let mut isolation = watched_by(true, 10);
        isolation.sentinel_answered(Place::Far, at(1_000));
        isolation.sentinel_missed(Place::Far, false);
        isolation.sentinel_missed(Place::Far, true);
        let began = Change::CutOff { since: at(1_000), why: Reason::SendsFailing };
        assert_eq!(isolation.judge(at(5_000)), Some(began));
        isolation.sentinel_answered(Place::Far, at(6_000));
        assert!(matches!(isolation.judge(at(6_000)), Some(Change::Mended { .. })));
        assert!(matches!(isolation.judge(at(10_000)), Some(Change::CutOff { why: Reason::SentinelsSilent, .. })));
    }

    #[test]
    fn while_nobody_looks_no_sentinel_is_silent() {
        let mut isolation = watched_by(true, 10);
        isolation.sentinel_answered(Place::Far, at(1_000));
        isolation.nobody_looked(Duration::from_secs(3));
        assert_eq!((isolation.judge(at(7_999)), isolation.next_due()), (None, Some(at(8_000))));
        let began = Change::CutOff { since: at(1_000), why: Reason::SentinelsSilent };
        assert_eq!(isolation.judge(at(8_000)), Some(began), "and yet nothing is known since then");
        isolation.sentinel_answered(Place::Far, at(9_000));
        assert!(matches!(isolation.judge(at(9_000)), Some(Change::Mended { .. })));
        assert_eq!(isolation.next_due(), Some(at(13_000)));
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
        isolation.sentinel_answered(Place::Far, at(1_000));
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
    fn the_gateway_alone_vouches_for_nothing_if_there_is_more_beyond_it() {
        let answered = |gateway: i64, core: i64, far: i64| {
            let mut isolation = watched_by(false, 10);
            isolation.set_fleet(10, [true; 3], 0, at(0));
            for (place, last) in Place::ALL.into_iter().zip([gateway, core, far]) {
                isolation.sentinel_answered(place, at(last));
            }
            isolation.judge(at(60_000))
        };
        let cut_off = |since, why| Some(Change::CutOff { since: at(since), why });
        assert_eq!(answered(60_000, 50_000, 51_000), cut_off(51_000, Reason::CoreSilent));
        assert_eq!(answered(50_000, 50_000, 50_000), cut_off(50_000, Reason::SentinelsSilent));
        assert_eq!(answered(0, 0, 59_000), None, "whoever answers from beyond proves the way there");
        assert_eq!(answered(0, 59_000, 0), None, "what is beyond our core is not ours");
    }

    #[test]
    fn a_mass_loss_cuts_off_until_it_is_taken_back() {
        let mut isolation = watched_by(false, 100);
        isolation.set_mass(Some(at(5_000)));
        let began = Change::CutOff { since: at(5_000), why: Reason::MassLoss };
        assert_eq!(isolation.judge(at(30_000)), Some(began));
        isolation.set_mass(None);
        assert!(matches!(isolation.judge(at(31_000)), Some(Change::Mended { .. })));
    }

    #[test]
    fn two_cut_offs_never_began_at_the_same_time() {
        let mut isolation = watched_by(false, 3);
        (0..2).for_each(|_| isolation.refused(at(100), false));
        let began = |since| Some(Change::CutOff { since: at(since), why: Reason::SendsFailing });
        assert_eq!(isolation.judge(at(5_000)), began(100));
        isolation.set_fleet(4, [false; 3], 2, at(6_000));
        assert!(matches!(isolation.judge(at(6_000)), Some(Change::Mended { .. })), "half of them is not most of them");
        isolation.set_fleet(3, [false; 3], 2, at(7_000));
        isolation.refused(at(7_000), true);
        assert_eq!((isolation.judge(at(8_000)), isolation.judge(at(11_000))), (None, began(7_000)));
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
        isolation.set_fleet(11, [false, false, true], 0, at(100_000));
        assert_eq!(isolation.judge(at(103_999)), None);
        assert!(isolation.judge(at(104_000)).is_some());
        isolation.set_fleet(10, [false; 3], 0, at(105_000));
        assert!(matches!(isolation.judge(at(105_000)), Some(Change::Mended { .. })));
    }
}
