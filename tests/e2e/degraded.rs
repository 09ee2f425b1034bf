//! A line that answers, but not well: a P2 that says how much is lost, and ends when the loss does.

use crate::net::V4;
use crate::post::Letter;
use crate::world::{Setup, World, unit};
use serde_json::json;

/// Windows of 20 rounds. Contact that comes and goes is not what this is about.
const RULES: &str = r#"
interval = "200ms"
snmp_interval = "2s"
timeout = "150ms"
down_after = "8s"
solve_after = "2s"
[degraded]
window = "4s"
good_windows = 1
loss = "15%"
flaps = "off"
"#;

#[test]
fn a_lossy_line_is_a_p2_until_it_loses_no_more() {
    let units = vec![unit("lossy", V4[0], ""), unit("well", V4[1], "")];
    let Some(mut world) = World::new(&Setup { units, rules: RULES, window: "2s", ..Setup::default() }) else { return };
    world.wait_for_verdict("lossy", "UP");
    world.wait_for_verdict("well", "UP");

    world.net.lose(V4[0], 40);
    let case = world.wait_for_case("lossy", 1, "New");
    assert_eq!((case["priority"].as_str(), case["reason"].as_str()), (Some("P2"), Some("loss_share")), "{case:#}");
    assert!(case["first_loss_at"].is_null(), "it was never away: {case:#}");
    // Now and then enough is lost at once to look like a loss of contact, but not for long.
    world.wait_for_verdict("lossy", "DEGRADED");
    let line = world.json("/api/units/lossy").unwrap();
    assert_eq!(line["symptoms"], json!(["loss_share"]), "{line:#}");
    let reference = case["reference"].as_str().unwrap();
    for to in ["it@acme.example", "noc@example.net"] {
        let letter = world.wait_for_letter(&format!("{reference}.opened.1"), to);
        assert!(letter.header("Subject").contains("Service degraded: lossy"), "{letter:#?}");
        let lost = share_lost(&letter);
        assert!((15.0..=90.0).contains(&lost), "{lost} %: {}", letter.body);
    }

    world.net.lose_nothing();
    let solved = world.wait_for_case("lossy", 1, "Solved");
    assert_eq!(solved["priority"], "P2", "{solved:#}");
    world.wait_for_verdict("lossy", "UP");
    world.wait_for_case("lossy", 1, "Closed");
    world.wait_for_empty_outbox();
    let mut marks: Vec<String> = world.letters().iter().map(Letter::mark).collect();
    marks.sort();
    let kinds = ["closed.1", "closed.1", "opened.1", "opened.1", "solved.1", "solved.1"];
    assert_eq!(marks, kinds.map(|kind| format!("{reference}.{kind}")), "one of each for each reader, and no P1");
    assert!(world.cases("well").is_empty());
    assert!(world.daemon.stop().0.success());
}

/// The share of probes that a letter says were lost, in per cent.
fn share_lost(letter: &Letter) -> f64 {
    let words = letter.body.replace('\n', " ");
    let (before, after) = words.split_once(" % of the probes were lost over 4 s").unwrap_or_else(|| panic!("{words}"));
    assert!(after.contains("(limit 15 %)"), "{words}");
    before.rsplit(' ').next().unwrap().parse().unwrap()
}
