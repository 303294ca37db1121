//! Mail: what is sent, to whom, and that it is sent through whatever happens. The receiver is a server of the test's own.

use std::time::{Duration, Instant};

use diesel::prelude::*;
use futures_util::future::join_all;
use rejoinder::config::{Given, Settings};
use rejoinder::jobs;
use rejoinder::kit::clock::Clock;
use rejoinder::notify::deliver_waiting;
use rejoinder::store::StoreError;
use rejoinder::store::schema::outbox;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::database::{TestDatabase, databases};
use crate::support::mailbox::{Mail, Mailbox, Mood};
use crate::support::process::{Serving, rejoinder};
use crate::support::server::TestApp;
use crate::support::{Answer, Setup, eventually, form, on_each_database};

/// Runs a test with a mailbox on each database.
fn with_mail(has_limits: bool, test: impl AsyncFn(&TestApp, &Mailbox)) {
    for database in databases() {
        let mailbox = Mailbox::start();
        let setup = Setup { mail: Some(mailbox.url.clone().leak()), has_limits, ..Setup::default() };
        actix_web::rt::System::new().block_on(async {
            let app = TestApp::start(&setup, database).await;
            test(&app, &mailbox).await;
            app.stop().await;
        });
    }
}

fn by(email: &str, comment: &str) -> Value {
    json!({ "name": "Ada", "email": email, "comment": comment })
}

async fn came(mailbox: &Mailbox, count: usize) -> Vec<Mail> {
    eventually("so many letters came", async || mailbox.mails().len() >= count).await;
    let mails = mailbox.mails();
    assert_eq!(mails.len(), count, "{mails:?}");
    mails
}

/// State, attempts, recipient and last error of every row, in the order written.
async fn rows(app: &TestApp) -> Vec<(String, i64, Option<String>, Option<String>)> {
    let read = app.app.store.read(|conn| {
        let columns = (outbox::state, outbox::attempts, outbox::recipient, outbox::last_error);
        Ok::<_, StoreError>(outbox::table.order(outbox::id).select(columns).load(conn)?)
    });
    read.await.expect("rows")
}

async fn states(app: &TestApp) -> Vec<String> {
    rows(app).await.into_iter().map(|row| row.0).collect()
}

async fn is(app: &TestApp, state: &str) {
    eventually(&format!("all are {state}"), async || states(app).await.iter().all(|is| is == state)).await;
}

mod letters {
    use super::*;

    #[test]
    fn a_letter_goes_to_the_mailbox_and_repeats_nothing_that_was_typed() {
        with_mail(false, async |app, mailbox| {
            let (article, admin) = (app.article("a").await, app.admin().await);
            let typed = json!({ "name": "Buy Pills", "email": "Ada+x@example.org", "url": "https://pills.example/",
                "comment": "Cheap pills at https://pills.example/" });
            let id = app.posted(&article, &typed).await;
            let mail = came(mailbox, 1).await.remove(0);
            assert_eq!(mail.to, "Ada+x@example.org");
            assert_eq!(mail.header("From"), "Comments <comments@news.example>");
            assert_eq!(mail.header("To"), "Ada+x@example.org");
            assert_eq!(mail.header("Subject"), "Is this your comment on Main?");
            assert_eq!(mail.header("Auto-Submitted"), "auto-generated");
            assert!(mail.header("Message-ID").ends_with("@news.example>"));
            let text = mail.text();
            assert!(text.contains("The article a") && text.contains(&app.base), "{text}");
            assert!(text.contains("1 December 2026, 12:00 UTC"), "{text}");
            assert!(!mail.data.to_lowercase().contains("pills"), "{}", mail.data);
            is(app, "sent").await;
            let item = app.get_as(&admin, &format!("/api/v1/review/comments/{id}")).await.expect(200).json();
            assert_eq!(item["author"]["record"]["verified"], false, "nothing is verified by sending a letter");
        });
    }

