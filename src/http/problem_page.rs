//! A problem as a page: what a browser gets where an API client gets `application/problem+json`.
//!
//! Two pages: one for a problem that just happened, one that documents a problem type at `/problems/{slug}`.
//! Both take words and numbers only; which problem it is and which of the two forms is sent is decided elsewhere.

use askama::Template;

use crate::http::wording::Wording;

/// The page for a problem that just happened. `title` and `detail` are the problem's own words.
#[derive(Debug, Template)]
#[template(path = "problem.html", config = "web/askama.toml")]
pub struct ProblemPage<'a> {
    pub words: &'a Wording,
    pub css_href: &'a str,
    pub status: u16,
    pub title: &'a str,
    pub detail: &'a str,
    /// JSON pointer and message of each wrong field; may be empty.
    pub errors: &'a [(String, String)],
    /// Only for our own failures, to find the cause in the log.
    pub trace_id: Option<&'a str>,
}

/// The page a problem's `type` points to.
#[derive(Debug, Template)]
#[template(path = "problem_doc.html", config = "web/askama.toml")]
pub struct ProblemDocPage<'a> {
    pub words: &'a Wording,
    pub css_href: &'a str,
    pub slug: &'a str,
    pub status: u16,
    pub title: &'a str,
    /// What happened and what to do about it; a line break starts a new line, and what stands between
    /// backquotes is code.
    pub meaning: &'a str,
}
