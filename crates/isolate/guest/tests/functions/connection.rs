//! `cloudfront-functions.md` section 13.

use crate::harness::{Function, TERMS};
use rimward_guest::engine::{Entry, Terms, TopLevel};
use rimward_wire::{
    abi::Loaded,
    connection::{Certificate, ConnectionEvent},
    event::Event,
    reply::{Decision, Failure, Reply},
};

const CONNECTION: Terms = Terms { entry: Entry::ConnectionHandler, ..TERMS };

fn event() -> ConnectionEvent<'static> {
    let certificate = Certificate {
        serial_number: "4a:3f:5c",
        issuer: "CN=Partners",
        subject: "CN=device,O=Viewers",
        not_before: "2020-01-02T00:00:00Z",
        not_after: "2999-01-01T00:00:00Z",
        sha256_fingerprint: "01fb",
    };
    ConnectionEvent {
        certificate: Some(certificate),
        client_ip: "203.0.113.7",
        endpoint: "d1.example.net",
        distribution_id: "E1",
        connection_id: "c1",
    }
}

/// The reply to `event`: the decision, the custom data.
fn decide_on(event: ConnectionEvent<'_>, body: &str) -> (Option<Decision>, Option<String>) {
    let source = format!("import cf from 'cloudfront';\nasync function connectionHandler(connection) {{ {body} }}");
    let (mut function, loaded) = Function::load(&source, CONNECTION);
    assert_eq!(loaded, Ok(Loaded::Ready));
    let mut bytes = Vec::new();
    event.write(&mut bytes);
    let out = function.reply_to(bytes);
    match Reply::read(&out).unwrap() {
        Reply::Connection { decision, custom_data } => (decision, custom_data.map(str::to_owned)),
        other => panic!("{other:?}"),
    }
}

fn decide(body: &str) -> (Option<Decision>, Option<String>) {
    decide_on(event(), body)
}

#[test]
fn the_object_is_as_the_vendor_has_it() {
    let (_, said) = decide("connection.logCustomData(JSON.stringify(connection))");
    let expected = concat!(
        r#"{"clientCertificate":{"certificates":{"leaf":{"serialNumber":"4a:3f:5c","issuer":"CN=Partners","#,
        r#""subject":"CN=device,O=Viewers","validity":{"notBefore":"2020-01-02T00:00:00Z","notAfter":"2999-01-01T00:00:00Z"},"#,
        r#""sha256Fingerprint":"01fb"}}},"clientIp":"203.0.113.7","endpoint":"d1.example.net","distributionId":"E1","connectionId":"c1"}"#,
    );
    assert_eq!(said.as_deref(), Some(expected));
    let without = ConnectionEvent { certificate: None, ..event() };
    let (_, said) = decide_on(without, "connection.logCustomData('clientCertificate' in connection)");
    assert_eq!(said.as_deref(), Some("false"));
}

#[test]
fn a_connection_is_allowed_or_denied_or_neither() {
    for (body, decision) in [
        ("connection.allow()", Some(Decision::Allow)),
        ("connection.deny()", Some(Decision::Deny)),
        ("", None),
        ("return 'allow'", None),
        ("await null; connection.allow()", Some(Decision::Allow)),
        // What was denied stays denied.
        ("connection.allow(); connection.deny()", Some(Decision::Deny)),
        ("connection.deny(); connection.allow()", Some(Decision::Deny)),
        ("var allow = connection.allow; allow()", Some(Decision::Allow)),
        ("if (await cf.kvs().get('greeting') === 'hello') connection.allow()", Some(Decision::Allow)),
    ] {
        assert_eq!(decide(body), (decision, None), "{body}");
    }
}

#[test]
fn custom_data_has_800_bytes_and_whole_characters() {
    assert_eq!(decide("connection.logCustomData('one'); connection.logCustomData('two')").1.as_deref(), Some("two"));
    let long = decide("connection.logCustomData('ab' + 'é'.repeat(500))").1.unwrap();
    assert_eq!((long.len(), long.ends_with('é')), (800, true));
    let odd = decide("connection.logCustomData('a' + 'é'.repeat(500))").1.unwrap();
    assert_eq!((odd.len(), odd.ends_with('é')), (799, true));
}

#[test]
fn a_handler_that_throws_decides_nothing() {
    for body in ["connection.allow(); throw new Error('no')", "connection.allow(); await new Promise(() => {})"] {
        let source = format!("async function connectionHandler(connection) {{ {body} }}");
        let (mut function, _) = Function::load(&source, CONNECTION);
        let mut bytes = Vec::new();
        event().write(&mut bytes);
        let out = function.reply_to(bytes);
        assert!(matches!(Reply::read(&out), Ok(Reply::Failed { failure: Failure::Execution, .. })), "{body}");
    }
}

#[test]
fn the_origin_of_no_request_can_be_chosen() {
    let (_, said) = decide(
        "try { cf.updateRequestOrigin({}) } catch (e) { connection.logCustomData(e.name) } \
         connection.allow(connection.logCustomData(String(Object.keys(cf.edgeLocation).length)))",
    );
    assert_eq!(said.as_deref(), Some("0"));
}

#[test]
fn each_kind_of_function_has_its_own_entry_and_events() {
    let handler = "function handler(event) { return event.request }";
    let (_, loaded) = Function::load(handler, CONNECTION);
    let (status, failed) = loaded.unwrap_err();
    assert_eq!(status, Loaded::NoHandler);
    assert!(failed.message.ends_with("no function named connectionHandler"), "{}", failed.message);
    let (_, loaded) = Function::load("function connectionHandler(c) { c.allow() }", TERMS);
    assert_eq!(loaded.unwrap_err().0, Loaded::NoHandler);

    // A host that mixes them up is told, and nothing is decided.
    let mut bytes = Vec::new();
    Event::default().write(&mut bytes);
    let (mut function, _) = Function::load("function connectionHandler(c) { c.allow() }", CONNECTION);
    let out = function.reply_to(bytes);
    assert!(matches!(Reply::read(&out), Ok(Reply::Failed { .. })));
    let mut bytes = Vec::new();
    event().write(&mut bytes);
    let out = Function::new(handler).reply_to(bytes);
    assert!(matches!(Reply::read(&out), Ok(Reply::Failed { .. })));
}

#[test]
fn a_deferred_top_level_runs_before_each_connection() {
    let source = "var n = Math.random(); function connectionHandler(c) { c.logCustomData(typeof n); c.allow() }";
    let (mut function, loaded) = Function::load(source, Terms { top_level: TopLevel::Deferred, ..CONNECTION });
    assert_eq!(loaded, Ok(Loaded::Ready));
    let mut bytes = Vec::new();
    event().write(&mut bytes);
    let out = function.reply_to(bytes);
    let expected = Reply::Connection { decision: Some(Decision::Allow), custom_data: Some("number") };
    assert_eq!(Reply::read(&out), Ok(expected));
}
