//! Debian's snmpd as a peer.

use std::io::ErrorKind;
use std::net::UdpSocket;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

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
";

/// A running snmpd. Dropping it kills it.
pub(crate) struct Snmpd {
    process: Child,
    /// Where it keeps its configuration and its number of boots.
    directory: TempDir,
}

impl Snmpd {
    /// Starts one on `port` of 127.0.0.1 that has never booted before; `None`, with a word on the console, where there is none.
    pub(crate) fn start(port: u16, engine_id: &str) -> Option<Self> {
        let directory = tempfile::tempdir().expect("a directory");
        let text = format!("agentaddress udp:127.0.0.1:{port}\nengineID {engine_id}\n{CONFIG}");
        std::fs::write(directory.path().join(CONFIG_NAME), text).expect("a configuration");
        match Self::spawn(directory.path()) {
            Ok(process) => Some(Self { process, directory }),
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
        self.process = Self::spawn(self.directory.path()).expect("snmpd");
    }

    fn stop(&mut self) {
        self.process.kill().expect("a process to kill");
        self.process.wait().expect("a process that ends");
    }

    fn spawn(directory: &Path) -> std::io::Result<Child> {
        Command::new("/usr/sbin/snmpd")
            .args(["-f", "-C", "-Lf", "/dev/null", "-c"])
            .arg(directory.join(CONFIG_NAME))
            .env("SNMP_PERSISTENT_DIR", directory)
            .env("MIBS", "")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
    }
}

impl Drop for Snmpd {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A UDP port of 127.0.0.1 that nobody listens on.
pub(crate) fn free_port() -> u16 {
    UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port").port()
}
