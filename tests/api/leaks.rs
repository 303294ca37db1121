//! What the public must never learn: who wrote something beyond the name, and that a comment exists which is not
//! published. Every public answer is compared byte for byte before and after; the log is searched for secrets.

use std::io::{BufRead, Write};
use std::process::{Child, Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rejoinder::kit::clock::Clock;
use rejoinder::kit::totp;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::database::TestDatabase;
use crate::support::mailbox::{Mailbox, Mood};
use crate::support::people::{Person, base32_bytes};
use crate::support::server::TestApp;
use crate::support::{Answer, Setup, eventually, form, on_each_database, on_each_database_with, postgres_url};

/// Everything of an answer that a reader sees.
#[derive(Debug, PartialEq)]
struct Seen {
    path: String,
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

async fn see(app: &TestApp, path: &str) -> Seen {
    let answer = app.get(path).await;
    let mut headers: Vec<(String, String)> = answer
        .headers
        .iter()
        .filter(|(name, _)| *name != "date")
        .map(|(name, value)| (name.to_string(), value.to_str().expect("a header of ASCII").to_owned()))
        .collect();
    headers.sort();
    Seen { path: path.to_owned(), status: answer.status, headers, body: without_random(&answer) }
}

/// The body without what is random in every answer: trace ids, and the nonce of the form.
fn without_random(answer: &Answer) -> String {
    let text = answer.text();
    if answer.header("content-type") == Some("application/problem+json") {
        return answer.without_trace();
    }
    match text.split_once("name=\"submission\" value=\"") {
        Some((before, rest)) => before.to_owned() + rest.split_once('"').expect("the end of the nonce").1,
        None => text.to_owned(),
    }
}

/// Every public answer about the article, and about the ids around those of its comments.
async fn see_all(app: &TestApp, around: std::ops::Range<i64>) -> Vec<Seen> {
    let article = "/api/v1/sites/main/articles/a";
    let mut paths = vec![article.to_owned(), "/api/v1/sites/main/counts?article=a".to_owned()];
    for view in ["tree", "flat"] {
        for sort in ["oldest", "newest", "top"] {
            for limit in [1, 2, 50] {
                paths.push(format!("{article}/comments?view={view}&sort={sort}&limit={limit}"));
            }
        }
    }
    paths.push("/sites/main/articles/a".to_owned());
    for id in around {
        paths.push(format!("/api/v1/comments/{id}"));
        paths.push(format!("/sites/main/articles/a?comment={id}"));
        paths.push(format!("/sites/main/articles/a?reply_to={id}"));
    }
    let mut seen = Vec::new();
    for path in paths {
        let one = see(app, &path).await;
        // The next pages too.
        if let Some(cursor) =
            serde_json::from_str::<Value>(&one.body).ok().and_then(|body| Some(body["next"].as_str()?.to_owned()))
        {
            seen.push(see(app, &format!("{path}&cursor={cursor}")).await);
        }
        seen.push(one);
    }
    seen
}

fn assert_same(before: &[Seen], after: &[Seen], what: &str) {
    for (before, after) in before.iter().zip(after) {
        assert_eq!(before, after, "{what}");
    }
    assert_eq!(before.len(), after.len(), "{what}");
}

mod unpublished {
    use super::*;

    async fn decide(app: &TestApp, admin: &Person, id: i64, version: i64, decision: &str) {
        let body = json!({ "decision": decision, "reason": "spam", "message": "a message", "note": "a note" });
        app.decide_with(admin, id, version, &body).await.expect(201);
    }

    #[test]
    fn nothing_public_changes_when_a_comment_is_held_or_decided_against() {
        on_each_database(async |app| {
            let (article, admin) = (app.article("a").await, app.admin().await);
            app.publish_first().await;
            let root = app.posted(&article, &form("a root")).await;
            let mut reply = form("a reply");
            reply["parent_id"] = json!(root);
            let last = app.posted(&article, &reply).await;
            app.posted(&article, &form("another root")).await;
            let around = root - 1..last + 16;
            let before = see_all(app, around.clone()).await;
            assert_same(&before, &see_all(app, around.clone()).await, "nothing happened");
            app.set_site(
                "main",
                rejoinder::sites::SetSite { policy: Some(rejoinder::screening::Policy::HoldAll), ..Default::default() },
            )
            .await;
            let held_root = app.posted(&article, &form("held")).await;
            assert_same(&before, &see_all(app, around.clone()).await, "a root was held");
            let mut reply = form("held reply");
            reply["parent_id"] = json!(root);
            let held_reply = app.posted(&article, &reply).await;
            assert!(around.contains(&held_reply), "the ids compared hold that of the held comment");
            assert_same(&before, &see_all(app, around.clone()).await, "a reply was held");
            for (version, decision) in [(1, "reject"), (2, "spam"), (3, "trash"), (4, "hold")] {
                for id in [held_root, held_reply] {
                    decide(app, &admin, id, version, decision).await;
                    assert_same(&before, &see_all(app, around.clone()).await, decision);
                }
            }
            for id in [held_root, held_reply] {
                decide(app, &admin, id, 5, "approve").await;
            }
            let published = see_all(app, around.clone()).await;
            assert_ne!(before, published, "what is approved is seen");
            for id in [held_reply, held_root] {
                decide(app, &admin, id, 6, "reject").await;
            }
            assert_same(&before, &see_all(app, around.clone()).await, "approved, then rejected");
        });
    }

    #[test]
    fn spam_is_answered_and_receipted_exactly_like_any_held_comment() {
        on_each_database(async |app| {
            let (article, admin) = (app.article("a").await, app.admin().await);
            let answer = app.post(&article, &form("buy this")).await.expect(202).json();
            let token = answer["receipt_url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
            let paths = [format!("/api/v1/receipts/{token}"), format!("/receipts/{token}")];
            let mut before = Vec::new();
            for path in &paths {
                before.push(see(app, path).await);
            }
            decide(app, &admin, answer["id"].as_i64().unwrap(), 1, "spam").await;
            let mut after = Vec::new();
            for path in &paths {
                after.push(see(app, path).await);
            }
            assert_same(&before, &after, "spam");
            assert!(before[0].body.contains("\"status\":\"pending\""));
            // The same again is answered as before, too.
            app.post(&article, &form("buy this")).await.expect_problem(409, "duplicate-comment");
        });
    }

    /// A cursor is only base64 of a list and an id: anybody can make one.
    #[test]
    fn a_cursor_made_by_hand_does_not_tell_whether_a_comment_is_there() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            app.publish_first().await;
            for text in ["one", "two"] {
                app.posted(&article, &form(text)).await;
            }
            app.set_site(
                "main",
                rejoinder::sites::SetSite { policy: Some(rejoinder::screening::Policy::HoldAll), ..Default::default() },
            )
            .await;
            let held = app.posted(&article, &form("held")).await;
            for view in ["tree", "flat"] {
                let list = format!("{article}/comments?view={view}");
                let page = app.get(&format!("{list}&limit=1")).await.expect(200).json();
                let made_for = |id: i64| {
                    let mut bytes = URL_SAFE_NO_PAD.decode(page["next"].as_str().unwrap()).unwrap();
                    bytes[4..12].copy_from_slice(&id.to_be_bytes());
                    URL_SAFE_NO_PAD.encode(bytes)
                };
                let of_held = see(app, &format!("{list}&cursor={}", made_for(held))).await;
                let of_nothing = see(app, &format!("{list}&cursor={}", made_for(999_999))).await;
                assert_eq!((of_held.status, of_held.body), (of_nothing.status, of_nothing.body), "{view}");
            }
        });
    }
}

