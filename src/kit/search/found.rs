//! Whether a search finds a comment, and where: the same that both databases say of the same words, in memory.
//!
//! For walking through comments where a word is in most of them, and for showing what was found: a snippet of about
//! 160 characters of each field with a hit, escaped for HTML, the hits in `<mark>`.

use super::query::{Phrase, Search};
use super::words::{IndexedWords, cut};

/// Characters of a snippet, about.
const SNIPPET: usize = 160;

/// Characters shown before the first hit.
const BEFORE: usize = 40;

/// Whether the search finds a comment of these words.
pub fn is_found(search: &Search, words: &IndexedWords, with_email: bool) -> bool {
    let has = |phrase: &Phrase| is_in(phrase, &words.shown) || (with_email && is_in(phrase, &words.email));
    match search {
        Search::Words(phrase) => has(phrase),
        Search::Not(phrase) => !has(phrase),
        Search::All(parts) => parts.iter().all(|part| is_found(part, words, with_email)),
        Search::Any(parts) => parts.iter().any(|part| is_found(part, words, with_email)),
    }
}

fn is_in(phrase: &Phrase, words: &[String]) -> bool {
    words.windows(phrase.words.len()).any(|place| stands_at(phrase, place.iter().map(String::as_str)))
}

/// Whether the phrase is what stands in a place of its length.
fn stands_at<'a>(phrase: &Phrase, place: impl Iterator<Item = &'a str>) -> bool {
    let last = phrase.words.len() - 1;
    place.zip(&phrase.words).enumerate().all(|(index, (found, word))| {
        let may_go_on = phrase.is_prefix && index == last;
        found == word || (may_go_on && found.starts_with(word.as_str()))
    })
}

/// Texts to show hits in, by name of their field.
pub struct Texts<'a>(pub Vec<(&'static str, &'a str)>);

/// How a piece of text is escaped for HTML.
pub(super) type Write = fn(&mut String, &str);

impl Texts<'_> {
    /// A snippet of each field in which something of the search was found.
    pub fn snippets(&self, search: &Search, escape: Write) -> Vec<(&'static str, String)> {
        let phrases = search.phrases();
        let shown = |(field, text): &(&'static str, &str)| {
            let hits = hits(&phrases, text);
            (!hits.is_empty()).then(|| (*field, snippet(text, &hits, escape)))
        };
        self.0.iter().filter_map(shown).collect()
    }
}

struct Place {
    word: String,
    start: usize,
    first_end: usize,
    end: usize,
}

/// Where the phrases stand, in bytes, in order and apart from each other.
fn hits(phrases: &[&Phrase], text: &str) -> Vec<(usize, usize)> {
    let mut places = Vec::new();
    cut(text, |cut| {
        let (word, start, first_end, end) = (cut.word.to_owned(), cut.start, cut.first_end, cut.end);
        places.push(Place { word, start, first_end, end });
    });
    let mut hits = Vec::new();
    for phrase in phrases {
        for place in places.windows(phrase.words.len()) {
            if let [first, .., last] | [first @ last] = place
                && stands_at(phrase, place.iter().map(|place| place.word.as_str()))
            {
                hits.push((first.start, if phrase.is_prefix { last.first_end } else { last.end }));
            }
        }
    }
    hits.sort_unstable();
    let mut apart: Vec<(usize, usize)> = Vec::new();
    for (start, end) in hits {
        match apart.last_mut() {
            Some(before) if start <= before.1 => before.1 = before.1.max(end),
            _ => apart.push((start, end)),
        }
    }
    apart
}

