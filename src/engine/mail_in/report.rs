//! What mail servers report of letters: RFC 3464, and the plain words of qmail and Exim.

use super::auto::{has_null_sender, is_report_on};
use super::head::{Head, address, characters, ids, line, without_comments};
use super::part::{MAX_DECODED, Part};
use crate::domain::mail::{Action, Fate};

/// Readers of a report that are looked at.
pub(super) const MAX_FATES: usize = 64;
/// Longest reason that is kept, in bytes.
pub(super) const MAX_WHY: usize = 500;
/// Longest reader that is kept, in bytes, where he has no address.
const MAX_READER: usize = 320;

/// Beginning of qmail's reports ("qmail-send Bounce Message Format").
const QMAIL: &str = "Hi. This is the ";

/// What the message reports, if it is a report. `domain` is that of our Message-IDs.
pub(super) fn fates(message: &Part<'_>, domain: &str) -> Option<Vec<Fate>> {
    let mut fates = match message.media.as_str() {
        "multipart/report" => of_parts(message)?,
        "text/plain" if has_null_sender(&message.head) => of_words(message)?,
        _ => return None,
    };
    fates.truncate(MAX_FATES);
    if fates.is_empty() {
        return None;
    }
    let letter = letter(message, domain);
    for fate in &mut fates {
        fate.letter.clone_from(&letter);
    }
    Some(fates)
}

/// RFC 3464.
fn of_parts(message: &Part<'_>) -> Option<Vec<Fate>> {
    let parts = message.all();
    let is_status =
        |part: &&&Part<'_>| matches!(part.media.as_str(), "message/delivery-status" | "message/global-delivery-status");
    let status = parts.iter().find(is_status)?;
    // A type that is not said is no other one.
    if !is_report_on(message, "delivery-status") && message.parameter("report-type").is_some() {
        return None;
    }
    let words = parts.iter().find(|part| part.media == "text/plain").map(|part| part.text()).unwrap_or_default();
    let bytes = status.bytes(MAX_DECODED);
    let mut fates = Vec::new();
    let mut rest = bytes.as_slice();
    while !rest.is_empty() && fates.len() < MAX_FATES {
        let (group, next) = Head::split(rest);
        // What is no field would be looked at for ever.
        rest = if next.len() < rest.len() { next } else { &rest[super::head::end_of_line(rest, 0)..] };
        fates.extend(fate(&group, &words));
    }
    Some(fates)
}

/// What is reported of one reader; `None` for what is about the letter as a whole.
fn fate(group: &Head<'_>, words: &str) -> Option<Fate> {
    let reader = |name| group.value(name).map(|value| typed(&value)).filter(|reader| !reader.is_empty());
    let recipient = reader("Original-Recipient").or_else(|| reader("Final-Recipient"))?;
    let action = match group.word("Action")?.as_str() {
        "failed" => Action::Failed,
        "delayed" => Action::Delayed,
        "delivered" | "relayed" | "expanded" => Action::Delivered,
        _ => return None,
    };
    let status = group.word("Status").map(|status| code(&status)).unwrap_or_default();
    let diagnostic = group.value("Diagnostic-Code").map(|value| after_type(&value)).filter(|words| !words.is_empty());
    let why = line(diagnostic.as_deref().unwrap_or(words), MAX_WHY);
    let recipient = address(&recipient).unwrap_or_else(|| line(&recipient.to_lowercase(), MAX_READER));
    Some(Fate { recipient, action, status, why, letter: None })
}

/// What comes after the type: `rfc822; it@acme.example`.
fn after_type(value: &str) -> String {
    value.split_once(';').map_or(value, |(_, rest)| rest).trim().to_owned()
}

fn typed(value: &str) -> String {
    without_comments(&after_type(value)).trim().trim_matches(['<', '>']).to_owned()
}

/// A status code (RFC 3463) in `text`, at its beginning.
fn code(text: &str) -> String {
    let code = text.split(|c: char| !c.is_ascii_digit() && c != '.').next().unwrap_or_default();
    let numbers: Vec<&str> = code.split('.').collect();
    let fits = |number: &&str| (1..=3).contains(&number.len());
    let is_code = numbers.len() == 3 && numbers.iter().all(fits) && matches!(numbers[0], "2" | "4" | "5");
    if is_code { code.to_owned() } else { String::new() }
}

