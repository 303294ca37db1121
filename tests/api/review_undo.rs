//! Whatever two moderators decide, one by one and many at once, and take back, in any order: an undo puts back exactly what
//! that decision changed, and leaves alone what was decided since. `src/review/undo.rs`, `src/review/chunk.rs`.
//!
//! A model says what each comment must be after each step. 24 sequences belong to the suite; `REJOINDER_TEST_UNDO=1000`
//! makes more.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use rejoinder::accounts::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::people::Person;
use crate::support::server::TestApp;
use crate::support::{Answer, form, on_each_database};

const COMMENTS: usize = 4;
const MOST_STEPS: usize = 14;

/// Something that the first or the second moderator does.
#[derive(Debug, Clone)]
enum Step {
    Decide {
        who: usize,
        comment: usize,
        decision: usize,
        reason: usize,
    },
    DecideMany {
        who: usize,
        comments: BTreeSet<usize>,
        decision: usize,
        reason: usize,
    },
    /// Takes back one of the decisions, batches and undos that were made.
    Undo {
        who: usize,
        made: prop::sample::Index,
    },
    /// Takes back one line of a comment's history, which may be of a batch or an undo.
    UndoLine {
        who: usize,
        comment: usize,
        line: prop::sample::Index,
    },
    Edit {
        who: usize,
        comment: usize,
    },
}

const DECISIONS: [(&str, &str); 5] =
    [("approve", "approved"), ("reject", "rejected"), ("spam", "spam"), ("hold", "pending"), ("trash", "trash")];
const REASONS: [Option<&str>; 3] = [None, Some("off-topic"), Some("hate")];

fn step() -> impl Strategy<Value = Step> {
    let (who, comment, decision, reason) = (0..2_usize, 0..COMMENTS, 0..DECISIONS.len(), 0..REASONS.len());
    let comments = prop::collection::btree_set(0..COMMENTS, 1..=COMMENTS);
    prop_oneof![
        4 => (who.clone(), comment.clone(), decision.clone(), reason.clone())
            .prop_map(|(who, comment, decision, reason)| Step::Decide { who, comment, decision, reason }),
        3 => (who.clone(), comments, decision, reason)
            .prop_map(|(who, comments, decision, reason)| Step::DecideMany { who, comments, decision, reason }),
        5 => (who.clone(), any::<prop::sample::Index>()).prop_map(|(who, made)| Step::Undo { who, made }),
        2 => (who.clone(), comment.clone(), any::<prop::sample::Index>())
            .prop_map(|(who, comment, line)| Step::UndoLine { who, comment, line }),
        1 => (who, comment).prop_map(|(who, comment)| Step::Edit { who, comment }),
    ]
}

/// A line of a comment's history, as it must be.
#[derive(Debug, Clone, PartialEq)]
struct Line {
    from: &'static str,
    to: &'static str,
    reason: Option<&'static str>,
    by: usize,
    version: i64,
}

/// What a comment must be.
#[derive(Debug, Clone)]
struct Model {
    id: i64,
    version: i64,
    status: &'static str,
    lines: Vec<Line>,
}

impl Model {
    fn decide(&mut self, by: usize, to: &'static str, reason: Option<&'static str>) -> i64 {
        self.version += 1;
        self.lines.push(Line { from: self.status, to, reason, by, version: self.version });
        self.status = to;
        self.version
    }

    /// Puts back what the decision that made this version changed, if it is still the last.
    fn take_back(&mut self, by: usize, version: i64) -> bool {
        let Some(last) = self.lines.last().filter(|last| last.version == version) else { return false };
        let before = self.lines.len().checked_sub(2).and_then(|at| self.lines[at].reason);
        self.decide(by, last.from, before);
        true
    }
}

/// A sequence being played.
struct Play<'a> {
    app: &'a TestApp,
    people: &'a [Person; 2],
    comments: Vec<Model>,
    made: Vec<Made>,
}

/// The id of what was made and by whom, with the comments that it changed and the versions that it made.
type Made = (i64, usize, Vec<(usize, i64)>);

