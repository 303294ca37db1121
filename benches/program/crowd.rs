//! Very many clients, each of which asks again as soon as it is answered: more than the server can do.

use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use actix_web::rt::net::TcpStream;
use futures_util::future::join_all;

use super::answers::{Coming, Seen};
use super::figures::Figures;
use super::wait_for;

/// Asks on so many connections at once for so long, on one thread, and says what was seen.
pub fn ask(address: &str, clients: usize, lasts: Duration, request: impl Fn(u64) -> Vec<u8> + 'static) -> Figures {
    let (until, request, number) = (Instant::now() + lasts, Rc::new(request), Rc::new(AtomicU64::new(0)));
    wait_for(async {
        let all = (0..clients).map(|_| {
            let (address, request, number) = (address.to_owned(), Rc::clone(&request), Rc::clone(&number));
            actix_web::rt::spawn(ask_until(address, until, move || request(number.fetch_add(1, Ordering::Relaxed))))
        });
        let all: Vec<_> = all.collect();
        join_all(all).await.into_iter().fold(Figures::default(), |all, one| all.and(one.unwrap_or_default()))
    })
}

async fn ask_until(address: String, until: Instant, request: impl Fn() -> Vec<u8>) -> Figures {
    let (mut figures, mut connection) = (Figures::default(), None);
    while Instant::now() < until {
        let stream = match connection.take() {
            Some(stream) => Some(stream),
            None => TcpStream::connect(&address).await.ok(),
        };
        let Some(stream) = stream else {
            figures.not_taken += 1;
            actix_web::rt::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let began = Instant::now();
        match exchange(&stream, &request()).await {
            Some(seen) => {
                figures.note(seen, began.elapsed());
                connection = (!seen.is_last).then_some(stream);
            }
            None => figures.dropped += 1,
        }
    }
    figures
}

async fn exchange(stream: &TcpStream, request: &[u8]) -> Option<Seen> {
    send(stream, request).await.ok()?;
    let (mut coming, mut buffer) = (Coming::default(), [0; 4 * 1024]);
    loop {
        stream.readable().await.ok()?;
        match stream.try_read(&mut buffer) {
            Ok(0) => return None,
            Ok(count) => {
                if let Some(seen) = coming.feed(&buffer[..count]).ok()? {
                    return Some(seen);
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => return None,
        }
    }
}

/// Writes all of it.
pub async fn send(stream: &TcpStream, mut bytes: &[u8]) -> std::io::Result<()> {
    while !bytes.is_empty() {
        stream.writable().await?;
        match stream.try_write(bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
