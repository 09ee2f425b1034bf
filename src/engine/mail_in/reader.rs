//! From the bytes of a message to what it says.
//!
//! The bytes are anybody's: whatever they are, reading them ends, and what it yields has a bound (see the limits in [`crate::domain::mail`]).

use super::part::Part;
use super::{authentic, auto, flowed, head, html, quote, report};
use crate::domain::mail::{
    Attachment, MAX_ANSWERED, MAX_ATTACHMENTS, MAX_MESSAGE, MAX_RECIPIENTS, MAX_SUBJECT, MAX_TEXT, Message, Nature,
    Unreadable,
};

/// Texts of one message that are put together.
const MAX_TEXTS: usize = 8;
/// Where a message went, on its envelope and after it: of many readers ours are among these.
const RECIPIENTS: [&str; 5] = ["Delivered-To", "X-Original-To", "Envelope-To", "To", "Cc"];

/// Who we are, as far as a message tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Us {
    /// Our own addresses, in lower case.
    pub addresses: Vec<String>,
    /// The name under which our boundary server writes `Authentication-Results`; without one nothing vouches for a sender.
    pub authserv_id: Option<String>,
    /// The domain of our Message-IDs.
    pub domain: String,
}

/// Reads a message.
///
/// # Errors
/// When there is no message, or it is larger than [`MAX_MESSAGE`].
pub fn read(raw: &[u8], us: &Us) -> Result<Message, Unreadable> {
    if raw.len() > MAX_MESSAGE {
        return Err(Unreadable::TooLarge);
    }
    let message = Part::message(raw);
    let head = &message.head;
    if head.is_empty() {
        return Err(Unreadable::NoMessage);
    }
    let from = sender(head);
    let subject = head::line(&head.text("Subject").unwrap_or_default(), MAX_SUBJECT);
    let nature = nature(&message, from.as_deref(), &subject, us);
    Ok(Message {
        message_id: head.ids("Message-ID").into_iter().next(),
        answers: answers(head),
        recipients: recipients(head),
        text: text(&message, &subject),
        nature,
        authentic: authentic::authentic(head, us.authserv_id.as_deref(), from.as_deref()),
        attachments: attachments(&message),
        from,
        subject,
    })
}

/// The one address in the one `From`.
fn sender(head: &head::Head<'_>) -> Option<String> {
    let once = head.raw("From").count() == 1;
    match head.addresses("From").as_slice() {
        [Some(one)] if once => Some(one.clone()),
        _ => None,
    }
}

fn nature(message: &Part<'_>, from: Option<&str>, subject: &str, us: &Us) -> Nature {
    if let Some(fates) = report::fates(message, &us.domain) {
        return Nature::Report(fates);
    }
    let ours = |address: &str| us.addresses.iter().any(|our| our == address);
    let marks = message.head.addresses("X-Loop");
    let automatic = auto::automatic(message, subject);
    // A person of ours may write from our own address; what we write ourselves says that a program did.
    if marks.iter().flatten().any(|mark| ours(mark)) || automatic.is_some() && from.is_some_and(ours) {
        return Nature::Own;
    }
    automatic.map_or(Nature::Person, Nature::Automatic)
}

fn answers(head: &head::Head<'_>) -> Vec<String> {
    let references = head.ids("References");
    // What a long thread began with is mostly ours.
    let first = references.first().cloned();
    let latest = head.ids("In-Reply-To").into_iter().rev().chain(references.into_iter().rev());
    let mut answers = once_each(latest, MAX_ANSWERED - 1);
    answers.extend(first.filter(|first| !answers.contains(first)));
    answers
}

fn recipients(head: &head::Head<'_>) -> Vec<String> {
    once_each(RECIPIENTS.iter().flat_map(|name| head.addresses(name)).flatten(), MAX_RECIPIENTS)
}

fn once_each(all: impl Iterator<Item = String>, limit: usize) -> Vec<String> {
    let mut once: Vec<String> = Vec::new();
    for one in all {
        if once.len() == limit {
            break;
        }
        if !once.contains(&one) {
            once.push(one);
        }
    }
    once
}

/// The words of its writer.
fn text(message: &Part<'_>, subject: &str) -> String {
    let mut texts = Vec::new();
    gather(message, &mut texts);
    let whole = quote::cut(&texts.join("\n\n"), subject);
    let mut text = String::new();
    for c in whole.chars().filter(|c| !head::is_invisible(*c) && (!c.is_control() || matches!(c, '\n' | '\t'))) {
        if text.len() + c.len_utf8() > MAX_TEXT {
            break;
        }
        text.push(c);
    }
    text.truncate(text.trim_end().len());
    text
}

/// The texts that a mail program would show for this part, one after the other.
fn gather(part: &Part<'_>, texts: &mut Vec<String>) {
    if texts.len() == MAX_TEXTS {
        return;
    }
    match part.media.as_str() {
        "multipart/alternative" => alternative(part, texts),
        // What is beside them serves the machine, or belongs to them.
        "multipart/report" | "multipart/signed" | "multipart/related" => {
            part.children.iter().take(1).for_each(|child| gather(child, texts));
        }
        "multipart/encrypted" => {}
        multipart if multipart.starts_with("multipart/") && part.children.is_empty() => texts.push(part.text()),
        multipart if multipart.starts_with("multipart/") => part.children.iter().for_each(|child| gather(child, texts)),
        _ if !part.is_attached() => texts.extend(shown(part)),
        _ => {}
    }
}

/// The plain one of several forms, if it says anything.
fn alternative(part: &Part<'_>, texts: &mut Vec<String>) {
    let (plain, others): (Vec<_>, Vec<_>) = part.children.iter().partition(|child| child.media == "text/plain");
    for child in plain.into_iter().chain(others) {
        let mut found = Vec::new();
        gather(child, &mut found);
        if found.iter().any(|text| !text.trim().is_empty()) {
            return texts.extend(found);
        }
    }
}

/// What a part looks like that is a text.
fn shown(part: &Part<'_>) -> Option<String> {
    let is = |parameter: &str, value: &str| {
        part.parameter(parameter).is_some_and(|theirs| theirs.eq_ignore_ascii_case(value))
    };
    match part.media.as_str() {
        "text/html" => Some(html::text(&part.text())),
        "text/plain" if is("format", "flowed") => Some(flowed::join(&part.text(), is("delsp", "yes"))),
        "text/plain" => Some(part.text()),
        _ => None,
    }
}

/// Whatever is neither a text that is shown nor made of parts itself.
fn attachments(message: &Part<'_>) -> Vec<Attachment> {
    let report = message.media == "multipart/report";
    let is_own = |part: &&Part<'_>| {
        let shown = matches!(part.media.as_str(), "text/plain" | "text/html") && !part.is_attached();
        let of_report = report && (part.media.starts_with("message/") || part.media == "text/rfc822-headers");
        !shown && !of_report && part.children.is_empty() && !part.media.starts_with("multipart/")
    };
    let parts = message.all().into_iter().filter(is_own).take(MAX_ATTACHMENTS);
    parts.map(|part| Attachment { name: part.file_name(), media_type: part.media.clone(), size: part.size() }).collect()
}
