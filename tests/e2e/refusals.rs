//! What the daemon does not start with: one line that says what to do, and an exit code by sysexits.

use crate::daemon::{self, Daemon, PROGRAM, config_file};
use crate::disk::Disk;
use crate::net::{Net, Place, V4};
use crate::world::{Setup, unit};
use rusqlite::Connection;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn config() -> String {
    Setup { units: vec![unit("one", V4[0], "")], ..Setup::default() }.toml()
}

/// A home with a configuration in it.
fn home(config: &str) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    fs::write(config_file(home.path()), config).unwrap();
    home
}

/// The exit code of a daemon that does not start, and the one line that it says.
fn refusal(mut daemon: Daemon) -> (Option<i32>, String) {
    let (status, _) = daemon.wait();
    let log = daemon.log();
    let lines: Vec<&str> = log.lines().collect();
    assert!(matches!(lines[..], [line] if line.starts_with("ntuwatch: ")), "not one line: {log}");
    (status.code(), log)
}

fn is_refused(net: &Net, home: &Path, code: i32, words: &[&str]) {
    let (found, line) = refusal(Daemon::spawn(net, home));
    assert_eq!(found, Some(code), "{line}");
    for word in words {
        assert!(line.contains(word), "no {word:?} in {line}");
    }
}

#[test]
fn a_second_daemon_does_not_start() {
    let Some(net) = Net::raise() else { return };
    let first = home(&config());
    let mut daemon = Daemon::spawn(&net, first.path());
    daemon.wait_until_up();
    let elsewhere = home(&config());
    is_refused(&net, elsewhere.path(), 69, &["127.0.0.1:9640 is in use", "[http] listen"]);
    let store = first.path().join("ntuwatch.db");
    let same_store =
        config().replace("./ntuwatch.db", store.to_str().unwrap()).replace("127.0.0.1:9640", "127.0.0.1:9641");
    let same_store = home(&same_store);
    is_refused(&net, same_store.path(), 69, &[store.to_str().unwrap(), "in use by another ntuwatch", "[store] path"]);
    let socket = first.path().join("ntuwatch.sock");
    let same_socket =
        config().replace("./ntuwatch.sock", socket.to_str().unwrap()).replace("127.0.0.1:9640", "127.0.0.1:9641");
    is_refused(&net, home(&same_socket).path(), 69, &[socket.to_str().unwrap(), "a daemon answers"]);
    // Who came later has not harmed who was there.
    assert!(daemon::get(first.path(), "/health").is_some());
    assert!(daemon.stop().0.success());
}

#[test]
fn a_store_that_cannot_be_used_is_told() {
    let Some(net) = Net::raise() else { return };
    let nowhere = home(&config().replace("./ntuwatch.db", "./no/such/ntuwatch.db"));
    is_refused(&net, nowhere.path(), 73, &["no/such", "its parent must exist"]);
    let protected = home(&config().replace("./ntuwatch.db", "./disk/ntuwatch.db"));
    let disk = Disk::mount(protected.path().join("disk"), 1);
    disk.protect();
    is_refused(&net, protected.path(), 73, &["disk/ntuwatch.db", "must exist and allow this user to write"]);
    let full = home(&config().replace("./ntuwatch.db", "./disk/ntuwatch.db"));
    let disk = Disk::mount(full.path().join("disk"), 1);
    disk.fill();
    is_refused(&net, full.path(), 73, &["disk/ntuwatch.db"]);
    assert!(!disk.path().join("ntuwatch.db").exists(), "no half of a store");
}

/// A home whose store is sound and of this version, with a write-ahead log beside it: its daemon has crashed.
fn used_home(net: &Net) -> (TempDir, PathBuf) {
    let home = home(&config());
    let mut daemon = Daemon::spawn(net, home.path());
    daemon.wait_until_up();
    daemon.crash();
    fs::remove_file(home.path().join("log")).unwrap();
    let store = home.path().join("ntuwatch.db");
    (home, store)
}

