//! Prometheus with the blackbox exporter, and Alertmanager.
//!
//! - A scrape makes one echo; the rule is `probe_success == 0` with `for: 10m`, evaluated as often ("Alerting rules").
//! - A sample older than five minutes is stale, and the expression has no value then ("Querying basics").
//! - The second evaluation after a start restores alerts: one that was pending waits at least `for-grace-period` from
//!   then, ten minutes by default, so that with `for: 10m` it starts anew. One that fired fires again at once, if
//!   Prometheus was away for no longer than `for-outage-tolerance`, one hour (`rules/group.go`, `RestoreForState`).
//! - Alertmanager sends a new group's letter after `group_wait` (30 s), then looks every `group_interval` (5 min) for
//!   alerts that are resolved, and repeats after `repeat_interval` (4 h): defaults of "Configuration". Grouped by
//!   instance, for each unit has its own reader; `send_resolved` is on.
//! - It keeps what it sent (the notification log) over a restart, not the alerts: one that is over by then is never said to
//!   be resolved. It runs on the same machine, and is away when Prometheus is.
//! - Nothing depends on anything, but an inhibition rule can mute a unit's alert while its node's fires.

use super::site::{Downs, Notes, Ping, Report, Site, is_down, judge_all, phase};
use core::time::Duration;
use ntuwatch::domain::time::Time;
use ntuwatch::story::weather::{Absence, BEGINNING, Leave, Span};

/// `--query.lookback-delta`.
const STALE_AFTER: Duration = Duration::from_secs(300);
/// `--rules.alert.for-outage-tolerance`.
const OUTAGE_TOLERANCE: Duration = Duration::from_secs(3_600);
/// Evaluations after a start until alerts are restored.
const RESTORED_AFTER: u32 = 2;

/// What one writes into `prometheus.yml` and `alertmanager.yml`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// `scrape_interval` and `evaluation_interval`.
    pub(crate) interval: Duration,
    /// `for` of the units' rule.
    pub(crate) hold: Duration,
    /// `for` of the nodes' rule.
    pub(crate) node_hold: Duration,
    /// `group_wait`.
    pub(crate) group_wait: Duration,
    /// `group_interval`.
    pub(crate) group_interval: Duration,
    /// `repeat_interval`.
    pub(crate) repeat_interval: Duration,
    /// Whether a node's alert inhibits those of its units.
    pub(crate) inhibit: bool,
}

impl Settings {
    /// Defaults, and ten minutes for the units.
    pub(crate) const TEN_MINUTES: Self = Self {
        interval: Duration::from_secs(15),
        hold: Duration::from_secs(600),
        node_hold: Duration::from_secs(120),
        group_wait: Duration::from_secs(30),
        group_interval: Duration::from_secs(300),
        repeat_interval: Duration::from_secs(4 * 3_600),
        inhibit: false,
    };
    /// The same with an inhibition rule.
    pub(crate) const INHIBITED: Self = Self { inhibit: true, ..Self::TEN_MINUTES };
}

/// An alert in Prometheus.
#[derive(Default)]
struct Alert {
    last: Option<(Time, bool)>,
    active_since: Option<Time>,
    /// Before the last start: since when it was active, and when Prometheus went away.
    before: Option<(Time, Time)>,
    /// Evaluations since the last start.
    evaluations: u32,
}

/// Its group in Alertmanager.
#[derive(Default)]
struct Group {
    flush_at: Option<Time>,
    /// When a letter went out that said that it fires. Kept over a restart.
    notified_at: Option<Time>,
    /// The notification is of before the last start.
    forgotten: bool,
}

/// Runs it over all devices.
pub(crate) fn judge(site: &Site, settings: &Settings, ping: Ping<'_>) -> Report {
    judge_all(site, |notes, above| watch(site, settings, notes, above, ping))
}

