//! What happens to a case: the fact that begins it, and each later one.

use super::case::Line;
use super::diagnosis::Diagnosis;
use super::promise::{Agreed, Level, Pledges, PromiseKind};
use super::reference::Reference;
use super::rfo::Undelivered;
use super::routing::Merits;
use super::words::{Actor, Channel, LetterMark, Priority, WaitingOn};
use crate::domain::mail::MailId;
use crate::domain::time::{Tally, Time};
use crate::domain::watch::{Circuit, Finding};
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

/// The fact that begins a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// Its reference.
    pub reference: Reference,
    /// Who opened it.
    pub origin: Actor,
    /// By which way it was reported (R5).
    pub channel: Channel,
    /// Priority at the beginning.
    pub priority: Priority,
    /// The unit that it is about.
    pub unit: String,
    /// The customer's circuit that ends there, as the inventory had it then (R22).
    pub circuit: Circuit,
    /// The team that it is assigned to (R2).
    pub queue: String,
    /// What whoever opened it said.
    pub note: Option<String>,
    /// When the unit last answered.
    pub last_contact: Option<Time>,
    /// When the first lost probe was sent, if the line is lost.
    pub first_loss: Option<Time>,
    /// When re-probes had confirmed the loss.
    pub detected: Option<Time>,
    /// Loss accumulated until now.
    pub loss: Tally,
    /// What the line is doing, and since when.
    pub line: (Line, Time),
    /// How the line was found degraded, if that is why.
    pub finding: Option<Finding>,
    /// How long the line must be back before the watch declares the case solved.
    pub solve_after: Duration,
    /// What is promised from the beginning.
    pub pledges: Pledges,
    /// The closed case that this unit had before.
    pub previous: Option<Reference>,
}

impl Opening {
    /// The loss for which it was opened, or that was under way then.
    #[must_use]
    pub fn outage(&self) -> Option<Outage> {
        let (first_loss, detected) = self.first_loss.zip(self.detected)?;
        Some(Outage { last_contact: self.last_contact, first_loss, detected })
    }
}

/// A loss of contact, as the watch came to know of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// When the unit last answered.
    pub last_contact: Option<Time>,
    /// When the first lost probe was sent.
    pub first_loss: Time,
    /// When re-probes had confirmed the loss.
    pub detected: Time,
}

/// Why a case was escalated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EscalatedBy {
    /// This promise was missed.
    Missed(PromiseKind),
    /// This person of the staff asked for it.
    Staff(String),
    /// The customer asked for it, from this address (R38).
    Customer(String),
}

/// A message that belongs to a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Its number among all messages.
    pub mail: MailId,
    /// The address that it is from.
    pub from: String,
    /// Who wrote it.
    pub writer: Writer,
    /// What it says.
    pub text: String,
}

/// Who wrote a message that belongs to a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writer {
    /// A person of the customer's.
    Customer,
    /// A person of our own; customers do not read it.
    Staff,
    /// A program: it moves no stage and no clock.
    Program,
}

impl Writer {
    /// Everybody.
    pub const ALL: [Self; 3] = [Self::Customer, Self::Staff, Self::Program];

    /// As it is stored and printed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Staff => "staff",
            Self::Program => "program",
        }
    }
}

/// Why a case was given to whom it was given to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// The rule that said so, if one did.
    pub rule: Option<String>,
    /// What was the occasion.
    pub occasion: Occasion,
    /// For what merits he was chosen, if there was anybody to choose.
    pub merits: Option<Merits>,
}

/// When a case is given to somebody without a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// It was opened.
    Opened,
    /// It became a P1.
    Upgraded,
    /// It was escalated.
    Escalated,
    /// It is at work for longer than a rule allows.
    Elapsed,
    /// Another centre has the shift.
    Handover,
    /// Somebody came on duty.
    OnDuty,
    /// A person gave it to a team.
    Asked,
}

impl Occasion {
    /// As it is printed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Upgraded => "upgraded",
            Self::Escalated => "escalated",
            Self::Elapsed => "elapsed",
            Self::Handover => "handover",
            Self::OnDuty => "on_duty",
            Self::Asked => "asked",
        }
    }
}

/// The two times at which others hear that a case takes too long (R57).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// The escalation engineer.
    Escalation,
    /// The development engineer.
    Development,
}

impl Step {
    /// Both, in their order.
    pub const ALL: [Self; 2] = [Self::Escalation, Self::Development];

    /// As it is stored and printed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Escalation => "escalation",
            Self::Development => "development",
        }
    }
}

