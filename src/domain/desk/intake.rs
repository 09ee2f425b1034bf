//! What a case begins with: its subject, what was looked at before, who called, and for when something is wanted.

use super::reference::Reference;
use super::words::{Channel, Priority};
use crate::domain::time::Time;
use alloc::string::String;
use core::time::Duration;

/// Notice of an engineer's visit or an activation that we ask for (R24).
pub const FULL_NOTICE: Duration = Duration::from_secs(48 * 3_600);
/// The least notice: nothing can be done sooner.
pub const LEAST_NOTICE: Duration = Duration::from_secs(24 * 3_600);

/// What a case is about: exactly these eight (R14). Type and priority follow from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// An incident, P1.
    ServiceDown,
    /// An incident, P2.
    Degraded,
    /// A request, as all that follow: why a line was lost (R33).
    RfoRequest,
    /// Help with taking a line into service.
    ActivationSupport,
    /// An engineer on site.
    EngineerDispatch,
    /// How much a line is used, or another question.
    InformationRequest,
    /// Other software for the box.
    SoftwareUpdate,
    /// Anything else.
    Other,
}

impl Subject {
    /// All eight.
    pub const ALL: [Self; 8] = [
        Self::ServiceDown,
        Self::Degraded,
        Self::RfoRequest,
        Self::ActivationSupport,
        Self::EngineerDispatch,
        Self::InformationRequest,
        Self::SoftwareUpdate,
        Self::Other,
    ];

    /// As it is stored, printed and typed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ServiceDown => "service-down",
            Self::Degraded => "degraded",
            Self::RfoRequest => "rfo-request",
            Self::ActivationSupport => "activation-support",
            Self::EngineerDispatch => "engineer-dispatch",
            Self::InformationRequest => "information-request",
            Self::SoftwareUpdate => "software-update",
            Self::Other => "other",
        }
    }

    /// As customers read and write it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::ServiceDown => "Service Down or Severely Impacted",
            Self::Degraded => "Intermittent or Degraded",
            Self::RfoRequest => "RFO Request",
            Self::ActivationSupport => "Activation Support",
            Self::EngineerDispatch => "Engineer Dispatch",
            Self::InformationRequest => "Information Request/Utilization Report",
            Self::SoftwareUpdate => "Software Update",
            Self::Other => "Other",
        }
    }

    /// The one that is called so, by its name or its title.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_called = |known: &Self| [known.name(), known.title()].iter().any(|name| name.eq_ignore_ascii_case(text));
        Self::ALL.into_iter().find(is_called)
    }

    /// The priority that follows from it.
    #[must_use]
    pub const fn priority(self) -> Priority {
        match self {
            Self::ServiceDown => Priority::P1,
            Self::Degraded => Priority::P2,
            Self::RfoRequest
            | Self::ActivationSupport
            | Self::EngineerDispatch
            | Self::InformationRequest
            | Self::SoftwareUpdate
            | Self::Other => Priority::P3,
        }
    }

    /// The subject of an incident of this priority. Of a request, the priority tells none.
    #[must_use]
    pub const fn of_incident(priority: Priority) -> Option<Self> {
        match priority {
            Priority::P1 => Some(Self::ServiceDown),
            Priority::P2 => Some(Self::Degraded),
            Priority::P3 => None,
        }
    }

    /// Its type: whether it is a general request, and no incident.
    #[must_use]
    pub const fn is_request(self) -> bool {
        matches!(self.priority(), Priority::P3)
    }

    /// Whether somebody has to come or be there for it, so that it needs notice (R24).
    #[must_use]
    pub const fn needs_notice(self) -> bool {
        match self {
            Self::ActivationSupport | Self::EngineerDispatch => true,
            Self::ServiceDown
            | Self::Degraded
            | Self::RfoRequest
            | Self::InformationRequest
            | Self::SoftwareUpdate
            | Self::Other => false,
        }
    }

    /// What the subject line of a message says it is about. A line that nobody can use must not wait as a request: an
    /// incident counts wherever it is named, a request only where a part of the line begins with its name. Who names none
    /// writes of a line that is not as it should be.
    #[must_use]
    pub fn of_line(line: &str) -> Self {
        let line = line.to_lowercase();
        let parts =
            || line.split([':', ',', '[', ']', '(', ')', '|', ';']).flat_map(|part| part.split(" - ")).map(str::trim);
        let begins = |names: &[&str]| parts().any(|part| names.iter().any(|name| begins_with(part, name)));
        let contains = |names: &[&str]| names.iter().any(|name| line.contains(name));
        // It is about a fault that is over, and may name it.
        if begins(&["rfo request"]) {
            Self::RfoRequest
        } else if contains(&["service down", "severely impacted"]) {
            Self::ServiceDown
        } else if contains(&["intermittent", "degraded"]) {
            Self::Degraded
        } else if begins(&["activation support"]) {
            Self::ActivationSupport
        } else if begins(&["engineer dispatch"]) {
            Self::EngineerDispatch
        } else if begins(&["information request", "utilization report"]) {
            Self::InformationRequest
        } else if begins(&["software update"]) {
            Self::SoftwareUpdate
        } else if parts().any(|part| part == "other") {
            Self::Other
        } else {
            Self::Degraded
        }
    }
}

