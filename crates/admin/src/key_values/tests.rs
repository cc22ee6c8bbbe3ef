//! `cloudfront-functions.md` section 12.

#![allow(clippy::unwrap_used)]

use super::*;
use http::{HeaderMap, header};
use rimward_types::ByteSize;

struct Node(Arc<Store>);

impl KeyValues for Node {
    fn stores(&self) -> Vec<(Arc<str>, Arc<Store>)> {
        vec![("s".into(), self.0.clone())]
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_secs(100)
    }
}

fn node(pairs: &[(&str, &str)]) -> Node {
    let pairs = Pairs::try_from_iter(ByteSize::mb(5), pairs.iter().copied()).unwrap();
    Node(Arc::new(Store::of(pairs, Timestamp::from_secs(50))))
}

/// Asks, with `If-Match` where one is given; status, ETag and JSON.
async fn ask(node: &Node, method: Method, target: &str, if_match: Option<&str>, body: &str) -> (u16, String, Value) {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, "application/json".parse().unwrap());
    if let Some(tag) = if_match {
        headers.insert(header::IF_MATCH, tag.parse().unwrap());
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let request = Request { method: &method, path, query, headers: &headers, body: body.to_owned().into() };
    let reply = answer(node, request).await.unwrap_or_else(|refused| refused);
    let (head, body) = reply.finish(&method);
    let etag = head.header("etag").unwrap_or_default().trim_matches('"').to_owned();
    (head.status.as_u16(), etag, serde_json::from_slice(&body.collect(1 << 20).await.unwrap()).unwrap())
}

async fn get(node: &Node, target: &str) -> (u16, String, Value) {
    ask(node, Method::GET, target, None, "").await
}

#[tokio::test]
async fn a_store_is_described_with_its_etag() {
    let node = node(&[("a", "12")]);
    let (status, etag, store) = get(&node, "/s").await;
    assert_eq!(status, 200);
    assert_eq!(store["ETag"], etag);
    let told = (&store["ItemCount"], &store["TotalSizeInBytes"], &store["Status"], &store["Created"]);
    assert_eq!(told, (&1.into(), &3.into(), &"READY".into(), &50.0.into()));
    assert_eq!(get(&node, "").await.2["Items"][0]["Name"], "s");
    assert_eq!(get(&node, "/%73").await.0, 200, "names may be encoded");
    let (status, _, refused) = get(&node, "/t").await;
    assert_eq!((status, &refused["hint"]), (404, &"there is: s".into()));
}

