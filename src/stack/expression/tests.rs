//! Numbers by hand, and the laws of rows.

use super::*;

const GAP: f64 = f64::NAN;

/// Results of one cell each, under a rule.
fn under(rule: NoDataRule, text: &str, inputs: &[(&str, f64)]) -> (Vec<f64>, Tally) {
    let names: Vec<&str> = inputs.iter().map(|(name, _)| *name).collect();
    let program = parse(text).and_then(|parsed| parsed.compile(&names, rule)).unwrap();
    let cells: Vec<f64> = program.inputs().iter().map(|input| inputs[*input].1).collect();
    let mut results = vec![0.0; program.results().len()];
    let tally = program.run(1, &cells, &mut program.scratch(), &mut results);
    (results, tally)
}

fn value(text: &str, inputs: &[(&str, f64)]) -> f64 {
    under(NoDataRule::Strict, text, inputs).0[0]
}

fn lazy(text: &str, inputs: &[(&str, f64)]) -> f64 {
    under(NoDataRule::Lazy, text, inputs).0[0]
}

fn said(text: &str, names: &[&str]) -> String {
    let error = parse(text).and_then(|parsed| parsed.compile(names, NoDataRule::Strict)).map(drop);
    error.unwrap_err().to_string()
}

#[test]
fn what_binds_how_tightly() {
    let cases = [
        ("-2^2", -4.0),
        ("2^-2", 0.25),
        ("2^3^2", 512.0),
        ("2^-3^2", 2_f64.powi(-9)),
        ("1 - 2 - 3", -4.0),
        ("6 / 2 * 3", 9.0),
        ("2.5 * 3 / 4", 1.875),
        ("1 < 2 == 1", 1.0),
        ("1 < 2 < 3", 1.0),
        ("1 || 0 && 0", 1.0),
        ("2 == 1 + 1 && 1", 1.0),
        ("1 ? 2 : 3 + 4", 2.0),
        ("0 ? 1 : 0 ? 2 : 3", 3.0),
        ("1 ? 0 ? 5 : 6 : 7", 6.0),
        ("!0 + 1", 2.0),
        ("!2 == 0", 1.0),
        ("- -3", 3.0),
        ("--3 * -+2", -6.0),
        ("1e3 + 1.e-1 + .5 + 2E+1", 1020.6),
        ("min(3, max(1, 2))", 2.0),
        ("max(1, 2, 3)", 3.0),
        ("3 in (1, 2, 3) && !(4 in (1, 2))", 1.0),
        ("2 ^ 1 in (1)", 2.0),
    ];
    for (text, expected) in cases {
        assert_eq!(value(text, &[]), expected, "{text}");
        // The same with a number that is not known beforehand.
        let open = format!("({text}) + zero");
        assert_eq!(value(&open, &[("zero", 0.0)]), expected, "{open}");
    }
}

#[test]
fn functions_of_the_language() {
    let cases = [
        ("rint(2.5) - rint(-2.5)", 5.0),
        ("floor(-1.5) + ceil(-1.5)", -3.0),
        ("clamp(x, 0, 1)", 1.0),
        ("sign(x) - sign(-x) + sign(x - x)", 2.0),
        ("sum(x, 1, 2) + avg(x, 1, 2)", 8.0),
        ("pow(x, 2) - x^2 + x^3 + x^4", 108.0),
        ("bit(x, 0) + bit(x, 1) + bit(x, 2)", 2.0),
        ("bits(0x_ * 0 + 22280, 8, 9)", 3.0),
        ("bits(-1 - x + x, 0, 50)", 2_f64.powi(51) - 1.0),
        ("isin(x, 8, 3) + isin(x, 8, 9)", 1.0),
        ("nd(1, x) + norm_diff(x, 1)", 0.0),
        ("log(_e) + ln(_e) + log2(8) + log10(100)", 7.0),
        ("atan2(0, -1) - _pi", 0.0),
        ("sqrt(abs(-x * 3))", 3.0),
    ];
    for (text, expected) in cases {
        let text = text.replace("0x_", "x");
        assert_eq!(value(&text, &[("x", 3.0)]), expected, "{text}");
    }
    assert!(value("bit(x, 3)", &[("x", 2_f64.powi(51))]).is_nan());
    assert_eq!(value("bit(x, 50)", &[("x", 2_f64.powi(51) - 1.0)]), 1.0);
}

