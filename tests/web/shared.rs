//! What lines share: umbrellas, maintenance and the rounds that are kept, over HTTP and on the command line.

use crate::cases::{UP, at, opening};
use crate::harness::{CLOSED, DROPPED, NOW, OPEN, TOKEN, World, reference, unit};
use ntuwatch::domain::desk::{
    Case, CaseFact, Cause, Diagnosis, LetterKind, LetterMark, Opening, Priority, Reference, SiteCause, Topic, Umbrella,
    Witness,
};
use ntuwatch::domain::letter::{Content, Letter, Thread};
use ntuwatch::domain::maintenance::{Maintenance, NOTICE, Origin, Scope, Stage, Window};
use ntuwatch::domain::turn::{HeldLine, Turn};
use ntuwatch::domain::watch::{Cell, Chunk, Finding, GroupKind, Symptom, Verdict};
use ntuwatch::store::Entry;
use ntuwatch::web::{MAX_CELLS, MAX_CHILDREN, MAX_NOTE, MAX_PAGE, MAX_REMARK, MAX_STRIP};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3_600);
/// The umbrellas of the store: one that is open and has two cases, and one that is over.
const SHARED: u64 = 5;
const OVER: u64 = 8;

fn umbrella(number: u64, cause: Cause) -> Umbrella {
    let (reference, within) = (Reference::from_number(number), Duration::from_secs(12));
    let (opened_at, first_loss) = (at(80_000), at(79_990));
    Umbrella { reference, cause, opened_at, first_loss, lost: 6, of: 7, within, closed_at: None }
}

pub(crate) fn maintenance(id: &str, scope: Scope, origin: Origin, stage: Stage) -> Arc<Maintenance> {
    let (from, until) = (NOW + HOUR, NOW + HOUR + HOUR);
    let window = Window { id: id.to_owned(), scope, from, until, emergency: false, note: Some("new fibre".to_owned()) };
    Arc::new(Maintenance { window, origin, revision: 2, planned_at: NOW, announced_at: NOW, stage })
}

/// A case under the umbrella that is open.
fn child(number: u64, unit: &str) -> Case {
    let mut case = Case::open(opening(number, unit, 79_990, None), at(80_600));
    case.apply(&CaseFact::Joined { umbrella: Reference::from_number(SHARED) }, at(80_600));
    case
}

pub(crate) fn world() -> World {
    let world = World::new(Some(TOKEN));
    let over = Umbrella { closed_at: Some(at(84_000)), ..umbrella(OVER, Cause::Moment) };
    let finding = Finding { symptom: Symptom::Flapping, measured: 4, limit: 3, over: HOUR };
    let flapping = Opening {
        priority: Priority::P2,
        line: (UP, at(80_000)),
        finding: Some(finding),
        ..opening(7, "acme-2", 80_000, None)
    };
    let mut flapping = Case::open(flapping, at(80_000));
    flapping.apply(&CaseFact::Joined { umbrella: Reference::from_number(SHARED) }, at(80_600));
    let witnesses = vec![Witness::Upstream("pop-lon".to_owned())];
    flapping.apply(&CaseFact::Diagnosed(Diagnosis { cause: SiteCause::Upstream, witnesses }), at(81_000));
    let mut turn = Turn::new(NOW);
    turn.umbrellas = vec![umbrella(SHARED, Cause::Device("pop-lon".to_owned())), over];
    turn.cases = [child(6, "acme-1"), flapping].into_iter().map(Arc::new).collect();
    turn.maintenance = vec![
        maintenance("night", Scope::Group(GroupKind::Supplier, "telco-a".to_owned()), Origin::Config, Stage::Planned),
        maintenance("past", Scope::Device("pop-lon".to_owned()), Origin::Staff("anna".to_owned()), Stage::Ended),
    ];
    let cells = [Cell::answered(Duration::from_millis(12)), Cell::LOST, Cell::DARK, Cell::BLANK].map(Cell::byte);
    let interval = Duration::from_secs(10);
    turn.chunks.push(("acme-1".to_owned(), Chunk { from: at(80_000), interval, cells: cells.to_vec() }));
    let held = |case, mark, due| HeldLine {
        umbrella: Reference::from_number(SHARED),
        customer: "acme".to_owned().into(),
        case: Reference::from_number(case),
        mark,
        due,
    };
    let mark = |kind| LetterMark { kind, number: 1 };
    turn.held = vec![
        held(6, mark(LetterKind::Opened), NOW + Duration::from_secs(40)),
        held(7, mark(LetterKind::Opened), NOW + Duration::from_secs(40)),
        held(7, mark(LetterKind::Upgraded), NOW + Duration::from_secs(70)),
    ];
    turn.letters.push(Letter {
        id: 1,
        thread: Thread::Umbrella { reference: Reference::from_number(SHARED), customer: None },
        mark: LetterMark { kind: LetterKind::Opened, number: 1 },
        previous: None,
        content: Content::Umbrella { umbrella: Arc::new(turn.umbrellas[0].clone()), cases: 2, text: None },
        to: "noc@isp.example".to_owned(),
        greeting: None,
        written_at: at(80_000),
        survey: None,
    });
    let topic = Some(Topic::Umbrella(Reference::from_number(SHARED)));
    let text = "Umbrella opened.".to_owned();
    let entry = Entry { kind: "umbrella_opened", device: None, topic, text, data: "{}".to_owned() };
    world.store(&turn, &[entry]);
    world.board.replace(vec![Some(unit("acme-1", "acme", Verdict::Loss))]);
    world
}

