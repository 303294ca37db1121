//! The addresses of comments, articles and receipts, all below the public URL.

use crate::app::App;
use crate::kit::ids::CommentId;
use crate::kit::key::Key;

/// An article's page.
pub fn page(app: &App, site: &Key, article: &Key) -> String {
    app.link(&format!("/sites/{site}/articles/{article}"))
}

/// The page, opened where a comment stands.
pub fn permalink(page: &str, id: CommentId) -> String {
    format!("{page}?comment={id}#comment-{id}")
}

/// A comment, for programs.
pub fn comment(app: &App, id: CommentId) -> String {
    app.link(&format!("/api/v1/comments/{id}"))
}

/// Where a comment's reports go.
pub fn reports(app: &App, id: CommentId) -> String {
    app.link(&format!("/api/v1/comments/{id}/reports"))
}

/// The page by which a comment is reported.
pub fn report_page(app: &App, id: CommentId) -> String {
    app.link(&format!("/comments/{id}/report"))
}

/// A receipt's page.
pub fn receipt(app: &App, token: &str) -> String {
    app.link(&format!("/receipts/{token}"))
}

/// An article's comments, for programs.
pub fn thread(app: &App, site: &Key, article: &Key) -> String {
    app.link(&format!("/api/v1/sites/{site}/articles/{article}/comments"))
}

/// Where challenges for posting under an article are given out.
pub fn challenge(app: &App, site: &Key, article: &Key) -> String {
    app.link(&format!("/api/v1/sites/{site}/articles/{article}/challenge"))
}

/// The script of the reply form.
pub fn script(app: &App) -> String {
    app.link("/reply.js")
}

/// The script that solves a challenge.
pub fn solver(app: &App) -> String {
    app.link("/solve.js")
}

/// The stylesheet of every page.
pub fn stylesheet(app: &App) -> String {
    app.link("/rejoinder.css")
}
