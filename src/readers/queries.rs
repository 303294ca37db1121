//! All SQL about readers: verified emails, proven comments, remembered browsers.

use diesel::prelude::*;

use crate::kit::clock::Millis;
use crate::kit::ids::{CommentId, EmailId, SiteId};
use crate::store::schema::{comment_proofs, comments, decisions, remembered_browsers, verified_emails};
use crate::store::{Conn, Db, StoreResult, execute_on_either};

use super::Browser;

/// The email that was verified on this site in this browser, if it is this one.
pub(in crate::readers) fn find_email_in(
    conn: &mut Conn,
    site: SiteId,
    email: &str,
    browser: Browser,
) -> StoreResult<Option<EmailId>> {
    let theirs = verified_emails::table
        .inner_join(remembered_browsers::table.on(remembered_browsers::email_id.eq(verified_emails::id)))
        .filter(verified_emails::email.eq(email))
        .filter(verified_emails::site_id.eq(site))
        .filter(remembered_browsers::browser.eq(browser.hash().to_vec()));
    Ok(theirs.select(verified_emails::id).first(conn).optional()?)
}

/// The latest comments that are proven to be by who has an email, each with its status now.
pub(in crate::readers) fn list_latest_statuses(
    conn: &mut Conn,
    email: EmailId,
    most: i64,
) -> StoreResult<Vec<(CommentId, String)>> {
    let theirs = comment_proofs::table
        .inner_join(comments::table.on(comments::id.eq(comment_proofs::comment_id)))
        .filter(comment_proofs::email_id.eq(email))
        .order(comment_proofs::comment_id.desc())
        .limit(most);
    Ok(theirs.select((comments::id, comments::status)).load(conn)?)
}

/// Whether a person approved one of these comments.
pub(in crate::readers) fn is_one_approved_by_people(conn: &mut Conn, ids: &[CommentId]) -> StoreResult<bool> {
    let approved = decisions::table
        .filter(decisions::comment_id.eq_any(ids))
        .filter(decisions::to_status.eq("approved"))
        .filter(decisions::moderator_id.is_not_null());
    Ok(approved.count().get_result::<i64>(conn)? > 0)
}

/// The id of an email that is verified on a site; when it was not yet, `fresh` becomes it.
pub(in crate::readers) fn load_or_insert_email(
    conn: &mut Conn,
    fresh: EmailId,
    site: SiteId,
    email: &str,
    at: Millis,
) -> StoreResult<EmailId> {
    let row = (
        verified_emails::id.eq(fresh),
        verified_emails::site_id.eq(site),
        verified_emails::email.eq(email),
        verified_emails::verified_at.eq(at),
    );
    execute_on_either(conn, diesel::insert_into(verified_emails::table).values(row).on_conflict_do_nothing())?;
    let same =
        verified_emails::table.filter(verified_emails::email.eq(email)).filter(verified_emails::site_id.eq(site));
    Ok(same.select(verified_emails::id).first(conn)?)
}

/// Keeps that a comment is by who has this email, unless that is known.
///
/// # Errors
/// Those of the store.
pub fn prove_comment(conn: &mut Conn, comment: CommentId, email: EmailId, at: Millis) -> StoreResult<()> {
    let row =
        (comment_proofs::comment_id.eq(comment), comment_proofs::email_id.eq(email), comment_proofs::proven_at.eq(at));
    execute_on_either(conn, diesel::insert_into(comment_proofs::table).values(row).on_conflict_do_nothing())?;
    Ok(())
}

/// When a comment was proven.
///
/// # Errors
/// Those of the store.
pub fn find_proof_time(conn: &mut Conn, comment: CommentId) -> StoreResult<Option<Millis>> {
    let proof = comment_proofs::table.find(comment).select(comment_proofs::proven_at);
    Ok(proof.first(conn).optional()?)
}

/// Keeps that a browser is theirs who have this email.
pub(in crate::readers) fn bind_browser(
    conn: &mut Conn,
    browser: Browser,
    email: EmailId,
    at: Millis,
) -> StoreResult<()> {
    let row = (
        remembered_browsers::browser.eq(browser.hash().to_vec()),
        remembered_browsers::email_id.eq(email),
        remembered_browsers::bound_at.eq(at),
    );
    let upsert = diesel::insert_into(remembered_browsers::table)
        .values(row)
        .on_conflict((remembered_browsers::browser, remembered_browsers::email_id))
        .do_update()
        .set(remembered_browsers::bound_at.eq(at));
    execute_on_either(conn, upsert)?;
    Ok(())
}

/// Those of these comments that are proven.
pub(in crate::readers) fn list_proven(conn: &mut Conn, ids: &[CommentId]) -> StoreResult<Vec<CommentId>> {
    let proven = comment_proofs::table.filter(comment_proofs::comment_id.eq_any(ids));
    Ok(proven.select(comment_proofs::comment_id).load(conn)?)
}

/// Whether an email was verified on one of these sites, or on any.
pub(in crate::readers) fn is_verified(conn: &mut Conn, email: &str, sites: Option<&[SiteId]>) -> StoreResult<bool> {
    let mut verified = verified_emails::table.filter(verified_emails::email.eq(email)).into_boxed::<Db>();
    if let Some(sites) = sites {
        verified = verified.filter(verified_emails::site_id.eq_any(sites));
    }
    Ok(verified.count().get_result::<i64>(conn)? > 0)
}

/// Forgets browsers in which nothing was verified since then.
///
/// # Errors
/// Those of the store.
pub fn forget_old_browsers(conn: &mut Conn, before: Millis) -> StoreResult<()> {
    diesel::delete(remembered_browsers::table.filter(remembered_browsers::bound_at.lt(before))).execute(conn)?;
    Ok(())
}
