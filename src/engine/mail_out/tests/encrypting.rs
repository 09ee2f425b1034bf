//! TLS with a server whose certificate is trusted, unknown, or somebody else's.

use super::server::{Answer, Offer, Server, polite};
use super::tls::{self, certificate};
use super::{Bench, PATIENT, letter, why};
use crate::domain::letter::Delivery;
use crate::engine::mail_out::{MAX_CONNECTIONS, Route, Tls};
use rustls::ServerConfig;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

type Protect = fn(Arc<ServerConfig>) -> Offer;

const OFFERS: [(Tls, Protect); 2] = [(Tls::StartTls, Offer::StartTls), (Tls::Wrapped, Offer::Wrapped)];

/// A server with the certificate in `folder`, and what becomes of a letter sent to it as `host`.
fn deliver(folder: &Path, host: &str, mode: Tls, protect: Protect) -> (Server, Delivery) {
    let script = Box::new(|_, command: &str| match command {
        "EHLO" => Answer::Say("250-mx.example\r\n250-AUTH PLAIN\r\n250 STARTTLS"),
        "STARTTLS" => Answer::Say("220 go on"),
        "AUTH" => Answer::Say("235 welcome"),
        other => polite(other),
    });
    let server = Server::offering(protect(tls::server(folder)), script);
    let credentials = Some(("noc".to_owned(), "secret".to_owned()));
    let route =
        Route::Smtp { host: host.to_owned(), port: server.port, tls: mode, credentials, connections: MAX_CONNECTIONS };
    let delivery = Bench::new(route, PATIENT).deliver(letter(1));
    (server, delivery)
}

#[test]
fn a_server_nobody_vouches_for_gets_neither_password_nor_letter() {
    let Some(folder) = certificate() else { return };
    for (tls, protect) in OFFERS {
        let (server, delivery) = deliver(folder.path(), "localhost", tls, protect);
        assert!(why!(delivery, Unreachable).contains("certificate"), "{tls:?}");
        assert!(server.commands().iter().all(|command| !command.starts_with("AUTH") && !command.starts_with("MAIL")));
    }
}

#[test]
fn a_server_that_is_vouched_for_gets_letters() {
    let Some(folder) = certificate() else { return };
    // In a process of its own, since the environment of a running one can't be changed.
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "engine::mail_out::tests::encrypting::beside_a_trusted_certificate"])
        .env("SSL_CERT_FILE", folder.path().join("cert.pem"))
        .current_dir(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
#[ignore = "a_server_that_is_vouched_for_gets_letters runs it"]
fn beside_a_trusted_certificate() {
    for (tls, protect) in OFFERS {
        let (server, delivery) = deliver(Path::new("."), "localhost", tls, protect);
        assert_eq!(delivery, Delivery::Sent, "{tls:?}");
        assert_eq!(server.letters().len(), 1);
        assert_eq!(server.whole(), 1, "{tls:?}: the final dot waits for nothing");
        let (_, delivery) = deliver(Path::new("."), "127.0.0.1", tls, protect);
        assert!(why!(delivery, Unreachable).contains("certificate"), "its name is another");
    }
}
