//! The keys that access tokens are signed with, from the shell.

use clap::Subcommand;

use crate::accounts;
use crate::app::App;
use crate::audit::Actor;

use super::{Failure, say::say};

#[derive(Subcommand)]
pub enum Verb {
    /// Sign access tokens with a new key from now on. Nobody is signed out: what the old one signed is good until it expires
    Rotate,
}

pub async fn run(app: &App, verb: Verb) -> Result<(), Failure> {
    match verb {
        Verb::Rotate => {
            say(accounts::rotate_signing_key(app, Actor::NOBODY).await?);
            Ok(())
        }
    }
}
