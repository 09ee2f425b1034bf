//! The parts of a message (RFC 2045, RFC 2046).
//!
//! A tree of slices, with a bound for each way in which it could grow: a part beyond one of them is not looked at.

use super::head::{Head, characters, end_of_line, line, without_end};
use super::{base64, quoted};
use mail_parser::HeaderValue;
use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::parsers::MessageStream;

/// Multiparts within multiparts that are looked into.
pub(super) const MAX_DEPTH: usize = 10;
/// Parts of a message that are looked at.
pub(super) const MAX_PARTS: usize = 300;
/// Bytes of a text that are decoded; only some of them go onto a case.
pub(super) const MAX_DECODED: usize = 256 << 10;
/// Longest media type that is kept, in bytes.
const MAX_TYPE: usize = 100;
/// Longest name of a file that is kept, in bytes.
const MAX_NAME: usize = 200;

/// A part: the message itself, or one of a multipart.
pub(super) struct Part<'a> {
    /// Its fields.
    pub(super) head: Head<'a>,
    /// What it is, in lower case: `text/plain` where nothing is said.
    pub(super) media: String,
    kind: Option<Kind>,
    body: &'a [u8],
    /// What a multipart consists of.
    pub(super) children: Vec<Part<'a>>,
}

impl<'a> Part<'a> {
    /// A whole message.
    pub(super) fn message(raw: &'a [u8]) -> Self {
        Self::read(raw, "text/plain", 0, &mut 0)
    }

    fn read(raw: &'a [u8], default: &str, depth: usize, parts: &mut usize) -> Self {
        let (head, body) = Head::split(raw);
        let kind = Kind::read(&head, "Content-Type");
        let media = kind.as_ref().map_or_else(|| default.to_owned(), |kind| kind.media.clone());
        let mut part = Self { head, media, kind, body, children: Vec::new() };
        if part.media.starts_with("multipart/") && depth < MAX_DEPTH {
            let default = if part.media == "multipart/digest" { "message/rfc822" } else { "text/plain" };
            let boundary = part.parameter("boundary").unwrap_or_default();
            for raw in split(body, boundary.as_bytes(), MAX_PARTS.saturating_sub(*parts)) {
                *parts += 1;
                part.children.push(Self::read(raw, default, depth + 1, parts));
            }
        }
        part
    }

    /// A parameter of its `Content-Type`.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        self.kind.as_ref()?.parameter(name).map(str::to_owned)
    }

    /// It and all in it, in their order.
    pub(super) fn all(&self) -> Vec<&Self> {
        let mut all = vec![self];
        let mut next = 0;
        while let Some(part) = all.get(next).copied() {
            next += 1;
            // Depth first, as they stand in the message.
            all.splice(next..next, &part.children);
        }
        all
    }

    /// Whether it is to be kept apart, rather than shown with the text.
    pub(super) fn is_attached(&self) -> bool {
        let disposition = self.head.word("Content-Disposition");
        disposition.is_some_and(|word| word == "attachment") || !self.file_name().is_empty()
    }

    /// The last name of the path that its sender gave it.
    pub(super) fn file_name(&self) -> String {
        let disposition = Kind::read(&self.head, "Content-Disposition");
        let given = disposition
            .and_then(|kind| kind.parameter("filename").map(str::to_owned))
            .or_else(|| self.parameter("name"));
        let name = line(&given.unwrap_or_default(), usize::MAX);
        let name = name.rsplit(['/', '\\']).next().unwrap_or_default().trim();
        line(if matches!(name, "." | "..") { "" } else { name }, MAX_NAME)
    }

    /// What it holds, decoded, but for what is beyond `limit` bytes.
    pub(super) fn bytes(&self, limit: usize) -> Vec<u8> {
        match self.head.word("Content-Transfer-Encoding").as_deref() {
            Some("base64") => base64::decode(self.body, limit),
            Some("quoted-printable") => quoted::decode(self.body, limit),
            Some(_) | None => self.body[..self.body.len().min(limit)].to_vec(),
        }
    }

    /// Size of what it holds, decoded, in bytes.
    pub(super) fn size(&self) -> u64 {
        let size = match self.head.word("Content-Transfer-Encoding").as_deref() {
            Some("base64") => base64::size(self.body),
            Some("quoted-printable") => quoted::size(self.body),
            Some(_) | None => self.body.len(),
        };
        size as u64
    }

    /// Its text, in characters and with `\n` at the ends of lines.
    pub(super) fn text(&self) -> String {
        let bytes = self.bytes(MAX_DECODED);
        let charset = self.parameter("charset").unwrap_or_default();
        let named = !matches!(charset.to_ascii_lowercase().as_str(), "" | "utf-8" | "us-ascii" | "utf8");
        let text = match charset_decoder(charset.as_bytes()) {
            Some(decode) if named => decode(&bytes),
            Some(_) | None => characters(whole_characters(&bytes)).into_owned(),
        };
        text.replace("\r\n", "\n").replace('\r', "\n")
    }
}

