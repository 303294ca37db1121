//! What is remembered of the comments seen lately, and what it says about a new one.
//!
//! Two memories: the latest of all, and the latest that people called spam, which a flood of others does not wash away.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use crate::kit::clock::Millis;
use crate::kit::ids::{CampaignId, CommentId, SiteId};
use crate::screening::{Effect, Finding, Repeats, Sketch, Spot};

/// Comments remembered, and as many again that people called spam: 5 MB when both are full.
const MOST: usize = 8_192;
/// Within this time many alike are a flood.
pub(super) const FLOOD_TIME: Duration = Duration::from_hours(1);
/// So many authors, or addresses, make one.
const FLOOD: usize = 3;

/// What is known of a comment seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    pub site: SiteId,
    /// None until it is indexed: then it may have been refused after all.
    pub indexed: Option<(CommentId, CampaignId)>,
    /// Keyed hash of its email, or of its name.
    pub author: i64,
    /// Keyed hash of where it came from; none when that is not known (any more).
    pub address: Option<i64>,
    pub at: Millis,
    /// What people called it.
    pub is_spam: Option<bool>,
}

/// The comments seen lately.
#[derive(Debug)]
pub(super) struct Memory {
    /// The latest change that is in here; none before anything was read.
    pub read_to: Option<i64>,
    latest: Repeats<Seen>,
    spam: Repeats<Seen>,
    /// Where the comments stand that were indexed.
    spots: HashMap<CommentId, Spot>,
    spots_of_spam: HashMap<CommentId, Spot>,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            read_to: None,
            latest: Repeats::new(MOST),
            spam: Repeats::new(MOST),
            spots: HashMap::new(),
            spots_of_spam: HashMap::new(),
        }
    }
}

impl Memory {
    pub const MOST: usize = MOST;

    /// Looks at what is like a new comment, and remembers that one, so that of many at once none is missed.
    pub fn look_and_note(&mut self, sketch: Sketch, seen: Seen) -> Vec<Finding> {
        let alike = self.list_alike(seen.site, &sketch);
        let findings = judge(&alike, &seen);
        let (_, gone) = self.latest.note(sketch, seen);
        self.forget(gone);
        findings
    }

    /// Remembers a comment as it was indexed.
    pub fn note_indexed(&mut self, sketch: Sketch, seen: Seen) {
        let Some((id, _)) = seen.indexed else { return };
        // What was edited since is another text.
        let is_same = |repeats: &Repeats<Seen>, spot: &Spot| repeats.sketch(*spot) == Some(&sketch);
        let known = self.spots.get(&id).copied().filter(|spot| is_same(&self.latest, spot));
        // What was posted here is remembered already, without its number.
        let posted = |memory: &Self| memory.find_posted(&sketch, &seen);
        let spot = known.or_else(|| posted(self));
        if let Some((spot, known)) = spot.and_then(|spot| Some((spot, self.latest.get_mut(spot)?))) {
            *known = seen;
            self.spots.insert(id, spot);
        } else {
            let (spot, gone) = self.latest.note(sketch.clone(), seen);
            self.forget(gone);
            self.spots.insert(id, spot);
        }
        let known = self.spots_of_spam.get(&id).copied().filter(|spot| is_same(&self.spam, spot));
        match known.and_then(|spot| self.spam.get_mut(spot)) {
            Some(known) => *known = seen,
            None if seen.is_spam == Some(true) => {
                let (spot, gone) = self.spam.note(sketch.clone(), seen);
                if let Some((gone, _)) = gone.and_then(|gone| gone.indexed) {
                    self.spots_of_spam.remove(&gone);
                }
                self.spots_of_spam.insert(id, spot);
            }
            None => {}
        }
    }

    fn find_posted(&self, sketch: &Sketch, seen: &Seen) -> Option<Spot> {
        let is_same = |known: &Seen| {
            known.indexed.is_none()
                && (known.site, known.author, known.address, known.at)
                    == (seen.site, seen.author, seen.address, seen.at)
        };
        let alike = self.latest.list_alike(sketch).into_iter();
        alike.map(|(spot, _)| spot).find(|spot| self.latest.get(*spot).is_some_and(is_same))
    }

    fn forget(&mut self, gone: Option<Seen>) {
        if let Some((gone, _)) = gone.and_then(|gone| gone.indexed) {
            self.spots.remove(&gone);
        }
    }

    /// What is nearly the same on a site, each comment once, with the places in which it agrees.
    fn list_alike(&self, site: SiteId, sketch: &Sketch) -> Vec<(Seen, u32)> {
        let (mut alike, mut met) = (Vec::new(), HashSet::new());
        for repeats in [&self.latest, &self.spam] {
            for (spot, agreement) in repeats.list_alike(sketch) {
                let Some(seen) = repeats.get(spot).filter(|seen| seen.site == site) else { continue };
                if seen.indexed.is_none_or(|(id, _)| met.insert(id)) {
                    alike.push((*seen, agreement));
                }
            }
        }
        alike
    }
}

fn judge(alike: &[(Seen, u32)], new: &Seen) -> Vec<Finding> {
    let mut findings = Vec::new();
    let called = |what| alike.iter().filter(|(seen, _)| seen.is_spam == Some(what)).count();
    if called(true) > called(false) {
        let campaign = alike.iter().filter(|(seen, _)| seen.is_spam == Some(true)).find_map(|(seen, _)| seen.indexed);
        let number = campaign.map_or_else(String::new, |(_, campaign)| format!(" (campaign {campaign})"));
        let reason = format!("It is nearly the same as what moderators called spam{number}.");
        findings.push(Finding::of_whole("campaign", Effect::Hold, reason));
    }
    let since = new.at.minus(FLOOD_TIME);
    let recent = || alike.iter().map(|(seen, _)| seen).filter(|seen| seen.at >= since).chain(Some(new));
    let authors: HashSet<i64> = recent().map(|seen| seen.author).collect();
    let addresses: HashSet<i64> = recent().filter_map(|seen| seen.address).collect();
    if authors.len() >= FLOOD || addresses.len() >= FLOOD {
        let reason = "Nearly the same came from three or more authors or addresses within an hour.".to_owned();
        findings.push(Finding::of_whole("flood", Effect::Hold, reason));
    }
    findings
}

