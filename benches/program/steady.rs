//! Clients that ask at a constant rate, whatever the server does.
//!
//! Every request has a moment at which it is due, and its time counts from there: when the server stalls, what had to wait
//! for it counts as slow, and not as never asked (a client that waits for an answer before it asks again hides that). Each
//! connection has a thread that sleeps until its next turn, because timers of a runtime are only good to a millisecond.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::answers::{Coming, Seen};
use super::figures::Figures;

/// The longest that an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// How much is asked.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    pub per_second: u32,
    /// Kept-alive connections that share it.
    pub connections: u32,
    pub lasts: Duration,
}

impl Load {
    /// Readers on sixteen connections.
    pub fn of_readers(per_second: u32, lasts: Duration) -> Self {
        Self { per_second, connections: 16, lasts }
    }

    /// Asks, and says what was seen. `request` makes the bytes of each request of its number.
    pub fn ask(self, address: &str, request: impl Fn(u64) -> Vec<u8> + Sync) -> Figures {
        let (began, request) = (Instant::now(), &request);
        std::thread::scope(|scope| {
            let lines: Vec<_> = (0..self.connections)
                .map(|line| scope.spawn(move || self.ask_on_one(address, began, line, request)))
                .collect();
            lines.into_iter().fold(Figures::default(), |all, line| all.and(line.join().unwrap_or_default()))
        })
    }

    fn ask_on_one(self, address: &str, began: Instant, line: u32, request: impl Fn(u64) -> Vec<u8>) -> Figures {
        let mut figures = Figures::default();
        let mut connection = Connection { address, stream: None, buffer: vec![0; 64 * 1024] };
        for number in (u64::from(line)..).step_by(self.connections as usize) {
            let due = Duration::from_micros(number * 1_000_000 / u64::from(self.per_second));
            if due > self.lasts {
                return figures;
            }
            std::thread::sleep(due.saturating_sub(began.elapsed()));
            match connection.ask(&request(number)) {
                Asked::Answered(seen) => figures.note(seen, began.elapsed().saturating_sub(due)),
                Asked::NotTaken => figures.not_taken += 1,
                Asked::Dropped => figures.dropped += 1,
            }
        }
        figures
    }
}

struct Connection<'a> {
    address: &'a str,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
}

enum Asked {
    Answered(Seen),
    NotTaken,
    Dropped,
}

impl Connection<'_> {
    fn ask(&mut self, request: &[u8]) -> Asked {
        let Some(mut stream) = self.stream.take().or_else(|| connect(self.address)) else { return Asked::NotTaken };
        let Some(seen) = exchange(&mut stream, request, &mut self.buffer) else { return Asked::Dropped };
        if !seen.is_last {
            self.stream = Some(stream);
        }
        Asked::Answered(seen)
    }
}

fn connect(address: &str) -> Option<TcpStream> {
    let stream = TcpStream::connect(address).ok()?;
    stream.set_nodelay(true).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    Some(stream)
}

fn exchange(stream: &mut TcpStream, request: &[u8], buffer: &mut [u8]) -> Option<Seen> {
    stream.write_all(request).ok()?;
    let mut coming = Coming::default();
    loop {
        let count = stream.read(buffer).ok().filter(|count| *count > 0)?;
        if let Some(seen) = coming.feed(&buffer[..count]).ok()? {
            return Some(seen);
        }
    }
}
