//! JSON inside JSON: numbers, objects and lists of objects among the fields. What is wrong inside is said of its place,
//! as a JSON pointer from the whole body.

use serde_json::Value;

use crate::kit::fault::Fault;

use super::Fields;

/// Faults after which those inside of further objects are not all told.
const MOST_FAULTS: usize = 100;

impl Fields {
    /// Takes a whole number between `low` and `high`, written as a number.
    pub fn whole(&mut self, name: &str, low: i64, high: i64) -> Option<i64> {
        match self.one(name)? {
            Value::Number(number) if number.is_f64() => self.refuse(name, "type"),
            Value::Number(number) => {
                number.as_i64().filter(|number| (low..=high).contains(number)).or_else(|| self.refuse(name, "range"))
            }
            _ => self.refuse(name, "type"),
        }
    }

    /// Takes a number.
    pub fn decimal(&mut self, name: &str) -> Option<f64> {
        match self.one(name)? {
            Value::Number(number) => number.as_f64().or_else(|| self.refuse(name, "range")),
            _ => self.refuse(name, "type"),
        }
    }

    /// Takes an object; give it back with [`Fields::end`].
    pub fn object(&mut self, name: &str) -> Option<Self> {
        let value = self.one(name)?;
        Self::of_object(value).or_else(|| self.refuse(name, "type"))
    }

    /// Takes a list of at most so many objects; give each back with [`Fields::end`].
    pub fn objects(&mut self, name: &str, most: usize) -> Option<Vec<Self>> {
        let Value::Array(values) = self.one(name)? else { return self.refuse(name, "type") };
        if values.len() > most {
            self.refuse_with(Fault { limit: Some(most as u64), ..Fault::new(name, "too_many") });
            return None;
        }
        let faults_before = self.errors.len();
        let mut objects = Vec::new();
        for (index, value) in values.into_iter().enumerate() {
            match Self::of_object(value) {
                Some(object) => objects.push(object),
                None => self.refuse_with(Fault::of_element(name, index, "type")),
            }
        }
        (self.errors.len() == faults_before).then_some(objects)
    }

    /// Ends an object that stood at `pointer`: what nobody took of it, and what was found wrong with it, is noted here.
    pub fn end(&mut self, mut object: Self, pointer: &str) {
        object.refuse_unknown();
        // A hundred say enough; an answer should not be many times the request.
        let room = MOST_FAULTS.saturating_sub(self.errors.len()).max(1);
        self.errors.extend(object.errors.into_iter().take(room).map(|fault| fault.within(pointer)));
    }

    /// Whether there is no name that nobody took.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Whether anything has been found wrong so far.
    pub fn has_faults(&self) -> bool {
        !self.errors.is_empty()
    }

    /// Adds faults, but for fields that have one already.
    pub fn add_faults(&mut self, faults: Vec<Fault>) {
        crate::kit::fault::add(&mut self.errors, faults);
    }

    fn of_object(value: Value) -> Option<Self> {
        if let Value::Object(object) = value { Some(Self::from_object(object)) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(fields: &mut Fields) -> Vec<(String, &'static str)> {
        fields.take_faults().into_iter().map(|fault| (fault.pointer, fault.code)).collect()
    }

    #[test]
    fn numbers_are_numbers() {
        let text = r#"{"a": 7, "b": -1, "c": 1.5, "d": "7", "e": 4294967296, "f": null, "g": 0.25, "h": true}"#;
        let mut fields = Fields::from_json(text.as_bytes()).unwrap();
        assert_eq!(fields.whole("a", 7, 7), Some(7));
        assert_eq!((fields.whole("f", 0, 9), fields.whole("none", 0, 9)), (None, None));
        assert_eq!(fields.decimal("g"), Some(0.25));
        for name in ["b", "c", "d", "e"] {
            assert_eq!(fields.whole(name, 0, 4_294_967_295), None);
        }
        assert_eq!(fields.decimal("h"), None);
        let wanted = [("/b", "range"), ("/c", "type"), ("/d", "type"), ("/e", "range"), ("/h", "type")];
        assert_eq!(faults(&mut fields), wanted.map(|(pointer, code)| (pointer.to_owned(), code)));
    }

    #[test]
    fn what_is_wrong_inside_is_named_where_it_is() {
        let text = r#"{"one": {"a": 1, "x": 2}, "many": [{"a": "1"}, {"a": "2"}], "mixed": [{}, 1], "text": "x"}"#;
        let mut fields = Fields::from_json(text.as_bytes()).unwrap();
        let mut one = fields.object("one").unwrap();
        assert_eq!(one.text("a"), None);
        fields.end(one, "/one");
        let many = fields.objects("many", 2).unwrap();
        for (index, mut object) in many.into_iter().enumerate() {
            object.whole("a", 0, 9);
            fields.end(object, &format!("/many/{index}"));
        }
        assert!(fields.objects("mixed", 2).is_none() && fields.object("text").is_none());
        let wanted = [
            ("/one/a", "type"),
            ("/one/x", "unknown"),
            ("/many/0/a", "type"),
            ("/many/1/a", "type"),
            ("/mixed/1", "type"),
            ("/text", "type"),
        ];
        assert_eq!(faults(&mut fields), wanted.map(|(pointer, code)| (pointer.to_owned(), code)));
    }
}
