//! Sections 10.1, 10.2 and 10.4: the language, and what is switched off.

use super::of_runtime;
use rimward_tests::TestNode;

const BOTH: [&str; 2] = ["cloudfront-js-1.0", "cloudfront-js-2.0"];

/// What `expression` gives, as text; `top` stands before the handler.
async fn value(runtime: &str, top: &str, expression: &str) -> String {
    let code = format!(
        "{top}\nfunction handler(event) {{ try {{ return {{ statusCode: 200, body: String({expression}) }}; }} catch (e) {{ return {{ statusCode: 200, body: String(e) }}; }} }}"
    );
    of_runtime(runtime, &code).await.get("/").await.body
}

/// Why code is not published.
async fn refusal(code: &str) -> String {
    let node = TestNode::with_function(code).await;
    let answer = node.get("/").await;
    assert_eq!((answer.status(), answer.header("x-cache")), (503, "FunctionThrottledError from cloudfront"), "{code}");
    node.problems.first().expect("a problem").message.clone()
}

/// cloudfront-functions.md section 10.1.
#[tokio::test]
async fn code_is_strict_and_that_cannot_be_switched_off() {
    for runtime in BOTH {
        assert_eq!(value(runtime, "", "(function () { return typeof this; })()").await, "undefined");
        let text = value(runtime, "", "(function () { undeclared = 1; })()").await;
        assert!(text.starts_with("ReferenceError") && text.contains("undeclared"), "{runtime}: {text}");
        assert!(
            value(runtime, "", "(function () { Object.freeze(event).a = 1; })()").await.starts_with("TypeError"),
            "{runtime}"
        );
    }
    for code in ["with (Math) {} function handler(e) { return e.request; }", "function handler(e) { return 010; }"] {
        assert!(refusal(code).await.contains("SyntaxError"), "{code}");
    }
}

/// cloudfront-functions.md section 10.2: what both runtimes take.
#[tokio::test]
async fn es5_and_the_later_parts_that_the_vendor_lists_work_in_both_runtimes() {
    for runtime in BOTH {
        for (expression, expected) in [
            ("[1, 2].map(x => x * 2).join()", "2,4"),
            ("(function (a, ...rest) { return rest.length; })(1, 2, 3)", "2"),
            ("`a${1 + 1}`", "a2"),
            ("2 ** 3", "8"),
            ("null ?? 'x'", "x"),
            (
                "(function () { var a = 1, o = { a, m() { return this.a; }, ['k' + 1]: 2, get g() { return 3; }, }; return o.m() + o.k1 + o.g; })()",
                "6",
            ),
            (
                "(function () { out: for (var i = 0; ; i++) { for (;;) { if (i > 2) break out; break; } } return i; })()",
                "3",
            ),
            ("(function () { var n = ''; for (var k in { a: 1, b: 2 }) n += k; return n; })()", "ab"),
            ("/(?<year>\\d{4})/.exec('in 2026').groups.year", "2026"),
        ] {
            assert_eq!(value(runtime, "", expression).await, expected, "{runtime}: {expression}");
        }
    }
}

/// cloudfront-functions.md section 10.2: `async` is 2.0's, in every place where a value may stand (extension: also in arguments).
#[tokio::test]
async fn async_functions_are_awaited() {
    let code = "const g = async x => x + 1;
        async function handler(event) {
          const list = [await g(1), (await g(2)) + 1];
          let n = 0;
          while (n < await g(2)) { n++; }
          if (await g(0)) { return { statusCode: 200, body: `${await g(list[0])} ${list[1]} ${n} ${String(await g(6))}` }; }
        }";
    assert_eq!(of_runtime("cloudfront-js-2.0", code).await.get("/").await.body, "3 4 3 7");
}

/// cloudfront-functions.md section 10.4.
#[tokio::test]
async fn code_from_text_is_refused_with_the_vendors_words() {
    for runtime in BOTH {
        assert_eq!(value(runtime, "", "eval('1')").await, "InternalError: Not implemented");
        let refused = "TypeError: function constructor is disabled in \"safe\" mode";
        assert_eq!(value(runtime, "", "new Function('return 1')()").await, refused);
        assert_eq!(value(runtime, "", "(function () {}).constructor('return 1')()").await, refused);
    }
}

