//! gRPC through a whole node (`cdn-behaviour.md` section 21).

use crate::lambda::returns;
use http::Version;
use rimward_config::Limits;
use rimward_testkit::frames::{END_STREAM, code, kind};
use rimward_testkit::grpc::{Call, Viewer, message};
use rimward_testkit::{Answer, Authority, Client, Frames, GrpcOrigin, Origin};
use rimward_tests::{TestNode, request};
use rimward_types::{Body, ByteSize, Connection};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

const SHORT: Duration = Duration::from_millis(60);

/// A node in front of `url`; `site` are keys of its distribution, `keys` of its one behavior and what comes after it.
fn config(url: &str, site: &str, keys: &str) -> String {
    format!(
        "[origins.app]\nurl = \"{url}\"\nh2c = true\n[[distributions]]\ndomains = [\"*\"]\n{site}\n\
         [[distributions.behaviors]]\norigin = \"app\"\nmethods = \"all\"\ngrpc = true\n{keys}\n"
    )
}

async fn start(config: &str, files: &[(&str, &[u8])]) -> TestNode {
    let node = TestNode::start(config, files).await;
    assert!(node.problems.is_empty(), "{:?}", node.problems);
    node
}

/// An origin, a node in front of it, and a viewer without TLS.
async fn play(keys: &str, files: &[(&str, &[u8])]) -> (GrpcOrigin, TestNode, Viewer) {
    let origin = GrpcOrigin::plain().await;
    let node = start(&config(&origin.url(), "", keys), files).await;
    let viewer = viewer(&node).await;
    (origin, node, viewer)
}

async fn viewer(node: &TestNode) -> Viewer {
    Viewer::plain(node.listen(Limits::default()).await, "www.example.com").await
}

fn function(hook: &str) -> String {
    format!("{hook} = \"f\"\n[functions.f]\ncode = \"f.js\"\n")
}

/// Answers with what was asked, and OK.
async fn echo(mut call: Call) {
    let mut bytes = Vec::new();
    while let Some(part) = call.read().await.unwrap() {
        bytes.extend(part);
    }
    call.answer(&[("x-seen", "1")]);
    call.send(bytes);
    call.finish(&[("grpc-status", "0"), ("grpc-message", "fine")]);
}

const PATH: &str = "/test.Chat/Talk";

#[tokio::test]
async fn a_call_goes_to_the_origin_and_back_and_its_record_tells_all() {
    let (origin, node, viewer) = play("compress = true", &[]).await;
    let mut asked = viewer.call(PATH, &[("grpc-timeout", "5S"), ("x-user", "ann"), ("accept-encoding", "gzip")]);
    asked.send(message(b"ping"));
    asked.end();
    let call = origin.call().await;
    for (name, value) in [
        ("te", Some("trailers")),
        ("grpc-timeout", Some("5S")),
        ("content-type", Some("application/grpc")),
        ("x-user", Some("ann")),
        ("via", Some("2.0 rimward")),
        ("x-forwarded-for", Some("127.0.0.1")),
        ("host", None),
    ] {
        assert_eq!(call.header(name), value, "{name}");
    }
    assert!(call.header("x-amz-cf-id").is_some());
    echo(call).await;
    let head = asked.head().await.unwrap();
    for (name, value) in [
        ("content-type", "application/grpc"),
        ("x-seen", "1"),
        ("x-cache", "Miss from cloudfront"),
        ("via", "2.0 rimward"),
        ("cache-status", "Rimward; fwd=request; fwd-status=200; detail=grpc"),
    ] {
        assert_eq!(head.headers[name], value, "{name}");
    }
    assert!(!head.headers.contains_key("content-length") && !head.headers.contains_key("content-encoding"));
    assert_eq!(asked.rest().await.unwrap(), message(b"ping"));
    assert_eq!((asked.trailer("grpc-status"), asked.trailer("grpc-message")), (Some("0"), Some("fine")));
    let record = node.record_in_time().await;
    assert_eq!((&record["scheme"], &record["version"]), (&json!("grpc"), &json!("HTTP/2.0")));
    assert_eq!(record["grpc"], json!({ "status": 0, "received": 9 }));
    assert_eq!((&record["bytes"], &record["complete"], &record["status"]), (&json!(9), &json!(true), &json!(200)));
    assert_eq!((&record["result"], &record["origins"][0]["status"]), (&json!("Miss"), &json!(200)));
    let metrics = node.proxy().records().metrics.to_prometheus();
    assert!(metrics.contains("rimward_grpc_calls_total{status=\"OK\"} 1"), "{metrics}");
    assert!(metrics.contains("rimward_grpc_received_bytes_total 9"), "{metrics}");
}

