//! Cursors: where a list goes on, as an opaque text in a URL.
//!
//! A cursor names the list it belongs to (its order and filters, as one digest) and the last item shown, by id.
//! It carries no time: the store looks the item's place up, so a cursor cannot tell when something unpublished
//! was written. It is not signed, since whatever it names is checked like any other input.

use crate::kit::secret;

/// Where a list goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// The first four bytes of a digest of what the list is: a cursor of another list is refused.
    list: [u8; 4],
    /// The last item shown.
    pub last_id: i64,
    /// The root whose replies go on, when it is not the list itself that does.
    pub within_root: Option<i64>,
}

impl Cursor {
    /// The place after `last_id` in the list that `list` describes.
    pub fn after(list: &str, last_id: i64) -> Self {
        Self { list: fingerprint(list), last_id, within_root: None }
    }

    /// The place after `last_id` among the replies below `root`.
    pub fn within(list: &str, root: i64, last_id: i64) -> Self {
        Self { list: fingerprint(list), last_id, within_root: Some(root) }
    }

    /// The text for a URL: 16 or 27 characters.
    pub fn encode(&self) -> String {
        let mut bytes = Vec::with_capacity(20);
        bytes.extend(self.list);
        bytes.extend(self.last_id.to_be_bytes());
        if let Some(root) = self.within_root {
            bytes.extend(root.to_be_bytes());
        }
        secret::encode(&bytes)
    }

    /// Reads a cursor of the list that `list` describes; `None` when it is not one of ours or of another list.
    pub fn decode(list: &str, text: &str) -> Option<Self> {
        let bytes = secret::decode(text)?;
        let (head, rest) = bytes.split_first_chunk::<4>()?;
        let (last, rest) = rest.split_first_chunk::<8>()?;
        let within_root = match rest.len() {
            0 => None,
            _ => Some(i64::from_be_bytes(rest.try_into().ok()?)),
        };
        let cursor = Self { list: *head, last_id: i64::from_be_bytes(*last), within_root };
        (cursor.list == fingerprint(list) && cursor.last_id > 0).then_some(cursor)
    }
}

fn fingerprint(list: &str) -> [u8; 4] {
    let [a, b, c, d, ..] = secret::digest(list.as_bytes());
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_reads_back(last in 1i64..=crate::kit::ids::MAX_ID, root in proptest::option::of(1i64..)) {
            let cursor = match root {
                Some(root) => Cursor::within("flat oldest", root, last),
                None => Cursor::after("flat oldest", last),
            };
            prop_assert_eq!(Cursor::decode("flat oldest", &cursor.encode()), Some(cursor));
            prop_assert_eq!(Cursor::decode("flat newest", &cursor.encode()), None);
        }

        #[test]
        fn nonsense_is_no_cursor(text in "\\PC{0,40}") {
            // Four bytes of digest: a random text passes once in four billion.
            prop_assert_eq!(Cursor::decode("flat oldest", &text), None);
        }
    }
}
