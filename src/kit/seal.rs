//! Sealing: what has to be read again later, but not by whoever gets hold of the database alone.
//!
//! AES-256-GCM-SIV (RFC 8452) with a random nonce: should a nonce ever come twice, it gives away no more than whether two
//! sealed texts are the same. What is sealed is bound to a context, and opens nowhere else: moved to another row by
//! whoever can write to the database, it is nothing.

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::error::Unspecified;

use super::secret::Key;

/// Stands before everything sealed, so that another way of sealing can come beside this one.
const FORMAT: u8 = 1;

/// Nothing could be sealed.
#[derive(Debug, thiserror::Error)]
#[error("nothing can be sealed: the operating system gave no random bytes")]
pub struct CannotSeal;

/// Seals and opens, under one key.
#[derive(Debug, Clone)]
pub struct Seal(Key);

impl Seal {
    /// What is sealed under a key opens only under the same.
    pub fn new(key: Key) -> Self {
        Self(key)
    }

    /// Seals `bytes`; only with the same context will they open. It adds 29 bytes.
    ///
    /// # Errors
    /// When the operating system gives no random bytes.
    pub fn seal(&self, bytes: &[u8], context: &[u8]) -> Result<Vec<u8>, CannotSeal> {
        let mut text = bytes.to_vec();
        let nonce = self.key().and_then(|key| key.seal_in_place_append_tag(Aad::from(context), &mut text));
        let nonce = nonce.map_err(|_| CannotSeal)?;
        Ok([&[FORMAT], nonce.as_ref().as_slice(), &text].concat())
    }

    /// What was sealed; `None` when it was sealed under another key or context, or is not as it was.
    pub fn open(&self, sealed: &[u8], context: &[u8]) -> Option<Vec<u8>> {
        let (nonce, text) = sealed.strip_prefix(&[FORMAT])?.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = text.to_vec();
        let opened = self.key().and_then(|key| Ok(key.open_in_place(nonce, Aad::from(context), &mut text)?.to_vec()));
        opened.ok()
    }

    fn key(&self) -> Result<RandomizedNonceKey, Unspecified> {
        RandomizedNonceKey::new(&AES_256_GCM_SIV, self.0.bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal(secret: &str) -> Seal {
        Seal::new(Key::master(secret.as_bytes()).derive("tests"))
    }

    #[test]
    fn what_is_sealed_opens_under_the_same_key_and_context_alone() {
        for bytes in [b"".as_slice(), b"x", b"a secret of twenty b", &[0; 1000]] {
            let sealed = seal("one").seal(bytes, b"moderator 7").unwrap();
            assert_eq!(sealed.len(), bytes.len() + 29);
            assert_eq!(seal("one").open(&sealed, b"moderator 7").as_deref(), Some(bytes));
            assert_eq!(seal("other").open(&sealed, b"moderator 7"), None);
            assert_eq!(seal("one").open(&sealed, b"moderator 8"), None);
            assert_eq!(seal("one").open(&sealed, b""), None);
        }
    }

    #[test]
    fn a_bit_changed_or_a_byte_lost_opens_nothing() {
        let sealed = seal("one").seal(b"a secret", b"here").unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(seal("one").open(&changed, b"here"), None, "byte {at}");
            assert_eq!(seal("one").open(&sealed[..at], b"here"), None, "{at} bytes");
        }
    }

    #[test]
    fn the_same_sealed_twice_looks_like_two() {
        let seal = seal("one");
        let (one, other) = (seal.seal(b"a secret", b"here").unwrap(), seal.seal(b"a secret", b"here").unwrap());
        assert_ne!(one, other);
        assert!(!one.windows(8).any(|window| window == b"a secret"));
    }
}
