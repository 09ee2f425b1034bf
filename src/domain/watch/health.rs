//! How well a device that answers does: each rule looks at measured windows, finds its symptom, and lets it go only after
//! windows enough without it.

use super::probe::SnmpSample;
use super::strip::{Cell, Strip, Sums};
use super::symptom::{Finding, Limits, Permille, Symptom, Symptoms};
use crate::domain::time::Time;
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

/// Fewer lost or slow rounds than this in a window are chance, whatever share they make.
const MIN_BAD: u16 = 5;
/// Windows that are measured before a usual round trip is known.
const KNOWN_AFTER: u8 = 3;
/// Windows of which the highest counts, until it is followed slowly.
const LEARNING: u8 = 6;
/// What is slower than usual by less than this hurts nobody, whatever multiple it is.
const MIN_RISE: Duration = Duration::from_millis(30);
/// Packets in a window below which a share of errors means nothing.
const MIN_PACKETS: u64 = 1_000;
/// Events that are remembered of a rule that counts them.
pub const MAX_COUNT: u32 = 32;
/// sysUpTime is this far off at the most (agents round and cache it), beside a hundredth of the time measured.
const UPTIME_SLACK: Duration = Duration::from_secs(60);

/// What is remembered of a device to judge it by.
#[derive(Clone, Debug, Default)]
pub(super) struct Health {
    baseline: Baseline,
    /// As the store has it.
    stored: Baseline,
    marks: Option<Box<Marks>>,
}

/// The usual round trip: that which nine of ten windows do not exceed with their 95th percentile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    /// As a cell, in parts of [`Self::PARTS`].
    level: u16,
    windows: u8,
}

/// What a rule needs that has something to remember.
#[derive(Clone, Debug, Default)]
struct Marks {
    /// When each symptom showed last.
    last_bad: [Option<Time>; Symptom::ALL.len()],
    /// Since when each symptom shows without a break.
    bad_since: [Option<Time>; Symptom::ALL.len()],
    /// When losses of contact began.
    flaps: Events,
    /// Whether the present one is among them.
    loss_counted: bool,
    reboots: Events,
    /// The latest sysUpTime, and when it was told.
    uptime: Option<(Time, u32)>,
    engine_boots: Option<u32>,
    wan: Option<Wan>,
}

/// Events of a rule that counts them, oldest first.
#[derive(Clone, Debug, Default)]
struct Events(VecDeque<Time>);

/// The WAN interface's counters over the present window.
#[derive(Clone, Copy, Debug)]
struct Wan {
    began: Time,
    latest: Counters,
    grown: Counters,
}

/// Both directions: in, out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counters {
    octets: [Option<u64>; 2],
    packets: [Option<u64>; 2],
    errors: [Option<u64>; 2],
}

/// A look at a device: the limits that it is held against, what is known of it, and what comes to light.
struct Look<'a> {
    limits: &'a Limits,
    has: Symptoms,
    now: Time,
    changes: Changes,
}

/// What a look at a device brought to light.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    pub(super) found: Vec<Finding>,
    pub(super) gone: Vec<Symptom>,
    /// The box started anew since it was looked at before.
    pub(super) rebooted: bool,
}

/// Whether losses of contact make a line a flapping one.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Flaps {
    /// There are not enough, or it is known.
    Few,
    /// There would be enough, had they not been our own doing.
    Ours,
    /// They do.
    Found(Finding),
}

impl Baseline {
    const PARTS: u16 = 64;
    /// How far a window moves it up, or down. One in ten up and nine down keep it where it is.
    const UP: u16 = 36;
    const DOWN: u16 = 4;

    /// The baseline that is stored so.
    #[must_use]
    pub const fn from_parts(level: u16, windows: u8) -> Self {
        Self { level, windows }
    }

    /// As it is stored.
    #[must_use]
    pub const fn parts(self) -> (u16, u8) {
        (self.level, self.windows)
    }

    /// The usual round trip, once it is known.
    #[must_use]
    pub fn rtt(self) -> Option<Duration> {
        let cell = u8::try_from(self.level / Self::PARTS).unwrap_or(u8::MAX);
        (self.windows >= KNOWN_AFTER).then(|| Cell::from_byte(cell).rtt()).flatten()
    }

