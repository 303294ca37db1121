//! Two nodes: comments are approved on one, and how long the other still shows the thread without them; once undisturbed,
//! once with the network between the other and the database cut for five seconds.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::program::client::Client;
use crate::program::cluster::Cluster;
use crate::program::figures::ms;
use crate::program::proxy::Proxy;
use crate::program::{Failure, Prepared, Running, add_article};
use crate::{must, row};

/// Approved one after the other: as many as one page of a thread shows.
const COMMENTS: usize = 100;
const EVERY: Duration = Duration::from_millis(100);
const ARTICLES: usize = 3;
const CUT: Duration = Duration::from_secs(5);

pub fn measure() -> Result<(), Failure> {
    let cluster = Cluster::start(&std::env::temp_dir().join(format!("rejoinder-bench-{}", std::process::id())))?;
    let prepared = Prepared::on(cluster.url(), tempfile::tempdir()?)?;
    let proxy = Proxy::to(cluster.port)?;
    let other = Running::serve(&format!("postgres://postgres@127.0.0.1:{}/postgres", proxy.port))?;
    let mut quiet = Vec::new();
    for number in 0..ARTICLES {
        let key = format!("quiet-{number}");
        add_article(&prepared.database, &key)?;
        quiet.extend(measure_one(&prepared.server, &other, &key, || ())?.lags);
    }
    add_article(&prepared.database, "cut")?;
    let cut = measure_one(&prepared.server, &other, "cut", || {
        std::thread::sleep(EVERY * 30);
        proxy.cut();
        std::thread::sleep(CUT);
        proxy.mend();
    })?;
    quiet.sort_unstable();
    let p99 = quiet[quiet.len() * 99 / 100];
    let (median, most) = (quiet[quiet.len() / 2], cut.lags.iter().max().copied().unwrap_or_default());
    row(&format!("stale after an answer elsewhere, {} times: p50", quiet.len()), ms(median));
    row("p99 (at most 100 ms)", ms(p99));
    row("stalest while the network was cut for five seconds (at most 10 s)", ms(most));
    row("right after it came back (at most 2 s)", ms(cut.right_after));
    row("reads refused meanwhile", cut.refused);
    must(p99 <= Duration::from_millis(100), "stale p99 at most 100 ms")?;
    must(most <= Duration::from_secs(10), "never stale over ten seconds")?;
    must(cut.right_after <= Duration::from_secs(2), "right within two seconds of the network's return")
}

struct Measured {
    /// For each approval, how long after its answer the other node was still seen without it.
    lags: Vec<Duration>,
    /// From the end of `meanwhile` until the other node showed all that had been answered by then.
    right_after: Duration,
    refused: usize,
}

/// What the other node was seen to show: when it was asked, and how many comments.
type Seen = (Instant, usize);

fn measure_one(
    node: &Running,
    other: &Running,
    article: &str,
    meanwhile: impl FnOnce() + Send,
) -> Result<Measured, Failure> {
    let mut moderator = Client::connect(&node.base)?;
    let who = moderator.sign_in()?;
    let held = post_all(&mut moderator, article)?;
    let is_over = Mutex::new(false);
    let ((answered, mended), (seen, refused)) = std::thread::scope(|scope| -> Result<_, Failure> {
        let watching = scope.spawn(|| watch(&other.base, article, &is_over));
        let meanwhile = scope.spawn(|| {
            meanwhile();
            Instant::now()
        });
        let answered = approve_all(&mut moderator, &who, &held);
        let mended = meanwhile.join().map_err(|_| "a thread panicked")?;
        std::thread::sleep(Duration::from_secs(3));
        *is_over.lock().map_err(|_| "a thread panicked")? = true;
        let seen = watching.join().map_err(|_| "a thread panicked")?;
        Ok(((answered?, mended), seen))
    })?;
    let without = |number: usize| seen.iter().filter(move |(_, count)| *count <= number).map(|(asked, _)| *asked).max();
    let lag = |(number, answered): (usize, &Instant)| {
        without(number).map_or(Duration::ZERO, |asked| asked.saturating_duration_since(*answered))
    };
    let by_then = answered.iter().filter(|answered| **answered <= mended).count();
    let right = seen.iter().find(|(asked, count)| *asked >= mended && *count >= by_then).map(|(asked, _)| *asked);
    let right_after = right.ok_or("the other node never became right")?.saturating_duration_since(mended);
    Ok(Measured { lags: answered.iter().enumerate().map(lag).collect(), right_after, refused })
}

fn post_all(client: &mut Client, article: &str) -> Result<Vec<i64>, Failure> {
    let path = format!("/api/v1/sites/main/articles/{article}/comments");
    let mut ids = Vec::new();
    for number in 0..COMMENTS {
        let body = format!(r#"{{"name":"Ada","email":"a@example.org","comment":"Comment {number} of {article}."}}"#);
        let answer = client.send("POST", &path, "Content-Type: application/json\r\n", &body)?;
        ids.push(answer.json()?["id"].as_i64().ok_or("not posted")?);
    }
    Ok(ids)
}

/// When each approval was answered.
fn approve_all(moderator: &mut Client, who: &str, held: &[i64]) -> Result<Vec<Instant>, Failure> {
    let mut answered = Vec::new();
    for id in held {
        let headers = format!("{who}Content-Type: application/json\r\nIf-Match: \"1\"\r\n");
        let path = format!("/api/v1/review/comments/{id}/decisions");
        let answer = moderator.send("POST", &path, &headers, r#"{"decision":"approve"}"#)?;
        must(answer.status == 201, "an approval is answered 201")?;
        answered.push(Instant::now());
        std::thread::sleep(EVERY);
    }
    Ok(answered)
}

/// Reads the thread again and again; what was seen, and how many reads were refused or broke.
fn watch(base: &str, article: &str, is_over: &Mutex<bool>) -> (Vec<Seen>, usize) {
    let path = format!("/api/v1/sites/main/articles/{article}/comments?limit=100");
    let (mut seen, mut refused, mut client) = (Vec::new(), 0, None);
    while !is_over.lock().is_ok_and(|is_over| *is_over) {
        let Some(mut open) = client.take().or_else(|| Client::connect(base).ok()) else { continue };
        let asked = Instant::now();
        match open.send("GET", &path, "", "") {
            Ok(answer) if answer.status == 200 => {
                let count = answer.json().ok().and_then(|body| body["items"].as_array().map(Vec::len));
                seen.push((asked, count.unwrap_or_default()));
                client = Some(open);
            }
            Ok(_) => {
                refused += 1;
                client = Some(open);
            }
            Err(_) => refused += 1,
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    (seen, refused)
}
