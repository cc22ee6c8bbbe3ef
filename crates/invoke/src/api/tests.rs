#![allow(clippy::unwrap_used)]

use super::*;
use crate::functions::{AsyncSettings, Throttled, Undelivered};
use crate::queue::Bounds;
use http::Method;
use parking_lot::Mutex;
use rimward_types::SystemClock;

/// A node with one function, `echo`, which returns its event; others are what their names say.
#[derive(Default)]
struct Play {
    contexts: Mutex<Vec<Option<String>>>,
}

impl Functions for Play {
    fn settings(&self, function: &str, qualifier: Option<&str>) -> Result<AsyncSettings, Refusal> {
        let known = ["echo", "throws", "busy", "crowded", "large"].contains(&function);
        match qualifier {
            None | Some("$LATEST" | "7") if known => Ok(AsyncSettings::default()),
            _ if function == "broken" => Err(Refusal::InvalidRuntime("it does not compile".to_owned())),
            _ => Err(Refusal::NotFound(function.to_owned())),
        }
    }

    fn invocation_id(&self) -> String {
        "0d3b".to_owned()
    }

    async fn run(&self, invocation: Invocation<'_>) -> Result<Ran, NotRun> {
        self.contexts.lock().push(invocation.client_context.map(str::to_owned));
        let ran = |result| Ok(Ran { result, version: "7".into(), log: vec!["START".into(), "é".repeat(3000)] });
        match invocation.function {
            "throws" => ran(Err(json!({ "errorType": "TypeError", "errorMessage": "x" }))),
            "busy" => Err(NotRun::Throttled(Throttled::Function)),
            "crowded" => Err(NotRun::Throttled(Throttled::Node)),
            "large" => ran(Ok(format!("\"{}\"", "x".repeat(RESULT_LIMIT)))),
            _ => ran(Ok(invocation.payload.to_owned())),
        }
    }

    async fn post(&self, _: &str, _: String) -> Result<(), Undelivered> {
        Ok(())
    }
}

struct Stage {
    api: Api<Play>,
    queue: Arc<Queue>,
    play: Arc<Play>,
    _folder: tempfile::TempDir,
}

fn stage(bounds: Bounds) -> Stage {
    let folder = tempfile::tempdir().unwrap();
    let queue = Arc::new(Queue::open(folder.path(), bounds, Arc::new(SystemClock)).unwrap());
    let play = Arc::new(Play::default());
    Stage { api: Api::new(play.clone(), Some(queue.clone())), queue, play, _folder: folder }
}

struct Got {
    status: u16,
    head: ResponseHead,
    body: String,
}

