//! The head of a message or of a part (RFC 5322, 2.2), and what its fields hold.

use crate::domain::mail::MAX_ANSWERED;
use mail_parser::HeaderValue;
use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::parsers::MessageStream;
use std::borrow::Cow;

/// Bytes of a head that are looked at.
const MAX_HEAD: usize = 256 << 10;
/// Fields of a head that are looked at.
const MAX_FIELDS: usize = 1_000;
/// Bytes of a field that are looked at.
const MAX_FIELD: usize = 16 << 10;
/// Longest Message-ID that is one, in bytes; RFC 5322 ends lines at 998.
const MAX_ID: usize = 500;
/// Longest address that is one, in bytes (RFC 5321, 4.5.3.1).
const MAX_ADDRESS: usize = 320;

/// The fields of a head, in their order.
pub(super) struct Head<'a>(Vec<(&'a [u8], &'a [u8])>);

impl<'a> Head<'a> {
    /// Parts `raw` into its head and what comes after it.
    ///
    /// A line that can be in no head ends it, as an empty one does: so a message without the empty line keeps its text.
    pub(super) fn split(raw: &'a [u8]) -> (Self, &'a [u8]) {
        let mut fields: Vec<(&[u8], &[u8])> = Vec::new();
        let mut at = 0;
        // The line that a mailbox file (RFC 4155) puts before a message.
        if raw.starts_with(b"From ") || raw.starts_with(b">From ") {
            at = end_of_line(raw, 0);
        }
        loop {
            let start = at;
            let line_end = end_of_line(raw, at);
            let line = without_end(&raw[start..line_end]);
            if line.is_empty() {
                return (Self(fields), &raw[line_end..]);
            }
            let Some(name) = name(line) else { return (Self(fields), &raw[start..]) };
            at = line_end;
            while raw.get(at).is_some_and(|byte| matches!(byte, b' ' | b'\t')) {
                at = end_of_line(raw, at);
            }
            if fields.len() < MAX_FIELDS && start < MAX_HEAD {
                let value = &raw[start + line.iter().position(|byte| *byte == b':').map_or(0, |colon| colon + 1)..at];
                fields.push((name, &value[..value.len().min(MAX_FIELD)]));
            }
        }
    }

    /// Whether there is no field at all.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether there is a field of this name, whatever it says.
    pub(super) fn has(&self, name: &str) -> bool {
        self.raw(name).next().is_some()
    }

    /// What the fields of this name hold, as it stands, the topmost first.
    pub(super) fn raw(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.0.iter().filter(move |(theirs, _)| theirs.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| *value)
    }

    /// What the fields of this name say: unfolded, in characters, without white space at both ends.
    pub(super) fn values(&self, name: &str) -> impl Iterator<Item = String> {
        self.raw(name).map(unfolded)
    }

    /// The first of [`Self::values`].
    pub(super) fn value(&self, name: &str) -> Option<String> {
        self.values(name).next()
    }

    /// The first of [`Self::values`] in lower case, without comments and without parameters.
    pub(super) fn word(&self, name: &str) -> Option<String> {
        self.value(name).map(|value| {
            let bare = without_comments(&value);
            bare.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
        })
    }

    /// A field of text with its encoded words (RFC 2047) decoded.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let mut value = characters(self.raw(name).next()?).into_owned();
        value.push('\n');
        match MessageStream::new(value.as_bytes()).parse_unstructured() {
            HeaderValue::Text(text) => Some(text.into_owned()),
            HeaderValue::TextList(list) => Some(list.join(" ")),
            HeaderValue::Address(_)
            | HeaderValue::DateTime(_)
            | HeaderValue::ContentType(_)
            | HeaderValue::Received(_)
            | HeaderValue::Empty => None,
        }
    }

    /// Message-IDs in the fields of this name, in their order and without brackets.
    pub(super) fn ids(&self, name: &str) -> Vec<String> {
        self.values(name).flat_map(|value| ids(&value)).collect()
    }

    /// Addresses in the fields of this name, in lower case. `None` is one that can't be read for sure.
    pub(super) fn addresses(&self, name: &str) -> Vec<Option<String>> {
        self.values(name).flat_map(|value| addresses(&value)).collect()
    }
}

/// Place after the line that begins at `at`.
pub(super) fn end_of_line(raw: &[u8], at: usize) -> usize {
    raw[at..].iter().position(|byte| *byte == b'\n').map_or(raw.len(), |end| at + end + 1)
}

/// A line without what ends it.
pub(super) fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// The name of the field that begins in this line.
fn name(line: &[u8]) -> Option<&[u8]> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let name = line[..colon].trim_ascii_end();
    (!name.is_empty() && name.iter().all(u8::is_ascii_graphic)).then_some(name)
}

/// Bytes as the characters that they most likely are: UTF-8 (RFC 6532), else what Windows makes of 8 bits.
pub(super) fn characters(bytes: &[u8]) -> Cow<'_, str> {
    match (core::str::from_utf8(bytes), charset_decoder(b"windows-1252")) {
        (Ok(text), _) => Cow::Borrowed(text),
        (Err(_), Some(decode)) => Cow::Owned(decode(bytes)),
        (Err(_), None) => String::from_utf8_lossy(bytes),
    }
}

