//! Saying something on standard output. Whoever reads it may go away, as `head` does; that is no reason to stop.

use std::io::Write;

/// Writes a line.
pub fn say(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
