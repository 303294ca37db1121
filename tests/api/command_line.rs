//! The program from the shell: settings, commands, what it prints, and how it ends.

use std::path::Path;
use std::time::Duration;

use rejoinder::kit::clock::Clock;
use rejoinder::kit::totp;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::database::{TestDatabase, databases};
use crate::support::people::base32_bytes;
use crate::support::process::{Program, Serving, rejoinder};
use crate::support::raw::Raw;
use crate::support::{Answer, eventually, form};

const PASSWORD: &str = "four words from the shell";

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

/// The program on a database.
fn on(dir: &TempDir, database: &TestDatabase) -> Program {
    rejoinder(dir.path()).env("REJOINDER_DATABASE_URL", database.url_text())
}

/// Runs a test that speaks HTTP to the program.
fn block_on(test: impl Future<Output = ()>) {
    actix_web::rt::System::new().block_on(test);
}

async fn get(serving: &Serving, path: &str) -> Answer {
    Answer::of(reqwest::Client::new().get(format!("{}{path}", serving.base))).await
}

async fn post(serving: &Serving, path: &str, body: &Value) -> Answer {
    Answer::of(reqwest::Client::new().post(format!("{}{path}", serving.base)).json(body)).await
}

async fn sign_in(serving: &Serving, username: &str, password: &str) -> Answer {
    post(serving, "/api/v1/session", &json!({ "username": username, "password": password })).await
}

mod settings {
    use super::*;

    /// Setting, a wrong value, and what the sentence says would be right.
    const WRONG: [(&str, &str, &str); 36] = [
        ("database_url", "mysql://x", "sqlite:"),
        ("database_url", "rejoinder.db", "postgres://"),
        ("database_url", "sqlite:", "sqlite:"),
        ("database_url", "", "sqlite:"),
        ("listen", "localhost", "127.0.0.1:8080"),
        ("listen", "127.0.0.1", "127.0.0.1:8080"),
        ("listen", "127.0.0.1:99999", "127.0.0.1:8080"),
        ("listen", ":8080", "127.0.0.1:8080"),
        ("listen", "http://127.0.0.1:8080", "127.0.0.1:8080"),
        ("secret", "short", "at least 32"),
        ("secret", "", "at least 32"),
        ("secret", "thirty-one characters, one less", "at least 32"),
        ("public_url", "news.example", "http or https"),
        ("public_url", "ftp://news.example", "http or https"),
        ("public_url", "https://news.example/?a=b", "without query"),
        ("public_url", "https://news.example/#a", "without query"),
        ("public_url", "https://user:pass@news.example", "http or https"),
        ("public_url", "", "http or https"),
        ("trusted_proxies", "10.0.0.0/33", "10.0.0.0/8"),
        ("trusted_proxies", "proxy.example", "10.0.0.0/8"),
        ("trusted_proxies", "127.0.0.1;10.0.0.1", "10.0.0.0/8"),
        ("trusted_proxies", "127.0.0.1, what", "10.0.0.0/8"),
        ("limits", "maybe", "on or off"),
        ("limits", "ON", "on or off"),
        ("limits", "true", "on or off"),
        ("limits", "", "on or off"),
        ("require_totp", "root", "admin, lead, moderator, reviewer-without-emails"),
        ("require_totp", "admin,Lead", "admin, lead, moderator, reviewer-without-emails"),
        ("require_totp", "admin;lead", "admin, lead, moderator, reviewer-without-emails"),
        ("require_totp", "all", "admin, lead, moderator, reviewer-without-emails"),
        ("log", "a=b=c", "rejoinder=debug"),
        ("log", "rejoinder=loud", "rejoinder=debug"),
        ("log_format", "xml", "text or json"),
        ("log_format", "JSON", "text or json"),
        ("keep_address_days", "3651", "0 to 3650"),
        ("keep_address_days", "4294967295", "0 to 3650"),
    ];

    fn flag(name: &str) -> String {
        format!("--{}", name.replace('_', "-"))
    }

    fn variable(name: &str) -> String {
        format!("REJOINDER_{}", name.to_uppercase())
    }

    fn write_file(dir: &Path, lines: &str) {
        std::fs::write(dir.join("rejoinder.toml"), lines).expect("a settings file");
    }

    /// A value as the file writes it.
    fn in_file(name: &str, value: &str) -> String {
        if name == "keep_address_days" { format!("{name} = {value}\n") } else { format!("{name} = {value:?}\n") }
    }

