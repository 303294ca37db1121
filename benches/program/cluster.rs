//! A PostgreSQL server of our own, to be restarted, killed and followed by another: nobody else's is touched.
//!
//! It runs as whoever runs the bench; PostgreSQL refuses the superuser, for whom it runs as `postgres`.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Failure;

/// A server on loopback with a folder of its own, gone when this is dropped.
pub struct Cluster {
    dir: PathBuf,
    programs: PathBuf,
    pub port: u16,
}

impl Cluster {
    /// Makes one and starts it.
    pub fn start(dir: &Path) -> Result<Self, Failure> {
        let cluster = Self::at(dir)?;
        cluster.run("initdb", &["-D", &cluster.data(), "-U", "postgres", "-A", "trust", "--no-instructions"])?;
        cluster.set("max_connections = 200")?;
        cluster.up()?;
        Ok(cluster)
    }

    /// Makes a copy of `primary` that follows it, and starts it.
    pub fn follow(dir: &Path, primary: &Self) -> Result<Self, Failure> {
        let cluster = Self::at(dir)?;
        let port = primary.port.to_string();
        let from = ["-h", "127.0.0.1", "-p", &port, "-U", "postgres", "-D", &cluster.data(), "-R", "-c", "fast"];
        cluster.run("pg_basebackup", &from)?;
        cluster.up()?;
        Ok(cluster)
    }

    fn at(dir: &Path) -> Result<Self, Failure> {
        let _ = std::fs::remove_dir_all(dir);
        std::fs::create_dir_all(dir)?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        if let Some((user, group)) = whom_it_runs_as()? {
            std::os::unix::fs::chown(dir, Some(user), Some(group))?;
        }
        Ok(Self { dir: dir.to_owned(), programs: find_programs()?, port })
    }

    fn data(&self) -> String {
        self.dir.join("data").display().to_string()
    }

    /// Starts it and waits until it takes connections.
    pub fn up(&self) -> Result<(), Failure> {
        let dir = self.dir.display();
        let options = format!("-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories={dir}", self.port);
        let log = self.dir.join("log").display().to_string();
        self.run("pg_ctl", &["-D", &self.data(), "-l", &log, "-o", &options, "-w", "start"])
    }

    /// Stops it as a crash would.
    pub fn down(&self) -> Result<(), Failure> {
        self.run("pg_ctl", &["-D", &self.data(), "-m", "immediate", "-w", "stop"])
    }

    /// Kills it and all its processes with signal 9.
    pub fn kill(&self) -> Result<(), Failure> {
        let pid = std::fs::read_to_string(self.dir.join("data/postmaster.pid"))?;
        let pid = pid.lines().next().ok_or("no process")?.to_owned();
        let _ = Command::new("pkill").args(["-9", "-P", &pid]).status()?;
        let _ = Command::new("kill").args(["-9", &pid]).status()?;
        Ok(())
    }

    pub fn promote(&self) -> Result<(), Failure> {
        self.run("pg_ctl", &["-D", &self.data(), "-w", "promote"])
    }

    /// Adds a line to its settings, for its next start.
    fn set(&self, line: &str) -> Result<(), Failure> {
        let path = self.dir.join("data/postgresql.conf");
        let settings = std::fs::read_to_string(&path)?;
        std::fs::write(&path, format!("{settings}\n{line}\n"))?;
        Ok(())
    }

    /// Runs a statement.
    pub fn execute(&self, sql: &str) -> Result<(), Failure> {
        let (port, program) = (self.port.to_string(), self.programs.join("psql"));
        let mut psql = Command::new(program);
        psql.args(["-h", "127.0.0.1", "-p", &port, "-U", "postgres", "-v", "ON_ERROR_STOP=1", "-qc", sql]);
        finish("psql", psql)
    }

    /// Where it is for the program.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Runs `pgbench` with so many clients for five seconds, on a script; transactions per second.
    pub fn pgbench(&self, clients: u32, script: &Path) -> Result<f64, Failure> {
        let (clients, port) = (clients.to_string(), self.port.to_string());
        let output = Command::new(self.programs.join("pgbench"))
            .args(["-h", "127.0.0.1", "-p", &port, "-U", "postgres", "-n", "-c", &clients, "-j", "2", "-T", "5", "-f"])
            .args([script.as_os_str(), "postgres".as_ref()])
            .output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let line = text.lines().find_map(|line| line.strip_prefix("tps = ")).ok_or("pgbench said nothing")?;
        Ok(line.split(' ').next().unwrap_or_default().parse()?)
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Result<(), Failure> {
        let path = self.programs.join(program);
        let mut command = if whom_it_runs_as()?.is_some() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(path);
            command
        } else {
            Command::new(path)
        };
        command.args(arguments).current_dir(&self.dir);
        finish(program, command)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = self.down();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

fn finish(program: &str, mut command: Command) -> Result<(), Failure> {
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    let status = status.map_err(|error| format!("{program} cannot be started ({error}); install PostgreSQL"))?;
    if status.success() { Ok(()) } else { Err(format!("{program}: {status}").into()) }
}

/// User and group, when it is not the one who runs this.
fn whom_it_runs_as() -> Result<Option<(u32, u32)>, Failure> {
    let number = |arguments: &[&str]| -> Result<u32, Failure> {
        let output = Command::new("id").args(arguments).output()?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().parse()?)
    };
    if number(&["-u"])? != 0 {
        return Ok(None);
    }
    Ok(Some((number(&["-u", "postgres"])?, number(&["-g", "postgres"])?)))
}

/// The newest that Debian's packages have installed, else what is on the path.
fn find_programs() -> Result<PathBuf, Failure> {
    let mut found: Vec<(u32, PathBuf)> = Vec::new();
    for version in std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten() {
        let version = version?;
        if let Ok(number) = version.file_name().to_string_lossy().parse() {
            found.push((number, version.path().join("bin")));
        }
    }
    Ok(found.into_iter().max().map(|(_, path)| path).unwrap_or_default())
}
