//! A published comment as the public sees it. Nothing is added here without a test that it leaks nothing.

use serde::Serialize;
use utoipa::ToSchema;

use crate::articles::Article;
use crate::comments::thread::Node;
use crate::http::wording::Wording;
use crate::kit::clock::Millis;
use crate::kit::cursor::Cursor;
use crate::kit::ids::CommentId;
use crate::kit::secret::Key;
use crate::sites::Site;

use super::links;

/// A published comment.
#[derive(Serialize, ToSchema)]
pub struct PublishedComment {
    #[schema(value_type = i64)]
    id: CommentId,
    /// The nearest published comment above it; null for a root.
    #[schema(value_type = Option<i64>)]
    parent_id: Option<CommentId>,
    /// 0 for a root.
    depth: i32,
    author: PublicAuthor,
    /// Clean HTML.
    html: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Millis,
    #[schema(value_type = Option<String>, format = DateTime)]
    edited_at: Option<Millis>,
    /// Published direct replies.
    replies: i64,
    permalink: String,
    /// Only in the tree.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(no_recursion)]
    children: Option<Vec<PublishedComment>>,
    /// The cursor of the replies that did not fit, beside `children`.
    #[serde(skip_serializing_if = "Option::is_none")]
    more: Option<String>,
}

/// Whom a published comment is by.
#[derive(Serialize, ToSchema)]
struct PublicAuthor {
    name: String,
    url: Option<String>,
    is_staff: bool,
}

/// The article of a comment or receipt.
#[derive(Serialize, ToSchema)]
pub struct ArticleReference {
    site: String,
    key: String,
    title: String,
    url: String,
}

/// What is the same for all comments of an answer.
pub struct Frame<'a> {
    /// Address of the article's page.
    pub page: String,
    pub words: &'static Wording,
    /// What cursors are made with, and for which list.
    pub cursors: &'a Key,
    pub list: String,
}

impl Frame<'_> {
    /// A cursor's text.
    pub fn cursor(&self, cursor: Cursor) -> String {
        cursor.encode(self.cursors, &self.list)
    }
}

impl PublishedComment {
    /// One comment by itself.
    pub fn new(node: Node, frame: &Frame) -> Self {
        let row = node.row;
        Self {
            permalink: links::permalink(&frame.page, row.id),
            id: row.id,
            parent_id: row.shown_parent_id,
            depth: row.shown_depth,
            author: PublicAuthor {
                name: name_or_anonymous(row.name, frame.words),
                url: row.url,
                is_staff: row.moderator_id.is_some(),
            },
            html: node.html,
            created_at: row.created_at,
            edited_at: row.edited_at,
            replies: row.shown_replies,
            children: None,
            more: None,
        }
    }

    /// A comment with the replies that come with it.
    pub fn with_children(mut node: Node, frame: &Frame) -> Self {
        let children = std::mem::take(&mut node.children);
        let children = children.into_iter().map(|child| Self::with_children(child, frame)).collect();
        let more = node.more.map(|cursor| frame.cursor(cursor));
        Self { children: Some(children), more, ..Self::new(node, frame) }
    }
}

/// What stands for the name where none was asked for and none given.
pub fn name_or_anonymous(name: String, words: &Wording) -> String {
    if name.is_empty() { words.anonymous.to_owned() } else { name }
}

impl ArticleReference {
    /// Refers to an article.
    pub fn new(site: &Site, article: &Article) -> Self {
        Self {
            site: site.key.to_string(),
            key: article.key.to_string(),
            title: article.title.clone(),
            url: article.url.clone(),
        }
    }
}
