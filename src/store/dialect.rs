//! The only place that asks which database it is: one pair of answers for each thing that differs.

use diesel::QueryResult;
use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::query_dsl::methods::{ExecuteDsl, LoadQuery};
use diesel::result::DatabaseErrorInformation;
use diesel::sqlite::SqliteConnection;

use super::{Conn, Constraint, StoreResult};

/// Runs a statement that the common backend cannot express, such as an upsert, on whichever database it is.
pub fn execute_on_either<Q>(conn: &mut Conn, query: Q) -> QueryResult<usize>
where
    Q: ExecuteDsl<PgConnection> + ExecuteDsl<SqliteConnection>,
{
    match conn {
        Conn::Postgres(conn) => ExecuteDsl::execute(query, conn),
        Conn::Sqlite(conn) => ExecuteDsl::execute(query, conn),
    }
}

/// Loads rows by a query written for each database by itself: the common backend writes the SQL anew each time, which
/// for a row of many columns costs more than finding it.
///
/// # Errors
/// Those of the database.
pub fn load_on_either<'q, Q, Row>(conn: &mut Conn, query: Q) -> QueryResult<Vec<Row>>
where
    Q: LoadQuery<'q, PgConnection, Row> + LoadQuery<'q, SqliteConnection, Row>,
{
    match conn {
        Conn::Postgres(conn) => LoadQuery::<PgConnection, Row>::internal_load(query, conn)?.collect(),
        Conn::Sqlite(conn) => LoadQuery::<SqliteConnection, Row>::internal_load(query, conn)?.collect(),
    }
}

/// Which unique constraint a violation names: SQLite names the columns, PostgreSQL the index.
pub(super) fn constraint(info: &dyn DatabaseErrorInformation) -> Constraint {
    let named = info.constraint_name().unwrap_or_else(|| info.message());
    let by_name = [
        ("sites.key", "sites_by_key", Constraint::SiteKey),
        ("articles.key", "articles_by_key", Constraint::ArticleKey),
        ("comments.duplicate_hash", "comments_by_duplicate_hash", Constraint::DuplicateComment),
        ("moderators.username_folded", "moderators_by_username", Constraint::Username),
        ("idempotency_keys.key_hash", "idempotency_keys_pkey", Constraint::IdempotencyKey),
    ];
    by_name
        .into_iter()
        .find(|(columns, index, _)| named.contains(columns) || named == *index)
        .map_or(Constraint::Other, |(_, _, constraint)| constraint)
}

/// Opens a transaction that means to write: SQLite takes its one write lock at once instead of failing later.
pub(super) fn begin_writing(conn: &mut Conn) -> QueryResult<()> {
    match conn {
        Conn::Postgres(conn) => conn.batch_execute("BEGIN"),
        Conn::Sqlite(conn) => conn.batch_execute("BEGIN IMMEDIATE"),
    }
}

/// Takes a lock that one transaction at a time has, over all nodes, until it ends; false when another one has it. On
/// SQLite a transaction that means to write is the only one anyway. PostgreSQL's locks know no schemas, ours do.
///
/// # Errors
/// Those of the database.
pub fn try_lock_until_commit(conn: &mut Conn, what_for: i32) -> QueryResult<bool> {
    use diesel::prelude::*;
    use diesel::sql_types::{Bool, Integer};

    match conn {
        Conn::Postgres(conn) => {
            let lock = diesel::dsl::sql::<Bool>("pg_try_advisory_xact_lock(").bind::<Integer, _>(what_for);
            diesel::select(lock.sql(", hashtext(current_schema()))")).get_result(conn)
        }
        Conn::Sqlite(_) => Ok(true),
    }
}

/// Keeps rows from everybody else until the transaction ends, by a statement whose `$1` are their ids. On SQLite a
/// transaction that means to write is alone anyway.
///
/// # Errors
/// Those of the database.
pub fn lock_rows(conn: &mut Conn, select_for_update: &str, ids: Vec<i64>) -> QueryResult<()> {
    use diesel::RunQueryDsl;
    use diesel::sql_types::{Array, BigInt};

    if let Conn::Postgres(conn) = conn {
        diesel::sql_query(select_for_update).bind::<Array<BigInt>, _>(ids).execute(conn)?;
    }
    Ok(())
}

/// Lets SQLite keep up to 256 MiB of pages for this connection, for work that touches the whole file: with the usual few it
/// writes pages away and reads them back all the time. PostgreSQL's memory is the operator's to give.
///
/// # Errors
/// Those of the database.
pub fn widen_page_cache(conn: &mut Conn) -> StoreResult<()> {
    match conn {
        Conn::Postgres(_) => Ok(()),
        Conn::Sqlite(conn) => Ok(conn.batch_execute("PRAGMA cache_size = -262144")?),
    }
}

/// A number that changes when *another* connection has committed to the same file; always 0 on PostgreSQL, where
/// other nodes are expected and told of by other means.
pub(super) fn foreign_version(conn: &mut Conn) -> QueryResult<i64> {
    use diesel::prelude::*;
    use diesel::sql_types::BigInt;

    match conn {
        Conn::Postgres(_) => Ok(0),
        Conn::Sqlite(conn) => {
            diesel::select(diesel::dsl::sql::<BigInt>("(SELECT data_version FROM pragma_data_version)"))
                .get_result(conn)
        }
    }
}