#[tokio::test]
async fn a_pair_is_written_read_and_deleted_with_etags() {
    let node = node(&[]);
    let (_, first, _) = get(&node, "/s").await;
    let (status, second, written) =
        ask(&node, Method::PUT, "/s/keys/a%2Fb%20%C3%A9", Some(&first), r#"{"Value":"1"}"#).await;
    assert_eq!((status, written), (200, json!({ "ItemCount": 1, "TotalSizeInBytes": 7, "ETag": second })));
    assert_ne!(first, second);
    let (_, etag, pair) = get(&node, "/s/keys/a%2Fb%20%C3%A9").await;
    assert_eq!((etag, &pair["Key"], &pair["Value"]), (second.clone(), &"a/b é".into(), &"1".into()));
    let (status, now, stale) = ask(&node, Method::DELETE, "/s/keys/a%2Fb%20%C3%A9", Some(&first), "").await;
    assert_eq!((status, now), (412, second.clone()));
    assert!(stale["error"].as_str().unwrap().starts_with("Pre-Condition failed"), "{stale}");
    let quoted = format!("\"{second}\"");
    assert_eq!(ask(&node, Method::DELETE, "/s/keys/a%2Fb%20%C3%A9", Some(&quoted), "").await.0, 200);
    assert_eq!(get(&node, "/s/keys/a%2Fb%20%C3%A9").await.0, 404);
}

#[tokio::test]
async fn a_write_without_if_match_or_with_a_wrong_body_changes_nothing() {
    let node = node(&[("a", "1")]);
    let (status, _, refused) = ask(&node, Method::PUT, "/s/keys/a", None, r#"{"Value":"2"}"#).await;
    assert_eq!((status, &refused["error"]), (400, &"`If-Match` is missing".into()));
    for body in ["", "{}", r#"{"Value":2}"#, r#"{"Value":"2","Extra":1}"#] {
        assert_eq!(ask(&node, Method::PUT, "/s/keys/a", Some("*"), body).await.0, 400, "{body}");
    }
    let long = format!(r#"{{"Value":"{}"}}"#, "v".repeat(1025));
    let (status, _, refused) = ask(&node, Method::PUT, "/s/keys/a", Some("*"), &long).await;
    assert_eq!(status, 400);
    assert!(refused["error"].as_str().unwrap().contains("1025 bytes"), "{refused}");
    assert_eq!(get(&node, "/s/keys/a").await.2["Value"], "1");
}

#[tokio::test]
async fn a_batch_is_all_or_nothing() {
    let node = node(&[("a", "1"), ("b", "2")]);
    let batch = r#"{"Puts":[{"Key":"c","Value":"3"}],"Deletes":[{"Key":"a"}]}"#;
    let (status, _, written) = ask(&node, Method::POST, "/s/keys", Some("*"), batch).await;
    assert_eq!((status, &written["ItemCount"]), (200, &2.into()));
    let bad = json!({ "Puts": [{ "Key": "d", "Value": "v".repeat(2000) }], "Deletes": [{ "Key": "b" }] }).to_string();
    assert_eq!(ask(&node, Method::POST, "/s/keys", Some("*"), &bad).await.0, 400);
    assert_eq!(get(&node, "/s/keys/b").await.0, 200);
    let many: Vec<Value> = (0..51).map(|n| json!({ "Key": n.to_string(), "Value": "" })).collect();
    let (status, _, refused) =
        ask(&node, Method::POST, "/s/keys", Some("*"), &json!({ "Puts": many }).to_string()).await;
    assert_eq!(status, 400);
    assert!(refused["error"].as_str().unwrap().contains("51 keys"), "{refused}");
}

#[tokio::test]
async fn pages_follow_each_other_in_the_order_of_the_keys() {
    let keys: Vec<String> = (0..120).map(|n| format!("{n:03}")).collect();
    let pairs: Vec<(&str, &str)> = keys.iter().map(|key| (key.as_str(), "v")).collect();
    let node = node(&pairs);
    let mut seen = Vec::new();
    let mut target = "/s/keys".to_owned();
    loop {
        let (status, _, page) = get(&node, &target).await;
        assert_eq!(status, 200);
        let items = page["Items"].as_array().unwrap();
        assert!(items.len() <= PAGE);
        seen.extend(items.iter().map(|item| item["Key"].as_str().unwrap().to_owned()));
        let Some(token) = page.get("NextToken") else { break };
        target = format!("/s/keys?NextToken={}", token.as_str().unwrap());
    }
    assert_eq!(seen, keys);
    assert_eq!(get(&node, "/s/keys?MaxResults=2").await.2["Items"].as_array().unwrap().len(), 2);
    for query in ["MaxResults=0", "MaxResults=51", "NextToken=%"] {
        assert_eq!(get(&node, &format!("/s/keys?{query}")).await.0, 400, "{query}");
    }
}

#[tokio::test]
async fn everything_is_exported_and_imported_in_the_vendors_format() {
    let node = node(&[("b", "2"), ("a", "1")]);
    let (_, etag, exported) = get(&node, "/s/data").await;
    assert_eq!(exported, json!({ "data": [{ "key": "a", "value": "1" }, { "key": "b", "value": "2" }] }));
    let import = r#"{"data":[{"key":"c","value":"3"}]}"#;
    let (status, _, written) = ask(&node, Method::PUT, "/s/data", Some(&etag), import).await;
    assert_eq!((status, &written["ItemCount"]), (200, &1.into()));
    assert_eq!(ask(&node, Method::PUT, "/s/data", Some(&etag), import).await.0, 412);
    let twice = r#"{"data":[{"key":"c","value":"3"},{"key":"c","value":"4"}]}"#;
    assert_eq!(ask(&node, Method::PUT, "/s/data", Some("*"), twice).await.0, 400);
    assert_eq!(get(&node, "/s/keys/c").await.2["Value"], "3");
}

#[tokio::test]
async fn wrong_methods_and_places_are_told() {
    let node = node(&[]);
    assert_eq!(ask(&node, Method::PUT, "/s", Some("*"), "").await.0, 405);
    assert_eq!(ask(&node, Method::DELETE, "/s/data", Some("*"), "").await.0, 405);
    assert_eq!(get(&node, "/s/other").await.0, 404);
    assert_eq!(get(&node, "/s/keys/%ff").await.0, 400);
}
