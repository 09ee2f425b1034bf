//! What is polled: units, nodes and sentinels, and how each is to be asked.

use super::symptom::Limits;
use crate::domain::word::Word;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;
use core::net::IpAddr;
use core::time::Duration;

/// Dense index of a device in the running watch. Stable while the device stays in the inventory, not across restarts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(pub u32);

impl Slot {
    /// As an index into the watch's tables.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// One polled device, as the inventory describes it. There may be a million: what many have in common is shared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Stable key, unique among all devices.
    pub id: Word,
    /// What it is to us.
    pub role: Role,
    /// Where it is asked.
    pub host: Host,
    /// The device it is reached through.
    pub upstream: Option<Arc<String>>,
    /// How it is asked and judged.
    pub rules: Arc<Rules>,
}

/// Where a device is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// Always at this address.
    Address(IpAddr),
    /// Where a host name leads.
    Name(Box<str>),
}

/// How devices are asked and judged.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rules {
    /// Whether by ICMP echo.
    pub icmp: bool,
    /// How by SNMP, if at all.
    pub snmp: Option<Arc<SnmpAccess>>,
    /// When, and what is concluded.
    pub pace: Pace,
    /// From what on one counts as degraded.
    pub limits: Limits,
    /// Probes in any one second, at the most, to the device and all that is reached through it: see
    /// [`PROBE_RATES`](super::PROBE_RATES).
    pub probe_rate: Option<u32>,
}

impl Device {
    /// The customer's circuit that ends here: only units have one.
    #[must_use]
    pub const fn circuit(&self) -> Option<&Circuit> {
        self.role.circuit()
    }

    /// The id of the device it is reached through.
    #[must_use]
    pub fn upstream(&self) -> Option<&str> {
        self.upstream.as_ref().map(|id| id.as_str())
    }

    /// Whether it tells us of our own connectivity.
    #[must_use]
    pub const fn is_sentinel(&self) -> bool {
        self.role.place().is_some()
    }

    /// The groups that it belongs to: those of its circuit.
    pub fn groups(&self) -> impl Iterator<Item = (GroupKind, &str)> {
        let circuit = self.circuit();
        GroupKind::ALL.into_iter().filter_map(move |kind| Some((kind, circuit?.group(kind)?)))
    }

    /// Whether it belongs to a group.
    #[must_use]
    pub fn is_of(&self, kind: GroupKind, name: &str) -> bool {
        self.role.is_of(kind, name)
    }
}

impl Host {
    /// The address, unless it is a name.
    #[must_use]
    pub const fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Address(address) => Some(*address),
            Self::Name(_) => None,
        }
    }

    /// The name, unless it is an address.
    #[must_use]
    pub const fn name(&self) -> Option<&str> {
        match self {
            Self::Name(name) => Some(name),
            Self::Address(_) => None,
        }
    }
}

impl From<&str> for Host {
    fn from(host: &str) -> Self {
        host.parse().map_or_else(|_| Self::Name(host.into()), Self::Address)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// What a device is to us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// A network termination unit at the end of a customer's circuit.
    Unit(Circuit),
    /// A device without a customer.
    Node,
    /// A host that tells the monitor whether its own connectivity works.
    Sentinel(Place),
}

impl Role {
    /// The circuit of a unit.
    #[must_use]
    pub const fn circuit(&self) -> Option<&Circuit> {
        match self {
            Self::Unit(circuit) => Some(circuit),
            Self::Node | Self::Sentinel(_) => None,
        }
    }

    /// Where a sentinel is.
    #[must_use]
    pub const fn place(&self) -> Option<Place> {
        match self {
            Self::Sentinel(place) => Some(*place),
            Self::Unit(_) | Self::Node => None,
        }
    }

    /// Whether it is that of a unit of this group.
    #[must_use]
    pub fn is_of(&self, kind: GroupKind, name: &str) -> bool {
        self.circuit().is_some_and(|circuit| circuit.group(kind) == Some(name))
    }
}

/// Where a sentinel is, as seen from the monitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The monitor's own next hop. If it alone answers, our core is cut off, and nothing can be said of customers.
    Gateway,
    /// In our own core.
    Core,
    /// Beyond it.
    Far,
}

impl Place {
    /// Every place, the nearest first.
    pub const ALL: [Self; 3] = [Self::Gateway, Self::Core, Self::Far];

