//! What the service manager is told (`sd_notify(3)`). Without one, nobody is told and nothing fails.
//!
//! Only the main loop says [`alive`], and only after it has made progress: the watchdog is there to notice when not.

use core::time::Duration;
use sd_notify::NotifyState;
use std::sync::Once;

/// The service is up, or up again after a reload.
pub fn ready(words: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(&one_line(words))]);
}

/// A reload begins. [`ready`] must follow, whether or not the new configuration is taken.
pub fn reloading() {
    // systemd 253 and later wants to know since when, if the unit is of type notify-reload.
    match NotifyState::monotonic_usec_now() {
        Ok(since) => tell(&[NotifyState::Reloading, since]),
        Err(_) => tell(&[NotifyState::Reloading]),
    }
}

/// The service is about to end.
pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// The loop makes progress.
pub fn alive() {
    tell(&[NotifyState::Watchdog]);
}

/// One line for `systemctl status`.
pub fn status(words: &str) {
    tell(&[NotifyState::Status(&one_line(words))]);
}

/// How often to say [`alive`]: twice in the time after which the service counts as hung. `None` if nobody listens.
#[must_use]
pub fn watchdog_interval() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|limit| limit / 2).filter(|interval| !interval.is_zero())
}

fn tell(states: &[NotifyState<'_>]) {
    static WARNED: Once = Once::new();
    if let Err(error) = sd_notify::notify(states) {
        WARNED.call_once(|| tracing::warn!(%error, "the service manager can't be told anything"));
    }
}

/// A second line would be another message.
fn one_line(words: &str) -> String {
    words.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixDatagram;
    use std::process::Command;

    /// Runs the test `role` in a process of its own, since the environment of a running one can't be changed.
    fn spawn(role: &str, environment: &[(&str, &str)]) -> std::process::Child {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--ignored", &format!("engine::systemd::tests::{role}")])
            .env_remove("NOTIFY_SOCKET")
            .env_remove("WATCHDOG_USEC")
            .env_remove("WATCHDOG_PID")
            .envs(environment.iter().copied())
            .spawn()
            .unwrap()
    }

    #[test]
    fn the_service_manager_hears_everything() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let environment = [("NOTIFY_SOCKET", path.to_str().unwrap()), ("WATCHDOG_USEC", "60000000")];
        let mut service = spawn("a_service_under_systemd", &environment);
        let heard = || {
            let mut buffer = [0; 1024];
            let length = socket.recv(&mut buffer).unwrap();
            String::from_utf8(buffer[..length].to_vec()).unwrap()
        };
        assert_eq!(heard(), "READY=1\nSTATUS=watching 3 units MAINPID=1\n");
        assert_eq!(heard(), "WATCHDOG=1\n");
        let reload = heard();
        assert!(reload.starts_with("RELOADING=1\nMONOTONIC_USEC="), "{reload}");
        assert_eq!(heard(), "STATUS=store is failing\n");
        assert_eq!(heard(), "STOPPING=1\n");
        assert!(service.wait().unwrap().success());
    }

    #[test]
    #[ignore = "the_service_manager_hears_everything runs it"]
    fn a_service_under_systemd() {
        assert_eq!(watchdog_interval(), Some(Duration::from_secs(30)));
        ready("watching 3 units\nMAINPID=1");
        alive();
        reloading();
        status("store is failing");
        stopping();
    }

    #[test]
    fn without_a_service_manager_nothing_fails() {
        assert!(spawn("a_service_of_nobody", &[]).wait().unwrap().success());
        assert!(spawn("a_service_of_nobody", &[("NOTIFY_SOCKET", "/nowhere")]).wait().unwrap().success());
    }

    #[test]
    #[ignore = "without_a_service_manager_nothing_fails runs it"]
    fn a_service_of_nobody() {
        assert_eq!(watchdog_interval(), None);
        ready("up");
        alive();
    }
}
