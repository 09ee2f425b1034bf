//! What it takes to show something to people: which time it is, how its times are written, and words.

use super::Words;
use super::board::Summary;
use super::problem::Problem;
use crate::domain::desk::OutOfReach;
use crate::domain::party::{Customer, Parties};
use crate::domain::time::{Calendar, Time};
use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How things look at a moment.
#[derive(Clone)]
pub(super) struct Scene {
    pub(super) now: Time,
    pub(super) calendar: Arc<Calendar>,
    pub(super) words: Words,
    pub(super) parties: Arc<Parties>,
    pub(super) customers: Arc<BTreeMap<String, Customer>>,
    pub(super) out_of_reach: Arc<BTreeMap<String, OutOfReach>>,
}

impl Scene {
    /// As of `age` after the summary was put up.
    pub(super) fn new(summary: &Summary, age: Duration, words: Words) -> Self {
        let (calendar, parties) = (Arc::clone(&summary.calendar), Arc::clone(&summary.parties));
        let (customers, out_of_reach) = (Arc::clone(&summary.customers), Arc::clone(&summary.out_of_reach));
        Self { now: summary.at + age, calendar, words, parties, customers, out_of_reach }
    }

    /// A point of the timeline as wall clocks showed it: RFC 3339 in UTC.
    pub(super) fn stamp(&self, at: Time) -> Option<String> {
        stamp(&self.calendar, at)
    }

    /// The point of the timeline that a person means with the parameter or field `name`.
    pub(super) fn moment(&self, name: &str, value: &str) -> Result<Time, Problem> {
        // A name of a time zone says another time after the next change of its rules.
        let moment = value.parse::<jiff::Timestamp>().ok().filter(|_| !value.contains('['));
        let unix_ms = moment.map(jiff::Timestamp::as_millisecond).ok_or_else(|| {
            Problem::bad(format!(
                "{name} is {value:?}, which is no time with an offset from UTC: write one such as \
                 2027-03-01T22:00:00Z or 2027-03-01T23:00:00+01:00"
            ))
        })?;
        let read = |offset_ms| Time::from_millis(unix_ms.saturating_sub(offset_ms));
        let at = read(self.calendar.offset_ms(self.now));
        // What is past was shown by a clock that may have been set since.
        Ok(if at < self.now { read(self.calendar.offset_ms(at)) } else { at })
    }
}

/// A point of the timeline as wall clocks showed it: RFC 3339 in UTC.
pub(super) fn stamp(calendar: &Calendar, at: Time) -> Option<String> {
    jiff::Timestamp::from_millisecond(calendar.unix_millis(at)).ok().map(|at| at.to_string())
}

/// For tests, which look at other things than words.
#[cfg(test)]
pub(super) const WORDS: Words = Words {
    explain: |_, _, _, _| Vec::new(),
    held: |_, _| String::new(),
    finding: |_| String::new(),
    diagnosis: |_, _| String::new(),
    cause: |_| String::new(),
    alarm: |_| String::new(),
    draft: |_, _, _, _| String::new(),
    rfo_text: |_| String::new(),
    rfo_html: |_| String::new(),
    merits: |_| String::new(),
};

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time::from_millis(1_800_000_000_000);

    fn scene(steps: Vec<(Time, i64)>) -> Scene {
        Scene {
            now: NOW,
            calendar: Arc::new(Calendar::new(steps)),
            words: WORDS,
            parties: Arc::default(),
            customers: Arc::default(),
            out_of_reach: Arc::default(),
        }
    }

    #[test]
    fn a_moment_is_read_as_it_is_shown() {
        let hour = Duration::from_secs(3_600);
        let set = scene(vec![(NOW - hour, 5_000), (NOW - Duration::from_secs(60), -7_000)]);
        for at in [NOW - hour - hour, NOW - Duration::from_secs(1_800), NOW, NOW + hour] {
            assert_eq!(set.moment("from", &set.stamp(at).unwrap()).unwrap(), at);
        }
        assert_eq!(scene(Vec::new()).moment("from", "2027-01-15T09:00:00+01:00").unwrap(), NOW);
        for bad in ["", "2027-01-15", "2027-01-15T09:00:00", "2027-01-15T09:00:00+01:00[Europe/Paris]", "soon"] {
            let problem = scene(Vec::new()).moment("from", bad).unwrap_err();
            assert!(problem.error.starts_with("from is"), "{}", problem.error);
        }
    }
}
