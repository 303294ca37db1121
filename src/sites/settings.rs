//! How a site treats comments: its settings, what they are when nobody says, and which there cannot be.
//!
//! Only the types and their rules: [`super::put_settings()`] stores them, and the features above do what they say.

use serde::{Deserialize, Serialize};

use crate::kit::fault::Fault;
use crate::kit::{secret, text};
use crate::screening::Policy;

use super::hours::{Hours, find_timezone};
use super::outside::Outside;

/// The deepest nesting that may be set, in levels.
pub const MAX_DEPTH: u32 = 10;
/// The most days after which articles may close: ten years.
const MAX_CLOSE_AFTER_DAYS: u32 = 3_650;
/// The longest time in which an author may edit: a week.
const MAX_EDIT_MINUTES: u32 = 10_080;
/// The most reports that may be waited for.
const MAX_REPORT_THRESHOLD: u32 = 1_000;
/// The largest share of good comments that a filter may be allowed to hold back.
const MAX_BUDGET: f64 = 0.1;
/// The most reasons a site may offer.
pub const MOST_REASONS: usize = 50;
/// The longest label of a reason, in characters.
const MAX_LABEL: usize = 100;
/// The longest message to an author, in characters: as long as one that a moderator writes.
const MAX_MESSAGE: usize = 2_000;
/// The longest key of a reason, in characters (all ASCII).
const MAX_REASON_KEY: usize = 64;

/// Reasons that every site offers until it sets its own: key and label.
const USUAL_REASONS: [(&str, &str); 11] = [
    ("offensive", "Offensive"),
    ("abusive", "Abusive"),
    ("spam", "Spam"),
    ("advertising", "Advertising"),
    ("off-topic", "Off topic"),
    ("personal-data", "Personal data"),
    ("illegal", "Illegal"),
    ("misinformation", "Misinformation"),
    ("hate", "Hate"),
    ("duplicate", "Duplicate"),
    ("other", "Other"),
];

/// How a site treats comments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SiteSettings {
    pub policy: Policy,
    pub required: RequiredFields,
    /// Levels of replies, roots counted: 1 to [`MAX_DEPTH`]. The deepest comment's `depth` is one less.
    pub max_depth: u32,
    /// In which order readers get threads when they do not say.
    pub order: Order,
    /// Articles that have no closing time of their own close so many days after they were made: 1 to 3,650.
    pub close_after_days: Option<u32>,
    /// When comments are taken; at any time when there are none.
    pub hours: Option<Hours>,
    /// For how long an author may edit: up to a week; 0 for not at all.
    pub edit_minutes: u32,
    /// What moderators may give as a reason.
    pub reasons: Vec<Reason>,
    /// Keys of the reasons for which a second moderator must agree.
    pub four_eyes: Vec<String>,
    /// So many reports by readers bring a published comment back to the queue; 0 for none.
    pub report_threshold: u32,
    /// The share of good comments that a filter may hold back: 0 to 0.1.
    pub budget: f64,
    /// Services outside that are asked about each comment.
    pub outside: Outside,
}

impl Default for SiteSettings {
    fn default() -> Self {
        Self {
            policy: Policy::default(),
            required: RequiredFields::default(),
            max_depth: 5,
            order: Order::default(),
            close_after_days: None,
            hours: None,
            edit_minutes: 0,
            reasons: USUAL_REASONS.map(Reason::usual).to_vec(),
            four_eyes: Vec::new(),
            report_threshold: 3,
            budget: 0.01,
            outside: Outside::default(),
        }
    }
}

/// What a reader must fill in, beside the comment itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RequiredFields {
    pub name: bool,
    pub email: bool,
}

impl Default for RequiredFields {
    fn default() -> Self {
        Self { name: true, email: true }
    }
}

/// An order of threads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    #[default]
    Oldest,
    Newest,
    /// Most published replies below first, then oldest.
    Top,
}

impl Order {
    /// Reads the word of the contract.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Oldest, Self::Newest, Self::Top].into_iter().find(|order| order.as_str() == text)
    }

    /// The word of the contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Oldest => "oldest",
            Self::Newest => "newest",
            Self::Top => "top",
        }
    }
}

