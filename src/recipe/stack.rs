//! Stacks of rasters that layers show: what is read, and what becomes of it before it is shown. What the options mean
//! is known further up, where stacks are opened.

use super::{Content, Layer, Recipe};
use crate::core::error::{unknown_name, Error, Result};
use serde_json::{json, Map, Value};

/// A stack of rasters whose results layers show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stack {
    /// How layers call it.
    pub name: String,
    /// Inputs by the names that formulas use.
    pub inputs: Vec<StackInput>,
    /// Other options of `terralume reduce`, as text; one that is repeated stands several times.
    pub options: Vec<(String, String)>,
}

/// An input of a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackInput {
    /// What formulas call it.
    pub name: String,
    /// Files, patterns, lists and so on, in one list; none when they are still to be named.
    pub sources: Vec<String>,
}

/// What a layer shows of a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackBand {
    /// Name of the stack.
    pub stack: String,
    /// Name or number, from 1, of the result; None: the only one.
    pub band: Option<String>,
}

impl Stack {
    /// From its JSON text.
    pub(super) fn read(name: &str, mut text: Map<String, Value>) -> Result<Self> {
        if name.is_empty() || name.contains('.') {
            return Err(Error::Recipe(format!("stack '{name}': allowed: a name without dots")));
        }
        let refused = |reason: String| Error::Recipe(format!("stack '{name}': {reason}"));
        let inputs = match text.remove("inputs") {
            Some(Value::Object(inputs)) if !inputs.is_empty() => inputs,
            _ => {
                return Err(refused(
                    "'inputs' is an object of names and files, {\"red\": \"*_B4.tif\"}".into(),
                ))
            }
        };
        let inputs = inputs.into_iter().map(|(input, sources)| {
            let wrong = || {
                refused(format!(
                    "input '{input}' is a file, a list of files, or null for one that is named later"
                ))
            };
            let sources = match sources {
                Value::Null => Some(Vec::new()),
                Value::String(source) => Some(vec![source]),
                Value::Array(list) => list.iter().map(|source| source.as_str().map(String::from)).collect(),
                _ => None,
            };
            let sources = sources.filter(|sources| sources.iter().all(|source| !source.is_empty()));
            Ok(StackInput { sources: sources.ok_or_else(wrong)?, name: input })
        });
        let inputs = inputs.collect::<Result<Vec<_>>>()?;
        let mut options = Vec::new();
        for (key, value) in text {
            let values = match value {
                Value::Array(values) => values,
                value => vec![value],
            };
            for value in values {
                let value = match value {
                    Value::String(text) => text,
                    Value::Number(number) => number.to_string(),
                    Value::Bool(flag) => flag.to_string(),
                    _ => {
                        return Err(refused(format!(
                            "'{key}' is text, a number, true or false, or a list of texts"
                        )))
                    }
                };
                options.push((key.clone(), value));
            }
        }
        Ok(Self { name: name.into(), inputs, options })
    }

    /// The text from which [`Stack::read`] makes the same stack.
    pub(super) fn to_json(&self) -> Value {
        let list = |values: Vec<&String>| match values.as_slice() {
            [] => Value::Null,
            [only] => json!(only),
            several => json!(several),
        };
        let inputs =
            self.inputs.iter().map(|input| (input.name.clone(), list(input.sources.iter().collect())));
        let mut json = Map::new();
        json.insert("inputs".into(), Value::Object(inputs.collect()));
        for (key, _) in &self.options {
            json.insert(key.clone(), list(self.option(key)));
        }
        Value::Object(json)
    }

    /// All values of an option.
    pub fn option(&self, key: &str) -> Vec<&String> {
        self.options.iter().filter(|(known, _)| known == key).map(|(_, value)| value).collect()
    }

    /// Replaces an option, or an input: `inputs.red`.
    fn set(&mut self, key: &str, value: &str) -> Result<()> {
        if let Some(name) = key.strip_prefix("inputs.") {
            let names: Vec<String> = self.inputs.iter().map(|input| input.name.clone()).collect();
            let input = self.inputs.iter_mut().find(|input| input.name == name);
            let input = input.ok_or_else(|| unknown_name("input", name, names.iter().map(String::as_str)))?;
            input.sources = vec![value.into()];
            return Ok(());
        }
        self.options.retain(|(known, _)| known != key);
        self.options.push((key.into(), value.into()));
        Ok(())
    }
}

