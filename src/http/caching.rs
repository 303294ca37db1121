//! Ready bytes: what everybody gets alike is made once, kept, and dropped exactly when its article changes.
//!
//! An entry's key holds the generation of its article. A change raises the generation after its commit, so that nothing
//! made before is found again, and whoever was still reading the old state puts it under the old key. Old entries fall
//! out by age. While one request makes an entry, others for the same wait for it instead of making it too.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{Options, OptionsBuilder, Weighter};

use crate::kit::key::Key;
use crate::kit::secret;

use super::paging::next_link;
use super::problem::Problem;

/// What all entries together may weigh, in bytes.
const CAPACITY: u64 = 24 * 1024 * 1024;

/// Articles share generations by hash; a collision costs a page made anew, never a stale one.
const GENERATIONS: usize = 4096;

/// Below this a packed body is hardly smaller than its headers.
const WORTH_PACKING: usize = 1024;

const PUBLIC: HeaderValue = HeaderValue::from_static("public, no-cache");
const VARY: HeaderValue = HeaderValue::from_static("Accept-Encoding, Origin");
const GZIP: HeaderValue = HeaderValue::from_static("gzip");

/// A body that everybody gets alike, with its validators.
#[derive(Debug)]
pub struct PublicBytes {
    plain: Bytes,
    packed: OnceLock<Option<Bytes>>,
    plain_tag: HeaderValue,
    packed_tag: HeaderValue,
    media_type: HeaderValue,
    next: Option<String>,
}

impl PublicBytes {
    /// Takes a body whose content alone makes its `ETag`.
    pub fn new(media_type: &'static str, body: impl Into<Bytes>) -> Self {
        let plain = body.into();
        let tag = secret::encode(&secret::digest(&plain)[..12]);
        let quoted = |text: String| HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("\"\""));
        Self {
            plain,
            packed: OnceLock::new(),
            plain_tag: quoted(format!("\"{tag}\"")),
            packed_tag: quoted(format!("\"{tag}-gzip\"")),
            media_type: HeaderValue::from_static(media_type),
            next: None,
        }
    }

    /// JSON, as everybody gets it.
    ///
    /// # Errors
    /// When it cannot be written as JSON, which is ours to mend.
    pub fn json(body: &impl serde::Serialize) -> Result<Self, Problem> {
        let body = serde_json::to_vec(body).map_err(Problem::internal)?;
        Ok(Self::new("application/json", body))
    }

    /// Adds the absolute URL of the next page.
    #[must_use]
    pub fn with_next(mut self, url: Option<String>) -> Self {
        self.next = url;
        self
    }

    /// The absolute URL of the next page.
    pub fn next(&self) -> Option<&str> {
        self.next.as_deref()
    }

    /// The body as it is.
    pub fn plain(&self) -> &Bytes {
        &self.plain
    }

    /// Answers a `GET` or `HEAD`: 304 when the client has these very bytes, else the bytes in an encoding it takes.
    pub fn respond(&self, request: &HttpRequest) -> HttpResponse {
        let packed = if takes_gzip(request.headers()) { self.packed() } else { None };
        let tag = if packed.is_some() { &self.packed_tag } else { &self.plain_tag };
        let is_known = has_tag(request.headers(), tag);
        let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
        response.insert_header((header::CACHE_CONTROL, PUBLIC));
        response.insert_header((header::ETAG, tag.clone()));
        response.insert_header((header::VARY, VARY));
        if is_known {
            return response.finish();
        }
        if let Some(next) = &self.next {
            response.insert_header((header::LINK, next_link(next)));
        }
        response.insert_header((header::CONTENT_TYPE, self.media_type.clone()));
        match packed {
            Some(packed) => response.insert_header((header::CONTENT_ENCODING, GZIP)).body(packed),
            None => response.body(self.plain.clone()),
        }
    }

    fn packed(&self) -> Option<Bytes> {
        self.packed.get_or_init(|| pack(&self.plain)).clone()
    }

    fn weight(&self) -> u64 {
        // Packed text is rarely more than a quarter; the rest is what the cache itself needs for an entry.
        (self.plain.len() + self.plain.len() / 4 + 512) as u64
    }
}

fn pack(plain: &[u8]) -> Option<Bytes> {
    if plain.len() < WORTH_PACKING {
        return None;
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(plain.len() / 4), Compression::new(5));
    std::io::Write::write_all(&mut encoder, plain).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

/// Whether `Accept-Encoding` names gzip, or everything, without a weight of zero (RFC 9110 §12.5.3).
fn takes_gzip(headers: &HeaderMap) -> bool {
    let Some(accepted) = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let weight_of = |name: &str| {
        accepted.split(',').find_map(|part| {
            let (coding, parameters) = part.split_once(';').unwrap_or((part, ""));
            let weight = parameters.trim().strip_prefix("q=").and_then(|text| text.parse().ok()).unwrap_or(1.0_f32);
            coding.trim().eq_ignore_ascii_case(name).then_some(weight)
        })
    };
    weight_of("gzip").or_else(|| weight_of("*")).is_some_and(|weight| weight > 0.0)
}

/// Whether `If-None-Match` holds this tag, compared weakly (RFC 9110 §13.1.2).
fn has_tag(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let Ok(tag) = tag.to_str() else { return false };
    headers
        .get_all(header::IF_NONE_MATCH)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .map(|candidate| candidate.trim().trim_start_matches("W/"))
        .any(|candidate| candidate == tag || candidate == "*")
}

/// What tells an entry from others of its article, in numbers that the feature gives a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Variant(pub [i64; 7]);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct EntryKey {
    place: String,
    variant: Variant,
    stamp: Stamp,
}

/// The state of an article at some moment: equal stamps, equal state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stamp {
    generation: u64,
    epoch: u64,
}

