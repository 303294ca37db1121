//! Text from everywhere, and text meant to harm: names are cleaned or refused, comments come back exactly, and nothing in
//! any field or parameter is ever taken for SQL.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::Write;

use rejoinder::review::index_waiting;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::people::Person;
use crate::support::server::TestApp;
use crate::support::{Answer, form, on_each_database, percent};

/// What became of one text, in words that can be compared between databases.
type Outcomes = RefCell<Vec<Vec<String>>>;

/// Fails unless every database said the same.
#[track_caller]
fn expect_alike(outcomes: &Outcomes) {
    let all = outcomes.borrow();
    assert!(all.iter().all(|one| !one.is_empty()));
    for other in &all[1..] {
        for (one, other) in all[0].iter().zip(other) {
            assert_eq!(one, other);
        }
        assert_eq!(all[0].len(), other.len());
    }
}

/// Posts it and tells what happened: the faults, or the name and the text as the queue has them.
async fn outcome(app: &TestApp, admin: &Person, article: &str, body: &Value) -> (u16, String, String) {
    let answer = app.post(article, body).await;
    let status = answer.status;
    assert!(status < 500, "{body}: {}", answer.text());
    let json = answer.json();
    if status == 202 {
        let item = app.get_as(admin, &format!("/api/v1/review/comments/{}", json["id"])).await.expect(200).json();
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        return (status, text(&item["author"]["name"]), text(&item["text"]));
    }
    let faults = json["errors"].as_array().cloned().unwrap_or_default();
    let faults: Vec<String> = faults.iter().map(|fault| format!("{} {}", fault["pointer"], fault["code"])).collect();
    (status, faults.join(", ").replace('"', ""), String::new())
}

mod names {
    use super::*;

    /// A name, and what becomes of it: shown so, or refused with this code.
    const NAMES: [(&str, Result<&str, &str>); 64] = [
        // Of people.
        ("Ada", Ok("Ada")),
        ("Nguyễn Thị Ánh", Ok("Nguyễn Thị Ánh")),
        ("Nguye\u{302}\u{303}n", Ok("Nguyễn")),
        ("Jose\u{301}", Ok("José")),
        ("A\u{30a}sa", Ok("Åsa")),
        ("\u{212b}sa", Ok("Åsa")),
        ("李小龍", Ok("李小龍")),
        ("김철수", Ok("김철수")),
        ("\u{1100}\u{1161}", Ok("가")),
        ("محمد", Ok("محمد")),
        ("دوست\u{200c}داشتنی", Ok("دوست\u{200c}داشتنی")),
        ("שָׁלוֹם", Ok("שָׁלוֹם")),
        ("ශ\u{dca}\u{200d}රී", Ok("ශ\u{dca}\u{200d}රී")),
        ("क्\u{200d}ष", Ok("क्\u{200d}ष")),
        ("Владимир", Ok("Владимир")),
        ("Ελένη", Ok("Ελένη")),
        ("ᠮᠣᠩᠭᠣᠯ", Ok("ᠮᠣᠩᠭᠣᠯ")),
        ("O’Neill-Šimůnková, Jr.", Ok("O’Neill-Šimůnková, Jr.")),
        ("<script>alert(1)</script>", Ok("<script>alert(1)</script>")),
        ("'; DROP TABLE comments; --", Ok("'; DROP TABLE comments; --")),
        ("null", Ok("null")),
        ("0", Ok("0")),
        ("𝓐𝓭𝓪", Ok("𝓐𝓭𝓪")),
        ("👩\u{200d}👩\u{200d}👧\u{200d}👦", Ok("👩\u{200d}👩\u{200d}👧\u{200d}👦")),
        ("👋🏽", Ok("👋🏽")),
        ("🇳🇱", Ok("🇳🇱")),
        ("❤\u{fe0f}\u{200d}🔥", Ok("❤\u{fe0f}\u{200d}🔥")),
        // White space is cleaned.
        ("  Ada  ", Ok("Ada")),
        ("Ada\tLovelace", Ok("Ada Lovelace")),
        ("Ada\u{a0}\u{2003}\u{3000}Lovelace", Ok("Ada Lovelace")),
        // Reversed text.
        ("Ada\u{202e}nimda", Err("invisible_character")),
        ("\u{202a}Ada\u{202c}", Err("invisible_character")),
        ("\u{2066}Ada\u{2069}", Err("invisible_character")),
        ("Ada\u{200f}", Err("invisible_character")),
        ("\u{61c}Ada", Err("invisible_character")),
        // Without a shape.
        ("A\u{200b}da", Err("invisible_character")),
        ("A\u{200d}da", Err("invisible_character")),
        ("A\u{200c}da", Err("invisible_character")),
        ("A\u{2060}da", Err("invisible_character")),
        ("\u{feff}Ada", Err("invisible_character")),
        ("A\u{ad}da", Err("invisible_character")),
        ("A\u{34f}da", Err("invisible_character")),
        ("\u{3164}", Err("invisible_character")),
        ("\u{115f}\u{1160}", Err("invisible_character")),
        ("\u{2800}", Err("invisible_character")),
        ("A\u{fe0f}", Err("invisible_character")),
        ("A\u{e0100}", Err("invisible_character")),
        ("Ada\u{e0041}\u{e0042}\u{e007f}", Err("invisible_character")),
        ("\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}", Err("invisible_character")),
        ("\u{fff9}Ada\u{fffb}", Err("invisible_character")),
        // Nobody knows what a reader would see.
        ("\u{e000}", Err("invisible_character")),
        ("\u{f8ff}", Err("invisible_character")),
        ("\u{10ffff}", Err("invisible_character")),
        ("\u{fdd0}Ada", Err("invisible_character")),
        ("Ada\u{ffff}", Err("invisible_character")),
        ("\u{378}", Err("invisible_character")),
        // Controls.
        ("Ada\u{0}", Err("nul_character")),
        ("Ada\nLovelace", Err("control_character")),
        ("Ada\u{2028}", Err("control_character")),
        ("Ada\u{85}", Err("control_character")),
        ("\u{1b}[31mAda", Err("control_character")),
        ("Ada\u{7f}", Err("control_character")),
        // Piles of accents, and nothing at all.
        ("Z\u{300}\u{301}\u{302}\u{303}\u{304}algo", Err("stacked_marks")),
        ("\u{a0}\u{3000}", Err("blank")),
    ];

