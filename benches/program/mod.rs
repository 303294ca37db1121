//! The release binary, started on a free port with a database of its own, and what measures it.

pub mod answers;
pub mod bare;
pub mod client;
pub mod cluster;
pub mod crowd;
pub mod figures;
pub mod moderator;
pub mod parts;
pub mod proxy;
pub mod steady;

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

pub type Failure = Box<dyn std::error::Error>;

/// The binary under measurement.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_rejoinder");

pub const PASSWORD: &str = "a password that is right";

/// The thread of 200 comments that [`write_thread`] makes.
pub const THREAD: &str = "/api/v1/sites/main/articles/thread/comments?limit=100";

/// Comments of some 300 bytes, new each time: the same text again would be refused, and one that is nearly the same held.
/// Each is two of two thousand halves made of made-up words, so that making it costs next to nothing.
const POSTS: &str = r#"
math.randomseed(os.time())
local function word()
  local letters = {}
  for letter = 1, math.random(2, 9) do letters[letter] = string.char(math.random(97, 122)) end
  return table.concat(letters)
end
local function half()
  local words = {}
  for number = 1, 22 do words[number] = word() end
  return table.concat(words, "+")
end
local first, second = {}, {}
for number = 0, 999 do first[number], second[number] = half(), half() end
local count = math.random(0, 999999)
local who = tostring({}):gsub("table: 0x", "")
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
request = function()
  count = count + 1
  local body = "name=Ada+Lovelace&email=ada%40example.org&comment=" .. who .. count .. "+%2A" .. first[count % 1000] ..
    "%2A.%0A%0A" .. second[math.floor(count / 1000) % 1000] .. "."
  return wrk.format(nil, nil, nil, body)
end
"#;

/// Where [`write_posts`] posts to.
pub const COMMENTS: &str = "/api/v1/sites/main/articles/bench/comments";

/// A program that prints `listening on http://…`, ended when this is dropped.
pub struct Running {
    child: Child,
    pub base: String,
}

impl Running {
    pub fn start(mut command: Command) -> Result<Self, Failure> {
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take().ok_or("no standard output")?;
        let mut lines = BufReader::new(stdout).lines();
        let line = lines.next().ok_or("it ended at once")??;
        let base = line.strip_prefix("listening on ").ok_or("it said something else")?.to_owned();
        Ok(Self { child, base })
    }

    /// Serves a database without rate limits.
    pub fn serve(database: &str) -> Result<Self, Failure> {
        let mut command = Command::new(PROGRAM);
        command.args(["--database-url", database, "--listen", "127.0.0.1:0", "--limits", "off", "--log", "error"]);
        Self::start(command)
    }

    /// `host:port`
    pub fn address(&self) -> &str {
        self.base.trim_start_matches("http://")
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) -> Result<(), Failure> {
        let sent = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status()?;
        if sent.success() { Ok(()) } else { Err("the signal could not be sent".into()) }
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> Result<bool, Failure> {
        Ok(self.child.try_wait()?.is_some())
    }

    /// Memory in MiB: what it holds now, and the most it ever held (`VmRSS`, `VmHWM`; Linux only).
    pub fn memory_mib(&self) -> Result<[u64; 2], Failure> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let kib = |name: &str| -> Option<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim_end_matches("kB").trim().parse().ok()
        };
        Ok(["VmRSS:", "VmHWM:"].map(|name| kib(name).unwrap_or_default() / 1024))
    }

    /// How many of the threads that block for others, such as in hashing, are at work at this moment.
    pub fn count_blocking_at_work(&self) -> Result<usize, Failure> {
        let mut count = 0;
        for thread in std::fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let stat = std::fs::read_to_string(thread?.path().join("stat")).unwrap_or_default();
            let is_at_work = stat.split_once(") ").is_some_and(|(_, state)| state.starts_with('R'));
            count += usize::from(is_at_work && stat.contains("tokio-rt-worker"));
        }
        Ok(count)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A database in a folder of its own, with a thread to read, an article to post on, and an administrator.
pub struct Prepared {
    pub dir: tempfile::TempDir,
    pub database: String,
    pub server: Running,
}

impl Prepared {
    pub fn new() -> Result<Self, Failure> {
        let dir = tempfile::tempdir()?;
        let database = format!("sqlite:{}", dir.path().join("bench.db").display());
        Self::on(database, dir)
    }

    /// The same on a database that is there, with a folder for what else is written.
    pub fn on(database: String, dir: tempfile::TempDir) -> Result<Self, Failure> {
        add_article(&database, "bench")?;
        add_article(&database, "thread")?;
        add_administrator(&database)?;
        run(&database, &["site", "set", "main", "--policy", "publish_first"])?;
        let server = Running::serve(&database)?;
        write_thread(&server.base)?;
        run(&database, &["site", "set", "main", "--policy", "hold_all"])?;
        Ok(Self { dir, database, server })
    }
}

/// Runs one of the program's commands on a database.
pub fn run(database: &str, arguments: &[&str]) -> Result<(), Failure> {
    let status = Command::new(PROGRAM).args(["--database-url", database]).args(arguments).status()?;
    if status.success() { Ok(()) } else { Err(format!("{arguments:?}: {status}").into()) }
}

