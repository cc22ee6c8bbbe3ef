//! Origins that are buckets (`lambda-at-edge.md` sections 3.6, 10 and 16; `cloudfront-functions.md` section 11.3). The bucket of
//! these plays computes each signature anew, by the vendor's text, and answers 403 to one that is wrong.

mod bucket;

use crate::lambda::returns;
use bucket::{bucket, viewers_own};
use rimward_testkit::{Answer, Origin};
use rimward_tests::{TestNode, request};
use rimward_types::Body;
use serde_json::{Value, json};

const KEYS: &str = "[cdn]\naws_access_key_id = AKIDCDN\naws_secret_access_key = s/e+c=ret\naws_session_token = token\n";

/// `[origins.assets]` at `path` of the bucket.
fn assets(bucket: &Origin, path: &str, settings: &str) -> String {
    format!(
        "[origins.assets]\nurl = \"http://localhost:{}{path}\"\n[origins.assets.s3]\nregion = \"eu-central-1\"\n{settings}\n",
        bucket.address().port()
    )
}

const CONTROL: &str = "auth-method = \"origin-access-control\"\ncredentials-file = \"keys\"\nprofile = \"cdn\"";
const IDENTITY: &str = "auth-method = \"origin-access-identity\"\ncredentials-file = \"keys\"\nprofile = \"cdn\"";

/// A node with these tables; `keys` are those of the one behavior. `f` is its function, be it used or not.
async fn node(tables: &str, keys: &str, function: (&str, &[u8])) -> TestNode {
    node_with(tables, &format!("cache-policy = \"caching-disabled\"\n{keys}"), function).await
}

/// The same, with a cache policy among the keys.
async fn node_with(tables: &str, keys: &str, function: (&str, &[u8])) -> TestNode {
    let config = format!(
        "{tables}\n[functions.f]\n{}\n[[distributions]]\ndomains = [\"*\"]\n[[distributions.behaviors]]\n\
         methods = \"all\"\n{keys}\n",
        if function.0.ends_with(".js") { "code = \"f.js\"" } else { "component = \"f.wasm\"" }
    );
    let node = TestNode::start(&config, &[("keys", KEYS.as_bytes()), function]).await;
    assert!(node.problems.is_empty(), "{:?}", node.problems);
    node
}

fn viewer_function(call: &str) -> Vec<u8> {
    format!("import cf from 'cloudfront';\nfunction handler(event) {{ {call}; return event.request; }}").into_bytes()
}

const IDLE: (&str, &[u8]) = ("f.js", b"function handler(event) { return event.request; }");

fn port_of(origin: &Origin) -> u16 {
    origin.address().port()
}

#[tokio::test]
async fn requests_to_a_bucket_are_signed_whatever_their_method_and_target() {
    let bucket = bucket().await;
    let node = node(&assets(&bucket, "/bucket", CONTROL), "origin = \"assets\"\nforward = \"all-viewer\"", IDLE).await;
    let host = format!("signed for localhost:{}", port_of(&bucket));
    for (method, path, body) in [
        ("GET", "/page.html", ""),
        ("GET", "/a%20b+c/d/%C3%A9~(1)%25.txt?versionId=a+b%2F&acl&a-b=1&a=%C3%A9", ""),
        ("HEAD", "/page.html", ""),
        ("PUT", "/upload", "body"),
        ("POST", "/?delete", "<Delete/>"),
        ("DELETE", "/upload", ""),
    ] {
        let head = request(method, path, &[("range", "bytes=0-9"), ("content-type", "text/plain")]);
        let body = Body::from(body.to_owned());
        let answer = node.send(head, body).await;
        assert_eq!(answer.status(), 200, "{method} {path}: {}", answer.body);
        assert_eq!(answer.body, if method == "HEAD" { "" } else { host.as_str() });
    }
    let first = bucket.received().remove(0);
    assert_eq!(first.target, "/bucket/page.html");
    assert_eq!(first.header("x-amz-security-token"), Some("token"));
    assert_eq!(first.header("range"), Some("bytes=0-9"), "what is not signed goes along");
}

/// A body that arrives while it is sent has no digest yet.
#[tokio::test]
async fn a_streamed_body_is_sent_with_an_unsigned_payload() {
    use http_body_util::BodyExt as _;
    let bucket = bucket().await;
    let node = node(&assets(&bucket, "", CONTROL), "origin = \"assets\"", IDLE).await;
    let full = http_body_util::Full::new(bytes::Bytes::from_static(b"streamed"));
    let body = Body::stream(full.map_err(|never| match never {}));
    let answer = node.send(request("PUT", "/upload", &[("content-length", "8")]), body).await;
    assert_eq!(answer.status(), 200, "{}", answer.body);
    let sent = bucket.only_request();
    assert_eq!((sent.header("x-amz-content-sha256"), &*sent.body), (Some("UNSIGNED-PAYLOAD"), &b"streamed"[..]));
}

