//! The program itself, run in a folder of its own with no settings but those a test gives.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// The program, about to be run in `dir`.
pub fn rejoinder(dir: &Path) -> Program {
    program(dir, Command::new(env!("CARGO_BIN_EXE_rejoinder")))
}

/// The program in a shell that says first what it may use, such as `ulimit -n 320`.
pub fn rejoinder_after(dir: &Path, limit: &str) -> Program {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{limit} && exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_rejoinder")]);
    program(dir, shell)
}

fn program(dir: &Path, mut command: Command) -> Program {
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("REJOINDER_")) {
        command.env_remove(name);
    }
    command.current_dir(dir).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Program { command, input: String::new() }
}

pub struct Program {
    command: Command,
    input: String,
}

/// What a run that ended said.
#[derive(Debug)]
pub struct Run {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Program {
    pub fn arg(mut self, arg: &str) -> Self {
        self.command.arg(arg);
        self
    }

    /// Arguments as a shell would split them, without quoting.
    pub fn args(mut self, args: &str) -> Self {
        self.command.args(args.split_whitespace());
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// What it reads from standard input.
    pub fn input(mut self, text: &str) -> Self {
        text.clone_into(&mut self.input);
        self.command.stdin(Stdio::piped());
        self
    }

    /// Runs it to its end.
    pub fn run(mut self) -> Run {
        let mut child = self.command.spawn().expect("the program starts");
        if let Some(mut stdin) = child.stdin.take() {
            // It may have ended without reading.
            let _ = stdin.write_all(self.input.as_bytes());
        }
        let output = child.wait_with_output().expect("the program ends");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        Run { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Runs it well.
    #[track_caller]
    pub fn run_well(self) -> String {
        let run = self.run();
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        run.stdout
    }

    /// Starts it for a test that looks only at what it leaves behind.
    pub fn start_unwatched(mut self) -> Child {
        self.command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts")
    }

    /// Starts it as a server on a free port and waits until it listens.
    pub fn serve(mut self) -> Serving {
        self.command.env("REJOINDER_LISTEN", "127.0.0.1:0");
        let mut child = self.command.spawn().expect("the program starts");
        let stderr = Arc::new(Mutex::new(String::new()));
        let (mut pipe, log) = (child.stderr.take().expect("standard error"), Arc::clone(&stderr));
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = pipe.read(&mut buffer) {
                log.lock().expect("the log").push_str(&String::from_utf8_lossy(&buffer[..count]));
            }
        });
        let mut lines = BufReader::new(child.stdout.take().expect("standard output")).lines();
        let mut said = Vec::new();
        let base = loop {
            let Some(Ok(line)) = lines.next() else {
                panic!("it ended before it listened: {said:?} {}", stderr.lock().expect("the log"));
            };
            said.push(line.clone());
            if let Some(address) = line.strip_prefix("listening on ") {
                break address.to_owned();
            }
        };
        let lines: Box<dyn Iterator<Item = String> + Send> = Box::new(lines.map_while(Result::ok));
        Serving { child, base, said, lines, stderr }
    }
}

/// A server in a process of its own; killed when it is dropped.
pub struct Serving {
    child: Child,
    /// `http://127.0.0.1:…`
    pub base: String,
    /// The lines up to the one that said so.
    pub said: Vec<String>,
    lines: Box<dyn Iterator<Item = String> + Send>,
    stderr: Arc<Mutex<String>>,
}

impl Serving {
    /// The next `count` lines of standard output, by what stands before their colon.
    pub fn next_lines(&mut self, count: usize) -> BTreeMap<String, String> {
        let pair = |line: String| {
            let (name, value) = line.split_once(": ").unwrap_or_else(|| panic!("a name and a value, not {line:?}"));
            (name.to_owned(), value.to_owned())
        };
        self.lines.by_ref().take(count).map(pair).collect()
    }

    /// What is left of standard output once it has ended.
    pub fn rest(&mut self) -> Vec<String> {
        self.lines.by_ref().collect()
    }

    pub fn stderr(&self) -> String {
        self.stderr.lock().expect("the log").clone()
    }

    pub fn address(&self) -> String {
        self.base.trim_start_matches("http://").to_owned()
    }

    /// The memory it has, in KiB.
    pub fn memory_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("a process");
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a size");
        resident.trim().trim_end_matches(" kB").parse().expect("a number")
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        self.signal("-TERM");
    }

    /// Sends SIGINT, as Ctrl-C does.
    pub fn interrupt(&self) {
        self.signal("-INT");
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status().expect("kill");
        assert!(sent.success());
    }

    /// Waits until it has ended, at most `limit`; gives its exit code and how long that took.
    pub fn wait(&mut self, limit: Duration) -> (Option<i32>, Duration) {
        let since = Instant::now();
        while since.elapsed() < limit {
            if let Some(status) = self.child.try_wait().expect("a status") {
                return (status.code(), since.elapsed());
            }
            std::thread::sleep(Duration::from_millis(10)); // looks again, up to the limit
        }
        panic!("it still runs after {limit:?}");
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
