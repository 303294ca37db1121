//! Outside opinions: services that a site asks about a comment before it is kept, off until its settings name one.
//!
//! Akismet, or a service that speaks as it does, and a signed webhook of the site's own. They may hold a comment or call it
//! spam, and never publish one. Without an answer in time it is held; after several such in a row nobody is asked for a while.
//! What moderators decide otherwise than Akismet did, it is told afterwards.

mod akismet;
mod ask;
mod breaker;
mod feedback;
mod queries;
mod webhook;

use crate::articles::Article;
use crate::kit::clock::Millis;
use crate::kit::ids::CommentId;
use crate::sites::Site;

pub use ask::ask_outside;
pub use feedback::send_reports;
pub use queries::{NewReport, list_judged, put_reports};

/// A comment as outside services are told of it. This is all of it that leaves.
#[derive(Debug, Clone)]
pub struct Submission<'a> {
    pub site: &'a Site,
    pub article: &'a Article,
    pub name: &'a str,
    pub email: Option<&'a str>,
    pub url: Option<&'a str>,
    pub text: &'a str,
    pub address: Option<&'a str>,
    pub user_agent: Option<&'a str>,
    pub parent: Option<CommentId>,
    pub at: Millis,
}

/// What a service said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opinion {
    Nothing,
    Hold,
    Spam,
}