fn listed(world: &World, path: &str, key: &str) -> Vec<String> {
    let list = world.get(path).json();
    list.as_array().unwrap().iter().map(|item| item[key].as_str().unwrap().to_owned()).collect()
}

#[test]
fn an_umbrella_shows_what_is_under_it() {
    let world = world();
    assert_eq!(listed(&world, "/api/umbrellas", "reference"), [reference(OVER), reference(SHARED)]);
    assert_eq!(listed(&world, "/api/umbrellas?open=true", "reference"), [reference(SHARED)]);
    assert_eq!(listed(&world, "/api/umbrellas?limit=1", "reference"), [reference(OVER)]);
    let form = json!({
        "reference": reference(SHARED), "cause": "device=pop-lon",
        "sentence": "pop-lon is lost, and with it what is reached through it",
        "opened_at": "2027-01-15T06:13:20Z", "first_loss_at": "2027-01-15T06:13:10Z", "closed_at": null,
        "lost": 6, "of": 7, "within_s": 12, "case_count": 2, "at_work_count": 2,
    });
    assert_eq!(world.get("/api/umbrellas?open=true").json()[0], form);
    let shown = world.get(&format!("/api/umbrellas/{}", reference(SHARED))).json();
    let Value::Object(form) = form else { panic!("a form is an object") };
    assert!(form.iter().all(|(key, value)| shown[key] == *value), "{shown}");
    let case = json!({ "reference": reference(7), "unit": "acme-2", "customer": "acme", "priority": "P2",
        "stage": "New" });
    assert_eq!((&shown["cases"][0], shown["cases"].as_array().unwrap().len()), (&case, 2));
    assert_eq!(shown["cases_complete"], true);
    assert_eq!(shown["timeline"][0]["text"], "Umbrella opened.");
    assert_eq!((&shown["letters"][0]["to"], &shown["letters_complete"]), (&json!("noc@isp.example"), &json!(true)));
    assert_eq!(world.get(&format!("/api/umbrellas/{}", reference(OVER))).json()["closed_at"], "2027-01-15T07:20:00Z");
}

#[test]
fn a_case_tells_its_reason_umbrella_and_diagnosis() {
    let world = world();
    let under = format!("/api/cases?umbrella={}", reference(SHARED));
    assert_eq!(listed(&world, &under, "reference"), [reference(7), reference(6)]);
    assert_eq!(listed(&world, &format!("/api/cases?umbrella={}", reference(OVER)), "reference"), [""; 0]);
    let case = world.get(&format!("/api/cases/{}", reference(7))).json();
    assert_eq!((&case["reason"], &case["umbrella"]), (&json!("flapping"), &json!(reference(SHARED))));
    assert!(case["finding"].as_str().unwrap().starts_with("contact was lost 4 times"), "{case}");
    let diagnosis = &case["diagnosis"];
    assert_eq!(diagnosis["cause"], "upstream");
    assert!(diagnosis["sentence"].as_str().unwrap().contains("pop-lon was lost meanwhile"), "{diagnosis}");
    let lost = world.get(&format!("/api/cases/{}", reference(6))).json();
    assert_eq!((&lost["reason"], &lost["finding"], &lost["diagnosis"]), (&json!("loss"), &json!(null), &json!(null)));
}

