//! Pace: how often one address, one author, may do what costs us or others something.
//!
//! The limiter is `governor`'s cell-rate algorithm on our own monotonic clock. IPv6 counts by /64, what one
//! subscriber has at least (RFC 6177). Limits are per node and forgotten at a restart. `REJOINDER_LIMITS=off` stops them
//! all, for load tests.

use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload, web};
use governor::clock::Clock as _;
use governor::middleware::StateInformationMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::app::App;
use crate::kit::clock::Clock;
use crate::store::StoreError;

use super::boundary::prefers_html;
use super::client::address_of;
use super::problem::{Kind, Problem};

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// `governor` reads time from ours, so that tests can turn it.
#[derive(Clone)]
struct Monotonic(Clock);

impl governor::clock::Clock for Monotonic {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.0.elapsed().into()
    }
}

type Keyed<K> = RateLimiter<K, DashMapStateStore<K>, Monotonic, StateInformationMiddleware>;

/// A burst, then one per interval, for each key.
pub struct Pace<K: Hash + Eq + Clone> {
    name: &'static str,
    burst: NonZeroU32,
    one_per: Duration,
    clock: Monotonic,
    limiter: Option<Keyed<K>>,
}

/// What a limit said about one request: told in `RateLimit` headers.
#[derive(Debug, Clone)]
pub struct Standing {
    name: &'static str,
    burst: u32,
    one_per_s: u64,
    remaining: u32,
    reset_s: u64,
}

impl<K: Hash + Eq + Clone> Pace<K> {
    fn new(name: &'static str, burst: NonZeroU32, one_per: Duration, clock: &Clock, is_on: bool) -> Self {
        let clock = Monotonic(clock.clone());
        let quota = Quota::with_period(one_per).map(|quota| quota.allow_burst(burst));
        let limiter =
            quota.filter(|_| is_on).map(|quota| RateLimiter::new(quota, DashMapStateStore::default(), clock.clone()));
        Self { name, burst, one_per, clock, limiter }
    }

    /// Counts one request by `key`, or says how long to wait. `None` when limits are off.
    ///
    /// # Errors
    /// When the key has used up its burst; the wait is in whole seconds, rounded up.
    pub fn count(&self, key: &K) -> Result<Option<Standing>, TooFast> {
        let Some(limiter) = &self.limiter else { return Ok(None) };
        match limiter.check_key(key) {
            Ok(snapshot) => Ok(Some(self.standing(snapshot.remaining_burst_capacity(), self.one_per))),
            Err(not_until) => Err(TooFast(self.standing(0, not_until.wait_time_from(self.clock.now())))),
        }
    }

    /// Forgets keys that are back at their full burst.
    pub fn forget_the_rested(&self) {
        if let Some(limiter) = &self.limiter {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
    }

    fn standing(&self, remaining: u32, reset: Duration) -> Standing {
        Standing {
            name: self.name,
            burst: self.burst.get(),
            one_per_s: self.one_per.as_secs(),
            remaining,
            reset_s: reset.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX),
        }
    }
}

impl Standing {
    /// Writes the headers of the IETF draft "`RateLimit` header fields for HTTP" (structured fields, times in seconds).
    pub fn write(&self, headers: &mut HeaderMap) {
        for (name, value) in self.headers() {
            headers.insert(name, value);
        }
    }

    fn headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        let window = self.one_per_s * u64::from(self.burst);
        let policy = format!("\"{}\";q={};w={window}", self.name, self.burst);
        let limit = format!("\"{}\";r={};t={}", self.name, self.remaining, self.reset_s);
        [(POLICY, policy), (LIMIT, limit)]
            .into_iter()
            .filter_map(|(name, text)| HeaderValue::from_str(&text).ok().map(|value| (name, value)))
            .collect()
    }
}

/// The limit is reached.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the limit {:?} is reached; wait {} s", .0.name, .0.reset_s)]
pub struct TooFast(Standing);

impl TooFast {
    /// Seconds to wait.
    pub fn wait_s(&self) -> u64 {
        self.0.reset_s
    }
}

impl From<TooFast> for Problem {
    fn from(TooFast(standing): TooFast) -> Self {
        let problem = Self::new(Kind::TooFast, format!("Wait {} s, then try again.", standing.reset_s));
        let problem = problem.retry_after(standing.reset_s);
        standing.headers().into_iter().fold(problem, |problem, (name, value)| problem.header(name, value))
    }
}

/// An address as limits count it: IPv4 whole, IPv6 by its first 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AddressKey(u64);

impl AddressKey {
    /// The number it is known by.
    pub fn number(self) -> u64 {
        self.0
    }
}

