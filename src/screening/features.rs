//! What the filter learns by: the features of a comment, as keyed 64-bit hashes.
//!
//! Words, runs of signs, pairs of neighbours, pieces of two to five characters, hosts that are linked to, and a few facts
//! about the whole. Each counts once however often it stands there. The key is a site's own, so that nobody can make up
//! words that meet others' counts. Hashes are what is counted; the words themselves are found in the comment again when a
//! score is explained, and are kept nowhere.

mod stored;

use super::folding::{Folded, fold, is_letter_sign, letter};

/// Characters of a comment that are read. Ten thousand bytes of any text are within it.
pub const MOST_CHARACTERS: usize = 12_000;

/// Characters from which a text is long: some six hundred words.
const LONG: usize = 4_000;

/// Letters of a word that count.
const LONGEST_WORD: usize = 64;

/// Characters of a run of signs that count.
const LONGEST_RUN: usize = 8;

/// A site's secret for hashing. Counts made under one key mean nothing under another.
#[derive(Clone, Copy)]
pub struct FeatureKey([u64; 2]);

/// What is read of a submission. Only `text` is needed; what is empty says nothing.
#[derive(Debug, Default, Clone, Copy)]
pub struct Written<'a> {
    pub text: &'a str,
    pub name: &'a str,
    /// The email's part behind the `@`: what stands before it is a person's.
    pub email_domain: &'a str,
    pub url: &'a str,
}

/// The features of a submission.
pub struct Features {
    /// What was read, folded, in which the tokens stand.
    text: Vec<char>,
    tokens: Vec<Token>,
    pub(super) distinct: Vec<Feature>,
    /// Every feature at every place, by token.
    pub(super) places: Vec<Place>,
    /// How many of `distinct`, its first, are about the whole rather than a place in it.
    pub(super) about: usize,
    /// Whether the comment was too long to be read whole.
    pub is_cut: bool,
}

/// What the two lowest bits of a feature say; none set is anything but a piece.
const SHORT: u64 = 1;
const PIECE: u64 = 2;

/// A feature: 62 bits of a hash, and what it is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Feature(u64);

impl Feature {
    /// Pieces of two characters are in nearly every comment: only the second stage weighs them.
    pub(super) const fn is_short(self) -> bool {
        self.0 & 3 == SHORT
    }

    /// Pieces of three to five characters: many overlap in each word.
    pub(super) const fn is_piece(self) -> bool {
        self.0 & 3 == PIECE
    }

    /// A number of so many bits.
    #[allow(clippy::cast_possible_truncation)] // What is left over has few bits.
    pub(super) const fn bucket(self, bits: u32) -> usize {
        (self.0 >> (64 - bits)) as usize
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Index into `distinct`.
    pub(super) feature: u32,
    pub(super) token: u32,
}

#[derive(Debug, Clone, Copy)]
struct Token {
    start: u32,
    end: u32,
}

impl FeatureKey {
    /// A key from sixteen secret bytes.
    pub fn new(bytes: [u8; 16]) -> Self {
        let [a, b] = [0, 8].map(|at| bytes[at..at + 8].iter().fold(0, |number, byte| number << 8 | u64::from(*byte)));
        // Multiplying by an odd number loses nothing.
        Self([a, b | 1])
    }

    fn begin(self, kind: Kind) -> u64 {
        self.mix(self.0[0], kind as u64)
    }

    fn mix(self, state: u64, next: u64) -> u64 {
        let product = u128::from(state ^ next.wrapping_mul(0x9e37_79b9_7f4a_7c15)) * u128::from(self.0[1]);
        #[allow(clippy::cast_possible_truncation)] // both halves, one upon the other
        let folded = product as u64 ^ (product >> 64) as u64;
        folded ^ self.0[0].rotate_left(23)
    }

    fn of_text(self, kind: Kind, text: impl Iterator<Item = char>) -> u64 {
        text.fold(self.begin(kind), |state, c| self.mix(state, c.into()))
    }
}

/// Kinds never share a feature: the word `com` is not the host's ending.
#[derive(Clone, Copy)]
enum Kind {
    Word,
    Pair,
    Piece,
    Host,
    Number,
    Links,
    Length,
    Capitals,
    NotAscii,
    Disguised,
    Name,
    Email,
}

impl Features {
    /// Reads a submission: pure, the same for the same key and text, some 20 µs for 300 bytes.
    pub fn of(key: FeatureKey, written: &Written) -> Self {
        let end = written.text.char_indices().nth(MOST_CHARACTERS).map_or(written.text.len(), |(at, _)| at);
        let folded = fold(&written.text[..end]);
        let mut reader = Reader::new(key, folded.text.len());
        let links = reader.read_text(&folded.text);
        reader.read_about(written, &folded, links);
        reader.count(folded.text, end < written.text.len())
    }

