//! From the parsed file to the checked form, in one pass that goes on after every mistake.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use toml::de::DeTable;

use super::advice::list;
use super::checked::{Authority, Backend, Frontend, Gateway, Instance, Isolation};
use super::gateway::gateway;
use super::listen::{self, Listening};
use super::login::{Rules, logins, users_can_be_asked};
use super::mistake::{Findings, Note, Span};
use super::plugin_config::{Converter, PluginConfig};
use super::raw::{Fields, Found, FoundTable};
use super::registry as keys;
use super::schema;
use super::{PluginCatalog, PluginInfo, PluginSearch, Ports};
use patchbay_abi::PluginRole;
use patchbay_sdk::model::nearest;

/// What a file says; complete only if no error was noted on the way.
pub(super) struct Resolved {
    pub gateway: Gateway,
    pub backends: Vec<Backend>,
    pub frontends: Vec<Frontend>,
}

/// `folder` is that of the file, absolute.
pub(super) fn resolve(
    root: &DeTable<'_>,
    folder: &Path,
    catalog: &dyn PluginCatalog,
    ports: &dyn Ports,
    findings: &Findings,
) -> Resolved {
    let top = Fields::open(
        &keys::TOP,
        FoundTable {
            table: root,
            at: 0..0,
        },
        findings,
    );
    let gateway = gateway(&top, folder, findings);
    let search = PluginSearch {
        folders: &gateway.plugin_path,
        trusted: gateway.trusted_plugins.as_deref(),
        isolation: Isolation::None,
    };
    let resolver = Resolver {
        folder,
        search,
        users: &gateway.users,
        catalog,
        findings,
        asked: RefCell::default(),
        listenings: RefCell::default(),
    };
    let (backends, frontends) = (top.tables(&keys::BACKENDS), top.tables(&keys::FRONTENDS));
    let names = Names::new(&backends, &frontends);
    resolver.ids_are_unique(&names);
    let backends = backends
        .into_iter()
        .filter_map(|found| resolver.backend(found))
        .collect();
    let frontends = frontends
        .into_iter()
        .filter_map(|found| resolver.frontend(found, &names))
        .collect();
    listen::check(&resolver.listenings.borrow(), ports, findings);
    Resolved {
        gateway,
        backends,
        frontends,
    }
}

struct Resolver<'a> {
    folder: &'a Path,
    search: PluginSearch<'a>,
    users: &'a Path,
    catalog: &'a dyn PluginCatalog,
    findings: &'a Findings,
    /// What the catalog said, by name and isolation: a plugin is looked for once, however often it is used.
    asked: RefCell<BTreeMap<(String, Isolation), Result<PluginInfo, String>>>,
    listenings: RefCell<Vec<Listening>>,
}

impl<'a> Resolver<'a> {
    fn backend(&self, found: FoundTable<'a>) -> Option<Backend> {
        let fields = Fields::open(&keys::BACKEND, found, self.findings);
        Some(Backend {
            instance: self.instance(&fields, PluginRole::Backend)?,
        })
    }

    fn frontend(&self, found: FoundTable<'a>, names: &Names<'_>) -> Option<Frontend> {
        let fields = Fields::open(&keys::FRONTEND, found, self.findings);
        let backend = fields
            .text(&keys::ROUTE)
            .map(|found| self.route(&found, names));
        let max_role = fields.choice(&keys::MAX_ROLE);
        let unmapped_logins = fields.choice(&keys::UNMAPPED_LOGINS);
        let authority = fields.choice(&keys::AUTHORITY);
        if authority == Authority::Users {
            users_can_be_asked(&fields, self.users, self.findings);
        }
        let rules = Rules {
            authority,
            unmapped: unmapped_logins,
        };
        let logins = logins(&fields, &rules, self.folder, self.findings);
        let instance = self.instance(&fields, PluginRole::Frontend)?;
        Some(Frontend {
            instance,
            backend: backend?,
            authority,
            max_role,
            unmapped_logins,
            logins,
        })
    }

    fn instance(&self, fields: &Fields<'a>, role: PluginRole) -> Option<Instance> {
        let id = fields
            .text(&keys::ID)
            .filter(|id| self.id_is_well_formed(id));
        let log_level = fields.choice(&keys::INSTANCE_LOG_LEVEL);
        let isolation = fields.choice(&keys::ISOLATION);
        let plugin = fields.text(&keys::PLUGIN);
        let info = plugin
            .as_ref()
            .and_then(|plugin| self.plugin(plugin, role, isolation));
        let config = self.config(fields, info.as_ref());
        Some(Instance {
            id: id?.text.to_owned(),
            plugin: plugin?.text.to_owned(),
            schema: info.as_ref()?.schema.clone(),
            path: info?.path,
            config,
            isolation,
            log_level,
        })
    }

