//! ICMP errors of unprivileged sockets: the kernel finds out which socket's echo each is about, and keeps it in that one's error
//! queue (`IP_RECVERR` of ip(7)).

use super::echo::ECHO_LEN;
use super::errors::Complaint;
use super::family::{Arrival, Message, Version};
use crate::engine::polling::{self, BURST};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use nix::cmsg_space;
use nix::libc::{self, sock_extended_err, sockaddr_in6};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, RecvMsg, SockaddrStorage, recvmsg, setsockopt, sockopt};
use nix::sys::time::TimeSpec;
use std::io::{self, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd};

/// Times that a call may fail because of an error about another echo, before its own failure is believed. Each call takes one off.
pub(super) const MAX_PENDING: usize = 3;

/// Errors about echoes of `socket` are kept for it from now on.
pub(super) fn listen(socket: &impl AsFd, version: Version) -> io::Result<()> {
    match version {
        Version::V4 => setsockopt(socket, sockopt::Ipv4RecvErr, &true)?,
        Version::V6 => setsockopt(socket, sockopt::Ipv6RecvErr, &true)?,
    }
    Ok(())
}

/// Appends errors that wait, a burst at most; whether there was anything.
pub(super) fn receive(socket: &impl AsRawFd, version: Version, arrivals: &mut Vec<Arrival>) -> bool {
    // these come stamped too
    let mut control = cmsg_space!(TimeSpec, sock_extended_err, sockaddr_in6);
    let mut any = false;
    for _ in 0..BURST {
        let mut echo = [0; ECHO_LEN];
        let mut slices = [IoSliceMut::new(&mut echo)];
        let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
        let Ok(message) = recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut slices, Some(&mut control), flags) else {
            break;
        };
        any = true;
        let to = message.address.as_ref().and_then(polling::address).map(|to| to.ip());
        let complaint = word(&message);
        let says = message.iovs().next().and_then(|echo| Complaint::about(version, complaint?.0, to?, echo));
        arrivals.push(Arrival {
            from: complaint.map(|(_, router)| router),
            says: says.map(Message::Error),
            stamped: None,
        });
    }
    any
}

/// Type and code of an error, and which router it comes from.
fn word(message: &RecvMsg<'_, '_, SockaddrStorage>) -> Option<([u8; 2], IpAddr)> {
    message.cmsgs().ok()?.find_map(|control| {
        if let ControlMessageOwned::Ipv4RecvErr(error, Some(by)) = control {
            let router = Ipv4Addr::from(u32::from_be(by.sin_addr.s_addr));
            (error.ee_origin == libc::SO_EE_ORIGIN_ICMP).then_some(([error.ee_type, error.ee_code], router.into()))
        } else if let ControlMessageOwned::Ipv6RecvErr(error, Some(by)) = control {
            let router = Ipv6Addr::from(by.sin6_addr.s6_addr);
            (error.ee_origin == libc::SO_EE_ORIGIN_ICMP6).then_some(([error.ee_type, error.ee_code], router.into()))
        } else {
            None
        }
    })
}
