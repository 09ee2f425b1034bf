//! Nagios Core, and Icinga 2 with its own settings: a host check by ping.
//!
//! - The host check is `check_ping` with five packets; all lost is CRITICAL, and that is a host that is not UP.
//! - A first failure makes a SOFT state, checked again each `retry_interval`; the `max_check_attempts`th in a row makes
//!   it HARD, and that notifies (documentation, "State types").
//! - A host whose parents are all not UP is UNREACHABLE and not DOWN ("Network reachability"); with notification options
//!   `d,r` nobody is told. Parents are checked on demand when a child fails, so they are checked often here.
//! - Flapping: of the last 21 checks, each change of state counts from 0.8 for the oldest to 1.2 for the newest, as a
//!   share of 20. Notifications are held back from the high threshold on until it is below the low one ("State
//!   flapping").
//! - `notification_interval` 0: one notification a problem, and one at the recovery of a problem that was notified.
//! - State retention: saved at a stop, and each hour; a crash goes on with what was saved last.

use super::site::{Downs, Notes, Ping, Report, Rota, Site, any_of, is_down, judge_all};
use core::time::Duration;
use ntuwatch::domain::time::Time;
use ntuwatch::story::weather::{BEGINNING, Leave, Span};

/// Packets of one check.
const PACKETS: u64 = 5;
/// Checks that flap detection remembers.
const HISTORY: usize = 21;
/// `retention_update_interval`, by default an hour.
const RETENTION: Duration = Duration::from_secs(3_600);
/// How often nodes are checked: on demand by children, hence more often than by themselves.
const NODE_INTERVAL: Duration = Duration::from_secs(60);

/// What one sets on a host.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// `check_interval`.
    pub(crate) check_interval: Duration,
    /// `retry_interval`.
    pub(crate) retry_interval: Duration,
    /// `max_check_attempts`.
    pub(crate) attempts: u32,
    /// Low and high flap threshold in percent, if flaps are detected.
    pub(crate) flapping: Option<(f64, f64)>,
}

impl Settings {
    /// The host template `linux-server` of the sample configuration, with the sample's thresholds.
    pub(crate) const NAGIOS: Self = Self {
        check_interval: Duration::from_secs(300),
        retry_interval: Duration::from_secs(60),
        attempts: 10,
        flapping: Some((5.0, 20.0)),
    };
    /// Icinga 2: a check each minute as its `generic-host` has it, ten attempts, flap detection off as by default.
    pub(crate) const ICINGA: Self = Self {
        check_interval: Duration::from_secs(60),
        retry_interval: Duration::from_secs(60),
        attempts: 10,
        flapping: None,
    };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Up,
    Down,
    Unreachable,
}

#[derive(Clone, Debug)]
struct Host {
    state: State,
    hard: bool,
    attempt: u32,
    /// Oldest first.
    history: [State; HISTORY],
    flapping: bool,
    /// The problem was notified.
    notified: bool,
    /// It was notified, and its recovery was held back.
    owes_recovery: bool,
}

/// Runs it over all devices.
pub(crate) fn judge(site: &Site, settings: &Settings, ping: Ping<'_>) -> Report {
    judge_all(site, |notes, above| watch(site, settings, notes, above, ping))
}

fn watch(site: &Site, settings: &Settings, notes: &mut Notes, above: &Downs, ping: Ping<'_>) -> Downs {
    let device = notes.device();
    let usual = if site.parents[device].is_some() { settings.check_interval } else { NODE_INTERVAL };
    let mut rota = Rota::new(site, device, usual);
    let mut host = Host::new();
    let mut saved = (BEGINNING, host.clone());
    let mut downs = Downs::new();
    let mut down_since: Option<Time> = None;
    loop {
        while let Some(absence) = rota.absence() {
            match absence.kind {
                Leave::Stopped | Leave::Suspended => {}
                Leave::Crashed => host = saved.1.clone(),
            }
        }
        if !rota.goes_on() {
            downs.extend(down_since.map(|from| Span { from, until: site.until }));
            return downs;
        }
        if rota.due.since(saved.0) >= RETENTION {
            saved = (rota.due, host.clone());
        }
        let answered = any_of(PACKETS, device, rota.due, ping);
        let at = rota.due + Duration::from_secs(PACKETS);
        let state = match (answered, is_down(above, at)) {
            (true, _) => State::Up,
            (false, false) => State::Down,
            (false, true) => State::Unreachable,
        };
        host.checked(state, settings, at, notes);
        match (down_since, state) {
            (None, State::Down | State::Unreachable) => down_since = Some(at),
            (Some(from), State::Up) => {
                downs.push(Span { from, until: at });
                down_since = None;
            }
            (None, State::Up) | (Some(_), State::Down | State::Unreachable) => {}
        }
        rota.due = rota.due + if host.hard { usual } else { settings.retry_interval };
    }
}

impl Host {
    const fn new() -> Self {
        Self {
            state: State::Up,
            hard: true,
            attempt: 1,
            history: [State::Up; HISTORY],
            flapping: false,
            notified: false,
            owes_recovery: false,
        }
    }

    fn checked(&mut self, state: State, settings: &Settings, at: Time, notes: &mut Notes) {
        let was_problem = self.hard && self.state != State::Up;
        match state {
            State::Up => (self.hard, self.attempt) = (true, 1),
            State::Down | State::Unreachable => {
                self.attempt = if self.state == State::Up { 1 } else { (self.attempt + 1).min(settings.attempts) };
                self.hard = self.attempt >= settings.attempts;
            }
        }
        self.state = state;
        let stopped_flapping = self.note_flapping(settings);
        match state {
            State::Up if was_problem && self.notified => {
                self.owes_recovery = self.flapping;
                self.notified = false;
                notes.clear(at, !self.flapping);
            }
            State::Up if stopped_flapping && self.owes_recovery => {
                self.owes_recovery = false;
                notes.clear(at, true);
            }
            State::Down if self.hard && !self.notified && !self.flapping => {
                self.notified = true;
                self.owes_recovery = false;
                notes.raise(at);
            }
            // A crash may have made it forget the problem.
            State::Up => notes.clear(at, false),
            State::Down | State::Unreachable => {}
        }
    }

    /// Takes the latest state into the history, and tells whether flapping is over by it.
    fn note_flapping(&mut self, settings: &Settings) -> bool {
        self.history.rotate_left(1);
        self.history[HISTORY - 1] = self.state;
        let Some((low, high)) = settings.flapping else { return false };
        let share = percent_changed(&self.history);
        let was = self.flapping;
        self.flapping = if was { share >= low } else { share >= high };
        was && !self.flapping
    }
}

/// The weighted share of changes in the history.
fn percent_changed(history: &[State; HISTORY]) -> f64 {
    let steps = (HISTORY - 2) as f64;
    let weights = history.windows(2).enumerate().filter(|(_, pair)| pair[0] != pair[1]);
    let changes: f64 = weights.map(|(place, _)| 0.8 + 0.4 * place as f64 / steps).sum();
    changes * 100.0 / (HISTORY - 1) as f64
}
