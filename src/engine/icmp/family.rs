//! The ICMP sockets of one address family.

use super::echo::{self, ECHO_LEN, Token};
use super::rotation::{IDENTIFIERS, Turn};
use crate::domain::watch::Method;
use crate::engine::buffers::{self, Overflows};
use core::future::poll_fn;
use core::net::{IpAddr, SocketAddr};
use core::task::Poll;
use nix::libc;
use socket2::{Domain, Protocol, SockFilter, Socket, Type};
use std::io::{self, ErrorKind};
use tokio::net::UdpSocket;

/// More than the longest IPv4 header and our echo; what is longer is not an answer to us.
const DATAGRAM_LEN: usize = 128;

/// Sends and receives echoes of one address family.
///
/// A raw socket writes any identifier and serves all turns. On an unprivileged one the kernel writes the identifier, one a socket
/// for as long as it lives: so each turn has a socket of its own there, opened when the first device gets to it.
pub(super) struct Family {
    version: Version,
    /// Identifier of the first turn, if the socket is raw; a multiple of [`IDENTIFIERS`].
    raw: Option<u16>,
    /// At least one, by turn.
    doors: Vec<Door>,
    dropped: u32,
}

/// A socket. To tokio any datagram socket is a UDP socket.
struct Door {
    socket: UdpSocket,
    overflows: Overflows,
}

/// An address family.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    V4,
    V6,
}

impl Family {
    /// Opens a raw socket, or an unprivileged one where that is not allowed. Must be called inside a tokio runtime. The lowest bits
    /// of `ident` are for the turns.
    pub(super) fn open(version: Version, ident: u16) -> io::Result<Self> {
        let ident = ident & !(u16::from(IDENTIFIERS) - 1);
        match open_socket(version, Type::RAW) {
            Err(error) if error.kind() == ErrorKind::PermissionDenied => Self::unprivileged(version),
            opened => {
                let socket = opened?;
                socket.attach_filter(&only_replies_to(version, ident))?;
                Ok(Self { version, raw: Some(ident), doors: vec![Door::new(socket)?], dropped: 0 })
            }
        }
    }

    fn unprivileged(version: Version) -> io::Result<Self> {
        Ok(Self { version, raw: None, doors: vec![Door::unprivileged(version)?], dropped: 0 })
    }

    /// Sends an echo under the identifier of `turn`, if the socket takes it at once.
    pub(super) fn try_send(&mut self, address: IpAddr, turn: Turn, token: Token) -> io::Result<()> {
        self.open_up_to(turn);
        let ident = self.raw.map_or(0, |first| first | u16::from(turn.0));
        let message = match self.version {
            Version::V4 => echo::request_v4(ident, token),
            Version::V6 => echo::request_v6(ident, token),
        };
        self.door(turn).socket.try_send_to(&message, SocketAddr::new(address, 0)).map(|_| ())
    }

    /// The next datagram that waits, as the address it came from and the token of the reply, if it is one.
    pub(super) fn try_receive(&self) -> io::Result<(IpAddr, Option<Token>)> {
        let mut datagram = [0; DATAGRAM_LEN];
        let received = self.doors.iter().map(|door| door.socket.try_recv_from(&mut datagram));
        let (len, from) = first_that_waits(received)?;
        let datagram = &datagram[..len];
        // a raw IPv4 socket hands out IP headers too
        let with_ip_header = self.raw.is_some() && self.version == Version::V4;
        let message = if with_ip_header { echo::after_ip_header(datagram) } else { Some(datagram) };
        let reply_type = match self.version {
            Version::V4 => echo::REPLY_V4,
            Version::V6 => echo::REPLY_V6,
        };
        Ok((from.ip(), message.and_then(|message| echo::reply(reply_type, message))))
    }

    /// Datagrams that the kernel had dropped, for its receive queues were full, when this was last [looked up](Self::look).
    pub(super) const fn dropped(&self) -> u32 {
        self.dropped
    }

    /// Looks up what the kernel has dropped.
    pub(super) fn look(&mut self) {
        let so_far = self.doors.iter().map(|door| door.overflows.so_far(&door.socket));
        self.dropped = so_far.fold(0, u32::wrapping_add);
    }

