//! Passwords: which are good enough, how they are hashed, and that hashing never takes the machine.
//!
//! Argon2id with 19 MiB, two passes and one lane (OWASP Password Storage Cheat Sheet; ASVS 5.0, 11.4.2), a random salt of
//! 16 bytes. As many hashes run at once as there are cores, off the threads that answer requests; 64 may wait for them in
//! each of two queues, and whoever comes then is told to come back.
//!
//! Before it is judged or hashed a password is composed (NFC, as RFC 8265 §4.2 has it), so that it is the same from every
//! keyboard. Nothing else is folded or cut off, and each code point counts as one character.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};

use unicode_normalization::UnicodeNormalization;

use crate::app::App;
use crate::kit::places::Queue;
use crate::kit::secret;
use crate::store::StoreError;

/// The shortest password that may stand alone, in characters (NIST SP 800-63B-4 §3.1.1.2).
pub const SHORTEST: usize = 15;
/// The shortest beside a second factor, in characters (the same).
pub const SHORTEST_OF_TWO: usize = 8;
/// The longest, in characters.
pub const LONGEST: usize = 128;

const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// How many may wait for a hash, in each queue.
const MOST_WAITING: usize = 64;

/// An attacker's first so many guesses are refused as passwords: the 3,000 commonest (ASVS 6.2.4) and the commonest words
/// and names, each with 10,000 ways to put digits and signs around it. Runs of the alphabet or the keyboard, repetitions,
/// words written backwards or with signs in place of letters are among them.
const COMMON_GUESSES: u64 = 3_000 * 10_000;
/// The same beside a second factor, where guessing the password is half of it: with 100 ways.
const COMMON_GUESSES_OF_TWO: u64 = 3_000 * 100;
/// How many characters are judged for commonness. What is good enough by these is no worse with more behind them, and the
/// time it takes grows fast with their number: a hundred signs that may stand for letters would take seconds.
const MOST_JUDGED: usize = 32;
/// What is counted of the digits and signs around a word: people write a year, or what a form once asked of them.
const MOST_AROUND: u32 = 4;

/// A hash of a password that nobody knows, for names that nobody has: an unknown name costs what a wrong password costs.
const NOBODYS_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c2FsdCBvZiBub2JvZHkhIQ$ytk6TEcLVLPbDgEgVRwMMQMnSWFsjm7x7lk6Y6IsVQk";

/// Why a password cannot be used or checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    #[error("a password needs at least {0} characters")]
    TooShort(usize),
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checked {
    Wrong,
    Right,
    /// Right, and the hash is weaker than what is made today: one to be kept in its place is to be made.
    RightButWeak,
}

/// What a new password is judged by, beside itself.
#[derive(Debug, Clone, Default)]
pub struct Standard {
    pub has_second_factor: bool,
    /// What must not be all of it: the user's names, the sites'.
    pub words: Vec<String>,
}

impl Standard {
    /// For a password that stands alone, of somebody with these names, on these sites.
    pub fn of(names: &[&str], site_words: &[String]) -> Self {
        let product = ["rejoinder"].into_iter();
        let whole = names.iter().copied().chain(site_words.iter().map(String::as_str)).chain(product);
        let parts = |word: &str| word.split(|c: char| !c.is_alphanumeric()).map(str::to_owned).collect::<Vec<_>>();
        let words = whole.flat_map(|word| parts(word).into_iter().chain([word.to_owned()]));
        Self { has_second_factor: false, words: words.filter(|word| word.chars().count() > 2).collect() }
    }

    /// For an account that has a second factor, or has none.
    #[must_use]
    pub fn with_second_factor(self, has_second_factor: bool) -> Self {
        Self { has_second_factor, ..self }
    }

    fn shortest(&self) -> usize {
        if self.has_second_factor { SHORTEST_OF_TWO } else { SHORTEST }
    }

    fn common_guesses(&self) -> u64 {
        if self.has_second_factor { COMMON_GUESSES_OF_TWO } else { COMMON_GUESSES }
    }
}

