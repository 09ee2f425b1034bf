//! ICMP echo messages (RFC 792, RFC 4443), as far as the engine needs them.

/// What an echo carries and its reply returns: which probe it is of, and a word that nobody can guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    /// Number of the probe, unique in this process.
    pub(super) serial: u64,
    /// Keyed hash over the probe.
    pub(super) proof: u64,
}

impl Token {
    /// The token that `body`, what follows the header, begins with, if it is long enough.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let (serial, rest) = body.split_first_chunk::<8>()?;
        let proof = rest.first_chunk::<8>()?;
        Some(Self { serial: u64::from_be_bytes(*serial), proof: u64::from_be_bytes(*proof) })
    }
}

/// Header and token.
pub(super) const ECHO_LEN: usize = HEADER_LEN + 16;

/// Type, code, checksum, identifier, sequence number.
const HEADER_LEN: usize = 8;

/// Type of an echo request in IPv4 and in IPv6.
pub(super) const REQUEST_V4: u8 = 8;
pub(super) const REQUEST_V6: u8 = 128;

/// Type of an echo reply in IPv4 and in IPv6.
pub(super) const REPLY_V4: u8 = 0;
pub(super) const REPLY_V6: u8 = 129;

/// An echo request for IPv4.
pub(super) fn request_v4(ident: u16, token: Token) -> [u8; ECHO_LEN] {
    let mut message = request(REQUEST_V4, ident, token);
    let sum = checksum(&message);
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    message
}

/// An echo request for IPv6. The kernel fills in the checksum, for it knows the source address.
pub(super) fn request_v6(ident: u16, token: Token) -> [u8; ECHO_LEN] {
    request(REQUEST_V6, ident, token)
}

/// The token of an echo reply, if `message` is one of a shape that we could have asked for.
pub(super) fn reply(reply_type: u8, message: &[u8]) -> Option<Token> {
    let message: &[u8; ECHO_LEN] = message.try_into().ok()?;
    let (header, body) = message.split_first_chunk::<HEADER_LEN>()?;
    Token::read(body).filter(|_| header[0] == reply_type && header[1] == 0)
}

/// What follows the IPv4 header of a datagram from a raw socket.
pub(super) fn after_ip_header(datagram: &[u8]) -> Option<&[u8]> {
    datagram.get(usize::from(datagram.first()? & 0x0f) * 4..)
}

fn request(kind: u8, ident: u16, token: Token) -> [u8; ECHO_LEN] {
    let [.., high, low] = token.serial.to_be_bytes();
    let mut message = [0; ECHO_LEN];
    message[0] = kind;
    message[4..6].copy_from_slice(&ident.to_be_bytes());
    message[6..8].copy_from_slice(&[high, low]);
    message[8..16].copy_from_slice(&token.serial.to_be_bytes());
    message[16..].copy_from_slice(&token.proof.to_be_bytes());
    message
}

/// The Internet checksum (RFC 1071).
fn checksum(message: &[u8; ECHO_LEN]) -> u16 {
    let sum: u32 = message.chunks_exact(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    !((folded & 0xffff) + (folded >> 16)) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: Token = Token { serial: 0x0102_0304_0506_0708, proof: 0xfeed_beef_0bad_cafe };

    #[test]
    fn a_request_adds_up_to_zero_and_its_reply_gives_the_token_back() {
        let mut message = request_v4(0xabcd, TOKEN);
        assert_eq!(checksum(&message), 0);
        assert_eq!(message[6..8], [7, 8], "the sequence number is the end of the serial");
        assert_eq!(reply(REPLY_V4, &message), None, "a request is not a reply");
        message[0] = REPLY_V4;
        assert_eq!(reply(REPLY_V4, &message), Some(TOKEN));
        message[0] = REPLY_V6;
        assert_eq!(reply(REPLY_V6, &message), Some(TOKEN));
    }

    #[test]
    fn no_other_shape_is_a_reply() {
        let mut message = request_v4(1, TOKEN);
        message[0] = REPLY_V4;
        for len in 0..message.len() {
            assert_eq!(reply(REPLY_V4, &message[..len]), None);
        }
        let mut longer = message.to_vec();
        longer.push(0);
        assert_eq!(reply(REPLY_V4, &longer), None);
        message[1] = 1;
        assert_eq!(reply(REPLY_V4, &message), None, "a code other than 0");
    }

    #[test]
    fn an_ip_header_with_options_is_skipped_and_a_cut_one_is_nothing() {
        let mut datagram = vec![0x46; 24];
        datagram.extend([1, 2, 3]);
        assert_eq!(after_ip_header(&datagram), Some(&[1, 2, 3][..]));
        assert_eq!(after_ip_header(&datagram[..23]), None);
        assert_eq!(after_ip_header(&[]), None);
    }
}
