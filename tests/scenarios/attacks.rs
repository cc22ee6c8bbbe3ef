//! Attacks on the cache and on what stands behind it, one test each; those that need a socket are in `attacks_wire`.

use rimward_testkit::{Answer as Given, Origin, Received};
use rimward_tests::{TestNode, request};
use rimward_types::Body;
use std::process::Command;

fn config(origin: &Origin, more: &str) -> String {
    format!(
        "[origins.app]\nurl = \"{}\"\n[[distributions]]\ndomains = [\"www.example.com\", \"*.example.com\"]\n\
         [[distributions.behaviors]]\norigin = \"app\"\n{more}",
        origin.url()
    )
}

async fn node(origin: &Origin, more: &str) -> TestNode {
    TestNode::start(&config(origin, more), &[]).await
}

/// An origin that believes headers that name another host, path or method.
fn gullible(received: &Received) -> Given {
    let says = |names: &[&str]| names.iter().find_map(|name| received.header(name)).unwrap_or("nothing").to_owned();
    let host = says(&["x-forwarded-host", "x-host", "forwarded", "x-forwarded-server", "x-http-host-override"]);
    let path = says(&["x-original-url", "x-rewrite-url", "x-forwarded-prefix"]);
    let scheme = says(&["x-forwarded-proto", "x-forwarded-scheme", "x-forwarded-port"]);
    let method = says(&["x-http-method-override", "x-http-method", "x-method-override"]);
    Given::cached(60, format!("{host} {path} {scheme} {method}"))
}

#[tokio::test]
async fn headers_outside_of_the_key_do_not_poison_what_others_get() {
    // `cdn-behaviour.md` section 7.3
    let attack = [
        ("x-forwarded-host", "evil.example"),
        ("x-host", "evil.example"),
        ("forwarded", "host=evil.example"),
        ("x-forwarded-server", "evil.example"),
        ("x-http-host-override", "evil.example"),
        ("x-original-url", "/admin"),
        ("x-rewrite-url", "/admin"),
        ("x-forwarded-prefix", "/evil"),
        ("x-forwarded-proto", "nothttps"),
        ("x-forwarded-scheme", "nothttps"),
        ("x-forwarded-port", "1"),
        ("x-http-method-override", "DELETE"),
        ("x-http-method", "DELETE"),
        ("x-method-override", "DELETE"),
        ("x-original-uri", "/admin"),
        ("x-forwarded-user", "admin"),
        ("x-original-method", "DELETE"),
        ("true-client-ip", "127.0.0.1"),
        ("x-client-ip", "127.0.0.1"),
        ("x-cluster-client-ip", "127.0.0.1"),
        ("x_forwarded_host", "evil.example"),
    ];
    let origin = Origin::new(gullible).await;
    for forward in ["", "forward = \"all-viewer\"\n", "forward = { headers = { except = [\"accept\"] } }\n"] {
        let node = node(&origin, forward).await;
        node.get_with("/", &attack).await;
        let received = origin.received().pop().unwrap();
        assert!(attack.iter().all(|(name, _)| received.header(name).is_none()), "{forward}");
        assert_eq!(node.get("/").await.body, "nothing nothing nothing nothing", "{forward}");
    }
}

#[tokio::test]
async fn a_header_that_is_believed_reaches_the_origin_when_it_is_in_the_key_or_nothing_is_stored() {
    let origin = Origin::new(gullible).await;
    let keyed = "cache-policy = \"keyed\"\n[cache-policies.keyed]\nheaders = [\"x-forwarded-host\"]\n";
    for more in [keyed, "cache-policy = \"caching-disabled\"\n"] {
        let node = node(&origin, more).await;
        let other = node.get_with("/", &[("x-forwarded-host", "other.example")]).await;
        assert_eq!(other.body, "other.example nothing nothing nothing");
        assert_eq!(node.get("/").await.body, "nothing nothing nothing nothing");
    }
}

