//! What an agent is asked, and how its answer reads.

use crate::domain::watch::{SnmpAccess, SnmpSample, SnmpVersion};

/// Probes for which an agent that refused a question, or could not fit its answer in, is asked a smaller one. What it lacked may come
/// back.
const SMALLER_PROBES: u8 = 30;

/// Objects in one question at most: uptime, state, two counters of errors and four of traffic, and the engine's boots.
pub(super) const MAX_OBJECTS: usize = 9;

/// What to ask one agent. Adapts to what it turns out to have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question {
    interface: Option<u32>,
    /// Whether the agent's engine counts its boots.
    boots: bool,
    counters: Counters,
    size: Size,
    /// For how many more probes it stays smaller than full.
    smaller_for: u8,
}

/// What was asked at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Asked {
    interface: Option<u32>,
    boots: bool,
    counters: Counters,
    size: Size,
}

/// How much is asked, from the least. With the uptime alone an agent still tells that it is alive, and of restarts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Size {
    Uptime,
    /// And the interface's state.
    State,
    /// And all counters.
    Full,
}

/// Which counters of traffic are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Counters {
    /// 64 bits wide.
    High,
    /// 32 bits wide.
    Low,
}

/// An object that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Object {
    /// Where its value belongs.
    pub(super) field: Field,
    /// Its name but for the last arc.
    pub(super) column: &'static [u32],
    /// The last arc.
    pub(super) instance: u32,
}

/// What an object tells: a field of [`SnmpSample`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Uptime,
    OperStatus,
    InErrors,
    OutErrors,
    InOctets,
    OutOctets,
    InPackets,
    OutPackets,
    EngineBoots,
}

/// A value that is not negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    /// Of a type of 32 bits.
    Narrow(u32),
    /// Of a type of 64 bits.
    Wide(u64),
}

impl Number {
    const fn narrow(self) -> Option<u32> {
        match self {
            Self::Narrow(number) => Some(number),
            Self::Wide(_) => None,
        }
    }

    const fn wide(self) -> u64 {
        match self {
            Self::Narrow(number) => number as u64,
            Self::Wide(number) => number,
        }
    }
}

impl Field {
    /// Enters `number` where it belongs.
    pub(super) const fn enter(self, number: Number, sample: &mut SnmpSample) {
        match self {
            Self::Uptime => sample.uptime_cs = number.narrow(),
            Self::OperStatus => sample.oper_status = number.narrow(),
            Self::InErrors => sample.in_errors = Some(number.wide()),
            Self::OutErrors => sample.out_errors = Some(number.wide()),
            Self::InOctets => sample.in_octets = Some(number.wide()),
            Self::OutOctets => sample.out_octets = Some(number.wide()),
            Self::InPackets => sample.in_packets = Some(number.wide()),
            Self::OutPackets => sample.out_packets = Some(number.wide()),
            Self::EngineBoots => sample.engine_boots = number.narrow(),
        }
    }
}

/// What was told, if it is anything.
pub(super) fn something(told: SnmpSample) -> Option<SnmpSample> {
    (told != SnmpSample::default()).then_some(told)
}

impl Question {
    /// What `access` asks for. SNMPv1 cannot carry 64-bit counters.
    pub(super) const fn new(access: &SnmpAccess) -> Self {
        let (counters, boots) = match access.version {
            SnmpVersion::V1 { .. } => (Counters::Low, false),
            SnmpVersion::V2c { .. } => (Counters::High, false),
            SnmpVersion::V3 { .. } => (Counters::High, true),
        };
        Self { interface: access.interface, boots, counters, size: Size::Full, smaller_for: 0 }
    }

    /// What to ask now.
    pub(super) const fn ask(&mut self) -> Asked {
        if self.smaller_for == 0 {
            self.size = Size::Full;
        } else {
            self.smaller_for -= 1;
        }
        let Self { interface, boots, counters, size, .. } = *self;
        Asked { interface, boots, counters, size }
    }

    /// Learns from what an agent `told` when it was `asked` what to ask next time.
    pub(super) const fn learn(&mut self, asked: Asked, told: &SnmpSample) {
        if asked.lacks_counters(told) {
            self.counters = Counters::Low;
        }
    }

    /// Takes note that the agent refused what was `asked` as a whole. Whether a smaller question is left. The object that an agent
    /// blames is no guide: Debian's snmpd names the last of those that are missing.
    pub(super) const fn refused(&mut self, asked: Asked) -> bool {
        self.size = match asked.size {
            Size::Full => Size::State,
            Size::State => Size::Uptime,
            Size::Uptime => return false,
        };
        self.smaller_for = SMALLER_PROBES;
        true
    }
}

impl Asked {
    /// Whether an agent that `told` this of its interface has no such counters.
    pub(super) const fn lacks_counters(self, told: &SnmpSample) -> bool {
        let is_full = matches!(self.size, Size::Full);
        is_full && told.oper_status.is_some() && told.in_octets.is_none() && told.out_octets.is_none()
    }

