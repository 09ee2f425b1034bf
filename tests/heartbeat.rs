//! The heartbeat of the real program: it arrives while somebody watches, over TLS too, and does not when nobody does.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests fail and skip as tests do"
)]

#[path = "common/tls.rs"]
mod tls;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rustls::{ServerConfig, ServerConnection, Stream};
use std::fs;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

const LONG: Duration = Duration::from_secs(60);

/// A dead man's switch, open to all or by TLS. Says what was asked for; takes no beats while it is out of order.
struct Switch {
    port: u16,
    beats: Receiver<String>,
    out_of_order: Arc<AtomicBool>,
}

impl Switch {
    fn new(tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, beats) = mpsc::channel();
        let out_of_order = Arc::new(AtomicBool::new(false));
        let broken = Arc::clone(&out_of_order);
        thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let broken = broken.load(Ordering::SeqCst);
                let beat = match &tls {
                    None => answer(&mut stream, broken),
                    Some(config) => {
                        let mut session = ServerConnection::new(Arc::clone(config)).unwrap();
                        answer(&mut Stream::new(&mut session, &mut stream), broken)
                    }
                };
                // A handshake that fails is no beat.
                if let Some(beat) = beat
                    && sender.send(beat).is_err()
                {
                    return;
                }
            }
        });
        Self { port, beats, out_of_order }
    }
}

/// Reads a request and answers it; its first line.
fn answer(stream: &mut (impl Read + Write), broken: bool) -> Option<String> {
    let mut lines = BufReader::new(&mut *stream).lines().map_while(Result::ok);
    let first = lines.next()?;
    lines.find(|line| line.is_empty())?;
    let status = if broken { "503 Out of Order" } else { "200 OK" };
    write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").ok()?;
    Some(first)
}

/// A running daemon whose heart beats every second. Dropping it ends it.
struct Daemon {
    home: TempDir,
    process: Child,
    log: Receiver<String>,
    /// What it has logged, as far as it was read.
    words: String,
}

impl Daemon {
    /// `None` where it has no right to run.
    fn start(url: &str, certificates: Option<&Path>) -> Option<Self> {
        let home = tempfile::tempdir().unwrap();
        let config = format!(
            r#"
            [http]
            listen = "off"
            [mail]
            from = "NOC <noc@example.net>"
            noc = ["noc@example.net"]
            [heartbeat]
            url = "{url}"
            every = "1s"
            "#
        );
        let path = home.path().join("ntuwatch.toml");
        fs::write(&path, config).unwrap();
        let mut run = Command::new(env!("CARGO_BIN_EXE_ntuwatch"));
        run.arg("run").arg("--config").arg(path).env("NTUWATCH_LOG", "trace").stderr(Stdio::piped());
        if let Some(certificates) = certificates {
            run.env("SSL_CERT_FILE", certificates);
        }
        let mut process = run.spawn().unwrap();
        let lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let (sender, log) = mpsc::channel();
        // A daemon must not wait for its reader.
        thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let mut daemon = Self { home, process, log, words: String::new() };
        if daemon.says("units: 0").is_none() {
            assert!(daemon.words.contains("no right to open an ICMP socket"), "{}", daemon.words);
            println!("skipped: no right to ICMP here");
            return None;
        }
        Some(daemon)
    }

