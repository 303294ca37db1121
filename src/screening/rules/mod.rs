//! The rules of a site: what speaks against a comment, in the words of whoever moderates there.
//!
//! A [`RuleSet`] is made of the rules once and then only read; judging takes time linear in what was sent, whatever the
//! rules and whatever was sent. A rule that a moderator wrote wrongly is refused where the set is made, with its place.
//!
//! WordPress's lists become rules so: `moderation_keys`, one word a line, is `words` with effect `hold`, and
//! `disallowed_keys` the same with `spam`, both in the fields text, name, url and email, and those of their lines that are
//! addresses `network` rules; `comment_max_links` of N is `links` with `at_least: N`. Words are whole here, so that
//! "cialis" is not found in "socialism".

mod list;
mod pattern;
mod sender;
mod shape;
mod told;

use std::net::IpAddr;

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::kit::clock::Millis;
use crate::kit::fault::Fault;
use crate::kit::ids::RuleId;
use crate::kit::markup;

use super::{Effect, Finding};
use list::WordList;
use pattern::{MOST_STEPS_OF_ALL, Pattern, Search};
use sender::{Emails, Hosts, Networks};
use shape::{Capitals, Length, Scripts, Span};
use told::Found;

/// The most rules that a site has.
pub const MOST_RULES: usize = 1_000;
/// The most words, phrases, hosts, emails and networks in all rules of a site together.
pub const MOST_ENTRIES: usize = 60_000;
/// The longest of these, in bytes.
pub const MAX_ENTRY: usize = 200;
/// The longest label, in characters.
pub const MAX_LABEL: usize = 100;
/// The longest pattern, in bytes.
pub const MAX_PATTERN: usize = 2_000;
/// What the patterns of a site may take together when compiled, in bytes; one alone 1 MiB.
const MAX_PATTERNS_SIZE: usize = 16 << 20;
/// Findings of one comment, the sternest first: more explain nothing and have to be kept.
const MOST_FINDINGS: usize = 20;

/// A rule, as it is written, shown and kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Rule {
    /// It stays when rules are put anew; no rule of any site has it after this one.
    #[schema(value_type = i64)]
    #[serde(deserialize_with = "read_id")]
    pub id: RuleId,
    /// What moderators call it.
    pub label: Option<String>,
    pub effect: Effect,
    #[serde(flatten)]
    pub look: Look,
}

/// What a rule looks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Look {
    /// Words and phrases, whole; case, diacritics and width do not count. In scripts without spaces between words, any part.
    Words { words: Vec<String>, fields: Vec<Field> },
    /// A regular expression, in the syntax of Rust's `regex`; it must not match what is empty.
    Regex { pattern: String, fields: Vec<Field> },
    /// So many web links in the comment as it would be published, or more.
    Links { at_least: u32 },
    /// Links to these hosts and to those below them, in the comment or as the author's website.
    Hosts { hosts: Vec<String> },
    /// Emails of authors: an address, or a host for all addresses there and below.
    Email { emails: Vec<String> },
    /// Network addresses, and networks in CIDR notation.
    Network { networks: Vec<String> },
    /// Fewer characters than `min` or more than `max`, outer white space not counted.
    Length { min: Option<u32>, max: Option<u32> },
    /// Such a share of capitals, or more, among the letters that have case; from so many of these letters on.
    Capitals { share: f64, letters: u32 },
    /// Such a share, or more, of letters in one of the `refused` scripts, or in none of the `allowed`; one of the two is given.
    /// Scripts as Unicode names them, `Cyrillic` or `Cyrl`.
    Script { allowed: Option<Vec<String>>, refused: Option<Vec<String>>, share: f64 },
    /// The first comment of its author on the site, as far as a guest can be known.
    FirstComment,
    /// What is sent between these times of day, `22:00`; what ends before it begins goes on over midnight. The timezone is
    /// that of the site's opening hours, else UTC, when none is given.
    Hours { from: String, until: String, timezone: Option<String> },
}

/// A field of the reply form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Field {
    Text,
    Name,
    Url,
    Email,
}

impl Field {
    /// All of them, in the order in which they are looked at.
    pub const ALL: [Self; 4] = [Self::Text, Self::Name, Self::Url, Self::Email];

    /// Reads the word of the contract.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.as_str() == text)
    }

    /// The word of the contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Name => "name",
            Self::Url => "url",
            Self::Email => "email",
        }
    }
}