    #[test]
    fn a_wrong_value_refuses_to_start_with_a_sentence_that_names_it() {
        for (name, value, hint) in WRONG {
            for place in ["flag", "variable", "file"] {
                let dir = folder();
                let program = rejoinder(dir.path());
                let program = match place {
                    "flag" => program.arg(&format!("{}={value}", flag(name))),
                    "variable" => program.env(&variable(name), value),
                    _ => {
                        write_file(dir.path(), &in_file(name, value));
                        program
                    }
                };
                let run = program.run();
                assert_eq!(run.code, Some(1), "{place} {name} {value:?}: {run:?}");
                assert_eq!(run.stdout, "", "{place} {name} {value:?}");
                let sentence = format!("rejoinder: the setting {name} must ");
                assert!(run.stderr.starts_with(&sentence), "{place} {name} {value:?}: {}", run.stderr);
                assert!(run.stderr.contains(hint), "{place} {name} {value:?}: {}", run.stderr);
                assert_eq!(run.stderr.trim_end().lines().count(), 1, "{}", run.stderr);
                assert!(!dir.path().join("rejoinder.db").exists(), "nothing was begun");
            }
        }
    }

    /// What is no number at all, clap and the file's reader refuse before the setting is judged; they name it too.
    #[test]
    fn what_is_no_number_is_refused_by_name() {
        for value in ["-1", "1.5", "ninety", "", "99999999999"] {
            let dir = folder();
            let by_flag = rejoinder(dir.path()).arg("check").arg(&format!("--keep-address-days={value}")).run();
            let by_variable = rejoinder(dir.path()).arg("check").env("REJOINDER_KEEP_ADDRESS_DAYS", value).run();
            for run in [by_flag, by_variable] {
                assert!(matches!(run.code, Some(1 | 2)), "{value:?}: {run:?}");
                assert!(run.stderr.contains("keep-address-days"), "{value:?}: {}", run.stderr);
                assert_eq!(run.stdout, "");
            }
            write_file(dir.path(), &format!("keep_address_days = {}\n", if value.is_empty() { "\"\"" } else { value }));
            let run = rejoinder(dir.path()).arg("check").run();
            assert_eq!(run.code, Some(1), "{value:?}");
            assert!(run.stderr.contains("keep_address_days"), "{value:?}: {}", run.stderr);
        }
    }

    #[test]
    fn a_secret_that_is_refused_is_not_repeated() {
        let dir = folder();
        let run = rejoinder(dir.path()).arg("check").env("REJOINDER_SECRET", "hunter2hunter2").run();
        assert_eq!(run.code, Some(1));
        assert!(!run.stderr.contains("hunter2"), "{}", run.stderr);
        let run = rejoinder(dir.path()).arg("check").env("REJOINDER_DATABASE_URL", "mysql://user:hunter2@db").run();
        assert_eq!(run.code, Some(1));
        assert!(!run.stderr.contains("hunter2"), "{}", run.stderr);
    }

