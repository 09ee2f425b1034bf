//! Uptime Kuma: a monitor of type "ping".
//!
//! - One echo each heartbeat interval (60 s by default; `PING_COUNT_DEFAULT` is 1 in its `util.ts`).
//! - A failed beat is PENDING while retries are left, asked again after the retry interval, and DOWN then; the first
//!   beat that fails takes the first retry (`server/model/monitor.js`).
//! - Only UP or PENDING to DOWN, and DOWN to UP, are "important" and notify; "resend" is off by default.
//! - The last beat with its count of retries is in the database, so a restart goes on with it.
//! - Monitors know of no parents; a group tells only how its members are.

use super::site::{Downs, Notes, Ping, Report, Rota, Site, judge_all};
use core::time::Duration;

/// What one sets on the monitor's page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// Heartbeat interval.
    pub(crate) interval: Duration,
    /// Heartbeat retry interval.
    pub(crate) retry_interval: Duration,
    /// Retries.
    pub(crate) retries: u32,
}

impl Settings {
    /// The default intervals, and as many retries as make ten minutes.
    pub(crate) const TEN_MINUTES: Self =
        Self { interval: Duration::from_secs(60), retry_interval: Duration::from_secs(60), retries: 10 };
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Beat {
    Up,
    Pending,
    Down,
}

/// Runs it over all devices.
pub(crate) fn judge(site: &Site, settings: &Settings, ping: Ping<'_>) -> Report {
    judge_all(site, |notes, _| {
        watch(site, settings, notes, ping);
        Downs::new()
    })
}

fn watch(site: &Site, settings: &Settings, notes: &mut Notes, ping: Ping<'_>) {
    let device = notes.device();
    let mut rota = Rota::new(site, device, settings.interval);
    let (mut last, mut retries) = (Beat::Up, 0);
    loop {
        while rota.absence().is_some() {}
        if !rota.goes_on() {
            return;
        }
        let at = rota.due;
        let beat = if ping(device, at) {
            retries = 0;
            Beat::Up
        } else if retries < settings.retries {
            retries += 1;
            Beat::Pending
        } else {
            Beat::Down
        };
        match (last, beat) {
            (Beat::Up | Beat::Pending, Beat::Down) => notes.raise(at),
            (Beat::Down, Beat::Up) => notes.clear(at, true),
            (Beat::Up | Beat::Pending, Beat::Up | Beat::Pending) | (Beat::Down, Beat::Pending | Beat::Down) => {}
        }
        last = beat;
        rota.due = at + if beat == Beat::Pending { settings.retry_interval } else { settings.interval };
    }
}
