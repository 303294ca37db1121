//! The keys that access tokens are signed with: one follows the other, on every node, and nobody is signed out by it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use diesel::prelude::*;
use hmac::{Hmac, KeyInit, Mac};
use rejoinder::accounts::{Role, rotate_signing_key};
use rejoinder::audit::Actor;
use rejoinder::jobs;
use rejoinder::store::StoreError;
use rejoinder::store::schema::signing_keys;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::people::Person;
use crate::support::process::rejoinder;
use crate::support::server::TestApp;
use crate::support::{Answer, Setup, on_each_database, on_each_database_with};

const DAY_S: u64 = 24 * 60 * 60;
const SECRET: Setup = Setup {
    has_limits: false,
    public_url: None,
    trusted_proxies: None,
    secret: Some("thirty-two characters, or some more"),
    require_totp: None,
    challenge: None,
};

/// Names of the keys, the newest first, with what is kept of them: without a secret the keys themselves.
pub async fn signing_keys(app: &TestApp) -> Vec<(String, Vec<u8>)> {
    let rows: Result<Vec<(String, Vec<u8>)>, StoreError> = app
        .app
        .store
        .read(|conn| {
            let newest_first = (signing_keys::created_at.desc(), signing_keys::kid);
            Ok(signing_keys::table.order(newest_first).select((signing_keys::kid, signing_keys::sealed)).load(conn)?)
        })
        .await;
    rows.expect("the keys")
}

fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).expect("a part");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64url")).expect("JSON")
}

fn kid(person: &Person) -> String {
    part(&person.access, 0)["kid"].as_str().expect("a kid").to_owned()
}

