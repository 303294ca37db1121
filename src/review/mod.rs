//! Review: what moderators see and what they decide.
//!
//! A decision changes a comment's status and writes a line of history, in one transaction; what the reader sent is never
//! touched by it. Two moderators cannot overwrite each other: each says which version they decided about.

mod author;
mod ban;
mod batch;
mod chunk;
mod claims;
mod counts;
mod decide;
mod edit;
mod events;
mod filter;
mod finding;
mod history;
mod http;
mod index;
mod item;
mod judged;
mod many;
mod notes;
mod queries;
mod queue;
mod reason;
mod reply;
mod rerun;
mod second_opinion;
mod sketched;
mod stats;
mod transparency;
mod try_rules;
mod undo;

pub use batch::{ItemResult, batch_waits, run_batches};
pub use decide::{Decide, DecideError, Decided, Decision, decide};
pub use filter::Filter;
pub use finding::{Asking, count_matching, list_matching};
pub use http::routes;
pub use index::{Chunk, IndexError, index_all, index_chunk, index_waiting};
pub use many::{BatchState, DecideMany, ManyError, Which, decide_many};
pub use queries::batches::forget_batches_before;
pub use queries::claims::forget_old_claims;
pub use rerun::{rerun_waits, run_reruns};
pub use undo::{UNDO_FOR, UndoError, undo};