#[tokio::test]
async fn what_a_function_says_of_host_and_path_reaches_the_origin_and_what_the_viewer_says_does_not() {
    let origin = Origin::new(gullible).await;
    let more = "viewer-request = \"f\"\n[functions.f]\ncode = \"f.js\"\n";
    let code: &[u8] =
        b"function handler(e) { var r = e.request; r.headers['x-forwarded-host'] = r.headers.host; return r; }";
    let node = TestNode::start(&config(&origin, more), &[("f.js", code)]).await;
    let attack = [("x-forwarded-host", "evil.example"), ("x-original-url", "/admin")];
    for headers in [&attack[..], &[]] {
        let answer = node.get_with("/", headers).await;
        assert_eq!(answer.body, "www.example.com nothing nothing nothing", "{headers:?}");
    }
    let received = origin.only_request();
    assert_eq!(received.header("x-original-url"), None, "the function let it be");
}

#[tokio::test]
async fn a_method_does_not_answer_for_another() {
    let origin = Origin::new(|received| {
        let body = if received.method == "HEAD" { String::new() } else { received.method.clone() };
        Given::cached(60, body)
    })
    .await;
    let node = node(&origin, "methods = \"all\"\n").await;
    let send = |method: &'static str| node.send(request(method, "/", &[]), Body::Empty);
    assert_eq!(send("HEAD").await.body, "");
    assert_eq!(send("GET").await.body, "GET", "what came for HEAD has no body to give");
    assert_eq!(send("OPTIONS").await.body, "OPTIONS");
    assert_eq!(send("DELETE").await.body, "DELETE");
    assert_eq!(send("get").await.status(), 403, "methods are case-sensitive");
    assert_eq!(send("GET").await.body, "GET");
    // A GET with a body, whose content is in no key.
    let mut fat = request("GET", "/fat", &[("content-length", "4")]);
    let refused = node.send(fat.clone(), "evil".into()).await;
    assert_eq!(refused.status(), 403);
    fat.headers.remove("content-length");
    fat.headers.insert("transfer-encoding", "chunked".parse().unwrap());
    assert_eq!(node.send(fat, "evil".into()).await.status(), 403);
    // Over HTTP/2 nothing in the head need tell (RFC 9113 section 8.1.1).
    for method in ["GET", "HEAD"] {
        assert_eq!(node.send(request(method, "/fat", &[]), "evil".into()).await.status(), 403);
    }
    assert_eq!(node.send(request("GET", "/thin", &[]), "".into()).await.status(), 200);
}

#[tokio::test]
async fn a_host_does_not_answer_for_another_where_the_origin_sees_it() {
    let origin =
        Origin::new(|received| Given::cached(60, received.header("host").unwrap_or_default().to_owned())).await;
    let node = node(&origin, "forward = \"all-viewer\"\n").await;
    let get = |host: &'static str| {
        let mut head = request("GET", "/", &[]);
        head.headers.insert("host", host.parse().unwrap());
        node.send(head, Body::Empty)
    };
    for host in ["www.example.com", "a.example.com", "b.example.com", "a.example.com:8080"] {
        assert_eq!(get(host).await.body, host);
    }
    assert_eq!(get("a.example.com").await.body, "a.example.com");
    for stranger in ["evil.example", "example.com.evil.example", "www.example.com.evil.example"] {
        assert_eq!(get(stranger).await.status(), 403, "{stranger}");
    }
}

/// An application that knows no file `/account/x.css` and shows the account of the one who asks.
fn account(received: &Received) -> Given {
    let who = received.header("cookie").unwrap_or("nobody").to_owned();
    match received.target.as_str() {
        target if target.contains("no-store") => Given::ok(who).header("cache-control", "no-store"),
        target if target.contains("private") => Given::ok(who).header("cache-control", "private, max-age=60"),
        _ => Given::ok(who),
    }
}

#[tokio::test]
async fn a_private_page_under_the_name_of_a_style_sheet_is_not_given_to_others() {
    let origin = Origin::new(account).await;
    let node = node(&origin, "").await;
    for path in [
        "/account/x.css",
        "/account/x.css?private",
        "/account/private.css",
        "/account/no-store/x.js",
        "/account%2Fx.css",
        "/account;x.css",
        "/account%3Fx.css",
        "/account%23x.css",
        "/static/../account/x.css",
    ] {
        assert_eq!(node.get_with(path, &[("cookie", "victim")]).await.body, "victim", "{path}");
        assert_eq!(node.get(path).await.body, "nobody", "{path}");
    }
}

