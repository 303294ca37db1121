//! What clients saw, and the few numbers that are made of it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::answers::Seen;

/// What clients saw.
#[derive(Debug, Default)]
pub struct Figures {
    /// How long each answer took, by status.
    pub times: BTreeMap<u16, Vec<Duration>>,
    /// Refusals that did not say when to come back.
    pub without_retry_after: usize,
    /// Requests that were sent and not answered.
    pub dropped: usize,
    /// Requests that could not be sent, because nobody took the connection.
    pub not_taken: usize,
}

impl Figures {
    pub fn note(&mut self, seen: Seen, took: Duration) {
        self.times.entry(seen.status).or_default().push(took);
        self.without_retry_after += usize::from(matches!(seen.status, 429 | 503) && !seen.has_retry_after);
    }

    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        for (status, times) in other.times {
            self.times.entry(status).or_default().extend(times);
        }
        self.without_retry_after += other.without_retry_after;
        self.dropped += other.dropped;
        self.not_taken += other.not_taken;
        self
    }

    pub fn count(&self, is_counted: impl Fn(u16) -> bool) -> usize {
        self.times.iter().filter(|(status, _)| is_counted(**status)).map(|(_, times)| times.len()).sum()
    }

    /// The time that so many of a hundred of these answers took at most.
    pub fn percentile(&self, of_hundred: usize, is_counted: impl Fn(u16) -> bool) -> Duration {
        let chosen = self.times.iter().filter(|(status, _)| is_counted(**status));
        let mut all: Vec<Duration> = chosen.flat_map(|(_, times)| times.iter().copied()).collect();
        all.sort_unstable();
        let last = all.len().saturating_sub(1);
        all.get((all.len() * of_hundred / 100).min(last)).copied().unwrap_or_default()
    }

    /// The 99th percentile of the answers that went well.
    pub fn p99(&self) -> Duration {
        self.percentile(99, is_well)
    }

    /// All of it in one line.
    pub fn line(&self) -> String {
        let statuses: Vec<String> =
            self.times.iter().map(|(status, times)| format!("{status} × {}", times.len())).collect();
        let [p50, p99, max] = [50, 99, 100].map(|share| ms(self.percentile(share, is_well)));
        let mut parts = vec![statuses.join(", "), format!("p50 {p50}, p99 {p99}, max {max}")];
        for (count, what) in [
            (self.dropped, "dropped"),
            (self.not_taken, "not taken"),
            (self.without_retry_after, "refused without Retry-After"),
        ] {
            if count > 0 {
                parts.push(format!("{count} {what}"));
            }
        }
        parts.join("; ")
    }
}

pub fn is_well(status: u16) -> bool {
    (200..300).contains(&status)
}

pub fn ms(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1_000.0)
}

/// How many times as long. A quiet figure below 2.5 ms counts as 2.5 ms: below that it is the machine's own unrest.
pub fn ratio(loud: Duration, quiet: Duration) -> f64 {
    loud.as_secs_f64() / quiet.max(Duration::from_micros(2_500)).as_secs_f64()
}

/// The middle one.
pub fn median_time(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
