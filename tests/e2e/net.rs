//! A network of the test's own: the monitor, the units and the sentinels, each in a namespace, joined by a bridge in a fourth.

use nix::unistd::geteuid;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// What the tests call.
const TOOLS: [&str; 6] = ["ip", "nft", "setpriv", "/usr/sbin/snmpd", "/usr/sbin/smtp-sink", "mount"];
/// Names of our namespaces begin with this, go on with the process id and end with a number and a role.
const PREFIX: &str = "ntuwatch-e2e-";

/// Addresses that the units have.
pub(crate) const V4: [&str; 4] = ["10.77.0.11", "10.77.0.12", "10.77.0.13", "10.77.0.14"];
pub(crate) const V6: [&str; 2] = ["fd77::11", "fd77::12"];
/// Addresses that the sentinels have.
pub(crate) const SENTINELS: [&str; 2] = ["10.77.0.101", "fd77::101"];

/// Addresses behind a router: see [`Net::reach_through`].
pub(crate) const BEHIND: [&str; 2] = ["10.78.0.9", "fd78::9"];

/// Who is on the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Monitor,
    Pop,
    Units,
    Sentinels,
}

impl Place {
    const ALL: [Self; 4] = [Self::Monitor, Self::Pop, Self::Units, Self::Sentinels];

    const fn name(self) -> &'static str {
        match self {
            Self::Monitor => "monitor",
            Self::Pop => "pop",
            Self::Units => "units",
            Self::Sentinels => "sentinels",
        }
    }
}

/// The network. Dropping it takes it down.
pub(crate) struct Net {
    name: String,
}

