//! Time-based one-time passwords (RFC 6238): SHA-1, six digits, 30 seconds, as every authenticator app has them.
//!
//! Whether a code was used before is not known here: who takes one keeps the step it was of, and takes no step twice.

use aws_lc_rs::hmac;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::clock::Millis;
use super::secret;

/// How many bytes a secret has: as many as SHA-1 gives (RFC 4226 §4, R6).
pub const SECRET_BYTES: usize = 20;

/// A code's length, in digits.
pub const DIGITS: usize = 6;

/// How long a code is shown, in milliseconds.
const STEP_MS: i64 = 30_000;

/// How many steps a device's clock may be off, and a person slow (RFC 6238 §5.2: at most one is recommended).
const STEPS_ASIDE: i64 = 1;

/// What a URL never escapes (RFC 3986 §2.3) stays as it is.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The step that a moment lies in.
pub const fn step_at(now: Millis) -> i64 {
    now.0.div_euclid(STEP_MS)
}

/// The code of a step.
pub fn code_of(secret: &[u8], step: i64) -> String {
    // SHA-1 is broken where collisions count; in HMAC they do not, and apps know little else.
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let bytes = tag.as_ref();
    let offset = usize::from(bytes.last().copied().unwrap_or(0) & 0x0f);
    let word = bytes[offset..offset + 4].iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte));
    format!("{:0DIGITS$}", (word & 0x7fff_ffff) % 1_000_000)
}

/// The step that a code is of, when that is the present one or its neighbour; the latest, should it be of two.
pub fn step_of(secret: &[u8], code: &str, now: Millis) -> Option<i64> {
    let present = step_at(now);
    let near = present - STEPS_ASIDE..=present + STEPS_ASIDE;
    // All are compared, so that its time does not tell which it was.
    near.filter(|step| secret::is_equal(code_of(secret, *step).as_bytes(), code.as_bytes())).max()
}

/// A secret as people type it into an app: base32 (RFC 4648 §6), without padding.
pub fn base32(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = String::with_capacity((bytes.len() * 8).div_ceil(5));
    for chunk in bytes.chunks(5) {
        let bits = chunk.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte)) << (8 * (5 - chunk.len()));
        for place in 0..(chunk.len() * 8).div_ceil(5) {
            let letter = usize::try_from(bits >> (35 - 5 * place) & 31).unwrap_or(0);
            text.push(char::from(LETTERS[letter]));
        }
    }
    text
}

/// The address by which apps take a secret over (the "Key Uri Format" that they agree on). `issuer` and `account` are
/// what the app shows.
pub fn uri(secret: &[u8], issuer: &str, account: &str) -> String {
    let (issuer, account) = (utf8_percent_encode(issuer, ESCAPED), utf8_percent_encode(account, ESCAPED));
    let secret = base32(secret);
    format!("otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits=6&period=30")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"12345678901234567890";

    const fn at(seconds: i64) -> Millis {
        Millis(seconds * 1000)
    }

    /// RFC 6238, appendix B: eight digits there, of which six digits are the last.
    #[test]
    fn codes_are_those_of_the_rfc() {
        for (seconds, code) in [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
            (20_000_000_000, "65353130"),
        ] {
            assert_eq!(code_of(SECRET, step_at(at(seconds))), code[2..], "{seconds}");
        }
    }

    /// RFC 4226, appendix D.
    #[test]
    fn codes_by_counter_are_those_of_the_older_rfc() {
        let codes = (0..10).map(|step| code_of(SECRET, step)).collect::<Vec<_>>();
        let wanted = "755224 287082 359152 969429 338314 254676 287922 162583 399871 520489";
        assert_eq!(codes.join(" "), wanted);
    }

    #[test]
    fn a_code_is_good_for_its_step_and_its_neighbours() {
        let code = code_of(SECRET, 100);
        for (seconds, step) in
            [(2969, None), (2970, Some(100)), (3000, Some(100)), (3059, Some(100)), (3060, None), (0, None)]
        {
            assert_eq!(step_of(SECRET, &code, at(seconds)), step, "{seconds}");
        }
        for wrong in ["", "0", "12345", "1234567", &code[1..], &format!("{code} "), "٠٠٠٠٠٠"] {
            assert_eq!(step_of(SECRET, wrong, at(3000)), None, "{wrong:?}");
        }
    }

    /// RFC 4648 §10.
    #[test]
    fn base32_is_that_of_the_rfc() {
        for (bytes, text) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(base32(bytes.as_bytes()), text);
        }
        assert_eq!(base32(SECRET), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    }

    #[test]
    fn what_an_app_shows_is_escaped_in_the_address() {
        assert_eq!(
            uri(b"fooba", "Rejoinder (news.example)", "ada@example.org"),
            "otpauth://totp/Rejoinder%20%28news.example%29:ada%40example.org?secret=MZXW6YTB\
             &issuer=Rejoinder%20%28news.example%29&algorithm=SHA1&digits=6&period=30"
        );
    }
}
