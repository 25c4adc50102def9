//! The files that layers of a recipe name: where they are, and which layer shows which.

use super::{Content, Layer, RasterReference, Recipe, Stack};
use std::path::Path;

/// Options of stacks that name a file.
const FILE_OPTIONS: [&str; 2] = ["dates", "grid_of"];

/// What a layer shows beside the elevations, as a chain asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LayerRaster {
    /// A band of a raster.
    File(RasterReference),
    /// A result of a stack: its name or number, or the only one.
    Stack(Stack, Option<String>),
}

impl std::fmt::Display for LayerRaster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            LayerRaster::File(raster) => write!(f, "raster {}, band {}", raster.path, raster.band),
            LayerRaster::Stack(stack, Some(band)) => write!(f, "stack {}, {band}", stack.name),
            LayerRaster::Stack(stack, None) => write!(f, "stack {}", stack.name),
        }
    }
}

impl Recipe {
    /// Completes relative names of files that stand beside the recipe in `folder`: rasters of layers, files of stacks, and
    /// colour maps where there is such a file. What only GDAL knows how to open, such as `/vsicurl/…` or `NETCDF:…`, stays.
    pub fn resolve(&mut self, folder: &Path) {
        self.layers.iter_mut().for_each(|layer| resolve_layer(layer, folder));
        self.stacks.iter_mut().for_each(|stack| resolve_stack(stack, folder));
    }

    /// Name of the first layer or mask that shows `raster`.
    pub fn layer_of(&self, raster: &LayerRaster) -> Option<&str> {
        self.layers.iter().find_map(|layer| name_of(layer, raster))
    }
}

fn resolve_layer(layer: &mut Layer, folder: &Path) {
    match &mut layer.content {
        Content::Operation(_) | Content::Stack(_) => {}
        Content::Recipe(recipe) => recipe.resolve(folder),
        Content::Raster(raster) => resolve_name(&mut raster.path, folder),
    }
    if let Some(color) = &mut layer.color {
        if let Some(path) = beside(folder, &color.name).filter(|path| Path::new(path).is_file()) {
            color.name = path;
        }
    }
    if let Some(mask) = &mut layer.mask {
        resolve_layer(mask, folder);
    }
}

fn resolve_stack(stack: &mut Stack, folder: &Path) {
    for source in stack.inputs.iter_mut().flat_map(|input| &mut input.sources) {
        match source.strip_prefix('@').map(String::from) {
            Some(mut list) => {
                resolve_name(&mut list, folder);
                *source = format!("@{list}");
            }
            None => resolve_name(source, folder),
        }
    }
    let files = stack.options.iter_mut().filter(|(key, _)| FILE_OPTIONS.contains(&key.as_str()));
    files.for_each(|(_, path)| resolve_name(path, folder));
}

fn resolve_name(name: &mut String, folder: &Path) {
    if let Some(path) = beside(folder, name) {
        if !is_connection(name) || Path::new(&path).exists() {
            *name = path;
        }
    }
}

/// A relative name as one in `folder`, if it can be written.
fn beside(folder: &Path, name: &str) -> Option<String> {
    if Path::new(name).is_absolute() {
        return None;
    }
    folder.join(name).into_os_string().into_string().ok()
}

/// Whether a name is for one of GDAL's drivers rather than for the file system: `DRIVER:…`, an address, or XML.
fn is_connection(name: &str) -> bool {
    let prefix = name.split_once(':').map_or("", |(prefix, _)| prefix);
    let driver = |character: char| character.is_ascii_alphanumeric() || "_-+".contains(character);
    let named = prefix.len() > 1 && prefix.chars().all(driver);
    named || name.starts_with(['<', '{'])
}