/// Judges a new password, by its length and by how soon it would be guessed, with no rules of composition; then hashes it.
pub async fn hash_new(app: &App, password: &str, standard: Standard) -> Result<String, PasswordError> {
    let password = composed(password);
    judge_length(&password, &standard)?;
    off_the_workers(app, Queue::Known, move || {
        judge(&password, &standard)?;
        hash_now(&password)
    })
    .await
}

/// Whether [`hash_new`] would take it.
pub async fn judge_new(app: &App, password: &str, standard: Standard) -> Result<(), PasswordError> {
    let password = composed(password);
    judge_length(&password, &standard)?;
    off_the_workers(app, Queue::Known, move || judge(&password, &standard)).await
}

/// A hash of today's strength of a password that is right.
pub async fn hash_again(app: &App, password: &str) -> Result<String, PasswordError> {
    let password = composed(password);
    off_the_workers(app, Queue::Known, move || hash_now(&password)).await
}

/// A hash of a password that nobody knows or will know.
pub async fn hash_of_none(app: &App) -> Result<String, PasswordError> {
    let password = secret::encode(&secret::random().map_err(|error| PasswordError::Failed(error.to_string()))?);
    off_the_workers(app, Queue::Known, move || hash_now(&password)).await
}

/// Checks a password against a hash, or against nobody's when there is none. Both cost one hash.
pub async fn check(app: &App, queue: Queue, password: &str, hash: Option<String>) -> Result<Checked, PasswordError> {
    let password = composed(password);
    off_the_workers(app, queue, move || {
        let is_known = hash.is_some();
        let kept = hash.unwrap_or_else(|| NOBODYS_HASH.to_owned());
        let parsed = PasswordHash::new(&kept).map_err(|error| PasswordError::Failed(error.to_string()))?;
        match argon2()?.verify_password(password.as_bytes(), &parsed) {
            Ok(()) if is_known && is_weak(&parsed) => Ok(Checked::RightButWeak),
            Ok(()) if is_known => Ok(Checked::Right),
            Ok(()) | Err(argon2::password_hash::Error::PasswordInvalid) => Ok(Checked::Wrong),
            Err(error) => Err(PasswordError::Failed(error.to_string())),
        }
    })
    .await
}

fn composed(password: &str) -> String {
    password.nfc().collect()
}

fn judge_length(password: &str, standard: &Standard) -> Result<(), PasswordError> {
    match password.chars().count() {
        length if length < standard.shortest() => Err(PasswordError::TooShort(standard.shortest())),
        length if length > LONGEST => Err(PasswordError::TooLong),
        _ => Ok(()),
    }
}

fn judge(password: &str, standard: &Standard) -> Result<(), PasswordError> {
    judge_length(password, standard)?;
    let is_common = password.trim().is_empty() || guesses(password, &standard.words) < standard.common_guesses();
    if is_common { Err(PasswordError::Common) } else { Ok(()) }
}

/// How many guesses it takes: as it is, or as what it has at its core with something around it.
fn guesses(password: &str, words: &[String]) -> u64 {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let password: String = password.to_lowercase().chars().take(MOST_JUDGED).collect();
    let core = password.trim_matches(|c: char| !c.is_alphabetic());
    let around = u32::try_from(password.chars().count() - core.chars().count()).unwrap_or(u32::MAX).min(MOST_AROUND);
    let whole = guesses_of_parts(&password, &words);
    if core.is_empty() || around == 0 {
        return whole;
    }
    whole.min(guesses_of_parts(core, &words).saturating_mul(10_u64.pow(around)))
}

