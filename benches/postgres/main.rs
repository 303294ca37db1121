//! PostgreSQL: how fast posts are on it, and what several nodes, restarts and a failover do to those who use it.
//!
//! `cargo bench --bench postgres` runs every part, `cargo bench --bench postgres -- posts lag` those that are named. It
//! starts PostgreSQL servers of its own, needs `wrk` and PostgreSQL's programs, sends only to loopback, and ends by itself;
//! all of it takes about ten minutes. What must hold is checked: a part that finds it broken fails.

#[allow(dead_code)] // Each bench uses what it needs of it.
#[path = "../program/mod.rs"]
mod program;

mod failover;
mod lag;
mod ledger;
mod posts;
mod race;
mod restarts;

use program::Failure;
use program::bare::serve_when_asked_to;

type Part = (&'static str, fn() -> Result<(), Failure>);

const PARTS: [Part; 5] = [
    ("posts", posts::measure),
    ("lag", lag::measure),
    ("race", race::measure),
    ("restarts", restarts::measure),
    ("failover", failover::measure),
];

fn main() -> Result<(), Failure> {
    serve_when_asked_to()?;
    // Cargo adds an option of its own.
    let asked: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    if let Some(unknown) = asked.iter().find(|name| PARTS.iter().all(|(part, _)| part != name)) {
        return Err(format!("{unknown}: the parts are {}", PARTS.map(|(name, _)| name).join(", ")).into());
    }
    for (name, measure) in PARTS {
        if asked.is_empty() || asked.iter().any(|asked| asked == name) {
            println!("\n== {name}");
            measure()?;
        }
    }
    Ok(())
}

/// One line of a table.
fn row(name: &str, value: impl std::fmt::Display) {
    println!("{name:<66}{value}");
}

/// Fails with what was expected unless it holds.
fn must(holds: bool, expected: &str) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(format!("not so: {expected}").into()) }
}
