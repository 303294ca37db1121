//! A comment as the filter reads it: what a reader sees, whatever characters it was typed with.
//!
//! Case, accents and compatibility forms go (UAX #15); characters without a shape go; a letter that looks like a Latin one
//! becomes it (UTS #39), in every text alike, so that ordinary Cyrillic or Greek only changes its spelling, always the same
//! way; letters that were set apart are put together. What was done is counted: that somebody hid words says something too.
//! Digits and signs typed for letters are read by [`letter`] where they stand in a word.

use unicode_normalization::char::{compose, decompose_canonical, decompose_compatible};
use unicode_security::skeleton;

use crate::kit::text::{is_invisible, is_mark, letter_in_a_sign, small_capital};

/// Letters set apart in a row that are taken for a word. Three would be `U S A`.
const FEWEST_SET_APART: usize = 4;

/// Letters whose shapes are kept while a text is folded: two alphabets.
const KNOWN: usize = 128;

/// A folded text and how it was written.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Folded {
    pub text: Vec<char>,
    pub letters: usize,
    pub capitals: usize,
    pub not_ascii: usize,
    /// Letters in a style of their own: mathematical, circled, full width, small capitals.
    pub styled: usize,
    /// Characters without a shape inside words, and controls of direction.
    pub hidden: usize,
    /// Letters of another script beside Latin ones.
    pub lookalikes: usize,
    /// Words whose letters were set apart.
    pub set_apart: usize,
    /// Marks piled on a letter beyond two.
    pub piled: usize,
}

impl Folded {
    /// Whether somebody took pains that a program should not read what a person does.
    pub const fn is_disguised(&self) -> bool {
        self.styled > 2 || self.hidden > 0 || self.lookalikes > 0 || self.set_apart > 0 || self.piled > 2
    }
}

/// Folds a text. Time and memory are linear in its length.
pub fn fold(text: &str) -> Folded {
    let mut folded = Folded { text: Vec::with_capacity(text.len()), ..Folded::default() };
    let mut folding = Folding {
        into: &mut folded,
        known: [('\0', None); KNOWN],
        marks: 0,
        was_latin: false,
        was_lookalike: false,
        hid: false,
    };
    for c in text.chars() {
        folding.take(c);
    }
    join_letters(&mut folded);
    folded
}

/// The letter that a folded character stands for inside a word that has letters: `5ub5cr1b3` is read as `subscrlbe`, and so
/// is `subscribe`, for nobody can tell which letter a `1` or a bar was typed for.
pub const fn letter(c: char) -> char {
    match c {
        '@' | '4' => 'a',
        '8' => 'b',
        '3' | '€' => 'e',
        '9' => 'g',
        '1' | 'i' | '!' | '|' => 'l',
        '0' => 'o',
        '$' | '5' => 's',
        '7' => 't',
        '2' => 'z',
        other => other,
    }
}

/// Whether a sign is typed for a letter when it stands between letters.
pub const fn is_letter_sign(c: char) -> bool {
    matches!(c, '@' | '€' | '!' | '|' | '$')
}

struct Folding<'a> {
    into: &'a mut Folded,
    /// Shapes that were looked up.
    known: [(char, Option<Shape>); KNOWN],
    marks: usize,
    /// What the last character was: a Latin letter as typed; one of another script that looks like one.
    was_latin: bool,
    was_lookalike: bool,
    /// Whether something without a shape was left out since.
    hid: bool,
}

