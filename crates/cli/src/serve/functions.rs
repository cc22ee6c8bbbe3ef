//! Stages and versions of functions, as the admin API asks for them.

use super::node::Node;
use crate::run;
use rimward_admin::node::date;
use rimward_admin::{Expected, Numbered, Refusal, Staged, StagedFunctions, Tested};
use rimward_config::{Config, Function, FunctionKind};
use rimward_event::Strictness;
use rimward_hooks::stages::Kept;
use rimward_hooks::versions::{NotChanged, VersionsError};
use rimward_hooks::{Back, Functions, Problem, Stages, Version, Versions};
use rimward_proxy::Live;
use rimward_sandbox::COMPONENT_LIMIT;
use rimward_types::{Clock, Entropy, Hook, Stage, SystemClock, SystemEntropy};
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;

/// Bytes of a viewer function's code: as large as `code-limit` may be.
const CODE: u64 = 1 << 20;

impl StagedFunctions for Node {
    fn code_limit(&self, name: &str) -> u64 {
        let live = self.proxy().live();
        let is_component = live.config().functions.get(name).is_some_and(|function| function.origin().is_some());
        if is_component { COMPONENT_LIMIT.as_u64() } else { CODE }
    }

    async fn describe(&self, name: &str, stage: Stage) -> Result<Staged, Refusal> {
        Ok(self.code(name, stage).await?.0)
    }

    async fn code(&self, name: &str, stage: Stage) -> Result<(Staged, Vec<u8>), Refusal> {
        let live = self.proxy().live();
        let function = configured(live.config(), name)?.clone();
        let file = file(&function);
        let versions = self.setup.engines.versions.clone();
        let called = name.to_owned();
        let kept = blocking(move || {
            let stages = versions.stages(&called).map_err(|error| lost(&error))?;
            let code = versions.code(&called, stage).map_err(|error| lost(&error))?;
            let read = || std::fs::read(&file).map_err(|error| Refusal::Node(format!("{}: {error}", file.display())));
            let code = code.map_or_else(read, Ok)?;
            Ok::<_, Refusal>((stages, Version::of(&code), code))
        });
        let (stages, version, code) = kept.await??;
        Ok((staged(&live, stage, &stages, version, code.len(), &function), code))
    }

    async fn update(&self, name: &str, code: Vec<u8>, expected: &Expected) -> Result<Staged, Refusal> {
        let (name, expected) = (name.to_owned(), expected.clone());
        self.to_the_end(|node| async move { node.update_whole(&name, code, &expected).await }).await
    }

    async fn publish(&self, name: &str, expected: &Expected) -> Result<Staged, Refusal> {
        let (name, expected) = (name.to_owned(), expected.clone());
        self.to_the_end(|node| async move { node.publish_whole(&name, &expected).await }).await
    }

    async fn roll_back(&self, name: &str, to: Option<&str>) -> Result<Staged, Refusal> {
        let (name, to) = (name.to_owned(), to.map(str::to_owned));
        self.to_the_end(|node| async move { node.roll_back_whole(&name, to.as_deref()).await }).await
    }

    async fn test(&self, name: &str, stage: Stage, event: &str, as_vendor: bool) -> Result<Tested, Refusal> {
        let kind = match configured(self.proxy().live().config(), name)?.viewer() {
            Some(viewer) => viewer.kind,
            None => return Err(Refusal::NotViewer(name.to_owned())),
        };
        let event = run::viewer::event(event, kind).map_err(|error| Refusal::Event(format!("the event: {error}")))?;
        let (staged, code) = self.code(name, stage).await?;
        let function = match self.compile(name, &code).await {
            Ok(function) => function,
            Err(Refusal::Code { message, .. }) => {
                let error = run::viewer::uncompiled(message.lines().next().unwrap_or_default());
                return Ok(Tested { staged, utilization: 0, logs: Vec::new(), error, output: String::new() });
            }
            Err(refusal) => return Err(refusal),
        };
        let strictness = if as_vendor { Strictness::Test } else { Strictness::Strict };
        let mut seed = [0; 8];
        SystemEntropy.fill(&mut seed);
        // A test event may take as long as a function may; no worker waits for it.
        let ran = blocking(move || run::viewer::run(&function, &event, u64::from_le_bytes(seed), strictness)).await?;
        let (output, error) = match ran.output {
            Ok(output) => (output.to_string(), String::new()),
            Err(failed) => (String::new(), failed.sentence),
        };
        Ok(Tested { staged, utilization: ran.cost.utilization, logs: ran.logs, error, output })
    }
}

