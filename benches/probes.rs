//! What a probe costs: the daemon as a whole beside the least that the kernel allows, at the same pace and to the same targets.
//!
//! The targets are loopback addresses in a network namespace of the bench's own, so the kernel's answering is in everybody's CPU
//! time. Needs `unshare`, `nsenter`, `ip` and `nft`, and the right to make user namespaces. Takes about five minutes. A number
//! of units as argument measures that alone.

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
use std::process::Stdio;
use std::thread::sleep;
use table::Table;

/// Between two probes of a unit.
const INTERVAL: u32 = 10;
const MEASURED: Duration = Duration::from_secs(30);
const LIMIT_RUN: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(90);

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, mode, rate, targets] = &arguments[..]
        && mode == "limit"
    {
        let number = |text: &String| text.parse().expect("a number");
        return limit::run(number(rate), number(targets) as u32, LIMIT_RUN);
    }
    let units: Vec<u32> = match arguments.get(1).and_then(|units| units.parse().ok()) {
        Some(units) => vec![units],
        None => vec![10_000, 100_000],
    };
    let idle = Daemon::start(10, None);
    sleep(Duration::from_secs(5));
    let least = idle.read().resident as f64;
    drop(idle);
    let mut table = Table::new(&[
        "units at 10 s",
        "limit us",
        "ntuwatch us",
        "ICMP engine",
        "loop",
        "times the limit",
        "sent/s",
        "wake-ups/s",
        "late p99",
        "MB",
        "bytes/unit",
    ]);
    for units in units {
        let limit = by_limit(u64::from(units / INTERVAL), units);
        table.row(&units.to_string(), by_ntuwatch(units, limit, least));
    }
    table.print();
}

/// The cells of the daemon with so many units. It must lose none that lives, also while others are dead.
fn by_ntuwatch(units: u32, limit: f64, least: f64) -> Vec<String> {
    let daemon = Daemon::start(units, None);
    daemon.wait_for("ntuwatch_units{verdict=\"UP\"}", units, PATIENCE);
    sleep(Duration::from_secs(u64::from(INTERVAL)));
    let before = daemon.read();
    sleep(MEASURED);
    let after = daemon.read();
    assert_eq!(after.of("ntuwatch_probes_lost_total{method=\"icmp\"}"), 0.0, "no false losses");
    daemon.cut();
    daemon.wait_for("ntuwatch_units{verdict=\"LOSS\"}", DEAD, PATIENCE);
    daemon.wait_for("ntuwatch_units{verdict=\"UP\"}", units - DEAD, PATIENCE);
    daemon.mend();
    daemon.wait_for("ntuwatch_units{verdict=\"UP\"}", units, PATIENCE);

    let count = after.grown_since(&before, "ntuwatch_probes_sent_total{method=\"icmp\"}");
    let seconds = (after.at - before.at).as_secs_f64();
    let of_thread = |name: &str| {
        let at = |reading: &Reading| reading.threads.get(name).copied().unwrap_or_default();
        format!("{:.2}", (at(&after) - at(&before)).as_secs_f64() * 1e6 / count)
    };
    let own = (after.cpu - before.cpu).as_secs_f64() * 1e6 / count;
    vec![
        format!("{limit:.2}"),
        format!("{own:.2}"),
        of_thread("icmp"),
        of_thread("ntuwatch"),
        format!("{:.2}", own / limit),
        format!("{:.0}", count / seconds),
        format!("{:.0}", (after.waits - before.waits) as f64 / seconds),
        after.quantile_since(&before, "ntuwatch_schedule_lateness_seconds", "", 0.99),
        format!("{:.1}", after.resident as f64 / 1e6),
        format!("{:.0}", (after.resident as f64 - least) / f64::from(units)),
    ]
}

/// CPU time of the limit program for one probe, in microseconds.
fn by_limit(rate: u64, targets: u32) -> f64 {
    let own = std::env::current_exe().expect("this program has a name");
    let output = namespace::command()
        .arg(own)
        .args(["limit", &rate.to_string(), &targets.to_string()])
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
