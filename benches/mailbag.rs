//! 10,000 messages through the whole daemon, over its socket and from a mailbox of dovecot's: until they are on the disk, and until
//! they are sorted. Beside it, of the same run: postfix's smtp-source to its smtp-sink, which keeps nothing, and dovecot's own
//! import of the same messages into a mailbox.
//!
//!     cargo bench --bench mailbag -- 10000

#[expect(dead_code, clippy::panic, reason = "tests use all of it, and may fail")]
#[path = "../tests/engine/dovecot.rs"]
mod dovecot;
#[path = "support/table.rs"]
mod table;

use core::time::Duration;
use dovecot::{Dovecot, PASSWORD, USER};
use ntuwatch::clock::Stopwatch;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
use table::Table;
use tempfile::TempDir;

const MESSAGES: usize = 10_000;
/// Whoever hands over messages does so over so many connections.
const CONNECTIONS: [usize; 3] = [1, 16, 64];
const PATIENCE: Duration = Duration::from_secs(600);
/// Kernel ticks a second, in which /proc counts CPU time.
const TICKS: u64 = 100;

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
"#;

/// A running daemon that watches nothing. Dropping it kills it.
struct Daemon {
    child: Child,
    home: TempDir,
}

impl Daemon {
    fn start(mail_in: &str) -> Self {
        let home = tempfile::tempdir().expect("a directory can be made");
        fs::write(home.path().join("ntuwatch.toml"), format!("{CONFIG}{mail_in}")).expect("a file");
        fs::write(home.path().join("password"), PASSWORD).expect("a file");
        let log = fs::File::create(home.path().join("log")).expect("a file");
        let mut command = Command::new(env!("CARGO_BIN_EXE_ntuwatch"));
        command.args(["run", "--config"]).arg(home.path().join("ntuwatch.toml"));
        let child = command.stdin(Stdio::null()).stderr(log).spawn().expect("the program");
        let daemon = Self { child, home };
        let begun = Stopwatch::start();
        while daemon.connect().is_none() {
            assert!(begun.elapsed() < PATIENCE, "{}", daemon.log());
            thread::sleep(Duration::from_millis(5));
        }
        daemon
    }

    fn log(&self) -> String {
        fs::read_to_string(self.home.path().join("log")).unwrap_or_default()
    }

    fn connect(&self) -> Option<UnixStream> {
        UnixStream::connect(self.home.path().join("ntuwatch.sock")).ok()
    }

    /// The sum of a metric over its labels.
    fn metric(&self, name: &str) -> usize {
        let mut stream = self.connect().expect("it serves");
        stream.write_all(b"GET /metrics HTTP/1.0\r\nHost: x\r\n\r\n").expect("it listens");
        let mut page = String::new();
        stream.read_to_string(&mut page).expect("it answers");
        let lines = page.lines().filter(|line| line.starts_with(name) && !line.starts_with('#'));
        lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum::<f64>() as usize
    }

