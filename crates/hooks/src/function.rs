//! One published function, whichever tier it belongs to.

use crate::NotReleased;
use crate::releases::{Release, Releases};
use crate::stages::Version;
use crate::throttle::Throttle;
use crate::verdict::{ConnectionRan, Cost, Failure, Ran, RequestVerdict, ResponseVerdict, Verdict};
use crate::{isolate, sandbox};
use rimward_event::connection::Connected;
use rimward_event::lambda::LambdaOrigin;
use rimward_event::{FailureCategory, Strictness, ViewerContext};
use rimward_types::{Body, Hook, RequestHead, ResponseHead, Timestamp};
use std::net::IpAddr;
use std::sync::Arc;

/// The surroundings of one run.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The request's id.
    pub request_id: &'a str,
    /// The viewer's address.
    pub viewer: IpAddr,
    /// The node's address that it connected to.
    pub server: IpAddr,
    /// The distribution's id.
    pub distribution_id: &'a str,
    /// The distribution's own name.
    pub distribution_domain_name: &'a str,
    /// The time that the function sees.
    pub now: Timestamp,
    /// What its randomness starts from.
    pub seed: u64,
}

/// The surroundings of one run for a new connection.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionCall<'a> {
    /// The connection.
    pub connected: Connected<'a>,
    /// The node's address that the viewer connected to.
    pub server: IpAddr,
    /// The time that the function sees.
    pub now: Timestamp,
    /// What its randomness starts from.
    pub seed: u64,
}

impl Call<'_> {
    /// The same, as events have it. `viewer_ip` is [`Call::viewer`] as text.
    pub(crate) fn context<'a>(&'a self, viewer_ip: &'a str) -> ViewerContext<'a> {
        ViewerContext {
            distribution_domain_name: self.distribution_domain_name,
            distribution_id: self.distribution_id,
            request_id: self.request_id,
            viewer_ip,
        }
    }
}

/// What runs a function.
pub(crate) enum Tier {
    /// The isolate.
    Viewer {
        function: Arc<rimward_isolate::Function>,
        strictness: Strictness,
        version: Version,
        /// When the version was published; `None` when it is the file of the configuration.
        since: Option<Timestamp>,
        throttle: Throttle,
    },
    /// The sandbox.
    Origin {
        function: Arc<rimward_sandbox::Function>,
        include_body: bool,
        version: Version,
        /// When the version was published; `None` when it is the file of the configuration.
        since: Option<Timestamp>,
        releases: Releases,
    },
    /// Nothing: it could not be published. Requests get what the vendor's service gives for code that does not
    /// compile (`cloudfront-functions.md` section 6). Other versions of an origin function may work: `releases`.
    Broken { category: FailureCategory, reason: String, releases: Option<Releases> },
}

/// A function that can be attached to hooks.
pub struct Function {
    pub(crate) name: Arc<str>,
    pub(crate) digest: [u8; 32],
    pub(crate) tier: Tier,
}

impl Function {
    /// Its name in the configuration.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// A hash of its code and settings; zeros when it is broken.
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// Why it cannot run; `None` when it can.
    pub fn broken(&self) -> Option<&str> {
        match &self.tier {
            Tier::Broken { reason, .. } => Some(reason),
            _ => None,
        }
    }

    /// The version that serves, and when it was published; that is `None` when it is the file. `None` when it is broken.
    pub fn version(&self) -> Option<(&Version, Option<Timestamp>)> {
        match &self.tier {
            Tier::Viewer { version, since, .. } | Tier::Origin { version, since, .. } => Some((version, *since)),
            Tier::Broken { .. } => None,
        }
    }

    /// Until when it is throttled; `None` when it may run.
    pub fn throttled_until(&self, now: Timestamp) -> Option<Timestamp> {
        match &self.tier {
            Tier::Viewer { throttle, .. } => throttle.until(now),
            _ => None,
        }
    }

    /// Ends throttling.
    pub(crate) fn let_run(&self) {
        if let Tier::Viewer { throttle, .. } = &self.tier {
            throttle.clear();
        }
    }