/// cloudfront-functions.md 11.3: what a viewer signed itself arrives as it signed it, where its answer is its own.
#[tokio::test]
async fn no_override_lets_a_viewers_own_signature_through() {
    let settings = format!("{CONTROL}\nsigning-behavior = \"no-override\"");
    for (policy, signers_token) in [("caching-disabled", None), ("caching-optimized", Some("token"))] {
        let bucket = bucket().await;
        let keys = format!("origin = \"assets\"\nforward = \"all-viewer\"\ncache-policy = \"{policy}\"");
        let node = node_with(&assets(&bucket, "", &settings), &keys, IDLE).await;
        let own = viewers_own(&format!("localhost:{}", port_of(&bucket)));
        let own: Vec<(&str, &str)> = own.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = node.get_with("/page", &own).await;
        assert_eq!(answer.status(), 200, "{policy}: {}", answer.body);
        // Where answers are stored for everybody, it is the node that asks.
        assert_eq!(bucket.only_request().header("x-amz-security-token"), signers_token, "{policy}");
    }
}

/// `?acl` with the node's rights must not become what everybody gets.
#[tokio::test]
async fn where_answers_are_stored_a_query_reaches_a_bucket_in_the_key_or_by_name() {
    let bucket = Origin::new(|request| Answer::cached(60, request.target.clone())).await;
    let policy = "[cache-policies.some]\nquery = [\"versionId\"]\n";
    let keys = "origin = \"assets\"\ncache-policy = \"some\"";
    let node = node_with(&format!("{policy}{}", assets(&bucket, "", CONTROL)), keys, IDLE).await;
    assert_eq!(
        node.get("/index.html?acl&versionId=1&response-content-type=text/html").await.body,
        "/index.html?versionId=1"
    );
    assert_eq!(node.get("/index.html?acl").await.body, "/index.html");
    let named = format!("{keys}\nforward = {{ query = [\"acl\"] }}");
    let node = node_with(&format!("{policy}{}", assets(&bucket, "", CONTROL)), &named, IDLE).await;
    assert_eq!(node.get("/index.html?acl&tagging").await.body, "/index.html?acl");
}

/// Behaviors and functions saw another path.
#[tokio::test]
async fn a_path_that_a_bucket_reads_in_another_way_is_refused() {
    let bucket = bucket().await;
    let node = node(&assets(&bucket, "/bucket", CONTROL), "origin = \"assets\"", IDLE).await;
    for path in ["/private%2Freport.pdf", "/%2e%2e/other/x", "/../other"] {
        assert_eq!(node.get(path).await.status(), 400, "{path}");
    }
    assert_eq!(bucket.calls(), 0);
}

const REFUSED: &str = "<Error><Code>SignatureDoesNotMatch</Code><AWSAccessKeyId>AKIDCDN</AWSAccessKeyId></Error>";

/// A bucket's refusal repeats what was signed.
#[tokio::test]
async fn what_a_bucket_says_of_a_signature_stays_with_the_operator() {
    let bucket = Origin::new(|_| Answer::new(403, REFUSED)).await;
    let signed = node(&assets(&bucket, "", CONTROL), "origin = \"assets\"", IDLE).await;
    let answer = signed.get("/page").await;
    assert!(answer.status() == 403 && !answer.body.contains("AKIDCDN"), "{}", answer.body);
    assert_eq!(signed.record()["origins"][0]["error"], "the bucket refused: SignatureDoesNotMatch");
    let open = node(&assets(&bucket, "", ""), "origin = \"assets\"", IDLE).await;
    assert!(open.get("/page").await.body.contains("AKIDCDN"), "what nobody signed is the bucket's to say");
}

