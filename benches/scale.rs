//! What size costs beside probing: starting, taking over another inventory, being looked at, and having little to do.
//!
//! The release daemon in a network namespace of its own, each figure beside what is wanted. Needs what `probes` needs. Takes about
//! twenty minutes; one of `start`, `cases`, `reload`, `metrics`, `idle`, `memory`, `soak`, `ceiling` and `growth` as argument measures
//! that alone.

#[path = "support/daemon.rs"]
mod daemon;
#[path = "support/namespace.rs"]
mod namespace;
#[path = "support/table.rs"]
mod table;

use core::time::Duration;
use daemon::{Daemon, Reading, inventory};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use ntuwatch::clock::Stopwatch;
use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::thread::sleep;
use table::Table;

const UNITS: u32 = 100_000;
/// Units that another inventory has more; what it says of the others changes, too.
const MORE: u32 = 1_000;
/// Requests of which the median is taken.
const LOOKS: usize = 21;
const PATIENCE: Duration = Duration::from_secs(90);
/// All units are lost, and each gets a case.
const STORM: Duration = Duration::from_secs(400);
/// An interval, so that everybody has been asked.
const SETTLED: Duration = Duration::from_secs(15);
const IDLE: Duration = Duration::from_secs(60);
/// Enough for 100,000 probes a second at intervals of 10 s, and for 200,000 at 5 s.
const MANY: u32 = 1_000_000;
/// How long a million are watched. It is looked at them in so many parts.
const SOAK: Duration = Duration::from_secs(180);
const PARTS_OF_SOAK: u32 = 6;
const CEILING: Duration = Duration::from_secs(40);
/// How many units a second of probes is spread over: few at short intervals and many at long ones.
const SPREAD: [(u32, u32); 4] = [(1_000, 1), (100_000, 100), (10_000, 1), (1_000_000, 100)];
/// How long each of them is watched, so that there is enough of the few.
const GROWTH: Duration = Duration::from_secs(60);
type Measure = fn(&mut Figures);

/// What is measured under which name.
const PARTS: [(&str, Measure); 9] = [
    ("start", start),
    ("cases", cases),
    ("reload", reload),
    ("metrics", metrics),
    ("idle", idle),
    ("memory", memory),
    ("soak", soak),
    ("ceiling", ceiling),
    ("growth", growth),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let mut figures = Figures(Table::new(&["what", "measured", "wanted", "misses"]));
    for (name, measure) in PARTS {
        if arguments.is_empty() || arguments.iter().any(|wanted| wanted == name) {
            eprintln!("{name}");
            measure(&mut figures);
        }
    }
    figures.0.print();
}

/// What was measured, beside what is wanted.
struct Figures(Table);

impl Figures {
    fn note(&mut self, what: &str, measured: f64, goal: f64, unit: &str) {
        let misses = if measured > goal { "misses" } else { "" };
        self.0.row(what, [format!("{measured:.2} {unit}"), format!("{goal} {unit}"), misses.to_owned()]);
    }

    /// A figure for which there is no goal.
    fn tell(&mut self, what: &str, measured: String) {
        self.0.row(what, [measured]);
    }
}

/// How long from the start of the program to the first probe that the kernel sends for it.
fn first_probe(daemon: &Daemon) -> f64 {
    let own = |name: &str| fs::read_to_string(daemon.proc(name)).unwrap_or_default();
    while own("comm").trim() != "ntuwatch" {
        assert!(daemon.clock.elapsed() < PATIENCE, "the daemon does not start");
        sleep(Duration::from_millis(1));
    }
    let begun = daemon.clock.elapsed();
    while requests(&own("net/snmp")) == 0 {
        assert!(daemon.clock.elapsed() < PATIENCE, "the daemon does not probe");
        sleep(Duration::from_millis(1));
    }
    (daemon.clock.elapsed() - begun).as_secs_f64()
}

