//! Articles, from the shell.

use clap::Subcommand;

use crate::app::App;
use crate::articles::{PutArticle, PutError, put_article};
use crate::kit::key::Key;

use super::Failure;
use super::moderator::parse_key;

#[derive(Subcommand)]
pub enum Verb {
    /// Add an article, or change the one with this key
    Add {
        #[arg(long, value_parser = parse_key)]
        site: Key,
        #[arg(long, value_parser = parse_key)]
        key: Key,
        #[arg(long)]
        title: String,
        /// Where the article itself stands
        #[arg(long)]
        url: String,
        #[arg(long)]
        summary: Option<String>,
    },
}

pub async fn run(app: &App, verb: Verb) -> Result<(), Failure> {
    let Verb::Add { site, key, title, url, summary } = verb;
    let put = PutArticle { title, url, summary, comments_open: None, comments_close_at: None };
    match put_article(app, None, &site, &key, put).await {
        Ok(_) => Ok(()),
        Err(PutError::NoSuchSite) => Err(format!("there is no site {site}").into()),
        Err(PutError::Invalid(faults)) => {
            let wrong: Vec<_> = faults
                .iter()
                .map(|fault| format!("{} ({})", fault.pointer.trim_start_matches('/'), fault.code))
                .collect();
            Err(format!("wrong: {}", wrong.join(", ")).into())
        }
        Err(error) => Err(error.into()),
    }
}
