//! How connections to servers of others are protected.

use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;
use tokio_rustls::TlsConnector;

/// How a connection to a mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// Not at all.
    None,
    /// It starts in the open; without an upgrade to TLS nothing is said.
    StartTls,
    /// TLS from the first byte.
    Wrapped,
}

/// Trusts whom this machine trusts, as the way out of mail does: in the system's store, or where `SSL_CERT_FILE` says.
pub(super) fn roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    // What can't be read vouches for nobody: then each server is refused, and the fault says why.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

/// Makes connections to servers that one of `roots` vouches for.
///
/// # Errors
/// When this machine's library can't do TLS.
pub(super) fn connector(roots: RootCertStore) -> Result<TlsConnector, String> {
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}
