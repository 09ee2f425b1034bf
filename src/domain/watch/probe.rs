//! Probes and their answers: what passes between the watch and the probe engines.

use super::device::{Slot, SnmpAccess};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use core::net::IpAddr;
use core::time::Duration;

/// Number of a round of probes of one device. An answer counts only for the round it names.
pub type Round = u32;

/// One question to one device, to be sent at once.
#[derive(Clone, Debug)]
pub struct Probe {
    /// Whom it is for.
    pub slot: Slot,
    /// Which round it belongs to.
    pub round: Round,
    /// Where it goes.
    pub address: IpAddr,
    /// How long the answer may take.
    pub timeout: Duration,
    /// What is asked.
    pub ask: Ask,
}

/// What a probe asks.
#[derive(Clone, Debug)]
pub enum Ask {
    /// ICMP echo (RFC 792, RFC 4443).
    Icmp,
    /// sysUpTime, and the WAN interface's state and counters.
    Snmp(Arc<SnmpAccess>),
}

/// The ways of asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// ICMP echo.
    Icmp,
    /// SNMP get.
    Snmp,
}

impl Method {
    /// Every method.
    pub const ALL: [Self; 2] = [Self::Icmp, Self::Snmp];

    /// As metrics label it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Icmp => "icmp",
            Self::Snmp => "snmp",
        }
    }
}

/// What became of one probe. An engine reports every probe that it was handed exactly once.
#[derive(Clone, Debug)]
pub struct ProbeResult {
    /// As in the probe.
    pub slot: Slot,
    /// As in the probe.
    pub round: Round,
    /// How it was asked.
    pub method: Method,
    /// What came back.
    pub outcome: Outcome,
}

/// What came back for a probe.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// An authentic answer.
    Answered {
        /// From sending to receiving.
        rtt: Duration,
        /// What an SNMP agent said.
        sample: Option<Box<SnmpSample>>,
    },
    /// An authentic answer that refuses the question, such as an SNMPv3 report "unknown user name": the box is alive.
    Rejected {
        /// From sending to receiving.
        rtt: Duration,
        /// The refusal, in the protocol's own word.
        why: &'static str,
    },
    /// Nothing authentic within the timeout.
    Lost {
        /// What a router said of it. Says nothing of the device, and ends no probe early.
        witness: Option<Undelivered>,
    },
    /// Our own side could not send it. Says nothing of the device.
    NotSent {
        /// The operating system's word for it.
        why: String,
    },
}

impl Outcome {
    /// Lost, and nobody says why.
    pub const LOST: Self = Self::Lost { witness: None };
}

/// A router's word that it could not pass a probe on (RFC 792, RFC 4443).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undelivered {
    /// What kept it.
    pub why: Obstacle,
    /// Who says so.
    pub router: IpAddr,
}

/// What kept a probe from its device, as an ICMP error names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Obstacle {
    /// No way to the network.
    Net,
    /// The last router does not find the host.
    Host,
    /// The host itself does not take the protocol.
    Port,
    /// Somebody does not let it pass.
    Prohibited,
    /// It went round and round, until its hops were used up.
    HopLimit,
    /// Another one of these errors.
    Other,
}

impl Obstacle {
    /// Every one.
    pub const ALL: [Self; 6] = [Self::Net, Self::Host, Self::Port, Self::Prohibited, Self::HopLimit, Self::Other];

    /// As metrics label it, and as it is stored.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Net => "net_unreachable",
            Self::Host => "host_unreachable",
            Self::Port => "port_unreachable",
            Self::Prohibited => "prohibited",
            Self::HopLimit => "hop_limit",
            Self::Other => "other",
        }
    }
}

/// What an SNMP agent told of itself (RFC 3418, RFC 2863). What it did not tell is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SnmpSample {
    /// sysUpTime.0, in hundredths of a second; wraps after 497 days.
    pub uptime_cs: Option<u32>,
    /// ifOperStatus of the WAN interface: 1 is up, 2 is down.
    pub oper_status: Option<u32>,
    /// ifHCInOctets, or ifInOctets from an agent without 64-bit counters.
    pub in_octets: Option<u64>,
    /// ifHCOutOctets, or ifOutOctets.
    pub out_octets: Option<u64>,
    /// ifInErrors.
    pub in_errors: Option<u64>,
    /// ifOutErrors.
    pub out_errors: Option<u64>,
    /// Unicast packets in: ifHCInUcastPkts, or ifInUcastPkts from an agent without 64-bit counters.
    pub in_packets: Option<u64>,
    /// Unicast packets out.
    pub out_packets: Option<u64>,
    /// snmpEngineBoots (RFC 3411), from SNMPv3 agents: how often the agent's engine was started.
    pub engine_boots: Option<u32>,
}