#[test]
fn letters_that_are_held_back_are_seen() {
    let world = world();
    let kinds = |path: &str| {
        let shown = world.get(path).json();
        assert_eq!(shown["held_complete"], true);
        let held = shown["held"].as_array().unwrap().clone();
        held.iter().map(|letter| letter["kind"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let case = format!("/api/cases/{}", reference(6));
    assert_eq!(kinds(&case), ["opened"]);
    assert_eq!(kinds(&format!("/api/cases/{}", reference(7))), ["opened", "upgraded"]);
    assert_eq!(kinds(&format!("/api/umbrellas/{}", reference(SHARED))), ["opened", "upgraded"]);
    assert_eq!(kinds(&format!("/api/umbrellas/{}", reference(OVER))), [""; 0]);
    let letter = &world.get(&case).json()["held"][0];
    let says = |key: &str| letter[key].clone();
    assert_eq!([says("customer"), says("umbrella")], [json!("acme"), json!(reference(SHARED))]);
    assert_eq!([says("since"), says("until")], [json!("2027-01-15T07:59:25Z"), json!("2027-01-15T08:00:40Z")]);
    assert_eq!(says("lines"), 2);
    let sentence = says("sentence");
    assert!(sentence.as_str().unwrap().contains("goes at 2027-01-15 08:00:40 UTC at the latest"), "{sentence}");
    let explained = world.get(&format!("{case}/explain")).json();
    assert!(explained["sentences"].as_array().unwrap().contains(&sentence), "{explained}");
    let shown = String::from_utf8(world.cli(&["case", "show", &reference(6)]).stdout).unwrap();
    assert!(shown.contains(sentence.as_str().unwrap()), "{shown}");
    assert_eq!(world.get("/api/status").json()["letters"]["held"], 0, "the board knows nothing of them");
    let mut summary = (*world.board.summary().0).clone();
    summary.held = Some((2, NOW + Duration::from_secs(70)));
    world.board.set_summary(summary);
    let status = String::from_utf8(world.cli(&["status"]).stdout).unwrap();
    let line = "held     2 for further lines of their customers, until 2027-01-15 08:01:10Z at the latest\n";
    assert!(status.contains(line), "{status}");
}

#[test]
fn an_umbrella_shows_cases_up_to_a_limit() {
    let world = World::new(None);
    let mut turn = Turn::new(NOW);
    turn.umbrellas = vec![umbrella(SHARED, Cause::Below("pop-lon".to_owned()))];
    let numbers = (0..=MAX_CHILDREN as u64).map(|n| n + 10);
    turn.cases = numbers.map(|number| Arc::new(child(number, &format!("u-{number}")))).collect();
    world.store(&turn, &[]);
    let shown = world.get(&format!("/api/umbrellas/{}", reference(SHARED))).json();
    assert_eq!((&shown["case_count"], &shown["cases_complete"]), (&json!(MAX_CHILDREN + 1), &json!(false)));
    let cases = shown["cases"].as_array().unwrap();
    assert_eq!((cases.len(), &cases[0]["unit"]), (MAX_CHILDREN, &json!(format!("u-{}", MAX_CHILDREN + 10))));
}

#[test]
fn everybody_under_an_umbrella_is_told() {
    let world = world();
    let path = |number: u64| format!("/api/umbrellas/{}/update", reference(number));
    let told = world.post(&path(OPEN), r#"{"by": "anna", "text": "Fibre cut,\nrepair until 18:00."}"#);
    assert_eq!(told.status, 200, "{told:?}");
    assert_eq!(told.json(), json!({ "done": "update", "reference": reference(OPEN), "umbrella": null }));
    assert!(world.last_asked().starts_with("anna: Update"), "{}", world.last_asked());
    assert!(world.last_asked().contains(r#"text: "Fibre cut,\nrepair until 18:00.""#), "{}", world.last_asked());
    let text = |length: usize| json!({ "by": "anna", "text": "x".repeat(length) }).to_string();
    assert_eq!(world.post(&path(OPEN), &text(MAX_NOTE)).status, 200);
    let refusals = [
        (path(CLOSED), text(1), 404, "no open umbrella"),
        (path(OPEN), text(MAX_NOTE + 1), 400, "shorten it"),
        (path(OPEN), r#"{"text": " "}"#.to_owned(), 400, "empty"),
        (path(OPEN), "{}".to_owned(), 400, "missing field `text`"),
        (path(OPEN), r#"{"text": "x", "note": "y"}"#.to_owned(), 400, "unknown field"),
        ("/api/umbrellas/NTU-1/update".to_owned(), text(1), 404, "has the form NTU-XXXX-XXXX"),
    ];
    for (path, body, status, why) in refusals {
        let answer = world.post(&path, &body);
        assert_eq!((answer.status, answer.error().contains(why)), (status, true), "{path}: {answer:?}");
    }
    assert_eq!(world.post_tcp(&path(OPEN), "", &text(1)).status, 401);
}

#[test]
fn maintenance_is_listed() {
    let world = world();
    let night = json!({
        "id": "night", "scope": "supplier=telco-a", "from": "2027-01-15T09:00:00Z", "until": "2027-01-15T10:00:00Z",
        "emergency": false, "note": "new fibre", "stage": "planned", "revision": 2, "origin": "config", "by": null,
        "planned_at": "2027-01-15T08:00:00Z", "announced_at": "2027-01-15T08:00:00Z", "notice_s": 3600, "short_notice": true,
    });
    let all = world.get("/api/maintenance").json();
    assert_eq!((&all[0], &all[1]["by"], &all[1]["stage"]), (&night, &json!("anna"), &json!("ended")));
    assert_eq!(listed(&world, "/api/maintenance?stage=ended&limit=1", "id"), ["past"]);
    assert_eq!(listed(&world, "/api/maintenance?stage=active", "id"), [""; 0]);
    assert_eq!(listed(&world, "/api/maintenance?limit=1", "id"), ["night"]);
}

fn plan(changes: Value) -> String {
    let mut plan = json!({
        "id": "mw-1", "scope": "pop-lon", "from": "2027-02-15T22:00:00Z", "until": "2027-02-16T00:00:00+01:00",
        "by": "anna",
    });
    let Value::Object(changes) = changes else { panic!("changes are an object") };
    for (key, value) in changes {
        plan[&key] = value;
    }
    plan.to_string()
}

#[test]
fn maintenance_is_planned_and_called_off() {
    let world = world();
    let planned = world.post("/api/maintenance", &plan(json!({ "note": "x".repeat(MAX_REMARK) })));
    assert_eq!(planned.status, 200, "{planned:?}");
    let form = planned.json();
    let it = &form["maintenance"];
    assert_eq!((&form["done"], &it["scope"], &it["by"]), (&json!("plan"), &json!("pop-lon"), &json!("anna")));
    assert_eq!((&it["from"], &it["until"]), (&json!("2027-02-15T22:00:00Z"), &json!("2027-02-15T23:00:00Z")));
    assert_eq!((&it["revision"], &it["short_notice"]), (&json!(1), &json!(false)));
    assert!(it["notice_s"].as_u64().unwrap() > NOTICE.as_secs(), "{it}");
    let short = world.post(
        "/api/maintenance",
        &plan(json!({ "from": "2027-01-29T07:59:59Z", "until": "2027-01-29T09:00:00Z", "emergency": false })),
    );
    assert_eq!(short.json()["maintenance"]["short_notice"], true, "{short:?}");
    let emergency = json!({ "from": "2027-01-15T07:00:00Z", "until": "2027-01-15T09:00:00Z", "emergency": true });
    let emergency = world.post("/api/maintenance", &plan(emergency)).json();
    assert_eq!(
        (&emergency["maintenance"]["notice_s"], &emergency["maintenance"]["short_notice"]),
        (&json!(0), &json!(false))
    );
    let cancelled = world.post("/api/maintenance/mw-1/cancel", r#"{"by": "anna"}"#);
    assert_eq!(cancelled.status, 200, "{cancelled:?}");
    let it = &cancelled.json()["maintenance"];
    assert_eq!((&it["stage"], &it["revision"]), (&json!("cancelled"), &json!(2)));
}

#[test]
fn maintenance_that_cannot_be_says_why() {
    let world = world();
    let refusals = [
        (plan(json!({ "id": "over" })), 409, "over or called off, which is final"),
        (plan(json!({ "id": "a:b" })), 400, "1 to 64 ASCII letters"),
        (plan(json!({ "scope": "colour=red" })), 400, "write supplier, pop, region or access"),
        (plan(json!({ "scope": "nowhere" })), 400, "nothing in this scope"),
        (plan(json!({ "from": "2027-02-15T22:00:00" })), 400, "from is \"2027-02-15T22:00:00\", which is no time"),
        (plan(json!({ "until": "later" })), 400, "until is"),
        (plan(json!({ "note": " " })), 400, "empty"),
        (plan(json!({ "note": "x".repeat(MAX_REMARK + 1) })), 400, "shorten it"),
        (plan(json!({ "note": "one\ntwo" })), 400, "one line"),
        (plan(json!({ "emergency": "yes" })), 400, "expected a boolean"),
        (plan(json!({ "colour": "red" })), 400, "unknown field"),
        ("{}".to_owned(), 400, "missing field `id`"),
    ];
    for (body, status, why) in refusals {
        let answer = world.post("/api/maintenance", &body);
        assert_eq!((answer.status, answer.error().contains(why)), (status, true), "{body}: {answer:?}");
    }
    let unknown = world.post("/api/maintenance/mw-9/cancel", r#"{"by": "anna"}"#);
    assert_eq!((unknown.status, unknown.error().contains("no maintenance \"mw-9\"")), (404, true), "{unknown:?}");
    assert_eq!(world.post("/api/maintenance/mw-1/cancel", r#"{"why": "rain"}"#).status, 400);
    for path in ["/api/maintenance", "/api/maintenance/mw-1/cancel"] {
        assert_eq!(world.post_tcp(path, "", "{}").status, 401);
    }
}

#[test]
fn what_is_asked_for_wrongly_is_refused() {
    let world = world();
    let refusals = [
        (format!("/api/umbrellas/{}", reference(DROPPED)), 404, "there is no umbrella"),
        (format!("/api/umbrellas/{}", reference(6)), 404, "is no umbrella but a case"),
        (format!("/api/cases/{}", reference(SHARED)), 404, "is no case but an umbrella: see /api/umbrellas/"),
        (format!("/api/cases/{}/explain", reference(SHARED)), 404, "is no case but an umbrella"),
        ("/api/umbrellas?open=perhaps".to_owned(), 400, "open"),
        ("/api/umbrellas?limit=0".to_owned(), 400, "within 1 and"),
        (format!("/api/umbrellas?limit={}", MAX_PAGE + 1), 400, "within 1 and"),
        ("/api/umbrellas?before=x".to_owned(), 400, "unknown field"),
        ("/api/maintenance?stage=dreamt".to_owned(), 400, "planned, active, ended, cancelled"),
        (format!("/api/maintenance?limit={}", MAX_PAGE + 1), 400, "within 1 and"),
        ("/api/cases?umbrella=NTU-1".to_owned(), 404, "has the form"),
        ("/api/units/acme-9/strip".to_owned(), 404, "no unit"),
        ("/api/units/acme-1/strip?from=today".to_owned(), 400, "from is \"today\""),
        ("/api/units/acme-1/strip?until=2027-01-15".to_owned(), 400, "until is"),
        ("/api/units/acme-1/strip?limit=1".to_owned(), 400, "unknown field"),
        (strip("2027-01-15T07:00:00Z", "2027-01-15T07:00:00Z"), 400, "later than from"),
        (strip("2027-01-08T06:59:59Z", "2027-01-15T07:00:00Z"), 400, "7 days apart"),
    ];
    for (path, status, why) in refusals {
        let answer = world.get(&path);
        assert_eq!((answer.status, answer.error().contains(why)), (status, true), "{path}: {answer:?}");
    }
    assert_eq!(MAX_STRIP.as_secs(), 7 * 86_400);
    assert_eq!(world.get(&strip("2027-01-08T07:00:00Z", "2027-01-15T07:00:00Z")).status, 200);
}

fn strip(from: &str, until: &str) -> String {
    format!("/api/units/acme-1/strip?from={from}&until={until}")
}

#[test]
fn a_unit_tells_its_line_and_its_limits() {
    let world = world();
    let shown = world.get("/api/units/acme-1").json();
    assert_eq!([&shown["pop"], &shown["access"]], [&json!("lon"), &json!("fibre")]);
    assert_eq!(shown["rate_bps"], 100_000_000);
    let limits = json!({
        "window_s": 600, "good_windows": 3, "loss": 0.1, "rtt_ms": 800.0, "rtt_factor": 3,
        "flaps": { "count": 3, "within_s": 3600 }, "reboots": { "count": 3, "within_s": 3600 }, "interface": true,
        "errors": 0.01, "load": 0.9,
    });
    assert_eq!(shown["limits"], limits);
    assert_eq!(shown["case"]["umbrella"], reference(SHARED));
}

#[test]
fn single_rounds_are_shown() {
    let world = world();
    let shown = world.get("/api/units/acme-1/strip").json();
    assert_eq!((&shown["unit"], &shown["next"]), (&json!("acme-1"), &json!(null)));
    let stretch = &shown["stretches"][0];
    assert_eq!((&stretch["from"], &stretch["interval_s"]), (&json!("2027-01-15T06:13:20Z"), &json!(10.0)));
    let cells = stretch["cells"].as_array().unwrap();
    assert_eq!(cells[1..], [json!("lost"), json!("dark"), json!(null)]);
    assert!((cells[0].as_f64().unwrap() / 12.0 - 1.0).abs() < 0.051, "{stretch}");
    let part = world.get(&strip("2027-01-15T06:13:21Z", "2027-01-15T06:13:41Z")).json();
    let cut = json!([{ "from": "2027-01-15T06:13:30Z", "interval_s": 10.0, "cells": ["lost", "dark"] }]);
    assert_eq!(part["stretches"], cut);
    assert_eq!(world.get(&strip("2027-01-15T06:13:51Z", "2027-01-15T07:00:00Z")).json()["stretches"], json!([]));
}

#[test]
fn single_rounds_come_in_pages() {
    let world = world();
    let mut turn = Turn::new(NOW);
    let chunk = |seconds, count| {
        let cells = vec![Cell::LOST.byte(); count];
        ("acme-1".to_owned(), Chunk { from: at(seconds), interval: Duration::from_secs(1), cells })
    };
    turn.chunks = vec![chunk(40_000, MAX_CELLS), chunk(60_000, 2)];
    world.store(&turn, &[]);
    let page = world.get(&strip("2027-01-14T19:06:40Z", "2027-01-15T06:00:00Z")).json();
    assert_eq!(page["stretches"].as_array().unwrap().len(), 1, "the first chunk fills the page");
    assert_eq!(page["stretches"][0]["cells"].as_array().unwrap().len(), MAX_CELLS);
    assert_eq!(page["next"], "2027-01-15T00:40:00Z");
    let rest = world.get(&strip("2027-01-15T00:40:00Z", "2027-01-15T06:00:00Z")).json();
    assert_eq!((&rest["stretches"][0]["cells"], &rest["next"]), (&json!(["lost", "lost"]), &json!(null)));
    let split = world.get(&strip("2027-01-14T19:06:39Z", "2027-01-15T00:40:01Z")).json();
    assert_eq!(split["next"], "2027-01-15T00:40:00Z");
}

#[test]
fn the_command_line_knows_umbrellas() {
    let world = world();
    let text = |arguments: &[&str]| {
        let output = world.cli(arguments);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let list = text(&["umbrella", "list"]);
    assert_eq!(list.lines().count(), 3, "{list}");
    assert!(list.contains("device=pop-lon  2027-01-15 06:13:20Z  -"), "{list}");
    assert_eq!(text(&["umbrella", "list", "--open"]).lines().count(), 2);
    let json: Value = serde_json::from_str(&text(&["umbrella", "list", "--limit", "1", "--json"])).unwrap();
    assert_eq!((json.as_array().unwrap().len(), &json[0]["reference"]), (1, &json!(reference(OVER))));
    let shown = text(&["umbrella", "show", &reference(SHARED)]);
    for part in ["pop-lon is lost", "lost        6 of 7 within 12 s", "acme-2", "Umbrella opened.", "noc@isp.example"] {
        assert!(shown.contains(part), "{part} is missing in\n{shown}");
    }
    let told = text(&["umbrella", "update", &reference(OPEN), "repair until 18:00", "--by", "anna"]);
    assert_eq!(told, format!("{}: update\n", reference(OPEN)));
    assert!(world.last_asked().starts_with("anna: Update"), "{}", world.last_asked());
    let refused = world.cli(&["umbrella", "update", &reference(CLOSED), "x"]);
    assert_eq!(refused.status.code(), Some(65), "{refused:?}");
    let case = text(&["case", "show", &reference(7)]);
    for part in
        ["flapping: contact was lost 4 times", &format!("umbrella      {}", reference(SHARED)), "diagnosis     Cause: "]
    {
        assert!(case.contains(part), "{part} is missing in\n{case}");
    }
    assert!(text(&["case", "show", &reference(6)]).contains("reason        loss\n"));
    assert_eq!(text(&["case", "list", "--umbrella", &reference(SHARED)]).lines().count(), 3);
}

#[test]
fn the_command_line_knows_maintenance() {
    let world = world();
    let text = |arguments: &[&str]| {
        let output = world.cli(arguments);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let list = text(&["maintenance", "list"]);
    assert!(
        list.contains(
            "night  supplier=telco-a  planned  2027-01-15 09:00:00Z  2027-01-15 10:00:00Z  2    short, 1 h 0 min"
        ),
        "{list}"
    );
    assert_eq!(text(&["maintenance", "list", "--stage", "ended", "--limit", "5"]).lines().count(), 2);
    let json: Value = serde_json::from_str(&text(&["--json", "maintenance", "list"])).unwrap();
    assert_eq!(json.as_array().unwrap().len(), 2);
    let times = ["--from", "2027-01-16T08:00:00Z", "--until", "2027-01-16T09:00:00Z"];
    let plan = [&["maintenance", "plan", "mw-1", "pop=lon", "--by", "anna", "--note", "new card"][..], &times].concat();
    let planned = text(&plan);
    assert!(planned.starts_with("mw-1: planned, revision 1, pop=lon from 2027-01-16 08:00:00Z until"), "{planned}");
    assert!(planned.contains("! at short notice: 1 d 0 h before it begins"), "{planned}");
    assert!(world.last_asked().contains("note: Some(\"new card\")"), "{}", world.last_asked());
    assert!(world.last_asked().contains("emergency: None"), "what is not said stays as it is");
    let urgent = text(&[&plan[..], &["--emergency"]].concat());
    assert!(!urgent.contains("short notice") && world.last_asked().contains("emergency: Some(true)"), "{urgent}");
    assert!(text(&["maintenance", "cancel", "mw-1"]).starts_with("mw-1: cancelled, revision 2"));
    let json: Value = serde_json::from_str(&text(&["maintenance", "cancel", "mw-1", "--json"])).unwrap();
    assert_eq!(json["done"], "cancel");
    for (arguments, code) in
        [(&["maintenance", "cancel", "mw-9"][..], 65), (&["maintenance", "plan", "mw-1", "pop=lon"], 64)]
    {
        let output = world.cli(arguments);
        assert_eq!(output.status.code(), Some(code), "{output:?}");
    }
}
