//! ICMP errors (RFC 792, RFC 4443): a router sends back the beginning of an echo of ours that it could not pass on.

use super::echo::{REQUEST_V4, REQUEST_V6, Token};
use super::family::Version;
use crate::domain::watch::Obstacle;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Types of "destination unreachable" and "time exceeded" in IPv4 and in IPv6.
pub(super) const UNREACHABLE_V4: u8 = 3;
pub(super) const EXCEEDED_V4: u8 = 11;
pub(super) const UNREACHABLE_V6: u8 = 1;
pub(super) const EXCEEDED_V6: u8 = 3;

/// What precedes the quoted datagram: type, code, checksum, four bytes that are no concern of ours.
pub(super) const HEADER_LEN: usize = 8;
/// An IPv4 header without options, and an IPv6 header.
const MIN_IPV4_HEADER: usize = 20;
pub(super) const IPV6_HEADER: usize = 40;

/// An error about an echo request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Complaint {
    pub(super) why: Obstacle,
    pub(super) about: Quote,
}

/// What is known of the echo that an error is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Quote {
    /// Where it was sent.
    pub(super) to: IpAddr,
    pub(super) ident: u16,
    pub(super) sequence: u16,
    /// If the router quotes so much: RFC 792 asks for eight bytes of it, RFC 1812 and RFC 4443 for all.
    pub(super) token: Option<Token>,
}

impl Complaint {
    /// What `message`, which begins with the ICMP header, says of an echo request, if it is an error about one.
    pub(super) fn read(version: Version, message: &[u8]) -> Option<Self> {
        let (header, quoted) = message.split_first_chunk::<HEADER_LEN>()?;
        let (to, echo) = match version {
            Version::V4 => quoted_v4(quoted)?,
            Version::V6 => quoted_v6(quoted)?,
        };
        Self::about(version, [header[0], header[1]], to, echo)
    }

    /// What an error of this type and code says of `echo`, of which at least the header must be there.
    pub(super) fn about(version: Version, [kind, code]: [u8; 2], to: IpAddr, echo: &[u8]) -> Option<Self> {
        let (why, request) = match version {
            Version::V4 => (obstacle_v4(kind, code)?, REQUEST_V4),
            Version::V6 => (obstacle_v6(kind, code)?, REQUEST_V6),
        };
        let (header, body) = echo.split_first_chunk::<8>()?;
        let [kind, code, _, _, ident @ .., high, low] = *header;
        let (ident, sequence) = (u16::from_be_bytes(ident), u16::from_be_bytes([high, low]));
        let about = Quote { to, ident, sequence, token: Token::read(body) };
        ((kind, code) == (request, 0)).then_some(Self { why, about })
    }
}

/// Destination of a quoted IPv4 datagram that is ICMP, and what follows its header.
fn quoted_v4(datagram: &[u8]) -> Option<(IpAddr, &[u8])> {
    const ICMP: u8 = 1;
    let header = datagram.first_chunk::<MIN_IPV4_HEADER>()?;
    let header_len = usize::from(header[0] & 0x0f) * 4;
    // only a first fragment begins with the ICMP header
    let offset = u16::from_be_bytes([header[6], header[7]]) & 0x1fff;
    let to = Ipv4Addr::from(*header.last_chunk::<4>()?);
    let is_it = header[0] >> 4 == 4 && header_len >= MIN_IPV4_HEADER && offset == 0 && header[9] == ICMP;
    is_it.then_some((IpAddr::V4(to), datagram.get(header_len..)?))
}

/// The same for IPv6. Our echoes have no extension headers.
fn quoted_v6(datagram: &[u8]) -> Option<(IpAddr, &[u8])> {
    const ICMPV6: u8 = 58;
    let (header, rest) = datagram.split_first_chunk::<IPV6_HEADER>()?;
    let to = Ipv6Addr::from(*header.last_chunk::<16>()?);
    (header[0] >> 4 == 6 && header[6] == ICMPV6).then_some((IpAddr::V6(to), rest))
}

/// Codes of RFC 792 and RFC 1812, 5.2.7.1.
const fn obstacle_v4(kind: u8, code: u8) -> Option<Obstacle> {
    match (kind, code) {
        (UNREACHABLE_V4, 0 | 6 | 11) => Some(Obstacle::Net),
        (UNREACHABLE_V4, 1 | 7 | 12) => Some(Obstacle::Host),
        (UNREACHABLE_V4, 2 | 3) => Some(Obstacle::Port),
        (UNREACHABLE_V4, 9 | 10 | 13) => Some(Obstacle::Prohibited),
        (EXCEEDED_V4, 0) => Some(Obstacle::HopLimit),
        (UNREACHABLE_V4 | EXCEEDED_V4, _) => Some(Obstacle::Other),
        (_, _) => None,
    }
}

