//! Letters: messages that must go out. A letter is written in the turn of its cause and committed with it; from then on
//! the outbox sees to it.

use super::desk::{Alarm, AlarmKind, Case, Invitation, LetterMark, Reference, Topic, Umbrella};
use super::maintenance::Maintenance;
use super::party::Contract;
use super::time::Time;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

/// Number of a letter in the store, in the order of writing.
pub type LetterId = u64;

/// A letter as it is written.
#[derive(Clone, Debug)]
pub struct Letter {
    /// Its number.
    pub id: LetterId,
    /// The conversation it belongs to.
    pub thread: Thread,
    /// What it says, and the how-manieth of its kind in its thread it is.
    pub mark: LetterMark,
    /// The letter of this thread before it.
    pub previous: Option<LetterMark>,
    /// What it is about.
    pub content: Content,
    /// The reader's mail address, or that of a messenger.
    pub to: String,
    /// The customer's name; `None` in the copy of the network operations centre.
    pub greeting: Option<String>,
    /// When it was written.
    pub written_at: Time,
    /// The survey that it asks the reader to answer.
    pub survey: Option<Invitation>,
}

/// What a letter is about, as it stood when the letter was written.
#[derive(Clone, Debug)]
pub enum Content {
    /// One case.
    Case(Arc<Case>),
    /// All lines of one customer that something happened to under an umbrella.
    Lines {
        /// The shared cause.
        umbrella: Arc<Umbrella>,
        /// The customer's cases, each with what happened to it. Nobody else's.
        lines: Vec<(Arc<Case>, LetterMark)>,
        /// What staff have to say.
        text: Option<String>,
    },
    /// The shared cause itself, for the operations centre.
    Umbrella {
        /// The shared cause.
        umbrella: Arc<Umbrella>,
        /// How many customers' cases belong to it by now.
        cases: usize,
        /// What staff have to say.
        text: Option<String>,
    },
    /// A maintenance, and which of the reader's lines it touches.
    Maintenance {
        /// The maintenance.
        maintenance: Arc<Maintenance>,
        /// Id and service order of each line of this customer within its scope.
        lines: Vec<(String, String)>,
        /// The same of those that were within its scope until it was changed.
        spared: Vec<(String, String)>,
    },
    /// Something is wrong with the watch itself.
    Alarm(Alarm),
    /// A contract that ends.
    Contract(Arc<Contract>),
    /// A letter that never reached its reader.
    PassedOn {
        /// Which.
        original: LetterId,
        /// The address that failed.
        from: String,
        /// The cases that it may tell of.
        cases: Vec<Reference>,
    },
    /// No letter reaches a customer.
    OutOfReach {
        /// Who.
        customer: String,
        /// The address that failed last.
        address: String,
    },
}

/// A conversation: its letters to one reader are sent one after the other, and answer each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thread {
    /// About one case.
    Case {
        /// The case.
        reference: Reference,
        /// Its unit.
        unit: String,
    },
    /// About a shared cause.
    Umbrella {
        /// The umbrella.
        reference: Reference,
        /// With this customer; `None` with the operations centre.
        customer: Option<String>,
    },
    /// About a maintenance.
    Maintenance {
        /// Its id.
        id: String,
        /// When it was planned first.
        planned_at: Time,
        /// With this customer.
        customer: String,
    },
    /// About the watch itself.
    Alarm {
        /// What is wrong.
        kind: AlarmKind,
        /// Since when: the next time is another conversation.
        since: Time,
    },
    /// About a contract.
    Contract {
        /// Its id.
        id: String,
        /// Its last day, in days since 1970-01-01: one that was prolonged is another conversation.
        last_day: i64,
        /// With this customer.
        customer: String,
    },
    /// About a customer whom no letter reaches.
    Reach {
        /// Who.
        customer: String,
        /// Since when: the next time is another conversation.
        since: Time,
    },
}