impl Folding<'_> {
    fn take(&mut self, c: char) {
        if c.is_ascii() {
            self.take_ascii(c);
            return;
        }
        self.into.not_ascii += 1;
        if is_invisible(c) {
            if is_direction(c) {
                self.into.hidden += 1;
            }
            self.hid = true;
            return;
        }
        if is_mark(c) {
            self.marks += 1;
            self.into.piled += usize::from(self.marks > 2);
            return;
        }
        self.marks = 0;
        if c.is_alphabetic() {
            self.into.letters += 1;
            self.into.capitals += usize::from(c.is_uppercase());
        }
        if is_whole(c) {
            self.push(c);
            (self.was_latin, self.was_lookalike, self.hid) = (false, false, false);
            return;
        }
        if ('\u{1161}'..='\u{11c2}').contains(&c)
            && let Some(one) = self.into.text.last().and_then(|last| compose(*last, c))
        {
            self.into.text.pop();
            self.into.text.push(one);
            return;
        }
        let sign = letter_in_a_sign(c);
        let mut canonical = None;
        decompose_canonical(c, |part| canonical = canonical.or(Some(part)));
        let is_styled_sign = sign != c && !('\u{1f1e6}'..='\u{1f1ff}').contains(&c);
        let mut first = true;
        decompose_compatible(sign, |part| {
            if is_mark(part) || is_invisible(part) {
                return;
            }
            let is_styled = part.is_ascii_alphabetic() && (is_styled_sign || canonical == Some(c)) && part != c;
            if first {
                self.into.styled += usize::from(is_styled);
                first = false;
            }
            self.take_part(part, is_styled);
        });
        self.hid = false;
    }

    fn take_ascii(&mut self, c: char) {
        self.marks = 0;
        let is_letter = c.is_ascii_alphabetic();
        if is_letter {
            self.into.letters += 1;
            self.into.capitals += usize::from(c.is_ascii_uppercase());
            self.into.hidden += usize::from(self.hid && self.was_latin);
            self.into.lookalikes += usize::from(self.was_lookalike);
        }
        (self.was_latin, self.was_lookalike, self.hid) = (is_letter, false, false);
        self.into.text.push(c.to_ascii_lowercase());
    }

    /// A character that is no mark, after compatibility forms were resolved.
    fn take_part(&mut self, part: char, is_styled: bool) {
        if part.is_ascii() {
            self.into.text.push(part.to_ascii_lowercase());
            self.was_latin = part.is_ascii_alphabetic() && !is_styled;
            self.was_lookalike = false;
            return;
        }
        if self.take_shape(part) {
            return;
        }
        self.push(part);
        (self.was_latin, self.was_lookalike) = (false, false);
    }

    /// Takes the Latin letters or digits that a character of another script looks like, if it does.
    fn take_shape(&mut self, c: char) -> bool {
        if !is_compared(c) {
            return false;
        }
        // Few letters make up a text, and the tables are slow.
        let known = &mut self.known[c as usize % KNOWN];
        if known.0 != c {
            *known = (c, shape(c));
        }
        let Some(shape) = known.1 else {
            return false;
        };
        self.into.styled += usize::from(shape.is_small_capital);
        self.into.lookalikes += usize::from(self.was_latin && !shape.is_small_capital);
        (self.was_latin, self.was_lookalike) = (false, !shape.is_small_capital);
        self.into.text.extend_from_slice(&shape.letters[..shape.length]);
        true
    }

    /// Lower case, letter by letter, so that a letter's form never depends on its place.
    fn push(&mut self, c: char) {
        self.into.text.extend(c.to_uppercase().flat_map(char::to_lowercase));
    }
}

/// What a character looks like.
#[derive(Clone, Copy)]
struct Shape {
    letters: [char; 4],
    length: usize,
    is_small_capital: bool,
}

fn shape(c: char) -> Option<Shape> {
    let small = small_capital(c);
    let mut shape = Shape { letters: ['\0'; 4], length: 0, is_small_capital: small != c };
    let mut is_latin = true;
    let mut bytes = [0; 4];
    for part in skeleton(small.encode_utf8(&mut bytes)).map(small_capital) {
        decompose_compatible(part, |part| {
            if is_mark(part) {
                return;
            }
            is_latin &= part.is_ascii_alphanumeric() && shape.length < shape.letters.len();
            if is_latin {
                shape.letters[shape.length] = part.to_ascii_lowercase();
                shape.length += 1;
            }
        });
    }
    (is_latin && shape.length > 0).then_some(shape)
}

/// Whether nothing about a character need be looked up: Han, kana without marks, Hangul syllables.
const fn is_whole(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{304a}' | '\u{306a}'..='\u{306e}' | '\u{307e}'..='\u{3093}' | '\u{3400}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7a3}')
}

/// Blocks with letters that look like Latin ones: up to Hebrew, Georgian, Cherokee, Canadian syllabics, phonetic
/// extensions, Coptic and beyond, Lisu to Latin extended, and everything above the first plane.
const fn is_compared(c: char) -> bool {
    matches!(c, '\u{80}'..='\u{58f}' | '\u{10a0}'..='\u{10ff}' | '\u{13a0}'..='\u{167f}' | '\u{1d00}'..='\u{1fff}'
        | '\u{2c00}'..='\u{2dff}' | '\u{a4d0}'..='\u{a4ff}' | '\u{a640}'..='\u{a7ff}' | '\u{ab30}'..='\u{abbf}'
        | '\u{10000}'..='\u{1efff}')
}

