//! Debian's snmpd as a peer.

use std::io::ErrorKind;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

const PROGRAM: &str = "/usr/sbin/snmpd";
/// Not snmpd.conf: that one snmpd writes itself.
const CONFIG_NAME: &str = "test.conf";

const CONFIG: &str = "\
createUser sha256 SHA-256 authpass256 AES privpass256
createUser sha512 SHA-512 authpass512 AES-256 privpass512
createUser sha1 SHA authpassone AES privpassone
createUser md5 MD5 authpassmd5
createUser plain
rouser sha256 priv
rouser sha512 priv
rouser sha1 priv
rouser md5 auth
rouser plain noauth
rocommunity public
rocommunity6 public
";

/// The credentials of a user with every protection, as the tools of net-snmp want them.
pub(crate) const SHA256: [&str; 14] = [
    "-v",
    "3",
    "-u",
    "sha256",
    "-l",
    "authPriv",
    "-a",
    "SHA-256",
    "-A",
    "authpass256",
    "-x",
    "AES",
    "-X",
    "privpass256",
];

/// A running snmpd. Dropping it kills it.
pub(crate) struct Snmpd {
    process: Child,
    command: Command,
    /// Where it keeps its configuration and its number of boots.
    _directory: TempDir,
}

impl Snmpd {
    /// Starts one on `addresses` that has never booted before, inside a network namespace if one is named. `None`, with a
    /// word on the console, where there is none.
    pub(crate) fn start(namespace: Option<&str>, addresses: &str, engine_id: &str) -> Option<Self> {
        let directory = tempfile::tempdir().expect("a directory");
        let config = directory.path().join(CONFIG_NAME);
        std::fs::write(&config, format!("agentaddress {addresses}\nengineID {engine_id}\n{CONFIG}")).expect("a file");
        let mut command = match namespace {
            Some(_) => Command::new("ip"),
            None => Command::new(PROGRAM),
        };
        if let Some(namespace) = namespace {
            command.args(["netns", "exec", namespace, "setpriv", "--pdeathsig", "KILL", PROGRAM]);
        }
        command.args(["-f", "-C", "-Lf", "/dev/null", "-c"]).arg(config);
        command.env("SNMP_PERSISTENT_DIR", directory.path()).env("MIBS", "");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        match command.spawn() {
            Ok(process) => Some(Self { process, command, _directory: directory }),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                println!("skipped: no snmpd on this host");
                None
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// Boots it once more.
    pub(crate) fn restart(&mut self) {
        self.stop();
        self.process = self.command.spawn().expect("snmpd");
    }

    fn stop(&mut self) {
        self.process.kill().expect("a process to kill");
        self.process.wait().expect("a process that ends");
    }
}

impl Drop for Snmpd {
    fn drop(&mut self) {
        self.stop();
    }
}