impl Thread {
    /// As it is stored: `case:NTU-…:UNIT`, `umbrella:NTU-…:CUSTOMER`, `maintenance:ID:TIME:CUSTOMER`, `alarm:KIND:SINCE`,
    /// `contract:ID:DAY:CUSTOMER` or `reach:CUSTOMER:SINCE`.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::Case { reference, unit } => format!("case:{reference}:{unit}"),
            Self::Umbrella { reference, customer } => {
                format!("umbrella:{reference}:{}", customer.as_deref().unwrap_or_default())
            }
            Self::Maintenance { id, planned_at, customer } => {
                format!("maintenance:{id}:{}:{customer}", planned_at.as_millis())
            }
            Self::Alarm { kind, since } => format!("alarm:{}:{}", kind.name(), since.as_millis()),
            Self::Contract { id, last_day, customer } => format!("contract:{id}:{last_day}:{customer}"),
            Self::Reach { customer, since } => format!("reach:{customer}:{}", since.as_millis()),
        }
    }

    /// The thread that is stored as `key`. Ids hold no colons.
    #[must_use]
    pub fn parse(key: &str) -> Option<Self> {
        let (sort, rest) = key.split_once(':')?;
        let (one, other) = rest.split_once(':')?;
        Some(match sort {
            "case" => Self::Case { reference: Reference::parse(one).ok()?, unit: other.into() },
            "umbrella" => {
                let customer = Some(other).filter(|customer| !customer.is_empty()).map(Into::into);
                Self::Umbrella { reference: Reference::parse(one).ok()?, customer }
            }
            "maintenance" => {
                let (planned_at, customer) = other.split_once(':')?;
                let planned_at = Time::from_millis(planned_at.parse().ok()?);
                Self::Maintenance { id: one.into(), planned_at, customer: customer.into() }
            }
            "alarm" => {
                let kind = AlarmKind::ALL.into_iter().find(|kind| kind.name() == one)?;
                Self::Alarm { kind, since: Time::from_millis(other.parse().ok()?) }
            }
            "contract" => {
                let (last_day, customer) = other.split_once(':')?;
                Self::Contract { id: one.into(), last_day: last_day.parse().ok()?, customer: customer.into() }
            }
            "reach" => Self::Reach { customer: one.into(), since: Time::from_millis(other.parse().ok()?) },
            _ => return None,
        })
    }

    /// The unit and the case or umbrella that it is about.
    #[must_use]
    pub fn about(&self) -> (Option<&str>, Option<Topic>) {
        match self {
            Self::Case { reference, unit } => (Some(unit), Some(Topic::Case(*reference))),
            Self::Umbrella { reference, .. } => (None, Some(Topic::Umbrella(*reference))),
            Self::Maintenance { .. } | Self::Alarm { .. } | Self::Contract { .. } | Self::Reach { .. } => (None, None),
        }
    }
}

/// What identifies a letter: at most one exists for each. Its Message-ID derives from this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetterLabel {
    /// Its number.
    pub id: LetterId,
    /// Its conversation.
    pub thread: Thread,
    /// Kind and number.
    pub mark: LetterMark,
    /// The reader's mail address.
    pub to: String,
}

impl Letter {
    /// What identifies it.
    #[must_use]
    pub fn label(&self) -> LetterLabel {
        LetterLabel { id: self.id, thread: self.thread.clone(), mark: self.mark, to: self.to.clone() }
    }

    /// The cases that it tells of, each with what it tells.
    #[must_use]
    pub fn lines(&self) -> Vec<(Reference, LetterMark)> {
        match &self.content {
            Content::Case(case) => [(case.opening.reference, self.mark)].into(),
            Content::Lines { lines, .. } => lines.iter().map(|(case, mark)| (case.opening.reference, *mark)).collect(),
            Content::PassedOn { cases, .. } => cases.iter().map(|case| (*case, self.mark)).collect(),
            Content::Umbrella { .. }
            | Content::Maintenance { .. }
            | Content::Alarm(_)
            | Content::Contract(_)
            | Content::OutOfReach { .. } => Vec::new(),
        }
    }
}