/// The text around the first hit.
fn snippet(text: &str, hits: &[(usize, usize)], escape: Write) -> String {
    let first = hits.first().map_or(0, |hit| hit.0);
    let before = text[..first].char_indices().rev().take(BEFORE).last().map_or(first, |(at, _)| at);
    // Not in the middle of a word, where there is a space at all.
    let is_cut = before > 0 && !text[..before].ends_with(char::is_whitespace);
    let spaces = text[before..first].find(char::is_whitespace).filter(|_| is_cut);
    let start = spaces.map_or(before, |at| before + at);
    let end = text[start..].char_indices().nth(SNIPPET).map_or(text.len(), |(at, _)| start + at);
    let mut html = String::from(if start > 0 { "…" } else { "" });
    let mut at = start;
    for (from, to) in hits.iter().map(|(from, to)| (*from.min(&end), *to.min(&end))).filter(|(from, to)| from < to) {
        escape(&mut html, &text[at..from]);
        html.push_str("<mark>");
        escape(&mut html, &text[from..to]);
        html.push_str("</mark>");
        at = to;
    }
    escape(&mut html, &text[at..end]);
    html + if end < text.len() { "…" } else { "" }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::words_of;
    use super::*;

    fn escape(html: &mut String, text: &str) {
        html.push_str(&text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"));
    }

    fn marked(query: &str, text: &str) -> Option<String> {
        let search = Search::parse(query).expect("a search");
        Texts(vec![("text", text)]).snippets(&search, escape).pop().map(|(_, html)| html)
    }

    #[test]
    fn hits_are_marked_in_the_text_as_it_was_written() {
        for (query, text, expected) in [
            ("tide", "The TIDE turns", "The <mark>TIDE</mark> turns"),
            ("cafe", "un CAFE\u{301}!", "un <mark>CAFE\u{301}</mark>!"),
            ("\"tide mills\"", "tide, mills & <b>", "<mark>tide, mills</mark> &amp; &lt;b&gt;"),
            ("国人", "中国人民", "中<mark>国人</mark>民"),
            ("中国人", "我是中国人。", "我是<mark>中国人</mark>。"),
            ("国", "中国人民", "中<mark>国</mark>人民"),
            ("民", "中国人民", "中国人<mark>民</mark>"),
            ("strasse", "<Straße>", "&lt;<mark>Straße</mark>&gt;"),
            ("a OR b NOT c", "c b a", "c <mark>b</mark> <mark>a</mark>"),
            ("example.org", "at https://example.org/x", "at https://<mark>example.org</mark>/x"),
        ] {
            assert_eq!(marked(query, text).as_deref(), Some(expected), "{query}");
        }
        assert_eq!(marked("NOT a", "a"), None);
        assert_eq!(marked("a", "b"), None);
    }

    #[test]
    fn a_snippet_is_short_and_begins_near_the_hit() {
        let text = format!("{}needle {}", "hay ".repeat(100), "hay ".repeat(100));
        let html = marked("needle", &text).unwrap();
        assert!(html.starts_with("…hay") && html.ends_with('…') && html.contains("<mark>needle</mark>"), "{html}");
        assert!(html.chars().count() < SNIPPET + 20);
        // Without a space it may begin anywhere.
        assert!(marked("国人", &format!("{}国人", "中".repeat(500))).unwrap().ends_with("<mark>国人</mark>"));
    }

    #[test]
    fn a_phrase_is_within_one_field_and_emails_are_asked_for() {
        let words = words_of("Ada", Some("https://ada.example"), "tide mills", Some("secret@example.org"));
        let finds = |query: &str, with_email| is_found(&Search::parse(query).expect("a search"), &words, with_email);
        assert!(finds("\"ada\" \"tide mills\"", false));
        assert!(!finds("\"ada https\"", true) && !finds("\"example tide\"", true) && !finds("\"mills secret\"", true));
        assert!(finds("secret", true) && !finds("secret", false) && finds("NOT secret", false));
    }

    proptest! {
        #[test]
        fn what_a_text_contains_finds_it_and_is_marked(words in proptest::collection::vec("[a-zàéßд中国ไ한]{1,4}", 1..12), from in 0usize..12, to in 1usize..12) {
            let text = words.join(" ");
            let (from, to) = (from % words.len(), to % words.len());
            let (from, to) = (from.min(to), from.max(to));
            let search = Search::parse(&format!("\"{}\"", words[from..=to].join(" "))).unwrap();
            prop_assert!(is_found(&search, &words_of("", None, &text, None), false));
            let html = Texts(vec![("text", &text)]).snippets(&search, escape).pop().unwrap().1;
            prop_assert!(html.contains("<mark>"));
            prop_assert_eq!(html.replace("<mark>", "").replace("</mark>", ""), text);
        }
    }
}
