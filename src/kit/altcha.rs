//! Proof of work by ALTCHA's protocol, version 1, with SHA-256: the client looks for the number that, written behind the
//! salt, has the hash it is given. Looking takes tens of thousands of hashes, checking takes one.
//!
//! Clients take salt and signature as they come, so the signature covers more than the protocol asks for: the salt with
//! nonce and expiry, and the place. What is moved from the number into the salt, or made for another place, was never
//! signed. That a solution is used once is not known here: whoever takes it keeps its nonce.

use std::fmt::Write;
use std::time::Duration;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;

use super::clock::Millis;
use super::secret::{Digest256, Key, digest, is_equal};

/// The one hash that is asked for.
pub const ALGORITHM: &str = "SHA-256";
/// The highest number that there is to find; half of it are tried on average. A browser's worker tries about a million a
/// second on a desk and a tenth of that on an old phone.
pub const MAX_NUMBER: u32 = 100_000;
/// How long a challenge may take, with the writing of the comment.
pub const GOOD_FOR: Duration = Duration::from_mins(10);

/// How far the clocks of two nodes may be apart.
const LEEWAY: Duration = Duration::from_mins(1);
/// The longest solution that is read, in bytes of base64; honest ones have about 400.
const MAX_SOLUTION: usize = 2_000;
/// As long as the protocol's own.
const NONCE_BYTES: usize = 12;

/// Some clients leave out the padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a client is given to solve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// The hash to find the number for, in hexadecimal digits.
    pub challenge: String,
    /// `NONCE?expires=SECONDS&`: with the number behind it, it still is one block of SHA-256.
    pub salt: String,
    pub signature: String,
}

/// A solution that is right and in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Solved {
    /// Nothing else has it; good for once.
    pub nonce: Vec<u8>,
    pub expires_at: Millis,
}

/// Why a solution is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsolved {
    #[error("it is not the solution of a challenge that was made for this place")]
    Wrong,
    #[error("the challenge has expired")]
    Expired,
}

/// What clients send: the challenge as it was, and the number. Whatever else they send is theirs.
#[derive(Deserialize)]
struct Solution {
    algorithm: String,
    challenge: String,
    number: u64,
    salt: String,
    signature: String,
}

/// Makes a challenge for `place` out of 256 random bits.
pub fn make(key: &Key, place: &[&[u8]], random: &Digest256, now: Millis) -> Challenge {
    let (nonce, rest) = random.split_at(NONCE_BYTES);
    let rest = rest.first_chunk().map_or(0, |chunk| u64::from_be_bytes(*chunk));
    // Never 0, and for its size as good as even.
    let number = 1 + rest % u64::from(MAX_NUMBER);
    let expires_s = now.plus(GOOD_FOR).0.div_euclid(1000);
    let salt = format!("{}?expires={expires_s}&", hex(nonce));
    let challenge = hash(&salt, number);
    let signature = sign(key, place, &challenge, &salt);
    Challenge { challenge, salt, signature }
}

/// Checks what came in the field of the form.
///
/// # Errors
/// When it solves nothing that was made for `place` within the last ten minutes.
pub fn check(key: &Key, place: &[&[u8]], solution: &str, now: Millis) -> Result<Solved, Unsolved> {
    let solution = parse(solution).ok_or(Unsolved::Wrong)?;
    let signature = sign(key, place, &solution.challenge, &solution.salt);
    let is_ours = is_equal(signature.as_bytes(), solution.signature.as_bytes());
    if !is_ours || solution.algorithm != ALGORITHM || hash(&solution.salt, solution.number) != solution.challenge {
        return Err(Unsolved::Wrong);
    }
    let (nonce, expires_at) = read_salt(&solution.salt).ok_or(Unsolved::Wrong)?;
    // One that expires later than any made now was made while the calendar was wrong.
    if expires_at <= now || expires_at > now.plus(GOOD_FOR).plus(LEEWAY) {
        return Err(Unsolved::Expired);
    }
    Ok(Solved { nonce, expires_at })
}

fn parse(solution: &str) -> Option<Solution> {
    let bytes = (solution.len() <= MAX_SOLUTION).then(|| BASE64.decode(solution).ok())??;
    serde_json::from_slice(&bytes).ok()
}

fn hash(salt: &str, number: u64) -> String {
    hex(&digest(format!("{salt}{number}").as_bytes()))
}

fn sign(key: &Key, place: &[&[u8]], challenge: &str, salt: &str) -> String {
    let what = [ALGORITHM.as_bytes(), challenge.as_bytes(), salt.as_bytes()];
    hex(&key.mac(&[place, &what].concat()))
}