    #[test]
    fn what_stands_in_a_letter_is_one_header_each_whatever_the_site_is_called() {
        with_mail(false, async |app, mailbox| {
            let article = app.article("a").await;
            let name = Some("Zeitung für Überall · 新聞 {link}".to_owned());
            app.set_site("main", rejoinder::sites::SetSite { name, ..Default::default() }).await;
            app.posted(&article, &form("x")).await;
            let mail = came(mailbox, 1).await.remove(0);
            assert!(mail.header("Subject").is_ascii());
            assert!(mail.text().contains("Zeitung für Überall · 新聞 {link}"), "{}", mail.text());
            assert!(app.get(&mail.path()).await.expect(200).text().contains("新聞"));
        });
    }

    #[test]
    fn nobody_is_molested() {
        with_mail(true, async |app, mailbox| {
            let article = app.article("a").await;
            let mut articles = vec![article];
            for site in ["b", "c", "d"] {
                app.site(site).await;
                articles.push(app.article_on(site, "a").await);
            }
            let post = async |article: &str, email: &str, text: &str| {
                app.advance(60);
                app.posted(article, &by(email, text)).await;
            };
            for text in ["one", "two", "three"] {
                post(&articles[0], "ada@example.org", text).await;
                post(&articles[0], "ADA@example.org", &format!("{text} again")).await;
            }
            came(mailbox, 1).await;
            for article in &articles[1..] {
                post(article, "ada@example.org", "elsewhere").await;
            }
            assert_eq!(rows(app).await.len(), 3, "one for each site, and three in all");
            // An address causes ten a day.
            for number in 0..9 {
                post(&articles[0], &format!("reader-{number}@example.org"), "by somebody").await;
            }
            assert_eq!(rows(app).await.len(), 10);
            app.advance(86_400);
            post(&articles[0], "ada@example.org", "tomorrow").await;
            came(mailbox, 11).await;
        });
    }

    /// However many come at the same moment.
    #[test]
    fn a_crowd_of_posts_causes_one_letter() {
        with_mail(false, async |app, mailbox| {
            let article = app.article("a").await;
            let posts = (0..20).map(|number| {
                let article = article.clone();
                async move { app.posted(&article, &form(&format!("number {number}"))).await }
            });
            join_all(posts).await;
            assert_eq!(rows(app).await.len(), 1);
            came(mailbox, 1).await;
        });
    }

    #[test]
    fn spam_the_banned_and_whoever_gives_no_email_get_none() {
        with_mail(false, async |app, mailbox| {
            let (article, admin) = (app.article("a").await, app.admin().await);
            let ban = json!({ "kind": "email", "value": "troll@example.org", "reason": "x" });
            Answer::of(app.request_as(&admin, Method::POST, "/api/v1/bans").json(&ban)).await.expect(201);
            app.posted(&article, &by("Troll@example.org", "hello")).await;
            let required = rejoinder::sites::RequiredFields { name: true, email: false };
            app.set_site("main", rejoinder::sites::SetSite { required: Some(required), ..Default::default() }).await;
            app.posted(&article, &json!({ "name": "Ada", "comment": "no email" })).await;
            assert_eq!(rows(app).await, []);
            // What is taken for spam, or taken back, before its letter went is no reason for one.
            mailbox.set_mood(Mood::Answers(451));
            let id = app.posted(&article, &by("spammer@example.org", "hello again")).await;
            eventually("it was tried", async || rows(app).await[0].3.is_some()).await;
            app.decide(&admin, id, 1, "spam").await.expect(201);
            mailbox.set_mood(Mood::Good);
            app.advance(120);
            is(app, "dropped").await;
            came(mailbox, 0).await;
        });
    }

