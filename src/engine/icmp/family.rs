//! The ICMP sockets of one address family.

use super::echo::{self, Token};
use super::error_queue::{self, MAX_PENDING};
use super::errors::Complaint;
use super::filter;
use super::rotation::{IDENTIFIERS, Turn};
use crate::domain::watch::Method;
use crate::engine::buffers::{self, Overflows};
use crate::engine::polling::{Bursts, Datagram};
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use nix::sys::socket::{setsockopt, sockopt};
use socket2::{Domain, Protocol, Socket, Type};
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd as _, BorrowedFd};

/// More than our echo in an error, with the longest IPv4 headers; what is longer tells us nothing more.
pub(super) const DATAGRAM_LEN: usize = 192;

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
    bursts: Bursts<DATAGRAM_LEN>,
}

struct Door {
    socket: Socket,
    overflows: Overflows,
}

/// An address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    V4,
    V6,
}

/// A datagram that came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    /// The address it came from.
    pub(super) from: Option<IpAddr>,
    /// What it says, if it may be to us.
    pub(super) says: Option<Message>,
    /// When the kernel received it, since the Unix epoch.
    pub(super) stamped: Option<Duration>,
}

/// A datagram that may be to us.
#[derive(Clone, Copy, Debug)]
pub(super) enum Message {
    /// An echo reply.
    Reply(Token),
    /// A router's word about an echo.
    Error(Complaint),
}

impl Message {
    /// What a datagram says, which begins with an IPv4 header or with that of ICMP.
    pub(super) fn read(version: Version, with_ip_header: bool, datagram: &[u8]) -> Option<Self> {
        let message = if with_ip_header { echo::after_ip_header(datagram)? } else { datagram };
        let reply_type = match version {
            Version::V4 => echo::REPLY_V4,
            Version::V6 => echo::REPLY_V6,
        };
        let error = || Complaint::read(version, message).map(Self::Error);
        echo::reply(reply_type, message).map(Self::Reply).or_else(error)
    }
}

/// An echo to be sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Echo {
    pub(super) address: IpAddr,
    pub(super) turn: Turn,
    pub(super) token: Token,
}

impl Family {
    /// Opens a raw socket, or an unprivileged one where that is not allowed. The lowest bits of `ident` are for the turns.
    pub(super) fn open(version: Version, ident: u16) -> io::Result<Self> {
        let ident = ident & !(u16::from(IDENTIFIERS) - 1);
        match open_socket(version, Type::RAW) {
            Err(error) if error.kind() == ErrorKind::PermissionDenied => Self::unprivileged(version),
            opened => {
                let socket = opened?;
                filter::only_what_is_to(&socket, version, ident)?;
                Self::new(version, Some(ident), Door::new(socket)?)
            }
        }
    }

    pub(super) fn unprivileged(version: Version) -> io::Result<Self> {
        Self::new(version, None, Door::unprivileged(version)?)
    }

    fn new(version: Version, raw: Option<u16>, door: Door) -> io::Result<Self> {
        let mut family = Self { version, raw, doors: vec![door], dropped: 0, bursts: Bursts::new() };
        // What came before the socket was all set up is nothing of ours.
        let mut nothing = Vec::new();
        while family.receive(&mut nothing)? {
            nothing.clear();
        }
        Ok(family)
    }

    /// Whether echoes of both turns go through the same socket.
    pub(super) fn is_one_way(&self, one: Turn, other: Turn) -> bool {
        self.raw.is_some() || one == other
    }

    /// Sends echoes, which go [one way](Self::is_one_way), as far as the kernel takes them at once; returns how many. An error is
    /// that of the first.
    pub(super) fn send(&mut self, echoes: &[Echo]) -> io::Result<usize> {
        let Some(turn) = echoes.first().map(|echo| echo.turn) else { return Ok(0) };
        self.open_up_to(turn);
        let place = self.place(turn);
        let (raw, version) = (self.raw, self.version);
        let write = |echo: &Echo| {
            let ident = raw.map_or(0, |first| first | u16::from(echo.turn.0));
            let message = match version {
                Version::V4 => echo::request_v4(ident, echo.token),
                Version::V6 => echo::request_v6(ident, echo.token),
            };
            (SocketAddr::new(echo.address, 0), message)
        };
        let (bursts, socket) = (&mut self.bursts, &self.doors[place].socket);
        patiently(raw, || bursts.send(socket, echoes, write))
    }

    /// Which turn an echo with this identifier had, if we write identifiers ourselves.
    pub(super) fn turn_of(&self, ident: u16) -> Option<Turn> {
        self.raw.map(|_| Turn(ident as u8 & (IDENTIFIERS - 1)))
    }