#[tokio::test]
async fn over_tls_from_end_to_end_it_is_grpcs() {
    let authority = Authority::new();
    let origin = GrpcOrigin::tls(authority.server_speaking(&["localhost"], &["h2"])).await;
    let files = authority.sign(&["www.example.com"]);
    let config = format!(
        "[node.tls]\nlisten = [\"127.0.0.1:0\"]\ncertificates = [{{ cert = \"{}\", key = \"{}\" }}]\n{}",
        files.cert.display(),
        files.key.display(),
        config(&origin.url(), "", "viewer-protocol = \"https-only\"")
            .replace("h2c = true", &format!("ca = \"{}\"", authority.file().display()))
    );
    let node = start(&config, &[]).await;
    let viewer = Viewer::tls(node.listen_https().await, "www.example.com", &authority).await;
    let mut asked = viewer.call(PATH, &[]);
    asked.send(message(b"ping"));
    asked.end();
    echo(origin.call().await).await;
    asked.head().await.unwrap();
    assert_eq!(asked.rest().await.unwrap(), message(b"ping"));
    assert_eq!(asked.trailer("grpc-status"), Some("0"));
    assert_eq!(node.record_in_time().await["scheme"], "grpcs");
}

/// It would hang if a head, a message or the end of a half were held back anywhere.
#[tokio::test]
async fn both_sides_talk_in_turns() {
    let (origin, node, viewer) = play("", &[]).await;
    let mut asked = viewer.call(PATH, &[]);
    let mut call = origin.call().await;
    call.answer(&[]);
    asked.head().await.unwrap();
    for turn in [&b"one"[..], b"two", b"three"] {
        asked.send(message(turn));
        assert_eq!(call.read_bytes(turn.len() + 5).await, message(turn));
        call.send(message(turn));
        assert_eq!(asked.read_bytes(turn.len() + 5).await, message(turn));
    }
    asked.end();
    assert_eq!(call.read().await, Ok(None));
    call.finish(&[("grpc-status", "0")]);
    assert_eq!((asked.rest().await.unwrap().len(), asked.trailer("grpc-status")), (0, Some("0")));
    assert_eq!(node.record_in_time().await["grpc"], json!({ "status": 0, "received": 26 }));
}

#[tokio::test]
async fn megabytes_go_through_unchanged_both_ways_at_once() {
    let (origin, node, viewer) = play("", &[]).await;
    let bytes: Vec<u8> = (0..6u32 << 20).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let mut asked = viewer.call(PATH, &[]);
    for part in bytes.chunks(10_000) {
        asked.send(part.to_vec());
    }
    asked.end();
    let mut call = origin.call().await;
    call.answer(&[]);
    asked.head().await.unwrap();
    let echoing = tokio::spawn(async move {
        while let Some(part) = call.read().await.unwrap() {
            call.send(part);
        }
        call.finish(&[("grpc-status", "0")]);
    });
    assert!(asked.rest().await.unwrap() == bytes);
    echoing.await.unwrap();
    assert_eq!(node.record_in_time().await["grpc"]["received"], bytes.len());
}

#[tokio::test]
async fn an_answer_of_trailers_alone_reaches_the_viewer_as_one() {
    let (origin, node, viewer) = play("", &[]).await;
    let mut asked = viewer.call(PATH, &[]);
    asked.end();
    origin.call().await.only_trailers(&[("grpc-status", "12"), ("grpc-message", "no such method")]);
    let head = asked.head().await.unwrap();
    assert_eq!(
        (&head.headers["grpc-status"], &head.headers["grpc-message"]),
        (&"12".parse().unwrap(), &"no such method".parse().unwrap())
    );
    assert!(!head.headers.contains_key("content-length"));
    assert_eq!(asked.rest().await.unwrap(), b"");
    assert_eq!(node.record_in_time().await["grpc"]["status"], 12);
}

