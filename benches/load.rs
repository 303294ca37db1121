//! How fast the whole program is, against what the machine allows, in one run.
//!
//! `cargo bench --bench load` starts the release binary and, beside it, the limits: a bare handler that returns the bytes
//! and headers of the same thread, a handler behind the same middleware that parses the same form and drops it, and raw
//! commits of one such row into a table without an index. It needs `wrk`, installs nothing, takes about two minutes, and
//! sends only to loopback. Every figure is the median of three rounds taken in turn; machines differ and are noisy, so
//! only the ratios mean much.

#[allow(dead_code)] // Each bench uses what it needs of it.
mod program;

use std::path::Path;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::{Connection, RunQueryDsl, SqliteConnection};
use program::bare::{BYTES, serve_when_asked_to, start_limits};
use program::client::Client;
use program::{COMMENTS, Failure, Prepared, THREAD, median, write_posts, wrk};
use serde_json::json;

const ROUNDS: usize = 3;

fn main() -> Result<(), Failure> {
    serve_when_asked_to()?;
    let Prepared { dir, server, .. } = Prepared::new()?;
    let script = write_posts(dir.path())?;
    let limits = start_limits(&server.base, dir.path())?;
    let mut moderator = Client::connect(&server.base)?;
    println!("thread of 200 comments: {} bytes", moderator.send("GET", THREAD, "", "")?.body.len());
    let who = moderator.sign_in()?;

    let post = Some(script.as_path());
    let mut rows: [Vec<f64>; 8] = Default::default();
    for round in 1..=ROUNDS {
        println!("round {round} of {ROUNDS}");
        rows[0].push(wrk(&limits.base, BYTES, "64", None)?.per_second);
        rows[1].push(wrk(&server.base, THREAD, "64", None)?.per_second);
        rows[2].push(wrk(&limits.base, COMMENTS, "64", post)?.per_second);
        rows[3].push(wrk(&server.base, COMMENTS, "64", post)?.per_second);
        rows[4].push(raw_commits(&dir.path().join("raw.db"))?);
        rows[5].push(wrk(&server.base, COMMENTS, "1", post)?.median_us);
    }
    // The server has closed the idle connection meanwhile.
    let mut moderator = Client::connect(&server.base)?;
    for _ in 1..=ROUNDS {
        rows[6].push(decisions(&mut moderator, &who)?);
    }
    println!("teaching the filter, setting rules");
    turn_screening_on(&mut moderator, &who)?;
    for _ in 1..=ROUNDS {
        rows[7].push(wrk(&server.base, COMMENTS, "64", post)?.per_second);
    }
    let [bytes, thread, parse, post, commit, post_alone, decisions, post_screened] = rows.map(median);
    println!("\n{:<58}{:>12}{:>10}", "64 clients", "per second", "ratio");
    row("bare handler, the thread's bytes and headers", bytes, None);
    row("published thread of 200 comments", thread, Some(thread / bytes));
    row("same middleware, parse the form and drop it", parse, None);
    row("post a comment, durable", post, Some(post / parse));
    row("the same with rules, a filter that decides, all of it", post_screened, Some(post_screened / post));
    println!("\n{:<58}{:>12}{:>10}", "one client", "median µs", "ratio");
    row("raw commit of one such row", commit, None);
    row("post a comment, durable", post_alone, Some(post_alone / commit));
    println!("\n{:<58}{:>12}", "one client", "per second");
    row("decide about a comment, durable", decisions, None);
    let [now, most] = server.memory_mib()?;
    println!("\nmemory of the program after all this: {now} MiB, at most {most} MiB");
    Ok(())
}