fn begins_with(text: &str, name: &str) -> bool {
    text.strip_prefix(name).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
}

/// What whoever reports an incident is asked to look at first (R6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PreCheck {
    /// Whether there is power at the site.
    Power,
    /// Whether the cables are in place.
    Cables,
    /// Whether the lamps of the box are lit as they should be.
    Lights,
    /// Whether the box was started anew.
    Restarted,
    /// Whether it is also so without the customer's own network.
    LocalNetworkExcluded,
}

impl PreCheck {
    /// All of them, in the order in which they are asked.
    pub const ALL: [Self; 5] = [Self::Power, Self::Cables, Self::Lights, Self::Restarted, Self::LocalNetworkExcluded];

    /// As it is stored, printed and typed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Power => "power",
            Self::Cables => "cables",
            Self::Lights => "lights",
            Self::Restarted => "restarted",
            Self::LocalNetworkExcluded => "local_network_excluded",
        }
    }
}

/// What was answered to each; `None` of what nobody asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PreChecks([Option<bool>; PreCheck::ALL.len()]);

impl PreChecks {
    /// The answer to one.
    #[must_use]
    pub const fn get(self, check: PreCheck) -> Option<bool> {
        self.0[check as usize]
    }

    /// Notes an answer.
    pub const fn set(&mut self, check: PreCheck, answer: Option<bool>) {
        self.0[check as usize] = answer;
    }

    /// Whether none was answered.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0.iter().all(Option::is_none)
    }

    /// Those that were answered.
    pub fn iter(self) -> impl Iterator<Item = (PreCheck, bool)> {
        PreCheck::ALL.into_iter().zip(self.0).filter_map(|(check, answer)| Some((check, answer?)))
    }
}

/// Who called, or on whose behalf staff enter something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// As the inventory has it, or as staff wrote it down.
    pub name: String,
    /// Where he can be written to. Only of a person of the customer's: what somebody says on the phone proves nothing.
    pub email: Option<String>,
}

/// What is known of how a case came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intake {
    /// What it is about.
    pub subject: Subject,
    /// What was looked at before.
    pub prechecks: PreChecks,
    /// Who called.
    pub caller: Option<Caller>,
    /// When an engineer or an activation is wanted.
    pub wanted_at: Option<Time>,
    /// Whether the line's support contract had lapsed, so that the sales team has it (R68).
    pub lapsed: bool,
}

/// How much notice somebody gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// [`FULL_NOTICE`] or more.
    Full,
    /// Less than that.
    Tight,
    /// Less than [`LEAST_NOTICE`]: it can't be done then.
    Short,
}

impl Intake {
    /// That of a case of which nothing else is known.
    #[must_use]
    pub const fn of(subject: Subject) -> Self {
        Self {
            subject,
            prechecks: PreChecks([None; PreCheck::ALL.len()]),
            caller: None,
            wanted_at: None,
            lapsed: false,
        }
    }

