//! Weather: what the world does to a fleet over weeks, made up from one number, and the truth about it.
//!
//! Everything that lasts (outages, bad spells, our own mishaps) is made up beforehand. What becomes of one probe is a
//! function of the seed, the device and the millisecond, so that judges who ask at different times live in the same
//! world. Only a box that limits its echoes remembers who asked it: that memory is in [`Asker`], one for each judge.

mod climate;
mod fleet;
mod span;
#[cfg(test)]
mod tests;

pub use climate::{Climate, Gilbert, Trouble};
pub use fleet::Fleet;
pub use span::Span;

use super::dice::{Dice, mix, share};
use super::sim::{Fate, World};
use crate::domain::plan::Plan;
use crate::domain::time::Time;
use crate::domain::watch::Method;
use core::time::Duration;
use span::{merged, place, touching};
use std::sync::Arc;

/// When a world begins: a Monday's midnight, by the clock of the first region.
pub const BEGINNING: Time = Time::from_millis(0);

/// Hours of the local day in which congested lines are slow, without the last.
const EVENING: (i64, i64) = (19, 23);
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// Share of probes to a sentinel or a node that are lost: they are in our own network.
const CORE_LOSS: f64 = 0.0005;

/// A fleet and all that befalls it.
#[derive(Clone, Debug)]
pub struct Weather {
    fleet: Fleet,
    until: Time,
    lines: Vec<LineWeather>,
    /// When our own uplink is cut, in order.
    uplink: Vec<Span>,
    /// Of each cut, whether sends fail; otherwise they vanish.
    refuses: Vec<bool>,
    absences: Vec<Absence>,
    names: Vec<Span>,
    clock: Vec<(Time, i64)>,
}

/// A time in which the monitor does not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Absence {
    /// When.
    pub span: Span,
    /// How it went, and so what it knows when it is back.
    pub kind: Leave,
}

/// How a monitor goes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    /// It is stopped in good order.
    Stopped,
    /// It is killed.
    Crashed,
    /// It stays, but gets no time.
    Suspended,
}

/// What changes at a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Change {
    /// A device's line: a silent one loses everything.
    Line {
        /// The device's place in the plan.
        device: usize,
        /// The line from now on.
        line: Condition,
    },
    /// Whether our own machine can send.
    Uplink {
        /// It cannot.
        cut: bool,
    },
    /// The monitor goes away.
    Leaves(Leave),
    /// The monitor is back.
    Returns(Leave),
    /// The wall clock is set, by milliseconds.
    Clock(i64),
    /// Whether names can be looked up.
    Names {
        /// They cannot.
        failing: bool,
    },
}

/// What befalls one device.
#[derive(Clone, Debug)]
struct LineWeather {
    /// Where the chance of its probes comes from.
    seed: u64,
    rtt: Duration,
    /// Times at which nothing comes back, of whatever cause.
    outages: Vec<Span>,
    bad: Vec<Span>,
    good_loss: f64,
    bad_loss: f64,
    evening: Option<Evening>,
    /// The box answers at most one echo in this time.
    echo_every: Option<Duration>,
}

/// What the evening adds.
#[derive(Clone, Copy, Debug)]
struct Evening {
    delay: Duration,
    loss: f64,
    /// Local time minus that of the first region, in milliseconds.
    offset_ms: i64,
}

/// How far a probe gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Passage {
    /// Our own machine cannot send it.
    Unsent,
    /// It does not reach the box.
    Lost,
    /// The box answers; the answer is lost.
    LostAnswer,
    /// The box answers, and the answer takes this long.
    There(Duration),
}

/// Names of the sequences of chance.
#[derive(Clone, Copy)]
enum Chance {
    Kind,
    Single,
    Reboot,
    Flapping,
    Bad,
    Pop,
    Supplier,
    Uplink,
    Absence,
    Names,
    Clock,
    Probe,
}

