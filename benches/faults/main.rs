//! What readers notice of floods, crowds and slow clients, and what becomes of those.
//!
//! `cargo bench --bench faults` runs every part, `cargo bench --bench faults -- overload stop` those that are named. Each
//! starts the release binary with a database of its own, sends only to loopback, and ends by itself; all of it takes about
//! eight minutes. Clients share the machine with the server, so only the ratios mean much.

#[allow(dead_code)] // Each bench uses what it needs of it.
#[path = "../program/mod.rs"]
mod program;

mod hot_article;
mod mixed;
mod overload;
mod sign_in_flood;
mod slow_clients;
mod stop;

use program::Failure;
use program::bare::serve_when_asked_to;
use program::parts::{Part, run};

const PARTS: [Part; 6] = [
    ("sign-in-flood", sign_in_flood::measure),
    ("hot-article", hot_article::measure),
    ("mixed", mixed::measure),
    ("overload", overload::measure),
    ("slow-clients", slow_clients::measure),
    ("stop", stop::measure),
];

fn main() -> Result<(), Failure> {
    serve_when_asked_to()?;
    run(&PARTS)
}

/// One line of a table.
fn row(name: &str, value: impl std::fmt::Display) {
    println!("{name:<58}{value}");
}
