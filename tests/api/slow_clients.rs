//! Clients that are slow, stuck or many, on bytes: each is cut at its own deadline, the patient are not, and the rest are
//! served meanwhile.
//!
//! None of it concerns the database, so it runs on SQLite alone, except where a test needs a lock to make an answer slow.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::ops::Range;
use std::path::Path;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use tempfile::TempDir;

use crate::support::database::TestDatabase;
use crate::support::process::{Program, Serving, rejoinder, rejoinder_after};
use crate::support::raw::Raw;
use crate::support::{form, postgres_url};

const HEALTH: &str = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
const COMMENTS: &str = "/api/v1/sites/main/articles/a/comments";

fn served() -> (TempDir, Serving) {
    let dir = tempfile::tempdir().unwrap();
    let serving = with_article(dir.path(), rejoinder(dir.path()));
    (dir, serving)
}

/// Serves with an article `a` on which comments are published at once.
fn with_article(dir: &Path, program: Program) -> Serving {
    rejoinder(dir).args("article add --site main --key a --title A --url https://news.example/a").run_well();
    rejoinder(dir).args("site set main --policy publish_first").run_well();
    program.env("REJOINDER_LIMITS", "off").env("REJOINDER_LOG", "error").serve()
}

fn connect(address: &str) -> Raw {
    Raw::connect(address, Duration::from_secs(20))
}

fn post(comment: &str) -> String {
    let body = form(comment).to_string();
    let length = body.len();
    format!(
        "POST {COMMENTS} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")
}

/// Sends a byte, listens for a quarter of a second, and so on until the other end closes. Gives how long that took and
/// what was heard.
fn drip(raw: &mut Raw, bytes: impl IntoIterator<Item = u8>) -> (Duration, String) {
    let since = Instant::now();
    raw.stream.set_read_timeout(Some(Duration::from_millis(250))).unwrap();
    let (mut heard, mut chunk) = (Vec::new(), [0; 4096]);
    for byte in bytes {
        assert!(since.elapsed() < Duration::from_mins(1), "it is never cut");
        // It may be closed already; what it said first is still to be read.
        let _ = raw.stream.write_all(&[byte]);
        match raw.stream.read(&mut chunk) {
            Ok(count @ 1..) => heard.extend(&chunk[..count]),
            Err(error) if is_timeout(&error) => {}
            _ => return (since.elapsed(), String::from_utf8_lossy(&heard).into_owned()),
        }
    }
    panic!("it took every byte: {}", String::from_utf8_lossy(&heard));
}