    /// Returns when there may be something to receive. An error of a socket shows up, and is handled, where it is read.
    pub(super) async fn readable(&self) {
        poll_fn(|context| {
            let waits = self.doors.iter().any(|door| door.socket.poll_recv_ready(context).is_ready());
            if waits { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// Returns when there may be room to send under the identifier of `turn`.
    pub(super) async fn writable(&self, turn: Turn) -> io::Result<()> {
        self.door(turn).socket.writable().await
    }

    /// Leaves the least room that the kernel allows for what comes.
    #[cfg(test)]
    pub(super) fn narrow(&self) {
        self.doors.iter().for_each(|door| buffers::narrow(&door.socket));
    }

    /// The socket for `turn`, or the last that could be opened.
    fn door(&self, turn: Turn) -> &Door {
        let wanted = if self.raw.is_some() { 0 } else { usize::from(turn.0) };
        &self.doors[wanted.min(self.doors.len() - 1)]
    }

    /// Opens the sockets that an unprivileged process needs for `turn`; without more of them it does with those there are.
    fn open_up_to(&mut self, turn: Turn) {
        while self.raw.is_none() && self.doors.len() <= usize::from(turn.0) {
            match Door::unprivileged(self.version) {
                Ok(door) => self.doors.push(door),
                Err(error) => {
                    tracing::debug!(%error, "no further ICMP socket, so an identifier serves on that lost a probe");
                    return;
                }
            }
        }
    }
}

impl Door {
    fn new(socket: Socket) -> io::Result<Self> {
        buffers::enlarge(&socket);
        socket.set_nonblocking(true)?;
        Ok(Self { socket: UdpSocket::from_std(socket.into())?, overflows: Overflows::new(Method::Icmp) })
    }

    fn unprivileged(version: Version) -> io::Result<Self> {
        Self::new(open_socket(version, Type::DGRAM)?)
    }
}

fn open_socket(version: Version, kind: Type) -> io::Result<Socket> {
    let (domain, protocol) = match version {
        Version::V4 => (Domain::IPV4, Protocol::ICMPV4),
        Version::V6 => (Domain::IPV6, Protocol::ICMPV6),
    };
    Socket::new(domain, kind, Some(protocol))
}

/// What was received first; an error only if nothing was.
fn first_that_waits<T>(received: impl Iterator<Item = io::Result<T>>) -> io::Result<T> {
    let mut nothing = io::Error::from(ErrorKind::WouldBlock);
    for result in received {
        match result {
            Ok(datagram) => return Ok(datagram),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => nothing = error,
        }
    }
    Err(nothing)
}

/// A raw socket sees all ICMP of the host; this leaves in the kernel what cannot be a reply to us, our own looped requests included.
fn only_replies_to(version: Version, ident: u16) -> [SockFilter; 8] {
    /// Both jumps of a comparison, counted in instructions.
    const NEXT: u8 = 0;
    let (offset_in_header, reply_type) = match version {
        // X = length of the IPv4 header, which precedes the message
        Version::V4 => ((libc::BPF_LDX | libc::BPF_B | libc::BPF_MSH, 0), echo::REPLY_V4),
        Version::V6 => ((libc::BPF_LDX | libc::BPF_W | libc::BPF_IMM, 0), echo::REPLY_V6),
    };
    let equal = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
    let of_any_turn = u32::from(!(u16::from(IDENTIFIERS) - 1));
    [
        instruction(offset_in_header.0, NEXT, NEXT, offset_in_header.1),
        instruction(libc::BPF_LD | libc::BPF_B | libc::BPF_IND, NEXT, NEXT, 0),
        instruction(equal, NEXT, 4, u32::from(reply_type)),
        instruction(libc::BPF_LD | libc::BPF_H | libc::BPF_IND, NEXT, NEXT, 4),
        instruction(libc::BPF_ALU | libc::BPF_AND | libc::BPF_K, NEXT, NEXT, of_any_turn),
        instruction(equal, NEXT, 1, u32::from(ident)),
        instruction(libc::BPF_RET | libc::BPF_K, NEXT, NEXT, ECHO_LEN as u32 + DATAGRAM_LEN as u32),
        instruction(libc::BPF_RET | libc::BPF_K, NEXT, NEXT, 0),
    ]
}

const fn instruction(code: u32, when_true: u8, when_false: u8, operand: u32) -> SockFilter {
    SockFilter::new(code as u16, when_true, when_false, operand)
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::Ipv4Addr;
    use nix::sched::{CloneFlags, unshare};
    use std::collections::BTreeSet;
    use std::process::Command;
    use std::thread;

    /// A network namespace of this thread's own, in which root may open unprivileged ICMP sockets; whether there could be one.
    fn enter_namespace() -> bool {
        if let Err(error) = unshare(CloneFlags::CLONE_NEWNET) {
            println!("skipped: no network namespace: {error}");
            return false;
        }
        std::fs::write("/proc/sys/net/ipv4/ping_group_range", "0 0").unwrap();
        match Command::new("ip").args(["link", "set", "lo", "up"]).status() {
            Ok(done) => done.success(),
            Err(error) => {
                println!("skipped: ip: {error}");
                false
            }
        }
    }

    #[tokio::main(flavor = "current_thread")]
    async fn every_turn_is_answered_under_its_own_identifier() {
        let mut family = Family::unprivileged(Version::V4).unwrap();
        let mut idents = BTreeSet::new();
        for turn in [0, 1, 2, IDENTIFIERS - 1, 1] {
            let token = Token { serial: turn.into(), proof: 1 << 40 };
            let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
            family.open_up_to(Turn(turn));
            family.writable(Turn(turn)).await.unwrap();
            family.try_send(address, Turn(turn), token).unwrap();
            // to the kernel the identifier is the port of the socket
            idents.insert(family.door(Turn(turn)).socket.local_addr().unwrap().port());
            let answer = loop {
                family.readable().await;
                match family.try_receive() {
                    Ok(answer) => break answer,
                    Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
                }
            };
            assert_eq!(answer, (address, Some(token)));
        }
        assert_eq!(idents.len(), 4, "{idents:?}");
        assert_eq!(family.doors.len(), usize::from(IDENTIFIERS));
    }

    #[test]
    fn an_unprivileged_process_has_identifiers_too() {
        thread::spawn(|| {
            if enter_namespace() {
                every_turn_is_answered_under_its_own_identifier();
            }
        })
        .join()
        .unwrap();
    }
}
