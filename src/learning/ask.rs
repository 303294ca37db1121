//! Asking a site's filter about a submission. It is in memory: only the first question after a start reads the database.

use crate::app::App;
use crate::kit::ids::SiteId;
use crate::kit::secret;
use crate::screening::counts::Label;
use crate::screening::features::{Features, Written};
use crate::screening::thresholds::FEWEST;
use crate::screening::{Opinion, Outcome, Says};
use crate::store::StoreResult;

use super::kept::{find_filter, key};
use super::model::{Model, has_learned};

/// A submission that the filter is asked about.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub site: SiteId,
    pub text: &'a str,
    pub name: &'a str,
    pub email: Option<&'a str>,
    pub url: Option<&'a str>,
    /// The share of good comments that the site lets the filter hold back by mistake.
    pub budget: f64,
}

/// What the site's filter thinks of it. Some of what it would decide is drawn at random for people.
///
/// # Errors
/// Those of the store, when the filter is not in memory.
pub async fn ask_filter(app: &App, asked: Asked<'_>) -> StoreResult<Opinion> {
    let slot = find_filter(app, asked.site).await?;
    let features = slot
        .ask(|model| has_learned(&model.filter))
        .unwrap_or(false)
        .then(|| Features::of(key(app, asked.site), &asked.written()));
    let draw = draw();
    let opinion = slot.ask(|model| opinion(model, features.as_ref(), asked.budget, draw));
    Ok(opinion.unwrap_or_else(Opinion::knowing_nothing))
}

impl<'a> Asked<'a> {
    fn written(&self) -> Written<'a> {
        Written {
            text: self.text,
            name: self.name,
            email_domain: domain(self.email),
            url: self.url.unwrap_or_default(),
        }
    }
}

/// What of an email the filter sees.
pub(super) fn domain(email: Option<&str>) -> &str {
    email.and_then(|email| email.rsplit_once('@')).map_or("", |(_, domain)| domain)
}

fn opinion(model: &Model, features: Option<&Features>, budget: f64, draw: f64) -> Opinion {
    let [good, spam] = [Label::Good, Label::Spam]
        .map(|label| usize::try_from(model.filter.counts.count(label)).unwrap_or(0).min(FEWEST));
    let too_little = Opinion { says: Says::TooLittle { good, spam }, was_drawn: false, explanation: None };
    let Some(features) = features else { return too_little };
    let explanation = Some(model.filter.explain(features));
    if good < FEWEST || spam < FEWEST {
        return Opinion { explanation, ..too_little };
    }
    let (score, thresholds) = (model.filter.score(features), model.thresholds(budget));
    let judged = model.filter.judge(features, score, &thresholds, draw);
    // What was drawn is told with what would have been done.
    let undrawn = if judged.was_drawn { model.filter.judge(features, score, &thresholds, 1.0) } else { judged };
    let says = match undrawn.outcome {
        Outcome::Publish => Says::Good,
        Outcome::Spam => Says::Spam,
        Outcome::Hold => Says::Unsure,
    };
    Opinion { says, was_drawn: judged.was_drawn, explanation }
}

/// A random number from 0 to 1. Without randomness nothing is drawn.
#[allow(clippy::cast_precision_loss)] // A few bits less.
fn draw() -> f64 {
    let bytes = secret::random().ok().and_then(|bytes| bytes.first_chunk::<8>().copied());
    bytes.map_or(1.0, |bytes| u64::from_be_bytes(bytes) as f64 / u64::MAX as f64)
}
