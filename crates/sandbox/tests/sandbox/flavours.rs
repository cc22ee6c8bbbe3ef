//! Both flavours of export.

use std::time::Duration;

use http::HeaderValue;
use rimward_event::BodyChange;
use rimward_event::lambda::{CustomOrigin, LambdaOrigin, Outcome, Protocol, SslProtocol};
use rimward_sandbox::{Failure, Flavour, Spec};
use rimward_types::Hook;

use crate::support::{event, head, probe_with, publish, repository, sandbox};

fn app() -> LambdaOrigin {
    LambdaOrigin::Custom(CustomOrigin {
        domain_name: "app".to_owned(),
        path: String::new(),
        custom_headers: Vec::new(),
        port: 80,
        protocol: Protocol::Http,
        keepalive_timeout: Duration::from_secs(5),
        read_timeout: Duration::from_secs(30),
        completion_timeout: None,
        ssl_protocols: vec![SslProtocol::TlsV1_2],
    })
}

#[tokio::test]
async fn a_json_function_sees_the_event_and_may_leave_the_request_as_it_is() {
    let function = probe_with(|_| {}).await;
    let mut request = head("/echo?a=1&b=%20");
    request.headers.append("x-many", HeaderValue::from_static("1"));
    request.headers.append("x-many", HeaderValue::from_static("2"));
    let origin = app();
    for hook in [Hook::ViewerRequest, Hook::OriginRequest] {
        assert_eq!(function.flavour(hook), Some(Flavour::Lambda));
        let mut event = event(hook, &request);
        event.origin = Some(&origin);
        let outcome = function.invoke(&event).await.result.unwrap();
        let Outcome::Request { head, body, origin } = outcome else { panic!("not a request") };
        assert_eq!((head.path_and_query(), head.headers), (request.path_and_query(), request.headers.clone()));
        assert_eq!((body, origin), (BodyChange::Keep, None));
    }
}

#[tokio::test]
async fn the_typed_sample_chooses_the_origin() {
    let component = std::fs::read(repository("edge-functions/origin/origin-select/function.wasm")).unwrap();
    assert!(component.len() < 64 << 10, "{} bytes", component.len());
    let function = publish(&sandbox(), Spec::new("origin-select", component)).await;
    assert_eq!(function.flavour(Hook::OriginRequest), Some(Flavour::Typed));
    let origin = app();
    for (path, header, expected) in [
        ("/select/page", None, None),
        ("/select/page", Some("beta"), Some("beta")),
        ("/select/page", Some("app"), None),
        ("/select/page", Some("intranet"), None),
        ("/select/beta/page", None, Some("beta")),
        ("/select/beta/page", Some("app"), None),
    ] {
        let mut request = head(path);
        if let Some(name) = header {
            request.headers.insert("x-origin", HeaderValue::from_static(name));
        }
        let mut event = event(Hook::OriginRequest, &request);
        event.origin = Some(&origin);
        let outcome = function.invoke(&event).await.result.unwrap();
        let Outcome::Request { head, origin, .. } = outcome else { panic!("not a request") };
        assert_eq!(head.headers, request.headers);
        assert_eq!(origin.as_ref().map(|origin| origin.domain_name()), expected, "{path} {header:?}");
    }
}

#[tokio::test]
async fn a_hook_without_a_handler_is_known_before_the_call() {
    let component = std::fs::read(repository("edge-functions/origin/origin-select/function.wasm")).unwrap();
    let function = publish(&sandbox(), Spec::new("origin-select", component)).await;
    assert_eq!(function.flavour(Hook::OriginResponse), None);
    let request = head("/");
    let failed = function.invoke(&event(Hook::OriginResponse, &request)).await.result.unwrap_err();
    assert_eq!(failed, Failure::NoHandler(Hook::OriginResponse));
    // A handler that refuses its hook says so itself.
    let failed = function.invoke(&event(Hook::ViewerRequest, &request)).await.result.unwrap_err();
    assert!(matches!(failed, Failure::Error(_)), "{failed}");
}

/// `lambda-at-edge.md` section 14: a direct invocation takes any JSON and its result is not held against an event.
#[tokio::test]
async fn a_json_function_takes_any_payload_directly() {
    let function = probe_with(|_| {}).await;
    let payload = r#"{"uri":"/context"}"#;
    let invocation = function.invoke_json("my-id", payload, Some(r#"{"custom":{"a":"b"}}"#)).await;
    let result: serde_json::Value = serde_json::from_str(invocation.result.as_ref().unwrap()).unwrap();
    let context: serde_json::Value = serde_json::from_str(result["body"].as_str().unwrap()).unwrap();
    assert_eq!((&context["awsRequestId"], &context["clientContext"]["custom"]["a"]), (&"my-id".into(), &"b".into()));
    assert!(invocation.log_lines()[0].starts_with("START RequestId: my-id "));
    // Nonsense is a result here; at an edge hook it is none.
    assert_eq!(function.invoke_json("id", r#"{"uri":"/nonsense"}"#, None).await.result.unwrap(), "not JSON");
    let failed = function.invoke_json("id", r#"{"uri":"/error"}"#, None).await;
    assert_eq!(failed.error_json().unwrap()["errorType"], "TypeError");
}

#[tokio::test]
async fn a_typed_function_takes_edge_events_directly_and_nothing_else() {
    let folder = repository("edge-functions/origin/origin-select");
    let component = std::fs::read(folder.join("function.wasm")).unwrap();
    let function = publish(&sandbox(), Spec::new("origin-select", component)).await;
    let event = std::fs::read_to_string(folder.join("events/app-by-default.json")).unwrap();
    let result = function.invoke_json("id", &event, None).await.result.unwrap();
    let result: serde_json::Value = serde_json::from_str(&result).unwrap();
    assert!(result["uri"].is_string() && result["headers"].is_object(), "{result}");
    let failed = function.invoke_json("id", "{}", None).await;
    assert_eq!(failed.error_json().unwrap()["errorType"], "InvalidEvent");
}