/// Why a moderator may decide as they do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// 1 to 64 of `a-z 0-9 -`, not first or last a hyphen.
    pub key: String,
    /// What moderators read.
    pub label: String,
    /// What the author is told when the moderator writes nothing.
    pub message: Option<String>,
}

impl Reason {
    fn usual((key, label): (&str, &str)) -> Self {
        Self { key: key.to_owned(), label: label.to_owned(), message: None }
    }

    /// Whether the site left it as it is when nobody says: readers then get its meaning in their own language.
    pub fn is_usual(&self) -> bool {
        USUAL_REASONS.contains(&(self.key.as_str(), self.label.as_str()))
    }

    fn fault(&self) -> Option<(&'static str, Fault)> {
        if !is_reason_key(&self.key) {
            return Some(("key", Fault::of_whole("format")));
        }
        let label = &self.label;
        let label_fault = if label.chars().count() > MAX_LABEL {
            Some(Fault { limit: Some(MAX_LABEL as u64), ..Fault::of_whole("too_many_characters") })
        } else if label.trim().is_empty() {
            Some(Fault::of_whole("blank"))
        } else {
            text::check_plain(label).err().map(|fault| Fault::of_whole(crate::kit::fault::code_of_text(fault)))
        };
        if let Some(fault) = label_fault {
            return Some(("label", fault));
        }
        let is_too_long = self.message.as_ref().is_some_and(|message| message.chars().count() > MAX_MESSAGE);
        let too_long = || Fault { limit: Some(MAX_MESSAGE as u64), ..Fault::of_whole("too_many_characters") };
        is_too_long.then(|| ("message", too_long()))
    }
}

fn is_reason_key(key: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=MAX_REASON_KEY).contains(&key.len())
        && key.bytes().all(is_allowed)
        && !key.starts_with('-')
        && !key.ends_with('-')
}

impl SiteSettings {
    /// The reason with this key, if the site offers it.
    pub fn find_reason(&self, key: &str) -> Option<&Reason> {
        self.reasons.iter().find(|reason| reason.key == key)
    }

    /// Where the readers are, as far as anybody said: the time zone of the opening hours.
    pub fn timezone(&self) -> &str {
        self.hours.as_ref().map_or("UTC", |hours| &hours.timezone)
    }

    /// A number that other settings do not have: their version. The same settings have the same again.
    pub fn version(&self) -> i64 {
        let text = serde_json::to_vec(self).unwrap_or_default();
        let hash = secret::digest(&text);
        let first = hash.first_chunk::<8>().copied().unwrap_or_default();
        // Below 2^53, like every number of the API.
        i64::from_be_bytes(first) & 0x1f_ffff_ffff_ffff
    }

    /// Everything that cannot be so.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let days = self.close_after_days.unwrap_or(1);
        for (name, value, low, high) in [
            ("max_depth", self.max_depth, 1, MAX_DEPTH),
            ("close_after_days", days, 1, MAX_CLOSE_AFTER_DAYS),
            ("edit_minutes", self.edit_minutes, 0, MAX_EDIT_MINUTES),
            ("report_threshold", self.report_threshold, 0, MAX_REPORT_THRESHOLD),
        ] {
            if !(low..=high).contains(&value) {
                faults.push(Fault { limit: Some(high.into()), ..Fault::new(name, "range") });
            }
        }
        if !(0.0..=MAX_BUDGET).contains(&self.budget) {
            faults.push(Fault::new("budget", "range"));
        }
        if let Some(hours) = &self.hours {
            faults.extend(faults_of_hours(hours));
        }
        faults.extend(self.faults_of_reasons());
        faults
    }

    fn faults_of_reasons(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self.reasons.len() > MOST_REASONS {
            return vec![Fault { limit: Some(MOST_REASONS as u64), ..Fault::new("reasons", "too_many") }];
        }
        for (index, reason) in self.reasons.iter().enumerate() {
            if let Some((name, fault)) = reason.fault() {
                faults.push(Fault { pointer: format!("/reasons/{index}/{name}"), ..fault });
            } else if self.reasons[..index].iter().any(|before| before.key == reason.key) {
                faults.push(Fault { pointer: format!("/reasons/{index}/key"), ..Fault::of_whole("repeated") });
            }
        }
        for (index, key) in self.four_eyes.iter().enumerate() {
            if self.four_eyes[..index].contains(key) {
                faults.push(Fault::of_element("four_eyes", index, "repeated"));
            } else if self.find_reason(key).is_none() {
                faults.push(Fault::of_element("four_eyes", index, "choice"));
            }
        }
        faults
    }
}

