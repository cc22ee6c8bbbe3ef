//! Numbered versions of origin functions: publish, roll back, drain (`lambda-at-edge.md` section 13).

use rimward_hooks::releases::{LATEST, LIVE};
use rimward_hooks::{Functions, NotReleased, Version};
use rimward_testkit::{Answer, Origin, step};
use rimward_tests::TestNode;
use std::sync::{Arc, Mutex};

fn probe() -> Vec<u8> {
    let path =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/sandbox/tests/guests/probe/function.wasm");
    std::fs::read(path).unwrap()
}

/// The probe in another version: the same code, and other bytes.
fn probe_again(name: &str) -> Vec<u8> {
    let mut component = probe();
    // A custom section: its id, its length, the length of its name, and the name.
    component.extend([0, name.len() as u8 + 1, name.len() as u8]);
    component.extend(name.bytes());
    component
}

fn config(more: &str) -> String {
    format!(
        "[origins.app]\nurl = \"builtin:demo\"\n[functions.f]\ncomponent = \"f.wasm\"\n{more}\n\
         [[distributions]]\ndomains = [\"*\"]\n[[distributions.behaviors]]\norigin = \"app\"\nviewer-request = \"f\"\n"
    )
}

async fn node(more: &str) -> TestNode {
    let node = TestNode::start(&config(more), &[("f.wasm", &probe())]).await;
    assert!(node.problems.is_empty(), "{:?}", node.problems);
    node
}

/// The version that serves, as a function is told.
async fn serving(node: &TestNode) -> String {
    let context: serde_json::Value = serde_json::from_str(&node.get("/context").await.body).unwrap();
    let version = context["functionVersion"].as_str().unwrap().to_owned();
    assert!(context["invokedFunctionArn"].as_str().unwrap().ends_with(&format!(":function:f:{version}")), "{context}");
    assert!(context["logStreamName"].as_str().unwrap().contains(&format!("/[{version}]")), "{context}");
    version
}

async fn released(node: &TestNode, qualifier: Option<&str>) -> Result<Arc<rimward_sandbox::Function>, NotReleased> {
    let live = node.proxy().live();
    live.functions().released(live.config(), &node.engines, "f", qualifier).await
}

/// lambda-at-edge.md 13: the next integer with each publish, and the function is told.
#[tokio::test]
async fn section_13_each_publish_is_a_numbered_version_and_a_rollback_goes_back() {
    let node = node("").await;
    assert_eq!(serving(&node).await, LATEST, "the file");
    for (name, number) in [("one", "1"), ("two", "2")] {
        node.publish("f", &probe_again(name)).await;
        assert_eq!(serving(&node).await, number);
    }
    let environment = node.get("/environment").await.body;
    assert!(environment.lines().any(|line| line == "AWS_LAMBDA_FUNCTION_VERSION=2"), "{environment}");
    node.publish("f", &probe_again("two")).await;
    assert_eq!(serving(&node).await, "2", "without a change it is the one from before");
    node.roll_back("f").await;
    assert_eq!(serving(&node).await, "1");
    node.publish("f", &probe_again("three")).await;
    assert_eq!(serving(&node).await, "3", "numbers are not used again");
    assert_eq!(node.reload(&config(""), &[]).await, []);
    assert_eq!(serving(&node).await, "3", "over a reload");
}

/// lambda-at-edge.md 13: in-flight requests finish on the version that they began with; the new one is warm.
#[tokio::test]
async fn section_13_a_request_in_flight_ends_on_its_version_and_the_next_one_finds_the_new_one_warm() {
    let (go, wait) = step();
    let wait = Mutex::new(Some(wait));
    let held = Origin::new(move |_| {
        let wait = wait.lock().unwrap().take().expect("one request");
        Answer::default().then_wait(wait).then("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ndone")
    })
    .await;
    let node = Arc::new(node(&format!("network = [\"{}\"]", held.address())).await);
    node.publish("f", &probe_again("one")).await;
    let (asking, path) = (node.clone(), format!("/fetch~{}/x", held.address()));
    let in_flight = tokio::spawn(async move { asking.get(&path).await.body });
    held.wait_for_calls(1).await;
    let old = Arc::downgrade(&released(&node, Some(LIVE)).await.unwrap());
    assert_eq!(&**old.upgrade().unwrap().version(), "1");

    node.publish("f", &probe_again("two")).await;
    let new = released(&node, Some(LIVE)).await.unwrap();
    assert_eq!((&**new.version(), new.idle()), ("2", 1), "an instance waits before the first request comes");
    assert_eq!(node.get("/calls").await.body, "1");
    assert_eq!(new.idle(), 1, "and served it");
    assert_eq!(old.upgrade().map(|old| (old.version().to_string(), old.running())), Some(("1".to_owned(), 1)));

    go.go();
    assert_eq!(in_flight.await.unwrap(), "200 done");
    // The last request lets go of the version, and its instances are gone.
    while old.strong_count() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(node.get("/calls").await.body, "2");
}

