//! The site's own webhook: what it is sent, and what its answer says.
//!
//! Signed as Standard Webhooks 1.0 says. An answer is `{"verdict": "hold"}`, `{"verdict": "spam"}`, `{"verdict": null}` or
//! nothing at all (204, or an empty body); any other is none.

use serde::Deserialize;
use serde_json::json;

use super::{Opinion, Submission};

/// The body that is signed and sent.
pub(super) fn body(submission: &Submission) -> String {
    let Submission { site, article, .. } = submission;
    let body = json!({
        "type": "comment.screening",
        "timestamp": submission.at,
        "data": {
            "site": site.key.as_str(),
            "article": { "key": article.key.as_str(), "title": article.title, "url": article.url },
            "comment": {
                "name": submission.name,
                "email": submission.email,
                "url": submission.url,
                "text": submission.text,
                "ip": submission.address,
                "user_agent": submission.user_agent,
                "parent_id": submission.parent,
            },
        },
    });
    body.to_string()
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    verdict: Option<Word>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    Hold,
    Spam,
}

/// What the answer says; `None` when it is none.
pub(super) fn opinion(status: u16, body: &[u8]) -> Option<Opinion> {
    if !(200..300).contains(&status) {
        return None;
    }
    if body.trim_ascii().is_empty() {
        return Some(Opinion::Nothing);
    }
    let answer: Answer = serde_json::from_slice(body).ok()?;
    Some(match answer.verdict {
        Some(Word::Hold) => Opinion::Hold,
        Some(Word::Spam) => Opinion::Spam,
        None => Opinion::Nothing,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_holds_calls_spam_or_says_nothing() {
        for (status, body, wanted) in [
            (200, r#"{"verdict": "hold"}"#, Some(Opinion::Hold)),
            (201, r#"{"verdict": "spam", "more": 1}"#, Some(Opinion::Spam)),
            (200, r#"{"verdict": null}"#, Some(Opinion::Nothing)),
            (200, "{}", Some(Opinion::Nothing)),
            (204, "", Some(Opinion::Nothing)),
            (200, r#"{"verdict": "publish"}"#, None),
            (200, "hold", None),
            (301, "", None),
            (500, r#"{"verdict": "hold"}"#, None),
        ] {
            assert_eq!(opinion(status, body.as_bytes()), wanted, "{status} {body}");
        }
    }
}
