//! What signals do: stop, reload, and stand still.

use crate::daemon::{self, cli, cli_json, until};
use crate::net::V4;
use crate::world::{Setup, World, unit};
use nix::sys::signal::Signal;
use serde_json::Value;
use std::fs;
use std::thread;
use std::time::Duration;

fn setup(ids: &[(&str, &str)]) -> Setup<'static> {
    Setup { units: ids.iter().map(|(id, address)| unit(id, address, "")).collect(), ..Setup::default() }
}

/// A unit's ledger as verdicts and reasons, oldest first.
fn ledger(world: &World, id: &str) -> Vec<(String, String)> {
    let unit = cli_json(world.home(), &["unit", "show", id]);
    let word = |interval: &Value, key: &str| interval[key].as_str().unwrap().to_owned();
    let mut ledger: Vec<_> = unit["ledger"]
        .as_array()
        .unwrap()
        .iter()
        .map(|interval| (word(interval, "verdict"), word(interval, "reason")))
        .collect();
    ledger.reverse();
    ledger
}

fn has(ledger: &[(String, String)], verdict: &str, reason: &str) -> bool {
    ledger.iter().any(|(found, why)| found == verdict && why == reason)
}

#[test]
fn a_daemon_that_stood_still_saw_nothing() {
    let Some(mut world) = World::new(&setup(&[("well", V4[0]), ("lost", V4[1])])) else { return };
    world.wait_for_verdict("well", "UP");
    world.wait_for_verdict("lost", "UP");

    world.daemon.signal(Signal::SIGSTOP);
    world.net.kill(&V4[1..2]);
    // Longer than a loss needs to open a case.
    thread::sleep(Duration::from_secs(8));
    let awake = jiff::Timestamp::now();
    world.daemon.signal(Signal::SIGCONT);

    let case = world.wait_for_case("lost", 1, "New");
    let first_loss: jiff::Timestamp = case["first_loss_at"].as_str().unwrap().parse().unwrap();
    assert!(first_loss >= awake, "{awake}: {case:#}");
    world.wait_for_verdict("well", "UP");
    assert!(world.cases("well").is_empty());
    for id in ["well", "lost"] {
        let ledger = ledger(&world, id);
        assert!(has(&ledger, "UNOBSERVED", "daemon_stalled"), "{ledger:?}");
    }
    assert!(!has(&ledger(&world, "well"), "LOSS", "no_answer"));
    assert!(world.daemon.stop().0.success());
}

#[test]
fn a_stopped_daemon_counts_nothing_as_lost() {
    let Some(mut world) = World::new(&setup(&[("one", V4[0]), ("two", V4[1])])) else { return };
    for _ in 0..3 {
        world.wait_for_verdict("one", "UP");
        world.wait_for_verdict("two", "UP");
        // From here on all probes are in flight for ever.
        world.net.swallow();
        let (status, took) = world.daemon.stop();
        assert_eq!(status.code(), Some(0), "{}", world.daemon.log());
        assert!(took < Duration::from_secs(5), "{took:?}");
        for name in ["ntuwatch.sock", "ntuwatch.db-wal", "ntuwatch.db-shm"] {
            assert!(!world.home().join(name).exists(), "{name} is left lying about");
        }
        world.net.pass();
        world.restart();
    }
    world.wait_for_verdict("one", "UP");
    world.wait_for_verdict("two", "UP");
    for id in ["one", "two"] {
        let ledger = ledger(&world, id);
        assert!(has(&ledger, "UNOBSERVED", "daemon_stopped"), "{ledger:?}");
        assert!(ledger.iter().all(|(verdict, _)| verdict == "UP" || verdict == "UNOBSERVED"), "{ledger:?}");
    }
    assert!(world.daemon.stop().0.success());
}

#[test]
fn a_reload_takes_what_is_good_and_refuses_the_rest() {
    let Some(mut world) = World::new(&setup(&[("old", V4[0])])) else { return };
    world.wait_for_verdict("old", "UP");
    let file = daemon::config_file(world.home());
    let units = || -> Vec<String> {
        let list = cli_json(world.home(), &["unit", "list"]);
        list.as_array().unwrap().iter().map(|unit| unit["id"].as_str().unwrap().to_owned()).collect()
    };

    let good = setup(&[("old", V4[0]), ("new", V4[1])]).toml();
    fs::write(&file, &good).unwrap();
    world.daemon.signal(Signal::SIGHUP);
    until("the new unit", || (units() == ["new", "old"]).then_some(()));
    world.wait_for_verdict("new", "UP");

    let bad = good.replace("interval = \"1s\"\n", "interval = \"soon\"\ncolour = \"red\"\n");
    fs::write(&file, &bad).unwrap();
    world.daemon.signal(Signal::SIGHUP);
    until("a refusal", || (world.metric("ntuwatch_config_reload_success") == 0.0).then_some(()));
    let log = world.daemon.log();
    for (key, column) in [("interval = \"soon\"", 12), ("colour", 1)] {
        let line = bad.lines().position(|line| line.starts_with(key)).unwrap() + 1;
        let place = format!("ntuwatch.toml:{line}:{column}: ");
        assert!(log.contains(&place), "no {place} in {log}");
    }
    let status = String::from_utf8(cli(world.home(), &["status"]).stdout).unwrap();
    assert!(status.contains("degraded") && status.contains("reload   refused"), "{status}");
    assert_eq!(units(), ["new", "old"]);
    // The old one is still at work.
    world.net.kill(&V4[1..2]);
    world.wait_for_case("new", 1, "New");

    fs::write(&file, good).unwrap();
    world.daemon.signal(Signal::SIGHUP);
    until("a reload", || (world.metric("ntuwatch_config_reload_success") == 1.0).then_some(()));
    assert_eq!(world.health()["status"], "ok");
    assert!(world.cases("old").is_empty());
    assert!(world.daemon.stop().0.success());
}

#[test]
fn what_a_reload_changes_is_said_beforehand() {
    let Some(mut world) = World::new(&setup(&[("one", V4[0]), ("two", V4[1])])) else { return };
    world.wait_for_verdict("two", "UP");
    world.net.kill(&V4[1..2]);
    world.wait_for_case("two", 1, "New");

    fs::write(daemon::config_file(world.home()), setup(&[("one", V4[0])]).toml()).unwrap();
    let told = "two leaves the inventory, nobody watches it on";
    let checked = String::from_utf8(cli(world.home(), &["check"]).stdout).unwrap();
    assert!(checked.contains(told), "{checked}");
    world.daemon.signal(Signal::SIGHUP);
    until("a reload", || world.daemon.log().contains("the configuration was taken over").then_some(()));
    let log = world.daemon.log();
    let taken = log.find("the configuration was taken over").unwrap();
    assert!(log.find(told).is_some_and(|told| told < taken), "{log}");
    assert!(world.daemon.stop().0.success());
}
