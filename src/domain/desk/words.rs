//! The words of a case: how urgent it is, who does what with it, what its letters say; and how all that is called.

use alloc::string::String;

/// Priority of a case (R14).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Service down.
    P1,
    /// Intermittent or degraded.
    P2,
    /// A general request: no fault, so no window, no downtime and no repair.
    P3,
}

impl Priority {
    /// Every priority.
    pub const ALL: [Self; 3] = [Self::P1, Self::P2, Self::P3];

    /// As it is stored, printed and labelled.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::P1 => "P1",
            Self::P2 => "P2",
            Self::P3 => "P3",
        }
    }
}

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// The watch, by itself.
    Watch,
    /// A person of the staff.
    Staff(String),
    /// A person of the customer's, by mail from this address.
    Customer(String),
}

impl Actor {
    /// As it is written in the case.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Watch => "ntuwatch",
            Self::Staff(name) | Self::Customer(name) => name,
        }
    }
}

/// By which way a case was reported (R5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// The watch found it.
    Monitoring,
    /// A customer wrote.
    Email,
    /// A customer called, and staff entered it.
    Phone,
    /// Staff or another program entered it.
    Api,
}

impl Channel {
    /// What staff can say.
    pub const BY_STAFF: [Self; 3] = [Self::Phone, Self::Email, Self::Api];

    /// Every channel.
    pub const ALL: [Self; 4] = [Self::Monitoring, Self::Email, Self::Phone, Self::Api];

    /// As it is stored, printed and typed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Monitoring => "monitoring",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Api => "api",
        }
    }
}

/// Whom a waiting case waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WaitingOn {
    /// The customer.
    Customer,
    /// The supplier of the line.
    Supplier,
    /// Access to the site.
    Access,
    /// What nobody can help: weather, war, strikes.
    ForceMajeure,
}

impl WaitingOn {
    /// Everybody a case can wait for.
    pub const ALL: [Self; 4] = [Self::Customer, Self::Supplier, Self::Access, Self::ForceMajeure];

    /// As it is stored, printed and typed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Supplier => "supplier",
            Self::Access => "access",
            Self::ForceMajeure => "force_majeure",
        }
    }
}

/// What somebody wants done with a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// Take it, or go on with it.
    Take,
    /// Write a note.
    Note,
    /// Tell the customer news.
    Tell,
    /// Promise something.
    Promise,
    /// Note that an engineer is on site.
    Arrive,
    /// Note what the supplier said.
    Supplier,
    /// Give it to somebody.
    Assign,
    /// Escalate it.
    Escalate,
    /// Let it wait.
    Wait,
    /// Declare it solved.
    Solve,
    /// Take it back to work.
    Return,
    /// Give the customer a reason for outage.
    Rfo,
    /// Answer a request.
    Answer,
}

impl Move {
    /// Every move.
    pub const ALL: [Self; 13] = [
        Self::Take,
        Self::Note,
        Self::Tell,
        Self::Promise,
        Self::Arrive,
        Self::Supplier,
        Self::Assign,
        Self::Escalate,
        Self::Wait,
        Self::Solve,
        Self::Return,
        Self::Rfo,
        Self::Answer,
    ];

    /// As the command line calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Take => "take",
            Self::Note => "note",
            Self::Tell => "tell",
            Self::Promise => "promise",
            Self::Arrive => "arrive",
            Self::Supplier => "supplier",
            Self::Assign => "assign",
            Self::Escalate => "escalate",
            Self::Wait => "wait",
            Self::Solve => "solve",
            Self::Return => "return",
            Self::Rfo => "rfo",
            Self::Answer => "answer",
        }
    }
}

/// Why a move is not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotOpen {
    /// The case is closed, and stays so.
    Closed,
    /// The case is solved: it can only be returned to work.
    Solved,
    /// The case is not solved, so it is at work already.
    NotSolved,
    /// It is a request: it is answered, and there is no fault to be solved.
    Request,
    /// It is no request: there is nothing to be answered.
    Incident,
    /// It is a request that asks for no closed case's reason for outage.
    NoOutage,
}

/// A letter of a case: its kind and the how-manieth of that kind it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LetterMark {
    /// What the letter says.
    pub kind: LetterKind,
    /// From 1.
    pub number: u32,
}

/// What a letter says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LetterKind {
    /// The case was opened.
    Opened,
    /// Its priority was raised to P1.
    Upgraded,
    /// It is solved; names the window.
    Solved,
    /// The fault is back, and so is the case.
    Returned,
    /// Staff took it back to work.
    TakenBack,
    /// It is closed for good.
    Closed,
    /// Staff have news of a case.
    News,
    /// A promise was missed, or somebody asked: the case is with those above.
    Escalated,
    /// The customer wrote; for staff.
    Heard,
    /// Staff have news for everybody under an umbrella.
    Updated,
    /// A maintenance is planned.
    Announced,
    /// The maintenance was changed.
    Revised,
    /// The maintenance was called off.
    Cancelled,
    /// What happened, when it is over: the reason for outage.
    Rfo,
    /// Something is wrong with the watch itself.
    Alarm,
    /// It is well again.
    AllClear,
    /// A case was given to the reader.
    Assigned,
    /// A case takes too long.
    Overdue,
    /// A contract ends.
    ContractEnds,
    /// A letter that never reached its reader goes to the next of the customer's people.
    PassedOn,
    /// No letter reaches a customer; for staff.
    OutOfReach,
    /// A request is answered.
    Answered,
}

impl LetterKind {
    /// Every kind.
    pub const ALL: [Self; 22] = [
        Self::Opened,
        Self::Upgraded,
        Self::Solved,
        Self::Returned,
        Self::TakenBack,
        Self::Closed,
        Self::News,
        Self::Escalated,
        Self::Heard,
        Self::Updated,
        Self::Announced,
        Self::Revised,
        Self::Cancelled,
        Self::Rfo,
        Self::Alarm,
        Self::AllClear,
        Self::Assigned,
        Self::Overdue,
        Self::ContractEnds,
        Self::PassedOn,
        Self::OutOfReach,
        Self::Answered,
    ];

    /// As it is stored and printed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Upgraded => "upgraded",
            Self::Solved => "solved",
            Self::Returned => "returned",
            Self::TakenBack => "taken_back",
            Self::Closed => "closed",
            Self::News => "news",
            Self::Escalated => "escalated",
            Self::Heard => "heard",
            Self::Updated => "updated",
            Self::Announced => "announced",
            Self::Revised => "revised",
            Self::Cancelled => "cancelled",
            Self::Rfo => "rfo",
            Self::Alarm => "alarm",
            Self::AllClear => "all_clear",
            Self::Assigned => "assigned",
            Self::Overdue => "overdue",
            Self::ContractEnds => "contract_ends",
            Self::PassedOn => "passed_on",
            Self::OutOfReach => "out_of_reach",
            Self::Answered => "answered",
        }
    }
}
