//! Which centre has the shift, as the coming days will have it: made anew as they go by, and when the wall clock is set.

use crate::config::Config;
use crate::domain::desk::Roster;
use crate::domain::plan::Plan;
use crate::domain::time::Time;
use std::time::Duration;

/// How far the roster reaches back and ahead. Every centre has a shift within a week, so who has it now is in there.
const REACH: Duration = Duration::from_secs(9 * 24 * 3_600);
/// How often it is made anew.
pub(super) const RENEW_EVERY: Duration = Duration::from_secs(24 * 3_600);

/// The plan with its roster, on the timeline, of which the wall clock is `offset_ms` ahead.
pub(super) fn plan(config: &Config, now: Time, offset_ms: i64) -> Plan {
    Plan { roster: unix_roster(config, now, offset_ms), ..config.plan.clone() }.on_timeline(offset_ms)
}

/// The roster around `now`, on the timeline.
pub(super) fn roster(config: &Config, now: Time, offset_ms: i64) -> Roster {
    let shown = unix_roster(config, now, offset_ms).into_iter();
    shown.map(|(at, centre)| (Time::from_millis(at.as_millis() - offset_ms), centre)).collect()
}

fn unix_roster(config: &Config, now: Time, offset_ms: i64) -> Roster {
    let (now, reach) = (now.as_millis().saturating_add(offset_ms), REACH.as_millis() as i64);
    config.shifts.roster(now.saturating_sub(reach), now.saturating_add(reach))
}