#[tokio::test]
async fn what_is_no_call_goes_the_usual_way_and_the_record_says_why_it_is_none() {
    let origin = Origin::new(|request| Answer::cached(60, request.method.clone())).await;
    let node = start(&config(&origin.url(), "", ""), &[]).await;
    let address = node.listen(Limits::default()).await;
    let (old, new) = (Client::http1(address).await, Client::http2(address).await);
    for (client, method, content_type, not) in [
        (&old, "POST", "application/grpc", "version"),
        (&new, "POST", "application/grpc-web", "content-type"),
        (&new, "GET", "application/grpc", "method"),
    ] {
        let mut request = client.request(method, "/page", if method == "POST" { "x" } else { "" });
        request.headers_mut().insert("content-type", content_type.parse().unwrap());
        let answer = client.fetch(request).await.unwrap();
        assert_eq!((answer.status().as_u16(), &answer.body()[..]), (200, method.as_bytes()));
        let record = node.record_in_time().await;
        assert_eq!((&record["grpc"], &record["scheme"]), (&json!({ "not": not }), &json!("http")));
    }
    assert_eq!(new.get("/page").await.headers()["x-cache"], "Hit from cloudfront");
    // Where the behavior has no gRPC, nothing is judged.
    let plain = config(&origin.url(), "", "").replace("grpc = true\n", "");
    node.reload(&plain, &[]).await;
    let mut asked = viewer(&node).await.call(PATH, &[]);
    asked.end();
    assert_eq!(asked.head().await.unwrap().status, 200);
    node.record_in_time().await;
    assert_eq!(node.record_in_time().await["grpc"], Value::Null);
}

#[tokio::test]
async fn nothing_of_it_is_stored_and_no_error_page_stands_in() {
    let origin = GrpcOrigin::plain().await;
    let site = "error-pages = [{ status = 404, page = \"/sorry\" }, { status = 502, page = \"/sorry\" }]";
    let node = start(&config(&origin.url(), site, "cache-policy = \"caching-optimized\""), &[]).await;
    let viewer = viewer(&node).await;
    for _ in 0..2 {
        let mut asked = viewer.call(PATH, &[]);
        asked.end();
        let call = origin.call().await;
        call.only_trailers(&[("cache-control", "public, max-age=600"), ("grpc-status", "0")]);
        assert_eq!(asked.head().await.unwrap().headers["x-cache"], "Miss from cloudfront");
    }
    drop(origin);
    let mut asked = viewer.call(PATH, &[]);
    asked.end();
    assert_eq!(asked.head().await.unwrap().status, 502);
    assert!(String::from_utf8(asked.rest().await.unwrap()).unwrap().contains("valid answer from the origin"));
    let (_, _, record) = (node.record_in_time().await, node.record_in_time().await, node.record_in_time().await);
    assert!(record["detail"].as_str().unwrap().starts_with("Origin"), "{record}");
    assert_eq!(record["grpc"], json!({ "received": 0 }));
}

#[tokio::test]
async fn of_a_group_the_primary_alone_is_asked() {
    let (second, gone) = (GrpcOrigin::plain().await, Origin::nobody().await);
    let config = format!(
        "[origins.a]\nurl = \"http://{gone}\"\nh2c = true\nattempts = 1\n[origins.b]\nurl = \"{}\"\nh2c = true\n\
         [origin-groups.g]\nprimary = \"a\"\nsecondary = \"b\"\n[[distributions]]\ndomains = [\"*\"]\n\
         [[distributions.behaviors]]\norigin = \"g\"\nmethods = \"all\"\ngrpc = true\n",
        second.url()
    );
    let node = start(&config, &[]).await;
    let mut asked = viewer(&node).await.call(PATH, &[]);
    asked.end();
    assert_eq!(asked.head().await.unwrap().status, 502);
    assert!(!second.is_called().await);
    let record = node.record_in_time().await;
    assert_eq!((&record["origins"][0]["origin"], record["origins"].as_array().unwrap().len()), (&json!("a"), 1));
}

