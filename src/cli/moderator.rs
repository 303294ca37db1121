//! People, from the shell. Passwords come on standard input, so that they stand in no history and no process list.

use std::io::Read;

use clap::Subcommand;

use crate::accounts::{self, AddModerator, Role};
use crate::app::App;
use crate::audit::Actor;
use crate::kit::key::Key;
use crate::sites::find_site;

use super::{Failure, say::say};

#[derive(Subcommand)]
pub enum Verb {
    /// Add a moderator
    Add {
        name: String,
        /// admin, lead, moderator or reviewer-without-emails
        #[arg(long, value_parser = parse_role)]
        role: Role,
        /// A site they moderate; may be given again. An admin has all
        #[arg(long = "site", value_name = "KEY", value_parser = parse_key)]
        sites: Vec<Key>,
        /// Read the password from standard input
        #[arg(long, required = true)]
        password_stdin: bool,
    },
    /// List everyone
    List,
    /// Disable a moderator and sign them out everywhere
    Disable { name: String },
    /// Set a new password and sign them out everywhere
    ResetPassword {
        name: String,
        /// Read the password from standard input
        #[arg(long, required = true)]
        password_stdin: bool,
    },
    /// Remove the second factor of somebody who lost it and sign them out everywhere
    ResetTotp { name: String },
}

pub async fn run(app: &App, verb: Verb) -> Result<(), Failure> {
    match verb {
        Verb::Add { name, role, sites, password_stdin: _ } => add(app, name, role, sites).await,
        Verb::List => list(app).await,
        Verb::Disable { name } => Ok(accounts::disable_moderator(app, Actor::NOBODY, &name).await?),
        Verb::ResetPassword { name, password_stdin: _ } => {
            Ok(accounts::reset_password(app, Actor::NOBODY, &name, read_password()?).await?)
        }
        Verb::ResetTotp { name } => Ok(accounts::reset_totp(app, &name).await?),
    }
}

async fn add(app: &App, username: String, role: Role, keys: Vec<Key>) -> Result<(), Failure> {
    if !role.has_all_sites() && keys.is_empty() {
        return Err(format!("a {} needs at least one --site KEY; an admin has all", role.as_str()).into());
    }
    let mut sites = Vec::new();
    for key in keys {
        let asked = key.clone();
        let found = app.store.read(move |conn| find_site(conn, &asked)).await?;
        sites.push(found.ok_or_else(|| format!("there is no site {key}"))?.id);
    }
    let password = Some(read_password()?);
    let add = AddModerator { username, password, role, sites, display_name: None };
    accounts::add_moderator(app, Actor::NOBODY, add).await?;
    Ok(())
}

async fn list(app: &App) -> Result<(), Failure> {
    for person in accounts::list_moderators(app).await? {
        let state = if person.is_disabled { "disabled" } else { "enabled" };
        say(format_args!(
            "{}\t{}\t{state}\t{}\tsince {}",
            person.username, person.role, person.display_name, person.created_at
        ));
    }
    Ok(())
}

/// The whole of standard input, less the line end that `echo` adds.
fn read_password() -> Result<String, Failure> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).map_err(|error| format!("the password cannot be read: {error}"))?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
}

fn parse_role(text: &str) -> Result<Role, String> {
    Role::parse(text).ok_or_else(|| "must be admin, lead, moderator or reviewer-without-emails".to_owned())
}

pub fn parse_key(text: &str) -> Result<Key, String> {
    Key::parse(text).ok_or_else(|| "must have 1 to 200 of the characters A-Z a-z 0-9 . _ ~ -".to_owned())
}
