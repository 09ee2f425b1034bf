//! What every model is told of the world, and what it has to say at the end.

use core::time::Duration;
use ntuwatch::domain::time::Time;
use ntuwatch::story::weather::{Absence, BEGINNING, Leave, Span};

/// Whom a monitor watches, and when it runs.
pub(crate) struct Site {
    /// Of each device the one that it is reached through. Devices without one are nodes.
    pub(crate) parents: Vec<Option<usize>>,
    /// When the monitor does not run, in order.
    pub(crate) absences: Vec<Absence>,
    /// When it all ends.
    pub(crate) until: Time,
}

/// Whether one echo to a device at a time is answered. Each device is asked in order of time.
pub(crate) type Ping<'a> = &'a mut dyn FnMut(usize, Time) -> bool;

/// An alarm that a customer, or for a node the operator, was told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Alarm {
    /// About which device.
    pub(crate) device: usize,
    /// When the letter went out.
    pub(crate) raised: Time,
    /// When the monitor held it for over, whether or not it said so.
    pub(crate) cleared: Option<Time>,
}

impl Alarm {
    /// While it stood.
    pub(crate) fn span(&self) -> Span {
        Span { from: self.raised, until: self.cleared.unwrap_or(Time::from_millis(i64::MAX)) }
    }
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// All alarms, of one device in order of time.
    pub(crate) alarms: Vec<Alarm>,
    /// Letters about devices that have a parent.
    pub(crate) letters: u64,
}

/// What a model notes of one device.
pub(crate) struct Notes {
    device: usize,
    alarms: Vec<Alarm>,
    letters: u64,
}

impl Notes {
    pub(crate) const fn new(device: usize) -> Self {
        Self { device, alarms: Vec::new(), letters: 0 }
    }

    /// A letter goes out that says that the device is down.
    pub(crate) fn raise(&mut self, at: Time) {
        self.letters += 1;
        if self.is_over() {
            self.alarms.push(Alarm { device: self.device, raised: at, cleared: None });
        }
    }

    /// The device is no longer held for down.
    pub(crate) fn clear(&mut self, at: Time, with_letter: bool) {
        if let Some(alarm) = self.alarms.last_mut().filter(|alarm| alarm.cleared.is_none()) {
            alarm.cleared = Some(at);
        }
        self.letters += u64::from(with_letter);
    }

    fn is_over(&self) -> bool {
        self.alarms.last().is_none_or(|alarm| alarm.cleared.is_some())
    }
}

/// When a node is held for down, in order: what its children's judge asks.
pub(crate) type Downs = Vec<Span>;

/// Whether the node was held for down at `at`.
pub(crate) fn is_down(downs: &Downs, at: Time) -> bool {
    let place = downs.partition_point(|down| down.from <= at);
    place.checked_sub(1).is_some_and(|place| at < downs[place].until)
}

/// Judges nodes first, then those below them, each with what its node was held for.
pub(crate) fn judge_all(site: &Site, mut judge: impl FnMut(&mut Notes, &Downs) -> Downs) -> Report {
    let mut report = Report::default();
    let mut downs: Vec<Downs> = vec![Downs::new(); site.parents.len()];
    let none = Downs::new();
    let (units, nodes): (Vec<usize>, Vec<usize>) =
        (0..site.parents.len()).partition(|&device| site.parents[device].is_some());
    for device in nodes.into_iter().chain(units) {
        let mut notes = Notes::new(device);
        let above = site.parents[device].map_or(&none, |parent| &downs[parent]);
        let own = judge(&mut notes, above);
        downs[device] = own;
        report.alarms.append(&mut notes.alarms);
        if site.parents[device].is_some() {
            report.letters += notes.letters;
        }
    }
    report
}

impl Notes {
    /// Which device they are about.
    pub(crate) const fn device(&self) -> usize {
        self.device
    }
}

/// The place of a device's checks in their interval, so that not all are made at once.
pub(crate) fn phase(device: usize, interval: Duration) -> Duration {
    let fraction = (device as u32).wrapping_mul(0x9E37_79B9);
    interval.mul_f64(f64::from(fraction) / f64::from(u32::MAX)).max(Duration::from_millis(1))
}

/// The times of a device's checks, with the monitor's absences between them.
pub(crate) struct Rota<'a> {
    absences: &'a [Absence],
    phase: Duration,
    /// The next check.
    pub(crate) due: Time,
    until: Time,
}

impl<'a> Rota<'a> {
    pub(crate) fn new(site: &'a Site, device: usize, interval: Duration) -> Self {
        let phase = phase(device, interval);
        Self { absences: &site.absences, phase, due: BEGINNING + phase, until: site.until }
    }

    /// An absence that begins before the next check: it is then that the monitor forgets what it does not keep. After
    /// it the checks go on: at once if they were overdue in a monitor that was only suspended, spread over the
    /// interval after a start.
    pub(crate) fn absence(&mut self) -> Option<Absence> {
        let (first, rest) = self.absences.split_first()?;
        if first.span.from > self.due {
            return None;
        }
        self.absences = rest;
        self.due = match first.kind {
            Leave::Suspended => self.due.max(first.span.until),
            Leave::Stopped | Leave::Crashed => first.span.until + self.phase,
        };
        Some(*first)
    }

    /// Whether there is another check.
    pub(crate) fn goes_on(&self) -> bool {
        self.due < self.until
    }
}

/// Whether any of `count` echoes, a second apart, is answered. All of them are sent.
pub(crate) fn any_of(count: u64, device: usize, at: Time, ping: Ping<'_>) -> bool {
    (0..count).filter(|&number| ping(device, at + Duration::from_secs(number))).count() > 0
}
