//! The schema: two trees alike, up and down, as `schema.rs` says; newer ones refused; killed halfway, nothing halfway.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Instant;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Integer, Text};
use diesel_migrations::{FileBasedMigrations, MigrationHarness};
use rejoinder::store::{MigrateError, migrate};

use crate::support::database::{TestDatabase, databases, empty_databases};
use crate::support::process::rejoinder;

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
        tables
    }

    /// Everything that is there and has a name, less what the databases make by themselves for keys.
    fn others(&mut self) -> BTreeSet<String> {
        self.names(
            "SELECT name FROM sqlite_master WHERE type <> 'table' AND name NOT LIKE 'sqlite_%'",
            "SELECT c.relname::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname = current_schema() AND c.relkind NOT IN ('r', 't') AND c.relname NOT LIKE '%_pkey'",
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
    assert!(schema.len() >= 12 && schema["comments"].len() >= 28, "the schema file was read");
    for database in databases() {
        let mut bare = Bare::to(&database);
        let is_sqlite = matches!(bare, Bare::Sqlite(_));
        assert_eq!(bare.tables(), schema.keys().cloned().collect());
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
    let mut found: Vec<BTreeSet<String>> = databases().map(|database| Bare::to(&database).others()).collect();
    let first = found.remove(0);
    assert!(first.contains("comments_queue"), "{first:?}");
    for other in found {
        assert_eq!(first, other);
    }
}

#[test]
fn up_down_and_up_again_leaves_nothing_between() {
    for database in databases() {
        let mut bare = Bare::to(&database);
        let (tables, others) = (bare.tables(), bare.others());
        bare.down();
        assert_eq!((bare.tables(), bare.others()), (BTreeSet::new(), BTreeSet::new()));
        let ran = migrate(&database.url()).expect("up again");
        assert_eq!(ran.len(), names("sqlite").len());
        assert_eq!((bare.tables(), bare.others()), (tables, others));
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

/// Killed at many moments between start and end, as long as a whole run takes and a little longer.
#[test]
fn killed_while_migrating_it_leaves_the_old_schema_or_the_new_one() {
    const MOMENTS: u32 = 24;
    let wanted: BTreeSet<String> = schema().into_keys().collect();
    for (number, database) in empty_databases().enumerate() {
        let dir = tempfile::tempdir().expect("a folder");
        let start = || {
            rejoinder(dir.path()).arg("migrate").env("REJOINDER_DATABASE_URL", database.url_text()).start_unwatched()
        };
        let before = Instant::now();
        assert!(start().wait().expect("an end").success());
        let whole = before.elapsed();
        Bare::to(&database).down();
        let (mut old, mut new) = (0, 0);
        for moment in 0..MOMENTS {
            let mut child = start();
            std::thread::sleep(whole * moment * 5 / (MOMENTS * 4)); // the moment itself, not a wait for something
            child.kill().expect("a kill");
            child.wait().expect("an end");
            let mut bare = Bare::to(&database);
            let tables = bare.tables();
            if tables.is_empty() {
                old += 1;
            } else {
                assert_eq!(tables, wanted, "half a schema on database {number} after moment {moment}");
                new += 1;
            }
            bare.check_integrity();
            drop(bare);
            let ran = migrate(&database.url()).expect("a second run ends it");
            assert!(ran.is_empty() || ran.len() == names("sqlite").len(), "{ran:?}");
            let mut bare = Bare::to(&database);
            assert_eq!(bare.tables(), wanted);
            bare.check_integrity();
            bare.down();
        }
        assert!(old > 0 && new > 0, "the moments missed the migration: {old} before, {new} after, {whole:?}");
    }
}
