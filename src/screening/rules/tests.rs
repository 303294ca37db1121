//! Facts about the rules: what each kind finds, what it does not, and how it is told.

use serde_json::{Value, json};

use super::*;

const NOON: Millis = Millis(1_795_521_600_000); // 2026-11-24, 12:00 UTC

fn rules(all: &[Value]) -> Vec<Rule> {
    let number = |(id, rule): (i64, &Value)| {
        let mut rule = rule.clone();
        rule["id"] = json!(id);
        rule["label"] = rule.get("label").cloned().unwrap_or_default();
        rule["effect"] = rule.get("effect").cloned().unwrap_or_else(|| json!("hold"));
        serde_json::from_value(rule).unwrap()
    };
    (17..).zip(all).map(number).collect()
}

fn set(all: &[Value]) -> RuleSet {
    RuleSet::compile(&rules(all)).unwrap()
}

fn usual(text: &str) -> Submission<'_> {
    Submission {
        text,
        html: "",
        name: "Ada",
        url: Some("https://ada.example/about"),
        email: Some("ada@mail.example.org"),
        address: "192.0.2.7".parse().ok(),
        is_first: false,
        at: NOON,
        timezone: "UTC",
    }
}

fn reasons(rule: Value, submission: &Submission) -> Vec<String> {
    set(&[rule]).judge(submission).into_iter().map(|finding| finding.reason).collect()
}

/// What one rule says about a text and its HTML.
fn told(rule: Value, text: &str) -> Option<String> {
    let html = markup::render(text);
    reasons(rule, &Submission { html: &html, ..usual(text) }).pop()
}

fn words(words: &[&str]) -> Value {
    json!({ "kind": "words", "words": words, "fields": ["text", "name"] })
}

#[test]
fn words_are_found_whole_and_told_as_they_were_written() {
    let list = words(&["casino", "cheap pills", "カジノ"]);
    assert_eq!(told(list.clone(), "The CASINÓ!").as_deref(), Some("Contains \"CASINÓ\" (rule 17)."));
    assert_eq!(told(list.clone(), "cheap,\n PILLS").as_deref(), Some("Contains \"cheap, PILLS\" (rule 17)."));
    assert_eq!(told(list.clone(), "今日カジノで").as_deref(), Some("Contains \"カジノ\" (rule 17)."));
    assert_eq!(told(list.clone(), "casinos, cheap and pills"), None);
    let named = Submission { name: "Casino King", ..usual("hello") };
    assert_eq!(reasons(list, &named), ["The name contains \"Casino\" (rule 17)."]);
}

#[test]
fn a_hit_names_its_place_in_what_was_written() {
    let found = set(&[words(&["casino"])]).judge(&usual("Ein Café: CASINO"));
    let hit = &found[0].hit;
    assert_eq!((hit.rule.as_str(), hit.effect, hit.field.as_deref()), ("17", Effect::Hold, Some("text")));
    assert_eq!((hit.matched.as_deref(), hit.start), (Some("CASINO"), Some(11)));
    let regex = json!({ "kind": "regex", "pattern": "(?i)[a-z]+!", "fields": ["text"], "label": "Loud" });
    let found = set(&[regex]).judge(&usual("é Buy! now!"));
    assert_eq!((found[0].hit.matched.as_deref(), found[0].hit.start), (Some("Buy!"), Some(3)));
    assert_eq!(found[0].reason, "Contains \"Buy!\" (rule 17, Loud).");
}

#[test]
fn each_rule_of_a_site_speaks_for_itself_the_sternest_first() {
    let mut spam = words(&["casino", "casino"]);
    spam["effect"] = json!("spam");
    let mut log = words(&["open"]);
    log["effect"] = json!("log");
    let all = set(&[log, words(&["casino", "the"]), spam, words(&["closed"])]);
    let found = all.judge(&usual("the casino is open"));
    let seen: Vec<_> = found.iter().map(|finding| (finding.hit.rule.as_str(), finding.hit.effect)).collect();
    assert_eq!(seen, [("19", Effect::Spam), ("18", Effect::Hold), ("17", Effect::Log)]);
}

#[test]
fn a_comment_has_a_bounded_number_of_findings() {
    let all: Vec<Value> = (0..MOST_RULES).map(|_| words(&["casino"])).collect();
    assert_eq!(set(&all).judge(&usual("casino")).len(), MOST_FINDINGS);
}