fn faults_of_hours(hours: &Hours) -> Vec<Fault> {
    let at = |name: &str, code| Fault { pointer: format!("/hours/{name}"), ..Fault::of_whole(code) };
    let is_empty = (hours.from == hours.until).then(|| at("until", "range"));
    let is_nowhere = find_timezone(&hours.timezone).is_none().then(|| at("timezone", "timezone"));
    is_empty.into_iter().chain(is_nowhere).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sites::hours::TimeOfDay;

    fn reason(key: &str) -> Reason {
        Reason::usual((key, "A label"))
    }

    #[test]
    fn what_nobody_changed_is_right_and_reads_back() {
        let usual = SiteSettings::default();
        assert_eq!(usual.faults(), []);
        assert_eq!(serde_json::from_str::<SiteSettings>("{}").unwrap(), usual);
        let text = serde_json::to_string(&usual).unwrap();
        assert_eq!(serde_json::from_str::<SiteSettings>(&text).unwrap(), usual);
        assert_eq!(usual.version(), SiteSettings::default().version());
        assert!((0..1 << 53).contains(&usual.version()));
        assert_ne!(usual.version(), SiteSettings { max_depth: 4, ..usual }.version());
    }

    #[test]
    fn every_fault_is_named_where_it_is() {
        let time = TimeOfDay::parse("08:00").unwrap();
        let settings = SiteSettings {
            max_depth: 0,
            close_after_days: Some(0),
            edit_minutes: 10_081,
            report_threshold: 1_001,
            budget: f64::NAN,
            hours: Some(Hours { from: time, until: time, timezone: "Mars".to_owned() }),
            reasons: vec![
                reason("fine"),
                reason("Not so"),
                reason("fine"),
                Reason { label: " ".to_owned(), ..reason("b") },
                Reason { label: "a\nb".to_owned(), ..reason("c") },
                Reason { label: "x".repeat(101), ..reason("d") },
                Reason { message: Some("x".repeat(2_001)), ..reason("e") },
            ],
            four_eyes: vec!["fine".to_owned(), "none".to_owned(), "fine".to_owned()],
            ..SiteSettings::default()
        };
        let found = settings.faults();
        let found: Vec<(&str, &str)> = found.iter().map(|fault| (fault.pointer.as_str(), fault.code)).collect();
        assert_eq!(
            found,
            [
                ("/max_depth", "range"),
                ("/close_after_days", "range"),
                ("/edit_minutes", "range"),
                ("/report_threshold", "range"),
                ("/budget", "range"),
                ("/hours/until", "range"),
                ("/hours/timezone", "timezone"),
                ("/reasons/1/key", "format"),
                ("/reasons/2/key", "repeated"),
                ("/reasons/3/label", "blank"),
                ("/reasons/4/label", "control_character"),
                ("/reasons/5/label", "too_many_characters"),
                ("/reasons/6/message", "too_many_characters"),
                ("/four_eyes/1", "choice"),
                ("/four_eyes/2", "repeated"),
            ]
        );
    }

    #[test]
    fn keys_of_reasons_are_short_words() {
        for key in ["a", "off-topic", "rule-7", &"x".repeat(64)] {
            assert!(is_reason_key(key), "{key}");
        }
        for key in ["", "-a", "a-", "A", "a b", "a_b", "é", "=1", &"x".repeat(65)] {
            assert!(!is_reason_key(key), "{key}");
        }
    }
}
