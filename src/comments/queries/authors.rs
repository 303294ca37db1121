//! The SQL that says whether something by an author was published before. A guest is known by email and network address
//! together, as an email alone proves nothing; who gives none of both is never known.

use std::collections::HashMap;
use std::net::IpAddr;

use diesel::prelude::*;

use crate::comments::Status;
use crate::kit::ids::{CommentId, SiteId};
use crate::kit::{network, text};
use crate::store::schema::comment_lookup;
use crate::store::{Conn, StoreResult};

/// Comments with an email that are looked at, the latest.
const MOST: i64 = 1_000;

/// Whether something by this author is published on the site, as last indexed.
pub(in crate::comments) fn is_known(
    conn: &mut Conn,
    site: SiteId,
    email: Option<&str>,
    address: Option<IpAddr>,
) -> StoreResult<bool> {
    let (Some(email), Some(address)) = (email, address) else { return Ok(false) };
    let rows: Vec<(SiteId, String, Option<String>)> = comment_lookup::table
        .filter(comment_lookup::email.eq(text::fold(email)).assume_not_null())
        .order(comment_lookup::comment_id.desc())
        .limit(MOST)
        .select((comment_lookup::site_id, comment_lookup::status, comment_lookup::address))
        .load(conn)?;
    let address = network::sortable(address);
    let is_theirs = |(of, status, from): &(SiteId, String, Option<String>)| {
        *of == site && status == Status::Approved.as_str() && from.as_ref() == Some(&address)
    };
    Ok(rows.iter().any(is_theirs))
}

/// An author, by folded email and sortable address.
pub type Wrote = (String, String);

/// The first published comment on the site of each author with one of these folded emails, as last indexed.
///
/// # Errors
/// Those of the store.
pub fn list_first_published(
    conn: &mut Conn,
    site: SiteId,
    emails: &[String],
) -> StoreResult<HashMap<Wrote, CommentId>> {
    let rows: Vec<(Option<String>, Option<String>, Option<CommentId>)> = comment_lookup::table
        .filter(comment_lookup::email.eq_any(emails).assume_not_null())
        .filter(comment_lookup::site_id.eq(site))
        .filter(comment_lookup::status.eq(Status::Approved.as_str()))
        .filter(comment_lookup::address.is_not_null())
        .group_by((comment_lookup::email, comment_lookup::address))
        .select((comment_lookup::email, comment_lookup::address, diesel::dsl::min(comment_lookup::comment_id)))
        .load(conn)?;
    Ok(rows.into_iter().filter_map(|(email, address, first)| Some(((email?, address?), first?))).collect())
}
