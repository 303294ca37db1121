//! A reader's browser, as far as it asked to be remembered: a random name for it, and what the form is filled with.
//!
//! Both travel in one signed value. The name is no secret of anybody's until an email is verified in that browser; then
//! the database has its SHA-256 beside that email. A value that is not ours, or older than a year, is none.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::kit::clock::Millis;
use crate::kit::secret::{self, Digest256, NoRandomness};

/// How long a browser is remembered.
pub const REMEMBERED_FOR: Duration = Duration::from_hours(365 * 24);

const NAME_BYTES: usize = 32;
const MAC_BYTES: usize = 32;

/// A browser, by 256 random bits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Browser(Digest256);

impl std::fmt::Debug for Browser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Browser(hidden)")
    }
}

impl Browser {
    /// One that nobody has been yet.
    ///
    /// # Errors
    /// When the operating system gives no random bytes.
    pub fn fresh() -> Result<Self, NoRandomness> {
        secret::random().map(Self)
    }

    /// What the database knows it by.
    pub fn hash(self) -> Digest256 {
        secret::digest(&self.0)
    }
}

/// What the form is filled with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    pub name: Option<String>,
    pub email: Option<String>,
    pub url: Option<String>,
}

/// A browser that asked to be remembered.
#[derive(Debug, Clone)]
pub struct Remembered {
    pub browser: Browser,
    pub details: Details,
}

impl Remembered {
    /// The signed value: letters that a cookie may have, at most some 1,500.
    pub fn seal(&self, app: &App) -> String {
        let details = serde_json::to_vec(&self.details).unwrap_or_default();
        let at = app.clock.now().0.to_be_bytes();
        let mac = mac(app, self.browser, at, &details);
        secret::encode(&[self.browser.0.as_slice(), &at, &mac, &details].concat())
    }

    /// Reads what [`Remembered::seal`] wrote within a year.
    pub fn open(app: &App, text: &str) -> Option<Self> {
        let bytes = secret::decode(text)?;
        let (name, rest) = bytes.split_first_chunk::<NAME_BYTES>()?;
        let (at, rest) = rest.split_first_chunk::<8>()?;
        let (signature, details) = rest.split_first_chunk::<MAC_BYTES>()?;
        let browser = Browser(*name);
        let is_ours = secret::is_equal(&mac(app, browser, *at, details), signature);
        let is_fresh = Millis(i64::from_be_bytes(*at)).plus(REMEMBERED_FOR) > app.clock.now();
        let details = serde_json::from_slice(details).ok().filter(|_| is_ours && is_fresh)?;
        Some(Self { browser, details })
    }
}

fn mac(app: &App, browser: Browser, at: [u8; 8], details: &[u8]) -> Digest256 {
    app.keys.reader.mac(&[b"browser", &browser.0, &at, details])
}
