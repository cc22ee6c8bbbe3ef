//! Where viewers are: headers (`cloudfront-functions.md` section 14) and restriction (`cdn-behaviour.md` section 16).

use rimward_testkit::{Answer as Given, Origin};
use rimward_tests::{TestNode, request};
use rimward_types::{Body, Connection, Interim};
use serde_json::json;
use std::sync::Arc;

fn database(name: &str) -> String {
    format!("{}/fixtures/geo/{name}", env!("CARGO_MANIFEST_DIR"))
}

const FUNCTION: &[u8] = b"function handler(event) {\n\
    var h = event.request.headers, out = {};\n\
    Object.keys(h).filter(function (n) { return n.indexOf('cloudfront-viewer-') === 0 })\n\
      .forEach(function (n) { out[n.slice(18)] = h[n].value });\n\
    return { statusCode: 200, body: JSON.stringify(out) };\n}";

const NAMES: &str = "\"CloudFront-Viewer-Country\", \"CloudFront-Viewer-Country-Name\", \"CloudFront-Viewer-Country-Region\", \
                     \"CloudFront-Viewer-Country-Region-Name\", \"CloudFront-Viewer-City\", \"CloudFront-Viewer-Postal-Code\", \
                     \"CloudFront-Viewer-Latitude\", \"CloudFront-Viewer-Longitude\", \"CloudFront-Viewer-Metro-Code\", \
                     \"CloudFront-Viewer-Time-Zone\"";

fn node(geo: &str, behavior: &str, distribution: &str, url: &str) -> String {
    format!(
        "[node.geo]\n{geo}\n[functions.f]\ncode = \"f.js\"\n[origins.app]\nurl = \"{url}\"\n\
         [cache-policies.places]\nheaders = [{NAMES}]\n\
         [cache-policies.country]\nheaders = [\"CloudFront-Viewer-Country\"]\ndefault-ttl = \"1 h\"\n\
         [[distributions]]\ndomains = [\"*\"]\n{distribution}\n\
         [[distributions.behaviors]]\norigin = \"app\"\n{behavior}\n"
    )
}

fn both() -> String {
    format!("places = {:?}\nnetworks = {:?}", database("city.mmdb"), database("asn.mmdb"))
}

async fn get(node: &TestNode, address: &str, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
    let connection =
        Connection::new((address.parse::<std::net::IpAddr>().unwrap(), 4711).into(), ([127, 0, 0, 1], 80).into(), None);
    let (head, body) =
        node.proxy().serve(Arc::new(connection), request("GET", path, headers), Body::Empty, Interim::default()).await;
    let body = Body::stream(body).collect(1 << 20).await.unwrap();
    (head.status.as_u16(), String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn functions_are_told_where_the_viewer_is_whatever_it_says_itself() {
    let forward = "forward = { headers = [\"CloudFront-Viewer-ASN\"] }";
    let behavior = format!("viewer-request = \"f\"\ncache-policy = \"places\"\n{forward}");
    let node = TestNode::start(&node(&both(), &behavior, "", "builtin:demo"), &[("f.js", FUNCTION)]).await;
    let seen = async |address: &str| -> serde_json::Value {
        let own = [("cloudfront-viewer-country", "XX"), ("cloudfront-viewer-metro-code", "1")];
        serde_json::from_str(&get(&node, address, "/", &own).await.1).unwrap()
    };
    let expected = json!({
        "country": "DE", "country-name": "Germany", "country-region": "NW",
        "country-region-name": "North Rhine-Westphalia", "city": "K%C3%B6ln", "postal-code": "50667",
        "latitude": "50.93840", "longitude": "6.95999", "time-zone": "Europe/Berlin", "asn": "64496",
    });
    assert_eq!(seen("203.0.113.7").await, expected);
    let seattle = seen("198.51.100.1").await;
    assert_eq!((&seattle["metro-code"], &seattle["longitude"]), (&"819".into(), &"-122.33030".into()));
    assert_eq!(seen("192.0.2.1").await, json!({ "country": "FR", "country-name": "France" }));
    assert_eq!(seen("127.0.0.1").await, json!({}));
    assert_eq!(seen("2001:db8::1").await["country-region"], "13");
}

/// A country in the cache key, as the vendor's policies have it.
#[tokio::test]
async fn each_country_has_its_own_answer_where_the_policy_says_so() {
    let origin =
        Origin::new(|received| Given::ok(received.header("cloudfront-viewer-country").unwrap_or("nowhere").to_owned()))
            .await;
    let node =
        TestNode::start(&node(&both(), "cache-policy = \"country\"", "", &origin.url()), &[("f.js", FUNCTION)]).await;
    for (address, country) in [
        ("203.0.113.7", "DE"),
        ("203.0.113.9", "DE"),
        ("192.0.2.1", "FR"),
        ("127.0.0.1", "nowhere"),
        ("192.0.2.9", "FR"),
    ] {
        assert_eq!(get(&node, address, "/", &[]).await, (200, country.to_owned()));
    }
    assert_eq!(origin.received().len(), 3);
}

/// cdn-behaviour.md section 16: whole distribution, 403, unknown places are served, a custom page is possible.
#[tokio::test]
async fn a_distribution_is_not_served_in_countries_that_are_restricted() {
    let page = "error-pages = [{ status = 403, page = \"/sorry\", answer-status = 404 }]";
    for (restriction, served, refused) in [
        ("{ allow = [\"DE\", \"JP\"] }", ["203.0.113.7", "2001:db8::1", "127.0.0.1"], ["192.0.2.1", "198.51.100.1"]),
        ("{ deny = [\"FR\", \"US\"] }", ["203.0.113.7", "2001:db8::1", "127.0.0.1"], ["192.0.2.1", "198.51.100.1"]),
    ] {
        let origin = Origin::new(|received| Given::ok(received.target.clone())).await;
        let with = |page: &str| {
            let distribution = format!("geo-restriction = {restriction}\n{page}");
            node(&both(), "", &distribution, &origin.url())
        };
        let node = TestNode::start(&with(""), &[("f.js", FUNCTION)]).await;
        for address in served {
            assert_eq!(get(&node, address, "/", &[]).await.0, 200, "{restriction} {address}");
            node.record();
        }
        for address in refused {
            assert_eq!(get(&node, address, "/", &[]).await.0, 403, "{restriction} {address}");
            assert_eq!(node.record()["detail"], "ClientGeoBlocked");
        }
        node.reload(&with(page), &[]).await;
        assert_eq!(get(&node, refused[0], "/", &[]).await, (404, "/sorry".to_owned()));
        assert_eq!(node.record()["detail"], "ClientGeoBlocked");
    }
}

#[tokio::test]
async fn a_reload_takes_another_database() {
    let behavior = "viewer-request = \"f\"\ncache-policy = \"places\"";
    let node_of = |geo: &str| node(geo, behavior, "", "builtin:demo");
    let node = TestNode::start(&node_of(&both()), &[("f.js", FUNCTION)]).await;
    assert!(get(&node, "203.0.113.7", "/", &[]).await.1.contains("Germany"));
    let networks = format!("networks = {:?}", database("asn.mmdb"));
    node.reload(&node_of(&networks), &[]).await;
    assert_eq!(get(&node, "203.0.113.7", "/", &[]).await.1, "{}");
    // A publish leaves the databases as they are.
    node.reload(&node_of(&both()), &[]).await;
    node.publish("f", FUNCTION).await;
    assert!(get(&node, "203.0.113.7", "/", &[]).await.1.contains("Germany"));
}
