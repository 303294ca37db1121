//! PostgreSQL is stopped as by a crash and started again, fifty times, while readers post.

use std::time::{Duration, Instant};

use super::ledger::Ledger;
use crate::program::cluster::Cluster;
use crate::program::figures::ms;
use crate::program::{Failure, Prepared};
use crate::{must, row};

const RESTARTS: usize = 50;
const BETWEEN: Duration = Duration::from_millis(1_500);

pub fn measure() -> Result<(), Failure> {
    let cluster = Cluster::start(&std::env::temp_dir().join(format!("rejoinder-bench-{}", std::process::id())))?;
    let prepared = Prepared::on(cluster.url(), tempfile::tempdir()?)?;
    let base = &prepared.server.base;
    let (ledger, moments) = Ledger::keep(base, |_| {
        let mut moments = Vec::new();
        for number in 0..RESTARTS {
            std::thread::sleep(BETWEEN);
            cluster.down()?;
            cluster.up()?;
            moments.push(Instant::now());
            if number % 10 == 9 {
                println!("{} of {RESTARTS} restarts", number + 1);
            }
        }
        std::thread::sleep(BETWEEN * 2);
        Ok(moments)
    })?;
    let healed: Option<Vec<Duration>> = moments.iter().map(|moment| ledger.healed_after(*moment)).collect();
    let slowest = healed.ok_or("after a restart nothing was taken any more")?.into_iter().max().unwrap_or_default();
    let (lost, doubled) = ledger.check(base)?;
    row("acknowledged", ledger.acknowledged.len());
    row("refused with 503 and Retry-After", ledger.refused);
    row("answered otherwise, or not at all (none)", format!("{:?}, {}", ledger.odd, ledger.broken));
    row("slowest to take posts again (at most 2 s)", ms(slowest));
    row("lost, doubled (none)", format!("{lost}, {doubled}"));
    must(lost + doubled + ledger.odd.len() + ledger.broken == 0, "nothing lost, doubled, or answered otherwise")?;
    must(slowest <= Duration::from_secs(2), "healed within two seconds")
}
