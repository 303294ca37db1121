//! The architecture, held by reading `src/`: floors, who may name which crate, sizes, and nothing global.
//!
//! Each rule is a function from a file's code to what is wrong with it. Each is shown a made-up snippet that breaks it
//! too: a rule that cannot fail holds nothing.

use std::path::Path;

/// Modules by floor, and the order in which features may know each other. The floors of `README.md`'s map.
const FLOORS: [(u8, &[&str]); 7] = [
    (0, &["kit"]),
    (1, &["config", "screening"]),
    (2, &["store", "outbound"]),
    (3, &["http", "app"]),
    (4, &FEATURES),
    (5, &["server", "jobs"]),
    (6, &["cli", "main"]),
];
const FEATURES: [&str; 16] = [
    "audit",
    "accounts",
    "sites",
    "articles",
    "bans",
    "rules",
    "learning",
    "campaigns",
    "outside",
    "readers",
    "comments",
    "review",
    "notify",
    "feeds",
    "transfer",
    "wordpress",
];

/// Neighbours on one floor that may know each other: the handle is made of what `http` keeps and handed to handlers by it.
const NEIGHBOURS: [(&str, &str); 4] = [("main", "cli"), ("server", "jobs"), ("http", "app"), ("app", "http")];

/// Everything static, and why it is no hidden state.
const STATICS: [(&str, &str); 6] = [
    ("src/main.rs", "ALLOCATOR"),          // the allocator is the language's own global
    ("src/kit/markup.rs", "SANITISER"),    // a constant that Rust cannot make at compile time
    ("src/http/wording.rs", "CATALOGUES"), // constants
    ("src/http/wording/english.rs", "ENGLISH"),
    ("src/http/boundary.rs", "SEED"), // numbers for trace ids, which no answer depends on
    ("src/http/boundary.rs", "COUNT"),
];

/// The story of the product opens with a line for each of its eight steps; everything else has ten lines at most.
const LONG_OPENINGS: [&str; 1] = ["src/comments/post.rs"];

/// Written by diesel, not by people.
const GENERATED: &str = "src/store/schema.rs";

const MOST_LINES: usize = 500;

/// A file of `src/`.
struct Source {
    /// From the root of the package, such as `src/kit/text.rs`.
    path: String,
    text: String,
    /// The text without comments, the contents of strings, and tests.
    code: String,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned(), code: without_tests(&without_words(text)) }
    }

    /// The module's path: `src/comments/http/post.rs` is `comments`, `http`, `post`.
    fn module(&self) -> Vec<&str> {
        let inner = self.path.trim_start_matches("src/").trim_end_matches(".rs");
        inner.split('/').filter(|part| *part != "mod").collect()
    }

    fn top(&self) -> &str {
        self.module()[0]
    }

    fn is_in(&self, folder: &str) -> bool {
        self.path.starts_with(&format!("src/{folder}/"))
    }

    /// Whether it is `drawer.rs` of a feature or a file in its folder `drawer/`.
    fn is_drawer(&self, drawer: &str) -> bool {
        self.module().len() > 1 && self.module()[1] == drawer
    }
}

fn sources() -> Vec<Source> {
    fn walk(dir: &Path, found: &mut Vec<Source>) {
        for entry in std::fs::read_dir(dir).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if entry.is_dir() {
                walk(&entry, found);
            } else if entry.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&entry).expect("a text");
                let path = entry.strip_prefix(env!("CARGO_MANIFEST_DIR")).expect("a path of the package");
                let path = path.to_string_lossy().into_owned();
                // `mod tests;` of a file: the whole file is a test. The build script is another program.
                if !path.ends_with("tests.rs") && path != "src/build.rs" {
                    found.push(Source::new(&path, &text));
                }
            }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert!(found.len() > 60, "only {} files were found", found.len());
    found
}

