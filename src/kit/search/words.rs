//! The words of a text, and of a comment as it is indexed.
//!
//! A word is a run of letters, digits and their signs, folded: compatibility forms, case and the diacritics of Latin, Greek,
//! Cyrillic, Hebrew and Arabic do not count, while vowel signs, viramas and tones of other scripts do. Han, kana, Hangul,
//! Thai, Lao, Khmer and Myanmar are cut into overlapping pairs. A symbol such as an emoji is a word of its own.

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;
use unicode_normalization::char::compose;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

use crate::kit::text;

/// Letters of a word that count. What is longer differs in its first letters, or is no word.
const LONGEST_WORD: usize = 64;

/// Words of a comment's text, name and URL that are indexed. PostgreSQL knows no position after the 16,383rd; the email
/// comes behind these.
const MOST_WORDS: usize = 16_000;

/// Words of an email that are indexed: it is at most 100 bytes long.
const MOST_EMAIL_WORDS: usize = 60;

/// Places at which one word is indexed. PostgreSQL keeps up to 256 of a word, those in the email included.
const MOST_PLACES: usize = 180;

/// How a word was cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Whole,
    /// Two characters of a script without spaces.
    Pair,
    /// The last of several such characters, which is the second of the pair before it too.
    Last,
    /// Such a character alone.
    Alone,
}

/// A word and where it stands in the text, in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut<'a> {
    pub word: &'a str,
    pub kind: Kind,
    pub start: usize,
    /// Where its first character ends.
    pub first_end: usize,
    pub end: usize,
}

/// Cuts a text into its words, in order.
pub(super) fn cut(text: &str, each: impl FnMut(Cut)) {
    let mut cutter = Cutter { each, word: String::new(), length: 0, start: 0, end: 0, run: None };
    fold_each(text, |c, start, end| cutter.take(c, start, end));
    cutter.end_word();
    cutter.end_run();
}

/// Folds a text character by character, each with the place in bytes of what it was made of.
pub(super) fn fold_each(text: &str, mut take: impl FnMut(char, usize, usize)) {
    let mut start = 0;
    while let Some(c) = text[start..].chars().next() {
        let (mut end, mut last) = (start + c.len_utf8(), c);
        // What the next character may change, or become one with, is folded together with it.
        let joins = |last, next: &char| !next.is_ascii() && (goes_on(*next) || compose(last, *next).is_some());
        while let Some(next) = text[end..].chars().next().filter(|next| joins(last, next)) {
            (end, last) = (end + next.len_utf8(), next);
        }
        if end == start + 1 {
            take(c.to_ascii_lowercase(), start, end);
        } else {
            let decomposed = text[start..end].nfkd().flat_map(char::to_uppercase).flat_map(char::to_lowercase);
            let bare = decomposed.nfkd().filter(|c| !is_ignored(*c));
            bare.nfc().for_each(|c| take(c, start, end));
        }
        start = end;
    }
}

struct Cutter<F> {
    each: F,
    /// The whole word being read, and where.
    word: String,
    length: usize,
    start: usize,
    end: usize,
    /// The last character of a run without spaces.
    run: Option<Last>,
}

struct Last {
    character: char,
    start: usize,
    end: usize,
    is_first: bool,
}

impl<F: FnMut(Cut)> Cutter<F> {
    fn take(&mut self, c: char, start: usize, end: usize) {
        match class(c) {
            Class::Joined => {
                self.end_run();
                self.go_on(c, start, end);
            }
            Class::Paired => {
                self.end_word();
                self.pair(c, start, end);
            }
            Class::Symbol => {
                self.end_word();
                self.end_run();
                self.go_on(c, start, end);
                self.end_word();
            }
            Class::None => {
                self.end_word();
                self.end_run();
            }
        }
    }

    fn go_on(&mut self, c: char, start: usize, end: usize) {
        if self.length == 0 {
            self.start = start;
        }
        if self.length < LONGEST_WORD {
            self.word.push(c);
        }
        self.length += 1;
        self.end = end;
    }

    fn end_word(&mut self) {
        if self.length > 0 {
            let (start, end) = (self.start, self.end);
            (self.each)(Cut { word: &self.word, kind: Kind::Whole, start, first_end: end, end });
            self.word.clear();
            self.length = 0;
        }
    }

    fn pair(&mut self, c: char, start: usize, end: usize) {
        let before = self.run.replace(Last { character: c, start, end, is_first: false });
        match before {
            Some(first) => {
                let mut bytes = [0; 8];
                let length = first.character.encode_utf8(&mut bytes).len();
                let length = length + c.encode_utf8(&mut bytes[length..]).len();
                let word = std::str::from_utf8(&bytes[..length]).unwrap_or_default();
                (self.each)(Cut { word, kind: Kind::Pair, start: first.start, first_end: first.end, end });
            }
            None => self.run = Some(Last { character: c, start, end, is_first: true }),
        }
    }

