//! A certificate of a server called localhost, for which nobody vouches but itself.

use std::process::Command;
use tempfile::TempDir;

/// A folder with its certificate, `cert.pem`, and its key. `None`, with a word on the console, where none can be made.
pub(crate) fn certificate() -> Option<TempDir> {
    let folder = tempfile::tempdir().unwrap();
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(folder.path())
        .output();
    if !made.is_ok_and(|output| output.status.success()) {
        println!("skipped: openssl makes no certificate (Debian: openssl)");
        return None;
    }
    Some(folder)
}
