//! ntuwatch itself: the real core in a simulated world, with the defaults of a story.

use super::site::{Alarm, Report};
use core::time::Duration;
use ntuwatch::domain::desk::{CaseFact, Priority};
use ntuwatch::domain::fact::Fact;
use ntuwatch::domain::time::Time;
use ntuwatch::story::Sim;
use ntuwatch::story::weather::{Asker, BEGINNING, Change, Leave, Weather};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Facts are taken this often, so that few are held.
const STRETCH: Duration = Duration::from_secs(86_400);
/// That of a story, if it says nothing.
const DOWN_AFTER: Duration = Duration::from_secs(600);

/// Lets it watch the fleet, and notes P1 cases and the letters about them.
pub(crate) fn judge(weather: &Arc<Weather>) -> Report {
    let plan = weather.plan();
    let mut reader = Reader {
        units: (0..).zip(&plan.devices).map(|(place, device)| (device.id.to_string(), place)).collect(),
        noc: plan.noc.iter().cloned().collect(),
        p1: BTreeSet::new(),
        lost: BTreeMap::new(),
        standing: BTreeMap::new(),
        report: Report::default(),
    };
    let mut sim = Sim::in_world(plan, BEGINNING, Box::new(Asker::new(Arc::clone(weather))));
    for (at, change) in weather.events() {
        // Lines and the uplink are the asker's; all hosts are addresses.
        if matches!(change, Change::Line { .. } | Change::Uplink { .. } | Change::Names { .. }) {
            continue;
        }
        go_on(&mut sim, at, &mut reader);
        match change {
            Change::Leaves(Leave::Stopped) => sim.stop(),
            Change::Leaves(Leave::Crashed) => sim.kill(),
            Change::Leaves(Leave::Suspended) => sim.suspend(true),
            Change::Returns(Leave::Suspended) => sim.suspend(false),
            Change::Returns(Leave::Stopped | Leave::Crashed) => sim.start(),
            Change::Clock(by_ms) => sim.step_clock(by_ms),
            Change::Line { .. } | Change::Uplink { .. } | Change::Names { .. } => {}
        }
        sim.settle();
    }
    go_on(&mut sim, weather.until(), &mut reader);
    reader.report
}

fn go_on(sim: &mut Sim, until: Time, reader: &mut Reader) {
    while sim.now() < until {
        sim.run_to((sim.now() + STRETCH).min(until));
        for (at, fact) in sim.take_facts() {
            reader.read(at, &fact);
        }
    }
}

/// Makes alarms of facts.
struct Reader {
    units: BTreeMap<String, usize>,
    noc: BTreeSet<String>,
    /// Numbers of cases that are P1.
    p1: BTreeSet<u64>,
    /// Since when each case's line is lost, if it is.
    lost: BTreeMap<u64, Time>,
    /// Of each unit with a standing alarm, its place in the report.
    standing: BTreeMap<usize, usize>,
    report: Report,
}

impl Reader {
    fn read(&mut self, at: Time, fact: &Fact) {
        if let Fact::LetterQueued { letter, lines } = fact {
            let about_p1 = lines.iter().any(|(case, _)| self.p1.contains(&case.number()));
            self.report.letters += u64::from(about_p1 && !self.noc.contains(&letter.to));
            return;
        }
        let number = fact.about().1.map(|topic| topic.reference().number());
        let unit = fact.about().0.and_then(|unit| self.units.get(unit)).copied();
        let (Some(number), Some(unit)) = (number, unit) else { return };
        if is_p1(fact) {
            self.p1.insert(number);
        }
        if !self.p1.contains(&number) {
            return;
        }
        if let Fact::Case { fact: CaseFact::Line { line, at: since }, .. } = fact {
            self.line_is(number, unit, line.is_lost(), *since);
        }
        if is_p1(fact) {
            self.raise(unit, at);
        } else if matches!(fact, Fact::Case { fact: CaseFact::Solved { .. }, .. })
            && let Some(place) = self.standing.remove(&unit)
        {
            self.report.alarms[place].cleared = Some(at);
        }
    }

    /// A case that is at work already says nothing more when its line is down for ten minutes: the alarm stands.
    fn line_is(&mut self, number: u64, unit: usize, lost: bool, since: Time) {
        if lost {
            self.lost.entry(number).or_insert(since);
        } else if let Some(from) = self.lost.remove(&number)
            && since.since(from) >= DOWN_AFTER
        {
            self.raise(unit, from + DOWN_AFTER);
        }
    }

    fn raise(&mut self, unit: usize, at: Time) {
        let place = self.report.alarms.len();
        if let Entry::Vacant(entry) = self.standing.entry(unit) {
            entry.insert(place);
            self.report.alarms.push(Alarm { device: unit, raised: at, cleared: None });
        }
    }
}

/// Whether a case is P1 from this fact on.
fn is_p1(fact: &Fact) -> bool {
    if let Fact::CaseOpened(opening) = fact {
        return opening.priority == Priority::P1;
    }
    // A P1 that comes back because its line is degraded is no alarm of a line that is down.
    matches!(fact, Fact::Case { fact: CaseFact::Upgraded(_) | CaseFact::Returned { outage: Some(_), .. }, .. })
}
