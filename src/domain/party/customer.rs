//! Customers: who buys the line, their people, and whom we buy from.

use super::Language;
use crate::domain::desk::Matrix;
use crate::domain::time::Time;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// A company whose lines are watched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
    /// How often they are asked how a case went (R62).
    pub survey: Asked,
    /// Where the company is.
    pub address: Option<String>,
    /// Its switchboard, as it was written.
    pub phone: Option<String>,
}

/// How often a customer is asked how a case went (R62).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Never.
    Never,
    /// After each so-manieth letter about closed cases: from 1, after each.
    Every(u32),
    /// Once a month at the most.
    Monthly,
}

impl Default for Asked {
    fn default() -> Self {
        Self::Every(1)
    }
}

impl Asked {
    /// The most that [`Every`](Self::Every) holds.
    pub const MAX_NTH: u32 = 1_000;

    /// Reads `every`, `every 3rd`, `monthly` or `never`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "never" => Some(Self::Never),
            "every" => Some(Self::Every(1)),
            "monthly" => Some(Self::Monthly),
            _ => {
                let nth = text.strip_prefix("every ")?;
                let digits = nth.trim_end_matches(|c: char| c.is_ascii_lowercase());
                let number = digits.parse().ok().filter(|number| (1..=Self::MAX_NTH).contains(number))?;
                (nth.get(digits.len()..)? == ordinal(number)).then_some(Self::Every(number))
            }
        }
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => f.write_str("never"),
            Self::Every(0 | 1) => f.write_str("every"),
            Self::Every(nth) => write!(f, "every {nth}{}", ordinal(*nth)),
            Self::Monthly => f.write_str("monthly"),
        }
    }
}

const fn ordinal(number: u32) -> &'static str {
    match (number % 100, number % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        (_, _) => "th",
    }
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
    /// Where he is.
    pub address: Option<String>,
    /// What for.
    pub role: ContactRole,
    /// By which way the contact wants to be spoken to.
    pub prefers: Channel,
    /// Whether he gets the customer's letters, beside those whom the customer's table names.
    pub letters: bool,
    /// Who says all this.
    pub origin: ContactOrigin,
}

/// Who says what is known of a contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContactOrigin {
    /// The inventory.
    Inventory,
    /// Staff, beside the inventory.
    Staff {
        /// Who.
        by: String,
        /// Since when.
        at: Time,
    },
}

impl ContactOrigin {
    /// As it is shown.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Inventory => "inventory",
            Self::Staff { .. } => "staff",
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn how_often_a_customer_is_asked_is_read_as_it_is_written() {
        for text in ["never", "every", "every 2nd", "every 3rd", "every 11th", "every 21st", "every 1000th", "monthly"]
        {
            assert_eq!(Asked::parse(text).map(|asked| asked.to_string()).as_deref(), Some(text));
        }
        assert_eq!(Asked::parse("every 1st"), Some(Asked::Every(1)));
        for wrong in ["", "Every", "every ", "every 3", "every 3th", "every 0th", "every 1001st", "3rd", "every -1st"] {
            assert_eq!(Asked::parse(wrong), None, "{wrong}");
        }
    }
}
