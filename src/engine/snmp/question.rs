//! What an agent is asked, and how its answer reads.

use crate::domain::watch::{SnmpAccess, SnmpSample, SnmpVersion};
use async_snmp::{Oid, Value, VarBind, oid};

/// Probes for which an agent that refused a question, or could not fit its answer in, is asked a smaller one. What it lacked may come
/// back.
const SMALLER_PROBES: u8 = 30;

/// What to ask one agent. Adapts to what it turns out to have.
pub(super) struct Question {
    interface: Option<u32>,
    /// Whether the agent's engine counts its boots.
    boots: bool,
    counters: Counters,
    size: Size,
    /// For how many more probes it stays smaller than full.
    smaller_for: u8,
}

/// How much is asked, from the least. With the uptime alone an agent still tells that it is alive, and of restarts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Size {
    Uptime,
    /// And the interface's state.
    State,
    /// And all counters.
    Full,
}

/// Which counters of traffic are asked for.
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
        let (counters, boots) = match access.version {
            SnmpVersion::V1 { .. } => (Counters::Low, false),
            SnmpVersion::V2c { .. } => (Counters::High, false),
            SnmpVersion::V3 { .. } => (Counters::High, true),
        };
        Self { interface: access.interface, boots, counters, size: Size::Full, smaller_for: 0 }
    }

    /// The objects to ask for now.
    pub(super) fn objects(&mut self) -> Vec<Oid> {
        if self.smaller_for == 0 {
            self.size = Size::Full;
        } else {
            self.smaller_for -= 1;
        }
        let mut objects = vec![uptime()];
        let full = match self.size {
            Size::Uptime => return objects,
            Size::State => false,
            Size::Full => true,
        };
        if let Some(interface) = self.interface {
            objects.push(Column::OperStatus.of(interface));
            if full {
                let columns = [Column::InErrors, Column::OutErrors].into_iter().chain(self.counters.columns());
                objects.extend(columns.map(|column| column.of(interface)));
            }
        }
        if full && self.boots {
            objects.push(engine_boots());
        }
        objects
    }

    /// Reads an answer, and learns from it what to ask next time. `None` if it tells nothing that was asked.
    pub(super) fn read(&mut self, answer: &[VarBind]) -> Option<SnmpSample> {
        let value_of = |object: Oid| answer.iter().find(|bound| bound.oid == object).map(|bound| &bound.value);
        let mut sample = SnmpSample {
            uptime_cs: value_of(uptime()).and_then(Value::as_u32),
            engine_boots: value_of(engine_boots()).and_then(Value::as_u32),
            ..SnmpSample::default()
        };
        if let Some(interface) = self.interface {
            let number = |column: Column| value_of(column.of(interface)).and_then(Value::as_u64);
            sample.oper_status = value_of(Column::OperStatus.of(interface)).and_then(Value::as_u32);
            sample.in_errors = number(Column::InErrors);
            sample.out_errors = number(Column::OutErrors);
            [sample.in_octets, sample.out_octets, sample.in_packets, sample.out_packets] =
                self.counters.columns().map(number);
        }
        if self.size == Size::Full
            && sample.oper_status.is_some()
            && sample.in_octets.is_none()
            && sample.out_octets.is_none()
        {
            self.counters = Counters::Low;
        }
        (sample != SnmpSample::default()).then_some(sample)
    }

    /// Takes note that the agent refused the question as a whole. Whether a smaller one is left. The object that an agent blames is
    /// no guide: Debian's snmpd names the last of those that are missing.
    pub(super) const fn refused(&mut self) -> bool {
        self.size = match self.size {
            Size::Full => Size::State,
            Size::State => Size::Uptime,
            Size::Uptime => return false,
        };
        self.smaller_for = SMALLER_PROBES;
        true
    }
}

impl Counters {
    /// Of incoming and outgoing octets, then of incoming and outgoing unicast packets.
    const fn columns(self) -> [Column; 4] {
        match self {
            Self::High => [Column::HighInOctets, Column::HighOutOctets, Column::HighInPackets, Column::HighOutPackets],
            Self::Low => [Column::InOctets, Column::OutOctets, Column::InPackets, Column::OutPackets],
        }
    }
}