#[derive(Clone)]
struct ByBytes;

impl Weighter<EntryKey, Arc<PublicBytes>> for ByBytes {
    fn weight(&self, key: &EntryKey, bytes: &Arc<PublicBytes>) -> u64 {
        bytes.weight() + key.place.len() as u64
    }
}

/// The kept entries of all articles.
pub struct PageCache {
    entries: Cache<EntryKey, Arc<PublicBytes>, ByBytes, RandomState>,
    generations: Box<[Generation]>,
    epoch: AtomicU64,
    hasher: RandomState,
    began: Instant,
    /// When everything was last dropped.
    all_dropped: AtomicU64,
}

/// How often something of some articles was dropped, and when last, in milliseconds since the beginning.
#[derive(Default)]
struct Generation {
    number: AtomicU64,
    dropped: AtomicU64,
}

/// Two shards: with more, each would be too small for the largest pages.
fn options() -> Options {
    let options = OptionsBuilder::new().shards(2).estimated_items_capacity(2_000).weight_capacity(CAPACITY).build();
    options.unwrap_or_else(|_| unreachable!("every option is given"))
}

impl Default for PageCache {
    fn default() -> Self {
        Self {
            entries: Cache::with_options(options(), ByBytes, RandomState::new(), DefaultLifecycle::default()),
            generations: (0..GENERATIONS).map(|_| Generation::default()).collect(),
            epoch: AtomicU64::new(0),
            hasher: RandomState::new(),
            began: Instant::now(),
            all_dropped: AtomicU64::new(0),
        }
    }
}

impl PageCache {
    /// The entry for `variant` of an article, made by `make` when it is not there. `untold_writes` is the store's count
    /// of changes made behind our back: another count, another entry.
    ///
    /// # Errors
    /// Those of `make`; nothing is kept then.
    pub async fn get_or_make<M>(
        &self,
        site: &Key,
        article: &Key,
        variant: Variant,
        untold_writes: u64,
        make: M,
    ) -> Result<Arc<PublicBytes>, Problem>
    where
        M: AsyncFnOnce() -> Result<PublicBytes, Problem>,
    {
        let place = place(site, article);
        // Taken before `make` reads the database: a change in between leaves what it makes under a key of the past.
        let stamp = self.stamp_of(&place, untold_writes);
        let key = EntryKey { place, variant, stamp };
        if let Some(bytes) = self.entries.get(&key) {
            return Ok(bytes);
        }
        match self.entries.get_value_or_guard_async(&key).await {
            Ok(bytes) => Ok(bytes),
            Err(guard) => {
                let bytes = Arc::new(make().await?);
                // Fails only when the entry was removed meanwhile; it is right to use all the same.
                let _ = guard.insert(Arc::clone(&bytes));
                Ok(bytes)
            }
        }
    }

    /// Drops everything kept of an article. Call it after the commit that changed it.
    pub fn drop_article(&self, site: &Key, article: &Key) {
        let generation = self.generation(&place(site, article));
        generation.dropped.store(self.now_ms(), Ordering::Release);
        generation.number.fetch_add(1, Ordering::AcqRel);
    }

    /// Drops everything.
    pub fn drop_all(&self) {
        self.all_dropped.store(self.now_ms(), Ordering::Release);
        self.epoch.fetch_add(1 << 32, Ordering::AcqRel);
    }

    /// Whether nothing of an article has been dropped for so long, so that it may be read where news comes later.
    pub fn is_settled_for(&self, site: &Key, article: &Key, time: Duration) -> bool {
        let dropped = self.generation(&place(site, article)).dropped.load(Ordering::Acquire);
        let last = dropped.max(self.all_dropped.load(Ordering::Acquire));
        u128::from(self.now_ms().saturating_sub(last)) > time.as_millis()
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// The article's state now, for whoever keeps something else of it. Take it before reading.
    pub fn stamp(&self, site: &Key, article: &Key, foreign_writes: u64) -> Stamp {
        self.stamp_of(&place(site, article), foreign_writes)
    }

    fn stamp_of(&self, place: &str, foreign_writes: u64) -> Stamp {
        let generation = self.generation(place).number.load(Ordering::Acquire);
        Stamp { generation, epoch: self.epoch.load(Ordering::Acquire).wrapping_add(foreign_writes) }
    }

    fn generation(&self, place: &str) -> &Generation {
        let hash = self.hasher.hash_one(place);
        #[allow(clippy::cast_possible_truncation)] // Only the low bits are wanted.
        &self.generations[hash as usize % GENERATIONS]
    }
}

/// Keys never contain a slash.
fn place(site: &Key, article: &Key) -> String {
    format!("{site}/{article}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: header::HeaderName, value: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_static(value));
        headers
    }

    #[test]
    fn gzip_is_given_to_those_who_take_it() {
        for (accept, is_taken) in [
            ("gzip", true),
            ("br, GZIP;q=0.5", true),
            ("*", true),
            ("gzip;q=0", false),
            ("gzip;q=0, *", false),
            ("identity", false),
            ("xgzip", false),
        ] {
            assert_eq!(takes_gzip(&headers(header::ACCEPT_ENCODING, accept)), is_taken, "{accept}");
        }
    }

    #[test]
    fn a_tag_is_found_in_a_list_and_compared_weakly() {
        let tag = HeaderValue::from_static("\"abc\"");
        for (sent, is_known) in [
            ("\"abc\"", true),
            ("W/\"abc\"", true),
            ("\"x\", \"abc\"", true),
            ("*", true),
            ("\"abcd\"", false),
            ("abc", false),
        ] {
            assert_eq!(has_tag(&headers(header::IF_NONE_MATCH, sent), &tag), is_known, "{sent}");
        }
    }
}
