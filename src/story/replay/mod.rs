//! Replay: the recorded past once more through the same core, under other settings.
//!
//! The ledger and the strips of the store make a world: where they say LOSS, probes are lost; where they say that nobody
//! could see the line, our own machine cannot send; else lines answer, as the strip has it if that is there. Two cores
//! watch this world, one by the settings in force and one by the new ones, and their cases are compared. What the world
//! gets wrong it gets wrong for both.
//!
//! Reading order: `cast` (who takes part), `record` (the world), `cases` (the difference), `print`.

mod cases;
mod cast;
mod print;
mod record;
#[cfg(test)]
mod tests;

pub use cases::{Change, Opened, opened};
pub use cast::{Cast, Survey};
pub use print::print;
pub use record::Record;

use super::sim::Sim;
use crate::domain::desk::{Case, Matrix, TierPledges};
use crate::domain::maintenance::{Maintenance, Origin, Stage};
use crate::domain::plan::Plan;
use crate::domain::time::{Calendar, Time};
use record::Past;
use std::sync::Arc;
use std::time::Duration;

/// The replay begins so much earlier than what is wanted of it: a case whose stability window still runs then is a case
/// in the replay too.
pub const WARM_UP: Duration = Duration::from_secs(72 * 3_600);
/// How often what the simulation has noted is thrown away.
const STRETCH: Duration = Duration::from_secs(3_600);

/// What the replay is to compare.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The plans in force and the new one, their maintenance in Unix time.
    pub plans: [&'a Plan; 2],
    /// Cases that are opened from here on count.
    pub since: Time,
    /// What wall clocks showed.
    pub calendar: &'a Calendar,
    /// Maintenance as it was recorded.
    pub works: &'a [Maintenance],
    /// Cases as they were recorded.
    pub recorded: &'a [Case],
}

/// What came of a replay.
#[derive(Clone, Debug)]
pub struct Report {
    /// What was asked for.
    pub asked_since: Time,
    /// Cases that were opened from here on count: nothing is recorded before.
    pub since: Time,
    /// The end of the record.
    pub until: Time,
    /// Units that took part.
    pub units: usize,
    /// Units that did not: nothing is recorded of them that could open a case.
    pub left_out: usize,
    /// Cases under the settings in force.
    pub before: usize,
    /// Cases under the new ones.
    pub after: usize,
    /// The difference, in the order of time.
    pub changes: Vec<Change>,
    /// Cases that the watch opened in fact.
    pub recorded: usize,
    /// Recorded cases that the first run has as well.
    pub reproduced: usize,
    /// Recorded cases by what SNMP agents told. That is not recorded, so no run can have them.
    pub unrepeatable: usize,
}

/// Runs the past under both plans and compares.
#[must_use]
pub fn replay(question: &Question<'_>, cast: &Cast, record: &Record) -> Report {
    let plans = question.plans.map(|plan| stage(plan, question, cast, record));
    let [before, after] = plans.each_ref().map(|plan| run(plan, record, question.since));
    let tolerance = |unit: &str| {
        let of =
            |plan: &Plan| plan.devices.iter().find(|device| device.id == unit).map(|device| device.rules.pace.interval);
        plans.iter().filter_map(of).max().unwrap_or_default()
    };
    let took_part = opened(question.recorded, question.since).into_iter().filter(|case| cast.has(&case.unit));
    let (recorded, unrepeatable): (Vec<Opened>, Vec<Opened>) = took_part.partition(Opened::is_repeatable);
    Report {
        asked_since: question.since,
        since: question.since.max(record.first()),
        until: record.until(),
        units: cast.units(),
        left_out: cast.left_out(),
        before: before.len(),
        after: after.len(),
        reproduced: cases::reproduced(&recorded, &before),
        recorded: recorded.len(),
        unrepeatable: unrepeatable.len(),
        changes: cases::compare(before, after, tolerance),
    }
}

/// The cases that the watch opens under a plan.
fn run(plan: &Plan, record: &Record, since: Time) -> Vec<Opened> {
    if plan.devices.is_empty() {
        return Vec::new();
    }
    let start = record.first().max(since - WARM_UP);
    let mut sim = Sim::in_world(plan.clone(), start, record.world(plan));
    while sim.now() < record.until() {
        sim.run_to((sim.now() + STRETCH).min(record.until()));
        drop(sim.take_facts());
    }
    opened(sim.cases(), since)
}

/// The part of a plan that is replayed: who takes part, without canary and letters, and with the limits and the
/// maintenance that the record can say something about.
fn stage(plan: &Plan, question: &Question<'_>, cast: &Cast, record: &Record) -> Plan {
    let mut maintenance = plan.maintenance.clone();
    for window in &mut maintenance {
        window.from = question.calendar.time_of(window.from.as_millis());
        window.until = question.calendar.time_of(window.until.as_millis());
    }
    let happened = |work: &&Maintenance| match (&work.origin, work.stage) {
        (_, Stage::Active | Stage::Ended) | (Origin::Staff(_), Stage::Planned) => true,
        (Origin::Config, Stage::Planned) | (_, Stage::Cancelled) => false,
    };
    for work in question.works.iter().filter(happened) {
        if maintenance.iter().all(|window| window.id != work.window.id) {
            maintenance.push(work.window.clone());
        }
    }
    Plan {
        customers: Vec::new(),
        devices: cast::stage(&plan.devices, |id| cast.has(id) && record.past(id).is_some_and(Past::is_known)),
        stability: plan.stability,
        pledges: TierPledges::default(),
        escalation: Matrix::default(),
        noc: Vec::new(),
        maintenance,
        canary: None,
        parties: Arc::default(),
        roster: Vec::new(),
        surveys: None,
    }
}
