//! What of a message reaches the other side.

use crate::bodies::fed;
use crate::{at, fetch, get, of, post, text};
use http::{HeaderMap, StatusCode};
use rimward_config::OriginUrl;
use rimward_origin::{ErrorKind, Origins};
use rimward_testkit::{Answer, Origin, soon};
use rimward_types::{Body, Interim, InterimSink, RequestHead};
use std::sync::Arc;

#[tokio::test]
async fn path_query_and_prefix_arrive_as_they_are() {
    let origin = Origin::new(|_| Answer::ok("hello")).await;
    let mut to = of(&origin);
    if let OriginUrl::Http { path, .. } = &mut to.url {
        *path = "/base".to_owned();
    }
    let fetched = get(&Origins::new(), &to, "/a//b/%2e%2E/c%20d?x=y&z=%41|").await.unwrap();
    assert_eq!((fetched.head.status.as_u16(), fetched.attempts, fetched.connection_reused), (200, 1, false));
    assert_eq!(text(fetched).await, "hello");
    assert_eq!(origin.only_request().target, "/base/a//b/%2e%2E/c%20d?x=y&z=%41|");
}

/// `cdn-behaviour.md` section 7.2 and 7.4.
#[tokio::test]
async fn host_is_the_heads_else_the_configured_else_the_origins_own() {
    let origin = Origin::new(|_| Answer::ok("")).await;
    let origins = Origins::new();
    let mut to = of(&origin);
    get(&origins, &to, "/").await.unwrap();
    to.host_header = Some("configured.example".to_owned());
    get(&origins, &to, "/").await.unwrap();
    let mut head = RequestHead::get("/");
    head.headers.insert("host", "viewer.example".parse().unwrap());
    fetch(&origins, &to, head, Body::Empty).await.unwrap();
    let hosts: Vec<_> = origin.received().iter().map(|r| r.all("host").join("|")).collect();
    assert_eq!(hosts, [origin.address().to_string().as_str(), "configured.example", "viewer.example"]);
}

#[tokio::test]
async fn custom_headers_replace_the_viewers() {
    let origin = Origin::new(|_| Answer::ok("")).await;
    let mut to = of(&origin);
    to.headers = vec![("x-key".parse().unwrap(), "secret".parse().unwrap())];
    let mut head = RequestHead::get("/");
    head.headers.append("x-key", "a".parse().unwrap());
    head.headers.append("x-key", "b".parse().unwrap());
    fetch(&Origins::new(), &to, head, Body::Empty).await.unwrap();
    assert_eq!(origin.only_request().all("x-key"), ["secret"]);
}

/// RFC 9110 section 7.6.1.
#[tokio::test]
async fn hop_by_hop_fields_stay_behind_in_both_directions() {
    let origin = Origin::new(|_| {
        Answer::ok("x")
            .header("connection", "x-hop")
            .header("x-hop", "1")
            .header("keep-alive", "timeout=9")
            .header("x", "y")
    })
    .await;
    let mut head = RequestHead::get("/");
    for (name, value) in [
        ("connection", "close, x-mine"),
        ("x-mine", "1"),
        ("te", "trailers"),
        ("upgrade", "h2c"),
        ("expect", "100-continue"),
    ] {
        head.headers.insert(name, value.parse().unwrap());
    }
    let fetched = fetch(&Origins::new(), &of(&origin), head, Body::Empty).await.unwrap();
    let mut names: Vec<_> = fetched.head.headers.keys().map(|n| n.as_str().to_owned()).collect();
    names.sort_unstable();
    assert_eq!(names, ["content-length", "x"]);
    let names: Vec<_> = origin.only_request().headers.iter().map(|(n, _)| n.to_lowercase()).collect();
    assert_eq!(names, ["host"]);
}

#[tokio::test]
async fn the_framing_follows_the_body_and_not_the_viewers_fields() {
    let origin = Origin::new(|_| Answer::ok("")).await;
    let origins = Origins::new();
    let mut head = post("/");
    head.headers.insert("content-length", "99".parse().unwrap());
    head.headers.insert("transfer-encoding", "chunked".parse().unwrap());
    let to = of(&origin);
    fetch(&origins, &to, head.clone(), "hello".into()).await.unwrap();
    fetch(&origins, &to, head, Body::Empty).await.unwrap();
    let (parts, body) = fed();
    let feed = async {
        parts.send(Ok("stream")).await.unwrap();
        drop(parts);
    };
    let (fetched, ()) = tokio::join!(fetch(&origins, &to, post("/"), body), feed);
    fetched.unwrap();
    let seen: Vec<_> = origin.received().iter().map(|r| (r.all("content-length").join("|"), r.body.clone())).collect();
    assert_eq!(seen[0], ("5".to_owned(), "hello".into()));
    assert_eq!(seen[1], ("0".to_owned(), "".into()));
    assert_eq!(seen[2], (String::new(), "stream".into()));
}