#[test]
fn links_count_as_they_would_be_published() {
    let rule = json!({ "kind": "links", "at_least": 2 });
    let two = "https://one.example and [two](https://two.example)";
    assert_eq!(told(rule.clone(), two).as_deref(), Some("Has 2 links (rule 17)."));
    for text in ["https://one.example", "`https://one.example https://two.example`", "www.one.example two.example"] {
        assert_eq!(told(rule.clone(), text), None, "{text}");
    }
}

#[test]
fn hosts_are_those_of_links_and_of_the_website_with_what_is_below() {
    let rule = json!({ "kind": "hosts", "hosts": ["spam.example", "bücher.example", "*.ads.example"] });
    let told = |text: &str| told(rule.clone(), text);
    assert_eq!(told("see https://Shop.SPAM.example/x").as_deref(), Some("Links to Shop.SPAM.example (rule 17)."));
    assert!(told("[books](https://bücher.example/)").is_some() && told("https://a.ads.example").is_some());
    assert_eq!(told("https://notspam.example and spam.example in words"), None);
    let website = Submission { url: Some("https://spam.example/me"), ..usual("hello") };
    assert_eq!(reasons(rule, &website), ["The website is at spam.example (rule 17)."]);
}

#[test]
fn emails_and_addresses_are_on_lists_and_never_in_words() {
    let emails = |list: &[&str]| json!({ "kind": "email", "emails": list });
    let networks = |list: &[&str]| json!({ "kind": "network", "networks": list });
    for (rule, is_met) in [
        (emails(&["ADA@mail.example.org"]), true),
        (emails(&["example.org"]), true),
        (emails(&["@mail.example.org"]), true),
        (emails(&["bob@mail.example.org", "ample.org"]), false),
        (networks(&["192.0.2.0/24"]), true),
        (networks(&["192.0.2.0/25", "192.0.2.64/26", "10.0.0.0/8"]), true),
        (networks(&["192.0.2.7"]), true),
        (networks(&["192.0.2.8", "198.51.100.0/24", "2001:db8::/32"]), false),
    ] {
        let found = set(std::slice::from_ref(&rule)).judge(&usual("hello"));
        assert_eq!(found.len(), usize::from(is_met), "{rule}");
        for finding in found {
            assert!(!finding.reason.contains("192.0.2.7") && !finding.reason.contains("example"), "{}", finding.reason);
            assert!(matches!(finding.hit.field.as_deref(), Some("email" | "ip")));
            assert_eq!((finding.hit.matched, finding.hit.start), (None, None));
        }
    }
    let in_email = json!({ "kind": "words", "words": ["ada"], "fields": ["email"] });
    assert_eq!(reasons(in_email, &usual("x")), ["The email contains what is looked for (rule 17)."]);
}

#[test]
fn length_capitals_scripts_firsts_and_hours() {
    for (rule, text, reason) in [
        (json!({ "kind": "length", "min": 3 }), " hé ", Some("Has 2 characters, fewer than 3 (rule 17).")),
        (json!({ "kind": "length", "min": 2, "max": 3 }), " hé ", None),
        (json!({ "kind": "length", "max": 3 }), "four", Some("Has 4 characters, more than 3 (rule 17).")),
        (json!({ "kind": "capitals", "share": 0.9, "letters": 4 }), "BUY 1 nOW", None),
        (
            json!({ "kind": "capitals", "share": 0.75, "letters": 4 }),
            "BUY 1 ÑoW",
            Some("83 % of its letters are capitals (rule 17)."),
        ),
        (json!({ "kind": "capitals", "share": 0.75, "letters": 4 }), "OK!", None),
        (
            json!({ "kind": "script", "refused": ["Cyrillic"], "share": 0.5 }),
            "купи now",
            Some("57 % of its letters are Cyrillic (rule 17)."),
        ),
        (json!({ "kind": "script", "refused": ["Cyrl"], "share": 0.6 }), "купи now", None),
        (
            json!({ "kind": "script", "allowed": ["Latin"], "share": 0.5 }),
            "12 中文!",
            Some("100 % of its letters are of other scripts (rule 17)."),
        ),
        (json!({ "kind": "script", "allowed": ["Latin", "Han"], "share": 0.1 }), "ok 中文 123", None),
        (
            json!({ "kind": "hours", "from": "22:00", "until": "12:01", "timezone": null }),
            "x",
            Some("Sent between 22:00 and 12:01 (rule 17)."),
        ),
        (json!({ "kind": "hours", "from": "08:00", "until": "12:00", "timezone": "UTC" }), "x", None),
        (
            json!({ "kind": "hours", "from": "13:00", "until": "14:00", "timezone": "Europe/Paris" }),
            "x",
            Some("Sent between 13:00 and 14:00 (rule 17)."),
        ),
        (json!({ "kind": "first_comment" }), "x", None),
    ] {
        assert_eq!(told(rule.clone(), text).as_deref(), reason, "{rule} {text}");
    }
    let first = Submission { is_first: true, ..usual("x") };
    assert_eq!(reasons(json!({ "kind": "first_comment" }), &first), ["The author's first comment here (rule 17)."]);
    let hours = json!({ "kind": "hours", "from": "21:00", "until": "22:00", "timezone": null });
    assert_eq!(reasons(hours, &Submission { timezone: "Asia/Tokyo", ..usual("x") }).len(), 1);
}

