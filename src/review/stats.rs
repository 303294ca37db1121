//! Figures of the desk: what waits, who decided how many on which day, how long an author waits. Of the sites that one may
//! see, over the last 30 days in UTC, today included.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::time::Duration;

use crate::accounts::Moderator;
use crate::app::App;
use crate::kit::clock::Millis;
use crate::kit::ids::ModeratorId;
use crate::learning::count_agreements;
use crate::store::StoreResult;

use super::queries::figures;

/// The days that the figures are about.
const DAYS: u64 = 30;
const DAY_MS: i64 = 86_400_000;

/// The figures.
#[derive(Debug)]
pub struct Stats {
    pub pending: i64,
    pub oldest_pending: Option<Millis>,
    pub decisions: Vec<DayOfWork>,
    pub median_seconds_to_decision: Option<i64>,
    /// The share of decisions that the filter had foreseen, from 0 to 1; none when it was asked about none.
    pub agreement: Option<f64>,
}

/// How many decisions somebody made on a day.
#[derive(Debug, PartialEq, Eq)]
pub struct DayOfWork {
    /// User name.
    pub moderator: String,
    /// The day's first moment.
    pub day: Millis,
    pub count: i64,
}

/// The figures that `moderator` may see, as of now.
///
/// # Errors
/// Those of the store.
pub async fn load_stats(app: &App, moderator: &Moderator) -> StoreResult<Stats> {
    let visible = moderator.visible_sites();
    let today = Millis(app.clock.now().0.div_euclid(DAY_MS) * DAY_MS);
    let time = today.minus(Duration::from_hours(24 * (DAYS - 1)))..Millis(today.0 + DAY_MS);
    app.store
        .read(move |conn| {
            let visible = visible.as_deref();
            let (mut by_day, mut waits_ms) = (BTreeMap::new(), Vec::new());
            let (mut agreed, mut asked) = (0, 0);
            for day in days(&time) {
                let foreseen = count_agreements(conn, visible, &day)?;
                (agreed, asked) = (agreed + foreseen.0, asked + foreseen.1);
                for row in figures::list_decisions(conn, visible, &day)? {
                    waits_ms.extend(row.waited_ms());
                    if let Some(moderator) = row.moderator {
                        *by_day.entry((day.start, moderator)).or_default() += 1;
                    }
                }
            }
            let ids: Vec<ModeratorId> = by_day.keys().map(|(_, moderator)| *moderator).collect();
            let decisions = named(by_day, &figures::list_names(conn, &ids)?);
            let (pending, oldest_pending) = figures::count_pending(conn, visible)?;
            let agreement = share(agreed, asked);
            Ok(Stats { pending, oldest_pending, decisions, median_seconds_to_decision: median(waits_ms), agreement })
        })
        .await
}

#[allow(clippy::cast_precision_loss)] // There are fewer decisions than 2^52.
fn share(some: i64, all: i64) -> Option<f64> {
    (all > 0).then(|| some as f64 / all as f64)
}

fn named(by_day: BTreeMap<(Millis, ModeratorId), i64>, names: &HashMap<ModeratorId, String>) -> Vec<DayOfWork> {
    let line = |((day, moderator), count)| Some(DayOfWork { moderator: names.get(&moderator)?.clone(), day, count });
    let mut lines: Vec<DayOfWork> = by_day.into_iter().filter_map(line).collect();
    lines.sort_by(|a, b| (a.day, &a.moderator).cmp(&(b.day, &b.moderator)));
    lines
}

/// The days of a time that begins and ends at midnight.
pub(super) fn days(time: &Range<Millis>) -> impl Iterator<Item = Range<Millis>> {
    let (mut begin, end) = (time.start.0, time.end.0);
    std::iter::from_fn(move || {
        let day = Millis(begin)..Millis(begin + DAY_MS);
        begin += DAY_MS;
        (day.start.0 < end).then_some(day)
    })
}

/// The middle one of some waits in milliseconds, of two the shorter, in seconds.
pub(super) fn median(mut waits_ms: Vec<i64>) -> Option<i64> {
    if waits_ms.is_empty() {
        return None;
    }
    let middle = (waits_ms.len() - 1) / 2;
    let (_, median, _) = waits_ms.select_nth_unstable(middle);
    Some((*median).max(0) / 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_one_in_the_middle() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![1_999]), Some(1));
        assert_eq!(median(vec![9_000, 1_000, 5_000]), Some(5));
        assert_eq!(median(vec![4_000, 3_000, 2_000, 1_000]), Some(2));
        assert_eq!(median(vec![-5_000]), Some(0));
    }
}