/// Codes of RFC 4443, 3.1 and 3.3.
const fn obstacle_v6(kind: u8, code: u8) -> Option<Obstacle> {
    match (kind, code) {
        (UNREACHABLE_V6, 0) => Some(Obstacle::Net),
        (UNREACHABLE_V6, 1 | 5 | 6) => Some(Obstacle::Prohibited),
        (UNREACHABLE_V6, 3) => Some(Obstacle::Host),
        (UNREACHABLE_V6, 4) => Some(Obstacle::Port),
        (EXCEEDED_V6, 0) => Some(Obstacle::HopLimit),
        (UNREACHABLE_V6 | EXCEEDED_V6, _) => Some(Obstacle::Other),
        (_, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::echo::{ECHO_LEN, request_v4, request_v6};
    use super::*;

    const TOKEN: Token = Token { serial: 0x0102_0304_0506_0708, proof: 0xfeed_beef_0bad_cafe };
    const IDENT: u16 = 0xabcd;

    /// As a router quotes an echo to 192.0.2.9, with so many words of IP options.
    fn error_v4(kind: u8, code: u8, options: u8) -> Vec<u8> {
        let mut message = vec![kind, code, 0, 0, 0, 0, 0, 0];
        message.extend([0x45 + options, 0, 0, 44, 0, 0, 0x40, 0, 1, 1, 0, 0, 198, 51, 100, 1, 192, 0, 2, 9]);
        message.resize(message.len() + usize::from(options) * 4, 1);
        message.extend(request_v4(IDENT, TOKEN));
        message
    }

    /// The same to 2001:db8::9.
    fn error_v6(kind: u8, code: u8) -> Vec<u8> {
        let mut message = vec![kind, code, 0, 0, 0, 0, 0, 0, 0x60, 0, 0, 0, 0, 24, 58, 1];
        message.extend("2001:db8::1".parse::<Ipv6Addr>().unwrap().octets());
        message.extend("2001:db8::9".parse::<Ipv6Addr>().unwrap().octets());
        message.extend(request_v6(IDENT, TOKEN));
        message
    }

    #[test]
    fn what_a_router_quotes_tells_which_echo_it_was() {
        let expected = |why, to: &str| Complaint {
            why,
            about: Quote { to: to.parse().unwrap(), ident: IDENT, sequence: 0x0708, token: Some(TOKEN) },
        };
        let v4 = |kind, code, options| Complaint::read(Version::V4, &error_v4(kind, code, options)).unwrap();
        for (kind, code, why) in [
            (UNREACHABLE_V4, 0, Obstacle::Net),
            (UNREACHABLE_V4, 1, Obstacle::Host),
            (UNREACHABLE_V4, 3, Obstacle::Port),
            (UNREACHABLE_V4, 13, Obstacle::Prohibited),
            (UNREACHABLE_V4, 4, Obstacle::Other),
            (EXCEEDED_V4, 0, Obstacle::HopLimit),
            (EXCEEDED_V4, 1, Obstacle::Other),
        ] {
            assert_eq!(v4(kind, code, 0), expected(why, "192.0.2.9"));
            assert_eq!(v4(kind, code, 10), expected(why, "192.0.2.9"), "with all the options that there may be");
        }
        let v6 = |kind, code| Complaint::read(Version::V6, &error_v6(kind, code)).unwrap();
        for (kind, code, why) in [
            (UNREACHABLE_V6, 0, Obstacle::Net),
            (UNREACHABLE_V6, 1, Obstacle::Prohibited),
            (UNREACHABLE_V6, 3, Obstacle::Host),
            (UNREACHABLE_V6, 4, Obstacle::Port),
            (UNREACHABLE_V6, 2, Obstacle::Other),
            (EXCEEDED_V6, 0, Obstacle::HopLimit),
        ] {
            assert_eq!(v6(kind, code), expected(why, "2001:db8::9"));
        }
    }

    #[test]
    fn a_router_that_quotes_the_least_tells_the_header_only() {
        for (version, whole) in [(Version::V4, error_v4(3, 1, 0)), (Version::V6, error_v6(1, 3))] {
            let echo = whole.len() - ECHO_LEN;
            for len in 0..whole.len() {
                let read = Complaint::read(version, &whole[..len]);
                assert_eq!(read.is_some(), len >= echo + 8, "{len}");
                assert!(read.is_none_or(|complaint| complaint.about.token.is_none()), "{len}");
            }
            // RFC 4884 pads the quote, and something may follow
            let longer = [&whole[..], &[0; 128]].concat();
            assert_eq!(Complaint::read(version, &longer), Complaint::read(version, &whole));
        }
    }

    #[test]
    fn nothing_else_is_about_an_echo_of_ours() {
        let spoilt = |version, message: &[u8], place: usize, byte: u8| {
            let mut message = message.to_vec();
            message[place] = byte;
            assert_eq!(Complaint::read(version, &message), None, "{version:?} {place}");
        };
        let v4 = error_v4(3, 1, 0);
        // redirect; IPv6; a header that is too short; a later fragment; UDP; an echo reply; a code
        for (place, byte) in [(0, 5), (8, 0x65), (8, 0x44), (15, 1), (17, 17), (28, 0), (29, 1)] {
            spoilt(Version::V4, &v4, place, byte);
        }
        let v6 = error_v6(1, 3);
        // packet too big; IPv4; UDP; an echo reply; a code
        for (place, byte) in [(0, 2), (8, 0x45), (14, 17), (48, 129), (49, 1)] {
            spoilt(Version::V6, &v6, place, byte);
        }
    }
}
