//! Writing CSV (RFC 4180) for people who open it in a spreadsheet: a cell that one would take for a formula is defused.

/// Adds a line.
pub fn add_line<'a>(to: &mut String, cells: impl IntoIterator<Item = &'a str>) {
    for (index, text) in cells.into_iter().enumerate() {
        if index > 0 {
            to.push(',');
        }
        add_cell(to, text);
    }
    to.push_str("\r\n");
}

/// What begins with one of these may be run as a formula; an apostrophe before it makes it a text (OWASP, CSV injection).
fn add_cell(to: &mut String, text: &str) {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    let must_be_quoted = text.contains([',', '"', '\r', '\n']);
    if must_be_quoted {
        to.push('"');
    }
    if is_formula {
        to.push('\'');
    }
    to.push_str(&text.replace('"', "\"\""));
    if must_be_quoted {
        to.push('"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(cells: &[&str]) -> String {
        let mut text = String::new();
        add_line(&mut text, cells.iter().copied());
        text
    }

    #[test]
    fn cells_are_set_apart_and_quoted_where_they_must_be() {
        assert_eq!(line(&["a", "", "b c", "é"]), "a,,b c,é\r\n");
        assert_eq!(line(&["a,b", "say \"so\"", "two\nlines"]), "\"a,b\",\"say \"\"so\"\"\",\"two\nlines\"\r\n");
    }

    #[test]
    fn no_cell_is_a_formula() {
        for (text, wanted) in [
            ("=1+1", "'=1+1\r\n"),
            ("+1", "'+1\r\n"),
            ("-1", "'-1\r\n"),
            ("@SUM(A1)", "'@SUM(A1)\r\n"),
            ("\tx", "'\tx\r\n"),
            ("\rx", "\"'\rx\"\r\n"),
            ("=HYPERLINK(\"x\",\"y\")", "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\"\r\n"),
            ("a=1", "a=1\r\n"),
        ] {
            assert_eq!(line(&[text]), wanted);
        }
    }
}
