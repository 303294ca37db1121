//! The audit log: who did what, when, to what and why. Every act that it tells of writes its entry in its own
//! transaction, so that there is no act without an entry and no entry without an act.
//!
//! Entries are only ever added; the database refuses anything else. What is personal stands apart from the facts and can
//! be erased. Comments that readers post are not here: the history of decisions has them.
//!
//! A sealer gives each entry its place in a chain of hashes shortly after its commit, so that it can be shown later that
//! none was changed, removed or put in.

mod action;
mod chain;
mod entry;
mod export;
mod queries;
mod seal;
mod verify;

pub use action::{Action, Subject};
pub use chain::ChainHash;
pub use entry::{Actor, Blank, Entry, blank};
pub use export::{ExportError, export};
pub use queries::{EntryRow, record};
pub use seal::{seal, seal_while};
pub use verify::{Flaw, Verified, count_entries, verify};
