//! Debian's snmpd as a peer.

use std::io::ErrorKind;
use std::net::UdpSocket;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

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
    /// Where it keeps its engine ID and its number of boots.
    _directory: TempDir,
}

impl Snmpd {
    /// Starts one on `port` of 127.0.0.1 with an engine ID of its own; `None`, with a word on the console, where there is none.
    pub(crate) fn start(port: u16) -> Option<Self> {
        let directory = tempfile::tempdir().expect("a directory");
        let config = directory.path().join("snmpd.conf");
        let engine = directory.path().file_name().expect("a name").to_string_lossy();
        let text = format!("agentaddress udp:127.0.0.1:{port}\nengineID {engine}\n{CONFIG}");
        std::fs::write(&config, text).expect("a configuration");
        match Self::spawn(&config, directory.path()) {
            Ok(process) => Some(Self { process, _directory: directory }),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                println!("skipped: no snmpd on this host");
                None
            }
            Err(error) => panic!("{error}"),
        }
    }

    fn spawn(config: &Path, directory: &Path) -> std::io::Result<Child> {
        Command::new("/usr/sbin/snmpd")
            .args(["-f", "-C", "-Lf", "/dev/null", "-c"])
            .arg(config)
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
        self.process.kill().expect("a process to kill");
        self.process.wait().expect("a process that ends");
    }
}

/// A UDP port of 127.0.0.1 that nobody listens on.
pub(crate) fn free_port() -> u16 {
    UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port").port()
}
