//! Real comments under five videos, posted one by one to a server whose moderator decides what is left to people.
//!
//! A thousand are decided by people; from then on the site's policy is `screened`, and the filter learns only what it left
//! to people. `REJOINDER_TEST_STREAM=10 cargo test --test api learning_stream -- --nocapture` streams all of them in file
//! order and in ten other orders, and prints what was left to people on the way; the suite has a short form. Both need
//! `TEST_DATA_DIR`.

use std::io::Write;
use std::path::PathBuf;

use diesel::prelude::*;
use rejoinder::screening::Policy;
use rejoinder::sites::SetSite;
use rejoinder::store::StoreError;
use rejoinder::store::schema::training;
use serde_json::{Value, json};

use crate::support::Setup;
use crate::support::database::TestDatabase;
use crate::support::people::Person;
use crate::support::server::TestApp;

const VIDEOS: [&str; 5] = ["yt01-Psy", "yt02-KatyPerry", "yt03-LMFAO", "yt04-Eminem", "yt05-Shakira"];

/// A text, and whether it is spam.
type Comment = (String, bool);

/// The comments in file order, when there are any.
fn comments() -> Option<Vec<Comment>> {
    let Some(dir) = std::env::var_os("TEST_DATA_DIR").filter(|dir| !dir.is_empty()) else {
        let warning = b"\n*** STREAM NOT RUN: set TEST_DATA_DIR to the folder that has youtube-spam ***\n\n";
        // Not captured by the test runner, unlike what a macro prints.
        assert!(std::io::stderr().write_all(warning).is_ok());
        return None;
    };
    let read = |video: &str| {
        let path = PathBuf::from(&dir).join(format!("youtube-spam/{video}.csv"));
        let mut reader = csv::Reader::from_path(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let rows = reader.records().map(|row| row.expect("a row"));
        rows.map(|row| (row[3].to_owned(), &row[4] == "1")).collect::<Vec<_>>()
    };
    Some(VIDEOS.into_iter().flat_map(read).collect())
}

/// What became of comments once the filter was let.
#[derive(Debug, Default, Clone, Copy)]
struct Came {
    good: u32,
    spam: u32,
    left: u32,
    put_away: u32,
    leaked: u32,
}

impl Came {
    fn and(self, other: Self) -> Self {
        Self {
            good: self.good + other.good,
            spam: self.spam + other.spam,
            left: self.left + other.left,
            put_away: self.put_away + other.put_away,
            leaked: self.leaked + other.leaked,
        }
    }

    /// Shares left to people, of good comments put away, of spam published.
    fn shares(self) -> [f64; 3] {
        let share = |some: u32, of: u32| f64::from(some) / f64::from(of.max(1));
        [share(self.left, self.good + self.spam), share(self.put_away, self.good), share(self.leaked, self.spam)]
    }
}

impl std::fmt::Display for Came {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [left, put_away, leaked] = self.shares().map(|share| share * 100.0);
        let Self { good, spam, .. } = self;
        write!(
            f,
            "{good} good, {spam} spam: {left:.1} % left to people, {put_away:.2} % of the good put away, {leaked:.2} % of the spam published"
        )
    }
}

