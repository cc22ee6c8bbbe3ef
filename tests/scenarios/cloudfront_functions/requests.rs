//! Section 4.1: requests that a function returns.

use super::before;
use rimward_tests::TestNode;

const VALIDATION: (u16, &str) = (502, "FunctionValidationError from cloudfront");

/// Asks for `path`, which the function refuses, and says why it did.
async fn refusal(node: &TestNode, path: &str) -> String {
    let answer = node.get(path).await;
    assert_eq!((answer.status(), answer.header("x-cache")), VALIDATION, "{path}: {}", answer.body);
    node.record()["hooks"][0]["reason"].as_str().unwrap().to_owned()
}

/// cloudfront-functions.md section 4: a request goes on, also as the value of a promise.
#[tokio::test]
async fn a_returned_request_goes_on_to_the_origin() {
    let (node, origin) = before("r.uri = '/new'; r.headers['x-new'] = { value: 'n' }; return Promise.resolve(r)").await;
    assert_eq!(node.get("/old?a=1").await.body, "there");
    let received = origin.only_request();
    assert_eq!((received.target.as_str(), received.header("x-new")), ("/new?a=1", Some("n")));
}

/// cloudfront-functions.md section 4.1 rules 1, 2 and 4.
#[tokio::test]
async fn each_rule_of_a_returned_request_is_checked() {
    let (node, origin) = before(
        "switch (r.uri) {
           case '/method': r.method = 'POST'; break;
           case '/relative': r.uri = 'x'; break;
           case '/empty': r.uri = ''; break;
           case '/star': r.uri = '*'; break;
           case '/query-in-uri': r.uri = '/a?b=1'; break;
           case '/space': r.querystring = 'a=b c'; break;
           case '/hash': r.querystring = 'a=b#c'; break;
           case '/control': r.querystring = 'a=\\t'; break;
           case '/value': r.querystring.a = { value: 'b c' }; break;
           case '/name': r.querystring['a/b'] = { value: '1' }; break;
           case '/name-in-text': r.querystring = 'c=d/e&a/b=1'; break;
           case '/sent': r.querystring = 'x=1&a/b=2'; break;
         }",
    )
    .await;
    for (path, reason) in [
        ("/method", "request.method is read-only: was `GET`, is `POST`"),
        ("/relative", "request.uri must start with `/`"),
        ("/empty", "request.uri must start with `/`"),
        ("/star", "request.uri must start with `/`"),
        ("/query-in-uri", "request.uri must not have a `?`; the query string has a member of its own"),
        ("/space", "request.querystring must not have spaces; percent-encode them"),
        ("/hash", "request.querystring must not have a `#`; percent-encode it"),
        ("/control", "request.querystring must not have control characters"),
        ("/value", "request.querystring must not have spaces; percent-encode them"),
        ("/name", "request.querystring must not have a `/` in a parameter's name; percent-encode it"),
        ("/name-in-text", "request.querystring must not have a `/` in a parameter's name; percent-encode it"),
    ] {
        assert_eq!(refusal(&node, path).await, reason, "{path}");
    }
    assert_eq!(origin.calls(), 0);
    // A viewer's own name with a `/` is not the function's fault.
    assert_eq!(node.get("/?a/b=1").await.status(), 200);
    assert_eq!(node.get("/sent?a/b=1").await.status(), 200);
}

/// cloudfront-functions.md section 4.1 rule 3: fewer than 8,192 characters together.
#[tokio::test]
async fn uri_and_query_together_have_fewer_than_8192_characters() {
    let (node, origin) = before(
        "var length = Number(r.headers['x-length'].value); r.querystring = 'q=1'; r.uri = '/' + 'x'.repeat(length - 4)",
    )
    .await;
    assert_eq!(node.get_with("/", &[("x-length", "8191")]).await.status(), 200);
    assert_eq!(origin.only_request().target.len(), "?".len() + 8191);
    let over = node.get_with("/", &[("x-length", "8192")]).await;
    assert_eq!((over.status(), over.header("x-cache")), VALIDATION);
}

