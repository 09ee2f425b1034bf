//! Customers: who buys the line, their people, and whom we buy from.

use super::Language;
use crate::domain::desk::Matrix;
use alloc::string::String;
use alloc::vec::Vec;

/// A company whose lines are watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    /// Stable key, unique among customers.
    pub id: String,
    /// As it is written in letters.
    pub name: String,
    /// Whom letters go to; each address gets its own.
    pub email: Vec<String>,
    /// Which languages they speak, the best first.
    pub languages: Vec<Language>,
    /// Whom of our own staff their escalated cases are brought to, where it is not the same as everybody's (R39).
    pub escalation: Matrix,
}

/// A person of a customer (R86).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Stable key, unique among contacts.
    pub id: String,
    /// Whose person it is.
    pub customer: String,
    /// As it is written.
    pub name: String,
    /// Mail address: a known sender.
    pub email: Option<String>,
    /// Phone number, as it was written.
    pub phone: Option<String>,
    /// What for.
    pub role: ContactRole,
    /// By which way the contact wants to be spoken to.
    pub prefers: Channel,
}

/// What a contact is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContactRole {
    /// For everything that no other is for.
    Primary,
    /// For work on the line.
    Technical,
    /// For what is escalated.
    Escalation,
}

impl ContactRole {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Primary, Self::Technical, Self::Escalation];

    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Technical => "technical",
            Self::Escalation => "escalation",
        }
    }
}

/// By which way somebody is spoken to (R55).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// By mail.
    Email,
    /// By phone.
    Phone,
}

impl Channel {
    /// Every way.
    pub const ALL: [Self; 2] = [Self::Email, Self::Phone];

    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
        }
    }
}

/// A company that we buy lines from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Supplier {
    /// As units name it.
    pub id: String,
    /// As it is written.
    pub name: String,
    /// Mail address of its service desk.
    pub email: Option<String>,
    /// Phone number of its service desk.
    pub phone: Option<String>,
    /// Which languages it speaks.
    pub languages: Vec<Language>,
    /// Regions in which it has lines; all if it is empty.
    pub territory: Vec<String>,
}