impl Play<'_> {
    async fn send(&self, who: usize, method: Method, path: &str, version: Option<i64>, body: Value) -> Answer {
        let request = self.app.request_as(&self.people[who], method, &format!("/api/v1/review{path}"));
        let request =
            version.into_iter().fold(request, |request, version| request.header("if-match", format!("\"{version}\"")));
        Answer::of(request.json(&body)).await
    }

    async fn step(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Decide { who, comment, decision, reason } => self.decide(*who, *comment, *decision, *reason).await,
            Step::DecideMany { who, comments, decision, reason } => {
                self.decide_many(*who, comments, *decision, *reason).await
            }
            Step::Undo { who, made } if !self.made.is_empty() => {
                let (id, by, items) = self.made[made.index(self.made.len())].clone();
                if items.is_empty() && by != *who {
                    // What changed nothing is nothing to anybody else.
                    let path = format!("/decisions/{id}/undo");
                    let answer = self.send(*who, Method::POST, &path, None, json!({})).await;
                    return is(answer.status, 404, answer.text());
                }
                self.undo(*who, id, &items).await
            }
            Step::UndoLine { who, comment, line } if !self.comments[*comment].lines.is_empty() => {
                let lines = &self.comments[*comment].lines;
                let at = line.index(lines.len());
                let version = lines[at].version;
                let shown = self.one(*comment).await;
                let id = shown["decisions"][at + 1]["id"].as_i64().ok_or("a line without an id")?;
                self.undo(*who, id, &[(*comment, version)]).await
            }
            Step::Undo { .. } | Step::UndoLine { .. } => Ok(()),
            Step::Edit { who, comment } => {
                let model = &mut self.comments[*comment];
                let (path, version) = (format!("/comments/{}", model.id), model.version);
                model.version += 1;
                let body = json!({ "text": format!("version {version}"), "reason": "a test" });
                let answer = self.send(*who, Method::PATCH, &path, Some(version), body).await;
                is(answer.status, 200, answer.text())
            }
        }
    }

    async fn decide(&mut self, who: usize, comment: usize, decision: usize, reason: usize) -> Result<(), String> {
        let ((word, to), reason) = (DECISIONS[decision], REASONS[reason]);
        let (path, version) =
            (format!("/comments/{}/decisions", self.comments[comment].id), self.comments[comment].version);
        let body = json!({ "decision": word, "reason": reason });
        let answer = self.send(who, Method::POST, &path, Some(version), body).await;
        if self.comments[comment].status == to {
            return is(answer.status, 200, answer.text());
        }
        is(answer.status, 201, answer.text())?;
        let version = self.comments[comment].decide(who, to, reason);
        let id = answer.json()["id"].as_i64().ok_or("no id")?;
        self.made.push((id, who, vec![(comment, version)]));
        Ok(())
    }

    async fn decide_many(
        &mut self,
        who: usize,
        comments: &BTreeSet<usize>,
        decision: usize,
        reason: usize,
    ) -> Result<(), String> {
        let ((word, to), reason) = (DECISIONS[decision], REASONS[reason]);
        let items: Vec<Value> = comments
            .iter()
            .map(|at| json!({ "id": self.comments[*at].id, "expected_version": self.comments[*at].version }))
            .collect();
        let body = json!({ "decision": word, "reason": reason, "items": items });
        let answer = self.send(who, Method::POST, "/decisions", None, body).await;
        is(answer.status, 201, answer.text())?;
        let mut changed = Vec::new();
        for at in comments {
            if self.comments[*at].status != to {
                changed.push((*at, self.comments[*at].decide(who, to, reason)));
            }
        }
        self.made.push((answer.json()["id"].as_i64().ok_or("no id")?, who, changed));
        Ok(())
    }

    async fn undo(&mut self, who: usize, id: i64, items: &[(usize, i64)]) -> Result<(), String> {
        let answer = self.send(who, Method::POST, &format!("/decisions/{id}/undo"), None, json!({})).await;
        is(answer.status, 200, answer.text())?;
        let (mut changed, mut wanted) = (Vec::new(), Vec::new());
        for (at, version) in items {
            let is_back = self.comments[*at].take_back(who, *version);
            let model = &self.comments[*at];
            changed.extend(is_back.then_some((*at, model.version)));
            let outcome = if is_back { 200 } else { 409 };
            wanted.push(json!({ "id": model.id, "outcome": outcome, "version": model.version }));
        }
        let answer = answer.json();
        is(&answer["results"], &Value::from(wanted), "results")?;
        self.made.push((answer["id"].as_i64().ok_or("no id")?, who, changed));
        Ok(())
    }

    async fn one(&self, comment: usize) -> Value {
        let path = format!("/api/v1/review/comments/{}", self.comments[comment].id);
        self.app.get_as(&self.people[0], &path).await.expect(200).json()
    }

    /// Every comment, its history, and what readers see, are what the model says.
    async fn compare(&self, article: &str) -> Result<(), String> {
        for (at, model) in self.comments.iter().enumerate() {
            let shown = self.one(at).await;
            is(&shown["status"], &json!(model.status), "status")?;
            is(&shown["version"], &json!(model.version), "version")?;
            let lines = shown["decisions"].as_array().ok_or("no history")?;
            let wanted: Vec<Value> = model
                .lines
                .iter()
                .map(|line| json!([line.from, line.to, line.reason, self.people[line.by].username, line.version]))
                .collect();
            let found = lines[1..]
                .iter()
                .map(|line| json!([line["from"], line["to"], line["reason"], line["by"], line["version"]]));
            is(found.collect::<Vec<_>>(), wanted, "history")?;
        }
        let published: BTreeSet<i64> =
            self.comments.iter().filter(|model| model.status == "approved").map(|model| model.id).collect();
        let thread = self.app.get(&format!("{article}/comments?view=flat")).await.expect(200).json();
        let seen: BTreeSet<i64> =
            thread["items"].as_array().ok_or("no thread")?.iter().filter_map(|item| item["id"].as_i64()).collect();
        is(&seen, &published, "what readers see")?;
        let counted = self.app.get(article).await.expect(200).json()["comments"].clone();
        is(counted, json!(published.len()), "the article's count")
    }
}

