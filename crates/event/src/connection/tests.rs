#![allow(clippy::unwrap_used)]
use super::*;

const EVENT: &str = r#"{
    "clientCertificate": { "certificates": { "leaf": {
        "serialNumber": "4a:3f", "issuer": "CN=CA", "subject": "CN=a",
        "validity": { "notBefore": "2020-01-02T00:00:00Z", "notAfter": "2999-01-01T00:00:00Z" },
        "sha256Fingerprint": "01fb"
    } } },
    "clientIp": "203.0.113.7", "endpoint": "d1.example.net", "distributionId": "E1", "connectionId": "c1"
}"#;

fn wire(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    OwnedConnection::from_json(text).unwrap().encode(&mut bytes);
    bytes
}

/// cloudfront-functions.md section 13.
#[test]
fn a_test_event_and_a_connection_are_the_same_on_the_wire() {
    let certificate = ViewerCertificate {
        der: bytes::Bytes::new(),
        serial: "4a:3f".into(),
        issuer: "CN=CA".into(),
        subject: "CN=a".into(),
        not_before: "2020-01-02T00:00:00Z".into(),
        not_after: "2999-01-01T00:00:00Z".into(),
        sha256: "01fb".into(),
    };
    let connected = Connected {
        certificate: Some(&certificate),
        client_ip: "203.0.113.7",
        endpoint: "d1.example.net",
        distribution_id: "E1",
        connection_id: "c1",
    };
    let mut bytes = Vec::new();
    connected.encode(&mut bytes);
    assert_eq!(bytes, wire(EVENT));
    assert!(OwnedConnection::is_one(&serde_json::from_str(EVENT).unwrap()));
}

#[test]
fn what_is_left_out_is_empty_and_without_a_certificate_there_is_none() {
    for text in ["{}", r#"{"clientCertificate":null}"#] {
        let bytes = wire(text);
        let event = ConnectionEvent::read(&bytes).unwrap();
        assert_eq!(event, ConnectionEvent { client_ip: "127.0.0.1", ..ConnectionEvent::default() });
    }
    let bytes = wire(r#"{"clientCertificate":{"certificates":{"leaf":{}}}}"#);
    assert_eq!(ConnectionEvent::read(&bytes).unwrap().certificate, Some(Certificate::default()));
    assert!(!OwnedConnection::is_one(&json!({ "version": "1.0", "request": {}, "viewer": { "ip": "::1" } })));
}

#[test]
fn a_wrong_member_is_named() {
    for (text, place) in [
        (r#"{"clientIp":1}"#, "clientIp"),
        (r#"{"clientCertificate":{}}"#, "clientCertificate.certificates.leaf"),
        (
            r#"{"clientCertificate":{"certificates":{"leaf":{"validity":{"notAfter":0}}}}}"#,
            "clientCertificate.certificates.leaf.validity.notAfter",
        ),
        ("[]", "event"),
    ] {
        let error = OwnedConnection::from_json(text).unwrap_err().to_string();
        assert!(error.contains(place), "{text}: {error}");
    }
}

/// cloudfront-functions.md section 13: neither called is denied; 800 bytes of custom data, whatever the guest says.
#[test]
fn a_decision_is_read() {
    for (decision, allowed) in [(None, false), (Some(Decision::Allow), true), (Some(Decision::Deny), false)] {
        let decided = decode(&Reply::Connection { decision, custom_data: None }).unwrap();
        assert_eq!(decided, Decided { allowed, custom_data: None });
    }
    let long = "é".repeat(500);
    let decided = decode(&Reply::Connection { decision: Some(Decision::Deny), custom_data: Some(&long) }).unwrap();
    assert_eq!(decided.custom_data.as_deref().map(str::len), Some(800));
    let output = decided_to_json(&Decided { allowed: true, custom_data: Some("x".into()) });
    assert_eq!(output, json!({ "connection": { "decision": "allow", "connectionLogCustomData": "x" } }));
    let threw = decode(&Reply::Failed { failure: Failure::Execution, message: "Error: no", line: 1, column: 2 });
    assert!(matches!(threw, Err(Invalid::Threw { line: 1, .. })));
}
