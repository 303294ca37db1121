//! Every word a reader sees, in one catalogue per language.
//!
//! A page takes a `&'static Wording` and holds no words of its own, so that another language is one `static` more and one
//! line in [`in_language`]. Whatever depends on the grammar (plurals, the order of a date) is a function of the language.
//! Placeholders stand in braces: `{name}`, `{limit}`, `{when}`. A message says what would be right, not only what is wrong.
//!
//! Not here: what moderators and operators read, and the `title` and `detail` of problems, which belong to the contract.

mod english;

use crate::kit::clock::Millis;

pub use english::ENGLISH;

/// What a receipt says about one state of its comment.
#[derive(Debug)]
pub struct ReceiptWords {
    /// The page's heading.
    pub title: &'static str,
    /// One or two sentences under it.
    pub meaning: &'static str,
}

/// The reader-facing text of one language. Values are plain text; templates escape them.
#[derive(Debug)]
pub struct Wording {
    /// BCP 47 tag of this catalogue.
    pub tag: &'static str,
    /// Writing direction for the `dir` attribute: `ltr` or `rtl`.
    pub direction: &'static str,
    pub thousands_separator: &'static str,

    // Every page
    pub product: &'static str,
    pub skip_to_content: &'static str,
    pub footer: &'static str,
    pub problem_prefix: &'static str,
    pub nothing_to_show: &'static str,

    // The article and its thread
    pub read_article: &'static str,
    pub jump_to_form: &'static str,
    pub more_comments: &'static str,
    pub more_replies: &'static str,
    /// Stands for a name that was not given.
    pub anonymous: &'static str,
    pub comments_closed: &'static str,
    pub opens_again: &'static str,
    pub staff: &'static str,
    pub permalink: &'static str,
    pub edited: &'static str,
    pub reply: &'static str,
    pub reply_to: &'static str,
    pub report: &'static str,
    pub report_by: &'static str,

    // The reply form
    pub leave_a_reply: &'static str,
    pub in_reply_to: &'static str,
    pub cancel_reply: &'static str,
    pub form_note: &'static str,
    pub required_mark: &'static str,
    pub form_problem: &'static str,
    /// The same form came with another comment before: the browser's "back", then another text.
    pub form_sent_before: &'static str,
    pub comment: &'static str,
    pub comment_hint: &'static str,
    pub name: &'static str,
    pub email: &'static str,
    pub url: &'static str,
    pub parent: &'static str,
    pub moderation_note: &'static str,
    /// Beside the field that people do not see, for those who see it all the same.
    pub trap: &'static str,
    pub challenge_working: &'static str,
    pub challenge_waiting: &'static str,
    pub challenge_solved: &'static str,
    pub challenge_failed: &'static str,
    /// What was solved was not taken; the page that says so solves anew.
    pub challenge_again: &'static str,
    pub post_comment: &'static str,

    // The receipt
    pub receipt: &'static str,
    pub receipt_article: &'static str,
    pub receipt_private: &'static str,
    pub receipt_reason: &'static str,
    pub receipt_message: &'static str,
    pub receipt_comment: &'static str,
    pub receipt_see_it: &'static str,
    pub receipt_pending: ReceiptWords,
    pub receipt_approved: ReceiptWords,
    pub receipt_rejected: ReceiptWords,
    pub receipt_withdrawn: ReceiptWords,

    // Reporting a comment
    pub report_title: &'static str,
    pub report_summary: &'static str,
    pub report_reason: &'static str,
    pub report_text: &'static str,
    pub report_send: &'static str,
    pub report_cancel: &'static str,
    pub report_problem: &'static str,
    pub report_sent: ReceiptWords,

    // Why a comment was rejected, or reported, by the key of the site's list
    pub reason_offensive: &'static str,
    pub reason_abusive: &'static str,
    pub reason_spam: &'static str,
    pub reason_advertising: &'static str,
    pub reason_off_topic: &'static str,
    pub reason_personal_data: &'static str,
    pub reason_illegal: &'static str,
    pub reason_misinformation: &'static str,
    pub reason_hate: &'static str,
    pub reason_duplicate: &'static str,
    pub reason_other: &'static str,

    // Setting a password by a link
    pub reset_title: &'static str,
    pub reset_summary: &'static str,
    pub reset_account: &'static str,
    pub reset_password: &'static str,
    pub reset_hint: &'static str,
    pub reset_send: &'static str,
    pub reset_problem: &'static str,
    pub reset_done: ReceiptWords,

    // Problem pages
    pub problem_status: &'static str,
    pub problem_fields: &'static str,
    pub problem_trace: &'static str,
    pub problem_type: &'static str,
    pub problem_meaning: &'static str,

