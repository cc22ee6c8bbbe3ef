//! Key value stores of functions (`cloudfront-functions.md` sections 11.1 and 12).

use rimward_kv::{Batch, IfMatch};
use rimward_tests::{DEMO, TestNode};
use rimward_types::{Clock, Timestamp};

const READ: &[u8] = b"import cf from 'cloudfront';
async function handler(event) {
  const kvs = cf.kvs();
  const meta = await kvs.meta();
  const value = await kvs.exists('a') ? await kvs.get('a') : 'none';
  return { statusCode: 200, body: value + ' of ' + meta.keyCount };
}";

fn config(store: &str) -> String {
    format!(
        "{DEMO}viewer-request = \"f\"\n[functions.f]\ncode = \"f.js\"\nkey-value-store = \"s\"\n\
         [key-value-stores.s]\n{store}"
    )
}

fn pairs(value: &str) -> Vec<u8> {
    format!(r#"{{"data":[{{"key":"a","value":"{value}"}}]}}"#).into_bytes()
}

#[tokio::test]
async fn a_store_begins_with_its_file_and_a_write_is_seen_by_the_next_request() {
    let node = TestNode::start(&config("file = \"s.json\""), &[("f.js", READ), ("s.json", &pairs("1"))]).await;
    assert_eq!(node.problems, []);
    assert_eq!(node.get("/").await.body, "1 of 1");
    let live = node.proxy().live();
    let store = live.functions().store_named("s").unwrap();
    store.update(&Batch::put("a", "2"), &IfMatch::Any, node.clock.now()).unwrap();
    assert_eq!(node.get("/").await.body, "2 of 1");
    store.update(&Batch::delete("a"), &IfMatch::Any, node.clock.now()).unwrap();
    assert_eq!(node.get("/").await.body, "none of 0");
    // Section 9: reads are counted.
    let reads = |record: serde_json::Value| {
        let hook = &record["hooks"][0];
        (hook["kv_reads"].as_u64().unwrap_or(0), hook["kv_misses"].as_u64().unwrap_or(0))
    };
    assert_eq!([(); 3].map(|()| reads(node.record())), [(3, 0), (3, 0), (2, 1)]);
}

#[tokio::test]
async fn a_store_without_a_file_begins_empty() {
    let node = TestNode::start(&config(""), &[("f.js", READ)]).await;
    assert_eq!(node.problems, []);
    assert_eq!(node.get("/").await.body, "none of 0");
}

#[tokio::test]
async fn a_reload_follows_the_file_until_the_store_was_written() {
    let config = config("file = \"s.json\"");
    let node = TestNode::start(&config, &[("f.js", READ), ("s.json", &pairs("1"))]).await;
    assert_eq!(node.reload(&config, &[("s.json", &pairs("2"))]).await, []);
    assert_eq!(node.get("/").await.body, "2 of 1");
    let live = node.proxy().live();
    let store = live.functions().store_named("s").unwrap();
    store.update(&Batch::put("a", "own"), &IfMatch::Any, Timestamp::from_secs(9)).unwrap();
    assert_eq!(node.reload(&config, &[("s.json", &pairs("3"))]).await, []);
    assert_eq!(node.get("/").await.body, "own of 1");
}

#[tokio::test]
async fn a_reload_that_is_refused_changes_no_store() {
    let config = config("file = \"s.json\"");
    let node = TestNode::start(&config, &[("f.js", READ), ("s.json", &pairs("1"))]).await;
    let problems = node.reload(&config, &[("f.js", b"function handler( {"), ("s.json", &pairs("2"))]).await;
    assert!(problems.iter().any(|problem| problem.regression), "{problems:?}");
    assert_eq!(node.get("/").await.body, "1 of 1");
    let problems = node.reload(&config, &[("f.js", READ), ("s.json", b"{")]).await;
    assert!(problems.iter().any(|problem| problem.regression), "{problems:?}");
    assert_eq!(node.get("/").await.body, "1 of 1");
}
