//! SIGTERM while 500 requests come per second: whether one that was sent stays without an answer, and when it is gone.

use std::time::{Duration, Instant};

use crate::program::steady::Load;
use crate::program::{Failure, Prepared, post_comment, read_thread};
use crate::row;

const ROUNDS: usize = 3;
const BEFORE: Duration = Duration::from_secs(3);
const LOAD: Load = Load { per_second: 500, connections: 32, lasts: Duration::from_secs(8) };

pub fn measure() -> Result<(), Failure> {
    for round in 1..=ROUNDS {
        let Prepared { mut server, dir: _dir, .. } = Prepared::new()?;
        let address = server.address().to_owned();
        let half = |number: u64| {
            if number.is_multiple_of(2) { read_thread(number) } else { post_comment("bench", number) }
        };
        let (gone, figures) = std::thread::scope(|scope| -> Result<_, Failure> {
            let asking = scope.spawn(|| LOAD.ask(&address, half));
            std::thread::sleep(BEFORE);
            server.terminate()?;
            let told = Instant::now();
            while !server.has_ended()? && told.elapsed() < Duration::from_secs(30) {
                std::thread::sleep(Duration::from_millis(5));
            }
            Ok((told.elapsed(), asking.join().unwrap_or_default()))
        })?;
        row(&format!("round {round}: gone after (at most 10 s)"), format!("{:.2} s", gone.as_secs_f64()));
        row(&format!("round {round}: sent and not answered (none)"), figures.dropped);
        row(&format!("round {round}: all of them"), figures.line());
    }
    Ok(())
}