impl Node {
    /// A change is kept first and serves then. A client that leaves in between must not leave the two apart.
    async fn to_the_end<F>(&self, change: impl FnOnce(Arc<Node>) -> F) -> Result<Staged, Refusal>
    where
        F: Future<Output = Result<Staged, Refusal>> + Send + 'static,
    {
        self.whole(change).await.unwrap_or_else(|why| Err(Refusal::Node(format!("the work stopped: {why}"))))
    }

    async fn update_whole(&self, name: &str, code: Vec<u8>, expected: &Expected) -> Result<Staged, Refusal> {
        let turn = self.turn.lock().await;
        self.expect(name, expected).await?;
        self.try_out(name, &code).await?;
        let now = SystemClock.now();
        self.keep(name, code, move |stages, version| stages.update(version, now)).await?;
        // What `$LATEST` names from now on; what serves stays.
        let live = self.proxy().live();
        let functions = live.functions().with_releases(live.config(), &self.setup.engines, name).map_err(refused)?;
        self.proxy().swap(Live::new(live.config().clone(), functions, live.geo().clone()));
        drop(turn);
        tracing::info!(function = name, "DEVELOPMENT updated");
        self.describe(name, Stage::Development).await
    }

    async fn publish_whole(&self, name: &str, expected: &Expected) -> Result<Staged, Refusal> {
        let turn = self.turn.lock().await;
        let code = self.expect(name, expected).await?;
        // Before anything is kept: what does not compile never becomes LIVE.
        self.try_out(name, &code).await?;
        let now = SystemClock.now();
        self.keep(name, code, move |stages, version| stages.publish(version, now)).await?;
        self.take_over(name).await?;
        drop(turn);
        tracing::info!(function = name, "published");
        self.describe(name, Stage::Live).await
    }

    async fn roll_back_whole(&self, name: &str, to: Option<&str>) -> Result<Staged, Refusal> {
        let turn = self.turn.lock().await;
        configured(self.proxy().live().config(), name)?;
        let back = match to {
            None => Back::Previous,
            Some("file") => Back::File,
            Some(version) => Back::To(version.to_owned()),
        };
        // Before anything is kept: what does not work any more, for its settings have changed, does not become LIVE.
        let code = self.code_after(name, &back).await?;
        self.try_out(name, &code).await?;
        self.change(name, move |versions, name| versions.change(name, None, |stages| stages.roll_back(&back))).await?;
        self.take_over(name).await?;
        drop(turn);
        tracing::info!(function = name, "rolled back");
        self.describe(name, Stage::Live).await
    }

    /// The code of DEVELOPMENT, if it is what is expected.
    async fn expect(&self, name: &str, expected: &Expected) -> Result<Vec<u8>, Refusal> {
        let (development, code) = self.code(name, Stage::Development).await?;
        match expected {
            Expected::Exactly(tag) if *tag != development.etag => Err(Refusal::Stale(development.etag)),
            _ => Ok(code),
        }
    }

    /// The code that would be LIVE after a rollback.
    async fn code_after(&self, name: &str, back: &Back) -> Result<Vec<u8>, Refusal> {
        let file = file(configured(self.proxy().live().config(), name)?);
        let (versions, name, back) = (self.setup.engines.versions.clone(), name.to_owned(), back.clone());
        let read = blocking(move || {
            let mut stages = versions.stages(&name).map_err(|error| lost(&error))?;
            stages.roll_back(&back).map_err(|why| Refusal::NoWayBack(why.to_string()))?;
            match stages.at(Stage::Live) {
                Some(kept) => versions.code_of(&name, &kept.version).map_err(|error| lost(&error)),
                None => std::fs::read(&file).map_err(|error| Refusal::Node(format!("{}: {error}", file.display()))),
            }
        });
        read.await?
    }

    /// Compiles code with the settings of a function; a component is started too.
    async fn try_out(&self, name: &str, code: &[u8]) -> Result<(), Refusal> {
        let live = self.proxy().live();
        if configured(live.config(), name)?.viewer().is_some() {
            return self.compile(name, code).await.map(drop);
        }
        let tried = Functions::try_component(live.config(), &self.setup.engines, name, code.to_vec()).await;
        tried.unwrap_or(Ok(())).map_err(refused)
    }

    /// Compiles a text with the settings of a viewer function.
    async fn compile(&self, name: &str, code: &[u8]) -> Result<Arc<rimward_isolate::Function>, Refusal> {
        let live = self.proxy().live();
        let compiled = live.functions().compile(live.config(), &self.setup.engines, name, code).await;
        match compiled {
            None => Err(Refusal::NoFunction(name.to_owned())),
            Some(compiled) => compiled.map_err(refused),
        }
    }

