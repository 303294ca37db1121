//! Full-text search without a database: which words a text has, what a query says, and whether one finds the other.
//!
//! Both databases index exactly the words of [`words_of`] and are asked exactly what [`Search::parse`] reads, so that they
//! find alike; [`is_found`] says the same of one comment in memory. Words are whole; case and diacritics are ignored; scripts
//! that put no spaces between words are cut into overlapping pairs of characters, so that any part of such a text is found
//! from two characters on, and a single one as the beginning of a pair.
//!
//! Deliberately not here: ranking, stems, synonyms, and any SQL.

mod found;
mod line;
mod query;
mod words;

pub use found::{Texts, is_found};
pub use line::{line_of, needle_of, origin_of};
pub use query::{Phrase, Search, SearchFault};
pub use words::{IndexedWords, words_of};
