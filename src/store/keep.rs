//! What an installation keeps for itself: its own secret, how far each background job has come, and something to try
//! writing with.

use diesel::prelude::*;

use super::schema::{job_marks, secrets, trials};
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

/// Writes as much as a large comment needs, to see whether there is room. It stands in place of the last such try, and
/// differs from it, or nothing would have to be written.
///
/// # Errors
/// Those of the store; `Full` when there is no room.
pub(super) fn try_to_write(conn: &mut Conn) -> StoreResult<()> {
    const ENOUGH: usize = 256 * 1024;
    let last: Option<Vec<u8>> = trials::table.find("room").select(trials::filler).first(conn).optional()?;
    let filler = vec![last.and_then(|last| last.first().copied()).unwrap_or(0).wrapping_add(1); ENOUGH];
    let upsert = diesel::insert_into(trials::table)
        .values((trials::name.eq("room"), trials::filler.eq(&filler)))
        .on_conflict(trials::name)
        .do_update()
        .set(trials::filler.eq(&filler));
    execute_on_either(conn, upsert)?;
    Ok(())
}
