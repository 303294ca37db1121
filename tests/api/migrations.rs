//! The schema: two trees alike, up and down, as `schema.rs` says; newer ones refused; killed halfway, nothing halfway.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Integer, Text};
use diesel_migrations::{FileBasedMigrations, MigrationHarness};
use rejoinder::kit::secret::{digest, encode};
use rejoinder::store::{MigrateError, migrate};
use reqwest::Method;
use serde_json::json;

use crate::support::database::{TestDatabase, databases, empty_databases};
use crate::support::process::rejoinder;
use crate::support::server::{NOON, TestApp};
use crate::support::{Answer, Setup};

/// Tables, columns, indexes.
type Shape = (BTreeSet<String>, BTreeSet<String>, BTreeSet<String>);

/// A column as a database describes it.
#[derive(QueryableByName)]
struct ColumnRow {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Integer)]
    is_nullable: i32,
    /// Its place in the primary key, from 1; 0 for none.
    #[diesel(sql_type = Integer)]
    key_place: i32,
}

#[derive(QueryableByName)]
struct NameRow {
    #[diesel(sql_type = Text)]
    name: String,
}

/// Name to kind, whether it may be empty, and whether it is in the primary key.
type Columns = BTreeMap<String, (String, bool, bool)>;

/// Diesel's own bookkeeping.
const LEDGER: &str = "__diesel_schema_migrations";
/// The full text, which each database has in a form of its own: diesel does not know it, and SQLite keeps it in tables
/// that begin with its name.
const FULL_TEXT: &str = "comment_words";

/// A bare connection to either database.
enum Bare {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Bare {
    fn to(database: &TestDatabase) -> Self {
        match database {
            TestDatabase::Sqlite { .. } => {
                let mut conn = SqliteConnection::establish(&database.path().to_string_lossy()).expect("the file");
                conn.batch_execute("PRAGMA busy_timeout = 5000").expect("a pragma");
                Self::Sqlite(conn)
            }
            TestDatabase::Postgres { .. } => {
                Self::Postgres(PgConnection::establish(&database.url_text()).expect("the server"))
            }
        }
    }