    /// Waits until it logs a line with `words`, and returns the line. `None` if it ends before.
    fn says(&mut self, words: &str) -> Option<String> {
        loop {
            match self.log.recv_timeout(LONG) {
                Ok(line) => {
                    self.words += &format!("{line}\n");
                    if line.contains(words) {
                        return Some(line);
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => panic!("not a word of {words:?}: {}", self.words),
            }
        }
    }

    fn metric(&self, series: &str) -> f64 {
        let mut stream = UnixStream::connect(self.home.path().join("ntuwatch.sock")).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut page = String::new();
        stream.read_to_string(&mut page).unwrap();
        let value = page.lines().find_map(|line| line.strip_prefix(series)).unwrap();
        value.trim().parse().unwrap()
    }

    /// Ends it; all that it has logged.
    fn stop(mut self) -> String {
        kill(Pid::from_raw(i32::try_from(self.process.id()).unwrap()), Signal::SIGTERM).unwrap();
        assert!(self.says("no such words").is_none());
        assert!(self.process.wait().unwrap().success(), "{}", self.words);
        self.words.clone()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

#[test]
fn it_beats_and_a_switch_out_of_order_is_logged_once() {
    let switch = Switch::new(None);
    let Some(mut daemon) = Daemon::start(&format!("http://127.0.0.1:{}/ping/KEY", switch.port), None) else { return };
    for _ in 0..2 {
        assert_eq!(switch.beats.recv_timeout(LONG).unwrap(), "GET /ping/KEY HTTP/1.1");
    }
    switch.out_of_order.store(true, Ordering::SeqCst);
    daemon.says("no heartbeat gets through").unwrap();
    while daemon.metric("ntuwatch_heartbeats_total{outcome=\"failed\"}") < 2.0 {
        switch.beats.recv_timeout(LONG).unwrap();
    }
    switch.out_of_order.store(false, Ordering::SeqCst);
    daemon.says("heartbeats get through again").unwrap();
    assert!(daemon.metric("ntuwatch_heartbeats_total{outcome=\"sent\"}") >= 2.0);
    let words = daemon.stop();
    assert_eq!(words.matches("no heartbeat gets through").count(), 1, "{words}");
    assert_eq!(words.matches("heartbeats get through again").count(), 1, "{words}");
    assert!(words.contains("it answers 503") && !words.contains("KEY"), "{words}");
}

#[test]
fn it_is_withheld_while_the_store_takes_no_commits() {
    let switch = Switch::new(None);
    let Some(mut daemon) = Daemon::start(&format!("http://127.0.0.1:{}/ping/KEY", switch.port), None) else { return };
    switch.beats.recv_timeout(LONG).unwrap();
    let shell = rusqlite::Connection::open(daemon.home.path().join("ntuwatch.db")).unwrap();
    shell.execute_batch("BEGIN IMMEDIATE").unwrap();
    daemon.says("the heartbeat is withheld").unwrap();
    switch.beats.try_iter().for_each(drop);
    let withheld = || daemon.metric("ntuwatch_heartbeats_total{outcome=\"withheld\"}");
    let before = withheld();
    while withheld() < before + 2.0 {
        thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(switch.beats.try_iter().count(), 0, "silence is the alarm");
    shell.execute_batch("ROLLBACK").unwrap();
    daemon.says("heartbeats get through again").unwrap();
    switch.beats.recv_timeout(LONG).unwrap();
    daemon.stop();
}

#[test]
fn it_beats_over_tls() {
    let Some(folder) = tls::certificate() else { return };
    let switch = Switch::new(Some(tls::server(folder.path())));
    let url = format!("https://localhost:{}/ping/KEY", switch.port);
    let Some(daemon) = Daemon::start(&url, Some(&folder.path().join("cert.pem"))) else { return };
    assert_eq!(switch.beats.recv_timeout(LONG).unwrap(), "GET /ping/KEY HTTP/1.1");
    assert!(!daemon.stop().contains("KEY"));
}

#[test]
fn a_switch_nobody_vouches_for_does_not_see_the_key() {
    let (Some(own), Some(other)) = (tls::certificate(), tls::certificate()) else { return };
    let switch = Switch::new(Some(tls::server(own.path())));
    let url = format!("https://localhost:{}/ping/KEY", switch.port);
    let Some(mut daemon) = Daemon::start(&url, Some(&other.path().join("cert.pem"))) else { return };
    let line = daemon.says("no heartbeat gets through").unwrap();
    assert!(line.contains("invalid peer certificate") && line.contains("https://localhost"), "{line}");
    assert!(!daemon.stop().contains("KEY"));
    assert!(switch.beats.try_recv().is_err());
}
