//! The reason for outage of a case, over HTTP and on the command line.

use crate::cases::{UP, at, opening};
use crate::harness::{NOW, World, reference};
use ntuwatch::domain::desk::{Actor, Case, CaseFact, Reference, RfoDocument, RfoOrder, Topic, WaitingOn};
use ntuwatch::domain::fact::Fact;
use ntuwatch::domain::rfo::Rfo;
use ntuwatch::domain::time::Calendar;
use ntuwatch::domain::turn::Turn;
use ntuwatch::domain::watch::{Interval, Reason, Verdict};
use ntuwatch::store::{Entry, Hash, Reader};
use ntuwatch::text;
use ntuwatch::text::rfo::Imprint;
use rusqlite::Connection;
use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub(crate) fn entry(fact: &Fact) -> Entry {
    let (device, topic) = fact.about();
    let calendar = Calendar::default();
    Entry {
        kind: text::kind(fact),
        device: device.map(str::to_owned),
        topic,
        text: text::sentence(fact, &calendar),
        data: text::data(fact, &calendar),
    }
}

/// A world with a case that people have worked on, and have written a lot about.
fn world() -> World {
    let world = World::new(None);
    let mut begun = opening(1, "acme-1", 0, None);
    begun.note = Some("SECRET".into());
    let begun = Arc::new(begun);
    let mut case = Case::open(Arc::clone(&begun), at(600));
    let ann = || "SECRET ann".to_owned();
    let secret = || Some("SECRET note".to_owned());
    let facts = [
        (700, CaseFact::Taken { by: ann() }),
        (710, CaseFact::Noted { by: ann(), text: "SECRET: the customer is difficult".into() }),
        (720, CaseFact::Told { by: ann(), text: "A crew is on its way & <soon> there.".into() }),
        (730, CaseFact::Waits { by: ann(), on: WaitingOn::Access, note: secret() }),
        (800, CaseFact::Taken { by: ann() }),
        (810, CaseFact::Assigned { by: ann(), to: Some("SECRET bob".into()), team: None, why: None, misrouted: false }),
        (900, CaseFact::Line { line: UP, at: at(900) }),
        (950, CaseFact::Solved { by: Actor::Staff(ann()), note: secret(), window: Duration::from_secs(600) }),
        (960, CaseFact::Returned { by: Actor::Staff(ann()), note: secret(), outage: None }),
        (990, CaseFact::Solved { by: Actor::Staff(ann()), note: secret(), window: Duration::from_secs(600) }),
    ];
    let mut turn = Turn::new(at(600));
    turn.cases.push(Arc::new(case.clone()));
    world.store(&turn, &[entry(&Fact::CaseOpened(begun))]);
    for (when, fact) in facts {
        case.apply(&fact, at(when));
        let mut turn = Turn::new(at(when));
        turn.cases.push(Arc::new(case.clone()));
        let fact = Fact::Case { reference: Reference::from_number(1), unit: "acme-1".into(), fact };
        assert_eq!(fact.about().1, Some(Topic::Case(Reference::from_number(1))));
        world.store(&turn, &[entry(&fact)]);
    }
    let mut turn = Turn::new(NOW);
    turn.intervals.push(Interval {
        device: "acme-1".into(),
        from: at(0),
        until: at(900),
        verdict: Verdict::Loss,
        reason: Reason::NoAnswer,
    });
    world.store(&turn, &[]);
    world
}

#[test]
fn a_draft_is_had_at_any_time_in_every_form() {
    let world = world();
    let path = format!("/api/cases/{}/rfo", reference(1));
    let document = world.get(&path).json();
    assert_eq!((&document["draft"], &document["number"]), (&Value::Bool(true), &Value::Null));
    assert_eq!(document["duration"]["lost_s"], 900);
    let repair = &document["repair"];
    assert_eq!((&repair["at_work_s"], &repair["took_s"]), (&380.into(), &310.into()), "70 s waited for access");
    assert_eq!(repair["kept"], true);
    assert_eq!(document["journal"]["seq"], 11);
    let text = world.get(&format!("{path}?format=text")).body;
    assert!(text.starts_with("DRAFT: Reason for outage"), "{text}");
    let html = world.get(&format!("{path}?format=html")).body;
    assert!(html.contains("A crew is on its way &amp; &lt;soon&gt; there."), "{html}");
    assert_eq!(world.get(&format!("{path}?format=pdf")).status, 400);
    assert_eq!(world.get(&format!("/api/cases/{}/rfo", reference(9))).status, 404);
}

