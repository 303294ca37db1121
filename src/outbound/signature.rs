//! How a webhook is signed: as the Standard Webhooks specification 1.0 says, so that receivers can use its libraries.
//!
//! HMAC-SHA256 over `id.timestamp.body` under a secret that both sides have; in the header `webhook-signature` as `v1,` and
//! base64. The secret is written `whsec_` and base64 of 24 to 64 bytes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The fewest bytes of a secret.
pub const MIN_SECRET: usize = 24;
/// The most.
pub const MAX_SECRET: usize = 64;

/// The bytes of a secret as it is written; `None` when it is not one.
pub fn signing_secret(text: &str) -> Option<Vec<u8>> {
    let bytes = STANDARD.decode(text.strip_prefix("whsec_")?).ok()?;
    (MIN_SECRET..=MAX_SECRET).contains(&bytes.len()).then_some(bytes)
}

/// The signature of a message; `at` in seconds since 1970.
pub fn signature(secret: &[u8], id: &str, at: i64, body: &str) -> String {
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return String::new() };
    mac.update(format!("{id}.{at}.").as_bytes());
    mac.update(body.as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_base64_of_enough_bytes_behind_its_sign() {
        let of = |bytes: usize| format!("whsec_{}", STANDARD.encode(vec![7; bytes]));
        assert_eq!(signing_secret(&of(24)), Some(vec![7; 24]));
        for wrong in [of(23), of(65), STANDARD.encode([7; 32]), "whsec_".to_owned(), "whsec_not base64!".to_owned()] {
            assert_eq!(signing_secret(&wrong), None, "{wrong}");
        }
    }

    #[test]
    fn another_library_finds_the_signature_right() {
        let (secret, body) = ("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", r#"{"a": "ä"}"#);
        let hook = standardwebhooks::Webhook::new(secret).unwrap();
        let ours = signature(&signing_secret(secret).unwrap(), "msg_1", 1_795_521_600, body);
        assert_eq!(ours, hook.sign("msg_1", 1_795_521_600, body.as_bytes()).unwrap());
    }
}
