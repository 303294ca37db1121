//! Made-up comments in any number, for benches.

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use crate::app::App;
use crate::articles::{PutArticle, put_article};
use crate::comments::generate_comments;
use crate::kit::key::Key;
use crate::review::index_all;

use super::moderator::parse_key;
use super::{Failure, say::say};

#[derive(Args)]
pub struct Generate {
    /// How many comments
    #[arg(long)]
    comments: u64,
    /// Over how many articles, called generated-1 and so on
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    articles: u32,
    /// On which site
    #[arg(long, default_value = "main", value_parser = parse_key)]
    site: Key,
}

pub async fn run(app: &App, asked: Generate) -> Result<(), Failure> {
    let mut keys = Vec::new();
    for number in 1..=asked.articles {
        let name = format!("generated-{number}");
        let key = Key::parse(&name).ok_or("not a key")?;
        let put = PutArticle {
            title: format!("Generated article {number}"),
            url: format!("https://news.example/{name}"),
            summary: None,
            comments_open: None,
            comments_close_at: None,
        };
        put_article(app, None, &asked.site, &key, put).await.map_err(|error| format!("{name}: {error}"))?;
        keys.push(key);
    }
    // Hidden by itself when standard error is no terminal.
    let bar = ProgressBar::new(asked.comments);
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos} of {len} comments, {per_sec}, {eta} left")?);
    generate_comments(app, &asked.site, keys, asked.comments, |done| bar.set_position(done)).await?;
    bar.reset();
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos} indexed, {per_sec}")?);
    index_all(app, |done| bar.set_position(done)).await?;
    bar.finish_and_clear();
    say(format_args!("{} comments over {} articles", asked.comments, asked.articles));
    Ok(())
}
