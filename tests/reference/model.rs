//! The rules in their simplest words, from what was asked and heard alone. Slow, and without any memory but the trace.

use crate::trace::{Asked, DOWN_AFTER, Heard, INTERVAL, LOSS, RTT, Trace, WINDOW};
use ntuwatch::domain::time::Time;
use ntuwatch::story::weather::Span;
use std::time::Duration;

/// What a crash may take along, and how far apart two questions of a doubt may be.
pub(crate) const FUZZ: Duration = Duration::from_secs(6);
/// Our own side counts as broken after that long.
const BROKEN_AFTER: Duration = Duration::from_secs(4);

fn span(from: Time, until: Time) -> Span {
    Span { from, until }
}

/// When nothing could be seen for our own side was broken. No sentinel answered for four seconds, or most devices could
/// not be asked, and nobody else either.
pub(crate) fn broken(trace: &Trace) -> Vec<Span> {
    let mut broken = silences(trace);
    broken.extend(refusals(trace));
    broken
}

fn silences(trace: &Trace) -> Vec<Span> {
    if !(0..trace.plan.devices.len()).any(|device| trace.is_sentinel(device)) {
        return Vec::new();
    }
    let mut last = trace.start;
    let mut silences = Vec::new();
    let mut answers: Vec<(Time, Time)> = Vec::new();
    for asked in trace.asked.iter().filter(|asked| trace.is_sentinel(asked.device)) {
        if let Heard::Answer(rtt) = asked.fate {
            answers.push((asked.sent, asked.sent + rtt));
        }
    }
    answers.extend(trace.away.iter().map(|(away, _)| (away.until, away.until)));
    answers.push((trace.until, trace.until));
    answers.sort_unstable();
    for (sent, came) in answers {
        let left = trace.away.iter().map(|(away, _)| away.from).find(|&from| from > last && from <= sent);
        let until = left.unwrap_or(came);
        if until.since(last) >= BROKEN_AFTER {
            silences.push(span(last, until));
        }
        last = sent;
    }
    silences
}

fn refusals(trace: &Trace) -> Vec<Span> {
    let count = trace.plan.devices.len();
    let mut latest = vec![false; count];
    let mut since: Option<Time> = None;
    let mut refusals = Vec::new();
    let mut before = trace.start;
    for asked in &trace.asked {
        let gone = trace.away.iter().any(|(away, _)| before <= away.from && away.from <= asked.sent);
        if gone {
            since = None;
            latest.fill(false);
        }
        before = asked.sent;
        // Nothing else went out until now.
        let most = latest.iter().filter(|&&refused| refused).count() * 2 > count;
        if let Some(from) = since.filter(|&from| most && asked.sent.since(from) >= BROKEN_AFTER) {
            refusals.push(span(from, asked.sent));
        }
        latest[asked.device] = asked.fate == Heard::Unsent;
        if asked.fate != Heard::Unsent {
            since = None;
            continue;
        }
        let from = *since.get_or_insert(asked.sent);
        let most = latest.iter().filter(|&&refused| refused).count() * 2 > count;
        if most && asked.sent.since(from) >= BROKEN_AFTER.saturating_sub(INTERVAL / 5) {
            refusals.push(span(from, asked.sent + INTERVAL));
        }
    }
    let most = latest.iter().filter(|&&refused| refused).count() * 2 > count;
    refusals.extend(since.filter(|_| most).map(|from| span(from, trace.until)));
    refusals
}

/// When a device could not be asked: until it was.
pub(crate) fn unsent(trace: &Trace, device: usize) -> Vec<Span> {
    let mut unsent: Vec<Span> = Vec::new();
    let mut refused = false;
    for asked in trace.of(device) {
        match unsent.last_mut().filter(|_| refused) {
            Some(last) => last.until = asked.sent,
            None if asked.fate == Heard::Unsent => unsent.push(span(asked.sent, asked.sent)),
            None => {}
        }
        refused = asked.fate == Heard::Unsent;
    }
    unsent
}

/// When nobody could see a device: `broken`, or away.
pub(crate) fn blind(trace: &Trace, broken: &[Span]) -> Vec<Span> {
    let mut spans = broken.to_vec();
    spans.extend(trace.away.iter().map(|(away, _)| *away));
    spans.sort_by_key(|span| span.from);
    let mut merged: Vec<Span> = Vec::new();
    for next in spans {
        match merged.last_mut() {
            Some(last) if next.from <= last.until => last.until = last.until.max(next.until),
            Some(_) | None => merged.push(next),
        }
    }
    merged
}

pub(crate) fn is_in(spans: &[Span], at: Time) -> bool {
    spans.iter().any(|span| span.from <= at && at < span.until)
}

fn shared(one: Span, other: Span) -> Duration {
    one.until.min(other.until).since(one.from.max(other.from))
}

/// A time without contact that is a confirmed loss.
#[derive(Clone, Debug)]
pub(crate) struct Outage {
    /// From the first lost question to the first one that was answered, or to the end.
    pub(crate) span: Span,
    blind: Vec<Span>,
    /// How much of it cannot be told.
    pub(crate) fuzz: Duration,
}

impl Outage {
    /// The loss that has added up until `at`: all of it but the time in which nobody could see.
    pub(crate) fn loss(&self, at: Time) -> Duration {
        let so_far = span(self.span.from, at.min(self.span.until));
        let unseen: Duration = self.blind.iter().map(|blind| shared(*blind, so_far)).sum();
        so_far.until.since(so_far.from).saturating_sub(unseen)
    }

