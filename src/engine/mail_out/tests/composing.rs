//! Messages: whatever the words are, the headers are ours.

use super::letter;
use crate::domain::letter::Mail;
use crate::engine::mail_out::compose::Composer;
use proptest::prelude::*;

const OURS: [&str; 14] = [
    "Message-ID",
    "Date",
    "From",
    "To",
    "Subject",
    "In-Reply-To",
    "References",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "X-Loop",
    "Reply-To",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
];

fn composed(name: Option<&str>, mail: &Mail) -> Result<String, String> {
    let composer = Composer::new(name, "noc@example.net").unwrap();
    composer.compose(mail).map(|message| String::from_utf8(message.formatted()).unwrap())
}

/// The header lines, unfolded. Panics where a message breaks the rules of RFC 5322.
fn headers(message: &str) -> Vec<(&str, String)> {
    assert!(message.is_ascii() && !message.contains('\0'));
    assert!(message.split("\r\n").all(|line| line.len() <= 998 && !line.contains(['\r', '\n'])), "{message:?}");
    let (head, _) = message.split_once("\r\n\r\n").expect("headers end");
    let mut headers: Vec<(&str, String)> = Vec::new();
    for line in head.split("\r\n") {
        if line.starts_with([' ', '\t']) {
            headers.last_mut().expect("a header before its continuation").1.push_str(line);
        } else {
            let (name, value) = line.split_once(": ").unwrap_or_else(|| panic!("no header: {line:?}"));
            assert!(OURS.contains(&name), "not ours: {line:?}");
            assert!(headers.iter().all(|(earlier, _)| *earlier != name), "twice: {line:?}");
            headers.push((name, value.to_owned()));
        }
    }
    headers
}

fn header(message: &str, name: &str) -> String {
    headers(message).into_iter().find(|(given, _)| *given == name).unwrap_or_else(|| panic!("no {name}")).1
}

#[test]
fn a_message_says_all_that_a_thread_and_an_answering_machine_need() {
    let mail = Mail {
        in_reply_to: Some("b@example.net".to_owned()),
        references: vec!["a@example.net".to_owned(), "b@example.net".to_owned()],
        ..letter(1)
    };
    let message = composed(Some("NOC London"), &mail).unwrap();
    let value = |name| header(&message, name);
    assert_eq!(value("Message-ID"), "<NT-1.opened.1.00ff@example.net>");
    assert_eq!(value("In-Reply-To"), "<b@example.net>");
    assert_eq!(value("References"), "<a@example.net> <b@example.net>");
    assert_eq!(value("Date"), "Tue, 14 Nov 2023 22:13:20 +0000");
    assert_eq!(value("From"), "\"NOC London\" <noc@example.net>");
    assert_eq!(value("To"), "it@acme.example");
    assert_eq!(value("Subject"), "[NT-1] Service down: acme-lon-1");
    assert_eq!(value("Auto-Submitted"), "auto-generated");
    assert_eq!(value("MIME-Version"), "1.0");
    assert_eq!(value("Content-Type"), "text/plain; charset=utf-8");
}

#[test]
fn the_same_letter_makes_the_same_message() {
    assert_eq!(composed(Some("NOC"), &letter(1)), composed(Some("NOC"), &letter(1)));
}

#[test]
fn other_alphabets_are_encoded() {
    let mail = Mail {
        subject: "Störung: Zürich".to_owned(),
        body: "Grüße aus London, die Leitung ist gestört.\n".to_owned(),
        ..letter(1)
    };
    let message = composed(Some("Überwachung"), &mail).unwrap();
    assert_eq!(header(&message, "Subject"), "=?utf-8?b?U3TDtnJ1bmc6IFrDvHJpY2g=?=");
    assert_eq!(header(&message, "From"), "=?utf-8?b?w5xiZXJ3YWNodW5n?= <noc@example.net>");
    assert_eq!(header(&message, "Content-Transfer-Encoding"), "quoted-printable");
    assert!(message.ends_with("\r\n\r\nGr=C3=BC=C3=9Fe aus London, die Leitung ist gest=C3=B6rt.\r\n"), "{message}");
}

