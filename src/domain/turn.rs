//! What goes into a step of the watch, and what comes out of it.

use super::desk::{
    Alarm, Case, DutyChange, Heard, LetterMark, Move, NotOpen, PeopleChange, PromiseKind, Reference, Report,
    RfoDocument, RfoOrder, Roster, Score, Sorted, Subject, SurveyChange, Trace, Umbrella, Unreachable, WaitingOn,
    WrittenRfo,
};
use super::fact::Fact;
use super::letter::{Delivery, Letter, LetterChange, LetterId, SavedReserve, Thread};
use super::mail::{Incoming, MailId};
use super::maintenance::{Draft, Maintenance};
use super::party::{BadContact, Contact, ContactDraft, ContactVerb};
use super::plan::{IdRule, Plan};
use super::time::Time;
use super::watch::{AgentState, Baseline, Chunk, Evidence, Interval, Probe, ProbeResult, Slot, Trap};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::mem;
use core::net::IpAddr;
use core::time::Duration;

/// Everything that the outside world can tell the watch. Nothing else runs domain code.
#[derive(Clone, Debug)]
pub enum Input {
    /// Time went on.
    Tick,
    /// Probes have met their fate.
    Probed(Vec<ProbeResult>),
    /// A person wants something.
    Asked(Request),
    /// An attempt to deliver a letter is over.
    Attempted(LetterId, Delivery),
    /// A host name has this address now.
    Resolved {
        /// The device's id.
        device: String,
        /// The name: by now the device may have another one.
        host: String,
        /// Its address.
        address: IpAddr,
    },
    /// A message came in and was read.
    Mailed(Box<Incoming>),
    /// Devices said something unasked.
    Trapped(Vec<Trap>),
    /// A reason for outage was written, or could not be.
    RfoWritten(Box<WrittenRfo>),
    /// Another inventory is in force.
    Planned(Box<Plan>),
    /// From when on which centre has the shift.
    Rostered(Roster),
    /// The wall clock was set.
    ClockStepped {
        /// By how many milliseconds.
        by_ms: i64,
    },
    /// The daemon stops. Probes in flight are forgotten.
    Stopped,
}

/// A person's request, to be answered after the commit.
#[derive(Clone, Debug)]
pub struct Request {
    /// Names the request in its answer.
    pub ticket: u64,
    /// Who asks.
    pub by: String,
    /// What is wanted.
    pub wish: Wish,
}

/// What a person can want.
#[derive(Clone, Debug)]
pub enum Wish {
    /// A new case about a unit.
    Open {
        /// The unit's id.
        unit: String,
        /// What is reported.
        report: Box<Report>,
    },
    /// Work on a case.
    Work {
        /// Which.
        reference: Reference,
        /// What.
        command: Command,
    },
    /// Tell everybody under an umbrella.
    Update {
        /// Which.
        umbrella: Reference,
        /// The news, as customers are to read it.
        text: String,
    },
    /// Decide on a message that waits for people.
    File {
        /// The message, as it would join a case.
        heard: Heard,
        /// What is to be done with it.
        filing: Filing,
    },
    /// Plan a maintenance, or change one that is planned.
    Maintain(Draft),
    /// Call a maintenance off.
    CallOff {
        /// Its id.
        id: String,
    },
    /// Let somebody of the staff be given cases, or not.
    Duty {
        /// Who.
        staff: String,
        /// Whether he is on.
        on: bool,
    },
    /// Say what each rule says of a case.
    Trace {
        /// Which.
        reference: Reference,
    },
    /// Add a person of a customer, change what is known of one, or switch one off.
    Contact {
        /// What is to be done.
        verb: ContactVerb,
        /// Whose.
        customer: String,
        /// The person's id.
        id: String,
        /// What is known.
        draft: Box<ContactDraft>,
    },
    /// Say how content one is with how a case went.
    Answer {
        /// The case that the survey is about.
        case: Reference,
        /// How content.
        score: Score,
        /// What else there is to say.
        comment: Option<String>,
    },
}

/// What is to be done with a message that waits for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filing {
    /// It is a part of this case.
    Join(Reference),
    /// It opens a case about this unit.
    Open {
        /// The unit's id.
        unit: String,
        /// What it is about.
        subject: Subject,
    },
    /// Nothing.
    Dismiss,
}