#[test]
fn every_function_is_what_the_standard_library_says() {
    type Plain = fn(f64) -> f64;
    let functions: [(&str, Plain); 17] = [
        ("sin", f64::sin),
        ("cos", f64::cos),
        ("tan", f64::tan),
        ("asin", f64::asin),
        ("acos", f64::acos),
        ("atan", f64::atan),
        ("sinh", f64::sinh),
        ("cosh", f64::cosh),
        ("tanh", f64::tanh),
        ("asinh", f64::asinh),
        ("atanh", f64::atanh),
        ("exp", f64::exp),
        ("ln", f64::ln),
        ("sqrt", f64::sqrt),
        ("abs", f64::abs),
        ("floor", f64::floor),
        ("ceil", f64::ceil),
    ];
    for (name, function) in functions {
        for x in [0.1, 0.5, 0.99] {
            assert_eq!(value(&format!("{name}(x)"), &[("x", x)]), function(x), "{name}");
        }
    }
    assert_eq!(value("acosh(x)", &[("x", 1.5)]), 1.5_f64.acosh());
}

#[test]
fn names_of_inputs() {
    let known = ["A", "A[2]", "any name", "in"];
    let text = r#""any name" + A [ 2 ] * 10 + A * 100 + in * 1000"#;
    let program = parse(text).unwrap().compile(&known, NoDataRule::Strict).unwrap();
    assert_eq!(program.inputs(), [2, 1, 0, 3]);
    let mut results = [0.0];
    program.run(1, &[4.0, 3.0, 2.0, 1.0], &mut program.scratch(), &mut results);
    assert_eq!(results, [1234.0]);
    assert_eq!(value("X * X + b", &[("b", 2.0)]), 6.0);
    assert_eq!(parse("X * X + b").unwrap().names(), ["X", "b"]);
    assert!(said("X", &["a", "b"]).ends_with("unknown input 'X'; allowed: a, b"));
}

#[test]
fn several_results_and_earlier_ones_in_later_ones() {
    let inputs = [("red", 1.0), ("nir", 3.0)];
    let (results, _) = under(
        NoDataRule::Strict,
        r#"ndvi = ndvi(); "twice it" = ndvi * 2; plain = red; fixed = 7;"#,
        &inputs,
    );
    assert_eq!(results, [0.5, 1.0, 1.0, 7.0]);
    let program = parse("a = 1; b = 2").unwrap().compile(&[], NoDataRule::Strict).unwrap();
    assert_eq!(program.results(), ["a", "b"]);
    let program = parse("1").unwrap().compile(&[], NoDataRule::Strict).unwrap();
    assert_eq!(program.results(), ["result"]);
    assert!(said("a = 1; a = 2", &[]).contains("column 8: result 'a' is there twice"));
    assert!(said("a = a + 1", &[]).contains("column 1: 'a' is an input and cannot be a result"));
    assert!(said("red = 3", &["red"]).contains("'red' is an input"));
    assert!(said("a = 1; 2", &[]).contains("result 2 has no name; allowed: name = expression"));
}

#[test]
fn strict_rule_of_missing_cells() {
    let gap = [("a", GAP), ("b", 2.0)];
    for text in [
        "a + b",
        "a < b",
        "isnan(a)",
        "coalesce(a, b)",
        "b ? b : a",
        "a || b",
        "!a",
        "(a * 0)^0 + b",
        "a in (1)",
    ] {
        let (results, tally) = under(NoDataRule::Strict, text, &gap);
        assert!(results[0].is_nan() && tally.not_finite == 0, "{text}");
    }
    // Each result has its own inputs.
    let (results, _) = under(NoDataRule::Strict, "one = a + b; other = b + 1; third = other && other", &gap);
    assert!(results[0].is_nan());
    assert_eq!(results[1..], [3.0, 1.0]);
    let (results, _) = under(NoDataRule::Strict, "one = a > b; other = one || b", &gap);
    assert!(results[1].is_nan(), "what an earlier result was made of counts");
}

#[test]
fn lazy_rule_of_missing_cells() {
    let gap = [("a", GAP), ("b", 2.0)];
    assert_eq!(lazy("isnan(a)", &gap), 1.0);
    assert_eq!(lazy("coalesce(a, a, b)", &gap), 2.0);
    assert_eq!(lazy("isnan(a) ? 7 : a", &gap), 7.0);
    for text in [
        "a + b",
        "min(a, b)",
        "min(b, a)",
        "max(a, b)",
        "max(b, a)",
        "a",
        "abs(a)",
        "sign(a)",
        "clamp(a, 0, 1)",
    ] {
        assert!(lazy(text, &gap).is_nan(), "{text}");
    }
    assert!(lazy("bit(a, 1)", &gap).is_nan());
}

