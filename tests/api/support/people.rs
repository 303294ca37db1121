//! People: readers who post, moderators who decide, an administrator, and what they need to be there.

use rejoinder::accounts::{AddModerator, Role, add_moderator};
use rejoinder::articles::{PutArticle, put_article};
use rejoinder::audit::Actor;
use rejoinder::kit::clock::Millis;
use rejoinder::kit::totp;
use rejoinder::screening::Policy;
use rejoinder::sites::{AddSite, SetSite, add_site, find_site};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::answer::Answer;
use super::server::{TestApp, key_of};

pub const PASSWORD: &str = "a password for tests only";

/// Somebody signed in.
pub struct Person {
    pub username: String,
    pub access: String,
    pub refresh: String,
}

/// A reply form filled in well.
pub fn form(comment: &str) -> Value {
    json!({ "name": "Ada", "email": "ada@example.org", "comment": comment })
}

/// What a text in base32 says.
pub fn base32_bytes(text: &str) -> Vec<u8> {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bits = text.chars().fold(String::new(), |bits, c| bits + &format!("{:05b}", LETTERS.find(c).expect("base32")));
    let byte = |at: usize| u8::from_str_radix(&bits[at * 8..at * 8 + 8], 2).expect("eight bits");
    (0..bits.len() / 8).map(byte).collect()
}

impl TestApp {
    /// Makes an article on the site `main` and gives the path of its API.
    pub async fn article(&self, key: &str) -> String {
        self.article_on("main", key).await
    }

    pub async fn article_on(&self, site: &str, key: &str) -> String {
        let put = PutArticle {
            title: format!("The article {key}"),
            url: format!("https://news.example/{key}"),
            summary: None,
            comments_open: None,
            comments_close_at: None,
        };
        put_article(&self.app, None, &key_of(site), &key_of(key), put).await.expect("an article");
        format!("/api/v1/sites/{site}/articles/{key}")
    }

    /// Makes a site.
    pub async fn site(&self, key: &str) {
        let add = AddSite { key: key_of(key), name: format!("The site {key}"), origins: Vec::new() };
        add_site(&self.app, Actor::NOBODY, add).await.expect("a site");
    }

    /// Makes a site publish every comment at once.
    pub async fn publish_first(&self) {
        self.set_site("main", SetSite { policy: Some(Policy::PublishFirst), ..SetSite::default() }).await;
    }

    /// Posts JSON to an article (its API path) as a reader does.
    pub async fn post(&self, article: &str, body: &Value) -> Answer {
        Answer::of(self.request(Method::POST, &format!("{article}/comments")).json(body)).await
    }

    /// Posts a comment that is taken; gives its id.
    pub async fn posted(&self, article: &str, body: &Value) -> i64 {
        let answer = self.post(article, body).await;
        assert!(matches!(answer.status, 201 | 202), "{}", answer.text());
        answer.json()["id"].as_i64().expect("an id")
    }

    /// Posts to an article with headers of the test's choice.
    pub async fn post_with(&self, article: &str, body: &Value, headers: &[(&str, &str)]) -> Answer {
        let request = self.request(Method::POST, &format!("{article}/comments")).json(body);
        Answer::of(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))).await
    }

    /// Posts to an article as a browser without script does.
    pub async fn post_form(&self, article: &str, fields: &[(&str, &str)]) -> Answer {
        let mut pairs = url::form_urlencoded::Serializer::new(String::new());
        pairs.extend_pairs(fields);
        let request = self
            .request(Method::POST, &format!("{article}/comments"))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
        Answer::of(request.body(pairs.finish())).await
    }

    /// Says anew what an article of the site `main` is.
    pub async fn change_article(&self, key: &str, comments_open: bool, comments_close_at: Option<Millis>) {
        let put = PutArticle {
            title: format!("The article {key}"),
            url: format!("https://news.example/{key}"),
            summary: None,
            comments_open: Some(comments_open),
            comments_close_at,
        };
        put_article(&self.app, None, &key_of("main"), &key_of(key), put).await.expect("an article");
    }

    /// An administrator, signed in.
    pub async fn admin(&self) -> Person {
        self.person("admin", Role::Admin, &[]).await
    }

    /// A moderator of the site `main`, signed in.
    pub async fn moderator(&self) -> Person {
        self.person("moderator", Role::Moderator, &["main"]).await
    }

    /// Makes a person and signs them in.
    pub async fn person(&self, username: &str, role: Role, sites: &[&str]) -> Person {
        let mut ids = Vec::new();
        for site in sites {
            let key = key_of(site);
            let found = self.app.store.read(move |conn| find_site(conn, &key)).await.expect("the store");
            ids.push(found.expect("a site").id);
        }
        let add = AddModerator {
            username: username.to_owned(),
            password: Some(PASSWORD.to_owned()),
            role,
            sites: ids,
            display_name: None,
        };
        add_moderator(&self.app, Actor::NOBODY, add).await.expect("a moderator");
        self.sign_in(username).await
    }

    /// Signs in somebody who is there.
    pub async fn sign_in(&self, username: &str) -> Person {
        let body = json!({ "username": username, "password": PASSWORD });
        let answer = Answer::of(self.request(Method::POST, "/api/v1/session").json(&body)).await.expect(200).json();
        let token = |name: &str| answer[name].as_str().expect("a token").to_owned();
        Person { username: username.to_owned(), access: token("access_token"), refresh: token("refresh_token") }
    }

    /// The code that an app shows now for a secret as people type it.
    pub fn totp(&self, secret: &str) -> String {
        self.totp_aside(secret, 0)
    }

    /// The code that it shows so many steps from now.
    pub fn totp_aside(&self, secret: &str, steps: i64) -> String {
        totp::code_of(&base32_bytes(secret), totp::step_at(self.app.clock.now()) + steps)
    }

    /// A request by somebody signed in.
    pub fn request_as(&self, person: &Person, method: Method, path: &str) -> RequestBuilder {
        self.request(method, path).bearer_auth(&person.access)
    }

    pub async fn get_as(&self, person: &Person, path: &str) -> Answer {
        Answer::of(self.request_as(person, Method::GET, path)).await
    }

    /// Asks for a decision about a comment at a version.
    pub async fn decide(&self, person: &Person, id: i64, version: i64, decision: &str) -> Answer {
        self.decide_with(person, id, version, &json!({ "decision": decision })).await
    }

    pub async fn decide_with(&self, person: &Person, id: i64, version: i64, body: &Value) -> Answer {
        let path = format!("/api/v1/review/comments/{id}/decisions");
        let request = self.request_as(person, Method::POST, &path).header("If-Match", format!("\"{version}\""));
        Answer::of(request.json(body)).await
    }

    /// Approves a comment that waits.
    pub async fn approve(&self, person: &Person, id: i64) {
        self.decide(person, id, 1, "approve").await.expect(201);
    }
}