/// `Authorization` of the viewer, by signing behavior; what only the bucket's owner may ask for is not a viewer's to ask.
#[tokio::test]
async fn the_signing_behavior_decides_about_the_viewers_authorization() {
    for (settings, own, answered) in [
        (format!("{CONTROL}\nsigning-behavior = \"always\""), "Bearer viewer", 200),
        (format!("{CONTROL}\nsigning-behavior = \"no-override\""), "Bearer viewer", 403),
        (format!("{CONTROL}\nsigning-behavior = \"no-override\""), "", 200),
        (format!("{CONTROL}\nsigning-behavior = \"never\""), "", 403),
        (IDENTITY.to_owned(), "Bearer viewer", 200),
        (String::new(), "", 403),
    ] {
        let bucket = bucket().await;
        let node = node(&assets(&bucket, "", &settings), "origin = \"assets\"\nforward = \"all-viewer\"", IDLE).await;
        let mut headers = vec![("x-amz-copy-source", "/private/file"), ("x-amz-security-token", "viewers")];
        if !own.is_empty() {
            headers.push(("authorization", own));
        }
        let answer = node.get_with("/page", &headers).await;
        assert_eq!(answer.status(), answered, "{settings} {own}: {}", answer.body);
        let sent = bucket.only_request();
        if answered == 200 {
            assert_eq!(sent.header("x-amz-copy-source"), None, "{settings}");
            assert_eq!(sent.header("x-amz-security-token"), Some("token"), "{settings}");
        } else {
            let shown = Some(own).filter(|own| !own.is_empty());
            assert_eq!(sent.header("authorization"), shown, "{settings}: not signed");
        }
    }
}

/// lambda-at-edge.md 3.6: exactly the fields that an S3 origin has; an access control is not expressible.
#[tokio::test]
async fn section_3_6_a_bucket_is_shown_as_s3() {
    let bucket = bucket().await;
    for (settings, method) in [(IDENTITY, "origin-access-identity"), (CONTROL, "none"), ("", "none")] {
        let settings = format!("{settings}\n[origins.assets.headers]\nx-key = \"1\"");
        let tables = assets(&bucket, "/v1", &settings);
        let probe =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/sandbox/tests/guests/probe/function.wasm");
        let probe = std::fs::read(probe).unwrap();
        let node = node(&tables, "origin = \"assets\"\norigin-request = \"f\"", ("f.wasm", &probe)).await;
        let event: Value = serde_json::from_str(&node.get("/event").await.body).unwrap();
        let shown = &event["Records"][0]["cf"]["request"]["origin"];
        let expected = json!({ "s3": {
            "authMethod": method, "customHeaders": { "x-key": [{ "key": "X-Key", "value": "1" }] },
            "domainName": "localhost", "path": "/v1", "readTimeout": 30, "region": "eu-central-1",
        }});
        assert_eq!(shown, &expected);
    }
}

/// The function that returns this origin, and the request's `Host` and `Via` as they came.
fn changed(host: &Origin, origin: &Value) -> Vec<u8> {
    let host = format!("localhost:{}", port_of(host));
    let headers = json!({ "via": [{ "value": "1.1 rimward" }], "host": [{ "value": host }] });
    let fixed = json!({ "method": "GET", "clientIp": "203.0.113.7", "uri": "/page", "querystring": "" });
    let mut result = fixed.as_object().cloned().unwrap_or_default();
    result.extend([("headers".to_owned(), headers), ("origin".to_owned(), origin.clone())]);
    returns(&Value::Object(result).to_string())
}

fn s3(domain: &str, path: &str, auth: &str, region: &str) -> Value {
    json!({ "s3": { "domainName": domain, "path": path, "authMethod": auth, "region": region, "customHeaders": {} } })
}

fn custom(domain: &str, port: u16) -> Value {
    json!({ "custom": {
        "domainName": domain, "path": "", "port": port, "protocol": "http", "customHeaders": {},
        "keepaliveTimeout": 5, "readTimeout": 30, "sslProtocols": ["TLSv1.2"],
    }})
}

/// lambda-at-edge.md 3.6 and 16: what origin-request returns counts, and from bucket to bucket the access control stays.
#[tokio::test]
async fn section_3_6_a_returned_bucket_is_asked_as_the_function_says() {
    for (settings, returned, status, scope) in [
        (CONTROL, s3("localhost", "/other", "none", "eu-central-1"), 200, "eu-central-1"),
        (CONTROL, s3("localhost", "/other", "none", "us-west-2"), 200, "us-west-2"),
        (IDENTITY, s3("localhost", "/other", "origin-access-identity", "us-west-2"), 200, "us-west-2"),
        (IDENTITY, s3("localhost", "/other", "none", ""), 403, ""),
    ] {
        let bucket = bucket().await;
        let function = changed(&bucket, &returned);
        let keys = "origin = \"assets\"\norigin-request = \"f\"";
        let node = node(&assets(&bucket, "/bucket", settings), keys, ("f.wasm", &function)).await;
        let answer = node.get("/").await;
        assert_eq!(answer.status(), status, "{returned}: {}", answer.body);
        let sent = bucket.only_request();
        assert_eq!(sent.target, "/other/page");
        let signed = sent.header("authorization").unwrap_or_default();
        assert!(signed.contains(scope) && signed.is_empty() == (status == 403), "{signed}");
    }
}