    #[test]
    fn an_unknown_key_of_the_file_is_refused_by_name() {
        for (line, named) in [
            ("lissten = \"127.0.0.1:0\"\n", "lissten"),
            ("[server]\nlisten = \"127.0.0.1:0\"\n", "server"),
            ("config = \"x\"\n", "config"),
        ] {
            let dir = folder();
            write_file(dir.path(), line);
            let run = rejoinder(dir.path()).arg("check").run();
            assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{line}");
            assert!(run.stderr.contains("rejoinder.toml") && run.stderr.contains(named), "{}", run.stderr);
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let dir = folder();
        let run = rejoinder(dir.path()).args("check --config nowhere.toml").run();
        assert_eq!(run.code, Some(1));
        assert!(run.stderr.starts_with("rejoinder: the settings file nowhere.toml cannot be read"), "{}", run.stderr);
        write_file(dir.path(), "listen = \n");
        let run = rejoinder(dir.path()).arg("check").run();
        assert_eq!(run.code, Some(1));
        assert!(run.stderr.starts_with("rejoinder: the settings file rejoinder.toml is wrong"), "{}", run.stderr);
    }

    #[test]
    fn an_unknown_variable_is_warned_about_and_does_no_harm() {
        let dir = folder();
        let run = rejoinder(dir.path()).arg("check").env("REJOINDER_LISSTEN", "value-not-shown").run();
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        assert!(run.stderr.contains("WARN") && run.stderr.contains("REJOINDER_LISSTEN"), "{}", run.stderr);
        assert!(!run.stderr.contains("value-not-shown"), "{}", run.stderr);
        let run = rejoinder(dir.path()).arg("check").env("REJOINDER_LISTEN", "127.0.0.1:1").run();
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    }

    #[test]
    fn an_unknown_flag_is_a_wrong_call() {
        let dir = folder();
        for args in
            ["--lissten 127.0.0.1:0", "srve", "moderator", "site set", "moderator add x --role king --password-stdin"]
        {
            let run = rejoinder(dir.path()).args(args).run();
            assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{args}: {run:?}");
            assert!(!run.stderr.is_empty());
        }
    }

    /// Every setting, its value in the file, in a variable and in a flag.
    #[test]
    fn a_flag_beats_a_variable_and_a_variable_beats_the_file() {
        for (name, [file, variable_value, flag_value]) in [
            ("database_url", ["sqlite:file.db", "sqlite:variable.db", "sqlite:flag.db"]),
            ("listen", ["127.0.0.1:1001", "127.0.0.1:1002", "127.0.0.1:1003"]),
            ("public_url", ["https://file.example", "https://variable.example", "https://flag.example/talk"]),
            ("trusted_proxies", ["10.0.0.1/32", "10.0.0.2/32", "10.0.0.3/32"]),
            ("limits", ["off", "on", "off"]),
            ("require_totp", ["admin", "lead", "admin,lead,moderator"]),
            ("outbound_allow", ["a.internal", "b.internal:8080", "127.0.0.1,[::1]:9"]),
            ("log", ["error", "warn", "rejoinder=debug"]),
            ("log_format", ["json", "text", "json"]),
            ("keep_address_days", ["1", "2", "3"]),
        ] {
            let dir = folder();
            let shown = |run: Program, value: &str| {
                let shown = run.arg("check").run_well();
                let line =
                    shown.lines().find(|line| line.starts_with(&format!("{name} = "))).unwrap_or_default().to_owned();
                assert!(line.trim_end_matches('"').ends_with(value), "{name}: {line}, not {value}");
            };
            write_file(dir.path(), &in_file(name, file));
            shown(rejoinder(dir.path()), file);
            shown(rejoinder(dir.path()).env(&variable(name), variable_value), variable_value);
            shown(
                rejoinder(dir.path())
                    .env(&variable(name), variable_value)
                    .args(&format!("{} {flag_value}", flag(name))),
                flag_value,
            );
            shown(rejoinder(dir.path()).args(&format!("{} {flag_value}", flag(name))), flag_value);
            // Another file, named in a variable.
            std::fs::write(dir.path().join("other.toml"), in_file(name, variable_value)).expect("a file");
            shown(rejoinder(dir.path()).env("REJOINDER_CONFIG", "other.toml"), variable_value);
        }
    }

    #[test]
    fn check_shows_every_setting_and_hides_every_secret() {
        let dir = folder();
        let url = "postgres://user:hunter2@db.example/rejoinder?password=hunter3&sslpassword=hunter4";
        for given in [false, true] {
            let mut program = rejoinder(dir.path()).arg("check");
            if given {
                program = program
                    .env("REJOINDER_SECRET", "hunter5 hunter5 hunter5 hunter5 hunter5")
                    .env("REJOINDER_DATABASE_URL", url)
                    .env("REJOINDER_MAIL", "smtps://ines:hunter6@mail.example")
                    .env("REJOINDER_MAIL_FROM", "comments@news.example");
            }
            let shown = program.run_well();
            let names: Vec<&str> =
                shown.lines().filter_map(|line| line.split_once(" = ")).map(|(name, _)| name).collect();
            assert_eq!(
                names,
                [
                    "database_url",
                    "replica_url",
                    "listen",
                    "secret",
                    "public_url",
                    "trusted_proxies",
                    "limits",
                    "challenge",
                    "require_totp",
                    "outbound_allow",
                    "log",
                    "log_format",
                    "keep_address_days",
                    "mail",
                    "mail_from"
                ]
            );
            assert!(!shown.contains("hunter"), "{shown}");
            assert_eq!(shown.contains("db.example"), given);
        }
        assert!(!dir.path().join("rejoinder.db").exists(), "checking makes nothing");
    }

    #[test]
    fn help_names_every_setting_and_no_value_of_a_secret() {
        let dir = folder();
        let help = rejoinder(dir.path())
            .arg("--help")
            .env("REJOINDER_SECRET", "hunter2 hunter2 hunter2 hunter2 hunter2")
            .env("REJOINDER_DATABASE_URL", "postgres://user:hunter3@db")
            .env("REJOINDER_MAIL", "smtps://ines:hunter4@mail.example")
            .run_well();
        for name in [
            "config",
            "database_url",
            "replica_url",
            "listen",
            "secret",
            "public_url",
            "trusted_proxies",
            "limits",
            "challenge",
            "require_totp",
            "outbound_allow",
            "log",
            "log_format",
            "keep_address_days",
            "mail",
            "mail_from",
        ] {
            assert!(help.contains(&flag(name)) && help.contains(&variable(name)), "{name}");
        }
        assert!(!help.contains("hunter"), "{help}");
    }
}

mod commands {
    use super::*;