    fn learn(&mut self, p95: Duration) {
        let seen = u16::from(Cell::answered(p95).byte()) * Self::PARTS;
        if self.windows < LEARNING {
            self.windows += 1;
            self.level = self.level.max(seen);
        } else if seen > self.level {
            self.level = (self.level + Self::UP).min(seen);
        } else {
            self.level = self.level.saturating_sub(Self::DOWN).max(seen);
        }
    }

    /// Whether it has moved so far from `stored` that the store should know.
    const fn has_left(self, stored: Self) -> bool {
        self.level.abs_diff(stored.level) >= 2 * Self::PARTS
            || (self.windows >= KNOWN_AFTER) != (stored.windows >= KNOWN_AFTER)
    }
}

impl Health {
    pub(super) fn restored(baseline: Baseline) -> Self {
        Self { baseline, stored: baseline, marks: None }
    }

    pub(super) const fn baseline(&self) -> Baseline {
        self.baseline
    }

    /// Whether the store has what was learnt.
    pub(super) fn is_stored(&self) -> bool {
        self.baseline == self.stored
    }

    /// Whether so much was learnt that the store should know. It is taken to be told then.
    pub(super) fn is_to_be_stored(&mut self) -> bool {
        let is_news = self.baseline.has_left(self.stored);
        if is_news {
            self.stored = self.baseline;
        }
        is_news
    }

    fn marks(&mut self) -> &mut Marks {
        self.marks.get_or_insert_default()
    }

    /// The round trip that is slow for this device, and whether that is so by its own measure.
    fn slow_over(&self, limits: &Limits) -> Option<Duration> {
        let usual = self.baseline.rtt().zip(limits.rtt_factor);
        let own = usual.map(|(usual, factor)| (usual * factor).max(usual + MIN_RISE));
        [limits.rtt, own].into_iter().flatten().min()
    }

    /// A scheduled round has its cell: losses and round trips.
    pub(super) fn judge_rounds(&mut self, strip: &mut Strip, limits: &Limits, has: Symptoms, now: Time) -> Changes {
        if !strip.knows_slow() {
            strip.set_slow_over(self.slow_over(limits));
        }
        let sums = strip.sums();
        if self.marks.is_none() && has.is_empty() && sums.lost < MIN_BAD && sums.slow < MIN_BAD {
            self.learn(strip, sums, limits);
            return Changes::default();
        }
        let mut look = Look { limits, has, now, changes: Changes::default() };
        if sums.known() >= strip.window() / 2 {
            let loss = lossy(sums, MIN_BAD, limits).then(|| loss_finding(sums, limits, strip.span()));
            self.brew(Symptom::Loss, loss, || lossy(strip.late_half(), MIN_BAD / 2, limits), &mut look);
            let slow = is_slow(sums, MIN_BAD).then(|| strip.percentile(95)).flatten();
            for symptom in [Symptom::Slow, Symptom::Slower] {
                let finding = slow.and_then(|p95| self.slow_finding(symptom, p95, limits, strip.span()));
                self.brew(symptom, finding, || is_slow(strip.late_half(), MIN_BAD / 2), &mut look);
            }
            // What may be a fault is not learnt as usual.
            if has.is_empty() && slow.is_none() {
                self.learn(strip, sums, limits);
            }
        } else if !has.is_empty() {
            // What was found before a restart is gone if it does not show from here on.
            for symptom in [Symptom::Loss, Symptom::Slow, Symptom::Slower] {
                self.marks().last_bad[symptom.index()].get_or_insert(now);
            }
        }
        self.let_go(Symptom::Flapping, &mut look);
        look.changes
    }

    fn learn(&mut self, strip: &mut Strip, sums: Sums, limits: &Limits) {
        if strip.window_is_full()
            && sums.answered >= strip.window() / 2
            && let Some(p95) = strip.percentile(95)
        {
            self.baseline.learn(p95);
            strip.set_slow_over(self.slow_over(limits));
        }
    }

    fn slow_finding(&self, symptom: Symptom, p95: Duration, limits: &Limits, over: Duration) -> Option<Finding> {
        let beyond_all = limits.rtt.filter(|&limit| p95 > limit);
        let limit = match symptom {
            Symptom::Slow => beyond_all?,
            Symptom::Slower if beyond_all.is_none() => self.slow_over(limits)?,
            Symptom::Slower
            | Symptom::Loss
            | Symptom::Flapping
            | Symptom::Rebooting
            | Symptom::InterfaceDown
            | Symptom::InterfaceErrors
            | Symptom::Overloaded => return None,
        };
        Some(Finding { symptom, measured: micros(p95), limit: micros(limit), over })
    }

