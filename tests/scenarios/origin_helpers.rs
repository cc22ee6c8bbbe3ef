//! Origins that a viewer-request function chooses (`cloudfront-functions.md` sections 11.2 to 11.5).

use rimward_testkit::{Answer, Origin};
use rimward_tests::TestNode;

/// Two demo origins, one that nobody answers for, and a function at viewer-request.
async fn node(body: &str, more: &str) -> TestNode {
    let nobody = Origin::nobody().await;
    let config = format!(
        "[origins.alpha]\nurl = \"builtin:demo\"\n[origins.beta]\nurl = \"builtin:demo\"\n\
         [origins.dead]\nurl = \"http://{nobody}\"\n\
         [origin-groups.pair]\nprimary = \"dead\"\nsecondary = \"beta\"\n\
         [functions.f]\ncode = \"f.js\"\n[[distributions]]\ndomains = [\"*\"]\n\
         [[distributions.behaviors]]\npath = \"*\"\nviewer-request = \"f\"\n{more}\n"
    );
    let code = format!("import cf from 'cloudfront';\nfunction handler(event) {{ {body}; return event.request; }}");
    let node = TestNode::start(&config, &[("f.js", code.as_bytes())]).await;
    assert!(node.problems.is_empty(), "{:?}", node.problems);
    node
}

/// Section 11.4.
#[tokio::test]
async fn a_request_goes_to_the_origin_that_its_function_selected() {
    let node = node("if (event.request.uri === '/b') cf.selectRequestOriginById('beta')", "origin = \"alpha\"").await;
    assert_eq!(node.get("/a").await.header("x-demo-origin"), "alpha");
    assert_eq!(node.get("/b").await.header("x-demo-origin"), "beta");
    assert_eq!(node.get("/c").await.header("x-demo-origin"), "alpha", "a call belongs to its request");
}

/// Section 11.2: the cache key does not change with the origin.
#[tokio::test]
async fn an_answer_is_found_again_whatever_origin_it_came_from() {
    let body = "if (event.request.headers['x-b']) cf.selectRequestOriginById('beta')";
    let node = node(body, "origin = \"alpha\"").await;
    assert_eq!(node.get_with("/cache/max-age/60", &[("x-b", "1")]).await.header("x-demo-origin"), "beta");
    let second = node.get("/cache/max-age/60").await;
    assert_eq!((second.header("x-demo-origin"), second.header("x-cache")), ("beta", "Hit from cloudfront"));
}

/// Section 11.5.
#[tokio::test]
async fn a_group_that_a_function_made_fails_over() {
    let body = "cf.createRequestOriginGroup({ originIds: ['dead', { originId: 'beta' }], failoverCriteria: { statusCodes: [503, 404] } })";
    let node = node(body, "origin = \"alpha\"").await;
    assert_eq!(node.get("/x").await.header("x-demo-origin"), "beta");
    let missing = node.get("/status/404").await;
    assert_eq!((missing.status(), missing.header("x-demo-origin")), (404, "beta"));
}

/// Section 11.3: with an origin group only the primary is replaced.
#[tokio::test]
async fn an_update_replaces_the_primary_of_a_group() {
    let origin = Origin::new(|_| Answer::new(500, "")).await;
    let port = origin.address().port();
    let body = format!(
        "cf.updateRequestOrigin({{ domainName: 'localhost', customOriginConfig: {{ port: {port}, protocol: 'http', sslProtocols: ['TLSv1.2'] }} }})"
    );
    let node = node(&body, "origin = \"pair\"").await;
    assert_eq!(node.get("/x").await.header("x-demo-origin"), "beta");
    assert_eq!(origin.calls(), 1);
}

/// Section 11.3: what is given counts, what is not is inherited; `hostHeader` wins over a forwarded `Host`.
#[tokio::test]
async fn an_update_sends_the_request_elsewhere_with_its_own_headers() {
    let origin = Origin::new(|_| Answer::ok("there")).await;
    let port = origin.address().port();
    let body = format!(
        "cf.updateRequestOrigin({{ domainName: 'localhost', originPath: '/base', hostHeader: 'other.example.com',
           customHeaders: {{ 'x-key': 'secret' }}, connectionAttempts: 1,
           customOriginConfig: {{ port: {port}, protocol: 'http', sslProtocols: ['TLSv1.2'] }} }})"
    );
    let node = node(&body, "origin = \"alpha\"\nforward = \"all-viewer\"").await;
    let answer = node.get("/page?a=1").await;
    assert_eq!((answer.status(), answer.body.as_str()), (200, "there"));
    let seen = origin.only_request();
    assert_eq!(seen.target, "/base/page?a=1");
    assert_eq!(seen.header("host"), Some("other.example.com"));
    assert_eq!(seen.header("x-key"), Some("secret"));
}

