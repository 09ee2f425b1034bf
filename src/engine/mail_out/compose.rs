//! From the words of a letter to an Internet message (RFC 5322).

use crate::domain::letter::Mail;
use lettre::message::header::{ContentType, HeaderName, HeaderValue, MIME_VERSION_1_0};
use lettre::message::{Mailbox, Message, MessageBuilder};
use lettre::{Address, message};
use std::time::{Duration, SystemTime};

/// Longest subject and sender's name, in characters. The rest is cut.
const MAX_LINE: usize = 250;
/// Message-IDs in `References`: the first and the latest, which is what mail programs thread by.
const MAX_REFERENCES: usize = 12;
/// Longest Message-ID; what is longer does not fit into a line.
const MAX_ID: usize = 250;
/// Names the one who sent a message, so that he knows it again.
const LOOP: &str = "X-Loop";
/// The last second of the year 9999; a message's date ends there.
const LAST_DATE: i64 = 253_402_300_799_000;

/// Writes messages of one sender.
pub(super) struct Composer {
    from: Mailbox,
}

impl Composer {
    /// Fails with what is wrong with the address.
    pub(super) fn new(name: Option<&str>, address: &str) -> Result<Self, String> {
        let name = name.map(one_line).filter(|name| !name.is_empty());
        Ok(Self { from: Mailbox::new(name, parse(address)?) })
    }

    /// The domain of the sender.
    pub(super) fn domain(&self) -> &str {
        self.from.email.domain()
    }

    /// The message of `mail`, or why there can be none.
    pub(super) fn compose(&self, mail: &Mail) -> Result<Message, String> {
        let to = parse(&mail.to).map_err(|why| format!("the reader's mail address {why}"))?;
        let builder = Message::builder()
            .message_id(Some(bracketed(&mail.message_id)?))
            .date(date(mail.written_unix_ms))
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(one_line(&mail.subject))
            .raw_header(raw("Auto-Submitted", "auto-generated"))
            // What comes back to us with this has gone round.
            .raw_header(raw(LOOP, self.from.email.as_ref()))
            // Exchange goes by this one. Reports of failed delivery are welcome.
            .raw_header(raw("X-Auto-Response-Suppress", "OOF, AutoReply"))
            .header(MIME_VERSION_1_0)
            .header(ContentType::TEXT_PLAIN);
        replied(threaded(builder, mail)?, mail)?
            .body(message::Body::new(lines(&mail.body)))
            .map_err(|error| format!("makes no message: {error}"))
    }
}

fn replied(builder: MessageBuilder, mail: &Mail) -> Result<MessageBuilder, String> {
    let Some(address) = &mail.reply_to else { return Ok(builder) };
    let address = parse(address).map_err(|why| format!("the address for replies {why}"))?;
    Ok(builder.reply_to(Mailbox::new(None, address)))
}

fn threaded(mut builder: MessageBuilder, mail: &Mail) -> Result<MessageBuilder, String> {
    if let Some(id) = &mail.in_reply_to {
        builder = builder.in_reply_to(bracketed(id)?);
    }
    let left_out = mail.references.len().saturating_sub(MAX_REFERENCES);
    let references = mail.references.iter().enumerate().filter(|(at, _)| *at == 0 || *at > left_out);
    let ids = references.map(|(_, id)| bracketed(id)).collect::<Result<Vec<_>, _>>()?;
    if !ids.is_empty() {
        builder = builder.references(ids.join(" "));
    }
    Ok(builder)
}

/// An address fit for every mail server: one that is not ASCII needs an extension that few have.
fn parse(address: &str) -> Result<Address, String> {
    if !address.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(format!("{address:?} has characters other than ASCII letters, digits and signs"));
    }
    address.parse().map_err(|error| format!("{address:?} is none: {error}"))
}

fn bracketed(id: &str) -> Result<String, String> {
    let fits = id.len() <= MAX_ID && id.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>'));
    if fits { Ok(format!("<{id}>")) } else { Err(format!("{id:?} can be no Message-ID")) }
}

/// Control characters become spaces, so that no text ends its header.
fn one_line(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_LINE).collect();
    spaced.trim().to_owned()
}

/// Line ends of one kind, and no NUL, which no message may hold.
fn lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").replace('\0', "\u{fffd}")
}

fn date(unix_ms: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(unix_ms.min(LAST_DATE)).unwrap_or(0))
}

fn raw(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}
