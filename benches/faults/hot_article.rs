//! An article that everybody reads while it changes once per second: each change throws away what was kept ready.

use std::time::Duration;

use crate::program::figures::{median_time, ms, ratio};
use crate::program::moderator::Moderator;
use crate::program::steady::Load;
use crate::program::{Failure, Prepared, THREAD, get, read_thread, wait_for};
use crate::row;

const ROUNDS: usize = 3;
const LASTS: Duration = Duration::from_secs(8);
const READERS: u32 = 1_000;

pub fn measure() -> Result<(), Failure> {
    let Prepared { server, dir: _dir, .. } = Prepared::new()?;
    let moderator = wait_for(Moderator::sign_in(&server))?;
    let thread: serde_json::Value = serde_json::from_slice(&get(&format!("{}{THREAD}", server.base))?)?;
    let comment = thread["items"][20]["id"].as_i64().ok_or("no comment to decide about")?;
    let readers = Load::of_readers(READERS, LASTS);
    let (mut quiet, mut loud, mut version) = (Vec::new(), Vec::new(), 1);
    for round in 1..=ROUNDS {
        let calm = readers.ask(server.address(), read_thread);
        println!("round {round} quiet: {}", calm.line());
        quiet.push(calm.p99());
        let changed = std::thread::scope(|scope| {
            let reading = scope.spawn(|| readers.ask(server.address(), read_thread));
            let decided = wait_for(change_each_second(&moderator, comment, &mut version));
            decided.map(|()| reading.join().unwrap_or_default())
        })?;
        println!("round {round} changing: {}", changed.line());
        loud.push(changed.p99());
    }
    let (quiet, loud) = (median_time(quiet), median_time(loud));
    row("readers' p99, quiet", ms(quiet));
    row("readers' p99, one change per second", ms(loud));
    row("ratio (at most 3)", format!("{:.2}", ratio(loud, quiet)));
    Ok(())
}

/// Takes a comment away and puts it back, in turn.
async fn change_each_second(moderator: &Moderator, comment: i64, version: &mut i64) -> Result<(), Failure> {
    for _ in 0..LASTS.as_secs() {
        let decision = if *version % 2 == 1 { "reject" } else { "approve" };
        let status = moderator.decide(comment, *version, decision).await?;
        if status != 201 {
            return Err(format!("a decision was answered {status}").into());
        }
        *version += 1;
        actix_web::rt::time::sleep(Duration::from_secs(1)).await;
    }
    Ok(())
}