    /// How many tokens the text has: words, runs of signs, characters of scripts without spaces.
    pub(super) fn count_tokens(&self) -> usize {
        self.tokens.len()
    }

    /// A token as the comment has it, folded.
    pub(super) fn token(&self, index: usize) -> String {
        let Token { start, end } = self.tokens[index];
        self.text[start as usize..end as usize].iter().collect()
    }
}

struct Reader {
    key: FeatureKey,
    tokens: Vec<Token>,
    /// The hash of each token, for pairs.
    before: Option<u64>,
    /// The text as letters, a space between tokens; and the token of each.
    spelling: Vec<(char, u32)>,
    found: Vec<(u64, u32)>,
    about: Vec<u64>,
}

impl Reader {
    fn new(key: FeatureKey, length: usize) -> Self {
        Self {
            key,
            tokens: Vec::with_capacity(length / 4 + 1),
            before: None,
            spelling: Vec::with_capacity(length * 5 / 4 + 2),
            found: Vec::with_capacity(length * 5 + 16),
            about: Vec::with_capacity(16),
        }
    }

    /// Cuts the text into tokens, and gives the number of links.
    fn read_text(&mut self, text: &[char]) -> usize {
        let (mut at, mut links, mut host_end) = (0, 0, 0);
        self.spelling.push((' ', 0));
        while at < text.len() {
            let c = text[at];
            if c.is_whitespace() || c.is_control() {
                at += 1;
                continue;
            }
            let start = at;
            if is_alone(c) {
                at += 1;
                self.end_token(start, at, &text[start..at]);
                continue;
            }
            let is_dollar = c == '$' && text.get(at + 1).is_some_and(|c| c.is_alphabetic());
            if c.is_alphanumeric() || is_dollar {
                if at >= host_end
                    && let Some((from, to)) = host_at(text, at)
                {
                    host_end = to;
                    links += 1;
                    let host = self.key.of_text(Kind::Host, text[from..to].iter().copied());
                    self.find(host, self.next_token());
                }
                at = word_end(text, at);
            } else {
                while at < text.len() && is_sign(text[at]) {
                    at += 1;
                }
                at = at.max(start + 1);
            }
            self.end_token(start, at, &text[start..at]);
        }
        self.read_pieces();
        links
    }

    #[allow(clippy::cast_possible_truncation)] // There are fewer tokens than characters, and these are limited.
    fn next_token(&self) -> u32 {
        self.tokens.len() as u32
    }

    #[allow(clippy::cast_possible_truncation)] // as above
    fn end_token(&mut self, start: usize, end: usize, written: &[char]) {
        let token = self.next_token();
        let is_word = written.iter().any(|c| c.is_alphabetic());
        let is_number = !is_word && written.iter().all(|c| c.is_numeric());
        let most = if is_word || is_number { LONGEST_WORD } else { LONGEST_RUN };
        let (mut last, mut same) = (' ', 0);
        let begun = self.spelling.len();
        for c in written.iter().copied().filter(|c| !is_apostrophe(*c)) {
            let c = if is_word { letter(c) } else { c };
            same = if c == last { same + 1 } else { 0 };
            last = c;
            // `soooo` is `soo`; digits are meant as they are.
            if (same < 2 || is_number) && self.spelling.len() - begun < most {
                self.spelling.push((c, token));
            }
        }
        let word = self.key.of_text(Kind::Word, self.spelling[begun..].iter().map(|(c, _)| *c));
        self.spelling.push((' ', token));
        self.tokens.push(Token { start: start as u32, end: end as u32 });
        self.find(word, token);
        if is_number {
            let number = self.key.mix(self.key.begin(Kind::Number), written.len() as u64);
            self.find(number, token);
        }
        if let Some(before) = self.before.replace(word) {
            let pair = self.key.mix(self.key.mix(self.key.begin(Kind::Pair), before), word);
            self.find(pair, token - 1);
        }
    }

    fn find(&mut self, hash: u64, token: u32) {
        self.found.push((hash & !(SHORT | PIECE), token));
    }

