//! Whatever arrives where traps do, reading it ends, and nobody is heard without the credentials.

use super::Sender;
use super::ear::{self, Heard};
use super::ourselves::Ourselves;
use super::senders::Senders;
use crate::domain::watch::{AuthProtocol, Secret, SnmpAccess, SnmpVersion};
use crate::engine::fuzz;
use async_snmp::MessageSize;
use bytes::Bytes;
use core::net::{IpAddr, Ipv4Addr};
use core::time::Duration;
use std::sync::Arc;

const ROUNDS: u64 = 100_000;

const KNOWN: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const STRANGER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));

fn sender(address: IpAddr, version: SnmpVersion) -> Sender {
    Sender { address, access: Some(Arc::new(SnmpAccess { version, port: 161, interface: None })) }
}

fn community(name: &str) -> SnmpVersion {
    SnmpVersion::V2c { community: Secret::new(name.to_owned()) }
}

/// The corpus is of community "public", and of a user with another password.
#[test]
fn datagrams() {
    let auth = Some((AuthProtocol::Sha256, Secret::new("nobody knows this".to_owned())));
    let user = SnmpVersion::V3 { user: "operator".to_owned(), auth, privacy: None };
    let mut senders = Senders::default();
    senders.replace(&[
        sender(KNOWN, community("public")),
        sender(STRANGER, community("nobody knows that")),
        sender(STRANGER, user),
    ]);
    let mut ourselves = Ourselves::new(162, MessageSize::new(8_192).unwrap()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut now = Duration::ZERO;
    let mut notifications = 0;
    fuzz::play("traps", ROUNDS, |datagram| {
        // so much later that nobody has said too much
        now += Duration::from_secs(1);
        for address in [KNOWN, STRANGER] {
            let known = senders.admit(address, now).unwrap();
            let datagram = Bytes::copy_from_slice(datagram);
            let heard = runtime.block_on(ear::understand(datagram, ear::decoding(), known, &mut ourselves, now));
            if let Ok(Heard::Notification { what, .. }) = heard {
                assert_eq!(address, KNOWN, "{what:?}");
                notifications += 1;
            }
        }
    });
    assert!(notifications > 0, "that tries nothing");
}
