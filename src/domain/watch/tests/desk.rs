//! What becomes of losses at the desk: cases, and who is told.

use super::*;
use crate::domain::desk::{Channel, Report, Subject};

#[test]
fn faults_of_one_instant_are_spread_over_turns_and_none_is_forgotten() {
    let count = MAX_DEADLINES_A_TURN + 1;
    let pace = Pace { interval: 2 * SECOND, down_after: 60 * SECOND, ..PACE };
    let mut devices: Vec<Device> = (0..count).map(|n| with_pace(pace, unit(&format!("u{n:04}")))).collect();
    devices.push(Device { role: Role::Node, ..unit("witness") });
    let mut bench = Bench::new(devices);
    bench.run(10, |_| answered());
    let lost = |slot: Slot| if slot.index() < count { Outcome::LOST } else { answered() };
    bench.run_all(69, |slot, _| Some(lost(slot)));
    bench.turn.clear();
    // After a turn of four seconds they are all due at once.
    bench.turn.at = Time::from_millis(73_000);
    let mut opened = Vec::new();
    for _ in 0..3 {
        bench.watch.step(Input::Tick, &mut bench.turn);
        opened.push(bench.turn.cases.len());
        assert!(opened.len() > 1 || bench.watch.next_due() <= bench.turn.at, "the next turn follows at once");
        bench.turn.clear();
    }
    assert_eq!(opened, [MAX_DEADLINES_A_TURN, 1, 0]);
}

#[test]
fn a_lost_node_that_becomes_a_unit_has_its_case() {
    let node = Device { role: Role::Node, ..unit("a") };
    let mut bench = Bench::new(vec![node]);
    bench.run(100, |_| answered());
    bench.run(1_000, |_| Outcome::LOST);
    assert_eq!(bench.watch.desk().cases().count(), 0);
    bench.step(Input::Planned(plan(vec![unit("a")]).into()));
    assert_eq!(bench.watch.desk().cases().count(), 1);
}

fn report(subject: Subject) -> Box<Report> {
    Box::new(Report::new(subject, Channel::Phone))
}

#[test]
fn only_units_get_cases_and_only_one_each() {
    let mut bench = Bench::new(vec![unit("a"), Device { role: Role::Node, ..unit("n") }]);
    let mut open = |unit: &str| {
        bench.turn.replies.clear();
        let wish = Wish::Open { unit: unit.into(), report: report(Subject::Degraded) };
        bench.step(Input::Asked(Request { ticket: 7, by: "ann".into(), wish }));
        let reply = bench.turn.replies.pop().unwrap();
        assert_eq!(reply.ticket, 7);
        reply.result.map_err(|refusal| refusal.to_string())
    };
    let Done::Case(reference) = open("a").unwrap() else { unreachable!() };
    assert!(open("a").unwrap_err().contains(&reference.to_string()));
    assert!(open("n").unwrap_err().contains("no unit"));
    assert!(open("?").unwrap_err().contains("no unit"));
}

#[test]
fn nobody_gets_the_same_letter_twice() {
    let mut turn = Turn::new(Time::from_millis(0));
    let mut plan = plan(vec![unit("a")]);
    plan.customers[0].email = vec!["it@acme.example".into(), "IT@acme.example".into()];
    plan.noc = vec!["noc@example.net".into(), "It@Acme.Example".into()];
    let mut watch = Watch::start(Saved::default(), &plan, &mut turn);
    let wish = Wish::Open { unit: "a".into(), report: report(Subject::ServiceDown) };
    watch.step(Input::Asked(Request { ticket: 1, by: "ann".into(), wish }), &mut turn);
    let readers: Vec<&str> = turn.letters.iter().map(|letter| letter.to.as_str()).collect();
    assert_eq!(readers, ["it@acme.example", "noc@example.net"]);
}

#[test]
fn who_was_told_of_a_problem_is_told_of_its_end() {
    let mut turn = Turn::new(Time::from_millis(0));
    let mut watch = Watch::start(Saved::default(), &plan(vec![unit("a")]), &mut turn);
    let wish = Wish::Open { unit: "a".into(), report: report(Subject::ServiceDown) };
    watch.step(Input::Asked(Request { ticket: 1, by: "ann".into(), wish }), &mut turn);
    let reference = turn.letters[0].lines()[0].0;
    let nothing = Plan { customers: Vec::new(), ..plan(Vec::new()) };
    watch.step(Input::Planned(Box::new(nothing)), &mut turn);
    turn.letters.clear();
    let wish = Wish::Work { reference, command: Command::Solve { note: None } };
    watch.step(Input::Asked(Request { ticket: 2, by: "ann".into(), wish }), &mut turn);
    assert_eq!(turn.letters.len(), 1, "the customer left the inventory with the case open");
}
