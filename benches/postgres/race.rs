//! Fifty moderators on two nodes race to decide about each of a thousand comments; in the middle the network between one
//! node and the database is cut for five seconds.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::program::client::Client;
use crate::program::cluster::Cluster;
use crate::program::proxy::Proxy;
use crate::program::{Failure, Prepared, Running};
use crate::{must, row};

const MODERATORS: usize = 50;
const COMMENTS: usize = 1_000;

#[derive(Default)]
struct Tally {
    won: AtomicUsize,
    lost: AtomicUsize,
    /// 503, or no answer: it may have been decided or not.
    unknown: AtomicUsize,
    odd: AtomicUsize,
}

pub fn measure() -> Result<(), Failure> {
    let cluster = Cluster::start(&std::env::temp_dir().join(format!("rejoinder-bench-{}", std::process::id())))?;
    let prepared = Prepared::on(cluster.url(), tempfile::tempdir()?)?;
    let proxy = Proxy::to(cluster.port)?;
    let other = Running::serve(&format!("postgres://postgres@127.0.0.1:{}/postgres", proxy.port))?;
    let mut client = Client::connect(&prepared.server.base)?;
    // Each node takes its own tokens: they name where it is reached.
    let (who, who_there) = (client.sign_in()?, Client::connect(&other.base)?.sign_in()?);
    let ids = post_all(&mut client)?;
    let (tally, barrier) = (Tally::default(), Barrier::new(MODERATORS));
    std::thread::scope(|scope| {
        for number in 0..MODERATORS {
            let (base, who) = if number % 2 == 0 { (&prepared.server.base, &who) } else { (&other.base, &who_there) };
            let (ids, tally, barrier) = (&ids, &tally, &barrier);
            let decision = if number % 3 == 0 { "approve" } else { "reject" };
            scope.spawn(move || race(base, who, ids, decision, tally, barrier));
        }
        scope.spawn(|| {
            std::thread::sleep(Duration::from_secs(2));
            proxy.cut();
            std::thread::sleep(Duration::from_secs(5));
            proxy.mend();
        });
    });
    let (mut undecided, mut twice) = (0, 0);
    for id in &ids {
        let item = client.send("GET", &format!("/api/v1/review/comments/{id}"), &who, "")?.json()?;
        let lines = item["decisions"].as_array().map_or(0, Vec::len);
        undecided += usize::from(item["version"] == 1);
        twice += usize::from(item["version"].as_i64() > Some(2) || lines > 2);
    }
    let [won, lost, unknown, odd] =
        [&tally.won, &tally.lost, &tally.unknown, &tally.odd].map(|count| count.load(Ordering::Relaxed));
    row("comments decided about, of 1,000", COMMENTS - undecided);
    row("decided twice (none)", twice);
    row("answered 201; 409 or 412; 503 or not at all; otherwise (none)", format!("{won}; {lost}; {unknown}; {odd}"));
    must(twice == 0 && odd == 0 && undecided == 0, "exactly one transition each")?;
    // A winner whose answer the cut network swallowed decided all the same.
    must(won <= COMMENTS && won + unknown >= COMMENTS, "one winner each")
}

fn post_all(client: &mut Client) -> Result<Vec<i64>, Failure> {
    let mut ids = Vec::new();
    for number in 0..COMMENTS {
        let body = format!(r#"{{"name":"Ada","email":"a@example.org","comment":"Comment {number}."}}"#);
        let path = "/api/v1/sites/main/articles/bench/comments";
        let answer = client.send("POST", path, "Content-Type: application/json\r\n", &body)?;
        ids.push(answer.json()?["id"].as_i64().ok_or("not posted")?);
    }
    Ok(ids)
}

fn race(base: &str, who: &str, ids: &[i64], decision: &str, tally: &Tally, barrier: &Barrier) {
    let mut client = None;
    let headers = format!("{who}Content-Type: application/json\r\nIf-Match: \"1\"\r\n");
    let body = format!(r#"{{"decision":"{decision}"}}"#);
    for id in ids {
        barrier.wait();
        let open = client.take().or_else(|| Client::connect(base).ok());
        let answer = open.and_then(|mut open: Client| {
            let answer = open.send("POST", &format!("/api/v1/review/comments/{id}/decisions"), &headers, &body).ok()?;
            client = Some(open);
            Some(answer.status)
        });
        let count = match answer {
            Some(201) => &tally.won,
            Some(409 | 412) => &tally.lost,
            Some(503) | None => &tally.unknown,
            Some(_) => &tally.odd,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }
}
