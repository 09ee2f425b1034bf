//! Reports over a world of a few cases, to the second.

use crate::cases::{at, opening};
use crate::harness::{NOW, World, unit};
use crate::rfo::entry;
use ntuwatch::domain::desk::{
    Actor, Case, CaseFact, EscalatedBy, Level, OutOfReach, PeopleChange, PromiseKind, Reference, WaitingOn,
};
use ntuwatch::domain::fact::Fact;
use ntuwatch::domain::turn::Turn;
use ntuwatch::domain::watch::{Interval, Reason, Verdict};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

const WINDOW: Duration = Duration::from_secs(600);

/// Writes a case that was opened at `opened` with these facts, all of them under the order's 4 h.
fn write(world: &World, number: u64, unit: &str, opened: i64, facts: &[(i64, CaseFact)]) {
    let begun = Arc::new(opening(number, unit, opened - 600, None));
    let mut case = Case::open(Arc::clone(&begun), at(opened));
    let mut turn = Turn::new(at(opened));
    turn.cases.push(Arc::new(case.clone()));
    world.store(&turn, &[entry(&Fact::CaseOpened(begun))]);
    for (when, fact) in facts {
        case.apply(fact, at(*when));
        let mut turn = Turn::new(at(*when));
        turn.cases.push(Arc::new(case.clone()));
        let fact = Fact::Case { reference: Reference::from_number(number), unit: unit.into(), fact: fact.clone() };
        world.store(&turn, &[entry(&fact)]);
    }
}

fn solved() -> CaseFact {
    CaseFact::Solved { by: Actor::Watch, note: None, window: WINDOW }
}

fn waits(on: WaitingOn) -> CaseFact {
    CaseFact::Waits { by: "ann".into(), on, note: None }
}

fn taken() -> CaseFact {
    CaseFact::Taken { by: "ann".into() }
}

fn escalated(level: Level) -> CaseFact {
    CaseFact::Escalated { level, why: EscalatedBy::Missed(PromiseKind::Update), note: None }
}

fn stretch(device: &str, from: i64, until: i64, verdict: Verdict, reason: Reason) -> Interval {
    Interval { device: device.into(), from: at(from), until: at(until), verdict, reason }
}

/// Units of two customers, seen for 86,400 s, with what happened to them in their order.
fn world() -> World {
    let world = World::new(None);
    let up = |id: &str, customer: &str| Some(unit(id, customer, Verdict::Up));
    world.board.replace(vec![up("acme-1", "acme"), up("acme-2", "acme"), up("zeta-1", "zeta")]);
    // Kept: 20,000 s at work, of which 8,000 waited for the customer and 1,000 were of a planned maintenance.
    let kept = [
        (1_000, waits(WaitingOn::Customer)),
        (9_000, taken()),
        (9_000, CaseFact::Kept { kind: PromiseKind::FirstResponse, took: Duration::from_secs(9), late: false }),
        (21_000, solved()),
        (21_700, CaseFact::Closed),
    ];
    write(&world, 1, "acme-1", 1_000, &kept);
    // Missed, after two levels; it came back, and so it is solved at the second.
    let missed = [
        (32_000, CaseFact::Missed { kind: PromiseKind::Update, late: Duration::ZERO }),
        (32_000, escalated(Level::L1)),
        (40_000, solved()),
        (41_000, CaseFact::Returned { by: Actor::Watch, note: None, outage: None }),
        (42_000, escalated(Level::L2)),
        (50_000, solved()),
    ];
    write(&world, 2, "acme-1", 30_000, &missed);
    // At work still, with time left; a supplier's time counts.
    write(&world, 3, "acme-2", 80_000, &[(80_100, waits(WaitingOn::Supplier))]);
    let mut turn = Turn::new(NOW);
    turn.intervals = vec![
        stretch("acme-1", 0, 1_000, Verdict::Up, Reason::Answered),
        stretch("acme-1", 1_000, 9_000, Verdict::Loss, Reason::NoAnswer),
        stretch("acme-1", 9_000, 10_000, Verdict::Loss, Reason::Maintenance),
        stretch("acme-1", 10_000, 20_000, Verdict::Unobserved, Reason::Stopped),
        stretch("acme-1", 20_000, 86_400, Verdict::Up, Reason::Answered),
        stretch("acme-2", 0, 86_400, Verdict::Degraded, Reason::Lossy),
        stretch("zeta-1", 0, 86_400, Verdict::Up, Reason::Answered),
    ];
    world.store(&turn, &[]);
    world
}

fn rows(report: &Value) -> &[Value] {
    report["rows"].as_array().unwrap()
}

#[test]
fn repairs_are_told_by_service_and_region() {
    let report = world().get("/api/reports/sla?since=2027-01-14T08:00:00Z").json();
    let row = &rows(&report)[0];
    assert_eq!((&row["service"], &row["region"], &row["cases"]), (&json!("DIA"), &json!("EMEA"), &json!(3)));
    assert_eq!((&row["ttr_kept"], &row["ttr_of"]), (&json!(1), &json!(2)), "{row}");
    // 11,000 s and 19,000 s.
    assert_eq!(row["mean_repair_s"], 15_000);
    assert_eq!(report["total"], json!({ "ttr_kept": 1, "ttr_of": 2 }));
    assert_eq!(report["from"], "2027-01-14T08:00:00Z");
}

