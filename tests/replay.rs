//! A past that was recorded in a real store, replayed by the real program; and what a check says of a reload.
#![expect(clippy::unwrap_used, reason = "a test may fail")]

use ntuwatch::config;
use ntuwatch::domain::letter::Delivery;
use ntuwatch::domain::plan::Plan;
use ntuwatch::domain::time::{Calendar, ClockMark, Time};
use ntuwatch::domain::turn::{Input, Turn};
use ntuwatch::domain::watch::{Ask, Method, Outcome, Probe, ProbeResult, Watch};
use ntuwatch::store::{Commit, Store};
use ntuwatch::text;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;
use tempfile::TempDir;

/// 2026-11-21 00:00:00 UTC.
const MIDNIGHT: i64 = 1_795_219_200_000;
const RTT: Duration = Duration::from_millis(12);

fn at(seconds: u64) -> Time {
    Time::from_millis(MIDNIGHT) + Duration::from_secs(seconds)
}

/// A configuration: what it says of detection, and of the unit that things happen to.
fn toml(detection: &str, customer: &str) -> String {
    let unit = |number: u32, customer: &str| {
        format!(
            "[[unit]]\nid = \"acme-{number}\"\ncustomer = \"{customer}\"\naddress = \"192.0.2.{number}\"\n\
             order = \"SO-{number}\"\nservice = \"DIA\"\nregion = \"EMEA\"\nttr = \"4h\"\n"
        )
    };
    let units: String = (2..=6).map(|number| unit(number, "acme")).collect();
    format!(
        "[store]\npath = \"./ntuwatch.db\"\n[mail]\nfrom = \"noc@example.net\"\nnoc = [\"noc@example.net\"]\n\
         folder = \"./mail\"\n[detection]\nsentinels = [\"198.51.100.1\"]\n{detection}\n\
         [[customer]]\nid = \"acme\"\nname = \"Acme\"\nemail = [\"it@acme.example\"]\n\
         [[customer]]\nid = \"bolt\"\nname = \"Bolt\"\nemail = [\"it@bolt.example\"]\n{}{units}",
        unit(1, customer)
    )
}

/// A folder with a configuration and the store that a watch under it has written.
struct Home {
    folder: TempDir,
    plan: Plan,
}

