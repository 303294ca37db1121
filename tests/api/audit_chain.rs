//! The chain of the audit log: everything that is written gets its place, once and for good, and whoever changes, removes
//! or inserts an entry behind the program's back is found out, with the entry named.

use std::collections::HashSet;
use std::fmt::Write;
use std::os::unix::fs::PermissionsExt;

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use rejoinder::app::App;
use rejoinder::audit;
use rejoinder::config::{Given, PublicUrl, Settings};
use rejoinder::kit::clock::Clock;
use rejoinder::store::schema::audit_entries;
use rejoinder::store::{Store, StoreError};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::support::database::{TestDatabase, databases};
use crate::support::process::{Run, rejoinder};
use crate::support::server::{NOON, eventually};
use crate::support::{form, on_each_database};

/// The program's handle on a database that no server seals.
struct Log<'a> {
    app: App,
    database: &'a TestDatabase,
    dir: TempDir,
}

impl<'a> Log<'a> {
    async fn on(database: &'a TestDatabase) -> Self {
        let given = Given { database_url: Some(database.url_text()), ..Given::default() };
        let settings = Settings::try_from(given).expect("good settings");
        let store = Store::open(&database.url()).expect("a store");
        let public_url = PublicUrl::of_address(settings.listen);
        let app = App::new(settings, public_url, store, Clock::system()).await.expect("a handle");
        Self { app, database, dir: tempfile::tempdir().expect("a folder") }
    }

    fn is_sqlite(&self) -> bool {
        matches!(self.database, TestDatabase::Sqlite { .. })
    }

    async fn execute(&self, sql: impl Into<String>) -> usize {
        let sql = sql.into();
        let done: Result<usize, StoreError> =
            self.app.store.write(move |conn| Ok(diesel::sql_query(&sql).execute(conn)?)).await;
        done.expect("executed")
    }

    /// Writes so many entries, as they wait to be sealed.
    async fn write(&self, count: i64) {
        let first = self.number("SELECT COALESCE(MAX(id), 0) AS n FROM audit_entries").await + 1;
        let last = first + count - 1;
        let series = if self.is_sqlite() {
            format!("WITH RECURSIVE series (n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM series WHERE n < {last})")
        } else {
            format!("WITH series AS (SELECT n FROM generate_series({first}, {last}) AS n)")
        };
        let (columns, facts) = ("id, at, action, actor_id, facts", "'{\"from\":\"pending\",\"n\":' || n || '}'");
        let values = format!("n, {} + n, 'decided', 7, {facts}", NOON.0);
        self.execute(format!("INSERT INTO audit_entries ({columns}) {series} SELECT {values} FROM series")).await;
    }

    async fn number(&self, sql: &str) -> i64 {
        #[derive(QueryableByName)]
        struct Number {
            #[diesel(sql_type = BigInt)]
            n: i64,
        }
        let sql = sql.to_owned();
        let found: Result<Number, StoreError> =
            self.app.store.read(move |conn| Ok(diesel::sql_query(&sql).get_result(conn)?)).await;
        found.expect("a number").n
    }

    /// Takes away what keeps the log as it is, as a database's administrator can.
    async fn disarm(&self) {
        for trigger in ["only_unsealed", "unchanged", "kept"] {
            let table = if self.is_sqlite() { "" } else { " ON audit_entries" };
            self.execute(format!("DROP TRIGGER audit_entries_{trigger}{table}")).await;
        }
    }

    fn program(&self, args: &str) -> Run {
        rejoinder(self.dir.path()).env("REJOINDER_DATABASE_URL", self.database.url_text()).args(args).run()
    }

    /// Says that all is well; gives the head.
    #[track_caller]
    fn expect_whole(&self, entries: i64) -> String {
        let run = self.program("audit verify");
        assert_eq!(run.code, Some(0), "{}{}", run.stdout, run.stderr);
        assert!(run.stdout.starts_with(&format!("{entries} entries; ")), "{}", run.stdout);
        assert!(run.stdout.lines().last().is_some_and(|line| line.starts_with("read in ")), "{}", run.stdout);
        head_of(&run)
    }

    /// Says exactly what is wrong, and ends with 1.
    #[track_caller]
    fn expect_flaws(&self, args: &str, flaws: &[&str]) {
        let run = self.program(args);
        assert_eq!(run.code, Some(1), "{}{}", run.stdout, run.stderr);
        assert!(run.stderr.contains("not as it was sealed"), "{}", run.stderr);
        let named: Vec<&str> = run.stdout.lines().take_while(|line| !line.contains(" entries; ")).collect();
        assert_eq!(named.len(), flaws.len(), "{}", run.stdout);
        for (line, flaw) in named.iter().zip(flaws) {
            assert!(line.starts_with(flaw), "{line:?}, not {flaw:?}");
        }
    }
}