/// ICMP echo requests that a network namespace has sent.
fn requests(counters: &str) -> u64 {
    let mut lines = counters.lines().filter_map(|line| line.strip_prefix("IcmpMsg:")).map(str::split_whitespace);
    let (Some(names), Some(counts)) = (lines.next(), lines.next()) else { return 0 };
    names.zip(counts).find(|(name, _)| *name == "OutType8").and_then(|(_, count)| count.parse().ok()).unwrap_or(0)
}

/// Ends a daemon as an operator does.
fn stop(mut daemon: Daemon) {
    let pid = Pid::from_raw(daemon.child.id() as i32);
    kill(pid, Signal::SIGTERM).expect("it runs");
    daemon.child.wait().expect("it ends");
}

/// The next daemon where another one was: once ended in order, and once killed. Returns the last one.
fn again(daemon: Daemon, figures: &mut Figures, with: &str) -> Daemon {
    let home = daemon.home.clone();
    stop(daemon);
    let daemon = Daemon::spawn(home.clone(), None);
    figures.note(&format!("first probe, {with}"), first_probe(&daemon), 0.5, "s");
    daemon.wait_until_it_serves();
    // Long enough to have marked that it watches.
    sleep(SETTLED);
    drop(daemon);
    let daemon = Daemon::spawn(home, None);
    figures.note(&format!("first probe, {with}, after kill -9"), first_probe(&daemon), 1.0, "s");
    daemon.wait_until_it_serves();
    daemon
}

fn start(figures: &mut Figures) {
    let daemon = Daemon::spawn(daemon::home(UNITS, &[]), None);
    figures.note("first probe, 100,000 units, with a new store", first_probe(&daemon), 0.5, "s");
    daemon.wait_for("ntuwatch_units{verdict=\"UP\"}", UNITS, PATIENCE);
    let daemon = again(daemon, figures, "100,000 units");
    daemon.wait_for("ntuwatch_units{verdict=\"UP\"}", UNITS, PATIENCE);
}

fn cases(figures: &mut Figures) {
    let daemon = Daemon::start(UNITS, &[], None);
    daemon.wait_for("ntuwatch_units{verdict=\"UP\"}", UNITS, PATIENCE);
    daemon.cut(UNITS);
    let clock = Stopwatch::start();
    daemon.wait_for("ntuwatch_cases{priority=\"P1\",stage=\"New\"}", UNITS, STORM);
    figures.tell("all lost until all have their cases", format!("{:.0} s", clock.elapsed().as_secs_f64()));
    // In its new network they answer.
    let daemon = again(daemon, figures, "100,000 open cases");
    figures.tell("resident with them", format!("{:.0} MB", daemon.read().resident as f64 / 1e6));
}

fn reload(figures: &mut Figures) {
    let daemon = Daemon::start(UNITS, &[], None);
    daemon.wait_for("ntuwatch_units{verdict=\"UP\"}", UNITS, PATIENCE);
    let changed = inventory(UNITS + MORE, &[]).replace("SO-", "TO-");
    fs::write(daemon.home.path().join("units.csv"), changed).expect("the directory can be written");
    let before = daemon.read();
    let clock = Stopwatch::start();
    kill(Pid::from_raw(daemon.child.id() as i32), Signal::SIGHUP).expect("it runs");
    let units = |metrics: &HashMap<String, f64>| {
        metrics.iter().filter(|(series, _)| series.starts_with("ntuwatch_units{")).map(|(_, count)| count).sum::<f64>()
    };
    while units(&daemon.read().metrics) < f64::from(UNITS + MORE) {
        assert!(clock.elapsed() < PATIENCE, "the inventory is not taken over");
        sleep(Duration::from_millis(10));
    }
    figures.note("reload of 100,000 changed units, 1,000 more", clock.elapsed().as_secs_f64(), 1.0, "s");
    sleep(SETTLED);
    let after = daemon.read();
    let late = |share| after.quantile_since(&before, "ntuwatch_schedule_lateness_seconds", "", share);
    figures.tell("lateness meanwhile, p99", late(0.99));
    figures.tell("lateness meanwhile, max", late(1.0));
    let lost = after.grown_since(&before, "ntuwatch_probes_lost_total{method=\"icmp\"}");
    assert_eq!(lost, 0.0, "no false losses");
}