    /// A window shows a symptom, or does not. It counts once it has shown for half a window, in both halves of it.
    fn brew(
        &mut self,
        symptom: Symptom,
        finding: Option<Finding>,
        goes_on: impl FnOnce() -> bool,
        look: &mut Look<'_>,
    ) {
        let place = symptom.index();
        let Some(finding) = finding else {
            if let Some(marks) = &mut self.marks {
                marks.bad_since[place] = None;
            }
            return self.let_go(symptom, look);
        };
        let marks = self.marks();
        marks.last_bad[place] = Some(look.now);
        let since = *marks.bad_since[place].get_or_insert(look.now);
        if !look.has.has(symptom) && look.now.since(since) >= look.limits.window / 2 && goes_on() {
            look.changes.found.push(finding);
        }
    }

    fn let_go(&mut self, symptom: Symptom, look: &mut Look<'_>) {
        let good_since = |marks: &mut Marks| *marks.last_bad[symptom.index()].get_or_insert(look.now);
        if look.has.has(symptom) && look.now.since(good_since(self.marks())) >= look.limits.recovery() {
            look.changes.gone.push(symptom);
        }
    }

    /// Contact is lost in earnest since `first_loss`; counted once until there is contact again.
    pub(super) fn lost(&mut self, limits: &Limits, first_loss: Time, now: Time) {
        let Some((_, over)) = limits.flaps else { return };
        let marks = self.marks();
        if !core::mem::replace(&mut marks.loss_counted, true) {
            marks.last_bad[Symptom::Flapping.index()] = Some(now);
            marks.flaps.note(first_loss, now, over);
        }
    }

    /// Whether contact was ever lost in earnest.
    pub(super) fn has_flaps(&self) -> bool {
        self.marks.as_ref().is_some_and(|marks| !marks.flaps.0.is_empty())
    }

    /// Whether there were at least half as many losses of contact as make a line a flapping one.
    pub(super) fn is_half_flapping(&self, limits: &Limits, now: Time) -> bool {
        let flaps = self.marks.as_ref().map(|marks| &marks.flaps);
        limits.flaps.zip(flaps).is_some_and(|((count, over), flaps)| flaps.within(now, over) * 2 >= count)
    }

    /// Judges losses of contact, but for those of which `was_ours` says that they were our own doing. What could not be
    /// said when the last one was noticed is said up to a window later.
    pub(super) fn judge_flaps(
        &mut self,
        limits: &Limits,
        has: Symptoms,
        now: Time,
        interval: Duration,
        was_ours: impl Fn(Time) -> bool,
    ) -> Flaps {
        let Some((rule @ (count, over), marks)) = limits.flaps.zip(self.marks.as_mut()) else { return Flaps::Few };
        // It is counted a round after its beginning and judged with the next one.
        let judged_within = limits.window.max(interval * 3);
        let is_fresh = marks.flaps.0.back().is_some_and(|&last| now.since(last) < judged_within);
        if has.has(Symptom::Flapping) || !is_fresh || marks.flaps.within(now, over) < count {
            return Flaps::Few;
        }
        marks.flaps.0.retain(|&at| !was_ours(at));
        let seen = marks.flaps.within(now, over);
        if seen >= count { Flaps::Found(counted(Symptom::Flapping, seen, rule)) } else { Flaps::Ours }
    }

    /// Time was not observed, or not as usual, until `now`: good windows begin anew.
    pub(super) fn start_over(&mut self, now: Time) {
        if let Some(marks) = &mut self.marks {
            marks.last_bad.iter_mut().flatten().for_each(|at| *at = now);
            marks.bad_since = Default::default();
            marks.wan = None;
        }
    }

    /// Reboots that were expected count for nothing.
    pub(super) fn drop_reboots(&mut self) {
        if let Some(marks) = &mut self.marks {
            marks.reboots.0.clear();
        }
    }

    /// There is contact again.
    pub(super) fn regained(&mut self, now: Time) {
        self.start_over(now);
        if let Some(marks) = &mut self.marks {
            marks.loss_counted = false;
        }
    }

    /// What was found before counts no more.
    pub(super) fn forget(&mut self) {
        if let Some(marks) = &mut self.marks {
            (marks.last_bad, marks.bad_since, marks.wan) = Default::default();
            marks.flaps.0.clear();
            marks.reboots.0.clear();
        }
    }