    fn add_moderator(dir: &TempDir, database: &TestDatabase, args: &str) -> crate::support::process::Run {
        on(dir, database).args("moderator add").args(args).arg("--password-stdin").input(&format!("{PASSWORD}\n")).run()
    }

    #[test]
    fn serving_says_where_it_listens_even_when_it_logs_nothing() {
        for database in databases() {
            block_on(async {
                let dir = folder();
                let mut serving = on(&dir, &database).env("REJOINDER_LOG", "off").serve();
                assert_eq!(serving.said.len(), 1);
                let port: u16 = serving.base.trim_start_matches("http://127.0.0.1:").parse().expect("a port");
                assert_ne!(port, 0);
                get(&serving, "/healthz").await.expect(200);
                get(&serving, "/readyz").await.expect(200);
                serving.terminate();
                assert_eq!(serving.wait(Duration::from_secs(10)).0, Some(0));
                assert_eq!(serving.rest(), Vec::<String>::new());
                assert_eq!(serving.stderr(), "");
            });
        }
    }

    #[test]
    fn an_address_that_is_taken_is_named() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = taken.local_addr().expect("an address").to_string();
        let dir = folder();
        let run = rejoinder(dir.path()).env("REJOINDER_LISTEN", &address).env("REJOINDER_LOG", "off").run();
        assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
        assert!(run.stderr.starts_with(&format!("rejoinder: cannot listen on {address}")), "{}", run.stderr);
    }

    #[test]
    fn a_database_that_is_not_there_is_named_and_its_password_is_not() {
        let dir = folder();
        for url in ["sqlite:no/such/folder/x.db", "postgres://user:hunter2@127.0.0.1:1/none"] {
            for verb in ["migrate", "serve", "moderator list"] {
                let run = rejoinder(dir.path())
                    .args(verb)
                    .env("REJOINDER_DATABASE_URL", url)
                    .env("REJOINDER_LOG", "off")
                    .run();
                assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{verb} {url}");
                assert!(run.stderr.starts_with("rejoinder: "), "{}", run.stderr);
                assert!(run.stderr.contains("no/such/folder") || run.stderr.contains("127.0.0.1"), "{}", run.stderr);
                assert!(!run.stderr.contains("hunter2"), "{}", run.stderr);
            }
        }
    }

    #[test]
    fn migrating_says_what_ran_and_then_that_nothing_is_left() {
        let dir = folder();
        assert!(rejoinder(dir.path()).arg("migrate").run_well().starts_with("ran 0"));
        assert_eq!(rejoinder(dir.path()).arg("migrate").run_well(), "up to date\n");
        assert!(dir.path().join("rejoinder.db").exists());
    }

    #[test]
    fn moderators_are_added_listed_disabled_and_given_new_passwords() {
        for database in databases() {
            block_on(async {
                let dir = folder();
                assert_eq!(on(&dir, &database).args("moderator list").run_well(), "");
                assert_eq!(add_moderator(&dir, &database, "alice --role admin").code, Some(0));
                assert_eq!(add_moderator(&dir, &database, "bob --role moderator --site main").code, Some(0));
                let list = on(&dir, &database).args("moderator list").run_well();
                let rows: Vec<Vec<&str>> = list.lines().map(|line| line.split('\t').collect()).collect();
                assert_eq!(rows.len(), 2, "{list}");
                assert_eq!(rows[0][..3], ["alice", "admin", "enabled"]);
                assert_eq!(rows[1][..3], ["bob", "moderator", "enabled"]);
                assert!(!list.contains("argon2"), "{list}");

                let serving = on(&dir, &database).env("REJOINDER_LIMITS", "off").serve();
                let token = sign_in(&serving, "bob", PASSWORD).await.expect(200).json()["access_token"].clone();
                let me = || {
                    let client = reqwest::Client::new().get(format!("{}/api/v1/me", serving.base));
                    Answer::of(client.bearer_auth(token.as_str().expect("a token")))
                };
                assert_eq!(me().await.expect(200).json()["sites"], json!(["main"]));

                let reset = on(&dir, &database).args("moderator reset-password bob --password-stdin");
                assert_eq!(reset.input("an entirely different one\r\n").run_well(), "");
                // Another program's change is noticed within a second.
                eventually("bob's session is over", async || me().await.status == 401).await;
                sign_in(&serving, "bob", PASSWORD).await.expect(401);
                sign_in(&serving, "bob", "an entirely different one").await.expect(200);

                assert_eq!(on(&dir, &database).args("moderator disable bob").run_well(), "");
                sign_in(&serving, "bob", "an entirely different one").await.expect(401);
                sign_in(&serving, "alice", PASSWORD).await.expect(200);
                let list = on(&dir, &database).args("moderator list").run_well();
                assert!(list.contains("bob\tmoderator\tdisabled"), "{list}");
            });
        }
    }

