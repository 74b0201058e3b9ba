//! What the package says of itself to the package manager.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use super::stage::Stage;
use super::{NAME, said};

/// Where a change that an administrator has made is kept when the package is upgraded.
const CONFFILES: &str = "/etc/patchbay/patchbay.toml\n";

pub fn write(stage: &Stage, version: &str, architecture: &str) -> Result<()> {
    let files = stage.files()?;
    let mut bytes = 0;
    for file in &files {
        bytes += fs::metadata(stage.root().join(file))?.len();
    }
    let kib = bytes.div_ceil(1024);
    // The C library of the machine that it is built on is new enough for what was linked to it.
    let libc =
        said(Command::new("dpkg-query").args(["--showformat=${Version}", "--show", "libc6"]))
            .context("which C library this is built for")?;
    let control = format!(
        "Package: {NAME}\n\
         Version: {version}\n\
         Architecture: {architecture}\n\
         Maintainer: The Patchbay developers <patchbay@localhost>\n\
         Installed-Size: {kib}\n\
         Depends: libc6 (>= {libc}), libgcc-s1, passwd\n\
         Section: science\n\
         Priority: optional\n\
         Description: gateway between clients and script servers of instruments\n \
         Patchbay lets any client talk to any script server. What clients speak (JSON\n \
         over ActiveMQ, JSON lines) and what script servers speak (NICOS) are plugins,\n \
         which the gateway loads when it starts.\n"
    );
    stage.write("DEBIAN/control", control, 0o644)?;
    stage.write("DEBIAN/conffiles", CONFFILES, 0o644)?;
    let sums = said(
        Command::new("md5sum")
            .args(&files)
            .current_dir(stage.root()),
    )?;
    stage.write("DEBIAN/md5sums", format!("{sums}\n"), 0o644)
}
