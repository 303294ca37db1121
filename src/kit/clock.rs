//! Time: what the calendar says ([`Millis`]) and how much has passed ([`Clock::elapsed`]).
//!
//! The two are kept apart because the calendar may jump: an administrator sets it, NTP corrects it. What is
//! stored and shown uses the calendar; limits and time-outs use the monotonic part and never notice.
//! Tests turn a [`ManualClock`] by hand. This module never sleeps.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::BigInt;
use jiff::Timestamp;
use jiff::tz::Offset;

/// A moment: milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted. Stored as `BIGINT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = BigInt)]
pub struct Millis(pub i64);

impl Millis {
    /// Reads an RFC 3339 date and time with an offset; parts of a millisecond are cut off.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let moment: Timestamp = text.parse().ok()?;
        Some(Self(moment.as_millisecond()))
    }

    /// RFC 3339 in UTC with exactly three decimals, as every body of the API has it.
    pub fn to_rfc3339(self) -> String {
        format!("{:.3}", self.timestamp())
    }

    /// Year, month, day, hour and minute in UTC, for whoever writes dates in words.
    pub fn parts(self) -> (i16, u8, u8, u8, u8) {
        let moment = Offset::UTC.to_datetime(self.timestamp());
        let number = |value: i8| value.unsigned_abs();
        (moment.year(), number(moment.month()), number(moment.day()), number(moment.hour()), number(moment.minute()))
    }

    /// This moment and `duration` more; far beyond any calendar it stays at the last moment there is.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// This moment less `duration`.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    fn timestamp(self) -> Timestamp {
        Timestamp::from_millisecond(self.0).unwrap_or(if self.0 < 0 { Timestamp::MIN } else { Timestamp::MAX })
    }
}

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_rfc3339())
    }
}

impl serde::Serialize for Millis {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_rfc3339())
    }
}

impl<DB> ToSql<BigInt, DB> for Millis
where
    DB: Backend,
    i64: ToSql<BigInt, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        self.0.to_sql(out)
    }
}

impl<DB> FromSql<BigInt, DB> for Millis
where
    DB: Backend,
    i64: FromSql<BigInt, DB>,
{
    fn from_sql(bytes: DB::RawValue<'_>) -> deserialize::Result<Self> {
        i64::from_sql(bytes).map(Self)
    }
}

/// Where time comes from.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's calendar, and its monotonic clock counted from the given start.
    System { started: Instant },
    /// A clock that stands still until it is turned.
    Manual(ManualClock),
}

impl Clock {
    /// The machine's own clock.
    pub fn system() -> Self {
        Self::System { started: Instant::now() }
    }

    /// What the calendar says now.
    pub fn now(&self) -> Millis {
        match self {
            Self::System { .. } => {
                let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
                Millis(0).plus(since_epoch)
            }
            Self::Manual(clock) => Millis(clock.calendar_ms.load(Ordering::SeqCst)),
        }
    }

    /// Time since this clock was made. Never goes back.
    pub fn elapsed(&self) -> Duration {
        match self {
            Self::System { started } => started.elapsed(),
            Self::Manual(clock) => {
                Duration::from_millis(u64::try_from(clock.elapsed_ms.load(Ordering::SeqCst)).unwrap_or(0))
            }
        }
    }
}

/// A clock turned by hand; clones show the same time.
#[derive(Clone, Debug)]
pub struct ManualClock {
    calendar_ms: Arc<AtomicI64>,
    elapsed_ms: Arc<AtomicI64>,
}

impl ManualClock {
    /// A clock that shows `now` and has not run yet.
    pub fn at(now: Millis) -> Self {
        Self { calendar_ms: Arc::new(AtomicI64::new(now.0)), elapsed_ms: Arc::new(AtomicI64::new(0)) }
    }

    /// Lets time pass, on the calendar and on the monotonic clock alike.
    pub fn advance(&self, duration: Duration) {
        let ms = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        self.calendar_ms.fetch_add(ms, Ordering::SeqCst);
        self.elapsed_ms.fetch_add(ms, Ordering::SeqCst);
    }

    /// Sets the calendar alone, as an administrator or NTP would.
    pub fn set_calendar(&self, now: Millis) {
        self.calendar_ms.store(now.0, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_reads_back_what_it_writes() {
        let moment = Millis(1_795_497_369_004);
        assert_eq!(moment.to_rfc3339(), "2026-11-24T05:16:09.004Z");
        assert_eq!(Millis::parse_rfc3339(&moment.to_rfc3339()), Some(moment));
        assert_eq!(moment.parts(), (2026, 11, 24, 5, 16));
    }

    #[test]
    fn whole_seconds_keep_three_decimals() {
        assert_eq!(Millis(0).to_rfc3339(), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn a_moment_beyond_the_calendar_is_shown_and_does_not_panic() {
        assert!(Millis(i64::MAX).to_rfc3339().starts_with("9999-"));
        assert_eq!(Millis(i64::MAX).plus(Duration::from_secs(1)), Millis(i64::MAX));
    }
}
