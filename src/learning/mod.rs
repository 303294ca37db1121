//! Learning: a site's filter is taught by what its moderators decide, and asked about what readers post.
//!
//! A decision writes one row of training in its own transaction, and no more. A job makes counts of these rows, on one
//! node at a time; rows and counts change together, so they say the same after any crash. Each node keeps the filters of
//! the sites that are busy in memory, and asks the database nothing for a verdict. Counts, thresholds and scores are
//! `screening`'s; what a verdict does is its too. Nothing of a comment's words is kept here.

mod ask;
mod fold;
mod http;
mod kept;
mod model;
mod queries;
mod state;
mod take_back;
mod teach;

pub use ask::{Asked, ask_filter};
pub use fold::{follow_others, learn_waiting};
pub use http::routes;
pub use queries::{count_agreements, forget_comments};
pub use teach::{Lesson, lesson_waits, teach, wake};