#[test]
fn no_name_and_no_subject_adds_a_header() {
    let attack = "x\r\nBcc: evil@example.com\r\n\r\nbody";
    let message = composed(Some(attack), &Mail { subject: attack.to_owned(), ..letter(1) }).unwrap();
    assert_eq!(header(&message, "Subject"), "x  Bcc: evil@example.com    body");
    assert!(headers(&message).iter().all(|(name, _)| *name != "Bcc"));
}

#[test]
fn an_id_or_address_with_anything_strange_is_refused() {
    for bad in ["", "x", "a@b.example\r\nBcc: c@d.example", "a@b.example, c@d.example", "a@b\0.example", "é@b.example"]
    {
        assert!(composed(None, &Mail { to: bad.to_owned(), ..letter(1) }).is_err(), "{bad:?}");
    }
    for bad in ["a>\r\nBcc: c@d.example", "a@b> <c@d", "a b@c", "a\0@b", "é@b", &"x".repeat(251)] {
        let bad = bad.to_owned();
        assert!(composed(None, &Mail { message_id: bad.clone(), ..letter(1) }).is_err(), "{bad:?}");
        assert!(composed(None, &Mail { in_reply_to: Some(bad.clone()), ..letter(1) }).is_err(), "{bad:?}");
        assert!(composed(None, &Mail { references: vec![bad.clone()], ..letter(1) }).is_err(), "{bad:?}");
    }
}

#[test]
fn a_long_thread_keeps_its_root_and_its_end() {
    let references: Vec<_> = (0..500).map(|n| format!("{n}.{}@example.net", "x".repeat(200))).collect();
    let message = composed(None, &Mail { references, ..letter(1) }).unwrap();
    let kept = header(&message, "References");
    let numbers: Vec<_> = kept.split_whitespace().map(|id| id[1..].split('.').next().unwrap()).collect();
    assert_eq!(numbers, ["0", "489", "490", "491", "492", "493", "494", "495", "496", "497", "498", "499"]);
}

#[test]
fn no_date_is_too_far_away() {
    for (unix_ms, date) in
        [(i64::MIN, "Thu, 01 Jan 1970 00:00:00 +0000"), (i64::MAX, "Fri, 31 Dec 9999 23:59:59 +0000")]
    {
        let message = composed(None, &Mail { written_unix_ms: unix_ms, ..letter(1) }).unwrap();
        assert_eq!(header(&message, "Date"), date);
    }
}

/// Text with more than its share of what breaks headers.
fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<char>().prop_map(String::from),
        Just("\r\n".to_owned()),
        Just("\n\n".to_owned()),
        Just("\0".to_owned()),
        Just("\r\nBcc: x@y.example\r\n".to_owned()),
        Just("=?utf-8?b?DQo=?=".to_owned()),
        Just("\",<>@;".to_owned()),
        Just("\u{2028}\u{85}\u{202e}".to_owned()),
        "[a-z ]{1,20}",
        "[a-z]{300}",
        "[äöü]{100}",
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn whatever_the_words_are_the_headers_are_ours(
        name in prop::option::of(any_text()),
        subject in any_text(),
        body in any_text(),
        date in any::<i64>(),
    ) {
        let message = composed(name.as_deref(), &Mail { subject, body, written_unix_ms: date, ..letter(1) }).unwrap();
        let names: Vec<_> = headers(&message).into_iter().map(|(name, _)| name).collect();
        prop_assert_eq!(names.len(), 11, "{:?}", names);
    }

    #[test]
    fn whatever_the_address_and_ids_are_they_add_nothing(
        to in any_text(),
        id in any_text(),
        earlier in prop::collection::vec(any_text(), 0..3),
    ) {
        let mail = Mail { to, message_id: id.clone(), in_reply_to: Some(id), references: earlier, ..letter(1) };
        if let Ok(message) = composed(None, &mail) {
            headers(&message);
        }
        for to in [mail.to.clone(), format!("\"{}\"@b.example", mail.to), format!("a@{}", mail.to)] {
            if let Ok(message) = composed(None, &Mail { to, ..letter(1) }) {
                headers(&message);
            }
        }
    }
}
