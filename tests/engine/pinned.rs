//! The ICMP engine behind something that has pinned a flow, as connection trackers and NATs do.

use crate::mailbox::Mailbox;
use nix::sched::{CloneFlags, unshare};
use ntuwatch::domain::watch::{Ask, Outcome, Probe, Slot};
use ntuwatch::engine::icmp;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

/// Replies under the first identifier that was sent are swallowed, and `seen` learns all identifiers. Only 127.0.0.1 and ::1 suffer.
const RULES: &str = "\
table inet pin {
  set first4 { typeof icmp id; size 1; flags dynamic; }
  set first6 { typeof icmpv6 id; size 1; flags dynamic; }
  set seen { typeof ip daddr . icmp id; size 1000; flags dynamic; }
  chain output {
    type filter hook output priority 0;
    icmp type echo-request add @seen { ip daddr . icmp id }
    icmp type echo-request add @first4 { icmp id }
    icmpv6 type echo-request add @first6 { icmpv6 id }
  }
  chain input {
    type filter hook input priority 0;
    ip saddr 127.0.0.1 icmp type echo-reply icmp id @first4 drop
    ip6 saddr ::1 icmpv6 type echo-reply icmpv6 id @first6 drop
  }
}
";

/// A network namespace of this thread's own with the rules in force; whether there could be one.
fn enter_namespace() -> bool {
    if let Err(error) = unshare(CloneFlags::CLONE_NEWNET) {
        println!("skipped: no network namespace: {error}");
        return false;
    }
    let up = Command::new("ip").args(["link", "set", "lo", "up"]).status();
    assert!(up.expect("ip").success());
    let nft = Command::new("nft").args(["-f", "-"]).stdin(Stdio::piped()).spawn();
    let Ok(mut nft) = nft else {
        println!("skipped: nft is not installed");
        return false;
    };
    nft.stdin.take().expect("a pipe").write_all(RULES.as_bytes()).expect("rules");
    assert!(nft.wait().expect("nft").success());
    true
}

/// Identifiers under which `address` was asked so far.
fn identifiers(address: Ipv4Addr) -> usize {
    let list = Command::new("nft").args(["list", "set", "inet", "pin", "seen"]).output().expect("nft");
    let list = String::from_utf8(list.stdout).expect("text");
    list.matches(&format!("{address} . ")).count()
}

fn a_pinned_flow_is_left() {
    const HEALTHY: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
    if !enter_namespace() {
        return;
    }
    let (mailbox, deliver) = Mailbox::new();
    let engine = icmp::start(deliver).expect("an engine");
    let mut round = 0;
    let mut ask = |slot, address: IpAddr, timeout| {
        round += 1;
        engine.send(vec![Probe { slot: Slot(slot), round, address, timeout, ask: Ask::Icmp }]);
        mailbox.take_one()
    };
    let (soon, patient) = (Duration::from_millis(300), Duration::from_secs(30));
    let pinned = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
    for (slot, address) in (0..).zip(pinned) {
        let first = ask(slot, address, soon);
        if let (true, Outcome::NotSent { why }) = (address.is_ipv6(), &first) {
            println!("no IPv6 here: {why}");
            continue;
        }
        assert!(matches!(first, Outcome::Lost { .. }), "{address}: {first:?}");
        for _ in 0..3 {
            let next = ask(slot, address, patient);
            assert!(matches!(next, Outcome::Answered { .. }), "{address}: {next:?}");
        }
    }
    assert_eq!(identifiers(Ipv4Addr::LOCALHOST), 2, "what works is kept");
    for _ in 0..3 {
        assert!(matches!(ask(10, HEALTHY.into(), patient), Outcome::Answered { .. }));
    }
    assert_eq!(identifiers(HEALTHY), 1);
}

#[test]
fn a_lost_probe_is_followed_by_one_under_another_identifier() {
    // the namespace is its thread's, and ends with it
    thread::spawn(a_pinned_flow_is_left).join().expect("no panic");
}
