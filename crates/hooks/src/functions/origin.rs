//! Functions of the origin tier: publishing what serves, and versions that are called beside it.

use super::{Broken, Engines, Functions, LOST, Problem, digest, read, unchanged};
use crate::function::{Function, Tier};
use crate::given::Given;
use crate::releases::{self, Release, Releases};
use crate::stages::{Kept, Stages, Version};
use rimward_config::{Config, OriginFunction};
use rimward_event::FailureCategory;
use rimward_types::Stage;
use std::sync::Arc;

/// A version of an origin function cannot be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotReleased {
    /// There is no such function, or it is not kept in this version.
    Unknown,
    /// It cannot run, and why.
    Broken(String),
}

impl Functions {
    /// The same functions and stores, with what can be called of origin function `name` as it is kept now. What serves
    /// stays, with its instances.
    ///
    /// # Errors
    /// When what is kept cannot be read.
    pub fn with_releases(&self, config: &Config, engines: &Engines, name: &str) -> Result<Self, Problem> {
        let mut with = self.same();
        let spec = config.functions.get_key_value(name).and_then(|(name, function)| Some((name, function.origin()?)));
        let (Some((name, spec)), Some(old)) = (spec, self.get(name)) else { return Ok(with) };
        let broken = |error: String| {
            Broken::new(name, &spec.component, FailureCategory::LambdaExecution, error, Some(LOST.to_owned())).problem
        };
        let stages = engines.versions.stages(name).map_err(|error| broken(error.to_string()))?;
        let releases = Releases::new(stages, spec.aliases.clone());
        let tier = match &old.tier {
            Tier::Origin { .. } => serving(&old.tier, releases),
            Tier::Broken { category, reason, .. } => {
                Some(Tier::Broken { category: *category, reason: reason.clone(), releases: Some(releases) })
            }
            Tier::Viewer { .. } => None,
        };
        if let Some(tier) = tier {
            let function = Function { name: name.clone(), digest: old.digest, tier };
            with.functions.insert(name.clone(), Arc::new(function));
        }
        Ok(with)
    }

    /// Publishes another component of origin function `name`, with its settings, and attaches it to nothing. `None` when
    /// there is no such origin function.
    ///
    /// # Errors
    /// When it is refused, or does not start.
    pub async fn try_component(
        config: &Config,
        engines: &Engines,
        name: &str,
        component: Vec<u8>,
    ) -> Option<Result<(), Problem>> {
        let (name, function) = config.functions.get_key_value(name)?;
        let spec = function.origin()?;
        let made = sandboxed(name, spec, engines, component, releases::LATEST.to_owned()).await;
        Some(made.map(drop).map_err(|broken| broken.problem))
    }

    /// The version of origin function `name` that `qualifier` names. One that does not serve is published when it is
    /// called first, with the settings of the configuration, and then kept.
    ///
    /// # Errors
    /// There is none, or it cannot run.
    pub async fn released(
        &self,
        config: &Config,
        engines: &Engines,
        name: &str,
        qualifier: Option<&str>,
    ) -> Result<Arc<rimward_sandbox::Function>, NotReleased> {
        let spec = config.functions.get_key_value(name).and_then(|(name, function)| Some((name, function.origin()?)));
        let ((name, spec), function) = spec.zip(self.get(name)).ok_or(NotReleased::Unknown)?;
        let (releases, release) = function.release(qualifier)?;
        if release == Release::Serving {
            return function.sandboxed().cloned().ok_or(NotReleased::Unknown);
        }
        // One call publishes, others of the same function wait for it.
        let mut made = releases.made.lock().await;
        if let Some(function) = made.get(&release) {
            return Ok(function.clone());
        }
        let (versions, file, called, wanted) =
            (engines.versions.clone(), spec.component.clone(), name.clone(), release.clone());
        let reading = tokio::task::spawn_blocking(move || match wanted {
            Release::Numbered(_, version) => versions.code_of(&called, &version).map_err(|error| error.to_string()),
            _ => match versions.code(&called, Stage::Development) {
                Ok(Some(code)) => Ok(code),
                Ok(None) => read(&file),
                Err(error) => Err(error.to_string()),
            },
        });
        let component = reading.await.map_err(|error| NotReleased::Broken(error.to_string()))?;
        let component = component.map_err(NotReleased::Broken)?;
        let label = match &release {
            Release::Numbered(number, _) => number.to_string(),
            _ => releases::LATEST.to_owned(),
        };
        let function = sandboxed(name, spec, engines, component, label)
            .await
            .map_err(|broken| NotReleased::Broken(broken.problem.message))?;
        made.insert(release, function.clone());
        Ok(function)
    }
}

