//! Receipts: the author's private link to a comment, and what it tells.
//!
//! A token is the comment's id and a keyed hash of it: it needs no table, is the same each time it is made, and cannot
//! be guessed (128 bits). It tells the author what became of the comment, but never that it was taken for spam.

use crate::app::App;
use crate::articles::{Article, find_article_by_id};
use crate::kit::ids::CommentId;
use crate::kit::secret;
use crate::sites::{Site, find_site_by_id};
use crate::store::StoreResult;

use super::{Comment, Status, queries};

/// Bytes of the keyed hash in a token.
const MAC_BYTES: usize = 16;

/// What an author may know.
#[derive(Debug)]
pub struct Receipt {
    pub comment: Comment,
    pub status: ReceiptStatus,
    pub reason: Option<String>,
    pub message: Option<String>,
    pub site: Site,
    pub article: Article,
}

/// The state of a comment, as its author sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReceiptStatus {
    Pending,
    Approved,
    Rejected,
    Withdrawn,
}

impl ReceiptStatus {
    /// Spam reads as pending, so that a spammer learns nothing; trash as rejected. What was erased has no receipt.
    fn of(status: Status) -> Option<Self> {
        match status {
            Status::Pending | Status::Spam => Some(Self::Pending),
            Status::Approved => Some(Self::Approved),
            Status::Rejected | Status::Trash => Some(Self::Rejected),
            Status::Withdrawn => Some(Self::Withdrawn),
            Status::Erased => None,
        }
    }
}

/// The token of a comment's receipt.
pub fn receipt_token(app: &App, id: CommentId) -> String {
    let id_bytes = id.get().to_be_bytes();
    let mac = app.keys.receipt.mac(&[&id_bytes]);
    secret::encode(&[id_bytes.as_slice(), &mac[..MAC_BYTES]].concat())
}

/// The receipt behind a token; `None` when it is not ours or the comment was erased.
///
/// # Errors
/// Those of the store.
pub async fn find_receipt(app: &App, token: &str) -> StoreResult<Option<Receipt>> {
    let Some(id) = read_token(app, token) else { return Ok(None) };
    app.store
        .read(move |conn| {
            let Some(comment) = queries::find_comment(conn, id)? else { return Ok(None) };
            // Spam whose words were thrown away waits like any other, as far as its author knows.
            let was_purged = comment.status == Status::Erased && queries::purge::was_purged(conn, id)?;
            let status = if was_purged { Some(ReceiptStatus::Pending) } else { ReceiptStatus::of(comment.status) };
            let Some(status) = status else { return Ok(None) };
            let (Some(article), Some(site)) =
                (find_article_by_id(conn, comment.article_id)?, find_site_by_id(conn, comment.site_id)?)
            else {
                return Ok(None);
            };
            let (reason, message) = queries::find_last_word(conn, id)?.unwrap_or_default();
            let reason = reason.filter(|_| status == ReceiptStatus::Rejected);
            Ok(Some(Receipt { comment, status, reason, message, site, article }))
        })
        .await
}

fn read_token(app: &App, token: &str) -> Option<CommentId> {
    let bytes = secret::decode(token)?;
    let (id_bytes, _) = bytes.split_first_chunk::<8>()?;
    let id = CommentId::from_number(i64::from_be_bytes(*id_bytes))?;
    secret::is_equal(receipt_token(app, id).as_bytes(), token.as_bytes()).then_some(id)
}
