//! One seed's world, lived through by the real core, and everything that was asked and answered in it.

use ntuwatch::domain::fact::Fact;
use ntuwatch::domain::plan::Plan;
use ntuwatch::domain::time::Time;
use ntuwatch::domain::watch::{Interval, Method, Permille, Role};
use ntuwatch::story::weather::{Asker, BEGINNING, Change, Climate, Fleet, Gilbert, Leave, Span, Trouble, Weather};
use ntuwatch::story::{Fate, Sim, World};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

pub(crate) const INTERVAL: Duration = seconds(5);
pub(crate) const TIMEOUT: Duration = seconds(1);
pub(crate) const DOWN_AFTER: Duration = seconds(60);
pub(crate) const WINDOW: Duration = seconds(200);
pub(crate) const GOOD_WINDOWS: u32 = 2;
/// Limits: thousandths of rounds lost, and the round trip.
pub(crate) const LOSS: u32 = 150;
pub(crate) const RTT: Duration = Duration::from_millis(150);

/// The watch begins in the afternoon, so that it sees the evening.
const START: Time = Time::from_millis(BEGINNING.as_millis() + 18 * 3_600_000 + 1_800_000);
const LENGTH: Duration = seconds(3_600);

const fn trouble(a_month: f64, median: u64, sigma: f64, longest: u64) -> Trouble {
    Trouble { a_month, median: seconds(median), sigma, limits: (seconds(2), seconds(longest)) }
}

/// A month of trouble in hours, so that each seed has some of everything.
const CLIMATE: Climate = Climate {
    single: trouble(300.0, 60, 0.9, 900),
    reboot: Trouble::NONE,
    flapping: trouble(50.0, 600, 0.5, 1_800),
    pop: trouble(150.0, 60, 0.9, 600),
    supplier: trouble(150.0, 60, 0.9, 600),
    ordinary: Gilbert { good_for: seconds(3_600), bad_for: seconds(60), good_loss: 0.002, bad_loss: 0.3 },
    poor: Gilbert { good_for: seconds(1_200), bad_for: seconds(400), good_loss: 0.02, bad_loss: 0.4 },
    poor_share: 0.3,
    congested_share: 0.5,
    limited_share: 0.1,
    uplink: trouble(400.0, 40, 1.0, 400),
    restart: trouble(150.0, 10, 0.7, 120),
    crash: trouble(150.0, 20, 1.0, 300),
    suspension: trouble(150.0, 20, 1.0, 300),
    names: Trouble::NONE,
    clock: trouble(200.0, 1, 0.0, 2),
};

/// A question and its fate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) device: usize,
    pub(crate) sent: Time,
    pub(crate) fate: Heard,
}

/// What came of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    Answer(Duration),
    Nothing,
    Unsent,
    /// The monitor was gone before it could know.
    Unknown,
}

/// What happened, from both sides.
pub(crate) struct Trace {
    pub(crate) plan: Plan,
    pub(crate) asked: Vec<Asked>,
    pub(crate) away: Vec<(Span, Leave)>,
    pub(crate) facts: Vec<(Time, Fact)>,
    pub(crate) intervals: Vec<Interval>,
    pub(crate) start: Time,
    pub(crate) until: Time,
}

impl Trace {
    pub(crate) fn is_sentinel(&self, device: usize) -> bool {
        matches!(self.plan.devices[device].role, Role::Sentinel(_))
    }

    pub(crate) fn of(&self, device: usize) -> impl Iterator<Item = &Asked> {
        self.asked.iter().filter(move |asked| asked.device == device)
    }
}

type Log = Rc<RefCell<Vec<Asked>>>;

/// Writes down all that is asked.
#[derive(Debug)]
struct Recorder {
    asker: Asker,
    log: Log,
}

impl World for Recorder {
    fn fate(&mut self, line: usize, method: Method, at: Time) -> Fate {
        let fate = self.asker.fate(line, method, at);
        let heard = match fate {
            Fate::Answered(rtt) | Fate::Rejected(rtt) if rtt <= TIMEOUT => Heard::Answer(rtt),
            Fate::Answered(_) | Fate::Rejected(_) | Fate::Lost => Heard::Nothing,
            Fate::Unsent => Heard::Unsent,
        };
        self.log.borrow_mut().push(Asked { device: line, sent: at, fate: heard });
        fate
    }
}

fn plan(weather: &Weather) -> Plan {
    let mut plan = weather.plan();
    for device in plan.devices.iter_mut().map(Arc::make_mut) {
        let rules = Arc::make_mut(&mut device.rules);
        if !matches!(device.role, Role::Sentinel(_)) {
            rules.pace.interval = INTERVAL;
        }
        rules.pace.down_after = DOWN_AFTER;
        rules.pace.solve_after = seconds(30);
        rules.pace.history = seconds(900);
        let limits = &mut rules.limits;
        (limits.window, limits.good_windows) = (WINDOW, GOOD_WINDOWS);
        (limits.loss, limits.rtt, limits.rtt_factor) = (Some(Permille(LOSS as u16)), Some(RTT), None);
        limits.flaps = None;
    }
    (plan.stability.p1, plan.stability.p2) = (seconds(600), seconds(900));
    plan
}

/// Lets the core live through the world of a seed.
pub(crate) fn live(seed: u64) -> Trace {
    let fleet = Fleet { regions: 2, suppliers: 2, pops: 1, units_per_pop: 4, sentinels: (seed % 3) as usize };
    let length = START.since(BEGINNING) + LENGTH;
    let weather = Arc::new(Weather::new(fleet, &CLIMATE, length, seed));
    let plan = plan(&weather);
    let log = Log::default();
    let recorder = Recorder { asker: Asker::new(Arc::clone(&weather)), log: Rc::clone(&log) };
    let mut sim = Sim::in_world(plan.clone(), START, Box::new(recorder));
    let mut away = Vec::new();
    for absence in weather.absences().iter().filter(|absence| absence.span.from > START) {
        away.push((absence.span, absence.kind));
    }
    for (at, change) in weather.events() {
        if at <= START || matches!(change, Change::Line { .. } | Change::Uplink { .. } | Change::Names { .. }) {
            continue;
        }
        sim.run_to(at);
        match change {
            Change::Leaves(Leave::Stopped) => sim.stop(),
            Change::Leaves(Leave::Crashed) => sim.kill(),
            Change::Leaves(Leave::Suspended) => sim.suspend(true),
            Change::Returns(Leave::Suspended) => sim.suspend(false),
            Change::Returns(Leave::Stopped | Leave::Crashed) => {
                if sim.watch().is_none() {
                    sim.start();
                }
            }
            Change::Clock(by_ms) => sim.step_clock(by_ms),
            Change::Line { .. } | Change::Uplink { .. } | Change::Names { .. } => {}
        }
        sim.settle();
    }
    sim.run_to(weather.until());
    let facts = sim.take_facts();
    let intervals = sim.intervals().to_vec();
    drop(sim);
    let mut asked = log.take();
    for one in &mut asked {
        let takes = match one.fate {
            Heard::Answer(rtt) => rtt,
            Heard::Nothing | Heard::Unknown => TIMEOUT,
            Heard::Unsent => Duration::ZERO,
        };
        let gone = |(span, kind): &&(Span, Leave)| {
            one.sent <= span.from && one.sent + takes > span.from && *kind != Leave::Suspended
        };
        if away.iter().any(|absence| gone(&absence)) {
            one.fate = Heard::Unknown;
        }
    }
    Trace { plan, asked, away, facts, intervals, start: START, until: weather.until() }
}
