//! A text as one line of folded words with a space around each, so that a word or phrase of a list is looked for as a piece
//! of the line: ` casino ` stands in ` the casino is open ` and not in ` the casinos `.
//!
//! Words are folded as the index of the search folds them. A run of a script without spaces is one word of the line, and a
//! piece that begins or ends in such a script needs no space there: it is found anywhere in the run.

use std::ops::Range;

use super::words::{Class, class, fold_each};

/// The line of a text; a single space when it has no words.
#[must_use]
pub fn line_of(text: &str) -> String {
    let mut line = String::with_capacity(text.len() + 2);
    write(text, |c, _, _| line.push(c));
    line
}

/// The piece of lines that a word or phrase is found by; none when it has no word.
#[must_use]
pub fn needle_of(phrase: &str) -> Option<String> {
    let line = line_of(phrase);
    let is_free = |c: Option<char>| c.is_some_and(|c| class(c) == Class::Paired);
    let words = line.trim_matches(' ');
    if words.is_empty() {
        return None;
    }
    let start = usize::from(is_free(words.chars().next()));
    let end = line.len() - usize::from(is_free(words.chars().next_back()));
    Some(line[start..end].to_owned())
}

/// Where in the text, in bytes, the words of a part of its line stand.
#[must_use]
pub fn origin_of(text: &str, part: Range<usize>) -> Range<usize> {
    let (mut at, mut origin) = (0, None::<Range<usize>>);
    write(text, |c, start, end| {
        if part.contains(&at) && c != ' ' {
            let first = origin.as_ref().map_or(start, |origin| origin.start);
            origin = Some(first..end);
        }
        at += c.len_utf8();
    });
    origin.unwrap_or(0..0)
}

/// Gives the characters of a text's line, each with the place of what it was made of.
fn write(text: &str, mut each: impl FnMut(char, usize, usize)) {
    let mut last = Class::None;
    each(' ', 0, 0);
    fold_each(text, |c, start, end| {
        let is_of = class(c);
        if is_of != Class::None {
            each_after(last, is_of, start, &mut each);
            each(c, start, end);
        } else if last != Class::None {
            each(' ', start, end);
        }
        last = is_of;
    });
    if last != Class::None {
        each(' ', text.len(), text.len());
    }
}

/// A space between two words that nothing stands between.
fn each_after(last: Class, next: Class, at: usize, each: &mut impl FnMut(char, usize, usize)) {
    if last != Class::None && (last != next || next == Class::Symbol) {
        each(' ', at, at);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_has_a_space_around_every_word() {
        for (text, line) in [
            ("", " "),
            ("...", " "),
            ("The  Café, OPEN!", " the cafe open "),
            ("(casino)", " casino "),
            ("今日casinoカジノで。遊ぶ", " 今日 casino カジノで 遊ぶ "),
            ("no👍👍way", " no 👍 👍 way "),
            ("ＣＡＳＩＮＯ", " casino "),
        ] {
            assert_eq!(line_of(text), line, "{text}");
        }
    }

    #[test]
    fn a_needle_is_found_as_whole_words_and_in_scripts_without_spaces_anywhere() {
        let finds = |phrase: &str, text: &str| line_of(text).contains(&needle_of(phrase).unwrap());
        for (phrase, text) in [
            ("casino", "A CASINO."),
            ("Cheap pills", "cheap, pills"),
            ("cafe", "Café"),
            ("カジノ", "今日カジノで遊ぶ"),
            ("casinoカジノ", "the casino カジノで"),
            ("👍", "well👍done"),
        ] {
            assert!(finds(phrase, text), "{phrase} in {text}");
        }
        for (phrase, text) in [
            ("cialis", "socialism"),
            ("casino", "casinos"),
            ("cheap pills", "cheap and pills"),
            ("casinoカジノ", "xcasinoカジノ"),
        ] {
            assert!(!finds(phrase, text), "{phrase} in {text}");
        }
        assert_eq!(needle_of(" -.- "), None);
    }

    #[test]
    fn what_was_found_is_where_it_was_written() {
        let text = "Ein  CAFE\u{301}, bitte";
        let line = line_of(text);
        let at = line.find(" cafe ").unwrap();
        assert_eq!(&text[origin_of(text, at..at + " cafe ".len())], "CAFE\u{301}");
        assert_eq!(origin_of(text, 0..1), 0..0);
    }

    proptest! {
        #[test]
        fn every_text_holds_itself_and_every_part_has_a_place(text in "\\PC{0,40}", from in 0_usize..40, length in 0_usize..40) {
            let line = line_of(&text);
            prop_assert!(line.starts_with(' ') && line.ends_with(' ') && !line.contains("  "));
            if let Some(needle) = needle_of(&text) {
                prop_assert!(line.contains(&needle));
            }
            let origin = origin_of(&text, from..from + length);
            prop_assert!(text.get(origin).is_some());
        }
    }
}
