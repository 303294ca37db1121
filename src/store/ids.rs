//! Ids, handed out from blocks that are reserved in the database.
//!
//! Each node reserves a block in one write and hands its ids out from memory, so an id costs nothing in the
//! transaction that uses it, is known before it, and stays the same when the transaction is run again. A node that
//! stops leaves a gap; ids are never used twice and say nothing about time.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use diesel::prelude::*;

use crate::kit::places::{Places, Queue};

use super::schema::id_blocks;
use super::{Conn, Store, StoreError, StoreResult};

/// How many ids the first reservation takes: a command or a restart leaves a small gap.
const FIRST_BLOCK: i64 = 256;

/// How many one takes at most. Each takes four times as many as the one before, so that a node at full speed reserves a
/// few times per second, and a crowd of which most is refused does not use up in a moment what a full writer has to
/// reserve again.
const LARGEST_BLOCK: i64 = 32_768;

/// How many may wait for a block. The next one is reserved while half of the last is left, so somebody has to wait only
/// when the writer is full; then whoever is too many must be told so, or there would be a second queue without an end.
const MOST_WAITING: usize = 256;

/// What is left of this node's blocks.
pub(super) struct IdBlock {
    blocks: Mutex<Blocks>,
    /// One at a time reserves a block.
    reserving: Places,
}

struct Blocks {
    left: Vec<Range<i64>>,
    next_size: i64,
}

impl Default for IdBlock {
    fn default() -> Self {
        let blocks = Blocks { left: Vec::new(), next_size: FIRST_BLOCK };
        Self { blocks: Mutex::new(blocks), reserving: Places::new(1) }
    }
}

impl IdBlock {
    pub async fn next(&self, store: &Store) -> StoreResult<i64> {
        if let Some((id, is_low)) = self.take() {
            if is_low && let Some(_turn) = self.reserving.take_if_free() {
                // Whoever comes first below the half reserves for all; should it fail, the next one tries again.
                let _ = self.reserve(store).await;
            }
            return Ok(id);
        }
        let _turn = self.reserving.wait(Queue::Known, MOST_WAITING).await.ok_or(StoreError::Busy)?;
        loop {
            if let Some((id, _)) = self.take() {
                return Ok(id);
            }
            self.reserve(store).await?;
        }
    }

    /// The next id, and whether it is time to reserve more.
    fn take(&self) -> Option<(i64, bool)> {
        let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        blocks.left.retain(|block| !block.is_empty());
        let id = blocks.left.first_mut()?.next()?;
        let left: i64 = blocks.left.iter().map(|block| block.end - block.start).sum();
        // Of a block that was a quarter of the next one, that is half.
        Some((id, left < blocks.next_size / 8))
    }

    async fn reserve(&self, store: &Store) -> StoreResult<()> {
        let size = self.blocks.lock().unwrap_or_else(PoisonError::into_inner).next_size;
        let first = store.write(move |conn| reserve(conn, size)).await?;
        let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        blocks.left.push(first..first + size);
        blocks.next_size = (size * 4).min(LARGEST_BLOCK);
        Ok(())
    }
}

/// Takes the next block and returns its first id. The update comes first: it locks the row on `PostgreSQL`.
fn reserve(conn: &mut Conn, size: i64) -> StoreResult<i64> {
    let ids = id_blocks::table.find("ids");
    diesel::update(ids).set(id_blocks::next.eq(id_blocks::next + size)).execute(conn)?;
    let next: i64 = ids.select(id_blocks::next).first(conn)?;
    Ok(next - size)
}
