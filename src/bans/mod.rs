//! Bans: whom a site, or every site, does not want to hear, by name, email, address or network, for a time or for good.
//!
//! What the banned send is taken, answered like any comment that is held, and goes to the spam folder. All bans are kept
//! in memory, so that a post asks no database about them. Not here: what becomes of comments that are there already, and
//! HTTP; both are `review`'s.

mod book;
mod kept;
mod lift;
mod list;
mod make;
mod queries;
mod who;

use crate::kit::clock::Millis;
use crate::kit::ids::{BanId, DecisionId};
use crate::kit::key::Key;

pub use book::{Book, Hit, Sender, without_ban};
pub use kept::{find_book, forget_book};
pub use lift::lift_ban;
pub use list::{BanListError, list_bans, list_bans_of};
pub use make::{BanError, Banned, MakeBan, NewBan, ReadyBan, judge_ban, keep_ban, ready_ban, write_ban};
pub use queries::set_sweep;
pub use who::{BanKind, Who, hex_of};

/// A ban, as moderators see it.
#[derive(Debug, Clone)]
pub struct Ban {
    pub id: BanId,
    /// None: all sites.
    pub site: Option<Key>,
    pub kind: BanKind,
    /// As it was given, tidied.
    pub value: String,
    /// For colleagues.
    pub reason: String,
    /// User name of who made it; none when they were removed since.
    pub by: Option<String>,
    pub created_at: Millis,
    /// None: for good.
    pub expires_at: Option<Millis>,
    /// The decisions about what was there when it was made.
    pub sweep: Option<DecisionId>,
}
