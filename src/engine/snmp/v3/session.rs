//! One agent as the engine knows it: its client, its engine's identity and what it can tell.

use super::line::Line;

use super::refusal::{self, Refusal};
use super::wire::{Trace, Wire};
use crate::domain::watch::{Outcome, SnmpAccess, SnmpSample, SnmpVersion};
use crate::engine::buffers;
use crate::engine::keys::{self, SharedKeys};
use crate::engine::snmp::question::{self, Asked, Number, Object, Question};
use crate::engine::snmp::status;
use async_snmp::client::{FixedCardinalityResponse, UsmConfig};
use async_snmp::error::ErrorKind;
use async_snmp::{Auth, Client, ClientBuilder, Error, ErrorStatus, Oid, Retry, Value};
use core::net::SocketAddr;
use core::pin::pin;
use core::time::Duration;
use std::sync::Arc;

/// Unanswered SNMPv3 probes after which the agent's engine is looked up anew: it may have been replaced by one that stays silent
/// when it is asked by the old name.
const SILENCE_BEFORE_REDISCOVERY: u8 = 3;

/// The library's own limit for an exchange. Ours, the probe's timeout, cuts in before.
const NO_LIMIT: Duration = Duration::from_secs(3_600);

/// A conversation with one agent.
pub(super) struct Session {
    client: Client<Wire>,
    wire: Wire,
    question: Question,
    /// What is asked now.
    asked: Asked,
    /// SNMPv3 probes in a row that were not answered.
    silence: u8,
    /// Whether the agent's engine is to be looked up before it is asked.
    rediscover: bool,
}

impl Session {
    /// Prepares a conversation; nothing is sent yet.
    pub(super) async fn open(
        line: Arc<Line>,
        agent: SocketAddr,
        access: &SnmpAccess,
        keys: &SharedKeys,
    ) -> Result<Self, String> {
        let auth = auth(&access.version, keys).await?;
        let wire = Wire::new(line, agent);
        let client = ClientBuilder::new(auth)
            .retry(Retry::none())
            .request_timeout(NO_LIMIT)
            .build_with_transport(wire.clone())
            .map_err(|error| error.to_string())?;
        let mut question = Question::new(access);
        Ok(Self { client, wire, asked: question.ask(), question, silence: 0, rediscover: true })
    }

    /// Asks once.
    pub(super) async fn ask(&mut self, timeout: Duration) -> Outcome {
        let dropped = self.wire.dropped();
        let outcome = self.in_time(timeout).await;
        match outcome {
            Outcome::Lost { .. } if self.wire.dropped() != dropped => return buffers::overflowed(),
            Outcome::Lost { .. } => {
                self.silence = self.silence.saturating_add(1);
                self.rediscover |= self.silence >= SILENCE_BEFORE_REDISCOVERY;
            }
            Outcome::Answered { .. } | Outcome::Rejected { .. } => self.silence = 0,
            Outcome::NotSent { .. } => {}
        }
        outcome
    }

    async fn in_time(&mut self, timeout: Duration) -> Outcome {
        let wire = self.wire.clone();
        {
            let mut exchange = pin!(self.exchange());
            if let Ok(outcome) = tokio::time::timeout(timeout, &mut exchange).await {
                return outcome;
            }
            // what lies in the socket has come in time
            wire.catch_up();
            if let Ok(outcome) = tokio::time::timeout(Duration::ZERO, exchange).await {
                return outcome;
            }
        }
        let trace = self.wire.take_trace();
        self.in_part(trace).unwrap_or(Outcome::LOST)
    }

    async fn exchange(&mut self) -> Outcome {
        if self.rediscover {
            match self.client.rediscover_engine().await {
                Ok(()) => self.rediscover = false,
                Err(error) => return self.failed(&error),
            }
            // nobody signs for an engine's name, so it proves nothing yet
            self.wire.take_trace();
        }
        self.asked = self.question.ask();
        let objects: Vec<Oid> = self.asked.objects().iter().map(oid).collect();
        match self.client.get_many(&objects).await {
            Ok(answer) => self.answered(&answer),
            Err(error) => self.failed(&error),
        }
    }

