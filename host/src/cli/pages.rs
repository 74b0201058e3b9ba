//! `patchbay completions` and `patchbay man`, from the definitions that the parser uses.

use super::Cli;
use crate::exit::Exit;
use clap::CommandFactory;
use std::io::{self, Write, stdout};
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

fn told(written: io::Result<()>) -> Exit {
    match written {
        Ok(()) => Exit::Done,
        Err(error) => {
            eprintln!("cannot be written: {error}");
            Exit::Failed
        }
    }
}
