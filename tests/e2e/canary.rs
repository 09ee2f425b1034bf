//! A canary is taken over from the configuration. Its song takes longer than a test may.

use crate::daemon::{cli, config_file, until};
use crate::net::V4;
use crate::world::{RULES, Setup, World, unit};
use nix::sys::signal::Signal;
use std::fs;

#[test]
fn a_canary_is_a_unit_that_is_there() {
    let rules = format!("{RULES}[canary]\nunit = \"canary\"\nevery = \"8784h\"\n");
    let setup = Setup { units: vec![unit("canary", V4[0], "")], rules: &rules, ..Setup::default() };
    let Some(mut world) = World::new(&setup) else { return };
    assert!(cli(world.home(), &["check"]).status.success());
    world.wait_for_verdict("canary", "UP");

    let file = config_file(world.home());
    fs::write(&file, setup.toml().replace("unit = \"canary\"", "unit = \"cat\"")).unwrap();
    world.daemon.signal(Signal::SIGHUP);
    until("a refusal", || (world.metric("ntuwatch_config_reload_success") == 0.0).then_some(()));
    assert!(world.daemon.log().contains("cat"), "{}", world.daemon.log());
    assert!(world.daemon.stop().0.success());
}