    fn execute(&mut self, sql: &str) {
        match self {
            Self::Sqlite(conn) => conn.batch_execute(sql),
            Self::Postgres(conn) => conn.batch_execute(sql),
        }
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    fn names(&mut self, sqlite: &str, postgres: &str) -> BTreeSet<String> {
        let rows: Vec<NameRow> = match self {
            Self::Sqlite(conn) => diesel::sql_query(sqlite).load(conn),
            Self::Postgres(conn) => diesel::sql_query(postgres).load(conn),
        }
        .expect("names");
        rows.into_iter().map(|row| row.name).collect()
    }

    fn tables(&mut self) -> BTreeSet<String> {
        let mut tables = self.names(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
            "SELECT table_name::text AS name FROM information_schema.tables WHERE table_schema = current_schema()",
        );
        tables.remove(LEDGER);
        tables.retain(|table| table == FULL_TEXT || !table.starts_with(FULL_TEXT));
        tables
    }

    /// The indexes, less what the databases make by themselves for keys.
    fn indexes(&mut self) -> BTreeSet<String> {
        let mut indexes = self.names(
            "SELECT name FROM sqlite_master WHERE type = 'index' AND name NOT LIKE 'sqlite_%'",
            "SELECT c.relname::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname = current_schema() AND c.relkind = 'i' AND c.relname NOT LIKE '%_pkey'",
        );
        indexes.retain(|index| !index.starts_with(FULL_TEXT));
        indexes
    }

    /// All that a migration may change of tables and indexes: names of tables and columns, and the indexes as they were
    /// made.
    fn shape(&mut self) -> Shape {
        let indexes = self.names(
            "SELECT sql AS name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL",
            "SELECT indexdef::text AS name FROM pg_indexes WHERE schemaname = current_schema()",
        );
        let is_ours = |index: &String| !index.contains(LEDGER);
        let columns = self.names(
            "SELECT t.name || '.' || c.name AS name FROM sqlite_master t, pragma_table_info(t.name) c WHERE t.type = 'table'",
            "SELECT table_name::text || '.' || column_name::text AS name FROM information_schema.columns
             WHERE table_schema = current_schema()",
        );
        let columns = columns.into_iter().filter(|column| !column.starts_with(LEDGER)).collect();
        (self.tables(), columns, indexes.into_iter().filter(is_ours).collect())
    }

    /// Everything else that is there and has a name: triggers, and on `PostgreSQL` what they call.
    fn others(&mut self) -> BTreeSet<String> {
        self.names(
            "SELECT name FROM sqlite_master WHERE type NOT IN ('table', 'index')",
            "SELECT c.relname::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname = current_schema() AND c.relkind NOT IN ('r', 't', 'i')
             UNION ALL SELECT p.proname::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
             WHERE n.nspname = current_schema()
             UNION ALL SELECT t.tgname::text FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
             JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = current_schema() AND NOT t.tgisinternal",
        )
    }

    fn columns(&mut self, table: &str) -> Columns {
        let rows: Vec<ColumnRow> = match self {
            Self::Sqlite(conn) => diesel::sql_query(format!(
                "SELECT name, lower(type) AS kind, 1 - \"notnull\" AS is_nullable, pk AS key_place FROM pragma_table_info('{table}')"
            ))
            .load(conn),
            Self::Postgres(conn) => diesel::sql_query(format!(
                "SELECT c.column_name::text AS name, c.data_type::text AS kind, (c.is_nullable = 'YES')::int AS is_nullable,
                        coalesce((SELECT k.ordinal_position::int FROM information_schema.table_constraints t
                         JOIN information_schema.key_column_usage k USING (constraint_schema, constraint_name)
                         WHERE t.constraint_type = 'PRIMARY KEY' AND t.table_schema = c.table_schema
                           AND t.table_name = c.table_name AND k.column_name = c.column_name), 0) AS key_place
                 FROM information_schema.columns c WHERE c.table_schema = current_schema() AND c.table_name = '{table}'"
            ))
            .load(conn),
        }
        .expect("columns");
        rows.into_iter().map(|row| (row.name, (row.kind, row.is_nullable == 1, row.key_place > 0))).collect()
    }

    fn check_integrity(&mut self) {
        if let Self::Sqlite(conn) = self {
            let rows: Vec<NameRow> = diesel::sql_query("SELECT integrity_check AS name FROM pragma_integrity_check")
                .load(conn)
                .expect("a check");
            assert_eq!(rows.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["ok"]);
            let rows: Vec<NameRow> = diesel::sql_query("SELECT \"table\" AS name FROM pragma_foreign_key_check")
                .load(conn)
                .expect("a check");
            assert!(rows.is_empty(), "a foreign key points nowhere");
        }
    }

    /// Runs the next migration alone.
    fn next_up(&mut self) {
        match self {
            Self::Sqlite(conn) => drop(conn.run_next_migration(tree("sqlite")).expect("up")),
            Self::Postgres(conn) => drop(conn.run_next_migration(tree("postgres")).expect("up")),
        }
    }

    fn down(&mut self) {
        match self {
            Self::Sqlite(conn) => drop(conn.revert_all_migrations(tree("sqlite")).expect("down")),
            Self::Postgres(conn) => drop(conn.revert_all_migrations(tree("postgres")).expect("down")),
        }
    }
}

fn folder(database: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(database)
}

fn tree(database: &str) -> FileBasedMigrations {
    FileBasedMigrations::from_path(folder(database)).expect("migrations")
}

/// Names of the migrations of a tree, each with the files it has.
fn names(database: &str) -> BTreeMap<String, BTreeSet<String>> {
    let list = |dir: &Path| -> BTreeSet<String> {
        let entries = std::fs::read_dir(dir).expect("a folder").map(|entry| entry.expect("an entry").file_name());
        entries.map(|name| name.to_string_lossy().into_owned()).collect()
    };
    let dir = folder(database);
    list(&dir).into_iter().map(|name| (name.clone(), list(&dir.join(&name)))).collect()
}

/// What `schema.rs` says: tables, and their columns with the SQL names of their types.
fn schema() -> BTreeMap<String, Columns> {
    let text = include_str!("../../src/store/schema.rs");
    let mut tables: BTreeMap<String, Columns> = BTreeMap::new();
    let mut table = (String::new(), Vec::new());
    for line in text.lines().map(str::trim) {
        if let Some((name, key)) = line.strip_suffix(") {").and_then(|line| line.split_once(" (")) {
            table = (name.to_owned(), key.split(", ").collect());
            tables.insert(name.to_owned(), Columns::new());
        } else if let Some((name, kind)) = line.strip_suffix(',').and_then(|line| line.split_once(" -> ")) {
            let inner = kind.strip_prefix("Nullable<").and_then(|kind| kind.strip_suffix('>'));
            let column = (inner.unwrap_or(kind).to_owned(), inner.is_some(), table.1.contains(&name));
            tables.get_mut(&table.0).expect("a table").insert(name.to_owned(), column);
        }
    }
    tables
}

/// What a database calls the type that diesel calls so. `SQLite` has one integer, and calls it `INTEGER` where it is the
/// row's own number.
fn is_kind(diesel: &str, kind: &str, is_sqlite: bool) -> bool {
    let kinds: &[&str] = match (diesel, is_sqlite) {
        ("BigInt", true) => &["bigint", "integer"],
        ("BigInt", false) => &["bigint"],
        ("Integer", _) => &["integer"],
        ("SmallInt", _) => &["smallint"],
        ("Text", _) => &["text"],
        ("Bool", _) => &["boolean"],
        ("Binary", true) => &["blob"],
        ("Binary", false) => &["bytea"],
        ("Double", _) => &["double precision"],
        _ => &[],
    };
    kinds.contains(&kind)
}

#[test]
fn both_trees_have_equal_names_and_a_way_back() {
    let sqlite = names("sqlite");
    assert_eq!(sqlite, names("postgres"));
    assert!(!sqlite.is_empty());
    for (name, files) in sqlite {
        assert_eq!(files.iter().map(String::as_str).collect::<Vec<_>>(), ["down.sql", "up.sql"], "{name}");
    }
}

#[test]
fn both_databases_have_what_the_schema_file_says() {
    let schema = schema();
    assert!(schema.len() >= 18 && schema["comments"].len() >= 28, "the schema file was read");
    for database in databases() {
        let mut bare = Bare::to(&database);
        let is_sqlite = matches!(bare, Bare::Sqlite(_));
        let wanted = schema.keys().map(String::as_str).chain([FULL_TEXT]).map(str::to_owned).collect();
        assert_eq!(bare.tables(), wanted);
        for (table, columns) in &schema {
            let found = bare.columns(table);
            assert_eq!(found.keys().collect::<Vec<_>>(), columns.keys().collect::<Vec<_>>(), "{table}");
            for (column, (kind, is_nullable, is_key)) in columns {
                let (found_kind, found_nullable, found_key) = &found[column];
                assert!(is_kind(kind, found_kind, is_sqlite), "{table}.{column} is {found_kind}, not {kind}");
                assert_eq!(is_nullable, found_nullable, "{table}.{column} may be empty");
                assert_eq!(is_key, found_key, "{table}.{column} is in the key");
            }
        }
    }
}

#[test]
fn both_databases_have_the_same_indexes() {
    let mut found: Vec<BTreeSet<String>> = databases().map(|database| Bare::to(&database).indexes()).collect();
    for indexes in &mut found {
        indexes.remove("comment_words_by_word"); // on SQLite the table is the index
    }
    let first = found.remove(0);
    assert!(first.contains("comments_queue_of_site"), "{first:?}");
    for other in found {
        assert_eq!(first, other);
    }
}

#[test]
fn up_down_and_up_again_leaves_nothing_between() {
    for database in databases() {
        let mut bare = Bare::to(&database);
        let all = |bare: &mut Bare| (bare.tables(), bare.indexes(), bare.others());
        let before = all(&mut bare);
        assert!(!before.0.is_empty() && !before.1.is_empty() && !before.2.is_empty());
        bare.down();
        assert_eq!(all(&mut bare), Default::default());
        let ran = migrate(&database.url()).expect("up again");
        assert_eq!(ran.len(), names("sqlite").len());
        assert_eq!(all(&mut bare), before);
        assert_eq!(migrate(&database.url()).expect("nothing to do"), Vec::<String>::new());
        bare.check_integrity();
    }
}

#[test]
fn a_newer_schema_is_refused_with_a_sentence_and_left_alone() {
    for database in databases() {
        let mut bare = Bare::to(&database);
        bare.execute(&format!("INSERT INTO {LEDGER} (version) VALUES ('99990101000000')"));
        let tables = bare.tables();
        let refused = migrate(&database.url());
        assert!(matches!(&refused, Err(MigrateError::Newer(name)) if name == "99990101000000"), "{refused:?}");
        let dir = tempfile::tempdir().expect("a folder");
        for verb in ["migrate", "serve"] {
            let run = rejoinder(dir.path()).arg(verb).env("REJOINDER_DATABASE_URL", database.url_text()).run();
            assert_eq!(run.code, Some(1), "{verb}");
            assert!(run.stderr.contains("rejoinder: this database was written by a newer Rejoinder"), "{}", run.stderr);
            assert!(run.stderr.contains("99990101000000"), "{}", run.stderr);
            assert_eq!(run.stdout, "", "{verb}");
        }
        assert_eq!(bare.tables(), tables);
    }
}

/// An installation of the version before accounts grew, in use: who was signed in goes on.
#[test]
fn a_database_of_the_first_version_keeps_its_people_and_their_sessions() {
    for database in empty_databases() {
        let mut bare = Bare::to(&database);
        bare.next_up();
        let token = [7; 32];
        let mut hash = String::from(if matches!(bare, Bare::Sqlite(_)) { "x'" } else { "'\\x" });
        for byte in digest(&token) {
            write!(hash, "{byte:02x}").expect("a text grows");
        }
        let now = NOON.0;
        bare.execute(&format!(
            "UPDATE id_blocks SET next = 100;
             INSERT INTO moderators (id, username, username_folded, display_name, lookalike_a, lookalike_b, role,
                 password_hash, is_disabled, created_at)
             VALUES (2, 'ines', 'ines', 'The desk', 'a', 'b', 'moderator', 'none', FALSE, {now});
             INSERT INTO moderator_sites (moderator_id, site_id) VALUES (2, 1);
             INSERT INTO sessions (id, moderator_id, created_at, last_used_at) VALUES (3, 2, {now}, {now});
             INSERT INTO refresh_tokens (hash, session_id, created_at) VALUES ({hash}', 3, {now});"
        ));
        drop(bare);
        actix_web::rt::System::new().block_on(async {
            let app = TestApp::start(&Setup::default(), database).await;
            let body = json!({ "refresh_token": encode(&token) });
            let answer = Answer::of(app.request(Method::POST, "/api/v1/session/refresh").json(&body)).await;
            let access = answer.expect(200).json()["access_token"].as_str().expect("a token").to_owned();
            let me = Answer::of(app.request(Method::GET, "/api/v1/me").bearer_auth(access)).await.expect(200).json();
            let wanted = json!({ "id": 2, "username": "ines", "display_name": "The desk", "role": "moderator",
                "sites": ["main"], "totp": false });
            assert_eq!(me, wanted);
            Bare::to(&app.database).check_integrity();
        });
    }
}

/// Killed at many moments between start and end, as long as a whole run takes and a little longer. Each migration is whole
/// or was never begun.
#[test]
fn killed_while_migrating_it_leaves_the_schema_of_some_version() {
    const MOMENTS: u32 = 24;
    let wanted: BTreeSet<String> = schema().into_keys().chain([FULL_TEXT.to_owned()]).collect();
    let count = names("sqlite").len();
    for (number, database) in empty_databases().enumerate() {
        let dir = tempfile::tempdir().expect("a folder");
        let start = || {
            rejoinder(dir.path()).arg("migrate").env("REJOINDER_DATABASE_URL", database.url_text()).start_unwatched()
        };
        let before = Instant::now();
        assert!(start().wait().expect("an end").success());
        let whole = before.elapsed();
        Bare::to(&database).down();
        let versions = versions(&mut Bare::to(&database), count);
        let whole_shape = versions.last().expect("the last version").clone();
        assert_eq!(whole_shape.0, wanted);
        let mut seen = vec![0; versions.len()];
        for moment in 0..MOMENTS {
            let mut child = start();
            std::thread::sleep(whole * moment * 2 / MOMENTS); // the moment itself, not a wait for something
            child.kill().expect("a kill");
            child.wait().expect("an end");
            let mut bare = Bare::to(&database);
            let shape = bare.shape();
            let version = versions.iter().position(|version| *version == shape);
            let version = version.unwrap_or_else(|| panic!("half a schema on {number} after {moment}: {shape:?}"));
            seen[version] += 1;
            bare.check_integrity();
            drop(bare);
            let ran = migrate(&database.url()).expect("a second run ends it");
            assert_eq!(ran.len(), count - version, "{ran:?}");
            let mut bare = Bare::to(&database);
            assert_eq!(bare.shape(), whole_shape);
            bare.check_integrity();
            bare.down();
        }
        assert!(seen[0] > 0 && seen[count] > 0, "the moments missed the migration: {seen:?}, {whole:?}");
    }
}

/// The shape of every version, from none to all; leaves none.
fn versions(bare: &mut Bare, count: usize) -> Vec<Shape> {
    let mut versions = vec![bare.shape()];
    for _ in 0..count {
        bare.next_up();
        versions.push(bare.shape());
    }
    bare.down();
    versions
}