    fn answered(&mut self, answer: &FixedCardinalityResponse) -> Outcome {
        let Trace { rtt, responses, .. } = self.wire.take_trace();
        let mut told = SnmpSample::default();
        for object in self.asked.objects() {
            let name = oid(&object);
            let bound = answer.varbinds.iter().find(|bound| bound.oid == name);
            if let Some(number) = bound.and_then(|bound| number(&bound.value)) {
                object.field.enter(number, &mut told);
            }
        }
        self.question.learn(self.asked, &told);
        if responses > 1 {
            self.question.refused(self.asked);
        }
        Outcome::Answered { rtt, sample: question::something(told).map(Box::new) }
    }

    fn failed(&mut self, error: &Error) -> Outcome {
        let trace = self.wire.take_trace();
        let rtt = trace.rtt;
        let error = root(error);
        if let Some(refusal) = trace.refusal {
            self.refused(refusal, rtt)
        } else if let Error::Report { status, .. } = error {
            self.refused(refusal::of_report(status), rtt)
        } else if let Error::Snmp { status, .. } = error {
            let smaller = self.question.refused(self.asked);
            // with these an agent refuses all for the sake of one object or of its length
            if *status == ErrorStatus::NoSuchName || (*status == ErrorStatus::TooBig && smaller) {
                Outcome::Answered { rtt, sample: None }
            } else {
                Outcome::Rejected { rtt, why: status::name(status.as_i32()) }
            }
        } else if let Some(outcome) = self.in_part(trace) {
            outcome
        } else if let Error::Network { source, .. } = error {
            Outcome::NotSent { why: source.to_string() }
        } else if is_about_the_answer(error.kind()) {
            Outcome::LOST
        } else {
            Outcome::NotSent { why: error.to_string() }
        }
    }

    /// An exchange that came to no end: the agent is alive if it answered some of it.
    fn in_part(&mut self, trace: Trace) -> Option<Outcome> {
        let Trace { rtt, responses, report, .. } = trace;
        if responses > 0 {
            self.question.refused(self.asked);
            return Some(Outcome::Answered { rtt, sample: None });
        }
        report.map(|report| Outcome::Rejected { rtt, why: report.why })
    }

    fn refused(&mut self, refusal: Refusal, rtt: Duration) -> Outcome {
        self.rediscover |= refusal.engine_changed;
        Outcome::Rejected { rtt, why: refusal.why }
    }
}

fn oid(object: &Object) -> Oid {
    Oid::from_slice(&[object.column, &[object.instance]].concat())
}

/// The number in a value, if it is one that is not negative.
fn number(value: &Value) -> Option<Number> {
    value.as_u32().map(Number::Narrow).or_else(|| value.as_u64().map(Number::Wide))
}

/// What an error is about, without the library's wrappings.
fn root(error: &Error) -> &Error {
    if let Error::Exchange { source, .. } = error {
        root(source)
    } else if let Error::SharedOperation { source } = error {
        root(source)
    } else {
        error
    }
}

/// Whether an error speaks of what came, or did not come, from the agent, rather than of our own side.
const fn is_about_the_answer(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Timeout
            | ErrorKind::Auth
            | ErrorKind::Decode
            | ErrorKind::MalformedResponse
            | ErrorKind::ResponseShape
    )
}

