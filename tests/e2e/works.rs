//! Maintenance from the configuration: what is lost then is expected, unless it stays lost.

use crate::daemon::{self, until};
use crate::net::V4;
use crate::post::Letter;
use crate::world::{Setup, World, unit};
use jiff::{Timestamp, ToSpan};
use nix::sys::signal::Signal;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;

const CUSTOMER: &str = "it@acme.example";

fn maintenance(id: &str, scope: &str, from: Timestamp, until: Timestamp) -> String {
    format!("[[maintenance]]\nid = \"{id}\"\nscope = \"{scope}\"\nfrom = {from}\nuntil = {until}\n")
}

fn setup(works: &str) -> Setup<'static> {
    let units = vec![unit("back", V4[0], ""), unit("down", V4[1], ""), unit("later", V4[2], ""), works.to_owned()];
    Setup { units, ..Setup::default() }
}

fn time(case: &Value, key: &str) -> Timestamp {
    case[key].as_str().unwrap_or_else(|| panic!("{key} in {case:#}")).parse().unwrap()
}

/// Lasts as long as the maintenance, which is told in whole seconds.
pub(crate) fn a_loss_in_maintenance_is_expected_until_its_end() {
    let now = Timestamp::now().round(jiff::Unit::Second).unwrap();
    let end = now + 40.seconds();
    let on = maintenance("CHG-1", "back", now - 1.second(), end) + &maintenance("CHG-2", "down", now - 1.second(), end);
    let later = maintenance("CHG-3", "later", now + 1.hour(), now + 2.hours());
    let Some(mut world) = World::new(&setup(&format!("{on}{later}"))) else { return };
    let announced = ["CHG-1", "CHG-2", "CHG-3"].map(|id| letter_about(&world, id, "announced.1"));
    for (letter, unit) in announced.iter().zip(["back", "down", "later"]) {
        assert!(letter.body.contains(&format!("{unit} (order SO-{unit})")), "{}", letter.body);
    }
    ["back", "down"].iter().for_each(|id| world.wait_for_verdict(id, "UP"));

    let killed = Timestamp::now();
    world.net.kill(&V4[..2]);
    for id in ["back", "down"] {
        world.wait_for_verdict(id, "LOSS");
        let line = world.json(&format!("/api/units/{id}")).unwrap();
        assert_eq!((&line["reason"], &line["maintained"]), (&"maintenance".into(), &true.into()), "{line:#}");
    }
    let lost = Timestamp::now();
    world.daemon.crash();
    world.restart();
    ["back", "down"].iter().for_each(|id| world.wait_for_verdict(id, "LOSS"));
    is_called_off(&world, &setup(&on).toml());
    // For longer than a loss would need to open a case.
    until("enough of it", || (Timestamp::now() > lost + 10.seconds()).then_some(()));
    assert!(world.cases("back").is_empty() && world.cases("down").is_empty());
    world.net.revive(&V4[..1]);
    world.wait_for_verdict("back", "UP");
    assert!(Timestamp::now() < end, "this machine is too slow for so short a maintenance");

    let case = world.wait_for_case("down", 1, "New");
    let (opened, first_loss) = (time(&case, "opened_at"), time(&case, "first_loss_at"));
    assert!(opened >= end && opened < end + 3.seconds(), "{end}: sooner than by a loss that begins then: {case:#}");
    assert!(first_loss > killed - 2.seconds() && first_loss <= lost, "{killed} to {lost}: {case:#}");
    world.wait_for_letter(&format!("{}.opened.1", case["reference"].as_str().unwrap()), CUSTOMER);
    world.wait_for_empty_outbox();
    assert!(world.cases("back").is_empty() && world.cases("later").is_empty());
    let stages: BTreeMap<String, String> = until("maintenance", || world.json("/api/maintenance"))
        .as_array()
        .unwrap()
        .iter()
        .map(|known| (known["id"].as_str().unwrap().to_owned(), known["stage"].as_str().unwrap().to_owned()))
        .collect();
    let over = [("CHG-1", "ended"), ("CHG-2", "ended"), ("CHG-3", "cancelled")];
    assert_eq!(stages, over.map(|(id, stage)| (id.to_owned(), stage.to_owned())).into());
    let began: Vec<Value> =
        world.journal("maintenance_began").into_iter().map(|(_, data)| data["maintenance"].clone()).collect();
    assert_eq!(began, ["CHG-1", "CHG-2"], "once, whatever happened in between");
    assert_eq!(world.letters().len(), 6, "three announced, one called off, and two of the case");
    assert!(world.daemon.stop().0.success());
}

/// A maintenance is taken out of the configuration before it has begun.
fn is_called_off(world: &World, without: &str) {
    fs::write(daemon::config_file(world.home()), without).unwrap();
    world.daemon.signal(Signal::SIGHUP);
    let letter = letter_about(world, "CHG-3", "cancelled.2");
    assert!(
        letter.body.contains("was called off") && letter.body.contains("later (order SO-later)"),
        "{}",
        letter.body
    );
    assert_eq!(letter.header("Subject"), "Re: [CHG-3] Planned maintenance");
}

/// The customer's letter about a maintenance.
fn letter_about(world: &World, id: &str, mark: &str) -> Letter {
    let is_it = |letter: &Letter| {
        let of = letter.mark();
        of.starts_with(&format!("maintenance={id}=")) && of.ends_with(&format!("=acme.{mark}"))
    };
    let letter = until(&format!("{id} {mark}"), || world.letters().into_iter().find(is_it));
    assert_eq!(letter.to(), CUSTOMER);
    letter
}
