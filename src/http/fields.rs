//! Reading the flat fields of a JSON object, a form or a query, and collecting everything that is wrong with them.
//!
//! A value of the wrong type, a missing name and a rule of `validator` end in one list, so that a client hears of
//! every wrong field at once. What cannot be read at all (syntax, UTF-8) is a 400 before any of this.

mod nested;

use std::collections::BTreeMap;

use serde_json::Value;
use validator::Validate;

use crate::kit::clock::Millis;
use crate::kit::fault::{self, Fault};
use crate::kit::ids::Id;

use super::problem::{Kind, Problem};

/// Named values, each taken once.
#[derive(Debug, Default)]
pub struct Fields {
    values: BTreeMap<String, Vec<Value>>,
    errors: Vec<Fault>,
}

impl Fields {
    /// Reads a JSON object. Syntax is judged before shape: `[1,]` cannot be read, `[1]` is no object.
    pub fn from_json(bytes: &[u8]) -> Result<Self, Problem> {
        let value: Value = serde_json::from_slice(bytes).map_err(|error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            Problem::new(Kind::Unreadable, format!("The body is not JSON; reading stopped at {place}."))
        })?;
        let Value::Object(object) = value else {
            let whole = Fault::of_whole("type");
            return Err(Problem::invalid(vec![whole]));
        };
        Ok(Self::from_object(object))
    }

    fn from_object(object: serde_json::Map<String, Value>) -> Self {
        let values = object.into_iter().map(|(name, value)| (name, vec![value])).collect();
        Self { values, errors: Vec::new() }
    }

    /// Reads `name=value&…` as HTML forms and queries write it. Escapes must decode to UTF-8.
    pub fn from_urlencoded(bytes: &[u8]) -> Result<Self, Problem> {
        let mut fields = Self::default();
        for pair in bytes.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let (name, value) = match pair.iter().position(|byte| *byte == b'=') {
                Some(at) => (&pair[..at], &pair[at + 1..]),
                None => (pair, &pair[..0]),
            };
            fields.add(decode_urlencoded(name)?, decode_urlencoded(value)?);
        }
        Ok(fields)
    }

    /// Adds a text value, as a form has them.
    pub fn add(&mut self, name: String, value: String) {
        self.values.entry(name).or_default().push(Value::String(value));
    }

    /// Takes a text. `null` counts as absent.
    pub fn text(&mut self, name: &str) -> Option<String> {
        match self.one(name)? {
            // PostgreSQL's text cannot hold it, and nothing that is meant for people does.
            Value::String(text) if text.contains('\0') => self.refuse(name, "nul_character"),
            Value::String(text) => Some(text),
            _ => self.refuse(name, "type"),
        }
    }

    /// Takes a text that is not empty: an empty input of a form is no value.
    pub fn filled_text(&mut self, name: &str) -> Option<String> {
        self.text(name).filter(|text| !text.is_empty())
    }

    /// Takes a text that must be there.
    pub fn required_text(&mut self, name: &str) -> String {
        self.require(name);
        self.text(name).unwrap_or_default()
    }

    /// Takes every value of a repeatable name: in JSON, a text or a list of texts.
    pub fn texts(&mut self, name: &str) -> Vec<String> {
        let values = self.values.remove(name).unwrap_or_default();
        let flat = values.into_iter().flat_map(|value| match value {
            Value::Array(values) => values,
            Value::Null => Vec::new(),
            value => vec![value],
        });
        flat.filter_map(|value| match value {
            Value::String(text) if text.contains('\0') => self.refuse(name, "nul_character"),
            Value::String(text) => Some(text),
            _ => self.refuse(name, "type"),
        })
        .collect()
    }

    /// Takes a list of at most so many texts. What is wrong with one of them is said of its place; then there is no list.
    pub fn elements(&mut self, name: &str, most: usize) -> Option<Vec<String>> {
        let Value::Array(values) = self.one(name)? else { return self.refuse(name, "type") };
        if values.len() > most {
            self.errors.push(Fault { limit: Some(most as u64), ..Fault::new(name, "too_many") });
            return None;
        }
        let mut texts = Vec::new();
        let faults_before = self.errors.len();
        for (index, value) in values.into_iter().enumerate() {
            match value {
                Value::String(text) if text.contains('\0') => {
                    self.errors.push(Fault::of_element(name, index, "nul_character"));
                }
                Value::String(text) => texts.push(text),
                _ => self.errors.push(Fault::of_element(name, index, "type")),
            }
        }
        (self.errors.len() == faults_before).then_some(texts)
    }

    /// Takes every value of a repeatable name and leaves the rest unread.
    pub fn into_texts(mut self, name: &str) -> Vec<String> {
        self.texts(name)
    }

    /// Takes an id: a number in JSON, digits in a form, where an empty input or `0` means none.
    pub fn id<Of>(&mut self, name: &str) -> Option<Id<Of>> {
        let id = match self.one(name)? {
            Value::String(text) if text.is_empty() || text == "0" => return None,
            Value::String(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => Id::parse(&text),
            Value::Number(number) => number.as_i64().and_then(Id::from_number),
            _ => return self.refuse(name, "type"),
        };
        id.or_else(|| self.refuse(name, "range"))
    }

    /// Takes a boolean.
    pub fn boolean(&mut self, name: &str) -> Option<bool> {
        match self.one(name)? {
            Value::Bool(value) => Some(value),
            _ => self.refuse(name, "type"),
        }
    }

    /// Takes a whole number between `low` and `high`, written in digits (a query's numbers are text).
    pub fn number(&mut self, name: &str, low: u32, high: u32) -> Option<u32> {
        let text = self.text(name)?;
        match text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit())) {
            Some(number) if (low..=high).contains(&number) => Some(number),
            Some(_) => self.refuse(name, "range"),
            None => self.refuse(name, "type"),
        }
    }

    /// Takes a moment in RFC 3339.
    pub fn moment(&mut self, name: &str) -> Option<Millis> {
        let text = self.text(name)?;
        Millis::parse_rfc3339(&text).or_else(|| self.refuse(name, "format"))
    }

    /// Takes one of a few words.
    pub fn choice<T>(&mut self, name: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let text = self.text(name)?;
        parse(&text).or_else(|| self.refuse(name, "choice"))
    }

    /// Takes one of a few words that must be there.
    pub fn required_choice<T>(&mut self, name: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        if self.is_absent(name) {
            self.require(name);
            return None;
        }
        self.choice(name, parse)
    }

    /// Notes when this name is not there; `null` counts as absent.
    pub fn require(&mut self, name: &str) {
        if self.is_absent(name) {
            self.values.remove(name);
            self.refuse::<()>(name, "required");
        }
    }

    /// Refuses `null` for these names: each may be left out, but there is no such thing as none of it.
    pub fn refuse_null(&mut self, names: &[&str]) {
        for name in names {
            if matches!(self.values.get(*name).map(Vec::as_slice), Some([Value::Null])) {
                self.refuse::<()>(name, "type");
            }
        }
    }

    /// Whether the name is there at all, `null` included.
    pub fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// Whether there is no such name, or it is `null`.
    pub fn is_absent(&self, name: &str) -> bool {
        matches!(self.values.get(name).map(Vec::as_slice), None | Some([Value::Null]))
    }

    /// Notes that a field is wrong. Returns `None`, for use as the value it failed to be.
    pub fn refuse<T>(&mut self, name: &str, code: &'static str) -> Option<T> {
        self.errors.push(Fault::new(name, code));
        None
    }

    /// Notes that a field is wrong, with a limit it passed.
    pub fn refuse_with(&mut self, fault: Fault) {
        self.errors.push(fault);
    }

    /// Adds what the `validator` rules of `value` find. A field that is noted as wrong already is not noted twice.
    pub fn check(&mut self, value: &impl Validate) {
        fault::add(&mut self.errors, fault::of(value));
    }

    /// What has been found so far, leaving none: for a story that finds more and then says all at once.
    pub fn take_faults(&mut self) -> Vec<Fault> {
        std::mem::take(&mut self.errors)
    }

    /// Refuses every name that nobody took: on moderators' routes a typing error must not pass.
    pub fn refuse_unknown(&mut self) {
        // A hundred say enough; an answer should not be many times the request.
        let unknown = self.values.keys().take(100).map(|name| Fault::new(name, "unknown"));
        self.errors.extend(unknown);
    }

    /// Ends the reading: every error found, in a stable order, or nothing.
    pub fn finish(mut self) -> Result<(), Problem> {
        if self.errors.is_empty() {
            return Ok(());
        }
        self.errors.sort_by(|a, b| a.pointer.cmp(&b.pointer));
        self.errors.dedup();
        Err(Problem::invalid(self.errors))
    }

    fn one(&mut self, name: &str) -> Option<Value> {
        let mut values = self.values.remove(name)?;
        match (values.pop(), values.is_empty()) {
            (Some(Value::Null) | None, _) => None,
            (Some(value), true) => Some(value),
            (Some(_), false) => self.refuse(name, "repeated"),
        }
    }
}

fn decode_urlencoded(bytes: &[u8]) -> Result<String, Problem> {
    let spaced: Vec<u8> = bytes.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    let decoded: Vec<u8> = percent_encoding::percent_decode(&spaced).collect();
    String::from_utf8(decoded).map_err(|_| Problem::new(Kind::Unreadable, "The form or query is not UTF-8."))
}
