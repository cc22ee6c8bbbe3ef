//! `rimward check`: a configuration, or functions alone, published but not run.
//!
//! - [`item`]: one function and what was found.
//! - [`target`]: what CloudFront would refuse.
//! - [`report`]: what people and programs read of it.

mod item;
mod report;
mod target;

use crate::args::{Check, Target};
use crate::configuration;
use crate::engines::{self, Engines};
use crate::exit::{Exit, Stop};
use crate::manifest;
use crate::run;
use crate::source;
use item::Item;
use report::Report;
use rimward_config::{CodeKind, Config, FunctionKind, OriginFunction, Places, ViewerFunction};
use rimward_hooks::Versions;
use rimward_kv::Store;
use rimward_kv::pairs::MAX_STORE;
use rimward_origin::Origins;
use rimward_types::Stage;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use target::Written;

/// Checks things one after the other.
struct Checker {
    engines: Engines,
    target: Option<Target>,
    report: Report,
}

/// Runs the command.
///
/// # Errors
/// When a file cannot be read or an engine does not start.
pub fn check(args: &Check) -> Result<Exit, Stop> {
    let usual = || args.config.clone().unwrap_or_else(|| PathBuf::from("rimward.toml"));
    match &args.path {
        None => check_config(args, &usual()),
        Some(path) => match subject(path)? {
            Subject::Config(file) => check_config(args, &file),
            Subject::Manifests(files) => {
                let mut checker = Checker::new(args, None);
                for file in files {
                    checker.manifest(&file)?;
                }
                Ok(checker.finish())
            }
            Subject::Code => {
                let mut checker = Checker::new(args, None);
                let text = std::fs::read_to_string(path).unwrap_or_default();
                let settings = match run::viewer::kind_of(&text) {
                    CodeKind::Viewer => ViewerFunction::new(path.clone()),
                    CodeKind::Connection => ViewerFunction::for_connections(path.clone()),
                };
                checker.viewer(&path.display().to_string(), settings, None, None)?;
                Ok(checker.finish())
            }
            Subject::Component => {
                let mut checker = Checker::new(args, None);
                checker.origin(&path.display().to_string(), OriginFunction::new(path.clone()))?;
                Ok(checker.finish())
            }
        },
    }
}

/// What a path leads to.
enum Subject {
    Config(PathBuf),
    Manifests(Vec<PathBuf>),
    Code,
    Component,
}

fn subject(path: &Path) -> Result<Subject, Stop> {
    let unreadable = |error| Stop::unusable(format!("{}: cannot be read: {error}", path.display()));
    if std::fs::metadata(path).map_err(unreadable)?.is_dir() {
        let manifests = manifest::find(path).map_err(unreadable)?;
        let config = path.join("rimward.toml");
        return match (manifests.is_empty(), config.is_file()) {
            (false, _) => Ok(Subject::Manifests(manifests)),
            (true, true) => Ok(Subject::Config(config)),
            (true, false) => {
                Err(Stop::unusable(format!("{}: there is neither rimward.toml nor function.toml", path.display())))
            }
        };
    }
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("js" | "mjs") => Ok(Subject::Code),
        Some("wasm") => Ok(Subject::Component),
        Some("toml") if path.file_name().is_some_and(|name| name == manifest::FILE) => {
            Ok(Subject::Manifests(vec![path.to_owned()]))
        }
        Some("toml") => Ok(Subject::Config(path.to_owned())),
        _ => Err(Stop::unusable(format!("{}: not a .toml, .js or .wasm file", path.display()))),
    }
}

fn check_config(args: &Check, file: &Path) -> Result<Exit, Stop> {
    let config = match rimward_config::load(file) {
        Ok(config) => config,
        Err(problems) => {
            let unreadable = problems.iter().any(|problem| problem.line == 0);
            if args.json {
                report::config_problems(&problems);
            } else {
                configuration::say(&problems);
            }
            return Ok(if unreadable { Exit::Unusable } else { Exit::Failed });
        }
    };
    let mut checker = Checker::new(args, Some(&config));
    checker.report.config(file, &config);
    if !args.json {
        configuration::say_warnings(&config.warnings);
    }
    checker.config(&config, file)?;
    Ok(checker.finish())
}

impl Checker {
    fn new(args: &Check, config: Option<&Config>) -> Self {
        Self { engines: Engines::new(config), target: args.target, report: Report::new(args.json) }
    }

    fn finish(self) -> Exit {
        self.report.finish()
    }