    #[test]
    fn each_is_shown_clean_or_refused_and_alike_on_every_database() {
        let outcomes = Outcomes::default();
        on_each_database(async |app| {
            let article = app.article("a").await;
            let admin = app.admin().await;
            let mut found = Vec::new();
            for (number, (name, wanted)) in NAMES.iter().enumerate() {
                let mut body = form(&format!("number {number}"));
                body["name"] = json!(name);
                let (status, shown, _) = outcome(app, &admin, &article, &body).await;
                match wanted {
                    Ok(clean) => assert_eq!((status, shown.as_str()), (202, *clean), "{name:?}"),
                    Err(code) => {
                        assert_eq!((status, shown.as_str()), (422, format!("/name {code}").as_str()), "{name:?}");
                    }
                }
                found.push(format!("{name:?} {status} {shown}"));
            }
            outcomes.borrow_mut().push(found);
        });
        expect_alike(&outcomes);
    }

    /// Held beside others as held as any: only the moderators are told.
    #[test]
    fn a_name_that_looks_like_a_moderators_is_held_and_answered_like_any_held_comment() {
        on_each_database(async |app| {
            app.publish_first().await;
            let article = app.article("a").await;
            let admin = app.admin().await;
            let rename =
                app.request_as(&admin, Method::PATCH, "/api/v1/me").json(&json!({ "display_name": "Iris Mayer" }));
            Answer::of(rename).await.expect(200);
            let names = [
                "Iris Mayer",
                "iris mayer",
                "IRIS MAYER",
                "Iris  Mayer",
                "IrisMayer",
                "Iris-Mayer",
                "lris Mayer",
                "1ris Mayer",
                "Іrіs Мауеr",
                "Iríš Måyer",
                "Ｉｒｉｓ Ｍａｙｅｒ",
                "𝐈𝐫𝐢𝐬 𝐌𝐚𝐲𝐞𝐫",
                "Ι\u{433}is Mayer",
                "Irıs Mayer",
                "Iris Μayer",
            ];
            let mut held = 0;
            for (number, name) in names.iter().enumerate() {
                let mut body = form(&format!("number {number}"));
                body["name"] = json!(name);
                let answer = app.post(&article, &body).await;
                // What only looks alike to a machine is allowed to pass; most of these look alike to people.
                held += usize::from(answer.status == 202);
                let json = answer.json();
                let fields: Vec<&str> = json.as_object().expect("an object").keys().map(String::as_str).collect();
                assert_eq!(fields, ["id", "status", "receipt_url"], "{name}");
                if answer.status == 202 {
                    assert_eq!(json["status"], "pending", "{name}");
                }
            }
            assert!(held >= names.len() - 1, "only {held} of {} were held", names.len());
            let mut other = form("somebody else");
            other["name"] = json!("Irene Meier");
            app.post(&article, &other).await.expect(201);
        });
    }
}

