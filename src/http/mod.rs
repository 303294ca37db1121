//! Floor 3: what every handler needs and no feature owns: problems, reading bodies and queries, caching, limits,
//! whom a request comes from, and the words readers see.
//!
//! No feature type is known here. Everything that turns an error into an answer ends in [`problem`]; everything that
//! happens around every request happens in [`boundary`].

pub mod body;
pub mod boundary;
pub mod caching;
pub mod client;
pub mod fields;
pub mod limits;
pub mod origins;
pub mod paging;
pub mod preconditions;
pub mod pressure;
pub mod problem;
mod problem_kinds;
mod problem_page;
pub mod routes;
mod unread;
pub mod wording;
