//! How many instructions a probe takes, counted by callgrind: a figure that no neighbour on the machine can touch.
//!
//! Each part is played twice under valgrind, once for longer; the difference is the cost of what was added. Without arguments
//! the figures are held against `budgets.txt`, and it is a failure if one is above its budget. `record` writes the
//! budgets anew. Needs `valgrind`, and for the ICMP engine `unshare` and `ip`; what is missing is said and skipped. An example and
//! not a bench, so that it shares what a release build has compiled. Takes half a minute.

#[path = "../support/namespace.rs"]
mod namespace;
mod parts;
#[path = "../support/table.rs"]
mod table;

use parts::{PARTS, Part};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};
use table::Table;

/// How far from its budget a figure may be, in percent.
const TOLERANCE: f64 = 5.0;

/// How budgets are made anew.
const RECORD: &str = "cargo run --release --example instructions record";

const BUDGETS: &str = "benches/instructions/budgets.txt";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [] => compare(),
        ["record"] => record(),
        ["play", name, count] => {
            let part = PARTS.iter().find(|part| part.name == name).expect("a part of this name");
            (part.play)(count.parse().expect("a number"));
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("usage: instructions [record]");
            ExitCode::FAILURE
        }
    }
}

/// Where the budgets are, wherever this is called from.
fn budgets() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(BUDGETS)
}

#[expect(clippy::print_stdout, reason = "a check prints its result")]
fn compare() -> ExitCode {
    let text = fs::read_to_string(budgets()).expect("the budgets can be read");
    let known: HashMap<&str, f64> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(char::is_whitespace))
        .map(|(name, budget)| (name, budget.trim().parse().expect("a budget is a number")))
        .collect();
    let mut table = Table::new(&["instructions", "of one", "counted", "budget", "%"]);
    let mut verdicts = Vec::new();
    let mut within = true;
    for part in PARTS {
        let counted = match count(part) {
            Ok(counted) => counted,
            Err(why) => {
                verdicts.push(format!("skipped: instructions of {}: {why}", part.name));
                continue;
            }
        };
        let budget = known.get(part.name).copied().unwrap_or(0.0);
        let percent = (counted - budget) * 100.0 / budget;
        table.row(
            part.name,
            [part.one.to_owned(), format!("{counted:.0}"), format!("{budget:.0}"), format!("{percent:+.1}")],
        );
        if percent.abs() <= TOLERANCE {
            continue;
        }
        let more = percent > 0.0;
        within &= !more;
        let (word, what) = if more {
            ("more", "find out why; if it is worth it, raise the budget")
        } else {
            ("fewer", "lower the budget, so that it stays won")
        };
        verdicts.push(format!(
            "{}: {counted:.0} instructions a {}, {:.1} % {word} than the budget of {budget:.0}: {what} ({RECORD})",
            part.name,
            part.one,
            percent.abs(),
        ));
    }
    table.print();
    verdicts.iter().for_each(|verdict| println!("{verdict}"));
    if within { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn record() -> ExitCode {
    let mut text = format!("# Instructions of one probe or line, by callgrind. Written by `{RECORD}`.\n");
    for part in PARTS {
        match count(part) {
            Ok(counted) => writeln!(text, "{} {counted:.0}", part.name).expect("a string takes it"),
            Err(why) => {
                eprintln!("nothing is recorded, for {} can't be counted: {why}", part.name);
                return ExitCode::FAILURE;
            }
        }
    }
    fs::write(budgets(), text).expect("the budgets can be written");
    ExitCode::SUCCESS
}

/// Instructions of one more.
fn count(part: &Part) -> Result<f64, String> {
    let (few, many) = part.counts;
    Ok((collected(part, many)? - collected(part, few)?) / f64::from((many - few) * part.each))
}

/// All instructions of a run.
fn collected(part: &Part, count: u32) -> Result<f64, String> {
    let mut command = if part.needs_network { namespace::command() } else { Command::new("env") };
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    command.args(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(own).args([
        "play",
        part.name,
        &count.to_string(),
    ]);
    let Output { status, stderr, .. } = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let said = String::from_utf8_lossy(&stderr);
    let total = said.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok());
    total.filter(|_| status.success()).ok_or_else(|| format!("valgrind does not count it (Debian: valgrind): {said}"))
}
