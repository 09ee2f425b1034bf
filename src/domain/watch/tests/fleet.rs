//! Who joins, who stays and who leaves, at a start and when the inventory changes.

use super::*;
use crate::domain::desk::{SavedDesk, Stage};
use crate::domain::watch::fleet::MAX_TAKEN_OVER_A_TURN;

fn at(seconds: i64) -> Time {
    Time::from_millis(seconds * 1_000)
}

/// What the store holds after a daemon has found these units lost, and their cases.
fn lost(ids: [&str; 3]) -> Saved {
    let mut bench = Bench::new(ids.map(unit).to_vec());
    bench.run(60, |_| answered());
    bench.run(900, |_| Outcome::LOST);
    let rows = bench.watch.devices().map(|(slot, device)| DeviceRow {
        id: device.id.to_string(),
        evidence: bench.watch.evidence(slot).clone(),
        address: None,
        baseline: Baseline::default(),
        agent: AgentState::Unknown,
    });
    let cases = bench.watch.desk().cases().cloned().collect();
    let desk = SavedDesk { cases, next_number: 4, ..SavedDesk::default() };
    Saved { devices: rows.collect(), desk, maintenance: Vec::new(), watched_until: Some(at(900)) }
}

#[test]
fn everybody_is_asked_before_the_desk_is_there_and_each_case_hears_in_the_end_what_its_line_does() {
    let Saved { devices, desk, maintenance, watched_until } = lost(["b", "d", "f"]);
    assert_eq!(desk.cases.len(), 3);
    // One was taken out, one is new, and of the third the store has nothing but its case.
    let devices = devices.into_iter().filter(|row| row.id != "f").collect();
    let plan = plan(["f", "d", "c"].map(unit).to_vec());
    let mut turn = Turn::new(at(1_000));
    let mut muster = Muster::new(&plan, turn.at);
    muster.recall(devices, watched_until, &mut turn);
    turn.at = at(1_010);
    muster.ask(&mut turn);
    assert_eq!(turn.probes.len(), 3, "an interval has passed");
    let watch = muster.open(Desk::new(desk, turn.at), maintenance, &plan, &mut turn);
    let line = |unit| watch.desk().open_case_of(unit).map(|case| (case.line, case.line_since, case.downtime.banked()));
    // The first round that was lost is that of second 70.
    let downtime = Duration::from_secs(830);
    let unobserved = |why| Line::Watched(Verdict::Unobserved, why);
    assert_eq!(line("b"), Some((Line::Withdrawn, at(900), downtime)));
    assert_eq!(line("d"), Some((unobserved(Reason::Stopped), at(900), downtime)));
    let (line_of_f, since, _) = line("f").unwrap();
    assert_eq!((line_of_f, since), (unobserved(Reason::Added), at(1_000)));
    assert_eq!((turn.gone, turn.cases.len()), (vec!["b".to_string()], 3));
    assert!(watch.desk().cases().all(|case| case.stage == Stage::New));
}

fn fleet(ids: core::ops::Range<usize>) -> Plan {
    plan(ids.map(|number| unit(&format!("u{number:06}"))).collect())
}

/// The ids of the first and the last device, and how many there are.
fn extent(watch: &Watch) -> (String, String, usize) {
    let ids: Vec<String> = watch.devices().map(|(_, device)| device.id.to_string()).collect();
    (ids.first().cloned().unwrap_or_default(), ids.last().cloned().unwrap_or_default(), ids.len())
}

#[test]
fn a_large_inventory_is_taken_over_in_turns_of_a_bounded_size() {
    let mut bench = Bench::new(Vec::new());
    let count = MAX_TAKEN_OVER_A_TURN + 1;
    bench.watch.step(Input::Planned(fleet(0..count).into()), &mut bench.turn);
    assert_eq!(extent(&bench.watch).2, 0);
    assert_eq!(bench.watch.next_due(), bench.turn.at, "the rest follows at once");
    bench.watch.step(Input::Tick, &mut bench.turn);
    assert_eq!(extent(&bench.watch), ("u000000".into(), format!("u{:06}", count - 1), count));
    assert!(bench.watch.next_due() > bench.turn.at);

    // A newer one takes the place of one that is on its way.
    bench.turn.clear();
    bench.watch.step(Input::Planned(fleet(10..count + 10).into()), &mut bench.turn);
    bench.watch.step(Input::Planned(fleet(5..count + 5).into()), &mut bench.turn);
    bench.watch.step(Input::Tick, &mut bench.turn);
    assert_eq!(extent(&bench.watch), ("u000005".into(), format!("u{:06}", count + 4), count));
    let changes: Vec<_> =
        bench.turn.facts.iter().filter(|fact| matches!(fact, Fact::InventoryChanged { .. })).collect();
    let change = Fact::InventoryChanged { added: 5, removed: 5, kept: count - 5 };
    assert_eq!(changes, [&change]);
    assert_eq!(bench.watch.slot("u000005"), Some(Slot(5)), "who stays keeps its slot");
}
