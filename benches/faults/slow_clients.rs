//! A thousand clients that send or take as little as they can: what readers notice, and when those are cut off.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use actix_web::rt::net::TcpStream;
use futures_util::future::join_all;

use crate::program::crowd::send;
use crate::program::figures::{ms, ratio};
use crate::program::steady::Load;
use crate::program::{Failure, Prepared, THREAD, read_thread, wait_for};
use crate::row;

const ATTACKERS: usize = 1_000;
const READERS: u32 = 500;
const READING: Duration = Duration::from_secs(8);
/// How long it is watched whether they are cut off.
const WATCHED: Duration = Duration::from_secs(45);

/// What a slow client does.
#[derive(Clone, Copy)]
enum Way {
    /// Sends a request's head, a byte at a time.
    Head,
    /// The same for the second request on its connection.
    SecondHead,
    /// Sends a body, a byte at a time.
    Body,
    /// Asks for very much and reads nothing.
    Read,
}

pub fn measure() -> Result<(), Failure> {
    for (name, way, promised_s) in [
        ("head", Way::Head, 5),
        ("second head", Way::SecondHead, 5),
        ("body", Way::Body, 10),
        ("reading nothing", Way::Read, 30),
    ] {
        let Prepared { server, dir: _dir, .. } = Prepared::new()?;
        let readers = Load::of_readers(READERS, READING);
        let quiet = readers.ask(server.address(), read_thread);
        let [before, _] = server.memory_mib()?;
        let (under_attack, cut) = std::thread::scope(|scope| {
            let address = server.address();
            let attack = scope.spawn(move || wait_for(attack(address, way)));
            // The attackers connect first.
            std::thread::sleep(Duration::from_secs(1));
            (readers.ask(address, read_thread), attack.join().unwrap_or_default())
        });
        let [_, most] = server.memory_mib()?;
        row(&format!("{name}: readers, quiet"), quiet.line());
        row(&format!("{name}: readers meanwhile"), under_attack.line());
        let ratio = ratio(under_attack.p99(), quiet.p99());
        row(&format!("{name}: ratio of p99 (at most 2)"), format!("{ratio:.2}"));
        let times: Vec<Duration> = cut.iter().copied().flatten().collect();
        let [first, last] = [times.iter().min(), times.iter().max()].map(|time| ms(time.copied().unwrap_or_default()));
        row(
            &format!("{name}: cut (within {promised_s} s)"),
            format!("{} of {ATTACKERS}, after {first} to {last}", times.len()),
        );
        row(&format!("{name}: memory before, most (MiB)"), format!("{before}, {most}"));
    }
    Ok(())
}

/// When each attacker was cut off, from its first byte on; nothing for those that were not.
async fn attack(address: &str, way: Way) -> Vec<Option<Duration>> {
    let all: Vec<_> = (0..ATTACKERS)
        .map(|_| {
            let address = address.to_owned();
            actix_web::rt::spawn(async move { be_slow(&address, way).await.unwrap_or_default() })
        })
        .collect();
    join_all(all).await.into_iter().map(Result::unwrap_or_default).collect()
}

async fn be_slow(address: &str, way: Way) -> std::io::Result<Option<Duration>> {
    let stream = TcpStream::connect(address).await?;
    let get = format!("GET {THREAD} HTTP/1.1\r\nHost: bench\r\n\r\n");
    let drip = match way {
        Way::Head => "GET / HTTP/1.1\r\nX-Slow: ",
        Way::SecondHead => {
            send(&stream, b"GET /healthz HTTP/1.1\r\nHost: bench\r\n\r\n").await?;
            read_something(&stream).await?;
            "GET / HTTP/1.1\r\nX-Slow: "
        }
        Way::Body => {
            let head = "POST /api/v1/sites/main/articles/bench/comments HTTP/1.1\r\nHost: bench\r\n\
                        Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 10000\r\n\r\n";
            send(&stream, head.as_bytes()).await?;
            "name="
        }
        Way::Read => {
            // As much as the kernel holds for somebody who does not read, and more.
            let _ =
                actix_web::rt::time::timeout(Duration::from_secs(2), send(&stream, get.repeat(200).as_bytes())).await;
            ""
        }
    };
    let (began, mut bytes) = (Instant::now(), drip.bytes().chain(std::iter::repeat(b'x')));
    while began.elapsed() < WATCHED {
        let is_cut = match way {
            Way::Read => is_broken(&stream),
            _ => is_broken_or_answered(&stream, bytes.next().unwrap_or(b'x')),
        };
        if is_cut {
            return Ok(Some(began.elapsed()));
        }
        actix_web::rt::time::sleep(Duration::from_millis(250)).await;
    }
    Ok(None)
}

async fn read_something(stream: &TcpStream) -> std::io::Result<()> {
    stream.readable().await?;
    stream.try_read(&mut [0; 4096]).map(drop)
}

/// A byte is sent to find out; when the other end is gone the kernel says so.
fn is_broken(stream: &TcpStream) -> bool {
    stream.try_write(b"x").is_err_and(|error| error.kind() != ErrorKind::WouldBlock)
}

/// An answer to a request that is not whole is a refusal.
fn is_broken_or_answered(stream: &TcpStream, byte: u8) -> bool {
    let read = stream.try_read(&mut [0; 4096]);
    let is_open = read.is_err_and(|error| error.kind() == ErrorKind::WouldBlock);
    !is_open || stream.try_write(&[byte]).is_err_and(|error| error.kind() != ErrorKind::WouldBlock)
}
