//! SNMPv2c agents on all loopback addresses at once, which answer one question: the uptime, and state and counters of interface 1.
//! They run in a process of their own, so that their work is in nobody's CPU time.

use async_snmp::message::CommunityMessage;
use async_snmp::pdu::{PduBody, StandardPduType};
use async_snmp::{Oid, Pdu, Value, VarBind};
use core::net::Ipv4Addr;
use nix::cmsg_space;
use nix::libc;
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, SockaddrIn, recvmsg, sendmsg, setsockopt, sockopt,
};
use std::io::{IoSlice, IoSliceMut};
use std::net::UdpSocket;
use std::os::fd::AsRawFd as _;

pub(crate) const PORT: u16 = 16_161;
pub(crate) const COMMUNITY: &str = "public";

/// A request-id of four octets.
const NUMBER: i32 = 0x4000_0000;

/// What ntuwatch asks, in its order: sysUpTime, ifOperStatus, errors, octets and packets.
fn bindings() -> Vec<VarBind> {
    let counter =
        |column: &[u32], value| VarBind::new(Oid::from_slice(&[&[1, 3, 6, 1, 2, 1], column, &[1]].concat()), value);
    vec![
        // a hundred days
        VarBind::new(Oid::from_slice(&[1, 3, 6, 1, 2, 1, 1, 3, 0]), Value::TimeTicks(864_000_000)),
        counter(&[2, 2, 1, 8], Value::Integer(1)),
        counter(&[2, 2, 1, 14], Value::Counter32(0)),
        counter(&[2, 2, 1, 20], Value::Counter32(0)),
        counter(&[31, 1, 1, 1, 6], Value::Counter64(1 << 40)),
        counter(&[31, 1, 1, 1, 10], Value::Counter64(1 << 40)),
        counter(&[31, 1, 1, 1, 7], Value::Counter64(1 << 32)),
        counter(&[31, 1, 1, 1, 11], Value::Counter64(1 << 32)),
    ]
}

fn message(pdu_type: StandardPduType, bindings: Vec<VarBind>) -> Vec<u8> {
    let pdu = Pdu::from_raw_parts(NUMBER, PduBody::Standard { pdu_type, error_status: 0, error_index: 0 }, bindings);
    CommunityMessage::v2c(COMMUNITY, pdu).and_then(|message| message.encode()).expect("it can be written").to_vec()
}

/// The question.
pub(crate) fn request() -> Vec<u8> {
    let unbound = bindings().into_iter().map(|bound| VarBind::new(bound.oid, Value::Null)).collect();
    message(StandardPduType::GetRequest, unbound)
}

/// The answer.
pub(crate) fn response() -> Vec<u8> {
    message(StandardPduType::Response, bindings())
}

/// Where the request-id is.
pub(crate) fn number_at(message: &[u8]) -> usize {
    message.windows(4).position(|octets| octets == NUMBER.to_be_bytes()).expect("it has one")
}

/// Answers for ever, each from the address that was asked.
pub(crate) fn run() {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, PORT)).expect("the port is free");
    setsockopt(&socket, sockopt::Ipv4PacketInfo, &true).expect("the kernel tells who was asked");
    setsockopt(&socket, sockopt::RcvBuf, &(8 << 20)).expect("the buffer can be set");
    let request = request();
    let asked_at = number_at(&request);
    let mut answer = response();
    let answered_at = number_at(&answer);
    let mut datagram = [0; 512];
    let mut control = cmsg_space!(libc::in_pktinfo);
    loop {
        let mut slices = [IoSliceMut::new(&mut datagram)];
        let fd = socket.as_raw_fd();
        let received = recvmsg::<SockaddrIn>(fd, &mut slices, Some(&mut control), MsgFlags::empty());
        let Ok(received) = received else { continue };
        let asked = received.cmsgs().expect("there is room for it").next();
        let (Some(from), Some(ControlMessageOwned::Ipv4PacketInfo(asked))) = (received.address, asked) else {
            continue;
        };
        if received.bytes != request.len() {
            continue;
        }
        let source = libc::in_pktinfo { ipi_ifindex: 0, ipi_spec_dst: asked.ipi_addr, ipi_addr: asked.ipi_addr };
        answer[answered_at..answered_at + 4].copy_from_slice(&datagram[asked_at..asked_at + 4]);
        let source = [ControlMessage::Ipv4PacketInfo(&source)];
        // a full queue is a loss, as anywhere
        sendmsg(fd, &[IoSlice::new(&answer)], &source, MsgFlags::empty(), Some(&from)).ok();
    }
}

/// Waits until they answer.
pub(crate) fn wait() {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
    socket.set_read_timeout(Some(core::time::Duration::from_millis(20))).expect("it can wait");
    loop {
        // nobody there is an error at the next call
        socket.send_to(&request(), (Ipv4Addr::LOCALHOST, PORT)).ok();
        if socket.recv(&mut [0; 512]).is_ok() {
            return;
        }
    }
}
