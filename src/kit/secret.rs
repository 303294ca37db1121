//! Secrets: the one master secret of an installation and the keys made from it, random tokens, and digests.
//!
//! Every use has a key of its own, HMAC-SHA-256 of the master secret over the use's name (the extract-and-expand
//! idea of RFC 5869), so that a token of one kind can never pass as another. No secret here can be printed:
//! `Debug` hides it. Password hashing is not here; it needs a budget and lives in `accounts`.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// 256 bits, the output of SHA-256.
pub type Digest256 = [u8; 32];

/// The operating system gave no random bytes; nothing secret can be made.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gave no random bytes: {0}")]
pub struct NoRandomness(#[from] getrandom::Error);

/// 256 random bits from the operating system.
pub fn random() -> Result<Digest256, NoRandomness> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

/// SHA-256 of `bytes`: how tokens are stored.
pub fn digest(bytes: &[u8]) -> Digest256 {
    Sha256::digest(bytes).into()
}

/// Base64 for URLs without padding (RFC 4648 §5).
pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads what [`encode`] wrote; anything else is `None`.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Key material for one purpose.
#[derive(Clone)]
pub struct Key(Digest256);

impl Key {
    /// The master secret, from whatever text or bytes the operator gave or the store keeps.
    pub fn master(material: &[u8]) -> Self {
        Self(digest(material))
    }

    /// A key that was made at random and kept; `None` unless it has 32 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The key for `purpose`; equal purposes give equal keys on every node.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> Self {
        Self(self.mac(&[purpose.as_bytes()]))
    }

    /// HMAC-SHA-256 over the parts, each preceded by its length so that no two lists of parts look alike.
    pub fn mac(&self, parts: &[&[u8]]) -> Digest256 {
        // The only error is a key of a wrong length, and HMAC takes any.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else {
            unreachable!("HMAC takes a key of any length");
        };
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// Sixty-four bits of [`Key::mac`]: a keyed hash to compare by, meaningless without the key.
    pub fn short_mac(&self, parts: &[&[u8]]) -> i64 {
        let mac = self.mac(parts);
        mac.first_chunk().map_or(0, |chunk| i64::from_be_bytes(*chunk))
    }

    /// The raw bytes, for a signer that wants them.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(hidden)")
    }
}

/// Compares without telling by its time where the difference is.
pub fn is_equal(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_purpose_has_its_own_key() {
        let master = Key::master(b"one secret");
        assert_ne!(master.derive("receipt").bytes(), master.derive("session").bytes());
        assert_eq!(master.derive("receipt").bytes(), Key::master(b"one secret").derive("receipt").bytes());
    }

    #[test]
    fn parts_cannot_slide_into_each_other() {
        let key = Key::master(b"one secret");
        assert_ne!(key.mac(&[b"ab", b"c"]), key.mac(&[b"a", b"bc"]));
    }

    #[test]
    fn a_key_does_not_print_itself() {
        assert_eq!(format!("{:?}", Key::master(b"x")), "Key(hidden)");
    }
}
