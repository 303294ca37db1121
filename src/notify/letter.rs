//! What letters say, in the language of their site. Nothing that a reader typed stands in one: it may go to somebody else.

use serde::Deserialize;

use crate::app::App;
use crate::articles::find_article_by_id;
use crate::comments::{Status, find_comment};
use crate::http::wording;
use crate::kit::ids::CommentId;
use crate::outbound::Letter;
use crate::readers::{self, GOOD_FOR, VERIFICATION, find_proof_time, verification_token};
use crate::sites::find_site_by_id;
use crate::store::{StoreResult, WaitingMail};

#[derive(Deserialize)]
struct AboutComment {
    comment: i64,
}

/// The letter as it is now; `None` when there is no reason for it any more.
///
/// # Errors
/// Those of the store.
pub async fn letter_of(app: &App, mail: &WaitingMail) -> StoreResult<Option<Letter>> {
    let about = serde_json::from_str::<AboutComment>(&mail.payload).ok();
    let about = about.and_then(|about| CommentId::from_number(about.comment)).filter(|_| mail.kind == VERIFICATION);
    // What a newer program put there is not ours to send.
    let Some(id) = about else { return Ok(None) };
    let found = app.store.read(move |conn| -> StoreResult<_> {
        let Some(comment) = find_comment(conn, id)? else { return Ok(None) };
        let (site, article) = (find_site_by_id(conn, comment.site_id)?, find_article_by_id(conn, comment.article_id)?);
        let is_proven = find_proof_time(conn, id)?.is_some();
        Ok(site.zip(article).filter(|_| !is_proven).map(|(site, article)| (comment, site, article)))
    });
    let Some((comment, site, article)) = found.await? else { return Ok(None) };
    let until = comment.received_at.plus(GOOD_FOR);
    let is_unwanted = matches!(comment.status, Status::Spam | Status::Withdrawn | Status::Erased);
    let email = comment.email.filter(|email| Some(readers::folded(email)) == mail.recipient);
    let Some(to) = email.filter(|_| !is_unwanted && app.clock.now() < until) else { return Ok(None) };
    let words = wording::in_language(&site.language);
    let token = verification_token(app, comment.id, site.id, &to);
    let link = app.link(&format!("/verifications/{token}"));
    Ok(Some(Letter {
        id: format!("{}.{}.rejoinder", mail.id, mail.created_at.0),
        to,
        subject: words.verify_mail_subject(&site.name),
        text: words.verify_mail_text(&site.name, &article.title, &link, &words.moment(until)),
    }))
}
