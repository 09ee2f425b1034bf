//! UDP sockets that many agents are asked through.
//!
//! The library's own `UdpTransport` is not used: it ticks once a second even when idle, and scans all that is pending on its socket
//! after every SNMPv3 exchange. Here answers are told apart by where they come from and by the request that they name, so that none
//! but an agent's own is ever looked at, and others, be they a flood, keep nobody's answer out of its inbox.

use crate::clock::Stopwatch;
use crate::domain::watch::Method;
use crate::engine::buffers::{self, Overflows, READS_AT_ONCE};
use async_snmp::RequestRegistration;
use async_snmp::transport::ResponseIdentity;
use bytes::Bytes;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use metrics::Counter;
use socket2::{Domain, Protocol, Socket, Type};
use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::UdpSocket;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::task::yield_now;

/// Longest UDP payload.
const DATAGRAM_LEN: usize = 65_535;

/// Datagrams that name a request and wait to be looked at; a box that sends more is not answering us.
const MAX_UNREAD: usize = 16;

/// Pause after the socket failed to receive, lest an error that stays keeps a processor busy.
const AFTER_ERROR: Duration = Duration::from_millis(20);

/// A shared UDP socket.
pub(super) struct Line {
    socket: UdpSocket,
    local: SocketAddr,
    listeners: Mutex<Listeners>,
    ignored: Counter,
    overflows: Overflows,
    /// What is being read.
    buffer: Mutex<Vec<u8>>,
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
    request: RequestRegistration,
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
            ignored: metrics::counter!("ntuwatch_ignored_datagrams_total", "method" => Method::Snmp.name(), "why" => "foreign"),
            overflows: Overflows::new(Method::Snmp),
            buffer: Mutex::new(vec![0; DATAGRAM_LEN]),
        });
        tokio::spawn(Arc::clone(&line).read());
        Ok(line)
    }

    /// Sends `data` to `agent`.
    pub(super) async fn send(&self, data: &[u8], agent: SocketAddr) -> io::Result<()> {
        self.socket.send_to(data, agent).await.map(|_| ())
    }

    /// Receives what comes from `agent` from now on and may answer `request`.
    pub(super) fn listen(self: &Arc<Self>, agent: SocketAddr, request: RequestRegistration) -> Inbox {
        let (inbox, datagrams) = mpsc::channel(MAX_UNREAD);
        let mut listeners = self.listeners();
        let id = listeners.next_id;
        listeners.next_id += 1;
        listeners.by_agent.entry(key(agent)).or_default().push(Listener { id, request, inbox });
        Inbox { line: Arc::clone(self), agent, id, datagrams }
    }

    /// Counts a datagram that was no answer.
    pub(super) fn ignore(&self) {
        self.ignored.increment(1);
    }

    /// Hands out what has come, as far as nobody has yet.
    pub(super) fn catch_up(&self) -> io::Result<()> {
        let mut buffer = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..READS_AT_ONCE {
            match self.socket.try_recv_from(&mut buffer) {
                Ok((len, from)) => self.hand_out(from, &buffer[..len]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Datagrams that the kernel has dropped so far, for the receive queue was full; wraps.
    pub(super) fn dropped(&self) -> u32 {
        self.overflows.so_far(&self.socket)
    }

    /// Leaves the least room that the kernel allows for what comes.
    #[cfg(test)]
    pub(super) fn narrow(&self) {
        buffers::narrow(&self.socket);
    }

    /// Where the socket is bound.
    pub(super) const fn local_addr(&self) -> SocketAddr {
        self.local
    }

    async fn read(self: Arc<Self>) {
        loop {
            if let Err(error) = self.socket.readable().await.and_then(|()| self.catch_up()) {
                tracing::debug!(%error, "cannot read from an SNMP socket");
                tokio::time::sleep(AFTER_ERROR).await;
            }
            // lets others look at what they were sent
            yield_now().await;
        }
    }

    fn hand_out(&self, from: SocketAddr, content: &[u8]) {
        let datagram = Datagram { content: Bytes::copy_from_slice(content), arrived: Stopwatch::start() };
        let listeners = self.listeners();
        let of_agent = listeners.by_agent.get(&key(from)).map_or(&[][..], Vec::as_slice);
        let takers = of_agent.iter().filter(|listener| listener.takes(&datagram)).count();
        if takers == 0 {
            self.ignore();
        }
    }

    fn listeners(&self) -> MutexGuard<'_, Listeners> {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listener {
    fn takes(&self, datagram: &Datagram) -> bool {
        self.request.evaluate_response_identity(&datagram.content, true) != ResponseIdentity::Reject
            && self.inbox.try_send(datagram.clone()).is_ok()
    }
}

/// Address and port, without the scope and the flow label that a received IPv6 address may carry.
const fn key(agent: SocketAddr) -> (IpAddr, u16) {
    (agent.ip(), agent.port())
}

/// Receives what may answer one request for as long as it lives.
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

#[cfg(test)]
mod tests {
    use super::*;
    use async_snmp::CommunityVersion;
    use async_snmp::transport::CommunityResponsePolicy;
    use core::net::Ipv4Addr;

    const HOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    /// An SNMPv2c response to request `id` without any object.
    fn response(id: u8) -> Vec<u8> {
        let head = b"\x30\x18\x02\x01\x01\x04\x06public\xa2\x0b\x02\x01";
        [&head[..], &[id], b"\x02\x01\x00\x02\x01\x00\x30\x00"].concat()
    }

    fn request(id: i32) -> RequestRegistration {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(3_600);
        let policy = CommunityResponsePolicy::Exact;
        RequestRegistration::community(id, deadline, CommunityVersion::V2c, Bytes::from_static(b"public"), policy)
    }

    #[tokio::test]
    async fn everyone_gets_his_own_answer_whatever_else_comes() {
        let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
        let line = metrics::with_local_recorder(&recorder, || Line::open(HOST)).unwrap();
        let [agent, stranger] = [(); 2].map(|()| std::net::UdpSocket::bind((HOST, 0)).unwrap());
        let address = agent.local_addr().unwrap();
        line.send(b"a question", address).await.unwrap();
        let (_, ours) = agent.recv_from(&mut [0; 64]).unwrap();

        // many units may be asked of one agent
        let mut inboxes = [7, 8, 9].map(|id| line.listen(address, request(id)));
        stranger.send_to(&response(7), ours).unwrap();
        let flood = 4 * MAX_UNREAD;
        for _ in 0..flood {
            agent.send_to(&response(1), ours).unwrap();
        }
        for id in [9, 7, 8] {
            agent.send_to(&response(id), ours).unwrap();
        }
        for (inbox, id) in inboxes.iter_mut().zip([7, 8, 9]) {
            assert_eq!(inbox.next().await.content, response(id));
        }
        drop(inboxes);
        assert!(line.listeners().by_agent.is_empty());
        let (page, ignored) = (recorder.handle().render(), flood + 1);
        assert!(
            page.contains(&format!("ntuwatch_ignored_datagrams_total{{method=\"snmp\",why=\"foreign\"}} {ignored}\n")),
            "{page}"
        );
    }
}
