//! Facts: what happened, for the journal. People read them; the core does not.

use super::desk::{
    Alarm, AlarmKind, CaseFact, Cause, LetterMark, MailOutcome, Opening, Reference, Score, Topic, Umbrella,
};
use super::letter::LetterLabel;
use super::mail::MailId;
use super::maintenance::{Maintenance, Scope};
use super::party::{Contact, ContactVerb, Contract};
use super::time::Time;
use super::watch::{AgentState, Reason, TrapKind, Verdict};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

/// One thing that happened in a turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// The daemon began to watch.
    MonitorStarted {
        /// Until when an earlier daemon is known to have watched.
        watched_until: Option<Time>,
    },
    /// The daemon was told to stop.
    MonitorStopped,
    /// Nobody watched from `since` until now: the daemon was suspended or starved.
    MonitorStalled {
        /// The last moment that was watched.
        since: Time,
    },
    /// The monitor itself is cut off: silence of the units means nothing.
    IsolationBegan {
        /// Since when.
        since: Time,
        /// By what it shows.
        why: Reason,
    },
    /// The monitor is connected again.
    IsolationEnded {
        /// Since when it was cut off.
        since: Time,
        /// By what it showed.
        why: Reason,
        /// How long it was.
        lasted: Duration,
    },
    /// Another inventory is in force.
    InventoryChanged {
        /// Devices that are new.
        added: usize,
        /// Devices that are gone.
        removed: usize,
        /// Devices that are kept.
        kept: usize,
    },
    /// The wall clock was set. Moves no deadline.
    ClockStepped {
        /// By how many milliseconds, forwards or back.
        by_ms: i64,
    },
    /// A device has another verdict.
    VerdictChanged {
        /// Its id.
        device: String,
        /// The verdict.
        verdict: Verdict,
        /// Why.
        reason: Reason,
        /// Since when it stands; may be dated back.
        since: Time,
    },
    /// A case was opened.
    CaseOpened(Arc<Opening>),
    /// Something happened to a case.
    Case {
        /// Which.
        reference: Reference,
        /// Its unit.
        unit: String,
        /// What.
        fact: CaseFact,
    },
    /// A device's SNMP agent does otherwise than before: the operator's own housekeeping.
    AgentChanged {
        /// The device's id.
        device: String,
        /// What its agent does now.
        state: AgentState,
    },
    /// The box of a device started anew, as its agent tells.
    Rebooted {
        /// The device's id.
        device: String,
    },
    /// A device said something unasked. A witness, never a verdict.
    Trapped {
        /// The device's id.
        device: String,
        /// The open case of its line, if there is one.
        case: Option<Reference>,
        /// What it says.
        says: TrapKind,
        /// ifIndex of the interface that it is about.
        interface: Option<u32>,
        /// How many more came before that were not noted.
        unnoted: u32,
    },
    /// Lines that fail together are under one umbrella.
    UmbrellaOpened(Umbrella),
    /// Staff had news for everybody under an umbrella.
    UmbrellaUpdated {
        /// Which.
        reference: Reference,
        /// Who.
        by: String,
        /// The news.
        text: String,
        /// How many customers were told.
        customers: usize,
    },
    /// A shared cause is over.
    UmbrellaClosed {
        /// Which.
        reference: Reference,
        /// What was shared.
        cause: Cause,
        /// From the first loss until now.
        lasted: Duration,
        /// How many cases belonged to it.
        children: usize,
    },
    /// A maintenance was announced, changed or called off; its stage and revision say which.
    MaintenancePlanned(Arc<Maintenance>),
    /// A maintenance began.
    MaintenanceBegan {
        /// Its id.
        id: String,
        /// What it is about.
        scope: Scope,
        /// How many units it touches.
        units: usize,
    },
    /// A maintenance is over.
    MaintenanceEnded {
        /// Its id.
        id: String,
        /// What it was about.
        scope: Scope,
        /// How many of its units are lost.
        lost: usize,
    },
    /// Something is wrong with the watch itself.
    AlarmRaised(Alarm),
    /// It is well again.
    AlarmCleared {
        /// What was wrong.
        kind: AlarmKind,
        /// Since when.
        since: Time,
        /// How long it was.
        lasted: Duration,
    },
    /// Somebody of the staff is on or off.
    StaffDuty {
        /// Who.
        staff: String,
        /// Whether he is on.
        on: bool,
        /// Who says so.
        by: String,
    },
    /// A centre has the shift.
    ShiftBegan {
        /// Which.
        centre: String,
        /// Which had it before.
        before: Option<String>,
        /// Cases at work.
        cases: usize,
    },
    /// A customer was told that a contract ends (R70).
    ContractEnding(Arc<Contract>),
    /// Something between us and a customer, beside his cases.
    Customer(CustomerFact),
    /// The canary's simulated outage began.
    CanaryBegan {
        /// Its unit.
        unit: String,
    },
    /// The canary's outage travelled the whole way.
    CanarySang {
        /// Its unit.
        unit: String,
        /// From the beginning of the outage until the letter was taken.
        took: Duration,
    },
    /// A letter was written.
    LetterQueued {
        /// Which.
        letter: LetterLabel,
        /// The cases that it tells of.
        lines: Vec<(Reference, LetterMark)>,
    },
    /// The mail server took a letter.
    LetterSent(LetterLabel),
    /// The mail server refused a letter for good.
    LetterFailed {
        /// Which.
        letter: LetterLabel,
        /// In the server's words.
        why: String,
    },
    /// A notice that was held back goes out, for another channel of its reader failed (R55).
    NoticeFellBack {
        /// Which.
        letter: LetterLabel,
        /// Why.
        instead: Instead,
    },
    /// A letter that a mail server had taken came back.
    LetterBounced {
        /// Which.
        letter: LetterLabel,
        /// In the server's words.
        why: String,
    },
    /// A reader's address does not work (R16).
    AddressFailed {
        /// The address.
        address: String,
        /// In the words of its server.
        why: String,
    },
    /// It works again: somebody writes from there.
    AddressWorks {
        /// The address.
        address: String,
    },
    /// A message came in, and joined no case.
    MailSorted {
        /// Its number.
        mail: MailId,
        /// Its sender, if it has one.
        from: Option<String>,
        /// What became of it.
        outcome: MailOutcome,
        /// The case that it opened or is about.
        case: Option<Reference>,
        /// Why.
        why: Option<String>,
    },
}

