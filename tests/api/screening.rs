//! The filter: measured from the shell, and on real comments when there are some. `cargo bench --bench filter` has the
//! whole of what is promised; here is as much of it as a test may take time for.

use std::io::Write;
use std::path::PathBuf;

use rejoinder::screening::counts::Label;
use rejoinder::screening::evaluation::Evaluation;
use rejoinder::screening::filter::Stages;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::process::{Run, rejoinder};

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

mod evaluate {
    use super::*;

    /// Runs `screening evaluate` on a file that holds this.
    fn evaluate(dir: &TempDir, csv: &[u8], flags: &str) -> Run {
        std::fs::write(dir.path().join("comments.csv"), csv).expect("a file");
        rejoinder(dir.path()).args("screening evaluate comments.csv").args(flags).run()
    }

    fn comments(count: usize) -> String {
        let two = |number| {
            format!(
                "{number},spam,\"Subscribe, please!\nchannel {number}\"\n{number}, Ham ,The gate stood open {number}\n"
            )
        };
        "id,Label,text\n".to_owned() + &(0..count).map(two).collect::<String>()
    }

    #[test]
    fn every_comment_is_predicted_before_it_is_learned() {
        let dir = folder();
        let run = evaluate(&dir, comments(60).as_bytes(), "--json --scores scores.csv");
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let report: Value = serde_json::from_str(&run.stdout).expect("JSON");
        assert_eq!((report["comments"].as_u64(), report["spam"].as_u64()), (Some(120), Some(60)));
        let marks: Vec<_> =
            report["cumulative_error"].as_array().expect("a list").iter().map(|at| &at["decisions"]).collect();
        assert_eq!(marks, [50, 100, 120]);
        assert!(report["figures"][0]["auc"].as_f64() > Some(0.9), "{report}");
        assert!(report["figures"][0]["left_to_people"].as_f64() > Some(0.8), "{report}");
        let scores = std::fs::read_to_string(dir.path().join("scores.csv")).expect("scores");
        let lines: Vec<&str> = scores.lines().collect();
        assert_eq!((lines[0], lines.len()), ("score,label", 121));
        // Of the first, nothing was known.
        assert_eq!(lines[1], "0,spam");
        assert!(lines[120].ends_with(",ham") && lines[120].starts_with('-'), "{}", lines[120]);
    }

    #[test]
    fn a_frozen_filter_knows_only_what_it_was_trained_on() {
        let dir = folder();
        std::fs::write(dir.path().join("train.csv"), comments(60)).expect("a file");
        let again = |flags| evaluate(&dir, comments(3).as_bytes(), flags);
        assert!(again("--frozen --scores scores.csv").code == Some(0));
        let scores = std::fs::read_to_string(dir.path().join("scores.csv")).expect("scores");
        assert!(scores.lines().skip(1).all(|line| line.starts_with("0,")), "{scores}");
        let run = again("--train train.csv --frozen");
        assert!(run.stdout.contains("accuracy                          1.0000"), "{}", run.stdout);
        assert!(run.stderr.is_empty(), "{}", run.stderr);
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said_in_a_sentence() {
        let dir = folder();
        for (csv, said) in [
            (&b"text,label\na,spam\nb,eggs\n"[..], "comments.csv, line 3: the label is \"eggs\", not spam or ham"),
            (b"text,class\na,spam\n", "comments.csv has no column label"),
            (b"", "comments.csv has no column text"),
            (b"text,label\n", "comments.csv has no comments after its first line"),
            (b"text,label\na,spam\nb\n", "comments.csv, line 3: has 1 cells where the first line names 2"),
            (b"text,label\n\xff,spam\n", "comments.csv, line 2: is not UTF-8"),
        ] {
            let run = evaluate(&dir, csv, "");
            assert_eq!(run.code, Some(1), "{said}: {}", run.stdout);
            assert!(run.stderr.starts_with(&format!("rejoinder: {said}")), "{said}: {}", run.stderr);
        }
        let run = rejoinder(dir.path()).args("screening evaluate nowhere.csv").run();
        assert_eq!(run.code, Some(1));
        assert!(run.stderr.contains("nowhere.csv cannot be read"), "{}", run.stderr);
    }
}

mod on_real_comments {
    use super::*;

    const VIDEOS: [&str; 5] = ["yt01-Psy", "yt02-KatyPerry", "yt03-LMFAO", "yt04-Eminem", "yt05-Shakira"];

    /// The comments under each of five videos, when there are any.
    fn videos() -> Option<Vec<Vec<(String, Label)>>> {
        let Some(dir) = std::env::var_os("TEST_DATA_DIR").filter(|dir| !dir.is_empty()) else {
            let warning = b"\n*** FILTER NOT MEASURED: set TEST_DATA_DIR to the folder that has youtube-spam ***\n\n";
            // Not captured by the test runner, unlike what a macro prints.
            assert!(std::io::stderr().write_all(warning).is_ok());
            return None;
        };
        let read = |video: &str| {
            let path = PathBuf::from(&dir).join(format!("youtube-spam/{video}.csv"));
            let mut reader =
                csv::Reader::from_path(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let rows = reader.records().map(|row| row.expect("a row"));
            rows.map(|row| (row[3].to_owned(), if &row[4] == "1" { Label::Spam } else { Label::Good })).collect()
        };
        Some(VIDEOS.map(read).into())
    }

    /// Learns three hundred comments of each other video and predicts those of the last.
    fn figures_of_the_last(videos: &[Vec<(String, Label)>], stages: Stages) -> (f64, f64) {
        let mut evaluation = Evaluation::new(stages, 0.01);
        for video in &videos[..4] {
            video.iter().take(300).for_each(|(text, label)| evaluation.train(text, *label));
        }
        evaluation.freeze();
        videos[4].iter().for_each(|(text, label)| evaluation.take(text, *label));
        let figures = &evaluation.report().figures[0];
        (figures.auc.expect("both kinds"), figures.accuracy)
    }

    #[test]
    fn what_was_learned_under_four_videos_holds_under_a_fifth() {
        let Some(videos) = videos() else { return };
        let (auc, accuracy) = figures_of_the_last(&videos, Stages::Counts);
        assert!(auc >= 0.97 && accuracy >= 0.92, "counts alone: AUC {auc}, accuracy {accuracy}");
        let (auc, accuracy) = figures_of_the_last(&videos, Stages::Both);
        assert!(auc >= 0.98 && accuracy >= 0.94, "both: AUC {auc}, accuracy {accuracy}");
    }
}
