//! What the parts cost that do nothing but think: rendering, sanitising, judging, rules, cursors, names; and assembling a thread
//! that is not kept ready, which reads the database three times and thinks for the rest.
//!
//! `cargo bench --bench pure` takes about a minute and needs nothing.

#[allow(dead_code)] // Each bench uses what it needs of it.
mod program;

use std::hint::black_box;
use std::time::{Duration, Instant};

use actix_web::web;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use program::{add_article, run};
use rejoinder::app::App;
use rejoinder::comments::{Post, ReplyForm, Sort, ThreadQuery, View, post_comment, thread_bytes};
use rejoinder::config::{Given, PublicUrl, Settings};
use rejoinder::http::paging::PageQuery;
use rejoinder::kit::clock::{Clock, Millis};
use rejoinder::kit::cursor::Cursor;
use rejoinder::kit::ids::{CommentId, RuleId};
use rejoinder::kit::key::Key;
use rejoinder::kit::{markup, secret, text};
use rejoinder::screening::counts::Label;
use rejoinder::screening::features::{FeatureKey, Written};
use rejoinder::screening::filter::{Filter, Stages};
use rejoinder::screening::{Effect, Facts, Field, Look, Policy, Repeats, Rule, RuleSet, Sketch, Submission, judge};
use rejoinder::store::Store;

/// A comment as readers write them, some 300 bytes.
const USUAL: &str = "I was there *that night*, and what the council says is not what happened. The gate stood open from \
    eight until the tide turned, see https://news.example/gate for the pictures.\n\nWhoever signed the paper should \
    say so now. > Nobody was asked\n\nis hardly an answer to the people who live on the quay.";

fn text_of_a_comment(c: &mut Criterion) {
    let long = USUAL.repeat(10 * 1024 / USUAL.len());
    let mut group = c.benchmark_group("text");
    for (name, text) in [("300 bytes", USUAL.to_owned()), ("10 KiB", long)] {
        let html = markup::render(&text);
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(format!("render and sanitise {name}"), |b| b.iter(|| markup::render(black_box(&text))));
        group.bench_function(format!("sanitise {name} again"), |b| b.iter(|| markup::sanitise(black_box(&html))));
        group.bench_function(format!("fold {name}"), |b| b.iter(|| text::fold(black_box(&text))));
        group.bench_function(format!("sketch {name}"), |b| b.iter(|| Sketch::of(black_box(&text))));
    }
    group.finish();
}

/// The worst there is: all that are remembered are nearly the same.
fn repetitions(c: &mut Criterion) {
    let mut repeats = Repeats::new(8_192);
    for number in 0..8_192 {
        let text = format!("{number} times said, {}th time heard: {USUAL}", number / 7);
        repeats.note(Sketch::of(&text).expect("a text of ten words"), number);
    }
    let sketch = Sketch::of(USUAL).expect("a text of ten words");
    c.bench_function("look among 8,192 that are alike", |b| b.iter(|| repeats.list_alike(black_box(&sketch))));
}

fn facts_about_a_comment(c: &mut Criterion) {
    let mut group = c.benchmark_group("facts");
    group.bench_function("judge", |b| {
        let facts = || Facts { policy: Policy::HoldAll, is_staff_lookalike: false, is_trusted: false, filter: None };
        b.iter(|| judge(black_box(facts())));
    });
    for name in ["Ada Lovelace", "Σταύρος Ξαρχάκος"] {
        group.bench_function(format!("clean the name {name}"), |b| b.iter(|| text::name(black_box(name))));
        group.bench_function(format!("what {name} can be taken for"), |b| {
            b.iter(|| text::lookalike_keys(black_box(name)));
        });
    }
    group.finish();
}

/// A verdict by a filter that has learned two thousand comments.
fn the_filter(c: &mut Criterion) {
    let mut filter = Filter::new(FeatureKey::new([7; 16]), Stages::Both);
    for number in 0..1_000 {
        for (label, text) in
            [(Label::Good, USUAL.to_owned()), (Label::Spam, format!("Cheap pills at shop{number}.example"))]
        {
            let text = format!("{text} {number}");
            filter.learn(&filter.read(&Written { text: &text, ..Written::default() }), label, 1);
        }
    }
    // Made-up words, so that hardly a feature is met twice.
    let mut letters = fastrand::Rng::with_seed(1);
    let word = std::iter::repeat_with(|| letters.lowercase()).take(10 * 1024);
    let varied: String = word.enumerate().map(|(at, letter)| if at % 6 == 5 { ' ' } else { letter }).collect();
    let long = USUAL.repeat(10 * 1024 / USUAL.len());
    let mut group = c.benchmark_group("filter");
    for (name, text) in [("300 bytes", USUAL), ("10 KiB", &long), ("10 KiB of many words", &varied)] {
        let written = Written { text, ..Written::default() };
        group.bench_function(format!("score {name}"), |b| b.iter(|| filter.score(&filter.read(black_box(&written)))));
    }
    group.finish();
}

/// Patterns that make other engines slow: alternatives without end, and repetitions of repetitions.
const HOSTILE: [&str; 8] = [
    "(a+)+b",
    "(a|aa)+$b",
    "(.*a){20}c",
    "[ab]*a[ab]{900}c",
    "(a?){900}c",
    r"(\w+\s?)+\d",
    r"(?i)\b(\w+\W+){5,}buy",
    r"\b\w+\b!",
];