/// What is judged.
#[derive(Debug, Clone, Copy)]
pub struct Submission<'a> {
    /// As it was sent.
    pub text: &'a str,
    /// As it would be published.
    pub html: &'a str,
    pub name: &'a str,
    pub url: Option<&'a str>,
    pub email: Option<&'a str>,
    pub address: Option<IpAddr>,
    /// Whether nothing by the same author was published on the site before.
    pub is_first: bool,
    pub at: Millis,
    /// Of the site.
    pub timezone: &'a str,
}

impl<'a> Submission<'a> {
    fn field(&self, field: Field) -> &'a str {
        match field {
            Field::Text => self.text,
            Field::Name => self.name,
            Field::Url => self.url.unwrap_or_default(),
            Field::Email => self.email.unwrap_or_default(),
        }
    }
}

/// Rules, ready to judge.
#[derive(Debug, Default)]
pub struct RuleSet {
    rules: Vec<Ready>,
    words: Option<WordList>,
    asks_hosts: bool,
}

#[derive(Debug)]
struct Ready {
    id: RuleId,
    label: Option<String>,
    effect: Effect,
    look: ReadyLook,
}

#[derive(Debug)]
enum ReadyLook {
    /// Looked for with all others at once.
    Words,
    Regex(Box<Pattern>, Vec<Field>),
    Links(usize),
    Hosts(Hosts),
    Email(Emails),
    Network(Networks),
    Length(Length),
    Capitals(Capitals),
    Script(Scripts),
    FirstComment,
    Hours(Box<Span>),
}

