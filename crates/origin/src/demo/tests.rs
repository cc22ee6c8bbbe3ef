#![allow(clippy::unwrap_used)]
use super::*;

async fn get(target: &str) -> (ResponseHead, String) {
    ask(RequestHead::get(target), Body::Empty).await
}

async fn ask(head: RequestHead, body: Body) -> (ResponseHead, String) {
    let fetched = answer("app", head, body, Timestamp::from_secs(1_800_000_000)).await;
    let body = fetched.body.collect(u64::MAX).await.unwrap();
    (fetched.head, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn a_page_names_its_origin_and_path_and_is_the_same_each_time() {
    let (head, page) = get("/docs/a/index.html?b=<c>").await;
    assert!(page.contains("Origin: app") && page.contains("/docs/a/index.html?b=&lt;c&gt;"), "{page}");
    assert_eq!(head.header("x-demo-origin"), Some("app"));
    let (again, same) = get("/docs/a/index.html?b=<c>").await;
    assert_eq!((head.header("etag"), page), (again.header("etag"), same));
    assert_ne!(head.header("x-demo-serial"), again.header("x-demo-serial"));
}

#[tokio::test]
async fn a_validator_that_matches_gets_304() {
    let (head, _) = get("/hello").await;
    for (name, value, status) in [
        ("if-none-match", head.header("etag").unwrap(), 304),
        ("if-none-match", "\"other\", *", 304),
        ("if-none-match", "\"other\"", 200),
        ("if-modified-since", LAST_MODIFIED, 304),
        ("if-modified-since", "Tue, 31 Dec 2024 23:59:59 GMT", 200),
    ] {
        let mut request = RequestHead::get("/hello");
        request.headers.insert(HeaderName::try_from(name).unwrap(), value.parse().unwrap());
        let (answer, body) = ask(request, Body::Empty).await;
        assert_eq!((answer.status.as_u16(), body.is_empty()), (status, status == 304), "{name}: {value}");
    }
}

#[tokio::test]
async fn an_echo_shows_what_arrived() {
    let mut request = RequestHead::get("/ab/echo?x=1");
    request.headers.insert("x-ab-group", "b".parse().unwrap());
    let (head, text) = ask(request, Body::Empty).await;
    assert_eq!(head.header("cache-control"), Some("no-store"));
    assert!(text.contains("\"x-ab-group\": \"b\""), "{text}");
    let mut request = RequestHead::get("/anything");
    request.method = Method::POST;
    let (_, text) = ask(request, "hello".into()).await;
    let seen: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (seen["method"].as_str(), seen["body"].as_str(), seen["query"].is_null()),
        (Some("POST"), Some("hello"), true)
    );
}

#[tokio::test]
async fn status_and_cache_control_are_as_asked() {
    for (path, status, cache_control) in [
        ("/status/404", 404, "no-store"),
        ("/status/503/x", 503, "no-store"),
        ("/status/100", 404, "no-store"),
        ("/status/x", 404, "no-store"),
        ("/cache/max-age/60", 200, "max-age=60"),
        ("/cache/no-store", 200, "no-store"),
        ("/cache/s-maxage/5", 200, "s-maxage=5"),
        ("/cache/max-age/1, private", 404, "no-store"),
        ("/hello", 200, "max-age=60"),
    ] {
        let (head, _) = get(path).await;
        assert_eq!((head.status.as_u16(), head.header("cache-control")), (status, Some(cache_control)), "{path}");
    }
}

#[tokio::test]
async fn head_has_the_length_of_the_page_and_no_body() {
    let (page_head, page) = get("/size/5000").await;
    assert_eq!(page.len(), 5000);
    let mut request = RequestHead::get("/size/5000");
    request.method = Method::HEAD;
    let (head, body) = ask(request, Body::Empty).await;
    assert_eq!((head.header("content-length"), body.as_str()), (page_head.header("content-length"), ""));
}

#[tokio::test]
async fn a_size_is_bounded() {
    let (head, _) = get("/size/99999999999").await;
    assert_eq!(head.header("content-length"), Some(LARGEST.to_string().as_str()));
}
