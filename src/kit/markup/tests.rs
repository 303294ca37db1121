//! What markup promises: nothing that runs, nothing that grows, nothing that a second pass changes.

use proptest::prelude::*;

use super::*;

/// Reads the HTML as strictly as a suspicious reader would: known tags only, in order, with known attributes.
fn assert_clean(html: &str, source: &str) {
    let mut open = Vec::new();
    for piece in html.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').unwrap_or_else(|| panic!("no end: {html:?} from {source:?}"));
        assert!(!text.contains('>'), "a stray > in {html:?} from {source:?}");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "{html:?} from {source:?}");
            continue;
        }
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        assert!(TAGS.split(' ').any(|known| known == name), "<{tag}> from {source:?}");
        let parts: Vec<&str> = attributes.split('"').collect();
        match (name, &parts[..]) {
            (_, [""]) | ("a", ["rel=", REL, ""]) => {}
            ("ol", ["start=", number, ""]) => assert!(number.parse::<u64>().is_ok(), "{tag}"),
            ("a", ["href=", href, " rel=", REL, ""]) => {
                let is_allowed = ["http://", "https://", "mailto:"].iter().any(|s| href.starts_with(s));
                assert!(is_allowed, "{href:?} from {source:?}");
            }
            _ => panic!("<{tag}> from {source:?}"),
        }
        if !["br", "hr"].contains(&name) {
            open.push(name);
        }
        assert!(open.len() <= 2 * MAX_DEPTH + 5, "too deep: {source:?}");
    }
    assert!(open.is_empty(), "left open {open:?} in {html:?}");
    assert!(!html.contains(['\0', '\r']), "{html:?}");
}

#[test]
#[allow(clippy::too_many_lines, reason = "a table")]
fn the_safe_part_is_rendered() {
    let anchor = |href: &str, text: &str| format!("<a href=\"{href}\" rel=\"ugc nofollow noopener\">{text}</a>");
    let linked = |href: &str, text: &str| format!("<p>{}</p>", anchor(href, text));
    let cases = [
        ("", String::new()),
        ("one\ntwo\r\nthree\rfour\n\nfive", "<p>one<br>two<br>three<br>four</p>\n<p>five</p>".into()),
        ("*a* **b** `c < d`", "<p><em>a</em> <strong>b</strong> <code>c &lt; d</code></p>".into()),
        ("***a** b*", "<p><em><strong>a</strong> b</em></p>".into()),
        ("*a _b_ c*", "<p><em>a b c</em></p>".into()),
        ("> a\n> b", "<blockquote><p>a<br>b</p>\n</blockquote>".into()),
        ("- a\n- b", "<ul><li>a</li><li>b</li></ul>".into()),
        ("- a\n\n- b", "<ul><li><p>a</p>\n</li><li><p>b</p>\n</li></ul>".into()),
        ("1. a\n2. b", "<ol><li>a</li><li>b</li></ol>".into()),
        ("2025. Was good", "<ol start=\"2025\"><li>Was good</li></ol>".into()),
        ("```rust id=x\nlet a = 1;\n\n  b\n```", "<pre><code>let a = 1;\n\n  b\n</code></pre>".into()),
        ("a\n\n---\n\nb", "<p>a</p>\n<hr>\n<p>b</p>".into()),
        ("# Big *and* **bold**", "<p><strong>Big <em>and</em> bold</strong></p>".into()),
        ("<b>x</b> & <i>", "<p>&lt;b&gt;x&lt;/b&gt; &amp; &lt;i&gt;</p>".into()),
        ("<div>\n*x*\n</div>\n\ny", "<p>&lt;div&gt;<br>*x*<br>&lt;/div&gt;</p>\n<p>y</p>".into()),
        ("[a](http://b.c \"t\")", linked("http://b.c/", "a")),
        ("[](http://b.c)", linked("http://b.c/", "http://b.c/")),
        ("<me@b.c>", linked("mailto:me@b.c", "me@b.c")),
        ("<https://b.c/d>", linked("https://b.c/d", "https://b.c/d")),
        ("HTTPS://b.c/d?x=1&y=2", linked("https://b.c/d?x=1&amp;y=2", "HTTPS://b.c/d?x=1&amp;y=2")),
        ("(http://b.c/d).", format!("<p>({}).</p>", anchor("http://b.c/d", "http://b.c/d"))),
        ("http://b.c/Foo_(bar), x", format!("<p>{}, x</p>", anchor("http://b.c/Foo_(bar)", "http://b.c/Foo_(bar)"))),
        ("http:// xhttp://b.c http://[", "<p>http:// xhttp://b.c http://[</p>".into()),
        ("é:http://b.c。", format!("<p>é:{}。</p>", anchor("http://b.c/", "http://b.c"))),
        ("`http://b.c`", "<p><code>http://b.c</code></p>".into()),
        ("![cat](https://b.c/cat.png)", linked("https://b.c/cat.png", "cat")),
        ("[![cat](https://b.c/cat.png)](http://d.e)", linked("http://d.e/", "cat")),
        ("![[x](http://b.c)](http://d.e)", linked("http://d.e/", "x")),
        ("[a](/b) [c](ftp://d) ftp://e.f", "<p>a c ftp://e.f</p>".into()),
        ("[a](mailto:b\"c)", linked("mailto:b%22c", "a")),
        ("[a](http://b.c/é)", linked("http://b.c/%C3%A9", "a")),
        ("| a |\n|---|\n| b |", "<p>| a |<br>|---|<br>| b |</p>".into()),
        ("a[^1] ~~b~~ $c$", "<p>a[^1] ~~b~~ $c$</p>".into()),
        ("a\0b&#13;c&#10;d&nbsp;e", "<p>a\u{fffd}b c<br>d&nbsp;e</p>".into()),
    ];
    for (markdown, html) in cases {
        assert_eq!(render(markdown), html, "{markdown:?}");
        assert_clean(&html, markdown);
    }
}

