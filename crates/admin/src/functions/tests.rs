//! `cloudfront-functions.md` sections 15 and 16.

#![allow(clippy::unwrap_used)]

use crate::tests::{Fake, ask_with};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rimward_types::Body;
use serde_json::{Value, json};

/// Status, ETag and body.
async fn ask(method: &str, path: &str, if_match: Option<&str>, body: &str) -> (u16, String, String) {
    let mut headers = vec![("content-type", "application/json")];
    headers.extend(if_match.map(|tag| ("if-match", tag)));
    let body = if body.is_empty() { Body::Empty } else { body.to_owned().into() };
    let answer = ask_with(Fake::default(), method, path, &headers, body).await;
    let etag = answer.head.header("etag").unwrap_or_default().to_owned();
    (answer.head.status.as_u16(), etag, answer.body)
}

fn parsed(body: &str) -> Value {
    serde_json::from_str(body).unwrap()
}

#[tokio::test]
async fn each_stage_has_its_code_and_its_etag() {
    assert_eq!(ask("GET", "/functions/f", None, "").await, (200, "\"E1\"".to_owned(), "code".to_owned()));
    assert_eq!(ask("GET", "/functions/f?Stage=LIVE", None, "").await.1, "\"E2\"");
    assert_eq!(ask("GET", "/functions/f?Stage=TEST", None, "").await.0, 400);
    assert_eq!(ask("GET", "/functions/g", None, "").await.0, 404);
    let (_, _, body) = ask("GET", "/functions/f/describe?Stage=LIVE", None, "").await;
    let summary = parsed(&body);
    assert_eq!(summary["FunctionMetadata"]["Stage"], "LIVE");
    assert_eq!(summary["FunctionConfig"]["Runtime"], "cloudfront-js-2.0");
    assert_eq!(summary["FunctionConfig"]["KeyValueStoreAssociations"]["Quantity"], 1);
    assert_eq!((&summary["Source"], &summary["Earlier"]), (&"file".into(), &json!([null])));
    let versions = json!([{ "Number": 2, "Version": "ab", "Since": "2026-01-16T01:02:03.456Z" }]);
    assert_eq!((&summary["Number"], &summary["Versions"]), (&json!(2), &versions));
}

#[tokio::test]
async fn update_and_publish_need_the_etag_of_development() {
    for (method, path) in [("PUT", "/functions/f"), ("POST", "/functions/f/publish")] {
        let (status, _, body) = ask(method, path, None, "").await;
        assert_eq!((status, &parsed(&body)["error"]), (400, &"`If-Match` is missing".into()), "{path}");
        assert_eq!(ask(method, path, Some("E9"), "").await.0, 412, "{path}");
        for tag in ["*", "E1", "\"E1\""] {
            assert_eq!(ask(method, path, Some(tag), "").await.0, 200, "{path} {tag}");
        }
    }
    assert_eq!(ask("POST", "/functions/f/publish", Some("*"), "").await.1, "\"E2\"", "of LIVE");
}

#[tokio::test]
async fn code_that_does_not_compile_is_told_and_changes_nothing() {
    let (status, _, body) = ask("PUT", "/functions/f", Some("*"), "bad").await;
    assert_eq!((status, &parsed(&body)["error"]), (422, &"SyntaxError: no".into()));
}

#[tokio::test]
async fn each_function_says_how_large_its_code_may_be() {
    let code = "x".repeat((1 << 20) + 1);
    assert_eq!(ask("PUT", "/functions/f", Some("*"), &code).await.0, 413);
    assert_eq!(
        ask("PUT", "/functions/large", Some("*"), &code).await.0,
        404,
        "it is read, and there is no such function"
    );
}

#[tokio::test]
async fn a_rollback_may_say_where_to() {
    assert_eq!(ask("POST", "/functions/f/rollback", None, "").await.0, 200);
    assert_eq!(ask("POST", "/functions/f/rollback", None, r#"{"To":"file"}"#).await.0, 200);
    assert_eq!(ask("POST", "/functions/f/rollback", None, r#"{"To":"none"}"#).await.0, 409);
    assert_eq!(ask("POST", "/functions/f/rollback", None, r#"{"Too":"none"}"#).await.0, 400);
}

#[tokio::test]
async fn the_test_operation_takes_json_or_base64_and_has_the_vendors_shape() {
    let event = r#"{"version":"1.0"}"#;
    let (status, _, body) = ask("POST", "/functions/f/test", None, &format!(r#"{{"EventObject":{event}}}"#)).await;
    let result = parsed(&body);
    assert_eq!((status, &result["FunctionOutput"]), (200, &format!("{event} false").into()));
    assert_eq!(result["FunctionSummary"]["FunctionMetadata"]["Stage"], "DEVELOPMENT");
    assert_eq!((&result["ComputeUtilization"], &result["FunctionExecutionLogs"]), (&"21".into(), &json!(["line"])));
    let request = json!({ "Stage": "LIVE", "EventObject": STANDARD.encode(event), "AsVendor": true });
    let result = parsed(&ask("POST", "/functions/f/test", None, &request.to_string()).await.2);
    assert_eq!(result["FunctionOutput"], format!("{event} true"));
    let large = json!({ "EventObject": { "a": "x".repeat(super::EVENT) } });
    assert_eq!(ask("POST", "/functions/f/test", None, &large.to_string()).await.0, 400);
    assert_eq!(ask("POST", "/functions/f/test", None, r#"{"EventObject":"?"}"#).await.0, 400);
    assert_eq!(ask("POST", "/functions/f/other", None, "").await.0, 404);
    assert_eq!(ask("GET", "/functions/f/test", None, "").await.0, 405);
}
