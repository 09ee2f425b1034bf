//! Answers that refuse the question. The box that sends one is alive.

use async_snmp::DecodeConfig;
use async_snmp::message::V3Message;
use async_snmp::v3::{ReportStatus, classify_report};
use bytes::Bytes;

/// A refusal, in the protocol's own word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) why: &'static str,
    /// Whether what we know of the agent's engine is out of date: it restarted or was replaced.
    pub(super) engine_changed: bool,
}

/// The refusal in an SNMPv3 report, authentic or not: an agent that does not know our user or our key cannot sign for us.
pub(super) fn in_datagram(datagram: Bytes, config: DecodeConfig) -> Option<Refusal> {
    let message = V3Message::decode(datagram, config).ok()?.value;
    classify_report(message.pdu()?).ok().map(|status| of_report(&status))
}

/// What a report says.
pub(super) fn of_report(status: &ReportStatus) -> Refusal {
    let (why, engine_changed) = match status {
        ReportStatus::UnsupportedSecurityLevel { .. } => ("unsupported security level", false),
        ReportStatus::NotInTimeWindow { .. } => ("not in time window", true),
        ReportStatus::UnknownUserName { .. } => ("unknown user name", false),
        ReportStatus::UnknownEngineId { .. } => ("unknown engine ID", true),
        ReportStatus::WrongDigest { .. } => ("wrong digest", false),
        ReportStatus::DecryptionError { .. } => ("decryption error", false),
        ReportStatus::Other { .. } | _ => ("report", false),
    };
    Refusal { why, engine_changed }
}
