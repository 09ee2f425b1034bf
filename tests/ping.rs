//! `ntuwatch ping` on the loopback interface, without a daemon.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use serde_json::Value;
use std::fs;
use std::process::{Command, Output};

/// What `ping` exits with where it has no right to ICMP (sysexits).
const NO_PERMISSION: i32 = 77;

/// 127.0.0.1 answers; to the broadcast address the kernel sends nothing; nothing answers SNMP on port 9.
const CONFIG: &str = r#"
    [http]
    listen = "off"
    socket = "./ntuwatch.sock"
    [mail]
    from = "NOC <noc@example.net>"
    noc = ["noc@example.net"]
    [detection]
    timeout = "300ms"
    [[customer]]
    id = "acme"
    name = "Acme Ltd"
    email = ["it@acme.example"]
    [[unit]]
    id = "acme-lon-1"
    customer = "acme"
    address = "127.0.0.1"
    order = "SO-1"
    service = "DIA"
    region = "EMEA"
    ttr = "4h"
    snmp = { version = "2c", community = "public", port = 9 }
    [[unit]]
    id = "acme-lon-2"
    customer = "acme"
    address = "255.255.255.255"
    order = "SO-2"
    service = "DIA"
    region = "EMEA"
    ttr = "4h"
"#;

fn ping(arguments: &[&str]) -> Output {
    let home = tempfile::tempdir().unwrap();
    let config = home.path().join("ntuwatch.toml");
    fs::write(&config, CONFIG).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_ntuwatch"));
    command.arg("ping").arg("--config").arg(&config).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Says why the rest of a test is skipped, where we have no right to ICMP.
#[expect(clippy::print_stdout, reason = "a test says why it is skipped")]
fn no_right(output: &Output) -> bool {
    let said = text(&output.stderr);
    let none = output.status.code() == Some(NO_PERMISSION);
    if none {
        assert!(said.contains("CAP_NET_RAW") && said.contains("ping_group_range"), "{said}");
        println!("skipped: {said}");
    }
    none
}

#[test]
fn whoever_answers_is_shown_with_round_trips() {
    let output = ping(&["acme-lon-1", "--count", "3", "--interval", "200ms"]);
    if no_right(&output) {
        return;
    }
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    for part in
        ["acme-lon-1 at 127.0.0.1", "no daemon answers", "1: answered in", "3: answered in", "3 sent, 3 received"]
    {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(shown.contains("p95") && !shown.contains("SNMP"), "{shown}");
}

#[test]
fn an_agent_is_asked_too_and_programs_read_json() {
    let output = ping(&["--json", "acme-lon-1", "--count", "1", "--snmp"]);
    if no_right(&output) {
        return;
    }
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&answer["summary"]["received"], &answer["echoes"][0]["outcome"]), (&1.into(), &"answered".into()));
    assert!(answer["echoes"][0]["rtt_ms"].as_f64().is_some_and(|rtt| rtt > 0.0), "{answer}");
    assert_eq!((&answer["snmp"]["outcome"], &answer["daemon"]), (&"lost".into(), &Value::Null));
}

#[test]
fn that_nothing_comes_back_is_an_exit_code() {
    let output = ping(&["acme-lon-2", "--count", "2", "--interval", "200ms"]);
    if no_right(&output) {
        return;
    }
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let shown = text(&output.stdout);
    assert!(shown.contains("2: not sent: ") && shown.contains("0 sent, 0 received"), "{output:?}");
    assert!(text(&output.stderr).contains("nothing came back from acme-lon-2"), "{output:?}");
}

#[test]
fn refusals_say_what_to_do() {
    let refusals: [(&[&str], i32, &str); 4] = [
        (&["acme-lon-3"], 65, "did you mean `acme-lon-"),
        (&["acme-lon-2", "--snmp"], 65, "has no `snmp`"),
        (&["acme-lon-1", "--interval", "50ms"], 64, "200ms at least"),
        (&["acme-lon-1", "--count", "0"], 64, "0 is not in 1..=10000"),
    ];
    for (arguments, code, why) in refusals {
        let output = ping(arguments);
        assert_eq!((output.status.code(), text(&output.stderr).contains(why)), (Some(code), true), "{output:?}");
    }
}
