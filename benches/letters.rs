//! Letters to postfix's smtp-sink over 1, 4 and 16 connections: the engine, and lettre's own transport beside it.
//!
//!     cargo bench --bench letters -- 10000

#[path = "support/cpu.rs"]
mod cpu;
#[path = "support/table.rs"]
mod table;

use core::cell::Cell;
use core::net::Ipv4Addr;
use core::time::Duration;
use lettre::message::header::{ContentType, MIME_VERSION_1_0};
use lettre::message::{Body, Message};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::extension::ClientId;
use ntuwatch::clock::Stopwatch;
use ntuwatch::domain::letter::{Delivery, Mail};
use ntuwatch::domain::outbox::MAX_IN_FLIGHT;
use ntuwatch::engine::mail_out::{Route, Settings, Tls, start};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, ExitCode, Stdio};
use std::rc::Rc;
use std::sync::mpsc;
use std::thread;
use table::Table;
use tokio::runtime;
use tokio::task::LocalSet;

const SINK: &str = "/usr/sbin/smtp-sink";
const LETTERS: u64 = 10_000;
const CONNECTIONS: [usize; 3] = [1, 4, 16];
/// What a connection of lettre's carries at most in a run: at 25 letters a second it has no more in four seconds.
const STALLED: u64 = 100;
/// How long a report may take.
const PATIENCE: Duration = Duration::from_secs(60);
const FROM: &str = "noc@example.net";
const TO: &str = "it@acme.example";
const SUBJECT: &str = "[NTU-2026-000123] Service down: acme-lon-1";
const BODY: &str = "Dear Acme,\n\nyour line acme-lon-1 (service order SO-4711) has been down since 10:42 UTC.\nWe are working on it \
    and will write again by 11:42 UTC.\n\nYour reference is NTU-2026-000123.\n\n-- \nNOC London\n";

/// A running smtp-sink. Dropping it kills it.
struct Sink {
    process: Child,
    port: u16,
}

impl Sink {
    fn start() -> Self {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|l| l.local_addr()).expect("a port").port();
        // Started by root, the sink wants to be told whom to run as.
        let user: &[_] = if nix::unistd::geteuid().is_root() { &["-u", "root"] } else { &[] };
        let process = Command::new(SINK)
            .args(user)
            .args([format!("127.0.0.1:{port}"), "100".to_owned()])
            .stderr(Stdio::null())
            .spawn()
            .expect("smtp-sink is installed (Debian: postfix)");
        let mut sink = Self { process, port };
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(sink.process.try_wait().is_ok_and(|ended| ended.is_none()), "{SINK} ended");
            thread::yield_now();
        }
        sink
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        if self.process.kill().and_then(|()| self.process.wait()).is_err() {
            eprintln!("{SINK} could not be ended");
        }
    }
}

/// What a number of letters took.
struct Run {
    letters: u64,
    wall: Duration,
    cpu: Duration,
}

impl Run {
    fn of(letters: u64, send: impl FnOnce()) -> Self {
        let (clock, before) = (Stopwatch::start(), cpu::used());
        send();
        Self { letters, wall: clock.elapsed(), cpu: cpu::used().saturating_sub(before) }
    }

    fn rate(&self) -> f64 {
        self.letters as f64 / self.wall.as_secs_f64()
    }

    fn us(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.letters as f64
    }

    fn beside(&self, base: &Self) -> Vec<String> {
        vec![
            self.letters.to_string(),
            format!("{:.0}", self.rate()),
            format!("{:.1}", self.rate() / base.rate()),
            format!("{:.1}", self.us()),
            format!("{:.2}", self.us() / base.us()),
        ]
    }
}

fn main() -> ExitCode {
    let letters = std::env::args().find_map(|word| word.parse().ok()).unwrap_or(LETTERS);
    let sink = Sink::start();
    let mut table =
        Table::new(&["sender, connections", "letters", "letters/s", "times lettre", "CPU us/letter", "times lettre"]);
    for connections in CONNECTIONS {
        let few = letters.min(STALLED * connections as u64);
        let base = by_lettre(sink.port, few, connections, false);
        let prompt = by_lettre(sink.port, letters, connections, true);
        let own = by_ntuwatch(sink.port, letters, connections);
        for (name, run) in [("lettre", &base), ("lettre, TCP_NODELAY", &prompt), ("ntuwatch", &own)] {
            table.row(&format!("{name}, {connections}"), run.beside(&base));
        }
    }
    table.print();
    ExitCode::SUCCESS
}

fn mail(id: u64) -> Mail {
    Mail {
        id,
        to: TO.to_owned(),
        message_id: format!("{id}@example.net"),
        in_reply_to: None,
        references: Vec::new(),
        reply_to: None,
        subject: SUBJECT.to_owned(),
        body: BODY.to_owned(),
        written_unix_ms: 1_700_000_000_000,
    }
}

/// The engine, with as many letters at once as the outbox would give it.
fn by_ntuwatch(port: u16, letters: u64, connections: usize) -> Run {
    let route =
        Route::Smtp { host: Ipv4Addr::LOCALHOST.to_string(), port, tls: Tls::None, credentials: None, connections };
    let settings = Settings { from_name: None, from_address: FROM.to_owned(), route };
    let (sender, reports) = mpsc::channel();
    let report = Box::new(move |id, delivery| sender.send((id, delivery)).expect("somebody listens"));
    let engine = start(settings, report).expect("an engine");
    let mut ids = 0..letters;
    Run::of(letters, || {
        ids.by_ref().take(MAX_IN_FLIGHT).for_each(|id| engine.send(mail(id)).expect("room"));
        for _ in 0..letters {
            let (id, delivery) = reports.recv_timeout(PATIENCE).expect("a report");
            assert_eq!(delivery, Delivery::Sent, "letter {id}");
            if let Some(id) = ids.next() {
                engine.send(mail(id)).expect("room");
            }
        }
    })
}

/// What lettre's documentation shows, on connections that are kept; with `prompt` on streams that don't wait for ACKs.
fn by_lettre(port: u16, letters: u64, connections: usize, prompt: bool) -> Run {
    let runtime = runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let rest = Rc::new(Cell::new(letters));
    let tasks = LocalSet::new();
    for _ in 0..connections {
        let rest = Rc::clone(&rest);
        tasks.spawn_local(async move {
            let hello = ClientId::Ipv4(Ipv4Addr::LOCALHOST);
            let server = (Ipv4Addr::LOCALHOST, port);
            let mut connection = if prompt {
                let stream = tokio::net::TcpStream::connect(server).await.expect("the sink listens");
                stream.set_nodelay(true).expect("a socket");
                AsyncSmtpConnection::connect_with_transport(Box::new(stream), &hello).await
            } else {
                AsyncSmtpConnection::connect_tokio1(server, None, &hello, None, None).await
            }
            .expect("a connection");
            while let Some(id) = rest.get().checked_sub(1) {
                rest.set(id);
                let message = message(&mail(id));
                connection.send(message.envelope(), &message.formatted()).await.expect("it is taken");
            }
        });
    }
    Run::of(letters, || runtime.block_on(tasks))
}

fn message(mail: &Mail) -> Message {
    Message::builder()
        .message_id(Some(format!("<{}>", mail.message_id)))
        .from(FROM.parse().expect("an address"))
        .to(mail.to.parse().expect("an address"))
        .subject(mail.subject.as_str())
        .header(MIME_VERSION_1_0)
        .header(ContentType::TEXT_PLAIN)
        .body(Body::new(mail.body.clone()))
        .expect("a message")
}
