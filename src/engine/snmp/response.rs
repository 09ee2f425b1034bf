//! Reads SNMPv1 and SNMPv2c responses (RFC 1157, RFC 3416), strictly and without copying anything.
//!
//! What BER leaves open is taken: lengths in more octets than needed, and what follows the message, for there are agents that do
//! so. Every value must end where that around it ends.

use super::question::{Field, MAX_OBJECTS, Number};
use crate::domain::watch::SnmpSample;

const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const NULL: u8 = 0x05;
const OID: u8 = 0x06;
/// Constructed octets, which SNMP has not.
const OCTETS_IN_PARTS: u8 = 0x24;
const SEQUENCE: u8 = 0x30;
const IP_ADDRESS: u8 = 0x40;
const COUNTER_32: u8 = 0x41;
const GAUGE_32: u8 = 0x42;
const TIME_TICKS: u8 = 0x43;
const COUNTER_64: u8 = 0x46;
const UNSIGNED_32: u8 = 0x47;
const NO_SUCH_OBJECT: u8 = 0x80;
const NO_SUCH_INSTANCE: u8 = 0x81;
const END_OF_MIB_VIEW: u8 = 0x82;
const RESPONSE: u8 = 0xa2;

/// Arcs of an object identifier (RFC 2578 section 3.5).
const MAX_ARCS: usize = 128;

/// A response, as far as is needed to see whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Response<'a> {
    /// 0 is SNMPv1, 1 is SNMPv2c.
    pub(super) version: i32,
    pub(super) community: &'a [u8],
    pub(super) request_id: i32,
    /// 0, or why the agent refused.
    pub(super) status: i32,
    bindings: &'a [u8],
}

impl<'a> Response<'a> {
    /// The response in a datagram, if it is one.
    pub(super) fn read(datagram: &'a [u8]) -> Option<Self> {
        let mut message = Reader(Reader(datagram).next_of(SEQUENCE)?);
        let (version, community) = (message.integer()?, message.next_of(OCTETS)?);
        let mut pdu = Reader(message.next_of(RESPONSE)?);
        let (request_id, status) = (pdu.integer()?, pdu.integer()?);
        // which object an agent blames is no guide
        pdu.integer()?;
        let bindings = pdu.next_of(SEQUENCE)?;
        (message.is_empty() && pdu.is_empty()).then_some(Self { version, community, request_id, status, bindings })
    }

    /// Enters what it tells of `objects`, of each the first that it says, into `sample`. Whether all of it could be read.
    pub(super) fn tell(&self, objects: &[(Field, Box<[u8]>)], sample: &mut SnmpSample) -> bool {
        let mut told = [false; MAX_OBJECTS];
        let mut bindings = Reader(self.bindings);
        for place in 0.. {
            if bindings.is_empty() {
                return true;
            }
            let Some((name, number)) = bindings.binding() else { return false };
            let is_it = |(_, asked): &(Field, Box<[u8]>)| **asked == *name;
            let at = if objects.get(place).is_some_and(is_it) { Some(place) } else { objects.iter().position(is_it) };
            if let (Some(at), Some(number)) = (at.filter(|&at| !core::mem::replace(&mut told[at], true)), number) {
                objects[at].0.enter(number, sample);
            }
        }
        true
    }
}

/// What is left to read.
#[derive(Clone, Copy)]
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The next value: its tag and its content.
    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (&[tag, first], rest) = self.0.split_first_chunk()?;
        // tags of more than one octet are not of SNMP
        if tag & 0x1f == 0x1f {
            return None;
        }
        let (len, rest) = match first {
            0..0x80 => (usize::from(first), rest),
            // without an end, or longer than any datagram
            0x80 | 0x89.. => return None,
            0x81..0x89 => {
                let (octets, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                let len = octets.iter().fold(0_u64, |len, &octet| len << 8 | u64::from(octet));
                (usize::try_from(len).ok()?, rest)
            }
        };
        let (content, rest) = rest.split_at_checked(len)?;
        self.0 = rest;
        Some((tag, content))
    }

    /// The content of the next value, which must be of this type.
    fn next_of(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.next().filter(|&(is, _)| is == tag).map(|(_, content)| content)
    }

    /// An integer of 32 bits.
    fn integer(&mut self) -> Option<i32> {
        signed(self.next_of(INTEGER)?)?.try_into().ok()
    }

    /// A name, and its value if that is a number.
    fn binding(&mut self) -> Option<(&'a [u8], Option<Number>)> {
        let mut binding = Reader(self.next_of(SEQUENCE)?);
        let name = binding.next_of(OID).filter(|name| is_name(name))?;
        let (tag, content) = binding.next()?;
        let number = number(tag, content)?;
        binding.is_empty().then_some((name, number))
    }
}

