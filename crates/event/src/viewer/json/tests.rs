use super::*;
use proptest::prelude::*;
use rimward_wire::event::Event;

const EVENT: &str = r#"{
  "version": "1.0",
  "context": { "distributionDomainName": "d111111abcdef8.cloudfront.net", "distributionId": "EDFDVBD6EXAMPLE",
               "eventType": "viewer-response", "requestId": "EXAMPLEntjQpEXAMPLE_SG5Z-EXAMPLEPmPfEXAMPLEu3EqEXAMPLE==" },
  "viewer": { "ip": "198.51.100.11" },
  "request": { "method": "GET", "uri": "/media/index.mpd",
    "querystring": { "ID": { "value": "42" }, "Exp": { "value": "1619740800" }, "TTL": { "value": "1440" }, "NoValue": { "value": "" },
                     "querymv": { "value": "val1", "multiValue": [ { "value": "val1" }, { "value": "val2,val3" } ] } },
    "headers": { "host": { "value": "video.example.com" }, "user-agent": { "value": "curl/7.64.1" },
                 "accept": { "value": "application/json", "multiValue": [ { "value": "application/json" }, { "value": "text/html" } ] } },
    "cookies": { "id": { "value": "CookieIdValue" }, "loggedIn": { "value": "false" } } },
  "response": { "statusCode": 200, "statusDescription": "OK",
    "headers": { "date": { "value": "Mon, 04 Apr 2021 18:57:56 GMT" }, "content-type": { "value": "text/html" } },
    "cookies": { "ID": { "value": "id1234", "attributes": "Expires=Wed, 05 Apr 2021 07:28:00 GMT" },
                 "Cookie1": { "value": "val1", "attributes": "Secure; Path=/",
                              "multiValue": [ { "value": "val1", "attributes": "Secure; Path=/" }, { "value": "val2", "attributes": "Path=/cat" } ] } } }
}"#;

/// cloudfront-functions.md section 3.
#[test]
fn the_vendor_s_event_comes_back_as_it_was() {
    let event = event_from_json(EVENT).unwrap();
    assert_eq!(event.hook, Hook::ViewerResponse);
    let back = event_to_json(&event.context(), &event.request, event.response.as_ref());
    assert_eq!(back, serde_json::from_str::<Value>(EVENT).unwrap());
    assert_eq!(
        event.request.query.as_deref(),
        Some("ID=42&Exp=1619740800&TTL=1440&NoValue&querymv=val1&querymv=val2,val3")
    );
    assert_eq!(event.request.header("cookie"), Some("id=CookieIdValue; loggedIn=false"));
    let mut bytes = Vec::new();
    event.encode(&mut bytes);
    let wire = Event::read(&bytes).unwrap();
    assert_eq!(wire.request.headers.len(), 4);
    assert_eq!(wire.response.unwrap().cookies[2].attributes, Some("Path=/cat"));
}

/// cloudfront-functions.md section 16: empty objects are included.
#[test]
fn an_output_has_exactly_one_member() {
    let request = RequestHead::get("/a");
    let output = outcome_to_json(&Outcome::Request(request, None));
    let expected = r#"{"request":{"method":"GET","uri":"/a","querystring":{},"headers":{},"cookies":{}}}"#;
    assert_eq!(output.to_string(), expected);
    let mut head = ResponseHead::new(StatusCode::FOUND);
    head.headers.insert(CONTENT_LENGTH, HeaderValue::from_static("2"));
    let output = outcome_to_json(&Outcome::Response(head, BodyChange::Replace("hi".into())));
    let expected = r#"{"response":{"statusCode":302,"statusDescription":"Found","headers":{},"cookies":{},"body":{"encoding":"text","data":"hi"}}}"#;
    assert_eq!(output.to_string(), expected);
}

#[test]
fn an_event_needs_method_uri_and_what_its_hook_has() {
    let smallest = r#"{"request":{"method":"GET","uri":"/"}}"#;
    assert_eq!(event_from_json(smallest).unwrap().hook, Hook::ViewerRequest);
    for (text, member) in [
        ("{}", "request"),
        (r#"{"request":{"uri":"/"}}"#, "request.method"),
        (r#"{"request":{"method":"GET","uri":"a"}}"#, "request.uri"),
        (r#"{"request":{"method":"GET","uri":"/","headers":{"a":"b"}}}"#, "request.headers.a"),
        (r#"{"context":{"eventType":"viewer-response"},"request":{"method":"GET","uri":"/"}}"#, "response"),
        (r#"{"context":{"eventType":"origin-request"},"request":{"method":"GET","uri":"/"}}"#, "context.eventType"),
        (r#"{"request":{"method":"GET","uri":"/"},"response":{"statusCode":"200"}}"#, "response.statusCode"),
    ] {
        match event_from_json(text) {
            Err(InvalidEvent::Shape { member: found, .. }) => assert_eq!(found, member, "{text}"),
            other => panic!("{text}: {other:?}"),
        }
    }
    assert!(matches!(event_from_json("{"), Err(InvalidEvent::Json(_))));
}

/// JSON values of a few levels, with names that mean something now and then.
pub(crate) fn any_json() -> impl Strategy<Value = Value> {
    const NAMES: [&str; 16] = [
        "request",
        "response",
        "headers",
        "status",
        "statusCode",
        "uri",
        "method",
        "querystring",
        "body",
        "value",
        "key",
        "host",
        "origin",
        "custom",
        "cookies",
        "multiValue",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (100u64..700).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        prop::sample::select(vec!["/", "GET", "200", "text", "base64", "x"]).prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        let name = prop_oneof![prop::sample::select(NAMES.to_vec()).prop_map(str::to_owned), any::<String>()];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..6).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_json_panics(value in any_json(), request in any_json()) {
        let _ = event_from_json(&value.to_string());
        let event = json!({ "request": request, "response": value });
        if let Ok(event) = event_from_json(&event.to_string()) {
            event.encode(&mut Vec::new());
        }
    }
}
