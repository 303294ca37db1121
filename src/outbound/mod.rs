//! Floor 2: what leaves this program by itself. Mail so far. No feature is known here: what a letter says, and whether it
//! is sent at all, others decide.

mod mail;

pub use mail::{Letter, MailError, Mailer, SendError};
