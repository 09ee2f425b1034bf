//! What receivers of notices are sent: a notice's words and numbers in the form that each wants. Pure.

mod preset;
mod signature;
mod template;

pub use preset::{Alert, Form, MAX_SUMMARY};
pub use signature::{SigningKey, webhook_id};
pub use template::{Flaw, Template};

use crate::domain::notice::Signal;
use crate::domain::watch::Secret;
use serde::{Deserialize, Serialize};

/// A notice to a messenger: what templates can name. What a notice has nothing of is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Notice {
    /// All of it in one line, without links and without a line break.
    pub text: String,
    /// What it says: a kind of letter, such as "opened".
    pub kind: String,
    /// What that means: "begins", "worked_on", "over" or "says" (see [`Signal`]).
    pub signal: String,
    /// What it is about, the same for all notices about it: the reference of a case or umbrella, or the key of an alarm.
    pub key: String,
    /// The reference of a case or an umbrella.
    pub reference: String,
    /// The unit of a case.
    pub unit: String,
    /// Whose it is.
    pub customer: String,
    /// The service of its order.
    pub service: String,
    /// P1 or P2.
    pub priority: String,
    /// What is wrong at all: "case", "umbrella", "alarm", "maintenance" or "contract".
    pub about: String,
    /// Since when, in RFC 3339.
    pub since: String,
    /// When the notice was written, in RFC 3339.
    pub at: String,
}

/// As whom a messenger is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Auth {
    /// The URL says it all.
    None,
    /// `Authorization: Bearer …`.
    Bearer(Secret),
    /// `Authorization: Basic …`.
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: Secret,
    },
    /// A header of its own.
    Header {
        /// Its name.
        name: String,
        /// What it holds.
        value: Secret,
    },
}

impl Notice {
    /// What it means to whoever counts what is wrong.
    #[must_use]
    pub fn signal(&self) -> Signal {
        Signal::ALL.into_iter().find(|signal| signal.name() == self.signal).unwrap_or(Signal::Says)
    }

    /// As it is stored.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::json!(self).to_string()
    }

    /// Reads what was stored.
    ///
    /// # Errors
    /// If it is no notice.
    pub fn from_json(json: &str) -> Result<Self, String> {
        serde_json::from_str(json).map_err(|error| format!("it is no notice: {error}"))
    }

    /// Notices to try a template with: one that has everything, in words that want escaping, and one that has nothing.
    #[must_use]
    pub fn samples() -> [Self; 2] {
        let nasty = "P1 opened \"a\\b\" {{ }} <!channel> </script> \u{7} \u{2028} ü 日本 'x' & [NTU-00000007-K]";
        let full = Self {
            text: nasty.into(),
            kind: "opened".into(),
            signal: Signal::Begins.name().into(),
            key: "NTU-00000007-K".into(),
            reference: "NTU-00000007-K".into(),
            unit: "acme-lon-1".into(),
            customer: "\"acme\"".into(),
            service: "DIA".into(),
            priority: "P1".into(),
            about: "case".into(),
            since: "2026-11-21T21:04:05.000Z".into(),
            at: "2026-11-21T21:14:05.000Z".into(),
        };
        [full, Self::default()]
    }
}

#[cfg(test)]
mod tests;
