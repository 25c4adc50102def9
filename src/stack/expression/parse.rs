//! From text to graph.

use super::functions::{Function, Meaning, CONSTANTS, FUNCTIONS};
use super::graph::{Graph, Id, Node};
use super::indices::{Index, INDICES};
use super::limits::{too_deep, MOST_BYTES, MOST_LEVELS};
use super::operators::{Binary, Unary, HIGHEST_BIT};
use crate::core::error::{unknown_name, Error, Result};
use pest::iterators::Pair;
use pest::pratt_parser::{Assoc, Op, PrattParser};
use pest::Parser;
use std::sync::LazyLock;

#[derive(pest_derive::Parser)]
#[grammar = "stack/expression/grammar.pest"]
struct Grammar;

/// A name that stands for an input, and where it came first.
#[derive(Debug, Clone)]
pub struct Name {
    pub name: String,
    pub place: String,
}

/// One result.
#[derive(Debug)]
pub struct Statement {
    pub name: Option<Name>,
    pub root: Id,
    /// Names it uses, by place.
    pub uses: Vec<u32>,
    /// It makes missing cells of its own will.
    pub names_nodata: bool,
}

/// What a text says.
#[derive(Debug, Default)]
pub struct Reading {
    pub graph: Graph,
    pub names: Vec<Name>,
    pub statements: Vec<Statement>,
    /// Those of the statement that is being read.
    uses: Vec<u32>,
    names_nodata: bool,
    /// Arguments of the formula that is being read.
    bound: Vec<(&'static str, Id)>,
}

/// From loosest to tightest.
static TIGHTNESS: LazyLock<PrattParser<Rule>> = LazyLock::new(|| {
    let left = |rule| Op::infix(rule, Assoc::Left);
    PrattParser::new()
        .op(left(Rule::or))
        .op(left(Rule::and))
        .op(left(Rule::equal)
            | left(Rule::unequal)
            | left(Rule::at_most)
            | left(Rule::at_least)
            | left(Rule::below)
            | left(Rule::above))
        .op(left(Rule::add) | left(Rule::subtract))
        .op(left(Rule::multiply) | left(Rule::divide))
        .op(Op::prefix(Rule::minus) | Op::prefix(Rule::plus) | Op::prefix(Rule::not))
        .op(Op::infix(Rule::power, Assoc::Right))
        .op(Op::postfix(Rule::among))
});

/// Reads a text.
pub fn read(text: &str) -> Result<Reading> {
    if text.len() > MOST_BYTES {
        let bytes = text.len();
        return Err(refused("expression", format!("{bytes} bytes long; allowed: at most {MOST_BYTES}")));
    }
    if let Some(offset) = too_deep(text) {
        let place = place_of(text, offset);
        return Err(refused(&place, format!("nested too deeply; allowed: at most {MOST_LEVELS} levels")));
    }
    let mut reading = Reading::default();
    let pairs = Grammar::parse(Rule::program, text).map_err(|error| not_a_text(text, &error))?;
    for pair in pairs.filter(|pair| pair.as_rule() == Rule::statement) {
        reading.statement(pair)?;
    }
    Ok(reading)
}

fn refused(place: &str, text: String) -> Error {
    Error::Argument(format!("{place}: {text}"))
}

/// Where a byte of a text is, in words.
fn place_of(text: &str, offset: usize) -> String {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or(before).chars().count() + 1;
    place(text, line, column)
}

fn place(text: &str, line: usize, column: usize) -> String {
    if text.contains('\n') {
        format!("expression, line {line}, column {column}")
    } else {
        format!("expression, column {column}")
    }
}

fn place_of_pair(pair: &Pair<'_, Rule>) -> String {
    let (line, column) = pair.line_col();
    place(pair.get_input(), line, column)
}

/// What came, and what could have come.
fn not_a_text(text: &str, error: &pest::error::Error<Rule>) -> Error {
    let offset = match error.location {
        pest::error::InputLocation::Pos(offset) | pest::error::InputLocation::Span((offset, _)) => offset,
    };
    let came = match text.get(offset..).and_then(|rest| rest.chars().next()) {
        Some(character) => format!("'{character}' is not expected"),
        None => "the end is not expected".into(),
    };
    let mut allowed: Vec<&str> = Vec::new();
    if let pest::error::ErrorVariant::ParsingError { positives, .. } = &error.variant {
        for word in positives.iter().filter_map(|rule| in_words(*rule)) {
            if !allowed.contains(&word) {
                allowed.push(word);
            }
        }
    }
    refused(&place_of(text, offset), format!("{came}; allowed: {}", allowed.join(", ")))
}

fn in_words(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::call | Rule::band | Rule::number | Rule::quoted | Rule::name | Rule::group => {
            "a number, a name or brackets"
        }
        Rule::choice | Rule::terms | Rule::statement => "a number, a name or brackets",
        Rule::minus | Rule::plus | Rule::not => "a sign",
        Rule::or | Rule::and | Rule::equal | Rule::unequal | Rule::at_most | Rule::at_least => "an operator",
        Rule::below | Rule::above | Rule::add | Rule::subtract | Rule::multiply => "an operator",
        Rule::divide | Rule::power | Rule::among => "an operator",
        Rule::question => "'?'",
        Rule::colon => "':'",
        Rule::open | Rule::list => "'('",
        Rule::close => "')'",
        Rule::comma => "','",
        Rule::becomes => "'='",
        Rule::separator => "';'",
        Rule::whole => "the number of a band",
        Rule::inner => "a name before '\"'",
        Rule::EOI => "the end",
        _ => return None,
    })
}

