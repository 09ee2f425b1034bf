//! Where the core and the model differ by more than can be explained by what nobody can know.

use crate::model::{self, FUZZ, Outage, Shown};
use crate::trace::{Asked, DOWN_AFTER, GOOD_WINDOWS, INTERVAL, Trace, WINDOW};
use ntuwatch::domain::desk::{Actor, Case, CaseFact, Priority, Reference};
use ntuwatch::domain::fact::Fact;
use ntuwatch::domain::time::Time;
use ntuwatch::domain::watch::{Reason, Symptom, Verdict};
use ntuwatch::story::weather::{Leave, Span};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// A fault may wait for a word on what it shares with others: a parent, or a crowd.
const SHARED: Duration = Duration::from_secs(35);
/// Isolation is found within a step or two.
const SOON: Duration = Duration::from_secs(3);

/// What agreed, counted, and what did not.
#[derive(Debug, Default)]
pub(crate) struct Score {
    pub(crate) discrepancies: Vec<String>,
    faults: usize,
    lossy: usize,
    slow: usize,
    well: usize,
    blind: usize,
}

impl Score {
    pub(crate) fn add(&mut self, seed: u64, more: Self) {
        self.discrepancies.extend(more.discrepancies.into_iter().map(|what| format!("NTUWATCH_SEED={seed}: {what}")));
        self.faults += more.faults;
        self.lossy += more.lossy;
        self.slow += more.slow;
        self.well += more.well;
        self.blind += more.blind;
    }

    /// Whether everything that is compared happened often.
    pub(crate) const fn is_rich(&self) -> bool {
        self.faults >= 50 && self.lossy >= 50 && self.slow >= 50 && self.well >= 50 && self.blind >= 50
    }
}

pub(crate) fn compare(trace: &Trace) -> Score {
    let mut score = Score::default();
    let own = model::broken(trace);
    own_side(trace, &own, &mut score);
    for device in 0..trace.plan.devices.len() {
        let id = &trace.plan.devices[device].id;
        if !id.starts_with('u') {
            continue;
        }
        let broken = [own.clone(), model::unsent(trace, device)].concat();
        let blind = model::blind(trace, &broken);
        let outages = model::outages(trace, device, &blind);
        let scheduled = model::scheduled(trace, device, &outages, &blind);
        let unit = Unit { id, trace, outages, scheduled, blind: &blind, facts: of(trace, id) };
        unit.faults(&mut score);
        unit.symptoms(&mut score);
        unit.verdicts(&broken, &mut score);
    }
    score
}

/// The facts of a unit's cases.
fn of<'a>(trace: &'a Trace, unit: &str) -> Vec<(Time, &'a Fact)> {
    let is_its = |fact: &Fact| match fact {
        Fact::CaseOpened(opening) => opening.unit == unit,
        Fact::Case { unit: of, .. } => of == unit,
        Fact::VerdictChanged { device, .. } => device == unit,
        _ => false,
    };
    trace.facts.iter().filter(|(_, fact)| is_its(fact)).map(|(at, fact)| (*at, fact)).collect()
}

/// The core is cut off when the model says that its own side is broken, and only then.
fn own_side(trace: &Trace, broken: &[Span], score: &mut Score) {
    for (at, fact) in &trace.facts {
        if let Fact::IsolationBegan { why, .. } = fact {
            score.blind += 1;
            let near = broken.iter().any(|span| span.from <= *at && *at <= span.until + SOON);
            if !near && !follows_a_pause(trace, *at) {
                score.discrepancies.push(format!("cut off at {at:?} for {why:?}, but the model is not: {broken:?}"));
            }
        }
    }
    for span in broken.iter().filter(|span| span.until.since(span.from) >= Duration::from_secs(8)) {
        let is_away = trace.away.iter().any(|(away, _)| away.from <= span.until && span.from <= away.until);
        let began = trace.facts.iter().any(|(at, fact)| {
            matches!(fact, Fact::IsolationBegan { .. })
                && *at + INTERVAL + SOON >= span.from
                && *at <= span.until + SOON
        });
        if !is_away && !began && span.until < trace.until {
            score.discrepancies.push(format!("the model is cut off in {span:?}, but not the core"));
        }
    }
}

