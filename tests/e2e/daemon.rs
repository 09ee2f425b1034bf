//! The daemon: started, spoken to as an operator would, and ended.

use crate::net::{Net, Place};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use ntuwatch::clock::Stopwatch;
use serde_json::Value;
use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output};
use std::thread;
use std::time::Duration;

/// Far longer than anything takes, on a busy machine too: the longest time of a rule is 75 seconds.
const PATIENCE: Duration = Duration::from_secs(120);

/// The program: cargo's, or what NTUWATCH_E2E_PROGRAM names, such as the release build.
pub(crate) fn program() -> PathBuf {
    #[expect(clippy::disallowed_methods, reason = "a test has no command line")]
    let named = std::env::var("NTUWATCH_E2E_PROGRAM");
    named.map_or_else(|_| env!("CARGO_BIN_EXE_ntuwatch").into(), PathBuf::from)
}

/// Looks again and again until there is something.
pub(crate) fn until<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    let watch = Stopwatch::start();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(watch.elapsed() < PATIENCE, "in vain: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// A running daemon. Dropping it kills it.
pub(crate) struct Daemon {
    process: Child,
    home: PathBuf,
}

impl Daemon {
    /// Starts one at the monitor's place, with the configuration in `home`.
    pub(crate) fn spawn(net: &Net, home: &Path) -> Self {
        Self::spawn_with(net, home, &[])
    }

    pub(crate) fn spawn_with(net: &Net, home: &Path, environment: &[(&str, &str)]) -> Self {
        let mut command = net.command(Place::Monitor, program());
        command.args(["run", "--config"]).arg(config_file(home));
        for name in ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "NTUWATCH_LOG", "JOURNAL_STREAM"] {
            command.env_remove(name);
        }
        command.envs(environment.iter().copied());
        Self::spawn_as(command, home)
    }

    /// Starts one by `command`, which logs to `home`.
    pub(crate) fn spawn_as(mut command: Command, home: &Path) -> Self {
        let log = OpenOptions::new().create(true).append(true).open(home.join("log")).unwrap();
        Self { process: command.stderr(log).spawn().unwrap(), home: home.to_owned() }
    }

    /// Waits until it answers.
    pub(crate) fn wait_until_up(&mut self) {
        let watch = Stopwatch::start();
        while UnixStream::connect(self.home.join("ntuwatch.sock")).is_err() {
            let ended = self.process.try_wait().unwrap();
            assert!(ended.is_none() && watch.elapsed() < PATIENCE, "{ended:?}: {}", self.log());
            thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.home.join("log")).unwrap_or_default()
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.process.id()).unwrap()), signal).unwrap();
    }

    /// Waits until it has ended, and says how long that took.
    pub(crate) fn wait(&mut self) -> (ExitStatus, Duration) {
        let watch = Stopwatch::start();
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                return (status, watch.elapsed());
            }
            assert!(watch.elapsed() < PATIENCE, "the daemon does not end: {}", self.log());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Ends it as a power cut does.
    pub(crate) fn crash(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    pub(crate) fn stop(&mut self) -> (ExitStatus, Duration) {
        self.signal(Signal::SIGTERM);
        self.wait()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended.
        drop(self.process.kill());
        drop(self.process.wait());
        if thread::panicking() {
            eprintln!("the daemon's log:\n{}", self.log());
        }
    }
}

pub(crate) fn config_file(home: &Path) -> PathBuf {
    home.join("ntuwatch.toml")
}

/// Runs a verb of the command line against the daemon of `home`.
pub(crate) fn cli(home: &Path, arguments: &[&str]) -> Output {
    Command::new(program()).arg("--config").arg(config_file(home)).args(arguments).output().unwrap()
}

/// What a verb prints as JSON.
pub(crate) fn cli_json(home: &Path, arguments: &[&str]) -> Value {
    let output = cli(home, &[&["--json"], arguments].concat());
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Status and body of the daemon's answer over its socket, if it gives one.
pub(crate) fn get(home: &Path, path: &str) -> Option<(u16, String)> {
    let mut stream = UnixStream::connect(home.join("ntuwatch.sock")).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    let request = format!("GET {path} HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
}