mod personal {
    use super::*;

    const EMAIL: &str = "marked.reader@secret-mail.example";
    const ADDRESS: &str = "203.0.113.77";
    const AGENT: &str = "MarkedAgent/9.9";

    /// What must stand nowhere: the address, whole and in parts, and digests of it as avatars would be found by.
    fn markers() -> Vec<String> {
        let sha256 = {
            use sha2::Digest;
            sha2::Sha256::digest(EMAIL.as_bytes()).to_vec()
        };
        let md5 = "de61ee38bc8ce30a8a601675bb89550c";
        let sha1 = "2539049188c1c57687f58d5e8780e46651330826";
        let mut markers: Vec<String> =
            [EMAIL, "marked.reader", "secret-mail", ADDRESS, "203.0.113", AGENT, "MarkedAgent"]
                .map(str::to_owned)
                .into();
        for digest in [bytes_of(md5), bytes_of(sha1), sha256] {
            markers.push(hex_of(&digest));
            markers.push(STANDARD.encode(&digest));
            markers.push(URL_SAFE_NO_PAD.encode(&digest));
        }
        markers.push(STANDARD.encode(EMAIL));
        markers
    }

    fn hex_of(bytes: &[u8]) -> String {
        bytes.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
    }

    fn bytes_of(hex: &str) -> Vec<u8> {
        (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).expect("hex")).collect()
    }

    #[test]
    fn no_public_byte_tells_the_email_the_address_or_the_browser() {
        let setup = Setup {
            public_url: Some("https://comments.example"),
            trusted_proxies: Some("127.0.0.1"),
            ..Setup::default()
        };
        on_each_database_with(&setup, async |app| {
            let (article, admin) = (app.article("a").await, app.admin().await);
            let headers = [("x-forwarded-for", ADDRESS), ("user-agent", AGENT)];
            let body = |text: &str| json!({ "name": "Ada", "email": EMAIL, "comment": text });
            let held = app.post_with(&article, &body("held"), &headers).await.expect(202);
            app.publish_first().await;
            let published = app.post_with(&article, &body("published"), &headers).await.expect(201);
            let again = app.post_with(&article, &body("published"), &headers).await;
            let wrong = app.post_with(&article, &json!({ "name": "Ada", "email": EMAIL }), &headers).await;
            let (held_id, id) = (held.json()["id"].as_i64().unwrap(), published.json()["id"].as_i64().unwrap());
            // It was kept, so there is something to leak.
            let item = app.get_as(&admin, &format!("/api/v1/review/comments/{id}")).await.expect(200).json();
            assert_eq!(
                (&item["email"], &item["ip"], &item["user_agent"]),
                (&json!(EMAIL), &json!(ADDRESS), &json!(AGENT))
            );
            let mut seen = see_all(app, held_id - 1..id + 3).await;
            for answer in [&held, &published] {
                let url = answer.json()["receipt_url"].as_str().unwrap().to_owned();
                let token = url.rsplit('/').next().unwrap();
                for path in [format!("/api/v1/receipts/{token}"), format!("/receipts/{token}")] {
                    seen.push(see(app, &path).await);
                }
            }
            seen.push(see(app, "/openapi.json").await);
            let texts = seen.iter().map(|seen| format!("{:?} {}", seen.headers, seen.body));
            let answers = [held, published, again, wrong];
            let answers = answers.iter().map(|answer| format!("{:?} {}", answer.headers, answer.text()));
            for text in texts.chain(answers) {
                for marker in markers() {
                    assert!(!text.to_lowercase().contains(&marker.to_lowercase()), "{marker} stands in {text}");
                }
            }
        });
    }
}