fn head_of(run: &Run) -> String {
    let line = run.stdout.lines().find_map(|line| line.strip_prefix("head: ")).expect("a head");
    line.split(' ').next().expect("a hash").to_owned()
}

fn on_each_log(test: impl AsyncFn(&Log)) {
    for database in databases() {
        actix_web::rt::System::new().block_on(async { test(&Log::on(&database).await).await });
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a text grows");
        text
    })
}

fn from_hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal")).collect()
}

mod sealing {
    use super::*;

    /// Whoever does something finds it in the chain a moment later, and the chain is gapless from 1.
    #[test]
    fn what_is_done_is_sealed_soon_after() {
        on_each_database(async |app| {
            let moderator = app.moderator().await;
            let article = app.article("a").await;
            let id = app.posted(&article, &form("a comment")).await;
            app.approve(&moderator, id).await;
            eventually("all is sealed", async || {
                let rows: Result<Vec<(Option<i64>, i64)>, StoreError> = app
                    .app
                    .store
                    .read(|conn| {
                        let columns = (audit_entries::seq, audit_entries::at);
                        Ok(audit_entries::table.order(audit_entries::seq).select(columns).load(conn)?)
                    })
                    .await;
                let rows = rows.expect("the log");
                rows.iter().map(|row| row.0).eq((1..=3).map(Some))
            })
            .await;
            let found = audit::verify(&app.app, None, |_| ()).await.expect("verified");
            assert!(found.is_whole() && found.sealed == 3 && found.unsealed == 0, "{found:?}");
        });
    }

    /// Many nodes, one log: they take turns, and nothing gets two places or none.
    #[test]
    fn sealers_on_several_nodes_never_fork_the_chain() {
        on_each_log(async |log| {
            let other = Store::open(&log.database.url()).expect("another node's store");
            let (mut total, mut sealed) = (0, 0);
            for _ in 0..6 {
                log.write(1_100).await;
                total += 1_100;
                let all =
                    futures_util::future::join_all([&other, &log.app.store, &other, &log.app.store].map(audit::seal))
                        .await;
                sealed += all.into_iter().map(|count| count.expect("sealed")).sum::<usize>();
            }
            sealed += audit::seal(&log.app.store).await.expect("sealed");
            assert_eq!(sealed, total);
            let found = audit::verify(&log.app, None, |_| ()).await.expect("verified");
            assert!(found.is_whole(), "{found:?}");
            assert_eq!((found.sealed, found.unsealed), (total as u64, 0));
            assert_eq!(found.head.map(|(seq, _)| seq), Some(i64::try_from(total).unwrap()));
        });
    }

    /// Entries wait in the order of what happened; what comes late comes after what has its place already.
    #[test]
    fn a_late_entry_gets_the_next_place() {
        on_each_log(async |log| {
            let add = async |id: i64, at: i64| {
                let values = format!("VALUES ({id}, {at}, 'decided', '{{}}')");
                log.execute(format!("INSERT INTO audit_entries (id, at, action, facts) {values}")).await
            };
            for (id, at) in [(30, 5), (10, 6), (20, 5)] {
                add(id, at).await;
            }
            assert_eq!(audit::seal(&log.app.store).await.expect("sealed"), 3);
            add(5, 1).await;
            assert_eq!(audit::seal(&log.app.store).await.expect("sealed"), 1);
            assert_eq!(audit::seal(&log.app.store).await.expect("sealed"), 0);
            let order: Result<Vec<i64>, StoreError> = log
                .app
                .store
                .read(|conn| Ok(audit_entries::table.order(audit_entries::seq).select(audit_entries::id).load(conn)?))
                .await;
            assert_eq!(order.expect("the log"), [20, 30, 10, 5]);
            log.expect_whole(4);
        });
    }
}

mod verifying {
    use super::*;

    #[test]
    fn an_empty_log_and_one_that_waits_are_whole() {
        on_each_log(async |log| {
            let run = log.program("audit verify");
            assert_eq!(run.code, Some(0), "{}", run.stderr);
            assert!(
                run.stdout.starts_with("0 entries; 0 with what was personal erased; 0 not sealed yet\nhead: none\n")
            );
            log.write(3).await;
            let run = log.program("audit verify");
            assert_eq!(run.code, Some(0), "{}", run.stderr);
            assert!(run.stdout.contains("; 3 not sealed yet\n"), "{}", run.stdout);
        });
    }

