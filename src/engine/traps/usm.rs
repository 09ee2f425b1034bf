//! SNMPv3 with the user-based security model (RFC 3414, 3.2). Of a trap the sender's engine is authoritative, of an
//! inform ours.

use super::ear::{Heard, Unheard};
use super::notification::{self, Notification};
use super::ourselves::{Ourselves, Report, Seal};
use super::senders::Known;
use crate::engine::keys;
use async_snmp::ber::Decoder;
use async_snmp::message::{RawMsgData, RawV3Message, ScopedPdu};
use async_snmp::pdu::ResponsePdu;
use async_snmp::v3::auth::verify_message;
use async_snmp::v3::{LocalizedKey, PrivKey, UsmSecurityParams, validate_engine_id};
use async_snmp::{DecodeConfig, Version};
use bytes::Bytes;
use core::time::Duration;

/// Hears what an SNMPv3 message says at `now`, a time since the engine's start.
pub(super) async fn hear(
    datagram: Bytes,
    config: DecodeConfig,
    known: &mut Known,
    ourselves: &mut Ourselves,
    now: Duration,
) -> Result<Heard, Unheard> {
    let envelope = Envelope::open(datagram, config).ok_or(Unheard::Malformed)?;
    let engine_id = envelope.parameters.engine_id();
    if engine_id.is_empty() {
        let report = envelope.report(ourselves, Report::UnknownEngineId, Seal::Open, now);
        return report.map(Heard::Discovery).ok_or(Unheard::Malformed);
    }
    validate_engine_id(engine_id).map_err(|_| Unheard::Malformed)?;
    let proof = envelope.prove(known).await.ok_or(Unheard::Refused { report: None })?;
    let ours = ourselves.is(engine_id);
    if let Some(key) = &proof.key {
        let (boots, time) = (envelope.parameters.engine_boots(), envelope.parameters.engine_time());
        if ours && !ourselves.is_timely(boots, time, now) {
            let report = envelope.report(ourselves, Report::NotInTimeWindow, Seal::Signed(key), now);
            return Err(Unheard::Refused { report });
        }
        if !ours && !known.clocks.is_timely(engine_id, boots, time, now) {
            return Err(Unheard::Refused { report: None });
        }
    }
    let scoped = envelope.content(&proof, config)?;
    let what = Notification::of_v2(&scoped.pdu)?;
    match (notification::is_inform(&scoped.pdu), ours) {
        (false, false) => Ok(Heard::Notification { what, answer: None }),
        (true, true) => {
            let answer = envelope.acknowledgement(ourselves, &proof, scoped, now);
            Ok(Heard::Notification { what, answer })
        }
        // somebody who took us for another, or us for himself
        (true, false) => {
            let report = envelope.report(ourselves, Report::UnknownEngineId, Seal::Open, now);
            Err(Unheard::Refused { report })
        }
        (false, true) => Err(Unheard::Refused { report: None }),
    }
}

/// A message of which only the outside has been read.
struct Envelope {
    /// The whole of it, as it is signed.
    datagram: Bytes,
    message: RawV3Message,
    parameters: UsmSecurityParams,
}

/// What has been shown to be the sender's: the keys that the message is protected with.
#[derive(Default)]
struct Proof {
    key: Option<LocalizedKey>,
    privacy: Option<PrivKey>,
}

impl Envelope {
    fn open(datagram: Bytes, config: DecodeConfig) -> Option<Self> {
        let message = RawV3Message::decode(datagram.clone(), config).ok()?.value;
        let parameters = UsmSecurityParams::decode(message.security_params().clone(), config).ok()?.value;
        Some(Self { datagram, message, parameters })
    }

    /// Whether it is of a user of `known`. Who has a key has to sign; to encrypt as well is his own affair.
    async fn prove(&self, known: &Known) -> Option<Proof> {
        let level = self.message.security_level();
        for user in known.users(self.parameters.username()) {
            let Some(auth) = user.auth else {
                if level.requires_auth() {
                    continue;
                }
                return Some(Proof::default());
            };
            if !level.requires_auth() || (level.requires_priv() && user.privacy.is_none()) {
                continue;
            }
            match keys::derive(user.keys, auth, user.privacy).await {
                Ok(masters) => {
                    let (key, privacy) = masters.localize(self.parameters.engine_id()).ok()?;
                    if self.is_signed_with(&key) {
                        return Some(Proof { key: Some(key), privacy: privacy.filter(|_| level.requires_priv()) });
                    }
                }
                Err(why) => tracing::debug!(%why, "the keys of a sender of traps can't be derived"),
            }
        }
        None
    }

    fn is_signed_with(&self, key: &LocalizedKey) -> bool {
        UsmSecurityParams::find_auth_params_offset(&self.datagram)
            .is_some_and(|(at, len)| verify_message(key, &self.datagram, at, len).unwrap_or(false))
    }

    /// What is inside. What a wrong key decrypts can't be read, so of the encrypted this counts as refused.
    fn content(&self, proof: &Proof, config: DecodeConfig) -> Result<ScopedPdu, Unheard> {
        let (content, unreadable) = match (self.message.msg_data(), &proof.privacy) {
            (RawMsgData::Plaintext { data, .. }, None) => (Some(data.clone()), Unheard::Malformed),
            (RawMsgData::Encrypted(closed), Some(privacy)) => {
                let (boots, time) = (self.parameters.engine_boots(), self.parameters.engine_time());
                let content = privacy.decrypt(closed, boots, time, self.parameters.priv_params()).ok();
                (content, Unheard::Refused { report: None })
            }
            (RawMsgData::Plaintext { .. }, Some(_)) | (RawMsgData::Encrypted(_), None) => (None, Unheard::Malformed),
        };
        content
            .and_then(|content| ScopedPdu::decode(&mut Decoder::new(content).with_decode_config(config)).ok())
            .ok_or(unreadable)
    }

    /// What the sender has to hear of us before it can send an inform, if it wants to hear it.
    fn report(&self, ourselves: &mut Ourselves, what: Report, seal: Seal<'_>, now: Duration) -> Option<Bytes> {
        let header = self.message.global_data();
        if !header.msg_flags().reportable {
            return None;
        }
        ourselves.report(what, header.msg_id(), self.parameters.username(), seal, now)
    }

    fn acknowledgement(&self, ourselves: &Ourselves, proof: &Proof, inform: ScopedPdu, now: Duration) -> Option<Bytes> {
        let ScopedPdu { context_engine_id, context_name, pdu } = inform;
        let response = ResponsePdu::success(Version::V3, pdu.request_id(), pdu.into_varbinds()).ok()?;
        let scoped = ScopedPdu::new(context_engine_id, context_name, response.into_raw());
        ourselves.message(self.message.msg_id(), self.parameters.username(), proof.seal(), scoped, now)
    }
}

impl Proof {
    const fn seal(&self) -> Seal<'_> {
        match (&self.key, &self.privacy) {
            (Some(key), Some(privacy)) => Seal::Closed(key, privacy),
            (Some(key), None) => Seal::Signed(key),
            (None, Some(_) | None) => Seal::Open,
        }
    }
}
