//! Mail that came in, over HTTP and on the command line.

use crate::harness::{NOW, OPEN, World, reference};
use ntuwatch::domain::desk::{MailOutcome, Reference, Sorted, Tenant, Witnesses};
use ntuwatch::domain::letter::LetterLabel;
use ntuwatch::domain::mail::{Attachment, Authentic, Message, Nature};
use ntuwatch::domain::turn::Turn;
use serde_json::{Value, json};
use std::io::Write as _;
use std::process::{Command, Stdio};

const RAW: &str = "From: it@acme.example\r\nSubject: Re: down\r\n\r\nStill down.\r\n";

fn message() -> Message {
    Message {
        from: Some("it@acme.example".to_owned()),
        message_id: Some("a1@acme.example".to_owned()),
        answers: Vec::new(),
        recipients: Vec::new(),
        subject: "Re: down".to_owned(),
        text: "Still down.".to_owned(),
        nature: Nature::Person,
        authentic: Authentic::Unknown,
        attachments: vec![Attachment { name: "a.png".to_owned(), media_type: "image/png".to_owned(), size: 7 }],
    }
}

fn witnesses(letter: Option<LetterLabel>) -> Witnesses {
    let tenant = Tenant::Customer("acme".to_owned());
    Witnesses { letter, tenant, authentic: Authentic::Unknown, claim: Some(Reference::from_number(OPEN)) }
}

/// Hands a message over as a mail server does; the exit code, and what is said.
fn hand_over(world: &World, raw: &str) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ntuwatch"));
    command.arg("--socket").arg(world.socket()).arg("mail-in").stdin(Stdio::piped());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(raw.as_bytes()).unwrap();
    let done = child.wait_with_output().unwrap();
    (done.status.code(), String::from_utf8([done.stdout, done.stderr].concat()).unwrap())
}

#[test]
fn a_message_is_taken_once_and_kept_before_anybody_reads_it() {
    let world = World::new(None);
    assert_eq!(hand_over(&world, RAW), (Some(0), "message 1\n".to_owned()));
    assert_eq!(hand_over(&world, RAW), (Some(0), "the message is here already\n".to_owned()));
    let kept = world.get("/api/mail/1").json();
    assert_eq!((&kept["outcome"], &kept["from"]), (&Value::Null, &Value::Null), "nobody has read it yet");
    let (exit, said) = hand_over(&world, "");
    assert_eq!(exit, Some(65), "{said}");
    assert!(said.contains("the message is empty"), "{said}");
    assert_eq!(world.get("/api/mail").json().as_array().unwrap().len(), 1);
}

#[test]
fn a_mail_server_is_told_to_try_again_while_no_daemon_answers() {
    let mut world = World::new(None);
    world.stop();
    let (exit, said) = hand_over(&world, RAW);
    assert_eq!(exit, Some(75), "{said}");
}

#[test]
fn what_was_decided_can_be_asked_for_by_number_and_by_message_id() {
    let world = World::new(None);
    hand_over(&world, RAW);
    let mut turn = Turn::new(NOW);
    let (why, read) = (Some("nobody knows".to_owned()), Some((Box::new(message()), witnesses(None))));
    turn.mails.push(Sorted { id: 1, outcome: MailOutcome::Quarantined, case: None, read, why });
    world.store(&turn, &[]);
    let shown = world.get("/api/mail/1").json();
    assert_eq!(
        (&shown["outcome"], &shown["why"], &shown["tenant"], &shown["authentic"], &shown["claim"], &shown["text"]),
        (
            &json!("quarantined"),
            &json!("nobody knows"),
            &json!("customer:acme"),
            &json!("unknown"),
            &json!(reference(OPEN)),
            &json!("Still down.")
        )
    );
    assert_eq!(shown["attachments"], json!([{ "name": "a.png", "media_type": "image/png", "size": 7 }]));
    for wanted in ["1", "<a1@acme.example>"] {
        let explained = String::from_utf8(world.cli(&["explain-mail", wanted]).stdout).unwrap();
        for sentence in ["waits for people", "Why: nobody knows.", "an address of customer acme", "proves nothing"] {
            assert!(explained.contains(sentence), "{sentence}: {explained}");
        }
    }
    assert_eq!(world.get("/api/mail?outcome=quarantined").json().as_array().unwrap().len(), 1);
    assert_eq!(world.get("/api/mail?outcome=joined").json(), json!([]));
    assert!(world.get("/api/mail?outcome=lost").error().contains("choose from joined, opened"));
    assert!(world.get("/api/mail/9").error().contains("no message 9"));
    assert_eq!(world.cli(&["explain-mail", "nobody@x.example"]).status.code(), Some(65));
}

#[test]
fn a_message_that_waits_is_joined_opened_or_dismissed_by_somebody() {
    let world = World::new(None);
    hand_over(&world, RAW);
    let mut turn = Turn::new(NOW);
    let read = Some((Box::new(message()), witnesses(None)));
    turn.mails.push(Sorted { id: 1, outcome: MailOutcome::Quarantined, case: None, read, why: None });
    world.store(&turn, &[]);
    let joined = world.post("/api/mail/1/join", &json!({ "by": "ann", "reference": reference(OPEN) }).to_string());
    assert_eq!(joined.json(), json!({ "mail": 1, "case": reference(OPEN) }));
    let asked = world.last_asked();
    assert!(asked.starts_with("ann: File") && asked.contains("Still down."), "{asked}");
    let dismissed = world.post("/api/mail/1/dismiss", &json!({ "by": "ann" }).to_string());
    assert_eq!(dismissed.json(), json!({ "mail": 1, "case": null }));
    let open = json!({ "by": "ann", "unit": "acme-1", "priority": "P2" }).to_string();
    assert!(world.post("/api/mail/1/open", &open).error().contains("no message 1 waits"));
    for (verb, body) in [("join", json!({ "by": "ann" })), ("open", json!({ "by": "ann", "unit": "acme-1" }))] {
        let refused = world.post(&format!("/api/mail/1/{verb}"), &body.to_string());
        assert_eq!(refused.status, 400, "{verb}");
    }
    assert_eq!(world.post("/api/mail/1/burn", &json!({ "by": "ann" }).to_string()).status, 404);
    assert_eq!(world.post("/api/mail/9/dismiss", &json!({ "by": "ann" }).to_string()).status, 404);
}

#[test]
fn nobody_hands_over_or_decides_by_tcp_without_the_token() {
    let world = World::new(Some(crate::harness::TOKEN));
    assert_eq!(world.post_tcp("/api/mail", "", RAW).status, 401);
    assert_eq!(world.post_tcp("/api/mail/1/dismiss", "", "{}").status, 401);
}
