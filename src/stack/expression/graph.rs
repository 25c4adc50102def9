//! What an expression computes, without the text: every value once, each after those it is made from.

use super::operators::{field, Binary, Unary};
use std::collections::HashMap;

/// Place of a node in its graph.
pub type Id = u32;

/// One value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Node {
    /// Bits of a number.
    Constant(u64),
    /// Place of a name among those of the expression.
    Input(u32),
    Unary(Unary, Id),
    Binary(Binary, Id, Id),
    /// Condition, value where it is not 0, value where it is 0.
    Select(Id, Id, Id),
    /// A number, the first of its bits, how many.
    Field(Id, u32, u32),
}

impl Node {
    /// What it is made from.
    pub fn operands(self) -> impl DoubleEndedIterator<Item = Id> {
        let (all, count) = match self {
            Self::Constant(_) | Self::Input(_) => ([0; 3], 0),
            Self::Unary(_, x) | Self::Field(x, ..) => ([x, 0, 0], 1),
            Self::Binary(_, x, y) => ([x, y, 0], 2),
            Self::Select(condition, x, y) => ([condition, x, y], 3),
        };
        all.into_iter().take(count)
    }

    /// Whether a missing operand always makes it missing.
    pub fn keeps_missing(self) -> bool {
        match self {
            Self::Constant(_) | Self::Input(_) | Self::Field(..) => true,
            Self::Unary(operation, _) => operation.keeps_missing(),
            Self::Binary(operation, ..) => operation.keeps_missing(),
            Self::Select(..) => false,
        }
    }
}

/// Nodes in the order they were made.
#[derive(Debug, Default)]
pub struct Graph {
    nodes: Vec<Node>,
    places: HashMap<Node, Id>,
}

impl Graph {
    /// A node; the one that is there already if it is the same. What is made of numbers alone is a number.
    pub fn add(&mut self, node: Node) -> Id {
        let node = self.folded(node).map_or(node, |number| Node::Constant(number.to_bits()));
        *self.places.entry(node).or_insert_with(|| {
            self.nodes.push(node);
            (self.nodes.len() - 1) as Id
        })
    }

    /// A number.
    pub fn constant(&mut self, number: f64) -> Id {
        self.add(Node::Constant(number.to_bits()))
    }

    /// An operation on two values. Small whole powers are products, and a difference by the sum of the same two values
    /// is one operation.
    pub fn binary(&mut self, operation: Binary, x: Id, y: Id) -> Id {
        let power = (operation == Binary::Power).then(|| self.number(y)).flatten();
        match power {
            Some(power) if power == 2.0 || power == 3.0 || power == 4.0 => {
                let square = self.add(Node::Binary(Binary::Multiply, x, x));
                match power as u32 {
                    2 => square,
                    3 => self.add(Node::Binary(Binary::Multiply, square, x)),
                    _ => self.add(Node::Binary(Binary::Multiply, square, square)),
                }
            }
            _ => {
                self.add(self.normalized_difference(operation, x, y).unwrap_or(Node::Binary(operation, x, y)))
            }
        }
    }

    fn normalized_difference(&self, operation: Binary, x: Id, y: Id) -> Option<Node> {
        let (Binary::Divide, Node::Binary(Binary::Subtract, a, b), Node::Binary(Binary::Add, c, d)) =
            (operation, self.node(x), self.node(y))
        else {
            return None;
        };
        let same = (a, b) == (c, d) || (a, b) == (d, c);
        same.then_some(Node::Binary(Binary::NormalizedDifference, a, b))
    }

    /// The number of a node that is one.
    pub fn number(&self, id: Id) -> Option<f64> {
        match self.nodes[id as usize] {
            Node::Constant(bits) => Some(f64::from_bits(bits)),
            _ => None,
        }
    }

    /// A node by its place.
    pub fn node(&self, id: Id) -> Node {
        self.nodes[id as usize]
    }

    fn folded(&self, node: Node) -> Option<f64> {
        Some(match node {
            Node::Constant(_) | Node::Input(_) => return None,
            Node::Unary(operation, x) => operation.of(self.number(x)?),
            Node::Binary(operation, x, y) => operation.of(self.number(x)?, self.number(y)?),
            Node::Select(condition, x, y) => {
                let (x, y) = (self.number(x)?, self.number(y)?);
                if self.number(condition)? != 0.0 {
                    x
                } else {
                    y
                }
            }
            Node::Field(x, shift, width) => field(self.number(x)?, shift, width),
        })
    }

    /// Inputs whose bits are taken, or which are looked for in a list, on the way to `roots`.
    pub fn classes(&self, roots: &[Id]) -> impl Iterator<Item = u32> + '_ {
        let input = |id: Id| match self.node(id) {
            Node::Input(name) => Some(name),
            _ => None,
        };
        let listed = move |id: Id| match self.node(id) {
            Node::Binary(Binary::Equal, x, y) => self.number(y).and_then(|_| input(x)),
            _ => None,
        };
        self.schedule(roots).into_iter().filter_map(move |id| match self.node(id) {
            Node::Field(x, ..) => input(x),
            Node::Binary(Binary::Or, x, y) => listed(x).filter(|name| listed(y) == Some(*name)),
            _ => None,
        })
    }

    /// Nodes that `roots` need, each after those it is made from, and a chain of them without more than it needs in
    /// between.
    pub fn schedule(&self, roots: &[Id]) -> Vec<Id> {
        let mut done = vec![false; self.nodes.len()];
        let mut order = Vec::new();
        // Expressions can be deep chains: no recursion.
        let mut open: Vec<(Id, bool)> = roots.iter().rev().map(|root| (*root, false)).collect();
        while let Some((id, expanded)) = open.pop() {
            if done[id as usize] {
                continue;
            }
            if expanded {
                done[id as usize] = true;
                order.push(id);
                continue;
            }
            open.push((id, true));
            open.extend(self.node(id).operands().rev().map(|operand| (operand, false)));
        }
        order
    }
}
