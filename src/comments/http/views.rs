//! The pages readers see: an article with its thread and reply form, and the receipt of one comment.
//!
//! Templates stand in `web/` and escape everything; only a comment's `html`, cleaned when it was posted, and a thread
//! rendered from such comments go in as they are. Hence a `CommentView` must never carry HTML from anywhere else.
//! Times come as words already, addresses as paths under the public URL or as checked `http(s)` URLs.
//!
//! Not here: reading the database, choosing a language, caching, headers.

use askama::Template;

use crate::comments::receipt::ReceiptStatus;
use crate::http::wording::{ReceiptWords, Wording};

/// From this depth on replies are no longer set further in, so that a phone keeps room for words.
const DEEPEST_INDENT: i64 = 6;

/// The published comments as nested lists: the part of the page that is cached. Empty without comments.
#[derive(Debug, Template)]
#[template(path = "thread.html", config = "web/askama.toml")]
pub struct ThreadView<'a> {
    pub words: &'a Wording,
    pub comments: &'a [CommentView],
}

/// One published comment and its published replies.
#[derive(Debug, Clone)]
pub struct CommentView {
    pub id: i64,
    /// A root is 0.
    pub depth: i64,
    pub name: String,
    pub url: Option<String>,
    pub is_staff: bool,
    /// Clean HTML; not escaped again.
    pub html: String,
    /// RFC 3339.
    pub created_at: String,
    /// As `Wording::date_time` writes it.
    pub created_words: String,
    /// When it was last edited, written alike; the word "Edited" is added here.
    pub edited_words: Option<String>,
    /// Path of the page, ending in `#comment-ID`.
    pub permalink: String,
    /// Where the form answers this comment; `None` when too deep or closed.
    pub reply_href: Option<String>,
    /// Where it is reported to the moderators.
    pub report_href: String,
    /// Where the replies that did not fit go on.
    pub more_href: Option<String>,
    pub children: Vec<CommentView>,
}

/// An article's page with its published comments.
#[derive(Debug, Template)]
#[template(path = "article.html", config = "web/askama.toml")]
pub struct ArticlePage<'a> {
    pub words: &'a Wording,
    pub css_href: &'a str,
    pub site_name: &'a str,
    /// BCP 47 tag for `<html lang>`.
    pub language: &'a str,
    pub title: &'a str,
    pub summary: Option<&'a str>,
    /// Where the article itself stands.
    pub url: &'a str,
    pub comments_count: i64,
    /// A rendered [`ThreadView`], or what marks its place; not escaped again.
    pub thread_html: &'a str,
    pub more_href: Option<&'a str>,
    /// `None` when comments are closed.
    pub form: Option<FormView<'a>>,
    /// What the page says in place of the form.
    pub closed: &'a str,
}

/// The reply form, empty or as it came back with what is wrong.
#[derive(Debug)]
pub struct FormView<'a> {
    pub action: &'a str,
    pub parent: Option<ParentView<'a>>,
    pub name: FieldView<'a>,
    pub email: FieldView<'a>,
    pub url: FieldView<'a>,
    pub comment: FieldView<'a>,
    /// The nonce that makes a double click one comment.
    pub submission: &'a str,
    /// When it is given out, signed.
    pub stamp: &'a str,
    /// `None` when the browser need not solve anything.
    pub work: Option<WorkView>,
    pub name_required: bool,
    pub email_required: bool,
    /// A sentence for the whole form; when `None` and a field is wrong, the catalogue's own sentence stands there.
    pub problem: Option<&'a str>,
}

/// What the browser needs to solve a challenge before it posts.
#[derive(Debug)]
pub struct WorkView {
    /// The address of the script of the form.
    pub script: String,
    /// That of the script which looks for the number, in a thread of its own.
    pub solver: String,
    /// Where challenges are given out.
    pub challenge: String,
}

/// The comment a reply answers.
#[derive(Debug)]
pub struct ParentView<'a> {
    pub id: i64,
    pub name: &'a str,
    /// The same page with an empty form for a comment of its own.
    pub cancel_href: &'a str,
}

/// What a field holds, and the sentence that says what would be right.
#[derive(Debug, Clone, Copy, Default)]
pub struct FieldView<'a> {
    pub value: &'a str,
    pub error: Option<&'a str>,
}