#[tokio::test]
async fn a_path_that_an_origin_may_read_as_another_is_refused() {
    let origin = Origin::must_not_be_called().await;
    let node = node(&origin, "").await;
    for path in ["/static/..%2faccount", "/static/%2e%2e%2Faccount", "/static/..%5caccount", "/a%2f..%2f..%2fb"] {
        assert_eq!(node.get(path).await.status(), 400, "{path}");
        assert_eq!(node.record()["detail"], "AmbiguousPath");
    }
}

/// The function that guards `/private/*` does not run for what falls under another behavior; a server that decodes slashes, or leaves
/// parameters out, gives the file all the same.
#[tokio::test]
async fn a_guarded_path_is_not_reached_in_a_spelling_of_another_behavior() {
    let origin = Origin::new(|_| Given::cached(60, "SECRET")).await;
    let config = format!(
        "[origins.app]\nurl = \"{}\"\n[functions.guard]\ncode = \"guard.js\"\n[node.acl]\npurge = [\"0.0.0.0/0\"]\n\
         [[distributions]]\ndomains = [\"*\"]\n\
         [[distributions.behaviors]]\npath = \"/private/*\"\norigin = \"app\"\nviewer-request = \"guard\"\n\
         [[distributions.behaviors]]\norigin = \"app\"\n",
        origin.url()
    );
    let guard = "function handler(event) { return { statusCode: 401 }; }";
    let node = TestNode::start(&config, &[("guard.js", guard.as_bytes())]).await;
    for path in ["/private%2freport.txt", "/%2Fprivate/report.txt", "/private%5Creport.txt", "/private;v=1/report.txt"]
    {
        for method in ["GET", "POST", "PURGE"] {
            let refused = node.send(request(method, path, &[]), Body::Empty).await;
            assert_eq!(refused.status(), 400, "{method} {path}");
            assert_eq!(node.record()["detail"], "AmbiguousBehavior");
        }
        let connection =
            rimward_types::Connection::new(([203, 0, 113, 7], 1).into(), ([127, 0, 0, 1], 80).into(), None);
        let explained = node.proxy().explain(connection.into(), request("GET", path, &[])).await.to_string();
        assert!(explained.contains("ends at route: 400 Error, AmbiguousBehavior"), "{explained}");
    }
    for path in ["/x/..;/private/report.txt", "/x//../private/report.txt", "/x/..%2Fprivate/report.txt"] {
        assert_eq!(node.get(path).await.status(), 400, "{path}");
        assert_eq!(node.record()["detail"], "AmbiguousPath");
    }
    assert_eq!(origin.calls(), 0);
    assert_eq!(node.get("/private/a%2Fb").await.status(), 401);
    for path in ["/files/a%2Fb;v=1", "/a%5Cb", "/caf%C3%A9%20x"] {
        assert_eq!(node.get(path).await.body, "SECRET", "{path}");
        assert_eq!(origin.received().last().unwrap().target, path, "it goes on as it came");
    }
}

/// Whoever reads `CloudFront-*` trusts the node; `Proxy` becomes `HTTP_PROXY` in CGI (CVE-2016-5385).
#[tokio::test]
async fn nobody_is_told_what_a_viewer_forges_under_the_nodes_names() {
    let origin = Origin::new(|_| Given::ok("")).await;
    let forged = [
        ("cloudfront-viewer-country", "XX"),
        ("cloudfront-viewer-address", "127.0.0.1:1"),
        ("cloudfront-is-mobile-viewer", "true"),
        ("cloudfront-forwarded-proto", "https"),
        ("cloudfront_viewer_country", "XX"),
        ("proxy", "http://evil.example"),
    ];
    let code = "function handler(event) { event.request.headers['x-seen'] = { value: Object.keys(event.request.headers).filter(\
                function (n) { return n.indexOf('cloudfront') === 0 }).join() }; return event.request; }";
    for more in [
        "",
        "forward = \"all-viewer\"\n",
        "cache-policy = \"caching-disabled\"\n",
        "forward = { headers = [\"proxy\"] }\n",
    ] {
        let config = format!("{}viewer-request = \"f\"\n[functions.f]\ncode = \"f.js\"\n", config(&origin, more));
        let node = TestNode::start(&config, &[("f.js", code.as_bytes())]).await;
        node.get_with("/", &forged).await;
        let received = origin.received().pop().unwrap();
        assert!(matches!(received.header("x-seen"), Some("") | None), "{more}");
        for (name, _) in forged {
            assert_eq!(received.header(name), None, "{more} {name}");
        }
    }
}

