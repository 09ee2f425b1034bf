//! A disk that takes its time stops no probing, and shows nothing before its time.

use crate::daemon::until;
use crate::net::V4;
use crate::world::{Setup, World, unit};
use rusqlite::Connection;
use std::thread;
use std::time::Duration;

/// Units that are asked often: what is looked at here is over long before a commit that waits counts as failed.
const RULES: &str = r#"
interval = "200ms"
timeout = "100ms"
down_after = "1h"
"#;

/// How long somebody else holds the store while the daemon stops.
const HELD: Duration = Duration::from_secs(2);

#[test]
fn the_watch_goes_on_during_a_commit_and_shows_nothing_of_it() {
    let Some(mut world) = watching() else { return };
    let store = hold_and_kill(&world, 20.0);
    assert_eq!(world.verdict("lost"), "UP", "the loss is not on the disk");
    store.execute_batch("ROLLBACK").unwrap();
    world.wait_for_verdict("lost", "LOSS");
    assert_eq!(world.metric("ntuwatch_commit_failures_total"), 0.0, "{}", world.daemon.log());
    assert!(world.daemon.stop().0.success());
}

#[test]
fn a_stop_waits_for_the_disk_and_claims_no_more_than_was_watched() {
    let Some(mut world) = watching() else { return };
    let store = hold_and_kill(&world, 10.0);
    // The daemon is told to stop while it waits for the disk, and goes on waiting.
    let other = thread::spawn(move || {
        thread::sleep(HELD);
        store.execute_batch("ROLLBACK").unwrap();
    });
    let (status, took) = world.daemon.stop();
    other.join().unwrap();
    assert!(status.success(), "{}", world.daemon.log());

    let watched: i64 = open(&world)
        .query_row(
            "SELECT watched_until - (SELECT max(at) FROM journal WHERE kind = 'monitor_stopped') FROM daemon",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert!(
        (0..HELD.as_millis() as i64 / 2).contains(&watched),
        "it ended {took:?} after it was told to, not {watched} ms"
    );
    assert_eq!(world.journal("monitor_stalled"), []);
    assert!(!world.journal("monitor_stopped").is_empty());
}

/// Both units answer.
fn watching() -> Option<World> {
    let units = vec![unit("lost", V4[0], ""), unit("well", V4[1], "")];
    let world = World::new(&Setup { units, rules: RULES, ..Setup::default() })?;
    world.wait_for_verdict("lost", "UP");
    world.wait_for_verdict("well", "UP");
    Some(world)
}

/// Holds the store as another program may, then loses a unit, and returns after so many more probes.
fn hold_and_kill(world: &World, probes: f64) -> Connection {
    let store = open(world);
    store.execute_batch("BEGIN IMMEDIATE").unwrap();
    let before = asked(world);
    world.net.kill(&V4[..1]);
    until("more rounds", || (asked(world) >= before + probes).then_some(()));
    store
}

fn open(world: &World) -> Connection {
    Connection::open(world.home().join("ntuwatch.db")).unwrap()
}

fn asked(world: &World) -> f64 {
    world.metric(r#"ntuwatch_probes_sent_total{method="icmp"}"#)
}
