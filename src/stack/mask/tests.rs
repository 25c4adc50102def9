//! Every preset on all numbers of 16 bits, and what people write.

use super::*;

const GAP: f64 = f64::NAN;

fn masked(text: &str, known: &[&str], inputs: &[f64], outside: Outside) -> Vec<u8> {
    let mask = Mask::parse(text, known).unwrap();
    let width = inputs.len() / mask.inputs().len();
    let mut masked = vec![0; width];
    mask.row(width, inputs, &mut mask.scratch(), outside, &mut masked);
    masked
}

/// All numbers of 16 bits against a plain function.
fn on_all_numbers(text: &str, plain: impl Fn(u32) -> bool) {
    let row: Vec<f64> = (0..65_536).map(f64::from).collect();
    let came = masked(text, &["qa"], &row, Outside::Mask);
    for (number, came) in (0..).zip(came) {
        assert_eq!(came == 1, plain(number), "{text}: {number}");
    }
}

#[test]
fn bits_classes_and_levels_of_presets() {
    for preset in PRESETS {
        for flag in preset.flags {
            let name = format!("{}:{}", preset.name, flag.name);
            match flag.place {
                Place::Bit(bit) => on_all_numbers(&name, |qa| qa / 2_u32.pow(bit) % 2 == 1),
                Place::Class(class) => on_all_numbers(&name, |qa| qa == class),
                Place::Level(from, words) => {
                    let level = |qa: u32| qa / 2_u32.pow(from) % 4;
                    for (number, word) in (0..4).zip(words) {
                        on_all_numbers(&format!("{name}>={number}"), |qa| level(qa) >= number);
                        on_all_numbers(&format!("{name} == {word}"), |qa| level(qa) == number);
                    }
                }
            }
        }
    }
}

#[test]
fn presets_as_their_makers_tell_them() {
    on_all_numbers("landsat_c2:fill,cloud,cloud_shadow,water", |qa| {
        qa & (1 << 0 | 1 << 3 | 1 << 4 | 1 << 7) != 0
    });
    on_all_numbers("landsat_c2:cloud_confidence>=medium,cirrus_confidence == 3", |qa| {
        qa >> 8 & 3 >= 2 || qa >> 14 & 3 == 3
    });
    on_all_numbers("landsat_c2:cloud_shadow_confidence>2,snow_confidence<1", |qa| {
        qa >> 10 & 3 > 2 || qa >> 12 & 3 < 1
    });
    on_all_numbers("landsat_c1:fill,cloud", |qa| qa & 0b1_0001 != 0);
    on_all_numbers("landsat_c1:cloud_confidence>=2,cloud_shadow_confidence>=2", |qa| {
        (qa >> 5 & 3) >= 2 || (qa >> 7 & 3) >= 2
    });
    on_all_numbers("landsat_c1:snow_confidence==high,cirrus_confidence==high,saturation!=none", |qa| {
        qa >> 9 & 3 == 3 || qa >> 11 & 3 == 3 || qa >> 2 & 3 != 0
    });
    on_all_numbers("hls:cirrus,cloud,adjacent,cloud_shadow", |qa| qa & 0b1111 != 0);
    on_all_numbers("hls:snow,water,aerosol==high", |qa| qa & 0b11_0000 != 0 || qa >> 6 & 3 == 3);
    on_all_numbers("s2_scl:cloud_medium,cloud_high,cirrus,cloud_shadow", |qa| [8, 9, 10, 3].contains(&qa));
    on_all_numbers("qa60:cloud,cirrus", |qa| qa & (1 << 10 | 1 << 11) != 0);
}

