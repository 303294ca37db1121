//! Readers: whose an email is, and whom a site trusts.
//!
//! Anybody can type an email, so typing one earns nothing. It is verified by a link that only its mailbox gets, and what
//! is proven by that is narrow: that *one comment* is by who has the mailbox, and, if they tick so, that *the browser in
//! which the link was opened* is theirs; never the browser that sent the comment, which may be somebody else's. From then
//! on a comment sent from that browser, with that email, on that site, is proven when it comes. An author's record is made
//! of proven comments alone: nobody gains by another's name, and nobody can spoil it for them.

mod ask;
mod browser;
mod http;
mod proof;
mod queries;
mod standing;
mod token;

pub use ask::{Request, ask_to_verify, may_be_asked, request_of};
pub use browser::{Browser, Details, Remembered};
pub use http::{forget_cookie, remember_cookie, remembered_in};
pub use proof::{NewProof, is_verified, keep_proof, list_proven};
pub use queries::{find_proof_time, forget_old_browsers, prove_comment};
pub use standing::{Standing, find_standing};
pub use token::{GOOD_FOR, read_verification_id, verification_token};

/// The kind of letter that asks whether an email is somebody's, in the outbox.
pub const VERIFICATION: &str = "verification";

/// An email as emails are compared: in lower case.
pub fn folded(email: &str) -> String {
    email.to_lowercase()
}
