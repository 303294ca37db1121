//! Which comments: the conditions that the queue, its counts and decisions about many have in common.
//!
//! They are read from a query or from a JSON object by the same names, where a repeatable one may be a list; all of them must
//! hold, each for one of its values. `email` and `ip` need the right to see these (see [`Filter::PERSONAL`]).

use crate::comments::Status;
use crate::http::fields::Fields;
use crate::kit::clock::Millis;
use crate::kit::fault::Fault;
use crate::kit::ids::CampaignId;
use crate::kit::search::Search;
use crate::kit::{network, text};

/// Values of one name.
const MOST_VALUES: usize = 100;

/// Conditions on comments, all together. Which sites somebody may see is asked beside it.
#[derive(Debug, Clone)]
pub struct Filter {
    /// Any of these; empty for any status.
    pub statuses: Vec<Status>,
    /// Keys of sites; empty for all one may see.
    pub sites: Vec<String>,
    /// Keys of articles; empty for all.
    pub articles: Vec<String>,
    /// Folded names of authors; empty for all.
    pub authors: Vec<String>,
    /// Folded; empty for all.
    pub emails: Vec<String>,
    /// First and last address, as they sort; empty for all.
    pub networks: Vec<(String, String)>,
    /// Of the last decision; empty for any or none.
    pub reasons: Vec<String>,
    /// Rules that held it, by id or word; empty for all.
    pub rules: Vec<String>,
    /// Whether readers' reports wait for an answer.
    pub is_reported: Option<bool>,
    pub claimed: Option<Claimed>,
    /// Any of these; empty for all comments.
    pub campaigns: Vec<CampaignId>,
    /// From this moment on.
    pub since: Option<Millis>,
    /// Before this moment.
    pub until: Option<Millis>,
    pub search: Option<Search>,
}

/// Whether somebody has claimed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claimed {
    /// By nobody else.
    No,
    /// By anybody.
    Yes,
    /// By whoever asks.
    Me,
}

impl Filter {
    /// Names that only those may use who see what they compare.
    pub const PERSONAL: [&str; 2] = ["email", "ip"];

    /// Takes the conditions; what is wrong with them is noted in `fields`.
    pub fn take(fields: &mut Fields) -> Self {
        let fold = |texts: Vec<String>| sorted(texts.iter().map(|one| text::fold(one)).collect());
        Self {
            statuses: read_statuses(fields),
            sites: sorted(take_values(fields, "site")),
            articles: sorted(take_values(fields, "article")),
            authors: fold(take_values(fields, "author")),
            emails: fold(take_values(fields, "email")),
            networks: read_networks(fields),
            reasons: sorted(take_values(fields, "reason")),
            rules: sorted(take_values(fields, "rule")),
            is_reported: fields.choice("reported", parse_yes_or_no),
            claimed: fields.choice("claimed", parse_claimed),
            campaigns: read_campaigns(fields),
            since: fields.moment("since"),
            until: fields.moment("until"),
            search: read_search(fields),
        }
    }

    /// Whether it asks for something that only those may ask for who see it.
    pub fn is_personal(&self) -> bool {
        !(self.emails.is_empty() && self.networks.is_empty())
    }

    /// Whether it asks for what is indexed after the commit.
    pub fn needs_index(&self) -> bool {
        self.is_personal()
            || !self.authors.is_empty()
            || !self.reasons.is_empty()
            || !self.campaigns.is_empty()
            || !self.rules.is_empty()
            || self.search.is_some()
    }
}

fn take_values(fields: &mut Fields, name: &str) -> Vec<String> {
    let mut values = fields.texts(name);
    if values.len() > MOST_VALUES {
        fields.refuse_with(Fault { limit: Some(MOST_VALUES as u64), ..Fault::new(name, "too_many") });
        values.clear();
    }
    values
}

fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort();
    texts.dedup();
    texts
}

/// `pending` when nothing is said; none, which means all, for `any`.
fn read_statuses(fields: &mut Fields) -> Vec<Status> {
    let words = take_values(fields, "status");
    if words.is_empty() {
        return vec![Status::Pending];
    }
    let is_any = words.iter().any(|word| word == "any");
    let mut statuses = Vec::new();
    for word in words.iter().filter(|word| *word != "any") {
        match Status::parse(word) {
            Some(status) if statuses.contains(&status) => {}
            Some(status) => statuses.push(status),
            None => {
                fields.refuse::<()>("status", "choice");
            }
        }
    }
    if is_any { Vec::new() } else { statuses }
}

fn read_networks(fields: &mut Fields) -> Vec<(String, String)> {
    let mut networks = Vec::new();
    for value in take_values(fields, "ip") {
        match network::range(&value) {
            Some(range) => networks.push(range),
            None => {
                fields.refuse::<()>("ip", "format");
            }
        }
    }
    networks.sort();
    networks.dedup();
    networks
}

fn read_campaigns(fields: &mut Fields) -> Vec<CampaignId> {
    let mut campaigns = Vec::new();
    for value in take_values(fields, "campaign") {
        match CampaignId::parse(&value) {
            Some(campaign) => campaigns.push(campaign),
            None => {
                fields.refuse::<()>("campaign", "format");
            }
        }
    }
    campaigns.sort();
    campaigns.dedup();
    campaigns
}

fn parse_yes_or_no(text: &str) -> Option<bool> {
    match text {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

fn parse_claimed(text: &str) -> Option<Claimed> {
    match text {
        "no" => Some(Claimed::No),
        "yes" => Some(Claimed::Yes),
        "me" => Some(Claimed::Me),
        _ => None,
    }
}

fn read_search(fields: &mut Fields) -> Option<Search> {
    match Search::parse(&fields.text("q")?) {
        Ok(search) => Some(search),
        Err(fault) => {
            fields.refuse_with(Fault { limit: Some(fault.position as u64), ..Fault::new("q", "search") });
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_and_a_json_object_say_the_same() {
        let query = b"status=spam&status=trash&site=b&site=a&author=%C3%89va&email=A@x.example&ip=10.0.0.1/8&reason=spam&rule=17&reported=yes&claimed=me&campaign=7&q=tide&since=2026-11-24T12:00:00Z";
        let json = br#"{"status": ["spam", "trash"], "site": ["a", "b"], "author": "eva", "email": ["a@x.example"],
            "ip": "10.0.0.0/8", "reason": ["spam"], "rule": ["17"], "reported": "yes", "claimed": "me", "campaign": ["7"], "q": "Tide", "since": "2026-11-24T12:00:00Z"}"#;
        let read = |fields: Result<Fields, _>| {
            let mut fields: Fields = fields.map_err(|_| "unreadable").unwrap();
            let filter = Filter::take(&mut fields);
            fields.refuse_unknown();
            assert!(fields.finish().is_ok());
            format!("{filter:?}")
        };
        assert_eq!(read(Fields::from_urlencoded(query)), read(Fields::from_json(json)));
    }
}
