//! Posts per second, on the full path, against commits of one such row by PostgreSQL's own bench, in turn.

use crate::program::cluster::Cluster;
use crate::program::{COMMENTS, Failure, Prepared, median, write_posts, wrk};
use crate::row;

const ROUNDS: usize = 3;

pub fn measure() -> Result<(), Failure> {
    let dir = tempfile::tempdir()?;
    let cluster = Cluster::start(&std::env::temp_dir().join(format!("rejoinder-bench-{}", std::process::id())))?;
    cluster.execute("CREATE TABLE raw_rows (id BIGSERIAL PRIMARY KEY, text TEXT NOT NULL)")?;
    let raw = dir.path().join("raw.sql");
    std::fs::write(&raw, format!("INSERT INTO raw_rows (text) VALUES ('{}');\n", "x".repeat(800)))?;
    let script = write_posts(dir.path())?;
    let prepared = Prepared::on(cluster.url(), dir)?;
    let mut rows: [Vec<f64>; 5] = Default::default();
    for round in 1..=ROUNDS {
        println!("round {round} of {ROUNDS}");
        rows[0].push(cluster.pgbench(32, &raw)?);
        rows[1].push(wrk(&prepared.server.base, COMMENTS, "64", Some(&script))?.per_second);
        rows[2].push(wrk(&prepared.server.base, COMMENTS, "32", Some(&script))?.per_second);
        rows[3].push(1e6 / cluster.pgbench(1, &raw)?);
        rows[4].push(wrk(&prepared.server.base, COMMENTS, "1", Some(&script))?.median_us);
    }
    let [commits, posts, posts_of_32, commit, post] = rows.map(median);
    row("raw commits of one such row, 32 clients", format!("{commits:.0}/s"));
    row("posts, durable, 64 clients", format!("{posts:.0}/s, {:.3} of it", posts / commits));
    row("posts, durable, 32 clients", format!("{posts_of_32:.0}/s, {:.3} of it", posts_of_32 / commits));
    row("raw commit, one client", format!("{commit:.0} µs"));
    row("post, durable, one client", format!("{post:.0} µs, {:.2} times that", post / commit));
    Ok(())
}
