//! Masks, expressions, reductions and statistics on pieces of real series, against NumPy and xarray, and the laws they
//! keep. No files of rasters, no GDAL: rows in, rows out.

use std::path::Path;
use terralume::stack::cells::{read_row, CellType};
use terralume::stack::expression::{parse, NoDataRule};
use terralume::stack::mask::{self, Mask, Outside};
use terralume::stack::reduce::{
    same_day, Day, Grouping, Groups, Layers, Merge, Ranking, ReducePlan, Statistic, STATISTICS,
};
use terralume::stack::statistics::{Edges, Histogram, Moments};

const GAP: f64 = f64::NAN;

fn bytes(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/stack/arithmetic");
    std::fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

macro_rules! array {
    ($type:ty, $name:expr) => {
        bytes($name)
            .chunks_exact(size_of::<$type>())
            .map(|cell| <$type>::from_le_bytes(cell.try_into().expect("a cell")))
            .collect::<Vec<$type>>()
    };
}

/// Layers of a place, masked, with their dates.
struct Series {
    name: &'static str,
    cells: usize,
    layers: Vec<Vec<f64>>,
    dates: Vec<i64>,
}

impl Series {
    /// Sentinel-2 without its clouds.
    fn sentinel() -> Self {
        let cells = 16 * 12;
        let (ndvi, clouds) = (array!(f32, "s2_ndvi.bin"), bytes("s2_clouds.bin"));
        let mask = Mask::parse("clm == 1", &["clm"]).unwrap();
        let mut scratch = mask.scratch();
        let layer = |(ndvi, clouds): (&[f32], &[u8])| {
            let (mut row, mut quality) = (vec![0.0; cells], vec![0.0; cells]);
            read_row(ndvi, None, &mut row);
            read_row(clouds, None, &mut quality);
            let mut masked = vec![0; cells];
            mask.row(cells, &quality, &mut scratch, Outside::Mask, &mut masked);
            mask::apply_value(&masked, f64::NAN, &mut row);
            row
        };
        let layers = ndvi.chunks(cells).zip(clouds.chunks(cells)).map(layer).collect();
        Self { name: "s2", cells, layers, dates: array!(i64, "s2_seconds.bin") }
    }

    /// NDVI of Landsat without fill, clouds and shadows.
    fn landsat() -> Self {
        let cells = 20 * 14;
        let [red, nir, quality] = ["l8_b4.bin", "l8_b5.bin", "l8_bqa.bin"].map(|name| array!(u16, name));
        let known = ["red", "nir", "bqa"];
        let mask = Mask::parse("landsat_c1:fill,cloud,cloud_shadow_confidence>=medium", &known).unwrap();
        let program = parse("nd(red, nir)").unwrap().compile(&known, NoDataRule::Strict).unwrap();
        let (mut scratch, mut rows) = (mask.scratch(), program.scratch());
        let layers = (0..red.len() / cells).map(|layer| {
            let place = layer * cells..(layer + 1) * cells;
            let read = |band: &[u16]| {
                let mut row = vec![0.0; cells];
                read_row(&band[place.clone()], Some(0.0), &mut row);
                row
            };
            let bands = [read(&red), read(&nir)];
            let inputs: Vec<f64> = program.inputs().iter().flat_map(|input| bands[*input].clone()).collect();
            let mut row = vec![0.0; cells];
            program.run(cells, &inputs, &mut rows, &mut row);
            let mut bits = vec![0.0; cells];
            read_row(&quality[place.clone()], None, &mut bits);
            let mut masked = vec![0; cells];
            mask.row(cells, &bits, &mut scratch, Outside::Mask, &mut masked);
            mask::apply_value(&masked, f64::NAN, &mut row);
            row
        });
        Self { name: "l8", cells, layers: layers.collect(), dates: array!(i64, "l8_seconds.bin") }
    }

    fn expected(&self, name: &str) -> Vec<Vec<f64>> {
        let cells = array!(f64, &format!("{}_{name}.bin", self.name));
        cells.chunks(self.cells).map(<[f64]>::to_vec).collect()
    }

    /// Results of each group, statistic by statistic.
    fn reduce(&self, statistics: &str, grouping: &str) -> Vec<Vec<f64>> {
        let groups = Grouping::parse(grouping).unwrap().of(&self.dates, None).unwrap();
        let plan = plan(statistics, &self.dates, &groups, None, 1);
        reduced(&plan, &self.layers, self.cells, self.cells, false)
    }
}

fn plan(
    statistics: &str,
    dates: &[i64],
    groups: &Groups,
    weights: Option<&[f64]>,
    at_least: u32,
) -> ReducePlan {
    let statistics = Statistic::parse_list(statistics).unwrap();
    ReducePlan::new(&statistics, Layers { dates, groups, weights }, at_least).unwrap()
}

/// All results, with rows fed and finished in pieces of so many cells.
fn reduced(
    plan: &ReducePlan,
    layers: &[Vec<f64>],
    cells: usize,
    piece: usize,
    single: bool,
) -> Vec<Vec<f64>> {
    let mut state = plan.state(cells, single);
    let mut scratch = plan.scratch();
    for (number, layer) in layers.iter().enumerate() {
        for (index, row) in layer.chunks(piece).enumerate() {
            state.feed(number, index * piece, row);
        }
    }
    let mut results = vec![vec![0.0; cells]; plan.results().len()];
    for first in (0..cells).step_by(piece) {
        let width = piece.min(cells - first);
        let mut rows = vec![0.0; width * plan.statistics()];
        for group in 0..plan.groups() {
            state.finish(group, first, width, &mut rows, &mut scratch);
            for (number, row) in rows.chunks(width).enumerate() {
                results[group * plan.statistics() + number][first..first + width].copy_from_slice(row);
            }
        }
    }
    results
}

/// The largest difference by size; where one has no data the other has none.
fn difference(name: &str, ours: &[f64], theirs: &[f64]) -> f64 {
    assert_eq!(ours.len(), theirs.len(), "{name}");
    let mut largest = 0.0_f64;
    for (ours, theirs) in ours.iter().zip(theirs) {
        assert_eq!(ours.is_nan(), theirs.is_nan(), "{name}: {ours} {theirs}");
        if !ours.is_nan() {
            largest = largest.max((ours - theirs).abs() / theirs.abs().max(1e-3));
        }
    }
    largest
}

#[test]
fn reductions_are_those_of_xarray() {
    for series in [Series::sentinel(), Series::landsat()] {
        let names = String::from_utf8(bytes(&format!("{}_expected.txt", series.name))).unwrap();
        let names: Vec<&str> = names.lines().collect();
        let ours = |name: &str| match name {
            "var_ddof1" => "var(ddof=1)".to_string(),
            "p33_nearest" => "p33(nearest)".to_string(),
            "which_min_index" => "which_min(index)".to_string(),
            "which_max_index" => "which_max(index)".to_string(),
            other => other.to_string(),
        };
        let statistics: Vec<String> = names.iter().map(|name| ours(name)).collect();
        let results = series.reduce(&statistics.join(","), "all");
        for ((name, ours), theirs) in names.iter().zip(results).zip(series.expected("expected")) {
            let allowed = match *name {
                // xarray takes two passes.
                "std" | "var_ddof1" => 1e-12,
                _ => 0.0,
            };
            let largest = difference(name, &ours, &theirs);
            assert!(largest <= allowed, "{} {name}: {largest:e}", series.name);
        }
    }
}

#[test]
fn groups_are_those_of_xarray() {
    for series in [Series::sentinel(), Series::landsat()] {
        for (statistic, grouping, name) in [
            ("mean", "season", "season_mean"),
            ("median", "month", "month_median"),
            ("max", "year", "year_max"),
        ] {
            let (ours, theirs) = (series.reduce(statistic, grouping), series.expected(name));
            assert_eq!(ours.len(), theirs.len(), "{name}");
            for (ours, theirs) in ours.iter().zip(&theirs) {
                assert_eq!(difference(name, ours, theirs), 0.0, "{} {name}", series.name);
            }
        }
    }
}

#[test]
fn scenes_of_one_day_are_merged() {
    let series = Series::landsat();
    let days = same_day(&series.dates, Day::Utc);
    assert_eq!((days.len(), days.last()), (19, Some(&16)));
    let mut merge = Merge::First.scratch(series.cells);
    let mut layers = Vec::new();
    let mut dates = Vec::new();
    for day in 0..17 {
        let mut row = vec![0.0; series.cells];
        let of_day = (0..19).filter(|layer| days[*layer] == day);
        of_day.clone().for_each(|layer| merge.add(&series.layers[layer]));
        merge.finish(&mut row);
        dates.extend(of_day.map(|layer| series.dates[layer]).next());
        layers.push(row);
    }
    let merged = Series { name: "l8", cells: series.cells, layers, dates };
    let (ours, theirs) = (merged.reduce("mean", "all"), merged.expected("days_mean"));
    assert_eq!(difference("days", &ours[0], &theirs[0]), 0.0);
}

/// Every statistic with its first option.
fn everything() -> String {
    let name = |name: &'static str| if name == "p" { "p37.5" } else { name };
    STATISTICS.iter().map(|entry| name(entry.name)).collect::<Vec<_>>().join(",")
}

#[test]
fn no_division_of_a_rectangle_changes_a_bit() {
    let series = Series::sentinel();
    let groups = Grouping::Season.of(&series.dates, None).unwrap();
    let weights: Vec<f64> = (0..series.dates.len()).map(|layer| 0.3 + layer as f64).collect();
    let plan = plan(&everything(), &series.dates, &groups, Some(&weights), 2);
    let bits = |results: Vec<Vec<f64>>| results.into_iter().flatten().map(f64::to_bits).collect::<Vec<_>>();
    let whole = bits(reduced(&plan, &series.layers, series.cells, series.cells, false));
    for piece in [1, 7, 64, 100] {
        assert!(bits(reduced(&plan, &series.layers, series.cells, piece, false)) == whole, "{piece}");
    }
    // A cell alone in its rectangle.
    for cell in [0, 63, 64, series.cells - 1] {
        let layers: Vec<Vec<f64>> = series.layers.iter().map(|layer| vec![layer[cell]]).collect();
        let alone = bits(reduced(&plan, &layers, 1, 1, false));
        let there: Vec<u64> = whole.iter().skip(cell).step_by(series.cells).copied().collect();
        assert_eq!(alone, there, "{cell}");
    }
    // A state that was used before. Values that 32 bits hold are kept in 32 bits.
    let halves: Vec<Vec<f64>> =
        series.layers.iter().map(|layer| layer.iter().map(|v| f64::from(*v as f32)).collect()).collect();
    assert!(
        bits(reduced(&plan, &halves, series.cells, 50, true))
            == bits(reduced(&plan, &halves, series.cells, 50, false))
    );
    let mut state = plan.state(series.cells, false);
    (0..series.layers.len()).for_each(|layer| state.feed(layer, 0, &vec![9.0; series.cells]));
    state.reset();
    let mut rows = vec![0.0; series.cells * plan.statistics()];
    state.finish(0, 0, series.cells, &mut rows, &mut plan.scratch());
    let counts = rows.iter().take(series.cells);
    assert!(counts.clone().all(|count| *count == 0.0) && rows[series.cells..].iter().all(|v| v.is_nan()));
}

/// Results of one cell.
fn cell(statistics: &str, values: &[f64]) -> Vec<f64> {
    let dates: Vec<i64> = (0..values.len() as i64).map(|day| day * 86_400 * 40).collect();
    let groups = Grouping::All.of(&dates, None).unwrap();
    let weights: Vec<f64> = (0..values.len()).map(|layer| layer as f64).collect();
    let plan = plan(statistics, &dates, &groups, Some(&weights), 1);
    let layers: Vec<Vec<f64>> = values.iter().map(|value| vec![*value]).collect();
    reduced(&plan, &layers, 1, 1, false).into_iter().flatten().collect()
}

#[test]
fn statistics_of_a_cell_by_hand() {
    let values = [GAP, 3.0, 1.0, f64::INFINITY, 4.0, 1.0, 5.0, GAP];
    let results = cell("count,sum,mean,min,max,range,first,last,prod,any,all,mode,median,p25", &values);
    assert_eq!(results, [5.0, 14.0, 2.8, 1.0, 5.0, 4.0, 3.0, 5.0, 60.0, 1.0, 1.0, 1.0, 3.0, 1.0]);
    // The first of two equal ones; layers 2 and 6 are on days 80 and 240 of 1970.
    assert_eq!(cell("which_min,which_min(index),which_min(day)", &values), [80.0 * 86_400.0, 2.0, 81.0]);
    assert_eq!(cell("which_max,which_max(index),which_max(day)", &values), [240.0 * 86_400.0, 6.0, 241.0]);
    let weighted = (3.0 + 2.0 + 4.0 * 4.0 + 5.0 + 6.0 * 5.0) / 18.0;
    assert_eq!(cell("wmean", &values), [weighted]);
    assert_eq!(
        cell("var,var(ddof=1),std", &[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]),
        [4.0, 32.0 / 7.0, 2.0]
    );
    assert_eq!(cell("any,all", &[0.0, 0.0]), [0.0, 0.0]);
    assert_eq!(cell("any,all", &[0.0, GAP, 2.0]), [1.0, 0.0]);
    // Ties: the smallest.
    assert_eq!(cell("mode", &[7.0, 2.0, 7.0, 2.0, 5.0]), [2.0]);
    assert_eq!(cell("median,p50(nearest),p100,p0", &[4.0, 1.0, 3.0, 2.0]), [2.5, 3.0, 4.0, 1.0]);
    // One value has no spread with a degree of freedom taken off.
    let spread = cell("std,std(ddof=1),median", &[5.0]);
    assert!(spread[0] == 0.0 && spread[1].is_nan() && spread[2] == 5.0);
    // A product beyond all floats is no number.
    assert!(cell("prod", &[1e200, 1e200])[0].is_nan());
    // All weights 0: nothing was weighed.
    assert!(cell("wmean", &[5.0, GAP])[0].is_nan());
}

/// Section by section, empty or not: gdalcubes gives 0 or nothing for a cell without values, as its chunk has others or
/// not.
#[test]
fn trap_results_of_empty_cells_do_not_depend_on_their_neighbours() {
    let alone = cell(&everything(), &[GAP, GAP]);
    assert_eq!(alone[0], 0.0);
    assert!(alone[1..].iter().all(|value| value.is_nan()), "{alone:?}");
    let dates = [0, 86_400];
    let groups = Grouping::All.of(&dates, None).unwrap();
    let plan = plan(&everything(), &dates, &groups, Some(&[1.0, 1.0]), 1);
    let beside = reduced(&plan, &[vec![GAP, 4.0], vec![GAP, 5.0]], 2, 2, false);
    for (alone, beside) in alone.iter().zip(beside) {
        assert_eq!(alone.to_bits(), beside[0].to_bits());
    }
}

/// gdalcubes' moving maximum begins with the smallest positive number.
#[test]
fn trap_the_maximum_of_negative_values_is_negative() {
    assert_eq!(cell("max,min,range", &[-0.7, GAP, -0.2]), [-0.2, -0.7, 0.7 - 0.2]);
}

/// Geowombat looks for nodata in the second band only, and then 0 is both nodata and no difference.
#[test]
fn trap_normalised_difference_with_gaps_in_either_band() {
    let program = parse("nd(green, red)").unwrap().compile(&["green", "red"], NoDataRule::Strict).unwrap();
    let (green, red) = ([0_u16, 3, 5, 0, 100, 65535], [3_u16, 0, 5, 0, 300, 7]);
    let mut inputs = vec![0.0; 12];
    for (place, input) in program.inputs().iter().enumerate() {
        read_row([&green, &red][*input], Some(0.0), &mut inputs[place * 6..place * 6 + 6]);
    }
    let mut results = [9.0; 6];
    let tally = program.run(6, &inputs, &mut program.scratch(), &mut results);
    assert!(results[0].is_nan() && results[1].is_nan() && results[3].is_nan());
    assert_eq!(results[2], 0.0, "no difference is a value");
    assert_eq!(results[4], 0.5);
    assert_eq!(tally.not_finite, 0);
}

/// A quality band that was averaged is noise: its bits are only asked of whole numbers, nearest.
#[test]
fn trap_an_averaged_quality_band_says_something_else() {
    let mask = Mask::parse("landsat_c2:cloud", &["qa_pixel"]).unwrap();
    let (clear, cloud) = (21_824.0, 22_280.0);
    let mut masked = [0; 3];
    mask.row(3, &[clear, cloud, (clear + cloud) / 2.0], &mut mask.scratch(), Outside::Mask, &mut masked);
    assert_eq!(masked, [0, 1, 0], "half of a cloud is no cloud");
}

#[test]
fn fewer_values_than_asked_for_have_no_result() {
    let dates = [0, 1, 2];
    let groups = Grouping::All.of(&dates, None).unwrap();
    let plan = plan("count,mean,median,min", &dates, &groups, None, 3);
    let layers = [vec![1.0, 1.0], vec![2.0, GAP], vec![3.0, 3.0]];
    let results = reduced(&plan, &layers, 2, 2, false);
    assert_eq!((results[0][0], results[0][1]), (3.0, 2.0));
    for result in &results[1..] {
        assert!(result[0].is_finite() && result[1].is_nan());
    }
}

/// A byte counts up to 255 layers.
#[test]
fn counts_of_many_layers_do_not_wrap() {
    for (layers, bytes) in [(255, 17), (256, 20)] {
        let dates: Vec<i64> = (0..layers).collect();
        let groups = Grouping::All.of(&dates, None).unwrap();
        let plan = plan("count,mean,std", &dates, &groups, None, 1);
        assert_eq!(plan.bytes_per_cell(false), bytes + 8);
        let mut state = plan.state(2, false);
        (0..layers).for_each(|layer| state.feed(layer as usize, 0, &[3.0, layer as f64]));
        let mut rows = [0.0; 6];
        state.finish(0, 0, 2, &mut rows, &mut plan.scratch());
        let count = layers as f64;
        assert_eq!(rows[..4], [count, count, 3.0, (count - 1.0) / 2.0]);
        assert!(rows[4] == 0.0 && (rows[5] - ((count * count - 1.0) / 12.0).sqrt()).abs() < 1e-9);
    }
}

#[test]
fn bands_memory_and_refusals_of_a_plan() {
    let day = 86_400;
    let dates = [0, 60 * day, 200 * day];
    let groups = Grouping::Season.of(&dates, None).unwrap();
    let named = plan("mean,std(ddof=1)", &dates, &groups, None, 1);
    let names: Vec<&str> = named.results().iter().map(|band| band.name.as_str()).collect();
    assert_eq!(
        names,
        ["DJF_mean", "DJF_std_ddof1", "MAM_mean", "MAM_std_ddof1", "JJA_mean", "JJA_std_ddof1"]
    );
    let one = Grouping::All.of(&dates, None).unwrap();
    let bytes =
        |statistics: &str, single| plan(statistics, &dates, &one, Some(&[1.0; 3]), 1).bytes_per_cell(single);
    assert_eq!(plan("mean", &dates, &one, None, 1).results()[0].name, "mean");
    assert_eq!(
        [bytes("mean", false), bytes("mean,sum", false), bytes("min", false), bytes("std", false)],
        [9, 9, 9, 17]
    );
    assert_eq!(
        [bytes("which_max", false), bytes("median", false), bytes("median", true)],
        [13, 1 + 24, 1 + 12]
    );
    let said = |statistics: &str, dates: &[i64], weights: Option<&[f64]>| {
        let groups = Grouping::All.of(dates, None).unwrap();
        let statistics = Statistic::parse_list(statistics).unwrap();
        let plan = ReducePlan::new(&statistics, Layers { dates, groups: &groups, weights }, 1);
        plan.unwrap_err().to_string()
    };
    assert!(said("wmean", &dates, None).contains("needs weights; allowed: a weight of each layer"));
    assert!(said("wmean", &dates, Some(&[1.0, -1.0, 1.0])).contains("weight -1 is not allowed"));
    assert!(said("mean", &[5, 3], None).contains("layer 1 is older than the one before; allowed"));
    assert!(said("mean", &[], None).contains("1 statistics of 0 layers; allowed"));
}

#[test]
fn statistics_of_files_are_those_of_numpy() {
    let cells = 16 * 12;
    let ndvi = array!(f32, "s2_ndvi.bin");
    let expected = array!(f64, "s2_files.bin");
    let mut all = Moments::new();
    let mut histogram = Histogram::new(Edges::new(-0.5, 1.0, 50).unwrap());
    for (layer, expected) in ndvi.chunks(cells).zip(expected.chunks(7)) {
        let mut row = vec![0.0; cells];
        read_row(layer, None, &mut row);
        let mut moments = Moments::new();
        moments.row(&row);
        let exact = [moments.sum(), moments.mean(), moments.min(), moments.max()].map(Option::unwrap);
        assert_eq!(moments.count() as f64, expected[0]);
        assert_eq!(exact, expected[1..5]);
        let spread = [moments.standard_deviation(0), moments.variance(1)].map(Option::unwrap);
        assert!(difference("spread", &spread, &expected[5..7]) < 1e-12);
        all.merge(&moments);
        histogram.row(&row);
    }
    let counts: Vec<i64> = histogram.counts().iter().map(|count| *count as i64).collect();
    assert_eq!(counts, array!(i64, "s2_histogram.bin"));
    assert_eq!(all.count(), expected.chunks(7).map(|file| file[0] as u64).sum::<u64>());
}

#[test]
fn percentiles_of_whole_numbers_are_those_of_sorted_values() {
    let cells = array!(u16, "l8_b5.bin");
    let mut histogram = Histogram::new(Edges::of_type(CellType::UInt16).unwrap());
    let mut row = vec![0.0; cells.len()];
    read_row(&cells, Some(0.0), &mut row);
    histogram.row(&row);
    let mut sorted: Vec<f64> = row.into_iter().filter(|value| !value.is_nan()).collect();
    sorted.sort_by(f64::total_cmp);
    for rank in [0.0, 2.0, 33.3, 50.0, 98.0, 100.0] {
        let place = (sorted.len() - 1) as f64 * (rank / 100.0);
        let (low, share) = (place as usize, place.fract());
        let (a, b) = (sorted[low], sorted[(low + 1).min(sorted.len() - 1)]);
        let expected = a + (b - a) * share;
        let ends = (sorted[0], sorted[sorted.len() - 1]);
        let found = histogram.percentile(rank, Ranking::Linear, ends).unwrap();
        assert!((found - expected).abs() < 1e-9, "{rank}");
        let nearest = histogram.percentile(rank, Ranking::Nearest, ends).unwrap();
        assert_eq!(nearest, sorted[place.round_ties_even() as usize], "{rank}");
    }
}
