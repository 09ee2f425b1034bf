//! Mail that wants to fill the daemon: its memory stays within a bound, it answers meanwhile, and what it can't keep it refuses for now.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use ntuwatch::clock::Stopwatch;
use ntuwatch::domain::mail::MAX_MESSAGE;
use serde_json::Value;
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(120);
/// What a daemon may take up beyond what it has at rest, in MiB: the largest messages of four who bring them, as they come in, are
/// written and are read.
const MORE: u64 = 12 * (MAX_MESSAGE as u64 >> 20);

const CONFIG: &str = r#"
[http]
listen = "off"
socket = "./ntuwatch.sock"
[store]
path = "./ntuwatch.db"
[mail]
from = "NOC <noc@example.net>"
noc = ["noc@example.net"]
folder = "./mail"
[mail_in]
raw_limit = "100 MiB"
"#;

struct Daemon {
    child: Child,
    home: TempDir,
}

impl Daemon {
    fn start() -> Self {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("ntuwatch.toml"), CONFIG).unwrap();
        let log = fs::File::create(home.path().join("log")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_ntuwatch"));
        command.args(["run", "--config"]).arg(home.path().join("ntuwatch.toml"));
        let child = command.stdin(Stdio::null()).stderr(log).spawn().unwrap();
        let daemon = Self { child, home };
        daemon.until("it serves", || UnixStream::connect(daemon.socket()).is_ok());
        daemon
    }

    fn socket(&self) -> std::path::PathBuf {
        self.home.path().join("ntuwatch.sock")
    }

    fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let begun = Stopwatch::start();
        while !holds() {
            let log = || fs::read_to_string(self.home.path().join("log")).unwrap_or_default();
            assert!(begun.elapsed() < PATIENCE, "{what}: {}", log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn exchange(&self, head: &str, body: &[u8]) -> (u16, Value) {
        let mut stream = UnixStream::connect(self.socket()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let length = body.len();
        write!(stream, "{head} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\nContent-Type: application/json\r\n\r\n").unwrap();
        // Who has heard enough may hang up.
        drop(stream.write_all(body));
        let mut answer = String::new();
        drop(stream.read_to_string(&mut answer));
        let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        (status, serde_json::from_str(body).unwrap_or(Value::Null))
    }

    fn get(&self, path: &str) -> Value {
        self.exchange(&format!("GET {path}"), b"").1
    }

    /// Hands a message over as a mail server does.
    fn mail_in(&self, raw: &[u8]) -> Option<i32> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ntuwatch"));
        command.arg("--socket").arg(self.socket()).arg("mail-in").stdin(Stdio::piped());
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Who has read enough reads no more.
        drop(child.stdin.take().unwrap().write_all(raw));
        child.wait().unwrap().code()
    }

    /// Resident now and at most, in MiB.
    fn memory(&self) -> (u64, u64) {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let of = |key: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap();
            line.split_whitespace().next().unwrap().parse::<u64>().unwrap() / 1_024
        };
        (of("VmRSS:"), of("VmHWM:"))
    }

    fn until_sorted(&self, count: usize) {
        self.until("all are sorted", || {
            let list = self.get("/api/mail?limit=100");
            let list = list.as_array().map_or(&[][..], Vec::as_slice);
            list.len() == count && list.iter().all(|mail| mail["outcome"] == "quarantined")
        });
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A message of so many bytes.
fn large(name: &str, size: usize) -> Vec<u8> {
    let mut raw = format!("From: {name}@x.example\r\nSubject: {name}\r\n\r\n").into_bytes();
    raw.resize(size, b'x');
    raw
}

/// Multiparts within multiparts, and then parts beside parts, of so many bytes at least.
fn nested(size: usize) -> Vec<u8> {
    let mut raw = b"From: nested@x.example\r\nMIME-Version: 1.0\r\n".to_vec();
    for depth in 0..size / 200 {
        raw.extend(format!("Content-Type: multipart/mixed; boundary=b{depth}\r\n\r\n--b{depth}\r\n").into_bytes());
    }
    while raw.len() < size {
        raw.extend(b"Content-Type: text/html\r\n\r\n<b><b><b>\r\n--b0\r\n");
    }
    raw
}

#[test]
fn whatever_comes_in_memory_has_a_bound_and_the_daemon_answers() {
    let daemon = Daemon::start();
    let (rest, _) = daemon.memory();
    let bombs = [nested(MAX_MESSAGE - 100), nested(1 << 20), large("a", MAX_MESSAGE), large("b", MAX_MESSAGE)];
    thread::scope(|scope| {
        let bringing: Vec<_> = bombs.iter().map(|bomb| scope.spawn(|| daemon.mail_in(bomb))).collect();
        while bringing.iter().any(|bringing| !bringing.is_finished()) {
            assert_eq!(daemon.exchange("GET /health", b"").0, 200);
            thread::sleep(Duration::from_millis(5));
        }
        assert!(bringing.into_iter().all(|bringing| bringing.join().unwrap() == Some(0)));
    });
    daemon.until_sorted(bombs.len());
    // One that is twice too large is refused for good, by the pipe and over HTTP.
    let huge = large("huge", 50 << 20);
    assert_eq!(daemon.mail_in(&huge), Some(65));
    let (status, _) = daemon.exchange("POST /api/mail", &huge);
    assert!(status == 413 || status == 0, "{status}");
    assert_eq!(daemon.get("/api/mail").as_array().unwrap().len(), bombs.len());
    assert_eq!(daemon.get("/health")["status"], "ok");
    let (_, peak) = daemon.memory();
    assert!(peak <= rest + MORE, "{peak} MiB, {rest} MiB at rest");
}

#[test]
fn where_nothing_is_decided_a_full_store_refuses_for_now_and_takes_mail_again() {
    let daemon = Daemon::start();
    for name in ["a", "b", "c", "d"] {
        assert_eq!(daemon.mail_in(&large(name, MAX_MESSAGE)), Some(0), "{name}");
    }
    daemon.until_sorted(4);
    // It is full to the last byte.
    let small = large("e", 1_000);
    assert_eq!(daemon.mail_in(&small), Some(75));
    let (status, said) = daemon.exchange("POST /api/mail", &small);
    assert_eq!(status, 503);
    assert!(said["error"].as_str().unwrap().contains("raw_limit"), "{said}");
    assert_eq!(daemon.mail_in(&large("a", MAX_MESSAGE)), Some(0), "one that is here needs no room");
    let health = daemon.get("/health");
    assert_eq!(health["status"], "degraded");
    assert!(health.to_string().contains("mail is refused for now"), "{health}");
    assert_eq!(daemon.get("/api/status")["mail_in"]["original_bytes"], 4 * MAX_MESSAGE);

    assert_eq!(daemon.exchange("POST /api/mail/2/dismiss", b"{\"by\": \"ann\"}").0, 200);
    daemon.until("there is room", || daemon.get("/health")["status"] == "ok");
    assert_eq!(daemon.mail_in(&small), Some(0));
    assert_eq!(daemon.get("/api/mail/2")["original_bytes"], Value::Null);
    assert_eq!(daemon.get("/api/mail/1")["original_bytes"], MAX_MESSAGE);
    let mut show = Command::new(env!("CARGO_BIN_EXE_ntuwatch"));
    let shown = show.arg("--socket").arg(daemon.socket()).args(["mail", "show", "2"]).output().unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("original    gone") && shown.contains("b@x.example"), "{shown}");
}
