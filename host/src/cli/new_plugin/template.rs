//! The files of a new crate.

use super::PluginKind;
use super::name::CrateName;
use super::sdk::Sdk;
use std::path::Path;

/// Files of `sdk/template/`: as they are called there, and as they are called in a crate.
macro_rules! files {
    ($kind:literal: $($from:literal => $to:literal),+ $(,)?) => {
        &[$(($to, include_str!(concat!("../../../../sdk/template/", $kind, "/", $from)))),+]
    };
}

impl PluginKind {
    /// What a crate of this kind consists of: paths in it, and texts with places for [`Words`].
    pub(super) fn files(self) -> &'static [(&'static str, &'static str)] {
        match self {
            PluginKind::Backend => files! { "backend":
                "Cargo.toml.in" => "Cargo.toml",
                "gitignore" => ".gitignore",
                "README.md" => "README.md",
                "gateway.toml" => "gateway.toml",
                "src/lib.rs" => "src/lib.rs",
                "src/queue.rs" => "src/queue.rs",
                "src/session.rs" => "src/session.rs",
                "tests/conformance.rs" => "tests/conformance.rs",
                "tests/queue.rs" => "tests/queue.rs",
            },
            PluginKind::Frontend => files! { "frontend":
                "Cargo.toml.in" => "Cargo.toml",
                "gitignore" => ".gitignore",
                "README.md" => "README.md",
                "gateway.toml" => "gateway.toml",
                "src/lib.rs" => "src/lib.rs",
                "src/client.rs" => "src/client.rs",
                "src/line.rs" => "src/line.rs",
                "tests/conformance.rs" => "tests/conformance.rs",
                "tests/lines.rs" => "tests/lines.rs",
            },
        }
    }
}

/// What a template does not know.
pub(super) struct Words<'a> {
    pub(super) name: &'a CrateName,
    pub(super) sdk: &'a Sdk,
    /// Where Patchbay's own plugins are.
    pub(super) plugins: &'a Path,
}

impl Words<'_> {
    /// Puts the words into their places. `my_plugin` is one, so that the templates' code is Rust.
    pub(super) fn put_into(&self, text: &str) -> String {
        text.replace("@NAME@", self.name.as_str())
            .replace("my_plugin", &self.name.in_code())
            .replace("@SDK@", &self.sdk.dependency("patchbay-sdk"))
            .replace("@TESTKIT@", &self.sdk.dependency("patchbay-testkit"))
            .replace("@PLUGINS@", &self.plugins.display().to_string())
    }
}
