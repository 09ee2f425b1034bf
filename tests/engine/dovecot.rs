//! Debian's dovecot as a peer.

use std::fs;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

const PROGRAM: &str = "/usr/sbin/dovecot";
/// Who logs in to it.
pub(crate) const USER: &str = "noc";
/// With what.
pub(crate) const PASSWORD: &str = "a word \"in quotes\"";

/// Whose the mail is: dovecot reads none as root. Debian's `nobody`.
const NOBODY: u32 = 65_534;

/// A running dovecot with one user. Dropping it kills it.
pub(crate) struct Dovecot {
    process: Child,
    /// Where it listens.
    pub(crate) port: u16,
    /// Where it listens for TLS from the first byte, if it has a certificate.
    pub(crate) tls_port: u16,
    home: TempDir,
}

impl Dovecot {
    /// Started and listening, in the open. `None`, with a word on the console, where there is none.
    pub(crate) fn start() -> Option<Self> {
        Self::with(None)
    }

    /// As [`start`](Self::start); with the certificate `cert.pem` and its key in a folder it wants TLS before anybody logs in.
    pub(crate) fn with(certificate: Option<&Path>) -> Option<Self> {
        if !Path::new(PROGRAM).exists() {
            eprintln!("skipped: {PROGRAM} is not installed (Debian: dovecot-imapd)");
            return None;
        }
        if !nix::unistd::geteuid().is_root() {
            eprintln!("skipped: dovecot wants to be started by root");
            return None;
        }
        let home = tempfile::Builder::new().prefix("dovecot").tempdir_in("/tmp").expect("a folder");
        let free = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|l| l.local_addr()).expect("a port").port();
        let (port, tls_port) = (free(), free());
        // Those who log people in are others than root.
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).expect("our folder");
        for part in ["cur", "new", "tmp"] {
            fs::create_dir_all(home.path().join("mail").join(part)).expect("a folder");
            chown(home.path().join("mail").join(part), Some(NOBODY), Some(NOBODY)).expect("our folder");
        }
        chown(home.path().join("mail"), Some(NOBODY), Some(NOBODY)).expect("our folder");
        fs::write(
            home.path().join("users"),
            format!("{USER}:{{PLAIN}}{PASSWORD}:{NOBODY}:{NOBODY}::{}::\n", home.path().display()),
        )
        .expect("a file");
        fs::write(
            home.path().join("test.conf"),
            config(home.path(), port, certificate.map(|folder| (folder, tls_port))),
        )
        .expect("a file");
        let process = Command::new(PROGRAM)
            .args(["-F", "-c"])
            .arg(home.path().join("test.conf"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let process = match process {
            Ok(process) => process,
            Err(error) if error.kind() == ErrorKind::NotFound => return None,
            Err(error) => panic!("{error}"),
        };
        let mut dovecot = Self { process, port, tls_port, home };
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            let log = fs::read_to_string(dovecot.home.path().join("log")).unwrap_or_default();
            assert!(dovecot.process.try_wait().is_ok_and(|ended| ended.is_none()), "{PROGRAM} ended: {log}");
            thread::sleep(Duration::from_millis(10));
        }
        Some(dovecot)
    }

    /// The maildir that is its mailbox.
    pub(crate) fn maildir(&self) -> PathBuf {
        self.home.path().join("mail")
    }

    /// Puts a message into the mailbox, as a mail server does.
    pub(crate) fn deliver(&self, name: &str, message: &str) {
        let mail = self.home.path().join("mail");
        fs::write(mail.join("tmp").join(name), message).expect("a file");
        fs::rename(mail.join("tmp").join(name), mail.join("new").join(name)).expect("a file to move");
    }

    /// How many messages are in the mailbox of this name; `""` is the one that mail comes to.
    pub(crate) fn count(&self, mailbox: &str) -> usize {
        let folder: PathBuf = self.home.path().join("mail").join(mailbox);
        ["cur", "new"].iter().filter_map(|part| fs::read_dir(folder.join(part)).ok()).map(Iterator::count).sum()
    }

    /// All that it has logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.home.path().join("log")).unwrap_or_default()
    }
}

fn config(home: &Path, port: u16, tls: Option<(&Path, u16)>) -> String {
    let home = home.display();
    let (ssl, tls_port) = tls.map_or_else(
        || ("ssl = no\ndisable_plaintext_auth = no".to_owned(), 0),
        |(folder, port)| {
            let folder = folder.display();
            (format!("ssl = required\nssl_cert = <{folder}/cert.pem\nssl_key = <{folder}/key.pem"), port)
        },
    );
    format!(
        "base_dir = {home}/run\nstate_dir = {home}/state\nlog_path = {home}/log\nprotocols = imap\nlisten = 127.0.0.1\n\
         {ssl}\n\
         mail_location = maildir:{home}/mail\n\
         passdb {{\n driver = passwd-file\n args = {home}/users\n}}\n\
         userdb {{\n driver = passwd-file\n args = {home}/users\n}}\n\
         service imap-login {{\n chroot =\n inet_listener imap {{\n  port = {port}\n }}\n inet_listener imaps {{\n  port = {tls_port}\n  ssl = yes\n }}\n}}\n\
         service anvil {{\n chroot =\n}}\nservice stats {{\n chroot =\n}}\n\
         namespace inbox {{\n inbox = yes\n separator = /\n}}\n"
    )
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        // Told to stop it stops its children, killed it would not.
        let pid = nix::unistd::Pid::from_raw(i32::try_from(self.process.id()).expect("a process"));
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).expect("a process to stop");
        self.process.wait().expect("a process that ends");
    }
}