    fn end_run(&mut self) {
        if let Some(Last { character, start, end, is_first }) = self.run.take() {
            let kind = if is_first { Kind::Alone } else { Kind::Last };
            let mut bytes = [0; 4];
            let word = &*character.encode_utf8(&mut bytes);
            (self.each)(Cut { word, kind, start, first_end: end, end });
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Of a word that is cut whole.
    Joined,
    /// Of a script without spaces.
    Paired,
    Symbol,
    /// Of no word.
    None,
}

pub(super) fn class(c: char) -> Class {
    if c.is_ascii() {
        return if c.is_ascii_alphanumeric() { Class::Joined } else { Class::None };
    }
    let is_of_words = c.is_alphanumeric() || c.general_category_group() == GeneralCategoryGroup::Mark;
    match is_of_words {
        true if is_without_spaces(c) => Class::Paired,
        true => Class::Joined,
        false if c.general_category() == GeneralCategory::OtherSymbol => Class::Symbol,
        false => Class::None,
    }
}

/// Thai, Lao; Myanmar; Hangul letters; Khmer; ideographic signs, kana, Bopomofo, Han; Hangul syllables; further Myanmar,
/// kana and Han, by block.
fn is_without_spaces(c: char) -> bool {
    matches!(c,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1100}'..='\u{11ff}' | '\u{1780}'..='\u{17ff}'
        | '\u{3005}'..='\u{3007}' | '\u{3021}'..='\u{30ff}' | '\u{3105}'..='\u{318f}' | '\u{31a0}'..='\u{31ff}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{a960}'..='\u{a97f}' | '\u{a9e0}'..='\u{a9ff}'
        | '\u{aa60}'..='\u{aa7f}' | '\u{ac00}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}' | '\u{1aff0}'..='\u{1b16f}'
        | '\u{20000}'..='\u{3ffff}')
}

/// Whether a character belongs to the one before it: a mark, a Hangul vowel or final, the voicing of halfwidth kana.
fn goes_on(c: char) -> bool {
    matches!(c, '\u{1160}'..='\u{11ff}' | '\u{d7b0}'..='\u{d7ff}' | '\u{ff9e}' | '\u{ff9f}' | '\u{ffa0}'..='\u{ffdc}')
        || canonical_combining_class(c) != 0
        || c.general_category_group() == GeneralCategoryGroup::Mark
}

/// What does not make a word another: diacritics by block (general, Cyrillic, Hebrew, Arabic, Syriac), the stretching of
/// Arabic, and what has no shape.
fn is_ignored(c: char) -> bool {
    !c.is_ascii()
        && (matches!(c,
            '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}'..='\u{5c2}'
            | '\u{5c4}'..='\u{5c5}' | '\u{5c7}' | '\u{610}'..='\u{61a}' | '\u{640}' | '\u{64b}'..='\u{65f}' | '\u{670}'
            | '\u{6d6}'..='\u{6dc}' | '\u{6df}'..='\u{6e4}' | '\u{6e7}'..='\u{6e8}' | '\u{6ea}'..='\u{6ed}' | '\u{711}'
            | '\u{730}'..='\u{74a}' | '\u{898}'..='\u{89f}' | '\u{8ca}'..='\u{8ff}' | '\u{1ab0}'..='\u{1aff}'
            | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{2de0}'..='\u{2dff}' | '\u{a66f}'..='\u{a672}'
            | '\u{a674}'..='\u{a67d}' | '\u{a69e}'..='\u{a69f}' | '\u{fe20}'..='\u{fe2f}')
            || text::is_invisible(c))
}

/// The words of a comment as they are indexed: what everyone may search, and what only those may who see emails.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IndexedWords {
    /// Of name, URL and text. Empty where a word is not indexed, so that no phrase reaches across: between two fields, and
    /// where a word stands too often.
    pub shown: Vec<String>,
    pub email: Vec<String>,
}

/// The words of a comment.
pub fn words_of(name: &str, url: Option<&str>, text: &str, email: Option<&str>) -> IndexedWords {
    let mut shown = Vec::new();
    for field in [name, url.unwrap_or_default(), text] {
        if !shown.is_empty() {
            shown.push(String::new());
        }
        cut(field, |cut| shown.push(cut.word.to_owned()));
    }
    let mut words = Vec::new();
    cut(email.unwrap_or_default(), |cut| words.push(cut.word.to_owned()));
    IndexedWords { shown: bounded(shown, MOST_WORDS), email: bounded(words, MOST_EMAIL_WORDS) }
}

