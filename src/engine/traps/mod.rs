//! Hears what devices say unasked: SNMP traps and informs (SNMPv1, v2c, v3). Informs are acknowledged.
//!
//! A datagram is looked into only if it comes from the address of a known sender and is within the limits for that
//! sender and for all; what it says counts only with the sender's own credentials. The library's own receiver is not
//! used: it decodes whatever comes from wherever, and has one list of communities and users for all senders, which can
//! never change.

mod community;
mod ear;
#[cfg(test)]
mod fuzz_tests;
mod limits;
mod notification;
mod ourselves;
mod senders;
mod timeliness;
mod usm;

use self::ear::Ear;
use super::buffers;
use crate::domain::watch::{SnmpAccess, Trap};
use core::fmt;
use core::net::{IpAddr, SocketAddr};
use socket2::{Domain, Protocol, Socket, Type};
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::thread;
use tokio::net::UdpSocket;
use tokio::sync::watch;

/// Threads that derive keys.
const KEY_THREADS: usize = 1;

/// Where traps are heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Address and UDP port, 162 by convention; port 0 takes a free one. An unspecified address hears on all of the
    /// machine's, but then acknowledgements leave from whichever of them is nearest to the sender.
    pub listen: SocketAddr,
}

/// Takes a batch of traps; says whether there was room for it. It must not block, the engine's thread calls it.
///
/// What there is no room for is dropped and counted: a trap is a witness, never a verdict. Informs among it are not
/// acknowledged, so that they are sent again.
pub type Deliver = Box<dyn FnMut(Vec<Trap>) -> bool + Send>;

/// A device that may send traps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// Where its traps come from.
    pub address: IpAddr,
    /// What they authenticate with: what the device is asked with. Without it, all of them are refused.
    pub access: Option<Arc<SnmpAccess>>,
}

/// A running engine. Dropping it stops its thread.
#[derive(Debug)]
pub struct TrapEngine {
    address: SocketAddr,
    /// The last word on who is known; no queue, for only the last one matters.
    known: Option<watch::Sender<Arc<[Sender]>>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl TrapEngine {
    /// From now on `senders`, and nobody else, are listened to. Several may share an address.
    pub fn know(&self, senders: Vec<Sender>) {
        if let Some(known) = &self.known
            && known.send(senders.into()).is_err()
        {
            tracing::error!("the trap engine has died");
        }
    }

    /// Where it listens, with the port that it was given.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for TrapEngine {
    fn drop(&mut self) {
        self.known = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the trap engine panicked");
        }
    }
}

/// Starts the engine; it knows nobody yet. The metrics recorder must be installed before.
///
/// # Errors
/// When the port can't be listened on, or the thread can't be made.
pub fn start(settings: Settings, deliver: Deliver) -> Result<TrapEngine, StartError> {
    let listen = settings.listen;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(KEY_THREADS)
        .thread_name("trap-keys")
        .build()
        .map_err(StartError::Thread)?;
    let socket = {
        let _inside = runtime.enter();
        open(listen).map_err(|error| StartError::of(listen, error))?
    };
    let address = socket.local_addr().map_err(|error| StartError::of(listen, error))?;
    let ear = Ear::new(socket, address, deliver).map_err(StartError::Thread)?;
    let (known, news) = watch::channel(Arc::default());
    let thread = thread::Builder::new()
        .name("traps".to_owned())
        .spawn(move || runtime.block_on(ear.listen(news)))
        .map_err(StartError::Thread)?;
    Ok(TrapEngine { address, known: Some(known), thread: Some(thread) })
}

fn open(listen: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(listen), Type::DGRAM, Some(Protocol::UDP))?;
    socket.bind(&listen.into())?;
    buffers::enlarge(&socket);
    socket.set_nonblocking(true)?;
    UdpSocket::from_std(socket.into())
}

/// Why the engine could not start.
#[derive(Debug)]
pub enum StartError {
    /// The operating system does not let this process listen on a port that low.
    NoRight(SocketAddr),
    /// Another process listens there.
    Taken(SocketAddr),
    /// The socket could not be opened for another reason.
    Socket(SocketAddr, io::Error),
    /// The engine's thread, its runtime or its random numbers could not be had.
    Thread(io::Error),
}

impl StartError {
    fn of(listen: SocketAddr, error: io::Error) -> Self {
        if error.kind() == ErrorKind::PermissionDenied {
            Self::NoRight(listen)
        } else if error.kind() == ErrorKind::AddrInUse {
            Self::Taken(listen)
        } else {
            Self::Socket(listen, error)
        }
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRight(listen) => write!(
                f,
                "no right to listen for traps on {listen}: ports below 1024 need CAP_NET_BIND_SERVICE; grant it, or choose \
                 a higher port and have the devices send there"
            ),
            Self::Taken(listen) => write!(
                f,
                "cannot listen for traps on {listen}: another process does; stop it (snmptrapd?) or choose another port"
            ),
            Self::Socket(listen, error) => write!(f, "cannot listen for traps on {listen}: {error}"),
            Self::Thread(error) => write!(f, "cannot start the trap engine's thread: {error}"),
        }
    }
}

impl core::error::Error for StartError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::NoRight(_) | Self::Taken(_) => None,
            Self::Socket(_, error) | Self::Thread(error) => Some(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_needs_a_right_says_which() {
        let listen = SocketAddr::from(([0, 0, 0, 0], 162));
        let error = StartError::of(listen, ErrorKind::PermissionDenied.into()).to_string();
        assert!(error.contains("0.0.0.0:162") && error.contains("CAP_NET_BIND_SERVICE"), "{error}");
    }
}
