//! From graph to code.

use super::execute::{self, Code, Instruction, Operand, Origin, Output, Work};
use super::graph::{Graph, Id, Node};
use super::parse::{self, Name, Reading};
use crate::core::error::{unknown_name, Error, Result};
use crate::stack::ROW;
use std::ops::AddAssign;

/// When a result has no data.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum NoDataRule {
    /// Where any input that its expression names has none, or where it is not finite.
    #[default]
    Strict,
    /// Where it is not finite: `isnan`, `coalesce` and `? :` can do without an input.
    Lazy,
}

impl NoDataRule {
    /// Every rule with its name.
    pub const ALL: [(&'static str, NoDataRule); 2] = [("strict", Self::Strict), ("lazy", Self::Lazy)];

    /// Reads a name.
    pub fn parse(text: &str) -> Result<Self> {
        let found = Self::ALL.iter().find(|(name, _)| *name == text.trim()).map(|(_, rule)| *rule);
        found.ok_or_else(|| unknown_name("nodata rule", text, Self::ALL.iter().map(|(name, _)| *name)))
    }
}

/// Cells that became missing although every input had data there: divisions by zero, roots of negative numbers. Results
/// whose text names nodata count only where they are infinite.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Number of cells.
    pub not_finite: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.not_finite += other.not_finite;
    }
}

/// A text that was read; its names are not yet known to be inputs.
#[derive(Debug)]
pub struct Parsed {
    reading: Reading,
    names: Vec<String>,
}

/// Reads a text: one expression, or several `name = expression` with semicolons between.
pub fn parse(text: &str) -> Result<Parsed> {
    let reading = parse::read(text)?;
    let several = reading.statements.len() > 1;
    let mut taken: Vec<&Name> = Vec::new();
    for (index, statement) in reading.statements.iter().enumerate() {
        let Some(name) = &statement.name else {
            if several {
                let text =
                    format!("expression, result {} has no name; allowed: name = expression", index + 1);
                return Err(Error::Argument(text));
            }
            continue;
        };
        if taken.iter().any(|known| known.name == name.name) {
            let text = format!("result '{}' is there twice; allowed: once", name.name);
            return Err(Error::Argument(text).at(&name.place));
        }
        if reading.names.iter().any(|known| known.name == name.name) {
            return Err(is_an_input(name));
        }
        taken.push(name);
    }
    let names = reading.names.iter().map(|known| known.name.clone()).collect();
    Ok(Parsed { reading, names })
}

fn is_an_input(name: &Name) -> Error {
    let text = format!("'{}' is an input and cannot be a result; allowed: a name of its own", name.name);
    Error::Argument(text).at(&name.place)
}

impl Parsed {
    /// Names of inputs as the text has them, in the order in which they come.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Code for inputs of these names. `X` is the only input there is, whatever it is called.
    pub fn compile(&self, known: &[&str], rule: NoDataRule) -> Result<Program> {
        let reading = &self.reading;
        if let Some(name) = reading
            .statements
            .iter()
            .filter_map(|statement| statement.name.as_ref())
            .find(|name| known.contains(&name.name.as_str()))
        {
            return Err(is_an_input(name));
        }
        let mut inputs: Vec<usize> = Vec::new();
        // Two names can be one input: `X` and what it is called.
        let mut rows = Vec::new();
        for name in &reading.names {
            let input = find(known, name)?;
            let row = inputs.iter().position(|listed| *listed == input);
            rows.push(row.unwrap_or(inputs.len()) as u32);
            if row.is_none() {
                inputs.push(input);
            }
        }
        let outputs = reading.statements.iter().map(|statement| {
            let order = reading.graph.schedule(&[statement.root]);
            let keeps = order.iter().all(|id| reading.graph.node(*id).keeps_missing());
            let output = Output {
                uses: statement.uses.iter().map(|name| rows[*name as usize]).collect(),
                masks: rule == NoDataRule::Strict && !keeps,
                names_nodata: statement.names_nodata,
                ..Output::default()
            };
            (statement.root, output)
        });
        let code = Assembler::new(&reading.graph, &rows).assemble(outputs.collect());
        let name = |name: Option<&Name>| name.map_or("result".to_string(), |name| name.name.clone());
        let results = reading.statements.iter().map(|statement| name(statement.name.as_ref())).collect();
        let roots: Vec<Id> = reading.statements.iter().map(|statement| statement.root).collect();
        let mut classes: Vec<usize> =
            reading.graph.classes(&roots).map(|name| rows[name as usize] as usize).collect();
        classes.sort_unstable();
        classes.dedup();
        Ok(Program { code, inputs, classes, results, rule })
    }
}

