//! A daemon whose log nobody takes goes on: a full disk and a reader that has gone away must not end the watch.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::{self, File};
use std::io;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

/// What `run` exits with where it has no right to ICMP (sysexits).
const NO_PERMISSION: i32 = 77;

const CONFIG: &str = r#"
    [http]
    listen = "off"
    [mail]
    from = "NOC <noc@example.net>"
    noc = ["noc@example.net"]
"#;

#[test]
fn a_log_that_cannot_be_written_ends_nothing() {
    let (nobody, pipe) = io::pipe().unwrap();
    drop(nobody);
    let full = File::options().write(true).open("/dev/full").unwrap();
    for log in [Stdio::from(full), Stdio::from(pipe)] {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("ntuwatch.toml");
        fs::write(&path, CONFIG).unwrap();
        let mut run = Command::new(env!("CARGO_BIN_EXE_ntuwatch"));
        let mut daemon = run.arg("run").arg("--config").arg(&path).stderr(log).spawn().unwrap();
        let socket = home.path().join("ntuwatch.sock");
        for _ in 0..1_000 {
            if socket.exists() || daemon.try_wait().unwrap().is_some() {
                break;
            }
            thread::sleep(Duration::from_millis(20));
        }
        // It has said where everything is by then, or tried to.
        thread::sleep(Duration::from_millis(300));
        let early = daemon.try_wait().unwrap();
        if early.and_then(|status| status.code()) == Some(NO_PERMISSION) {
            return println!("skipped: no right to ICMP here");
        }
        assert_eq!(early, None);
        kill(Pid::from_raw(i32::try_from(daemon.id()).unwrap()), Signal::SIGTERM).unwrap();
        assert!(daemon.wait().unwrap().success());
    }
}
