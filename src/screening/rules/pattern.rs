//! Regular expressions that nobody can make slow: compiled to at most 1 MiB, and looked for in a bounded number of steps.
//!
//! The automaton is that of Rust's `regex`; walking through it is done here, because its own searches take time in
//! proportion to the size of the pattern times that of the text: a pattern of a thousand characters over 64 KiB is a second.
//! Here a search that has not ended after [`MOST_STEPS`] says so, and the comment is held. Of alternatives the first counts,
//! and of places the leftmost, as everywhere.

use std::ops::Range;

use regex_automata::nfa::thompson::{self, NFA, State, WhichCaptures};
use regex_automata::util::prefilter::Prefilter;
use regex_automata::util::primitives::StateID;
use regex_automata::{MatchKind, Span};

use crate::kit::fault::Fault;

use super::MAX_PATTERN;

/// What one pattern may take when compiled, in bytes.
const MAX_SIZE: usize = 1 << 20;
/// Steps of one search: less than 10 ms, of which 64 KiB of text need a third with a usual pattern (`cargo bench --bench pure`).
const MOST_STEPS: usize = 1_000_000;
/// Steps of all searches in one comment: patterns that are slow together are not looked for either.
pub(super) const MOST_STEPS_OF_ALL: usize = 5_000_000;
/// What asking for the edge of a word costs, in steps: it reads the characters around it.
const LOOK_STEPS: usize = 4;

/// A pattern, ready.
#[derive(Debug)]
pub(super) struct Pattern {
    nfa: NFA,
    /// Finds quickly where a match may begin, when all begin with one of a few texts.
    begins: Option<Prefilter>,
}

/// What came of a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Search {
    Nothing,
    /// In bytes.
    At(Range<usize>),
    /// It did not come to its end.
    TooLong,
}

impl Pattern {
    /// Reads a pattern.
    pub fn new(text: &str) -> Result<Self, Fault> {
        let fault = |code, limit: usize| Fault { limit: Some(limit as u64), ..Fault::new("pattern", code) };
        if text.len() > MAX_PATTERN {
            return Err(fault("too_long", MAX_PATTERN));
        }
        let hir = regex_syntax::parse(text).map_err(|error| fault("pattern", position(text, &error)))?;
        if hir.properties().minimum_len() == Some(0) {
            return Err(Fault::new("pattern", "matches_all"));
        }
        let config = thompson::Config::new().nfa_size_limit(Some(MAX_SIZE)).which_captures(WhichCaptures::None);
        let nfa = thompson::Compiler::new().configure(config).build_from_hir(&hir);
        let nfa = nfa.map_err(|_| fault("pattern_size", MAX_SIZE))?;
        Ok(Self { nfa, begins: Prefilter::from_hir_prefix(MatchKind::LeftmostFirst, &hir) })
    }

    /// What it takes, in bytes.
    pub fn size(&self) -> usize {
        self.nfa.memory_usage()
    }

    /// The first place in a text. The steps that it takes come off those `left`, and it ends with them.
    pub fn find(&self, text: &str, left: &mut usize) -> Search {
        let text = text.as_bytes();
        let first = match &self.begins {
            Some(begins) => match begins.find(text, Span::from(0..text.len())) {
                Some(place) => place.start,
                None => return Search::Nothing,
            },
            None => 0,
        };
        let mut walk = Walk::new(&self.nfa, text, MOST_STEPS.min(*left));
        let found = walk.find(self.begins.as_ref(), first);
        *left = left.saturating_sub(walk.steps);
        found
    }
}

/// The character from which on a pattern cannot be read.
fn position(text: &str, error: &regex_syntax::Error) -> usize {
    let bytes = match error {
        regex_syntax::Error::Parse(error) => error.span().start.offset,
        regex_syntax::Error::Translate(error) => error.span().start.offset,
        _ => 0,
    };
    text.get(..bytes).map_or(0, |before| before.chars().count())
}

/// A search under way: all threads through the automaton at once, the preferred first.
struct Walk<'a> {
    nfa: &'a NFA,
    text: &'a [u8],
    /// When each state was last reached, so that of two threads in one state only the preferred goes on.
    reached: Vec<u32>,
    round: u32,
    stack: Vec<StateID>,
    steps: usize,
    most_steps: usize,
}

/// A state, and where in the text its thread began.
type Thread = (StateID, usize);

impl<'a> Walk<'a> {
    fn new(nfa: &'a NFA, text: &'a [u8], most_steps: usize) -> Self {
        let states = nfa.states().len();
        // Making room for the states costs a little too.
        let steps = states / 16;
        Self { nfa, text, reached: vec![0; states], round: 0, stack: Vec::new(), steps, most_steps }
    }

    fn find(&mut self, begins: Option<&Prefilter>, mut at: usize) -> Search {
        let (mut now, mut next): (Vec<Thread>, Vec<Thread>) = (Vec::new(), Vec::new());
        let mut found = None;
        self.round = 1;
        while at <= self.text.len() {
            if now.is_empty() {
                if found.is_some() {
                    break;
                }
                if let Some(begins) = begins {
                    match begins.find(self.text, Span::from(at..self.text.len())) {
                        Some(place) => at = place.start,
                        None => break,
                    }
                }
            }
            if found.is_none() {
                self.reach(self.nfa.start_anchored(), at, at, &mut now);
            }
            self.round += 1;
            let byte = self.text.get(at).copied();
            for (state, start) in now.drain(..) {
                self.steps += 1;
                match (self.nfa.state(state), byte) {
                    (State::Match { .. }, _) => {
                        found = Some(start..at);
                        // What is left of this place is less preferred.
                        break;
                    }
                    (state, Some(byte)) => {
                        if let Some(to) = after(state, byte) {
                            self.reach(to, at + 1, start, &mut next);
                        }
                    }
                    (_, None) => {}
                }
            }
            if self.steps > self.most_steps {
                return found.map_or(Search::TooLong, Search::At);
            }
            std::mem::swap(&mut now, &mut next);
            at += 1;
        }
        found.map_or(Search::Nothing, Search::At)
    }