/// The token of somebody signed in as it would be made now with another key.
fn signed_with(app: &TestApp, person: &Person, kid: &str, key: &[u8]) -> String {
    let mut claims = part(&person.access, 1);
    let now = app.clock_now_s();
    claims["iat"] = json!(now);
    claims["exp"] = json!(now + 900);
    let header = json!({ "typ": "at+jwt", "alg": "HS256", "kid": kid });
    let message =
        format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()));
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key");
    mac.update(message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

async fn status(app: &TestApp, token: &str) -> u16 {
    Answer::of(app.request(reqwest::Method::GET, "/api/v1/me").bearer_auth(token)).await.status
}

async fn execute(app: &TestApp, sql: &str) {
    let sql = sql.to_owned();
    let done: Result<usize, StoreError> =
        app.app.store.write(move |conn| Ok(diesel::sql_query(&sql).execute(conn)?)).await;
    done.expect("executed");
}

impl TestApp {
    fn clock_now_s(&self) -> i64 {
        self.app.clock.now().0 / 1000
    }
}

#[test]
fn the_newest_signs_and_the_one_before_it_verifies_for_one_tokens_life() {
    on_each_database(async |app| {
        let first = app.admin().await;
        let (old_kid, old_key) = signing_keys(app).await.remove(0);
        assert_eq!(kid(&first), old_kid);
        let new_kid = rotate_signing_key(&app.app, Actor::NOBODY).await.expect("a new key");
        let second = app.sign_in("admin").await;
        assert!(kid(&second) == new_kid && new_kid != old_kid);
        assert_eq!((status(app, &first.access).await, status(app, &second.access).await), (200, 200));
        app.advance(14 * 60 + 59);
        assert_eq!((status(app, &first.access).await, status(app, &second.access).await), (200, 200));
        // A token of a node that had not heard of the new key for a moment.
        app.advance(60);
        assert_eq!(status(app, &signed_with(app, &first, &old_kid, &old_key)).await, 200);
        app.advance(62);
        assert_eq!(status(app, &signed_with(app, &first, &old_kid, &old_key)).await, 401);
        let (_, new_key) = signing_keys(app).await.remove(0);
        assert_eq!(status(app, &signed_with(app, &first, &new_kid, &new_key)).await, 200);
        app.sealed().await;
        let log = app.get_as(&app.sign_in("admin").await, "/api/v1/audit?action=signing-key-rotated").await;
        let items = log.expect(200).json()["items"].clone();
        assert_eq!((items.as_array().map(Vec::len), &items[0]["facts"]), (Some(1), &json!({ "kid": new_kid })));
    });
}

/// Another node, here the command line, makes a key; this one hears of it by a token that names it, and however many
/// tokens name keys that are not there, it looks once a second.
#[test]
fn a_node_hears_of_a_new_key_by_its_first_token() {
    on_each_database(async |app| {
        let person = app.admin().await;
        let dir = tempfile::tempdir().expect("a folder");
        let rotated = rejoinder(dir.path()).env("REJOINDER_DATABASE_URL", app.database.url_text()).args("keys rotate");
        rotated.run_well();
        // The program's calendar is not this test's: which is the new one is seen by which was there.
        let old = kid(&person);
        let keys = signing_keys(app).await;
        let (new_kid, new_key) = keys.into_iter().find(|(kid, _)| *kid != old).expect("a new key");
        let token = signed_with(app, &person, &new_kid, &new_key);
        assert_eq!(status(app, &token).await, 401, "it has looked a moment ago");
        app.advance(1);
        let forged = signed_with(app, &person, &URL_SAFE_NO_PAD.encode([7; 16]), &[7; 32]);
        for name in ["", "../x", &"k".repeat(500)] {
            assert_eq!(status(app, &signed_with(app, &person, name, &[7; 32])).await, 401);
        }
        let token = signed_with(app, &person, &new_kid, &new_key);
        assert_eq!(status(app, &token).await, 200, "names that can be none of ours cost no look");
        assert_eq!(status(app, &forged).await, 401);
    });
}

#[test]
fn a_key_signs_for_30_days_and_is_forgotten_long_after() {
    on_each_database(async |app| {
        app.admin().await;
        let first = signing_keys(app).await;
        assert_eq!(first.len(), 1);
        app.advance(30 * DAY_S - 1);
        jobs::run_once(&app.app).await.expect("the jobs");
        assert_eq!(signing_keys(app).await, first);
        app.advance(1);
        jobs::run_once(&app.app).await.expect("the jobs");
        jobs::run_once(&app.app).await.expect("the jobs");
        let both = signing_keys(app).await;
        assert!(both.len() == 2 && both[1] == first[0], "one follows the other");
        let admin = app.sign_in("admin").await;
        assert_eq!(kid(&admin), both[0].0);
        app.sealed().await;
        let log = app.get_as(&admin, "/api/v1/audit?action=signing-key-rotated").await.expect(200).json();
        assert_eq!(log["items"].as_array().map(Vec::len), Some(1), "the first took nobody's place");
        app.advance(2 * DAY_S);
        jobs::run_once(&app.app).await.expect("the jobs");
        assert_eq!(signing_keys(app).await, both[..1]);
    });
}

/// With an operator's secret, who can read the database cannot sign, and who can write to it cannot bring a key in, nor
/// make an old one young.
#[test]
fn under_a_secret_keys_are_sealed_and_no_other_counts() {
    on_each_database_with(&SECRET, async |app| {
        let person = app.admin().await;
        let (sealed_kid, sealed) = signing_keys(app).await.remove(0);
        assert_eq!(sealed.len(), 32 + 29);
        for key in [&sealed[..32], &sealed[13..45], &sealed] {
            assert_eq!(status(app, &signed_with(app, &person, &sealed_kid, key)).await, 401);
        }
        let is_sqlite = matches!(app.database, crate::support::database::TestDatabase::Sqlite { .. });
        let mine = "07".repeat(32);
        let bytes = if is_sqlite { format!("x'{mine}'") } else { format!("'\\x{mine}'::bytea") };
        let my_kid = URL_SAFE_NO_PAD.encode([9; 16]);
        for is_sealed in ["FALSE", "TRUE"] {
            execute(app, "DELETE FROM signing_keys WHERE kid LIKE 'CQkJ%'").await;
            let values = format!("VALUES ('{my_kid}', {bytes}, {is_sealed}, 9000000000000)");
            execute(app, &format!("INSERT INTO signing_keys (kid, sealed, is_sealed, created_at) {values}")).await;
            app.advance(61);
            assert_eq!(status(app, &signed_with(app, &person, &my_kid, &[7; 32])).await, 401, "{is_sealed}");
            assert_eq!(kid(&app.sign_in("admin").await), sealed_kid, "{is_sealed}");
        }
        execute(app, "UPDATE signing_keys SET created_at = created_at + 1").await;
        app.advance(61);
        assert_eq!(status(app, &person.access).await, 401, "its age is sealed too");
        let again = app.sign_in("admin").await;
        assert_ne!(kid(&again), sealed_kid);
        assert_eq!(status(app, &again.access).await, 200);
    });
}

/// Without any key, as in the first moment of an installation.
#[test]
fn many_who_sign_in_at_once_get_tokens_that_are_good() {
    on_each_database(async |app| {
        app.person("one", Role::Admin, &[]).await;
        execute(app, "DELETE FROM signing_keys").await;
        app.advance(61);
        let all = futures_util::future::join_all((0..8).map(|_| app.sign_in("one"))).await;
        for person in &all {
            assert_eq!(status(app, &person.access).await, 200);
        }
        assert!(!signing_keys(app).await.is_empty());
    });
}
