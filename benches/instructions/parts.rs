//! What is counted. Everything is as deterministic as it can be: the same probes meet the same fate in each run.

use core::net::{IpAddr, Ipv4Addr};
use core::time::Duration;
use ntuwatch::domain::letter::Delivery;
use ntuwatch::domain::time::{Calendar, Time};
use ntuwatch::domain::turn::{Input, Turn};
use ntuwatch::domain::watch::{Ask, Method, Outcome, Probe, ProbeResult, Round, Saved, Slot, Watch};
use ntuwatch::engine::icmp;
use ntuwatch::story::Story;
use ntuwatch::text::{self, SECRET, Stamp};
use std::collections::VecDeque;
use std::hint::black_box;
use std::sync::mpsc;

/// Something to be counted.
pub(crate) struct Part {
    pub(crate) name: &'static str,
    /// What the figure is about.
    pub(crate) one: &'static str,
    /// How far the shorter and the longer run go.
    pub(crate) counts: (u32, u32),
    /// How many of what the figure is about come with one more of these.
    pub(crate) each: u32,
    pub(crate) needs_network: bool,
    pub(crate) play: fn(u32),
}

const UNITS: u32 = 2_000;

/// Rounds in a window of the rules for degraded lines: between the two runs each unit is judged once.
const WINDOW: u32 = 60;

pub(crate) const PARTS: &[Part] = &[
    Part {
        name: "watch-calm",
        one: "probe",
        counts: (WINDOW + 5, 2 * WINDOW + 5),
        each: UNITS,
        needs_network: false,
        play: |rounds| Fleet::new(|_, _| true).run(ROUND * rounds),
    },
    Part {
        name: "watch-lively",
        one: "probe",
        counts: (WINDOW + 5, 2 * WINDOW + 5),
        each: UNITS,
        needs_network: false,
        play: |rounds| Fleet::new(is_answered_in_bad_weather).run(ROUND * rounds),
    },
    Part { name: "loss-to-letter", one: "line", counts: (500, 1_500), each: 1, needs_network: false, play: lose },
    Part { name: "icmp", one: "probe", counts: (100, 300), each: BATCH, needs_network: true, play: ask_loopback },
];

const ROUND: Duration = Duration::from_secs(10);
const START: Time = Time::from_millis(1_700_000_000_000);
const RTT: Duration = Duration::from_millis(12);
/// Turns begin at multiples of this, as what comes in meanwhile is taken together.
const TURN: Duration = Duration::from_millis(20);

/// Whether a unit's probe that is sent at this time is answered.
type Fate = fn(Slot, Time) -> bool;

/// A watch whose world is this function.
struct Fleet {
    watch: Watch,
    turn: Turn,
    now: Time,
    fate: Fate,
    silent: u32,
    /// On their way: each queue is in the order of time.
    answers: VecDeque<(Time, ProbeResult)>,
    losses: VecDeque<(Time, ProbeResult)>,
    calendar: Calendar,
    stamp: Stamp,
}

impl Fleet {
    fn new(fate: Fate) -> Self {
        let story = format!("units acme-lon- 1..{UNITS} customer=acme\nsentinel core\n");
        let story = Story::parse(&story).expect("the bench's own story is in order");
        let mut turn = Turn::new(START);
        let watch = Watch::start(Saved::default(), &story.plan, &mut turn);
        turn.clear();
        let (answers, losses) = Default::default();
        let stamp = Stamp::new(&[7; SECRET], "example.net", Some("support@example.net"));
        Self { watch, turn, now: START, fate, silent: 0, answers, losses, calendar: Calendar::default(), stamp }
    }

    /// Goes on for so long.
    fn run(&mut self, lasting: Duration) {
        let until = self.now + lasting;
        while self.now < until {
            let arrival = |queue: &VecDeque<(Time, ProbeResult)>| queue.front().map_or(until, |&(at, _)| at);
            let next = self.watch.next_due().min(arrival(&self.answers)).min(arrival(&self.losses)).min(until);
            let turns = next.since(START).as_millis().div_ceil(TURN.as_millis());
            self.now = (START + TURN * u32::try_from(turns).expect("not that long")).max(self.now + TURN);
            self.step();
        }
    }

    fn step(&mut self) {
        self.turn.at = self.now;
        let mut results = Vec::new();
        for queue in [&mut self.answers, &mut self.losses] {
            let arrived = queue.partition_point(|&(at, _)| at <= self.now);
            results.extend(queue.drain(..arrived).map(|(_, result)| result));
        }
        self.watch.step(Input::Probed(results), &mut self.turn);
        self.watch.step(Input::Tick, &mut self.turn);
        for probe in self.turn.probes.drain(..) {
            let lost = probe.slot.0 < self.silent || probe.slot.0 < UNITS && !(self.fate)(probe.slot, self.now);
            let (queue, after, outcome) = if lost {
                (&mut self.losses, probe.timeout, Outcome::LOST)
            } else {
                (&mut self.answers, RTT, Outcome::Answered { rtt: RTT, sample: None })
            };
            let result = ProbeResult { slot: probe.slot, round: probe.round, method: Method::Icmp, outcome };
            queue.push_back((self.now + after, result));
        }
        for letter in &self.turn.letters {
            black_box(text::mail(letter, &self.stamp, &self.calendar));
        }
        for letter in core::mem::take(&mut self.turn.deliver) {
            self.watch.step(Input::Attempted(letter, Delivery::Sent), &mut self.turn);
        }
        self.turn.clear();
    }
}

/// One probe in fifty is lost, and in each ten minutes one line in a hundred.
fn is_answered_in_bad_weather(slot: Slot, sent: Time) -> bool {
    let dice = |time: i64, sides: u64| {
        // SplitMix64, so that neighbours have nothing in common.
        let mut word = (u64::from(slot.0) << 32 ^ time as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ word >> 31).is_multiple_of(sides)
    };
    !dice(sent.as_millis(), 50) && !dice(sent.as_millis() / 600_000, 100)
}

/// So many lines are lost, and everything that follows from it is done.
fn lose(lines: u32) {
    let mut fleet = Fleet::new(|_, _| true);
    fleet.run(ROUND * 2);
    fleet.silent = lines;
    fleet.run(Duration::from_secs(900));
    assert_eq!(fleet.watch.desk().cases().count(), lines as usize, "a case each");
}

/// Probes that are handed to the engine at once, as many as the daemon does.
const BATCH: u32 = 32;

/// The real engine asks addresses that the kernel answers for; the kernel's own work is not counted.
fn ask_loopback(batches: u32) {
    let (deliver, delivered) = mpsc::channel::<Vec<ProbeResult>>();
    let deliver = Box::new(move |results| deliver.send(results).map_err(|unsent| unsent.0));
    let engine = icmp::start(deliver).expect("root may open a raw socket");
    for batch in 0..batches {
        let probe = |slot| Probe {
            slot: Slot(slot),
            round: Round::from(batch),
            address: IpAddr::V4(Ipv4Addr::from(u32::from(Ipv4Addr::new(127, 1, 0, 1)) + slot)),
            timeout: Duration::from_secs(1),
            ask: Ask::Icmp,
        };
        engine.send((0..BATCH).map(probe).collect());
        let mut left = BATCH as usize;
        while left > 0 {
            let results = delivered.recv().expect("the engine runs");
            let answered = |result: &&ProbeResult| matches!(result.outcome, Outcome::Answered { .. });
            assert_eq!(results.iter().filter(answered).count(), results.len(), "loopback loses nothing");
            left -= results.len();
        }
    }
}
