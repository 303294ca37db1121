//! Review: what moderators see and what they decide.
//!
//! A decision changes a comment's status and writes a line of history, in one transaction; what the reader sent is never
//! touched by it. Two moderators cannot overwrite each other: each says which version they decided about.

mod claims;
mod decide;
mod edit;
mod events;
mod filter;
mod history;
mod http;
mod item;
mod notes;
mod queries;
mod queue;
mod reply;

pub use decide::{Decide, DecideError, Decided, Decision, decide};
pub use filter::Filter;
pub use http::routes;
pub use queries::claims::forget_old_claims;
