//! The files that layers of a recipe name: where they are, and which layer shows which.

use super::{Content, Layer, RasterReference, Recipe};
use std::path::Path;

impl Recipe {
    /// Completes relative names of files that stand beside the recipe in `folder`: rasters of layers, and colour maps
    /// where there is such a file. What only GDAL knows how to open, such as `/vsicurl/…` or `NETCDF:…`, stays.
    pub fn resolve(&mut self, folder: &Path) {
        self.layers.iter_mut().for_each(|layer| resolve_layer(layer, folder));
    }

    /// Name of the first layer or mask that shows `raster`.
    pub fn layer_of(&self, raster: &RasterReference) -> Option<&str> {
        self.layers.iter().find_map(|layer| name_of(layer, raster))
    }
}

fn resolve_layer(layer: &mut Layer, folder: &Path) {
    match &mut layer.content {
        Content::Operation(_) => {}
        Content::Recipe(recipe) => recipe.resolve(folder),
        Content::Raster(raster) => {
            if let Some(path) = beside(folder, &raster.path) {
                if !is_connection(&raster.path) || Path::new(&path).exists() {
                    raster.path = path;
                }
            }
        }
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

fn name_of<'a>(layer: &'a Layer, raster: &RasterReference) -> Option<&'a str> {
    let own = match &layer.content {
        Content::Operation(_) => None,
        Content::Recipe(recipe) => recipe.layer_of(raster),
        Content::Raster(shown) => (shown == raster).then_some(layer.name.as_str()),
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
    fn masks_inner_recipes_and_colour_files_are_reached() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("own.txt"), "").unwrap();
        let mut recipe = recipe(
            r#"{"recipe": {"terralume_recipe": 1, "layers": [
                {"operation": "slope", "color_map": "own.txt", "mask": {"name": "area", "raster": "m.tif", "band": 2}},
                {"operation": "slope", "color_map": "viridis"}]}}"#,
        );
        let reference = RasterReference { path: "m.tif".into(), band: 2 };
        assert_eq!(recipe.layer_of(&reference), Some("area"));
        assert_eq!(recipe.layer_of(&RasterReference { band: 1, ..reference.clone() }), None);
        recipe.resolve(folder.path());
        let Content::Recipe(inner) = &recipe.layers[0].content else { panic!("a recipe") };
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
        let names: Vec<_> = inner.layers.iter().map(|layer| layer.color.clone().unwrap().name).collect();
        assert_eq!(names, [path("own.txt"), "viridis".into()]);
        assert_eq!(inner.layer_of(&RasterReference { path: path("m.tif"), band: 2 }), Some("area"));
    }
}
