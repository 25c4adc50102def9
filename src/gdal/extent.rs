//! A part of a raster that the user names in its coordinates.

use super::dataset::GeoTransform;
use crate::core::tile::Window;

/// How far an extent may reach into a cell by rounding alone, in cells.
const ROUNDING: f64 = 1e-6;

/// A rectangle in the coordinates of a raster.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Extent {
    /// Smallest and largest first coordinate.
    pub x: (f64, f64),
    /// Smallest and largest second coordinate.
    pub y: (f64, f64),
}

impl Extent {
    /// Reads `XMIN,YMIN,XMAX,YMAX`.
    pub fn parse(text: &str) -> Option<Self> {
        let numbers = text.split(',').map(|number| number.trim().parse::<f64>());
        let numbers: Vec<f64> = numbers.collect::<Result<_, _>>().ok()?;
        let [x_min, y_min, x_max, y_max] = numbers[..] else { return None };
        let valid = numbers.iter().all(|number| number.is_finite()) && x_min < x_max && y_min < y_max;
        valid.then_some(Self { x: (x_min, x_max), y: (y_min, y_max) })
    }

    /// The cells that it touches, of a raster that lies straight; None when there are none.
    pub fn window(&self, transform: &GeoTransform, (rows, cols): (usize, usize)) -> Option<Window> {
        let [left, width, _, top, _, height] = *transform;
        let (row, rows) = touched(self.y, top, height, rows)?;
        let (col, cols) = touched(self.x, left, width, cols)?;
        Some(Window { row, col, rows, cols })
    }
}

/// The first cell and the number of cells along one axis.
fn touched((low, high): (f64, f64), start: f64, step: f64, count: usize) -> Option<(usize, usize)> {
    let ends = [(low - start) / step, (high - start) / step];
    let first = (ends[0].min(ends[1]) + ROUNDING).floor().max(0.0);
    let end = (ends[0].max(ends[1]) - ROUNDING).ceil().min(count as f64);
    (first < end).then_some((first as usize, (end - first) as usize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_numbers_in_order() {
        let extent = Extent::parse("1, 2,3.5,4").unwrap();
        assert_eq!(extent, Extent { x: (1.0, 3.5), y: (2.0, 4.0) });
        for wrong in ["", "1,2,3", "1,2,3,4,5", "3,2,1,4", "1,4,3,4", "1,2,nan,4", "1,2,inf,4", "a,2,3,4"] {
            assert_eq!(Extent::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn cells_that_are_touched() {
        let north_up = [100.0, 0.5, 0.0, 200.0, 0.0, -0.5];
        let window = |text: &str| Extent::parse(text).unwrap().window(&north_up, (40, 20));
        let part = |row, col, rows, cols| Some(Window { row, col, rows, cols });
        assert_eq!(window("0,0,1000,1000"), part(0, 0, 40, 20));
        assert_eq!(window("101,198,103,199.5"), part(1, 2, 3, 4));
        assert_eq!(window("101.1,198.1,102.9,199.4"), part(1, 2, 3, 4));
        assert_eq!(window("101.0000000001,198,103.0000000001,199.5"), part(1, 2, 3, 4));
        assert_eq!(window("90,190,99,210"), None);
        assert_eq!(window("110,190,120,210"), None);
        let south_up = [100.0, 0.5, 0.0, 180.0, 0.0, 0.5];
        assert_eq!(
            Extent::parse("101,198,103,199.5").unwrap().window(&south_up, (40, 20)),
            part(36, 2, 3, 4)
        );
    }
}