fn bounded(mut words: Vec<String>, most: usize) -> Vec<String> {
    words.truncate(most);
    if words.len() > MOST_PLACES {
        let mut places: HashMap<String, usize> = HashMap::new();
        for word in &mut words {
            let count = places.entry(word.clone()).or_default();
            *count += 1;
            if *count > MOST_PLACES {
                word.clear();
            }
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(text: &str) -> Vec<String> {
        let mut words = Vec::new();
        cut(text, |cut| words.push(cut.word.to_owned()));
        words
    }

    #[test]
    fn words_are_whole_and_folded() {
        for (text, expected) in [
            ("The Tide, mills!", vec!["the", "tide", "mills"]),
            ("don't", vec!["don", "t"]),
            ("Ada.Lovelace+x@Example.ORG", vec!["ada", "lovelace", "x", "example", "org"]),
            ("https://example.org/a_b?c=1", vec!["https", "example", "org", "a", "b", "c", "1"]),
            ("Café CAFE\u{301} cafe", vec!["cafe", "cafe", "cafe"]),
            ("Straße STRASSE ﬁn ½ x²", vec!["strasse", "strasse", "fin", "1", "2", "x2"]),
            ("ΣΊΣΥΦΟΣ σίσυφος", vec!["σισυφοσ", "σισυφοσ"]),
            ("Ёлка елка Йод", vec!["елка", "елка", "иод"]),
            ("İstanbul istanbul ISTANBUL", vec!["istanbul", "istanbul", "istanbul"]),
            ("שָׁלוֹם שלום", vec!["שלום", "שלום"]),
            ("مُحَمَّد محمد محـمد", vec!["محمد", "محمد", "محمد"]),
            ("soft\u{ad}hyphen", vec!["softhyphen"]),
            ("no 👍🏽 way", vec!["no", "👍", "way"]),
            ("... -- \u{300}", vec![]),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
        assert_eq!(words(&"a".repeat(70)), ["a".repeat(64)]);
    }

    #[test]
    fn signs_of_indic_scripts_make_another_word() {
        assert_eq!(words("हिन्दी में"), ["हिन्दी", "में"]);
        assert_ne!(words("कि"), words("की"));
        // Composed and decomposed are the same.
        assert_eq!(words("\u{958}"), words("\u{915}\u{93c}"));
    }

    #[test]
    fn scripts_without_spaces_are_cut_into_pairs() {
        for (text, expected) in [
            ("中国人", vec!["中国", "国人", "人"]),
            ("人", vec!["人"]),
            ("abc中国x", vec!["abc", "中国", "国", "x"]),
            ("ひらカタ漢", vec!["ひら", "らカ", "カタ", "タ漢", "漢"]),
            ("ｶﾞｷﾞ ガギ", vec!["ガギ", "ギ", "ガギ", "ギ"]),
            ("한국어", vec!["한국", "국어", "어"]),
            ("\u{1112}\u{1161}\u{11ab}국", vec!["한국", "국"]),
            ("ไทย", vec!["ไท", "ทย", "ย"]),
            ("中。国", vec!["中", "国"]),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
    }

    #[test]
    fn a_comment_is_bounded_and_its_fields_are_apart() {
        let few = words_of("Ada", None, "one two", Some("ada@example.org"));
        assert_eq!(few.shown, ["ada", "", "", "one", "two"]);
        assert_eq!(few.email, ["ada", "example", "org"]);
        let many = words_of("x", None, &"a b ".repeat(16_000), None);
        assert_eq!(many.shown.len(), MOST_WORDS);
        assert_eq!(many.shown.iter().filter(|word| *word == "a").count(), MOST_PLACES);
        assert_eq!(words_of("", None, "one", None).shown, ["one"]);
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing_and_places_are_within_the_text(text in "\\PC{0,40}") {
            let mut all = Vec::new();
            cut(&text, |cut| {
                assert!(!text[cut.start..cut.end].is_empty() && cut.first_end <= cut.end);
                if cut.kind == Kind::Whole {
                    all.push(cut.word.to_owned());
                }
            });
            for word in all {
                prop_assert_eq!(words(&word).concat(), word);
            }
        }

        #[test]
        fn composition_makes_no_difference(text in "\\PC{0,40}") {
            let (composed, decomposed): (String, String) = (text.nfc().collect(), text.nfd().collect());
            prop_assert_eq!(words(&composed), words(&decomposed));
        }
    }
}
