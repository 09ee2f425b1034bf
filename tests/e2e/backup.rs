//! A backup taken while the daemon runs is a store like any other.

use crate::daemon::{Daemon, cli, cli_json, config_file, until};
use crate::net::V4;
use crate::world::{Setup, World, unit};
use std::fs;
use std::path::Path;

#[test]
fn a_daemon_goes_on_from_a_backup() {
    let units = vec![unit("one", V4[0], ""), unit("two", V4[1], "")];
    let Some(mut world) = World::new(&Setup { units, ..Setup::default() }) else { return };
    world.wait_for_verdict("one", "UP");
    world.net.kill(&V4[..1]);
    let case = world.wait_for_case("one", 1, "New");
    let reference = case["reference"].as_str().unwrap();
    assert!(cli(world.home(), &["case", "note", reference, "before the backup"]).status.success());
    world.wait_for_empty_outbox();

    let home = tempfile::tempdir().unwrap();
    let copy = home.path().join("ntuwatch.db");
    let told = cli_json(world.home(), &["backup", copy.to_str().unwrap()]);
    assert_eq!(told["backup"], copy.to_str().unwrap());
    let again = cli(world.home(), &["backup", copy.to_str().unwrap()]);
    assert_eq!(again.status.code(), Some(73), "a backup takes nobody's place");
    // Which the copy does not know.
    assert!(cli(world.home(), &["case", "note", reference, "after the backup"]).status.success());
    let timeline = |home: &Path| cli_json(home, &["case", "show", reference])["timeline"].to_string();
    assert!(timeline(world.home()).contains("after the backup"));
    assert!(world.daemon.stop().0.success());

    fs::copy(config_file(world.home()), config_file(home.path())).unwrap();
    world.daemon = Daemon::spawn(&world.net, home.path());
    world.daemon.wait_until_up();
    let known = timeline(home.path());
    assert!(known.contains("before the backup") && !known.contains("after the backup"), "{known}");
    world.net.revive(&V4[..1]);
    let stage = || cli_json(home.path(), &["case", "show", reference])["stage"].clone();
    until("the same case closed", || (stage() == "Closed").then_some(()));
    until("its letters", || {
        let marks: Vec<String> = world.letters().iter().map(|letter| letter.mark()).collect();
        let kinds = ["opened.1", "solved.1", "rfo.1", "closed.1"].map(|kind| format!("{reference}.{kind}"));
        kinds.iter().all(|kind| marks.iter().filter(|mark| *mark == kind).count() == 2).then_some(())
    });
    assert_eq!(cli_json(home.path(), &["case", "list"]).as_array().unwrap().len(), 1);
    assert!(world.daemon.stop().0.success());
    assert_eq!(world.letters().len(), 8, "the letters before the backup did not go out again");
}