const fn is_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Puts letters together that stand alone with one separator, always the same, between each two of them.
fn join_letters(folded: &mut Folded) {
    let text = &mut folded.text;
    let is_letter = |c: char| c.is_alphabetic() && !is_whole(c);
    let is_alone = |text: &[char], at: usize| {
        is_letter(text[at])
            && (at == 0 || !text[at - 1].is_alphanumeric())
            && text.get(at + 1).is_none_or(|c| !c.is_alphanumeric())
    };
    let (mut read, mut written) = (0, 0);
    while read < text.len() {
        let mut end = read;
        if is_alone(text, read) {
            let separator =
                text.get(read + 1).copied().filter(|c| matches!(c, ' ' | '.' | '-' | '_' | '*' | '/' | ','));
            while end + 2 < text.len() && text.get(end + 1).copied() == separator && is_alone(text, end + 2) {
                end += 2;
            }
        }
        if (end - read) / 2 + 1 >= FEWEST_SET_APART {
            folded.set_apart += 1;
            while read <= end {
                text[written] = text[read];
                (read, written) = (read + 2, written + 1);
            }
            read = end + 1;
        } else {
            while read <= end {
                text[written] = text[read];
                (read, written) = (read + 1, written + 1);
            }
        }
    }
    text.truncate(written);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> String {
        fold(text).text.into_iter().collect()
    }

    #[test]
    fn disguised_words_are_read_as_people_read_them() {
        for text in [
            "SUBSCRIBE",
            "súbscríbe",
            "𝓼𝓾𝓫𝓼𝓬𝓻𝓲𝓫𝓮",
            "𝐬𝐮𝐛𝐬𝐜𝐫𝐢𝐛𝐞",
            "ｓｕｂｓｃｒｉｂｅ",
            "ⓢⓤⓑⓢⓒⓡⓘⓑⓔ",
            "🅢🅤🅑🅢🅒🅡🅘🅑🅔",
            "🆂🆄🅱🆂🅲🆁🅸🅱🅴",
            "ꜱᴜʙꜱᴄʀɪʙᴇ",
            "ˢᵘᵇˢᶜʳⁱᵇᵉ",
            "sub\u{200b}scr\u{200d}ibe",
            "s\u{ad}ubscribe",
            "ѕubѕсriЬе",
            "s u b s c r i b e",
            "s.u.b.s.c.r.i.b.e",
            "s-u-b-s-c-r-i-b-e",
            "s\u{336}u\u{336}b\u{336}scribe",
        ] {
            let folded: String = fold(text).text.into_iter().map(letter).collect();
            assert_eq!(folded, "subscrlbe", "{text}");
        }
    }

    #[test]
    fn what_is_written_plainly_is_not_called_disguised() {
        for text in [
            "Plain words, a USA and an U S A.",
            "Ça va, Müller? Žižek šel",
            "Привет, как дела? Это обычный комментарий.",
            "Καλημέρα σε όλους",
            "今日はいい天気ですね",
            "안녕하세요",
            "नमस्ते दुनिया",
            "می\u{200c}خواهم",
            "👩\u{200d}👩\u{200d}👧 ❤\u{fe0f} 🇫🇷",
            "10 m² for 5 €, ½ of it™",
            "Nguyễn Thị Ánh",
        ] {
            assert!(!fold(text).is_disguised(), "{text} {:?}", fold(text));
        }
    }

    #[test]
    fn what_was_done_is_counted() {
        assert!(fold("𝓼𝓾𝓫𝓼").is_disguised());
        assert!(fold("chеck").is_disguised());
        assert!(fold("ch\u{200b}eck").is_disguised());
        assert!(fold("\u{202e}kcehc").is_disguised());
        assert!(fold("c h e c k").is_disguised());
        assert!(fold("c\u{336}\u{337}\u{338}h\u{336}\u{337}\u{338}e\u{336}\u{337}\u{338}").is_disguised());
    }

    #[test]
    fn a_composed_and_a_decomposed_text_are_one() {
        for (one, other) in [("한국어", "한국어"), ("Müller", "Mu\u{308}ller"), ("がぎ", "か\u{3099}き\u{3099}")]
        {
            assert_eq!(read(one), read(other));
        }
        assert_eq!(read("한국어"), "한국어");
    }

    proptest! {
        #[test]
        fn any_text_is_folded_and_folding_it_again_finds_no_disguise(text in any::<String>()) {
            let once = fold(&text);
            let again = fold(&once.text.iter().collect::<String>());
            prop_assert_eq!((again.styled, again.hidden, again.piled), (0, 0, 0));
            prop_assert!(once.text.len() <= text.chars().count() * 18);
        }
    }
}
