//! What a person may type as a name or a field, and when two pieces of text are the same to a reader.
//!
//! Names are cleaned where nobody could see the difference (composition, white space) and refused where a reader would be
//! misled (reversed text, characters without a shape, piles of accents). Comments are never changed, only checked.
//! The tables are Unicode's, through small crates; the rules follow UAX #15 (normalisation), UAX #31 §2.3 (joiners),
//! UTS #39 (look-alikes) and UTS #51 (emoji).
//!
//! Deliberately not here: lengths, words, scripts, addresses, and any decision about a name that looks like another.

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup};
use unicode_properties::{UnicodeEmoji, UnicodeGeneralCategory};
use unicode_security::skeleton;

/// Accents in a row on one letter. Vietnamese needs two, pointed Hebrew and Tibetan three or four.
const MAX_MARKS: usize = 4;

/// Why a text was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextFault {
    #[error("must not contain the NUL character")]
    Nul,
    #[error("must be one line without control characters")]
    Control,
    #[error("must not contain invisible characters")]
    Invisible,
    #[error("must not stack more than {MAX_MARKS} accents on a letter")]
    StackedMarks,
    #[error("must contain something visible")]
    Blank,
}

/// A person's public name: one line, composed (NFC), with single spaces inside and none around.
///
/// White space of any width counts as a space, and so does a tab. Applied to its own result it changes nothing.
///
/// # Errors
///
/// Control characters and line breaks; characters without a shape, private or unassigned, except joiners in the scripts and
/// emoji that need them (flags of regions and ideographic variants are refused); stacked accents; nothing visible.
pub fn name(raw: &str) -> Result<String, TextFault> {
    if raw.is_ascii() {
        check_plain(&raw.replace('\t', " "))?;
        let name = fold_space(raw);
        return if name.is_empty() { Err(TextFault::Blank) } else { Ok(name) };
    }
    let composed: String = raw.nfc().collect::<String>().replace('\t', " ");
    check_plain(&composed)?;
    let mut marks = 0;
    for c in composed.chars() {
        marks = if is_mark(c) { marks + 1 } else { 0 };
        if marks > MAX_MARKS {
            return Err(TextFault::StackedMarks);
        }
    }
    if composed.chars().all(|c| c.is_whitespace() || is_mark(c)) {
        return Err(TextFault::Blank);
    }
    Ok(fold_space(&composed))
}

/// Checks the text of a comment, which is kept exactly as it was typed.
///
/// # Errors
///
/// [`TextFault::Nul`], which PostgreSQL cannot keep, and [`TextFault::Blank`].
pub fn check_comment(raw: &str) -> Result<(), TextFault> {
    if raw.contains('\0') {
        return Err(TextFault::Nul);
    }
    let is_blank = raw.chars().all(|c| c.is_whitespace() || c.is_control() || is_invisible(c));
    if is_blank { Err(TextFault::Blank) } else { Ok(()) }
}

/// Checks a field that ends in a header, a log or a link: an email address, a URL. It may be empty.
///
/// # Errors
///
/// [`TextFault::Nul`], [`TextFault::Control`] and [`TextFault::Invisible`], in this order, as for [`name`]; also a tab.
pub fn check_plain(raw: &str) -> Result<(), TextFault> {
    if raw.contains('\0') {
        return Err(TextFault::Nul);
    }
    if raw.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')) {
        return Err(TextFault::Control);
    }
    if raw.is_ascii() {
        return Ok(());
    }
    let mut before = None;
    let mut chars = raw.chars().peekable();
    while let Some(c) = chars.next() {
        let is_hidden = if is_invisible(c) { !is_needed(before, c, chars.peek().copied()) } else { is_undefined(c) };
        if is_hidden {
            return Err(TextFault::Invisible);
        }
        before = Some(c);
    }
    Ok(())
}

/// Two keys of a name: names that a person may take for each other share the first or the second.
///
/// The first looks through case and then shape (`STAFF`, Cyrillic), the second through shape and then case (`lris` for
/// `Iris`); both ignore spaces, punctuation, decoration, accents and characters without a shape. They are for comparing,
/// not showing.
#[must_use]
pub fn lookalike_keys(name: &str) -> [String; 2] {
    let letters = name.chars().filter(|c| !"™®©℠Ⓜⓜ¹²³".contains(*c)).map(letter_by_look);
    let bare: String = letters.nfkd().map(letter_in_a_sign).filter(|&c| is_compared(c)).nfkc().collect();
    let shape = |text: &str| -> String {
        let shapes: String = skeleton(text).collect();
        lower(shapes.nfkd().map(small_capital)).filter(|&c| is_compared(c)).collect()
    };
    let folded: String = lower(bare.chars()).collect();
    let keys = [shape(&folded), shape(&bare)];
    // A name of punctuation only is like itself and like no other.
    keys.map(|key| if key.is_empty() { fold(name) } else { key })
}