/// cloudfront-functions.md sections 10.4 and 17: time stands still for an invocation; `new Date()` is its start.
#[tokio::test]
async fn every_now_is_the_start_of_the_invocation() {
    for runtime in BOTH {
        let busy = "(function () { var a = Date.now(); for (var i = 0; i < 5000; i++) {} return (Date.now() - a) + ' ' + new Date().toISOString(); })()";
        assert_eq!(value(runtime, "", busy).await, "0 2027-01-15T08:00:00.000Z");
    }
}

/// cloudfront-functions.md section 10.4: modules.
#[tokio::test]
async fn only_the_built_in_modules_can_be_had_and_only_whole() {
    for (runtime, module) in [(0, "crypto"), (0, "querystring"), (1, "crypto"), (1, "querystring"), (1, "buffer")] {
        let top = format!("var m = require('{module}');");
        assert_eq!(value(BOTH[runtime], &top, "typeof m").await, "object", "{module}");
    }
    for module in ["crypto", "querystring", "buffer", "cloudfront"] {
        assert_eq!(value(BOTH[1], &format!("import m from '{module}';"), "typeof m").await, "object", "{module}");
    }
    assert_eq!(value(BOTH[0], "", "require('buffer')").await, "Error: Cannot find module \"buffer\"");
    assert_eq!(value(BOTH[0], "", "require('cloudfront')").await, "Error: Cannot find module \"cloudfront\"");
    assert_eq!(value(BOTH[1], "", "require('cloudfront')").await, "Error: Cannot find module \"cloudfront\"");
    for module in ["http", "fs", "./other.js", "child_process", "net"] {
        assert_eq!(
            value(BOTH[1], "", &format!("require('{module}')")).await,
            format!("Error: Cannot find module \"{module}\"")
        );
    }
    let handler = "function handler(e) { return e.request; }";
    for (code, text) in [
        ("import { createHash } from 'crypto';", "SyntaxError: Non-default import is not supported"),
        ("import * as c from 'crypto';", "SyntaxError: Non-default import is not supported"),
        ("import http from 'http';", "Error: Cannot find module \"http\""),
        ("export const a = 1;", "SyntaxError: Illegal export statement"),
    ] {
        let refused = refusal(&format!("{code}\n{handler}")).await;
        assert!(refused.contains(text), "{code}: {refused}");
    }
}

/// cloudfront-functions.md sections 8 and 10.4: only `log`, values as the vendor's engine shows them.
#[tokio::test]
async fn console_has_log_alone() {
    for runtime in BOTH {
        assert_eq!(value(runtime, "", "Object.getOwnPropertyNames(console).join()").await, "log");
        for name in ["error", "warn", "info", "debug"] {
            let text = value(runtime, "", &format!("console.{name}('x')")).await;
            assert!(text.starts_with("TypeError"), "{runtime}: {text}");
        }
    }
}

/// cloudfront-functions.md section 10.1: the source is UTF-8.
#[tokio::test]
async fn a_source_that_is_no_utf_8_is_refused() {
    let config = format!("{}viewer-request = \"f\"\n[functions.f]\ncode = \"f.js\"\n", rimward_tests::DEMO);
    let node = TestNode::start(&config, &[("f.js", b"function handler(e) { return e.request; } // caf\xe9")]).await;
    assert!(node.problems[0].message.contains("UTF-8"), "{}", node.problems[0].message);
}

/// cloudfront-functions.md sections 10.1 and 10.3: where this engine is not the vendor's, as the reference page has it.
#[tokio::test]
async fn what_the_engine_does_otherwise_is_what_the_reference_says() {
    for runtime in BOTH {
        for (expression, expected) in [
            ("new Date(0).toLocaleString()", "Thu Jan 01 1970 00:00:00 GMT+0000"),
            ("(function a() {}).toString()", "function a() {}"),
            ("/a$/.test('a\\n')", "false"),
            ("/(?<=a)b/.test('ab')", "true"),
        ] {
            assert_eq!(value(runtime, "", expression).await, expected, "{runtime}: {expression}");
        }
    }
}

/// cloudfront-functions.md section 18: calls that go too deep are an error like others.
#[tokio::test]
async fn calls_that_go_too_deep_can_be_caught() {
    let deep = "(function() { try { (function f() { f(); })(); } catch (e) { return e.name + ': ' + e.message; } })()";
    for runtime in BOTH {
        assert_eq!(value(runtime, "", deep).await, "RangeError: Maximum call stack size exceeded");
    }
}