impl Got {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.headers.get(name).map(|value| value.to_str().unwrap())
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

impl Stage {
    async fn post(&self, target: &str, headers: &[(&'static str, &str)], body: impl Into<String>) -> Got {
        let mut head = RequestHead::get(&format!("{PREFIX}{target}"));
        head.method = Method::POST;
        for (name, value) in headers {
            head.headers.insert(*name, value.parse().unwrap());
        }
        let (head, body) = self.api.call(&head, body.into().into()).await;
        let body = String::from_utf8(body.collect(u64::MAX).await.unwrap().to_vec()).unwrap();
        assert_eq!(head.headers.get("x-amzn-requestid").unwrap(), "0d3b");
        Got { status: head.status.as_u16(), head, body }
    }

    async fn invoke(&self, function: &str, headers: &[(&'static str, &str)], body: impl Into<String>) -> Got {
        self.post(&format!("{function}/invocations"), headers, body).await
    }
}

/// lambda-at-edge.md 14.
#[tokio::test]
async fn a_result_is_the_body_and_the_headers_tell_how_it_came_about() {
    let stage = stage(Bounds::default());
    let got = stage.invoke("echo", &[], r#"{"a":1}"#).await;
    assert_eq!((got.status, &*got.body), (200, r#"{"a":1}"#));
    assert_eq!(got.header("x-amz-executed-version"), Some("$LATEST"));
    assert_eq!((got.header("x-amz-function-error"), got.header("x-amz-log-result")), (None, None));
    let got = stage.post("echo/invocations?Qualifier=7", &[], "").await;
    assert_eq!((got.header("x-amz-executed-version"), &*got.body), (Some("7"), "{}"));
}

/// lambda-at-edge.md 14.
#[tokio::test]
async fn the_error_of_a_function_is_a_result_with_status_200() {
    let got = stage(Bounds::default()).invoke("throws", &[], "null").await;
    assert_eq!((got.status, got.header("x-amz-function-error")), (200, Some("Unhandled")));
    assert_eq!(got.json()["errorType"], "TypeError");
    let got = stage(Bounds::default()).invoke("large", &[], "null").await;
    assert_eq!((got.status, got.header("x-amz-function-error")), (200, Some("Unhandled")));
    assert_eq!(got.json()["errorType"], "Function.ResponseSizeTooLarge");
}

/// lambda-at-edge.md 14.
#[tokio::test]
async fn the_tail_of_the_log_has_at_most_4_kb_of_whole_characters() {
    let got = stage(Bounds::default()).invoke("echo", &[("x-amz-log-type", "Tail")], "1").await;
    let log = String::from_utf8(STANDARD.decode(got.header("x-amz-log-result").unwrap()).unwrap()).unwrap();
    assert!(log.len() <= TAIL && log.len() > TAIL - 4 && log.starts_with('é') && log.ends_with("é\n"), "{}", log.len());
    assert_eq!(tail(&["short".to_owned()]), "short\n");
}

/// lambda-at-edge.md 14.
#[tokio::test]
async fn a_dry_run_tells_whether_it_could_run_and_runs_nothing() {
    let stage = stage(Bounds::default());
    let got = stage.invoke("echo", &[("x-amz-invocation-type", "DryRun")], "1").await;
    assert_eq!((got.status, &*got.body, got.header("content-length")), (204, "", None));
    assert_eq!(stage.invoke("nobody", &[("x-amz-invocation-type", "DryRun")], "1").await.status, 404);
    assert!(stage.play.contexts.lock().is_empty());
}

/// lambda-at-edge.md 14 and 14.1.
#[tokio::test]
async fn an_event_is_accepted_and_kept() {
    let stage = stage(Bounds::default());
    let got = stage.invoke("echo", &[("x-amz-invocation-type", "Event")], "1").await;
    assert_eq!((got.status, &*got.body), (202, ""));
    assert_eq!(stage.queue.usage().events, 1);
    assert!(stage.play.contexts.lock().is_empty());
    assert_eq!(stage.invoke("nobody", &[("x-amz-invocation-type", "Event")], "1").await.status, 404);
}

/// lambda-at-edge.md 14.
#[tokio::test]
async fn the_client_context_reaches_the_function() {
    let stage = stage(Bounds::default());
    let context = STANDARD.encode(r#"{"custom":{"a":"b"}}"#);
    stage.invoke("echo", &[("x-amz-client-context", &context)], "1").await;
    assert_eq!(*stage.play.contexts.lock(), [Some(r#"{"custom":{"a":"b"}}"#.to_owned())]);
}

/// lambda-at-edge.md 14.
#[tokio::test]
async fn refusals_have_the_vendors_status_type_and_shape() {
    let stage = stage(Bounds { events: 0, ..Bounds::default() });
    let event = [("x-amz-invocation-type", "Event")];
    let large = format!("\"{}\"", "x".repeat(1 << 20));
    let huge = format!("\"{}\"", "x".repeat(6 << 20));
    for (function, headers, body, status, kind) in [
        ("nobody", &[][..], "{}", 404, "ResourceNotFoundException"),
        ("echo:8", &[][..], "{}", 404, "ResourceNotFoundException"),
        ("broken", &[][..], "{}", 502, "InvalidRuntimeException"),
        ("echo", &[][..], "{", 400, "InvalidRequestContentException"),
        ("echo", &[("x-amz-invocation-type", "Later")][..], "{}", 400, "InvalidParameterValueException"),
        ("a/b", &[][..], "{}", 400, "InvalidParameterValueException"),
        ("echo", &[][..], &huge, 413, "RequestTooLargeException"),
        ("echo", &event[..], &large, 413, "RequestTooLargeException"),
        ("echo", &event[..], "{}", 429, "TooManyRequestsException"),
        ("busy", &[][..], "{}", 429, "TooManyRequestsException"),
        ("crowded", &[][..], "{}", 429, "TooManyRequestsException"),
    ] {
        let got = stage.invoke(function, headers, body).await;
        assert_eq!((got.status, got.header("x-amzn-errortype")), (status, Some(kind)), "{function}: {}", got.body);
        assert_eq!(got.json()["Type"], if status >= 500 { "Service" } else { "User" });
        assert!(got.json()["Message"].is_string());
        assert_eq!(got.header("retry-after").is_some(), status == 429);
    }
    let reason = async |function| stage.invoke(function, &[], "1").await.json()["Reason"].clone();
    assert_eq!(reason("busy").await, "ReservedFunctionConcurrentInvocationLimitExceeded");
    assert_eq!(reason("crowded").await, "ConcurrentInvocationLimitExceeded");
    // One megabyte is enough for an event, and no more than that for a result that is waited for.
    assert_eq!(stage.invoke("echo", &[], large).await.status, 200);
}