/// The text without case, accents, styles, invisible characters and extra space: equal for texts that say the same.
///
/// For finding an author and for recognising a comment sent twice. Applied to its own result it changes nothing.
#[must_use]
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return fold_space(&text.to_ascii_lowercase());
    }
    let lowered: String = lower(text.nfkd()).collect();
    let bare = lowered.nfkd().filter(|&c| !is_mark(c) && !is_invisible(c));
    fold_space(&bare.nfkc().collect::<String>())
}

fn fold_space(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.push_str(word);
    }
    folded
}

/// The letter that a digit or sign is typed for, as in `5t@ff`.
fn letter_by_look(c: char) -> char {
    match c {
        '@' | '4' => 'a',
        '8' => 'b',
        '3' => 'e',
        '1' => 'l',
        '0' => 'o',
        '$' | '5' => 's',
        '7' => 't',
        other => other,
    }
}

/// Letter by letter, so that a letter's form never depends on its place, as a final sigma's would.
fn lower(chars: impl Iterator<Item = char>) -> impl Iterator<Item = char> {
    chars.flat_map(char::to_uppercase).flat_map(char::to_lowercase)
}

fn is_compared(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || matches!(c, '$' | '|');
    }
    let is_punctuation = c.general_category_group() == GeneralCategoryGroup::Punctuation;
    // Stars and ticks around a name do not make it another; a bar may be a letter.
    let is_decoration = matches!(c.general_category(), GeneralCategory::OtherSymbol | GeneralCategory::ModifierSymbol);
    !(c.is_whitespace() || c.is_control() || is_punctuation || is_decoration || is_mark(c) || is_invisible(c))
}

/// The letter in a filled circle or square, or of a regional indicator: unlike the outlined ones, Unicode does not say
/// that these are letters.
pub fn letter_in_a_sign(c: char) -> char {
    let first = match c {
        '\u{1f150}'..='\u{1f169}' => 0x1f150,
        '\u{1f170}'..='\u{1f189}' => 0x1f170,
        '\u{1f1e6}'..='\u{1f1ff}' => 0x1f1e6,
        _ => return c,
    };
    char::from_u32(u32::from(c) - first + u32::from('a')).unwrap_or(c)
}

/// The letter that a small capital is. The tables of look-alikes end in these for lower-case Cyrillic, which is shaped so.
pub fn small_capital(c: char) -> char {
    const SMALL: &str = "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀꜱᴛᴜᴠᴡʏᴢʍ";
    const PLAIN: &str = "abcdefghijklmnopqrstuvwyzm";
    if c.is_ascii() {
        return c;
    }
    SMALL.chars().zip(PLAIN.chars()).find(|(small, _)| *small == c).map_or(c, |(_, plain)| plain)
}

pub fn is_mark(c: char) -> bool {
    use GeneralCategory::{EnclosingMark, NonspacingMark};
    !c.is_ascii() && matches!(c.general_category(), NonspacingMark | EnclosingMark)
}

/// Private use, unassigned (also the noncharacters): nobody knows what a reader would see.
fn is_undefined(c: char) -> bool {
    matches!(c.general_category(), GeneralCategory::PrivateUse | GeneralCategory::Unassigned)
}

/// `Default_Ignorable_Code_Point` (`DerivedCoreProperties.txt`), which holds the direction controls, joiners,
/// tags, fillers and variation selectors; and two that it leaves out, the empty Braille cell and the annotation marks.
pub fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether an invisible character changes what its neighbours look like, as writing some languages and emoji needs.
fn is_needed(before: Option<char>, c: char, after: Option<char>) -> bool {
    let (Some(before), after) = (before, after.unwrap_or(' ')) else {
        return false;
    };
    match c {
        '\u{200c}' | '\u{200d}' if joins(before) && joins(after) => true,
        '\u{200d}' => (is_emoji(before) || before == '\u{fe0f}') && is_emoji(after),
        '\u{fe0e}' | '\u{fe0f}' => is_emoji(before) || after == '\u{20e3}' && before.is_emoji_char(),
        _ => false,
    }
}

