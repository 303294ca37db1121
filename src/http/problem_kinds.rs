//! The catalogue of problems: every kind there is, with its slug, status, title and what it means.

/// Every kind of problem there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    Unreadable,
    TwoCredentials,
    Unauthenticated,
    Forbidden,
    SecondFactorRequired,
    CommentsClosed,
    ForeignOrigin,
    CrossSite,
    NotFound,
    MethodNotAllowed,
    NotAcceptable,
    DuplicateComment,
    Conflict,
    LastAdmin,
    StillRunning,
    Gone,
    Stale,
    TooLarge,
    UnsupportedMediaType,
    Invalid,
    KeyReused,
    ChallengeUnsolved,
    PreconditionRequired,
    TooFast,
    Timeout,
    Internal,
    Overloaded,
    Unavailable,
    DiskFull,
}

/// How a kind appears: in its URL, as a status, as a title, and on its own page.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    pub slug: &'static str,
    pub status: u16,
    pub title: &'static str,
    pub meaning: &'static str,
}

impl Kind {
    /// All kinds, in the order of their status.
    pub const ALL: [Self; 29] = [
        Self::Unreadable,
        Self::TwoCredentials,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::SecondFactorRequired,
        Self::CommentsClosed,
        Self::ForeignOrigin,
        Self::CrossSite,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::NotAcceptable,
        Self::Timeout,
        Self::DuplicateComment,
        Self::Conflict,
        Self::LastAdmin,
        Self::StillRunning,
        Self::Gone,
        Self::Stale,
        Self::TooLarge,
        Self::UnsupportedMediaType,
        Self::Invalid,
        Self::KeyReused,
        Self::ChallengeUnsolved,
        Self::PreconditionRequired,
        Self::TooFast,
        Self::Internal,
        Self::Overloaded,
        Self::Unavailable,
        Self::DiskFull,
    ];

