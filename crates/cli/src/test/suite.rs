//! One function with its events.

use super::case::{self, Case, Cost, Files, Verdict};
use crate::engines::Engines;
use crate::exit::Stop;
use crate::manifest;
use crate::print;
use crate::run::{self, Failed};
use crate::source::{self, Origin, Refused, Viewer};
use rimward_config::{FunctionKind, Manifest, OriginFunction, ViewerFunction};
use rimward_kv::pairs::MAX_STORE;
use std::path::Path;

/// What randomness starts from: the same in every test.
const SEED: u64 = 0;

/// What came of a function.
#[derive(Debug)]
pub struct Suite {
    /// Its name; the folder's where the function has none.
    pub name: String,
    /// Its `function.toml`.
    pub file: String,
    /// What it is: runtime and size, or the component's.
    pub about: String,
    /// How far it came.
    pub state: State,
    /// The most fuel that an event may cost.
    pub budget: Option<u64>,
    /// What was found worth a word.
    pub notes: Vec<String>,
}

/// How far a function came.
#[derive(Debug)]
pub enum State {
    /// Its events were run.
    Ran(Vec<Case>),
    /// It was not published; the report.
    Refused(String),
    /// It is not built; how to build it.
    NotBuilt(String),
}

/// Runs the events of a `function.toml`.
///
/// # Errors
/// When an engine does not start.
pub fn run(file: &Path, engines: &Engines) -> Result<Suite, Stop> {
    let shown = file.display().to_string();
    let folder = file.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    let mut suite = Suite {
        name: folder.unwrap_or_else(|| shown.clone()),
        file: shown,
        about: String::new(),
        state: State::Ran(Vec::new()),
        budget: None,
        notes: Vec::new(),
    };
    let manifest = match manifest::read(file) {
        Ok(manifest) => manifest,
        Err(report) => return Ok(suite.refused(report)),
    };
    suite.name = manifest.name().to_string();
    suite.budget = manifest.fuel;
    let folder = manifest::folder(file);
    let cases = match case::find(folder) {
        Ok(cases) => cases,
        Err(error) => return Ok(suite.refused(format!("error: {}/events: {error}", folder.display()))),
    };
    if cases.is_empty() {
        suite.notes.push("no events: put some into the folder `events`".to_owned());
    }
    match manifest.kind() {
        FunctionKind::Viewer(settings) => run_viewer(suite, &manifest, settings, &cases, engines),
        FunctionKind::Origin(settings) if !settings.component.exists() => {
            suite.about = "component".to_owned();
            suite.state = State::NotBuilt(manifest::how_to_build(file));
            Ok(suite)
        }
        FunctionKind::Origin(settings) => run_origin(suite, &manifest, settings, &cases, engines),
    }
}

impl Suite {
    fn refused(mut self, report: impl ToString) -> Self {
        self.state = State::Refused(report.to_string());
        self
    }
}

