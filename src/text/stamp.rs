//! What makes a letter ours: Message-IDs and reply addresses that only its reader knows.
//!
//! Both hold 128 bits of HMAC-SHA-256 over the conversation and the reader, keyed with a secret of the store. Whoever
//! writes to such an address, or answers such a Message-ID, has seen the letter.

use crate::domain::desk::{LetterKind, LetterMark, Reference};
use crate::domain::letter::{LetterId, LetterLabel, Thread};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Bytes of a store's secret.
pub const SECRET: usize = 32;
/// Bytes of a token.
const TOKEN: usize = 16;
/// Base 32 without letters that are mistaken for digits: mail servers may change the case of an address.
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Longest local part of an address (RFC 5321, 4.5.3.1.1).
const MAX_LOCAL: usize = 64;

/// Makes and knows the tokens of one store.
#[derive(Clone, Debug)]
pub struct Stamp {
    keyed: Hmac<Sha256>,
    domain: String,
    /// Local part and domain of the address where replies are read, if they are.
    inbox: Option<(String, String)>,
}

impl Stamp {
    /// `domain`: that of the address which letters are from. `inbox`: the address where mail is read, if it is; one whose
    /// local part leaves no room for a token gets none.
    ///
    /// # Panics
    /// Never: a key may have any length.
    #[must_use]
    pub fn new(secret: &[u8; SECRET], domain: &str, inbox: Option<&str>) -> Self {
        let keyed = Hmac::new_from_slice(secret).expect("a key may have any length");
        let inbox = inbox.and_then(|address| address.rsplit_once('@'));
        let inbox = inbox.filter(|(local, _)| local.len() + 1 + PLUS <= MAX_LOCAL);
        let inbox = inbox.map(|(local, domain)| (local.to_owned(), domain.to_owned()));
        Self { keyed, domain: domain.to_owned(), inbox }
    }

    /// The same for every attempt, different for every letter and reader, and nobody's guess.
    #[must_use]
    pub fn message_id(&self, thread: &Thread, mark: LetterMark, to: &str) -> String {
        let about = match thread {
            Thread::Case { reference, .. } => reference.to_string(),
            Thread::Umbrella { .. }
            | Thread::Maintenance { .. }
            | Thread::Alarm { .. }
            | Thread::Contract { .. }
            | Thread::Reach { .. } => thread.key().replace(':', "="),
        };
        let number = mark.number.to_string();
        let token = self.token(["message", &about, mark.kind.name(), &number, &to.to_ascii_lowercase()]);
        format!("{about}.{}.{number}.{token}@{}", mark.kind.name(), self.domain)
    }

    /// The address for replies to a letter: whoever writes there has seen it.
    #[must_use]
    pub fn reply_to(&self, id: LetterId, thread: &Thread, to: &str) -> Option<String> {
        let (local, domain) = self.inbox.as_ref()?;
        Some(format!("{local}+{id}.{}@{domain}", self.reply_token(id, thread, to)))
    }

    /// The letter whose address for replies this claims to be; whether it is, [`is_reply_to`](Self::is_reply_to) tells.
    #[must_use]
    pub fn claimed_by(&self, address: &str) -> Option<LetterId> {
        self.parts(address)?.0.parse().ok()
    }

    /// Whether an address is the one for replies to a letter.
    #[must_use]
    pub fn is_reply_to(&self, address: &str, letter: &LetterLabel) -> bool {
        self.parts(address).is_some_and(|(_, token)| {
            let real = self.reply_token(letter.id, &letter.thread, &letter.to);
            bool::from(subtle::ConstantTimeEq::ct_eq(real.as_bytes(), token.to_ascii_lowercase().as_bytes()))
        })
    }

    fn parts<'a>(&self, address: &'a str) -> Option<(&'a str, &'a str)> {
        let (local, domain) = self.inbox.as_ref()?;
        let (name, host) = address.rsplit_once('@')?;
        let (before, plus) = name.split_once('+')?;
        let ours = before.eq_ignore_ascii_case(local) && host.eq_ignore_ascii_case(domain);
        plus.split_once('.').filter(|_| ours)
    }

    fn reply_token(&self, id: LetterId, thread: &Thread, to: &str) -> String {
        self.token(["reply", &id.to_string(), &thread.key(), &to.to_ascii_lowercase()])
    }

    /// The conversation, kind and number of the letter whose Message-ID this claims to be. Whether it is, only
    /// [`message_id`](Self::message_id) tells.
    #[must_use]
    pub fn claimed_letter(message_id: &str) -> Option<(String, LetterMark)> {
        let (left, _) = message_id.rsplit_once('@')?;
        let mut parts = left.rsplitn(4, '.');
        let (_, number, kind, about) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let kind = LetterKind::ALL.into_iter().find(|known| known.name() == kind)?;
        let key = if about.contains('=') { about.replace('=', ":") } else { format!("case:{about}:") };
        Some((key, LetterMark { kind, number: number.parse().ok()? }))
    }

    /// What the address of the survey about a case ends with: only who has the letter knows it.
    #[must_use]
    pub fn survey_token(&self, case: Reference) -> String {
        format!("{case}.{}", self.token(["survey", &case.to_string()]))
    }

    /// The case whose survey has this token, if it is one of ours.
    #[must_use]
    pub fn surveyed(&self, token: &str) -> Option<Reference> {
        let case = Reference::parse(token.split_once('.')?.0).ok()?;
        let real = self.survey_token(case);
        bool::from(subtle::ConstantTimeEq::ct_eq(real.as_bytes(), token.as_bytes())).then_some(case)
    }

    fn token<const N: usize>(&self, parts: [&str; N]) -> String {
        let mut mac = self.keyed.clone();
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        base32(&mac.finalize().into_bytes()[..TOKEN])
    }
}

