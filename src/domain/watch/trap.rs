//! What a device says unasked: SNMP traps and informs. Witnesses, never a verdict.

use alloc::string::String;
use core::net::IpAddr;

/// A trap or an inform, authenticated as far as its protocol version can.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trap {
    /// Where it came from.
    pub from: IpAddr,
    /// What it says.
    pub says: TrapKind,
    /// ifIndex of the interface that it is about, if it names one.
    pub interface: Option<u32>,
}

/// What a trap says: the generic ones of RFC 3418 and RFC 2863, and all others by their object identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrapKind {
    /// The box started, perhaps with another configuration.
    ColdStart,
    /// The box started anew with its configuration unchanged.
    WarmStart,
    /// An interface went down.
    LinkDown,
    /// An interface came up.
    LinkUp,
    /// Somebody asked with wrong credentials.
    AuthenticationFailure,
    /// Anything else: its snmpTrapOID in dotted form.
    Other(String),
}

impl TrapKind {
    /// As it is printed.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::ColdStart => "coldStart",
            Self::WarmStart => "warmStart",
            Self::LinkDown => "linkDown",
            Self::LinkUp => "linkUp",
            Self::AuthenticationFailure => "authenticationFailure",
            Self::Other(oid) => oid,
        }
    }
}
