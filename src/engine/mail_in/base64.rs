//! Base64 (RFC 2045, 6.8; RFC 4648): what strangers write of it, and what we do.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Up to `limit` bytes of what `text` holds. Characters that mean nothing are passed over (RFC 2045, 6.8).
pub(super) fn decode(text: &[u8], limit: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity((text.len() / 4 * 3).min(limit));
    let (mut bits, mut held) = (0_u32, 0_u32);
    for digit in digits(text) {
        bits = bits << 6 | digit;
        held += 6;
        if held >= 8 {
            held -= 8;
            if bytes.len() == limit {
                break;
            }
            bytes.push((bits >> held & 0xff) as u8);
        }
    }
    bytes
}

/// How many bytes all of `text` holds.
pub(super) fn size(text: &[u8]) -> usize {
    digits(text).count() * 6 / 8
}

/// Digits up to the padding.
fn digits(text: &[u8]) -> impl Iterator<Item = u32> {
    text.iter().take_while(|byte| **byte != b'=').filter_map(|byte| digit(*byte))
}

const fn digit(byte: u8) -> Option<u32> {
    match byte {
        b'A'..=b'Z' => Some((byte - b'A') as u32),
        b'a'..=b'z' => Some((byte - b'a') as u32 + 26),
        b'0'..=b'9' => Some((byte - b'0') as u32 + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

/// `bytes` in base64, without padding.
pub(super) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 4 / 3 + 3);
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for place in 0..=group.len() {
            text.push(char::from(ALPHABET[(bits >> (18 - 6 * place) & 63) as usize]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded() {
        for (bytes, text) in [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg")] {
            assert_eq!(encode(bytes.as_bytes()), text);
            assert_eq!(decode(text.as_bytes(), 9), bytes.as_bytes());
            assert_eq!(size(text.as_bytes()), bytes.len());
        }
        assert_eq!(decode(b"Zm\r\n9v!?YmFy==Zm9v", 99), b"foobar");
        assert_eq!(decode(b"Zm9vYmFy", 4), b"foob");
    }
}