    // What would be right in a field
    pub field_required: &'static str,
    pub field_type: &'static str,
    pub field_too_long: &'static str,
    pub field_too_long_by_limit: &'static str,
    pub field_email: &'static str,
    pub field_url: &'static str,
    pub field_control_character: &'static str,
    pub field_nul_character: &'static str,
    pub field_invisible_character: &'static str,
    pub field_stacked_marks: &'static str,
    pub field_stacked_marks_by_limit: &'static str,
    pub field_blank: &'static str,
    pub field_parent: &'static str,
    pub field_unknown: &'static str,
    pub field_range: &'static str,
    pub field_range_by_limit: &'static str,
    pub field_choice: &'static str,
    pub field_expiry: &'static str,
    pub field_too_many: &'static str,
    pub field_too_many_by_limit: &'static str,
    pub field_expired: &'static str,
    pub field_spent: &'static str,
    pub field_pattern: &'static str,
    /// With the character from which on it cannot be read.
    pub field_pattern_by_limit: &'static str,
    pub field_pattern_size: &'static str,
    pub field_matches_all: &'static str,
    pub field_host: &'static str,
    pub field_script: &'static str,
    pub field_search: &'static str,
    /// With the character from which on it cannot be read.
    pub field_search_by_limit: &'static str,
    pub field_format: &'static str,
    pub field_wrong: &'static str,
    pub field_too_many_characters: &'static str,
    pub field_address: &'static str,
    pub field_network: &'static str,
    pub field_too_wide: &'static str,
    pub field_future: &'static str,
    pub field_one_of: &'static str,
    pub field_too_short: &'static str,
    pub field_too_short_by_limit: &'static str,
    pub field_password_too_long: &'static str,
    pub field_password_common: &'static str,
    pub field_password_wrong: &'static str,
    pub field_username: &'static str,
    pub field_taken: &'static str,
    pub field_site: &'static str,
    pub field_all_sites: &'static str,
    pub field_timezone: &'static str,
    pub field_origin: &'static str,
    pub field_otherwise: &'static str,

    months: [&'static str; 12],
    comments: fn(&Wording, u64) -> String,
    date_time: fn(&Wording, i16, u8, u8, u8, u8) -> String,
}

/// The catalogue for a BCP 47 tag such as `en-GB`, by its primary subtag; English where there is no other.
#[must_use]
pub fn in_language(tag: &str) -> &'static Wording {
    let primary = tag.split(['-', '_']).next().unwrap_or_default();
    CATALOGUES.iter().copied().find(|words| words.tag.eq_ignore_ascii_case(primary)).unwrap_or(&ENGLISH)
}

static CATALOGUES: [&Wording; 1] = [&ENGLISH];

impl Wording {
    /// "No comments yet", "1 comment", "3 comments". A negative count reads as none.
    #[must_use]
    pub fn comments(&self, count: i64) -> String {
        (self.comments)(self, u64::try_from(count).unwrap_or(0))
    }

    /// "24 November 2026, 05:16 UTC", from the parts of a UTC time; `month` and `day` count from 1.
    #[must_use]
    pub fn date_time(&self, year: i16, month: u8, day: u8, hour: u8, minute: u8) -> String {
        (self.date_time)(self, year, month, day, hour, minute)
    }

    /// A moment, to the minute, in UTC.
    #[must_use]
    pub fn moment(&self, moment: Millis) -> String {
        let (year, month, day, hour, minute) = moment.parts();
        self.date_time(year, month, day, hour, minute)
    }

    /// "You can comment again from 24 November 2026, 07:00 UTC".
    #[must_use]
    pub fn opens_again(&self, when: &str) -> String {
        self.opens_again.replace("{when}", when)
    }