fn is<T: PartialEq + std::fmt::Debug>(found: T, wanted: T, what: &str) -> Result<(), String> {
    if found == wanted { Ok(()) } else { Err(format!("{what}: {found:?}, not {wanted:?}")) }
}

/// Plays a sequence on an article of its own.
async fn play(app: &TestApp, people: &[Person; 2], number: usize, steps: &[Step]) -> Result<(), String> {
    let article = app.article(&format!("undo-{number}")).await;
    let mut comments = Vec::new();
    for at in 0..COMMENTS {
        let mut body = form(&format!("comment {at} of {number}"));
        // One replies to another: what is published hangs on what is.
        let first = comments.first().map(|first: &Model| first.id).filter(|_| at == COMMENTS - 1);
        if let Some(first) = first {
            app.approve(&people[0], first).await;
            comments[0].decide(0, "approved", None);
            body["parent_id"] = json!(first);
        }
        comments.push(Model {
            id: app.posted(&article, &body).await,
            version: 1,
            status: "pending",
            lines: Vec::new(),
        });
    }
    let mut play = Play { app, people, comments, made: Vec::new() };
    for (at, step) in steps.iter().enumerate() {
        play.step(step).await.map_err(|fault| format!("step {at}: {fault}"))?;
    }
    play.compare(&article).await
}

#[test]
fn an_undo_restores_what_that_decision_changed_after_any_sequence() {
    let cases = std::env::var("REJOINDER_TEST_UNDO").ok().and_then(|text| text.parse().ok()).unwrap_or(24);
    on_each_database(async |app| {
        let people = [
            app.person("ines", Role::Moderator, &["main"]).await,
            app.person("juri", Role::Moderator, &["main"]).await,
        ];
        let mut seed = [0; 32];
        seed[..16].copy_from_slice(&fastrand::u128(..).to_le_bytes());
        let random = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
        let mut runner = TestRunner::new_with_rng(Config::default(), random);
        let mut number = 0;
        for _ in 0..cases {
            let mut tree = prop::collection::vec(step(), 1..=MOST_STEPS).new_tree(&mut runner).unwrap();
            number += 1;
            let Err(fault) = play(app, &people, number, &tree.current()).await else { continue };
            let mut worst = (tree.current(), fault);
            // The shortest sequence that fails.
            let mut goes_on = tree.simplify();
            while goes_on {
                number += 1;
                goes_on = match play(app, &people, number, &tree.current()).await {
                    Ok(()) => tree.complicate(),
                    Err(fault) => {
                        worst = (tree.current(), fault);
                        tree.simplify()
                    }
                };
            }
            panic!("{}\n{:#?}", worst.1, worst.0);
        }
    });
}