    #[test]
    fn a_changed_entry_is_named_whatever_was_changed() {
        on_each_log(async |log| {
            log.write(12).await;
            audit::seal(&log.app.store).await.expect("sealed");
            let head = log.expect_whole(12);
            log.disarm().await;
            let changes = [
                ("at", "at + 1", "at - 1"),
                ("actor_id", "8", "7"),
                ("actor_id", "NULL", "7"),
                ("api_key_id", "1", "NULL"),
                ("action", "'spared'", "'decided'"),
                ("site_id", "1", "NULL"),
                ("subject_kind", "'comment'", "NULL"),
                ("subject_id", "1", "NULL"),
            ];
            for (column, value, before) in changes {
                log.execute(format!("UPDATE audit_entries SET {column} = {value} WHERE seq = 5")).await;
                log.expect_flaws("audit verify", &["entry 5 (id 5) is not as it was sealed"]);
                log.execute(format!("UPDATE audit_entries SET {column} = {before} WHERE seq = 5")).await;
            }
            assert_eq!(log.expect_whole(12), head);
            // The first, the last, and two at once.
            log.execute("UPDATE audit_entries SET facts = '{}' WHERE seq IN (1, 12)").await;
            log.expect_flaws("audit verify", &["entry 1 (id 1) is not", "entry 12 (id 12) is not"]);
            // Moving a value from one column to the next changes the bytes that the hash covers.
            log.execute("UPDATE audit_entries SET actor_id = NULL, api_key_id = 7 WHERE seq = 3").await;
            log.expect_flaws("audit verify", &["entry 1 ", "entry 3 ", "entry 12 "]);
        });
    }

    #[test]
    fn a_removed_entry_is_named_by_its_place() {
        on_each_log(async |log| {
            log.write(12).await;
            audit::seal(&log.app.store).await.expect("sealed");
            log.disarm().await;
            log.execute("DELETE FROM audit_entries WHERE seq = 5").await;
            log.expect_flaws("audit verify", &["entry 5 was removed"]);
            log.execute("DELETE FROM audit_entries WHERE seq IN (1, 8, 9)").await;
            log.expect_flaws("audit verify", &["entry 1 was", "entry 5 was", "entries 8 to 9 were removed"]);
        });
    }

    /// Who closes the gap by numbering the rest anew is found out by the entry behind it.
    #[test]
    fn a_gap_that_was_closed_shows() {
        on_each_log(async |log| {
            log.write(12).await;
            audit::seal(&log.app.store).await.expect("sealed");
            log.disarm().await;
            log.execute("DELETE FROM audit_entries WHERE seq = 5").await;
            for seq in 6..=12 {
                log.execute(format!("UPDATE audit_entries SET seq = {} WHERE seq = {seq}", seq - 1)).await;
            }
            log.expect_flaws("audit verify", &["entry 5 (id 6) is not as it was sealed"]);
        });
    }

    #[test]
    fn an_inserted_entry_is_named() {
        on_each_log(async |log| {
            log.write(12).await;
            audit::seal(&log.app.store).await.expect("sealed");
            log.disarm().await;
            let bytes = if log.is_sqlite() { "x'00'" } else { "'\\x00'::bytea" };
            let insert = |id: i64, seq: i64| {
                let values = format!("VALUES ({id}, 1, 'decided', '{{}}', {seq}, {bytes})");
                format!("INSERT INTO audit_entries (id, at, action, facts, seq, hash) {values}")
            };
            // At the end.
            log.execute(insert(99, 13)).await;
            log.expect_flaws("audit verify", &["entry 13 (id 99) is not as it was sealed"]);
            log.execute("DELETE FROM audit_entries WHERE id = 99").await;
            // Before the first.
            log.execute(insert(99, 0)).await;
            log.expect_flaws("audit verify", &["entry 0 (id 99) was inserted"]);
            log.execute("DELETE FROM audit_entries WHERE id = 99").await;
            // At a place that is taken.
            log.execute("DROP INDEX audit_entries_by_seq").await;
            for id in [99, -99] {
                log.execute(insert(id, 5)).await;
                log.expect_flaws("audit verify", &[&format!("entry 5 (id {id}) was inserted")]);
                log.execute(format!("DELETE FROM audit_entries WHERE id = {id}")).await;
            }
            // In between, everything behind it numbered anew.
            log.execute("UPDATE audit_entries SET seq = seq + 1 WHERE seq >= 5").await;
            log.execute(insert(99, 5)).await;
            log.expect_flaws("audit verify", &["entry 5 (id 99) was inserted"]);
        });
    }

