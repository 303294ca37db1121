//! Campaigns: comments that are nearly the same, by whomever and on whichever article of a site.
//!
//! A comment of ten words or more has a sketch. When it is indexed, after its commit, it joins the campaign of the comment it
//! is most like among the latest eight thousand, or begins one: a campaign's number is the id of its first comment. Posting
//! looks into the same sketches in memory, so a repetition is held before it is published.
//!
//! Deliberately not here: what is decided about a campaign. The queue takes it as a filter, like any other.

mod kept;
mod queries;
mod seen;

use serde::Serialize;

use crate::kit::ids::CampaignId;

pub use kept::{Sent, find_repeated, join_campaigns, refresh};
pub use queries::{
    Before, NewSketch, are_sketches_as_of, list_campaigns, list_decided_by_people, list_of_campaigns, list_sketched,
    write_sketches,
};
pub use seen::Joining;

/// A campaign that a comment belongs to, with others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Campaign {
    /// What the queue's filter `campaign` takes.
    #[schema(value_type = i64)]
    pub id: CampaignId,
    /// How many comments belong to it, whatever became of them: 2 or more.
    pub size: i64,
}
