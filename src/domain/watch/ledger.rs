//! Verdicts and the ledger: for every second of every device, an honest answer to "what do we know?".

use super::device::Slot;
use crate::domain::time::Time;
use alloc::string::String;

/// What we know of a device for a stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// It answered.
    Up,
    /// It answered, but not as it should: measured over windows.
    Degraded,
    /// It did not answer, confirmed by re-probes, while our own side worked.
    Loss,
    /// It did not answer, but our own side is broken.
    Inconclusive,
    /// Nobody looked.
    Unobserved,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Self; 5] = [Self::Up, Self::Degraded, Self::Loss, Self::Inconclusive, Self::Unobserved];

    /// As it is stored, printed and labelled.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Up => "UP",
            Self::Degraded => "DEGRADED",
            Self::Loss => "LOSS",
            Self::Inconclusive => "INCONCLUSIVE",
            Self::Unobserved => "UNOBSERVED",
        }
    }

    /// Whether the device answers, well or not so well.
    #[must_use]
    pub const fn is_contact(self) -> bool {
        match self {
            Self::Up | Self::Degraded => true,
            Self::Loss | Self::Inconclusive | Self::Unobserved => false,
        }
    }

    /// Whether the line was seen, be it up or lost. Stability windows count only observed time.
    #[must_use]
    pub const fn is_observed(self) -> bool {
        match self {
            Self::Up | Self::Degraded | Self::Loss => true,
            Self::Inconclusive | Self::Unobserved => false,
        }
    }
}

/// Why a verdict stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// UP: a probe was answered.
    Answered,
    /// UP: the agent refused our SNMP credentials, so the box is alive.
    Rejected,
    /// LOSS: probes went out and nothing authentic came back.
    NoAnswer,
    /// LOSS: the same within a maintenance window. It opens a case only if it goes on after the window.
    Maintenance,
    /// DEGRADED: too large a share of the probes is lost.
    Lossy,
    /// DEGRADED: round trips are too long.
    Slow,
    /// DEGRADED: round trips are much longer than is usual for this device.
    Slower,
    /// DEGRADED: contact was lost too often.
    Flapping,
    /// DEGRADED: the box restarted too often.
    Rebooting,
    /// DEGRADED: the WAN interface is down.
    InterfaceDown,
    /// DEGRADED: the WAN interface has errors.
    InterfaceErrors,
    /// DEGRADED: the WAN interface is used up to its committed rate.
    Overloaded,
    /// INCONCLUSIVE: no sentinel answers, so the monitor itself is cut off.
    SentinelsSilent,
    /// INCONCLUSIVE: the gateway's sentinel answers and nothing beyond it: our core is cut off.
    CoreSilent,
    /// INCONCLUSIVE: more of the fleet was lost at once than lines can fail, and nothing vouches for our own side.
    MassLoss,
    /// INCONCLUSIVE: our own machine could not send the probes.
    SendsFailing,
    /// UNOBSERVED: the device is new and was not asked yet.
    Added,
    /// UNOBSERVED: the daemon was not running.
    Stopped,
    /// UNOBSERVED: the daemon was suspended or starved.
    Stalled,
    /// UNOBSERVED: its host name has no known address yet.
    Unresolved,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 20] = [
        Self::Answered,
        Self::Rejected,
        Self::NoAnswer,
        Self::Maintenance,
        Self::Lossy,
        Self::Slow,
        Self::Slower,
        Self::Flapping,
        Self::Rebooting,
        Self::InterfaceDown,
        Self::InterfaceErrors,
        Self::Overloaded,
        Self::SentinelsSilent,
        Self::CoreSilent,
        Self::MassLoss,
        Self::SendsFailing,
        Self::Added,
        Self::Stopped,
        Self::Stalled,
        Self::Unresolved,
    ];

    /// As it is stored and printed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Rejected => "credentials_rejected",
            Self::NoAnswer => "no_answer",
            Self::Maintenance => "maintenance",
            Self::Lossy => "loss_share",
            Self::Slow => "rtt_limit",
            Self::Slower => "rtt_baseline",
            Self::Flapping => "flapping",
            Self::Rebooting => "reboots",
            Self::InterfaceDown => "interface_down",
            Self::InterfaceErrors => "interface_errors",
            Self::Overloaded => "interface_load",
            Self::SentinelsSilent => "sentinels_silent",
            Self::CoreSilent => "core_silent",
            Self::MassLoss => "mass_loss",
            Self::SendsFailing => "sends_failing",
            Self::Added => "added",
            Self::Stopped => "daemon_stopped",
            Self::Stalled => "daemon_stalled",
            Self::Unresolved => "name_unresolved",
        }
    }
}

/// A closed stretch of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interval {
    /// The device's id.
    pub device: String,
    /// First millisecond that it covers.
    pub from: Time,
    /// First millisecond that it does not cover any more.
    pub until: Time,
    /// What was known.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
}

/// A change of verdict: the stretch that ends, and what begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shift {
    pub(crate) slot: Slot,
    /// Since when the old verdict stood.
    pub(crate) began: Time,
    pub(crate) was: (Verdict, Reason),
    /// From when on the new one stands; never before `began`.
    pub(crate) at: Time,
    pub(crate) now: (Verdict, Reason),
}