#[test]
fn a_store_from_later_or_in_pieces_is_not_touched() {
    let Some(net) = Net::raise() else { return };
    let (later, store) = used_home(&net);
    let history = "INSERT INTO refinery_schema_history VALUES (99, 'later', '2099-01-01T00:00:00Z', '1')";
    Connection::open(&store).unwrap().execute(history, []).unwrap();
    is_refused(&net, later.path(), 65, &["has schema 99", "update ntuwatch"]);

    let (broken, store) = used_home(&net);
    let size = fs::metadata(&store).unwrap().len();
    let file = OpenOptions::new().write(true).open(&store).unwrap();
    file.write_all_at(&vec![0xA5; usize::try_from(size / 2).unwrap()], size / 2).unwrap();
    let remains = || [store.clone(), broken.path().join("ntuwatch.db-wal")].map(|file| fs::read(file).unwrap());
    let before = remains();
    is_refused(&net, broken.path(), 65, &["is damaged", "restore the last backup"]);
    assert!(remains() == before, "what is left is for whoever mends it");

    let (empty, store) = used_home(&net);
    fs::write(&store, "").unwrap();
    is_refused(&net, empty.path(), 65, &["is damaged: it is empty"]);

    let (foreign, store) = used_home(&net);
    fs::write(&store, "Dear diary, today I was opened by a program that did not know me.\n".repeat(99)).unwrap();
    is_refused(&net, foreign.path(), 65, &["is not a store of ntuwatch"]);
}

#[test]
fn without_the_right_to_icmp_there_is_no_watch() {
    let Some(net) = Net::raise() else { return };
    let home = home(&config());
    // In a new namespace nobody is in ping_group_range either.
    let mut command = net.command(Place::Monitor, "setpriv");
    command.args(["--bounding-set", "-net_raw", "--inh-caps", "-net_raw", "--", PROGRAM, "run", "--config"]);
    command.arg(config_file(home.path()));
    let (code, line) = refusal(Daemon::spawn_as(command, home.path()));
    assert_eq!(code, Some(77), "{line}");
    assert!(line.contains("CAP_NET_RAW"), "{line}");
}

#[test]
fn all_faults_of_a_configuration_are_told_at_once() {
    let Some(net) = Net::raise() else { return };
    let faulty = config()
        .replace("interval = \"1s\"", "interval = \"often\"")
        .replace("[stability]", "[stability]\nfoo = 1")
        .replace("name = \"Acme Ltd\"", "name = \"Acme\\r\\nBcc: x@evil.example\"")
        .replace("customer = \"acme\"", "customer = \"nobody\"")
        .replace("ttr = \"4h\"\n", "");
    let home = home(&faulty);
    let line_of = |start: &str| faulty.lines().position(|line| line.starts_with(start)).unwrap() + 1;
    let places = [
        (line_of("interval"), 12, "`interval`"),
        (line_of("foo"), 1, "unknown key \"foo\""),
        (line_of("name"), 8, "control characters"),
        (line_of("[[unit]]"), 1, "ttr of order SO-one is missing"),
        (line_of("customer = \"nobody\""), 12, "nobody"),
    ];
    let file = config_file(home.path());
    let mut expected: Vec<_> =
        places.map(|(line, column, what)| (format!("{}:{line}:{column}: ", file.display()), what)).into();
    expected.sort();
    let mut daemon = Daemon::spawn(&net, home.path());
    assert_eq!(daemon.wait().0.code(), Some(78), "{}", daemon.log());
    let said = daemon.log();
    for (place, what) in &expected {
        assert!(said.lines().any(|line| line.starts_with(place) && line.contains(what)), "no {place}{what} in {said}");
    }
    assert_eq!(said.lines().count(), expected.len(), "{said}");
    let checked = daemon::cli(home.path(), &["check"]);
    assert_eq!((checked.status.code(), String::from_utf8(checked.stderr).unwrap()), (Some(78), said));
}
