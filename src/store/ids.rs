//! Ids, handed out from blocks that are reserved in the database.
//!
//! Each node reserves a block in one write and hands its ids out from memory, so an id costs nothing in the
//! transaction that uses it, is known before it, and stays the same when the transaction is run again. A node that
//! stops leaves a gap; ids are never used twice and say nothing about time.

use diesel::prelude::*;
use tokio::sync::Mutex;

use super::schema::id_blocks;
use super::{Conn, Store, StoreResult};

/// How many ids one reservation takes: rarely a write of its own, and a small gap after a restart.
const BLOCK: i64 = 256;

/// What is left of this node's block.
#[derive(Default)]
pub(super) struct IdBlock {
    left: Mutex<std::ops::Range<i64>>,
}

impl IdBlock {
    pub async fn next(&self, store: &Store) -> StoreResult<i64> {
        let mut left = self.left.lock().await;
        if let Some(id) = left.next() {
            return Ok(id);
        }
        let first = store.write(reserve).await?;
        *left = first + 1..first + BLOCK;
        Ok(first)
    }
}

/// Takes the next block and returns its first id. The update comes first: it locks the row on `PostgreSQL`.
fn reserve(conn: &mut Conn) -> StoreResult<i64> {
    let ids = id_blocks::table.find("ids");
    diesel::update(ids).set(id_blocks::next.eq(id_blocks::next + BLOCK)).execute(conn)?;
    let next: i64 = ids.select(id_blocks::next).first(conn)?;
    Ok(next - BLOCK)
}
