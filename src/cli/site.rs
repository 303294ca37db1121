//! Sites, from the shell.

use clap::Subcommand;

use crate::app::App;
use crate::audit::Actor;
use crate::kit::key::Key;
use crate::screening::Policy;
use crate::sites::{AddSite, RequiredFields, SetSite, add_site, list_sites, set_site};

use super::moderator::parse_key;
use super::{Failure, say::say};

#[derive(Subcommand)]
pub enum Verb {
    /// Add a site
    Add {
        #[arg(value_parser = parse_key)]
        key: Key,
        #[arg(long)]
        name: String,
        /// An origin whose pages may post and read; may be given again
        #[arg(long = "origin", value_name = "ORIGIN")]
        origins: Vec<String>,
    },
    /// Change a site: what is given is set, the rest stays. A running server notices within two seconds
    Set {
        #[arg(value_parser = parse_key)]
        key: Key,
        #[arg(long)]
        name: Option<String>,
        /// BCP 47 tag of the language around comments
        #[arg(long)]
        language: Option<String>,
        /// An origin whose pages may post and read; may be given again, and replaces all there were
        #[arg(long = "origin", value_name = "ORIGIN")]
        origins: Option<Vec<String>>,
        /// `hold_all`, `trust_verified`, `screened` or `publish_first`
        #[arg(long, value_parser = parse_policy)]
        policy: Option<Policy>,
        /// Levels of replies, roots counted: 1 to 10
        #[arg(long)]
        max_depth: Option<u32>,
        /// What a reader must fill in beside the comment: name, email, name,email or nothing
        #[arg(long, value_name = "FIELDS", value_parser = parse_required)]
        required: Option<RequiredFields>,
    },
    /// List all sites
    List,
}

pub async fn run(app: &App, verb: Verb) -> Result<(), Failure> {
    match verb {
        Verb::Add { key, name, origins } => {
            add_site(app, Actor::NOBODY, AddSite { key, name, origins }).await?;
            Ok(())
        }
        Verb::Set { key, name, language, origins, policy, max_depth, required } => {
            set_site(app, Actor::NOBODY, &key, SetSite { name, language, origins, policy, required, max_depth })
                .await?;
            Ok(())
        }
        Verb::List => {
            for site in app.store.read(list_sites).await? {
                let (policy, depth) = (site.settings.policy.as_str(), site.settings.max_depth);
                say(format_args!(
                    "{}\t{}\t{policy}\tmax depth {depth}\t{}",
                    site.key,
                    site.name,
                    site.origins.join(" ")
                ));
            }
            Ok(())
        }
    }
}

fn parse_policy(text: &str) -> Result<Policy, String> {
    Policy::parse(text).ok_or_else(|| "must be hold_all, trust_verified, screened or publish_first".to_owned())
}

fn parse_required(text: &str) -> Result<RequiredFields, String> {
    match text {
        "name,email" | "email,name" => Ok(RequiredFields { name: true, email: true }),
        "name" => Ok(RequiredFields { name: true, email: false }),
        "email" => Ok(RequiredFields { name: false, email: true }),
        "nothing" => Ok(RequiredFields { name: false, email: false }),
        _ => Err("must be name, email, name,email or nothing".to_owned()),
    }
}
