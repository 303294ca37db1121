use proptest::prelude::*;

use super::*;

const ENGLISH: &str = "I was struggling with money for years until a friend told me about this amazing trading \
    platform. Within two weeks my first deposit of 500 dollars had become more than 4,000 and the withdrawal arrived \
    the same day. Mr. Anderson explains every step and takes only ten percent. Write to him today at \
    https://win-with-anderson.example/start?ref=17 and thank me later, it changed my whole life.";

const GERMAN: &str = "Ich war jahrelang verschuldet, bis mir eine Freundin von dieser Börse erzählt hat. Nach zwei Wochen \
    waren aus 500 Euro mehr als 4000 geworden, und die Auszahlung kam noch am selben Tag auf mein Konto.";

const CHINESE: &str =
    "我以前一直缺钱直到朋友告诉我这个交易平台两个星期以后我的第一笔存款就翻了八倍而且当天就可以提现请联系安德森先生";

fn sketch(text: &str) -> Sketch {
    Sketch::of(text).unwrap_or_else(|| panic!("too short: {text}"))
}

fn are_alike(one: &str, other: &str) -> bool {
    sketch(one).is_like(&sketch(other))
}

#[test]
fn the_same_said_otherwise_is_alike() {
    let changes: [(&str, &str); 9] = [
        ("Mr. Anderson", "Mrs. Kowalska"),
        ("https://win-with-anderson.example/start?ref=17", "https://win-with-anderson.example/go/88#x"),
        ("500 dollars had become more than 4,000", "700 dollars had become more than 91,000"),
        ("amazing", "ＡＭＡＺＩＮＧ"),
        ("struggling", "strug\u{200b}gling"),
        ("friend told me", "FRIEND  TOLD\nME"),
        ("arrived the same day", "arrived thé sàme day!!!"),
        ("and thank me later", "and you will thank me"),
        ("I was struggling", "> somebody else's words, quoted\n\nI was struggling"),
    ];
    for (what, instead) in changes {
        let changed = ENGLISH.replace(what, instead);
        assert!(changed != ENGLISH && are_alike(ENGLISH, &changed), "{what} → {instead}");
    }
    assert!(are_alike(GERMAN, &GERMAN.replace("Freundin", "Kollegin").replace("Euro", "Franken").replace("ö", "oe")));
    assert!(are_alike(CHINESE, &CHINESE.replace("安德森", "王").replace("两个星期", "三天")));
}

#[test]
fn what_differs_is_not_alike() {
    let other = "Within two weeks of the flood the council had promised a new sea wall. My first letter about it was \
        answered the same day; the second, three years later. Mr. Anderson of the harbour board explains every delay.";
    assert!(!are_alike(ENGLISH, other));
    assert!(!are_alike(ENGLISH, GERMAN) && !are_alike(ENGLISH, CHINESE));
    let chinese = "海堤已经修了三年市议会每次都说下个月完工昨天的潮水又漫进了码头旁边的街道希望有人负责";
    assert!(!are_alike(CHINESE, chinese));
}

#[test]
fn a_reply_is_not_what_it_quotes() {
    let quoted: String = "> ".to_owned() + &ENGLISH.replace(". ", ".\n> ");
    assert_eq!(Sketch::of(&format!("{quoted}\n\nNobody believes this.")), None);
}

#[test]
fn short_texts_have_no_sketch() {
    for text in [
        "",
        "Great post!",
        "Thank you, I could not agree more.",
        "🎉🎉🎉",
        "好文章谢谢",
        "> a\n> b",
        "a b c d e f g h i",
    ] {
        assert_eq!(Sketch::of(text), None, "{text}");
    }
    assert!(Sketch::of("a b c d e f g h i j").is_some());
    assert!(Sketch::of("好文章谢谢你们写得真好").is_some());
}

#[test]
fn tails_of_links_are_cut() {
    let cut = |word: &str| {
        let mut plain = String::new();
        without_tails(word, &mut plain);
        plain.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    for (word, wanted) in [
        ("https://a.example/b?c#d", "a.example"),
        ("[here](http://a.example/b)!", "[here]( a.example )!"),
        ("www.a.example/b/c", "www.a.example"),
        ("and/or", "and/or"),
        ("./a", "./a"),
        ("://", ""),
        ("https://a.example/x)https://b.example", "a.example ) b.example"),
    ] {
        assert_eq!(cut(word), wanted, "{word}");
    }
}

/// A text with every word replaced that `changed` says.
fn with_changes(words: &[String], changed: &[bool]) -> String {
    let change = |(word, is_changed): (&String, &bool)| if *is_changed { format!("{word}ish") } else { word.clone() };
    words.iter().zip(changed).map(change).collect::<Vec<_>>().join(" ")
}

proptest! {
    #[test]
    fn any_text_can_be_sketched_and_reads_back(text in "(\\PC|\\s){0,400}") {
        if let Some(sketch) = Sketch::of(&text) {
            prop_assert_eq!(Sketch::from_bytes(&sketch.to_bytes()), Some(sketch.clone()));
            prop_assert_eq!(sketch.agreement(&sketch), 64);
            prop_assert_eq!(Sketch::of(&text.to_uppercase().to_lowercase()).is_some(), Sketch::of(&text.to_lowercase()).is_some());
        }
    }

    /// Six of every forty words: 15 %.
    #[test]
    fn with_some_words_changed_it_is_still_alike(
        words in prop::collection::vec("[a-z]{2,9}", 40),
        places in prop::collection::btree_set(0_usize..40, 6),
    ) {
        let changed: Vec<bool> = (0..40).map(|place| places.contains(&place)).collect();
        let (before, after) = (sketch(&words.join(" ")), sketch(&with_changes(&words, &changed)));
        prop_assert!(before.is_like(&after), "{} of 64", before.agreement(&after));
        let shared = before.bands().iter().zip(after.bands()).filter(|(one, other)| **one == *other).count();
        prop_assert!(shared > 0);
    }

    #[test]
    fn texts_of_other_words_are_not(
        one in prop::collection::vec("[a-m]{4,9}", 10..80),
        other in prop::collection::vec("[n-z]{4,9}", 10..80),
    ) {
        prop_assert!(!are_alike(&one.join(" "), &other.join(" ")));
    }
}