pub fn add_article(database: &str, key: &str) -> Result<(), Failure> {
    let url = format!("https://news.example/{key}");
    run(database, &["article", "add", "--site", "main", "--key", key, "--title", key, "--url", &url])
}

/// Adds the administrator `ines`.
pub fn add_administrator(database: &str) -> Result<(), Failure> {
    let mut add = Command::new(PROGRAM)
        .args(["--database-url", database, "moderator", "add", "ines", "--role", "admin", "--password-stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()?;
    add.stdin.take().ok_or("no standard input")?.write_all(PASSWORD.as_bytes())?;
    if add.wait()?.success() { Ok(()) } else { Err("the moderator was not added".into()) }
}

/// Waits for something asynchronous, from a thread that does nothing else.
pub fn wait_for<T>(work: impl Future<Output = T>) -> T {
    actix_web::rt::System::new().block_on(work)
}

pub fn get(url: &str) -> Result<Vec<u8>, Failure> {
    Ok(wait_for(async { reqwest::get(url).await?.bytes().await })?.to_vec())
}

/// Forty roots with four replies each.
pub fn write_thread(base: &str) -> Result<(), Failure> {
    let url = format!("{base}/api/v1/sites/main/articles/thread/comments");
    wait_for(async {
        let client = reqwest::Client::new();
        for root in 0..40 {
            let mut parent = None;
            for reply in 0..5 {
                let text = format!(
                    "Comment {root}.{reply}: the engine weaves *algebraic patterns* just as the loom weaves flowers and leaves."
                );
                let body = json!({
                    "name": format!("Reader {root}"), "email": "reader@example.org", "comment": text, "parent_id": parent,
                });
                let answer = client.post(&url).json(&body).send().await?.error_for_status()?;
                let posted: Value = answer.json().await?;
                parent = if reply == 0 { posted["id"].as_i64() } else { parent };
            }
        }
        Ok(())
    })
}

/// Writes the script by which `wrk` posts comments to [`COMMENTS`].
pub fn write_posts(dir: &Path) -> Result<PathBuf, Failure> {
    let script = dir.join("posts.lua");
    std::fs::write(&script, POSTS)?;
    Ok(script)
}

/// What `wrk` measured.
pub struct Measured {
    /// Requests answered with 2xx.
    pub per_second: f64,
    pub median_us: f64,
}

/// Runs `wrk` for five seconds.
pub fn wrk(base: &str, path: &str, clients: &str, script: Option<&Path>) -> Result<Measured, Failure> {
    let mut command = Command::new("wrk");
    command.args(["--latency", "-t1", "-c", clients, "-d", "5"]);
    if let Some(script) = script {
        command.arg("-s").arg(script);
    }
    let output = command.arg(format!("{base}{path}")).output();
    let output = output.map_err(|error| format!("wrk cannot be started ({error}); install it"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if let Some(line) = text.lines().find(|line| line.contains("Non-2xx") || line.contains("Socket errors")) {
        return Err(format!("{path}: {line}").into());
    }
    let after = |name: &str| text.lines().find_map(|line| line.trim().strip_prefix(name)).ok_or("wrk said nothing");
    Ok(Measured { per_second: after("Requests/sec:")?.trim().parse()?, median_us: microseconds(after("50%")?.trim())? })
}

/// Reads a time as `wrk` writes it.
fn microseconds(text: &str) -> Result<f64, Failure> {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[number.len()..] {
        "us" => 1.0,
        "ms" => 1_000.0,
        "s" => 1_000_000.0,
        _ => return Err(format!("wrk's time {text}").into()),
    };
    Ok(number.parse::<f64>()? * unit)
}

/// A reader's request for [`THREAD`], as a browser sends it.
pub fn read_thread(_: u64) -> Vec<u8> {
    format!("GET {THREAD} HTTP/1.1\r\nHost: bench\r\nAccept-Encoding: gzip\r\n\r\n").into_bytes()
}

/// A comment of some 300 bytes on `article`, new for each `number`: the same text again would be refused.
pub fn post_comment(article: &str, number: impl std::fmt::Display) -> Vec<u8> {
    let body = format!(
        "name=Ada+Lovelace&email=ada%40example.org&comment=Number+{number}+of+a+reader+who+has+something+to+say.+The+engine\
         +weaves+%2Aalgebraic+patterns%2A+just+as+the+loom+weaves+flowers+and+leaves%2C+and+whoever+reads+this+far+knows\
         +about+how+long+a+usual+comment+is.%0A%0AIt+has+a+second+paragraph+too%2C+with+a+little+more."
    );
    let head = format!(
        "POST /api/v1/sites/main/articles/{article}/comments HTTP/1.1\r\nHost: bench\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    (head + &body).into_bytes()
}

/// A request with a JSON body.
pub fn json_request(method: &str, path: &str, more: &str, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    let length = body.len();
    format!("{method} {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n{more}Content-Length: {length}\r\n\r\n{body}")
        .into_bytes()
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