/// cloudfront-functions.md section 4.1 rule 5: an object or a string; what is deleted is empty.
#[tokio::test]
async fn a_query_string_is_an_object_or_text_and_may_be_deleted_as_cookies_may() {
    let (node, origin) = before(
        "switch (r.uri) {
           case '/object': r.querystring = { b: { value: '2' }, a: { value: '1', multiValue: [{ value: '1' }, { value: '3' }] } }; break;
           case '/text': r.querystring = 'z=1&a=%20&z=2&flag'; break;
           case '/no-query': delete r.querystring; break;
           case '/no-cookies': delete r.cookies; break;
         }",
    )
    .await;
    for (path, target, cookie) in [
        ("/object", "/object?b=2&a=1&a=3", Some("c=1")),
        ("/text", "/text?z=1&a=%20&z=2&flag", Some("c=1")),
        ("/no-query", "/no-query", Some("c=1")),
        ("/no-cookies", "/no-cookies?q=1", None),
    ] {
        assert_eq!(node.get_with(&format!("{path}?q=1"), &[("cookie", "c=1")]).await.status(), 200);
        let received = origin.received().pop().unwrap();
        assert_eq!((received.target.as_str(), received.header("cookie")), (target, cookie));
    }
}

/// cloudfront-functions.md section 4.1 rule 6, in each of the three maps.
#[tokio::test]
async fn a_changed_multi_value_wins_and_else_a_changed_value_replaces_the_first() {
    let (node, origin) = before(
        "[r.headers['x-a'], r.querystring.a, r.cookies.a].forEach(function (entry) {
           switch (r.uri) {
             case '/value': entry.value = 'n'; break;
             case '/list': entry.multiValue[1].value = 'm'; entry.value = 'ignored'; break;
             case '/pushed': entry.multiValue.push({ value: '3' }); break;
             case '/popped': entry.multiValue.pop(); entry.value = 'ignored'; break;
             case '/one': delete entry.multiValue; break;
           }
         })",
    )
    .await;
    for (path, values) in [
        ("/none", &["1", "2"][..]),
        ("/value", &["n", "2"]),
        ("/list", &["1", "m"]),
        ("/pushed", &["1", "2", "3"]),
        ("/popped", &["1"]),
        ("/one", &["1"]),
    ] {
        let headers = [("x-a", "1"), ("x-a", "2"), ("cookie", "a=1; a=2")];
        assert_eq!(node.get_with(&format!("{path}?a=1&a=2"), &headers).await.status(), 200, "{path}");
        let received = origin.received().pop().unwrap();
        let joined = |between: &str| values.iter().map(|value| format!("a={value}")).collect::<Vec<_>>().join(between);
        assert_eq!(received.all("x-a"), values, "{path}");
        assert_eq!(received.target, format!("{path}?{}", joined("&")));
        assert_eq!(received.header("cookie"), Some(joined("; ").as_str()));
    }
}

/// cloudfront-functions.md section 4.1 rule 7.
#[tokio::test]
async fn what_is_deleted_is_gone() {
    let (node, origin) = before(
        "delete r.headers['x-a']; delete r.querystring.a; delete r.cookies.a; r.headers['x-empty'] = { value: '' }",
    )
    .await;
    node.get_with("/?a=1&b=2&a=3", &[("x-a", "1"), ("x-b", "2"), ("cookie", "a=1; b=2")]).await;
    let received = origin.only_request();
    assert_eq!((received.target.as_str(), received.header("cookie")), ("/?b=2", Some("b=2")));
    assert_eq!(
        (received.header("x-a"), received.header("x-b"), received.header("x-empty")),
        (None, Some("2"), Some(""))
    );
}

/// cloudfront-functions.md section 3.2: names go out with capitals in HTTP/1.1.
#[tokio::test]
async fn names_go_to_the_origin_with_a_capital_for_each_word() {
    let (node, origin) = before("r.headers['example-header-name'] = { value: '1' }").await;
    node.get("/").await;
    let names: Vec<String> = origin.only_request().headers.into_iter().map(|(name, _)| name).collect();
    assert!(names.contains(&"Example-Header-Name".to_owned()), "{names:?}");
}