    fn config(&mut self, config: &Config, file: &Path) -> Result<(), Stop> {
        let versions = Versions::new(engines::kept(config, file).join("functions"));
        let origins = Origins::new();
        for origin in config.origins.values() {
            if let Err(problem) = origins.prepare(origin) {
                self.report.add(Item::of("origin", &origin.name).refused(format!("error: {problem}")));
            }
        }
        // It was read a moment ago; if it is gone since, findings have no place.
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let places = Places::of(&text);
        if self.target == Some(Target::Cloudfront) {
            self.extensions(config, file, &places);
        }
        let mut stores: BTreeMap<Arc<str>, Arc<Store>> = BTreeMap::new();
        for (name, store) in &config.key_value_stores {
            match source::configured(store) {
                Ok(loaded) => {
                    stores.insert(name.clone(), loaded);
                }
                Err(refused) => self.report.add(Item::of("store", name).refused(refused)),
            }
        }
        for (name, function) in &config.functions {
            match &function.kind {
                FunctionKind::Viewer(settings) => {
                    let store = settings.key_value_store.as_ref().and_then(|store| stores.get(store)).cloned();
                    let written = Written::new(file, &places, vec!["functions".into(), (&**name).into()]);
                    let written = Some(&written);
                    let item = item::viewer(name, settings.clone(), store, written, self.target, &self.engines)?;
                    self.report.add(published(item, name, &versions));
                }
                FunctionKind::Origin(settings) => {
                    let written = Written::new(file, &places, vec!["functions".into(), (&**name).into()]);
                    let item = item::origin(name, settings.clone(), Some(&written), self.target, &self.engines)?;
                    self.report.add(published(item, name, &versions));
                }
            }
        }
        Ok(())
    }

    /// What behaviors and stores ask for that CloudFront does not have.
    fn extensions(&mut self, config: &Config, file: &Path, places: &Places<'_>) {
        for (site, distribution) in config.distributions.iter().enumerate() {
            for (number, behavior) in distribution.behaviors.iter().enumerate() {
                let at = vec!["distributions".into(), site.into(), "behaviors".into(), number.into()];
                let findings = target::behavior(behavior, &Written::new(file, places, at));
                self.report.add_found(Item::of("behavior", behavior.pattern.as_str()), findings);
            }
        }
        for (name, origin) in &config.origins {
            let at = vec!["origins".into(), (&**name).into()];
            let findings = target::plain_grpc(origin, &Written::new(file, places, at)).into_iter().collect();
            self.report.add_found(Item::of("origin", name), findings);
        }
        for (name, store) in &config.key_value_stores {
            let at = vec!["key-value-stores".into(), (&**name).into()];
            let findings = target::store(store, &Written::new(file, places, at)).into_iter().collect();
            self.report.add_found(Item::of("store", name), findings);
        }
        for (name, store) in &config.trust_stores {
            let at = vec!["trust-stores".into(), (&**name).into()];
            let findings = target::trust_store(store, &Written::new(file, places, at)).into_iter().collect();
            self.report.add_found(Item::of("trust-store", name), findings);
        }
        for (name, policy) in &config.cache_policies {
            let at = vec!["cache-policies".into(), (&**name).into()];
            let findings = target::cache(policy, &Written::new(file, places, at)).into_iter().collect();
            self.report.add_found(Item::of("policy", name), findings);
        }
        for (name, policy) in &config.response_headers_policies {
            let at = vec!["response-headers-policies".into(), (&**name).into()];
            let findings = target::response_headers(policy, &Written::new(file, places, at));
            self.report.add_found(Item::of("policy", name), findings);
        }
    }

    fn manifest(&mut self, file: &Path) -> Result<(), Stop> {
        let manifest = match manifest::read(file) {
            Ok(manifest) => manifest,
            Err(report) => {
                self.report.add(Item::of("function", &file.display().to_string()).refused(report));
                return Ok(());
            }
        };
        let name = manifest.name();
        match manifest.kind() {
            FunctionKind::Viewer(settings) => {
                match manifest.store.as_ref().map(|file| source::store(file, MAX_STORE)).transpose() {
                    Ok(store) => {
                        let text = std::fs::read_to_string(file).unwrap_or_default();
                        let places = Places::of(&text);
                        let written = Written::new(file, &places, Vec::new());
                        self.viewer(name, settings.clone(), store, Some(&written))
                    }
                    Err(refused) => {
                        self.report.add(Item::of("function", name).refused(refused));
                        Ok(())
                    }
                }
            }
            FunctionKind::Origin(settings) if !settings.component.exists() => {
                self.report.add(Item::of("function", name).not_built(manifest::how_to_build(file)));
                Ok(())
            }
            FunctionKind::Origin(settings) => self.origin(name, settings.clone()),
        }
    }

    fn viewer(
        &mut self,
        name: &str,
        settings: ViewerFunction,
        store: Option<Arc<Store>>,
        written: Option<&Written<'_>>,
    ) -> Result<(), Stop> {
        let item = item::viewer(name, settings, store, written, self.target, &self.engines)?;
        self.report.add(item);
        Ok(())
    }

    fn origin(&mut self, name: &str, settings: OriginFunction) -> Result<(), Stop> {
        let item = item::origin(name, settings, None, self.target, &self.engines)?;
        self.report.add(item);
        Ok(())
    }
}

/// Says that another version than the file serves, where one does.
fn published(mut item: Item, name: &str, versions: &Versions) -> Item {
    match versions.stages(name) {
        Ok(stages) => {
            item.about.extend(stages.at(Stage::Live).map(|live| {
                let version = &live.version.as_str()[..12];
                format!("the published version {version} goes before this file until it is rolled back")
            }));
            item
        }
        Err(error) => item.refused(format!("error: {error}")),
    }
}
