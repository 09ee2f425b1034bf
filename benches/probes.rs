//! What a probe costs: the daemon as a whole beside the least that the kernel allows, and with ICMP beside others, at the same pace
//! and to the same targets.
//!
//! The targets are loopback addresses in a network namespace of the bench's own. With ICMP the kernel answers, in everybody's CPU
//! time; with SNMP a process does whose work is in nobody's, but for what it takes to put the answers into the asker's socket
//! and the questions into its own. With SNMPv3 (authPriv, SHA-256 and AES-128, every 60 s) there is no limit but the library that the
//! daemon uses, used plainly. Needs `unshare`, `nsenter`, `ip` and `nft`, and the right to make user namespaces; `fping` is a peer if
//! it is there. Takes about twenty-five minutes. `icmp`, `snmp` or `snmp-v3` as argument measures that alone, and a number after it
//! so many units.

#[path = "probes/agents.rs"]
mod agents;
#[path = "support/cpu.rs"]
mod cpu;
#[path = "support/daemon.rs"]
mod daemon;
#[path = "probes/limit.rs"]
mod limit;
#[path = "support/namespace.rs"]
mod namespace;
#[path = "probes/peers.rs"]
mod peers;
#[path = "support/table.rs"]
mod table;

use core::time::Duration;
use daemon::{DEAD, Daemon, Reading};
use limit::Question;
use peers::{Paced, Trip};
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread::sleep;
use table::Table;

/// Between two probes of a unit, in seconds.
const INTERVAL: u32 = 10;
/// The same by SNMPv3.
const V3_INTERVAL: u32 = 60;
const MEASURED: Duration = Duration::from_secs(30);
const LIMIT_RUN: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(180);

/// How far a round trip may be from what it is by the limit's figures, at [`HONEST_RATE`].
const HONEST: Duration = Duration::from_micros(50);
/// In probes a second.
const HONEST_RATE: u64 = 10_000;

/// How units are asked.
#[derive(Clone, Copy)]
enum By {
    Icmp,
    Snmp,
    SnmpV3,
}

impl By {
    const ALL: [Self; 3] = [Self::Icmp, Self::Snmp, Self::SnmpV3];

    const fn name(self) -> &'static str {
        match self {
            Self::Icmp => "icmp",
            Self::Snmp => "snmp",
            Self::SnmpV3 => "snmp-v3",
        }
    }

    /// As metrics label it.
    const fn method(self) -> &'static str {
        match self {
            Self::Icmp => "icmp",
            Self::Snmp | Self::SnmpV3 => "snmp",
        }
    }

    const fn interval(self) -> u32 {
        match self {
            Self::Icmp | Self::Snmp => INTERVAL,
            Self::SnmpV3 => V3_INTERVAL,
        }
    }

    /// What the daemon is measured against.
    const fn base(self) -> &'static str {
        match self {
            Self::Icmp | Self::Snmp => "limit",
            Self::SnmpV3 => "async-snmp",
        }
    }

    fn question(self) -> Option<Question> {
        match self {
            Self::Icmp => Some(Question::icmp()),
            Self::Snmp => Some(Question::snmp()),
            Self::SnmpV3 => None,
        }
    }

    /// Runs that.
    fn by_base(self, rate: u64, units: u32) -> Result<Paced, &'static str> {
        match self {
            Self::Icmp | Self::Snmp => Ok(by_limit(self, rate, units)),
            Self::SnmpV3 => {
                let answerer = peers::build("plain")?;
                peers::plain("3", rate, units, MEASURED, &[&answerer.to_string_lossy(), "answer"])
            }
        }
    }

    /// What units have in the inventory.
    fn cells(self) -> Vec<(&'static str, String)> {
        match self {
            Self::Icmp => Vec::new(),
            Self::Snmp => vec![
                ("icmp", "false".to_owned()),
                ("snmp_version", "2c".to_owned()),
                ("snmp_community", agents::COMMUNITY.to_owned()),
                ("snmp_port", agents::PORT.to_string()),
                ("snmp_interface", "1".to_owned()),
            ],
            Self::SnmpV3 => vec![
                ("icmp", "false".to_owned()),
                ("snmp_version", "3".to_owned()),
                ("snmp_user", "bench".to_owned()),
                ("snmp_auth", "sha256".to_owned()),
                ("snmp_auth_password", "correct horse".to_owned()),
                ("snmp_privacy", "aes128".to_owned()),
                ("snmp_privacy_password", "battery staple".to_owned()),
                ("snmp_port", agents::PORT.to_string()),
                ("snmp_interface", "1".to_owned()),
                ("interval", format!("{V3_INTERVAL}s")),
                ("snmp_interval", format!("{V3_INTERVAL}s")),
                ("down_after", format!("{}s", 2 * V3_INTERVAL)),
            ],
        }
    }

    /// Starts who answers, if the kernel does not.
    fn answerer(self, mut command: Command) -> Option<Answerer> {
        match self {
            Self::Icmp => None,
            Self::Snmp | Self::SnmpV3 => Some(Answerer(command.spawn().expect("this program can be started"))),
        }
    }
}