    /// `viewer` or `origin`: the tier that runs it.
    pub fn tier(&self) -> &'static str {
        match &self.tier {
            Tier::Viewer { .. } | Tier::Broken { category: FailureCategory::FunctionThrottled, .. } => "viewer",
            Tier::Origin { .. } | Tier::Broken { .. } => "origin",
        }
    }

    /// Whether it belongs to the origin tier.
    pub fn is_lambda(&self) -> bool {
        self.tier() == "origin"
    }

    /// The function of the origin tier that it is, for direct invocations; `None` when it is none, or broken.
    pub fn sandboxed(&self) -> Option<&Arc<rimward_sandbox::Function>> {
        match &self.tier {
            Tier::Origin { function, .. } => Some(function),
            _ => None,
        }
    }

    /// Whether it is an origin function that is kept in the version that `qualifier` names, and may be called in it; what
    /// does not serve is found out when it is called, see [`Functions::released`].
    ///
    /// # Errors
    /// There is none, or it is the one that serves and is broken.
    ///
    /// [`Functions::released`]: crate::Functions::released
    pub fn check_release(&self, qualifier: Option<&str>) -> Result<(), NotReleased> {
        self.release(qualifier).map(drop)
    }

    /// The version that `qualifier` names, and the one that serves where it is that.
    pub(crate) fn release(&self, qualifier: Option<&str>) -> Result<(&Releases, Release), NotReleased> {
        let (releases, broken) = match &self.tier {
            Tier::Origin { releases, .. } => (releases, None),
            Tier::Broken { releases: Some(releases), reason, .. } => (releases, Some(reason)),
            Tier::Broken { reason, .. } if self.is_lambda() => return Err(NotReleased::Broken(reason.clone())),
            _ => return Err(NotReleased::Unknown),
        };
        match (releases.find(qualifier).ok_or(NotReleased::Unknown)?, broken) {
            (Release::Serving, Some(reason)) => Err(NotReleased::Broken(reason.clone())),
            (release, _) => Ok((releases, release)),
        }
    }

    /// Runs it at a request hook. `origin` is where the node is about to go, at origin-request.
    pub async fn on_request(
        &self,
        hook: Hook,
        call: &Call<'_>,
        head: RequestHead,
        body: Body,
        origin: Option<&LambdaOrigin>,
    ) -> Ran<RequestVerdict> {
        let (verdict, cost) = match &self.tier {
            Tier::Viewer { function, strictness, throttle, .. } => match throttle.until(call.now) {
                Some(until) => throttled(until),
                None => {
                    let (verdict, cost) = isolate::on_request(function, *strictness, call, head, body);
                    self.note(throttle, &cost, call.now);
                    (verdict, cost)
                }
            },
            Tier::Origin { function, include_body, .. } => {
                let call = sandbox::RequestCall { hook, call, head, body, origin, include_body: *include_body };
                sandbox::on_request(function, call).await
            }
            Tier::Broken { category, reason, .. } => broken(*category, reason),
        };
        Ran::new(&self.name, hook, verdict, cost)
    }

    /// Runs it at a response hook. `request` is the one that the response answers.
    pub async fn on_response(
        &self,
        hook: Hook,
        call: &Call<'_>,
        request: &RequestHead,
        origin: Option<&LambdaOrigin>,
        head: ResponseHead,
        body: Body,
    ) -> Ran<ResponseVerdict> {
        let (verdict, cost) = match &self.tier {
            Tier::Viewer { function, strictness, throttle, .. } => match throttle.until(call.now) {
                Some(until) => throttled(until),
                None => {
                    let (verdict, cost) = isolate::on_response(function, *strictness, call, request, head, body);
                    self.note(throttle, &cost, call.now);
                    (verdict, cost)
                }
            },
            Tier::Origin { function, .. } => {
                sandbox::on_response(function, hook, call, request, origin, head, body).await
            }
            Tier::Broken { category, reason, .. } => broken(*category, reason),
        };
        Ran::new(&self.name, hook, verdict, cost)
    }

    /// Asks it whether a connection may go on (`cloudfront-functions.md` section 13).
    pub fn on_connection(&self, call: &ConnectionCall<'_>) -> ConnectionRan {
        let failed = |failure| (Err(failure), Cost::default());
        let (decided, cost) = match &self.tier {
            Tier::Viewer { function, throttle, .. } => match throttle.until(call.now) {
                Some(until) => failed(throttled_until(until)),
                None => {
                    let (decided, cost) = isolate::on_connection(function, call);
                    self.note(throttle, &cost, call.now);
                    (decided, cost)
                }
            },
            Tier::Origin { .. } => {
                let reason = "a component cannot judge connections";
                failed(Failure::new(FailureCategory::FunctionExecution, reason))
            }
            Tier::Broken { category, reason, .. } => failed(Failure::new(*category, reason)),
        };
        ConnectionRan {
            function: self.name.clone(),
            decided,
            time: cost.time,
            utilization: cost.utilization,
            kv: cost.kv,
            logs: cost.logs,
        }
    }

    fn note(&self, throttle: &Throttle, cost: &Cost, now: Timestamp) {
        if !cost.over_time {
            throttle.ran_within();
        } else if throttle.ran_over(now, cost.time) {
            tracing::warn!(target: "function", function = &*self.name, "throttled: it keeps running past its time limit");
        }
    }
}

fn throttled<V: Verdict>(until: Timestamp) -> (V, Cost) {
    (V::failed(throttled_until(until)), Cost::default())
}

fn throttled_until(until: Timestamp) -> Failure {
    let until = httpdate::fmt_http_date(until.as_system_time());
    let reason = format!("it kept running past its time limit, and is throttled until {until}; a publish ends that");
    Failure::new(FailureCategory::FunctionThrottled, reason)
}

fn broken<V: Verdict>(category: FailureCategory, reason: &str) -> (V, Cost) {
    (V::failed(Failure::new(category, reason)), Cost::default())
}
