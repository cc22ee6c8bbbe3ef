//! Conditions and ranges on their way to the origin: the cache's own, and those of viewers. What one viewer asks by them is
//! no answer for another (RFC 9110 sections 13.1 and 14.2, `cdn-behaviour.md` sections 7.3, 11 and 12).

use rimward_testkit::{Answer, Origin, Received};
use rimward_tests::{TestNode, request};
use rimward_types::Body;

/// A node whose behavior has `behavior` besides its origin, and a cache policy `p` of `policy`.
async fn node_before(origin: &Origin, behavior: &str, policy: &str) -> TestNode {
    let config = format!(
        "[origins.app]\nurl = \"{}\"\n[[distributions]]\ndomains = [\"*\"]\n[[distributions.behaviors]]\norigin = \"app\"\n\
         methods = \"any\"\ncache-policy = \"p\"\n{behavior}\n[cache-policies.p]\n{policy}\n",
        origin.url()
    );
    TestNode::start(&config, &[]).await
}

/// What may be forwarded of a viewer's headers, and never names a condition.
const FORWARDS: [&str; 3] = ["forward = \"none\"", "forward = { headers = [\"x-a\"] }", ""];

fn last(origin: &Origin) -> Received {
    origin.received().pop().expect("a request")
}

#[tokio::test]
async fn what_is_stale_is_validated_whatever_is_forwarded() {
    // RFC 9111 section 4.3.1
    for profile in ["rfc", "cloudfront"] {
        for forward in FORWARDS {
            let origin = Origin::new(|received| match received.header("if-none-match") {
                Some("\"a\"") => Answer::new(304, "").header("etag", "\"a\"").header("cache-control", "max-age=5"),
                _ => Answer::cached(5, "page")
                    .header("etag", "\"a\"")
                    .header("last-modified", "Mon, 01 Jan 2024 00:00:00 GMT"),
            })
            .await;
            let node = node_before(&origin, forward, &format!("profile = \"{profile}\"")).await;
            node.get("/").await;
            node.advance(10);
            let answer = node.get_with("/", &[("if-none-match", "\"viewers\"")]).await;
            assert_eq!((answer.status(), answer.body.as_str()), (200, "page"), "{profile} {forward}");
            assert_eq!(answer.header("x-cache"), "RefreshHit from cloudfront", "{profile} {forward}");
            let asked = last(&origin);
            assert_eq!(asked.all("if-none-match"), ["\"a\""]);
            assert_eq!(asked.header("if-modified-since"), Some("Mon, 01 Jan 2024 00:00:00 GMT"));
        }
    }
}

#[tokio::test]
async fn slices_are_slices_whatever_is_forwarded() {
    // cdn-behaviour.md section 12
    for forward in FORWARDS {
        let origin = Origin::new(|received| match received.header("range") {
            Some("bytes=0-65535") => Answer::new(206, vec![b'a'; 65_536])
                .header("cache-control", "max-age=60")
                .header("etag", "\"a\"")
                .header("content-range", "bytes 0-65535/100000"),
            _ => Answer::cached(60, vec![b'a'; 100_000]).header("etag", "\"a\""),
        })
        .await;
        let node = node_before(&origin, forward, "slice = \"64 KB\"").await;
        let answer = node.get_with("/film", &[("range", "bytes=5-9")]).await;
        assert_eq!((answer.status(), answer.header("content-range")), (206, "bytes 5-9/100000"), "{forward}");
        assert_eq!(last(&origin).header("range"), Some("bytes=0-65535"), "{forward}");
    }
}

#[tokio::test]
async fn a_viewers_range_reaches_the_origin_of_what_is_not_stored() {
    // RFC 9110 section 14.2: once as uncacheable, and where nothing is stored at all.
    for (policy, forward) in [("", FORWARDS[0]), ("", FORWARDS[1]), ("enabled = false", FORWARDS[0])] {
        let origin = Origin::new(|received| match received.header("range") {
            Some("bytes=0-3") => {
                Answer::new(206, "film").header("cache-control", "no-store").header("content-range", "bytes 0-3/10")
            }
            _ => Answer::ok("film film!").header("cache-control", "no-store"),
        })
        .await;
        let node = node_before(&origin, forward, policy).await;
        node.get("/film").await;
        let answer = node.get_with("/film", &[("range", "bytes=0-3")]).await;
        assert_eq!((answer.status(), answer.body.as_str()), (206, "film"), "{policy} {forward}");
    }
}