mod log {
    use super::*;

    struct Server {
        child: Child,
        base: String,
        log: std::path::PathBuf,
        mailbox: Mailbox,
        _dir: tempfile::TempDir,
        _database: TestDatabase,
    }

    impl Drop for Server {
        fn drop(&mut self) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }

    fn program(database: &TestDatabase, dir: &std::path::Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rejoinder"));
        command
            .current_dir(dir)
            .env("REJOINDER_DATABASE_URL", database.url_text())
            .env("REJOINDER_LISTEN", "127.0.0.1:0")
            .env("REJOINDER_LIMITS", "off")
            .env("REJOINDER_LOG", "trace");
        command
    }

    /// The program itself, saying all that it can say.
    fn start(database: TestDatabase, password: &str) -> Server {
        let dir = tempfile::tempdir().expect("a folder");
        let log = dir.path().join("log");
        let lines = || std::fs::OpenOptions::new().create(true).append(true).open(&log).expect("a file");
        let mut add = program(&database, dir.path());
        add.args(["moderator", "add", "boss", "--role", "admin", "--password-stdin"]).stderr(lines()).stdout(lines());
        let mut adding = add.stdin(Stdio::piped()).spawn().expect("the program");
        adding.stdin.take().expect("its input").write_all(password.as_bytes()).expect("a password");
        assert!(adding.wait().expect("an end").success());
        let mut article = program(&database, dir.path());
        article.args([
            "article",
            "add",
            "--site",
            "main",
            "--key",
            "a",
            "--title",
            "A",
            "--url",
            "https://news.example/a",
        ]);
        assert!(article.stderr(lines()).stdout(lines()).status().expect("an end").success());
        let mailbox = Mailbox::start();
        let mut server = program(&database, dir.path());
        server.env("REJOINDER_MAIL", mailbox.url.replace("//", "//marked-user:marked-password-for-mail@"));
        server.env("REJOINDER_MAIL_FROM", "comments@news.example");
        let mut child = server.stdout(Stdio::piped()).stderr(lines()).spawn().expect("the program");
        let mut line = String::new();
        let mut output = std::io::BufReader::new(child.stdout.take().expect("its output"));
        output.read_line(&mut line).expect("a line");
        let base = line.trim().strip_prefix("listening on ").expect("where it listens").to_owned();
        Server { child, base, log, mailbox, _dir: dir, _database: database }
    }

