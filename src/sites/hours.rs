//! Opening hours: between which times of day, where the readers are, comments are taken.
//!
//! A day's hours begin and end at moments, not at readings of a clock: where the clock is put forward over an hour, what
//! should begin in it begins as much later, and where it is put back, the first of the two counts. So whether it is open
//! and when it opens never contradict each other.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::kit::clock::Millis;

/// How many days ahead the next opening is looked for: a day whose hours fall into a gap has none.
const DAYS_AHEAD: usize = 4;

/// From when until when, each day. What ends before it begins goes on over midnight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    pub from: TimeOfDay,
    /// The first minute that is outside; not equal to `from`.
    pub until: TimeOfDay,
    /// A name of the IANA database, such as `Europe/Paris`.
    pub timezone: String,
}

/// Minutes since midnight, as a clock shows them; written `08:30`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay(u16);

impl TimeOfDay {
    /// Reads two digits, a colon and two digits.
    pub fn parse(text: &str) -> Option<Self> {
        let (hour, minute) = text.split_once(':')?;
        let number = |digits: &str, below: u16| {
            let is_written_well = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
            digits.parse::<u16>().ok().filter(|number| is_written_well && *number < below)
        };
        Some(Self(number(hour, 24)? * 60 + number(minute, 60)?))
    }
}

impl std::fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl Serialize for TimeOfDay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not a time of day"))
    }
}

/// The name as the IANA database writes it; `None` when it has no such zone.
pub fn find_timezone(name: &str) -> Option<String> {
    TimeZone::get(name).ok()?.iana_name().map(str::to_owned)
}

impl Hours {
    /// When it opens again; `None` while it is open.
    pub fn opens_at(&self, now: Millis) -> Option<Millis> {
        let zone = TimeZone::get(&self.timezone).unwrap_or(TimeZone::UTC);
        let now = Timestamp::from_millisecond(now.0).ok()?;
        // Yesterday's hours may go on today.
        let first = zone.to_datetime(now).date().yesterday().ok()?;
        let days = std::iter::successors(Some(first), |day| day.tomorrow().ok()).take(DAYS_AHEAD);
        let later = days.filter_map(|day| self.on(day, &zone)).find(|(_, end)| now < *end);
        later.filter(|(begin, _)| now < *begin).map(|(begin, _)| Millis(begin.as_millisecond()))
    }

    /// The moments at which a day's hours begin and end; `None` when a gap leaves nothing of them.
    fn on(&self, day: Date, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
        let last = if self.from < self.until { day } else { day.tomorrow().ok()? };
        let (begin, end) = (moment(day, self.from, zone)?, moment(last, self.until, zone)?);
        (begin < end).then_some((begin, end))
    }
}

