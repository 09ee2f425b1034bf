//! SNMPv1 and SNMPv2c: the community name is all that they authenticate with.

use super::ear::{Heard, Unheard};
use super::notification::{self, Notification};
use super::senders::Known;
use async_snmp::message::{CommunityMessage, CommunityPdu};
use async_snmp::pdu::{Pdu, ResponsePdu};
use async_snmp::{Community, DecodeConfig, Version};
use bytes::Bytes;

/// Hears what an SNMPv1 or SNMPv2c message says.
pub(super) fn hear(datagram: Bytes, config: DecodeConfig, known: &Known) -> Result<Heard, Unheard> {
    let message = CommunityMessage::decode(datagram, config).map_err(|_| Unheard::Malformed)?.value;
    let community = message.community();
    if !known.communities().any(|own| community.matches(own.expose())) {
        return Err(Unheard::Refused { report: None });
    }
    match message.pdu() {
        CommunityPdu::TrapV1(trap) => Ok(Heard::Notification { what: Notification::of_v1(trap)?, answer: None }),
        CommunityPdu::Standard(pdu) => {
            let what = Notification::of_v2(pdu)?;
            let answer = if notification::is_inform(pdu) { acknowledgement(community, pdu) } else { None };
            Ok(Heard::Notification { what, answer })
        }
    }
}

fn acknowledgement(community: &Community, inform: &Pdu) -> Option<Bytes> {
    let response = ResponsePdu::success(Version::V2c, inform.request_id(), inform.varbinds().to_vec()).ok()?;
    CommunityMessage::v2c(community, response.into_raw()).and_then(|message| message.encode()).ok()
}
