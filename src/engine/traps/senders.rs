//! Who is known, and who may speak now.

use super::Sender;
use super::limits::{self, Bucket};
use super::timeliness::Clocks;
use crate::domain::watch::{AuthProtocol, PrivProtocol, Secret, SnmpAccess, SnmpVersion};
use crate::engine::keys::{Keyring, SharedKeys};
use core::net::IpAddr;
use core::time::Duration;
use std::collections::HashMap;
use std::sync::Arc;

/// Different credentials that one address may have; each of them may have to be tried.
const MAX_ACCESSES: usize = 16;

/// The known senders, by the address that their traps come from.
#[derive(Default)]
pub(super) struct Senders {
    by_address: HashMap<IpAddr, Known>,
    of_all: Bucket,
    keyring: Keyring,
}

/// What is known of one address.
#[derive(Default)]
pub(super) struct Known {
    /// What its devices authenticate with: a box has one address of its own, boxes behind a translator share one.
    accesses: Vec<Access>,
    bucket: Bucket,
    pub(super) clocks: Clocks,
}

/// What one device authenticates with.
struct Access {
    access: Arc<SnmpAccess>,
    keys: SharedKeys,
}

/// An SNMPv3 user, with the place for the keys.
pub(super) struct User<'a> {
    pub(super) auth: Option<&'a (AuthProtocol, Secret)>,
    pub(super) privacy: Option<&'a (PrivProtocol, Secret)>,
    pub(super) keys: &'a SharedKeys,
}

/// Why a datagram is not looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ignored {
    /// It comes from nobody that we know.
    Unknown,
    /// It is one too many.
    Flood,
}

impl Senders {
    /// Forgets all others but `senders`. How much those who stay have said, and what their clocks showed, is kept.
    pub(super) fn replace(&mut self, senders: &[Sender]) {
        let mut former = core::mem::take(&mut self.by_address);
        for Sender { address, access } in senders {
            let address = address.to_canonical();
            let known = self.by_address.entry(address).or_insert_with(|| {
                former.remove(&address).map_or_else(Known::default, |known| Known { accesses: Vec::new(), ..known })
            });
            if let Some(access) = access {
                known.add(access, &mut self.keyring, address);
            }
        }
        drop(former);
        self.keyring.sweep();
    }

    /// Who speaks from `address`, if that may be looked into at `now`, a time since the engine's start.
    pub(super) fn admit(&mut self, address: IpAddr, now: Duration) -> Result<&mut Known, Ignored> {
        let known = self.by_address.get_mut(&address).ok_or(Ignored::Unknown)?;
        // its own first, so that a box gone mad leaves room for the others
        if known.bucket.take(limits::OF_A_SENDER, now) && self.of_all.take(limits::OF_ALL, now) {
            Ok(known)
        } else {
            Err(Ignored::Flood)
        }
    }
}

impl Known {
    fn add(&mut self, access: &Arc<SnmpAccess>, keyring: &mut Keyring, address: IpAddr) {
        if self.accesses.iter().any(|known| known.access.version == access.version) {
            return;
        }
        if self.accesses.len() >= MAX_ACCESSES {
            tracing::warn!(%address, "too many devices with different credentials share this address: some are not heard");
            return;
        }
        self.accesses.push(Access { access: Arc::clone(access), keys: keyring.keys(&access.version) });
    }

    /// The community names of its SNMPv1 and SNMPv2c devices.
    pub(super) fn communities(&self) -> impl Iterator<Item = &Secret> {
        self.accesses.iter().filter_map(|known| match &known.access.version {
            SnmpVersion::V1 { community } | SnmpVersion::V2c { community } => Some(community),
            SnmpVersion::V3 { .. } => None,
        })
    }

    /// Its SNMPv3 users called `name`.
    pub(super) fn users(&self, name: &[u8]) -> impl Iterator<Item = User<'_>> {
        self.accesses.iter().filter_map(move |known| match &known.access.version {
            SnmpVersion::V3 { user, auth, privacy } => {
                let user_of_that_name = user.as_bytes() == name;
                user_of_that_name.then_some(User { auth: auth.as_ref(), privacy: privacy.as_ref(), keys: &known.keys })
            }
            SnmpVersion::V1 { .. } | SnmpVersion::V2c { .. } => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::Ipv4Addr;

    fn address(number: u32) -> IpAddr {
        Ipv4Addr::from_bits(0x0a00_0000 + number).into()
    }

    fn sender(number: u32, community: &str) -> Sender {
        let version = SnmpVersion::V2c { community: Secret::new(community.to_owned()) };
        let access = Some(Arc::new(SnmpAccess { version, port: 161, interface: None }));
        Sender { address: address(number), access }
    }

    #[test]
    fn each_has_its_share_and_all_have_theirs() {
        let mut senders = Senders::default();
        let all = limits::OF_ALL.burst / limits::OF_A_SENDER.burst;
        senders.replace(&(0..=all).map(|number| sender(number, "public")).collect::<Vec<_>>());
        assert_eq!(senders.admit(address(all + 1), Duration::ZERO).err(), Some(Ignored::Unknown));
        for number in 0..all {
            let admitted = (0..100).filter(|_| senders.admit(address(number), Duration::ZERO).is_ok()).count();
            assert_eq!(admitted, limits::OF_A_SENDER.burst as usize, "of {number}");
        }
        assert_eq!(senders.admit(address(all), Duration::ZERO).err(), Some(Ignored::Flood));
        assert!(senders.admit(address(all), limits::OF_ALL.every).is_ok());
    }

    #[test]
    fn an_address_has_so_many_credentials_and_each_once() {
        let mut senders = Senders::default();
        let communities = (0..=MAX_ACCESSES).map(|number| number.to_string());
        let list: Vec<_> = communities.flat_map(|community| [sender(1, &community), sender(1, &community)]).collect();
        senders.replace(&list);
        let known = senders.admit(address(1), Duration::ZERO).expect("somebody known");
        let expected: Vec<_> = (0..MAX_ACCESSES).map(|number| number.to_string()).collect();
        assert!(known.communities().map(Secret::expose).eq(expected.iter()));
    }
}