/// A process that answers; it ends with this.
struct Answerer(Child);

impl Drop for Answerer {
    fn drop(&mut self) {
        if self.0.kill().and_then(|()| self.0.wait()).is_err() {
            eprintln!("the agents could not be ended");
        }
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let words: Vec<&str> = arguments.iter().skip(1).map(String::as_str).filter(|word| *word != "--bench").collect();
    let by_name = |name: &str| By::ALL.into_iter().find(|by| by.name() == name);
    if words == ["answer"] {
        agents::run();
        return ExitCode::SUCCESS;
    }
    if let ["limit", by, rate, targets] = words[..] {
        let number = |text: &str| text.parse().expect("a number");
        limit(by_name(by).expect("a way to ask"), number(rate), number(targets) as u32);
        return ExitCode::SUCCESS;
    }
    let units = match words.iter().find_map(|word| word.parse().ok()) {
        Some(units) => vec![units],
        None => vec![10_000, 100_000],
    };
    let one = words.first().and_then(|word| by_name(word));
    let honest = one.map_or(By::ALL.to_vec(), |one| vec![one]).into_iter().map(|by| measure(by, &units));
    // All are measured, whatever comes of the first.
    if honest.fold(true, |all, one| all & one) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Prints the tables of one way to ask; says whether its round trips are honest.
#[expect(clippy::print_stdout, reason = "a bench prints its result")]
fn measure(by: By, units: &[u32]) -> bool {
    let idle = Daemon::start(10, &by.cells(), None);
    sleep(Duration::from_secs(5));
    let least = idle.read().resident as f64;
    drop(idle);
    let (who, times) = (format!("by {}, units at {} s", by.name(), by.interval()), format!("times {}", by.base()));
    let mut all = Table::new(&[&who, "CPU us/probe", &times, "sent", "lost", "trip p50 us", "trip p99 us"]);
    let mut own =
        Table::new(&["ntuwatch us/probe", "all", "engine", "loop", "wake-ups/s", "late p99", "MB", "bytes/unit"]);
    let mut honest = true;
    for &units in units {
        let rate = u64::from(units / by.interval());
        let base = match by.by_base(rate, units) {
            Ok(base) => base,
            Err(why) => {
                all.row(&format!("{}, {units}", by.base()), vec![why.to_owned()]);
                continue;
            }
        };
        let (daemon, cells) = by_ntuwatch(by, units, least);
        own.row(&units.to_string(), cells);
        for (name, run) in [(by.base(), &base), ("ntuwatch", &daemon)] {
            all.row(&format!("{name}, {units}"), beside(run, &base));
        }
        honest &= !matches!(by, By::Icmp) || rate < HONEST_RATE || is_honest(base.trip, daemon.trip);
        for (name, run) in others(by, rate, units) {
            let cells = run.map_or_else(|why| vec![why.to_owned()], |run| beside(&run, &base));
            all.row(&format!("{name}, {units}"), cells);
        }
    }
    all.print();
    println!();
    own.print();
    println!();
    honest
}

/// Who else asks like that. Where agents are a process that takes turns with the others, round trips are its, too.
fn others(by: By, rate: u64, units: u32) -> Vec<(&'static str, Result<Paced, &'static str>)> {
    match by {
        By::Icmp => vec![("fping", peers::fping(rate, units)), ("surge-ping", peers::surge(rate, units, MEASURED))],
        By::Snmp => vec![("async-snmp", peers::plain("2c", rate, units, MEASURED, &[&own(), "answer"]))],
        By::SnmpV3 => Vec::new(),
    }
}

/// The cells of a run.
fn beside(run: &Paced, limit: &Paced) -> Vec<String> {
    let us = |pick: fn(Trip) -> Duration| run.trip.map_or_else(String::new, |trip| pick(trip).as_micros().to_string());
    vec![
        format!("{:.2}", run.us()),
        format!("{:.2}", run.us() / limit.us()),
        run.sent.to_string(),
        run.sent.saturating_sub(run.answered).to_string(),
        us(|trip| trip.p50),
        us(|trip| trip.p99),
    ]
}

/// Whether the daemon's round trips are those of the limit, but for [`HONEST`]. What one in a hundred exceeds may be less: it is
/// what a neighbour on the machine did to the limit.
fn is_honest(limit: Option<Trip>, daemon: Option<Trip>) -> bool {
    let Some((limit, daemon)) = limit.zip(daemon) else { return false };
    let honest = daemon.p50.abs_diff(limit.p50) <= HONEST && daemon.p99.saturating_sub(limit.p99) <= HONEST;
    if !honest {
        eprintln!("the daemon's round trips are more than {HONEST:?} from the limit's: see the table");
    }
    honest
}

/// This program, to do something else.
fn own() -> String {
    std::env::current_exe().ok().and_then(|path| path.to_str().map(str::to_owned)).expect("this program has a name")
}

/// The daemon with so many units, and its own cells. It must lose none that lives, also while others are dead.
fn by_ntuwatch(by: By, units: u32, least: f64) -> (Paced, Vec<String>) {
    let daemon = Daemon::start(units, &by.cells(), None);
    let answerer = match by {
        By::Icmp | By::Snmp => own(),
        By::SnmpV3 => peers::build("plain").map(|path| path.display().to_string()).expect("it was built before"),
    };
    let _answerer = by.answerer(daemon.inside(&[&answerer, "answer"]));
    daemon.wait_for("ntuwatch_units{verdict=\"UP\"}", units, PATIENCE);
    sleep(Duration::from_secs(u64::from(by.interval())));
    let before = daemon.read();
    sleep(MEASURED);
    let after = daemon.read();
    let trip = Trip::of(trips(&daemon));
    let of_method = |what: &str| format!("ntuwatch_probes_{what}_total{{method=\"{}\"}}", by.method());
    assert_eq!(after.grown_since(&before, &of_method("lost")), 0.0, "no false losses");
    daemon.cut(DEAD);
    daemon.wait_for("ntuwatch_units{verdict=\"LOSS\"}", DEAD, PATIENCE);
    daemon.wait_for("ntuwatch_units{verdict=\"UP\"}", units - DEAD, PATIENCE);
    daemon.cut(0);
    daemon.wait_for("ntuwatch_units{verdict=\"UP\"}", units, PATIENCE);

    let count = after.grown_since(&before, &of_method("sent"));
    let seconds = (after.at - before.at).as_secs_f64();
    let of_thread = |name: &str| {
        let at = |reading: &Reading| reading.threads.get(name).copied().unwrap_or_default();
        format!("{:.2}", (at(&after) - at(&before)).as_secs_f64() * 1e6 / count)
    };
    let paced = Paced { sent: count as u64, answered: count as u64, cpu: after.cpu - before.cpu, trip };
    let cells = vec![
        format!("{:.2}", paced.us()),
        of_thread(by.name()),
        of_thread("ntuwatch"),
        format!("{:.0}", (after.waits - before.waits) as f64 / seconds),
        after.quantile_since(&before, "ntuwatch_schedule_lateness_seconds", "", 0.99),
        format!("{:.1}", after.resident as f64 / 1e6),
        format!("{:.0}", (after.resident as f64 - least) / f64::from(units)),
    ];
    (paced, cells)
}

/// The last round trip of each unit.
fn trips(daemon: &Daemon) -> Vec<Duration> {
    let page = daemon.get("/metrics/units").expect("the daemon serves");
    let series = page.lines().filter(|line| line.starts_with("ntuwatch_unit_rtt_seconds{"));
    let seconds = series.filter_map(|line| line.rsplit_once(' ')?.1.parse().ok());
    seconds.map(Duration::from_secs_f64).collect()
}

/// Is the limit program.
#[expect(clippy::print_stdout, reason = "its caller reads that")]
fn limit(by: By, rate: u64, targets: u32) {
    let mut command = Command::new(own());
    command.arg("answer");
    let answerer = by.answerer(command);
    if answerer.is_some() {
        agents::wait();
    }
    let question = by.question().expect("there is a limit");
    println!("{}", limit::run(&question, rate, targets, LIMIT_RUN).print());
}

/// What the limit program does at this pace.
fn by_limit(by: By, rate: u64, targets: u32) -> Paced {
    let output = namespace::command()
        .arg(own())
        .args(["limit", by.name(), &rate.to_string(), &targets.to_string()])
        .stderr(Stdio::inherit())
        .output()
        .expect("unshare is there");
    let paced = String::from_utf8(output.stdout).ok().and_then(|text| Paced::parse(&text)).expect("numbers");
    let Paced { sent, answered, .. } = paced;
    assert!(answered * 1_000 >= sent * 999, "{answered} of {sent} answered");
    paced
}