impl Net {
    /// Sets one up. `None`, with a word on the console, where that is not possible.
    pub(crate) fn raise() -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        if !geteuid().is_root() {
            println!("skipped: only root can make network namespaces");
            return None;
        }
        if let Some(missing) = TOOLS.iter().find(|tool| !is_there(tool)) {
            println!("skipped: {missing} is not installed (Debian: iproute2 nftables util-linux snmpd postfix)");
            return None;
        }
        sweep();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let net = Self { name: format!("{PREFIX}{}-{number}", std::process::id()) };
        let first = Command::new("ip").args(["netns", "add", &net.namespace(Place::Monitor)]).output().unwrap();
        if !first.status.success() {
            println!("skipped: no network namespaces here: {}", String::from_utf8_lossy(&first.stderr).trim());
            return None;
        }
        net.wire();
        Some(net)
    }

    pub(crate) fn namespace(&self, place: Place) -> String {
        format!("{}-{}", self.name, place.name())
    }

    /// A command at a place of the network, which ends with the thread that starts it.
    pub(crate) fn command(&self, place: Place, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.namespace(place), "setpriv", "--pdeathsig", "KILL", "--"]);
        command.arg(program.as_ref()).stdin(Stdio::null());
        command
    }

    fn wire(&self) {
        let [monitor, pop, units, sentinels] = Place::ALL.map(|place| self.namespace(place));
        let mut links = format!("netns add {pop}\nnetns add {units}\nnetns add {sentinels}\n");
        for (namespace, port) in [(&monitor, "mon"), (&units, "uni"), (&sentinels, "sen")] {
            writeln!(links, "link add {port} netns {pop} type veth peer name line netns {namespace}").unwrap();
        }
        feed(Command::new("ip").args(["-batch", "-"]), &links);
        let bridge = ["mon", "uni", "sen"].map(|port| format!("link set {port} master bridge up\n")).concat();
        self.ip(Place::Pop, &format!("link add bridge type bridge\nlink set bridge up\n{bridge}"));
        self.ip(Place::Monitor, &addresses(&["10.77.0.1"], &["fd77::1"]));
        self.ip(Place::Units, &addresses(&V4, &V6));
        self.ip(Place::Sentinels, &addresses(&SENTINELS[..1], &SENTINELS[1..]));
        // As any host does whose addresses are its own: they outlast a cable that is out for a while.
        run(self.command(Place::Monitor, "sysctl").args(["-q", "-w", "net.ipv6.conf.all.keep_addr_on_down=1"]));
        self.nft(
            Place::Units,
            "table inet dead {
               set v4 { type ipv4_addr; }
               set v6 { type ipv6_addr; }
               chain input { type filter hook input priority 0; ip daddr @v4 drop; ip6 daddr @v6 drop; };
               chain lossy { type filter hook input priority 1; };
             }",
        );
        self.nft(Place::Pop, "table bridge cut { chain forward { type filter hook forward priority 0; }; }");
    }

    /// Units at these addresses take nothing in any more.
    pub(crate) fn kill(&self, addresses: &[&str]) {
        self.dead("add", addresses);
    }

    /// Units at these addresses are back.
    pub(crate) fn revive(&self, addresses: &[&str]) {
        self.dead("delete", addresses);
    }

    /// The unit at this IPv4 address takes in only a part of what comes to it; the rest is lost at random.
    pub(crate) fn lose(&self, address: &str, percent: u32) {
        let rule = format!("add rule inet dead lossy ip daddr {address} numgen random mod 100 < {percent} drop");
        self.nft(Place::Units, &rule);
    }

    /// Nothing is lost at random any more.
    pub(crate) fn lose_nothing(&self) {
        self.nft(Place::Units, "flush chain inet dead lossy");
    }

    fn dead(&self, verb: &str, addresses: &[&str]) {
        let mut rules = String::new();
        for address in addresses {
            let set = if address.contains(':') { "v6" } else { "v4" };
            writeln!(rules, "{verb} element inet dead {set} {{ {address} }}").unwrap();
        }
        self.nft(Place::Units, &rules);
    }

    /// There are two more addresses, which the monitor reaches through the units' place as through a router.
    pub(crate) fn reach_through(&self) {
        // and says what is wrong as often as it may
        let settings = ["net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1", "net.ipv4.icmp_ratelimit=0"];
        run(self.command(Place::Units, "sysctl").arg("-qw").args(settings));
        let [v4, v6] = BEHIND;
        self.ip(Place::Units, &format!("address add {v4}/32 dev lo\naddress add {v6}/128 dev lo\n"));
        self.ip(Place::Monitor, &format!("route add {v4}/32 via {}\nroute add {v6}/128 via {}\n", V4[0], V6[0]));
    }

    /// What is behind that router is gone, and the router says so.
    pub(crate) fn take_away(&self) {
        let [v4, v6] = BEHIND;
        self.ip(Place::Units, &format!("address delete {v4}/32 dev lo\naddress delete {v6}/128 dev lo\n"));
        self.ip(Place::Units, &format!("route add unreachable {v4}/32\nroute add unreachable {v6}/128\n"));
    }

    /// The monitor's cable is out: it cannot send.
    pub(crate) fn unplug(&self) {
        self.ip(Place::Monitor, "link set line down\n");
    }

    pub(crate) fn plug(&self) {
        self.ip(Place::Monitor, "link set line up\n");
    }

    /// What the monitor sends gets lost in the network behind it.
    pub(crate) fn swallow(&self) {
        self.nft(Place::Pop, "add rule bridge cut forward drop");
    }

    pub(crate) fn pass(&self) {
        self.nft(Place::Pop, "flush chain bridge cut forward");
    }

    fn ip(&self, place: Place, lines: &str) {
        feed(Command::new("ip").args(["-n", &self.namespace(place), "-batch", "-"]), lines);
    }

    fn nft(&self, place: Place, rules: &str) {
        feed(Command::new("ip").args(["netns", "exec", &self.namespace(place), "nft", "-f", "-"]), rules);
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        for place in Place::ALL {
            remove(&self.namespace(place));
        }
    }
}

fn addresses(v4: &[&str], v6: &[&str]) -> String {
    let mut lines = String::from("link set lo up\nlink set line up\n");
    for address in v4 {
        writeln!(lines, "address add {address}/24 dev line").unwrap();
    }
    for address in v6 {
        writeln!(lines, "address add {address}/64 dev line nodad").unwrap();
    }
    lines
}

/// Takes down what tests have left that were killed.
fn sweep() {
    let list = Command::new("ip").args(["netns", "list"]).output().unwrap();
    for name in String::from_utf8_lossy(&list.stdout).lines().filter_map(|line| line.split(' ').next()) {
        let owner = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next());
        if owner.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            remove(name);
        }
    }
}

fn remove(namespace: &str) {
    // It may be half made, or another test may sweep it at the same time.
    drop(Command::new("ip").args(["netns", "delete", namespace]).output());
}

/// Whether a program is installed.
pub(crate) fn is_there(tool: &str) -> bool {
    // Asked without being started: snmpd makes a daemon of itself whatever it is asked.
    let found = Command::new("sh").args(["-c", "command -v \"$0\"", tool]).stdout(Stdio::null()).status();
    found.is_ok_and(|status| status.success())
}

/// Runs a command that must succeed.
pub(crate) fn run(command: &mut Command) {
    let output = command.output().unwrap();
    check(command, &output);
}

fn feed(command: &mut Command, input: &str) {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // One that breaks off says why.
    drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
    check(command, &child.wait_with_output().unwrap());
}

fn check(command: &Command, output: &Output) {
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
