//! A small validator: the part of JSON Schema (2020-12) that our schema uses. A keyword it does not know fails.

use serde_json::Value;
use std::collections::BTreeSet;

/// Keywords that only explain.
const NOTES: [&str; 5] = ["$schema", "$defs", "title", "description", "default"];

pub struct Schema(Value);

impl Schema {
    pub fn new(root: Value) -> Self {
        Self(root)
    }

    pub fn definition(&self, name: &str) -> &Value {
        &self.0["$defs"][name]
    }

    /// Names of a definition's properties.
    pub fn properties(&self, name: &str) -> BTreeSet<String> {
        self.definition(name)["properties"].as_object().expect("properties").keys().cloned().collect()
    }

    pub fn check(&self, value: &Value) -> Result<(), String> {
        self.follow(&self.0, value, "recipe")
    }

    fn follow(&self, schema: &Value, value: &Value, place: &str) -> Result<(), String> {
        for (keyword, wanted) in schema.as_object().expect("a schema") {
            if !NOTES.contains(&keyword.as_str()) && !self.holds(keyword, wanted, (schema, value), place)? {
                return Err(format!("{place} = {value}: {keyword} {wanted}"));
            }
        }
        Ok(())
    }

    /// Whether a keyword holds; what is wrong deeper inside comes as an error of its own.
    fn holds(
        &self,
        keyword: &str,
        wanted: &Value,
        (schema, value): (&Value, &Value),
        place: &str,
    ) -> Result<bool, String> {
        let list = || wanted.as_array().expect("a list");
        let fits = |schema: &&Value| self.follow(schema, value, place).is_ok();
        let number = |compare: fn(f64, f64) -> bool| {
            value.as_f64().is_none_or(|number| compare(number, wanted.as_f64().expect("a number")))
        };
        let length = |compare: fn(usize, usize) -> bool| {
            let length =
                value.as_array().map(Vec::len).or_else(|| value.as_str().map(|text| text.chars().count()));
            length.is_none_or(|length| compare(length, wanted.as_u64().expect("a number") as usize))
        };
        let has = |key: &Value| value.get(key.as_str().expect("a key")).is_some();
        // Keywords about objects hold for everything else.
        let keys =
            || wanted.as_object().expect("an object").iter().filter(|(key, _)| value.get(key).is_some());
        Ok(match keyword {
            "$ref" => {
                let path = wanted.as_str().expect("a path").strip_prefix('#').expect("a path in this file");
                self.follow(self.0.pointer(path).expect("a definition"), value, place)?;
                true
            }
            "type" => match wanted {
                Value::Array(types) => types.iter().any(|name| is_a(name, value)),
                name => is_a(name, value),
            },
            "const" => value == wanted,
            "enum" => list().contains(value),
            "oneOf" => list().iter().filter(fits).count() == 1,
            "anyOf" => list().iter().any(|schema| fits(&schema)),
            "not" => !fits(&wanted),
            "required" => !value.is_object() || list().iter().all(has),
            "minimum" => number(|number, bound| number >= bound),
            "maximum" => number(|number, bound| number <= bound),
            "minItems" | "minLength" => length(|length, bound| length >= bound),
            "maxItems" => length(|length, bound| length <= bound),
            "minProperties" => {
                let bound = wanted.as_u64().expect("a number") as usize;
                value.as_object().is_none_or(|object| object.len() >= bound)
            }
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    self.follow(wanted, item, &format!("{place}[{index}]"))?;
                }
                true
            }
            "properties" => {
                for (key, schema) in keys() {
                    self.follow(schema, &value[key], &format!("{place}.{key}"))?;
                }
                true
            }
            "additionalProperties" => {
                let known = |key: &str| schema["properties"].get(key).is_some();
                for (key, more) in value.as_object().into_iter().flatten().filter(|(key, _)| !known(key)) {
                    match wanted {
                        Value::Bool(false) => return Err(format!("{place}: unknown key {key}")),
                        schema => self.follow(schema, more, &format!("{place}.{key}"))?,
                    }
                }
                true
            }
            "dependentRequired" => {
                keys().all(|(_, others)| others.as_array().expect("a list").iter().all(has))
            }
            "dependentSchemas" => {
                for (_, schema) in keys() {
                    self.follow(schema, value, place)?;
                }
                true
            }
            other => panic!("the schema uses {other}, which this validator does not know"),
        })
    }
}

fn is_a(name: &Value, value: &Value) -> bool {
    match name.as_str().expect("a type") {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_u64() || value.is_i64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("the schema uses the type {other}"),
    }
}