    #[test]
    fn a_lost_second_factor_is_reset() {
        for database in databases() {
            block_on(async {
                let dir = folder();
                assert_eq!(add_moderator(&dir, &database, "alice --role admin").code, Some(0));
                let serving =
                    on(&dir, &database).env("REJOINDER_LIMITS", "off").env("REJOINDER_REQUIRE_TOTP", "admin").serve();
                let token = sign_in(&serving, "alice", PASSWORD).await.expect(200).json()["access_token"].clone();
                let ask = |method: Method, path: &str, body: Value| {
                    let request = reqwest::Client::new().request(method, format!("{}{path}", serving.base));
                    Answer::of(request.bearer_auth(token.as_str().expect("a token")).json(&body))
                };
                let queue = "/api/v1/review/comments";
                ask(Method::GET, queue, json!({})).await.expect_problem(403, "second-factor-required");
                let enrolled = ask(Method::POST, "/api/v1/me/totp", json!({})).await.expect(201).json();
                let secret = base32_bytes(enrolled["secret"].as_str().expect("a secret"));
                let code = totp::code_of(&secret, totp::step_at(Clock::system().now()));
                ask(Method::PUT, "/api/v1/me/totp", json!({ "code": code })).await.expect(200);
                ask(Method::GET, queue, json!({})).await.expect(200);
                sign_in(&serving, "alice", PASSWORD).await.expect(401);
                assert_eq!(on(&dir, &database).args("moderator reset-totp alice").run_well(), "");
                let is_over = async || ask(Method::GET, "/api/v1/me", json!({})).await.status == 401;
                eventually("alice's session is over", is_over).await;
                sign_in(&serving, "alice", PASSWORD).await.expect(200);
            });
        }
    }

    #[test]
    fn a_moderator_who_cannot_be_is_refused_in_one_sentence() {
        for database in databases() {
            let dir = folder();
            assert_eq!(add_moderator(&dir, &database, "alice --role admin").code, Some(0));
            for (args, password, says) in [
                ("alice --role admin", PASSWORD, "alice"),
                ("Alice --role admin", PASSWORD, ""),
                ("carol --role moderator", PASSWORD, "--site"),
                ("carol --role moderator --site nowhere", PASSWORD, "there is no site nowhere"),
                ("carol --role admin", "short", ""),
                ("carol --role admin", "", ""),
                ("carol --role admin", "password", ""),
                ("bad\u{202e}name --role admin", PASSWORD, ""),
            ] {
                let program = on(&dir, &database).args("moderator add").args(args).arg("--password-stdin");
                let run = program.input(password).run();
                assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{args}: {run:?}");
                assert!(run.stderr.starts_with("rejoinder: "), "{args}: {}", run.stderr);
                assert!(says == "alice" || run.stderr.contains(says), "{args}: {}", run.stderr);
                assert_eq!(run.stderr.lines().count(), 1, "{args}: {}", run.stderr);
                assert!(
                    password.is_empty() || password == "password" || !run.stderr.contains(password),
                    "{}",
                    run.stderr
                );
            }
            for args in [
                "moderator disable nobody",
                "moderator reset-password nobody --password-stdin",
                "moderator reset-totp nobody",
                "moderator reset-totp alice",
            ] {
                let run = on(&dir, &database).args(args).input(PASSWORD).run();
                assert_eq!(run.code, Some(1), "{args}");
                assert_eq!(run.stderr.lines().count(), 1, "{args}: {}", run.stderr);
            }
            let list = on(&dir, &database).args("moderator list").run_well();
            assert_eq!(list.lines().count(), 1, "{list}");
        }
    }

    /// A password on the command line would stand in the shell's history and in the list of processes.
    #[test]
    fn a_password_is_never_an_argument() {
        let dir = folder();
        for args in
            ["moderator add x --role admin", "moderator add x --role admin --password y", "moderator reset-password x"]
        {
            assert_eq!(rejoinder(dir.path()).args(args).run().code, Some(2), "{args}");
        }
    }

