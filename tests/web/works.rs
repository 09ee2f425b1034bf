//! One maintenance by itself, over HTTP and on the command line.

use crate::harness::{NOW, World, row, unit};
use crate::shared::maintenance;
use ntuwatch::domain::desk::{LetterKind, LetterMark};
use ntuwatch::domain::letter::{Content, Letter, LetterChange, LetterState, Thread};
use ntuwatch::domain::maintenance::{Maintenance, Origin, Scope, Stage, Window};
use ntuwatch::domain::time::Time;
use ntuwatch::domain::turn::Turn;
use ntuwatch::domain::watch::{GroupKind, Interval, Reason, Role, Verdict};
use ntuwatch::store::Entry;
use ntuwatch::web::MAX_LOSSES;
use ntuwatch::web::board::Row;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// So many minutes from now.
fn at(minutes: i64) -> Time {
    let away = Duration::from_secs(minutes.unsigned_abs() * 60);
    if minutes < 0 { NOW - away } else { NOW + away }
}

fn below(mut row: Row, upstream: &str) -> Row {
    Arc::make_mut(&mut row.device).upstream = Some(Arc::new(upstream.to_owned()));
    row
}

fn loss(device: &str, from: i64, until: i64, reason: Reason) -> Interval {
    Interval { device: device.to_owned(), from: at(from), until: at(until), verdict: Verdict::Loss, reason }
}

/// Two lines are reached through the node that is worked on, one of them by way of a switch; a third one is not.
fn rows() -> Vec<Option<Row>> {
    let mut dark = below(unit("acme-2", "acme", Verdict::Loss), "switch");
    (dark.status.reason, dark.status.since) = (Reason::Maintenance, at(-20));
    let rows = [
        row("pop-lon", Role::Node, Verdict::Up),
        below(row("switch", Role::Node, Verdict::Up), "pop-lon"),
        below(unit("acme-1", "acme", Verdict::Up), "pop-lon"),
        dark,
        below(unit("bolt-1", "bolt", Verdict::Up), "elsewhere"),
    ];
    rows.into_iter().map(Some).collect()
}

fn world() -> World {
    let world = World::new(None);
    let window = Window {
        id: "mw-1".to_owned(),
        scope: Scope::Device("pop-lon".to_owned()),
        from: at(-60),
        until: at(60),
        emergency: false,
        note: Some("new fibre".to_owned()),
    };
    let (origin, stage) = (Origin::Staff("anna".to_owned()), Stage::Active);
    let planned =
        Arc::new(Maintenance { window, origin, revision: 2, planned_at: at(-200), announced_at: at(-180), stage });
    let mut turn = Turn::new(at(-100));
    let other = maintenance("night", Scope::Group(GroupKind::Pop, "lon".to_owned()), Origin::Config, Stage::Planned);
    turn.maintenance = vec![Arc::clone(&planned), other];
    turn.intervals = vec![
        loss("pop-lon", -59, -50, Reason::Maintenance),
        loss("acme-1", -58, -48, Reason::Maintenance),
        loss("bolt-1", -57, -47, Reason::Maintenance),
        loss("acme-1", -40, -30, Reason::NoAnswer),
        loss("acme-1", -90, -70, Reason::Maintenance),
    ];
    let letter = |id: u64, number: u32, kind, planned_at| Letter {
        id,
        thread: Thread::Maintenance { id: "mw-1".to_owned(), planned_at, customer: "acme".to_owned() },
        mark: LetterMark { kind, number },
        previous: None,
        content: Content::Maintenance { maintenance: Arc::clone(&planned), lines: Vec::new(), spared: Vec::new() },
        to: "it@acme.example".to_owned(),
        greeting: None,
        written_at: at(-180),
        survey: None,
    };
    turn.letters = vec![
        letter(1, 1, LetterKind::Announced, at(-900)),
        letter(2, 1, LetterKind::Announced, at(-200)),
        letter(3, 2, LetterKind::Revised, at(-200)),
    ];
    turn.letter_changes = vec![LetterChange { id: 2, state: LetterState::Sent, attempts: 1, error: None }];
    let entry = |kind, id: &str, text: &str| Entry {
        kind,
        device: None,
        topic: None,
        text: text.to_owned(),
        data: json!({ "maintenance": id }).to_string(),
    };
    let entries = [
        entry("maintenance_announced", "mw-1", "Planned."),
        entry("maintenance_announced", "mw-2", "Another."),
        entry("maintenance_revised", "mw-1", "Revised."),
        entry("noted", "mw-1", "No maintenance at all."),
    ];
    let mut before = Turn::new(at(-900));
    before.maintenance.clone_from(&turn.maintenance);
    world.store(&before, &[entry("maintenance_announced", "mw-1", "One before it with the same id.")]);
    world.store(&turn, &entries);
    world.board.replace(rows());
    world
}