#[tokio::test]
async fn a_reason_phrase_of_its_own_is_kept() {
    let origin =
        Origin::answers([Answer::raw("HTTP/1.1 200 Fine By Me\r\ncontent-length: 0\r\n\r\n"), Answer::ok("")]).await;
    let origins = Origins::new();
    assert_eq!(get(&origins, &of(&origin), "/").await.unwrap().head.reason.as_deref(), Some("Fine By Me"));
    assert_eq!(get(&origins, &of(&origin), "/").await.unwrap().head.reason, None);
}

/// RFC 9110 section 15.2.
#[tokio::test]
async fn interim_answers_are_passed_over() {
    let interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
    let origin = Origin::answers([Answer::raw(interim)]).await;
    let fetched = get(&Origins::new(), &of(&origin), "/").await.unwrap();
    assert_eq!(fetched.head.status, 200);
    assert_eq!(text(fetched).await, "ok");
}

/// RFC 9110 sections 7.6.1 and 15.2.
#[tokio::test]
async fn interim_answers_go_to_whoever_takes_them_but_for_100_and_hop_by_hop_fields() {
    #[derive(Default)]
    struct Told(std::sync::Mutex<Vec<String>>);
    impl InterimSink for Told {
        fn send(&self, number: u64, status: StatusCode, headers: &HeaderMap) {
            self.0.lock().unwrap().push(format!("{number} {} {headers:?}", status.as_u16()));
        }
    }
    let answer = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n\
                  HTTP/1.1 103 Early Hints\r\nlink: </x>\r\nkeep-alive: 1\r\n\r\n\
                  HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
    let origin = Origin::answers([Answer::raw(answer)]).await;
    let told = Arc::new(Told::default());
    let interim = Interim::to(told.clone(), 7);
    let (origins, origin) = (Origins::new(), of(&origin));
    let fetched = origins.fetch_telling(&origin, &|| RequestHead::get("/"), Body::Empty, &interim);
    let fetched = soon("an answer", fetched).await.unwrap();
    assert_eq!((fetched.head.status.as_u16(), fetched.head.header("link")), (200, None));
    assert_eq!(*told.0.lock().unwrap(), ["7 102 {}", "7 103 {\"link\": \"</x>\"}"]);
}

/// `cdn-behaviour.md` section 8.
#[tokio::test]
async fn redirects_are_passed_through() {
    let origin = Origin::answers([Answer::new(302, "").header("location", "http://elsewhere/")]).await;
    let fetched = get(&Origins::new(), &of(&origin), "/").await.unwrap();
    assert_eq!((fetched.head.status.as_u16(), fetched.head.header("location")), (302, Some("http://elsewhere/")));
}

#[tokio::test]
async fn an_answer_to_head_keeps_its_length_and_has_no_body() {
    let origin = Origin::new(|_| Answer::ok("hello")).await;
    let head = RequestHead { method: http::Method::HEAD, ..RequestHead::get("/") };
    let fetched = fetch(&Origins::new(), &of(&origin), head, Body::Empty).await.unwrap();
    assert_eq!(fetched.head.header("content-length"), Some("5"));
    assert!(fetched.body.is_empty());
}

#[tokio::test]
async fn a_request_that_is_no_http_is_not_sent() {
    let origin = Origin::must_not_be_called().await;
    let origins = Origins::new();
    for (path, query) in
        [("", None), ("a", None), ("/a b", None), ("/a#b", None), ("/a?b", None), ("/a", Some("b#c")), ("/a\r\n", None)]
    {
        let head = RequestHead { path: path.to_owned(), query: query.map(str::to_owned), ..RequestHead::get("/") };
        let error = fetch(&origins, &at(origin.address()), head, Body::Empty).await.unwrap_err();
        assert_eq!((error.kind, error.attempts), (ErrorKind::InvalidRequest, 0), "{path:?}");
    }
}