fn metrics(figures: &mut Figures) {
    let daemon = Daemon::start(UNITS, &[], None);
    daemon.wait_for("ntuwatch_units{verdict=\"UP\"}", UNITS, PATIENCE);
    let goals = [("/metrics", 5.0, 5.0), ("/metrics/units", 50.0, 100.0)];
    for (path, cpu, wall) in goals {
        let mut looks: Vec<(Duration, Duration, usize)> = (0..LOOKS).map(|_| look(&daemon, path)).collect();
        let mut median = |pick: fn(&(Duration, Duration, usize)) -> Duration| {
            looks.sort_by_key(pick);
            looks.get(LOOKS / 2).map_or(0.0, |look| pick(look).as_secs_f64() * 1e3)
        };
        let of = format!("{path}, 100,000 units");
        figures.note(&format!("{of}, CPU"), median(|look| look.0), cpu, "ms");
        figures.note(&format!("{of}, to the last byte"), median(|look| look.1), wall, "ms");
        figures.tell(&format!("{of}, size"), format!("{:.1} MB", looks.first().map_or(0, |look| look.2) as f64 / 1e6));
    }
}

/// CPU time of the thread that serves, time to the last byte, and size.
fn look(daemon: &Daemon, path: &str) -> (Duration, Duration, usize) {
    let before = serving(daemon);
    let clock = Stopwatch::start();
    let size = daemon.get(path).expect("the daemon serves").len();
    let took = clock.elapsed();
    // By then it has put everything away, too.
    sleep(Duration::from_millis(200));
    (serving(daemon) - before, took, size)
}

/// CPU time of the thread that serves. Nothing is asked of it for that.
fn serving(daemon: &Daemon) -> Duration {
    let text = |path: PathBuf| fs::read_to_string(path).unwrap_or_default();
    let tasks = fs::read_dir(daemon.proc("task")).expect("the daemon runs").flatten();
    let web = tasks.map(|task| task.path()).find(|task| text(task.join("comm")).trim() == "web");
    let ran = web.and_then(|task| text(task.join("schedstat")).split(' ').next()?.parse().ok());
    Duration::from_nanos(ran.expect("it serves"))
}

fn idle(figures: &mut Figures) {
    let daemon = Daemon::start(100, &[], None);
    sleep(SETTLED);
    let before = daemon.read();
    sleep(IDLE);
    let after = daemon.read();
    let all = |threads: &HashMap<String, Duration>| threads.values().sum::<Duration>();
    let seconds = (after.at - before.at).as_secs_f64();
    let used = all(&after.threads).saturating_sub(all(&before.threads)).as_secs_f64();
    figures.note("100 units at 10 s, of a core", used * 100.0 / seconds, 0.1, "%");
    for (name, cpu) in &after.threads {
        let used = cpu.saturating_sub(before.threads.get(name).copied().unwrap_or_default());
        figures.tell(&format!("  of which {name}"), format!("{:.3} %", used.as_secs_f64() * 100.0 / seconds));
    }
    figures.tell("  wake-ups", format!("{:.1}/s", (after.waits - before.waits) as f64 / seconds));
    figures.tell("  CPU of the process by ticks", format!("{:.0} ms", (after.cpu - before.cpu).as_secs_f64() * 1e3));
}

fn memory(figures: &mut Figures) {
    let daemon = Daemon::start(10, &[], None);
    sleep(SETTLED);
    figures.note("resident with 10 units", daemon.read().resident as f64 / 1e6, 25.0, "MB");
}

