//! An answer implies a flush: nobody is told that a comment is kept before it is on the disk.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

/// How many posts are watched: none of so many failing bounds the rate by 3 in 1,000.
const POSTS: usize = 1_000;

#[test]
fn every_answer_to_a_post_comes_after_a_flush_of_the_log() {
    if Command::new("strace").arg("-V").stdout(Stdio::null()).status().is_err() {
        let warning = b"\n*** NOT RUN: the test of flushes needs strace ***\n\n";
        assert!(std::io::stderr().write_all(warning).is_ok());
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}", dir.path().join("flush.db").display());
    let program = env!("CARGO_BIN_EXE_rejoinder");
    let article = ["article", "add", "--site", "main", "--key", "a", "--title", "A", "--url", "https://news.example/a"];
    assert!(Command::new(program).args(["--database-url", &database]).args(article).status().unwrap().success());

    let trace = dir.path().join("trace");
    let mut watched = Command::new("strace")
        .args(["-f", "-y", "-s", "64", "-e", "trace=fdatasync,fsync,read,recvfrom,write,writev,sendto,sendmsg", "-o"])
        .arg(&trace)
        .args([program, "--database-url", &database, "--listen", "127.0.0.1:0", "--limits", "off"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(watched.stdout.take().unwrap()).lines();
    let address = lines.next().unwrap().unwrap().replace("listening on http://", "");
    post_one_after_the_other(&address);
    // Ended from within: strace alone, when it is killed, lets what it watches run on.
    let of_strace = format!("/proc/{0}/task/{0}/children", watched.id());
    let server = std::fs::read_to_string(of_strace).unwrap();
    assert!(Command::new("kill").args(["-TERM", server.trim()]).status().unwrap().success());
    watched.wait().unwrap();

    let (answered, unflushed) = judge(&std::fs::read_to_string(trace).unwrap());
    assert_eq!((answered, unflushed), (POSTS, 0));
}

fn post_one_after_the_other(address: &str) {
    let mut connection = BufReader::new(TcpStream::connect(address).unwrap());
    for count in 0..POSTS {
        let body = format!("name=Ada&email=ada%40example.org&comment=number+{count}");
        let head = format!(
            "POST /api/v1/sites/main/articles/a/comments HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        connection.get_mut().write_all((head + &body).as_bytes()).unwrap();
        let mut length = 0;
        for line in connection.by_ref().lines() {
            let line = line.unwrap();
            length = line.strip_prefix("content-length: ").map_or(length, |text| text.parse().unwrap());
            if line.is_empty() {
                break;
            }
        }
        connection.read_exact(&mut vec![0; length]).unwrap();
    }
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