    /// Pieces of two to five characters; in a long text of four only, whose words and pairs say enough.
    fn read_pieces(&mut self) {
        let begun = self.key.begin(Kind::Piece);
        let is_long = self.spelling.len() > LONG;
        for (at, (first, token)) in self.spelling.iter().enumerate() {
            let mut state = self.key.mix(begun, (*first).into());
            let rest = self.spelling[at + 1..].iter().take(if is_long { 3 } else { 4 });
            for (length, (c, _)) in (2..).zip(rest) {
                state = self.key.mix(state, (*c).into());
                let kind = if length == 2 { SHORT } else { PIECE };
                if !is_long || length == 4 {
                    self.found.push((state & !(SHORT | PIECE) | kind, *token));
                }
            }
        }
    }

    fn read_about(&mut self, written: &Written, folded: &Folded, links: usize) {
        let length = folded.text.len();
        let share = |part: usize, of: usize| (part * 8).div_ceil(of.max(1)) as u64;
        let about = [
            (Kind::Links, links.min(3) as u64),
            (Kind::Length, u64::from(length.max(1).ilog2())),
            (Kind::Capitals, if folded.letters < 4 { 9 } else { share(folded.capitals, folded.letters) }),
            (Kind::NotAscii, share(folded.not_ascii, length)),
            (Kind::Disguised, u64::from(folded.is_disguised())),
        ];
        self.about.extend(about.map(|(kind, value)| self.key.mix(self.key.begin(kind), value)));
        for word in fold(written.name).text.split(|c| !c.is_alphanumeric()).filter(|word| !word.is_empty()).take(8) {
            self.about.push(self.key.of_text(Kind::Name, word.iter().map(|c| letter(*c))));
        }
        if !written.email_domain.is_empty() {
            self.about.push(self.key.of_text(Kind::Email, fold(written.email_domain).text.into_iter()));
        }
        let url = fold(written.url).text;
        if let Some((from, to)) = host_at(&url, 0) {
            self.about.push(self.key.of_text(Kind::Host, url[from..to].iter().copied()));
        }
    }

    /// Keeps each feature once, and where it stands.
    fn count(self, text: Vec<char>, is_cut: bool) -> Features {
        let mut once = Once::new(self.found.len() + self.about.len());
        for hash in self.about {
            once.index(hash & !(SHORT | PIECE));
        }
        let about = once.distinct.len();
        let found = self.found.into_iter();
        let places = found.map(|(hash, token)| Place { feature: once.index(hash), token }).collect();
        Features { text, tokens: self.tokens, distinct: once.distinct, places, about, is_cut }
    }
}

/// Features in the order in which they were met, each once.
struct Once {
    distinct: Vec<Feature>,
    /// Indices into `distinct`, by hash, at least half of them free.
    table: Vec<u32>,
}

impl Once {
    const FREE: u32 = u32::MAX;

    fn new(most: usize) -> Self {
        Self { distinct: Vec::with_capacity(most), table: vec![Self::FREE; (most * 2).next_power_of_two()] }
    }

    #[allow(clippy::cast_possible_truncation)] // There are fewer features than six times the characters.
    fn index(&mut self, hash: u64) -> u32 {
        let last = self.table.len() - 1;
        // Bits from the middle: the upper ones choose a bucket, the lowest say something else.
        let mut slot = (hash >> 4) as usize & last;
        loop {
            match self.table[slot] {
                Self::FREE => {
                    let index = self.distinct.len() as u32;
                    self.table[slot] = index;
                    self.distinct.push(Feature(hash));
                    return index;
                }
                index if self.distinct[index as usize].0 == hash => return index,
                _ => slot = (slot + 1) & last,
            }
        }
    }
}

/// The end of the word that begins here: letters and digits, with apostrophes and signs for letters between them.
fn word_end(text: &[char], start: usize) -> usize {
    let mut end = start + 1;
    while end < text.len() {
        let c = text[end];
        let is_within = is_apostrophe(c) || is_letter_sign(c);
        let goes_on = |c: &char| c.is_alphanumeric() && !is_alone(*c);
        if !(goes_on(&c) || is_within && text.get(end + 1).is_some_and(goes_on)) {
            break;
        }
        end += 1;
    }
    end
}

/// The host that is linked to here: after a scheme, after `www.`, or alone when its last part is one that spam uses without.
fn host_at(text: &[char], at: usize) -> Option<(usize, usize)> {
    const BARE: [&str; 40] = [
        "com", "net", "org", "info", "biz", "ru", "cn", "io", "co", "xyz", "top", "club", "online", "site", "shop",
        "store", "tk", "ml", "ga", "cf", "gq", "me", "tv", "cc", "ly", "gl", "gd", "be", "link", "click", "live",
        "pro", "app", "dev", "us", "uk", "de", "fr", "in", "vip",
    ];
    let begins = |at: usize, with: &str| with.chars().enumerate().all(|(i, c)| text.get(at + i) == Some(&c));
    let scheme = ["https://", "http://"].into_iter().find(|scheme| begins(at, scheme)).map_or(0, str::len);
    let mut start = at + scheme;
    let has_www = begins(start, "www.");
    if has_www {
        start += 4;
    }
    let is_within = |c: &char| c.is_alphanumeric() || matches!(c, '-' | '.');
    let length = text[start.min(text.len())..].iter().take(253).take_while(|c| is_within(c)).count();
    let mut end = start + length;
    while end > start && matches!(text[end - 1], '.' | '-') {
        end -= 1;
    }
    let host = &text[start.min(end)..end];
    let dot = host.iter().rposition(|c| *c == '.')?;
    let is_bare_host = || BARE.iter().any(|ending| host[dot + 1..].iter().copied().eq(ending.chars()));
    (scheme > 0 || has_www || is_bare_host()).then_some((start, end))
}

/// Scripts that write words without spaces between them, and emoji: each character is a token.
fn is_alone(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3040}'..='\u{30ff}'
        | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
        || matches!(c, '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}')
}

