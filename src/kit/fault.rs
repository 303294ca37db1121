//! Faults: which field of what a client sent is wrong, and how.
//!
//! A fault has a code for programs and no words: what would be right is said in the reader's language where the fault is
//! shown. The rules for single fields are `validator`'s; this module turns what they find into faults.

use std::borrow::Cow;

use validator::{Validate, ValidationError};

use super::text::TextFault;

/// One field that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// A JSON pointer (RFC 6901): `/name`, or empty for the whole.
    pub pointer: String,
    /// What is wrong, for programs.
    pub code: &'static str,
    /// The limit that was passed, where one was; for a search or a pattern, the character from which on it cannot be read.
    pub limit: Option<u64>,
}

impl Fault {
    /// Field `name` is wrong in the way `code` says.
    pub fn new(name: &str, code: &'static str) -> Self {
        Self { pointer: format!("/{}", name.replace('~', "~0").replace('/', "~1")), code, limit: None }
    }

    /// The element of a list `name` at `index`, counted from 0, is wrong.
    pub fn of_element(name: &str, index: usize, code: &'static str) -> Self {
        let list = Self::new(name, code);
        Self { pointer: format!("{}/{index}", list.pointer), ..list }
    }

    /// The same fault of something that stands inside of `parent`, itself a pointer.
    #[must_use]
    pub fn within(self, parent: &str) -> Self {
        Self { pointer: format!("{parent}{}", self.pointer), ..self }
    }

    /// Field `name` breaks a rule.
    pub fn of_rule(name: &str, error: &ValidationError) -> Self {
        let limit = error.params.get("limit").and_then(serde_json::Value::as_u64);
        Self { limit, ..Self::new(name, known_code(&error.code)) }
    }

    /// The whole is wrong.
    pub fn of_whole(code: &'static str) -> Self {
        Self { pointer: String::new(), code, limit: None }
    }
}

/// Adds `more` to `faults`, but for fields that have one already.
pub fn add(faults: &mut Vec<Fault>, more: Vec<Fault>) {
    for fault in more {
        if faults.iter().all(|known| known.pointer != fault.pointer) {
            faults.push(fault);
        }
    }
}

/// What the rules of `value` find: the first fault of each field, since the next often only repeats it.
pub fn of(value: &impl Validate) -> Vec<Fault> {
    let Err(errors) = value.validate() else { return Vec::new() };
    let first = |(name, errors): (Cow<'static, str>, &Vec<ValidationError>)| {
        errors.first().map(|error| Fault::of_rule(&name, error))
    };
    errors.field_errors().into_iter().filter_map(first).collect()
}

/// Not empty.
///
/// # Errors
/// Code `required`.
pub fn filled(text: &str) -> Result<(), ValidationError> {
    if text.is_empty() { Err(ValidationError::new("required")) } else { Ok(()) }
}

/// At most so many bytes of UTF-8.
///
/// # Errors
/// Code `too_long`, with the limit.
pub fn at_most(text: &str, bytes: usize) -> Result<(), ValidationError> {
    if text.len() <= bytes {
        return Ok(());
    }
    let mut error = ValidationError::new("too_long");
    error.add_param(Cow::Borrowed("limit"), &bytes);
    Err(error)
}

/// The fault of a text, as a rule's error.
pub fn of_text(fault: TextFault) -> ValidationError {
    ValidationError::new(code_of_text(fault))
}

/// The code of a text's fault.
pub const fn code_of_text(fault: TextFault) -> &'static str {
    match fault {
        TextFault::Nul => "nul_character",
        TextFault::Control => "control_character",
        TextFault::Invisible => "invisible_character",
        TextFault::StackedMarks => "stacked_marks",
        TextFault::Blank => "blank",
    }
}

/// Faults carry static codes; a rule's code that is not in this list is a rule with a wrong name.
fn known_code(code: &str) -> &'static str {
    const CODES: [&str; 11] = [
        "required",
        "too_long",
        "too_many_characters",
        "too_short",
        "email",
        "url",
        "nul_character",
        "control_character",
        "invisible_character",
        "stacked_marks",
        "blank",
    ];
    CODES.into_iter().find(|known| *known == code).unwrap_or("format")
}
