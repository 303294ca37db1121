//! The only place that asks which database it is: one pair of answers for each thing that differs.

use diesel::QueryResult;
use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::query_dsl::methods::{ExecuteDsl, LoadQuery};
use diesel::result::DatabaseErrorInformation;
use diesel::sqlite::SqliteConnection;

use crate::kit::search::{IndexedWords, Phrase, Search};

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
        ("spent_challenges.nonce", "spent_challenges_pkey", Constraint::SpentChallenge),
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

/// A comment that waits to be indexed, as it was read.
#[derive(Debug, Clone)]
pub struct WasRead {
    pub id: i64,
    pub version: i64,
    pub ip: Option<String>,
}

/// Marks those of these comments as indexed that wait and are as they were read; says which. Nobody changes them then before
/// the commit, and on PostgreSQL it waits for nobody who does so now.
///
/// # Errors
/// Those of the database.
pub fn mark_indexed(conn: &mut Conn, read: &[WasRead]) -> QueryResult<Vec<i64>> {
    use diesel::prelude::*;
    use diesel::sql_types::{Array, BigInt, Nullable, Text};

    use super::schema::comments;
    use crate::kit::ids::CommentId;

    match conn {
        Conn::Postgres(conn) => {
            let update = "UPDATE comments SET is_indexed = TRUE WHERE id IN (
                    SELECT comments.id FROM comments
                    JOIN unnest($1, $2, $3) AS read (id, version, ip)
                        ON read.id = comments.id AND read.version = comments.version
                            AND read.ip IS NOT DISTINCT FROM comments.ip
                    WHERE NOT comments.is_indexed ORDER BY comments.id FOR UPDATE OF comments SKIP LOCKED
                ) RETURNING id";
            let marked: Vec<FoundId> = diesel::sql_query(update)
                .bind::<Array<BigInt>, _>(read.iter().map(|one| one.id).collect::<Vec<_>>())
                .bind::<Array<BigInt>, _>(read.iter().map(|one| one.version).collect::<Vec<_>>())
                .bind::<Array<Nullable<Text>>, _>(read.iter().map(|one| one.ip.as_deref()).collect::<Vec<_>>())
                .load(conn)?;
            Ok(marked.into_iter().map(|marked| marked.id).collect())
        }
        Conn::Sqlite(conn) => {
            let mut marked = Vec::with_capacity(read.len());
            for one in read {
                let as_read = comments::table
                    .find(CommentId::new(one.id))
                    .filter(comments::version.eq(one.version))
                    .filter(comments::ip.is(&one.ip))
                    .filter(comments::is_indexed.eq(false));
                if diesel::update(as_read).set(comments::is_indexed.eq(true)).execute(conn)? == 1 {
                    marked.push(one.id);
                }
            }
            Ok(marked)
        }
    }
}

#[derive(diesel::QueryableByName)]
struct FoundId {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    id: i64,
}

/// Adds to a site's counts: bucket, good, spam.
///
/// # Errors
/// Those of the database.
pub fn add_counts(conn: &mut Conn, site: i64, counts: &[(i64, i64, i64)]) -> QueryResult<()> {
    use diesel::prelude::*;
    use diesel::sql_types::{Array, BigInt, Text};

    const ADD: &str = "ON CONFLICT (site_id, bucket) DO UPDATE
        SET good = training_counts.good + excluded.good, spam = training_counts.spam + excluded.spam";
    match conn {
        Conn::Postgres(conn) => {
            let insert = "INSERT INTO training_counts (site_id, bucket, good, spam)
                SELECT $1, bucket, good, spam FROM unnest($2, $3, $4) AS counted (bucket, good, spam)";
            diesel::sql_query(format!("{insert} {ADD}"))
                .bind::<BigInt, _>(site)
                .bind::<Array<BigInt>, _>(counts.iter().map(|(bucket, ..)| *bucket).collect::<Vec<_>>())
                .bind::<Array<BigInt>, _>(counts.iter().map(|(_, good, _)| *good).collect::<Vec<_>>())
                .bind::<Array<BigInt>, _>(counts.iter().map(|(.., spam)| *spam).collect::<Vec<_>>())
                .execute(conn)?;
        }
        Conn::Sqlite(conn) => {
            // One statement for all of them: thousands of features are counted at once.
            let rows: Vec<String> =
                counts.iter().map(|(bucket, good, spam)| format!("[{bucket},{good},{spam}]")).collect();
            let insert = "INSERT INTO training_counts (site_id, bucket, good, spam)
                SELECT ?, value ->> 0, value ->> 1, value ->> 2 FROM json_each(?) WHERE TRUE";
            diesel::sql_query(format!("{insert} {ADD}"))
                .bind::<BigInt, _>(site)
                .bind::<Text, _>(format!("[{}]", rows.join(",")))
                .execute(conn)?;
        }
    }
    Ok(())
}

/// What stands for a word that is not indexed, so that the words on its two sides are not side by side. No text has it as a
/// word.
const GAP: &str = "\u{e000}";

