//! The files in `systemd/` by the tools that will read them.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The exposure the unit may have at most, in tenths.
const MAX_EXPOSURE: u32 = 20;

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd").join(name)
}

/// Runs a tool of systemd; `None`, with a word about it, if it is not installed.
fn run(command: &mut Command) -> Option<Output> {
    let output = command.env("SYSTEMD_COLORS", "0").env("SYSTEMD_PAGER", "").output();
    if output.as_ref().is_err_and(|error| error.kind() == ErrorKind::NotFound) {
        eprintln!("skipped: {:?} is not installed (Debian: systemd)", command.get_program());
        return None;
    }
    Some(output.expect("the tool runs"))
}

/// Panics unless the tool was content and said nothing.
fn content(output: &Output) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{said}");
}

#[test]
fn the_unit_is_sound() {
    let folder = tempfile::tempdir().expect("a folder");
    let unit = fs::read_to_string(shipped("ntuwatch.service")).expect("the unit");
    // The program is not installed where the unit looks for it.
    let here = unit.replace("/usr/bin/ntuwatch", env!("CARGO_BIN_EXE_ntuwatch"));
    assert_ne!(here, unit);
    let copy = folder.path().join("ntuwatch.service");
    fs::write(&copy, here).expect("a copy");
    if let Some(output) = run(Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&copy)) {
        content(&output);
    }
}

#[test]
fn the_unit_is_hardly_exposed() {
    let threshold = format!("--threshold={MAX_EXPOSURE}");
    let arguments = ["security", "--no-pager", "--offline=true", &threshold];
    if let Some(output) = run(Command::new("systemd-analyze").args(arguments).arg(shipped("ntuwatch.service"))) {
        let report = String::from_utf8_lossy(&output.stdout);
        assert!(report.contains("Overall exposure level for ntuwatch.service"), "{report}");
        assert!(output.status.success(), "{report}");
    }
}

#[test]
fn the_user_and_the_folder_of_the_configuration_can_be_made() {
    let root = tempfile::tempdir().expect("a folder");
    fs::create_dir(root.path().join("etc")).expect("etc");
    if !nix::unistd::geteuid().is_root() {
        println!("skipped: making users takes root");
        return;
    }
    let at_root = format!("--root={}", root.path().display());
    let sysusers = run(Command::new("systemd-sysusers").arg(&at_root).arg(shipped("ntuwatch.sysusers.conf")));
    let Some(sysusers) = sysusers else { return };
    assert!(sysusers.status.success(), "{sysusers:?}");
    let users = fs::read_to_string(root.path().join("etc/passwd")).expect("users");
    assert!(users.contains("ntuwatch:"), "{users}");
    let tmpfiles =
        run(Command::new("systemd-tmpfiles").arg(&at_root).arg("--create").arg(shipped("ntuwatch.tmpfiles.conf")));
    if let Some(output) = tmpfiles {
        content(&output);
        assert!(root.path().join("etc/ntuwatch/secrets").is_dir());
    }
}