/// Sections 6, 11.3 and 18.
#[tokio::test]
async fn a_wrong_rewrite_is_a_validation_error_whose_reason_is_the_operators() {
    for (body, reason) in [
        (
            "cf.updateRequestOrigin({ domainName: '10.0.0.1' })",
            "updateRequestOrigin.domainName must be a DNS name of at most 253 characters, without a port, and no address",
        ),
        (
            "cf.updateRequestOrigin({ customHeaders: { host: 'x' } })",
            "updateRequestOrigin.customHeaders.host cannot be a custom header",
        ),
        ("cf.selectRequestOriginById('gone')", "selectRequestOriginById: `gone` is not an origin of the configuration"),
    ] {
        let node = node(body, "origin = \"alpha\"").await;
        let answer = node.get("/").await;
        assert_eq!((answer.status(), answer.header("x-cache")), (502, "FunctionValidationError from cloudfront"));
        assert!(answer.body.contains("The CloudFront function returned an invalid value for origin rewrite."));
        assert!(!answer.body.contains("must") && !answer.body.contains("gone"), "{}", answer.body);
        let record = node.record();
        assert_eq!(record["hooks"][0]["reason"], reason, "{record}");
    }
}

/// Section 11.2: effective only if the handler returns a request.
#[tokio::test]
async fn a_response_makes_the_rewrite_void() {
    let node =
        node("cf.updateRequestOrigin({ domainName: 5 }); return { statusCode: 200 }", "origin = \"alpha\"").await;
    assert_eq!(node.get("/").await.status(), 200);
}

/// Sections 4.2 rule 8 and 11.6.
#[tokio::test]
async fn functions_know_where_the_node_is() {
    let more = "origin = \"alpha\"\n[node]\nlocation = { name = \"FRA\", region = \"eu-central-1\" }";
    let node = node("return { statusCode: 200, body: JSON.stringify(cf.edgeLocation) }", more).await;
    let answer = node.get("/").await;
    assert_eq!(answer.body, r#"{"name":"FRA","serverIp":"127.0.0.1","region":"eu-central-1"}"#);
    assert_eq!(answer.header("x-amz-cf-pop"), "FRA");
}

/// Section 11.2; several functions at one hook are an extension: each chooses from the choice of the one before it.
#[tokio::test]
async fn of_two_functions_that_choose_an_origin_the_last_one_wins() {
    let config = "[origins.alpha]\nurl = \"builtin:demo\"\n[origins.beta]\nurl = \"builtin:demo\"\n\
        [origins.gamma]\nurl = \"builtin:demo\"\n[functions.first]\ncode = \"first.js\"\n\
        [functions.second]\ncode = \"second.js\"\n[[distributions]]\ndomains = [\"*\"]\n\
        [[distributions.behaviors]]\norigin = \"alpha\"\nviewer-request = [\"first\", \"second\"]\n";
    let selects = |origin: &str, path: &str| {
        format!(
            "import cf from 'cloudfront';\nfunction handler(event) {{\n\
             if (event.request.uri.startsWith('{path}')) cf.selectRequestOriginById('{origin}');\nreturn event.request; }}"
        )
    };
    let (first, second) = (selects("beta", "/one"), selects("gamma", "/one/two"));
    let files: [(&str, &[u8]); 2] = [("first.js", first.as_bytes()), ("second.js", second.as_bytes())];
    let node = TestNode::start(config, &files).await;
    assert!(node.problems.is_empty(), "{:?}", node.problems);
    for (path, origin) in [("/none", "alpha"), ("/one", "beta"), ("/one/two", "gamma")] {
        assert_eq!(node.get(path).await.header("x-demo-origin"), origin, "{path}");
    }
}
