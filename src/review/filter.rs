//! Which comments: the conditions that the queue, its counts and decisions about many have in common.
//!
//! They are read from a query or from a JSON object by the same names; all of them must hold.

use crate::comments::Status;
use crate::http::fields::Fields;
use crate::kit::clock::Millis;

/// Conditions on comments, all together. Which sites somebody may see is asked beside it.
#[derive(Debug, Clone)]
pub struct Filter {
    /// Any of these; empty for any status.
    pub statuses: Vec<Status>,
    /// Keys of sites; empty for all one may see.
    pub sites: Vec<String>,
    /// Keys of articles; empty for all.
    pub articles: Vec<String>,
    /// From this moment on.
    pub since: Option<Millis>,
    /// Before this moment.
    pub until: Option<Millis>,
}

impl Filter {
    /// Takes the conditions; what is wrong with them is noted in `fields`.
    pub fn take(fields: &mut Fields) -> Self {
        let statuses = read_statuses(fields);
        let mut sites = fields.texts("site");
        let mut articles = fields.texts("article");
        sites.sort();
        articles.sort();
        Self { statuses, sites, articles, since: fields.moment("since"), until: fields.moment("until") }
    }
}

/// `pending` when nothing is said; none, which means all, for `any`.
fn read_statuses(fields: &mut Fields) -> Vec<Status> {
    let words = fields.texts("status");
    if words.is_empty() {
        return vec![Status::Pending];
    }
    let is_any = words.iter().any(|word| word == "any");
    let mut statuses = Vec::new();
    for word in words.iter().filter(|word| *word != "any") {
        match Status::parse(word) {
            Some(status) => statuses.push(status),
            None => {
                fields.refuse::<()>("status", "choice");
            }
        }
    }
    if is_any { Vec::new() } else { statuses }
}
