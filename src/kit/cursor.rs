//! Cursors: where a list goes on, as an opaque text in a URL.
//!
//! A cursor names the last item shown, by id, and carries a keyed hash of that and of what the list is (its order and
//! filters). So it holds no time, it cannot be made by hand to find out what there is, and it does not work elsewhere.

use crate::kit::secret::{self, Key};

/// Bytes of the keyed hash: a guess succeeds once in 2^64.
const MAC_BYTES: usize = 8;

/// Where a list goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// The last item shown.
    pub last_id: i64,
    /// The root whose replies go on, when it is not the list itself that does.
    pub within_root: Option<i64>,
}

impl Cursor {
    /// The place after `last_id`.
    pub fn after(last_id: i64) -> Self {
        Self { last_id, within_root: None }
    }

    /// The place after `last_id` among the replies below `root`.
    pub fn within(root: i64, last_id: i64) -> Self {
        Self { last_id, within_root: Some(root) }
    }

    /// The text for a URL, 22 or 32 characters, good for the list that `list` describes.
    pub fn encode(&self, key: &Key, list: &str) -> String {
        let body = self.body();
        secret::encode(&[&body[..], &mac(key, list, &body)[..]].concat())
    }

    /// Reads a cursor of the list that `list` describes; `None` when it is not one of ours or of another list.
    pub fn decode(key: &Key, list: &str, text: &str) -> Option<Self> {
        let bytes = secret::decode(text)?;
        let (body, found) = bytes.split_last_chunk::<MAC_BYTES>()?;
        if !secret::is_equal(&mac(key, list, body), found) {
            return None;
        }
        let (last, rest) = body.split_first_chunk::<8>()?;
        let within_root = match rest.len() {
            0 => None,
            _ => Some(i64::from_be_bytes(rest.try_into().ok()?)),
        };
        Some(Self { last_id: i64::from_be_bytes(*last), within_root })
    }

    fn body(&self) -> Vec<u8> {
        let root = self.within_root.map(i64::to_be_bytes);
        self.last_id.to_be_bytes().into_iter().chain(root.into_iter().flatten()).collect()
    }
}

fn mac(key: &Key, list: &str, body: &[u8]) -> [u8; MAC_BYTES] {
    key.short_mac(&[list.as_bytes(), body]).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_reads_back_in_its_own_list_alone(
            last in 1i64..=crate::kit::ids::MAX_ID,
            root in proptest::option::of(1i64..),
        ) {
            let (key, other) = (Key::master(b"ours"), Key::master(b"another"));
            let cursor = Cursor { last_id: last, within_root: root };
            let text = cursor.encode(&key, "flat oldest");
            prop_assert_eq!(Cursor::decode(&key, "flat oldest", &text), Some(cursor));
            prop_assert_eq!(Cursor::decode(&key, "flat newest", &text), None);
            prop_assert_eq!(Cursor::decode(&other, "flat oldest", &text), None);
        }

        #[test]
        fn nonsense_is_no_cursor(text in "\\PC{0,60}") {
            prop_assert_eq!(Cursor::decode(&Key::master(b"ours"), "flat oldest", &text), None);
        }
    }
}
