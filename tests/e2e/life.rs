//! The life of a case: every stage of it, every letter about it, and nobody else's.

use crate::daemon::{cli, cli_json, until};
use crate::net::{V4, V6};
use crate::post::Letter;
use crate::world::{Setup, V2C, V3, World, unit};
use serde_json::Value;

const CUSTOMER: &str = "it@acme.example";
const NOC: &str = "noc@example.net";
/// Those that will be lost.
const LOST: [(&str, &str); 4] = [("dual-3", V4[0]), ("snmp-2c", V4[1]), ("snmp-3", V4[2]), ("six", V6[0])];
/// And those that will not.
const WELL: [&str; 2] = ["well", "well-six"];

fn setup() -> Setup<'static> {
    let units = vec![
        unit("dual-3", V4[0], V3),
        unit("snmp-2c", V4[1], &format!("icmp = false\n{V2C}")),
        unit("snmp-3", V4[2], &format!("icmp = false\n{V3}")),
        unit("six", V6[0], V2C),
        unit("well", V4[3], V2C),
        unit("well-six", V6[1], ""),
    ];
    Setup { units, ..Setup::default() }
}

fn text<'a>(case: &'a Value, key: &str) -> &'a str {
    case[key].as_str().unwrap_or_else(|| panic!("{key} in {case:#}"))
}

fn time(case: &Value, key: &str) -> jiff::Timestamp {
    text(case, key).parse().unwrap()
}

#[test]
fn a_case_lives_and_ends_and_another_follows() {
    let Some(mut world) = World::new(&setup()) else { return };
    let addresses = LOST.map(|(_, address)| address);
    for id in LOST.map(|(id, _)| id).iter().chain(&WELL) {
        world.wait_for_verdict(id, "UP");
    }
    for id in ["dual-3", "snmp-2c", "snmp-3", "six", "well"] {
        until(&format!("the agent of {id}"), || world.json(&format!("/api/units/{id}"))?["snmp"]["uptime_s"].as_f64());
    }

    world.net.kill(&addresses);
    let opened = LOST.map(|(id, _)| world.wait_for_case(id, 1, "New"));
    opened.iter().for_each(is_opened_rightly);

    world.net.revive(&addresses);
    let solved = LOST.map(|(id, _)| world.wait_for_case(id, 1, "Solved"));
    solved.iter().for_each(is_solved_rightly);
    // The box was rebooted meanwhile; SNMPv3 has to notice.
    world.agent.restart();

    world.net.kill(&addresses);
    for ((id, _), first) in LOST.iter().zip(&opened) {
        let again = world.wait_for_case(id, 1, "Working");
        assert_eq!(again["reference"], first["reference"], "the same case");
        assert_eq!(again["returned_count"], 1);
    }

    world.net.revive(&addresses);
    let closed = LOST.map(|(id, _)| world.wait_for_case(id, 1, "Closed"));
    // Until then their timelines still gain the taking of their last letters.
    world.wait_for_empty_outbox();
    for case in &closed {
        is_closed_rightly(case);
        is_final(&world, text(case, "reference"));
        has_its_letters(&world, case);
    }

    world.net.kill(&addresses);
    for ((id, _), before) in LOST.iter().zip(&closed) {
        let next = world.wait_for_case(id, 2, "New");
        assert_eq!(next["previous"], before["reference"]);
        assert_ne!(next["reference"], before["reference"]);
        let letter = world.wait_for_letter(&format!("{}.opened.1", text(&next, "reference")), CUSTOMER);
        assert!(letter.body.contains(text(before, "reference")), "{}", letter.body);
    }
    world.wait_for_empty_outbox();
    for id in WELL {
        assert_eq!(world.cases(id), [] as [Value; 0], "{id} was never away");
        assert_eq!(world.verdict(id), "UP");
    }
    assert_eq!(world.letters().len(), LOST.len() * 2 * 7, "no letter but those");
    let (status, _) = world.daemon.stop();
    assert!(status.success());
}

fn is_opened_rightly(case: &Value) {
    let id = text(case, "unit");
    let fields = ["priority", "customer", "queue", "order", "service", "region"].map(|key| text(case, key));
    assert_eq!(fields, ["P1", "acme", "Support", &format!("SO-{id}"), "DIA", "EMEA"]);
    let times = ["last_contact_at", "first_loss_at", "detected_at", "opened_at"].map(|key| time(case, key));
    assert!(times.is_sorted(), "{case:#}");
    let lost_for = times[3].duration_since(times[1]).as_secs_f64();
    assert!(lost_for >= 4.0, "{id}: opened after {lost_for} s of loss");
    for key in ["solved_at", "window_ends_at", "closed_at", "previous", "recovered_at", "owner"] {
        assert!(case[key].is_null(), "{key}: {case:#}");
    }
}