    /// When it has certainly made a fault, if it has.
    pub(crate) fn certain(&self) -> Option<Time> {
        let mut at = self.span.from;
        while at < self.span.until {
            if self.loss(at) >= DOWN_AFTER + self.fuzz {
                return Some(at);
            }
            at = at + Duration::from_secs(1);
        }
        None
    }

    /// Whether it may have made a fault by `at`.
    pub(crate) fn may_be_fault(&self, at: Time) -> bool {
        self.span.from <= at && at <= self.span.until + FUZZ && self.loss(at) + self.fuzz >= DOWN_AFTER
    }
}

/// All confirmed losses of a device: three lost questions in a row that nothing on our own side explains.
pub(crate) fn outages(trace: &Trace, device: usize, blind: &[Span]) -> Vec<Outage> {
    let mut outages = Vec::new();
    let mut row: Vec<Time> = Vec::new();
    let mut began: Option<Time> = None;
    let end = Asked { device, sent: trace.until, fate: Heard::Answer(Duration::ZERO) };
    for asked in trace.of(device).chain([&end]) {
        match asked.fate {
            Heard::Answer(_) => {
                if let Some(from) = began.take() {
                    let span = span(from, asked.sent);
                    let within: Vec<Span> = blind
                        .iter()
                        .filter(|blind| blind.from < span.until && blind.until > span.from)
                        .copied()
                        .collect();
                    let fuzz = FUZZ * (1 + u32::try_from(within.len()).unwrap());
                    outages.push(Outage { span, blind: within, fuzz });
                }
                row.clear();
            }
            Heard::Nothing if !is_in(blind, asked.sent) => {
                let interrupted = |last: Time| blind.iter().any(|blind| last <= blind.from && blind.from <= asked.sent);
                if row.last().is_some_and(|&last| interrupted(last)) {
                    row.clear();
                }
                row.push(asked.sent);
                if row.len() == 3 {
                    began.get_or_insert(row[0]);
                }
            }
            Heard::Nothing | Heard::Unsent | Heard::Unknown => {}
        }
    }
    outages
}

/// What a window of scheduled questions shows, with what can't be told for certain on both sides.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Shown {
    pub(crate) lost: u32,
    pub(crate) answered: u32,
    /// Certainly slow, and perhaps.
    pub(crate) slow: u32,
    pub(crate) slowish: u32,
}

impl Shown {
    const fn known(self) -> u32 {
        self.lost + self.answered
    }

    /// Certainly too many losses.
    pub(crate) const fn is_lossy(self) -> bool {
        self.lost >= 6 && (self.lost - 1) * 1_000 >= LOSS * self.known()
    }

    /// Perhaps too many losses.
    pub(crate) const fn may_be_lossy(self) -> bool {
        self.lost >= 4 && (self.lost + 1) * 1_000 >= LOSS * (self.known() + 1)
    }

    /// Certainly more than one answer in twenty is slow.
    pub(crate) const fn is_slow(self) -> bool {
        self.slow >= 6 && (self.slow - 1) * 20 > self.answered
    }

    /// Perhaps.
    pub(crate) const fn may_be_slow(self) -> bool {
        self.slowish >= 4 && (self.slowish + 1) * 20 > self.answered
    }
}

/// The scheduled questions of a device with their fates: the first of each interval. What is part of a confirmed loss is
/// another matter than a lossy line, and what was lost while our own side was broken shows nothing.
pub(crate) fn scheduled(trace: &Trace, device: usize, outages: &[Outage], blind: &[Span]) -> Vec<Asked> {
    let mut scheduled: Vec<Asked> = Vec::new();
    let Some(first) = trace.of(device).next().map(|asked| asked.sent) else { return scheduled };
    let turn = |at: Time| at.since(first).as_millis() / INTERVAL.as_millis();
    for asked in trace.of(device) {
        if scheduled.last().is_some_and(|last| turn(last.sent) == turn(asked.sent)) {
            continue;
        }
        let dark = || outages.iter().any(|outage| outage.span.from <= asked.sent && asked.sent < outage.span.until);
        let says_nothing = asked.fate == Heard::Nothing && (is_in(blind, asked.sent) || dark());
        scheduled.push(Asked { fate: if says_nothing { Heard::Unknown } else { asked.fate }, ..*asked });
    }
    scheduled
}

/// What the questions of the last `length` before `at` show of the line.
pub(crate) fn shown(scheduled: &[Asked], at: Time, length: Duration) -> Shown {
    let mut shown = Shown::default();
    let until = scheduled.partition_point(|asked| asked.sent <= at);
    for asked in scheduled[..until].iter().rev().take_while(|asked| at.since(asked.sent) < length) {
        match asked.fate {
            Heard::Answer(rtt) => {
                shown.answered += 1;
                shown.slow += u32::from(rtt >= RTT + RTT / 12);
                shown.slowish += u32::from(rtt + RTT / 12 >= RTT);
            }
            Heard::Nothing => shown.lost += 1,
            Heard::Unsent | Heard::Unknown => {}
        }
    }
    shown
}

/// Whether enough is known of a window to judge it.
pub(crate) fn is_known(shown: Shown) -> bool {
    u128::from(shown.known()) * 2 >= WINDOW.as_millis() / INTERVAL.as_millis() + 4
}