/// What happened to a case after its opening.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaseFact {
    /// The line does something else since `at`.
    Line {
        /// What.
        line: Line,
        /// Since when.
        at: Time,
    },
    /// Somebody took it.
    Taken {
        /// Who.
        by: String,
    },
    /// Somebody wrote a note.
    Noted {
        /// Who.
        by: String,
        /// The note; for staff only.
        text: String,
    },
    /// Staff had news for the customer.
    Told {
        /// Who.
        by: String,
        /// The news, as the customer is to read it.
        text: String,
    },
    /// A message belongs to it.
    Heard(Heard),
    /// A reader's mail server took news: he counts as informed.
    Informed {
        /// His address.
        to: String,
        /// Which letter.
        letter: LetterMark,
    },
    /// A letter came back: its reader does not count as informed after all.
    InformedRevoked {
        /// His address.
        to: String,
        /// Which letter.
        letter: LetterMark,
        /// In the words of his mail server.
        why: String,
    },
    /// Somebody promised something.
    Promised {
        /// Who.
        by: String,
        /// What.
        kind: PromiseKind,
        /// Within what time from now.
        within: Duration,
    },
    /// An engineer is on site.
    Arrived {
        /// Who says so.
        by: String,
    },
    /// The supplier had something to say.
    SupplierSaid {
        /// Who heard it.
        by: String,
        /// What; for staff only.
        text: String,
    },
    /// What was agreed with the customer has changed.
    Agreed(Agreed),
    /// What was promised has happened.
    Kept {
        /// What.
        kind: PromiseKind,
        /// How much of its time it took.
        took: Duration,
        /// Whether its time was up already.
        late: bool,
    },
    /// What was promised has not happened in time.
    Missed {
        /// What.
        kind: PromiseKind,
        /// How long ago its time was up: nobody could see to it before.
        late: Duration,
    },
    /// It is with those above.
    Escalated {
        /// How far.
        level: Level,
        /// Why.
        why: EscalatedBy,
        /// What whoever asked said.
        note: Option<String>,
    },
    /// It was given to somebody.
    Assigned {
        /// By whom.
        by: String,
        /// To whom; `None` if nobody of the team is on duty.
        to: Option<String>,
        /// The team that it is with now, if that is known.
        team: Option<String>,
        /// Why, unless a person chose.
        why: Option<Chosen>,
        /// Whether a person took it from the team that a rule had chosen to another one (R104).
        misrouted: bool,
    },
    /// It is at work for so long that others hear of it (R57).
    Overdue {
        /// Which time it is.
        step: Step,
        /// Whom that was brought to.
        told: Vec<String>,
    },
    /// It was set to wait.
    Waits {
        /// Who set it.
        by: String,
        /// For whom it waits.
        on: WaitingOn,
        /// Why.
        note: Option<String>,
    },
    /// The customer answered, whom it waited for.
    Resumed {
        /// The address that he wrote from.
        by: String,
    },
    /// The watch has lost contact for as long as makes a fault: it sees now what a person had reported.
    Confirmed(Outage),
    /// The fault is worse than it was: as `Confirmed`, on a P2.
    Upgraded(Outage),
    /// The watch found the line degraded.
    Degraded(Finding),
    /// It has a cause that others share.
    Joined {
        /// The umbrella over them all.
        umbrella: Reference,
    },
    /// What its line does now, no others share: its umbrella speaks for it no more.
    Left,
    /// The line is back, and witnesses tell what happened.
    Diagnosed(Diagnosis),
    /// It was declared solved.
    Solved {
        /// By whom.
        by: Actor,
        /// Why.
        note: Option<String>,
        /// Length of the window that begins.
        window: Duration,
    },
    /// It is back at work.
    Returned {
        /// By whom: the watch, when the fault is back.
        by: Actor,
        /// Why.
        note: Option<String>,
        /// The loss that brought it back, if it is one. It makes a P1 of it.
        outage: Option<Outage>,
    },
    /// A reason for outage is to be written.
    RfoOrdered {
        /// Who wants it: the watch, before it closes the case.
        by: Actor,
    },
    /// It was written, and goes to the customer.
    RfoIssued {
        /// The how-manieth of this case.
        number: u32,
        /// SHA-256 of its bytes, in hexadecimal digits.
        sha256: String,
        /// The row of the journal whose seal it stands on.
        seal: i64,
    },
    /// A customer's mail server took it.
    RfoDelivered {
        /// Which.
        number: u32,
    },
    /// No server ever will take it.
    RfoUndelivered {
        /// Which.
        number: u32,
        /// Why.
        why: Undelivered,
    },
    /// It is closed.
    Closed,
}
