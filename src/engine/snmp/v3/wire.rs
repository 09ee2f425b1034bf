//! The transport that one agent's client speaks through: an exchange on a shared [`Line`].

use super::line::Line;
use super::refusal::{self, Refusal};
use crate::clock::Stopwatch;
use async_snmp::transport::Candidate;
use async_snmp::{Error, RequestRegistration, Transport};
use bytes::Bytes;
use core::net::SocketAddr;
use core::time::Duration;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What the transport saw of an exchange.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Trace {
    /// From sending the last request that was answered to the arrival of the answer.
    pub(super) rtt: Duration,
    /// Responses that the client took. More than one, if the agent said tooBig and was asked in parts.
    pub(super) responses: u32,
    /// What a report said that the client took, and asked again after.
    pub(super) report: Option<Refusal>,
    /// Why the agent refused, if it did so in a report that the client had to distrust.
    pub(super) refusal: Option<Refusal>,
}

impl Trace {
    const fn took(&mut self, rtt: Duration, report: Option<Refusal>) {
        self.rtt = rtt;
        match report {
            Some(_) => self.report = report,
            None => self.responses += 1,
        }
    }
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

    /// Sees to it that what came from the agent by now is looked at.
    pub(super) fn catch_up(&self) {
        if let Err(error) = self.line.catch_up() {
            tracing::debug!(%error, "cannot read from an SNMP socket");
        }
    }

    /// Datagrams that the kernel has dropped so far, for our receive queue was full; wraps.
    pub(super) fn dropped(&self) -> u32 {
        self.line.dropped()
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
        let mut inbox = self.line.listen(self.agent, registration.clone());
        let sent = Stopwatch::start();
        self.send(data).await?;
        loop {
            let Ok(datagram) = tokio::time::timeout_at(registration.deadline(), inbox.next()).await else {
                return Err(Box::new(Error::Timeout { target: self.agent, elapsed: sent.elapsed(), retries: 0 }));
            };
            let content = datagram.content;
            let rtt = sent.elapsed().saturating_sub(datagram.arrived.elapsed());
            match validate(content.clone(), self.agent)? {
                Candidate::Accept(answer) => {
                    let report = refusal::in_datagram(content, registration.decode_config());
                    self.trace().took(rtt, report);
                    return Ok(answer);
                }
                Candidate::Reject => match refusal::in_datagram(content, registration.decode_config()) {
                    Some(refusal) => {
                        let mut trace = self.trace();
                        (trace.rtt, trace.refusal) = (rtt, Some(refusal));
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
