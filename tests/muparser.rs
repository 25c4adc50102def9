//! The language of expressions against muParser itself, the library GDAL uses for its own.
//!
//! Random expressions with a fixed seed, and a few by hand, are evaluated by a C++ program with libmuparser and by ours.
//! Where the two differ on purpose stands in `Difference`, and each kind has to be there.

use std::collections::HashSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use terralume::stack::expression::{parse, NoDataRule};

const EXPRESSIONS: usize = 4000;

/// The program with muParser, compiled once for all tests, which run side by side.
static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("muparser");
    std::fs::create_dir_all(&folder).unwrap();
    let program = folder.join("evaluate");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/muparser/evaluate.cpp");
    let compiled = Command::new("c++")
        .args(["-std=c++17", "-O1", "-Wall", "-Wextra", "-Werror"])
        .arg(&source)
        .arg("-o")
        .arg(&program)
        .arg("-lmuparser")
        .status()
        .expect("a C++ compiler; scripts/install-deps.sh installs one, and libmuparser");
    assert!(compiled.success(), "scripts/install-deps.sh installs libmuparser-dev");
    program
});

/// Evaluates with muParser; None for what it refuses.
fn muparser(expressions: &[String]) -> Vec<Option<f64>> {
    let mut child =
        Command::new(&*PROGRAM).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the program");
    let mut input = child.stdin.take().expect("a pipe");
    let text = expressions.join("\n");
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = child.wait_with_output().expect("output");
    writer.join().expect("a writer").expect("written");
    let text = String::from_utf8(output.stdout).expect("text");
    let values: Vec<Option<f64>> = text.lines().map(|line| line.parse().ok()).collect();
    assert_eq!(values.len(), expressions.len(), "a line each");
    values
}

/// Evaluates with the library; None for what it refuses, NaN for what is not finite.
fn terralume(expression: &str) -> Option<f64> {
    let program = parse(expression).and_then(|parsed| parsed.compile(&["a", "b", "c"], NoDataRule::Strict));
    let program = program.ok()?;
    let inputs: Vec<f64> = program.inputs().iter().map(|input| [2.5, 0.75, 3.0][*input]).collect();
    let mut results = [0.0];
    program.run(1, &inputs, &mut program.scratch(), &mut results);
    Some(results[0])
}

/// The numbers are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % limit
    }

    fn of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }

    fn expression(&mut self, depth: usize) -> String {
        if depth == 0 {
            return match self.below(5) {
                0 => format!("{}.{}", self.below(9), 1 + self.below(9)),
                1 => format!("{}", self.below(10)),
                _ => self.of(&["a", "b", "c"]).into(),
            };
        }
        match self.below(20) {
            0..=10 => {
                let infix = self.of(&["+", "-", "*", "/", "^", "<", "<=", ">", ">=", "==", "!=", "&&", "||"]);
                format!("{} {infix} {}", self.expression(depth - 1), self.expression(depth - 1))
            }
            11..=13 => format!("({})", self.expression(depth - 1)),
            14 => format!("-{}", self.expression(depth - 1)),
            15 | 16 => {
                let name = self.of(&["min", "max", "sum", "avg"]);
                let count = 1 + self.below(4);
                let list: Vec<String> = (0..count).map(|_| self.expression(depth - 1)).collect();
                format!("{name}({})", list.join(", "))
            }
            17 | 18 => {
                let name = self.of(&[
                    "sqrt", "exp", "ln", "log", "log2", "log10", "sin", "cos", "tan", "asin", "acos", "atan",
                    "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "rint", "sign", "abs",
                ]);
                format!("{name}({})", self.expression(depth - 1))
            }
            _ => format!(
                "({}) ? {} : {}",
                self.expression(depth - 1),
                self.expression(depth - 1),
                self.expression(depth - 1)
            ),
        }
    }
}