/// A million units at 10 s: memory stays where it is, and nothing is lost.
fn soak(figures: &mut Figures) {
    let daemon = Daemon::start(MANY, &[], None);
    daemon.wait_for("ntuwatch_units{verdict=\"UP\"}", MANY, PATIENCE);
    sleep(SETTLED);
    let first = daemon.read();
    let mut last = daemon.read();
    for part in 1..=PARTS_OF_SOAK {
        sleep(SOAK / PARTS_OF_SOAK);
        last = daemon.read();
        let after = SOAK * part / PARTS_OF_SOAK;
        let resident = format!("{:.1} MB", last.resident as f64 / 1e6);
        figures.tell(&format!("resident with 1,000,000 units after {} s", after.as_secs()), resident);
    }
    let grown = (last.resident as f64 - first.resident as f64).max(0.0) / first.resident as f64;
    figures.note("grown meanwhile", grown * 100.0, 1.0, "%");
    asked(figures, "1,000,000 units at 10 s", (&first, &last), 100_000.0);
}

/// Twice as many probes a second.
fn ceiling(figures: &mut Figures) {
    let daemon = Daemon::start(MANY, &[("interval", "5s".to_owned())], None);
    daemon.wait_for("ntuwatch_units{verdict=\"UP\"}", MANY, PATIENCE);
    sleep(SETTLED);
    let before = daemon.read();
    sleep(CEILING);
    asked(figures, "1,000,000 units at 5 s", (&before, &daemon.read()), 200_000.0);
}

/// What a probe costs when the same number of them a second is for a hundred times as many units.
fn growth(figures: &mut Figures) {
    for pair in SPREAD.chunks_exact(2) {
        let costs = [pair[0], pair[1]].map(|(units, interval)| {
            let seconds = |seconds: u32| format!("{seconds}s");
            let timeout = ("timeout", "500ms".to_owned());
            let cells = [timeout, ("interval", seconds(interval)), ("down_after", seconds((3 * interval).max(20)))];
            let daemon = Daemon::start(units, &cells, None);
            daemon.wait_for(
                "ntuwatch_units{verdict=\"UP\"}",
                units,
                PATIENCE + 2 * Duration::from_secs(interval.into()),
            );
            sleep(SETTLED);
            let before = daemon.read();
            sleep(GROWTH);
            let after = daemon.read();
            let probes = after.grown_since(&before, "ntuwatch_probes_sent_total{method=\"icmp\"}");
            let cost = (after.cpu - before.cpu).as_secs_f64() * 1e6 / probes;
            let rate = probes / (after.at - before.at).as_secs_f64();
            figures.tell(&format!("{units} units at {interval} s, CPU a probe"), format!("{cost:.2} us, {rate:.0}/s"));
            cost
        });
        figures.note("  times as much", costs[1] / costs[0], 1.5, "");
    }
}

/// How probing went between two readings, of which so many probes a second were wanted.
fn asked(figures: &mut Figures, what: &str, (before, after): (&Reading, &Reading), wanted: f64) {
    let grown = |name: &str| after.grown_since(before, &format!("ntuwatch_probes_{name}_total{{method=\"icmp\"}}"));
    let seconds = (after.at - before.at).as_secs_f64();
    let rate = grown("sent") / seconds;
    let cpu = (after.cpu - before.cpu).as_secs_f64();
    figures.tell(&format!("{what}, probes"), format!("{rate:.0}/s"));
    figures.note(&format!("{what}, too few"), (1.0 - rate / wanted).max(0.0) * 100.0, 0.1, "%");
    figures.note(&format!("{what}, lost or unsent"), grown("lost") + grown("unsent"), 0.0, "");
    figures.tell(&format!("{what}, CPU a probe"), format!("{:.2} us", cpu * 1e6 / grown("sent")));
    figures.tell(
        &format!("{what}, lateness p99"),
        after.quantile_since(before, "ntuwatch_schedule_lateness_seconds", "", 0.99),
    );
}
