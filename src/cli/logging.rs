//! Log lines: to standard error, for people or as JSON. Control characters are escaped by the formatter; emails,
//! passwords and tokens are never given to it.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

use crate::config::{LogFormat, Settings};

/// Begins to log. The filter was checked when the settings were.
pub fn start(settings: &Settings) {
    let filter = EnvFilter::new(&settings.log);
    // Whoever reads standard error may go away; the lines are lost then, and nothing else.
    let lines = fmt().with_env_filter(filter).with_writer(std::io::stderr).log_internal_errors(false);
    // An error means that logging has begun already, which is what is wanted.
    let _ = match settings.log_format {
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).try_init(),
    };
}
