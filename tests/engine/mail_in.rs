//! The IMAP engine against dovecot.

use crate::certificate::certificate;
use crate::dovecot::{Dovecot, PASSWORD, USER};
use ntuwatch::clock::Stopwatch;
use ntuwatch::domain::mail::Parcel;
use ntuwatch::domain::watch::Secret;
use ntuwatch::engine::mail_in::imap::{Imap, MailInEngine, Taken, start};
use ntuwatch::engine::tls::Tls;
use std::process::Command;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

fn engine(dovecot: &Dovecot, password: &str) -> (MailInEngine, Receiver<Parcel>) {
    engine_at(("localhost", dovecot.port, Tls::None), password)
}

pub(crate) fn engine_at((host, port, tls): (&str, u16, Tls), password: &str) -> (MailInEngine, Receiver<Parcel>) {
    let settings = Imap {
        host: host.to_owned(),
        port,
        tls,
        user: USER.to_owned(),
        password: Secret::new(password.to_owned()),
        mailbox: "INBOX".to_owned(),
        archive: "Gelesen & fertig für später".to_owned(),
    };
    let (sender, parcels) = mpsc::channel();
    let take = move |parcel| sender.send(parcel).map_or(Taken::Later, |()| Taken::Stored);
    let deliver = Box::new(move |parcels: Vec<Parcel>| parcels.into_iter().map(&take).collect());
    (start(settings, deliver).expect("an engine"), parcels)
}

fn message(number: usize) -> String {
    format!("From: it@acme.example\r\nSubject: message {number}\r\n\r\nWords (and \"signs\") {{5}}\r\n.\r\n")
}

fn until(dovecot: &Dovecot, what: &str, holds: impl Fn() -> bool) {
    let begun = Stopwatch::start();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "{what}: {}", dovecot.log());
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn messages_are_taken_from_dovecot_as_they_are_and_archived() {
    let Some(dovecot) = Dovecot::start() else { return };
    // More than one list of them; dovecot numbers those of the start by their names.
    (0..120).for_each(|number| dovecot.deliver(&format!("{}.a.b", 1_000_000 + number), &message(number)));
    let (engine, parcels) = engine(&dovecot, PASSWORD);
    for number in 0..120 {
        let parcel = parcels.recv_timeout(PATIENCE).unwrap_or_else(|error| panic!("{error}: {}", dovecot.log()));
        assert_eq!(parcel, Parcel { raw: message(number).into_bytes(), whole: true });
    }
    until(&dovecot, "all are moved", || dovecot.count("") == 0);
    // It waits by IDLE now: what comes is taken at once.
    for number in 200..203 {
        dovecot.deliver(&format!("{}.a.b", 2_000_000 + number), &message(number));
        let parcel = parcels.recv_timeout(PATIENCE).expect("news");
        assert_eq!(parcel.raw, message(number).into_bytes());
    }
    until(&dovecot, "all are archived", || {
        dovecot.count("") == 0 && dovecot.count(".Gelesen &- fertig f&APw-r sp&AOQ-ter") == 123
    });
    let status = engine.status();
    assert!(status.connected && status.fault.is_none() && status.left.is_empty(), "{status:?}");
    assert_eq!(status.taken, 123);
    assert!(parcels.try_recv().is_err(), "each once");
    let stop = Stopwatch::start();
    drop(engine);
    assert!(stop.elapsed() < Duration::from_secs(2));
}

#[test]
fn a_wrong_password_is_told_in_words() {
    let Some(dovecot) = Dovecot::start() else { return };
    let (engine, _parcels) = engine(&dovecot, "another");
    until(&dovecot, "it says so", || engine.status().fault.is_some_and(|fault| fault.contains("does not let us in")));
}

#[test]
fn a_server_nobody_vouches_for_gets_no_password() {
    let Some(folder) = certificate() else { return };
    let Some(dovecot) = Dovecot::with(Some(folder.path())) else { return };
    for (port, tls) in [(dovecot.port, Tls::StartTls), (dovecot.tls_port, Tls::Wrapped)] {
        let (engine, _parcels) = engine_at(("localhost", port, tls), PASSWORD);
        until(&dovecot, "it says so", || engine.status().fault.is_some_and(|fault| fault.contains("certificate")));
    }
    assert!(!dovecot.log().contains("Login: user="), "{}", dovecot.log());
}

#[test]
fn a_mailbox_behind_tls_is_read_if_somebody_vouches_for_its_server() {
    let Some(folder) = certificate() else { return };
    // In a process of its own, since the environment of a running one can't be changed.
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "mail_in::beside_a_trusted_certificate", "--show-output"])
        .env("SSL_CERT_FILE", folder.path().join("cert.pem"))
        .current_dir(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
#[ignore = "a_mailbox_behind_tls_is_read_if_somebody_vouches_for_its_server runs it"]
fn beside_a_trusted_certificate() {
    let folder = std::env::current_dir().unwrap();
    let Some(dovecot) = Dovecot::with(Some(&folder)) else { return };
    for (number, (port, tls)) in
        [(dovecot.port, Tls::StartTls), (dovecot.tls_port, Tls::Wrapped)].into_iter().enumerate()
    {
        let (other, _parcels) = engine_at(("127.0.0.1", port, tls), PASSWORD);
        let foreign = || other.status().fault.is_some_and(|fault| fault.contains("certificate"));
        until(&dovecot, "its name is another", foreign);
        drop(other);
        dovecot.deliver(&format!("{}.a.b", 1_000_000 + number), &message(number));
        let (engine, parcels) = engine_at(("localhost", port, tls), PASSWORD);
        let parcel = parcels.recv_timeout(PATIENCE).unwrap_or_else(|error| panic!("{error}: {}", dovecot.log()));
        assert_eq!(parcel.raw, message(number).into_bytes());
        until(&dovecot, "it is moved", || dovecot.count("") == 0);
        drop(engine);
    }
}