fn run_viewer(
    mut suite: Suite,
    manifest: &Manifest,
    settings: &ViewerFunction,
    cases: &[Files],
    engines: &Engines,
) -> Result<Suite, Stop> {
    let store = match manifest.store.as_ref().map(|file| source::store(file, MAX_STORE)).transpose() {
        Ok(store) => store,
        Err(refused) => return Ok(suite.refused(refused)),
    };
    let viewer = match Viewer::read(manifest.name(), settings.clone(), store) {
        Ok(viewer) => viewer,
        Err(refused) => return Ok(suite.refused(refused)),
    };
    suite.about = format!("{}, {}", settings.runtime.as_str(), print::bytes(viewer.code.len() as u64));
    let function = match viewer.publish(engines)? {
        Ok(function) => function,
        Err(refused) => return Ok(suite.refused(refused)),
    };
    let footprint = function.footprint();
    suite.about.push_str(&format!(", {} resident", print::bytes(footprint.bytes as u64)));
    if footprint.top_level_per_run {
        suite.notes.push("the top level asks for time, randomness or the store, and runs in every request".to_owned());
    }
    let run = |files: &Files| -> Result<Case, String> {
        let event = run::viewer::event(&run::read_event(&files.event)?, settings.kind)
            .map_err(|error| format!("{}: {error}", files.event.display()))?;
        if let Some(hook) = event.hook().filter(|hook| !manifest.hooks.contains(hook)) {
            return Err(format!("the event is for {hook}, which `hooks` does not name"));
        }
        let expectation = files.read_expectation()?;
        let ran = run::viewer::run(&function, &event, SEED, run::viewer::strictness(settings, false));
        let waiting = "compiling the engine that counts fuel, which takes some seconds the first time ...";
        let counted = print::patiently(waiting, || run::viewer::measure(&function, &event, SEED));
        let (fuel, pages) = (counted.fuel, counted.dirty_pages);
        let mut verdict = case::judge(expectation.as_ref(), &ran.output);
        if let Err(failed) = &ran.output {
            show_place(&mut verdict, &viewer, failed);
        }
        if let Some(over) = case::over_budget(fuel, manifest.fuel) {
            verdict = match verdict {
                Verdict::Failed(lines) => Verdict::Failed(lines.into_iter().chain([over]).collect()),
                _ => Verdict::Failed(vec![over]),
            };
        }
        let cost = Cost::Viewer { time: ran.cost.time, utilization: ran.cost.utilization, fuel, pages };
        Ok(Case { name: files.name.clone(), verdict, logs: ran.logs, cost: Some(cost) })
    };
    suite.state = State::Ran(cases.iter().map(|f| run(f).unwrap_or_else(|why| Case::broken(&f.name, why))).collect());
    Ok(suite)
}

/// Adds where in the code an unexpected error was thrown.
fn show_place(verdict: &mut Verdict, viewer: &Viewer, failed: &Failed) {
    if let (Verdict::Failed(lines), Some((line, column))) = (verdict, failed.place) {
        let refused = Refused::at(&viewer.settings.code, &viewer.text(), line, column, "");
        lines.push(format!("at {}:{line}:{column}", refused.file.display()));
        lines.extend(refused.excerpt.iter().flat_map(|excerpt| excerpt.lines()).map(str::to_owned));
    }
}

fn run_origin(
    mut suite: Suite,
    manifest: &Manifest,
    settings: &OriginFunction,
    cases: &[Files],
    engines: &Engines,
) -> Result<Suite, Stop> {
    let origin = match Origin::read(manifest.name(), settings.clone()) {
        Ok(origin) => origin,
        Err(refused) => return Ok(suite.refused(refused)),
    };
    suite.about = format!("component, {}", print::bytes(origin.component.len() as u64));
    let function = match origin.publish(engines)? {
        Ok(function) => function,
        Err(refused) => return Ok(suite.refused(refused)),
    };
    let mut ran = Vec::with_capacity(cases.len());
    for files in cases {
        let prepared = || -> Result<_, String> {
            let event = run::origin::event(&run::read_event(&files.event)?)
                .map_err(|error| format!("{}: {error}", files.event.display()))?;
            if !manifest.hooks.contains(&event.hook) {
                return Err(format!("the event is for {}, which `hooks` does not name", event.hook));
            }
            Ok((event, files.read_expectation()?))
        };
        let (event, expectation) = match prepared() {
            Ok(prepared) => prepared,
            Err(why) => {
                ran.push(Case::broken(&files.name, why));
                continue;
            }
        };
        let outcome = engines.block_on(run::origin::run(&function, &event))?;
        let cost = Cost::Origin { time: outcome.cost.duration, memory: outcome.cost.memory };
        let verdict = case::judge(expectation.as_ref(), &outcome.output);
        ran.push(Case { name: files.name.clone(), verdict, logs: outcome.logs, cost: Some(cost) });
    }
    suite.state = State::Ran(ran);
    Ok(suite)
}