    #[test]
    fn sites_and_articles_are_added_changed_and_listed() {
        for database in databases() {
            block_on(async {
                let dir = folder();
                assert!(
                    on(&dir, &database).args("site list").run_well().starts_with("main\tMain\thold_all\tmax depth 5\t")
                );
                let add = on(&dir, &database)
                    .args("site add news --origin https://News.example:443 --origin http://localhost:3000 --name");
                assert_eq!(add.arg("The News").run_well(), "");
                let list = on(&dir, &database).args("site list").run_well();
                let row = "news\tThe News\thold_all\tmax depth 5\thttps://news.example http://localhost:3000";
                assert!(list.lines().any(|line| line == row), "{list}");
                on(&dir, &database)
                    .args("site set news --policy publish_first --max-depth 2 --required name")
                    .run_well();
                on(&dir, &database).args("site set news --origin https://other.example").run_well();
                let list = on(&dir, &database).args("site list").run_well();
                let row = "news\tThe News\tpublish_first\tmax depth 2\thttps://other.example";
                assert!(list.lines().any(|line| line == row), "what is not given stays: {list}");

                let article = "article add --site news --key one --url https://news.example/one --title";
                assert_eq!(on(&dir, &database).args(article).arg("The first").run_well(), "");
                assert_eq!(on(&dir, &database).args(article).arg("The first, again").run_well(), "");
                let serving = on(&dir, &database).serve();
                let head = get(&serving, "/api/v1/sites/news/articles/one").await.expect(200).json();
                assert_eq!(
                    (&head["title"], &head["form"]["required"]),
                    (&json!("The first, again"), &json!(["name", "comment"]))
                );
                let body = json!({ "name": "Ada", "comment": "no email asked" });
                post(&serving, "/api/v1/sites/news/articles/one/comments", &body).await.expect(201);
            });
        }
    }

    #[test]
    fn a_site_or_article_that_cannot_be_is_refused_in_one_sentence() {
        for database in databases() {
            let dir = folder();
            for (args, code, says) in [
                ("site add main --name Main", 1, "key"),
                ("site add bad/key --name Bad", 2, "characters"),
                ("site add x --name X --origin news.example", 1, "origin"),
                ("site add x --name X --origin https://news.example/path", 1, "origin"),
                ("site add x --name X --origin *", 1, "origin"),
                ("site set nowhere --name X", 1, "no site"),
                ("site set main --max-depth 0", 1, "max_depth"),
                ("site set main --max-depth 11", 1, "max_depth"),
                ("site set main --policy whatever", 2, "hold_all"),
                ("site set main --required everything", 2, "name"),
                ("article add --site nowhere --key a --title A --url https://x.example/a", 1, "no site nowhere"),
                ("article add --site main --key a --title A --url javascript:alert(1)", 1, "url"),
                ("article add --site main --key a/b --title A --url https://x.example/a", 2, "characters"),
            ] {
                let run = on(&dir, &database).args(args).run();
                assert_eq!((run.code, run.stdout.as_str()), (Some(code), ""), "{args}: {run:?}");
                assert!(run.stderr.contains(says), "{args}: {}", run.stderr);
            }
            assert_eq!(on(&dir, &database).args("site list").run_well().lines().count(), 1);
        }
    }

    #[test]
    fn seeds_are_put_in_once_and_decided_by_an_admin() {
        let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
        for database in databases() {
            block_on(async {
                let dir = folder();
                let seed = || on(&dir, &database).arg("seed").arg(&seeds.to_string_lossy());
                let run = seed().run();
                assert_eq!(run.code, Some(1));
                assert!(run.stderr.contains("moderator add"), "{}", run.stderr);
                assert_eq!(add_moderator(&dir, &database, "alice --role admin").code, Some(0));
                let said = seed().run_well();
                assert_eq!(said.lines().filter(|line| line.contains(" comments on ")).count(), 2, "{said}");
                let again = seed().run_well();
                assert_eq!(again.lines().filter(|line| line.ends_with("is there already")).count(), 2, "{again}");
                let run = on(&dir, &database).args("seed nowhere").run();
                assert_eq!(run.code, Some(1));
                assert!(run.stderr.contains("nowhere"), "{}", run.stderr);
            });
        }
    }

    #[test]
    fn the_demo_prints_where_to_go_and_serves_it() {
        block_on(async {
            let dir = folder();
            let mut passwords = Vec::new();
            for _ in 0..2 {
                let mut serving = rejoinder(dir.path()).arg("demo").env("REJOINDER_LOG", "off").serve();
                let said = serving.next_lines(3);
                assert_eq!(said.keys().collect::<Vec<_>>(), ["article", "moderator", "password"]);
                let page = Answer::of(reqwest::Client::new().get(&said["article"])).await.expect(200);
                assert!(page.text().contains("<article"), "a page with comments");
                assert!(said["article"].starts_with(&serving.base));
                let token = sign_in(&serving, &said["moderator"], &said["password"]).await.expect(200).json();
                let queue = reqwest::Client::new().get(format!("{}/api/v1/review/comments", serving.base));
                let queue = Answer::of(queue.bearer_auth(token["access_token"].as_str().expect("a token")))
                    .await
                    .expect(200)
                    .json();
                assert!(queue["items"].as_array().is_some_and(|items| !items.is_empty()), "something waits");
                assert!(dir.path().join("rejoinder-demo.db").exists() && !dir.path().join("rejoinder.db").exists());
                passwords.push(said["password"].clone());
                serving.terminate();
                assert_eq!(serving.wait(Duration::from_secs(10)).0, Some(0));
            }
            assert_ne!(passwords[0], passwords[1], "made anew each time");
        });
    }