/// Streams comments; people decide about the first `by_people` of them. Gives what came of each hundred after these.
fn stream(comments: &[Comment], by_people: usize) -> Vec<Came> {
    actix_web::rt::System::new().block_on(async {
        let app = TestApp::start(&Setup::default(), TestDatabase::sqlite()).await;
        let (mut admin, article) = (app.admin().await, app.article("a").await);
        let mut hundreds = Vec::new();
        for (number, (text, is_spam)) in comments.iter().enumerate() {
            if number == by_people {
                app.set_site("main", SetSite { policy: Some(Policy::Screened), ..SetSite::default() }).await;
            }
            let body = json!({ "name": "Reader", "email": format!("reader{number}@example.org"), "comment": text });
            let answer = app.post(&article, &body).await;
            // Some are nothing but what no comment may be.
            if answer.status == 422 {
                continue;
            }
            let id = answer.json()["id"].as_i64().expect("an id");
            let status = status(&app, &admin, id).await;
            if status == "pending" {
                let decision = if *is_spam { "spam" } else { "approve" };
                let mut decided = app.decide(&admin, id, 1, decision).await;
                if decided.status == 401 {
                    admin = app.sign_in("admin").await;
                    decided = app.decide(&admin, id, 1, decision).await;
                }
                decided.expect(201);
                wait_until_learned(&app).await;
            }
            if number >= by_people {
                if (number - by_people).is_multiple_of(100) {
                    hundreds.push(Came::default());
                }
                let came = hundreds.last_mut().expect("a hundred");
                *(if *is_spam { &mut came.spam } else { &mut came.good }) += 1;
                match (status.as_str(), is_spam) {
                    ("pending", _) => came.left += 1,
                    ("spam", false) => came.put_away += 1,
                    ("approved", true) => came.leaked += 1,
                    _ => {}
                }
            }
        }
        hundreds
    })
}

async fn status(app: &TestApp, admin: &Person, id: i64) -> String {
    let item: Value = app.get_as(admin, &format!("/api/v1/review/comments/{id}")).await.expect(200).json();
    item["status"].as_str().expect("a status").to_owned()
}

/// A moderator is slower than the filter; this one has to wait for it.
async fn wait_until_learned(app: &TestApp) {
    let since = std::time::Instant::now();
    loop {
        let waiting = app.app.store.read(|conn| {
            let waiting = training::table.filter(training::seq.is_null());
            Ok::<i64, StoreError>(waiting.count().get_result(conn)?)
        });
        if waiting.await.expect("the store") == 0 {
            return;
        }
        assert!(since.elapsed().as_secs() < 20, "it was never learned");
        actix_web::rt::task::yield_now().await;
    }
}

fn total(hundreds: &[Came]) -> Came {
    hundreds.iter().fold(Came::default(), |one, other| one.and(*other))
}

fn shuffled(comments: &[Comment], seed: u64) -> Vec<Comment> {
    let mut comments = comments.to_vec();
    fastrand::Rng::with_seed(seed).shuffle(&mut comments);
    comments
}

#[test]
fn some_real_comments_are_told_apart_and_the_rest_is_left_to_people() {
    let Some(comments) = comments() else { return };
    let came = total(&stream(&shuffled(&comments, 1)[..500], 300));
    println!("{came}");
    let [left, ..] = came.shares();
    assert!(left < 0.8 && came.put_away <= 4 && came.leaked <= 4, "{came}");
}

#[test]
fn at_most_a_fifth_of_real_comments_is_left_to_people_and_the_budget_is_kept() {
    let wanted = std::env::var("REJOINDER_TEST_STREAM").ok().and_then(|text| text.parse::<u64>().ok());
    let (Some(orders), Some(comments)) = (wanted, comments()) else { return };
    let in_file_order = stream(&comments, 1_000);
    println!("in file order, which is video by video: {}", total(&in_file_order));
    let mut pooled: Vec<Came> = vec![Came::default(); 10];
    // Two at a time.
    for seeds in (1..=orders).collect::<Vec<_>>().chunks(2) {
        let streams: Vec<_> = seeds
            .iter()
            .map(|seed| {
                let comments = shuffled(&comments, *seed);
                std::thread::spawn(move || stream(&comments, 1_000))
            })
            .collect();
        for (seed, stream) in seeds.iter().zip(streams) {
            let hundreds = stream.join().expect("a stream");
            println!("order {seed}: {}", total(&hundreds));
            pooled.iter_mut().zip(hundreds).for_each(|(all, one)| *all = all.and(one));
        }
    }
    for (hundred, came) in pooled.iter().enumerate() {
        println!("comments {} to {}: {came}", 1_000 + hundred * 100, 1_099 + hundred * 100);
    }
    let all = total(&pooled);
    println!("{orders} orders: {all}");
    let [left, put_away, leaked] = all.shares();
    assert!(left <= 0.20 && put_away <= 0.013 && leaked <= 0.017, "{all}");
}