mod comments {
    use super::*;

    #[allow(clippy::too_many_lines)] // A table.
    fn texts() -> Vec<String> {
        let mut texts: Vec<String> = [
            "plain",
            "  space around  ",
            "\n\nlines\r\nof\rall\nkinds\n",
            "tabs\tand\u{b}\u{c}\u{1}\u{1b}[31m\u{7f}\u{85}controls",
            "\u{202e}reversed\u{202c} \u{2066}isolated\u{2069} \u{200e}\u{200f}",
            "zero\u{200b}width\u{200c}joiners\u{200d}\u{2060}\u{feff}",
            "tags\u{e0001}\u{e0041}\u{e007f}",
            "variation\u{fe0f}\u{fe0e}\u{e0100}\u{e01ef}",
            "Z\u{300}\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}\u{307}\u{308}\u{309}a\u{489}lgo",
            "composed é and decomposed e\u{301}",
            "\u{212b} \u{c5} A\u{30a}",
            "ﬁ ｆｕｌｌ ½ Ⅷ ①",
            "раураl.com аррӏе.com",
            "private \u{e000}\u{f8ff}\u{f0000}\u{10fffd}",
            "noncharacters \u{fdd0}\u{fdef}\u{fffe}\u{ffff}\u{1fffe}\u{10ffff}",
            "unassigned \u{378}\u{e0080}",
            "replacement \u{fffd}",
            "👩\u{200d}👩\u{200d}👧\u{200d}👦 🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f} 👋🏽 1\u{fe0f}\u{20e3} 🇳🇱",
            "می\u{200c}خواهم دوست\u{200c}داشتنی",
            "العربية مع English داخلها و עברית",
            "தமிழ் සිංහල ไทย ខ្មែរ မြန်မာ አማርኛ",
            "日本語 中文 한국어 \u{1100}\u{1161}\u{11a8}",
            "𠜎𠜱𠝹 \u{10330} \u{1d11e}",
            "line\u{2028}and paragraph\u{2029}separators",
            "back\\slash \\0 \\x00 \\u0000 %00 &#0; %c0%80",
            "'single' \"double\" `back` ´ ‘’ “” ¸",
            "\u{feff}mark at the start",
            "mark at the end\u{feff}",
            "{\"json\": [1, null]} <b>html</b> &amp; &lt; &#x27;",
            "$1 :name ? %s %n {0} {{7*7}} ${jndi:ldap://x} #{1}",
            "__proto__ constructor null undefined NaN true",
            "\u{a0}\u{1680}\u{2000}\u{3000}x",
            "ꟷ\u{1f1e6}\u{ac00}\u{d7a3}",
        ]
        .map(str::to_owned)
        .to_vec();
        // The first and the last code point of each length in UTF-8, and round the surrogates.
        texts.extend(
            [
                '\u{1}',
                '\u{7f}',
                '\u{80}',
                '\u{7ff}',
                '\u{800}',
                '\u{d7ff}',
                '\u{e000}',
                '\u{ffff}',
                '\u{10000}',
                '\u{10ffff}',
            ]
            .map(|c| format!("edge {c} of {:x}", u32::from(c))),
        );
        texts.push(format!("long {}", "é\u{301}👩\u{200d}👧".repeat(3000)));
        texts.push(format!("marks a{}", "\u{301}".repeat(20_000)));
        texts.push(format!("deep {}", "\u{202e}".repeat(10_000)));
        texts
    }

