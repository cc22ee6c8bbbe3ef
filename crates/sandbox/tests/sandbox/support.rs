//! What the tests share.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use http::HeaderValue;
use rimward_event::lambda::{LambdaEvent, Outcome};
use rimward_event::{BodyChange, ViewerContext};
use rimward_sandbox::{Failure, Function, Invocation, Options, PublishError, Sandbox, Spec};
use rimward_types::{Hook, RequestHead};

/// A sandbox with room for 16 instances, and compiled code that tests share.
pub(crate) fn sandbox() -> Sandbox {
    Sandbox::start(options()).unwrap()
}

pub(crate) fn options() -> Options {
    let cache = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("sandbox-code");
    Options { code_cache: Some(cache), instances: 16, ..Options::default() }
}

pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

pub(crate) fn probe() -> Spec {
    Spec::new("probe", std::fs::read(repository("crates/sandbox/tests/guests/probe/function.wasm")).unwrap())
}

pub(crate) async fn publish(sandbox: &Sandbox, spec: Spec) -> Arc<Function> {
    sandbox.publish(spec).await.unwrap()
}

pub(crate) async fn refusal(component: impl Into<bytes::Bytes>) -> PublishError {
    sandbox().publish(Spec::new("refused", component)).await.unwrap_err()
}

/// A function that is the probe, with a change to its spec.
pub(crate) async fn probe_with(change: impl FnOnce(&mut Spec)) -> Arc<Function> {
    let mut spec = probe();
    change(&mut spec);
    publish(&sandbox(), spec).await
}

pub(crate) fn head(path: &str) -> RequestHead {
    let mut head = RequestHead::get(path);
    head.headers.insert("host", HeaderValue::from_static("www.example.com"));
    head
}

pub(crate) fn event(hook: Hook, request: &RequestHead) -> LambdaEvent<'_> {
    let context = ViewerContext {
        distribution_domain_name: "d111111abcdef8.cloudfront.net",
        distribution_id: "EDFDVBD6EXAMPLE",
        request_id: "SOX4xwn4XV6Q4rgb7XiVGOHms_BGlTAC4KyHmureZmBNrjGdRLiNIQ==",
        viewer_ip: "203.0.113.178",
    };
    LambdaEvent { hook, context, request, body: None, origin: None, response: None }
}

/// Calls a function at origin-request.
pub(crate) async fn call(function: &Function, path: &str) -> Invocation {
    let head = head(path);
    function.invoke(&event(Hook::OriginRequest, &head)).await
}

/// The body of the response that a call gave.
pub(crate) async fn body(function: &Function, path: &str) -> String {
    body_of(&call(function, path).await)
}

pub(crate) fn body_of(invocation: &Invocation) -> String {
    match &invocation.result {
        Ok(Outcome::Response(_, BodyChange::Replace(bytes))) => String::from_utf8(bytes.to_vec()).unwrap(),
        other => panic!("{other:?}: {:?}", invocation.logs),
    }
}

pub(crate) async fn failure(function: &Function, path: &str) -> Failure {
    call(function, path).await.result.unwrap_err()
}
