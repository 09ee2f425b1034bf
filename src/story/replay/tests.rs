//! A simulated past, replayed: nothing differs under the same settings, and what should under others.

use super::*;
use crate::domain::desk::Priority;
use crate::domain::maintenance::{Draft, Scope, Window};
use crate::domain::turn::{DeviceRow, Wish};
use crate::domain::watch::{AgentState, Baseline, Device, Limits, Permille, Symptom};
use crate::story::weather::{Asker, Climate, Fleet, Weather};
use crate::story::{Line, Print, Story};
use std::sync::Arc;

const MINUTE: Duration = Duration::from_secs(60);
const WORLD: &str = "units u 1..12 customer=acme\nsentinel core\nuntil 1h\n";

fn at(minutes: u32) -> Time {
    Time::from_millis(0) + MINUTE * minutes
}

fn plan() -> Plan {
    Story::parse(WORLD).unwrap().plan
}

/// The plan with every unit changed.
fn with(change: impl Fn(&mut Device)) -> Plan {
    let mut plan = plan();
    for device in &mut plan.devices {
        change(Arc::make_mut(device));
    }
    plan
}

fn down_after(minutes: u32) -> Plan {
    with(|device| Arc::make_mut(&mut device.rules).pace.down_after = MINUTE * minutes)
}

fn loss_limit(permille: u16) -> Plan {
    with(|device| {
        let limits = Limits { loss: Some(Permille(permille)), flaps: None, ..Limits::DEFAULT };
        Arc::make_mut(&mut device.rules).limits = limits;
    })
}

/// A world in which things happen to line `u1`.
struct Past {
    sim: Sim,
    plan: Plan,
}

impl Past {
    fn under(plan: Plan) -> Self {
        Self { sim: Sim::new(plan.clone(), at(0), 7), plan }
    }

    fn line(mut self, minute: u32, change: impl Fn(&mut Line)) -> Self {
        self.sim.run_to(at(minute));
        self.sim.set_lines(|id, _| id == "u1", change);
        self
    }

    fn lost(self, from: u32, until: u32) -> Self {
        self.line(from, |line| line.loss = 1.0).line(until, |line| line.loss = 0.0)
    }

    fn uplink_cut(mut self, from: u32, until: u32) -> Self {
        for (minute, cut) in [(from, true), (until, false)] {
            self.sim.run_to(at(minute));
            self.sim.set_uplink(cut);
        }
        self
    }

    fn maintained(mut self, from: u32, until: u32) -> Self {
        let scope = Scope::Device("u1".into());
        let (from, until) = (at(from), at(until));
        let draft = Draft { id: "w".into(), scope, from, until, emergency: None, note: None };
        let answer = self.sim.ask(Wish::Maintain(draft));
        assert!(answer.is_some_and(|reply| reply.result.is_ok()));
        self
    }

    /// What a replay under another plan makes of it, up to a minute.
    fn replayed(mut self, minute: u32, other: &Plan) -> Report {
        self.sim.run_to(at(minute));
        let watch = self.sim.watch().unwrap();
        let row = |(slot, device): (_, &Arc<Device>)| DeviceRow {
            id: device.id.to_string(),
            evidence: watch.evidence(slot).clone(),
            address: None,
            baseline: Baseline::default(),
            agent: AgentState::default(),
        };
        let rows: Vec<DeviceRow> = watch.devices().map(row).collect();
        let mut survey = Survey::new(&rows);
        self.sim.intervals().iter().for_each(|interval| survey.stretch(&interval.device, interval.verdict));
        self.sim.chunks().iter().for_each(|(device, _)| survey.strip(device));
        let plans = [&self.plan, other];
        let cast = Cast::new(plans, &survey);
        let mut record = Record::new(at(minute));
        self.sim.intervals().iter().for_each(|interval| record.stretch(interval));
        self.sim.chunks().iter().for_each(|(device, chunk)| record.chunk(device, chunk.clone()));
        rows.iter().for_each(|row| record.present(row));
        let recorded: Vec<Case> = self.sim.cases().cloned().collect();
        let works: Vec<Maintenance> = watch.maintenance().map(|work| (**work).clone()).collect();
        let calendar = Calendar::default();
        let question = Question { plans, since: at(0), calendar: &calendar, works: &works, recorded: &recorded };
        replay(&question, &cast, &record)
    }
}

