//! SNMPv3 keys, for the engine that asks and the one that hears. Deriving one from a pass phrase hashes a megabyte, so
//! devices with the same pass phrases share it.

use crate::domain::watch::{AuthProtocol, PrivProtocol, Secret, SnmpVersion};
use async_snmp::MasterKeys;
use async_snmp::v3::CryptoResult;
use std::collections::HashMap;
use std::sync::{Arc, Weak};
use tokio::sync::OnceCell;

/// The keys of one set of credentials, derived when first needed, or why they cannot be.
pub(super) type SharedKeys = Arc<OnceCell<Result<MasterKeys, String>>>;

/// The keys in use.
#[derive(Default)]
pub(super) struct Keyring(HashMap<SnmpVersion, Weak<OnceCell<Result<MasterKeys, String>>>>);

impl Keyring {
    /// The keys for `version`.
    pub(super) fn keys(&mut self, version: &SnmpVersion) -> SharedKeys {
        if let Some(keys) = self.0.get(version).and_then(Weak::upgrade) {
            return keys;
        }
        let keys = SharedKeys::default();
        self.0.insert(version.clone(), Arc::downgrade(&keys));
        keys
    }

    /// Forgets what nobody uses any more.
    pub(super) fn sweep(&mut self) {
        self.0.retain(|_, keys| keys.strong_count() > 0);
    }
}

/// The keys of `auth` and `privacy`. Takes milliseconds, so it does not run on an engine's own thread.
pub(super) async fn derive(
    keys: &SharedKeys,
    auth: &(AuthProtocol, Secret),
    privacy: Option<&(PrivProtocol, Secret)>,
) -> Result<MasterKeys, String> {
    let derived = keys.get_or_init(|| async {
        let (auth, privacy) = (auth.clone(), privacy.cloned());
        match tokio::task::spawn_blocking(move || master_keys(&auth, privacy.as_ref())).await {
            Ok(keys) => keys.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        }
    });
    derived.await.clone()
}

fn master_keys(auth: &(AuthProtocol, Secret), privacy: Option<&(PrivProtocol, Secret)>) -> CryptoResult<MasterKeys> {
    let (protocol, phrase) = auth;
    let keys = MasterKeys::new(auth_protocol(*protocol), phrase.expose().as_bytes())?;
    match privacy {
        None => Ok(keys),
        Some((protocol, own)) if own == phrase => keys.with_privacy_same_password(priv_protocol(*protocol)),
        Some((protocol, own)) => keys.with_privacy(priv_protocol(*protocol), own.expose().as_bytes()),
    }
}

const fn auth_protocol(protocol: AuthProtocol) -> async_snmp::AuthProtocol {
    match protocol {
        AuthProtocol::Md5 => async_snmp::AuthProtocol::Md5,
        AuthProtocol::Sha1 => async_snmp::AuthProtocol::Sha1,
        AuthProtocol::Sha224 => async_snmp::AuthProtocol::Sha224,
        AuthProtocol::Sha256 => async_snmp::AuthProtocol::Sha256,
        AuthProtocol::Sha384 => async_snmp::AuthProtocol::Sha384,
        AuthProtocol::Sha512 => async_snmp::AuthProtocol::Sha512,
    }
}

/// AES-192 and AES-256 stretch a short key after Blumenthal's draft, as net-snmp and most agents do.
const fn priv_protocol(protocol: PrivProtocol) -> async_snmp::PrivProtocol {
    match protocol {
        PrivProtocol::Aes128 => async_snmp::PrivProtocol::Aes128,
        PrivProtocol::Aes192 => async_snmp::PrivProtocol::Aes192Blumenthal,
        PrivProtocol::Aes256 => async_snmp::PrivProtocol::Aes256Blumenthal,
    }
}