fn is_solved_rightly(case: &Value) {
    let [recovered, solved, ends] = ["recovered_at", "solved_at", "window_ends_at"].map(|key| time(case, key));
    assert!(solved.duration_since(recovered).as_secs_f64() >= 3.0, "{case:#}");
    assert!(ends > solved && case["closed_at"].is_null(), "{case:#}");
}

fn is_closed_rightly(case: &Value) {
    let [solved, closed] = ["solved_at", "closed_at"].map(|key| time(case, key));
    assert!(closed.duration_since(solved).as_secs_f64() >= 8.0, "{case:#}");
    assert_eq!((&case["solved_count"], &case["returned_count"]), (&2.into(), &1.into()), "{case:#}");
    assert!(case["downtime_s"].as_u64() >= Some(8), "it was lost twice: {case:#}");
}

/// Whatever one wants of a closed case is refused, with the reason.
fn is_final(world: &World, reference: &str) {
    let commands: [&[&str]; 5] = [
        &["case", "take", reference],
        &["case", "note", reference, "too late"],
        &["case", "wait", reference, "--on", "customer"],
        &["case", "solve", reference],
        &["case", "return", reference],
    ];
    let before = cli_json(world.home(), &["case", "show", reference]);
    for command in commands {
        let output = cli(world.home(), command);
        let words = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(65), "{command:?}: {words}");
        assert!(words.contains(reference) && words.contains("closed, which is final"), "{command:?}: {words}");
    }
    assert_eq!(cli_json(world.home(), &["case", "show", reference])["timeline"], before["timeline"]);
}

/// One letter of each kind for each reader, in one thread.
fn has_its_letters(world: &World, case: &Value) {
    let reference = text(case, "reference");
    for to in [CUSTOMER, NOC] {
        let kinds = ["opened.1", "solved.1", "returned.1", "solved.2", "rfo.1", "closed.1"];
        let letters = kinds.map(|kind| world.wait_for_letter(&format!("{reference}.{kind}"), to));
        for letter in &letters {
            is_addressed_rightly(letter, case, to);
        }
        let ids = letters.each_ref().map(Letter::id);
        assert!(!letters[0].has("In-Reply-To") && !letters[0].has("References"), "{:#?}", letters[0]);
        for (earlier, letter) in letters.iter().zip(&letters[1..]) {
            assert_eq!(letter.header("In-Reply-To"), earlier.id());
            let references: Vec<&str> = letter.header("References").split(' ').collect();
            assert_eq!((references.first(), references.last()), (Some(&ids[0]), Some(&earlier.id())));
            assert_eq!(letter.header("Subject"), format!("Re: {}", letters[0].header("Subject")));
        }
        says(&letters[0], &["We have lost contact", "Last contact:", "First loss:", "Detected:", "Repair due:"]);
        says(&letters[1], &["The case is solved. ", "We now watch the line for 8 s", "Watched until:", "Recovery:"]);
        says(&letters[2], &["has returned", reference]);
        says(&letters[4], &["reason for outage", reference]);
        says(&letters[5], &["is closed", "Last contact:", "First loss:", "Recovery:", "Total downtime:"]);
    }
}

fn is_addressed_rightly(letter: &Letter, case: &Value, to: &str) {
    assert_eq!(letter.header("From"), "NOC <noc@example.net>");
    assert_eq!(letter.header("X-Mail-Args"), "<noc@example.net>");
    assert_eq!(letter.header("X-Rcpt-Args"), format!("<{to}>"));
    assert_eq!(letter.header("Auto-Submitted"), "auto-generated");
    assert!(letter.id().ends_with("@example.net>"), "{}", letter.id());
    let subject = letter.header("Subject");
    assert!(subject.contains(text(case, "reference")) && subject.contains(text(case, "order")), "{subject}");
    assert!(letter.has("Date") && letter.has("MIME-Version"), "{letter:#?}");
}

fn says(letter: &Letter, words: &[&str]) {
    for word in words {
        assert!(letter.body.contains(word), "no {word:?} in {}", letter.body);
    }
}
