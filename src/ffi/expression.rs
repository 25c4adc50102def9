//! Formulas over rows of the caller's own cells.

use super::argument::{borrow, check, text, texts, Place};
use super::library::c_text;
use super::status::{guard, terralume_status, Failure, Result};
use crate::stack::expression::{parse, NoDataRule, Program, Scratch};
use libc::c_char;
use serde_json::json;
use std::sync::{Mutex, PoisonError};

/// A formula, compiled. Any number of threads may use one.
pub struct terralume_expr {
    program: Program,
    /// Names of the inputs that it uses.
    inputs: Vec<String>,
    /// Rows in between, of threads that are done with them.
    spare: Mutex<Vec<Scratch>>,
}

/// Compiles a formula. What is wrong in its text is said with the column.
///
/// @param formula As the command `calc` takes it: "(nir - red) / (nir + red)", or several results: "a = x + 1; b = sqrt(y)".
/// @param names   The inputs that there are; the last pointer is NULL. NULL: those that the formula names, in their order.
/// @param rule    "strict": a result has data where all the inputs that it uses have; "lazy": coalesce(), isnan() and ?: may do
///                without. NULL: strict.
/// @param expr    Receives the formula. Free it with terralume_expr_free().
#[no_mangle]
pub unsafe extern "C" fn terralume_expr_compile(
    formula: *const c_char,
    names: *const *const c_char,
    rule: *const c_char,
    expr: *mut *mut terralume_expr,
) -> terralume_status {
    guard(|| {
        // SAFETY: pointers are NULL or as the documentation asks.
        let (place, formula) = unsafe { (Place::new(expr, "expr")?, text(formula, "formula")?) };
        let rule = match rule.is_null() {
            true => NoDataRule::Strict,
            // SAFETY: not NULL, and a C string by contract.
            false => NoDataRule::parse(unsafe { text(rule, "rule") }?)?,
        };
        let parsed = parse(formula)?;
        let known: Vec<&str> = match names.is_null() {
            true => parsed.names().iter().map(String::as_str).collect(),
            // SAFETY: a list that ends with NULL, by contract.
            false => unsafe { texts(names, "names") }?,
        };
        let program = parsed.compile(&known, rule)?;
        let inputs = program.inputs().iter().map(|input| known[*input].to_string()).collect();
        place.fill(Box::into_raw(Box::new(terralume_expr { program, inputs, spare: Mutex::default() })));
        Ok(())
    })
}

/// Says what a formula takes and gives, as JSON: "inputs", the names of the rows that terralume_expr_eval_rows() wants, and
/// "results", the names of those it fills, each in their order. A single result without a name is "result".
///
/// @param json Receives the text, UTF-8. Free it with terralume_string_free().
#[no_mangle]
pub unsafe extern "C" fn terralume_expr_describe(
    expr: *const terralume_expr,
    json: *mut *mut c_char,
) -> terralume_status {
    guard(|| {
        // SAFETY: pointers are NULL or as the documentation asks.
        let (expr, place) = unsafe { (borrow(expr, "expr")?, Place::new(json, "json")?) };
        let described = json!({"inputs": expr.inputs, "results": expr.program.results()});
        place.fill(c_text(described.to_string())?.into_raw());
        Ok(())
    })
}

/// Computes rows of results on the calling thread.
///
/// @param expr       The formula.
/// @param cells      Cells of a row, any number.
/// @param inputs     A row for each of the "inputs" that terralume_expr_describe() says, one after the other without gaps; NaN
///                   where there is no data. May be NULL where there are none.
/// @param results    Receives a row for each of the "results"; NaN where there is no data, or no finite number. Must not
///                   overlap the inputs.
/// @param not_finite Receives how many results were infinite or no numbers though their inputs have data. May be NULL.
#[no_mangle]
pub unsafe extern "C" fn terralume_expr_eval_rows(
    expr: *const terralume_expr,
    cells: usize,
    inputs: *const f64,
    results: *mut f64,
    not_finite: *mut u64,
) -> terralume_status {
    guard(|| {
        // SAFETY: NULL or live, by contract.
        let expr = unsafe { borrow(expr, "expr") }?;
        check(results, "results")?;
        let counted = match not_finite.is_null() {
            true => None,
            // SAFETY: not NULL, and writable by contract.
            false => Some(unsafe { Place::new(not_finite, "not_finite") }?),
        };
        let given = length(expr.inputs.len(), cells, "inputs")?;
        let wanted = length(expr.program.results().len(), cells, "results")?;
        let rows = match given {
            0 => &[],
            _ => {
                check(inputs, "inputs")?;
                apart((inputs as usize, given), (results as usize, wanted))?;
                // SAFETY: not NULL, aligned, and so long by contract; apart from the results, so nobody writes to them.
                unsafe { std::slice::from_raw_parts(inputs, given) }
            }
        };
        // SAFETY: not NULL, aligned, and so long by contract; nobody else has them during the call.
        let out = unsafe { std::slice::from_raw_parts_mut(results, wanted) };
        let found = expr.run(cells, rows, out);
        if let Some(place) = counted {
            place.fill(found);
        }
        Ok(())
    })
}

