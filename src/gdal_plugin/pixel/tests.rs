//! Calls as GDAL makes them, and some that it should not make.

use super::*;

pub(super) fn call(function: &str, sources: &[&[f32]], arguments: &[&str]) -> Result<Vec<f32>> {
    let function = FUNCTIONS.iter().find(|known| known.name.to_str() == Ok(function)).unwrap();
    let columns = sources.first().map_or(0, |source| source.len());
    let mut pointers: Vec<*mut c_void> =
        sources.iter().map(|source| source.as_ptr().cast_mut().cast()).collect();
    let texts: Vec<CString> = arguments.iter().map(|text| CString::new(*text).unwrap()).collect();
    let mut list: Vec<_> = texts.iter().map(|text| text.as_ptr().cast_mut()).collect();
    list.push(std::ptr::null_mut());
    let mut out = vec![-1.0_f32; columns];
    let call = Call {
        sources: pointers.as_mut_ptr(),
        source_count: sources.len() as c_int,
        data: out.as_mut_ptr().cast(),
        columns: columns as c_int,
        rows: 1,
        source_type: GDALDataType::GDT_Float32,
        data_type: GDALDataType::GDT_Float32,
        pixel_space: 4,
        line_space: 0,
        arguments: list.as_mut_ptr().cast(),
    };
    // SAFETY: every source and the result have one row of so many cells, and the list ends with NULL.
    unsafe { run(function, &call) }?;
    Ok(out)
}

pub(super) fn said(function: &str, sources: usize, arguments: &[&str]) -> String {
    let cells: &[f32] = &[0.5];
    call(function, &vec![cells; sources], arguments).unwrap_err().to_string()
}

#[test]
fn normalize_stretches_inverts_raises_and_knows_missing_cells() {
    let source: &[f32] = &[10.0, 15.0, 99.0, f32::NAN, -1.0];
    let out = call("terralume_normalize", &[source, source], &["min=10", "max=20", "nodata=-1"]).unwrap();
    assert_eq!(out, [0.0, 0.5, 1.0, -1.0, -1.0]);
    let out =
        call("terralume_normalize", &[source], &["min=10", "max=20", "invert=TRUE", "gamma=0.5"]).unwrap();
    assert_eq!((out[0], out[2], out[4]), (1.0, 0.0, 1.0));
    assert!((out[1] - 0.25).abs() < 1e-6 && out[3].is_nan());
}

#[test]
fn blends_of_every_form() {
    let (a, b, c): (&[f32], &[f32], &[f32]) = (&[0.5], &[0.8], &[0.25]);
    let blend =
        |sources: &[&[f32]], arguments: &[&str]| call("terralume_blend", sources, arguments).unwrap()[0];
    assert_eq!(blend(&[a, b], &["mode=multiply", "opacity=50"]), 0.5 * 0.8 * 0.5 + 0.8 * 0.5);
    // 0.25 screen under 0.8 at half, then 0.5 multiplied.
    let below = (1.0 - 0.2_f32 * 0.75) * 0.5 + 0.25 * 0.5;
    let found = blend(&[a, b, c], &["modes=multiply, screen", "opacities=100,50"]);
    assert!((found - 0.5 * below).abs() < 1e-6, "{found}");
    let band = |number: usize| format!("band={number}");
    for (number, expected) in [(0, 0.25), (1, 0.4), (2, 0.125)] {
        let band = band(number);
        assert_eq!(blend(&[a, a, b, c], &["mode=multiply", "top=grey", &band]), expected);
        assert_eq!(blend(&[a, b, c, a], &["mode=multiply", "top=rgb", &band]), expected);
        assert_eq!(blend(&[a, b, c, a, a, a], &["mode=multiply", &band]), expected);
    }
    let luminance = 0.3 * 0.5 + 0.59 * 0.8 + 0.11 * 0.25;
    let found = blend(&[a, b, c, a], &["mode=luminosity", "top=rgb"]);
    assert!((found - luminance).abs() < 1e-6, "{found}");
    // RVT ignores the opacity of an overlay.
    assert_ne!(
        blend(&[b, c], &["mode=overlay", "opacity=50", "compat=rvt"]),
        blend(&[b, c], &["mode=overlay", "opacity=50"])
    );
}

