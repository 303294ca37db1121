//! The rules that sites screen by, as moderators write them: kept for each site, with a version, and ready in memory for
//! whoever judges a comment.
//!
//! What a rule can look for, and how, is the pure `screening`; this feature keeps rules and makes them ready. Not here:
//! judging a comment that comes, which is `comments`', and trying rules over comments that are there, which is `review`'s.

mod http;
mod kept;
mod put;
mod queries;

use crate::screening::Rule;

pub use http::{read_rules, routes};
pub use kept::find_rules;
pub use put::{Draft, numbered};

/// The rules of a site.
#[derive(Debug, Clone, Default)]
pub struct SiteRules {
    pub rules: Vec<Rule>,
    /// Rises with each change; 0 while nobody has put any.
    pub version: i64,
}
