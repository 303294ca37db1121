//! What a search says: words side by side must all be there; `AND`, `OR`, `NOT` in capitals, parentheses and `"phrases"`
//! mean what they say. `NOT` binds closest, then `AND`, then `OR`.
//!
//! What is written together is one phrase, so `example.org` finds these two words side by side, also in an address. A search
//! may consist of `NOT` alone: it finds everything else. A search of more than 50 terms is refused.

use super::words::{Kind, cut};

/// The longest search, in characters.
const LONGEST: usize = 1_000;
/// Words and phrases in a search.
const MOST_TERMS: usize = 50;
/// Parentheses and `NOT`s around one word.
const DEEPEST: usize = 20;

/// A search; `Not` stands before words only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Search {
    Words(Phrase),
    Not(Phrase),
    /// Two or more.
    All(Vec<Search>),
    /// Two or more.
    Any(Vec<Search>),
}

/// Words that stand side by side; at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phrase {
    pub words: Vec<String>,
    /// Whether the last one may be the beginning of a word: it is one character of a script that is cut into pairs.
    pub is_prefix: bool,
}

/// Why a search cannot be read, and before which of its characters, counted from 0, reading stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the search cannot be read from character {position} on")]
pub struct SearchFault {
    pub position: usize,
}

impl Search {
    /// Reads a search.
    ///
    /// # Errors
    /// Where it stops making sense: a quotation mark or parenthesis without its like, an operator without what it joins, a
    /// term without a letter, digit or symbol, nothing at all; or where it becomes too long, too deep or too much.
    pub fn parse(text: &str) -> Result<Self, SearchFault> {
        if let Some(position) = text.chars().nth(LONGEST).map(|_| LONGEST) {
            return Err(SearchFault { position });
        }
        let mut reader = Reader { tokens: read_tokens(text)?, next: 0, terms: 0, end: text.chars().count() };
        let search = reader.read_any(0)?;
        match reader.peek() {
            None => Ok(search),
            Some(token) => Err(SearchFault { position: token.position }),
        }
    }

    /// Whether whatever it finds has one of its words, so that an index of words can find it.
    pub fn is_anchored(&self) -> bool {
        match self {
            Self::Words(_) => true,
            Self::Not(_) => false,
            Self::All(parts) => parts.iter().any(Self::is_anchored),
            Self::Any(parts) => parts.iter().all(Self::is_anchored),
        }
    }

    /// What it does not find. Of what is not anchored it is anchored.
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Self::Words(phrase) => Self::Not(phrase),
            Self::Not(phrase) => Self::Words(phrase),
            Self::All(parts) => Self::Any(parts.into_iter().map(Self::negated).collect()),
            Self::Any(parts) => Self::All(parts.into_iter().map(Self::negated).collect()),
        }
    }

    /// The phrases that may be found, for showing where.
    pub fn phrases(&self) -> Vec<&Phrase> {
        match self {
            Self::Words(phrase) => vec![phrase],
            Self::Not(_) => Vec::new(),
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::phrases).collect(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Is<'a> {
    Open,
    Close,
    And,
    Or,
    Not,
    Term(&'a str),
}

#[derive(Debug, Clone, Copy)]
struct Token<'a> {
    is: Is<'a>,
    /// In characters.
    position: usize,
}

fn read_tokens(text: &str) -> Result<Vec<Token<'_>>, SearchFault> {
    let (mut tokens, mut rest, mut position) = (Vec::new(), text, 0);
    while let Some(c) = rest.chars().next() {
        let (is, length) = match c {
            '(' => (Some(Is::Open), 1),
            ')' => (Some(Is::Close), 1),
            '"' => {
                let inner = rest[1..].find('"').ok_or(SearchFault { position })?;
                (Some(Is::Term(&rest[1..=inner])), inner + 2)
            }
            c if c.is_whitespace() => (None, c.len_utf8()),
            _ => {
                let length = rest.find(|c: char| c.is_whitespace() || "()\"".contains(c)).unwrap_or(rest.len());
                let is = match &rest[..length] {
                    "AND" => Is::And,
                    "OR" => Is::Or,
                    "NOT" => Is::Not,
                    term => Is::Term(term),
                };
                (Some(is), length)
            }
        };
        tokens.extend(is.map(|is| Token { is, position }));
        position += rest[..length].chars().count();
        rest = &rest[length..];
    }
    Ok(tokens)
}