/// Why the two may differ.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Difference {
    /// muParser refuses a sign after a sign.
    Signs,
    /// muParser cuts numbers off before it takes them for true or false.
    Logic,
    /// What is not a number is missing here and goes on being so; muParser compares it and goes on.
    Missing,
}

fn difference(expression: &str, theirs: Option<f64>) -> Option<Difference> {
    let compact: String = expression.split_whitespace().collect();
    if theirs.is_none() && compact.contains("--") {
        return Some(Difference::Signs);
    }
    if compact.contains("&&") || compact.contains("||") {
        return Some(Difference::Logic);
    }
    let extremes = ["min(", "max(", "sign("].iter().any(|name| compact.contains(name));
    extremes.then_some(Difference::Missing)
}

fn same(ours: Option<f64>, theirs: Option<f64>) -> bool {
    match (ours, theirs) {
        (None, None) => true,
        // Infinite numbers are no data here.
        (Some(ours), Some(theirs)) if ours.is_nan() => !theirs.is_finite(),
        (Some(ours), Some(theirs)) => (ours - theirs).abs() <= 1e-9 * ours.abs().max(1e-9),
        _ => false,
    }
}

#[test]
fn random_expressions_have_the_values_of_muparser() {
    let mut random = Random(7);
    let mut seen = HashSet::new();
    let mut expressions = Vec::new();
    while expressions.len() < EXPRESSIONS {
        let depth = 1 + random.below(4);
        let expression = random.expression(depth);
        if expression.len() < 200 && seen.insert(expression.clone()) {
            expressions.push(expression);
        }
    }
    let theirs = muparser(&expressions);
    let mut kinds = HashSet::new();
    let (mut differing, mut numbers) = (0, 0);
    for (expression, theirs) in expressions.iter().zip(theirs) {
        let ours = terralume(expression);
        numbers += usize::from(ours.is_some_and(f64::is_finite));
        if !same(ours, theirs) {
            let kind = difference(expression, theirs);
            assert!(kind.is_some(), "{expression}: {ours:?}, muParser {theirs:?}");
            kinds.extend(kind);
            differing += 1;
        }
    }
    println!(
        "{EXPRESSIONS} expressions, {numbers} of them numbers, {differing} differ on purpose: {kinds:?}"
    );
    assert!(numbers > EXPRESSIONS / 2, "only {numbers} are numbers: the test has gone blind");
    assert!(differing < EXPRESSIONS / 20, "{differing} differ");
    assert!(kinds.contains(&Difference::Signs) && kinds.contains(&Difference::Logic), "{kinds:?}");
}

#[test]
fn texts_by_hand_have_the_values_of_muparser() {
    let texts = [
        "-2^2",
        "2^-2",
        "2^3^2",
        "2^-3^2",
        "-a^2",
        "2*-a^2",
        "2^-a*3",
        "-a/b*c",
        "1 - -1",
        "1 < 2 == 1",
        "0 ? 1 : 0 ? 2 : 3",
        "1 ? 0 ? 5 : 6 : 7",
        "1 ? 2 : 3 + 4",
        "2 == 1 + 1 && 1",
        "1 || 0 && 0",
        "rint(2.5)",
        "rint(-2.5)",
        "rint(0.49999999999999994)",
        "atan2(a, -b)",
        "_e",
        "_pi",
        "1e3",
        "1.e3",
        ".5",
        "2e",
        "5 % 3",
        "5 & 3",
        "1 +",
        "a ? b",
        "()",
        "sin",
        "sin()",
        "min()",
        "unknown",
        "a b",
        "2a",
        "(a",
        "a)",
        "0^0",
        "(-8)^(1/3)",
        "sum(a,b,c)/avg(a,b,c)",
        "1 <= a != 0",
    ];
    let expressions: Vec<String> = texts.map(String::from).to_vec();
    for (expression, theirs) in expressions.iter().zip(muparser(&expressions)) {
        let ours = terralume(expression);
        assert!(same(ours, theirs), "{expression}: {ours:?}, muParser {theirs:?}");
    }
}