/// lambda-at-edge.md 14: `$LATEST`, numbers, and the names that the configuration has for them.
#[tokio::test]
async fn section_14_a_qualifier_calls_a_version_that_does_not_serve() {
    let node = node("aliases = { stable = 1, gone = 7 }").await;
    for name in ["one", "two"] {
        node.publish("f", &probe_again(name)).await;
    }
    for (qualifier, version) in
        [(Some("1"), "1"), (Some("stable"), "1"), (Some("2"), "2"), (Some(LIVE), "2"), (None, LATEST)]
    {
        let function = released(&node, qualifier).await.unwrap();
        assert_eq!(&**function.version(), version, "{qualifier:?}");
        let ran = function.invoke_json("id", r#"{"uri":"/calls"}"#, None).await;
        assert!(ran.result.is_ok(), "{qualifier:?}: {:?}", ran.result);
    }
    let again = released(&node, Some("1")).await.unwrap();
    let body = again.invoke_json("id", r#"{"uri":"/calls"}"#, None).await.result.unwrap();
    assert!(body.contains(r#""body":"3""#), "the same instance, whatever it is called by: {body}");
    for unknown in ["7", "gone", "0", "nobody"] {
        assert_eq!(released(&node, Some(unknown)).await.err(), Some(NotReleased::Unknown), "{unknown}");
    }
}

/// What serves keeps its instances when something else is written.
#[tokio::test]
async fn an_update_changes_latest_and_nothing_that_serves() {
    let node = node("").await;
    assert_eq!(node.get("/calls").await.body, "1");
    node.update("f", &probe_again("draft"));
    assert_eq!(node.get("/calls").await.body, "2");
    let latest = released(&node, Some(LATEST)).await.unwrap();
    let body = latest.invoke_json("id", r#"{"uri":"/calls"}"#, None).await.result.unwrap();
    assert!(body.contains(r#""body":"1""#), "{body}");
    node.publish("f", &probe_again("draft")).await;
    assert_eq!(serving(&node).await, "1");
}

/// A node that starts with a LIVE that does not load serves nothing of it; other versions can be called, and it can be
/// mended.
#[tokio::test]
async fn section_14_versions_that_work_are_called_whatever_has_become_of_the_one_that_serves() {
    let node = node("").await;
    for name in ["one", "two"] {
        node.publish("f", &probe_again(name)).await;
    }
    let live = format!("functions/f/{}.wasm", Version::of(&probe_again("two")));
    let problems = node.restart(&config(""), &[(&live, b"lost")]).await;
    assert!(problems.len() == 1 && problems[0].message.contains("was changed"), "{problems:?}");
    assert_eq!(node.get("/calls").await.status(), 503);
    for qualifier in [Some(LIVE), Some("2"), None] {
        let failed = released(&node, qualifier).await.err();
        assert!(matches!(failed, Some(NotReleased::Broken(_))), "{qualifier:?} {failed:?}");
    }
    assert_eq!(released(&node, Some("7")).await.err(), Some(NotReleased::Unknown));
    assert_eq!(&**released(&node, Some("1")).await.unwrap().version(), "1");
    node.update("f", &probe_again("draft"));
    assert_eq!(&**released(&node, None).await.unwrap().version(), LATEST);
    assert_eq!(node.get("/calls").await.status(), 503, "an update serves nobody");
    node.roll_back("f").await;
    assert_eq!(serving(&node).await, "1");
}

#[tokio::test]
async fn a_component_that_does_not_compile_is_never_kept() {
    let node = node("").await;
    let live = node.proxy().live();
    let tried = Functions::try_component(live.config(), &node.engines, "f", b"\0asm\x0d\0\x01\0\xff".to_vec()).await;
    assert!(tried.unwrap().unwrap_err().message.contains("invalid"));
    assert!(Functions::try_component(live.config(), &node.engines, "g", Vec::new()).await.is_none());
}
