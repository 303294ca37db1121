//! The words that readers see, in English.

use super::{ReceiptWords, Wording};

pub static ENGLISH: Wording = Wording {
    tag: "en",
    direction: "ltr",
    thousands_separator: ",",

    product: "Rejoinder",
    skip_to_content: "Skip to the main part",
    footer: "Comments by Rejoinder",
    problem_prefix: "Problem:",
    nothing_to_show: "There is no text to show any more.",

    read_article: "Read the article",
    jump_to_form: "Leave a reply",
    more_comments: "More comments",
    more_replies: "More replies",
    anonymous: "Anonymous",
    comments_closed: "Comments on this article are closed.",
    opens_again: "No comments are taken at this hour. You can comment again from {when}.",
    staff: "Staff",
    permalink: "Link to this comment",
    edited: "Edited {when}",
    reply: "Reply",
    reply_to: "Reply to {name}",
    report: "Report",
    report_by: "Report the comment by {name}",

    leave_a_reply: "Leave a reply",
    in_reply_to: "In reply to",
    cancel_reply: "Cancel reply",
    form_note: "Your email address is not published. Required fields are marked",
    required_mark: "*",
    form_problem: "Your comment was not sent yet. Please look again at what is marked below.",
    form_sent_before: "This form was sent before, with another comment, and that one arrived. If this is a new one, send it \
                       once more.",
    comment: "Comment",
    comment_hint: "Markdown works here: *emphasis*, >\u{a0}quotes, -\u{a0}lists, `code` and [links](https://example.org).",
    name: "Name",
    email: "Email",
    url: "Website",
    parent: "The comment you reply to",
    moderation_note: "A moderator may read your comment before it appears.",
    trap: "Leave this empty",
    challenge_working: "Your browser is solving a small puzzle that makes it harder for robots. You need not do anything.",
    challenge_waiting: "One moment: your comment goes off as soon as your browser has solved its puzzle.",
    challenge_solved: "Your browser has solved its puzzle.",
    challenge_failed: "Your browser could not solve its puzzle. Post your comment all the same: a moderator reads it first.",
    challenge_again: "Your browser's puzzle was too old or used already. Your text is still here: please post it again.",
    post_comment: "Post comment",
    remember: "Remember my name, email and website in this browser",
    remember_note: "A cookie for a year, and only if you tick this.",

    receipt: "Receipt for your comment",
    receipt_article: "On the article",
    receipt_private: "Only you have the address of this page. Bookmark it: it always shows what became of your comment. \
                      Whoever knows the address sees what you see, so do not pass it on.",
    receipt_reason: "Reason",
    receipt_message: "A message from the moderators",
    receipt_comment: "What you wrote",
    receipt_see_it: "See your comment on the page",
    receipt_pending: ReceiptWords {
        title: "Your comment is waiting for review",
        meaning: "It arrived safely. A moderator will read it before it appears; there is nothing more you need to do.",
    },
    receipt_approved: ReceiptWords {
        title: "Your comment is published",
        meaning: "Everybody can read it under the article.",
    },
    receipt_rejected: ReceiptWords {
        title: "Your comment was not published",
        meaning: "A moderator decided against publishing it. Readers cannot see it.",
    },
    receipt_withdrawn: ReceiptWords {
        title: "You withdrew your comment",
        meaning: "It does not appear under the article any more.",
    },

    report_title: "Report this comment",
    report_summary: "Tell the moderators what is wrong with it. They read every report; the comment's author does not \
                     learn who sent one.",
    report_reason: "What is wrong with it?",
    report_text: "Anything else they should know",
    report_send: "Send report",
    report_cancel: "Back to the comment",
    report_problem: "The report was not sent yet. Please look again at what is marked below.",
    report_sent: ReceiptWords {
        title: "Thank you for your report",
        meaning: "It arrived. The moderators will look at the comment.",
    },

    reason_offensive: "It is offensive.",
    reason_abusive: "It attacks or insults someone.",
    reason_spam: "It looks like spam.",
    reason_advertising: "It advertises something.",
    reason_off_topic: "It is not about the article.",
    reason_personal_data: "It gives away personal data.",
    reason_illegal: "Publishing it could break the law.",
    reason_misinformation: "It states as a fact what is not true.",
    reason_hate: "It spreads hatred against a group of people.",
    reason_duplicate: "The same comment was already here.",
    reason_other: "It does not fit the rules of this site.",

    reset_title: "Set a new password",
    reset_summary: "This link works once. Setting the password ends every session of the account; sign in with the new \
                    one afterwards.",
    reset_account: "Account",
    reset_password: "New password",
    reset_hint: "A few words that do not belong together make a good one. It needs no digits or signs.",
    reset_send: "Set password",
    reset_problem: "The password was not set yet. Please look again at what is marked below.",
    reset_done: ReceiptWords {
        title: "Your password is set",
        meaning: "Sign in with it where you moderate. This link does not work any more.",
    },

    verify_mail_subject: "Is this your comment on {site}?",
    verify_mail_text: "Somebody, probably you, gave this email address with a comment on\n\n    {article}\n    {site}\n\n\
                       If it was you, look at the comment and confirm that it is yours:\n\n{link}\n\n\
                       The link is good until {until}.\n\n\
                       If it was not you, ignore this message. Nothing happens then, and your address is not published.\n",
    verify_title: "Is this your comment?",
    verify_summary: "It came with your email address. If you wrote it, confirm that; the moderators then know that the \
                     address is yours.",
    verify_remember: "This is my own browser: remember me here",
    verify_remember_note: "A cookie for a year. What you post from here with this address then counts as yours without \
                           another mail.",
    verify_send: "Yes, I wrote it",
    verify_not_mine: "If you did not write it, close this page. Nothing happens then.",
    verify_done: ReceiptWords {
        title: "Thank you, that is confirmed",
        meaning: "The moderators see that the address is yours. If your comment is waiting for review, it still is.",
    },
    verify_done_and_remembered: ReceiptWords {
        title: "Thank you, that is confirmed",
        meaning: "The moderators see that the address is yours, and this browser is remembered. If your comment is \
                  waiting for review, it still is.",
    },

    problem_status: "Status",
    problem_fields: "What to change",
    problem_trace: "If you report this, please quote this number:",
    problem_type: "Problem type",
    problem_meaning: "What it means",

    field_required: "Fill in this field; it cannot be left empty.",
    field_type: "Give a value of the kind this field takes, such as text in quotes or a bare number.",
    field_too_long: "Make this shorter.",
    field_too_long_by_limit: "Make this shorter: at most {limit} bytes. A plain Latin letter is one byte, an accented \
                              letter two, other scripts and emoji three or four.",
    field_email: "Give an email address such as reader@example.org.",
    field_url: "Give a web address such as https://example.org, or leave this empty.",
    field_control_character: "Write this with letters, digits and signs only; control characters came along with it.",
    field_nul_character: "Write this without the NUL character (U+0000).",
    field_invisible_character: "Write this with characters that can be seen; copied text sometimes brings invisible ones.",
    field_stacked_marks: "Put only a few accents or other marks on each letter.",
    field_stacked_marks_by_limit: "Put at most {limit} accents or other marks on each letter.",
    field_blank: "Write something that can be seen; spaces alone are not enough.",
    field_parent: "Reply to a published comment on this article, or write a comment of its own.",
    field_unknown: "Leave this out; no such field is known here.",
    field_range: "Give a number within the allowed range.",
    field_range_by_limit: "Give a number of at most {limit}.",
    field_choice: "Choose one of the offered values.",
    field_expiry: "Give a moment between now and a year from now.",
    field_too_many: "Give fewer.",
    field_too_many_by_limit: "Give at most {limit}.",
    field_expired: "This has expired; get a new one.",
    field_spent: "This was used before; get a new one.",
    field_pattern: "This pattern cannot be read.",
    field_pattern_by_limit: "This pattern cannot be read from its character {limit} on: see to brackets, repetitions and what stands after a backslash.",
    field_pattern_size: "Make the pattern simpler: repeat less in it. Compiled it may take 1 MiB, and all of a site together 16 MiB.",
    field_matches_all: "Write a pattern that needs at least one character; this one is found in every text.",
    field_host: "Give a host such as spam.example; what is below it is meant too.",
    field_script: "Give a script as Unicode names it, such as Cyrillic or Han.",
    field_search: "This search cannot be read.",
    field_search_by_limit: "This search cannot be read from its character {limit} on: see to quotation marks, parentheses, and what AND, OR and NOT join.",
    field_format: "Give this in the form that the field expects.",
    field_wrong: "This is not the right one.",
    field_too_many_characters: "Make this shorter: at most {limit} characters.",
    field_address: "Give an IP address such as 192.0.2.1 or 2001:db8::1.",
    field_network: "Give a network such as 192.0.2.0/24 or 2001:db8::/48.",
    field_too_wide: "Give a smaller network: at most an IPv4 /16 or an IPv6 /32.",
    field_future: "Give a moment that is still to come.",
    field_one_of: "Give exactly one of these.",
    field_too_short: "Make this longer.",
    field_too_short_by_limit: "Make this longer: at least {limit} characters.",
    field_password_too_long: "Make this shorter: at most {limit} characters.",
    field_password_common: "Choose another: this is among the first that anyone would guess, or little more than a name.",
    field_password_wrong: "Give the password that you sign in with now.",
    field_username: "Give a name of 1 to 64 of the characters A-Z a-z 0-9 . _ ~ @ + -",
    field_taken: "Choose another; somebody has or had this one.",
    field_site: "Name sites that there are.",
    field_all_sites: "Leave this out; an administrator has every site.",
    field_timezone: "Give the name of a time zone, such as Europe/Paris.",
    field_origin: "Give scheme, host and perhaps port of a page, such as https://news.example.",
    field_otherwise: "Please look at this field again.",

    months: [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    comments: english_comments,
    date_time: english_date_time,
};

fn english_comments(words: &Wording, count: u64) -> String {
    match count {
        0 => "No comments yet".to_owned(),
        1 => "1 comment".to_owned(),
        many => format!("{} comments", words.number(many)),
    }
}

fn english_date_time(words: &Wording, year: i16, month: u8, day: u8, hour: u8, minute: u8) -> String {
    match words.months.get(usize::from(month).wrapping_sub(1)) {
        Some(name) => format!("{day} {name} {year}, {hour:02}:{minute:02} UTC"),
        None => format!("{year:04}-{month:02}-{day:02}, {hour:02}:{minute:02} UTC"),
    }
}
