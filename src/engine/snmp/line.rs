//! UDP sockets that many agents are asked through.
//!
//! The library's own `UdpTransport` is not used: it ticks once a second even when idle, and scans all that is pending on its socket
//! after every SNMPv3 exchange. Here answers are told apart by where they come from, so none but the agent's own is ever looked at.

use crate::clock::Stopwatch;
use crate::domain::watch::Method;
use crate::engine::buffers;
use bytes::Bytes;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use metrics::Counter;
use socket2::{Domain, Protocol, Socket, Type};
use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::UdpSocket;
use tokio::sync::mpsc::{self, Receiver, Sender};

/// Longest UDP payload.
const DATAGRAM_LEN: usize = 65_535;

/// Datagrams from one agent that wait to be looked at; a box that sends more is not answering us.
const MAX_UNREAD: usize = 16;

/// Pause after the socket failed to receive, lest an error that stays keeps a processor busy.
const AFTER_ERROR: Duration = Duration::from_millis(20);

/// A shared UDP socket.
pub(super) struct Line {
    socket: UdpSocket,
    local: SocketAddr,
    listeners: Mutex<Listeners>,
    ignored: Counter,
}

/// Who waits for datagrams, by agent.
#[derive(Default)]
struct Listeners {
    by_agent: HashMap<(IpAddr, u16), Vec<Listener>>,
    next_id: u64,
}

/// The sending end of an [`Inbox`].
struct Listener {
    id: u64,
    inbox: Sender<Datagram>,
}

/// What an agent's address sent.
#[derive(Clone)]
pub(super) struct Datagram {
    pub(super) content: Bytes,
    pub(super) arrived: Stopwatch,
}

impl Line {
    /// Opens a socket of the family of `agent` and starts to read it. Must be called inside a tokio runtime.
    pub(super) fn open(agent: IpAddr) -> io::Result<Arc<Self>> {
        let domain = if agent.is_ipv4() { Domain::IPV4 } else { Domain::IPV6 };
        let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
        buffers::enlarge(&socket);
        socket.set_nonblocking(true)?;
        let socket = UdpSocket::from_std(socket.into())?;
        let line = Arc::new(Self {
            local: socket.local_addr()?,
            socket,
            listeners: Mutex::default(),
            ignored: metrics::counter!("ntuwatch_ignored_datagrams_total", "method" => Method::Snmp.name()),
        });
        tokio::spawn(Arc::clone(&line).read());
        Ok(line)
    }

    /// Sends `data` to `agent`.
    pub(super) async fn send(&self, data: &[u8], agent: SocketAddr) -> io::Result<()> {
        self.socket.send_to(data, agent).await.map(|_| ())
    }

    /// Receives what comes from `agent` from now on.
    pub(super) fn listen(self: &Arc<Self>, agent: SocketAddr) -> Inbox {
        let (inbox, datagrams) = mpsc::channel(MAX_UNREAD);
        let mut listeners = self.listeners();
        let id = listeners.next_id;
        listeners.next_id += 1;
        listeners.by_agent.entry(key(agent)).or_default().push(Listener { id, inbox });
        Inbox { line: Arc::clone(self), agent, id, datagrams }
    }

    /// Counts a datagram that was no answer.
    pub(super) fn ignore(&self) {
        self.ignored.increment(1);
    }

    /// Where the socket is bound.
    pub(super) const fn local_addr(&self) -> SocketAddr {
        self.local
    }

    async fn read(self: Arc<Self>) {
        let mut buffer = vec![0; DATAGRAM_LEN];
        loop {
            match self.socket.recv_from(&mut buffer).await {
                Ok((len, from)) => self.hand_out(from, &buffer[..len]),
                Err(error) => {
                    tracing::debug!(%error, "cannot read from an SNMP socket");
                    tokio::time::sleep(AFTER_ERROR).await;
                }
            }
        }
    }

    fn hand_out(&self, from: SocketAddr, content: &[u8]) {
        let datagram = Datagram { content: Bytes::copy_from_slice(content), arrived: Stopwatch::start() };
        let listeners = self.listeners();
        let of_agent = listeners.by_agent.get(&key(from)).map_or(&[][..], Vec::as_slice);
        let takers = of_agent.iter().filter(|listener| listener.inbox.try_send(datagram.clone()).is_ok()).count();
        if takers == 0 {
            self.ignore();
        }
    }

    fn listeners(&self) -> MutexGuard<'_, Listeners> {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Address and port, without the scope and the flow label that a received IPv6 address may carry.
const fn key(agent: SocketAddr) -> (IpAddr, u16) {
    (agent.ip(), agent.port())
}

/// Receives what comes from one agent for as long as it lives.
pub(super) struct Inbox {
    line: Arc<Line>,
    agent: SocketAddr,
    id: u64,
    datagrams: Receiver<Datagram>,
}

impl Inbox {
    /// The next datagram.
    pub(super) async fn next(&mut self) -> Datagram {
        match self.datagrams.recv().await {
            Some(datagram) => datagram,
            // the sender lives in the line until this inbox is dropped
            None => core::future::pending().await,
        }
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        let mut listeners = self.line.listeners();
        if let Some(of_agent) = listeners.by_agent.get_mut(&key(self.agent)) {
            of_agent.retain(|listener| listener.id != self.id);
            if of_agent.is_empty() {
                listeners.by_agent.remove(&key(self.agent));
            }
        }
    }
}
