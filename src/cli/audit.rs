//! The audit log, from the shell.

use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};

use crate::app::App;
use crate::audit::{self, Actor, ChainHash, Verified};

use super::{Failure, say::say};

#[derive(Subcommand)]
pub enum Verb {
    /// Read the whole log and name every entry that was changed, removed or inserted; ends with 1 when there is one
    Verify {
        /// A head that was printed before: the end of the log since then must be there too
        #[arg(long, value_name = "HASH", value_parser = parse_hash)]
        head: Option<ChainHash>,
    },
    /// Write the log as JSON lines, with its hashes
    Export {
        /// A file that is not there yet, or - for standard output
        file: PathBuf,
    },
}

pub async fn run(app: &App, verb: Verb) -> Result<(), Failure> {
    match verb {
        Verb::Verify { head } => verify(app, head).await,
        Verb::Export { file } => export(app, &file).await,
    }
}

async fn verify(app: &App, head: Option<ChainHash>) -> Result<(), Failure> {
    let began = Instant::now();
    // Hidden by itself when standard error is no terminal.
    let bar = ProgressBar::new(audit::count_entries(app).await?);
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos} of {len} entries, {per_sec}, {eta} left")?);
    let found = audit::verify(app, head, |read| bar.set_position(read)).await?;
    bar.finish_and_clear();
    tell(&found);
    say(format_args!("read in {:.2} s", began.elapsed().as_secs_f64()));
    if found.is_whole() { Ok(()) } else { Err("the audit log is not as it was sealed".into()) }
}

fn tell(found: &Verified) {
    for flaw in &found.flaws {
        say(flaw);
    }
    if found.unnamed_flaws > 0 {
        say(format_args!("and {} more", found.unnamed_flaws));
    }
    say(format_args!(
        "{} entries; {} with what was personal erased; {} not sealed yet",
        found.sealed, found.erased, found.unsealed
    ));
    match &found.head {
        Some((seq, hash)) => say(format_args!("head: {hash} (entry {seq})")),
        None => say("head: none"),
    }
}

async fn export(app: &App, file: &Path) -> Result<(), Failure> {
    let mut out: Box<dyn Write> = if file.as_os_str() == "-" {
        Box::new(BufWriter::new(std::io::stdout()))
    } else {
        // It holds addresses and names: nobody else may read it, and nothing is written over.
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
        Box::new(BufWriter::new(file.map_err(|error| format!("the file cannot be made: {error}"))?))
    };
    audit::export(app, Actor::NOBODY, |line| writeln!(out, "{line}")).await?;
    Ok(out.flush()?)
}

fn parse_hash(text: &str) -> Result<ChainHash, String> {
    ChainHash::parse(text).ok_or_else(|| "must be the 64 hexadecimal digits that were printed as head".to_owned())
}