/// Frees a formula that no thread uses any more.
#[no_mangle]
pub unsafe extern "C" fn terralume_expr_free(expr: *mut terralume_expr) {
    if !expr.is_null() {
        // SAFETY: from terralume_expr_compile(), and freed once, by contract. No guard: nothing here can fail.
        drop(unsafe { Box::from_raw(expr) });
    }
}

impl terralume_expr {
    /// How many results are no finite numbers.
    fn run(&self, cells: usize, inputs: &[f64], results: &mut [f64]) -> u64 {
        let spare = || self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = spare().pop();
        let mut scratch = taken.unwrap_or_else(|| self.program.scratch());
        let tally = self.program.run(cells, inputs, &mut scratch, results);
        spare().push(scratch);
        tally.not_finite
    }
}

/// Numbers in so many rows.
fn length(rows: usize, cells: usize, name: &str) -> Result<usize> {
    let numbers = rows.checked_mul(cells);
    numbers.filter(|numbers| *numbers <= isize::MAX as usize / size_of::<f64>()).ok_or_else(|| {
        Failure::argument(format!(
            "{rows} rows of {cells} cells for {name} do not fit into the address space"
        ))
    })
}

/// Checks that rows of inputs and results, each an address and a length, do not overlap.
fn apart(inputs: (usize, usize), results: (usize, usize)) -> Result<()> {
    let end = |(start, numbers): (usize, usize)| start.saturating_add(numbers * size_of::<f64>());
    if inputs.0 < end(results) && results.0 < end(inputs) {
        return Err(Failure::argument("results overlap the inputs; allowed: memory of their own".into()));
    }
    Ok(())
}

/// Formulas are used by several threads at once.
const _: fn() = || {
    fn is_shareable<T: Send + Sync>() {}
    is_shareable::<terralume_expr>();
};

#[cfg(test)]
mod tests {
    use super::*;
    use std::ptr::null;

    #[test]
    fn rows_are_computed_and_misuse_is_refused() {
        let mut expr = std::ptr::null_mut();
        // SAFETY: live pointers and C strings throughout; the formula is freed once.
        unsafe {
            let compile = |text: &std::ffi::CStr, expr: &mut *mut terralume_expr| {
                terralume_expr_compile(text.as_ptr(), null(), null(), expr)
            };
            assert_eq!(compile(c"a +* b", &mut expr), terralume_status::Argument);
            assert!(expr.is_null());
            assert_eq!(compile(c"q = a / b; s = a + 1", &mut expr), terralume_status::Ok);
            assert_eq!((*expr).inputs, ["a", "b"]);
            let inputs = [1.0, f64::NAN, 6.0, 4.0, 1.0, 0.0];
            let (mut results, mut count) = ([0.0; 6], 0);
            let status = terralume_expr_eval_rows(expr, 3, inputs.as_ptr(), results.as_mut_ptr(), &mut count);
            assert_eq!((status, count), (terralume_status::Ok, 1));
            assert_eq!(format!("{results:?}"), "[0.25, NaN, NaN, 2.0, NaN, 7.0]");
            let place = results.as_mut_ptr();
            let refused =
                |cells, inputs| terralume_expr_eval_rows(expr, cells, inputs, place, std::ptr::null_mut());
            assert_eq!(refused(3, place.cast_const().wrapping_add(1)), terralume_status::Argument);
            assert_eq!(refused(usize::MAX, inputs.as_ptr()), terralume_status::Argument);
            assert_eq!(refused(3, null()), terralume_status::Null);
            terralume_expr_free(expr);
            terralume_expr_free(std::ptr::null_mut());
        }
    }
}