/// Work on a case.
#[derive(Clone, Debug)]
pub enum Command {
    /// Take it, or go on with it.
    Take,
    /// Write an internal note.
    Note {
        /// The note.
        text: String,
    },
    /// Tell the customer news.
    Tell {
        /// The news, as the customer is to read it.
        text: String,
    },
    /// Promise something.
    Promise {
        /// What.
        kind: PromiseKind,
        /// Within what time from now.
        within: Duration,
    },
    /// Note that an engineer is on site.
    Arrive,
    /// Note what the supplier said.
    Supplier {
        /// What.
        text: String,
    },
    /// Give it to somebody.
    Assign {
        /// Who.
        to: String,
    },
    /// Bring it to the next level.
    Escalate {
        /// Why.
        note: Option<String>,
    },
    /// Let it wait.
    Wait {
        /// For whom.
        on: WaitingOn,
        /// Why.
        note: Option<String>,
    },
    /// Declare it solved.
    Solve {
        /// Why.
        note: Option<String>,
    },
    /// Take it back to work.
    Return {
        /// Why.
        note: Option<String>,
    },
    /// Give the customer a reason for outage.
    Rfo,
    /// Answer a request.
    Answer {
        /// The answer, as the customer is to read it.
        text: String,
        /// Whether whoever asked has been told already.
        told: bool,
    },
}

impl Command {
    /// The move that it makes.
    #[must_use]
    pub const fn wanted(&self) -> Move {
        match self {
            Self::Take => Move::Take,
            Self::Note { .. } => Move::Note,
            Self::Tell { .. } => Move::Tell,
            // It is owed after the repair as well.
            Self::Promise { kind: PromiseKind::Rfo, .. } | Self::Rfo => Move::Rfo,
            Self::Promise { .. } => Move::Promise,
            Self::Arrive => Move::Arrive,
            Self::Supplier { .. } => Move::Supplier,
            Self::Assign { .. } => Move::Assign,
            Self::Escalate { .. } => Move::Escalate,
            Self::Wait { .. } => Move::Wait,
            Self::Solve { .. } => Move::Solve,
            Self::Return { .. } => Move::Return,
            Self::Answer { .. } => Move::Answer,
        }
    }
}

/// A "no" to a person: what, why, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No case has this reference.
    UnknownReference {
        /// The reference.
        reference: Reference,
    },
    /// No unit has this id.
    UnknownUnit {
        /// The id.
        unit: String,
    },
    /// No umbrella that is open has this reference.
    UnknownUmbrella {
        /// The reference.
        reference: Reference,
    },
    /// No maintenance has this id.
    UnknownMaintenance {
        /// The id.
        id: String,
    },
    /// The maintenance can't be changed like that.
    BadMaintenance {
        /// Its id.
        id: String,
        /// Why.
        why: BadMaintenance,
    },
    /// No message with this number waits for people.
    NotAside {
        /// The number.
        mail: MailId,
    },
    /// The unit has an open case already.
    AlreadyOpen {
        /// That case.
        reference: Reference,
    },
    /// The unit has an open request like it already.
    SameRequest {
        /// That request.
        reference: Reference,
    },
    /// What is reported does not hang together.
    BadReport {
        /// Why.
        why: BadReport,
    },
    /// No contact of this customer is called so.
    UnknownContact {
        /// The id.
        contact: String,
        /// The unit's customer.
        customer: String,
    },
    /// There is nobody to write the answer to.
    NobodyToAnswer {
        /// The request.
        reference: Reference,
    },
    /// Nobody of the staff has this id.
    UnknownStaff {
        /// The id.
        staff: String,
    },
    /// No customer has this id.
    UnknownCustomer {
        /// The id.
        customer: String,
    },
    /// A person can't be changed like that.
    BadContact {
        /// The person's id.
        id: String,
        /// Why.
        why: BadContact,
    },
    /// No survey about this case can be answered, or not any more.
    NoSurvey {
        /// The case.
        reference: Reference,
    },
    /// The case is closed: nobody is given it any more.
    NotRouted {
        /// The case.
        reference: Reference,
    },
    /// The case's stage does not allow it.
    NotOpen {
        /// The case.
        reference: Reference,
        /// What was wanted.
        wanted: Move,
        /// Why it can't be.
        why: NotOpen,
    },
}

