//! The record of those who take part, and the world that it makes.

use crate::domain::plan::Plan;
use crate::domain::time::Time;
use crate::domain::turn::DeviceRow;
use crate::domain::watch::{CONFIRM_ROUNDS, Cell, Chunk, Interval, Method, Reason, Role, Verdict};
use crate::story::sim::{Fate, World};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The round trip of a device of which none is recorded.
const USUAL: Duration = Duration::from_millis(10);
/// Scheduled rounds come this much too early at the most: twice the resolution of the schedule.
const EARLY: Duration = Duration::from_millis(20);

/// What the store knows of those who take part.
#[derive(Debug)]
pub struct Record {
    until: Time,
    pasts: BTreeMap<String, Arc<Past>>,
}

/// The past of a device.
#[derive(Clone, Debug, Default)]
pub(super) struct Past {
    /// In order; what lies between two is not known.
    stretches: Vec<Stretch>,
    /// In order.
    chunks: Vec<Chunk>,
    usual: Option<Duration>,
}

#[derive(Clone, Copy, Debug)]
struct Stretch {
    from: Time,
    until: Time,
    verdict: Verdict,
    reason: Reason,
}

impl Record {
    /// An empty record that reaches up to `until`.
    #[must_use]
    pub const fn new(until: Time) -> Self {
        Self { until, pasts: BTreeMap::new() }
    }

    fn past_mut(&mut self, device: &str) -> &mut Past {
        Arc::make_mut(self.pasts.entry(device.to_owned()).or_default())
    }

    /// A stretch of a ledger; of each device the oldest first.
    pub fn stretch(&mut self, interval: &Interval) {
        let Interval { from, until, verdict, reason, .. } = *interval;
        self.past_mut(&interval.device).stretches.push(Stretch { from, until, verdict, reason });
    }

    /// A piece of a strip; of each device the oldest first.
    pub fn chunk(&mut self, device: &str, chunk: Chunk) {
        self.past_mut(device).chunks.push(chunk);
    }

    /// What a device is doing now: the stretch that is not in its ledger yet. Comes after the others.
    pub fn present(&mut self, row: &DeviceRow) {
        let (until, evidence) = (self.until, &row.evidence);
        let past = self.past_mut(&row.id);
        past.usual = row.baseline.rtt();
        // A daemon that runs may have closed the stretch since the row was read.
        if past.stretches.last().is_none_or(|last| last.from < evidence.since()) {
            let (verdict, reason) = (evidence.verdict(), evidence.reason());
            past.stretches.push(Stretch { from: evidence.since(), until, verdict, reason });
        }
    }

    /// Its end.
    #[must_use]
    pub const fn until(&self) -> Time {
        self.until
    }

    /// Its beginning.
    pub(super) fn first(&self) -> Time {
        let firsts = self.pasts.values().filter_map(|past| past.stretches.first());
        firsts.map(|stretch| stretch.from).min().unwrap_or(self.until)
    }

    pub(super) fn past(&self, device: &str) -> Option<&Past> {
        self.pasts.get(device).map(Arc::as_ref)
    }

    /// The world for those that a plan watches.
    pub(super) fn world(&self, plan: &Plan) -> Box<dyn World> {
        let of = |id: &str| self.pasts.get(id).cloned().unwrap_or_default();
        let lines = plan.devices.iter().map(|device| {
            let past = of(&device.id);
            let usual = past.usual.or_else(|| past.median()).unwrap_or(USUAL);
            // Before a sentinel was there, nobody missed its answers.
            let before = if matches!(device.role, Role::Sentinel(_)) { Seen::Answered(usual) } else { Seen::Unsent };
            Asked { past, usual, before, interval: device.rules.pace.interval, round_at: None, last: None, lost: 0 }
        });
        Box::new(Recorded { lines: lines.collect() })
    }
}

impl Past {
    /// Whether anything is known of the device.
    pub(super) const fn is_known(&self) -> bool {
        !self.stretches.is_empty()
    }

    fn at(&self, at: Time) -> Option<&Stretch> {
        let later = self.stretches.partition_point(|stretch| stretch.from <= at);
        later.checked_sub(1).and_then(|place| self.stretches.get(place)).filter(|stretch| at < stretch.until)
    }

