//! Live events: `src/review/events.rs`, `src/kit/changes.rs`.

use std::collections::BTreeSet;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use rejoinder::accounts::{self, Role};
use rejoinder::audit::Actor;
use rejoinder::config::{Given, Settings};
use rejoinder::kit::changes::Change;
use rejoinder::kit::clock::Clock;
use rejoinder::kit::ids::{CommentId, SiteId};
use reqwest::Method;
use serde_json::json;

use crate::support::events::{Event, Events};
use crate::support::people::{PASSWORD, Person};
use crate::support::process::rejoinder;
use crate::support::server::TestApp;
use crate::support::{Answer, form, on_each_database};

/// The contract's second, and room for a machine that is busy with other tests.
const AT_ONCE: Duration = Duration::from_secs(3);

fn told(event: &Event) -> (i64, i64, &str, &str) {
    let number = |name: &str| event.data[name].as_i64().expect("a number");
    let text = |name: &str| event.data[name].as_str().expect("a text");
    assert_eq!(event.kind, "comment");
    assert_eq!(event.data.as_object().expect("an object").len(), 4, "{event:?}");
    (number("comment_id"), number("version"), text("status"), text("site"))
}

async fn send(
    app: &TestApp,
    person: &Person,
    method: Method,
    path: &str,
    version: i64,
    body: &serde_json::Value,
) -> Answer {
    let request = app.request_as(person, method, path).header("if-match", format!("\"{version}\""));
    Answer::of(request.json(body)).await
}

mod telling {
    use super::*;

    #[test]
    fn whatever_gives_a_comment_another_version_is_told_once() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let article = app.article("a").await;
            let mut events = app.follow(&person, None).await;
            let mut body = form("a comment");
            body["submission"] = json!("the same nonce");
            let id = app.posted(&article, &body).await;
            assert_eq!(told(&events.soon().await), (id, 1, "pending", "main"));
            // The same request again makes nothing, and neither does what changes nothing.
            assert_eq!(app.posted(&article, &body).await, id);
            app.decide(&person, id, 1, "approve").await.expect(201);
            app.decide(&person, id, 2, "approve").await.expect(200);
            assert_eq!(told(&events.soon().await), (id, 2, "approved", "main"));
            let path = format!("/api/v1/review/comments/{id}");
            let edit = json!({ "text": "another", "reason": "because" });
            send(app, &person, Method::PATCH, &path, 2, &edit).await.expect(200);
            send(app, &person, Method::PATCH, &path, 3, &edit).await.expect(200);
            assert_eq!(told(&events.soon().await), (id, 3, "approved", "main"));
            let reply = json!({ "text": "a reply" });
            let reply = send(app, &person, Method::POST, &format!("{path}/replies"), 3, &reply).await.expect(201);
            let reply = reply.json()["id"].as_i64().unwrap();
            assert_eq!(told(&events.soon().await), (reply, 1, "approved", "main"));
            app.decide(&person, id, 3, "trash").await.expect(201);
            assert_eq!(told(&events.soon().await), (id, 4, "trash", "main"));
            let held = app.posted(&article, &form("held")).await;
            assert_eq!(told(&events.soon().await), (held, 1, "pending", "main"));
            let both = json!({ "text": "with it", "approve_parent": true });
            let path = format!("/api/v1/review/comments/{held}/replies");
            let reply = send(app, &person, Method::POST, &path, 1, &both).await.expect(201).json()["id"].as_i64();
            assert_eq!(told(&events.soon().await), (held, 2, "approved", "main"));
            assert_eq!(told(&events.soon().await), (reply.unwrap(), 1, "approved", "main"));
        });
    }

    #[test]
    fn a_desk_hears_of_its_own_sites_alone() {
        on_each_database(async |app| {
            app.site("second").await;
            let (ours, theirs) = (app.article("a").await, app.article_on("second", "a").await);
            let reviewer = app.person("reviewer", Role::ReviewerWithoutEmails, &["main"]).await;
            let (admin, nowhere) = (app.admin().await, app.person("nowhere", Role::Lead, &[]).await);
            let mut seen = app.follow(&reviewer, None).await;
            let (mut all, mut none) = (app.follow(&admin, None).await, app.follow(&nowhere, None).await);
            let first = app.posted(&theirs, &form("theirs")).await;
            let second = app.posted(&ours, &form("ours")).await;
            assert_eq!(told(&seen.soon().await), (second, 1, "pending", "main"));
            assert_eq!(told(&all.soon().await), (first, 1, "pending", "second"));
            assert_eq!(told(&all.soon().await), (second, 1, "pending", "main"));
            assert!(tokio::time::timeout(Duration::from_millis(200), none.next()).await.is_err(), "silence");
            // A site that was not there when it began.
            app.site("third").await;
            let later = app.article_on("third", "a").await;
            let third = app.posted(&later, &form("later")).await;
            assert_eq!(told(&all.soon().await), (third, 1, "pending", "third"));
        });
    }

    #[test]
    fn what_is_wrong_with_the_request_is_a_problem() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let path = "/api/v1/review/events";
            app.get(path).await.expect_problem(401, "unauthenticated");
            app.get_as(&person, &format!("{path}?site=main")).await.expect_faults(&[("/site", "unknown")]);
        });
    }

    #[test]
    fn a_head_request_ends() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let token = person.access.clone();
            let (head, health) = {
                let mut raw = app.raw();
                actix_web::rt::task::spawn_blocking(move || {
                    let path = "HEAD /api/v1/review/events HTTP/1.1\r\nhost: x\r\n";
                    raw.send(format!("{path}authorization: Bearer {token}\r\n\r\n")).expect("sent");
                    raw.send("GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").expect("sent");
                    (raw.head().expect("a head"), raw.answer().expect("an answer").expect("an answer"))
                })
                .await
                .expect("a thread")
            };
            assert_eq!((head, health.status), (200, 200));
        });
    }
}

