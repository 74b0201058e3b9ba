//! `patchbay plugin inspect`.

use super::out::print;
use crate::config::plugin_paths;
use crate::exit::Exit;
use crate::plugin::Trust;
use crate::plugin::inspection::Inspection;
use clap::Args;
use std::path::PathBuf;

#[derive(Args)]
pub(super) struct Inspect {
    /// The plugin's file.
    file: PathBuf,
    /// A configuration file: whether a gateway that runs with it may load the plugin is looked at, too.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The same by a list of trusted plugins.
    #[arg(long, value_name = "FILE")]
    list: Option<PathBuf>,
    /// As JSON, for programs.
    #[arg(long)]
    json: bool,
}

impl Inspect {
    pub(super) fn run(self) -> Exit {
        let trust = match self.trust() {
            Ok(trust) => trust,
            Err(exit) => return exit,
        };
        let found = Inspection::of(&self.file, &trust);
        let printed = print(&match self.json {
            true => serde_json::to_string_pretty(&found).unwrap_or_default() + "\n",
            false => page(&found),
        });
        if printed != Exit::Done || found.would_load() {
            return printed;
        }
        eprintln!("error: {} would not be loaded", self.file.display());
        Exit::Failed
    }

    fn trust(&self) -> Result<Trust, Exit> {
        let of_config = match self.config.as_deref().map(plugin_paths).transpose() {
            Ok(paths) => paths.and_then(|(_, list)| list),
            Err(mistakes) => {
                super::show(&mistakes);
                return Err(Exit::Configuration);
            }
        };
        Ok(Trust::new(self.list.as_deref().or(of_config.as_deref())))
    }
}

fn page(found: &Inspection) -> String {
    let mut lines = vec![found.file.display().to_string()];
    let mut say = |what: &str, value: Option<String>| {
        lines.extend(value.map(|value| format!("  {what:<9}{value}")));
    };
    let manifest = found.manifest.as_ref();
    say(
        "is",
        manifest.map(|is| format!("{} {}, a {}", is.name, is.version, is.role)),
    );
    say(
        "built",
        manifest.map(|is| {
            let (sdk, abi, panic) = (&is.sdk, is.abi, &is.panic);
            format!("with SDK {sdk}, plugin ABI {abi}, panic = \"{panic}\"")
        }),
    );
    say("for", found.machine.clone());
    say("bytes", found.bytes.map(|bytes| bytes.to_string()));
    say("SHA-256", found.sha256.clone());
    let list = |what: &str, items: &[String]| {
        let items: String = items.iter().map(|item| format!("\n  - {item}")).collect();
        (!items.is_empty()).then(|| format!("{what}:{items}"))
    };
    lines.extend(list("allowed, but not safe", &found.warnings));
    lines.extend(list("would not be loaded", &found.obstacles));
    lines.extend(found.rebuild.clone());
    if found.would_load() {
        lines.push(
            "would be loaded, if its messages are laid out as this host's are, which only its code can tell; none of it was run"
                .to_owned(),
        );
    }
    lines.join("\n") + "\n"
}