    fn cell(&self, at: Time) -> Option<Cell> {
        let later = self.chunks.partition_point(|chunk| chunk.from <= at);
        let chunk = later.checked_sub(1).and_then(|place| self.chunks.get(place))?;
        let round = at.since(chunk.from).as_millis() / chunk.interval.as_millis().max(1);
        chunk.cells.get(usize::try_from(round).ok()?).map(|&byte| Cell::from_byte(byte))
    }

    fn median(&self) -> Option<Duration> {
        let cells = self.chunks.iter().flat_map(|chunk| chunk.cells.iter().map(|&byte| Cell::from_byte(byte)));
        let mut answers: Vec<Duration> = cells.filter_map(Cell::rtt).collect();
        let middle = answers.len() / 2;
        (!answers.is_empty()).then(|| *answers.select_nth_unstable(middle).1)
    }
}

/// The world as it was recorded.
#[derive(Debug)]
struct Recorded {
    lines: Vec<Asked>,
}

/// A device's past, and how it is being asked.
#[derive(Debug)]
struct Asked {
    past: Arc<Past>,
    usual: Duration,
    /// What becomes of probes from before the record.
    before: Seen,
    interval: Duration,
    /// When the latest scheduled round was sent.
    round_at: Option<Time>,
    /// The latest probe.
    last: Option<(Time, Seen)>,
    /// Rounds that were lost in a row as part of a LOSS.
    lost: u8,
}

#[derive(Clone, Copy, Debug)]
enum Seen {
    Answered(Duration),
    Rejected(Duration),
    Lost,
    Unsent,
}

impl World for Recorded {
    fn fate(&mut self, line: usize, method: Method, at: Time) -> Fate {
        let seen = self.lines.get_mut(line).map_or(Seen::Unsent, |line| line.ask(at));
        match (seen, method) {
            (Seen::Rejected(rtt), Method::Snmp) => Fate::Rejected(rtt),
            (Seen::Answered(rtt) | Seen::Rejected(rtt), Method::Icmp | Method::Snmp) => Fate::Answered(rtt),
            (Seen::Lost, Method::Icmp | Method::Snmp) => Fate::Lost,
            (Seen::Unsent, Method::Icmp | Method::Snmp) => Fate::Unsent,
        }
    }
}

impl Asked {
    /// All probes of a round meet the same fate.
    fn ask(&mut self, at: Time) -> Seen {
        if let Some((_, seen)) = self.last.filter(|(last, _)| *last == at) {
            return seen;
        }
        let scheduled = self.round_at.is_none_or(|last| at.since(last) + EARLY >= self.interval);
        if scheduled {
            self.round_at = Some(at);
        }
        let seen = self.see(at, scheduled);
        self.last = Some((at, seen));
        seen
    }

    fn see(&mut self, at: Time, scheduled: bool) -> Seen {
        let lost = std::mem::take(&mut self.lost);
        let Some(stretch) = self.past.at(at) else {
            let is_before = self.past.stretches.first().is_none_or(|first| at < first.from);
            return if is_before { self.before } else { Seen::Unsent };
        };
        match stretch.verdict {
            Verdict::Loss => {
                self.lost = lost.saturating_add(1);
                Seen::Lost
            }
            Verdict::Inconclusive | Verdict::Unobserved => Seen::Unsent,
            // The rounds of the replay fall elsewhere than those of the record: a loss that was confirmed then is
            // confirmed now, though it may be over before the re-probes.
            Verdict::Up | Verdict::Degraded if !scheduled && (1..CONFIRM_ROUNDS).contains(&lost) => {
                self.lost = lost + 1;
                Seen::Lost
            }
            Verdict::Up | Verdict::Degraded => self.answer(at, scheduled, stretch.reason),
        }
    }

    /// A line that answers, but for single rounds. The strip has the scheduled ones only: a quick one clears the doubt.
    fn answer(&self, at: Time, scheduled: bool, reason: Reason) -> Seen {
        let cell = if scheduled { self.past.cell(at) } else { None };
        match cell {
            Some(Cell::LOST | Cell::DARK) => Seen::Lost,
            Some(cell) => Seen::Answered(cell.rtt().unwrap_or(self.usual)),
            None if reason == Reason::Rejected => Seen::Rejected(self.usual),
            None => Seen::Answered(self.usual),
        }
    }
}