    /// What is cut off at the end, or written anew from some place on, shows to whoever kept a head.
    #[test]
    fn a_cut_or_rewritten_end_shows_to_whoever_kept_a_head() {
        on_each_log(async |log| {
            log.write(8).await;
            audit::seal(&log.app.store).await.expect("sealed");
            let early = log.expect_whole(8);
            log.write(4).await;
            audit::seal(&log.app.store).await.expect("sealed");
            let late = log.expect_whole(12);
            for head in [&early, &late, &late.to_uppercase()] {
                assert_eq!(log.program(&format!("audit verify --head {head}")).code, Some(0), "{head}");
            }
            for wrong in ["", "abc", &format!("{late}0"), &late.replace(&late[..1], "g")] {
                let run = log.program(&format!("audit verify --head={wrong}"));
                assert_eq!(run.code, Some(2), "{wrong:?}: {}", run.stderr);
            }
            log.disarm().await;
            log.execute("DELETE FROM audit_entries WHERE seq > 10").await;
            log.expect_whole(10);
            log.expect_flaws(&format!("audit verify --head {late}"), &["the head that was given is not in the log"]);
            assert_eq!(log.program(&format!("audit verify --head {early}")).code, Some(0));
            // Everything sealed again after a change: whole in itself, and not what it was.
            log.execute("UPDATE audit_entries SET facts = '{}' WHERE seq = 3").await;
            log.execute("UPDATE audit_entries SET seq = NULL, hash = NULL").await;
            audit::seal(&log.app.store).await.expect("sealed");
            log.expect_whole(10);
            log.expect_flaws(&format!("audit verify --head {early}"), &["the head that was given is not in the log"]);
        });
    }

    /// What is personal can be erased, and only erased.
    #[test]
    fn erasing_what_is_personal_keeps_the_chain_whole() {
        on_each_database(async |app| {
            for _ in 0..3 {
                app.request(reqwest::Method::POST, "/api/v1/session")
                    .json(&json!({ "username": "nobody", "password": "x" }))
                    .send()
                    .await
                    .expect("an answer");
            }
            let execute = async |sql: &str| {
                let sql = sql.to_owned();
                let done: Result<usize, StoreError> =
                    app.app.store.write(move |conn| Ok(diesel::sql_query(&sql).execute(conn)?)).await;
                done
            };
            // One before it gets its place, or after: both are well.
            let erased =
                "UPDATE audit_entries SET private = NULL, salt = NULL WHERE id = (SELECT MIN(id) FROM audit_entries)";
            assert_eq!(execute(erased).await.ok(), Some(1));
            eventually("all is sealed", async || {
                audit::verify(&app.app, None, |_| ()).await.expect("verified").unsealed == 0
            })
            .await;
            let erased = erased.replace("MIN", "MAX");
            assert_eq!(execute(&erased).await.ok(), Some(1));
            let found = audit::verify(&app.app, None, |_| ()).await.expect("verified");
            assert!(found.is_whole(), "{found:?}");
            assert_eq!((found.sealed, found.erased), (3, 2));

            let is_sqlite = matches!(app.database, TestDatabase::Sqlite { .. });
            let table = if is_sqlite { "" } else { " ON audit_entries" };
            execute(&format!("DROP TRIGGER audit_entries_unchanged{table}")).await.expect("dropped");
            let change = "UPDATE audit_entries SET private = '{\"address\":\"192.0.2.1\"}' WHERE seq = 2";
            assert_eq!(execute(change).await.ok(), Some(1));
            let found = audit::verify(&app.app, None, |_| ()).await.expect("verified");
            let named: Vec<String> = found.flaws.iter().map(ToString::to_string).collect();
            assert_eq!(named.len(), 1, "{named:?}");
            assert!(
                named[0].starts_with("entry 2 (id ") && named[0].contains("personal part was changed"),
                "{named:?}"
            );
        });
    }

