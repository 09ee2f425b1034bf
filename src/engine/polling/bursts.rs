//! Many datagrams in one call to the kernel, and its word of when each came.

use core::net::SocketAddr;
use core::time::Duration;
use nix::cmsg_space;
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, MultiHeaders, SockaddrStorage, recvmmsg, sendmmsg,
};
use nix::sys::time::TimeSpec;
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::AsRawFd;

/// Datagrams in one call. More gain nothing and falsify round trips, for a burst is dated by its beginning.
pub(in crate::engine) const BURST: usize = 16;

/// A datagram that came.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine) struct Datagram<'a> {
    /// Where it came from; port 0 if the protocol has none.
    pub(in crate::engine) from: Option<SocketAddr>,
    /// As much of it as there is room for.
    pub(in crate::engine) content: &'a [u8],
    /// When the kernel received it, since the Unix epoch.
    pub(in crate::engine) stamped: Option<Duration>,
}

/// Room for one burst in each direction, for sockets of one address family, with up to `LEN` octets of each datagram that comes.
pub(in crate::engine) struct Bursts<const LEN: usize> {
    outgoing: MultiHeaders<SockaddrStorage>,
    incoming: MultiHeaders<SockaddrStorage>,
    datagrams: Box<[[u8; LEN]; BURST]>,
}

impl<const LEN: usize> Bursts<LEN> {
    pub(in crate::engine) fn new() -> Self {
        Self {
            outgoing: MultiHeaders::preallocate(BURST, None),
            incoming: MultiHeaders::preallocate(BURST, Some(cmsg_space!(TimeSpec))),
            datagrams: Box::new([[0; LEN]; BURST]),
        }
    }

    /// Sends up to [`BURST`] of `all`, each as `write` says, as far as the kernel takes them; returns how many. An error is that
    /// of the first.
    pub(in crate::engine) fn send<T, M: AsRef<[u8]>>(
        &mut self,
        socket: &impl AsRawFd,
        all: &[T],
        write: impl Fn(&T) -> (SocketAddr, M),
    ) -> io::Result<usize> {
        let mut addresses = [None; BURST];
        let messages: [Option<M>; BURST] = core::array::from_fn(|place| {
            let (to, message) = write(all.get(place)?);
            addresses[place] = Some(SockaddrStorage::from(to));
            Some(message)
        });
        let slices = messages.each_ref().map(|message| [IoSlice::new(message.as_ref().map_or(&[], M::as_ref))]);
        let nothing: [ControlMessage<'_>; 0] = [];
        let count = all.len().min(BURST);
        let (slices, addresses) = (slices[..count].iter(), &addresses[..count]);
        let sent =
            sendmmsg(socket.as_raw_fd(), &mut self.outgoing, slices, addresses, nothing, MsgFlags::MSG_DONTWAIT)?;
        Ok(sent.count())
    }

    /// Hands up to [`BURST`] datagrams that wait to `take`. If none does, that is an error.
    pub(in crate::engine) fn receive(
        &mut self,
        socket: &impl AsRawFd,
        mut take: impl FnMut(Datagram<'_>),
    ) -> io::Result<()> {
        let mut slices = self.datagrams.each_mut().map(|datagram| [IoSliceMut::new(datagram)]);
        let fd = socket.as_raw_fd();
        let received = recvmmsg(fd, &mut self.incoming, slices.iter_mut(), MsgFlags::MSG_DONTWAIT, None)?;
        for message in received {
            let control = message.cmsgs().ok().and_then(|mut controls| controls.next());
            let stamped =
                if let Some(ControlMessageOwned::ScmTimestampns(stamp)) = control { Some(stamp.into()) } else { None };
            let from = message.address.as_ref().and_then(address);
            take(Datagram { from, content: message.iovs().next().unwrap_or_default(), stamped });
        }
        Ok(())
    }
}

/// The address and the port, if it is of IPv4 or IPv6.
pub(in crate::engine) fn address(of: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = of.as_sockaddr_in().map(|address| SocketAddr::from((address.ip(), address.port())));
    v4.or_else(|| of.as_sockaddr_in6().map(|address| SocketAddr::from((address.ip(), address.port()))))
}