fn find(known: &[&str], name: &Name) -> Result<usize> {
    if let Some(input) = known.iter().position(|known| *known == name.name) {
        return Ok(input);
    }
    if known.len() == 1 && name.name == "X" {
        return Ok(0);
    }
    Err(unknown_name("input", &name.name, known.iter().copied()).at(&name.place))
}

/// Code that makes rows of results from rows of inputs.
#[derive(Debug, Clone)]
pub struct Program {
    code: Code,
    inputs: Vec<usize>,
    classes: Vec<usize>,
    results: Vec<String>,
    rule: NoDataRule,
}

/// Rows in between; one for each thread.
#[derive(Debug, Clone)]
pub struct Scratch {
    registers: Vec<Vec<f64>>,
}

impl Program {
    /// Which of the known names have to be given, in this order.
    pub fn inputs(&self) -> &[usize] {
        &self.inputs
    }

    /// Inputs, as rows of [`inputs`](Self::inputs), without which no result that uses any has data: what is masked need be
    /// so in these only.
    pub fn decisive(&self) -> Vec<usize> {
        if self.rule == NoDataRule::Lazy {
            return (0..self.inputs.len()).collect();
        }
        let mut rows: Vec<usize> = self
            .code
            .results
            .iter()
            .filter_map(|result| result.uses.first())
            .map(|row| *row as usize)
            .collect();
        rows.sort_unstable();
        rows.dedup();
        rows
    }

    /// Inputs, as rows of [`inputs`](Self::inputs), whose bits are taken or which are compared with certain values: between
    /// two classes there is none.
    pub fn classes(&self) -> Vec<usize> {
        self.classes.clone()
    }

    /// Results that use no input.
    pub fn constants(&self) -> Vec<usize> {
        let results = self.code.results.iter().enumerate();
        results.filter(|(_, result)| result.uses.is_empty()).map(|(place, _)| place).collect()
    }

    /// Names of the results.
    pub fn results(&self) -> &[String] {
        &self.results
    }

    /// Rows in between.
    pub fn scratch(&self) -> Scratch {
        Scratch { registers: vec![vec![0.0; ROW]; self.code.registers] }
    }

    /// Bytes of a [`Scratch`].
    pub fn scratch_bytes(&self) -> usize {
        self.code.registers * ROW * size_of::<f64>()
    }

    /// Computes rows of any width. `inputs` holds a row of every input, `results` has room for a row of every result,
    /// one row after the other. Cells without data are NaN in both.
    pub fn run(&self, width: usize, inputs: &[f64], scratch: &mut Scratch, results: &mut [f64]) -> Tally {
        debug_assert_eq!(inputs.len(), width * self.inputs.len());
        debug_assert_eq!(results.len(), width * self.results.len());
        let mut tally = Tally::default();
        for first in (0..width).step_by(ROW) {
            let work = Work { inputs, width, first, cells: ROW.min(width - first) };
            execute::instructions(&self.code, work, &mut scratch.registers);
            for (number, result) in self.code.results.iter().enumerate() {
                let start = number * width + first;
                let to = &mut results[start..start + work.cells];
                tally.not_finite += execute::result(result, work, &scratch.registers, to);
            }
        }
        tally
    }
}