#[tokio::test]
async fn viewer_functions_run_and_change_what_they_may() {
    let code = b"import cf from 'cloudfront';
        function handler(e) {
            if (e.context.eventType === 'viewer-request') {
                e.request.headers['x-user'] = { value: 'ann' };
                e.request.uri = '/moved' + e.request.uri;
                return e.request;
            }
            e.response.headers['x-done'] = { value: '1' };
            return e.response;
        }";
    let keys = "viewer-request = \"f\"\nviewer-response = \"f\"\n[functions.f]\ncode = \"f.js\"\n";
    let (origin, node, viewer) = play(keys, &[("f.js", code)]).await;
    let mut asked = viewer.call(PATH, &[]);
    asked.send(message(b"ping"));
    asked.end();
    let call = origin.call().await;
    assert_eq!((call.head.uri.path(), call.header("x-user")), ("/moved/test.Chat/Talk", Some("ann")));
    echo(call).await;
    assert_eq!(asked.head().await.unwrap().headers["x-done"], "1");
    assert_eq!(asked.rest().await.unwrap(), message(b"ping"));
    assert_eq!(asked.trailer("grpc-status"), Some("0"));
    assert_eq!(node.record_in_time().await["hooks"].as_array().unwrap().len(), 2);
}

/// What a gRPC client makes of it: 403 is PERMISSION_DENIED to it, and the second is a status of gRPC itself.
#[tokio::test]
async fn viewer_request_may_refuse_with_http_or_with_a_status_of_grpc() {
    let code = b"function handler(e) {
        if (e.request.uri === '/http') return { statusCode: 403, body: 'no' };
        return { statusCode: 200, headers: { 'content-type': { value: 'application/grpc' },
            'grpc-status': { value: '16' }, 'grpc-message': { value: 'no token' } } };
    }";
    let (origin, node, viewer) = play(&function("viewer-request"), &[("f.js", code)]).await;
    let mut asked = viewer.call("/http", &[]);
    assert_eq!(asked.head().await.unwrap().status, 403);
    assert_eq!(asked.rest().await.unwrap(), b"no");
    asked.until_refused().await;
    let mut asked = viewer.call(PATH, &[]);
    let head = asked.head().await.unwrap();
    assert_eq!((head.status.as_u16(), &head.headers["grpc-status"]), (200, &"16".parse().unwrap()));
    assert_eq!(asked.rest().await.unwrap(), b"");
    assert!(!origin.is_called().await);
    assert_eq!(node.record_in_time().await["grpc"], json!({ "received": 0 }));
    let record = node.record_in_time().await;
    assert_eq!((&record["grpc"]["status"], &record["result"]), (&json!(16), &json!("FunctionGeneratedResponse")));
}

/// `lambda-at-edge.md` section 2: calls go past them, other requests of the behavior do not.
#[tokio::test]
async fn origin_functions_do_not_run() {
    let made = returns(r#"{"status":"418","headers":{}}"#);
    for hook in ["viewer-request", "origin-request", "origin-response", "viewer-response"] {
        let keys = format!("{hook} = \"f\"\n[functions.f]\ncomponent = \"f.wasm\"\n");
        let (origin, node, viewer) = play(&keys, &[("f.wasm", &made)]).await;
        let mut asked = viewer.call(PATH, &[]);
        asked.send(message(b"ping"));
        asked.end();
        echo(origin.call().await).await;
        assert_eq!(asked.head().await.unwrap().status, 200, "{hook}");
        assert_eq!(asked.rest().await.unwrap(), message(b"ping"));
        assert_eq!(node.record_in_time().await["hooks"], Value::Null);
        if hook.ends_with("request") {
            assert_eq!(node.get("/page").await.status(), 418, "{hook}");
        }
    }
}

#[tokio::test]
async fn what_a_behavior_does_not_forward_stays_and_what_is_grpcs_own_goes_along() {
    let (origin, _node, viewer) = play("forward = \"none\"", &[]).await;
    let mut asked = viewer.call(PATH, &[("grpc-timeout", "1S"), ("grpc-encoding", "gzip"), ("authorization", "a")]);
    asked.end();
    let call = origin.call().await;
    let seen = ["grpc-timeout", "grpc-encoding", "te", "content-type", "authorization"].map(|name| call.header(name));
    assert_eq!(seen, [Some("1S"), Some("gzip"), Some("trailers"), Some("application/grpc"), None]);
    call.only_trailers(&[]);
    asked.head().await.unwrap();
}

/// An origin of frames, a node in front of it, and a viewer of frames that has opened a call; all have one stream, 1.
async fn frames() -> (Frames, TestNode, Frames) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let node = start(&config(&format!("http://{}", listener.local_addr().unwrap()), "", ""), &[]).await;
    let mut viewer = Frames::connect(node.listen(Limits::default()).await).await;
    let fields = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", PATH),
        (":authority", "www.example.com"),
        ("content-type", "application/grpc"),
    ];
    viewer.send_headers(0, 1, &fields).await;
    let mut origin = Frames::accept(&listener).await;
    origin.next_of(kind::HEADERS).await;
    (origin, node, viewer)
}

