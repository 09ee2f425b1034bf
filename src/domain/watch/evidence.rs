//! From the fate of probe rounds to a verdict, for one device.
//!
//! One lost round is a doubt, not a verdict: [`CONFIRM_ROUNDS`] lost rounds in a row make LOSS, back-dated to the first.
//! Every round, answered or lost, is dated by the moment it was sent: loss and recovery are measured alike.
//! Accumulated loss is paused by time in which we could not see (INCONCLUSIVE, UNOBSERVED) and reset by any contact.

use super::device::Slot;
use super::ledger::{Reason, Shift, Verdict};
use super::symptom::{Symptom, Symptoms};
use crate::domain::time::{Tally, Time};
use alloc::boxed::Box;
use core::time::Duration;

/// Rounds in a row without an answer that confirm a loss: the scheduled one and two quick ones.
pub const CONFIRM_ROUNDS: u8 = 3;

/// What is known of one device. Few are in doubt or in trouble.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    verdict: Verdict,
    reason: Reason,
    since: Time,
    last_contact: Option<Time>,
    doubt: Option<Box<Doubt>>,
    symptoms: Symptoms,
    trouble: Option<Box<Trouble>>,
}

/// Rounds that failed and do not make a verdict yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Doubt {
    blame: Blame,
    rounds: u8,
    since: Time,
}

/// Whose failure a failed round was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blame {
    /// Probes went out, nothing came back.
    Line,
    /// Our machine could not send.
    Ourselves,
    /// We have no address to send to.
    Resolver,
}

/// A round without an answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Failure {
    pub(crate) sent: Time,
    pub(crate) now: Time,
    pub(crate) blame: Blame,
    /// Whether it lies within a maintenance window.
    pub(crate) expected: bool,
}

/// The loss of a device since its last contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// When the first lost probe was sent.
    pub first_loss: Time,
    /// When re-probes had confirmed it.
    pub detected: Time,
    /// Corroborated LOSS since the last contact.
    pub loss: Tally,
    /// How much loss makes the next fault; `None` when the fault was reported already.
    pub fault_at: Option<Duration>,
}

impl Evidence {
    /// A device that nobody has asked yet.
    #[must_use]
    pub const fn new(at: Time) -> Self {
        Self {
            verdict: Verdict::Unobserved,
            reason: Reason::Added,
            since: at,
            last_contact: None,
            doubt: None,
            symptoms: Symptoms::from_bits(0),
            trouble: None,
        }
    }

    /// A device as the store remembers it.
    #[must_use]
    pub fn restored(
        verdict: (Verdict, Reason),
        since: Time,
        last_contact: Option<Time>,
        symptoms: Symptoms,
        trouble: Option<Trouble>,
    ) -> Self {
        let trouble = trouble.map(Box::new);
        Self { verdict: verdict.0, reason: verdict.1, since, last_contact, doubt: None, symptoms, trouble }
    }