/// UTF-8 that was cut within a character, without the rest of it.
fn whole_characters(bytes: &[u8]) -> &[u8] {
    match core::str::from_utf8(bytes) {
        // No length: what is wrong is that it ends.
        Err(error) if error.error_len().is_none() => &bytes[..error.valid_up_to()],
        Err(_) | Ok(_) => bytes,
    }
}

/// What a `Content-Type` or a `Content-Disposition` says (RFC 2045, 5.1; RFC 2231).
struct Kind {
    media: String,
    parameters: Vec<(String, String)>,
}

impl Kind {
    fn read(head: &Head<'_>, name: &str) -> Option<Self> {
        let mut value = characters(head.raw(name).next()?).into_owned();
        value.push('\n');
        let HeaderValue::ContentType(kind) = MessageStream::new(value.as_bytes()).parse_content_type() else {
            return None;
        };
        let parameters = kind.attributes().unwrap_or_default().iter();
        let parameters = parameters.map(|one| (one.name.to_ascii_lowercase(), one.value.to_string())).collect();
        Some(Self { media: media(kind.ctype(), kind.subtype()), parameters })
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(theirs, _)| theirs == name).map(|(_, value)| value.as_str())
    }
}

fn media(kind: &str, subtype: Option<&str>) -> String {
    let whole = subtype.map(|subtype| format!("{kind}/{subtype}").to_ascii_lowercase());
    let fits = |media: &String| media.len() <= MAX_TYPE && media.bytes().all(|byte| byte.is_ascii_graphic());
    match whole.filter(fits) {
        Some(media) => media,
        // RFC 2045, 5.2: what can't be read is text, if it says so.
        None if kind.eq_ignore_ascii_case("text") => "text/plain".to_owned(),
        None => "application/octet-stream".to_owned(),
    }
}

/// What stands between the boundaries (RFC 2046, 5.1.1), up to `limit` of them. The last boundary may be missing.
fn split<'a>(body: &'a [u8], boundary: &[u8], limit: usize) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    let mut began = None;
    let mut at = 0;
    while at < body.len() && !boundary.is_empty() && parts.len() < limit {
        let end = end_of_line(body, at);
        if let Some(rest) = body[at..end].strip_prefix(b"--").and_then(|line| line.strip_prefix(boundary)) {
            let last = rest.starts_with(b"--");
            if last || rest.trim_ascii().is_empty() {
                // The line end before a boundary belongs to it.
                parts.extend(began.map(|began: usize| without_end(&body[began..at.max(began)])));
                began = (!last).then_some(end);
            }
            if last {
                break;
            }
        }
        at = end;
    }
    if parts.len() < limit {
        parts.extend(began.map(|began| &body[began..]));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_multipart_falls_into_what_stands_between_its_boundaries() {
        let all =
            |body: &'static str| split(body.as_bytes(), b"b", 9).into_iter().map(<[u8]>::to_vec).collect::<Vec<_>>();
        assert_eq!(all("pre\r\n--b\r\none\r\n--b \r\ntwo\r\n--b--\r\nafter"), [b"one".to_vec(), b"two".to_vec()]);
        assert_eq!(all("--b\none\n--bb\n--b"), [b"one\n--bb".to_vec(), b"".to_vec()]);
        assert_eq!(all("--b\nno end"), [b"no end".to_vec()]);
        assert_eq!(all("none"), Vec::<Vec<u8>>::new());
        assert_eq!(split(b"--b\n1\n--b\n2\n--b\n3\n--b--", b"b", 2), [b"1", b"2"]);
    }
}
