//! What a trap or an inform says.

use super::ear::Unheard;
use crate::domain::watch::TrapKind;
use async_snmp::pdu::{Pdu, PduType, TrapV1Pdu};
use async_snmp::{Oid, VarBind};

/// snmpTrapOID.0 (RFC 3418), whose value says which trap it is.
const SNMP_TRAP_OID: [u32; 11] = [1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0];

/// snmpTraps (RFC 3418), above the generic ones.
const SNMP_TRAPS: [u32; 9] = [1, 3, 6, 1, 6, 3, 1, 1, 5];

/// ifIndex (RFC 2863), above its instances.
const IF_INDEX: [u32; 10] = [1, 3, 6, 1, 2, 1, 2, 2, 1, 1];

/// What is said, and about which interface, if about one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Notification {
    pub(super) says: TrapKind,
    pub(super) interface: Option<u32>,
}

impl Notification {
    /// Reads an SNMPv1 trap, as RFC 3584, 3.1 translates it.
    pub(super) fn of_v1(trap: &TrapV1Pdu) -> Result<Self, Unheard> {
        let oid = trap.v2_trap_oid().map_err(|_| Unheard::Malformed)?;
        Ok(Self { says: kind(&oid), interface: interface(trap.varbinds()) })
    }

    /// Reads an SNMPv2 trap or an inform.
    pub(super) fn of_v2(pdu: &Pdu) -> Result<Self, Unheard> {
        if pdu.pdu_type() != PduType::TrapV2 && !is_inform(pdu) {
            return Err(Unheard::Malformed);
        }
        let which = pdu.varbinds().iter().find(|bound| bound.oid.arcs() == SNMP_TRAP_OID);
        let oid = which.and_then(|bound| bound.value.as_oid()).ok_or(Unheard::Malformed)?;
        Ok(Self { says: kind(oid), interface: interface(pdu.varbinds()) })
    }
}

/// Whether its sender waits for an acknowledgement.
pub(super) fn is_inform(pdu: &Pdu) -> bool {
    pdu.pdu_type() == PduType::InformRequest
}

fn kind(oid: &Oid) -> TrapKind {
    match oid.arcs().strip_prefix(&SNMP_TRAPS) {
        Some([1]) => TrapKind::ColdStart,
        Some([2]) => TrapKind::WarmStart,
        Some([3]) => TrapKind::LinkDown,
        Some([4]) => TrapKind::LinkUp,
        Some([5]) => TrapKind::AuthenticationFailure,
        Some(_) | None => TrapKind::Other(oid.to_string()),
    }
}

fn interface(varbinds: &[VarBind]) -> Option<u32> {
    let of_interface = varbinds.iter().find(|bound| bound.oid.arcs().starts_with(&IF_INDEX))?;
    of_interface.value.as_u32().filter(|&index| index > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_snmp::pdu::{GenericTrap, PduBody, StandardPduType};
    use async_snmp::{Value, oid};

    fn v1(generic: i32, specific: i32) -> Result<TrapKind, Unheard> {
        let enterprise = oid!(1, 3, 6, 1, 4, 1, 9999);
        let generic = GenericTrap::from_i32(generic);
        let trap = TrapV1Pdu::from_raw_parts(enterprise, [192, 0, 2, 1], generic, specific, 0, Vec::new());
        Notification::of_v1(&trap).map(|notification| notification.says)
    }

    fn v2(pdu_type: StandardPduType, varbinds: Vec<VarBind>) -> Result<Notification, Unheard> {
        let body = PduBody::Standard { pdu_type, error_status: 0, error_index: 0 };
        Notification::of_v2(&Pdu::from_raw_parts(1, body, varbinds))
    }

    fn named(arc: u32) -> VarBind {
        VarBind::new(Oid::from_slice(&SNMP_TRAP_OID), Value::ObjectIdentifier(Oid::from_slice(&SNMP_TRAPS).child(arc)))
    }

    #[test]
    fn traps_of_version_1_are_translated() {
        let other = |oid: &str| Ok(TrapKind::Other(oid.to_owned()));
        let generic = [
            TrapKind::ColdStart,
            TrapKind::WarmStart,
            TrapKind::LinkDown,
            TrapKind::LinkUp,
            TrapKind::AuthenticationFailure,
        ];
        for (number, kind) in (0..).zip(generic) {
            assert_eq!(v1(number, 0), Ok(kind));
        }
        assert_eq!(v1(5, 0), other("1.3.6.1.6.3.1.1.5.6"));
        assert_eq!(v1(6, 42), other("1.3.6.1.4.1.9999.0.42"));
        assert_eq!(v1(6, -1), Err(Unheard::Malformed));
        assert_eq!(v1(-1, 0), Err(Unheard::Malformed));
    }

    #[test]
    fn only_notifications_that_name_themselves_say_something() {
        let link_down = v2(StandardPduType::TrapV2, vec![named(3)]);
        assert_eq!(link_down, Ok(Notification { says: TrapKind::LinkDown, interface: None }));
        assert_eq!(v2(StandardPduType::InformRequest, vec![named(3)]), link_down);
        assert_eq!(v2(StandardPduType::TrapV2, Vec::new()), Err(Unheard::Malformed));
        assert_eq!(v2(StandardPduType::GetRequest, vec![named(3)]), Err(Unheard::Malformed));
    }

    #[test]
    fn an_interface_has_a_number_above_zero() {
        let about = |value| {
            let bound = VarBind::new(Oid::from_slice(&IF_INDEX).child(7), value);
            v2(StandardPduType::TrapV2, vec![named(4), bound]).expect("a trap").interface
        };
        assert_eq!(about(Value::Integer(7)), Some(7));
        assert_eq!(about(Value::Integer(i32::MAX)), Some(i32::MAX.cast_unsigned()));
        assert_eq!(about(Value::Integer(0)), None);
        assert_eq!(about(Value::Integer(-7)), None);
        assert_eq!(about(Value::Null), None);
    }
}