    /// The objects, at most [`MAX_OBJECTS`].
    pub(super) fn objects(self) -> Vec<Object> {
        let mut objects = vec![UPTIME];
        let full = match self.size {
            Size::Uptime => return objects,
            Size::State => false,
            Size::Full => true,
        };
        if let Some(interface) = self.interface {
            let of = |(field, column)| Object { field, column, instance: interface };
            objects.push(of(OPER_STATUS));
            if full {
                objects.extend(ERRORS.map(of));
                objects.extend(self.counters.columns().map(of));
            }
        }
        if full && self.boots {
            objects.push(ENGINE_BOOTS);
        }
        objects
    }
}

/// A column of ifTable or ifXTable (RFC 2863), and what it tells.
type Column = (Field, &'static [u32]);

impl Counters {
    /// Of octets, then of unicast packets.
    const fn columns(self) -> [Column; 4] {
        match self {
            Self::High => [
                (Field::InOctets, &[1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 6]),
                (Field::OutOctets, &[1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 10]),
                (Field::InPackets, &[1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 7]),
                (Field::OutPackets, &[1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 11]),
            ],
            Self::Low => [
                (Field::InOctets, &[1, 3, 6, 1, 2, 1, 2, 2, 1, 10]),
                (Field::OutOctets, &[1, 3, 6, 1, 2, 1, 2, 2, 1, 16]),
                (Field::InPackets, &[1, 3, 6, 1, 2, 1, 2, 2, 1, 11]),
                (Field::OutPackets, &[1, 3, 6, 1, 2, 1, 2, 2, 1, 17]),
            ],
        }
    }
}

/// ifOperStatus
const OPER_STATUS: Column = (Field::OperStatus, &[1, 3, 6, 1, 2, 1, 2, 2, 1, 8]);

/// ifInErrors and ifOutErrors
const ERRORS: [Column; 2] =
    [(Field::InErrors, &[1, 3, 6, 1, 2, 1, 2, 2, 1, 14]), (Field::OutErrors, &[1, 3, 6, 1, 2, 1, 2, 2, 1, 20])];

/// sysUpTime.0
const UPTIME: Object = Object { field: Field::Uptime, column: &[1, 3, 6, 1, 2, 1, 1, 3], instance: 0 };

/// snmpEngineBoots.0 (RFC 3411)
const ENGINE_BOOTS: Object =
    Object { field: Field::EngineBoots, column: &[1, 3, 6, 1, 6, 3, 10, 2, 1, 2], instance: 0 };

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::watch::Secret;

    fn question(interface: Option<u32>) -> Question {
        let version = SnmpVersion::V2c { community: Secret::new("public".to_owned()) };
        Question::new(&SnmpAccess { version, port: 161, interface })
    }

    fn fields(asked: Asked) -> Vec<Field> {
        asked.objects().iter().map(|object| object.field).collect()
    }

    #[test]
    fn each_refusal_makes_the_question_smaller_and_it_grows_again() {
        let mut question = question(Some(3));
        let asked = question.ask();
        assert_eq!(asked.objects().len(), 8);
        assert!(question.refused(asked));
        let asked = question.ask();
        assert_eq!(fields(asked), [Field::Uptime, Field::OperStatus]);
        assert_eq!(asked.objects()[1].instance, 3);
        assert!(question.refused(asked));
        for _ in 0..SMALLER_PROBES {
            let asked = question.ask();
            assert_eq!(asked.objects(), [UPTIME]);
            assert!(!question.refused(asked), "there is nothing smaller");
        }
        assert_eq!(question.ask().objects().len(), 8);
    }

    #[test]
    fn an_agent_without_wide_counters_is_asked_for_narrow_ones() {
        let mut question = question(Some(3));
        let state = SnmpSample { oper_status: Some(1), ..SnmpSample::default() };
        let full = question.ask();
        question.refused(full);
        let little = question.ask();
        question.learn(little, &state);
        assert!(question.counters == Counters::High, "they were not asked for");
        question.smaller_for = 0;
        let full = question.ask();
        question.learn(full, &state);
        let narrow: Vec<_> = question.ask().objects()[4..].iter().map(|object| (object.field, object.column)).collect();
        assert_eq!(narrow, Counters::Low.columns());
    }

    #[test]
    fn an_uptime_is_no_wide_number() {
        let mut sample = SnmpSample::default();
        Field::Uptime.enter(Number::Wide(7), &mut sample);
        assert_eq!(something(sample.clone()), None);
        Field::InOctets.enter(Number::Narrow(7), &mut sample);
        Field::OutOctets.enter(Number::Wide(1 << 40), &mut sample);
        assert_eq!((sample.in_octets, sample.out_octets), (Some(7), Some(1 << 40)));
    }
}