#[test]
fn what_is_not_finite_has_no_data_and_is_counted() {
    let inputs = [("a", 1.0), ("zero", 0.0), ("gap", GAP)];
    for text in ["a / zero", "zero / zero", "sqrt(-a)", "ln(zero)", "exp(a * 1000)", "a / 0", "1 / 0 + zero"]
    {
        let (results, tally) = under(NoDataRule::Strict, text, &inputs);
        assert!(results[0].is_nan() && tally.not_finite == 1, "{text}");
    }
    assert_eq!(under(NoDataRule::Strict, "gap / zero", &inputs).1.not_finite, 0);
    assert_eq!(under(NoDataRule::Strict, "gap / zero + a + a / zero", &inputs).1.not_finite, 0);
    assert_eq!(under(NoDataRule::Strict, "gap > zero ? a / zero : zero / zero", &inputs).1.not_finite, 0);
    // Nodata that was asked for is not counted.
    let (results, tally) = under(NoDataRule::Strict, "a == 1 ? nodata : a", &inputs);
    assert!(results[0].is_nan() && tally.not_finite == 0);
    assert_eq!(under(NoDataRule::Strict, "a == 2 ? NaN : a / zero", &inputs).1.not_finite, 1);
    assert_eq!(under(NoDataRule::Strict, "a / zero > 5 ? 3 : 4", &inputs).0, [3.0]);
}