/// R48.
#[test]
fn no_note_of_staff_gets_out() {
    let world = world();
    for format in ["json", "text", "html"] {
        let body = world.get(&format!("/api/cases/{}/rfo?format={format}", reference(1))).body;
        assert!(body.contains("A crew is on its way"), "{body}");
        assert!(!body.contains("SECRET"), "{body}");
    }
}

#[test]
fn the_command_line_prints_it() {
    let world = world();
    for (format, begins) in [("text", "DRAFT: "), ("html", "<!DOCTYPE html>"), ("json", "{\"ntuwatch_rfo\":1")] {
        let output = world.cli(&["case", "rfo", &reference(1), "--format", format]);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && text.starts_with(begins), "{text}");
    }
}

/// Issues a document of the case as the daemon does, and gives its bytes.
fn issue(world: &World) -> String {
    let reader = Reader::open(&store(world)).unwrap();
    let one = Reference::from_number(1);
    let (dossier, seal) = reader.dossier(one).unwrap().unwrap();
    let mut case = dossier.case.clone();
    let imprint = Imprint { number: Some(1), request: None, seq: seal.seq, seal: seal.hash.to_string() };
    let json = text::rfo::document(&Rfo::of(dossier), &imprint, &Calendar::default()).to_string();
    let document = RfoDocument { sha256: Hash::of(json.as_bytes()).to_string(), json, seal: seal.seq };
    let mut turn = Turn::new(NOW);
    let fact = CaseFact::RfoIssued { number: 1, sha256: document.sha256.clone(), seal: document.seal };
    case.apply(&fact, NOW);
    turn.cases.push(Arc::new(case));
    let json = document.json.clone();
    turn.rfos.push((RfoOrder { reference: one, number: 1, about: one, asked_at: NOW }, document));
    world.store(&turn, &[entry(&Fact::Case { reference: one, unit: "acme-1".into(), fact })]);
    json
}

fn store(world: &World) -> PathBuf {
    fs::read_dir(world.folder.path())
        .unwrap()
        .map(|file| file.unwrap().path())
        .find(|path| path.extension().is_some_and(|end| end == "db"))
        .unwrap()
}

#[test]
fn what_was_issued_is_given_byte_for_byte() {
    let world = world();
    let json = issue(&world);
    let path = format!("/api/cases/{}/rfo", reference(1));
    assert_eq!(world.get(&path).body, json);
    let text = world.get(&format!("{path}?format=text")).body;
    assert!(text.starts_with("Reason for outage"), "{text}");
    assert_eq!(world.get(&format!("{path}?draft=true")).json()["draft"], true);
    let case = world.get(&format!("/api/cases/{}", reference(1))).json();
    assert_eq!(case["rfo"], serde_json::json!({ "required": false, "issued": 1, "step": "issued" }));
}

#[test]
fn a_document_is_verified_to_the_byte_and_the_journal_to_the_row() {
    let world = world();
    let json = issue(&world);
    let file = world.folder.path().join("rfo.json");
    let file = file.to_str().unwrap();
    let verify = |what: &str| {
        let output = world.cli(&["rfo", "verify", what]);
        (output.status.code(), String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap())
    };
    let printed = world.cli(&["case", "rfo", &reference(1), "--format", "json"]).stdout;
    fs::write(file, &printed).unwrap();
    let (code, said) = verify(file);
    assert!(
        code == Some(0) && said.contains("is as it was issued") && said.contains("12 rows under 12 seals"),
        "{said}"
    );
    assert_eq!(verify(&reference(1)).0, Some(0));
    assert_eq!(verify(&reference(9)).0, Some(65));

    let forged = json.replace("\"lost_s\":900", "\"lost_s\":100");
    fs::write(file, &forged).unwrap();
    let byte = json.find("\"lost_s\":900").unwrap() + 9;
    let (code, said) = verify(file);
    assert!(code == Some(1) && said.contains(&format!("byte {byte} of the document")), "{said}");

    let db = Connection::open(store(&world)).unwrap();
    db.execute("UPDATE rfos SET json = ?1, sha256 = ?2", (&forged, &Hash::of(forged.as_bytes()).0[..])).unwrap();
    let (code, said) = verify(&reference(1));
    assert!(code == Some(1) && said.contains("row 12 of the journal has the SHA-256"), "{said}");
    db.execute("UPDATE rfos SET json = ?1, sha256 = ?2", (&json, &Hash::of(json.as_bytes()).0[..])).unwrap();
    assert_eq!(verify(&reference(1)).0, Some(0), "as it was");

    db.execute("UPDATE journal SET text = 'nothing of note' WHERE seq = 3", ()).unwrap();
    let (code, said) = verify(&reference(1));
    assert!(code == Some(1) && said.contains("row 3 of the journal is not as it was sealed"), "{said}");
}