    /// How much notice there is from `now` on, if a time was named.
    #[must_use]
    pub fn notice(&self, now: Time) -> Option<Notice> {
        let lead = self.wanted_at?.since(now);
        Some(if lead >= FULL_NOTICE {
            Notice::Full
        } else if lead >= LEAST_NOTICE {
            Notice::Tight
        } else {
            Notice::Short
        })
    }
}

/// What a person reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What it is about.
    pub subject: Subject,
    /// By which way it was reported.
    pub channel: Channel,
    /// What is known.
    pub note: Option<String>,
    /// What was looked at before.
    pub prechecks: PreChecks,
    /// Who called: the id of a contact, or a mail address.
    pub caller: Option<String>,
    /// When an engineer or an activation is wanted.
    pub wanted_at: Option<Time>,
    /// The closed case that a request is about.
    pub about: Option<Reference>,
    /// Whether a request is opened though there is one like it.
    pub anyway: bool,
}

impl Report {
    /// One that says no more than that.
    #[must_use]
    pub fn new(subject: Subject, channel: Channel) -> Self {
        Self {
            subject,
            channel,
            note: None,
            prechecks: PreChecks::default(),
            caller: None,
            wanted_at: None,
            about: None,
            anyway: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_exactly_eight_subjects_and_priority_follows() {
        let table = Subject::ALL.map(|subject| (subject.title(), subject.priority().name(), subject.is_request()));
        assert_eq!(
            table,
            [
                ("Service Down or Severely Impacted", "P1", false),
                ("Intermittent or Degraded", "P2", false),
                ("RFO Request", "P3", true),
                ("Activation Support", "P3", true),
                ("Engineer Dispatch", "P3", true),
                ("Information Request/Utilization Report", "P3", true),
                ("Software Update", "P3", true),
                ("Other", "P3", true),
            ]
        );
        for subject in Subject::ALL {
            assert_eq!(Subject::parse(&subject.name().to_uppercase()), Some(subject));
            assert_eq!(Subject::parse(subject.title()), Some(subject));
            assert_eq!(Subject::of_line(subject.title()), subject, "as customers write it");
        }
        assert_eq!(Subject::parse("billing"), None);
    }

    #[test]
    fn an_incident_counts_wherever_it_is_named_and_a_request_where_a_part_begins_with_it() {
        for (line, subject) in [
            ("Re: [NTU-2222-2222] RFO Request: service down on Monday", Subject::RfoRequest),
            ("acme-lon-1: ENGINEER DISPATCH, tomorrow", Subject::EngineerDispatch),
            ("Engineer dispatch - service down at acme-lon-1", Subject::ServiceDown),
            ("Software Update made us degraded", Subject::Degraded),
            ("slow since the software update", Subject::Degraded),
            ("Fwd: Utilization Report for acme-lon-1", Subject::InformationRequest),
            ("Activation Supporters meet", Subject::Degraded),
            ("acme-lon-1 - Other", Subject::Other),
            ("Other site is slow, too", Subject::Degraded),
            ("", Subject::Degraded),
        ] {
            assert_eq!(Subject::of_line(line), subject, "{line}");
        }
    }

    #[test]
    fn notice_is_short_below_24_hours_and_full_from_48_on() {
        let hours = |hours: i64| Time::from_millis(hours * 3_600_000);
        let intake = |at| Intake { wanted_at: at, ..Intake::of(Subject::EngineerDispatch) };
        let notice = |at| intake(Some(at)).notice(hours(0));
        let just_before = |at: Time| at - Duration::from_millis(1);
        assert_eq!(intake(None).notice(hours(0)), None);
        assert_eq!([notice(just_before(hours(24))), notice(hours(24))], [Some(Notice::Short), Some(Notice::Tight)]);
        assert_eq!([notice(just_before(hours(48))), notice(hours(48))], [Some(Notice::Tight), Some(Notice::Full)]);
    }
}