#[test]
fn indices_are_formulas_of_the_language() {
    for index in INDICES {
        let inputs: Vec<(&str, f64)> =
            index.bands.iter().enumerate().map(|(place, band)| (*band, 0.1 + 0.17 * place as f64)).collect();
        let expected = value(index.formula, &inputs);
        assert!(expected.is_finite(), "{}", index.name);
        assert_eq!(value(&format!("{}()", index.name), &inputs), expected, "{}", index.name);
        let call = format!("{}({})", index.name, index.bands.join(", "));
        assert_eq!(value(&call, &inputs), expected, "{call}");
        assert!(!FUNCTIONS.iter().any(|function| function.name == index.name));
    }
    // A factor of all bands cancels, unless the table says that it does not.
    for index in INDICES {
        let of = |factor: f64| {
            let band = |(place, band): (usize, &&'static str)| (*band, factor * (0.1 + 0.17 * place as f64));
            value(index.formula, &index.bands.iter().enumerate().map(band).collect::<Vec<_>>())
        };
        assert_eq!((of(1.0) - of(1e4)).abs() > 1e-9, index.reflectance, "{}", index.name);
    }
    let bands = [("red", 0.1), ("nir", 0.5), ("blue", 0.05), ("green", 0.08), ("swir1", 0.2), ("swir2", 0.1)];
    let close = |text: &str, expected: f64| {
        let came = value(text, &bands);
        assert!((came - expected).abs() < 1e-12, "{text} {came}");
    };
    close("ndvi()", 0.4 / 0.6);
    close("ndvi(nir, red)", -0.4 / 0.6);
    close("evi()", 1.0 / 1.725);
    close("savi()", 0.6 / 1.1);
    close("ndwi()", (0.08 - 0.5) / 0.58);
    close("mndwi()", (0.08 - 0.2) / 0.28);
    close("nbr()", 0.4 / 0.6);
    close("ndmi()", 0.3 / 0.7);
    close("ndbi()", -0.3 / 0.7);
    assert!(said("ndvi()", &["red", "b4"]).contains("column 1: unknown input 'nir'; allowed: red, b4"));
}

#[test]
fn errors_say_where_what_and_what_is_allowed() {
    let cases = [
        ("(nir - red", "expression, column 11: the end is not expected; allowed: ", "')'"),
        (
            "nir - * red",
            "expression, column 7: '*' is not expected; allowed: ",
            "a number, a name or brackets",
        ),
        ("nir red", "expression, column 5: 'r' is not expected; allowed: ", "an operator"),
        ("", "expression, column 1: the end is not expected; allowed: ", "a number, a name or brackets"),
        ("5 % 3", "expression, column 3: '%' is not expected; allowed: ", "an operator"),
        ("a ? b", "expression, column 6: the end is not expected; allowed: ", "':'"),
        ("a = = 2", "expression, column 5: '=' is not expected; allowed: ", "a number"),
        ("2e", "expression, column 2: 'e' is not expected; allowed: ", "an operator"),
        ("nir +\n  \u{e4}", "expression, line 2, column 3: '\u{e4}' is not expected", "a number"),
        ("\"", "expression, column 2: the end is not expected; allowed: ", "a name before"),
        ("foo(1)", "expression, column 1: unknown function 'foo'; allowed: min, max", "nd, norm_diff, ndvi"),
        ("1 + sin()", "expression, column 5: sin with 0 arguments; allowed: sin(x)", ""),
        ("pow(1)", "expression, column 1: pow with 1 arguments; allowed: pow(a, b)", ""),
        ("ndvi(1)", "expression, column 1: ndvi with 1 arguments; allowed: ndvi(red, nir), or ndvi()", ""),
        ("bit(1, 51)", "argument 2 of bit is 51; allowed: a whole number from 0 to 50", ""),
        ("bit(1, b)", "argument 2 of bit is no number; allowed", ""),
        ("bits(1, 4, 2)", "bits from 4 to 2; allowed: from the lower to the higher", ""),
        ("1e999", "expression, column 1: 1e999 is too large", ""),
        ("nir + blau", "expression, column 7: unknown input 'blau'; allowed: nir, red", ""),
    ];
    for (text, start, also) in cases {
        let said = said(text, &["nir", "red", "a", "b"]);
        assert!(said.contains(start) && said.contains(also), "{text}: {said}");
        assert!(said.contains("; allowed: ") || said.contains("not expected"), "{said}");
    }
}

#[test]
fn hostile_texts_are_refused_before_they_cost_anything() {
    // On a small stack: reading must not recurse where the text is deep.
    let thread = std::thread::Builder::new().stack_size(512 * 1024).spawn(|| {
        for part in ["(", "-", "!", "a^", "1e-5^", "a ? b : ", "a ? ", "max(1, ", "evi(1, 2, "] {
            let said = said(&part.repeat(4000 / part.len() * 4), &["a"]);
            assert!(said.contains("nested too deeply; allowed: at most 64 levels"), "{part} {said}");
        }
        let said = said(&"a".repeat(16 * 1024 + 1), &["a"]);
        assert!(said.contains("16385 bytes long; allowed: at most 16384"), "{said}");
        // Long ones that are not deep, and the deepest that are allowed.
        let sum = format!("{}0", "a + ".repeat(4000));
        assert_eq!(value(&sum, &[("a", 1.0)]), 4000.0);
        let list = format!("max({}0)", "a * 2, ".repeat(2000));
        assert_eq!(value(&list, &[("a", 1.0)]), 2.0);
        for (open, close) in [("(", ")"), ("max(1, ", ")"), ("-", ""), ("a ? a : ", ""), ("a^", "")] {
            let text = format!("{}a{}", open.repeat(64), close.repeat(64));
            assert_eq!(value(&text, &[("a", 1.0)]), 1.0, "{open}");
        }
        let nested = format!("{}a{}", "kndvi(2, ".repeat(60), ")".repeat(60));
        assert!(value(&nested, &[("a", 1.0)]).is_finite());
    });
    thread.unwrap().join().unwrap();
}

#[test]
fn values_that_come_twice_are_computed_once_in_few_rows() {
    let program = |text: &str| parse(text).unwrap().compile(&["a", "b"], NoDataRule::Strict).unwrap();
    let rows = |text: &str| program(text).scratch_bytes() / (8 * crate::stack::ROW);
    // A pair of inputs needs none.
    assert_eq!((rows("(a - b) / (a + b)"), rows("(a - b) / (a + 2 * b)")), (0, 2));
    assert_eq!(rows("a"), 0);
    assert_eq!(rows(&format!("max({}a)", "a * b + 1, ".repeat(50))), 2);
    let many: Vec<String> = (0..50).map(|number| format!("a * {number}")).collect();
    assert_eq!(rows(&format!("max({})", many.join(", "))), 2);
}

/// A simple generator: the numbers are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % limit
    }

    fn expression(&mut self, depth: usize) -> String {
        const INFIX: [&str; 13] = ["+", "-", "*", "/", "^", "<", "<=", ">", ">=", "==", "!=", "&&", "||"];
        if depth == 0 {
            return match self.below(5) {
                0 => format!("{}", self.below(10)),
                1 => format!("{}.25", self.below(4)),
                name => ["a", "b", "c"][name - 2].to_string(),
            };
        }
        let mut inner = || self.expression(depth - 1);
        let (x, y, z) = (inner(), inner(), inner());
        match self.below(10) {
            0..=4 => format!("({x}) {} ({y})", INFIX[self.below(INFIX.len())]),
            5 => format!("-({x})"),
            6 => format!("{}({x}, {y}, {z})", ["min", "max", "sum", "avg", "coalesce"][self.below(5)]),
            7 => format!("{}({x})", ["sqrt", "exp", "ln", "abs", "isnan", "rint"][self.below(6)]),
            8 => format!("bits({x}, 1, 3)"),
            _ => format!("({x}) ? ({y}) : ({z})"),
        }
    }
}

