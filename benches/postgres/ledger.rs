//! Readers who post while something happens to the database, and keep a ledger of what they were told.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::program::client::Client;
use crate::program::{COMMENTS, Failure};

const READERS: usize = 8;

/// What readers were told.
#[derive(Default)]
pub struct Ledger {
    /// Ids of comments that were acknowledged, and when.
    pub acknowledged: Vec<(i64, Instant)>,
    /// Refused with 503 and `Retry-After`.
    pub refused: usize,
    /// Any other answer: its status.
    pub odd: Vec<u16>,
    /// Connections that broke before an answer.
    pub broken: usize,
}

impl Ledger {
    /// Lets readers post until `meanwhile` has ended; each again and again with the same key until it is taken.
    pub fn keep<T>(
        base: &str,
        meanwhile: impl FnOnce(&Mutex<Self>) -> Result<T, Failure>,
    ) -> Result<(Self, T), Failure> {
        let (ledger, is_over) = (Mutex::new(Self::default()), AtomicBool::new(false));
        let came = std::thread::scope(|scope| {
            for reader in 0..READERS {
                let (ledger, is_over) = (&ledger, &is_over);
                scope.spawn(move || post_again_and_again(base, reader, ledger, is_over));
            }
            let came = meanwhile(&ledger);
            is_over.store(true, Ordering::Release);
            came
        })?;
        Ok((ledger.into_inner().unwrap_or_default(), came))
    }

    /// Acknowledged ids that are not among those kept, and texts that were kept twice.
    pub fn check(&self, base: &str) -> Result<(usize, usize), Failure> {
        let mut client = Client::connect(base)?;
        let who = client.sign_in()?;
        let (mut ids, mut texts, mut doubled) = (HashSet::new(), HashSet::new(), 0);
        let mut path = "/api/v1/review/comments?status=any&limit=100".to_owned();
        loop {
            let page = client.send("GET", &path, &who, "")?.json()?;
            for item in page["items"].as_array().ok_or("no queue")? {
                ids.insert(item["id"].as_i64().unwrap_or_default());
                doubled += usize::from(!texts.insert(item["text"].to_string()));
            }
            let Some(next) = page["next"].as_str() else { break };
            path = format!("/api/v1/review/comments?status=any&limit=100&cursor={next}");
        }
        let lost = self.acknowledged.iter().filter(|(id, _)| !ids.contains(id)).count();
        Ok((lost, doubled))
    }

    /// The longest time after `moment` until the next post was taken.
    pub fn healed_after(&self, moment: Instant) -> Option<Duration> {
        self.acknowledged.iter().filter(|(_, at)| *at > moment).map(|(_, at)| *at - moment).min()
    }
}

fn post_again_and_again(base: &str, reader: usize, ledger: &Mutex<Ledger>, is_over: &AtomicBool) {
    let (mut client, mut number) = (None, 0_u64);
    while !is_over.load(Ordering::Acquire) {
        let name = format!("Reader {reader} comment {number}");
        let body = format!(r#"{{"name":"{name}","email":"r{reader}@example.org","comment":"{name} says something."}}"#);
        let headers = format!("Content-Type: application/json\r\nIdempotency-Key: {reader}-{number}\r\n");
        let Some(mut open) = client.take().or_else(|| Client::connect(base).ok()) else { continue };
        let answer = open.send("POST", COMMENTS, &headers, &body);
        let Ok(mut ledger) = ledger.lock() else { return };
        match answer {
            Ok(answer) if matches!(answer.status, 201 | 202) => {
                let id = answer.json().ok().and_then(|body| body["id"].as_i64()).unwrap_or_default();
                ledger.acknowledged.push((id, Instant::now()));
                number += 1;
                client = Some(open);
            }
            Ok(answer) if answer.status == 503 && answer.header("retry-after").is_some() => {
                ledger.refused += 1;
                drop(ledger);
                // Sooner than told, so as to see when it is well again.
                std::thread::sleep(Duration::from_millis(20));
                client = Some(open);
            }
            Ok(answer) => ledger.odd.push(answer.status),
            Err(_) => ledger.broken += 1,
        }
    }
}
