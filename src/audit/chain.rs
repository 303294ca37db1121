//! The chain: what the hash of a sealed entry covers.
//!
//! An entry's hash is SHA-256 of the hash before it (32 zero bytes for the first) and then of its lasting columns in
//! this order: id, at, `actor_id`, `api_key_id`, action, `site_id`, `subject_kind`, `subject_id`, facts, `private_hash`.
//! Each is one byte 0 when it is empty, else one byte 1, its length in bytes as eight bytes, the highest first, and its
//! bytes: a number is eight bytes, the highest first, a text its UTF-8. What is personal counts by its own hash alone,
//! SHA-256 of salt and text, so that it can be erased. The place in the chain is not covered: it follows from the chain.

use std::fmt;

use crate::kit::secret::{self, Digest256};

use super::queries::EntryRow;

/// What the first entry follows.
pub const START: Digest256 = [0; 32];

/// A hash of the chain, written as 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainHash(pub(super) Vec<u8>);

impl ChainHash {
    /// Reads what `rejoinder audit verify` printed.
    pub fn parse(text: &str) -> Option<Self> {
        let is_hex = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let bytes = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
        is_hex.then(|| (0..64).step_by(2).map(bytes).collect::<Option<Vec<u8>>>()).flatten().map(Self)
    }
}

impl fmt::Display for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The hash of an entry that follows `before`.
pub fn hash_after(before: &[u8], row: &EntryRow) -> Digest256 {
    let mut bytes = before.to_vec();
    let number = |value: i64| Some(value.to_be_bytes());
    let text = |value: &Option<String>| value.as_ref().map(|text| text.as_bytes().to_vec());
    put(&mut bytes, number(row.id.get()));
    put(&mut bytes, number(row.at.0));
    put(&mut bytes, row.actor_id.and_then(|id| number(id.get())));
    put(&mut bytes, row.api_key_id.and_then(|id| number(id.get())));
    put(&mut bytes, Some(&row.action));
    put(&mut bytes, row.site_id.and_then(|id| number(id.get())));
    put(&mut bytes, text(&row.subject_kind));
    put(&mut bytes, row.subject_id.and_then(number));
    put(&mut bytes, Some(&row.facts));
    put(&mut bytes, row.private_hash.as_ref());
    secret::digest(&bytes)
}

fn put(bytes: &mut Vec<u8>, value: Option<impl AsRef<[u8]>>) {
    let Some(value) = value else { return bytes.push(0) };
    let value = value.as_ref();
    bytes.push(1);
    bytes.extend((value.len() as u64).to_be_bytes());
    bytes.extend(value);
}

/// Whether what is personal in an entry is what was written, or was erased.
pub fn is_private_intact(row: &EntryRow) -> bool {
    match (&row.private, &row.salt) {
        (None, None) => true,
        (Some(private), Some(salt)) => {
            let hash = hash_private(salt, private);
            row.private_hash.as_deref() == Some(hash.as_slice())
        }
        _ => false,
    }
}

/// The hash by which the chain covers what is personal.
pub fn hash_private(salt: &[u8], private: &str) -> Digest256 {
    secret::digest(&[salt, private.as_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_reads_back_what_it_writes_and_nothing_else() {
        let text = "00ff10".repeat(10) + "abcd";
        assert_eq!(ChainHash::parse(&text).map(|hash| hash.to_string()), Some(text.clone()));
        for refused in ["", "00", &text[1..], &format!("{text}0"), &text.replace("ff", "+f"), &text.replace("ff", "é")]
        {
            assert_eq!(ChainHash::parse(refused), None, "{refused:?}");
        }
    }
}
