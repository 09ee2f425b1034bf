//! One agent as the engine knows it: its client, its engine's identity and what it can tell.

use super::line::Line;
use super::question::Question;
use super::refusal::{self, Refusal};
use super::wire::{Trace, Wire};
use crate::domain::watch::{Outcome, SnmpAccess, SnmpVersion};
use crate::engine::keys::{self, SharedKeys};
use async_snmp::client::{FixedCardinalityResponse, UsmConfig};
use async_snmp::error::ErrorKind;
use async_snmp::{Auth, Client, ClientBuilder, Error, ErrorStatus, Retry};
use core::net::SocketAddr;
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
    v3: bool,
    /// SNMPv3 probes in a row that were not answered.
    silence: u8,
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
        let v3 = match access.version {
            SnmpVersion::V1 { .. } | SnmpVersion::V2c { .. } => false,
            SnmpVersion::V3 { .. } => true,
        };
        Ok(Self { client, wire, question: Question::new(access), v3, silence: 0, rediscover: false })
    }

    /// Asks once.
    pub(super) async fn ask(&mut self, timeout: Duration) -> Outcome {
        let outcome = match tokio::time::timeout(timeout, self.exchange()).await {
            Ok(outcome) => outcome,
            Err(_) => Outcome::Lost,
        };
        match outcome {
            Outcome::Lost if self.v3 => {
                self.silence = self.silence.saturating_add(1);
                self.rediscover |= self.silence >= SILENCE_BEFORE_REDISCOVERY;
            }
            Outcome::Answered { .. } | Outcome::Rejected { .. } => self.silence = 0,
            Outcome::Lost | Outcome::NotSent { .. } => {}
        }
        outcome
    }

    async fn exchange(&mut self) -> Outcome {
        if self.rediscover {
            match self.client.rediscover_engine().await {
                Ok(()) => self.rediscover = false,
                Err(error) => return self.failed(&error),
            }
        }
        let objects = self.question.objects();
        match self.client.get_many(&objects).await {
            Ok(answer) => self.answered(&answer),
            Err(error) => self.failed(&error),
        }
    }

    fn answered(&mut self, answer: &FixedCardinalityResponse) -> Outcome {
        let sample = Some(Box::new(self.question.read(&answer.varbinds)));
        Outcome::Answered { rtt: self.wire.take_trace().rtt, sample }
    }

    fn failed(&mut self, error: &Error) -> Outcome {
        let Trace { rtt, refusal } = self.wire.take_trace();
        let error = root(error);
        if let Some(refusal) = refusal {
            self.refused(refusal, rtt)
        } else if let Error::Report { status, .. } = error {
            self.refused(refusal::of_report(status), rtt)
        } else if let Error::Snmp { status: ErrorStatus::NoSuchName, .. } = error {
            self.question.refused();
            Outcome::Answered { rtt, sample: None }
        } else if let Error::Snmp { status, .. } = error {
            Outcome::Rejected { rtt, why: refusal::of_status(status) }
        } else if let Error::Network { source, .. } = error {
            Outcome::NotSent { why: source.to_string() }
        } else if is_about_the_answer(error.kind()) {
            Outcome::Lost
        } else {
            Outcome::NotSent { why: error.to_string() }
        }
    }

    fn refused(&mut self, refusal: Refusal, rtt: Duration) -> Outcome {
        self.rediscover |= refusal.engine_changed;
        Outcome::Rejected { rtt, why: refusal.why }
    }
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
        SnmpVersion::V1 { community } => Ok(Auth::v1(community.expose())),
        SnmpVersion::V2c { community } => Ok(Auth::v2c(community.expose())),
        SnmpVersion::V3 { user, auth: None, privacy: None } => Ok(Auth::usm(user)),
        SnmpVersion::V3 { auth: None, privacy: Some(_), .. } => Err("SNMPv3 privacy needs authentication".to_owned()),
        SnmpVersion::V3 { user, auth: Some(auth), privacy } => {
            let keys = keys::derive(keys, auth, privacy.as_ref()).await?;
            let config = UsmConfig::new(user.clone()).with_master_keys(keys).map_err(|error| error.to_string())?;
            Ok(Auth::from(config))
        }
    }
}
