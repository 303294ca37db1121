//! Lists in pages: a limit, a cursor, and the link to the next page. There are no offsets: they get slower with every
//! page and show an item twice when one is added before it.

use serde::Serialize;

use crate::kit::cursor::Cursor;
use crate::kit::secret::Key;

use super::fields::Fields;
use super::problem::{Kind, Problem};

/// The most items on a page.
pub const MAX_LIMIT: u32 = 100;

/// Which page of a list is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PageQuery {
    /// 1 to 100.
    pub limit: u32,
    pub cursor: Option<Cursor>,
}

impl PageQuery {
    /// Items on a page when nobody says.
    pub const USUAL_LIMIT: u32 = 50;

    /// Takes `limit` and `cursor`; `list` describes the list, so that no cursor of another is followed.
    ///
    /// # Errors
    /// A cursor that is not ours is a 400. A limit out of range is noted in `fields`.
    pub fn take(fields: &mut Fields, key: &Key, list: &str) -> Result<Self, Problem> {
        let limit = fields.number("limit", 1, MAX_LIMIT).unwrap_or(Self::USUAL_LIMIT);
        let cursor =
            fields.text("cursor").map(|text| Cursor::decode(key, list, &text).ok_or_else(not_ours)).transpose()?;
        Ok(Self { limit, cursor })
    }
}

fn not_ours() -> Problem {
    Problem::new(Kind::Unreadable, "The cursor is not one of ours, or belongs to another list.")
}

/// A page of a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// The cursor of the next page; null on the last.
    pub next: Option<String>,
}

/// `Link: <…>; rel="next"` (RFC 8288).
pub fn next_link(url: &str) -> String {
    format!("<{url}>; rel=\"next\"")
}

/// The URL of the next page: `url` with `query`, its own cursor replaced by `next`.
pub fn next_url(url: &str, query: &str, next: &str) -> String {
    let mut all = format!("{url}?");
    for pair in query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("cursor=")) {
        all.push_str(pair);
        all.push('&');
    }
    all + "cursor=" + next
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_keeps_every_parameter_but_the_cursor() {
        let url = next_url("https://x.example/list", "a=1&cursor=old&b=2", "new");
        assert_eq!(url, "https://x.example/list?a=1&b=2&cursor=new");
    }
}
