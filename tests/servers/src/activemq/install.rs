//! Apache ActiveMQ and a JDK, as Debian packages, and the class paths made of them.

use std::path::PathBuf;

use crate::debian;
use crate::error::{Error, Result};
use crate::progress::Progress;

const PACKAGES: &str = include_str!("../../activemq/packages.txt");
const BROKER_JARS: &str = include_str!("../../activemq/broker-jars.txt");
const CLIENT_JARS: &str = include_str!("../../activemq/client-jars.txt");
const XSTREAM: &str = "xstream";
const JARS_DIR: &str = "/usr/share/java";

/// The packages that are not installed.
pub(crate) fn missing_packages() -> Result<Vec<String>> {
    debian::missing(&debian::parse(PACKAGES))
}

/// Installs what is missing, and warns of versions that were not tested.
pub(crate) fn install(progress: Progress<'_>) -> Result<()> {
    debian::install(&missing_packages()?, progress)?;
    debian::warn_of_versions(&debian::parse(PACKAGES), progress)
}

/// The broker's class path, as `java -cp` takes it; with or without what turns advisories into text.
pub(super) fn broker_class_path(advisories: bool) -> Result<String> {
    let jars = debian::data_lines(BROKER_JARS);
    class_path(jars.filter(|jar| advisories || *jar != XSTREAM))
}

/// The JMS client's class path.
pub(crate) fn client_class_path() -> Result<String> {
    class_path(debian::data_lines(CLIENT_JARS))
}

/// Debian's start script for the broker names too few jars, hence our own lists.
fn class_path<'a>(jars: impl Iterator<Item = &'a str>) -> Result<String> {
    let paths: Result<Vec<String>> = jars.map(jar).collect();
    Ok(paths?.join(":"))
}

fn jar(name: &str) -> Result<String> {
    let path = PathBuf::from(JARS_DIR).join(format!("{name}.jar"));
    if path.exists() {
        return Ok(path.display().to_string());
    }
    Err(Error::Install(format!(
        "{} is missing although its package is installed; reinstall libactivemq-java",
        path.display()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_packages_are_recorded_with_versions() {
        let packages = debian::parse(PACKAGES);
        let activemq = packages
            .iter()
            .find(|package| package.name == "libactivemq-java")
            .unwrap();
        assert_eq!(activemq.tested, "5.17.2");
    }

    #[test]
    fn a_jar_that_is_not_there_is_named() {
        let error = class_path(["no-such-jar"].into_iter())
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("/usr/share/java/no-such-jar.jar is missing"));
    }
}
