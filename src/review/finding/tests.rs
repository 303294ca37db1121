//! Every statement that finds or counts is served by an index, on both databases: none reads all comments.

use std::sync::{Arc, Mutex};

use diesel::connection::{Instrumentation, InstrumentationEvent, SimpleConnection};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::*;
use crate::config::DatabaseUrl;
use crate::http::fields::Fields;
use crate::kit::clock::Millis;
use crate::kit::ids::RerunId;
use crate::review::counts::count_by_status;
use crate::review::queries::{indexing, load_items, reruns};
use crate::review::rerun::Rerun;
use crate::store::{StoreError, migrate};

const FILTERS: [&str; 18] = [
    "",
    "status=any",
    "status=spam&status=trash&since=2026-01-01T00:00:00Z&until=2026-02-01T00:00:00Z",
    "site=main",
    "site=main&status=any&since=2026-01-01T00:00:00Z",
    "article=a",
    "article=a&article=b&status=any",
    "author=ada&author=bea",
    "email=a%40x.example",
    "ip=10.0.0.0/8&ip=::1",
    "reason=spam",
    "rule=17",
    "rule=17&rule=ban&reason=spam&status=any",
    "reported=yes&status=any",
    "claimed=yes",
    "claimed=me&status=any",
    "claimed=no&reported=no",
    "q=tide NOT \"mill race\"",
];

/// Asks everything there is to ask.
fn ask_all(conn: &mut Conn) {
    let asking = Asking { moderator: ModeratorId::new(1), sites: None, sees_personal: true, now: Millis(1) };
    let limited = Asking { sites: Some(vec![SiteId::new(1), SiteId::new(2)]), ..asking.clone() };
    for asking in [&asking, &limited] {
        for query in FILTERS {
            let mut fields = Fields::from_urlencoded(query.as_bytes()).unwrap();
            let filter = Filter::take(&mut fields);
            let place = Place { id: CommentId::new(1), created_at: Millis(1), risk: 0.5, version: 1 };
            for sort in [QueueSort::Oldest, QueueSort::Newest] {
                list_page(conn, asking, &filter, sort, None, 50).unwrap();
                list_page(conn, asking, &filter, sort, Some(&place), 50).unwrap();
            }
            list_matching(conn, asking, &filter, 100).unwrap();
            count_by_status(conn, asking, &filter).unwrap();
        }
    }
    let pending = Filter::take(&mut Fields::default());
    list_page(conn, &asking, &pending, QueueSort::Risk, None, 50).unwrap();
    list_page(conn, &limited, &pending, QueueSort::Risk, None, 50).unwrap();
    indexing::list_waiting(conn, 100).unwrap();
    indexing::list_waiting_ids(conn, 100).unwrap();
    load_items(conn, &[CommentId::new(1)], Millis(1)).unwrap();
    ask_for_reruns(conn);
}

fn ask_for_reruns(conn: &mut Conn) {
    let (site, mark) = (SiteId::new(1), (Millis(1), CommentId::new(1)));
    let (by, created_at) = (ModeratorId::new(1), Millis(2));
    let (total, done, published, spam, finished_at) = (1, 0, 0, 0, None);
    let rerun = Rerun { id: RerunId::new(1), site, by, mark, total, done, published, spam, created_at, finished_at };
    reruns::list_waiting_after(conn, &rerun, 100).unwrap();
    reruns::count_waiting(conn, site, Millis(2)).unwrap();
    reruns::list_untouched(conn, &[CommentId::new(1)]).unwrap();
    reruns::list_latest(conn, site, 100).unwrap();
    reruns::list_decided_by_people(conn, &[CommentId::new(1)]).unwrap();
    reruns::list_running(conn).unwrap();
}

#[derive(Clone, Default)]
struct Statements(Arc<Mutex<Vec<String>>>);

impl Instrumentation for Statements {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            let text = query.to_string();
            let sql = text.split(" -- binds").next().unwrap_or_default().to_owned();
            self.0.lock().unwrap().push(sql);
        }
    }
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

#[test]
fn sqlite_reads_indexes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("plans.db").display().to_string();
    migrate(&DatabaseUrl::parse(&format!("sqlite:{path}")).unwrap()).unwrap();
    let mut sqlite = SqliteConnection::establish(&path).unwrap();
    let statements = Statements::default();
    sqlite.set_instrumentation(statements.clone());
    let mut conn = Conn::Sqlite(sqlite);
    ask_all(&mut conn);
    let all = std::mem::take(&mut *statements.0.lock().unwrap());
    assert!(all.len() > 300, "{}", all.len());
    let Conn::Sqlite(mut sqlite) = conn else { return };
    for sql in all {
        // Where nothing can be, nothing is read.
        if sql.contains("1=0") {
            continue;
        }
        let steps: Vec<Step> = diesel::sql_query(format!("EXPLAIN QUERY PLAN {sql}")).load(&mut sqlite).unwrap();
        for Step { detail } in steps {
            let reads_all =
                ["SCAN comments", "SCAN comment_lookup", "SCAN comment_rules", "SCAN counted", "SCAN decisions"]
                    .iter()
                    .any(|scan| detail.starts_with(scan) && !detail.contains(" INDEX "));
            assert!(!reads_all && !detail.contains("FOR ORDER BY"), "{detail}: {sql}");
        }
    }
}

#[derive(QueryableByName)]
struct Scans {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

#[test]
fn postgresql_reads_indexes() {
    let Some(server) = std::env::var("TEST_POSTGRES_URL").ok().filter(|url| !url.is_empty()) else {
        eprintln!("TEST_POSTGRES_URL is not set: nothing was asked of PostgreSQL");
        return;
    };
    let schema = format!("plans_{}", std::process::id());
    let mut postgres = PgConnection::establish(&server).unwrap();
    postgres.batch_execute(&format!("CREATE SCHEMA {schema}")).unwrap();
    let separator = if server.contains('?') { '&' } else { '?' };
    migrate(&DatabaseUrl::parse(&format!("{server}{separator}options=-csearch_path%3D{schema}")).unwrap()).unwrap();
    // Small tables are read whole where that may be.
    postgres.batch_execute(&format!("SET search_path = {schema}; SET enable_seqscan = off")).unwrap();
    let mut conn = Conn::Postgres(postgres);
    let scans = conn.transaction(|conn| {
        ask_all(conn);
        let scans = "SELECT CAST(SUM(seq_scan) AS BIGINT) AS count FROM pg_stat_xact_user_tables
            WHERE schemaname = current_schema() AND relname IN ('comments', 'comment_lookup', 'comment_rules', 'comment_words', 'decisions')";
        Ok::<i64, StoreError>(diesel::sql_query(scans).get_result::<Scans>(conn)?.count)
    });
    conn.batch_execute(&format!("DROP SCHEMA {schema} CASCADE")).unwrap();
    assert_eq!(scans.unwrap(), 0);
}