/// Publishes what serves of an origin function, unless it is there already.
pub(super) async fn publish(
    name: &Arc<str>,
    spec: &OriginFunction,
    engines: &Engines,
    before: &Functions,
) -> Result<Arc<Function>, Broken> {
    let broken =
        |message: String, hint| Broken::new(name, &spec.component, FailureCategory::LambdaExecution, message, hint);
    let stages = engines.versions.stages(name).map_err(|e| broken(e.to_string(), Some(LOST.to_owned())))?;
    // Whatever is wrong with what serves, other versions can be called.
    let releases = || Some(Releases::new(stages.clone(), spec.aliases.clone()));
    let served = serve(name, spec, engines, before, &stages).await;
    served.map_err(|broken| Broken { releases: releases(), ..broken })
}

async fn serve(
    name: &Arc<str>,
    spec: &OriginFunction,
    engines: &Engines,
    before: &Functions,
    stages: &Stages,
) -> Result<Arc<Function>, Broken> {
    let broken =
        |message: String, hint| Broken::new(name, &spec.component, FailureCategory::LambdaExecution, message, hint);
    let published = engines.versions.code(name, Stage::Live);
    let published = published.map_err(|e| broken(e.to_string(), Some(LOST.to_owned())))?;
    let component = published.map_or_else(|| read(&spec.component).map_err(|e| broken(e, None)), Ok)?;
    let given = Given::read(spec).map_err(|e| broken(e, None))?;
    let live = stages.at(Stage::Live);
    let label = releases::label(live);
    let digest = digest(&component, &format!("origin {label} {spec:?} {}", given.digest()));
    let releases = Releases::new(stages.clone(), spec.aliases.clone());
    if let Some(same) = unchanged(before, name, &digest) {
        let Tier::Origin { releases: old, .. } = &same.tier else { return Ok(same) };
        // Where another version serves, the file may be another one by now.
        if live.is_none() && old.are(stages, &spec.aliases) {
            return Ok(same);
        }
        // What serves stays with its instances; what else can be called has changed.
        let Some(tier) = serving(&same.tier, releases) else { return Ok(same) };
        return Ok(Arc::new(Function { name: name.clone(), digest, tier }));
    }
    let (version, since) = (Version::of(&component), live.map(Kept::since));
    let function = sandboxed(name, spec, engines, component, label).await?;
    let tier = Tier::Origin { function, include_body: spec.include_body, version, since, releases };
    Ok(Arc::new(Function { name: name.clone(), digest, tier }))
}

/// What serves, with other versions beside it.
fn serving(tier: &Tier, releases: Releases) -> Option<Tier> {
    let Tier::Origin { function, include_body, version, since, .. } = tier else { return None };
    let (function, version) = (function.clone(), version.clone());
    Some(Tier::Origin { function, include_body: *include_body, version, since: *since, releases })
}

/// Publishes one version of an origin function, and starts its first instance.
async fn sandboxed(
    name: &Arc<str>,
    spec: &OriginFunction,
    engines: &Engines,
    component: Vec<u8>,
    version: String,
) -> Result<Arc<rimward_sandbox::Function>, Broken> {
    let broken =
        |message: String, hint| Broken::new(name, &spec.component, FailureCategory::LambdaExecution, message, hint);
    let given = Given::read(spec).map_err(|e| broken(e, None))?;
    let wanted = given.spec(name, spec, component).map_err(|e| broken(e, None))?;
    let wanted = rimward_sandbox::Spec { version: version.into(), ..wanted };
    engines.sandbox.publish(wanted).await.map_err(|e| broken(e.to_string(), e.hint()))
}