/// A GET has no body that they could describe; an origin that answers by them gives what does not belong under the key.
#[tokio::test]
async fn headers_of_a_body_that_is_not_there_do_not_reach_the_origin() {
    let origin = Origin::new(|received| match received.header("content-type") {
        Some(kind) if received.method == "GET" => Given::cached(60, format!("415 {kind}")),
        kind => Given::cached(60, kind.unwrap_or("nothing").to_owned()),
    })
    .await;
    let body =
        [("content-type", "x/y"), ("content-encoding", "gzip"), ("content-language", "xx"), ("expect", "100-continue")];
    let policies = ["", "forward = \"none\"\n", "cache-policy = \"caching-optimized\"\nforward = \"all-viewer\"\n"];
    for more in policies {
        let node = node(&origin, &format!("methods = \"all\"\n{more}")).await;
        assert_eq!(node.get_with("/", &body).await.body, "nothing", "{more}");
        assert!(body.iter().all(|(name, _)| origin.received().last().unwrap().header(name).is_none()), "{more}");
        let post = request("POST", "/", &[("content-type", "x/y"), ("content-length", "1")]);
        assert_eq!(node.send(post, "a".into()).await.body, "x/y", "{more}");
        assert_eq!(node.send(request("DELETE", "/", &body[..1]), Body::Empty).await.body, "x/y", "{more}");
    }
    let node = node(&origin, "cache-policy = \"caching-disabled\"\n").await;
    assert_eq!(node.get_with("/", &body[..1]).await.body, "415 x/y", "nothing is stored of it");
}

#[tokio::test]
async fn a_path_in_another_spelling_falls_under_the_behavior_that_it_means() {
    let open = Origin::new(|_| Given::ok("open")).await;
    let guarded = Origin::new(|_| Given::ok("guarded")).await;
    let config = format!(
        "[origins.open]\nurl = \"{}\"\n[origins.guarded]\nurl = \"{}\"\n[[distributions]]\ndomains = [\"*\"]\n\
         [[distributions.behaviors]]\npath = \"/admin*\"\norigin = \"guarded\"\n\
         [[distributions.behaviors]]\norigin = \"open\"\n",
        open.url(),
        guarded.url()
    );
    let node = TestNode::start(&config, &[]).await;
    for path in ["/admin", "/%61dmin", "//admin", "/x/../admin", "/./admin", "/%2e/admin", "/x/%2E%2e/%61%64min/"] {
        assert_eq!(node.get(path).await.body, "guarded", "{path}");
    }
}

#[tokio::test]
async fn nothing_splits_an_answer() {
    // A function's header, a redirect's target, an origin's header
    let code = "function handler(event) { return { statusCode: 302, headers: { location: \
                { value: '/a\\r\\nset-cookie: x=' + event.request.querystring.q.value } } }; }";
    let node = TestNode::with_function(code).await;
    let answer = node.get("/?q=1").await;
    assert_eq!((answer.status(), answer.header("x-cache")), (502, "FunctionValidationError from cloudfront"));
    assert_eq!(answer.header("set-cookie"), "");

    let origin =
        Origin::new(|_| Given::raw("HTTP/1.1 200 OK\r\nx-a: b\rset-cookie: x=1\r\ncontent-length: 0\r\n\r\n")).await;
    let node = self::node(&origin, "viewer-protocol = \"redirect-to-https\"\n").await;
    let redirect = node.get("/%0d%0aset-cookie:%20x=1?%0d%0a").await;
    assert_eq!(redirect.header("location"), "https://www.example.com/%0d%0aset-cookie:%20x=1?%0d%0a");
    let node = self::node(&origin, "").await;
    let answer = node.get("/").await;
    assert_eq!((answer.status(), answer.header("set-cookie")), (502, ""));
}