    #[test]
    fn the_demo_leaves_a_database_that_the_settings_name() {
        for database in databases() {
            block_on(async {
                let dir = folder();
                let article = "article add --site main --key mine --title Mine --url https://news.example/mine";
                on(&dir, &database).args(article).run_well();
                for _ in 0..2 {
                    let mut serving = on(&dir, &database).arg("demo").serve();
                    let said = serving.next_lines(3);
                    get(&serving, "/api/v1/sites/main/articles/mine").await.expect(200);
                    sign_in(&serving, &said["moderator"], &said["password"]).await.expect(200);
                }
                assert!(!dir.path().join("rejoinder-demo.db").exists());
            });
        }
    }
}

mod neighbours {
    use super::*;

    /// A command beside a running server, which must notice it within two seconds.
    #[test]
    fn a_running_server_notices_what_another_process_changes() {
        for database in databases() {
            block_on(async {
                let dir = folder();
                on(&dir, &database)
                    .args("article add --site main --key a --title Old --url https://news.example/a")
                    .run_well();
                let serving = on(&dir, &database).env("REJOINDER_LIMITS", "off").serve();
                let article = "/api/v1/sites/main/articles/a";
                let comments = format!("{article}/comments");
                assert_eq!(get(&serving, article).await.expect(200).json()["title"], "Old");
                assert_eq!(get(&serving, &comments).await.expect(200).json()["items"], json!([]));
                let origin = || async {
                    let request = reqwest::Client::new().get(format!("{}{comments}", serving.base));
                    let answer = Answer::of(request.header("origin", "https://news.example")).await;
                    answer.header("access-control-allow-origin").map(str::to_owned)
                };
                assert_eq!(origin().await, None);

                on(&dir, &database)
                    .args("site set main --policy publish_first --origin https://news.example")
                    .run_well();
                let since = std::time::Instant::now();
                eventually("the new origin is echoed", async || origin().await.is_some()).await;
                assert!(since.elapsed() < Duration::from_millis(2_500), "{:?}", since.elapsed());
                let body = form("published at once");
                post(&serving, &comments, &body).await.expect(201);

                on(&dir, &database)
                    .args("article add --site main --key a --title New --url https://news.example/a")
                    .run_well();
                eventually("the new title", async || get(&serving, article).await.json()["title"] == "New").await;
            });
        }
    }

    /// What a second server publishes, the first shows, though it has the thread ready in memory. `PostgreSQL`'s nodes tell
    /// each other by other means.
    #[test]
    fn a_server_on_the_same_file_is_noticed_within_two_seconds() {
        block_on(async {
            let database = TestDatabase::sqlite();
            let dir = folder();
            on(&dir, &database).args("site set main --policy publish_first").run_well();
            on(&dir, &database)
                .args("article add --site main --key a --title A --url https://news.example/a")
                .run_well();
            let (one, other) = (on(&dir, &database).serve(), on(&dir, &database).serve());
            let comments = "/api/v1/sites/main/articles/a/comments";
            for number in 0..3 {
                let shown = |count: usize| {
                    let one = &one;
                    async move || get(one, comments).await.json()["items"].as_array().map(Vec::len) == Some(count)
                };
                assert!(shown(number)().await, "the thread is ready in memory");
                post(&other, comments, &form(&format!("number {number}"))).await.expect(201);
                let since = std::time::Instant::now();
                eventually("the other's comment", shown(number + 1)).await;
                assert!(since.elapsed() < Duration::from_millis(2_500), "{:?}", since.elapsed());
            }
        });
    }
}

mod stopping {
    use super::*;

    const CLIENTS: usize = 50;
    const LIMIT: Duration = Duration::from_secs(10);

    fn start(dir: &TempDir, database: &TestDatabase) -> Serving {
        on(dir, database).args("article add --site main --key a --title A --url https://news.example/a").run_well();
        on(dir, database).env("REJOINDER_LIMITS", "off").env("REJOINDER_LOG", "warn").serve()
    }

    fn post_head(body: &str, more: &str) -> String {
        let length = body.len();
        format!(
            "POST /api/v1/sites/main/articles/a/comments HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{more}\r\n"
        )
    }

