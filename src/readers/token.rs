//! The link that verifies an email: made of the comment that it was given with, its site and the email itself, so that
//! nothing of it is stored and whoever reads the database alone can verify nothing. Once the comment is erased, or has
//! another email, the link is none.

use std::time::Duration;

use crate::app::App;
use crate::kit::ids::{CommentId, SiteId};
use crate::kit::secret;

/// How long a link is good, from when its comment was received.
pub const GOOD_FOR: Duration = Duration::from_hours(7 * 24);

/// The token for a comment with this email. 256 bits of it are a keyed hash.
pub fn verification_token(app: &App, comment: CommentId, site: SiteId, email: &str) -> String {
    let id_bytes = comment.get().to_be_bytes();
    let folded = super::folded(email);
    let mac = app.keys.reader.mac(&[b"verification", &id_bytes, &site.get().to_be_bytes(), folded.as_bytes()]);
    secret::encode(&[id_bytes.as_slice(), &mac].concat())
}

/// The comment that a token claims to be about. Whoever asks makes the token of that comment again and compares.
pub fn read_verification_id(token: &str) -> Option<CommentId> {
    let bytes = secret::decode(token).filter(|bytes| bytes.len() == 40)?;
    CommentId::from_number(i64::from_be_bytes(*bytes.first_chunk()?))
}