/// Writes the words of comments; of those that are not `is_new` in place of what was there.
///
/// # Errors
/// Those of the database.
pub fn write_words(conn: &mut Conn, all: &[(i64, IndexedWords, bool)]) -> QueryResult<()> {
    use diesel::prelude::*;
    use diesel::sql_types::{Array, BigInt, Text};

    diesel::table! {
        comment_words (rowid) {
            rowid -> BigInt,
            shown -> Text,
            email -> Text,
        }
    }
    match conn {
        Conn::Postgres(conn) => {
            let (ids, words): (Vec<i64>, Vec<String>) =
                all.iter().map(|(id, words, _)| (*id, postgres_words(words))).unzip();
            // By a cast and not by to_tsvector, whose parser would cut the words anew.
            let insert = "INSERT INTO comment_words (id, words) SELECT id, words::tsvector
                FROM unnest($1, $2) AS written (id, words) ON CONFLICT (id) DO UPDATE SET words = excluded.words";
            diesel::sql_query(insert).bind::<Array<BigInt>, _>(ids).bind::<Array<Text>, _>(words).execute(conn)?;
        }
        Conn::Sqlite(conn) => {
            for (id, words, is_new) in all {
                if !is_new {
                    diesel::delete(comment_words::table.find(id)).execute(conn)?;
                }
                let values = (
                    comment_words::rowid.eq(id),
                    comment_words::shown.eq(sqlite_words(&words.shown)),
                    comment_words::email.eq(sqlite_words(&words.email)),
                );
                diesel::insert_into(comment_words::table).values(values).execute(conn)?;
            }
        }
    }
    Ok(())
}

/// Ids of up to `most` comments that an anchored search finds, in no order.
///
/// # Errors
/// Those of the database.
pub fn list_by_words(conn: &mut Conn, search: &Search, with_email: bool, most: i64) -> QueryResult<Vec<i64>> {
    use diesel::prelude::*;
    use diesel::sql_types::{BigInt, Text};

    let found: Vec<FoundId> = match conn {
        Conn::Postgres(conn) => {
            let select = "SELECT id FROM comment_words WHERE words @@ $1::tsquery LIMIT $2";
            let query = postgres_query(search, with_email);
            diesel::sql_query(select).bind::<Text, _>(query).bind::<BigInt, _>(most).load(conn)?
        }
        Conn::Sqlite(conn) => {
            let select = "SELECT rowid AS id FROM comment_words WHERE comment_words MATCH ? LIMIT ?";
            let query = sqlite_query(search);
            let query = if with_email { query } else { format!("shown : ({query})") };
            diesel::sql_query(select).bind::<Text, _>(query).bind::<BigInt, _>(most).load(conn)?
        }
    };
    Ok(found.into_iter().map(|found| found.id).collect())
}

fn sqlite_words(words: &[String]) -> String {
    let shown: Vec<&str> = words.iter().map(|word| if word.is_empty() { GAP } else { word }).collect();
    shown.join(" ")
}

/// FTS5 knows `NOT` between two searches only, so what is not anchored is said of its opposite.
fn sqlite_query(search: &Search) -> String {
    match search {
        Search::Words(Phrase { words, is_prefix }) | Search::Not(Phrase { words, is_prefix }) => {
            format!("\"{}\"{}", words.join(" "), if *is_prefix { " *" } else { "" })
        }
        Search::Any(parts) => {
            format!("({})", parts.iter().map(sqlite_query).collect::<Vec<_>>().join(" OR "))
        }
        Search::All(parts) => {
            let (anchored, others): (Vec<&Search>, Vec<&Search>) = parts.iter().partition(|part| part.is_anchored());
            let all = anchored.into_iter().map(sqlite_query).collect::<Vec<_>>().join(" AND ");
            let without =
                |query: String, other: &Search| format!("({query} NOT {})", sqlite_query(&other.clone().negated()));
            others.into_iter().fold(format!("({all})"), without)
        }
    }
}

/// Every word with its places, those of the email in a weight of their own and behind a gap.
fn postgres_words(words: &IndexedWords) -> String {
    let mut places: std::collections::BTreeMap<&str, Vec<String>> = std::collections::BTreeMap::new();
    let (shown, gap) = (words.shown.iter().map(|word| (word, "A")), String::new());
    let email = words.email.iter().map(|word| (word, "D"));
    for (number, (word, weight)) in shown.chain([(&gap, "")]).chain(email).enumerate() {
        if !word.is_empty() {
            places.entry(word).or_default().push(format!("{}{weight}", number + 1));
        }
    }
    let lexemes: Vec<String> =
        places.into_iter().map(|(word, places)| format!("{}:{}", quoted(word), places.join(","))).collect();
    lexemes.join(" ")
}

fn postgres_query(search: &Search, with_email: bool) -> String {
    let list = |parts: &[Search], join: &str| {
        let parts: Vec<String> = parts.iter().map(|part| postgres_query(part, with_email)).collect();
        format!("({})", parts.join(join))
    };
    let phrase = |Phrase { words, is_prefix }: &Phrase| {
        let weight = if with_email { "" } else { "A" };
        let marks = |index: usize| if *is_prefix && index + 1 == words.len() { "*" } else { "" };
        let lexeme = |(index, word): (usize, &String)| match (marks(index), weight) {
            ("", "") => quoted(word),
            (star, weight) => format!("{}:{star}{weight}", quoted(word)),
        };
        format!("({})", words.iter().enumerate().map(lexeme).collect::<Vec<_>>().join(" <-> "))
    };
    match search {
        Search::Words(words) => phrase(words),
        Search::Not(words) => format!("!{}", phrase(words)),
        Search::All(parts) => list(parts, " & "),
        Search::Any(parts) => list(parts, " | "),
    }
}

/// A lexeme in quotes. Words have none of these characters; should they ever, they harm nobody.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\\', "\\\\").replace('\'', "''"))
}
