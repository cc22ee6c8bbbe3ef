//! Functions that break, hang, flood or lie. Each meets its wall: the viewer gets the documented answer
//! (`cloudfront-functions.md` section 6), the operator the reason, and the next request on the thread is served right.

use rimward_tests::TestNode;

const EXECUTION: (u16, &str) = (503, "FunctionExecutionError from cloudfront");
const VALIDATION: (u16, &str) = (502, "FunctionValidationError from cloudfront");
const THROTTLED: (u16, &str) = (503, "FunctionThrottledError from cloudfront");

/// Runs `bad` as the body of a handler when the path is `/bad`, then asks for something else of the same function.
async fn meets_its_wall(bad: &str, (status, x_cache): (u16, &str), reason: &str) {
    let code = format!(
        "function rec(n) {{ return n + rec(n + 1); }}\n\
         function handler(event) {{\n\
           if (event.request.uri === '/bad') {{ {bad} }}\n\
           event.request.uri = '/echo';\n\
           return event.request;\n\
         }}"
    );
    let node = TestNode::with_function(&code).await;
    assert!(node.problems.is_empty(), "{:?}", node.problems);
    for round in 0..3 {
        let refused = node.get("/bad").await;
        let record = node.record();
        let told = record["hooks"][0]["reason"].as_str().unwrap_or_default().to_owned();
        assert_eq!((refused.status(), refused.header("x-cache")), (status, x_cache), "{bad}: {told}");
        let result = record["result"].as_str().unwrap_or_default();
        assert_eq!(format!("{result} from cloudfront"), x_cache, "the log has the same category");
        assert_eq!(record["hooks"][0]["verdict"], result);
        assert!(!refused.body.contains("secret-detail"), "{}", refused.body);
        assert!(told.contains(reason), "{bad}: the operator reads `{told}`, not `{reason}`");
        let served = node.get("/good").await;
        assert_eq!(served.status(), 200, "round {round} after {bad}: {} {}", served.header("x-cache"), served.body);
        node.record();
    }
}

/// Code that cannot be published at all.
async fn does_not_compile(code: &str, reason: &str) {
    is_not_published(code, THROTTLED, reason).await;
}

async fn is_not_published(code: &str, gets: (u16, &str), reason: &str) {
    let node = TestNode::with_function(code).await;
    let problem = node.problems.first().expect("a problem");
    assert!(problem.message.contains(reason), "{}", problem.message);
    let refused = node.get("/").await;
    assert_eq!((refused.status(), refused.header("x-cache")), gets);
    let told = node.record()["hooks"][0]["reason"].as_str().unwrap_or_default().to_owned();
    assert!(told.contains(reason), "{told}");
}

macro_rules! walls {
    ($($name:ident: $bad:expr, $answer:expr, $reason:expr;)*) => {
        $(#[tokio::test]
        async fn $name() {
            meets_its_wall($bad, $answer, $reason).await;
        })*
    };
}

walls! {
    an_endless_loop_is_stopped: "for (;;) {}", EXECUTION, "time limit";
    a_catastrophic_regular_expression_is_stopped:
        "/^(a+)+$/.test('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab');", EXECUTION, "time limit";
    half_a_billion_characters_are_refused: "return 'a'.repeat(536870912).length;", EXECUTION, "";
    a_string_that_doubles_is_stopped: "var s = 'ab'; for (;;) { s += s; s.indexOf('c'); }", EXECUTION, "";
    an_endless_array_is_stopped: "var a = []; for (;;) { a.push({ x: a.length }); }", EXECUTION, "";
    an_endless_sort_is_stopped:
        "var a = []; for (var i = 0; i < 10000; i++) { a.push(i); } for (;;) { a.sort(function (x, y) { return y - x; }); }",
        EXECUTION, "time limit";
    deep_recursion_is_stopped: "return rec(0);", EXECUTION, "";
    deep_json_is_stopped: "return JSON.parse('['.repeat(20000) + ']'.repeat(20000));", EXECUTION, "";
    a_throw_is_an_execution_error: "throw new TypeError('secret-detail');", EXECUTION, "TypeError: secret-detail";
    a_missing_member_is_an_execution_error: "return event.nothing.value;", EXECUTION, "TypeError";
    a_rejected_promise_is_an_execution_error:
        "return Promise.reject(new Error('secret-detail'));", EXECUTION, "secret-detail";
    a_promise_that_never_settles_is_an_execution_error: "return new Promise(function () {});", EXECUTION, "";
    an_array_is_no_result: "return [];", VALIDATION, "";
    a_number_is_no_result: "return 7;", VALIDATION, "";
    nothing_is_no_result: "return;", VALIDATION, "";
    the_event_is_no_result: "return event;", VALIDATION, "";
    a_key_value_store_that_is_not_there_is_an_execution_error:
        "return require('cloudfront').kvs();", EXECUTION, "";
    a_status_of_99_is_refused: "return { statusCode: 99 };", VALIDATION, "status";
    an_upper_case_header_is_refused:
        "return { statusCode: 200, headers: { 'X-Foo': { value: 'a' } } };", VALIDATION, "lower case";
    a_disallowed_header_is_refused:
        "return { statusCode: 200, headers: { 'x-cache': { value: 'a' } } };", VALIDATION, "x-cache";
    a_header_that_splits_the_response_is_refused:
        "return { statusCode: 200, headers: { 'x-a': { value: 'a\\r\\nset-cookie: b=c' } } };", VALIDATION, "x-a";
    deleting_host_is_refused: "delete event.request.headers.host; return event.request;", VALIDATION, "host";
    a_changed_method_is_refused: "event.request.method = 'PUT'; return event.request;", VALIDATION, "method";
    a_relative_uri_is_refused: "event.request.uri = 'a'; return event.request;", VALIDATION, "uri";
    a_query_with_a_space_is_refused: "event.request.querystring = 'a b'; return event.request;", VALIDATION, "query";
    bad_base64_is_refused:
        "return { statusCode: 200, body: { encoding: 'base64', data: '*' } };", VALIDATION, "base64";
    a_huge_body_is_refused: "return { statusCode: 200, body: 'x'.repeat(50000) };", VALIDATION, "";
}

#[tokio::test]
async fn code_over_10_kb_is_not_published() {
    let code = format!("function handler(event) {{ return event.request; }}\n// {}", "x".repeat(10_240));
    does_not_compile(&code, "10").await;
}

#[tokio::test]
async fn a_syntax_error_is_not_published_and_its_line_is_named() {
    does_not_compile("function handler(event) {\n  return event.request\n}}\n", "3").await;
}

#[tokio::test]
async fn code_without_a_handler_is_not_published() {
    does_not_compile("function handle(event) { return event.request; }", "handler").await;
}

#[tokio::test]
async fn code_whose_top_level_throws_or_hangs_is_not_published() {
    let handler = "function handler(e) { return e.request; }";
    // An exception, in whichever line, is an execution error (section 6).
    is_not_published(&format!("throw new Error('at the top'); {handler}"), EXECUTION, "at the top").await;
    is_not_published(&format!("for (;;) {{}} {handler}"), EXECUTION, "").await;
}