impl Refusal {
    /// What is open already, and may be the same (R23).
    #[must_use]
    pub const fn duplicate_of(&self) -> Option<Reference> {
        match self {
            Self::AlreadyOpen { reference } | Self::SameRequest { reference } => Some(*reference),
            Self::UnknownReference { .. }
            | Self::UnknownUnit { .. }
            | Self::UnknownUmbrella { .. }
            | Self::UnknownMaintenance { .. }
            | Self::BadMaintenance { .. }
            | Self::NotAside { .. }
            | Self::BadReport { .. }
            | Self::UnknownContact { .. }
            | Self::NobodyToAnswer { .. }
            | Self::UnknownStaff { .. }
            | Self::NotRouted { .. }
            | Self::UnknownCustomer { .. }
            | Self::BadContact { .. }
            | Self::NoSurvey { .. }
            | Self::NotOpen { .. } => None,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownReference { reference } => write!(f, "there is no case {reference}"),
            Self::UnknownUnit { unit } => write!(f, "the inventory has no unit {unit:?}"),
            Self::UnknownUmbrella { reference } => {
                write!(f, "there is no open umbrella {reference}: updates to single lines are notes on their cases")
            }
            Self::UnknownMaintenance { id } => write!(f, "there is no maintenance {id:?}"),
            Self::BadMaintenance { id, why } => write!(f, "maintenance {id:?} can't be so: {why}"),
            Self::NotAside { mail } => {
                write!(f, "no message {mail} waits in quarantine: `ntuwatch mail list` shows those that do")
            }
            Self::AlreadyOpen { reference } => {
                write!(f, "the unit has an open case already: work on {reference}")
            }
            Self::SameRequest { reference } => write!(
                f,
                "the unit has an open request like it already: work on {reference}, or say \"anyway\" if it is another one"
            ),
            Self::BadReport { why } => write!(f, "{why}"),
            Self::UnknownContact { contact, customer } => write!(
                f,
                "customer {customer:?} has no contact {contact:?}: write the mail address of one who is in no inventory"
            ),
            Self::NobodyToAnswer { reference } => {
                write!(f, "nobody can be written to about {reference}: tell whoever asked, and say that he was told")
            }
            Self::UnknownStaff { staff } => write!(f, "the configuration has no [[staff]] {staff:?}"),
            Self::UnknownCustomer { customer } => write!(f, "the configuration has no [[customer]] {customer:?}"),
            Self::BadContact { id, why } => write!(f, "contact {id:?} can't be so: {why}"),
            Self::NoSurvey { reference } => write!(f, "no survey about {reference} can be answered"),
            Self::NotRouted { reference } => {
                write!(f, "{reference} is closed: nobody is given it any more, and no rule looks at it")
            }
            Self::NotOpen { reference, wanted, why } => {
                let wanted = wanted.name();
                match why {
                    NotOpen::Closed => write!(
                        f,
                        "cannot {wanted} {reference}: it is closed, which is final; a new fault opens a new case"
                    ),
                    NotOpen::Solved => write!(
                        f,
                        "cannot {wanted} {reference}: it is solved and its line is being watched; to work on it \
                         again, return it first"
                    ),
                    NotOpen::NotSolved => {
                        write!(f, "cannot {wanted} {reference}: it was not declared solved, it is at work already")
                    }
                    NotOpen::Request => write!(
                        f,
                        "cannot {wanted} {reference}: it is a request, and closes when whoever asked has had the answer: \
                         answer it"
                    ),
                    NotOpen::Incident => {
                        write!(f, "cannot {wanted} {reference}: it is no request; tell the customer news, or solve it")
                    }
                    NotOpen::NoOutage => write!(
                        f,
                        "cannot {wanted} {reference}: it is no request about a closed case; a reason for outage is given \
                         on the case itself, or on an RFO Request that names it"
                    ),
                }
            }
        }
    }
}

/// Why something can't be reported like that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadReport {
    /// It names a time, but nobody has to come for it.
    NoNotice,
    /// The time that it names is over.
    Past,
    /// It is about an earlier case, but no request.
    NoRequest,
    /// That case is not closed.
    StillOpen(Reference),
}