/// The number of a value, if it is one that is not negative; `None` if there can't be such a value. Numbers that have too many octets
/// for their type are cut, as net-snmp does.
fn number(tag: u8, content: &[u8]) -> Option<Option<Number>> {
    Some(match tag {
        INTEGER => {
            let number = signed(content)? as i32;
            u32::try_from(number).ok().map(Number::Narrow)
        }
        COUNTER_32 | GAUGE_32 | TIME_TICKS | UNSIGNED_32 => {
            let number = unsigned(content).filter(|_| !content.is_empty())?;
            Some(Number::Narrow(number as u32))
        }
        COUNTER_64 => Some(Number::Wide(unsigned(content)?)),
        NULL | NO_SUCH_OBJECT | NO_SUCH_INSTANCE | END_OF_MIB_VIEW if !content.is_empty() => return None,
        IP_ADDRESS if content.len() != 4 => return None,
        OID if !is_name(content) => return None,
        OCTETS_IN_PARTS => return None,
        _ => None,
    })
}

fn signed(content: &[u8]) -> Option<i64> {
    let first = *content.first().filter(|_| content.len() <= size_of::<i64>())?;
    let sign = if first & 0x80 == 0 { 0 } else { -1 };
    Some(content.iter().fold(sign, |number, &octet| number << 8 | i64::from(octet)))
}

fn unsigned(content: &[u8]) -> Option<u64> {
    let octets = if let [0, rest @ ..] = content { rest } else { content };
    (octets.len() <= size_of::<u64>()).then(|| octets.iter().fold(0, |number, &octet| number << 8 | u64::from(octet)))
}

