//! Staff, shifts, customers' people and what rules say, over the API and the command line.

use crate::harness::{CLOSED, OPEN, World};
use ntuwatch::domain::desk::{OutOfReach, Reference};
use ntuwatch::domain::party::{
    Centre, Channel, Contact, ContactOrigin, ContactRole, Contract, Customer, Grade, Language, Parties, Staff,
    Supplier, Tier,
};
use ntuwatch::domain::time::{Calendar, Time};
use ntuwatch::web::board::Summary;
use ntuwatch::web::{Shift, StaffRow};
use serde_json::json;
use std::sync::Arc;

fn people() -> Parties {
    let contract = Contract {
        id: "C-1".into(),
        customer: "acme".into(),
        services: vec!["DIA".into()],
        tier: Tier::Gold,
        last_day: 20_907,
        ends: Time::from_millis(1_806_451_200_000),
    };
    let contact = Contact {
        id: "joe".into(),
        customer: "acme".into(),
        name: "Joe".into(),
        email: None,
        phone: Some("+44 1".into()),
        address: None,
        letters: false,
        origin: ContactOrigin::Inventory,
        role: ContactRole::Technical,
        prefers: Channel::Phone,
    };
    let (name, languages) = ("London".to_owned(), Vec::new());
    let centre = Centre { id: "lon".into(), name, time_zone: "Europe/London".into(), languages };
    let supplier = Supplier {
        id: "telco-a".into(),
        name: "Telco A".into(),
        email: Some("noc@telco.example".into()),
        phone: None,
        languages: Vec::new(),
        territory: vec!["EMEA".into()],
    };
    Parties {
        contacts: vec![contact],
        contracts: [(("acme".into(), "C-1".into()), contract)].into(),
        suppliers: [("telco-a".into(), supplier)].into(),
        centres: [("lon".into(), centre)].into(),
        ..Parties::default()
    }
}

fn staff() -> StaffRow {
    let staff = Staff {
        id: "ann".into(),
        name: "Ann".into(),
        email: "ann@example.net".into(),
        phone: None,
        team: Some("noc".into()),
        grade: Grade::T2,
        skills: vec!["bgp".into()],
        languages: Language::parse("en").into_iter().collect(),
        territory: Vec::new(),
        products: Vec::new(),
        manager: None,
        centre: Some("lon".into()),
    };
    StaffRow { staff: Arc::new(staff), off: false, on_duty: true, cases: 3 }
}

fn world() -> World {
    let world = World::new(None);
    let now = Time::from_millis(1_800_000_000_000);
    let mut summary = Summary::at_start(now, Arc::new(Calendar::default()));
    let customer = Customer {
        id: "acme".into(),
        name: "Acme Ltd".into(),
        email: vec!["it@acme.example".into()],
        phone: Some("+44 0".into()),
        address: Some("1 Dock Road".into()),
        ..Customer::default()
    };
    summary.customers = Arc::new([("acme".to_owned(), customer)].into());
    let lost = OutOfReach { since: now, address: "it@acme.example".into() };
    summary.out_of_reach = Arc::new([("acme".to_owned(), lost)].into());
    summary.parties = Arc::new(people());
    summary.staff = vec![staff()];
    let next = Some((Time::from_millis(1_800_003_600_000), "nyc".to_owned()));
    summary.shift = Shift { centre: Some("lon".into()), next };
    world.board.set_summary(summary);
    world
}

/// What a command prints.
fn out(world: &World, arguments: &[&str]) -> String {
    String::from_utf8(world.cli(arguments).stdout).unwrap()
}

#[test]
fn our_own_are_listed_as_they_stand() {
    let world = world();
    assert_eq!(
        world.get("/api/staff").json(),
        json!([{
            "id": "ann", "name": "Ann", "email": "ann@example.net", "phone": null, "team": "noc", "tier": 2,
            "skills": ["bgp"], "languages": ["en"], "territory": [], "products": [], "manager": null, "centre": "lon",
            "off": false, "on_duty": true, "cases": 3,
        }])
    );
    let shift = world.get("/api/shift").json();
    assert_eq!((&shift["centre"], &shift["next_centre"]), (&json!("lon"), &json!("nyc")));
    assert_eq!(
        (&shift["next_at"], &shift["centres"][0]["time_zone"]),
        (&json!("2027-01-15T09:00:00Z"), &json!("Europe/London"))
    );
    let listed = out(&world, &["staff"]);
    assert!(listed.contains("lon has the shift; nyc from") && listed.contains("on duty"), "{listed}");
}