#[test]
fn a_maintenance_shows_what_it_covers_who_was_told_and_what_was_lost() {
    let world = world();
    let shown = world.get("/api/maintenance/mw-1").json();
    let says = |key: &str| shown[key].clone();
    assert_eq!([says("id"), says("scope"), says("stage")], [json!("mw-1"), json!("pop-lon"), json!("active")]);
    assert_eq!([says("notice_s"), says("revision"), says("by")], [json!(7_200), json!(2), json!("anna")]);
    assert_eq!([says("unit_count"), says("customer_count")], [json!(2), json!(1)]);
    let losses = json!([
        { "device": "pop-lon", "from": "2027-01-15T07:01:00Z", "until": "2027-01-15T07:10:00Z" },
        { "device": "acme-1", "from": "2027-01-15T07:02:00Z", "until": "2027-01-15T07:12:00Z" },
        { "device": "acme-2", "from": "2027-01-15T07:40:00Z", "until": null },
    ]);
    assert_eq!((says("losses"), says("lost_count"), says("losses_complete")), (losses, json!(3), json!(true)));
    let texts: Vec<_> = says("timeline").as_array().unwrap().iter().map(|entry| entry["text"].clone()).collect();
    assert_eq!(texts, [json!("Planned."), json!("Revised.")]);
    let letters = says("letters");
    let told: Vec<_> = letters.as_array().unwrap().iter().map(|letter| (&letter["number"], &letter["state"])).collect();
    assert_eq!(told, [(&json!(1), &json!("sent")), (&json!(2), &json!("queued"))]);
    assert_eq!([&letters[0]["customer"], &letters[0]["to"]], [&json!("acme"), &json!("it@acme.example")]);
    let group = world.get("/api/maintenance/night").json();
    assert_eq!([&group["unit_count"], &group["customer_count"], &group["losses"]], [&json!(3), &json!(2), &json!([])]);
    let unknown = world.get("/api/maintenance/mw-9");
    assert_eq!((unknown.status, unknown.error().contains("no maintenance \"mw-9\"")), (404, true), "{unknown:?}");
}

#[test]
fn losses_within_a_maintenance_are_shown_up_to_a_limit() {
    let world = world();
    let mut turn = Turn::new(NOW);
    let lost = (0..=MAX_LOSSES as i64).map(|n| {
        let from = at(-59) + Duration::from_millis(2 * n.unsigned_abs());
        let until = from + Duration::from_millis(1);
        Interval { from, until, ..loss("acme-1", 0, 0, Reason::Maintenance) }
    });
    turn.intervals = lost.collect();
    world.store(&turn, &[]);
    let shown = world.get("/api/maintenance/mw-1").json();
    assert_eq!(shown["losses"].as_array().unwrap().len(), MAX_LOSSES);
    assert_eq!((&shown["losses_complete"], &shown["lost_count"]), (&json!(false), &json!(3)));
}

#[test]
fn the_command_line_shows_a_maintenance() {
    let world = world();
    let text = |arguments: &[&str]| {
        let output = world.cli(arguments);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let expected = "mw-1: active, revision 2
scope      pop-lon: 2 units of 1 customer now
from       2027-01-15 07:00:00Z
until      2027-01-15 09:00:00Z
planned    2027-01-15 04:40:00Z by anna
announced  2027-01-15 05:00:00Z, 2 h 0 min before it begins: short notice
note       new fibre
lost       3 devices

AT                    WHAT
2027-01-15 06:20:00Z  Planned.
2027-01-15 06:20:00Z  Revised.

LOST     FROM                  UNTIL
pop-lon  2027-01-15 07:01:00Z  2027-01-15 07:10:00Z
acme-1   2027-01-15 07:02:00Z  2027-01-15 07:12:00Z
acme-2   2027-01-15 07:40:00Z  still lost

TOLD                  LETTER     REV  CUSTOMER  TO
2027-01-15 06:20:00Z  announced  1    acme      it@acme.example
not yet: queued       revised    2    acme      it@acme.example
";
    assert_eq!(text(&["maintenance", "show", "mw-1"]), expected);
    let planned = text(&["maintenance", "show", "night"]);
    assert!(planned.contains("by the configuration") && planned.contains("\nlost       -\n"), "{planned}");
    assert!(planned.contains("nobody was told: no customer"), "{planned}");
    let json: Value = serde_json::from_str(&text(&["maintenance", "show", "mw-1", "--json"])).unwrap();
    assert_eq!(json["id"], "mw-1");
    assert_eq!(world.cli(&["maintenance", "show", "mw-9"]).status.code(), Some(65));
}
