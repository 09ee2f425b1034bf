//! A storm: 10,000 units, or as many as the argument says, are lost at once and come back at once.
//!
//! The real watch and the real store, without a network: each turn goes the daemon's way from the results of probes to
//! the commit, which a thread of its own does. What counts is the time from the deciding moment until everything is
//! durable.

#[path = "support/cpu.rs"]
mod cpu;
#[path = "storm/pen.rs"]
mod pen;
#[path = "support/table.rs"]
mod table;

use core::time::Duration;
use ntuwatch::clock::Stopwatch;
use ntuwatch::domain::desk::{COLLECT, COLLECT_GOOD};
use ntuwatch::domain::fact::Fact;
use ntuwatch::domain::letter::{Delivery, LetterId};
use ntuwatch::domain::party::Customer;
use ntuwatch::domain::plan::Plan;
use ntuwatch::domain::time::Time;
use ntuwatch::domain::turn::{Input, Turn};
use ntuwatch::domain::watch::{Device, Method, Outcome, Probe, ProbeResult, Role, Watch};
use ntuwatch::store::Store;
use ntuwatch::story::Story;
use pen::{Pen, Tally};
use std::collections::BTreeMap;
use std::sync::Arc;
use table::Table;

const UNITS: u32 = 10_000;
const RTT: Duration = Duration::from_millis(12);
/// How long probing is looked at by itself.
const CALM: Duration = Duration::from_secs(10);
/// Messages that the daemon takes in one turn.
const MESSAGES_A_TURN: usize = 256;
const START: Time = Time::from_millis(1_700_000_000_000);

fn main() {
    let units = std::env::args().nth(1).and_then(|units| units.parse().ok()).unwrap_or(UNITS);
    // A short interval, so that all come due within a few seconds of each other.
    let story = format!(
        "config interval=2s timeout=500ms down_after=60s solve_after=60s\nunits acme-lon- 1..{units} customer=acme\nsentinel core\n"
    );
    let mut story = Story::parse(&story).expect("the bench's own story is in order");
    one_customer_each(&mut story.plan);
    let mut storm = Storm::new(&story, units);
    storm.run_to(START + Duration::from_secs(20));
    storm.calm = storm.probing();

    storm.silent = true;
    let lost = storm.now;
    storm.measure("verdicts LOSS", |storm| storm.run_to(lost + Duration::from_millis(59_900)));
    assert_eq!(storm.opened, 0, "a minute of loss makes a case, not less");
    // Nothing is heard for as long as a sentinel vouches for us; then almost everything is due at once.
    storm.measure("P1 cases", |storm| {
        storm.jump_to(lost + Duration::from_millis(61_600));
        storm.run_to(lost + Duration::from_secs(65));
    });
    assert_eq!(storm.opened, units, "one case each");
    storm.measure("letters to everybody", |storm| storm.run_to(lost + Duration::from_secs(65) + COLLECT));
    storm.measure("letters delivered", Storm::deliver);
    storm.quiet = storm.probing();

    storm.silent = false;
    let back = storm.now;
    storm.measure("verdicts UP", |storm| storm.run_to(back + Duration::from_millis(59_900)));
    storm.measure("cases Solved", |storm| {
        storm.jump_to(back + Duration::from_millis(61_600));
        storm.run_to(back + Duration::from_secs(65));
    });
    storm.measure("letters to everybody", |storm| storm.run_to(back + Duration::from_secs(65) + COLLECT_GOOD));
    storm.measure("letters delivered", Storm::deliver);
    storm.print();
}

/// A letter to everybody is the worst that a storm can be.
fn one_customer_each(plan: &mut Plan) {
    let Some(pattern) = plan.customers.pop() else { return };
    for device in &mut plan.devices {
        let Device { id, role: Role::Unit(circuit), .. } = Arc::make_mut(device) else { continue };
        circuit.customer = Arc::new(id.to_string());
        plan.customers.push(Customer { id: id.to_string(), ..pattern.clone() });
    }
}

/// A daemon without engines.
struct Storm {
    units: u32,
    pen: Pen,
    watch: Watch,
    turn: Turn,
    now: Time,
    silent: bool,
    on_the_way: BTreeMap<Time, Vec<ProbeResult>>,
    letters: Vec<LetterId>,
    marked: Time,
    rows: Vec<Row>,
    /// CPU time that the watch takes in a second in which nothing happens: everybody answers, or nobody does.
    calm: Duration,
    quiet: Duration,
    opened: u32,
    _home: tempfile::TempDir,
}

/// One measurement.
struct Row {
    name: &'static str,
    tally: Tally,
    cpu: Duration,
    wall: Duration,
    /// Of the watch's own time.
    simulated: Duration,
    silent: bool,
}

