//! Debian packages: which are there, and installing those that are not.

use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::error::{Doing, Error, Result};
use crate::progress::Progress;
use crate::{places, step};

/// A package that a server needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Package {
    pub name: String,
    /// How the tested version begins, as in `5.17.2`.
    pub tested: String,
}

/// Reads lines of `name version-prefix`; `#` begins a comment.
pub(crate) fn parse(list: &str) -> Vec<Package> {
    let words = data_lines(list).filter_map(|line| line.split_once(' '));
    words
        .map(|(name, tested)| Package {
            name: name.into(),
            tested: tested.trim().into(),
        })
        .collect()
}

/// The lines of a data file that are neither empty nor comments.
pub(crate) fn data_lines(list: &str) -> impl Iterator<Item = &str> {
    list.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// The names of those packages that are not installed.
pub(crate) fn missing(packages: &[Package]) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for package in packages {
        if installed_version(&package.name)?.is_none() {
            names.push(package.name.clone());
        }
    }
    Ok(names)
}

/// Installs the packages by name; as an ordinary user says which command does it.
pub(crate) fn install(names: &[String], progress: Progress<'_>) -> Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    if !rustix::process::geteuid().is_root() {
        return Err(Error::Install(command_to_run(names)));
    }
    let _lock = places::lock("apt")?;
    progress(&format!("Debian packages to install: {}", names.join(" ")));
    // An unreachable source that has nothing to do with us must not stop us; if it has, installing will say so.
    let update = apt_get(&["update", "-q"]);
    match step::run_filtered("apt-get update", update, is_shown, progress) {
        Err(Error::Interrupted) => return Err(Error::Interrupted),
        Err(problem) => progress(&format!("warning: {problem}")),
        Ok(()) => {}
    }
    let mut install = apt_get(&["install", "-y", "-q", "--no-install-recommends"]);
    install.args(names);
    step::run_filtered("apt-get install", install, is_shown, progress)
}

/// What apt and dpkg say of each package once, and of trouble; hundreds of lines else.
fn is_shown(line: &str) -> bool {
    let begins = [
        "Get:",
        "Err:",
        "W:",
        "E:",
        "Need to get",
        "Fetched",
        "Setting up",
    ];
    begins.iter().any(|begin| line.starts_with(begin))
}

/// Warns of packages that have another version than the tested one.
pub(crate) fn warn_of_versions(packages: &[Package], progress: Progress<'_>) -> Result<()> {
    for Package { name, tested } in packages {
        match installed_version(name)? {
            Some(version) if !version.starts_with(tested.as_str()) => {
                progress(&format!(
                    "warning: {name} is {version}; tested with {tested}"
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The version of an installed package, as in `5.17.2+dfsg-2+deb12u1`.
fn installed_version(name: &str) -> Result<Option<String>> {
    let format = "--showformat=${db:Status-Status} ${Version}";
    let output = Command::new("dpkg-query")
        .args(["--show", format, name])
        .output();
    let output = output.doing(|| "running dpkg-query (the servers are Debian packages)".into())?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text
        .strip_prefix("installed ")
        .map(|version| version.trim().to_owned()))
}

/// Not a guarded command: an installation that is cut off leaves dpkg in a state that needs mending by hand.
fn apt_get(args: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    command
        .process_group(0)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .env("LC_ALL", "C.UTF-8");
    command.args(["-o", "DPkg::Lock::Timeout=300"]).args(args);
    command
}

fn command_to_run(names: &[String]) -> String {
    format!(
        "Debian packages are missing; install them with this command, then try again:\n  \
         sudo sh -c 'apt-get update && apt-get install -y --no-install-recommends {}'",
        names.join(" ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_list_gives_names_and_tested_versions() {
        let packages = parse("# comment\n\nlibx-java  1.2 \n");
        assert_eq!(
            packages,
            [Package {
                name: "libx-java".into(),
                tested: "1.2".into()
            }]
        );
    }

    #[test]
    fn an_installed_package_is_not_missing() {
        let named = |name: &str| Package {
            name: name.into(),
            tested: String::new(),
        };
        let missing = missing(&[named("dpkg"), named("no-such-package-at-all")]).unwrap();
        assert_eq!(missing, ["no-such-package-at-all"]);
    }

    #[test]
    fn another_version_than_the_tested_one_draws_a_warning() {
        let told = std::cell::RefCell::new(Vec::new());
        let odd = [Package {
            name: "dpkg".into(),
            tested: "0.0-odd".into(),
        }];
        warn_of_versions(&odd, &|line| told.borrow_mut().push(line.to_owned())).unwrap();
        assert!(told.borrow()[0].starts_with("warning: dpkg is "));
    }

    #[test]
    fn an_ordinary_user_is_told_one_command() {
        let text = command_to_run(&["a".into(), "b".into()]);
        assert!(text.ends_with("apt-get install -y --no-install-recommends a b'"));
    }
}
