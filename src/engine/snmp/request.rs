//! Questions in the form of SNMPv1 and SNMPv2c messages (RFC 1157, RFC 1901): written once for all agents that are asked the same.

use super::question::{Asked, Field, Object};
use crate::domain::watch::SnmpVersion;
use core::ops::Range;

/// Tags of BER (X.690) and of SNMP.
const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const NULL: u8 = 0x05;
const OID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const GET: u8 = 0xa0;

/// Octets of a request-id.
const ID_LEN: usize = 4;

/// A question to all agents with the same access.
#[derive(Debug)]
pub(super) struct Template {
    /// Which it is.
    pub(super) asked: Asked,
    /// As messages count versions: 0 is SNMPv1, 1 is SNMPv2c.
    pub(super) version: i32,
    pub(super) community: Box<[u8]>,
    /// Each with its name in BER.
    pub(super) objects: Box<[(Field, Box<[u8]>)]>,
    whole: Message,
}

/// A get that lacks its request-id.
#[derive(Debug)]
struct Message {
    octets: Box<[u8]>,
    id_at: usize,
}

impl Template {
    /// What an agent with this access is `asked`. `None` for SNMPv3.
    pub(super) fn new(access: &SnmpVersion, asked: Asked) -> Option<Self> {
        let (version, community) = match access {
            SnmpVersion::V1 { community } => (0, community),
            SnmpVersion::V2c { community } => (1, community),
            SnmpVersion::V3 { .. } => return None,
        };
        let community: Box<[u8]> = community.expose().as_bytes().into();
        let objects: Box<[_]> = asked.objects().iter().map(|object| (object.field, name(object))).collect();
        let whole = Message::get(version, &community, &objects);
        Some(Self { asked, version, community, objects, whole })
    }

    /// Appends a get of the objects in `part` with this request-id to `out`.
    pub(super) fn write(&self, part: Range<usize>, id: u32, out: &mut Vec<u8>) {
        if part == (0..self.objects.len()) {
            self.whole.write(id, out);
        } else {
            Message::get(self.version, &self.community, &self.objects[part]).write(id, out);
        }
    }
}

impl Message {
    fn get(version: i32, community: &[u8], objects: &[(Field, Box<[u8]>)]) -> Self {
        let bound = |(_, name): &(Field, Box<[u8]>)| value(SEQUENCE, &[&value(OID, &[name]), &value(NULL, &[])]);
        let bound: Vec<u8> = objects.iter().flat_map(bound).collect();
        let none = value(INTEGER, &[&[0]]);
        // status and index mean nothing in a question
        let pdu = [&value(INTEGER, &[&[0; ID_LEN]])[..], &none, &none, &value(SEQUENCE, &[&bound])].concat();
        let community = value(OCTETS, &[community]);
        let octets = value(SEQUENCE, &[&value(INTEGER, &[&[version as u8]]), &community, &value(GET, &[&pdu])]);
        let id_at = octets.len() - pdu.len() + 2;
        Self { octets: octets.into(), id_at }
    }

    fn write(&self, id: u32, out: &mut Vec<u8>) {
        let start = out.len() + self.id_at;
        out.extend_from_slice(&self.octets);
        out[start..start + ID_LEN].copy_from_slice(&id.to_be_bytes());
    }
}

/// A value of these parts, with its tag and length.
fn value(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let len: usize = parts.iter().map(|part| part.len()).sum();
    let [.., high, low] = len.to_be_bytes();
    let head: &[u8] = match len {
        0..0x80 => &[tag, low],
        0x80..0x100 => &[tag, 0x81, low],
        _ => &[tag, 0x82, high, low],
    };
    [&[head], parts].concat().concat()
}

/// The content of an object identifier (X.690 section 8.19).
fn name(object: &Object) -> Box<[u8]> {
    let arcs = object.column.iter().copied().chain([object.instance]);
    // the first two arcs are one octet, 1.3 in all that we ask
    [0x2b].into_iter().chain(arcs.skip(2).flat_map(base_128)).collect()
}

/// Seven bits an octet, all but the last marked.
fn base_128(arc: u32) -> impl Iterator<Item = u8> {
    let groups = (u32::BITS - arc.leading_zeros()).div_ceil(7).max(1);
    (0..groups).rev().map(move |group| {
        let seven = (arc >> (group * 7)) as u8 & 0x7f;
        if group == 0 { seven } else { seven | 0x80 }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::watch::{Secret, SnmpAccess};
    use crate::engine::snmp::question::Question;
    use async_snmp::message::CommunityMessage;
    use async_snmp::{DecodeConfig, Oid, Value, Version};
    use bytes::Bytes;

    fn template(community: &str, v1: bool, interface: Option<u32>) -> Template {
        let community = Secret::new(community.to_owned());
        let version = if v1 { SnmpVersion::V1 { community } } else { SnmpVersion::V2c { community } };
        let access = SnmpAccess { version, port: 161, interface };
        Template::new(&access.version, Question::new(&access).ask()).unwrap()
    }

    #[test]
    fn a_library_reads_what_we_write() {
        let longest = "c".repeat(255);
        for (community, v1) in [("public", false), ("public", true), (&longest, false), ("c", true)] {
            for interface in [None, Some(1), Some(127), Some(128), Some(2_097_152), Some(i32::MAX as u32)] {
                let template = template(community, v1, interface);
                let count = template.objects.len();
                for part in [0..count, 0..1, count / 2..count] {
                    let mut written = b"before".to_vec();
                    template.write(part.clone(), 0x5eed_cafe, &mut written);
                    let message = Bytes::copy_from_slice(&written[6..]);
                    let read = CommunityMessage::decode(message, DecodeConfig::STRICT).unwrap();
                    assert!(read.anomalies.is_empty());
                    let (version, sent, pdu) = read.value.into_parts();
                    assert_eq!(version, if v1 { Version::V1 } else { Version::V2c });
                    assert_eq!(sent.as_bytes(), community.as_bytes());
                    let get = pdu.standard().unwrap();
                    assert_eq!((get.pdu_type().tag(), get.request_id(), get.error_status()), (GET, 0x5eed_cafe, 0));
                    let asked: Vec<_> = get.varbinds().iter().map(|bound| bound.oid.clone()).collect();
                    let meant = template.asked.objects()[part].iter().map(oid).collect::<Vec<_>>();
                    assert_eq!(asked, meant);
                    assert!(get.varbinds().iter().all(|bound| bound.value == Value::Null));
                }
            }
        }
    }

    fn oid(object: &Object) -> Oid {
        Oid::from_slice(&[object.column, &[object.instance]].concat())
    }

    #[test]
    fn snmpv3_has_no_community() {
        let version = SnmpVersion::V3 { user: "user".to_owned(), auth: None, privacy: None };
        let access = SnmpAccess { version, port: 161, interface: None };
        assert!(Template::new(&access.version, Question::new(&access).ask()).is_none());
    }
}