/// A letter in its final words, as the mail engine sends it and the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The letter's number.
    pub id: LetterId,
    /// The reader's mail address.
    pub to: String,
    /// Unique for ever, and the same for each attempt: without angle brackets.
    pub message_id: String,
    /// Message-ID of the letter before it in the same thread.
    pub in_reply_to: Option<String>,
    /// Message-IDs of the thread, oldest first.
    pub references: Vec<String>,
    /// Where replies go, if not to the sender.
    pub reply_to: Option<String>,
    /// Subject line, unencoded; of a notice to a messenger, all of it in one line.
    pub subject: String,
    /// Plain text; of a notice to a messenger, its particulars as JSON.
    pub body: String,
    /// When it was written, in milliseconds since the Unix epoch.
    pub written_unix_ms: i64,
}

/// What became of an attempt to deliver a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The server took it (SMTP 250), or the file is on the disk.
    Sent,
    /// The server put this letter off (SMTP 4xx).
    Deferred(String),
    /// The server can't be talked to: connection, TLS or authentication failed. No other letter would fare better.
    Unreachable(String),
    /// The server will never take it (SMTP 5xx).
    Refused(String),
    /// The server wants no letter at all for a while (HTTP 429).
    Throttled {
        /// In the server's words.
        why: String,
        /// For how long.
        wait: Duration,
    },
}

/// What the store is to remember of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetterChange {
    /// Which letter.
    pub id: LetterId,
    /// What became of it.
    pub state: LetterState,
    /// Attempts so far.
    pub attempts: u32,
    /// What the server said last.
    pub error: Option<String>,
}

/// Where a letter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LetterState {
    /// It waits for its next attempt.
    Queued,
    /// The server took it.
    Sent,
    /// The server refused it for good.
    Failed,
    /// The server took it, and it came back.
    Bounced,
    /// It is held back, in case the reader's other channel fails.
    Reserve,
    /// It was held back, and nobody needed it.
    Spared,
}

impl LetterState {
    /// Every state.
    pub const ALL: [Self; 6] = [Self::Queued, Self::Sent, Self::Failed, Self::Bounced, Self::Reserve, Self::Spared];

    /// As it is stored and printed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Bounced => "bounced",
            Self::Reserve => "reserve",
            Self::Spared => "spared",
        }
    }
}

/// An undelivered letter as the store remembers it.
#[derive(Clone, Debug)]
pub struct SavedLetter {
    /// What identifies it.
    pub label: LetterLabel,
    /// When it was written.
    pub written_at: Time,
    /// Attempts so far.
    pub attempts: u32,
}

/// A notice that is held back, as the store remembers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedReserve {
    /// What identifies it.
    pub label: LetterLabel,
    /// When it was written.
    pub written_at: Time,
    /// How many channels are tried before it.
    pub rank: u32,
    /// The letters for which it stands in, as it was written.
    pub behind: Vec<LetterId>,
}

/// What the store remembers of the outbox.
#[derive(Clone, Debug, Default)]
pub struct SavedLetters {
    /// Number of the next letter.
    pub next_id: LetterId,
    /// Letters that are not delivered, in the order of writing.
    pub waiting: Vec<SavedLetter>,
    /// Notices that are held back.
    pub reserves: Vec<SavedReserve>,
    /// Messengers that were told that something is wrong and not yet that it is over: conversation and address.
    pub alerts: Vec<(Thread, String)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_read_as_it_was_stored() {
        let reference = Reference::from_number(7);
        for thread in [
            Thread::Case { reference, unit: "acme-lon.1".into() },
            Thread::Umbrella { reference, customer: Some("acme".into()) },
            Thread::Umbrella { reference, customer: None },
            Thread::Maintenance { id: "night-1".into(), planned_at: Time::from_millis(7_000), customer: "acme".into() },
            Thread::Alarm { kind: AlarmKind::Isolation, since: Time::from_millis(-5_000) },
            Thread::Reach { customer: "acme".into(), since: Time::from_millis(7) },
        ] {
            assert_eq!(Thread::parse(&thread.key()), Some(thread));
        }
        for wrong in ["", "case", "case:x:y", "alarm:noise:1", "alarm:isolation:soon", "rain:1:2"] {
            assert_eq!(Thread::parse(wrong), None, "{wrong}");
        }
    }
}