#[tokio::test]
async fn a_policy_that_stores_nothing_may_keep_ranges_from_the_origin() {
    let origin = Origin::new(|received| Answer::ok(received.header("range").unwrap_or("no range").to_owned())).await;
    let node =
        node_before(&origin, "forward = { headers = { except = [\"range\", \"host\"] } }", "enabled = false").await;
    assert_eq!(node.get_with("/", &[("range", "bytes=0-3")]).await.body, "no range");
}

#[tokio::test]
async fn an_update_keeps_its_precondition() {
    // RFC 9110 section 13.1.1
    let origin = Origin::new(|received| match received.header("if-match") {
        Some(_) => Answer::new(412, ""),
        None => Answer::new(204, ""),
    })
    .await;
    let node = node_before(&origin, FORWARDS[0], "").await;
    let update = request("PUT", "/page", &[("if-match", "\"old\""), ("content-length", "1")]);
    assert_eq!(node.send(update, "x".into()).await.status(), 412);
}

#[tokio::test]
async fn what_the_origin_says_to_one_viewers_range_or_condition_is_not_for_others() {
    // RFC 9110 sections 15.5.13 and 15.5.17; cdn-behaviour.md section 11: 416 never. nginx: `add_header ... always`.
    let asked: [(&str, &str, u16); 2] = [("range", "bytes=99999999-", 416), ("if-match", "\"zz\"", 412)];
    for profile in ["rfc", "cloudfront"] {
        for (name, value, status) in asked {
            let origin = Origin::new(move |received| match received.header(name) {
                Some(_) => Answer::new(status, "").header("cache-control", "max-age=60"),
                None => Answer::ok("page").header("cache-control", "no-store"),
            })
            .await;
            let node = node_before(&origin, "", &format!("profile = \"{profile}\"")).await;
            // It is remembered as uncacheable, so that the viewer's own fields go to the origin.
            node.get("/").await;
            let answer = node.get_with("/", &[(name, value)]).await;
            assert_eq!(answer.status(), status, "{profile} {name}");
            assert!(answer.header("cache-status").contains("detail=condition"), "{}", answer.header("cache-status"));
            let answer = node.get("/").await;
            assert_eq!((answer.status(), answer.body.as_str()), (200, "page"), "{profile} {name}");
        }
    }
}

#[tokio::test]
async fn one_request_cannot_take_from_others_what_the_origin_confirms() {
    // RFC 9111 sections 3.5 and 5.2.1.5 are about a new answer.
    let wishes: [(&str, &[(&str, &str)]); 3] = [
        ("request-no-store", &[("cache-control", "no-cache, no-store")]),
        ("authorization", &[("cache-control", "no-cache"), ("authorization", "Basic YTpi")]),
        ("", &[("cache-control", "no-cache")]),
    ];
    for (reason, wish) in wishes {
        let origin = Origin::new(|received| match received.header("if-none-match") {
            Some(_) => Answer::new(304, "").header("etag", "\"a\""),
            None => Answer::cached(60, "page").header("etag", "\"a\""),
        })
        .await;
        let node = node_before(&origin, "", "").await;
        node.get("/").await;
        let answer = node.get_with("/", wish).await;
        assert_eq!((answer.status(), answer.body.as_str()), (200, "page"), "{reason}");
        assert!(answer.header("cache-status").contains("fwd-status=304"), "{}", answer.header("cache-status"));
        assert!(answer.header("cache-status").contains(reason), "{}", answer.header("cache-status"));
        let answer = node.get("/").await;
        assert_eq!(answer.header("x-cache"), "Hit from cloudfront", "{reason}");
        assert_eq!(origin.received().len(), 2);
    }
}