#[test]
fn promises_are_told_by_kind_with_how_many_there_were() {
    let world = world();
    let report = world.get("/api/reports/promises?ago_s=86400").json();
    let told: Vec<_> =
        rows(&report).iter().map(|row| (row["promise"].as_str().unwrap(), &row["kept"], &row["of"])).collect();
    let [none, one] = [json!(0), json!(1)];
    // Of repairs, none was promised by these orders.
    let expected = [
        ("first_response", &one, &one),
        ("update", &none, &one),
        ("onsite", &none, &none),
        ("repair", &none, &none),
        ("supplier", &none, &none),
        ("rfo", &none, &none),
    ];
    assert_eq!(told, expected);
    assert_eq!(report["total"], json!({ "kept": 1, "of": 2 }));
    // What was before the time is not in it: the first response was kept at 9,000 s.
    let later = world.get("/api/reports/promises?since=2027-01-14T10:30:01Z").json();
    assert_eq!(later["total"], json!({ "kept": 0, "of": 1 }));
}

#[test]
fn levels_are_told_with_the_time_at_each() {
    let report = world().get("/api/reports/tiers?ago_s=86400").json();
    let told: Vec<_> = rows(&report)
        .iter()
        .map(|row| (row["level"].as_str().unwrap(), &row["cases"], &row["solved_here"], &row["at_work_s"]))
        .collect();
    // Case 2: 2,000 s with nobody above, 8,000 s and after its return 1,000 s at L1, 8,000 s at L2.
    let expected = [
        ("none", &json!(2), &json!(1), &json!(22_000)),
        ("L1", &json!(1), &json!(1), &json!(9_000)),
        ("L2", &json!(1), &json!(1), &json!(8_000)),
    ];
    assert_eq!(told, expected);
    let total = json!({ "cases": 2, "escalations": 2, "solved_without": 1, "solved_of": 2 });
    assert_eq!(report["total"], total);
}

/// R107.
#[test]
fn who_never_says_a_word_is_told_of_all_the_same() {
    let report = world().get("/api/reports/silent?ago_s=86400").json();
    let [acme, zeta] = rows(&report) else { panic!("{report}") };
    // 67,400 and 86,400 s of 75,400 and 86,400 s that were seen, without the maintenance.
    let expected = json!({
        "customer": "acme", "cases": 3, "repeated": 1, "returned": 1, "promises_kept": 1, "promises_of": 2, "units": 2,
        "availability": 95.056, "unseen_s": 10_000,
    });
    assert_eq!(*acme, expected);
    let quiet = json!({
        "customer": "zeta", "cases": 0, "repeated": 0, "returned": 0, "promises_kept": 0, "promises_of": 0, "units": 1,
        "availability": 100.0, "unseen_s": 0,
    });
    assert_eq!(*zeta, quiet);
}

#[test]
fn a_report_is_a_table_csv_or_json() {
    let world = world();
    let told = |format: &str| {
        let output = world.cli(&["report", "promises", "--since", "1d", "--format", format]);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let table = told("table");
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(lines[0], "PROMISE         KEPT    MISSED");
    assert_eq!(lines[1], "first_response  1 of 1  0");
    assert_eq!(lines[7], "in all: kept 1, of 2");
    assert!(told("csv").starts_with("promise,kept,of,missed\nfirst_response,1,1,0\n"), "{}", told("csv"));
    assert!(serde_json::from_str::<Value>(&told("json")).is_ok());
    assert_eq!(world.get("/api/reports/gossip").status, 404);
    assert_eq!(world.get("/api/reports/sla?since=yesterday").status, 400);
    assert_eq!(world.get("/api/reports/sla?format=pdf").status, 400);
}

/// R16: what came late while no letter reached the customer is not held against us.
#[test]
fn repairs_that_wrong_addresses_delayed_are_excused() {
    let world = world();
    let lost = |customer: &str, since| {
        PeopleChange::OutOfReach(customer.into(), OutOfReach { since, address: "it@acme.example".into() })
    };
    let mut turn = Turn::new(NOW);
    turn.people = vec![lost("zeta", at(0))];
    world.store(&turn, &[]);
    let told = || {
        let report = world.get("/api/reports/sla?ago_s=86400").json();
        let row = &rows(&report)[0];
        (row["ttr_kept"].clone(), row["ttr_of"].clone(), row["excused"].clone())
    };
    assert_eq!(told(), (json!(1), json!(2), json!(0)), "another customer");
    // From the last second of the repair that came late.
    turn.people = vec![lost("acme", at(49_999))];
    world.store(&turn, &[]);
    assert_eq!(told(), (json!(1), json!(1), json!(1)));
}
