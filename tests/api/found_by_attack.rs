//! What somebody who attacked all of it, or used it carelessly, once found: each was a bug, and its test came first here.

use std::time::Duration;

use rejoinder::sites::SetSite;
use reqwest::Method;
use serde_json::json;

use crate::support::process::rejoinder;
use crate::support::{Answer, Setup, form, on_each_database, on_each_database_with};

#[test]
fn a_page_ends_before_it_is_too_large_to_serve() {
    on_each_database(async |app| {
        let article = app.article("a").await;
        app.publish_first().await;
        for number in 0..30 {
            // Each `&` is five bytes of HTML.
            app.posted(&article, &form(&format!("{number} {}", "&".repeat(60_000)))).await;
        }
        for view in ["flat", "tree"] {
            let (mut listed, mut page) = (0, format!("{article}/comments?view={view}&limit=100"));
            loop {
                let answer = app.get(&page).await.expect(200);
                assert!(answer.body.len() < 4 << 20, "{} bytes", answer.body.len());
                let body = answer.json();
                listed += body["items"].as_array().unwrap().len();
                let Some(next) = body["next"].as_str() else { break };
                page = format!("{article}/comments?view={view}&limit=100&cursor={next}");
            }
            assert_eq!(listed, 30, "{view}");
        }
        assert!(app.get("/sites/main/articles/a").await.expect(200).body.len() < 4 << 20);
    });
}

#[test]
fn a_root_with_more_bytes_below_it_than_fit_has_a_cursor_for_the_rest() {
    on_each_database(async |app| {
        let article = app.article("a").await;
        app.publish_first().await;
        let root = app.posted(&article, &form("the root")).await;
        for number in 0..20 {
            let mut reply = form(&format!("{number} {}", "&".repeat(60_000)));
            reply["parent_id"] = json!(root);
            app.posted(&article, &reply).await;
        }
        let first = app.get(&format!("{article}/comments")).await.expect(200).json();
        let mut listed = first["items"][0]["children"].as_array().unwrap().len();
        let mut cursor = first["items"][0]["more"].as_str().map(str::to_owned);
        while let Some(more) = cursor {
            let rest = app.get(&format!("{article}/comments?cursor={more}")).await.expect(200).json();
            listed += rest["items"].as_array().unwrap().len();
            cursor = rest["next"].as_str().map(str::to_owned);
        }
        assert_eq!(listed, 20);
    });
}

#[test]
fn a_queue_page_ends_before_it_is_too_large_to_serve() {
    on_each_database(async |app| {
        let (article, admin) = (app.article("a").await, app.admin().await);
        for number in 0..20 {
            app.posted(&article, &form(&format!("{number} {}", "&".repeat(60_000)))).await;
        }
        let (mut listed, mut page) = (0, "/api/v1/review/comments".to_owned());
        loop {
            let answer = app.get_as(&admin, &page).await.expect(200);
            assert!(answer.body.len() < 4 << 20, "{} bytes", answer.body.len());
            let body = answer.json();
            listed += body["items"].as_array().unwrap().len();
            let Some(next) = body["next"].as_str() else { break };
            page = format!("/api/v1/review/comments?cursor={next}");
        }
        assert_eq!(listed, 20);
    });
}

#[test]
fn nonsense_before_a_proxys_hop_does_not_hide_the_address() {
    let setup = Setup { trusted_proxies: Some("127.0.0.1"), ..Setup::default() };
    on_each_database_with(&setup, async |app| {
        let (article, admin) = (app.article("a").await, app.admin().await);
        let hops = reqwest::header::HeaderValue::from_bytes(b"\xff\xfe, 203.0.113.9").unwrap();
        let request = app.request(Method::POST, &format!("{article}/comments")).header("X-Forwarded-For", hops);
        Answer::of(request.json(&form("from behind nonsense"))).await.expect(202);
        assert_eq!(app.get_as(&admin, "/api/v1/review/comments").await.json()["items"][0]["ip"], "203.0.113.9");
    });
}

#[test]
fn nul_in_a_filter_is_a_422_on_both_databases() {
    on_each_database(async |app| {
        let admin = app.admin().await;
        for name in ["site", "article", "status"] {
            let answer = app.get_as(&admin, &format!("/api/v1/review/comments?{name}=%00")).await;
            answer.expect_problem(422, "invalid");
        }
    });
}

#[test]
fn a_site_written_in_another_way_has_nobodys_origins() {
    on_each_database(async |app| {
        app.article("a").await;
        app.site("other").await;
        let origins = Some(vec!["https://other.example".to_owned()]);
        app.set_site("other", SetSite { origins, ..SetSite::default() }).await;
        let request = app.request(Method::GET, "/api/v1/sites/%6dain/articles/a/comments");
        let answer = Answer::of(request.header("Origin", "https://other.example")).await;
        assert_eq!(answer.header("access-control-allow-origin"), None);
    });
}