impl RuleSet {
    /// Makes rules ready.
    ///
    /// # Errors
    /// Everything that is wrong with them, each at its place: `/rules/3/pattern`. For a pattern that cannot be read, the
    /// fault's limit is the character, counted from 0, from which on it cannot.
    pub fn compile(rules: &[Rule]) -> Result<Self, Vec<Fault>> {
        let (mut ready, mut faults, mut lists) = (Vec::with_capacity(rules.len()), Vec::new(), Vec::new());
        let (mut entries, mut size) = (0, 0);
        if rules.len() > MOST_RULES {
            faults.push(Fault { limit: Some(MOST_RULES as u64), ..Fault::new("rules", "too_many") });
        }
        for (index, rule) in rules.iter().enumerate() {
            entries += rule.look.count_entries();
            match rule.look.ready(&mut size) {
                Ok(_) if entries > MOST_ENTRIES => {
                    let limit = Some(MOST_ENTRIES as u64);
                    faults.push(Fault { limit, ..Fault::of_element("rules", index, "too_many") });
                    break;
                }
                Ok(look) => {
                    if let Look::Words { words, fields } = &rule.look {
                        lists.push((index, words.as_slice(), fields.as_slice()));
                    }
                    ready.push(Ready { id: rule.id, label: rule.label.clone(), effect: rule.effect, look });
                }
                Err(fault) => faults.push(fault.within(&format!("/rules/{index}"))),
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let words = if lists.is_empty() { None } else { WordList::new(&lists).map(Some)? };
        let asks_hosts = ready.iter().any(|rule| matches!(rule.look, ReadyLook::Hosts(_) | ReadyLook::Links(_)));
        Ok(Self { rules: ready, words, asks_hosts })
    }

    /// Whether there is no rule at all.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether a rule asks for [`Submission::is_first`]; nobody else needs to find out.
    pub fn asks_for_first_comments(&self) -> bool {
        self.rules.iter().any(|rule| matches!(rule.look, ReadyLook::FirstComment))
    }

    /// What the rules find about a submission: the sternest first, else in their order; of each rule the first place.
    pub fn judge(&self, submission: &Submission) -> Vec<Finding> {
        let links = if self.asks_hosts { markup::web_links(submission.html) } else { Vec::new() };
        let mut words = self.words.as_ref().map(|words| words.find(submission)).unwrap_or_default();
        let (mut findings, mut steps) = (Vec::new(), MOST_STEPS_OF_ALL);
        for (index, rule) in self.rules.iter().enumerate() {
            let found = match &rule.look {
                ReadyLook::Words => words.remove(&index),
                ReadyLook::Regex(pattern, fields) => find_pattern(pattern, fields, submission, &mut steps),
                look => look.find(submission, &links),
            };
            findings.extend(found.map(|found| found.finding(rule.id, rule.label.as_deref(), rule.effect)));
        }
        findings.sort_by_key(|finding| match finding.hit.effect {
            Effect::Spam => 0,
            Effect::Hold => 1,
            Effect::Log => 2,
        });
        findings.truncate(MOST_FINDINGS);
        findings
    }
}

impl Look {
    fn count_entries(&self) -> usize {
        match self {
            Self::Words { words: entries, .. }
            | Self::Hosts { hosts: entries }
            | Self::Email { emails: entries }
            | Self::Network { networks: entries } => entries.len(),
            _ => 0,
        }
    }

    /// Makes it ready; `size` is what the patterns take by now. A fault is said from the rule on.
    fn ready(&self, size: &mut usize) -> Result<ReadyLook, Fault> {
        Ok(match self {
            Self::Words { words, fields } => {
                list::check(words)?;
                check_fields(fields)?;
                ReadyLook::Words
            }
            Self::Regex { pattern, fields } => {
                check_fields(fields)?;
                let pattern = Pattern::new(pattern)?;
                *size += pattern.size();
                if *size > MAX_PATTERNS_SIZE {
                    let limit = Some(MAX_PATTERNS_SIZE as u64);
                    return Err(Fault { limit, ..Fault::new("pattern", "pattern_size") });
                }
                ReadyLook::Regex(Box::new(pattern), fields.clone())
            }
            Self::Links { at_least } => match usize::try_from(*at_least) {
                Ok(at_least @ 1..) => ReadyLook::Links(at_least),
                _ => return Err(Fault::new("at_least", "range")),
            },
            Self::Hosts { hosts } => ReadyLook::Hosts(Hosts::new(hosts)?),
            Self::Email { emails } => ReadyLook::Email(Emails::new(emails)?),
            Self::Network { networks } => ReadyLook::Network(Networks::new(networks)?),
            Self::Length { min, max } => ReadyLook::Length(Length::new(*min, *max)?),
            Self::Capitals { share, letters } => ReadyLook::Capitals(Capitals::new(*share, *letters)?),
            Self::Script { allowed, refused, share } => {
                ReadyLook::Script(Scripts::new(allowed.as_deref(), refused.as_deref(), *share)?)
            }
            Self::FirstComment => ReadyLook::FirstComment,
            Self::Hours { from, until, timezone } => {
                ReadyLook::Hours(Box::new(Span::new(from, until, timezone.as_deref())?))
            }
        })
    }
}

impl ReadyLook {
    fn find(&self, submission: &Submission, links: &[String]) -> Option<Found> {
        match self {
            // Looked for beside, with what others of their kind take.
            Self::Words | Self::Regex(..) => None,
            Self::Links(at_least) => (links.len() >= *at_least).then(|| Found::links(links.len())),
            Self::Hosts(hosts) => hosts.find(submission, links),
            Self::Email(emails) => emails.find(submission),
            Self::Network(networks) => networks.find(submission),
            Self::Length(length) => length.find(submission),
            Self::Capitals(capitals) => capitals.find(submission),
            Self::Script(scripts) => scripts.find(submission),
            Self::FirstComment => submission.is_first.then(Found::first_comment),
            Self::Hours(span) => span.find(submission),
        }
    }
}

fn find_pattern(pattern: &Pattern, fields: &[Field], submission: &Submission, steps: &mut usize) -> Option<Found> {
    let mut unread = None;
    for field in Field::ALL.into_iter().filter(|field| fields.contains(field)) {
        let text = submission.field(field);
        match pattern.find(text, steps) {
            Search::Nothing => {}
            Search::At(place) => return Some(Found::text(field, text, place)),
            Search::TooLong => unread = unread.or_else(|| Some(Found::unread(field))),
        }
    }
    unread
}

fn check_fields(fields: &[Field]) -> Result<(), Fault> {
    if fields.is_empty() { Err(Fault::new("fields", "required")) } else { Ok(()) }
}

/// Ids are read as text from paths, and here as the numbers that they are.
fn read_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<RuleId, D::Error> {
    let number = i64::deserialize(deserializer)?;
    RuleId::from_number(number).ok_or_else(|| serde::de::Error::custom("not an id"))
}

#[cfg(test)]
mod tests;