impl Recipe {
    /// Sets `NAME.KEY` of a stack, in this recipe or an inner one.
    pub(super) fn set_stack(&mut self, key: &str, value: &str) -> Result<()> {
        let (name, key) = key.split_once('.').ok_or_else(|| {
            Error::Argument(format!(
                "'stacks.{key}' is not allowed; allowed: stacks.NAME.OPTION, stacks.NAME.inputs.INPUT"
            ))
        })?;
        let mut names = Vec::new();
        let mut found = false;
        self.each_stack(&mut |stack| {
            names.push(stack.name.clone());
            if stack.name == name {
                found = true;
                return stack.set(key, value).map_err(|error| error.within(&stack.name));
            }
            Ok(())
        })?;
        match found {
            true => Ok(()),
            false => Err(unknown_name("stack", name, names.iter().map(String::as_str))),
        }
    }

    /// Says what an input of stacks is, in all that have one of this name.
    pub fn set_stack_input(&mut self, name: &str, source: &str) -> Result<()> {
        let mut names: Vec<String> = Vec::new();
        let mut found = false;
        self.each_stack(&mut |stack| {
            for input in &mut stack.inputs {
                if input.name == name {
                    input.sources = vec![source.into()];
                    found = true;
                } else if !names.contains(&input.name) {
                    names.push(input.name.clone());
                }
            }
            Ok(())
        })?;
        match found {
            true => Ok(()),
            false => Err(unknown_name("input of a stack", name, names.iter().map(String::as_str))),
        }
    }

    /// Whether layers show nothing but stacks: then no elevations are needed.
    pub fn is_of_stacks(&self) -> bool {
        let mut stacks = 0;
        let mut others = usize::from(self.fill.is_some());
        self.each_content(&mut |content| match content {
            Content::Stack(_) => stacks += 1,
            Content::Operation(_) | Content::Raster(_) => others += 1,
            Content::Recipe(_) => {}
        });
        stacks > 0 && others == 0
    }

    /// All stacks, those of inner recipes included.
    pub fn stacks(&self) -> Vec<&Stack> {
        let inner = self.layers.iter().flat_map(|layer| match &layer.content {
            Content::Recipe(inner) => inner.stacks(),
            _ => Vec::new(),
        });
        self.stacks.iter().chain(inner).collect()
    }

    fn each_stack(&mut self, change: &mut dyn FnMut(&mut Stack) -> Result<()>) -> Result<()> {
        self.stacks.iter_mut().try_for_each(&mut *change)?;
        for layer in &mut self.layers {
            if let Content::Recipe(inner) = &mut layer.content {
                inner.each_stack(change)?;
            }
        }
        Ok(())
    }

    fn each_content(&self, look: &mut dyn FnMut(&Content)) {
        self.layers.iter().for_each(|layer| layer.each_content(look));
    }

    /// Checks that layers name stacks of their recipe, or of one around it.
    pub(super) fn check_stacks(&self, around: &[&str]) -> Result<()> {
        let names: Vec<&str> =
            around.iter().copied().chain(self.stacks.iter().map(|stack| stack.name.as_str())).collect();
        self.layers.iter().try_for_each(|layer| {
            layer
                .check_stacks(&names)
                .map_err(|error| error.within(&format!("recipe, layer '{}'", layer.name)))
        })
    }
}

impl Layer {
    fn each_content(&self, look: &mut dyn FnMut(&Content)) {
        look(&self.content);
        if let Content::Recipe(inner) = &self.content {
            inner.each_content(look);
        }
        if let Some(mask) = &self.mask {
            mask.each_content(look);
        }
    }