    fn wait_for(&self, name: &str, count: usize) {
        let begun = Stopwatch::start();
        while self.metric(name) < count {
            assert!(begun.elapsed() < PATIENCE, "{name}: {}", self.log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn cpu(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).expect("it runs");
        let (_, fields) = stat.rsplit_once(") ").expect("the kernel keeps its format");
        let ticks: u64 = fields.split(' ').skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
        Duration::from_millis(ticks * 1_000 / TICKS)
    }

    /// The most memory that was resident, in MB.
    fn peak(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
        line.split_whitespace().next().and_then(|kb| kb.parse::<f64>().ok()).unwrap_or(0.0) / 1_024.0
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if self.child.kill().and_then(|()| self.child.wait()).is_err() {
            eprintln!("the daemon could not be ended");
        }
    }
}

fn main() -> ExitCode {
    let count = std::env::args().find_map(|word| word.parse().ok()).unwrap_or(MESSAGES);
    let messages: Vec<String> = (0..count).map(message).collect();
    let mut table =
        Table::new(&["way, connections", "kept/s", "times smtp-sink", "sorted/s", "CPU us each", "commits", "peak MB"]);
    for connections in CONNECTIONS {
        let sink = smtp(&messages, connections);
        table.row(&format!("smtp-source to smtp-sink, {connections}"), bare(rate(count, sink)));
        let daemon = Daemon::start("");
        let cpu = daemon.cpu();
        let clock = Stopwatch::start();
        hand_over(&daemon, &messages, connections);
        let kept = clock.elapsed();
        daemon.wait_for("ntuwatch_mails_total", count);
        let row = figures(&daemon, count, (kept, clock.elapsed()), (cpu, Some(sink)));
        table.row(&format!("ntuwatch, socket, {connections}"), row);
    }
    mailbox(&messages, &mut table);
    table.print();
    ExitCode::SUCCESS
}

fn mailbox(messages: &[String], table: &mut Table) {
    let Some(dovecot) = Dovecot::with(None) else { return };
    for (number, message) in messages.iter().enumerate() {
        dovecot.deliver(&format!("{}.a.b", 1_000_000 + number), message);
    }
    table.row("dovecot, doveadm import, 1", bare(rate(messages.len(), import(messages))));
    let mail_in = format!(
        "[mail_in]\nimap = \"imap://127.0.0.1:{}\"\nuser = \"{USER}\"\npassword_file = \"./password\"\n",
        dovecot.port
    );
    let clock = Stopwatch::start();
    let daemon = Daemon::start(&mail_in);
    daemon.wait_for("ntuwatch_mail_in_taken_total", messages.len());
    let kept = clock.elapsed();
    daemon.wait_for("ntuwatch_mails_total", messages.len());
    table.row("ntuwatch, IMAP, 1", figures(&daemon, messages.len(), (kept, clock.elapsed()), (Duration::ZERO, None)));
}

fn bare(rate: f64) -> Vec<String> {
    let blank = String::new;
    vec![format!("{rate:.0}"), blank(), blank(), blank(), blank(), blank()]
}

fn figures(
    daemon: &Daemon,
    count: usize,
    (kept, sorted): (Duration, Duration),
    (cpu, sink): (Duration, Option<Duration>),
) -> Vec<String> {
    let used = daemon.cpu().saturating_sub(cpu).as_secs_f64() * 1e6 / count as f64;
    vec![
        format!("{:.0}", rate(count, kept)),
        sink.map_or_else(String::new, |sink| format!("{:.2}", sink.as_secs_f64() / kept.as_secs_f64())),
        format!("{:.0}", rate(count, sorted)),
        format!("{used:.0}"),
        daemon.metric("ntuwatch_commits_total").to_string(),
        format!("{:.0}", daemon.peak()),
    ]
}

fn rate(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

fn message(number: usize) -> String {
    let words = "The line is still down, we rebooted the router twice.\r\n".repeat(40);
    format!(
        "From: it{number}@acme{number}.example\r\nTo: NOC <noc@example.net>\r\nSubject: Line {number}\r\n\
         Message-ID: <{number}@acme.example>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{words}"
    )
}

/// Over so many connections, each of which waits for every answer.
fn hand_over(daemon: &Daemon, messages: &[String], connections: usize) {
    thread::scope(|scope| {
        for share in messages.chunks(messages.len().div_ceil(connections)) {
            scope.spawn(move || {
                let mut stream = BufReader::new(daemon.connect().expect("it serves"));
                for message in share {
                    let head =
                        format!("POST /api/mail HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", message.len());
                    stream
                        .get_mut()
                        .write_all([head.as_bytes(), message.as_bytes()].concat().as_slice())
                        .expect("room");
                    assert_eq!(answer(&mut stream), 201);
                }
            });
        }
    });
}

/// The status of the next answer, which is read to its end.
fn answer(stream: &mut BufReader<UnixStream>) -> u16 {
    let (mut status, mut length) = (0, 0);
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).expect("an answer");
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(rest) = line.strip_prefix("http/1.1 ") {
            status = rest.split(' ').next().and_then(|code| code.parse().ok()).unwrap_or(0);
        }
        if let Some(rest) = line.strip_prefix("content-length: ") {
            length = rest.parse().unwrap_or(0);
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).expect("a whole answer");
    status
}

/// As many messages of the same size, by postfix's own tools.
fn smtp(messages: &[String], connections: usize) -> Duration {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|l| l.local_addr()).expect("a port").port();
    let user: &[_] = if nix::unistd::geteuid().is_root() { &["-u", "root"] } else { &[] };
    let sink = Command::new("/usr/sbin/smtp-sink")
        .args(user)
        .args([format!("127.0.0.1:{port}"), "100".to_owned()])
        .stderr(Stdio::null())
        .spawn();
    let mut sink = sink.expect("smtp-sink is installed (Debian: postfix)");
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        thread::yield_now();
    }
    let clock = Stopwatch::start();
    let done = Command::new("/usr/sbin/smtp-source")
        .args(["-d", "-s", &connections.to_string(), "-m", &messages.len().to_string()])
        .args(["-l", &messages[0].len().to_string(), "-f", "it@acme.example", "-t", "noc@example.net"])
        .arg(format!("127.0.0.1:{port}"))
        .status()
        .expect("smtp-source is there");
    let took = clock.elapsed();
    assert!(done.success());
    sink.kill().and_then(|()| sink.wait()).expect("the sink is ours");
    took
}

/// Dovecot's own way of putting many messages into a mailbox with one process and one transaction.
fn import(messages: &[String]) -> Duration {
    let home = tempfile::Builder::new().prefix("import").tempdir_in("/tmp").expect("a folder");
    let from = home.path().join("from");
    ["cur", "new", "tmp"].iter().for_each(|part| fs::create_dir_all(from.join(part)).expect("a folder"));
    for (number, message) in messages.iter().enumerate() {
        fs::write(from.join("new").join(format!("{}.a.b", 1_000_000 + number)), message).expect("a file");
    }
    let config = home.path().join("import.conf");
    let place = home.path().display();
    let text = format!(
        "base_dir = {place}/run\nstate_dir = {place}/state\nlog_path = {place}/log\nmail_location = sdbox:{place}/to\n\
         mail_uid = 65534\nmail_gid = 65534\nmail_fsync = always\nssl = no\nfirst_valid_uid = 1\n\
         mail_home = {place}\n"
    );
    fs::write(&config, text).expect("a file");
    give(home.path());
    let clock = Stopwatch::start();
    let done = Command::new("doveadm")
        .arg("-c")
        .arg(&config)
        .args(["-o", "stats_writer_socket_path="])
        .arg("import")
        .arg(format!("maildir:{}", from.display()))
        .args(["", "ALL"])
        .env("USER", "nobody")
        .env("HOME", home.path())
        .status()
        .expect("doveadm is there");
    let took = clock.elapsed();
    let log = fs::read_to_string(home.path().join("log")).unwrap_or_default();
    assert!(done.success(), "doveadm import: {log}");
    took
}

/// To `nobody`, whom dovecot reads mail as.
fn give(folder: &Path) {
    let done = Command::new("chown").args(["-R", "65534:65534"]).arg(folder).status();
    assert!(done.is_ok_and(|status| status.success()), "chown");
}
