//! As much of BER (X.690) as a simulated agent needs to read a request and to write any answer to it, right or wrong.

pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const OCTETS: u8 = 0x04;
pub(crate) const NULL: u8 = 0x05;
pub(crate) const OID: u8 = 0x06;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const COUNTER: u8 = 0x41;
pub(crate) const RESPONSE: u8 = 0xa2;
pub(crate) const REPORT: u8 = 0xa8;

/// A value with its tag and length.
pub(crate) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).expect("a short value").to_be_bytes();
    [&[tag, 0x82], &length[..], content].concat()
}

pub(crate) fn seq(tag: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(tag, &parts.concat())
}

pub(crate) fn integer(value: i32) -> Vec<u8> {
    tlv(INTEGER, &value.to_be_bytes())
}

/// Tags and contents of the values that stand in `bytes` one after the other.
pub(crate) fn values(mut bytes: &[u8]) -> Vec<(u8, &[u8])> {
    let mut values = Vec::new();
    while let [tag, first, rest @ ..] = bytes {
        let (length, rest) = if *first < 0x80 {
            (usize::from(*first), rest)
        } else {
            let (length, rest) = rest.split_at(usize::from(*first & 0x7f));
            (length.iter().fold(0, |sum, octet| sum << 8 | usize::from(*octet)), rest)
        };
        let (content, rest) = rest.split_at(length);
        values.push((*tag, content));
        bytes = rest;
    }
    values
}

/// What a get asks.
pub(crate) struct Get {
    /// Integer, as the response is to repeat it.
    pub(crate) request_id: Vec<u8>,
    /// Contents of the object identifiers.
    pub(crate) objects: Vec<Vec<u8>>,
}

/// Reads the content of a get.
pub(crate) fn get(pdu: &[u8]) -> Get {
    let parts = values(pdu);
    let objects = values(parts[3].1).into_iter().map(|(_, bound)| values(bound)[0].1.to_vec()).collect();
    Get { request_id: tlv(INTEGER, parts[0].1), objects }
}

/// The get in an SNMPv1 or SNMPv2c message.
pub(crate) fn community_get(message: &[u8]) -> Get {
    get(values(values(message)[0].1)[2].1)
}

/// A variable binding of `object` to a value with its tag.
pub(crate) fn bound(object: &[u8], value: Vec<u8>) -> Vec<u8> {
    seq(SEQUENCE, &[tlv(OID, object), value])
}

/// A response or report.
pub(crate) fn pdu(tag: u8, request_id: Vec<u8>, status: i32, index: i32, bindings: &[Vec<u8>]) -> Vec<u8> {
    seq(tag, &[request_id, integer(status), integer(index), seq(SEQUENCE, bindings)])
}

/// `pdu` in place of the one in `request`, an SNMPv1 or SNMPv2c message.
pub(crate) fn community_answer(request: &[u8], pdu: Vec<u8>) -> Vec<u8> {
    let parts = values(values(request)[0].1);
    seq(SEQUENCE, &[tlv(INTEGER, parts[0].1), tlv(OCTETS, parts[1].1), pdu])
}
