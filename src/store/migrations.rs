//! The schema: one tree of migrations for each database, with equal names, both built into the program.
//!
//! Each migration runs in a transaction of its own. A database whose schema is newer than the program is refused.

use diesel::backend::Backend;
use diesel::connection::SimpleConnection;
use diesel::migration::MigrationSource;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::config::DatabaseUrl;

use super::{StoreError, postgres, sqlite};

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// Any number, as long as every node takes the same: who migrates holds this advisory lock.
const ADVISORY_LOCK: i64 = 5_461_072_190;

/// Why the schema could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(
        "this database was written by a newer Rejoinder (it has the migration {0}, which this one does not know); run that version, or restore a backup"
    )]
    Newer(String),
    #[error("a migration failed and was rolled back: {0}")]
    Failed(String),
}

/// Brings the schema up to date and returns the names of the migrations that ran.
///
/// # Errors
/// When the database cannot be reached, is newer than the program, or a migration fails; then nothing of it stays.
pub fn migrate(url: &DatabaseUrl) -> Result<Vec<String>, MigrateError> {
    match url {
        DatabaseUrl::Sqlite(path) => run(&mut sqlite::open(path, "")?, SQLITE),
        DatabaseUrl::Postgres(url) => {
            let mut conn = postgres::connect(&postgres::with_time_limits(url))?;
            // The lock goes with the connection.
            conn.batch_execute(&format!("SELECT pg_advisory_lock({ADVISORY_LOCK})")).map_err(StoreError::from)?;
            run(&mut conn, POSTGRES)
        }
    }
}

fn run<DB, C>(conn: &mut C, ours: EmbeddedMigrations) -> Result<Vec<String>, MigrateError>
where
    DB: Backend,
    C: MigrationHarness<DB>,
    EmbeddedMigrations: MigrationSource<DB>,
{
    let known: Vec<String> =
        ours.migrations().map_err(failed)?.iter().map(|migration| migration.name().version().to_string()).collect();
    let applied = conn.applied_migrations().map_err(failed)?;
    if let Some(unknown) = applied.iter().map(ToString::to_string).find(|version| !known.contains(version)) {
        return Err(MigrateError::Newer(unknown));
    }
    let ran = conn.run_pending_migrations(ours).map_err(failed)?;
    Ok(ran.iter().map(ToString::to_string).collect())
}

fn failed(error: Box<dyn std::error::Error + Send + Sync>) -> MigrateError {
    MigrateError::Failed(error.to_string())
}
