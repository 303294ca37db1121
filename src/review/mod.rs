//! Review: what moderators see and what they decide.
//!
//! A decision changes a comment's status and writes a line of history, in one transaction; what the reader sent is never
//! touched by it. Two moderators cannot overwrite each other: each says which version they decided about.

mod decide;
mod filter;
mod history;
mod http;
mod item;
mod queries;
mod queue;
mod reason;
mod stats;
mod transparency;

pub use decide::{Decide, DecideError, Decided, Decision, decide};
pub use filter::Filter;
pub use http::routes;