#[test]
fn html_is_sanitised() {
    let cases = [
        ("<p>a<p>b", "<p>a</p><p>b</p>"),
        ("<h1 id=x>a</h1><img src=x onerror=y>", "a"),
        ("<a href='http://b.c' title=x rel=me>d</a>", "<a href=\"http://b.c\" rel=\"ugc nofollow noopener\">d</a>"),
        ("<a href='javascript:x'>d</a>", "<a rel=\"ugc nofollow noopener\">d</a>"),
        ("<ol start=3><li>a</ol><ol start='-1 '></ol>", "<ol start=\"3\"><li>a</li></ol><ol></ol>"),
        ("a<script>b</script><style>c</style>", "a"),
        ("<pre>\n\n\na</pre>", "<pre>a</pre>"),
        ("\u{feff}\u{feff}a", "a"),
    ];
    for (html, clean) in cases {
        assert_eq!(sanitise(html), clean, "{html:?}");
    }
    let formatting = (0..MAX_OPEN).fold(String::new(), |html, n| format!("{html}<b x={n}>"));
    assert!(sanitise(&(formatting + &"<p>a".repeat(2_000))).starts_with("<p>a</p><p>a</p>"));
    let hostile = (0..=MAX_OPEN).fold(String::new(), |html, n| format!("{html}<b x={n}>"));
    assert!(sanitise(&(hostile + &"<p>a".repeat(2_000))).starts_with("<p>&lt;b x=0&gt;"));
}