fn is_sign(c: char) -> bool {
    !c.is_alphanumeric() && !c.is_whitespace() && !c.is_control() && !is_alone(c)
}

const fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '\u{2019}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: FeatureKey = FeatureKey([1, 3]);

    fn of(text: &str) -> Features {
        Features::of(KEY, &Written { text, ..Written::default() })
    }

    fn tokens(text: &str) -> Vec<String> {
        let features = of(text);
        (0..features.count_tokens()).map(|at| features.token(at)).collect()
    }

    #[test]
    fn a_text_is_cut_into_words_runs_of_signs_and_single_characters() {
        for (text, cut) in [
            ("It's HERE!!! at 5:30", &["it's", "here", "!!!", "at", "5", ":", "30"][..]),
            ("ch3ck th!s $ave", &["ch3ck", "th!s", "$ave"]),
            ("日本語 ok 👍👍", &["日", "本", "語", "ok", "👍", "👍"]),
            ("joe@mail.example", &["joe@mail", ".", "example"]),
            (" \n\t", &[]),
        ] {
            assert_eq!(tokens(text), cut, "{text}");
        }
    }

    #[test]
    fn hosts_are_found_with_and_without_a_scheme() {
        let host = |text: &str| {
            let text: Vec<char> = text.chars().collect();
            host_at(&text, 0).map(|(from, to)| text[from..to].iter().collect::<String>())
        };
        for (text, found) in [
            ("https://www.news.example/gate", Some("news.example")),
            ("http://a.b.", Some("a.b")),
            ("www.shop.example", Some("shop.example")),
            ("cheap-pills.com/now", Some("cheap-pills.com")),
            ("end.start", None),
            ("http://", None),
            ("word", None),
        ] {
            assert_eq!(host(text).as_deref(), found, "{text}");
        }
    }

    #[test]
    fn spellings_of_one_word_share_all_features_but_the_disguise() {
        let plain = of("subscribe to my channel");
        for text in ["5ub5cr1b3 t0 my ch4nn3l", "SUBSCRIBE to MY channel", "subscrіbe tо my channel"] {
            let other = of(text);
            let shared = other.distinct.iter().filter(|feature| plain.distinct.contains(feature)).count();
            assert!(plain.distinct.len() - shared <= 3, "{text}: {shared} of {}", plain.distinct.len());
        }
    }

    #[test]
    fn another_key_makes_other_features() {
        let other = Features::of(FeatureKey::new([9; 16]), &Written { text: "one two", ..Written::default() });
        assert!(other.distinct.iter().all(|feature| !of("one two").distinct.contains(feature)));
    }

    #[test]
    fn a_text_is_read_up_to_a_limit() {
        assert!(!of(&"a".repeat(MOST_CHARACTERS)).is_cut);
        assert!(of(&"ä".repeat(MOST_CHARACTERS + 1)).is_cut);
    }

    proptest! {
        #[test]
        fn any_submission_is_read(text in any::<String>(), name in any::<String>(), url in any::<String>()) {
            let features = Features::of(KEY, &Written { text: &text, name: &name, email_domain: &name, url: &url });
            let mut distinct = features.distinct.clone();
            distinct.sort_unstable();
            distinct.dedup();
            prop_assert_eq!(distinct.len(), features.distinct.len());
            prop_assert!(features.places.iter().all(|place| (place.token as usize) < features.count_tokens().max(1)));
        }
    }
}