/// Fails with everything a rule finds in `src/`.
#[track_caller]
fn hold(rule: impl Fn(&Source) -> Vec<String>) {
    let wrong: Vec<String> = sources()
        .iter()
        .flat_map(|source| rule(source).into_iter().map(|what| format!("{}: {what}", source.path)).collect::<Vec<_>>())
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Fails unless the rule finds something in each of these files, and nothing in those.
#[track_caller]
fn can_fail(rule: impl Fn(&Source) -> Vec<String>, bad: &[(&str, &str)], good: &[(&str, &str)]) {
    for (path, text) in bad {
        assert!(!rule(&Source::new(path, text)).is_empty(), "{path} was to be refused: {text}");
    }
    for (path, text) in good {
        assert_eq!(rule(&Source::new(path, text)), Vec::<String>::new(), "{path}: {text}");
    }
}

mod rules {
    use super::*;

    #[test]
    fn modules_import_from_lower_floors_only() {
        fn rule(source: &Source) -> Vec<String> {
            let from = source.top();
            if from == "lib" {
                return Vec::new();
            }
            let paths = paths_of(source);
            paths
                .iter()
                .filter_map(|path| reach(from, path).err().map(|why| format!("{}: {why}", path.join("::"))))
                .collect()
        }
        can_fail(
            rule,
            &[
                ("src/kit/text.rs", "use crate::config::Settings;"),
                ("src/store/mod.rs", "use crate::comments::Comment;"),
                ("src/http/body.rs", "fn f(m: &crate::accounts::Moderator) {}"),
                ("src/sites/add.rs", "use crate::articles::Article;"),
                ("src/sites/add.rs", "use crate::{\n    kit::text,\n    articles::{Article, put::PutArticle},\n};"),
                ("src/review/decide.rs", "use crate::comments::queries::find_comment;"),
                ("src/review/decide.rs", "use crate::comments::{Status, queries::{self, find_comment}};"),
                ("src/review/decide.rs", "use super::super::server::start;"),
                ("src/review/decide.rs", "use crate::comments::*;"),
                ("src/jobs/mod.rs", "use crate::server;"),
                ("src/server/mod.rs", "fn f() { crate::cli::run(); }"),
                ("src/kit/text.rs", "use rejoinder::store::Store;"),
                ("src/kit/text.rs", "use crate::nowhere::Thing;"),
                ("src/wherever/mod.rs", "use crate::kit::text;"),
                ("src/screening/mod.rs", "use crate::config::Settings;"),
            ],
            &[
                ("src/review/decide.rs", "use crate::comments::{Status, find_comment};\nuse super::queries;"),
                ("src/review/http/decide.rs", "use super::super::item::Item;\nuse crate::review::queries::find;"),
                ("src/review/http.rs", "fn f() -> Status { crate::comments::Status::Pending }"),
                ("src/main.rs", "fn main() { rejoinder::cli::run() }"),
                ("src/kit/text.rs", "// use crate::config::Settings;\nconst A: &str = \"crate::config::Settings\";"),
                ("src/kit/text.rs", "pub(crate) fn f() {}\n#[cfg(test)]\nmod tests { use crate::config::Settings; }"),
            ],
        );
        hold(rule);
    }

    #[test]
    fn only_http_and_the_server_know_the_web_framework() {
        fn rule(source: &Source) -> Vec<String> {
            if source.is_in("http") || source.is_in("server") || source.is_drawer("http") {
                return Vec::new();
            }
            // Floors 5 and 6 run on its runtime, and jobs share the handle as handlers do.
            let runtime: &[&[&str]] = match source.top() {
                "cli" => &[&["actix_web", "rt"]],
                "jobs" => &[&["actix_web", "rt"], &["actix_web", "web", "Data"]],
                _ => &[],
            };
            let mut used = paths_from(&source.code, "actix_web");
            let beneath = ["actix_multipart", "actix_http", "actix_service"];
            used.extend(beneath.into_iter().flat_map(|root| paths_from(&source.code, root)));
            // `use actix_web::web;` says less than what is then named through it.
            if source.top() == "jobs" && used.iter().any(|path| path.join("::") == "actix_web::web") {
                used.retain(|path| path.join("::") != "actix_web::web");
                let through = paths_from(&source.code, "web").into_iter();
                used.extend(through.map(|path| std::iter::once("actix_web".to_owned()).chain(path).collect()));
            }
            let is_runtime = |path: &Vec<String>| runtime.iter().any(|allowed| path.starts_with(&owned(allowed)));
            used.into_iter().filter(|path| !is_runtime(path)).map(|path| path.join("::")).collect()
        }
        can_fail(
            rule,
            &[
                ("src/comments/post.rs", "use actix_web::web;"),
                ("src/app.rs", "fn f() -> actix_web::HttpResponse {}"),
                ("src/store/mod.rs", "use actix_multipart::Multipart;"),
                ("src/app.rs", "use actix_http::Request;"),
                ("src/cli/serve.rs", "use actix_web::web::Data;"),
                ("src/jobs/mod.rs", "use actix_web::web;\nfn f() { web::block(|| 1); }"),
                ("src/jobs/mod.rs", "use actix_web::{HttpResponse, rt};"),
            ],
            &[
                ("src/comments/http/post.rs", "use actix_web::web;"),
                ("src/sites/http.rs", "use actix_web::web;"),
                ("src/jobs/mod.rs", "use actix_web::web;\nfn f(app: &web::Data<App>) { actix_web::rt::spawn(x); }"),
            ],
        );
        hold(rule);
    }

    #[test]
    fn only_queries_and_the_store_know_the_database_library() {
        fn rule(source: &Source) -> Vec<String> {
            let is_newtypes = matches!(source.path.as_str(), "src/kit/clock.rs" | "src/kit/ids.rs");
            if source.is_in("store") || source.is_drawer("queries") || is_newtypes {
                return Vec::new();
            }
            ["diesel", "diesel_migrations", "schema"]
                .into_iter()
                .filter(|word| has_word(&source.code, word))
                // A feature may call something else a schema; only the store's is meant.
                .filter(|word| *word != "schema" || source.code.contains("store::schema"))
                .map(|word| format!("names {word}"))
                .collect()
        }
        can_fail(
            rule,
            &[
                ("src/comments/post.rs", "use diesel::prelude::*;"),
                ("src/comments/mod.rs", "#[derive(diesel::Queryable)]\nstruct Row;"),
                ("src/comments/mod.rs", "#[diesel(table_name = comments)]\nstruct Row;"),
                ("src/kit/text.rs", "use diesel::sql_types::Text;"),
                ("src/review/item.rs", "use crate::store::schema::comments;"),
            ],
            &[
                ("src/comments/queries.rs", "use diesel::prelude::*;"),
                ("src/comments/queries/thread.rs", "use diesel::prelude::*;"),
                ("src/kit/mod.rs", "//! newtypes that diesel stores\nconst A: &str = \"diesel\";"),
            ],
        );
        hold(rule);
    }

    #[test]
    fn only_the_dialect_asks_which_database_it_is() {
        fn rule(source: &Source) -> Vec<String> {
            if source.path == "src/store/dialect.rs" {
                return Vec::new();
            }
            // Where a connection is opened it gets its name, and no more.
            let opens = match source.path.as_str() {
                "src/store/sqlite.rs" => "Conn::Sqlite",
                "src/store/postgres.rs" => "Conn::Postgres",
                _ => "",
            };
            let mut wrong = Vec::new();
            for name in ["Conn::Sqlite", "Conn::Postgres"] {
                for (at, _) in source.code.match_indices(name) {
                    let after = &source.code[at + name.len()..];
                    if name != opens || is_pattern(after) {
                        wrong.push(format!("{name}{}", after.chars().take(30).collect::<String>()));
                    }
                }
            }
            for word in ["Conn::*", "SqliteConnection", "PgConnection"] {
                if !source.is_in("store") && source.code.contains(word) {
                    wrong.push(word.to_owned());
                }
            }
            wrong
        }
        can_fail(
            rule,
            &[
                ("src/comments/queries.rs", "match conn { Conn::Sqlite(_) => 1, Conn::Postgres(_) => 2 }"),
                ("src/comments/queries.rs", "use diesel::sqlite::SqliteConnection;"),
                ("src/store/mod.rs", "if let Conn::Sqlite(_) = conn {}"),
                ("src/store/sqlite.rs", "matches!(conn, Conn::Sqlite(_))"),
                ("src/store/sqlite.rs", "match conn { Conn::Sqlite(c) => 1, _ => 2 }"),
                ("src/store/sqlite.rs", "let Conn::Sqlite(c) = conn else { return };"),
                ("src/store/sqlite.rs", "let conn = Conn::Postgres(open());"),
            ],
            &[
                ("src/store/sqlite.rs", "let mut conn = Conn::Sqlite(open(path, text())?);"),
                ("src/store/postgres.rs", "connect(&self.url).map(Conn::Postgres)"),
            ],
        );
        hold(rule);
    }

    #[test]
    fn kit_and_screening_do_no_input_or_output() {
        fn rule(source: &Source) -> Vec<String> {
            if !source.is_in("kit") && !source.is_in("screening") {
                return Vec::new();
            }
            let mut used = paths_from(&source.code, "std");
            used.extend(paths_from(&source.code, "tokio"));
            let is_pure = |path: &Vec<String>| match path.iter().map(String::as_str).collect::<Vec<_>>()[..] {
                // Addresses are values; sockets are not.
                ["std", "net", name, ..] => matches!(name, "IpAddr" | "Ipv4Addr" | "Ipv6Addr" | "SocketAddr"),
                // A semaphore and a channel wait for other tasks, not for the world.
                ["tokio", "sync", ..] => matches!(source.path.as_str(), "src/kit/places.rs" | "src/kit/changes.rs"),
                ["std", "fs" | "io" | "env" | "process" | "os" | "thread" | "net", ..] | ["tokio", ..] => false,
                // One place reads the clock.
                ["std", "time", "SystemTime" | "Instant", ..] => source.path == "src/kit/clock.rs",
                _ => true,
            };
            let mut wrong: Vec<String> =
                used.into_iter().filter(|path| !is_pure(path)).map(|path| path.join("::")).collect();
            let macros = ["println!", "eprintln!", "include_str!", "include_bytes!"];
            wrong.extend(macros.into_iter().filter(|name| source.code.contains(name)).map(str::to_owned));
            wrong
        }
        can_fail(
            rule,
            &[
                ("src/kit/text.rs", "fn f() { std::fs::read(x); }"),
                ("src/kit/text.rs", "use std::{io::Write, net::IpAddr};"),
                ("src/kit/text.rs", "use std::net::TcpStream;"),
                ("src/kit/text.rs", "use tokio::sync::Mutex;"),
                ("src/screening/mod.rs", "use std::time::SystemTime;"),
                ("src/screening/mod.rs", "async fn f() { tokio::fs::read(x).await; }"),
                ("src/screening/mod.rs", "fn f() { println!(\"x\"); }"),
            ],
            &[
                ("src/kit/text.rs", "use std::{collections::HashMap, net::IpAddr};"),
                ("src/cli/seed.rs", "use std::fs;"),
            ],
        );
        hold(rule);
    }

    #[test]
    fn every_module_says_first_what_it_is() {
        fn rule(source: &Source) -> Vec<String> {
            if source.path == GENERATED {
                return Vec::new();
            }
            let most = if LONG_OPENINGS.contains(&source.path.as_str()) { 12 } else { 10 };
            let lines = source.text.lines().take_while(|line| line.starts_with("//!")).count();
            let is_said = source.text.starts_with("//! ") && lines <= most;
            if is_said { Vec::new() } else { vec![format!("opens with {lines} lines of //!, not 1 to {most}")] }
        }
        let long = "//! a\n".repeat(11);
        can_fail(
            rule,
            &[("src/kit/text.rs", "use std::fmt;\n//! late"), ("src/kit/text.rs", &long), ("src/kit/text.rs", "//!")],
            &[("src/kit/text.rs", "//! Text.\n\nuse std::fmt;")],
        );
        hold(rule);
    }

    #[test]
    fn no_file_is_long() {
        fn rule(source: &Source) -> Vec<String> {
            // Tests are no part of what must be understood at once.
            let lines = source.code.lines().count();
            let is_long = lines > MOST_LINES && source.path != GENERATED;
            if is_long { vec![format!("{lines} lines without its tests")] } else { Vec::new() }
        }
        let lines = "fn f() {}\n".repeat(MOST_LINES);
        let long = format!("{lines}fn g() {{}}\n");
        let tests = format!("fn f() {{}}\n#[cfg(test)]\nmod tests {{\n{lines}}}\n");
        can_fail(
            rule,
            &[("src/kit/text.rs", &long)],
            &[("src/kit/text.rs", &lines), ("src/kit/text.rs", &tests), (GENERATED, &long)],
        );
        hold(rule);
    }

    #[test]
    fn nothing_panics_on_purpose() {
        fn rule(source: &Source) -> Vec<String> {
            let words =
                [".unwrap(", ".expect(", "::unwrap(", "::expect(", "panic!(", "todo!(", "unimplemented!(", "dbg!("];
            words.into_iter().filter(|word| source.code.contains(word)).map(str::to_owned).collect()
        }
        can_fail(
            rule,
            &[
                ("src/kit/text.rs", "fn f() { x.unwrap(); }"),
                ("src/kit/text.rs", "fn f() { x\n    .expect(\"never\"); }"),
                ("src/kit/text.rs", "#[cfg(test)]\nmod tests { fn f() { \"}\"; } }\nfn f() { panic!(\"x\") }"),
                ("src/kit/text.rs", "fn f() { let c = '\"'; x.unwrap(); let d = '\"'; }"),
                ("src/kit/text.rs", "fn f<'a>(x: &'a str) { r#\"\"\"#; x.unwrap(); }"),
            ],
            &[
                ("src/kit/text.rs", "fn f() { x.unwrap_or(1); y.unwrap_or_else(z); \"panic!(\"; } // x.unwrap()"),
                ("src/kit/text.rs", "#[cfg(test)]\nmod tests { fn f() { x.unwrap(); } }"),
                (
                    "src/kit/text.rs",
                    "/* x.unwrap() /* */ x.unwrap() */ fn f() { r#\" \" x.unwrap() \"#; b\"\\\" x.unwrap()\"; }",
                ),
            ],
        );
        hold(rule);
    }

    #[test]
    fn nothing_is_global() {
        fn rule(source: &Source) -> Vec<String> {
            let mut wrong: Vec<String> = Vec::new();
            for (at, _) in source.code.match_indices("static ") {
                // `'static` is a lifetime.
                let is_item = source.code[..at].chars().next_back().is_none_or(char::is_whitespace);
                let name: String = source.code[at + "static ".len()..]
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect();
                if is_item && !STATICS.contains(&(source.path.as_str(), name.as_str())) {
                    wrong.push(format!("static {name}"));
                }
            }
            let words = ["thread_local!", "set_var(", "lazy_static!"];
            wrong.extend(words.into_iter().filter(|word| source.code.contains(word)).map(str::to_owned));
            wrong
        }
        can_fail(
            rule,
            &[
                ("src/kit/text.rs", "static mut COUNT: u32 = 0;"),
                ("src/kit/text.rs", "fn f() {\n    static COUNT: AtomicU64 = AtomicU64::new(0);\n}"),
                ("src/http/boundary.rs", "pub static CACHE: Mutex<u32> = Mutex::new(0);"),
                ("src/kit/text.rs", "thread_local! { }"),
            ],
            &[
                ("src/kit/text.rs", "fn f() -> &'static str { \"static X\" }"),
                ("src/http/boundary.rs", "static COUNT: AtomicU64 = 0;"),
            ],
        );
        hold(rule);
        let files = sources();
        for (path, name) in STATICS {
            let is_there = files.iter().any(|file| file.path == path && has_word(&file.code, name));
            assert!(is_there, "{name} has gone from {path}: take it off the list");
        }
    }

    #[test]
    fn a_feature_opens_no_drawer() {
        fn rule(source: &Source) -> Vec<String> {
            let is_feature = FEATURES.contains(&source.top()) && source.module().len() == 1;
            let is_open = is_feature && (source.code.contains("pub mod ") || source.code.contains("::*;"));
            if is_open {
                vec!["its mod.rs has a public module or re-exports everything".to_owned()]
            } else {
                Vec::new()
            }
        }
        can_fail(
            rule,
            &[("src/sites/mod.rs", "pub mod queries;"), ("src/sites/mod.rs", "mod queries;\npub use queries::*;")],
            &[("src/sites/mod.rs", "mod queries;\npub use queries::find_site;"), ("src/kit/mod.rs", "pub mod text;")],
        );
        hold(rule);
    }

    #[test]
    fn files_are_called_by_what_they_are() {
        fn rule(source: &Source) -> Vec<String> {
            let vague = ["utils", "util", "helpers", "common", "manager", "service", "base", "misc"];
            let parts = source.module().into_iter();
            parts.filter(|part| vague.contains(part)).map(|part| format!("{part} says nothing")).collect()
        }
        can_fail(rule, &[("src/kit/utils.rs", ""), ("src/common/mod.rs", "")], &[("src/kit/text.rs", "")]);
        hold(rule);
    }
}

/// Whether a module of `from` may name this path.
fn reach(from: &str, path: &[String]) -> Result<(), String> {
    let floor = |name: &str| FLOORS.iter().find(|(_, modules)| modules.contains(&name)).map(|(floor, _)| *floor);
    let Some(to) = path.first().map(String::as_str) else { return Ok(()) };
    let here = floor(from).ok_or_else(|| format!("{from} stands on no floor"))?;
    let there = floor(to).ok_or_else(|| format!("{to} stands on no floor"))?;
    let place = |name: &str| FEATURES.iter().position(|feature| *feature == name);
    let is_lower = match (place(from), place(to)) {
        (Some(here), Some(there)) => there <= here,
        _ => there < here || from == to || NEIGHBOURS.contains(&(from, to)),
    };
    if !is_lower {
        return Err(format!("{to} is not below {from}"));
    }
    // Of another feature: the feature itself, or one name of its mod.rs and what that type has.
    let is_type = |name: &String| name.starts_with(char::is_uppercase);
    let is_name = path.len() <= 2 || is_type(&path[1]);
    if place(to).is_some() && from != to && (!is_name || path.get(1).is_some_and(|name| name == "*")) {
        return Err(format!("only what {to}/mod.rs exports by name"));
    }
    Ok(())
}

/// Every path into our own crate, from its root: `crate::…`, `rejoinder::…`, and `super::…` followed upwards.
fn paths_of(source: &Source) -> Vec<Vec<String>> {
    let mut paths: Vec<Vec<String>> = ["crate", "rejoinder"]
        .into_iter()
        .flat_map(|root| paths_from(&source.code, root))
        .map(|path| path[1..].to_vec())
        .collect();
    for path in paths_from(&source.code, "super") {
        let ups = path.iter().take_while(|part| *part == "super").count();
        let module = source.module();
        let above = module.len().saturating_sub(ups);
        paths.push(owned(&module[..above]).into_iter().chain(path[ups..].iter().cloned()).collect());
    }
    paths.retain(|path| !path.is_empty());
    paths
}

/// Every path in the code that begins with `root`, groups in braces spelled out.
fn paths_from(code: &str, root: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for group in groups_before(code, root) {
        found.push(vec![group]);
    }
    for (at, _) in code.match_indices(root) {
        let before = code[..at].trim_end_matches(char::is_whitespace);
        let is_start = !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') && !before.ends_with("::");
        if is_start && code[at + root.len()..].trim_start().starts_with("::") {
            read_tree(&code[at..], Vec::new(), &mut found);
        }
    }
    found
}

/// `root` named alone, as in `use std;` or `extern crate root`: never met in good code, so it counts as itself.
fn groups_before(code: &str, root: &str) -> Vec<String> {
    let alone = format!("use {root};");
    if code.contains(&alone) { vec![root.to_owned()] } else { Vec::new() }
}

/// Reads one use tree and gives what is left of the text behind it.
fn read_tree<'a>(text: &'a str, mut path: Vec<String>, found: &mut Vec<Vec<String>>) -> &'a str {
    let mut rest = text.trim_start();
    loop {
        if let Some(mut inner) = rest.strip_prefix('{') {
            loop {
                inner = inner.trim_start().trim_start_matches(',').trim_start();
                if let Some(after) = inner.strip_prefix('}') {
                    return after;
                }
                let before = inner.len();
                inner = read_tree(inner, path.clone(), found);
                if inner.len() == before {
                    return inner;
                }
            }
        }
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let (name, mut after) = rest.split_at(end);
        if name.is_empty() {
            if let Some(after) = rest.strip_prefix('*') {
                path.push("*".to_owned());
                found.push(path);
                return after;
            }
            found.push(path);
            return rest;
        }
        if name != "self" {
            path.push(name.to_owned());
        }
        after = after.trim_start();
        if let Some(inner) = after.strip_prefix("::").map(str::trim_start).filter(|inner| !inner.starts_with('<')) {
            rest = inner;
            continue;
        }
        found.push(path);
        if let Some(alias) = after.strip_prefix("as ") {
            let alias = alias.trim_start();
            let end = alias.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(alias.len());
            return &alias[end..];
        }
        return after;
    }
}