    #[test]
    fn without_mail_nothing_is_kept_to_be_sent() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            app.posted(&article, &form("x")).await;
            assert_eq!(rows(app).await, []);
        });
    }

    #[test]
    fn a_folder_takes_letters_too() {
        for database in databases() {
            let folder = tempfile::tempdir().unwrap();
            let setup = Setup { mail: Some(format!("file:{}", folder.path().display()).leak()), ..Setup::default() };
            actix_web::rt::System::new().block_on(async {
                let app = TestApp::start(&setup, database).await;
                let article = app.article("a").await;
                app.posted(&article, &form("x")).await;
                is(&app, "sent").await;
                let files: Vec<_> =
                    std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path()).collect();
                assert_eq!(files.len(), 1);
                let text = std::fs::read_to_string(&files[0]).unwrap();
                assert!(text.contains("To: ada@example.org\r\n"), "{text}");
                app.stop().await;
            });
        }
    }

    #[test]
    fn whom_a_letter_went_to_is_cleared_after_thirty_days() {
        with_mail(false, async |app, mailbox| {
            let article = app.article("a").await;
            app.posted(&article, &form("x")).await;
            came(mailbox, 1).await;
            is(app, "sent").await;
            app.advance(29 * 86_400);
            jobs::run_once(&app.app).await.expect("the jobs");
            assert_eq!(rows(app).await[0].2.as_deref(), Some("ada@example.org"));
            app.advance(2 * 86_400);
            jobs::run_once(&app.app).await.expect("the jobs");
            assert_eq!(rows(app).await, [("sent".to_owned(), 1, None, None)]);
        });
    }
}

/// R16: at least once, none lost, the same id when it is sent again.
mod outcomes {
    use super::*;

    #[test]
    fn what_may_work_later_is_sent_later_under_the_same_id() {
        with_mail(false, async |app, mailbox| {
            let article = app.article("a").await;
            mailbox.set_mood(Mood::BreaksOff);
            app.posted(&article, &form("x")).await;
            // Read whole and not answered: nobody knows whether it arrived.
            came(mailbox, 1).await;
            let failed = |attempts: i64| async move {
                eventually("the try is noted", async || {
                    let row = rows(app).await.remove(0);
                    row.0 == "waiting" && row.1 == attempts && row.3.is_some()
                })
                .await;
            };
            failed(1).await;
            mailbox.set_mood(Mood::Answers(451));
            app.advance(59);
            assert_eq!(rows(app).await[0].1, 1, "not yet");
            app.advance(1);
            eventually("a second try", async || rows(app).await[0].3.as_deref() == Some("the server answered 451"))
                .await;
            failed(2).await;
            mailbox.set_mood(Mood::Good);
            app.advance(4 * 60);
            let mails = came(mailbox, 2).await;
            is(app, "sent").await;
            assert_eq!(mails[0].header("Message-ID"), mails[1].header("Message-ID"));
            assert_eq!((mails[0].is_taken, mails[1].is_taken), (false, true));
            assert_eq!(mails[0].path(), mails[1].path());
        });
    }

    #[test]
    fn what_is_refused_for_an_address_is_given_up_and_does_not_repeat_it() {
        with_mail(false, async |app, mailbox| {
            let article = app.article("a").await;
            for code in [550, 553] {
                mailbox.set_mood(Mood::Answers(code));
                app.posted(&article, &by(&format!("nobody-{code}@example.org"), "x")).await;
                is(app, "refused").await;
            }
            let before = mailbox.connections();
            app.advance(5 * 3600);
            // A sign that the deliverer has been there since.
            mailbox.set_mood(Mood::Good);
            app.posted(&article, &by("ada@example.org", "y")).await;
            came(mailbox, 1).await;
            assert_eq!(mailbox.connections(), before + 1);
            for (_, attempts, _, error) in &rows(app).await[..2] {
                assert_eq!(*attempts, 1);
                assert!(
                    error.as_deref().is_some_and(|error| error.starts_with("the server refused it with 55")),
                    "{error:?}"
                );
            }
        });
    }

    /// Our own password is wrong, or the server does not know us: that says nothing about the address.
    #[test]
    fn what_is_refused_because_of_us_is_tried_again() {
        with_mail(false, async |app, mailbox| {
            let article = app.article("a").await;
            mailbox.set_mood(Mood::Answers(530));
            app.posted(&article, &form("x")).await;
            eventually("it was tried", async || rows(app).await[0].3.is_some()).await;
            mailbox.set_mood(Mood::Good);
            app.advance(60);
            came(mailbox, 1).await;
        });
    }

