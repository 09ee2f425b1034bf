//! Cases out of a real store, over HTTP and on the command line.

use crate::harness::{NOW, World, reference, unit};
use ntuwatch::domain::desk::{
    Actor, Case, CaseFact, Channel, Intake, LetterKind, LetterMark, Line, Opening, Pledges, Priority, Reference,
    Subject, Topic, WaitingOn,
};
use ntuwatch::domain::letter::{Content, Letter, Thread};
use ntuwatch::domain::time::{Tally, Time};
use ntuwatch::domain::turn::Turn;
use ntuwatch::domain::watch::{Circuit, Interval, Reason, Terms, Verdict};
use ntuwatch::store::{Entry, Store};
use ntuwatch::web::MAX_TIMELINE;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

pub(crate) const UP: Line = Line::Watched(Verdict::Up, Reason::Answered);
const WHY: &str = "It is P1: the service is down.";
const LOST: Line = Line::Watched(Verdict::Loss, Reason::NoAnswer);

/// So many seconds of the day before now.
pub(crate) fn at(seconds: i64) -> Time {
    NOW - Duration::from_secs(86_400) + Duration::from_secs(seconds.unsigned_abs())
}

pub(crate) fn opening(number: u64, unit: &str, first_loss: i64, previous: Option<u64>) -> Opening {
    Opening {
        reference: Reference::from_number(number),
        origin: Actor::Watch,
        channel: Channel::Monitoring,
        priority: Priority::P1,
        unit: unit.to_owned(),
        circuit: Circuit {
            customer: Arc::new("acme".to_owned()),
            order: "SO-1".into(),
            terms: Arc::new(Terms {
                service: "DIA".to_owned(),
                region: "EMEA".to_owned(),
                ttr: Duration::from_secs(4 * 3600),
                supplier: Some("telco-a".to_owned()),
                pop: None,
                access: None,
                rate: None,
            }),
        },
        queue: "Support".to_owned(),
        note: None,
        last_contact: Some(at(first_loss - 10)),
        first_loss: Some(at(first_loss)),
        detected: Some(at(first_loss + 3)),
        loss: Tally::started(at(first_loss)),
        line: (LOST, at(first_loss)),
        finding: None,
        solve_after: Duration::from_secs(300),
        pledges: Pledges::default(),
        previous: previous.map(Reference::from_number),
        intake: Intake::of(Subject::ServiceDown),
    }
}

/// A case that went through its whole life.
fn closed() -> Case {
    let mut case = Case::open(opening(1, "acme-1", 0, None), at(600));
    let window = Duration::from_secs(3600);
    let facts = [
        (CaseFact::Line { line: UP, at: at(900) }, 900),
        (CaseFact::Solved { by: Actor::Watch, note: None, window }, 1_200),
        (CaseFact::Closed, 4_800),
    ];
    for (fact, when) in facts {
        case.apply(&fact, at(when));
    }
    case
}

/// A world with three cases: a closed one, one that waits, and a solved one of another unit.
fn world() -> World {
    let world = World::new(None);
    let mut waiting = Case::open(opening(2, "acme-1", 80_000, Some(1)), at(80_600));
    let fact = CaseFact::Waits { by: "anna".to_owned(), on: WaitingOn::Supplier, note: None };
    waiting.apply(&fact, at(81_000));
    let mut solved = Case::open(opening(3, "acme-2", 0, None), at(600));
    solved.apply(&CaseFact::Line { line: UP, at: at(85_000) }, at(85_000));
    let window = Duration::from_secs(86_400);
    solved.apply(&CaseFact::Solved { by: Actor::Watch, note: None, window }, at(85_300));
    let mut turn = Turn::new(NOW);
    turn.cases = [closed(), waiting, solved].into_iter().map(Arc::new).collect();
    turn.intervals.push(Interval {
        device: "acme-1".to_owned(),
        from: at(0),
        until: at(900),
        verdict: Verdict::Loss,
        reason: Reason::NoAnswer,
    });
    let letter = |number: u32| Letter {
        id: number.into(),
        thread: Thread::Case { reference: Reference::from_number(2), unit: "acme-1".to_owned() },
        mark: LetterMark { kind: LetterKind::Opened, number },
        previous: None,
        content: Content::Case(Arc::clone(&turn.cases[1])),
        to: "it@acme.example".to_owned(),
        greeting: None,
        written_at: at(80_600),
        survey: None,
    };
    turn.letters = (1..=MAX_TIMELINE as u32 + 1).map(letter).collect();
    let entry = |n: usize| Entry {
        kind: "noted",
        device: Some("acme-1".to_owned()),
        topic: Some(Topic::Case(Reference::from_number(2))),
        text: format!("Entry {n}."),
        data: json!({ "n": n }).to_string(),
    };
    let entries: Vec<_> = (0..=MAX_TIMELINE).map(entry).collect();
    world.store(&turn, &entries);
    world.board.replace(vec![Some(unit("acme-1", "acme", Verdict::Loss))]);
    world
}

