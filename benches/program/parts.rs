//! A bench of several parts, of which some may be named on the command line.

use super::Failure;

/// A part: its name, and what it measures and prints.
pub type Part = (&'static str, fn() -> Result<(), Failure>);

/// Runs the parts that are named, or all of them.
pub fn run(parts: &[Part]) -> Result<(), Failure> {
    // Cargo adds an option of its own.
    let asked: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    if let Some(unknown) = asked.iter().find(|name| parts.iter().all(|(part, _)| part != name)) {
        let names: Vec<&str> = parts.iter().map(|(name, _)| *name).collect();
        return Err(format!("{unknown}: the parts are {names:?}").into());
    }
    for (name, measure) in parts {
        if asked.is_empty() || asked.iter().any(|asked| asked == name) {
            println!("\n== {name}");
            measure()?;
        }
    }
    Ok(())
}
