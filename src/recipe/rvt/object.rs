//! Reading objects of RVT's files, with messages that say where, what came and what is allowed.

use crate::core::error::{unknown_name, Error, Result};
use serde_json::{Map, Value};

/// Longest text of a file that a message repeats.
const MOST_SHOWN: usize = 60;

/// A text as messages show it.
pub fn short(text: &str) -> String {
    match text.char_indices().nth(MOST_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into(),
    }
}

/// Reads a file; `kind` is what it should be.
pub fn read(kind: &str, text: &str) -> Result<Value> {
    serde_json::from_str(text).map_err(|error| Error::Recipe(format!("{kind}: {error}")))
}

/// A number or word as text. Numbers may stand between quotes, and whole ones lose their decimal point.
pub fn scalar(value: &Value) -> Option<String> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().into(),
        Value::Bool(flag) => flag.to_string(),
        _ => return None,
    };
    Some(tidy(&text))
}

/// A number as people write it; other text as it is.
pub fn tidy(text: &str) -> String {
    let number = text.parse().ok().filter(|number: &f64| number.is_finite());
    number.map_or(text.into(), |number| number.to_string())
}

/// Whether RVT means that there is nothing.
pub fn is_none(value: &Value) -> bool {
    let word = |text: &str| ["none", "null"].iter().any(|none| none.eq_ignore_ascii_case(text.trim()));
    value.is_null() || value.as_str().is_some_and(word)
}

/// An object and where it stands.
#[derive(Debug, Clone)]
pub struct Object<'a> {
    place: String,
    entries: &'a Map<String, Value>,
}

impl<'a> Object<'a> {
    /// `place` begins every message.
    pub fn new(place: impl Into<String>, value: &'a Value) -> Result<Self> {
        let place = place.into();
        match value {
            Value::Object(entries) => Ok(Self { place, entries }),
            other => Err(Error::Recipe(format!("{place}: {} came; allowed: an object", shown(other)))),
        }
    }

    /// Under another place.
    pub fn placed(self, place: impl Into<String>) -> Self {
        Self { place: place.into(), ..self }
    }

    /// Where it stands.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Keys and values.
    pub fn entries(&self) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.entries.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// Refuses other keys than these.
    pub fn only<'b>(&self, allowed: impl IntoIterator<Item = &'b str> + Clone) -> Result<()> {
        let unknown = self.entries.keys().find(|key| !allowed.clone().into_iter().any(|known| known == *key));
        unknown.map_or(Ok(()), |key| self.at(Err(unknown_name("key", &short(key), allowed))))
    }

    /// An error with the place before it.
    pub fn at<T>(&self, result: Result<T>) -> Result<T> {
        result.map_err(|error| Error::Recipe(format!("{}: {error}", self.place)))
    }

    /// What stands under `key`, unless there is nothing or RVT's word for it.
    pub fn find(&self, key: &str) -> Option<&'a Value> {
        self.entries.get(key).filter(|value| !is_none(value))
    }

    /// What must stand under `key`, be it RVT's word for nothing.
    pub fn value(&self, key: &str) -> Result<&'a Value> {
        self.entries.get(key).ok_or_else(|| Error::Recipe(format!("{}: '{key}' is missing", self.place)))
    }

    /// An object under `key`.
    pub fn object(&self, key: &str) -> Result<Object<'a>> {
        Object::new(format!("{}, {key}", self.place), self.value(key)?)
    }

    /// A list under `key`.
    pub fn list(&self, key: &str) -> Result<&'a [Value]> {
        match self.value(key)? {
            Value::Array(list) => Ok(list),
            other => Err(self.refused(key, other, "a list")),
        }
    }

    /// A text under `key` that is not empty.
    pub fn text(&self, key: &str) -> Result<&'a str> {
        let value = self.value(key)?;
        let text = value.as_str().filter(|text| !text.is_empty());
        text.ok_or_else(|| self.refused(key, value, "a text"))
    }

    /// A number under `key`.
    pub fn number(&self, key: &str) -> Result<f64> {
        let value = self.value(key)?;
        let number =
            scalar(value).and_then(|text| text.parse().ok()).filter(|number: &f64| number.is_finite());
        number.ok_or_else(|| self.refused(key, value, "a number"))
    }

    /// A number under `key`, if one is given.
    pub fn number_if_given(&self, key: &str) -> Result<Option<f64>> {
        self.find(key).map(|_| self.number(key)).transpose()
    }

    /// A number or word under `key`, as text.
    pub fn scalar(&self, key: &str) -> Result<String> {
        let value = self.value(key)?;
        scalar(value).ok_or_else(|| self.refused(key, value, "a number or a word"))
    }

    /// The error for a value that is not allowed.
    pub fn refused(&self, key: &str, value: &Value, allowed: &str) -> Error {
        Error::Recipe(format!("{}: {key} = {} is not allowed; allowed: {allowed}", self.place, shown(value)))
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "an object".into(),
        Value::String(text) => format!("'{}'", short(text)),
        other => other.to_string(),
    }
}

