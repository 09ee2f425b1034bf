//! The mail engine against postfix's smtp-sink.

use ntuwatch::domain::letter::{Delivery, Mail};
use ntuwatch::engine::mail_out::{MAX_CONNECTIONS, Route, Settings, Tls, start};
use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

const SINK: &str = "/usr/sbin/smtp-sink";
/// Letters under way at once: what the outbox hands over at most.
const AT_ONCE: u64 = 32;
const LETTERS: u64 = 320;
const PATIENCE: Duration = Duration::from_secs(60);

/// A running smtp-sink. Dropping it kills it.
struct Sink {
    process: Child,
    port: u16,
}

impl Sink {
    /// Started and listening; `None` if it is not installed.
    fn start(folder: &Path) -> Option<Self> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|l| l.local_addr()).expect("a port").port();
        // Started by root, the sink wants to be told whom to run as.
        let user: &[_] = if nix::unistd::geteuid().is_root() { &["-u", "root"] } else { &[] };
        let process = Command::new(SINK)
            .args(user)
            .args(["-d", "letter.%M."])
            .args([format!("127.0.0.1:{port}"), "100".to_owned()])
            .current_dir(folder)
            .stderr(Stdio::null())
            .spawn();
        if process.as_ref().is_err_and(|error| error.kind() == ErrorKind::NotFound) {
            return None;
        }
        let mut sink = Self { process: process.expect(SINK), port };
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(sink.process.try_wait().is_ok_and(|ended| ended.is_none()), "{SINK} ended");
            thread::yield_now();
        }
        Some(sink)
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.process.kill().expect("the sink still runs");
        self.process.wait().expect("the sink is ours");
    }
}

fn letter(id: u64) -> Mail {
    Mail {
        id,
        to: "it@acme.example".to_owned(),
        message_id: format!("{id}@example.net"),
        in_reply_to: None,
        references: Vec::new(),
        reply_to: None,
        subject: "Störung".to_owned(),
        body: "The line is down.\n".to_owned(),
        written_unix_ms: 1_700_000_000_000,
    }
}

#[test]
fn every_letter_reaches_a_real_server_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(sink) = Sink::start(folder.path()) else {
        println!("skipped: {SINK} is not installed (Debian: postfix)");
        return;
    };
    let route = Route::Smtp {
        host: "localhost".to_owned(),
        port: sink.port,
        tls: Tls::None,
        credentials: None,
        connections: MAX_CONNECTIONS,
    };
    let settings = Settings { from_name: None, from_address: "noc@example.net".to_owned(), route };
    let (sender, reports) = mpsc::channel();
    let report = Box::new(move |id, delivery| sender.send((id, delivery)).expect("somebody listens"));
    let engine = start(settings, report).expect("an engine");
    (0..AT_ONCE).for_each(|id| engine.send(letter(id)).expect("room"));
    for next in AT_ONCE..LETTERS + AT_ONCE {
        let (id, delivery) = reports.recv_timeout(PATIENCE).expect("a report");
        assert_eq!(delivery, Delivery::Sent, "letter {id}");
        if next < LETTERS {
            engine.send(letter(next)).expect("room");
        }
    }
    drop(engine);
    assert_eq!(reports.iter().count(), 0, "each is reported once");
    let arrived: Vec<_> = fs::read_dir(folder.path())
        .expect("the folder")
        .map(|entry| fs::read_to_string(entry.expect("an entry").path()).expect("a letter"))
        .filter_map(|letter| letter.lines().find(|line| line.starts_with("Message-ID: ")).map(str::to_owned))
        .collect();
    assert_eq!(arrived.len(), usize::try_from(LETTERS).expect("a small number"));
    assert_eq!(arrived.iter().collect::<BTreeSet<_>>().len(), arrived.len(), "each arrived once");
}