fn name_of<'a>(layer: &'a Layer, raster: &LayerRaster) -> Option<&'a str> {
    let own = match (&layer.content, raster) {
        (Content::Recipe(recipe), _) => recipe.layer_of(raster),
        (Content::Raster(shown), LayerRaster::File(raster)) if shown == raster => Some(layer.name.as_str()),
        (Content::Stack(shown), LayerRaster::Stack(stack, band))
            if (&shown.stack, &shown.band) == (&stack.name, band) =>
        {
            Some(layer.name.as_str())
        }
        _ => None,
    };
    own.or_else(|| layer.mask.as_ref().and_then(|mask| name_of(mask, raster)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe(layers: &str) -> Recipe {
        Recipe::parse(&format!(r#"{{"terralume_recipe": 1, "layers": [{layers}]}}"#)).unwrap()
    }

    fn resolved(name: &str, folder: &Path) -> String {
        let mut recipe = recipe(&format!(r#"{{"raster": "{name}"}}"#));
        recipe.resolve(folder);
        let Content::Raster(raster) = &recipe.layers[0].content else { panic!("a raster") };
        raster.path.clone()
    }

    #[test]
    fn relative_names_are_completed_and_others_stay() {
        let folder = Path::new("/maps");
        assert_eq!(resolved("ortho.tif", folder), "/maps/ortho.tif");
        assert_eq!(resolved("../a/b.tif", folder), "/maps/../a/b.tif");
        for name in
            ["/data/ortho.tif", "/vsicurl/x/ortho.tif", "GTIFF_DIR:2:a.tif", "https://x/a.tif", "<VRT/>"]
        {
            assert_eq!(resolved(name, folder), name);
        }
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("odd:name.tif"), "").unwrap();
        assert_eq!(
            resolved("odd:name.tif", folder.path()),
            folder.path().join("odd:name.tif").to_str().unwrap()
        );
    }

    #[test]
    fn files_of_stacks_are_completed() {
        let text = r#"{"terralume_recipe": 1, "stacks": {"s": {"inputs": {"red": "*_B4.tif", "nir": "@list.txt",
            "qa": ["/data/a.tif", "items.json#qa"], "wet": null}, "dates": "dates.csv", "stat": "mean"}},
            "layers": [{"stack": "s"}]}"#;
        let mut recipe = Recipe::parse(text).unwrap();
        recipe.resolve(Path::new("/maps"));
        let stack = &recipe.to_json()["stacks"]["s"];
        assert_eq!(stack["inputs"]["red"], "/maps/*_B4.tif");
        assert_eq!(stack["inputs"]["nir"], "@/maps/list.txt");
        assert_eq!(stack["inputs"]["qa"], serde_json::json!(["/data/a.tif", "/maps/items.json#qa"]));
        assert_eq!((&stack["dates"], &stack["stat"]), (&"/maps/dates.csv".into(), &"mean".into()));
        let shown = LayerRaster::Stack(recipe.stacks[0].clone(), None);
        assert_eq!(recipe.layer_of(&shown), Some("s"));
    }

    #[test]
    fn masks_inner_recipes_and_colour_files_are_reached() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("own.txt"), "").unwrap();
        let mut recipe = recipe(
            r#"{"recipe": {"terralume_recipe": 1, "layers": [
                {"operation": "slope", "color_map": "own.txt", "mask": {"name": "area", "raster": "m.tif", "band": 2}},
                {"operation": "slope", "color_map": "viridis"}]}}"#,
        );
        let reference = RasterReference { path: "m.tif".into(), band: 2 };
        assert_eq!(recipe.layer_of(&LayerRaster::File(reference.clone())), Some("area"));
        assert_eq!(recipe.layer_of(&LayerRaster::File(RasterReference { band: 1, ..reference })), None);
        recipe.resolve(folder.path());
        let Content::Recipe(inner) = &recipe.layers[0].content else { panic!("a recipe") };
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
        let names: Vec<_> = inner.layers.iter().map(|layer| layer.color.clone().unwrap().name).collect();
        assert_eq!(names, [path("own.txt"), "viridis".into()]);
        let reference = RasterReference { path: path("m.tif"), band: 2 };
        assert_eq!(inner.layer_of(&LayerRaster::File(reference)), Some("area"));
    }
}
