//! What a million comments cost: memory when idle, and the time from starting to the first answer.
//!
//! `cargo bench --bench million` makes the database once, in `target/`, which takes some minutes and 2 GB, and keeps it;
//! `rm -r target/tmp/bench-million` makes it anew. The rest takes a quarter of a minute. Linux only: memory is `VmRSS`.

#[allow(dead_code)] // Each bench uses what it needs of it.
mod program;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use program::{Failure, Running, median, run};

const COMMENTS: &str = "1000000";
const ARTICLES: &str = "2000";
const ROUNDS: usize = 5;

fn main() -> Result<(), Failure> {
    let database = database()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let client = reqwest::Client::new();
    let (mut first, mut idle, mut read) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let began = Instant::now();
        let server = Running::serve(&database)?;
        let thread = format!("{}/api/v1/sites/main/articles/generated-1/comments", server.base);
        runtime.block_on(get(&client, &thread))?;
        first.push(began.elapsed().as_secs_f64() * 1000.0);
        idle.push(memory(&server)?);
        for number in 1..=200 {
            let thread = format!("{}/api/v1/sites/main/articles/generated-{number}/comments", server.base);
            runtime.block_on(get(&client, &thread))?;
        }
        read.push(memory(&server)?);
    }
    println!("with {COMMENTS} comments over {ARTICLES} articles, medians of {ROUNDS} starts:");
    println!("  from starting to the first answer, a thread   {:>6.0} ms", median(first));
    println!("  memory after the first answer                 {:>6.0} MiB", median(idle));
    println!("  memory after reading 200 threads              {:>6.0} MiB", median(read));
    Ok(())
}

#[allow(clippy::cast_precision_loss)] // Of a figure for people.
fn memory(server: &Running) -> Result<f64, Failure> {
    Ok(server.memory_mib()?[0] as f64)
}

/// The database, made when it is not there yet.
fn database() -> Result<String, Failure> {
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bench-million");
    let done = dir.join("done");
    let database = format!("sqlite:{}", dir.join("million.db").display());
    if !done.exists() {
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir)?;
        let began = Instant::now();
        println!("making {COMMENTS} comments");
        run(&database, &["generate", "--comments", COMMENTS, "--articles", ARTICLES])?;
        println!("made in {:.0} s", began.elapsed().as_secs_f64());
        std::fs::write(done, "")?;
    }
    Ok(database)
}

async fn get(client: &reqwest::Client, url: &str) -> Result<(), Failure> {
    let answer = client.get(url).timeout(Duration::from_secs(10)).send().await?.error_for_status()?;
    answer.bytes().await?;
    Ok(())
}