#[test]
fn rules_without_a_preset() {
    on_all_numbers("bits 0|3|4|7", |qa| qa & 0b1001_1001 != 0);
    on_all_numbers("qa: bits 5-6 >= 2", |qa| qa >> 5 & 3 >= 2);
    on_all_numbers("qa: bits 5-8 < 3 invert", |qa| qa >> 5 & 15 >= 3);
    on_all_numbers("qa:bits 4 == 0", |qa| qa & 16 == 0);
    on_all_numbers("qa: values 8, 9,10", |qa| (8..=10).contains(&qa));
    on_all_numbers("qa: range 1..20", |qa| (1..=20).contains(&qa));
    on_all_numbers("qa: values 1 invert", |qa| qa != 1);
    on_all_numbers("X: values 7", |qa| qa == 7);
    on_all_numbers("qa in (8,9)", |qa| qa == 8 || qa == 9);
    on_all_numbers("mask = bit(qa,4) || bits(qa,5,6) >= 2", |qa| qa & 16 != 0 || qa >> 5 & 3 >= 2);
    on_all_numbers("qa > 5 ? qa < 7 : qa == 2", |qa| qa == 6 || qa == 2);
    on_all_numbers("!isin(X, 1, 2)", |qa| !(1..=2).contains(&qa));
}

#[test]
fn cells_without_a_quality_are_out_unless_kept() {
    let row = [GAP, 8.0, 9.0];
    for text in ["qa: values 8", "qa: values 9 invert", "qa == 8", "!(qa == 9)"] {
        assert_eq!(masked(text, &["qa"], &row, Outside::Mask), [1, 1, 0], "{text}");
        assert_eq!(masked(text, &["qa"], &row, Outside::Keep), [0, 1, 0], "{text}");
    }
    assert_eq!(masked("bits 3", &["qa"], &[-8.0, 8.5, 1e300, f64::INFINITY], Outside::Mask), [1, 1, 0, 0]);
}

#[test]
fn several_masks_and_several_inputs() {
    let known = ["red", "SCL", "any name"];
    let mask = Mask::parse("s2_scl:cloud_high", &known).unwrap();
    assert_eq!(mask.inputs(), [1]);
    assert_eq!(Mask::parse("\"any name\": values 1", &known).unwrap().inputs(), [2]);
    let both = Mask::parse("red > 5 && SCL == 1", &known).unwrap();
    assert_eq!(both.inputs(), [0, 1]);
    let mut out = [0; 3];
    mask.row(3, &[9.0, 1.0, 1.0], &mut mask.scratch(), Outside::Mask, &mut out);
    both.row(3, &[0.0, 6.0, 0.0, 1.0, 1.0, 1.0], &mut both.scratch(), Outside::Mask, &mut out);
    assert_eq!((out, count(&out)), ([1, 1, 0], 2));
    let mut row = [1.0, 2.0, 3.0];
    apply_value(&out, 0.0, &mut row);
    assert_eq!(row, [0.0, 0.0, 3.0]);
    apply_value(&out, f64::NAN, &mut row);
    assert!(row[0].is_nan() && row[1].is_nan() && row[2] == 3.0);
}

#[test]
fn long_rows_are_cut_without_a_trace() {
    let row: Vec<f64> = (0..3000).map(|cell| f64::from(cell % 17)).collect();
    let twice = [row.clone(), row.clone()].concat();
    let expected: Vec<u8> = row.iter().map(|value| u8::from(*value > 8.0)).collect();
    assert_eq!(masked("a: range 9..20", &["a", "b"], &row, Outside::Mask), expected);
    assert_eq!(masked("a > 8 && b > 8", &["a", "b"], &twice, Outside::Mask), expected);
}