mod resuming {
    use super::*;

    /// A desk that breaks off at random, in the middle of a block too, while much is posted and decided.
    #[test]
    fn through_broken_connections_nothing_is_lost_or_doubled() {
        on_each_database(async |app| {
            const POSTS: usize = 60;
            let person = app.moderator().await;
            let article = app.article("a").await;
            let mut events = app.follow(&person, None).await;
            let work = async {
                let mut done = BTreeSet::new();
                for number in 0..POSTS {
                    let id = app.posted(&article, &form(&format!("number {number}"))).await;
                    done.insert((id, 1));
                    let decisions = ["approve", "spam", "hold"];
                    for (version, decision) in (1..).zip(decisions.into_iter().take(number % 4)) {
                        app.decide(&person, id, version, decision).await.expect(201);
                        done.insert((id, version + 1));
                    }
                }
                done
            };
            let read = async {
                let (mut heard, mut last, mut breaks) = (Vec::new(), events.last, 0);
                let mut random = fastrand::Rng::new();
                loop {
                    for _ in 0..random.usize(0..12) {
                        let event = events.soon().await;
                        let (id, version, status, _) = told(&event);
                        last = Some(event.id);
                        if status == "trash" {
                            return (heard, breaks);
                        }
                        heard.push((id, version));
                    }
                    // What has come of the next block is lost with the connection.
                    drop(events);
                    breaks += 1;
                    events = app.follow(&person, last).await;
                }
            };
            let all = async {
                let mut done = work.await;
                let id = app.posted(&article, &form("the last comment")).await;
                done.insert((id, 1));
                app.decide(&person, id, 1, "trash").await.expect(201);
                done
            };
            let (done, (heard, breaks)) = futures_util::future::join(all, read).await;
            assert!(breaks > 5, "it broke off {breaks} times");
            let once: BTreeSet<_> = heard.iter().copied().collect();
            assert_eq!(heard.len(), once.len(), "something was told twice");
            assert_eq!(once, done);
        });
    }