const HEAD: [(&str, &str); 2] = [(":status", "200"), ("content-type", "application/grpc")];

#[tokio::test]
async fn a_reset_goes_on_to_the_other_side_with_its_code() {
    for code in [code::CANCEL, code::ENHANCE_YOUR_CALM, code::INTERNAL_ERROR] {
        let (mut origin, node, mut viewer) = frames().await;
        origin.send_headers(0, 1, &HEAD).await;
        viewer.next_of(kind::HEADERS).await;
        origin.reset(1, code).await;
        assert_eq!(viewer.next_of(kind::RST_STREAM).await.code(), code, "from the origin");
        let record = node.record_in_time().await;
        assert_eq!(record["complete"], false);
        assert!(record["grpc"]["cut"].as_str().unwrap().starts_with("origin reset the stream"), "{record}");
    }
    for answered in [false, true] {
        let (mut origin, node, mut viewer) = frames().await;
        if answered {
            origin.send_headers(0, 1, &HEAD).await;
            viewer.next_of(kind::HEADERS).await;
        }
        viewer.send(kind::DATA, 0, 1, b"half").await;
        assert_eq!(origin.next_of(kind::DATA).await.payload, b"half");
        viewer.reset(1, code::CANCEL).await;
        let frame = origin.next().await.unwrap();
        assert_eq!((frame.kind, frame.code()), (kind::RST_STREAM, code::CANCEL), "from the viewer, {answered}");
        let record = node.record_in_time().await;
        assert_eq!((&record["complete"], &record["grpc"]["received"]), (&json!(false), &json!(4)));
        let detail = if answered { "ClientCommError" } else { "ClientHungUpRequest" };
        assert_eq!(record["detail"], detail);
    }
}

/// RFC 9113 section 8.1 lets a server say so behind a whole answer. What a viewer breaks off is half all the same.
#[tokio::test]
async fn a_viewers_half_that_is_reset_without_an_error_does_not_end_well_at_the_origin() {
    let (mut origin, _node, mut viewer) = frames().await;
    viewer.send(kind::DATA, 0, 1, b"half").await;
    assert_eq!(origin.next_of(kind::DATA).await.payload, b"half");
    viewer.reset(1, code::NO_ERROR).await;
    let frame = origin.next().await.unwrap();
    assert_eq!(frame.kind, kind::RST_STREAM, "{frame:?}");
    assert_eq!(frame.flags & END_STREAM, 0);
}

#[tokio::test]
async fn an_origin_that_breaks_off_is_unavailable_to_the_viewer() {
    let (mut origin, node, _viewer) = frames().await;
    origin.send_headers(0, 1, &HEAD).await;
    drop(origin);
    let record = node.record_in_time().await;
    assert_eq!((&record["grpc"]["status"], &record["complete"]), (&json!(14), &json!(false)));
    assert_eq!(record["detail"], "OriginCommError");

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let node = start(&config(&format!("http://{}", listener.local_addr().unwrap()), "", ""), &[]).await;
    let mut asked = viewer(&node).await.call(PATH, &[]);
    let mut origin = Frames::accept(&listener).await;
    let stream = origin.next_of(kind::HEADERS).await.stream;
    origin.send_headers(0, stream, &HEAD).await;
    origin.send(kind::DATA, 0, stream, &message(b"one")).await;
    asked.head().await.unwrap();
    assert_eq!(asked.read_bytes(8).await, message(b"one"));
    drop(origin);
    assert_eq!(asked.next().await, Ok(None));
    assert_eq!(
        (asked.trailer("grpc-status"), asked.trailer("grpc-message")),
        (Some("14"), Some("the origin broke off"))
    );
}