    #[test]
    fn each_comes_back_exactly_and_alike_on_every_database() {
        let outcomes = Outcomes::default();
        on_each_database(async |app| {
            let article = app.article("a").await;
            let admin = app.admin().await;
            let mut found = Vec::new();
            for text in texts() {
                let (status, _, kept) = outcome(app, &admin, &article, &form(&text)).await;
                assert_eq!(status, 202, "{text:?}");
                assert_eq!(kept, text);
                found.push(kept);
            }
            outcomes.borrow_mut().push(found);
        });
        expect_alike(&outcomes);
    }

    #[test]
    fn in_a_form_too() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            let admin = app.admin().await;
            for text in texts().into_iter().filter(|text| text.len() < 10_000) {
                let fields = [("name", "Ada"), ("email", "ada@example.org"), ("comment", text.as_str())];
                let request = app.request(Method::POST, &format!("{article}/comments"));
                let urlencoded = reqwest::Url::parse_with_params("http://x/", fields)
                    .expect("a query")
                    .query()
                    .expect("a query")
                    .to_owned();
                let answer =
                    Answer::of(request.header("content-type", "application/x-www-form-urlencoded").body(urlencoded))
                        .await
                        .expect(202);
                let path = format!("/api/v1/review/comments/{}", answer.json()["id"]);
                assert_eq!(app.get_as(&admin, &path).await.json()["text"], text);
            }
        });
    }

    #[test]
    fn nul_is_refused_in_every_field_and_what_cannot_be_seen_is_no_comment() {
        let outcomes = Outcomes::default();
        on_each_database(async |app| {
            let article = app.article("a").await;
            let admin = app.admin().await;
            let mut found = Vec::new();
            for field in ["name", "email", "url", "comment"] {
                for text in ["\u{0}", "a\u{0}", "\u{0}\u{0}b", "a\u{0}@example.org", "https://x.example/\u{0}"] {
                    let mut body = form("well");
                    body[field] = json!(text);
                    let (status, faults, _) = outcome(app, &admin, &article, &body).await;
                    assert_eq!(
                        (status, faults.as_str()),
                        (422, format!("/{field} nul_character").as_str()),
                        "{text:?}"
                    );
                    found.push(faults);
                }
            }
            for text in
                [" ", "\n", "\u{200b}", "\u{202e}\u{202c}", "\u{3164}\u{2800}", "\u{feff}", "\u{e0041}", "\u{1}\u{2}"]
            {
                let (status, faults, _) = outcome(app, &admin, &article, &form(text)).await;
                assert_eq!((status, faults.as_str()), (422, "/comment blank"), "{text:?}");
                found.push(faults);
            }
            outcomes.borrow_mut().push(found);
        });
        expect_alike(&outcomes);
    }
}

mod naughty_strings {
    use super::*;

    /// The list in `$TEST_DATA_DIR/naughty-strings`, when there is one.
    fn strings() -> Option<Vec<String>> {
        let Some(dir) = std::env::var_os("TEST_DATA_DIR").filter(|dir| !dir.is_empty()) else {
            let warning = b"\n*** NAUGHTY STRINGS NOT RUN: set TEST_DATA_DIR to the folder that has naughty-strings/blns.json ***\n\n";
            // Not captured by the test runner, unlike what a macro prints.
            assert!(std::io::stderr().write_all(warning).is_ok());
            return None;
        };
        let path = std::path::Path::new(&dir).join("naughty-strings/blns.json");
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let strings: BTreeSet<String> = serde_json::from_str(&text).expect("a list of texts");
        assert!(strings.len() > 400, "{}", strings.len());
        Some(strings.into_iter().collect())
    }

    #[test]
    fn each_as_a_comment_comes_back_exactly() {
        let Some(strings) = strings() else { return };
        let outcomes = Outcomes::default();
        on_each_database(async |app| {
            let article = app.article("a").await;
            let admin = app.admin().await;
            let mut found = Vec::new();
            for text in &strings {
                let (status, faults, kept) = outcome(app, &admin, &article, &form(text)).await;
                match status {
                    202 => assert_eq!(&kept, text),
                    _ => assert!(
                        matches!(faults.as_str(), "/comment blank" | "/comment required" | "/comment nul_character"),
                        "{text:?}: {status} {faults}"
                    ),
                }
                found.push(format!("{text:?} {status} {faults}"));
            }
            outcomes.borrow_mut().push(found);
        });
        expect_alike(&outcomes);
    }

