//! Recovery codes: what signs somebody in who has lost the device. Sixty random bits each, good once, kept as hashes.

use crate::app::App;
use crate::kit::ids::ModeratorId;
use crate::kit::secret::{self, Digest256, NoRandomness};

/// How many somebody has at once.
pub const COUNT: usize = 10;

/// Letters and digits of a code, without its hyphens.
const LENGTH: usize = 12;

/// Five bits a letter, and none that is taken for another (Crockford's base 32, in small letters).
const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Fresh codes, to be shown once.
pub fn make() -> Result<[String; COUNT], NoRandomness> {
    let mut codes = [const { String::new() }; COUNT];
    for code in &mut codes {
        let letters: String =
            secret::random()?[..LENGTH].iter().map(|byte| char::from(LETTERS[usize::from(byte & 31)])).collect();
        *code = format!("{}-{}-{}", &letters[..4], &letters[4..8], &letters[8..]);
    }
    Ok(codes)
}

/// What a code is known by, as somebody types it: without regard to case, hyphens and spaces, and with the letters that
/// no code has read as the digits they look like. `None` when it cannot be one.
pub fn hash(app: &App, owner: ModeratorId, typed: &str) -> Option<Digest256> {
    let letters = letters(typed)?;
    // With the owner in it, so that the same code of two people would be two.
    Some(app.keys.recovery.mac(&[&owner.get().to_be_bytes(), letters.as_bytes()]))
}

fn letters(typed: &str) -> Option<String> {
    let letters: String = typed
        .chars()
        .filter(|c| !matches!(c, '-' | ' '))
        .map(|c| match c.to_ascii_lowercase() {
            'o' => '0',
            'i' | 'l' => '1',
            other => other,
        })
        .collect();
    let is_code = letters.len() == LENGTH && letters.bytes().all(|byte| LETTERS.contains(&byte));
    is_code.then_some(letters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_are_made_all_different_and_readable() {
        let codes = make().unwrap();
        for (at, code) in codes.iter().enumerate() {
            assert_eq!((code.len(), letters(code)), (14, Some(code.replace('-', ""))), "{code}");
            assert!(!codes[..at].contains(code));
        }
    }

    #[test]
    fn a_code_is_read_however_people_type_it() {
        let read = Some("01az7k901m2n".to_owned());
        for typed in ["01az-7k90-1m2n", "01AZ7K901M2N", " 01az 7k90 1m2n ", "oiAz-7k9O-Lm2n"] {
            assert_eq!(letters(typed), read, "{typed:?}");
        }
        for wrong in ["", "123456", "01az-7k90-1m2", "01az-7k90-1m2nn", "01az-7k90-1m2u", "01az-7k90-1m2é"] {
            assert_eq!(letters(wrong), None, "{wrong:?}");
        }
    }
}
