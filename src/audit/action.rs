//! What can be done, and to what, in the words of the log. A word once written is never given another meaning.

use crate::kit::ids::{ApiKeyId, ArticleId, BanId, CommentId, ModeratorId, SessionId, SiteId};

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    SignedIn,
    SignInRefused,
    SignedOut,
    /// A refresh token that was used before came back.
    RefreshReused,
    /// Somebody ended a session that they did not come with: another of their own, or somebody else's.
    SessionEnded,
    /// All sessions of somebody, or all but the one they came with.
    SessionsEnded,
    DisplayNameChanged,
    PasswordChanged,
    PasswordResetMade,
    PasswordResetUsed,
    /// A new password from the command line.
    PasswordSet,
    TotpOn,
    TotpOff,
    RecoveryCodesMade,
    RecoveryCodeUsed,
    KeyMade,
    KeyEnded,
    ModeratorAdded,
    /// Role, sites, enabled again.
    ModeratorChanged,
    ModeratorDisabled,
    ModeratorRemoved,
    SiteAdded,
    SiteChanged,
    ArticlePut,
    Decided,
    /// A decision for which a site wants a second moderator, made by the first.
    SecondOpinionAsked,
    /// Readers' reports about a comment were answered by deciding what was so already.
    ReportsAnswered,
    BanMade,
    BanLifted,
    /// What somebody taught a site's filter was taken back.
    TrainingTakenBack,
    /// A moderator wrote a note for colleagues.
    Noted,
    /// Staff replied to a comment.
    Replied,
    /// A moderator changed what a comment says.
    Edited,
    /// What a site screens by.
    RulesChanged,
    /// A site's rules were applied anew to what waits there.
    RulesRerun,
    SigningKeyRotated,
    AuditExported,
    Erased,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 38] = [
        Self::SignedIn,
        Self::SignInRefused,
        Self::SignedOut,
        Self::RefreshReused,
        Self::SessionEnded,
        Self::SessionsEnded,
        Self::DisplayNameChanged,
        Self::PasswordChanged,
        Self::PasswordResetMade,
        Self::PasswordResetUsed,
        Self::PasswordSet,
        Self::TotpOn,
        Self::TotpOff,
        Self::RecoveryCodesMade,
        Self::RecoveryCodeUsed,
        Self::KeyMade,
        Self::KeyEnded,
        Self::ModeratorAdded,
        Self::ModeratorChanged,
        Self::ModeratorDisabled,
        Self::ModeratorRemoved,
        Self::SiteAdded,
        Self::SiteChanged,
        Self::ArticlePut,
        Self::Decided,
        Self::SecondOpinionAsked,
        Self::ReportsAnswered,
        Self::BanMade,
        Self::BanLifted,
        Self::TrainingTakenBack,
        Self::Noted,
        Self::Replied,
        Self::Edited,
        Self::RulesChanged,
        Self::RulesRerun,
        Self::SigningKeyRotated,
        Self::AuditExported,
        Self::Erased,
    ];

    /// Reads the word of the log.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == text)
    }

    /// The word of the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignedIn => "signed-in",
            Self::SignInRefused => "sign-in-refused",
            Self::SignedOut => "signed-out",
            Self::RefreshReused => "refresh-reused",
            Self::SessionEnded => "session-ended",
            Self::SessionsEnded => "sessions-ended",
            Self::DisplayNameChanged => "display-name-changed",
            Self::PasswordChanged => "password-changed",
            Self::PasswordResetMade => "password-reset-made",
            Self::PasswordResetUsed => "password-reset-used",
            Self::PasswordSet => "password-set",
            Self::TotpOn => "totp-on",
            Self::TotpOff => "totp-off",
            Self::RecoveryCodesMade => "recovery-codes-made",
            Self::RecoveryCodeUsed => "recovery-code-used",
            Self::KeyMade => "key-made",
            Self::KeyEnded => "key-ended",
            Self::ModeratorAdded => "moderator-added",
            Self::ModeratorChanged => "moderator-changed",
            Self::ModeratorDisabled => "moderator-disabled",
            Self::ModeratorRemoved => "moderator-removed",
            Self::SiteAdded => "site-added",
            Self::SiteChanged => "site-changed",
            Self::ArticlePut => "article-put",
            Self::Decided => "decided",
            Self::SecondOpinionAsked => "second-opinion-asked",
            Self::ReportsAnswered => "reports-answered",
            Self::BanMade => "ban-made",
            Self::BanLifted => "ban-lifted",
            Self::TrainingTakenBack => "training-taken-back",
            Self::Noted => "noted",
            Self::Replied => "replied",
            Self::Edited => "edited",
            Self::RulesChanged => "rules-changed",
            Self::RulesRerun => "rules-rerun",
            Self::SigningKeyRotated => "signing-key-rotated",
            Self::AuditExported => "audit-exported",
            Self::Erased => "erased",
        }
    }
}

/// What it was done to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    Site(SiteId),
    Article(ArticleId),
    Comment(CommentId),
    Moderator(ModeratorId),
    Session(SessionId),
    Key(ApiKeyId),
    Ban(BanId),
}

impl Subject {
    /// The word of the log.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Site(_) => "site",
            Self::Article(_) => "article",
            Self::Comment(_) => "comment",
            Self::Moderator(_) => "moderator",
            Self::Session(_) => "session",
            Self::Key(_) => "key",
            Self::Ban(_) => "ban",
        }
    }

    /// The number of its id.
    pub const fn number(self) -> i64 {
        match self {
            Self::Site(id) => id.get(),
            Self::Article(id) => id.get(),
            Self::Comment(id) => id.get(),
            Self::Moderator(id) => id.get(),
            Self::Session(id) => id.get(),
            Self::Key(id) => id.get(),
            Self::Ban(id) => id.get(),
        }
    }
}
