//! What a rule found, in words for moderators and as it is kept. Nothing that is personal is quoted.

use std::fmt::Write;
use std::ops::Range;

use crate::kit::ids::RuleId;
use crate::screening::{Effect, Finding, Hit};

use super::Field;

/// The longest match that is kept, in bytes.
const MAX_MATCH: usize = 200;
/// The longest match that a reason quotes, in characters.
const MAX_QUOTE: usize = 60;
/// What the network address is called, as in the queue.
const ADDRESS: &str = "ip";

/// What a rule found, and where.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// The beginning of a sentence, without its full stop.
    what: String,
    field: Option<&'static str>,
    matched: Option<String>,
    start: Option<usize>,
}

impl Found {
    fn whole(what: String) -> Self {
        Self { what, field: None, matched: None, start: None }
    }

    fn of_text(what: String) -> Self {
        Self { field: Some(Field::Text.as_str()), ..Self::whole(what) }
    }

    /// Something that is written in a field.
    pub fn text(field: Field, text: &str, place: Range<usize>) -> Self {
        let matched = text.get(place.clone()).unwrap_or_default();
        let what = match field {
            Field::Text => format!("Contains \"{}\"", quote(matched)),
            Field::Name => format!("The name contains \"{}\"", quote(matched)),
            Field::Url => format!("The website contains \"{}\"", quote(matched)),
            Field::Email => return Self::personal("The email contains what is looked for", field.as_str()),
        };
        Self { what, field: Some(field.as_str()), matched: Some(cut(matched).to_owned()), start: Some(place.start) }
    }

    /// Something in a field that is personal: it is kept there alone, so that it is gone when that is cleared or erased.
    fn personal(what: &str, field: &'static str) -> Self {
        Self { field: Some(field), ..Self::whole(what.to_owned()) }
    }

    /// A field that could not be looked through to its end in the time that a pattern has.
    pub fn unread(field: Field) -> Self {
        let what = "The pattern takes too long on this, so it was not looked for to the end".to_owned();
        Self { field: Some(field.as_str()), ..Self::whole(what) }
    }

    pub fn links(count: usize) -> Self {
        Self::of_text(format!("Has {count} {}", if count == 1 { "link" } else { "links" }))
    }

    /// A link in the text, or the author's website.
    pub fn host(field: Field, text: &str, host: &str) -> Self {
        let what = if field == Field::Url { "The website is at" } else { "Links to" };
        let start = text.to_ascii_lowercase().find(host);
        let matched = start.and_then(|start| text.get(start..start + host.len())).unwrap_or(host);
        let what = format!("{what} {}", quote(matched));
        Self { what, field: Some(field.as_str()), matched: Some(cut(matched).to_owned()), start }
    }

    pub fn email() -> Self {
        Self::personal("The email is on a list", Field::Email.as_str())
    }

    pub fn address() -> Self {
        Self::personal("The network address is on a list", ADDRESS)
    }

    pub fn length(count: usize, is_short: bool, limit: u32) -> Self {
        let (characters, than) = (if count == 1 { "character" } else { "characters" }, limit);
        let side = if is_short { "fewer" } else { "more" };
        Self::of_text(format!("Has {count} {characters}, {side} than {than}"))
    }

    pub fn capitals(share: f64) -> Self {
        Self::of_text(format!("{:.0} % of its letters are capitals", share * 100.0))
    }

    pub fn scripts(share: f64, are: &str) -> Self {
        Self::of_text(format!("{:.0} % of its letters are {are}", share * 100.0))
    }

    pub fn first_comment() -> Self {
        Self::whole("The author's first comment here".to_owned())
    }

    pub fn hours(from: &str, until: &str) -> Self {
        Self::whole(format!("Sent between {from} and {until}"))
    }

    /// The finding of a rule.
    pub fn finding(self, rule: RuleId, label: Option<&str>, effect: Effect) -> Finding {
        let mut reason = format!("{} (rule {rule}", self.what);
        if let Some(label) = label {
            // Writing to a string does not fail.
            let _ = write!(reason, ", {label}");
        }
        reason.push_str(").");
        let hit = Hit {
            rule: rule.to_string(),
            effect,
            field: self.field.map(str::to_owned),
            matched: self.matched,
            start: self.start.and_then(|start| u64::try_from(start).ok()),
        };
        Finding { reason, hit }
    }
}

/// The beginning, as much as is kept.
fn cut(text: &str) -> &str {
    let end = text.floor_char_boundary(MAX_MATCH);
    &text[..end]
}

/// The beginning on one line.
fn quote(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut short: String = line.chars().take(MAX_QUOTE).collect();
    if short.len() < line.len() {
        short.push('…');
    }
    short
}
