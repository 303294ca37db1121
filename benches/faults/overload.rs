//! Far more posts than the server can keep: how many it keeps all the same, how long these take, what the others are told,
//! what readers notice, and how soon it is over.

use std::time::{Duration, Instant};

use crate::program::crowd;
use crate::program::figures::{is_well, ms};
use crate::program::steady::Load;
use crate::program::{Failure, Prepared, post_comment, read_thread};
use crate::row;

const LASTS: Duration = Duration::from_secs(10);
/// Enough to keep the server busy.
const BUSY: usize = 64;
/// Ten times what may wait for the writer and be answered within a second. Each asks again as soon as it is answered, even
/// when it was told to wait, which no honest client does.
const FAR_TOO_MANY: usize = 6_000;
const READERS: u32 = 200;

pub fn measure() -> Result<(), Failure> {
    let Prepared { server, dir: _dir, .. } = Prepared::new()?;
    let readers = Load::of_readers(READERS, LASTS);
    let per_second = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / LASTS.as_secs_f64();

    let calm = readers.ask(server.address(), read_thread);
    row("readers, quiet", calm.line());
    let peak = crowd::ask(server.address(), BUSY, LASTS, |number| post_comment("bench", format_args!("a{number}")));
    let peak_kept = per_second(peak.count(is_well));
    row(&format!("posts by {BUSY} clients"), peak.line());
    let [before, _] = server.memory_mib()?;

    let (crowd, reading) = std::thread::scope(|scope| {
        let crowd = scope.spawn(|| {
            crowd::ask(server.address(), FAR_TOO_MANY, LASTS, |number| post_comment("bench", format_args!("b{number}")))
        });
        let reading = readers.ask(server.address(), read_thread);
        (crowd.join().unwrap_or_default(), reading)
    });
    let over = Instant::now();
    let recovered = recover(server.address(), over);
    let kept = per_second(crowd.count(is_well));
    row(&format!("posts by {FAR_TOO_MANY} clients"), crowd.line());
    row("readers meanwhile", reading.line());
    row("peak kept per second", format!("{peak_kept:.0}"));
    row("asked per second, kept of these", format!("{:.0}, {kept:.0}", per_second(crowd.count(|_| true))));
    row("share of the peak (at least 0.80)", format!("{:.2}", kept / peak_kept));
    row("p99 of those kept (at most 1 s)", ms(crowd.p99()));
    row("refused, of these without Retry-After", {
        format!("{}, {}", crowd.count(|status| matches!(status, 429 | 503)), crowd.without_retry_after)
    });
    row("as quick as before, after (at most 5 s)", ms(recovered));
    let [now, most] = server.memory_mib()?;
    row("memory before, now, most (MiB)", format!("{before}, {now}, {most}"));
    Ok(())
}

/// How long it took from `over` until ten posts in a row were taken within 50 ms each.
fn recover(address: &str, over: Instant) -> Duration {
    let one = Load { per_second: 1_000, connections: 1, lasts: Duration::ZERO };
    let (mut in_a_row, mut number) = (0, 0);
    while in_a_row < 10 && over.elapsed() < Duration::from_mins(1) {
        number += 1;
        let answer = one.ask(address, |_| post_comment("bench", format_args!("c{number}")));
        let is_quick = answer.count(is_well) == 1 && answer.p99() < Duration::from_millis(50);
        in_a_row = if is_quick { in_a_row + 1 } else { 0 };
    }
    over.elapsed()
}