    #[test]
    fn each_as_a_name_a_url_or_an_email_is_taken_or_refused_and_never_fails() {
        let Some(strings) = strings() else { return };
        let outcomes = Outcomes::default();
        on_each_database(async |app| {
            app.publish_first().await;
            let article = app.article("a").await;
            let admin = app.admin().await;
            let mut found = Vec::new();
            for (number, text) in strings.iter().enumerate() {
                for field in ["name", "email", "url"] {
                    let mut body = form(&format!("{field} {number}"));
                    body[field] = json!(text);
                    let answer = app.post(&article, &body).await;
                    let faults = answer.json()["errors"].to_string();
                    assert!(matches!(answer.status, 201 | 202 | 422), "{field} {text:?}: {}", answer.text());
                    found.push(format!("{field} {text:?} {} {faults}", answer.status));
                }
            }
            // What was published can be read, by programs and as a page.
            let page = app.get(&format!("{article}/comments?limit=100")).await.expect(200).json();
            assert!(page["items"].as_array().is_some_and(|items| items.len() == 100));
            app.get("/sites/main/articles/a").await.expect(200);
            app.get_as(&admin, "/api/v1/review/comments?status=any&limit=100").await.expect(200);
            outcomes.borrow_mut().push(found);
        });
        expect_alike(&outcomes);
    }

    #[test]
    fn each_in_an_address_names_nothing_and_never_fails() {
        let Some(strings) = strings() else { return };
        on_each_database(async |app| {
            let article = app.article("a").await;
            let admin = app.admin().await;
            for text in &strings {
                let escaped = percent(text);
                for path in [
                    format!("/api/v1/sites/main/articles/{escaped}"),
                    format!("/api/v1/comments/{escaped}"),
                    format!("/receipts/{escaped}"),
                    format!("{article}/comments?view={escaped}&cursor={escaped}"),
                    format!("/api/v1/sites/main/counts?article={escaped}"),
                    format!("/api/v1/review/comments?site={escaped}&article={escaped}"),
                ] {
                    let answer = app.get_as(&admin, &path).await;
                    assert!(answer.status < 500, "{path}: {}", answer.text());
                }
            }
        });
    }
}

mod sql {
    use super::*;

    const INJECTIONS: [&str; 28] = [
        "'",
        "''",
        "\"",
        "\\'",
        "\\",
        ";",
        "'; DROP TABLE comments; --",
        "'); DELETE FROM comments; --",
        "1; UPDATE comments SET status = 'approved'; --",
        "' OR '1'='1",
        "' OR 1=1 --",
        "\" OR \"\"=\"",
        "1 OR 1=1",
        "admin'--",
        "admin' #",
        "') OR ('1'='1",
        "' UNION SELECT username, password_hash FROM moderators --",
        "1 UNION ALL SELECT value FROM secrets",
        "'||(SELECT password_hash FROM moderators)||'",
        "${1}$$; SELECT pg_sleep(5); $$",
        "'; SELECT pg_sleep(5) --",
        "1 AND (SELECT 1 FROM pg_sleep(5))",
        "' AND randomblob(100000000) --",
        "%' ESCAPE '%",
        "%",
        "_",
        "\u{2019} OR \u{2019}1\u{2019}=\u{2019}1",
        "%bf%27 OR 1=1 /*",
    ];

    /// All that the tests here must leave as it is.
    async fn state(app: &TestApp, admin: &Person) -> Vec<Value> {
        let mut state = Vec::new();
        for path in [
            "/api/v1/review/comments?status=any&limit=100",
            "/api/v1/sites/main/articles/a",
            "/api/v1/sites/main/articles/a/comments",
            "/api/v1/me",
        ] {
            state.push(app.get_as(admin, path).await.expect(200).json());
        }
        state
    }

    async fn send(request: RequestBuilder) -> Answer {
        let since = std::time::Instant::now();
        let answer = Answer::of(request).await;
        assert!(answer.status < 500, "{}", answer.text());
        assert!(since.elapsed() < std::time::Duration::from_secs(4), "the database was made to wait");
        answer
    }