impl Weather {
    /// Makes up what befalls `fleet` until it is `length` old. Same arguments, same world.
    #[must_use]
    pub fn new(fleet: Fleet, climate: &Climate, length: Duration, seed: u64) -> Self {
        let until = BEGINNING + length;
        let dice = |chance: Chance, number: usize| Dice::of(seed, chance as u64, number as u64);
        let shared = |trouble: &Trouble, chance: Chance, count: usize| -> Vec<Vec<Span>> {
            (0..count).map(|number| trouble.spells(&mut dice(chance, number), until)).collect()
        };
        let pops = shared(&climate.pop, Chance::Pop, fleet.pops);
        let suppliers = shared(&climate.supplier, Chance::Supplier, fleet.suppliers);
        let lines = (0..fleet.devices())
            .map(|device| {
                let mut outages = fleet.pop(device).map_or_else(Vec::new, |pop| pops[pop].clone());
                if let Some(supplier) = fleet.supplier(device) {
                    outages.extend_from_slice(&suppliers[supplier]);
                }
                let mut line = LineWeather::core(mix(Dice::of(seed, Chance::Probe as u64, device as u64).draw()));
                if device < fleet.units() {
                    let kind = line.access(&fleet, climate, device, &dice);
                    line.bad = kind.bad_spells(&mut dice(Chance::Bad, device), until);
                    outages.append(&mut Self::own_outages(climate, device, until, &dice));
                }
                line.outages = merged(outages);
                line
            })
            .collect();
        let uplink = climate.uplink.spells(&mut dice(Chance::Uplink, 0), until);
        let mut coin = dice(Chance::Uplink, 1);
        let refuses = uplink.iter().map(|_| coin.roll() < 0.5).collect();
        let mut step = dice(Chance::Clock, 1);
        let clock = climate.clock.spells(&mut dice(Chance::Clock, 0), until);
        let clock = clock.iter().map(|span| (span.from, step.between(-3_600_000.0, 3_600_000.0) as i64)).collect();
        let names = climate.names.spells(&mut dice(Chance::Names, 0), until);
        Self { fleet, until, lines, uplink, refuses, absences: absences(climate, until, &dice), names, clock }
    }

    fn own_outages(climate: &Climate, device: usize, until: Time, dice: &impl Fn(Chance, usize) -> Dice) -> Vec<Span> {
        let mut outages = climate.single.spells(&mut dice(Chance::Single, device), until);
        outages.append(&mut climate.reboot.spells(&mut dice(Chance::Reboot, device), until));
        let mut flapping = dice(Chance::Flapping, device);
        let spells = climate.flapping.spells(&mut flapping, until);
        outages.append(&mut Climate::downs(&mut flapping, &spells));
        outages
    }

    /// The fleet.
    #[must_use]
    pub const fn fleet(&self) -> &Fleet {
        &self.fleet
    }

    /// The plan of a daemon that watches the fleet.
    #[must_use]
    pub fn plan(&self) -> Plan {
        self.fleet.plan()
    }

    /// When the world ends.
    #[must_use]
    pub const fn until(&self) -> Time {
        self.until
    }

    /// The truth about a device: when its line is out, for whatever cause but our own uplink. In order, never touching;
    /// the last one may go on after the end.
    #[must_use]
    pub fn outages(&self, device: usize) -> &[Span] {
        &self.lines[device].outages
    }

    /// Whether an outage of at least `length` has a part in `window`.
    #[must_use]
    pub fn was_out(&self, device: usize, window: &Span, length: Duration) -> bool {
        touching(&self.lines[device].outages, window).iter().any(|outage| outage.length() >= length)
    }

    /// When the monitor does not run: in order, never touching.
    #[must_use]
    pub fn absences(&self) -> &[Absence] {
        &self.absences
    }

    /// When our own uplink is cut.
    #[must_use]
    pub fn cuts(&self) -> &[Span] {
        &self.uplink
    }

    /// When names cannot be looked up.
    #[must_use]
    pub fn names_failing(&self) -> &[Span] {
        &self.names
    }

    /// How much of `window` a monitor could see: it runs and its uplink works.
    #[must_use]
    pub fn visible(&self, window: &Span) -> Duration {
        let away = self.absences.iter().map(|absence| absence.span);
        let blind = merged(away.chain(self.uplink.iter().copied()).collect());
        window.length().saturating_sub(blind.iter().map(|span| span.shared(window)).sum())
    }