/// Whether this is an object identifier, of arcs of 32 bits.
fn is_name(content: &[u8]) -> bool {
    let mut arc = 0_u64;
    let mut arcs = 1;
    for octet in content {
        arc = arc << 7 | u64::from(octet & 0x7f);
        if arc > u64::from(u32::MAX) {
            return false;
        }
        if octet & 0x80 == 0 {
            (arc, arcs) = (0, arcs + 1);
        }
    }
    content.last().is_some_and(|last| last & 0x80 == 0) && arcs <= MAX_ARCS
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::domain::watch::Secret;
    use crate::domain::watch::{SnmpAccess, SnmpVersion};
    use crate::engine::snmp::question::Question;
    use crate::engine::snmp::request::Template;
    use async_snmp::message::CommunityMessage;
    use async_snmp::pdu::{PduBody, StandardPduType};
    use async_snmp::{DecodeConfig, Oid, Pdu, Value, VarBind, Version};
    use bytes::Bytes;
    use proptest::prelude::*;

    const ID: i32 = 0x5eed_cafe;

    fn template() -> Template {
        let version = SnmpVersion::V2c { community: Secret::new("public".to_owned()) };
        let access = SnmpAccess { version, port: 161, interface: Some(300) };
        Template::new(&access.version, Question::new(&access).ask()).unwrap()
    }

    fn names() -> Vec<Oid> {
        let objects = template().asked.objects();
        objects.iter().map(|object| Oid::from_slice(&[object.column, &[object.instance]].concat())).collect()
    }

    fn written(status: u8, bindings: Vec<VarBind>) -> Vec<u8> {
        let body = PduBody::Standard { pdu_type: StandardPduType::Response, error_status: 0, error_index: 0 };
        let pdu = Pdu::from_raw_parts(ID, body, bindings);
        let mut octets = CommunityMessage::v2c("public", pdu).unwrap().encode().unwrap().to_vec();
        let id = octets.windows(4).position(|octets| octets == ID.to_be_bytes()).unwrap();
        // the library insists on what agents may get wrong
        octets[id + 6] = status;
        octets
    }

    fn told(response: &Response<'_>) -> Option<SnmpSample> {
        let mut sample = SnmpSample::default();
        response.tell(&template().objects, &mut sample).then_some(sample)
    }

    /// As the library reads numbers.
    fn expected(bindings: &[VarBind]) -> SnmpSample {
        let mut sample = SnmpSample::default();
        for (name, (field, _)) in names().iter().zip(&template().objects) {
            let value = bindings.iter().find(|bound| bound.oid == *name).map(|bound| &bound.value);
            let narrow = value.and_then(Value::as_u32).map(Number::Narrow);
            if let Some(number) = narrow.or_else(|| value.and_then(Value::as_u64).map(Number::Wide)) {
                field.enter(number, &mut sample);
            }
        }
        sample
    }

    fn any_value() -> impl Strategy<Value = Value> {
        prop_oneof![
            any::<i32>().prop_map(Value::Integer),
            any::<u32>().prop_map(Value::Counter32),
            any::<u32>().prop_map(Value::Gauge32),
            any::<u32>().prop_map(Value::TimeTicks),
            any::<u64>().prop_map(Value::Counter64),
            prop::collection::vec(any::<u8>(), 0..200).prop_map(|octets| Value::OctetString(Bytes::from(octets))),
            any::<[u8; 4]>().prop_map(Value::IpAddress),
            Just(Value::ObjectIdentifier(Oid::from_slice(&[1, 3, 6, 1]))),
            Just(Value::Null),
            Just(Value::NoSuchObject),
            Just(Value::NoSuchInstance),
            Just(Value::EndOfMibView),
        ]
    }

    fn any_bindings() -> impl Strategy<Value = Vec<VarBind>> {
        let strange = [Oid::from_slice(&[1, 3, 6, 1, 2, 1, 2, 2, 1, 8, 301]), Oid::from_slice(&[2, 999, u32::MAX])];
        let name = prop::sample::select([names(), strange.to_vec()].concat());
        let in_order = prop::collection::vec(any_value(), names().len()).prop_map(|values| {
            names().into_iter().zip(values).map(|(name, value)| VarBind::new(name, value)).collect()
        });
        let in_any = prop::collection::vec((name, any_value()), 0..20)
            .prop_map(|bound| bound.into_iter().map(|(name, value)| VarBind::new(name, value)).collect());
        prop_oneof![in_order, in_any]
    }

    proptest! {
        #[test]
        fn what_a_library_writes_reads_as_it_was_meant(bindings in any_bindings(), status in 0_u8..19) {
            let octets = written(status, bindings.clone());
            let response = Response::read(&octets).unwrap();
            prop_assert_eq!((response.version, response.community), (1, &b"public"[..]));
            prop_assert_eq!((response.request_id, response.status), (ID, status.into()));
            prop_assert_eq!(told(&response), Some(expected(&bindings)));
        }

        #[test]
        fn what_is_cut_off_is_nothing(bindings in any_bindings(), at in any::<prop::sample::Index>()) {
            let octets = written(0, bindings);
            prop_assert_eq!(Response::read(&octets[..at.index(octets.len())]), None);
        }

        #[test]
        fn we_take_nothing_that_a_library_does_not(
            bindings in any_bindings(),
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
            more in prop::collection::vec(any::<u8>(), 0..4),
        ) {
            let mut octets = written(0, bindings);
            for (at, octet) in changes {
                let at = at.index(octets.len());
                octets[at] = octet;
            }
            octets.extend(more);
            same_as_the_library(&octets)?;
        }

        #[test]
        fn noise_is_nothing(octets in prop::collection::vec(any::<u8>(), 0..300)) {
            same_as_the_library(&octets)?;
        }
    }

    /// If we take a message, the library takes it for the same.
    pub(in crate::engine::snmp) fn same_as_the_library(octets: &[u8]) -> Result<(), TestCaseError> {
        let Some(response) = Response::read(octets) else { return Ok(()) };
        let Some(sample) = told(&response) else { return Ok(()) };
        // other versions are nobody's answer, whatever is in them
        if !(0..=1).contains(&response.version) {
            return Ok(());
        }
        let read = CommunityMessage::decode(Bytes::copy_from_slice(octets), DecodeConfig::DEFAULT);
        let (version, community, pdu) = read.unwrap().value.into_parts();
        let pdu = pdu.standard().unwrap();
        prop_assert_eq!(response.version, if version == Version::V1 { 0 } else { 1 });
        prop_assert_eq!(response.community, community.as_bytes());
        prop_assert_eq!((response.request_id, response.status), (pdu.request_id(), pdu.error_status()));
        prop_assert_eq!(sample, expected(pdu.varbinds()));
        Ok(())
    }
}