/// What rules cost: 60,000 words over 10 KiB, and hostile patterns over 64 KiB of texts that please them.
fn rules_of_a_site(c: &mut Criterion) {
    let words: Vec<String> = (0..60_000).map(|number| format!("forbidden word {number}")).collect();
    let listed = rule(Look::Words { words, fields: vec![Field::Text] });
    let (usual, hostile) = (USUAL.repeat(10 * 1024 / USUAL.len()), "forbidden word ".repeat(10 * 1024 / 15));
    let mut group = c.benchmark_group("rules");
    group.bench_function("60,000 words, usual 10 KiB", |b| b.iter(|| listed.judge(&submission(black_box(&usual)))));
    group.bench_function("60,000 words, hostile 10 KiB", |b| b.iter(|| listed.judge(&submission(black_box(&hostile)))));
    for (name, text) in [("usual", &usual), ("hostile", &hostile)] {
        println!("60,000 words, {name} 10 KiB: p99 {:?} of 5,000", p99(|| listed.judge(&submission(black_box(text)))));
    }
    let texts = ["a".repeat(64 * 1024), "ab".repeat(32 * 1024), "word ".repeat(13_107), "日本 é ".repeat(5_957)];
    for pattern in HOSTILE {
        let rules = rule(Look::Regex { pattern: pattern.to_owned(), fields: vec![Field::Text] });
        group.bench_function(format!("{pattern} over 64 KiB, the worst of four"), |b| {
            let cost = |text: &&String| {
                let began = Instant::now();
                black_box(rules.judge(&submission(text)));
                began.elapsed()
            };
            let worst = texts.iter().max_by_key(cost).expect("a text");
            b.iter(|| rules.judge(&submission(black_box(worst))));
        });
    }
    group.finish();
}

fn rule(look: Look) -> RuleSet {
    let rule = Rule { id: RuleId::new(1), label: None, effect: Effect::Hold, look };
    RuleSet::compile(&[rule]).expect("a rule")
}

fn submission(text: &str) -> Submission<'_> {
    let (url, email, address) = (None, None, None);
    Submission { text, html: "", name: "Ada", url, email, address, is_first: false, at: Millis(0), timezone: "UTC" }
}

fn p99<T>(judge: impl Fn() -> T) -> Duration {
    let mut all: Vec<Duration> = (0..5_000)
        .map(|_| {
            let began = Instant::now();
            black_box(judge());
            began.elapsed()
        })
        .collect();
    all.sort_unstable();
    all[all.len() * 99 / 100]
}

fn cursors(c: &mut Criterion) {
    let key = secret::Key::master(b"a secret for measuring");
    let cursor = Cursor::within(4_711, 9_007_199_254);
    let text = cursor.encode(&key, "thread Tree Oldest");
    let mut group = c.benchmark_group("cursor");
    group.bench_function("encode", |b| b.iter(|| black_box(cursor).encode(&key, "thread Tree Oldest")));
    group.bench_function("decode", |b| b.iter(|| Cursor::decode(&key, "thread Tree Oldest", black_box(&text))));
    group.finish();
}

/// A first, uncached read of 200 published comments, from the database to the bytes.
fn a_thread(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let dir = tempfile::tempdir().expect("a directory");
    let (site, article) = (Key::parse("main").expect("a key"), Key::parse("bench").expect("a key"));
    let app = runtime.block_on(app_with_thread(&dir.path().join("pure.db").display().to_string(), &site, &article));
    let query = ThreadQuery {
        view: View::Tree,
        sort: Sort::Oldest,
        page: PageQuery { limit: 100, cursor: None },
        beginning_with: None,
    };
    c.bench_function("thread of 200, not kept ready", |b| {
        b.to_async(&runtime).iter(|| async {
            let Ok(bytes) = thread_bytes(&app, &site, &article, query).await else { panic!("the thread is there") };
            bytes
        });
    });
}

async fn app_with_thread(path: &str, site: &Key, article: &Key) -> web::Data<App> {
    let database = format!("sqlite:{path}");
    add_article(&database, article.as_str()).expect("an article");
    run(&database, &["site", "set", site.as_str(), "--policy", "publish_first"]).expect("a site");
    let given = Given { database_url: Some(database), limits: Some("off".to_owned()), ..Given::default() };
    let settings = Settings::try_from(given).expect("settings");
    let store = Store::open(&settings.database).expect("a store");
    let url = PublicUrl::of_address(settings.listen);
    let app = web::Data::new(App::new(settings, url, store, Clock::system()).await.expect("an app"));
    for root in 0..40 {
        let parent_id = post(&app, site, article, format!("{USUAL} ({root})"), None).await;
        for reply in 0..4 {
            post(&app, site, article, format!("{USUAL} ({root}, {reply})"), parent_id).await;
        }
    }
    app
}

async fn post(
    app: &App,
    site: &Key,
    article: &Key,
    comment: String,
    parent_id: Option<CommentId>,
) -> Option<CommentId> {
    let form = ReplyForm {
        name: Some("Ada".to_owned()),
        email: Some("ada@example.org".to_owned()),
        comment: Some(comment),
        parent_id,
        ..ReplyForm::default()
    };
    let post = Post {
        site: site.clone(),
        article: article.clone(),
        form,
        address: None,
        user_agent: None,
        foreign_origin: None,
        replay: None,
        traces: None,
        browser: None,
    };
    Some(post_comment(app, post).await.expect("a comment").id)
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3)).sample_size(50);
    targets = text_of_a_comment, facts_about_a_comment, repetitions, the_filter, rules_of_a_site, cursors, a_thread
}
criterion_main!(benches);
