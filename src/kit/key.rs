//! Keys: the short names by which publishers call their sites and articles.

use serde::{Deserialize, Deserializer};

/// The longest key, in characters (all ASCII).
pub const MAX_KEY: usize = 200;

/// A site's or an article's key: 1 to 200 of `A–Z a–z 0–9 . _ ~ -`, the characters a URL never escapes (RFC 3986 §2.3).
/// Upper and lower case differ.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct Key(String);

impl Key {
    /// Reads a key. `.` and `..` are refused: in a path they would mean another place.
    pub fn parse(text: &str) -> Option<Self> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'~' | b'-');
        let is_key = (1..=MAX_KEY).contains(&text.len()) && text.bytes().all(is_allowed) && !matches!(text, "." | "..");
        is_key.then(|| Self(text.to_owned()))
    }

    /// The key's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not a key"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unreserved_characters_make_a_key() {
        for refused in ["", ".", "..", "a b", "a/b", "a%2Fb", "ä", "a\0", "a'", &"x".repeat(201)] {
            assert_eq!(Key::parse(refused), None, "{refused:?}");
        }
        assert!(Key::parse(&"x".repeat(200)).is_some());
        assert!(Key::parse("Spring-2026_v1.0~draft").is_some());
    }
}
