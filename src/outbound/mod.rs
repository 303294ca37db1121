//! Floor 2: what leaves this program by itself: mail, and guarded HTTP requests to addresses that people wrote into settings.
//!
//! Whatever they wrote, a request goes to no private address, follows no redirect, reads no more than it asked for, and
//! ends in time. No feature is known here: what is sent, whether it is sent at all, and what an answer means, others
//! decide.

mod address;
mod client;
mod mail;
mod signature;

pub use address::is_public;
pub use client::{Outbound, OutboundAnswer, OutboundError, Outgoing, Target};
pub use mail::{Letter, MailError, Mailer, SendError};
pub use signature::{MAX_SECRET, MIN_SECRET, signature, signing_secret};
