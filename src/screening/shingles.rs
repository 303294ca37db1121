//! Whether two texts are nearly the same: a sketch of each, 128 bytes, from which their likeness is estimated.
//!
//! A text is folded (case, diacritics, width, invisible characters), quoted lines are left out, links keep only their host
//! and numbers only that they are numbers. Its shingles are pairs of neighbouring words, and longer words by themselves;
//! scripts without spaces count by pairs of characters. Of 64 hashes of every shingle the least are kept (`MinHash`, Broder
//! 1997): the share of places where two sketches agree estimates the share of shingles that the texts have in common.
//!
//! Deliberately not here: short texts. "Great post!" is said by many; they have no sketch.

use crate::kit::search::words_of;
use crate::kit::text;

/// Words that a text must have to be compared at all; a link counts as the words of its host.
pub const FEWEST_WORDS: usize = 10;
/// Words that are looked at: what stands after them makes no text another, nor a sketch slow.
const MOST_WORDS: usize = 256;
/// Characters from which a word is a shingle by itself. Shorter ones are in every text.
const LONG_WORD: usize = 5;
/// Places of a sketch.
const PLACES: usize = 64;
/// Places that must agree: three tenths. With a fifth of its words changed a text still agrees with itself in about half;
/// two that only have their subject in common do in less than a seventh.
const ALIKE: u32 = 20;
/// Bands of two places: texts that are looked at because they agree in a whole band.
pub const BANDS: usize = 24;

/// What stands for a text in comparisons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sketch([u16; PLACES]);

impl Sketch {
    /// The sketch of a text; `None` for one below [`FEWEST_WORDS`].
    pub fn of(text: &str) -> Option<Self> {
        let words = words(text);
        if words.len() < FEWEST_WORDS {
            return None;
        }
        let pairs = words.windows(2).map(|pair| hash(pair[0].bytes().chain(*b" ").chain(pair[1].bytes())));
        let long = words.iter().filter(|word| word.chars().count() >= LONG_WORD).map(|word| hash(word.bytes()));
        let mut least = [u64::MAX; PLACES];
        for shingle in pairs.chain(long) {
            for (place, least) in (1_u64..).zip(&mut least) {
                *least = (*least).min(mix(shingle ^ place.wrapping_mul(GOLDEN)));
            }
        }
        Some(Self(least.map(low_bits)))
    }

    /// In how many of 64 places two sketches agree.
    pub fn agreement(&self, other: &Self) -> u32 {
        self.0.iter().zip(&other.0).map(|(one, other)| u32::from(one == other)).sum()
    }

    /// Whether the texts are nearly the same.
    pub fn is_like(&self, other: &Self) -> bool {
        self.agreement(other) >= ALIKE
    }

    /// A number for each band; texts that are nearly the same nearly always share one.
    pub fn bands(&self) -> [u32; BANDS] {
        std::array::from_fn(|band| u32::from(self.0[2 * band]) << 16 | u32::from(self.0[2 * band + 1]))
    }

    /// As it is stored: 128 bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|place| place.to_be_bytes()).collect()
    }

    /// What was stored.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let places: Vec<u16> = bytes.chunks_exact(2).map(|two| u16::from_be_bytes([two[0], two[1]])).collect();
        Some(Self(places.try_into().ok()?)).filter(|_| bytes.len() == 2 * PLACES)
    }
}

/// The words that are compared.
fn words(text: &str) -> Vec<String> {
    let own = text.lines().filter(|line| !line.trim_start().starts_with('>'));
    let mut plain = String::new();
    // Every line is folded by itself: folding makes of all white space one.
    for word in own.map(text::fold).collect::<Vec<_>>().iter().flat_map(|line| line.split(' ')) {
        without_tails(word, &mut plain);
        plain.push(' ');
        if plain.len() > 32 * MOST_WORDS {
            break;
        }
    }
    let words = words_of("", None, &plain, None).shown;
    words.iter().filter(|word| !word.is_empty()).take(MOST_WORDS).map(|word| without_digits(word)).collect()
}

/// A word, with links cut after their host: `(https://spam.example/a?b)` says `spam.example`.
fn without_tails(word: &str, plain: &mut String) {
    let mut rest = word;
    while let Some((before, link)) = rest.split_once("://") {
        plain.push_str(before.trim_end_matches("https").trim_end_matches("http"));
        plain.push(' ');
        let host_end = link.find(['/', '?', '#', ',', ')', ']', '>', '"', '\'']).unwrap_or(link.len());
        plain.push_str(&link[..host_end]);
        plain.push(' ');
        let link_end = link[host_end..].find([',', ')', ']', '>', '"']).map_or(link.len(), |end| host_end + end);
        rest = &link[link_end..];
    }
    // A link without a scheme: a dot, then a slash.
    let is_link = rest.split_once('/').is_some_and(|(host, _)| host.trim_matches('.').contains('.'));
    plain.push_str(if is_link { rest.split('/').next().unwrap_or(rest) } else { rest });
}

fn without_digits(word: &str) -> String {
    let mut plain = String::with_capacity(word.len());
    for c in word.chars() {
        if !c.is_numeric() {
            plain.push(c);
        } else if !plain.ends_with('0') {
            plain.push('0');
        }
    }
    plain
}

/// 2^64 by the golden ratio: multiples of it are far apart.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// FNV-1a, mixed once more. It is stored, so it is ours and never changes.
fn hash(bytes: impl Iterator<Item = u8>) -> u64 {
    let fnv =
        bytes.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    mix(fnv)
}

/// The finaliser of `SplitMix64` (Steele, Lea, Flood 2014).
const fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

fn low_bits(least: u64) -> u16 {
    let bytes = least.to_be_bytes();
    u16::from_be_bytes([bytes[6], bytes[7]])
}

#[cfg(test)]
mod tests;