#[tokio::test]
async fn what_the_origin_forbids_in_a_304_is_gone_whoever_asked() {
    // RFC 9111 section 5.2.2.7
    let origin = Origin::new(|received| match received.header("if-none-match") {
        Some(_) => Answer::new(304, "").header("etag", "\"a\"").header("cache-control", "private"),
        None => Answer::cached(60, "page").header("etag", "\"a\""),
    })
    .await;
    let node = node_before(&origin, "", "").await;
    node.get("/").await;
    node.get_with("/", &[("cache-control", "no-cache, no-store")]).await;
    assert_eq!(node.get("/").await.header("x-cache"), "Miss from cloudfront");
}

#[tokio::test]
async fn a_part_that_nobody_asked_for_is_no_answer() {
    // RFC 9110 section 15.3.7: 206 answers a request with `Range`.
    let origin = Origin::new(|received| match received.target.as_str() {
        "/asked" if received.header("range").is_some() => {
            Answer::new(206, "fi").header("content-range", "bytes 0-1/4").header("cache-control", "no-store")
        }
        "/asked" => Answer::ok("film").header("cache-control", "no-store"),
        _ => Answer::new(206, "fi").header("content-range", "bytes 0-1/4"),
    })
    .await;
    for policy in ["", "enabled = false"] {
        let node = node_before(&origin, "", policy).await;
        let answer = node.get("/film").await;
        assert_eq!((answer.status(), answer.header("x-cache")), (502, "Error from cloudfront"), "{policy}");
        assert_eq!(node.record()["detail"], "OriginInvalidResponseError");
        node.get("/asked").await;
        assert_eq!(node.get_with("/asked", &[("range", "bytes=0-1")]).await.status(), 206, "{policy}");
    }
}

#[tokio::test]
async fn key_and_origin_read_cookies_alike() {
    // A byte that is no text must not make the origin see another request than the key.
    let origin = Origin::new(|received| {
        let cookies = received.all("cookie").join("|");
        Answer::cached(60, if cookies.contains("lang=de") { "deutsch" } else { "english" })
    })
    .await;
    for forward in ["forward = \"none\"", ""] {
        for profile in ["rfc", "cloudfront"] {
            let policy = format!("profile = \"{profile}\"\ncookies = [\"lang\"]");
            let node = node_before(&origin, forward, &policy).await;
            let mut head = request("GET", "/", &[]);
            head.headers.insert("cookie", http::HeaderValue::from_bytes(b"lang=de; x=\xff").unwrap());
            assert_eq!(node.send(head, Body::Empty).await.body, "deutsch", "{profile} {forward}");
            assert_eq!(node.get_with("/", &[("cookie", "lang=de")]).await.body, "deutsch", "{profile} {forward}");
        }
    }
}

#[tokio::test]
async fn every_byte_of_a_cookie_in_the_key_reaches_the_origin() {
    let origin = Origin::new(|_| Answer::cached(60, "page")).await;
    let node = node_before(&origin, "forward = \"none\"", "profile = \"cloudfront\"\ncookies = \"all\"").await;
    for cookies in [&b"b=2; a=\xff; =x"[..], b"a=\xfe; b=2; =x", b"a=\xff; b=2"] {
        let mut head = request("GET", "/", &[]);
        head.headers.insert("cookie", http::HeaderValue::from_bytes(cookies).unwrap());
        node.send(head, Body::Empty).await;
    }
    assert_eq!(origin.received().len(), 3, "three cookies, three keys");
    // cdn-behaviour.md section 5: sorted by name.
    assert_eq!(origin.received()[2].header("cookie").map(|c| c.ends_with("; b=2")), Some(true));
    let node = node_before(&origin, "forward = \"none\"", "profile = \"cloudfront\"\ncookies = [\"a\", \"b\"]").await;
    node.get_with("/", &[("cookie", "b=2; c=3; a=1")]).await;
    assert_eq!(last(&origin).header("cookie"), Some("a=1; b=2"));
}