/// Refuses a result that is called as a number is: nobody could use it.
fn check_target(name: &str) -> Result<()> {
    if CONSTANTS.iter().all(|(known, ..)| *known != name) {
        return Ok(());
    }
    let all: Vec<&str> = CONSTANTS.iter().map(|(known, ..)| *known).collect();
    let text =
        format!("'{name}' is a number and cannot be a result; allowed: names other than {}", all.join(", "));
    Err(Error::Argument(text))
}

/// The parts of a pair that carry meaning.
fn parts(pair: Pair<'_, Rule>) -> impl Iterator<Item = Pair<'_, Rule>> {
    let mark = |rule| {
        matches!(rule, Rule::question | Rule::colon | Rule::open | Rule::close | Rule::comma | Rule::becomes)
    };
    pair.into_inner().filter(move |part| !mark(part.as_rule()))
}

impl Reading {
    fn statement(&mut self, pair: Pair<'_, Rule>) -> Result<()> {
        (self.uses, self.names_nodata) = (Vec::new(), false);
        let mut name = None;
        let mut root = 0;
        for part in parts(pair) {
            if part.as_rule() == Rule::target {
                let place = place_of_pair(&part);
                check_target(part.as_str().trim()).map_err(|error| error.at(&place))?;
                name = Some(Name { name: part.as_str().trim().trim_matches('"').to_string(), place });
            } else {
                root = self.choice(part)?;
            }
        }
        let uses = std::mem::take(&mut self.uses);
        self.statements.push(Statement { name, root, uses, names_nodata: self.names_nodata });
        Ok(())
    }

    fn choice(&mut self, pair: Pair<'_, Rule>) -> Result<Id> {
        let mut ids = [0; 3];
        let mut count = 0;
        for part in parts(pair) {
            ids[count] = if part.as_rule() == Rule::terms { self.terms(part)? } else { self.choice(part)? };
            count += 1;
        }
        let [condition, then, otherwise] = ids;
        Ok(match count {
            1 => condition,
            _ => self.graph.add(Node::Select(condition, then, otherwise)),
        })
    }

    fn terms(&mut self, pair: Pair<'_, Rule>) -> Result<Id> {
        // The parser wants four functions, each of which adds nodes.
        let reading = std::cell::RefCell::new(self);
        let value = TIGHTNESS
            .map_primary(|primary| reading.borrow_mut().operand(primary))
            .map_prefix(|sign, value| {
                let value = value?;
                let graph = &mut reading.borrow_mut().graph;
                Ok(match sign.as_rule() {
                    Rule::minus => graph.add(Node::Unary(Unary::Negate, value)),
                    Rule::not => graph.add(Node::Unary(Unary::Not, value)),
                    _ => value,
                })
            })
            .map_infix(|left, operator, right| {
                let (left, right) = (left?, right?);
                let operation = operation(operator.as_rule())
                    .ok_or_else(|| Error::Internal(format!("no operation for {}", operator.as_str())))?;
                Ok(reading.borrow_mut().graph.binary(operation, left, right))
            })
            .map_postfix(|value, among| {
                let value = value?;
                let mut reading = reading.borrow_mut();
                let list = among.into_inner().next();
                let list = list.ok_or_else(|| Error::Internal("a list without brackets".into()))?;
                let list = parts(list).map(|part| reading.choice(part)).collect::<Result<Vec<_>>>()?;
                Ok(reading.among(value, &list))
            })
            .parse(pair.into_inner());
        value
    }

    fn operand(&mut self, pair: Pair<'_, Rule>) -> Result<Id> {
        match pair.as_rule() {
            Rule::group => match parts(pair).next() {
                Some(inner) => self.choice(inner),
                None => Err(Error::Internal("brackets around nothing".into())),
            },
            Rule::number => {
                let number = pair.as_str().parse::<f64>().ok().filter(|number| number.is_finite());
                let too_large = || {
                    refused(
                        &place_of_pair(&pair),
                        format!("{} is too large; allowed: up to 1e308", pair.as_str()),
                    )
                };
                number.map(|number| self.graph.constant(number)).ok_or_else(too_large)
            }
            Rule::call => self.call(pair),
            Rule::name => self.name(&pair),
            Rule::band => {
                let compact: String = pair.as_str().split_whitespace().collect();
                Ok(self.input(&compact, &pair))
            }
            _ => Ok(self.input(pair.as_str().trim_matches('"'), &pair)),
        }
    }

    /// A name without quotes: of an argument, a number, an earlier result, or else of an input.
    fn name(&mut self, pair: &Pair<'_, Rule>) -> Result<Id> {
        let name = pair.as_str();
        if let Some((_, id)) = self.bound.iter().find(|(bound, _)| *bound == name) {
            return Ok(*id);
        }
        if let Some((_, number, _)) = CONSTANTS.iter().find(|(known, ..)| *known == name) {
            self.names_nodata |= number.is_nan();
            return Ok(self.graph.constant(*number));
        }
        Ok(self.input(name, pair))
    }

    /// An input, or an earlier result of that name.
    fn input(&mut self, name: &str, pair: &Pair<'_, Rule>) -> Id {
        let called = |statement: &&Statement| statement.name.as_ref().is_some_and(|known| known.name == name);
        if let Some(earlier) = self.statements.iter().find(called) {
            self.names_nodata |= earlier.names_nodata;
            let (root, uses) = (earlier.root, earlier.uses.clone());
            uses.into_iter().for_each(|used| self.use_name(used));
            return root;
        }
        let known = self.names.iter().position(|known| known.name == name);
        let number = known.unwrap_or_else(|| {
            self.names.push(Name { name: name.to_string(), place: place_of_pair(pair) });
            self.names.len() - 1
        });
        self.use_name(number as u32);
        self.graph.add(Node::Input(number as u32))
    }

    fn use_name(&mut self, number: u32) {
        if !self.uses.contains(&number) {
            self.uses.push(number);
        }
    }

    fn call(&mut self, pair: Pair<'_, Rule>) -> Result<Id> {
        let place = place_of_pair(&pair);
        let mut inner = parts(pair.clone());
        let name = inner.next().map_or("", |name| name.as_str());
        let arguments = inner.map(|part| self.choice(part)).collect::<Result<Vec<_>>>()?;
        if let Some(function) = FUNCTIONS.iter().find(|function| function.name == name) {
            return self.function(function, &arguments).map_err(|error| error.at(&place));
        }
        if let Some(index) = INDICES.iter().find(|index| index.name == name) {
            return self.index(index, arguments, &pair).map_err(|error| error.at(&place));
        }
        let functions = FUNCTIONS.iter().map(|function| function.name);
        let names = functions.chain(INDICES.iter().map(|index| index.name));
        Err(unknown_name("function", name, names).at(&place))
    }

    fn function(&mut self, function: &Function, arguments: &[Id]) -> Result<Id> {
        let (fewest, most) = function.meaning.arguments();
        if !(fewest..=most).contains(&arguments.len()) {
            let (name, given, form) = (function.name, arguments.len(), function.arguments);
            return Err(Error::Argument(format!("{name} with {given} arguments; allowed: {name}({form})")));
        }
        let graph = &mut self.graph;
        Ok(match function.meaning {
            Meaning::One(operation) => graph.add(Node::Unary(operation, arguments[0])),
            Meaning::Two(operation) => graph.binary(operation, arguments[0], arguments[1]),
            Meaning::Many(operation) => self.chained(operation, arguments),
            Meaning::Average => {
                let sum = self.chained(Binary::Add, arguments);
                let count = self.graph.constant(arguments.len() as f64);
                self.graph.binary(Binary::Divide, sum, count)
            }
            Meaning::Clamp => {
                let above = graph.binary(Binary::Higher, arguments[0], arguments[1]);
                graph.binary(Binary::Lower, above, arguments[2])
            }
            Meaning::Among => self.among(arguments[0], &arguments[1..]),
            Meaning::Bit => {
                let bit = self.bit(function, arguments, 1)?;
                self.graph.add(Node::Field(arguments[0], bit, 1))
            }
            Meaning::Bits => {
                let (from, to) = (self.bit(function, arguments, 1)?, self.bit(function, arguments, 2)?);
                if to < from {
                    let text = format!("bits from {from} to {to}; allowed: from the lower to the higher");
                    return Err(Error::Argument(text));
                }
                self.graph.add(Node::Field(arguments[0], from, to - from + 1))
            }
            Meaning::Difference => {
                let (a, b) = (arguments[0], arguments[1]);
                let difference = graph.binary(Binary::Subtract, b, a);
                let sum = graph.binary(Binary::Add, b, a);
                graph.binary(Binary::Divide, difference, sum)
            }
        })
    }

    /// An argument that is the number of a bit.
    fn bit(&self, function: &Function, arguments: &[Id], index: usize) -> Result<u32> {
        let number = self.graph.number(arguments[index]);
        let whole = number.filter(|bit| bit.fract() == 0.0 && (0.0..=f64::from(HIGHEST_BIT)).contains(bit));
        whole.map(|bit| bit as u32).ok_or_else(|| {
            let came = number.map_or("no number".into(), |number| number.to_string());
            let (name, which) = (function.name, index + 1);
            Error::Argument(format!(
                "argument {which} of {name} is {came}; allowed: a whole number from 0 to {HIGHEST_BIT}"
            ))
        })
    }

    fn chained(&mut self, operation: Binary, arguments: &[Id]) -> Id {
        let rest = arguments[1..].iter();
        rest.fold(arguments[0], |so_far, next| self.graph.binary(operation, so_far, *next))
    }

    /// Whether a value is one of a list.
    fn among(&mut self, value: Id, list: &[Id]) -> Id {
        let mut found = None;
        for member in list {
            let equal = self.graph.binary(Binary::Equal, value, *member);
            found = Some(match found {
                None => equal,
                Some(found) => self.graph.binary(Binary::Or, found, equal),
            });
        }
        found.unwrap_or(value)
    }

    /// An index of the bands that were given, or of those that have its bands' names.
    fn index(&mut self, index: &'static Index, arguments: Vec<Id>, pair: &Pair<'_, Rule>) -> Result<Id> {
        let arguments = if arguments.is_empty() {
            index.bands.iter().map(|band| self.input(band, pair)).collect()
        } else {
            arguments
        };
        if arguments.len() != index.bands.len() {
            let (name, given, bands) = (index.name, arguments.len(), index.bands.join(", "));
            return Err(Error::Argument(format!(
                "{name} with {given} arguments; allowed: {name}({bands}), or {name}() with inputs of these names"
            )));
        }
        let bound = index.bands.iter().copied().zip(arguments).collect();
        let outer = std::mem::replace(&mut self.bound, bound);
        let formula =
            Grammar::parse(Rule::choice, index.formula).map_err(|error| not_a_text(index.formula, &error));
        let value = formula.and_then(|mut pairs| match pairs.next() {
            Some(pair) => self.choice(pair),
            None => Err(Error::Internal(format!("index {} without a formula", index.name))),
        });
        self.bound = outer;
        value
    }
}

fn operation(rule: Rule) -> Option<Binary> {
    Some(match rule {
        Rule::or => Binary::Or,
        Rule::and => Binary::And,
        Rule::equal => Binary::Equal,
        Rule::unequal => Binary::Unequal,
        Rule::at_most => Binary::AtMost,
        Rule::at_least => Binary::AtLeast,
        Rule::below => Binary::Below,
        Rule::above => Binary::Above,
        Rule::add => Binary::Add,
        Rule::subtract => Binary::Subtract,
        Rule::multiply => Binary::Multiply,
        Rule::divide => Binary::Divide,
        Rule::power => Binary::Power,
        _ => return None,
    })
}
