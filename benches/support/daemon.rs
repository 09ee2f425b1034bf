//! The real daemon in a network namespace of its own, where every address of 127.0.0.0/8 answers.

use crate::namespace;
use core::fmt::Write as _;
use core::net::Ipv4Addr;
use core::time::Duration;
use ntuwatch::clock::Stopwatch;
use std::collections::HashMap;
use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::thread::sleep;
use tempfile::TempDir;

/// How many units the storms of benches are about: each has a customer of its own, and their addresses are apart from the others'.
pub(crate) const DEAD: u32 = 1_000;

/// How long a start may take, with a million units on a busy machine.
const START: Duration = Duration::from_secs(120);

/// Kernel ticks a second, in which /proc counts CPU time.
const TICKS: u64 = 100;

/// Detection in a hurry; the interval is as in earnest.
const CONFIG: &str = r#"
[http]
listen = "off"
socket = "./ntuwatch.sock"
[store]
path = "./ntuwatch.db"
[detection]
interval = "10s"
timeout = "1s"
down_after = "20s"
solve_after = "10s"
sentinels = ["127.0.0.1"]
[mail]
from = "NOC <noc@example.net>"
noc = ["noc@example.net"]
folder = "./mail"
[inventory]
files = ["units.csv"]
"#;

/// A running daemon; it ends with this.
pub(crate) struct Daemon {
    pub(crate) child: Child,
    /// Its configuration, inventory and store, which a next one may find there.
    pub(crate) home: Rc<TempDir>,
    /// Since it was started.
    pub(crate) clock: Stopwatch,
}

/// What the daemon has done and used up to a moment.
pub(crate) struct Reading {
    /// When.
    pub(crate) at: Duration,
    /// CPU time of the process, user and system.
    pub(crate) cpu: Duration,
    /// The same by names of threads.
    pub(crate) threads: HashMap<String, Duration>,
    /// How often its threads went to sleep.
    pub(crate) waits: u64,
    /// Resident memory in bytes.
    pub(crate) resident: u64,
    /// Every series of `/metrics` with its value.
    pub(crate) metrics: HashMap<String, f64>,
}

impl Reading {
    /// The value of a series; 0 if there is none yet.
    pub(crate) fn of(&self, series: &str) -> f64 {
        self.metrics.get(series).copied().unwrap_or(0.0)
    }

    /// By how much a series has grown.
    pub(crate) fn grown_since(&self, before: &Self, series: &str) -> f64 {
        self.of(series) - before.of(series)
    }

    /// The upper bound, in milliseconds, of the bucket in which the quantile of what a histogram took in meanwhile lies.
    pub(crate) fn quantile_since(&self, before: &Self, histogram: &str, labels: &str, share: f64) -> String {
        let separator = if labels.is_empty() { "" } else { "," };
        let prefix = format!("{histogram}_bucket{{{labels}{separator}le=\"");
        let mut buckets: Vec<(f64, f64)> = self
            .metrics
            .keys()
            .filter_map(|name| Some((name.strip_prefix(&prefix)?.strip_suffix("\"}")?.parse().ok()?, name)))
            .map(|(bound, name)| (bound, self.grown_since(before, name)))
            .collect();
        buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        let all = buckets.last().map_or(0.0, |&(_, count)| count);
        let bound = buckets.iter().find(|&&(_, count)| count >= all * share).map_or(f64::NAN, |&(bound, _)| bound);
        format!("<= {} ms", bound * 1e3)
    }
}

impl Daemon {
    /// Starts a daemon for so many units, all with these `cells` beside their own, and returns when it serves.
    pub(crate) fn start(units: u32, cells: &[(&str, String)], core: Option<u32>) -> Self {
        let daemon = Self::spawn(home(units, cells), core);
        daemon.wait_until_it_serves();
        daemon
    }

    /// Starts a daemon there, and does not wait for it.
    pub(crate) fn spawn(home: Rc<TempDir>, core: Option<u32>) -> Self {
        let mut command = namespace::command();
        if let Some(core) = core {
            command.args(["taskset", "--cpu-list", &core.to_string()]);
        }
        let config = home.path().join("ntuwatch.toml");
        command.arg(env!("CARGO_BIN_EXE_ntuwatch")).args(["run", "--config"]).arg(config);
        let log = fs::File::create(home.path().join("log")).expect("the directory can be written");
        let child = command.stdin(Stdio::null()).stderr(log).spawn().expect("unshare is there");
        Self { child, home, clock: Stopwatch::start() }
    }

    /// Returns when it serves.
    pub(crate) fn wait_until_it_serves(&self) {
        while self.metrics().is_none() {
            assert!(self.clock.elapsed() < START, "no daemon: {}", self.log());
            sleep(Duration::from_millis(20));
        }
    }

