//! A desk that follows live: server-sent events, read as a browser reads them (HTML, §9.2.6).

use std::time::Duration;

use reqwest::header::HeaderMap;
use serde_json::Value;

use super::people::Person;
use super::server::TestApp;

/// An open stream of events.
pub struct Events {
    response: reqwest::Response,
    unread: Vec<u8>,
    /// The last `id:` that came; a block without an event has one too.
    pub last: Option<u64>,
    /// Comments of the stream itself, such as heartbeats.
    pub remarks: usize,
}

/// What was told.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub id: u64,
    pub kind: String,
    pub data: Value,
}

impl TestApp {
    /// Follows what changes, after the event `last`.
    pub async fn follow(&self, person: &Person, last: Option<u64>) -> Events {
        Events::open(&self.client, &self.base, &person.access, last).await
    }
}

impl Events {
    pub async fn open(client: &reqwest::Client, base: &str, token: &str, last: Option<u64>) -> Self {
        let last_text = last.map(|last| last.to_string());
        let mut events = Self::open_after(client, base, token, last_text.as_deref()).await;
        events.last = last;
        // When this comes, everything after it will be told.
        if last.is_none() {
            while events.last.is_none() {
                assert_eq!(events.read_block().await, Some(None), "nothing is told before the first id");
            }
        }
        events
    }

    /// The same with whatever a client says was its last.
    pub async fn open_after(client: &reqwest::Client, base: &str, token: &str, last: Option<&str>) -> Self {
        let mut request = client.get(format!("{base}/api/v1/review/events")).bearer_auth(token);
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request.send().await.expect("the server answers");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        Self { response, unread: Vec::new(), last: None, remarks: 0 }
    }

    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// The next event; `None` at the end.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.read_block().await? {
                return Some(event);
            }
        }
    }

    /// The next event, which comes soon.
    #[track_caller]
    pub fn soon(&mut self) -> impl Future<Output = Event> {
        let caller = std::panic::Location::caller();
        async move {
            let next = tokio::time::timeout(Duration::from_secs(10), self.next()).await;
            next.unwrap_or_else(|_| panic!("{caller}: nothing came")).unwrap_or_else(|| panic!("{caller}: it ended"))
        }
    }

    /// Whether it ends in time, telling nothing more.
    pub async fn ends_within(&mut self, limit: Duration) -> bool {
        matches!(tokio::time::timeout(limit, self.next()).await, Ok(None))
    }

    /// The next block; `Some(None)` when it has no event in it.
    pub async fn read_block(&mut self) -> Option<Option<Event>> {
        let end = loop {
            if let Some(at) = self.unread.windows(2).position(|pair| pair == b"\n\n") {
                break at + 2;
            }
            // A connection that breaks has ended too.
            self.unread.extend_from_slice(&self.response.chunk().await.ok().flatten()?);
        };
        let block: Vec<u8> = self.unread.drain(..end).collect();
        let (mut kind, mut data) = (String::new(), None);
        for line in std::str::from_utf8(&block).expect("UTF-8").lines().filter(|line| !line.is_empty()) {
            match line.split_once(": ").expect("a field") {
                ("event", word) => word.clone_into(&mut kind),
                ("id", id) => {
                    let id: u64 = id.parse().expect("a number");
                    assert!(
                        self.last.is_none_or(|last| kind == "resync" || last < id),
                        "ids rise: {:?}, {id}",
                        self.last
                    );
                    self.last = Some(id);
                }
                ("data", text) => data = Some(serde_json::from_str(text).expect("JSON")),
                ("retry", ms) => assert!(ms.parse::<u32>().is_ok()),
                ("", _) => self.remarks += 1,
                _ => panic!("no such field: {line:?}"),
            }
        }
        let id = self.last;
        Some(data.map(|data| Event { id: id.expect("an id"), kind, data }))
    }
}
