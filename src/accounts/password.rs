//! Passwords: which are good enough, how they are hashed, and that hashing never takes the machine.
//!
//! Argon2id with 19 MiB, two passes and one lane (OWASP Password Storage Cheat Sheet; ASVS 5.0, 11.4.2), a random salt of
//! 16 bytes. As many hashes run at once as there are cores, off the threads that answer requests; a queue of 64 may wait
//! for them, and whoever comes then is told to come back.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};

use crate::app::App;
use crate::kit::secret;
use crate::store::StoreError;

/// The shortest password that may stand alone, in characters (NIST SP 800-63B-4 §3.1.1.2).
pub const SHORTEST: usize = 15;
/// The longest, in characters.
pub const LONGEST: usize = 128;

const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// How many may wait for a hash.
const MOST_WAITING: usize = 64;

/// An attacker's first so many guesses are refused as passwords: it covers the 3,000 commonest that ASVS 6.2.4 asks for,
/// alone, repeated, with changes of case or digits after them, and runs like `abcdefghijklmno`.
const COMMON_GUESSES: u64 = 1_000_000;

/// A hash of a password that nobody knows, for names that nobody has: an unknown name costs what a wrong password costs.
const NOBODYS_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c2FsdCBvZiBub2JvZHkhIQ$ytk6TEcLVLPbDgEgVRwMMQMnSWFsjm7x7lk6Y6IsVQk";

/// Why a password cannot be used or checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    #[error("a password needs at least {SHORTEST} characters")]
    TooShort,
    #[error("a password has at most {LONGEST} characters")]
    TooLong,
    #[error("this password is among the first that anyone would guess")]
    Common,
    #[error("too many sign-ins at once")]
    Busy,
    #[error("the password could not be hashed: {0}")]
    Failed(String),
}

/// What checking a password found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checked {
    Wrong,
    Right,
    /// Right, and here is a hash of today's strength to keep in place of the old one.
    RightButWeak(String),
}

/// Judges a new password by its length and by how soon it would be guessed; no rules of composition. `names` are words
/// that must not be all of it, such as the user's name.
pub fn judge(password: &str, names: &[&str]) -> Result<(), PasswordError> {
    match password.chars().count() {
        length if length < SHORTEST => Err(PasswordError::TooShort),
        length if length > LONGEST => Err(PasswordError::TooLong),
        _ if password.trim().is_empty() => Err(PasswordError::Common),
        _ if zxcvbn::zxcvbn(&password.to_lowercase(), names).guesses() < COMMON_GUESSES => Err(PasswordError::Common),
        _ => Ok(()),
    }
}

/// Hashes a password that was judged.
pub async fn hash(app: &App, password: String) -> Result<String, PasswordError> {
    off_the_workers(app, move || hash_now(&password)).await
}

/// Checks a password against a hash, or against nobody's when there is none. Both cost one hash.
pub async fn check(app: &App, password: String, hash: Option<String>) -> Result<Checked, PasswordError> {
    off_the_workers(app, move || {
        let is_known = hash.is_some();
        let kept = hash.unwrap_or_else(|| NOBODYS_HASH.to_owned());
        let parsed = PasswordHash::new(&kept).map_err(|error| PasswordError::Failed(error.to_string()))?;
        match argon2()?.verify_password(password.as_bytes(), &parsed) {
            Ok(()) if is_known && is_weak(&parsed) => hash_now(&password).map(Checked::RightButWeak),
            Ok(()) if is_known => Ok(Checked::Right),
            Ok(()) | Err(argon2::password_hash::Error::PasswordInvalid) => Ok(Checked::Wrong),
            Err(error) => Err(PasswordError::Failed(error.to_string())),
        }
    })
    .await
}

/// A password for a person to keep: five words of five random letters, over 100 bits.
pub fn random_words() -> Result<String, secret::NoRandomness> {
    const VOWELS: &[u8; 5] = b"aeiou";
    const CONSONANTS: &[u8; 16] = b"bdfghjklmnprstvz";
    let bytes = secret::random()?;
    let letter = |at: usize| match at % 2 {
        0 => CONSONANTS[usize::from(bytes[at]) % CONSONANTS.len()],
        _ => VOWELS[usize::from(bytes[at]) % VOWELS.len()],
    };
    let word = |number: usize| (0..6).map(|at| char::from(letter(number * 6 + at))).collect::<String>();
    Ok((0..5).map(word).collect::<Vec<_>>().join("-"))
}

fn hash_now(password: &str) -> Result<String, PasswordError> {
    argon2()?
        .hash_password(password.as_bytes())
        .map(|hash: PasswordHash| hash.to_string())
        .map_err(|error| PasswordError::Failed(error.to_string()))
}

fn argon2() -> Result<Argon2<'static>, PasswordError> {
    let params =
        Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|error| PasswordError::Failed(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn is_weak(hash: &PasswordHash) -> bool {
    let below = |name: &str, wanted: u32| hash.params.get_decimal(name).is_none_or(|value| value < wanted);
    hash.algorithm.as_str() != "argon2id" || below("m", MEMORY_KIB) || below("t", PASSES)
}

async fn off_the_workers<T: Send + 'static>(
    app: &App,
    work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
) -> Result<T, PasswordError> {
    let place = app.hashing.wait(MOST_WAITING).await.ok_or(PasswordError::Busy)?;
    let done = tokio::task::spawn_blocking(work).await;
    drop(place);
    done.map_err(|error| PasswordError::Failed(error.to_string()))?
}

impl From<PasswordError> for StoreError {
    fn from(error: PasswordError) -> Self {
        Self::Broken(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_judged_by_length_and_commonness_alone() {
        for (password, judged) in [
            ("", Err(PasswordError::TooShort)),
            ("14 characters.", Err(PasswordError::TooShort)),
            ("123456789012345", Err(PasswordError::Common)),
            ("                ", Err(PasswordError::Common)),
            ("aaaaaaaaaaaaaaaaaaaa", Err(PasswordError::Common)),
            ("passwordpassword", Err(PasswordError::Common)),
            ("PASSWORDPASSWORD", Err(PasswordError::Common)),
            ("qwertyuiopasdfghjkl", Err(PasswordError::Common)),
            ("qwertyuiopasdfgh", Err(PasswordError::Common)),
            ("passwordpassword1", Err(PasswordError::Common)),
            ("ludovica-marchetti-ludovica", Ok(())),
            ("fifteen letters", Ok(())),
            ("ünïcödé counts by character", Ok(())),
            (&"x9 ".repeat(43), Err(PasswordError::TooLong)),
        ] {
            assert_eq!(judge(password, &[]), judged, "{password:?}");
        }
    }

    #[test]
    fn the_users_own_name_is_no_password() {
        assert_eq!(judge("ludovica.marchetti", &["ludovica.marchetti"]), Err(PasswordError::Common));
    }

    #[test]
    fn every_hash_has_the_promised_strength_and_nobodys_costs_the_same() {
        let ours = hash_now("correct horse battery").unwrap();
        for text in [ours.as_str(), NOBODYS_HASH] {
            let hash = PasswordHash::new(text).unwrap();
            assert!(!is_weak(&hash), "{text}");
            assert!(hash.salt.is_some_and(|salt| salt.as_ref().len() >= 16), "{text}");
        }
    }

    #[test]
    fn words_for_people_are_long_enough_and_differ() {
        let (one, other) = (random_words().unwrap(), random_words().unwrap());
        assert_ne!(one, other);
        assert_eq!(judge(&one, &[]), Ok(()));
    }
}
