use super::*;
use serde_json::json;

fn check(expected: Value, actual: Value) -> Vec<String> {
    let expectation = Expectation::from_json(&expected.to_string()).unwrap();
    expectation.check(Ok(&actual)).iter().map(Mismatch::to_string).collect()
}

#[test]
fn only_what_is_named_is_compared() {
    let output = json!({ "request": { "uri": "/a", "headers": { "x": { "value": "1" } } } });
    assert!(check(json!({ "request": {} }), output.clone()).is_empty());
    assert!(check(json!({ "request": { "uri": "/a", "headers": { "y": null } } }), output.clone()).is_empty());
    assert_eq!(
        check(json!({ "request": { "uri": "/b", "headers": { "x": null, "y": { "value": "1" } } } }), output.clone()),
        [
            r#"request.uri: expected "/b", got "/a""#,
            r#"request.headers.x: expected nothing, got {"value":"1"}"#,
            r#"request.headers.y: expected {"value":"1"}, got nothing"#,
        ]
    );
    assert_eq!(check(json!({ "response": {} }), output), ["response: expected {}, got nothing"]);
}

#[test]
fn arrays_have_the_same_length() {
    let output = json!({ "response": { "via": [{ "key": "Via", "value": "1" }] } });
    assert!(check(json!({ "response": { "via": [{ "value": "1" }] } }), output.clone()).is_empty());
    assert_eq!(check(json!({ "response": { "via": [{ "value": "2" }] } }), output.clone()).len(), 1);
    assert_eq!(check(json!({ "response": { "via": [] } }), output).len(), 1);
}

#[test]
fn a_failure_can_be_what_is_expected() {
    let expectation = Expectation::from_json(r#"{"error":"validation"}"#).unwrap();
    assert!(expectation.check(Err((ExpectedError::Validation, "x"))).is_empty());
    let came = expectation.check(Err((ExpectedError::Execution, "TypeError: x")));
    assert_eq!(came[0].to_string(), "result: expected validation error, got execution error: TypeError: x");
    assert_eq!(expectation.check(Ok(&json!({ "request": {} })))[0].actual, "a request");
    assert_eq!(ExpectedError::of(FailureCategory::FunctionThrottled), ExpectedError::Execution);
    assert_eq!(ExpectedError::of(FailureCategory::LambdaValidation), ExpectedError::Validation);
}

#[test]
fn an_expectation_has_exactly_one_member() {
    for text in
        ["", "[]", "{}", r#"{"request":{},"response":{}}"#, r#"{"error":"x"}"#, r#"{"request":1}"#, r#"{"a":{}}"#]
    {
        assert!(Expectation::from_json(text).is_err(), "{text}");
    }
}
