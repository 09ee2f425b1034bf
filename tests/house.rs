//! The house rules: who may import whom, and what the core may not reach.
#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Each room with the rooms it may use. Everybody may use the clock's stopwatch, but for those who are pure.
const MAY_USE: [(&str, &[&str]); 11] = [
    ("domain", &[]),
    ("clock", &["domain"]),
    ("payload", &["domain"]),
    ("config", &["domain", "payload"]),
    ("store", &["domain"]),
    ("text", &["domain", "payload"]),
    ("engine", &["domain", "clock", "payload"]),
    ("web", &["domain", "clock", "store"]),
    ("story", &["domain", "text"]),
    ("app", &["domain", "clock", "config", "store", "text", "engine", "web", "payload"]),
    ("cli", &["domain", "config", "store", "text", "story", "app", "engine"]),
];

fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    fs::read_dir(path).unwrap().flat_map(|entry| files(&entry.unwrap().path())).collect()
}

fn room(name: &str) -> Vec<PathBuf> {
    let folder = Path::new("src").join(name);
    if folder.is_dir() { files(&folder) } else { vec![folder.with_extension("rs")] }
}

#[test]
fn rooms_use_only_what_they_may() {
    let mut faults = Vec::new();
    for (name, may_use) in MAY_USE {
        for file in room(name).iter().filter(|file| file.extension().is_some_and(|end| end == "rs")) {
            let text = fs::read_to_string(file).unwrap();
            for (other, _) in MAY_USE.iter().filter(|(other, _)| *other != name && !may_use.contains(other)) {
                if text.contains(&format!("crate::{other}")) {
                    faults.push(format!("{} uses {other}", file.display()));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn every_room_is_in_the_plan() {
    let mut rooms: Vec<String> = fs::read_dir("src")
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .filter(|name| name != "lib" && name != "main")
        .collect();
    rooms.sort();
    let mut planned: Vec<&str> = MAY_USE.iter().map(|(name, _)| *name).collect();
    planned.sort_unstable();
    assert_eq!(rooms, planned);
}

#[test]
fn engines_do_not_know_each_other() {
    let engines = ["icmp", "snmp", "traps", "mail_out", "mail_in", "resolver", "systemd", "heartbeat", "webhook"];
    for engine in engines {
        for file in room(&format!("engine/{engine}")) {
            let text = fs::read_to_string(&file).unwrap();
            for other in engines.iter().filter(|other| **other != engine) {
                for path in [format!("engine::{other}"), format!("super::{other}::")] {
                    assert!(!text.contains(&path), "{} uses {other}", file.display());
                }
            }
        }
    }
}

/// The core compiles by itself without the standard library: no IO, no clock, no threads, no randomness.
#[test]
fn the_core_needs_no_standard_library() {
    let home = tempfile::tempdir().unwrap();
    let core = fs::canonicalize("src/domain/mod.rs").unwrap();
    let wrapper = home.path().join("core.rs");
    let text = format!("#![no_std]\nextern crate alloc;\n#[path = {core:?}]\npub mod domain;\n");
    fs::write(&wrapper, text).unwrap();
    let rustc = Command::new("rustc")
        .args(["--edition=2024", "--crate-type=lib", "--emit=metadata", "--cap-lints=allow", "-o"])
        .arg(home.path().join("core.rmeta"))
        .arg(&wrapper)
        .output()
        .unwrap();
    assert!(rustc.status.success(), "{}", String::from_utf8_lossy(&rustc.stderr));
}

/// Committed text names nothing of the machine it was written on, and leaves nothing undone.
#[test]
fn nothing_is_left_lying_about() {
    let listed = Command::new("git").args(["ls-files", "src", "tests", "benches"]).output().unwrap();
    let undone = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("un", "implemented!")];
    for file in String::from_utf8(listed.stdout).unwrap().lines() {
        let Ok(text) = fs::read_to_string(file) else { continue };
        for word in undone {
            assert!(!text.contains(word), "{file}: {word}");
        }
        assert!(!text.contains(concat!("#[", "allow(")), "{file} allows a warning away");
    }
}
