//! The filter, measured from the shell on comments whose labels are known. No database is opened.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};

use crate::screening::counts::Label;
use crate::screening::evaluation::{Evaluation, Figures, Predicted, Report};
use crate::screening::filter::Stages;

use super::{Failure, say::say};

/// The share of good comments that the filter may put away by mistake, as a site has it that sets nothing.
const BUDGET: f64 = 0.01;

#[derive(Subcommand)]
pub enum Verb {
    /// Run the filter over labelled comments, each predicted before it is learned, in the order of the file
    Evaluate(Evaluate),
}

#[derive(Args)]
pub struct Evaluate {
    /// A CSV file whose first line names its columns, among them text and label (spam or ham)
    file: PathBuf,
    /// Another such file, learned first
    #[arg(long, value_name = "FILE")]
    train: Option<PathBuf>,
    /// Learn nothing from FILE
    #[arg(long)]
    frozen: bool,
    /// Write each comment's score (log-odds, above 0 means spam) and label as CSV
    #[arg(long, value_name = "OUT")]
    scores: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn run(verb: Verb) -> Result<(), Failure> {
    let Verb::Evaluate(asked) = verb;
    let mut evaluation = Evaluation::new(Stages::Both, BUDGET);
    if let Some(train) = &asked.train {
        read(train, "learned", |text, label| evaluation.train(text, label))?;
    }
    if asked.frozen {
        evaluation.freeze();
    }
    read(&asked.file, "predicted", |text, label| evaluation.take(text, label))?;
    if let Some(out) = &asked.scores {
        write_scores(out, evaluation.predicted())
            .map_err(|error| format!("{} cannot be written: {error}", out.display()))?;
    }
    let report = evaluation.report();
    if asked.json {
        say(serde_json::to_string_pretty(&report)?);
    } else {
        tell(&report);
    }
    Ok(())
}

/// Reads a file of labelled comments.
fn read(path: &Path, done: &str, mut each: impl FnMut(&str, Label)) -> Result<(), Failure> {
    let named = |error: csv::Error| wrong(path, &error);
    let file = File::open(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    // Hidden by itself when standard error is no terminal.
    let bar = ProgressBar::new(file.metadata().map_or(0, |metadata| metadata.len()));
    bar.set_style(ProgressStyle::with_template(&format!("{{bar:40}} {{percent}} % {done}, {{eta}} left"))?);
    // A byte-order mark before the names is skipped by the reader.
    let mut reader = csv::ReaderBuilder::new().from_reader(bar.wrap_read(file));
    let names = reader.headers().map_err(named)?.clone();
    let column = |wanted: &str| {
        let is_wanted = |name: &str| name.trim().eq_ignore_ascii_case(wanted);
        names.iter().position(is_wanted).ok_or_else(|| {
            let there = names.iter().collect::<Vec<_>>().join(", ");
            format!(
                "{} has no column {wanted}: its first line must name text and label, and names {there:?}",
                path.display()
            )
        })
    };
    let (text, label) = (column("text")?, column("label")?);
    let mut count = 0_u64;
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(named)? {
        let word = record.get(label).unwrap_or_default().trim();
        let label = match word.to_ascii_lowercase().as_str() {
            "spam" => Label::Spam,
            "ham" => Label::Good,
            _ => {
                let line = record.position().map_or(0, csv::Position::line);
                return Err(format!("{}, line {line}: the label is {word:?}, not spam or ham", path.display()).into());
            }
        };
        each(record.get(text).unwrap_or_default(), label);
        count += 1;
    }
    bar.finish_and_clear();
    if count == 0 { Err(format!("{} has no comments after its first line", path.display()).into()) } else { Ok(()) }
}

/// What is wrong with a file, in a sentence.
fn wrong(path: &Path, error: &csv::Error) -> Failure {
    let line = error.position().map_or(String::new(), |position| format!(", line {}", position.line()));
    let what = match error.kind() {
        csv::ErrorKind::Io(error) => format!("cannot be read: {error}"),
        csv::ErrorKind::Utf8 { .. } => "is not UTF-8".to_owned(),
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("has {len} cells where the first line names {expected_len}")
        }
        _ => error.to_string(),
    };
    format!("{}{line}: {what}", path.display()).into()
}

fn write_scores(path: &Path, predicted: &[Predicted]) -> std::io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    writeln!(out, "score,label")?;
    for Predicted { score, label, .. } in predicted {
        writeln!(out, "{score},{}", if *label == Label::Spam { "spam" } else { "ham" })?;
    }
    out.flush()
}

fn tell(report: &Report) {
    say(format_args!("{} comments: {} spam, {} good", report.comments, report.spam, report.good));
    for at in &report.cumulative_error {
        say(format_args!("error in the first {:>6}: {:.3}", at.decisions, at.error));
    }
    for figures in &report.figures {
        tell_figures(figures);
    }
}

fn tell_figures(figures: &Figures) {
    let number = |value: Option<f64>| value.map_or_else(|| "none".to_owned(), |value| format!("{value:.4}"));
    let which = match figures.after {
        0 => format!("all {} comments", figures.comments),
        after => format!("the {} comments after {after} decisions", figures.comments),
    };
    say(format_args!("\n{which}"));
    say(format_args!("  AUC                               {}", number(figures.auc)));
    say(format_args!("  accuracy                          {:.4}", figures.accuracy));
    say(format_args!("  precision                         {}", number(figures.precision)));
    say(format_args!("  recall                            {}", number(figures.recall)));
    say(format_args!("  recall at 1 % false positives     {}", number(figures.recall_at_1_percent)));
    say(format_args!("  recall at 0.1 % false positives   {}", number(figures.recall_at_0_1_percent)));
    say(format_args!("  left to people                    {:.4}", figures.left_to_people));
    say(format_args!("  good comments put away by itself  {}", number(figures.false_positives)));
    say(format_args!("  spam published by itself          {}", number(figures.leak)));
}
