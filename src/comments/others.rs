//! What others say about a comment that is judged: those who sent nearly the same, and services outside that its site has
//! named. Both are other features'; here they are asked on behalf of a post.

use crate::app::App;
use crate::campaigns::{self, Sent};
use crate::kit::clock::Millis;
use crate::outside::{self, Submission};
use crate::screening::{Finding, Outcome, Verdict};
use crate::store::StoreResult;

use super::form::NewComment;
use super::ground::Ground;
use super::post::Post;

/// What others, or the same, sent that is nearly the same. The sketches of the latest are in memory.
pub(super) async fn find_repeated(
    app: &App,
    post: &Post,
    ground: &Ground,
    comment: &NewComment,
    at: Millis,
) -> StoreResult<Vec<Finding>> {
    let (name, email) = (comment.name.as_str(), comment.email.as_deref());
    let sent = Sent { site: ground.site.id, text: &comment.text, name, email, address: post.address, at };
    campaigns::find_repeated(app, sent).await
}

/// The verdict with what the services outside say that the site has named, if it has any. They are not asked about what
/// is spam already.
pub(super) async fn ask_outside(
    app: &App,
    post: &Post,
    ground: &Ground,
    comment: &NewComment,
    verdict: Verdict,
    at: Millis,
) -> Verdict {
    if verdict.outcome == Outcome::Spam || ground.site.settings.outside.is_off() {
        return verdict;
    }
    let address = post.address.map(|address| address.to_string());
    let submission = Submission {
        site: &ground.site,
        article: &ground.article,
        name: &comment.name,
        email: comment.email.as_deref(),
        url: comment.url.as_deref(),
        text: &comment.text,
        address: address.as_deref(),
        user_agent: post.user_agent.as_deref(),
        parent: post.form.parent_id,
        at,
    };
    outside::ask_outside(app, &submission).await.into_iter().fold(verdict, Verdict::with)
}