#[test]
fn what_cannot_be_a_rule_is_named_where_it_stands() {
    let all = rules(&[
        words(&["fine"]),
        words(&["fine", " - "]),
        json!({ "kind": "regex", "pattern": "a(", "fields": ["text"] }),
        json!({ "kind": "words", "words": ["x"], "fields": [] }),
        json!({ "kind": "links", "at_least": 0 }),
        json!({ "kind": "hosts", "hosts": ["a b"] }),
        json!({ "kind": "email", "emails": ["@"] }),
        json!({ "kind": "network", "networks": ["10.0.0.0/8", "10.0.0.0/33"] }),
        json!({ "kind": "length" }),
        json!({ "kind": "length", "min": 3, "max": 2 }),
        json!({ "kind": "capitals", "share": 1.5, "letters": 1 }),
        json!({ "kind": "script", "allowed": ["Latin"], "refused": ["Han"], "share": 0.5 }),
        json!({ "kind": "script", "allowed": ["Klingon"], "share": 0.5 }),
        json!({ "kind": "hours", "from": "1:00", "until": "02:00", "timezone": null }),
        json!({ "kind": "hours", "from": "01:00", "until": "02:00", "timezone": "Mars" }),
        words(&["a b c d e f g h i j k"]),
    ]);
    let faults: Vec<_> =
        RuleSet::compile(&all).unwrap_err().into_iter().map(|fault| (fault.pointer, fault.code)).collect();
    let wanted = [
        ("/rules/1/words/1", "blank"),
        ("/rules/2/pattern", "pattern"),
        ("/rules/3/fields", "required"),
        ("/rules/4/at_least", "range"),
        ("/rules/5/hosts/0", "host"),
        ("/rules/6/emails/0", "email"),
        ("/rules/7/networks/1", "network"),
        ("/rules/8/min", "required"),
        ("/rules/9/max", "range"),
        ("/rules/10/share", "range"),
        ("/rules/11/allowed", "one_of"),
        ("/rules/12/allowed/0", "script"),
        ("/rules/13/from", "format"),
        ("/rules/14/timezone", "timezone"),
        ("/rules/15/words/0", "too_many"),
    ];
    assert_eq!(faults, wanted.map(|(pointer, code)| (pointer.to_owned(), code)));
    let many = vec!["word".to_owned(); MOST_ENTRIES + 1];
    let many = rules(&[words(&many.iter().map(String::as_str).collect::<Vec<_>>())]);
    assert_eq!(RuleSet::compile(&many).unwrap_err()[0].code, "too_many");
}

#[test]
fn rules_read_back_as_they_are_kept() {
    let all = rules(&[
        words(&["a"]),
        json!({ "kind": "first_comment" }),
        json!({ "kind": "script", "refused": ["Han"], "share": 0.5 }),
        json!({ "kind": "length", "max": 10 }),
    ]);
    let text = serde_json::to_string(&all).unwrap();
    assert_eq!(serde_json::from_str::<Vec<Rule>>(&text).unwrap(), all);
    assert!(text.starts_with(
        r#"[{"id":17,"label":null,"effect":"hold","kind":"words","words":["a"],"fields":["text","name"]}"#
    ));
}