struct Reader<'a> {
    tokens: Vec<Token<'a>>,
    next: usize,
    terms: usize,
    /// Where the text ends, in characters.
    end: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<Token<'a>> {
        self.tokens.get(self.next).copied()
    }

    fn take_if(&mut self, is: Is) -> bool {
        let is_there = self.peek().is_some_and(|token| token.is == is);
        self.next += usize::from(is_there);
        is_there
    }

    fn read_any(&mut self, depth: usize) -> Result<Search, SearchFault> {
        let mut parts = vec![self.read_all(depth)?];
        while self.take_if(Is::Or) {
            parts.push(self.read_all(depth)?);
        }
        Ok(joined(parts, Search::Any))
    }

    fn read_all(&mut self, depth: usize) -> Result<Search, SearchFault> {
        let mut parts = vec![self.read_one(depth)?];
        loop {
            let is_said = self.take_if(Is::And);
            let goes_on = self.peek().is_some_and(|token| matches!(token.is, Is::Open | Is::Not | Is::Term(_)));
            if !is_said && !goes_on {
                return Ok(joined(parts, Search::All));
            }
            parts.push(self.read_one(depth)?);
        }
    }

    fn read_one(&mut self, depth: usize) -> Result<Search, SearchFault> {
        let token = self.peek().ok_or(SearchFault { position: self.end })?;
        let fault = SearchFault { position: token.position };
        if depth > DEEPEST {
            return Err(fault);
        }
        self.next += 1;
        match token.is {
            Is::Not => Ok(self.read_one(depth + 1)?.negated()),
            Is::Open => {
                let inner = self.read_any(depth + 1)?;
                match self.peek() {
                    _ if self.take_if(Is::Close) => Ok(inner),
                    // What was opened is not closed, or something stands where it cannot.
                    None => Err(fault),
                    Some(other) => Err(SearchFault { position: other.position }),
                }
            }
            Is::Term(text) if self.terms < MOST_TERMS => {
                self.terms += 1;
                phrase(text).map(Search::Words).ok_or(fault)
            }
            _ => Err(fault),
        }
    }
}

fn joined(mut parts: Vec<Search>, join: fn(Vec<Search>) -> Search) -> Search {
    match parts.len() {
        1 => parts.remove(0),
        _ => join(parts),
    }
}

fn phrase(text: &str) -> Option<Phrase> {
    let (mut words, mut last) = (Vec::new(), None);
    cut(text, |cut| {
        words.push(cut.word.to_owned());
        last = Some(cut.kind);
    });
    // In the text searched it may go on behind the last character, which then is not the last of its run.
    if last == Some(Kind::Last) {
        words.pop();
    }
    (!words.is_empty()).then_some(Phrase { words, is_prefix: last == Some(Kind::Alone) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As it was understood.
    fn said(search: &Search) -> String {
        let words = |phrase: &Phrase| phrase.words.join("+") + if phrase.is_prefix { "*" } else { "" };
        let list = |parts: &[Search]| parts.iter().map(said).collect::<Vec<_>>().join(" ");
        match search {
            Search::Words(phrase) => words(phrase),
            Search::Not(phrase) => format!("-{}", words(phrase)),
            Search::All(parts) => format!("({})", list(parts)),
            Search::Any(parts) => format!("[{}]", list(parts)),
        }
    }

    #[test]
    fn what_is_written_is_understood() {
        for (text, expected) in [
            ("tide", "tide"),
            ("  Tide   MILLS ", "(tide mills)"),
            ("tide AND mills", "(tide mills)"),
            ("a b OR c d", "[(a b) (c d)]"),
            ("a (b OR c) d", "(a [b c] d)"),
            ("a NOT b", "(a -b)"),
            ("NOT a", "-a"),
            ("NOT NOT a", "a"),
            ("NOT (a b)", "[-a -b]"),
            ("NOT (a OR NOT b)", "(-a b)"),
            ("\"tide mills\" and", "(tide+mills and)"),
            ("\"AND\" or not", "(and or not)"),
            ("ada@example.org", "ada+example+org"),
            ("don't", "don+t"),
            ("中国人", "中国+国人"),
            ("中国", "中国"),
            ("中", "中*"),
            ("\"x 中\"", "x+中*"),
            ("中x", "中+x"),
            ("ANDY ORal", "(andy oral)"),
            ("a\"b c\"d", "(a b+c d)"),
            ("a(b)c", "(a b c)"),
        ] {
            assert_eq!(Search::parse(text).map(|search| said(&search)), Ok(expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_says_where() {
        for (text, position) in [
            ("", 0),
            ("   ", 3),
            ("a AND", 5),
            ("AND a", 0),
            ("a OR OR b", 5),
            ("a NOT", 5),
            ("ü \"b c", 2),
            ("(a", 0),
            ("a (b (c)", 2),
            ("a)", 1),
            ("()", 1),
            ("a ... b", 2),
            ("a \"\" b", 2),
            ("(a OR) b", 5),
        ] {
            assert_eq!(Search::parse(text), Err(SearchFault { position }), "{text}");
        }
        assert!(Search::parse(&"a ".repeat(50)).is_ok());
        assert_eq!(Search::parse(&"a ".repeat(51)), Err(SearchFault { position: 100 }));
        assert!(Search::parse(&"a".repeat(1_000)).is_ok());
        assert_eq!(Search::parse(&"a".repeat(1_001)), Err(SearchFault { position: 1_000 }));
        assert!(Search::parse(&format!("{}a{}", "(".repeat(20), ")".repeat(20))).is_ok());
        assert!(Search::parse(&format!("{}a{}", "(".repeat(21), ")".repeat(21))).is_err());
        assert!(Search::parse(&format!("{}a", "NOT ".repeat(200))).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[ ()\"a中NOTADR]{0,60}|\\PC{0,60}") {
            match Search::parse(&text) {
                Ok(search) => {
                    prop_assert!(search.is_anchored() || search.clone().negated().is_anchored());
                    prop_assert_eq!(search.clone().negated().negated(), search);
                }
                Err(fault) => prop_assert!(fault.position <= text.chars().count()),
            }
        }
    }
}
