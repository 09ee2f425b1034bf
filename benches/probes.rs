//! What a probe costs: the daemon as a whole beside the least that the kernel allows and beside fping, at the same pace and to the
//! same targets.
//!
//! The targets are loopback addresses in a network namespace of the bench's own, so the kernel's answering is in everybody's CPU
//! time. Needs `unshare`, `nsenter`, `ip`, `nft` and `taskset`, the right to make user namespaces, and `fping` for its column.
//! Takes about five minutes.

#[path = "support/cpu.rs"]
mod cpu;
#[path = "support/daemon.rs"]
mod daemon;
#[path = "probes/limit.rs"]
mod limit;
#[path = "support/table.rs"]
mod table;

use core::time::Duration;
use daemon::Daemon;
use std::process::{Command, Stdio};
use std::thread::sleep;
use table::Table;

/// Between two probes of a unit.
const INTERVAL: u32 = 10;
const MEASURED: Duration = Duration::from_secs(30);
const LIMIT_RUN: Duration = Duration::from_secs(10);

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
        None => vec![10_000, 100_000, 1_000_000],
    };
    let mut table = Table::new(&["units at 10 s", "limit us", "ntuwatch us", "times the limit", "sent/s", "lost", "MB", "bytes/unit", "late p99"]);
    let least = {
        let idle = Daemon::start(10, None);
        sleep(Duration::from_secs(5));
        idle.read().resident
    };
    for units in units {
        let limit = by_limit(u64::from(units / INTERVAL), units);
        let daemon = Daemon::start(units, None);
        daemon.wait_for("ntuwatch_units{verdict=\"UP\"}", units, Duration::from_secs(60));
        sleep(Duration::from_secs(u64::from(INTERVAL)));
        let before = daemon.read();
        sleep(MEASURED);
        let after = daemon.read();
        let sent = |reading: &daemon::Reading| reading.of("ntuwatch_probes_sent_total{method=\"icmp\"}");
        let count = sent(&after) - sent(&before);
        let own = (after.cpu - before.cpu).as_secs_f64() * 1e6 / count;
        for (name, used) in &after.threads {
            let used = *used - before.threads.get(name).copied().unwrap_or_default();
            if used > Duration::from_millis(100) {
                eprintln!("{units}: {name} {:.2} us", used.as_secs_f64() * 1e6 / count);
            }
        }
        table.row(
            &units.to_string(),
            [
                format!("{limit:.2}"),
                format!("{own:.2}"),
                format!("{:.2}", own / limit),
                format!("{:.0}", count / (after.at - before.at).as_secs_f64()),
                format!("{:.0}", after.of("ntuwatch_probes_lost_total{method=\"icmp\"}")),
                format!("{:.1}", after.resident as f64 / 1e6),
                format!("{:.0}", (after.resident as f64 - least as f64) / f64::from(units)),
                after.quantile_since(&before, "ntuwatch_schedule_lateness_seconds", "", 0.99),
            ],
        );
    }
    table.print();
}

/// CPU time of the limit program for one probe, in microseconds.
fn by_limit(rate: u64, targets: u32) -> f64 {
    let own = std::env::current_exe().expect("this program has a name");
    let output = Command::new("unshare")
        .args(["--map-root-user", "--net", "sh", "-c", "ip link set lo up && exec \"$@\"", "sh"])
        .arg(own)
        .args(["limit", &rate.to_string(), &targets.to_string()])
        .stderr(Stdio::inherit())
        .output()
        .expect("unshare is there");
    let text = String::from_utf8(output.stdout).expect("numbers");
    let [sent, answered, us] = text.split_whitespace().map(|n| n.parse::<f64>().expect("a number")).collect::<Vec<_>>()[..]
    else {
        panic!("{text}")
    };
    assert!(answered >= sent * 0.999, "{answered} of {sent} answered");
    us / sent
}
