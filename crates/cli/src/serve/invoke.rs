//! Lambda's invoke API on the admin port.

use super::node::Node;
use crate::engines;
use rimward_admin::Admin;
use rimward_config::{Config, Destination, Origin, OriginUrl};
use rimward_hooks::NotReleased;
use rimward_invoke::queue::Bounds;
use rimward_invoke::{Api, AsyncSettings, Functions, Invocation, NotRun, Queue, Ran, Refusal, Throttled, Undelivered};
use rimward_sandbox::{Failure, Throttle};
use rimward_server::Service;
use rimward_telemetry::OneLine;
use rimward_types::{Body, Connection, Interim, RequestHead, ResponseHead, SystemClock};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

/// Everything that the admin port answers.
pub struct AdminPort {
    admin: Admin<Node>,
    api: Api<Node>,
}

impl AdminPort {
    /// The admin API and the invoke API of `node`; events go to `queue`.
    pub fn new(node: Arc<Node>, queue: Option<Arc<Queue>>) -> Self {
        Self { admin: Admin::new(node.clone()), api: Api::new(node, queue) }
    }
}

impl Service for AdminPort {
    async fn call(
        &self,
        connection: Arc<Connection>,
        head: RequestHead,
        body: Body,
        interim: Interim,
    ) -> (ResponseHead, Body) {
        if !Api::<Node>::owns(&head.path) {
            return Service::call(&self.admin, connection, head, body, interim).await;
        }
        match self.admin.check(connection.peer.ip(), connection.local, &head.headers) {
            Ok(()) => self.api.call(&head, body).await,
            Err(foreign) => self.api.refuse(&Refusal::AccessDenied(format!("{foreign}; {}", foreign.hint()))),
        }
    }
}

/// Opens the queue of the node that runs from `file`. Without it the node serves all the same.
pub fn open_queue(config: &Config, file: &Path) -> Option<Arc<Queue>> {
    let folder = engines::state(Some(config)).join("invocations").join(folder_name(file));
    match Queue::open(&folder, Bounds::default(), Arc::new(SystemClock)) {
        Ok(queue) => Some(Arc::new(queue)),
        Err(error) => {
            tracing::warn!(%error, "events of the invoke API are refused");
            None
        }
    }
}

/// Nodes that share a folder for their state have queues of their own, told apart by the configuration.
fn folder_name(file: &Path) -> String {
    let path = file.canonicalize().unwrap_or_else(|_| file.to_owned());
    let digest = Sha256::digest(path.as_os_str().as_encoded_bytes());
    digest[..8].iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unknown(name: &str, qualifier: Option<&str>) -> Refusal {
    let version = qualifier.map(|qualifier| format!(":{qualifier}")).unwrap_or_default();
    Refusal::NotFound(format!("arn:aws:lambda:us-east-1:000000000000:function:{name}{version}"))
}

fn not_released(not: &NotReleased, name: &str, qualifier: Option<&str>) -> Refusal {
    match not {
        NotReleased::Unknown => unknown(name, qualifier),
        NotReleased::Broken(reason) => Refusal::InvalidRuntime(format!("The function cannot run: {reason}")),
    }
}

impl Functions for Node {
    fn settings(&self, function: &str, qualifier: Option<&str>) -> Result<AsyncSettings, Refusal> {
        let live = self.proxy().live();
        let settings = live.config().functions.get(function).and_then(rimward_config::Function::origin);
        let (Some(settings), Some(published)) = (settings, live.functions().get(function)) else {
            return Err(unknown(function, qualifier));
        };
        published.check_release(qualifier).map_err(|not| not_released(&not, function, qualifier))?;
        let settings = settings.asynchronous.clone();
        let destination = |destination: Destination| match destination {
            Destination::Function(name) => rimward_invoke::Destination::Function(name.to_string()),
            Destination::Url(url) => rimward_invoke::Destination::Http(url),
            Destination::Folder(folder) => rimward_invoke::Destination::Folder(folder),
        };
        Ok(AsyncSettings {
            retries: settings.retries,
            max_age: settings.max_age,
            on_success: settings.on_success.map(destination),
            on_failure: settings.on_failure.map(destination),
        })
    }

    fn invocation_id(&self) -> String {
        self.setup.engines.sandbox.invocation_id()
    }

    async fn run(&self, invocation: Invocation<'_>) -> Result<Ran, NotRun> {
        let (live, Invocation { function: name, qualifier, .. }) = (self.proxy().live(), invocation);
        let found = live.functions().released(live.config(), &self.setup.engines, name, qualifier).await;
        let function = found.map_err(|not| NotRun::Refused(not_released(&not, name, qualifier)))?;
        let ran = function.invoke_json(invocation.id, invocation.payload, invocation.client_context).await;
        if let Some(throttled) = ran.result.as_ref().err().and_then(throttled) {
            return Err(NotRun::Throttled(throttled));
        }
        let log = ran.log_lines();
        for line in &ran.logs {
            tracing::info!(target: "function", function = invocation.function, invocation = invocation.id, "{}", OneLine(line));
        }
        if let Err(failure) = &ran.result {
            tracing::warn!(target: "function", function = invocation.function, invocation = invocation.id, "{}", OneLine(failure));
        }
        let version = ran.version().clone();
        let error = ran.error_json();
        Ok(Ran { result: ran.result.map_err(|_| error.unwrap_or_default()), version, log })
    }

    async fn post(&self, url: &str, record: String) -> Result<(), Undelivered> {
        let refused = |why: &dyn std::fmt::Display| Undelivered(why.to_string());
        let url: OriginUrl = url.parse().map_err(|error| refused(&error))?;
        let OriginUrl::Http { tls, host, port, path } = url else { return Err(refused(&"not an HTTP URL")) };
        let origin = Origin::new("destination", OriginUrl::Http { tls, host, port, path: String::new() });
        let mut head = RequestHead::get(if path.is_empty() { "/" } else { &path });
        head.method = http::Method::POST;
        head.headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
        let answer = self.setup.origins.fetch(&origin, head, record.into()).await.map_err(|error| refused(&error))?;
        if answer.head.status.is_success() {
            Ok(())
        } else {
            Err(refused(&format!("the destination answered {}", answer.head.status)))
        }
    }
}

/// Which limit kept a call from running.
fn throttled(failure: &Failure) -> Option<Throttled> {
    match failure {
        Failure::Throttled(Throttle::Concurrency(_)) => Some(Throttled::Function),
        Failure::Throttled(Throttle::Instances(_)) => Some(Throttled::Node),
        Failure::Init(cause) => throttled(cause),
        _ => None,
    }
}