    #[test]
    fn after_three_days_it_is_given_up_and_kept_as_failed() {
        with_mail(false, async |app, mailbox| {
            let article = app.article("a").await;
            mailbox.set_mood(Mood::Answers(451));
            app.posted(&article, &form("x")).await;
            eventually("it was tried", async || rows(app).await[0].3.is_some()).await;
            app.advance(3 * 86_400 - 1);
            eventually("it was tried again", async || rows(app).await[0].1 == 2).await;
            eventually("and noted", async || rows(app).await[0].0 == "waiting").await;
            app.advance(4 * 3600);
            is(app, "failed").await;
            assert_eq!(rows(app).await[0].2.as_deref(), Some("ada@example.org"));
        });
    }

    /// Half a minute of real time, so on one database only.
    #[test]
    fn a_server_that_says_nothing_is_left_and_asked_again() {
        let mailbox = Mailbox::start();
        let setup = Setup { mail: Some(mailbox.url.clone().leak()), ..Setup::default() };
        actix_web::rt::System::new().block_on(async {
            let app = TestApp::start(&setup, TestDatabase::sqlite()).await;
            let article = app.article("a").await;
            mailbox.set_mood(Mood::Silent);
            app.posted(&article, &form("x")).await;
            let since = Instant::now();
            while rows(&app).await[0].3.is_none() {
                assert!(since.elapsed() < Duration::from_secs(90), "it waits too long");
                actix_web::rt::time::sleep(Duration::from_millis(100)).await; // looks again, up to the limit
            }
            assert_eq!(rows(&app).await[0].3.as_deref(), Some("the server took too long"));
            mailbox.set_mood(Mood::Good);
            app.advance(60);
            came(&mailbox, 1).await;
            app.stop().await;
        });
    }

    /// Two nodes on one database, both at it: each letter once, as long as nobody dies.
    #[test]
    fn nodes_do_not_send_the_same_letter_twice() {
        with_mail(false, async |app, mailbox| {
            let given = Given {
                database_url: Some(app.database.url_text()),
                listen: Some("127.0.0.1:0".to_owned()),
                mail: Some(mailbox.url.clone()),
                mail_from: Some("comments@news.example".to_owned()),
                ..Given::default()
            };
            let settings = Settings::try_from(given).expect("good settings");
            let clock = Clock::Manual(app.clock.clone());
            let other = rejoinder::server::start(settings, clock).await.expect("a server");
            actix_web::rt::spawn(other.server);
            let article = app.article("a").await;
            let posts = (0..40).map(|number| {
                let article = article.clone();
                async move { app.posted(&article, &by(&format!("reader-{number}@example.org"), "x")).await }
            });
            let deliver = [&app.app, &other.app, &app.app, &other.app].map(|app| deliver_waiting(app, || true));
            futures_util::future::join(join_all(posts), join_all(deliver)).await;
            is(app, "sent").await;
            let mut to: Vec<String> = came(mailbox, 40).await.into_iter().map(|mail| mail.to).collect();
            to.sort();
            to.dedup();
            assert_eq!(to.len(), 40);
            other.handle.stop(false).await;
        });
    }
}

