//! How fast the whole program is, against what the machine allows, in one run.
//!
//! `cargo bench --bench load` starts the release binary and, beside it, the limits: a bare handler that returns the bytes
//! of the same thread, a handler behind the same middleware that parses the same form and drops it, and raw commits of
//! the same row. It needs `wrk`, installs nothing, takes about two minutes, and sends only to loopback. Every figure is
//! the median of three rounds taken in turn; machines differ and are noisy, so only the ratios mean much.

mod program;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use actix_web::middleware::from_fn;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use bytes::Bytes;
use diesel::connection::SimpleConnection;
use diesel::{Connection, RunQueryDsl, SqliteConnection};
use program::{Failure, PROGRAM, Running, median};
use rejoinder::config::{Given, PublicUrl, Settings};
use rejoinder::http::body::FormBody;
use rejoinder::http::boundary::boundary;
use rejoinder::http::client::Client;
use rejoinder::http::limits::PostPaced;
use rejoinder::http::preconditions::IdempotencyKey;
use rejoinder::kit::clock::Clock;
use rejoinder::kit::key::Key;
use rejoinder::server::cors;
use rejoinder::store::{Store, migrate};

const ROUNDS: usize = 3;
const SECONDS: &str = "5";
const ARTICLE: &str = "/api/v1/sites/main/articles/bench";

/// A comment of some 300 bytes, new each time: the same text again would be refused.
const POSTS: &str = r#"
local count = 0
local who = tostring({}):gsub("table: 0x", "")
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
request = function()
  count = count + 1
  local body = "name=Ada+Lovelace&email=ada%40example.org&comment=Number+" .. who .. count ..
    "+of+a+reader+who+has+something+to+say.+The+engine+weaves+%2Aalgebraic+patterns%2A+just+as+the+loom+weaves+flowers" ..
    "+and+leaves%2C+and+whoever+reads+this+far+knows+about+how+long+a+usual+comment+is.%0A%0AIt+has+a+second+paragraph+too%2C+with+a+little+more."
  return wrk.format(nil, nil, nil, body)
end
"#;

fn main() -> Result<(), Failure> {
    match std::env::var("REJOINDER_BENCH_LIMITS") {
        Ok(thread) => actix_web::rt::System::new().block_on(serve_limits(Path::new(&thread))),
        Err(_) => measure(),
    }
}

fn measure() -> Result<(), Failure> {
    let dir = tempfile::tempdir()?;
    let script = dir.path().join("posts.lua");
    std::fs::write(&script, POSTS)?;
    let database = format!("sqlite:{}", dir.path().join("bench.db").display());
    add_article(&database, "bench")?;
    add_article(&database, "thread")?;
    run(&database, &["site", "set", "main", "--policy", "publish_first"])?;

    let server = Running::serve(&database)?;
    write_thread(&server.base)?;
    run(&database, &["site", "set", "main", "--policy", "hold_all"])?;

    let thread = dir.path().join("thread.json");
    let path = "/api/v1/sites/main/articles/thread/comments?limit=100";
    std::fs::write(&thread, get(&format!("{}{path}", server.base))?)?;
    let mut limits = Command::new(std::env::current_exe()?);
    limits.env("REJOINDER_BENCH_LIMITS", &thread);
    let limits = Running::start(limits)?;
    println!("thread of 200 comments: {} bytes", std::fs::metadata(&thread)?.len());

    let post = ["-s", script.to_str().unwrap_or_default()];
    let mut rows: [Vec<f64>; 6] = Default::default();
    for round in 1..=ROUNDS {
        println!("round {round} of {ROUNDS}");
        rows[0].push(wrk(&limits.base, "/bytes", "64", &[])?);
        rows[1].push(wrk(&server.base, path, "64", &[])?);
        rows[2].push(wrk(&limits.base, &format!("{ARTICLE}/comments"), "64", &post)?);
        rows[3].push(wrk(&server.base, &format!("{ARTICLE}/comments"), "64", &post)?);
        rows[4].push(raw_commits(&dir.path().join("raw.db"))?);
        rows[5].push(wrk(&server.base, &format!("{ARTICLE}/comments"), "1", &post)?);
    }
    let [bytes, thread, parse, post, commits, post_alone] = rows.map(median);
    println!("\n{:<58}{:>12}{:>10}", "", "per second", "ratio");
    row("bare handler, the thread's bytes", bytes, None);
    row("published thread of 200 comments", thread, Some(thread / bytes));
    row("same middleware, parse the form and drop it", parse, None);
    row("post a comment, durable", post, Some(post / parse));
    row("raw commit of one such row, one client", commits, None);
    row("post a comment, durable, one client", post_alone, Some(post_alone / commits));
    Ok(())
}

