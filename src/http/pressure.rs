//! Pressure: whether more is posted than people write, so that those who post are asked for some work first.
//!
//! An address (IPv6 by /64, as limits count it) is under pressure when more than 20 posts came from it at once, or one in
//! 30 s for long; a site at 200, or one in 3 s. A post whose fields are right counts, taken or not. Ten minutes after the
//! last of a flood, however great it was, there is none. It is measured on each node by itself, in memory, and forgotten
//! at a restart.

use std::net::IpAddr;
use std::time::Duration;

use crate::app::App;
use crate::config::ChallengeMode;
use crate::kit::gauge::Gauge;
use crate::kit::ids::SiteId;

use super::limits::AddressKey;

/// Nobody writes so much by hand; at the fastest that limits let an address post, it takes eight minutes.
const MOST_OF_ADDRESS: u32 = 20;
const ONE_OF_ADDRESS_PER: Duration = Duration::from_secs(30);
/// A busy night's discussion on a large site stays below.
const MOST_OF_SITE: u32 = 200;
const ONE_OF_SITE_PER: Duration = Duration::from_secs(3);

/// How much has been posted lately.
#[derive(Debug)]
pub struct Pressure {
    by_address: Gauge<AddressKey>,
    by_site: Gauge<SiteId>,
}

impl Default for Pressure {
    fn default() -> Self {
        Self {
            by_address: Gauge::new(MOST_OF_ADDRESS, ONE_OF_ADDRESS_PER),
            by_site: Gauge::new(MOST_OF_SITE, ONE_OF_SITE_PER),
        }
    }
}

/// Whether who posts to the site from this address must solve a challenge. Under `auto` nobody must while limits are off:
/// a load test on loopback is nothing but pressure.
pub fn asks_for_challenge(app: &App, site: SiteId, address: IpAddr) -> bool {
    match app.settings.challenge {
        ChallengeMode::Off => false,
        ChallengeMode::Always => true,
        ChallengeMode::Auto => {
            let (now, pressure) = (app.clock.elapsed(), &app.pressure);
            let is_high = || pressure.by_address.is_over(address.into(), now) || pressure.by_site.is_over(site, now);
            app.settings.has_limits && is_high()
        }
    }
}

impl Pressure {
    /// Counts a post.
    pub fn count(&self, site: SiteId, address: IpAddr, now: Duration) {
        self.by_address.count(address.into(), now);
        self.by_site.count(site, now);
    }

    /// Forgets who has not posted for long.
    pub fn forget_the_rested(&self, now: Duration) {
        self.by_address.forget_the_dry(now);
        self.by_site.forget_the_dry(now);
    }
}
