//! Zabbix: a simple check `icmpping` with a trigger on it.
//!
//! - `icmpping` is 1 if at least one of three packets is answered (manual, "Simple checks"; three is fping's count by
//!   default, a second apart). The template "ICMP Ping" asks every minute.
//! - The node's trigger is the template's "Unavailable by ICMP ping": `max(#3)=0`.
//! - The unit's is `max(10m)=0`, over the values that there are: those of the last ten minutes, be they few.
//! - Triggers without functions of time are calculated when a value arrives (manual, "Triggers"). Without a server there
//!   is no value. Values and the triggers' states are in the database and survive it.
//! - A dependent trigger does not change its state while the one it depends on is in the state PROBLEM (manual, "Trigger
//!   dependencies"). One operation at PROBLEM, one at recovery.

use super::site::{Downs, Notes, Ping, Report, Rota, Site, any_of, judge_all};
use core::time::Duration;
use ntuwatch::domain::time::Time;
use ntuwatch::story::weather::Span;
use std::collections::VecDeque;

/// Packets of one check.
const PACKETS: u64 = 3;
/// Values that the node's trigger looks at.
const LAST_VALUES: usize = 3;

/// What one sets on items and triggers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// The item's update interval.
    pub(crate) interval: Duration,
    /// The window of the unit's trigger.
    pub(crate) window: Duration,
    /// Whether the unit's trigger depends on its node's.
    pub(crate) dependency: bool,
}

impl Settings {
    /// The template's interval, and ten minutes for the units.
    pub(crate) const TEN_MINUTES: Self =
        Self { interval: Duration::from_secs(60), window: Duration::from_secs(600), dependency: true };
}

/// Runs it over all devices.
pub(crate) fn judge(site: &Site, settings: &Settings, ping: Ping<'_>) -> Report {
    judge_all(site, |notes, above| watch(site, settings, notes, above, ping))
}

fn watch(site: &Site, settings: &Settings, notes: &mut Notes, above: &Downs, ping: Ping<'_>) -> Downs {
    let device = notes.device();
    let is_unit = site.parents[device].is_some();
    let mut rota = Rota::new(site, device, settings.interval);
    let mut values: VecDeque<(Time, bool)> = VecDeque::new();
    let mut problem_since: Option<Time> = None;
    let mut downs = Downs::new();
    loop {
        while rota.absence().is_some() {}
        if !rota.goes_on() {
            downs.extend(problem_since.map(|from| Span { from, until: site.until }));
            return downs;
        }
        let at = rota.due;
        rota.due = at + settings.interval;
        values.push_back((at, any_of(PACKETS, device, at, ping)));
        let at = at + Duration::from_secs(PACKETS);
        let enough = if is_unit {
            while values.front().is_some_and(|(value, _)| *value + settings.window <= at) {
                values.pop_front();
            }
            true
        } else {
            values.drain(..values.len().saturating_sub(LAST_VALUES));
            values.len() == LAST_VALUES
        };
        let problem = enough && values.iter().all(|(_, answered)| !answered);
        if settings.dependency && super::site::is_down(above, at) {
            continue;
        }
        match (problem_since, problem) {
            (None, true) => {
                problem_since = Some(at);
                notes.raise(at);
            }
            (Some(from), false) => {
                problem_since = None;
                notes.clear(at, true);
                downs.push(Span { from, until: at });
            }
            (None, false) | (Some(_), true) => {}
        }
    }
}
