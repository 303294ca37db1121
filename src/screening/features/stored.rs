//! Features as they are kept with a decision, so that it can be taken back when the comment itself has gone.

use super::{Feature, Features};

/// The bits of a hash that both stages use, and the two that say what it is good for.
const HASH: u32 = 26;
const KIND: u64 = 3;

impl Features {
    /// What is needed to learn them, or to take that back: about 5 bytes each, some 2 KiB for a comment of 100 letters. Of
    /// each hash the bits that both stages use are kept, in order, as differences of seven bits to a byte.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut kept: Vec<u64> =
            self.distinct.iter().map(|feature| feature.0 >> HASH << 2 | feature.0 & KIND).collect();
        kept.sort_unstable();
        let (mut bytes, mut before) = (Vec::with_capacity(kept.len() * 5), 0);
        for number in kept {
            let mut left = number - before;
            before = number;
            while left > 0x7f {
                bytes.push(left.to_le_bytes()[0] | 0x80);
                left >>= 7;
            }
            bytes.push(left.to_le_bytes()[0]);
        }
        bytes
    }

    /// Reads what [`Features::to_bytes`] wrote; what has no words any more can be learned and taken back, but not explained.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (mut distinct, mut before, mut number, mut shift) = (Vec::with_capacity(bytes.len() / 4), 0_u64, 0_u64, 0);
        for byte in bytes {
            number |= u64::from(byte & 0x7f).checked_shl(shift)?;
            shift += 7;
            if byte & 0x80 == 0 {
                before = before.checked_add(number)?;
                distinct.push(Feature(before >> 2 << HASH | before & KIND));
                (number, shift) = (0, 0);
            }
        }
        let about = distinct.len();
        (shift == 0).then(|| Self {
            text: Vec::new(),
            tokens: Vec::new(),
            distinct,
            places: Vec::new(),
            about,
            is_cut: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::counts::{Change, Label};
    use super::super::{FeatureKey, Written};
    use super::*;
    use crate::screening::regression::Regression;

    #[test]
    fn what_was_kept_is_learned_like_what_was_read() {
        let key = FeatureKey::new(*b"sixteen secrets!");
        for text in ["", "Thanks!", "cheap watches at https://shop.example 🎁 日本語", &"word salad 77 ".repeat(900)]
        {
            let read = Features::of(key, &Written { text, name: "Ada", ..Written::default() });
            let kept = Features::from_bytes(&read.to_bytes()).unwrap();
            let learned = |features| {
                let (mut change, mut regression) = (Change::default(), Regression::default());
                change.learn(features, Label::Spam);
                regression.learn(features, Label::Spam);
                let weights: Vec<f64> = read.distinct.iter().map(|feature| regression.weight(*feature)).collect();
                (change, weights)
            };
            assert_eq!(learned(&read), learned(&kept), "{text}");
            assert!(read.to_bytes().len() <= 6 * read.distinct.len(), "{text}");
        }
    }

    #[test]
    fn what_was_not_written_so_is_not_read() {
        for odd in [&[0x80][..], &[0xff; 11]] {
            assert!(Features::from_bytes(odd).is_none(), "{odd:?}");
        }
    }
}
