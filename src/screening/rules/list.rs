//! Lists of words and phrases: all lists of a site are looked for at once, in one pass over each field.
//!
//! What is compared are lines of folded words (`kit::search`), so a match is whole words and its place in what was
//! written is found only when there is one.

use std::collections::{BTreeMap, HashMap, HashSet};

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use crate::kit::fault::Fault;
use crate::kit::search::{line_of, needle_of, origin_of};

use super::told::Found;
use super::{Field, MAX_ENTRY, Submission};

/// The longest phrase, in words: phrases that begin alike are each met where they end, and are never more than so many.
const MOST_WORDS: usize = 10;

/// The words of all rules that are lists.
#[derive(Debug)]
pub(super) struct WordList {
    words: AhoCorasick,
    /// Which rules look for each of these, and in which fields.
    rules: Vec<Vec<(usize, Fields)>>,
    /// How many rules look into each field.
    counts: [usize; 4],
}

/// Some fields, a bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fields(u8);

impl Fields {
    fn of(fields: &[Field]) -> Self {
        Self(fields.iter().fold(0, |bits, field| bits | 1 << *field as u8))
    }

    const fn has(self, field: Field) -> bool {
        self.0 & 1 << field as u8 != 0
    }
}

/// Whether there can be such a list.
pub(super) fn check(words: &[String]) -> Result<(), Fault> {
    if words.is_empty() {
        return Err(Fault::new("words", "required"));
    }
    for (index, word) in words.iter().enumerate() {
        if word.len() > MAX_ENTRY {
            let limit = Some(MAX_ENTRY as u64);
            return Err(Fault { limit, ..Fault::of_element("words", index, "too_long") });
        }
        let Some(needle) = needle_of(word) else { return Err(Fault::of_element("words", index, "blank")) };
        if needle.split_whitespace().count() > MOST_WORDS {
            let limit = Some(MOST_WORDS as u64);
            return Err(Fault { limit, ..Fault::of_element("words", index, "too_many") });
        }
    }
    Ok(())
}

impl WordList {
    /// Of the rules with these numbers.
    pub fn new(lists: &[(usize, &[String], &[Field])]) -> Result<Self, Vec<Fault>> {
        let (mut needles, mut rules): (Vec<String>, Vec<Vec<(usize, Fields)>>) = (Vec::new(), Vec::new());
        let (mut known, mut counts) = (HashMap::new(), [0; 4]);
        for (rule, words, fields) in lists {
            let fields = Fields::of(fields);
            for field in Field::ALL {
                counts[field as usize] += usize::from(fields.has(field));
            }
            for needle in words.iter().filter_map(|word| needle_of(word)) {
                let at = *known.entry(needle.clone()).or_insert(needles.len());
                if at == needles.len() {
                    needles.push(needle);
                    rules.push(Vec::new());
                }
                // A word may stand in one list twice.
                if rules[at].last() != Some(&(*rule, fields)) {
                    rules[at].push((*rule, fields));
                }
            }
        }
        let words = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(&needles)
            .map_err(|_| vec![Fault::new("rules", "too_many")])?;
        Ok(Self { words, rules, counts })
    }

    /// What each of the rules finds first, by its number.
    pub fn find(&self, submission: &Submission) -> BTreeMap<usize, Found> {
        let mut all = BTreeMap::new();
        for field in Field::ALL.into_iter().filter(|field| self.counts[*field as usize] > 0) {
            let text = submission.field(field);
            let (line, mut met, mut found_here) = (line_of(text), HashSet::new(), 0);
            for place in self.words.find_overlapping_iter(&line) {
                // However often a word is written and in however many lists it stands: those are looked at once.
                if !met.insert(place.pattern()) {
                    continue;
                }
                let looking = &self.rules[place.pattern().as_usize()];
                for (rule, _) in looking.iter().filter(|(_, fields)| fields.has(field)) {
                    all.entry(*rule).or_insert_with(|| {
                        found_here += 1;
                        Found::text(field, text, origin_of(text, place.range()))
                    });
                }
                // Nothing can be found any more.
                if found_here == self.counts[field as usize] {
                    break;
                }
            }
        }
        all
    }
}
