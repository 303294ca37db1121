//! Markdown's safe part, turned into the little HTML that a comment may carry.
//!
//! Three layers, each meant to be enough alone: the writer here knows twelve tags and escapes everything else, so HTML typed
//! by a reader shows as text; every address is parsed, and written back as parsed; and a sanitiser reads the result the way
//! a browser would. Hostile text stays cheap: nesting is flattened, and what would cost too much is shown as plain text.
//!
//! Deliberately not here: images (a plain link instead, so that nothing is ever loaded), tables, footnotes, styles, classes,
//! ids, and any judgement about the words or about where a link leads.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};
use pulldown_cmark::{Event, LinkType, Options, Parser, Tag, TextMergeStream};
use url::Url;

const TAGS: &str = "a blockquote br code em hr li ol p pre strong ul";
const SCHEMES: [&str; 3] = ["http", "https", "mailto"];
const REL: &str = "ugc nofollow noopener";
const CONTAINER_ENDS: [&str; 3] = ["</blockquote>\n", "</ul>\n", "</ol>\n"];

/// Quotes and lists nested deeper than this are flattened: nobody reads a thirteenth level on a telephone.
const MAX_DEPTH: usize = 12;

/// Addresses longer than this, in bytes, stay text: the limit of a sitemap entry (sitemaps.org), which real links respect.
const MAX_URL: usize = 2_048;

/// Lines times the longest run of container markers, above which a text is not read as Markdown: the parser tries each line
/// against each open container. Five hundred lines of code indented by eighty spaces make 40,000.
const MAX_CONTAINER_WORK: usize = 2_000_000;

/// Tags and character references, above which HTML is not parsed. One costs up to 2 µs, so this is about 10 ms.
const MAX_PIECES: usize = 6_000;

/// Elements left open, above which HTML is not parsed: an HTML parser reopens unclosed formatting in every paragraph.
/// [`render`] leaves at most [`MAX_DEPTH`] and four more.
const MAX_OPEN: usize = 32;

/// Rounds in which [`sanitise`] must reach a text that it would not change any more. Honest HTML takes one or two.
const MAX_ROUNDS: usize = 8;

static SANITISER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let attributes = [("a", HashSet::from(["href"])), ("ol", HashSet::from(["start"]))];
    let mut builder = Builder::new();
    builder
        .tags(TAGS.split(' ').collect())
        .generic_attributes(HashSet::new())
        .tag_attributes(HashMap::from(attributes))
        .attribute_filter(|_, attribute, value| {
            let is_kept = attribute != "start" || value.bytes().all(|b| b.is_ascii_digit());
            is_kept.then_some(Cow::Borrowed(value))
        })
        .url_schemes(HashSet::from(SCHEMES))
        .url_relative(UrlRelative::Deny)
        .link_rel(Some(REL));
    builder
});

/// Renders a comment's Markdown as clean HTML, safe to place inside an element of a page.
///
/// Single line breaks are kept; headings become bold paragraphs; images become links; bare `http` and `https` addresses are
/// linked. A text that would give more than 6,000 tags and references, or cost the parser more than linear time, becomes
/// plain text. The result is at most 32 times as long as the text, plus 1 KB, and a fixed point of [`sanitise`].
#[must_use]
pub fn render(markdown: &str) -> String {
    let mut text = Cow::Borrowed(markdown);
    if text.contains('\r') {
        text = Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"));
    }
    if container_work(&text) > MAX_CONTAINER_WORK {
        return plain(&text);
    }
    let mut writer = Writer::default();
    for event in TextMergeStream::new(Parser::new_ext(&text, Options::empty())) {
        writer.write(event);
    }
    clean(writer.html.trim_end_matches('\n')).unwrap_or_else(|| plain(&text))
}

/// Keeps of some HTML only what [`render`] may write: well-formed, and nothing that a second time would change.
///
/// Hostile HTML, too large, too deep or never at rest, is shown as text instead. Keeping what a browser would show is not
/// promised beyond that: the content of `script` and `style` goes, that of other refused elements stays.
#[must_use]
pub fn sanitise(html: &str) -> String {
    clean(html).unwrap_or_else(|| plain(html))
}