    /// Goes from a state, without reading, to all that read or match.
    fn reach(&mut self, from: StateID, at: usize, start: usize, threads: &mut Vec<Thread>) {
        self.stack.push(from);
        while let Some(id) = self.stack.pop() {
            if std::mem::replace(&mut self.reached[id.as_usize()], self.round) == self.round {
                continue;
            }
            self.steps += 1;
            match self.nfa.state(id) {
                State::Look { look, next } => {
                    self.steps += LOOK_STEPS;
                    if self.nfa.look_matcher().matches(*look, self.text, at) {
                        self.stack.push(*next);
                    }
                }
                State::Union { alternates } => {
                    self.steps += alternates.len();
                    self.stack.extend(alternates.iter().rev().copied());
                }
                State::BinaryUnion { alt1, alt2 } => self.stack.extend([*alt2, *alt1]),
                State::Capture { next, .. } => self.stack.push(*next),
                State::Fail => {}
                State::ByteRange { .. } | State::Sparse(_) | State::Dense(_) | State::Match { .. } => {
                    threads.push((id, start));
                }
            }
        }
    }
}

/// Where a state leads that reads this byte.
fn after(state: &State, byte: u8) -> Option<StateID> {
    match state {
        State::ByteRange { trans } => trans.matches_byte(byte).then_some(trans.next),
        State::Sparse(transitions) => transitions.matches_byte(byte),
        State::Dense(transitions) => transitions.matches_byte(byte),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(pattern: &str, text: &str) -> Search {
        Pattern::new(pattern).unwrap().find(text, &mut usize::MAX.clone())
    }

    #[test]
    fn the_first_place_is_found() {
        for (pattern, text, place) in [
            ("b+", "aabbb", 2..5),
            ("a|ab", "xab", 1..2),
            ("ab|a", "xab", 1..3),
            (r"\bcafé\b", "Un café.", 3..8),
            (r"(?i)STRASSE", "eine Straße Strasse", 13..20),
            ("^b", "b", 0..1),
            ("(?m)^b$", "a\nb\nc", 2..3),
            (r"\d{3}-\d{4}", "call 555-0199 now", 5..13),
            ("a.*c", "abcbc", 0..5),
            ("a.*?c", "abcbc", 0..3),
            ("[^a]", "aaé", 2..4),
        ] {
            assert_eq!(at(pattern, text), Search::At(place), "{pattern} in {text}");
        }
        for (pattern, text) in [(r"\bcaf\b", "café"), ("^b", "ab"), ("x", ""), ("[a&&b]", "ab")] {
            assert_eq!(at(pattern, text), Search::Nothing, "{pattern} in {text}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_its_place() {
        let fault = |pattern: &str| Pattern::new(pattern).map(drop).unwrap_err();
        for (pattern, position) in
            [("a(b", 1), ("é(b", 1), ("a{2,1}", 1), (r"\p{Klingon}", 0), ("[b-a]", 1), (r"(a)\1", 3)]
        {
            let wanted = Fault { limit: Some(position), ..Fault::new("pattern", "pattern") };
            assert_eq!(fault(pattern), wanted, "{pattern}");
        }
        for pattern in ["", "a*", "(|b)", r"\b", "^$"] {
            assert_eq!(fault(pattern).code, "matches_all", "{pattern}");
        }
        for pattern in
            [r"\w{5000}", "((a{100}){100}){100}", "(?:.{0,999}x){9}", "(((((((((a{9}){9}){9}){9}){9}){9}){9}){9}){9})"]
        {
            assert_eq!(fault(pattern).code, "pattern_size", "{pattern}");
        }
        assert_eq!(fault(&"a".repeat(2_001)).code, "too_long");
        assert!(Pattern::new(&"(".repeat(2_000)).is_err());
    }

    #[test]
    fn a_search_ends_whatever_the_pattern() {
        let (many, mixed) = ("a".repeat(65_525), "ab".repeat(32_000));
        for pattern in
            ["(a+)+b", "(a|aa)+$b", "(.*a){20}c", "[ab]*a[ab]{900}c", "(a?){900}b", r"(\w+\s?)+\d", "(x+x+)+y"]
        {
            let pattern = Pattern::new(pattern).unwrap();
            for text in [&many, &mixed] {
                let found = pattern.find(text, &mut MOST_STEPS.clone());
                assert!(!matches!(found, Search::At(place) if place.end > 65_525));
            }
        }
        assert_eq!(at("[ab]*a[ab]{900}c", &mixed), Search::TooLong);
        assert_eq!(at("(a+)+b", &many), Search::Nothing);
        let mut left = 10;
        assert_eq!(Pattern::new("a+b").unwrap().find(&many, &mut left), Search::TooLong);
        assert_eq!(left, 0);
        let found = format!("{}aab", "c".repeat(65_000));
        assert_eq!(at("(a+)+b", &found), Search::At(65_000..65_003));
    }

    proptest! {
        #[test]
        fn it_finds_what_plain_search_finds(text in "[ab ]{0,30}", needle in "[ab]{1,3}") {
            let wanted = text.find(&needle).map_or(Search::Nothing, |start| Search::At(start..start + needle.len()));
            prop_assert_eq!(at(&needle, &text), wanted.clone());
            prop_assert_eq!(at(&format!("(?:{needle}|Z)"), &text), wanted);
        }
    }
}
