//! A server of the test's own.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use actix_web::web;
use diesel::prelude::*;
use rejoinder::app::App;
use rejoinder::audit::Actor;
use rejoinder::config::{Given, Settings};
use rejoinder::kit::clock::{Clock, ManualClock, Millis};
use rejoinder::kit::key::Key;
use rejoinder::sites::{SetSite, set_site};
use rejoinder::store::StoreError;
use rejoinder::store::schema::audit_entries;
use reqwest::{Method, RequestBuilder};

use super::answer::Answer;
use super::database::{TestDatabase, databases};
use super::raw::Raw;

/// 24 November 2026, 12:00 UTC.
pub const NOON: Millis = Millis(1_795_521_600_000);

/// What a test asks of its server, beside the usual.
#[derive(Clone, Default)]
pub struct Setup {
    /// Rate limits are off unless a test is about them.
    pub has_limits: bool,
    pub public_url: Option<&'static str>,
    pub trusted_proxies: Option<&'static str>,
    pub secret: Option<&'static str>,
    pub require_totp: Option<&'static str>,
    pub challenge: Option<&'static str>,
}

/// A running server, its clock, and a client.
pub struct TestApp {
    pub base: String,
    pub app: web::Data<App>,
    pub clock: ManualClock,
    pub client: reqwest::Client,
    pub database: TestDatabase,
    handle: actix_web::dev::ServerHandle,
}

/// Runs a test on `SQLite`, and on `PostgreSQL` when there is one.
pub fn on_each_database(test: impl AsyncFn(&TestApp)) {
    on_each_database_with(&Setup::default(), test);
}

/// Runs a test on each database with a server of its own making.
pub fn on_each_database_with(setup: &Setup, test: impl AsyncFn(&TestApp)) {
    for database in databases() {
        actix_web::rt::System::new().block_on(async {
            let app = TestApp::start(setup, database).await;
            test(&app).await;
            app.handle.stop(false).await;
        });
    }
}

impl TestApp {
    /// Waits until everything that was done has its place in the audit log.
    pub async fn sealed(&self) {
        eventually("the audit log is sealed", async || {
            let waiting = self.app.store.read(|conn| {
                let waiting = audit_entries::table.filter(audit_entries::seq.is_null());
                Ok::<i64, StoreError>(waiting.count().get_result(conn)?)
            });
            waiting.await.is_ok_and(|count| count == 0)
        })
        .await;
    }

    pub async fn start(setup: &Setup, database: TestDatabase) -> Self {
        let given = Given {
            database_url: Some(database.url_text()),
            listen: Some("127.0.0.1:0".to_owned()),
            limits: Some(if setup.has_limits { "on" } else { "off" }.to_owned()),
            public_url: setup.public_url.map(str::to_owned),
            trusted_proxies: setup.trusted_proxies.map(str::to_owned),
            secret: setup.secret.map(str::to_owned),
            require_totp: setup.require_totp.map(str::to_owned),
            // Services outside that tests pretend to be.
            outbound_allow: Some("127.0.0.1".to_owned()),
            challenge: setup.challenge.map(str::to_owned),
            ..Given::default()
        };
        let clock = ManualClock::at(NOON);
        let settings = Settings::try_from(given).expect("good settings");
        let running = rejoinder::server::start(settings, Clock::Manual(clock.clone())).await.expect("a server");
        actix_web::rt::spawn(running.server);
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(30))
            .build()
            .expect("a client");
        Self {
            base: format!("http://{}", running.address),
            app: running.app,
            clock,
            client,
            database,
            handle: running.handle,
        }
    }

    /// A connection to this server, to write bytes on.
    pub fn raw(&self) -> Raw {
        Raw::connect(self.address(), Duration::from_secs(20))
    }

    /// `host:port`.
    pub fn address(&self) -> &str {
        self.base.trim_start_matches("http://")
    }

    /// A request to this server.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    pub async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path)).await
    }

    /// Sends bytes as they are and gives the answer as it came: for what no HTTP client would send or show.
    pub async fn send_raw(&self, request: Vec<u8>) -> String {
        let address = self.base.trim_start_matches("http://").to_owned();
        let exchange = actix_web::rt::task::spawn_blocking(move || {
            let mut stream = TcpStream::connect(address).expect("a connection");
            stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time limit");
            // The server may close before it has read all: what it answered counts.
            let _ = stream.write_all(&request);
            let (mut answer, mut chunk) = (Vec::new(), [0; 16 * 1024]);
            while !is_whole(&answer) {
                match stream.read(&mut chunk) {
                    Ok(length) if length > 0 => answer.extend(&chunk[..length]),
                    _ => break,
                }
            }
            String::from_utf8_lossy(&answer).into_owned()
        });
        exchange.await.expect("an exchange")
    }

    /// Lets time pass.
    pub fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// Changes a site.
    pub async fn set_site(&self, key: &str, set: SetSite) {
        set_site(&self.app, Actor::NOBODY, &key_of(key), set).await.expect("a changed site");
    }
}

/// Whether an answer has come with as many bytes as its head says.
fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0_usize)
}

/// Looks again until it is so, for ten seconds at most.
#[track_caller]
pub fn eventually(what: &str, is_so: impl AsyncFn() -> bool) -> impl Future<Output = ()> {
    let caller = std::panic::Location::caller();
    async move {
        let since = std::time::Instant::now();
        while !is_so().await {
            assert!(since.elapsed() < Duration::from_secs(10), "{caller}: not within ten seconds: {what}");
            actix_web::rt::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// A key known to be one.
pub fn key_of(text: &str) -> Key {
    Key::parse(text).expect("a key")
}