#[test]
fn more_cells_than_a_block_and_a_thousand_layers() {
    let source: Vec<f32> = (0..3 * BLOCK + 7).map(|cell| cell as f32).collect();
    let arguments = ["min=0", "max=1000"];
    let out = call("terralume_normalize", &[&source], &arguments).unwrap();
    assert!(out.iter().zip(&source).all(|(out, cell)| (out - cell / 1000.0).abs() < 1e-6));
    let half: Vec<f32> = vec![0.5; 700];
    let modes = format!("modes={}", vec!["normal"; 999].join(","));
    let out = call("terralume_blend", &vec![half.as_slice(); 1000], &[&modes]).unwrap();
    assert_eq!(out, half);
}

#[test]
fn slope_of_a_plane() {
    let (centre, west, east, flat) = (&[1.0_f32; 300], &[0.0_f32; 300], &[2.0_f32; 300], &[1.0_f32; 300]);
    let grid = ["cell_width=1", "cell_height=1"];
    let sources: [&[f32]; 5] = [centre, west, east, flat, flat];
    let out = call("terralume_slope", &sources, &grid).unwrap();
    assert!(out.iter().all(|slope| (slope - 45.0).abs() < 1e-4));
    let missing: [&[f32]; 5] = [centre, &[f32::NAN; 300], &[-9999.0; 300], &[1e38; 300], flat];
    let out = call("terralume_slope", &missing, &[&grid[..], &["nodata=-9999"]].concat()).unwrap();
    assert_eq!(out, [0.0; 300]);
    let out = call("terralume_hillshade", &missing, &[&grid[..], &["elevation=90", "nodata=-9999"]].concat());
    assert!(out.unwrap().iter().all(|light| (light - 1.0).abs() < 1e-6));
}

#[test]
fn garbage_survives() {
    let cells: &[f32] = &[f32::MAX, f32::MIN, f32::INFINITY, f32::NEG_INFINITY, 4.6e21, 1e-45, f32::NAN];
    for mode in crate::render::blend::Mode::ALL {
        let mode = format!("mode={}", mode.0);
        assert!(call("terralume_blend", &[cells; 2], &[&mode]).is_ok());
        assert!(call("terralume_blend", &[cells; 6], &[&mode, "band=1"]).is_ok());
    }
    assert!(call("terralume_colormap", &[cells], &["map=viridis", "band=2"]).is_ok());
    let grid = ["cell_width=1", "cell_height=1"];
    assert!(call("terralume_slope", &[cells; 5], &grid).is_ok());
}

#[test]
fn refusals_say_what_is_allowed() {
    let normalize = |arguments: &[&str]| said("terralume_normalize", 1, arguments);
    assert!(normalize(&["max=1"]).contains("argument min is missing; allowed: a number"));
    assert!(normalize(&["min=1", "max=1"])
        .contains("max = '1' is not allowed; allowed: a number greater than min"));
    assert!(normalize(&["min=0", "max=1", "gamma=11"]).contains("from 0.1 to 10"));
    assert!(normalize(&["min=0", "max=1", "mim=0"]).contains("unknown argument 'mim'; allowed: min, max"));
    assert!(said("terralume_normalize", 0, &["min=0", "max=1"]).contains("0 sources"));
    let blend = |sources, arguments: &[&str]| said("terralume_blend", sources, arguments);
    assert!(blend(2, &["mode=glow"]).contains("argument mode: unknown blend mode 'glow'; allowed: normal"));
    assert!(blend(2, &[]).contains("argument mode is missing"));
    assert!(blend(2, &["mode=add", "opacity=101"]).contains("from 0 to 100"));
    assert!(blend(3, &["mode=add"]).contains("3 sources; allowed: 2"));
    assert!(blend(4, &["mode=add", "band=0"]).contains("argument top is missing"));
    assert!(blend(6, &["mode=add"]).contains("argument band is missing"));
    assert!(blend(6, &["mode=add", "band=3"]).contains("band = '3' is not allowed; allowed: 0, 1, 2"));
    assert!(blend(2, &["mode=add", "band=1"]).contains("band = '1' is not allowed; allowed: 0"));
    assert!(blend(2, &["mode=add", "top=grey"]).contains("with 4 sources"));
    assert!(blend(3, &["modes=add"]).contains("3 sources with 1 modes"));
    assert!(blend(0, &["modes=add"]).contains("0 sources with 1 modes"));
    assert!(blend(3, &["modes=add,add", "opacities=1"]).contains("2 numbers, as many as modes"));
    assert!(blend(3, &["modes=add,add", "mode=add"]).contains("without modes"));
    let color = |arguments: &[&str]| said("terralume_colormap", 1, arguments);
    assert!(color(&["map=jet", "band=0"]).contains("unknown colour map"));
    assert!(color(&["band=0"]).contains("argument map is missing; allowed:"));
    assert!(color(&["map=OrRd", "band=0", "cut_min=0.5", "cut_max=0.2"]).contains("cut from 0.5 to 0.2"));
    let slope = |sources, arguments: &[&str]| said("terralume_slope", sources, arguments);
    assert!(slope(9, &["cell_width=1", "cell_height=1"]).contains("9 sources; allowed: 5"));
    assert!(slope(5, &["cell_width=0", "cell_height=1"]).contains("greater than 0"));
    assert!(slope(5, &["cell_width=1", "cell_height=1", "unit=mile"])
        .contains("unit = 'mile' is not allowed; allowed: degree"));
    let shade = said("terralume_hillshade", 5, &["cell_width=1", "cell_height=1", "elevation=91"]);
    assert!(shade.contains("elevation = '91' is not allowed; allowed: a number from 0 to 90"), "{shade}");
}

