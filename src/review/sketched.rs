//! What indexing does about near-duplicates: which comments get a sketch, what people called them, which campaign they join;
//! and what an outside service is told of what people called them.
//!
//! The text is compared with what was sketched before: a decision alone changes what the comment is called, and neither its
//! sketch nor its campaign.

use std::collections::{HashMap, HashSet};

use crate::app::App;
use crate::campaigns::{Before, Joining, NewSketch, join_campaigns, list_decided_by_people, list_sketched};
use crate::comments::Status;
use crate::kit::ids::{CampaignId, CommentId};
use crate::outside::{NewReport, list_judged};
use crate::screening::Sketch;
use crate::store::{Conn, StoreResult};

use super::queries::indexing::{Indexed, Sketched, Waiting};

/// What is known of comments that wait, before they are indexed.
pub(super) struct Known {
    before: HashMap<CommentId, Before>,
    by_people: HashSet<CommentId>,
    /// What an outside service called them: spam, or not.
    judged: HashMap<CommentId, bool>,
}

/// Reads what is known of them.
pub(super) fn load_known(conn: &mut Conn, waiting: &[Waiting]) -> StoreResult<Known> {
    let before = list_sketched(conn, &waiting.iter().map(|comment| comment.id).collect::<Vec<_>>())?;
    // What is as it came was decided by nobody.
    let changed = waiting.iter().filter(|comment| comment.version > 1).map(|comment| comment.id);
    let by_people = list_decided_by_people(conn, &changed.collect::<Vec<_>>())?;
    let judged = list_judged(conn, &by_people)?;
    Ok(Known { before, by_people: by_people.into_iter().collect(), judged })
}

impl Known {
    /// What is to be done about the sketch of one; the campaign of a new text is its own for now.
    pub fn sketch_of(&self, comment: &Waiting) -> Sketched {
        let before = self.before.get(&comment.id);
        // Staff may say the same as often as they like.
        let is_compared = comment.moderator_id.is_none() && comment.status != Status::Erased.as_str();
        let Some(sketch) = Sketch::of(&comment.text).filter(|_| is_compared) else {
            return if before.is_some() { Sketched::Gone } else { Sketched::Kept };
        };
        let (sketch, is_spam) = (sketch.to_bytes(), self.called(comment));
        let same = before.filter(|before| before.sketch == sketch);
        if same.is_some_and(|before| before.is_spam == is_spam) {
            return Sketched::Kept;
        }
        let campaign = same.map_or_else(|| CampaignId::new(comment.id.get()), |before| before.campaign);
        let (comment, site, is_new_text) = (comment.id, comment.site_id, same.is_none());
        Sketched::New(NewSketch { comment, site, campaign, sketch, is_spam, is_new_text })
    }

    /// What an outside service is told, when people see it otherwise.
    pub fn report_of(&self, comment: &Waiting) -> Option<NewReport> {
        let (is_spam, said) = (self.called(comment)?, *self.judged.get(&comment.id)?);
        (is_spam != said).then_some(NewReport { comment: comment.id, site: comment.site_id, is_spam })
    }

    /// What people called it, if it was people who decided last.
    fn called(&self, comment: &Waiting) -> Option<bool> {
        let is_by_people = self.by_people.contains(&comment.id);
        match Status::parse(&comment.status).filter(|_| is_by_people) {
            Some(Status::Spam) => Some(true),
            Some(Status::Approved) => Some(false),
            _ => None,
        }
    }
}

/// Gives those with a new text their campaign; says up to which change of others that holds, if there were any.
pub(super) async fn sketch_all(app: &App, all: &mut [Indexed]) -> StoreResult<Option<i64>> {
    let mut new: Vec<&mut NewSketch> = all.iter_mut().filter_map(|one| one.sketch.as_new_text()).collect();
    let joining = |new: &&mut NewSketch| {
        let sketch = Sketch::from_bytes(&new.sketch)?;
        Some(Joining { comment: new.comment, site: new.site, sketch })
    };
    let joining: Vec<Joining> = new.iter().filter_map(joining).collect();
    if joining.is_empty() {
        return Ok(None);
    }
    let (campaigns, joined_at) = join_campaigns(app, &joining).await?;
    for (new, campaign) in new.iter_mut().zip(campaigns) {
        new.campaign = campaign;
    }
    Ok(Some(joined_at))
}
