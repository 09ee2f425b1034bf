//! The UDP socket of one address family.

use crate::domain::watch::Method;
use crate::engine::buffers::{self, Overflows};
use crate::engine::polling::{Bursts, Datagram};
use core::net::SocketAddr;
use nix::sys::socket::sockopt::SetStruct;
use nix::sys::socket::{setsockopt, sockopt};
use nix::{libc, setsockopt_impl};
use socket2::{Domain, Protocol, Socket, Type};
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd as _, BorrowedFd};

/// More than an answer to all that we ask can be long, with the longest community and every length in eight octets.
const DATAGRAM_LEN: usize = 2_048;

/// What the kernel does about the MTU of a path.
#[derive(Clone, Copy)]
struct PathMtu;
setsockopt_impl!(PathMtu, libc::SOL_IP, libc::IP_MTU_DISCOVER, libc::c_int, SetStruct<'_, libc::c_int>);

/// Sends questions to agents of one address family, and receives what comes.
pub(super) struct Family {
    socket: Socket,
    overflows: Overflows,
    dropped: u32,
    bursts: Bursts<DATAGRAM_LEN>,
}

impl Family {
    /// Opens a socket, for IPv4 or IPv6.
    pub(super) fn open(domain: Domain) -> io::Result<Self> {
        let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
        buffers::enlarge(&socket);
        socket.set_nonblocking(true)?;
        setsockopt(&socket, sockopt::ReceiveTimestampns, &true)?;
        if domain == Domain::IPV4 {
            // A question fits into any path's 576 octets. If it may not be cut, the kernel need not number it for being put together,
            // which it does in a table that is in no cache.
            setsockopt(&socket, PathMtu, &libc::IP_PMTUDISC_PROBE)?;
        }
        Ok(Self { socket, overflows: Overflows::new(Method::Snmp), dropped: 0, bursts: Bursts::new() })
    }

    /// Sends messages, each as `write` says, as far as the kernel takes them at once; returns how many. An error is that of the
    /// first.
    pub(super) fn send<T, M: AsRef<[u8]>>(
        &mut self,
        all: &[T],
        write: impl Fn(&T) -> (SocketAddr, M),
    ) -> io::Result<usize> {
        self.bursts.send(&self.socket, all, write)
    }

    /// Hands a burst of what waits to `take`; returns how many that were.
    pub(super) fn receive(&mut self, mut take: impl FnMut(Datagram<'_>)) -> io::Result<usize> {
        let mut taken = 0;
        let count = |datagram: Datagram<'_>| {
            taken += 1;
            take(datagram);
        };
        match self.bursts.receive(&self.socket, count) {
            Ok(()) => Ok(taken),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(0),
            Err(error) => Err(error),
        }
    }

    /// Datagrams that the kernel had dropped, for the receive queue was full, when this was last [looked up](Self::look).
    pub(super) const fn dropped(&self) -> u32 {
        self.dropped
    }

    /// Looks up what the kernel has dropped.
    pub(super) fn look(&mut self) {
        self.dropped = self.overflows.so_far(&self.socket);
    }

    /// The socket, in which something may be to read.
    pub(super) fn socket(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Leaves the least room that the kernel allows for what comes.
    #[cfg(test)]
    pub(super) fn narrow(&self) {
        buffers::narrow(&self.socket);
    }
}
