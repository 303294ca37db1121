//! The release binary, started on a free port with a database of its own.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

pub type Failure = Box<dyn std::error::Error>;

/// The binary under measurement.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_rejoinder");

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
        command.args(["--database-url", database, "--listen", "127.0.0.1:0", "--limits", "off", "--log", "warn"]);
        Self::start(command)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