/// A function cannot have the node sign for another bucket, nor for another host.
#[tokio::test]
async fn a_signature_holds_for_the_bucket_of_the_configuration_alone() {
    let (bucket, stranger) = (bucket().await, Origin::new(|_| Answer::ok("mine now")).await);
    let fixed = json!({ "method": "GET", "clientIp": "203.0.113.7", "uri": "/page", "querystring": "" });
    let with_host = |host: &str, origin: Value| {
        let mut result = fixed.as_object().cloned().unwrap();
        let headers = json!({ "via": [{ "value": "1.1 rimward" }], "host": [{ "value": host }] });
        result.insert("headers".to_owned(), headers);
        result.insert("origin".to_owned(), origin);
        returns(&Value::Object(result).to_string())
    };
    // The same bucket's server, asked for another one by `Host`.
    let keys = "origin = \"assets\"\norigin-request = \"f\"";
    let other = with_host("other-bucket.example", s3("localhost", "", "none", "eu-central-1"));
    let node_of_host = node(&assets(&bucket, "", CONTROL), keys, ("f.wasm", &other)).await;
    assert_eq!(node_of_host.get("/").await.status(), 502);
    let record = node_of_host.record();
    assert!(record["origins"][0]["error"].as_str().unwrap().contains("its `Host` is not localhost:"), "{record}");
    assert_eq!(bucket.calls(), 0);
    // Another host, with the bucket's `Host`.
    let config = assets(&stranger, "", CONTROL).replace("localhost", "127.0.0.1");
    let host = format!("127.0.0.1:{}", port_of(&stranger));
    let moved = with_host(&host, s3("localhost", "", "none", "eu-central-1"));
    let node_of_stranger = node(&config, keys, ("f.wasm", &moved)).await;
    assert_eq!(node_of_stranger.get("/").await.body, "mine now");
    let asked = stranger.only_request();
    assert_eq!((asked.header("authorization"), asked.header("x-amz-security-token")), (None, None));
}

/// lambda-at-edge.md 16: custom to s3 and back.
#[tokio::test]
async fn section_16_a_request_moves_from_a_server_to_a_bucket_and_back() {
    let (bucket, server) = (bucket().await, Origin::new(|_| Answer::ok("from the server")).await);
    let tables =
        format!("{}[origins.app]\nurl = \"http://localhost:{}\"\n", assets(&bucket, "", CONTROL), port_of(&server));
    // By its name in the configuration it is the bucket of the configuration, with its keys and its `Host`.
    let function = changed(&server, &s3("assets", "", "none", ""));
    let there = node(&tables, "origin = \"app\"\norigin-request = \"f\"", ("f.wasm", &function)).await;
    let answer = there.get("/").await;
    assert_eq!(answer.body, format!("signed for localhost:{}", port_of(&bucket)));
    let function = changed(&server, &custom("localhost", port_of(&server)));
    let back = node(&tables, "origin = \"assets\"\norigin-request = \"f\"", ("f.wasm", &function)).await;
    assert_eq!(back.get("/").await.body, "from the server");
    assert_eq!(server.only_request().header("authorization"), None);
}

/// lambda-at-edge.md 3.6 and 15: a wrong origin is a validation error, and nothing is asked.
#[tokio::test]
async fn section_3_6_a_wrong_bucket_is_a_validation_error() {
    let bucket = bucket().await;
    for (settings, returned, field) in [
        (CONTROL, s3("localhost", "", "origin-access-identity", "eu-central-1"), "authMethod"),
        (IDENTITY, s3("localhost", "", "origin-access-identity", ""), "region"),
        (CONTROL, s3("127.0.0.9", "", "none", ""), "domainName"),
        (CONTROL, s3("Localhost", "", "none", ""), "domainName"),
        (CONTROL, s3("localhost", "/x/", "none", ""), "path"),
        (CONTROL, json!({ "s3": { "domainName": "localhost" } }), "path"),
    ] {
        let function = changed(&bucket, &returned);
        let keys = "origin = \"assets\"\norigin-request = \"f\"";
        let node = node(&assets(&bucket, "", settings), keys, ("f.wasm", &function)).await;
        let answer = node.get("/").await;
        let got = (answer.status(), answer.header("x-cache"));
        assert_eq!(got, (502, "LambdaValidationError from cloudfront"), "{returned}");
        let record = node.record();
        let reason = record["hooks"][0]["reason"].as_str().unwrap_or_default();
        assert!(reason.contains(&format!("s3.{field}")), "{reason}");
    }
    assert_eq!(bucket.calls(), 0);
}

