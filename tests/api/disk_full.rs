//! A disk that is full: nothing is acknowledged and not kept, readers go on, and room is all it needs to go on.

use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use crate::support::Answer;
use crate::support::process::rejoinder;

const COMMENTS: &str = "/api/v1/sites/main/articles/a/comments";

/// A small file system of its own; it needs the right to mount.
struct SmallDisk<'a>(&'a Path);

impl<'a> SmallDisk<'a> {
    fn mount(at: &'a Path) -> Option<Self> {
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=6m", "tmpfs"]).arg(at).output();
        mounted.is_ok_and(|output| output.status.success()).then_some(Self(at))
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0).status();
    }
}

#[test]
fn a_full_disk_refuses_writes_serves_readers_and_heals_when_there_is_room() {
    let dir = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(dir.path()) else {
        let warning = b"\n*** NOT RUN: the test of a full disk needs the right to mount ***\n\n";
        assert!(std::io::stderr().write_all(warning).is_ok());
        return;
    };
    let program = || rejoinder(dir.path()).env("REJOINDER_LIMITS", "off").env("REJOINDER_LOG", "error");
    program().args("article add --site main --key a --title A --url https://news.example/a").run_well();
    program().args("site set main --policy publish_first").run_well();
    let ballast = dir.path().join("ballast");
    std::fs::write(&ballast, vec![1; 2 << 20]).unwrap();

    let server = program().serve();
    actix_web::rt::System::new().block_on(async {
        let client = reqwest::Client::new();
        let ask = |method: Method, path: &str| client.request(method, format!("{}{path}", server.base));
        let post = |number: usize| {
            let text = format!("{number} {}", "a long comment ".repeat(200));
            ask(Method::POST, COMMENTS).json(&json!({ "name": "Ada", "email": "ada@example.org", "comment": text }))
        };
        let mut kept = Vec::new();
        let mut refused = 0;
        for number in 0..3_000 {
            let began = Instant::now();
            let answer = Answer::of(post(number)).await;
            if answer.status == 201 {
                kept.push(answer.json()["id"].as_i64().unwrap());
                continue;
            }
            assert!(began.elapsed() < Duration::from_secs(1), "refused within a second");
            answer.expect_problem(507, "disk-full");
            refused += 1;
            if refused == 20 {
                break;
            }
        }
        assert_eq!(refused, 20, "the disk was never full");
        Answer::of(ask(Method::GET, COMMENTS)).await.expect(200);
        let why = Answer::of(ask(Method::GET, "/readyz")).await.expect_problem(507, "disk-full");
        assert!(why["detail"].as_str().unwrap().contains("no room"));

        std::fs::remove_file(&ballast).unwrap();
        let freed = Instant::now();
        while Answer::of(post(usize::MAX)).await.status != 201 {
            assert!(freed.elapsed() < Duration::from_secs(5), "writes work again within five seconds");
        }
        Answer::of(ask(Method::GET, "/readyz")).await.expect(200);
        for id in kept {
            Answer::of(ask(Method::GET, &format!("/api/v1/comments/{id}"))).await.expect(200);
        }
    });
    drop(server);
    drop(disk);
}