/// Longest that follows the plus sign: a letter's number, a dot, and the token.
const PLUS: usize = "999999999999".len() + 1 + (TOKEN * 8).div_ceil(5);

fn base32(bytes: &[u8]) -> String {
    let mut text = String::with_capacity((bytes.len() * 8).div_ceil(5));
    let (mut bits, mut held) = (0_u32, 0_u32);
    for byte in bytes {
        bits = bits << 8 | u32::from(*byte);
        held += 8;
        while held >= 5 {
            held -= 5;
            text.push(char::from(DIGITS[(bits >> held & 31) as usize]));
        }
    }
    if held > 0 {
        text.push(char::from(DIGITS[(bits << (5 - held) & 31) as usize]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::desk::Reference;

    const MARK: LetterMark = LetterMark { kind: LetterKind::Opened, number: 1 };

    fn stamp(secret: u8, inbox: Option<&str>) -> Stamp {
        Stamp::new(&[secret; SECRET], "example.net", inbox)
    }

    fn reply_to(stamp: &Stamp, letter: &LetterLabel) -> Option<String> {
        stamp.reply_to(letter.id, &letter.thread, &letter.to)
    }

    fn letter(case: u64, to: &str) -> LetterLabel {
        let thread = Thread::Case { reference: Reference::from_number(case), unit: "u".into() };
        LetterLabel { id: 1, thread, mark: MARK, to: to.into() }
    }

    #[test]
    fn a_message_id_tells_letters_readers_and_stores_apart() {
        let id = |secret, case, to| stamp(secret, None).message_id(&letter(case, to).thread, MARK, to);
        let one = id(1, 7, "it@acme.example");
        assert_eq!(one, id(1, 7, "IT@acme.example"), "an address has no case");
        let others = [id(1, 8, "it@acme.example"), id(1, 7, "it@globex.example"), id(2, 7, "it@acme.example")];
        let token = |id: &str| id.rsplit_once('@').unwrap().0.rsplit_once('.').unwrap().1.to_owned();
        assert!(others.iter().all(|other| token(other) != token(&one)));
        assert_eq!(token(&one).len(), 26, "128 bits, five a digit: {one}");
    }

    #[test]
    fn a_reply_address_is_known_again_and_only_by_its_store_for_its_letter() {
        let mine = stamp(1, Some("Support@example.net"));
        let letter_to = letter(7, "it@acme.example");
        let address = reply_to(&mine, &letter_to).unwrap();
        assert!(address.rsplit_once('@').unwrap().0.len() <= MAX_LOCAL, "{address}");
        assert_eq!(mine.claimed_by(&address), Some(1));
        assert!(mine.is_reply_to(&address, &letter_to) && mine.is_reply_to(&address.to_uppercase(), &letter_to));
        for other in
            [letter(7, "it@globex.example"), letter(8, "it@acme.example"), LetterLabel { id: 2, ..letter_to.clone() }]
        {
            assert!(!mine.is_reply_to(&address, &other), "{other:?}");
        }
        assert!(!stamp(2, Some("support@example.net")).is_reply_to(&address, &letter_to));
        assert_eq!(mine.claimed_by("support@example.net"), None);
        assert_eq!(mine.claimed_by(&address.replace("example.net", "example.org")), None);
    }

    #[test]
    fn a_message_id_tells_where_to_look_for_its_letter() {
        let reference = Reference::from_number(7);
        let of_case = letter(7, "it@acme.example");
        let id = stamp(1, None).message_id(&of_case.thread, MARK, &of_case.to);
        assert_eq!(Stamp::claimed_letter(&id), Some((format!("case:{reference}:"), MARK)));
        let thread = Thread::Umbrella { reference, customer: Some("acme.eu".into()) };
        let id = stamp(1, None).message_id(&thread, MARK, "it@acme.example");
        assert_eq!(Stamp::claimed_letter(&id), Some((thread.key(), MARK)));
        for other in ["a@b", "x.y.z@acme.example", "NTU.opened.x.t@b", "NTU.burnt.1.t@b"] {
            assert_eq!(Stamp::claimed_letter(other), None, "{other}");
        }
    }

    #[test]
    fn a_survey_is_known_by_its_token_and_only_by_its_store() {
        let case = Reference::from_number(7);
        let token = stamp(1, None).survey_token(case);
        assert_eq!(token.split_once('.').unwrap().1.len(), 26, "128 bits, five a digit: {token}");
        assert_eq!(stamp(1, None).surveyed(&token), Some(case));
        assert_eq!(stamp(2, None).surveyed(&token), None);
        let other = token.replace(&case.to_string(), &Reference::from_number(8).to_string());
        let cut = &token[..token.len() - 1];
        for wrong in [other.as_str(), cut, "", ".", "NTU.x", &case.to_string(), &format!("{token}0")] {
            assert_eq!(stamp(1, None).surveyed(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_address_without_room_for_a_token_gets_none() {
        let long = format!("{}@example.net", "s".repeat(MAX_LOCAL - PLUS));
        assert_eq!(reply_to(&stamp(1, Some(&long)), &letter(7, "a@b.example")), None);
        let fits = format!("{}@example.net", "s".repeat(MAX_LOCAL - PLUS - 1));
        assert!(reply_to(&stamp(1, Some(&fits)), &letter(7, "a@b.example")).is_some());
    }
}