/// R16: the program is killed around sending. What was to be sent is sent, under the same id.
#[test]
fn a_letter_survives_a_kill_around_sending() {
    for database in databases() {
        let mailbox = Mailbox::start();
        let dir = tempfile::tempdir().unwrap();
        let program = || {
            rejoinder(dir.path())
                .env("REJOINDER_DATABASE_URL", database.url_text())
                .env("REJOINDER_MAIL", &mailbox.url)
                .env("REJOINDER_MAIL_FROM", "comments@news.example")
                .env("REJOINDER_LIMITS", "off")
                .env("REJOINDER_LOG", "error")
        };
        program().args("article add --site main --key a --title A --url https://news.example/a").run_well();
        let mut posted = Vec::new();
        // Killed with the letter read and not answered, with nothing said yet, and at whatever moment it is.
        for (round, mood) in [Mood::FallsSilent, Mood::Silent, Mood::Good, Mood::Good].into_iter().enumerate() {
            mailbox.set_mood(mood);
            let (connections, letters) = (mailbox.connections(), mailbox.mails().len());
            let server = program().serve();
            actix_web::rt::System::new().block_on(async {
                for number in 0..5 {
                    let email = format!("reader-{round}-{number}@example.org");
                    post(&server, &email).await;
                    posted.push(email);
                }
                let is_at_it = async || match mood {
                    Mood::FallsSilent => mailbox.mails().len() > letters,
                    _ => mailbox.connections() > connections,
                };
                eventually("it talks to the mailbox", is_at_it).await;
            });
            drop(server); // kill -9
            actix_web::rt::System::new().block_on(let_leases_run_out(&database));
        }
        mailbox.set_mood(Mood::Good);
        let server = program().serve();
        actix_web::rt::System::new().block_on(eventually("every letter was taken", async || {
            let mails = mailbox.mails();
            posted.iter().all(|email| mails.iter().any(|mail| mail.is_taken && mail.to == *email))
        }));
        drop(server);
        let mails = mailbox.mails();
        for email in &posted {
            let mut ids: Vec<String> =
                mails.iter().filter(|mail| mail.to == *email).map(|mail| mail.header("Message-ID")).collect();
            ids.dedup();
            assert_eq!(ids.len(), 1, "{email}");
        }
        println!("{} letters of {} comments, 4 kills: none lost", mails.len(), posted.len());
    }
}

async fn post(server: &Serving, email: &str) {
    let url = format!("{}/api/v1/sites/main/articles/a/comments", server.base);
    let answer = reqwest::Client::new().post(url).json(&by(email, &format!("by {email}"))).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 202);
}

/// As if five minutes had passed.
async fn let_leases_run_out(database: &TestDatabase) {
    let store = rejoinder::store::Store::open(&database.url()).unwrap();
    let write = store.write(|conn| {
        let earlier = diesel::update(outbox::table).set(outbox::next_at.eq(outbox::next_at - 300_000));
        Ok::<_, StoreError>(earlier.execute(conn)?)
    });
    write.await.unwrap();
}

mod settings {
    use super::*;

    #[test]
    fn what_cannot_be_right_refuses_to_start_and_no_password_is_shown() {
        let dir = tempfile::tempdir().unwrap();
        for (mail, from, name) in [
            ("pigeons:hunter2", "a@news.example", "mail"),
            ("smtp://ines@mail.example", "a@news.example", "mail"),
            ("file:/no/such/folder", "a@news.example", "mail"),
            ("smtps://ines:hunter2@mail.example", "nobody", "mail_from"),
        ] {
            let run =
                rejoinder(dir.path()).arg("check").env("REJOINDER_MAIL", mail).env("REJOINDER_MAIL_FROM", from).run();
            assert_eq!(run.code, Some(1), "{mail}");
            assert!(run.stderr.contains(&format!("the setting {name} must")), "{}", run.stderr);
            assert!(!run.stderr.contains("hunter2"), "{}", run.stderr);
        }
        let shown = rejoinder(dir.path())
            .arg("check")
            .env("REJOINDER_MAIL", "smtps://ines:hunter2@mail.example")
            .env("REJOINDER_MAIL_FROM", "Comments <a@news.example>")
            .run_well();
        assert!(shown.contains("mail = \"smtps://ines:hidden@mail.example:465\""), "{shown}");
        assert!(shown.contains("mail_from = \"Comments <a@news.example>\""), "{shown}");
        let off = rejoinder(dir.path()).arg("check").run_well();
        assert!(off.contains("mail = \"off\""), "{off}");
    }
}
