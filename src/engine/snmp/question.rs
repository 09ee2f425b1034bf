//! What an agent is asked, and how its answer reads.

use crate::domain::watch::{SnmpAccess, SnmpSample, SnmpVersion};
use async_snmp::{Oid, Value, VarBind, oid};

/// Probes for which an agent that refused the interface is asked its uptime only. An interface may come back.
const PROBES_WITHOUT_INTERFACE: u8 = 30;

/// What to ask one agent. Adapts to what it turns out to have.
pub(super) struct Question {
    interface: Option<u32>,
    counters: Counters,
    /// For how many more probes the interface is left out.
    without_interface: u8,
}

/// Which octet counters are asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Counters {
    /// 64 bits wide.
    High,
    /// 32 bits wide.
    Low,
}

impl Question {
    /// What `access` asks for. SNMPv1 cannot carry 64-bit counters.
    pub(super) fn new(access: &SnmpAccess) -> Self {
        let counters = match access.version {
            SnmpVersion::V1 { .. } => Counters::Low,
            SnmpVersion::V2c { .. } | SnmpVersion::V3 { .. } => Counters::High,
        };
        Self { interface: access.interface, counters, without_interface: 0 }
    }

    /// The objects to ask for now.
    pub(super) fn objects(&mut self) -> Vec<Oid> {
        let mut objects = vec![uptime()];
        if self.without_interface > 0 {
            self.without_interface -= 1;
        } else if let Some(interface) = self.interface {
            objects
                .extend([Column::OperStatus, Column::InErrors, Column::OutErrors].map(|column| column.of(interface)));
            objects.extend(self.counters.columns().map(|column| column.of(interface)));
        }
        objects
    }

    /// Reads an answer, and learns from it what to ask next time.
    pub(super) fn read(&mut self, answer: &[VarBind]) -> SnmpSample {
        let value_of = |object: Oid| answer.iter().find(|bound| bound.oid == object).map(|bound| &bound.value);
        let mut sample = SnmpSample { uptime_cs: value_of(uptime()).and_then(Value::as_u32), ..SnmpSample::default() };
        let Some(interface) = self.interface else { return sample };
        let number = |column: Column| value_of(column.of(interface)).and_then(Value::as_u64);
        let [input, output] = self.counters.columns();
        sample.oper_status = value_of(Column::OperStatus.of(interface)).and_then(Value::as_u32);
        sample.in_octets = number(input);
        sample.out_octets = number(output);
        sample.in_errors = number(Column::InErrors);
        sample.out_errors = number(Column::OutErrors);
        if sample.oper_status.is_some() && sample.in_octets.is_none() && sample.out_octets.is_none() {
            self.counters = Counters::Low;
        }
        sample
    }

    /// Takes note that the agent answered noSuchName, with which SNMPv1 refuses all for the sake of one object.
    pub(super) const fn refused(&mut self) {
        self.without_interface = PROBES_WITHOUT_INTERFACE;
    }
}

impl Counters {
    /// Of incoming and of outgoing octets.
    const fn columns(self) -> [Column; 2] {
        match self {
            Self::High => [Column::HighInOctets, Column::HighOutOctets],
            Self::Low => [Column::InOctets, Column::OutOctets],
        }
    }
}

/// Columns of ifTable and ifXTable (RFC 2863).
#[derive(Clone, Copy)]
enum Column {
    OperStatus,
    InOctets,
    InErrors,
    OutOctets,
    OutErrors,
    HighInOctets,
    HighOutOctets,
}

impl Column {
    fn of(self, interface: u32) -> Oid {
        match self {
            Self::OperStatus => oid!(1, 3, 6, 1, 2, 1, 2, 2, 1, 8, interface),
            Self::InOctets => oid!(1, 3, 6, 1, 2, 1, 2, 2, 1, 10, interface),
            Self::InErrors => oid!(1, 3, 6, 1, 2, 1, 2, 2, 1, 14, interface),
            Self::OutOctets => oid!(1, 3, 6, 1, 2, 1, 2, 2, 1, 16, interface),
            Self::OutErrors => oid!(1, 3, 6, 1, 2, 1, 2, 2, 1, 20, interface),
            Self::HighInOctets => oid!(1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 6, interface),
            Self::HighOutOctets => oid!(1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 10, interface),
        }
    }
}

/// sysUpTime.0
fn uptime() -> Oid {
    oid!(1, 3, 6, 1, 2, 1, 1, 3, 0)
}
