//! A monitor that is cut off blames nobody else for it.

use crate::daemon::until;
use crate::net::{Net, V4, V6};
use crate::world::{Setup, V2C, World, unit};

const UNITS: [&str; 3] = ["dual", "snmp", "six"];

fn units() -> Vec<String> {
    vec![unit("dual", V4[0], V2C), unit("snmp", V4[1], &format!("icmp = false\n{V2C}")), unit("six", V6[0], "")]
}

#[test]
fn silent_sentinels_make_everything_inconclusive() {
    let setup = Setup { units: units(), ..Setup::default() };
    cut_off(&setup, Net::swallow, Net::pass, "sentinels_silent");
}

#[test]
fn a_machine_that_cannot_send_blames_nobody() {
    let setup = Setup { units: units(), sentinels: &[], ..Setup::default() };
    cut_off(&setup, Net::unplug, Net::plug, "sends_failing");
}

fn cut_off(setup: &Setup<'_>, cut: fn(&Net), mend: fn(&Net), why: &str) {
    let Some(mut world) = World::new(setup) else { return };
    UNITS.iter().for_each(|id| world.wait_for_verdict(id, "UP"));
    assert_eq!((world.health()["status"].as_str(), world.metric("ntuwatch_isolated")), (Some("ok"), 0.0));

    cut(&world.net);
    UNITS.iter().for_each(|id| world.wait_for_verdict(id, "INCONCLUSIVE"));
    // For longer than a loss would need to open a case.
    until("enough of it", || {
        let status = world.json("/api/status")?;
        let now: jiff::Timestamp = status["at"].as_str()?.parse().unwrap();
        let since: jiff::Timestamp = status["isolation"]["since"].as_str()?.parse().unwrap();
        (now.duration_since(since).as_secs() >= 10).then_some(())
    });
    for id in UNITS {
        let unit = world.json(&format!("/api/units/{id}")).unwrap();
        assert_eq!((unit["verdict"].as_str(), unit["reason"].as_str()), (Some("INCONCLUSIVE"), Some(why)), "{unit:#}");
    }
    assert_eq!(world.metric("ntuwatch_isolated"), 1.0);
    let health = world.health();
    assert_eq!(health["status"], "degraded");
    assert!(health["why"][0].as_str().unwrap().contains(why), "{health}");
    let shown = String::from_utf8(crate::daemon::cli(world.home(), &["status"]).stdout).unwrap();
    assert!(shown.contains("degraded") && shown.contains(why), "{shown}");

    mend(&world.net);
    UNITS.iter().for_each(|id| world.wait_for_verdict(id, "UP"));
    assert_eq!((world.health()["status"].as_str(), world.metric("ntuwatch_isolated")), (Some("ok"), 0.0));
    // What is really lost afterwards is found.
    world.net.kill(&V4[..1]);
    world.wait_for_case("dual", 1, "New");
    assert!(world.cases("snmp").is_empty() && world.cases("six").is_empty());
    assert!(world.daemon.stop().0.success());
}
