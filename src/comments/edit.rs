//! Changing what a comment says: by which rules, and what comes of it. Who may, and what is kept of the original, is said
//! in `review`.

use validator::{Validate, ValidationError};

use crate::kit::clock::Millis;
use crate::kit::fault::{self, Fault};
use crate::kit::{markup, text};
use crate::sites::RequiredFields;
use crate::store::{Conn, StoreResult};

use super::form::{name_rules, text_rules, url_rules};
use super::{Comment, queries};

/// What is to be said anew; `None` stays as it is.
#[derive(Debug, Clone, Default, Validate)]
pub struct Edit {
    #[validate(custom(function = text_rules))]
    pub text: Option<String>,
    /// Empty for none.
    #[validate(custom(function = name_or_none))]
    pub name: Option<String>,
    /// Empty for none.
    #[validate(custom(function = url_or_none))]
    pub url: Option<String>,
}

/// An edit that may be made, with its text rendered.
#[derive(Debug, Clone)]
pub struct ReadyEdit {
    edit: Edit,
    html: Option<String>,
}

/// What a comment says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wording {
    pub text: String,
    pub html: String,
    pub name: String,
    pub url: Option<String>,
}

impl Edit {
    /// Judges it by the rules of the reply form, all but whether a name must be there. Renders, so call it before any lock
    /// is taken.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn accept(mut self) -> Result<ReadyEdit, Vec<Fault>> {
        let faults = fault::of(&self);
        if !faults.is_empty() {
            return Err(faults);
        }
        // It was judged above, and empty stays empty.
        self.name = self.name.map(|name| text::name(&name).unwrap_or_default());
        let html = self.text.as_deref().map(markup::render);
        Ok(ReadyEdit { edit: self, html })
    }
}

impl ReadyEdit {
    /// Whether it takes away a name that the site asks for.
    pub fn lacks_name(&self, required: RequiredFields) -> bool {
        required.name && self.edit.name.as_ref().is_some_and(String::is_empty)
    }

    /// What `comment` says after it; `None` when that is what it says already.
    pub fn of(&self, comment: &Comment) -> Option<Wording> {
        let Edit { text, name, url } = &self.edit;
        let url = url.as_ref().map(|url| Some(url.clone()).filter(|url| !url.is_empty()));
        let is_text_new = text.as_ref().is_some_and(|text| *text != comment.text);
        let new = Wording {
            text: text.clone().unwrap_or_else(|| comment.text.clone()),
            html: self.html.clone().filter(|_| is_text_new).unwrap_or_else(|| comment.html.clone()),
            name: name.clone().unwrap_or_else(|| comment.name.clone()),
            url: url.unwrap_or_else(|| comment.url.clone()),
        };
        let is_new = is_text_new || new.name != comment.name || new.url != comment.url;
        is_new.then_some(new)
    }
}

/// Lets a comment say something else and moves it to its next version; false when it is not at the version it was read at
/// any more, and then the transaction must not be kept.
///
/// # Errors
/// Those of the store.
pub fn reword(conn: &mut Conn, comment: &Comment, wording: &Wording, now: Millis) -> StoreResult<bool> {
    queries::set_wording(conn, comment, wording, now)
}

fn name_or_none(name: &str) -> Result<(), ValidationError> {
    if name.is_empty() { Ok(()) } else { name_rules(name) }
}

fn url_or_none(url: &str) -> Result<(), ValidationError> {
    if url.is_empty() { Ok(()) } else { url_rules(url) }
}