#[tokio::test]
async fn variants_without_end_do_not_push_out_the_rest() {
    let origin = Origin::new(|received| match received.target.as_str() {
        "/many" => {
            let names: Vec<String> = (0..100).map(|n| format!("x-vary-{n}")).collect();
            Given::cached(60, "many").header("vary", &names.join(", "))
        }
        "/other" => Given::cached(60, "other"),
        _ => Given::cached(60, "varies").header("vary", "x-session"),
    })
    .await;
    let node = node(&origin, "").await;
    node.get("/other").await;
    for n in 0..200 {
        assert_eq!(node.get_with("/varies", &[("x-session", &n.to_string())]).await.body, "varies");
        assert_eq!(node.get_with("/many", &[(&format!("x-vary-{}", n % 100), &n.to_string())]).await.body, "many");
    }
    let usage = node.proxy().cache().usage();
    assert!(usage.objects <= 1 + 2 * 32, "{usage:?}");
    assert_eq!(node.get("/other").await.header("x-cache"), "Hit from cloudfront");
}

/// The child of the next test.
#[test]
#[ignore = "it is run in a process of its own by the test below"]
fn a_hash_is_printed() {
    let key = rimward_cache::Key::new("E1", &request("GET", "/", &[]), &rimward_cache::KeyRules::default());
    println!("hash={}", key.hash());
}

#[test]
fn nobody_can_choose_urls_that_collide() {
    // The hash of keys has a secret of its process.
    let hash = || {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["attacks::a_hash_is_printed", "--exact", "--ignored", "--nocapture"]);
        let printed = String::from_utf8(child.output().unwrap().stdout).unwrap();
        let hash = printed.lines().find_map(|line| Some(line.split_once("hash=")?.1.to_owned()));
        hash.unwrap_or_else(|| panic!("no hash in {printed}"))
    };
    let hashes = [hash(), hash(), hash()];
    assert!(hashes[0] != hashes[1] || hashes[1] != hashes[2], "{hashes:?}");
}

#[tokio::test]
async fn ranges_do_not_make_an_answer_larger_than_the_object() {
    // RFC 9110 section 14.2: many or overlapping ranges may be an attack (CVE-2011-3192).
    let origin = Origin::new(|_| Given::cached(60, "x".repeat(100_000)).header("etag", "\"1\"")).await;
    let node = node(&origin, "").await;
    node.get("/").await;
    let all = "0-,".repeat(1000);
    let small: Vec<String> = (0..1000).map(|n| format!("{n}-{n}")).collect();
    for ranges in [all.trim_end_matches(',').to_owned(), "0-,5-1,".repeat(300) + "1-", small.join(",")] {
        let answer = node.get_with("/", &[("range", &format!("bytes={ranges}"))]).await;
        assert!(answer.bytes.len() <= 200_000, "{} bytes for {}", answer.bytes.len(), &ranges[..20]);
    }
    assert_eq!(origin.calls(), 1);
}

#[tokio::test]
async fn conditions_tell_nothing_of_what_one_may_not_read() {
    let origin = Origin::new(|received| {
        // Guesses must not reach it either where it is not asked.
        let known = received.header("authorization").is_some();
        if known { Given::cached(60, "secret").header("etag", "\"s\"") } else { Given::new(401, "") }
    })
    .await;
    let guess = [("if-none-match", "\"s\"")];
    // An answer to a request with Authorization is not stored for others (RFC 9111 section 3.5).
    let node = node(&origin, "").await;
    node.get_with("/", &[("authorization", "Bearer t")]).await;
    assert_eq!(node.get_with("/", &guess).await.status(), 401);
    let only = [("if-none-match", "\"s\""), ("cache-control", "only-if-cached")];
    assert_eq!(node.get_with("/", &only).await.status(), 504);

    // A function decides before the condition is looked at.
    let code = "function handler(event) { var r = event.request; return r.headers.authorization ? r : \
                { statusCode: 401 }; }";
    let public = "public, max-age=60";
    let stored =
        Origin::new(move |_| Given::ok("secret").header("cache-control", public).header("etag", "\"s\"")).await;
    let config =
        format!("{}viewer-request = \"f\"\n[functions.f]\ncode = \"f.js\"\n", config(&stored, "forward = \"none\"\n"));
    let node = TestNode::start(&config, &[("f.js", code.as_bytes())]).await;
    for result in ["Miss from cloudfront", "Hit from cloudfront"] {
        assert_eq!(node.get_with("/", &[("authorization", "Bearer t")]).await.header("x-cache"), result);
    }
    for condition in [guess[0], ("if-match", "\"s\""), ("range", "bytes=0-0"), ("cache-control", "only-if-cached")] {
        assert_eq!(node.get_with("/", &[condition]).await.status(), 401, "{condition:?}");
    }
}