    /// The catalogue.
    #[allow(clippy::too_many_lines)] // A table.
    pub const fn row(self) -> Row {
        let (slug, status, title, meaning) = match self {
            Self::Unreadable => (
                "unreadable",
                400,
                "The request cannot be read",
                "The body is not JSON, not UTF-8 or not a form, a header cannot be read, or a cursor is not one of ours or belongs to another list. Sending the same again will not help.",
            ),
            Self::TwoCredentials => (
                "two-credentials",
                400,
                "A token and a cookie at once",
                "A request comes with a token or with the cookies of a session, never with both: it could not be told whose it is.",
            ),
            Self::Unauthenticated => (
                "unauthenticated",
                401,
                "Signing in is needed",
                "No valid access token came with the request: it is missing, expired, signed out or not ours, or the name, password or code is wrong. Sign in again.",
            ),
            Self::Forbidden => ("forbidden", 403, "Not allowed", "You are known, and your role does not allow this."),
            Self::SecondFactorRequired => (
                "second-factor-required",
                403,
                "A second factor is needed",
                "Your role must have a second factor, and you have none yet. Until you have set it up (POST, then PUT /api/v1/me/totp) you may see yourself, manage your sessions and sign out.",
            ),
            Self::CommentsClosed => (
                "comments-closed",
                403,
                "Comments are closed",
                "The article takes no more comments; or none at this hour, and then `opens_at` says when it does again.",
            ),
            Self::ForeignOrigin => (
                "foreign-origin",
                403,
                "Sent from another site",
                "The request was made by a page of an origin that this site does not list. An administrator can add it to the site's origins.",
            ),
            Self::CrossSite => (
                "cross-site",
                403,
                "Not sent by one of our own pages",
                "What changes something by the cookies of a session must say that a page of this very origin sent it: `Sec-Fetch-Site: same-origin`, or this server's public URL as `Origin`. Browsers say so by themselves.",
            ),
            Self::NotFound => ("not-found", 404, "Not found", "There is nothing here, or nothing that you may see."),
            Self::MethodNotAllowed => (
                "method-not-allowed",
                405,
                "Method not allowed",
                "The address exists; the Allow header lists what can be done with it.",
            ),
            Self::NotAcceptable => {
                ("not-acceptable", 406, "No such representation", "What the Accept header asks for cannot be given.")
            }
            Self::Timeout => (
                "timeout",
                408,
                "The request took too long to arrive",
                "A request's body must arrive within ten seconds.",
            ),
            Self::DuplicateComment => (
                "duplicate-comment",
                409,
                "You said that already",
                "The same author has sent exactly this text to this article before.",
            ),
            Self::Conflict => (
                "conflict",
                409,
                "In conflict with the present state",
                "What the request asks for does not go together with what is there now.",
            ),
            Self::LastAdmin => (
                "last-admin",
                409,
                "There must be an administrator",
                "The last enabled administrator cannot be disabled, removed or given another role. Make somebody else one first.",
            ),
            Self::StillRunning => (
                "still-running",
                409,
                "The first request still runs",
                "A request with the same Idempotency-Key has not been answered yet. Wait, then send the same again.",
            ),
            Self::Gone => (
                "gone",
                410,
                "No longer there",
                "A comment was withdrawn by its author or erased, and cannot be decided any more; or a link was used, has expired, or a newer one took its place.",
            ),
            Self::Stale => (
                "stale",
                412,
                "Changed in the meantime",
                "Somebody else was faster. `current` says how it stands; read it, then decide again with its version.",
            ),
            Self::TooLarge => (
                "too-large",
                413,
                "Too large",
                "The body is larger than this route takes (512 KiB unless said otherwise).",
            ),
            Self::UnsupportedMediaType => (
                "unsupported-media-type",
                415,
                "Unsupported media type",
                "The Content-Type or Content-Encoding is not one that this route takes.",
            ),
            Self::Invalid => (
                "invalid",
                422,
                "Some fields are wrong",
                "The request was read, and `errors` names every field that is wrong and says what would be right.",
            ),
            Self::KeyReused => (
                "idempotency-key-reused",
                422,
                "Idempotency-Key used for something else",
                "A request with this key was answered before and asked for something else. Use a new key for a new request.",
            ),
            Self::ChallengeUnsolved => (
                "challenge-unsolved",
                422,
                "A challenge must be solved",
                "While there is more to take than people write, a comment needs the solution of a challenge: get one from the article's `challenge` address, solve it (ALTCHA, version 1, SHA-256) and send the solution as the field `altcha`. Each is for one article, good for ten minutes and for one comment.",
            ),
            Self::PreconditionRequired => (
                "precondition-required",
                428,
                "If-Match is needed",
                "A change to one comment must say which version it is about: send If-Match with the ETag you read.",
            ),
            Self::TooFast => ("too-fast", 429, "Too many requests", "Retry-After says how many seconds to wait."),
            Self::Internal => (
                "internal",
                500,
                "Something went wrong here",
                "The failure is ours and has been logged; `trace_id` finds it.",
            ),
            Self::Overloaded => (
                "overloaded",
                503,
                "Too busy",
                "More waits already than can be answered soon. Nothing was changed; Retry-After says when to try again.",
            ),
            Self::Unavailable => (
                "unavailable",
                503,
                "The database cannot be reached",
                "Try again after Retry-After. A write may have happened; repeat it with the same Idempotency-Key.",
            ),
            Self::DiskFull => (
                "disk-full",
                507,
                "No room to keep it",
                "Nothing was changed. Reading goes on; writing works again when there is room.",
            ),
        };
        Row { slug, status, title, meaning }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_kind_has_a_slug_of_its_own_and_a_status_that_is_an_error() {
        let slugs: HashSet<_> = Kind::ALL.iter().map(|kind| kind.row().slug).collect();
        assert_eq!(slugs.len(), Kind::ALL.len());
        assert!(Kind::ALL.iter().all(|kind| (400..600).contains(&kind.row().status)));
    }
}