/// A pause that is too short for a stall looks like a cut-off until the next answer.
fn follows_a_pause(trace: &Trace, at: Time) -> bool {
    let soon = |away: &Span| away.until <= at && at.since(away.until) <= INTERVAL + SOON;
    trace.away.iter().any(|(away, kind)| *kind == Leave::Suspended && soon(away))
}

struct Unit<'a> {
    id: &'a str,
    trace: &'a Trace,
    outages: Vec<Outage>,
    scheduled: Vec<Asked>,
    blind: &'a [Span],
    facts: Vec<(Time, &'a Fact)>,
}

impl Unit<'_> {
    fn case_at(&self, at: Time) -> Option<Case> {
        let mut cases: BTreeMap<Reference, Case> = BTreeMap::new();
        for (when, fact) in self.facts.iter().filter(|(when, _)| *when <= at) {
            match fact {
                Fact::CaseOpened(opening) => {
                    cases.insert(opening.reference, Case::open(Arc::clone(opening), *when));
                }
                Fact::Case { reference, fact, .. } => cases.get_mut(reference).unwrap().apply(fact, *when),
                _ => {}
            }
        }
        cases.into_values().next_back()
    }

    fn is_seen(&self, from: Time, until: Time) -> bool {
        !self.blind.iter().any(|blind| blind.from <= until && from <= blind.until)
    }

    /// P1: a fault of the core is one of the model, and the other way round.
    fn faults(&self, score: &mut Score) {
        for (at, fact) in &self.facts {
            let found = match fact {
                Fact::CaseOpened(opening) => opening.priority == Priority::P1,
                Fact::Case {
                    fact: CaseFact::Upgraded(_) | CaseFact::Confirmed(_) | CaseFact::Returned { outage: Some(_), .. },
                    ..
                } => true,
                _ => false,
            };
            if found {
                score.faults += 1;
                if !self.outages.iter().any(|outage| outage.may_be_fault(*at)) {
                    score
                        .discrepancies
                        .push(format!("{}: P1 at {at:?}, but the model has {:?}", self.id, self.outages));
                }
            }
        }
        for outage in &self.outages {
            let Some(certain) = outage.certain() else { continue };
            let at = certain + SHARED;
            let enough = outage.loss(at) >= DOWN_AFTER + outage.fuzz + SHARED;
            if !enough || at >= outage.span.until || at >= self.trace.until {
                continue;
            }
            let case = self.case_at(at);
            if !case.as_ref().is_some_and(|case| case.is_at_work() && case.priority == Priority::P1) {
                score.discrepancies.push(format!("{}: no P1 at {at:?} for {outage:?}: {case:?}", self.id));
            }
        }
    }

    fn shown(&self, at: Time, length: Duration) -> Shown {
        // The rounds of before are gone with the daemon that knew them.
        let gone = |(away, kind): &&(Span, Leave)| *kind != Leave::Suspended && away.until <= at;
        let began = self.trace.away.iter().filter(gone).map(|(away, _)| away.until).max();
        let length = began.map_or(length, |began| length.min(at.since(began)));
        model::shown(&self.scheduled, at, length)
    }

    /// P2: by losses and by slow answers.
    fn symptoms(&self, score: &mut Score) {
        for (at, fact) in &self.facts {
            let (finding, by_watch) = match fact {
                Fact::CaseOpened(opening) => (opening.finding, opening.origin == Actor::Watch),
                Fact::Case { fact: CaseFact::Degraded(finding), .. } => (Some(*finding), true),
                _ => (None, false),
            };
            let Some(symptom) = finding.filter(|_| by_watch).map(|finding| finding.symptom) else { continue };
            let (window, half) = (self.shown(*at, WINDOW + INTERVAL), self.shown(*at, WINDOW / 2 + INTERVAL));
            let may = match symptom {
                Symptom::Loss => {
                    score.lossy += 1;
                    window.may_be_lossy() && half.lost >= 1
                }
                Symptom::Slow => {
                    score.slow += 1;
                    window.may_be_slow() && half.slowish >= 1
                }
                _ => false,
            };
            if !may {
                score.discrepancies.push(format!("{}: {symptom:?} at {at:?}, but {window:?}, {half:?}", self.id));
            }
        }
        self.certain_symptom(score, Reason::Lossy, Shown::is_lossy, Shown::may_be_lossy);
        self.certain_symptom(score, Reason::Slow, Shown::is_slow, Shown::may_be_slow);
    }

    /// What shows without doubt for more than half a window, in both halves, is found; what does not show any more for
    /// the good windows is let go.
    fn certain_symptom(&self, score: &mut Score, reason: Reason, is: fn(Shown) -> bool, may_be: fn(Shown) -> bool) {
        let (mut bad_since, mut good_since) = (None, None);
        let mut seen_until = self.trace.start;
        for asked in &self.scheduled {
            let at = asked.sent;
            let calm = self.is_seen(seen_until, at + INTERVAL)
                && !self
                    .outages
                    .iter()
                    .any(|outage| outage.span.from <= at + INTERVAL && at <= outage.span.until + INTERVAL);
            seen_until = at;
            if !calm {
                (bad_since, good_since) = (None, None);
                continue;
            }
            let (window, half) = (self.shown(at, WINDOW), self.shown(at, WINDOW / 2));
            if is(window) && is_halfway(half, is) && model::is_known(window) {
                let since = *bad_since.get_or_insert(at);
                if at.since(since) >= WINDOW / 2 + 3 * INTERVAL && !self.has(reason, at + INTERVAL / 2) {
                    score.discrepancies.push(format!("{}: not {reason:?} at {at:?}: {window:?}, {half:?}", self.id));
                    return;
                }
            } else {
                bad_since = None;
            }
            // A window that may be bad makes the good ones begin anew.
            if may_be(window) {
                good_since = None;
            } else {
                let since = *good_since.get_or_insert(at);
                if at.since(since) >= WINDOW * GOOD_WINDOWS + 3 * INTERVAL {
                    score.well += 1;
                    if self.stands(reason, at + INTERVAL / 2) {
                        score.discrepancies.push(format!("{}: still {reason:?} at {at:?}: {window:?}", self.id));
                        return;
                    }
                }
            }
        }
    }

    fn verdict(&self, at: Time) -> Option<(Verdict, Reason)> {
        let verdict = |fact: &Fact| match fact {
            Fact::VerdictChanged { verdict, reason, .. } => Some((*verdict, *reason)),
            _ => None,
        };
        self.facts.iter().filter(|(when, _)| *when <= at).filter_map(|(_, fact)| verdict(fact)).next_back()
    }

    fn stands(&self, reason: Reason, at: Time) -> bool {
        self.verdict(at).is_some_and(|(_, why)| why == reason)
    }

    /// Whether the line counts as degraded for this, or for what is more telling.
    fn has(&self, reason: Reason, at: Time) -> bool {
        self.stands(reason, at) || self.stands(Reason::Lossy, at)
    }

    /// No verdict but INCONCLUSIVE stands for long while our own side is broken, and it only then.
    fn verdicts(&self, broken: &[Span], score: &mut Score) {
        for interval in self.trace.intervals.iter().filter(|interval| interval.device == self.id) {
            let stretch = Span { from: interval.from, until: interval.until };
            let lasts = stretch.until.since(stretch.from);
            let is_broken =
                broken.iter().any(|span| span.from <= stretch.until + FUZZ && stretch.from <= span.until + FUZZ);
            let is_known = is_broken || follows_a_pause(self.trace, stretch.until);
            if interval.verdict == Verdict::Inconclusive && !is_known {
                score.discrepancies.push(format!("{}: {interval:?}, but nothing was broken", self.id));
            }
            let covered = broken.iter().any(|span| span.from <= stretch.from && stretch.until <= span.until);
            if interval.verdict == Verdict::Loss && covered && lasts > SOON {
                score.discrepancies.push(format!("{}: {interval:?}, but our own side was broken", self.id));
            }
        }
    }
}

/// Half a window shows it, too.
fn is_halfway(half: Shown, is: fn(Shown) -> bool) -> bool {
    is(half) || is(Shown { lost: half.lost * 2, answered: half.answered * 2, slow: half.slow * 2, ..half })
}