fn watch(site: &Site, settings: &Settings, notes: &mut Notes, above: &Downs, ping: Ping<'_>) -> Downs {
    let device = notes.device();
    let hold = if site.parents[device].is_some() { settings.hold } else { settings.node_hold };
    let (mut alert, mut group) = (Alert::default(), Group::default());
    let (mut downs, mut firing_since) = (Downs::new(), None);
    let mut absences = site.absences.as_slice();
    let mut scrape = BEGINNING + phase(device, settings.interval);
    let mut evaluation = BEGINNING + settings.interval;
    loop {
        let mut at = scrape.min(evaluation);
        while let Some((absence, rest)) = absences.split_first().filter(|(absence, _)| absence.span.from <= at) {
            absences = rest;
            alert.left(absence);
            group.left(absence);
            while scrape < absence.span.until {
                scrape = scrape + settings.interval;
            }
            while evaluation < absence.span.until {
                evaluation = evaluation + settings.interval;
            }
            at = scrape.min(evaluation);
        }
        if at >= site.until {
            downs.extend(firing_since.map(|from| Span { from, until: site.until }));
            return downs;
        }
        if scrape <= evaluation {
            alert.last = Some((scrape, ping(device, scrape)));
            scrape = scrape + settings.interval;
            continue;
        }
        evaluation = evaluation + settings.interval;
        let firing = alert.evaluate(at, hold);
        match (firing_since, firing) {
            (None, true) => firing_since = Some(at),
            (Some(from), false) => {
                downs.push(Span { from, until: at });
                firing_since = None;
            }
            (None, false) | (Some(_), true) => {}
        }
        let muted = settings.inhibit && is_down(above, at);
        group.forget(firing, &alert, at, notes);
        group.look(firing, muted, at, settings, notes);
    }
}

impl Alert {
    fn left(&mut self, absence: &Absence) {
        match absence.kind {
            Leave::Suspended => {}
            Leave::Stopped | Leave::Crashed => {
                let since = self.active_since.take().or(self.before.map(|(since, _)| since));
                self.before = since.map(|since| (since, absence.span.from));
                self.evaluations = 0;
            }
        }
    }

    /// Whether it fires.
    fn evaluate(&mut self, at: Time, hold: Duration) -> bool {
        let fails = self.last.is_some_and(|(taken, answered)| !answered && at.since(taken) < STALE_AFTER);
        self.evaluations = self.evaluations.saturating_add(1);
        let before = self.before;
        if fails || self.evaluations >= RESTORED_AFTER {
            self.before = None;
        }
        if !fails {
            self.active_since = None;
            return false;
        }
        let since = *self.active_since.get_or_insert_with(|| match before {
            Some((since, left)) if left.since(since) >= hold && at.since(left) <= OUTAGE_TOLERANCE => since,
            Some(_) | None => at,
        });
        at.since(since) >= hold
    }
}

impl Group {
    const fn left(&mut self, absence: &Absence) {
        match absence.kind {
            Leave::Suspended => {}
            Leave::Stopped | Leave::Crashed => {
                self.flush_at = None;
                self.forgotten = self.notified_at.is_some();
            }
        }
    }

    /// After a start nobody knows of an alert that does not fire again.
    fn forget(&mut self, firing: bool, alert: &Alert, at: Time, notes: &mut Notes) {
        if firing {
            self.forgotten = false;
        } else if self.forgotten && alert.evaluations >= RESTORED_AFTER {
            *self = Self::default();
            notes.clear(at, false);
        }
    }

    fn look(&mut self, firing: bool, muted: bool, at: Time, settings: &Settings, notes: &mut Notes) {
        if firing && self.flush_at.is_none() {
            self.flush_at = Some(at + settings.group_wait);
        }
        let Some(due) = self.flush_at.filter(|&due| due <= at) else { return };
        let repeats = self.notified_at.is_none_or(|last| at.since(last) >= settings.repeat_interval);
        if firing {
            self.flush_at = Some(due.max(at - settings.group_interval) + settings.group_interval);
            if repeats && !muted {
                self.notified_at = Some(at);
                notes.raise(at);
            }
        } else {
            if self.notified_at.is_some() {
                notes.clear(at, !muted);
            }
            *self = Self::default();
        }
    }
}
