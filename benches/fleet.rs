//! The daemon as a whole, watching 10,000 units at 10 s by ICMP: what it costs, and whether it is right.
//!
//! Every unit is a loopback address of its own in a network namespace of the bench's own, so the kernel answers, and its
//! answering is in the daemon's CPU time. Store, metrics and view are on. Needs `unshare`, `nsenter`, `ip`, `nft` and
//! `taskset`, and the right to make user namespaces. Takes about eight minutes.

#[path = "support/daemon.rs"]
mod daemon;
#[path = "support/namespace.rs"]
mod namespace;
#[path = "support/table.rs"]
mod table;

use core::time::Duration;
use daemon::{DEAD, Daemon, Reading};
use std::thread::sleep;
use table::Table;

const UNITS: u32 = 10_000;
/// Two intervals: every unit has been asked and its strip is warm.
const WARM_UP: Duration = Duration::from_secs(20);
const MEASURED: Duration = Duration::from_secs(60);
/// Longer than it takes to find every loss, open its case and deliver its letters.
const STORM: Duration = Duration::from_secs(60);
const PATIENCE: Duration = Duration::from_secs(90);

/// One to each customer, and one to the operations centre: what is lost at once is one umbrella.
const LETTERS: u32 = DEAD + 1;

/// What one stretch of time showed.
struct Column {
    name: &'static str,
    seconds: f64,
    before: Reading,
    after: Reading,
}

fn main() {
    let idle = Daemon::start(10, &[], None);
    sleep(WARM_UP);
    let mut columns = vec![measure(&idle, "10 units", WARM_UP)];
    drop(idle);
    columns.extend(fleet(None, ["10,000", "a tenth dies", "it returns"]));
    columns.extend(fleet(Some(0), ["one core: 10,000", "a tenth dies", "it returns"]));
    print(&columns);
}

/// A day in the life of a fleet, on one core if that is given.
fn fleet(core: Option<u32>, [calm, dies, returns]: [&'static str; 3]) -> [Column; 3] {
    let daemon = Daemon::start(UNITS, &[], core);
    sleep(WARM_UP);
    let calm = measure(&daemon, calm, MEASURED);
    assert_eq!(calm.after.of("ntuwatch_units{verdict=\"UP\"}"), f64::from(UNITS), "all units answer");
    assert_eq!(calm.after.of("ntuwatch_probes_lost_total{method=\"icmp\"}"), 0.0, "no false losses");

    daemon.cut(DEAD);
    let dies = measure(&daemon, dies, STORM);
    daemon.wait_for("ntuwatch_units{verdict=\"LOSS\"}", DEAD, PATIENCE);
    daemon.wait_for("ntuwatch_units{verdict=\"UP\"}", UNITS - DEAD, PATIENCE);
    daemon.wait_for("ntuwatch_cases_opened_total{priority=\"P1\"}", DEAD, PATIENCE);
    daemon.wait_for("ntuwatch_letters_sent_total", LETTERS, PATIENCE);

    daemon.cut(0);
    let returns = measure(&daemon, returns, STORM);
    daemon.wait_for("ntuwatch_units{verdict=\"UP\"}", UNITS, PATIENCE);
    daemon.wait_for("ntuwatch_cases{priority=\"P1\",stage=\"Solved\"}", DEAD, PATIENCE);
    daemon.wait_for("ntuwatch_letters_sent_total", 2 * LETTERS, PATIENCE);
    [calm, dies, returns]
}

fn measure(daemon: &Daemon, name: &'static str, lasting: Duration) -> Column {
    let before = daemon.read();
    sleep(lasting);
    let after = daemon.read();
    Column { name, seconds: (after.at - before.at).as_secs_f64(), before, after }
}

impl Column {
    fn grown(&self, metric: &str) -> f64 {
        self.after.grown_since(&self.before, metric)
    }

    fn probes(&self, what: &str) -> f64 {
        self.grown(&format!("ntuwatch_probes_{what}_total{{method=\"icmp\"}}"))
    }

    fn cpu(&self) -> f64 {
        (self.after.cpu - self.before.cpu).as_secs_f64()
    }

    /// CPU of the threads called so, in percent of a core.
    fn thread(&self, name: &str) -> f64 {
        let at = |reading: &Reading| reading.threads.get(name).copied().unwrap_or_default();
        (at(&self.after) - at(&self.before)).as_secs_f64() * 100.0 / self.seconds
    }

    fn quantile(&self, histogram: &str, labels: &str, share: f64) -> String {
        self.after.quantile_since(&self.before, histogram, labels, share)
    }
}

/// How a row draws its cell from a column.
type Draw = fn(&Column) -> String;

const ROWS: &[(&str, Draw)] = &[
    ("CPU, % of a core", |column| format!("{:.2}", column.cpu() * 100.0 / column.seconds)),
    ("  loop", |column| format!("{:.2}", column.thread("ntuwatch"))),
    ("  ICMP engine", |column| format!("{:.2}", column.thread("icmp"))),
    ("CPU us/probe", |column| format!("{:.1}", column.cpu() * 1e6 / column.probes("sent"))),
    ("probes/s", |column| format!("{:.0}", column.probes("sent") / column.seconds)),
    ("sent", |column| format!("{:.0}", column.probes("sent"))),
    ("answered", |column| format!("{:.0}", column.probes("answered"))),
    ("lost", |column| format!("{:.0}", column.probes("lost"))),
    ("wake-ups/s", |column| format!("{:.0}", (column.after.waits - column.before.waits) as f64 / column.seconds)),
    ("commits/min", |column| format!("{:.0}", column.grown("ntuwatch_commits_total") * 60.0 / column.seconds)),
    ("cases opened", |column| format!("{:.0}", column.grown("ntuwatch_cases_opened_total{priority=\"P1\"}"))),
    ("letters sent", |column| format!("{:.0}", column.grown("ntuwatch_letters_sent_total"))),
    ("lateness p50", |column| column.quantile("ntuwatch_schedule_lateness_seconds", "", 0.5)),
    ("lateness p99", |column| column.quantile("ntuwatch_schedule_lateness_seconds", "", 0.99)),
    ("lateness max", |column| column.quantile("ntuwatch_schedule_lateness_seconds", "", 1.0)),
    ("round trip p50", |column| column.quantile("ntuwatch_probe_duration_seconds", "method=\"icmp\"", 0.5)),
    ("round trip p99", |column| column.quantile("ntuwatch_probe_duration_seconds", "method=\"icmp\"", 0.99)),
    ("resident MB", |column| format!("{:.1}", column.after.resident as f64 / 1e6)),
];

fn print(columns: &[Column]) {
    let names = columns.iter().map(|column| column.name);
    let mut table = Table::new(&core::iter::once("").chain(names).collect::<Vec<_>>());
    for (label, draw) in ROWS {
        table.row(label, columns.iter().map(draw));
    }
    let least = columns.first().map_or(0.0, |column| column.after.resident as f64);
    let bytes = |column: &Column| format!("{:.0}", (column.after.resident as f64 - least) / f64::from(UNITS - 10));
    table.row("bytes/unit", columns.iter().map(bytes));
    table.print();
}
