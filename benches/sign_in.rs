//! Whether the time of a refused sign-in tells if the name exists.
//!
//! `cargo bench --bench sign_in` tries a name that exists and one that does not, in turn, 1,000 times each, and compares
//! the medians. It takes about a minute on an idle machine.

#[allow(dead_code)] // Each bench uses what it needs of it.
mod program;

use std::time::Instant;

use program::{Failure, Running, add_administrator, median};

const TRIES: usize = 1_000;

fn main() -> Result<(), Failure> {
    let dir = tempfile::tempdir()?;
    let database = format!("sqlite:{}", dir.path().join("bench.db").display());
    add_administrator(&database)?;
    let server = Running::serve(&database)?;
    let [known, unknown] = actix_web::rt::System::new().block_on(measure(&server.base))?;
    println!(
        "refused sign-in, {TRIES} tries each in turn: a name that exists {known:.2} ms, one that does not {unknown:.2} ms"
    );
    println!("ratio of the medians: {:.3}", unknown / known);
    Ok(())
}

/// Medians in milliseconds: of the name that exists, of the name that does not.
async fn measure(base: &str) -> Result<[f64; 2], Failure> {
    let client = reqwest::Client::new();
    let mut times = [Vec::new(), Vec::new()];
    for count in 0..TRIES {
        // Who comes first changes each time, so that neither always follows the other.
        for which in [count % 2, 1 - count % 2] {
            let username = ["ines", "nobody"][which];
            let body = serde_json::json!({ "username": username, "password": format!("a wrong password {count}") });
            let began = Instant::now();
            let answer = client.post(format!("{base}/api/v1/session")).json(&body).send().await?;
            let status = answer.status().as_u16();
            answer.bytes().await?;
            times[which].push(began.elapsed().as_secs_f64() * 1_000.0);
            if status != 401 {
                return Err(format!("{username} was answered {status}").into());
            }
        }
    }
    Ok(times.map(median))
}
