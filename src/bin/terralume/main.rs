//! t
use terralume::*;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let opt = |k: &str| a.iter().position(|x| x == k).map(|i| a[i + 1].clone());
    let mut o = JobOptions { overwrite: true, ..Default::default() };
    if opt("--type").as_deref() == Some("uint8") {
        o.cell_type = CellType::Uint8;
    }
    o.threads = opt("--threads").map(|t| t.parse().unwrap());
    o.memory = opt("--memory").map(|t| t.parse::<usize>().unwrap() << 20);
    o.tile_size = opt("--tile-size").map(|t| t.parse().unwrap());
    if a.iter().any(|x| x == "--rvt") {
        o.compatibility = Compatibility::Rvt;
    }
    if a.iter().any(|x| x == "--cog") {
        o.format = Format::Cog;
    }
    if let Some(c) = opt("--co") {
        let (k, v) = c.split_once('=').unwrap();
        o.creation.push((k.into(), v.into()));
    }
    let job = Job {
        recipe: Recipe::parse(&a[1]).unwrap(),
        input: Input::Path(a[2].clone()),
        output: a[3].clone(),
        options: o,
    };
    eprintln!("{:?}", job.plan());
    let stop = std::sync::atomic::AtomicBool::new(false);
    let r = job.run(&mut |_, _| true, &stop);
    if let Err(e) = r {
        eprintln!("{e}");
        std::process::exit(1);
    }
}
