//! Reloads, purges and explanations.

use super::*;

#[tokio::test]
async fn a_reload_tells_what_is_served_now() {
    let answer = ask("POST", "/reload").await;
    assert_eq!(answer.head.status, 200);
    let expected = json!({ "generation": 2, "distributions": 1, "functions": 3, "warnings": [], "needs-restart": [] });
    assert_eq!(answer.json(), expected);
}

#[tokio::test]
async fn a_wrong_configuration_is_told_and_the_old_one_serves() {
    let node =
        Fake { problems: vec!["error: unknown key".to_owned(), "error: no origin".to_owned()], ..Fake::default() };
    let answer = ask_with(node, "POST", "/reload", &[], Body::Empty).await;
    assert_eq!(answer.head.status, 422);
    let told = answer.json();
    assert_eq!(told["diagnostics"], json!(["error: unknown key", "error: no origin"]));
    assert_eq!(told["error"], "the new configuration is wrong; the old one keeps serving");
}

#[tokio::test]
async fn a_reload_that_breaks_is_an_error_of_ours() {
    let node = Fake { problems: vec!["panic".to_owned()], ..Fake::default() };
    let answer = ask_with(node, "POST", "/reload", &[], Body::Empty).await;
    assert_eq!(
        (answer.head.status.as_u16(), answer.json()["error"].as_str()),
        (500, Some("reading the configuration ended in a panic"))
    );
}

#[tokio::test]
async fn one_reload_at_a_time_and_it_ends_though_its_caller_leaves() {
    let hold = Arc::new(Notify::new());
    let admin = Admin::new(Arc::new(Fake { hold: Some(Arc::clone(&hold)), ..Fake::default() }));
    {
        let mut first = std::pin::pin!(admin.reload());
        // Polled once, it has its turn; dropped at the end of this block, its caller has left.
        std::future::poll_fn(|cx| {
            assert!(first.as_mut().poll(cx).is_pending());
            std::task::Poll::Ready(())
        })
        .await;
        let (head, _) = admin.reload().await.finish(&Method::POST);
        assert_eq!(head.status, 409);
    }
    hold.notify_one();
    // The turn comes back when the first one has ended.
    let turn = admin.reloading.lock().await;
    assert_eq!(admin.node.reloads.load(Ordering::SeqCst), 1);
    drop(turn);
}

#[tokio::test]
async fn a_purge_has_a_receipt() {
    let answer = purge(r#"{"url":"https://a.com/x?y"}"#).await;
    assert_eq!(answer.head.status, 200);
    let mut receipt = answer.json();
    assert!(receipt["microseconds"].take().is_u64());
    let expected = json!({
        "target": { "host": "a.com", "url": "/x?y" },
        "removed": 1,
        "bytes": 100,
        "fetches": 2,
        "examples": ["https://a.com/x?y"],
        "soft": false,
        "dry-run": false,
        "at": "2000-02-29T00:00:00Z",
        "microseconds": null,
    });
    assert_eq!(receipt, expected);
    let answer = purge(r#"{"prefix":"https://a.com/*","dry-run":true}"#).await;
    assert_eq!(answer.json()["examples"].as_array().unwrap().len(), 10);
    assert_eq!((&answer.json()["removed"], &answer.json()["dry-run"]), (&json!(12), &json!(true)));
    assert_eq!(purge(r#"{"tag":"a","host":"a.com"}"#).await.json()["target"], json!({ "tag": "a", "host": "a.com" }));
    let soft = purge(r#"{"everything":true,"soft":true}"#).await.json();
    assert_eq!((&soft["target"], &soft["soft"]), (&json!({ "everything": true }), &json!(true)));
}

#[tokio::test]
async fn a_wrong_purge_is_told_how_to_mend_it() {
    for (body, status, error) in [
        ("{", 400, "the body is not what it should be: EOF while parsing an object at line 1 column 1"),
        ("{}", 422, "a purge has exactly one of `url`, `prefix`, `tag`, `host` and `everything`, or `tag` and `host`"),
        (r#"{"url":"/x"}"#, 422, "`/x` is not a URL with scheme and host"),
        (r#"{"url":"https://b.com/x"}"#, 422, "no distribution serves `b.com`"),
    ] {
        let answer = purge(body).await;
        assert_eq!(answer.head.status, status, "{body}");
        assert_eq!(answer.json()["error"], error);
        assert!(answer.json()["hint"].is_string());
    }
}

#[tokio::test]
async fn a_request_is_explained() {
    let json = [("content-type", "application/json")];
    let explain = |body: &'static str| ask_with(Fake::default(), "POST", "/explain", &json, body.into());
    let answer = explain(r#"{"url":"https://a.com/x?y","method":"HEAD"}"#).await;
    assert_eq!(answer.json(), json!({ "explanation": { "tls": true }, "text": "HEAD /x?y\n" }));
    let wrong = explain(r#"{"url":"https://a.com/","headers":["a"]}"#).await;
    assert_eq!((wrong.head.status.as_u16(), wrong.json()["error"].as_str()), (422, Some("`a` is no header")));
    assert_eq!(explain("{").await.head.status, 400);
}