/// Turns nodes into instructions, and gives a row back as soon as nothing needs it any more.
struct Assembler<'a> {
    graph: &'a Graph,
    /// Row of each input that the graph names.
    rows: &'a [u32],
    /// How often the value of a node is still needed.
    needed: Vec<u32>,
    operands: Vec<Operand>,
    free: Vec<u32>,
    code: Code,
}

impl<'a> Assembler<'a> {
    fn new(graph: &'a Graph, rows: &'a [u32]) -> Self {
        Self {
            graph,
            rows,
            needed: Vec::new(),
            operands: Vec::new(),
            free: Vec::new(),
            code: Code::default(),
        }
    }

    fn assemble(mut self, mut outputs: Vec<(Id, Output)>) -> Code {
        let pairs: Vec<_> = outputs.iter().map(|(root, output)| self.pair(*root, output)).collect();
        let with_code = outputs.iter().zip(&pairs).filter(|(_, pair)| pair.is_none());
        let order = self.graph.schedule(&with_code.map(|((root, _), _)| *root).collect::<Vec<_>>());
        let nodes = order.iter().max().map_or(0, |last| *last as usize + 1);
        self.needed = vec![0; nodes];
        self.operands = vec![Operand::Constant(f64::NAN); nodes];
        for operand in order.iter().flat_map(|id| self.graph.node(*id).operands()) {
            self.needed[operand as usize] += 1;
        }
        // Results stay until all instructions are done; so does a pair that other results are made from.
        for (root, _) in outputs.iter().filter(|(root, _)| order.contains(root)) {
            self.needed[*root as usize] += 1;
        }
        for id in &order {
            self.node(*id);
        }
        for ((root, output), pair) in outputs.iter_mut().zip(pairs) {
            output.origin = match pair {
                Some(pair) if !order.contains(root) => pair,
                _ => Origin::Operand(self.operands[*root as usize]),
            };
        }
        self.code.results = outputs.into_iter().map(|(_, output)| output).collect();
        self.code
    }

    /// A result that is an operation on the two inputs it uses.
    fn pair(&self, root: Id, output: &Output) -> Option<Origin> {
        let Node::Binary(operation, x, y) = self.graph.node(root) else { return None };
        let (Node::Input(x), Node::Input(y)) = (self.graph.node(x), self.graph.node(y)) else { return None };
        let (x, y) = (self.rows[x as usize], self.rows[y as usize]);
        let all = output.uses == [x, y] || output.uses == [y, x];
        (all && x != y && !output.masks && !output.names_nodata).then_some(Origin::Pair(operation, x, y))
    }

    fn node(&mut self, id: Id) {
        let node = self.graph.node(id);
        let at = |operand: Id| self.operands[operand as usize];
        let instruction = match node {
            Node::Constant(bits) => {
                self.operands[id as usize] = Operand::Constant(f64::from_bits(bits));
                return;
            }
            Node::Input(name) => {
                self.operands[id as usize] = Operand::Input(self.rows[name as usize]);
                return;
            }
            Node::Unary(operation, x) => Instruction::Unary(operation, at(x)),
            Node::Binary(operation, x, y) => Instruction::Binary(operation, at(x), at(y)),
            Node::Select(condition, x, y) => Instruction::Select(at(condition), at(x), at(y)),
            Node::Field(x, shift, width) => Instruction::Field(at(x), shift, width),
        };
        for operand in node.operands() {
            let needed = &mut self.needed[operand as usize];
            *needed -= 1;
            if let (0, Operand::Register(register)) = (*needed, self.operands[operand as usize]) {
                self.free.push(register);
            }
        }
        // The row given back last is the first to be used again: most instructions work in place.
        let register = self.free.pop().unwrap_or_else(|| {
            self.code.registers += 1;
            self.code.registers as u32 - 1
        });
        self.operands[id as usize] = Operand::Register(register);
        self.code.instructions.push((instruction, register));
    }
}
