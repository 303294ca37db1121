//! Demo data, put in through the product's own stories: comments are posted as readers post them and decided as a
//! moderator decides, on a clock that is turned so that they lie some hours back.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use crate::accounts::{Moderator, Role, find_moderator, list_moderators};
use crate::app::App;
use crate::articles::{PutArticle, find_article, put_article};
use crate::audit::Actor;
use crate::comments::{Post, ReplyForm, post_comment};
use crate::config::Settings;
use crate::kit::clock::{Clock, ManualClock};
use crate::kit::ids::CommentId;
use crate::kit::key::Key;
use crate::review::{Decide, Decision, decide};
use crate::screening::Policy;
use crate::sites::{AddSite, SetSite, SiteError, add_site, find_site, set_site};
use crate::store::StoreError;

use super::say::say;
use super::{Failure, open};

/// A site and its articles with their comments.
pub struct Seeds {
    pub site: SiteSeed,
    pub articles: Vec<ArticleSeed>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteSeed {
    pub key: Key,
    name: String,
    language: String,
    policy: Policy,
    max_depth: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArticleSeed {
    pub key: Key,
    title: String,
    url: String,
    summary: String,
    #[serde(default)]
    comments: Vec<CommentSeed>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CommentSeed {
    /// What other comments of the file call it.
    label: String,
    parent: Option<String>,
    name: String,
    email: String,
    url: Option<String>,
    text: String,
    address: IpAddr,
    user_agent: Option<String>,
    minutes_after: u64,
    #[serde(flatten)]
    decided: DecisionSeed,
    /// Decided once more when all comments of the file are there.
    later: Option<DecisionSeed>,
}

#[derive(Deserialize)]
struct DecisionSeed {
    decision: Option<String>,
    reason: Option<String>,
    note: Option<String>,
    message: Option<String>,
}

impl Seeds {
    /// Reads the texts of a site's file and its articles' files.
    pub fn parse(site: &str, articles: &[impl AsRef<str>]) -> Result<Self, Failure> {
        let articles = articles.iter().map(|text| toml::from_str(text.as_ref()));
        Ok(Self { site: toml::from_str(site)?, articles: articles.collect::<Result<_, _>>()? })
    }

    fn read(dir: &Path) -> Result<Self, Failure> {
        let mut articles = Vec::new();
        let mut names: Vec<_> = std::fs::read_dir(dir)?.collect::<Result<Vec<_>, _>>()?;
        names.sort_by_key(std::fs::DirEntry::file_name);
        for entry in names {
            let path = entry.path();
            if path.extension().is_some_and(|extension| extension == "toml") && entry.file_name() != "site.toml" {
                articles.push(std::fs::read_to_string(path)?);
            }
        }
        Self::parse(&std::fs::read_to_string(dir.join("site.toml"))?, &articles)
    }
}

/// Puts the data of a folder in, decided by the first administrator there is.
pub async fn seed_folder(settings: Settings, dir: &Path) -> Result<(), Failure> {
    let seeds = Seeds::read(dir).map_err(|error| format!("the seeds in {} cannot be read: {error}", dir.display()))?;
    let people = list_moderators(&open(settings.clone(), Clock::system()).await?).await?;
    let admin = people.iter().find(|person| person.role == Role::Admin.as_str() && !person.is_disabled);
    let admin = admin
        .ok_or("somebody must decide: add an administrator first, with `rejoinder moderator add NAME --role admin`")?;
    seed(&settings, &seeds, &admin.username).await
}

/// Puts the data in. An article that is there already is left as it is.
pub async fn seed(settings: &Settings, seeds: &Seeds, moderator: &str) -> Result<(), Failure> {
    let now = Clock::system().now();
    for article in &seeds.articles {
        let last = article.comments.last().map_or(0, |comment| comment.minutes_after);
        let began = now.minus(minutes(last + 30));
        let clock = ManualClock::at(began);
        let settings = Settings { has_limits: false, ..settings.clone() };
        let app = open(settings, Clock::Manual(clock.clone())).await?;
        let by = find_moderator(&app, moderator).await?;
        put_site(&app, &seeds.site).await?;
        if is_there(&app, &seeds.site.key, &article.key).await? {
            say(format_args!("{} is there already", article.key));
            continue;
        }
        let put = PutArticle {
            title: article.title.clone(),
            url: article.url.clone(),
            summary: Some(article.summary.clone()),
            comments_open: None,
            comments_close_at: None,
        };
        put_article(&app, None, &seeds.site.key, &article.key, put).await?;
        let count = seed_comments(&app, &clock, &by, &seeds.site.key, article).await?;
        say(format_args!("{count} comments on {}", article.key));
    }
    Ok(())
}

async fn put_site(app: &App, seed: &SiteSeed) -> Result<(), Failure> {
    let add = AddSite { key: seed.key.clone(), name: seed.name.clone(), origins: Vec::new() };
    match add_site(app, Actor::NOBODY, add).await {
        Ok(_) | Err(SiteError::Taken) => {}
        Err(error) => return Err(error.into()),
    }
    let set = SetSite {
        name: Some(seed.name.clone()),
        language: Some(seed.language.clone()),
        policy: Some(seed.policy),
        max_depth: Some(seed.max_depth),
        ..SetSite::default()
    };
    set_site(app, Actor::NOBODY, &seed.key, set).await?;
    Ok(())
}

async fn is_there(app: &App, site: &Key, article: &Key) -> Result<bool, Failure> {
    let (site, article) = (site.clone(), article.clone());
    let found = app.store.read(move |conn| {
        let Some(site) = find_site(conn, &site)? else { return Ok::<_, StoreError>(None) };
        find_article(conn, site.id, &article)
    });
    Ok(found.await?.is_some())
}

async fn seed_comments(
    app: &App,
    clock: &ManualClock,
    by: &Moderator,
    site: &Key,
    article: &ArticleSeed,
) -> Result<usize, Failure> {
    let mut ids: HashMap<&str, CommentId> = HashMap::new();
    let mut minute = 0;
    for comment in &article.comments {
        clock.advance(minutes(comment.minutes_after.saturating_sub(minute)));
        minute = comment.minutes_after.max(minute);
        let parent = comment.parent.as_deref();
        let parent_id =
            parent.map(|label| ids.get(label).copied().ok_or(format!("no comment {label} above {}", comment.label)));
        let form = ReplyForm {
            name: Some(comment.name.clone()),
            email: Some(comment.email.clone()),
            url: comment.url.clone(),
            comment: Some(comment.text.clone()),
            parent_id: parent_id.transpose()?,
            faults: Vec::new(),
        };
        let post = Post {
            site: site.clone(),
            article: article.key.clone(),
            form,
            address: Some(comment.address),
            user_agent: comment.user_agent.clone(),
            foreign_origin: None,
            replay: None,
            traces: None,
        };
        let posted = post_comment(app, post).await.map_err(|error| format!("{}: {error}", comment.label))?;
        ids.insert(&comment.label, posted.id);
        decide_as(app, by, posted.id, 1, &comment.decided).await?;
    }
    for comment in &article.comments {
        if let (Some(later), Some(id)) = (&comment.later, ids.get(comment.label.as_str())) {
            clock.advance(minutes(1));
            let version = if comment.decided.decision.is_some() { 2 } else { 1 };
            decide_as(app, by, *id, version, later).await?;
        }
    }
    Ok(ids.len())
}

async fn decide_as(app: &App, by: &Moderator, id: CommentId, version: i64, seed: &DecisionSeed) -> Result<(), Failure> {
    let Some(word) = &seed.decision else { return Ok(()) };
    let decision = Decision::parse(word).ok_or_else(|| format!("there is no decision {word:?}"))?;
    let asked = Decide {
        comment: id,
        decision,
        reason: seed.reason.clone(),
        note: seed.note.clone(),
        message: seed.message.clone(),
        versions: vec![version],
        replay: None,
    };
    decide(app, by, asked).await?;
    Ok(())
}

fn minutes(count: u64) -> Duration {
    Duration::from_secs(60 * count)
}
