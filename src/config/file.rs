//! The settings file, and variables that look like settings and are none.

use std::path::{Path, PathBuf};

use clap::Args;

use super::Given;

/// Read when no file is named and this one is there.
const USUAL_FILE: &str = "rejoinder.toml";

/// Why the settings file could not be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("the settings file {} cannot be read: {source}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("the settings file {} is wrong: {message}", path.display())]
    Wrong { path: PathBuf, message: String },
}

pub(super) fn read(named: Option<&Path>) -> Result<Given, FileError> {
    let path = match named {
        Some(path) => path,
        None if Path::new(USUAL_FILE).exists() => Path::new(USUAL_FILE),
        None => return Ok(Given::default()),
    };
    let text = std::fs::read_to_string(path).map_err(|source| FileError::Unreadable { path: path.into(), source })?;
    toml::from_str(&text).map_err(|error| FileError::Wrong { path: path.into(), message: error.to_string() })
}

/// Names of environment variables that begin with `REJOINDER_` and are no setting: most likely typed wrong.
pub fn unknown_variables() -> Vec<String> {
    let command = Given::augment_args(clap::Command::new("rejoinder"));
    let known: Vec<_> = command.get_arguments().filter_map(clap::Arg::get_env).collect();
    std::env::vars_os()
        .map(|(name, _)| name)
        .filter(|name| name.to_string_lossy().starts_with("REJOINDER_") && !known.contains(&name.as_os_str()))
        .map(|name| name.to_string_lossy().into_owned())
        .collect()
}
