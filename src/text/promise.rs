//! Promises in words, and what became of them.

use super::time::duration;
use crate::domain::desk::{Agreed, EscalatedBy, Level, Pledges, PromiseKind};
use std::time::Duration;

/// What was promised, in words.
#[must_use]
pub(super) const fn promise_words(kind: PromiseKind) -> &'static str {
    match kind {
        PromiseKind::FirstResponse => "a first response",
        PromiseKind::Update => "news",
        PromiseKind::OnSite => "an engineer on site",
        PromiseKind::Repair => "the repair",
        PromiseKind::Supplier => "word from the supplier",
        PromiseKind::Rfo => "the reason for outage",
    }
}

/// It has happened.
pub(super) fn kept_words(kind: PromiseKind, took: Duration, late: bool) -> String {
    let how = if late { "Done, though late," } else { "Kept" };
    format!("{how} after {}: {}.", duration(took), promise_words(kind))
}

/// Its time was up, so long ago.
pub(super) fn missed_words(kind: PromiseKind, late: Duration) -> String {
    let what = promise_words(kind);
    if late.as_secs() > 0 {
        format!("Missed, {} ago, when nobody could see to it: {what}.", duration(late))
    } else {
        format!("Missed: {what}.")
    }
}

/// Without a full stop: a note may follow.
pub(super) fn escalated_words(level: Level, why: &EscalatedBy) -> String {
    let level = level.name();
    match why {
        EscalatedBy::Missed(kind) => format!("Escalated to {level}, for this was missed: {}", promise_words(*kind)),
        EscalatedBy::Staff(by) | EscalatedBy::Customer(by) => format!("Escalated to {level} by {by}"),
    }
}

/// What is agreed with a customer by now.
pub(super) fn agreed_words(agreed: &Agreed) -> String {
    let Agreed { ttr, pledges: Pledges { update_p1, update_p2, .. } } = agreed;
    let every =
        |every: &Option<Duration>| every.map_or_else(|| "none".into(), |every| format!("every {}", duration(every)));
    format!(
        "What is agreed with the customer has changed: repair within {}, news of a P1 {}, of a P2 {}.",
        duration(*ttr),
        every(update_p1),
        every(update_p2)
    )
}