    #[test]
    fn a_connection_that_breaks_before_the_first_event_resumes() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let article = app.article("a").await;
            let begun = app.follow(&person, None).await.last;
            let id = app.posted(&article, &form("a comment")).await;
            assert_eq!(told(&app.follow(&person, begun).await.soon().await), (id, 1, "pending", "main"));
        });
    }

    #[test]
    fn what_cannot_be_resumed_is_a_resync() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let article = app.article("a").await;
            let begun = app.follow(&person, None).await.last.unwrap();
            for last in ["0", "1", "-1", "+1", "x", "", "7_000", "99999999999999999999999", &(begun + 1).to_string()] {
                let mut events = Events::open_after(&app.client, &app.base, &person.access, Some(last)).await;
                let event = events.soon().await;
                assert_eq!((event.kind.as_str(), event.id, &event.data), ("resync", begun, &json!({})), "{last:?}");
            }
            let mut events = Events::open_after(&app.client, &app.base, &person.access, Some("7")).await;
            assert_eq!(events.soon().await.kind, "resync");
            let id = app.posted(&article, &form("a comment")).await;
            assert_eq!(told(&events.soon().await), (id, 1, "pending", "main"), "it goes on after that");
        });
    }

    /// Another node of the same database, or this one after it was started anew.
    #[test]
    fn an_id_of_another_process_is_not_taken_for_ours() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let article = app.article("a").await;
            let mut events = app.follow(&person, None).await;
            let given = Given {
                database_url: Some(app.database.url_text()),
                listen: Some("127.0.0.1:0".to_owned()),
                limits: Some("off".to_owned()),
                // Whose tokens they are.
                public_url: Some(app.base.clone()),
                ..Given::default()
            };
            let settings = Settings::try_from(given).expect("good settings");
            let clock = Clock::Manual(app.clock.clone());
            let other = rejoinder::server::start(settings, clock).await.expect("a server");
            actix_web::rt::spawn(other.server);
            app.posted(&article, &form("a comment")).await;
            let last = eventually_told(&mut events).await;
            let base = format!("http://{}", other.address);
            // Both have told of one change, so only where their numbers begin tells them apart.
            let mut there = Events::open(&app.client, &base, &person.access, None).await;
            let begun = there.last.unwrap();
            assert!(begun > last, "what is later has a higher number");
            let mut resumed = Events::open(&app.client, &base, &person.access, Some(last)).await;
            let event = resumed.soon().await;
            assert_eq!((event.kind.as_str(), event.id), ("resync", begun));
            let mut back = app.follow(&person, Some(begun)).await;
            assert_eq!(back.soon().await.kind, "resync");
            assert!(tokio::time::timeout(Duration::from_millis(50), there.next()).await.is_err());
            other.handle.stop(false).await;
        });
    }

    /// The number of the last change, past any resync that another program's start may have brought.
    async fn eventually_told(events: &mut Events) -> u64 {
        loop {
            let event = events.soon().await;
            if event.kind == "comment" {
                return event.id;
            }
        }
    }

    #[test]
    fn what_another_program_wrote_is_a_resync_for_everyone() {
        on_each_database(async |app| {
            let rejoinder::config::DatabaseUrl::Sqlite(path) = app.database.url() else { return };
            let person = app.moderator().await;
            let article = app.article("a").await;
            let (mut one, mut two) = (app.follow(&person, None).await, app.follow(&person, None).await);
            let away = one.last;
            let mut conn = SqliteConnection::establish(&path).expect("a connection");
            conn.batch_execute("UPDATE sites SET name = 'Another name'").expect("a write");
            let event = one.soon().await;
            assert_eq!((event.kind.as_str(), event.id), ("resync", away.unwrap() + 1));
            assert_eq!(two.soon().await, event);
            // Whoever was away meanwhile hears of it too.
            assert_eq!(app.follow(&person, away).await.soon().await, event);
            let id = app.posted(&article, &form("a comment")).await;
            for events in [&mut one, &mut two] {
                assert_eq!(told(&events.soon().await), (id, 1, "pending", "main"));
            }
        });
    }

    /// A desk that reads nothing is not buffered for: it is told that it missed something.
    #[test]
    fn a_slow_desk_is_resynced() {
        on_each_database(async |app| {
            const CHANGES: i64 = 200_000;
            let person = app.admin().await;
            let mut events = app.follow(&person, None).await;
            let begun = events.last.unwrap();
            let site = SiteId::new(1);
            for number in 1..=CHANGES {
                let change = Change { comment: CommentId::new(number), version: 1, status: "pending", site };
                app.app.changes.tell(change);
                if number % 1_000 == 0 {
                    actix_web::rt::task::yield_now().await;
                }
            }
            let latest = app.app.changes.latest();
            assert_eq!(latest, begun + CHANGES.unsigned_abs());
            let (mut resyncs, mut heard) = (0, 0_u64);
            while events.last != Some(latest) {
                match events.soon().await.kind.as_str() {
                    "resync" => resyncs += 1,
                    _ => heard += 1,
                }
            }
            assert!(resyncs >= 1 && heard < CHANGES.unsigned_abs(), "{resyncs} resyncs, {heard} changes");
        });
    }
}

mod ending {
    use super::*;

    #[test]
    fn it_ends_at_sign_out() {
        on_each_database(async |app| {
            let (person, other) = (app.moderator().await, app.sign_in("moderator").await);
            let (mut events, mut others) = (app.follow(&person, None).await, app.follow(&other, None).await);
            Answer::of(app.request_as(&person, Method::DELETE, "/api/v1/session")).await.expect(204);
            assert!(events.ends_within(AT_ONCE).await);
            let article = app.article("a").await;
            let id = app.posted(&article, &form("a comment")).await;
            assert_eq!(told(&others.soon().await), (id, 1, "pending", "main"), "another session goes on");
        });
    }

    #[test]
    fn it_ends_when_somebody_is_disabled() {
        on_each_database(async |app| {
            let (_admin, person) = (app.admin().await, app.moderator().await);
            let mut events = app.follow(&person, None).await;
            accounts::disable_moderator(&app.app, Actor::NOBODY, "moderator").await.expect("disabled");
            assert!(events.ends_within(AT_ONCE).await);
        });
    }

