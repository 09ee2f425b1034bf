//! Our own SNMPv3 engine. For informs it is the authoritative one: it tells senders its name and its time, and its
//! answers prove that it knows their keys.

use crate::clock;
use async_snmp::message::{MsgFlags, MsgGlobalData, ScopedPdu, SecurityLevel, V3Message};
use async_snmp::pdu::ResponsePdu;
use async_snmp::v3::auth::authenticate_message;
use async_snmp::v3::{
    LocalizedKey, MAX_ENGINE_TIME, PrivKey, SaltCounter, UsmSecurityParams, generate_engine_id,
    in_authoritative_time_window, report_oids,
};
use async_snmp::{MessageSize, Value, VarBind};
use bytes::Bytes;
use core::time::Duration;
use std::{fs, io};

/// What tells one machine from another, for as long as it is not set up anew.
const MACHINE_ID: &str = "/etc/machine-id";

/// First octets of an engine ID made of octets that its administrator chose (RFC 3411): no enterprise, format 5.
const ENGINE_ID_PREFIX: [u8; 5] = [0x80, 0, 0, 0, 5];

/// 2020-01-01T00:00:00Z in seconds since the Unix epoch.
const YEAR_2020: i64 = 1_577_836_800;

/// Our engine.
pub(super) struct Ourselves {
    engine_id: Bytes,
    boots: u32,
    salts: SaltCounter,
    largest: MessageSize,
    /// usmStatsUnknownEngineIDs (RFC 3414).
    unknown_engine_ids: u32,
    /// usmStatsNotInTimeWindows (RFC 3414).
    not_in_time_windows: u32,
}

/// Why a message can't be taken, as far as its sender has to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Report {
    /// It is not for our engine, or asks what that is called.
    UnknownEngineId,
    /// It is not of our time.
    NotInTimeWindow,
}

/// How a message is protected.
#[derive(Clone, Copy)]
pub(super) enum Seal<'a> {
    /// noAuthNoPriv.
    Open,
    /// authNoPriv.
    Signed(&'a LocalizedKey),
    /// authPriv.
    Closed(&'a LocalizedKey, &'a PrivKey),
}

impl Ourselves {
    /// The engine that listens on `port` and takes messages up to `largest` octets.
    ///
    /// Its ID is the same after every start, because administrators enter it in routers. It counts no boots on a disk;
    /// they are the seconds since 2020, so each start has more of them than the one before, until 2088.
    pub(super) fn new(port: u16, largest: MessageSize) -> io::Result<Self> {
        let engine_id = match fs::read(MACHINE_ID) {
            Ok(machine) if !machine.is_empty() => engine_id(&machine, port),
            Ok(_) | Err(_) => generate_engine_id().map_err(io::Error::other)?,
        };
        let boots = (clock::unix_millis() / 1_000 - YEAR_2020).clamp(1, i64::from(MAX_ENGINE_TIME) - 1);
        Ok(Self {
            engine_id,
            boots: u32::try_from(boots).unwrap_or(1),
            salts: SaltCounter::new().map_err(io::Error::other)?,
            largest,
            unknown_engine_ids: 0,
            not_in_time_windows: 0,
        })
    }

    /// Whether `engine_id` is ours.
    pub(super) fn is(&self, engine_id: &[u8]) -> bool {
        self.engine_id == engine_id
    }

    /// Whether a message of that time was made for now, a time since our start (RFC 3414, 3.2 step 7a).
    pub(super) fn is_timely(&self, boots: u32, time: u32, now: Duration) -> bool {
        in_authoritative_time_window(self.boots, engine_time(now), boots, time)
    }

    /// Says to `user`, whose message `msg_id` can't be taken, why; and what our name and our time are.
    pub(super) fn report(
        &mut self,
        what: Report,
        msg_id: i32,
        user: &Bytes,
        seal: Seal<'_>,
        now: Duration,
    ) -> Option<Bytes> {
        let (object, count) = match what {
            Report::UnknownEngineId => (report_oids::unknown_engine_ids(), &mut self.unknown_engine_ids),
            Report::NotInTimeWindow => (report_oids::not_in_time_windows(), &mut self.not_in_time_windows),
        };
        *count = count.wrapping_add(1);
        let pdu = ResponsePdu::report(0, vec![VarBind::new(object, Value::Counter32(*count))]).ok()?;
        let scoped = ScopedPdu::new(self.engine_id.clone(), Bytes::new(), pdu.into_raw());
        self.message(msg_id, user, seal, scoped, now)
    }