fn add_article(database: &str, key: &str) -> Result<(), Failure> {
    let url = format!("https://news.example/{key}");
    run(database, &["article", "add", "--site", "main", "--key", key, "--title", key, "--url", &url])
}

/// Runs one of the program's commands on a database.
fn run(database: &str, arguments: &[&str]) -> Result<(), Failure> {
    let status = Command::new(PROGRAM).args(["--database-url", database]).args(arguments).status()?;
    if status.success() { Ok(()) } else { Err(format!("{arguments:?}: {status}").into()) }
}

fn row(name: &str, per_second: f64, ratio: Option<f64>) {
    let ratio = ratio.map_or_else(String::new, |ratio| format!("{ratio:.3}"));
    println!("{name:<58}{per_second:>12.0}{ratio:>10}");
}

/// Requests answered with 2xx per second.
fn wrk(base: &str, path: &str, clients: &str, more: &[&str]) -> Result<f64, Failure> {
    let mut command = Command::new("wrk");
    command.args(["-t1", "-c", clients, "-d", SECONDS]).args(more).arg(format!("{base}{path}"));
    let output = command.output().map_err(|error| format!("wrk cannot be started ({error}); install it"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if let Some(line) = text.lines().find(|line| line.contains("Non-2xx") || line.contains("Socket errors")) {
        return Err(format!("{path}: {line}").into());
    }
    let line = text.lines().find_map(|line| line.strip_prefix("Requests/sec:")).ok_or("wrk said nothing")?;
    Ok(line.trim().parse()?)
}

fn get(url: &str) -> Result<Vec<u8>, Failure> {
    let answer = actix_web::rt::System::new().block_on(async { reqwest::get(url).await?.bytes().await })?;
    Ok(answer.to_vec())
}

/// Forty roots with four replies each.
fn write_thread(base: &str) -> Result<(), Failure> {
    let url = format!("{base}/api/v1/sites/main/articles/thread/comments");
    actix_web::rt::System::new().block_on(async {
        let client = reqwest::Client::new();
        for root in 0..40 {
            let mut parent = None;
            for reply in 0..5 {
                let text = format!("Comment {root}.{reply}: the engine weaves *algebraic patterns* just as the loom weaves flowers and leaves.");
                let body = serde_json::json!({
                    "name": format!("Reader {root}"), "email": "reader@example.org", "comment": text, "parent_id": parent,
                });
                let answer = client.post(&url).json(&body).send().await?.error_for_status()?;
                let posted: serde_json::Value = answer.json().await?;
                parent = if reply == 0 { posted["id"].as_i64() } else { parent };
            }
        }
        Ok(())
    })
}

/// Commits of one row with the text of a post, one after the other, each flushed.
fn raw_commits(path: &Path) -> Result<f64, Failure> {
    let mut conn = SqliteConnection::establish(&path.display().to_string())?;
    conn.batch_execute(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         CREATE TABLE IF NOT EXISTS rows (id INTEGER PRIMARY KEY, text TEXT NOT NULL);",
    )?;
    let text = "x".repeat(300);
    let (began, mut count) = (Instant::now(), 0_u32);
    while began.elapsed() < Duration::from_secs(3) {
        diesel::sql_query("INSERT INTO rows (text) VALUES (?)")
            .bind::<diesel::sql_types::Text, _>(&text)
            .execute(&mut conn)?;
        count += 1;
    }
    Ok(f64::from(count) / began.elapsed().as_secs_f64())
}

/// The limits: as many workers as the program has, and nothing more than is said.
async fn serve_limits(thread: &Path) -> Result<(), Failure> {
    let bytes = Bytes::from(std::fs::read(thread)?);
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
        let bytes = bytes.clone();
        let bare = move || {
            let bytes = bytes.clone();
            async move { HttpResponse::Ok().content_type("application/json").body(bytes) }
        };
        App::new().app_data(app.clone()).route("/bytes", web::get().to(bare)).service(
            web::resource("/api/v1/sites/{site}/articles/{article}/comments")
                .wrap(from_fn(cors))
                .wrap(from_fn(boundary))
                .route(web::post().to(parse_and_drop)),
        )
    };
    Ok(HttpServer::new(make).workers(workers).listen(listener)?.run().await?)
}

/// What posting a comment asks of a request, and nothing of the store.
async fn parse_and_drop(
    _: PostPaced,
    _: web::Data<rejoinder::app::App>,
    _: web::Path<(Key, Key)>,
    _: Client,
    _: IdempotencyKey,
    _: HttpRequest,
    mut body: FormBody,
) -> HttpResponse {
    let fields = ["name", "email", "url", "comment"].map(|name| body.fields.filled_text(name));
    drop(fields);
    HttpResponse::Accepted().json(serde_json::json!({ "id": 1, "status": "pending", "receipt_url": "" }))
}