    async fn answer(
        server: &Server,
        method: Method,
        path: &str,
        body: Option<&Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let request = reqwest::Client::new().request(method, format!("{}{path}", server.base));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        Answer::of(match body {
            Some(body) => request.json(body),
            None => request,
        })
        .await
    }

    #[test]
    fn no_secret_and_no_email_is_logged_even_at_trace() {
        let databases = std::iter::once(TestDatabase::sqlite()).chain(postgres_url().map(TestDatabase::postgres));
        for database in databases {
            let server = start(database, "marked-password-of-the-boss");
            let secrets = actix_web::rt::System::new().block_on(use_it(&server));
            let log = std::fs::read_to_string(&server.log).expect("the log");
            let answered = log.lines().filter(|line| line.contains("answered")).count();
            assert!(answered >= 200, "the log says too little to prove anything: {answered} answers");
            for secret in ["secret-mail", "marked-password", "marked-key", "MarkedAgent"]
                .iter()
                .map(|marker| (*marker).to_owned())
                .chain(secrets)
            {
                let found: Vec<&str> = log.lines().filter(|line| line.contains(&secret)).take(3).collect();
                assert!(found.is_empty(), "{secret} stands in {} lines: {found:?}", found.len());
            }
        }
    }

    /// Sends what is secret by every way there is; gives the secrets that the server made.
    async fn use_it(server: &Server) -> Vec<String> {
        let mut secrets = Vec::new();
        let sign_in = async |password: &str| {
            let body = json!({ "username": "boss", "password": password });
            answer(server, Method::POST, "/api/v1/session", Some(&body), &[]).await
        };
        for count in 0..4 {
            sign_in(&format!("marked-password-that-is-wrong-{count}")).await.expect(401);
        }
        let session = sign_in("marked-password-of-the-boss").await.expect(200).json();
        let token = |name: &str| session[name].as_str().expect("a token").to_owned();
        let (access, refresh) = (token("access_token"), token("refresh_token"));
        let bearer = format!("Bearer {access}");
        for count in 0..50 {
            let body = json!({
                "name": "Ada",
                "email": format!("reader-{count}@secret-mail.example"),
                "comment": format!("comment {count}"),
            });
            let key = format!("marked-key-{count}");
            let headers = [("idempotency-key", key.as_str()), ("user-agent", "MarkedAgent/9.9")];
            let path = "/api/v1/sites/main/articles/a/comments";
            let posted = answer(server, Method::POST, path, Some(&body), &headers).await.expect(202).json();
            let url = posted["receipt_url"].as_str().expect("a receipt").to_owned();
            let receipt = url.rsplit('/').next().expect("a token").to_owned();
            answer(server, Method::GET, &format!("/receipts/{receipt}"), None, &[]).await.expect(200);
            let wrong = json!({ "name": "Ada", "email": format!("not one.{count}@secret-mail.example, ") });
            answer(server, Method::POST, path, Some(&wrong), &headers).await.expect(422);
            let item = format!("/api/v1/review/comments/{}", posted["id"]);
            answer(server, Method::GET, &item, None, &[("authorization", &bearer)]).await.expect(200);
            secrets.push(receipt);
        }
        secrets.extend(use_mail(server).await);
        secrets.extend(use_second_factor(server, &bearer).await);
        let cookies = json!({ "username": "boss", "password": "marked-password-of-the-boss", "code": secrets.last(),
            "cookies": true });
        let headers = [("sec-fetch-site", "same-origin")];
        let signed_in = answer(server, Method::POST, "/api/v1/session", Some(&cookies), &headers).await.expect(200);
        let cookies: Vec<&str> = signed_in
            .headers
            .get_all("set-cookie")
            .iter()
            .map(|cookie| cookie.to_str().expect("ASCII").split(';').next().expect("a cookie"))
            .collect();
        let cookie = cookies.join("; ");
        answer(server, Method::GET, "/api/v1/me", None, &[("cookie", &cookie)]).await.expect(200);
        answer(server, Method::PATCH, "/api/v1/me", None, &[("cookie", &cookie)]).await.expect(403);
        secrets.extend(cookies.iter().map(|cookie| cookie.split_once('=').expect("a value").1.to_owned()));
        let broken = format!("Bearer {}x", &access[..access.len() - 1]);
        answer(server, Method::GET, "/api/v1/me", None, &[("authorization", &broken)]).await.expect(401);
        let body = json!({ "refresh_token": refresh });
        let next = answer(server, Method::POST, "/api/v1/session/refresh", Some(&body), &[]).await.expect(200).json();
        for name in ["access_token", "refresh_token"] {
            secrets.push(next[name].as_str().expect("a token").to_owned());
        }
        answer(server, Method::GET, "/api/v1/comments/1?email=x@secret-mail.example", None, &[]).await;
        answer(server, Method::DELETE, "/api/v1/session", None, &[("authorization", &bearer)]).await;
        secrets.extend([access, refresh]);
        secrets
    }

