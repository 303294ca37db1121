//! The limits of the machine: a bare handler that gives the bytes and headers of a thread, and one behind the same middleware that reads a form and drops it. They run in
//! a process of their own, which is the bench itself started again.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::from_fn;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use bytes::Bytes;
use rejoinder::config::{Given, PublicUrl, Settings};
use rejoinder::http::body::FormBody;
use rejoinder::http::boundary::boundary;
use rejoinder::http::client;
use rejoinder::http::limits::PostPaced;
use rejoinder::http::preconditions::IdempotencyKey;
use rejoinder::kit::clock::Clock;
use rejoinder::kit::key::Key;
use rejoinder::server::cors;
use rejoinder::store::{Store, migrate};

use super::client::{Answer, Client};
use super::{Failure, Running, THREAD, wait_for};

const LIMITS: &str = "REJOINDER_BENCH_LIMITS";

/// Where the bare handler gives the bytes and headers of the thread.
pub const BYTES: &str = "/bytes";

/// Starts them, with the thread as `base` serves it.
pub fn start_limits(base: &str, dir: &Path) -> Result<Running, Failure> {
    let thread = dir.join("thread.json");
    keep_answer(&thread, &Client::connect(base)?.send("GET", THREAD, "", "")?)?;
    let mut limits = Command::new(std::env::current_exe()?);
    limits.env(LIMITS, &thread);
    Running::start(limits)
}

/// Keeps an answer's headers and body; what every server adds by itself is left out.
fn keep_answer(path: &Path, answer: &Answer) -> Result<(), Failure> {
    let added = ["content-length", "date", "connection"];
    let headers: Vec<_> = answer.headers.iter().filter(|(name, _)| !added.contains(&name.as_str())).collect();
    let kept = serde_json::json!({ "headers": headers, "body": std::str::from_utf8(&answer.body)? });
    Ok(std::fs::write(path, kept.to_string())?)
}

/// In the process that [`start_limits`] starts: serves them, and does not come back.
pub fn serve_when_asked_to() -> Result<(), Failure> {
    match std::env::var(LIMITS) {
        Ok(thread) => wait_for(serve_limits(Path::new(&thread))),
        Err(_) => Ok(()),
    }
}

/// The limits: as many workers as the program has, and nothing more than is said.
async fn serve_limits(thread: &Path) -> Result<(), Failure> {
    let kept: serde_json::Value = serde_json::from_slice(&std::fs::read(thread)?)?;
    let bytes = Bytes::from(kept["body"].as_str().unwrap_or_default().to_owned());
    let headers: Vec<(String, String)> = serde_json::from_value(kept["headers"].clone())?;
    let headers: Arc<[(HeaderName, HeaderValue)]> = headers
        .into_iter()
        .map(|(name, value)| Ok::<_, Failure>((name.parse()?, value.parse()?)))
        .collect::<Result<_, _>>()?;
    let dir = tempfile::tempdir()?;
    let given = Given {
        database_url: Some(format!("sqlite:{}", dir.path().join("limits.db").display())),
        limits: Some("off".to_owned()),
        ..Given::default()
    };
    let settings = Settings::try_from(given)?;
    migrate(&settings.database)?;
    let store = Store::open(&settings.database)?;
    let public_url = PublicUrl::of_address(settings.listen);
    let app = web::Data::new(rejoinder::app::App::new(settings, public_url, store, Clock::system()).await?);
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    println!("listening on http://{}", listener.local_addr()?);
    let workers = std::thread::available_parallelism()?.get();
    let make = move || {
        let (bytes, headers) = (bytes.clone(), headers.clone());
        let bare = move || {
            let (bytes, headers) = (bytes.clone(), headers.clone());
            async move {
                let mut response = HttpResponse::Ok();
                for header in headers.iter() {
                    response.insert_header(header.clone());
                }
                response.body(bytes)
            }
        };
        App::new().app_data(app.clone()).route(BYTES, web::get().to(bare)).service(
            web::resource("/api/v1/sites/{site}/articles/{article}/comments")
                .wrap(from_fn(cors))
                .wrap(from_fn(boundary))
                .route(web::post().to(parse_and_drop)),
        )
    };
    HttpServer::new(make).workers(workers).listen(listener)?.run().await?;
    std::process::exit(0)
}

/// What posting a comment asks of a request, and nothing of the store.
async fn parse_and_drop(
    _: PostPaced,
    _: web::Data<rejoinder::app::App>,
    _: web::Path<(Key, Key)>,
    _: client::Client,
    _: IdempotencyKey,
    _: HttpRequest,
    mut body: FormBody,
) -> HttpResponse {
    let fields = ["name", "email", "url", "comment"].map(|name| body.fields.filled_text(name));
    drop(fields);
    HttpResponse::Accepted().json(serde_json::json!({ "id": 1, "status": "pending", "receipt_url": "" }))
}
