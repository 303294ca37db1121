//! What somebody shows beside the password when they sign in, and that it is used up.
//!
//! It is looked at only after the password was right, and used up in the transaction that signs them in: a wrong code, or
//! a right one with a wrong password, uses nothing up.

use crate::app::App;
use crate::kit::clock::Millis;
use crate::kit::ids::ModeratorId;
use crate::kit::secret::Digest256;
use crate::kit::totp;
use crate::store::{Conn, StoreResult};

use super::queries::people::Credentials;
use super::queries::second_factor as queries;
use super::{recovery_code, second_factor};

/// What was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Nothing, and nothing is asked.
    NothingAsked,
    /// A code of this step.
    Code(i64),
    /// What may be a recovery code.
    Recovery(Digest256),
    Wrong,
}

impl Shown {
    /// Reads what was shown, if anything.
    pub fn by(app: &App, account: &Credentials, code: Option<&str>) -> Self {
        let factor = &account.second_factor;
        let (Some(sealed), Some(_)) = (&factor.totp_secret, factor.totp_confirmed_at) else {
            return Self::NothingAsked;
        };
        let Some(code) = code else { return Self::Wrong };
        let Some(secret) = second_factor::open(app, account.id, sealed) else {
            tracing::error!(moderator = account.id.get(), "a second factor was sealed under another secret than ours");
            return Self::Wrong;
        };
        let step = totp::step_of(&secret, &second_factor::digits(code), app.clock.now());
        let recovery = || recovery_code::hash(app, account.id, code).map(Self::Recovery);
        step.map(Self::Code).or_else(recovery).unwrap_or(Self::Wrong)
    }

    /// Uses it up; false when it is wrong or was used before.
    pub fn take(self, conn: &mut Conn, id: ModeratorId, now: Millis) -> StoreResult<bool> {
        match self {
            Self::NothingAsked => Ok(true),
            Self::Code(step) => queries::take_step(conn, id, step),
            Self::Recovery(hash) => queries::take_recovery_code(conn, id, &hash, now),
            Self::Wrong => Ok(false),
        }
    }

    /// The word of the log for it.
    pub const fn as_str(self) -> Option<&'static str> {
        match self {
            Self::Code(_) => Some("totp"),
            Self::Recovery(_) => Some("recovery-code"),
            Self::NothingAsked | Self::Wrong => None,
        }
    }
}