impl Home {
    /// A watch by these settings until `until` seconds after midnight; `lost` says when `acme-1` does not answer.
    fn recorded(detection: &str, until: u64, lost: impl Fn(u64) -> bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("now.toml");
        fs::write(&file, toml(detection, "acme")).unwrap();
        let plan = config::read(&file, None).unwrap().plan;
        let home = Self { folder, plan };
        home.record(until, lost);
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn record(&self, until: u64, lost: impl Fn(u64) -> bool) {
        let (mut store, loaded) = Store::open(&self.path("ntuwatch.db")).unwrap();
        let mut turn = Turn::new(at(0));
        let mut watch = Watch::start(loaded.saved, &self.plan, &mut turn);
        let victim = watch.slot("acme-1");
        let mut on_the_way: Vec<(Time, Input)> = Vec::new();
        while turn.at < at(until) {
            watch.step(Input::Tick, &mut turn);
            // A disk that is told at every turn takes its time.
            if turn.is_durable() {
                commit(&mut store, &turn);
            }
            for Probe { slot, round, timeout, ask, .. } in turn.probes.drain(..) {
                let seconds = turn.at.since(at(0)).as_secs();
                let (after, outcome) = if Some(slot) == victim && lost(seconds) {
                    (timeout, Outcome::LOST)
                } else {
                    (RTT, Outcome::Answered { rtt: RTT, sample: None })
                };
                let method = match ask {
                    Ask::Icmp => Method::Icmp,
                    Ask::Snmp(_) => Method::Snmp,
                };
                let result = ProbeResult { slot, round, method, outcome };
                on_the_way.push((turn.at + after, Input::Probed(vec![result])));
            }
            for letter in turn.deliver.drain(..) {
                on_the_way.push((turn.at + RTT, Input::Attempted(letter, Delivery::Sent)));
            }
            let arrival = on_the_way.iter().map(|(at, _)| *at).min();
            let now = watch.next_due().min(arrival.unwrap_or(at(until))).max(turn.at + Duration::from_millis(1));
            turn.clear();
            turn.at = now.min(at(until));
            for (_, input) in on_the_way.extract_if(.., |(at, _)| *at <= now) {
                watch.step(input, &mut turn);
            }
        }
        commit(&mut store, &turn);
    }

    fn ntuwatch(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_ntuwatch")).args(arguments).current_dir(self.folder.path()).output().unwrap()
    }

    /// What other settings would have made of the last day.
    fn replayed(&self, detection: &str) -> serde_json::Value {
        fs::write(self.path("new.toml"), toml(detection, "acme")).unwrap();
        let done =
            self.ntuwatch(&["--json", "replay", "--config", "new.toml", "--current", "now.toml", "--since", "1d"]);
        assert_eq!(done.status.code(), Some(0), "{done:?}");
        serde_json::from_slice(&done.stdout).unwrap()
    }

    fn checked(&self, text: &str) -> String {
        fs::write(self.path("new.toml"), text).unwrap();
        let done = self.ntuwatch(&["check", "new.toml"]);
        assert_eq!(done.status.code(), Some(0), "{done:?}");
        String::from_utf8(done.stdout).unwrap()
    }
}

fn commit(store: &mut Store, turn: &Turn) {
    let stamp = text::Stamp::new(&[7; text::SECRET], "example.net", None);
    let mails: Vec<_> = turn.letters.iter().map(|letter| text::mail(letter, &stamp, &Calendar::default())).collect();
    let boot_ms = turn.at.as_millis() - MIDNIGHT;
    let mark = ClockMark { at: turn.at, boot_id: String::from("b"), boot_ms, unix_ms: turn.at.as_millis() };
    store.commit(&Commit { turn, mails: &mails, entries: &[], mark: &mark, calendar_step: None }).unwrap();
}

const HOUR: u64 = 3_600;

/// The minute of its hour in which a case opens.
fn opened(case: &serde_json::Value) -> &str {
    case["opened_at"].as_str().unwrap().get(..16).unwrap()
}

#[test]
fn an_outage_of_seven_minutes_would_have_opened_a_case_after_five() {
    let home = Home::recorded("", 2 * HOUR, |second| (HOUR..HOUR + 7 * 60).contains(&second));
    let found = home.replayed("down_after = \"5m\"");
    assert_eq!((&found["also"], &found["not"], &found["otherwise"]), (&1.into(), &0.into(), &0.into()), "{found}");
    let case = &found["changes"][0]["would"];
    assert_eq!((&case["unit"], &case["priority"]), (&"acme-1".into(), &"P1".into()));
    assert_eq!(opened(case), "2026-11-21T01:05");
    assert_eq!((&found["units"], &found["left_out"]), (&3.into(), &3.into()));
    assert_eq!(home.replayed("")["changes"], serde_json::json!([]));
}

#[test]
fn an_outage_of_eleven_minutes_would_have_opened_none_after_fifteen() {
    let home = Home::recorded("", 2 * HOUR, |second| (HOUR..HOUR + 11 * 60).contains(&second));
    let found = home.replayed("down_after = \"15m\"");
    assert_eq!((&found["also"], &found["not"], &found["otherwise"]), (&0.into(), &1.into(), &0.into()), "{found}");
    assert_eq!((&found["recorded"], &found["reproduced"]), (&1.into(), &1.into()));
    assert_eq!(opened(&found["changes"][0]["was"]), "2026-11-21T01:10");
}

#[test]
fn recorded_strips_decide_about_shares_of_loss() {
    // Every fifth round of ten seconds, but no quick one after it.
    let lost = |second: u64| (HOUR..2 * HOUR).contains(&second) && second.is_multiple_of(50);
    let home = Home::recorded("", 3 * HOUR, lost);
    let found = home.replayed("[degraded]\nloss = \"40%\"");
    assert_eq!((&found["also"], &found["not"], &found["reproduced"]), (&0.into(), &1.into(), &1.into()), "{found}");
    let case = &found["changes"][0]["was"];
    assert_eq!((&case["priority"], &case["reason"]), (&"P2".into(), &"loss_share".into()));
}

#[test]
fn people_read_times_and_what_to_make_of_them() {
    let home = Home::recorded("", 2 * HOUR, |second| (HOUR..HOUR + 7 * 60).contains(&second));
    fs::write(home.path("new.toml"), toml("down_after = \"5m\"", "acme")).unwrap();
    fs::rename(home.path("now.toml"), home.path("ntuwatch.toml")).unwrap();
    let done = home.ntuwatch(&["replay", "--config", "new.toml", "--since", "12h"]);
    let words = String::from_utf8(done.stdout).unwrap();
    assert!(words.contains("would also have opened: P1 on acme-1 at 2026-11-21 01:05:0"), "{words}");
    assert!(words.contains("right to within one interval"), "{words}");
    let short = "replayed: 2026-11-21 00:00:00 UTC to 2026-11-21 02:00:00 UTC, 2 h\n\
                 nothing is recorded before that, though 12 h were asked for\n3 units took part; 3 left out";
    assert!(words.starts_with(short), "{words}");
}

#[test]
fn what_cannot_be_replayed_says_why() {
    let home = Home::recorded("", 60, |_| false);
    let missing = ["replay", "--config", "now.toml", "--current", "now.toml", "--since", "1d", "--store", "none.db"];
    let refusals: [(&[&str], i32, &str); 5] = [
        (&missing, 66, "none.db"),
        (&["replay", "--since", "1d"], 64, "--config FILE"),
        (&["replay", "--config", "now.toml", "--since", "1d"], 64, "--current FILE"),
        (&["replay", "--config", "now.toml", "--since", "1 day"], 64, "write it as 10s"),
        (&["replay", "--config", "none.toml", "--current", "now.toml", "--since", "1d"], 78, "none.toml"),
    ];
    for (arguments, code, why) in refusals {
        let done = home.ntuwatch(arguments);
        let words = String::from_utf8(done.stderr).unwrap();
        assert_eq!((done.status.code(), words.contains(why)), (Some(code), true), "{arguments:?}: {words}");
    }
}

/// A daemon may have the store open meanwhile.
#[test]
fn a_store_in_use_is_read_and_not_touched() {
    let home = Home::recorded("", 2 * HOUR, |second| (HOUR..HOUR + 7 * 60).contains(&second));
    let store = home.path("ntuwatch.db");
    let held = Store::open(&store).unwrap();
    let before = fs::read(&store).unwrap();
    assert_eq!(home.replayed("down_after = \"5m\"")["also"], 1);
    assert!(before == fs::read(&store).unwrap());
    drop(held);
}

#[test]
fn a_check_tells_what_a_reload_would_change_at_once() {
    let home = Home::recorded("", HOUR + 7 * 60, |second| second >= HOUR);
    assert_eq!(home.checked(&toml("", "acme")).lines().count(), 1);
    let words = home.checked(&toml("down_after = \"5m\"", "acme"));
    let expected = "a reload would open a P1 on acme-1 at once: lost for ";
    assert!(words.contains(expected) && words.contains("down_after becomes 5 min"), "{words}");
    let home = Home::recorded("", HOUR + 11 * 60, |second| second >= HOUR);
    assert!(home.checked(&toml("", "bolt")).contains("a reload would give acme-1 to bolt: NTU-"));
    let without = toml("", "acme").replace("\"acme-1\"", "\"acme-7\"");
    assert!(home.checked(&without).contains("acme-1 leaves the inventory"));
    fs::write(home.path("new.toml"), without).unwrap();
    let done = home.ntuwatch(&["--json", "check", "new.toml"]);
    let fields: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!((&fields["reload"][0]["effect"], &fields["faults"]), (&"unwatched".into(), &serde_json::json!([])));
}

#[test]
fn a_cap_that_is_too_low_is_told_of_with_figures() {
    let home = Home::recorded("", 60, |_| false);
    let below_the_first = |(number, unit): (usize, &str)| match number {
        0 => unit.to_owned(),
        1 => format!("[[unit]]\nprobe_rate = 2{unit}"),
        _ => format!("[[unit]]\nupstream = \"acme-1\"{unit}"),
    };
    let capped: String = toml("interval = \"1s\"\ntimeout = \"500ms\"", "acme")
        .split("[[unit]]")
        .enumerate()
        .map(below_the_first)
        .collect();
    let warned = "warning: acme-1: the intervals of 6 devices ask for 6 probes a second, but probe_rate = 2 lets 1.9 through: \
                  rounds come 3 s apart, not 1 s\n";
    assert!(home.checked(&capped).ends_with(warned), "{}", home.checked(&capped));
    let fields = home.ntuwatch(&["--json", "check", "new.toml"]).stdout;
    let fields: serde_json::Value = serde_json::from_slice(&fields).unwrap();
    assert_eq!((&fields["strained"][0]["device"], &fields["strained"][0]["devices"]), (&"acme-1".into(), &6.into()));
    assert!(!home.checked(&capped.replace("probe_rate = 2", "probe_rate = 20")).contains("warning"));
}

#[test]
fn a_check_without_a_store_is_about_the_files_alone() {
    let home = Home::recorded("", 60, |_| false);
    fs::remove_file(home.path("ntuwatch.db")).unwrap();
    assert_eq!(home.checked(&toml("", "acme")), "new.toml: good: 6 units of 2 customers, no nodes, 1 sentinel\n");
    fs::write(home.path("ntuwatch.db"), "not a store").unwrap();
    let words = home.checked(&toml("", "acme"));
    assert!(words.contains("what a reload would change is not known: "), "{words}");
}
