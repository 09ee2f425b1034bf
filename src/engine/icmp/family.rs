//! The ICMP socket of one address family.

use super::echo::{self, ECHO_LEN, Token};
use crate::engine::buffers;
use core::net::{IpAddr, SocketAddr};
use nix::libc;
use socket2::{Domain, Protocol, SockFilter, Socket, Type};
use std::io::{self, ErrorKind};
use tokio::net::UdpSocket;

/// More than the longest IPv4 header and our echo; what is longer is not an answer to us.
const DATAGRAM_LEN: usize = 128;

/// Sends and receives echoes of one address family.
pub(super) struct Family {
    /// To tokio any datagram socket is a UDP socket.
    socket: UdpSocket,
    version: Version,
    /// A raw IPv4 socket hands out IP headers too.
    with_ip_header: bool,
    /// Identifier of this process. On an unprivileged socket the kernel writes its own.
    ident: u16,
}

/// An address family.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    V4,
    V6,
}

impl Family {
    /// Opens a raw socket, or an unprivileged one where that is not allowed. Must be called inside a tokio runtime.
    pub(super) fn open(version: Version, ident: u16) -> io::Result<Self> {
        let (domain, protocol) = match version {
            Version::V4 => (Domain::IPV4, Protocol::ICMPV4),
            Version::V6 => (Domain::IPV6, Protocol::ICMPV6),
        };
        let (socket, raw) = match Socket::new(domain, Type::RAW, Some(protocol)) {
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                (Socket::new(domain, Type::DGRAM, Some(protocol))?, false)
            }
            opened => (opened?, true),
        };
        if raw {
            socket.attach_filter(&only_replies_to(version, ident))?;
        }
        buffers::enlarge(&socket);
        socket.set_nonblocking(true)?;
        let socket = UdpSocket::from_std(socket.into())?;
        Ok(Self { socket, version, with_ip_header: raw && version == Version::V4, ident })
    }

    /// Sends an echo, if the socket takes it at once.
    pub(super) fn try_send(&self, address: IpAddr, token: Token) -> io::Result<()> {
        let message = match self.version {
            Version::V4 => echo::request_v4(self.ident, token),
            Version::V6 => echo::request_v6(self.ident, token),
        };
        self.socket.try_send_to(&message, SocketAddr::new(address, 0)).map(|_| ())
    }

    /// The next datagram that waits, as the address it came from and the token of the reply, if it is one.
    pub(super) fn try_receive(&self) -> io::Result<(IpAddr, Option<Token>)> {
        let mut datagram = [0; DATAGRAM_LEN];
        let (len, from) = self.socket.try_recv_from(&mut datagram)?;
        let datagram = &datagram[..len];
        let message = if self.with_ip_header { echo::after_ip_header(datagram) } else { Some(datagram) };
        let reply_type = match self.version {
            Version::V4 => echo::REPLY_V4,
            Version::V6 => echo::REPLY_V6,
        };
        Ok((from.ip(), message.and_then(|message| echo::reply(reply_type, message))))
    }

    /// Returns when there may be something to receive.
    pub(super) async fn readable(&self) -> io::Result<()> {
        self.socket.readable().await
    }

    /// Returns when there may be room to send.
    pub(super) async fn writable(&self) -> io::Result<()> {
        self.socket.writable().await
    }
}

/// A raw socket sees all ICMP of the host; this leaves in the kernel what cannot be a reply to us, our own looped requests included.
fn only_replies_to(version: Version, ident: u16) -> [SockFilter; 7] {
    /// Both jumps of a comparison, counted in instructions.
    const NEXT: u8 = 0;
    let (offset_in_header, reply_type) = match version {
        // X = length of the IPv4 header, which precedes the message
        Version::V4 => ((libc::BPF_LDX | libc::BPF_B | libc::BPF_MSH, 0), echo::REPLY_V4),
        Version::V6 => ((libc::BPF_LDX | libc::BPF_W | libc::BPF_IMM, 0), echo::REPLY_V6),
    };
    let equal = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
    [
        instruction(offset_in_header.0, NEXT, NEXT, offset_in_header.1),
        instruction(libc::BPF_LD | libc::BPF_B | libc::BPF_IND, NEXT, NEXT, 0),
        instruction(equal, NEXT, 3, u32::from(reply_type)),
        instruction(libc::BPF_LD | libc::BPF_H | libc::BPF_IND, NEXT, NEXT, 4),
        instruction(equal, NEXT, 1, u32::from(ident)),
        instruction(libc::BPF_RET | libc::BPF_K, NEXT, NEXT, ECHO_LEN as u32 + DATAGRAM_LEN as u32),
        instruction(libc::BPF_RET | libc::BPF_K, NEXT, NEXT, 0),
    ]
}

const fn instruction(code: u32, when_true: u8, when_false: u8, operand: u32) -> SockFilter {
    SockFilter::new(code as u16, when_true, when_false, operand)
}
