//! Which file a plugin's name means.

use std::path::{Path, PathBuf};

/// The file of the plugin called `name`: the first that is there in the folders of `search_path`,
/// in their order, of the names that the system gives shared libraries. A name with a `/` in it is
/// a path already.
///
/// # Errors
/// A sentence with every path that was tried.
pub fn find(name: &str, search_path: &[PathBuf]) -> Result<PathBuf, String> {
    let tried = candidates(name, search_path);
    if let Some(found) = tried.iter().find(|path| path.is_file()) {
        return Ok(found.clone());
    }
    let lines: Vec<String> = tried
        .iter()
        .map(|path| format!("\n  {}", path.display()))
        .collect();
    Err(format!(
        "there is no plugin `{name}`; tried:{}{}",
        lines.concat(),
        built_otherwise(&tried).unwrap_or_default()
    ))
}

/// What Cargo leaves of a crate that was built, but not as a shared library.
fn built_otherwise(tried: &[PathBuf]) -> Option<String> {
    let rlib = |path: &PathBuf| {
        let name = path.file_stem()?.to_str()?;
        let name = name.strip_prefix(std::env::consts::DLL_PREFIX)?;
        Some(path.with_file_name(format!("lib{name}.rlib")))
    };
    let found = tried.iter().filter_map(rlib).find(|rlib| rlib.is_file())?;
    Some(format!(
        "\nbut {} is there: say `crate-type = [\"cdylib\", \"rlib\"]` under [lib] in its Cargo.toml",
        found.display()
    ))
}

fn candidates(name: &str, search_path: &[PathBuf]) -> Vec<PathBuf> {
    if name.contains(['/', '\\']) {
        return vec![PathBuf::from(name)];
    }
    let file = name.replace('-', "_");
    let names = [format!("patchbay_{file}"), file];
    let in_folder = |folder: &PathBuf| names.each_ref().map(|name| folder.join(library(name)));
    search_path.iter().flat_map(in_folder).collect()
}

fn library(name: &str) -> String {
    format!(
        "{}{name}{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_SUFFIX
    )
}

/// The name by which [`find`] finds a file in its folder.
pub fn name_of(file: &Path) -> Option<String> {
    let name = file.file_name()?.to_str()?;
    let stem = name
        .strip_prefix(std::env::consts::DLL_PREFIX)?
        .strip_suffix(std::env::consts::DLL_SUFFIX)?;
    Some(
        stem.strip_prefix("patchbay_")
            .unwrap_or(stem)
            .replace('_', "-"),
    )
}

/// Every shared library in a folder, by name.
///
/// # Errors
/// If the folder cannot be read.
pub fn libraries(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| {
            path.to_string_lossy()
                .ends_with(std::env::consts::DLL_SUFFIX)
        })
        .collect();
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_that_was_not_built_as_a_shared_library_is_recognised() {
        let folder = tempfile::tempdir().unwrap();
        let path = [folder.path().to_owned()];
        assert!(!find("mine", &path).unwrap_err().contains("cdylib"));
        std::fs::write(folder.path().join("libmine.rlib"), "").unwrap();
        let said = find("mine", &path).unwrap_err();
        assert!(
            said.contains("libmine.rlib is there: say `crate-type = [\"cdylib\""),
            "{said}"
        );
    }

    #[test]
    fn the_first_folder_wins_and_a_miss_names_every_path() {
        let [first, second] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let path = [first.path().to_owned(), second.path().to_owned()];
        let miss = find("my-server", &path).unwrap_err();
        for folder in &path {
            for name in ["patchbay_my_server", "my_server"] {
                assert!(
                    miss.contains(&*folder.join(library(name)).to_string_lossy()),
                    "{miss}"
                );
            }
        }
        for folder in &path {
            std::fs::write(folder.join(library("patchbay_my_server")), "").unwrap();
        }
        assert!(find("my-server", &path).unwrap().starts_with(first.path()));
    }
}
