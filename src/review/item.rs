//! One comment as a moderator sees it: everything a decision needs.

use crate::accounts::{Moderator, Right};
use crate::app::App;
use crate::articles::Article;
use crate::bans::without_ban;
use crate::campaigns::Campaign;
use crate::comments::{Comment, ReportedBy, find_comment, find_screening, list_reports};
use crate::kit::ids::CommentId;
use crate::kit::key::Key;
use crate::screening::Screening;
use crate::store::{StoreError, StoreResult};

use super::claims::Claim;
use super::edit::Revision;
use super::history::Line;
use super::notes::Note;
use super::queries;

/// Notes shown with their comment.
const MOST_NOTES: i64 = 100;

/// A comment with what stands around it.
#[derive(Debug)]
pub struct Item {
    pub comment: Comment,
    pub site: Key,
    pub article: Article,
    /// What it replies to, published or not.
    pub parent: Option<Parent>,
    /// Of its author by email; none without one. It tells no email.
    pub record: Option<Record>,
    /// Of it and others that are nearly the same, as last indexed.
    pub campaign: Option<Campaign>,
    /// User name of who holds it now.
    pub claimed_by: Option<String>,
}

impl Item {
    /// What `moderator` may see of it. Every way out of this feature goes through here.
    #[must_use]
    pub(super) fn seen_by(mut self, moderator: &Moderator) -> Self {
        if !moderator.may(Right::SeePersonal) {
            self.comment.email = None;
            self.comment.ip = None;
            self.comment.user_agent = None;
            self.comment.held_because = self.comment.held_because.iter().map(|reason| without_ban(reason)).collect();
        }
        self
    }
}

/// What became of an author's latest comments on a site.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Record {
    pub approved: i64,
    /// Those in the trash included.
    pub rejected: i64,
    pub spam: i64,
}

/// What a comment replies to.
#[derive(Debug, Clone)]
pub struct Parent {
    pub id: CommentId,
    pub name: String,
    pub text: String,
}

/// One comment with all that was ever done to it, each list with the oldest first.
#[derive(Debug)]
pub struct WholeItem {
    pub item: Item,
    pub decisions: Vec<Line>,
    pub revisions: Vec<Revision>,
    /// The latest; more are in a list of their own.
    pub notes: Vec<Note>,
    pub claim: Option<Claim>,
    /// What readers said against it.
    pub reports: Vec<ReportedBy>,
    /// Everything behind the verdict, where there was more than the site's policy.
    pub screening: Option<Screening>,
}

/// One comment; `None` also for one of another's site.
///
/// # Errors
/// Those of the store.
pub async fn find_item(app: &App, moderator: &Moderator, id: CommentId) -> StoreResult<Option<WholeItem>> {
    let (by, now) = (moderator.clone(), app.clock.now());
    app.store
        .read(move |conn| {
            let Some(comment) = find_comment(conn, id)?.filter(|comment| by.moderates(comment.site_id)) else {
                return Ok(None);
            };
            let decisions = queries::list_lines(conn, &comment)?;
            let revisions = queries::revisions::list_revisions(conn, id)?;
            let notes = queries::notes::list_latest_notes(conn, id, MOST_NOTES)?;
            let claim = queries::claims::find_live(conn, id, now)?;
            let reports = list_reports(conn, id)?;
            let screening = find_screening(conn, id)?.as_deref().map(serde_json::from_str).transpose();
            let screening =
                screening.map_err(|error| StoreError::Broken(format!("the verdict about {id}: {error}")))?;
            let item = queries::with_surroundings(conn, vec![comment], now)?.pop().map(|item| item.seen_by(&by));
            Ok(item.map(|item| {
                let (email, ip) = (item.comment.email.as_deref(), item.comment.ip.as_deref());
                let screening = screening.map(|screening: Screening| screening.with_personal(email, ip));
                WholeItem { item, decisions, revisions, notes, claim, reports, screening }
            }))
        })
        .await
}
