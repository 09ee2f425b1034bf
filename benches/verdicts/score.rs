//! What the truth says of a judge's alarms.

use super::site::{Alarm, Report};
use core::time::Duration;
use ntuwatch::domain::time::Time;
use ntuwatch::story::weather::{BEGINNING, Span, Weather};

/// An alarm is false if there was no outage of this length ...
const TRUE_OUTAGE: Duration = Duration::from_secs(60);
/// ... within this time before it.
const LOOK_BACK: Duration = Duration::from_secs(600);
/// An outage of which one could see this much must have its alarm.
pub(crate) const MUST: Duration = Duration::from_secs(600);
/// From here on there is no excuse for an interval between checks.
pub(crate) const LONG: Duration = Duration::from_secs(900);
/// An alarm may come this much after the end of the outage.
const LATE: Duration = Duration::from_secs(60);
/// What counts are given for.
const UNIT_MONTHS: f64 = 10_000.0;
const MONTH_MS: f64 = 30.0 * 86_400_000.0;

/// The score of one judge.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Score {
    /// Unit-months that were watched.
    pub(crate) unit_months: f64,
    /// Alarms without an outage.
    pub(crate) false_alarms: u64,
    /// Alarms with shorter outages only than make a fault.
    pub(crate) hasty: u64,
    /// Outages that must have their alarm: of less than [`LONG`], and of more.
    pub(crate) outages: [u64; 2],
    /// Those that have none, nor has their node.
    pub(crate) missed: [u64; 2],
    /// Those that have none, but their node has: the operator was told, the customer was not.
    pub(crate) under_node: u64,
    /// From the true beginning to the alarm, where none stood before.
    pub(crate) delays: Vec<Duration>,
    /// Letters to customers.
    pub(crate) letters: u64,
}

impl Score {
    /// Compares a report with the truth.
    pub(crate) fn of(report: &Report, weather: &Weather) -> Self {
        let fleet = weather.fleet();
        let lived = weather.until().since(BEGINNING).as_millis() as f64 / MONTH_MS;
        let mut score = Self { unit_months: lived * fleet.units() as f64, letters: report.letters, ..Self::default() };
        let mut by_device: Vec<Vec<&Alarm>> = vec![Vec::new(); fleet.devices()];
        for alarm in &report.alarms {
            by_device[alarm.device].push(alarm);
        }
        for unit in 0..fleet.units() {
            for alarm in &by_device[unit] {
                let before = Span { from: alarm.raised - LOOK_BACK, until: alarm.raised };
                if !weather.was_out(unit, &before, TRUE_OUTAGE) {
                    score.false_alarms += 1;
                } else if !weather.was_out(unit, &before, MUST) {
                    score.hasty += 1;
                }
            }
            for outage in weather.outages(unit) {
                let seen = Span { from: outage.from, until: outage.until.min(weather.until()) };
                score.look(&seen, weather.visible(&seen), &by_device[unit], || {
                    fleet.upstream(unit).is_some_and(|node| stands(&by_device[node], &seen).is_some())
                });
            }
        }
        score
    }

    fn look(&mut self, outage: &Span, visible: Duration, alarms: &[&Alarm], under_node: impl Fn() -> bool) {
        if visible < MUST {
            return;
        }
        let class = usize::from(visible >= LONG);
        self.outages[class] += 1;
        match stands(alarms, outage) {
            Some(alarm) if alarm.raised >= outage.from => self.delays.push(alarm.raised.since(outage.from)),
            Some(_) => {}
            None if under_node() => self.under_node += 1,
            None => self.missed[class] += 1,
        }
    }

    /// Takes in what came of another world.
    pub(crate) fn add(&mut self, other: &Self) {
        self.unit_months += other.unit_months;
        self.false_alarms += other.false_alarms;
        self.hasty += other.hasty;
        for class in 0..2 {
            self.outages[class] += other.outages[class];
            self.missed[class] += other.missed[class];
        }
        self.under_node += other.under_node;
        self.delays.extend_from_slice(&other.delays);
        self.letters += other.letters;
    }

    /// For 10,000 unit-months.
    pub(crate) fn rate(&self, count: u64) -> f64 {
        count as f64 * UNIT_MONTHS / self.unit_months
    }

    /// The delay that this share of detected outages does not exceed.
    pub(crate) fn delay(&self, share: f64) -> Option<Duration> {
        let mut delays = self.delays.clone();
        delays.sort_unstable();
        let place = (delays.len() as f64 * share).ceil() as usize;
        delays.get(place.saturating_sub(1)).copied()
    }

    /// Letters for each outage that must have its alarm.
    pub(crate) fn letters_an_outage(&self) -> f64 {
        self.letters as f64 / (self.outages[0] + self.outages[1]).max(1) as f64
    }
}

/// The first alarm that stood during the outage, or came right after it.
fn stands<'a>(alarms: &[&'a Alarm], outage: &Span) -> Option<&'a Alarm> {
    let until: Time = outage.until + LATE;
    alarms.iter().find(|alarm| alarm.raised < until && alarm.span().until > outage.from).copied()
}