    /// Lets letters be refused, fail and come, verifies an email and is remembered; gives the secrets of it.
    async fn use_mail(server: &Server) -> Vec<String> {
        let came = || server.mailbox.mails().len();
        eventually("the letters came", async || came() >= 50).await;
        let path = "/api/v1/sites/main/articles/a/comments";
        for (name, mood) in
            [("refused", Mood::Answers(550)), ("later", Mood::Answers(451)), ("broken", Mood::BreaksOff)]
        {
            server.mailbox.set_mood(mood);
            let before = server.mailbox.connections();
            let body = json!({ "name": "Ada", "email": format!("{name}@secret-mail.example"), "comment": name });
            answer(server, Method::POST, path, Some(&body), &[]).await.expect(202);
            eventually("it was tried", async || server.mailbox.connections() > before).await;
        }
        // Each try ends with a line in the log.
        let is_told = async || {
            let log = std::fs::read_to_string(&server.log).expect("the log");
            log.contains("a mail was refused") && log.matches("a mail is tried again later").count() >= 2
        };
        eventually("it is told", is_told).await;
        let link = server.mailbox.mails()[0].path();
        answer(server, Method::GET, &link, None, &[]).await.expect(200);
        let remember = json!({ "remember": true });
        let done = answer(server, Method::POST, &link, Some(&remember), &[]).await.expect(200);
        let cookie = done.header("set-cookie").expect("a cookie").split(';').next().expect("a pair").to_owned();
        let page =
            answer(server, Method::GET, "/sites/main/articles/a", None, &[("cookie", &cookie)]).await.expect(200);
        assert!(page.text().contains("@secret-mail.example"), "it is remembered");
        let value = cookie.split_once('=').expect("a value").1.to_owned();
        vec![value, link.rsplit('/').next().expect("a token").to_owned(), "marked-password-for-mail".to_owned()]
    }

    /// Sets a second factor up and gives its secret and its recovery codes, of which the last is unused.
    async fn use_second_factor(server: &Server, bearer: &str) -> Vec<String> {
        let headers = [("authorization", bearer)];
        let enrolled = answer(server, Method::POST, "/api/v1/me/totp", None, &headers).await.expect(201).json();
        let secret = enrolled["secret"].as_str().expect("a secret").to_owned();
        let now = totp::step_at(Clock::system().now());
        let code = totp::code_of(&base32_bytes(&secret), now);
        let confirm = async |code: &str| {
            let body = json!({ "code": code });
            answer(server, Method::PUT, "/api/v1/me/totp", Some(&body), &headers).await
        };
        confirm("marked-key-1").await.expect(422);
        let shown = confirm(&code).await.expect(200).json();
        let codes = shown["recovery_codes"].as_array().expect("codes").iter();
        let mut secrets: Vec<String> = codes.map(|code| code.as_str().expect("a code").to_owned()).collect();
        secrets.insert(0, secret);
        for code in ["marked-key-2", &secrets[1], &secrets[1]] {
            let body = json!({ "username": "boss", "password": "marked-password-of-the-boss", "code": code });
            answer(server, Method::POST, "/api/v1/session", Some(&body), &[]).await;
        }
        secrets
    }
}
