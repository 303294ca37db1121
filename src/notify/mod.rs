//! Notify: what readers are told by mail, and what they answer to it.
//!
//! The features below put a line into the outbox, in the transaction of what causes it; here a letter is made of it when
//! it is sent, from how things stand then, and delivered. What a link in a letter does is here too: so far, to verify an
//! email. A held comment whose author becomes known by that stays held: a moderator has it already.

mod deliver;
mod http;
mod letter;
mod verify;

pub use deliver::{clear_old_recipients, deliver_waiting, letter_waits};
pub use http::routes;