/// Columns of ifTable and ifXTable (RFC 2863).
#[derive(Clone, Copy)]
enum Column {
    OperStatus,
    InOctets,
    InPackets,
    InErrors,
    OutOctets,
    OutPackets,
    OutErrors,
    HighInOctets,
    HighInPackets,
    HighOutOctets,
    HighOutPackets,
}

impl Column {
    fn of(self, interface: u32) -> Oid {
        match self {
            Self::OperStatus => oid!(1, 3, 6, 1, 2, 1, 2, 2, 1, 8, interface),
            Self::InOctets => oid!(1, 3, 6, 1, 2, 1, 2, 2, 1, 10, interface),
            Self::InPackets => oid!(1, 3, 6, 1, 2, 1, 2, 2, 1, 11, interface),
            Self::InErrors => oid!(1, 3, 6, 1, 2, 1, 2, 2, 1, 14, interface),
            Self::OutOctets => oid!(1, 3, 6, 1, 2, 1, 2, 2, 1, 16, interface),
            Self::OutPackets => oid!(1, 3, 6, 1, 2, 1, 2, 2, 1, 17, interface),
            Self::OutErrors => oid!(1, 3, 6, 1, 2, 1, 2, 2, 1, 20, interface),
            Self::HighInOctets => oid!(1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 6, interface),
            Self::HighInPackets => oid!(1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 7, interface),
            Self::HighOutOctets => oid!(1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 10, interface),
            Self::HighOutPackets => oid!(1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 11, interface),
        }
    }
}

/// sysUpTime.0
fn uptime() -> Oid {
    oid!(1, 3, 6, 1, 2, 1, 1, 3, 0)
}

/// snmpEngineBoots.0 (RFC 3411)
fn engine_boots() -> Oid {
    oid!(1, 3, 6, 1, 6, 3, 10, 2, 1, 2, 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::watch::Secret;

    fn question(interface: Option<u32>) -> Question {
        let version = SnmpVersion::V2c { community: Secret::new("public".to_owned()) };
        Question::new(&SnmpAccess { version, port: 161, interface })
    }

    #[test]
    fn each_refusal_makes_the_question_smaller_and_it_grows_again() {
        let mut question = question(Some(3));
        assert_eq!(question.objects().len(), 8);
        assert!(question.refused());
        assert_eq!(question.objects(), [uptime(), Column::OperStatus.of(3)]);
        assert!(question.refused());
        for _ in 0..SMALLER_PROBES {
            assert_eq!(question.objects(), [uptime()]);
            assert!(!question.refused(), "there is nothing smaller");
        }
        assert_eq!(question.objects().len(), 8);
    }

    #[test]
    fn an_agent_without_wide_counters_is_asked_for_narrow_ones() {
        let mut question = question(Some(3));
        let state = [VarBind::new(Column::OperStatus.of(3), Value::Integer(1))];
        question.objects();
        question.refused();
        question.objects();
        assert_eq!(question.read(&state).unwrap().oper_status, Some(1));
        assert!(question.counters == Counters::High, "they were not asked for");
        question.smaller_for = 0;
        question.objects();
        question.read(&state);
        let narrow = [Column::InOctets, Column::OutOctets, Column::InPackets, Column::OutPackets];
        assert_eq!(question.objects()[4..], narrow.map(|column| column.of(3)));
    }

    #[test]
    fn an_answer_that_tells_nothing_is_no_sample() {
        let mut question = question(Some(3));
        question.objects();
        let elsewhere = VarBind::new(Column::OperStatus.of(4), Value::Integer(1));
        let of_no_use = VarBind::new(Column::OperStatus.of(3), Value::NoSuchInstance);
        for answer in [&[][..], &[elsewhere], &[of_no_use]] {
            assert_eq!(question.read(answer), None);
        }
    }
}
