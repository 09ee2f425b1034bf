//! Notices of the real program: a messenger that is down when a case is opened gets its notice once it is back, once, and
//! can tell by the key that all attempts are one.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests fail and skip as tests do"
)]

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// Longer than a messenger that is away is left alone after the first failure.
const LONG: Duration = Duration::from_secs(90);

/// A request: its key and its body.
#[derive(Debug, PartialEq, Eq)]
struct Request {
    key: String,
    body: String,
}

/// Takes requests: the first one is put off for a second, all others are taken.
fn messenger(listener: TcpListener) -> Receiver<Request> {
    let (tell, requests) = mpsc::channel();
    thread::spawn(move || {
        for (number, stream) in listener.incoming().map_while(Result::ok).enumerate() {
            let mut reader = BufReader::new(stream);
            let (mut key, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).unwrap() <= 2 {
                    break;
                }
                let (name, value) = line.trim().split_once(": ").unwrap_or_default();
                match name.to_ascii_lowercase().as_str() {
                    "idempotency-key" => key = value.to_owned(),
                    "content-length" => length = value.parse().unwrap(),
                    _ => {}
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let status = if number == 0 { "503 Later\r\nRetry-After: 1" } else { "200 OK" };
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            reader.into_inner().write_all(answer.as_bytes()).unwrap();
            if tell.send(Request { key, body: String::from_utf8(body).unwrap() }).is_err() {
                return;
            }
        }
    });
    requests
}

struct Daemon {
    config: PathBuf,
    process: Child,
    log: Receiver<String>,
    words: String,
}

impl Daemon {
    /// `None` where it has no right to run.
    fn start(home: &Path, port: u16) -> Option<Self> {
        let text = format!(
            r#"
            [http]
            listen = "off"
            [mail]
            from = "NOC <noc@example.net>"
            noc = ["noc@example.net"]
            [[messenger]]
            name = "chat"
            preset = "slack"
            url = "http://127.0.0.1:{port}/KEY"
            [[notify]]
            to = ["noc@example.net"]
            by = ["chat", "mail"]
            [[customer]]
            id = "acme"
            name = "Acme"
            email = ["it@acme.example"]
            [[unit]]
            id = "acme-lon-1"
            customer = "acme"
            address = "127.0.0.1"
            order = "SO-1"
            service = "DIA"
            region = "EMEA"
            ttr = "4h"
            "#
        );
        let config = home.join("ntuwatch.toml");
        fs::write(&config, text).unwrap();
        let mut run = Command::new(env!("CARGO_BIN_EXE_ntuwatch"));
        run.arg("run").arg("--config").arg(&config).env("NTUWATCH_LOG", "debug").stderr(Stdio::piped());
        let mut process = run.spawn().unwrap();
        let lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let (sender, log) = mpsc::channel();
        // A daemon must not wait for its reader.
        thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let mut daemon = Self { config, process, log, words: String::new() };
        if !daemon.says("units: 1") {
            assert!(daemon.words.contains("no right to open an ICMP socket"), "{}", daemon.words);
            println!("skipped: no right to ICMP here");
            return None;
        }
        Some(daemon)
    }

    /// Waits until it logs a line with `words`; not, if it ends before.
    fn says(&mut self, words: &str) -> bool {
        loop {
            match self.log.recv_timeout(LONG) {
                Ok(line) => {
                    self.words += &format!("{line}\n");
                    if line.contains(words) {
                        return true;
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return false,
                Err(RecvTimeoutError::Timeout) => panic!("not a word of {words:?}: {}", self.words),
            }
        }
    }

    /// Waits until its status has these words.
    fn shows(&self, words: &str) {
        const LOOK_AGAIN: Duration = Duration::from_millis(100);
        for _ in 0..LONG.as_millis() / LOOK_AGAIN.as_millis() {
            if self.cli(&["status"]).contains(words) {
                return;
            }
            thread::sleep(LOOK_AGAIN);
        }
        panic!("its status never has {words:?}: {}", self.cli(&["status"]));
    }

    fn cli(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ntuwatch"));
        let output = command.arg("--config").arg(&self.config).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        kill(Pid::from_raw(self.process.id().cast_signed()), Signal::SIGTERM).ok();
        self.process.wait().ok();
    }
}

#[test]
fn a_messenger_that_was_down_gets_each_notice_once() {
    // A port where nobody listens yet.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let home = tempfile::tempdir().unwrap();
    let Some(mut daemon) = Daemon::start(home.path(), port) else { return };
    daemon.shows("UP 1");
    daemon.cli(&["case", "open", "acme-lon-1", "--priority", "P1"]);
    assert!(daemon.says("a notice was not taken"));
    daemon.shows("notices  chat: 1 waiting, takes nothing since");
    assert!(!daemon.words.contains("KEY"), "the URL is a secret");

    let requests = messenger(TcpListener::bind(("127.0.0.1", port)).unwrap());
    assert!(daemon.says("was taken by the messenger"));
    let requests: Vec<Request> = requests.try_iter().collect();
    let [put_off, taken] = requests.as_slice() else { panic!("two attempts: {requests:?}") };
    assert_eq!(put_off, taken, "the same notice under the same key");
    assert!(taken.key.starts_with("msg_") && taken.body.contains("acme-lon-1"), "{taken:?}");
    assert!(!daemon.words.contains("goes out as well"), "no mail beside it: {}", daemon.words);
    daemon.shows("notices  chat: 0 waiting\n");
}
