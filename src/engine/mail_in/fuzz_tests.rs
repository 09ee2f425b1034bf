//! Whatever arrives as mail, reading it ends, and what it yields has a bound.

use super::{Us, read, report};
use crate::domain::mail::{
    MAX_ANSWERED, MAX_ATTACHMENTS, MAX_RECIPIENTS, MAX_SUBJECT, MAX_TEXT, Message, Nature, Unreadable,
};
use crate::engine::fuzz;

const ROUNDS: u64 = 20_000;

fn assert_bounds(message: &Message) {
    assert!(message.answers.len() <= MAX_ANSWERED && message.recipients.len() <= MAX_RECIPIENTS);
    assert!(message.subject.len() <= MAX_SUBJECT && message.text.len() <= MAX_TEXT);
    assert!(message.attachments.len() <= MAX_ATTACHMENTS);
    assert!(
        message.attachments.iter().all(|attachment| attachment.name.len() <= 200 && !attachment.name.contains('/'))
    );
    let flat = |text: &str| !text.chars().any(char::is_control);
    assert!(flat(&message.subject) && message.from.as_deref().is_none_or(|from| flat(from) && from.contains('@')));
    if let Nature::Report(fates) = &message.nature {
        assert!(!fates.is_empty() && fates.len() <= report::MAX_FATES);
        assert!(fates.iter().all(|fate| fate.why.len() <= report::MAX_WHY && flat(&fate.why)));
    }
}

#[test]
fn messages() {
    let us = Us {
        addresses: vec!["noc@example.net".to_owned()],
        authserv_id: Some("mx.example.net".to_owned()),
        domain: "example.net".to_owned(),
    };
    let (mut good, mut bad) = (0, 0);
    let mut play = |input: &[u8]| match read(input, &us) {
        Ok(message) => {
            good += 1;
            assert_bounds(&message);
        }
        Err(Unreadable::NoMessage) => bad += 1,
        Err(why @ (Unreadable::TooLarge | Unreadable::Crashed)) => panic!("{why:?}"),
    };
    fuzz::play("mail", ROUNDS / 10, &mut play);
    fuzz::play("../../mail/corpus", ROUNDS, &mut play);
    assert!(good > 0 && bad > 0, "{good} good, {bad} bad: that tries nothing");
}
