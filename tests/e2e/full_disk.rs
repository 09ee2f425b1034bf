//! A full disk stops the watch, in the open, and loses nothing.

use crate::daemon::{self, cli, until};
use crate::disk::Disk;
use crate::net::{Net, V4};
use crate::post::Sink;
use crate::world::{Setup, World, unit};
use serde_json::Value;
use std::fs;

#[test]
fn a_full_disk_loses_no_case() {
    let Some(net) = Net::raise() else { return };
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::mount(folder.path().join("disk"), 4);
    let sink = Sink::start(&net, &folder.path().join("letters"), &[]);
    let units = vec![unit("lost", V4[0], ""), unit("well", V4[1], "")];
    let setup = Setup { units, store: "./disk/ntuwatch.db", ..Setup::default() };
    let Some(mut world) = World::with(net, folder, Some(sink), &setup) else { return };
    world.wait_for_verdict("lost", "UP");
    world.wait_for_verdict("well", "UP");

    world.net.kill(&V4[..1]);
    world.wait_for_verdict("lost", "LOSS");
    disk.fill();
    until("a failing store", || (world.metric("ntuwatch_store_failing") == 1.0).then_some(()));
    let (status, body) = daemon::get(world.home(), "/health").unwrap();
    let health: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, health["status"].as_str()), (503, Some("failing")), "{body}");
    let shown = String::from_utf8(cli(world.home(), &["status"]).stdout).unwrap();
    assert!(shown.contains("failing") && shown.contains("the store takes no commits"), "{shown}");
    assert!(world.metric("ntuwatch_commit_failures_total") >= 1.0);
    assert!(world.cases("lost").is_empty() && world.letters().is_empty(), "nothing is seen before it is on the disk");
    // Which needs no store.
    until("a word to the operator", || alarms(&world).then_some(()));

    disk.make_room();
    let case = world.wait_for_case("lost", 1, "New");
    let mark = format!("{}.opened.1", case["reference"].as_str().unwrap());
    world.wait_for_letter(&mark, "it@acme.example");
    world.wait_for_letter(&mark, "noc@example.net");
    until("a store that works", || (world.metric("ntuwatch_store_failing") == 0.0).then_some(()));
    assert_eq!(world.health()["status"], "ok");
    world.wait_for_empty_outbox();

    world.daemon.crash();
    world.restart();
    assert_eq!(world.wait_for_case("lost", 1, "New")["reference"], case["reference"]);
    world.wait_for_verdict("well", "UP");
    assert!(world.cases("well").is_empty());
    assert!(world.daemon.stop().0.success());
    assert_eq!(world.letters().len(), 2, "each letter once");
}

/// Whether the operator got a mail about the store.
fn alarms(world: &World) -> bool {
    fs::read_dir(world.letters_folder()).unwrap().any(|file| {
        let text = fs::read_to_string(file.unwrap().path()).unwrap_or_default();
        text.contains("\nSubject: ntuwatch: the store is failing\n") && text.contains("\nTo: noc@example.net\n")
    })
}
