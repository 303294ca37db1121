//! Log lines: to standard error, for people or as JSON. Control characters are escaped by the formatter; emails,
//! passwords and tokens are never given to it.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tracing_subscriber::filter::dynamic_filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

use crate::config::{LogFormat, Settings};

/// Begins to log. The filter was checked when the settings were. When what is returned is set, the server is about to
/// stop, and that its listener is closed is no error any more.
pub fn start(settings: &Settings) -> Arc<AtomicBool> {
    let is_stopping = Arc::new(AtomicBool::new(false));
    let stopping = Arc::clone(&is_stopping);
    let is_news = dynamic_filter_fn(move |metadata, _| {
        metadata.target() != "actix_server::accept" || !stopping.load(Ordering::Relaxed)
    });
    // Whoever reads standard error may go away; the lines are lost then, and nothing else.
    let lines = fmt::layer().with_writer(std::io::stderr).log_internal_errors(false);
    let lines = match settings.log_format {
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).boxed(),
    };
    // An error means that logging has begun already, which is what is wanted.
    let _ =
        tracing_subscriber::registry().with(EnvFilter::new(&settings.log)).with(lines.with_filter(is_news)).try_init();
    is_stopping
}
