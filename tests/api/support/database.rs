//! A database for each test: on `SQLite` a copy of one migrated file, on `PostgreSQL` a schema.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use rejoinder::config::DatabaseUrl;
use rejoinder::store::migrate;
use tempfile::TempDir;

/// A database that goes when it is dropped.
pub enum TestDatabase {
    Sqlite { dir: TempDir },
    Postgres { server: String, schema: String },
}

/// The server that tests may make schemas on.
pub fn postgres_url() -> Option<String> {
    std::env::var("TEST_POSTGRES_URL").ok().filter(|url| !url.is_empty())
}

/// A migrated database of each kind there is.
pub fn databases() -> impl Iterator<Item = TestDatabase> {
    std::iter::once_with(TestDatabase::sqlite).chain(postgres_url().map(TestDatabase::postgres))
}

/// A database of each kind there is, with nothing in it.
pub fn empty_databases() -> impl Iterator<Item = TestDatabase> {
    let sqlite = || TestDatabase::Sqlite { dir: tempfile::tempdir().expect("a folder") };
    std::iter::once_with(sqlite).chain(postgres_url().map(TestDatabase::empty_postgres))
}

impl TestDatabase {
    pub fn sqlite() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::copy(template(), dir.path().join("test.db")).expect("a copy of the template");
        Self::Sqlite { dir }
    }

    pub fn postgres(server: String) -> Self {
        let database = Self::empty_postgres(server);
        migrate(&database.url()).expect("a migrated schema");
        database
    }

    fn empty_postgres(server: String) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let schema = format!("test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        execute(&server, &format!("DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}"));
        Self::Postgres { server, schema }
    }

    /// The file, when it is one.
    pub fn path(&self) -> PathBuf {
        match self {
            Self::Sqlite { dir } => dir.path().join("test.db"),
            Self::Postgres { .. } => panic!("a schema is no file"),
        }
    }

    pub fn url(&self) -> DatabaseUrl {
        DatabaseUrl::parse(&self.url_text()).expect("a database URL")
    }

    pub fn url_text(&self) -> String {
        match self {
            Self::Sqlite { dir } => format!("sqlite:{}", dir.path().join("test.db").display()),
            Self::Postgres { server, schema } => {
                let separator = if server.contains('?') { '&' } else { '?' };
                format!("{server}{separator}options=-csearch_path%3D{schema}")
            }
        }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let Self::Postgres { server, schema } = self {
            execute(server, &format!("DROP SCHEMA IF EXISTS {schema} CASCADE"));
        }
    }
}

fn execute(server: &str, sql: &str) {
    let mut conn = PgConnection::establish(server).expect("the PostgreSQL server that TEST_POSTGRES_URL names");
    conn.batch_execute(&format!("SET client_min_messages = error; {sql}")).expect("a schema");
}

/// One migrated file, copied by every test.
fn template() -> &'static PathBuf {
    static TEMPLATE: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = TEMPLATE.get_or_init(|| {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("template.db");
        let url = DatabaseUrl::parse(&format!("sqlite:{}", path.display())).expect("a URL");
        migrate(&url).expect("a migrated template");
        // The last connection to close has moved the write-ahead log into the file.
        (dir, path)
    });
    path
}