#[test]
fn refusals() {
    let said = |text: &str| Mask::parse(text, &["qa", "red"]).unwrap_err().to_string();
    let cases = [
        (
            "qa: bits 51",
            "mask 'qa: bits 51': '51' is not allowed; allowed: whole numbers of bits from 0 to 50",
        ),
        ("qa: bits 6-5 > 1", "'6-5' is not allowed; allowed: the lower bit first"),
        ("qa: bits 5 > x", "'x' is not allowed; allowed: a number"),
        ("qa: values 1;2", "'1;2' is not allowed; allowed: a number"),
        ("qa: range 3", "'3' is not allowed; allowed: two numbers as 1..20"),
        ("qa: range 3..1", "allowed: the lower number first"),
        ("qb: values 3", "unknown input 'qb'; allowed: qa, red"),
        ("values 3", "which input is meant is not said; allowed: NAME: in front, NAME being qa, red"),
        ("qa: landsat_c3:cloud", "unknown preset 'landsat_c3'; allowed: landsat_c2, landsat_c1"),
        ("landsat_c9:cloud", "unknown preset 'landsat_c9'; allowed: landsat_c2"),
        ("qa: cloud", "'cloud' is not allowed; allowed: bits 0|3, bits 5-6 >= 2"),
        ("landsat_c2:clouds", "unknown flag of landsat_c2 'clouds'; allowed: fill, dilated_cloud"),
        ("landsat_c2:", "unknown flag of landsat_c2 ''; allowed: fill"),
        ("landsat_c2:cloud>2", "'cloud>2' is not allowed; allowed: cloud alone"),
        (
            "landsat_c2:cloud_confidence",
            "allowed: cloud_confidence with a comparison such as cloud_confidence >= medium",
        ),
        ("landsat_c2:cloud_confidence>=4", "'4' is not allowed; allowed: 0 to 3, or none, low, medium, high"),
        ("a = qa; b = red", "has 2 results; allowed: one expression"),
        ("qa >", "expression, column 5"),
        ("blue > 3", "unknown input 'blue'; allowed: qa, red"),
    ];
    for (text, expected) in cases {
        let said = said(text);
        assert!(said.contains(expected), "{text}: {said}");
    }
}

#[test]
fn whatever_comes_is_read_or_refused() {
    let parts = [
        "qa",
        "red",
        ":",
        " ",
        "bits ",
        "values ",
        "range ",
        "1",
        "51",
        "|",
        "-",
        ">=",
        "==",
        ",",
        "..",
        "1e999",
        "invert",
        "landsat_c2",
        "cloud",
        "cloud_confidence",
        "\"",
        "?",
        "(",
        "\u{20ac}",
        "in",
        "X",
    ];
    let mut seed = 9_u64;
    let mut below = |limit: usize| {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (seed >> 33) as usize % limit
    };
    let mut read = 0;
    for _ in 0..50_000 {
        let length = below(9);
        let text: String = (0..length).map(|_| parts[below(parts.len())]).collect();
        match Mask::parse(&text, &["qa", "red"]) {
            Ok(mask) => {
                let inputs = vec![3.0; mask.inputs().len()];
                mask.row(1, &inputs, &mut mask.scratch(), Outside::Mask, &mut [0]);
                read += 1;
            }
            Err(error) => assert!(error.to_string().contains("; allowed: "), "{text}: {error}"),
        }
    }
    assert!(read > 100, "only {read} were read: the test has gone blind");
}

#[test]
fn bits_of_cells_as_they_are_are_those_of_their_numbers() {
    fn compare<T: Whole>(cells: &[T], text: &str) {
        let mask = Mask::parse(text, &["qa"]).unwrap();
        for (nodata, outside) in
            [(None, Outside::Mask), (Some(9.0), Outside::Mask), (Some(9.0), Outside::Keep)]
        {
            let mut numbers = vec![0.0; cells.len()];
            crate::stack::cells::read_row(cells, nodata, &mut numbers);
            let expected = masked(text, &["qa"], &numbers, outside);
            let mut came = vec![0; cells.len()];
            mask.any_bit().unwrap().row(cells, nodata, outside, &mut came);
            assert_eq!(came, expected, "{text}, nodata {nodata:?}, {outside:?}");
        }
    }
    let numbers = || 0..=u16::MAX;
    for text in ["qa: bits 0|3", "qa: bits 4 invert", "landsat_c2:fill,cloud,snow", "bits 12|20|31"] {
        compare(&(0..=u8::MAX).collect::<Vec<_>>(), text);
        compare(&numbers().collect::<Vec<_>>(), text);
        compare(&numbers().map(|number| u32::from(number) * 65_537).collect::<Vec<_>>(), text);
    }
    let asks_more = ["qa: bits 5-6 >= 2", "landsat_c2:cloud,cloud_confidence>1", "qa > 3", "values 8"];
    assert!(asks_more.iter().all(|text| Mask::parse(text, &["qa"]).unwrap().any_bit().is_none()));
}