fn is_timeout(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

/// Waits for nothing to be said on a connection that stays open.
#[track_caller]
fn hear_nothing(raw: &Raw, lasting: Duration) {
    let since = Instant::now();
    while let Some(left) = lasting.checked_sub(since.elapsed()).filter(|left| !left.is_zero()) {
        raw.stream.set_read_timeout(Some(left)).unwrap();
        let heard = (&raw.stream).read(&mut [0; 64]);
        assert!(heard.as_ref().is_err_and(is_timeout), "{heard:?}");
    }
    raw.stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
}

#[track_caller]
fn assert_within(what: &str, took: Duration, seconds: Range<f64>) {
    assert!(seconds.contains(&took.as_secs_f64()), "{what}: {took:?}, not within {seconds:?} s");
}

/// They wait beside each other, on one server: one after the other they would take minutes.
#[test]
fn each_client_is_given_its_time_and_no_more() {
    let (_dir, server) = served();
    let address = server.address();
    std::thread::scope(|scope| {
        let waiting = [
            scope.spawn(|| a_slow_head_is_cut(&address, "")),
            scope.spawn(|| a_slow_head_is_cut(&address, HEALTH)),
            scope.spawn(|| a_slow_head_is_cut(&address, &post("a body first"))),
            scope.spawn(|| half_a_head_is_cut(&address)),
            scope.spawn(|| half_a_head_behind_a_request_is_cut(&address)),
            scope.spawn(|| a_slow_body_is_cut(&address, "Content-Length: 1000", "{")),
            scope.spawn(|| a_slow_body_is_cut(&address, "Transfer-Encoding: chunked", "400\r\n{")),
            scope.spawn(|| a_stuck_reader_is_cut(&address)),
            scope.spawn(|| an_idle_connection_is_kept(&address)),
            scope.spawn(|| a_body_may_take_longer_than_a_head(&address)),
            scope.spawn(|| a_slow_reader_that_reads_is_not_cut(&address)),
        ];
        for client in waiting {
            client.join().unwrap();
        }
    });
}

fn a_slow_head_is_cut(address: &str, first: &str) {
    let mut raw = connect(address);
    if !first.is_empty() {
        raw.ask(first);
    }
    let (took, heard) = drip(&mut raw, b"GET /healthz HTTP/1.1\r\nX-Slow: ".iter().copied().chain([b'a'; 1000]));
    assert_within(&format!("a head after {first:?}"), took, 4.5..9.0);
    assert!(heard.starts_with("HTTP/1.1 408 "), "{heard}");
}

fn half_a_head_is_cut(address: &str) {
    let mut raw = connect(address);
    raw.ask(HEALTH);
    let since = Instant::now();
    raw.send("GET /healthz HTTP/1.1\r\nHost").unwrap();
    assert_eq!(raw.answer().unwrap().unwrap().status, 408);
    assert!(raw.answer().unwrap().is_none());
    assert_within("half a head", since.elapsed(), 4.5..9.0);
}

fn half_a_head_behind_a_request_is_cut(address: &str) {
    let mut raw = connect(address);
    let since = Instant::now();
    assert_eq!(raw.ask(format!("{HEALTH}GET /healthz HTTP/1.1\r\nHost")).status, 200);
    assert_eq!(raw.answer().unwrap().unwrap().status, 408);
    assert!(raw.answer().unwrap().is_none());
    assert_within("half a head behind a request", since.elapsed(), 4.5..9.0);
}

fn a_slow_body_is_cut(address: &str, framing: &str, begun: &str) {
    let mut raw = connect(address);
    let head =
        format!("POST {COMMENTS} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{framing}\r\n\r\n{begun}");
    raw.send(head).unwrap();
    let (took, heard) = drip(&mut raw, [b' '; 1000]);
    assert_within(framing, took, 9.5..13.0);
    assert!(heard.starts_with("HTTP/1.1 408 ") && heard.contains("/problems/timeout"), "{heard}");
}

fn a_stuck_reader_is_cut(address: &str) {
    let mut raw = connect(address);
    raw.stream.set_write_timeout(Some(Duration::from_millis(250))).unwrap();
    let asked = get("/sites/main/articles/a").repeat(1000);
    let mut since = Instant::now();
    let mut is_full = false;
    loop {
        match raw.stream.write(asked.as_bytes()) {
            // Taken: the server still reads, or the kernel does for it.
            Ok(_) if !is_full => since = Instant::now(),
            Ok(_) => {}
            Err(error) if is_timeout(&error) => is_full = true,
            Err(_) => break,
        }
        assert!(since.elapsed() < Duration::from_secs(40), "it is never cut");
    }
    assert_within("a stuck reader", since.elapsed(), 20.0..35.0);
    raw.stream.shutdown(std::net::Shutdown::Both).ok();
}

fn an_idle_connection_is_kept(address: &str) {
    for first in [HEALTH.to_owned(), post("and then silence")] {
        let mut raw = connect(address);
        raw.ask(first);
        hear_nothing(&raw, Duration::from_secs(7));
        assert_eq!(raw.ask(HEALTH).status, 200);
    }
}

fn a_body_may_take_longer_than_a_head(address: &str) {
    let mut raw = connect(address);
    let request = post("typed by hand");
    let (first, last) = request.split_at(request.len() - 10);
    raw.send(first).unwrap();
    hear_nothing(&raw, Duration::from_secs(7));
    assert_eq!(raw.ask(last).status, 201);
    assert_eq!(raw.ask(HEALTH).status, 200);
}

/// It takes a little each second, for longer than a stuck reader has.
fn a_slow_reader_that_reads_is_not_cut(address: &str) {
    let mut raw = connect(address);
    for number in 0..16 {
        let text = format!("{number} {}", "word ".repeat(12_000));
        assert_eq!(raw.ask(post(&text)).status, 201);
    }
    raw.send(get("/sites/main/articles/a").repeat(8)).unwrap();
    let since = Instant::now();
    let mut read = 0;
    while since.elapsed() < Duration::from_secs(33) {
        let mut chunk = vec![0; 100_000];
        raw.stream.read_exact(&mut chunk).unwrap();
        read += chunk.len();
        hear_nothing(&connect(address), Duration::from_secs(1));
    }
    raw.send("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    read += raw.stream.read_to_end(&mut Vec::new()).unwrap();
    assert!(read > 8 * 16 * 60_000, "{read} bytes");
}

#[test]
fn an_answer_that_takes_us_long_is_waited_for() {
    let Some(url) = postgres_url() else { return };
    let database = TestDatabase::postgres(url);
    let dir = tempfile::tempdir().unwrap();
    let program = || rejoinder(dir.path()).env("REJOINDER_DATABASE_URL", database.url_text());
    program().args("article add --site main --key a --title A --url https://news.example/a").run_well();
    let server = program().env("REJOINDER_LIMITS", "off").serve();
    let mut raw = connect(&server.address());
    let mut lock = PgConnection::establish(&database.url_text()).unwrap();
    lock.batch_execute("BEGIN; LOCK TABLE comments IN ACCESS EXCLUSIVE MODE").unwrap();
    // What comes behind the request waits with it.
    raw.send(format!("{}{HEALTH}", post("held up"))).unwrap();
    hear_nothing(&raw, Duration::from_secs(7));
    lock.batch_execute("COMMIT").unwrap();
    assert_eq!(raw.answer().unwrap().unwrap().status, 202);
    assert_eq!(raw.answer().unwrap().unwrap().status, 200);
}

#[test]
fn everything_pipelined_is_answered_in_order() {
    let (_dir, server) = served();
    let mut raw = connect(&server.address());
    let mut sending = raw.stream.try_clone().unwrap();
    let head = format!("HEAD {COMMENTS} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\r\n").replace("HEAD", "GET");
    let chunked = "POST /nowhere-else HTTP/1.1\r\nHost: x\r\n\r\n";
    let text = "word ".repeat(12_000);
    let posts = [post("short"), post(&text)];
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..100 {
                let bytes = format!("{HEALTH}{}{}{chunked}{head}", posts[number % 2], get("/nowhere"));
                sending.write_all(bytes.as_bytes()).unwrap();
            }
        });
        for number in 0..100 {
            // The same comment twice is a conflict, and not what this is about.
            let expected = [200, if number < 2 { 201 } else { 409 }, 404, 404, 100, 200];
            for status in expected {
                assert_eq!(raw.answer().unwrap().unwrap().status, status, "round {number}");
            }
        }
    });
    assert_eq!(raw.ask(HEALTH).status, 200);
}

