//! Quoted-printable (RFC 2045, 6.7).

/// Up to `limit` bytes of what `text` holds. What is no code stands for itself.
pub(super) fn decode(text: &[u8], limit: usize) -> Vec<u8> {
    bytes(text).take(limit).collect()
}

/// How many bytes all of `text` holds.
pub(super) fn size(text: &[u8]) -> usize {
    bytes(text).count()
}

fn bytes(text: &[u8]) -> impl Iterator<Item = u8> {
    let mut at = 0;
    core::iter::from_fn(move || {
        // A line end after a lone sign is none.
        while let Some(rest) = text.get(at..).and_then(|rest| rest.strip_prefix(b"=")) {
            let spaces = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            match &rest[spaces..] {
                [b'\r', b'\n', ..] => at += spaces + 3,
                [b'\n', ..] => at += spaces + 2,
                [high, low, ..] if spaces == 0 => {
                    let (Some(high), Some(low)) = (hex(*high), hex(*low)) else { break };
                    at += 3;
                    return Some(high << 4 | low);
                }
                _ => break,
            }
        }
        let byte = text.get(at).copied();
        at += 1;
        byte
    })
}

const fn hex(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_soft_line_ends_are_resolved_and_all_else_stands() {
        assert_eq!(decode(b"a=3D=\r\nb=c3=A9 =\nc=  \r\nd", 99), "a=bé cd".as_bytes());
        assert_eq!(decode(b"50 = 50, =XY =4", 99), b"50 = 50, =XY =4");
        assert_eq!(decode(b"=41=42=43", 2), b"AB");
        assert_eq!(size(b"=41=\n="), 2);
    }
}