    /// Keeps code, and notes what its version is now.
    async fn keep(
        &self,
        name: &str,
        code: Vec<u8>,
        note: impl FnOnce(&mut Stages, Version) + Send + 'static,
    ) -> Result<(), Refusal> {
        let change = move |versions: &Versions, name: &str| {
            let version = Version::of(&code);
            versions.change(name, Some(&code), |stages| {
                note(stages, version);
                Ok::<(), Infallible>(())
            })
        };
        self.change(name, change).await
    }

    /// Changes what is kept.
    async fn change<E: std::error::Error + Send + 'static>(
        &self,
        name: &str,
        change: impl FnOnce(&Versions, &str) -> Result<Stages, NotChanged<E>> + Send + 'static,
    ) -> Result<(), Refusal> {
        let (versions, name) = (self.setup.engines.versions.clone(), name.to_owned());
        let changed = blocking(move || change(&versions, &name)).await?;
        changed.map(drop).map_err(|not| match not {
            NotChanged::Refused(why) => Refusal::NoWayBack(why.to_string()),
            NotChanged::Disk(error) => lost(&error),
        })
    }

    /// Lets requests run what LIVE is now. Requests in flight finish on what they began with.
    async fn take_over(&self, name: &str) -> Result<(), Refusal> {
        let live = self.proxy().live();
        let (before, engines, name) = (live.clone(), self.setup.engines.clone(), name.to_owned());
        // Reading, digests and compiling block; the workers have requests to answer.
        let runtime = tokio::runtime::Handle::current();
        let with = move || runtime.block_on(before.functions().with(before.config(), &engines, &name));
        let functions = blocking(with).await?.map_err(refused)?;
        self.proxy().swap(Live::new(live.config().clone(), functions, live.geo().clone()));
        Ok(())
    }
}

fn configured<'a>(config: &'a Config, name: &str) -> Result<&'a Function, Refusal> {
    config.functions.get(name).ok_or_else(|| Refusal::NoFunction(name.to_owned()))
}

/// The file of the configuration.
fn file(function: &Function) -> PathBuf {
    match &function.kind {
        FunctionKind::Viewer(spec) => spec.code.clone(),
        FunctionKind::Origin(spec) => spec.component.clone(),
    }
}

/// What a stage is, with `bytes` of code that is `version`.
fn staged(live: &Live, stage: Stage, stages: &Stages, version: Version, bytes: usize, configured: &Function) -> Staged {
    let name = &*configured.name;
    let kept = stages.at(stage);
    let since = kept.map(Kept::since);
    let function = live.functions().get(name);
    let (runtime, store) = match &configured.kind {
        FunctionKind::Viewer(spec) => (spec.runtime.as_str(), spec.key_value_store.as_deref().map(str::to_owned)),
        FunctionKind::Origin(_) => ("wasm-component", None),
    };
    // What serves, whatever is kept.
    let is_live = function.and_then(|function| function.version()).is_some_and(|(live, _)| *live == version);
    let distributions = &live.config().distributions;
    let associated = distributions.iter().flat_map(|distribution| &distribution.behaviors).any(|behavior| {
        Hook::ALL.into_iter().any(|hook| behavior.functions(hook).iter().any(|function| &**function == name))
    });
    let associated = associated
        || distributions.iter().any(|distribution| distribution.connection_function.as_deref() == Some(name));
    let throttled = function.and_then(|function| function.throttled_until(SystemClock.now()));
    Staged {
        name: name.to_owned(),
        stage,
        runtime,
        store,
        status: match (is_live, associated) {
            (false, _) => "UNPUBLISHED",
            (true, false) => "UNASSOCIATED",
            (true, true) => "DEPLOYED",
        },
        etag: version.etag(stage, since),
        version: version.to_string(),
        number: kept.and_then(Kept::number),
        since: since.map(date),
        file: file(configured).display().to_string(),
        bytes,
        earlier: stages.earlier().map(|kept| kept.map(|kept| kept.version.to_string())).collect(),
        numbered: stages.numbered().filter_map(numbered).collect(),
        throttled_until: throttled.filter(|_| stage == Stage::Live).map(date),
    }
}

fn numbered(kept: &Kept) -> Option<Numbered> {
    Some(Numbered { number: kept.number()?, version: kept.version.to_string(), since: date(kept.since()) })
}

fn refused(problem: Problem) -> Refusal {
    Refusal::Code { message: problem.message, hint: problem.hint }
}

fn lost(error: &VersionsError) -> Refusal {
    tracing::error!(%error, "function versions");
    Refusal::Node(error.to_string())
}

/// Does work that blocks, such as reading and syncing files.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Refusal::Node(format!("the work stopped: {error}")))
}
