//! Whatever is in a configuration or an inventory file, reading it ends with a configuration or with faults that have places.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

#[cfg(test)]
mod mutator;

use ntuwatch::config;
use std::fs;

/// Each writes and reads a file.
const ROUNDS: u64 = 2_000;

/// A main file that names an inventory beside it.
const MAIN: &str = r#"
    [mail]
    from = "NOC <noc@example.net>"
    noc = ["noc@example.net"]
    [inventory]
    files = ["units.csv"]
    [[customer]]
    id = "acme"
    name = "Acme Ltd"
    email = ["it@acme.example"]
"#;

/// Reads `main`, with each input in `changing`.
fn survive(corpus: &str, main: &str, changing: &str) {
    let home = tempfile::tempdir().unwrap();
    let main_file = home.path().join("ntuwatch.toml");
    let changing = home.path().join(changing);
    fs::write(&main_file, main).unwrap();
    let (mut good, mut bad) = (0, 0);
    mutator::play(corpus, ROUNDS, |input| {
        fs::write(&changing, input).unwrap();
        match config::read(&main_file, None) {
            Ok(_) => good += 1,
            Err(faults) => {
                bad += 1;
                assert!(!faults.0.is_empty(), "refused for nothing");
                let lines = input.len().max(main.len()) + 1;
                assert!(faults.0.iter().all(|fault| (1..=lines).contains(&fault.line)), "{faults}");
            }
        }
    });
    assert!(good > 0 && bad > 0, "{good} good, {bad} bad: that tries nothing");
}

#[test]
fn main_files() {
    survive("config", "", "ntuwatch.toml");
}

#[test]
fn inventories() {
    survive("inventory", MAIN, "units.csv");
}
