//! Floor 6: the commands. Each is one file; what they do is a story of a feature, called here with words from a shell.
//!
//! A command that fails says one sentence on standard error and ends with status 1; a wrong flag ends with 2.

mod article;
mod audit;
mod demo;
mod generate;
mod keys;
mod logging;
mod moderator;
mod say;
mod screening;
mod seed;
mod serve;
mod site;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::app::App;
use crate::config::{Given, PublicUrl, Settings, unknown_variables};
use crate::kit::clock::Clock;
use crate::store::{Store, migrate};

use say::say;

/// Why a command failed, in a sentence.
type Failure = Box<dyn std::error::Error>;

/// Comment moderation: readers reply, moderators decide, the article shows what was approved.
#[derive(Parser)]
#[command(
    name = "rejoinder",
    version,
    after_help = "Every setting is also a variable REJOINDER_… and a key of rejoinder.toml; a flag beats a variable beats the file."
)]
struct Command {
    #[command(flatten)]
    given: Given,
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand)]
enum Verb {
    /// Migrate, then serve (what happens when no command is given)
    Serve,
    /// A working site in one command: fresh demo data, a moderator, a server
    Demo,
    /// Bring the database's schema up to date
    Migrate,
    /// Put demo data in, through the product's own stories
    Seed {
        /// A folder with site.toml and one file for each article
        dir: PathBuf,
    },
    /// Made-up comments in any number, for benches
    Generate(generate::Generate),
    /// Show the settings it would run with, secrets hidden
    Check,
    /// People
    #[command(subcommand)]
    Moderator(moderator::Verb),
    /// Sites
    #[command(subcommand)]
    Site(site::Verb),
    /// Articles
    #[command(subcommand)]
    Article(article::Verb),
    /// The keys that access tokens are signed with
    #[command(subcommand)]
    Keys(keys::Verb),
    /// The audit log
    #[command(subcommand)]
    Audit(audit::Verb),
    /// The filter
    #[command(subcommand)]
    Screening(screening::Verb),
}

/// Runs the command that the shell gave.
pub fn run() -> ExitCode {
    let command = Command::parse();
    match actix_web::rt::System::new().block_on(execute(command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "rejoinder: {failure}");
            ExitCode::FAILURE
        }
    }
}

async fn execute(command: Command) -> Result<(), Failure> {
    let given = command.given.with_file()?;
    let has_own_database = given.database_url.is_some();
    let settings = Settings::try_from(given)?;
    let is_stopping = logging::start(&settings);
    for name in unknown_variables() {
        tracing::warn!(name, "this variable is no setting");
    }
    match command.verb.unwrap_or(Verb::Serve) {
        Verb::Serve => serve::serve(settings, is_stopping).await,
        Verb::Demo => demo::demo(settings, has_own_database, is_stopping).await,
        Verb::Migrate => {
            let ran = migrate(&settings.database)?;
            say(if ran.is_empty() { "up to date".to_owned() } else { format!("ran {}", ran.join(", ")) });
            Ok(())
        }
        Verb::Seed { dir } => seed::seed_folder(settings, &dir).await,
        Verb::Generate(asked) => generate::run(&open(settings, Clock::system()).await?, asked).await,
        Verb::Screening(verb) => screening::run(verb),
        Verb::Check => {
            say(settings);
            Ok(())
        }
        Verb::Moderator(verb) => moderator::run(&open(settings, Clock::system()).await?, verb).await,
        Verb::Site(verb) => site::run(&open(settings, Clock::system()).await?, verb).await,
        Verb::Keys(verb) => keys::run(&open(settings, Clock::system()).await?, verb).await,
        Verb::Audit(verb) => audit::run(&open(settings, Clock::system()).await?, verb).await,
        Verb::Article(verb) => article::run(&open(settings, Clock::system()).await?, verb).await,
    }
}

/// The handle for a command that serves nobody.
async fn open(settings: Settings, clock: Clock) -> Result<App, Failure> {
    migrate(&settings.database)?;
    let store = Store::open(&settings.database)?;
    let public_url = settings.public_url.clone().unwrap_or_else(|| PublicUrl::of_address(settings.listen));
    Ok(App::new(settings, public_url, store, clock).await?)
}