#[test]
fn a_text_cannot_stand_in_for_another_comment() {
    on_each_database(async |app| {
        let article = app.article("a").await;
        app.publish_first().await;
        let mut last = 0;
        for number in 0..60 {
            last = app.posted(&article, &form(&format!("number {number}"))).await;
        }
        app.posted(&article, &form("early")).await;
        let wanted = last;
        let mut imposter = form(&format!("id=\"comment-{wanted}\""));
        let first = app.get(&format!("{article}/comments?limit=1")).await.json()["items"][0]["id"].clone();
        imposter["parent_id"] = first;
        app.posted(&article, &imposter).await;
        let page = app.get(&format!("/sites/main/articles/a?comment={wanted}")).await.expect(200);
        assert!(page.text().contains(&format!("<article class=\"comment\" id=\"comment-{wanted}\"")));
    });
}

#[test]
fn unknown_names_do_not_come_back_without_end() {
    on_each_database(async |app| {
        let names: serde_json::Map<_, _> = (0..20_000).map(|number| (format!("n{number}"), json!(1))).collect();
        let answer = Answer::of(app.request(Method::POST, "/api/v1/session/refresh").json(&names)).await.expect(422);
        assert!(answer.body.len() < 32 * 1024, "{} bytes", answer.body.len());
    });
}

#[test]
fn a_version_without_quotes_is_unreadable_and_not_stale() {
    on_each_database(async |app| {
        let (article, admin) = (app.article("a").await, app.admin().await);
        let id = app.posted(&article, &form("decide me")).await;
        let path = format!("/api/v1/review/comments/{id}/decisions");
        let request = app.request_as(&admin, Method::POST, &path).header("If-Match", "1");
        Answer::of(request.json(&json!({ "decision": "approve" }))).await.expect_problem(400, "unreadable");
    });
}

#[test]
fn a_database_file_that_was_removed_takes_nothing_and_is_not_ready() {
    let dir = tempfile::tempdir().unwrap();
    rejoinder(dir.path()).args("article add --site main --key a --title A --url https://news.example/a").run_well();
    let server = rejoinder(dir.path()).env("REJOINDER_LIMITS", "off").serve();
    for name in ["rejoinder.db", "rejoinder.db-wal", "rejoinder.db-shm"] {
        let _ = std::fs::remove_file(dir.path().join(name));
    }
    actix_web::rt::System::new().block_on(async {
        let client = reqwest::Client::new();
        let post = client.post(format!("{}/api/v1/sites/main/articles/a/comments", server.base)).json(&form("lost?"));
        Answer::of(post).await.expect_problem(503, "unavailable");
        Answer::of(client.get(format!("{}/readyz", server.base))).await.expect_problem(503, "unavailable");
    });
}

#[test]
fn after_an_orderly_stop_the_file_alone_is_whole() {
    let dir = tempfile::tempdir().unwrap();
    rejoinder(dir.path()).args("article add --site main --key a --title A --url https://news.example/a").run_well();
    let mut server = rejoinder(dir.path()).serve();
    server.terminate();
    assert_eq!(server.wait(Duration::from_secs(10)).0, Some(0));
    assert!(!server.stderr().contains("ERROR"), "{}", server.stderr());
    let log = std::fs::metadata(dir.path().join("rejoinder.db-wal")).map_or(0, |metadata| metadata.len());
    // Its header has 32 bytes; a page would have more than 4,096.
    assert!(log <= 32, "{log} bytes of the write-ahead log");
}

#[test]
fn a_server_whose_log_nobody_reads_any_more_still_stops() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_rejoinder"))
        .args(["--listen", "127.0.0.1:0", "--log", "rejoinder=debug"])
        .current_dir(dir.path())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    let base = lines.next().unwrap().unwrap().replace("listening on ", "");
    drop((child.stderr.take(), lines));
    actix_web::rt::System::new().block_on(async {
        Answer::of(reqwest::Client::new().get(format!("{base}/healthz"))).await.expect(200);
    });
    assert!(std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_demo_touches_nothing_when_it_cannot_listen_or_the_database_is_in_use() {
    let dir = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let run = rejoinder(dir.path()).args("demo --listen").arg(&address).run();
    assert_eq!(run.code, Some(1));
    assert!(!dir.path().join("rejoinder-demo.db").exists());

    let password = "a password that is real";
    rejoinder(dir.path()).args("moderator add ines --role admin --password-stdin").input(password).run_well();
    let run = rejoinder(dir.path()).args("demo --database-url sqlite:rejoinder.db --listen 127.0.0.1:0").run();
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("in use"), "{}", run.stderr);
    assert!(!rejoinder(dir.path()).args("moderator list").run_well().contains("demo"));
}
