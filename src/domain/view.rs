//! What others may see of the watch: copies, taken after the commit.

use super::time::{Rtt, Time};
use super::watch::{AgentState, Lost, Reason, SnmpSample, Symptoms, Verdict};
use alloc::sync::Arc;

/// What is known of a device right now.
#[derive(Clone, Debug)]
pub struct DeviceStatus {
    /// The verdict that stands.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// Since when.
    pub since: Time,
    /// When it last answered.
    pub last_contact: Option<Time>,
    /// Round-trip time of its last answer.
    pub rtt: Option<Rtt>,
    /// Scheduled rounds lost over the last five minutes.
    pub loss: Lost,
    /// What its SNMP agent does.
    pub agent: AgentState,
    /// In which ways it is degraded.
    pub symptoms: Symptoms,
    /// Whether it is being maintained.
    pub maintained: bool,
    /// What its SNMP agent said last.
    pub sample: Option<Arc<SnmpSample>>,
}
