//! The language of stories: what a story says, and what may happen in it.

use super::post::Post;
use super::sim::Receiver;
use crate::domain::desk::{AlarmKind, Level, MailOutcome, Priority, Report, Score};
use crate::domain::maintenance::Scope;
use crate::domain::party::{ContactDraft, ContactVerb, Tier};
use crate::domain::plan::Plan;
use crate::domain::turn::Command;
use crate::domain::watch::{GroupKind, Role, TrapKind, Verdict};
use std::fmt;
use std::ops::Range;
use std::time::Duration;

/// A story, read and checked.
#[derive(Clone, Debug)]
pub struct Story {
    /// What is watched, and by which rules.
    pub plan: Plan,
    /// What happens, in order of time.
    pub events: Vec<Event>,
    /// When it ends.
    pub until: Duration,
}

/// Something that happens at a time.
#[derive(Clone, Debug)]
pub struct Event {
    /// When, from the beginning of the story.
    pub at: Duration,
    /// Line of the file, from 1.
    pub line: usize,
    /// What.
    pub action: Action,
}

/// What happens.
#[derive(Clone, Debug)]
pub enum Action {
    /// Lines answer from now on: after that time, and up to so much more by chance.
    Answer(Subject, Duration, Duration),
    /// Something about SNMP agents changes.
    Agent(Subject, Agent),
    /// Devices send a trap.
    Trap(Subject, TrapKind),
    /// Host names can't be looked up, or can.
    Resolver {
        /// Whether they can.
        works: bool,
    },
    /// A person plans a maintenance.
    Maintain(Scope, Range<Duration>, bool),
    /// A person has news for everybody under the latest umbrella.
    Update(String),
    /// Lines lose this share of probes from now on.
    Lose(Subject, f64),
    /// The daemon is stopped in good order.
    Stop,
    /// The daemon is started.
    Start,
    /// The daemon is killed.
    Crash,
    /// The daemon gets no time.
    Suspend,
    /// The daemon goes on.
    Resume,
    /// The wall clock is set, by milliseconds.
    Clock(i64),
    /// The mail server puts every letter off, or takes it again.
    Mail {
        /// Whether it puts letters off.
        refused: bool,
        /// Never: it refuses them for good.
        for_good: bool,
    },
    /// A messenger does otherwise from now on.
    Messenger(String, Receiver),
    /// Somebody writes.
    Write(Post),
    /// The latest letter that the mail server took for this address comes back.
    Bounce(String),
    /// The customer answers the survey about the unit's latest case: how content he is, and what else he has to say.
    Survey(String, Score, Option<String>),
    /// Staff add somebody of a customer, or switch one off.
    Contact(ContactVerb, String, String, Box<ContactDraft>),
    /// The monitor's own uplink breaks, or is mended.
    Uplink {
        /// Whether it is cut.
        cut: bool,
    },
    /// A person works on the unit's open case.
    Work(String, Command),
    /// A person opens a case about the unit; an engineer or an activation may be wanted so long after.
    Open(String, Box<Report>, Option<Duration>),
    /// Somebody of the staff is given cases from now on, or not.
    Duty(String, bool),
    /// The order of a unit gets another time to repair.
    Order(String, Duration),
    /// A contract gets another tier.
    Contract(String, Tier),
    /// Something that must be so now.
    Expect(Expectation),
}

/// What an SNMP agent does, or its box.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Agent {
    /// It answers.
    Answers,
    /// It refuses our credentials.
    Rejects,
    /// It says nothing.
    Silent,
    /// The box starts anew.
    Reboot,
    /// The box has run for so long.
    Uptime(Duration),
    /// The WAN interface is up, or down.
    Interface(bool),
    /// This share of its packets has errors.
    Errors(f64),
    /// This share of the committed rate is used.
    Load(f64),
}

/// Which devices a line of the story is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// All of them.
    All,
    /// The sentinels.
    Sentinels,
    /// Those whose id begins so.
    Prefix(String),
    /// This one.
    One(String),
    /// Those of a group.
    Group(GroupKind, String),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Sentinels => f.write_str("sentinels"),
            Self::Prefix(prefix) => write!(f, "{prefix}*"),
            Self::One(id) => f.write_str(id),
            Self::Group(kind, name) => write!(f, "{}={name}", kind.name()),
        }
    }
}

impl Subject {
    /// Whether the device belongs to it.
    #[must_use]
    pub fn covers(&self, id: &str, role: &Role) -> bool {
        match self {
            Self::All => true,
            Self::Sentinels => matches!(role, Role::Sentinel(_)),
            Self::Prefix(prefix) => id.starts_with(prefix.as_str()),
            Self::One(one) => id == one,
            Self::Group(kind, name) => role.is_of(*kind, name),
        }
    }
}

/// What an `expect` line expects.
#[derive(Clone, Debug)]
pub enum Expectation {
    /// The unit's latest case has this priority and stage.
    Case(String, Priority, &'static str),
    /// The unit has no case that is not closed.
    NoCase(String),
    /// The unit's open case is escalated so far.
    Level(String, Option<Level>),
    /// The unit's latest case has this owner, or none.
    Owner(String, Option<String>),
    /// It is in this queue.
    Queue(String, String),
    /// The device has this verdict.
    Verdict(String, Verdict),
    /// So many cases were opened so far.
    Cases(usize),
    /// So many umbrellas were opened so far.
    Umbrellas(usize),
    /// So many letters were written to this customer, to one of the staff, to "management" or to "noc".
    Letters(String, usize),
    /// This customer was asked so many times how a case went.
    Surveys(String, usize),
    /// So many notices were taken by this messenger so far.
    Notices(String, usize),
    /// So many alerts stand with messengers.
    Alerts(usize),
    /// So many messages had this outcome so far.
    Mails(MailOutcome, usize),
    /// This alarm stands, or does not.
    Alarm(AlarmKind, bool),
    /// The device's SNMP agent does this.
    Agent(String, String),
}

/// A line that is not of the language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misspelt {
    /// From 1.
    pub line: usize,
    /// What is wrong and what to do.
    pub message: String,
}

impl fmt::Display for Misspelt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.line, self.message)
    }
}
