//! What the journal and the system's log are told of a fact.

use crate::domain::fact::Fact;
use crate::domain::time::Calendar;
use crate::store::Entry;
use crate::text;

/// Things of one sort that are warned of one by one.
const MAX_WARNINGS: usize = 20;

/// A fact for the journal, unless the ledger has it: a start of a large fleet changes the verdict of every device.
pub(super) fn entry(fact: &Fact, calendar: &Calendar) -> Option<Entry> {
    if matches!(fact, Fact::VerdictChanged { .. }) {
        return None;
    }
    let (device, topic) = fact.about();
    Some(Entry {
        kind: text::kind(fact),
        device: device.map(str::to_owned),
        topic,
        text: text::sentence(fact, calendar),
        data: text::data(fact, calendar),
    })
}

/// What an operator wants to see in the system's log: what concerns the daemon and its cases, not every verdict.
pub(super) fn log(fact: &Fact, calendar: &Calendar) {
    // Worded only if the level is logged: in a storm most facts are not.
    // One line each, whatever people write into their notes.
    let sentence = || text::sentence(fact, calendar).replace(char::is_control, " ");
    match fact {
        Fact::VerdictChanged { .. } | Fact::LetterQueued { .. } | Fact::LetterSent(_) | Fact::Trapped { .. } => {
            tracing::debug!("{}", sentence());
        }
        Fact::IsolationBegan { .. }
        | Fact::MonitorStalled { .. }
        | Fact::LetterFailed { .. }
        | Fact::LetterBounced { .. }
        | Fact::AddressFailed { .. }
        | Fact::AlarmRaised(_) => {
            tracing::error!("{}", sentence());
        }
        Fact::Case { reference, .. } => tracing::info!("{reference}: {}", sentence()),
        Fact::CaseOpened(opening) => tracing::info!("{}: {}", opening.reference, sentence()),
        Fact::MonitorStarted { .. }
        | Fact::MonitorStopped
        | Fact::IsolationEnded { .. }
        | Fact::InventoryChanged { .. }
        | Fact::ClockStepped { .. }
        | Fact::AgentChanged { .. }
        | Fact::Rebooted { .. }
        | Fact::UmbrellaOpened(_)
        | Fact::UmbrellaUpdated { .. }
        | Fact::UmbrellaClosed { .. }
        | Fact::MaintenancePlanned(_)
        | Fact::MaintenanceBegan { .. }
        | Fact::MaintenanceEnded { .. }
        | Fact::AlarmCleared { .. }
        | Fact::NoticeFellBack { .. }
        | Fact::CanaryBegan { .. }
        | Fact::CanarySang { .. }
        | Fact::StaffDuty { .. }
        | Fact::ShiftBegan { .. }
        | Fact::ContractEnding(_)
        | Fact::Customer(_)
        | Fact::AddressWorks { .. }
        | Fact::MailSorted { .. } => tracing::info!("{}", sentence()),
    }
}

/// Warns of the first of a number of things one by one, and with the `rest` of how many more there are.
pub(crate) fn warn_of<T>(things: &[T], words: impl Fn(&T) -> String, rest: impl Fn(usize) -> String) {
    for thing in things.iter().take(MAX_WARNINGS) {
        tracing::warn!("{}", words(thing));
    }
    if let Some(more @ 1..) = things.len().checked_sub(MAX_WARNINGS) {
        tracing::warn!("{}", rest(more));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Time;
    use crate::domain::watch::{Reason, Verdict};

    #[test]
    fn the_journal_has_what_the_ledger_has_not() {
        let (device, calendar) = (String::from("acme-lon-1"), Calendar::default());
        let changed = Fact::VerdictChanged {
            device: device.clone(),
            verdict: Verdict::Loss,
            reason: Reason::NoAnswer,
            since: Time::from_millis(0),
        };
        assert!(entry(&changed, &calendar).is_none());
        let kept = entry(&Fact::Rebooted { device }, &calendar).unwrap();
        assert_eq!((kept.kind, kept.device.as_deref(), kept.topic), ("rebooted", Some("acme-lon-1"), None));
    }
}
