//! Whatever arrives at an ICMP socket, reading it ends, and nothing but an answer to a probe counts as one.

use super::echo::Token;
use super::family::{Message, Version};
use super::flights::Flights;
use crate::domain::watch::{Ask, Probe, Slot};
use crate::engine::fuzz;
use crate::engine::polling::{Moment, Stray};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::time::Duration;
use std::hash::RandomState;

const ROUNDS: u64 = 200_000;

/// To whom the echoes in the corpus went.
const V4: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9));
const V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 9));

/// Plays a corpus to flights to `address`, the first of which have the serial numbers that echoes in the corpus have.
fn survive(corpus: &str, version: Version, address: IpAddr) {
    let mut flights = Flights::new(RandomState::new());
    let sent = Moment { at: Duration::ZERO, wall: Duration::ZERO };
    let probe = Probe { slot: Slot(0), round: 1, address, timeout: Duration::MAX, ask: Ask::Icmp };
    let real: Vec<Token> = (0..4).map(|_| flights.begin(&probe, sent, 0)).collect();
    let (mut replies, mut errors) = (0, 0);
    fuzz::play(corpus, ROUNDS, |datagram| match Message::read(version, version == Version::V4, datagram) {
        Some(Message::Reply(token)) => {
            replies += 1;
            assert_eq!(flights.land(address, token).map(drop), Err(Stray::Foreign), "{token:?}");
        }
        Some(Message::Error(complaint)) => {
            errors += 1;
            if let Some(token) = complaint.about.token {
                assert_eq!(flights.know(complaint.about.to, token), Err(Stray::Foreign), "{complaint:?}");
            }
        }
        None => {}
    });
    assert!(replies > 0 && errors > 0, "{replies} replies, {errors} errors: that tries nothing");
    assert_eq!(flights.len(), real.len(), "nobody answered");
    assert!(real.into_iter().all(|token| flights.land(address, token).is_ok()), "and now somebody does");
}

#[test]
fn datagrams_with_ipv4_headers() {
    survive("icmp_v4", Version::V4, V4);
}

#[test]
fn datagrams_without_ipv6_headers() {
    survive("icmp_v6", Version::V6, V6);
}
