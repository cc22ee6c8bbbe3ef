//! One thing that was checked.

use super::target::{self, Finding, Written};
use crate::args::Target;
use crate::engines::Engines;
use crate::exit::Stop;
use crate::print;
use crate::source::{Origin, Viewer};
use rimward_config::{OriginFunction, ViewerFunction};
use rimward_kv::Store;
use std::sync::Arc;

/// A function, or something that a function or a behavior needs.
#[derive(Debug, PartialEq, Eq)]
pub struct Item {
    /// `function`, `store` or `origin`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// What it is, for people.
    pub about: Vec<String>,
    /// Bytes of its file, where it was read.
    pub size: Option<u64>,
    /// How it went.
    pub state: State,
    /// What the target would refuse.
    pub findings: Vec<Finding>,
}

/// How the check of one thing went.
#[derive(Debug, PartialEq, Eq)]
pub enum State {
    /// Well.
    Sound,
    /// It is refused; the report.
    Refused(String),
    /// It is not built; how to build it.
    NotBuilt(String),
}

impl Item {
    /// Something that is sound so far.
    pub fn of(kind: &'static str, name: &str) -> Self {
        let name = name.to_owned();
        Self { kind, name, about: Vec::new(), size: None, state: State::Sound, findings: Vec::new() }
    }

    /// It is refused.
    pub fn refused(mut self, report: impl ToString) -> Self {
        self.state = State::Refused(report.to_string());
        self
    }

    /// It is not built.
    pub fn not_built(mut self, how: String) -> Self {
        self.state = State::NotBuilt(how);
        self
    }
}

/// Checks a viewer function. `written` is where its settings stand; `None` for code alone.
///
/// # Errors
/// When the tier does not start.
pub fn viewer(
    name: &str,
    settings: ViewerFunction,
    store: Option<Arc<Store>>,
    written: Option<&Written<'_>>,
    target: Option<Target>,
    engines: &Engines,
) -> Result<Item, Stop> {
    let mut item = Item::of("function", name);
    let viewer = match Viewer::read(name, settings, store) {
        Ok(viewer) => viewer,
        Err(refused) => return Ok(item.refused(refused)),
    };
    let size = viewer.code.len() as u64;
    item.size = Some(size);
    item.about.push(viewer.settings.runtime.as_str().to_owned());
    item.about.push(format!("{} of {}", print::bytes(size), viewer.settings.code_limit));
    let findings = match target {
        Some(Target::Cloudfront) => target::viewer(&viewer, written),
        None => Vec::new(),
    };
    match viewer.publish(engines)? {
        Ok(function) => {
            let footprint = function.footprint();
            item.about.push(format!("{} resident", print::bytes(footprint.bytes as u64)));
            if footprint.top_level_per_run {
                item.about.push("top level runs in every request".to_owned());
            }
            item.findings = findings;
            Ok(item)
        }
        Err(refused) => {
            // What no engine parses is in the refusal already.
            item.findings = findings.into_iter().filter(|finding| finding.rule != "malformed").collect();
            Ok(item.refused(refused))
        }
    }
}

/// Checks an origin function.
///
/// # Errors
/// When the tier does not start.
pub fn origin(
    name: &str,
    settings: OriginFunction,
    written: Option<&Written<'_>>,
    target: Option<Target>,
    engines: &Engines,
) -> Result<Item, Stop> {
    let mut item = Item::of("function", name);
    let origin = match Origin::read(name, settings) {
        Ok(origin) => origin,
        Err(refused) => return Ok(item.refused(refused)),
    };
    item.size = Some(origin.component.len() as u64);
    item.about.push("component".to_owned());
    item.about.push(print::bytes(origin.component.len() as u64));
    if target == Some(Target::Cloudfront) {
        item.about.push("not for CloudFront Functions".to_owned());
        item.findings = written.map(|written| target::origin(&origin.settings, written)).unwrap_or_default();
    }
    match origin.publish(engines)? {
        Ok(_) => Ok(item),
        Err(refused) => Ok(item.refused(refused)),
    }
}