/// Decisions per second of one moderator, one after the other, each durable: the newest held comments are approved and
/// rejected in turn. Reading the queue for them is not counted.
fn decisions(moderator: &mut Client, who: &str) -> Result<f64, Failure> {
    let (mut spent, mut count) = (Duration::ZERO, 0_u32);
    while spent < Duration::from_secs(3) {
        let queue = moderator.send("GET", "/api/v1/review/comments?limit=100&sort=newest", who, "")?.json()?;
        let items = queue["items"].as_array().ok_or("no queue")?;
        let began = Instant::now();
        for (item, decision) in items.iter().zip(["approve", "reject"].iter().cycle()) {
            let headers = format!("{who}Content-Type: application/json\r\nIf-Match: \"{}\"\r\n", item["version"]);
            let path = format!("/api/v1/review/comments/{}/decisions", item["id"]);
            let answer = moderator.send("POST", &path, &headers, &format!("{{\"decision\":\"{decision}\"}}"))?;
            if answer.status != 201 {
                return Err(format!("a decision was answered {}", answer.status).into());
            }
            count += 1;
        }
        spent += began.elapsed();
    }
    Ok(f64::from(count) / spent.as_secs_f64())
}

/// Teaches the filter until it decides, gives the site rules of every costly kind, and waits until all is learned.
fn turn_screening_on(moderator: &mut Client, who: &str) -> Result<(), Failure> {
    for decision in ["approve", "spam"] {
        let queue = moderator.send("GET", "/api/v1/review/comments?limit=100&sort=newest", who, "")?.json()?;
        for item in queue["items"].as_array().ok_or("no queue")? {
            let headers = format!("{who}Content-Type: application/json\r\nIf-Match: \"{}\"\r\n", item["version"]);
            let path = format!("/api/v1/review/comments/{}/decisions", item["id"]);
            moderator.send("POST", &path, &headers, &format!("{{\"decision\":\"{decision}\"}}"))?;
        }
    }
    let words: Vec<String> = (0..5_000).map(|number| format!("forbidden word {number}")).collect();
    let rules = json!({"rules": [
        {"kind": "words", "words": words, "effect": "hold"},
        {"kind": "regex", "pattern": r"\b(cheap|free)\s+\w+\s+now\b", "effect": "hold"},
        {"kind": "links", "at_least": 2, "effect": "hold"},
        {"kind": "capitals", "effect": "log"},
    ]});
    let headers = format!("{who}Content-Type: application/json\r\n");
    let put = moderator.send("PUT", "/api/v1/sites/main/rules", &headers, &rules.to_string())?;
    if put.status != 200 {
        return Err(format!("rules were answered {}", put.status).into());
    }
    let began = Instant::now();
    loop {
        let state = moderator.send("GET", "/api/v1/sites/main/screening", who, "")?.json()?;
        if state["decides"] == true && state["waiting"] == 0 {
            return Ok(());
        }
        if began.elapsed() > Duration::from_mins(1) {
            return Err(format!("the filter does not decide: {state}").into());
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn row(name: &str, per_second: f64, ratio: Option<f64>) {
    let ratio = ratio.map_or_else(String::new, |ratio| format!("{ratio:.3}"));
    println!("{name:<58}{per_second:>12.0}{ratio:>10}");
}

/// The median time of a commit, in microseconds, one after the other, each flushed: a row with the bytes of a post and of
/// its HTML.
fn raw_commits(path: &Path) -> Result<f64, Failure> {
    let mut conn = SqliteConnection::establish(&path.display().to_string())?;
    conn.batch_execute(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         CREATE TABLE IF NOT EXISTS rows (id INTEGER PRIMARY KEY, text TEXT NOT NULL);",
    )?;
    let text = "x".repeat(800);
    let (began, mut times) = (Instant::now(), Vec::new());
    while began.elapsed() < Duration::from_secs(3) {
        let one = Instant::now();
        diesel::sql_query("INSERT INTO rows (text) VALUES (?)")
            .bind::<diesel::sql_types::Text, _>(&text)
            .execute(&mut conn)?;
        times.push(one.elapsed().as_secs_f64() * 1e6);
    }
    Ok(median(times))
}