/// The one of `entries` that is called `wanted`, or the only one. `kind` is what they are.
pub fn pick<'a>(kind: &str, entries: Vec<Object<'a>>, wanted: Option<&str>) -> Result<Object<'a>> {
    let names = entries.iter().map(|entry| entry.text("name")).collect::<Result<Vec<_>>>()?;
    let is_wanted = |name: &str| wanted.is_none_or(|wanted| wanted == name);
    let found: Vec<usize> = (0..names.len()).filter(|index| is_wanted(names[*index])).collect();
    match (found.as_slice(), wanted) {
        ([index], _) => Ok(entries[*index].clone().placed(format!("{kind} '{}'", short(names[*index])))),
        ([], Some(wanted)) => Err(unknown_name(kind, &short(wanted), names)),
        ([], None) => Err(Error::Recipe(format!("no {kind}; allowed: at least one"))),
        (several, None) => Err(Error::Recipe(format!(
            "{} {kind}s; allowed: the name of one, as FILE#NAME: {}",
            several.len(),
            names.join(", ")
        ))),
        (several, Some(wanted)) => Err(Error::Recipe(format!(
            "{} {kind}s are called '{}'; allowed: one of a name",
            several.len(),
            short(wanted)
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_may_stand_between_quotes() {
        let value = json!({"a": 0.5, "b": " 7 ", "c": "16.0", "d": "", "e": [1], "f": "1e999", "g": "NONE"});
        let object = Object::new("here", &value).unwrap();
        assert_eq!(["a", "b", "c"].map(|key| object.number(key).unwrap()), [0.5, 7.0, 16.0]);
        assert_eq!(object.scalar("c").unwrap(), "16");
        for (key, came) in [("d", "''"), ("e", "a list"), ("f", "'1e999'"), ("g", "'NONE'")] {
            let text = object.number(key).unwrap_err().to_string();
            assert_eq!(text, format!("here: {key} = {came} is not allowed; allowed: a number"));
        }
        assert_eq!(object.number_if_given("g").unwrap(), None);
        assert_eq!(object.number_if_given("h").unwrap(), None);
        assert_eq!(object.number("h").unwrap_err().to_string(), "here: 'h' is missing");
    }

    #[test]
    fn unknown_keys_are_named() {
        let value = json!({"a": 1, "colour": 2});
        let object = Object::new("here", &value).unwrap();
        assert!(object.only(["a", "colour"]).is_ok());
        let text = object.only(["a", "b"]).unwrap_err().to_string();
        assert_eq!(text, "here: unknown key 'colour'; allowed: a, b");
        let text = Object::new("there", &json!([1])).unwrap_err().to_string();
        assert_eq!(text, "there: a list came; allowed: an object");
    }

    #[test]
    fn one_is_picked_by_its_name() {
        let values = ["a", "b", "b"].map(|name| json!({"name": name}));
        let entries = |count: usize| {
            values[..count].iter().map(|value| Object::new("x", value).unwrap()).collect::<Vec<_>>()
        };
        let text = |count, wanted| pick("thing", entries(count), wanted).unwrap_err().to_string();
        assert_eq!(pick("thing", entries(1), None).unwrap().place(), "thing 'a'");
        assert_eq!(pick("thing", entries(3), Some("a")).unwrap().place(), "thing 'a'");
        assert_eq!(text(0, None), "no thing; allowed: at least one");
        assert_eq!(text(2, None), "2 things; allowed: the name of one, as FILE#NAME: a, b");
        assert_eq!(text(2, Some("c")), "unknown thing 'c'; allowed: a, b");
        assert_eq!(text(3, Some("b")), "2 things are called 'b'; allowed: one of a name");
    }

    #[test]
    fn messages_stay_short() {
        assert_eq!(short("äöü"), "äöü");
        assert_eq!(short(&"ä".repeat(1000)).chars().count(), MOST_SHOWN + 1);
    }
}