    fn plugin(
        &self,
        name: &Found<'_>,
        role: PluginRole,
        isolation: Isolation,
    ) -> Option<PluginInfo> {
        let mut asked = self.asked.borrow_mut();
        let search = PluginSearch {
            isolation,
            ..self.search
        };
        let ask = || self.catalog.find(name.text, &search);
        let first = asked.keys().all(|(known, _)| known != name.text);
        let answer = asked
            .entry((name.text.to_owned(), isolation))
            .or_insert_with(ask);
        if let Ok(info) = answer.as_ref()
            && first
        {
            self.warn_of_plugin(name, &info.warnings);
        }
        let note = match answer {
            Ok(info) if info.role == role => return Some(info.clone()),
            Ok(info) => Note::error(format!(
                "plugin `{}` is a {}, not a {}",
                name.text, info.role, role
            ))
            .at(name.at.clone(), "in the wrong place")
            .help(format!("put it under [[{}]]", info.role)),
            Err(why) => Note::error(format!("plugin `{}` cannot be used", name.text))
                .at(name.at.clone(), "not usable")
                .help(why.as_str()),
        };
        self.findings.note(note);
        None
    }

    fn warn_of_plugin(&self, name: &Found<'_>, warnings: &[String]) {
        for warning in warnings {
            let note = Note::warning(format!("plugin `{}` is not safe where it lies", name.text));
            self.findings
                .note(note.at(name.at.clone(), "not safe").help(warning.as_str()));
        }
    }

    /// The settings; checked if the plugin is known, so that its absence is the only thing complained about.
    fn config(&self, fields: &Fields<'a>, info: Option<&PluginInfo>) -> PluginConfig {
        let at = fields.at();
        let found = fields.table(&keys::CONFIG);
        let broken = found.is_none() && fields.span_of(keys::CONFIG.name).is_some();
        let converter = Converter {
            folder: self.folder,
            findings: self.findings,
        };
        let before = self.findings.errors();
        let settings = found
            .as_ref()
            .map(|found| converter.object(found.table))
            .unwrap_or_default();
        let config = PluginConfig::new(settings);
        if let Some(info) = info.filter(|_| !broken && self.findings.errors() == before) {
            schema::check(
                &info.schema,
                &config,
                found.as_ref(),
                at.clone(),
                self.findings,
            );
            let listenings = listen::of_instance(&info.schema, &config, found.as_ref(), at);
            self.listenings.borrow_mut().extend(listenings);
        }
        config
    }

    fn route(&self, route: &Found<'_>, names: &Names<'_>) -> String {
        let known = &names.backends;
        if !known.contains(route.text) && !known.is_empty() {
            let known: Vec<&str> = known.iter().copied().collect();
            let note = Note::error(format!(
                "there is no [[backend]] with the id `{}`",
                route.text
            ));
            let note = note.at(route.at.clone(), "leads nowhere");
            let meant = nearest(route.text, known.iter().copied())
                .map(|id| format!("did you mean `{id}`?"));
            let help = format!("the backends are {}", list(&known));
            self.findings
                .note(note.help(meant.unwrap_or_default()).help(help));
        }
        route.text.to_owned()
    }

    fn id_is_well_formed(&self, id: &Found<'_>) -> bool {
        let in_middle = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let good =
            id.text.len() <= 32 && id.text.chars().all(in_middle) && !id.text.starts_with('-');
        if !good {
            let note = Note::error(format!("`{}` cannot be an id", id.text))
                .at(id.at.clone(), "not an id");
            self.findings.note(
                note.help(format!("`id`: {}", keys::ID.doc))
                    .help(better_id(id.text)),
            );
        }
        good
    }

    fn ids_are_unique(&self, names: &Names<'_>) {
        let mut first = BTreeMap::new();
        for (id, at) in &names.ids {
            if let Some(earlier) = first.get(id) {
                let note = Note::error(format!("the id `{id}` is used twice"));
                let note = note.at(at.clone(), "used before").help(format!(
                    "it is that of line {} already; ids are unique over backends and frontends",
                    self.findings.line(earlier)
                ));
                self.findings.note(note);
            } else {
                first.insert(*id, at.clone());
            }
        }
    }
}

/// The ids as written, well formed or not, so that one wrong id makes one complaint and not one for each route to it.
struct Names<'a> {
    ids: Vec<(&'a str, Span)>,
    backends: BTreeSet<&'a str>,
}

impl<'a> Names<'a> {
    fn new(backends: &[FoundTable<'a>], frontends: &[FoundTable<'a>]) -> Self {
        let id = |found: &FoundTable<'a>| {
            let value = found.table.get(keys::ID.name)?;
            Some((value.get_ref().as_str()?, value.span()))
        };
        let ids = backends.iter().chain(frontends).filter_map(id).collect();
        Self {
            ids,
            backends: backends.iter().filter_map(id).map(|(id, _)| id).collect(),
        }
    }
}

/// The nearest thing to what was written that is an id, as advice.
fn better_id(text: &str) -> String {
    let allowed = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    let id: String = text.chars().map(allowed).take(32).collect();
    let id = id.trim_matches('-');
    if id.is_empty() {
        String::new()
    } else {
        format!("for example: id = \"{id}\"")
    }
}