async fn auth(version: &SnmpVersion, keys: &SharedKeys) -> Result<Auth, String> {
    match version {
        SnmpVersion::V1 { .. } | SnmpVersion::V2c { .. } => Err("no SNMPv3 user".to_owned()),
        SnmpVersion::V3 { user, auth: None, privacy: None } => Ok(Auth::usm(user)),
        SnmpVersion::V3 { auth: None, privacy: Some(_), .. } => Err("SNMPv3 privacy needs authentication".to_owned()),
        SnmpVersion::V3 { user, auth: Some(auth), privacy } => {
            let keys = keys::derive(keys, auth, privacy.as_ref()).await?;
            let config = UsmConfig::new(user.clone()).with_master_keys(keys).map_err(|error| error.to_string())?;
            Ok(Auth::from(config))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::{IpAddr, Ipv4Addr};
    use tokio::net::UdpSocket;

    /// Longer than a busy machine takes to answer itself.
    const WHILE: Duration = Duration::from_secs(1);

    #[tokio::test]
    async fn what_our_own_queue_had_no_room_for_is_no_loss() {
        let host = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let agent = UdpSocket::bind((host, 0)).await.unwrap();
        let address = agent.local_addr().unwrap();
        let line = Line::open(host).unwrap();
        line.narrow();
        let version = SnmpVersion::V3 { user: "user".to_owned(), auth: None, privacy: None };
        let access = SnmpAccess { version, port: address.port(), interface: None };
        let mut session = Session::open(Arc::clone(&line), address, &access, &SharedKeys::default()).await.unwrap();

        let flood = async {
            let (_, from) = agent.recv_from(&mut [0; 2_048]).await.unwrap();
            agent.writable().await.unwrap();
            // nobody else runs meanwhile, so nobody reads
            while line.dropped() == 0 {
                agent.try_send_to(b"no answer", from).unwrap();
            }
        };
        let (outcome, ()) = tokio::join!(session.ask(WHILE), flood);
        assert!(matches!(&outcome, Outcome::NotSent { why } if why == "our receive queue overflowed"), "{outcome:?}");

        let outcome = session.ask(Duration::from_millis(50)).await;
        assert!(matches!(outcome, Outcome::Lost { .. }), "that is over: {outcome:?}");
    }

    fn value(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
        let content = parts.concat();
        [&[tag, content.len() as u8], &content[..]].concat()
    }

    /// The report that an agent sends which does not know the user, usmStatsUnknownUserNames.
    fn unknown_user(request: &[u8]) -> Vec<u8> {
        // the version, then the header with the message's number first
        let message_id = &request[7..13];
        let pdu = request.iter().rposition(|octet| *octet == 0xa0).unwrap();
        let request_id = &request[pdu + 2..pdu + 4 + usize::from(request[pdu + 3])];
        let (none, engine) = (value(0x04, &[]), value(0x04, &[b"\x80\x00\x1f\x88\x04odd"]));
        let one = value(0x02, &[&[1]]);
        let header =
            value(0x30, &[message_id, &value(0x02, &[&[0x40, 0]]), &value(0x04, &[&[0]]), &value(0x02, &[&[3]])]);
        let security = value(0x30, &[&engine, &one, &one, &none, &none, &none]);
        let name = value(0x06, &[&[0x2b, 6, 1, 6, 3, 15, 1, 1, 3, 0]]);
        let bindings = value(0x30, &[&value(0x30, &[&name, &value(0x41, &[&[1]])])]);
        let zero = value(0x02, &[&[0]]);
        let scoped = value(0x30, &[&engine, &none, &value(0xa8, &[request_id, &zero, &zero, &bindings])]);
        value(0x30, &[&value(0x02, &[&[3]]), &header, &value(0x04, &[&security]), &scoped])
    }

    #[tokio::test]
    async fn an_answer_that_lies_in_the_socket_has_come_in_time() {
        let host = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let agent = UdpSocket::bind((host, 0)).await.unwrap();
        let address = agent.local_addr().unwrap();
        let line = Line::open(host).unwrap();
        let version = SnmpVersion::V3 { user: "user".to_owned(), auth: None, privacy: None };
        let access = SnmpAccess { version, port: address.port(), interface: None };
        let mut session = Session::open(line, address, &access, &SharedKeys::default()).await.unwrap();

        let stall = async {
            let mut request = [0; 2_048];
            let (len, from) = agent.recv_from(&mut request).await.unwrap();
            agent.writable().await.unwrap();
            agent.try_send_to(&unknown_user(&request[..len]), from).unwrap();
            // the machine stands still for longer than the answer may take
            std::thread::sleep(2 * WHILE);
        };
        let (outcome, ()) = tokio::join!(session.ask(WHILE), stall);
        assert!(matches!(outcome, Outcome::Rejected { why: "unknown user name", .. }), "{outcome:?}");
    }
}
