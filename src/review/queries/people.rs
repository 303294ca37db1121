//! The SQL that finds comments by who wrote them: in `comment_lookup`, by index, then in the comments themselves.

use std::net::IpAddr;

use diesel::prelude::*;
use diesel::sql_types::Bool;

use crate::bans::Who;
use crate::comments::Status;
use crate::kit::clock::Millis;
use crate::kit::ids::{CommentId, SiteId};
use crate::kit::text;
use crate::store::schema::{comment_lookup, comments};
use crate::store::{Conn, Db, StoreResult};

/// Ids that are looked up in one statement.
const CHUNK: usize = 500;

type Condition<'a> = Box<dyn BoxableExpression<comment_lookup::table, Db, SqlType = Bool> + 'a>;

/// Theirs, as far as the index knows. Emails are folded there, which makes a few alike that are not.
fn is_of(who: &Who) -> Condition<'static> {
    match who {
        Who::Name(name) => Box::new(comment_lookup::name.eq(name.clone())),
        Who::Email(email) => Box::new(comment_lookup::email.eq(text::fold(email)).assume_not_null()),
        Who::Addresses { .. } => {
            let (low, high) = who.bounds();
            Box::new(comment_lookup::address.ge(low).and(comment_lookup::address.le(high)).assume_not_null())
        }
    }
}

/// A comment of somebody's.
#[derive(Debug, Clone)]
pub(in crate::review) struct Theirs {
    pub id: CommentId,
    pub version: i64,
    pub status: Status,
    pub created_at: Millis,
    pub size_bytes: i64,
}

/// What they wrote on these sites, as far as `most` of the latest go; in no order.
pub(in crate::review) fn list_of(
    conn: &mut Conn,
    who: &Who,
    sites: Option<&[SiteId]>,
    most: i64,
) -> StoreResult<Vec<Theirs>> {
    let mut query = comment_lookup::table
        .filter(is_of(who))
        .select(comment_lookup::comment_id)
        .order(comment_lookup::comment_id.desc())
        .limit(most)
        .into_boxed::<Db>();
    if let Some(sites) = sites {
        query = query.filter(comment_lookup::site_id.eq_any(sites));
    }
    let ids: Vec<CommentId> = query.load(conn)?;
    let mut theirs = Vec::new();
    for chunk in ids.chunks(CHUNK) {
        // What staff wrote is nobody's whom one bans, whatever name it goes by.
        let theirs_or_not = comments::table.filter(comments::id.eq_any(chunk)).filter(comments::moderator_id.is_null());
        let rows: Vec<Row> = theirs_or_not.select(Row::as_select()).load(conn)?;
        theirs.extend(rows.into_iter().filter(|row| row.is_by(who)).filter_map(Row::into_theirs));
    }
    Ok(theirs)
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = comments)]
#[diesel(check_for_backend(Db))]
struct Row {
    id: CommentId,
    version: i64,
    status: String,
    created_at: Millis,
    size_bytes: i64,
    name: String,
    email: Option<String>,
    ip: Option<String>,
}

impl Row {
    /// What the comment itself says counts: the index folds more than two authors may share, and lags behind.
    fn is_by(&self, who: &Who) -> bool {
        who.wrote(&self.name, self.email.as_deref(), parse_address(self.ip.as_deref()))
    }

    fn into_theirs(self) -> Option<Theirs> {
        let Self { id, version, created_at, size_bytes, .. } = self;
        Status::parse(&self.status).map(|status| Theirs { id, version, status, created_at, size_bytes })
    }
}

fn parse_address(text: Option<&str>) -> Option<IpAddr> {
    text?.parse().ok()
}
