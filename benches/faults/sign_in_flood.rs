//! Five hundred wrong sign-ins per second, without rate limits, as from very many addresses: what readers notice, whether
//! somebody who is signed in can go on, and what it takes of the machine.

use std::time::Duration;

use serde_json::json;

use crate::program::figures::{Figures, median_time, ms, ratio};
use crate::program::moderator::Moderator;
use crate::program::steady::Load;
use crate::program::{Failure, Prepared, Running, json_request, read_thread, wait_for};
use crate::row;

const ROUNDS: usize = 3;
const LASTS: Duration = Duration::from_secs(8);
const READERS: u32 = 1_000;
/// So many connections because those that are let in wait for their turn: half a second at 120 hashes per second.
const FLOOD: Load = Load { per_second: 500, connections: 128, lasts: LASTS };

pub fn measure() -> Result<(), Failure> {
    let Prepared { server, dir: _dir, .. } = Prepared::new()?;
    let readers = Load::of_readers(READERS, LASTS);
    let (mut quiet, mut loud, mut flood, mut most_hashing) = (Vec::new(), Vec::new(), Figures::default(), 0);
    let mut victim = Victim::default();
    for round in 1..=ROUNDS {
        let calm = readers.ask(server.address(), read_thread);
        println!("round {round} quiet: {}", calm.line());
        quiet.push(calm.p99());
        std::thread::scope(|scope| -> Result<(), Failure> {
            let flooding = scope.spawn(|| FLOOD.ask(server.address(), wrong_sign_in));
            let reading = scope.spawn(|| readers.ask(server.address(), read_thread));
            most_hashing = most_hashing.max(wait_for(victim.go_on(&server, LASTS))?);
            let noise = reading.join().unwrap_or_default();
            println!("round {round} flood: {}", noise.line());
            loud.push(noise.p99());
            flood = std::mem::take(&mut flood).and(flooding.join().unwrap_or_default());
            Ok(())
        })?;
    }
    let (quiet, loud) = (median_time(quiet), median_time(loud));
    row("readers' p99, quiet", ms(quiet));
    row("readers' p99, 500 wrong sign-ins per second", ms(loud));
    row("ratio (at most 2)", format!("{:.2}", ratio(loud, quiet)));
    let count = |wanted: u16| flood.count(|status| status == wanted);
    row(
        "of the flood: hashed and refused, put off (503), dropped",
        format!("{}, {}, {}", count(401), count(503), flood.dropped),
    );
    row("put off without Retry-After", flood.without_retry_after);
    row("most threads hashing at once", most_hashing);
    row("the queue and a refresh of who is signed in: well, failed", format!("{}, {}", victim.well, victim.failed));
    row("slowest of these", ms(victim.slowest));
    row("signing in with the right password: well, put off", format!("{}, {}", victim.signed_in, victim.put_off));
    row("memory now, most (MiB)", format!("{:?}", server.memory_mib()?));
    Ok(())
}

fn wrong_sign_in(number: u64) -> Vec<u8> {
    let body = json!({ "username": "ines", "password": format!("a wrong password {number}") });
    json_request("POST", "/api/v1/session", "", &body)
}

/// The person whose name is tried.
#[derive(Default)]
struct Victim {
    well: usize,
    failed: usize,
    slowest: Duration,
    signed_in: usize,
    put_off: usize,
}

impl Victim {
    /// Works as somebody who was signed in before it began; gives the most threads that were seen hashing at once.
    async fn go_on(&mut self, server: &Running, lasts: Duration) -> Result<usize, Failure> {
        let mut moderator = Moderator::sign_in(server).await?;
        let (began, mut most_hashing) = (std::time::Instant::now(), 0);
        while began.elapsed() < lasts {
            actix_web::rt::time::sleep(Duration::from_millis(100)).await;
            most_hashing = most_hashing.max(server.count_blocking_at_work()?);
            let (statuses, took) = moderator.go_on().await?;
            let counted = if statuses == [200, 200] { &mut self.well } else { &mut self.failed };
            *counted += 1;
            self.slowest = self.slowest.max(took);
            match moderator.try_to_sign_in_again().await?.0 {
                200 => self.signed_in += 1,
                _ => self.put_off += 1,
            }
        }
        Ok(most_hashing)
    }
}