    /// What becomes of an echo that is sent at `at`, if nobody else has asked the box of late.
    #[must_use]
    pub fn fate(&self, device: usize, at: Time) -> Fate {
        match self.passage(device, at) {
            Passage::Unsent => Fate::Unsent,
            Passage::Lost | Passage::LostAnswer => Fate::Lost,
            Passage::There(rtt) => Fate::Answered(rtt),
        }
    }

    fn passage(&self, device: usize, at: Time) -> Passage {
        match place(&self.uplink, at) {
            Some(cut) if self.refuses[cut] => Passage::Unsent,
            Some(_) => Passage::Lost,
            None => self.lines[device].passage(at),
        }
    }

    /// Everything that changes, in order of time: what drives a simulator that has no hook for [`Asker`]. Boxes that
    /// limit their echoes are not in it.
    #[must_use]
    pub fn events(&self) -> Vec<(Time, Change)> {
        let mut events: Vec<(Time, Change)> = Vec::new();
        for (device, line) in self.lines.iter().enumerate() {
            let mut was = None;
            for at in line.turns(&self.uplink, self.until) {
                let now = if place(&self.uplink, at).is_some() { line.silent() } else { line.at(at) };
                if was.replace(now) != Some(now) {
                    events.push((at, Change::Line { device, line: now }));
                }
            }
        }
        for (cut, _) in self.uplink.iter().zip(&self.refuses).filter(|(_, refuses)| **refuses) {
            events.push((cut.from, Change::Uplink { cut: true }));
            events.push((cut.until, Change::Uplink { cut: false }));
        }
        for absence in &self.absences {
            events.push((absence.span.from, Change::Leaves(absence.kind)));
            events.push((absence.span.until, Change::Returns(absence.kind)));
        }
        for span in &self.names {
            events.push((span.from, Change::Names { failing: true }));
            events.push((span.until, Change::Names { failing: false }));
        }
        events.extend(self.clock.iter().map(|&(at, by_ms)| (at, Change::Clock(by_ms))));
        events.sort_by_key(|(at, _)| *at);
        events
    }
}

/// How a line is for a while.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Condition {
    /// Round-trip time of an answer, at the least.
    pub rtt: Duration,
    /// Probability that a probe gets none.
    pub loss: f64,
}

impl LineWeather {
    /// A line in our own network.
    const fn core(seed: u64) -> Self {
        Self {
            seed,
            rtt: Duration::from_millis(2),
            outages: Vec::new(),
            bad: Vec::new(),
            good_loss: CORE_LOSS,
            bad_loss: CORE_LOSS,
            evening: None,
            echo_every: None,
        }
    }

    /// Makes the line a customer's, and tells how it loses probes.
    fn access<'a>(
        &mut self,
        fleet: &Fleet,
        climate: &'a Climate,
        device: usize,
        dice: &impl Fn(Chance, usize) -> Dice,
    ) -> &'a Gilbert {
        let mut dice = dice(Chance::Kind, device);
        self.rtt = Duration::from_millis(dice.between(5.0, 80.0) as u64);
        let poor = dice.roll() < climate.poor_share;
        let kind = if poor { &climate.poor } else { &climate.ordinary };
        (self.good_loss, self.bad_loss) = (kind.good_loss, kind.bad_loss);
        let (delay, loss) = (dice.between(20.0, 250.0), dice.between(0.0, 0.03));
        if dice.roll() < climate.congested_share {
            let region = fleet.pop(device).map_or(0, |pop| pop % fleet.regions.max(1));
            let offset_ms = region as i64 * HOUR_MS;
            self.evening = Some(Evening { delay: Duration::from_millis(delay as u64), loss, offset_ms });
        }
        let every = dice.between(1.0, 5.0);
        if dice.roll() < climate.limited_share {
            self.echo_every = Some(Duration::from_millis((every * 1_000.0) as u64));
        }
        kind
    }

    /// The line at a moment, but for our own uplink.
    fn at(&self, at: Time) -> Condition {
        if place(&self.outages, at).is_some() {
            return self.silent();
        }
        let loss = if place(&self.bad, at).is_some() { self.bad_loss } else { self.good_loss };
        match self.evening.filter(|evening| evening.is_on(at)) {
            Some(evening) => {
                let loss = 1.0 - (1.0 - loss) * (1.0 - evening.loss);
                Condition { rtt: self.rtt + evening.delay, loss }
            }
            None => Condition { rtt: self.rtt, loss },
        }
    }

    const fn silent(&self) -> Condition {
        Condition { rtt: self.rtt, loss: 1.0 }
    }

    fn passage(&self, at: Time) -> Passage {
        let Condition { rtt, loss } = self.at(at);
        if loss >= 1.0 {
            return Passage::Lost;
        }
        let bits = mix(self.seed ^ mix(at.as_millis() as u64));
        if share(bits) < loss {
            // Half of what is lost is lost on the way back.
            return if bits & 1 == 0 { Passage::Lost } else { Passage::LostAnswer };
        }
        // Up to a quarter more.
        let jitter = rtt.as_micros() as f64 / 4.0 * share(mix(bits));
        Passage::There(rtt + Duration::from_micros(jitter as u64))
    }

    /// Moments at which the line may become another one.
    fn turns(&self, uplink: &[Span], until: Time) -> Vec<Time> {
        let spans = self.outages.iter().chain(&self.bad).chain(uplink);
        let mut turns: Vec<Time> = spans.flat_map(|span| [span.from, span.until]).collect();
        turns.push(BEGINNING);
        if let Some(evening) = self.evening {
            let days = 0..=until.as_millis() / DAY_MS;
            turns.extend(days.flat_map(|day| {
                [EVENING.0, EVENING.1].map(|hour| Time::from_millis(day * DAY_MS + hour * HOUR_MS - evening.offset_ms))
            }));
        }
        turns.retain(|&at| at >= BEGINNING && at < until);
        turns.sort_unstable();
        turns.dedup();
        turns
    }
}

