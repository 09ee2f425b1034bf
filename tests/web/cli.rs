//! The command line against a real server.

use crate::harness::{CLOSED, NOW, OPEN, World, reference, unit};
use ntuwatch::domain::desk::{Alarm, AlarmCause, AlarmKind};
use ntuwatch::domain::watch::Verdict;
use ntuwatch::web::board::Reload;
use std::process::{Command, Output, Stdio};

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn world() -> World {
    let world = World::new(None);
    let rows = (0..2_001).map(|n| Some(unit(&format!("acme-{n:04}"), "acme", Verdict::Up)));
    world.board.replace(rows.collect());
    world
}

#[test]
fn work_is_done_and_said() {
    let world = world();
    let done = world.cli(&["case", "take", &reference(OPEN), "--by", "anna"]);
    assert_eq!((done.status.code(), out(&done)), (Some(0), format!("{}: take\n", reference(OPEN))));
    assert!(world.last_asked().starts_with("anna: "));
    let done = world.cli(&["--json", "case", "wait", &reference(OPEN), "--on", "supplier", "--note", "ticket"]);
    assert_eq!(out(&done), format!("{{\"done\":\"wait\",\"reference\":\"{}\",\"case\":null}}\n", reference(OPEN)));
    let done = world.cli(&["case", "open", "acme-0001", "--priority", "P2", "--note", "slow"]);
    assert_eq!(out(&done), format!("{}: opened, P2 (degraded) for acme-0001, order SO-acme-0001\n", reference(OPEN)));
}

#[test]
fn refusals_have_exit_codes_and_reasons() {
    let world = world();
    let refusals: [(&[&str], i32, &str); 6] = [
        (&["case", "solve", &reference(CLOSED)], 65, "closed, which is final"),
        (&["case", "take", "NTU-2345"], 65, "has the form NTU-XXXX-XXXX"),
        (&["case", "note", &reference(OPEN), " "], 65, "the note is empty"),
        (&["unit", "show", "nobody/../x"], 65, "no unit \"nobody/../x\""),
        (&["case", "take"], 64, "required"),
        (&["juggle"], 64, "unrecognized"),
    ];
    for (arguments, code, why) in refusals {
        let output = world.cli(arguments);
        assert_eq!((output.status.code(), err(&output).contains(why)), (Some(code), true), "{output:?}");
        assert!(output.stdout.is_empty(), "{output:?}");
    }
    assert_eq!(world.cli(&["--help"]).status.code(), Some(0));
    assert_eq!(world.cli(&["--version"]).status.code(), Some(0));
}

#[test]
fn lists_are_whole_in_both_forms() {
    let world = world();
    let table = out(&world.cli(&["unit", "list"]));
    let mut lines = table.lines();
    assert_eq!(lines.next(), Some("UNIT       CUSTOMER  ADDRESS    VERDICT  SINCE                 RTT      LOSS 5M"));
    assert_eq!(lines.next(), Some("acme-0000  acme      192.0.2.1  UP       2027-01-15 07:59:00Z  12.3 ms  25.0 %"));
    assert_eq!(table.lines().count(), 2_002);
    let units: Vec<serde_json::Value> = serde_json::from_slice(&world.cli(&["unit", "list", "--json"]).stdout).unwrap();
    assert_eq!((units.len(), &units[2_000]["id"]), (2_001, &"acme-2000".into()));
    let limited: Vec<serde_json::Value> =
        serde_json::from_slice(&world.cli(&["unit", "list", "--json", "--limit", "1500"]).stdout).unwrap();
    assert_eq!(limited.len(), 1_500);
    let nobody = ["--customer=nobody", "--agent=silent", "--symptom=flapping"];
    for arguments in nobody.map(|filter| ["unit", "list", "--json", filter]) {
        assert_eq!(out(&world.cli(&arguments)), "[]\n");
    }
    let shown = out(&world.cli(&["unit", "list", "--agent=unknown", "--limit=3"]));
    assert_eq!(shown.lines().count(), 4, "{shown}");
    for arguments in [["unit", "list", "--json", "--customer=nobody"], ["unit", "list", "--json", "--limit=0"]] {
        assert_eq!(out(&world.cli(&arguments)), "[]\n");
    }
}

#[test]
fn status_shows_what_is_wrong() {
    let world = world();
    let mut summary = (*world.board.summary().0).clone();
    summary.alarms = vec![Alarm { kind: AlarmKind::Impaired, since: NOW, why: AlarmCause::Everybody }];
    summary.umbrellas = 2;
    summary.reload = Reload { at: Some(NOW), fault: Some("ntuwatch.toml:3:1: \u{1b}[31munknown key".to_owned()) };
    world.board.set_summary(summary);
    let status = out(&world.cli(&["status"]));
    assert!(
        status.starts_with("ntuwatch 0.1.0: degraded, up 0 s\n  ! probes to everybody are lost or late"),
        "{status}"
    );
    assert!(status.contains("\n  ! the last reload was refused"), "{status}");
    assert!(
        status.contains("alarms   impaired\nshared   2 umbrellas open\nworks    no maintenances active\n"),
        "{status}"
    );
    assert!(status.contains("units    UP 2001  DEGRADED 0  LOSS 0  INCONCLUSIVE 0  UNOBSERVED 0\n"), "{status}");
    assert!(status.contains("P2: New 0  Working 0  Waiting 0  Solved 0\n"), "{status}");
    assert!(!status.contains('\u{1b}'), "nothing reaches the terminal's controls: {status:?}");
    let json: serde_json::Value = serde_json::from_slice(&world.cli(&["status", "--json"]).stdout).unwrap();
    assert_eq!(json["health"]["status"], "degraded");
    assert_eq!(json["started_at"], "2027-01-15T08:00:00Z");
}

#[test]
fn nobody_reading_on_is_no_error() {
    let world = world();
    let mut child = Command::new(env!("CARGO_BIN_EXE_ntuwatch"))
        .arg("--socket")
        .arg(world.socket())
        .args(["unit", "list"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), err(&output)), (Some(0), String::new()));
}

#[test]
fn help_that_nobody_reads_on_is_no_error_and_help_that_is_lost_is_one() {
    let help = |stdout: Stdio| {
        Command::new(env!("CARGO_BIN_EXE_ntuwatch")).arg("--help").stdout(stdout).output().unwrap().status.code()
    };
    let (nobody, pipe) = std::io::pipe().unwrap();
    drop(nobody);
    assert_eq!(help(pipe.into()), Some(0));
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    assert_eq!(help(full.into()), Some(74));
}

#[test]
fn the_daemon_is_found_through_a_configuration_with_faults() {
    let world = world();
    let config = world.folder.path().join("ntuwatch.toml");
    std::fs::write(&config, "[http]\nsocket = \"sock\"\nlisten = 7\n[detection]\ninterval = \"soon\"\n").unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ntuwatch"));
        command.arg("--config").arg(&config).args(arguments).current_dir("/").output().unwrap()
    };
    assert_eq!(run(&["status"]).status.code(), Some(0));
    std::fs::write(&config, "[http]\nsocket = \"elsewhere\"\n").unwrap();
    let absent = run(&["status"]);
    assert_eq!(absent.status.code(), Some(69));
    assert!(err(&absent).contains("is ntuwatch running? start it with `ntuwatch run --config"), "{absent:?}");
    std::fs::remove_file(&config).unwrap();
    assert_eq!(run(&["status"]).status.code(), Some(66));
    let lost = Command::new(env!("CARGO_BIN_EXE_ntuwatch")).arg("status").current_dir("/").output().unwrap();
    assert_eq!(lost.status.code(), Some(64), "{lost:?}");
}