fn read_salt(salt: &str) -> Option<(Vec<u8>, Millis)> {
    let (nonce, expires_s) = salt.strip_suffix('&')?.split_once("?expires=")?;
    let byte = |at: usize| u8::from_str_radix(nonce.get(2 * at..2 * at + 2)?, 16).ok();
    let nonce = (0..NONCE_BYTES).map(byte).collect::<Option<_>>()?;
    Some((nonce, Millis(expires_s.parse::<i64>().ok()?.checked_mul(1000)?)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a text does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    const PLACE: [&[u8]; 2] = [b"main", b"spring-tides"];
    const NOW: Millis = Millis(1_795_521_600_000);

    fn key() -> Key {
        Key::master(b"one secret")
    }

    fn solve(challenge: &Challenge) -> Value {
        let number = (0..=u64::from(MAX_NUMBER)).find(|number| hash(&challenge.salt, *number) == challenge.challenge);
        json!({
            "algorithm": ALGORITHM, "challenge": challenge.challenge, "number": number.unwrap(), "salt": challenge.salt,
            "signature": challenge.signature, "took": 12,
        })
    }

    fn checked(solution: &Value, now: Millis) -> Result<Solved, Unsolved> {
        check(&key(), &PLACE, &BASE64.encode(solution.to_string()), now)
    }

    fn made(random: u8) -> Challenge {
        make(&key(), &PLACE, &[random; 32], NOW)
    }

    #[test]
    fn what_is_solved_in_time_is_taken_with_its_nonce() {
        let solved = checked(&solve(&made(7)), NOW).unwrap();
        assert_eq!((solved.nonce, solved.expires_at), (vec![7; 12], NOW.plus(GOOD_FOR)));
        let padded = BASE64.encode(solve(&made(7)).to_string());
        assert!(check(&key(), &PLACE, padded.trim_end_matches('='), NOW).is_ok());
    }

    #[test]
    fn it_is_good_for_ten_minutes_and_not_before_it_was_made() {
        let solution = solve(&made(7));
        let last = Millis(NOW.plus(GOOD_FOR).0 - 1);
        assert!(checked(&solution, last).is_ok());
        assert_eq!(checked(&solution, Millis(last.0 + 1)), Err(Unsolved::Expired));
        assert!(checked(&solution, NOW.minus(LEEWAY)).is_ok());
        assert_eq!(checked(&solution, NOW.minus(LEEWAY * 2)), Err(Unsolved::Expired));
    }

    #[test]
    fn nothing_can_be_spliced_exchanged_or_made_by_others() {
        let solution = solve(&made(7));
        let with = |name: &str, value: Value| {
            let mut solution = solution.clone();
            solution[name] = value;
            solution
        };
        let (salt, number) = (solution["salt"].as_str().unwrap(), solution["number"].as_u64().unwrap());
        let digits = number.to_string();
        let mut spliced = with("salt", json!(format!("{salt}{}", &digits[..1])));
        spliced["number"] = json!(digits[1..].parse::<u64>().unwrap_or_default());
        let other = solve(&made(8));
        for (what, wrong) in [
            ("digits moved into the salt", spliced),
            ("a later expiry", with("salt", json!(salt.replace("expires=", "expires=9")))),
            ("a second expiry", with("salt", json!(format!("{salt}expires=9999999999&")))),
            ("no salt", with("salt", json!(""))),
            ("another number", with("number", json!(number + 1))),
            ("number 0", with("number", json!(0))),
            ("a number as text", with("number", json!(number.to_string()))),
            ("a broken number", with("number", json!(0.5))),
            ("a negative number", with("number", json!(-1))),
            ("another algorithm", with("algorithm", json!("SHA-1"))),
            ("no algorithm", with("algorithm", json!(""))),
            ("no signature", with("signature", json!(""))),
            ("another's signature", with("signature", other["signature"].clone())),
            ("another's challenge", with("challenge", other["challenge"].clone())),
            ("nothing", json!({})),
            ("a list", json!([1])),
        ] {
            assert_eq!(checked(&wrong, NOW), Err(Unsolved::Wrong), "{what}");
        }
        let text = BASE64.encode(solution.to_string());
        let elsewhere: [&[u8]; 2] = [b"main", b"neap-tides"];
        assert_eq!(check(&key(), &elsewhere, &text, NOW), Err(Unsolved::Wrong));
        assert_eq!(check(&Key::master(b"another"), &PLACE, &text, NOW), Err(Unsolved::Wrong));
    }

    #[test]
    fn one_block_holds_salt_and_number() {
        assert!(made(255).salt.len() + MAX_NUMBER.to_string().len() <= 55);
    }

    proptest! {
        #[test]
        fn whatever_comes_is_judged_and_nothing_panics(text in ".{0,300}", bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(check(&key(), &PLACE, &text, NOW).is_err());
            prop_assert!(check(&key(), &PLACE, &BASE64.encode(bytes), NOW).is_err());
        }
    }

    proptest! {
        // Each is solved, which takes its time.
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn what_is_made_can_be_solved(random in any::<[u8; 32]>()) {
            let challenge = make(&key(), &PLACE, &random, NOW);
            let solution = solve(&challenge);
            let number = solution["number"].as_u64().unwrap();
            prop_assert!((1..=u64::from(MAX_NUMBER)).contains(&number));
            prop_assert_eq!(checked(&solution, NOW).map(|solved| solved.nonce), Ok(random[..NONCE_BYTES].to_vec()));
        }
    }
}