/// The guesses of its parts, multiplied, in every order. The crate's own sum takes three parts for good however common
/// each of them is, such as a name, a hyphen and the name again.
fn guesses_of_parts(text: &str, words: &[&str]) -> u64 {
    let found = zxcvbn::zxcvbn(text, words);
    let parts = found.sequence().iter().zip(1..);
    let product = parts.fold(1, |product: u64, (part, number)| {
        product.saturating_mul(part.guesses.unwrap_or(1).max(1)).saturating_mul(number)
    });
    product.min(found.guesses())
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
    queue: Queue,
    work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
) -> Result<T, PasswordError> {
    let place = app.hashing.wait(queue, MOST_WAITING).await.ok_or(PasswordError::Busy)?;
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

    fn alone() -> Standard {
        Standard::of(
            &["ludovica.marchetti", "The Editors"],
            &["tidewater-post".to_owned(), "The Tidewater Post".to_owned()],
        )
    }

    /// S2.
    #[test]
    fn a_password_is_judged_by_length_and_commonness_alone() {
        for (password, judged) in [
            ("", Err(PasswordError::TooShort(15))),
            ("14 characters.", Err(PasswordError::TooShort(15))),
            ("fifteen letters", Ok(())),
            ("onlylowercaselettershere", Ok(())),
            ("ünïcödé counts by character", Ok(())),
            ("ludovica's boat is green", Ok(())),
            ("ebb tide at the old mill", Ok(())),
            (&"x9 ".repeat(43), Err(PasswordError::TooLong)),
            ("                ", Err(PasswordError::Common)),
        ] {
            assert_eq!(judge(password, &alone()), judged, "{password:?}");
        }
    }

    /// S2: what anybody would try first, as people write it who must write fifteen characters.
    #[test]
    fn the_commonest_are_refused_however_they_are_dressed_up() {
        for password in [
            "123456789012345",
            "111111111111111",
            "aaaaaaaaaaaaaaaaaaaa",
            "abcdefghijklmno",
            "qwertyuiopasdfgh",
            "qwertyuiopasdfghjkl",
            "1qaz2wsx3edc4rfv",
            "passwordpassword",
            "PASSWORDPASSWORD",
            "PassWordPassWord",
            "passwordpassword1",
            "Password123456!",
            "P@ssw0rd12345678",
            "P4ssw0rd!2345678",
            "!!!Password2024!!!",
            "drowssap12345678",
            "iloveyou1234567",
            "Iloveyou!!2024!!",
            "letmeinletmein1!",
            "Welcome12345678!",
            "Liverpool2023!!",
            "dragon-dragon-dragon",
            "monkeymonkeymonkey",
            "football20242024",
            "adminadminadmin1",
            "Superman1234567!",
            "ludovica.marchetti",
            "Ludovica.Marchetti1!",
            "marchettimarchetti",
            "marchetti-marchetti",
            "the tidewater post",
            "Tidewater-Post2024!",
            "rejoinder2024!!",
            "RejoinderRejoinder1",
            "15 characters..",
        ] {
            assert_eq!(judge(password, &alone()), Err(PasswordError::Common), "{password:?}");
        }
    }

    /// S2.
    #[test]
    fn beside_a_second_factor_eight_characters_do() {
        let standard = alone().with_second_factor(true);
        for (password, judged) in [
            ("7 chars", Err(PasswordError::TooShort(8))),
            ("tr7kq9xw", Ok(())),
            ("ebb tide mill", Ok(())),
            ("password", Err(PasswordError::Common)),
            ("Password1!", Err(PasswordError::Common)),
            ("p4ssw0rd", Err(PasswordError::Common)),
            ("12345678", Err(PasswordError::Common)),
            ("qwertyui", Err(PasswordError::Common)),
            ("football", Err(PasswordError::Common)),
            ("trustno1", Err(PasswordError::Common)),
            ("baseball1", Err(PasswordError::Common)),
            ("ludovica", Err(PasswordError::Common)),
            ("rejoinder1", Err(PasswordError::Common)),
        ] {
            assert_eq!(judge(password, &standard), judged, "{password:?}");
        }
    }

    #[test]
    fn a_password_is_the_same_from_every_keyboard_and_else_as_it_was_typed() {
        assert_eq!(composed("mu\u{308}hle"), composed("m\u{fc}hle"));
        for (one, other) in [("ﬁ", "fi"), ("²", "2"), ("Ａ", "A"), ("A", "a"), ("a ", "a")] {
            assert_ne!(composed(one), composed(other));
        }
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
        assert_eq!(judge(&one, &Standard::default()), Ok(()));
    }
}