/// Why a notice goes out on another channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Instead {
    /// A channel refused it for good.
    Refused {
        /// The address there.
        of: String,
        /// In its words.
        why: String,
    },
    /// It was not taken in time.
    Late {
        /// The addresses there.
        of: Vec<String>,
    },
    /// Its reader was alerted in another's place, and has to hear that it is over.
    Alerted,
}

impl Fact {
    /// The device, and the case or the umbrella, that it is about.
    #[must_use]
    pub fn about(&self) -> (Option<&str>, Option<Topic>) {
        match self {
            Self::MonitorStarted { .. }
            | Self::MonitorStopped
            | Self::MonitorStalled { .. }
            | Self::IsolationBegan { .. }
            | Self::IsolationEnded { .. }
            | Self::InventoryChanged { .. }
            | Self::ClockStepped { .. }
            | Self::MaintenancePlanned(_)
            | Self::MaintenanceBegan { .. }
            | Self::MaintenanceEnded { .. }
            | Self::AlarmRaised(_)
            | Self::AlarmCleared { .. }
            | Self::StaffDuty { .. }
            | Self::ShiftBegan { .. }
            | Self::ContractEnding(_) => (None, None),
            Self::VerdictChanged { device, .. } => (Some(device), None),
            Self::CaseOpened(opening) => (Some(&opening.unit), Some(Topic::Case(opening.reference))),
            Self::Case { reference, unit, .. } => (Some(unit), Some(Topic::Case(*reference))),
            Self::AgentChanged { device, .. } | Self::Rebooted { device } => (Some(device), None),
            Self::Trapped { device, case, .. } => (Some(device), case.map(Topic::Case)),
            Self::Customer(fact) => fact.about(),
            Self::UmbrellaOpened(umbrella) => (None, Some(Topic::Umbrella(umbrella.reference))),
            Self::UmbrellaUpdated { reference, .. } | Self::UmbrellaClosed { reference, .. } => {
                (None, Some(Topic::Umbrella(*reference)))
            }
            Self::CanaryBegan { unit } | Self::CanarySang { unit, .. } => (Some(unit), None),
            Self::LetterQueued { letter, .. }
            | Self::LetterSent(letter)
            | Self::LetterFailed { letter, .. }
            | Self::NoticeFellBack { letter, .. }
            | Self::LetterBounced { letter, .. } => letter.thread.about(),
            Self::AddressFailed { .. } | Self::AddressWorks { .. } => (None, None),
            Self::MailSorted { case, .. } => (None, case.map(Topic::Case)),
        }
    }
}

/// Something between us and a customer, beside his cases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CustomerFact {
    /// Staff changed what is known of a person.
    ContactChanged {
        /// What they did.
        verb: ContactVerb,
        /// The person.
        contact: Box<Contact>,
        /// Who.
        by: String,
    },
    /// No letter reaches the customer (R16).
    ContactInvalid {
        /// Who.
        customer: String,
        /// The address that failed last.
        address: String,
    },
    /// One may again.
    ContactValid {
        /// Who.
        customer: String,
    },
    /// A customer is asked how a case went (R62).
    SurveySent {
        /// The case; the first one of several.
        case: Reference,
        /// Its unit.
        unit: String,
        /// Who is asked.
        customer: String,
        /// About how many cases.
        lines: usize,
    },
    /// He answered.
    SurveyAnswered {
        /// The case.
        case: Reference,
        /// Who.
        customer: String,
        /// How content he is.
        score: Score,
        /// What he has to say.
        comment: Option<String>,
    },
}

impl CustomerFact {
    fn about(&self) -> (Option<&str>, Option<Topic>) {
        match self {
            Self::SurveySent { case, unit, .. } => (Some(unit), Some(Topic::Case(*case))),
            Self::ContactChanged { .. } | Self::ContactInvalid { .. } | Self::ContactValid { .. } => (None, None),
            Self::SurveyAnswered { case, .. } => (None, Some(Topic::Case(*case))),
        }
    }
}
