//! A device that others are reached through is lost: one umbrella, one letter to each customer, and a power cut while these
//! letters wait.

use crate::daemon::{cli_json, until};
use crate::net::{V4, V6};
use crate::post::Letter;
use crate::world::{Setup, World, unit};
use serde_json::Value;

const NOC: &str = "noc@example.net";
const BETA: &str = "
[[customer]]
id = \"beta\"
name = \"Beta Inc\"
email = [\"it@beta.example\"]
[[node]]
id = \"pop\"
";
const LINES: [&str; 3] = ["acme-1", "acme-2", "beta-1"];
const LOST: [&str; 4] = [V4[0], V4[1], V6[0], V4[2]];

fn setup() -> Setup<'static> {
    let below = |id, address| unit(id, address, "upstream = \"pop\"");
    let units = vec![
        format!("{BETA}address = \"{}\"\n", V4[0]),
        below("acme-1", V4[1]),
        below("acme-2", V6[0]),
        below("beta-1", V4[2]).replace("customer = \"acme\"", "customer = \"beta\""),
        unit("elsewhere", V4[3], ""),
    ];
    // The letters are counted; the stories tell how lines share a reason for outage.
    Setup { units, rfo: "on_request", ..Setup::default() }
}

/// Lasts as long as letters are held for the customers' other lines.
pub(crate) fn a_lost_node_is_one_trouble_and_its_letters_outlast_a_power_cut() {
    let Some(mut world) = World::new(&setup()) else { return };
    LINES.iter().for_each(|id| world.wait_for_verdict(id, "UP"));
    wait_for_pop(&world);

    world.net.kill(&LOST);
    let cases = LINES.map(|id| world.wait_for_case(id, 1, "New"));
    let [(_, umbrella)] = <[_; 1]>::try_from(world.wait_for_journal("umbrella_opened", 1)).unwrap();
    assert_eq!(umbrella["cause"], "device=pop", "{umbrella:#}");
    let reference = umbrella["reference"].as_str().unwrap();
    let joined = world.wait_for_journal("case_joined", world.journal("case_joined").len());
    assert!(joined.iter().all(|(_, data)| data["umbrella"] == reference), "{joined:?}");
    let first = world.wait_for_letter(&format!("umbrella={reference}=.opened.1"), NOC);
    assert!(first.body.contains("pop is lost, and with it what is reached through it"), "{}", first.body);
    world.wait_for_empty_outbox();
    assert_eq!(world.letters().len(), 1, "the customers' letters wait for more lines");
    world.daemon.crash();
    world.restart();

    is_told(&world, reference, "acme", &cases[..2], &cases[2..]);
    is_told(&world, reference, "beta", &cases[2..], &cases[..2]);
    assert_eq!(world.letters().len(), 3, "{:#?}", world.letters());
    news_reach_everybody(&world, reference);

    // The node is back before its lines are.
    world.net.revive(&LOST[..1]);
    wait_for_pop(&world);
    for id in LINES {
        assert_eq!((world.verdict(id), &world.cases(id)[0]["stage"]), ("LOSS".to_owned(), &"New".into()), "{id}");
    }
    let shown = cli_json(world.home(), &["umbrella", "show", reference]);
    assert_eq!((&shown["closed_at"], &shown["at_work_count"]), (&Value::Null, &3.into()), "{shown:#}");
    world.net.revive(&LOST[1..]);
    LINES.iter().for_each(|id| drop(world.wait_for_case(id, 1, "Solved")));
    world.wait_for_journal("umbrella_closed", 1);
    world.wait_for_letter(&format!("umbrella={reference}=.closed.1"), NOC);
    // What waits to be said of a line is said before the next news of it.
    LINES.iter().for_each(|id| drop(world.wait_for_case(id, 1, "Closed")));
    world.wait_for_letter(&format!("umbrella={reference}=acme.solved.1"), "it@acme.example");
    world.wait_for_letter(&format!("umbrella={reference}=beta.solved.1"), "it@beta.example");
    world.wait_for_empty_outbox();
    assert_eq!(world.letters().len(), 9, "each once: {:#?}", world.letters());
    assert!(world.cases("elsewhere").is_empty());
    assert_eq!(world.wait_for_journal("umbrella_opened", 1).len(), 1);
    assert!(world.daemon.stop().0.success());
}

/// Waits until the node answers.
fn wait_for_pop(world: &World) {
    let pop = || world.json("/api/nodes")?.as_array()?.iter().find(|node| node["id"] == "pop").cloned();
    until("pop UP", || pop().filter(|pop| pop["verdict"] == "UP"));
}

/// Staff have news for everybody below the node.
fn news_reach_everybody(world: &World, umbrella: &str) {
    let news = "A technician is on his way.";
    let told = cli_json(world.home(), &["umbrella", "update", umbrella, news, "--by", "anna"]);
    assert_eq!(told["reference"], umbrella);
    for (customer, to) in [("acme", "it@acme.example"), ("beta", "it@beta.example"), ("", NOC)] {
        let letter = world.wait_for_letter(&format!("umbrella={umbrella}={customer}.updated.1"), to);
        assert!(letter.body.contains(news), "{}", letter.body);
        let first = world.wait_for_letter(&format!("umbrella={umbrella}={customer}.opened.1"), to);
        assert_eq!(letter.header("In-Reply-To"), first.id());
        assert_eq!(letter.header("Subject"), format!("Re: {}", first.header("Subject")));
    }
}

/// The one letter of a customer tells of the customer's own lines alone.
fn is_told(world: &World, umbrella: &str, customer: &str, own: &[Value], others: &[Value]) {
    let letter: Letter =
        world.wait_for_letter(&format!("umbrella={umbrella}={customer}.opened.1"), &format!("it@{customer}.example"));
    let names = |case: &Value| ["unit", "order", "reference"].map(|key| case[key].as_str().unwrap().to_owned());
    for word in own.iter().flat_map(names) {
        assert!(letter.body.contains(&word), "no {word} in {}", letter.body);
    }
    for word in others.iter().flat_map(names).chain(["pop".to_owned(), "elsewhere".to_owned()]) {
        assert!(!letter.body.contains(&word), "{word} in {}", letter.body);
    }
}
