//! What a probe costs: the daemon as a whole beside the least that the kernel allows, at the same pace and to the same targets.
//!
//! The targets are loopback addresses in a network namespace of the bench's own. With ICMP the kernel answers, in everybody's CPU
//! time; with SNMPv2c a process does whose work is in nobody's, but for what it takes to put the answers into the asker's socket
//! and the questions into its own. Needs `unshare`, `nsenter`, `ip` and `nft`, and the right to make user namespaces. Takes about ten
//! minutes. `icmp` or `snmp` as argument measures that alone, and a number after it so many units.

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
#[path = "support/table.rs"]
mod table;

use core::time::Duration;
use daemon::{DEAD, Daemon, Reading};
use limit::Question;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use table::Table;

/// Between two probes of a unit.
const INTERVAL: u32 = 10;
const MEASURED: Duration = Duration::from_secs(30);
const LIMIT_RUN: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(90);

/// How units are asked.
#[derive(Clone, Copy)]
enum By {
    Icmp,
    Snmp,
}

impl By {
    const ALL: [Self; 2] = [Self::Icmp, Self::Snmp];

    const fn name(self) -> &'static str {
        match self {
            Self::Icmp => "icmp",
            Self::Snmp => "snmp",
        }
    }

    fn question(self) -> Question {
        match self {
            Self::Icmp => Question::icmp(),
            Self::Snmp => Question::snmp(),
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
        }
    }

    /// Starts who answers, if the kernel does not.
    fn answerer(self, mut command: Command) -> Option<Answerer> {
        match self {
            Self::Icmp => None,
            Self::Snmp => Some(Answerer(command.spawn().expect("this program can be started"))),
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

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let words: Vec<&str> = arguments.iter().skip(1).map(String::as_str).filter(|word| *word != "--bench").collect();
    let by_name = |name: &str| By::ALL.into_iter().find(|by| by.name() == name);
    if words == ["answer"] {
        return agents::run();
    }
    if let ["limit", by, rate, targets] = words[..] {
        let number = |text: &str| text.parse().expect("a number");
        return limit(by_name(by).expect("a way to ask"), number(rate), number(targets) as u32);
    }
    let units = match words.iter().find_map(|word| word.parse().ok()) {
        Some(units) => vec![units],
        None => vec![10_000, 100_000],
    };
    let one = words.first().and_then(|word| by_name(word));
    one.map_or(By::ALL.to_vec(), |one| vec![one]).into_iter().for_each(|by| measure(by, &units));
}

/// Prints the table of one way to ask.
#[expect(clippy::print_stdout, reason = "a bench prints its result")]
fn measure(by: By, units: &[u32]) {
    let idle = Daemon::start(10, &by.cells(), None);
    sleep(Duration::from_secs(5));
    let least = idle.read().resident as f64;
    drop(idle);
    let engine = format!("{} engine", by.name());
    let mut table = Table::new(&[
        "units at 10 s",
        "limit us",
        "ntuwatch us",
        &engine,
        "loop",
        "times the limit",
        "sent/s",
        "wake-ups/s",
        "late p99",
        "MB",
        "bytes/unit",
    ]);
    for &units in units {
        let limit = by_limit(by, u64::from(units / INTERVAL), units);
        table.row(&units.to_string(), by_ntuwatch(by, units, limit, least));
    }
    table.print();
    println!();
}

/// This program, to do something else.
fn own() -> String {
    std::env::current_exe().ok().and_then(|path| path.to_str().map(str::to_owned)).expect("this program has a name")
}

/// The cells of the daemon with so many units. It must lose none that lives, also while others are dead.
fn by_ntuwatch(by: By, units: u32, limit: f64, least: f64) -> Vec<String> {
    let daemon = Daemon::start(units, &by.cells(), None);
    let _answerer = by.answerer(daemon.inside(&[&own(), "answer"]));
    daemon.wait_for("ntuwatch_units{verdict=\"UP\"}", units, PATIENCE);
    sleep(Duration::from_secs(u64::from(INTERVAL)));
    let before = daemon.read();
    sleep(MEASURED);
    let after = daemon.read();
    let of_method = |what: &str| format!("ntuwatch_probes_{what}_total{{method=\"{}\"}}", by.name());
    assert_eq!(after.grown_since(&before, &of_method("lost")), 0.0, "no false losses");
    daemon.cut();
    daemon.wait_for("ntuwatch_units{verdict=\"LOSS\"}", DEAD, PATIENCE);
    daemon.wait_for("ntuwatch_units{verdict=\"UP\"}", units - DEAD, PATIENCE);
    daemon.mend();
    daemon.wait_for("ntuwatch_units{verdict=\"UP\"}", units, PATIENCE);

    let count = after.grown_since(&before, &of_method("sent"));
    let seconds = (after.at - before.at).as_secs_f64();
    let of_thread = |name: &str| {
        let at = |reading: &Reading| reading.threads.get(name).copied().unwrap_or_default();
        format!("{:.2}", (at(&after) - at(&before)).as_secs_f64() * 1e6 / count)
    };
    let own = (after.cpu - before.cpu).as_secs_f64() * 1e6 / count;
    vec![
        format!("{limit:.2}"),
        format!("{own:.2}"),
        of_thread(by.name()),
        of_thread("ntuwatch"),
        format!("{:.2}", own / limit),
        format!("{:.0}", count / seconds),
        format!("{:.0}", (after.waits - before.waits) as f64 / seconds),
        after.quantile_since(&before, "ntuwatch_schedule_lateness_seconds", "", 0.99),
        format!("{:.1}", after.resident as f64 / 1e6),
        format!("{:.0}", (after.resident as f64 - least) / f64::from(units)),
    ]
}

/// Is the limit program.
fn limit(by: By, rate: u64, targets: u32) {
    let mut command = Command::new(own());
    command.arg("answer");
    let answerer = by.answerer(command);
    if answerer.is_some() {
        agents::wait();
    }
    limit::run(&by.question(), rate, targets, LIMIT_RUN);
}

/// CPU time of the limit program for one probe, in microseconds.
fn by_limit(by: By, rate: u64, targets: u32) -> f64 {
    let output = namespace::command()
        .arg(own())
        .args(["limit", by.name(), &rate.to_string(), &targets.to_string()])
        .stderr(Stdio::inherit())
        .output()
        .expect("unshare is there");
    let text = String::from_utf8(output.stdout).expect("numbers");
    let mut numbers = text.split_whitespace().map(|number| number.parse::<f64>().expect("a number"));
    let mut next = || numbers.next().expect("three numbers");
    let (sent, answered, us) = (next(), next(), next());
    assert!(answered >= sent * 0.999, "{answered} of {sent} answered");
    us / sent
}