    /// Verifying a long log, and finding the one entry in it that was changed. `TEST_AUDIT_ENTRIES=100000` makes the figure.
    #[test]
    fn one_changed_entry_of_a_long_log_is_named() {
        let count: i64 = std::env::var("TEST_AUDIT_ENTRIES").ok().and_then(|text| text.parse().ok()).unwrap_or(5_000);
        on_each_log(async |log| {
            log.write(count).await;
            let began = std::time::Instant::now();
            audit::seal(&log.app.store).await.expect("sealed");
            let sealed_s = began.elapsed().as_secs_f64();
            log.expect_whole(count);
            let seq = count * 2 / 3;
            log.disarm().await;
            log.execute(format!("UPDATE audit_entries SET facts = '{{\"from\":\"spam\"}}' WHERE seq = {seq}")).await;
            let run = log.program("audit verify");
            assert_eq!(run.code, Some(1), "{}", run.stdout);
            let lines: Vec<&str> = run.stdout.lines().collect();
            assert!(lines[0].starts_with(&format!("entry {seq} (id {seq}) is not as it was sealed")), "{}", run.stdout);
            assert!(lines[1].starts_with(&format!("{count} entries; ")), "{}", run.stdout);
            println!("{count} entries sealed in {sealed_s:.2} s; {}", lines.join("; "));
        });
    }
}

mod exporting {
    use super::*;

    /// Whoever has the file can verify the chain without this program, from what `src/audit/chain.rs` says.
    #[test]
    fn the_export_is_enough_to_verify_the_chain_elsewhere() {
        on_each_database(async |app| {
            let moderator = app.moderator().await;
            let article = app.article("a").await;
            let id = app.posted(&article, &form("a comment")).await;
            app.decide_with(&moderator, id, 1, &json!({ "decision": "reject", "reason": "off-topic" }))
                .await
                .expect(201);
            app.request(reqwest::Method::POST, "/api/v1/session")
                .header("user-agent", "Ünïcode/1 \"quoted\" \\ and a\ttab")
                .json(&json!({ "username": "nobody", "password": "x" }))
                .send()
                .await
                .expect("an answer");
            eventually("all is sealed", async || {
                audit::verify(&app.app, None, |_| ()).await.expect("verified").unsealed == 0
            })
            .await;
            let dir = tempfile::tempdir().expect("a folder");
            let program = |args: &str| {
                let program = rejoinder(dir.path()).env("REJOINDER_DATABASE_URL", app.database.url_text());
                program.args(args)
            };
            program("audit export log.jsonl").run_well();
            let text = std::fs::read_to_string(dir.path().join("log.jsonl")).expect("the export");
            let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
            let mut before = vec![0; 32];
            let sealed: Vec<&Value> = lines.iter().filter(|line| !line["seq"].is_null()).collect();
            assert!(sealed.len() >= 4, "{text}");
            for (index, line) in sealed.iter().enumerate() {
                assert_eq!(line["seq"], index + 1);
                before = hash_of(&before, line);
                assert_eq!(line["hash"], hex(&before), "{line}");
                if let Some(private) = line["private"].as_object() {
                    let salt = from_hex(line["salt"].as_str().unwrap());
                    let bytes = [salt, serde_json::to_vec(private).unwrap()].concat();
                    assert_eq!(line["private_hash"], hex(&Sha256::digest(bytes)), "{line}");
                }
            }
            // That it was exported is told, and waits for its place.
            assert!(lines.iter().any(|line| line["action"] == "audit-exported"), "{text}");

            let mode = std::fs::metadata(dir.path().join("log.jsonl")).expect("the file").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            let again = program("audit export log.jsonl").run();
            assert_eq!(again.code, Some(1), "what is there is not written over");
            let printed = program("audit export -").run_well();
            let ids = |text: &str| -> HashSet<i64> {
                let id = |line: &str| serde_json::from_str::<Value>(line).expect("JSON")["id"].as_i64().unwrap();
                text.lines().map(id).collect()
            };
            assert!(ids(&printed).is_superset(&ids(&text)));
        });
    }

    /// What the description of the chain says, written down a second time.
    fn hash_of(before: &[u8], line: &Value) -> Vec<u8> {
        let mut bytes = before.to_vec();
        let names =
            ["id", "at_ms", "actor_id", "api_key_id", "action", "site_id", "subject_kind", "subject_id", "facts"];
        for name in names {
            let value = match &line[name] {
                Value::Null => None,
                Value::Number(number) => Some(number.as_i64().unwrap().to_be_bytes().to_vec()),
                Value::String(text) => Some(text.clone().into_bytes()),
                object => Some(object.to_string().into_bytes()),
            };
            put(&mut bytes, value);
        }
        put(&mut bytes, line["private_hash"].as_str().map(from_hex));
        Sha256::digest(bytes).to_vec()
    }

    fn put(bytes: &mut Vec<u8>, value: Option<Vec<u8>>) {
        match value {
            None => bytes.push(0),
            Some(value) => {
                bytes.push(1);
                bytes.extend(u64::try_from(value.len()).unwrap().to_be_bytes());
                bytes.extend(value);
            }
        }
    }
}