/// Reports in words. They all say that a letter has failed.
fn of_words(message: &Part<'_>) -> Option<Vec<Fate>> {
    let text = message.text();
    let said = text.trim_start();
    if said.starts_with(QMAIL) {
        return Some(of_qmail(said));
    }
    // Exim names the readers in the head.
    let readers: Vec<String> = message.head.addresses("X-Failed-Recipients").into_iter().flatten().collect();
    let why = line(said.split("\n--").next().unwrap_or_default(), MAX_WHY);
    let fate =
        |recipient| Fate { recipient, action: Action::Failed, status: String::new(), why: why.clone(), letter: None };
    (!readers.is_empty()).then(|| readers.into_iter().map(fate).collect())
}

/// A paragraph for each reader: `<it@acme.example>:` and why. The letter comes after one that begins with a hyphen.
fn of_qmail(text: &str) -> Vec<Fate> {
    let paragraphs = text.split("\n\n").map(str::trim).take_while(|paragraph| !paragraph.starts_with('-'));
    let fate = |paragraph: &str| {
        let (reader, why) = paragraph.strip_prefix('<')?.split_once(">:")?;
        let status = why.find('#').map(|at| code(&why[at + 1..])).unwrap_or_default();
        Some(Fate {
            recipient: address(reader)?,
            action: Action::Failed,
            status,
            why: line(why, MAX_WHY),
            letter: None,
        })
    };
    paragraphs.filter_map(fate).take(MAX_FATES).collect()
}

/// Message-ID of the letter: from what is returned of it, else the one of ours that is named.
fn letter(message: &Part<'_>, domain: &str) -> Option<String> {
    returned(message).or_else(|| named(message, domain))
}

fn returned(message: &Part<'_>) -> Option<String> {
    let holds_it = |part: &&Part<'_>| {
        let kinds = [
            "message/rfc822",
            "text/rfc822-headers",
            "message/rfc822-headers",
            "message/global",
            "message/global-headers",
        ];
        kinds.contains(&part.media.as_str())
    };
    if let Some(part) = message.all().into_iter().find(holds_it) {
        let bytes = part.bytes(MAX_DECODED);
        let from = bytes.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(bytes.len());
        return Head::split(&bytes[from..]).0.ids("Message-ID").into_iter().next();
    }
    // In a report in words it comes after a line of hyphens, whatever that says.
    let text = message.text();
    let copies = text.match_indices("\n--").filter_map(|(at, _)| text[at + 1..].split_once('\n'));
    copies
        .take(MAX_FATES)
        .find_map(|(_, copy)| Head::split(copy.trim_start().as_bytes()).0.ids("Message-ID").into_iter().next())
}

/// Some servers return nothing, but answer the letter, or name it in their words.
fn named(message: &Part<'_>, domain: &str) -> Option<String> {
    let ours = |id: &String| {
        id.rsplit('@').next().is_some_and(|theirs| theirs.eq_ignore_ascii_case(domain)) && id.contains('@')
    };
    let answered = ["In-Reply-To", "References"].iter().flat_map(|name| message.head.ids(name));
    let parts =
        message.all().into_iter().filter(|part| part.media == "text/plain" || part.media == "message/delivery-status");
    let said = parts.flat_map(|part| {
        let bytes = part.bytes(MAX_DECODED);
        let text = characters(&bytes);
        if text.contains('<') { ids(&text) } else { Vec::new() }
    });
    answered.chain(said).find(ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_codes_are_three_numbers_of_a_known_class() {
        for (text, wanted) in [
            ("5.1.1", "5.1.1"),
            ("4.4.7 (too old)", "4.4.7"),
            ("2.0.0", "2.0.0"),
            ("5.7.700)", "5.7.700"),
            ("5.1", ""),
            ("6.1.1", ""),
            ("5.1.1111", ""),
            ("five", ""),
        ] {
            assert_eq!(code(text), wanted, "{text}");
        }
    }
}