    /// The agent told of itself.
    pub(super) fn judge_sample(
        &mut self,
        sample: &SnmpSample,
        limits: &Limits,
        rate: Option<u64>,
        has: Symptoms,
        now: Time,
    ) -> Changes {
        let rebooted = self.note_uptime(sample, now);
        let mut look = Look { limits, has, now, changes: Changes { rebooted, ..Changes::default() } };
        if let Some(rule @ (count, over)) = limits.reboots {
            let marks = self.marks();
            if rebooted {
                marks.last_bad[Symptom::Rebooting.index()] = Some(now);
                let seen = marks.reboots.note(now, now, over);
                if seen >= count && !has.has(Symptom::Rebooting) {
                    look.changes.found.push(counted(Symptom::Rebooting, seen, rule));
                }
            }
            self.let_go(Symptom::Rebooting, &mut look);
        }
        self.judge_status(sample, &mut look);
        self.judge_counters(sample, rate, &mut look);
        look.changes
    }

    /// Whether the box started anew since its last sample. A missing sample says nothing.
    fn note_uptime(&mut self, sample: &SnmpSample, now: Time) -> bool {
        let marks = self.marks();
        let boots = marks.engine_boots.zip(sample.engine_boots);
        marks.engine_boots = sample.engine_boots.or(marks.engine_boots);
        let Some(uptime) = sample.uptime_cs else {
            // Without sysUpTime the engine's own count must do. One that fell is a box that was replaced or reset.
            return boots.is_some_and(|(before, after)| after > before);
        };
        let before = marks.uptime.replace((now, uptime));
        let rebooted = before.is_some_and(|(then, before)| has_rebooted(before, now.since(then), uptime));
        if rebooted {
            marks.wan = None;
        }
        rebooted
    }

    fn judge_status(&mut self, sample: &SnmpSample, look: &mut Look<'_>) {
        const UP: u32 = 1;
        const DOWN: u32 = 2;
        const LOWER_LAYER_DOWN: u32 = 7;
        let place = Symptom::InterfaceDown.index();
        let &mut Look { limits, has, now, .. } = look;
        match sample.oper_status.filter(|_| limits.interface) {
            Some(DOWN | LOWER_LAYER_DOWN) => {
                let marks = self.marks();
                marks.last_bad[place] = Some(now);
                let down = now.since(*marks.bad_since[place].get_or_insert(now));
                if down >= limits.window && !has.has(Symptom::InterfaceDown) {
                    look.changes.found.push(Finding {
                        symptom: Symptom::InterfaceDown,
                        measured: micros(down),
                        limit: micros(limits.window),
                        over: limits.window,
                    });
                }
            }
            Some(UP) => {
                self.marks().bad_since[place] = None;
                self.let_go(Symptom::InterfaceDown, look);
            }
            // Testing, dormant and the like, or not told.
            Some(_) | None => {}
        }
    }

    fn judge_counters(&mut self, sample: &SnmpSample, rate: Option<u64>, look: &mut Look<'_>) {
        let &mut Look { limits, has, now, .. } = look;
        let latest = Counters::of(sample);
        let marks = self.marks();
        let Some(wan) = &mut marks.wan else {
            marks.wan = Some(Wan { began: now, latest, grown: Counters::default() });
            return;
        };
        wan.grown = wan.grown.plus(wan.latest.until(latest));
        wan.latest = latest;
        let lasted = now.since(wan.began);
        if lasted < limits.window {
            return;
        }
        let grown = core::mem::take(&mut wan.grown);
        wan.began = now;
        let errors = limits.errors.and_then(|limit| Some((Symptom::InterfaceErrors, grown.errors()?, limit)));
        let load = limits.load.and_then(|limit| Some((Symptom::Overloaded, grown.load(rate?, lasted)?, limit)));
        for (symptom, measured, Permille(limit)) in [errors, load].into_iter().flatten() {
            let limit = u64::from(limit);
            if measured < limit {
                self.let_go(symptom, look);
                continue;
            }
            self.marks().last_bad[symptom.index()] = Some(now);
            if !has.has(symptom) {
                look.changes.found.push(Finding { symptom, measured, limit, over: lasted });
            }
        }
    }

