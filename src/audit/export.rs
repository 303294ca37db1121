//! Exporting: the whole log as JSON lines, as it is kept, so that somebody else can verify the chain. That it was exported
//! is told in the log.

use serde::Serialize;
use serde_json::Value;

use crate::app::App;
use crate::kit::clock::Millis;
use crate::kit::ids::{ApiKeyId, AuditEntryId, ModeratorId, SiteId};
use crate::store::StoreError;

use super::chain::ChainHash;
use super::queries::{self, EntryRow};
use super::{Action, Actor, blank, record};

/// Entries read at once.
const CHUNK: i64 = 1_000;

/// Why an export broke off.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error("it cannot be written: {0}")]
    Write(#[from] std::io::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A line. Hashes and salts are in hexadecimal digits.
#[derive(Serialize)]
struct Line {
    seq: Option<i64>,
    hash: Option<String>,
    id: AuditEntryId,
    at: Millis,
    /// The same moment as the chain has it, in milliseconds since 1970.
    at_ms: i64,
    action: String,
    actor_id: Option<ModeratorId>,
    api_key_id: Option<ApiKeyId>,
    site_id: Option<SiteId>,
    subject_kind: Option<String>,
    subject_id: Option<i64>,
    facts: Value,
    private: Option<Value>,
    salt: Option<String>,
    private_hash: Option<String>,
}

/// Hands every entry to `write`, a line each without its end: the chain in its order, then what waits for its place.
///
/// # Errors
/// Those of the store, and of `write`.
pub async fn export(
    app: &App,
    actor: Actor,
    mut write: impl FnMut(&str) -> std::io::Result<()>,
) -> Result<u64, ExportError> {
    let entry = blank(app).await?.fill(actor, Action::AuditExported);
    app.store.write(move |conn| record(conn, &entry)).await?;
    let (mut after, mut count) = (None, 0);
    loop {
        let mut rows = app.store.read(move |conn| queries::list_chain(conn, after, CHUNK)).await?;
        let Some(last) = rows.last() else { break };
        after = last.seq.map(|seq| (seq, last.id));
        for row in rows.drain(..) {
            write(&line(row))?;
            count += 1;
        }
    }
    for row in app.store.read(move |conn| queries::list_unsealed(conn, i64::MAX)).await? {
        write(&line(row))?;
        count += 1;
    }
    Ok(count)
}

fn line(row: EntryRow) -> String {
    let hex = |bytes: Option<Vec<u8>>| bytes.map(|bytes| ChainHash(bytes).to_string());
    let line = Line {
        seq: row.seq,
        hash: hex(row.hash),
        id: row.id,
        at: row.at,
        at_ms: row.at.0,
        action: row.action,
        actor_id: row.actor_id,
        api_key_id: row.api_key_id,
        site_id: row.site_id,
        subject_kind: row.subject_kind,
        subject_id: row.subject_id,
        facts: json_or_text(row.facts),
        private: row.private.map(json_or_text),
        salt: hex(row.salt),
        private_hash: hex(row.private_hash),
    };
    serde_json::to_string(&line).unwrap_or_default()
}

/// What somebody wrote into the table by hand may be no JSON; it is shown all the same.
fn json_or_text(text: String) -> Value {
    serde_json::from_str(&text).unwrap_or(Value::String(text))
}