impl Storm {
    fn new(story: &Story, units: u32) -> Self {
        let home = tempfile::tempdir().expect("a directory can be made");
        let (store, loaded) = Store::open(&home.path().join("storm.db")).expect("a new store can be opened");
        let mut turn = Turn::new(START);
        let watch = Watch::start(loaded.saved, &story.plan, &mut turn);
        let mut storm = Self {
            units,
            pen: Pen::new(store),
            watch,
            turn,
            now: START,
            silent: false,
            on_the_way: BTreeMap::new(),
            letters: Vec::new(),
            marked: START,
            rows: Vec::new(),
            calm: Duration::ZERO,
            quiet: Duration::ZERO,
            opened: 0,
            _home: home,
        };
        storm.finish_turn();
        storm
    }

    /// Does `work` and notes what it cost.
    fn measure(&mut self, name: &'static str, work: impl FnOnce(&mut Self)) {
        self.pen.settle();
        let (cpu, watch, since) = (cpu::used(), Stopwatch::start(), self.now);
        work(self);
        let tally = self.pen.settle();
        let (cpu, wall, simulated) = (cpu::used() - cpu, watch.elapsed(), self.now.since(since));
        self.rows.push(Row { name, tally, cpu, wall, simulated, silent: self.silent });
    }

    /// CPU time of a second in which there is nothing but probing.
    fn probing(&mut self) -> Duration {
        let (cpu, until) = (cpu::used(), self.now + CALM);
        self.run_to(until);
        (cpu::used() - cpu) / u32::try_from(CALM.as_secs()).unwrap_or(u32::MAX)
    }

    fn print(&self) {
        let name = format!("{} units", self.units);
        let mut table = Table::new(&[
            &name,
            "cases",
            "letters",
            "CPU ms",
            "wall ms",
            "commits",
            "longest ms",
            "us/unit: probing",
            "watch",
            "words",
            "store",
            "without probing",
        ]);
        let each = |time: Duration| format!("{:.1}", time.as_secs_f64() * 1e6 / f64::from(self.units));
        for Row { name, tally, cpu, wall, simulated, silent } in &self.rows {
            let second = if *silent { self.quiet } else { self.calm };
            let probing = second.mul_f64(simulated.as_secs_f64()).min(*cpu);
            let events = *cpu - probing;
            table.row(
                name,
                [
                    tally.cases.to_string(),
                    tally.letters.to_string(),
                    cpu.as_millis().to_string(),
                    wall.as_millis().to_string(),
                    tally.commits.to_string(),
                    format!("{:.1}", tally.longest.as_secs_f64() * 1e3),
                    each(probing),
                    each(events.saturating_sub(tally.words + tally.store)),
                    each(tally.words),
                    each(tally.store),
                    each(events),
                ],
            );
        }
        table.print();
    }

    /// Goes on turn by turn.
    fn run_to(&mut self, until: Time) {
        while self.now < until {
            let arrival = self.on_the_way.first_key_value().map_or(until, |(at, _)| *at);
            self.now = self.watch.next_due().min(arrival).min(until).max(self.now + Duration::from_millis(1));
            self.step();
        }
    }

    /// Does nothing until `moment`, then everything that is due.
    fn jump_to(&mut self, moment: Time) {
        self.now = moment;
        self.step();
        while self.watch.next_due() <= self.now {
            self.step();
        }
    }

    fn step(&mut self) {
        self.turn.at = self.now;
        while let Some(arrived) = self.on_the_way.first_entry().filter(|entry| *entry.key() <= self.now) {
            self.watch.step(Input::Probed(arrived.remove()), &mut self.turn);
        }
        self.watch.step(Input::Tick, &mut self.turn);
        self.finish_turn();
    }

    /// The mail server takes all letters that it was handed.
    fn deliver(&mut self) {
        while !self.letters.is_empty() {
            for letter in self.letters.split_off(self.letters.len().saturating_sub(MESSAGES_A_TURN)) {
                self.watch.step(Input::Attempted(letter, Delivery::Sent), &mut self.turn);
            }
            self.step();
        }
    }

    fn finish_turn(&mut self) {
        let (units, silent, now) = (self.units, self.silent, self.now);
        for probe in self.turn.probes.drain(..) {
            let (at, result) = fate(&probe, silent && probe.slot.0 < units, now);
            self.on_the_way.entry(at).or_default().push(result);
        }
        self.letters.append(&mut self.turn.deliver);
        if self.turn.is_durable() || now.since(self.marked) >= ntuwatch::domain::watch::MARK_EVERY {
            self.marked = now;
            let opened = self.turn.facts.iter().filter(|fact| matches!(fact, Fact::CaseOpened(_)));
            self.opened += u32::try_from(opened.count()).unwrap_or(u32::MAX);
            self.pen.write(self.turn.take());
        }
        self.turn.clear();
    }
}

/// The sentinel, which comes after the units, always answers.
fn fate(probe: &Probe, silent: bool, now: Time) -> (Time, ProbeResult) {
    let (after, outcome) =
        if silent { (probe.timeout, Outcome::LOST) } else { (RTT, Outcome::Answered { rtt: RTT, sample: None }) };
    (now + after, ProbeResult { slot: probe.slot, round: probe.round, method: Method::Icmp, outcome })
}
