//! Our own: staff, their teams, and the centres that they work in.

use super::Language;
use alloc::string::String;
use alloc::vec::Vec;

/// People of our own, at the most: whoever is given a case is chosen among them.
pub const MAX_STAFF: usize = 5_000;

/// The tier of a person or a team (R103).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grade {
    /// The help desk: first contact, broad.
    T1,
    /// Knows one part of the system.
    T2,
    /// Makes it.
    T3,
}

impl Grade {
    /// Every tier.
    pub const ALL: [Self; 3] = [Self::T1, Self::T2, Self::T3];

    /// From 1 to 3.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::T1 => 1,
            Self::T2 => 2,
            Self::T3 => 3,
        }
    }
}

/// A person of our own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staff {
    /// Stable key: what cases are assigned to.
    pub id: String,
    /// As it is written.
    pub name: String,
    /// Where notices go.
    pub email: String,
    /// Phone number.
    pub phone: Option<String>,
    /// Id of the team.
    pub team: Option<String>,
    /// Tier: one's own, or that of the team.
    pub grade: Grade,
    /// What one can do, in words that rules use.
    pub skills: Vec<String>,
    /// Which languages one speaks.
    pub languages: Vec<Language>,
    /// Regions that one is for; all if it is empty.
    pub territory: Vec<String>,
    /// Services that one is a specialist of (R59).
    pub products: Vec<String>,
    /// Id of whom one reports to.
    pub manager: Option<String>,
    /// Id of the centre by whose shifts one works; without one, always.
    pub centre: Option<String>,
}

/// A team: a queue of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Team {
    /// Stable key.
    pub id: String,
    /// As it is written.
    pub name: String,
    /// Its tier (R103).
    pub grade: Grade,
    /// Which part of the system it is for (R103).
    pub domain: Option<String>,
}

/// A support centre. Its shifts are told by the roster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Centre {
    /// Stable key.
    pub id: String,
    /// As it is written.
    pub name: String,
    /// Name of its time zone.
    pub time_zone: String,
    /// Which languages it speaks.
    pub languages: Vec<Language>,
}
