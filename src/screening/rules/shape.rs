//! What a comment is like whatever it says: how long, in how many capitals, in which scripts, at what time of day.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use unicode_script::{Script, UnicodeScript};

use crate::kit::clock::Millis;
use crate::kit::fault::Fault;

use super::Submission;
use super::told::Found;

/// The most scripts of one rule.
const MOST_SCRIPTS: usize = 50;

/// How many characters a comment has.
#[derive(Debug)]
pub(super) struct Length {
    min: Option<u32>,
    max: Option<u32>,
}

impl Length {
    pub fn new(min: Option<u32>, max: Option<u32>) -> Result<Self, Fault> {
        match (min, max) {
            (None, None) => Err(Fault::new("min", "required")),
            (Some(0), _) => Err(Fault::new("min", "range")),
            (Some(min), Some(max)) if min > max => Err(Fault::new("max", "range")),
            _ => Ok(Self { min, max }),
        }
    }

    pub fn find(&self, submission: &Submission) -> Option<Found> {
        let count = submission.text.trim().chars().count();
        let number = u32::try_from(count).unwrap_or(u32::MAX);
        match (self.min, self.max) {
            (Some(min), _) if number < min => Some(Found::length(count, true, min)),
            (_, Some(max)) if number > max => Some(Found::length(count, false, max)),
            _ => None,
        }
    }
}

/// How many of the letters with case are capitals.
#[derive(Debug)]
pub(super) struct Capitals {
    share: f64,
    letters: u32,
}

impl Capitals {
    pub fn new(share: f64, letters: u32) -> Result<Self, Fault> {
        check_share(share)?;
        if letters == 0 { Err(Fault::new("letters", "range")) } else { Ok(Self { share, letters }) }
    }

    pub fn find(&self, submission: &Submission) -> Option<Found> {
        let (mut capitals, mut letters) = (0_u32, 0_u32);
        for c in submission.text.chars() {
            capitals += u32::from(c.is_uppercase());
            letters += u32::from(c.is_uppercase() || c.is_lowercase());
        }
        let share = f64::from(capitals) / f64::from(letters.max(1));
        (letters >= self.letters && share >= self.share).then(|| Found::capitals(share))
    }
}

/// In which scripts the letters are.
#[derive(Debug)]
pub(super) struct Scripts {
    listed: Vec<Script>,
    is_allowed: bool,
    share: f64,
}

impl Scripts {
    pub fn new(allowed: Option<&[String]>, refused: Option<&[String]>, share: f64) -> Result<Self, Fault> {
        check_share(share)?;
        let (name, names, is_allowed) = match (allowed, refused) {
            (Some(allowed), None) => ("allowed", allowed, true),
            (None, Some(refused)) => ("refused", refused, false),
            (Some(_), Some(_)) => return Err(Fault::new("allowed", "one_of")),
            (None, None) => return Err(Fault::new("refused", "required")),
        };
        if names.is_empty() {
            return Err(Fault::new(name, "required"));
        }
        if names.len() > MOST_SCRIPTS {
            return Err(Fault { limit: Some(MOST_SCRIPTS as u64), ..Fault::new(name, "too_many") });
        }
        let one = |(index, text): (usize, &String)| {
            let script = Script::from_full_name(text).or_else(|| Script::from_short_name(text));
            script.filter(|script| has_letters(*script)).ok_or_else(|| Fault::of_element(name, index, "script"))
        };
        let listed = names.iter().enumerate().map(one).collect::<Result<_, _>>()?;
        Ok(Self { listed, is_allowed, share })
    }

    pub fn find(&self, submission: &Submission) -> Option<Found> {
        let (mut wrong, mut letters, mut first) = (0_u32, 0_u32, None);
        for c in submission.text.chars().filter(|c| c.is_alphabetic()) {
            let script = c.script();
            // Digits, signs and marks belong to all.
            if has_letters(script) {
                letters += 1;
                if self.listed.contains(&script) != self.is_allowed {
                    wrong += 1;
                    first = first.or(Some(script));
                }
            }
        }
        let first = first?;
        let share = f64::from(wrong) / f64::from(letters.max(1));
        let are = if self.is_allowed { "of other scripts" } else { first.full_name() };
        (share >= self.share).then(|| Found::scripts(share, &are.replace('_', " ")))
    }
}

fn has_letters(script: Script) -> bool {
    !matches!(script, Script::Common | Script::Inherited | Script::Unknown)
}

/// Above 0, up to 1.
fn check_share(share: f64) -> Result<(), Fault> {
    if share > 0.0 && share <= 1.0 { Ok(()) } else { Err(Fault::new("share", "range")) }
}

/// A part of each day.
#[derive(Debug)]
pub(super) struct Span {
    /// As they were written.
    words: (String, String),
    /// Minutes since midnight.
    from: u16,
    until: u16,
    /// The site's when there is none.
    zone: Option<TimeZone>,
}

impl Span {
    pub fn new(from: &str, until: &str, timezone: Option<&str>) -> Result<Self, Fault> {
        let minutes = |name, text| minutes(text).ok_or_else(|| Fault::new(name, "format"));
        let zone =
            timezone.map(|name| find_zone(name).ok_or_else(|| Fault::new("timezone", "timezone"))).transpose()?;
        let words = (from.to_owned(), until.to_owned());
        let (from, until) = (minutes("from", from)?, minutes("until", until)?);
        if from == until { Err(Fault::new("until", "range")) } else { Ok(Self { words, from, until, zone }) }
    }

    fn has(&self, at: Millis, site: &str) -> bool {
        let Ok(moment) = Timestamp::from_millisecond(at.0) else { return false };
        let zone = self.zone.clone().or_else(|| find_zone(site)).unwrap_or(TimeZone::UTC);
        let time = zone.to_datetime(moment).time();
        let minute = u16::try_from(i16::from(time.hour()) * 60 + i16::from(time.minute())).unwrap_or(0);
        if self.from < self.until {
            (self.from..self.until).contains(&minute)
        } else {
            minute >= self.from || minute < self.until
        }
    }

    pub fn find(&self, submission: &Submission) -> Option<Found> {
        self.has(submission.at, submission.timezone).then(|| Found::hours(&self.words.0, &self.words.1))
    }
}

/// A zone of the IANA database by its own name.
fn find_zone(name: &str) -> Option<TimeZone> {
    TimeZone::get(name).ok().filter(|zone| zone.iana_name().is_some())
}

/// Two digits, a colon and two digits, as a clock shows.
fn minutes(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let number = |digits: &str, below: u16| {
        let is_written_well = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse::<u16>().ok().filter(|number| is_written_well && *number < below)
    };
    Some(number(hour, 24)? * 60 + number(minute, 60)?)
}