    /// When the box started, as its agent said last.
    pub(super) fn booted_at(&self) -> Option<Time> {
        let (at, uptime_cs) = self.marks.as_ref()?.uptime?;
        Some(at - Duration::from_millis(u64::from(uptime_cs) * 10))
    }
}

impl Events {
    /// Notes an event that began at `at`, and how many there were within `over`.
    fn note(&mut self, at: Time, now: Time, over: Duration) -> u32 {
        self.0.push_back(at);
        while self.0.len() > MAX_COUNT as usize || self.0.front().is_some_and(|&at| now.since(at) > over) {
            self.0.pop_front();
        }
        self.within(now, over)
    }

    fn within(&self, now: Time, over: Duration) -> u32 {
        let count = self.0.iter().rev().take_while(|&&at| now.since(at) <= over).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }
}

impl Counters {
    const fn of(sample: &SnmpSample) -> Self {
        Self {
            octets: [sample.in_octets, sample.out_octets],
            packets: [sample.in_packets, sample.out_packets],
            errors: [sample.in_errors, sample.out_errors],
        }
    }

    fn zip(self, other: Self, by: fn(Option<u64>, Option<u64>) -> Option<u64>) -> Self {
        let pair = |a: [Option<u64>; 2], b: [Option<u64>; 2]| [by(a[0], b[0]), by(a[1], b[1])];
        Self {
            octets: pair(self.octets, other.octets),
            packets: pair(self.packets, other.packets),
            errors: pair(self.errors, other.errors),
        }
    }

    /// By how much each has grown since; one of 32 bits may have wrapped once.
    fn until(self, later: Self) -> Self {
        self.zip(later, |before, after| {
            let (before, after) = (before?, after?);
            // One that was not near its end has started anew.
            let near_end = u32::try_from(before).is_ok_and(|before| before > u32::MAX / 2);
            let wrapped = || near_end.then(|| (1 << 32) - before + after);
            after.checked_sub(before).or_else(wrapped)
        })
    }

    fn plus(self, more: Self) -> Self {
        self.zip(more, |sum, more| match (sum, more) {
            (Some(sum), Some(more)) => Some(sum.saturating_add(more)),
            (one, other) => one.or(other),
        })
    }

    /// The larger share of errors of both directions, in thousandths.
    fn errors(self) -> Option<u64> {
        let share = |errors: Option<u64>, packets: Option<u64>| {
            let (errors, packets) = (errors?, packets?);
            let all = packets.saturating_add(errors);
            (all >= MIN_PACKETS).then(|| errors.saturating_mul(1_000) / all)
        };
        let [one, other] = [0, 1].map(|way| share(self.errors[way], self.packets[way]));
        one.max(other)
    }

