//! What holds of promises.

use crate::world::History;
use ntuwatch::domain::desk::{Case, CaseFact, EscalatedBy, Level, PromiseKind, Stage};
use std::time::Duration;

/// Between two turns of a daemon that has little to do.
const A_TURN: Duration = Duration::from_secs(1);

/// A promise is missed when its time is up by the case's own facts, neither sooner nor later than it says, and kept before
/// that. Only a missed promise, or a person, raises the level, by one. A case that is solved promises nothing but its reason
/// for outage, and one that is closed nothing at all.
pub(crate) fn promises_are_kept_or_missed(history: &History) {
    let cases = history.each_case_fact(|case, at, fact| {
        promises_nothing_when_solved(case);
        match fact {
            CaseFact::Missed { kind, late } => {
                let promise = case.promises.get(*kind).unwrap();
                assert_eq!(promise.due(), Some(at - *late), "{kind:?}: {case:#?}");
            }
            CaseFact::Kept { kind, took, late } => {
                let promise = case.promises.get(*kind).unwrap();
                assert_eq!((promise.clock.total(at), promise.missed), (*took, *late), "{kind:?}: {case:#?}");
            }
            CaseFact::Escalated { level, why, .. } => {
                let before = case.escalation.as_ref().map(|escalation| escalation.level);
                assert_eq!(*level, Level::above(before));
                if let EscalatedBy::Missed(kind) = why {
                    assert!(case.promises.get(*kind).unwrap().missed, "{kind:?}: {case:#?}");
                }
            }
            _ => {}
        }
    });
    cases.values().for_each(promises_nothing_when_solved);
}

fn promises_nothing_when_solved(case: &Case) {
    let may_owe = |kind| match &case.stage {
        Stage::New | Stage::Working { .. } | Stage::Waiting { .. } => true,
        Stage::Solved { .. } => kind == PromiseKind::Rfo,
        Stage::Closed { .. } => false,
    };
    assert!(case.promises.iter().all(|(kind, _)| may_owe(kind)), "{case:#?}");
}

/// What is missed is said at once, while the daemon runs.
pub(crate) fn nothing_is_overdue_in_silence(history: &History) {
    let Some(watch) = history.sim.watch() else { return };
    for case in watch.desk().cases() {
        assert_eq!(case.overdue(history.sim.now() - A_TURN), None, "{case:#?}");
    }
}