    #[test]
    fn an_idle_server_ends_at_once_and_well() {
        for signal in ["-TERM", "-INT"] {
            let dir = folder();
            let mut serving = start(&dir, &TestDatabase::sqlite());
            if signal == "-TERM" {
                serving.terminate();
            } else {
                serving.interrupt();
            }
            let (code, _) = serving.wait(LIMIT);
            assert_eq!(code, Some(0), "{signal}: {}", serving.stderr());
        }
    }

    /// Fifty requests whose heads are read and whose bodies are not all there yet when the signal comes.
    #[test]
    fn requests_that_have_begun_when_the_signal_comes_are_all_answered() {
        for database in databases() {
            let dir = folder();
            let mut serving = start(&dir, &database);
            let mut begun: Vec<(Raw, String)> = (0..CLIENTS)
                .map(|number| {
                    let mut raw = Raw::connect(&serving.address(), LIMIT);
                    let body = form(&format!("number {number}")).to_string();
                    // The interim answer proves that the server has read the head and waits for the body.
                    let answer = raw.ask(post_head(&body, "Expect: 100-continue\r\n"));
                    assert_eq!(answer.status, 100);
                    raw.send(&body[..body.len() / 2]).expect("half a body");
                    (raw, body)
                })
                .collect();
            serving.terminate();
            wait_until_closed(&serving.address());
            for (number, (raw, body)) in begun.iter_mut().enumerate() {
                raw.send(&body[body.len() / 2..]).expect("the rest of it");
                let answer = raw.answer().unwrap_or_else(|error| panic!("request {number} was dropped: {error}"));
                assert_eq!(answer.unwrap_or_else(|| panic!("request {number} was dropped")).status, 202);
            }
            drop(begun);
            let (code, _) = serving.wait(LIMIT);
            assert_eq!(code, Some(0), "{}", serving.stderr());
        }
    }

    /// Nobody new is taken once it is stopping.
    fn wait_until_closed(address: &str) {
        let since = std::time::Instant::now();
        while std::net::TcpStream::connect(address).is_ok() {
            assert!(since.elapsed() < LIMIT, "it still takes connections");
            std::thread::sleep(Duration::from_millis(10)); // looks again, up to the limit
        }
    }

    /// Fifty clients that post as fast as they can, each on a connection it keeps. A connection may end between two
    /// requests; a request that was begun before the end gets its answer.
    #[test]
    fn clients_at_full_speed_lose_no_answer_and_it_ends_in_time() {
        for database in databases() {
            let dir = folder();
            let mut serving = start(&dir, &database);
            let (ready, all_ready) = std::sync::mpsc::channel();
            let clients: Vec<_> = (0..CLIENTS)
                .map(|client| {
                    let (address, ready) = (serving.address(), ready.clone());
                    std::thread::spawn(move || work(&address, client, &ready))
                })
                .collect();
            for _ in 0..CLIENTS {
                all_ready.recv_timeout(LIMIT).expect("every client is at work");
            }
            serving.terminate();
            let (code, took) = serving.wait(LIMIT);
            assert_eq!(code, Some(0), "{}", serving.stderr());
            let mut answered = 0;
            let mut lost = Vec::new();
            for client in clients {
                let (count, end) = client.join().expect("a client");
                answered += count;
                lost.extend(end.err());
            }
            assert_eq!(lost, Vec::<String>::new(), "of {answered} answers, ended after {took:?}");
            assert!(answered >= CLIENTS);
        }
    }

    /// Posts until the connection ends; says how many were answered, and how it ended when that was not well.
    fn work(address: &str, client: usize, ready: &std::sync::mpsc::Sender<()>) -> (usize, Result<(), String>) {
        let mut raw = Raw::connect(address, LIMIT);
        for count in 0.. {
            if count == 2 {
                ready.send(()).expect("somebody listens");
            }
            let body = form(&format!("client {client}, number {count}")).to_string();
            if raw.send(post_head(&body, "") + &body).is_err() {
                // Closed before it could be sent: nothing was begun.
                return (count, Ok(()));
            }
            match raw.answer() {
                Ok(Some(answer)) if answer.status == 202 => {
                    if answer.all("connection").iter().any(|value| value.eq_ignore_ascii_case("close")) {
                        return (count + 1, Ok(()));
                    }
                }
                Ok(Some(answer)) => return (count, Err(format!("client {client}: {}", answer.status))),
                // A clean end, with no byte of an answer, after one that did not announce it.
                Ok(None) => return (count, Err(format!("client {client}: closed without an answer"))),
                Err(error) => return (count, Err(format!("client {client}: {error}"))),
            }
        }
        (0, Ok(()))
    }
}
