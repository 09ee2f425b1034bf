//! A router that says why it can't pass our probes on is a witness for the operations centre, and no answer.

use crate::daemon::{config_file, program, until};
use crate::net::{BEHIND, Place, V4};
use crate::world::{Setup, World, unit};

#[test]
fn a_router_is_a_witness_and_no_answer() {
    let units = vec![unit("four", BEHIND[0], ""), unit("six", BEHIND[1], "")];
    let Some(mut world) = World::new(&Setup { units, ..Setup::default() }) else { return };
    world.net.reach_through();
    ["four", "six"].iter().for_each(|id| world.wait_for_verdict(id, "UP"));
    world.net.take_away();
    // over IPv6 the router says it from whichever of its addresses it likes
    for (id, router, word) in [("four", V4[0], "host unreachable"), ("six", "fd77::", "no route to the network")] {
        let case = world.wait_for_case(id, 1, "New");
        let sentence = case["diagnosis"]["sentence"].as_str().unwrap_or_else(|| panic!("{case:#}"));
        assert!(sentence.contains(&format!("router {router}")) && sentence.contains(word), "{sentence}");
        assert_eq!(case["diagnosis"]["cause"], "unknown", "where it ends is not why");
        let opened = |to: &str| {
            let mine = world.letters().into_iter().filter(|letter| letter.to() == to);
            mine.into_iter().find(|letter| letter.header("Subject").contains(id))
        };
        let ours = until("a letter to us", || opened("noc@example.net"));
        assert!(ours.body.contains(&format!("router {router}")), "{}", ours.body);
        let theirs = until("a letter to the customer", || opened("it@acme.example"));
        assert!(!theirs.body.contains(router) && !theirs.body.contains("router"), "{}", theirs.body);
    }
    is_shown_by_hand(&world);
    assert!(world.metric("ntuwatch_icmp_errors_total{what=\"host_unreachable\"}") > 0.0);
    assert!(world.metric("ntuwatch_icmp_errors_total{what=\"net_unreachable\"}") > 0.0);
    assert!(world.daemon.stop().0.success());
}

/// Routers say such things once a second at most, and the daemon asks them too.
fn is_shown_by_hand(world: &World) {
    until("a router's word", || {
        let mut command = world.net.command(Place::Monitor, program());
        let output = command.arg("ping").arg("--config").arg(config_file(world.home())).arg("four").output().unwrap();
        let shown = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(1), "nothing comes back: {shown}");
        assert!(shown.contains("the daemon says LOSS (no_answer) since"), "{shown}");
        assert!(shown.contains("5 sent, 0 received, 100.0 % lost"), "{shown}");
        shown.contains(&format!("no answer; router {} says: host unreachable", V4[0])).then_some(())
    });
}