/// Whether what follows a variant's name makes it a pattern: its arguments, then `=>`, `=`, `|`, `if` or the end of a macro.
fn is_pattern(after: &str) -> bool {
    let Some(inner) = after.strip_prefix('(') else { return false };
    let mut depth = 1;
    let end = inner.find(|c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        depth == 0
    });
    let Some(end) = end else { return true };
    let rest = inner[end + 1..].trim_start();
    inner[..end].trim() == "_" || ["=", "|", "if "].iter().any(|sign| rest.starts_with(sign))
}

fn has_word(code: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word)
        .any(|(at, _)| !code[..at].ends_with(is_part) && !code[at + word.len()..].starts_with(is_part))
}

fn owned(parts: &[&str]) -> Vec<String> {
    parts.iter().map(|part| (*part).to_owned()).collect()
}

/// The code without comments and without what stands in strings and characters; lines stay where they are.
fn without_words(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    let skip = |code: &mut String, from: usize, to: usize| {
        code.extend(chars[from..to].iter().filter(|c| **c == '\n'));
    };
    while at < chars.len() {
        let next = chars.get(at + 1);
        let end = match chars[at] {
            '/' if next == Some(&'/') => find(&chars, at, |rest| rest[0] == '\n'),
            '/' if next == Some(&'*') => end_of_block_comment(&chars, at),
            'r' if !is_ident(chars.get(at.wrapping_sub(1))) && raw_hashes(&chars[at + 1..]).is_some() => {
                let hashes = raw_hashes(&chars[at + 1..]).unwrap_or_default();
                let close: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
                find(&chars, at + hashes + 2, |rest| rest.starts_with(&close)) + close.len()
            }
            '"' => {
                let mut end = at + 1;
                while end < chars.len() && chars[end] != '"' {
                    end += if chars[end] == '\\' { 2 } else { 1 };
                }
                end + 1
            }
            '\'' if next == Some(&'\\') => find(&chars, at + 3, |rest| rest[0] == '\'') + 1,
            '\'' if chars.get(at + 2) == Some(&'\'') => at + 3,
            c => {
                code.push(c);
                at += 1;
                continue;
            }
        };
        let end = end.min(chars.len());
        let is_literal = chars[at] != '/';
        skip(&mut code, at, end);
        if is_literal {
            code.push_str("\"\"");
        }
        at = end;
    }
    code
}

fn is_ident(c: Option<&char>) -> bool {
    c.is_some_and(|c| c.is_alphanumeric() || *c == '_')
}

fn find(chars: &[char], from: usize, is_end: impl Fn(&[char]) -> bool) -> usize {
    (from..chars.len()).find(|at| is_end(&chars[*at..])).unwrap_or(chars.len())
}

/// How many `#` stand before the quote, when this begins a raw string after its `r`.
fn raw_hashes(rest: &[char]) -> Option<usize> {
    let hashes = rest.iter().take_while(|c| **c == '#').count();
    (rest.get(hashes) == Some(&'"')).then_some(hashes)
}

fn end_of_block_comment(chars: &[char], from: usize) -> usize {
    let (mut at, mut depth) = (from, 0);
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    at
}

/// The code without items under `#[cfg(test)]`.
fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut kept = String::new();
    let mut rest = code;
    while let Some(at) = rest.find(MARK) {
        kept.push_str(&rest[..at]);
        rest = &rest[at + MARK.len()..];
        let mut depth = 0;
        let end = rest.find(|c| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            depth == 0 && (c == '}' || c == ';')
        });
        rest = end.map_or("", |end| &rest[end + 1..]);
    }
    kept + rest
}