    /// What it has done and used so far.
    pub(crate) fn read(&self) -> Reading {
        let mut threads = HashMap::new();
        let mut waits = 0;
        for task in fs::read_dir(self.proc("task")).expect("the daemon runs").flatten() {
            // A thread may end at any time.
            let text = |name: &str| fs::read_to_string(task.path().join(name)).unwrap_or_default();
            let run: u64 = text("schedstat").split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or(0);
            *threads.entry(text("comm").trim().to_owned()).or_default() += Duration::from_nanos(run);
            waits += number(&text("status"), "voluntary_ctxt_switches:");
        }
        let stat = fs::read_to_string(self.proc("stat")).expect("the daemon runs");
        // The name may contain anything but a last parenthesis; utime and stime are the 12th and 13th after it.
        let (_, fields) = stat.rsplit_once(") ").expect("the kernel keeps its format");
        let ticks: u64 = fields.split(' ').skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
        let status = fs::read_to_string(self.proc("status")).expect("the daemon runs");
        Reading {
            at: self.clock.elapsed(),
            cpu: Duration::from_millis(ticks * 1_000 / TICKS),
            threads,
            waits,
            resident: number(&status, "VmRSS:") * 1_024,
            metrics: self.metrics().expect("the daemon serves"),
        }
    }

    /// Waits until a series has this value.
    pub(crate) fn wait_for(&self, series: &str, value: u32, patience: Duration) {
        let since = Stopwatch::start();
        loop {
            let is = self.metrics().and_then(|metrics| metrics.get(series).copied()).unwrap_or(0.0);
            if is == f64::from(value) {
                return;
            }
            assert!(since.elapsed() < patience, "{series} is {is}, not {value}:\n{}", self.log());
            sleep(Duration::from_millis(500));
        }
    }

    /// Drops everything to the first so many units, and nothing else any more.
    pub(crate) fn cut(&self, units: u32) {
        let mut rules = String::from("flush ruleset;");
        if let Some(last) = units.checked_sub(1) {
            let dead = format!("{}-{}", address(0), address(last));
            rules += &format!(
                "table ip bench {{ chain in {{ type filter hook input priority 0; ip daddr {dead} drop; }}; }}"
            );
        }
        let done = self.inside(&["nft", &rules]).status().expect("nsenter is there");
        assert!(done.success(), "nft {rules}");
    }

    /// A command in the daemon's network.
    pub(crate) fn inside(&self, command: &[&str]) -> Command {
        let pid = self.child.id().to_string();
        let mut inside = Command::new("nsenter");
        inside.args(["--target", &pid, "--user", "--preserve-credentials", "--net"]).args(command);
        inside
    }

    /// A page of its API, with what comes before it; nothing if it does not serve.
    pub(crate) fn get(&self, path: &str) -> Option<String> {
        let mut stream = UnixStream::connect(self.home.path().join("ntuwatch.sock")).ok()?;
        stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n").as_bytes()).ok()?;
        let mut page = String::new();
        match stream.read_to_string(&mut page) {
            Ok(_) => Some(page),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => Some(page),
            Err(_) => None,
        }
    }

    fn metrics(&self) -> Option<HashMap<String, f64>> {
        let page = self.get("/metrics")?;
        let series = page.lines().filter(|line| line.starts_with("ntuwatch_"));
        Some(series.filter_map(|line| line.rsplit_once(' ')).filter_map(parse).collect())
    }

    fn log(&self) -> String {
        fs::read_to_string(self.home.path().join("log")).unwrap_or_default()
    }

    /// What the kernel tells of it.
    pub(crate) fn proc(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{name}", self.child.id()))
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if self.child.kill().and_then(|()| self.child.wait()).is_err() {
            eprintln!("the daemon could not be ended");
        }
    }
}

/// A folder with what a daemon for so many units needs.
pub(crate) fn home(units: u32, cells: &[(&str, String)]) -> Rc<TempDir> {
    let home = tempfile::tempdir().expect("a directory can be made");
    fs::write(home.path().join("ntuwatch.toml"), format!("{CONFIG}{}", customers()))
        .expect("the directory can be written");
    fs::write(home.path().join("units.csv"), inventory(units, cells)).expect("the directory can be written");
    Rc::new(home)
}

/// One for each unit that can be cut off, as a storm is worst with a letter to each, and one for the rest.
fn customers() -> String {
    (0..=DEAD).fold(String::new(), |mut text, customer| {
        let id = format!("customer-{customer:04}");
        let table = format!("[[customer]]\nid = \"{id}\"\nname = \"{id}\"\nemail = [\"it@{id}.example\"]");
        writeln!(text, "{table}").expect("a string takes it");
        text
    })
}

/// A CSV of units, the first [`DEAD`] of them in 127.1.0.0/16, the others from 127.2.0.0 on.
pub(crate) fn inventory(units: u32, cells: &[(&str, String)]) -> String {
    let (names, values): (String, String) =
        cells.iter().map(|(name, value)| (format!(",{name}"), format!(",{value}"))).unzip();
    let mut text = format!("id,customer,address,order,service,region,ttr{names}\n");
    for unit in 0..units {
        let address = address(unit);
        let customer = unit.min(DEAD);
        let row = format!("unit-{unit:07},customer-{customer:04},{address},SO-{unit},DIA,EMEA,4h{values}");
        writeln!(text, "{row}").expect("a string takes it");
    }
    text
}

fn address(unit: u32) -> Ipv4Addr {
    let net = if unit < DEAD { 1 } else { 2 };
    Ipv4Addr::from(u32::from(Ipv4Addr::new(127, net, 0, 1)) + unit)
}

fn parse((series, value): (&str, &str)) -> Option<(String, f64)> {
    Some((series.to_owned(), value.parse().ok()?))
}

/// The number after `key` at the beginning of a line.
fn number(text: &str, key: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default();
    line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
}
