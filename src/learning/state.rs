//! The state of a site's filter: what it has learned from whom, where it decides by itself, and how much it leaves to
//! people.

use crate::accounts::Moderator;
use crate::app::App;
use crate::kit::key::Key;
use crate::screening::counts::Label;
use crate::screening::thresholds::{FEWEST, Past, STANDS_FOR, Thresholds};
use crate::sites::find_own_site;
use crate::store::{Conn, StoreResult};

use super::kept::find_filter;
use super::model::Model;
use super::queries::{self, TaughtBy};

/// How a site's filter stands.
#[derive(Debug)]
pub struct State {
    /// Comments learned.
    pub good: i64,
    pub spam: i64,
    /// Decisions learned or set aside, ever.
    pub watermark: i64,
    /// Decisions that wait to be learned or taken back.
    pub waiting: i64,
    /// What the filter may hold back by mistake.
    pub budget: f64,
    /// Scores (log-odds) above which it puts away and below which it publishes; none where nothing is certain enough.
    pub spam_above: Option<f64>,
    pub publish_below: Option<f64>,
    pub history: History,
    pub taught_by: Vec<TaughtBy>,
}

/// How the filter foresaw the last decisions it learned. Shares are from 0 to 1; what there is nothing to count of is none.
#[derive(Debug, Default, PartialEq)]
pub struct History {
    pub decisions: usize,
    /// The share that it foresaw wrongly, by the sign of the score.
    pub error: Option<f64>,
    /// The chance that spam scores above a good comment.
    pub auc: Option<f64>,
    /// Shares by today's thresholds: of good comments put away, of spam published, and of all left to people.
    pub false_positives: Option<f64>,
    pub leak: Option<f64>,
    pub left_to_people: Option<f64>,
}

/// The state of one's own site; none when there is no such site.
///
/// # Errors
/// Those of the store.
pub async fn load_state(app: &App, moderator: &Moderator, site: &Key) -> StoreResult<Option<State>> {
    let Some(site) = find_own_site(app, moderator, site).await? else { return Ok(None) };
    let budget = site.settings.budget;
    let slot = find_filter(app, site.id).await?;
    let asked = slot.ask(|model| {
        let thresholds = model.thresholds(budget);
        (thresholds, model.filter.record.offset(), history(model, thresholds))
    });
    let (thresholds, offset, history) =
        asked.unwrap_or((Thresholds { spam_above: None, publish_below: None }, 0.0, History::default()));
    let read = move |conn: &mut Conn| -> StoreResult<_> {
        let taught_by = queries::list_taught_by(conn, site.id)?;
        Ok((queries::load_head(conn, site.id)?, queries::count_waiting(conn, site.id)?, taught_by))
    };
    let (head, waiting, taught_by) = app.store.read(read).await?;
    Ok(Some(State {
        good: head.comments[0],
        spam: head.comments[1],
        watermark: head.seq,
        waiting,
        budget,
        spam_above: thresholds.spam_above.map(|above| above + offset),
        publish_below: thresholds.publish_below.map(|below| below + offset),
        history,
        taught_by,
    }))
}

fn history(model: &Model, thresholds: Thresholds) -> History {
    let offset = model.filter.record.offset();
    let count = |label| usize::try_from(model.filter.counts.count(label)).unwrap_or(0);
    let decides = [Label::Good, Label::Spam].into_iter().all(|label| count(label) >= FEWEST);
    let pasts: Vec<Past> = model.pasts.iter().copied().collect();
    let of = |label| pasts.iter().filter(move |past| past.label == label);
    let is_spam = |past: &Past| thresholds.spam_above.is_some_and(|above| past.evidence > above);
    let is_good = |past: &Past| thresholds.publish_below.is_some_and(|below| past.evidence < below);
    let is_wrong = |past: &Past| (past.evidence + offset > 0.0) != (past.label == Label::Spam);
    let left = share(pasts.iter(), |past| is_spam(past) == is_good(past));
    History {
        decisions: pasts.len(),
        error: share(pasts.iter(), is_wrong),
        auc: auc(&pasts),
        false_positives: share(of(Label::Good), |past| is_spam(past) && !is_good(past)),
        leak: share(of(Label::Spam), |past| is_good(past) && !is_spam(past)),
        // One in fifty of the rest too.
        left_to_people: left.map(|left| if decides { left + (1.0 - left) / f64::from(STANDS_FOR) } else { 1.0 }),
    }
}

/// The share of these, each as many as it stands for.
fn share<'a>(pasts: impl Iterator<Item = &'a Past>, is_one: impl Fn(&Past) -> bool) -> Option<f64> {
    let (mut all, mut some) = (0.0, 0.0);
    for past in pasts {
        let weight = f64::from(past.stands_for.max(1));
        all += weight;
        some += if is_one(past) { weight } else { 0.0 };
    }
    (all > 0.0).then(|| some / all)
}

/// The area under the curve of true against false positives: the rank sum of Mann and Whitney, ties by halves.
#[allow(clippy::cast_precision_loss)] // Thousands of decisions.
fn auc(pasts: &[Past]) -> Option<f64> {
    let mut sorted: Vec<(f64, bool)> = pasts.iter().map(|past| (past.evidence, past.label == Label::Spam)).collect();
    sorted.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    let (mut below, mut won) = (0.0, 0.0);
    let mut spam_in_all = 0.0;
    for same in sorted.chunk_by(|(one, _), (other, _)| one.total_cmp(other).is_eq()) {
        let spam = same.iter().filter(|(_, is_spam)| *is_spam).count() as f64;
        let good = same.len() as f64 - spam;
        won += spam * (below + good / 2.0);
        (below, spam_in_all) = (below + good, spam_in_all + spam);
    }
    (below > 0.0 && spam_in_all > 0.0).then(|| won / (below * spam_in_all))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn past(evidence: f64, label: Label, stands_for: u32) -> Past {
        Past { evidence, label, stands_for }
    }

    #[test]
    fn a_curve_of_what_is_told_apart_is_one_and_of_what_is_not_a_half() {
        let good = [-2.0, -1.0].map(|evidence| past(evidence, Label::Good, 1));
        let spam = [1.0, 2.0].map(|evidence| past(evidence, Label::Spam, 1));
        assert_eq!(auc(&[good, spam].concat()), Some(1.0));
        assert_eq!(auc(&[past(0.0, Label::Good, 1), past(0.0, Label::Spam, 1)]), Some(0.5));
        assert_eq!(auc(&good), None);
    }

    #[test]
    fn what_was_drawn_stands_for_those_that_were_not() {
        let pasts = [past(1.0, Label::Spam, 50), past(-1.0, Label::Spam, 1)];
        assert_eq!(share(pasts.iter(), |past| past.evidence > 0.0), Some(50.0 / 51.0));
        assert_eq!(share([].iter(), |_| true), None);
    }
}
