//! Two small things that an installation keeps for itself: its own secret, and how far each background job has come.

use diesel::prelude::*;

use super::schema::{job_marks, secrets};
use super::{Conn, StoreResult, execute_on_either};

/// The secret called `name`; when there is none yet, `fresh` becomes it. Nodes that start together agree on one.
///
/// # Errors
/// Those of the store.
pub fn secret_or_insert(conn: &mut Conn, name: &str, fresh: &[u8]) -> StoreResult<Vec<u8>> {
    let insert = diesel::insert_into(secrets::table)
        .values((secrets::name.eq(name), secrets::value.eq(fresh)))
        .on_conflict_do_nothing();
    execute_on_either(conn, insert)?;
    Ok(secrets::table.find(name).select(secrets::value).first(conn)?)
}

/// How far the job called `name` has come; 0 when it never ran.
///
/// # Errors
/// Those of the store.
pub fn load_mark(conn: &mut Conn, name: &str) -> StoreResult<i64> {
    let mark = job_marks::table.find(name).select(job_marks::mark).first(conn).optional()?;
    Ok(mark.unwrap_or(0))
}

/// Writes how far the job called `name` has come.
///
/// # Errors
/// Those of the store.
pub fn move_mark(conn: &mut Conn, name: &str, mark: i64) -> StoreResult<()> {
    let upsert = diesel::insert_into(job_marks::table)
        .values((job_marks::name.eq(name), job_marks::mark.eq(mark)))
        .on_conflict(job_marks::name)
        .do_update()
        .set(job_marks::mark.eq(mark));
    execute_on_either(conn, upsert)?;
    Ok(())
}
