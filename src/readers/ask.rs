//! Asking by mail whether an email is theirs who gave it, in the transaction of the comment that it came with.
//!
//! The letter goes to whatever was typed, so it must not be a way to molest people: an email gets one a day for each site
//! and three a day in all, a network address causes ten a day, and nothing of what the sender typed stands in it. Nobody
//! is asked for a comment that was taken for spam, as all comments of the banned are.

use std::net::IpAddr;
use std::time::Duration;

use serde_json::json;

use crate::app::App;
use crate::http::limits::AddressKey;
use crate::kit::clock::Millis;
use crate::kit::ids::{CommentId, SiteId};
use crate::store::{Conn, NewMail, StoreResult, count_mails_caused_by, count_mails_to, insert_mail_once};

use super::VERIFICATION;

const DAY: Duration = Duration::from_hours(24);
/// Letters that one email gets in 24 hours, over all sites.
const MOST_TO_EMAIL: i64 = 3;
/// Letters that one network address causes in 24 hours.
const MOST_BY_ADDRESS: i64 = 10;

/// A letter that is to be sent, if the limits allow it.
#[derive(Debug, Clone)]
pub struct Request {
    mail: NewMail,
    has_limits: bool,
}

/// Whether there is mail at all.
pub fn may_be_asked(app: &App) -> bool {
    app.mailer.is_on()
}

/// The letter for a comment with this email that came from `address`. `id` is a fresh one.
pub fn request_of(
    app: &App,
    id: i64,
    (comment, site): (CommentId, SiteId),
    email: &str,
    address: IpAddr,
    at: Millis,
) -> Request {
    let recipient = super::folded(email);
    let caused_by = app.keys.reader.short_mac(&[b"address", &AddressKey::from(address).number().to_be_bytes()]);
    // A day of UTC: one letter for each, however many come at the same moment.
    let day = at.0.div_euclid(86_400_000).to_be_bytes();
    let once = app.keys.reader.mac(&[b"once", &site.get().to_be_bytes(), recipient.as_bytes(), &day]);
    let payload = json!({ "comment": comment.get() }).to_string();
    let mail = NewMail { id, kind: VERIFICATION, payload, recipient, caused_by: Some(caused_by), once, at };
    Request { mail, has_limits: app.settings.has_limits }
}

/// Puts the letter into the outbox, unless enough have gone to this email or from this address; says whether it did.
///
/// # Errors
/// Those of the store.
pub fn ask_to_verify(conn: &mut Conn, request: &Request) -> StoreResult<bool> {
    let (mail, since) = (&request.mail, request.mail.at.minus(DAY));
    if count_mails_to(conn, &mail.recipient, since)? >= MOST_TO_EMAIL {
        return Ok(false);
    }
    if let Some(address) = mail.caused_by.filter(|_| request.has_limits)
        && count_mails_caused_by(conn, address, since)? >= MOST_BY_ADDRESS
    {
        return Ok(false);
    }
    insert_mail_once(conn, mail)
}
