//! What RFC 9110, 9111, 5861 and 9211 ask of a cache, through the whole node and real connections to an origin: what the
//! public suite does not cover (`cache-conformance.md` section 6). Decisions without connections are tried in
//! `crates/cache/tests`.

use http::{HeaderMap, StatusCode};
use rimward_testkit::{Answer, Origin, Received, soon};
use rimward_tests::{TestNode, request};
use rimward_types::{Body, Interim, InterimSink};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

async fn node_before(origin: SocketAddr) -> TestNode {
    let config = format!(
        "[origins.app]\nurl = \"http://{origin}\"\nattempts = 1\nread-timeout = \"1 s\"\n[[distributions]]\n\
         domains = [\"*\"]\n[[distributions.behaviors]]\norigin = \"app\"\nmethods = \"any\"\n"
    );
    TestNode::start(&config, &[]).await
}

/// An origin that answers what `script` says, and a node before it.
async fn stage(script: impl Fn(&Received) -> Answer + Send + Sync + 'static) -> (Origin, TestNode) {
    let origin = Origin::new(script).await;
    let node = node_before(origin.address()).await;
    (origin, node)
}

/// Answers the first request with `first` and each later one with what `then` makes.
async fn first_then(first: Answer, then: impl Fn() -> Answer + Send + Sync + 'static) -> (Origin, TestNode) {
    let first = Mutex::new(Some(first));
    stage(move |_| first.lock().unwrap().take().unwrap_or_else(&then)).await
}

#[tokio::test]
async fn who_has_changed_a_group_is_given_nothing_of_it_that_was_before() {
    // RFC 9875 section 3
    let (origin, node) = stage(|received| match received.method.as_str() {
        "POST" => Answer::new(204, "").header("cache-group-invalidation", "\"cart\""),
        _ => Answer::cached(60, "").header("cache-groups", "\"cart\", \"shop\""),
    })
    .await;
    for url in ["/cart", "/total", "/cart", "/total"] {
        assert!(node.get(url).await.header("cache-groups").contains("cart"), "it is for other caches too");
    }
    assert_eq!(origin.calls(), 2);
    node.send(request("POST", "/add", &[]), Body::Empty).await;
    for url in ["/cart", "/total"] {
        node.get(url).await;
    }
    assert_eq!(origin.calls(), 5);
}

#[tokio::test]
async fn the_configuration_for_the_public_suite_is_one() {
    let text = include_str!("../conformance/cache-tests.toml");
    let config = rimward_config::parse(text, std::path::Path::new("."), "cache-tests.toml").unwrap();
    let behavior = config.distribution_for("127.0.0.1").unwrap().behavior_for("/test/x").unwrap();
    assert!(behavior.methods.contains(&"M-SEARCH".parse().unwrap()));
    assert_eq!(behavior.cache_policy.default_ttl, None);
}

#[tokio::test]
async fn stale_stands_in_for_errors_timeouts_and_closed_connections() {
    // RFC 5861 section 4
    type Failure = fn() -> Answer;
    let failures: [(&str, Failure); 6] = [
        ("500", || Answer::new(500, "error")),
        ("502", || Answer::new(502, "error")),
        ("503", || Answer::new(503, "error")),
        ("504", || Answer::new(504, "error")),
        ("closed", Answer::hang_up),
        ("timeout", Answer::never),
    ];
    for (name, failure) in failures {
        let fresh = Answer::ok("good").header("cache-control", "max-age=5, stale-if-error=60");
        let (_origin, node) = first_then(fresh, failure).await;
        node.get("/").await;
        node.advance(10);
        let stale = node.get("/").await;
        assert_eq!((stale.status(), stale.body.as_str()), (200, "good"), "{name}");
        assert!(stale.header("cache-status").contains("detail=stale-if-error"), "{}", stale.header("cache-status"));
        node.advance(100);
        assert!(node.get("/").await.status() >= 500, "{name}: the window is over");
    }
}