#[test]
#[allow(clippy::too_many_lines, reason = "a table")]
fn nothing_a_reader_types_can_run() {
    let payloads = [
        "<script>alert(1)</script>",
        "<SCRIPT SRC=//x.y/z.js></SCRIPT>",
        "<scr<script>ipt>alert(1)</scr</script>ipt>",
        "<img src=x onerror=alert(1)>",
        "<img src=\"x` `<script>alert(1)</script>\"` `>",
        "<svg onload=alert(1)>",
        "<svg><script>alert&#40;1)</script></svg>",
        "<svg><a xlink:href=javascript:alert(1)><text>x</text></a></svg>",
        "<svg><animate attributeName=href values=javascript:alert(1) /></svg>",
        "<math><mi xlink:href='javascript:a'>x",
        "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
        "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
        "<iframe srcdoc='<script>alert(1)</script>'>",
        "<iframe src=javascript:alert(1)>",
        "<object data=data:text/html,x>",
        "<embed src=x>",
        "<base href=//x.y>",
        "<body onload=alert(1)>",
        "<details open ontoggle=alert(1)>",
        "<video><source onerror=alert(1)>",
        "<form action=javascript:a><button>x",
        "<input autofocus onfocus=alert(1)>",
        "<meta http-equiv=refresh content=0>",
        "<link rel=stylesheet href=x>",
        "<style>@import 'x'</style>",
        "<p style=\"x:expression(alert(1))\">",
        "<a href=javascript:alert(1)>x</a>",
        "<a href=\"jav&#x09;ascript:alert(1)\">x</a>",
        "<!--><img src=x onerror=a>-->",
        "<![CDATA[<script>alert(1)</script>]]>",
        "<?xml version='1.0'?><x onclick=a>",
        "<textarea></textarea><img onerror=a>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x]( javascript:alert(1))",
        "[x](<java\tscript:alert(1)>)",
        "[x](&#106;avascript:alert(1))",
        "[x](javascript&colon;alert(1))",
        "[x](java&Tab;script:alert(1))",
        "[x](java&NewLine;script:a)",
        "[x](&#1;javascript:alert(1))",
        "[x](\\javascript:alert(1))",
        "[x](javascript://%0aalert(1))",
        "[x](vbscript:msgbox(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "[x](DATA:text/html,<script>alert(1)</script>)",
        "[x](file:///etc/passwd)",
        "[x](blob:http://a/b)",
        "[x](view-source:javascript:a)",
        "[x](feed:javascript:alert(1))",
        "[x](http://a' onclick='alert(1))",
        "[x](<http://a\" onclick=\"alert(1)>)",
        "[x](mailto:a\"onclick=alert(1))",
        "[x](<mailto:a\"><script>alert(1)</script>>)",
        "[x](http://a 'onerror=\"alert(1)')",
        "[x](//a.b/c)",
        "[x]: javascript:alert(1)\n\n[x] [y][x]",
        "[x]: http://a '\"><script>alert(1)</script>'\n\n[x]",
        "<javascript:alert(1)>",
        "<JAVASCRIPT:alert(1)>",
        "<data:text/html,x>",
        "<http://a\"onclick=alert(1)>",
        "<a@b.c\"onclick=x>",
        "![x](javascript:alert(1))",
        "![x](data:image/svg+xml,<svg/onload=alert(1)>)",
        "![\" onerror=alert(1) x=\"](http://a/b.png)",
        "![x](http://a\"onerror=\"alert(1))",
        "![<script>alert(1)</script>](http://a)",
        "[<img src=x onerror=a>](http://a)",
        "> a\n<script\n> >alert(1)</script>",
        "> <img src=x\n> onerror=alert(1)>",
        "<a href=\"http://a\n> onclick=a\">",
        "```\n</code></pre><script>alert(1)</script>\n```",
        "```\"><script>alert(1)</script>\nx\n```",
        "`</code><script>alert(1)</script>`",
        "# <script>alert(1)</script>",
        "# x {#id onclick=alert(1)}",
        "- <svg\n- onload=alert(1)>",
        "**<b onclick=a>**",
        "http://a\"onclick=alert(1)",
        "http://a/<script>alert(1)</script>",
        "https://a/'onclick='alert(1)",
        "javascript://a.b/%0aalert(1)",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "&#60;script&#62;alert(1)&#60;/script&#62;",
        "\\<script>alert(1)\\</script>",
        "\u{ff1c}script\u{ff1e}alert(1)\u{ff1c}/script\u{ff1e}",
        "<\0script>alert(1)</\0script>",
        "<scri\u{0}pt>",
        "\u{feff}<script>a",
    ];
    for payload in payloads {
        let html = render(payload);
        assert_clean(&html, payload);
        assert_eq!(sanitise(&html), html, "{payload:?}");
        assert_clean(&sanitise(payload), payload);
    }
}