/// A comment that is to join a campaign.
#[derive(Debug, Clone)]
pub struct Joining {
    pub comment: CommentId,
    pub site: SiteId,
    pub sketch: Sketch,
}

/// Gives each comment its campaign: those of memory, and of those before it in the same go.
pub(super) struct Join<'a> {
    memory: &'a Memory,
    /// Those of this go.
    joined: Repeats<(SiteId, CampaignId)>,
}

impl<'a> Join<'a> {
    pub fn new(memory: &'a Memory) -> Self {
        Self { memory, joined: Repeats::new(MOST) }
    }

    /// The campaign of the comment that is most like it; its own when there is none.
    pub fn join(&mut self, Joining { comment, site, sketch }: &Joining) -> CampaignId {
        let seen = self.memory.list_alike(*site, sketch).into_iter();
        let kept = seen.filter_map(|(seen, agreement)| Some((agreement, seen.indexed?)));
        let kept = kept.filter(|(_, (id, _))| id != comment).map(|(agreement, (_, campaign))| (agreement, campaign));
        let joined = self.joined.list_alike(sketch).into_iter();
        let joined = joined.filter_map(|(spot, agreement)| Some((agreement, *self.joined.get(spot)?)));
        let joined = joined.filter(|(_, (of, _))| of == site).map(|(agreement, (_, campaign))| (agreement, campaign));
        // Of those as like as each other the oldest campaign, so that nodes agree.
        let best = kept.chain(joined).max_by_key(|(agreement, campaign)| (*agreement, std::cmp::Reverse(*campaign)));
        let campaign = best.map_or_else(|| CampaignId::new(comment.get()), |(_, campaign)| campaign);
        self.joined.note(sketch.clone(), (*site, campaign));
        campaign
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "everybody should visit my wonderful shop because the prices are unbelievably low today";
    const SITE: SiteId = SiteId::new(1);

    fn sketch() -> Sketch {
        Sketch::of(TEXT).unwrap()
    }

    fn seen(author: i64, address: i64, at: i64) -> Seen {
        Seen { site: SITE, indexed: None, author, address: Some(address), at: Millis(at), is_spam: None }
    }

    fn rules(findings: &[Finding]) -> Vec<&str> {
        findings.iter().map(|finding| finding.hit.rule.as_str()).collect()
    }

    #[test]
    fn the_third_author_or_address_within_an_hour_is_a_flood() {
        let hour = 3_600_000;
        for (posts, wanted) in [
            ([(1, 1, 0), (2, 1, 1), (3, 1, 2)], true),
            ([(1, 1, 0), (1, 2, 1), (1, 3, 2)], true),
            ([(1, 1, 0), (1, 1, 1), (1, 1, 2)], false),
            ([(1, 1, 0), (2, 2, 1), (1, 2, 2)], false),
            ([(1, 1, 0), (2, 2, 1), (3, 3, hour)], true),
            ([(1, 1, 0), (2, 2, 1), (3, 3, hour + 1)], false),
        ] {
            let mut memory = Memory::default();
            let mut last = Vec::new();
            for (author, address, at) in posts {
                assert_eq!(rules(&last), Vec::<&str>::new());
                last = memory.look_and_note(sketch(), seen(author, address, at));
            }
            assert_eq!(rules(&last) == ["flood"], wanted, "{posts:?}");
        }
    }

    #[test]
    fn what_is_like_spam_is_named_until_people_think_better_of_it() {
        let mut memory = Memory::default();
        let (id, campaign) = (CommentId::new(7), CampaignId::new(5));
        let called = |is_spam| Seen { indexed: Some((id, campaign)), is_spam, ..seen(1, 1, 0) };
        memory.note_indexed(sketch(), called(None));
        assert!(memory.look_and_note(sketch(), seen(1, 1, 0)).is_empty());
        memory.note_indexed(sketch(), called(Some(true)));
        let found = memory.look_and_note(sketch(), seen(1, 1, 0));
        assert_eq!(rules(&found), ["campaign"]);
        assert!(found[0].reason.ends_with("(campaign 5)."), "{}", found[0].reason);
        assert!(memory.look_and_note(sketch(), Seen { site: SiteId::new(2), ..seen(1, 1, 0) }).is_empty());
        memory.note_indexed(sketch(), called(Some(false)));
        assert!(memory.look_and_note(sketch(), seen(1, 1, 0)).is_empty());
    }

    #[test]
    fn what_was_posted_here_is_remembered_once() {
        let mut memory = Memory::default();
        memory.look_and_note(sketch(), seen(1, 1, 9));
        let indexed = Some((CommentId::new(7), CampaignId::new(7)));
        memory.note_indexed(sketch(), Seen { indexed, ..seen(1, 1, 9) });
        assert_eq!(memory.list_alike(SITE, &sketch()).len(), 1);
        let mut join = Join::new(&memory);
        let joining = |comment| Joining { comment: CommentId::new(comment), site: SITE, sketch: sketch() };
        assert_eq!(join.join(&joining(8)), CampaignId::new(7));
        let other = Joining { site: SiteId::new(2), ..joining(9) };
        assert_eq!((join.join(&other), join.join(&joining(10))), (CampaignId::new(9), CampaignId::new(7)));
    }
}