#[test]
fn a_case_has_every_field_and_null_where_not_yet() {
    let world = world();
    let list = world.get("/api/cases?unit=acme-1&limit=1&open=true").json();
    let mut case = list[0].clone();
    let downtime = case["downtime_s"].take();
    assert!(downtime.as_u64().unwrap().abs_diff(6_400) < 60, "it goes on: {downtime}");
    let expected = json!({
        "reference": reference(2), "priority": "P1", "stage": "Waiting", "unit": "acme-1", "order": "SO-1",
        "customer": "acme", "queue": "Support", "channel": "monitoring", "opened_at": "2027-01-15T06:23:20Z",
        "last_contact_at": "2027-01-15T06:13:10Z", "first_loss_at": "2027-01-15T06:13:20Z", "solved_at": null,
        "window_ends_at": null, "closed_at": null, "previous": reference(1),
        "detected_at": "2027-01-15T06:13:23Z", "recovered_at": null, "downtime_s": null, "line": "LOSS",
        "owner": "anna", "origin": "ntuwatch", "waiting_on": "supplier", "service": "DIA", "region": "EMEA",
        "supplier": "telco-a", "ttr_s": 14400, "repair_due_at": "2027-01-15T10:23:20Z", "solved_count": 0,
        "returned_count": 0, "note": null, "reason": "loss", "finding": null, "later_finding": null, "umbrella": null, "diagnosis": null,
        "promises": [], "level": null, "escalated_count": 0, "rfo": { "required": false, "issued": 0, "step": "none" },
    });
    let intake = json!({ "subject": "service-down", "request": false, "prechecks": null, "prechecks_missing": false,
        "caller": null, "wanted_at": null, "short_notice": false, "earliest_at": null, "lapsed": false, "answer": null });
    for (key, value) in intake.as_object().unwrap() {
        assert_eq!(case.as_object_mut().unwrap().shift_remove(key).as_ref(), Some(value), "{key}");
    }
    let people = ["rule", "misroutes", "customer_tier", "contract", "lpoc", "contact_invalid"];
    let found = people.map(|key| case.as_object_mut().unwrap().shift_remove(key).unwrap());
    assert_eq!(found, [json!(null), json!(0), json!("standard"), json!(null), json!(null), json!(null)]);
    assert_eq!(case, expected);
    let solved = world.get(&format!("/api/cases/{}", reference(3))).json();
    assert_eq!(solved["solved_at"], "2027-01-15T07:41:40Z");
    assert_eq!(solved["window_ends_at"], "2027-01-16T07:41:40Z");
    let closed = world.get(&format!("/api/cases/{}", reference(1))).json();
    assert_eq!(closed["recovered_at"], "2027-01-14T08:15:00Z");
    assert_eq!(closed["solved_at"], "2027-01-14T08:20:00Z");
    assert_eq!(closed["window_ends_at"], "2027-01-14T09:20:00Z");
    assert_eq!(closed["closed_at"], "2027-01-14T09:20:00Z");
    assert_eq!(closed["downtime_s"], 900);
}

#[test]
fn what_people_report_is_checked_before_anybody_is_asked() {
    let world = world();
    let refused = |body: serde_json::Value| {
        let answer = world.post("/api/cases", &body.to_string());
        (answer.status, answer.json()["error"].as_str().unwrap_or_default().to_owned())
    };
    let report = |key: &str, value: serde_json::Value| {
        let mut body = json!({ "by": "ann", "unit": "acme-1", "subject": "engineer-dispatch" });
        body[key] = value;
        body
    };
    for (body, status, why) in [
        (report("subject", json!("billing")), 400, "choose from service-down (Service Down or Severely Impacted)"),
        (json!({ "by": "ann", "unit": "acme-1" }), 400, "choose a subject"),
        (json!({ "by": "ann", "unit": "acme-1", "priority": "P3" }), 400, "choose a subject"),
        (report("priority", json!("P1")), 400, "is P3 and not P1"),
        (report("prechecks", json!({ "power": "yes" })), 400, "pre-checks are for incidents"),
        (report("wanted_at", json!("tomorrow")), 400, "wanted_at"),
        (report("order", json!("SO-2")), 400, "does not have the order"),
        (json!({ "by": "ann", "order": "SO-2", "subject": "other" }), 404, "no order"),
        (json!({ "by": "ann", "unit": "acme-9", "subject": "other" }), 404, "no unit"),
        (json!({ "by": "ann", "subject": "other" }), 400, "name the"),
        (report("about", json!(reference(2))), 409, "is not closed"),
        (report("about", json!(reference(3))), 400, "no case of this unit"),
        (report("about", json!(reference(9))), 404, "there is no case"),
    ] {
        let (found, error) = refused(body.clone());
        assert!(found == status && error.contains(why), "{body}: {found} {error}");
    }
    let checks = json!({ "by": "ann", "unit": "acme-1", "subject": "degraded", "prechecks": { "power": "maybe" } });
    assert_eq!(refused(checks).0, 400);
    let checks = json!({ "by": "ann", "unit": "acme-1", "subject": "degraded", "prechecks": { "weather": "yes" } });
    assert!(refused(checks).1.contains("power, cables, lights"));
    assert!(world.asked.lock().unwrap().is_empty(), "nobody was asked");
}