#[test]
fn rows_of_any_width_give_the_same_bits_as_single_cells() {
    let mut random = Random(7);
    const WIDTH: usize = 2500;
    let names = ["a", "b", "c"];
    let rows: Vec<f64> = (0..3 * WIDTH)
        .map(|_| if random.below(8) == 0 { GAP } else { random.below(40) as f64 / 4.0 - 3.0 })
        .collect();
    for number in 0..120 {
        let (first, second) = (random.expression(3), random.expression(2));
        let text = format!("one = {first}; two = {second}; three = one - two");
        let rule = if number % 2 == 0 { NoDataRule::Strict } else { NoDataRule::Lazy };
        let program = parse(&text).unwrap().compile(&names, rule).unwrap();
        let mut scratch = program.scratch();
        let given: Vec<f64> =
            program.inputs().iter().flat_map(|input| &rows[input * WIDTH..][..WIDTH]).copied().collect();
        let mut whole = vec![0.0; 3 * WIDTH];
        let tally = program.run(WIDTH, &given, &mut scratch, &mut whole);
        let mut sum = Tally::default();
        for column in (0..WIDTH).step_by(13) {
            let width = 13.min(WIDTH - column);
            let piece: Vec<f64> =
                given.chunks_exact(WIDTH).flat_map(|row| &row[column..column + width]).copied().collect();
            let mut results = vec![0.0; 3 * width];
            sum += program.run(width, &piece, &mut scratch, &mut results);
            for (result, row) in results.chunks_exact(width).zip(whole.chunks_exact(WIDTH)) {
                let bits = |row: &[f64]| row.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
                assert_eq!(bits(result), bits(&row[column..column + width]), "{text}");
            }
        }
        assert_eq!(sum, tally, "{text}");
        // Against the graph itself, cell by cell: no rows, no registers.
        for column in (0..WIDTH).step_by(61) {
            let cell: Vec<f64> = rows.chunks_exact(WIDTH).map(|row| row[column]).collect();
            check_cell(&text, rule, &cell, [0, 1, 2].map(|result| whole[result * WIDTH + column]));
        }
    }
}

/// Evaluates the nodes of a text one by one.
fn check_cell(text: &str, rule: NoDataRule, cell: &[f64], came: [f64; 3]) {
    let reading = super::parse::read(text).unwrap();
    let order: Vec<u32> =
        reading.graph.schedule(&reading.statements.iter().map(|s| s.root).collect::<Vec<_>>());
    let mut values = std::collections::HashMap::new();
    let of_name = |name: u32| {
        cell[["a", "b", "c"].iter().position(|known| reading.names[name as usize].name == *known).unwrap()]
    };
    for id in order {
        use super::graph::Node;
        let value = match reading.graph.node(id) {
            Node::Constant(bits) => f64::from_bits(bits),
            Node::Input(name) => of_name(name),
            Node::Unary(operation, x) => operation.of(values[&x]),
            Node::Binary(operation, x, y) => operation.of(values[&x], values[&y]),
            Node::Select(condition, x, y) => values[if values[&condition] != 0.0 { &x } else { &y }],
            Node::Field(x, shift, width) => super::operators::field(values[&x], shift, width),
        };
        values.insert(id, value);
    }
    for (statement, came) in reading.statements.iter().zip(came) {
        let missing = rule == NoDataRule::Strict && statement.uses.iter().any(|name| of_name(*name).is_nan());
        let expected =
            if missing || !values[&statement.root].is_finite() { GAP } else { values[&statement.root] };
        assert!(came == expected || came.is_nan() && expected.is_nan(), "{text} {cell:?} {came} {expected}");
    }
}

#[test]
fn whatever_comes_is_read_or_refused() {
    let mut random = Random(11);
    let parts = [
        "a", "b[2]", "(", ")", "-", "!", "^", "?", ":", ",", ";", "=", "==", "1", ".5e", "\"", "in", "max(",
        "ndvi()", " ", "\n", "\u{20ac}", "&", "|",
    ];
    for _ in 0..20_000 {
        let length = random.below(12);
        let text: String = (0..length).map(|_| parts[random.below(parts.len())]).collect();
        match parse(&text) {
            Ok(parsed) => {
                let names: Vec<&str> = parsed.names().iter().map(String::as_str).collect();
                let program = parsed.compile(&names, NoDataRule::Lazy).unwrap();
                let mut results = vec![0.0; program.results().len()];
                program.run(1, &vec![2.0; program.inputs().len()], &mut program.scratch(), &mut results);
            }
            Err(error) => assert!(error.to_string().contains("; allowed: "), "{text}: {error}"),
        }
    }
}