/// In one line: line ends and other control characters are one space each.
fn unfolded(value: &[u8]) -> String {
    let flat: String = characters(value).chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    flat.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().trim().to_owned()
}

/// Without what is in parentheses, which may be nested, outside of quotes.
pub(super) fn without_comments(value: &str) -> String {
    let mut bare = String::with_capacity(value.len());
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for c in value.chars() {
        let taken_as_it_is = core::mem::take(&mut escaped);
        match c {
            '\\' if !taken_as_it_is && (quoted || depth > 0) => escaped = true,
            '"' if !taken_as_it_is && depth == 0 => quoted = !quoted,
            '(' if !taken_as_it_is && !quoted => depth += 1,
            ')' if !taken_as_it_is && !quoted && depth > 0 => {
                depth -= 1;
                // A comment parts two words as white space does.
                bare.push(' ');
                continue;
            }
            _ => {}
        }
        if depth == 0 {
            bare.push(c);
        }
    }
    bare
}

/// Message-IDs: what is in angle brackets; without any, words with an `@`.
pub(super) fn ids(value: &str) -> Vec<String> {
    let words: Vec<String> = if value.contains('<') {
        let inside = value.split('<').skip(1).filter_map(|rest| rest.split_once('>'));
        inside.map(|(id, _)| id.chars().filter(|c| !c.is_whitespace()).collect()).collect()
    } else {
        value.split_whitespace().filter(|word| word.contains('@')).map(str::to_owned).collect()
    };
    let mut ids: Vec<String> = words.into_iter().filter(|id| !id.is_empty() && id.len() <= MAX_ID).collect();
    // Who answers, writes the latest last.
    let too_many = ids.len().saturating_sub(MAX_ANSWERED);
    ids.drain(..too_many);
    ids
}

/// The mailboxes of a list of addresses (RFC 5322, 3.4), one after the other.
fn addresses(value: &str) -> Vec<Option<String>> {
    let mut found = Vec::new();
    let mut mailbox = Mailbox::default();
    let bare = without_comments(value);
    let mut characters = bare.chars();
    while let Some(c) = characters.next() {
        match c {
            '"' => mailbox.quoted(&mut characters),
            '<' => mailbox.bracketed(&mut characters),
            // What comes before a group's colon is its name; with an address in it nobody knows what is meant.
            ':' => {
                let name = core::mem::take(&mut mailbox);
                found.extend((name.loose.contains('@') || !name.inside.is_empty()).then_some(None));
            }
            ',' | ';' => found.extend(core::mem::take(&mut mailbox).end()),
            other => mailbox.loose.push(other),
        }
    }
    found.extend(mailbox.end());
    found
}

/// A mailbox that is being read.
#[derive(Default)]
struct Mailbox {
    /// Characters outside of brackets.
    loose: String,
    /// What is in angle brackets, once for each.
    inside: Vec<String>,
}

impl Mailbox {
    /// Takes what is quoted: of a name nothing is kept but that it was there.
    fn quoted(&mut self, characters: &mut core::str::Chars<'_>) {
        self.loose.push(' ');
        let mut word = String::new();
        while let Some(c) = characters.next() {
            match c {
                '"' => break,
                '\\' => word.extend(characters.next()),
                other => word.push(other),
            }
        }
        // `"it.department"@acme.example` is an address; any other quoted word is a name.
        if characters.as_str().starts_with('@') {
            self.loose.push_str(&word);
        }
    }

    fn bracketed(&mut self, characters: &mut core::str::Chars<'_>) {
        let inside: String = characters.by_ref().take_while(|c| *c != '>').collect();
        // A route of old (RFC 5322, 4.4) stands before the address.
        self.inside.push(inside.rsplit(':').next().unwrap_or_default().trim().replace('"', ""));
    }

    /// The address, if there was anything at all.
    fn end(self) -> Option<Option<String>> {
        match self.inside.as_slice() {
            [] if self.loose.trim().is_empty() => None,
            [] => Some(address(self.loose.trim())),
            // An address after the brackets, or beside them, is a name that wants to be taken for one.
            [inside] => Some(address(inside)),
            [_, _, ..] => Some(None),
        }
    }
}

/// An address in lower case, if `text` is one.
pub(super) fn address(text: &str) -> Option<String> {
    let (local, domain) = text.rsplit_once('@')?;
    let fits = text.len() <= MAX_ADDRESS && !local.is_empty() && !domain.is_empty() && !local.contains('@');
    let clean =
        text.chars().all(|c| !c.is_whitespace() && !c.is_control() && !is_invisible(c) && !"<>(),;:\\\"".contains(c));
    // An address of an IP has colons, and nobody writes from one.
    (fits && clean).then(|| text.to_lowercase())
}

/// Characters that are not seen, or that turn round how others are.
pub(super) const fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// One line of at most `limit` bytes that can be shown anywhere.
pub(super) fn line(text: &str, limit: usize) -> String {
    let mut line = String::new();
    for c in text.chars().map(|c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c }) {
        let doubled = c == ' ' && (line.is_empty() || line.ends_with(' '));
        if line.len() + c.len_utf8() > limit {
            break;
        }
        if !is_invisible(c) && !doubled {
            line.push(c);
        }
    }
    line.truncate(line.trim_end().len());
    line
}
