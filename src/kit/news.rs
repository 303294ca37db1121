//! What one node tells the others after a commit: a line of text for each thing that they may have kept.
//!
//! A line that cannot be read is of another version and tells this one nothing: nobody may rest on being told.

use super::changes::Change;
use super::ids::{CommentId, SiteId};
use super::key::Key;

/// The words that a status may have on the way.
const STATUSES: [&str; 7] = ["pending", "approved", "rejected", "spam", "trash", "withdrawn", "erased"];

/// Something that other nodes should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// The published comments of an article are not as they were.
    Thread { site: Key, article: Key },
    /// Those of every article may be shown otherwise.
    Threads,
    /// A comment changed; for desks that follow live.
    Comment(Change),
}

impl News {
    /// Reads a line.
    pub fn parse(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let news = match words.next()? {
            "thread" => Self::Thread { site: Key::parse(words.next()?)?, article: Key::parse(words.next()?)? },
            "threads" => Self::Threads,
            "comment" => Self::Comment(Change {
                comment: CommentId::parse(words.next()?)?,
                version: words.next()?.parse().ok()?,
                status: words.next().and_then(|word| STATUSES.into_iter().find(|status| *status == word))?,
                site: SiteId::parse(words.next()?)?,
            }),
            _ => return None,
        };
        words.next().is_none().then_some(news)
    }
}

impl std::fmt::Display for News {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Thread { site, article } => write!(f, "thread {site} {article}"),
            Self::Threads => f.write_str("threads"),
            Self::Comment(Change { comment, version, status, site }) => {
                write!(f, "comment {comment} {version} {status} {site}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_heard_and_nothing_else() {
        let key = |text| Key::parse(text).unwrap();
        let comment = CommentId::new(7);
        for news in [
            News::Thread { site: key("main"), article: key("a.b~c_d-e") },
            News::Threads,
            News::Comment(Change { comment, version: 2, status: "approved", site: SiteId::new(1) }),
        ] {
            assert_eq!(News::parse(&news.to_string()), Some(news));
        }
        for odd in ["", "thread", "thread a", "thread a b c", "comment 7 2 lost 1", "comment 7 x spam 1", "threads all"]
        {
            assert_eq!(News::parse(odd), None, "{odd}");
        }
    }
}