    /// As the configuration calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Core => "core",
            Self::Far => "far",
        }
    }
}

/// The customer's circuit that a unit terminates (R1, R22).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circuit {
    /// Key of the customer.
    pub customer: Arc<String>,
    /// Service order, to which loss of contact is recorded.
    pub order: Word,
    /// What else there is to say.
    pub terms: Arc<Terms>,
}

/// What is alike for many circuits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Terms {
    /// Type of service, such as "DIA".
    pub service: String,
    /// Region of the site.
    pub region: String,
    /// Time to repair, as the service order form promises it.
    pub ttr: Duration,
    /// Key of the supplier of the access line.
    pub supplier: Option<String>,
    /// Point of presence that the line ends in on our side.
    pub pop: Option<String>,
    /// Type of access, such as "fibre" or "vdsl".
    pub access: Option<String>,
    /// Committed rate in bits a second.
    pub rate: Option<u64>,
}

/// What lines may have in common, beside the devices they are reached through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GroupKind {
    /// The supplier of the access line.
    Supplier,
    /// The point of presence.
    Pop,
    /// The region of the site.
    Region,
    /// The type of access.
    Access,
}

impl GroupKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Supplier, Self::Pop, Self::Region, Self::Access];

    /// As it is stored, printed and typed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Supplier => "supplier",
            Self::Pop => "pop",
            Self::Region => "region",
            Self::Access => "access",
        }
    }
}

impl Circuit {
    /// The group of this kind that the line belongs to.
    #[must_use]
    pub fn group(&self, kind: GroupKind) -> Option<&str> {
        match kind {
            GroupKind::Supplier => self.terms.supplier.as_deref(),
            GroupKind::Pop => self.terms.pop.as_deref(),
            GroupKind::Region => Some(&self.terms.region),
            GroupKind::Access => self.terms.access.as_deref(),
        }
    }
}

/// Detection settings of one device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pace {
    /// From one scheduled round of probes to the next.
    pub interval: Duration,
    /// From one scheduled SNMP probe to the next, where ICMP is the main method.
    pub snmp_interval: Duration,
    /// How long an answer may take.
    pub timeout: Duration,
    /// Accumulated loss since the last contact that makes a fault (R2).
    pub down_after: Duration,
    /// How long a lost unit must be back before the watch declares its case solved.
    pub solve_after: Duration,
    /// How far back the strip of single rounds reaches.
    pub history: Duration,
}

/// How to ask a device by SNMP.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SnmpAccess {
    /// Protocol version with its credentials.
    pub version: SnmpVersion,
    /// UDP port of the agent.
    pub port: u16,
    /// ifIndex of the WAN interface (IF-MIB), if its counters are wanted.
    pub interface: Option<u32>,
}

/// SNMP protocol version and what it authenticates with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SnmpVersion {
    /// SNMPv1 (RFC 1157).
    V1 {
        /// Community name.
        community: Secret,
    },
    /// SNMPv2c (RFC 1901).
    V2c {
        /// Community name.
        community: Secret,
    },
    /// SNMPv3 with the user-based security model (RFC 3414).
    V3 {
        /// Security name.
        user: String,
        /// Authentication protocol and pass phrase; `None` is noAuthNoPriv.
        auth: Option<(AuthProtocol, Secret)>,
        /// Privacy protocol and pass phrase; needs authentication.
        privacy: Option<(PrivProtocol, Secret)>,
    },
}

/// SNMPv3 authentication protocols (RFC 3414, RFC 7860).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AuthProtocol {
    /// HMAC-MD5-96.
    Md5,
    /// HMAC-SHA-96.
    Sha1,
    /// HMAC-128-SHA-224.
    Sha224,
    /// HMAC-192-SHA-256.
    Sha256,
    /// HMAC-256-SHA-384.
    Sha384,
    /// HMAC-384-SHA-512.
    Sha512,
}

/// SNMPv3 privacy protocols (RFC 3826 and its common extensions).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PrivProtocol {
    /// CFB128-AES-128.
    Aes128,
    /// CFB128-AES-192.
    Aes192,
    /// CFB128-AES-256.
    Aes256,
}

/// A word that no log and no error message shows.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Secret(String);

impl Secret {
    /// Keeps `word`.
    #[must_use]
    pub const fn new(word: String) -> Self {
        Self(word)
    }

    /// The word itself, for the one place that must send it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
