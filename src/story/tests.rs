//! What the language says of lines that are not of it, and how an unmet expectation reads.

use super::{Print, Story, run};

const WORLD: &str = "unit a customer=acme\n";

/// The faults of `line` as the second line of a story.
fn faults(line: &str) -> Vec<String> {
    Story::parse(&format!("{WORLD}{line}\n")).err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

#[test]
fn each_misspelt_line_gives_its_number_and_what_to_write() {
    for (line, hint) in [
        ("until 10", "write it as 10s, 9m59s, 26h or 3d"),
        ("until", "write: until 60h"),
        (
            "till 10s",
            "begins with config, unit, units, node, sentinel, maintenance, canary, staff, route, routing, shift, \
             contract, contact, customer, surveys, at or until, not with \"till\"",
        ),
        ("staff ann colour=red", "unknown key \"colour\": use team, tier,"),
        ("staff ann tier=4", "\"4\" is no tier: use 1, 2 or 3"),
        ("staff ann languages=gb", "\"gb\" is no language"),
        ("staff ann noc", "\"noc\" is not of the form key=value"),
        ("route r priority=P4 team=noc", "\"P4\" is none of P1, P2"),
        ("route r fault=rain team=noc", "\"rain\" is no kind of fault"),
        ("contract c until=3d", "a contract needs customer=…"),
        ("shift lon", "write: shift CENTRE TIME"),
        ("at 1h staff bob off", "\"bob\" is none of the staff of this story"),
        ("unit", "write: unit ID customer=…"),
        ("unit b", "a unit needs customer=…"),
        ("unit b acme", "\"acme\" is not of the form key=value"),
        ("unit b customer=acme colour=red", "unknown setting \"colour\": use interval,"),
        ("unit b customer=acme timeout=10s", "b: timeout must be shorter than interval"),
        ("unit a customer=acme", "a is there more than once"),
        ("node n customer=acme", "unknown setting \"customer\""),
        ("units b- 1-5 customer=acme", "write a range as 1..500"),
        ("units b- 5..1 customer=acme", "5..1 is empty"),
        ("units b- 1..2000000 customer=acme", "at most 1000000 units"),
        ("units b-", "write: units PREFIX 1..500"),
        ("sentinel s interval=1s", "write: sentinel ID"),
        ("sentinel s place=near", "write: sentinel ID [place=gateway|core|far]"),
        ("unit b customer=acme upstream=b", "b is upstream of itself"),
        ("unit b customer=acme loss=much", "\"much\" is no share"),
        ("unit b customer=acme flaps=3", "\"3\" is no count: write 3/1h, or off"),
        ("unit b customer=acme rate=fast", "\"fast\" is no rate"),
        ("maintenance a 2h", "write: maintenance SCOPE 2h..4h"),
        ("maintenance a 4h..2h", "4h..2h is empty"),
        ("maintenance colour=red 2h..4h", "\"colour\" is no kind of group"),
        ("canary a", "write: canary UNIT every 24h"),
        ("canary b every 24h", "\"b\" is no unit of this story"),
        ("config down_after=10", "write it as 10s"),
        ("at", "write: at 1h9m59s"),
        ("at 1h", "say what happens at that time"),
        ("at 1h a sulks", "\"a sulks\" is no event: use SUBJECT silent,"),
        ("at 1h b silent", "\"b\" is no device of this story"),
        ("at 1h b-* answer 12ms", "\"b-*\" is no device of this story"),
        ("at 1h sentinels silent", "\"sentinels\" is no device of this story"),
        ("at 1h a lose 101%", "write 0% to 100%"),
        ("at 1h clock 1h", "write a step of the clock as +1h or -1h"),
        ("at 1h case b take", "\"b\" is no unit of this story"),
        ("at 1h case a reopen", "open P1|P2|SUBJECT, answer [told] TEXT, take, note TEXT, update public [TEXT],"),
        ("at 1h case a wait telco", "a case waits for customer, supplier, access or force_majeure"),
        ("at 1h case a open P4", "\"P4\" is no subject: use P1, P2, service-down"),
        ("at 1h expect case a P1 Open", "\"Open\" is no stage: use New, Working, Waiting, Solved, Closed"),
        ("at 1h expect verdict a DOWN", "\"DOWN\" is no verdict"),
        ("at 1h group telco silent", "\"telco\" is no group"),
        ("at 1h group supplier=telco silent", "\"supplier=telco\" is no device of this story"),
        ("at 1h a interface sideways", "\"a interface sideways\" is no event"),
        ("at 1h expect alarm fire", "\"fire\" is no alarm"),
        ("at 1h expect rain", "expect one of: case UNIT P1|P2|P3 STAGE,"),
    ] {
        let faults = faults(line);
        assert_eq!(faults.len(), 1, "{line}: {faults:?}");
        assert!(faults[0].starts_with("2: ") && faults[0].contains(hint), "{line}: {faults:?}");
    }
}

#[test]
fn all_faults_come_at_once_in_the_order_of_lines() {
    let faults = Story::parse("unit a\nunit b customer=x timeout=20s\nuntil never\n").unwrap_err();
    assert_eq!(faults.iter().map(|fault| fault.line).collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn comments_order_of_time_and_case_of_ids_are_as_one_expects() {
    let story =
        Story::parse("# first\nunit A customer=x # that one\nat 2h A silent\nat 1h A silent\nuntil 3h").unwrap();
    assert_eq!(story.events.iter().map(|event| event.line).collect::<Vec<_>>(), [4, 3]);
    assert_eq!(story.until.as_secs(), 3 * 3_600);
    assert_eq!(story.plan.devices[0].id, "A");
}

#[test]
fn an_unmet_expectation_names_its_line_and_what_was_instead() {
    let text = "unit a customer=acme
at 1h a silent
at 2h expect case a P1 Solved
at 2h expect no case a
at 2h expect verdict a UP
at 2h expect cases 2
at 2h case a return
at 3h monitor stop
at 4h case a take
";
    let outcome = run(&Story::parse(text).unwrap(), Print::Json, &mut std::io::sink()).unwrap();
    let unmet: Vec<_> = outcome.unmet.iter().map(|unmet| (unmet.line, unmet.message.as_str())).collect();
    assert_eq!(unmet[0], (3, "expected case a P1 Solved, but it is P1 New"));
    assert_eq!(unmet[1], (4, "expected no case a, but there is a P1 New"));
    assert_eq!(unmet[2], (5, "expected verdict a UP, but it is LOSS"));
    assert_eq!(unmet[3], (6, "expected 2 cases, but there were 1"));
    assert!(unmet[4].0 == 7 && unmet[4].1.contains("not declared solved"));
    assert_eq!(unmet[5], (9, "the daemon is not running, so nobody can ask it"));
    assert_eq!(unmet.len(), 6);
}

#[test]
fn facts_are_printed_one_a_line_with_the_names_that_others_build_on() {
    let story = Story::parse("unit a customer=acme\nat 1h a silent\nat 2h a answer 12ms\nuntil 27h\n").unwrap();
    let mut out = Vec::new();
    run(&story, Print::Json, &mut out).unwrap();
    let lines = String::from_utf8(out).unwrap();
    let facts: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let all = |name: &str| facts.iter().filter(|fact| fact["fact"] == name).collect::<Vec<_>>();
    let opened = all("case_opened")[0];
    assert_eq!((&opened["at"], &opened["unit"], &opened["priority"]), (&4_200.into(), &"a".into(), &"P1".into()));
    assert!(opened["reference"].as_str().is_some_and(|reference| reference.starts_with("NTU-")));
    assert_eq!(all("verdict_changed")[1]["verdict"], "LOSS");
    assert_eq!((all("case_solved").len(), all("case_closed").len()), (1, 1));
    let letters: Vec<_> = all("letter").iter().map(|fact| (fact["kind"].clone(), fact["to"].clone())).collect();
    let (customer, noc) = ("acme@customer.example", "noc@example.net");
    let both = |kind: &str| [(kind.into(), customer.into()), (kind.into(), noc.into())];
    assert_eq!(letters, [both("opened"), both("solved"), both("closed")].concat());
    assert_eq!(all("letter_sent").len(), 6);
}
