//! The SQL that counts: comments by status, and authors' records.

use std::collections::{BTreeSet, HashMap};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Text};

use crate::comments::{Comment, Status};
use crate::kit::ids::SiteId;
use crate::kit::text;
use crate::review::item::Record;
use crate::store::{Conn, Db, StoreResult};

/// Comments of an author that are counted for a record, the latest.
const MOST_OF_AUTHOR: i64 = 1_000;

#[derive(QueryableByName)]
#[diesel(check_for_backend(Db))]
struct CountRow {
    #[diesel(sql_type = BigInt)]
    site_id: i64,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// How many comments there are of each status on each site: what was counted when they were indexed, and what waits for it.
/// One statement, so that nothing is counted twice or not at all.
pub(in crate::review) fn count_all(conn: &mut Conn) -> StoreResult<Vec<(SiteId, Status, i64)>> {
    let rows: Vec<CountRow> = diesel::sql_query(
        "SELECT site_id, status, CAST(SUM(count) AS BIGINT) AS count FROM (
            SELECT site_id, status, count FROM comment_counts
            UNION ALL SELECT site_id, status, 1 FROM comments WHERE NOT comments.is_indexed
            UNION ALL SELECT counted.site_id, counted.status, -1 FROM comments
                JOIN comment_lookup AS counted ON counted.comment_id = comments.id WHERE NOT comments.is_indexed
        ) AS parts GROUP BY site_id, status",
    )
    .load(conn)?;
    let known = |row: CountRow| Some((SiteId::new(row.site_id), Status::parse(&row.status)?, row.count));
    Ok(rows.into_iter().filter_map(known).filter(|(_, _, count)| *count != 0).collect())
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Db))]
struct RecordRow {
    #[diesel(sql_type = Integer)]
    number: i32,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// What became of the comments of these comments' authors on the same site, by site and folded email, as last indexed. One
/// statement, with a part for each author.
pub(in crate::review) fn load_records(
    conn: &mut Conn,
    found: &[Comment],
) -> StoreResult<HashMap<(SiteId, String), Record>> {
    let authors: BTreeSet<(i64, String)> = found
        .iter()
        .filter_map(|comment| Some((comment.site_id.get(), text::fold(comment.email.as_deref()?))))
        .collect();
    let authors: Vec<(SiteId, String)> = authors.into_iter().map(|(site, email)| (SiteId::new(site), email)).collect();
    let mut records: HashMap<(SiteId, String), Record> =
        authors.iter().map(|author| (author.clone(), Record::default())).collect();
    if authors.is_empty() {
        return Ok(records);
    }
    let mut query = diesel::sql_query("").into_boxed::<Db>();
    for (number, (site, email)) in authors.iter().enumerate() {
        // Both databases take `$1`, where each is named once and in order.
        let (join, bind) = (if number == 0 { "" } else { " UNION ALL " }, number * 2 + 1);
        query = query
            .sql(format!(
                "{join}SELECT CAST({number} AS INTEGER) AS number, status, count(*) AS count FROM (
                    SELECT site_id, status FROM comment_lookup WHERE email = ${bind}
                    ORDER BY comment_id DESC LIMIT {MOST_OF_AUTHOR}
                ) AS latest WHERE site_id = ${} GROUP BY status",
                bind + 1
            ))
            .bind::<Text, _>(email)
            .bind::<BigInt, _>(site.get());
    }
    for row in query.load::<RecordRow>(conn)? {
        let author = usize::try_from(row.number).ok().and_then(|number| authors.get(number));
        let Some(record) = author.and_then(|author| records.get_mut(author)) else { continue };
        match Status::parse(&row.status) {
            Some(Status::Approved) => record.approved = row.count,
            Some(Status::Rejected | Status::Trash) => record.rejected += row.count,
            Some(Status::Spam) => record.spam = row.count,
            _ => {}
        }
    }
    Ok(records)
}
