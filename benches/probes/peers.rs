//! Who else asks: each at the same pace, to the same addresses, in a network of its own.

use crate::namespace;
use core::net::Ipv4Addr;
use core::time::Duration;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;

/// How often fping asks each target.
const ROUNDS: u32 = 3;
/// Kernel ticks a second, in which /proc counts CPU time.
const TICKS: u64 = 100;

/// What a run showed.
pub(crate) struct Paced {
    pub(crate) sent: u64,
    pub(crate) answered: u64,
    /// CPU time of the process, user and system.
    pub(crate) cpu: Duration,
    /// Round trips, if the kernel's stamps were used: median, and what one in a hundred exceeds.
    pub(crate) trip: Option<Trip>,
}

/// Median of round trips, and what one in a hundred exceeds.
#[derive(Clone, Copy)]
pub(crate) struct Trip {
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
}

impl Trip {
    pub(crate) fn of(mut trips: Vec<Duration>) -> Option<Self> {
        trips.sort_unstable();
        let at = |percent: usize| trips.get(trips.len() * percent / 100).copied();
        Some(Self { p50: at(50)?, p99: at(99)? })
    }
}

impl Paced {
    /// As the limit prints it.
    pub(crate) fn print(&self) -> String {
        let Self { sent, answered, cpu, trip } = self;
        let (p50, p99) = trip.map_or((0, 0), |Trip { p50, p99 }| (p50.as_nanos(), p99.as_nanos()));
        format!("{sent} {answered} {} {p50} {p99}", cpu.as_micros())
    }

    /// Understands that.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let numbers: Vec<u64> = text.split_whitespace().filter_map(|number| number.parse().ok()).collect();
        let [sent, answered, cpu, p50, p99] = numbers.try_into().ok()?;
        let trip = Trip { p50: Duration::from_nanos(p50), p99: Duration::from_nanos(p99) };
        Some(Self { sent, answered, cpu: Duration::from_micros(cpu), trip: Some(trip) })
    }

    /// CPU time of a probe in microseconds.
    pub(crate) fn us(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.sent as f64
    }
}

/// The address of a target.
pub(crate) fn address(target: u32) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(Ipv4Addr::new(127, 1, 0, 1)) + target)
}

/// fping in its mode that counts; its last report, a line a target, is in its time. Or why there is none.
pub(crate) fn fping(rate: u64, targets: u32) -> Result<Paced, &'static str> {
    Command::new("fping").arg("--version").output().map_err(|_| "not installed (Debian: fping)")?;
    let home = tempfile::tempdir().expect("a directory can be made");
    let list: String = (0..targets).map(|target| format!("{}\n", address(target))).collect();
    let file = home.path().join("targets");
    fs::write(&file, list).expect("the directory can be written");
    let mut command = namespace::command();
    let (period, gap) = (u64::from(targets) * 1_000 / rate, 1e3 / rate as f64);
    command.args(["fping", "-q", "-s", "-c", &ROUNDS.to_string(), "-p", &period.to_string()]);
    command.args(["-i", &gap.to_string(), "-f"]).arg(&file);
    let (cpu, text) = run(command, home.path());
    let number = |what: &str| {
        let line = text.lines().find(|line| line.trim_end().ends_with(what)).unwrap_or_default();
        line.split_whitespace().next().and_then(|number| number.parse().ok()).ok_or("it prints no statistics")
    };
    Ok(Paced { sent: number("ICMP Echos sent")?, answered: number("ICMP Echo Replies received")?, cpu, trip: None })
}

/// The crate surge-ping, which is compiled for this. Or why it can't be.
pub(crate) fn surge(rate: u64, targets: u32, lasting: Duration) -> Result<Paced, &'static str> {
    let program = build("surge")?;
    let home = tempfile::tempdir().expect("a directory can be made");
    let mut command = namespace::command();
    command.arg(program).args([rate, u64::from(targets), lasting.as_secs()].map(|number| number.to_string()));
    let (cpu, text) = run(command, home.path());
    let numbers: Vec<u64> = text.split_whitespace().filter_map(|number| number.parse().ok()).collect();
    let [sent, answered] = numbers[..] else { return Err("it prints no numbers") };
    Ok(Paced { sent, answered, cpu, trip: None })
}

/// The crate async-snmp used plainly, a client an agent, to which this `answerer` answers. Or why there is none.
pub(crate) fn plain(
    version: &str,
    rate: u64,
    targets: u32,
    lasting: Duration,
    answerer: &[&str],
) -> Result<Paced, &'static str> {
    let numbers = [rate, u64::from(targets), lasting.as_secs()].map(|number| number.to_string());
    let mut command = namespace::command();
    command.arg(build("plain")?).args(["ask", version]).args(numbers).args(answerer);
    let output = command.stderr(Stdio::inherit()).output().map_err(|_| "it can't be started")?;
    let paced = String::from_utf8(output.stdout).ok().and_then(|text| Paced::parse(&text));
    paced.map(|paced| Paced { trip: None, ..paced }).ok_or("it prints no numbers")
}

/// Builds a program that is a package of its own beside this file. Or says why it can't.
pub(crate) fn build(name: &str) -> Result<PathBuf, &'static str> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/probes").join(name);
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--release", "--locked", "--target-dir"]).arg(&target).current_dir(folder);
    let built = build.status().is_ok_and(|status| status.success());
    Some(target.join("release").join(name)).filter(|_| built).ok_or("cargo does not build it")
}

/// Runs a program to its end; returns its CPU time and what it printed.
fn run(mut command: Command, home: &Path) -> (Duration, String) {
    let file = home.join("printed");
    let printed = fs::File::create(&file).expect("the directory can be written");
    let both = printed.try_clone().expect("a file can be written from two sides");
    let mut child = command.stdin(Stdio::null()).stdout(both).stderr(printed).spawn().expect("unshare is there");
    let cpu = used_until_end(&child);
    child.wait().expect("it has ended");
    (cpu, fs::read_to_string(file).unwrap_or_default())
}

/// Waits for the end of a process, after which the kernel still knows what it used, until that is asked for its exit status.
fn used_until_end(child: &Child) -> Duration {
    loop {
        let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).expect("nobody has asked for its status");
        // The name may contain anything but a last parenthesis; the state is the first after it, utime and stime the 12th and 13th.
        let (_, fields) = stat.rsplit_once(") ").expect("the kernel keeps its format");
        if fields.starts_with('Z') {
            let ticks: u64 = fields.split(' ').skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
            return Duration::from_millis(ticks * 1_000 / TICKS);
        }
        sleep(Duration::from_millis(50));
    }
}
