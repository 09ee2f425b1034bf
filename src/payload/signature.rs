//! Signatures by the rules of Standard Webhooks: whoever has the secret can tell that a request is ours, and new.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use core::fmt;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

/// What a secret is written with.
const PREFIX: &str = "whsec_";
/// Bytes that a secret may have.
const BYTES: core::ops::RangeInclusive<usize> = 24..=64;

/// The secret of one receiver.
#[derive(Clone)]
pub struct SigningKey(Hmac<Sha256>);

impl SigningKey {
    /// Reads `whsec_` and the secret in base 64.
    ///
    /// # Errors
    /// If it is none; says how one looks, and shows nothing of it.
    pub fn new(secret: &str) -> Result<Self, String> {
        let usage = || format!("is no signing secret: write {PREFIX} and 24 to 64 random bytes in base 64");
        let bytes = STANDARD.decode(secret.strip_prefix(PREFIX).ok_or_else(usage)?).map_err(|_| usage())?;
        if !BYTES.contains(&bytes.len()) {
            return Err(usage());
        }
        Hmac::new_from_slice(&bytes).map(Self).map_err(|_| usage())
    }

    /// The header `webhook-signature` of a request. `timestamp`: of this attempt, in seconds since 1970.
    #[must_use]
    pub fn sign(&self, id: &str, timestamp: i64, body: &str) -> String {
        let mut mac = self.0.clone();
        mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

/// The header `webhook-id`: the same for each attempt to deliver the letter with this Message-ID, and without a full stop,
/// which would blur what is signed.
#[must_use]
pub fn webhook_id(message_id: &str) -> String {
    let hash = Sha256::digest(message_id.as_bytes());
    hash[..16].iter().fold(String::from("msg_"), |id, byte| format!("{id}{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Example secret and message of the reference libraries' tests; the signature was computed by other means.
    #[test]
    fn a_signature_is_that_of_the_specification() {
        let key = SigningKey::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature = key.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, "{\"test\": 2432232314}");
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn what_is_no_secret_is_refused_without_showing_it() {
        for wrong in ["", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_", "whsec_short", "whsec_!!!!"] {
            let why = SigningKey::new(wrong).unwrap_err();
            assert!(why.contains("is no signing secret") && !why.contains("short"), "{why}");
        }
    }

    #[test]
    fn an_id_is_the_same_for_each_attempt_and_has_no_full_stop() {
        let id = webhook_id("NTU-00000007-K.opened.1.abc@example.net");
        assert_eq!(id, webhook_id("NTU-00000007-K.opened.1.abc@example.net"));
        assert!(id.len() == 36 && !id.contains('.') && id != webhook_id("NTU-00000007-K.opened.2.abc@example.net"));
    }
}
