//! The bombs, read from their files.

/// The name and content of each.
pub fn all() -> Vec<(String, Vec<u8>)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bombs");
    let files = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path());
    let bombs = files.filter(|file| file.extension().is_some_and(|ending| ending == "pickle"));
    let read = bombs.map(|file| {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        (name, std::fs::read(&file).unwrap())
    });
    read.collect()
}
