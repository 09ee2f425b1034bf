//! The interface, on real sockets: every status code, the token's rules, limits and formats, and the command line.

#![recursion_limit = "256"]
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

mod cases;
mod cli;
mod exposition;
mod harness;
mod mail;
mod parties;
mod report;
mod rfo;
mod shared;
mod survey;
mod works;

use harness::{CLOSED, DROPPED, NOW, OPEN, TOKEN, World, path, reference, row, unit};
use ntuwatch::domain::desk::{Alarm, AlarmCause, AlarmKind, CanaryStep, Move};
use ntuwatch::domain::watch::{
    AgentState, Place, Reason, Role, Secret, Slot, SnmpAccess, SnmpVersion, Symptom, Symptoms, Verdict,
};
use ntuwatch::web::board::{MAX_ROWS_A_LOOK, Reload, Row, Summary};
use ntuwatch::web::{self, MAX_BODY, MAX_CONNECTIONS, MAX_NAME, MAX_NOTE, MAX_PAGE};
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::ops::ControlFlow;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

fn body(by: &str) -> String {
    json!({ "by": by }).to_string()
}

#[test]
fn a_change_is_answered_with_the_case() {
    let world = World::new(None);
    let answer = world.post(&path(OPEN, Move::Take), r#"{"by": "anna"}"#);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json(), json!({ "reference": reference(OPEN), "done": "take", "case": null }));
    assert!(world.last_asked().starts_with("anna: Work"), "{}", world.last_asked());
    let bodies = [
        (Move::Note, r#"{"text": "rang\nthe\tsite"}"#, r#"Note { text: "rang\nthe\tsite" }"#),
        (
            Move::Wait,
            r#"{"on": "supplier", "note": "ticket 4711"}"#,
            "Wait { on: Supplier, note: Some(\"ticket 4711\") }",
        ),
        (Move::Solve, "{}", "Solve { note: None }"),
        (Move::Return, r#"{"note": "not at all"}"#, "Return { note: Some(\"not at all\") }"),
    ];
    for (verb, body, wish) in bodies {
        let answer = world.post(&path(OPEN, verb), body);
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(world.last_asked().contains(wish), "{}", world.last_asked());
    }
}

#[test]
fn a_reference_may_be_written_as_people_do() {
    let world = World::new(None);
    let plain = reference(OPEN).replace('-', "%20").to_lowercase();
    assert_eq!(world.post(&format!("/api/cases/{plain}/take"), "{}").status, 200);
    let misheard = format!("{}{}", &reference(OPEN)[..12], if reference(OPEN).ends_with('2') { '3' } else { '2' });
    let answer = world.post(&format!("/api/cases/{misheard}/take"), "{}");
    assert_eq!((answer.status, answer.error().contains("read the reference again")), (404, true), "{answer:?}");
    assert_eq!(world.get("/api/cases/NTU-1").status, 404);
    assert_eq!(world.get("/api/cases/%ff%fe").status, 400);
}

#[test]
fn the_local_user_acts_in_its_own_name() {
    let world = World::new(None);
    let user = nix::unistd::User::from_uid(nix::unistd::Uid::current()).unwrap().unwrap();
    assert_eq!(world.post(&path(OPEN, Move::Take), "{}").status, 200);
    assert!(world.last_asked().starts_with(&format!("{}: ", user.name)), "{}", world.last_asked());
}

#[test]
fn what_cannot_be_done_says_why() {
    let world = World::new(None);
    world.board.replace(vec![Some(unit("acme-1", "acme", Verdict::Up)), Some(unit("busy-1", "acme", Verdict::Up))]);
    let refusals = [
        (path(9, Move::Take), "{}", 404, "there is no case"),
        (path(CLOSED, Move::Solve), "{}", 409, "closed, which is final"),
        (path(DROPPED, Move::Take), "{}", 503, "not known whether it was done"),
        (path(OPEN, Move::Take), r#"{"by": "crowd"}"#, 503, "too many requests are waiting"),
        (path(OPEN, Move::Take), r#"{"by": "ntuwatch"}"#, 400, "which person it is"),
        (path(OPEN, Move::Take), r#"{"by": "eve\nnote: all well"}"#, 400, "control characters"),
        (path(OPEN, Move::Take), r#"{"by": ""}"#, 400, "name of up to"),
        (path(OPEN, Move::Take), r#"{"from": "anna"}"#, 400, "unknown field"),
        (path(OPEN, Move::Take), r#"{"by": 7}"#, 400, "expected a string"),
        (path(OPEN, Move::Take), "", 400, "does not fit"),
        (path(OPEN, Move::Take), "{", 400, "does not fit"),
        (path(OPEN, Move::Note), "{}", 400, "missing field `text`"),
        (path(OPEN, Move::Note), r#"{"text": " \n "}"#, 400, "empty"),
        (path(OPEN, Move::Note), "{\"text\": \"\\u001b[2J\"}", 400, "control characters"),
        (path(OPEN, Move::Promise), r#"{"kind": "repair", "within_s": 60}"#, 400, "choose from update, onsite"),
        (path(OPEN, Move::Promise), r#"{"kind": "update", "within_s": 59}"#, 400, "promise 60 s to 720 h"),
        (path(OPEN, Move::Assign), r#"{"to": ""}"#, 400, "name of up to"),
        (path(OPEN, Move::Tell), r#"{"text": ""}"#, 400, "empty"),
        (path(OPEN, Move::Wait), r#"{"on": "godot"}"#, 400, "customer, supplier, access"),
        ("/api/cases".to_owned(), r#"{"unit": "acme-2", "priority": "P1"}"#, 404, "no unit \"acme-2\""),
        ("/api/cases".to_owned(), r#"{"unit": "busy-1", "priority": "P1"}"#, 409, "open case already"),
        ("/api/cases".to_owned(), r#"{"unit": "acme-1", "priority": "P9"}"#, 400, "P1, P2"),
    ];
    for (path, body, status, why) in refusals {
        let answer = world.post(&path, body);
        assert_eq!((answer.status, answer.error().contains(why)), (status, true), "{path} {body}: {answer:?}");
    }
    let opened = world.post("/api/cases", r#"{"unit": "acme-1", "priority": "p2", "note": "slow", "by": "anna"}"#);
    assert_eq!(opened.status, 201, "{opened:?}");
    let form = json!({ "reference": reference(OPEN), "priority": "P2", "subject": "degraded", "unit": "acme-1", "order": "SO-acme-1", "case": null });
    assert_eq!(opened.json(), form);
    assert!(opened.head.contains(&format!("location: /api/cases/{}", reference(OPEN))), "{}", opened.head);
    // The order will do, and what is open already is offered (R8, R23).
    let by_order = r#"{"order": "SO-acme-1", "subject": "Software Update", "anyway": true, "by": "anna"}"#;
    let opened = world.post("/api/cases", by_order).json();
    assert_eq!((&opened["unit"], &opened["priority"]), (&json!("acme-1"), &json!("P3")));
    assert!(world.last_asked().contains("SoftwareUpdate") && world.last_asked().contains("anyway: true"));
    let again = world.post("/api/cases", r#"{"unit": "busy-1", "subject": "service-down", "by": "anna"}"#).json();
    assert_eq!(again["possible_duplicate_of"], reference(OPEN));
    let answer = r#"{"text": "done", "told": true, "by": "anna"}"#;
    assert_eq!(world.post(&path(OPEN, Move::Answer), answer).json()["done"], "answer");
    assert!(world.last_asked().contains("told: true"));
}

#[test]
fn bodies_and_notes_are_taken_up_to_their_limits() {
    let world = World::new(None);
    let note = |length: usize| json!({ "text": "x".repeat(length) }).to_string();
    assert_eq!(world.post(&path(OPEN, Move::Note), &note(MAX_NOTE)).status, 200);
    assert_eq!(world.post(&path(OPEN, Move::Note), &note(MAX_NOTE + 1)).status, 400);
    assert_eq!(world.post(&path(OPEN, Move::Take), &body(&"ä".repeat(MAX_NAME))).status, 200);
    assert_eq!(world.post(&path(OPEN, Move::Take), &body(&"ä".repeat(MAX_NAME + 1))).status, 400);
    let padded = |length: usize| format!("{}{}", "{}", " ".repeat(length - 2));
    assert_eq!(world.post(&path(OPEN, Move::Take), &padded(MAX_BODY)).status, 200);
    assert_eq!(world.post(&path(OPEN, Move::Take), &padded(MAX_BODY + 1)).status, 413);
    let nested = "[".repeat(MAX_BODY);
    assert_eq!(world.post(&path(OPEN, Move::Take), &nested).status, 400);
}

#[test]
fn requests_that_are_none_are_refused() {
    let world = World::new(None);
    assert_eq!(world.get("/api/nothing").status, 404);
    assert!(world.get("/api/nothing").error().contains("/api/status"));
    assert_eq!(world.post("/api/status", "{}").status, 405);
    assert_eq!(world.get(&path(OPEN, Move::Take)).status, 405);
    assert_eq!(world.get("/api/units?limit=0").status, 400);
    assert_eq!(world.get(&format!("/api/units?limit={}", MAX_PAGE + 1)).status, 400);
    assert_eq!(world.get("/api/units?limit=many").status, 400);
    assert_eq!(world.get("/api/units?color=red").status, 400);
    assert_eq!(world.get("/api/units?verdict=FINE").status, 400);
    assert_eq!(world.get("/api/cases?before=NTU-1").status, 404);
    assert_eq!(world.raw(b"how do you do\r\n\r\n").status, 400);
    let long = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(200_000));
    assert!((400..500).contains(&world.raw(long.as_bytes()).status));
    let form = format!(
        "POST {} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: text/plain\r\n\
                        Content-Length: 2\r\n\r\n{{}}",
        path(OPEN, Move::Take)
    );
    assert_eq!(world.raw(form.as_bytes()).status, 415);
    assert_eq!(world.get("/health").status, 200, "the server lives on");
}

#[test]
fn over_tcp_a_change_needs_the_token() {
    let world = World::new(Some(TOKEN));
    let take = |header: &str, body: &str| world.post_tcp(&path(OPEN, Move::Take), header, body);
    let token = format!("Authorization: Bearer {TOKEN}\r\n");
    assert_eq!(take(&token, r#"{"by": "anna"}"#).status, 200);
    assert_eq!(take(&token.replace("Bearer", "bearer"), r#"{"by": "anna"}"#).status, 200);
    assert!(take(&token, "{}").error().contains("who you are"), "nobody stands behind a token");
    let wrong = [
        String::new(),
        format!("Authorization: Bearer {TOKEN}r\r\n"),
        format!("Authorization: Bearer {}\r\n", &TOKEN[1..]),
        "Authorization: Bearer\r\n".to_owned(),
        "Authorization: Bearer \r\n".to_owned(),
        format!("Authorization: Basic {TOKEN}\r\n"),
        "Authorization: x\r\n".to_owned(),
    ];
    for header in wrong {
        let answer = take(&header, r#"{"by": "anna"}"#);
        assert_eq!(answer.status, 401, "{header}");
        assert!(answer.head.contains("www-authenticate: Bearer"), "{}", answer.head);
    }
    assert_eq!(world.asked.lock().unwrap().len(), 2);
    assert_eq!(world.get_tcp("/api/status").status, 200);
}

#[test]
fn without_a_token_tcp_is_for_reading() {
    let world = World::new(None);
    let answer = world.post_tcp(&path(OPEN, Move::Take), "Authorization: Bearer \r\n", r#"{"by": "anna"}"#);
    assert_eq!((answer.status, answer.error().contains("reading only")), (403, true), "{answer:?}");
    assert!(world.asked.lock().unwrap().is_empty());
    assert_eq!(world.get_tcp("/metrics/units").status, 200);
}

#[test]
fn units_come_in_pages() {
    let world = World::new(None);
    let mut rows: Vec<_> = (0..2_500).map(|n| Some(unit(&format!("u-{n:04}"), "acme", Verdict::Up))).collect();
    rows.reverse();
    rows.push(None);
    rows.push(Some(row("pop-lon", Role::Node, Verdict::Up)));
    rows.push(Some(row("far-1", Role::Sentinel(Place::Far), Verdict::Up)));
    rows.push(Some(unit("zeta-1", "zeta", Verdict::Loss)));
    world.board.replace(rows);
    let page = world.get("/api/units?limit=2&after=u-0009").json();
    assert_eq!(page[0]["id"], "u-0010");
    let form = json!({ "id": "u-0011", "customer": "acme", "address": "192.0.2.1", "verdict": "UP",
        "since": "2027-01-15T07:59:00Z", "rtt_ms": 12.345, "loss_5m": 0.25, "symptoms": [], "agent": "unknown",
        "maintained": false });
    assert_eq!((page[1].clone(), page.as_array().unwrap().len()), (form, 2));
    let ids = |path: &str| -> Vec<String> {
        let page = world.get(path).json();
        page.as_array().unwrap().iter().map(|unit| unit["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids("/api/units?verdict=loss"), ["zeta-1"], "found beyond the first look");
    assert_eq!(ids("/api/units?customer=zeta"), ["zeta-1"]);
    assert_eq!(ids("/api/units?after=zeta-1"), [""; 0]);
    assert_eq!(ids("/api/nodes"), ["far-1", "pop-lon"]);
    let nodes = world.get("/api/nodes").json();
    assert_eq!((&nodes[0]["role"], &nodes[0]["place"]), (&json!("sentinel"), &json!("far")));
    assert_eq!((&nodes[1]["role"], &nodes[1]["place"]), (&json!("node"), &json!(null)));
    assert_eq!(ids("/api/units?limit=1000").len(), 1_000);
    assert_eq!(world.get("/api/units/pop-lon").status, 404);
    assert_eq!(world.get("/api/units/u-9999").status, 404);
}

#[test]
fn the_operators_housekeeping_is_a_list() {
    let world = World::new(None);
    let unit = |id: &str, agent: AgentState, symptoms: &[Symptom]| {
        let mut row = unit(id, "acme", Verdict::Degraded);
        row.status.agent = agent;
        row.status.maintained = id == "worked-on";
        let bits = symptoms.iter().map(|symptom| 1 << *symptom as u8).sum();
        row.status.symptoms = Symptoms::from_bits(bits);
        Some(row)
    };
    world.board.replace(vec![
        unit("flaps", AgentState::Answers, &[Symptom::Loss, Symptom::Flapping]),
        unit("mute", AgentState::Silent, &[]),
        unit("shut", AgentState::Rejects, &[Symptom::Loss]),
        unit("worked-on", AgentState::Unknown, &[]),
    ]);
    let ids = |query: &str| -> Vec<String> {
        let page = world.get(&format!("/api/units?{query}")).json();
        page.as_array().unwrap().iter().map(|unit| unit["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids("agent=silent"), ["mute"]);
    assert_eq!(ids("agent=Rejects"), ["shut"]);
    assert_eq!(ids("symptom=loss_share"), ["flaps", "shut"]);
    assert_eq!(ids("symptom=loss_share&agent=answers"), ["flaps"]);
    assert_eq!(ids("symptom=reboots"), [""; 0]);
    let all = world.get("/api/units").json();
    assert_eq!((&all[0]["symptoms"], &all[0]["agent"]), (&json!(["flapping", "loss_share"]), &json!("answers")));
    assert_eq!((&all[1]["maintained"], &all[3]["maintained"]), (&json!(false), &json!(true)));
    for (query, why) in [("agent=asleep", "unknown, answers, rejects, silent"), ("symptom=tired", "flapping, reboots")]
    {
        let answer = world.get(&format!("/api/units?{query}"));
        assert_eq!((answer.status, answer.error().contains(why)), (400, true), "{answer:?}");
    }
}

#[test]
fn alarms_umbrellas_and_maintenance_show_in_the_status() {
    let world = World::new(None);
    let mut summary = Summary::clone(&world.board.summary().0);
    let step = CanaryStep::NoLetter;
    let canary = AlarmCause::Canary { unit: "canary-1".to_owned(), step };
    let alarm = |kind, why| Alarm { kind, since: NOW, why };
    summary.alarms = vec![alarm(AlarmKind::Canary, canary)];
    (summary.umbrellas, summary.maintenance) = (2, 3);
    world.board.set_summary(summary.clone());
    let status = world.get("/api/status").json();
    assert_eq!((&status["umbrellas"], &status["maintenance"]), (&json!(2), &json!(3)));
    let shown = &status["alarms"][0];
    assert_eq!((&shown["kind"], &shown["since"]), (&json!("canary"), &json!("2027-01-15T08:00:00Z")));
    assert!(shown["why"].as_str().unwrap().contains("canary-1 has its case, but the letter"), "{shown}");
    let health = world.get("/health").json();
    assert_eq!((&health["status"], &health["why"][0]), (&json!("degraded"), &shown["why"]));
    let metrics = exposition::read(&world.metrics().body);
    assert_eq!(metrics[r#"ntuwatch_alarms{alarm="canary"}"#], 1.0);
    assert_eq!(metrics[r#"ntuwatch_alarms{alarm="impaired"}"#], 0.0);
    summary.cut_off = Some((NOW, Reason::SentinelsSilent));
    summary.alarms = vec![alarm(AlarmKind::Isolation, AlarmCause::OwnSide(Reason::SentinelsSilent))];
    world.board.set_summary(summary);
    assert_eq!(world.get("/health").json()["why"].as_array().unwrap().len(), 1, "said once");
}

#[test]
fn the_board_counts_units_by_verdict() {
    let world = World::new(None);
    let rows = [unit("a", "acme", Verdict::Up), unit("b", "acme", Verdict::Up), row("n", Role::Node, Verdict::Up)];
    let (unit_lost, node_lost) = (unit("b", "acme", Verdict::Loss), row("n", Role::Node, Verdict::Loss));
    world.board.replace(rows.into_iter().map(Some).collect());
    world.board.update([(Slot(1), Some(unit_lost)), (Slot(2), Some(node_lost))]);
    world.board.update([(Slot(77), None)]);
    let counts = json!({ "UP": 1, "LOSS": 1, "DEGRADED": 0, "INCONCLUSIVE": 0, "UNOBSERVED": 0 });
    assert_eq!(world.get("/api/status").json()["units"], counts);
}

#[test]
fn the_board_shows_who_joins_and_who_leaves_in_order() {
    let world = World::new(None);
    let up = |id| Some(unit(id, "acme", Verdict::Up));
    world.board.replace(vec![up("b"), up("d"), up("e")]);
    world.board.update([(Slot(0), None), (Slot(1), up("f")), (Slot(4), up("a"))]);
    let mut shown = Vec::new();
    world.board.look(None, |row| {
        shown.push(row.device.id.to_string());
        ControlFlow::Continue(())
    });
    assert_eq!(shown, ["a", "e", "f"]);
    let counts = json!({ "UP": 3, "LOSS": 0, "DEGRADED": 0, "INCONCLUSIVE": 0, "UNOBSERVED": 0 });
    assert_eq!(world.get("/api/status").json()["units"], counts);
}

#[test]
fn the_board_counts_agents_of_units_that_are_asked() {
    let world = World::new(None);
    let asked = |mut row: Row| {
        let version = SnmpVersion::V2c { community: Secret::new("public".to_owned()) };
        let access = SnmpAccess { version, port: 161, interface: None };
        Arc::make_mut(&mut Arc::make_mut(&mut row.device).rules).snmp = Some(Arc::new(access));
        Some(row)
    };
    let mute = |row: Option<Row>| {
        let mut row = row.unwrap();
        row.status.agent = AgentState::Silent;
        Some(row)
    };
    let rows = vec![
        asked(unit("a", "acme", Verdict::Up)),
        asked(unit("b", "acme", Verdict::Up)),
        Some(unit("c", "acme", Verdict::Up)),
        asked(row("n", Role::Node, Verdict::Up)),
    ];
    world.board.replace(rows.clone());
    world.board.update((0..).map(Slot).zip(rows).skip(1).map(|(slot, row)| (slot, mute(row))));
    let metrics = exposition::read(&world.metrics().body);
    let count = |state: AgentState| metrics[&format!("ntuwatch_agents{{state=\"{}\"}}", state.name())];
    assert_eq!(AgentState::ALL.map(count), [1.0, 0.0, 0.0, 1.0], "the others are not asked, or are no units");
}

#[test]
fn metrics_are_there_from_the_start() {
    let world = World::new(None);
    let answer = world.metrics();
    assert!(answer.head.contains("text/plain; version=0.0.4"), "{}", answer.head);
    let metrics = exposition::read(&answer.body);
    for series in [
        r#"ntuwatch_units{verdict="INCONCLUSIVE"}"#,
        r#"ntuwatch_cases{priority="P2",stage="Waiting"}"#,
        r#"ntuwatch_probes_sent_total{method="icmp"}"#,
        r#"ntuwatch_probes_answered_total{method="snmp"}"#,
        r#"ntuwatch_probes_lost_total{method="icmp"}"#,
        r#"ntuwatch_probes_unsent_total{method="icmp"}"#,
        r#"ntuwatch_probes_rejected_total{method="snmp"}"#,
        r#"ntuwatch_probe_duration_seconds_bucket{method="icmp",le="+Inf"}"#,
        "ntuwatch_letters_queued",
        "ntuwatch_letters_sent_total",
        "ntuwatch_letters_failed_total",
        "ntuwatch_letter_attempts_failed_total",
        "ntuwatch_letters_oldest_age_seconds",
        "ntuwatch_commits_total",
        "ntuwatch_commit_failures_total",
        "ntuwatch_commit_duration_seconds_count",
        "ntuwatch_schedule_lateness_seconds_count",
        "ntuwatch_isolated",
        "ntuwatch_config_reload_success",
        "ntuwatch_config_reload_timestamp_seconds",
        r#"ntuwatch_cases_opened_total{priority="P1"}"#,
        r#"ntuwatch_http_responses_total{class="5xx"}"#,
        r#"ntuwatch_icmp_errors_total{what="host_unreachable"}"#,
        r#"ntuwatch_icmp_errors_total{what="hop_limit"}"#,
        r#"ntuwatch_ignored_datagrams_total{method="icmp",why="duplicate"}"#,
        r#"ntuwatch_ignored_datagrams_total{method="icmp",why="late"}"#,
        r#"ntuwatch_ignored_datagrams_total{method="icmp",why="foreign"}"#,
        r#"ntuwatch_ignored_datagrams_total{method="snmp",why="foreign"}"#,
        r#"ntuwatch_traps_received_total{outcome="taken"}"#,
        r#"ntuwatch_traps_received_total{outcome="unknown_sender"}"#,
        r#"ntuwatch_traps_received_total{outcome="refused"}"#,
        r#"ntuwatch_traps_received_total{outcome="malformed"}"#,
        r#"ntuwatch_traps_received_total{outcome="flood"}"#,
        "ntuwatch_resolve_failures_total",
        r#"ntuwatch_heartbeats_total{outcome="sent"}"#,
        r#"ntuwatch_heartbeats_total{outcome="failed"}"#,
        r#"ntuwatch_heartbeats_total{outcome="withheld"}"#,
        r#"ntuwatch_build_info{version="0.1.0"}"#,
        r#"ntuwatch_units{verdict="DEGRADED"}"#,
        "ntuwatch_umbrellas",
        "ntuwatch_maintenance_active",
        r#"ntuwatch_alarms{alarm="isolation"}"#,
        r#"ntuwatch_agents{state="silent"}"#,
        r#"ntuwatch_maintenance_announced_total{notice="kept"}"#,
        r#"ntuwatch_maintenance_announced_total{notice="short"}"#,
        r#"ntuwatch_maintenance_announced_total{notice="emergency"}"#,
        "ntuwatch_traps_ignored_total",
        r#"ntuwatch_degraded_total{symptom="flapping"}"#,
        "ntuwatch_canary_last_success_timestamp_seconds",
    ] {
        assert!(metrics.contains_key(series), "{series} is missing in\n{}", answer.body);
    }
}

#[test]
fn unit_metrics_stream_any_number_of_units() {
    let world = World::new(None);
    let count = 2 * MAX_ROWS_A_LOOK + 1;
    let mut rows: Vec<_> = (0..count).map(|n| Some(unit(&format!("u-{n}"), "acme", Verdict::Up))).collect();
    rows.push(Some(unit("we\\ird\"1\n", "zeta", Verdict::Loss)));
    rows.extend((0..count).map(|n| Some(row(&format!("a-node-{n}"), Role::Node, Verdict::Up))));
    world.board.replace(rows);
    let metrics = exposition::read(&world.get("/metrics/units").body);
    assert_eq!(metrics.len(), 5 * (count + 1));
    let labels = r#"unit="we\\ird\"1\n",customer="zeta""#;
    assert_eq!(metrics[&format!("ntuwatch_unit_up{{{labels}}}")], 0.0);
    assert_eq!(metrics[&format!("ntuwatch_unit_verdict{{{labels},verdict=\"LOSS\"}}")], 1.0);
    assert_eq!(metrics[&format!("ntuwatch_unit_rtt_seconds{{{labels}}}")], 0.012_345);
    assert_eq!(metrics[&format!("ntuwatch_unit_loss_ratio{{{labels}}}")], 0.25);
    assert_eq!(metrics[&format!("ntuwatch_unit_last_contact_timestamp_seconds{{{labels}}}")], 1_800_000_000.0);
}

#[test]
fn health_tells_failing_from_degraded() {
    let world = World::new(None);
    let health = |change: &dyn Fn(&mut Summary)| {
        let mut summary = Summary::clone(&world.board.summary().0);
        change(&mut summary);
        world.board.set_summary(summary);
        let answer = world.get("/health");
        (answer.status, answer.json()["status"].as_str().unwrap().to_owned(), answer.json()["why"].to_string())
    };
    assert_eq!(health(&|_| {}), (200, "ok".to_owned(), "null".to_owned()));
    let (status, word, why) = health(&|summary| summary.cut_off = Some((NOW, Reason::SentinelsSilent)));
    assert_eq!((status, word.as_str(), why.contains("sentinels_silent")), (200, "degraded", true));
    let (status, word, _) = health(&|summary| {
        summary.reload = Reload { at: None, fault: Some("ntuwatch.toml:3:1: unknown key".to_owned()) };
    });
    assert_eq!((status, word.as_str()), (200, "degraded"));
    world.board.set_store_fault(Some("no room".to_owned()));
    let (status, word, why) = health(&|_| {});
    assert_eq!((status, word.as_str(), why.contains("no room")), (503, "failing", true));
    world.board.set_store_fault(None);
    assert_eq!(health(&|_| {}).0, 200);
    assert_eq!(world.get("/api/status").json()["isolation"]["reason"], "sentinels_silent");
}

#[test]
fn a_store_that_cannot_be_read_is_said_so() {
    let world = World::new(None);
    world.board.replace(vec![Some(unit("acme-1", "acme", Verdict::Up))]);
    let case = format!("/api/cases/{}", reference(1));
    let paths =
        ["/api/cases", &case, "/api/units/acme-1", "/api/units/acme-1/strip", "/api/umbrellas", "/api/maintenance"];
    for path in paths {
        let answer = world.get(path);
        assert_eq!((answer.status, answer.error().contains("store.db")), (503, true), "{answer:?}");
    }
}

#[test]
fn a_live_socket_is_not_taken_a_dead_one_is_replaced() {
    let mut world = World::new(None);
    let socket = world.socket();
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o660);
    let error = web::bind(None, &socket).unwrap_err().to_string();
    assert!(error.contains("a daemon answers on"), "{error}");
    let error = web::bind(Some(world.address), &world.folder.path().join("other")).unwrap_err().to_string();
    assert!(error.contains("is in use: stop the other daemon, or set [http] listen"), "{error}");
    world.stop();
    assert!(!socket.exists(), "the file goes with the daemon");
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    assert!(web::bind(None, &socket).is_ok(), "nobody answers there");
    std::fs::write(&socket, "precious").unwrap();
    let error = web::bind(None, &socket).unwrap_err().to_string();
    assert!(error.contains("no socket"), "{error}");
    assert_eq!(std::fs::read_to_string(&socket).unwrap(), "precious");
}

#[test]
fn stopping_does_not_wait_for_idle_clients() {
    let mut world = World::new(None);
    let idle = UnixStream::connect(world.socket()).unwrap();
    let mut half = TcpStream::connect(world.address).unwrap();
    half.write_all(b"POST /api/cases HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n").unwrap();
    std::thread::sleep(Duration::from_millis(100));
    let clock = ntuwatch::clock::Stopwatch::start();
    world.stop();
    assert!(clock.elapsed() < Duration::from_secs(4), "{:?}", clock.elapsed());
    drop(idle);
}

#[test]
fn connections_beyond_the_limit_wait_for_their_turn() {
    let world = World::new(None);
    let mut idle: Vec<_> = (0..MAX_CONNECTIONS).map(|_| TcpStream::connect(world.address).unwrap()).collect();
    let mut late = TcpStream::connect(world.address).unwrap();
    late.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    late.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    assert!(late.read(&mut [0]).is_err(), "all places are taken");
    assert_eq!(world.get("/health").status, 200, "the socket has places of its own");
    idle.pop();
    late.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut answer = String::new();
    late.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[test]
fn one_connection_may_ask_many_times() {
    let world = World::new(None);
    let mut stream = UnixStream::connect(world.socket()).unwrap();
    for _ in 0..3 {
        stream.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let mut seen = Vec::new();
        while !seen.ends_with(b"}") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            seen.extend(byte);
        }
        assert!(seen.starts_with(b"HTTP/1.1 200"));
    }
    assert_eq!(Arc::strong_count(&world.asked), 2);
}