    fn check_stacks(&self, names: &[&str]) -> Result<()> {
        match &self.content {
            Content::Stack(shown) if !names.contains(&shown.stack.as_str()) => {
                return Err(unknown_name("stack", &shown.stack, names.iter().copied()));
            }
            Content::Recipe(inner) => inner.check_stacks(names)?,
            _ => {}
        }
        self.mask.iter().try_for_each(|mask| mask.check_stacks(names))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe(stacks: &str, layers: &str) -> Result<Recipe> {
        Recipe::parse(&format!(r#"{{"terralume_recipe": 1, "stacks": {stacks}, "layers": [{layers}]}}"#))
    }

    const NDVI: &str = r#"{"ndvi": {"inputs": {"red": "*_B4.tif", "nir": null, "qa": ["a.tif", "b.tif"]},
        "expr": "ndvi()", "stat": "mean", "mask": ["qa: bits 0", "qa: bits 4"], "dilate": 2}}"#;

    #[test]
    fn a_stack_reads_back_what_it_writes() {
        let recipe = recipe(NDVI, r#"{"stack": "ndvi", "band": "mean"}, {"operation": "slope"}"#).unwrap();
        let json = recipe.to_json();
        assert_eq!(Recipe::parse(&json.to_string()).unwrap().to_json(), json);
        assert_eq!(json["stacks"]["ndvi"]["mask"], json!(["qa: bits 0", "qa: bits 4"]));
        assert_eq!(json["stacks"]["ndvi"]["inputs"]["nir"], Value::Null);
        assert_eq!(json["layers"][0]["name"], "ndvi");
        assert!(!recipe.is_of_stacks());
    }

    #[test]
    fn inputs_and_options_are_set_wherever_the_stack_stands() {
        let inner = r#"{"recipe": {"terralume_recipe": 1, "combine": "rgb", "layers": [
            {"stack": "ndvi"}, {"stack": "ndvi"}, {"stack": "ndvi"}]}}"#;
        let mut recipe = recipe(NDVI, inner).unwrap();
        assert!(recipe.is_of_stacks());
        recipe.set_stack_input("nir", "B5.tif").unwrap();
        recipe.set("stacks.ndvi.stat", "median").unwrap();
        recipe.set("stacks.ndvi.inputs.red", "B4.tif").unwrap();
        let json = recipe.to_json();
        assert_eq!(
            json["stacks"]["ndvi"]["inputs"],
            json!({"red": "B4.tif", "nir": "B5.tif", "qa": ["a.tif", "b.tif"]})
        );
        assert_eq!(json["stacks"]["ndvi"]["stat"], "median");
        for (key, words) in [
            ("stacks.ndwi.stat", "unknown stack 'ndwi'; allowed: ndvi"),
            ("stacks.ndvi", "allowed: stacks.NAME.OPTION"),
            ("stacks.ndvi.inputs.blue", "ndvi: unknown input 'blue'; allowed: red, nir, qa"),
        ] {
            let text = recipe.set(key, "x").unwrap_err().to_string();
            assert!(text.contains(words), "{text}");
        }
        assert!(recipe
            .set_stack_input("blue", "x")
            .unwrap_err()
            .to_string()
            .contains("allowed: red, nir, qa"));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let layer = r#"{"stack": "ndvi"}"#;
        for (stacks, layers, words) in [
            (NDVI, r#"{"stack": "ndwi"}"#, "unknown stack 'ndwi'; allowed: ndvi"),
            (NDVI, r#"{"operation": "slope", "mask": {"stack": "x"}}"#, "unknown stack 'x'"),
            (
                NDVI,
                r#"{"stack": "ndvi", "raster": "a.tif"}"#,
                "either 'operation', 'recipe', 'raster' or 'stack'",
            ),
            (NDVI, r#"{"stack": "ndvi", "band": true}"#, "'band'"),
            (r#"{"ndvi": {"expr": "1"}}"#, layer, "'inputs' is an object"),
            (r#"{"ndvi": {"inputs": {}}}"#, layer, "'inputs' is an object"),
            (r#"{"ndvi": {"inputs": {"red": 3}}}"#, layer, "input 'red' is a file"),
            (r#"{"ndvi": {"inputs": {"red": ""}}}"#, layer, "input 'red' is a file"),
            (r#"{"ndvi": {"inputs": {"red": "a"}, "expr": null}}"#, layer, "'expr' is text"),
            (r#"{"a.b": {"inputs": {"red": "a"}}}"#, layer, "without dots"),
        ] {
            let text = recipe(stacks, layers).unwrap_err().to_string();
            assert!(text.contains(words), "{text}");
        }
    }
}