    /// Appends what waits, a burst a socket at most; whether there was anything.
    pub(super) fn receive(&mut self, arrivals: &mut Vec<Arrival>) -> io::Result<bool> {
        let version = self.version;
        // a raw IPv4 socket hands out IP headers too
        let with_ip_header = self.raw.is_some() && version == Version::V4;
        let mut any = false;
        for door in &self.doors {
            if self.raw.is_none() {
                any |= error_queue::receive(&door.socket, version, arrivals);
            }
            let mut take = |datagram: Datagram<'_>| {
                let from = datagram.from.map(|from| from.ip());
                let says = Message::read(version, with_ip_header, datagram.content);
                arrivals.push(Arrival { from, says, stamped: datagram.stamped });
            };
            let bursts = &mut self.bursts;
            match patiently(self.raw, || bursts.receive(&door.socket, &mut take)) {
                Ok(()) => any = true,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(any)
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

    /// The sockets, in which something may be to read.
    pub(super) fn sockets(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.doors.iter().map(|door| door.socket.as_fd())
    }

    /// The socket through which echoes of `turn` go.
    pub(super) fn way_out(&self, turn: Turn) -> BorrowedFd<'_> {
        self.doors[self.place(turn)].socket.as_fd()
    }

    /// The identifier of the first turn, if the socket is raw.
    #[cfg(test)]
    pub(super) const fn identifier(&self) -> Option<u16> {
        self.raw
    }

    /// Leaves the least room that the kernel allows for what comes.
    #[cfg(test)]
    pub(super) fn narrow(&self) {
        self.doors.iter().for_each(|door| buffers::narrow(&door.socket));
    }

    /// The socket for `turn`, or the last that could be opened.
    fn place(&self, turn: Turn) -> usize {
        let wanted = if self.raw.is_some() { 0 } else { usize::from(turn.0) };
        wanted.min(self.doors.len() - 1)
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
        setsockopt(&socket, sockopt::ReceiveTimestampns, &true)?;
        Ok(Self { socket, overflows: Overflows::new(Method::Icmp) })
    }

    fn unprivileged(version: Version) -> io::Result<Self> {
        let socket = open_socket(version, Type::DGRAM)?;
        error_queue::listen(&socket, version)?;
        Self::new(socket)
    }
}

/// Does it again if what failed it was a router's word about another echo, which to an unprivileged socket is also an error of
/// whatever it does next.
fn patiently<T>(raw: Option<u16>, mut attempt: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    for _ in 0..if raw.is_some() { 0 } else { MAX_PENDING } {
        match attempt() {
            Err(error) if error.kind() != ErrorKind::WouldBlock => {}
            done => return done,
        }
    }
    attempt()
}

fn open_socket(version: Version, kind: Type) -> io::Result<Socket> {
    let (domain, protocol) = match version {
        Version::V4 => (Domain::IPV4, Protocol::ICMPV4),
        Version::V6 => (Domain::IPV6, Protocol::ICMPV6),
    };
    Socket::new(domain, kind, Some(protocol))
}

#[cfg(test)]
mod tests {
    use super::super::namespace;
    use super::*;
    use core::net::Ipv4Addr;
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    use std::collections::BTreeSet;

    fn every_turn_is_answered_under_its_own_identifier() {
        let mut family = Family::unprivileged(Version::V4).unwrap();
        let mut idents = BTreeSet::new();
        for turn in [0, 1, 2, IDENTIFIERS - 1, 1] {
            let token = Token { serial: turn.into(), proof: 1 << 40 };
            let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
            assert_eq!(family.send(&[Echo { address, turn: Turn(turn), token }]).unwrap(), 1);
            // to the kernel the identifier is the port of the socket
            let door = &family.doors[family.place(Turn(turn))];
            idents.insert(door.socket.local_addr().unwrap().as_socket().unwrap().port());
            let mut waiting = [PollFd::new(family.way_out(Turn(turn)), PollFlags::POLLIN)];
            poll(&mut waiting, PollTimeout::NONE).unwrap();
            let mut arrivals = Vec::new();
            assert!(family.receive(&mut arrivals).unwrap());
            assert_eq!(arrivals[0].from, Some(address));
            assert!(matches!(arrivals[0].says, Some(Message::Reply(said)) if said == token), "{arrivals:?}");
            assert!(arrivals[0].stamped.is_some());
        }
        assert_eq!(idents.len(), 4, "{idents:?}");
        assert_eq!(family.doors.len(), usize::from(IDENTIFIERS));
    }

    #[test]
    fn an_unprivileged_process_has_identifiers_too() {
        namespace::within(every_turn_is_answered_under_its_own_identifier);
    }
}
