//! The primary is killed and its synchronous standby promoted, twenty times, while readers post. The program has both in
//! its URL and looks for the one that takes writes.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::ledger::Ledger;
use crate::program::cluster::Cluster;
use crate::program::figures::ms;
use crate::program::proxy::Proxy;
use crate::program::{Failure, Prepared};
use crate::{must, row};

const FAILOVERS: usize = 20;
const BEFORE: Duration = Duration::from_secs(1);

/// A server of the pair, behind a port that stays the same when another takes its place.
struct Place {
    proxy: Proxy,
    cluster: Cluster,
}

pub fn measure() -> Result<(), Failure> {
    let dir = |number: usize| -> PathBuf {
        std::env::temp_dir().join(format!("rejoinder-bench-{}-{number}", std::process::id()))
    };
    let cluster = Cluster::start(&dir(0))?;
    let mut primary = Place { proxy: Proxy::to(cluster.port)?, cluster };
    let mut standby = beside(&primary, dir(1), None)?;
    let url = format!(
        "postgres://postgres@127.0.0.1:{},127.0.0.1:{}/postgres?target_session_attrs=read-write",
        primary.proxy.port, standby.proxy.port
    );
    let prepared = Prepared::on(url, tempfile::tempdir()?)?;
    let base = &prepared.server.base;
    let (ledger, moments) = Ledger::keep(base, |_| {
        let mut moments = Vec::new();
        for number in 0..FAILOVERS {
            std::thread::sleep(BEFORE);
            primary.cluster.kill()?;
            moments.push(Instant::now());
            standby.cluster.promote()?;
            // Alone it must not wait for a standby that is not there yet.
            let alone = "ALTER SYSTEM SET synchronous_standby_names = ''";
            standby.cluster.execute(alone)?;
            standby.cluster.execute("SELECT pg_reload_conf()")?;
            std::mem::swap(&mut primary, &mut standby);
            let fresh = beside(&primary, dir(number + 2), Some(&standby.proxy))?;
            standby = fresh;
            println!("{} of {FAILOVERS} failovers", number + 1);
        }
        std::thread::sleep(BEFORE * 3);
        Ok(moments)
    })?;
    let healed: Option<Vec<Duration>> = moments.iter().map(|moment| ledger.healed_after(*moment)).collect();
    let slowest = healed.ok_or("after a failover nothing was taken any more")?.into_iter().max().unwrap_or_default();
    let (lost, doubled) = ledger.check(base)?;
    row("acknowledged", ledger.acknowledged.len());
    row("refused with 503 and Retry-After", ledger.refused);
    row("answered otherwise, or not at all (none)", format!("{:?}, {}", ledger.odd, ledger.broken));
    row("slowest from the kill until posts are taken (at most 10 s)", ms(slowest));
    row("lost, doubled (none)", format!("{lost}, {doubled}"));
    must(lost + doubled + ledger.odd.len() + ledger.broken == 0, "nothing lost, doubled, or answered otherwise")?;
    must(slowest <= Duration::from_secs(10), "writing again within ten seconds")
}

/// A standby of `primary` that every commit waits for from now on.
fn beside(primary: &Place, dir: PathBuf, port: Option<&Proxy>) -> Result<Place, Failure> {
    let cluster = Cluster::follow(&dir, &primary.cluster)?;
    let proxy = match port {
        Some(proxy) => {
            proxy.point_to(cluster.port);
            proxy.clone()
        }
        None => Proxy::to(cluster.port)?,
    };
    primary.cluster.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")?;
    primary.cluster.execute("SELECT pg_reload_conf()")?;
    Ok(Place { proxy, cluster })
}
