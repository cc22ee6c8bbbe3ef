//! What an origin makes of one viewer's request is not given to another: where CloudFront's rules let the key alone select, what is
//! not in the key does not reach the origin, or the origin's word counts (`cdn-behaviour.md` sections 7 and 10.1).

use rimward_testkit::{Answer as Given, Origin, Received};
use rimward_tests::{TestNode, request};
use rimward_types::Body;

/// An application that shows each viewer a page of his own.
fn page(received: &Received) -> Given {
    let says = |name: &str| received.header(name).unwrap_or("-").to_owned();
    let page = format!("{} {} {}", says("cookie"), says("authorization"), received.target);
    let (status, word) = match received.target.split('?').next().unwrap_or_default() {
        "/private" => (200, "private"),
        "/no-store" => (200, "no-store"),
        "/no-cache" => (200, "no-cache"),
        "/private-error" => (500, "private"),
        "/private-refusal" => (403, "private, max-age=60"),
        "/public" => (200, "public, max-age=60"),
        _ => return Given::ok(page),
    };
    Given::new(status, page).header("cache-control", word)
}

async fn node(origin: &Origin, behavior: &str) -> TestNode {
    let config = format!(
        "[origins.app]\nurl = \"{}\"\n[[distributions]]\ndomains = [\"*\"]\n[[distributions.behaviors]]\norigin = \"app\"\n\
         methods = \"all\"\n{behavior}\n",
        origin.url()
    );
    TestNode::start(&config, &[]).await
}

const ALICE: [(&str, &str); 2] = [("cookie", "sid=ALICE"), ("authorization", "Bearer ALICE")];

#[tokio::test]
async fn without_forward_the_origin_gets_no_more_than_the_key() {
    let origin = Origin::new(page).await;
    for policy in ["caching-optimized\"", "own\"\n[cache-policies.own]\nprofile = \"cloudfront\""] {
        let node = node(&origin, &format!("cache-policy = \"{policy}")).await;
        for path in ["/private", "/no-store", "/plain", "/public", "/private-error"] {
            assert_eq!(node.get_with(&format!("{path}?evil=x"), &ALICE).await.body, format!("- - {path}"));
            assert_eq!(node.get_with(path, &[("cookie", "sid=BOB")]).await.body, format!("- - {path}"));
        }
    }
    let node = node(&origin, "cache-policy = \"use-origin-cache-control-headers\"").await;
    assert_eq!(node.get_with("/public?evil=x", &ALICE).await.body, "sid=ALICE - /public");
    assert_eq!(node.get("/public").await.body, "- - /public", "cookies are in the key");
}

/// Section 7.3: where nothing is stored under it, it goes along.
#[tokio::test]
async fn authorization_reaches_the_origin_with_methods_that_are_not_stored_alone() {
    let origin = Origin::new(page).await;
    let node = node(&origin, "cache-policy = \"caching-optimized\"").await;
    for (method, seen) in [("GET", "-"), ("OPTIONS", "-"), ("POST", "Bearer ALICE"), ("DELETE", "Bearer ALICE")] {
        let answer = node.send(request(method, "/plain", &ALICE), Body::Empty).await;
        assert_eq!(answer.body, format!("- {seen} /plain"), "{method}");
    }
}

#[tokio::test]
async fn where_nothing_is_stored_the_origin_gets_what_the_viewer_sent() {
    let origin = Origin::new(page).await;
    let node = node(&origin, "cache-policy = \"caching-disabled\"").await;
    assert_eq!(node.get_with("/plain?a=b", &ALICE).await.body, "sid=ALICE Bearer ALICE /plain?a=b");
    assert_eq!(node.get("/plain").await.body, "- - /plain");
}

/// CloudFront would store it for the minimum TTL, and errors for ten seconds.
#[tokio::test]
async fn with_forward_the_origins_word_counts_more_than_the_minimum_ttl() {
    let origin = Origin::new(page).await;
    for forward in ["\"all-viewer\"", "\"all-viewer-except-host\"", "{ cookies = \"all\" }", "{ cookies = [\"sid\"] }"]
    {
        let policy = "[cache-policies.own]\nprofile = \"cloudfront\"\nmin-ttl = \"1 min\"";
        let node = node(&origin, &format!("cache-policy = \"own\"\nforward = {forward}\n{policy}")).await;
        for path in ["/private", "/no-store", "/no-cache", "/private-error", "/private-refusal"] {
            let alices = node.get_with(path, &ALICE[..1]).await.body;
            assert!(alices.starts_with("sid=ALICE"), "{path}: {alices}");
            assert_eq!(
                node.get_with(path, &[("cookie", "sid=BOB")]).await.body,
                format!("sid=BOB - {path}"),
                "{forward}"
            );
        }
    }
}

/// RFC 9111 section 3.5.
#[tokio::test]
async fn what_is_made_of_authorization_outside_of_the_key_is_shared_with_the_origins_leave_alone() {
    let origin = Origin::new(page).await;
    let node = node(&origin, "cache-policy = \"caching-optimized\"\nforward = \"all-viewer\"").await;
    for (path, bobs) in [("/plain", "- - /plain"), ("/public", "- Bearer ALICE /public")] {
        assert_eq!(node.get_with(path, &ALICE[1..]).await.body, format!("- Bearer ALICE {path}"));
        assert_eq!(node.get(path).await.body, bobs);
    }
    let keyed = "[cache-policies.keyed]\nprofile = \"cloudfront\"\nheaders = [\"authorization\"]";
    let node = self::node(&origin, &format!("cache-policy = \"keyed\"\nforward = \"all-viewer\"\n{keyed}")).await;
    for _ in 0..2 {
        assert_eq!(node.get_with("/plain", &ALICE[1..]).await.body, "- Bearer ALICE /plain");
    }
    assert_eq!(node.get_with("/plain", &ALICE[1..]).await.header("x-cache"), "Hit from cloudfront");
    assert_eq!(node.get("/plain").await.body, "- - /plain");
}

/// What the key has is the same for all who ask under it: the minimum TTL holds, as at the vendor's.
#[tokio::test]
async fn a_minimum_ttl_holds_where_all_that_is_forwarded_is_in_the_key() {
    let origin = Origin::new(page).await;
    let policy = "[cache-policies.own]\nprofile = \"cloudfront\"\nmin-ttl = \"1 min\"\ncookies = \"all\"\nquery = [\"a\", \"b\"]";
    for forward in ["", "forward = { cookies = [\"sid\"], query = [\"a\"] }\n"] {
        let node = node(&origin, &format!("cache-policy = \"own\"\n{forward}{policy}")).await;
        for result in ["Miss from cloudfront", "Hit from cloudfront"] {
            assert_eq!(node.get_with("/private?a=1", &ALICE).await.header("x-cache"), result, "{forward}");
        }
        assert_eq!(node.get_with("/private?a=1", &[("cookie", "sid=BOB")]).await.body, "sid=BOB - /private?a=1");
    }
}

/// RFC 9110 section 7.6.3: a loop ends by it.
#[tokio::test]
async fn via_is_appended_to_whatever_is_forwarded() {
    let origin = Origin::new(|received| Given::ok(received.header("via").unwrap_or_default().to_owned())).await;
    let node = node(&origin, "forward = \"none\"").await;
    assert_eq!(node.get_with("/", &[("via", "1.1 rimward")]).await.body, "1.1 rimward, 1.1 rimward");
    let again = ["1.1 rimward"; 8].join(", ");
    assert_eq!(node.get_with("/other", &[("via", &again)]).await.status(), 403);
}
