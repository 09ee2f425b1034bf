//! Many datagrams in one call to the kernel, and its word of when each came.

use super::echo::ECHO_LEN;
use super::family::{DATAGRAM_LEN, Echo, Message};
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use nix::cmsg_space;
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, MultiHeaders, SockaddrStorage, recvmmsg, sendmmsg,
};
use nix::sys::time::TimeSpec;
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::AsRawFd;

/// Datagrams in one call. More gain nothing and falsify round trips, for a burst is dated by its beginning.
pub(super) const BURST: usize = 16;

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

/// Room for one burst in each direction, for sockets of one address family.
pub(super) struct Bursts {
    outgoing: MultiHeaders<SockaddrStorage>,
    incoming: MultiHeaders<SockaddrStorage>,
    datagrams: Box<[[u8; DATAGRAM_LEN]; BURST]>,
}

impl Bursts {
    pub(super) fn new() -> Self {
        Self {
            outgoing: MultiHeaders::preallocate(BURST, None),
            incoming: MultiHeaders::preallocate(BURST, Some(cmsg_space!(TimeSpec))),
            datagrams: Box::new([[0; DATAGRAM_LEN]; BURST]),
        }
    }

    /// Sends up to [`BURST`] echoes, as far as the kernel takes them; returns how many. An error is that of the first.
    pub(super) fn send(
        &mut self,
        socket: &impl AsRawFd,
        echoes: &[Echo],
        write: impl Fn(&Echo) -> [u8; ECHO_LEN],
    ) -> io::Result<usize> {
        let echoes = &echoes[..echoes.len().min(BURST)];
        let mut messages = [[0; ECHO_LEN]; BURST];
        let mut addresses = [None; BURST];
        for ((message, address), echo) in messages.iter_mut().zip(&mut addresses).zip(echoes) {
            *message = write(echo);
            *address = Some(SockaddrStorage::from(SocketAddr::new(echo.address, 0)));
        }
        let slices = messages.each_ref().map(|message| [IoSlice::new(message)]);
        let nothing: [ControlMessage<'_>; 0] = [];
        let (slices, addresses) = (slices[..echoes.len()].iter(), &addresses[..echoes.len()]);
        let sent =
            sendmmsg(socket.as_raw_fd(), &mut self.outgoing, slices, addresses, nothing, MsgFlags::MSG_DONTWAIT)?;
        Ok(sent.count())
    }

    /// Appends up to [`BURST`] datagrams that wait, as `read` understands them. If none does, that is an error.
    pub(super) fn receive(
        &mut self,
        socket: &impl AsRawFd,
        arrivals: &mut Vec<Arrival>,
        read: impl Fn(&[u8]) -> Option<Message>,
    ) -> io::Result<()> {
        let mut slices = self.datagrams.each_mut().map(|datagram| [IoSliceMut::new(datagram)]);
        let fd = socket.as_raw_fd();
        let received = recvmmsg(fd, &mut self.incoming, slices.iter_mut(), MsgFlags::MSG_DONTWAIT, None)?;
        arrivals.extend(received.map(|message| {
            let control = message.cmsgs().ok().and_then(|mut controls| controls.next());
            let stamped =
                if let Some(ControlMessageOwned::ScmTimestampns(stamp)) = control { Some(stamp.into()) } else { None };
            Arrival {
                stamped,
                from: message.address.as_ref().and_then(ip),
                says: message.iovs().next().and_then(&read),
            }
        }));
        Ok(())
    }
}

/// The address without its port.
pub(super) fn ip(address: &SockaddrStorage) -> Option<IpAddr> {
    let v4 = address.as_sockaddr_in().map(|address| IpAddr::V4(address.ip()));
    v4.or_else(|| address.as_sockaddr_in6().map(|address| IpAddr::V6(address.ip())))
}