    #[test]
    fn it_ends_when_somebodys_sites_change_and_what_they_may_see_now_is_to_be_read_anew() {
        on_each_database(async |app| {
            app.site("second").await;
            let (admin, person) = (app.admin().await, app.moderator().await);
            let mut events = app.follow(&person, None).await;
            let id = app.get_as(&person, "/api/v1/me").await.expect(200).json()["id"].clone();
            let change = app.request_as(&admin, Method::PATCH, &format!("/api/v1/moderators/{id}"));
            Answer::of(change.json(&json!({ "sites": ["second"] }))).await.expect(200);
            let theirs = app.article("a").await;
            assert_eq!(tokio::time::timeout(AT_ONCE, events.next()).await.unwrap().unwrap().kind, "resync");
            assert!(events.ends_within(AT_ONCE).await);
            let mut again = app.follow(&person, events.last).await;
            app.posted(&theirs, &form("not theirs any more")).await;
            let ours = app.article_on("second", "a").await;
            let id = app.posted(&ours, &form("theirs now")).await;
            assert_eq!(told(&again.soon().await), (id, 1, "pending", "second"));
        });
    }

    #[test]
    fn a_keys_stream_ends_with_the_key_and_sees_what_the_key_may() {
        on_each_database(async |app| {
            app.site("second").await;
            let (ours, theirs) = (app.article("a").await, app.article_on("second", "a").await);
            let admin = app.admin().await;
            let body = json!({ "name": "a desk", "scopes": ["review:read"], "sites": ["main"] });
            let key = Answer::of(app.request_as(&admin, Method::POST, "/api/v1/me/keys").json(&body))
                .await
                .expect(201)
                .json();
            let token = key["key"].as_str().unwrap();
            let mut events = Events::open(&app.client, &app.base, token, None).await;
            app.posted(&theirs, &form("theirs")).await;
            let id = app.posted(&ours, &form("ours")).await;
            assert_eq!(told(&events.soon().await), (id, 1, "pending", "main"));
            let path = format!("/api/v1/me/keys/{}", key["id"]);
            Answer::of(app.request_as(&admin, Method::DELETE, &path)).await.expect(204);
            assert!(events.ends_within(AT_ONCE).await);
        });
    }

    #[test]
    fn a_ninth_stream_of_a_session_ends_the_first() {
        on_each_database(async |app| {
            let (person, admin) = (app.moderator().await, app.admin().await);
            let mut others = app.follow(&admin, None).await;
            let mut open = Vec::new();
            for _ in 0..9 {
                open.push(app.follow(&person, None).await);
            }
            assert!(open[0].ends_within(AT_ONCE).await);
            let article = app.article("a").await;
            let id = app.posted(&article, &form("a comment")).await;
            for events in open[1..].iter_mut().chain([&mut others]) {
                assert_eq!(told(&events.soon().await).0, id);
            }
        });
    }

    /// A desk whose client has gone away gives its place back.
    #[test]
    fn streams_that_broke_off_do_not_keep_others_out() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let article = app.article("a").await;
            for number in 0..40 {
                let mut events = app.follow(&person, None).await;
                let id = app.posted(&article, &form(&format!("number {number}"))).await;
                assert_eq!(told(&events.soon().await).0, id);
            }
        });
    }

    #[test]
    fn an_orderly_stop_does_not_wait_for_streams() {
        let dir = tempfile::tempdir().expect("a folder");
        let add = rejoinder(dir.path()).args("moderator add ines --role admin --password-stdin");
        add.input(&format!("{PASSWORD}\n")).run_well();
        let mut server = rejoinder(dir.path()).arg("serve").serve();
        actix_web::rt::System::new().block_on(async {
            let client = reqwest::Client::new();
            let body = json!({ "username": "ines", "password": PASSWORD });
            let session = client.post(format!("{}/api/v1/session", server.base)).json(&body);
            let token = Answer::of(session).await.expect(200).json()["access_token"].as_str().unwrap().to_owned();
            let mut events = Events::open(&client, &server.base, &token, None).await;
            server.terminate();
            assert!(events.ends_within(AT_ONCE).await);
        });
        let (code, took) = server.wait(Duration::from_secs(10));
        assert_eq!(code, Some(0));
        assert!(took < Duration::from_secs(4), "{took:?}");
    }

    /// Something is said even when nothing happens, or a connection that is dead would never be noticed.
    #[test]
    fn a_quiet_stream_says_that_it_is_there() {
        let database = crate::support::database::TestDatabase::sqlite();
        actix_web::rt::System::new().block_on(async {
            let app = TestApp::start(&crate::support::Setup::default(), database).await;
            let person = app.moderator().await;
            let mut events = app.follow(&person, None).await;
            let said = tokio::time::timeout(Duration::from_secs(25), events.read_block()).await;
            assert_eq!(said.expect("within 15 seconds"), Some(None));
            assert_eq!(events.remarks, 1);
        });
    }
}