#[test]
fn lists_and_windows_may_be_empty() {
    let mut bare = Call {
        sources: std::ptr::null_mut(),
        source_count: -7,
        data: std::ptr::null_mut(),
        columns: 0,
        rows: 9,
        source_type: GDALDataType::GDT_CFloat32,
        data_type: GDALDataType::GDT_Float32,
        pixel_space: 0,
        line_space: 0,
        arguments: std::ptr::null_mut(),
    };
    for function in &FUNCTIONS {
        // SAFETY: no cells and no list are read.
        assert!(unsafe { run(function, &bare) }.is_err());
    }
    let mut list = [c"min=0".as_ptr().cast_mut(), c"max=1".as_ptr().cast_mut(), std::ptr::null_mut()];
    bare.arguments = list.as_mut_ptr().cast();
    bare.source_count = c_int::MAX;
    // SAFETY: the window is empty, so no cell is read.
    let refused = unsafe { run(&FUNCTIONS[0], &bare) }.unwrap_err().to_string();
    assert!(refused.contains("type 10; allowed: real numbers"), "{refused}");
    bare.source_type = GDALDataType::GDT_Int16;
    bare.data_type = GDALDataType::GDT_TypeCount + 9;
    // SAFETY: as before.
    assert!(unsafe { run(&FUNCTIONS[0], &bare) }
        .unwrap_err()
        .to_string()
        .contains("the result is wanted in"));
    bare.data_type = GDALDataType::GDT_CInt16;
    // SAFETY: as before.
    assert!(unsafe { run(&FUNCTIONS[0], &bare) }.is_ok());
}

#[test]
fn threads_do_not_meet() {
    let cells: Vec<f32> = (0..2000).map(|cell| (cell as f32 * 0.37).sin()).collect();
    let sources: [&[f32]; 5] =
        [&cells[2..1002], &cells[1..1001], &cells[3..1003], &cells[900..1900], &cells[7..1007]];
    let compute = || {
        let slope = call("terralume_slope", &sources, &["cell_width=1", "cell_height=2"]).unwrap();
        let blend = call("terralume_blend", &sources, &["modes=screen,overlay,add,soft_light"]).unwrap();
        [slope, blend].concat().into_iter().map(f32::to_bits).collect::<Vec<_>>()
    };
    let expected = compute();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..50).for_each(|_| assert!(compute() == expected)));
        }
    });
}

#[test]
fn a_gdal_registers_once_and_its_functions_are_its_own() {
    let gdal = Gdal::get().unwrap();
    register(gdal);
    register(gdal);
    assert!(GDALS[0].get().is_some_and(|known| std::ptr::eq(*known, gdal)) && GDALS[1].get().is_none());
    let address = |slot: usize| entries(slot)[0].map(|entry| entry as usize);
    assert!((1..SLOTS).all(|slot| address(slot) != address(slot - 1)));
}