#[tokio::test]
async fn stale_stands_in_for_an_origin_that_refuses_connections() {
    // RFC 9111 section 4.2.4
    let (origin, node) = first_then(Answer::cached(5, "good"), Answer::hang_up).await;
    node.get("/").await;
    drop(origin);
    node.advance(10);
    assert_eq!(node.get("/").await.body, "good");
}

#[tokio::test]
async fn a_refresh_in_the_background_happens_once_and_a_failed_one_leaves_the_stale_answer() {
    // RFC 5861 section 3
    let fresh = Answer::ok("old").header("cache-control", "max-age=5, stale-while-revalidate=60");
    let (origin, node) = first_then(fresh, || Answer::new(503, "error")).await;
    node.get("/").await;
    node.advance(10);
    for calls in [2, 3] {
        let answer = node.get("/").await;
        assert_eq!((answer.status(), answer.body.as_str()), (200, "old"));
        assert_eq!(answer.header("cache-status"), "Rimward; hit; ttl=-5; detail=stale-while-revalidate");
        origin.wait_for_calls(calls).await;
        // The refresh is over when the next request is not told that one is on its way.
        soon("the end of the refresh", async {
            while node.proxy().cache().usage().fills > 0 {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}

#[derive(Default)]
struct Told(Mutex<Vec<(u16, HeaderMap)>>);

impl InterimSink for Told {
    fn send(&self, _: u64, status: StatusCode, headers: &HeaderMap) {
        self.0.lock().unwrap().push((status.as_u16(), headers.clone()));
    }
}

#[tokio::test]
async fn interim_answers_reach_the_viewer_who_waits_and_leave_nothing_behind() {
    // RFC 9110 section 15.2
    let hints = "HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\nx-hint: 1\r\n\r\n\
                 HTTP/1.1 200 OK\r\ncache-control: max-age=60\r\ncontent-length: 2\r\n\r\nok";
    let (_origin, node) = stage(move |_| Answer::raw(hints)).await;
    for interims in [1, 0] {
        let told = Arc::new(Told::default());
        let interim = Interim::to(told.clone(), 1);
        let answer = node.try_send(request("GET", "/", &[]), Body::Empty, interim).await.unwrap();
        assert_eq!((answer.status(), answer.body.as_str(), answer.header("x-hint")), (200, "ok", ""));
        let told = told.0.lock().unwrap();
        assert_eq!(told.len(), interims, "those of a hit were another's");
        assert!(told.iter().all(|(status, headers)| *status == 103 && headers["link"] == "</a.css>"));
    }
}

#[tokio::test]
async fn an_incomplete_answer_is_cut_for_the_viewer_and_not_stored() {
    // RFC 9111 section 3.3, RFC 9112 section 8
    let broken = [
        "HTTP/1.1 200 OK\r\ncache-control: max-age=60\r\ncontent-length: 10\r\n\r\nshort",
        "HTTP/1.1 200 OK\r\ncache-control: max-age=60\r\ntransfer-encoding: chunked\r\n\r\n5\r\nshort\r\n",
        "HTTP/1.1 200 OK\r\ncache-control: max-age=60\r\ntransfer-encoding: chunked\r\n\r\n5\r\nshort\r\nx\r\n",
    ];
    for bytes in broken {
        let (_origin, node) = first_then(Answer::raw(bytes).then_close(), || Answer::cached(60, "whole")).await;
        assert!(node.try_send(request("GET", "/", &[]), Body::Empty, Interim::default()).await.is_err(), "{bytes:?}");
        assert_eq!(node.get("/").await.body, "whole", "{bytes:?}");
    }
}

#[tokio::test]
async fn an_answer_that_ends_with_its_connection_is_stored_and_trailers_are_not() {
    // RFC 9112 section 6.3, RFC 9111 section 3.1
    let answers = [
        "HTTP/1.1 200 OK\r\ncache-control: max-age=60\r\n\r\nbody",
        "HTTP/1.1 200 OK\r\ncache-control: max-age=60\r\ntransfer-encoding: chunked\r\ntrailer: x\r\n\r\n\
         4\r\nbody\r\n0\r\nx: 1\r\netag: \"t\"\r\n\r\n",
    ];
    for bytes in answers {
        let (origin, node) = stage(move |_| Answer::raw(bytes).then_close()).await;
        for _ in 0..2 {
            let answer = node.get("/").await;
            assert_eq!((answer.body.as_str(), answer.header("x"), answer.header("etag")), ("body", "", ""));
            assert_eq!((answer.header("trailer"), answer.header("transfer-encoding")), ("", ""));
        }
        assert_eq!(origin.calls(), 1);
    }
}

#[tokio::test]
async fn fields_of_the_origins_connection_end_at_the_node_in_any_spelling() {
    // RFC 9110 section 7.6.1, RFC 9111 section 3.1
    let bytes = "HTTP/1.1 200 OK\r\ncache-control: max-age=60\r\nCONNECTION: x-One, X-TWO\r\nconnection: CLOSE\r\n\
                 x-one: 1\r\nX-Two: 2\r\nKEEP-ALIVE: timeout=5\r\nProxy-Connection: keep-alive\r\n\
                 Proxy-Authenticate: Basic\r\nProxy-Authentication-Info: a=1\r\nTE: trailers\r\nUpgrade: h2c\r\n\
                 x-three: 3\r\ncontent-length: 0\r\n\r\n";
    let (_origin, node) = stage(move |_| Answer::raw(bytes).then_close()).await;
    for _ in 0..2 {
        let answer = node.get("/").await;
        assert_eq!(answer.header("x-three"), "3");
        for name in [
            "connection",
            "x-one",
            "x-two",
            "keep-alive",
            "proxy-connection",
            "proxy-authenticate",
            "proxy-authentication-info",
            "te",
            "upgrade",
        ] {
            assert_eq!(answer.header(name), "", "{name}");
        }
    }
}

#[tokio::test]
async fn unsafe_methods_known_or_not_remove_what_is_stored_under_their_url_alone() {
    // RFC 9111 section 4.4
    for method in ["POST", "PUT", "DELETE", "PATCH", "M-SEARCH", "X-UNHEARD-OF"] {
        for (status, gone) in [(200, true), (303, true), (404, false), (500, false)] {
            let (origin, node) = stage(move |request| match request.method.as_str() {
                "GET" => Answer::cached(60, "a"),
                // Nobody may remove what is another's.
                _ => Answer::new(status, "").header("location", "http://other.example/b"),
            })
            .await;
            node.get("/a").await;
            node.get("/b").await;
            node.send(request(method, "/a", &[]), Body::Empty).await;
            node.get("/a").await;
            node.get("/b").await;
            let calls = if gone { 4 } else { 3 };
            assert_eq!(origin.calls(), calls, "{method} {status}");
        }
    }
}

#[tokio::test]
async fn options_is_passed_and_never_stored() {
    // RFC 9110 section 9.3.7
    let (origin, node) = stage(|_| Answer::cached(60, "a")).await;
    for _ in 0..2 {
        node.send(request("OPTIONS", "/", &[]), Body::Empty).await;
    }
    node.get("/").await;
    assert_eq!(origin.calls(), 3);
}

#[tokio::test]
async fn max_forwards_is_counted_down_for_options_and_ends_at_zero() {
    // RFC 9110 section 7.6.2
    let (origin, node) = stage(|_| Answer::ok("")).await;
    node.send(request("OPTIONS", "/", &[("max-forwards", "3")]), Body::Empty).await;
    assert_eq!(origin.only_request().header("max-forwards"), Some("2"));
    let last = node.send(request("OPTIONS", "/", &[("max-forwards", "0")]), Body::Empty).await;
    assert_eq!((last.status(), last.header("allow")), (200, "GET, HEAD, OPTIONS, PUT, POST, PATCH, DELETE"));
    assert_eq!(origin.calls(), 1);
    node.send(request("POST", "/", &[("max-forwards", "0")]), Body::Empty).await;
    assert_eq!(origin.calls(), 2, "it is for OPTIONS alone");
}

#[tokio::test]
async fn via_grows_in_both_directions_and_expect_ends_here() {
    // RFC 9110 sections 7.6.3 and 10.1.1
    let (origin, node) = stage(|_| Answer::ok("").header("via", "1.1 inner")).await;
    let asked = request("POST", "/", &[("via", "1.0 outer"), ("expect", "100-continue")]);
    let answer = node.send(asked, Body::from("x")).await;
    let via: Vec<_> = answer.head.headers.get_all("via").iter().collect();
    assert_eq!(via, ["1.1 inner", "1.1 rimward"]);
    let received = origin.only_request();
    assert_eq!((received.header("via"), received.header("expect")), (Some("1.0 outer, 1.1 rimward"), None));
}

#[tokio::test]
async fn cache_status_stands_behind_that_of_upstream_caches_and_is_kept_of_them() {
    // RFC 9211 section 2
    let (_origin, node) =
        stage(|_| Answer::cached(60, "a").header("cache-status", "Inner; fwd=uri-miss; stored")).await;
    for own in ["Rimward; fwd=uri-miss; fwd-status=200; stored; ttl=60", "Rimward; hit; ttl=60"] {
        let answer = node.get("/").await;
        let lines: Vec<_> = answer.head.headers.get_all("cache-status").iter().collect();
        assert_eq!(lines, ["Inner; fwd=uri-miss; stored", own]);
    }
}

#[tokio::test]
async fn several_hosts_share_what_is_stored_unless_the_origin_sees_the_host() {
    // RFC 9111 section 2
    for (forward, calls) in [("all-viewer-except-host", 1), ("all-viewer", 2)] {
        let origin = Origin::new(|_| Answer::cached(60, "a")).await;
        let config = format!(
            "[origins.app]\nurl = \"{}\"\n[[distributions]]\ndomains = [\"*\"]\n[[distributions.behaviors]]\n\
             origin = \"app\"\nforward = \"{forward}\"\n",
            origin.url()
        );
        let node = TestNode::start(&config, &[]).await;
        for host in ["a.example", "b.example"] {
            let mut asked = request("GET", "/", &[]);
            asked.headers.insert("host", host.parse().unwrap());
            node.send(asked, Body::Empty).await;
        }
        assert_eq!(origin.calls(), calls, "{forward}");
    }
}

#[tokio::test]
async fn an_answer_keeps_what_it_is_stored_by_though_connection_names_it() {
    // RFC 9110 section 7.6.1: no sender may name what is for all on the way.
    let (_origin, node) = stage(|received| {
        let who = received.header("x-a").unwrap_or("nobody").to_owned();
        let answer = Answer::ok(who).header("connection", "vary, content-type, cache-control");
        let control = if received.target == "/private" { "private" } else { "max-age=60" };
        answer.header("vary", "x-a").header("content-type", "text/plain").header("cache-control", control)
    })
    .await;
    for who in ["1", "2"] {
        let answer = node.get_with("/", &[("x-a", who)]).await;
        assert_eq!((answer.body.as_str(), answer.header("content-type")), (who, "text/plain"));
        node.get_with("/private", &[("x-a", who)]).await;
        assert_eq!(node.get_with("/private", &[("x-a", who)]).await.header("x-cache"), "Miss from cloudfront");
    }
    assert_eq!(node.get_with("/", &[("x-a", "2")]).await.header("x-cache"), "Hit from cloudfront");
}

#[tokio::test]
async fn an_answer_that_breaks_off_says_why_in_its_record() {
    let cut =
        || Answer::raw("HTTP/1.1 200 OK\r\ncontent-length: 10\r\ncache-control: max-age=60\r\n\r\n01234").then_close();
    let (_origin, node) = stage(move |_| cut()).await;
    for method in ["GET", "POST"] {
        let head = request(method, "/", &[]);
        assert!(node.try_send(head, Body::Empty, Interim::default()).await.is_err(), "{method}");
        let record = node.record();
        assert_eq!((&record["complete"], &record["detail"]), (&false.into(), &"OriginCommError".into()), "{record}");
        assert_eq!(record["origins"][0]["status"], 200);
        let error = record["origins"][0]["error"].as_str().unwrap_or_default();
        assert!(error.starts_with("origin body ended early: "), "{record}");
    }
}

#[tokio::test]
async fn a_viewer_who_leaves_is_told_from_an_origin_that_does() {
    let (_origin, node) =
        stage(|_| Answer::raw("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n01234").then_never()).await;
    drop(node.open(request("GET", "/", &[]), Body::Empty).await);
    let record = node.record();
    assert_eq!((&record["complete"], &record["detail"]), (&false.into(), &"ClientCommError".into()), "{record}");
}

#[tokio::test]
async fn an_origin_that_gets_no_cookies_sets_none() {
    // cdn-behaviour.md sections 10.1 and 14
    let script = |received: &Received| {
        let answer = Answer::ok("page").header("set-cookie", "session=1");
        let control = if received.target == "/private" { "no-store" } else { "max-age=60" };
        answer.header("cache-control", control)
    };
    let origin = Origin::new(script).await;
    let node = |behavior: &str| {
        let config = format!(
            "[origins.app]\nurl = \"{}\"\n[[distributions]]\ndomains = [\"*\"]\n[[distributions.behaviors]]\n\
             origin = \"app\"\nmethods = \"any\"\n{behavior}\n[cache-policies.p]\nprofile = \"cloudfront\"\n",
            origin.url()
        );
        async move { TestNode::start(&config, &[]).await }
    };
    let without = node("cache-policy = \"p\"\nforward = \"none\"").await;
    let with = node("cache-policy = \"p\"\nforward = \"all-viewer-except-host\"").await;
    for path in ["/", "/", "/private"] {
        assert_eq!(without.get(path).await.header("set-cookie"), "", "{path}");
        assert_eq!(with.get(path).await.header("set-cookie"), "session=1", "{path}");
    }
    assert_eq!(without.send(request("POST", "/", &[]), Body::Empty).await.header("set-cookie"), "");
}

#[tokio::test]
async fn what_belongs_to_another_proxy_does_not_reach_the_origin() {
    // cdn-behaviour.md section 7.3
    let (origin, node) = stage(|_| Answer::cached(60, "page")).await;
    let sent = [("proxy-authorization", "Basic YTpi"), ("proxy-x", "1"), ("x-edge-y", "1"), ("x-own", "1")];
    node.get_with("/", &sent).await;
    let received = &origin.received()[0];
    let names: Vec<_> = sent.iter().filter(|(name, _)| received.header(name).is_some()).collect();
    assert_eq!(names, [&("x-own", "1")]);
}

/// A viewer that asks and leaves takes up nothing of the origin; one that waits with it loses nothing.
#[tokio::test]
async fn a_fetch_ends_before_its_head_with_the_last_viewer_that_waits() {
    let (origin, node) = stage(|_| Answer::never()).await;
    let node = Arc::new(node);
    let viewer = || {
        let node = node.clone();
        tokio::spawn(async move { node.open(request("GET", "/", &[]), Body::Empty).await.0 })
    };
    let usage = || node.proxy().cache().usage();
    let first = viewer();
    while origin.calls() == 0 {
        tokio::task::yield_now().await;
    }
    first.abort();
    while usage().fills > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!((origin.calls(), usage().given_up), (1, 1));
}