    #[test]
    fn nothing_in_an_address_or_a_header_is_taken_for_sql() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            let admin = app.admin().await;
            let (held, shown) = (app.posted(&article, &form("held")).await, app.posted(&article, &form("shown")).await);
            app.approve(&admin, shown).await;
            index_waiting(&app.app).await.expect("records that do not change by themselves");
            let before = state(app, &admin).await;
            for text in INJECTIONS {
                let escaped = percent(text);
                for (path, statuses) in [
                    (format!("/api/v1/sites/{escaped}/articles/a"), &[404][..]),
                    (format!("/api/v1/sites/main/articles/{escaped}"), &[404]),
                    (format!("/api/v1/sites/main/articles/{escaped}/comments"), &[404]),
                    (format!("/sites/main/articles/{escaped}"), &[404]),
                    (format!("/api/v1/comments/{escaped}"), &[404]),
                    (format!("/api/v1/comments/{shown}{escaped}"), &[404]),
                    (format!("/api/v1/receipts/{escaped}"), &[404]),
                    (format!("/api/v1/review/comments/{escaped}"), &[404]),
                    (format!("/api/v1/review/comments/{held}{escaped}"), &[404]),
                    (format!("{article}/comments?view={escaped}"), &[422]),
                    (format!("{article}/comments?sort={escaped}"), &[422]),
                    (format!("{article}/comments?limit={escaped}"), &[422]),
                    (format!("{article}/comments?cursor={escaped}"), &[400]),
                    (format!("/api/v1/review/comments?status={escaped}"), &[422]),
                    (format!("/api/v1/review/comments?sort={escaped}"), &[422]),
                    (format!("/api/v1/review/comments?limit={escaped}"), &[422]),
                    (format!("/api/v1/review/comments?since={escaped}"), &[422]),
                    (format!("/api/v1/review/comments?until={escaped}"), &[422]),
                    (format!("/api/v1/review/comments?cursor={escaped}"), &[400]),
                    (format!("/api/v1/review/comments?{escaped}=1"), &[422]),
                    (format!("/sites/main/articles/a?comment={escaped}"), &[200, 400, 404, 422]),
                    (format!("/sites/main/articles/a?cursor={escaped}"), &[200, 400, 404, 422]),
                ] {
                    let answer = send(app.request_as(&admin, Method::GET, &path)).await;
                    assert!(statuses.contains(&answer.status), "{path}: {}", answer.status);
                }
                // Names that match nothing give an empty list.
                for path in [
                    format!("/api/v1/review/comments?site={escaped}"),
                    format!("/api/v1/review/comments?article={escaped}"),
                ] {
                    let answer = send(app.request_as(&admin, Method::GET, &path)).await.expect(200).json();
                    assert_eq!(answer["items"], json!([]), "{path}");
                }
                let counts = send(app.request(Method::GET, &format!("/api/v1/sites/main/counts?article={escaped}")))
                    .await
                    .expect(200);
                assert_eq!(counts.json()["counts"], json!({}));
                if text.is_ascii() {
                    let decide = format!("/api/v1/review/comments/{held}/decisions");
                    let request = app.request_as(&admin, Method::POST, &decide).json(&json!({ "decision": "approve" }));
                    let refused = send(request.header("if-match", text)).await.status;
                    assert_eq!(refused, if text.contains('"') { 412 } else { 400 }, "{text}");
                    for header in [
                        "authorization",
                        "if-none-match",
                        "origin",
                        "accept",
                        "accept-encoding",
                        "accept-language",
                        "x-forwarded-for",
                    ] {
                        send(app.request(Method::GET, &format!("{article}/comments")).header(header, text)).await;
                    }
                    let bearer =
                        app.request(Method::GET, "/api/v1/me").header("authorization", format!("Bearer {text}"));
                    assert_eq!(send(bearer).await.status, 401);
                }
            }
            assert_eq!(state(app, &admin).await, before);
        });
    }

    #[test]
    fn nothing_in_a_moderators_field_is_taken_for_sql() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            let admin = app.admin().await;
            let held = app.posted(&article, &form("held")).await;
            index_waiting(&app.app).await.expect("records that do not change by themselves");
            let before = state(app, &admin).await;
            for text in INJECTIONS {
                let sign_in = |username: &str, password: &str| {
                    app.request(Method::POST, "/api/v1/session")
                        .json(&json!({ "username": username, "password": password }))
                };
                assert_eq!(send(sign_in(text, "a password for tests only")).await.status, 401, "{text}");
                assert_eq!(send(sign_in("admin", text)).await.status, 401, "{text}");
                let refresh =
                    app.request(Method::POST, "/api/v1/session/refresh").json(&json!({ "refresh_token": text }));
                assert_eq!(send(refresh).await.status, 401, "{text}");
                for field in ["decision", "reason"] {
                    let mut body = json!({ "decision": "approve" });
                    body[field] = json!(text);
                    assert_eq!(app.decide_with(&admin, held, 1, &body).await.status, 422, "{field} {text}");
                }
                // A stale version: read, and refused before anything is written.
                let body = json!({ "decision": "reject", "reason": "other", "note": text, "message": text });
                assert_eq!(app.decide_with(&admin, held, 7, &body).await.status, 412, "{text}");
            }
            assert_eq!(state(app, &admin).await, before);
            // What may be kept is kept as it is.
            for (number, text) in INJECTIONS.iter().enumerate() {
                let put = json!({ "title": format!("T{text}"), "url": "https://news.example/b", "summary": format!("S{text}") });
                let put = send(app.request_as(&admin, Method::PUT, "/api/v1/sites/main/articles/b").json(&put)).await;
                assert_eq!(put.status, if number == 0 { 201 } else { 200 });
                assert_eq!(
                    (put.json()["title"].as_str(), put.json()["summary"].as_str()),
                    (Some(format!("T{text}").as_str()), Some(format!("S{text}").as_str()))
                );
                let name = app
                    .request_as(&admin, Method::PATCH, "/api/v1/me")
                    .json(&json!({ "display_name": format!("N{text}") }));
                assert_eq!(send(name).await.expect(200).json()["display_name"], format!("N{text}"));
                let version = i64::try_from(number).expect("a small number") + 1;
                let decision = if number % 2 == 0 { "reject" } else { "hold" };
                let body = json!({ "decision": decision, "note": text, "message": text });
                let line = app.decide_with(&admin, held, version, &body).await.expect(201).json();
                assert_eq!(line["note"], *text);
            }
            let rename = app.request_as(&admin, Method::PATCH, "/api/v1/me").json(&json!({ "display_name": "Staff" }));
            Answer::of(rename).await.expect(200);
            let after = state(app, &admin).await;
            assert_eq!(after[1..], before[1..]);
            assert_eq!(after[0]["items"].as_array().map(Vec::len), Some(1));
        });
    }

    #[test]
    fn nothing_in_a_readers_field_is_taken_for_sql() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            let admin = app.admin().await;
            index_waiting(&app.app).await.expect("records that do not change by themselves");
            let before = state(app, &admin).await;
            let mut kept = Vec::new();
            for (number, text) in INJECTIONS.iter().enumerate() {
                for field in [
                    "name",
                    "email",
                    "url",
                    "comment",
                    "parent_id",
                    "submission",
                    "Idempotency-Key",
                    "User-Agent",
                    "what",
                ] {
                    if field.contains('-') && !text.is_ascii() {
                        continue;
                    }
                    let mut body = form(&format!("{number} {field}"));
                    let mut request = app.request(Method::POST, &format!("{article}/comments"));
                    match field {
                        "Idempotency-Key" | "User-Agent" => request = request.header(field, *text),
                        _ => body[field] = json!(text),
                    }
                    let answer = send(request.json(&body)).await;
                    assert!(matches!(answer.status, 202 | 422), "{field} {text}: {}", answer.text());
                    if answer.status == 202 {
                        kept.push((answer.json()["id"].clone(), body["comment"].clone()));
                    }
                }
            }
            assert!(kept.len() >= INJECTIONS.len() * 5, "{}", kept.len());
            for (id, text) in &kept {
                let item = app.get_as(&admin, &format!("/api/v1/review/comments/{id}")).await.expect(200).json();
                assert_eq!((&item["text"], &item["status"], &item["version"]), (text, &json!("pending"), &json!(1)));
            }
            let after = state(app, &admin).await;
            assert_eq!(after[1..], before[1..], "nothing was published, nobody changed");
        });
    }
}
