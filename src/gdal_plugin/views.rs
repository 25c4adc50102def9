//! Opened pictures, shared by all files that show the same: GDAL opens a file again and again.

use crate::core::error::Result;
use crate::gdal::source::Input;
use crate::gdal::Gdal;
use crate::job::virtual_name::Request;
use crate::job::View;
use crate::pipeline::nesting;
use lru::LruCache;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// Pictures that stay open when nobody looks at them.
const MOST_VIEWS: usize = 16;

/// A GDAL, by the address of its table, and a name.
type Key = (usize, String);

/// Size and time of a file when it was opened; None for what is no file of this machine.
type Stamp = Option<(u64, SystemTime)>;

struct Opened {
    view: Arc<View>,
    files: Vec<(String, Stamp)>,
}

struct State {
    process: u32,
    views: LruCache<Key, Opened>,
}

static STATE: Mutex<Option<State>> = Mutex::new(None);

/// The picture called `name`, which `read` understands, opened with `gdal`; opened anew when one of its files has
/// changed.
pub fn open(
    gdal: &'static Gdal,
    name: &str,
    read: impl FnOnce(&str) -> Result<Request>,
) -> Result<Arc<View>> {
    let key = (std::ptr::from_ref(gdal) as usize, name.to_string());
    if let Some(view) = known(&key) {
        return Ok(view);
    }
    let request = read(name)?;
    let input = Input::Within(gdal, request.elevations.clone());
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    let view = nesting::enter(hasher.finish(), || {
        View::open(&request.recipe, &input, &request.options, request.statistics)
    })?;
    let view = Arc::new(view);
    let mut files: Vec<String> = view.files().to_vec();
    files.extend(request.recipe_file);
    let files = files.into_iter().map(|file| {
        let stamp = stamp(&file);
        (file, stamp)
    });
    let opened = Opened { view: Arc::clone(&view), files: files.collect() };
    with_views(|views| {
        while views.len() >= MOST_VIEWS {
            views.pop_lru();
        }
        views.put(key, opened);
    });
    Ok(view)
}

fn known(key: &Key) -> Option<Arc<View>> {
    with_views(|views| {
        let opened = views.get(key)?;
        if opened.files.iter().all(|(file, known)| stamp(file) == *known) {
            return Some(Arc::clone(&opened.view));
        }
        views.pop(key);
        None
    })
}

fn stamp(file: &str) -> Stamp {
    let metadata = std::fs::metadata(file).ok()?;
    Some((metadata.len(), metadata.modified().ok()?))
}

fn with_views<T>(work: impl FnOnce(&mut LruCache<Key, Opened>) -> T) -> T {
    let mut state = STATE.lock().unwrap_or_else(PoisonError::into_inner);
    let process = std::process::id();
    let new = || State { process, views: LruCache::unbounded() };
    let current = state.get_or_insert_with(new);
    if current.process != process {
        // A forked child shares the places in its parent's open files: it opens its own and leaves those alone.
        std::mem::forget(std::mem::replace(current, new()));
    }
    work(&mut current.views)
}