impl Evening {
    const fn is_on(&self, at: Time) -> bool {
        let hour = (at.as_millis() + self.offset_ms).rem_euclid(DAY_MS) / HOUR_MS;
        EVENING.0 <= hour && hour < EVENING.1
    }
}

/// The monitor's own mishaps, one at a time: what would begin in another one does not happen.
fn absences(climate: &Climate, until: Time, dice: &impl Fn(Chance, usize) -> Dice) -> Vec<Absence> {
    let mut all: Vec<Absence> = Vec::new();
    let kinds =
        [(Leave::Stopped, &climate.restart), (Leave::Crashed, &climate.crash), (Leave::Suspended, &climate.suspension)];
    for (number, (kind, trouble)) in kinds.into_iter().enumerate() {
        let spells = trouble.spells(&mut dice(Chance::Absence, number), until);
        all.extend(spells.into_iter().map(|span| Absence { span, kind }));
    }
    all.sort_by_key(|absence| absence.span.from);
    let mut free_from = BEGINNING;
    all.retain(|absence| {
        let fits = absence.span.from > free_from;
        if fits {
            free_from = absence.span.until;
        }
        fits
    });
    all
}

/// One who asks: what a monitor hears of the world. Boxes that limit their echoes remember it, and it alone.
#[derive(Clone, Debug)]
pub struct Asker {
    weather: Arc<Weather>,
    /// When each box last answered.
    answered: Vec<Option<Time>>,
}

impl Asker {
    /// One who has not asked anybody yet.
    #[must_use]
    pub fn new(weather: Arc<Weather>) -> Self {
        let answered = vec![None; weather.fleet.devices()];
        Self { weather, answered }
    }

    /// What becomes of an echo to a device. Each device is asked in order of time.
    pub fn ask(&mut self, device: usize, at: Time) -> Fate {
        let passage = self.weather.passage(device, at);
        let answer = match passage {
            Passage::Unsent => return Fate::Unsent,
            Passage::Lost => return Fate::Lost,
            Passage::LostAnswer => Fate::Lost,
            Passage::There(rtt) => Fate::Answered(rtt),
        };
        if let Some(every) = self.weather.lines[device].echo_every {
            let last = &mut self.answered[device];
            if last.is_some_and(|last| at.since(last) < every) {
                return Fate::Lost;
            }
            *last = Some(at);
        }
        answer
    }
}

impl World for Asker {
    fn fate(&mut self, line: usize, method: Method, at: Time) -> Fate {
        match method {
            Method::Icmp => self.ask(line, at),
            Method::Snmp => Fate::Lost,
        }
    }
}
