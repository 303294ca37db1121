//! An answer implies a flush: nobody is told that a comment is kept before it is on the disk.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::support::process::rejoinder;

/// How many posts are watched: none of so many failing bounds the rate by 3 in 1,000.
const POSTS: usize = 1_000;

#[test]
fn every_answer_to_a_post_comes_after_a_flush_of_the_log() {
    if !has_strace() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    add_article(dir.path());
    let mut watched = Watched::start(dir.path(), &[]).unwrap();
    assert_eq!(watched.post(POSTS).len(), POSTS);
    assert_eq!(judge(&watched.stop()), (POSTS, 0));
}

/// From the N-th flush on the disk fails. Whatever the server then does, it acknowledges nothing that was not flushed,
/// and what it acknowledged before is there when the disk is well again.
#[test]
fn nothing_is_acknowledged_that_a_failing_disk_did_not_keep() {
    if !has_strace() {
        return;
    }
    let is_long = std::env::var_os("REJOINDER_TEST_ALL_FLUSHES").is_some();
    let moments: Vec<u32> = if is_long { (1..=50).collect() } else { vec![1, 2, 3, 5, 12, 30] };
    let mut refused = 0;
    for moment in moments {
        let dir = tempfile::tempdir().unwrap();
        add_article(dir.path());
        let inject = format!("inject=fdatasync,fsync:error=EIO:when={moment}+");
        // It may refuse to start, which is honest too.
        let Some(mut watched) = Watched::start(dir.path(), &["-e", &inject]) else { continue };
        let acknowledged = watched.post(60);
        refused += 60 - acknowledged.len();
        let (answered, unflushed) = judge(&watched.stop());
        assert_eq!((answered, unflushed), (acknowledged.len(), 0), "from flush {moment} on");

        let healed = rejoinder(dir.path()).env("REJOINDER_LIMITS", "off").serve();
        for token in acknowledged {
            let answer = raw(
                &healed.address(),
                &format!("GET /api/v1/receipts/{token} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
            );
            assert!(answer.starts_with("HTTP/1.1 200"), "from flush {moment} on: {answer}");
        }
    }
    assert!(refused > 0, "no flush failed");
}

fn has_strace() -> bool {
    let has = Command::new("strace").arg("-V").stdout(Stdio::null()).status().is_ok();
    if !has {
        let warning = b"\n*** NOT RUN: the tests of flushes need strace ***\n\n";
        assert!(std::io::stderr().write_all(warning).is_ok());
    }
    has
}

fn add_article(dir: &Path) {
    rejoinder(dir).args("article add --site main --key a --title A --url https://news.example/a").run_well();
}

/// The server under strace, which writes down what it reads, answers and flushes.
struct Watched {
    strace: Child,
    address: String,
    trace: PathBuf,
}

impl Watched {
    /// `None` when the server ends before it listens.
    fn start(dir: &Path, more: &[&str]) -> Option<Self> {
        let trace = dir.join("trace");
        let mut strace = Command::new("strace")
            .args(["-f", "-y", "-s", "64", "-e", "trace=fdatasync,fsync,read,recvfrom,write,writev,sendto,sendmsg"])
            .args(more)
            .arg("-o")
            .arg(&trace)
            .args([env!("CARGO_BIN_EXE_rejoinder"), "--listen", "127.0.0.1:0", "--limits", "off"])
            .current_dir(dir)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let line = BufReader::new(strace.stdout.take().unwrap()).lines().next();
        let Some(Ok(line)) = line else {
            strace.wait().unwrap();
            return None;
        };
        Some(Self { strace, address: line.replace("listening on http://", ""), trace })
    }

    /// Posts one after the other; gives the receipts of those that were acknowledged.
    fn post(&mut self, count: usize) -> Vec<String> {
        post_one_after_the_other(&self.address, count)
    }

    /// Ends the server and gives what was written down.
    fn stop(mut self) -> String {
        // Ended from within: strace alone, when it is killed, lets what it watches run on.
        let of_strace = format!("/proc/{0}/task/{0}/children", self.strace.id());
        let server = std::fs::read_to_string(of_strace).unwrap();
        if !server.trim().is_empty() {
            assert!(Command::new("kill").args(["-KILL", server.trim()]).status().unwrap().success());
        }
        self.strace.wait().unwrap();
        std::fs::read_to_string(&self.trace).unwrap()
    }
}

fn raw(address: &str, request: &str) -> String {
    let mut connection = TcpStream::connect(address).unwrap();
    connection.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer
}

fn post_one_after_the_other(address: &str, count: usize) -> Vec<String> {
    let mut connection = BufReader::new(TcpStream::connect(address).unwrap());
    let mut receipts = Vec::new();
    for number in 0..count {
        let body = format!("name=Ada&email=ada%40example.org&comment=number+{number}");
        let head = format!(
            "POST /api/v1/sites/main/articles/a/comments HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        if connection.get_mut().write_all((head + &body).as_bytes()).is_err() {
            break;
        }
        let (mut length, mut is_taken) = (0, false);
        for line in connection.by_ref().lines().map_while(Result::ok) {
            is_taken |= line.starts_with("HTTP/1.1 20");
            length = line.strip_prefix("content-length: ").map_or(length, |text| text.parse().unwrap());
            if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        if connection.read_exact(&mut body).is_ok() && is_taken {
            let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
            receipts.extend(body["receipt_url"].as_str().and_then(|url| url.rsplit('/').next()).map(str::to_owned));
        }
    }
    receipts
}

/// How many posts were answered 2xx, and how many of them without a finished flush of the log since they were read.
fn judge(trace: &str) -> (usize, usize) {
    let (mut answered, mut unflushed, mut is_flushed) = (0, 0, false);
    let mut flushing: HashMap<&str, bool> = HashMap::new();
    for line in trace.lines() {
        let (thread, call) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let call = call.trim_start();
        let is_flush = call.starts_with("fdatasync(") || call.starts_with("fsync(");
        if is_flush && call.contains("<unfinished") {
            flushing.insert(thread, call.contains(".db-wal>"));
        } else if is_flush {
            is_flushed |= call.contains(".db-wal>") && call.ends_with("= 0");
        } else if call.starts_with("<... fdatasync resumed>") || call.starts_with("<... fsync resumed>") {
            is_flushed |= flushing.remove(thread) == Some(true) && call.ends_with("= 0");
        } else if call.contains("\"POST /api/") {
            is_flushed = false;
        } else if call.contains("\"HTTP/1.1 20") {
            answered += 1;
            unflushed += usize::from(!is_flushed);
        }
    }
    (answered, unflushed)
}

#[test]
fn an_answer_before_its_flush_is_found() {
    let good =
        "1 recvfrom(9, \"POST /api/v1\", 64) = 64\n2 fdatasync(5</x.db-wal>) = 0\n1 writev(9, [\"HTTP/1.1 202\"]) = 9";
    let late = "1 recvfrom(9, \"POST /api/v1\", 64) = 64\n2 fdatasync(5</x.db-wal> <unfinished ...>\n1 writev(9, [\"HTTP/1.1 202\"]) = 9\n2 <... fdatasync resumed>) = 0";
    let failed = "1 recvfrom(9, \"POST /api/v1\", 64) = 64\n2 fdatasync(5</x.db-wal>) = -1 EIO\n1 writev(9, [\"HTTP/1.1 202\"]) = 9";
    assert_eq!((judge(good), judge(late), judge(failed)), ((1, 0), (1, 1), (1, 1)));
}