/// The one change, in short: what, the priority, and the minute of opening.
fn only(report: &Report) -> (&'static str, Priority, Time) {
    let [change] = &report.changes[..] else { panic!("{report:#?}") };
    let (name, case) = match change {
        Change::Also(case) => ("also", case),
        Change::Not(case) => ("not", case),
        Change::Otherwise { would, .. } => ("otherwise", would),
    };
    assert_eq!(case.unit, "u1");
    (name, case.priority, case.opened_at)
}

fn close_to(at: Time, expected: Time) -> bool {
    at.since(expected).max(expected.since(at)) <= Duration::from_secs(10)
}

#[test]
fn nothing_differs_under_the_same_settings_and_what_was_recorded_comes_again() {
    let past = Past::under(plan()).lost(60, 67).uplink_cut(100, 130).lost(200, 211);
    let past = past.line(300, |line| line.loss = 0.2).line(340, |line| line.loss = 0.0).lost(400, 500);
    let report = past.replayed(520, &plan());
    assert_eq!(report.changes, []);
    assert!(report.recorded > 0 && report.recorded == report.reproduced, "{report:?}");
    assert_eq!((report.before, report.after), (report.recorded, report.recorded));
}

#[test]
fn a_shorter_limit_would_also_have_opened_what_was_too_short_before() {
    let report = Past::under(plan()).lost(60, 67).replayed(120, &down_after(5));
    let (name, priority, opened) = only(&report);
    assert_eq!((name, priority), ("also", Priority::P1));
    assert!(close_to(opened, at(65)), "{opened:?}");
    assert_eq!((report.before, report.after, report.recorded), (0, 1, 0));
}

#[test]
fn a_longer_limit_would_not_have_opened_what_was_over_by_then() {
    let report = Past::under(plan()).lost(60, 71).replayed(120, &down_after(15));
    let (name, priority, opened) = only(&report);
    assert_eq!((name, priority), ("not", Priority::P1));
    assert!(close_to(opened, at(70)), "{opened:?}");
    assert_eq!((report.before, report.after, report.recorded, report.reproduced), (1, 0, 1, 1));
}

#[test]
fn a_case_that_opens_either_way_opens_at_another_time() {
    let report = Past::under(plan()).lost(60, 90).replayed(120, &down_after(20));
    let (name, priority, opened) = only(&report);
    assert_eq!((name, priority), ("otherwise", Priority::P1));
    assert!(close_to(opened, at(80)), "{opened:?}");
}

#[test]
fn what_is_going_on_at_the_end_counts_as_well() {
    let past = Past::under(plan()).line(60, |line| line.loss = 1.0);
    let report = past.replayed(67, &down_after(5));
    assert_eq!((only(&report).0, report.recorded), ("also", 0));
}

#[test]
fn time_in_which_nobody_could_see_adds_to_no_sum() {
    // Four minutes of loss, an hour of blindness within it, and four minutes more.
    let past = Past::under(plan()).line(60, |line| line.loss = 1.0).uplink_cut(64, 124);
    let past = past.line(128, |line| line.loss = 0.0);
    assert_eq!(past.replayed(180, &down_after(9)).changes, []);
    let past = Past::under(plan()).line(60, |line| line.loss = 1.0).uplink_cut(64, 124);
    let report = past.line(128, |line| line.loss = 0.0).replayed(180, &down_after(7));
    let (name, _, opened) = only(&report);
    assert!(name == "also" && close_to(opened, at(127)), "{report:?}");
}

#[test]
fn what_was_lost_in_maintenance_opens_nothing_now_either() {
    let report = Past::under(plan()).maintained(55, 90).lost(60, 75).replayed(120, &down_after(5));
    assert_eq!((&report.changes[..], report.before, report.after), (&[][..], 0, 0));
    let mut planned = down_after(5);
    let scope = Scope::Device("u1".into());
    let window = Window { id: "v".into(), scope, from: at(55), until: at(90), emergency: false, note: None };
    planned.maintenance.push(window);
    let report = Past::under(plan()).lost(60, 75).replayed(120, &planned);
    assert_eq!(only(&report).0, "not");
}

#[test]
fn a_share_of_losses_is_held_against_the_recorded_strips() {
    let past = |limit| {
        let past = Past::under(loss_limit(limit));
        past.line(60, |line| line.loss = 0.2).line(120, |line| line.loss = 0.0)
    };
    let report = past(100).replayed(180, &loss_limit(400));
    assert_eq!((only(&report).0, only(&report).1), ("not", Priority::P2));
    assert_eq!((report.recorded, report.reproduced), (1, 1));
    let report = past(400).replayed(180, &loss_limit(100));
    assert_eq!((only(&report).0, only(&report).1), ("also", Priority::P2));
    let Change::Also(case) = &report.changes[0] else { panic!("{report:?}") };
    assert_eq!((case.symptom, case.why()), (Some(Symptom::Loss), "loss_share"));
}

