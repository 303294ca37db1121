//! A strict reader of HTML: it takes only what our templates and the sanitiser write, and fails on anything else, so that
//! nothing can hide in what a browser would forgive.

/// A start tag.
#[derive(Debug)]
pub struct Tag {
    pub name: String,
    /// Names and values, references decoded.
    pub attributes: Vec<(String, String)>,
}

const VOID: [&str; 5] = ["br", "hr", "meta", "link", "input"];
/// What a comment may be made of.
const OF_COMMENTS: &str = "a blockquote br code em hr li ol p pre strong ul";
/// What our pages are made of, beside that.
const OF_PAGES: &str = "html head meta title link body header main section article footer h1 h2 span bdi time div form input \
                        textarea fieldset legend label button dl dt dd";
const ATTRIBUTES_OF_PAGES: &str = "lang dir charset name content rel href class id title datetime method action \
                                   accept-charset novalidate type value for rows required autocomplete tabindex autofocus role start \
                                   aria-labelledby aria-label aria-describedby aria-invalid aria-hidden checked";

impl Tag {
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Fails unless it is a comment's HTML and nothing but that.
pub fn assert_clean_comment(html: &str) {
    let tags = read(html).unwrap_or_else(|fault| panic!("{fault}: {html}"));
    for tag in &tags {
        assert!(OF_COMMENTS.split_whitespace().any(|name| name == tag.name), "<{}> in {html}", tag.name);
        for (name, value) in &tag.attributes {
            let is_allowed = match (tag.name.as_str(), name.as_str()) {
                ("a", "href") => is_web(value) || value.starts_with("mailto:"),
                ("a", "rel") => value == "ugc nofollow noopener",
                ("ol", "start") => value.bytes().all(|byte| byte.is_ascii_digit()),
                _ => false,
            };
            assert!(is_allowed, "{name}={value:?} in {html}");
        }
    }
}

/// Fails unless it is one of our pages, without script or style of its own and with links that only lead somewhere.
pub fn assert_clean_page(html: &str) -> Vec<Tag> {
    let body = html.strip_prefix("<!DOCTYPE html>").unwrap_or_else(|| panic!("no doctype: {html}"));
    let tags = read(body).unwrap_or_else(|fault| panic!("{fault}: {html}"));
    let is_known = |all: &str, name: &str| all.split_whitespace().any(|known| known == name);
    for tag in &tags {
        assert!(is_known(OF_PAGES, &tag.name) || is_known(OF_COMMENTS, &tag.name), "<{}> in {html}", tag.name);
        for (name, value) in &tag.attributes {
            assert!(is_known(ATTRIBUTES_OF_PAGES, name), "{name}={value:?} in {html}");
            if ["href", "action"].contains(&name.as_str()) {
                let is_harmless = is_web(value) || value.starts_with("mailto:") || value.starts_with('#');
                assert!(is_harmless, "{name}={value:?} in {html}");
            }
        }
    }
    for only_one in ["html", "head", "title", "body", "main"] {
        assert_eq!(tags.iter().filter(|tag| tag.name == only_one).count(), 1, "<{only_one}> in {html}");
    }
    tags
}

fn is_web(address: &str) -> bool {
    (address.starts_with("http://") || address.starts_with("https://") || is_upper_web(address))
        && !address.chars().any(char::is_control)
}

/// A reader's own spelling of the scheme is kept.
fn is_upper_web(address: &str) -> bool {
    let lower = address.to_ascii_lowercase();
    lower.starts_with("http://") || lower.starts_with("https://")
}

/// Every start tag, or what is not as strict as it should be.
fn read(html: &str) -> Result<Vec<Tag>, String> {
    let (mut tags, mut open) = (Vec::new(), Vec::new());
    let mut rest = html;
    while let Some(at) = rest.find(['<', '>']) {
        let inside = rest[at..].strip_prefix('<').ok_or("a > outside a tag")?;
        check_references(&rest[..at])?;
        if let Some(end) = inside.strip_prefix('/') {
            let (name, after) = end.split_once('>').ok_or("a tag without end")?;
            let expected: String = open.pop().ok_or("an end without start")?;
            if name != expected {
                return Err(format!("</{name}> where </{expected}> was to come"));
            }
            rest = after;
            continue;
        }
        let (tag, after) = read_tag(inside)?;
        if !VOID.contains(&tag.name.as_str()) {
            open.push(tag.name.clone());
        }
        tags.push(tag);
        rest = after;
    }
    check_references(rest)?;
    if open.is_empty() { Ok(tags) } else { Err(format!("still open: {open:?}")) }
}

/// Reads `name attribute="value" attribute>`.
fn read_tag(text: &str) -> Result<(Tag, &str), String> {
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let end = text.find(|c| !is_name(c)).ok_or("a tag without end")?;
    let (name, mut rest) = text.split_at(end);
    if name.is_empty() {
        return Err("a < that begins no tag".to_owned());
    }
    let mut attributes: Vec<(String, String)> = Vec::new();
    loop {
        if let Some(after) = rest.strip_prefix('>') {
            return Ok((Tag { name: name.to_owned(), attributes }, after));
        }
        rest = rest.strip_prefix(' ').ok_or_else(|| format!("what is no attribute in <{name}>"))?;
        let end = rest.find(|c| !is_name(c)).ok_or("an attribute without end")?;
        let (attribute, after) = rest.split_at(end);
        if attribute.is_empty() || attributes.iter().any(|(known, _)| known == attribute) {
            return Err(format!("an attribute without name, or twice, in <{name}>"));
        }
        let (value, after) = match after.strip_prefix("=\"") {
            Some(quoted) => quoted.split_once('"').ok_or("a value without end")?,
            None => ("", after),
        };
        if value.contains(['<', '>']) {
            return Err(format!("a bracket in a value of <{name}>"));
        }
        check_references(value)?;
        attributes.push((attribute.to_owned(), decode(value)));
        rest = after;
    }
}

/// Every & begins a reference that ends with a semicolon.
fn check_references(text: &str) -> Result<(), String> {
    for piece in text.split('&').skip(1) {
        let name = piece.split_once(';').map(|(name, _)| name).unwrap_or_default();
        let is_number = name.strip_prefix('#').is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
        if !is_number && !["amp", "lt", "gt", "quot", "nbsp"].contains(&name) {
            return Err(format!("a & that begins no reference: &{}", piece.chars().take(12).collect::<String>()));
        }
    }
    Ok(())
}

/// Decodes the references that [`check_references`] lets through, each once.
pub fn decode(text: &str) -> String {
    let mut pieces = text.split('&');
    let mut decoded = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (name, rest) = piece.split_once(';').unwrap_or(("amp", piece));
        decoded.push(match name {
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "nbsp" => '\u{a0}',
            "amp" => '&',
            number => number.trim_start_matches('#').parse().ok().and_then(char::from_u32).expect("a character"),
        });
        decoded.push_str(rest);
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reader_is_strict() {
        for good in [
            "",
            "a &amp; b",
            "<p>a<br>b</p>",
            "<a href=\"https://x.org/?a=1&amp;b=2\" rel=\"ugc nofollow noopener\">x</a>",
        ] {
            assert_clean_comment(good);
        }
        for bad in [
            "<script>",
            "<p>",
            "</p>",
            "a < b",
            "a > b",
            "<P></P>",
            "<p onclick=\"x\"></p>",
            "<a href='x'></a>",
            "<a href=x></a>",
            "<a href=\"javascript:x\"></a>",
            "<a href=\"java&#115;cript:x\"></a>",
            "<br/>",
            "<!-- -->",
            "<em><strong></em></strong>",
            "&x",
            "<p\n></p>",
        ] {
            assert!(std::panic::catch_unwind(|| assert_clean_comment(bad)).is_err(), "{bad}");
        }
    }
}
