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
use program::parts::{Part, run};

const PARTS: [Part; 5] = [
    ("posts", posts::measure),
    ("lag", lag::measure),
    ("race", race::measure),
    ("restarts", restarts::measure),
    ("failover", failover::measure),
];

fn main() -> Result<(), Failure> {
    serve_when_asked_to()?;
    run(&PARTS)
}

/// One line of a table.
fn row(name: &str, value: impl std::fmt::Display) {
    println!("{name:<66}{value}");
}

/// Fails with what was expected unless it holds.
fn must(holds: bool, expected: &str) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(format!("not so: {expected}").into()) }
}