    /// The verdict that stands.
    #[must_use]
    pub const fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// Why it stands.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.reason
    }

    /// Since when it stands.
    #[must_use]
    pub const fn since(&self) -> Time {
        self.since
    }

    /// When the device last answered.
    #[must_use]
    pub const fn last_contact(&self) -> Option<Time> {
        self.last_contact
    }

    /// In which ways it is degraded, whether it answers just now or not.
    #[must_use]
    pub const fn symptoms(&self) -> Symptoms {
        self.symptoms
    }

    /// The loss since the last contact, if there is any.
    #[must_use]
    pub fn trouble(&self) -> Option<&Trouble> {
        self.trouble.as_deref()
    }

    pub(crate) fn trouble_mut(&mut self) -> Option<&mut Trouble> {
        self.trouble.as_deref_mut()
    }

    /// Whether the next round must come at once, to confirm or clear a doubt.
    pub(crate) const fn in_doubt(&self) -> bool {
        self.doubt.is_some()
    }

    /// Whether the next round is one of those that confirm or clear a doubt. A doubt that goes on for longer waits for
    /// something else.
    pub(crate) fn awaits_confirmation(&self) -> bool {
        self.doubt.as_ref().is_some_and(|doubt| doubt.rounds < CONFIRM_ROUNDS)
    }

    /// Whether the latest rounds leave nothing to explain.
    pub(crate) const fn is_in_contact(&self) -> bool {
        self.verdict.is_contact() && self.doubt.is_none()
    }

    /// Our own side was broken when the latest rounds failed: they begin no loss.
    pub(crate) fn drop_doubt(&mut self) {
        self.doubt = None;
    }

    /// The store notes contacts only with changes of the verdict: a device that was UP went on answering until `at`.
    pub(crate) fn answered_until(&mut self, at: Time) {
        if self.verdict.is_contact() {
            self.last_contact = self.last_contact.max(Some(at));
        }
    }

    /// The device answered a probe sent at `at`. Any contact resets the loss.
    pub(crate) fn contact(&mut self, slot: Slot, at: Time, reason: Reason) -> Option<Shift> {
        self.last_contact = self.last_contact.max(Some(at));
        self.doubt = None;
        self.trouble = None;
        // An answer from before the time that nobody watched says nothing of what came after. A stall begins with the last
        // step, and the probes of that one count as before.
        let stale = at < self.since || at == self.since && self.reason == Reason::Stalled;
        if stale || self.verdict.is_contact() {
            return None;
        }
        let (verdict, reason) =
            self.symptoms.first().map_or((Verdict::Up, reason), |symptom| (Verdict::Degraded, symptom.reason()));
        self.shift(slot, at, verdict, reason)
    }

    /// The device was found to have a symptom, or to have it no more.
    pub(crate) fn set_symptom(&mut self, slot: Slot, at: Time, symptom: Symptom, on: bool) -> Option<Shift> {
        self.symptoms.set(symptom, on);
        if !self.verdict.is_contact() {
            return None;
        }
        let (verdict, reason) = match self.symptoms.first() {
            Some(symptom) => (Verdict::Degraded, symptom.reason()),
            None => (Verdict::Up, Reason::Answered),
        };
        // A symptom beside others that tell more changes nothing.
        if verdict == self.verdict && verdict == Verdict::Up {
            return None;
        }
        self.shift(slot, at.max(self.since), verdict, reason)
    }

    /// The loss is expected from `at` on, or no more.
    pub(crate) fn excuse(&mut self, slot: Slot, at: Time, expected: bool) -> Option<Shift> {
        if self.verdict != Verdict::Loss {
            return None;
        }
        let reason = if expected { Reason::Maintenance } else { Reason::NoAnswer };
        self.shift(slot, at.max(self.since), Verdict::Loss, reason)
    }

    /// A round failed. `corroborated` tells whether our own side is known to have worked since the given time; `cut_off`
    /// since when and why it is known not to.
    pub(crate) fn failed(
        &mut self,
        slot: Slot,
        failure: Failure,
        corroborated: impl Fn(Time) -> bool,
        cut_off: Option<(Time, Reason)>,
    ) -> Option<Shift> {
        let Failure { sent, now, blame, expected } = failure;
        let lost = if expected { Reason::Maintenance } else { Reason::NoAnswer };
        let verdict = match blame {
            Blame::Line => cut_off.map_or((Verdict::Loss, lost), |(_, why)| (Verdict::Inconclusive, why)),
            Blame::Ourselves => (Verdict::Inconclusive, Reason::SendsFailing),
            Blame::Resolver => (Verdict::Unobserved, Reason::Unresolved),
        };
        if self.verdict == verdict.0 && (self.reason == verdict.1 || self.verdict != Verdict::Unobserved) {
            self.doubt = None;
            return None;
        }
        let known = self.doubt.as_deref().copied().filter(|doubt| doubt.blame == blame);
        let mut doubt = known.unwrap_or(Doubt { blame, rounds: 0, since: sent });
        doubt.rounds = doubt.rounds.saturating_add(1);
        self.doubt = Some(Box::new(doubt));
        // A loss that was only hidden by our own blindness needs no new confirmation, and a missing address none at all.
        let certain = self.trouble.is_some() && verdict.0 == Verdict::Loss || blame == Blame::Resolver;
        if !certain && doubt.rounds < CONFIRM_ROUNDS {
            return None;
        }
        if verdict.0 == Verdict::Loss && !corroborated(doubt.since) {
            return None;
        }
        let from = cut_off.map_or(doubt.since, |(since, _)| since.max(doubt.since));
        self.doubt = None;
        if verdict.0 != Verdict::Loss {
            return self.blind(slot, from, verdict.0, verdict.1);
        }
        let shift = self.shift(slot, from.max(self.since), verdict.0, verdict.1);
        self.begin_loss(self.since, now);
        shift
    }

    fn begin_loss(&mut self, at: Time, now: Time) {
        let trouble = self.trouble.get_or_insert_with(|| {
            Box::new(Trouble { first_loss: at, detected: now, loss: Tally::default(), fault_at: None })
        });
        trouble.loss.run(at);
    }

    /// From `at` on nobody could see the device. A loss found since then is taken back.
    pub(crate) fn blind(&mut self, slot: Slot, at: Time, verdict: Verdict, reason: Reason) -> Option<Shift> {
        debug_assert!(!verdict.is_observed());
        self.doubt = None;
        if let Some(trouble) = &mut self.trouble {
            trouble.loss.pause(at);
            // Nothing but blind time is left of it.
            if trouble.loss.banked().is_zero() && trouble.first_loss >= at {
                self.trouble = None;
            }
        }
        self.shift(slot, at.max(self.since), verdict, reason)
    }

    fn shift(&mut self, slot: Slot, at: Time, verdict: Verdict, reason: Reason) -> Option<Shift> {
        if (self.verdict, self.reason) == (verdict, reason) {
            return None;
        }
        let shift = Shift { slot, began: self.since, was: (self.verdict, self.reason), at, now: (verdict, reason) };
        (self.verdict, self.reason, self.since) = (verdict, reason, at);
        Some(shift)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOT: Slot = Slot(0);

    const fn at(seconds: i64) -> Time {
        Time::from_millis(seconds * 1000)
    }

    fn up(since: i64) -> Evidence {
        Evidence::restored((Verdict::Up, Reason::Answered), at(since), Some(at(since)), Symptoms::default(), None)
    }

    const fn failure(sent: Time, now: Time, blame: Blame) -> Failure {
        Failure { sent, now, blame, expected: false }
    }

    /// Rounds sent at these seconds failed, each a second later, while our own side worked.
    fn lose(evidence: &mut Evidence, rounds: impl IntoIterator<Item = i64>) {
        for sent in rounds {
            evidence.failed(SLOT, failure(at(sent), at(sent + 1), Blame::Line), |_| true, None);
        }
    }

    fn loss(evidence: &Evidence, now: i64) -> Option<u64> {
        evidence.trouble().map(|trouble| trouble.loss.total(at(now)).as_secs())
    }

    #[test]
    fn three_lost_rounds_in_a_row_make_a_loss_dated_back_to_the_first() {
        let mut evidence = up(0);
        lose(&mut evidence, [10, 11]);
        assert_eq!((evidence.verdict(), evidence.in_doubt()), (Verdict::Up, true));
        evidence.contact(SLOT, at(12), Reason::Answered);
        assert!(evidence.is_in_contact());
        lose(&mut evidence, [20, 21, 22]);
        assert_eq!((evidence.verdict(), evidence.since(), loss(&evidence, 30)), (Verdict::Loss, at(20), Some(10)));
        let trouble = evidence.trouble().copied().unwrap();
        assert_eq!((trouble.first_loss, trouble.detected), (at(20), at(23)));
        assert_eq!(evidence.last_contact(), Some(at(12)));
    }

    #[test]
    fn any_contact_resets_the_sum() {
        let mut evidence = up(0);
        lose(&mut evidence, [10, 11, 12]);
        let shift = evidence.contact(SLOT, at(600), Reason::Rejected).unwrap();
        assert_eq!((shift.began, shift.at, shift.now), (at(10), at(600), (Verdict::Up, Reason::Rejected)));
        lose(&mut evidence, [700, 701, 702]);
        assert_eq!(loss(&evidence, 760), Some(60));
    }

    #[test]
    fn blind_time_neither_counts_nor_resets_and_needs_no_new_confirmation() {
        for (verdict, reason) in
            [(Verdict::Inconclusive, Reason::SentinelsSilent), (Verdict::Unobserved, Reason::Stalled)]
        {
            let mut evidence = up(0);
            lose(&mut evidence, [100, 101, 102]);
            evidence.blind(SLOT, at(200), verdict, reason);
            assert_eq!(loss(&evidence, 900), Some(100), "{verdict:?}");
            lose(&mut evidence, [1_000]);
            assert_eq!((evidence.verdict(), loss(&evidence, 1_050)), (Verdict::Loss, Some(150)), "{verdict:?}");
        }
    }

    #[test]
    fn a_loss_found_after_we_went_blind_is_taken_back() {
        let mut evidence = up(0);
        lose(&mut evidence, [100, 101, 102]);
        evidence.blind(SLOT, at(99), Verdict::Inconclusive, Reason::SentinelsSilent);
        assert_eq!((evidence.since(), evidence.trouble()), (at(100), None), "nothing is dated before what stood");
    }

    #[test]
    fn a_loss_that_no_sentinel_vouches_for_waits() {
        let mut evidence = up(0);
        for sent in 10..20 {
            evidence.failed(SLOT, failure(at(sent), at(sent + 1), Blame::Line), |_| false, None);
        }
        assert_eq!((evidence.verdict(), evidence.in_doubt()), (Verdict::Up, true));
        evidence.failed(SLOT, failure(at(20), at(21), Blame::Line), |since| since == at(10), None);
        assert_eq!((evidence.verdict(), evidence.since()), (Verdict::Loss, at(10)));
    }

    #[test]
    fn whose_failure_it_was_decides_the_verdict() {
        let cut_off = Some((at(11), Reason::SentinelsSilent));
        for (blame, cut_off, expected, since) in [
            (Blame::Line, None, (Verdict::Loss, Reason::NoAnswer), 10),
            (Blame::Line, cut_off, (Verdict::Inconclusive, Reason::SentinelsSilent), 11),
            (Blame::Ourselves, None, (Verdict::Inconclusive, Reason::SendsFailing), 10),
            (Blame::Resolver, None, (Verdict::Unobserved, Reason::Unresolved), 10),
        ] {
            let mut evidence = up(0);
            for sent in 10..13 {
                evidence.failed(SLOT, failure(at(sent), at(sent + 1), blame), |_| true, cut_off);
            }
            assert_eq!(((evidence.verdict(), evidence.reason()), evidence.since()), (expected, at(since)), "{blame:?}");
        }
    }

    #[test]
    fn failures_of_different_kinds_do_not_add_up() {
        let mut evidence = up(0);
        for (sent, blame) in [(10, Blame::Line), (11, Blame::Ourselves), (12, Blame::Line), (13, Blame::Line)] {
            evidence.failed(SLOT, failure(at(sent), at(sent + 1), blame), |_| true, None);
            assert_eq!(evidence.verdict(), Verdict::Up);
        }
        lose(&mut evidence, [14]);
        assert_eq!((evidence.verdict(), evidence.since()), (Verdict::Loss, at(12)));
    }

    #[test]
    fn an_answer_from_before_the_blindness_ends_the_loss_and_says_nothing_of_the_present() {
        let mut evidence = up(0);
        lose(&mut evidence, [10, 11, 12]);
        evidence.blind(SLOT, at(50), Verdict::Unobserved, Reason::Stalled);
        for sent in [49, 50] {
            assert_eq!(evidence.contact(SLOT, at(sent), Reason::Answered), None, "50 was the last step");
            assert_eq!((evidence.verdict(), evidence.trouble()), (Verdict::Unobserved, None));
            assert_eq!(evidence.last_contact(), Some(at(sent)));
        }
        assert!(evidence.contact(SLOT, at(51), Reason::Answered).is_some());
    }
}