    /// The larger use of both directions, in thousandths of `rate` bits a second.
    fn load(self, rate: u64, lasted: Duration) -> Option<u64> {
        let octets = self.octets.into_iter().flatten().max()?;
        let capacity = u128::from(rate) * lasted.as_millis() / 1_000;
        u64::try_from(u128::from(octets) * 8 * 1_000 / capacity.max(1)).ok()
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn lossy(sums: Sums, at_least: u16, limits: &Limits) -> bool {
    let share = |limit: u16| u32::from(sums.lost) * 1_000 >= u32::from(limit) * u32::from(sums.known());
    sums.lost >= at_least && limits.loss.is_some_and(|Permille(limit)| share(limit))
}

fn loss_finding(sums: Sums, limits: &Limits, over: Duration) -> Finding {
    let measured = u64::from(sums.lost) * 1_000 / u64::from(sums.known().max(1));
    let limit = limits.loss.map_or(0, |Permille(limit)| u64::from(limit));
    Finding { symptom: Symptom::Loss, measured, limit, over }
}

/// So many were seen of what may happen less often than `count` times within `over`.
fn counted(symptom: Symptom, seen: u32, (count, over): (u32, Duration)) -> Finding {
    Finding { symptom, measured: u64::from(seen), limit: u64::from(count), over }
}

/// Whether more than one answer in twenty is slow: the 95th percentile is beyond the limit then.
const fn is_slow(sums: Sums, at_least: u16) -> bool {
    sums.slow >= at_least && sums.slow as u32 * 20 > sums.answered as u32
}

/// Whether a box whose sysUpTime was `before` started anew, if it says `after` now, `elapsed` later.
pub(super) fn has_rebooted(before: u32, elapsed: Duration, after: u32) -> bool {
    const WRAP: u64 = 1 << 32;
    let slack = u64::try_from((UPTIME_SLACK + elapsed / 100).as_millis() / 10).unwrap_or(WRAP);
    let elapsed = u64::try_from(elapsed.as_millis() / 10).unwrap_or(WRAP);
    let (before, after) = (u64::from(before), u64::from(after));
    let expected = before + elapsed;
    // sysUpTime wraps after 497 days (RFC 3418).
    let wrapped = expected + slack >= WRAP && (after + WRAP).abs_diff(expected) <= slack;
    !wrapped && (after < before || after + slack < elapsed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_box_has_rebooted_if_its_uptime_cannot_be_explained_otherwise() {
        const DAY: u32 = 8_640_000;
        const END: u32 = u32::MAX;
        for (before, elapsed, after, expected) in [
            (DAY, 60, DAY + 6_000, false),
            (DAY, 60, 500, true),
            (DAY, 60, DAY - 1, true),
            // A clock that drifts, or a value that is cached.
            (DAY, 60, DAY, false),
            (DAY, 60, DAY + 9_000, false),
            // Not less than before, and still too little for the time that went by.
            (1_000, 3_600, 30_000, true),
            (1_000, 3_600, 361_000, false),
            // After 497 days it wraps.
            (END - 3_000, 60, 3_000, false),
            (END - 3_000, 60, 0, false),
            (END - 3_000, 60, 50_000, true),
            (END / 2, 60, 3_000, true),
        ] {
            assert_eq!(has_rebooted(before, secs(elapsed), after), expected, "{before} {elapsed} {after}");
        }
    }

    #[test]
    fn the_baseline_is_what_nine_windows_of_ten_stay_below() {
        let ms = Duration::from_millis;
        let mut baseline = Baseline::default();
        (0..KNOWN_AFTER - 1).for_each(|_| baseline.learn(ms(10)));
        assert_eq!(baseline.rtt(), None, "not known yet");
        // A busy evening of two hours a day.
        for _ in 0..60 {
            (0..132).for_each(|_| baseline.learn(ms(10)));
            (0..12).for_each(|_| baseline.learn(ms(80)));
        }
        let usual = baseline.rtt().unwrap();
        assert!(usual >= ms(9) && usual <= ms(16), "{usual:?}");
        (0..600).for_each(|_| baseline.learn(ms(80)));
        assert!(baseline.rtt().unwrap() >= ms(75), "what stays is usual in the end");
    }

    fn sample(octets: u64, errors: u64, packets: u64) -> SnmpSample {
        SnmpSample {
            in_octets: Some(octets),
            out_octets: Some(0),
            in_errors: Some(errors),
            in_packets: Some(packets),
            ..SnmpSample::default()
        }
    }

    /// What is found after these samples, a window apart.
    fn found(samples: &[SnmpSample], rate: Option<u64>) -> Vec<(Symptom, u64)> {
        let mut health = Health::default();
        let mut found = Vec::new();
        for (sample, window) in samples.iter().zip(0..) {
            let now = Time::from_millis(0) + Limits::DEFAULT.window * window;
            let changes = health.judge_sample(sample, &Limits::DEFAULT, rate, Symptoms::default(), now);
            found.extend(changes.found.iter().map(|finding| (finding.symptom, finding.measured)));
        }
        found
    }

    #[test]
    fn errors_and_load_are_shares_of_what_a_window_added() {
        let errors = found(&[sample(0, 500, 0), sample(0, 600, 9_900)], None);
        assert_eq!(errors, [(Symptom::InterfaceErrors, 10)]);
        assert_eq!(found(&[sample(0, 0, 0), sample(0, 600, 100)], None), [], "too few packets to say");
        let full = 100_000_000 / 8 * 600 * 95 / 100;
        assert_eq!(found(&[sample(7, 0, 0), sample(7 + full, 0, 0)], Some(100_000_000)), [(Symptom::Overloaded, 950)]);
        assert_eq!(found(&[sample(7, 0, 0), sample(7 + full, 0, 0)], None), [], "without a committed rate");
        // A counter of 32 bits that wrapped.
        let (near, small) = (u64::from(u32::MAX) - 9, 10_000_000_u64);
        let wrapped = found(&[sample(near, 0, 0), sample(small - 10, 0, 0)], Some(100_000));
        assert_eq!(wrapped, [(Symptom::Overloaded, 1_333)]);
    }
}
