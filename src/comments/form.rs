//! The reply form: what a reader typed, the rules for each field, and the comment that comes of it.
//!
//! [`ReplyForm`] is whatever arrived. [`NewComment`] can only be made from it by [`ReplyForm::accept`], which finds every
//! fault at once. Limits are WordPress's, in bytes of UTF-8 (`wp_get_comment_fields_max_lengths`).

use url::Url;
use validator::{Validate, ValidateEmail, ValidationError};

use crate::kit::fault::{self, Fault};
use crate::kit::ids::CommentId;
use crate::kit::text;
use crate::sites::RequiredFields;

/// Limits in bytes.
pub const MAX_NAME: usize = 245;
pub const MAX_EMAIL: usize = 100;
pub const MAX_URL: usize = 200;
pub const MAX_TEXT: usize = 65_525;

/// What arrived. An empty field is none.
#[derive(Debug, Clone, Default, Validate)]
pub struct ReplyForm {
    #[validate(custom(function = name_rules))]
    pub name: Option<String>,
    #[validate(custom(function = email_rules))]
    pub email: Option<String>,
    #[validate(custom(function = url_rules))]
    pub url: Option<String>,
    #[validate(custom(function = text_rules))]
    pub comment: Option<String>,
    pub parent_id: Option<CommentId>,
    /// What was found wrong in reading it: a value of a wrong type.
    pub faults: Vec<Fault>,
}

/// A comment that may be posted.
#[derive(Debug, Clone)]
pub struct NewComment {
    /// Empty when the site does not ask for one and none was given.
    pub name: String,
    pub email: Option<String>,
    pub url: Option<String>,
    pub text: String,
}

impl ReplyForm {
    /// Makes a comment of the form, or says everything that is wrong with it. `parent_fault` is what was found wrong with
    /// the comment it replies to.
    pub fn accept(mut self, required: RequiredFields, parent_fault: Option<Fault>) -> Result<NewComment, Vec<Fault>> {
        let mut faults = std::mem::take(&mut self.faults);
        fault::add(&mut faults, fault::of(&self));
        fault::add(&mut faults, self.missing(required));
        fault::add(&mut faults, parent_fault.into_iter().collect());
        if !faults.is_empty() {
            faults.sort_by(|a, b| a.pointer.cmp(&b.pointer));
            return Err(faults);
        }
        Ok(NewComment {
            // It was judged above; a name that is not asked for may be missing.
            name: self.name.and_then(|name| text::name(&name).ok()).unwrap_or_default(),
            email: self.email,
            url: self.url,
            text: self.comment.unwrap_or_default(),
        })
    }

    fn missing(&self, required: RequiredFields) -> Vec<Fault> {
        let fields = [
            ("comment", true, self.comment.is_none()),
            ("email", required.email, self.email.is_none()),
            ("name", required.name, self.name.is_none()),
        ];
        fields
            .into_iter()
            .filter(|(_, is_required, is_missing)| *is_required && *is_missing)
            .map(|(name, _, _)| Fault::new(name, "required"))
            .collect()
    }
}

pub(super) fn name_rules(name: &str) -> Result<(), ValidationError> {
    fault::at_most(name, MAX_NAME)?;
    text::name(name).map(drop).map_err(fault::of_text)
}

fn email_rules(email: &str) -> Result<(), ValidationError> {
    text::check_plain(email).map_err(fault::of_text)?;
    fault::at_most(email, MAX_EMAIL)?;
    // HTML takes a bare host name; on the internet it is a typing error.
    let has_domain = email.rsplit_once('@').is_some_and(|(_, host)| host.contains('.') || host.starts_with('['));
    if has_domain && email.validate_email() { Ok(()) } else { Err(ValidationError::new("email")) }
}

/// Only addresses of the web: whatever else a link may do, a reader's link must not.
pub(super) fn url_rules(url: &str) -> Result<(), ValidationError> {
    text::check_plain(url).map_err(fault::of_text)?;
    fault::at_most(url, MAX_URL)?;
    let is_web = Url::parse(url).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
    });
    if is_web { Ok(()) } else { Err(ValidationError::new("url")) }
}

pub(super) fn text_rules(comment: &str) -> Result<(), ValidationError> {
    fault::at_most(comment, MAX_TEXT)?;
    text::check_comment(comment).map_err(fault::of_text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[allow(clippy::unnecessary_wraps)] // What a form has is optional.
    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    fn good() -> ReplyForm {
        ReplyForm {
            name: some("Ada"),
            email: some("ada@example.org"),
            comment: some("Well said."),
            ..ReplyForm::default()
        }
    }

    fn faults(form: ReplyForm) -> Vec<(String, &'static str)> {
        let faults = form.accept(RequiredFields::default(), None).err().unwrap_or_default();
        faults.into_iter().map(|fault| (fault.pointer, fault.code)).collect()
    }

    #[test]
    fn every_fault_is_found_at_once() {
        let form = ReplyForm {
            name: some("a\u{202e}b"),
            email: some("not an email"),
            url: some("javascript:alert(1)"),
            ..ReplyForm::default()
        };
        let found = faults(form);
        let expected =
            [("/comment", "required"), ("/email", "email"), ("/name", "invisible_character"), ("/url", "url")];
        assert_eq!(found, expected.map(|(pointer, code)| (pointer.to_owned(), code)));
    }

    #[test]
    fn limits_count_bytes_and_what_just_fits_is_taken() {
        let fits = ReplyForm { name: some(&"é".repeat(122)), comment: some(&"x".repeat(MAX_TEXT)), ..good() };
        assert!(faults(fits).is_empty());
        let over = ReplyForm { name: some(&"é".repeat(123)), comment: some(&"x".repeat(MAX_TEXT + 1)), ..good() };
        assert_eq!(faults(over), [("/comment".to_owned(), "too_long"), ("/name".to_owned(), "too_long")]);
    }

    #[test]
    fn emails_are_judged_as_browsers_judge_them() {
        for (email, is_good) in [
            ("ada@example.org", true),
            ("ada+news@mail.example.org", true),
            ("ada@example.org\r\nBcc: all@example.org", false),
            ("ada@", false),
            ("ada@example", false),
            ("@example.org", false),
            ("ada example@example.org", false),
            ("\"><script>@example.org", false),
        ] {
            assert_eq!(faults(ReplyForm { email: some(email), ..good() }).is_empty(), is_good, "{email:?}");
        }
    }

    #[test]
    fn only_web_addresses_are_urls() {
        for (url, is_good) in [
            ("https://example.org/path?q=1#part", true),
            ("http://example.org", true),
            ("HTTPS://EXAMPLE.ORG", true),
            ("example.org", false),
            ("javascript:alert(1)", false),
            ("java\tscript:alert(1)", false),
            ("data:text/html,x", false),
            ("https://user:pass@example.org", false),
            ("//example.org", false),
        ] {
            assert_eq!(faults(ReplyForm { url: some(url), ..good() }).is_empty(), is_good, "{url:?}");
        }
    }
}