#[tokio::test]
async fn limits_of_bodies_hold_for_other_requests_and_not_for_calls() {
    let limits = || Limits { request_body: ByteSize::bytes(10), body_idle: SHORT, ..Limits::default() };
    let (origin, node, _) = play("", &[]).await;
    let viewer = Viewer::plain(node.listen(limits()).await, "www.example.com").await;
    let mut asked = viewer.call(PATH, &[]);
    let mut call = origin.call().await;
    call.answer(&[]);
    asked.head().await.unwrap();
    // Longer than a body may be still, and more than one may have.
    tokio::time::sleep(3 * SHORT).await;
    asked.send(vec![0; 100]);
    assert_eq!(call.read_bytes(100).await.len(), 100);
    call.send("more");
    assert_eq!(asked.read_bytes(4).await, b"more");
    asked.end();
    call.finish(&[("grpc-status", "0")]);
    asked.rest().await.unwrap();
    assert_eq!(asked.trailer("grpc-status"), Some("0"));
    // The same without being a call.
    let origin = Origin::new(|_| Answer::ok("page")).await;
    let node = start(&config(&origin.url(), "", ""), &[]).await;
    let viewer = Viewer::plain(node.listen(limits()).await, "www.example.com").await;
    for (content_type, status) in [("application/octet-stream", 400), ("application/grpc-web", 400)] {
        let mut asked = viewer.call(PATH, &[("content-type", content_type)]);
        asked.send(vec![0; 100]);
        assert_eq!(asked.head().await.unwrap().status, status);
    }
}

#[tokio::test]
async fn an_explanation_says_that_it_is_a_call_or_why_not() {
    let (_origin, node, _) =
        play("viewer-request = \"f\"\n[functions.f]\ncomponent = \"f.wasm\"\n", &[("f.wasm", &returns("{}"))]).await;
    let connection = || Arc::new(Connection::new(([127, 0, 0, 1], 1).into(), ([127, 0, 0, 1], 80).into(), None));
    let call = request("POST", PATH, &[("content-type", "application/grpc")]);
    let told = node.proxy().explain(connection(), call).await.to_string();
    assert!(told.contains("a gRPC call: past the cache and origin functions, to one origin over HTTP/2"), "{told}");
    assert!(told.contains("f: not run: gRPC goes past origin functions") && !told.contains("cached as"), "{told}");
    let told = node.proxy().explain(connection(), request("GET", PATH, &[])).await.to_string();
    assert!(told.contains("no gRPC call: not POST") && told.contains("cached as"), "{told}");
}

#[tokio::test]
async fn who_is_granted_an_explanation_reads_that_it_is_a_call() {
    let (origin, _node, viewer) = play("[node.acl]\nexplain = [\"127.0.0.1\"]\n", &[]).await;
    let mut asked = viewer.call(PATH, &[("rimward-explain", "1")]);
    asked.end();
    origin.call().await.only_trailers(&[("grpc-status", "0")]);
    let head = asked.head().await.unwrap();
    let told = head.headers["rimward-explain"].to_str().unwrap();
    assert!(told.contains("a gRPC call: past the cache"), "{told}");
}

#[tokio::test]
async fn a_request_without_a_viewers_http_2_is_none_even_where_it_says_so() {
    let origin = Origin::new(|_| Answer::ok("page")).await;
    let node = start(&config(&origin.url(), "", ""), &[]).await;
    let mut head = request("POST", PATH, &[("content-type", "application/grpc")]);
    head.version = Version::HTTP_11;
    assert_eq!(node.send(head, Body::Full("x".into())).await.body, "page");
    assert_eq!(node.record()["grpc"], json!({ "not": "version" }));
}
