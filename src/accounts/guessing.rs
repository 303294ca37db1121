//! Guessing is slowed, by account and by address, and never locked.
//!
//! Five failures for a name are free, whether there is such a name or not; then the next try waits, 1 s first and at
//! most 15 minutes. An address has twenty, for whatever names, and a right password of one account does not give it new
//! ones: whoever has an account could guess at others for ever. From an address where the account was signed in within
//! 30 days, the two count together and alone, so that what others do slows nobody there. All of it is kept in memory, on
//! each node by itself; names are there as hashes under a key that ends with the process.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::app::App;
use crate::http::limits::AddressKey;
use crate::kit::back_off::{BackOff, Counter};
use crate::kit::clock::Millis;

use super::people::folded;

/// How long an address stays known after a sign-in.
pub const KNOWN_FOR: Duration = Duration::from_hours(720);

/// Failures of an account, or of an account from an address it knows, before the first wait.
const FREE_OF_ACCOUNT: u32 = 5;
/// Failures of an address, for whatever names.
const FREE_OF_ADDRESS: u32 = 20;

/// It is too soon for another try.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many wrong passwords; wait {wait_s} s")]
pub struct TooSoon {
    pub wait_s: u64,
}

#[derive(Default)]
struct Guesses {
    hasher: RandomState,
    back_off: BackOff,
}

/// A try that has begun. It counts as a failure unless it is said otherwise.
pub struct Guess {
    guesses: Arc<Guesses>,
    /// Of the account, and of the address when it is not known.
    counters: Vec<Counter>,
}

/// Begins a try of a password.
///
/// # Errors
/// When it comes too soon after those before it.
pub fn begin(app: &App, username: &str, address: IpAddr, is_known: bool) -> Result<Guess, TooSoon> {
    let guesses = app.shelves.get::<Guesses>();
    let counters = if app.settings.has_limits { guesses.counters(username, address, is_known) } else { Vec::new() };
    match guesses.back_off.begin(&counters, app.clock.elapsed()) {
        Ok(()) => Ok(Guess { guesses, counters }),
        Err(wait) => Err(TooSoon { wait_s: u64::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u64::MAX) }),
    }
}

/// Starts anew for an account: its owner has shown by other means than the password who they are.
pub fn clear(app: &App, username: &str) {
    let guesses = app.shelves.get::<Guesses>();
    guesses.back_off.clear(guesses.of_account(username).key);
}

/// Whether somebody at `address` is among those who signed in lately from `addresses`.
pub fn is_known(addresses: &[String], address: IpAddr) -> bool {
    let asked = AddressKey::from(address);
    addresses.iter().filter_map(|text| text.parse().ok()).any(|known: IpAddr| AddressKey::from(known) == asked)
}

/// Sign-ins since this moment make an address known.
pub fn known_since(app: &App) -> Millis {
    app.clock.now().minus(KNOWN_FOR)
}

impl Guess {
    /// The password was right.
    pub fn was_right(self) {
        let Some((account, address)) = self.counters.split_first() else { return };
        self.guesses.back_off.clear(account.key);
        self.guesses.back_off.take_back(address);
    }

    /// The password was not looked at.
    pub fn was_none(self) {
        self.guesses.back_off.take_back(&self.counters);
    }
}

impl Guesses {
    fn counters(&self, username: &str, address: IpAddr, is_known: bool) -> Vec<Counter> {
        let address = AddressKey::from(address);
        if is_known {
            let key = self.hasher.hash_one(("account at address", folded(username), address));
            return vec![Counter { key, free: FREE_OF_ACCOUNT }];
        }
        let of_address = Counter { key: self.hasher.hash_one(("address", address)), free: FREE_OF_ADDRESS };
        vec![self.of_account(username), of_address]
    }

    fn of_account(&self, username: &str) -> Counter {
        Counter { key: self.hasher.hash_one(("account", folded(username))), free: FREE_OF_ACCOUNT }
    }
}