/// Letters and marks of the scripts in which a joiner changes a letter's shape: Arabic, Syriac, the Indic scripts, Myanmar,
/// Khmer and Mongolian, by block.
fn joins(c: char) -> bool {
    use GeneralCategoryGroup::{Letter, Mark};
    matches!(c, '\u{600}'..='\u{dff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{18af}')
        && matches!(c.general_category_group(), Letter | Mark)
}

fn is_emoji(c: char) -> bool {
    !c.is_ascii() && c.is_emoji_char()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_cleaned() {
        let cases = [
            ("Ana", "Ana"),
            ("  Ana   Silva\t", "Ana Silva"),
            ("\u{a0}Ana\u{3000}\u{2003}Silva ", "Ana Silva"),
            ("Jose\u{301}", "José"),
            ("می\u{200c}خواهم", "می\u{200c}خواهم"),
            ("ශ\u{dca}\u{200d}රී", "ශ\u{dca}\u{200d}රී"),
            ("👩\u{200d}👧", "👩\u{200d}👧"),
            ("❤\u{fe0f}\u{200d}🔥", "❤\u{fe0f}\u{200d}🔥"),
            ("1\u{fe0f}\u{20e3}", "1\u{fe0f}\u{20e3}"),
            ("Nguyễn Thị Ánh", "Nguyễn Thị Ánh"),
            ("O'Brien <3 & co.", "O'Brien <3 & co."),
            ("李小龍", "李小龍"),
        ];
        for (raw, clean) in cases {
            assert_eq!(name(raw).as_deref(), Ok(clean), "{raw:?}");
        }
    }

    #[test]
    fn misleading_names_are_refused() {
        use TextFault::{Blank, Control, Invisible, Nul, StackedMarks};
        let cases = [
            ("a\0\n", Nul),
            ("é\0", Nul),
            ("a\nb", Control),
            ("a\r", Control),
            ("a\x1b[31m", Control),
            ("a\x7f", Control),
            ("a\u{85}", Control),
            ("a\u{9b}", Control),
            ("a\u{2028}b", Control),
            ("a\u{2029}b", Control),
            ("a\u{202e}b", Invisible),
            ("a\u{2066}b", Invisible),
            ("a\u{61c}b", Invisible),
            ("a\u{200e}", Invisible),
            ("staf\u{200b}f", Invisible),
            ("staf\u{200d}f", Invisible),
            ("staf\u{200c}f", Invisible),
            ("staff\u{fe0f}", Invisible),
            ("7\u{fe0f}", Invisible),
            ("❤\u{fe0f}\u{fe0f}", Invisible),
            ("👩\u{200d}", Invisible),
            ("\u{200d}👩", Invisible),
            ("a\u{ad}b", Invisible),
            ("a\u{feff}", Invisible),
            ("\u{3164}", Invisible),
            ("\u{2800}", Invisible),
            ("\u{1160}", Invisible),
            ("a\u{e0041}", Invisible),
            ("葛\u{e0100}", Invisible),
            ("a\u{e000}", Invisible),
            ("a\u{ffff}", Invisible),
            ("a\u{10ffff}", Invisible),
            ("Z\u{321}\u{322}\u{336}\u{337}\u{338}", StackedMarks),
            ("", Blank),
            (" \t ", Blank),
            ("\u{a0}\u{3000}", Blank),
            ("\u{301}", Blank),
        ];
        for (raw, fault) in cases {
            assert_eq!(name(raw), Err(fault), "{raw:?}");
        }
    }

    #[test]
    fn comments_are_only_checked() {
        for kept in ["a", "a\u{202e}b\r\n\x1b", "\u{301}", "\u{e000}", "\u{1fae9}"] {
            assert_eq!(check_comment(kept), Ok(()), "{kept:?}");
        }
        assert_eq!(check_comment("a\0"), Err(TextFault::Nul));
        for blank in ["", " \r\n\t", "\u{200b}\u{2800}\u{a0}\u{3164}", "\u{200d}\u{fe0f}\x07"] {
            assert_eq!(check_comment(blank), Err(TextFault::Blank), "{blank:?}");
        }
    }

    #[test]
    fn plain_fields_hold_one_visible_line() {
        for kept in ["", "ana@example.org", "https://exämple.org/?q=1#é", "x y"] {
            assert_eq!(check_plain(kept), Ok(()), "{kept:?}");
        }
        assert_eq!(check_plain("a\0"), Err(TextFault::Nul));
        for control in ["a\r\nBcc: b@c", "a\tb", "é\u{85}", "a\u{2028}"] {
            assert_eq!(check_plain(control), Err(TextFault::Control), "{control:?}");
        }
        assert_eq!(check_plain("ana\u{200b}@example.org"), Err(TextFault::Invisible));
    }

    fn look_alike(one: &str, other: &str) -> bool {
        let (one, other) = (lookalike_keys(one), lookalike_keys(other));
        one[0] == other[0] || one[1] == other[1]
    }

    #[test]
    fn look_alikes() {
        let alike = [
            ("Staff", "Staff"),
            ("Staff", "STAFF"),
            ("Staff", "\u{405}t\u{430}ff"),
            ("Staff", "S t a f f"),
            ("Staff", "S.t-a_f'f!"),
            ("Staff", "\u{13da}taff"),
            ("Staff", "𝓢𝓽𝓪𝓯𝓯"),
            ("Staff", "Ｓｔａｆｆ"),
            ("Staff", "staf\u{200b}f"),
            ("Staff", "stàff"),
            ("Staff", "Sta\u{fb00}"),
            ("Staff", "\u{17f}taff"),
            ("Iris", "lris"),
            ("Iris", "1ris"),
            ("Iris", "|ris"),
            ("Owen", "0wen"),
            ("owen", "0WEN"),
            ("Moderator", "Rnoderator"),
            ("Ana", "Аnа"),
            ("Νίκος", "ΝΙΚΟΣ"),
            ("!!!", "!!!"),
            ("Staff", "Staff ✓"),
            ("Staff", "★ Staff ★"),
            ("Staff", "Staff 🛡\u{fe0f}"),
            ("Staff", "~Staff~"),
            ("Staff", "🅢🅣🅐🅕🅕"),
            ("Staff", "🆂🆃🅰🅵🅵"),
            ("Staff", "🇸🇹🇦🇫🇫"),
            ("Staff", "S\u{442}\u{430}ff"),
            ("Staff", "ꜱᴛᴀꜰꜰ"),
            ("Moderator", "\u{41c}oderator"),
            ("Moderator", "\u{43c}oderator"),
            ("★★", "★★"),
        ];
        for (one, other) in alike {
            assert!(look_alike(one, other), "{one:?} {other:?} {:?} {:?}", lookalike_keys(one), lookalike_keys(other));
        }
        for (one, other) in
            [("Staff", "Stefan"), ("Ana", "Anna"), ("!!!", "???"), ("★★", "☆"), ("李", "王"), ("Iris", "Ines")]
        {
            assert!(!look_alike(one, other), "{one:?} {other:?}");
        }
    }

    #[test]
    fn folding() {
        let cases = [
            ("  Ana\n\n SILVA ", "ana silva"),
            ("Ána\u{a0}𝓢ilva\u{200b}", "ana silva"),
            ("STRASSE", "strasse"),
            ("straße", "strasse"),
            ("ﬁne", "fine"),
            ("", ""),
        ];
        for (text, folded) in cases {
            assert_eq!(fold(text), folded, "{text:?}");
        }
    }

    fn any_text() -> impl Strategy<Value = String> {
        let known =
            "aA1 \t\u{a0}\u{301}\u{327}\u{200d}\u{200c}\u{fe0f}👩❤\u{1100}\u{1161}\u{11a8}می\u{dca}රİßſΣςǅ\u{345}";
        let known = proptest::sample::select(known.chars().collect::<Vec<_>>());
        proptest::collection::vec(prop_oneof![known, any::<char>()], 0..12).prop_map(|v| v.into_iter().collect())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn a_clean_name_stays(text in any_text()) {
            if let Ok(clean) = name(&text) {
                prop_assert_eq!(name(&clean), Ok(clean.clone()));
                prop_assert_eq!(check_plain(&clean), Ok(()));
                prop_assert_eq!(check_comment(&clean), Ok(()));
                prop_assert!(look_alike(&text, &clean));
            }
        }

        #[test]
        fn a_folded_text_stays(text in any_text()) {
            let folded = fold(&text);
            prop_assert_eq!(fold(&folded), folded.clone());
        }
    }
}
