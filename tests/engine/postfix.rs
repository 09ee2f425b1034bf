//! Debian's postfix as a peer: an instance of its own, beside the machine's.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

const PROGRAM: &str = "/usr/sbin/postfix";
/// Whose the mailboxes are: Debian's `nobody`.
const NOBODY: u32 = 65_534;

/// Its services, nothing of which leaves the machine.
const SERVICES: &str = "\
postlog unix-dgram n - n - 1 postlogd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
";

/// A running postfix. Dropping it stops it.
pub(crate) struct Postfix {
    /// Where it listens.
    pub(crate) port: u16,
    home: TempDir,
}

impl Postfix {
    /// Started and listening; what is for an address goes to its maildir, and everybody else at `domains` comes back. `None`, with a
    /// word on the console, where there is none.
    pub(crate) fn start(domains: &str, mailboxes: &[(&str, &Path)]) -> Option<Self> {
        if !Path::new(PROGRAM).exists() {
            eprintln!("skipped: {PROGRAM} is not installed (Debian: postfix)");
            return None;
        }
        if !nix::unistd::geteuid().is_root() {
            eprintln!("skipped: postfix wants to be started by root");
            return None;
        }
        let home = tempfile::Builder::new().prefix("postfix").tempdir_in("/tmp").expect("a folder");
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|l| l.local_addr()).expect("a port").port();
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).expect("our folder");
        ["conf", "queue", "data"].iter().for_each(|part| fs::create_dir(home.path().join(part)).expect("a folder"));
        let given = Command::new("chown").arg("postfix").arg(home.path().join("data")).status();
        assert!(given.is_ok_and(|status| status.success()), "there is a user called postfix");
        fs::write(home.path().join("conf/main.cf"), config(home.path(), domains, mailboxes)).expect("a file");
        let door = format!("127.0.0.1:{port} inet n - n - - smtpd\n{SERVICES}");
        fs::write(home.path().join("conf/master.cf"), door).expect("a file");
        let postfix = Self { port, home };
        assert!(postfix.told("start"), "postfix does not start: {}", postfix.log());
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            thread::sleep(Duration::from_millis(10));
        }
        Some(postfix)
    }

    /// All that it has logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.home.path().join("log")).unwrap_or_default()
    }

    fn told(&self, word: &str) -> bool {
        let told = Command::new(PROGRAM)
            .arg("-c")
            .arg(self.home.path().join("conf"))
            .arg(word)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        told.is_ok_and(|status| status.success())
    }
}

fn config(home: &Path, domains: &str, mailboxes: &[(&str, &Path)]) -> String {
    let maps: Vec<String> = mailboxes
        .iter()
        .map(|(address, folder)| format!("{{ {address} = {}/ }}", folder.display().to_string().trim_start_matches('/')))
        .collect();
    let (home, maps) = (home.display(), maps.join(", "));
    format!(
        "compatibility_level = 3.6\nqueue_directory = {home}/queue\ndata_directory = {home}/data\n\
         daemon_directory = /usr/lib/postfix/sbin\ncommand_directory = /usr/sbin\nmail_owner = postfix\n\
         setgid_group = postdrop\ninet_interfaces = 127.0.0.1\ninet_protocols = ipv4\nmyhostname = mx.example.net\n\
         mydestination =\nalias_maps =\nlocal_recipient_maps =\nmaillog_file = {home}/log\nmaillog_file_prefixes = /tmp\n\
         virtual_mailbox_domains = {domains}\nvirtual_mailbox_base = /\nvirtual_mailbox_maps = inline:{{ {maps} }}\n\
         virtual_uid_maps = static:{NOBODY}\nvirtual_gid_maps = static:{NOBODY}\nrecipient_delimiter = +\n\
         smtpd_recipient_restrictions = permit_mynetworks, reject\nmynetworks = 127.0.0.0/8\n\
         smtpd_reject_unlisted_recipient = no\n"
    )
}

impl Drop for Postfix {
    fn drop(&mut self) {
        if !self.told("stop") {
            eprintln!("postfix could not be stopped: {}", self.log());
        }
    }
}
