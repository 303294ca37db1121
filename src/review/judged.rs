//! Judging comments that are there already, by rules that may be others than those they were first judged by.
//!
//! A comment is judged as it was when it came: what it says, when, from where, and whether its author was new then. What is
//! kept of it counts; an address that was cleared since meets no network any more.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::accounts::StaffNames;
use crate::bans::{Book, Hit, Sender};
use crate::comments::{Comment, list_first_published};
use crate::kit::clock::Millis;
use crate::kit::ids::{ArticleId, CommentId};
use crate::kit::{network, text};
use crate::screening::{self, Effect, Facts, Finding, Policy, RuleSet, Screening, Submission, Verdict};
use crate::sites::Site;
use crate::store::{Conn, StoreResult};

/// What the program finds by itself and finds again: these words stand where a rule's id would.
const FOUND_AGAIN: [&str; 2] = ["ban", "staff"];

/// Those of these comments that were the first of their authors on the site; none unless a rule asks.
pub(super) fn find_firsts(
    conn: &mut Conn,
    site: &Site,
    comments: &[Comment],
    rules: &[&RuleSet],
) -> StoreResult<HashSet<CommentId>> {
    if !rules.iter().any(|rules| rules.asks_for_first_comments()) {
        return Ok(HashSet::new());
    }
    let author = |comment: &Comment| {
        let address = comment.ip.as_deref()?.parse().ok()?;
        Some((text::fold(comment.email.as_deref()?), network::sortable(address)))
    };
    let emails: HashSet<String> = comments.iter().filter_map(author).map(|(email, _)| email).collect();
    let known = list_first_published(conn, site.id, &emails.into_iter().collect::<Vec<_>>())?;
    let is_first = |comment: &&Comment| {
        let first = author(comment).and_then(|author| known.get(&author));
        first.is_none_or(|first| *first >= comment.id)
    };
    Ok(comments.iter().filter(is_first).map(|comment| comment.id).collect())
}

/// What rules find about a comment that is there.
pub(super) fn findings(rules: &RuleSet, site: &Site, comment: &Comment, is_first: bool) -> Vec<Finding> {
    rules.judge(&Submission {
        text: &comment.text,
        html: &comment.html,
        name: &comment.name,
        url: comment.url.as_deref(),
        email: comment.email.as_deref(),
        address: comment.ip.as_deref().and_then(|ip| ip.parse().ok()),
        is_first,
        at: comment.received_at,
        timezone: site.settings.timezone(),
    })
}

/// Everything but rules that a comment of a site is judged by.
pub(super) struct Around {
    pub site: Site,
    /// Policies of articles that have one of their own.
    pub policies: HashMap<ArticleId, Policy>,
    pub staff: StaffNames,
    pub book: Arc<Book>,
    pub now: Millis,
}

impl Around {
    /// The verdict about a comment with what rules find now in place of what they found. Whatever else was found is found
    /// again or kept.
    pub fn judge(&self, comment: &Comment, before: Option<Screening>, rules: Vec<Finding>) -> Verdict {
        let sender = Sender {
            name: &comment.name,
            email: comment.email.as_deref(),
            address: comment.ip.as_deref().and_then(|ip| ip.parse().ok()),
            site: self.site.id,
            now: self.now,
        };
        let policy = self.policies.get(&comment.article_id).copied().unwrap_or(self.site.settings.policy);
        let is_staff_lookalike = self.staff.has_one_like(&comment.name);
        // Trust is the moment's: whoever was held without it waits for a person.
        let verdict = screening::judge(Facts { policy, is_staff_lookalike, is_trusted: false, filter: None });
        let bans = self.book.hits(&sender);
        let (kept, filter) = before.map_or_else(Default::default, |before| kept(comment, before));
        let all: Vec<Finding> = bans.iter().map(Hit::finding).chain(rules).chain(kept).collect();
        let verdict = all.into_iter().rev().fold(verdict, Verdict::with);
        let risk = if filter.is_some() { verdict.risk.max(comment.risk) } else { verdict.risk };
        Verdict { risk, filter, ..verdict }
    }
}

/// What else was found, each with its reason: the reasons of hits come first and in their order.
fn kept(comment: &Comment, before: Screening) -> (Vec<Finding>, Option<screening::Explanation>) {
    let mut reasons = comment.held_because.iter();
    let with_reason = before.rules.into_iter().map(|hit| {
        let reason = if hit.effect == Effect::Log { None } else { reasons.next() };
        Finding { reason: reason.cloned().unwrap_or_default(), hit }
    });
    let is_kept = |finding: &Finding| {
        let rule = finding.hit.rule.as_str();
        !rule.bytes().all(|byte| byte.is_ascii_digit()) && !FOUND_AGAIN.contains(&rule)
    };
    (with_reason.filter(is_kept).collect(), before.filter)
}