impl fmt::Display for BadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoNotice => {
                f.write_str("only an engineer's dispatch and activation support are wanted at a time: leave it out")
            }
            Self::Past => f.write_str("the time at which it is wanted is over: name one to come"),
            Self::NoRequest => {
                f.write_str("only a request is about an earlier case: a fault is linked to the one before by itself")
            }
            Self::StillOpen(reference) => write!(f, "{reference} is not closed: work on it"),
        }
    }
}

/// Why a maintenance can't be planned like that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadMaintenance {
    /// Its id is none.
    BadId,
    /// There are [`super::watch::MAX_MAINTENANCE`] already, all of them to come.
    TooMany,
    /// It ends before it begins.
    EndsFirst,
    /// It ends in the past.
    Past,
    /// It is longer than [`super::maintenance::LONGEST`].
    TooLong,
    /// Its scope holds no device.
    NothingThere,
    /// It is over or called off, which is final.
    Over,
    /// It has begun: only its end can be changed.
    Begun,
    /// The configuration has it: it is changed there.
    Configured,
}

impl fmt::Display for BadMaintenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooMany => "there are too many that are yet to come: call some off",
            Self::BadId => return write!(f, "an id has {IdRule}"),
            Self::EndsFirst => "it has to end after it begins",
            Self::Past => "it would end in the past",
            Self::TooLong => "one maintenance takes at most 7 days: plan several",
            Self::NothingThere => {
                "the inventory has nothing in this scope: name a unit, a node or a group such as supplier=telco-a"
            }
            Self::Over => "it is over or called off, which is final: plan another one",
            Self::Begun => "it has begun: only its end can be changed",
            Self::Configured => "it stands in the configuration: change it there and reload",
        })
    }
}

/// What was done for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// Something with this case or umbrella.
    Case(Reference),
    /// Something with this message.
    Mail(MailId),
    /// Something with this maintenance.
    Maintenance(Arc<Maintenance>),
    /// Somebody of the staff is on or off.
    Duty {
        /// Who.
        staff: String,
        /// Whether he is on.
        on: bool,
    },
    /// A person of a customer, as staff know him.
    Contact(Box<Contact>),
    /// What each rule says of a case.
    Trace(Box<Trace>),
}

/// The answer to a [`Request`].
#[derive(Clone, Debug)]
pub struct Reply {
    /// As in the request.
    pub ticket: u64,
    /// What was done, or why not.
    pub result: Result<Done, Refusal>,
}

/// The state of a device as the store keeps it.
#[derive(Clone, Debug)]
pub struct DeviceRow {
    /// The device's id.
    pub id: String,
    /// What is known of it.
    pub evidence: Evidence,
    /// Its last good address.
    pub address: Option<IpAddr>,
    /// Its usual round trip.
    pub baseline: Baseline,
    /// What its SNMP agent does.
    pub agent: AgentState,
}

/// A line of an umbrella whose letter waits for others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldLine {
    /// The umbrella.
    pub umbrella: Reference,
    /// Whose line it is.
    pub customer: Arc<String>,
    /// Its case.
    pub case: Reference,
    /// What there is to say.
    pub mark: LetterMark,
    /// Until when it waits.
    pub due: Time,
}