    /// An answer to the message `msg_id` of `user`.
    pub(super) fn message(
        &self,
        msg_id: i32,
        user: &Bytes,
        seal: Seal<'_>,
        scoped: ScopedPdu,
        now: Duration,
    ) -> Option<Bytes> {
        let (boots, time) = (self.boots, engine_time(now));
        let parameters = UsmSecurityParams::new(self.engine_id.clone(), boots, time, user.clone()).ok()?;
        let header = |level| MsgGlobalData::new(msg_id, self.largest, MsgFlags::new(level, false)).ok();
        match seal {
            Seal::Open => {
                let header = header(SecurityLevel::NoAuthNoPriv)?;
                V3Message::new(header, parameters.encode().ok()?, scoped).ok()?.encode().ok()
            }
            Seal::Signed(key) => {
                let header = header(SecurityLevel::AuthNoPriv)?;
                let parameters = parameters.with_auth_placeholder(key.mac_len()).ok()?;
                sign(key, &V3Message::new(header, parameters.encode().ok()?, scoped).ok()?)
            }
            Seal::Closed(key, privacy) => {
                let header = header(SecurityLevel::AuthPriv)?;
                let plain = scoped.encode_to_bytes().ok()?;
                let (closed, salt) = privacy.encrypt_aes(&plain, boots, time, &self.salts).ok()?;
                let parameters = parameters.with_auth_placeholder(key.mac_len()).ok()?.with_priv_params(salt).ok()?;
                let parameters = parameters.encode().ok()?;
                sign(key, &V3Message::new_with_opaque_encrypted_scoped_pdu(header, parameters, closed).ok()?)
            }
        }
    }
}

fn sign(key: &LocalizedKey, message: &V3Message) -> Option<Bytes> {
    let mut octets = message.encode().ok()?.to_vec();
    let (at, len) = UsmSecurityParams::find_auth_params_offset(&octets)?;
    authenticate_message(key, &mut octets, at, len).ok()?;
    Some(octets.into())
}

/// Seconds since our start.
fn engine_time(now: Duration) -> u32 {
    u32::try_from(now.as_secs()).unwrap_or(MAX_ENGINE_TIME).min(MAX_ENGINE_TIME)
}

/// An ID from which nobody can tell the machine's: a hash (FNV-1a, 64 bits) of that and of the port.
fn engine_id(machine: &[u8], port: u16) -> Bytes {
    let hash = machine
        .iter()
        .chain(&port.to_be_bytes())
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, &octet| (hash ^ u64::from(octet)).wrapping_mul(0x0000_0100_0000_01b3));
    [&ENGINE_ID_PREFIX[..], &hash.to_be_bytes()].concat().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_snmp::v3::validate_engine_id;

    #[test]
    fn our_name_stays_and_is_ours_alone() {
        let id = engine_id(b"3d1219c7\n", 162);
        assert_eq!(id, engine_id(b"3d1219c7\n", 162));
        assert_ne!(id, engine_id(b"3d1219c8\n", 162));
        assert_ne!(id, engine_id(b"3d1219c7\n", 163));
        assert!(validate_engine_id(&id).is_ok());
    }

    #[test]
    fn our_time_goes_on_from_the_start_and_does_not_run_over() {
        let ourselves = Ourselves::new(162, MessageSize::new(1_500).expect("a size")).expect("an engine");
        let (boots, now) = (ourselves.boots, Duration::from_secs(1_000));
        assert!(ourselves.is_timely(boots, 1_000, now));
        assert!(!ourselves.is_timely(boots - 1, 1_000, now), "before our start");
        assert!(!ourselves.is_timely(boots, 0, now), "long ago");
        assert_eq!(engine_time(Duration::MAX), MAX_ENGINE_TIME);
    }
}