    /// A number with its thousands set apart: "65,525".
    #[must_use]
    pub fn number(&self, value: u64) -> String {
        let digits = value.to_string();
        let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                grouped.push_str(self.thousands_separator);
            }
            grouped.push(digit);
        }
        grouped
    }

    /// "Reply to Ada".
    #[must_use]
    pub fn reply_to(&self, name: &str) -> String {
        self.reply_to.replace("{name}", name)
    }

    /// "Report the comment by Ada".
    #[must_use]
    pub fn report_by(&self, name: &str) -> String {
        self.report_by.replace("{name}", name)
    }

    /// "Edited 24 November 2026, 05:16 UTC".
    #[must_use]
    pub fn edited(&self, when: &str) -> String {
        self.edited.replace("{when}", when)
    }

    /// What a reason's key means; a key of the site's own is its own word.
    #[must_use]
    pub fn reason<'key>(&self, key: &'key str) -> &'key str {
        match key {
            "offensive" => self.reason_offensive,
            "abusive" => self.reason_abusive,
            "spam" => self.reason_spam,
            "advertising" => self.reason_advertising,
            "off-topic" => self.reason_off_topic,
            "personal-data" => self.reason_personal_data,
            "illegal" => self.reason_illegal,
            "misinformation" => self.reason_misinformation,
            "hate" => self.reason_hate,
            "duplicate" => self.reason_duplicate,
            "other" => self.reason_other,
            own => own,
        }
    }

    /// The label of the field a JSON pointer such as `/email` names; the pointer itself where the form has no such field.
    #[must_use]
    pub fn field_label<'pointer>(&self, pointer: &'pointer str) -> &'pointer str {
        match pointer {
            "/name" => self.name,
            "/email" => self.email,
            "/url" => self.url,
            "/comment" => self.comment,
            "/parent_id" => self.parent,
            other => other,
        }
    }

    /// The sentence beside a wrong field. `limit` is in bytes for `too_long`, in characters for `too_many_characters`,
    /// `too_short` and `password_too_long`, in marks per letter for `stacked_marks` and the highest number for `range` and
    /// `too_many`; for `search` and `pattern` it is the character from which on it cannot be read; other codes ignore it.
    #[must_use]
    pub fn field_message(&self, code: &str, limit: Option<u64>) -> String {
        let (plain, by_limit) = match code {
            "required" => (self.field_required, None),
            "type" => (self.field_type, None),
            "too_long" => (self.field_too_long, Some(self.field_too_long_by_limit)),
            "email" => (self.field_email, None),
            "url" => (self.field_url, None),
            "control_character" => (self.field_control_character, None),
            "nul_character" => (self.field_nul_character, None),
            "invisible_character" => (self.field_invisible_character, None),
            "stacked_marks" => (self.field_stacked_marks, Some(self.field_stacked_marks_by_limit)),
            "blank" => (self.field_blank, None),
            "parent" => (self.field_parent, None),
            "unknown" => (self.field_unknown, None),
            "range" => (self.field_range, Some(self.field_range_by_limit)),
            "choice" => (self.field_choice, None),
            "format" => (self.field_format, None),
            "wrong" => (self.field_wrong, None),
            "too_short" => (self.field_too_short, Some(self.field_too_short_by_limit)),
            "password_too_long" => (self.field_too_long, Some(self.field_password_too_long)),
            "password_common" => (self.field_password_common, None),
            "password_wrong" => (self.field_password_wrong, None),
            "username" => (self.field_username, None),
            "taken" => (self.field_taken, None),
            "site" => (self.field_site, None),
            "all_sites" => (self.field_all_sites, None),
            "too_many_characters" => (self.field_too_long, Some(self.field_too_many_characters)),
            "address" => (self.field_address, None),
            "network" => (self.field_network, None),
            "too_wide" => (self.field_too_wide, None),
            "future" => (self.field_future, None),
            "one_of" => (self.field_one_of, None),
            "expiry" => (self.field_expiry, None),
            "expired" => (self.field_expired, None),
            "spent" => (self.field_spent, None),
            "timezone" => (self.field_timezone, None),
            "origin" => (self.field_origin, None),
            "too_many" => (self.field_too_many, Some(self.field_too_many_by_limit)),
            "pattern" => (self.field_pattern, Some(self.field_pattern_by_limit)),
            "pattern_size" => (self.field_pattern_size, None),
            "matches_all" => (self.field_matches_all, None),
            "host" => (self.field_host, None),
            "script" => (self.field_script, None),
            "search" => (self.field_search, Some(self.field_search_by_limit)),
            _ => (self.field_otherwise, None),
        };
        match (by_limit, limit) {
            (Some(pattern), Some(limit)) => pattern.replace("{limit}", &self.number(limit)),
            _ => plain.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_follow_english_grammar() {
        assert_eq!(ENGLISH.comments(-1), "No comments yet");
        assert_eq!(ENGLISH.comments(0), "No comments yet");
        assert_eq!(ENGLISH.comments(1), "1 comment");
        assert_eq!(ENGLISH.comments(3), "3 comments");
        assert_eq!(ENGLISH.comments(1_234_567), "1,234,567 comments");
    }

    #[test]
    fn any_tag_finds_a_catalogue() {
        for tag in ["en", "EN-gb", "en_US", "fr", "zh-Hant-TW", "", "-"] {
            assert_eq!(in_language(tag).tag, "en");
        }
    }

    #[test]
    fn a_date_reads_naturally() {
        assert_eq!(ENGLISH.date_time(2026, 11, 24, 5, 16), "24 November 2026, 05:16 UTC");
        assert_eq!(ENGLISH.date_time(2026, 0, 1, 0, 0), "2026-00-01, 00:00 UTC");
    }

    #[test]
    fn limits_are_named_where_they_are_known() {
        let message = ENGLISH.field_message("too_long", Some(65_525));
        assert!(message.contains("at most 65,525 bytes"), "{message}");
        assert_eq!(ENGLISH.field_message("too_long", None), "Make this shorter.");
        assert_eq!(ENGLISH.field_message("email", Some(7)), "Give an email address such as reader@example.org.");
        assert_eq!(ENGLISH.field_message("no such code", None), ENGLISH.field_otherwise);
    }

    #[test]
    fn a_reason_of_the_sites_own_is_its_own_word() {
        assert_eq!(ENGLISH.reason("off-topic"), "It is not about the article.");
        assert_eq!(ENGLISH.reason("paywall"), "paywall");
    }
}
