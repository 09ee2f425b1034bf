//! Maintenance: times in which a loss is expected (R40, R41). Polling goes on; what is lost then makes no case, unless it
//! stays lost.

use super::time::Time;
use super::watch::GroupKind;
use alloc::string::String;
use core::fmt;
use core::time::Duration;

/// Announced later than this before it begins, a maintenance is short-notice, and marked and counted as such (R40).
pub const NOTICE: Duration = Duration::from_secs(14 * 24 * 3_600);
/// The longest time that one maintenance may take.
pub const LONGEST: Duration = Duration::from_secs(7 * 24 * 3_600);

/// A planned stretch of time on a part of the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Stable key.
    pub id: String,
    /// What it is about, with everything that is reached through it.
    pub scope: Scope,
    /// When it begins. People plan by the wall clock: if that is set, this moves along.
    pub from: Time,
    /// When it ends.
    pub until: Time,
    /// Whether it could not wait: announced at once, whatever the notice (R41).
    pub emergency: bool,
    /// What is done, as customers may read it.
    pub note: Option<String>,
}

/// What a person wants of a maintenance. What is not said stays as it is: a revision need not repeat everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Stable key.
    pub id: String,
    /// What it is about.
    pub scope: Scope,
    /// When it begins.
    pub from: Time,
    /// When it ends.
    pub until: Time,
    /// Whether it can't wait; a new one can, if nothing is said.
    pub emergency: Option<bool>,
    /// What is done, as customers may read it.
    pub note: Option<String>,
}

impl Draft {
    /// The window that is wanted, in place of the one that is known.
    #[must_use]
    pub fn over(self, known: Option<&Window>) -> Window {
        let Self { id, scope, from, until, emergency, note } = self;
        let emergency = emergency.or(known.map(|known| known.emergency)).unwrap_or(false);
        let note = note.or_else(|| known.and_then(|known| known.note.clone()));
        Window { id, scope, from, until, emergency, note }
    }
}

/// A part of the network.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// A unit or a node, and all that has it upstream.
    Device(String),
    /// All units of a group.
    Group(GroupKind, String),
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device(id) => f.write_str(id),
            Self::Group(kind, name) => write!(f, "{}={name}", kind.name()),
        }
    }
}

impl Scope {
    /// Reads "pop-lon" or "supplier=telco-a".
    ///
    /// # Errors
    /// If the kind of group is none.
    pub fn parse(text: &str) -> Result<Self, UnknownGroup> {
        match text.split_once('=') {
            None => Ok(Self::Device(text.into())),
            Some((kind, name)) => GroupKind::ALL
                .into_iter()
                .find(|known| known.name() == kind)
                .map(|kind| Self::Group(kind, name.into()))
                .ok_or_else(|| UnknownGroup(kind.into())),
        }
    }
}

/// No kind of group is called so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownGroup(String);

impl fmt::Display for UnknownGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no kind of group: write supplier, pop, region or access, such as supplier=telco-a", self.0)
    }
}

/// A maintenance with what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maintenance {
    /// As planned now.
    pub window: Window,
    /// Who planned it.
    pub origin: Origin,
    /// Counts the changes from 1: letters say which one they tell of.
    pub revision: u32,
    /// When it was planned first: an id may be used again once the one before is forgotten.
    pub planned_at: Time,
    /// When it was announced in this revision.
    pub announced_at: Time,
    /// Where it stands.
    pub stage: Stage,
}

/// Who planned a maintenance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The configuration: what is not in it any more is cancelled.
    Config,
    /// A person.
    Staff(String),
}

/// Where a maintenance stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// It is yet to come.
    Planned,
    /// It is now.
    Active,
    /// It is over.
    Ended,
    /// It was called off.
    Cancelled,
}

impl Stage {
    /// Every stage.
    pub const ALL: [Self; 4] = [Self::Planned, Self::Active, Self::Ended, Self::Cancelled];

    /// As it is stored and printed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Active => "active",
            Self::Ended => "ended",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing more comes of it.
    #[must_use]
    pub const fn is_over(self) -> bool {
        match self {
            Self::Planned | Self::Active => false,
            Self::Ended | Self::Cancelled => true,
        }
    }
}

impl Maintenance {
    /// How long before its beginning it was announced.
    #[must_use]
    pub fn notice(&self) -> Duration {
        self.window.from.since(self.announced_at)
    }

    /// Whether it was announced later than it should be. An emergency can't be announced earlier.
    #[must_use]
    pub fn is_short_notice(&self) -> bool {
        !self.window.emergency && self.notice() < NOTICE
    }
}