/// The web addresses (`http`, `https`) that HTML from [`render`] links to, in order.
#[must_use]
pub fn web_links(html: &str) -> Vec<String> {
    let links = html.split("<a href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    links.filter(|link| link.starts_with("http")).map(|link| link.replace("&amp;", "&")).collect()
}

fn clean(html: &str) -> Option<String> {
    let mut html = Cow::Borrowed(html);
    for _ in 0..MAX_ROUNDS {
        if is_plain(&html) {
            return Some(html.into_owned());
        }
        if is_too_costly(&html) {
            return None;
        }
        // A parser drops one byte order mark at the start, and would drop the next one when it reads the result again.
        let cleaned = SANITISER.clean(html.trim_start_matches('\u{feff}')).to_string();
        if cleaned == *html {
            return Some(cleaned);
        }
        html = Cow::Owned(cleaned);
    }
    None
}

/// Writes parser events as HTML, in exactly the form in which the sanitiser gives it back.
#[derive(Default)]
struct Writer {
    html: String,
    /// What ends each open element; empty for one that is not written because it is refused, too deep or already on.
    ends: Vec<&'static str>,
    depth: usize,
    is_emphasis: bool,
    is_strong: bool,
    is_code_block: bool,
    /// The address of the link being written, and where its text starts.
    link: Option<(String, usize)>,
}

impl Writer {
    fn write(&mut self, event: Event) {
        match event {
            Event::Start(tag) => self.open(tag),
            Event::End(_) => self.close(),
            Event::Text(text) if self.is_code_block => escape(&mut self.html, &text, "\n"),
            Event::Text(text) if self.link.is_none() && text.contains("://") => self.linkify(&text),
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => {
                escape(&mut self.html, &text, "<br>");
            }
            Event::Code(text) => {
                self.html += "<code>";
                escape(&mut self.html, &text, " ");
                self.html += "</code>";
            }
            Event::SoftBreak | Event::HardBreak => self.html += "<br>",
            Event::Rule => self.html += "<hr>\n",
            _ => {} // belongs to extensions that are switched off
        }
    }

    fn open(&mut self, tag: Tag) {
        let is_flattened = self.ends.last().is_some_and(|end| end.is_empty());
        let (start, end) = match tag {
            Tag::Paragraph | Tag::HtmlBlock => ("<p>", "</p>\n"),
            Tag::Heading { .. } => ("<p><strong>", "</strong></p>\n"),
            Tag::CodeBlock(_) => ("<pre><code>", "</code></pre>\n"),
            Tag::BlockQuote(_) if self.depth < MAX_DEPTH => ("<blockquote>", "</blockquote>\n"),
            Tag::List(None) if self.depth < MAX_DEPTH => ("<ul>", "</ul>\n"),
            Tag::List(Some(1)) if self.depth < MAX_DEPTH => ("<ol>", "</ol>\n"),
            Tag::List(Some(number)) if self.depth < MAX_DEPTH => {
                self.html += "<ol start=\"";
                self.html += &number.to_string();
                self.html += "\">";
                ("", "</ol>\n")
            }
            Tag::Item if !is_flattened => ("<li>", "</li>"),
            Tag::Item if !self.html.ends_with(['>', '\n']) => ("<br>", ""),
            Tag::Emphasis if !self.is_emphasis => ("<em>", "</em>"),
            Tag::Strong if !self.is_strong => ("<strong>", "</strong>"),
            Tag::Link { link_type: LinkType::Email, dest_url, .. } => {
                ("", self.open_link(&format!("mailto:{dest_url}")))
            }
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => ("", self.open_link(&dest_url)),
            _ => ("", ""),
        };
        self.html += start;
        self.ends.push(end);
        self.turn(end);
        self.depth += usize::from(CONTAINER_ENDS.contains(&end));
    }

    fn close(&mut self) {
        let end = self.ends.pop().unwrap_or_default();
        match (end, self.link.take()) {
            // The last line break of HTML typed by the reader.
            ("</p>\n", _) => self.html.truncate(self.html.trim_end_matches("<br>").len()),
            ("</a>", Some((href, start))) if self.html.len() == start => {
                escape(&mut self.html, &href, "");
            }
            ("</a>", _) => {}
            (_, link) => self.link = link,
        }
        self.html += end;
        self.turn(end);
        self.depth -= usize::from(CONTAINER_ENDS.contains(&end));
    }

    /// An element has started or ended: what was off is on, and the other way round.
    fn turn(&mut self, end: &str) {
        self.is_emphasis ^= end == "</em>";
        self.is_strong ^= end.starts_with("</strong>");
        self.is_code_block ^= end.starts_with("</code>");
    }

    /// Starts a link and gives its end, unless the address is refused or there is a link around it.
    fn open_link(&mut self, address: &str) -> &'static str {
        let Some(href) = safe_address(address).filter(|_| self.link.is_none()) else {
            return "";
        };
        self.html += &anchor(&href);
        self.link = Some((href, self.html.len()));
        "</a>"
    }

    fn linkify(&mut self, text: &str) {
        let mut rest = text;
        while let Some((start, end)) = find_address(rest) {
            let (before, address) = (&rest[..start], &rest[start..end]);
            escape(&mut self.html, before, "<br>");
            let href = safe_address(address);
            self.html += &href.as_deref().map(anchor).unwrap_or_default();
            escape(&mut self.html, address, "<br>");
            self.html += if href.is_some() { "</a>" } else { "" };
            rest = &rest[end..];
        }
        escape(&mut self.html, rest, "<br>");
    }
}

