//! A service outside, as a test pretends one: keeps what it is sent and answers what the test says.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};

/// What it was sent.
#[derive(Debug, Clone)]
pub struct Received {
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Received {
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// A field of a form.
    pub fn field(&self, name: &str) -> Option<String> {
        let mut pairs = url::form_urlencoded::parse(self.body.as_bytes());
        pairs.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    }
}

/// What it answers.
#[derive(Debug, Clone)]
pub struct Says {
    pub status: u16,
    pub body: String,
    /// Whether it takes longer than anybody waits.
    pub is_slow: bool,
}

#[derive(Clone)]
pub struct FakeService {
    /// `http://127.0.0.1:PORT`.
    pub base: String,
    received: Arc<Mutex<Vec<Received>>>,
    says: Arc<Mutex<Says>>,
}

impl FakeService {
    /// Starts one that says nothing, on the runtime of the caller.
    pub fn start() -> Self {
        let received = Arc::new(Mutex::new(Vec::new()));
        let says = Arc::new(Mutex::new(Says { status: 204, body: String::new(), is_slow: false }));
        let kept = (Arc::clone(&received), Arc::clone(&says));
        let server =
            HttpServer::new(move || App::new().app_data(web::Data::new(kept.clone())).default_service(web::to(take)));
        let server = server.workers(1).bind("127.0.0.1:0").expect("a port");
        let base = format!("http://{}", server.addrs()[0]);
        actix_web::rt::spawn(server.disable_signals().run());
        Self { base, received, says }
    }

    /// From now on it answers so.
    pub fn says(&self, status: u16, body: &str) {
        *self.says.lock().expect("a lock") = Says { status, body: body.to_owned(), is_slow: false };
    }

    pub fn says_nothing_for_long(&self) {
        self.says.lock().expect("a lock").is_slow = true;
    }

    /// What it was sent since this was asked last.
    pub fn take_received(&self) -> Vec<Received> {
        std::mem::take(&mut self.received.lock().expect("a lock"))
    }

    pub fn count(&self) -> usize {
        self.received.lock().expect("a lock").len()
    }
}

type Kept = (Arc<Mutex<Vec<Received>>>, Arc<Mutex<Says>>);

async fn take(kept: web::Data<Kept>, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    let text = |value: &actix_web::http::header::HeaderValue| value.to_str().unwrap_or("").to_owned();
    kept.0.lock().expect("a lock").push(Received {
        path: request.path().to_owned(),
        headers: request.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        body: String::from_utf8_lossy(&body).into_owned(),
    });
    let says = kept.1.lock().expect("a lock").clone();
    if says.is_slow {
        actix_web::rt::time::sleep(Duration::from_secs(20)).await;
    }
    let status = actix_web::http::StatusCode::from_u16(says.status).expect("a status");
    HttpResponse::build(status).insert_header(("location", "/elsewhere")).body(says.body)
}
