//! What a function is told (`lambda-at-edge.md` sections 4 and 11.2).

use crate::support::{body, call, probe_with};

/// lambda-at-edge.md 11.2.
#[tokio::test]
async fn reserved_and_configured_variables_are_there_and_the_nodes_own_are_not() {
    let function = probe_with(|spec| spec.environment.push(("QUALITY".into(), "80".into()))).await;
    let environment = body(&function, "/environment").await;
    for line in [
        "QUALITY=80",
        "AWS_LAMBDA_FUNCTION_NAME=us-east-1.probe",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128",
        "AWS_REGION=us-east-1",
        "TZ=:UTC",
    ] {
        assert!(environment.lines().any(|is| is == line), "{line} in {environment}");
    }
    assert!(!environment.contains("CARGO") && !environment.contains("HOME="), "{environment}");
}

/// lambda-at-edge.md 4.
#[tokio::test]
async fn the_context_names_the_invocation_and_its_deadline() {
    let function = probe_with(|_| {}).await;
    let invocation = call(&function, "/context").await;
    let context: serde_json::Value = serde_json::from_str(&crate::support::body_of(&invocation)).unwrap();
    assert_eq!(context["awsRequestId"], invocation.id);
    assert_eq!(context["functionVersion"], "$LATEST");
    assert!(context["deadlineMs"].as_u64().unwrap() > 1_700_000_000_000);
}