fn moment(day: Date, time: TimeOfDay, zone: &TimeZone) -> Option<Timestamp> {
    let (hour, minute) = (i8::try_from(time.0 / 60).ok()?, i8::try_from(time.0 % 60).ok()?);
    zone.to_timestamp(day.at(hour, minute, 0, 0)).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hours(from: &str, until: &str, timezone: &str) -> Hours {
        let time = |text| TimeOfDay::parse(text).unwrap();
        Hours { from: time(from), until: time(until), timezone: timezone.to_owned() }
    }

    fn opens(hours: &Hours, now: &str) -> Option<String> {
        hours.opens_at(Millis::parse_rfc3339(now).unwrap()).map(Millis::to_rfc3339)
    }

    #[test]
    fn times_of_day_are_read_strictly() {
        for text in ["00:00", "08:30", "23:59"] {
            assert_eq!(TimeOfDay::parse(text).unwrap().to_string(), text);
        }
        for text in ["", "8:30", "24:00", "12:60", "12", "12:3", "-1:00", "+1:00", "12:30:00", " 12:30", "１２:30"] {
            assert_eq!(TimeOfDay::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn zones_are_known_by_their_own_names() {
        assert_eq!(find_timezone("europe/paris").as_deref(), Some("Europe/Paris"));
        assert_eq!(find_timezone("UTC").as_deref(), Some("UTC"));
        for name in ["", "Paris", "Europe/Nowhere", "CET-1CEST", "+01:00", "../etc/passwd"] {
            assert_eq!(find_timezone(name), None, "{name:?}");
        }
    }

    #[test]
    fn a_day_is_open_between_its_hours_where_the_readers_are() {
        let paris = hours("08:00", "22:00", "Europe/Paris");
        // An hour ahead of UTC in winter, two in summer.
        assert_eq!(opens(&paris, "2026-11-24T06:59:59Z").as_deref(), Some("2026-11-24T07:00:00.000Z"));
        assert_eq!(opens(&paris, "2026-11-24T07:00:00Z"), None);
        assert_eq!(opens(&paris, "2026-11-24T20:59:59.999Z"), None);
        assert_eq!(opens(&paris, "2026-11-24T21:00:00Z").as_deref(), Some("2026-11-25T07:00:00.000Z"));
        assert_eq!(opens(&paris, "2026-07-24T05:59:00Z").as_deref(), Some("2026-07-24T06:00:00.000Z"));
        assert_eq!(opens(&paris, "2026-07-24T20:00:00Z").as_deref(), Some("2026-07-25T06:00:00.000Z"));
    }

    #[test]
    fn hours_go_on_over_midnight() {
        let night = hours("22:00", "06:00", "UTC");
        assert_eq!(opens(&night, "2026-11-24T23:00:00Z"), None);
        assert_eq!(opens(&night, "2026-11-25T05:59:00Z"), None);
        assert_eq!(opens(&night, "2026-11-25T06:00:00Z").as_deref(), Some("2026-11-25T22:00:00.000Z"));
        let day = hours("08:00", "00:00", "UTC");
        assert_eq!(opens(&day, "2026-11-24T23:59:59Z"), None);
        assert_eq!(opens(&day, "2026-11-25T00:00:00Z").as_deref(), Some("2026-11-25T08:00:00.000Z"));
    }

    /// Paris puts the clock from 02:00 to 03:00 on 29 March 2026, and from 03:00 to 02:00 on 25 October.
    #[test]
    fn the_clock_may_be_put_forward_and_back() {
        let early = hours("02:30", "10:00", "Europe/Paris");
        assert_eq!(opens(&early, "2026-03-29T00:59:00Z").as_deref(), Some("2026-03-29T01:30:00.000Z"));
        let gone = hours("02:00", "03:00", "Europe/Paris");
        assert_eq!(opens(&gone, "2026-03-29T00:30:00Z").as_deref(), Some("2026-03-30T00:00:00.000Z"));
        assert_eq!(opens(&early, "2026-10-25T00:29:00Z").as_deref(), Some("2026-10-25T00:30:00.000Z"));
        assert_eq!(opens(&early, "2026-10-25T01:15:00Z"), None);
    }

    proptest! {
        #[test]
        fn what_opens_then_is_closed_until_then_and_open_then(
            from in 0_u16..1440, until in 0_u16..1440, now in 0_i64..4_000_000_000_000,
            zone in prop::sample::select(vec!["Europe/Paris", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC"]),
        ) {
            prop_assume!(from != until);
            let hours = Hours { from: TimeOfDay(from), until: TimeOfDay(until), timezone: zone.to_owned() };
            if let Some(at) = hours.opens_at(Millis(now)) {
                prop_assert!(at.0 > now && at.0 - now <= 3 * 86_400_000);
                prop_assert_eq!(hours.opens_at(at), None);
                prop_assert_eq!(hours.opens_at(Millis(at.0 - 1)), Some(at));
                prop_assert_eq!(hours.opens_at(Millis(i64::midpoint(now, at.0))), Some(at));
            }
        }
    }
}