/// cloudfront-functions.md 11.3: `originAccessControlConfig`, inherited, switched off and on, and without keys for it.
#[tokio::test]
async fn section_11_3_a_viewer_function_decides_whether_a_request_is_signed() {
    let on = "{ enabled: true, signingBehavior: 'always', signingProtocol: 'sigv4', originType: 's3' }";
    let update = |properties: &str| viewer_function(&format!("cf.updateRequestOrigin({{ {properties} }})"));
    for (settings, properties, status) in [
        (CONTROL, "originPath: '/other'".to_owned(), 200),
        (CONTROL, "originAccessControlConfig: { enabled: false }".to_owned(), 403),
        (&*format!("{CONTROL}\nsigning-behavior = \"never\""), format!("originAccessControlConfig: {on}"), 200),
        ("", format!("originAccessControlConfig: {on}"), 502),
        (CONTROL, "hostHeader: 'other.example'".to_owned(), 502),
    ] {
        let bucket = bucket().await;
        let function = update(&properties);
        let keys = "origin = \"assets\"\nviewer-request = \"f\"";
        let node = node(&assets(&bucket, "", settings), keys, ("f.js", &function)).await;
        let answer = node.get("/page").await;
        assert_eq!(answer.status(), status, "{settings} {properties}: {}", answer.body);
        if status == 502 {
            assert_eq!(answer.header("x-cache"), "FunctionValidationError from cloudfront");
        }
    }
}

/// cloudfront-functions.md 11.3: access control is inherited at the bucket's own server, not at another port of its host.
#[tokio::test]
async fn section_11_3_another_port_of_the_buckets_host_is_shown_no_signature() {
    let (bucket, stranger) = (bucket().await, Origin::new(|_| Answer::ok("mine now")).await);
    let (host, port) = ("localhost", port_of(&stranger));
    let function = viewer_function(&format!(
        "cf.updateRequestOrigin({{ domainName: '{host}',
            customOriginConfig: {{ port: {port}, protocol: 'http', sslProtocols: ['TLSv1.2'] }} }})"
    ));
    let node =
        node(&assets(&bucket, "", CONTROL), "origin = \"assets\"\nviewer-request = \"f\"", ("f.js", &function)).await;
    assert_eq!(node.get("/page").await.body, "mine now");
    let asked = stranger.only_request();
    assert_eq!((asked.header("authorization"), asked.header("x-amz-security-token")), (None, None));
}

/// cloudfront-functions.md 11.3: a server that the function turns into a bucket of the configuration.
#[tokio::test]
async fn section_11_3_keys_are_those_that_the_configuration_has_for_the_bucket() {
    let bucket = bucket().await;
    let port = port_of(&bucket);
    let function = viewer_function(&format!(
        "cf.updateRequestOrigin({{ domainName: 'localhost',
            customOriginConfig: {{ port: {port}, protocol: 'http', sslProtocols: ['TLSv1.2'] }},
            originAccessControlConfig: {{ enabled: true, signingBehavior: 'no-override', signingProtocol: 'sigv4', originType: 's3' }} }})"
    ));
    let tables = format!("{}[origins.app]\nurl = \"http://app.invalid\"\n", assets(&bucket, "", CONTROL));
    let node = node(&tables, "origin = \"app\"\nviewer-request = \"f\"", ("f.js", &function)).await;
    let answer = node.get("/page").await;
    assert_eq!(answer.body, format!("signed for localhost:{port}"));
    assert!(bucket.only_request().header("authorization").unwrap_or_default().contains("/eu-central-1/s3/"));
}

#[tokio::test]
async fn without_keys_a_bucket_is_not_asked_and_the_record_says_why() {
    let bucket = bucket().await;
    let settings = CONTROL.replace("\"cdn\"", "\"gone\"");
    let node = node(&assets(&bucket, "", &settings), "origin = \"assets\"", IDLE).await;
    let answer = node.get("/page").await;
    assert_eq!((answer.status(), answer.header("x-cache")), (502, "Error from cloudfront"));
    let record = node.record();
    let error = record["origins"][0]["error"].as_str().unwrap_or_default();
    assert!(error.starts_with("the request for the origin cannot be signed: cannot take keys from"), "{record}");
    assert!(error.ends_with("[gone] with `aws_access_key_id` and `aws_secret_access_key` is not there"), "{record}");
    assert_eq!(bucket.calls(), 0);
}
