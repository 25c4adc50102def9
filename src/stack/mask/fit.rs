//! What a mask asks for as the types of its band have it.

use super::cell_test::{Comparison, Test};
use super::{Mask, Rule};
use crate::core::error::{Error, Result};
use crate::stack::cells::CellType;

impl Mask {
    /// Numbers as cells of these types have them: 0.1 stands in a file as the nearest 32-bit float. Refuses what no cell of
    /// `band`, whose files have these types, can be. Formulas stay as they are.
    pub fn fit(&mut self, band: &str, types: &[CellType]) -> Result<()> {
        let Rule::Tests(tests) = &mut self.rule else { return Ok(()) };
        for test in tests {
            check_any(test, band, types)?;
            if types.contains(&CellType::Float32) {
                test.round();
            }
        }
        Ok(())
    }
}

/// An error if the test can be true of none of the types: the one of the first.
fn check_any(test: &Test, band: &str, types: &[CellType]) -> Result<()> {
    let mut first = Ok(());
    for cell_type in types {
        let found = check(test, band, *cell_type);
        if found.is_ok() {
            return found;
        }
        first = first.and(found);
    }
    first
}

fn check(test: &Test, band: &str, cell_type: CellType) -> Result<()> {
    match test {
        Test::AnyBit(bits) => check_bit(63 - bits.leading_zeros().min(63), band, cell_type),
        Test::Field(first, width, comparison, with) => {
            check_bit(first + width - 1, band, cell_type)?;
            check_field((*first, *width), *comparison, *with)
        }
        Test::Values(values) => {
            let what = format!("band '{band}': value");
            values.iter().try_for_each(|value| cell_type.check(&what, *value))?;
            let inexact = values.iter().find(|value| cell_type.is_inexact(**value));
            inexact.map_or(Ok(()), |value| {
                Err(Error::Argument(format!(
                    "{what} {value} is one of several cells; allowed: whole numbers between -2^53 and 2^53"
                )))
            })
        }
        Test::Range(low, high) => {
            let (least, most) = cell_type.range();
            if *high >= least && *low <= most {
                return Ok(());
            }
            let name = cell_type.name();
            Err(Error::Argument(format!(
                "band '{band}' of type {name} has nothing from {low} to {high}; allowed: {least} to {most}"
            )))
        }
    }
}

/// Floats hold whole numbers of any width.
fn check_bit(highest: u32, band: &str, cell_type: CellType) -> Result<()> {
    let bits = 8 * cell_type.size() as u32;
    if cell_type.is_float() || highest < bits {
        return Ok(());
    }
    let (name, last) = (cell_type.name(), bits - 1);
    Err(Error::Argument(format!("band '{band}' of type {name} has no bit {highest}; allowed: 0 to {last}")))
}

fn check_field((first, width): (u32, u32), comparison: Comparison, with: f64) -> Result<()> {
    let most = ((1_u64 << width) - 1) as f64;
    let can_hold = match comparison {
        Comparison::Equal => with.fract() == 0.0 && (0.0..=most).contains(&with),
        Comparison::Unequal => true,
        Comparison::AtLeast => with <= most,
        Comparison::Above => with < most,
        Comparison::AtMost => with >= 0.0,
        Comparison::Below => with > 0.0,
    };
    if can_hold {
        return Ok(());
    }
    let last = first + width - 1;
    Err(Error::Argument(format!(
        "bits {first}-{last} compared with {with} are never true; allowed: whole numbers from 0 to {most}"
    )))
}

impl Test {
    /// Takes numbers for the 32-bit floats nearest to them as well; ranges then end at these.
    fn round(&mut self) {
        let round = |number: f64| CellType::Float32.stored(number);
        match self {
            Self::Values(values) => values.extend(values.clone().into_iter().map(round)),
            Self::Range(low, high) => (*low, *high) = (low.min(round(*low)), high.max(round(*high))),
            Self::AnyBit(_) | Self::Field(..) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(text: &str, types: &[CellType]) -> Result<Mask> {
        let mut mask = Mask::parse(text, &["qa"])?;
        mask.fit("qa", types).map(|()| mask)
    }

    #[test]
    fn what_no_cell_can_be_is_refused() {
        for (text, cell_type, words) in [
            ("qa: bits 16", CellType::UInt16, "band 'qa' of type uint16 has no bit 16; allowed: 0 to 15"),
            ("qa: bits 0|9", CellType::UInt8, "no bit 9; allowed: 0 to 7"),
            ("qa: bits 7-8 >= 1", CellType::UInt8, "no bit 8; allowed: 0 to 7"),
            (
                "qa: bits 5-6 >= 4",
                CellType::UInt8,
                "bits 5-6 compared with 4 are never true; allowed: whole numbers from 0 to 3",
            ),
            ("qa: bits 5-6 == 1.5", CellType::UInt8, "allowed: whole numbers from 0 to 3"),
            (
                "qa: values 300",
                CellType::UInt8,
                "band 'qa': value 300 is not a number of type uint8; allowed: whole numbers from 0 to 255",
            ),
            ("qa: values 0.5", CellType::Int16, "allowed: whole numbers"),
            (
                "qa: values 9007199254740993",
                CellType::Int64,
                "is one of several cells; allowed: whole numbers between",
            ),
            (
                "qa: range 256..300",
                CellType::UInt8,
                "band 'qa' of type uint8 has nothing from 256 to 300; allowed: 0 to 255",
            ),
        ] {
            let said = fit(text, &[cell_type]).unwrap_err().to_string();
            assert!(said.contains(words), "{text}: {said}");
            assert!(fit(text, &[cell_type, CellType::Float64]).is_ok() || text.contains("5-6"), "{text}");
        }
        for text in ["qa: bits 15", "qa: bits 5-6 > 2", "qa: values 65535", "qa: range -5..1e9"] {
            fit(text, &[CellType::UInt16]).unwrap();
        }
    }

    #[test]
    fn numbers_are_those_of_the_type() {
        let hits = |text: &str, types: &[CellType], cell: f64| {
            let mask = fit(text, types).unwrap();
            let mut masked = [0];
            mask.row(1, &[cell], &mut mask.scratch(), super::super::Outside::Mask, &mut masked);
            masked[0] == 1
        };
        let (tenth, fifth) = (f64::from(0.1_f32), f64::from(0.2_f32));
        assert!(hits("qa: values 0.1", &[CellType::Float32], tenth));
        assert!(hits("qa: range 0.15..0.2", &[CellType::Float32], fifth));
        assert!(!hits("qa: values 0.1", &[CellType::Float64], tenth));
        assert!(hits("qa: values 0.1", &[CellType::Float64], 0.1));
        assert!(hits("qa: values 0.1", &[CellType::Float64, CellType::Float32], 0.1));
    }
}
