//! The one handle that carries everything a handler, a job or a command needs. Nothing is global; nothing in it is a
//! feature's.

use std::sync::atomic::AtomicBool;

use crate::config::{PublicUrl, Settings};
use crate::http::caching::PageCache;
use crate::http::limits::Limits;
use crate::http::origins::OriginCache;
use crate::http::preconditions::Running;
use crate::http::pressure::Pressure;
use crate::kit::changes::{Change, Changes};
use crate::kit::clock::Clock;
use crate::kit::key::Key as SlugKey;
use crate::kit::news::News;
use crate::kit::places::Places;
use crate::kit::seal::Seal;
use crate::kit::secret::{self, Key, NoRandomness};
use crate::kit::shelves::Shelves;
use crate::outbound::{MailError, Mailer, Outbound};
use crate::store::{Store, StoreError, secret_or_insert};

/// What the program runs on.
pub struct App {
    pub settings: Settings,
    pub public_url: PublicUrl,
    pub store: Store,
    pub clock: Clock,
    pub keys: Keys,
    pub limits: Limits,
    /// How much has been posted lately.
    pub pressure: Pressure,
    pub pages: PageCache,
    /// Sends mail, if there is to be any.
    pub mailer: Mailer,
    /// One place for each password that may be hashed at once: 19 MiB and a core each.
    pub hashing: Places,
    /// Requests with an Idempotency-Key that are not answered yet.
    pub running: Running,
    /// The origins that sites list, for a moment.
    pub origins: OriginCache,
    /// What has changed lately, for desks that follow it live.
    pub changes: Changes,
    /// Asks outside services.
    pub outbound: Outbound,
    /// What features remember.
    pub shelves: Shelves,
    /// Whether it is about to stop: every answer is then the last on its connection.
    pub is_stopping: AtomicBool,
}

/// The keys made from the installation's secret, one for each use.
#[derive(Debug)]
pub struct Keys {
    /// Seals the keys that access tokens are signed with.
    pub signing: Seal,
    /// Makes a refresh token's successor from it.
    pub refresh: Key,
    /// Makes a comment's receipt from its id.
    pub receipt: Key,
    /// Hashes what duplicates and authors are known by.
    pub author: Key,
    /// Makes cursors that nobody else can.
    pub cursor: Key,
    /// Hashes idempotency keys and the requests they came with.
    pub replay: Key,
    /// Seals the secrets of second factors.
    pub totp: Seal,
    /// Hashes recovery codes.
    pub recovery: Key,
    /// Hashes the features of comments that filters learn. Made once and kept, whatever becomes of the installation's
    /// secret: what was learned under another key means nothing.
    pub features: Key,
    /// Signs when a reply form was given out.
    pub stamp: Key,
    /// Signs challenges.
    pub challenge: Key,
    /// Signs the cookie by which a reader's browser is known, and makes the links that verify emails.
    pub reader: Key,
    /// Seals the secrets that sites share with outside services.
    pub outside: Seal,
}

/// Why the handle could not be made.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    #[error(transparent)]
    Mail(#[from] MailError),
}

impl App {
    /// Puts the handle together. `public_url` is where readers come, given or taken from the listener.
    ///
    /// # Errors
    /// When the installation's secret can be neither read nor made, or mail has nowhere to go.
    pub async fn new(settings: Settings, public_url: PublicUrl, store: Store, clock: Clock) -> Result<Self, AppError> {
        let master = match &settings.secret {
            Some(secret) => Key::master(secret.as_bytes()),
            None => Key::master(&kept_secret(&store, "master").await?),
        };
        let features = kept_secret(&store, "features").await?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            limits: Limits::new(&clock, settings.has_limits),
            keys: Keys {
                signing: Seal::new(master.derive("signing keys 1")),
                refresh: master.derive("refresh tokens 1"),
                receipt: master.derive("receipts 1"),
                author: master.derive("authors 1"),
                cursor: master.derive("cursors 1"),
                replay: master.derive("idempotency keys 1"),
                totp: Seal::new(master.derive("second factors 1")),
                recovery: master.derive("recovery codes 1"),
                features: Key::master(&features),
                stamp: master.derive("form stamps 1"),
                challenge: master.derive("challenges 1"),
                reader: master.derive("readers 1"),
                outside: Seal::new(master.derive("outside services 1")),
            },
            pressure: Pressure::default(),
            pages: PageCache::default(),
            mailer: Mailer::new(settings.mail.as_ref(), &public_url)?,
            hashing: Places::new(cores),
            running: Running::default(),
            origins: OriginCache::default(),
            changes: Changes::default(),
            outbound: Outbound::new(&settings.outbound_allow),
            shelves: Shelves::default(),
            is_stopping: AtomicBool::new(false),
            settings,
            public_url,
            store,
            clock,
        })
    }

    /// Drops what is kept ready of an article's thread, here and on other nodes. After the commit that changed it.
    pub fn drop_thread(&self, site: &SlugKey, article: &SlugKey) {
        self.pages.drop_article(site, article);
        self.store.tell(|| News::Thread { site: site.clone(), article: article.clone() }.to_string());
    }

    /// Drops what is kept ready of every thread, here and on other nodes.
    pub fn drop_threads(&self) {
        self.pages.drop_all();
        self.store.tell(|| News::Threads.to_string());
    }

    /// Tells those who follow live of a change, here and on other nodes. After its commit.
    pub fn tell(&self, change: Change) {
        self.changes.tell(change);
        self.store.tell(|| News::Comment(change).to_string());
    }

    /// Does what another node told. What nobody here understands is of a newer version, and says nothing to this one.
    pub fn hear(&self, line: &str) {
        match News::parse(line) {
            Some(News::Thread { site, article }) => self.pages.drop_article(&site, &article),
            Some(News::Threads) => self.pages.drop_all(),
            Some(News::Comment(change)) => self.changes.tell(change),
            None => {}
        }
    }

    /// A link to something this server has: `path` begins with a slash.
    pub fn link(&self, path: &str) -> String {
        format!("{}{path}", self.public_url.as_str())
    }
}

/// A secret that is made once and kept in the database.
async fn kept_secret(store: &Store, name: &'static str) -> Result<Vec<u8>, AppError> {
    let fresh = secret::random()?;
    Ok(store.write(move |conn| secret_or_insert(conn, name, &fresh)).await?)
}
