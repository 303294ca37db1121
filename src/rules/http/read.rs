//! Reading rules from JSON, field by field, so that everything that is wrong is said of its place. What the fields say
//! together, and whether a pattern can be read, is judged where rules are made ready.

use crate::http::fields::Fields;
use crate::kit::fault::{self, Fault};
use crate::kit::text;
use crate::screening::{Effect, Field, Look, MAX_LABEL, MOST_ENTRIES, MOST_RULES};

use crate::rules::Draft;

/// Takes `rules`. What is wrong with them is noted in `fields`.
pub fn read_rules(fields: &mut Fields) -> Vec<Draft> {
    if !fields.has("rules") {
        fields.refuse::<()>("rules", "required");
    }
    let mut drafts = Vec::new();
    for (index, mut object) in fields.objects("rules", MOST_RULES).unwrap_or_default().into_iter().enumerate() {
        drafts.extend(read_rule(&mut object));
        fields.end(object, &format!("/rules/{index}"));
    }
    drafts
}

fn read_rule(object: &mut Fields) -> Option<Draft> {
    let (id, label) = (object.id("id"), read_label(object));
    let effect = object.required_choice("effect", |word| match word {
        "hold" => Some(Effect::Hold),
        "spam" => Some(Effect::Spam),
        "log" => Some(Effect::Log),
        _ => None,
    });
    let look = read_look(object);
    Some(Draft { id, label, effect: effect?, look: look? })
}

fn read_label(object: &mut Fields) -> Option<String> {
    let label = object.filled_text("label")?;
    if let Err(fault) = text::check_plain(&label) {
        return object.refuse("label", fault::code_of_text(fault));
    }
    if label.chars().count() > MAX_LABEL {
        object.refuse_with(Fault { limit: Some(MAX_LABEL as u64), ..Fault::new("label", "too_many_characters") });
    }
    Some(label)
}

fn read_look(object: &mut Fields) -> Option<Look> {
    let kind = object.required_text("kind");
    let look = match kind.as_str() {
        "words" => Look::Words { words: read_list(object, "words"), fields: read_fields(object) },
        "regex" => Look::Regex { pattern: object.required_text("pattern"), fields: read_fields(object) },
        "links" => Look::Links { at_least: read_count(object, "at_least").unwrap_or(2) },
        "hosts" => Look::Hosts { hosts: read_list(object, "hosts") },
        "email" => Look::Email { emails: read_list(object, "emails") },
        "network" => Look::Network { networks: read_list(object, "networks") },
        "length" => Look::Length { min: read_count(object, "min"), max: read_count(object, "max") },
        "capitals" => Look::Capitals {
            share: object.decimal("share").unwrap_or(0.7),
            letters: read_count(object, "letters").unwrap_or(20),
        },
        "script" => Look::Script {
            allowed: object.elements("allowed", MOST_ENTRIES),
            refused: object.elements("refused", MOST_ENTRIES),
            share: object.decimal("share").unwrap_or(0.5),
        },
        "first_comment" => Look::FirstComment,
        "hours" => Look::Hours {
            from: object.required_text("from"),
            until: object.required_text("until"),
            timezone: object.filled_text("timezone"),
        },
        "" => return None,
        _ => return object.refuse("kind", "choice"),
    };
    Some(look)
}

fn read_count(object: &mut Fields, name: &str) -> Option<u32> {
    object.whole(name, 0, i64::from(u32::MAX)).and_then(|count| count.try_into().ok())
}

fn read_list(object: &mut Fields, name: &str) -> Vec<String> {
    if !object.has(name) {
        object.refuse::<()>(name, "required");
    }
    object.elements(name, MOST_ENTRIES).unwrap_or_default()
}

fn read_fields(object: &mut Fields) -> Vec<Field> {
    let Some(words) = object.elements("fields", Field::ALL.len()) else {
        return vec![Field::Text, Field::Name, Field::Url];
    };
    let mut fields = Vec::new();
    for (index, word) in words.iter().enumerate() {
        match Field::parse(word) {
            Some(field) if !fields.contains(&field) => fields.push(field),
            _ => object.refuse_with(Fault::of_element("fields", index, "choice")),
        }
    }
    fields
}
