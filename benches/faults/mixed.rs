//! How fast a thread is read while 200 comments per second are published on other articles, against a bare handler that
//! gives the same bytes.

use std::time::Duration;

use crate::program::bare::{BYTES, start_limits};
use crate::program::figures::Figures;
use crate::program::steady::Load;
use crate::program::{Failure, Prepared, THREAD, add_article, median, post_comment, run, wrk};
use crate::row;

const ROUNDS: u64 = 3;
const CLIENTS: &str = "64";
const ARTICLES: u64 = 20;
/// A little longer than `wrk` asks.
const POSTS: Load = Load { per_second: 200, connections: 8, lasts: Duration::from_millis(5_500) };

pub fn measure() -> Result<(), Failure> {
    let Prepared { dir, database, server } = Prepared::new()?;
    let limits = start_limits(&server.base, dir.path())?;
    for number in 0..ARTICLES {
        add_article(&database, &format!("other-{number}"))?;
    }
    run(&database, &["site", "set", "main", "--policy", "publish_first"])?;
    // As long as it takes until the server has noticed.
    std::thread::sleep(Duration::from_secs(2));

    let (mut rows, mut posts): ([Vec<f64>; 3], _) = (Default::default(), Figures::default());
    for round in 1..=ROUNDS {
        println!("round {round} of {ROUNDS}");
        rows[0].push(wrk(&limits.base, BYTES, CLIENTS, None)?.per_second);
        rows[1].push(wrk(&server.base, THREAD, CLIENTS, None)?.per_second);
        let post =
            |number: u64| post_comment(&format!("other-{}", number % ARTICLES), format_args!("{round}.{number}"));
        let beside = std::thread::scope(|scope| {
            let posting = scope.spawn(|| POSTS.ask(server.address(), post));
            let beside = wrk(&server.base, THREAD, CLIENTS, None);
            posts = std::mem::take(&mut posts).and(posting.join().unwrap_or_default());
            beside
        })?;
        rows[2].push(beside.per_second);
    }
    let [bare, alone, beside] = rows.map(median);
    row("bare handler, the thread's bytes, per second", format!("{bare:.0}"));
    row("published thread, per second, ratio", format!("{alone:.0}, {:.3}", alone / bare));
    row("the same beside 200 posts/s, per second, ratio (0.8)", format!("{beside:.0}, {:.3}", beside / bare));
    row("the posts", posts.line());
    Ok(())
}
