//! Stages and versions of viewer functions, as the admin API asks for them.

use super::node::Node;
use crate::run;
use rimward_admin::node::date;
use rimward_admin::{Expected, Refusal, Staged, Tested, ViewerFunctions};
use rimward_config::{Config, ViewerFunction};
use rimward_event::Strictness;
use rimward_hooks::stages::Kept;
use rimward_hooks::versions::{NotChanged, VersionsError};
use rimward_hooks::{Back, Problem, Stages, Version};
use rimward_proxy::Live;
use rimward_types::{Clock, Entropy, Hook, Stage, SystemClock, SystemEntropy};
use std::convert::Infallible;
use std::sync::Arc;

impl ViewerFunctions for Node {
    async fn describe(&self, name: &str, stage: Stage) -> Result<Staged, Refusal> {
        Ok(self.code(name, stage).await?.0)
    }

    async fn code(&self, name: &str, stage: Stage) -> Result<(Staged, Vec<u8>), Refusal> {
        let live = self.proxy().live();
        let spec = viewer(live.config(), name)?.clone();
        let versions = self.setup.engines.versions.clone();
        let called = name.to_owned();
        let kept = blocking(move || {
            let stages = versions.stages(&called).map_err(|error| lost(&error))?;
            let code = versions.code(&called, stage).map_err(|error| lost(&error))?;
            let read = || {
                std::fs::read(&spec.code).map_err(|error| Refusal::Node(format!("{}: {error}", spec.code.display())))
            };
            let code = code.map_or_else(read, Ok)?;
            Ok::<_, Refusal>((stages, code, spec))
        });
        let (stages, code, spec) = kept.await??;
        Ok((staged(&live, name, stage, &stages, &code, &spec), code))
    }

    async fn update(&self, name: &str, code: Vec<u8>, expected: &Expected) -> Result<Staged, Refusal> {
        let turn = self.turn.lock().await;
        self.expect(name, expected).await?;
        self.compile(name, &code).await?;
        let (version, now) = (Version::of(&code), SystemClock.now());
        let change = move |stages: &mut Stages| {
            stages.update(version, now);
            Ok::<(), Infallible>(())
        };
        self.change(name, Some(code), change).await?;
        drop(turn);
        tracing::info!(function = name, "DEVELOPMENT updated");
        self.describe(name, Stage::Development).await
    }

    async fn publish(&self, name: &str, expected: &Expected) -> Result<Staged, Refusal> {
        let turn = self.turn.lock().await;
        let code = self.expect(name, expected).await?;
        // Before anything is kept: what does not compile never becomes LIVE.
        self.compile(name, &code).await?;
        let (version, now) = (Version::of(&code), SystemClock.now());
        let change = move |stages: &mut Stages| {
            stages.publish(version, now);
            Ok::<(), Infallible>(())
        };
        self.change(name, Some(code), change).await?;
        self.take_over(name).await?;
        drop(turn);
        tracing::info!(function = name, "published");
        self.describe(name, Stage::Live).await
    }

    async fn roll_back(&self, name: &str, to: Option<&str>) -> Result<Staged, Refusal> {
        let turn = self.turn.lock().await;
        viewer(self.proxy().live().config(), name)?;
        let back = match to {
            None => Back::Previous,
            Some("file") => Back::File,
            Some(version) => Back::To(version.to_owned()),
        };
        self.change(name, None, move |stages| stages.roll_back(&back)).await?;
        self.take_over(name).await?;
        drop(turn);
        tracing::info!(function = name, "rolled back");
        self.describe(name, Stage::Live).await
    }

    async fn test(&self, name: &str, stage: Stage, event: &str, as_vendor: bool) -> Result<Tested, Refusal> {
        let event = run::viewer::event(event).map_err(|error| Refusal::Event(format!("the event: {error}")))?;
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
    /// The code of DEVELOPMENT, if it is what is expected.
    async fn expect(&self, name: &str, expected: &Expected) -> Result<Vec<u8>, Refusal> {
        let (development, code) = self.code(name, Stage::Development).await?;
        match expected {
            Expected::Exactly(tag) if *tag != development.etag => Err(Refusal::Stale(development.etag)),
            _ => Ok(code),
        }
    }

    /// Compiles a text with the settings of a function.
    async fn compile(&self, name: &str, code: &[u8]) -> Result<Arc<rimward_isolate::Function>, Refusal> {
        let live = self.proxy().live();
        let compiled = live.functions().compile(live.config(), &self.setup.engines, name, code).await;
        match compiled {
            None => Err(Refusal::NoFunction(name.to_owned())),
            Some(compiled) => compiled.map_err(refused),
        }
    }

    /// Changes what is kept.
    async fn change<E: std::error::Error + Send + 'static>(
        &self,
        name: &str,
        code: Option<Vec<u8>>,
        change: impl FnOnce(&mut Stages) -> Result<(), E> + Send + 'static,
    ) -> Result<(), Refusal> {
        let (versions, name) = (self.setup.engines.versions.clone(), name.to_owned());
        let changed = blocking(move || versions.change(&name, code.as_deref(), change)).await?;
        changed.map(drop).map_err(|not| match not {
            NotChanged::Refused(why) => Refusal::NoWayBack(why.to_string()),
            NotChanged::Disk(error) => lost(&error),
        })
    }

    /// Lets requests run what LIVE is now. Requests in flight finish on what they began with.
    async fn take_over(&self, name: &str) -> Result<(), Refusal> {
        let live = self.proxy().live();
        let functions = live.functions().with(live.config(), &self.setup.engines, name).await.map_err(refused)?;
        self.proxy().swap(Live::new(live.config().clone(), functions));
        Ok(())
    }
}

fn viewer<'a>(config: &'a Config, name: &str) -> Result<&'a ViewerFunction, Refusal> {
    let function = config.functions.get(name).ok_or_else(|| Refusal::NoFunction(name.to_owned()))?;
    function.viewer().ok_or_else(|| Refusal::NotViewer(name.to_owned()))
}

fn staged(live: &Live, name: &str, stage: Stage, stages: &Stages, code: &[u8], spec: &ViewerFunction) -> Staged {
    let version = Version::of(code);
    let since = stages.at(stage).map(Kept::since);
    let function = live.functions().get(name);
    let is_live = function.and_then(|function| function.version()).is_some_and(|(live, _)| *live == version);
    let distributions = &live.config().distributions;
    let associated = distributions.iter().flat_map(|distribution| &distribution.behaviors).any(|behavior| {
        Hook::ALL.into_iter().any(|hook| behavior.functions(hook).iter().any(|function| &**function == name))
    });
    let throttled = function.and_then(|function| function.throttled_until(SystemClock.now()));
    Staged {
        name: name.to_owned(),
        stage,
        runtime: spec.runtime.as_str(),
        store: spec.key_value_store.as_deref().map(str::to_owned),
        status: match (is_live, associated) {
            (false, _) => "UNPUBLISHED",
            (true, false) => "UNASSOCIATED",
            (true, true) => "DEPLOYED",
        },
        etag: version.etag(stage, since),
        version: version.to_string(),
        since: since.map(date),
        file: spec.code.display().to_string(),
        bytes: code.len(),
        earlier: stages.earlier().map(|kept| kept.map(|kept| kept.version.to_string())).collect(),
        throttled_until: throttled.filter(|_| stage == Stage::Live).map(date),
    }
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