impl From<IpAddr> for AddressKey {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            // The first 64 bits of an IPv6 address are never this small outside ::/64, which is loopback and the like.
            IpAddr::V4(address) => Self(u64::from(address.to_bits())),
            IpAddr::V6(address) => Self((address.to_bits() >> 64) as u64),
        }
    }
}

/// All limits there are.
pub struct Limits {
    /// Posting, by address: API.md's burst of 5, then one per 15 s (WordPress's flood interval).
    pub posts_by_address: Pace<AddressKey>,
    /// Posting, by author and article together.
    pub posts_by_author: Pace<i64>,
    /// Reporting comments, by address: whoever reads a long thread reports some in a row, nobody hundreds.
    pub reports_by_address: Pace<AddressKey>,
    /// Trying to sign in, or to set a password by a link, by address.
    pub sign_ins_by_address: Pace<AddressKey>,
    /// Going on with a session, by address: an office of fifty with a tab each, and as much again every minute.
    pub refreshes_by_address: Pace<AddressKey>,
}

impl Limits {
    /// Fresh limits on `clock`.
    pub fn new(clock: &Clock, is_on: bool) -> Self {
        let five = NonZeroU32::MIN.saturating_add(4);
        let ten = NonZeroU32::MIN.saturating_add(9);
        let sixty = NonZeroU32::MIN.saturating_add(59);
        let secs = Duration::from_secs;
        Self {
            posts_by_address: Pace::new("address", five, secs(15), clock, is_on),
            posts_by_author: Pace::new("author", five, secs(15), clock, is_on),
            reports_by_address: Pace::new("report", ten, secs(30), clock, is_on),
            sign_ins_by_address: Pace::new("sign-in", ten, secs(6), clock, is_on),
            refreshes_by_address: Pace::new("refresh", sixty, secs(1), clock, is_on),
        }
    }

    /// Forgets whoever has rested long enough; without it the maps only grow.
    pub fn forget_the_rested(&self) {
        self.posts_by_address.forget_the_rested();
        self.posts_by_author.forget_the_rested();
        self.reports_by_address.forget_the_rested();
        self.sign_ins_by_address.forget_the_rested();
        self.refreshes_by_address.forget_the_rested();
    }
}

/// Whether a post from this address came in time, and to a program that has room for it. As a handler's first argument it
/// is asked before the body is read: a program that comes too early, or to a full queue, is refused there, at a small part of
/// what a post costs. A browser is heard out, for what was typed goes back to its reader.
pub struct PostPaced {
    /// What to tell a browser that came too early.
    pub too_fast: Option<TooFast>,
}

impl FromRequest for PostPaced {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let is_full = request.app_data::<web::Data<App>>().is_some_and(|app| app.store.is_too_busy_to_write());
        if is_full && !prefers_html(request.headers()) {
            return std::future::ready(Err(StoreError::Busy.into()));
        }
        std::future::ready(match count(request, |limits| &limits.posts_by_address) {
            Ok(()) => Ok(Self { too_fast: None }),
            Err(too_fast) if prefers_html(request.headers()) => {
                request.extensions_mut().insert(too_fast.0.clone());
                Ok(Self { too_fast: Some(too_fast) })
            }
            Err(too_fast) => Err(too_fast.into()),
        })
    }
}

/// Proof that a sign-in from this address came in time.
pub struct SignInPaced;

impl FromRequest for SignInPaced {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(count(request, |limits| &limits.sign_ins_by_address).map(|()| Self).map_err(Problem::from))
    }
}

/// Proof that a report from this address came in time.
pub struct ReportPaced;

impl FromRequest for ReportPaced {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(count(request, |limits| &limits.reports_by_address).map(|()| Self).map_err(Problem::from))
    }
}

/// Proof that a refresh from this address came in time.
pub struct RefreshPaced;

impl FromRequest for RefreshPaced {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(count(request, |limits| &limits.refreshes_by_address).map(|()| Self).map_err(Problem::from))
    }
}

fn count(request: &HttpRequest, pace: impl Fn(&Limits) -> &Pace<AddressKey>) -> Result<(), TooFast> {
    let Some(app) = request.app_data::<web::Data<App>>() else { return Ok(()) };
    let standing = pace(&app.limits).count(&address_of(request).into())?;
    if let Some(standing) = standing {
        request.extensions_mut().insert(standing);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipv6_counts_by_64_bits_and_mapped_ipv4_as_ipv4() {
        let key = |text: &str| AddressKey::from(text.parse::<IpAddr>().unwrap());
        assert_eq!(key("2001:db8::1"), key("2001:db8::ffff:1"));
        assert_ne!(key("2001:db8::1"), key("2001:db8:0:1::1"));
        assert_eq!(key("192.0.2.1"), key("::ffff:192.0.2.1"));
        assert_ne!(key("192.0.2.1"), key("192.0.2.2"));
    }
}