/// The author's private page about one comment.
#[derive(Debug, Template)]
#[template(path = "receipt.html", config = "web/askama.toml")]
pub struct ReceiptPage<'a> {
    pub words: &'a Wording,
    pub css_href: &'a str,
    /// BCP 47 tag for `<html lang>`.
    pub language: &'a str,
    pub site_name: &'a str,
    pub article_title: &'a str,
    pub article_href: &'a str,
    pub status: ReceiptStatus,
    /// Why it was rejected, in words.
    pub reason: Option<&'a str>,
    /// The moderators' plain text to the author.
    pub message: Option<&'a str>,
    pub name: &'a str,
    /// Clean HTML, not escaped again; empty when there is nothing left to show.
    pub html: &'a str,
    pub created_at: &'a str,
    pub created_words: &'a str,
    /// When approved: where it can be read.
    pub permalink: Option<&'a str>,
}

/// A form by which a reader reports a comment.
#[derive(Debug, Template)]
#[template(path = "report.html", config = "web/askama.toml")]
pub struct ReportPage<'a> {
    pub words: &'a Wording,
    pub css_href: &'a str,
    /// BCP 47 tag for `<html lang>`.
    pub language: &'a str,
    pub site_name: &'a str,
    pub action: &'a str,
    /// Whose comment it is.
    pub name: &'a str,
    /// Clean HTML; not escaped again.
    pub html: &'a str,
    pub created_at: &'a str,
    pub created_words: &'a str,
    pub permalink: &'a str,
    pub choices: &'a [ChoiceView<'a>],
    /// What would be right, when none of them was chosen.
    pub wrong_reason: Option<&'a str>,
    pub text: FieldView<'a>,
}

/// One of a few things to choose.
#[derive(Debug, Clone, Copy)]
pub struct ChoiceView<'a> {
    pub key: &'a str,
    pub words: &'a str,
    pub is_chosen: bool,
}

/// What stands there when a report was sent.
#[derive(Debug, Template)]
#[template(path = "report_sent.html", config = "web/askama.toml")]
pub struct ReportSentPage<'a> {
    pub words: &'a Wording,
    pub css_href: &'a str,
}

impl ReportPage<'_> {
    fn is_refused(&self) -> bool {
        self.wrong_reason.is_some() || self.text.error.is_some()
    }
}

impl FormView<'_> {
    fn is_refused(&self) -> bool {
        self.problem.is_some() || self.has_wrong_field()
    }

    fn has_wrong_field(&self) -> bool {
        let fields = [self.name, self.email, self.url, self.comment];
        fields.iter().any(|field| field.error.is_some())
    }
}

impl ArticlePage<'_> {
    fn work(&self) -> Option<&WorkView> {
        self.form.as_ref()?.work.as_ref()
    }

    fn is_refused(&self) -> bool {
        self.form.as_ref().is_some_and(FormView::is_refused)
    }
}

impl ReceiptPage<'_> {
    fn status_words(&self) -> &ReceiptWords {
        match self.status {
            ReceiptStatus::Pending => &self.words.receipt_pending,
            ReceiptStatus::Approved => &self.words.receipt_approved,
            ReceiptStatus::Rejected => &self.words.receipt_rejected,
            ReceiptStatus::Withdrawn => &self.words.receipt_withdrawn,
        }
    }

    /// A class name for the style sheet, not for people.
    fn status_class(&self) -> &'static str {
        match self.status {
            ReceiptStatus::Pending => "pending",
            ReceiptStatus::Approved => "approved",
            ReceiptStatus::Rejected => "rejected",
            ReceiptStatus::Withdrawn => "withdrawn",
        }
    }
}

/// One comment of a thread; renders its replies with itself, as deep as the site lets threads grow.
#[derive(Debug, Template)]
#[template(path = "comment.html", config = "web/askama.toml")]
struct CommentItem<'a> {
    words: &'a Wording,
    comment: &'a CommentView,
}

impl<'a> ThreadView<'a> {
    fn item(&self, comment: &'a CommentView) -> CommentItem<'a> {
        CommentItem { words: self.words, comment }
    }
}

impl<'a> CommentItem<'a> {
    fn item(&self, comment: &'a CommentView) -> CommentItem<'a> {
        CommentItem { words: self.words, comment }
    }

    fn is_indented(&self) -> bool {
        self.comment.depth < DEEPEST_INDENT
    }
}