#[test]
fn cases_are_listed_newest_first_in_pages() {
    let world = world();
    let listed = |query: &str| -> Vec<String> {
        let list = world.get(&format!("/api/cases{query}")).json();
        list.as_array().unwrap().iter().map(|case| case["reference"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(listed(""), [reference(3), reference(2), reference(1)]);
    assert_eq!(listed("?open=true"), [reference(3), reference(2)]);
    assert_eq!(listed("?unit=acme-1"), [reference(2), reference(1)]);
    assert_eq!(listed("?limit=1"), [reference(3)]);
    assert_eq!(listed(&format!("?before={}", reference(2))), [reference(1)]);
    assert_eq!(world.get(&format!("/api/cases/{}", reference(4))).status, 404);
}

#[test]
fn a_case_shows_its_timeline_letters_and_reasons() {
    let world = world();
    let case = world.get(&format!("/api/cases/{}", reference(2))).json();
    let timeline = case["timeline"].as_array().unwrap();
    assert_eq!((timeline.len(), &case["timeline_complete"]), (MAX_TIMELINE, &json!(false)));
    let last = json!({ "at": "2027-01-15T08:00:00Z", "kind": "noted",
        "text": format!("Entry {MAX_TIMELINE}."), "data": { "n": MAX_TIMELINE } });
    assert_eq!((&timeline[0]["text"], timeline.last()), (&json!("Entry 1."), Some(&last)));
    let letters = case["letters"].as_array().unwrap();
    assert_eq!((letters.len(), &case["letters_complete"]), (MAX_TIMELINE, &json!(false)));
    let letter = json!({ "id": 2, "kind": "opened", "number": 2, "to": "it@acme.example", "subject": "Line down",
        "state": "queued", "attempts": 0, "error": null, "written_at": "2027-01-15T06:23:20Z", "sent_at": null });
    assert_eq!(letters[0], letter, "the latest ones");
    let explained = world.get(&format!("/api/cases/{}/explain", reference(2))).json();
    assert_eq!(explained["reference"], reference(2));
    assert!(explained["sentences"].as_array().unwrap().contains(&json!(WHY)), "{explained}");
    let shown = world.get("/api/units/acme-1").json();
    assert_eq!((&shown["case"]["reference"], &shown["order"]), (&json!(reference(2)), &json!("SO-acme-1")));
    let interval = json!({ "from": "2027-01-14T08:00:00Z", "until": "2027-01-14T08:15:00Z", "verdict": "LOSS",
        "reason": "no_answer" });
    assert_eq!(shown["ledger"], json!([interval]));
}

#[test]
fn the_command_line_shows_cases() {
    let world = world();
    let text = |arguments: &[&str]| {
        let output = world.cli(arguments);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let list = text(&["case", "list", "--open"]);
    assert_eq!(list.lines().count(), 3, "{list}");
    assert!(list.contains("P1    Waiting  acme-1  acme      2027-01-15 06:23:20Z  anna"), "{list}");
    let json: serde_json::Value = serde_json::from_str(&text(&["case", "list", "--json"])).unwrap();
    assert_eq!(json.as_array().unwrap().len(), 3);
    let case = text(&["case", "show", &reference(2)]);
    assert!(case.contains("Entry 1000.") && case.contains("it@acme.example"), "{case}");
    assert!(text(&["case", "explain", &reference(2)]).contains(&format!("\n{WHY}\n")));
    let shown = text(&["unit", "show", "acme-1"]);
    assert!(shown.contains(&format!("case          {} P1 Waiting", reference(2))), "{shown}");
}

#[test]
fn a_backup_is_made_while_the_daemon_runs() {
    let world = world();
    let copy = world.folder.path().join("copy.db");
    let copy = copy.to_str().unwrap();
    let done = world.cli(&["backup", copy]);
    assert_eq!(done.status.code(), Some(0), "{done:?}");
    assert!(Store::open(std::path::Path::new(copy)).is_ok());
    let again = world.cli(&["backup", copy]);
    assert_eq!(again.status.code(), Some(73), "{again:?}");
}
