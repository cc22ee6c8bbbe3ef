use super::*;

#[test]
fn a_fixture_needs_its_hook_and_a_request() {
    for (text, member) in [
        ("{}", "Records[0].cf"),
        (r#"{"Records":[{"cf":{}}]}"#, "config.eventType"),
        (r#"{"Records":[{"cf":{"config":{"eventType":"origin-request"}}}]}"#, "request"),
        (r#"{"Records":[{"cf":{"config":{"eventType":"origin-request"},"request":{"uri":"/"}}}]}"#, "request.method"),
        (
            r#"{"Records":[{"cf":{"config":{"eventType":"origin-response"},"request":{"method":"GET","uri":"/"}}}]}"#,
            "response",
        ),
    ] {
        match event_from_json(text) {
            Err(InvalidEvent::Shape { member: found, .. }) => assert_eq!(found, member, "{text}"),
            other => panic!("{text}: {other:?}"),
        }
    }
    let bad = r#"{"Records":[{"cf":{"config":{"eventType":"viewer-request"},"request":{"method":"GET","uri":"/","headers":{"a":"b"}}}}]}"#;
    let error = event_from_json(bad).unwrap_err().to_string();
    assert_eq!(error, "request.headers.a must be an array");
}

#[test]
fn a_replaced_body_is_shown() {
    let text = r#"{"Records":[{"cf":{"config":{"eventType":"origin-response"},"request":{"method":"GET","uri":"/"},"response":{"status":"404"}}}]}"#;
    let event = event_from_json(text).unwrap();
    let head = ResponseHead::new(StatusCode::NOT_FOUND);
    let json = outcome_to_json(&event.as_event(), &Outcome::Response(head.clone(), BodyChange::Replace("hi".into())));
    let expected = r#"{"response":{"status":"404","statusDescription":"Not Found","headers":{},"bodyEncoding":"text","body":"hi"}}"#;
    assert_eq!(json.to_string(), expected);
    let binary = BodyChange::Replace(Bytes::from_static(b"\xff"));
    let json = outcome_to_json(&event.as_event(), &Outcome::Response(head, binary));
    assert_eq!((&json["response"]["bodyEncoding"], &json["response"]["body"]), (&json!("base64"), &json!("/w==")));
}
