//! Pictures of pictures: a raster that is read while another is computed may itself be a picture, and so on. One that is
//! computed from itself would never end.
//!
//! Each thread knows what it computes; threads that help take the list over.

use crate::core::error::{Error, Result};
use std::cell::RefCell;

/// Pictures inside one another. More would need a larger stack.
const DEEPEST: usize = 8;

thread_local! {
    static UNDERWAY: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

/// What a thread computes, from the outermost picture to the innermost.
#[derive(Debug, Clone)]
pub struct Nesting(Vec<u64>);

impl Nesting {
    /// Of this thread.
    pub fn here() -> Self {
        Self(UNDERWAY.with_borrow(Vec::clone))
    }

    /// Does work as a part of that.
    pub fn within<R>(&self, work: impl FnOnce() -> R) -> R {
        let _back = Back(UNDERWAY.replace(self.0.clone()));
        work()
    }
}

/// Puts the list of before back, also after a panic.
struct Back(Vec<u64>);

impl Drop for Back {
    fn drop(&mut self) {
        UNDERWAY.set(std::mem::take(&mut self.0));
    }
}

/// Does work for the picture with this number, unless this thread is doing so already.
pub fn enter<R>(picture: u64, work: impl FnOnce() -> Result<R>) -> Result<R> {
    let Nesting(mut underway) = Nesting::here();
    if underway.contains(&picture) {
        return Err(Error::Input("a picture is computed from itself; allowed: other rasters".into()));
    }
    if underway.len() >= DEEPEST {
        let text = format!("pictures of pictures of pictures; allowed: {DEEPEST} inside one another");
        return Err(Error::Input(text));
    }
    underway.push(picture);
    Nesting(underway).within(work)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deeper(picture: u64, last: u64) -> Result<u64> {
        enter(picture, || if picture == last { Ok(last) } else { deeper(picture + 1, last) })
    }

    #[test]
    fn a_picture_inside_itself_and_too_many_inside_one_another_are_errors() {
        assert_eq!(deeper(1, DEEPEST as u64), Ok(DEEPEST as u64));
        assert!(deeper(0, DEEPEST as u64).is_err_and(|error| error.to_string().contains("allowed: 8")));
        let twice = enter(1, || enter(2, || enter(1, || Ok(()))));
        assert!(twice.is_err_and(|error| error.to_string().contains("from itself")));
        // All is as before.
        assert_eq!(enter(1, || Ok(3)), Ok(3));
        assert!(Nesting::here().0.is_empty());
    }

    #[test]
    fn threads_that_help_know_what_they_help_with() {
        let helped = enter(1, || {
            let nesting = Nesting::here();
            let helper = std::thread::spawn(move || nesting.within(|| enter(1, || Ok(()))));
            helper.join().map_err(|_| Error::Internal("a thread died".into()))?
        });
        assert!(helped.is_err_and(|error| error.to_string().contains("from itself")));
    }
}
