//! What the service manager hears, through a notify socket of the test's own.

use crate::daemon::{Daemon, config_file, until};
use crate::net::{Net, V4};
use crate::world::{Setup, unit};
use nix::sys::signal::Signal;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

/// The daemon feeds the watchdog twice in this time.
const WATCHDOG: Duration = Duration::from_secs(2);

struct Manager(UnixDatagram);

impl Manager {
    /// The next message; none if it does not come in time.
    fn hear(&self, patience: Duration) -> Option<String> {
        self.0.set_read_timeout(Some(patience)).unwrap();
        let mut buffer = [0; 4096];
        match self.0.recv(&mut buffer) {
            Ok(length) => Some(String::from_utf8(buffer[..length].to_vec()).unwrap()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => None,
            // With a timeout it is not taken up again by itself, as when the whole machine was halted.
            Err(error) if error.kind() == ErrorKind::Interrupted => self.hear(patience),
            Err(error) => panic!("{error}"),
        }
    }

    /// Waits for a message with this line; what else came meanwhile.
    fn wait_for(&self, line: &str) -> Vec<String> {
        let mut others = Vec::new();
        loop {
            let message = self.hear(Duration::from_secs(60)).unwrap_or_else(|| panic!("no {line} after {others:?}"));
            if message.lines().any(|said| said == line) {
                return others;
            }
            others.push(message);
        }
    }
}

fn is_stopped(process: u32) -> Option<()> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat.rsplit(')').next()?.trim().starts_with('T').then_some(())
}

#[test]
fn the_service_manager_hears_how_it_goes() {
    let Some(net) = Net::raise() else { return };
    let folder = tempfile::tempdir().unwrap();
    let config = Setup { units: vec![unit("one", V4[0], "")], ..Setup::default() }.toml();
    fs::write(config_file(folder.path()), &config).unwrap();
    let path = folder.path().join("notify");
    let manager = Manager(UnixDatagram::bind(&path).unwrap());
    let limit = WATCHDOG.as_micros().to_string();
    let environment = [("NOTIFY_SOCKET", path.to_str().unwrap()), ("WATCHDOG_USEC", &limit)];
    let mut daemon = Daemon::spawn_with(&net, folder.path(), &environment);

    assert_eq!(manager.wait_for("READY=1"), [] as [String; 0], "nothing comes before");
    (0..3).for_each(|_| drop(manager.wait_for("WATCHDOG=1")));

    daemon.signal(Signal::SIGHUP);
    manager.wait_for("RELOADING=1");
    assert_eq!(manager.wait_for("READY=1"), [] as [String; 0]);
    fs::write(config_file(folder.path()), "nonsense").unwrap();
    daemon.signal(Signal::SIGHUP);
    manager.wait_for("RELOADING=1");
    // One that was refused is over as well.
    manager.wait_for("READY=1");
    manager.wait_for("WATCHDOG=1");

    daemon.signal(Signal::SIGSTOP);
    until("a daemon that stands still", || is_stopped(daemon.id()));
    while manager.hear(Duration::from_millis(1)).is_some() {}
    assert_eq!(manager.hear(2 * WATCHDOG), None, "a loop that does not move does not say that it lives");
    daemon.signal(Signal::SIGCONT);
    manager.wait_for("WATCHDOG=1");

    daemon.signal(Signal::SIGTERM);
    manager.wait_for("STOPPING=1");
    let (status, _) = daemon.wait();
    assert_eq!(status.code(), Some(0));
    assert_eq!(manager.hear(Duration::from_millis(1)), None, "nothing comes after");
}
