//! The conformance suite: whether a plugin keeps to what CONFORMANCE.md demands of it, requirement by requirement.
//!
//! A backend is looked at with what its test says of it; what the test does not say cannot be looked at, and stands so in
//! the report:
//!
//! ```
//! use patchbay_testkit::conformance;
//! use serde_json::json;
//!
//! # async fn it_conforms<MyBackend: patchbay_sdk::Backend>() {
//! conformance::backend::<MyBackend>(json!({}))
//!     .says(|text| ("status".into(), json!({ "text": text })))
//!     .run()
//!     .await
//!     .assert();
//! # }
//! ```
//!
//! Each requirement is looked at in a life of its own. All that the instance says in all these lives is kept and gone through
//! for what must never be said, so that what goes wrong beside a scene is found as well.

mod audit;
mod backend;
mod common;
mod frontend;
mod life;
mod peer;
mod report;
mod stage;
mod suite;

pub use backend::BackendSuite;
pub use frontend::{Client, FrontendSuite, Protocol, Told};
pub use peer::Peer;
pub use report::{Finding, Report, Verdict};

use crate::Plugin;
use patchbay_sdk::{Backend, Frontend};
use serde_json::Value;
use std::path::Path;

/// The suite for a backend of this test's own code, with that configuration.
pub fn backend<B: Backend>(config: Value) -> BackendSuite {
    BackendSuite::new(std::any::type_name::<B>(), Plugin::backend::<B>(), config)
}

/// The suite for a backend that is got at in another way; `name` is what the report calls it.
pub fn backend_of(name: &str, plugin: Plugin, config: Value) -> BackendSuite {
    BackendSuite::new(name, plugin, config)
}

/// The suite for a backend in a plugin file, with that configuration.
pub fn backend_file(path: &Path, config: Value) -> BackendSuite {
    BackendSuite::new(&path.display().to_string(), Plugin::file(path), config)
}

/// The suite for a frontend of this test's own code, with that configuration, whose clients speak so.
pub fn frontend<F: Frontend, P: Protocol>(config: Value, protocol: P) -> FrontendSuite<P> {
    FrontendSuite::new(
        std::any::type_name::<F>(),
        Plugin::frontend::<F>(),
        config,
        protocol,
    )
}

/// The suite for a frontend that is got at in another way; `name` is what the report calls it.
pub fn frontend_of<P: Protocol>(
    name: &str,
    plugin: Plugin,
    config: Value,
    protocol: P,
) -> FrontendSuite<P> {
    FrontendSuite::new(name, plugin, config, protocol)
}

/// The suite for a frontend in a plugin file, with that configuration, whose clients speak so.
pub fn frontend_file<P: Protocol>(path: &Path, config: Value, protocol: P) -> FrontendSuite<P> {
    FrontendSuite::new(
        &path.display().to_string(),
        Plugin::file(path),
        config,
        protocol,
    )
}

/// The numbers of all requirements of backends, in the order of the page.
pub fn of_backends() -> Vec<&'static str> {
    let requirements = backend::requirements();
    requirements.iter().map(|one| one.id).collect()
}

/// The numbers of all requirements of frontends whose clients speak so, in the order of the page.
pub fn of_frontends<P: Protocol>() -> Vec<&'static str> {
    let requirements = frontend::requirements::<P>();
    requirements.iter().map(|one| one.id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    struct Nobody;

    impl Protocol for Nobody {
        type Client = Nobody;

        async fn connect(&self) -> Result<Nobody, String> {
            Ok(Nobody)
        }
    }

    impl Client for Nobody {
        async fn login(&mut self, _user: &str, _password: &str) -> Result<Told, String> {
            Err(String::new())
        }

        async fn send(&mut self, _tag: u64, _op: &str, _args: &Value) -> Result<(), String> {
            Err(String::new())
        }

        async fn answer(&mut self) -> Result<(u64, Told), String> {
            Err(String::new())
        }

        async fn subscribe(&mut self) -> Result<bool, String> {
            Ok(false)
        }

        async fn event(&mut self) -> Result<Value, String> {
            Err(String::new())
        }

        async fn babble(&mut self) -> Result<bool, String> {
            Ok(false)
        }
    }

    /// The headings of the page, `### A1. Title`, and what stands below each.
    fn page() -> BTreeMap<(&'static str, &'static str), &'static str> {
        let page = include_str!("../../CONFORMANCE.md");
        let sections = page.split("\n### ").skip(1);
        let read = |section: &'static str| {
            let (heading, text) = section.split_once('\n').expect("a text");
            (heading.split_once(". ").expect("a number"), text)
        };
        sections.map(read).collect()
    }

    #[test]
    fn the_page_and_the_code_have_the_same_requirements() {
        let of_backends = backend::requirements();
        let of_frontends = frontend::requirements::<Nobody>();
        let of_backends = of_backends.iter().map(|one| (one.id, one.title));
        let of_frontends = of_frontends.iter().map(|one| (one.id, one.title));
        let mut in_code: Vec<_> = of_backends.chain(of_frontends).collect();
        in_code.sort_unstable();
        in_code.dedup();
        let on_page: Vec<_> = page().into_keys().collect();
        assert_eq!(on_page, in_code);
    }

    #[test]
    fn the_page_says_of_each_why_and_how_and_what_is_often_wrong() {
        for ((id, _), text) in page() {
            for part in ["**Why.**", "**How.**", "**Often.**"] {
                assert!(text.contains(part), "{id} says {part}");
            }
        }
    }
}