/// D1: a thousand readers that pipeline requests and read nothing cost at most 256 MiB; a tenth of them, a tenth of it.
#[test]
fn readers_that_read_nothing_cost_little() {
    let (_dir, server) = served();
    let mut raw = connect(&server.address());
    for number in 0..30 {
        assert_eq!(raw.ask(post(&format!("{number} {}", "word ".repeat(12_000)))).status, 201);
    }
    let head = "HEAD /nowhere HTTP/1.1\r\nHost: x\r\n\r\n".to_owned();
    for asked in [head, HEALTH.to_owned(), get(COMMENTS), get("/sites/main/articles/a")] {
        for _ in 0..20 {
            raw.ask(asked.replace("HEAD", "GET"));
        }
        let before = server.memory_kib();
        let mut readers: Vec<TcpStream> = (0..100).map(|_| stuck(&server.address())).collect();
        let bytes = asked.repeat(1 + (256 << 10) / asked.len());
        // Until none of them can send more.
        let mut quiet_rounds = 0;
        while quiet_rounds < 20 {
            let sent: usize = readers.iter_mut().map(|reader| send_what_fits(reader, bytes.as_bytes())).sum();
            quiet_rounds = if sent == 0 { quiet_rounds + 1 } else { 0 };
            assert_eq!(raw.ask(HEALTH).status, 200);
        }
        let grown = server.memory_kib().saturating_sub(before);
        println!("100 readers of {:?} that read nothing: {grown} KiB", &asked[..20]);
        assert!(grown < 26 << 10, "{grown} KiB for {asked:?}");
    }
}

fn stuck(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nonblocking(true).unwrap();
    stream
}

fn send_what_fits(stream: &mut TcpStream, bytes: &[u8]) -> usize {
    let mut sent = 0;
    while let Ok(count @ 1..) = stream.write(&bytes[..bytes.len().min(64 << 10)]) {
        sent += count;
    }
    sent
}

#[test]
fn a_reader_posts_as_always_while_500_slow_heads_wait() {
    let (_dir, server) = served();
    let _slow: Vec<Raw> = (0..500)
        .map(|_| {
            let mut raw = connect(&server.address());
            raw.ask(HEALTH);
            raw.send("GET /healthz HTTP/1.1\r\nHost").unwrap();
            raw
        })
        .collect();
    for number in 0..20 {
        let since = Instant::now();
        assert_eq!(connect(&server.address()).ask(post(&format!("number {number}"))).status, 201);
        assert!(since.elapsed() < Duration::from_secs(1), "{:?}", since.elapsed());
    }
}

/// A system that gives few descriptors at first and more on demand.
#[test]
fn as_many_clients_are_let_in_as_there_are_descriptors_for() {
    let dir = tempfile::tempdir().unwrap();
    let server = with_article(dir.path(), rejoinder_after(dir.path(), "ulimit -S -n 256"));
    let _slow: Vec<Raw> = (0..500).map(|_| connect(&server.address())).collect();
    assert_eq!(connect(&server.address()).ask(post("one more")).status, 201);
}

/// And no more, so that there is always a descriptor to let somebody in with when others are cut.
#[test]
fn clients_past_that_are_served_when_others_are_cut() {
    let dir = tempfile::tempdir().unwrap();
    let server = with_article(dir.path(), rejoinder_after(dir.path(), "ulimit -n 356"));
    let _slow: Vec<Raw> = (0..150)
        .map(|_| {
            let mut raw = connect(&server.address());
            raw.send("G").unwrap();
            raw
        })
        .collect();
    let mut late = Raw::connect(&server.address(), Duration::from_mins(1));
    assert_eq!(late.ask(post("patience")).status, 201);
    assert_eq!(server.stderr(), "");
}