/// Where the first bare web address stands: from its scheme to a space, quote or bracket, without the sentence's own
/// punctuation, and without closing parentheses that nothing in the address opens.
fn find_address(text: &str) -> Option<(usize, usize)> {
    let is_stop = |c: char| c.is_whitespace() || c.is_control() || "<>\"`“”«»，。、）」".contains(c);
    text.match_indices("://").find_map(|(colon, _)| {
        let word = text[..colon].bytes().rev().take_while(u8::is_ascii_alphanumeric).count();
        let start = colon - word;
        if !["http", "https"].iter().any(|web| web.eq_ignore_ascii_case(&text[start..colon])) {
            return None;
        }
        let tail = &text[start..];
        let mut address = &tail[..tail.find(is_stop).unwrap_or(tail.len())];
        let mut unopened = address.matches(')').count().saturating_sub(address.matches('(').count());
        while let Some(last) = address.chars().next_back() {
            let is_unopened = last == ')' && unopened > 0;
            if !is_unopened && !"?!.,:;*_~'’]".contains(last) {
                break;
            }
            unopened -= usize::from(is_unopened);
            address = &address[..address.len() - last.len_utf8()];
        }
        Some((start, start + address.len()))
    })
}

fn anchor(href: &str) -> String {
    let mut html = String::with_capacity(href.len() + 48);
    html += "<a href=\"";
    escape(&mut html, href, "");
    html + "\" rel=\"" + REL + "\">"
}

/// The address as a browser would read it (no tabs, no quotes, an ASCII host), if its scheme is allowed.
fn safe_address(address: &str) -> Option<String> {
    let url = Url::parse(address).ok().filter(|_| address.len() <= MAX_URL)?;
    let is_allowed = SCHEMES.contains(&url.scheme());
    is_allowed.then(|| String::from(url).replace('"', "%22"))
}

/// A measure of the parser's comparisons with open containers, each of which costs a byte at the start of some line. Opening
/// thousands in one line was measured to cost as much as many lines do.
fn container_work(text: &str) -> usize {
    let is_marker = |b: &u8| b" \t>-*+.)0123456789".contains(b);
    let indents = text.lines().map(|line| line.bytes().take_while(is_marker).count());
    let deepest = indents.max().unwrap_or(0);
    deepest * (text.lines().count() + deepest / 4)
}

/// Whether the HTML is paragraphs of escaped text and nothing more, which the sanitiser gives back as it got them.
fn is_plain(html: &str) -> bool {
    html.split('\n').all(|line| {
        let text = line.strip_prefix("<p>").and_then(|line| line.strip_suffix("</p>"));
        text.is_some_and(|text| {
            let mut specials = text.match_indices(['<', '>', '&', '\u{a0}', '\r', '\0']);
            specials.all(|(at, special)| match special {
                "<" => text[at..].starts_with("<br>"),
                ">" => text[..at].ends_with("<br"),
                "&" => ["&amp;", "&lt;", "&gt;", "&nbsp;"].iter().any(|r| text[at..].starts_with(r)),
                _ => false,
            })
        })
    })
}

/// Whether an HTML parser would have too many pieces to read or too many elements open at once, counted on the high side:
/// `<p>` and `<li>` close their like, and void elements hold nothing, so these are free.
fn is_too_costly(html: &str) -> bool {
    let mut open: Vec<&str> = Vec::new();
    for tag in html.split('<').skip(1) {
        let (is_end, tag) = (tag.starts_with('/'), tag.trim_start_matches('/'));
        let (name, _) = tag.split_at(tag.bytes().take_while(u8::is_ascii_alphanumeric).count());
        if is_end {
            open.pop_if(|last| last.eq_ignore_ascii_case(name));
        } else if !["", "p", "li", "br", "hr", "img"].iter().any(|free| free.eq_ignore_ascii_case(name)) {
            open.push(name);
        }
        if open.len() > MAX_OPEN {
            return true;
        }
    }
    html.bytes().filter(|b| b"<&".contains(b)).count() > MAX_PIECES
}

/// The text as it is, in one paragraph.
fn plain(text: &str) -> String {
    let mut html = String::from("<p>");
    escape(&mut html, text, "<br>");
    html + "</p>"
}

/// Escapes text as it is for an element of a page; its line breaks stay line breaks.
pub fn escape_text(html: &mut String, text: &str) {
    escape(html, text, "\n");
}

/// Escapes for text and for attributes in double quotes, as the HTML standard's serialiser does. What an HTML parser would
/// drop or change (NUL, a carriage return) is changed here already.
fn escape(html: &mut String, text: &str, line_break: &str) {
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>', '\u{a0}', '\n', '\r', '\0']) {
        let (before, special) = rest.split_at(at);
        html.push_str(before);
        let mut chars = special.chars();
        html.push_str(match chars.next() {
            Some('&') => "&amp;",
            Some('<') => "&lt;",
            Some('>') => "&gt;",
            Some('\u{a0}') => "&nbsp;",
            Some('\n') => line_break,
            Some('\r') => " ",
            _ => "\u{fffd}",
        });
        rest = chars.as_str();
    }
    html.push_str(rest);
}

#[cfg(test)]
mod tests;
