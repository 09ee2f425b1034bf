//! Letters out through postfix, and what comes of them back in through dovecot.

use crate::dovecot::{Dovecot, PASSWORD};
use crate::mail_in::engine_at;
use crate::postfix::Postfix;
use ntuwatch::domain::letter::{Delivery, Mail};
use ntuwatch::domain::mail::{Action, Message, Nature};
use ntuwatch::engine::mail_in::{Us, read};
use ntuwatch::engine::mail_out::{MAX_CONNECTIONS, Route, Settings, start};
use ntuwatch::engine::tls::Tls;
use std::collections::BTreeSet;
use std::sync::mpsc;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(30);
/// Letters for each reader, of whom one has no mailbox.
const LETTERS: u64 = 10;

fn letter(id: u64, to: &str) -> Mail {
    Mail {
        id,
        to: to.to_owned(),
        message_id: format!("NTU-{id}.opened.1.00ff@example.net"),
        in_reply_to: None,
        references: Vec::new(),
        reply_to: Some(format!("noc+{id}.token@example.net")),
        subject: "Störung".to_owned(),
        body: "The line is down.\n.\n.hidden\n".to_owned(),
        written_unix_ms: 1_700_000_000_000,
    }
}

#[test]
fn what_can_be_delivered_arrives_and_what_can_not_comes_back_and_names_its_letter() {
    let Some(dovecot) = Dovecot::start() else { return };
    let box_of_all = dovecot.maildir();
    let mailboxes = [("it@acme.example", box_of_all.as_path()), ("noc@example.net", box_of_all.as_path())];
    let Some(postfix) = Postfix::start("acme.example, example.net", &mailboxes) else { return };
    let route = Route::Smtp {
        host: "localhost".to_owned(),
        port: postfix.port,
        tls: Tls::None,
        credentials: None,
        connections: MAX_CONNECTIONS,
    };
    let settings = Settings { from_name: None, from_address: "noc@example.net".to_owned(), route };
    let (sender, reports) = mpsc::channel();
    let report = Box::new(move |id, delivery| drop(sender.send((id, delivery))));
    let out = start(settings, report).expect("an engine");
    for id in 0..LETTERS {
        out.send(letter(id, "it@acme.example")).expect("room");
        out.send(letter(LETTERS + id, "gone@acme.example")).expect("room");
    }
    for _ in 0..2 * LETTERS {
        let report = reports.recv_timeout(PATIENCE);
        let (id, delivery) = report.unwrap_or_else(|error| panic!("{error}: {}", postfix.log()));
        assert_eq!(delivery, Delivery::Sent, "letter {id}: {}", postfix.log());
    }
    drop(out);
    let (inward, parcels) = engine_at(("localhost", dovecot.port, Tls::None), PASSWORD);
    let us = Us { addresses: vec!["noc@example.net".to_owned()], authserv_id: None, domain: "example.net".to_owned() };
    let messages: Vec<Message> = (0..2 * LETTERS)
        .map(|_| {
            let parcel = parcels.recv_timeout(PATIENCE).unwrap_or_else(|error| panic!("{error}: {}", postfix.log()));
            read(&parcel.raw, &us).expect("a message")
        })
        .collect();
    let (mut arrived, mut back) = (BTreeSet::new(), BTreeSet::new());
    for message in messages {
        if let Nature::Report(fates) = &message.nature {
            let [fate] = fates.as_slice() else { panic!("{fates:?}") };
            assert_eq!((fate.action, fate.status.as_str()), (Action::Failed, "5.1.1"));
            assert_eq!(fate.recipient, "gone@acme.example");
            assert!(fate.why.contains("unknown user"), "{}", fate.why);
            back.insert(fate.letter.clone().expect("it names its letter"));
        } else {
            assert!(message.text.contains(".\n.hidden"), "{message:?}");
            assert_eq!((message.subject.as_str(), message.from.as_deref()), ("Störung", Some("noc@example.net")));
            arrived.insert(message.message_id.expect("it has one"));
        }
    }
    let ids = |from: u64| (from..from + LETTERS).map(|id| letter(id, "").message_id).collect::<BTreeSet<_>>();
    assert_eq!((arrived, back), (ids(0), ids(LETTERS)), "each once");
    drop(inward);
}
