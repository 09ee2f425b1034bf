//! Whatever arrives at an SNMP socket, reading it ends, and nothing but an answer from who was asked ends a probe.

use super::exchanges::{Exchanges, Turn};
use super::response;
use crate::domain::watch::{Ask, Outcome, Probe, Secret, Slot, SnmpAccess, SnmpVersion};
use crate::engine::fuzz;
use crate::engine::polling::{Datagram, Moment, Serial, Stray};
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::time::Duration;
use std::sync::Arc;

const ROUNDS: u64 = 100_000;

const AGENT: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9));
const STRANGER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 66));
const PORT: u16 = 161;

/// The request-id that messages in the corpus bear.
const ID: [u8; 4] = 0x5eed_cafe_u32.to_be_bytes();

/// Agents that are asked in turn, for each learns what not to ask.
const AGENTS: u32 = 64;

/// A probe in flight, and the request-id of its latest question.
struct Asked {
    serial: Serial,
    id: [u8; 4],
}

fn ask(exchanges: &mut Exchanges, serial: Serial, sent: Moment) -> Asked {
    let mut request = Vec::new();
    exchanges.write(serial, sent, &mut request).unwrap();
    let pdu = request.iter().position(|octet| *octet == 0xa0).unwrap();
    let id_at = pdu + request[pdu..].windows(2).position(|octets| octets == [2, 4]).unwrap() + 2;
    Asked { serial, id: request[id_at..id_at + 4].try_into().unwrap() }
}

fn begin(exchanges: &mut Exchanges, slot: u32, access: &Arc<SnmpAccess>, sent: Moment) -> Asked {
    let ask_snmp = Ask::Snmp(Arc::clone(access));
    let probe = Probe { slot: Slot(slot), round: 1, address: AGENT, timeout: Duration::MAX, ask: ask_snmp };
    let serial = exchanges.begin(&probe, access, sent, 0).unwrap();
    ask(exchanges, serial, sent)
}

/// The message with the request-id of what is in flight, where it bears that of the corpus.
fn to_it(message: &[u8], id: [u8; 4]) -> Vec<u8> {
    let mut message = message.to_vec();
    if let Some(at) = message.windows(ID.len()).position(|octets| octets == ID) {
        message[at..at + ID.len()].copy_from_slice(&id);
    }
    message
}

#[test]
fn datagrams() {
    let version = SnmpVersion::V2c { community: Secret::new("public".to_owned()) };
    let access = Arc::new(SnmpAccess { version, port: PORT, interface: Some(1) });
    let mut exchanges = Exchanges::new();
    let mut at = Duration::ZERO;
    let mut slot = 0;
    let mut asked = begin(&mut exchanges, slot, &access, Moment { at, wall: at });
    let (mut answered, mut refused, mut parts, mut ignored) = (0, 0, 0, 0);
    fuzz::play("snmp", ROUNDS, |message| {
        response::tests::same_as_the_library(message).unwrap();
        at += Duration::from_millis(1);
        let sent = Moment { at, wall: at };
        assert!(exchanges.give_up(at, |_| 0).is_none(), "there is time");
        let message = to_it(message, asked.id);
        let from = |host| Datagram { from: Some(SocketAddr::new(host, PORT)), content: &message, stamped: None };
        assert!(exchanges.arrived(from(STRANGER), at).is_err(), "nobody asked him");
        match exchanges.arrived(from(AGENT), at) {
            Ok(Turn::Done(event)) => {
                match event.outcome {
                    Outcome::Answered { .. } => answered += 1,
                    Outcome::Rejected { .. } => refused += 1,
                    other @ (Outcome::Lost { .. } | Outcome::NotSent { .. }) => panic!("{other:?}"),
                }
                assert_eq!((event.slot, exchanges.len()), (Slot(slot), 0));
                assert!(message.windows(6).any(|octets| octets == b"public"), "without the community");
                assert_eq!(exchanges.arrived(from(AGENT), at).map(drop), Err(Stray::Duplicate));
                slot = (slot + 1) % AGENTS;
                asked = begin(&mut exchanges, slot, &access, sent);
            }
            Ok(Turn::More(serial)) => {
                parts += 1;
                asked = ask(&mut exchanges, serial, sent);
            }
            Err(_) => ignored += 1,
        }
        assert_eq!((exchanges.len(), exchanges.address(asked.serial).is_some()), (1, true));
    });
    let counts = [answered, refused, parts, ignored];
    assert!(counts.iter().all(|count| *count > 0), "{counts:?}: that tries nothing");
}