#[test]
fn people_and_contracts_of_a_customer_are_shown_and_nobody_elses() {
    let world = world();
    let acme = world.get("/api/customers/acme").json();
    assert_eq!(acme["contacts"][0]["phone"], "+44 1");
    assert_eq!((&acme["contracts"][0]["tier"], &acme["contracts"][0]["valid"]), (&json!("gold"), &json!(true)));
    assert_eq!(
        (&acme["phone"], &acme["address"], &acme["survey"]),
        (&json!("+44 0"), &json!("1 Dock Road"), &json!("every"))
    );
    let invalid = json!({ "since": "2027-01-15T08:00:00Z", "address": "it@acme.example" });
    assert_eq!((&acme["contact_invalid"], &acme["contacts"][0]["origin"]), (&invalid, &json!("inventory")));
    let shown = out(&world, &["customer", "acme"]);
    assert!(shown.contains("CONTACT INVALID since") && shown.contains("1 Dock Road"), "{shown}");
    assert_eq!(world.get("/api/customers/bolt").status, 404);
    assert_eq!(world.get("/api/suppliers").json()[0]["email"], "noc@telco.example");
}

#[test]
fn people_of_customers_are_added_changed_and_switched_off_by_a_person_with_a_name() {
    let world = world();
    let added = world
        .post("/api/customers/acme/contacts", r#"{"id":"eve","name":"Eve","email":"eve@acme.example","by":"max"}"#);
    let form = added.json();
    assert_eq!((added.status, &form["done"], &form["contact"]["changed_by"]), (201, &json!("add"), &json!("max")));
    assert_eq!(
        (&form["contact"]["origin"], &form["contact"]["changed_at"]),
        (&json!("staff"), &json!("2027-01-15T08:00:00Z"))
    );
    let change = ["contact", "change", "acme", "joe", "--email", "", "--letters", "--role", "technical", "--by", "max"];
    assert_eq!(out(&world, &change), "joe of acme: change\n");
    let asked = world.last_asked();
    assert!(asked.contains(r#"email: Some("")"#) && asked.contains("letters: Some(true)"), "{asked}");
    assert_eq!(out(&world, &["contact", "remove", "acme", "joe", "--by", "max"]), "joe of acme: remove\n");
    for (path, body, status) in [
        ("acme/contacts", r#"{"id":"joe","name":"Joe","by":"max"}"#, 409),
        ("acme/contacts", r#"{"name":"Eve","by":"max"}"#, 400),
        ("acme/contacts", r#"{"id":"eve","email":"Eve <eve@acme.example>","by":"max"}"#, 400),
        ("acme/contacts/joe", r#"{"role":"boss","by":"max"}"#, 400),
        ("acme/contacts/joe", r#"{"id":"eve","by":"max"}"#, 400),
        ("acme/contacts/eve", r#"{"by":"max"}"#, 404),
        ("bolt/contacts/eve/remove", r#"{"by":"max"}"#, 404),
    ] {
        let answer = world.post(&format!("/api/customers/{path}"), body);
        assert_eq!(answer.status, status, "{path} {body}: {answer:?}");
    }
    let answer = world.post_tcp("/api/customers/acme/contacts/joe", "", r#"{"by":"max"}"#);
    assert_eq!(answer.status, 403, "over TCP only with the token");
}

#[test]
fn somebody_is_taken_off_and_put_back_by_a_person_with_a_name() {
    let world = world();
    let done = world.post("/api/staff/ann/off", r#"{"by":"max"}"#).json();
    assert_eq!(done, json!({ "staff": "ann", "on": false }));
    assert_eq!(world.post("/api/staff/bob/on", r#"{"by":"max"}"#).status, 404);
    assert_eq!(world.get("/api/staff/ann/off").status, 405);
    assert_eq!(out(&world, &["staff", "ann", "on", "--by", "max"]), "ann: on\n");
    assert_eq!(world.last_asked(), "max: Duty { staff: \"ann\", on: true }");
}

#[test]
fn which_rule_fires_and_why_no_other_does_is_said() {
    let world = world();
    let reference = Reference::from_number(OPEN).to_string();
    let trace = world.get(&format!("/api/cases/{reference}/route")).json();
    assert_eq!(trace["rules"][0]["unmet"][0], json!({ "condition": "priority", "wanted": "P1", "found": "P2" }));
    assert_eq!((&trace["rules"][1]["says"], &trace["to"]), (&json!("fires"), &json!("ann")));
    let closed = Reference::from_number(CLOSED).to_string();
    assert_eq!(world.get(&format!("/api/cases/{closed}/route")).status, 409);
    let said = out(&world, &["route", "--case", &reference]);
    assert_eq!(
        said,
        format!(
            "{reference}: queue noc, owner -, by rule rest\n  \"down\" does not hold: priority is P2, not P1\n  \
             \"rest\" fires\n  \"all\" not reached\nnow it would go to ann, team noc: speaks the language, for the \
             region, 2 cases at work, chosen among 3\n"
        )
    );
}
