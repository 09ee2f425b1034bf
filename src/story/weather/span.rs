//! Stretches of time.

use crate::domain::time::Time;
use core::time::Duration;

/// A stretch of time, without its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// When it begins.
    pub from: Time,
    /// When it is over.
    pub until: Time,
}

impl Span {
    /// How long it is.
    #[must_use]
    pub fn length(&self) -> Duration {
        self.until.since(self.from)
    }

    /// How much of it lies in `other`.
    #[must_use]
    pub fn shared(&self, other: &Self) -> Duration {
        self.until.min(other.until).since(self.from.max(other.from))
    }
}

/// The same time in order, without overlaps.
pub(super) fn merged(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable();
    let mut out: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match out.last_mut() {
            Some(last) if span.from <= last.until => last.until = last.until.max(span.until),
            Some(_) | None => out.push(span),
        }
    }
    out
}

/// The place of the span in which `at` lies; they are in order and do not overlap.
pub(super) fn place(spans: &[Span], at: Time) -> Option<usize> {
    let place = spans.partition_point(|span| span.from <= at).checked_sub(1)?;
    (at < spans[place].until).then_some(place)
}

/// Those that touch `window`; they are in order and do not overlap.
pub(super) fn touching<'a>(spans: &'a [Span], window: &Span) -> &'a [Span] {
    let first = spans.partition_point(|span| span.until <= window.from);
    let last = spans.partition_point(|span| span.from < window.until);
    &spans[first..last.max(first)]
}