/// What one step, or several, brought about. It is committed as a whole before anybody sees any of it.
#[derive(Debug)]
pub struct Turn {
    /// When it is.
    pub at: Time,
    /// For the journal.
    pub facts: Vec<Fact>,
    /// Ledger stretches that ended.
    pub intervals: Vec<Interval>,
    /// Devices whose durable state changed.
    pub devices: Vec<DeviceRow>,
    /// Devices that left the inventory.
    pub gone: Vec<String>,
    /// Cases that changed.
    pub cases: Vec<Arc<Case>>,
    /// Umbrellas that are new or changed.
    pub umbrellas: Vec<Umbrella>,
    /// Lines whose letters wait.
    pub held: Vec<HeldLine>,
    /// Lines whose letters waited, some only since this turn, and are written now.
    pub released: Vec<(Reference, LetterMark)>,
    /// Alarms, and whether they stand.
    pub alarms: Vec<(Alarm, bool)>,
    /// Maintenance that is new or changed.
    pub maintenance: Vec<Arc<Maintenance>>,
    /// What changed of our own, in its order.
    pub duty: Vec<DutyChange>,
    /// Single rounds that are worth keeping, by device.
    pub chunks: Vec<(String, Chunk)>,
    /// Traps from nobody that we know, or more of them than are looked at.
    pub traps_ignored: u32,
    /// Number of the next case, if it moved on.
    pub next_case: Option<u64>,
    /// New letters.
    pub letters: Vec<Letter>,
    /// Those of them that are held back.
    pub reserves: Vec<SavedReserve>,
    /// Messengers that are told that something is wrong, by which letter, or that it is over: conversation and address.
    pub alerts: Vec<(Thread, String, Option<LetterId>)>,
    /// What became of older ones.
    pub letter_changes: Vec<LetterChange>,
    /// Letters that came back, and why.
    pub bounced: Vec<(LetterId, String)>,
    /// Messages that were sorted.
    pub mails: Vec<Sorted>,
    /// How long it took from the taking of each message that opened a case until its acknowledgement was written (R9).
    pub acknowledged: Vec<Duration>,
    /// Addresses that do not work, or do again.
    pub addresses: Vec<(String, Option<Unreachable>)>,
    /// What changed of customers' people, in its order.
    pub people: Vec<PeopleChange>,
    /// What changed of surveys, in its order.
    pub surveys: Vec<SurveyChange>,
    /// Answers to people.
    pub replies: Vec<Reply>,
    /// Probes to be sent.
    pub probes: Vec<Probe>,
    /// Letters to be handed to the mail engine.
    pub deliver: Vec<LetterId>,
    /// Reasons for outage to be written.
    pub rfo_orders: Vec<RfoOrder>,
    /// Reasons for outage that were.
    pub rfos: Vec<(RfoOrder, RfoDocument)>,
    /// Devices about which a view shows something else now.
    pub touched: Vec<Slot>,
    /// Whether slots have other devices now.
    pub replanned: bool,
    /// The longest that a round of probes was late.
    pub lateness: Duration,
    pub(crate) wake: Vec<(Time, Reference)>,
}

impl Turn {
    /// An empty turn.
    #[must_use]
    pub const fn new(at: Time) -> Self {
        Self {
            at,
            facts: Vec::new(),
            intervals: Vec::new(),
            devices: Vec::new(),
            gone: Vec::new(),
            cases: Vec::new(),
            umbrellas: Vec::new(),
            held: Vec::new(),
            released: Vec::new(),
            alarms: Vec::new(),
            maintenance: Vec::new(),
            duty: Vec::new(),
            chunks: Vec::new(),
            traps_ignored: 0,
            next_case: None,
            letters: Vec::new(),
            reserves: Vec::new(),
            alerts: Vec::new(),
            letter_changes: Vec::new(),
            bounced: Vec::new(),
            mails: Vec::new(),
            acknowledged: Vec::new(),
            addresses: Vec::new(),
            people: Vec::new(),
            surveys: Vec::new(),
            replies: Vec::new(),
            probes: Vec::new(),
            deliver: Vec::new(),
            rfo_orders: Vec::new(),
            rfos: Vec::new(),
            touched: Vec::new(),
            replanned: false,
            lateness: Duration::ZERO,
            wake: Vec::new(),
        }
    }

    /// Whether there is anything that must be on the disk before it may be seen.
    #[must_use]
    pub fn is_durable(&self) -> bool {
        !(self.facts.is_empty()
            && self.intervals.is_empty()
            && self.devices.is_empty()
            && self.gone.is_empty()
            && self.cases.is_empty()
            && self.released.is_empty()
            && self.duty.is_empty()
            && self.chunks.is_empty()
            && self.letter_changes.is_empty()
            && self.mails.is_empty())
    }

    /// Makes an empty turn of it again. It keeps the memory for what there is in every turn; that for the rest may be
    /// large after a start, a reload or a storm, and is given back.
    pub fn clear(&mut self) {
        drop(self.take());
    }

    /// Takes out what the turn has brought about, but for its probes and what it has touched, which are forgotten, and
    /// makes an empty turn of it again.
    #[must_use]
    pub fn take(&mut self) -> Self {
        let Self { probes, touched, wake, .. } = self;
        probes.clear();
        touched.clear();
        let (probes, touched, wake) = (mem::take(probes), mem::take(touched), mem::take(wake));
        mem::replace(self, Self { probes, touched, wake, ..Self::new(self.at) })
    }
}