/// With another inventory the rounds fall elsewhere; short losses come again all the same.
#[test]
fn short_losses_are_confirmed_again_wherever_the_rounds_fall() {
    let mut past = Past::under(plan());
    for minute in [60, 70, 80] {
        past = past.line(minute, |line| line.loss = 1.0);
        past.sim.run_to(at(minute) + Duration::from_secs(25));
        past.sim.set_lines(|id, _| id == "u1", |line| line.loss = 0.0);
    }
    // Fourth of those that take part, it is asked 8.5 s later: its re-probes come when the loss is over.
    let mut other = plan();
    other.devices.rotate_left(1);
    let report = past.replayed(120, &other);
    assert_eq!(report.changes, []);
    assert_eq!((report.before, report.recorded, report.reproduced), (1, 1, 1), "{report:?}");
}

#[test]
fn quiet_units_stay_out_but_for_a_few_and_those_that_leave_open_nothing() {
    let mut without = plan();
    without.devices.retain(|device| device.id != "u1");
    let report = Past::under(plan()).lost(60, 80).replayed(120, &without);
    assert_eq!(only(&report).0, "not");
    assert_eq!((report.units, report.left_out), (3, 9), "it, and two to measure it by");
}

#[test]
fn both_forms_tell_the_difference_and_its_totals() {
    let report = Past::under(plan()).lost(60, 71).replayed(120, &down_after(15));
    let text = |form| {
        let mut out = Vec::new();
        print(&report, &Calendar::default(), form, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    let words = text(Print::Words);
    assert!(words.contains("would not have opened: P1 on u1 at 1970-01-01 01:10:0"), "{words}");
    let summary = "\n1 case under the settings in force, none under the new ones: 1 would not have opened\n\
                   in fact the watch opened 1 case, which the replay under the settings in force has as well\n";
    assert!(words.contains(summary), "{words}");
    assert!(words.starts_with("replayed: 1970-01-01 00:00:00 UTC to 1970-01-01 02:00:00 UTC, 2 h\n"), "{words}");
    assert!(words.contains("\n3 units took part; 9 left out, of which nothing is recorded"), "{words}");
    let fields: serde_json::Value = serde_json::from_str(&text(Print::Json)).unwrap();
    assert_eq!((&fields["not"], &fields["changes"][0]["was"]["unit"]), (&1.into(), &"u1".into()));
}

#[test]
fn a_summary_counts_as_people_do() {
    let report = Past::under(plan()).replayed(120, &plan());
    let words = |report: &Report| {
        let mut out = Vec::new();
        print(report, &Calendar::default(), Print::Words, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    let none = words(&report);
    let nothing = "\nno cases under the settings in force, none under the new ones: no difference\n\
                   in fact the watch opened no case\n";
    assert!(none.contains(nothing) && !none.contains("asked for"), "{none}");
    let counts = Report { before: 3, after: 2, recorded: 4, reproduced: 3, unrepeatable: 2, left_out: 0, ..report };
    let some = words(&counts);
    for part in [
        "\n3 cases under the settings in force, 2 under the new ones",
        "\nin fact the watch opened 4 cases, of which the replay under the settings in force has 3\n2 more were opened",
        "took part\n",
    ] {
        assert!(some.contains(part), "{part}: {some}");
    }
    let asked = Report { asked_since: at(0) - MINUTE * 60, ..counts };
    assert!(words(&asked).contains("\nnothing is recorded before that, though 3 h were asked for\n"));
}

/// Lines that flap, lose, slow down and fail together, and rounds that fall elsewhere in the second run.
#[test]
fn half_a_day_of_rough_weather_comes_again() {
    let fleet = Fleet { regions: 2, suppliers: 2, pops: 2, units_per_pop: 15, sentinels: 2 };
    let weather = Arc::new(Weather::new(fleet, &Climate::ROUGH, MINUTE * 720, 3));
    let plan = weather.plan();
    let sim = Sim::in_world(plan.clone(), at(0), Box::new(Asker::new(weather)));
    let mut other = plan.clone();
    other.devices.rotate_left(7);
    let report = Past { sim, plan }.replayed(720, &other);
    assert_eq!(report.changes, []);
    assert!(report.recorded >= 3 && report.recorded == report.reproduced, "{report:?}");
}
