//! What boxes say unasked: a witness of the case, and a reason to ask at once.

use crate::daemon::until;
use crate::net::{Place, V4, is_there};
use crate::snmpd::SHA256;
use crate::world::{RULES, Setup, V2C, V3, World, unit};

const LISTEN: &str = "10.77.0.1:16200";
/// Probes come so seldom that none comes by itself while the test lasts.
const SELDOM: &str = r#"interval = "1h"
snmp_interval = "1h"
down_after = "1h"
degraded = { window = "1h" }
"#;
const LINK_DOWN: [&str; 5] = ["", "1.3.6.1.6.3.1.1.5.3", "1.3.6.1.2.1.2.2.1.1.7", "i", "7"];
const COLD_START: [&str; 2] = ["", "1.3.6.1.6.3.1.1.5.1"];
const COMMUNITY: [&str; 4] = ["-v", "2c", "-c", "public"];

fn setup() -> Setup<'static> {
    let seldom = unit("seldom", V4[0], &format!("{SELDOM}{V2C}"));
    let units = vec![seldom, unit("v2c", V4[1], V2C), unit("v3", V4[2], V3)];
    Setup { units, ..Setup::default() }
}

/// Lets the box at `from` say something; says whether snmptrap or snmpinform was content.
fn say(world: &World, program: &str, from: &str, credentials: &[&str], what: &[&str]) -> bool {
    let mut command = world.net.command(Place::Units, program);
    command.env("SNMP_PERSISTENT_DIR", world.home()).env("SNMPCONFPATH", world.home()).env("MIBS", "");
    command.arg(format!("--clientaddr={from}")).args(credentials).arg(LISTEN).args(what);
    command.output().unwrap().status.success()
}

#[test]
fn boxes_are_heard_and_asked_at_once() {
    if !is_there("snmptrap") {
        println!("skipped: snmptrap is not installed (Debian: snmp)");
        return;
    }
    let rules = format!("{RULES}[traps]\nlisten = \"{LISTEN}\"\n");
    let Some(mut world) = World::new(&Setup { rules: &rules, ..setup() }) else { return };
    world.wait_for_verdict("v2c", "UP");
    world.wait_for_verdict("v3", "UP");

    is_asked_at_once(&world);

    // The boxes cannot be reached any more, and say why.
    world.net.kill(&V4[1..3]);
    let cases = ["v2c", "v3"].map(|id| world.wait_for_case(id, 1, "New"));
    let before = world.journal("trap").len();
    assert!(say(&world, "snmptrap", V4[1], &COMMUNITY, &LINK_DOWN));
    assert!(say(&world, "snmptrap", V4[2], &SHA256, &LINK_DOWN));
    world.wait_for_journal("trap", before + 2);
    for case in &cases {
        let reference = case["reference"].as_str().unwrap();
        let timeline = until("a case", || world.json(&format!("/api/cases/{reference}")))["timeline"].clone();
        let trap = timeline.as_array().unwrap().iter().find(|entry| entry["kind"] == "trap");
        let trap = trap.unwrap_or_else(|| panic!("{timeline:#}"));
        assert_eq!((&trap["data"]["trap"], &trap["data"]["interface"]), (&"linkDown".into(), &7.into()), "{trap:#}");
    }

    world.net.revive(&V4[1..3]);
    ["v2c", "v3"].iter().for_each(|id| drop(world.wait_for_case(id, 1, "Solved")));
    // Who sends an inform wants an acknowledgement, and is content with none but the right one.
    for (from, credentials) in [(V4[1], &COMMUNITY[..]), (V4[2], &SHA256)] {
        assert!(say(&world, "snmpinform", from, credentials, &COLD_START), "{credentials:?}");
    }
    world.wait_for_journal("trap", before + 4);

    let unknown = "ntuwatch_traps_received_total{outcome=\"unknown_sender\"}";
    assert_eq!(world.metric(unknown), 0.0);
    assert!(say(&world, "snmptrap", V4[3], &COMMUNITY, &LINK_DOWN));
    until("a sender whom nobody knows", || (world.metric(unknown) == 1.0).then_some(()));
    assert_eq!(world.journal("trap").len(), before + 4, "he is not listened to");
    assert!(world.daemon.stop().0.success());
}

/// A trap brings the next probe of its box, which is an hour away.
fn is_asked_at_once(world: &World) {
    assert!(say(world, "snmptrap", V4[0], &COMMUNITY, &COLD_START));
    world.wait_for_verdict("seldom", "UP");
    world.net.kill(&V4[..1]);
    assert!(say(world, "snmptrap", V4[0], &COMMUNITY, &LINK_DOWN));
    world.wait_for_verdict("seldom", "LOSS");
    assert!(world.cases("seldom").is_empty(), "a trap opens nothing");
    let heard = world.journal("trap");
    let says: Vec<_> = heard.iter().map(|(unit, data)| (unit.as_str(), data["trap"].as_str().unwrap())).collect();
    assert_eq!(says, [("seldom", "coldStart"), ("seldom", "linkDown")]);
}
