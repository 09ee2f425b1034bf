//! A network namespace of a test's own, in which root may also open unprivileged ICMP sockets.

use nix::sched::{CloneFlags, unshare};
use std::process::Command;
use std::thread;

/// Runs `test` in one, on a thread of its own; if there can be none, says why.
pub(super) fn within(test: impl FnOnce() + Send) {
    let run = || match enter() {
        Ok(()) => test(),
        Err(why) => println!("skipped: no network namespace: {why}"),
    };
    thread::scope(|scope| scope.spawn(run).join()).unwrap();
}

fn enter() -> Result<(), String> {
    unshare(CloneFlags::CLONE_NEWNET).map_err(|error| error.to_string())?;
    std::fs::write("/proc/sys/net/ipv4/ping_group_range", "0 0").unwrap();
    run("ip", &["link", "set", "lo", "up"])
}

/// Runs a tool in the namespace that this thread is in; says so if it is not installed.
pub(super) fn run(tool: &str, arguments: &[&str]) -> Result<(), String> {
    let status = Command::new(tool).args(arguments).status().map_err(|error| format!("{tool}: {error}"))?;
    assert!(status.success(), "{tool} {arguments:?}");
    Ok(())
}