/// Times are measured elsewhere; what is slow here by orders of magnitude would still be noticed.
#[test]
fn hostile_text_stays_small_and_shallow() {
    const LIMIT: usize = 65_525;
    let half = |one: &str, other: &str| one.repeat(LIMIT / 2 / one.len()) + &other.repeat(LIMIT / 2 / other.len());
    let units = [
        ">",
        "[",
        "*",
        "`",
        "- ",
        "![[[",
        "1. ",
        "*a_ ",
        "[a](",
        "<",
        "&",
        "https://",
        "http://a.b ",
        "-\n+\n",
        "\n",
        ">>>>>>>>>>>>>\n\n",
        "[a]: http:b\n[a]\n",
        "<http:a>",
        "#\n",
        "((",
        "<!--",
        "<b>",
        "\u{a0}",
        "**a",
    ];
    let mut texts: Vec<String> = units.iter().map(|unit| unit.repeat(LIMIT / unit.len())).collect();
    texts.extend([half("- ", "\n"), half("> ", ">\n"), half("![", "](http:a)"), half("`", "a`"), half("*a ", "a* ")]);
    texts.push(format!("[a]: http:{}\n\n{}", "b".repeat(2_000), "[a]".repeat(21_000)));
    texts.push(format!("<http:{0}> http://{0}", "b".repeat(32_000)));
    texts.push((0..250).fold(String::new(), |text, n| format!("{text}{}- a\n", "  ".repeat(n))));
    for text in texts {
        let html = render(&text);
        let start = text.chars().take(20).collect::<String>();
        assert!(html.len() <= 32 * text.len() + 1_024, "{} bytes from {start:?}", html.len());
        assert_clean(&html, &start);
    }
}

fn hostile_text() -> impl Strategy<Value = String> {
    let tokens = "< > \" ' & ` ``` [ ] ( ) ! * ** _ ~ # - + 1. 7) \\ / : = ; { } | a b e script javascript: data: http:// \
         https://b.c mailto: ![ ]( [x]: <a <p> </p> <b> <li> <ol> <table> <pre> </a> <!-- --> <br> href= onclick= &lt; &#10; \
         &#13; &#0; &nbsp; &amp &colon; é \u{a0} \u{feff} \u{2028} \u{202e} 𝓢 \u{c} <svg> <math> <mi> <style>";
    let mut tokens: Vec<&str> = tokens.split(' ').collect();
    tokens.extend([" ", " ", "\n", "\n", "\n\n", "\r", "\t", "    ", "> ", "- "]);
    let token = proptest::sample::select(tokens).prop_map(str::to_owned);
    let any = any::<char>().prop_filter_map("NUL", |c| (c != '\0').then(|| c.to_string()));
    proptest::collection::vec(prop_oneof![12 => token, 1 => any], 0..40).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn twice_changes_nothing(text in hostile_text()) {
        let html = render(&text);
        assert_clean(&html, &text);
        prop_assert_eq!(sanitise(&html), html);
        let clean = sanitise(&text);
        prop_assert_eq!(sanitise(&clean), clean);
    }

    /// The sanitiser may be spared where the HTML is plain.
    #[test]
    fn plain_is_what_the_sanitiser_gives(text in hostile_text(), lines in proptest::collection::vec(hostile_text(), 0..3)) {
        let lines: Vec<String> = lines.iter().map(|line| format!("<p>{line}</p>")).collect();
        for html in [plain(&text), render(&text), text, lines.join("\n")] {
            if is_plain(&html) {
                prop_assert_eq!(SANITISER.clean(&html).to_string(), html);
            }
        }
    }

    /// The writer alone gives what the sanitiser would: two layers, each enough.
    #[test]
    fn the_writer_needs_no_sanitiser(text in hostile_text()) {
        let mut writer = Writer::default();
        for event in TextMergeStream::new(Parser::new_ext(&text.replace('\r', "\n"), Options::empty())) {
            writer.write(event);
        }
        prop_assert_eq!(SANITISER.clean(&writer.html).to_string(), writer.html);
    }
}

#[test]
fn links_are_those_that_a_reader_could_follow() {
    let html = render(
        "https://a.example/?x=1&y=2 [b](HTTP://B.example) `https://c.example` ada@d.example <a href=\"https://e.example\">",
    );
    assert_eq!(web_links(&html), ["https://a.example/?x=1&y=2", "http://b.example/"]);
}
