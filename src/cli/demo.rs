//! The demo: a fresh database with articles and comments in every state, one moderator with a random password, a server.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::accounts::{AddModerator, PeopleError, Role, add_moderator, list_moderators, random_words, reset_password};
use crate::app::App;
use crate::audit::Actor;
use crate::config::{DatabaseUrl, Settings};
use crate::kit::clock::Clock;
use crate::kit::key::Key;

use super::say::say;
use super::seed::{self, Seeds};
use super::{Failure, open, serve};

/// The demo's own database, made anew each time.
const DATABASE: &str = "rejoinder-demo.db";
const MODERATOR: &str = "demo";

const SITE: &str = include_str!("../../seeds/site.toml");
const ARTICLES: [&str; 2] = [
    include_str!("../../seeds/mamdani-meets-trump-sanctuary-policy.toml"),
    include_str!("../../seeds/the-night-shift-at-the-tide-mill.toml"),
];

/// Fills a database and serves it. A database that the settings name is kept, and filled only when it has no such
/// articles yet; without one the demo's own is begun afresh.
pub async fn demo(mut settings: Settings, has_own_database: bool, is_stopping: Arc<AtomicBool>) -> Result<(), Failure> {
    // Before anything is touched: another demo may be running here.
    drop(TcpListener::bind(settings.listen).map_err(|error| format!("cannot listen on {}: {error}", settings.listen))?);
    if !has_own_database {
        remove_database()?;
        settings.database = DatabaseUrl::Sqlite(DATABASE.to_owned());
    }
    let seeds = Seeds::parse(SITE, &ARTICLES)?;
    let password = random_words()?;
    {
        let app = open(settings.clone(), Clock::system()).await?;
        refuse_real_database(&app).await?;
        let add = AddModerator {
            username: MODERATOR.to_owned(),
            password: Some(password.clone()),
            role: Role::Admin,
            sites: Vec::new(),
            display_name: None,
        };
        match add_moderator(&app, Actor::NOBODY, add).await {
            Err(PeopleError::Taken) => reset_password(&app, Actor::NOBODY, MODERATOR, password.clone()).await?,
            added => added.map(drop)?,
        }
    }
    seed::seed(&settings, &seeds, MODERATOR).await?;
    let first = seeds.articles.first().map(|article| article.key.clone());
    serve::serve_and(settings, is_stopping, move |link| {
        if let Some(key) = first {
            say(format_args!("article: {}", link(&article_path(&seeds.site.key, &key))));
        }
        say(format_args!("moderator: {MODERATOR}"));
        say(format_args!("password: {password}"));
    })
    .await
}

/// A database in which real people moderate is no place for invented comments and a moderator whose password is printed.
async fn refuse_real_database(app: &App) -> Result<(), Failure> {
    let people = list_moderators(app).await?;
    if people.iter().any(|person| person.username != MODERATOR) {
        return Err(
            "this database is in use: it has moderators already; name another one, or none for the demo's own".into()
        );
    }
    Ok(())
}

fn article_path(site: &Key, article: &Key) -> String {
    format!("/sites/{site}/articles/{article}")
}

fn remove_database() -> Result<(), Failure> {
    for suffix in ["", "-wal", "-shm"] {
        match std::fs::remove_file(format!("{DATABASE}{suffix}")) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(format!("the demo database {DATABASE}{suffix} cannot be removed: {error}").into());
            }
            _ => {}
        }
    }
    Ok(())
}
