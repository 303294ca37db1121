//! A month of the calendar, in UTC: what reports are about.

use std::fmt;
use std::ops::Range;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::clock::Millis;

/// A month from 1970 to 9998; written `2026-11`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Month {
    year: i16,
    month: i8,
}

impl Month {
    /// Reads four digits, a hyphen and two digits.
    pub fn parse(text: &str) -> Option<Self> {
        let (year, month) = text.split_once('-')?;
        let is_digits =
            |text: &str, count: usize| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_digits(year, 4) || !is_digits(month, 2) {
            return None;
        }
        let found = Self { year: year.parse().ok()?, month: month.parse().ok()? };
        ((1970..9999).contains(&found.year) && (1..=12).contains(&found.month)).then_some(found)
    }

    /// The month in which a moment lies.
    pub fn of(moment: Millis) -> Self {
        let (year, month, ..) = moment.parts();
        Self { year: year.clamp(1970, 9998), month: i8::try_from(month).unwrap_or(1) }
    }

    /// From its first moment to the first of the next.
    pub fn range(self) -> Range<Millis> {
        let next = if self.month == 12 { (self.year + 1, 1) } else { (self.year, self.month + 1) };
        begin(self.year, self.month)..begin(next.0, next.1)
    }
}

fn begin(year: i16, month: i8) -> Millis {
    let midnight = Date::new(year, month, 1).map(|date| date.at(0, 0, 0, 0));
    let moment = midnight.and_then(|midnight| TimeZone::UTC.to_timestamp(midnight));
    Millis(moment.map_or(0, jiff::Timestamp::as_millisecond))
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_ends_where_the_next_begins() {
        let range = |text| Month::parse(text).map(Month::range).unwrap();
        assert_eq!(range("2026-11").start, Millis::parse_rfc3339("2026-11-01T00:00:00Z").unwrap());
        assert_eq!(range("2026-11").end, range("2026-12").start);
        assert_eq!(range("2026-12").end, range("2027-01").start);
        assert_eq!(range("9998-12").end, Millis::parse_rfc3339("9999-01-01T00:00:00Z").unwrap());
        for text in ["1970-01", "2024-02", "9998-12"] {
            let month = Month::parse(text).unwrap();
            assert_eq!(month.to_string(), text);
            assert_eq!((Month::of(month.range().start), Month::of(Millis(month.range().end.0 - 1))), (month, month));
        }
    }

    #[test]
    fn months_are_read_strictly() {
        for text in ["", "2026", "2026-1", "2026-13", "2026-00", "26-11", "2026-11-01", "+026-11", "1969-12", "9999-01"]
        {
            assert_eq!(Month::parse(text), None, "{text:?}");
        }
    }
}
