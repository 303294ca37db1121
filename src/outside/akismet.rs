//! Akismet's API 1.1, as a client: what is asked, told and answered.
//!
//! Only the words; sending is the guarded client's. The key goes in the body (`api_key`), so that it is in no address.

use url::Url;
use url::form_urlencoded::Serializer;

use super::{Opinion, Submission};

/// What is asked or told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    CommentCheck,
    SubmitSpam,
    SubmitHam,
}

impl Call {
    /// Where under the address of the service.
    pub fn path(self) -> &'static str {
        match self {
            Self::CommentCheck => "1.1/comment-check",
            Self::SubmitSpam => "1.1/submit-spam",
            Self::SubmitHam => "1.1/submit-ham",
        }
    }
}

/// The form that all calls have in common.
pub(super) fn form(key: &str, submission: &Submission) -> String {
    let Submission { site, article, .. } = submission;
    let mut form = Serializer::new(String::new());
    form.append_pair("api_key", key);
    // The publication's own address: where the article stands.
    let blog = Url::parse(&article.url).map_or_else(|_| article.url.clone(), |url| url.origin().ascii_serialization());
    form.append_pair("blog", &blog);
    form.append_pair("permalink", &article.url);
    form.append_pair("comment_type", if submission.parent.is_some() { "reply" } else { "comment" });
    form.append_pair("comment_author", submission.name);
    form.append_pair("comment_content", submission.text);
    form.append_pair("comment_date_gmt", &submission.at.to_rfc3339());
    form.append_pair("blog_lang", &site.language.replace('-', "_").to_lowercase());
    form.append_pair("blog_charset", "UTF-8");
    for (name, value) in [
        ("user_ip", submission.address),
        ("user_agent", submission.user_agent),
        ("comment_author_email", submission.email),
        ("comment_author_url", submission.url),
    ] {
        if let Some(value) = value {
            form.append_pair(name, value);
        }
    }
    form.finish()
}

/// What the answer to a check says; `None` when it is none, as for a key that is not valid.
pub(super) fn opinion(status: u16, body: &[u8]) -> Option<Opinion> {
    match (status, body.trim_ascii()) {
        (200, b"true") => Some(Opinion::Spam),
        (200, b"false") => Some(Opinion::Nothing),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_true_and_false_are_answers() {
        assert_eq!(opinion(200, b"true"), Some(Opinion::Spam));
        assert_eq!(opinion(200, b"false\n"), Some(Opinion::Nothing));
        for (status, body) in
            [(200, b"invalid".as_slice()), (200, b""), (500, b"true"), (302, b"false"), (200, b"trues")]
        {
            assert_eq!(opinion(status, body), None);
        }
    }
}
