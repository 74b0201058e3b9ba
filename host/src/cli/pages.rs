//! `patchbay completions` and `patchbay man`, from the definitions that the parser uses, and the reference of the
//! configuration, from those that its reader uses.

use super::Cli;
use super::out::{print, told};
use crate::config;
use crate::exit::Exit;
use clap::CommandFactory;
use std::io::{Write, stdout};
use std::path::Path;

pub(super) fn completions(shell: clap_complete::Shell) -> Exit {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "patchbay", &mut text);
    told(stdout().write_all(&text))
}

pub(super) fn man(folder: Option<&Path>) -> Exit {
    let command = Cli::command();
    told(match folder {
        Some(folder) => clap_mangen::generate_to(command, folder),
        None => clap_mangen::Man::new(command).render(&mut stdout()),
    })
}

/// `patchbay explain` without a key.
pub(super) fn reference() -> Exit {
    print(&config::reference())
}
