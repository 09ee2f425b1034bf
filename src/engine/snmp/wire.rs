//! The transport that one agent's client speaks through: an exchange on a shared [`Line`].

use super::line::Line;
use super::refusal::{self, Refusal};
use crate::clock::Stopwatch;
use async_snmp::transport::{Candidate, ResponseIdentity};
use async_snmp::{Error, RequestRegistration, Transport};
use bytes::Bytes;
use core::net::SocketAddr;
use core::time::Duration;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What the transport saw of an exchange.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Trace {
    /// From sending the last request to the arrival of what answered it.
    pub(super) rtt: Duration,
    /// Why the agent refused, if it did so in a report that the client had to distrust.
    pub(super) refusal: Option<Refusal>,
}

/// A client's transport to one agent.
#[derive(Clone)]
pub(super) struct Wire {
    line: Arc<Line>,
    agent: SocketAddr,
    trace: Arc<Mutex<Trace>>,
}

impl Wire {
    /// To `agent` through `line`.
    pub(super) fn new(line: Arc<Line>, agent: SocketAddr) -> Self {
        Self { line, agent, trace: Arc::default() }
    }

    /// What was seen since this was last asked.
    pub(super) fn take_trace(&self) -> Trace {
        core::mem::take(&mut *self.trace())
    }

    fn trace(&self) -> MutexGuard<'_, Trace> {
        self.trace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transport for Wire {
    async fn send(&self, data: &[u8]) -> async_snmp::Result<()> {
        self.line.send(data, self.agent).await.map_err(|source| Box::new(Error::Network { target: self.agent, source }))
    }

    async fn request_with<T, F>(
        &self,
        data: &[u8],
        registration: RequestRegistration,
        mut validate: F,
    ) -> async_snmp::Result<T>
    where
        T: Send,
        F: FnMut(Bytes, SocketAddr) -> async_snmp::Result<Candidate<T>> + Send,
    {
        let mut inbox = self.line.listen(self.agent);
        let sent = Stopwatch::start();
        self.send(data).await?;
        loop {
            let Ok(datagram) = tokio::time::timeout_at(registration.deadline(), inbox.next()).await else {
                return Err(Box::new(Error::Timeout { target: self.agent, elapsed: sent.elapsed(), retries: 0 }));
            };
            let content = datagram.content;
            if registration.evaluate_response_identity(&content, true) == ResponseIdentity::Reject {
                self.line.ignore();
                continue;
            }
            let rtt = sent.elapsed().saturating_sub(datagram.arrived.elapsed());
            match validate(content.clone(), self.agent)? {
                Candidate::Accept(answer) => {
                    self.trace().rtt = rtt;
                    return Ok(answer);
                }
                Candidate::Reject => match refusal::in_datagram(content, registration.decode_config()) {
                    Some(refusal) => {
                        *self.trace() = Trace { rtt, refusal: Some(refusal) };
                        return Err(Box::new(Error::Auth { target: self.agent }));
                    }
                    None => self.line.ignore(),
                },
            }
        }
    }

    fn peer_addr(&self) -> SocketAddr {
        self.agent
    }

    fn local_addr(&self) -> SocketAddr {
        self.line.local_addr()
    }

    fn is_reliable(&self) -> bool {
        false
    }
}
